//! Routes by command: of this interface, and the copies of those of the whole system.

use alloc::vec::Vec;
use core::net::IpAddr;
use core::time::Duration;

use devnet_virtual_file_system::Error;

use super::Ip;
use super::configure::route_entry;
use crate::command::address::Origin;
use crate::command::route::{
    ChangeMode, MultipathChange, MultipathRoute, NewRoute, NextHop, NextHopStatus, Preference,
    RouteChange, RouteDetail, RouteEntry, RouteFilter, RouteKind, RouteSelector,
};
use crate::limits;
use crate::platform::Instant;
use crate::stack::context::Context;
use crate::stack::routes::{Details, Route};
use crate::stack::timers::Timer;

/// The route that a command describes.
///
/// # Errors
/// `InvalidInput` for what no route can have, or not together.
pub(crate) fn described(change: &RouteChange, metric: u32, now: Instant) -> Result<Route, Error> {
    let is_ipv4 = change.destination.address().is_ipv4();
    let is_of_another_family = |address: &IpAddr| address.is_ipv4() != is_ipv4;
    let is_wrong = [change.gateway, change.source].iter().flatten().any(is_of_another_family)
        || (change.onlink && change.gateway.is_none())
        || change.mtu == Some(0)
        || change.expires_seconds == Some(0);
    if is_wrong {
        return Err(Error::InvalidInput);
    }
    let expires = change.expires_seconds.map(u64::from).map(Duration::from_secs);
    Ok(Route {
        destination: change.destination,
        gateway: change.gateway,
        metric: if change.metric == 0 { metric } else { change.metric },
        has_own_metric: change.metric != 0,
        preference: Preference::Medium,
        origin: Origin::Static,
        source: change.source,
        details: Details {
            kind: change.kind,
            mtu: change.mtu,
            is_onlink: change.onlink,
            protocol: change.protocol,
            expires: expires.map(|span| now.after(span)),
            weight: 0,
        },
    })
}

/// The next hops of the route that a command describes; one without a weight for an ordinary one.
///
/// # Errors
/// As [`described`]; `InvalidInput` also for a gateway beside next hops and for one that is there
/// twice, `NoBufferSpace` for more than [`NEXT_HOPS`](limits::NEXT_HOPS).
pub(crate) fn described_hops(
    change: &MultipathChange,
    metric: u32,
    now: Instant,
) -> Result<Vec<Route>, Error> {
    let MultipathChange { route, hops } = change;
    if hops.is_empty() {
        return described(route, metric, now).map(|route| alloc::vec![route]);
    }
    let is_again = |(place, hop): (usize, &NextHop)| {
        hops.iter().take(place).any(|known| known.gateway == hop.gateway)
    };
    let is_wrong = route.gateway.is_some()
        || route.kind != RouteKind::Unicast
        || hops.iter().any(|hop| !(1..=256).contains(&hop.weight))
        || hops.iter().enumerate().any(is_again);
    if is_wrong {
        return Err(Error::InvalidInput);
    }
    if hops.len() > limits::NEXT_HOPS {
        return Err(Error::NoBufferSpace);
    }
    let is_alone = hops.len() == 1;
    let hop = |hop: &NextHop| {
        let change = RouteChange { gateway: Some(hop.gateway), ..route.clone() };
        let mut hop_route = described(&change, metric, now)?;
        hop_route.details.weight = if is_alone { 0 } else { hop.weight };
        Ok(hop_route)
    };
    hops.iter().map(hop).collect()
}

impl Ip {
    /// Adds a route of this interface.
    ///
    /// # Errors
    /// As [`set_route`](Self::set_route).
    pub(crate) fn add_route(&mut self, cx: &mut Context, new: &NewRoute) -> Result<(), Error> {
        let change = RouteChange {
            mode: if new.append { ChangeMode::Append } else { ChangeMode::Insert },
            destination: new.destination,
            gateway: new.gateway,
            metric: new.metric,
            ..RouteChange::default()
        };
        self.set_route(cx, &change).map(drop)
    }

    /// Adds or replaces a route of this interface; false if it is there just so.
    ///
    /// # Errors
    /// As [`Routes::set`](crate::stack::routes::Routes::set); `NetworkDown` while the interface is
    /// down, and for its gateways what an unreachable one gives, as Linux; `InvalidInput` for a
    /// source that is not the interface's, and a gateway of IPv6 that is.
    pub(crate) fn set_route(
        &mut self,
        cx: &mut Context,
        change: &RouteChange,
    ) -> Result<bool, Error> {
        let route = described(change, cx.configuration.metric, cx.now)?;
        self.check_asked(cx, &route)?;
        self.put_route(cx, route, change.mode)
    }

    /// Adds or replaces a route of this interface that may have several next hops; false if it is
    /// there just so.
    ///
    /// # Errors
    /// As [`set_route`](Self::set_route) and [`described_hops`].
    pub(crate) fn set_multipath_route(
        &mut self,
        cx: &mut Context,
        change: &MultipathChange,
    ) -> Result<bool, Error> {
        let mode = change.route.mode;
        let routes = described_hops(change, cx.configuration.metric, cx.now)?;
        routes.iter().try_for_each(|route| self.check_asked(cx, route))?;
        if let [route] = routes.as_slice() {
            return self.put_route(cx, *route, mode);
        }
        let is_changed = self.routes.set_multipath(&routes, mode)?;
        self.arm_routes(cx);
        self.routes_changed(cx);
        Ok(is_changed)
    }

