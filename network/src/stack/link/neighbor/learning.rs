//! Updates of the neighbor table by received messages, upper-layer progress and commands.

use alloc::collections::VecDeque;
use alloc::vec::Vec;
use core::net::IpAddr;
use core::time::Duration;

use super::classes::Class;
use super::{Neighbor, Neighbors};
use crate::address::HardwareAddress;
use crate::command::neighbor::{NeighborEntry, NeighborState};
use crate::driver::Frame;
use crate::limits;
use crate::platform::Instant;
use crate::stack::wire::header;

impl Neighbors {
    /// The neighbor answered a solicitation (ARP reply). Unknown neighbors are ignored (NBR-08).
    /// Returns the queued packets.
    pub(crate) fn confirm(
        &mut self,
        address: IpAddr,
        hardware: HardwareAddress,
        now: Instant,
    ) -> VecDeque<Frame> {
        let Some(neighbor) = self.table.get_mut(&address) else { return VecDeque::new() };
        if neighbor.state == NeighborState::Permanent || !hardware.is_unicast() {
            return VecDeque::new();
        }
        neighbor.state = NeighborState::Reachable;
        neighbor.hardware = Some(hardware);
        neighbor.confirmed = now;
        neighbor.deadline = None;
        neighbor.attempts = 0;
        self.resolved(address, now);
        self.release(address)
    }

    /// Processes a neighbor advertisement by the table of RFC 4861 §7.2.5. Unknown neighbors get no
    /// entry (NBR-10). Returns the queued packets, and whether the router flag counts.
    pub(crate) fn advertised(
        &mut self,
        address: IpAddr,
        advertised: Option<HardwareAddress>,
        is_solicited: bool,
        overrides: bool,
        router: bool,
        now: Instant,
    ) -> (VecDeque<Frame>, bool) {
        let nothing = (VecDeque::new(), false);
        let Some(neighbor) = self.table.get_mut(&address) else { return nothing };
        if neighbor.state == NeighborState::Permanent {
            return nothing;
        }
        let (hardware, is_change) = match (neighbor.hardware, advertised) {
            (None, None) => return nothing,
            (None, Some(advertised)) => (advertised, true),
            (Some(known), None) => (known, false),
            (Some(known), Some(advertised)) if known != advertised && !overrides => {
                if neighbor.state == NeighborState::Reachable {
                    neighbor.state = NeighborState::Stale;
                    self.mark_changed(address);
                }
                return nothing;
            }
            (Some(known), Some(advertised)) => (advertised, known != advertised),
        };
        neighbor.hardware = Some(hardware);
        neighbor.router = router;
        if is_solicited {
            neighbor.state = NeighborState::Reachable;
            neighbor.confirmed = now;
        } else if is_change {
            neighbor.state = NeighborState::Stale;
        }
        if is_solicited || is_change {
            (neighbor.deadline, neighbor.attempts) = (None, 0);
        }
        self.resolved(address, now);
        (self.release(address), true)
    }

    /// An address of ours was removed: removes and returns queued packets from it (NBR-15).
    pub(crate) fn drop_from(&mut self, source: IpAddr) -> Vec<Frame> {
        let (mut dropped, mut counts) = (Vec::new(), Vec::new());
        for neighbor in self.table.values_mut().filter(|neighbor| !neighbor.queued.is_empty()) {
            let before = neighbor.queued.len();
            let (gone, kept) = neighbor
                .queued
                .drain(..)
                .partition(|frame| header::source_of(frame.bytes()) == Some(source));
            neighbor.queued = kept;
            dropped.extend::<VecDeque<Frame>>(gone);
            counts.push((before, neighbor.queued.len()));
        }
        for (before, after) in counts {
            let beyond = |count: usize| count.saturating_sub(limits::QUEUED_PER_NEIGHBOR);
            self.burst -= beyond(before) - beyond(after);
        }
        dropped
    }

    /// An unsolicited hardware address (ARP request, NS source, gratuitous ARP). Creates an entry
    /// only with `create`. Returns the queued packets.
    pub(crate) fn learn(
        &mut self,
        address: IpAddr,
        hardware: HardwareAddress,
        create: bool,
        now: Instant,
    ) -> VecDeque<Frame> {
        if !hardware.is_unicast() {
            return VecDeque::new();
        }
        if !self.table.contains_key(&address) {
            if !create || !self.make_room(Class::Learned) {
                return VecDeque::new();
            }
            self.table.insert(address, Neighbor::unknown(now));
            self.classify(address, Class::Learned, now);
        }
        let Some(neighbor) = self.table.get_mut(&address) else { return VecDeque::new() };
        if neighbor.state == NeighborState::Permanent || neighbor.hardware == Some(hardware) {
            return VecDeque::new();
        }
        neighbor.state = NeighborState::Stale;
        neighbor.hardware = Some(hardware);
        neighbor.deadline = None;
        neighbor.attempts = 0;
        self.resolved(address, now);
        self.release(address)
    }

