//! The TIME-WAIT table (RFC 9293 §3.6): a few numbers for 60 s (2·MSL) instead of a connection with
//! buffers.
//!
//! [`limits::TIME_WAIT`] bounds it; when it is full, the oldest entry ends early. A retransmitted
//! FIN is acknowledged and restarts the timer; nothing else prolongs it (RFC 1337). A newer SYN
//! reopens the flow at once.

use core::hash::BuildHasher;
use core::ops::Range;
use core::time::Duration;

use foldhash::fast::FixedState;
use hashbrown::HashTable;
use slab::Slab;

use super::Flow;
use super::segment::{Segment, before};
use super::timestamps::Timestamps;
use crate::limits;
use crate::platform::Instant;
use crate::stack::lazy_queue::LazyQueue;

/// The TIME-WAIT timeout (2·MSL).
const TIME_WAIT: Duration = Duration::from_secs(60);

/// The sequence state of a closed connection.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct TimeWaitState {
    /// SND.NXT and RCV.NXT.
    pub(crate) snd_nxt: u32,
    pub(crate) rcv_nxt: u32,
    pub(crate) window: u16,
    pub(crate) timestamps: Timestamps,
    /// When the entry expires.
    until: Instant,
}

impl TimeWaitState {
    pub(crate) const fn new(
        snd_nxt: u32,
        rcv_nxt: u32,
        window: u16,
        timestamps: Timestamps,
    ) -> Self {
        Self { snd_nxt, rcv_nxt, window, timestamps, until: Instant::ZERO }
    }

    /// True for a SYN that is newer than the connection, by its timestamp or else by its sequence
    /// number (RFC 6191 §2, RFC 9293 §3.6.1).
    fn is_reopened_by(&self, segment: &Segment, seg_tsval: Option<u32>, now: Instant) -> bool {
        let is_newer = before(self.rcv_nxt, segment.sequence);
        let is_old = |seg_tsval| self.timestamps.is_old(seg_tsval, now);
        segment.syn
            && segment.acknowledgment.is_none()
            && match seg_tsval.filter(|_| self.timestamps.is_negotiated()) {
                Some(seg_tsval) => {
                    self.timestamps.is_newer(seg_tsval) || (is_newer && !is_old(seg_tsval))
                }
                None => is_newer,
            }
    }
}

/// The response to a segment that matches a TIME-WAIT entry.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum TimeWaitResponse {
    /// Send an ACK.
    Acknowledge(TimeWaitState),
    /// A new SYN reopens the flow. Carries SND.NXT of the old connection.
    Reopen(u32),
    /// Drop the segment.
    Ignore,
}

/// An entry of the table.
#[derive(Debug)]
struct TimeWaitEntry {
    flow: Flow,
    state: TimeWaitState,
}

/// The TIME-WAIT table.
#[derive(Debug)]
pub(crate) struct TimeWait {
    entries: Slab<TimeWaitEntry>,
    /// Slab indices by flow. The flows themselves are stored in the slab only.
    indices: HashTable<u32>,
    hasher: FixedState,
    /// Entries by expiry, which is also insertion order. An item is stale when its entry has
    /// another expiry or is gone.
    expiry_queue: LazyQueue<(Instant, u32)>,
}

impl TimeWait {
    pub(crate) fn new(seed: u64) -> Self {
        let hasher = FixedState::with_seed(seed);
        Self {
            entries: Slab::new(),
            indices: HashTable::new(),
            hasher,
            expiry_queue: LazyQueue::default(),
        }
    }

    /// Entries.
    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    /// Adds an entry.
    pub(crate) fn insert(&mut self, flow: Flow, state: TimeWaitState, now: Instant) {
        let until = now.after(TIME_WAIT);
        self.remove(&flow);
        while self.entries.len() >= limits::TIME_WAIT && self.pop().is_some() {}
        // The table is far smaller than 2^32.
        let state = TimeWaitState { until, ..state };
        let index = self.entries.insert(TimeWaitEntry { flow, state }) as u32;
        let Self { entries, indices, hasher, .. } = self;
        indices.insert_unique(hasher.hash_one(flow), index, |index| {
            entries.get(*index as usize).map_or(0, |entry| hasher.hash_one(entry.flow))
        });
        self.queue(until, index);
    }

