//! What watchers are told of: events that happened, and changes of what is there.
//!
//! Streams note their incidents as they happen. Everything else is not noted by those who change
//! it: whenever the interface hands over what a turn brought, what is there is compared with what
//! was told last, so no change can be forgotten, and an object that changed twice is told once.
//! Nobody watching costs one branch in each place.
//!
//! Pure state: [`Interface`](crate::interface::Interface) takes the events and gives them to the
//! watchers.

mod differences;
mod event;

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::net::{IpAddr, Ipv4Addr};

use self::differences::differences;
pub(crate) use self::event::{Change, Event, Incident};
use super::Stack;
use super::ip::routes::Route;
use crate::address::{HardwareAddress, Prefix};
use crate::command::address::{AddressEntry, Origin};
use crate::command::dhcp::DhcpState;
use crate::command::watch::Kinds;
use crate::driver::LinkState;
use crate::limits;

/// What a watcher is told of a link.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Link {
    pub(crate) enabled: bool,
    pub(crate) carrier: LinkState,
    pub(crate) mtu: usize,
    pub(crate) metric: u32,
    pub(crate) hardware_address: Option<HardwareAddress>,
}

/// What watchers know. Neighbors remember that themselves, as there may be thousands.
#[derive(Debug)]
struct Told {
    link: Link,
    /// With the revision of their table.
    addresses: (u32, Vec<AddressEntry>),
    routes: (u32, Vec<Route>),
    dns_servers: Vec<(IpAddr, Origin)>,
    dhcp: (DhcpState, Option<(Prefix, Ipv4Addr)>),
}

/// Events on their way to who watches.
#[derive(Debug, Default)]
pub(crate) struct Watch {
    /// What somebody wants to know; empty when nobody watches.
    kinds: Kinds,
    events: Vec<Event>,
    /// Events that found no room.
    lost: u64,
    told: Option<Box<Told>>,
}

impl Watch {
    /// True when somebody wants to know of a kind.
    pub(crate) const fn wants(&self, kinds: Kinds) -> bool {
        self.kinds.intersects(kinds)
    }

    /// True when anybody watches.
    pub(crate) const fn is_on(&self) -> bool {
        !self.kinds.is_empty()
    }

    /// Takes note of an event until it is handed over.
    pub(crate) fn note(&mut self, event: Event) {
        if self.events.len() < limits::EVENTS {
            self.events.push(event);
        } else {
            self.lost += 1;
        }
    }

    /// What happened since the last call, and how many events found no room.
    pub(crate) fn take(&mut self) -> (Vec<Event>, u64) {
        (core::mem::take(&mut self.events), core::mem::take(&mut self.lost))
    }
}

impl Default for Kinds {
    fn default() -> Self {
        Self::empty()
    }
}

impl Stack {
    /// From now on these kinds are wanted; what is there counts as told.
    pub(crate) fn set_watched(&mut self, kinds: Kinds) {
        self.watch.kinds = kinds;
        let keeps = kinds.difference(Kinds::STREAM);
        self.watch.told = (!keeps.is_empty()).then(|| Box::new(self.present()));
        self.neighbors.set_watched(kinds.contains(Kinds::NEIGHBOR), self.now);
    }

    fn link(&self) -> Link {
        let configuration = &self.configuration;
        Link {
            enabled: configuration.enabled,
            carrier: configuration.link,
            mtu: configuration.mtu,
            metric: configuration.metric,
            hardware_address: configuration.hardware_address,
        }
    }

    fn present(&self) -> Told {
        Told {
            link: self.link(),
            addresses: (self.addresses.revision(), self.address_entries()),
            routes: (self.routes.revision(), self.routes.iter().copied().collect()),
            dns_servers: self.dns_servers.clone(),
            dhcp: self.dhcp_summary(),
        }
    }

    /// All that is there, in the order in which changes are told.
    pub(crate) fn watch_snapshot(&self, change: Change) -> Vec<Event> {
        let mut events = alloc::vec![self.appearance(change), Event::Link(change, self.link())];
        events
            .extend(self.address_entries().into_iter().map(|entry| Event::Address(change, entry)));
        events.extend(self.routes.iter().map(|route| Event::Route(change, *route)));
        events.extend(
            self.neighbors.told(self.now).into_iter().map(|entry| Event::Neighbor(change, entry)),
        );
        events.extend(
            self.dns_servers.iter().map(|(server, origin)| Event::Dns(change, *server, *origin)),
        );
        events.push(Event::Dhcp(change, self.dhcp_status()));
        events
    }

    /// The interface came or goes.
    pub(crate) fn appearance(&self, change: Change) -> Event {
        Event::Interface(change, self.configuration.index, self.configuration.capabilities.kind)
    }

    /// Notes what became different since watchers were told.
    pub(crate) fn watch_changes(&mut self) {
        let Some(mut told) = self.watch.told.take() else { return };
        if told.link != self.link() {
            told.link = self.link();
            self.note_wanted(Event::Link(Change::Changed, told.link));
        }
        if told.addresses.0 != self.addresses.revision() {
            let present = self.address_entries();
            let key = |entry: &AddressEntry| entry.prefix;
            // Their lifetimes shrink all the time.
            let same = |one: &AddressEntry, other: &AddressEntry| {
                (one.state, one.origin, one.broadcast)
                    == (other.state, other.origin, other.broadcast)
            };
            for (change, entry) in differences(&told.addresses.1, &present, key, same) {
                self.note_wanted(Event::Address(change, *entry));
            }
            told.addresses = (self.addresses.revision(), present);
        }
        if told.routes.0 != self.routes.revision() {
            let present: Vec<Route> = self.routes.iter().copied().collect();
            let key = |route: &Route| (route.destination, route.gateway, route.metric);
            for (change, route) in differences(&told.routes.1, &present, key, Route::eq) {
                self.note_wanted(Event::Route(change, *route));
            }
            told.routes = (self.routes.revision(), present);
        }
        self.watch_neighbors();
        if told.dns_servers != self.dns_servers {
            let present = self.dns_servers.clone();
            for (change, (server, origin)) in
                differences(&told.dns_servers, &present, |known| known.0, PartialEq::eq)
            {
                self.note_wanted(Event::Dns(change, *server, *origin));
            }
            told.dns_servers = present;
        }
        if told.dhcp != self.dhcp_summary() {
            told.dhcp = self.dhcp_summary();
            self.note_wanted(Event::Dhcp(Change::Changed, self.dhcp_status()));
        }
        self.watch.told = Some(told);
    }

    fn watch_neighbors(&mut self) {
        let (changes, lost) = self.neighbors.take_changes(self.now);
        self.watch.lost += lost;
        for (change, entry) in changes {
            self.watch.note(Event::Neighbor(change, entry));
        }
    }

    fn note_wanted(&mut self, event: Event) {
        if self.watch.wants(event.kind()) {
            self.watch.note(event);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_that_nobody_takes_are_counted_and_not_kept() {
        let mut watch = Watch::default();
        for _ in 0..limits::EVENTS + 7 {
            watch.note(Event::Dns(Change::Added, IpAddr::from([10, 0, 0, 1]), Origin::Static));
        }
        let (events, lost) = watch.take();
        assert_eq!((events.len(), lost), (limits::EVENTS, 7));
        assert!(matches!(watch.take(), (events, 0) if events.is_empty()));
    }
}
