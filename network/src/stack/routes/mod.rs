//! The routes of one interface, and the next hop of a packet.
//!
//! The table is in search order: longest prefix first, then smallest metric, then by destination,
//! then the preference of advertised routes, then oldest first.
//! Connected routes are added and removed with their addresses.

mod entry;
mod multipath;
mod order;
mod waiting;

use alloc::vec::Vec;
use core::net::IpAddr;

use devnet_virtual_file_system::Error;

pub(crate) use self::entry::{Details, Route};
use self::order::{order, sort};
use self::waiting::{Waiting, is_asked};
use crate::address::Prefix;
use crate::command::address::Origin;
use crate::command::route::{ChangeMode, RouteFilter, RouteKind, RouteSelector};
use crate::limits;
use crate::platform::Instant;
use crate::stack::addresses::is_link_local_ipv4;

/// The routes in search order.
#[derive(Clone, Debug, Default)]
pub(crate) struct Routes {
    list: Vec<Route>,
    /// Routes that commands asked for and that cannot be in the table now.
    waiting: Vec<Waiting>,
    /// Something changed since [`take_changed`](Self::take_changed).
    changed: bool,
    /// Some route has an MTU.
    has_mtu: bool,
    /// The deadline of the entry in the timer heap.
    pub(crate) armed: Option<Instant>,
    /// Incremented with every change.
    revision: u32,
}

impl Routes {
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Route> {
        self.list.iter()
    }

    /// A number that changes whenever a route changes.
    pub(crate) const fn revision(&self) -> u32 {
        self.revision
    }

    fn touch(&mut self) {
        self.changed = true;
        self.has_mtu = self.list.iter().any(|route| route.details.mtu.is_some());
        self.revision = self.revision.wrapping_add(1);
    }

    /// The first route that matches a destination.
    pub(crate) fn find(&self, destination: IpAddr) -> Option<&Route> {
        self.equals(destination).next()
    }

    /// The first route that matches a destination, and those of equal prefix and metric after it.
    pub(crate) fn equals(&self, destination: IpAddr) -> impl Iterator<Item = &Route> {
        // 169.254.0.0/16 is always on-link (RFC 3927 §2.6.2).
        let is_link_local = is_link_local_ipv4(destination);
        let fits = move |route: &&Route| {
            route.destination.contains(destination) && !(is_link_local && route.gateway.is_some())
        };
        let start = self.list.iter().position(|route| fits(&route)).unwrap_or(self.list.len());
        let rest = self.list.get(start..).unwrap_or_default();
        let rank = rest.first().map(|route| (route.destination, route.metric));
        rest.iter()
            .take_while(move |route| Some((route.destination, route.metric)) == rank)
            .filter(fits)
    }

    /// Adds a route. The gateway must be reachable without another gateway.
    ///
    /// # Errors
    /// As [`set`](Self::set).
    pub(crate) fn add(&mut self, route: Route, append: bool) -> Result<(), Error> {
        let mode = if append { ChangeMode::Append } else { ChangeMode::Insert };
        self.set(route, mode).map(drop)
    }

    /// Brings a route into the table; false if it is there just so.
    ///
    /// # Errors
    /// `InvalidInput` for host bits under an IPv4 mask, mixed families or a gateway that is not
    /// unicast; `NetworkUnreachable` (IPv4) or `HostUnreachable` (IPv6) for a gateway that is not
    /// on-link, as on Linux; `AlreadyExists`; `NotFound`; `NoBufferSpace`.
    pub(crate) fn set(&mut self, route: Route, mode: ChangeMode) -> Result<bool, Error> {
        let route = Self::checked(route)?;
        if let Some(gateway) = route.gateway {
            self.check_gateway(gateway, route.details.is_onlink)?;
        }
        let is_equal = |known: &Route| route.is_equal(known);
        let has_same_way = |known: &Route| {
            known.gateway == route.gateway && known.details.kind == route.details.kind
        };
        let first = self.list.iter().position(is_equal);
        match (mode, first) {
            (ChangeMode::Insert, Some(_)) => return Err(Error::AlreadyExists),
            (ChangeMode::Append | ChangeMode::Prepend, Some(_))
                if self.list.iter().any(|known| is_equal(known) && has_same_way(known)) =>
            {
                return Err(Error::AlreadyExists);
            }
            (ChangeMode::Change, None) => return Err(Error::NotFound),
            (ChangeMode::Change | ChangeMode::Replace, Some(first)) => {
                // Linux refuses a replacement that another of the equal routes is already.
                let stays = |place: usize, known: &Route| {
                    place != first && !(known.is_hop() && self.is_hop_at(first))
                };
                let mut others = self.list.iter().enumerate();
                if others.any(|(place, known)| {
                    stays(place, known) && is_equal(known) && has_same_way(known)
                }) {
                    return Err(Error::AlreadyExists);
                }
                let had_hops = self.leave_alone(first);
                return Ok(self.put(first, route) || had_hops);
            }
            _ => {}
        }
        if is_asked(&route) {
            self.forget_waiting(|known| is_equal(known) && has_same_way(known));
        }
        if self.list.len() + self.waiting.len() >= limits::ROUTES {
            return Err(Error::NoBufferSpace);
        }
        let place = match (mode, first) {
            (ChangeMode::Prepend, Some(first)) => first,
            _ => self.list.partition_point(|known| order(known, &route).is_le()),
        };
        self.list.insert(place, route);
        self.touch();
        if route.is_on_link() {
            self.bring_in();
        }
        Ok(true)
    }