    /// The slab index of a flow.
    fn find(&self, flow: &Flow) -> Option<u32> {
        let matches = |index: &u32| {
            self.entries.get(*index as usize).is_some_and(|entry| entry.flow == *flow)
        };
        self.indices.find(self.hasher.hash_one(flow), matches).copied()
    }

    /// Appends an item to the expiry queue.
    fn queue(&mut self, until: Instant, index: u32) {
        let Self { entries, expiry_queue, .. } = self;
        expiry_queue.push((until, index), entries.len(), |(until, index)| {
            is_current(entries, *until, *index)
        });
    }

    /// Removes the oldest item of the expiry queue, and its entry unless the item is stale.
    fn pop(&mut self) -> Option<()> {
        let (until, index) = self.expiry_queue.pop()?;
        if is_current(&self.entries, until, index) {
            self.end(index);
        }
        Some(())
    }

    /// Removes the entry at an index.
    fn end(&mut self, index: u32) -> Option<TimeWaitState> {
        let TimeWaitEntry { flow, state } = self.entries.try_remove(index as usize)?;
        if let Ok(entry) =
            self.indices.find_entry(self.hasher.hash_one(flow), |known| *known == index)
        {
            entry.remove();
        }
        Some(state)
    }

    /// Ends TIME-WAIT early; returns SND.NXT of the old connection.
    pub(crate) fn remove(&mut self, flow: &Flow) -> Option<u32> {
        let index = self.find(flow)?;
        self.end(index).map(|state| state.snd_nxt)
    }

    pub(crate) fn contains(&self, flow: &Flow) -> bool {
        self.find(flow).is_some()
    }

    /// Processes a segment, `seg_tsval` being the timestamp of a SYN; `None` when its flow is not
    /// in TIME-WAIT.
    pub(crate) fn input(
        &mut self,
        flow: &Flow,
        segment: &Segment,
        seg_tsval: Option<u32>,
        now: Instant,
    ) -> Option<TimeWaitResponse> {
        let index = self.find(flow)?;
        let state = &mut self.entries.get_mut(index as usize)?.state;
        if segment.rst {
            return Some(TimeWaitResponse::Ignore);
        }
        if state.is_reopened_by(segment, seg_tsval, now) {
            return self.end(index).map(|state| TimeWaitResponse::Reopen(state.snd_nxt));
        }
        let until = now.after(TIME_WAIT);
        let is_restarted = segment.fin && segment.end() == state.rcv_nxt && state.until != until;
        if is_restarted {
            state.until = until;
        }
        let state = *state;
        if is_restarted {
            self.queue(until, index);
        }
        let needs_ack = segment.syn || segment.fin || segment.length > 0;
        Some(if needs_ack {
            TimeWaitResponse::Acknowledge(state)
        } else {
            TimeWaitResponse::Ignore
        })
    }

    /// Removes expired entries.
    pub(crate) fn expire(&mut self, now: Instant) {
        while self.expiry_queue.front().is_some_and(|(until, _)| *until <= now) {
            self.pop();
        }
    }

    /// When [`expire`](Self::expire) is due.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        self.expiry_queue.front().map(|(until, _)| *until)
    }

    /// The flows at some places of the table; it ends before [`places`](Self::places).
    pub(crate) fn flows(&self, places: Range<usize>) -> impl Iterator<Item = &Flow> {
        places.filter_map(|place| self.entries.get(place)).map(|entry| &entry.flow)
    }

    pub(crate) fn places(&self) -> usize {
        self.entries.capacity()
    }
}

