//! One network interface: its stack and its driver under one lock, and the only access to them.
//!
//! Sockets and commands use [`Interface::read`] and [`Interface::read_now`] to read the stack,
//! [`Interface::change`] to change it without sending, and [`Interface::change_and_transmit`] to
//! change it and transmit: that runs a closure on the stack, hands queued frames to the driver, and
//! wakes tasks after the lock is released. The runner calls [`Interface::poll`].
//!
//! Lock order, from outer to inner: an open file's state → a datagram socket's state, the table of
//! interfaces, the rest of a snapshot → the interface's engine → listener queue, datagram queue,
//! watcher, capture, host addresses. Below the table of interfaces are also the names in use, the
//! file tree, and an interface's name. Nothing awaits, wakes, or calls a controller under the
//! engine's or an inner one.

mod attached;

use alloc::boxed::Box;
use alloc::string::String;
use alloc::sync::Arc;
use core::fmt;
use core::mem::replace;
use core::task::Waker;
use core::time::Duration;

use devnet_virtual_file_system::{CharacterDevice, Lock};

use crate::capture::Taps;
use crate::command::event::Change;
use crate::driver::{Driver, Kind, LinkState, Medium};
use crate::limits;
use crate::platform::{Clock, Instant};
use crate::stack::changes::appearance;
use crate::stack::{Configuration, Stack, Wakes};
use crate::trace::{DropReason, dropped, message};
use crate::watcher::Watchers;

/// A sleep that ends within this time is kept when nothing is due any more: the interface wakes
/// once for nothing. It is as long as TCP's first retransmission timer.
const LEFTOVER: Duration = Duration::from_secs(1);

/// The outcome of a poll.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum PollOutcome {
    /// There is more work to do at once.
    Again,
    /// Sleep until the deadline, if there is one, or until woken. The second value is the present,
    /// so that the clock need not be read again.
    Sleep(Option<Instant>, Instant),
    /// The interface is gone.
    Gone,
}

/// Why receiving frames ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Ingress {
    /// No frame is left.
    Empty,
    /// The batch is complete; there may be more frames.
    More,
    /// The output queue has no room for replies.
    NoRoom,
}

struct Engine {
    stack: Stack,
    driver: Box<dyn Driver>,
    /// The deadline of the runner's sleep; `None` while it sleeps without one.
    sleep_deadline: Option<Instant>,
    runner: Option<Waker>,
    gone: bool,
    watchers: Watchers,
    taps: Taps,
}

/// Wakes to perform once the lock is released.
#[must_use = "whoever waits must be woken"]
pub(crate) struct DeferredWakes {
    wakers: Wakes,
    doorbell: Option<Waker>,
    runner: Option<Waker>,
}

impl DeferredWakes {
    pub(crate) fn wake(self) {
        self.wakers.wake();
        if let Some(doorbell) = self.doorbell {
            doorbell.wake();
        }
        if let Some(runner) = self.runner {
            runner.wake();
        }
    }
}

/// One network interface.
pub(crate) struct Interface {
    name: Lock<String>,
    pub(crate) index: u32,
    pub(crate) controller: Option<Arc<dyn CharacterDevice>>,
    pub(crate) is_loopback: bool,
    has_neighbors: bool,
    clock: Arc<dyn Clock>,
    engine: Lock<Engine>,
}

impl Interface {
    /// An interface with a new stack of this configuration, which is built where it stays: it is
    /// large to be moved.
    pub(crate) fn new(
        configuration: Configuration,
        stack: impl FnOnce(Configuration) -> Stack,
        driver: Box<dyn Driver>,
        controller: Option<Arc<dyn CharacterDevice>>,
        clock: Arc<dyn Clock>,
    ) -> Arc<Self> {
        Arc::new(Self {
            name: Lock::new(configuration.name.clone()),
            index: configuration.index,
            controller,
            is_loopback: configuration.capabilities.kind == Kind::Loopback,
            has_neighbors: configuration.capabilities.medium == Medium::Ethernet,
            clock,
            engine: Lock::new(Engine {
                stack: stack(configuration),
                driver,
                sleep_deadline: None,
                runner: None,
                gone: false,
                watchers: Watchers::default(),
                taps: Taps::default(),
            }),
        })
    }

    /// Its name, as under `/devices/network`.
    pub(crate) fn name(&self) -> String {
        self.name.with(|name| name.clone())
    }

    /// True if this is its name.
    pub(crate) fn is_named(&self, name: &str) -> bool {
        self.name.with(|own| own == name)
    }

    /// Has another name from now on; its watchers are told. The caller performs the deferred wakes,
    /// once it holds no lock.
    pub(crate) fn rename(&self, new: &str) -> DeferredWakes {
        self.name.with(|name| *name = new.into());
        let rename = |stack: &mut Stack, _: &mut dyn Driver| {
            let former = replace(&mut stack.context.configuration.name, new.into());
            message!(info, "devnet::interface", "{}: {} now", former, new);
            let event = appearance(&stack.context, Change::Changed);
            stack.context.watch.note_watched([event], 0);
        };
        let ((), deferred) = self.as_of(self.clock.now(), rename);
        deferred
    }

