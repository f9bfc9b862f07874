//! Types of address commands.

use alloc::string::String;
use core::net::{IpAddr, Ipv4Addr};

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

impl Scope {
    /// The scope of an address (RFC 4007, RFC 3927).
    #[must_use]
    pub fn of(address: IpAddr) -> Self {
        match address {
            IpAddr::V4(address) if address.is_loopback() => Self::Host,
            IpAddr::V4(address) if address.is_link_local() => Self::Link,
            IpAddr::V6(address) if address.is_loopback() => Self::Host,
            IpAddr::V6(address) if address.is_unicast_link_local() => Self::Link,
            _ => Self::Global,
        }
    }
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

/// The broadcast address of a new address.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub enum Broadcast {
    /// The last address of the prefix, if it has one.
    #[default]
    Default,
    /// None is shown; the last address of the prefix is still a broadcast address, as on Linux.
    None,
    /// This one.
    Address(Ipv4Addr),
}

/// Everything about an address that a command adds or changes.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct AddressChange {
    /// An address that is there is changed: its lifetimes, and whether it has a prefix route.
    /// Otherwise it is `AlreadyExists`.
    pub replace: bool,
    /// The address and the length of its network's prefix.
    pub prefix: Prefix,
    /// The broadcast address; IPv6 has none.
    pub broadcast: Broadcast,
    /// The other end of a point-to-point link and the length of its network's prefix, which is then
    /// on-link instead.
    pub peer: Option<Prefix>,
    /// A label of at most 15 printable bytes, which begins with the interface's name (IPv4).
    pub label: Option<String>,
    /// Seconds that it stays valid; none without limit. 0 is `InvalidInput`.
    pub valid_seconds: Option<u32>,
    /// Seconds that it stays preferred, at most those that it stays valid.
    pub preferred_seconds: Option<u32>,
    /// The prefix gets no connected route.
    pub no_prefix_route: bool,
    /// No duplicate address detection (IPv6).
    pub no_detection: bool,
}

impl AddressChange {
    /// A new address with the usual of everything.
    #[must_use]
    pub const fn new(prefix: Prefix) -> Self {
        Self {
            replace: false,
            prefix,
            broadcast: Broadcast::Default,
            peer: None,
            label: None,
            valid_seconds: None,
            preferred_seconds: None,
            no_prefix_route: false,
            no_detection: false,
        }
    }
}

/// One address with everything that is known of it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct AddressDetail {
    /// The address.
    pub entry: AddressEntry,
    /// The other end of a point-to-point link.
    pub peer: Option<Prefix>,
    /// Its label, if one was given.
    pub label: Option<String>,
    /// An earlier IPv4 address has the same network; it is the source address before this one. Of
    /// IPv6 it is a temporary address (RFC 8981), as Linux has one flag for both.
    pub secondary: bool,
    /// The prefix has no connected route.
    pub no_prefix_route: bool,
}

impl From<AddressEntry> for AddressDetail {
    /// An address of which nothing more is known.
    fn from(entry: AddressEntry) -> Self {
        Self { entry, peer: None, label: None, secondary: false, no_prefix_route: false }
    }
}
