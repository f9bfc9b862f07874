//! One route, and whether a filter matches it.

use alloc::string::String;
use core::net::IpAddr;

use crate::address::Prefix;
use crate::command::address::Origin;
use crate::command::route::{Preference, RouteDetail, RouteEntry, RouteFilter, RouteKind};
use crate::platform::Instant;

/// One route.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Route {
    pub(crate) destination: Prefix,
    pub(crate) gateway: Option<IpAddr>,
    pub(crate) metric: u32,
    /// The metric was given with the route; otherwise it is the interface's, and follows it.
    pub(crate) has_own_metric: bool,
    /// Decides among routes of equal prefix and metric (RFC 4191 §3.2).
    pub(crate) preference: Preference,
    pub(crate) origin: Origin,
    pub(crate) source: Option<IpAddr>,
    pub(crate) details: Details,
}

/// What few routes have.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct Details {
    /// A route of another kind than unicast is one of the whole system, and every interface has a
    /// copy.
    pub(crate) kind: RouteKind,
    /// The MTU of the path in bytes.
    pub(crate) mtu: Option<u32>,
    /// The gateway is on-link whatever the other routes say.
    pub(crate) is_onlink: bool,
    /// Who added it; 0 follows from the origin.
    pub(crate) protocol: u8,
    /// When it goes.
    pub(crate) expires: Option<Instant>,
    /// Its share of the flows among the next hops of one route; 0 for a route with just one.
    pub(crate) weight: u16,
}

impl Route {
    /// A route with the metric of its interface.
    pub(crate) fn new(
        destination: Prefix,
        gateway: Option<IpAddr>,
        metric: u32,
        origin: Origin,
    ) -> Self {
        Self {
            destination,
            gateway,
            metric,
            has_own_metric: false,
            preference: Preference::Medium,
            origin,
            source: None,
            details: Details::default(),
        }
    }

    /// True when the destination is on-link.
    pub(crate) fn is_on_link(&self) -> bool {
        self.gateway.is_none() && self.details.kind == RouteKind::Unicast
    }

    /// True for a route of a lease of DHCPv4.
    pub(crate) fn is_leased(&self) -> bool {
        self.origin == Origin::Dhcp && self.destination.address().is_ipv4()
    }

    /// True for a route of the whole system, of which this is a copy.
    pub(crate) fn is_of_system(&self) -> bool {
        !self.is_unicast() && self.origin != Origin::Dhcp
    }

    /// True for a route of this interface alone.
    pub(crate) fn is_unicast(&self) -> bool {
        self.details.kind == RouteKind::Unicast
    }

    /// True for one of several next hops: those of equal destination and metric are one route.
    pub(crate) const fn is_hop(&self) -> bool {
        cfg!(feature = "details") && self.details.weight > 0
    }

    /// Who added it, by its number in Linux.
    pub(crate) const fn protocol(&self) -> u8 {
        match self.details.protocol {
            0 => RouteDetail::protocol_of(self.origin),
            protocol => protocol,
        }
    }

    /// The route as commands list it.
    pub(crate) const fn entry(&self, interface: String, usable: bool) -> RouteEntry {
        RouteEntry {
            destination: self.destination,
            gateway: self.gateway,
            metric: self.metric,
            origin: self.origin,
            source: self.source,
            interface,
            usable,
        }
    }

    /// The same with everything about it.
    pub(crate) fn detail(&self, route: RouteEntry, now: Instant) -> RouteDetail {
        let seconds =
            |until: Instant| u32::try_from(until.since(now).as_secs()).unwrap_or(u32::MAX);
        RouteDetail {
            route,
            kind: self.details.kind,
            mtu: self.details.mtu,
            onlink: self.details.is_onlink,
            protocol: self.protocol(),
            expires_seconds: self.details.expires.map(seconds),
        }
    }

    /// True for a route of the same destination and metric.
    pub(crate) fn is_equal(&self, other: &Self) -> bool {
        self.destination == other.destination
            && self.metric == other.metric
            && self.is_advertised_prefix() == other.is_advertised_prefix()
    }

    /// True when it has everything that a filter gives. The interface of the filter is checked
    /// elsewhere.
    pub(crate) fn matches(&self, filter: &RouteFilter) -> bool {
        let network = filter.destination.map(|prefix| prefix.network());
        network.is_none_or(|network| self.destination == network)
            && filter.kind.is_none_or(|kind| self.details.kind == kind)
            && filter.gateway.is_none_or(|gateway| self.gateway == Some(gateway))
            && filter.metric.is_none_or(|metric| self.metric == metric)
            && filter.source.is_none_or(|source| self.source == Some(source))
            && filter.protocol.is_none_or(|protocol| self.protocol() == protocol)
            && filter.ipv6.is_none_or(|ipv6| self.destination.address().is_ipv6() == ipv6)
    }

    /// True for a prefix that a router advertises as on-link. Like the connected route of an
    /// address it is the interface's own, but has no source; each stays as long as its reason.
    pub(crate) fn is_advertised_prefix(&self) -> bool {
        self.origin == Origin::Kernel && self.gateway.is_none() && self.source.is_none()
    }
}
