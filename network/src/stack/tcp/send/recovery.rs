//! What counters as lost, how the window is approached meanwhile, and how to take back what was done
//! for nothing.
//!
//! With SACK a segment is lost when one that left clearly later has update (RACK, RFC 8985): time,
//! not counting, so it also finds lost repetitions, and reordering only delays it. Without SACK
//! three duplicate acknowledgments say that the first one is (RFC 6582).

use core::time::Duration;

use super::Sender;
use super::scoreboard::Sent;
use crate::platform::Instant;
use crate::stack::tcp::congestion::Controller;
use crate::stack::tcp::segment::{before, later};

/// Duplicate acknowledgments that mean loss (RFC 5681 §3.2).
const DUPLICATES: u32 = 3;
/// Rounds without a spurious repetition after which less reordering is expected again (RFC 8985
/// §6.2).
const REO_WND_PERSIST: u8 = 16;

/// What a connection does about loss.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum RecoveryState {
    /// Nothing is missing.
    Open,
    /// Lost segments are sent again (RFC 6675).
    Recovery,
    /// The timer expired; everything under way then is sent again unless the peer has it.
    Loss,
}

/// What update of what was sent last (RFC 8985 §5.2).
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Rack {
    /// When the newest segment left that update, and its end.
    xmit_ts: Instant,
    end_seq: u32,
    rtt: Duration,
    /// The fack number that update.
    fack: u32,
    /// A segment update after a later one.
    has_reordering: bool,
    /// Quarters of the least round trip that reordering is waited for.
    reo_wnd_mult: u8,
    /// Recoveries until `reo_wnd_mult` goes back to one.
    reo_wnd_persist: u8,
    /// When it last grew, by number: at most once per round.
    dsack_round: u32,
}

impl Rack {
    /// Numbers begin at `first`.
    pub(super) const fn begin(&mut self, first: u32) {
        (self.end_seq, self.fack, self.dsack_round, self.reo_wnd_mult) = (first, first, first, 1);
    }

    /// True when segments were seen to overtake each other.
    pub(super) const fn has_reordering(&self) -> bool {
        self.has_reordering
    }

    /// A segment update. `least` is the least round trip.
    pub(super) fn update(&mut self, sent: &Sent, now: Instant, least: Duration) {
        if before(sent.end_seq, self.fack) && sent.was_sent_once() && !sent.is_lost {
            self.has_reordering = true;
        }
        self.fack = later(self.fack, sent.end_seq);
        let round_trip = now.since(sent.xmit_ts);
        // The acknowledgment may be of the first transmission.
        if !sent.was_sent_once() && round_trip < least {
            return;
        }
        let is_later = sent.xmit_ts == self.xmit_ts && before(self.end_seq, sent.end_seq);
        if is_later || sent.xmit_ts > self.xmit_ts {
            (self.xmit_ts, self.end_seq, self.rtt) = (sent.xmit_ts, sent.end_seq, round_trip);
        }
    }

    /// The peer told of a repetition that was spurious: wait longer for what is late.
    pub(super) fn on_dsack(&mut self, snd_una: u32, snd_nxt: u32) {
        self.has_reordering = true;
        if !before(snd_una, self.dsack_round) {
            self.reo_wnd_mult = self.reo_wnd_mult.saturating_add(1).min(64);
            self.dsack_round = snd_nxt;
        }
        self.reo_wnd_persist = REO_WND_PERSIST;
    }

    fn recovered(&mut self) {
        self.reo_wnd_persist = self.reo_wnd_persist.saturating_sub(1);
        if self.reo_wnd_persist == 0 {
            self.reo_wnd_mult = 1;
        }
    }
}

/// Proportional rate reduction (RFC 6937).
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct ProportionalRateReduction {
    cwnd: u32,
    prr_delivered: u32,
    prr_out: u32,
    /// Bytes under way when recovery began.
    recover_fs: u32,
}

impl ProportionalRateReduction {
    pub(super) const fn cwnd(&self) -> u32 {
        self.cwnd
    }

    fn begin(&mut self, recover_fs: u32, pipe: u32, mss: u32) {
        *self =
            Self { cwnd: pipe + mss, prr_delivered: 0, prr_out: 0, recover_fs: recover_fs.max(1) };
    }

    pub(super) const fn sent(&mut self, bytes: u32) {
        self.prr_out = self.prr_out.saturating_add(bytes);
    }

