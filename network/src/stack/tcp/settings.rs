//! Settings of a TCP socket before it has a connection.

use core::net::IpAddr;
use core::num::NonZeroU32;

use serde::{Deserialize, Serialize};

use crate::command::option::{CongestionControl, PathMtuDiscovery};
use crate::limits;
use crate::stack::bound::Bound;

/// Milliseconds before and between keep-alive probes (TCP-S-11; Linux counts to 32,767 seconds).
pub(crate) const KEEP_ALIVE: core::ops::RangeInclusive<u32> = 1000..=32_767_000;

/// Settings of a TCP connection; accepted connections inherit those of their listener.
///
/// What is missing when one is deserialized has its default, so that a configuration file names
/// only what differs.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct TcpSettings {
    /// The receive buffer in bytes, 2 KiB to 64 MiB, which bounds the advertised window. `None`
    /// begins with 64 KiB and grows with what the path and the program take, to 12 MiB at most.
    /// Memory is allocated as data arrives.
    pub receive_buffer: Option<usize>,
    /// The send buffer in bytes, 2 KiB to 64 MiB. `None` begins with 64 KiB and grows with the
    /// congestion window, to 12 MiB at most.
    pub send_buffer: Option<usize>,
    /// The congestion control algorithm (TCP_CONGESTION).
    pub congestion: CongestionControl,
    /// Requests ECN when connecting: congestion marks instead of losses (RFC 3168). A peer that
    /// requests ECN always gets it (as with Linux' default of 2 for tcp_ecn).
    pub explicit_congestion: bool,
    /// Offers timestamps when connecting, and accepts a peer's offer (RFC 7323; Linux'
    /// tcp_timestamps).
    pub timestamps: bool,
    /// Disables Nagle's algorithm (TCP_NODELAY).
    pub no_delay: bool,
    /// Holds segments that are not full (TCP_CORK), 200 ms at most.
    pub cork: bool,
    /// Bytes that may be written and not sent before writers wait (TCP_NOTSENT_LOWAT); 0 for what
    /// the send buffer holds.
    pub not_sent_low_water: u32,
    /// Bytes of the largest segment that is announced and sent (TCP_MAXSEG); 0 for what interface
    /// and path allow.
    pub maximum_segment: u16,
    /// What is done about the path MTU (IP_MTU_DISCOVER).
    pub path_mtu_discovery: PathMtuDiscovery,
    /// Falls back to the least path MTU of IPv6 when long segments vanish without an ICMP error
    /// (RFC 8899 §4.2).
    pub black_hole_detection: bool,
    /// Time to live or hop limit of sent packets; 0 counts as 1. `None` for what the router
    /// advertised (RFC 4861 §6.3.4), or 64.
    pub hop_limit: Option<u8>,
    /// Traffic class of sent packets: DSCP and ECN bits (IP_TOS, IPV6_TCLASS).
    pub traffic_class: u8,
    /// Milliseconds of silence before the first keep-alive probe (TCP_KEEPIDLE), 1 s to 32,767 s; 0
    /// disables probes.
    pub keep_alive: u32,
    /// Milliseconds between keep-alive probes (TCP_KEEPINTVL), 1 s to 32,767 s.
    pub keep_alive_interval: u32,
    /// Unanswered keep-alive probes after which the connection ends with `TimedOut` (TCP_KEEPCNT).
    pub keep_alive_count: u8,
    /// Milliseconds that written data may stay unacknowledged before the connection ends with
    /// `TimedOut` (TCP_USER_TIMEOUT, RFC 5482); 0 for the system's 15 minutes.
    pub user_timeout: u32,
    /// What dropping the stream does with unsent data (SO_LINGER): `None` delivers it in the
    /// background, `Some(0)` resets the connection at once, other values deliver for that many
    /// milliseconds at most and reset then. Dropping never blocks.
    pub linger: Option<u32>,
    /// Lets a listener bind a port that connections of an earlier listener still use
    /// (SO_REUSEADDR). Always allowed here, because they do not collide.
    pub reuse_address: bool,
    /// Lets several listeners that all set this share one address; a hash distributes connections
    /// among them (SO_REUSEPORT).
    pub reuse_port: bool,
    /// Keeps a listener at `::` from accepting IPv4 too (IPV6_V6ONLY).
    pub only_ipv6: bool,
}

