//! Every deadline of a stack in one heap.
//!
//! Entries are never searched or removed. An owner remembers the deadline it armed; a popped entry that is not the one its owner
//! remembers is stale and ignored. A deadline that moves later needs no new entry: when the old one pops, the owner arms the new one.

use alloc::collections::BinaryHeap;
use core::cmp::Reverse;
use core::net::IpAddr;

use crate::platform::Instant;

/// Whose deadline it is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum Timer {
    /// A TCP slot, by its index.
    Slot(u32),
    /// A neighbor that is being resolved or probed.
    Neighbor(IpAddr),
    /// An address under duplicate detection or with a lifetime.
    Address(IpAddr),
    /// The oldest reassembly.
    Reassembly,
    /// The oldest tuple in TIME-WAIT.
    TimeWait,
    /// The next report of a multicast group.
    Multicast,
    /// The DHCP client.
    Dhcp,
    /// The earliest end of something that a router told.
    Advertised,
    /// Router advertisements of our own.
    Advertisement,
    /// Router solicitations.
    RouterSolicitation,
}

/// The heap.
#[derive(Debug, Default)]
pub(crate) struct Timers {
    heap: BinaryHeap<Reverse<(Instant, Timer)>>,
}

impl Timers {
    /// Adds a deadline.
    pub(crate) fn arm(&mut self, deadline: Instant, timer: Timer) {
        self.heap.push(Reverse((deadline, timer)));
    }

    /// Takes an entry that is due.
    pub(crate) fn due(&mut self, now: Instant) -> Option<(Instant, Timer)> {
        match self.heap.peek() {
            Some(Reverse((deadline, _))) if *deadline <= now => self.heap.pop().map(|Reverse(entry)| entry),
            _ => None,
        }
    }

    /// The earliest deadline.
    pub(crate) fn next(&self) -> Option<Instant> {
        self.heap.peek().map(|Reverse((deadline, _))| *deadline)
    }
}
