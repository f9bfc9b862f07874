//! Flows without connections: what rules with states remember of UDP, echo and further protocols.
//!
//! Two tables of fixed size: flows that we began, and flows that others began, so that no host can
//! take the place of a flow of ours. A hash with a secret chooses some places, and among them an
//! entry that was not answered gives way first. So a packet costs a few comparisons, whatever is
//! sent to us, and nothing needs a timer: an entry that is over counts as none.

use alloc::vec;
use alloc::vec::Vec;
use core::hash::BuildHasher;
use core::time::Duration;

use foldhash::fast::FixedState;

use crate::command::firewall::{FirewallChain, FlowStates, TrackedFlow};
use crate::limits;
use crate::platform::Instant;
use crate::stack::flow::Flow;
use crate::stack::wire::header::protocol;

/// What tells flows apart.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) struct FlowKey {
    pub(crate) protocol: u8,
    pub(crate) flow: Flow,
}

impl FlowKey {
    /// How long a flow is remembered after its last packet: Linux' nf_conntrack timeouts.
    const fn timeout(&self, is_answered: bool) -> Duration {
        Duration::from_secs(match self.protocol {
            protocol::UDP if is_answered => 120,
            protocol::UDP | protocol::ICMP | protocol::ICMPV6 => 30,
            _ => 600,
        })
    }
}

/// Who sends a packet.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Direction {
    /// We do.
    FromUs,
    /// Others do.
    ToUs,
}

impl Direction {
    pub(super) const fn of(chain: FirewallChain) -> Self {
        match chain {
            FirewallChain::In => Self::ToUs,
            FirewallChain::Out => Self::FromUs,
        }
    }
}

#[derive(Clone, Copy, Debug)]
struct Entry {
    key: FlowKey,
    is_answered: bool,
    seen: Instant,
}

impl Entry {
    fn until(&self) -> Instant {
        self.seen.after(self.key.timeout(self.is_answered))
    }
}

/// Flows that one side began.
#[derive(Debug, Default)]
struct Table {
    /// Empty until the first flow.
    entries: Vec<Option<Entry>>,
}

/// The first of the places for a hash.
const fn start(hash: u64) -> usize {
    let groups = limits::FIREWALL_FLOWS / limits::FIREWALL_FLOW_PLACES;
    (hash as usize % groups) * limits::FIREWALL_FLOW_PLACES
}

impl Table {
    fn places(&self, hash: u64) -> &[Option<Entry>] {
        let from = self.entries.get(start(hash)..).unwrap_or_default();
        from.get(..limits::FIREWALL_FLOW_PLACES).unwrap_or_default()
    }

    fn get(&self, hash: u64, key: &FlowKey, now: Instant) -> Option<&Entry> {
        let entries = self.places(hash).iter().flatten();
        entries.into_iter().find(|entry| entry.key == *key && entry.until() > now)
    }

    fn places_mut(&mut self, hash: u64) -> &mut [Option<Entry>] {
        let from = self.entries.get_mut(start(hash)..).unwrap_or_default();
        from.get_mut(..limits::FIREWALL_FLOW_PLACES).unwrap_or_default()
    }

    fn get_mut(&mut self, hash: u64, key: &FlowKey, now: Instant) -> Option<&mut Entry> {
        let entries = self.places_mut(hash).iter_mut().flatten();
        entries.into_iter().find(|entry| entry.key == *key && entry.until() > now)
    }

    fn insert(&mut self, hash: u64, key: FlowKey, now: Instant) {
        if self.entries.is_empty() {
            self.entries = vec![None; limits::FIREWALL_FLOWS];
        }
        let worth = |place: &&mut Option<Entry>| match place {
            Some(entry) if entry.until() > now => (1 + u8::from(entry.is_answered), entry.seen),
            _ => (0, Instant::ZERO),
        };
        if let Some(place) = self.places_mut(hash).iter_mut().min_by_key(worth) {
            *place = Some(Entry { key, is_answered: false, seen: now });
        }
    }
}

/// The flows of one interface.
#[derive(Debug)]
pub(crate) struct Flows {
    ours: Table,
    theirs: Table,
    hasher: FixedState,
}

impl Flows {
    pub(crate) fn new(seed: u64) -> Self {
        Self {
            ours: Table::default(),
            theirs: Table::default(),
            hasher: FixedState::with_seed(seed),
        }
    }

    /// True for a flow that we began or that was answered.
    pub(crate) fn knows(&self, key: &FlowKey, now: Instant) -> bool {
        let hash = self.hasher.hash_one(key);
        self.ours.get(hash, key, now).is_some()
            || self.theirs.get(hash, key, now).is_some_and(|entry| entry.is_answered)
    }

    /// What a packet is to the flows.
    pub(crate) fn state(&self, key: &FlowKey, direction: Direction, now: Instant) -> FlowStates {
        let hash = self.hasher.hash_one(key);
        let (sender, receiver) = match direction {
            Direction::FromUs => (&self.ours, &self.theirs),
            Direction::ToUs => (&self.theirs, &self.ours),
        };
        let is_answer = receiver.get(hash, key, now).is_some();
        if is_answer || sender.get(hash, key, now).is_some_and(|entry| entry.is_answered) {
            FlowStates::ESTABLISHED
        } else {
            FlowStates::NEW
        }
    }

    /// Remembers a packet that passed; a flow that is not known begins only if it may.
    pub(crate) fn note(
        &mut self,
        key: FlowKey,
        direction: Direction,
        may_begin: bool,
        now: Instant,
    ) {
        let hash = self.hasher.hash_one(key);
        let (sender, receiver) = match direction {
            Direction::FromUs => (&mut self.ours, &mut self.theirs),
            Direction::ToUs => (&mut self.theirs, &mut self.ours),
        };
        if let Some(answered) = receiver.get_mut(hash, &key, now) {
            (answered.is_answered, answered.seen) = (true, now);
        } else if let Some(known) = sender.get_mut(hash, &key, now) {
            known.seen = now;
        } else if may_begin {
            sender.insert(hash, key, now);
        }
    }

    /// All flows, ours first.
    pub(crate) fn list(&self, interface: &str, now: Instant) -> Vec<TrackedFlow> {
        let tables = [(&self.ours, true), (&self.theirs, false)];
        let entries = tables.into_iter().flat_map(|(table, is_ours)| {
            table.entries.iter().flatten().map(move |entry| (entry, is_ours))
        });
        entries
            .filter(|(entry, _)| entry.until() > now)
            .map(|(entry, is_ours)| TrackedFlow {
                interface: interface.into(),
                protocol: entry.key.protocol,
                local: entry.key.flow.local.address(),
                remote: entry.key.flow.remote.address(),
                is_ours,
                is_answered: entry.is_answered,
                seconds: u32::try_from(entry.until().since(now).as_secs()).unwrap_or(u32::MAX),
            })
            .collect()
    }

    /// Forgets all flows; returns how many.
    pub(crate) fn flush(&mut self, now: Instant) -> u32 {
        let tables = [&mut self.ours, &mut self.theirs];
        let count = |table: &mut Table| {
            let entries = core::mem::take(&mut table.entries);
            entries.iter().flatten().filter(|entry| entry.until() > now).count()
        };
        u32::try_from(tables.into_iter().map(count).sum::<usize>()).unwrap_or(u32::MAX)
    }
}
