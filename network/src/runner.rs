//! The only loop: one task per interface that sleeps until a deadline, a frame, or a request.
//!
//! It never ticks. With nothing under way it has no timer at all, and an idle interface costs no wake-up.

use alloc::sync::Arc;
use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll};

use crate::interface::{Interface, Turn};
use crate::platform::{BoxFuture, Clock, Instant};

/// Turns in a row before other tasks get their turn.
const TURNS: usize = 8;

/// The task of one interface; ends when the interface is unregistered.
pub(crate) struct Runner {
    interface: Arc<Interface>,
    clock: Arc<dyn Clock>,
    sleep: Option<(Instant, BoxFuture<'static, ()>)>,
}

impl Runner {
    pub(crate) fn new(interface: Arc<Interface>, clock: Arc<dyn Clock>) -> Self {
        Self { interface, clock, sleep: None }
    }

    /// Waits for the deadline; true when it came.
    fn poll_sleep(&mut self, deadline: Option<Instant>, context: &mut Context<'_>) -> bool {
        let Some(deadline) = deadline else {
            self.sleep = None;
            return false;
        };
        // An earlier sleep serves as well.
        let (_, sleep) = match &mut self.sleep {
            Some(sleep) if sleep.0 <= deadline => sleep,
            sleep => sleep.insert((deadline, self.clock.sleep_until(deadline))),
        };
        let is_over = sleep.as_mut().poll(context).is_ready();
        if is_over {
            self.sleep = None;
        }
        is_over
    }
}

impl Future for Runner {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        for _ in 0..TURNS {
            let asleep_until = self.sleep.as_ref().map(|(deadline, _)| *deadline);
            match self.interface.turn(context.waker(), asleep_until) {
                Turn::Gone => return Poll::Ready(()),
                Turn::Again => {}
                Turn::Sleep(deadline) => {
                    if !self.poll_sleep(deadline, context) {
                        return Poll::Pending;
                    }
                }
            }
        }
        context.waker().wake_by_ref();
        Poll::Pending
    }
}
