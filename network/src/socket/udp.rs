//! UDP sockets.

use core::ops::Deref;

use super::{DatagramSocket, Sockets};
use crate::stack::datagram::Family;

/// A UDP socket; see [`DatagramSocket`] for its methods.
#[derive(Debug)]
pub struct UdpSocket(DatagramSocket);

impl UdpSocket {
    /// Makes an unbound socket.
    #[must_use]
    pub fn new(sockets: &Sockets) -> Self {
        Self(DatagramSocket::new(sockets, Family::Udp, 0))
    }

    pub(crate) fn into_skeleton(self) -> DatagramSocket {
        self.0
    }
}

impl Deref for UdpSocket {
    type Target = DatagramSocket;

    fn deref(&self) -> &DatagramSocket {
        &self.0
    }
}
