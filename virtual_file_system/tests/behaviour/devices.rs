//! Open devices: calls arrive unchanged, flags are kept, closing closes.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::Poll;

use devnet_virtual_file_system::limits::REQUEST_BYTES;
use devnet_virtual_file_system::{
    CharacterDevice, ControlCommand, Credentials, Error, File, Identifier, Lock, Mode, OpenDevice,
    OpenFlags, OpenRequest, Operation, Result,
};
use embedded_io_async::SeekFrom;
use futures_lite::future::block_on;

use crate::support::line::{Count, Drain, Feed};
use crate::support::{
    Line, OpenLine, READ_WRITE, octal, open, path, poll_once, root, tree_with_line, user,
};

fn opened(line: &Line) -> usize {
    line.opened.load(Ordering::SeqCst) - line.closed.load(Ordering::SeqCst)
}

#[test]
fn the_last_clone_closes_the_device_at_once() {
    let (tree, line) = tree_with_line();
    let file = open(&tree, "/line", READ_WRITE).unwrap();
    let clone = file.clone();
    assert_eq!(opened(&line), 1, "a clone is the same description");
    drop(file);
    assert_eq!(opened(&line), 1);
    drop(clone);
    assert_eq!(opened(&line), 0);
    let two =
        (open(&tree, "/line", READ_WRITE).unwrap(), open(&tree, "/line", READ_WRITE).unwrap());
    assert_eq!(opened(&line), 2, "an open is a description of its own");
    drop(two);
    assert_eq!(opened(&line), 0);
}

#[test]
fn reading_and_writing_need_their_flag_and_waiting_waits() {
    let (tree, line) = tree_with_line();
    let reader = open(&tree, "/line", OpenFlags::READ).unwrap();
    let writer = open(&tree, "/line", OpenFlags::WRITE).unwrap();
    let mut buffer = [0; 4];
    assert_eq!(reader.try_write(b"x"), Err(Error::BadFileDescriptor));
    assert_eq!(writer.try_read(&mut buffer), Err(Error::BadFileDescriptor));
    assert_eq!(poll_once(reader.read(&mut buffer)), Poll::Pending);
    block_on(writer.write_all(b"data")).unwrap();
    assert_eq!(block_on(reader.read(&mut buffer)), Ok(4));
    assert_eq!(&buffer, b"data");
    line.feed(b"more");
    assert_eq!(reader.try_read(&mut buffer), Ok(4));
}

#[test]
fn a_non_blocking_file_never_waits() {
    let (tree, line) = tree_with_line();
    let file = open(&tree, "/line", READ_WRITE | OpenFlags::NON_BLOCKING).unwrap();
    let mut buffer = [0; 4];
    assert_eq!(poll_once(file.read(&mut buffer)), Poll::Ready(Err(Error::WouldBlock)));
    line.feed(b"data");
    assert_eq!(poll_once(file.control::<Drain>(&())), Poll::Ready(Err(Error::WouldBlock)));
    assert_eq!(poll_once(file.read(&mut buffer)), Poll::Ready(Ok(4)));
    assert_eq!(poll_once(file.control::<Drain>(&())), Poll::Ready(Ok(())));
    file.set_non_blocking(false);
    assert_eq!(poll_once(file.read(&mut buffer)), Poll::Pending);
    // The `try_` calls never block, whatever the flag.
    assert_eq!(file.try_read(&mut buffer), Err(Error::WouldBlock));
    line.feed(b"x");
    assert_eq!(file.try_control::<Drain>(&()), Err(Error::WouldBlock));
    assert_eq!(file.try_control::<Count>(&()), Ok(1));
}

#[test]
fn typed_and_raw_control_are_the_same_call() {
    let (tree, _line) = tree_with_line();
    let file = open(&tree, "/line", READ_WRITE).unwrap();
    assert_eq!(block_on(file.control::<Feed>(&b"abc".to_vec())), Ok(3));
    assert_eq!(block_on(file.control_raw(Feed::IDENTIFIER, &[2, b'd', b'e'])), Ok(vec![2]));
    assert_eq!(file.try_control_raw(Count::IDENTIFIER, &[]), Ok(vec![5]));
    assert_eq!(block_on(file.control_raw(Feed::IDENTIFIER, &[2, b'd'])), Err(Error::BadMessage));
    assert_eq!(block_on(file.control_raw(Count::IDENTIFIER, &[0])), Err(Error::BadMessage));
    assert_eq!(
        block_on(file.control_raw(Identifier::from_raw(0), &[])),
        Err(Error::UnknownCommand)
    );
}

