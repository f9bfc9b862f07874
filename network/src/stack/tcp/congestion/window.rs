//! What the window-based controllers share: slow start, the base of a reduction, timeouts, idle
//! restart, pacing.
//!
//! [`cubic`](super::cubic) and [`new_reno`](super::new_reno) define how much the window shrinks,
//! and how it grows in congestion avoidance.

use core::time::Duration;

use super::slow_start::SlowStart;
use super::{Acknowledgment, LARGEST_WINDOW, UNLIMITED, initial_window, micros, per_second};

/// cwnd and ssthresh. A copy undoes a spurious reduction.
#[derive(Clone, Copy, Debug)]
pub(super) struct Window {
    /// cwnd: the congestion window in bytes.
    cwnd: u32,
    /// ssthresh: the slow start threshold in bytes.
    ssthresh: u32,
    mss: u32,
    slow_start: SlowStart,
    /// cwnd limited the sender at the last acknowledgment outside of recovery.
    was_cwnd_limited: bool,
    /// A timeout reduced cwnd, and recovery is not complete.
    is_timed_out: bool,
}

impl Default for Window {
    fn default() -> Self {
        Self {
            cwnd: 0,
            ssthresh: UNLIMITED,
            mss: 0,
            slow_start: SlowStart::new(),
            was_cwnd_limited: false,
            is_timed_out: false,
        }
    }
}

impl Window {
    pub(super) fn cwnd(&self) -> u32 {
        self.cwnd
    }

    pub(super) fn ssthresh(&self) -> u32 {
        self.ssthresh
    }

    pub(super) fn mss(&self) -> u32 {
        self.mss
    }

    pub(super) fn is_timed_out(&self) -> bool {
        self.is_timed_out
    }

    /// The first call sets the initial window (RFC 6928); later ones keep cwnd at a segment or
    /// more.
    pub(super) fn set_mss(&mut self, mss: u32) {
        let is_first = self.mss == 0;
        self.mss = mss.clamp(1, 0xffff);
        self.cwnd = if is_first { initial_window(self.mss) } else { self.cwnd.max(self.mss) };
    }

    pub(super) fn restrict_initial_window(&mut self) {
        self.cwnd = self.mss;
    }

    /// Runs slow start. Returns true when the acknowledgment counts for congestion avoidance.
    ///
    /// During recovery cwnd equals ssthresh and does not grow. It is below ssthresh then only after
    /// a timeout, and grows (RFC 5681 §3.1): otherwise recovery would send one segment per round
    /// trip.
    pub(super) fn on_ack(&mut self, acknowledgment: &Acknowledgment) -> bool {
        if !acknowledgment.is_recovering {
            // During recovery pipe is below cwnd on purpose.
            self.was_cwnd_limited = acknowledgment.is_window_limited;
        }
        if self.cwnd >= self.ssthresh {
            return acknowledgment.is_window_limited && !acknowledgment.is_recovering;
        }
        let growth = self.slow_start.growth(acknowledgment);
        if acknowledgment.is_window_limited {
            self.set_cwnd(self.cwnd.saturating_add(growth).min(self.ssthresh));
        }
        if self.ssthresh == UNLIMITED && self.slow_start.is_over() {
            self.ssthresh = self.cwnd;
        }
        false
    }

    /// Sets the cwnd that congestion avoidance computed.
    pub(super) fn set_cwnd(&mut self, cwnd: u32) {
        self.cwnd = cwnd.clamp(self.mss, LARGEST_WINDOW);
    }

    /// The window that the sender actually used. A window that the application did not fill proves
    /// nothing about the path, except that the initial window is always allowed (RFC 5681 §3.1 and
    /// RFC 9438 §4.6 use FlightSize, which would punish short responses).
    pub(super) fn used_cwnd(&self, in_flight: u32) -> u32 {
        if self.was_cwnd_limited {
            self.cwnd
        } else {
            self.cwnd.min(in_flight.max(initial_window(self.mss)))
        }
    }

    /// Loss or a congestion mark: continues with `ssthresh`.
    pub(super) fn reduce(&mut self, ssthresh: u32) {
        self.ssthresh = ssthresh.max(2 * self.mss);
        self.set_cwnd(self.ssthresh);
        self.slow_start.end();
        self.is_timed_out = false;
    }

    /// A timeout: restarts with one segment, the loss window (LW). Only the first timeout of a
    /// recovery sets ssthresh (RFC 5681 §3.1).
    pub(super) fn reduce_to_loss_window(&mut self, ssthresh: u32) {
        if !self.is_timed_out {
            self.reduce(ssthresh);
            self.is_timed_out = true;
        }
        self.cwnd = self.mss;
    }

    pub(super) fn on_recovered(&mut self) {
        self.is_timed_out = false;
    }

    /// Undoes the last reduction.
    pub(super) fn undo(&mut self, before: &Self) {
        self.cwnd = self.cwnd.max(before.cwnd);
        self.ssthresh = before.ssthresh;
        self.slow_start = before.slow_start;
        self.is_timed_out = false;
    }

    /// Halves cwnd for each RTO that passed without data in flight, down to the initial window, and
    /// keeps its former value in ssthresh (RFC 2861 §2). Returns false when the idle time is
    /// shorter than the RTO.
    pub(super) fn on_idle_restart(&mut self, idle: Duration, timeout: Duration) -> bool {
        if idle <= timeout {
            return false;
        }
        let halvings = (micros(idle) / micros(timeout).max(1)).min(31) as u32;
        let minimum = self.cwnd.min(initial_window(self.mss));
        self.ssthresh = self.ssthresh.max(self.cwnd - self.cwnd / 4);
        self.cwnd = (self.cwnd >> halvings).max(minimum);
        true
    }