/// True for an item of the expiry queue that is not stale.
fn is_current(entries: &Slab<TimeWaitEntry>, until: Instant, index: u32) -> bool {
    entries.get(index as usize).is_some_and(|entry| entry.state.until == until)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn flow(port: u16) -> Flow {
        Flow::new(([10, 0, 0, 1], 80).into(), ([10, 0, 0, 2], port).into())
    }

    fn state() -> TimeWaitState {
        TimeWaitState::new(100, 200, 0, Timestamps::new(true, 0))
    }

    fn segment(sequence: u32) -> Segment {
        Segment { sequence, ..Segment::default() }
    }

    #[test]
    fn tcp_o_05_only_a_valid_fin_restarts_time_wait() {
        let mut table = TimeWait::new(1);
        table.insert(flow(1), state(), Instant::ZERO);
        let later = Instant::ZERO.after(Duration::from_secs(50));
        let stray = Segment { length: 5, acknowledgment: Some(1), ..segment(7) };
        assert!(matches!(
            table.input(&flow(1), &stray, None, later),
            Some(TimeWaitResponse::Acknowledge(_))
        ));
        table.expire(Instant::ZERO.after(TIME_WAIT));
        assert!(!table.contains(&flow(1)));
        table.insert(flow(1), state(), Instant::ZERO);
        let fin = Segment { fin: true, acknowledgment: Some(100), ..segment(199) };
        assert!(matches!(
            table.input(&flow(1), &fin, None, later),
            Some(TimeWaitResponse::Acknowledge(_))
        ));
        table.expire(Instant::ZERO.after(TIME_WAIT));
        assert!(table.contains(&flow(1)));
    }

    #[test]
    fn tcp_o_06_a_newer_syn_reopens_and_an_older_one_is_acknowledged() {
        let mut table = TimeWait::new(1);
        table.insert(flow(1), state(), Instant::ZERO);
        assert!(matches!(
            table.input(&flow(1), &Segment { syn: true, ..segment(150) }, None, Instant::ZERO),
            Some(TimeWaitResponse::Acknowledge(_))
        ));
        assert_eq!(
            table.input(&flow(1), &Segment { syn: true, ..segment(201) }, None, Instant::ZERO),
            Some(TimeWaitResponse::Reopen(100))
        );
        assert_eq!(table.input(&flow(1), &segment(1), None, Instant::ZERO), None);
    }

    /// RFC 6191 §2: a newer timestamp opens again whatever the number is, an older one never.
    #[test]
    fn the_timestamp_of_a_syn_decides_first() {
        let mut state = state();
        state.timestamps.negotiate(50, Instant::ZERO);
        let syn = |sequence| Segment { syn: true, ..segment(sequence) };
        for (sequence, tsval, expected) in [
            (150, Some(51), true),
            (150, Some(50), false),
            (201, Some(50), true),
            (201, Some(49), false),
            (201, None, true),
            (150, None, false),
        ] {
            let is_reopened = state.is_reopened_by(&syn(sequence), tsval, Instant::ZERO);
            assert_eq!(is_reopened, expected, "{sequence} {tsval:?}");
        }
    }

    #[test]
    fn the_table_is_bounded_and_drops_the_oldest() {
        let mut table = TimeWait::new(1);
        for number in 0..limits::TIME_WAIT as u32 + 5 {
            let mut flow = flow((number & 0xffff) as u16);
            flow.local = super::super::End::new(flow.local.ip(), (number >> 16) as u16 + 1);
            table.insert(flow, state(), Instant::from_micros(u64::from(number)));
        }
        assert_eq!(table.flows(0..table.places()).count(), limits::TIME_WAIT);
    }

    #[test]
    fn a_retransmitted_fin_restarts_only_its_own_entry() {
        let mut table = TimeWait::new(1);
        table.insert(flow(1), state(), Instant::ZERO);
        table.insert(flow(2), state(), Instant::ZERO);
        let fin = Segment { fin: true, acknowledgment: Some(100), ..segment(199) };
        for _ in 0..limits::TIME_WAIT * 3 {
            assert!(matches!(
                table.input(&flow(1), &fin, None, Instant::from_micros(5)),
                Some(TimeWaitResponse::Acknowledge(_))
            ));
        }
        assert!(table.expiry_queue.len() <= 2 * 2 + limits::TIMERS + 1);
        table.expire(Instant::ZERO.after(TIME_WAIT * 3));
        table.expire(Instant::ZERO.after(TIME_WAIT * 3));
        assert_eq!((table.flows(0..table.places()).count(), table.expiry_queue.len()), (0, 0));
    }
}
