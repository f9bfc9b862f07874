//! BBR (draft-cardwell-iccrg-bbr-congestion-control): a model of the path instead of a loss-driven
//! window. The model is the bottleneck bandwidth (BBR.max_bw) and the minimum round trip
//! (BBR.min_rtt). Data leaves at that bandwidth, and at most about two bandwidth-delay products
//! (BDP) are in flight. Opt-in.
//!
//! BBR.max_bw is the maximum of ten rounds, BBR.min_rtt the minimum of ten seconds. One measurement
//! hides the other, so they are probed for in turn ([`Mode`]). Loss matters little: a lost segment
//! ends a bandwidth probe, a round with 20 % loss bounds the data in flight, and a timeout leaves
//! one segment.

use core::time::Duration;

use super::{
    Acknowledgment, Controller, LARGEST_WINDOW, UNLIMITED, initial_window, micros, per_second,
};
use crate::platform::Instant;

/// MaxBwFilterLen: rounds in the filter of BBR.max_bw.
const MAX_BW_FILTER_LEN: usize = 10;
/// MinRTTFilterLen: how long a minimum round trip stays valid.
const MIN_RTT_WINDOW: Duration = Duration::from_secs(10);
/// ProbeRTTDuration: how long ProbeRTT keeps little data in flight.
const PROBE_RTT_DURATION: Duration = Duration::from_millis(200);
/// StartupPacingGain in hundredths of BBR.max_bw: 4·ln 2, so the rate doubles each round.
const STARTUP_GAIN: u64 = 277;
/// DrainPacingGain: drains the queue that Startup built.
const DRAIN_GAIN: u64 = 36;
/// The pacing gains of ProbeBW: one phase probes for bandwidth, one drains the queue of the probe,
/// and six cruise.
const PACING_GAIN_CYCLE: [u64; 8] = [125, 75, 100, 100, 100, 100, 100, 100];
/// DefaultCwndGain, in hundredths of the BDP.
const CWND_GAIN: u64 = 200;
/// ProbeRTTCwndGain, in hundredths of the BDP.
const PROBE_RTT_CWND_GAIN: u64 = 50;
/// PacingMarginPercent: data leaves slightly below BBR.max_bw, so that no standing queue forms.
const PACING_MARGIN: u64 = 99;
/// Startup ends after this many rounds in which the bandwidth grows by less than a quarter.
const FULL_BW_ROUNDS: u8 = 3;
/// MinPipeCwnd in segments: enough to keep the ACK clock running.
const MIN_PIPE_SEGMENTS: u32 = 4;
/// The maximum of BBR.send_quantum, in bytes.
const MAX_SEND_QUANTUM: u64 = 65_536;

/// BBR.state.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Mode {
    /// Startup: probes for bandwidth with a doubling rate.
    Startup,
    /// Drain: empties the queue that Startup built.
    Drain,
    /// ProbeBW: walks through [`PACING_GAIN_CYCLE`].
    ProbeBw { phase: usize, since: Instant },
    /// ProbeRTT: keeps the queue empty to measure BBR.min_rtt. `until` is set once little data is
    /// in flight; `has_round` once a round trip has passed since.
    ProbeRtt { until: Option<Instant>, has_round: bool },
}

/// The state of BBR.
#[derive(Clone, Debug)]
pub(crate) struct Bbr {
    mss: u32,
    /// cwnd: the congestion window in bytes.
    cwnd: u32,
    /// BBR.prior_cwnd: the window before a timeout or ProbeRTT reduced it.
    prior_cwnd: u32,
    mode: Mode,
    /// The filter of BBR.max_bw: the maximum bytes per second of each round, newest first.
    max_bw: [u64; MAX_BW_FILTER_LEN],
    /// BBR.min_rtt in microseconds, and BBR.min_rtt_stamp.
    min_rtt: Option<(u64, Instant)>,
    /// BBR.full_bw: the bandwidth when it last grew by a quarter; and BBR.full_bw_count: the rounds
    /// since.
    full_bw: u64,
    full_bw_count: u8,
    /// BBR.full_bw_reached: Startup has found the bandwidth.
    full_bw_reached: bool,
    /// The round was application-limited.
    is_application_limited: bool,
    /// Bytes delivered and lost in this round.
    round_delivered: u64,
    round_lost: u64,
    /// BBR.inflight_hi: the bound on data in flight after a round with heavy loss.
    inflight_hi: u32,
    is_timed_out: bool,
    /// BBR.idle_restart: nothing was in flight just before, so no queue hides the round trip.
    is_idle_restart: bool,
}

