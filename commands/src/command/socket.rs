//! Types of socket commands. [`super::option`] has the options.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::net::{IpAddr, SocketAddr};

use devnet_virtual_file_system::Error;
use serde::{Deserialize, Serialize};

pub use super::kind::SocketKind;
pub use super::option::{
    CongestionControl, DatagramOptions, FurtherOptions, FurtherStreamOptions, PathMtuDiscovery,
    SocketOption, SocketOptions, StreamOptions,
};
use crate::words::words;

/// The state of a stream (RFC 9293 §3.3.2); datagram sockets are `Closed`, or `Established` once
/// connected.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum SocketState {
    /// CLOSED: no connection.
    Closed,
    /// LISTEN: waits for connections.
    Listen,
    /// SYN-SENT: sent a SYN.
    SynSent,
    /// SYN-RECEIVED: received a SYN and sent its own.
    SynReceived,
    /// ESTABLISHED: open.
    Established,
    /// FIN-WAIT-1: we sent a FIN, which is not acknowledged yet.
    FinWait1,
    /// FIN-WAIT-2: our FIN is acknowledged, the peer has not closed.
    FinWait2,
    /// CLOSE-WAIT: the peer sent a FIN.
    CloseWait,
    /// CLOSING: both sent a FIN, ours is not acknowledged yet.
    Closing,
    /// LAST-ACK: the peer closed first, then we; our FIN is not acknowledged yet.
    LastAck,
    /// TIME-WAIT: closed; late segments may still arrive.
    TimeWait,
}

words! {
    SocketState {
        Closed => "closed",
        Listen => "listen",
        SynSent => "syn-sent",
        SynReceived => "syn-received",
        Established => "established",
        FinWait1 => "fin-wait-1",
        FinWait2 => "fin-wait-2",
        CloseWait => "close-wait",
        Closing => "closing",
        LastAck => "last-ack",
        TimeWait => "time-wait",
    }
}

/// The status of a socket.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct SocketStatus {
    /// Its kind.
    pub kind: SocketKind,
    /// Its state.
    pub state: SocketState,
    /// Local address; unspecified when not bound.
    pub local: SocketAddr,
    /// Remote address; none when not connected.
    pub remote: Option<SocketAddr>,
    /// The interface that it is bound to; empty for all.
    pub interface: String,
    /// Bytes received and not read yet; for a listener, the length of its accept queue.
    pub receive_queue: u32,
    /// Bytes written and not acknowledged yet; for a listener, its backlog.
    pub send_queue: u32,
}

/// A connection by its two ends, as `ListSockets` shows them. Scopes of IPv6 do not count.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct ConnectionName {
    /// The local end.
    pub local: SocketAddr,
    /// The remote end.
    pub remote: SocketAddr,
}

/// A connection that a listener offers.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Offer {
    /// The token for `Accept`; random.
    pub token: u64,
    /// The local address.
    pub local: SocketAddr,
    /// The remote address.
    pub remote: SocketAddr,
}

impl Offer {
    /// The longest line about a connection in bytes; a read of a listener needs a buffer of this
    /// size.
    pub const LINE_BYTES: usize = 128;

    /// Writes the line that reading a listener returns, `TOKEN REMOTE LOCAL`; returns its length.
    #[must_use]
    pub fn write_line(&self, buffer: &mut [u8]) -> usize {
        let line = format!("{} {} {}\n", self.token, self.remote, self.local);
        let copied = line.len().min(buffer.len());
        buffer.iter_mut().zip(line.as_bytes()).for_each(|(slot, byte)| *slot = *byte);
        copied
    }
}

/// The directions of a stream to shut down.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum Direction {
    /// The reading direction.
    Read,
    /// The writing direction: written data is delivered, then end of file.
    Write,
    /// Both.
    Both,
}

/// A datagram to send.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct OutgoingDatagram {
    /// The destination; the port of an ICMP datagram has no meaning.
    pub remote: SocketAddr,
    /// The data.
    pub data: Vec<u8>,
}

/// A received datagram.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Datagram {
    /// The sender.
    pub remote: SocketAddr,
    /// The local address that it was sent to.
    pub local: SocketAddr,
    /// The receiving interface.
    pub interface: String,
    /// Time to live or hop limit on arrival.
    pub hop_limit: u8,
    /// Its data.
    pub data: Vec<u8>,
}

/// The data of the next read of a socket.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Peeked {
    /// The sender.
    pub remote: SocketAddr,
    /// The length of the whole datagram; for a stream that of `data`.
    pub length: u32,
    /// The first bytes, as many as requested; none at the end of a stream.
    pub data: Vec<u8>,
}

/// Where the delivery of a packet failed.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum ErrorOrigin {
    /// On this system: the neighbor did not answer, or the packet was too large.
    Local,
    /// A host sent an ICMP error.
    Icmp,
    /// A host sent an ICMPv6 error.
    Icmpv6,
}

/// A delivery failure of a sent packet (IP_RECVERR, IPV6_RECVERR).
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct ErrorReport {
    /// The error as returned by calls on the socket.
    pub error: Error,
    /// Where the failure was detected.
    pub origin: ErrorOrigin,
    /// ICMP type; 0 for local errors.
    pub kind: u8,
    /// ICMP code; 0 for local errors.
    pub code: u8,
    /// The path MTU for a packet that was too large, the pointer of a parameter problem, else 0.
    pub information: u32,
    /// The host that sent the error.
    pub reporter: Option<IpAddr>,
    /// The destination of the packet.
    pub remote: SocketAddr,
    /// The quoted packet, from its IP header on.
    pub packet: Vec<u8>,
}
