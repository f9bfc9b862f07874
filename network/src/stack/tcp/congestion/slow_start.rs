//! HyStart++ (RFC 9406): leaves the initial slow start when round trips become longer, before the
//! queue overflows.
//!
//! [`window`](super::window) asks how much an acknowledgment lets the window grow and whether slow
//! start is over. HyStart++ applies to the initial slow start only (§4.3); later ones end at
//! ssthresh.
//!
//! Growth per acknowledgment is not limited to L segments (§4.2): the sender paces.

use super::{Acknowledgment, micros};

/// MIN_RTT_THRESH in microseconds: the smallest increase that counts. Round trips of a local
/// network are far below it, so only a queue of a few milliseconds ends slow start there.
const MIN_RTT_THRESH: u32 = 4_000;
/// MAX_RTT_THRESH in microseconds.
const MAX_RTT_THRESH: u32 = 16_000;
/// MIN_RTT_DIVISOR: between the two, an eighth of the round trip counts.
const MIN_RTT_DIVISOR: u32 = 8;
/// N_RTT_SAMPLE: samples that a round needs before its minimum counts.
const N_RTT_SAMPLE: u8 = 8;
/// CSS_GROWTH_DIVISOR: slows growth in conservative slow start (CSS).
const CSS_GROWTH_DIVISOR: u32 = 4;
/// CSS_ROUNDS: rounds of CSS after which slow start ends.
const CSS_ROUNDS: u8 = 5;

/// The RFC's "infinity": no sample yet.
const INFINITY: u32 = u32::MAX;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Mode {
    /// The window doubles in a round.
    SlowStart,
    /// Conservative slow start (CSS): round trips became longer than `css_baseline_min_rtt`
    /// (cssBaselineMinRtt). Slow start resumes if they become shorter again.
    ConservativeSlowStart {
        css_baseline_min_rtt: u32,
        css_rounds: u8,
    },
    Done,
}

/// The state of HyStart++. Round trips are in microseconds.
#[derive(Clone, Copy, Debug)]
pub(super) struct SlowStart {
    mode: Mode,
    /// lastRoundMinRTT and currentRoundMinRTT.
    last_round_min_rtt: u32,
    current_round_min_rtt: u32,
    /// rttSampleCount.
    rtt_sample_count: u8,
}

impl SlowStart {
    pub(super) const fn new() -> Self {
        Self {
            mode: Mode::SlowStart,
            last_round_min_rtt: INFINITY,
            current_round_min_rtt: INFINITY,
            rtt_sample_count: 0,
        }
    }

    /// Loss or a congestion mark ends slow start.
    pub(super) fn end(&mut self) {
        self.mode = Mode::Done;
    }

    pub(super) fn is_over(&self) -> bool {
        self.mode == Mode::Done
    }

    /// Bytes by which the window may grow.
    pub(super) fn growth(&mut self, acknowledgment: &Acknowledgment) -> u32 {
        let growth = match self.mode {
            Mode::ConservativeSlowStart { .. } => acknowledgment.delivered / CSS_GROWTH_DIVISOR,
            Mode::SlowStart | Mode::Done => acknowledgment.delivered,
        };
        if let Some(round_trip) = acknowledgment.rtt {
            self.current_round_min_rtt = self
                .current_round_min_rtt
                .min(u32::try_from(micros(round_trip)).unwrap_or(INFINITY - 1));
            self.rtt_sample_count = self.rtt_sample_count.saturating_add(1);
        }
        // A queue that grows while the window is not used is not ours.
        if acknowledgment.is_window_limited {
            self.compare_rounds();
        }
        if acknowledgment.is_round {
            self.begin_round(acknowledgment.is_window_limited);
        }
        growth
    }

    /// Compares currentRoundMinRTT with lastRoundMinRTT (§4.2).
    fn compare_rounds(&mut self) {
        if self.rtt_sample_count < N_RTT_SAMPLE || self.current_round_min_rtt == INFINITY {
            return;
        }
        match self.mode {
            Mode::SlowStart if self.last_round_min_rtt != INFINITY => {
                let rtt_thresh = (self.last_round_min_rtt / MIN_RTT_DIVISOR)
                    .clamp(MIN_RTT_THRESH, MAX_RTT_THRESH);
                if self.current_round_min_rtt >= self.last_round_min_rtt.saturating_add(rtt_thresh)
                {
                    self.mode = Mode::ConservativeSlowStart {
                        css_baseline_min_rtt: self.current_round_min_rtt,
                        css_rounds: 0,
                    };
                }
            }
            // The increase was jitter: slow start resumes.
            Mode::ConservativeSlowStart { css_baseline_min_rtt, .. }
                if self.current_round_min_rtt < css_baseline_min_rtt =>
            {
                self.mode = Mode::SlowStart
            }
            _ => {}
        }
    }

