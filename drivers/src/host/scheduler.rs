//! The scheduling of a host thread: its main future, the executor's tasks, and idle futures, which
//! wait until the thread has nothing else to do.
//!
//! The main future is polled after it was woken, between any two tasks, so that busy tasks do not
//! delay it. A long computation, such as a guest program, awaits an idle future between its parts.
//! That future ends when the thread would otherwise sleep, or after a thousand turns of others.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};

use async_executor::Executor;
use devnet_network::platform::BoxFuture;
use devnet_virtual_file_system::Lock;

/// Turns after which the thread polls the reactor, even if tasks are ready.
const TURNS: u32 = 256;
/// Turns of others after which an idle future ends although the thread is busy.
const IDLE_INTERVAL: u32 = 1_000;

/// The queue of idle futures; clones share it.
#[derive(Clone, Default)]
pub(super) struct IdleQueue(Arc<Lock<VecDeque<Arc<IdleWaiter>>>>);

impl std::fmt::Debug for IdleQueue {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("IdleQueue").finish_non_exhaustive()
    }
}

#[derive(Default)]
struct IdleWaiter {
    has_turn: AtomicBool,
    waker: Lock<Option<Waker>>,
}

impl IdleQueue {
    /// Returns a future that ends when the thread has nothing else to do.
    pub(super) fn turn(&self) -> BoxFuture<'static, ()> {
        let idle_queue = self.clone();
        let mut entry: Option<Arc<IdleWaiter>> = None;
        Box::pin(poll_fn(move |context| {
            let waiter = entry.get_or_insert_with(|| {
                let waiter = Arc::new(IdleWaiter::default());
                idle_queue.0.with(|waiting| waiting.push_back(Arc::clone(&waiter)));
                waiter
            });
            let former = waiter.waker.with(|waker| waker.replace(context.waker().clone()));
            drop(former);
            if waiter.has_turn.load(Ordering::Acquire) { Poll::Ready(()) } else { Poll::Pending }
        }))
    }

    /// Completes the next idle future; false if the queue is empty. Dropped futures are skipped.
    fn complete_next(&self) -> bool {
        while let Some(waiter) = self.0.with(VecDeque::pop_front) {
            // If the future was dropped, the queue has the last reference.
            if Arc::strong_count(&waiter) == 1 {
                continue;
            }
            waiter.has_turn.store(true, Ordering::Release);
            if let Some(waker) = waiter.waker.with(Option::take) {
                waker.wake();
            }
            return true;
        }
        false
    }
}

/// Records that the main future was woken, and wakes the thread.
struct Flag {
    is_set: AtomicBool,
    thread: Waker,
}

impl Wake for Flag {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.is_set.store(true, Ordering::Release);
        self.thread.wake_by_ref();
    }
}

/// Runs the main future to its end on this thread, with all tasks in between.
pub(super) fn run<T>(
    executor: &Executor<'_>,
    idle_queue: &IdleQueue,
    work: impl Future<Output = T>,
) -> T {
    let mut work = pin!(work);
    let mut own: Option<(Arc<Flag>, Waker)> = None;
    let mut next: Option<Pin<Box<dyn Future<Output = ()> + '_>>> = None;
    let mut others = 0_u32;
    async_io::block_on(poll_fn(move |context| {
        // The tick may have been notified of a task. Dropping it passes the notification on.
        drop(next.take());
        let (flag, waker) = own.get_or_insert_with(|| {
            let flag =
                Arc::new(Flag { is_set: AtomicBool::new(true), thread: context.waker().clone() });
            (Arc::clone(&flag), Waker::from(flag))
        });
        for _ in 0..TURNS {
            if others >= IDLE_INTERVAL {
                others = 0;
                idle_queue.complete_next();
            }
            others += 1;
            let is_woken = flag.is_set.swap(false, Ordering::AcqRel);
            if is_woken
                && let Poll::Ready(value) = work.as_mut().poll(&mut Context::from_waker(waker))
            {
                return Poll::Ready(value);
            }
            // One task for each poll of the main future, so that neither starves the other.
            if executor.try_tick() || is_woken {
                continue;
            }
            others = 0;
            if idle_queue.complete_next() {
                // Poll the reactor first.
                break;
            }
            let mut tick: Pin<Box<dyn Future<Output = ()> + '_>> = Box::pin(executor.tick());
            if tick.as_mut().poll(context).is_pending() {
                next = Some(tick);
                return Poll::Pending;
            }
        }
        context.waker().wake_by_ref();
        Poll::Pending
    }))
}

#[cfg(test)]
mod tests {
    use futures_lite::future;

    use super::*;

    #[test]
    fn work_that_never_waits_leaves_turns_to_tasks_and_to_idlers() {
        let (executor, idle_queue) = (Executor::new(), IdleQueue::default());
        let done = Arc::new(AtomicBool::new(false));
        let (shared, turn) = (Arc::clone(&done), idle_queue.turn());
        executor
            .spawn(async move {
                turn.await;
                shared.store(true, Ordering::Release);
            })
            .detach();
        run(&executor, &idle_queue, async {
            while !done.load(Ordering::Acquire) {
                future::yield_now().await;
            }
        });
    }

    #[test]
    fn an_idle_turn_comes_when_nobody_has_anything_to_do_and_not_before() {
        let (executor, idle_queue) = (Executor::new(), IdleQueue::default());
        let busy = Arc::new(AtomicBool::new(true));
        let shared = Arc::clone(&busy);
        executor
            .spawn(async move {
                for _ in 0..IDLE_INTERVAL / 4 {
                    future::yield_now().await;
                }
                shared.store(false, Ordering::Release);
            })
            .detach();
        // A dropped idle future is skipped.
        drop(idle_queue.turn());
        run(&executor, &idle_queue, idle_queue.turn());
        assert!(!busy.load(Ordering::Acquire), "a task was still busy");
    }
}
