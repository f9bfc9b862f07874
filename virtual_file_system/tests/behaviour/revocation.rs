//! Unmounting a device in use: every waiter is woken, and nothing is left over.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::atomic::Ordering;
use std::sync::{Arc, mpsc};
use std::task::{Context, Poll, Waker};
use std::thread;

use devnet_virtual_file_system::{
    CharacterDevice, Error, OpenDevice, OpenRequest, Operation, Readiness, Result,
    VirtualFileSystem,
};
use embedded_io_async::SeekFrom;
use futures_lite::future::block_on;

use crate::support::line::{Count, Drain};
use crate::support::{
    Line, LineDevice, READ_WRITE, Wakes, octal, open, path, poll, poll_once, root, tree_with_line,
};

fn unmount(tree: &VirtualFileSystem) {
    tree.unmount(&root(), &path("/line")).unwrap();
}

#[test]
fn every_call_after_an_unmount_finds_no_device() {
    let (tree, line) = tree_with_line();
    let file = open(&tree, "/line", READ_WRITE).unwrap();
    line.feed(b"unread");
    unmount(&tree);
    let none = Error::NoDevice;
    assert_eq!(block_on(file.read(&mut [0])), Err(none));
    assert_eq!(block_on(file.write(b"x")), Err(none));
    assert_eq!(block_on(file.write_all(b"x")), Err(none));
    assert_eq!(block_on(file.read_to_end(1)), Err(none));
    assert_eq!(block_on(file.control::<Count>(&())), Err(none));
    assert_eq!(block_on(file.ready(Readiness::READABLE)), Err(none));
    assert_eq!(file.try_read(&mut [0]), Err(none));
    assert_eq!(file.try_write(b"x"), Err(none));
    assert_eq!(file.try_control::<Count>(&()), Err(none));
    assert_eq!(file.seek(SeekFrom::Start(0)), Err(none));
    assert_eq!(file.set_length(0), Err(none));
    assert_eq!(file.stat(), Err(none));
    let mut context = Context::from_waker(Waker::noop());
    assert_eq!(file.poll_ready(&mut context, Readiness::READABLE), Poll::Ready(Err(none)));
    assert_eq!(file.readiness_now(), Readiness::ERROR | Readiness::HANG_UP);
}

#[test]
fn waiters_are_woken_and_find_no_device() {
    let (tree, line) = tree_with_line();
    let file = open(&tree, "/line", READ_WRITE).unwrap();
    let other = open(&tree, "/line", READ_WRITE).unwrap();
    let clone = file.clone();
    let tasks: Vec<_> = (0..5).map(|_| Wakes::new()).collect();
    let (mut one, mut two, mut three) = ([0], [0], [0]);
    let mut first = pin!(file.read(&mut one));
    let mut second = pin!(clone.read(&mut two));
    let mut third = pin!(other.read(&mut three));
    let mut ready = pin!(file.ready(Readiness::READABLE));
    assert_eq!(poll(first.as_mut(), &tasks[0].1), Poll::Pending);
    assert_eq!(poll(second.as_mut(), &tasks[1].1), Poll::Pending);
    assert_eq!(poll(third.as_mut(), &tasks[2].1), Poll::Pending);
    assert_eq!(poll(ready.as_mut(), &tasks[3].1), Poll::Pending);
    let mut context = Context::from_waker(&tasks[4].1);
    assert_eq!(file.poll_ready(&mut context, Readiness::READABLE), Poll::Pending);
    unmount(&tree);
    assert_eq!(tasks.iter().map(|(wakes, _)| wakes.count()).collect::<Vec<_>>(), [1; 5]);
    assert_eq!(line.revoked.load(Ordering::SeqCst), 2, "each description hears of it once");
    // Even if the device has data by now.
    line.feed(b"late");
    assert_eq!(poll(first, &tasks[0].1), Poll::Ready(Err(Error::NoDevice)));
    assert_eq!(poll(second, &tasks[1].1), Poll::Ready(Err(Error::NoDevice)));
    assert_eq!(poll(third, &tasks[2].1), Poll::Ready(Err(Error::NoDevice)));
    assert_eq!(poll(ready, &tasks[3].1), Poll::Ready(Err(Error::NoDevice)));
}

