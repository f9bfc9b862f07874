//! Route and source address selection.

use core::net::IpAddr;

use devnet_virtual_file_system::Error;

use super::Ip;
use super::configure::route_entry;
use super::multipath::FlowKey;
use crate::command::route::RouteChoice;
use crate::driver::Medium;
use crate::stack::addresses::is_link_local_ipv4;
use crate::stack::context::Context;
use crate::stack::routes::Route;

impl Ip {
    /// The route of a packet. Among equal ones the first whose gateway answers (SRC-04, RFC 1122
    /// §3.3.1.5); one that does not is tried again after a while.
    pub(crate) fn route_for(&self, cx: &Context, destination: IpAddr) -> Option<&Route> {
        self.route_of(cx, destination, FlowKey::UNKNOWN)
    }

    /// As [`route_for`](Self::route_for), for a flow: of a route with several next hops the one
    /// that it takes.
    pub(crate) fn route_of(
        &self,
        cx: &Context,
        destination: IpAddr,
        flow: FlowKey<'_>,
    ) -> Option<&Route> {
        let mut equals = self.routes.equals(destination);
        let first = equals.next()?;
        let answers = |route: &&Route| self.answers(cx, route);
        let found = match equals.next() {
            None => return Some(first),
            Some(_) if answers(&first) => first,
            Some(second) => core::iter::once(second).chain(equals).find(answers).unwrap_or(first),
        };
        Some(if found.is_hop() { self.hop_of(cx, destination, found, flow) } else { found })
    }

    /// The next hop of a flow to `destination`.
    ///
    /// # Errors
    /// `NetworkUnreachable` without a route; the refusal of a route that is not unicast.
    pub(crate) fn next_hop(
        &self,
        cx: &Context,
        destination: IpAddr,
        flow: FlowKey<'_>,
    ) -> Result<IpAddr, Error> {
        match self.route_of(cx, destination, flow) {
            Some(route) => match route.details.kind.refusal() {
                None => Ok(route.gateway.unwrap_or(destination)),
                Some(refusal) => Err(refusal),
            },
            // Always on-link, whatever the routes say (IP4-09).
            None if is_link_local_ipv4(destination) => Ok(destination),
            None => Err(Error::NetworkUnreachable),
        }
    }

    /// The refusal of a destination whose route is not unicast.
    pub(crate) fn refusal(&self, cx: &Context, destination: IpAddr) -> Option<Error> {
        self.route_for(cx, destination)?.details.kind.refusal()
    }

    /// The source address for a destination: the route's, else the interface's best (RFC 6724). On
    /// the loopback interface a local destination is its own source.
    ///
    /// # Errors
    /// As [`next_hop`](Self::next_hop); `AddressNotAvailable` without an address of the family.
    pub(crate) fn source_for(&self, cx: &Context, destination: IpAddr) -> Result<IpAddr, Error> {
        // The routes of an interface that is down are unusable, as on Linux.
        if !cx.configuration.enabled {
            return Err(Error::NetworkUnreachable);
        }
        if self.addresses.owns(destination) || self.host.owns(destination) {
            return Ok(destination);
        }
        let is_multicast_or_broadcast = destination.is_multicast()
            || matches!(destination, IpAddr::V4(address) if self.addresses.is_broadcast(address));
        let next_hop = match self.route_for(cx, destination) {
            Some(route) => {
                if let Some(refusal) = route.details.kind.refusal() {
                    return Err(refusal);
                }
                if let Some(source) = route.source.filter(|source| self.addresses.owns(*source)) {
                    return Ok(source);
                }
                route.gateway.unwrap_or(destination)
            }
            None if is_multicast_or_broadcast
                || is_link_local_ipv4(destination)
                || (cx.configuration.capabilities.medium == Medium::Ip && !cx.is_loopback()) =>
            {
                destination
            }
            None => return Err(Error::NetworkUnreachable),
        };
        self.addresses.source_for(destination, next_hop).ok_or(Error::AddressNotAvailable)
    }

    /// The route and source address of a flow, for display.
    ///
    /// # Errors
    /// `NetworkUnreachable`.
    pub(crate) fn explain(
        &self,
        cx: &Context,
        destination: IpAddr,
        source: IpAddr,
        (protocol, ports): (u8, Option<u32>),
    ) -> Result<RouteChoice, Error> {
        let is_own = self.is_own(destination);
        let flow = FlowKey::Ends { source: Some(source), protocol, ports };
        let route = self.route_of(cx, destination, flow).filter(|_| !is_own);
        if route.is_none()
            && !is_own
            && !destination.is_multicast()
            && !is_link_local_ipv4(destination)
            && cx.configuration.capabilities.medium != Medium::Ip
        {
            return Err(Error::NetworkUnreachable);
        }
        Ok(RouteChoice {
            destination,
            interface: cx.configuration.name.clone(),
            gateway: route.and_then(|route| route.gateway),
            source,
            route: route.map(|route| route_entry(cx, route)),
        })
    }
}
