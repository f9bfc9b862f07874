//! The kinds of sockets.

use serde::{Deserialize, Serialize};

/// What kind of socket an open file becomes.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum SocketKind {
    /// A byte stream; `bind` and `listen`, or `connect`.
    Tcp,
    /// Datagrams.
    Udp,
    /// Echo requests and replies: a datagram is an ICMP message from its type on. The identifier is
    /// the socket's port.
    Icmp,
    /// IPv4 packets of one protocol, or of every protocol (0): whole packets are received; what is
    /// sent gets a header unless `HeaderIncluded` is set.
    Raw(u8),
    /// IPv6 packets of one protocol, or of every protocol (0): what follows the headers is received
    /// and sent.
    Raw6(u8),
}