    /// Changes the stack as of now, transmits, and performs the wakes.
    pub(crate) fn change_and_transmit<R>(&self, action: impl FnOnce(&mut Stack) -> R) -> R {
        self.change_with_driver(|stack, _| action(stack))
    }

    /// Like [`change_and_transmit`](Self::change_and_transmit), but reads the clock only on media
    /// with neighbors: elsewhere the time of the last poll is precise enough. The caller performs
    /// the deferred wakes, once it holds no lock.
    pub(crate) fn change_and_transmit_deferred<R>(
        &self,
        action: impl FnOnce(&mut Stack) -> R,
    ) -> (R, DeferredWakes) {
        let now = if self.has_neighbors { self.clock.now() } else { Instant::ZERO };
        self.as_of(now, |stack, _| action(stack))
    }

    /// Reads the stack; does not read the clock.
    pub(crate) fn read<R>(&self, view: impl FnOnce(&Stack) -> R) -> R {
        self.engine.with(|engine| view(&engine.stack))
    }

    /// Like [`read`](Self::read), for state that depends on the time.
    pub(crate) fn read_now<R>(&self, view: impl FnOnce(&Stack) -> R) -> R {
        let now = self.clock.now();
        self.engine.with(|engine| {
            engine.stack.context.now = now.max(engine.stack.context.now);
            view(&engine.stack)
        })
    }

    /// Changes the stack without sending and without the time: performs wakes only.
    pub(crate) fn change<R>(&self, action: impl FnOnce(&mut Stack) -> R) -> R {
        let (result, wakes) = self.engine.with(|engine| {
            let result = action(&mut engine.stack);
            (
                result,
                (!engine.stack.context.wakes.is_empty()).then(|| engine.stack.context.wakes.take()),
            )
        });
        if let Some(wakes) = wakes {
            wakes.wake();
        }
        result
    }

    /// Like [`change_and_transmit`](Self::change_and_transmit), for the few settings that concern
    /// the driver too.
    pub(crate) fn change_with_driver<R>(
        &self,
        action: impl FnOnce(&mut Stack, &mut dyn Driver) -> R,
    ) -> R {
        let (result, deferred) = self.as_of(self.clock.now(), action);
        deferred.wake();
        result
    }

    fn as_of<R>(
        &self,
        now: Instant,
        action: impl FnOnce(&mut Stack, &mut dyn Driver) -> R,
    ) -> (R, DeferredWakes) {
        self.engine.with(|engine| {
            engine.stack.context.now = now.max(engine.stack.context.now);
            let result = action(&mut engine.stack, &mut *engine.driver);
            engine.transmit();
            (result, engine.settle(true))
        })
    }

    /// Lets the runner do a bounded amount of work: frames, deadlines, egress. `asleep_until` is
    /// the deadline of the runner's present sleep.
    pub(crate) fn poll(&self, waker: &Waker, asleep_until: Option<Instant>) -> PollOutcome {
        let now = self.clock.now();
        let (outcome, deferred) = self.engine.with(|engine| {
            engine.stack.context.now = now.max(engine.stack.context.now);
            let outcome = engine.poll(waker, asleep_until);
            (outcome, engine.settle(false))
        });
        deferred.wake();
        outcome
    }

    /// Closes the interface: sockets fail, the runner ends, the driver is released with the last
    /// reference.
    pub(crate) fn close(&self) {
        message!(info, "devnet::interface", "{}: unregistered", self.name());
        let deferred = self.engine.with(|engine| {
            #[cfg(feature = "mdns")]
            {
                let mut last = engine.stack.depart();
                engine.stack.ip.link.output.append(&mut last);
                engine.transmit();
            }
            engine.gone = true;
            engine.stack.end();
            if engine.stack.context.watch.is_on() {
                // The last events.
                engine.watchers.deliver(&mut engine.stack);
                let gone = appearance(&engine.stack.context, Change::Removed);
                engine.stack.context.watch.note(gone);
            }
            engine.taps.end(&mut engine.stack.context.wakes);
            let deferred = engine.settle(true);
            engine.watchers.clear(&mut engine.stack);
            deferred
        });
        deferred.wake();
    }
}