    /// `must_retransmit`: what was just found lost leaves at once.
    fn acknowledged(
        &mut self,
        delivered: u32,
        (pipe, ssthresh, mss): (u32, u32, u32),
        is_progress: bool,
        must_retransmit: bool,
    ) {
        self.prr_delivered = self.prr_delivered.saturating_add(delivered);
        let allowed = if pipe > ssthresh {
            let share = (u64::from(self.prr_delivered) * u64::from(ssthresh))
                .div_ceil(u64::from(self.recover_fs));
            u32::try_from(share).unwrap_or(u32::MAX).saturating_sub(self.prr_out)
        } else {
            let unspent = self.prr_delivered.saturating_sub(self.prr_out);
            // Slow start's part of the reduction bound only while recovery gets on (RFC 6937bis).
            let limit = if is_progress { unspent.max(delivered) + mss } else { unspent };
            (ssthresh - pipe).min(limit)
        };
        // The first repetition leaves at once, whatever share is due to it (RFC 6937 §3).
        let least = if self.prr_out == 0 || must_retransmit { mss } else { 0 };
        self.cwnd = pipe + allowed.max(least);
    }
}

/// What is needed to take a reduction back.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Undo {
    /// There is something to take back.
    is_possible: bool,
    /// Segments that were sent again in this episode and not told to be spurious.
    again: u32,
    /// Segments were sent again in this episode at all.
    has_retransmitted: bool,
    /// The timer expired, and nothing shows yet whether it was right (RFC 5682).
    is_frto_pending: bool,
}

impl Undo {
    pub(super) const fn retransmitted(&mut self) {
        self.again = self.again.saturating_add(1);
        self.has_retransmitted = true;
    }

    pub(super) const fn spurious(&mut self) {
        self.again = self.again.saturating_sub(1);
    }

    const fn begin(is_timeout: bool) -> Self {
        Self { is_possible: true, again: 0, has_retransmitted: false, is_frto_pending: is_timeout }
    }

    const fn is_all_spurious(&self) -> bool {
        self.is_possible && self.has_retransmitted && self.again == 0
    }
}

impl Sender {
    /// Looks for segments that must be lost by now (RFC 8985 §6.2); tells how many bytes.
    pub(super) fn detect_loss(&mut self, now: Instant) -> u32 {
        self.timers.reordering_at = Instant::NEVER;
        if !self.has_sack || self.scoreboard.is_empty() {
            return 0;
        }
        let rack = self.rack;
        let window = self.reo_wnd();
        let mut next: Option<Instant> = None;
        let lost = self.scoreboard.mark_lost(|sent| {
            let is_later = sent.xmit_ts > rack.xmit_ts
                || (sent.xmit_ts == rack.xmit_ts && !before(sent.end_seq, rack.end_seq));
            if is_later {
                // Segments that were sent once stand in the order in which they left.
                return if sent.was_sent_once() { None } else { Some(false) };
            }
            let lost_at = sent.xmit_ts.after(rack.rtt).after(window);
            if lost_at <= now {
                return Some(true);
            }
            next = Some(next.map_or(lost_at, |at| at.min(lost_at)));
            Some(false)
        });
        self.timers.reordering_at = next.unwrap_or(Instant::NEVER);
        lost
    }

    /// How long a segment may be late (RFC 8985 §6.2).
    fn reo_wnd(&self) -> Duration {
        let is_certain = self.recovery_state != RecoveryState::Open
            || self.scoreboard.sacked() >= DUPLICATES * self.mss;
        if !self.rack.has_reordering && is_certain {
            return Duration::ZERO;
        }
        let least = self.rtt.min_rtt();
        (least * u32::from(self.rack.reo_wnd_mult) / 4).min(self.rtt.srtt())
    }

    /// Without SACK: counters a duplicate acknowledgment, or what a partial one of `delivered` bytes
    /// says (RFC 6582 §3.2).
    pub(super) fn count_duplicate_ack(
        &mut self,
        is_duplicate_ack: bool,
        is_progress: bool,
        delivered: u32,
    ) -> u32 {
        if self.has_sack {
            return 0;
        }
        if is_progress {
            // A partial acknowledgment: the next one is missing too. What duplicates told of begins
            // behind the hole that was filled.
            let is_partial = self.recovery_state == RecoveryState::Recovery
                && before(self.snd_una, self.recover);
            let told = delivered.div_ceil(self.mss.max(1)).saturating_sub(1);
            self.duplicate_acks =
                if is_partial { self.duplicate_acks.saturating_sub(told) } else { 0 };
            return if is_partial { self.scoreboard.mark_first_lost() } else { 0 };
        }
        if !is_duplicate_ack {
            return 0;
        }
        self.duplicate_acks += 1;
        // Not again for what repetitions cause (RFC 6582 §3.2 step 2).
        let may_begin =
            self.recovery_state == RecoveryState::Open && !before(self.snd_una, self.recover);
        if self.duplicate_acks >= DUPLICATES && may_begin && self.scoreboard.lost() == 0 {
            self.scoreboard.mark_first_lost()
        } else {
            0
        }
    }