#[test]
fn an_oversized_request_does_not_reach_the_device() {
    let (tree, _line) = tree_with_line();
    let file = open(&tree, "/line", READ_WRITE).unwrap();
    let too_long = Err(Error::MessageTooLong);
    assert_eq!(block_on(file.control::<Feed>(&vec![0; REQUEST_BYTES])).map(drop), too_long.clone());
    assert_eq!(file.try_control::<Feed>(&vec![0; REQUEST_BYTES]).map(drop), too_long.clone());
    let raw = vec![0; REQUEST_BYTES + 1];
    // The device does not know the command: had it been called, the error would differ.
    assert_eq!(
        block_on(file.control_raw(Identifier::from_raw(0), &raw)).map(drop),
        too_long.clone()
    );
    assert_eq!(file.try_control_raw(Identifier::from_raw(0), &raw).map(drop), too_long);
    // Three bytes are the length of the list: this is the longest request.
    let longest = u32::try_from(REQUEST_BYTES - 3).unwrap();
    assert_eq!(block_on(file.control::<Feed>(&vec![0; REQUEST_BYTES - 3])), Ok(longest));
}

#[test]
fn the_device_decides_about_authority() {
    let (tree, _line) = tree_with_line();
    let file = open(&tree, "/line", OpenFlags::READ).unwrap();
    assert_eq!(block_on(file.control::<Feed>(&Vec::new())), Err(Error::PermissionDenied));
    // The authority is checked before the payload is decoded.
    assert_eq!(block_on(file.control_raw(Feed::IDENTIFIER, &[9])), Err(Error::PermissionDenied));
    assert_eq!(block_on(file.control::<Count>(&())), Ok(0));
}

#[test]
fn a_device_has_no_position_and_no_length() {
    let (tree, _line) = tree_with_line();
    let file = open(&tree, "/line", READ_WRITE).unwrap();
    assert_eq!(file.seek(SeekFrom::Start(0)), Err(Error::IllegalSeek));
    assert_eq!(file.set_length(0), Err(Error::InvalidInput));
    assert_eq!(file.stat(), tree.stat(&root(), &path("/line")));
}

/// Records how it was opened.
struct Recorder(Arc<Lock<Vec<(Credentials, OpenFlags, String)>>>);

impl CharacterDevice for Recorder {
    fn open(&self, request: &OpenRequest<'_>) -> Result<Arc<dyn OpenDevice>> {
        let seen = (request.credentials.clone(), request.flags, request.path.to_string());
        self.0.with(|log| log.push(seen));
        Err(Error::NoSuchDeviceOrAddress)
    }
}

#[test]
fn the_device_learns_who_opens_it_and_may_refuse() {
    let (tree, _line) = tree_with_line();
    let log = Arc::new(Lock::new(Vec::new()));
    tree.mount(&root(), &path("/witness"), Arc::new(Recorder(Arc::clone(&log))), octal(0o666))
        .unwrap();
    let flags = READ_WRITE | OpenFlags::NON_BLOCKING | OpenFlags::TRUNCATE;
    let refused: Result<File> = tree.open(&user(7), &path("//witness/."), flags, Mode::empty());
    assert_eq!(refused.map(drop), Err(Error::NoSuchDeviceOrAddress));
    log.with(|log| assert_eq!(*log, [(user(7), flags, "/witness".to_string())]));
}

#[test]
fn calls_can_be_sent_to_another_thread() {
    fn send<T: Send>(value: T) -> T {
        value
    }
    let (tree, line) = tree_with_line();
    line.feed(b"x");
    let file = send(open(&tree, "/line", READ_WRITE).unwrap());
    let mut buffer = [0];
    block_on(send(file.read(&mut buffer))).unwrap();
    block_on(send(file.write_all(b"x"))).unwrap();
    block_on(send(file.control::<Count>(&()))).unwrap();
    block_on(send(file.ready(devnet_virtual_file_system::Readiness::READABLE))).unwrap();
}

#[test]
fn a_device_is_called_by_its_own_type_until_it_is_taken_away() {
    let (tree, line) = tree_with_line();
    let file = open(&tree, "/line", READ_WRITE).unwrap();
    assert_eq!(file.try_call(|device: &OpenLine| device.write(b"four")), Ok(4));
    drop(line);
    assert_eq!(
        file.try_call(|_: &OpenLine| Operation::<()>::waiting(std::future::pending())),
        Err(Error::WouldBlock)
    );
    let regular = crate::support::create(&tree, "/regular");
    assert_eq!(
        block_on(regular.call(|_: &OpenLine| Operation::done(Ok(())))),
        Err(Error::UnknownCommand)
    );
    tree.unmount(&root(), &path("/line")).unwrap();
    assert_eq!(block_on(file.call(|_: &OpenLine| Operation::done(Ok(())))), Err(Error::NoDevice));
}
