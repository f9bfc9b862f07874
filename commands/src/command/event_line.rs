//! The line of an event. [`command::watch`](super::watch) has the grammar.

use alloc::string::String;
use core::fmt::{Result, Write};
use core::net::SocketAddr;

use devnet_virtual_file_system::Error;

use super::address::AddressEntry;
use super::dhcp::DhcpStatus;
use super::dhcp_server::ServerLease;
use super::dhcp6::{Dhcp6Status, status_words};
use super::escape::escape;
use super::event::{Change, Event, LinkStatus, StreamEvent};
use super::firewall::FirewallHit;
use super::mdns::FoundService;
use super::multicast::GroupEntry;
use super::neighbor::NeighborEntry;
use super::record::RecordType;
use super::route::{Preference, RouteEntry};
use super::socket::{SocketKind, SocketStatus};
use crate::link::LinkState;

impl Event {
    /// Appends the record, for the interface `name`.
    pub fn write(&self, text: &mut String, name: &str) {
        // Writing to a string does not fail.
        let _ = match self {
            Self::Interface(change, index, kind) => {
                writeln!(text, "interface {change} {name} index {index} kind {kind}")
            }
            Self::Link(change, link) => write_link(text, *change, link, name),
            Self::Address(change, entry) => write_address(text, *change, entry, name),
            Self::Conflict(prefix, other) => {
                writeln!(text, "address conflict {prefix} interface {name} mac {other}")
            }
            Self::Route(change, entry, preference) => {
                write_route(text, *change, entry, *preference, name)
            }
            Self::Neighbor(change, entry) => write_neighbor(text, *change, entry, name),
            Self::Dns(change, server, origin) => {
                writeln!(text, "dns {change} {server} interface {name} origin {origin}")
            }
            Self::Dhcp(change, status) => write_dhcp(text, *change, status, name),
            Self::Lease(change, lease) => write_lease(text, *change, lease, name),
            Self::LeasesEnd => writeln!(text, "lease stopped {name}"),
            Self::Stream(local, remote, incident) => {
                write_stream(text, (*local, *remote), *incident, name)
            }
            Self::Group(change, entry) => write_group(text, *change, entry, name),
            Self::Socket(change, status) => write_socket(text, *change, status, name),
            Self::Dhcp6(change, status) => write_dhcp6(text, *change, status, name),
            Self::Firewall(hit) => write_hit(text, hit, name),
            Self::Service(change, service) => write_service(text, *change, service, name),
            Self::Lookup(asked, kind, error) => write_lookup(text, asked, (*kind, *error), name),
        };
    }
}

const fn yes_or_no(is_so: bool) -> &'static str {
    if is_so { "yes" } else { "no" }
}

fn write_link(text: &mut String, change: Change, link: &LinkStatus, name: &str) -> Result {
    let state = if link.enabled { "up" } else { "down" };
    let carrier = yes_or_no(link.carrier == LinkState::Up);
    write!(text, "link {} {name} state {state} carrier {carrier} mtu {}", change, link.mtu)?;
    write!(text, " metric {}", link.metric)?;
    if let Some(address) = link.hardware_address {
        write!(text, " mac {address}")?;
    }
    writeln!(text)
}

fn write_address(text: &mut String, change: Change, entry: &AddressEntry, name: &str) -> Result {
    write!(text, "address {} {} interface {name} origin {}", change, entry.prefix, entry.origin)?;
    write!(text, " state {} scope {}", entry.state, entry.scope)?;
    if let Some(broadcast) = entry.broadcast {
        write!(text, " broadcast {broadcast}")?;
    }
    if let Some(seconds) = entry.valid_seconds {
        write!(text, " valid {seconds}")?;
    }
    if let Some(seconds) = entry.preferred_seconds {
        write!(text, " preferred {seconds}")?;
    }
    writeln!(text)
}

fn write_route(
    text: &mut String,
    change: Change,
    route: &RouteEntry,
    preference: Preference,
    name: &str,
) -> Result {
    // Default routes as prefixes too: the word `default` would not give the family.
    write!(text, "route {} {} interface {name}", change, route.destination)?;
    if let Some(gateway) = route.gateway {
        write!(text, " via {gateway}")?;
    }
    write!(text, " metric {} origin {}", route.metric, route.origin)?;
    if preference != Preference::Medium {
        write!(text, " preference {preference}")?;
    }
    if let Some(source) = route.source {
        write!(text, " source {source}")?;
    }
    writeln!(text)
}

fn write_neighbor(text: &mut String, change: Change, entry: &NeighborEntry, name: &str) -> Result {
    write!(text, "neighbor {} {} interface {name} state {}", change, entry.address, entry.state)?;
    if let Some(address) = entry.hardware_address {
        write!(text, " mac {address}")?;
    }
    if entry.router {
        write!(text, " router yes")?;
    }
    writeln!(text)
}

fn write_dhcp(text: &mut String, change: Change, status: &DhcpStatus, name: &str) -> Result {
    write!(text, "dhcp {} {name} state {}", change, status.state)?;
    if let Some(lease) = &status.lease {
        write!(
            text,
            " address {} server {} lease {}",
            lease.address, lease.server, lease.lease_seconds
        )?;
    }
    writeln!(text)
}

