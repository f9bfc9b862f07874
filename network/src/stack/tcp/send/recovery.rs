//! Loss detection, recovery, and undoing spurious reductions.
//!
//! With SACK a segment is lost when one that was sent sufficiently later has been delivered (RACK,
//! RFC 8985). RACK uses time instead of counting, so it also finds lost retransmissions, and
//! reordering only delays it. Without SACK three duplicate ACKs mark the first segment lost (RFC
//! 6582).

use core::time::Duration;

use super::Sender;
use super::scoreboard::Sent;
use crate::platform::Instant;
use crate::stack::tcp::congestion::Controller;
use crate::stack::tcp::segment::{before, later};
use crate::stack::tcp::timestamps;

/// DupThresh: duplicate ACKs that signal loss (RFC 5681 §3.2, RFC 6675 §2).
const DUP_THRESH: u32 = 3;
/// RACK.reo_wnd_persist: recoveries without a DSACK after which RACK.reo_wnd_mult returns to one
/// (RFC 8985 §6.2).
const REO_WND_PERSIST: u8 = 16;

/// The recovery state (Linux' tcp_ca_state).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum RecoveryState {
    /// No loss.
    Open,
    /// Fast recovery: lost segments are retransmitted (RFC 6675).
    Recovery,
    /// RTO recovery: the timer expired, and everything that was in flight and is not SACKed is
    /// retransmitted.
    Loss,
}

/// The state of RACK (RFC 8985 §5.2).
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Rack {
    /// RACK.xmit_ts and RACK.end_seq: the send time and the end of RACK.segment, the delivered
    /// segment that was sent last; and RACK.rtt: its round trip.
    xmit_ts: Instant,
    end_seq: u32,
    rtt: Duration,
    /// RACK.fack: the highest sequence number that was delivered.
    fack: u32,
    /// RACK.reordering_seen: a segment was delivered after a later one.
    has_reordering: bool,
    /// RACK.reo_wnd_mult: RACK.reo_wnd in quarters of RACK.min_RTT.
    reo_wnd_mult: u8,
    /// RACK.reo_wnd_persist: recoveries until RACK.reo_wnd_mult returns to one.
    reo_wnd_persist: u8,
    /// RACK.dsack_round: RACK.reo_wnd_mult grows at most once per round trip.
    dsack_round: u32,
}

impl Rack {
    /// Sequence numbers begin at `first`.
    pub(super) const fn begin(&mut self, first: u32) {
        (self.end_seq, self.fack, self.dsack_round, self.reo_wnd_mult) = (first, first, first, 1);
    }

    /// RACK.reordering_seen.
    pub(super) const fn has_reordering(&self) -> bool {
        self.has_reordering
    }

    /// Updates RACK for a delivered segment: RACK_update() and RACK_detect_reordering() (RFC 8985
    /// §6.2, steps 2 and 3).
    pub(super) fn update(&mut self, sent: &Sent, now: Instant, min_rtt: Duration) {
        if before(sent.end_seq, self.fack) && sent.was_sent_once() && !sent.is_lost {
            self.has_reordering = true;
        }
        self.fack = later(self.fack, sent.end_seq);
        let rtt = now.since(sent.xmit_ts);
        // The acknowledgment may be of the original transmission.
        if !sent.was_sent_once() && rtt < min_rtt {
            return;
        }
        // RACK_sent_after().
        let is_later = sent.xmit_ts == self.xmit_ts && before(self.end_seq, sent.end_seq);
        if is_later || sent.xmit_ts > self.xmit_ts {
            (self.xmit_ts, self.end_seq, self.rtt) = (sent.xmit_ts, sent.end_seq, rtt);
        }
    }

    /// A DSACK reports a spurious retransmission: RACK.reo_wnd grows (RACK_update_reo_wnd()).
    pub(super) fn on_dsack(&mut self, snd_una: u32, snd_nxt: u32) {
        self.has_reordering = true;
        if !before(snd_una, self.dsack_round) {
            self.reo_wnd_mult = self.reo_wnd_mult.saturating_add(1).min(64);
            self.dsack_round = snd_nxt;
        }
        self.reo_wnd_persist = REO_WND_PERSIST;
    }

    fn on_recovered(&mut self) {
        self.reo_wnd_persist = self.reo_wnd_persist.saturating_sub(1);
        if self.reo_wnd_persist == 0 {
            self.reo_wnd_mult = 1;
        }
    }
}

