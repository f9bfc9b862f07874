//! What the controllers that count a window have in common: slow start, what a reduction starts
//! from, timeouts, idle times, pacing.
//!
//! [`cubic`](super::cubic) and [`new_reno`](super::new_reno) add by how much a window shrinks, and
//! how it grows in congestion avoidance.

use core::time::Duration;

use super::slow_start::SlowStart;
use super::{Acknowledgment, LARGEST_WINDOW, UNLIMITED, initial_window, micros, per_second};

/// A congestion window. Copied, it is what a needless reduction is taken back to.
#[derive(Clone, Copy, Debug)]
pub(super) struct Window {
    bytes: u32,
    ssthresh: u32,
    mss: u32,
    slow_start: SlowStart,
    /// The window held the sender back when it was last seen outside of a repair.
    is_limited: bool,
    /// A timeout reduced it, and what was lost is not repaired yet.
    is_timed_out: bool,
}

impl Default for Window {
    fn default() -> Self {
        Self {
            bytes: 0,
            ssthresh: UNLIMITED,
            mss: 0,
            slow_start: SlowStart::new(),
            is_limited: false,
            is_timed_out: false,
        }
    }
}

impl Window {
    pub(super) fn bytes(&self) -> u32 {
        self.bytes
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

    /// The first call opens the window (RFC 6928); a later one only sees to it that a segment fits.
    pub(super) fn set_mss(&mut self, mss: u32) {
        let is_first = self.mss == 0;
        self.mss = mss.clamp(1, 0xffff);
        self.bytes = if is_first { initial_window(self.mss) } else { self.bytes.max(self.mss) };
    }

    /// Does slow start. True when the acknowledgment counts for congestion avoidance.
    ///
    /// While loss is repaired the window stands at the ssthresh and stays there. Below it, it
    /// stands then only after a timeout, and grows (RFC 5681 §3.1): otherwise a repair would go on
    /// with one segment in each round trip.
    pub(super) fn on_ack(&mut self, acknowledgment: &Acknowledgment) -> bool {
        if !acknowledgment.is_recovering {
            // The pipe of a repair is below its window on purpose.
            self.is_limited = acknowledgment.is_window_limited;
        }
        if self.bytes >= self.ssthresh {
            return acknowledgment.is_window_limited && !acknowledgment.is_recovering;
        }
        let growth = self.slow_start.growth(acknowledgment);
        if acknowledgment.is_window_limited {
            self.set(self.bytes.saturating_add(growth).min(self.ssthresh));
        }
        if self.ssthresh == UNLIMITED && self.slow_start.is_over() {
            self.ssthresh = self.bytes;
        }
        false
    }

    /// Congestion avoidance found this.
    pub(super) fn set(&mut self, bytes: u32) {
        self.bytes = bytes.clamp(self.mss, LARGEST_WINDOW);
    }

    /// The window as it was really used. One that the program did not fill proves nothing about the
    /// path, except that what every connection may begin with is no offence (RFC 5681 §3.1 and RFC
    /// 9438 §4.6 take what is under way, which would punish small answers).
    pub(super) fn used(&self, in_flight: u32) -> u32 {
        if self.is_limited {
            self.bytes
        } else {
            self.bytes.min(in_flight.max(initial_window(self.mss)))
        }
    }

    /// Loss or a mark: goes on with `ssthresh`.
    pub(super) fn reduce(&mut self, ssthresh: u32) {
        self.ssthresh = ssthresh.max(2 * self.mss);
        self.set(self.ssthresh);
        self.slow_start.end();
        self.is_timed_out = false;
    }

    /// Timeout: starts again with one segment. With a ssthresh only for the first one until the
    /// loss is repaired (RFC 5681 §3.1).
    pub(super) fn collapse(&mut self, ssthresh: u32) {
        if !self.is_timed_out {
            self.reduce(ssthresh);
            self.is_timed_out = true;
        }
        self.bytes = self.mss;
    }

    pub(super) fn on_recovered(&mut self) {
        self.is_timed_out = false;
    }

    /// Takes the last reduction back.
    pub(super) fn undo(&mut self, before: &Self) {
        self.bytes = self.bytes.max(before.bytes);
        self.ssthresh = before.ssthresh;
        self.slow_start = before.slow_start;
        self.is_timed_out = false;
    }

    /// Halves the window for each timeout that passed without anything under way, down to the
    /// initial one, and remembers in the ssthresh what it was (RFC 2861 §2). False when the idle
    /// time was too short for that.
    pub(super) fn on_idle_restart(&mut self, idle: Duration, timeout: Duration) -> bool {
        if idle <= timeout {
            return false;
        }
        let halvings = (micros(idle) / micros(timeout).max(1)).min(31) as u32;
        let least = self.bytes.min(initial_window(self.mss));
        self.ssthresh = self.ssthresh.max(self.bytes - self.bytes / 4);
        self.bytes = (self.bytes >> halvings).max(least);
        true
    }

    /// Twice the window in a round trip while it doubles, so that pacing is not what holds it back;
    /// a fifth more than the window later.
    pub(super) fn pacing_rate(&self, srtt: Duration) -> u64 {
        let rate = per_second(self.bytes, srtt).max(1);
        if rate == u64::MAX {
            return rate;
        }
        if self.bytes < self.ssthresh / 2 { rate * 2 } else { rate + rate / 5 }
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
        window.set(segments * MSS);
        window
    }

    #[test]
    fn slow_start_counts_bytes_and_stops_at_the_threshold() {
        let mut window = window(4, 20);
        assert!(!window.on_ack(&acknowledgment(Instant::ZERO, 6 * MSS + 1, ROUND_TRIP)));
        assert_eq!(window.bytes(), 10 * MSS + 1);
        assert!(!window.on_ack(&acknowledgment(Instant::ZERO, 50 * MSS, ROUND_TRIP)));
        assert_eq!(window.bytes(), 20 * MSS);
        assert!(window.on_ack(&acknowledgment(Instant::ZERO, MSS, ROUND_TRIP)));
    }

    #[test]
    fn a_window_that_is_not_used_does_not_grow() {
        let mut window = window(4, 20);
        let mut idle = acknowledgment(Instant::ZERO, MSS, ROUND_TRIP);
        idle.is_window_limited = false;
        assert!(!window.on_ack(&idle));
        assert_eq!(window.bytes(), 4 * MSS);
        window.set(20 * MSS);
        assert!(!window.on_ack(&idle));
    }

    #[test]
    fn an_unused_window_is_reduced_from_what_was_under_way() {
        let mut window = window(100, 20);
        assert_eq!(window.used(30 * MSS), 30 * MSS);
        assert_eq!(window.used(MSS), initial_window(MSS));
        window.on_ack(&acknowledgment(Instant::ZERO, MSS, ROUND_TRIP));
        assert_eq!(window.used(MSS), 100 * MSS);
    }

    #[test]
    fn repeated_timeouts_keep_the_threshold_of_the_first_and_the_repair_slow_starts() {
        let mut window = window(40, 20);
        window.collapse(28 * MSS);
        assert_eq!((window.bytes(), window.ssthresh()), (MSS, 28 * MSS));
        let mut repair = acknowledgment(Instant::ZERO, MSS, ROUND_TRIP);
        repair.is_recovering = true;
        window.on_ack(&repair);
        assert_eq!(window.bytes(), 2 * MSS);
        window.collapse(2 * MSS);
        assert_eq!((window.bytes(), window.ssthresh()), (MSS, 28 * MSS));
        window.on_recovered();
        window.collapse(2 * MSS);
        assert_eq!(window.ssthresh(), 2 * MSS);
    }

    #[test]
    fn an_idle_time_halves_it_once_for_each_timeout() {
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
            assert_eq!((window.bytes(), window.ssthresh()), (expected, 75 * MSS), "{idle}");
        }
        let mut short = window(100, 40);
        assert!(!short.on_idle_restart(timeout, timeout));
        assert_eq!((short.bytes(), short.ssthresh()), (full, 40 * MSS));
        let mut small = window(3, 40);
        assert!(small.on_idle_restart(Duration::from_secs(9), timeout));
        assert_eq!((small.bytes(), small.ssthresh()), (3 * MSS, 40 * MSS));
    }

