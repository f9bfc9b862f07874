//! HyStart++ (RFC 9406): leaves the first slow start when round trips become longer, before the
//! queue overflows.
//!
//! A pure meter: [`window`](super::window) asks it by how much an acknowledgment lets the window
//! grow, and whether slow start is over. It is for the first slow start only (§4.3); later ones end
//! at a ssthresh that was learned.
//!
//! Growth by what was delivered is not limited to a few segments (L of §4.2): the sender paces.

use super::{Acknowledgment, micros};

/// MIN_RTT_THRESH in microseconds: how much longer a round trip must at least become. On a local
/// network, whose round trips are far below it, only a queue that is worth a few milliseconds ends
/// slow start.
const LEAST_RISE: u32 = 4_000;
/// MAX_RTT_THRESH.
const LARGEST_RISE: u32 = 16_000;
/// MIN_RTT_DIVISOR: between the two, an eighth of the round trip counts.
const RISE_DIVISOR: u32 = 8;
/// N_RTT_SAMPLE: measurements in a round before its least one is believed.
const SAMPLES: u8 = 8;
/// CSS_GROWTH_DIVISOR.
const CAREFUL_DIVISOR: u32 = 4;
/// CSS_ROUNDS.
const CAREFUL_ROUNDS: u8 = 5;

/// "Infinity" of the RFC: not measured.
const UNKNOWN: u32 = u32::MAX;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Mode {
    /// The window doubles in a round.
    SlowStart,
    /// Conservative slow start: round trips became longer than `baseline`, and now it is seen
    /// whether they stay so.
    ConservativeSlowStart {
        baseline: u32,
        rounds: u8,
    },
    Over,
}

/// The meter. Round trips are microseconds.
#[derive(Clone, Copy, Debug)]
pub(super) struct SlowStart {
    mode: Mode,
    /// The least round trip of the last round, and of this one.
    last: u32,
    current: u32,
    samples: u8,
}

impl SlowStart {
    pub(super) const fn new() -> Self {
        Self { mode: Mode::SlowStart, last: UNKNOWN, current: UNKNOWN, samples: 0 }
    }

    /// The path said that it is full, in whatever way.
    pub(super) fn end(&mut self) {
        self.mode = Mode::Over;
    }

    pub(super) fn is_over(&self) -> bool {
        self.mode == Mode::Over
    }

    /// Bytes by which the window may grow.
    pub(super) fn growth(&mut self, acknowledgment: &Acknowledgment) -> u32 {
        let growth = match self.mode {
            Mode::ConservativeSlowStart { .. } => acknowledgment.delivered / CAREFUL_DIVISOR,
            Mode::SlowStart | Mode::Over => acknowledgment.delivered,
        };
        if let Some(round_trip) = acknowledgment.rtt {
            self.current =
                self.current.min(u32::try_from(micros(round_trip)).unwrap_or(UNKNOWN - 1));
            self.samples = self.samples.saturating_add(1);
        }
        // A queue that grows while the window is not used is not ours.
        if acknowledgment.is_window_limited {
            self.judge();
        }
        if acknowledgment.is_round {
            self.turn(acknowledgment.is_window_limited);
        }
        growth
    }

    /// Compares this round with the last one.
    fn judge(&mut self) {
        if self.samples < SAMPLES || self.current == UNKNOWN {
            return;
        }
        match self.mode {
            Mode::SlowStart if self.last != UNKNOWN => {
                let rise = (self.last / RISE_DIVISOR).clamp(LEAST_RISE, LARGEST_RISE);
                if self.current >= self.last.saturating_add(rise) {
                    self.mode = Mode::ConservativeSlowStart { baseline: self.current, rounds: 0 };
                }
            }
            // It was jitter.
            Mode::ConservativeSlowStart { baseline, .. } if self.current < baseline => {
                self.mode = Mode::SlowStart
            }
            _ => {}
        }
    }

