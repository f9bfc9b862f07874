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
    fn cwnd(&self) -> u32 {
        self.window.bytes()
    }

    fn ssthresh(&self) -> u32 {
        self.window.ssthresh()
    }

    fn on_ack(&mut self, acknowledgment: &Acknowledgment) {
        if !self.window.on_ack(acknowledgment) {
            return;
        }
        let bytes = self.window.bytes();
        // One segment for each window, however much an acknowledgment covers (RFC 3465 §2.1).
        self.credit = self.credit.saturating_add(acknowledgment.delivered);
        if self.credit >= bytes {
            self.credit = (self.credit - bytes).min(bytes);
            self.window.set(bytes.saturating_add(self.window.mss()));
        }
    }

    fn on_congestion(&mut self, _: Instant, in_flight: u32) {
        self.before = Some(self.window);
        self.credit = 0;
        self.window.reduce(self.window.used(in_flight) / 2);
    }

    fn on_recovered(&mut self, _: Instant) {
        self.window.on_recovered();
    }

    fn on_timeout(&mut self, _: Instant, in_flight: u32) {
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

    fn on_idle_restart(&mut self, _: Instant, idle: Duration, timeout: Duration) {
        if self.window.on_idle_restart(idle, timeout) {
            self.credit = 0;
            self.before = None;
        }
    }

    fn set_mss(&mut self, mss: u32) {
        self.window.set_mss(mss);
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

    /// One that found loss at this many segments.
    fn reduced(segments: u32) -> NewReno {
        let mut controller = NewReno::default();
        controller.set_mss(MSS);
        controller.window.reduce(segments * MSS);
        controller.on_ack(&acknowledgment(Instant::ZERO, 0, ROUND_TRIP));
        controller.on_congestion(Instant::ZERO, segments * MSS);
        controller
    }

    #[test]
    fn it_halves_and_grows_by_one_segment_in_a_round_trip() {
        let mut controller = reduced(100);
        assert_eq!((controller.cwnd(), controller.ssthresh()), (50 * MSS, 50 * MSS));
        let mut now = Instant::ZERO;
        for segments in 51..=80 {
            now = round(&mut controller, now, ROUND_TRIP);
            assert_eq!(controller.cwnd() / MSS, segments);
        }
    }

    #[test]
    fn acknowledgments_of_many_segments_count_as_many() {
        let mut controller = reduced(40);
        // Two windows less a byte in one piece: one segment, and nearly another.
        controller.on_ack(&acknowledgment(Instant::ZERO, 40 * MSS - 1, ROUND_TRIP));
        assert_eq!(controller.cwnd(), 21 * MSS);
        controller.on_ack(&acknowledgment(Instant::ZERO, MSS + 1, ROUND_TRIP));
        assert_eq!(controller.cwnd(), 22 * MSS);
    }

    #[test]
    fn nothing_grows_while_loss_is_repaired() {
        let mut controller = reduced(40);
        let mut repair = acknowledgment(Instant::ZERO, 40 * MSS, ROUND_TRIP);
        repair.is_recovering = true;
        controller.on_ack(&repair);
        assert_eq!(controller.cwnd(), 20 * MSS);
        controller.on_recovered(Instant::ZERO);
        assert_eq!(controller.cwnd(), 20 * MSS);
    }

    #[test]
    fn the_least_threshold_is_two_segments() {
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
