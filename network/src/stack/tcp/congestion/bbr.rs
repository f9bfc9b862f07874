//! A model of the path instead of a window (BBR, draft-cardwell-iccrg-bbr-congestion-control): how
//! fast it delivers and how short its round trip is. Data leaves at that rate, and about two
//! products of both are under way at most. Opt-in.
//!
//! The max_bw is the most that was measured in ten rounds, the round trip the least in ten
//! seconds; as one hides the other, they are looked for one after the other ([`Mode`]). Loss says
//! little to it: a lost segment ends a probe for more max_bw, a round that lost a fifth of its
//! data bounds what may be under way, and a timeout leaves one segment.

use core::time::Duration;

use super::{
    Acknowledgment, Controller, LARGEST_WINDOW, UNLIMITED, initial_window, micros, per_second,
};
use crate::platform::Instant;

/// Rounds in which the most max_bw is looked for.
const ROUNDS: usize = 10;
/// How long a round trip is believed to be the least.
const MIN_RTT_WINDOW: Duration = Duration::from_secs(10);
/// How long little is under way to measure it anew.
const PROBE_RTT_DURATION: Duration = Duration::from_millis(200);
/// Pacing in hundredths of the max_bw while it is not known: 4·ln 2, so that the rate doubles in
/// each round.
const STARTUP_GAIN: u64 = 277;
/// And afterwards until the queue that this made is gone.
const DRAIN_GAIN: u64 = 36;
/// Later: one round trip for more, one for the queue that this made, six without either.
const CYCLE: [u64; 8] = [125, 75, 100, 100, 100, 100, 100, 100];
/// What may be under way, in hundredths of the bdp.
const WINDOW_GAIN: u64 = 200;
/// And while the round trip is measured.
const PROBE_WINDOW_GAIN: u64 = 50;
/// Data leaves slightly slower than it arrives, so that no queue stays.
const MARGIN: u64 = 99;
/// Rounds without a quarter more max_bw after which there is no more.
const FULL_BW_ROUNDS: u8 = 3;
/// Segments that keep acknowledgments coming.
const MIN_PIPE_SEGMENTS: u32 = 4;
/// The bytes that a sender hands over in one piece at most.
const LARGEST_PIECE: u64 = 65_536;

/// What is being done about the model.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Mode {
    /// The max_bw is looked for.
    Startup,
    /// The queue of that is emptied.
    Drain,
    /// Phases of [`CYCLE`].
    ProbeBw { phase: usize, since: Instant },
    /// The queue is kept empty to measure the round trip; until then, once it is, and whether a
    /// round passed.
    ProbeRtt { until: Option<Instant>, has_round: bool },
}

/// The model.
#[derive(Clone, Debug)]
pub(crate) struct Bbr {
    mss: u32,
    cwnd: u32,
    /// What the window was before a timeout or a measurement of the round trip made it small.
    prior_cwnd: u32,
    mode: Mode,
    /// The most bytes per second of each round, the newest first.
    max_bw: [u64; ROUNDS],
    /// The least round trip in microseconds, and when it was measured.
    min_rtt: Option<(u64, Instant)>,
    /// The max_bw when it last grew by a quarter, and the rounds since then.
    full_bw: u64,
    full_bw_count: u8,
    /// The max_bw was found.
    full_bw_reached: bool,
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
            mss: 0,
            cwnd: 0,
            prior_cwnd: 0,
            mode: Mode::Startup,
            max_bw: [0; ROUNDS],
            min_rtt: None,
            full_bw: 0,
            full_bw_count: 0,
            full_bw_reached: false,
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
    fn max_bw(&self) -> u64 {
        self.max_bw.iter().copied().max().unwrap_or(0)
    }

    /// This many hundredths of the max_bw times the round trip.
    fn bdp(&self, gain: u64) -> u32 {
        let Some((round_trip, _)) = self.min_rtt else { return 0 };
        let bytes = self.max_bw().saturating_mul(round_trip) / 1_000_000;
        (bytes.min(u64::from(LARGEST_WINDOW)) * gain / 100).min(u64::from(LARGEST_WINDOW)) as u32
    }

