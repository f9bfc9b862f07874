//! The futures of a core: each poll of the core polls the woken ones.

use alloc::collections::VecDeque;
use alloc::sync::{Arc, Weak};
use alloc::task::Wake;
use core::sync::atomic::{AtomicBool, Ordering};
use core::task::{Context, Waker};

use devnet_virtual_file_system::Lock;

use crate::platform::{BoxFuture, Spawner};

/// The part of the core that tasks and interfaces share: the run queue, and the waker for work
/// between polls.
#[derive(Default)]
pub(super) struct RunQueue {
    woken: Lock<VecDeque<Arc<Task>>>,
    doorbell: Lock<Option<Waker>>,
    is_polling: AtomicBool,
    /// Somebody rang since the owner last waited.
    has_rung: AtomicBool,
}

/// Rings the doorbell, whatever waker it is at the time.
impl Wake for RunQueue {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.has_rung.store(true, Ordering::Release);
        if let Some(doorbell) = self.doorbell.with(|doorbell| doorbell.clone()) {
            doorbell.wake();
        }
    }
}

impl RunQueue {
    /// The waker that interrupts the owner's sleep; none while the owner polls, since it will see
    /// the work.
    pub(super) fn doorbell(&self) -> Option<Waker> {
        if self.is_polling.load(Ordering::Acquire) {
            None
        } else {
            self.doorbell.with(|doorbell| doorbell.clone())
        }
    }
}

/// One future. It lives as long as a waker or the run queue refers to it.
struct Task {
    /// Taken while it is polled, and when it has ended.
    future: Lock<Option<BoxFuture<'static, ()>>>,
    is_queued: AtomicBool,
    run_queue: Weak<RunQueue>,
}

impl Wake for Task {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        if !self.is_queued.swap(true, Ordering::AcqRel)
            && let Some(run_queue) = self.run_queue.upgrade()
        {
            run_queue.woken.with(|woken| woken.push_back(Arc::clone(self)));
            if let Some(doorbell) = run_queue.doorbell() {
                doorbell.wake();
            }
        }
    }
}

/// The futures of one core.
#[derive(Default)]
pub(super) struct Tasks {
    run_queue: Arc<RunQueue>,
    /// Every task that has not ended, so that it ends with the core.
    all: Lock<alloc::vec::Vec<Arc<Task>>>,
}

impl Tasks {
    pub(super) fn add(&self, future: BoxFuture<'static, ()>) {
        let run_queue = Arc::downgrade(&self.run_queue);
        let task = Arc::new(Task {
            future: Lock::new(Some(future)),
            is_queued: AtomicBool::new(false),
            run_queue,
        });
        self.all.with(|all| all.push(Arc::clone(&task)));
        task.wake();
    }

    pub(super) fn has_work(&self) -> bool {
        self.run_queue.woken.with(|woken| !woken.is_empty())
    }

    /// Polls at most `most` woken futures; true when some are left.
    pub(super) fn run(&self, most: usize) -> bool {
        for _ in 0..most {
            let Some(task) = self.run_queue.woken.with(VecDeque::pop_front) else { break };
            task.is_queued.store(false, Ordering::Release);
            // Taken out, so that no lock is held while it is polled; a concurrent wake queues it
            // again.
            let Some(mut future) = task.future.with(Option::take) else { continue };
            let waker = Waker::from(Arc::clone(&task));
            if future.as_mut().poll(&mut Context::from_waker(&waker)).is_pending() {
                task.future.with(|place| *place = Some(future));
            } else {
                self.all.with(|all| all.retain(|known| !Arc::ptr_eq(known, &task)));
            }
        }
        self.has_work()
    }

    /// The owner polls, and checks for work before it sleeps.
    pub(super) fn set_polling(&self, is_polling: bool) {
        self.run_queue.is_polling.store(is_polling, Ordering::Release);
    }

    /// Drops every future. Tasks own wakers of themselves; dropping the futures breaks the cycles.
    pub(super) fn clear(&self) {
        let all = self.all.with(core::mem::take);
        for task in all {
            drop(task.future.with(Option::take));
        }
        drop(self.run_queue.woken.with(core::mem::take));
    }

    pub(super) fn run_queue(&self) -> Arc<RunQueue> {
        Arc::clone(&self.run_queue)
    }

    /// Whether somebody rang since the last time that this was asked.
    pub(super) fn take_rung(&self) -> bool {
        self.run_queue.has_rung.swap(false, Ordering::AcqRel)
    }

    pub(super) fn set_doorbell(&self, doorbell: Waker) {
        // Ringing itself would never end.
        if doorbell.will_wake(&Waker::from(self.run_queue())) {
            return;
        }
        let replaced = self.run_queue.doorbell.with(|place| place.replace(doorbell));
        drop(replaced);
    }
}

impl Spawner for Tasks {
    fn spawn(&self, task: BoxFuture<'static, ()>) -> Result<(), &'static str> {
        self.add(task);
        Ok(())
    }
}

impl Drop for Tasks {
    fn drop(&mut self) {
        self.clear();
    }
}
