//! Sockets as open files: open, connect, listen and resolve, for commands and services.
//!
//! All operations use `/devices/sockets`, or `/devices/network/IF` for one interface, and the
//! commands of the device; a guest with the same files could do the same. Dropping a file closes
//! its socket. Nothing here prints.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use devnet_network::command::dns::{Question, RecordKind};
use devnet_network::command::socket::{
    ConnectionName, Datagram, OutgoingDatagram, SocketKind, SocketStatus,
};
use devnet_network::command::{
    Accept, Bind, Connect, CreateSocket, GetSocket, ListInterfaces, Listen, NextConnection,
    ReceiveFrom, Resolve, SendTo,
};
use devnet_network::platform::{Clock, Instant, before};
use devnet_virtual_file_system::{Error, File, OpenFlags, Result};

use crate::context::Files;
use crate::devices::{NETWORK, SOCKETS};

/// The address family of a host to use.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Family {
    /// Any; IPv4 first, since a host without IPv6 is more common than one without IPv4.
    #[default]
    Any,
    /// IPv4.
    V4,
    /// IPv6.
    V6,
}

impl Family {
    /// True if the address is of this family.
    #[must_use]
    pub const fn includes(self, address: IpAddr) -> bool {
        match self {
            Self::Any => true,
            Self::V4 => address.is_ipv4(),
            Self::V6 => address.is_ipv6(),
        }
    }

    const fn records(self) -> RecordKind {
        match self {
            Self::Any => RecordKind::Address,
            Self::V4 => RecordKind::A,
            Self::V6 => RecordKind::Aaaa,
        }
    }

    /// Returns the unspecified address; IPv6's accepts both families, as on Linux.
    #[must_use]
    pub const fn unspecified(self) -> IpAddr {
        match self {
            Self::V4 => IpAddr::V4(Ipv4Addr::UNSPECIFIED),
            Self::Any | Self::V6 => IpAddr::V6(Ipv6Addr::UNSPECIFIED),
        }
    }
}

/// The device on which sockets are created.
#[derive(Clone)]
pub struct Sockets {
    files: Files,
    path: String,
}

/// A stream with its addresses.
#[derive(Clone)]
pub struct Connection {
    /// The stream.
    pub file: File,
    /// The local address.
    pub local: SocketAddr,
    /// The remote address.
    pub remote: SocketAddr,
}

impl Sockets {
    /// Sockets that use any interface, by route.
    #[must_use]
    pub fn routed(files: &Files) -> Self {
        Self { files: files.clone(), path: SOCKETS.to_owned() }
    }

    /// Sockets that use the interface `name` only.
    ///
    /// # Errors
    /// `NoDevice` if it does not exist.
    pub fn on(files: &Files, name: &str) -> Result<Self> {
        let sockets = Self { files: files.clone(), path: format!("{NETWORK}/{name}") };
        let is_name = !name.is_empty() && !name.contains('/') && name != "." && name != "..";
        if is_name && files.stat(&sockets.path).is_ok() {
            Ok(sockets)
        } else {
            Err(Error::NoDevice)
        }
    }

    /// The sockets for a host, and the host without its zone: `fe80::9%eth1` is reached over `eth1`
    /// (RFC 4007 §11). A zone may be the index of an interface.
    ///
    /// # Errors
    /// `NoDevice` for an unknown zone; `InvalidInput` for a zone behind anything but an IPv6
    /// address, and for another interface than that of these sockets.
    pub async fn zoned(&self, host: &str) -> Result<(Self, String)> {
        let text = without_brackets(host);
        let Some((address, zone)) = text.split_once('%') else {
            return Ok((self.clone(), text.to_owned()));
        };
        if address.parse::<Ipv6Addr>().is_err() {
            return Err(Error::InvalidInput);
        }
        let zoned = match (Self::on(&self.files, zone), zone.parse::<u32>()) {
            (Err(Error::NoDevice), Ok(index)) => {
                let all = Self::routed(&self.files).device(OpenFlags::READ)?;
                let interfaces = all.control::<ListInterfaces>(&()).await?;
                let found = interfaces.iter().find(|interface| interface.index == index);
                Self::on(&self.files, &found.ok_or(Error::NoDevice)?.name)?
            }
            (zoned, _) => zoned?,
        };
        match self.path == SOCKETS || self.path == zoned.path {
            true => Ok((zoned, address.to_owned())),
            false => Err(Error::InvalidInput),
        }
    }

