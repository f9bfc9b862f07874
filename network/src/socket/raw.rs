//! Raw sockets.

use core::ops::Deref;

use virtual_file_system::Error;

use super::{DatagramSocket, Sockets};
use crate::stack::datagram::Family;

/// A socket for the packets of one IP protocol, or of every one (raw(7)).
///
/// It receives a copy of each such packet from the moment it is made: over IPv4 the whole packet,
/// over IPv6 what follows its headers. What it sends gets a header, unless
/// [`set_header_included`](Self::set_header_included) says that it brings its own. ICMPv6 checksums
/// are filled in. What else it can do stands at [`DatagramSocket`]; ports mean nothing here.
#[derive(Debug)]
pub struct RawSocket(DatagramSocket);

impl RawSocket {
    /// Makes a socket for IPv4 packets of `protocol`; 0 for every one, 255 for one that only sends
    /// packets with their own header.
    ///
    /// # Errors
    /// `NetworkDown` when the interface is gone.
    pub fn ipv4(sockets: &Sockets, protocol: u8) -> Result<Self, Error> {
        Self::new(sockets, Family::Raw, protocol)
    }

    /// The same for IPv6.
    ///
    /// # Errors
    /// As [`ipv4`](Self::ipv4).
    pub fn ipv6(sockets: &Sockets, protocol: u8) -> Result<Self, Error> {
        Self::new(sockets, Family::Raw6, protocol)
    }

    fn new(sockets: &Sockets, family: Family, protocol: u8) -> Result<Self, Error> {
        let socket = DatagramSocket::new(sockets, family, protocol);
        socket.listen_raw()?;
        Ok(Self(socket))
    }

    /// Whether what is sent begins with its own IP header (IP_HDRINCL). Fields of an IPv4 header
    /// that are 0 are filled in: length, source, checksum, and the identification of a packet that
    /// is no fragment; the rest is sent as given.
    pub fn set_header_included(&self, included: bool) {
        // A raw socket has the option.
        let _ = self.0.set_header_included_raw(included);
    }

    pub(crate) fn into_skeleton(self) -> DatagramSocket {
        self.0
    }
}

impl Deref for RawSocket {
    type Target = DatagramSocket;

    fn deref(&self) -> &DatagramSocket {
        &self.0
    }
}
