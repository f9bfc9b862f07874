//! What leases and other configuration change on the interface: addresses, name servers, routes,
//! and the prefixes that the system shares.

use core::net::IpAddr;

use super::Parts;
use super::reply::Information;
use crate::address::Prefix;
use crate::command::address::{AddressState, NewAddress, Origin};
use crate::command::route::RouteKind;
use crate::platform::Instant;
use crate::stack::delegations::TimedPrefix;
use crate::stack::routes::{Details, Route};
use crate::trace::event;

impl Parts<'_> {
    /// Makes these our addresses instead of the former ones. One that is there from elsewhere, or
    /// finds no room, is left out.
    pub(super) fn set_addresses(&mut self, former: &[TimedPrefix], now: &[TimedPrefix]) {
        for gone in former.iter().filter(|one| !now.iter().any(|new| new.prefix == one.prefix)) {
            self.remove_address(gone.prefix);
        }
        now.iter().for_each(|lease| self.set_address(lease));
    }

    /// Adds an address, or changes its lifetimes.
    pub(super) fn set_address(&mut self, lease: &TimedPrefix) {
        let Self { cx, ip, .. } = self;
        let local = lease.prefix.address();
        if ip.addresses.find_prefix_mut(lease.prefix).is_none() {
            let new = NewAddress { prefix: lease.prefix, broadcast: None };
            if let Err(error) = ip.add_address(cx, &new, Origin::Dhcp) {
                event!(cx, warn, "devnet::dhcp6", "{} is not added: {}", lease.prefix, error);
                return;
            }
        }
        let entry = ip.addresses.find_prefix_mut(lease.prefix);
        let Some(entry) = entry.filter(|entry| entry.origin == Origin::Dhcp) else { return };
        entry.valid_until = lease.valid_until;
        entry.preferred_until = lease.preferred_until;
        let is_preferred = lease.preferred_until.is_none_or(|until| until > cx.now);
        if entry.state == AddressState::Deprecated && is_preferred {
            entry.state = AddressState::Preferred;
        }
        ip.arm_address(cx, local);
    }

    /// Removes an address of ours, with the connections that use it.
    pub(super) fn remove_address(&mut self, prefix: Prefix) {
        let entry = self.ip.addresses.find_prefix_mut(prefix);
        if entry.is_some_and(|entry| entry.origin == Origin::Dhcp) {
            // It was found just above.
            let _ = self.transport.remove_address(self.cx, self.ip, prefix);
        }
    }

    /// True when another host has the address.
    pub(super) fn is_duplicate(&self, prefix: Prefix) -> bool {
        let entry = self.ip.addresses.find(prefix.address());
        entry.is_some_and(|entry| {
            entry.origin == Origin::Dhcp && entry.state == AddressState::Duplicated
        })
    }

    /// Makes these the name servers and domains that DHCPv6 gave.
    pub(super) fn set_names(&mut self, information: &Information) {
        let servers = &information.dns_servers;
        let stays = |server: IpAddr| servers.iter().any(|new| IpAddr::V6(*new) == server);
        self.names
            .retain(|server, origin| origin != Origin::Dhcp || server.is_ipv4() || stays(server));
        for server in servers {
            // A server that is already configured, or does not fit, is skipped.
            if let Ok(Some(evicted)) = self.names.add(IpAddr::V6(*server), Origin::Dhcp) {
                self.autoconfiguration.forget_server(evicted);
            }
        }
        self.names.set_leased_domains(true, &information.domains);
    }

    /// Makes these the prefixes that are delegated to the interface. What of one is used nowhere is
    /// unreachable, so that packets to it do not go back to the provider (RFC 7084 §4.2).
    pub(super) fn set_prefixes(&mut self, prefixes: &[TimedPrefix]) {
        let Self { cx, ip, .. } = self;
        let is_ours = |route: &Route| {
            route.origin == Origin::Dhcp && route.details.kind == RouteKind::Unreachable
        };
        ip.routes.remove_matching(|route| {
            is_ours(route) && !prefixes.iter().any(|one| one.prefix == route.destination)
        });
        for one in prefixes {
            let is_it = |route: &Route| is_ours(route) && route.destination == one.prefix;
            if !ip.routes.iter().any(is_it) {
                let details = Details { kind: RouteKind::Unreachable, ..Details::default() };
                // A network that is the whole prefix goes before it, whatever its metric.
                let route = Route::new(one.prefix, None, u32::MAX, Origin::Dhcp);
                let route = Route { details, has_own_metric: true, ..route };
                // In a full table packets go on as before.
                let _ = ip.routes.add(route, true);
            }
        }
        ip.routes_changed(cx);
        let configuration = &cx.configuration;
        let uplink = (configuration.index, configuration.name.as_str());
        ip.host.delegations.publish(uplink, prefixes, &mut cx.wakes);
    }

    pub(super) const fn now(&self) -> Instant {
        self.cx.now
    }
}
