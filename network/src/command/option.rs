//! Words about socket options: what may be set, and what is set.
//!
//! Names and semantics follow Linux' socket(7), ip(7), ipv6(7), tcp(7), udp(7) and raw(7). Which
//! values are refused stands in `control`.

use alloc::string::String;

use serde::{Deserialize, Serialize};

use super::kind::SocketKind;

/// A socket option and its value; those of a listener hold for connections from then on. New ones
/// go to the end: their order is part of the encoding.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum SocketOption {
    /// Send small segments at once (TCP_NODELAY).
    NoDelay(bool),
    /// Bytes of the receive buffer (SO_RCVBUF); for streams before `connect`, for listeners those
    /// of later connections.
    ReceiveBuffer(u32),
    /// Bytes of the send buffer of a stream (SO_SNDBUF); before `connect`, for listeners those of
    /// later connections.
    SendBuffer(u32),
    /// Time to live or hop limit of what is sent to one station, 1 to 255 (IP_TTL,
    /// IPV6_UNICAST_HOPS).
    HopLimit(u8),
    /// Allow datagrams to broadcast addresses (SO_BROADCAST).
    Broadcast(bool),
    /// Milliseconds of silence before keep-alive probes begin (TCP_KEEPIDLE); 0 switches them off.
    KeepAlive(u32),
    /// Milliseconds between keep-alive probes (TCP_KEEPINTVL).
    KeepAliveInterval(u32),
    /// Unanswered keep-alive probes that end a connection (TCP_KEEPCNT).
    KeepAliveCount(u8),
    /// Milliseconds that written data may stay unacknowledged (TCP_USER_TIMEOUT); 0 for the
    /// system's choice.
    UserTimeout(u32),
    /// What closing does with unsent data (SO_LINGER): none delivers it in the background, 0
    /// resets, else milliseconds until the reset.
    Linger(Option<u32>),
    /// Share a local address with sockets that set this too (SO_REUSEADDR); before `bind`.
    ReuseAddress(bool),
    /// Share a local address and its load with sockets that set this too (SO_REUSEPORT); before
    /// `bind`.
    ReusePort(bool),
    /// DSCP and ECN bits of what is sent (IP_TOS, IPV6_TCLASS).
    TrafficClass(u8),
    /// Never fragment: what exceeds the path MTU is refused with `MessageTooLong` (IP_MTU_DISCOVER,
    /// IPV6_DONTFRAG).
    DontFragment(bool),
    /// The interface that packets to groups leave by; empty for the route's (IP_MULTICAST_IF).
    MulticastInterface(String),
    /// Time to live or hop limit of packets to groups, 1 unless set; 0 stays inside this system
    /// (IP_MULTICAST_TTL).
    MulticastHopLimit(u8),
    /// Whether members of a group on this system hear what is sent to it (IP_MULTICAST_LOOP).
    MulticastLoop(bool),
    /// Keep ICMP errors with the packets that they quote for `ReceiveError`, also on a socket that
    /// is not connected (IP_RECVERR).
    ReceiveErrors(bool),
    /// Raw sockets: what is sent begins with its own IP header (IP_HDRINCL).
    HeaderIncluded(bool),
    /// The IPv6 wildcard does not mean IPv4 too (IPV6_V6ONLY); before `bind`.
    OnlyIpv6(bool),
    /// Use one interface only; empty for all (SO_BINDTODEVICE). Before `bind` and `connect`.
    BindToDevice(String),
    /// Who decides how much of a stream may be under way (TCP_CONGESTION).
    CongestionControl(CongestionControl),
    /// Ask for congestion marks instead of losses (RFC 3168); before `connect`. A peer that asks
    /// gets them in any case.
    ExplicitCongestion(bool),
}

/// Who decides how much of a stream may be under way.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub enum CongestionControl {
    /// CUBIC with HyStart++ (RFC 9438, RFC 9406), as most of the Internet.
    #[default]
    Cubic,
    /// NewReno (RFC 5681, RFC 6582).
    NewReno,
    /// A model of the path's bandwidth and round trip, after BBR: fast on long paths with random
    /// loss, and not yet proved to be fair.
    Bbr,
}

/// Every option of a socket as it stands.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct SocketOptions {
    /// What it is.
    pub kind: SocketKind,
    /// Time to live or hop limit of what is sent to one station.
    pub hop_limit: u8,
    /// DSCP and ECN bits of what is sent.
    pub traffic_class: u8,
    /// Bytes of the receive buffer.
    pub receive_buffer: u32,
    /// Shares its local address with others that do.
    pub reuse_address: bool,
    /// Shares its local address and load with others that do.
    pub reuse_port: bool,
    /// The one interface that it uses; empty for all.
    pub device: String,
    /// Bytes of the largest packet to the peer (IP_MTU); only when connected.
    pub path_mtu: Option<u32>,
    /// What only streams and listeners have.
    pub stream: Option<StreamOptions>,
    /// What only datagram sockets have.
    pub datagram: Option<DatagramOptions>,
}

/// Options of streams; see [`SocketOption`].
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct StreamOptions {
    /// Bytes of the send buffer.
    pub send_buffer: u32,
    /// Small segments are sent at once.
    pub no_delay: bool,
    /// Milliseconds of silence before keep-alive probes; 0 for none.
    pub keep_alive: u32,
    /// Milliseconds between keep-alive probes.
    pub keep_alive_interval: u32,
    /// Unanswered keep-alive probes that end the connection.
    pub keep_alive_count: u8,
    /// Milliseconds that data may stay unacknowledged; 0 for the system's choice.
    pub user_timeout: u32,
    /// Milliseconds that closing delivers unsent data for; none for as long as it takes.
    pub linger: Option<u32>,
    /// A listener at the IPv6 wildcard does not accept IPv4 too.
    pub only_ipv6: bool,
    /// Who decides how much may be under way.
    pub congestion: CongestionControl,
    /// Congestion marks are asked for.
    pub explicit_congestion: bool,
}

/// Options of datagram sockets; see [`SocketOption`].
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct DatagramOptions {
    /// May send to everybody.
    pub broadcast: bool,
    /// Never fragments.
    pub dont_fragment: bool,
    /// The interface that packets to groups leave by; empty for the route's.
    pub multicast_interface: String,
    /// Time to live or hop limit of packets to groups.
    pub multicast_hop_limit: u8,
    /// Members on this system hear what is sent to groups.
    pub multicast_loop: bool,
    /// Keeps ICMP errors with the packets that they quote.
    pub receive_errors: bool,
    /// What is sent begins with its own IP header.
    pub header_included: bool,
    /// The IPv6 wildcard does not mean IPv4 too.
    pub only_ipv6: bool,
}
