//! Makes what is asked of the interface what was checked. What is so already is not touched:
//! connections go on, and nobody is told of a change that is none.

use alloc::vec::Vec;
use core::net::IpAddr;

use devnet_virtual_file_system::Error;

use super::{asked_routes, desired, identities};
use crate::address::Prefix;
use crate::command::address::{AddressChange, Origin};
use crate::configuration::Desired;
use crate::driver::Driver;
use crate::stack::{Stack, autoconfiguration_option, hardware_address, interface_option};

/// Carries out what [`check`](super::check) allowed, under the same lock.
///
/// # Errors
/// That of a driver that does not take the hardware address or the reception; nothing was changed
/// then.
pub(crate) fn carry_out(
    stack: &mut Stack,
    driver: &mut dyn Driver,
    target: &Desired,
) -> Result<(), Error> {
    let present = desired(stack);
    carry_out_from(stack, driver, &present, target)
}

/// As [`carry_out`], from what is asked now.
///
/// # Errors
/// As [`carry_out`].
pub(crate) fn carry_out_from(
    stack: &mut Stack,
    driver: &mut dyn Driver,
    present: &Desired,
    target: &Desired,
) -> Result<(), Error> {
    if present == target {
        return Ok(());
    }
    let configuration = &stack.context.configuration;
    let own = configuration.own_hardware_address;
    let largest = configuration.capabilities.mtu;
    if let Some(address) = target.hardware_address.or(own) {
        hardware_address::set(stack, address, driver)?;
    }
    interface_option::replace_all(stack, driver, &target.options)?;
    autoconfiguration_option::replace_all(stack, &target.autoconfiguration);
    if target.dhcp.is_none() {
        stack.stop_dhcp();
    }
    if target.enabled == Some(false) {
        stack.set_enabled(false);
    }
    remove_addresses(stack, present, target);
    let largest = u32::try_from(largest).unwrap_or(u32::MAX);
    stack.set_mtu(target.mtu.unwrap_or(largest))?;
    stack.ip.set_metric(&mut stack.context, target.metric);
    add_addresses(stack, present, target)?;
    // Only now, so that the link-local address takes no place from those that are asked for.
    if target.enabled == Some(true) {
        stack.set_enabled(true);
    }
    if present.fallback != target.fallback {
        let (_, action) = stack.dhcp.set_fallback(&mut stack.context, target.fallback);
        stack.apply(action);
    }
    if asked_routes(stack) != target.routes {
        stack.ip.replace_routes(&mut stack.context, &target.routes)?;
    }
    change_neighbors(stack, present, target)?;
    change_proxies(stack, present, target)?;
    change_groups(stack, present, target)?;
    if present.servers != target.servers {
        stack.name_servers.retain(|_, origin| origin != Origin::Static);
        for server in &target.servers {
            if let Some(learned) = stack.name_servers.ask(*server)? {
                stack.autoconfiguration.forget_server(learned);
            }
        }
    }
    if present.domains != target.domains {
        stack.name_servers.set_domains(&target.domains)?;
    }
    let Stack { context: cx, ip, advertiser, dhcp, dhcp_server, mdns, .. } = stack;
    ip.firewall.carry_out(cx, &present.firewall, &target.firewall)?;
    mdns.carry_out(cx, ip, target.mdns.clone())?;
    if present.router != target.router {
        advertiser.replace(cx, ip, target.router.clone())?;
    }
    if present.dhcp != target.dhcp
        && let Some(options) = &target.dhcp
    {
        dhcp.start(cx, ip, options.clone())?;
    }
    if present.dhcp_server != target.dhcp_server {
        dhcp_server.carry_out(cx, ip, target.dhcp_server.as_ref())?;
    }
    let (dhcp6, mut parts) = stack.dhcp6();
    dhcp6.carry_out(&mut parts, target.dhcp6.clone())?;
    Ok(())
}

/// Removes what does not stay. Connections end only with the last prefix of their address, and
/// while everything exists that their last segments need.
fn remove_addresses(stack: &mut Stack, present: &Desired, target: &Desired) {
    let staying = identities(&target.addresses);
    let pairs = present.addresses.iter().zip(identities(&present.addresses));
    let gone: Vec<Prefix> = pairs
        .filter(|(_, identity)| !staying.contains(identity))
        .map(|(known, _)| known.prefix)
        .collect();
    if gone.is_empty() {
        return;
    }
    let Stack { context: cx, ip, transport, .. } = stack;
    for prefix in &gone {
        let local = prefix.address();
        let comes_back = target.addresses.iter().any(|new| new.prefix.address() == local);
        let is_elsewhere = ip
            .addresses
            .iter()
            .any(|known| known.prefix.address() == local && !gone.contains(&known.prefix));
        if !comes_back && !is_elsewhere {
            transport.tcp.abort_local_address(cx, ip, local);
        }
    }
    // Each address that goes looks at every route. Those that stay are said again below.
    ip.routes.replace_asked(&[]);
    for prefix in gone {
        // It was listed just above.
        let _ = ip.remove_address(cx, prefix);
    }
}

fn add_addresses(stack: &mut Stack, present: &Desired, target: &Desired) -> Result<(), Error> {
    let known = identities(&present.addresses);
    for (new, identity) in target.addresses.iter().zip(identities(&target.addresses)) {
        let place = known.iter().position(|known| *known == identity);
        let former = place.and_then(|place| present.addresses.get(place));
        if former == Some(new) {
            continue;
        }
        let change = AddressChange { replace: former.is_some(), ..new.clone() };
        stack.ip.set_address(&mut stack.context, &change)?;
        stack.ip.addresses.set_detection(new.prefix, !new.no_detection);
    }
    let order: Vec<Prefix> = target.addresses.iter().map(|new| new.prefix).collect();
    stack.ip.addresses.arrange(&order);
    Ok(())
}

fn change_neighbors(stack: &mut Stack, present: &Desired, target: &Desired) -> Result<(), Error> {
    if present.neighbors == target.neighbors {
        return Ok(());
    }
    // Both are sorted by address.
    let find = |list: &Desired, address: IpAddr| {
        let place = list.neighbors.binary_search_by_key(&address, |new| new.address).ok()?;
        list.neighbors.get(place).copied()
    };
    let Stack { context: cx, ip, .. } = stack;
    for known in &present.neighbors {
        if find(target, known.address).is_none() {
            ip.link.remove_neighbor(cx, known.address)?;
        }
    }
    for new in &target.neighbors {
        if find(present, new.address) != Some(*new) {
            ip.add_neighbor(cx, new)?;
        }
    }
    Ok(())
}

fn change_proxies(stack: &mut Stack, present: &Desired, target: &Desired) -> Result<(), Error> {
    let Stack { context: cx, ip, .. } = stack;
    for address in present.proxies.iter().filter(|known| !target.proxies.contains(known)) {
        ip.remove_proxy(cx, *address)?;
    }
    for address in target.proxies.iter().filter(|new| !present.proxies.contains(new)) {
        ip.add_proxy(cx, *address)?;
    }
    Ok(())
}

fn change_groups(stack: &mut Stack, present: &Desired, target: &Desired) -> Result<(), Error> {
    let Stack { context: cx, ip, .. } = stack;
    for group in present.groups.iter().filter(|known| !target.groups.contains(known)) {
        ip.remove_group(cx, *group)?;
    }
    for group in target.groups.iter().filter(|new| !present.groups.contains(new)) {
        ip.add_group(cx, *group)?;
    }
    Ok(())
}
