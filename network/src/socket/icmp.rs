//! Sockets for ICMP echo.

use core::ops::Deref;

use super::{DatagramSocket, Sockets};
use crate::stack::datagram::Family;

/// A socket for ICMP echo, like Linux' `SOCK_DGRAM` ping sockets: it sends echo requests and
/// receives the replies with its identifier, which is its port. A datagram is an ICMP message from
/// its type on; identifier and checksum are filled in. It always gets errors about its requests.
/// See [`DatagramSocket`] for its other methods.
#[derive(Debug)]
pub struct IcmpSocket(DatagramSocket);

impl IcmpSocket {
    /// Makes an unbound socket; binding it to a port chooses the identifier.
    #[must_use]
    pub fn new(sockets: &Sockets) -> Self {
        Self(DatagramSocket::new(sockets, Family::Icmp, 0))
    }

    pub(crate) fn into_skeleton(self) -> DatagramSocket {
        self.0
    }
}

impl Deref for IcmpSocket {
    type Target = DatagramSocket;

    fn deref(&self) -> &DatagramSocket {
        &self.0
    }
}
