//! All deadlines of a stack in one timer heap.
//!
//! Entries are never searched or removed. An owner keeps the deadline that it armed; a popped entry
//! with another deadline is stale and ignored. A deadline that moves later needs no new entry: when
//! the old one pops, its owner arms the new one. When stale entries outnumber the owners, they are
//! swept out, so that the heap stays proportional to what it serves.

use alloc::collections::BinaryHeap;
use core::cmp::Reverse;
use core::net::IpAddr;

use crate::limits;
use crate::platform::Instant;

/// The owner of a deadline.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum Timer {
    /// A connection, by its index.
    Connection(u32),
    /// A neighbor that is being resolved or probed.
    Neighbor(IpAddr),
    /// An address in duplicate address detection or with a lifetime.
    Address(IpAddr),
    /// The oldest incomplete datagram.
    Reassembly,
    /// The oldest TIME-WAIT entry.
    TimeWait,
    /// The next report of a multicast group.
    Multicast,
    /// The DHCP client.
    Dhcp,
    /// The DHCP server.
    DhcpServer,
    /// DHCPv6.
    Dhcp6,
    /// Multicast DNS.
    MulticastDns,
    /// The earliest expiry of something that a router advertised.
    Advertised,
    /// Our router advertisements.
    Advertisement,
    /// The next route that expires.
    Routes,
    /// The next answer for the address of somebody else.
    Proxy,
    /// Router solicitations.
    RouterSolicitation,
}

/// The heap.
#[derive(Debug, Default)]
pub(crate) struct Timers {
    heap: BinaryHeap<Reverse<(Instant, Timer)>>,
    /// Entries after the last sweep.
    kept: usize,
}

impl Timers {
    /// Arms a timer.
    pub(crate) fn arm(&mut self, deadline: Instant, timer: Timer) {
        self.heap.push(Reverse((deadline, timer)));
    }

    /// Arms a timer unless its owner has an earlier entry; `armed` is the deadline of that entry.
    pub(crate) fn arm_earlier(
        &mut self,
        armed: &mut Option<Instant>,
        deadline: Instant,
        timer: Timer,
    ) {
        if armed.is_none_or(|armed| deadline < armed) {
            *armed = Some(deadline);
            self.arm(deadline, timer);
        }
    }

    /// Takes an expired entry.
    pub(crate) fn due(&mut self, now: Instant) -> Option<(Instant, Timer)> {
        match self.heap.peek() {
            Some(Reverse((deadline, _))) if *deadline <= now => {
                self.heap.pop().map(|Reverse(entry)| entry)
            }
            _ => None,
        }
    }

    /// Sweeps out stale entries, once there are more than twice as many entries as `owners` (each
    /// has one current entry).
    pub(crate) fn sweep(&mut self, owners: usize, counts: impl Fn(Instant, Timer) -> bool) {
        // What the last sweep kept is not swept again too early.
        if self.heap.len() > 2 * owners.max(self.kept) + limits::TIMERS {
            self.heap.retain(|Reverse((deadline, timer))| counts(*deadline, *timer));
            self.kept = self.heap.len();
        }
    }

    /// Removes stale entries that would be the next to expire: nobody wakes for them.
    pub(crate) fn drop_stale(&mut self, counts: impl Fn(Instant, Timer) -> bool) {
        while let Some(Reverse((deadline, timer))) = self.heap.peek()
            && !counts(*deadline, *timer)
        {
            self.heap.pop();
        }
    }

    /// The earliest deadline.
    pub(crate) fn next(&self) -> Option<Instant> {
        self.heap.peek().map(|Reverse((deadline, _))| *deadline)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mem_01_stale_entries_do_not_outnumber_their_owners_for_long() {
        let mut timers = Timers::default();
        let mut sweeps = 0;
        for number in 0..100_000u32 {
            // One connection after the other, each with a deadline two minutes away; the last ten
            // are alive.
            timers.arm(
                Instant::from_micros(u64::from(number) + 120_000_000),
                Timer::Connection(number),
            );
            let before = timers.heap.len();
            timers.sweep(
                10,
                |_, timer| matches!(timer, Timer::Connection(slot) if slot + 10 > number),
            );
            sweeps += u32::from(timers.heap.len() < before);
            assert!(timers.heap.len() <= 2 * 10 + limits::TIMERS);
        }
        assert!(sweeps < 1000, "{sweeps}");
        // Current entries are never swept, and not examined each time.
        let mut examined = 0;
        for number in 0..10_000u32 {
            timers.arm(Instant::from_micros(u64::from(number)), Timer::Connection(number));
            let counted = core::cell::Cell::new(0);
            timers.sweep(0, |_, _| {
                counted.set(counted.get() + 1);
                true
            });
            examined += counted.get();
        }
        assert!(timers.heap.len() >= 10_000 && examined < 50_000, "{examined}");
    }
}
