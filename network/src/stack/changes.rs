//! Finds changes of state for watchers: first a snapshot, then differences.
//!
//! The code that changes state does not report it. Whenever the interface delivers the events of a
//! poll, the present state is compared with the state that was reported last. So no change is
//! missed, and an object that changed twice is reported once. The neighbor table tracks what was
//! reported itself, because it may have thousands of entries; streams and the DHCP server record
//! what happens.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::net::{IpAddr, Ipv4Addr};

use super::context::Context;
use super::dhcp::DhcpClient;
use super::dhcp_server::DhcpServer;
use super::dhcp6::Dhcp6;
use super::ip::Ip;
use super::name_servers::NameServers;
use super::routes::Route;
use super::watch::differences;
use crate::address::Prefix;
use crate::command::address::AddressEntry;
use crate::command::dhcp::DhcpState;
use crate::command::dhcp6::Dhcp6Status;
use crate::command::event::{Change, Event, LinkStatus};
use crate::command::multicast::GroupEntry;
use crate::command::watch::Kinds;

/// The state that was reported last.
#[derive(Debug)]
struct Reported {
    link: LinkStatus,
    /// With the revision of their table.
    addresses: (u32, Vec<AddressEntry>),
    routes: (u32, Vec<Route>),
    name_servers: NameServers,
    dhcp: (DhcpState, Option<(Prefix, Ipv4Addr)>),
    /// None while it is not used.
    dhcp6: Option<Dhcp6Status>,
    /// Multicast groups with the number of their sockets.
    groups: Vec<(IpAddr, u32)>,
}

/// The parts of a stack that watchers observe.
#[derive(Clone, Copy)]
pub(crate) struct Present<'a> {
    pub(crate) cx: &'a Context,
    pub(crate) ip: &'a Ip,
    pub(crate) names: &'a NameServers,
    pub(crate) dhcp: &'a DhcpClient,
    pub(crate) server: &'a DhcpServer,
    pub(crate) dhcp6: &'a Dhcp6,
}

impl Present<'_> {
    fn link(&self) -> LinkStatus {
        self.cx.configuration.link_status()
    }

    fn addresses(&self) -> Vec<AddressEntry> {
        self.ip.address_entries(self.cx.now, self.dhcp.lease_end())
    }

    fn routes(&self) -> Vec<Route> {
        self.ip.routes.iter().copied().collect()
    }

    fn route(&self, change: Change, route: &Route) -> Event {
        let entry = route.entry(self.cx.configuration.name.clone(), self.cx.is_running());
        Event::Route(change, entry, route.preference)
    }

    fn group(&self, change: Change, (group, sockets): (IpAddr, u32)) -> Event {
        let interface = self.cx.configuration.name.clone();
        Event::Group(change, GroupEntry { group, interface, sockets })
    }

    fn reported(&self) -> Reported {
        Reported {
            link: self.link(),
            addresses: (self.ip.addresses.revision(), self.addresses()),
            routes: (self.ip.routes.revision(), self.routes()),
            name_servers: self.names.clone(),
            dhcp: self.dhcp.summary(),
            dhcp6: self.dhcp6.summary(),
            groups: self.ip.multicast.counts().collect(),
        }
    }

    /// All objects, in the order in which changes are reported.
    pub(crate) fn snapshot(&self, change: Change) -> Vec<Event> {
        let mut events = alloc::vec![appearance(self.cx, change), Event::Link(change, self.link())];
        events.extend(self.addresses().into_iter().map(|entry| Event::Address(change, entry)));
        events.extend(self.ip.routes.iter().map(|route| self.route(change, route)));
        let neighbors = self.ip.link.neighbors.reported(self.cx.now);
        events.extend(neighbors.into_iter().map(|entry| Event::Neighbor(change, entry)));
        events
            .extend(self.names.iter().map(|(server, origin)| Event::Dns(change, *server, *origin)));
        events.push(Event::Dhcp(change, self.dhcp.status(self.cx)));
        events.extend(self.dhcp6.summary().map(|summary| Event::Dhcp6(change, Box::new(summary))));
        let leases = self.server.leased(self.cx.now).into_iter();
        events.extend(leases.map(|lease| Event::Lease(change, lease)));
        events.extend(self.ip.multicast.counts().map(|group| self.group(change, group)));
        events
    }
}

