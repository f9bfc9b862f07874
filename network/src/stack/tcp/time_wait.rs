//! TIME-WAIT outside of every polled table (RFC 9293 §3.6): a few numbers for 60 s instead of a socket with buffers.
//!
//! Bounded by [`limits::TIME_WAIT`]; when full, the oldest tuple ends early. A repeated FIN is answered and starts the time anew; anything
//! else does not prolong it (RFC 1337). A newer SYN opens the tuple again at once.

use alloc::collections::VecDeque;
use core::time::Duration;

use foldhash::fast::FixedState;
use hashbrown::HashMap;

use super::Flow;
use super::segment::{Segment, before};
use crate::limits;
use crate::platform::Instant;

/// How long a tuple rests.
const TIME_WAIT: Duration = Duration::from_secs(60);

/// The numbers of a closed connection.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Rest {
    pub(crate) send_next: u32,
    pub(crate) receive_next: u32,
    pub(crate) window: u16,
    until: Instant,
}

/// What to do with a segment for a resting tuple.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Reaction {
    /// Say where we are.
    Acknowledge(Rest),
    /// It opens a new connection: the tuple is free again.
    Reopen,
    /// Nothing.
    Ignore,
}

/// The table.
#[derive(Debug)]
pub(crate) struct TimeWait {
    tuples: HashMap<Flow, Rest, FixedState>,
    /// Every tuple once, by age; one that was restarted takes its new place when its former time comes.
    order: VecDeque<(Instant, Flow)>,
}

impl TimeWait {
    pub(crate) fn new(seed: u64) -> Self {
        Self { tuples: HashMap::with_hasher(FixedState::with_seed(seed)), order: VecDeque::new() }
    }

    /// Lets a tuple rest.
    pub(crate) fn insert(&mut self, flow: Flow, send_next: u32, receive_next: u32, window: u16, now: Instant) {
        while self.tuples.len() >= limits::TIME_WAIT {
            let Some((_, oldest)) = self.order.pop_front() else { break };
            self.tuples.remove(&oldest);
        }
        let until = now.after(TIME_WAIT);
        if self.tuples.insert(flow, Rest { send_next, receive_next, window, until }).is_none() {
            self.order.push_back((until, flow));
        }
    }

    pub(crate) fn contains(&self, flow: &Flow) -> bool {
        self.tuples.contains_key(flow)
    }

    /// Decides about a segment; `None` when the tuple does not rest.
    pub(crate) fn input(&mut self, flow: &Flow, segment: &Segment, now: Instant) -> Option<Reaction> {
        let rest = self.tuples.get_mut(flow)?;
        if segment.rst {
            return Some(Reaction::Ignore);
        }
        if segment.syn && segment.acknowledgment.is_none() && before(rest.receive_next, segment.sequence) {
            self.tuples.remove(flow);
            // Rare enough to be searched for; otherwise the tuple's next rest would stand in the order twice.
            self.order.retain(|(_, known)| known != flow);
            return Some(Reaction::Reopen);
        }
        let rest = if segment.fin && segment.end() == rest.receive_next {
            rest.until = now.after(TIME_WAIT);
            *rest
        } else {
            *rest
        };
        let is_repeat = segment.syn || segment.fin || segment.length > 0;
        Some(if is_repeat { Reaction::Acknowledge(rest) } else { Reaction::Ignore })
    }

    /// Ends what rested long enough.
    pub(crate) fn expire(&mut self, now: Instant) {
        while let Some((until, flow)) = self.order.front().copied().filter(|(until, _)| *until <= now) {
            self.order.pop_front();
            match self.tuples.get(&flow).map(|rest| rest.until) {
                Some(later) if later > until => self.order.push_back((later, flow)),
                _ => drop(self.tuples.remove(&flow)),
            }
        }
    }

    /// When [`expire`](Self::expire) has something to do.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        self.order.front().map(|(until, _)| *until)
    }

    pub(crate) fn flows(&self) -> impl Iterator<Item = &Flow> {
        self.tuples.keys()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use core::net::SocketAddr;

    fn flow(port: u16) -> Flow {
        Flow { local: SocketAddr::from(([10, 0, 0, 1], 80)), remote: SocketAddr::from(([10, 0, 0, 2], port)) }
    }

    fn segment(sequence: u32) -> Segment {
        Segment { sequence, acknowledgment: None, syn: false, fin: false, rst: false, window: 0, length: 0 }
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
            Some(Reaction::Reopen)
        );
        assert_eq!(table.input(&flow(1), &segment(1), Instant::ZERO), None);
    }

    #[test]
    fn the_table_is_bounded_and_the_oldest_goes() {
        let mut table = TimeWait::new(1);
        for number in 0..limits::TIME_WAIT as u32 + 5 {
            let mut tuple = flow((number & 0xffff) as u16);
            tuple.local.set_port((number >> 16) as u16 + 1);
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
            assert!(matches!(table.input(&flow(1), &fin, Instant::from_micros(5)), Some(Reaction::Acknowledge(_))));
        }
        assert_eq!(table.order.len(), 2);
        table.expire(Instant::ZERO.after(TIME_WAIT * 3));
        table.expire(Instant::ZERO.after(TIME_WAIT * 3));
        assert_eq!((table.flows().count(), table.order.len()), (0, 0));
    }
}
