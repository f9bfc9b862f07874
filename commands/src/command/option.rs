//! Types of socket option commands.
//!
//! Names and semantics follow Linux' socket(7), ip(7), ipv6(7), tcp(7), udp(7) and raw(7).
//! `control` validates the values.

use alloc::string::String;

use serde::{Deserialize, Serialize};

use crate::words::words;

use super::kind::SocketKind;

/// A socket option and its value; those of a listener apply to later connections. New options are
/// appended: their order is part of the encoding.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum SocketOption {
    /// Disables Nagle's algorithm (TCP_NODELAY).
    NoDelay(bool),
    /// Bytes of the receive buffer (SO_RCVBUF); for streams before `connect`, for listeners those
    /// of later connections.
    ReceiveBuffer(u32),
    /// Bytes of the send buffer of a stream (SO_SNDBUF); before `connect`, for listeners those of
    /// later connections.
    SendBuffer(u32),
    /// Time to live or hop limit of unicast packets, 1 to 255 (IP_TTL, IPV6_UNICAST_HOPS).
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
    /// default.
    UserTimeout(u32),
    /// What closing does with unsent data (SO_LINGER): none delivers it in the background, 0 resets
    /// at once, else milliseconds until the reset.
    Linger(Option<u32>),
    /// Share a local address with sockets that set this too (SO_REUSEADDR); before `bind`.
    ReuseAddress(bool),
    /// Share a local address and its load with sockets that set this too (SO_REUSEPORT); before
    /// `bind`.
    ReusePort(bool),
    /// DSCP and ECN bits of sent packets (IP_TOS, IPV6_TCLASS).
    TrafficClass(u8),
    /// Never fragment: packets that exceed the path MTU fail with `MessageTooLong`
    /// (IP_MTU_DISCOVER, IPV6_DONTFRAG).
    DontFragment(bool),
    /// The interface for multicast packets; empty for the route's (IP_MULTICAST_IF).
    MulticastInterface(String),
    /// Time to live or hop limit of multicast packets, 1 by default; 0 stays inside this system
    /// (IP_MULTICAST_TTL).
    MulticastHopLimit(u8),
    /// Whether local members of a group receive packets sent to it (IP_MULTICAST_LOOP).
    MulticastLoop(bool),
    /// Queue ICMP errors with the packets that they quote for `ReceiveError`, also on a socket that
    /// is not connected (IP_RECVERR).
    ReceiveErrors(bool),
    /// Raw sockets: sent data begins with its own IP header (IP_HDRINCL).
    HeaderIncluded(bool),
    /// The IPv6 wildcard excludes IPv4 (IPV6_V6ONLY); before `bind`.
    OnlyIpv6(bool),
    /// Bind to one interface; empty for all (SO_BINDTODEVICE). Before `bind` and `connect`.
    BindToDevice(String),
    /// The congestion control algorithm of a stream (TCP_CONGESTION).
    CongestionControl(CongestionControl),
    /// Request ECN: congestion marks instead of losses (RFC 3168); before `connect`. A peer that
    /// requests it gets it in any case.
    ExplicitCongestion(bool),
    /// Offer and accept timestamps (RFC 7323), on by default; before `connect`, for listeners those
    /// of later connections.
    Timestamps(bool),
    /// Bytes of the largest segment that is announced and sent, 88 to 32,767 (TCP_MAXSEG); 0 for
    /// what interface and path allow.
    MaximumSegment(u16),
    /// Hold a segment that is not full until more is written, the option is switched off, or 200 ms
    /// have passed (TCP_CORK).
    Cork(bool),
    /// Bytes that may be written and not sent before the stream stops being writable
    /// (TCP_NOTSENT_LOWAT); 0 for the send buffer alone.
    NotSentLowWater(u32),
    /// What is done about the path MTU (IP_MTU_DISCOVER, IPV6_MTU_DISCOVER).
    PathMtuDiscovery(PathMtuDiscovery),
    /// Fall back to the least path MTU of IPv6 when long segments vanish without an ICMP error (RFC
    /// 8899 §4.2), on by default.
    BlackHoleDetection(bool),
}

/// What a socket does about the path MTU; Linux' names are those of IP_MTU_DISCOVER.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub enum PathMtuDiscovery {
    /// Routers may fragment what is sent (IP_PMTUDISC_DONT); the default of datagrams.
    Never,
    /// Routers may not, and what exceeds the path MTU is fragmented here (IP_PMTUDISC_WANT); the
    /// default of streams, which cut their segments to it.
    #[default]
    Want,
    /// Nobody fragments: datagrams that exceed the path MTU fail with `MessageTooLong`
    /// (IP_PMTUDISC_DO).
    Always,
    /// As `Always`, but only the MTU of the interface counts (IP_PMTUDISC_PROBE).
    Probe,
}

