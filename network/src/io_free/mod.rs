//! The stack without an executor: construct, poll, sleep until the deadline.
//!
//! A [`Core`] is a whole system (manager, files, sockets) in which nothing runs by itself. Its
//! owner has the only loop: it passes the time, lends the driver, and gets the next deadline.
//! Nothing here blocks, spawns a thread, reads a clock or needs `std`.
//!
//! ```text
//! loop {
//!     while core.poll(now, &mut port, &mut driver) {}
//!     // sockets: try_read, try_write, try_accept …; `ready.next()` returns those that are ready
//!     // wait for the driver, or for core.poll_delay(now)
//! }
//! ```
//!
//! Where there is an executor for one future, [`Core::wait`] is that wait: for the driver, the
//! deadline and requests of other threads.
//!
//! The sockets are the usual ones: their `try_*` methods never wait, their `poll_*` methods take a
//! waker, and [`ReadyList`] makes wakers that record *which* socket is ready, so that ten thousand
//! need not be polled. Futures, such as a name lookup, can be passed to [`Core::spawn`] and are
//! driven by the same polls. `examples/io_free.rs` is a complete program.
//!
//! For a stack on a thread of its own, [`channel`] carries calls of other threads to it; see
//! `examples/command_channel.rs`.

mod channel;
mod clock;
mod mailbox;
mod ready;
mod tasks;
mod wait;

use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;
use core::future::Future;
use core::task::Waker;
use core::time::Duration;

use devnet_virtual_file_system::{Lock, VirtualFileSystem};

pub use self::channel::{Call, Inbox, Remote, Requests, Sending, channel};
use self::clock::CoreClock;
use self::mailbox::{Mailbox, Outbox};
pub use self::ready::ReadyList;
use self::tasks::Tasks;
pub use self::wait::Wait;
use crate::driver::Driver;
use crate::limits;
use crate::manager::{Manager, ManagerError, Platform};
use crate::platform::{Clock, Entropy, Instant};
use crate::socket::Sockets;

/// A system without an executor. Dropping it unregisters its interfaces, fails their sockets and
/// drops its futures.
pub struct Core {
    manager: Manager,
    files: VirtualFileSystem,
    clock: Arc<CoreClock>,
    tasks: Arc<Tasks>,
    outboxes: Lock<Vec<Outbox>>,
}

/// An interface whose driver is lent to each poll.
pub struct Port {
    mailbox: Mailbox,
}

impl Core {
    /// A system without interfaces, at time `now`.
    ///
    /// # Errors
    /// As [`Manager::new`].
    pub fn new(entropy: Arc<dyn Entropy>, now: Instant) -> Result<Self, ManagerError> {
        let (clock, tasks) = (Arc::new(CoreClock::new(now)), Arc::new(Tasks::default()));
        let platform = Platform {
            clock: Arc::clone(&clock) as Arc<dyn Clock>,
            entropy,
            spawner: Arc::clone(&tasks) as Arc<dyn crate::platform::Spawner>,
        };
        let files = VirtualFileSystem::new();
        let manager = Manager::new(files.clone(), platform)?;
        Ok(Self { manager, files, clock, tasks, outboxes: Lock::new(Vec::new()) })
    }

    /// The manager. Interfaces that own their driver (loopback, a cable) are registered with it as
    /// usual.
    #[must_use]
    pub const fn manager(&self) -> &Manager {
        &self.manager
    }

    /// The file tree with the devices of all interfaces.
    #[must_use]
    pub const fn files(&self) -> &VirtualFileSystem {
        &self.files
    }

    /// Sockets that use any interface, by route.
    #[must_use]
    pub fn sockets(&self) -> Sockets {
        self.manager.sockets()
    }

    /// Adds an interface for a driver that stays with the caller. It starts down and without
    /// addresses; [`Manager::configure`] changes that.
    ///
    /// # Errors
    /// As [`Manager::register`].
    pub fn attach(&self, name: &str, driver: &mut dyn Driver) -> Result<Port, ManagerError> {
        let (mailbox, inner) = mailbox::pair(driver, self.tasks.run_queue());
        self.manager.register(name, Box::new(inner), None)?;
        self.outboxes.with(|outboxes| outboxes.push(mailbox.outbox()));
        Ok(Port { mailbox })
    }

    /// Runs the system as of `now`: receives frames from the driver, handles expired deadlines,
    /// transmits frames to the driver. A bounded amount of work; true when there is more to do at
    /// once. Time never runs backwards.
    pub fn poll(&mut self, now: Instant, port: &mut Port, driver: &mut dyn Driver) -> bool {
        self.tasks.set_polling(true);
        let more_in = port.receive(driver);
        let more_work = self.run(now);
        self.tasks.set_polling(true);
        let more_out = port.transmit(driver);
        self.tasks.set_polling(false);
        more_in || more_work || more_out
    }