    /// Puts a route in the place of another one, and removes those whose gateways are off-link
    /// then.
    fn put(&mut self, place: usize, route: Route) -> bool {
        let Some(known) = self.list.get_mut(place).filter(|known| **known != route) else {
            return false;
        };
        *known = route;
        self.touch();
        self.drop_off_link(false);
        true
    }

    /// The route in its one form.
    ///
    /// # Errors
    /// `InvalidInput` for a destination that no route can have.
    pub(crate) fn checked(mut route: Route) -> Result<Route, Error> {
        if !route.destination.is_valid() {
            return Err(Error::InvalidInput);
        }
        let network = route.destination.network();
        // Linux refuses host bits for IPv4 and clears them for IPv6; `A/0` means every destination
        // in both.
        if network != route.destination
            && route.destination.address().is_ipv4()
            && route.destination.length() != 0
        {
            return Err(Error::InvalidInput);
        }
        route.destination = network;
        if network.address().is_multicast() {
            return Err(Error::InvalidInput);
        }
        Ok(route)
    }

    /// Refuses a gateway that is no host, wherever it is.
    ///
    /// # Errors
    /// `InvalidInput`.
    pub(crate) fn check_unicast(gateway: IpAddr) -> Result<(), Error> {
        let is_broadcast = matches!(gateway, IpAddr::V4(address) if address.is_broadcast());
        let is_host = !(gateway.is_multicast() || gateway.is_unspecified() || is_broadcast);
        if is_host { Ok(()) } else { Err(Error::InvalidInput) }
    }

    fn check_gateway(&self, gateway: IpAddr, is_onlink: bool) -> Result<(), Error> {
        Self::check_unicast(gateway)?;
        if is_onlink {
            return Ok(());
        }
        match self.find(gateway) {
            Some(route) if route.is_on_link() => Ok(()),
            Some(route) if route.details.kind == RouteKind::Unreachable => {
                Err(Error::HostUnreachable)
            }
            _ if gateway.is_ipv4() => Err(Error::NetworkUnreachable),
            _ => Err(Error::HostUnreachable),
        }
    }

    /// Removes the first route that matches every given field.
    ///
    /// # Errors
    /// `NoSuchProcess` when none does, as on Linux.
    pub(crate) fn remove(&mut self, selector: &RouteSelector) -> Result<(), Error> {
        let place = self.list.iter().position(|route| Self::is_meant(selector, route));
        let Some(place) = place else {
            let is_known = self.forget_waiting(|route| Self::is_meant(selector, route));
            return if is_known { Ok(()) } else { Err(Error::NoSuchProcess) };
        };
        if selector.gateway.is_none() {
            self.leave_alone(place);
        }
        self.list.remove(place);
        self.touch();
        self.drop_off_link(false);
        Ok(())
    }

    /// Removes the first route that counts and matches a filter, or all that do; returns how many.
    pub(crate) fn remove_filtered(
        &mut self,
        filter: &RouteFilter,
        counts: impl Fn(&Route) -> bool,
    ) -> u32 {
        let mut removed = 0;
        // The route whose next hops go one after the other.
        let mut going: Option<Route> = None;
        let mut stays = |route: &Route| {
            let is_of_same = filter.gateway.is_none()
                && route.is_hop()
                && going.is_some_and(|one| one.is_hop() && one.is_equal(route));
            let goes = (filter.all || removed == 0 || is_of_same)
                && counts(route)
                && route.matches(filter);
            if goes && !is_of_same {
                removed += 1;
                going = Some(*route);
            }
            !goes
        };
        self.retain(&mut stays);
        self.waiting.retain(|one| stays(one.route()));
        self.drop_off_link(false);
        removed
    }