    /// The interface of these sockets; none if they use any.
    #[must_use]
    pub fn interface(&self) -> Option<&str> {
        self.path.strip_prefix(NETWORK)?.strip_prefix('/')
    }

    fn device(&self, flags: OpenFlags) -> Result<File> {
        self.files.open(&self.path, flags)
    }

    /// Creates a socket.
    ///
    /// # Errors
    /// Errors of opening the device.
    pub async fn create(&self, kind: SocketKind) -> Result<File> {
        let file = self.device(OpenFlags::READ | OpenFlags::WRITE)?;
        file.control::<CreateSocket>(&kind).await?;
        Ok(file)
    }

    /// A datagram socket at a local address.
    ///
    /// # Errors
    /// `AddressInUse`, `AddressNotAvailable`.
    pub async fn bind(&self, kind: SocketKind, local: SocketAddr) -> Result<File> {
        let file = self.create(kind).await?;
        file.control::<Bind>(&local).await?;
        Ok(file)
    }

    /// Resolves a host, which may be an address itself; never empty.
    ///
    /// # Errors
    /// `NotFound` if the host has no address of this family, and errors of the resolver.
    pub async fn resolve(&self, host: &str, family: Family) -> Result<Vec<IpAddr>> {
        let text = without_brackets(host);
        let mut found: Vec<IpAddr> = match text.parse() {
            Ok(address) => vec![address],
            Err(_) => {
                let question =
                    Question { name: text.to_owned(), kind: family.records(), server: None };
                let answer = self.device(OpenFlags::READ)?.control::<Resolve>(&question).await?;
                answer.addresses().collect()
            }
        };
        found.retain(|address| family.includes(*address));
        found.sort_by_key(IpAddr::is_ipv6);
        if found.is_empty() { Err(Error::NotFound) } else { Ok(found) }
    }

    /// Connects a stream, from `local` if given.
    ///
    /// # Errors
    /// Errors of the stream: `ConnectionRefused`, `NetworkUnreachable`, `TimedOut` and so on.
    pub async fn connect(
        &self,
        remote: SocketAddr,
        local: Option<SocketAddr>,
    ) -> Result<Connection> {
        let file = self.create(SocketKind::Tcp).await?;
        // Larger windows than the default: a command transfers over one connection.
        if let Some(local) = local {
            file.control::<Bind>(&local).await?;
        }
        let local = file.control::<Connect>(&remote).await?;
        Ok(Connection { file, local, remote })
    }

    /// Connects to the first of `addresses` that accepts.
    ///
    /// # Errors
    /// The error of the last address, with that address.
    pub async fn connect_any(
        &self,
        addresses: &[IpAddr],
        port: u16,
    ) -> core::result::Result<Connection, (IpAddr, Error)> {
        let mut failure = (IpAddr::V4(Ipv4Addr::UNSPECIFIED), Error::NotFound);
        for address in addresses {
            match self.connect(SocketAddr::new(*address, port), None).await {
                Ok(connection) => return Ok(connection),
                // The error of a family with a route is more useful than that of one without.
                Err(Error::NetworkUnreachable) if failure.1 != Error::NotFound => {}
                Err(why) => failure = (*address, why),
            }
        }
        Err(failure)
    }

    /// Listens for streams.
    ///
    /// # Errors
    /// `AddressInUse`, `AddressNotAvailable`.
    pub async fn listen(&self, local: SocketAddr) -> Result<Listener> {
        let file = self.create(SocketKind::Tcp).await?;
        file.control::<Bind>(&local).await?;
        file.control::<Listen>(&BACKLOG).await?;
        let local = file.control::<GetSocket>(&()).await?.local;
        Ok(Listener { sockets: self.clone(), file, local })
    }
}

