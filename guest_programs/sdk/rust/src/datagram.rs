//! UDP and ICMP.

use core::net::{IpAddr, SocketAddr};

use crate::command::socket::{Datagram, OutgoingDatagram, SocketKind};
use crate::command::{Bind, Connect, ReceiveFrom, SendTo};
use crate::{File, Result, stream};

/// A UDP socket.
#[derive(PartialEq, Eq, Debug)]
pub struct UdpSocket {
    file: File,
}

impl UdpSocket {
    /// Binds a socket to a local address; port 0 selects an ephemeral port.
    ///
    /// # Errors
    /// `AccessDenied` for a port that is not granted, `AddressInUse`, `AddressNotAvailable`.
    pub fn bind(local: SocketAddr) -> Result<Self> {
        let file = stream::socket(SocketKind::Udp)?;
        file.control::<Bind>(&local)?;
        Ok(Self { file })
    }

    /// Connects a socket to one peer: it sends to the peer and receives only from it.
    ///
    /// # Errors
    /// `AccessDenied` for a peer that is not granted, `NetworkUnreachable`.
    pub fn connect(remote: SocketAddr) -> Result<Self> {
        let file = stream::socket(SocketKind::Udp)?;
        file.control::<Connect>(&remote)?;
        Ok(Self { file })
    }

    /// Sends to the connected peer.
    ///
    /// # Errors
    /// `NotConnected`, `MessageTooLong`, and ICMP errors for earlier datagrams.
    pub fn send(&self, data: &[u8]) -> Result<usize> {
        self.file.write(data)
    }

    /// Receives from the connected peer; the part that does not fit is cut off.
    ///
    /// # Errors
    /// ICMP errors; `WouldBlock` if the socket is non-blocking.
    pub fn receive(&self, buffer: &mut [u8]) -> Result<usize> {
        self.file.read(buffer)
    }

    /// Sends to a peer; at most 16,000 bytes.
    ///
    /// # Errors
    /// `AccessDenied` for a peer that is not granted, `MessageTooLong`, `NetworkUnreachable`.
    pub fn send_to(&self, data: &[u8], remote: SocketAddr) -> Result<()> {
        self.file.control::<SendTo>(&OutgoingDatagram { remote, data: data.into() })
    }

    /// Receives a datagram with its addresses.
    ///
    /// # Errors
    /// ICMP errors; `WouldBlock` if the socket is non-blocking.
    pub fn receive_from(&self) -> Result<Datagram> {
        self.file.control::<ReceiveFrom>(&())
    }

    /// Returns the local address.
    ///
    /// # Errors
    /// None in practice.
    pub fn local_address(&self) -> Result<SocketAddr> {
        self.file.socket().map(|status| status.local)
    }
}

impl AsRef<File> for UdpSocket {
    fn as_ref(&self) -> &File {
        &self.file
    }
}

/// An ICMP socket for echo requests and replies with one peer.
#[derive(PartialEq, Eq, Debug)]
pub struct IcmpSocket {
    file: File,
    remote: IpAddr,
}

impl IcmpSocket {
    /// Creates a socket for one peer.
    ///
    /// # Errors
    /// `PermissionDenied` or `AccessDenied` unless the peer is granted with all ports.
    pub fn connect(remote: IpAddr) -> Result<Self> {
        let file = stream::socket(SocketKind::Icmp)?;
        file.control::<Connect>(&SocketAddr::new(remote, 0))?;
        Ok(Self { file, remote })
    }

    /// Sends an echo request with at most 1024 bytes of data.
    ///
    /// # Errors
    /// `NetworkUnreachable`, `HostUnreachable` and other ICMP errors.
    pub fn request(&self, sequence: u16, data: &[u8]) -> Result<()> {
        let kind = if self.remote.is_ipv4() { 8 } else { 128 };
        let [high, low] = sequence.to_be_bytes();
        // The system fills in checksum and identifier.
        let mut message = alloc::vec![kind, 0, 0, 0, 0, 0, high, low];
        message.extend_from_slice(data.get(..1024).unwrap_or(data));
        self.file.write(&message).map(drop)
    }

    /// Receives an echo reply: its sequence number, and the datagram, whose data begin after eight
    /// bytes.
    ///
    /// # Errors
    /// ICMP errors; `WouldBlock` if the socket is non-blocking.
    pub fn reply(&self) -> Result<(u16, Datagram)> {
        loop {
            let datagram = self.file.control::<ReceiveFrom>(&())?;
            if let [_, _, _, _, _, _, high, low, ..] = *datagram.data.as_slice() {
                return Ok((u16::from_be_bytes([high, low]), datagram));
            }
        }
    }
}

impl AsRef<File> for IcmpSocket {
    fn as_ref(&self) -> &File {
        &self.file
    }
}
