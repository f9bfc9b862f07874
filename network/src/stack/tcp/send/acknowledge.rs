//! What an acknowledgment means: what it delivers, what it shows to be lost, what it allows.

use core::time::Duration;

use super::Sender;
use super::flight::Sent;
use super::recovery::Phase;
use crate::platform::Instant;
use crate::stack::tcp::congestion::{Acknowledgment, Controller, RateSample};
use crate::stack::tcp::segment::{Blocks, Segment, before};

/// What followed from an acknowledgment.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct Acknowledged {
    /// Something that was sent is acknowledged in order.
    pub(crate) is_progress: bool,
    /// The peer has our FIN.
    pub(crate) is_ended: bool,
}

/// What one acknowledgment delivered.
#[derive(Default)]
struct Harvest {
    /// The one that left last.
    newest: Option<Sent>,
    /// When the last of those left that left once and were under way when the last episode of loss
    /// began.
    original_at: Option<Instant>,
}

impl Harvest {
    fn add(&mut self, sent: &Sent, recover: u32) {
        if self.newest.is_none_or(|newest| newest.sent_at <= sent.sent_at) {
            self.newest = Some(*sent);
        }
        if sent.is_original() && !before(recover, sent.end) {
            self.original_at = self.original_at.max(Some(sent.sent_at));
        }
    }
}

impl Sender {
    /// Takes the acknowledgment, the window and the blocks of a segment that passed the gate: its
    /// number is one that was sent.
    pub(crate) fn acknowledge(
        &mut self,
        segment: &Segment,
        acknowledged: u32,
        blocks: &Blocks,
        now: Instant,
    ) -> Acknowledged {
        let edge_before = self.allowance.edge;
        if !before(acknowledged, self.unacknowledged) {
            self.allowance.follow(segment, acknowledged);
        }
        let pipe_before = self.pipe();
        let is_progress = before(self.unacknowledged, acknowledged);
        let is_repeat = !is_progress
            && acknowledged == self.unacknowledged
            && segment.length == 0
            && !segment.fin
            && self.allowance.edge == edge_before;
        let needless = if self.has_sack { self.find_needless(acknowledged, blocks) } else { false };
        if !is_progress && self.flight.is_empty() {
            // The word on a needless repetition may be all that is left to say.
            self.judge_probe(acknowledged, needless || (is_repeat && blocks.is_empty()), now);
            self.end_episode(now, None, false);
            return Acknowledged::default();
        }
        let delivered_before = self.flight.delivered();
        let harvest = self.harvest(acknowledged, blocks, now);
        // A connection delivers less than 4 GiB with one segment.
        let delivered = (self.flight.delivered() - delivered_before) as u32;
        let is_ended = is_progress && self.advance(acknowledged);
        let (round_trip, rate) = self.measure(&harvest, now);

        let known_before = self.repeats.saturating_mul(self.segment);
        let mut lost = self.count_repeat(is_repeat, is_progress, delivered);
        // Without SACK a duplicate says that a segment arrived, and what it said is not news when
        // it is acknowledged (RFC 6937 §2).
        let news = delivered
            .saturating_add(self.repeats.saturating_mul(self.segment))
            .saturating_sub(known_before);
        self.judge_probe(acknowledged, needless || (is_repeat && blocks.is_empty()), now);
        self.end_episode(now, harvest.original_at, is_progress);
        if self.has_sack {
            lost += self.detect(now);
        }
        if lost > 0 {
            self.begin_recovery(now, pipe_before);
        }
        self.reduce(news, lost, is_progress);
        self.follow_echo(segment, now, pipe_before);

        let is_round = !before(acknowledged, self.round_end) && is_progress;
        if is_round {
            self.round_end = self.next;
        }
        if delivered > 0 || lost > 0 {
            let window = self.congestion.window();
            let is_slow_start = window < self.congestion.threshold();
            // Half of the window suffices while it doubles, as Linux has it (RFC 7661 §4.4).
            let used = if is_slow_start {
                pipe_before.saturating_mul(2)
            } else {
                pipe_before + 4 * self.segment
            };
            self.congestion.acknowledged(&Acknowledgment {
                now,
                delivered,
                in_flight_before: pipe_before,
                in_flight: self.pipe(),
                round_trip,
                smoothed_round_trip: self.round_trip.smoothed(),
                least_round_trip: self.round_trip.least(),
                is_round,
                // What arrives out of order lets no window grow, unless the path is known to do
                // that (RFC 5681 §3.2, as Linux).
                is_window_limited: used >= window && (is_progress || self.rack.is_reordered()),
                is_recovering: self.phase == Phase::Recovery,
                rate,
                lost,
            });
            self.grow();
        }
        self.rearm(now, is_progress);
        Acknowledged { is_progress, is_ended }
    }