    /// Begins a round. The rest of the round in which CSS began counts as one of its rounds (§4.2).
    fn begin_round(&mut self, is_window_limited: bool) {
        if let Mode::ConservativeSlowStart { css_baseline_min_rtt, css_rounds } = self.mode
            && is_window_limited
        {
            let css_rounds = css_rounds + 1;
            self.mode = if css_rounds < CSS_ROUNDS {
                Mode::ConservativeSlowStart { css_baseline_min_rtt, css_rounds }
            } else {
                Mode::Done
            };
        }
        self.last_round_min_rtt = self.current_round_min_rtt;
        self.current_round_min_rtt = INFINITY;
        self.rtt_sample_count = 0;
    }
}

#[cfg(test)]
mod tests {
    use core::time::Duration;

    use super::super::test_transfer::{MSS, acknowledgment};
    use super::*;
    use crate::platform::Instant;

    /// A round of `count` acknowledgments with the same round trip; returns the growth in segments.
    fn round(slow_start: &mut SlowStart, count: u32, round_trip: u64) -> u32 {
        let mut growth = 0;
        for number in 1..=count {
            let mut acknowledgment =
                acknowledgment(Instant::ZERO, MSS, Duration::from_micros(round_trip));
            acknowledgment.is_round = number == count;
            growth += slow_start.growth(&acknowledgment);
        }
        growth / MSS
    }

    #[test]
    fn constant_round_trips_never_end_slow_start() {
        let mut slow_start = SlowStart::new();
        for _ in 0..100 {
            assert_eq!(round(&mut slow_start, 16, 100_000), 16);
        }
        assert_eq!(slow_start.mode, Mode::SlowStart);
    }

    #[test]
    fn rtt_thresh_is_an_eighth_between_4_and_16_milliseconds() {
        for (round_trip, rtt_thresh) in
            [(50, 4_000), (10_000, 4_000), (80_000, 10_000), (128_000, 16_000), (400_000, 16_000)]
        {
            let mut below = SlowStart::new();
            round(&mut below, 8, round_trip);
            round(&mut below, 8, round_trip + rtt_thresh - 1);
            assert_eq!(below.mode, Mode::SlowStart, "{round_trip}");
            let mut at = SlowStart::new();
            round(&mut at, 8, round_trip);
            round(&mut at, 8, round_trip + rtt_thresh);
            assert_eq!(
                at.mode,
                Mode::ConservativeSlowStart {
                    css_baseline_min_rtt: (round_trip + rtt_thresh) as u32,
                    css_rounds: 1
                },
                "{round_trip}"
            );
        }
    }

    #[test]
    fn seven_samples_are_too_few() {
        let mut slow_start = SlowStart::new();
        for round_trip in [10_000, 50_000, 90_000, 130_000] {
            assert_eq!(round(&mut slow_start, 7, round_trip), 7);
        }
        assert_eq!(slow_start.mode, Mode::SlowStart);
    }

    #[test]
    fn slow_start_ends_after_five_css_rounds_of_a_quarter_of_the_growth() {
        let mut slow_start = SlowStart::new();
        round(&mut slow_start, 8, 40_000);
        // The eighth sample shows the increase, at the end of the round.
        assert_eq!(round(&mut slow_start, 8, 50_000), 8);
        for _ in 0..3 {
            assert_eq!(round(&mut slow_start, 80, 60_000), 20);
            assert!(!slow_start.is_over());
        }
        assert_eq!(round(&mut slow_start, 80, 60_000), 20);
        assert!(slow_start.is_over());
        // From then on round trips no longer matter.
        assert_eq!(round(&mut slow_start, 80, 600_000), 80);
    }

    #[test]
    fn jitter_resumes_slow_start() {
        let mut slow_start = SlowStart::new();
        round(&mut slow_start, 8, 40_000);
        round(&mut slow_start, 8, 50_000);
        assert_eq!(round(&mut slow_start, 40, 41_000), 32 + 8 * MSS.div_ceil(4) / MSS);
        assert_eq!(slow_start.mode, Mode::SlowStart);
    }

    #[test]
    fn a_local_network_stays_in_slow_start() {
        let mut slow_start = SlowStart::new();
        // From 50 µs to a queue of 3.9 ms, tenfold and more from round to round.
        for round_trip in [50, 200, 900, 3_900, 60, 4_000, 70, 3_000] {
            assert_eq!(round(&mut slow_start, 64, round_trip), 64);
        }
        assert_eq!(slow_start.mode, Mode::SlowStart);
    }

    #[test]
    fn queues_of_other_flows_do_not_end_slow_start() {
        let mut slow_start = SlowStart::new();
        for number in 0..80_u64 {
            let mut idle = acknowledgment(Instant::ZERO, MSS, Duration::from_millis(10 + number));
            idle.is_window_limited = false;
            idle.is_round = number % 10 == 9;
            slow_start.growth(&idle);
        }
        assert_eq!(slow_start.mode, Mode::SlowStart);
    }
}
