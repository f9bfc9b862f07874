//! Whether what a section asks for can be, tried on copies: nothing changes.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::string::String;
use alloc::vec::Vec;
use core::net::IpAddr;

use devnet_virtual_file_system::Error;

use super::firewall;
use crate::address::Prefix;
use crate::command::address::{AddressState, Origin, Scope};
use crate::command::configuration::{ConfigurationNote, NoteKind};
use crate::command::dhcp::DhcpClientOptions;
use crate::command::dhcp6::Dhcp6Mode;
use crate::command::route::ChangeMode;
use crate::configuration::{At, Desired, DesiredDhcp6, DesiredMulticastDns, Wanted};
use crate::features::has_family;
use crate::limits;
use crate::stack::addresses::Addresses;
use crate::stack::context::Context;
use crate::stack::dhcp::{DhcpClient, fallback};
use crate::stack::dhcp_server::DhcpServer;
use crate::stack::dhcp6::Dhcp6;
use crate::stack::ip::address;
use crate::stack::ip::routing::described_hops;
use crate::stack::link::proxy::Proxies;
use crate::stack::mdns::MulticastDns;
use crate::stack::name_servers::NameServers;
use crate::stack::routes::{Route, Routes};
use crate::stack::{Stack, advertise, autoconfiguration_option, interface_option};

/// The line that cannot be, and why.
pub(crate) type Refusal = (u32, Error);

/// What can be.
#[derive(Debug)]
pub(crate) struct Checked {
    pub(crate) desired: Desired,
    pub(crate) notes: Vec<ConfigurationNote>,
    pub(crate) basis: Basis,
}

/// What a check looked at, beside what commands ask: while it is so, the check is true.
#[derive(PartialEq, Eq, Debug)]
pub(crate) struct Basis {
    addresses: u32,
    routes: u32,
    names: NameServers,
}

impl Basis {
    /// That of now.
    pub(crate) fn of(stack: &Stack) -> Self {
        Self {
            addresses: stack.ip.addresses.revision(),
            routes: stack.ip.routes.revision(),
            names: stack.name_servers.clone(),
        }
    }
}

/// Checks a section against the interface.
///
/// # Errors
/// The line that cannot be, with what its command would answer.
pub(crate) fn check(stack: &Stack, wanted: &Wanted) -> Result<Checked, Refusal> {
    let cx = &stack.context;
    let mut desired = wanted.desired();
    check_settings(cx, wanted, &mut desired)?;
    let mut notes = Vec::new();
    let addresses = check_addresses(stack, wanted, &desired, &mut notes)?;
    check_routes(stack, wanted, &desired, &addresses, &mut notes)?;
    check_neighbors(cx, wanted, &desired, &addresses)?;
    check_proxies(cx, wanted)?;
    check_groups(stack, wanted)?;
    check_dhcp_server(cx, wanted, &addresses)?;
    desired.domains = check_names(&stack.name_servers, wanted)?;
    desired.mdns = check_mdns(cx, wanted)?;
    desired.firewall = firewall::checked(wanted)?;
    Ok(Checked { desired, notes, basis: Basis::of(stack) })
}

fn check_dhcp_server(cx: &Context, wanted: &Wanted, addresses: &Addresses) -> Result<(), Refusal> {
    let reservations: Vec<_> = wanted.reservations.iter().map(|at| at.value.clone()).collect();
    match (&wanted.dhcp_server, wanted.reservations.first()) {
        (Some(At { line, value: Some(options) }), _) => {
            let line_of = |place: usize| wanted.reservations.get(place).map_or(*line, |at| at.line);
            DhcpServer::check(cx, addresses, options, &reservations)
                .map_err(|(place, error)| (place.map_or(*line, line_of), error))
        }
        // For a server that does not run.
        (_, Some(first)) => Err((first.line, Error::NotConnected)),
        _ => Ok(()),
    }
}

