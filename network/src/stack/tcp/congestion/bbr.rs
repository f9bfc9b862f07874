//! A model of the path instead of a window (BBR, draft-cardwell-iccrg-bbr-congestion-control): how
//! fast it delivers and how short its round trip is. Data leaves at that rate, and about two
//! products of both are under way at most. Opt-in.
//!
//! The bandwidth is the most that was measured in ten rounds, the round trip the least in ten
//! seconds; as one hides the other, they are looked for one after the other ([`Mode`]). Loss says
//! little to it: a lost segment ends a probe for more bandwidth, a round that lost a fifth of its
//! data bounds what may be under way, and a timeout leaves one segment.

use core::time::Duration;

use super::{
    Acknowledgment, Controller, LARGEST_WINDOW, UNLIMITED, initial_window, micros, per_second,
};
use crate::platform::Instant;

/// Rounds in which the most bandwidth is looked for.
const ROUNDS: usize = 10;
/// How long a round trip is believed to be the least.
const ROUND_TRIP_LIFETIME: Duration = Duration::from_secs(10);
/// How long little is under way to measure it anew.
const PROBE: Duration = Duration::from_millis(200);
/// Pacing in hundredths of the bandwidth while it is not known: 4·ln 2, so that the rate doubles in
/// each round.
const STARTUP_GAIN: u64 = 277;
/// And afterwards until the queue that this made is gone.
const DRAIN_GAIN: u64 = 36;
/// Later: one round trip for more, one for the queue that this made, six without either.
const CYCLE: [u64; 8] = [125, 75, 100, 100, 100, 100, 100, 100];
/// What may be under way, in hundredths of the product.
const WINDOW_GAIN: u64 = 200;
/// And while the round trip is measured.
const PROBE_WINDOW_GAIN: u64 = 50;
/// Data leaves slightly slower than it arrives, so that no queue stays.
const MARGIN: u64 = 99;
/// Rounds without a quarter more bandwidth after which there is no more.
const FLAT_ROUNDS: u8 = 3;
/// Segments that keep acknowledgments coming.
const LEAST_SEGMENTS: u32 = 4;
/// The bytes that a sender hands over in one piece at most.
const LARGEST_PIECE: u64 = 65_536;

/// What is being done about the model.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Mode {
    /// The bandwidth is looked for.
    Startup,
    /// The queue of that is emptied.
    Drain,
    /// Phases of [`CYCLE`].
    Cruise { phase: usize, since: Instant },
    /// The queue is kept empty to measure the round trip; until then, once it is, and whether a
    /// round passed.
    RoundTrip { until: Option<Instant>, has_round: bool },
}

/// The model.
#[derive(Clone, Debug)]
pub(crate) struct Bbr {
    segment: u32,
    window: u32,
    /// What the window was before a timeout or a measurement of the round trip made it small.
    saved: u32,
    mode: Mode,
    /// The most bytes per second of each round, the newest first.
    bandwidth: [u64; ROUNDS],
    /// The least round trip in microseconds, and when it was measured.
    round_trip: Option<(u64, Instant)>,
    /// The bandwidth when it last grew by a quarter, and the rounds since then.
    full: u64,
    flat_rounds: u8,
    /// The bandwidth was found.
    is_full: bool,
    /// The program had too little to send in this round.
    is_application_limited: bool,
    /// Bytes of this round.
    delivered: u64,
    lost: u64,
    /// No more may be under way since much was lost.
    limit: u32,
    is_timed_out: bool,
    /// Nothing was under way just now, so that no queue hides the round trip.
    is_restarted: bool,
}

impl Default for Bbr {
    fn default() -> Self {
        Self {
            segment: 0,
            window: 0,
            saved: 0,
            mode: Mode::Startup,
            bandwidth: [0; ROUNDS],
            round_trip: None,
            full: 0,
            flat_rounds: 0,
            is_full: false,
            is_application_limited: false,
            delivered: 0,
            lost: 0,
            limit: UNLIMITED,
            is_timed_out: false,
            is_restarted: false,
        }
    }
}

impl Bbr {
    /// Bytes per second that the path delivers; 0 when that is not known.
    fn bandwidth(&self) -> u64 {
        self.bandwidth.iter().copied().max().unwrap_or(0)
    }

    /// This many hundredths of the bandwidth times the round trip.
    fn product(&self, gain: u64) -> u32 {
        let Some((round_trip, _)) = self.round_trip else { return 0 };
        let bytes = self.bandwidth().saturating_mul(round_trip) / 1_000_000;
        (bytes.min(u64::from(LARGEST_WINDOW)) * gain / 100).min(u64::from(LARGEST_WINDOW)) as u32
    }