fn write_dhcp6(text: &mut String, change: Change, status: &Dhcp6Status, name: &str) -> Result {
    write!(text, "dhcp6 {} {name} state {}", change, status.state)?;
    for one in &status.addresses {
        write!(text, " address {}", one.address)?;
    }
    for one in &status.prefixes {
        write!(text, " prefix {}", one.prefix)?;
    }
    for one in &status.networks {
        write!(text, " network {}", one.prefix)?;
    }
    if let Some(code) = status.refusal {
        write!(text, " refusal {}", status_words(code))?;
    }
    writeln!(text)
}

fn write_lease(text: &mut String, change: Change, lease: &ServerLease, name: &str) -> Result {
    write!(text, "lease {} {} interface {name}", change, lease.address)?;
    write!(text, " client {}", lease.client)?;
    if let Some(address) = lease.hardware_address {
        write!(text, " mac {address}")?;
    }
    if let Some(host) = &lease.name {
        write!(text, " name {host}")?;
    }
    if let Some(seconds) = lease.remaining_seconds {
        write!(text, " seconds {seconds}")?;
    }
    writeln!(text)
}

fn write_group(text: &mut String, change: Change, entry: &GroupEntry, name: &str) -> Result {
    writeln!(text, "group {change} {} interface {name} sockets {}", entry.group, entry.sockets)
}

fn write_socket(text: &mut String, change: Change, status: &SocketStatus, name: &str) -> Result {
    let (kind, protocol) = match status.kind {
        SocketKind::Tcp => ("tcp", None),
        SocketKind::Udp => ("udp", None),
        SocketKind::Icmp => ("icmp", None),
        SocketKind::Raw(protocol) => ("raw", Some(protocol)),
        SocketKind::Raw6(protocol) => ("raw6", Some(protocol)),
    };
    write!(text, "socket {change} {} kind {kind} state {}", status.local, status.state)?;
    if let Some(protocol) = protocol {
        write!(text, " protocol {protocol}")?;
    }
    if let Some(remote) = status.remote {
        write!(text, " remote {remote}")?;
    }
    if !name.is_empty() {
        write!(text, " interface {name}")?;
    }
    writeln!(text)
}

fn write_hit(text: &mut String, hit: &FirewallHit, name: &str) -> Result {
    let FirewallHit { chain, handle, action, protocol, source, destination, length } = hit;
    write!(text, "firewall hit {handle} interface {name} chain {chain} action {action}")?;
    write!(text, " protocol {protocol} source ")?;
    write_end(text, *source)?;
    text.write_str(" destination ")?;
    write_end(text, *destination)?;
    writeln!(text, " length {length}")
}

/// An address with its port, if it has one.
fn write_end(text: &mut String, end: SocketAddr) -> Result {
    if end.port() == 0 { write!(text, "{}", end.ip()) } else { write!(text, "{end}") }
}

/// Names and texts are any bytes: each is one word, escaped.
fn write_service(text: &mut String, change: Change, service: &FoundService, name: &str) -> Result {
    let FoundService { instance, service_type, host, port, addresses, text: strings, .. } = service;
    let instance = escape(instance.as_bytes());
    write!(text, "service {change} {instance} interface {name} type {service_type}")?;
    if !host.is_empty() {
        write!(text, " host {host} port {port}")?;
    }
    for address in addresses {
        write!(text, " address {address}")?;
    }
    for string in strings {
        write!(text, " text {}", escape(string))?;
    }
    writeln!(text)
}

fn write_lookup(
    text: &mut String,
    asked: &str,
    (kind, error): (Option<RecordType>, Error),
    name: &str,
) -> Result {
    // A record is words, and the root has no name.
    write!(text, "dns failed {}", if asked.is_empty() { "." } else { asked })?;
    match kind {
        Some(kind) => write!(text, " kind {kind}")?,
        None => text.write_str(" kind address")?,
    }
    let reason = match error {
        Error::NotFound => "not-found",
        Error::TimedOut => "timed-out",
        Error::ConnectionRefused => "refused",
        Error::NetworkUnreachable => "no-server",
        _ => "unreachable",
    };
    write!(text, " reason {reason}")?;
    if !name.is_empty() {
        write!(text, " interface {name}")?;
    }
    writeln!(text)
}

fn write_stream(
    text: &mut String,
    (local, remote): (SocketAddr, SocketAddr),
    incident: StreamEvent,
    name: &str,
) -> Result {
    let what = match incident {
        StreamEvent::Loss { .. } => "loss",
        StreamEvent::Timeout { .. } => "timeout",
        StreamEvent::Undo { .. } => "undo",
        StreamEvent::Ended(_) => "ended",
    };
    write!(text, "stream {what} {local} remote {remote} interface {name}")?;
    match incident {
        StreamEvent::Loss { segments, window, after, round_trip } => {
            writeln!(
                text,
                " segments {segments} window {window} after {after} round-trip {round_trip}"
            )
        }
        StreamEvent::Timeout { count, wait, window, round_trip } => {
            writeln!(text, " count {count} wait {wait} window {window} round-trip {round_trip}")
        }
        StreamEvent::Undo { window, after } => writeln!(text, " window {window} after {after}"),
        StreamEvent::Ended(error) => writeln!(text, " cause {}", cause(error)),
    }
}

/// Why a stream ended; all other ICMP errors share one word.
const fn cause(error: Error) -> &'static str {
    match error {
        Error::ConnectionReset | Error::BrokenPipe => "reset",
        Error::ConnectionRefused => "refused",
        Error::TimedOut => "timed-out",
        Error::ConnectionAborted => "aborted",
        Error::NetworkDown => "network-down",
        _ => "unreachable",
    }
}
