//! UDP and ICMP.

use core::net::{IpAddr, SocketAddr};

use crate::command::socket::{Datagram, OutgoingDatagram, SocketKind};
use crate::command::{Bind, Connect, ReceiveFrom, SendTo};
use crate::{File, Result, stream};

/// Datagrams.
#[derive(PartialEq, Eq, Debug)]
pub struct UdpSocket {
    file: File,
}

impl UdpSocket {
    /// A socket at a local address; port 0 lets the system choose.
    ///
    /// # Errors
    /// `AccessDenied` for a port that was not granted, `AddressInUse`, `AddressNotAvailable`.
    pub fn bind(local: SocketAddr) -> Result<Self> {
        let file = stream::socket(SocketKind::Udp)?;
        file.control::<Bind>(&local)?;
        Ok(Self { file })
    }

    /// A socket whose datagrams go to one station and come from it.
    ///
    /// # Errors
    /// `AccessDenied` for what was not granted, `NetworkUnreachable`.
    pub fn connect(remote: SocketAddr) -> Result<Self> {
        let file = stream::socket(SocketKind::Udp)?;
        file.control::<Connect>(&remote)?;
        Ok(Self { file })
    }

    /// Sends to the connected station.
    ///
    /// # Errors
    /// `NotConnected`, `MessageTooLong`, and what ICMP told about earlier ones.
    pub fn send(&self, data: &[u8]) -> Result<usize> {
        self.file.write(data)
    }

    /// Receives from the connected station; what does not fit is cut off.
    ///
    /// # Errors
    /// What ICMP told; `WouldBlock` when it is non-blocking.
    pub fn receive(&self, buffer: &mut [u8]) -> Result<usize> {
        self.file.read(buffer)
    }

    /// Sends to a station; at most 16,000 bytes.
    ///
    /// # Errors
    /// `AccessDenied` for what was not granted, `MessageTooLong`, `NetworkUnreachable`.
    pub fn send_to(&self, data: &[u8], remote: SocketAddr) -> Result<()> {
        self.file.control::<SendTo>(&OutgoingDatagram { remote, data: data.into() })
    }

    /// Receives a datagram with its addresses.
    ///
    /// # Errors
    /// What ICMP told; `WouldBlock` when it is non-blocking.
    pub fn receive_from(&self) -> Result<Datagram> {
        self.file.control::<ReceiveFrom>(&())
    }

    /// Our end.
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

/// Echo requests and replies to and from one station.
#[derive(PartialEq, Eq, Debug)]
pub struct IcmpSocket {
    file: File,
    remote: IpAddr,
}

impl IcmpSocket {
    /// A socket for one station.
    ///
    /// # Errors
    /// `PermissionDenied` or `AccessDenied` unless the station was granted with all ports.
    pub fn connect(remote: IpAddr) -> Result<Self> {
        let file = stream::socket(SocketKind::Icmp)?;
        file.control::<Connect>(&SocketAddr::new(remote, 0))?;
        Ok(Self { file, remote })
    }

    /// Asks for an echo of at most 1024 bytes.
    ///
    /// # Errors
    /// `NetworkUnreachable`, `HostUnreachable` and what ICMP told.
    pub fn request(&self, sequence: u16, data: &[u8]) -> Result<()> {
        let kind = if self.remote.is_ipv4() { 8 } else { 128 };
        let [high, low] = sequence.to_be_bytes();
        // Checksum and identifier are the system's to fill in.
        let mut message = alloc::vec![kind, 0, 0, 0, 0, 0, high, low];
        message.extend_from_slice(data.get(..1024).unwrap_or(data));
        self.file.write(&message).map(drop)
    }

    /// Takes an answer: its sequence number, and the datagram whose data begin after eight bytes.
    ///
    /// # Errors
    /// What ICMP told; `WouldBlock` when it is non-blocking.
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
