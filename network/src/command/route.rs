//! Types of route commands.

use alloc::string::String;
use core::net::IpAddr;

use serde::{Deserialize, Serialize};

use super::address::Origin;
use crate::address::Prefix;
use crate::words::words;

/// The preference of a route that a router advertised (RFC 4191 §2.1); every other one is medium.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default, Serialize, Deserialize)]
pub enum Preference {
    /// After the others.
    Low,
    /// The usual one.
    #[default]
    Medium,
    /// Before the others.
    High,
}

words! {
    Preference { Low => "low", Medium => "medium", High => "high" }
}

/// One route.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct RouteEntry {
    /// The destination; host bits are clear.
    pub destination: Prefix,
    /// The gateway; none when the destination is on-link.
    pub gateway: Option<IpAddr>,
    /// Smaller is preferred among routes to the same destination.
    pub metric: u32,
    /// Its origin.
    pub origin: Origin,
    /// The source address of packets that take it; none for source address selection.
    pub source: Option<IpAddr>,
    /// Its interface.
    pub interface: String,
    /// False while the interface is down or has no carrier.
    pub usable: bool,
}

/// The preference of one route (RFC 4191 §2.1); every route without one is medium.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct RoutePreference {
    /// The destination; host bits are clear.
    pub destination: Prefix,
    /// The router.
    pub gateway: IpAddr,
    /// Its interface.
    pub interface: String,
    /// Decides among routes of equal destination and metric.
    pub preference: Preference,
}

/// A route to add.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct NewRoute {
    /// The destination; host bits must be clear (IPv4) or are cleared (IPv6), as on Linux.
    pub destination: Prefix,
    /// The gateway, which must be on-link.
    pub gateway: Option<IpAddr>,
    /// Smaller is preferred; 0 is the interface's, also when that changes later.
    pub metric: u32,
    /// The interface; needed on `/devices/sockets` for a route without gateway, ignored on an
    /// interface's own device.
    pub interface: Option<String>,
    /// The same destination and metric with another gateway is a second route, not `AlreadyExists`.
    pub append: bool,
}

/// A route to remove: the first one that matches every given field.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct RouteSelector {
    /// The destination, exactly.
    pub destination: Prefix,
    /// The gateway, if given.
    pub gateway: Option<IpAddr>,
    /// The metric, if given.
    pub metric: Option<u32>,
    /// The interface, if given.
    pub interface: Option<String>,
}

/// The route that a packet takes, and why.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct RouteChoice {
    /// The requested destination.
    pub destination: IpAddr,
    /// The outgoing interface.
    pub interface: String,
    /// The gateway.
    pub gateway: Option<IpAddr>,
    /// The source address that an unbound socket gets.
    pub source: IpAddr,
    /// The route that matched; none when the destination is an address of our own.
    pub route: Option<RouteEntry>,
}
