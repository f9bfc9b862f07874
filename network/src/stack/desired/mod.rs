//! What is asked of the interface, apart from what it learned, and how it becomes something else.
//!
//! | file | owns |
//! |---|---|
//! | this one | what is asked at present |
//! | [`check`] | whether something else can be |
//! | [`firewall`] | the same for the firewall |
//! | [`carry_out`] | making it so; what is so already is not touched |

mod carry_out;
mod check;
mod firewall;

use alloc::collections::BTreeMap;
use alloc::vec::Vec;
use core::time::Duration;

pub(crate) use self::carry_out::{carry_out, carry_out_from};
pub(crate) use self::check::{Basis, Checked, Refusal, check};
use super::Stack;
use super::addresses::Address;
use super::routes::Route;
use super::{autoconfiguration_option, interface_option};
use crate::command::address::{AddressChange, Broadcast, Origin};
use crate::command::neighbor::NewNeighbor;
use crate::command::route::{MultipathChange, NextHop, RouteChange};
use crate::configuration::Desired;
use crate::platform::Instant;

/// The whole seconds until a time, not fewer: what has just begun has all of its time.
fn seconds(until: Instant, now: Instant) -> u32 {
    let left = until.since(now);
    let whole = left.as_secs() + u64::from(left > Duration::from_secs(left.as_secs()));
    u32::try_from(whole).unwrap_or(u32::MAX)
}

/// The command that adds an address.
fn asked_address(address: &Address, now: Instant) -> AddressChange {
    let details = address.details.as_deref();
    let broadcast = match address.broadcast {
        _ if address.hides_broadcast() => Broadcast::None,
        Some(own) if address.prefix.broadcast() != Some(own) => Broadcast::Address(own),
        _ => Broadcast::Default,
    };
    AddressChange {
        broadcast,
        peer: details.and_then(|details| details.peer),
        label: details.and_then(|details| details.label.clone()),
        valid_seconds: address.valid_until.map(|until| seconds(until, now).max(1)),
        preferred_seconds: address.preferred_until.map(|until| seconds(until, now)),
        no_prefix_route: details.is_some_and(|details| details.no_prefix_route),
        no_detection: details.is_some_and(|details| details.no_detection),
        ..AddressChange::new(address.prefix)
    }
}

/// The command that adds a route.
fn asked_route(route: &Route, now: Instant) -> RouteChange {
    RouteChange {
        kind: route.details.kind,
        destination: route.destination,
        gateway: route.gateway,
        metric: if route.has_own_metric { route.metric } else { 0 },
        source: route.source,
        mtu: route.details.mtu,
        onlink: route.details.is_onlink,
        protocol: route.protocol(),
        expires_seconds: route.details.expires.map(|until| seconds(until, now).max(1)),
        ..RouteChange::default()
    }
}

/// What commands ask of the interface, in its one form.
pub(crate) fn desired(stack: &Stack) -> Desired {
    let mut desired = read(stack);
    desired.normalize();
    desired
}

/// What commands ask of the interface, as it comes: the lock is held for no longer than that takes.
pub(crate) fn read(stack: &Stack) -> Desired {
    let (cx, ip) = (&stack.context, &stack.ip);
    let configuration = &cx.configuration;
    let statics = ip.addresses.iter().filter(|entry| entry.origin == Origin::Static);
    let mtu = (configuration.mtu != configuration.capabilities.mtu).then_some(configuration.mtu);
    let neighbors = ip.link.neighbors.permanent();
    let servers = stack.name_servers.iter().filter(|(_, origin)| *origin == Origin::Static);
    Desired {
        enabled: Some(configuration.enabled),
        hardware_address: configuration
            .hardware_address
            .filter(|_| configuration.hardware_address != configuration.own_hardware_address),
        mtu: mtu.map(|bytes| u32::try_from(bytes).unwrap_or(u32::MAX)),
        metric: configuration.metric,
        options: interface_option::asked(stack),
        autoconfiguration: autoconfiguration_option::asked(stack),
        router: stack.advertiser.what().cloned(),
        addresses: statics.map(|entry| asked_address(entry, cx.now)).collect(),
        routes: asked_changes(stack),
        neighbors: neighbors
            .map(|(address, hardware_address)| NewNeighbor { address, hardware_address })
            .collect(),
        proxies: ip.link.proxies.iter().collect(),
        groups: ip.multicast.asked().collect(),
        servers: servers.map(|(address, _)| *address).collect(),
        domains: stack.name_servers.asked_domains(),
        fallback: stack.dhcp.fallback().asked,
        mdns: stack.mdns.asked(),
        dhcp: stack.dhcp.asked(),
        dhcp_server: stack.dhcp_server.asked(),
        dhcp6: stack.dhcp6.asked(),
        firewall: stack.ip.firewall.asked(),
    }
}

/// The routes that commands ask for, the next hops of each together.
fn asked_changes(stack: &Stack) -> Vec<MultipathChange> {
    let now = stack.context.now;
    let mut places = BTreeMap::new();
    let mut changes: Vec<MultipathChange> = Vec::new();
    for route in stack.ip.routes.asked() {
        let change = asked_route(route, now);
        let Some(gateway) = route.gateway.filter(|_| route.is_hop()) else {
            changes.push(change.into());
            continue;
        };
        let place = *places.entry((route.destination, route.metric)).or_insert(changes.len());
        if place == changes.len() {
            changes.push(RouteChange { gateway: None, ..change }.into());
        }
        let hop = NextHop { gateway, weight: route.details.weight };
        changes.iter_mut().skip(place).take(1).for_each(|change| change.hops.push(hop));
    }
    changes
}

/// The routes that commands ask for, in their one form.
fn asked_routes(stack: &Stack) -> Vec<MultipathChange> {
    let routes = asked_changes(stack);
    let metric = stack.context.configuration.metric;
    let mut desired = Desired { routes, metric, ..Desired::default() };
    desired.normalize();
    desired.routes
}

/// The asked addresses without what may change of one that stays.
fn identities(all: &[AddressChange]) -> Vec<AddressChange> {
    let identity = |change: &AddressChange| AddressChange {
        valid_seconds: None,
        preferred_seconds: None,
        no_prefix_route: false,
        no_detection: false,
        ..change.clone()
    };
    all.iter().map(identity).collect()
}