    /// Begins a round. The part of a round in which the careful mode began counts as one of its
    /// rounds (§4.2).
    fn turn(&mut self, is_window_limited: bool) {
        if let Mode::ConservativeSlowStart { baseline, rounds } = self.mode
            && is_window_limited
        {
            let rounds = rounds + 1;
            self.mode = if rounds < CAREFUL_ROUNDS {
                Mode::ConservativeSlowStart { baseline, rounds }
            } else {
                Mode::Over
            };
        }
        self.last = self.current;
        self.current = UNKNOWN;
        self.samples = 0;
    }
}

#[cfg(test)]
mod tests {
    use core::time::Duration;

    use super::super::test_transfer::{MSS, acknowledgment};
    use super::*;
    use crate::platform::Instant;

    /// A round of `count` acknowledgments with the same round trip; tells by how many segments the
    /// window would have grown.
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
    fn flat_round_trips_never_end_it() {
        let mut slow_start = SlowStart::new();
        for _ in 0..100 {
            assert_eq!(round(&mut slow_start, 16, 100_000), 16);
        }
        assert_eq!(slow_start.mode, Mode::SlowStart);
    }

    #[test]
    fn the_rise_that_counts_is_an_eighth_between_4_and_16_milliseconds() {
        for (round_trip, rise) in
            [(50, 4_000), (10_000, 4_000), (80_000, 10_000), (128_000, 16_000), (400_000, 16_000)]
        {
            let mut below = SlowStart::new();
            round(&mut below, 8, round_trip);
            round(&mut below, 8, round_trip + rise - 1);
            assert_eq!(below.mode, Mode::SlowStart, "{round_trip}");
            let mut at = SlowStart::new();
            round(&mut at, 8, round_trip);
            round(&mut at, 8, round_trip + rise);
            assert_eq!(
                at.mode,
                Mode::ConservativeSlowStart { baseline: (round_trip + rise) as u32, rounds: 1 },
                "{round_trip}"
            );
        }
    }

    #[test]
    fn seven_measurements_are_too_few() {
        let mut slow_start = SlowStart::new();
        for round_trip in [10_000, 50_000, 90_000, 130_000] {
            assert_eq!(round(&mut slow_start, 7, round_trip), 7);
        }
        assert_eq!(slow_start.mode, Mode::SlowStart);
    }

    #[test]
    fn it_is_over_after_five_careful_rounds_of_a_quarter_of_the_growth() {
        let mut slow_start = SlowStart::new();
        round(&mut slow_start, 8, 40_000);
        // The eighth measurement shows the rise, at the end of the round.
        assert_eq!(round(&mut slow_start, 8, 50_000), 8);
        for _ in 0..3 {
            assert_eq!(round(&mut slow_start, 80, 60_000), 20);
            assert!(!slow_start.is_over());
        }
        assert_eq!(round(&mut slow_start, 80, 60_000), 20);
        assert!(slow_start.is_over());
        // From then on it no longer measures.
        assert_eq!(round(&mut slow_start, 80, 600_000), 80);
    }

    #[test]
    fn jitter_is_forgiven() {
        let mut slow_start = SlowStart::new();
        round(&mut slow_start, 8, 40_000);
        round(&mut slow_start, 8, 50_000);
        assert_eq!(round(&mut slow_start, 40, 41_000), 32 + 8 * MSS.div_ceil(4) / MSS);
        assert_eq!(slow_start.mode, Mode::SlowStart);
    }

    #[test]
    fn a_local_network_is_not_hindered() {
        let mut slow_start = SlowStart::new();
        // From 50 µs to a queue of 3.9 ms, ten times and more from round to round.
        for round_trip in [50, 200, 900, 3_900, 60, 4_000, 70, 3_000] {
            assert_eq!(round(&mut slow_start, 64, round_trip), 64);
        }
        assert_eq!(slow_start.mode, Mode::SlowStart);
    }

    #[test]
    fn the_queue_of_others_does_not_end_it() {
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