impl Default for Bbr {
    fn default() -> Self {
        Self {
            mss: 0,
            cwnd: 0,
            prior_cwnd: 0,
            mode: Mode::Startup,
            max_bw: [0; MAX_BW_FILTER_LEN],
            min_rtt: None,
            full_bw: 0,
            full_bw_count: 0,
            full_bw_reached: false,
            is_application_limited: false,
            round_delivered: 0,
            round_lost: 0,
            inflight_hi: UNLIMITED,
            is_timed_out: false,
            is_idle_restart: false,
        }
    }
}

impl Bbr {
    /// BBR.max_bw in bytes per second; 0 while it is unknown.
    fn max_bw(&self) -> u64 {
        self.max_bw.iter().copied().max().unwrap_or(0)
    }

    /// The BDP (BBR.max_bw × BBR.min_rtt) times `gain` hundredths.
    fn bdp(&self, gain: u64) -> u32 {
        let Some((round_trip, _)) = self.min_rtt else { return 0 };
        let bytes = self.max_bw().saturating_mul(round_trip) / 1_000_000;
        (bytes.min(u64::from(LARGEST_WINDOW)) * gain / 100).min(u64::from(LARGEST_WINDOW)) as u32
    }

    fn min_pipe_cwnd(&self) -> u32 {
        MIN_PIPE_SEGMENTS * self.mss
    }

    /// BBR.max_inflight: the gained BDP plus three send quanta, because acknowledgments are
    /// aggregated and delayed.
    fn max_inflight(&self) -> u32 {
        if self.max_bw() == 0 || self.min_rtt.is_none() {
            return initial_window(self.mss);
        }
        let send_quantum =
            (self.max_bw() / 1_000).min(MAX_SEND_QUANTUM).max(u64::from(self.mss)) as u32;
        self.bdp(CWND_GAIN).saturating_add(3 * send_quantum).min(self.inflight_hi)
    }

    /// The window in ProbeRTT.
    fn probe_rtt_cwnd(&self) -> u32 {
        self.bdp(PROBE_RTT_CWND_GAIN).max(self.min_pipe_cwnd())
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
        // A sample over less than a round trip measures ACK compression, not bandwidth.
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
        if is_old || self.min_rtt.is_none_or(|(minimum, _)| measured <= minimum) {
            self.min_rtt = Some((measured, now));
        }
        if is_old && !self.is_idle_restart && !matches!(self.mode, Mode::ProbeRtt { .. }) {
            self.prior_cwnd = self.prior_cwnd.max(self.cwnd);
            self.mode = Mode::ProbeRtt { until: None, has_round: false };
        }
        self.is_idle_restart = false;
    }

