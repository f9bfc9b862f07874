//! The timers of the sending direction: RTO (RFC 6298), reordering and tail loss probe (RFC 8985),
//! persist (RFC 9293 §3.8.6.1), pacing.
//!
//! Each is a deadline; the connection's entry in the timer heap has the earliest.

use core::time::Duration;

use super::Sender;
use super::recovery::RecoveryState;
use crate::platform::Instant;
use crate::stack::tcp::congestion::Controller;

/// TLP.max_ack_delay: how long the peer may delay its ACK of the only segment in flight. Linux
/// takes 200 ms; most peers delay 40 ms at most.
const TLP_MAX_ACK_DELAY: Duration = Duration::from_millis(50);
/// The allowance for processing delay in the PTO (RFC 8985 §7.2).
const PROCESSING_ALLOWANCE: Duration = Duration::from_millis(2);
/// Consecutive RTOs after which a path MTU black hole is likely (RFC 4821 §7.7, RFC 8899 §4.2).
const BLACK_HOLE_TIMEOUTS: u8 = 2;
/// The largest backoff exponent that is counted.
const MAX_BACKOFF: u8 = 16;

#[derive(Clone, Copy, Debug)]
pub(super) struct Timers {
    /// The retransmission timer: when the RTO expires.
    pub(super) rto_at: Instant,
    /// RACK's reordering timer: when a segment that is late counts as lost.
    pub(super) reordering_at: Instant,
    /// PTO: when the tail loss probe leaves.
    pub(super) pto_at: Instant,
    /// The persist timer: when a zero-window probe leaves.
    pub(super) persist_at: Instant,
    /// The pacing timer: when the next segment may leave.
    pub(super) pace_at: Instant,
    /// When TCP_CORK holds a segment no longer.
    pub(super) cork_at: Instant,
    /// RTOs since the last sample of the round trip: the exponent of the RTO.
    pub(super) backoff: u8,
    /// Consecutive RTOs without progress.
    pub(super) expirations: u8,
    /// Consecutive zero-window probes.
    pub(super) persist_backoff: u8,
    /// A tail loss probe is due: it ignores the windows.
    pub(super) is_tlp_due: bool,
    /// The SWS override timeout expired: a small usable window is used.
    pub(super) must_override_sws: bool,
    /// TCP_CORK held a segment long enough.
    pub(super) must_override_cork: bool,
}

impl Default for Timers {
    fn default() -> Self {
        Self {
            rto_at: Instant::NEVER,
            reordering_at: Instant::NEVER,
            pto_at: Instant::NEVER,
            persist_at: Instant::NEVER,
            pace_at: Instant::NEVER,
            cork_at: Instant::NEVER,
            backoff: 0,
            expirations: 0,
            persist_backoff: 0,
            is_tlp_due: false,
            must_override_sws: false,
            must_override_cork: false,
        }
    }
}

/// What the stack has to do after a timer expired.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct Expired {
    /// Send a zero-window probe: a segment without data before the window.
    pub(crate) window_probe: bool,
    /// The path MTU is probably smaller than assumed.
    pub(crate) is_black_hole: bool,
}

impl Sender {
    /// The earliest deadline of its timers.
    pub(crate) fn deadline(&self) -> Instant {
        let Timers { rto_at, reordering_at, pto_at, persist_at, pace_at, cork_at, .. } =
            self.timers;
        rto_at.min(reordering_at).min(pto_at).min(persist_at).min(pace_at).min(cork_at)
    }

