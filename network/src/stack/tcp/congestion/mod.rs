//! Congestion control: how much may be in flight, behind one trait.
//!
//! Pure integer arithmetic. The sender ([`super::send`]) reports deliveries, losses, congestion
//! marks and timeouts to a [`Controller`], and reads from it how many bytes may be in flight (cwnd)
//! and how fast they may leave (pacing rate). The sender itself decides which bytes leave, what
//! counts as lost, and how cwnd approaches ssthresh during recovery (RFC 9937).
//!
//! | file | owns |
//! |---|---|
//! | [`cubic`] | CUBIC (RFC 9438), the default |
//! | [`new_reno`] | NewReno (RFC 5681) |
//! | [`window`] | what these two share: slow start, timeouts, idle restart, pacing |
//! | [`slow_start`] | HyStart++ (RFC 9406): when slow start ends |
//! | [`bbr`] | BBR: a model of bandwidth and round trip |

pub(crate) mod bbr;
pub(crate) mod cubic;
pub(crate) mod new_reno;
pub(crate) mod slow_start;
pub(crate) mod window;

use alloc::boxed::Box;
use core::time::Duration;

use self::bbr::Bbr;
use self::cubic::Cubic;
use self::new_reno::NewReno;
use crate::command::option::CongestionControl;
use crate::platform::Instant;

/// The largest cwnd: the largest window that a peer can advertise (RFC 7323 §2.3).
const LARGEST_WINDOW: u32 = 1 << 30;
/// The initial ssthresh: "arbitrarily high" (RFC 5681 §3.1).
pub(crate) const UNLIMITED: u32 = u32::MAX;

/// What one acknowledgment reports to the controller. Counts are bytes of data.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Acknowledgment {
    pub(crate) now: Instant,
    /// Newly delivered: cumulatively acknowledged or SACKed.
    pub(crate) delivered: u32,
    /// In flight before this acknowledgment (RFC 6675's pipe, RFC 5681's FlightSize).
    pub(crate) in_flight_before: u32,
    /// In flight after it.
    pub(crate) in_flight: u32,
    /// The round trip of the newest delivered segment, unless it was retransmitted (Karn).
    pub(crate) rtt: Option<Duration>,
    pub(crate) srtt: Duration,
    pub(crate) min_rtt: Duration,
    /// A round trip ended: the data that was in flight at its start is delivered.
    pub(crate) is_round: bool,
    /// cwnd, not the application or the peer's window, limited the sender (RFC 7661).
    pub(crate) is_window_limited: bool,
    /// The sender is in loss recovery.
    pub(crate) is_recovering: bool,
    /// The delivery rate (draft-cheng-iccrg-delivery-rate-estimation).
    pub(crate) rate: Option<RateSample>,
    /// Newly marked lost.
    pub(crate) lost: u32,
}

/// A delivery rate sample.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RateSample {
    /// Bytes delivered in the interval.
    pub(crate) delivered: u32,
    pub(crate) interval: Duration,
    /// The sample is application-limited: the path may carry more.
    pub(crate) is_application_limited: bool,
}

/// Decides how many bytes may be in flight.
pub(crate) trait Controller {
    /// cwnd: bytes that may be in flight.
    fn cwnd(&self) -> u32;

    /// ssthresh: slow start runs below it, and recovery ends at it.
    fn ssthresh(&self) -> u32;

    /// An acknowledgment delivered or lost data.
    fn on_ack(&mut self, acknowledgment: &Acknowledgment);

    /// Loss was detected, or the peer echoed a congestion mark (ECE); at most once per window of
    /// data. `in_flight` is the value before the loss.
    fn on_congestion(&mut self, now: Instant, in_flight: u32);

    /// Recovery is complete.
    fn on_recovered(&mut self, now: Instant);

    /// The retransmission timer expired: everything in flight counts as lost.
    fn on_timeout(&mut self, now: Instant, in_flight: u32);

    /// The last reduction was spurious: nothing had been lost (RFC 3522, RFC 4015).
    fn undo(&mut self, now: Instant);

    /// Nothing was in flight for `idle`, and data is about to leave (RFC 2861, RFC 7661).
    fn on_idle_restart(&mut self, now: Instant, idle: Duration, timeout: Duration);

    /// Sets SMSS, the bytes of data in a full segment. The first call precedes all others.
    fn set_mss(&mut self, mss: u32);

    /// A SYN was lost more than once: begins with one segment (RFC 5681 §3.1).
    fn restrict_initial_window(&mut self);

    /// The pacing rate in bytes per second.
    fn pacing_rate(&self, srtt: Duration) -> u64;

    /// True when cwnd approaches ssthresh by proportional rate reduction during recovery (RFC
    /// 9937).
    fn reduces_proportionally(&self) -> bool;
}

