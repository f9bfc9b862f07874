//! Listeners that block.

use alloc::sync::Arc;
use core::iter::FusedIterator;
use core::net::SocketAddr;
use std::io;

use super::hop_limit;
use super::names::{ToSocketAddrs, first_of};
use super::stream::TcpStream;
use super::wait::Blocker;
use crate::limits;
use crate::socket::{self, Sockets};

/// The backlog, as in `std::net`.
const BACKLOG: u32 = 128;

#[derive(Debug)]
struct Shared {
    listener: socket::TcpListener,
    sockets: Sockets,
    blocker: Blocker,
}

/// A listener, as `std::net::TcpListener`. It is closed when its last clone is dropped.
#[derive(Debug)]
pub struct TcpListener(Arc<Shared>);

impl TcpListener {
    /// Listens at the first of the addresses that is available; port 0 is an ephemeral port.
    ///
    /// # Errors
    /// Those of [`TcpListener::bind`](socket::TcpListener::bind) and of resolving the name.
    pub fn bind<A: ToSocketAddrs>(sockets: &Sockets, address: A) -> io::Result<Self> {
        first_of(sockets, &address, |address| {
            let listener = socket::TcpListener::bind(sockets, address, BACKLOG)?;
            Ok(Self(Arc::new(Shared {
                listener,
                sockets: sockets.clone(),
                blocker: Blocker::new(sockets),
            })))
        })
    }

    /// The local address.
    ///
    /// # Errors
    /// None; as in `std::net`.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        Ok(self.0.listener.local_addr())
    }

    /// Another handle on the same listener.
    ///
    /// # Errors
    /// None; as in `std::net`.
    pub fn try_clone(&self) -> io::Result<Self> {
        Ok(Self(Arc::clone(&self.0)))
    }

    /// Accepts the oldest connection of the accept queue, waiting for one.
    ///
    /// # Errors
    /// `WouldBlock` when it is non-blocking; `NetworkDown` once the listener's interface is gone.
    pub fn accept(&self) -> io::Result<(TcpStream, SocketAddr)> {
        let Shared { listener, sockets, blocker } = &*self.0;
        let stream = blocker.read(|context| listener.poll_accept(context))?;
        let remote = stream.peer_addr();
        Ok((TcpStream::with(stream, Blocker::new(sockets)), remote))
    }

    /// An endless iterator over accepted connections.
    #[must_use]
    pub const fn incoming(&self) -> Incoming<'_> {
        Incoming(self)
    }

    /// Makes an accept that would wait fail with `WouldBlock` at once.
    ///
    /// # Errors
    /// None; as in `std::net`.
    pub fn set_nonblocking(&self, nonblocking: bool) -> io::Result<()> {
        self.0.blocker.timeouts.with(|timeouts| timeouts.nonblocking = nonblocking);
        Ok(())
    }

    /// Sets the time to live or hop limit of later connections, 1 to 255.
    ///
    /// # Errors
    /// `InvalidInput`.
    pub fn set_ttl(&self, ttl: u32) -> io::Result<()> {
        let hop_limit = Some(hop_limit(ttl)?);
        let settings = self.0.listener.settings();
        self.0.listener.set_settings(settings.hop_limit(hop_limit));
        Ok(())
    }

    /// The time to live or hop limit of later connections.
    ///
    /// # Errors
    /// None; as in `std::net`.
    pub fn ttl(&self) -> io::Result<u32> {
        Ok(self.0.listener.settings().hop_limit.unwrap_or(limits::HOP_LIMIT).into())
    }

    /// Takes the pending error; a listener has none.
    ///
    /// # Errors
    /// None; as in `std::net`.
    pub const fn take_error(&self) -> io::Result<Option<io::Error>> {
        Ok(None)
    }
}

/// The connections of a listener, in the order in which they were established.
#[derive(Debug)]
pub struct Incoming<'a>(&'a TcpListener);

impl Iterator for Incoming<'_> {
    type Item = io::Result<TcpStream>;

    fn next(&mut self) -> Option<Self::Item> {
        Some(self.0.accept().map(|(stream, _)| stream))
    }
}

impl FusedIterator for Incoming<'_> {}
