//! The status text: the interface's configuration as text commands, one fact per line, noun first.

use alloc::string::String;
use core::fmt::Write;

use crate::command::dhcp6::write_status;
use crate::command::interface::Statistics;
use crate::command::multicast::GroupDetail;
use crate::driver::LinkState;
use crate::interface::Interface;
use crate::interfaces::Interfaces;
use crate::stack::Stack;

/// The text of one interface.
pub(super) fn interface(interface: &Interface) -> String {
    let mut text = String::new();
    // Writing to a string does not fail.
    let _ = interface.read_now(|stack| write_interface(&mut text, stack));
    text
}

/// The text of `/devices/sockets`: what concerns all interfaces.
pub(super) fn system(all: &Interfaces) -> String {
    let mut text = String::new();
    for interface in all.list() {
        let _ = interface.read_now(|stack| {
            writeln!(
                text,
                "interface {} index {} link {}",
                interface.name(),
                interface.index,
                enabled_word(stack)
            )?;
            for route in stack.ip.route_entries(&stack.context) {
                write_route(&mut text, &route)?;
            }
            for (server, origin) in stack.name_servers.iter() {
                writeln!(text, "dns {server} interface {} origin {}", interface.name(), origin)?;
            }
            core::fmt::Result::Ok(())
        });
    }
    let count = |interface: &alloc::sync::Arc<Interface>| {
        interface.read_now(|stack| stack.transport.socket_count())
    };
    let sockets: usize = all.list().iter().map(count).sum();
    let _ = writeln!(text, "system host-model {}", all.host().model());
    let _ = writeln!(text, "sockets {} routed {}", sockets, all.routed_sockets());
    text
}

fn write_interface(text: &mut String, stack: &Stack) -> core::fmt::Result {
    let status = stack.context.configuration.status(stack.context.now);
    writeln!(text, "interface {} index {} kind {}", status.name, status.index, status.kind)?;
    writeln!(text, "link {}", enabled_word(stack))?;
    writeln!(text, "carrier {}", if status.link == LinkState::Up { "yes" } else { "no" })?;
    if let Some(address) = status.hardware_address {
        writeln!(text, "mac {address}")?;
    }
    writeln!(text, "mtu {}", status.mtu)?;
    writeln!(text, "metric {}", status.metric)?;
    for entry in stack.address_entries() {
        write!(text, "address {}", entry.prefix)?;
        if let Some(broadcast) = entry.broadcast {
            write!(text, " broadcast {broadcast}")?;
        }
        writeln!(text, " origin {} state {}", entry.origin, entry.state)?;
    }
    for route in stack.ip.route_entries(&stack.context) {
        write_route(text, &route)?;
    }
    for (server, origin) in stack.name_servers.iter() {
        writeln!(text, "dns {server} origin {}", origin)?;
    }
    for (domain, origin) in stack.name_servers.domains() {
        writeln!(text, "search {domain} origin {origin}")?;
    }
    for GroupDetail { entry, from_command, .. } in stack.ip.group_details(&stack.context) {
        let origin = if from_command { " origin static" } else { "" };
        writeln!(text, "group {} sockets {}{origin}", entry.group, entry.sockets)?;
    }
    let dhcp = stack.dhcp.status(&stack.context);
    write!(text, "dhcp {}", dhcp.state)?;
    if let Some(lease) = dhcp.lease {
        write!(
            text,
            " address {} server {} lease {} remaining {}",
            lease.address, lease.server, lease.lease_seconds, lease.remaining_seconds
        )?;
    }
    writeln!(text)?;
    write_dhcp6(text, stack)?;
    let statistics = stack.context.statistics;
    write!(
        text,
        "received packets {} bytes {} dropped {}",
        statistics.received_packets,
        statistics.received_bytes,
        statistics.received_drops.lost()
    )?;
    write_losses(text, &statistics, true)?;
    write!(
        text,
        "sent packets {} bytes {} dropped {}",
        statistics.sent_packets,
        statistics.sent_bytes,
        statistics.sent_drops.total()
    )?;
    write_losses(text, &statistics, false)
}

/// What DHCPv6 says of itself, while something is asked of it.
fn write_dhcp6(text: &mut String, stack: &Stack) -> core::fmt::Result {
    if stack.dhcp6.summary().is_some() {
        text.push_str("dhcp6 ");
        write_status(text, &stack.dhcp6.status(&stack.context))?;
        writeln!(text)?;
    }
    Ok(())
}

/// The reasons of what was dropped, in the same line.
fn write_losses(
    text: &mut String,
    statistics: &Statistics,
    is_received: bool,
) -> core::fmt::Result {
    for (reason, packets) in statistics.losses(is_received) {
        write!(text, " {reason} {packets}")?;
    }
    writeln!(text)
}

fn write_route(text: &mut String, route: &crate::command::route::RouteEntry) -> core::fmt::Result {
    match route.destination.length() {
        0 => write!(text, "route default")?,
        _ => write!(text, "route {}", route.destination)?,
    }
    if let Some(gateway) = route.gateway {
        write!(text, " via {gateway}")?;
    }
    writeln!(text, " metric {} interface {} origin {}", route.metric, route.interface, route.origin)
}

fn enabled_word(stack: &Stack) -> &'static str {
    if stack.context.configuration.enabled { "up" } else { "down" }
}