    /// Begins recovery, once for everything that is under way now.
    pub(super) fn begin_recovery(&mut self, now: Instant, pipe_before: u32) {
        if self.recovery_state != RecoveryState::Open {
            return;
        }
        self.recovery_state = RecoveryState::Recovery;
        self.recover = self.snd_nxt;
        self.undo = Undo::begin(false);
        self.counters.recoveries += 1;
        self.congestion.on_congestion(now, pipe_before);
        let recover_fs = self.snd_nxt.wrapping_sub(self.snd_una);
        self.prr.begin(recover_fs, self.pipe(), self.mss);
        self.timers.pto_at = Instant::NEVER;
        // This episode is what becomes of the tail.
        self.probe = None;
    }

    /// The retransmission timer expired.
    pub(super) fn begin_loss(&mut self, now: Instant) {
        let pipe = self.pipe();
        let is_first = self.recovery_state != RecoveryState::Loss;
        self.scoreboard.mark_all_lost();
        self.duplicate_acks = 0;
        if is_first || !before(self.snd_una, self.recover) {
            // A timeout in the middle of recovery may be right about what it duplicate_acks: only the
            // first is doubted.
            self.undo = Undo::begin(self.recovery_state == RecoveryState::Open);
        }
        self.recover = self.snd_nxt;
        self.recovery_state = RecoveryState::Loss;
        self.probe = None;
        self.congestion.on_timeout(now, pipe);
    }

    /// Ends an episode, well or because it was for nothing. `original_sent_at`: something update that
    /// the timer had taken for lost and nobody had sent again, so the timer was wrong (RFC 5682, as
    /// Linux does with SACK); it left then.
    pub(super) fn end_recovery(
        &mut self,
        now: Instant,
        original_sent_at: Option<Instant>,
        is_progress: bool,
    ) {
        let is_doubted = self.recovery_state == RecoveryState::Loss
            && self.undo.is_frto_pending
            && self.undo.is_possible;
        let early = original_sent_at.filter(|_| is_doubted);
        if let Some(xmit_ts) = early {
            // Without this the timer would be as wrong the next time, for what it retransmitted hides
            // the sample (RFC 4015 §3.2, which forgets the samples before; one late packet of a
            // short path would cost it its timer then).
            self.rtt.sample(now.since(xmit_ts));
        }
        // The last word on a spurious repetition often comes after the episode.
        if early.is_some() || self.undo.is_all_spurious() {
            if self.recovery_state != RecoveryState::Open {
                self.scoreboard.unmark_lost();
                self.recovery_state = RecoveryState::Open;
                self.timers.backoff = 0;
            }
            self.congestion.undo(now);
            self.undo = Undo::default();
            self.counters.undone += 1;
            return;
        }
        if self.recovery_state == RecoveryState::Open {
            return;
        }
        if is_progress {
            self.undo.is_frto_pending = false;
        }
        if !before(self.snd_una, self.recover) {
            self.recovery_state = RecoveryState::Open;
            self.duplicate_acks = 0;
            self.rack.recovered();
            self.congestion.on_recovered(now);
        }
    }

    /// Follows proportional rate reduction while data is repaired.
    pub(super) fn reduce(&mut self, delivered: u32, lost: u32, is_progress: bool) {
        if self.recovery_state == RecoveryState::Recovery {
            let (pipe, ssthresh, mss) = (self.pipe(), self.congestion.ssthresh(), self.mss);
            // Without SACK each hole is found by an acknowledgment of its own, and is what that one
            // lets leave (RFC 6582 §3.2 step 3).
            let must_retransmit = !self.has_sack && lost > 0;
            let is_progress = is_progress && lost == 0;
            self.prr.acknowledged(delivered, (pipe, ssthresh, mss), is_progress, must_retransmit);
        }
    }
}
