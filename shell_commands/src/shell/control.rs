//! Job control: stopping a job and letting it go on, and who may read the terminal.
//!
//! A command is a future. A stopped one is not polled: its timers do not fire for it, it reads and
//! writes nothing; but its files stay open, so that the network goes on with its connections as far
//! as their buffers reach, as with a stopped process. A job in the background that reads the
//! terminal is stopped, as by SIGTTIN. Used by `execute`, [`jobs`](super::jobs) and the builtins.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use devnet_virtual_file_system::Lock;
use futures_lite::future;

/// Stops a job, and lets it go on. Clones share it.
#[derive(Clone, Default)]
pub(super) struct JobControl(Arc<Lock<State>>);

#[derive(Default)]
struct State {
    stopped: bool,
    foreground: bool,
    waiting: Vec<Waker>,
}

impl State {
    fn wait(&mut self, context: &Context<'_>) {
        if !self.waiting.iter().any(|waker| waker.will_wake(context.waker())) {
            self.waiting.push(context.waker().clone());
        }
    }
}

impl JobControl {
    /// Of a job that has the terminal.
    pub(super) fn foreground() -> Self {
        let control = Self::default();
        control.0.with(|state| state.foreground = true);
        control
    }

    fn change(&self, stopped: bool, foreground: bool) {
        let waiting = self.0.with(|state| {
            (state.stopped, state.foreground) = (stopped, foreground);
            std::mem::take(&mut state.waiting)
        });
        waiting.into_iter().for_each(Waker::wake);
    }

    /// The job is not polled any more.
    pub(super) fn stop(&self) {
        self.change(true, false);
    }

    /// The job goes on; in the foreground it may read the terminal.
    pub(super) fn resume(&self, foreground: bool) {
        self.change(false, foreground);
    }

    pub(super) fn is_stopped(&self) -> bool {
        self.0.with(|state| state.stopped)
    }

    /// Waits until the job is stopped.
    pub(super) async fn stopped(&self) {
        future::poll_fn(|context| {
            self.0.with(|state| {
                if state.stopped {
                    return Poll::Ready(());
                }
                state.wait(context);
                Poll::Pending
            })
        })
        .await;
    }

    /// Polls the work unless it is stopped.
    pub(super) async fn run<T>(&self, work: impl Future<Output = T>) -> T {
        let mut work = pin!(work);
        future::poll_fn(|context| {
            let is_stopped = self.0.with(|state| {
                if state.stopped {
                    state.wait(context);
                }
                state.stopped
            });
            if is_stopped { Poll::Pending } else { work.as_mut().poll(context) }
        })
        .await
    }

    /// True if the job has the terminal; else it is stopped until it has.
    pub(super) fn may_read(&self, context: &Context<'_>) -> bool {
        let (may, waiting) = self.0.with(|state| {
            if state.foreground {
                return (true, Vec::new());
            }
            state.stopped = true;
            // Who waits for the stop is told; the job itself waits for its turn.
            let waiting = std::mem::take(&mut state.waiting);
            state.wait(context);
            (false, waiting)
        });
        let others = waiting.into_iter().filter(|waker| !waker.will_wake(context.waker()));
        others.for_each(Waker::wake);
        may
    }
}
