//! Readiness, waker lists, operations and locks.

use std::future::{pending, ready};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use devnet_virtual_file_system::{Error, Lock, Operation, Readiness, VirtualFileSystem, WakerList};
use futures_lite::future::block_on;

use crate::support::{READ_WRITE, Wakes, create, open, poll, tree_with_line};

#[test]
fn a_regular_file_is_always_ready() {
    let file = create(&VirtualFileSystem::new(), "/file");
    assert_eq!(file.readiness_now(), Readiness::READABLE | Readiness::WRITABLE);
    assert_eq!(block_on(file.ready(Readiness::READABLE)), Ok(Readiness::READABLE));
}

#[test]
fn a_device_wakes_who_waits_for_readiness() {
    let (tree, line) = tree_with_line();
    let file = open(&tree, "/line", READ_WRITE).unwrap();
    assert_eq!(file.readiness_now(), Readiness::WRITABLE);
    assert_eq!(block_on(file.ready(Readiness::all())), Ok(Readiness::WRITABLE));
    let (wakes, waker) = Wakes::new();
    let (bare_wakes, bare_waker) = Wakes::new();
    let mut waiting = pin!(file.ready(Readiness::READABLE));
    assert_eq!(poll(waiting.as_mut(), &waker), Poll::Pending);
    let mut context = Context::from_waker(&bare_waker);
    assert_eq!(file.poll_ready(&mut context, Readiness::READABLE), Poll::Pending);
    line.feed(b"x");
    assert_eq!((wakes.count(), bare_wakes.count()), (1, 1));
    assert_eq!(poll(waiting, &waker), Poll::Ready(Ok(Readiness::READABLE)));
    assert_eq!(
        file.poll_ready(&mut context, Readiness::READABLE),
        Poll::Ready(Ok(Readiness::READABLE))
    );
    assert_eq!(Arc::strong_count(&bare_wakes), 2, "who is ready waits no longer");
}

#[test]
fn a_hang_up_is_of_interest_to_everybody() {
    let (tree, line) = tree_with_line();
    let file = open(&tree, "/line", READ_WRITE).unwrap();
    let (wakes, waker) = Wakes::new();
    let mut context = Context::from_waker(&waker);
    let mut waiting = pin!(file.ready(Readiness::READABLE));
    assert_eq!(poll(waiting.as_mut(), &waker), Poll::Pending);
    // This device returns exactly the requested readiness, so the file must request it.
    line.hang_up();
    assert_eq!(wakes.count(), 1);
    assert_eq!(poll(waiting, &waker), Poll::Ready(Ok(Readiness::HANG_UP)));
    assert_eq!(
        file.poll_ready(&mut context, Readiness::empty()),
        Poll::Ready(Ok(Readiness::HANG_UP))
    );
}

#[test]
fn a_waker_list_holds_each_task_once() {
    let (one, one_waker) = Wakes::new();
    let (two, two_waker) = Wakes::new();
    let mut list = WakerList::new();
    for waker in [&one_waker, &two_waker, &one_waker.clone()] {
        list.register(waker);
    }
    assert_eq!(list.len(), 2);
    list.take().into_iter().for_each(Waker::wake);
    assert!(list.is_empty());
    assert_eq!((one.count(), two.count()), (1, 1));
    // After an event all tasks register again.
    list.register(&one_waker);
    list.register(&two_waker);
    assert!(list.remove(&one_waker).is_some());
    assert!(list.remove(&one_waker).is_none());
    list.wake_all();
    assert_eq!((one.count(), two.count(), list.len()), (1, 2, 0));
}

#[test]
fn an_operation_answers_once() {
    let (_wakes, waker) = Wakes::new();
    let mut done = Operation::done(Ok(1));
    let mut waiting = Operation::waiting(ready(Ok(2)));
    assert_eq!(poll(pin!(&mut done), &waker), Poll::Ready(Ok(1)));
    assert_eq!(poll(pin!(&mut waiting), &waker), Poll::Ready(Ok(2)));
    for operation in [done, waiting] {
        assert_eq!(block_on(operation), Err(Error::BadFileDescriptor));
    }
}

#[test]
fn an_operation_can_be_asked_now() {
    assert_eq!(Operation::done(Ok(1)).now(), Ok(1));
    assert_eq!(Operation::from(Err::<u8, _>(Error::InputOutput)).now(), Err(Error::InputOutput));
    assert_eq!(Operation::waiting(ready(Ok(2))).now(), Ok(2));
    assert_eq!(Operation::<u8>::waiting(pending()).now(), Err(Error::WouldBlock));
}

#[test]
fn a_lock_survives_a_panic_of_its_holder() {
    let lock = Lock::new(1);
    let panicked = catch_unwind(AssertUnwindSafe(|| {
        lock.with(|value| {
            *value = 2;
            panic!("on purpose");
        })
    }));
    assert!(panicked.is_err());
    assert_eq!(lock.with(|value| *value), 2);
}

#[test]
fn a_lock_lets_one_at_a_time_in() {
    let lock = Lock::new(0_u64);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| (0..10_000).for_each(|_| lock.with(|value| *value += 1)));
        }
    });
    assert_eq!(lock.with(|value| *value), 40_000);
}