/// The state of proportional rate reduction (RFC 9937).
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct ProportionalRateReduction {
    /// pipe + sndcnt.
    cwnd: u32,
    /// prr_delivered: bytes delivered in this recovery.
    prr_delivered: u32,
    /// prr_out: bytes sent in this recovery.
    prr_out: u32,
    /// RecoverFS: the data that was not delivered when recovery began.
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

    /// Computes sndcnt and cwnd. `must_retransmit`: the segment that was just marked lost leaves at
    /// once.
    fn on_ack(
        &mut self,
        delivered: u32,
        (pipe, ssthresh, mss): (u32, u32, u32),
        is_progress: bool,
        must_retransmit: bool,
    ) {
        self.prr_delivered = self.prr_delivered.saturating_add(delivered);
        let sndcnt = if pipe > ssthresh {
            let proportional = (u64::from(self.prr_delivered) * u64::from(ssthresh))
                .div_ceil(u64::from(self.recover_fs));
            u32::try_from(proportional).unwrap_or(u32::MAX).saturating_sub(self.prr_out)
        } else {
            // The conservative reduction bound (PRR-CRB): as much as arrives leaves. The slow start
            // reduction bound (PRR-SSRB) adds a segment while recovery makes progress.
            let conserved = self.prr_delivered.saturating_sub(self.prr_out).max(delivered);
            let limit = if is_progress { conserved + mss } else { conserved };
            (ssthresh - pipe).min(limit)
        };
        // The first retransmission leaves at once, whatever PRR allows.
        let minimum = if self.prr_out == 0 || must_retransmit { mss } else { 0 };
        self.cwnd = pipe + sndcnt.max(minimum);
    }
}

/// What undoing a spurious reduction needs.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Undo {
    /// There is a reduction to undo.
    is_possible: bool,
    /// Retransmissions of this recovery that no DSACK has reported as spurious (Linux'
    /// undo_retrans).
    undo_retrans: u32,
    /// This recovery retransmitted something.
    has_retransmitted: bool,
    /// The tick of our timestamps at the first retransmission of this recovery (RetransmitTS of RFC
    /// 3522).
    retransmit_ts: u32,
    /// F-RTO (RFC 5682): the RTO expired, and it may still prove spurious.
    is_frto_pending: bool,
}

impl Undo {
    pub(super) const fn retransmitted(&mut self, now: Instant) {
        if !self.has_retransmitted {
            self.retransmit_ts = timestamps::tick(now);
        }
        self.undo_retrans = self.undo_retrans.saturating_add(1);
        self.has_retransmitted = true;
    }

    pub(super) const fn spurious(&mut self) {
        self.undo_retrans = self.undo_retrans.saturating_sub(1);
    }

    const fn begin(is_timeout: bool) -> Self {
        Self {
            is_possible: true,
            undo_retrans: 0,
            has_retransmitted: false,
            retransmit_ts: 0,
            is_frto_pending: is_timeout,
        }
    }

    /// The Eifel detection algorithm (RFC 3522): what the peer echoes left before the first
    /// retransmission, so that an original arrived.
    pub(super) const fn is_before(&self, echo: u32) -> bool {
        self.is_possible && self.has_retransmitted && before(echo, self.retransmit_ts)
    }

    const fn is_all_spurious(&self) -> bool {
        self.is_possible && self.has_retransmitted && self.undo_retrans == 0
    }
}

impl Sender {
    /// RACK_detect_loss_and_arm_timer() (RFC 8985 §6.2, step 5); returns the bytes newly marked
    /// lost.
    pub(super) fn detect_loss(&mut self, now: Instant) -> u32 {
        self.timers.reordering_at = Instant::NEVER;
        if !self.has_sack || self.scoreboard.is_empty() {
            return 0;
        }
        let rack = self.rack;
        let reo_wnd = self.reo_wnd();
        let mut next: Option<Instant> = None;
        let lost = self.scoreboard.mark_lost(|sent| {
            let is_later = sent.xmit_ts > rack.xmit_ts
                || (sent.xmit_ts == rack.xmit_ts && !before(sent.end_seq, rack.end_seq));
            if is_later {
                // Segments that were sent once are in the order of their send times.
                return if sent.was_sent_once() { None } else { Some(false) };
            }
            let lost_at = sent.xmit_ts.after(rack.rtt).after(reo_wnd);
            if lost_at <= now {
                return Some(true);
            }
            next = Some(next.map_or(lost_at, |at| at.min(lost_at)));
            Some(false)
        });
        self.timers.reordering_at = next.unwrap_or(Instant::NEVER);
        lost
    }

    /// RACK.reo_wnd: how long a segment may be reordered (RACK_update_reo_wnd(), RFC 8985 §6.2,
    /// step 4).
    fn reo_wnd(&self) -> Duration {
        let is_strict = self.recovery_state != RecoveryState::Open
            || self.scoreboard.sacked() >= DUP_THRESH * self.mss;
        if !self.rack.has_reordering && is_strict {
            return Duration::ZERO;
        }
        let min_rtt = self.rtt.min_rtt();
        (min_rtt * u32::from(self.rack.reo_wnd_mult) / 4).min(self.rtt.srtt())
    }