    fn min_pipe_cwnd(&self) -> u32 {
        MIN_PIPE_SEGMENTS * self.mss
    }

    /// What may be under way: the share of the bdp, and three pieces, because acknowledgments
    /// come for several segments at once and late.
    fn target(&self) -> u32 {
        if self.max_bw() == 0 || self.min_rtt.is_none() {
            return initial_window(self.mss);
        }
        let piece = (self.max_bw() / 1_000).min(LARGEST_PIECE).max(u64::from(self.mss)) as u32;
        self.bdp(WINDOW_GAIN).saturating_add(3 * piece).min(self.limit)
    }

    /// What is under way while the round trip is measured.
    fn probe_rtt_cwnd(&self) -> u32 {
        self.bdp(PROBE_WINDOW_GAIN).max(self.min_pipe_cwnd())
    }

    fn update_max_bw(&mut self, acknowledgment: &Acknowledgment) {
        let best = self.max_bw();
        if acknowledgment.is_round && self.max_bw.first().is_some_and(|newest| *newest > 0) {
            self.max_bw.rotate_right(1);
            let [newest, ..] = &mut self.max_bw;
            *newest = 0;
        }
        let Some(sample) = acknowledgment.rate else { return };
        self.is_application_limited |= sample.is_application_limited;
        // What is acknowledged faster than a round trip came in a bunch.
        if sample.interval < acknowledgment.min_rtt || sample.interval.is_zero() {
            return;
        }
        let rate = per_second(sample.delivered, sample.interval);
        if !sample.is_application_limited || rate >= best {
            let [newest, ..] = &mut self.max_bw;
            *newest = rate.max(*newest);
        }
    }

    fn update_min_rtt(&mut self, acknowledgment: &Acknowledgment) {
        let now = acknowledgment.now;
        let Some(measured) = acknowledgment.rtt else { return };
        let measured = micros(measured).max(1);
        let is_old = self.min_rtt.is_some_and(|(_, at)| now.since(at) > MIN_RTT_WINDOW);
        if is_old || self.min_rtt.is_none_or(|(least, _)| measured <= least) {
            self.min_rtt = Some((measured, now));
        }
        if is_old && !self.is_restarted && !matches!(self.mode, Mode::ProbeRtt { .. }) {
            self.prior_cwnd = self.prior_cwnd.max(self.cwnd);
            self.mode = Mode::ProbeRtt { until: None, has_round: false };
        }
        self.is_restarted = false;
    }

    /// A round ended: did it deliver more than those before, and how much did it lose?
    fn end_round(&mut self) {
        let max_bw = self.max_bw();
        if !self.full_bw_reached && !self.is_application_limited {
            if max_bw >= self.full_bw.saturating_add(self.full_bw / 4) {
                self.full_bw = max_bw;
                self.full_bw_count = 0;
            } else {
                self.full_bw_count += 1;
                self.full_bw_reached = self.full_bw_count >= FULL_BW_ROUNDS;
            }
        }
        if self.lost.saturating_mul(5) > self.lost.saturating_add(self.delivered) {
            self.full_bw_reached = true;
            let less = self.cwnd - self.cwnd / 10 * 3;
            self.limit = less.max(self.bdp(100)).max(self.min_pipe_cwnd());
        } else {
            self.limit = self.limit.saturating_add(self.limit / 8);
        }
        self.is_application_limited = false;
        self.delivered = 0;
        self.lost = 0;
    }

    /// The six phases of rest: one of them by the clock, so that senders that share a path do not
    /// probe at the same time.
    fn enter_probe_bw(now: Instant) -> Mode {
        Mode::ProbeBw { phase: 2 + (now.as_micros() % 6) as usize, since: now }
    }

