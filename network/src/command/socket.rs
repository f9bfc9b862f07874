//! Words about sockets.

use alloc::string::String;
use alloc::vec::Vec;
use core::net::SocketAddr;

use serde::{Deserialize, Serialize};

/// What kind of socket an open file becomes.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum SocketKind {
    /// A byte stream; `bind` and `listen`, or `connect`.
    Tcp,
    /// Datagrams.
    Udp,
    /// Echo requests and replies: a datagram is an ICMP message from its type on. The identifier is the socket's port.
    Icmp,
}

/// How far a stream is (RFC 9293 §3.3.2); datagram sockets are `Closed`, or `Established` once connected.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum SocketState {
    /// Nothing under way.
    Closed,
    /// Waits for connections.
    Listen,
    /// Asked for a connection.
    SynSent,
    /// Was asked for a connection and agreed.
    SynReceived,
    /// Open.
    Established,
    /// We ended our direction, not yet acknowledged.
    FinWait1,
    /// We ended our direction, the peer has not.
    FinWait2,
    /// The peer ended its direction.
    CloseWait,
    /// Both ended, our end not acknowledged yet.
    Closing,
    /// The peer ended first, then we; our end not acknowledged yet.
    LastAck,
    /// Over; late segments may still arrive.
    TimeWait,
}

/// A socket as others see it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct SocketStatus {
    /// What it is.
    pub kind: SocketKind,
    /// How far it is.
    pub state: SocketState,
    /// Local address; unspecified when not bound.
    pub local: SocketAddr,
    /// Remote address; none when not connected.
    pub remote: Option<SocketAddr>,
    /// The interface that it is bound to; empty for a routed one.
    pub interface: String,
    /// Bytes received and not read yet; for a listener, connections waiting.
    pub receive_queue: u32,
    /// Bytes written and not acknowledged yet; for a listener, its backlog.
    pub send_queue: u32,
}

/// A connection that a listener hands out.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Offer {
    /// What to present to `Accept`; drawn at random.
    pub token: u64,
    /// Our end.
    pub local: SocketAddr,
    /// The other end.
    pub remote: SocketAddr,
}

/// Which directions of a stream to end.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum Direction {
    /// Nothing more is read.
    Read,
    /// Nothing more is written: what was written is delivered, then end of file.
    Write,
    /// Both.
    Both,
}

/// A socket option and its value; semantics follow Linux' tcp(7), ip(7) and socket(7).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum SocketOption {
    /// Send small segments at once (TCP_NODELAY).
    NoDelay(bool),
    /// Bytes of the receive buffer; before `connect` and `listen` only.
    ReceiveBuffer(u32),
    /// Bytes of the send buffer; before `connect` and `listen` only.
    SendBuffer(u32),
    /// Time to live or hop limit of what is sent, 1 to 255.
    HopLimit(u8),
    /// Allow datagrams to broadcast addresses (SO_BROADCAST).
    Broadcast(bool),
    /// Milliseconds between keep-alive probes of an idle stream; 0 switches them off.
    KeepAlive(u32),
}

/// A datagram to send.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct OutgoingDatagram {
    /// Where to; the port of an ICMP datagram does not matter.
    pub remote: SocketAddr,
    /// What to send.
    pub data: Vec<u8>,
}

/// A datagram that arrived.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Datagram {
    /// Who sent it.
    pub remote: SocketAddr,
    /// Which of our addresses it was sent to.
    pub local: SocketAddr,
    /// The interface that it arrived on.
    pub interface: String,
    /// Time to live or hop limit as it arrived.
    pub hop_limit: u8,
    /// Its data.
    pub data: Vec<u8>,
}
