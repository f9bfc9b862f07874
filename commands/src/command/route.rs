//! Types of route commands.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;
use core::net::IpAddr;
use core::str::FromStr;

use devnet_virtual_file_system::Error;
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

/// What happens to packets that take a route.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub enum RouteKind {
    /// They leave by its interface.
    #[default]
    Unicast,
    /// They are dropped; a sender gets `InvalidInput`, as on Linux.
    Blackhole,
    /// A sender gets `HostUnreachable`.
    Unreachable,
    /// A sender gets `AccessDenied`.
    Prohibit,
    /// As if there was no route: a sender gets `NetworkUnreachable`, also where a shorter prefix
    /// has a route.
    Throw,
}

words! {
    RouteKind {
        Unicast => "unicast",
        Blackhole => "blackhole",
        Unreachable => "unreachable",
        Prohibit => "prohibit",
        Throw => "throw",
    }
}

impl RouteKind {
    /// The error of a packet that takes such a route; none for unicast.
    #[must_use]
    pub const fn refusal(self) -> Option<Error> {
        match self {
            Self::Unicast => None,
            Self::Blackhole => Some(Error::InvalidInput),
            Self::Unreachable => Some(Error::HostUnreachable),
            Self::Prohibit => Some(Error::AccessDenied),
            Self::Throw => Some(Error::NetworkUnreachable),
        }
    }
}

/// How a route comes into the table, as the verbs of `ip route`.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub enum ChangeMode {
    /// New; `AlreadyExists` if there is one of equal destination and metric.
    #[default]
    Insert,
    /// After those of equal destination and metric.
    Append,
    /// Before those of equal destination and metric.
    Prepend,
    /// In place of the first of equal destination and metric, or new.
    Replace,
    /// In place of the first of equal destination and metric; `NotFound` without one.
    Change,
}

words! {
    ChangeMode {
        Insert => "insert",
        Append => "append",
        Prepend => "prepend",
        Replace => "replace",
        Change => "change",
    }
}

/// Everything about a route. Its default is an IPv4 default route without a gateway.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct RouteChange {
    /// How it comes into the table.
    pub mode: ChangeMode,
    /// What happens to packets. Routes of another kind than unicast have neither gateway nor
    /// interface and are those of the whole system: only `/devices/sockets` has them.
    pub kind: RouteKind,
    /// The destination; host bits must be clear (IPv4) or are cleared (IPv6).
    pub destination: Prefix,
    /// The gateway, which must be on-link unless `onlink` says so.
    pub gateway: Option<IpAddr>,
    /// As of [`NewRoute`].
    pub interface: Option<String>,
    /// Smaller is preferred; 0 is the interface's, also when that changes later.
    pub metric: u32,
    /// The source address of packets that take it, one of the interface's; the route goes with it.
    pub source: Option<IpAddr>,
    /// The MTU of the path in bytes, if it is smaller than the link's.
    pub mtu: Option<u32>,
    /// The gateway is on-link whatever the other routes say.
    pub onlink: bool,
    /// Who added it, by its number in Linux (rtnetlink(7)): 3, boot, for none in particular, 4 an
    /// administrator.
    pub protocol: u8,
    /// Seconds after which it goes.
    pub expires_seconds: Option<u32>,
}

impl Default for RouteChange {
    fn default() -> Self {
        Self {
            mode: ChangeMode::default(),
            kind: RouteKind::default(),
            destination: Prefix::DEFAULT_IPV4,
            gateway: None,
            interface: None,
            metric: 0,
            source: None,
            mtu: None,
            onlink: false,
            protocol: RouteDetail::BOOT,
            expires_seconds: None,
        }
    }
}

/// A route with everything that is known of it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct RouteDetail {
    /// The route; its interface is empty for one of the whole system.
    pub route: RouteEntry,
    /// What happens to packets.
    pub kind: RouteKind,
    /// The MTU of the path in bytes, if it was given.
    pub mtu: Option<u32>,
    /// The gateway is on-link whatever the other routes say.
    pub onlink: bool,
    /// Who added it, by its number in Linux.
    pub protocol: u8,
    /// Seconds after which it goes; none without limit.
    pub expires_seconds: Option<u32>,
}

