//! The one wait of a core: for drivers, the deadline, and work that others cause.

use core::fmt;
use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll};

use super::{Core, Port};
use crate::driver::Driver;
use crate::platform::{BoxFuture, Clock, Instant};

/// Waits until a poll is worth it; [`Core::wait`] makes it.
pub struct Wait<'a> {
    core: &'a Core,
    clock: &'a dyn Clock,
    ports: &'a mut [(&'a mut Port, &'a mut dyn Driver)],
    sleep: Option<(Instant, BoxFuture<'static, ()>)>,
}

impl<'a> Wait<'a> {
    pub(super) const fn new(
        core: &'a Core,
        clock: &'a dyn Clock,
        ports: &'a mut [(&'a mut Port, &'a mut dyn Driver)],
    ) -> Self {
        Self { core, clock, ports, sleep: None }
    }

    /// True when the next deadline is there.
    fn poll_deadline(&mut self, context: &mut Context<'_>) -> bool {
        let Some(deadline) = self.core.next_deadline() else {
            self.sleep = None;
            return false;
        };
        if deadline <= self.clock.now() {
            return true;
        }
        let sleep = match &mut self.sleep {
            Some((until, sleep)) if *until == deadline => sleep,
            place => &mut place.insert((deadline, self.clock.sleep_until(deadline))).1,
        };
        sleep.as_mut().poll(context).is_ready()
    }
}

impl Future for Wait<'_> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let this = &mut *self;
        // Registered before it looks, so that nothing that happens from here on is missed.
        this.core.tasks.set_doorbell(context.waker().clone());
        let mut is_ready = false;
        for (port, driver) in this.ports.iter_mut() {
            is_ready |= port.mailbox.register(&mut **driver, context.waker());
        }
        is_ready |= this.core.tasks.take_rung();
        is_ready |= this.poll_deadline(context);
        if is_ready { Poll::Ready(()) } else { Poll::Pending }
    }
}

impl fmt::Debug for Wait<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Wait")
    }
}