    /// Removes routes whose time is over.
    pub(crate) fn expire(&mut self, now: Instant) {
        self.expire_waiting(now);
        self.retain(|route| route.details.expires.is_none_or(|at| at > now));
        self.drop_off_link(false);
    }

    /// When the next route expires.
    pub(crate) fn next_expiry(&self) -> Option<Instant> {
        let waiting = self.waiting.iter().map(Waiting::route);
        self.list.iter().chain(waiting).filter_map(|route| route.details.expires).min()
    }

    /// The MTU of a path that its route has.
    pub(crate) fn mtu_for(&self, destination: IpAddr) -> Option<u32> {
        if self.has_mtu { self.find(destination)?.details.mtu } else { None }
    }

    /// Adds a route that a router advertises, or changes the preference of the one to the same
    /// destination and gateway. False when [`add`](Self::add) fails.
    pub(crate) fn advertise(&mut self, route: Route) -> bool {
        let is_same = |known: &Route| {
            (known.origin, known.source) == (route.origin, route.source)
                && (known.destination, known.gateway) == (route.destination, route.gateway)
        };
        match self.list.iter().find(|known| is_same(known)) {
            Some(known) if known.preference == route.preference => return true,
            Some(_) => self.retain(|known| !is_same(known)),
            None => {}
        }
        self.add(route, true).is_ok()
    }

    /// Removes routes for which `goes` returns true, and those whose gateways are off-link then.
    pub(crate) fn remove_matching(&mut self, goes: impl Fn(&Route) -> bool) {
        self.retain(|route| !goes(route));
        self.drop_off_link(true);
    }

    /// Removes routes for which `stays` returns false.
    fn retain(&mut self, stays: impl FnMut(&Route) -> bool) {
        let before = self.list.len();
        self.list.retain(stays);
        if self.list.len() != before {
            self.touch();
        }
    }

    /// Replaces the routes of a lease of DHCPv4; those that stay are not touched. One that cannot
    /// be added is skipped.
    pub(crate) fn replace_leased(&mut self, routes: &[Route]) {
        self.retain(|route| !route.is_leased() || routes.contains(route));
        for route in routes {
            let _ = self.add(*route, true);
        }
        self.drop_off_link(true);
    }

    /// Adds the connected route of an address; keeps one that exists. An IPv4 address without a
    /// network has none.
    pub(crate) fn connect(&mut self, network: Prefix, source: IpAddr, metric: u32) {
        if network == Prefix::host(source) && source.is_ipv4() {
            return;
        }
        let route =
            Route { source: Some(source), ..Route::new(network, None, metric, Origin::Kernel) };
        // If the table is full, or another address implies the route already, the address is still
        // usable as a host.
        let _ = self.add(route, false);
    }

    /// Removes the connected route of a removed address, unless `remaining` still implies it, and
    /// routes whose gateways are off-link then. (Linux keeps those, unusable.) If the address was
    /// learned, what commands asked for comes back with it.
    pub(crate) fn disconnect(
        &mut self,
        network: Prefix,
        former: IpAddr,
        remaining: Option<IpAddr>,
        was_learned: bool,
    ) {
        let former = Some(former);
        self.revision = self.revision.wrapping_add(1);
        if remaining.is_none() {
            self.retain(|route| {
                route.origin != Origin::Kernel
                    || route.destination != network
                    || route.source != former
            });
        }
        // A source that a command gave does not become another one.
        let mut gone = Vec::new();
        self.retain(|route| {
            let stays =
                route.origin != Origin::Static || route.source != former || remaining == former;
            if !stays && was_learned {
                gone.push(*route);
            }
            stays
        });
        gone.into_iter().for_each(|route| self.wait_for_source(route));
        for route in self.list.iter_mut().filter(|route| route.source == former) {
            route.source = remaining;
        }
        self.drop_off_link(was_learned);
    }

    /// True when something changed since the last call.
    pub(crate) fn take_changed(&mut self) -> bool {
        core::mem::take(&mut self.changed)
    }

