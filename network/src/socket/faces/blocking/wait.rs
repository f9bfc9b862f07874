//! Blocks a thread until a socket is ready or a timeout expires; non-blocking sockets return at
//! once.

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;
use core::task::{Context, Poll, Waker};
use core::time::Duration;
use std::io;

use devnet_virtual_file_system::{Error, Lock};

use crate::platform::Clock;
use crate::signal::{Signal, block};
use crate::socket::Sockets;

/// The timeouts of a socket.
#[derive(Clone, Copy, Default, Debug)]
pub(super) struct Timeouts {
    pub(super) read: Option<Duration>,
    pub(super) write: Option<Duration>,
    pub(super) nonblocking: bool,
}

/// The timeouts and signals of one socket; clones of the socket share them.
pub(super) struct Blocker {
    clock: Arc<dyn Clock>,
    pub(super) timeouts: Lock<Timeouts>,
    /// Unused signals. They are reused, because a socket stores the wakers of its waiters.
    idle: Lock<Vec<Arc<Signal>>>,
}

impl Blocker {
    pub(super) fn new(sockets: &Sockets) -> Self {
        let clock = Arc::clone(&sockets.clock);
        Self { clock, timeouts: Lock::default(), idle: Lock::default() }
    }

    /// Blocks until `poll` is ready; `None` when the timeout expires.
    pub(super) fn block<T>(
        &self,
        timeout: Option<Duration>,
        poll: impl FnMut(&mut Context<'_>) -> Poll<T>,
    ) -> Option<T> {
        let signal = self.idle.with(Vec::pop).unwrap_or_default();
        let outcome = block(&signal, &*self.clock, timeout, poll);
        self.idle.with(|idle| idle.push(signal));
        outcome
    }

    /// Waits with the socket's settings; `WouldBlock` on timeout, as on Linux.
    fn wait<T>(
        &self,
        timeout: Option<Duration>,
        nonblocking: bool,
        mut poll: impl FnMut(&mut Context<'_>) -> Poll<Result<T, Error>>,
    ) -> io::Result<T> {
        let outcome = if nonblocking {
            match poll(&mut Context::from_waker(Waker::noop())) {
                Poll::Ready(outcome) => Some(outcome),
                Poll::Pending => None,
            }
        } else {
            self.block(timeout, poll)
        };
        outcome.unwrap_or(Err(Error::WouldBlock)).map_err(io::Error::from)
    }

    /// Waits with the read timeout.
    pub(super) fn read<T>(
        &self,
        poll: impl FnMut(&mut Context<'_>) -> Poll<Result<T, Error>>,
    ) -> io::Result<T> {
        let Timeouts { read, nonblocking, .. } = self.timeouts.with(|timeouts| *timeouts);
        self.wait(read, nonblocking, poll)
    }

    /// Waits with the write timeout.
    pub(super) fn write<T>(
        &self,
        poll: impl FnMut(&mut Context<'_>) -> Poll<Result<T, Error>>,
    ) -> io::Result<T> {
        let Timeouts { write, nonblocking, .. } = self.timeouts.with(|timeouts| *timeouts);
        self.wait(write, nonblocking, poll)
    }

    /// Sets a timeout; zero is an error, as in `std::net`.
    pub(super) fn set_timeout(
        &self,
        timeout: Option<Duration>,
        set: impl FnOnce(&mut Timeouts, Option<Duration>),
    ) -> io::Result<()> {
        if timeout.is_some_and(|timeout| timeout.is_zero()) {
            return Err(Error::InvalidInput.into());
        }
        self.timeouts.with(|timeouts| set(timeouts, timeout));
        Ok(())
    }
}

impl fmt::Debug for Blocker {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.timeouts.with(|timeouts| timeouts.fmt(formatter))
    }
}

/// The methods for timeouts and cloning, as in `std::net`; clones share the timeouts.
macro_rules! waits {
    ($socket:ident) => {
        impl $socket {
            /// Another handle on the same socket, with the same timeouts.
            ///
            /// # Errors
            /// None; as in `std::net`.
            pub fn try_clone(&self) -> std::io::Result<Self> {
                Ok(Self(alloc::sync::Arc::clone(&self.0)))
            }

            /// Sets the timeout after which a read fails with `WouldBlock`; none by default.
            ///
            /// # Errors
            /// `InvalidInput` for a zero timeout.
            pub fn set_read_timeout(
                &self,
                timeout: Option<core::time::Duration>,
            ) -> std::io::Result<()> {
                self.0.blocker.set_timeout(timeout, |timeouts, timeout| timeouts.read = timeout)
            }

            /// Sets the timeout after which a write fails with `WouldBlock`; none by default.
            ///
            /// # Errors
            /// `InvalidInput` for a zero timeout.
            pub fn set_write_timeout(
                &self,
                timeout: Option<core::time::Duration>,
            ) -> std::io::Result<()> {
                self.0.blocker.set_timeout(timeout, |timeouts, timeout| timeouts.write = timeout)
            }

            /// The read timeout.
            ///
            /// # Errors
            /// None; as in `std::net`.
            pub fn read_timeout(&self) -> std::io::Result<Option<core::time::Duration>> {
                Ok(self.0.blocker.timeouts.with(|timeouts| timeouts.read))
            }

            /// The write timeout.
            ///
            /// # Errors
            /// None; as in `std::net`.
            pub fn write_timeout(&self) -> std::io::Result<Option<core::time::Duration>> {
                Ok(self.0.blocker.timeouts.with(|timeouts| timeouts.write))
            }

            /// Makes reads and writes that would wait fail with `WouldBlock` at once.
            ///
            /// # Errors
            /// None; as in `std::net`.
            pub fn set_nonblocking(&self, nonblocking: bool) -> std::io::Result<()> {
                self.0.blocker.timeouts.with(|timeouts| timeouts.nonblocking = nonblocking);
                Ok(())
            }
        }
    };
}
pub(super) use waits;
