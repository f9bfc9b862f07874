//! Asynchronous sockets for Rust programs.
//!
//! A [`Sockets`] determines the scope of sockets: one interface, or all of them by route. The types
//! here refer to a stack and its interface; dropping one releases everything synchronously. The
//! control device's modes consist of the same types.
//!
//! # Sockets of one's own
//!
//! The faces (`embedded_nal`, `futures_io`, `blocking`) have no rights that other crates lack:
//! a wrapper for another runtime, protocol or trait is written over these seams.
//!
//! * `poll_*` of [`TcpStream`], [`TcpListener`], [`DatagramSocket`] and [`Lookup`] do the work or
//!   register the waker. Any number of tasks may wait, and a waker that was registered once is
//!   woken once. `try_*` never wait.
//! * `poll_ready` tells readiness alone.
//! * [`Sockets::clock`] is the time by which the stack runs, for timeouts.
//! * Dropping a socket releases it; [`TcpStream::into_split`] makes directions with owners of their
//!   own.
//!
//! `tests/faces/outside.rs` is such a wrapper: messages with a length before them, as a
//! `futures` stream with an idle timeout.

#[cfg(not(feature = "tcp"))]
mod absent;
#[cfg(feature = "tcp")]
mod connect;
mod datagram;
mod faces;
#[cfg(feature = "tcp")]
mod halves;
#[cfg(feature = "icmp")]
mod icmp;
#[cfg(feature = "tcp")]
mod listener;
#[cfg(feature = "dns")]
mod lookup;
#[cfg(feature = "dns")]
mod question;
#[cfg(all(feature = "tcp", feature = "dns"))]
mod race;
#[cfg(feature = "raw")]
mod raw;
#[cfg(feature = "tcp")]
mod remote;
#[cfg(feature = "dns")]
mod resolver;
#[cfg(feature = "tcp")]
mod tcp;
#[cfg(feature = "dns")]
mod turns;
#[cfg(feature = "udp")]
mod udp;

use alloc::sync::Arc;
use core::fmt;
use core::future::Future;
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use core::pin::pin;
use core::task::Poll;
use core::time::Duration;

use devnet_virtual_file_system::Error;

#[cfg(not(feature = "tcp"))]
pub(crate) use self::absent::{TcpListener, TcpStream};
pub use self::datagram::{DatagramSocket, Message, MessageInfo};
#[cfg(feature = "blocking")]
pub use self::faces::blocking;
#[cfg(feature = "embedded-nal-async")]
pub use self::faces::embedded_nal;
#[cfg(feature = "futures-io")]
pub use self::faces::futures_io;
#[cfg(feature = "tcp")]
pub use self::halves::{TcpReadHalf, TcpWriteHalf};
#[cfg(feature = "icmp")]
pub use self::icmp::IcmpSocket;
#[cfg(feature = "tcp")]
pub use self::listener::TcpListener;
#[cfg(feature = "dns")]
pub use self::lookup::Lookup;
#[cfg(feature = "raw")]
pub use self::raw::RawSocket;
#[cfg(feature = "tcp")]
pub use self::remote::{Remote, ToRemote};
#[cfg(feature = "dns")]
pub use self::resolver::Resolver;
#[cfg(feature = "tcp")]
pub use self::tcp::TcpStream;
#[cfg(feature = "dns")]
use self::turns::Lookups;
#[cfg(feature = "udp")]
pub use self::udp::UdpSocket;
use crate::features::has_family;
use crate::interface::Interface;
use crate::interfaces::{Interfaces, Place, WeakPlace};
use crate::platform::{Clock, Entropy, before};
#[cfg(feature = "tcp")]
pub use crate::stack::tcp::TcpSettings;
#[cfg(not(feature = "tcp"))]
pub(crate) use crate::stack::tcp::TcpSettings;
pub(crate) use crate::stack::tcp::settings::KEEP_ALIVE;

/// Creates sockets in one scope, and has what outlives a call.
#[derive(Clone)]
pub struct Sockets {
    pub(crate) place: Place,
    pub(crate) clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
    #[cfg(feature = "dns")]
    lookups: Arc<Lookups>,
    #[cfg(feature = "dns")]
    names: Arc<resolver::Names>,
}

