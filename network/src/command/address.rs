//! Words about addresses.

use core::net::Ipv4Addr;

use serde::{Deserialize, Serialize};

use crate::address::Prefix;
use crate::words::words;

/// Who put an address, a route or a server there. What one origin brought, only that origin takes
/// away.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
pub enum Origin {
    /// A command.
    Static,
    /// The DHCPv4 lease.
    Dhcp,
    /// A router advertisement.
    RouterAdvertisement,
    /// The interface itself: loopback and link-local addresses, routes to connected prefixes.
    Kernel,
}

words! {
    Origin {
        Static => "static",
        Dhcp => "dhcp",
        RouterAdvertisement => "advertisement",
        Kernel => "kernel",
    }
}

/// How far an address is on its way into or out of use (RFC 4862 §5).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum AddressState {
    /// Duplicate detection is under way; not used yet.
    Tentative,
    /// In use.
    Preferred,
    /// Kept for what uses it already.
    Deprecated,
    /// Somebody else has it; not used.
    Duplicated,
}

words! {
    AddressState {
        Tentative => "tentative",
        Preferred => "preferred",
        Deprecated => "deprecated",
        Duplicated => "duplicated",
    }
}

/// Where an address means something.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum Scope {
    /// This system.
    Host,
    /// This link.
    Link,
    /// Everywhere.
    Global,
}

words! {
    Scope { Host => "host", Link => "link", Global => "global" }
}

/// One address of an interface.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct AddressEntry {
    /// The address and the length of its network's prefix.
    pub prefix: Prefix,
    /// The broadcast address, for IPv4 networks that have one.
    pub broadcast: Option<Ipv4Addr>,
    /// Who put it there.
    pub origin: Origin,
    /// How far it is in use.
    pub state: AddressState,
    /// Where it means something.
    pub scope: Scope,
    /// Seconds that it stays valid; none for ever.
    pub valid_seconds: Option<u32>,
    /// Seconds that it stays preferred; none for ever.
    pub preferred_seconds: Option<u32>,
}

/// An address to add.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct NewAddress {
    /// The address and the length of its network's prefix.
    pub prefix: Prefix,
    /// Another broadcast address than the one that the prefix implies.
    pub broadcast: Option<Ipv4Addr>,
}
