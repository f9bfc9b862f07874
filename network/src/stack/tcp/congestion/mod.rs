//! How much may be under way: the congestion window, behind one trait.
//!
//! Pure arithmetic in integers. The sender ([`super::send`]) tells a [`Controller`] what was
//! delivered, lost, marked or timed out, and asks it how many bytes may be under way and how fast
//! they may leave. Which bytes those are, when something counts as lost, and how a window is
//! approached during recovery (RFC 6937) is the sender's business.
//!
//! | file | owns |
//! |---|---|
//! | [`cubic`] | CUBIC (RFC 9438), the default |
//! | [`new_reno`] | NewReno's window (RFC 5681) |
//! | [`window`] | what these two have in common: slow start, timeouts, idle times, pacing |
//! | [`slow_start`] | HyStart++ (RFC 9406): when slow start ends |
//! | [`bbr`] | a model of the path: bandwidth and round trip (BBR) |

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

/// No window grows beyond what a peer can offer (RFC 7323 §2.3).
const LARGEST_WINDOW: u32 = 1 << 30;
/// The ssthresh of a path that never was congested.
pub(crate) const UNLIMITED: u32 = u32::MAX;

/// What one acknowledgment told. Counts are bytes of data.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Acknowledgment {
    pub(crate) now: Instant,
    /// Newly delivered, in order or not.
    pub(crate) delivered: u32,
    /// Under way before this acknowledgment (RFC 6675's pipe).
    pub(crate) in_flight_before: u32,
    /// Under way after it.
    pub(crate) in_flight: u32,
    /// The round trip of the newest segment that it delivered, if that was sent once (Karn).
    pub(crate) rtt: Option<Duration>,
    pub(crate) srtt: Duration,
    pub(crate) min_rtt: Duration,
    /// A round trip ended: the data that was sent when the last one ended is delivered.
    pub(crate) is_round: bool,
    /// The window, not the program or the peer's buffer, was what held the sender back (RFC 7661).
    pub(crate) is_window_limited: bool,
    /// True while lost data is being repaired.
    pub(crate) is_recovering: bool,
    /// How fast data was delivered (draft-cheng-iccrg-delivery-rate-estimation).
    pub(crate) rate: Option<RateSample>,
    /// Newly found lost.
    pub(crate) lost: u32,
}

/// A measurement of the delivery rate.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RateSample {
    /// Bytes delivered in the interval.
    pub(crate) delivered: u32,
    pub(crate) interval: Duration,
    /// The program did not have enough to send, so the path may carry more.
    pub(crate) is_application_limited: bool,
}

/// Decides how many bytes may be under way.
pub(crate) trait Controller {
    /// Bytes that may be under way.
    fn cwnd(&self) -> u32;

    /// The window below which growth is exponential; what recovery ends at (ssthresh).
    fn ssthresh(&self) -> u32;

    /// Something was delivered.
    fn on_ack(&mut self, acknowledgment: &Acknowledgment);

    /// Loss was found, or the peer echoed a congestion mark: at most once in a window of data.
    /// `in_flight` as before the loss.
    fn on_congestion(&mut self, now: Instant, in_flight: u32);

    /// What was lost in this episode is repaired.
    fn on_recovered(&mut self, now: Instant);

    /// The retransmission timer expired: everything under way counts as lost.
    fn on_timeout(&mut self, now: Instant, in_flight: u32);

    /// The last reduction was needless: nothing had been lost (RFC 3522, RFC 4015).
    fn undo(&mut self, now: Instant);

    /// Nothing was under way for `idle`, and something is about to be sent (RFC 2861, RFC 7661).
    fn on_idle_restart(&mut self, now: Instant, idle: Duration, timeout: Duration);

    /// The segments have this many bytes of data from now on. The first call comes before
    /// everything else.
    fn set_mss(&mut self, mss: u32);

    /// Bytes per second at which data may leave.
    fn pacing_rate(&self, srtt: Duration) -> u64;

    /// True when the sender shall approach the ssthresh by proportional rate reduction while it
    /// recovers (RFC 6937).
    fn reduces_proportionally(&self) -> bool;
}

/// The initial window (RFC 6928 §2): ten segments, but no more than 14,600 bytes or two segments,
/// whichever is more.
pub(crate) const fn initial_window(mss: u32) -> u32 {
    let least = 2 * mss;
    let usual = if least > 14_600 { least } else { 14_600 };
    if 10 * mss < usual { 10 * mss } else { usual }
}

/// One of the controllers.
#[derive(Clone, Debug)]
pub(crate) enum Congestion {
    Cubic(Cubic),
    NewReno(NewReno),
    /// By itself, as it is by far the largest and rarely chosen.
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

    /// Which one it is.
    pub(crate) const fn choice(&self) -> CongestionControl {
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

    fn pacing_rate(&self, srtt: Duration) -> u64 {
        self.get().pacing_rate(srtt)
    }

    fn reduces_proportionally(&self) -> bool {
        self.get().reduces_proportionally()
    }
}

/// A duration in microseconds, which is how the controllers reckon.
fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}

/// Bytes per second; [`u64::MAX`] when they took no time.
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
                // A narrower path later does not grant it again.
                controller.on_timeout(Instant::ZERO, segment);
                controller.set_mss(segment / 2);
                assert_eq!(controller.cwnd(), segment, "{algorithm:?}");
            }
        }
    }

    #[test]
    fn only_the_model_of_the_path_approaches_its_window_by_itself() {
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

    /// A link with a queue of one bdp is filled by each of them, without a timeout.
    #[test]
    fn each_controller_fills_a_link() {
        for (algorithm, least) in ALL.into_iter().zip([95, 95, 95]) {
            for (rate, round_trip, seconds) in
                [(12_500_000, 10, 4), (1_250_000, 40, 20), (125_000_000, 1, 1)]
            {
                let link = Link::new(rate, Duration::from_millis(round_trip));
                let mut transfer = Transfer::new(controller(algorithm), link);
                transfer.run(Duration::from_secs(1));
                let outcome = transfer.run(Duration::from_secs(seconds));
                assert!(outcome.percent >= least, "{algorithm:?} {link:?} {outcome:?}");
                assert_eq!(outcome.timeouts, 0, "{algorithm:?} {link:?} {outcome:?}");
            }
        }
    }

    /// The window still doubles while the first longer round trip passes, and grows by a quarter in
    /// each of five more rounds (RFC 9406): what that needs is a deep queue, and doubling alone
    /// would fill any.
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

    /// Nothing arrives for two seconds; two seconds after the path is back, so is the sender.
    #[test]
    fn each_controller_survives_an_outage() {
        for algorithm in ALL {
            let mut transfer = Transfer::new(
                controller(algorithm),
                Link::new(12_500_000, Duration::from_millis(10)),
            );
            transfer.run(Duration::from_secs(2));
            transfer.link.is_broken = true;
            // Acknowledgments of the last round trip still come.
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
    fn no_number_overflows() {
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
    fn a_connection_does_not_carry_much_of_it() {
        assert!(size_of::<Congestion>() <= 320, "{}", size_of::<Congestion>());
    }
}
