//! What counts as lost, how the window is approached meanwhile, and how to take back what was done
//! for nothing.
//!
//! With SACK a segment is lost when one that left clearly later has arrived (RACK, RFC 8985): time,
//! not counting, so it also finds lost repetitions, and reordering only delays it. Without SACK
//! three duplicate acknowledgments say that the first one is (RFC 6582).

use core::time::Duration;

use super::Sender;
use super::flight::Sent;
use crate::platform::Instant;
use crate::stack::tcp::congestion::Controller;
use crate::stack::tcp::segment::{before, later};

/// Duplicate acknowledgments that mean loss (RFC 5681 §3.2).
const DUPLICATES: u32 = 3;
/// Rounds without a needless repetition after which less reordering is expected again (RFC 8985
/// §6.2).
const PERSISTENCE: u8 = 16;

/// What a connection does about loss.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Phase {
    /// Nothing is missing.
    Open,
    /// Lost segments are sent again (RFC 6675).
    Recovery,
    /// The timer expired; everything under way then is sent again unless the peer has it.
    Loss,
}

/// What arrived of what was sent last (RFC 8985 §5.2).
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Rack {
    /// When the newest segment left that arrived, and its end.
    sent_at: Instant,
    end: u32,
    round_trip: Duration,
    /// The furthest number that arrived.
    furthest: u32,
    /// A segment arrived after a later one.
    is_reordered: bool,
    /// Quarters of the least round trip that reordering is waited for.
    quarters: u8,
    /// Recoveries until `quarters` goes back to one.
    persistence: u8,
    /// When it last grew, by number: at most once per round.
    grown_at: u32,
}

impl Rack {
    /// Numbers begin at `first`.
    pub(super) const fn begin(&mut self, first: u32) {
        (self.end, self.furthest, self.grown_at, self.quarters) = (first, first, first, 1);
    }

    /// True when segments were seen to overtake each other.
    pub(super) const fn is_reordered(&self) -> bool {
        self.is_reordered
    }

    /// A segment arrived. `least` is the least round trip.
    pub(super) fn arrived(&mut self, sent: &Sent, now: Instant, least: Duration) {
        if before(sent.end, self.furthest) && sent.is_original() && !sent.is_lost {
            self.is_reordered = true;
        }
        self.furthest = later(self.furthest, sent.end);
        let round_trip = now.since(sent.sent_at);
        // The acknowledgment may be of the first transmission.
        if !sent.is_original() && round_trip < least {
            return;
        }
        let is_later = sent.sent_at == self.sent_at && before(self.end, sent.end);
        if is_later || sent.sent_at > self.sent_at {
            (self.sent_at, self.end, self.round_trip) = (sent.sent_at, sent.end, round_trip);
        }
    }

    /// The peer told of a repetition that was needless: wait longer for what is late.
    pub(super) fn was_needless(&mut self, unacknowledged: u32, next: u32) {
        self.is_reordered = true;
        if !before(unacknowledged, self.grown_at) {
            self.quarters = self.quarters.saturating_add(1).min(64);
            self.grown_at = next;
        }
        self.persistence = PERSISTENCE;
    }

    fn recovered(&mut self) {
        self.persistence = self.persistence.saturating_sub(1);
        if self.persistence == 0 {
            self.quarters = 1;
        }
    }
}

/// Proportional rate reduction (RFC 6937).
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Reduction {
    window: u32,
    delivered: u32,
    sent: u32,
    /// Bytes under way when recovery began.
    flight: u32,
}

impl Reduction {
    pub(super) const fn window(&self) -> u32 {
        self.window
    }

    fn begin(&mut self, flight: u32, pipe: u32, segment: u32) {
        *self = Self { window: pipe + segment, delivered: 0, sent: 0, flight: flight.max(1) };
    }

    pub(super) const fn left(&mut self, bytes: u32) {
        self.sent = self.sent.saturating_add(bytes);
    }

