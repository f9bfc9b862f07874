//! Pipes: order, back-pressure, end of file, broken pipe, readiness, cancellation.

use std::pin::pin;
use std::task::Poll;
use std::thread;

use devnet_virtual_file_system::{Error, Identifier, NodeKind, Readiness, pipe};
use embedded_io_async::SeekFrom;
use futures_lite::future::block_on;

use crate::support::{Wakes, poll, poll_once};

#[test]
fn bytes_come_out_in_order_through_little_memory() {
    const BYTES: usize = 200_000;
    let (reader, writer) = pipe(37);
    let data: Vec<u8> = (0..BYTES).map(|index| (index % 251) as u8).collect();
    let received = thread::scope(|scope| {
        let receiver = scope.spawn(|| block_on(reader.read_to_end(BYTES)));
        block_on(writer.write_all(&data)).unwrap();
        drop(writer);
        receiver.join().unwrap().unwrap()
    });
    assert!(received == data);
}

#[test]
fn a_full_pipe_makes_the_writer_wait() {
    let (reader, writer) = pipe(4);
    let (wakes, waker) = Wakes::new();
    assert_eq!(block_on(writer.write(b"abcdef")), Ok(4));
    let mut waiting = pin!(writer.write(b"ef"));
    assert_eq!(poll(waiting.as_mut(), &waker), Poll::Pending);
    let mut buffer = [0; 1];
    assert_eq!(reader.try_read(&mut buffer), Ok(1));
    assert_eq!(wakes.count(), 1);
    assert_eq!(poll(waiting, &waker), Poll::Ready(Ok(1)));
    assert_eq!(writer.try_write(b"f"), Err(Error::WouldBlock));
    assert_eq!(writer.try_write(b""), Ok(0), "nothing always fits");
}

#[test]
fn an_empty_pipe_makes_the_reader_wait() {
    let (reader, writer) = pipe(4);
    let (wakes, waker) = Wakes::new();
    let mut buffer = [0; 4];
    assert_eq!(reader.try_read(&mut buffer), Err(Error::WouldBlock));
    assert_eq!(reader.try_read(&mut []), Ok(0));
    let mut waiting = pin!(reader.read(&mut buffer));
    assert_eq!(poll(waiting.as_mut(), &waker), Poll::Pending);
    writer.try_write(b"ab").unwrap();
    assert_eq!(wakes.count(), 1);
    assert_eq!(poll(waiting, &waker), Poll::Ready(Ok(2)));
}

#[test]
fn closing_the_writer_ends_the_file_after_the_last_byte() {
    let (reader, writer) = pipe(4);
    let clone = writer.clone();
    writer.try_write(b"ab").unwrap();
    drop(writer);
    let mut buffer = [0; 4];
    assert_eq!(reader.try_read(&mut buffer), Ok(2));
    let (wakes, waker) = Wakes::new();
    let mut waiting = pin!(reader.read(&mut buffer));
    assert_eq!(poll(waiting.as_mut(), &waker), Poll::Pending, "a clone is still open");
    drop(clone);
    assert_eq!(wakes.count(), 1);
    assert_eq!(poll(waiting, &waker), Poll::Ready(Ok(0)));
}

#[test]
fn closing_the_reader_breaks_the_pipe() {
    let (reader, writer) = pipe(2);
    writer.try_write(b"ab").unwrap();
    let (wakes, waker) = Wakes::new();
    let mut waiting = pin!(writer.write_all(b"cd"));
    assert_eq!(poll(waiting.as_mut(), &waker), Poll::Pending);
    drop(reader);
    assert_eq!(wakes.count(), 1);
    assert_eq!(poll(waiting, &waker), Poll::Ready(Err(Error::BrokenPipe)));
    assert_eq!(writer.try_write(b"x"), Err(Error::BrokenPipe));
}

#[test]
fn a_cancelled_read_loses_nothing() {
    let (reader, writer) = pipe(4);
    let mut lost = [0; 4];
    let (wakes, waker) = Wakes::new();
    {
        let mut cancelled = pin!(reader.read(&mut lost));
        assert_eq!(poll(cancelled.as_mut(), &waker), Poll::Pending);
        writer.try_write(b"abcd").unwrap();
        assert_eq!(wakes.count(), 1, "it was about to be read");
    }
    let mut buffer = [0; 4];
    assert_eq!(block_on(reader.read(&mut buffer)), Ok(4));
    assert_eq!((&lost, &buffer), (&[0; 4], b"abcd"));
}

#[test]
fn a_cancelled_write_gives_nothing() {
    let (reader, writer) = pipe(1);
    writer.try_write(b"a").unwrap();
    assert_eq!(poll_once(writer.write(b"b")), Poll::Pending);
    assert_eq!(reader.try_read(&mut [0; 4]), Ok(1));
    assert_eq!(reader.try_read(&mut [0; 4]), Err(Error::WouldBlock));
}

