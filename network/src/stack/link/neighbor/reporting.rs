//! Reports changes of neighbors to watchers: lasting states only, not that a neighbor is being
//! probed.
//!
//! With thousands of neighbors the table is not compared as a whole: each change marks its
//! neighbor, and only marked ones are compared. Without a watcher this costs one branch.

use alloc::vec::Vec;
use core::net::IpAddr;

use super::{Neighbor, Neighbors};
use crate::command::event::Change;
use crate::command::neighbor::{NeighborEntry, NeighborState};
use crate::limits;
use crate::platform::Instant;

/// Neighbors that may have changed since the last report.
#[derive(Debug, Default)]
pub(super) struct ChangedNeighbors {
    addresses: Vec<IpAddr>,
    gone: Vec<NeighborEntry>,
    /// Changes that found no room.
    lost: u64,
}

/// The lasting state to report; `None` while it is undecided.
const fn lasting_state(state: NeighborState) -> Option<NeighborState> {
    match state {
        NeighborState::Incomplete | NeighborState::Delay | NeighborState::Probe => None,
        NeighborState::Reachable
        | NeighborState::Stale
        | NeighborState::Failed
        | NeighborState::Permanent => Some(state),
    }
}

impl Neighbors {
    /// Starts or stops reporting; the present state counts as reported.
    pub(crate) fn set_watched(&mut self, is_watched: bool, now: Instant) {
        self.changed = is_watched.then(ChangedNeighbors::default);
        let (ipv4, ipv6) = (self.base, self.ipv6);
        for (address, neighbor) in &mut self.table {
            let reachable = if address.is_ipv6() { ipv6 } else { ipv4 }.reachable;
            let state = match neighbor.entry(*address, now, reachable).state {
                // It was in use until a moment ago.
                NeighborState::Delay | NeighborState::Probe => Some(NeighborState::Stale),
                state => lasting_state(state),
            };
            neighbor.reported =
                state.filter(|_| is_watched).map(|state| (state, neighbor.hardware));
        }
    }

    /// Every reported neighbor, by address.
    pub(crate) fn reported(&self, now: Instant) -> Vec<NeighborEntry> {
        let entry =
            |(address, neighbor): (&IpAddr, &Neighbor)| neighbor.reported_entry(*address, now);
        let mut entries: Vec<_> = self.table.iter().filter_map(entry).collect();
        entries.sort_by_key(|entry| entry.address);
        entries
    }

    /// Marks a neighbor as possibly changed.
    pub(super) fn mark_changed(&mut self, address: IpAddr) {
        let Some(changed) = &mut self.changed else { return };
        if changed.addresses.len() < limits::EVENTS {
            changed.addresses.push(address);
        } else {
            changed.lost += 1;
        }
    }

    /// The changes since the last call, and how many found no room.
    pub(crate) fn take_changes(&mut self, now: Instant) -> (Vec<(Change, NeighborEntry)>, u64) {
        let Some(changed) = &mut self.changed else { return (Vec::new(), 0) };
        let ChangedNeighbors { addresses, gone, lost } = core::mem::take(changed);
        let mut changes: Vec<_> = gone.into_iter().map(|entry| (Change::Removed, entry)).collect();
        for address in addresses {
            let Some(neighbor) = self.table.get_mut(&address) else { continue };
            let Some(state) = lasting_state(neighbor.state) else { continue };
            let former = neighbor.reported.replace((state, neighbor.hardware));
            if former != neighbor.reported {
                let change = if former.is_none() { Change::Added } else { Change::Changed };
                changes.extend(neighbor.reported_entry(address, now).map(|entry| (change, entry)));
            }
        }
        (changes, lost)
    }
}

impl ChangedNeighbors {
    /// A neighbor was removed.
    pub(super) fn removed(&mut self, address: IpAddr, neighbor: &Neighbor) {
        let Some(entry) = neighbor.reported_entry(address, neighbor.confirmed) else { return };
        if self.gone.len() < limits::EVENTS {
            self.gone.push(entry);
        } else {
            self.lost += 1;
        }
    }
}

impl Neighbor {
    /// The entry of a neighbor, as it is reported.
    fn reported_entry(&self, address: IpAddr, now: Instant) -> Option<NeighborEntry> {
        let (state, hardware_address) = self.reported?;
        Some(NeighborEntry {
            address,
            hardware_address,
            state,
            router: self.router,
            age_milliseconds: u64::try_from(now.since(self.confirmed).as_millis())
                .unwrap_or(u64::MAX),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::address::HardwareAddress;
    use crate::driver::FramePool;

    fn address(host: u16) -> IpAddr {
        IpAddr::from([10, 0, (host >> 8) as u8, host as u8])
    }

    fn states(neighbors: &mut Neighbors, now: Instant) -> Vec<(Change, NeighborState)> {
        neighbors
            .take_changes(now)
            .0
            .into_iter()
            .map(|(change, entry)| (change, entry.state))
            .collect()
    }

    #[test]
    fn only_lasting_states_are_reported() {
        let (mut neighbors, mut now) = (Neighbors::new(1), Instant::ZERO);
        let hardware = HardwareAddress([2, 0, 0, 0, 0, 1]);
        neighbors.set_watched(true, now);
        neighbors.resolve(address(1), FramePool::new().take(20), now);
        assert_eq!(states(&mut neighbors, now), []);
        neighbors.confirm(address(1), hardware, now);
        assert_eq!(states(&mut neighbors, now), [(Change::Added, NeighborState::Reachable)]);
        // Probed in time and confirmed: nothing to report.
        now = now.after(core::time::Duration::from_secs(40));
        neighbors.resolve(address(1), FramePool::new().take(20), now);
        neighbors.confirm(address(1), hardware, now);
        assert_eq!(states(&mut neighbors, now), []);
        neighbors.learn(address(1), HardwareAddress([2, 0, 0, 0, 0, 2]), false, now);
        assert_eq!(states(&mut neighbors, now), [(Change::Changed, NeighborState::Stale)]);
        neighbors.remove(address(1));
        assert_eq!(states(&mut neighbors, now), [(Change::Removed, NeighborState::Stale)]);
    }

    #[test]
    fn changes_beyond_the_bound_are_counted() {
        let mut neighbors = Neighbors::new(1);
        let hardware = HardwareAddress([2, 0, 0, 0, 0, 1]);
        neighbors.set_watched(true, Instant::ZERO);
        let count = limits::EVENTS as u16 + 9;
        for host in 0..count {
            neighbors.set_permanent(address(host), hardware, Instant::ZERO);
        }
        let (changes, lost) = neighbors.take_changes(Instant::ZERO);
        assert_eq!((changes.len(), lost), (limits::EVENTS, 9));
        neighbors.set_watched(true, Instant::ZERO);
        assert_eq!(neighbors.reported(Instant::ZERO).len(), usize::from(count));
        neighbors.flush(|_, _| true);
        let (changes, lost) = neighbors.take_changes(Instant::ZERO);
        assert_eq!((changes.len(), lost), (limits::EVENTS, 9));
    }
}