    /// `must_repeat`: what was just found lost leaves at once.
    fn acknowledged(
        &mut self,
        delivered: u32,
        (pipe, threshold, segment): (u32, u32, u32),
        is_progress: bool,
        must_repeat: bool,
    ) {
        self.delivered = self.delivered.saturating_add(delivered);
        let allowed = if pipe > threshold {
            let share =
                (u64::from(self.delivered) * u64::from(threshold)).div_ceil(u64::from(self.flight));
            u32::try_from(share).unwrap_or(u32::MAX).saturating_sub(self.sent)
        } else {
            let ahead = self.delivered.saturating_sub(self.sent);
            // Slow start's part of the reduction bound only while recovery gets on (RFC 6937bis).
            let limit = if is_progress { ahead.max(delivered) + segment } else { ahead };
            (threshold - pipe).min(limit)
        };
        // The first repetition leaves at once, whatever share is due to it (RFC 6937 §3).
        let least = if self.sent == 0 || must_repeat { segment } else { 0 };
        self.window = pipe + allowed.max(least);
    }
}

/// What is needed to take a reduction back.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Undo {
    /// There is something to take back.
    is_possible: bool,
    /// Segments that were sent again in this episode and not told to be needless.
    again: u32,
    /// Segments were sent again in this episode at all.
    has_repeated: bool,
    /// The timer expired, and nothing shows yet whether it was right (RFC 5682).
    is_timeout_open: bool,
}

impl Undo {
    pub(super) const fn repeated(&mut self) {
        self.again = self.again.saturating_add(1);
        self.has_repeated = true;
    }

    pub(super) const fn needless(&mut self) {
        self.again = self.again.saturating_sub(1);
    }

    const fn begin(is_timeout: bool) -> Self {
        Self { is_possible: true, again: 0, has_repeated: false, is_timeout_open: is_timeout }
    }

    const fn is_all_needless(&self) -> bool {
        self.is_possible && self.has_repeated && self.again == 0
    }
}

impl Sender {
    /// Looks for segments that must be lost by now (RFC 8985 §6.2); tells how many bytes.
    pub(super) fn detect(&mut self, now: Instant) -> u32 {
        self.timers.reorder_at = Instant::NEVER;
        if !self.has_sack || self.flight.is_empty() {
            return 0;
        }
        let rack = self.rack;
        let window = self.reordering_window();
        let mut next: Option<Instant> = None;
        let lost = self.flight.lose(|sent| {
            let is_later = sent.sent_at > rack.sent_at
                || (sent.sent_at == rack.sent_at && !before(sent.end, rack.end));
            if is_later {
                // Segments that were sent once stand in the order in which they left.
                return if sent.is_original() { None } else { Some(false) };
            }
            let lost_at = sent.sent_at.after(rack.round_trip).after(window);
            if lost_at <= now {
                return Some(true);
            }
            next = Some(next.map_or(lost_at, |at| at.min(lost_at)));
            Some(false)
        });
        self.timers.reorder_at = next.unwrap_or(Instant::NEVER);
        lost
    }

    /// How long a segment may be late (RFC 8985 §6.2).
    fn reordering_window(&self) -> Duration {
        let is_certain =
            self.phase != Phase::Open || self.flight.ahead() >= DUPLICATES * self.segment;
        if !self.rack.is_reordered && is_certain {
            return Duration::ZERO;
        }
        let least = self.round_trip.least();
        (least * u32::from(self.rack.quarters) / 4).min(self.round_trip.smoothed())
    }

    /// Without SACK: counts a duplicate acknowledgment, or what a partial one of `delivered` bytes
    /// says (RFC 6582 §3.2).
    pub(super) fn count_repeat(
        &mut self,
        is_repeat: bool,
        is_progress: bool,
        delivered: u32,
    ) -> u32 {
        if self.has_sack {
            return 0;
        }
        if is_progress {
            // A partial acknowledgment: the next one is missing too. What duplicates told of begins
            // behind the hole that was filled.
            let is_partial =
                self.phase == Phase::Recovery && before(self.unacknowledged, self.recover);
            let told = delivered.div_ceil(self.segment.max(1)).saturating_sub(1);
            self.repeats = if is_partial { self.repeats.saturating_sub(told) } else { 0 };
            return if is_partial { self.flight.lose_first() } else { 0 };
        }
        if !is_repeat {
            return 0;
        }
        self.repeats += 1;
        // Not again for what repetitions cause (RFC 6582 §3.2 step 2).
        let may_begin = self.phase == Phase::Open && !before(self.unacknowledged, self.recover);
        if self.repeats >= DUPLICATES && may_begin && self.flight.lost() == 0 {
            self.flight.lose_first()
        } else {
            0
        }
    }

