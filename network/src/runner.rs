//! The only loop: one task per interface that sleeps until a deadline, a frame, or a request.
//!
//! It never ticks. An idle interface has no timer and causes no wake-up.

use alloc::sync::Arc;
use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll, Waker};
use core::time::Duration;

use crate::interface::{Interface, PollOutcome};
use crate::platform::{BoxFuture, Clock, Instant};

/// Consecutive polls before other tasks run.
const POLLS: usize = 8;
/// A sleep that ends within this time is polled again, because its clock may be early by that much.
const EARLY: Duration = Duration::from_millis(2);

/// The task of one interface; ends when the interface is unregistered.
pub(crate) struct Runner {
    interface: Arc<Interface>,
    clock: Arc<dyn Clock>,
    sleep: Option<Sleep>,
}

/// A pending sleep.
struct Sleep {
    deadline: Instant,
    timer: BoxFuture<'static, ()>,
    /// The waker that the timer has; polling it again with the same one is useless.
    waker: Option<Waker>,
}

impl Runner {
    pub(crate) fn new(interface: Arc<Interface>, clock: Arc<dyn Clock>) -> Self {
        Self { interface, clock, sleep: None }
    }

    /// Waits for the deadline; true when it came.
    fn poll_sleep(
        &mut self,
        deadline: Option<Instant>,
        now: Instant,
        context: &mut Context<'_>,
    ) -> bool {
        let Some(deadline) = deadline else {
            self.sleep = None;
            return false;
        };
        // A sleep with an earlier deadline serves as well.
        let sleep = match &mut self.sleep {
            Some(sleep) if sleep.deadline <= deadline => sleep,
            sleep => {
                let timer = self.clock.sleep_until(deadline);
                sleep.insert(Sleep { deadline, timer, waker: None })
            }
        };
        let is_known = sleep.waker.as_ref().is_some_and(|known| known.will_wake(context.waker()));
        if is_known && now.after(EARLY) < sleep.deadline {
            return false;
        }
        let is_over = sleep.timer.as_mut().poll(context).is_ready();
        if is_over {
            self.sleep = None;
        } else if !is_known {
            sleep.waker = Some(context.waker().clone());
        }
        is_over
    }
}

impl Future for Runner {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        for _ in 0..POLLS {
            let asleep_until = self.sleep.as_ref().map(|sleep| sleep.deadline);
            match self.interface.poll(context.waker(), asleep_until) {
                PollOutcome::Gone => return Poll::Ready(()),
                PollOutcome::Again => {}
                PollOutcome::Sleep(deadline, now) => {
                    if !self.poll_sleep(deadline, now, context) {
                        return Poll::Pending;
                    }
                }
            }
        }
        context.waker().wake_by_ref();
        Poll::Pending
    }
}
