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
    threshold: u32,
    segment: u32,
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
            threshold: UNLIMITED,
            segment: 0,
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

    pub(super) fn threshold(&self) -> u32 {
        self.threshold
    }

    pub(super) fn segment(&self) -> u32 {
        self.segment
    }

    pub(super) fn is_timed_out(&self) -> bool {
        self.is_timed_out
    }

    /// The first call opens the window (RFC 6928); a later one only sees to it that a segment fits.
    pub(super) fn set_segment(&mut self, segment: u32) {
        let is_first = self.segment == 0;
        self.segment = segment.clamp(1, 0xffff);
        self.bytes =
            if is_first { initial_window(self.segment) } else { self.bytes.max(self.segment) };
    }

    /// Does slow start. True when the acknowledgment counts for congestion avoidance.
    ///
    /// While loss is repaired the window stands at the threshold and stays there. Below it, it
    /// stands then only after a timeout, and grows (RFC 5681 §3.1): otherwise a repair would go on
    /// with one segment in each round trip.
    pub(super) fn acknowledged(&mut self, acknowledgment: &Acknowledgment) -> bool {
        if !acknowledgment.is_recovering {
            // The pipe of a repair is below its window on purpose.
            self.is_limited = acknowledgment.is_window_limited;
        }
        if self.bytes >= self.threshold {
            return acknowledgment.is_window_limited && !acknowledgment.is_recovering;
        }
        let growth = self.slow_start.growth(acknowledgment);
        if acknowledgment.is_window_limited {
            self.set(self.bytes.saturating_add(growth).min(self.threshold));
        }
        if self.threshold == UNLIMITED && self.slow_start.is_over() {
            self.threshold = self.bytes;
        }
        false
    }

    /// Congestion avoidance found this.
    pub(super) fn set(&mut self, bytes: u32) {
        self.bytes = bytes.clamp(self.segment, LARGEST_WINDOW);
    }

    /// The window as it was really used. One that the program did not fill proves nothing about the
    /// path, except that what every connection may begin with is no offence (RFC 5681 §3.1 and RFC
    /// 9438 §4.6 take what is under way, which would punish small answers).
    pub(super) fn used(&self, in_flight: u32) -> u32 {
        if self.is_limited {
            self.bytes
        } else {
            self.bytes.min(in_flight.max(initial_window(self.segment)))
        }
    }

    /// Loss or a mark: goes on with `threshold`.
    pub(super) fn reduce(&mut self, threshold: u32) {
        self.threshold = threshold.max(2 * self.segment);
        self.set(self.threshold);
        self.slow_start.end();
        self.is_timed_out = false;
    }

    /// Timeout: starts again with one segment. With a threshold only for the first one until the
    /// loss is repaired (RFC 5681 §3.1).
    pub(super) fn collapse(&mut self, threshold: u32) {
        if !self.is_timed_out {
            self.reduce(threshold);
            self.is_timed_out = true;
        }
        self.bytes = self.segment;
    }

    pub(super) fn recovered(&mut self) {
        self.is_timed_out = false;
    }

    /// Takes the last reduction back.
    pub(super) fn undo(&mut self, before: &Self) {
        self.bytes = self.bytes.max(before.bytes);
        self.threshold = before.threshold;
        self.slow_start = before.slow_start;
        self.is_timed_out = false;
    }

    /// Halves the window for each timeout that passed without anything under way, down to the
    /// initial one, and remembers in the threshold what it was (RFC 2861 §2). False when the idle
    /// time was too short for that.
    pub(super) fn restarted(&mut self, idle: Duration, timeout: Duration) -> bool {
        if idle <= timeout {
            return false;
        }
        let halvings = (micros(idle) / micros(timeout).max(1)).min(31) as u32;
        let least = self.bytes.min(initial_window(self.segment));
        self.threshold = self.threshold.max(self.bytes - self.bytes / 4);
        self.bytes = (self.bytes >> halvings).max(least);
        true
    }

    /// Twice the window in a round trip while it doubles, so that pacing is not what holds it back;
    /// a fifth more than the window later.
    pub(super) fn pacing_rate(&self, smoothed_round_trip: Duration) -> u64 {
        let rate = per_second(self.bytes, smoothed_round_trip).max(1);
        if rate == u64::MAX {
            return rate;
        }
        if self.bytes < self.threshold / 2 { rate * 2 } else { rate + rate / 5 }
    }
}

#[cfg(test)]
mod tests {
    use super::super::test_transfer::{SEGMENT, acknowledgment};
    use super::*;
    use crate::platform::Instant;

    const ROUND_TRIP: Duration = Duration::from_millis(10);

    fn window(segments: u32, threshold: u32) -> Window {
        let mut window = Window::default();
        window.set_segment(SEGMENT);
        window.reduce(threshold * SEGMENT);
        window.set(segments * SEGMENT);
        window
    }

