//! Which source address and which route a packet of ours takes.

use core::net::IpAddr;

use virtual_file_system::Error;

use crate::driver::Medium;
use crate::stack::Stack;
use crate::stack::ip::routes::Route;

impl Stack {
    /// Does what follows when routes changed: gateways stay neighbors (NBR-03), and senders that
    /// wait look again (SOK-05).
    pub(crate) fn follow_routes(&mut self) {
        if self.routes.take_changed() {
            self.neighbors.pin(self.routes.iter().filter_map(|route| route.gateway).collect());
            self.host.wake_senders(&mut self.wakes);
        }
    }

    /// The route that a packet takes. Of equal ones the first whose gateway answers (SRC-04, RFC
    /// 1122 §3.3.1.5); one that does not is tried again after a while.
    pub(crate) fn route_for(&self, destination: IpAddr) -> Option<&Route> {
        let mut equals = self.routes.equals(destination);
        let first = equals.next()?;
        let answers = |route: &&Route| {
            route.gateway.is_none_or(|gateway| !self.neighbors.is_silent(gateway, self.now))
        };
        match equals.next() {
            None => Some(first),
            Some(_) if answers(&first) => Some(first),
            Some(second) => core::iter::once(second).chain(equals).find(answers).or(Some(first)),
        }
    }

    /// The station that packets to `destination` are handed to.
    pub(crate) fn next_hop(&self, destination: IpAddr) -> Option<IpAddr> {
        match self.route_for(destination) {
            Some(route) => Some(route.gateway.unwrap_or(destination)),
            // Always on the link, whatever the routes say (IP4-09).
            None => is_link_local_ipv4(destination).then_some(destination),
        }
    }

    /// The source address for a destination: the route's own, else the best of the interface (RFC
    /// 6724). On the loopback interface an address of ours speaks for itself.
    ///
    /// # Errors
    /// `NetworkUnreachable` without a route; `AddressNotAvailable` without an address of the
    /// family.
    pub(crate) fn source_for(&self, destination: IpAddr) -> Result<IpAddr, Error> {
        // Routes of an interface that is down are none, as on Linux.
        if !self.configuration.enabled {
            return Err(Error::NetworkUnreachable);
        }
        if self.addresses.owns(destination) || self.host.owns(destination) {
            return Ok(destination);
        }
        let to_everybody = destination.is_multicast()
            || matches!(destination, IpAddr::V4(address) if self.addresses.is_broadcast(address));
        let next_hop = match self.route_for(destination) {
            Some(route) => {
                if let Some(source) = route.source.filter(|source| self.addresses.owns(*source)) {
                    return Ok(source);
                }
                route.gateway.unwrap_or(destination)
            }
            None if to_everybody
                || is_link_local_ipv4(destination)
                || (self.configuration.capabilities.medium == Medium::Ip
                    && !self.is_loopback()) =>
            {
                destination
            }
            None => return Err(Error::NetworkUnreachable),
        };
        self.addresses.source_for(destination, next_hop).ok_or(Error::AddressNotAvailable)
    }

    /// Which route a packet from here takes.
    ///
    /// # Errors
    /// `NetworkUnreachable`.
    pub(crate) fn explain(
        &self,
        destination: IpAddr,
        source: IpAddr,
    ) -> Result<crate::command::route::RouteChoice, Error> {
        let is_own = self.is_own(destination);
        let route = self.route_for(destination).filter(|_| !is_own);
        if route.is_none()
            && !is_own
            && !destination.is_multicast()
            && !is_link_local_ipv4(destination)
            && self.configuration.capabilities.medium != Medium::Ip
        {
            return Err(Error::NetworkUnreachable);
        }
        Ok(crate::command::route::RouteChoice {
            destination,
            interface: self.configuration.name.clone(),
            gateway: route.and_then(|route| route.gateway),
            source,
            route: route.map(|route| self.route_entry(route)),
        })
    }
}

/// True for 169.254.0.0/16, which no router forwards (RFC 3927 §2.6.2).
pub(crate) fn is_link_local_ipv4(address: IpAddr) -> bool {
    matches!(address, IpAddr::V4(address) if address.is_link_local())
}
