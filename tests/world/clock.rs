//! Virtual time: it moves only when nobody has anything left to do.

use std::collections::BTreeMap;
use std::future::poll_fn;
use std::sync::{Arc, Mutex};
use std::task::{Poll, Waker};
use std::time::Duration;

use devnet_network::platform::{BoxFuture, Clock, Instant};

#[derive(Debug, Default)]
struct State {
    now: Instant,
    /// Nanoseconds that passed beyond `now`.
    beyond: u64,
    next: u64,
    sleepers: BTreeMap<(Instant, u64), Waker>,
}

/// A clock that a [`World`](crate::World) moves forward.
#[derive(Debug, Clone, Default)]
pub struct VirtualClock(Arc<Mutex<State>>);

impl VirtualClock {
    /// Moves to the earliest deadline and wakes who waits for it; false when nobody waits.
    pub fn advance(&self) -> bool {
        let mut state = self.0.lock().unwrap();
        let Some(((deadline, _), waker)) = state.sleepers.pop_first() else { return false };
        state.now = state.now.max(deadline);
        drop(state);
        waker.wake();
        true
    }

    /// Moves to a moment that is not before the present, without waking anybody: for what runs in
    /// real time.
    pub fn set(&self, now: Instant) {
        let mut state = self.0.lock().unwrap();
        state.now = state.now.max(now);
    }

    /// Moves by the time that somebody worked, and wakes those whose deadlines came meanwhile.
    pub fn pass(&self, worked: Duration) {
        let mut state = self.0.lock().unwrap();
        let nanoseconds =
            state.beyond.saturating_add(u64::try_from(worked.as_nanos()).unwrap_or(u64::MAX));
        state.beyond = nanoseconds % 1000;
        let now = state.now.after(Duration::from_micros(nanoseconds / 1000));
        state.now = now;
        let mut due = Vec::new();
        while let Some(first) = state.sleepers.first_entry()
            && first.key().0 <= now
        {
            due.push(first.remove());
        }
        drop(state);
        due.into_iter().for_each(Waker::wake);
    }

    /// How many sleeps are under way.
    #[must_use]
    pub fn sleepers(&self) -> usize {
        self.0.lock().unwrap().sleepers.len()
    }
}

/// Takes a dropped sleep's entry out again.
struct Entry(Arc<Mutex<State>>, (Instant, u64));

impl Drop for Entry {
    fn drop(&mut self) {
        self.0.lock().unwrap().sleepers.remove(&self.1);
    }
}

impl Clock for VirtualClock {
    fn now(&self) -> Instant {
        self.0.lock().unwrap().now
    }

    fn sleep_until(&self, deadline: Instant) -> BoxFuture<'static, ()> {
        let shared = Arc::clone(&self.0);
        let key = {
            let mut state = shared.lock().unwrap();
            state.next += 1;
            (deadline, state.next)
        };
        let entry = Entry(Arc::clone(&shared), key);
        Box::pin(poll_fn(move |context| {
            let mut state = entry.0.lock().unwrap();
            if state.now >= deadline {
                return Poll::Ready(());
            }
            state.sleepers.insert(key, context.waker().clone());
            Poll::Pending
        }))
    }
}
