//! An event and its text. [`command::watch`](crate::command::watch) has the grammar.

use alloc::string::String;
use core::fmt::{Result, Write};
use core::net::IpAddr;

use devnet_virtual_file_system::Error;

use super::LinkStatus;
use crate::address::{HardwareAddress, Prefix};
use crate::command::address::{AddressEntry, Origin};
use crate::command::dhcp::DhcpStatus;
use crate::command::dhcp_server::ServerLease;
use crate::command::neighbor::NeighborEntry;
use crate::command::route::Preference;
use crate::command::watch::Kinds;
use crate::driver::{Kind, LinkState};
use crate::stack::flow::Flow;
use crate::stack::routes::Route;

/// What happened to an object.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Change {
    /// It exists (snapshot).
    Present,
    Added,
    Changed,
    Removed,
}

impl Change {
    const fn word(self) -> &'static str {
        match self {
            Self::Present => "present",
            Self::Added => "added",
            Self::Changed => "changed",
            Self::Removed => "removed",
        }
    }
}

/// What happened to a stream.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum StreamEvent {
    /// Loss recovery began: the number of segments marked lost, the congestion window before and
    /// after in bytes, SRTT in microseconds.
    Loss { segments: u32, window: u32, after: u32, round_trip: u32 },
    /// The retransmission timer expired: the number of timeouts of this stream, and the RTO in
    /// milliseconds.
    Timeout { count: u32, wait: u32, window: u32, round_trip: u32 },
    /// A reduction was spurious and is undone.
    Undo { window: u32, after: u32 },
    /// The stream ended by an error.
    Ended(Error),
}

/// An object of a snapshot, or a change.
#[derive(Clone, Debug)]
pub(crate) enum Event {
    Interface(Change, u32, Kind),
    Link(Change, LinkStatus),
    Address(Change, AddressEntry),
    /// Another host claims the address.
    Conflict(Prefix, HardwareAddress),
    Route(Change, Route),
    Neighbor(Change, NeighborEntry),
    Dns(Change, IpAddr, Origin),
    Dhcp(Change, DhcpStatus),
    Lease(Change, ServerLease),
    /// The DHCP server stopped.
    LeasesEnd,
    Stream(Flow, StreamEvent),
}

impl Event {
    /// Its kind.
    pub(crate) const fn kind(&self) -> Kinds {
        match self {
            Self::Interface(..) => Kinds::INTERFACE,
            Self::Link(..) => Kinds::LINK,
            Self::Address(..) | Self::Conflict(..) => Kinds::ADDRESS,
            Self::Route(..) => Kinds::ROUTE,
            Self::Neighbor(..) => Kinds::NEIGHBOR,
            Self::Dns(..) => Kinds::DNS,
            Self::Dhcp(..) => Kinds::DHCP,
            Self::Lease(..) | Self::LeasesEnd => Kinds::LEASE,
            Self::Stream(..) => Kinds::STREAM,
        }
    }

    /// Appends the record, for the interface `name`.
    pub(crate) fn write(&self, text: &mut String, name: &str) {
        // Writing to a string does not fail.
        let _ = match self {
            Self::Interface(change, index, kind) => {
                writeln!(text, "interface {} {name} index {index} kind {kind}", change.word())
            }
            Self::Link(change, link) => write_link(text, *change, link, name),
            Self::Address(change, entry) => write_address(text, *change, entry, name),
            Self::Conflict(prefix, other) => {
                writeln!(text, "address conflict {prefix} interface {name} mac {other}")
            }
            Self::Route(change, route) => write_route(text, *change, route, name),
            Self::Neighbor(change, entry) => write_neighbor(text, *change, entry, name),
            Self::Dns(change, server, origin) => {
                writeln!(text, "dns {} {server} interface {name} origin {origin}", change.word())
            }
            Self::Dhcp(change, status) => write_dhcp(text, *change, status, name),
            Self::Lease(change, lease) => write_lease(text, *change, lease, name),
            Self::LeasesEnd => writeln!(text, "lease stopped {name}"),
            Self::Stream(flow, incident) => write_stream(text, flow, *incident, name),
        };
    }
}

const fn yes_or_no(is_so: bool) -> &'static str {
    if is_so { "yes" } else { "no" }
}

fn write_link(text: &mut String, change: Change, link: &LinkStatus, name: &str) -> Result {
    let state = if link.enabled { "up" } else { "down" };
    let carrier = yes_or_no(link.carrier == LinkState::Up);
    write!(text, "link {} {name} state {state} carrier {carrier} mtu {}", change.word(), link.mtu)?;
    write!(text, " metric {}", link.metric)?;
    if let Some(address) = link.hardware_address {
        write!(text, " mac {address}")?;
    }
    writeln!(text)
}

fn write_address(text: &mut String, change: Change, entry: &AddressEntry, name: &str) -> Result {
    write!(
        text,
        "address {} {} interface {name} origin {}",
        change.word(),
        entry.prefix,
        entry.origin
    )?;
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

fn write_route(text: &mut String, change: Change, route: &Route, name: &str) -> Result {
    // Default routes as prefixes too: the word `default` would not give the family.
    write!(text, "route {} {} interface {name}", change.word(), route.destination)?;
    if let Some(gateway) = route.gateway {
        write!(text, " via {gateway}")?;
    }
    write!(text, " metric {} origin {}", route.metric, route.origin)?;
    if route.preference != Preference::Medium {
        write!(text, " preference {}", route.preference)?;
    }
    if let Some(source) = route.source {
        write!(text, " source {source}")?;
    }
    writeln!(text)
}

fn write_neighbor(text: &mut String, change: Change, entry: &NeighborEntry, name: &str) -> Result {
    write!(
        text,
        "neighbor {} {} interface {name} state {}",
        change.word(),
        entry.address,
        entry.state
    )?;
    if let Some(address) = entry.hardware_address {
        write!(text, " mac {address}")?;
    }
    if entry.router {
        write!(text, " router yes")?;
    }
    writeln!(text)
}

fn write_dhcp(text: &mut String, change: Change, status: &DhcpStatus, name: &str) -> Result {
    write!(text, "dhcp {} {name} state {}", change.word(), status.state)?;
    if let Some(lease) = &status.lease {
        write!(
            text,
            " address {} server {} lease {}",
            lease.address, lease.server, lease.lease_seconds
        )?;
    }
    writeln!(text)
}

fn write_lease(text: &mut String, change: Change, lease: &ServerLease, name: &str) -> Result {
    write!(text, "lease {} {} interface {name}", change.word(), lease.address)?;
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

fn write_stream(text: &mut String, flow: &Flow, incident: StreamEvent, name: &str) -> Result {
    let what = match incident {
        StreamEvent::Loss { .. } => "loss",
        StreamEvent::Timeout { .. } => "timeout",
        StreamEvent::Undo { .. } => "undo",
        StreamEvent::Ended(_) => "ended",
    };
    write!(
        text,
        "stream {what} {} remote {} interface {name}",
        flow.local.address(),
        flow.remote.address()
    )?;
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