    /// A known neighbor is a router.
    pub(crate) fn set_router(&mut self, address: IpAddr) {
        let neighbor = self.table.get_mut(&address).filter(|neighbor| !neighbor.router);
        if let Some(neighbor) = neighbor {
            neighbor.router = true;
            self.mark_changed(address);
        }
    }

    /// Records the change and returns the queued packets.
    fn release(&mut self, address: IpAddr) -> VecDeque<Frame> {
        self.mark_changed(address);
        let Some(neighbor) = self.table.get_mut(&address) else { return VecDeque::new() };
        let queued = core::mem::take(&mut neighbor.queued);
        self.forget_queue(queued.len());
        queued
    }

    /// Upper-layer progress confirms that the neighbor is reachable (RFC 4861 §7.3.1).
    pub(crate) fn advance_confirmation(&mut self, address: IpAddr, now: Instant) {
        if let Some(neighbor) = self.table.get_mut(&address)
            && matches!(
                neighbor.state,
                NeighborState::Reachable
                    | NeighborState::Delay
                    | NeighborState::Probe
                    | NeighborState::Stale
            )
            && neighbor.hardware.is_some()
        {
            neighbor.state = NeighborState::Reachable;
            neighbor.confirmed = now;
            neighbor.deadline = None;
            self.used_by_program(address, now);
            self.mark_changed(address);
        }
    }

    /// Adds or replaces a static entry. Returns the queued packets.
    pub(crate) fn set_permanent(
        &mut self,
        address: IpAddr,
        hardware: HardwareAddress,
        now: Instant,
    ) -> Option<VecDeque<Frame>> {
        if !self.table.contains_key(&address) && !self.make_room(Class::Fixed) {
            return None;
        }
        let neighbor = self.table.entry(address).or_insert_with(|| Neighbor::unknown(now));
        neighbor.state = NeighborState::Permanent;
        neighbor.hardware = Some(hardware);
        neighbor.deadline = None;
        neighbor.confirmed = now;
        self.classify(address, Class::Fixed, now);
        Some(self.release(address))
    }

    /// Removes an entry with its queued packets.
    pub(crate) fn remove(&mut self, address: IpAddr) -> Option<VecDeque<Frame>> {
        let neighbor = self.table.remove(&address)?;
        self.classes.leave(neighbor.class);
        self.forget_queue(neighbor.queued.len());
        if let Some(changed) = &mut self.changed {
            changed.removed(address, &neighbor);
        }
        Some(neighbor.queued)
    }

    /// Removes matching entries; returns how many.
    pub(crate) fn flush(&mut self, mut which: impl FnMut(IpAddr, bool) -> bool) -> u32 {
        let before = self.table.len();
        let Self { classes, burst, changed, .. } = self;
        self.table.retain(|address, neighbor| {
            let goes = which(*address, neighbor.state == NeighborState::Permanent);
            if goes {
                classes.leave(neighbor.class);
                *burst -= neighbor.queued.len().saturating_sub(limits::QUEUED_PER_NEIGHBOR);
                if let Some(changed) = changed {
                    changed.removed(*address, neighbor);
                }
            }
            !goes
        });
        (before - self.table.len()) as u32
    }

    /// The static entries, in no order.
    pub(crate) fn permanent(&self) -> impl Iterator<Item = (IpAddr, HardwareAddress)> {
        self.table.iter().filter_map(|(address, neighbor)| {
            let is_permanent = neighbor.state == NeighborState::Permanent;
            neighbor.hardware.filter(|_| is_permanent).map(|hardware| (*address, hardware))
        })
    }

    /// All entries, by address.
    pub(crate) fn list(&self, now: Instant) -> Vec<NeighborEntry> {
        // Numbers sort in a third of the time that addresses take.
        let (mut ipv4, mut ipv6) = (Vec::new(), Vec::with_capacity(self.table.len()));
        for (address, neighbor) in &self.table {
            match address {
                IpAddr::V4(known) => ipv4.push((known.to_bits(), (*address, neighbor))),
                IpAddr::V6(known) => ipv6.push((known.to_bits(), (*address, neighbor))),
            }
        }
        ipv4.sort_unstable_by_key(|(bits, _)| *bits);
        ipv6.sort_unstable_by_key(|(bits, _)| *bits);
        let sorted = ipv4.into_iter().map(|(_, known)| known);
        let sorted = sorted.chain(ipv6.into_iter().map(|(_, known)| known));
        let mut entries = Vec::with_capacity(self.table.len());
        entries.extend(sorted.map(|(address, neighbor)| {
            neighbor.entry(address, now, self.timing(address).reachable)
        }));
        entries
    }
}

impl Neighbor {
    pub(super) fn entry(
        &self,
        address: IpAddr,
        now: Instant,
        reachable: Duration,
    ) -> NeighborEntry {
        let aged = self.state == NeighborState::Reachable && now.since(self.confirmed) >= reachable;
        NeighborEntry {
            address,
            hardware_address: self.hardware,
            state: if aged { NeighborState::Stale } else { self.state },
            router: self.router,
            age_milliseconds: u64::try_from(now.since(self.confirmed).as_millis())
                .unwrap_or(u64::MAX),
        }
    }
}