    /// Runs the expired timers. The caller then asks for [`plan`](Self::plan).
    pub(crate) fn expire(&mut self, now: Instant) -> Expired {
        let mut expired = Expired::default();
        if self.timers.pace_at <= now {
            self.timers.pace_at = Instant::NEVER;
        }
        if self.timers.cork_at <= now {
            (self.timers.cork_at, self.timers.must_override_cork) = (Instant::NEVER, true);
        }
        if self.timers.reordering_at <= now {
            let pipe = self.pipe();
            if self.detect_loss(now) > 0 {
                self.begin_recovery(now, pipe, 0);
            }
        }
        if self.timers.rto_at <= now {
            self.timers.rto_at = Instant::NEVER;
            let is_timeout = self.on_rto(now);
            // A peer that closed its window over data in flight drops it, whatever its length.
            let may_arrive = self.snd_wnd() > 0 && self.is_front_full();
            expired.is_black_hole =
                is_timeout && self.timers.expirations > BLACK_HOLE_TIMEOUTS && may_arrive;
        } else if self.timers.pto_at <= now {
            self.timers.pto_at = Instant::NEVER;
            self.timers.is_tlp_due = self.recovery_state != RecoveryState::Loss
                && self.tail_loss_probe.is_none()
                && !self.scoreboard.is_empty();
        }
        if self.timers.persist_at <= now {
            self.timers.persist_at = Instant::NEVER;
            self.timers.persist_backoff =
                self.timers.persist_backoff.saturating_add(1).min(MAX_BACKOFF);
            // A small usable window is used after the override timeout (RFC 9293 §3.8.6.2.1).
            self.timers.must_override_sws = self.usable_window() > 0;
            expired.window_probe = self.usable_window() == 0;
            self.arm_persist(now);
        }
        expired
    }

    fn is_front_full(&self) -> bool {
        self.scoreboard.front().is_some_and(|front| front.length() >= self.mss)
    }

    fn on_rto(&mut self, now: Instant) -> bool {
        if self.scoreboard.is_empty() {
            return false;
        }
        self.begin_loss(now);
        self.timers.backoff = self.timers.backoff.saturating_add(1).min(MAX_BACKOFF);
        self.timers.expirations = self.timers.expirations.saturating_add(1);
        self.timers.pto_at = Instant::NEVER;
        self.counters.timeouts += 1;
        self.arm_rto(now);
        true
    }

    /// Arms the persist timer with exponential backoff: the window is closed or too small.
    pub(super) fn arm_persist(&mut self, now: Instant) {
        if self.timers.persist_at == Instant::NEVER {
            self.timers.persist_at = now.after(self.rtt.rto(self.timers.persist_backoff));
        }
    }

    pub(super) fn arm_rto(&mut self, now: Instant) {
        self.timers.rto_at = now.after(self.rtt.rto(self.timers.backoff));
    }

    /// Rearms the timers after an acknowledgment.
    pub(super) fn rearm_timers(&mut self, now: Instant, is_progress: bool) {
        if self.usable_window() > 0 {
            (self.timers.persist_at, self.timers.persist_backoff) = (Instant::NEVER, 0);
        }
        if self.scoreboard.is_empty() {
            self.timers.rto_at = Instant::NEVER;
            self.timers.pto_at = Instant::NEVER;
        } else if is_progress {
            self.arm_rto(now);
            self.arm_pto(now);
        }
    }

    /// Arms the PTO (TLP_calc_PTO(), RFC 8985 §7.2), once per tail. It also runs during recovery,
    /// where the RFC relies on the RTO: a retransmission that is lost together with everything
    /// behind it would cost 200 ms.
    pub(super) fn arm_pto(&mut self, now: Instant) {
        let may = self.has_sack
            && self.recovery_state != RecoveryState::Loss
            && self.tail_loss_probe.is_none()
            && (self.scoreboard.sacked() == 0 || self.recovery_state == RecoveryState::Recovery)
            && self.rtt.is_known();
        if !may {
            self.timers.pto_at = Instant::NEVER;
            return;
        }
        let wait = self.rtt.srtt() * 2 + PROCESSING_ALLOWANCE;
        let wait = if self.scoreboard.len() == 1 { wait + TLP_MAX_ACK_DELAY } else { wait };
        let pto_at = now.after(wait);
        // An RTO that expires before the PTO replaces it.
        self.timers.pto_at = if pto_at < self.timers.rto_at { pto_at } else { Instant::NEVER };
    }

    /// Reduces cwnd after an idle period (RFC 7661).
    pub(super) fn restart_after_idle(&mut self, now: Instant) {
        if self.scoreboard.is_empty() {
            let timeout = self.rtt.rto(0);
            if self.last_sent_at.after(timeout) < now {
                let idle = now.since(self.last_sent_at);
                self.congestion.on_idle_restart(now, idle, timeout);
            }
        }
    }
}
