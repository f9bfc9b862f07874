//! TCP.

use alloc::vec::Vec;
use core::net::{Ipv6Addr, SocketAddr};

use crate::command::socket::{Direction, SocketKind, SocketOption};
use crate::command::{Accept, Bind, Connect, CreateSocket, Listen, NextConnection, Shutdown};
use crate::{Error, File, OpenFlags, Result, lookup};

/// The device for sockets that use any interface.
const SOCKETS: &str = "/devices/sockets";

/// Creates a socket that uses any interface.
pub(crate) fn socket(kind: SocketKind) -> Result<File> {
    let file = File::open(SOCKETS, OpenFlags::READ | OpenFlags::WRITE)?;
    file.control::<CreateSocket>(&kind)?;
    Ok(file)
}

/// Opens the sockets' device for name lookups.
pub(crate) fn resolver() -> Result<File> {
    File::open(SOCKETS, OpenFlags::READ)
}

/// A TCP connection; dropping it closes it, and written data is still delivered.
#[derive(PartialEq, Eq, Debug)]
pub struct TcpStream {
    file: File,
}

impl TcpStream {
    /// Connects.
    ///
    /// # Errors
    /// `AccessDenied` for an address that is not granted; `ConnectionRefused`,
    /// `NetworkUnreachable`, `TimedOut` and so on.
    pub fn connect(remote: SocketAddr) -> Result<Self> {
        Self::connect_with(remote, &[])
    }

    /// Connects with options that take effect before the handshake, such as buffer sizes.
    ///
    /// # Errors
    /// Errors of [`connect`](Self::connect) and of [`File::set_option`].
    pub fn connect_with(remote: SocketAddr, options: &[SocketOption]) -> Result<Self> {
        let file = socket(SocketKind::Tcp)?;
        options.iter().try_for_each(|option| file.set_option(option))?;
        file.control::<Connect>(&remote)?;
        Ok(Self { file })
    }

    /// Starts to connect without blocking. The stream becomes writable when the connect ends, and
    /// [`File::take_error`] returns its result.
    ///
    /// # Errors
    /// Errors that are known at once.
    pub fn begin_connect(remote: SocketAddr) -> Result<Self> {
        let file = socket(SocketKind::Tcp)?;
        file.set_non_blocking(true)?;
        match file.control::<Connect>(&remote) {
            Ok(_) | Err(Error::InProgress) => Ok(Self { file }),
            Err(why) => Err(why),
        }
    }

    /// Connects to the first address of a host that accepts; the host may be an address.
    ///
    /// # Errors
    /// Errors of the lookup, or the error of the last address.
    pub fn connect_name(host: &str, port: u16) -> Result<Self> {
        Self::connect_name_with(host, port, &[])
    }

    /// As [`connect_name`](Self::connect_name), with options that take effect before the handshake.
    ///
    /// # Errors
    /// Errors of the lookup and of the options, or the error of the last address.
    pub fn connect_name_with(host: &str, port: u16, options: &[SocketOption]) -> Result<Self> {
        let mut outcome = Err(Error::NotFound);
        for address in lookup(host)? {
            outcome = Self::connect_with(SocketAddr::new(address, port), options);
            if outcome.is_ok() {
                break;
            }
        }
        outcome
    }

    /// Reads available data; 0 is the end of the stream.
    ///
    /// # Errors
    /// `ConnectionReset` and the like; `WouldBlock` if the stream is non-blocking.
    pub fn read(&self, buffer: &mut [u8]) -> Result<usize> {
        self.file.read(buffer)
    }

    /// Reads to the end, at most `limit` bytes.
    ///
    /// # Errors
    /// `FileTooLarge` beyond the limit; errors of [`read`](Self::read).
    pub fn read_to_end(&self, limit: usize) -> Result<Vec<u8>> {
        self.file.read_to_end(limit)
    }

    /// Writes some of the data.
    ///
    /// # Errors
    /// `BrokenPipe`, `ConnectionReset` and the like; `WouldBlock` if the stream is non-blocking.
    pub fn write(&self, data: &[u8]) -> Result<usize> {
        self.file.write(data)
    }

    /// Writes all of the data.
    ///
    /// # Errors
    /// Errors of [`write`](Self::write), except `WouldBlock`.
    pub fn write_all(&self, data: &[u8]) -> Result<()> {
        self.file.write_all(data)
    }

    /// Shuts down one direction or both.
    ///
    /// # Errors
    /// `NotConnected`.
    pub fn shutdown(&self, direction: Direction) -> Result<()> {
        self.file.control::<Shutdown>(&direction)
    }

    /// Returns the local address.
    ///
    /// # Errors
    /// None in practice.
    pub fn local_address(&self) -> Result<SocketAddr> {
        self.file.socket().map(|status| status.local)
    }

    /// Returns the remote address.
    ///
    /// # Errors
    /// `NotConnected`.
    pub fn remote_address(&self) -> Result<SocketAddr> {
        self.file.socket()?.remote.ok_or(Error::NotConnected)
    }
}

impl AsRef<File> for TcpStream {
    fn as_ref(&self) -> &File {
        &self.file
    }
}

/// A listening TCP socket.
#[derive(PartialEq, Eq, Debug)]
pub struct TcpListener {
    file: File,
}

impl TcpListener {
    /// Listens on an address; `backlog` is the largest number of connections that wait to be
    /// accepted.
    ///
    /// # Errors
    /// `AccessDenied` for a port that is not granted, `AddressInUse`, `AddressNotAvailable`.
    pub fn bind(local: SocketAddr, backlog: u32) -> Result<Self> {
        let file = socket(SocketKind::Tcp)?;
        file.set_option(&SocketOption::ReuseAddress(true))?;
        file.control::<Bind>(&local)?;
        file.control::<Listen>(&backlog)?;
        Ok(Self { file })
    }

    /// Listens on a port of every address, IPv4 and IPv6.
    ///
    /// # Errors
    /// Errors of [`bind`](Self::bind).
    pub fn bind_port(port: u16, backlog: u32) -> Result<Self> {
        Self::bind(SocketAddr::new(Ipv6Addr::UNSPECIFIED.into(), port), backlog)
    }

    /// Accepts the next connection.
    ///
    /// # Errors
    /// `WouldBlock` if the listener is non-blocking; `TooManyOpenFiles` or `NoBufferSpace` at the
    /// limit, and the connection stays in the backlog.
    pub fn accept(&self) -> Result<(TcpStream, SocketAddr)> {
        loop {
            // Open first: without a free descriptor the connection stays in the backlog.
            let file = File::open(SOCKETS, OpenFlags::READ | OpenFlags::WRITE)?;
            let offer = self.file.control::<NextConnection>(&())?;
            match file.control::<Accept>(&offer.token) {
                Ok(_) => return Ok((TcpStream { file }, offer.remote)),
                // The connection ended before it was accepted.
                Err(Error::NotFound | Error::ConnectionAborted | Error::ConnectionReset) => {}
                Err(why) => return Err(why),
            }
        }
    }

    /// Returns the local address.
    ///
    /// # Errors
    /// None in practice.
    pub fn local_address(&self) -> Result<SocketAddr> {
        self.file.socket().map(|status| status.local)
    }
}

impl AsRef<File> for TcpListener {
    fn as_ref(&self) -> &File {
        &self.file
    }
}
