//! Words about sockets. Their options stand in [`super::option`].

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::net::{IpAddr, SocketAddr};

use serde::{Deserialize, Serialize};
use virtual_file_system::Error;

pub use super::kind::SocketKind;
pub use super::option::{DatagramOptions, SocketOption, SocketOptions, StreamOptions};

/// How far a stream is (RFC 9293 §3.3.2); datagram sockets are `Closed`, or `Established` once
/// connected.
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

impl Offer {
    /// Bytes that the longest line about a connection needs; who reads a listener must have room
    /// for so many.
    pub const LINE_BYTES: usize = 128;

    /// Writes the line that reading a listener gives, `TOKEN REMOTE LOCAL`; tells its length.
    #[must_use]
    pub fn write_line(&self, buffer: &mut [u8]) -> usize {
        let line = format!("{} {} {}\n", self.token, self.remote, self.local);
        let copied = line.len().min(buffer.len());
        buffer.iter_mut().zip(line.as_bytes()).for_each(|(slot, byte)| *slot = *byte);
        copied
    }
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

/// What the next read of a socket gives.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Peeked {
    /// Who sent it.
    pub remote: SocketAddr,
    /// Bytes of the whole datagram; of a stream those that are shown.
    pub length: u32,
    /// The first bytes of it, as many as were asked for; none at the end of a stream.
    pub data: Vec<u8>,
}

/// Who noticed that a packet of ours could not be delivered.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum ErrorOrigin {
    /// This system: the neighbor did not answer, or the packet was too large to leave.
    Local,
    /// A station that sent an ICMP error.
    Icmp,
    /// A station that sent an ICMPv6 error.
    Icmpv6,
}

/// What became of a packet that a socket sent (IP_RECVERR, IPV6_RECVERR).
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct ErrorReport {
    /// The error as calls on the socket name it.
    pub error: Error,
    /// Who noticed.
    pub origin: ErrorOrigin,
    /// ICMP type; 0 for local errors.
    pub kind: u8,
    /// ICMP code; 0 for local errors.
    pub code: u8,
    /// The path MTU for a packet that was too large, the pointer of a parameter problem, else 0.
    pub information: u32,
    /// The station that sent the error.
    pub reporter: Option<IpAddr>,
    /// Where the packet was sent to.
    pub remote: SocketAddr,
    /// The packet as it was quoted, from its IP header on.
    pub packet: Vec<u8>,
}
