//! Events on their way to watchers.
//!
//! Streams note their incidents as they happen; changes of what is there are found by
//! [`super::changes`]. While nobody watches, each costs one branch.
//!
//! Pure state: [`Interface`](crate::interface::Interface) takes the events and gives them to the
//! watchers.

mod differences;
mod event;

pub(crate) use self::differences::differences;
pub(crate) use self::event::{Change, Event, StreamEvent};
use crate::address::HardwareAddress;
use crate::command::watch::Kinds;
use crate::driver::LinkState;
use crate::limits;
use alloc::vec::Vec;

/// What a watcher is told of a link.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct LinkStatus {
    pub(crate) enabled: bool,
    pub(crate) carrier: LinkState,
    pub(crate) mtu: usize,
    pub(crate) metric: u32,
    pub(crate) hardware_address: Option<HardwareAddress>,
}

/// Events on their way to who watches.
#[derive(Debug, Default)]
pub(crate) struct Watch {
    /// What somebody wants to know; empty when nobody watches.
    kinds: Kinds,
    events: Vec<Event>,
    /// Events that found no room.
    lost: u64,
}

impl Watch {
    /// True when somebody wants to know of a kind.
    pub(crate) const fn wants(&self, kinds: Kinds) -> bool {
        self.kinds.intersects(kinds)
    }

    /// From now on these kinds are wanted.
    pub(crate) fn set_kinds(&mut self, kinds: Kinds) {
        self.kinds = kinds;
    }

    /// Takes note of events of the kinds that somebody wants, and of how many were lost before.
    pub(crate) fn note_wanted(&mut self, events: impl IntoIterator<Item = Event>, lost: u64) {
        self.lost += lost;
        for event in events {
            if self.wants(event.kind()) {
                self.note(event);
            }
        }
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

#[cfg(test)]
mod tests {
    use core::net::IpAddr;

    use super::*;
    use crate::command::address::Origin;

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