    /// Begins recovery, once for everything that is under way now.
    pub(super) fn begin_recovery(&mut self, now: Instant, pipe_before: u32) {
        if self.phase != Phase::Open {
            return;
        }
        self.phase = Phase::Recovery;
        self.recover = self.next;
        self.undo = Undo::begin(false);
        self.counts.recoveries += 1;
        self.congestion.congested(now, pipe_before);
        let flight = self.next.wrapping_sub(self.unacknowledged);
        self.reduction.begin(flight, self.pipe(), self.segment);
        self.timers.probe_at = Instant::NEVER;
        // This episode is what becomes of the tail.
        self.probe = None;
    }

    /// The retransmission timer expired.
    pub(super) fn begin_loss(&mut self, now: Instant) {
        let pipe = self.pipe();
        let is_first = self.phase != Phase::Loss;
        self.flight.lose_all();
        self.repeats = 0;
        if is_first || !before(self.unacknowledged, self.recover) {
            // A timeout in the middle of recovery may be right about what it repeats: only the
            // first is doubted.
            self.undo = Undo::begin(self.phase == Phase::Open);
        }
        self.recover = self.next;
        self.phase = Phase::Loss;
        self.probe = None;
        self.congestion.timed_out(now, pipe);
    }

    /// Ends an episode, well or because it was for nothing. `original_at`: something arrived that
    /// the timer had taken for lost and nobody had sent again, so the timer was wrong (RFC 5682, as
    /// Linux does with SACK); it left then.
    pub(super) fn end_episode(
        &mut self,
        now: Instant,
        original_at: Option<Instant>,
        is_progress: bool,
    ) {
        let is_doubted =
            self.phase == Phase::Loss && self.undo.is_timeout_open && self.undo.is_possible;
        let early = original_at.filter(|_| is_doubted);
        if let Some(sent_at) = early {
            // Without this the timer would be as wrong the next time, for what it repeated hides
            // the sample (RFC 4015 §3.2, which forgets the samples before; one late packet of a
            // short path would cost it its timer then).
            self.round_trip.sample(now.since(sent_at));
        }
        // The last word on a needless repetition often comes after the episode.
        if early.is_some() || self.undo.is_all_needless() {
            if self.phase != Phase::Open {
                self.flight.find_again();
                self.phase = Phase::Open;
                self.timers.backoff = 0;
            }
            self.congestion.undo(now);
            self.undo = Undo::default();
            self.counts.undone += 1;
            return;
        }
        if self.phase == Phase::Open {
            return;
        }
        if is_progress {
            self.undo.is_timeout_open = false;
        }
        if !before(self.unacknowledged, self.recover) {
            self.phase = Phase::Open;
            self.repeats = 0;
            self.rack.recovered();
            self.congestion.recovered(now);
        }
    }

    /// Follows proportional rate reduction while data is repaired.
    pub(super) fn reduce(&mut self, delivered: u32, lost: u32, is_progress: bool) {
        if self.phase == Phase::Recovery {
            let (pipe, threshold, segment) =
                (self.pipe(), self.congestion.threshold(), self.segment);
            // Without SACK each hole is found by an acknowledgment of its own, and is what that one
            // lets leave (RFC 6582 §3.2 step 3).
            let must_repeat = !self.has_sack && lost > 0;
            let is_progress = is_progress && lost == 0;
            self.reduction.acknowledged(
                delivered,
                (pipe, threshold, segment),
                is_progress,
                must_repeat,
            );
        }
    }
}