    #[test]
    fn slow_start_counts_bytes_and_stops_at_the_threshold() {
        let mut window = window(4, 20);
        assert!(!window.acknowledged(&acknowledgment(Instant::ZERO, 6 * SEGMENT + 1, ROUND_TRIP)));
        assert_eq!(window.bytes(), 10 * SEGMENT + 1);
        assert!(!window.acknowledged(&acknowledgment(Instant::ZERO, 50 * SEGMENT, ROUND_TRIP)));
        assert_eq!(window.bytes(), 20 * SEGMENT);
        assert!(window.acknowledged(&acknowledgment(Instant::ZERO, SEGMENT, ROUND_TRIP)));
    }

    #[test]
    fn a_window_that_is_not_used_does_not_grow() {
        let mut window = window(4, 20);
        let mut idle = acknowledgment(Instant::ZERO, SEGMENT, ROUND_TRIP);
        idle.is_window_limited = false;
        assert!(!window.acknowledged(&idle));
        assert_eq!(window.bytes(), 4 * SEGMENT);
        window.set(20 * SEGMENT);
        assert!(!window.acknowledged(&idle));
    }

    #[test]
    fn an_unused_window_is_reduced_from_what_was_under_way() {
        let mut window = window(100, 20);
        assert_eq!(window.used(30 * SEGMENT), 30 * SEGMENT);
        assert_eq!(window.used(SEGMENT), initial_window(SEGMENT));
        window.acknowledged(&acknowledgment(Instant::ZERO, SEGMENT, ROUND_TRIP));
        assert_eq!(window.used(SEGMENT), 100 * SEGMENT);
    }

    #[test]
    fn repeated_timeouts_keep_the_threshold_of_the_first_and_the_repair_slow_starts() {
        let mut window = window(40, 20);
        window.collapse(28 * SEGMENT);
        assert_eq!((window.bytes(), window.threshold()), (SEGMENT, 28 * SEGMENT));
        let mut repair = acknowledgment(Instant::ZERO, SEGMENT, ROUND_TRIP);
        repair.is_recovering = true;
        window.acknowledged(&repair);
        assert_eq!(window.bytes(), 2 * SEGMENT);
        window.collapse(2 * SEGMENT);
        assert_eq!((window.bytes(), window.threshold()), (SEGMENT, 28 * SEGMENT));
        window.recovered();
        window.collapse(2 * SEGMENT);
        assert_eq!(window.threshold(), 2 * SEGMENT);
    }

    #[test]
    fn an_idle_time_halves_it_once_for_each_timeout() {
        let timeout = Duration::from_millis(200);
        let (full, initial) = (100 * SEGMENT, initial_window(SEGMENT));
        for (idle, expected) in [
            (201, full / 2),
            (400, full / 4),
            (600, full / 8),
            (800, initial),
            (86_400_000, initial),
        ] {
            let mut window = window(100, 40);
            assert!(window.restarted(Duration::from_millis(idle), timeout));
            assert_eq!((window.bytes(), window.threshold()), (expected, 75 * SEGMENT), "{idle}");
        }
        let mut short = window(100, 40);
        assert!(!short.restarted(timeout, timeout));
        assert_eq!((short.bytes(), short.threshold()), (full, 40 * SEGMENT));
        let mut small = window(3, 40);
        assert!(small.restarted(Duration::from_secs(9), timeout));
        assert_eq!((small.bytes(), small.threshold()), (3 * SEGMENT, 40 * SEGMENT));
    }

    #[test]
    fn pacing_leaves_room_for_growth() {
        let second = Duration::from_secs(1);
        assert_eq!(window(10, 40).pacing_rate(second), u64::from(20 * SEGMENT));
        assert_eq!(window(40, 40).pacing_rate(second), u64::from(48 * SEGMENT));
        assert_eq!(window(40, 40).pacing_rate(Duration::ZERO), u64::MAX);
        // 64 MiB each 50 µs.
        let mut large = window(1, 1);
        large.set(64 << 20);
        assert_eq!(large.pacing_rate(Duration::from_micros(50)), (64 << 20) * 20_000 * 6 / 5);
    }

    #[test]
    fn slow_start_that_ends_by_itself_sets_the_threshold() {
        let mut window = Window::default();
        window.set_segment(SEGMENT);
        for number in 0..100_u32 {
            let round_trip = if number < 10 { ROUND_TRIP } else { ROUND_TRIP * 2 };
            let mut acknowledgment = acknowledgment(Instant::ZERO, SEGMENT, round_trip);
            acknowledgment.is_round = number % 10 == 9;
            window.acknowledged(&acknowledgment);
        }
        // Eighteen fast acknowledgments: the last of them is the eighth with the longer round trip.
        // Then 42 of a quarter.
        let grown = 18 * SEGMENT + 42 * (SEGMENT / 4);
        assert_eq!(
            (window.bytes(), window.threshold()),
            (initial_window(SEGMENT) + grown, window.bytes())
        );
    }
}