impl Engine {
    fn poll(&mut self, waker: &Waker, asleep_until: Option<Instant>) -> PollOutcome {
        if self.gone {
            return PollOutcome::Gone;
        }
        self.stack.context.statistics.polls += 1;
        if !self.runner.as_ref().is_some_and(|known| known.will_wake(waker)) {
            self.runner = Some(waker.clone());
        }
        let link = self.driver.link_state();
        self.stack.set_link(link);
        // Register before polling: frames that arrive from here on wake the runner.
        self.driver.register(waker, !self.stack.ip.link.output.is_empty());
        let ingress = self.ingress();
        self.stack.run_timers(waker);
        let more = self.stack.run_local();
        self.stack.transport.tcp.serve_ready(&mut self.stack.context, &mut self.stack.ip);
        self.transmit();
        let is_blocked = !self.stack.ip.link.output.is_empty();
        if is_blocked {
            self.driver.register(waker, true);
        }
        // Frames that waited for room cause no further wake.
        let may_receive_more = ingress == Ingress::NoRoom && self.stack.ip.link.has_room();
        if ingress == Ingress::More
            || may_receive_more
            || more
            || self.stack.has_work()
            || (is_blocked && self.driver.can_transmit())
        {
            self.sleep_deadline = Some(Instant::ZERO);
            return PollOutcome::Again;
        }
        let now = self.stack.context.now;
        // Connections that come and go would each start a timer and end it.
        let leftover = || asleep_until.filter(|asleep| asleep.since(now) <= LEFTOVER);
        // What ended in this turn wakes nobody.
        self.stack.transport.tcp.drop_stale_timers(&mut self.stack.context);
        let deadline = self.stack.next_deadline().or_else(leftover);
        // A sleep with an earlier deadline is kept: waking early is harmless, and a new timer costs
        // more.
        self.sleep_deadline = match (deadline, asleep_until) {
            (Some(deadline), Some(asleep)) => Some(deadline.min(asleep)),
            (deadline, _) => deadline,
        };
        PollOutcome::Sleep(deadline, now)
    }

    /// Receives frames, at most a batch and only while the output queue has room for replies. If
    /// the driver accepts nothing, receiving continues: two peers that wait for each other's room
    /// would deadlock. Replies beyond the bound are dropped and counted.
    fn ingress(&mut self) -> Ingress {
        for _ in 0..limits::INGRESS_BATCH {
            if !self.stack.ip.link.has_room() && self.driver.can_transmit() {
                return Ingress::NoRoom;
            }
            let Some(frame) = self.driver.receive(&mut self.stack.context.pool) else {
                return Ingress::Empty;
            };
            if self.taps.is_empty() {
                self.stack.receive(frame);
            } else {
                self.receive_captured(frame);
            }
        }
        Ingress::More
    }

    /// Hands frames to the driver while it accepts them.
    fn transmit(&mut self) {
        let is_usable = self.stack.context.configuration.link == LinkState::Up;
        while let Some(frame) = self.stack.ip.link.output.pop_front() {
            let length = frame.len() as u64;
            if !self.taps.is_empty() {
                self.taps.keep(frame.bytes());
            }
            if !is_usable {
                // Without a carrier a frame is lost, as on any wire.
                let cx = &mut self.stack.context;
                dropped!(cx, LinkDown, "devnet::link", "a frame of {} bytes", length);
                self.stack.context.pool.put(frame);
                self.capture_sent(Some(DropReason::LinkDown));
            } else if let Err(frame) = self.driver.transmit(frame, &mut self.stack.context.pool) {
                self.stack.ip.link.output.push_front(frame);
                break;
            } else {
                self.stack.context.statistics.sent_packets += 1;
                self.stack.context.statistics.sent_bytes += length;
                self.capture_sent(None);
            }
        }
        if self.stack.ip.link.has_room() && !self.stack.senders.is_empty() {
            let Stack { context, senders, .. } = &mut self.stack;
            context.wakes.add(senders);
        }
    }

    /// Passes events to watchers and collects the wakes. Includes the runner's if a deadline became
    /// earlier than its sleep.
    fn settle(&mut self, from_outside: bool) -> DeferredWakes {
        if self.stack.context.watch.is_on() {
            self.watchers.deliver(&mut self.stack);
        }
        let doorbell = self.driver.flush();
        let wakers = self.stack.context.wakes.take();
        // The runner is woken already and has not run yet.
        let is_woken = self.sleep_deadline == Some(Instant::ZERO) && !self.gone;
        let runner = if from_outside && !is_woken && self.needs_runner() {
            self.sleep_deadline = Some(Instant::ZERO);
            self.runner.clone()
        } else {
            None
        };
        DeferredWakes { wakers, doorbell, runner }
    }

    /// True when a sleeping runner would wake too late.
    fn needs_runner(&self) -> bool {
        let is_earlier = match (self.stack.next_deadline(), self.sleep_deadline) {
            (Some(deadline), Some(sleep_deadline)) => deadline < sleep_deadline,
            (Some(_), None) => true,
            (None, _) => false,
        };
        is_earlier || self.gone || self.stack.has_work() || !self.stack.ip.link.output.is_empty()
    }
}

impl fmt::Debug for Interface {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Interface").field("name", &self.name()).finish_non_exhaustive()
    }
}