    /// Sets the metric of every route that has none of its own.
    pub(crate) fn set_metric(&mut self, metric: u32) {
        self.touch();
        self.set_waiting_metric(metric);
        for route in self.list.iter_mut().filter(|route| !route.has_own_metric) {
            route.metric = metric;
        }
        sort(&mut self.list);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::route::Preference;

    fn route(destination: &str, gateway: Option<&str>, metric: u32) -> Route {
        Route {
            destination: destination.parse().unwrap(),
            gateway: gateway.map(|text| text.parse().unwrap()),
            metric,
            has_own_metric: true,
            preference: Preference::Medium,
            origin: Origin::Static,
            source: None,
            details: Details::default(),
        }
    }

    fn connect(routes: &mut Routes, prefix: &str) {
        let prefix: Prefix = prefix.parse().unwrap();
        routes.connect(prefix.network(), prefix.address(), 0);
    }

    fn selector(destination: &str) -> RouteSelector {
        RouteSelector {
            destination: destination.parse().unwrap(),
            gateway: None,
            metric: None,
            interface: None,
        }
    }

    #[test]
    fn the_longest_prefix_wins_then_the_smallest_metric() {
        let mut routes = Routes::default();
        connect(&mut routes, "10.0.0.5/24");
        routes.add(route("0.0.0.0/0", Some("10.0.0.1"), 10), false).unwrap();
        routes.add(route("0.0.0.0/0", Some("10.0.0.2"), 5), false).unwrap();
        routes.add(route("192.0.2.0/24", Some("10.0.0.3"), 100), false).unwrap();
        let gateway = |to: &str| routes.find(to.parse().unwrap()).unwrap().gateway;
        assert_eq!(gateway("198.51.100.1"), Some("10.0.0.2".parse().unwrap()));
        assert_eq!(gateway("192.0.2.1"), Some("10.0.0.3".parse().unwrap()));
        assert_eq!(gateway("10.0.0.77"), None);
        assert!(routes.find("169.254.1.1".parse().unwrap()).is_none());
        assert!(routes.find("fd00::1".parse().unwrap()).is_none());
    }

    #[test]
    fn src_02_and_src_03_bad_routes_are_refused_as_linux_does() {
        let mut routes = Routes::default();
        connect(&mut routes, "10.0.0.5/24");
        connect(&mut routes, "fd00::5/64");
        assert_eq!(
            routes.add(route("0.0.0.0/0", Some("10.9.9.9"), 0), false),
            Err(Error::NetworkUnreachable)
        );
        assert_eq!(
            routes.add(route("::/0", Some("fd01::1"), 0), false),
            Err(Error::HostUnreachable)
        );
        assert_eq!(
            routes.add(route("10.1.2.3/16", Some("10.0.0.1"), 0), false),
            Err(Error::InvalidInput)
        );
        assert_eq!(
            routes.add(route("0.0.0.0/0", Some("224.0.0.1"), 0), false),
            Err(Error::InvalidInput)
        );
        routes.add(route("fd09::1/32", Some("fd00::1"), 0), false).unwrap();
        assert!(routes.remove(&selector("fd09::/32")).is_ok());
        routes.add(route("10.0.0.5/0", Some("10.0.0.1"), 0), false).unwrap();
        assert_eq!(
            routes.add(route("0.0.0.0/0", Some("10.0.0.2"), 0), false),
            Err(Error::AlreadyExists)
        );
        routes.add(route("0.0.0.0/0", Some("10.0.0.2"), 0), true).unwrap();
        assert_eq!(routes.remove(&selector("10.99.0.0/16")), Err(Error::NoSuchProcess));
    }

    #[test]
    fn a_removed_address_takes_its_network_and_what_depends_on_it() {
        let mut routes = Routes::default();
        connect(&mut routes, "10.0.0.5/24");
        let network = "10.0.0.0/24".parse().unwrap();
        let [first, second] = ["10.0.0.5", "10.0.0.6"].map(|text| text.parse().unwrap());
        routes.add(route("0.0.0.0/0", Some("10.0.0.1"), 0), false).unwrap();
        routes.disconnect(network, first, Some(second), false);
        assert_eq!(routes.iter().count(), 2);
        routes.disconnect(network, second, None, false);
        assert_eq!(routes.iter().count(), 0);
    }

    #[test]
    fn the_table_is_bounded() {
        let mut routes = Routes::default();
        for number in 0..limits::ROUTES as u32 {
            let destination =
                Prefix::host(IpAddr::V4(core::net::Ipv4Addr::from_bits(0x0a00_0000 + number)));
            routes.add(Route { destination, ..route("0.0.0.0/0", None, 0) }, false).unwrap();
        }
        assert_eq!(routes.add(route("192.0.2.1", None, 0), false), Err(Error::NoBufferSpace));
    }
}
