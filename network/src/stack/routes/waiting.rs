//! Routes that commands asked for: those in the table, and those that wait for their gateway.
//!
//! A route waits when what its gateway was reached by was learned and is gone: the network of a
//! lease, an advertised prefix, the link-local address of another hardware address. It comes back
//! with that. What a command takes away takes its routes along.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;
use core::net::IpAddr;

use super::order::sort;
use super::{Route, Routes};
use crate::address::Prefix;
use crate::command::address::Origin;
use crate::command::route::RouteSelector;
use crate::platform::Instant;

/// A route that waits.
#[derive(Clone, Debug)]
pub(super) struct Waiting {
    route: Route,
    /// For its source address too.
    needs_source: bool,
}

impl Waiting {
    pub(super) const fn route(&self) -> &Route {
        &self.route
    }
}

/// True for a route of this interface that a command asked for.
pub(super) fn is_asked(route: &Route) -> bool {
    route.origin == Origin::Static && route.is_unicast()
}

impl Routes {
    /// The routes that commands asked for: those of the table in its order, then those that wait.
    pub(crate) fn asked(&self) -> impl Iterator<Item = &Route> {
        let waiting = self.waiting.iter().map(Waiting::route);
        self.list.iter().filter(|route| is_asked(route)).chain(waiting)
    }

    /// True when a gateway is on-link.
    fn is_near(&self, gateway: IpAddr) -> bool {
        self.find(gateway).is_some_and(Route::is_on_link)
    }

    /// Makes these the routes that commands asked for, each of several to one destination before
    /// the next. Those whose gateways are not on-link wait; returns their places.
    pub(crate) fn replace_asked(&mut self, routes: &[Route]) -> Vec<usize> {
        self.list.retain(|route| !is_asked(route));
        self.waiting.clear();
        let is_immediate = |route: &Route| route.gateway.is_none() || route.details.is_onlink;
        self.list.extend(routes.iter().filter(|route| route.gateway.is_none()));
        sort(&mut self.list);
        let mut near: BTreeMap<IpAddr, bool> = BTreeMap::new();
        let mut waiting = Vec::new();
        let mut coming = Vec::new();
        for (place, route) in routes.iter().enumerate() {
            let Some(gateway) = route.gateway else { continue };
            let is_near = is_immediate(route)
                || *near.entry(gateway).or_insert_with(|| self.is_near(gateway));
            if is_near {
                coming.push(*route);
            } else {
                self.waiting.push(Waiting { route: *route, needs_source: false });
                waiting.push(place);
            }
        }
        self.list.append(&mut coming);
        sort(&mut self.list);
        self.touch();
        self.drop_off_link(true);
        waiting
    }

    /// Removes routes whose gateways are off-link. Those that commands asked for wait, if what they
    /// needed was learned.
    pub(super) fn drop_off_link(&mut self, was_learned: bool) {
        let connected: Vec<Prefix> = self
            .list
            .iter()
            .filter(|route| route.is_on_link())
            .map(|route| route.destination)
            .collect();
        let mut gone = Vec::new();
        self.retain(|route| {
            let stays = route.details.is_onlink
                || route
                    .gateway
                    .is_none_or(|gateway| connected.iter().any(|prefix| prefix.contains(gateway)));
            if !stays && was_learned && is_asked(route) {
                gone.push(Waiting { route: *route, needs_source: false });
            }
            stays
        });
        self.waiting.append(&mut gone);
    }

    /// Takes a route out of the table until its source address is back.
    pub(super) fn wait_for_source(&mut self, route: Route) {
        self.waiting.push(Waiting { route, needs_source: true });
    }

    /// Brings in what waited, as far as it can be now.
    pub(super) fn bring_in(&mut self) {
        if self.waiting.is_empty() {
            return;
        }
        let (mut coming, mut waiting) = (Vec::new(), Vec::new());
        for one in core::mem::take(&mut self.waiting) {
            let Route { gateway, source, details, .. } = one.route;
            let is_near = details.is_onlink || gateway.is_none_or(|gateway| self.is_near(gateway));
            let has_source = !one.needs_source
                || self
                    .list
                    .iter()
                    .any(|known| known.origin == Origin::Kernel && known.source == source);
            if is_near && has_source { coming.push(one.route) } else { waiting.push(one) }
        }
        self.waiting = waiting;
        if !coming.is_empty() {
            self.list.append(&mut coming);
            sort(&mut self.list);
            self.touch();
        }
    }

    /// Forgets a route that waits and that a command removes or says again; false if there is none.
    pub(super) fn forget_waiting(&mut self, goes: impl Fn(&Route) -> bool) -> bool {
        let place = self.waiting.iter().position(|one| goes(&one.route));
        place.map(|place| self.waiting.remove(place)).is_some()
    }

    /// Forgets the routes of IPv4 that wait: without the DHCP client nothing brings back what they
    /// wait for.
    pub(crate) fn forget_all_waiting(&mut self) {
        self.waiting.retain(|one| one.route.destination.address().is_ipv6());
    }

    /// True for a route that a selector means.
    pub(super) fn is_meant(selector: &RouteSelector, route: &Route) -> bool {
        route.is_unicast()
            && route.destination == selector.destination.network()
            && selector.gateway.is_none_or(|gateway| route.gateway == Some(gateway))
            && selector.metric.is_none_or(|metric| route.metric == metric)
    }

    /// Forgets those whose time is over.
    pub(super) fn expire_waiting(&mut self, now: Instant) {
        self.waiting.retain(|one| one.route.details.expires.is_none_or(|at| at > now));
    }

    /// Sets the metric of those that have none of their own.
    pub(super) fn set_waiting_metric(&mut self, metric: u32) {
        let routes = self.waiting.iter_mut().map(|one| &mut one.route);
        routes.filter(|route| !route.has_own_metric).for_each(|route| route.metric = metric);
    }
}
