//! Types of address commands.

use core::net::Ipv4Addr;

use serde::{Deserialize, Serialize};

use crate::address::Prefix;
use crate::words::words;

/// The origin of an address, a route or a server. Only the same origin removes what it added.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
pub enum Origin {
    /// A command.
    Static,
    /// The DHCPv4 lease.
    Dhcp,
    /// A router advertisement.
    RouterAdvertisement,
    /// The interface itself: loopback and link-local addresses, connected routes.
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

/// The state of an address (RFC 4862 §5).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum AddressState {
    /// Duplicate address detection is in progress; not used yet.
    Tentative,
    /// In use.
    Preferred,
    /// Valid, but not used for new connections.
    Deprecated,
    /// Another host has it; not used.
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

/// The scope of an address.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum Scope {
    /// This system.
    Host,
    /// This link.
    Link,
    /// Global.
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
    /// Its origin.
    pub origin: Origin,
    /// Its state.
    pub state: AddressState,
    /// Its scope.
    pub scope: Scope,
    /// Seconds that it stays valid; none without limit.
    pub valid_seconds: Option<u32>,
    /// Seconds that it stays preferred; none without limit.
    pub preferred_seconds: Option<u32>,
}

/// An address to add.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct NewAddress {
    /// The address and the length of its network's prefix.
    pub prefix: Prefix,
    /// The broadcast address, if it differs from the prefix's.
    pub broadcast: Option<Ipv4Addr>,
}