/// The event for an interface that was added or removed.
pub(crate) fn appearance(cx: &Context, change: Change) -> Event {
    let configuration = &cx.configuration;
    Event::Interface(change, configuration.index, configuration.capabilities.kind)
}

/// Finds changes; idle while nobody watches.
#[derive(Debug, Default)]
pub(crate) struct Changes {
    reported: Option<Box<Reported>>,
}

impl Changes {
    /// Sets the kinds to watch; the present state counts as reported.
    pub(crate) fn watch(&mut self, kinds: Kinds, present: &Present<'_>) {
        let compares =
            kinds.difference(Kinds::STREAM | Kinds::LEASE | Kinds::SOCKET | Kinds::SERVICE);
        self.reported = (!compares.is_empty()).then(|| Box::new(present.reported()));
    }

    /// The changes since the last call.
    pub(crate) fn find(&mut self, present: &Present<'_>) -> Vec<Event> {
        let mut events = Vec::new();
        let Some(reported) = &mut self.reported else { return events };
        let link = present.link();
        if reported.link != link {
            reported.link = link;
            events.push(Event::Link(Change::Changed, link));
        }
        if reported.addresses.0 != present.ip.addresses.revision() {
            let addresses = present.addresses();
            let key = |entry: &AddressEntry| entry.prefix;
            // Ignores lifetimes, which decrease all the time.
            let same = |one: &AddressEntry, other: &AddressEntry| {
                (one.state, one.origin, one.broadcast)
                    == (other.state, other.origin, other.broadcast)
            };
            let changed = differences(&reported.addresses.1, &addresses, key, same);
            events
                .extend(changed.into_iter().map(|(change, entry)| Event::Address(change, *entry)));
            reported.addresses = (present.ip.addresses.revision(), addresses);
        }
        if reported.routes.0 != present.ip.routes.revision() {
            let routes = present.routes();
            let key = |route: &Route| {
                let is_advertised = route.is_advertised_prefix();
                (route.destination, route.gateway, route.metric, is_advertised)
            };
            let changed = differences(&reported.routes.1, &routes, key, Route::eq);
            let event = |(change, route)| present.route(change, route);
            events.extend(changed.into_iter().map(event));
            reported.routes = (present.ip.routes.revision(), routes);
        }
        if reported.name_servers != *present.names {
            let (former, servers) = (reported.name_servers.as_slice(), present.names.as_slice());
            let changed = differences(former, servers, |known| known.0, PartialEq::eq);
            events.extend(
                changed
                    .into_iter()
                    .map(|(change, (server, origin))| Event::Dns(change, *server, *origin)),
            );
            reported.name_servers = present.names.clone();
        }
        if reported.dhcp != present.dhcp.summary() {
            reported.dhcp = present.dhcp.summary();
            events.push(Event::Dhcp(Change::Changed, present.dhcp.status(present.cx)));
        }
        let dhcp6 = present.dhcp6.summary();
        if reported.dhcp6 != dhcp6 {
            let change = match (&reported.dhcp6, &dhcp6) {
                (None, _) => Change::Added,
                (Some(_), Some(_)) => Change::Changed,
                (Some(_), None) => Change::Removed,
            };
            let last = dhcp6.clone().or(reported.dhcp6.take());
            events.extend(last.map(|status| Event::Dhcp6(change, Box::new(status))));
            reported.dhcp6 = dhcp6;
        }
        if !reported.groups.iter().copied().eq(present.ip.multicast.counts()) {
            let groups: Vec<_> = present.ip.multicast.counts().collect();
            let changed = differences(&reported.groups, &groups, |known| known.0, PartialEq::eq);
            let event = |(change, group): (_, &_)| present.group(change, *group);
            events.extend(changed.into_iter().map(event));
            reported.groups = groups;
        }
        events
    }
}