impl Sockets {
    /// Sockets that use any of these interfaces, by route.
    pub(crate) fn routed(
        all: Interfaces,
        clock: Arc<dyn Clock>,
        entropy: Arc<dyn Entropy>,
    ) -> Self {
        let place = Place { all, interface: None };
        Self {
            place,
            clock,
            entropy,
            #[cfg(feature = "dns")]
            lookups: Arc::default(),
            #[cfg(feature = "dns")]
            names: Arc::default(),
        }
    }

    /// Sockets that use one interface only.
    pub(crate) fn on(&self, interface: Arc<Interface>) -> Self {
        Self { place: self.place.on(Some(interface)), ..self.clone() }
    }

    /// The resolver that queries the DNS servers of all interfaces, or of this one.
    #[cfg(feature = "dns")]
    #[must_use]
    pub fn resolver(&self) -> Resolver {
        Resolver::new(self.clone())
    }

    /// The clock by which these sockets run.
    #[must_use]
    pub fn clock(&self) -> Arc<dyn Clock> {
        Arc::clone(&self.clock)
    }

    /// Runs a future for `limit` at most, by the clock of this system: a time-out for anything that
    /// these sockets do.
    ///
    /// ```
    /// # use core::time::Duration;
    /// # use devnet_network::{Sockets, TcpStream};
    /// async fn read(sockets: &Sockets, stream: &TcpStream, buffer: &mut [u8])
    ///     -> devnet_virtual_file_system::Result<usize>
    /// {
    ///     sockets.timeout(Duration::from_secs(5), stream.read(buffer)).await
    /// }
    /// ```
    ///
    /// # Errors
    /// `TimedOut` when the time is over; the future is dropped then. Else its own.
    ///
    /// # Cancel safety
    /// As `work`, which is dropped with this future.
    pub async fn timeout<T>(
        &self,
        limit: Duration,
        work: impl Future<Output = Result<T, Error>>,
    ) -> Result<T, Error> {
        let deadline = self.clock.now().after(limit);
        before(&*self.clock, deadline, pin!(work)).await.unwrap_or(Err(Error::TimedOut))
    }

    /// The same, without keeping the interfaces registered.
    pub(crate) fn downgrade(&self) -> WeakSockets {
        WeakSockets {
            place: self.place.downgrade(),
            clock: Arc::clone(&self.clock),
            entropy: Arc::clone(&self.entropy),
            #[cfg(feature = "dns")]
            lookups: Arc::clone(&self.lookups),
            #[cfg(feature = "dns")]
            names: Arc::clone(&self.names),
        }
    }
}

impl fmt::Debug for Sockets {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("Sockets").field(&self.place.name()).finish()
    }
}

/// [`Sockets`] that do not keep the interfaces registered.
#[derive(Clone)]
pub(crate) struct WeakSockets {
    place: WeakPlace,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
    #[cfg(feature = "dns")]
    lookups: Arc<Lookups>,
    #[cfg(feature = "dns")]
    names: Arc<resolver::Names>,
}

impl WeakSockets {
    /// Sockets that use one interface only.
    pub(crate) fn on(&self, interface: Arc<Interface>) -> Self {
        Self { place: self.place.on(interface), ..self.clone() }
    }

    /// The sockets, unless the interfaces were unregistered.
    pub(crate) fn upgrade(&self) -> Option<Sockets> {
        let weak = self.clone();
        Some(Sockets {
            place: weak.place.upgrade()?,
            clock: weak.clock,
            entropy: weak.entropy,
            #[cfg(feature = "dns")]
            lookups: weak.lookups,
            #[cfg(feature = "dns")]
            names: weak.names,
        })
    }
}

/// Turns `WouldBlock` into `Pending`.
fn pending_if_blocked<T>(result: Result<T, Error>) -> Poll<Result<T, Error>> {
    match result {
        Err(Error::WouldBlock) => Poll::Pending,
        result => Poll::Ready(result),
    }
}

/// Refuses IPv6 in a build without it.
fn check_family(address: IpAddr) -> Result<(), Error> {
    if has_family(address) { Ok(()) } else { Err(Error::Unsupported) }
}

/// The unspecified address of the same family.
pub(crate) const fn unspecified(like: SocketAddr) -> SocketAddr {
    match like {
        SocketAddr::V4(_) => SocketAddr::new(IpAddr::V4(Ipv4Addr::UNSPECIFIED), 0),
        SocketAddr::V6(_) => SocketAddr::new(IpAddr::V6(Ipv6Addr::UNSPECIFIED), 0),
    }
}