    fn least_window(&self) -> u32 {
        LEAST_SEGMENTS * self.segment
    }

    /// What may be under way: the share of the product, and three pieces, because acknowledgments
    /// come for several segments at once and late.
    fn target(&self) -> u32 {
        if self.bandwidth() == 0 || self.round_trip.is_none() {
            return initial_window(self.segment);
        }
        let piece =
            (self.bandwidth() / 1_000).min(LARGEST_PIECE).max(u64::from(self.segment)) as u32;
        self.product(WINDOW_GAIN).saturating_add(3 * piece).min(self.limit)
    }

    /// What is under way while the round trip is measured.
    fn probe_window(&self) -> u32 {
        self.product(PROBE_WINDOW_GAIN).max(self.least_window())
    }

    fn measure_bandwidth(&mut self, acknowledgment: &Acknowledgment) {
        let best = self.bandwidth();
        if acknowledgment.is_round && self.bandwidth.first().is_some_and(|newest| *newest > 0) {
            self.bandwidth.rotate_right(1);
            let [newest, ..] = &mut self.bandwidth;
            *newest = 0;
        }
        let Some(sample) = acknowledgment.rate else { return };
        self.is_application_limited |= sample.is_application_limited;
        // What is acknowledged faster than a round trip came in a bunch.
        if sample.interval < acknowledgment.least_round_trip || sample.interval.is_zero() {
            return;
        }
        let rate = per_second(sample.delivered, sample.interval);
        if !sample.is_application_limited || rate >= best {
            let [newest, ..] = &mut self.bandwidth;
            *newest = rate.max(*newest);
        }
    }

    fn measure_round_trip(&mut self, acknowledgment: &Acknowledgment) {
        let now = acknowledgment.now;
        let Some(measured) = acknowledgment.round_trip else { return };
        let measured = micros(measured).max(1);
        let is_old = self.round_trip.is_some_and(|(_, at)| now.since(at) > ROUND_TRIP_LIFETIME);
        if is_old || self.round_trip.is_none_or(|(least, _)| measured <= least) {
            self.round_trip = Some((measured, now));
        }
        if is_old && !self.is_restarted && !matches!(self.mode, Mode::RoundTrip { .. }) {
            self.saved = self.saved.max(self.window);
            self.mode = Mode::RoundTrip { until: None, has_round: false };
        }
        self.is_restarted = false;
    }

    /// A round ended: did it deliver more than those before, and how much did it lose?
    fn end_round(&mut self) {
        let bandwidth = self.bandwidth();
        if !self.is_full && !self.is_application_limited {
            if bandwidth >= self.full.saturating_add(self.full / 4) {
                self.full = bandwidth;
                self.flat_rounds = 0;
            } else {
                self.flat_rounds += 1;
                self.is_full = self.flat_rounds >= FLAT_ROUNDS;
            }
        }
        if self.lost.saturating_mul(5) > self.lost.saturating_add(self.delivered) {
            self.is_full = true;
            let less = self.window - self.window / 10 * 3;
            self.limit = less.max(self.product(100)).max(self.least_window());
        } else {
            self.limit = self.limit.saturating_add(self.limit / 8);
        }
        self.is_application_limited = false;
        self.delivered = 0;
        self.lost = 0;
    }

    /// The six phases of rest: one of them by the clock, so that senders that share a path do not
    /// probe at the same time.
    fn cruise(now: Instant) -> Mode {
        Mode::Cruise { phase: 2 + (now.as_micros() % 6) as usize, since: now }
    }

    fn change_mode(&mut self, acknowledgment: &Acknowledgment) {
        let Acknowledgment { now, in_flight, in_flight_before, lost, is_round, .. } =
            *acknowledgment;
        if self.mode == Mode::Startup && self.is_full {
            self.mode = Mode::Drain;
        }
        if self.mode == Mode::Drain && in_flight <= self.product(100) {
            self.mode = Self::cruise(now);
        }
        match self.mode {
            Mode::Cruise { phase, since } => {
                let least = self.round_trip.map_or(0, |(least, _)| least);
                let elapsed = micros(now.since(since));
                let is_over = match phase {
                    // Until the path had the time to show it, or said that there is no more.
                    0 => {
                        let is_loaded = lost > 0 || in_flight_before >= self.product(125);
                        elapsed > least && (is_loaded || elapsed > 2 * least)
                    }
                    1 => elapsed > least || in_flight <= self.product(100),
                    _ => elapsed > least,
                };
                if is_over {
                    self.mode = Mode::Cruise { phase: (phase + 1) % CYCLE.len(), since: now };
                }
            }
            Mode::RoundTrip { until: None, .. } if in_flight <= self.probe_window() => {
                self.mode = Mode::RoundTrip { until: Some(now.after(PROBE)), has_round: false };
            }
            Mode::RoundTrip { until: Some(until), has_round } => {
                let has_round = has_round || is_round;
                self.mode = Mode::RoundTrip { until: Some(until), has_round };
                if has_round && now >= until {
                    self.end_probe(now);
                }
            }
            _ => {}
        }
    }