    /// Like [`poll`](Self::poll), without a driver: for systems with several ports, between
    /// [`Port::receive`] and [`Port::transmit`] of each.
    pub fn run(&mut self, now: Instant) -> bool {
        self.tasks.set_polling(true);
        self.clock.advance(now);
        let more = self.tasks.run(limits::CORE_POLLS);
        self.tasks.set_polling(false);
        more
    }

    /// When to poll next if nothing happens before: at once (an instant in the past) when there is
    /// work, `None` when only a frame or a call can change anything.
    #[must_use]
    pub fn next_deadline(&self) -> Option<Instant> {
        let has_output = self.outboxes.with(|outboxes| {
            outboxes.retain(|outbox| outbox.is_waiting().is_some());
            outboxes.iter().any(|outbox| outbox.is_waiting() == Some(true))
        });
        if has_output || self.tasks.has_work() {
            Some(self.clock.present())
        } else {
            self.clock.next()
        }
    }

    /// How long until the next poll if nothing happens before: zero when there is work, `None` when
    /// only a frame or a call can change anything.
    #[must_use]
    pub fn poll_delay(&self, now: Instant) -> Option<Duration> {
        self.next_deadline().map(|deadline| deadline.since(now))
    }

    /// Waits until a poll is worth it: one of these drivers has a frame, or room for what is
    /// blocked; the next deadline is there; a call from another thread caused work, or rang the
    /// [`doorbell`](Self::doorbell). It takes the place of [`set_doorbell`](Self::set_doorbell).
    ///
    /// ```
    /// use devnet_network::driver::Driver;
    /// use devnet_network::io_free::{Core, Inbox, Port};
    /// use devnet_network::platform::Clock;
    ///
    /// async fn run(
    ///     mut core: Core,
    ///     mut port: Port,
    ///     mut driver: impl Driver,
    ///     clock: &dyn Clock,
    ///     inbox: Inbox<Core>,
    /// ) {
    ///     while !inbox.is_abandoned() {
    ///         inbox.run(&mut core);
    ///         while core.poll(clock.now(), &mut port, &mut driver) {}
    ///         core.wait(clock, &mut [(&mut port, &mut driver)]).await;
    ///     }
    /// }
    /// ```
    ///
    /// # Cancel safety
    /// Dropping it loses nothing: what happens before it is ready ends the next wait too, and
    /// frames that it took from a driver are in the port.
    #[must_use = "a future waits when it is awaited"]
    pub const fn wait<'a>(
        &'a self,
        clock: &'a dyn Clock,
        ports: &'a mut [(&'a mut Port, &'a mut dyn Driver)],
    ) -> Wait<'a> {
        Wait::new(self, clock, ports)
    }

    /// A waker that ends a [`wait`](Self::wait), the present or the next one, and wakes what
    /// [`set_doorbell`](Self::set_doorbell) set: pass it to [`channel`].
    #[must_use]
    pub fn doorbell(&self) -> Waker {
        Waker::from(self.tasks.run_queue())
    }

    /// Sets the waker for work that a call from another thread causes between polls. Calls of the
    /// polling thread need no doorbell: [`next_deadline`](Self::next_deadline) includes what they
    /// cause.
    pub fn set_doorbell(&self, doorbell: Waker) {
        self.tasks.set_doorbell(doorbell);
    }

    /// Spawns a future, which the polls of this system drive until it ends.
    pub fn spawn(&self, future: impl Future<Output = ()> + Send + 'static) {
        self.tasks.add(Box::pin(future));
    }
}

impl Drop for Core {
    fn drop(&mut self) {
        for interface in self.manager.list() {
            // It may have been unregistered already.
            let _ = self.manager.unregister(&interface.name);
        }
        self.tasks.clear();
    }
}

impl Port {
    /// Receives frames from the driver, at most a batch; true when there may be more.
    pub fn receive(&mut self, driver: &mut dyn Driver) -> bool {
        self.mailbox.receive(driver)
    }

    /// Transmits frames to the driver and ends the batch; true when some are left that the driver
    /// may accept now.
    pub fn transmit(&mut self, driver: &mut dyn Driver) -> bool {
        self.mailbox.transmit(driver)
    }
}

impl fmt::Debug for Core {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Core").field("manager", &self.manager).finish_non_exhaustive()
    }
}

impl fmt::Debug for Port {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Port")
    }
}