    /// Refuses what no command may ask of this interface now.
    fn check_asked(&self, cx: &Context, route: &Route) -> Result<(), Error> {
        if !cx.configuration.enabled {
            return Err(match route.gateway {
                None => Error::NetworkDown,
                Some(gateway) if gateway.is_ipv4() => Error::NetworkUnreachable,
                Some(_) => Error::HostUnreachable,
            });
        }
        let is_own_gateway =
            route.gateway.is_some_and(|gateway| gateway.is_ipv6() && self.addresses.owns(gateway));
        let is_foreign_source = route.source.is_some_and(|source| !self.addresses.owns(source));
        if is_own_gateway || is_foreign_source {
            return Err(Error::InvalidInput);
        }
        Ok(())
    }

    /// Brings a route into the table; false if it is there just so.
    ///
    /// # Errors
    /// As [`Routes::set`](crate::stack::routes::Routes::set).
    pub(crate) fn put_route(
        &mut self,
        cx: &mut Context,
        route: Route,
        mode: ChangeMode,
    ) -> Result<bool, Error> {
        let is_changed = self.routes.set(route, mode)?;
        self.arm_routes(cx);
        self.routes_changed(cx);
        Ok(is_changed)
    }

    /// Makes these the routes of this interface that commands asked for.
    ///
    /// # Errors
    /// As [`described_hops`].
    pub(crate) fn replace_routes(
        &mut self,
        cx: &mut Context,
        changes: &[MultipathChange],
    ) -> Result<(), Error> {
        let metric = cx.configuration.metric;
        let described = changes.iter().map(|change| described_hops(change, metric, cx.now));
        let routes = described.collect::<Result<Vec<_>, _>>()?;
        self.routes.replace_asked(&routes.concat());
        self.arm_routes(cx);
        self.routes_changed(cx);
        Ok(())
    }

    fn arm_routes(&mut self, cx: &mut Context) {
        if let Some(deadline) = self.routes.next_expiry() {
            cx.timers.arm_earlier(&mut self.routes.armed, deadline, Timer::Routes);
        }
    }

    /// Removes routes whose time is over.
    pub(crate) fn expire_routes(&mut self, cx: &mut Context, deadline: Instant) {
        if self.routes.armed != Some(deadline) {
            return;
        }
        self.routes.armed = None;
        self.routes.expire(cx.now);
        self.arm_routes(cx);
        self.routes_changed(cx);
    }

    /// Removes a route of this interface.
    ///
    /// # Errors
    /// `NoSuchProcess`.
    pub(crate) fn remove_route(
        &mut self,
        cx: &mut Context,
        selector: &RouteSelector,
    ) -> Result<(), Error> {
        self.routes.remove(selector)?;
        self.routes_changed(cx);
        Ok(())
    }

    /// Removes the first unicast route that matches, or all that do; returns how many.
    pub(crate) fn remove_routes(&mut self, cx: &mut Context, filter: &RouteFilter) -> u32 {
        let removed = self.routes.remove_filtered(filter, Route::is_unicast);
        self.routes_changed(cx);
        removed
    }

    /// Removes the copies of routes of the whole system that match.
    pub(crate) fn remove_system_routes(&mut self, cx: &mut Context, goes: impl Fn(&Route) -> bool) {
        self.routes.remove_matching(|route| route.is_of_system() && goes(route));
        self.routes_changed(cx);
    }

    /// The list of routes with everything about them.
    pub(crate) fn route_details<'a>(
        &'a self,
        cx: &'a Context,
    ) -> impl Iterator<Item = RouteDetail> + 'a {
        self.routes
            .iter()
            .filter(|route| !route.is_of_system())
            .map(|route| route.detail(route_entry(cx, route), cx.now))
    }

    /// The list of routes with several next hops.
    pub(crate) fn multipath_routes(&self, cx: &Context) -> Vec<MultipathRoute> {
        let mut all: Vec<(&Route, MultipathRoute)> = Vec::new();
        for route in self.routes.iter().filter(|route| route.is_hop()) {
            let (Some(gateway), weight) = (route.gateway, route.details.weight) else { continue };
            let hop = NextHopStatus { gateway, weight, answers: self.answers(cx, route) };
            match all.last_mut().filter(|(first, _)| first.is_equal(route)) {
                Some((_, known)) => known.hops.push(hop),
                None => {
                    let entry = RouteEntry { gateway: None, ..route_entry(cx, route) };
                    let detail = route.detail(entry, cx.now);
                    let hops = alloc::vec![hop];
                    all.push((route, MultipathRoute { route: detail, hops }));
                }
            }
        }
        let all = all.into_iter().map(|(_, route)| route);
        all.filter(|route| route.hops.len() > 1).collect()
    }
}