/// The initial window, IW (RFC 6928 §2): min(10·MSS, max(2·MSS, 14600)).
pub(crate) const fn initial_window(mss: u32) -> u32 {
    let minimum = 2 * mss;
    let capped = if minimum > 14_600 { minimum } else { 14_600 };
    if 10 * mss < capped { 10 * mss } else { capped }
}

/// One of the controllers.
#[derive(Clone, Debug)]
pub(crate) enum Congestion {
    Cubic(Cubic),
    NewReno(NewReno),
    /// Boxed: it is by far the largest and rarely chosen.
    Bbr(Box<Bbr>),
}

impl Congestion {
    pub(crate) fn new(algorithm: CongestionControl) -> Self {
        match algorithm {
            CongestionControl::Cubic => Self::Cubic(Cubic::default()),
            CongestionControl::NewReno => Self::NewReno(NewReno::default()),
            CongestionControl::Bbr => Self::Bbr(Box::default()),
        }
    }

    /// The algorithm.
    pub(crate) const fn algorithm(&self) -> CongestionControl {
        match self {
            Self::Cubic(_) => CongestionControl::Cubic,
            Self::NewReno(_) => CongestionControl::NewReno,
            Self::Bbr(_) => CongestionControl::Bbr,
        }
    }

    fn get(&self) -> &dyn Controller {
        match self {
            Self::Cubic(controller) => controller,
            Self::NewReno(controller) => controller,
            Self::Bbr(controller) => controller.as_ref(),
        }
    }

    fn get_mut(&mut self) -> &mut dyn Controller {
        match self {
            Self::Cubic(controller) => controller,
            Self::NewReno(controller) => controller,
            Self::Bbr(controller) => controller.as_mut(),
        }
    }
}

impl Controller for Congestion {
    fn cwnd(&self) -> u32 {
        self.get().cwnd()
    }

    fn ssthresh(&self) -> u32 {
        self.get().ssthresh()
    }

    fn on_ack(&mut self, acknowledgment: &Acknowledgment) {
        self.get_mut().on_ack(acknowledgment);
    }

    fn on_congestion(&mut self, now: Instant, in_flight: u32) {
        self.get_mut().on_congestion(now, in_flight);
    }

    fn on_recovered(&mut self, now: Instant) {
        self.get_mut().on_recovered(now);
    }

    fn on_timeout(&mut self, now: Instant, in_flight: u32) {
        self.get_mut().on_timeout(now, in_flight);
    }

    fn undo(&mut self, now: Instant) {
        self.get_mut().undo(now);
    }

    fn on_idle_restart(&mut self, now: Instant, idle: Duration, timeout: Duration) {
        self.get_mut().on_idle_restart(now, idle, timeout);
    }

    fn set_mss(&mut self, mss: u32) {
        self.get_mut().set_mss(mss);
    }

    fn restrict_initial_window(&mut self) {
        self.get_mut().restrict_initial_window();
    }

    fn pacing_rate(&self, srtt: Duration) -> u64 {
        self.get().pacing_rate(srtt)
    }

    fn reduces_proportionally(&self) -> bool {
        self.get().reduces_proportionally()
    }
}

/// A duration in microseconds, the unit of the controllers.
fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}