    /// True when the first block says that something came twice (RFC 2883 §4).
    fn find_needless(&mut self, acknowledged: u32, blocks: &Blocks) -> bool {
        let is_inside = |inner: (u32, u32), outer: (u32, u32)| {
            !before(inner.0, outer.0) && !before(outer.1, inner.1)
        };
        let is_needless = match blocks.as_slice() {
            [first, ..] if !before(acknowledged, first.1) => true,
            [first, second, ..] => is_inside(*first, *second),
            _ => false,
        };
        if is_needless {
            self.counts.duplicates += 1;
            self.undo.needless();
            self.rack.was_needless(self.unacknowledged, self.next);
        }
        is_needless
    }

    fn harvest(&mut self, acknowledged: u32, blocks: &Blocks, now: Instant) -> Harvest {
        let mut harvest = Harvest::default();
        let least = self.round_trip.least();
        let Self { flight, rack, recover, .. } = self;
        let mut news = |sent: &Sent| {
            harvest.add(sent, *recover);
            rack.arrived(sent, now, least);
        };
        flight.acknowledge(acknowledged, &mut news);
        if self.has_sack {
            let sent =
                |block: &&(u32, u32)| !before(block.0, acknowledged) && !before(self.next, block.1);
            // The newest stands first in the option, not the lowest: that alone is no sign of
            // reordering.
            for block in blocks.in_order_from(acknowledged).as_slice().iter().filter(sent) {
                flight.deliver(*block, &mut news);
            }
        }
        harvest
    }

    /// Lets go of what is acknowledged in order; true when that is all and the end.
    fn advance(&mut self, acknowledged: u32) -> bool {
        let count = acknowledged.wrapping_sub(self.unacknowledged) as usize;
        // More than all data: the number of the FIN comes after it.
        self.is_ended |= count > self.buffer.len();
        let data = count.min(self.buffer.len());
        self.buffer.drain(..data);
        self.counts.acknowledged += data as u64;
        self.unacknowledged = acknowledged;
        self.timers.backoff = 0;
        self.is_ended
    }

    fn measure(
        &mut self,
        harvest: &Harvest,
        now: Instant,
    ) -> (Option<Duration>, Option<RateSample>) {
        let Some(newest) = &harvest.newest else { return (None, None) };
        // What left twice is ambiguous (Karn).
        let round_trip = newest.is_original().then(|| now.since(newest.sent_at));
        if let Some(sample) = round_trip {
            self.round_trip.sample(sample);
        }
        (round_trip, self.flight.sample(newest, now))
    }

    /// A probe that repeated the tail hides its loss, unless the peer says that it came twice. An
    /// acknowledgment of just the tail may be of its first transmission; only a later one says that
    /// there was no second (RFC 8985 §7.4.2).
    fn judge_probe(&mut self, acknowledged: u32, is_needless: bool, now: Instant) {
        let Some((end, was_repeated)) = self.probe else { return };
        let is_over =
            if was_repeated { before(end, acknowledged) } else { !before(acknowledged, end) };
        if is_needless {
            self.probe = None;
        } else if is_over {
            self.probe = None;
            if was_repeated && self.phase == Phase::Open {
                self.congestion.congested(now, self.pipe());
                self.congestion.recovered(now);
            }
        }
    }

    /// The peer met a congestion mark: the window shrinks once in a round trip (RFC 3168 §6.1.2).
    fn follow_echo(&mut self, segment: &Segment, now: Instant, pipe_before: u32) {
        if !self.has_marks || !segment.echo || before(self.unacknowledged, self.marked_until) {
            return;
        }
        self.marked_until = self.next;
        self.must_tell_reduction = true;
        if self.phase == Phase::Open {
            self.congestion.congested(now, pipe_before);
            self.congestion.recovered(now);
        }
    }
}