    fn end_probe(&mut self, now: Instant) {
        self.round_trip = self.round_trip.map(|(least, _)| (least, now));
        if !self.is_timed_out {
            self.window = self.window.max(self.saved);
        }
        self.mode = if self.is_full { Self::cruise(now) } else { Mode::Startup };
    }

    fn set_window(&mut self, delivered: u32) {
        let target = self.target();
        let grown = self.window.saturating_add(delivered);
        // Before the bandwidth is known, a target that is too low takes nothing away.
        self.window =
            if self.is_full { grown.min(target) } else { grown.min(target.max(self.window)) };
        if matches!(self.mode, Mode::RoundTrip { .. }) {
            self.window = self.window.min(self.probe_window());
        }
        let least = if self.is_timed_out { self.segment } else { self.least_window() };
        self.window = self.window.min(self.limit).clamp(least, LARGEST_WINDOW);
    }
}

impl Controller for Bbr {
    fn window(&self) -> u32 {
        self.window
    }

    fn threshold(&self) -> u32 {
        if self.is_full { self.window } else { UNLIMITED }
    }

    fn acknowledged(&mut self, acknowledgment: &Acknowledgment) {
        self.delivered = self.delivered.saturating_add(u64::from(acknowledgment.delivered));
        self.lost = self.lost.saturating_add(u64::from(acknowledgment.lost));
        self.measure_bandwidth(acknowledgment);
        self.measure_round_trip(acknowledgment);
        if acknowledgment.is_round {
            self.end_round();
        }
        self.change_mode(acknowledgment);
        self.set_window(acknowledgment.delivered);
    }

    /// Ends a probe for more bandwidth, nothing else: how much was lost is counted by the round.
    fn congested(&mut self, now: Instant, _: u32) {
        if let Mode::Cruise { phase: 0, .. } = self.mode {
            self.mode = Mode::Cruise { phase: 1, since: now };
        }
    }

    fn recovered(&mut self, _: Instant) {
        self.is_timed_out = false;
    }

    fn timed_out(&mut self, _: Instant, _: u32) {
        if !self.is_timed_out {
            self.saved = self.window;
            self.is_timed_out = true;
        }
        self.window = self.segment;
    }

    fn undo(&mut self, _: Instant) {
        if core::mem::take(&mut self.is_timed_out) {
            self.window = self.window.max(self.saved);
        }
    }

    /// What is known of the bandwidth is kept: pacing sees to it that no burst comes of it.
    fn restarted(&mut self, now: Instant, _: Duration, _: Duration) {
        self.is_restarted = true;
        if let Mode::Cruise { .. } = self.mode {
            self.mode = Self::cruise(now);
        }
    }

    fn set_segment(&mut self, segment: u32) {
        let is_first = self.segment == 0;
        self.segment = segment.clamp(1, 0xffff);
        self.window =
            if is_first { initial_window(self.segment) } else { self.window.max(self.segment) };
    }

    fn pacing_rate(&self, smoothed_round_trip: Duration) -> u64 {
        let first = per_second(initial_window(self.segment), smoothed_round_trip);
        let (rate, gain) = match (self.bandwidth(), self.mode) {
            (0, _) => (first, STARTUP_GAIN),
            (known, Mode::Startup) => (known.max(first), STARTUP_GAIN),
            (known, Mode::Drain) => (known, DRAIN_GAIN),
            (known, Mode::Cruise { phase, .. }) => {
                (known, CYCLE.get(phase).copied().unwrap_or(100))
            }
            (known, Mode::RoundTrip { .. }) => (known, 100),
        };
        // A program or a window that let a few bytes through at a time measured little; the least
        // window still leaves in each round trip.
        let least = per_second(self.least_window(), smoothed_round_trip).max(1);
        if rate == u64::MAX {
            rate
        } else {
            (rate.saturating_mul(gain * MARGIN) / 10_000).max(least)
        }
    }

    fn reduces_proportionally(&self) -> bool {
        false
    }
}

#[cfg(test)]
mod tests {
    use super::super::RateSample;
    use super::super::test_transfer::{Link, SEGMENT, Transfer, acknowledgment};
    use super::*;