/// Bytes per second; [`u64::MAX`] when the time is zero.
fn per_second(bytes: u32, time: Duration) -> u64 {
    (u64::from(bytes) * 1_000_000).checked_div(micros(time)).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod test_transfer;

#[cfg(test)]
mod tests {
    use super::test_transfer::{Link, MSS, Transfer};
    use super::*;

    const ALL: [CongestionControl; 3] =
        [CongestionControl::Cubic, CongestionControl::NewReno, CongestionControl::Bbr];

    fn controller(algorithm: CongestionControl) -> Congestion {
        let mut controller = Congestion::new(algorithm);
        controller.set_mss(MSS);
        controller
    }

    #[test]
    fn the_initial_window_is_that_of_rfc_6928() {
        for (segment, window) in
            [(536, 5_360), (1_448, 14_480), (1_460, 14_600), (4_000, 14_600), (8_960, 17_920)]
        {
            assert_eq!(initial_window(segment), window);
            for algorithm in ALL {
                let mut controller = Congestion::new(algorithm);
                controller.set_mss(segment);
                assert_eq!(
                    (controller.cwnd(), controller.ssthresh()),
                    (window, UNLIMITED),
                    "{algorithm:?}"
                );
                // A smaller MSS later does not grant the initial window again.
                controller.on_timeout(Instant::ZERO, segment);
                controller.set_mss(segment / 2);
                assert_eq!(controller.cwnd(), segment, "{algorithm:?}");
            }
        }
    }

    #[test]
    fn only_bbr_does_without_proportional_rate_reduction() {
        assert_eq!(
            ALL.map(|algorithm| controller(algorithm).reduces_proportionally()),
            [true, true, false]
        );
    }

    #[test]
    fn pacing_is_unlimited_until_the_round_trip_is_known() {
        for algorithm in ALL {
            assert_eq!(
                controller(algorithm).pacing_rate(Duration::ZERO),
                u64::MAX,
                "{algorithm:?}"
            );
            assert!(
                controller(algorithm).pacing_rate(Duration::from_millis(10)) < 5_000_000,
                "{algorithm:?}"
            );
        }
    }

    /// Each controller fills a link with a queue of one BDP without a timeout.
    #[test]
    fn each_controller_fills_a_link() {
        for (algorithm, minimum) in ALL.into_iter().zip([95, 95, 95]) {
            for (rate, round_trip, seconds) in
                [(12_500_000, 10, 4), (1_250_000, 40, 20), (125_000_000, 1, 1)]
            {
                let link = Link::new(rate, Duration::from_millis(round_trip));
                let mut transfer = Transfer::new(controller(algorithm), link);
                transfer.run(Duration::from_secs(1));
                let outcome = transfer.run(Duration::from_secs(seconds));
                assert!(outcome.percent >= minimum, "{algorithm:?} {link:?} {outcome:?}");
                assert_eq!(outcome.timeouts, 0, "{algorithm:?} {link:?} {outcome:?}");
            }
        }
    }

    /// The window still doubles in the round that first shows a longer round trip, and grows by a
    /// quarter in each of five more rounds (RFC 9406). That needs a deep queue; doubling alone
    /// would fill any queue.
    #[test]
    fn slow_start_ends_before_a_deep_queue_overflows() {
        for algorithm in [CongestionControl::Cubic, CongestionControl::NewReno] {
            for (rate, round_trip, queue) in
                [(12_500_000, 10, 2_500_000), (1_250_000, 40, 1_000_000)]
            {
                let link = Link::with_queue(rate, Duration::from_millis(round_trip), queue);
                let mut transfer = Transfer::new(controller(algorithm), link);
                let outcome = transfer.run(Duration::from_secs(2));
                assert!(
                    outcome.lost == 0 && outcome.percent >= 90,
                    "{algorithm:?} {link:?} {outcome:?}"
                );
                assert!(transfer.controller.ssthresh() < UNLIMITED, "{algorithm:?} {link:?}");
            }
        }
    }

    /// The path delivers nothing for two seconds; two seconds after it recovers, so has the sender.
    #[test]
    fn each_controller_survives_an_outage() {
        for algorithm in ALL {
            let mut transfer = Transfer::new(
                controller(algorithm),
                Link::new(12_500_000, Duration::from_millis(10)),
            );
            transfer.run(Duration::from_secs(2));
            transfer.link.is_broken = true;
            // Acknowledgments of the last round trip still arrive.
            transfer.run(Duration::from_millis(100));
            let outage = transfer.run(Duration::from_secs(2));
            assert!(outage.timeouts >= 2 && outage.sent <= 6, "{algorithm:?} {outage:?}");
            assert_eq!(transfer.controller.cwnd(), MSS, "{algorithm:?}");
            transfer.link.is_broken = false;
            transfer.run(Duration::from_secs(2));
            let outcome = transfer.run(Duration::from_secs(2));
            assert!(outcome.percent >= 85 && outcome.timeouts == 0, "{algorithm:?} {outcome:?}");
        }
    }

    #[test]
    fn extreme_values_do_not_overflow() {
        for algorithm in ALL {
            for segment in [0, 1, 536, 65_535, u32::MAX] {
                let mut controller = Congestion::new(algorithm);
                controller.set_mss(segment);
                for number in 0..200_u64 {
                    let mut huge = test_transfer::acknowledgment(
                        Instant::from_micros(number << 40),
                        u32::MAX,
                        Duration::MAX,
                    );
                    huge.in_flight_before = u32::MAX;
                    huge.lost = u32::MAX;
                    huge.is_round = true;
                    huge.min_rtt = Duration::ZERO;
                    huge.rate = Some(RateSample {
                        delivered: u32::MAX,
                        interval: Duration::from_micros(number),
                        is_application_limited: false,
                    });
                    controller.on_ack(&huge);
                    match number % 40 {
                        10 => controller.on_congestion(huge.now, u32::MAX),
                        15 => controller.on_recovered(huge.now),
                        20 => controller.on_timeout(huge.now, u32::MAX),
                        25 => controller.undo(huge.now),
                        30 => controller.on_idle_restart(huge.now, Duration::MAX, Duration::ZERO),
                        _ => {}
                    }
                    assert!(
                        (1..=LARGEST_WINDOW).contains(&controller.cwnd()),
                        "{algorithm:?} {segment}"
                    );
                    assert!(controller.pacing_rate(Duration::from_micros(1)) > 0);
                    assert!(controller.pacing_rate(Duration::MAX) < u64::MAX);
                }
            }
        }
    }

    #[test]
    fn a_controller_is_small() {
        assert!(size_of::<Congestion>() <= 320, "{}", size_of::<Congestion>());
    }
}
