//! TIME-WAIT outside of every polled table (RFC 9293 §3.6): a few numbers for 60 s instead of a
//! socket with buffers.
//!
//! Bounded by [`limits::TIME_WAIT`]; when full, the oldest tuple ends early. A repeated FIN is
//! answered and starts the time anew; anything else does not prolong it (RFC 1337). A newer SYN
//! opens the tuple again at once.

use alloc::collections::VecDeque;
use core::hash::BuildHasher;
use core::time::Duration;

use foldhash::fast::FixedState;
use hashbrown::HashTable;
use slab::Slab;

use super::Flow;
use super::segment::{Segment, before};
use crate::limits;
use crate::platform::Instant;

/// How long a tuple rests.
const TIME_WAIT: Duration = Duration::from_secs(60);

/// The numbers of a closed connection.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct TimeWaitState {
    pub(crate) snd_nxt: u32,
    pub(crate) rcv_nxt: u32,
    pub(crate) window: u16,
    /// When it is over.
    until: Instant,
}

/// What to do with a segment for a entry tuple.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Reaction {
    /// Say where we are.
    Acknowledge(TimeWaitState),
    /// It opens a new connection: the tuple is free again. With the last number that we used on it.
    Reopen(u32),
    /// Nothing.
    Ignore,
}

/// A tuple that rests.
#[derive(Debug)]
struct TimeWaitEntry {
    flow: Flow,
    rest: TimeWaitState,
}

/// The table.
#[derive(Debug)]
pub(crate) struct TimeWait {
    tuples: Slab<TimeWaitEntry>,
    /// Tuples by their flow: only their places stand here, so that what is searched stays small.
    places: HashTable<u32>,
    state: FixedState,
    /// The tuples by the time when their rest is over, which is the order in which it began. An
    /// entry whose tuple rests until another time, or not at all, is stale.
    order: VecDeque<(Instant, u32)>,
}

impl TimeWait {
    pub(crate) fn new(seed: u64) -> Self {
        let state = FixedState::with_seed(seed);
        Self { tuples: Slab::new(), places: HashTable::new(), state, order: VecDeque::new() }
    }

    /// Lets a tuple rest.
    pub(crate) fn insert(
        &mut self,
        flow: Flow,
        snd_nxt: u32,
        rcv_nxt: u32,
        window: u16,
        now: Instant,
    ) {
        let until = now.after(TIME_WAIT);
        self.remove(&flow);
        while self.tuples.len() >= limits::TIME_WAIT && self.pop().is_some() {}
        // The table is far smaller than 2^32.
        let place = self
            .tuples
            .insert(TimeWaitEntry { flow, rest: TimeWaitState { snd_nxt, rcv_nxt, window, until } })
            as u32;
        let Self { tuples, places, state, .. } = self;
        places.insert_unique(state.hash_one(flow), place, |place| {
            tuples.get(*place as usize).map_or(0, |entry| state.hash_one(entry.flow))
        });
        self.queue(until, place);
    }

    /// Where a tuple rests.
    fn find(&self, flow: &Flow) -> Option<u32> {
        let is_meant =
            |place: &u32| self.tuples.get(*place as usize).is_some_and(|entry| entry.flow == *flow);
        self.places.find(self.state.hash_one(flow), is_meant).copied()
    }

    /// Adds an entry; stale ones are swept out when they are as many as the others.
    fn queue(&mut self, until: Instant, place: u32) {
        if self.order.len() > 2 * self.tuples.len() + limits::TIMERS {
            let tuples = &self.tuples;
            self.order.retain(|(until, place)| counts(tuples, *until, *place));
        }
        self.order.push_back((until, place));
    }

    /// Ends the oldest entry, and its tuple's rest unless it is stale.
    fn pop(&mut self) -> Option<()> {
        let (until, place) = self.order.pop_front()?;
        if counts(&self.tuples, until, place) {
            self.end(place);
        }
        Some(())
    }

    /// Ends the rest at a place.
    fn end(&mut self, place: u32) -> Option<TimeWaitState> {
        let TimeWaitEntry { flow, rest } = self.tuples.try_remove(place as usize)?;
        if let Ok(entry) =
            self.places.find_entry(self.state.hash_one(flow), |known| *known == place)
        {
            entry.remove();
        }
        Some(rest)
    }

    /// Ends a rest early; tells the last number that we used.
    pub(crate) fn remove(&mut self, flow: &Flow) -> Option<u32> {
        let place = self.find(flow)?;
        self.end(place).map(|rest| rest.snd_nxt)
    }

    pub(crate) fn contains(&self, flow: &Flow) -> bool {
        self.find(flow).is_some()
    }

