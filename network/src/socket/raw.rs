//! Raw sockets.

use core::ops::Deref;

use devnet_virtual_file_system::Error;

use super::{DatagramSocket, Sockets};
use crate::stack::datagram::Family;

/// A socket for the packets of one IP protocol, or of all (raw(7)).
///
/// It receives a copy of each such packet from its creation on: over IPv4 the whole packet, over
/// IPv6 what follows its headers. Sent data gets a header, unless
/// [`set_header_included`](Self::set_header_included) is set. ICMPv6 checksums are filled in. See
/// [`DatagramSocket`] for its other methods; ports have no meaning here.
#[derive(Debug)]
pub struct RawSocket(DatagramSocket);

impl RawSocket {
    /// Makes a socket for IPv4 packets of `protocol`; 0 for all protocols, 255 for one that only
    /// sends packets with their own header.
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

    /// Whether sent data begins with its own IP header (IP_HDRINCL). Fields of an IPv4 header that
    /// are 0 are filled in: length, source, checksum, and the identification of a packet that is
    /// not a fragment; the rest is sent as given.
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