devnet_virtual_file_system::setters! {
    TcpSettings {
        receive_buffer: Option<usize>,
        send_buffer: Option<usize>,
        congestion: CongestionControl,
        explicit_congestion: bool,
        timestamps: bool,
        no_delay: bool,
        cork: bool,
        not_sent_low_water: u32,
        maximum_segment: u16,
        path_mtu_discovery: PathMtuDiscovery,
        black_hole_detection: bool,
        hop_limit: Option<u8>,
        traffic_class: u8,
        keep_alive: u32,
        keep_alive_interval: u32,
        keep_alive_count: u8,
        user_timeout: u32,
        linger: Option<u32>,
        reuse_address: bool,
        reuse_port: bool,
        only_ipv6: bool,
    }
}

/// The buffer sizes that settings ask for, in bytes, as small as ten thousand connections need it;
/// none for automatic ones.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct BufferSizes {
    receive: Option<NonZeroU32>,
    send: Option<NonZeroU32>,
}

impl Default for TcpSettings {
    fn default() -> Self {
        Self {
            receive_buffer: None,
            send_buffer: None,
            congestion: CongestionControl::Cubic,
            explicit_congestion: false,
            timestamps: true,
            no_delay: false,
            cork: false,
            not_sent_low_water: 0,
            maximum_segment: 0,
            path_mtu_discovery: PathMtuDiscovery::Want,
            black_hole_detection: true,
            hop_limit: None,
            traffic_class: 0,
            keep_alive: 0,
            keep_alive_interval: 75_000,
            keep_alive_count: 9,
            user_timeout: 0,
            linger: None,
            reuse_address: false,
            reuse_port: false,
            only_ipv6: false,
        }
    }
}

impl TcpSettings {
    /// The binding for a listen address.
    pub(crate) fn bound(&self, address: IpAddr) -> Bound {
        let bound = Bound::new(address);
        if self.only_ipv6 { bound.only_ipv6() } else { bound }
    }

    /// The initial and the largest size of the receive buffer.
    pub(crate) fn receive_sizes(&self) -> (usize, usize) {
        sizes(self.receive_buffer)
    }

    /// The initial and the largest size of the send buffer.
    pub(crate) fn send_sizes(&self) -> (usize, usize) {
        sizes(self.send_buffer)
    }

    pub(crate) fn buffer_sizes(&self) -> BufferSizes {
        let compact = |asked: Option<usize>| {
            asked.and_then(|_| u32::try_from(sizes(asked).0).ok()).and_then(NonZeroU32::new)
        };
        BufferSizes { receive: compact(self.receive_buffer), send: compact(self.send_buffer) }
    }

    /// The same settings with other buffer sizes.
    pub(crate) fn with_buffer_sizes(self, sizes: BufferSizes) -> Self {
        let bytes = |size: Option<NonZeroU32>| size.map(|size| size.get() as usize);
        Self { receive_buffer: bytes(sizes.receive), send_buffer: bytes(sizes.send), ..self }
    }

    /// TCP_MAXSEG as a bound.
    pub(crate) const fn segment_bound(&self) -> u16 {
        if self.maximum_segment == 0 { u16::MAX } else { self.maximum_segment }
    }
}

fn sizes(asked: Option<usize>) -> (usize, usize) {
    match asked {
        None => (limits::TCP_BUFFER, limits::TCP_BUFFER_AUTOMATIC),
        Some(bytes) => {
            let bytes = bytes.clamp(limits::TCP_BUFFER_MINIMUM, limits::TCP_BUFFER_MAXIMUM);
            (bytes, bytes)
        }
    }
}
