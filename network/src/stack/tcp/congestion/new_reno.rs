//! NewReno: halves the window after loss and adds one segment per round trip (RFC 5681, RFC 6582),
//! with appropriate byte counting (RFC 3465).

use core::time::Duration;

use super::window::Window;
use super::{Acknowledgment, Controller};
use crate::platform::Instant;

/// The NewReno controller.
#[derive(Clone, Debug, Default)]
pub(crate) struct NewReno {
    window: Window,
    /// bytes_acked (RFC 3465 §2.1): bytes delivered since the window last grew.
    bytes_acked: u32,
    undo_state: Option<Window>,
}

impl Controller for NewReno {
    fn cwnd(&self) -> u32 {
        self.window.cwnd()
    }

    fn ssthresh(&self) -> u32 {
        self.window.ssthresh()
    }

    fn on_ack(&mut self, acknowledgment: &Acknowledgment) {
        if !self.window.on_ack(acknowledgment) {
            return;
        }
        let bytes = self.window.cwnd();
        // One segment per window, however much an acknowledgment covers (RFC 3465 §2.1).
        self.bytes_acked = self.bytes_acked.saturating_add(acknowledgment.delivered);
        if self.bytes_acked >= bytes {
            self.bytes_acked = (self.bytes_acked - bytes).min(bytes);
            self.window.set_cwnd(bytes.saturating_add(self.window.mss()));
        }
    }

    fn on_congestion(&mut self, _: Instant, in_flight: u32) {
        self.undo_state = Some(self.window);
        self.bytes_acked = 0;
        self.window.reduce(self.window.used_cwnd(in_flight) / 2);
    }

    fn on_recovered(&mut self, _: Instant) {
        self.window.on_recovered();
    }

    fn on_timeout(&mut self, _: Instant, in_flight: u32) {
        if !self.window.is_timed_out() {
            self.undo_state = Some(self.window);
        }
        self.bytes_acked = 0;
        self.window.reduce_to_loss_window(self.window.used_cwnd(in_flight) / 2);
    }

    fn undo(&mut self, _: Instant) {
        if let Some(before) = self.undo_state.take() {
            self.window.undo(&before);
        }
    }

    fn on_idle_restart(&mut self, _: Instant, idle: Duration, timeout: Duration) {
        if self.window.on_idle_restart(idle, timeout) {
            self.bytes_acked = 0;
            self.undo_state = None;
        }
    }

    fn set_mss(&mut self, mss: u32) {
        self.window.set_mss(mss);
    }

    fn restrict_initial_window(&mut self) {
        self.window.restrict_initial_window();
    }

    fn pacing_rate(&self, srtt: Duration) -> u64 {
        self.window.pacing_rate(srtt)
    }

    fn reduces_proportionally(&self) -> bool {
        true
    }
}

#[cfg(test)]
mod tests {
    use super::super::test_transfer::{MSS, acknowledgment, round};
    use super::*;

    const ROUND_TRIP: Duration = Duration::from_millis(10);

    /// A controller that detected loss in a window of this many segments.
    fn reduced(segments: u32) -> NewReno {
        let mut controller = NewReno::default();
        controller.set_mss(MSS);
        controller.window.reduce(segments * MSS);
        controller.on_ack(&acknowledgment(Instant::ZERO, 0, ROUND_TRIP));
        controller.on_congestion(Instant::ZERO, segments * MSS);
        controller
    }

    #[test]
    fn cwnd_halves_and_grows_by_one_segment_per_round_trip() {
        let mut controller = reduced(100);
        assert_eq!((controller.cwnd(), controller.ssthresh()), (50 * MSS, 50 * MSS));
        let mut now = Instant::ZERO;
        for segments in 51..=80 {
            now = round(&mut controller, now, ROUND_TRIP);
            assert_eq!(controller.cwnd() / MSS, segments);
        }
    }

    #[test]
    fn appropriate_byte_counting_counts_acknowledged_bytes() {
        let mut controller = reduced(40);
        // One acknowledgment of two windows less one byte adds one segment and leaves nearly
        // another.
        controller.on_ack(&acknowledgment(Instant::ZERO, 40 * MSS - 1, ROUND_TRIP));
        assert_eq!(controller.cwnd(), 21 * MSS);
        controller.on_ack(&acknowledgment(Instant::ZERO, MSS + 1, ROUND_TRIP));
        assert_eq!(controller.cwnd(), 22 * MSS);
    }

    #[test]
    fn cwnd_does_not_grow_during_recovery() {
        let mut controller = reduced(40);
        let mut repair = acknowledgment(Instant::ZERO, 40 * MSS, ROUND_TRIP);
        repair.is_recovering = true;
        controller.on_ack(&repair);
        assert_eq!(controller.cwnd(), 20 * MSS);
        controller.on_recovered(Instant::ZERO);
        assert_eq!(controller.cwnd(), 20 * MSS);
    }

    #[test]
    fn the_minimum_ssthresh_is_two_segments() {
        let mut controller = reduced(3);
        assert_eq!(controller.cwnd(), 2 * MSS);
        controller.on_timeout(Instant::ZERO, MSS);
        assert_eq!((controller.cwnd(), controller.ssthresh()), (MSS, 2 * MSS));
    }

    #[test]
    fn undo_restores_both_kinds_of_reduction_once() {
        let mut controller = reduced(100);
        controller.undo(Instant::ZERO);
        assert_eq!((controller.cwnd(), controller.ssthresh()), (100 * MSS, 100 * MSS));
        controller.on_timeout(Instant::ZERO, 100 * MSS);
        controller.on_timeout(Instant::ZERO, MSS);
        assert_eq!((controller.cwnd(), controller.ssthresh()), (MSS, 50 * MSS));
        controller.undo(Instant::ZERO);
        controller.undo(Instant::ZERO);
        assert_eq!((controller.cwnd(), controller.ssthresh()), (100 * MSS, 100 * MSS));
    }
}