    /// 100 Mbit/s and 10 ms: a product of 125,000 bytes.
    fn link() -> Link {
        Link::new(12_500_000, Duration::from_millis(10))
    }

    fn transfer(link: Link) -> Transfer<Bbr> {
        let mut controller = Bbr::default();
        controller.set_segment(SEGMENT);
        Transfer::new(controller, link)
    }

    #[test]
    fn it_finds_the_bandwidth_and_keeps_less_than_two_products_under_way() {
        let mut transfer = transfer(link());
        transfer.run(Duration::from_secs(1));
        assert!(matches!(transfer.controller.mode, Mode::Cruise { .. }));
        let outcome = transfer.run(Duration::from_secs(8));
        assert!(
            transfer.controller.bandwidth().abs_diff(12_500_000) < 125_000,
            "{}",
            transfer.controller.bandwidth()
        );
        assert!(outcome.percent >= 95, "{outcome:?}");
        assert!(outcome.peak <= 2 * link().product(), "{outcome:?}");
        assert_eq!(outcome.lost, 0, "{outcome:?}");
    }

    #[test]
    fn a_longer_round_trip_is_believed_after_ten_seconds_and_a_probe_with_little_under_way() {
        let mut transfer = transfer(Link::new(2_500_000, Duration::from_millis(10)));
        transfer.run(Duration::from_secs(2));
        transfer.link = Link::new(2_500_000, Duration::from_millis(15));
        let (mut probes, mut previous) = (0, transfer.controller.mode);
        for step in 0..15_000 {
            transfer.run(Duration::from_millis(1));
            let mode = transfer.controller.mode;
            if let Mode::RoundTrip { until: Some(_), .. } = mode {
                assert!(transfer.controller.window() <= transfer.link.product() / 2 + 4 * SEGMENT);
                assert!(step > 9_900, "{step}");
                probes += u32::from(!matches!(previous, Mode::RoundTrip { until: Some(_), .. }));
            }
            previous = mode;
        }
        assert_eq!(probes, 1);
        let (round_trip, _) = transfer.controller.round_trip.unwrap();
        assert!((15_000..16_500).contains(&round_trip), "{round_trip}");
        let outcome = transfer.run(Duration::from_secs(5));
        assert!(
            outcome.percent >= 95 && outcome.peak <= 2 * transfer.link.product(),
            "{outcome:?}"
        );
    }

    #[test]
    fn loss_by_chance_costs_what_is_lost() {
        for (loss, least) in [(10, 90), (50, 85)] {
            let mut transfer = transfer(link());
            transfer.link.loss = loss;
            transfer.run(Duration::from_secs(1));
            let outcome = transfer.run(Duration::from_secs(5));
            assert!(outcome.percent >= least && outcome.reductions > 50, "{loss}: {outcome:?}");
        }
    }

    #[test]
    fn heavy_loss_bounds_what_is_under_way() {
        let mut transfer = transfer(link());
        transfer.run(Duration::from_secs(1));
        let before = transfer.controller.target();
        transfer.link.loss = 400;
        transfer.run(Duration::from_millis(300));
        assert!(transfer.controller.limit < before, "{} {before}", transfer.controller.limit);
        assert!(transfer.controller.window() <= transfer.controller.limit);
        transfer.link.loss = 0;
        transfer.run(Duration::from_secs(2));
        let outcome = transfer.run(Duration::from_secs(2));
        assert!(outcome.percent >= 90, "{outcome:?}");
    }

    #[test]
    fn a_path_that_becomes_slower_is_found_out() {
        let mut transfer = transfer(link());
        transfer.run(Duration::from_secs(2));
        transfer.link = Link::new(2_500_000, Duration::from_millis(10));
        transfer.run(Duration::from_secs(2));
        let outcome = transfer.run(Duration::from_secs(2));
        assert!(
            transfer.controller.bandwidth().abs_diff(2_500_000) < 50_000,
            "{}",
            transfer.controller.bandwidth()
        );
        assert!(outcome.percent >= 90 && outcome.lost < outcome.sent / 20, "{outcome:?}");
    }

    #[test]
    fn a_timeout_leaves_one_segment_until_something_is_delivered() {
        let mut transfer = transfer(link());
        transfer.run(Duration::from_secs(1));
        let mut controller = transfer.controller;
        let before = controller.window();
        let now = Instant::from_micros(1_000_000);
        controller.timed_out(now, before);
        controller.timed_out(now, SEGMENT);
        assert_eq!(controller.window(), SEGMENT);
        controller.acknowledged(&acknowledgment(now, SEGMENT, Duration::from_millis(10)));
        assert_eq!(controller.window(), 2 * SEGMENT);
        let mut needless = controller.clone();
        needless.undo(now);
        assert_eq!(needless.window(), before);
        controller.recovered(now);
        controller.undo(now);
        controller.acknowledged(&acknowledgment(now, SEGMENT, Duration::from_millis(10)));
        assert_eq!(controller.window(), 4 * SEGMENT);
    }