    /// Without SACK: processes a duplicate ACK, or a partial acknowledgment of `delivered` bytes
    /// (RFC 6582 §3.2). Returns the bytes newly marked lost.
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
            // A partial acknowledgment: the next segment is lost too. The segments that duplicate
            // ACKs counted are behind the hole that was filled.
            let is_partial = self.recovery_state == RecoveryState::Recovery
                && before(self.snd_una, self.recover);
            let counted = delivered.div_ceil(self.mss.max(1)).saturating_sub(1);
            self.duplicate_acks =
                if is_partial { self.duplicate_acks.saturating_sub(counted) } else { 0 };
            return if is_partial { self.scoreboard.mark_first_lost() } else { 0 };
        }
        if !is_duplicate_ack {
            return 0;
        }
        self.duplicate_acks += 1;
        // Retransmissions cause duplicate ACKs too, which must not start another recovery (RFC 6582
        // §3.2 step 2).
        let may_begin =
            self.recovery_state == RecoveryState::Open && !before(self.snd_una, self.recover);
        if self.duplicate_acks >= DUP_THRESH && may_begin && self.scoreboard.lost() == 0 {
            self.scoreboard.mark_first_lost()
        } else {
            0
        }
    }

    /// Begins fast recovery, once per window of data.
    /// `delivered`: what the acknowledgment that began it delivered.
    pub(super) fn begin_recovery(&mut self, now: Instant, pipe_before: u32, delivered: u32) {
        if self.recovery_state != RecoveryState::Open {
            return;
        }
        self.recovery_state = RecoveryState::Recovery;
        self.recover = self.snd_nxt;
        self.undo = Undo::begin(false);
        self.counters.recoveries += 1;
        self.congestion.on_congestion(now, pipe_before);
        let outstanding = self.snd_nxt.wrapping_sub(self.snd_una);
        let recover_fs = outstanding.saturating_sub(self.scoreboard.sacked()) + delivered;
        self.prr.begin(recover_fs, self.pipe(), self.mss);
        self.timers.pto_at = Instant::NEVER;
        // Recovery replaces the tail loss probe.
        self.tail_loss_probe = None;
    }

    /// The retransmission timer expired (RFC 6298 §5.4). Everything that is not SACKed counts as
    /// lost (RFC 6675 §5.1), where RACK_mark_losses_on_RTO() spares what left a moment ago.
    pub(super) fn begin_loss(&mut self, now: Instant) {
        let pipe = self.pipe();
        let is_first = self.recovery_state != RecoveryState::Loss;
        self.scoreboard.mark_all_lost();
        self.duplicate_acks = 0;
        if is_first || !before(self.snd_una, self.recover) {
            // A timeout during fast recovery is more likely genuine: F-RTO applies only to the
            // first one.
            self.undo = Undo::begin(self.recovery_state == RecoveryState::Open);
        }
        self.recover = self.snd_nxt;
        self.recovery_state = RecoveryState::Loss;
        self.tail_loss_probe = None;
        self.congestion.on_timeout(now, pipe);
    }

    /// Ends recovery, because it is complete or because it was spurious. `original_sent_at`: an
    /// original transmission that the RTO had marked lost was delivered without a retransmission,
    /// so the RTO was spurious (F-RTO, RFC 5682, as Linux does with SACK); it is the send time of
    /// that transmission. `is_original`: the peer echoes an original transmission (RFC 3522).
    pub(super) fn end_recovery(
        &mut self,
        now: Instant,
        original_sent_at: Option<Instant>,
        is_progress: bool,
        is_original: bool,
    ) {
        if self.recovery_state == RecoveryState::Open && !self.undo.is_possible {
            return;
        }
        let may_be_spurious = self.recovery_state == RecoveryState::Loss
            && self.undo.is_frto_pending
            && self.undo.is_possible;
        let spurious_sent_at = original_sent_at.filter(|_| may_be_spurious);
        if let Some(xmit_ts) = spurious_sent_at {
            // Adapts the RTO to the delay (RFC 4015 §3.2 forgets earlier samples; a single late
            // packet of a short path would inflate its RTO then). Without this sample the next RTO
            // would be spurious too: the retransmission hides it from Karn's algorithm.
            self.rtt.sample(now.since(xmit_ts));
        }
        // The last DSACK often arrives after recovery.
        if spurious_sent_at.is_some() || self.undo.is_all_spurious() || is_original {
            if self.recovery_state != RecoveryState::Open {
                self.scoreboard.unmark_lost();
                self.recovery_state = RecoveryState::Open;
                (self.timers.backoff, self.timers.expirations) = (0, 0);
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
            self.rack.on_recovered();
            self.congestion.on_recovered(now);
        }
    }

    /// Updates cwnd by proportional rate reduction during recovery.
    pub(super) fn reduce_proportionally(&mut self, delivered: u32, lost: u32, is_progress: bool) {
        if self.recovery_state == RecoveryState::Recovery {
            let (pipe, ssthresh, mss) = (self.pipe(), self.congestion.ssthresh(), self.mss);
            // Without SACK each partial acknowledgment reveals one hole and lets its retransmission
            // leave (RFC 6582 §3.2 step 3).
            let must_retransmit = !self.has_sack && lost > 0;
            let is_progress = is_progress && lost == 0;
            self.prr.on_ack(delivered, (pipe, ssthresh, mss), is_progress, must_retransmit);
        }
    }
}
