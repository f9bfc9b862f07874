//! Blocks a thread until a poll is ready: for the faces of those who have threads.
//!
//! Nothing else in this crate blocks.

use alloc::sync::Arc;
use core::task::{Context, Poll, Waker};
use core::time::Duration;
use std::sync::{Condvar, Mutex, PoisonError};
use std::task::Wake;

use crate::platform::Clock;

/// The wake signal of one blocked thread.
#[derive(Debug, Default)]
pub(crate) struct Signal {
    is_given: Mutex<bool>,
    given: Condvar,
}

impl Signal {
    fn wait(&self) {
        let mut is_given = self.is_given.lock().unwrap_or_else(PoisonError::into_inner);
        while !*is_given {
            is_given = self.given.wait(is_given).unwrap_or_else(PoisonError::into_inner);
        }
        *is_given = false;
    }
}

impl Wake for Signal {
    fn wake(self: Arc<Self>) {
        *self.is_given.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.given.notify_one();
    }
}

/// Blocks until `poll` is ready; `None` when the timeout expires first.
pub(crate) fn block<T>(
    signal: &Arc<Signal>,
    clock: &dyn Clock,
    timeout: Option<Duration>,
    mut poll: impl FnMut(&mut Context<'_>) -> Poll<T>,
) -> Option<T> {
    let waker = Waker::from(Arc::clone(signal));
    let mut context = Context::from_waker(&waker);
    let mut timer = timeout.map(|timeout| clock.sleep_until(clock.now().after(timeout)));
    loop {
        if let Poll::Ready(outcome) = poll(&mut context) {
            return Some(outcome);
        }
        if timer.as_mut().is_some_and(|timer| timer.as_mut().poll(&mut context).is_ready()) {
            return None;
        }
        signal.wait();
    }
}