fn without_brackets(host: &str) -> &str {
    host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(host)
}

/// The listener's backlog (Linux' somaxconn).
const BACKLOG: u32 = 4096;

/// A listening socket.
pub struct Listener {
    sockets: Sockets,
    file: File,
    /// Its local address.
    pub local: SocketAddr,
}

impl Listener {
    /// Accepts the next connection.
    ///
    /// # Errors
    /// Errors of the listener; a connection that ended before it was accepted is skipped.
    pub async fn accept(&self) -> Result<Connection> {
        loop {
            let offer = self.file.control::<NextConnection>(&()).await?;
            let file = self.sockets.device(OpenFlags::READ | OpenFlags::WRITE)?;
            match file.control::<Accept>(&offer.token).await {
                Ok(_) => return Ok(Connection { file, local: offer.local, remote: offer.remote }),
                Err(Error::NotFound | Error::ConnectionAborted | Error::ConnectionReset) => {}
                Err(why) => return Err(why),
            }
        }
    }
}

/// Sends one datagram.
///
/// # Errors
/// Errors of the socket.
pub async fn send_to(file: &File, data: Vec<u8>, remote: SocketAddr) -> Result<()> {
    file.control::<SendTo>(&OutgoingDatagram { remote, data }).await
}

/// The name of a connection; `None` of a socket that is none.
#[must_use]
pub fn connection_name(socket: &SocketStatus) -> Option<ConnectionName> {
    let remote = socket.remote.filter(|_| socket.kind == SocketKind::Tcp)?;
    Some(ConnectionName { local: socket.local, remote })
}

/// Receives one datagram.
///
/// # Errors
/// Errors of the socket, including those that ICMP reported.
///
/// # Cancel safety
/// A dropped future has consumed nothing.
pub async fn receive_from(file: &File) -> Result<Datagram> {
    file.control::<ReceiveFrom>(&()).await
}

/// Runs a future with a timeout.
///
/// # Errors
/// `TimedOut`, or the future's own errors.
pub async fn within<T>(
    clock: &dyn Clock,
    time: Option<Duration>,
    work: impl Future<Output = Result<T>>,
) -> Result<T> {
    let deadline = time.map_or(Instant::NEVER, |time| clock.now().after(time));
    before(clock, deadline, work).await.unwrap_or(Err(Error::TimedOut))
}

/// Fills the buffer; false if the stream ends before the first byte.
///
/// # Errors
/// `ConnectionReset` if it ends within the buffer, and errors of the stream.
pub async fn read_exact(file: &File, buffer: &mut [u8]) -> Result<bool> {
    let mut filled = 0;
    while let Some(rest) = buffer.get_mut(filled..).filter(|rest| !rest.is_empty()) {
        match file.read(rest).await? {
            0 if filled == 0 => return Ok(false),
            0 => return Err(Error::ConnectionReset),
            count => filled += count,
        }
    }
    Ok(true)
}

/// True for a host with a zone.
#[must_use]
pub fn has_zone(host: &str) -> bool {
    host.contains('%')
}

/// The reason why a host's zone cannot be used.
#[must_use]
pub fn bad_zone(why: Error) -> String {
    match why {
        Error::InvalidInput => "bad address".to_owned(),
        why => why.to_string(),
    }
}

/// The reason why a name has no address, in the words of the C library (gai_strerror).
#[must_use]
pub fn unresolved(why: Error) -> String {
    match why {
        Error::NotFound | Error::InvalidInput => "Name or service not known".to_owned(),
        // No server, or none that responds: it may work later.
        Error::NetworkUnreachable | Error::TimedOut | Error::ConnectionRefused => {
            "Temporary failure in name resolution".to_owned()
        }
        why => why.to_string(),
    }
}