    fn change_mode(&mut self, acknowledgment: &Acknowledgment) {
        let Acknowledgment { now, in_flight, in_flight_before, lost, is_round, .. } =
            *acknowledgment;
        if self.mode == Mode::Startup && self.full_bw_reached {
            self.mode = Mode::Drain;
        }
        if self.mode == Mode::Drain && in_flight <= self.bdp(100) {
            self.mode = Self::enter_probe_bw(now);
        }
        match self.mode {
            Mode::ProbeBw { phase, since } => {
                let least = self.min_rtt.map_or(0, |(least, _)| least);
                let elapsed = micros(now.since(since));
                let is_over = match phase {
                    // Until the path had the time to show it, or said that there is no more.
                    0 => {
                        let is_loaded = lost > 0 || in_flight_before >= self.bdp(125);
                        elapsed > least && (is_loaded || elapsed > 2 * least)
                    }
                    1 => elapsed > least || in_flight <= self.bdp(100),
                    _ => elapsed > least,
                };
                if is_over {
                    self.mode = Mode::ProbeBw { phase: (phase + 1) % CYCLE.len(), since: now };
                }
            }
            Mode::ProbeRtt { until: None, .. } if in_flight <= self.probe_rtt_cwnd() => {
                self.mode =
                    Mode::ProbeRtt { until: Some(now.after(PROBE_RTT_DURATION)), has_round: false };
            }
            Mode::ProbeRtt { until: Some(until), has_round } => {
                let has_round = has_round || is_round;
                self.mode = Mode::ProbeRtt { until: Some(until), has_round };
                if has_round && now >= until {
                    self.end_probe(now);
                }
            }
            _ => {}
        }
    }

    fn end_probe(&mut self, now: Instant) {
        self.min_rtt = self.min_rtt.map(|(least, _)| (least, now));
        if !self.is_timed_out {
            self.cwnd = self.cwnd.max(self.prior_cwnd);
        }
        self.mode = if self.full_bw_reached { Self::enter_probe_bw(now) } else { Mode::Startup };
    }

    fn set_window(&mut self, delivered: u32) {
        let target = self.target();
        let grown = self.cwnd.saturating_add(delivered);
        // Before the max_bw is known, a target that is too low takes nothing away.
        self.cwnd =
            if self.full_bw_reached { grown.min(target) } else { grown.min(target.max(self.cwnd)) };
        if matches!(self.mode, Mode::ProbeRtt { .. }) {
            self.cwnd = self.cwnd.min(self.probe_rtt_cwnd());
        }
        let least = if self.is_timed_out { self.mss } else { self.min_pipe_cwnd() };
        self.cwnd = self.cwnd.min(self.limit).clamp(least, LARGEST_WINDOW);
    }
}

impl Controller for Bbr {
    fn cwnd(&self) -> u32 {
        self.cwnd
    }

    fn ssthresh(&self) -> u32 {
        if self.full_bw_reached { self.cwnd } else { UNLIMITED }
    }

    fn on_ack(&mut self, acknowledgment: &Acknowledgment) {
        self.delivered = self.delivered.saturating_add(u64::from(acknowledgment.delivered));
        self.lost = self.lost.saturating_add(u64::from(acknowledgment.lost));
        self.update_max_bw(acknowledgment);
        self.update_min_rtt(acknowledgment);
        if acknowledgment.is_round {
            self.end_round();
        }
        self.change_mode(acknowledgment);
        self.set_window(acknowledgment.delivered);
    }

    /// Ends a probe for more max_bw, nothing else: how much was lost is counted by the round.
    fn on_congestion(&mut self, now: Instant, _: u32) {
        if let Mode::ProbeBw { phase: 0, .. } = self.mode {
            self.mode = Mode::ProbeBw { phase: 1, since: now };
        }
    }

    fn on_recovered(&mut self, _: Instant) {
        self.is_timed_out = false;
    }

    fn on_timeout(&mut self, _: Instant, _: u32) {
        if !self.is_timed_out {
            self.prior_cwnd = self.cwnd;
            self.is_timed_out = true;
        }
        self.cwnd = self.mss;
    }

    fn undo(&mut self, _: Instant) {
        if core::mem::take(&mut self.is_timed_out) {
            self.cwnd = self.cwnd.max(self.prior_cwnd);
        }
    }

