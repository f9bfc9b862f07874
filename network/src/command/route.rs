//! Words about routes.

use alloc::string::String;
use core::net::IpAddr;

use serde::{Deserialize, Serialize};

use super::address::Origin;
use crate::address::Prefix;

/// One route.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct RouteEntry {
    /// Where it leads; host bits are clear.
    pub destination: Prefix,
    /// The router on the way; none when the destination is on the link.
    pub gateway: Option<IpAddr>,
    /// Smaller is preferred among routes to the same destination.
    pub metric: u32,
    /// Who put it there.
    pub origin: Origin,
    /// The source address of packets that take it; none when it is chosen by the rules.
    pub source: Option<IpAddr>,
    /// The interface that it leaves by.
    pub interface: String,
    /// False while the interface is down or has no carrier.
    pub usable: bool,
}

/// A route to add.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct NewRoute {
    /// Where it leads; host bits must be clear (IPv4) or are cleared (IPv6), as Linux does.
    pub destination: Prefix,
    /// The router on the way, which must be on a connected network.
    pub gateway: Option<IpAddr>,
    /// Smaller is preferred.
    pub metric: u32,
    /// The interface; needed on `/devices/sockets` for a route without gateway, ignored on an
    /// interface's own device.
    pub interface: Option<String>,
    /// The same destination and metric with another gateway is a second route, not `AlreadyExists`.
    pub append: bool,
}

/// A route to remove: the first one in which every given word matches.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct RouteSelector {
    /// The destination, exactly.
    pub destination: Prefix,
    /// The gateway, if it matters.
    pub gateway: Option<IpAddr>,
    /// The metric, if it matters.
    pub metric: Option<u32>,
    /// The interface, if it matters.
    pub interface: Option<String>,
}

/// The route that a packet takes, and why.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct RouteChoice {
    /// The destination asked for.
    pub destination: IpAddr,
    /// The interface that the packet leaves by.
    pub interface: String,
    /// The router on the way.
    pub gateway: Option<IpAddr>,
    /// The source address that an unbound socket gets.
    pub source: IpAddr,
    /// The route that matched; none when the destination is an address of our own.
    pub route: Option<RouteEntry>,
}