#[test]
fn a_reader_on_another_thread_is_woken() {
    let (tree, line) = tree_with_line();
    let file = open(&tree, "/line", READ_WRITE).unwrap();
    let (started, waiting) = mpsc::channel();
    let outcome = thread::scope(|scope| {
        let reader = scope.spawn(|| {
            let mut buffer = [0];
            let mut read = pin!(file.read(&mut buffer));
            block_on(poll_fn(|context| {
                let answer = read.as_mut().poll(context);
                started.send(()).unwrap();
                answer
            }))
        });
        // It is waiting: its first poll is over, and no data was fed.
        waiting.recv().unwrap();
        unmount(&tree);
        reader.join().unwrap()
    });
    assert_eq!(outcome, Err(Error::NoDevice));
    assert_eq!(line.closed.load(Ordering::SeqCst), 1);
}

#[test]
fn the_device_is_released_at_once_or_after_the_call_in_progress() {
    let (tree, line) = tree_with_line();
    let idle = open(&tree, "/line", READ_WRITE).unwrap();
    let busy = open(&tree, "/line", READ_WRITE).unwrap();
    line.feed(b"x");
    {
        let mut call = pin!(busy.control::<Drain>(&()));
        assert_eq!(poll(call.as_mut(), &Wakes::new().1), Poll::Pending);
        unmount(&tree);
        assert_eq!(
            line.closed.load(Ordering::SeqCst),
            1,
            "the idle one is closed, though its file is not"
        );
        assert_eq!(poll(call.as_mut(), &Wakes::new().1), Poll::Ready(Err(Error::NoDevice)));
    }
    assert_eq!(line.closed.load(Ordering::SeqCst), 2);
    assert_eq!(Arc::strong_count(&line), 1, "node, mount and descriptions have let go");
    drop((idle, busy));
    assert_eq!(line.closed.load(Ordering::SeqCst), 2);
}

#[test]
fn an_abandoned_call_releases_the_device_too() {
    let (tree, line) = tree_with_line();
    let file = open(&tree, "/line", READ_WRITE).unwrap();
    {
        let mut buffer = [0];
        let mut read = pin!(file.read(&mut buffer));
        assert_eq!(poll(read.as_mut(), &Wakes::new().1), Poll::Pending);
        unmount(&tree);
        assert_eq!(line.closed.load(Ordering::SeqCst), 0);
    }
    assert_eq!((line.closed.load(Ordering::SeqCst), Arc::strong_count(&line)), (1, 1));
}

#[test]
fn the_name_is_free_for_another_device() {
    let (tree, _line) = tree_with_line();
    let old = open(&tree, "/line", READ_WRITE).unwrap();
    unmount(&tree);
    let replacement = Arc::new(Line::default());
    let device = Arc::new(LineDevice(Arc::clone(&replacement)));
    tree.mount(&root(), &path("/line"), device, octal(0o666)).unwrap();
    replacement.feed(b"new");
    assert_eq!(open(&tree, "/line", READ_WRITE).unwrap().try_read(&mut [0; 4]), Ok(3));
    assert_eq!(old.try_read(&mut [0; 4]), Err(Error::NoDevice));
}

#[test]
fn dropping_the_tree_leaves_open_files_alone() {
    let (tree, line) = tree_with_line();
    let file = open(&tree, "/line", READ_WRITE).unwrap();
    drop(tree);
    line.feed(b"x");
    assert_eq!(file.try_read(&mut [0]), Ok(1));
    drop(file);
    assert_eq!((line.closed.load(Ordering::SeqCst), Arc::strong_count(&line)), (1, 1));
}

/// Unmounts itself while it is opened: no lock may be held then, and the new description must not
/// survive.
struct UnmountsOnOpen {
    tree: VirtualFileSystem,
    line: Arc<Line>,
}

