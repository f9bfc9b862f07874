//! Whose turn it is on a thread of the host: the work that the thread was started for, tasks, and
//! those who wait until nobody else has anything to do.
//!
//! The work is looked at whenever it was woken, between any two tasks, so that many busy tasks do
//! not hold it up. Whoever computes for long, as a guest program may, asks for an idle turn in
//! between: it gets one when the thread would otherwise sleep, or once in a thousand turns of the
//! others if it never would.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};

use async_executor::Executor;
use network::platform::BoxFuture;
use virtual_file_system::Lock;

/// Turns after which the thread looks at files and timers, however much there is to do.
const TURNS: u32 = 256;
/// Turns of others after which somebody gets an idle turn although nobody is idle.
const PATIENCE: u32 = 1_000;

/// Those who wait for an idle turn; clones are the same queue.
#[derive(Clone, Default)]
pub(super) struct Idlers(Arc<Lock<VecDeque<Arc<Idler>>>>);

impl std::fmt::Debug for Idlers {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Idlers").finish_non_exhaustive()
    }
}

#[derive(Default)]
struct Idler {
    has_turn: AtomicBool,
    waker: Lock<Option<Waker>>,
}

impl Idlers {
    /// Ends when there is nothing else to do.
    pub(super) fn turn(&self) -> BoxFuture<'static, ()> {
        let idlers = self.clone();
        let mut entry: Option<Arc<Idler>> = None;
        Box::pin(poll_fn(move |context| {
            let idler = entry.get_or_insert_with(|| {
                let idler = Arc::new(Idler::default());
                idlers.0.with(|waiting| waiting.push_back(Arc::clone(&idler)));
                idler
            });
            let former = idler.waker.with(|waker| waker.replace(context.waker().clone()));
            drop(former);
            if idler.has_turn.load(Ordering::Acquire) { Poll::Ready(()) } else { Poll::Pending }
        }))
    }

    /// Gives the next one its turn; false if nobody waits. Who stopped waiting is passed over.
    fn give(&self) -> bool {
        while let Some(idler) = self.0.with(VecDeque::pop_front) {
            // The queue's own is the last one if the future was dropped.
            if Arc::strong_count(&idler) == 1 {
                continue;
            }
            idler.has_turn.store(true, Ordering::Release);
            if let Some(waker) = idler.waker.with(Option::take) {
                waker.wake();
            }
            return true;
        }
        false
    }
}

/// Tells whether the work was woken, and wakes the thread.
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

/// Runs `work` to its end on this thread, and all tasks meanwhile.
pub(super) fn run<T>(executor: &Executor<'_>, idlers: &Idlers, work: impl Future<Output = T>) -> T {
    let mut work = pin!(work);
    let mut own: Option<(Arc<Flag>, Waker)> = None;
    let mut next: Option<Pin<Box<dyn Future<Output = ()> + '_>>> = None;
    let mut others = 0_u32;
    async_io::block_on(poll_fn(move |context| {
        // It may have been told of a task; dropped, it tells nobody else's.
        drop(next.take());
        let (flag, waker) = own.get_or_insert_with(|| {
            let flag =
                Arc::new(Flag { is_set: AtomicBool::new(true), thread: context.waker().clone() });
            (Arc::clone(&flag), Waker::from(flag))
        });
        for _ in 0..TURNS {
            if others >= PATIENCE {
                others = 0;
                idlers.give();
            }
            others += 1;
            let is_woken = flag.is_set.swap(false, Ordering::AcqRel);
            if is_woken
                && let Poll::Ready(value) = work.as_mut().poll(&mut Context::from_waker(waker))
            {
                return Poll::Ready(value);
            }
            // One task for each look at the work: neither can keep the other from its turns.
            if executor.try_tick() || is_woken {
                continue;
            }
            others = 0;
            if idlers.give() {
                // Files and timers come first.
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
        let (executor, idlers) = (Executor::new(), Idlers::default());
        let done = Arc::new(AtomicBool::new(false));
        let (shared, turn) = (Arc::clone(&done), idlers.turn());
        executor
            .spawn(async move {
                turn.await;
                shared.store(true, Ordering::Release);
            })
            .detach();
        run(&executor, &idlers, async {
            while !done.load(Ordering::Acquire) {
                future::yield_now().await;
            }
        });
    }

    #[test]
    fn an_idle_turn_comes_when_nobody_has_anything_to_do_and_not_before() {
        let (executor, idlers) = (Executor::new(), Idlers::default());
        let busy = Arc::new(AtomicBool::new(true));
        let shared = Arc::clone(&busy);
        executor
            .spawn(async move {
                for _ in 0..PATIENCE / 4 {
                    future::yield_now().await;
                }
                shared.store(false, Ordering::Release);
            })
            .detach();
        // One that stopped waiting is passed over.
        drop(idlers.turn());
        run(&executor, &idlers, idlers.turn());
        assert!(!busy.load(Ordering::Acquire), "a task was still busy");
    }
}
