//! TCP.

use alloc::vec::Vec;
use core::net::{Ipv6Addr, SocketAddr};

use crate::command::socket::{Direction, SocketKind, SocketOption};
use crate::command::{Accept, Bind, Connect, CreateSocket, Listen, NextConnection, Shutdown};
use crate::{Error, File, OpenFlags, Result, lookup};

/// The device whose sockets use any interface.
const SOCKETS: &str = "/devices/sockets";

/// A new socket of any interface.
pub(crate) fn socket(kind: SocketKind) -> Result<File> {
    let file = File::open(SOCKETS, OpenFlags::READ | OpenFlags::WRITE)?;
    file.control::<CreateSocket>(&kind)?;
    Ok(file)
}

/// Opens the device to ask it something.
pub(crate) fn resolver() -> Result<File> {
    File::open(SOCKETS, OpenFlags::READ)
}

/// A connection; dropping it closes it, and what was written is delivered.
#[derive(PartialEq, Eq, Debug)]
pub struct TcpStream {
    file: File,
}

impl TcpStream {
    /// Connects.
    ///
    /// # Errors
    /// `AccessDenied` for what was not granted; `ConnectionRefused`, `NetworkUnreachable`,
    /// `TimedOut` and so on.
    pub fn connect(remote: SocketAddr) -> Result<Self> {
        Self::connect_with(remote, &[])
    }

    /// Connects with options that are decided before, such as the size of the buffers.
    ///
    /// # Errors
    /// Those of [`connect`](Self::connect) and of [`File::set_option`].
    pub fn connect_with(remote: SocketAddr, options: &[SocketOption]) -> Result<Self> {
        let file = socket(SocketKind::Tcp)?;
        options.iter().try_for_each(|option| file.set_option(option))?;
        file.control::<Connect>(&remote)?;
        Ok(Self { file })
    }

    /// Begins to connect without waiting. It becomes writable when that is over, and
    /// [`File::take_error`] tells whether it went well.
    ///
    /// # Errors
    /// Those that are known at once.
    pub fn begin_connect(remote: SocketAddr) -> Result<Self> {
        let file = socket(SocketKind::Tcp)?;
        file.set_non_blocking(true)?;
        match file.control::<Connect>(&remote) {
            Ok(_) | Err(Error::InProgress) => Ok(Self { file }),
            Err(why) => Err(why),
        }
    }

    /// Connects to the first address of a host that answers; the host may be an address.
    ///
    /// # Errors
    /// Those of the name, or that of the last address.
    pub fn connect_name(host: &str, port: u16) -> Result<Self> {
        Self::connect_name_with(host, port, &[])
    }

    /// The same with options that are decided before.
    ///
    /// # Errors
    /// Those of the name and of the options, or that of the last address.
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

    /// Reads what is there; 0 is the end.
    ///
    /// # Errors
    /// `ConnectionReset` and the like; `WouldBlock` when it is non-blocking.
    pub fn read(&self, buffer: &mut [u8]) -> Result<usize> {
        self.file.read(buffer)
    }

    /// Reads to the end, but no more than `limit` bytes.
    ///
    /// # Errors
    /// `FileTooLarge` beyond the limit; those of [`read`](Self::read).
    pub fn read_to_end(&self, limit: usize) -> Result<Vec<u8>> {
        self.file.read_to_end(limit)
    }

    /// Writes some of the data.
    ///
    /// # Errors
    /// `BrokenPipe`, `ConnectionReset` and the like; `WouldBlock` when it is non-blocking.
    pub fn write(&self, data: &[u8]) -> Result<usize> {
        self.file.write(data)
    }

    /// Writes all of the data.
    ///
    /// # Errors
    /// Those of [`write`](Self::write), less `WouldBlock`.
    pub fn write_all(&self, data: &[u8]) -> Result<()> {
        self.file.write_all(data)
    }

    /// Ends one direction or both.
    ///
    /// # Errors
    /// `NotConnected`.
    pub fn shutdown(&self, direction: Direction) -> Result<()> {
        self.file.control::<Shutdown>(&direction)
    }

    /// Our end.
    ///
    /// # Errors
    /// None in practice.
    pub fn local_address(&self) -> Result<SocketAddr> {
        self.file.socket().map(|status| status.local)
    }

    /// The other end.
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

/// Waits for connections.
#[derive(PartialEq, Eq, Debug)]
pub struct TcpListener {
    file: File,
}

impl TcpListener {
    /// Listens at an address; as many connections as `backlog` says wait to be accepted.
    ///
    /// # Errors
    /// `AccessDenied` for a port that was not granted, `AddressInUse`, `AddressNotAvailable`.
    pub fn bind(local: SocketAddr, backlog: u32) -> Result<Self> {
        let file = socket(SocketKind::Tcp)?;
        file.set_option(&SocketOption::ReuseAddress(true))?;
        file.control::<Bind>(&local)?;
        file.control::<Listen>(&backlog)?;
        Ok(Self { file })
    }

    /// Listens at a port of every address, IPv4 and IPv6.
    ///
    /// # Errors
    /// Those of [`bind`](Self::bind).
    pub fn bind_port(port: u16, backlog: u32) -> Result<Self> {
        Self::bind(SocketAddr::new(Ipv6Addr::UNSPECIFIED.into(), port), backlog)
    }

    /// Takes the next connection.
    ///
    /// # Errors
    /// `WouldBlock` when it is non-blocking; `TooManyOpenFiles` or `NoBufferSpace` beyond what was
    /// granted, and the connection waits on.
    pub fn accept(&self) -> Result<(TcpStream, SocketAddr)> {
        loop {
            // The descriptor first: without one the connection waits on.
            let file = File::open(SOCKETS, OpenFlags::READ | OpenFlags::WRITE)?;
            let offer = self.file.control::<NextConnection>(&())?;
            match file.control::<Accept>(&offer.token) {
                Ok(_) => return Ok((TcpStream { file }, offer.remote)),
                // It ended before it was taken.
                Err(Error::NotFound | Error::ConnectionAborted | Error::ConnectionReset) => {}
                Err(why) => return Err(why),
            }
        }
    }

    /// Where it listens.
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