impl CharacterDevice for UnmountsOnOpen {
    fn open(&self, request: &OpenRequest<'_>) -> Result<Arc<dyn OpenDevice>> {
        let opened = LineDevice(Arc::clone(&self.line)).open(request);
        self.tree.unmount(&root(), request.path).unwrap();
        opened
    }
}

#[test]
fn a_device_unmounted_while_it_opens_does_not_stay_open() {
    let tree = VirtualFileSystem::new();
    let line = Arc::new(Line::default());
    let hasty = UnmountsOnOpen { tree: tree.clone(), line: Arc::clone(&line) };
    tree.mount(&root(), &path("/hasty"), Arc::new(hasty), octal(0o666)).unwrap();
    assert_eq!(open(&tree, "/hasty", READ_WRITE).map(drop), Err(Error::NoDevice));
    assert_eq!((line.revoked.load(Ordering::SeqCst), line.closed.load(Ordering::SeqCst)), (1, 1));
    assert_eq!(Arc::strong_count(&line), 1);
}

/// Unmounts itself during a call, after the file has checked that it is mounted.
struct UnmountsOnCall(VirtualFileSystem);

impl UnmountsOnCall {
    fn fade<T>(&self) -> Poll<T> {
        // Of several calls in progress, one is the first.
        let _ = self.0.unmount(&root(), &path("/fading"));
        Poll::Pending
    }
}

impl CharacterDevice for UnmountsOnCall {
    fn open(&self, _request: &OpenRequest<'_>) -> Result<Arc<dyn OpenDevice>> {
        Ok(Arc::new(Self(self.0.clone())))
    }
}

impl OpenDevice for UnmountsOnCall {
    fn read<'a>(&'a self, _buffer: &'a mut [u8]) -> Operation<'a, usize> {
        Operation::waiting(poll_fn(|_| self.fade()))
    }

    fn write<'a>(&'a self, _data: &'a [u8]) -> Operation<'a, usize> {
        Operation::waiting(poll_fn(|_| self.fade()))
    }

    fn poll_ready(&self, _context: &mut Context<'_>, _interest: Readiness) -> Poll<Readiness> {
        self.fade()
    }
}

#[test]
fn an_unmount_between_looking_and_waiting_is_not_missed() {
    let fading = || {
        let tree = VirtualFileSystem::new();
        tree.mount(&root(), &path("/fading"), Arc::new(UnmountsOnCall(tree.clone())), octal(0o666))
            .unwrap();
        open(&tree, "/fading", READ_WRITE).unwrap()
    };
    // Nobody would wake them: they must fail at once.
    assert_eq!(poll_once(fading().read(&mut [0])), Poll::Ready(Err(Error::NoDevice)));
    assert_eq!(poll_once(fading().write(&[0])), Poll::Ready(Err(Error::NoDevice)));
    assert_eq!(poll_once(fading().ready(Readiness::READABLE)), Poll::Ready(Err(Error::NoDevice)));
    let mut context = Context::from_waker(Waker::noop());
    assert_eq!(
        fading().poll_ready(&mut context, Readiness::READABLE),
        Poll::Ready(Err(Error::NoDevice))
    );
}

#[test]
fn futures_that_are_gone_leave_no_waker_behind() {
    let (tree, _line) = tree_with_line();
    let file = open(&tree, "/line", READ_WRITE).unwrap();
    let (wakes, waker) = Wakes::new();
    let mut buffer = [0];
    for _ in 0..100 {
        // Every future has its own waker, as in a `FuturesUnordered`.
        let (_, other) = Wakes::new();
        let mut read = pin!(file.read(&mut buffer));
        assert_eq!(poll(read.as_mut(), &other), Poll::Pending);
        // The waker changes, as for a future that moves between tasks.
        assert_eq!(poll(read.as_mut(), &waker), Poll::Pending);
        assert_eq!(poll_once(file.ready(Readiness::READABLE)), Poll::Pending);
    }
    unmount(&tree);
    // The device's own list woke nobody, and no slot was in use any more.
    assert_eq!(wakes.count(), 0);
}
