//! The kinds of sockets.

use serde::{Deserialize, Serialize};

/// The kind of socket that an open file becomes.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum SocketKind {
    /// A byte stream; `bind` and `listen`, or `connect`.
    Tcp,
    /// Datagrams.
    Udp,
    /// Echo requests and replies: a datagram is an ICMP message from its type on. The identifier is
    /// the socket's port.
    Icmp,
    /// IPv4 packets of one protocol, or of all (0): receives whole packets; sent data gets a header
    /// unless `HeaderIncluded` is set.
    Raw(u8),
    /// IPv6 packets of one protocol, or of all (0): receives and sends what follows the headers.
    Raw6(u8),
}
