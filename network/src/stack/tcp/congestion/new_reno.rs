//! NewReno's window: half of it after loss, one segment more in each round trip (RFC 5681, RFC
//! 6582), by bytes (RFC 3465).

use core::time::Duration;

use super::window::Window;
use super::{Acknowledgment, Controller};
use crate::platform::Instant;

/// NewReno.
#[derive(Clone, Debug, Default)]
pub(crate) struct NewReno {
    window: Window,
    /// Bytes delivered since the window grew.
    credit: u32,
    before: Option<Window>,
}

impl Controller for NewReno {
    fn window(&self) -> u32 {
        self.window.bytes()
    }

    fn threshold(&self) -> u32 {
        self.window.threshold()
    }

    fn acknowledged(&mut self, acknowledgment: &Acknowledgment) {
        if !self.window.acknowledged(acknowledgment) {
            return;
        }
        let bytes = self.window.bytes();
        // One segment for each window, however much an acknowledgment covers (RFC 3465 §2.1).
        self.credit = self.credit.saturating_add(acknowledgment.delivered);
        if self.credit >= bytes {
            self.credit = (self.credit - bytes).min(bytes);
            self.window.set(bytes.saturating_add(self.window.segment()));
        }
    }

    fn congested(&mut self, _: Instant, in_flight: u32) {
        self.before = Some(self.window);
        self.credit = 0;
        self.window.reduce(self.window.used(in_flight) / 2);
    }

    fn recovered(&mut self, _: Instant) {
        self.window.recovered();
    }

    fn timed_out(&mut self, _: Instant, in_flight: u32) {
        if !self.window.is_timed_out() {
            self.before = Some(self.window);
        }
        self.credit = 0;
        self.window.collapse(self.window.used(in_flight) / 2);
    }

    fn undo(&mut self, _: Instant) {
        if let Some(before) = self.before.take() {
            self.window.undo(&before);
        }
    }

    fn restarted(&mut self, _: Instant, idle: Duration, timeout: Duration) {
        if self.window.restarted(idle, timeout) {
            self.credit = 0;
            self.before = None;
        }
    }

    fn set_segment(&mut self, segment: u32) {
        self.window.set_segment(segment);
    }

    fn pacing_rate(&self, smoothed_round_trip: Duration) -> u64 {
        self.window.pacing_rate(smoothed_round_trip)
    }

    fn reduces_proportionally(&self) -> bool {
        true
    }
}

#[cfg(test)]
mod tests {
    use super::super::test_transfer::{SEGMENT, acknowledgment, round};
    use super::*;

    const ROUND_TRIP: Duration = Duration::from_millis(10);

    /// One that found loss at this many segments.
    fn reduced(segments: u32) -> NewReno {
        let mut controller = NewReno::default();
        controller.set_segment(SEGMENT);
        controller.window.reduce(segments * SEGMENT);
        controller.acknowledged(&acknowledgment(Instant::ZERO, 0, ROUND_TRIP));
        controller.congested(Instant::ZERO, segments * SEGMENT);
        controller
    }

    #[test]
    fn it_halves_and_grows_by_one_segment_in_a_round_trip() {
        let mut controller = reduced(100);
        assert_eq!((controller.window(), controller.threshold()), (50 * SEGMENT, 50 * SEGMENT));
        let mut now = Instant::ZERO;
        for segments in 51..=80 {
            now = round(&mut controller, now, ROUND_TRIP);
            assert_eq!(controller.window() / SEGMENT, segments);
        }
    }

    #[test]
    fn acknowledgments_of_many_segments_count_as_many() {
        let mut controller = reduced(40);
        // Two windows less a byte in one piece: one segment, and nearly another.
        controller.acknowledged(&acknowledgment(Instant::ZERO, 40 * SEGMENT - 1, ROUND_TRIP));
        assert_eq!(controller.window(), 21 * SEGMENT);
        controller.acknowledged(&acknowledgment(Instant::ZERO, SEGMENT + 1, ROUND_TRIP));
        assert_eq!(controller.window(), 22 * SEGMENT);
    }

    #[test]
    fn nothing_grows_while_loss_is_repaired() {
        let mut controller = reduced(40);
        let mut repair = acknowledgment(Instant::ZERO, 40 * SEGMENT, ROUND_TRIP);
        repair.is_recovering = true;
        controller.acknowledged(&repair);
        assert_eq!(controller.window(), 20 * SEGMENT);
        controller.recovered(Instant::ZERO);
        assert_eq!(controller.window(), 20 * SEGMENT);
    }

    #[test]
    fn the_least_threshold_is_two_segments() {
        let mut controller = reduced(3);
        assert_eq!(controller.window(), 2 * SEGMENT);
        controller.timed_out(Instant::ZERO, SEGMENT);
        assert_eq!((controller.window(), controller.threshold()), (SEGMENT, 2 * SEGMENT));
    }

    #[test]
    fn undo_restores_both_kinds_of_reduction_once() {
        let mut controller = reduced(100);
        controller.undo(Instant::ZERO);
        assert_eq!((controller.window(), controller.threshold()), (100 * SEGMENT, 100 * SEGMENT));
        controller.timed_out(Instant::ZERO, 100 * SEGMENT);
        controller.timed_out(Instant::ZERO, SEGMENT);
        assert_eq!((controller.window(), controller.threshold()), (SEGMENT, 50 * SEGMENT));
        controller.undo(Instant::ZERO);
        controller.undo(Instant::ZERO);
        assert_eq!((controller.window(), controller.threshold()), (100 * SEGMENT, 100 * SEGMENT));
    }
}
