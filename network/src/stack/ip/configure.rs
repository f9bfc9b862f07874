//! Adding and removing addresses and routes, with everything that a change implies: connected
//! routes, duplicate address detection, announcements, multicast groups.
//!
//! Every setter checks everything before it changes anything. The stack above ends the connections
//! of an address before it is removed.

use alloc::vec::Vec;
use core::net::IpAddr;

use devnet_virtual_file_system::Error;

use super::Ip;
use crate::address::Prefix;
use crate::command::address::{AddressEntry, AddressState, NewAddress, Origin, Scope};
use crate::command::neighbor::{NewNeighbor, ProxyEntry};
use crate::command::route::{Preference, RouteEntry, RoutePreference};
use crate::driver::Medium;
use crate::features::has_family;
use crate::limits;
use crate::platform::Instant;
use crate::stack::addresses::Address;
use crate::stack::context::Context;
use crate::stack::routes::Route;

impl Ip {
    /// Adds an address with its connected route. An advertised one has none: the prefix is on-link
    /// only if the router says so (RFC 5942 §4).
    ///
    /// # Errors
    /// As [`Addresses::add`](crate::stack::addresses::Addresses::add); `InvalidInput` for IPv6
    /// below its minimum MTU; `Unsupported` for it in a build without it.
    pub(crate) fn add_address(
        &mut self,
        cx: &mut Context,
        new: &NewAddress,
        origin: Origin,
    ) -> Result<(), Error> {
        self.check_family(cx, new.prefix)?;
        let state = self.first_state(cx, new.prefix.address());
        self.addresses.add(new, origin, state)?;
        self.begin_address(cx, new.prefix);
        Ok(())
    }

    /// Detection comes first where neighbors may object.
    pub(super) fn first_state(&self, cx: &Context, address: IpAddr) -> AddressState {
        if address.is_ipv6() && !address.is_loopback() && cx.has_neighbors() {
            AddressState::Tentative
        } else {
            AddressState::Preferred
        }
    }

    /// Refuses an address of a family that is left out, or that the MTU has no room for.
    pub(super) fn check_family(&self, cx: &Context, prefix: Prefix) -> Result<(), Error> {
        if !has_family(prefix.address()) {
            return Err(Error::Unsupported);
        }
        let is_too_small = cx.configuration.mtu < limits::MTU_MINIMUM_IPV6;
        if prefix.address().is_ipv6() && is_too_small {
            return Err(Error::InvalidInput);
        }
        Ok(())
    }

    /// What follows from an address that is in the table now: its route, its groups, its detection
    /// or announcement.
    pub(super) fn begin_address(&mut self, cx: &mut Context, prefix: Prefix) {
        let Some(entry) = self.addresses.iter().find(|entry| entry.prefix == prefix) else {
            return;
        };
        let (state, connected) = (entry.state, entry.connected());
        if let Some(network) = connected {
            self.routes.connect(network, prefix.address(), cx.configuration.metric);
        }
        // A host that probes an address must receive the solicited-node group (RFC 4862 §5.4.2).
        self.update_address_groups(cx);
        match prefix.address() {
            IpAddr::V6(address) if state == AddressState::Tentative && cx.is_running() => {
                self.start_duplicate_detection(cx, address);
            }
            IpAddr::V4(address)
                if cx.is_running() && cx.configuration.capabilities.medium == Medium::Ethernet =>
            {
                self.link.announce(cx, address);
            }
            _ => {}
        }
        self.addresses_changed(cx);
    }

    /// True when no other prefix has the same address.
    pub(crate) fn is_last(&self, prefix: Prefix) -> bool {
        let same = |entry: &&Address| entry.prefix.address() == prefix.address();
        self.addresses.iter().filter(same).map(|entry| entry.prefix).eq([prefix])
    }

    /// Removes an address and its connected route.
    ///
    /// # Errors
    /// `AddressNotAvailable`.
    pub(crate) fn remove_address(&mut self, cx: &mut Context, prefix: Prefix) -> Result<(), Error> {
        let removed = self.addresses.remove(prefix)?;
        if let Some(network) = removed.connected() {
            let was_learned = removed.origin != Origin::Static;
            self.disconnect(network, prefix.address(), was_learned);
        }
        if !self.addresses.owns(prefix.address()) {
            self.link.drop_queued_from(cx, prefix.address());
        }
        self.addresses_changed(cx);
        Ok(())
    }

    /// An address no longer implies the connected route of a network; another one may.
    pub(super) fn disconnect(&mut self, network: Prefix, former: IpAddr, was_learned: bool) {
        let implies = |entry: &&Address| entry.connected() == Some(network);
        let remaining = self.addresses.iter().find(implies).map(|entry| entry.prefix.address());
        self.routes.disconnect(network, former, remaining, was_learned);
    }

    /// Updates the addresses that the interfaces of the system share.
    pub(crate) fn addresses_changed(&mut self, cx: &mut Context) {
        let usable = self.addresses.iter().filter(|entry| entry.is_usable());
        self.host
            .replace(cx.configuration.index, usable.map(|entry| (entry.prefix, entry.broadcast)));
        self.update_address_groups(cx);
        self.routes_changed(cx);
    }