impl PathMtuDiscovery {
    /// True when a datagram that exceeds the MTU fails instead of being fragmented.
    pub const fn fails_beyond(self) -> bool {
        matches!(self, Self::Always | Self::Probe)
    }
}

crate::words::words! {
    PathMtuDiscovery { Never => "never", Want => "want", Always => "always", Probe => "probe" }
}

/// The values of the options that [`SocketOptions`] does not have.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct FurtherOptions {
    /// What is done about the path MTU.
    pub path_mtu_discovery: PathMtuDiscovery,
    /// Options of streams and listeners only.
    pub stream: Option<FurtherStreamOptions>,
}

/// Further options of streams; see [`SocketOption`].
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct FurtherStreamOptions {
    /// Timestamps are offered and accepted.
    pub timestamps: bool,
    /// Bytes of the largest segment; 0 for what interface and path allow.
    pub maximum_segment: u16,
    /// A segment that is not full is held.
    pub cork: bool,
    /// Bytes that may be written and not sent; 0 for no limit but the send buffer.
    pub not_sent_low_water: u32,
    /// Black holes of the path MTU are detected.
    pub black_hole_detection: bool,
}

/// The congestion control algorithm of a stream.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub enum CongestionControl {
    /// CUBIC with HyStart++ (RFC 9438, RFC 9406), as most of the Internet.
    #[default]
    Cubic,
    /// NewReno (RFC 5681, RFC 6582).
    NewReno,
    /// A model of the path's bandwidth and round trip, after BBR: fast on long paths with random
    /// loss; its fairness is unproven.
    Bbr,
}

words! {
    CongestionControl {
        Cubic => "cubic",
        NewReno => "reno",
        Bbr => "bbr",
    }
}

/// The values of all options of a socket.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct SocketOptions {
    /// The kind of the socket.
    pub kind: SocketKind,
    /// Time to live or hop limit of unicast packets.
    pub hop_limit: u8,
    /// DSCP and ECN bits of sent packets.
    pub traffic_class: u8,
    /// Bytes of the receive buffer.
    pub receive_buffer: u32,
    /// Shares its local address with sockets that do the same.
    pub reuse_address: bool,
    /// Shares its local address and load with sockets that do the same.
    pub reuse_port: bool,
    /// The interface that it is bound to; empty for all.
    pub device: String,
    /// The path MTU to the peer in bytes (IP_MTU); only when connected.
    pub path_mtu: Option<u32>,
    /// Options of streams and listeners only.
    pub stream: Option<StreamOptions>,
    /// Options of datagram sockets only.
    pub datagram: Option<DatagramOptions>,
}

/// Options of streams; see [`SocketOption`].
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct StreamOptions {
    /// Bytes of the send buffer.
    pub send_buffer: u32,
    /// Nagle's algorithm is disabled.
    pub no_delay: bool,
    /// Milliseconds of silence before keep-alive probes; 0 for none.
    pub keep_alive: u32,
    /// Milliseconds between keep-alive probes.
    pub keep_alive_interval: u32,
    /// Unanswered keep-alive probes that end the connection.
    pub keep_alive_count: u8,
    /// Milliseconds that data may stay unacknowledged; 0 for the default.
    pub user_timeout: u32,
    /// Milliseconds that closing delivers unsent data for; none for as long as it takes.
    pub linger: Option<u32>,
    /// A listener at the IPv6 wildcard excludes IPv4.
    pub only_ipv6: bool,
    /// The congestion control algorithm.
    pub congestion: CongestionControl,
    /// ECN is requested.
    pub explicit_congestion: bool,
}

/// Options of datagram sockets; see [`SocketOption`].
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct DatagramOptions {
    /// May send broadcasts.
    pub broadcast: bool,
    /// Never fragments.
    pub dont_fragment: bool,
    /// The interface for multicast packets; empty for the route's.
    pub multicast_interface: String,
    /// Time to live or hop limit of multicast packets.
    pub multicast_hop_limit: u8,
    /// Local members receive packets sent to their group.
    pub multicast_loop: bool,
    /// Queues ICMP errors with the packets that they quote.
    pub receive_errors: bool,
    /// Sent data begins with its own IP header.
    pub header_included: bool,
    /// The IPv6 wildcard excludes IPv4.
    pub only_ipv6: bool,
}