impl RouteDetail {
    /// The protocol of connected routes.
    pub const KERNEL: u8 = 2;
    /// The protocol of routes for which none was given.
    pub const BOOT: u8 = 3;
    /// The protocol of what routers advertise.
    pub const ADVERTISEMENT: u8 = 9;
    /// The protocol of a DHCP lease.
    pub const DHCP: u8 = 16;

    /// The protocol of routes of an origin, if none was given.
    #[must_use]
    pub const fn protocol_of(origin: Origin) -> u8 {
        match origin {
            Origin::Static => Self::BOOT,
            Origin::Dhcp => Self::DHCP,
            Origin::RouterAdvertisement => Self::ADVERTISEMENT,
            Origin::Kernel => Self::KERNEL,
        }
    }
}

impl From<RouteEntry> for RouteDetail {
    /// A unicast route of which nothing more is known.
    fn from(route: RouteEntry) -> Self {
        Self {
            protocol: Self::protocol_of(route.origin),
            route,
            kind: RouteKind::Unicast,
            mtu: None,
            onlink: false,
            expires_seconds: None,
        }
    }
}

/// Routes to remove: those that have everything that is given.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct RouteFilter {
    /// Every one, not just the first.
    pub all: bool,
    /// The destination, exactly.
    pub destination: Option<Prefix>,
    /// What happens to packets.
    pub kind: Option<RouteKind>,
    /// The gateway.
    pub gateway: Option<IpAddr>,
    /// The metric.
    pub metric: Option<u32>,
    /// The interface.
    pub interface: Option<String>,
    /// The source address.
    pub source: Option<IpAddr>,
    /// Who added it, by its number in Linux.
    pub protocol: Option<u8>,
    /// IPv6 or IPv4.
    pub ipv6: Option<bool>,
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

/// One of several next hops of a route. As text it is `10.0.0.2`, or `10.0.0.2*3` with a weight.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct NextHop {
    /// The gateway, as that of a route.
    pub gateway: IpAddr,
    /// Its share of the flows, from 1 to 256.
    pub weight: u16,
}

impl fmt::Display for NextHop {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.weight {
            1 => write!(formatter, "{}", self.gateway),
            weight => write!(formatter, "{}*{weight}", self.gateway),
        }
    }
}

impl FromStr for NextHop {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let (gateway, weight) = text.split_once('*').unwrap_or((text, "1"));
        let weight = weight.parse().map_err(|_| Error::InvalidInput)?;
        if !(1..=256).contains(&weight) {
            return Err(Error::InvalidInput);
        }
        Ok(Self { gateway: gateway.parse().map_err(|_| Error::InvalidInput)?, weight })
    }
}

/// A route that may have several next hops, all on one interface. Each flow takes one of them: a
/// hash of its addresses, protocol and ports decides (RFC 2992).
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct MultipathChange {
    /// Everything else about the route; it has no gateway beside the next hops.
    pub route: RouteChange,
    /// Up to 16, each once. One alone, as the gateway of the route, makes an ordinary one.
    pub hops: Vec<NextHop>,
}

impl From<RouteChange> for MultipathChange {
    fn from(route: RouteChange) -> Self {
        Self { route, hops: Vec::new() }
    }
}

impl MultipathChange {
    /// The same in its one form: a next hop alone is a gateway.
    #[must_use]
    pub fn simplified(mut self) -> Self {
        if let ([hop], None) = (self.hops.as_slice(), self.route.gateway) {
            self.route.gateway = Some(hop.gateway);
            self.hops.clear();
        }
        self
    }
}

/// A next hop in use.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct NextHopStatus {
    /// The gateway.
    pub gateway: IpAddr,
    /// Its share of the flows.
    pub weight: u16,
    /// False for one that lately did not answer: the others have its flows for a minute.
    pub answers: bool,
}

/// A route that has several next hops.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct MultipathRoute {
    /// Everything else about it, without a gateway.
    pub route: RouteDetail,
    /// Its next hops, in the order in which they were given.
    pub hops: Vec<NextHopStatus>,
}

/// A flow, for which its next hop is asked.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Flow {
    /// The destination.
    pub destination: IpAddr,
    /// The source; none for that of an unbound socket.
    pub source: Option<IpAddr>,
    /// The protocol by its number in the IP header; ports count for 6, TCP, and 17, UDP.
    pub protocol: u8,
    /// The local port.
    pub source_port: u16,
    /// The remote port.
    pub destination_port: u16,
}
