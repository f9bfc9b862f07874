//! Types of the commands about the address that an interface has while no DHCP server answers.

use core::net::Ipv4Addr;

use serde::{Deserialize, Serialize};

use crate::address::Prefix;

/// What the DHCPv4 client makes of an interface while no server answers it. It asks on; with a
/// lease the fall-back ends.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub enum Fallback {
    /// Nothing.
    #[default]
    Off,
    /// A link-local address that nobody else has (RFC 3927).
    LinkLocal,
    /// This address, and a default route through the gateway. It is not used when another host has
    /// it.
    Address {
        /// The address with the length of its network's prefix.
        prefix: Prefix,
        /// A router of that network.
        gateway: Option<Ipv4Addr>,
    },
}

/// The fall-back of an interface.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct FallbackStatus {
    /// What is asked for.
    pub asked: Fallback,
    /// The address in use.
    pub address: Option<Prefix>,
    /// Addresses that other hosts had, since the client last had a lease.
    pub conflicts: u32,
}