fn check_settings(cx: &Context, wanted: &Wanted, desired: &mut Desired) -> Result<(), Refusal> {
    let configuration = &cx.configuration;
    desired.enabled = Some(desired.enabled.unwrap_or_else(|| cx.is_loopback()));
    if let Some(At { line, value }) = &wanted.hardware_address {
        if !value.is_unicast() {
            return Err((*line, Error::AddressNotAvailable));
        }
        if configuration.hardware_address.is_none() {
            return Err((*line, Error::Unsupported));
        }
        let is_own = Some(*value) == configuration.own_hardware_address;
        desired.hardware_address = (!is_own).then_some(*value);
    }
    let largest = configuration.capabilities.mtu;
    if let Some(At { line, value }) = &wanted.mtu {
        let mtu = usize::try_from(*value).unwrap_or(usize::MAX);
        if !(limits::MTU_MINIMUM..=largest).contains(&mtu) {
            return Err((*line, Error::InvalidInput));
        }
        desired.mtu = (mtu != largest).then_some(*value);
    }
    for At { line, value } in &wanted.options {
        interface_option::check(cx, value).map_err(|error| (*line, error))?;
    }
    desired.options = interface_option::in_order(&desired.options);
    for At { line, value } in &wanted.autoconfiguration {
        autoconfiguration_option::check(cx, value).map_err(|error| (*line, error))?;
    }
    desired.autoconfiguration = autoconfiguration_option::in_order(cx, &desired.autoconfiguration);
    if let Some(At { line, value: Some(options) }) = &wanted.dhcp {
        DhcpClient::check(cx, options).map_err(|error| (*line, error))?;
    }
    if let Some(At { line, value }) = &wanted.fallback {
        let outcome = DhcpClient::check(cx, &DhcpClientOptions::default());
        outcome.and_then(|()| fallback::check(value)).map_err(|error| (*line, error))?;
    }
    check_dhcp6(cx, wanted, &desired.dhcp6)?;
    check_router(cx, wanted)
}

fn check_dhcp6(cx: &Context, wanted: &Wanted, desired: &DesiredDhcp6) -> Result<(), Refusal> {
    let nothing = DesiredDhcp6::default();
    let check = |asked: DesiredDhcp6| Dhcp6::check(cx, &asked);
    let client = wanted.dhcp6.iter().map(|at| {
        (at.line, check(DesiredDhcp6 { client: desired.client.clone(), ..nothing.clone() }))
    });
    let server = wanted.dhcp6_server.iter().map(|at| {
        (at.line, check(DesiredDhcp6 { server: desired.server.clone(), ..nothing.clone() }))
    });
    let downstream = wanted.downstream.iter().map(|at| {
        (at.line, check(DesiredDhcp6 { downstream: desired.downstream.clone(), ..nothing.clone() }))
    });
    let mut all = client.chain(server).chain(downstream);
    all.find_map(|(line, outcome)| outcome.err().map(|error| (line, error))).map_or(Ok(()), Err)
}

fn check_router(cx: &Context, wanted: &Wanted) -> Result<(), Refusal> {
    let mut refusal = None;
    wanted.router(|line, router| {
        if refusal.is_none() {
            refusal = advertise::check(cx, router).err().map(|error| (line, error));
        }
    });
    refusal.map_or(Ok(()), Err)
}

/// The addresses that there will be.
fn check_addresses(
    stack: &Stack,
    wanted: &Wanted,
    desired: &Desired,
    notes: &mut Vec<ConfigurationNote>,
) -> Result<Addresses, Refusal> {
    let cx = &stack.context;
    let mtu = desired.mtu.map_or(cx.configuration.capabilities.mtu, |mtu| mtu as usize);
    let has_dhcp = desired.dhcp.is_some();
    let mut table = stack.ip.addresses.clone();
    table.retain(|entry| match entry.origin {
        Origin::Static => false,
        Origin::Dhcp if entry.prefix.address().is_ipv4() => has_dhcp,
        Origin::Dhcp => Dhcp6::is_used(&desired.dhcp6),
        Origin::RouterAdvertisement | Origin::Kernel => true,
    });
    for At { line, value: change } in &wanted.addresses {
        let refused = |error| (*line, error);
        address::check(cx, change).map_err(refused)?;
        let local = change.prefix.address();
        if !has_family(local) {
            return Err(refused(Error::Unsupported));
        }
        if local.is_ipv6() && mtu < limits::MTU_MINIMUM_IPV6 {
            return Err(refused(Error::InvalidInput));
        }
        table.add_asked(change, AddressState::Preferred).map_err(refused)?;
        if has_dhcp && local.is_ipv4() && Scope::of(local) == Scope::Global {
            notes.push(ConfigurationNote { line: *line, kind: NoteKind::AddressBesideDhcp });
        }
    }
    if let Some(At { line, .. }) = wanted.mtu
        && mtu < limits::MTU_MINIMUM_IPV6
        && table.has_ipv6()
    {
        return Err((line, Error::InvalidInput));
    }
    Ok(table)
}

