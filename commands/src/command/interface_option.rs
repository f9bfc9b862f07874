//! What of an interface can be set beside its addresses and routes, and how it stands.

use alloc::string::String;

use serde::{Deserialize, Serialize};

use crate::limits;
use crate::link::LinkSpeed;

/// A setting of an interface. New ones are appended: their order is part of the encoding.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum InterfaceOption {
    /// Another name: 1 to 15 letters, digits, `-`, `_` and `.`, and not only dots. Its device moves
    /// to the new name; open files, sockets, addresses and routes stay. Grants of guests and
    /// sections of configurations are for the name that they say.
    Name(String),
    /// What it is for, in words with one blank between them: at most 255 bytes without control
    /// characters (`ifAlias` of RFC 2863); empty for none.
    Description(String),
    /// Asks the driver for frames to every station (IFF_PROMISC), which captures show. Packets to
    /// other hosts are dropped nevertheless.
    Promiscuous(bool),
    /// Asks the driver for frames to every group (IFF_ALLMULTI).
    AllMulticast(bool),
    /// Resolves neighbors, answers for its own addresses, and probes for duplicates by ARP and NDP;
    /// on unless set. Without it only the neighbors that commands add are reached (IFF_NOARP off).
    Arp(bool),
    /// Frames that may wait for the driver, 1 to 1024; 256 unless set (txqueuelen).
    TransmitQueue(u32),
    /// Milliseconds for which a confirmed neighbor is reachable, 1000 to 3,600,000; 30,000 unless
    /// set (ReachableTime of RFC 4861 §6.3.2). For IPv6 what a router advertises counts.
    ReachableTime(u32),
    /// Milliseconds between two solicitations of a neighbor, 100 to 60,000; 1000 unless set
    /// (RetransTimer of RFC 4861 §6.3.2). For IPv6 what a router advertises counts.
    RetransmitTime(u32),
    /// Solicitations before a neighbor that does not answer has failed, 1 to 255; 3 unless set
    /// (MAX_MULTICAST_SOLICIT and MAX_UNICAST_SOLICIT of RFC 4861 §10).
    NeighborProbes(u8),
}

/// How an interface stands beside its [status](super::interface::InterfaceStatus).
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct InterfaceDetails {
    /// Its name.
    pub interface: String,
    /// What it is for, in words; empty for none.
    pub description: String,
    /// Frames to every station are asked for.
    pub promiscuous: bool,
    /// Frames to every group are asked for.
    pub all_multicast: bool,
    /// Neighbors are resolved.
    pub arp: bool,
    /// Frames that may wait for the driver.
    pub transmit_queue: u32,
    /// Milliseconds for which a confirmed neighbor is reachable, as commands set it.
    pub reachable_milliseconds: u32,
    /// Milliseconds between two solicitations, as commands set it.
    pub retransmit_milliseconds: u32,
    /// Solicitations before a neighbor has failed.
    pub neighbor_probes: u8,
    /// How often the link came or went since the interface was registered.
    pub link_changes: u32,
    /// Microseconds since it last did, or since the registration.
    pub link_age_micros: u64,
    /// The speed of the link, where the driver knows it.
    pub speed: Option<LinkSpeed>,
}

/// True for what an interface may be named.
pub fn is_name(name: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    let is_dots = name.bytes().all(|byte| byte == b'.');
    !name.is_empty() && name.len() <= limits::NAME_BYTES && name.bytes().all(is_plain) && !is_dots
}
