//! Which source address and which route a packet of ours takes.

use core::net::IpAddr;

use virtual_file_system::Error;

use crate::stack::Stack;

impl Stack {
    /// Does what follows when routes changed: gateways stay neighbors (NBR-03), and senders that wait look again (SOK-05).
    pub(crate) fn follow_routes(&mut self) {
        if self.routes.take_changed() {
            self.neighbors.pin(self.routes.iter().filter_map(|route| route.gateway).collect());
            self.host.wake_senders(&mut self.wakes);
        }
    }

    /// The source address for a destination: the route's own, else the best of the interface (RFC 6724). On the loopback interface an
    /// address of ours speaks for itself.
    ///
    /// # Errors
    /// `NetworkDown`; `NetworkUnreachable` without a route; `AddressNotAvailable` without an address of the family.
    pub(crate) fn source_for(&self, destination: IpAddr) -> Result<IpAddr, Error> {
        if !self.configuration.enabled {
            return Err(Error::NetworkDown);
        }
        if self.addresses.owns(destination) || self.host.owns(destination) {
            return Ok(destination);
        }
        let to_everybody = destination.is_multicast()
            || matches!(destination, IpAddr::V4(address) if self.addresses.is_broadcast(address));
        let next_hop = match self.routes.find(destination) {
            Some(route) => {
                if let Some(source) = route.source.filter(|source| self.addresses.owns(*source)) {
                    return Ok(source);
                }
                route.gateway.unwrap_or(destination)
            }
            None if to_everybody || self.configuration.capabilities.medium == crate::driver::Medium::Ip => destination,
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
        let is_own = self.addresses.owns(destination) || (self.is_loopback() && self.host.owns(destination));
        let route = self.routes.find(destination).filter(|_| !is_own);
        if route.is_none()
            && !is_own
            && !destination.is_multicast()
            && self.configuration.capabilities.medium != crate::driver::Medium::Ip
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