#[test]
fn two_waiting_readers_are_both_woken() {
    let (reader, writer) = pipe(4);
    let (first_wakes, first_waker) = Wakes::new();
    let (second_wakes, second_waker) = Wakes::new();
    let (mut first_buffer, mut second_buffer) = ([0], [0]);
    let mut first = Box::pin(reader.read(&mut first_buffer));
    let mut second = Box::pin(reader.read(&mut second_buffer));
    assert_eq!(poll(first.as_mut(), &first_waker), Poll::Pending);
    assert_eq!(poll(second.as_mut(), &second_waker), Poll::Pending);
    writer.try_write(b"ab").unwrap();
    assert_eq!((first_wakes.count(), second_wakes.count()), (1, 1));
    assert_eq!(poll(second.as_mut(), &second_waker), Poll::Ready(Ok(1)));
    assert_eq!(poll(first.as_mut(), &first_waker), Poll::Ready(Ok(1)));
    drop((first, second));
    assert_eq!((second_buffer, first_buffer), (*b"a", *b"b"));
}

#[test]
fn whole_buffers_of_two_writers_do_not_mix() {
    let (reader, writer) = pipe(2);
    let mut first = pin!(writer.write_all(b"aaaaa"));
    let mut second = pin!(writer.write_all(b"bbbbb"));
    let (_wakes, waker) = Wakes::new();
    let mut seen = Vec::new();
    let mut finished = [false; 2];
    assert_eq!(poll(first.as_mut(), &waker), Poll::Pending);
    while seen.len() < 10 {
        // The second is polled whenever there is room, but must still wait for its turn.
        finished[1] = finished[1] || poll(second.as_mut(), &waker).is_ready();
        finished[0] = finished[0] || poll(first.as_mut(), &waker).is_ready();
        let mut buffer = [0; 1];
        if reader.try_read(&mut buffer) == Ok(1) {
            seen.push(buffer[0]);
        }
    }
    assert_eq!(seen, b"aaaaabbbbb");
}

#[test]
fn a_cancelled_writer_passes_its_turn_on() {
    let (reader, writer) = pipe(1);
    let (wakes, waker) = Wakes::new();
    let mut second = pin!(writer.write_all(b"b"));
    {
        let mut first = pin!(writer.write_all(b"aa"));
        assert_eq!(poll(first.as_mut(), &Wakes::new().1), Poll::Pending);
        assert_eq!(poll(second.as_mut(), &waker), Poll::Pending);
    }
    assert_eq!(wakes.count(), 1);
    assert_eq!(reader.try_read(&mut [0]), Ok(1));
    assert_eq!(poll(second, &waker), Poll::Ready(Ok(())));
}

#[test]
fn a_non_blocking_writer_does_not_wait_for_its_turn() {
    let (_reader, writer) = pipe(1);
    let mut first = pin!(writer.write_all(b"aa"));
    assert_eq!(poll(first.as_mut(), &Wakes::new().1), Poll::Pending);
    writer.set_non_blocking(true);
    assert_eq!(poll_once(writer.write_all(b"b")), Poll::Ready(Err(Error::WouldBlock)));
}

#[test]
fn ends_tell_what_they_are_ready_for() {
    let (reader, writer) = pipe(1);
    assert_eq!(reader.readiness_now(), Readiness::empty());
    assert_eq!(writer.readiness_now(), Readiness::WRITABLE);
    writer.try_write(b"a").unwrap();
    assert_eq!(reader.readiness_now(), Readiness::READABLE);
    assert_eq!(writer.readiness_now(), Readiness::empty());
    drop(writer);
    assert_eq!(reader.readiness_now(), Readiness::READABLE | Readiness::HANG_UP);
    let (reader, writer) = pipe(1);
    drop(reader);
    assert_eq!(writer.readiness_now(), Readiness::WRITABLE | Readiness::ERROR);
}

#[test]
fn hang_up_and_error_end_every_wait() {
    let (reader, writer) = pipe(1);
    let (wakes, waker) = Wakes::new();
    let mut waiting = pin!(reader.ready(Readiness::empty()));
    assert_eq!(poll(waiting.as_mut(), &waker), Poll::Pending);
    drop(writer);
    assert_eq!(wakes.count(), 1);
    assert_eq!(poll(waiting, &waker), Poll::Ready(Ok(Readiness::HANG_UP)));

    let (reader, writer) = pipe(1);
    let mut waiting = pin!(writer.ready(Readiness::empty()));
    assert_eq!(poll(waiting.as_mut(), &waker), Poll::Pending);
    drop(reader);
    assert_eq!(wakes.count(), 2);
    assert_eq!(poll(waiting, &waker), Poll::Ready(Ok(Readiness::ERROR)));
}

#[test]
fn an_end_is_a_device_without_a_name() {
    let (reader, writer) = pipe(1);
    assert_eq!(reader.try_write(b"x"), Err(Error::BadFileDescriptor));
    assert_eq!(writer.try_read(&mut [0]), Err(Error::BadFileDescriptor));
    assert_eq!(reader.seek(SeekFrom::Start(0)), Err(Error::IllegalSeek));
    assert_eq!(reader.try_control_raw(Identifier::from_raw(1), &[]), Err(Error::UnknownCommand));
    let attributes = reader.stat().unwrap();
    assert_eq!(
        (attributes.kind, attributes.inode, attributes.links),
        (NodeKind::CharacterDevice, 0, 0)
    );
}
