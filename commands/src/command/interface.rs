//! Types of interface commands.

use alloc::string::String;
use alloc::vec::Vec;
use core::net::Ipv6Addr;

use bitflags::bitflags;
use serde::{Deserialize, Serialize};

pub use super::interface_option::is_name;
pub use super::interface_option::{InterfaceDetails, InterfaceOption};
use crate::address::{HardwareAddress, Prefix};
use crate::link::{Kind, LinkState, Medium};

bitflags! {
    /// Flags of an interface, as in `ifconfig`.
    #[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
    pub struct InterfaceFlags: u32 {
        /// Administratively up.
        const UP = 1 << 0;
        /// Up, and has a carrier.
        const RUNNING = 1 << 1;
        /// Reaches this system only.
        const LOOPBACK = 1 << 2;
        /// Supports broadcast.
        const BROADCAST = 1 << 3;
        /// Supports multicast.
        const MULTICAST = 1 << 4;
        /// Has exactly one peer.
        const POINT_TO_POINT = 1 << 5;
        /// Resolves no neighbors.
        const NO_ARP = 1 << 6;
        /// Frames to every station are asked for.
        const PROMISCUOUS = 1 << 7;
        /// Frames to every group are asked for.
        const ALL_MULTICAST = 1 << 8;
    }
}

impl InterfaceFlags {
    /// The flags for a kind of interface, its administrative state and its carrier.
    #[must_use]
    pub fn of(kind: Kind, enabled: bool, link: LinkState) -> Self {
        let mut flags = match kind {
            Kind::Loopback => Self::LOOPBACK,
            Kind::Ethernet | Kind::Wireless => Self::BROADCAST | Self::MULTICAST,
            Kind::Tunnel => Self::POINT_TO_POINT | Self::NO_ARP | Self::MULTICAST,
        };
        flags.set(Self::UP, enabled);
        flags.set(Self::RUNNING, enabled && link == LinkState::Up);
        flags
    }
}

/// The status of an interface.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct InterfaceStatus {
    /// Number of the interface, from 1; never reused while the system runs.
    pub index: u32,
    /// Name, as under `/devices/network`.
    pub name: String,
    /// The kind of the interface.
    pub kind: Kind,
    /// What a frame starts with.
    pub medium: Medium,
    /// Administratively up.
    pub enabled: bool,
    /// Carrier.
    pub link: LinkState,
    /// Flags for display.
    pub flags: InterfaceFlags,
    /// The hardware address; none on media without one.
    pub hardware_address: Option<HardwareAddress>,
    /// The MTU: the largest IP packet in bytes.
    pub mtu: u32,
    /// The largest MTU that the driver supports, in bytes.
    pub mtu_maximum: u32,
    /// The number of frames that the driver accepts at once; none when unbounded.
    pub burst: Option<u32>,
    /// Metric added to the interface's routes; smaller is preferred.
    pub metric: u32,
    /// Microseconds that the interface has existed.
    pub age_micros: u64,
}

/// What an interface advertises as a router (RFC 4861 §4.2).
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Advertisement {
    /// The prefix for address autoconfiguration, a /64.
    pub prefix: Prefix,
    /// Name servers (RFC 8106).
    pub dns_servers: Vec<Ipv6Addr>,
}

/// Counters of an interface since it was registered. They never decrease.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Statistics {
    /// Frames received.
    pub received_packets: u64,
    /// Bytes of the received frames, link header included.
    pub received_bytes: u64,
    /// Frames sent.
    pub sent_packets: u64,
    /// Bytes of the sent frames, link header included.
    pub sent_bytes: u64,
    /// Received frames that were dropped, by reason.
    pub received_drops: ReceiveDrops,
    /// Packets that could not be sent, by reason.
    pub sent_drops: SendDrops,
    /// Times that the runner was woken or its deadline expired.
    pub polls: u64,
}

/// Counters of SYN cookies, which leave while a listener's half-open connections have no room (RFC
/// 4987 §3.6; Linux' SyncookiesSent, SyncookiesRecv, SyncookiesFailed). They never decrease.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct SynCookies {
    /// Cookies sent.
    pub sent: u64,
    /// Valid cookies received.
    pub received: u64,
    /// Segments to a listener without a valid cookie, while one was expected.
    pub failed: u64,
}

/// Why received frames were dropped.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct ReceiveDrops {
    /// The interface was down.
    pub disabled: u64,
    /// Too short, inconsistent lengths, bad options.
    pub malformed: u64,
    /// A checksum was wrong.
    pub checksum: u64,
    /// The frame or packet was addressed to another host.
    pub not_for_us: u64,
    /// Invalid source address: loopback, broadcast, our own.
    pub martian: u64,
    /// Unknown EtherType or protocol.
    pub protocol: u64,
    /// No matching socket.
    pub no_socket: u64,
    /// A receive queue, backlog or table was full.
    pub full: u64,
    /// Reassembly timed out, overlapped or ran out of room.
    pub fragment: u64,
    /// A TCP segment was not acceptable.
    pub segment: u64,
}

impl ReceiveDrops {
    /// Drops except those of frames and packets for other hosts, which a network card would not
    /// have received.
    #[must_use]
    pub const fn lost(&self) -> u64 {
        self.total() - self.not_for_us
    }

    /// All of them.
    #[must_use]
    pub const fn total(&self) -> u64 {
        self.disabled
            + self.malformed
            + self.checksum
            + self.not_for_us
            + self.martian
            + self.protocol
            + self.no_socket
            + self.full
            + self.fragment
            + self.segment
    }
}

/// Why packets were not sent.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct SendDrops {
    /// The interface was down.
    pub disabled: u64,
    /// No route.
    pub no_route: u64,
    /// The neighbor did not answer.
    pub neighbor: u64,
    /// A queue was full.
    pub full: u64,
    /// Too large, and fragmentation is forbidden.
    pub too_large: u64,
}

impl SendDrops {
    /// All of them.
    #[must_use]
    pub const fn total(&self) -> u64 {
        self.disabled + self.no_route + self.neighbor + self.full + self.too_large
    }
}
