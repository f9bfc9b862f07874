//! A clock that advances only when it is told the time.

use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::future::poll_fn;
use core::task::{Poll, Waker};

use devnet_virtual_file_system::Lock;

use crate::platform::{BoxFuture, Clock, Instant};

#[derive(Debug, Default)]
struct State {
    now: Instant,
    last: u64,
    sleepers: BTreeMap<(Instant, u64), Waker>,
}

/// The clock of a [`Core`](super::Core).
#[derive(Debug)]
pub(super) struct CoreClock(Arc<Lock<State>>);

/// A sleep's entry, removed when the sleep is dropped.
struct SleepEntry {
    clock: Arc<Lock<State>>,
    key: (Instant, u64),
}

impl Drop for SleepEntry {
    fn drop(&mut self) {
        let waker = self.clock.with(|state| state.sleepers.remove(&self.key));
        drop(waker);
    }
}

impl CoreClock {
    pub(super) fn new(now: Instant) -> Self {
        Self(Arc::new(Lock::new(State { now, ..State::default() })))
    }

    /// Advances to `now` and wakes expired sleeps.
    pub(super) fn advance(&self, now: Instant) {
        let due: Vec<Waker> = self.0.with(|state| {
            state.now = state.now.max(now);
            let later = state.sleepers.split_off(&(state.now, u64::MAX));
            core::mem::replace(&mut state.sleepers, later).into_values().collect()
        });
        due.into_iter().for_each(Waker::wake);
    }

    /// The present.
    pub(super) fn present(&self) -> Instant {
        self.0.with(|state| state.now)
    }

    /// The earliest deadline.
    pub(super) fn next(&self) -> Option<Instant> {
        self.0.with(|state| state.sleepers.keys().next().map(|(deadline, _)| *deadline))
    }
}

impl Clock for CoreClock {
    fn now(&self) -> Instant {
        self.present()
    }

    fn sleep_until(&self, deadline: Instant) -> BoxFuture<'static, ()> {
        let key = self.0.with(|state| {
            state.last += 1;
            (deadline, state.last)
        });
        let entry = SleepEntry { clock: Arc::clone(&self.0), key };
        Box::pin(poll_fn(move |context| {
            let (is_over, replaced) = entry.clock.with(|state| {
                if state.now >= deadline {
                    return (true, None);
                }
                (false, state.sleepers.insert(entry.key, context.waker().clone()))
            });
            drop(replaced);
            if is_over { Poll::Ready(()) } else { Poll::Pending }
        }))
    }
}