    /// A round ended: checks whether the bandwidth still grows and how much was lost.
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
        if self.round_lost.saturating_mul(5) > self.round_lost.saturating_add(self.round_delivered)
        {
            self.full_bw_reached = true;
            let less = self.cwnd - self.cwnd / 10 * 3;
            self.inflight_hi = less.max(self.bdp(100)).max(self.min_pipe_cwnd());
        } else {
            self.inflight_hi = self.inflight_hi.saturating_add(self.inflight_hi / 8);
        }
        self.is_application_limited = false;
        self.round_delivered = 0;
        self.round_lost = 0;
    }

    /// Enters one of the six cruising phases. The clock chooses it, so that senders that share a
    /// path do not probe at the same time.
    fn enter_probe_bw(now: Instant) -> Mode {
        Mode::ProbeBw { phase: 2 + (now.as_micros() % 6) as usize, since: now }
    }

    fn update_mode(&mut self, acknowledgment: &Acknowledgment) {
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
                let minimum = self.min_rtt.map_or(0, |(minimum, _)| minimum);
                let elapsed = micros(now.since(since));
                let is_over = match phase {
                    // The probe lasts until the path had a round trip to show more bandwidth, or
                    // showed loss.
                    0 => {
                        let is_loaded = lost > 0 || in_flight_before >= self.bdp(125);
                        elapsed > minimum && (is_loaded || elapsed > 2 * minimum)
                    }
                    1 => elapsed > minimum || in_flight <= self.bdp(100),
                    _ => elapsed > minimum,
                };
                if is_over {
                    self.mode =
                        Mode::ProbeBw { phase: (phase + 1) % PACING_GAIN_CYCLE.len(), since: now };
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
                    self.leave_probe_rtt(now);
                }
            }
            _ => {}
        }
    }

    fn leave_probe_rtt(&mut self, now: Instant) {
        self.min_rtt = self.min_rtt.map(|(minimum, _)| (minimum, now));
        if !self.is_timed_out {
            self.cwnd = self.cwnd.max(self.prior_cwnd);
        }
        self.mode = if self.full_bw_reached { Self::enter_probe_bw(now) } else { Mode::Startup };
    }

    fn update_cwnd(&mut self, delivered: u32) {
        let max_inflight = self.max_inflight();
        let grown = self.cwnd.saturating_add(delivered);
        // Before the bandwidth is known, a low target does not shrink the window.
        self.cwnd = if self.full_bw_reached {
            grown.min(max_inflight)
        } else {
            grown.min(max_inflight.max(self.cwnd))
        };
        if matches!(self.mode, Mode::ProbeRtt { .. }) {
            self.cwnd = self.cwnd.min(self.probe_rtt_cwnd());
        }
        let minimum = if self.is_timed_out { self.mss } else { self.min_pipe_cwnd() };
        self.cwnd = self.cwnd.min(self.inflight_hi).clamp(minimum, LARGEST_WINDOW);
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
        self.round_delivered =
            self.round_delivered.saturating_add(u64::from(acknowledgment.delivered));
        self.round_lost = self.round_lost.saturating_add(u64::from(acknowledgment.lost));
        self.update_max_bw(acknowledgment);
        self.update_min_rtt(acknowledgment);
        if acknowledgment.is_round {
            self.end_round();
        }
        self.update_mode(acknowledgment);
        self.update_cwnd(acknowledgment.delivered);
    }

    /// Ends a bandwidth probe and nothing else: the end of the round evaluates how much was lost.
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

    /// Keeps BBR.max_bw: pacing prevents a burst.
    fn on_idle_restart(&mut self, now: Instant, _: Duration, _: Duration) {
        self.is_idle_restart = true;
        if let Mode::ProbeBw { .. } = self.mode {
            self.mode = Self::enter_probe_bw(now);
        }
    }

    fn set_mss(&mut self, mss: u32) {
        let is_first = self.mss == 0;
        self.mss = mss.clamp(1, 0xffff);
        self.cwnd = if is_first { initial_window(self.mss) } else { self.cwnd.max(self.mss) };
    }

    fn restrict_initial_window(&mut self) {
        self.cwnd = self.mss;
    }

    fn pacing_rate(&self, srtt: Duration) -> u64 {
        let first = per_second(initial_window(self.mss), srtt);
        let (rate, gain) = match (self.max_bw(), self.mode) {
            (0, _) => (first, STARTUP_GAIN),
            (known, Mode::Startup) => (known.max(first), STARTUP_GAIN),
            (known, Mode::Drain) => (known, DRAIN_GAIN),
            (known, Mode::ProbeBw { phase, .. }) => {
                (known, PACING_GAIN_CYCLE.get(phase).copied().unwrap_or(100))
            }
            (known, Mode::ProbeRtt { .. }) => (known, 100),
        };
        // An application-limited or window-limited flow measures little; the minimum window still
        // leaves in each round trip.
        let minimum = per_second(self.min_pipe_cwnd(), srtt).max(1);
        if rate == u64::MAX {
            rate
        } else {
            (rate.saturating_mul(gain * PACING_MARGIN) / 10_000).max(minimum)
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

    /// 100 Mbit/s and 10 ms: a BDP of 125,000 bytes.
    fn link() -> Link {
        Link::new(12_500_000, Duration::from_millis(10))
    }

    fn transfer(link: Link) -> Transfer<Bbr> {
        let mut controller = Bbr::default();
        controller.set_mss(MSS);
        Transfer::new(controller, link)
    }

    #[test]
    fn it_finds_the_bandwidth_and_keeps_less_than_two_bdp_in_flight() {
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
    fn a_longer_min_rtt_is_accepted_after_ten_seconds_and_a_probe_rtt() {
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
    fn random_loss_costs_only_the_lost_data() {
        for (loss, minimum) in [(10, 90), (50, 85)] {
            let mut transfer = transfer(link());
            transfer.link.loss = loss;
            transfer.run(Duration::from_secs(1));
            let outcome = transfer.run(Duration::from_secs(5));
            assert!(outcome.percent >= minimum && outcome.reductions > 50, "{loss}: {outcome:?}");
        }
    }

    #[test]
    fn heavy_loss_bounds_the_data_in_flight() {
        let mut transfer = transfer(link());
        transfer.run(Duration::from_secs(1));
        let before = transfer.controller.max_inflight();
        transfer.link.loss = 400;
        transfer.run(Duration::from_millis(300));
        assert!(
            transfer.controller.inflight_hi < before,
            "{} {before}",
            transfer.controller.inflight_hi
        );
        assert!(transfer.controller.cwnd() <= transfer.controller.inflight_hi);
        transfer.link.loss = 0;
        transfer.run(Duration::from_secs(2));
        let outcome = transfer.run(Duration::from_secs(2));
        assert!(outcome.percent >= 90, "{outcome:?}");
    }

    #[test]
    fn a_slower_path_is_detected() {
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
        let mut spurious = controller.clone();
        spurious.undo(now);
        assert_eq!(spurious.cwnd(), before);
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
                (controller.full_bw_reached, controller.inflight_hi < UNLIMITED),
                (full_bw_reached, full_bw_reached),
                "{lost}"
            );
        }
    }

    #[test]
    fn after_an_idle_period_no_probe_rtt_is_needed() {
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
    fn a_low_bandwidth_sample_does_not_block_the_minimum_window() {
        let mut controller = Bbr::default();
        controller.set_mss(1000);
        controller.max_bw = [6; MAX_BW_FILTER_LEN];
        for mode in [Bbr::enter_probe_bw(Instant::ZERO), Mode::Drain] {
            controller.mode = mode;
            assert_eq!(controller.pacing_rate(Duration::from_millis(500)), 8000);
        }
    }

    #[test]
    fn loss_or_ece_ends_a_bandwidth_probe() {
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
    fn compressed_acknowledgments_give_no_sample() {
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
    fn application_limited_samples_do_not_count() {
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
        // A rate above the maximum raises it even when the sample is application-limited.
        send(&mut controller, 200_000, true);
        assert_eq!(controller.max_bw(), 20_000_000);
        for _ in 0..MAX_BW_FILTER_LEN {
            send(&mut controller, 50_000, false);
        }
        assert_eq!((controller.max_bw(), controller.full_bw_reached), (5_000_000, true));
    }
}