    #[test]
    fn a_round_that_lost_a_fifth_ends_startup() {
        for (lost, is_full) in [(24, false), (26, true)] {
            let mut controller = Bbr::default();
            controller.set_segment(SEGMENT);
            let mut round = acknowledgment(Instant::ZERO, 100 * SEGMENT, Duration::from_millis(10));
            (round.is_round, round.lost) = (true, lost * SEGMENT);
            controller.acknowledged(&round);
            assert_eq!(
                (controller.is_full, controller.limit < UNLIMITED),
                (is_full, is_full),
                "{lost}"
            );
        }
    }

    #[test]
    fn after_an_idle_time_the_round_trip_needs_no_probe() {
        for is_idle in [false, true] {
            let mut controller = Bbr::default();
            controller.set_segment(SEGMENT);
            controller.acknowledged(&acknowledgment(
                Instant::ZERO,
                SEGMENT,
                Duration::from_millis(10),
            ));
            let now = Instant::ZERO.after(ROUND_TRIP_LIFETIME * 2);
            if is_idle {
                controller.restarted(now, ROUND_TRIP_LIFETIME, PROBE);
            }
            controller.acknowledged(&acknowledgment(now, SEGMENT, Duration::from_millis(20)));
            assert_eq!(matches!(controller.mode, Mode::RoundTrip { .. }), !is_idle);
            assert_eq!(controller.round_trip, Some((20_000, now)));
        }
    }

    #[test]
    fn a_little_bandwidth_that_was_measured_does_not_hold_the_least_window_back() {
        let mut controller = Bbr::default();
        controller.set_segment(1000);
        controller.bandwidth = [6; ROUNDS];
        for mode in [Bbr::cruise(Instant::ZERO), Mode::Drain] {
            controller.mode = mode;
            assert_eq!(controller.pacing_rate(Duration::from_millis(500)), 8000);
        }
    }

    #[test]
    fn loss_or_a_mark_ends_a_probe_for_bandwidth() {
        let mut controller = transfer(link()).controller;
        let now = Instant::from_micros(5);
        for (phase, expected, since) in [(0, 1, now), (1, 1, Instant::ZERO), (4, 4, Instant::ZERO)]
        {
            controller.mode = Mode::Cruise { phase, since: Instant::ZERO };
            controller.congested(now, SEGMENT);
            assert_eq!(controller.mode, Mode::Cruise { phase: expected, since });
        }
    }

    #[test]
    fn acknowledgments_that_come_in_a_bunch_are_no_measure() {
        let mut controller = transfer(link()).controller;
        for (interval, bandwidth) in [(9_999, 0), (10_000, 10_000_000)] {
            let mut bunch = acknowledgment(Instant::ZERO, 100_000, Duration::from_millis(10));
            let interval = Duration::from_micros(interval);
            bunch.rate =
                Some(RateSample { delivered: 100_000, interval, is_application_limited: false });
            controller.acknowledged(&bunch);
            assert_eq!(controller.bandwidth(), bandwidth);
        }
    }

    #[test]
    fn what_a_slow_program_delivers_is_no_measure() {
        let mut controller = Bbr::default();
        controller.set_segment(SEGMENT);
        let mut now = Instant::ZERO;
        let mut send = |controller: &mut Bbr, delivered, is_application_limited| {
            now = now.after(Duration::from_millis(10));
            let mut acknowledgment = acknowledgment(now, delivered, Duration::from_millis(10));
            acknowledgment.is_round = true;
            let interval = Duration::from_millis(10);
            acknowledgment.rate = Some(RateSample { delivered, interval, is_application_limited });
            controller.acknowledged(&acknowledgment);
        };
        send(&mut controller, 100_000, false);
        for _ in 0..50 {
            send(&mut controller, 1_000, true);
        }
        assert_eq!((controller.bandwidth(), controller.is_full), (10_000_000, false));
        // It shows what the path can do at least.
        send(&mut controller, 200_000, true);
        assert_eq!(controller.bandwidth(), 20_000_000);
        for _ in 0..ROUNDS {
            send(&mut controller, 50_000, false);
        }
        assert_eq!((controller.bandwidth(), controller.is_full), (5_000_000, true));
    }
}
