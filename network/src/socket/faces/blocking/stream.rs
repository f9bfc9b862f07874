//! Streams that block.

use alloc::sync::Arc;
use core::net::SocketAddr;
use core::pin::pin;
use core::time::Duration;
use std::io::{self, Read, Write};
use std::net::Shutdown;

use devnet_virtual_file_system::Error;

use super::hop_limit;
use super::names::{ToSocketAddrs, first_of};
use super::wait::{Blocker, waits};
use crate::command::socket::Direction;
use crate::limits;
use crate::socket::{self, Sockets, TcpSettings};

#[derive(Debug)]
struct Shared {
    stream: socket::TcpStream,
    blocker: Blocker,
}

/// A connection, as `std::net::TcpStream`. It is closed when its last clone is dropped.
#[derive(Debug)]
pub struct TcpStream(Arc<Shared>);

waits!(TcpStream);

impl TcpStream {
    /// Connects to the first of the addresses that answers.
    ///
    /// # Errors
    /// Those of [`TcpStream::connect`](socket::TcpStream::connect) and of resolving the name.
    pub fn connect<A: ToSocketAddrs>(sockets: &Sockets, address: A) -> io::Result<Self> {
        first_of(sockets, &address, |address| Self::open(sockets, address, None))
    }

    /// Connects to one address, with a timeout.
    ///
    /// # Errors
    /// `TimedOut`; `InvalidInput` for a zero timeout; else as [`connect`](Self::connect).
    pub fn connect_timeout(
        sockets: &Sockets,
        address: &SocketAddr,
        timeout: Duration,
    ) -> io::Result<Self> {
        if timeout.is_zero() {
            return Err(Error::InvalidInput.into());
        }
        Self::open(sockets, *address, Some(timeout))
    }

    fn open(sockets: &Sockets, address: SocketAddr, timeout: Option<Duration>) -> io::Result<Self> {
        let blocker = Blocker::new(sockets);
        let mut connect = pin!(socket::TcpStream::connect(sockets, address));
        let stream = blocker
            .block(timeout, |context| connect.as_mut().poll(context))
            .unwrap_or(Err(Error::TimedOut))?;
        Ok(Self::with(stream, blocker))
    }

    pub(super) fn with(stream: socket::TcpStream, blocker: Blocker) -> Self {
        Self(Arc::new(Shared { stream, blocker }))
    }

    /// Wraps an existing stream; `sockets` made it.
    #[must_use]
    pub fn from_stream(sockets: &Sockets, stream: socket::TcpStream) -> Self {
        Self::with(stream, Blocker::new(sockets))
    }

    /// The underlying stream.
    #[must_use]
    pub fn stream(&self) -> &socket::TcpStream {
        &self.0.stream
    }

    /// The remote address.
    ///
    /// # Errors
    /// None; as in `std::net`.
    pub fn peer_addr(&self) -> io::Result<SocketAddr> {
        Ok(self.0.stream.peer_addr())
    }

    /// The local address.
    ///
    /// # Errors
    /// None; as in `std::net`.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        Ok(self.0.stream.local_addr())
    }

    /// Shuts down one or both directions; wakes threads that wait for them.
    ///
    /// # Errors
    /// `NotConnected`.
    pub fn shutdown(&self, how: Shutdown) -> io::Result<()> {
        let direction = match how {
            Shutdown::Read => Direction::Read,
            Shutdown::Write => Direction::Write,
            Shutdown::Both => Direction::Both,
        };
        Ok(self.0.stream.shutdown(direction)?)
    }

    /// Copies received bytes and leaves them in the buffer.
    ///
    /// # Errors
    /// Those of reading.
    pub fn peek(&self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.blocker.read(|context| self.0.stream.poll_peek(context, buffer))
    }

    fn settings(&self) -> TcpSettings {
        self.0.stream.settings().unwrap_or_default()
    }

    /// Disables Nagle's algorithm.
    ///
    /// # Errors
    /// None; as in `std::net`.
    pub fn set_nodelay(&self, nodelay: bool) -> io::Result<()> {
        self.0.stream.set_settings(&self.settings().no_delay(nodelay));
        Ok(())
    }

    /// Whether Nagle's algorithm is disabled.
    ///
    /// # Errors
    /// None; as in `std::net`.
    pub fn nodelay(&self) -> io::Result<bool> {
        Ok(self.settings().no_delay)
    }

    /// Sets the time to live or hop limit of sent packets, 1 to 255.
    ///
    /// # Errors
    /// `InvalidInput`.
    pub fn set_ttl(&self, ttl: u32) -> io::Result<()> {
        let hop_limit = Some(hop_limit(ttl)?);
        self.0.stream.set_settings(&self.settings().hop_limit(hop_limit));
        Ok(())
    }

    /// The time to live or hop limit of sent packets.
    ///
    /// # Errors
    /// None; as in `std::net`.
    pub fn ttl(&self) -> io::Result<u32> {
        Ok(self.settings().hop_limit.unwrap_or(limits::HOP_LIMIT).into())
    }

    /// Takes the pending error.
    ///
    /// # Errors
    /// None; as in `std::net`.
    pub fn take_error(&self) -> io::Result<Option<io::Error>> {
        Ok(self.0.stream.take_error().map(io::Error::from))
    }
}

impl Read for &TcpStream {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.blocker.read(|context| self.0.stream.poll_read(context, buffer))
    }
}

impl Write for &TcpStream {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        self.0.blocker.write(|context| self.0.stream.poll_write(context, data))
    }

    /// Does nothing, as in `std::net`: written data is sent without it.
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Read for TcpStream {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        (&*self).read(buffer)
    }
}

impl Write for TcpStream {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        (&*self).write(data)
    }

    /// Does nothing, as in `std::net`: written data is sent without it.
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