/// The routes without those that are asked for, once there are these addresses.
fn learned_routes(stack: &Stack, desired: &Desired, addresses: &Addresses) -> Routes {
    let mut routes = stack.ip.routes.clone();
    routes.replace_asked(&[]);
    if desired.dhcp.is_none() {
        routes.replace_leased(&[]);
    }
    let is_of_asked = |source: IpAddr| {
        let mut known = stack.ip.addresses.iter();
        known.any(|entry| {
            entry.prefix.address() == source
                && (entry.origin == Origin::Static
                    || (entry.origin == Origin::Dhcp && source.is_ipv4() && desired.dhcp.is_none()))
        })
    };
    routes.remove_matching(|route| {
        route.origin == Origin::Kernel && route.source.is_some_and(is_of_asked)
    });
    for entry in addresses.iter() {
        if let Some(network) = entry.connected() {
            routes.connect(network, entry.prefix.address(), desired.metric);
        }
    }
    routes
}

fn check_routes(
    stack: &Stack,
    wanted: &Wanted,
    desired: &Desired,
    addresses: &Addresses,
    notes: &mut Vec<ConfigurationNote>,
) -> Result<(), Refusal> {
    let mut table = learned_routes(stack, desired, addresses);
    let room = limits::ROUTES.saturating_sub(table.iter().count());
    let mut known: BTreeMap<(Prefix, u32), Vec<Option<IpAddr>>> = BTreeMap::new();
    let mut several: BTreeSet<(Prefix, u32)> = BTreeSet::new();
    let mut routes: Vec<Route> = Vec::with_capacity(wanted.routes.len());
    let mut lines: Vec<u32> = Vec::with_capacity(wanted.routes.len());
    for At { line, value: change } in &wanted.routes {
        let refused = |error| (*line, error);
        if !has_family(change.route.destination.address()) {
            return Err(refused(Error::Unsupported));
        }
        let described = described_hops(change, desired.metric, stack.context.now);
        for (place, hop) in described.map_err(refused)?.into_iter().enumerate() {
            let route = check_route(hop, addresses).map_err(refused)?;
            let key = (route.destination, route.metric);
            let equals = known.entry(key).or_default();
            let is_again = match change.route.mode {
                ChangeMode::Insert if place == 0 => !equals.is_empty(),
                _ => equals.contains(&route.gateway),
            };
            let is_second = route.is_hop() && place == 0 && !several.insert(key);
            if is_again || is_second {
                return Err(refused(Error::AlreadyExists));
            }
            equals.push(route.gateway);
            if routes.len() >= room {
                return Err(refused(Error::NoBufferSpace));
            }
            routes.push(route);
            lines.push(*line);
        }
    }
    for place in table.replace_asked(&routes) {
        let (Some(route), Some(&line)) = (routes.get(place), lines.get(place)) else { continue };
        let is_link_local = route.gateway.is_some_and(|gateway| Scope::of(gateway) == Scope::Link);
        match route.gateway {
            // The link-local address comes when the interface is up.
            Some(IpAddr::V6(_)) if is_link_local => {}
            Some(IpAddr::V4(_)) if desired.dhcp.is_none() => {
                return Err((line, Error::NetworkUnreachable));
            }
            _ => {
                let note = ConfigurationNote { line, kind: NoteKind::GatewayAwaited };
                if !notes.contains(&note) {
                    notes.push(note);
                }
            }
        }
    }
    Ok(())
}

