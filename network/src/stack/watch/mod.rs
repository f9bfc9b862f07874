//! Events for watchers.
//!
//! Streams record their events as they happen; [`super::changes`] finds state changes. Without a
//! watcher each costs one branch.
//!
//! Pure state: [`Interface`](crate::interface::Interface) takes the events and passes them to the
//! watchers.

mod differences;

use alloc::vec::Vec;

pub(crate) use self::differences::differences;
use crate::command::event::{Change, Event};
use crate::command::socket::SocketStatus;
use crate::command::watch::Kinds;
use crate::limits;

/// Recorded events.
#[derive(Debug, Default)]
pub(crate) struct Watch {
    /// The watched kinds; empty without a watcher.
    kinds: Kinds,
    events: Vec<Event>,
    /// Events that found no room.
    lost: u64,
}

impl Watch {
    /// True when a kind is watched.
    pub(crate) const fn wants(&self, kinds: Kinds) -> bool {
        self.is_on() && self.kinds.intersects(kinds)
    }

    /// Sets the watched kinds.
    pub(crate) fn set_kinds(&mut self, kinds: Kinds) {
        self.kinds = kinds;
    }

    /// Records events of watched kinds, and how many were lost before.
    pub(crate) fn note_watched(&mut self, events: impl IntoIterator<Item = Event>, lost: u64) {
        self.lost += lost;
        for event in events {
            if self.wants(event.kind()) {
                self.note(event);
            }
        }
    }

    /// True when there is a watcher.
    pub(crate) const fn is_on(&self) -> bool {
        cfg!(feature = "events") && !self.kinds.is_empty()
    }

    /// Records that a socket without connection began or ended.
    pub(crate) fn note_socket(&mut self, change: Change, status: impl FnOnce() -> SocketStatus) {
        if self.wants(Kinds::SOCKET) {
            self.note(Event::Socket(change, status()));
        }
    }

    /// Records that a lookup failed.
    pub(crate) fn note_lookup(&mut self, event: impl FnOnce() -> Event) {
        if self.wants(Kinds::DNS) {
            self.note(event());
        }
    }

    /// Records an event.
    pub(crate) fn note(&mut self, event: Event) {
        if self.events.len() < limits::EVENTS {
            self.events.push(event);
        } else {
            self.lost += 1;
        }
    }

    /// Takes the recorded events, and how many found no room.
    pub(crate) fn take(&mut self) -> (Vec<Event>, u64) {
        (core::mem::take(&mut self.events), core::mem::take(&mut self.lost))
    }
}

#[cfg(test)]
mod tests {
    use core::net::IpAddr;

    use super::*;
    use crate::command::address::Origin;

    #[test]
    fn events_beyond_the_bound_are_counted_and_dropped() {
        let mut watch = Watch::default();
        for _ in 0..limits::EVENTS + 7 {
            watch.note(Event::Dns(Change::Added, IpAddr::from([10, 0, 0, 1]), Origin::Static));
        }
        let (events, lost) = watch.take();
        assert_eq!((events.len(), lost), (limits::EVENTS, 7));
        assert!(matches!(watch.take(), (events, 0) if events.is_empty()));
    }
}