    /// Decides about a segment; `None` when the tuple does not rest.
    pub(crate) fn input(
        &mut self,
        flow: &Flow,
        segment: &Segment,
        now: Instant,
    ) -> Option<Reaction> {
        let place = self.find(flow)?;
        let rest = &mut self.tuples.get_mut(place as usize)?.rest;
        if segment.rst {
            return Some(Reaction::Ignore);
        }
        if segment.syn && segment.acknowledgment.is_none() && before(rest.rcv_nxt, segment.sequence)
        {
            return self.end(place).map(|rest| Reaction::Reopen(rest.snd_nxt));
        }
        let until = now.after(TIME_WAIT);
        let is_prolonged = segment.fin && segment.end() == rest.rcv_nxt && rest.until != until;
        if is_prolonged {
            rest.until = until;
        }
        let rest = *rest;
        if is_prolonged {
            self.queue(until, place);
        }
        let is_repeat = segment.syn || segment.fin || segment.length > 0;
        Some(if is_repeat { Reaction::Acknowledge(rest) } else { Reaction::Ignore })
    }

    /// Ends what rested long enough.
    pub(crate) fn expire(&mut self, now: Instant) {
        while self.order.front().is_some_and(|(until, _)| *until <= now) {
            self.pop();
        }
    }

    /// When [`expire`](Self::expire) has something to do.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        self.order.front().map(|(until, _)| *until)
    }

    pub(crate) fn flows(&self) -> impl Iterator<Item = &Flow> {
        self.tuples.iter().map(|(_, entry)| &entry.flow)
    }
}

/// True for an entry of the order that is not stale.
fn counts(tuples: &Slab<TimeWaitEntry>, until: Instant, place: u32) -> bool {
    tuples.get(place as usize).is_some_and(|entry| entry.rest.until == until)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn flow(port: u16) -> Flow {
        Flow::new(([10, 0, 0, 1], 80).into(), ([10, 0, 0, 2], port).into())
    }

    fn segment(sequence: u32) -> Segment {
        Segment { sequence, ..Segment::default() }
    }

    #[test]
    fn tcp_o_05_only_a_valid_fin_prolongs_the_rest() {
        let mut table = TimeWait::new(1);
        table.insert(flow(1), 100, 200, 0, Instant::ZERO);
        let later = Instant::ZERO.after(Duration::from_secs(50));
        let stray = Segment { length: 5, acknowledgment: Some(1), ..segment(7) };
        assert!(matches!(table.input(&flow(1), &stray, later), Some(Reaction::Acknowledge(_))));
        table.expire(Instant::ZERO.after(TIME_WAIT));
        assert!(!table.contains(&flow(1)));
        table.insert(flow(1), 100, 200, 0, Instant::ZERO);
        let fin = Segment { fin: true, acknowledgment: Some(100), ..segment(199) };
        assert!(matches!(table.input(&flow(1), &fin, later), Some(Reaction::Acknowledge(_))));
        table.expire(Instant::ZERO.after(TIME_WAIT));
        assert!(table.contains(&flow(1)));
    }

    #[test]
    fn tcp_o_06_a_newer_syn_reopens_and_an_older_one_is_answered() {
        let mut table = TimeWait::new(1);
        table.insert(flow(1), 100, 200, 0, Instant::ZERO);
        assert!(matches!(
            table.input(&flow(1), &Segment { syn: true, ..segment(150) }, Instant::ZERO),
            Some(Reaction::Acknowledge(_))
        ));
        assert_eq!(
            table.input(&flow(1), &Segment { syn: true, ..segment(201) }, Instant::ZERO),
            Some(Reaction::Reopen(100))
        );
        assert_eq!(table.input(&flow(1), &segment(1), Instant::ZERO), None);
    }

    #[test]
    fn the_table_is_bounded_and_the_oldest_goes() {
        let mut table = TimeWait::new(1);
        for number in 0..limits::TIME_WAIT as u32 + 5 {
            let mut tuple = flow((number & 0xffff) as u16);
            tuple.local = super::super::End::new(tuple.local.ip(), (number >> 16) as u16 + 1);
            table.insert(tuple, 0, 0, 0, Instant::from_micros(u64::from(number)));
        }
        assert_eq!(table.flows().count(), limits::TIME_WAIT);
    }

    #[test]
    fn a_peer_that_repeats_its_fin_keeps_nobody_elses_tuple() {
        let mut table = TimeWait::new(1);
        table.insert(flow(1), 100, 200, 0, Instant::ZERO);
        table.insert(flow(2), 100, 200, 0, Instant::ZERO);
        let fin = Segment { fin: true, acknowledgment: Some(100), ..segment(199) };
        for _ in 0..limits::TIME_WAIT * 3 {
            assert!(matches!(
                table.input(&flow(1), &fin, Instant::from_micros(5)),
                Some(Reaction::Acknowledge(_))
            ));
        }
        assert!(table.order.len() <= 2 * 2 + limits::TIMERS + 1);
        table.expire(Instant::ZERO.after(TIME_WAIT * 3));
        table.expire(Instant::ZERO.after(TIME_WAIT * 3));
        assert_eq!((table.flows().count(), table.order.len()), (0, 0));
    }
}