fn check_route(route: Route, addresses: &Addresses) -> Result<Route, Error> {
    let route = Routes::checked(route)?;
    let is_own = |address: IpAddr| addresses.find(address).is_some();
    let is_own_gateway = route.gateway.is_some_and(|gateway| gateway.is_ipv6() && is_own(gateway));
    let is_foreign_source = route.source.is_some_and(|source| !is_own(source));
    if is_own_gateway || is_foreign_source {
        return Err(Error::InvalidInput);
    }
    if let Some(gateway) = route.gateway {
        Routes::check_unicast(gateway)?;
    }
    Ok(route)
}

fn check_neighbors(
    cx: &Context,
    wanted: &Wanted,
    desired: &Desired,
    addresses: &Addresses,
) -> Result<(), Refusal> {
    for At { line, value: new } in &wanted.neighbors {
        let is_host = !(new.address.is_unspecified() || new.address.is_multicast())
            && new.hardware_address.is_unicast()
            && cx.has_neighbors()
            && addresses.find(new.address).is_none();
        if !is_host {
            return Err((*line, Error::InvalidInput));
        }
        if !has_family(new.address) {
            return Err((*line, Error::Unsupported));
        }
    }
    // They are sorted.
    let mut pairs = desired.neighbors.iter().zip(desired.neighbors.iter().skip(1));
    if let Some((twice, _)) = pairs.find(|(one, next)| one.address == next.address) {
        let mut lines = wanted.neighbors.iter().filter(|at| at.value.address == twice.address);
        return Err((lines.nth(1).map_or(1, |at| at.line), Error::AlreadyExists));
    }
    match wanted.neighbors.get(limits::NEIGHBORS) {
        Some(At { line, .. }) => Err((*line, Error::NoBufferSpace)),
        None => Ok(()),
    }
}

fn check_proxies(cx: &Context, wanted: &Wanted) -> Result<(), Refusal> {
    let mut proxies = Proxies::default();
    for At { line, value } in &wanted.proxies {
        let refused = |error| Err((*line, error));
        match proxies.add(cx, *value) {
            _ if !has_family(*value) => return refused(Error::Unsupported),
            Ok(true) => {}
            Ok(false) => return refused(Error::AlreadyExists),
            Err(error) => return refused(error),
        }
    }
    Ok(())
}

fn check_groups(stack: &Stack, wanted: &Wanted) -> Result<(), Refusal> {
    let mut groups = stack.ip.multicast.clone();
    let now = stack.context.now;
    for group in stack.ip.multicast.asked() {
        // It is asked for.
        let _ = groups.forget(group, now);
    }
    for At { line, value } in &wanted.groups {
        groups.ask(*value, now).map_err(|error| (*line, error))?;
    }
    Ok(())
}

/// What is asked of multicast DNS.
fn check_mdns(cx: &Context, wanted: &Wanted) -> Result<DesiredMulticastDns, Refusal> {
    let mut asked = DesiredMulticastDns::default();
    for At { line, value } in &wanted.mdns {
        MulticastDns::check_option(cx, &mut asked, value).map_err(|error| (*line, error))?;
    }
    for At { line, value } in &wanted.services {
        MulticastDns::check_service(cx, &mut asked, value).map_err(|error| (*line, error))?;
    }
    Ok(asked)
}

/// The search domains in their one form.
fn check_names(present: &NameServers, wanted: &Wanted) -> Result<Vec<String>, Refusal> {
    let mut names = present.clone();
    let has_dhcp = matches!(&wanted.dhcp, Some(At { value: Some(_), .. }));
    let has_dhcp6 = matches!(&wanted.dhcp6, Some(At { value, .. }) if value.mode != Dhcp6Mode::Off);
    names.retain(|server, origin| match origin {
        Origin::Static => false,
        Origin::Dhcp if server.is_ipv4() => has_dhcp,
        Origin::Dhcp => has_dhcp6,
        _ => true,
    });
    for At { line, value } in &wanted.servers {
        names.ask(*value).map_err(|error| (*line, error))?;
    }
    let Some(At { line, value }) = &wanted.domains else { return Ok(Vec::new()) };
    names.set_domains(value).map_err(|error| (*line, error))?;
    Ok(names.asked_domains())
}