    /// Applies route changes: gateways stay in the neighbor table (NBR-03), and waiting senders are
    /// woken (SOK-05).
    pub(crate) fn routes_changed(&mut self, cx: &mut Context) {
        if self.routes.take_changed() {
            let gateways = self.routes.iter().filter_map(|route| route.gateway).collect();
            self.link.neighbors.set_gateways(gateways);
            self.host.wake_senders(&mut cx.wakes);
        }
    }

    /// Sets the metric of the interface and of its routes without one of their own; returns true if
    /// that changed something.
    pub(crate) fn set_metric(&mut self, cx: &mut Context, metric: u32) -> bool {
        if core::mem::replace(&mut cx.configuration.metric, metric) == metric {
            return false;
        }
        self.routes.set_metric(metric);
        true
    }

    /// Announces our IPv4 addresses, as when the hardware address changed.
    pub(crate) fn announce_all(&mut self, cx: &mut Context) {
        for entry in self.addresses.iter() {
            if let IpAddr::V4(address) = entry.prefix.address() {
                self.link.announce(cx, address);
            }
        }
    }

    /// Adds or replaces a static neighbor.
    ///
    /// # Errors
    /// As [`Link::add_neighbor`](crate::stack::link::Link::add_neighbor).
    pub(crate) fn add_neighbor(
        &mut self,
        cx: &mut Context,
        new: &NewNeighbor,
    ) -> Result<(), Error> {
        self.link.add_neighbor(cx, &self.addresses, new)
    }

    /// Answers for the address of somebody else; false if it does.
    ///
    /// # Errors
    /// As [`Proxies::add`](crate::stack::link::proxy::Proxies::add).
    pub(crate) fn add_proxy(&mut self, cx: &mut Context, address: IpAddr) -> Result<bool, Error> {
        let is_new = self.link.proxies.add(cx, address)?;
        // Its solicitations are sent to its solicited-node group (RFC 4861 §7.2.8).
        self.update_address_groups(cx);
        Ok(is_new)
    }

    /// Answers for an address no longer.
    ///
    /// # Errors
    /// `NotFound`.
    pub(crate) fn remove_proxy(&mut self, cx: &mut Context, address: IpAddr) -> Result<(), Error> {
        self.link.proxies.remove(address)?;
        self.update_address_groups(cx);
        Ok(())
    }

    /// Sends the answers for addresses of others whose time has come.
    pub(crate) fn expire_proxy(&mut self, cx: &mut Context, deadline: Instant) {
        self.link.expire_proxy(cx, &self.addresses, deadline);
    }

    /// The list of addresses of others that are answered for.
    pub(crate) fn proxy_entries(&self, cx: &Context) -> Vec<ProxyEntry> {
        let interface = &cx.configuration.name;
        let entry = |address| ProxyEntry { address, interface: interface.clone() };
        self.link.proxies.iter().map(entry).collect()
    }

    /// The list of addresses. `lease` is the address of a DHCP lease, and when it ends.
    pub(crate) fn address_entries(
        &self,
        now: Instant,
        lease: Option<(Prefix, Instant)>,
    ) -> Vec<AddressEntry> {
        let seconds = |until: Option<Instant>| {
            until.map(|until| u32::try_from(until.since(now).as_secs()).unwrap_or(u32::MAX))
        };
        let entry = |address: &Address| {
            let is_leased = |(prefix, _): &(Prefix, Instant)| {
                address.origin == Origin::Dhcp && *prefix == address.prefix
            };
            let lease_end = lease.filter(is_leased).map(|(_, end)| end);
            AddressEntry {
                prefix: address.prefix,
                broadcast: address
                    .broadcast
                    .filter(|_| address.scope() != Scope::Host && !address.hides_broadcast()),
                origin: address.origin,
                state: address.state,
                scope: address.scope(),
                valid_seconds: seconds(address.valid_until.or(lease_end)),
                preferred_seconds: seconds(address.preferred_until.or(lease_end)),
            }
        };
        self.addresses.iter().map(entry).collect()
    }

    /// The list of routes.
    pub(crate) fn route_entries<'a>(
        &'a self,
        cx: &'a Context,
    ) -> impl Iterator<Item = RouteEntry> + 'a {
        self.routes.iter().filter(|route| route.is_unicast()).map(|route| route_entry(cx, route))
    }

    /// The preferences of routes that are not medium.
    pub(crate) fn route_preferences<'a>(
        &'a self,
        cx: &'a Context,
    ) -> impl Iterator<Item = RoutePreference> + 'a {
        self.routes.iter().filter_map(|route| route_preference(cx, route))
    }
}

/// The preference of a route that is not medium.
fn route_preference(cx: &Context, route: &Route) -> Option<RoutePreference> {
    let preference = Some(route.preference).filter(|known| *known != Preference::Medium)?;
    Some(RoutePreference {
        destination: route.destination,
        gateway: route.gateway?,
        interface: cx.configuration.name.clone(),
        preference,
    })
}

/// A route with its details.
pub(super) fn route_entry(cx: &Context, route: &Route) -> RouteEntry {
    route.entry(cx.configuration.name.clone(), cx.is_running())
}
