//! The timers of the sending direction: retransmission (RFC 6298), late segments and tail loss (RFC
//! 8985), persist (RFC 9293 §3.8.6.1).
//!
//! Each is a moment; the connection's one entry in the stack's heap stands for the earliest.

use core::time::Duration;

use super::Sender;
use super::recovery::RecoveryState;
use crate::platform::Instant;
use crate::stack::tcp::congestion::Controller;

/// What the peer's delayed acknowledgment may cost when only one segment is under way. Linux takes
/// 200 ms; most peers delay 40 ms at most.
const DELAYED: Duration = Duration::from_millis(50);
/// What processing may cost (RFC 8985 §7.2).
const SLACK: Duration = Duration::from_millis(2);
/// Timeouts in a row after which segments may be too long for the path (RFC 4821 §7.7, RFC 8899
/// §4.2).
const BLACK_HOLE: u8 = 2;
/// Waits in vain that are still told apart.
const BACKOFF_MAXIMUM: u8 = 16;

#[derive(Clone, Copy, Debug)]
pub(super) struct Timers {
    pub(super) rto_at: Instant,
    /// When a segment that is late counters as lost.
    pub(super) reordering_at: Instant,
    /// When the tail is asked about.
    pub(super) pto_at: Instant,
    /// When a closed window is asked about.
    pub(super) persist_at: Instant,
    /// When the next segment may leave.
    pub(super) pace_at: Instant,
    /// Waits in vain since progress.
    pub(super) backoff: u8,
    /// Windows that stayed closed.
    pub(super) persist_backoff: u8,
    /// The next segment is a probe: it leaves whatever the windows say.
    pub(super) must_send_probe: bool,
    /// A window too small to be worth it is used all the same.
    pub(super) must_override_sws: bool,
}

impl Default for Timers {
    fn default() -> Self {
        Self {
            rto_at: Instant::NEVER,
            reordering_at: Instant::NEVER,
            pto_at: Instant::NEVER,
            persist_at: Instant::NEVER,
            pace_at: Instant::NEVER,
            backoff: 0,
            persist_backoff: 0,
            must_send_probe: false,
            must_override_sws: false,
        }
    }
}

/// What the stack has to do because a moment came.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct Expired {
    /// Ask the peer for its window: a segment without data before it.
    pub(crate) window_probe: bool,
    /// Nothing that is longer than usual gets through.
    pub(crate) is_black_hole: bool,
}

impl Sender {
    /// The next moment at which something has to be done.
    pub(crate) fn deadline(&self) -> Instant {
        let Timers { rto_at, reordering_at, pto_at, persist_at, pace_at, .. } = self.timers;
        rto_at.min(reordering_at).min(pto_at).min(persist_at).min(pace_at)
    }

    /// Does what is due. [`plan`](Self::plan) must follow.
    pub(crate) fn expire(&mut self, now: Instant) -> Expired {
        let mut expired = Expired::default();
        if self.timers.pace_at <= now {
            self.timers.pace_at = Instant::NEVER;
        }
        if self.timers.reordering_at <= now {
            let pipe = self.pipe();
            if self.detect_loss(now) > 0 {
                self.begin_recovery(now, pipe);
            }
        }
        if self.timers.rto_at <= now {
            self.timers.rto_at = Instant::NEVER;
            let is_timeout = self.time_out(now);
            // A peer that closed its window over what is under way refuses it, whatever its length.
            let may_arrive = self.snd_wnd() > 0 && self.front_is_full();
            expired.is_black_hole = is_timeout && self.timers.backoff > BLACK_HOLE && may_arrive;
        } else if self.timers.pto_at <= now {
            self.timers.pto_at = Instant::NEVER;
            self.timers.must_send_probe = self.recovery_state != RecoveryState::Loss
                && self.probe.is_none()
                && !self.scoreboard.is_empty();
        }
        if self.timers.persist_at <= now {
            self.timers.persist_at = Instant::NEVER;
            self.timers.persist_backoff =
                self.timers.persist_backoff.saturating_add(1).min(BACKOFF_MAXIMUM);
            // A window that is open but small is used now (RFC 9293 §3.8.6.2.1).
            self.timers.must_override_sws = self.usable_window() > 0;
            expired.window_probe = self.usable_window() == 0;
            self.persist(now);
        }
        expired
    }

    fn front_is_full(&self) -> bool {
        self.scoreboard.front().is_some_and(|front| front.length() >= self.mss)
    }

    fn time_out(&mut self, now: Instant) -> bool {
        if self.scoreboard.is_empty() {
            return false;
        }
        self.begin_loss(now);
        self.timers.backoff = self.timers.backoff.saturating_add(1).min(BACKOFF_MAXIMUM);
        self.timers.pto_at = Instant::NEVER;
        self.counters.timeouts += 1;
        self.arm_retransmission(now);
        true
    }

    /// The window is closed, or too small: asks again later and later.
    pub(super) fn persist(&mut self, now: Instant) {
        if self.timers.persist_at == Instant::NEVER {
            self.timers.persist_at = now.after(self.rtt.rto(self.timers.persist_backoff));
        }
    }

    pub(super) fn arm_retransmission(&mut self, now: Instant) {
        self.timers.rto_at = now.after(self.rtt.rto(self.timers.backoff));
    }

    /// Sets the timers after an acknowledgment.
    pub(super) fn rearm(&mut self, now: Instant, is_progress: bool) {
        if self.usable_window() > 0 {
            (self.timers.persist_at, self.timers.persist_backoff) = (Instant::NEVER, 0);
        }
        if self.scoreboard.is_empty() {
            self.timers.rto_at = Instant::NEVER;
            self.timers.pto_at = Instant::NEVER;
        } else if is_progress {
            self.arm_retransmission(now);
            self.arm_probe(now);
        }
    }

    /// Sets the moment at which the tail is asked about (RFC 8985 §7.2), once per tail. Also while
    /// loss is repaired, which the RFC leaves to the timer: a repetition that was lost with
    /// everything behind it would cost 200 ms.
    pub(super) fn arm_probe(&mut self, now: Instant) {
        let may = self.has_sack
            && self.recovery_state != RecoveryState::Loss
            && self.probe.is_none()
            && (self.scoreboard.sacked() == 0 || self.recovery_state == RecoveryState::Recovery)
            && self.rtt.is_known();
        if !may {
            self.timers.pto_at = Instant::NEVER;
            return;
        }
        let wait = self.rtt.srtt() * 2 + SLACK;
        let wait = if self.scoreboard.len() == 1 { wait + DELAYED } else { wait };
        let pto_at = now.after(wait);
        // An earlier timeout does as well.
        self.timers.pto_at = if pto_at < self.timers.rto_at { pto_at } else { Instant::NEVER };
    }

    /// Lets the window shrink if nothing was under way for long (RFC 7661).
    pub(super) fn restart(&mut self, now: Instant) {
        if self.scoreboard.is_empty() {
            let (idle, timeout) = (now.since(self.last_sent_at), self.rtt.rto(0));
            if idle > timeout {
                self.congestion.on_idle_restart(now, idle, timeout);
            }
        }
    }
}