    /// What is known of the max_bw is kept: pacing sees to it that no burst comes of it.
    fn on_idle_restart(&mut self, now: Instant, _: Duration, _: Duration) {
        self.is_restarted = true;
        if let Mode::ProbeBw { .. } = self.mode {
            self.mode = Self::enter_probe_bw(now);
        }
    }

    fn set_mss(&mut self, mss: u32) {
        let is_first = self.mss == 0;
        self.mss = mss.clamp(1, 0xffff);
        self.cwnd = if is_first { initial_window(self.mss) } else { self.cwnd.max(self.mss) };
    }

    fn pacing_rate(&self, srtt: Duration) -> u64 {
        let first = per_second(initial_window(self.mss), srtt);
        let (rate, gain) = match (self.max_bw(), self.mode) {
            (0, _) => (first, STARTUP_GAIN),
            (known, Mode::Startup) => (known.max(first), STARTUP_GAIN),
            (known, Mode::Drain) => (known, DRAIN_GAIN),
            (known, Mode::ProbeBw { phase, .. }) => {
                (known, CYCLE.get(phase).copied().unwrap_or(100))
            }
            (known, Mode::ProbeRtt { .. }) => (known, 100),
        };
        // A program or a window that let a few bytes through at a time measured little; the least
        // window still leaves in each round trip.
        let least = per_second(self.min_pipe_cwnd(), srtt).max(1);
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
    use super::super::test_transfer::{Link, MSS, Transfer, acknowledgment};
    use super::*;

    /// 100 Mbit/s and 10 ms: a bdp of 125,000 bytes.
    fn link() -> Link {
        Link::new(12_500_000, Duration::from_millis(10))
    }

    fn transfer(link: Link) -> Transfer<Bbr> {
        let mut controller = Bbr::default();
        controller.set_mss(MSS);
        Transfer::new(controller, link)
    }

    #[test]
    fn it_finds_the_bandwidth_and_keeps_less_than_two_products_under_way() {
        let mut transfer = transfer(link());
        transfer.run(Duration::from_secs(1));
        assert!(matches!(transfer.controller.mode, Mode::ProbeBw { .. }));
        let outcome = transfer.run(Duration::from_secs(8));
        assert!(
            transfer.controller.max_bw().abs_diff(12_500_000) < 125_000,
            "{}",
            transfer.controller.max_bw()
        );
        assert!(outcome.percent >= 95, "{outcome:?}");
        assert!(outcome.peak <= 2 * link().bdp(), "{outcome:?}");
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
            if let Mode::ProbeRtt { until: Some(_), .. } = mode {
                assert!(transfer.controller.cwnd() <= transfer.link.bdp() / 2 + 4 * MSS);
                assert!(step > 9_900, "{step}");
                probes += u32::from(!matches!(previous, Mode::ProbeRtt { until: Some(_), .. }));
            }
            previous = mode;
        }
        assert_eq!(probes, 1);
        let (round_trip, _) = transfer.controller.min_rtt.unwrap();
        assert!((15_000..16_500).contains(&round_trip), "{round_trip}");
        let outcome = transfer.run(Duration::from_secs(5));
        assert!(outcome.percent >= 95 && outcome.peak <= 2 * transfer.link.bdp(), "{outcome:?}");
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
        assert!(transfer.controller.cwnd() <= transfer.controller.limit);
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
            transfer.controller.max_bw().abs_diff(2_500_000) < 50_000,
            "{}",
            transfer.controller.max_bw()
        );
        assert!(outcome.percent >= 90 && outcome.lost < outcome.sent / 20, "{outcome:?}");
    }

    #[test]
    fn a_timeout_leaves_one_segment_until_something_is_delivered() {
        let mut transfer = transfer(link());
        transfer.run(Duration::from_secs(1));
        let mut controller = transfer.controller;
        let before = controller.cwnd();
        let now = Instant::from_micros(1_000_000);
        controller.on_timeout(now, before);
        controller.on_timeout(now, MSS);
        assert_eq!(controller.cwnd(), MSS);
        controller.on_ack(&acknowledgment(now, MSS, Duration::from_millis(10)));
        assert_eq!(controller.cwnd(), 2 * MSS);
        let mut needless = controller.clone();
        needless.undo(now);
        assert_eq!(needless.cwnd(), before);
        controller.on_recovered(now);
        controller.undo(now);
        controller.on_ack(&acknowledgment(now, MSS, Duration::from_millis(10)));
        assert_eq!(controller.cwnd(), 4 * MSS);
    }

    #[test]
    fn a_round_that_lost_a_fifth_ends_startup() {
        for (lost, full_bw_reached) in [(24, false), (26, true)] {
            let mut controller = Bbr::default();
            controller.set_mss(MSS);
            let mut round = acknowledgment(Instant::ZERO, 100 * MSS, Duration::from_millis(10));
            (round.is_round, round.lost) = (true, lost * MSS);
            controller.on_ack(&round);
            assert_eq!(
                (controller.full_bw_reached, controller.limit < UNLIMITED),
                (full_bw_reached, full_bw_reached),
                "{lost}"
            );
        }
    }

    #[test]
    fn after_an_idle_time_the_round_trip_needs_no_probe() {
        for is_idle in [false, true] {
            let mut controller = Bbr::default();
            controller.set_mss(MSS);
            controller.on_ack(&acknowledgment(Instant::ZERO, MSS, Duration::from_millis(10)));
            let now = Instant::ZERO.after(MIN_RTT_WINDOW * 2);
            if is_idle {
                controller.on_idle_restart(now, MIN_RTT_WINDOW, PROBE_RTT_DURATION);
            }
            controller.on_ack(&acknowledgment(now, MSS, Duration::from_millis(20)));
            assert_eq!(matches!(controller.mode, Mode::ProbeRtt { .. }), !is_idle);
            assert_eq!(controller.min_rtt, Some((20_000, now)));
        }
    }

    #[test]
    fn a_little_bandwidth_that_was_measured_does_not_hold_the_least_window_back() {
        let mut controller = Bbr::default();
        controller.set_mss(1000);
        controller.max_bw = [6; ROUNDS];
        for mode in [Bbr::enter_probe_bw(Instant::ZERO), Mode::Drain] {
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
            controller.mode = Mode::ProbeBw { phase, since: Instant::ZERO };
            controller.on_congestion(now, MSS);
            assert_eq!(controller.mode, Mode::ProbeBw { phase: expected, since });
        }
    }

    #[test]
    fn acknowledgments_that_come_in_a_bunch_are_no_measure() {
        let mut controller = transfer(link()).controller;
        for (interval, max_bw) in [(9_999, 0), (10_000, 10_000_000)] {
            let mut bunch = acknowledgment(Instant::ZERO, 100_000, Duration::from_millis(10));
            let interval = Duration::from_micros(interval);
            bunch.rate =
                Some(RateSample { delivered: 100_000, interval, is_application_limited: false });
            controller.on_ack(&bunch);
            assert_eq!(controller.max_bw(), max_bw);
        }
    }

    #[test]
    fn what_a_slow_program_delivers_is_no_measure() {
        let mut controller = Bbr::default();
        controller.set_mss(MSS);
        let mut now = Instant::ZERO;
        let mut send = |controller: &mut Bbr, delivered, is_application_limited| {
            now = now.after(Duration::from_millis(10));
            let mut acknowledgment = acknowledgment(now, delivered, Duration::from_millis(10));
            acknowledgment.is_round = true;
            let interval = Duration::from_millis(10);
            acknowledgment.rate = Some(RateSample { delivered, interval, is_application_limited });
            controller.on_ack(&acknowledgment);
        };
        send(&mut controller, 100_000, false);
        for _ in 0..50 {
            send(&mut controller, 1_000, true);
        }
        assert_eq!((controller.max_bw(), controller.full_bw_reached), (10_000_000, false));
        // It shows what the path can do at least.
        send(&mut controller, 200_000, true);
        assert_eq!(controller.max_bw(), 20_000_000);
        for _ in 0..ROUNDS {
            send(&mut controller, 50_000, false);
        }
        assert_eq!((controller.max_bw(), controller.full_bw_reached), (5_000_000, true));
    }
}
