//! One thread that runs tasks and timers: between two turns it fires what is due, and with nothing to do it sleeps until the next timer.
//!
//! The executor is `async-executor`, as in the `devnet` program; there the reactor of `async-io` waits, which asks the kernel for descriptors in
//! each turn. Nothing here has a descriptor.

use std::collections::BTreeMap;
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Wake, Waker};
use std::thread;
use std::time::{Duration, Instant};

use super::monotonic;

/// Turns between two looks at the timers while there is always something to do.
const TURNS: u32 = 64;

#[derive(Default)]
struct Timers {
    waiting: Mutex<BTreeMap<(Instant, u64), Waker>>,
    last: AtomicU64,
}

/// Wakes tasks at their time; clones are the same alarm clock.
#[derive(Clone, Default)]
pub(crate) struct Alarm(Arc<Timers>);

impl Alarm {
    /// Ends at `deadline` or later.
    pub(crate) fn at(&self, deadline: Instant) -> Sleep {
        Sleep { alarm: self.clone(), deadline, entry: None }
    }

    /// Wakes once at `deadline` or later; a task that is to be woken earlier already is not woken twice.
    #[allow(dead_code, reason = "for stacks whose timers are wakers")]
    pub(crate) fn wake_at(&self, deadline: Instant, waker: &Waker) {
        let mut waiting = self.0.waiting.lock().unwrap();
        let known = waiting.iter().find(|(_, known)| known.will_wake(waker)).map(|(entry, _)| *entry);
        match known {
            Some((earlier, _)) if earlier <= deadline => return,
            Some(later) => drop(waiting.remove(&later)),
            None => {}
        }
        waiting.insert((deadline, self.0.last.fetch_add(1, Ordering::Relaxed)), waker.clone());
    }

    fn set(&self, entry: (Instant, u64), waker: &Waker) {
        self.0.waiting.lock().unwrap().insert(entry, waker.clone());
    }

    /// Wakes what is due.
    fn fire(&self) -> bool {
        let mut is_any = false;
        loop {
            let mut waiting = self.0.waiting.lock().unwrap();
            match waiting.first_entry() {
                Some(entry) if entry.key().0 <= monotonic() => {
                    let waker = entry.remove();
                    drop(waiting);
                    waker.wake();
                    is_any = true;
                }
                _ => return is_any,
            }
        }
    }

    /// Sleeps until something is due.
    fn wait(&self) {
        let next = self.0.waiting.lock().unwrap().keys().next().map(|(deadline, _)| *deadline);
        let deadline = next.expect("tasks that wait for each other for ever");
        thread::park_timeout(deadline.saturating_duration_since(monotonic()).max(Duration::from_micros(50)));
    }
}

/// A wait for a moment; dropping it cancels the wait.
pub(crate) struct Sleep {
    alarm: Alarm,
    deadline: Instant,
    entry: Option<(Instant, u64)>,
}

impl Sleep {
    fn cancel(&mut self) {
        if let Some(entry) = self.entry.take() {
            self.alarm.0.waiting.lock().unwrap().remove(&entry);
        }
    }
}

impl Future for Sleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        if self.deadline <= monotonic() {
            self.cancel();
            return Poll::Ready(());
        }
        let fresh = (self.deadline, self.alarm.0.last.fetch_add(1, Ordering::Relaxed));
        let entry = *self.entry.get_or_insert(fresh);
        self.alarm.set(entry, context.waker());
        Poll::Pending
    }
}

impl Drop for Sleep {
    fn drop(&mut self) {
        self.cancel();
    }
}

struct Flag(AtomicBool);

impl Wake for Flag {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.0.store(true, Ordering::Release);
    }
}

/// Runs `work` to its end on this thread, and the alarm's timers meanwhile.
pub(crate) fn run<T>(alarm: &Alarm, work: impl Future<Output = T>) -> T {
    let flag = Arc::new(Flag(AtomicBool::new(false)));
    let waker = Waker::from(Arc::clone(&flag));
    let mut context = Context::from_waker(&waker);
    let mut work = pin!(work);
    let mut turn = 0_u32;
    loop {
        if let Poll::Ready(value) = work.as_mut().poll(&mut context) {
            return value;
        }
        turn = turn.wrapping_add(1);
        if turn.is_multiple_of(TURNS) {
            alarm.fire();
        }
        while !flag.0.swap(false, Ordering::Acquire) {
            if !alarm.fire() {
                alarm.wait();
            }
        }
    }
}
