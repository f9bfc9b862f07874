//! CUBIC (RFC 9438): after loss the window follows a cubic function of time back to W_max, stays
//! near it, and then probes for more.
//!
//! [`Window`] does slow start and timeouts; this file owns the [`Curve`]. Fixed point: C·t³ is
//! computed in milliseconds and 1/1024 of a segment, W_est in 1/65536 of a byte.

use core::time::Duration;

use super::window::Window;
use super::{Acknowledgment, Controller, LARGEST_WINDOW, micros};
use crate::platform::Instant;

/// β_cubic (beta_cubic) = 0.7, the multiplicative decrease factor (§4.6), in tenths.
const BETA: u64 = 7;
/// Fast convergence sets W_max to cwnd · (1 + β_cubic) / 2 (§4.7), in hundredths.
const FAST_CONVERGENCE: u64 = 85;
/// α_cubic (alpha_cubic) = 3·(1 − β_cubic) / (1 + β_cubic) = 9/17 segments per round trip: the
/// increase of W_est that is fair to Reno (§4.3).
const ALPHA_CUBIC: u64 = (9 << 16) / 17;
/// α_cubic once W_est has reached cwnd_prior: one segment per round trip, as Reno.
const ALPHA_RENO: u64 = 1 << 16;
/// The maximum of |t − K| in milliseconds; windows reach their limit before.
const MAX_T_MINUS_K: u64 = 1_000_000;

/// The CUBIC controller.
#[derive(Clone, Debug, Default)]
pub(crate) struct Cubic {
    window: Window,
    curve: Curve,
    /// The state before the last reduction, to undo it when it was spurious (§4.9).
    undo_state: Option<(Window, Curve)>,
}

impl Cubic {
    /// The window after loss: β_cubic times the window in use.
    fn ssthresh_after(used: u32) -> u32 {
        (u64::from(used) * BETA / 10) as u32
    }
}

impl Controller for Cubic {
    fn cwnd(&self) -> u32 {
        self.window.cwnd()
    }

    fn ssthresh(&self) -> u32 {
        self.window.ssthresh()
    }

    fn on_ack(&mut self, acknowledgment: &Acknowledgment) {
        if self.window.on_ack(acknowledgment) {
            self.window.set_cwnd(self.curve.next_cwnd(
                acknowledgment,
                self.window.cwnd(),
                self.window.mss(),
            ));
        } else {
            self.curve.exclude_time(acknowledgment.now);
        }
    }

    fn on_congestion(&mut self, _: Instant, in_flight: u32) {
        self.undo_state = Some((self.window, self.curve));
        let used = self.window.used_cwnd(in_flight);
        self.curve.on_loss(used);
        self.window.reduce(Self::ssthresh_after(used));
    }

    fn on_recovered(&mut self, _: Instant) {
        self.window.on_recovered();
    }

    fn on_timeout(&mut self, _: Instant, in_flight: u32) {
        let used = self.window.used_cwnd(in_flight);
        if !self.window.is_timed_out() {
            self.undo_state = Some((self.window, self.curve));
            // A timeout resets the curve (§4.8): the next epoch starts with K = 0 where slow start
            // ends.
            self.curve = Curve { cwnd_prior: used, ..Curve::default() };
        }
        self.window.reduce_to_loss_window(Self::ssthresh_after(used));
    }

    fn undo(&mut self, now: Instant) {
        if let Some((window, curve)) = self.undo_state.take() {
            self.window.undo(&window);
            self.curve = curve;
            self.curve.exclude_time(now);
        }
    }

    fn on_idle_restart(&mut self, now: Instant, idle: Duration, timeout: Duration) {
        self.curve.exclude_time(now);
        if self.window.on_idle_restart(idle, timeout) {
            self.curve.epoch = None;
            self.undo_state = None;
        }
    }

