//! What connections, sockets and tables use.

use alloc::string::String;

use serde::{Deserialize, Serialize};

/// What an interface uses of what is bounded ([`limits`](crate::limits)). Everything is counted
/// from its beginning until nothing of it is left, also after its file was closed.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Usage {
    /// The interface.
    pub interface: String,
    /// Connections of programs and in accept queues.
    pub connections: u32,
    /// Connections in the handshake that nobody has accepted.
    pub half_open: u32,
    /// Connections whose program is gone and whose last data is under way.
    pub orphans: u32,
    /// Connections in TIME-WAIT.
    pub time_wait: u32,
    /// Listening sockets.
    pub listeners: u32,
    /// UDP, ICMP and raw sockets.
    pub datagram_sockets: u32,
    /// Neighbors.
    pub neighbors: u32,
    /// Bytes of memory of the connections.
    pub tcp_memory: u64,
    /// Bytes of memory of the connections of all interfaces, counted in steps of 64 KiB for each of
    /// them.
    pub tcp_memory_of_system: u64,
    /// The limit of these.
    pub tcp_memory_limit: u64,
}