    #[test]
    fn pacing_leaves_room_for_growth() {
        let second = Duration::from_secs(1);
        assert_eq!(window(10, 40).pacing_rate(second), u64::from(20 * MSS));
        assert_eq!(window(40, 40).pacing_rate(second), u64::from(48 * MSS));
        assert_eq!(window(40, 40).pacing_rate(Duration::ZERO), u64::MAX);
        // 64 MiB each 50 µs.
        let mut large = window(1, 1);
        large.set(64 << 20);
        assert_eq!(large.pacing_rate(Duration::from_micros(50)), (64 << 20) * 20_000 * 6 / 5);
    }

    #[test]
    fn slow_start_that_ends_by_itself_sets_the_threshold() {
        let mut window = Window::default();
        window.set_mss(MSS);
        for number in 0..100_u32 {
            let round_trip = if number < 10 { ROUND_TRIP } else { ROUND_TRIP * 2 };
            let mut acknowledgment = acknowledgment(Instant::ZERO, MSS, round_trip);
            acknowledgment.is_round = number % 10 == 9;
            window.on_ack(&acknowledgment);
        }
        // Eighteen fast acknowledgments: the last of them is the eighth with the longer round trip.
        // Then 42 of a quarter.
        let grown = 18 * MSS + 42 * (MSS / 4);
        assert_eq!(
            (window.bytes(), window.ssthresh()),
            (initial_window(MSS) + grown, window.bytes())
        );
    }
}