    fn set_mss(&mut self, mss: u32) {
        self.window.set_mss(mss);
        // The curve counts segments, so a new segment size starts a new epoch.
        self.curve.epoch = None;
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

/// The cubic function of congestion avoidance (§4.2).
#[derive(Clone, Copy, Debug, Default)]
struct Curve {
    /// W_max: the window before the last reduction, where the curve is flat: concave below it,
    /// convex above it (§4.4, §4.5). It is smaller than
    /// cwnd when nothing is known.
    w_max: u32,
    /// cwnd_prior: the window just before the last reduction.
    cwnd_prior: u32,
    /// The current epoch; starts with the first acknowledgment in congestion avoidance.
    epoch: Option<Epoch>,
}

/// One stage of congestion avoidance, from t_epoch on, when cwnd was cwnd_epoch.
#[derive(Clone, Copy, Debug)]
struct Epoch {
    /// t: the microseconds since t_epoch in which the window could grow. Idle and
    /// application-limited times do not count (§5.8).
    t: u64,
    last: Instant,
    /// K: milliseconds until the curve reaches its plateau; and the window at the plateau.
    k: u64,
    origin: u32,
    /// W_est: the estimate of Reno's window, in 1/65536 bytes.
    w_est: u64,
    /// The remainder of the window increase, in bytes times cwnd.
    remainder: u64,
}

impl Curve {
    /// Loss in a window of `used` bytes sets W_max and cwnd_prior and ends the epoch.
    fn on_loss(&mut self, used: u32) {
        // Fast convergence: a window below the last W_max releases bandwidth to other flows (§4.7).
        let is_below_w_max = used < self.w_max;
        self.w_max =
            if is_below_w_max { (u64::from(used) * FAST_CONVERGENCE / 100) as u32 } else { used };
        self.cwnd_prior = used;
        self.epoch = None;
    }

    /// Excludes the time until `now` from t: the window could not grow in it.
    fn exclude_time(&mut self, now: Instant) {
        if let Some(epoch) = &mut self.epoch {
            epoch.last = now;
        }
    }

    /// Computes cwnd after an acknowledgment.
    fn next_cwnd(&mut self, acknowledgment: &Acknowledgment, window: u32, mss: u32) -> u32 {
        let Self { w_max, cwnd_prior, ref mut epoch } = *self;
        let epoch = epoch.get_or_insert_with(|| Epoch::new(acknowledgment.now, w_max, window, mss));
        epoch.advance(acknowledgment.now);
        let delivered = u64::from(acknowledgment.delivered.min(window));
        epoch.update_w_est(delivered, cwnd_prior, window, mss);
        let w_est = (epoch.w_est >> 16).min(u64::from(LARGEST_WINDOW)) as u32;
        if epoch.w_cubic(0, mss) < u64::from(w_est) {
            return window.max(w_est);
        }
        // target = W_cubic(t + RTT), between cwnd and 1.5·cwnd (§4.2).
        let bytes = u64::from(window);
        let target =
            epoch.w_cubic(micros(acknowledgment.srtt), mss).clamp(bytes, bytes + bytes / 2);
        epoch.remainder += (target - bytes) * delivered;
        let growth = epoch.remainder / bytes.max(1);
        epoch.remainder -= growth * bytes;
        window.saturating_add(growth as u32)
    }
}

impl Epoch {
    fn new(now: Instant, w_max: u32, window: u32, mss: u32) -> Self {
        // K = ∛((W_max − cwnd_epoch) / C), with C = 0.4 segments per second³.
        let below_w_max = u64::from(w_max.saturating_sub(window).min(LARGEST_WINDOW));
        let k = cube_root(below_w_max * 2_500_000_000 / u64::from(mss.max(1)));
        Self {
            t: 0,
            last: now,
            k,
            origin: w_max.max(window),
            w_est: u64::from(window) << 16,
            remainder: 0,
        }
    }

    fn advance(&mut self, now: Instant) {
        self.t = self.t.saturating_add(micros(now.since(self.last)));
        self.last = now;
    }

    /// W_cubic(t + `later`) in bytes; `later` in microseconds (§4.2).
    fn w_cubic(&self, later: u64, mss: u32) -> u64 {
        let time = self.t.saturating_add(later) / 1_000;
        let t_minus_k = time.abs_diff(self.k).min(MAX_T_MINUS_K);
        // C·|t − K|³ = 0.4 / 1000³ segments, in 1/1024 segments.
        let segments = t_minus_k * t_minus_k * t_minus_k / 2_441_406;
        let height = (segments * u64::from(mss)) >> 10;
        let origin = u64::from(self.origin);
        if time < self.k { origin.saturating_sub(height) } else { origin + height }
    }

    /// Updates W_est: α_cubic rises to one once W_est has reached cwnd_prior (§4.3).
    fn update_w_est(&mut self, delivered: u64, cwnd_prior: u32, window: u32, mss: u32) {
        let alpha = if self.w_est >> 16 < u64::from(cwnd_prior) { ALPHA_CUBIC } else { ALPHA_RENO };
        // At most 2³⁰ · 2¹⁶ · 2¹⁶.
        let growth = delivered * u64::from(mss) * alpha / u64::from(window.max(1));
        self.w_est = self.w_est.saturating_add(growth).min(u64::from(LARGEST_WINDOW) << 16);
    }
}

/// The integer cube root, bit by bit.
fn cube_root(value: u64) -> u64 {
    // The cube root of 2⁶⁴ is below 2²².
    (0..22).rev().fold(0, |root: u64, bit| {
        let next = root | 1 << bit;
        // (2²² − 1)³ overflows u64.
        if next
            .checked_mul(next)
            .and_then(|square| square.checked_mul(next))
            .is_some_and(|cube| cube <= value)
        {
            next
        } else {
            root
        }
    })
}

#[cfg(test)]
mod tests {
    use super::super::test_transfer::{MSS, acknowledgment, round};
    use super::*;

    /// A controller in congestion avoidance whose window is the limit.
    fn at(bytes: u32) -> Cubic {
        let mut controller = Cubic::default();
        controller.set_mss(MSS);
        controller.window.reduce(bytes);
        controller.on_ack(&acknowledgment(Instant::ZERO, 0, Duration::from_millis(1)));
        controller
    }

    /// Acknowledges rounds until the window is `bytes`; returns the time in milliseconds.
    fn time_until(
        controller: &mut Cubic,
        bytes: u32,
        now: &mut Instant,
        round_trip: Duration,
    ) -> u64 {
        while controller.cwnd() < bytes {
            *now = round(controller, *now, round_trip);
            assert!(*now < Instant::from_micros(1_000_000_000), "stays at {}", controller.cwnd());
        }
        now.as_micros() / 1_000
    }

    #[test]
    fn cube_roots_are_exact() {
        for root in [0, 1, 2, 3, 10, 99, 4_217, 1_000_000, 2_642_245_u64] {
            let cube = root * root * root;
            assert_eq!(cube_root(cube), root);
            assert_eq!(cube_root(cube.saturating_sub(1)), root.saturating_sub(1));
        }
        assert_eq!(cube_root(u64::MAX), 2_642_245);
    }

    #[test]
    fn cc_05_loss_leaves_beta_and_w_max_is_reached_after_k() {
        // K = ∛(W·0.3/0.4) seconds: 4,217 ms for 100 segments, 9,086 ms for 1,000, 42,172 ms for
        // 100,000.
        for (segments, k) in [(100, 4_217), (1_000, 9_085), (100_000, 42_171)] {
            let mut controller = at(segments * MSS);
            controller.on_congestion(Instant::ZERO, segments * MSS);
            assert_eq!(controller.cwnd(), segments * 7 / 10 * MSS);
            assert_eq!(controller.ssthresh(), controller.cwnd());
            let (mut now, round_trip) = (Instant::ZERO, Duration::from_millis(100));
            // A thousandth below W_max, where 15 % of K are left.
            let close = time_until(
                &mut controller,
                segments * MSS - segments * MSS / 1_000,
                &mut now,
                round_trip,
            );
            assert_eq!(controller.curve.epoch.unwrap().k, k);
            let expected = k * 85 / 100;
            assert!(close.abs_diff(expected) <= 300, "{segments}: {close} against {expected}");
            // At 2·K the curve is as far above W_max as it was below it at the start.
            let twice = time_until(&mut controller, segments * 13 / 10 * MSS, &mut now, round_trip);
            assert!(twice.abs_diff(2 * k) <= 300, "{segments}: {twice} against {k}");
        }
    }

    #[test]
    fn cc_05_cwnd_follows_w_cubic_to_a_segment() {
        let mut controller = at(100 * MSS);
        controller.on_congestion(Instant::ZERO, 100 * MSS);
        let mut now = Instant::ZERO;
        // 100 + 0.4·(t − 4.217)³ segments. After 5.7 s Reno would have grown from 70 to 100 by 9/17
        // of a segment per round trip; then it grows by one segment per round trip and soon exceeds
        // the curve.
        for (second, segments) in
            [(1, 86), (2, 95), (3, 99), (4, 100), (5, 100), (6, 103), (7, 113), (8, 124)]
        {
            while now < Instant::from_micros(second * 1_000_000) {
                now = round(&mut controller, now, Duration::from_millis(100));
            }
            let window = controller.cwnd() / MSS;
            assert!(window.abs_diff(segments) <= 1, "{window} segments after {second} s");
        }
    }

    #[test]
    fn short_round_trips_and_small_windows_follow_w_est() {
        for (segments, round_trip) in
            [(100, Duration::from_micros(500)), (10, Duration::from_millis(20))]
        {
            let mut controller = at(segments * MSS);
            controller.on_congestion(Instant::ZERO, segments * MSS);
            let (before, mut now) = (controller.cwnd(), Instant::ZERO);
            for _ in 0..5 {
                now = round(&mut controller, now, round_trip);
            }
            // 9/17 of a segment per round trip, which is more than the curve alone.
            let expected = before + 5 * MSS * 9 / 17;
            assert!(
                controller.cwnd().abs_diff(expected) <= MSS / 4,
                "{} {expected}",
                controller.cwnd()
            );
            // One segment per round trip beyond cwnd_prior.
            time_until(&mut controller, segments * MSS, &mut now, round_trip);
            let cwnd_prior = controller.cwnd();
            for _ in 0..10 {
                now = round(&mut controller, now, round_trip);
            }
            let grown = controller.cwnd() - cwnd_prior;
            assert!(grown.abs_diff(10 * MSS) <= MSS, "{grown}");
        }
    }

    #[test]
    fn fast_convergence_lowers_w_max() {
        let mut controller = at(100 * MSS);
        controller.on_congestion(Instant::ZERO, 100 * MSS);
        assert_eq!(controller.curve.w_max, 100 * MSS);
        controller.on_congestion(Instant::ZERO, 70 * MSS);
        assert_eq!(
            (controller.curve.w_max, controller.curve.cwnd_prior),
            (70 * MSS * 85 / 100, 70 * MSS)
        );
        assert_eq!(controller.cwnd(), 49 * MSS);
    }

    #[test]
    fn undo_restores_cwnd_ssthresh_w_max_and_curve() {
        let mut controller = at(100 * MSS);
        controller.on_congestion(Instant::ZERO, 100 * MSS);
        let mut now = Instant::ZERO;
        for _ in 0..20 {
            now = round(&mut controller, now, Duration::from_millis(100));
        }
        let state = |controller: &Cubic| {
            let epoch = controller.curve.epoch.unwrap();
            (controller.cwnd(), controller.ssthresh(), controller.curve.w_max, epoch.t, epoch.w_est)
        };
        let before = state(&controller);
        controller.on_congestion(now, controller.cwnd());
        assert!(controller.cwnd() < before.0 && controller.curve.epoch.is_none());
        controller.on_recovered(now.after(Duration::from_millis(100)));
        controller.undo(now.after(Duration::from_millis(200)));
        assert_eq!(state(&controller), before);
        controller.on_timeout(now, before.0);
        controller.on_timeout(now, MSS);
        assert_eq!(controller.cwnd(), MSS);
        controller.undo(now);
        assert_eq!(state(&controller), before);
        // A second undo changes nothing.
        controller.undo(now);
        assert_eq!(state(&controller), before);
    }

    #[test]
    fn after_a_timeout_slow_start_ends_at_ssthresh_with_k_zero() {
        let mut controller = at(100 * MSS);
        controller.on_timeout(Instant::ZERO, 100 * MSS);
        assert_eq!((controller.cwnd(), controller.ssthresh()), (MSS, 70 * MSS));
        let mut now = Instant::ZERO;
        for segments in [2, 4, 8, 16, 32, 64] {
            now = round(&mut controller, now, Duration::from_millis(100));
            assert_eq!(controller.cwnd(), segments * MSS);
        }
        // Slow start accounts for six of these segments, W_est for 58 at 9/17 of a segment per
        // window; then for a whole round.
        for tenths in [704, 710] {
            now = round(&mut controller, now, Duration::from_millis(100));
            assert!(
                controller.cwnd().abs_diff(tenths * MSS / 10) <= MSS / 10,
                "{}",
                controller.cwnd()
            );
        }
        let epoch = controller.curve.epoch.unwrap();
        assert_eq!((epoch.k, epoch.origin), (0, 70 * MSS));
    }

    #[test]
    fn application_limited_time_does_not_count() {
        let mut controller = at(100 * MSS);
        controller.on_congestion(Instant::ZERO, 100 * MSS);
        let round_trip = Duration::from_millis(100);
        let mut now = round(&mut controller, Instant::ZERO, round_trip);
        let window = controller.cwnd();
        for _ in 0..100 {
            now = now.after(round_trip);
            let mut idle = acknowledgment(now, MSS, round_trip);
            idle.is_window_limited = false;
            controller.on_ack(&idle);
        }
        now = round(&mut controller, now, round_trip);
        // At the start of the curve 0.4·3·K² is 21 segments per second.
        let grown = controller.cwnd() - window;
        assert!((1..=3 * MSS).contains(&grown), "{grown}");
        now = now.after(Duration::from_secs(5));
        controller.on_idle_restart(now, Duration::from_secs(5), Duration::from_secs(6));
        now = round(&mut controller, now, round_trip);
        assert!(controller.cwnd() - window <= 6 * MSS, "{} {window}", controller.cwnd());
        controller.on_idle_restart(now, Duration::from_secs(2), Duration::from_millis(200));
        assert!(controller.curve.epoch.is_none() && controller.cwnd() < 11 * MSS);
    }

    #[test]
    fn cc_06_windows_of_64_mib_and_long_epochs_are_right() {
        let segments = (64 << 20) / MSS;
        let mut controller = at(segments * MSS);
        controller.on_congestion(Instant::ZERO, segments * MSS);
        let mut now = Instant::ZERO;
        // K is ∛(46,345·0.75) = 32.6 s. Acknowledgments cover a tenth of a window, as with
        // segmentation offload.
        while now < Instant::from_micros(32_600_000) {
            now = now.after(Duration::from_millis(10));
            controller.on_ack(&acknowledgment(now, 6 << 20, Duration::from_millis(100)));
        }
        let window = controller.cwnd();
        assert!(window.abs_diff(64 << 20) < 64 << 10, "{window}");
        // Ten seconds later 0.4·10³ segments more; Reno would be far below.
        while now < Instant::from_micros(42_600_000) {
            now = now.after(Duration::from_millis(10));
            controller.on_ack(&acknowledgment(now, 6 << 20, Duration::from_millis(100)));
        }
        let grown = (controller.cwnd() - window) / MSS;
        assert!(grown.abs_diff(400) < 40, "{grown} segments");
        // With a round trip of 50 µs the window follows W_est, which counts acknowledged bytes.
        let mut near = at(64 << 20);
        let now = round(&mut near, Instant::ZERO, Duration::from_micros(50));
        assert!((near.cwnd() - (64 << 20)).abs_diff(MSS) <= 64, "{}", near.cwnd() - (64 << 20));
        // An hour in a single step adds at most the acknowledged bytes times 0.5.
        near.on_ack(&acknowledgment(
            now.after(Duration::from_secs(3_600)),
            1 << 20,
            Duration::from_secs(10),
        ));
        assert!(near.cwnd() <= (64 << 20) + (1 << 20), "{}", near.cwnd());
    }
}