    /// 2·cwnd/SRTT in slow start, so that pacing is not the limit, and 1.2·cwnd/SRTT afterwards.
    pub(super) fn pacing_rate(&self, srtt: Duration) -> u64 {
        let rate = per_second(self.cwnd, srtt).max(1);
        if rate == u64::MAX {
            return rate;
        }
        if self.cwnd < self.ssthresh / 2 { rate * 2 } else { rate + rate / 5 }
    }
}

#[cfg(test)]
mod tests {
    use super::super::test_transfer::{MSS, acknowledgment};
    use super::*;
    use crate::platform::Instant;

    const ROUND_TRIP: Duration = Duration::from_millis(10);

    fn window(segments: u32, ssthresh: u32) -> Window {
        let mut window = Window::default();
        window.set_mss(MSS);
        window.reduce(ssthresh * MSS);
        window.set_cwnd(segments * MSS);
        window
    }

    #[test]
    fn slow_start_counts_bytes_and_stops_at_ssthresh() {
        let mut window = window(4, 20);
        assert!(!window.on_ack(&acknowledgment(Instant::ZERO, 6 * MSS + 1, ROUND_TRIP)));
        assert_eq!(window.cwnd(), 10 * MSS + 1);
        assert!(!window.on_ack(&acknowledgment(Instant::ZERO, 50 * MSS, ROUND_TRIP)));
        assert_eq!(window.cwnd(), 20 * MSS);
        assert!(window.on_ack(&acknowledgment(Instant::ZERO, MSS, ROUND_TRIP)));
    }

    #[test]
    fn an_unused_window_does_not_grow() {
        let mut window = window(4, 20);
        let mut idle = acknowledgment(Instant::ZERO, MSS, ROUND_TRIP);
        idle.is_window_limited = false;
        assert!(!window.on_ack(&idle));
        assert_eq!(window.cwnd(), 4 * MSS);
        window.set_cwnd(20 * MSS);
        assert!(!window.on_ack(&idle));
    }

    #[test]
    fn an_unused_window_is_reduced_from_the_flight_size() {
        let mut window = window(100, 20);
        assert_eq!(window.used_cwnd(30 * MSS), 30 * MSS);
        assert_eq!(window.used_cwnd(MSS), initial_window(MSS));
        window.on_ack(&acknowledgment(Instant::ZERO, MSS, ROUND_TRIP));
        assert_eq!(window.used_cwnd(MSS), 100 * MSS);
    }

    #[test]
    fn repeated_timeouts_keep_the_first_ssthresh_and_recovery_slow_starts() {
        let mut window = window(40, 20);
        window.reduce_to_loss_window(28 * MSS);
        assert_eq!((window.cwnd(), window.ssthresh()), (MSS, 28 * MSS));
        let mut repair = acknowledgment(Instant::ZERO, MSS, ROUND_TRIP);
        repair.is_recovering = true;
        window.on_ack(&repair);
        assert_eq!(window.cwnd(), 2 * MSS);
        window.reduce_to_loss_window(2 * MSS);
        assert_eq!((window.cwnd(), window.ssthresh()), (MSS, 28 * MSS));
        window.on_recovered();
        window.reduce_to_loss_window(2 * MSS);
        assert_eq!(window.ssthresh(), 2 * MSS);
    }

    #[test]
    fn an_idle_period_halves_cwnd_once_per_rto() {
        let timeout = Duration::from_millis(200);
        let (full, initial) = (100 * MSS, initial_window(MSS));
        for (idle, expected) in [
            (201, full / 2),
            (400, full / 4),
            (600, full / 8),
            (800, initial),
            (86_400_000, initial),
        ] {
            let mut window = window(100, 40);
            assert!(window.on_idle_restart(Duration::from_millis(idle), timeout));
            assert_eq!((window.cwnd(), window.ssthresh()), (expected, 75 * MSS), "{idle}");
        }
        let mut short = window(100, 40);
        assert!(!short.on_idle_restart(timeout, timeout));
        assert_eq!((short.cwnd(), short.ssthresh()), (full, 40 * MSS));
        let mut small = window(3, 40);
        assert!(small.on_idle_restart(Duration::from_secs(9), timeout));
        assert_eq!((small.cwnd(), small.ssthresh()), (3 * MSS, 40 * MSS));
    }

    #[test]
    fn pacing_leaves_room_for_growth() {
        let second = Duration::from_secs(1);
        assert_eq!(window(10, 40).pacing_rate(second), u64::from(20 * MSS));
        assert_eq!(window(40, 40).pacing_rate(second), u64::from(48 * MSS));
        assert_eq!(window(40, 40).pacing_rate(Duration::ZERO), u64::MAX);
        // 64 MiB each 50 µs.
        let mut large = window(1, 1);
        large.set_cwnd(64 << 20);
        assert_eq!(large.pacing_rate(Duration::from_micros(50)), (64 << 20) * 20_000 * 6 / 5);
    }

    #[test]
    fn hystart_sets_ssthresh_when_slow_start_ends() {
        let mut window = Window::default();
        window.set_mss(MSS);
        for number in 0..100_u32 {
            let round_trip = if number < 10 { ROUND_TRIP } else { ROUND_TRIP * 2 };
            let mut acknowledgment = acknowledgment(Instant::ZERO, MSS, round_trip);
            acknowledgment.is_round = number % 10 == 9;
            window.on_ack(&acknowledgment);
        }
        // Eighteen acknowledgments of slow start: the last one is the eighth with the longer round
        // trip. Then 42 of CSS, which grow by a quarter.
        let grown = 18 * MSS + 42 * (MSS / 4);
        assert_eq!(
            (window.cwnd(), window.ssthresh()),
            (initial_window(MSS) + grown, window.cwnd())
        );
    }
}
