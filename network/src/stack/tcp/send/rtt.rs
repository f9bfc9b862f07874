//! How long a round trip takes (RFC 6298), and how long to wait for an acknowledgment because of
//! that.

use core::time::Duration;

/// Before anything was measured (RFC 6298 §2.1).
const INITIAL_RTO: Duration = Duration::from_secs(1);
/// What rttvar counters at min_rtt: acknowledgments may be delayed (Linux' TCP_RTO_MIN).
const MIN_RTTVAR: Duration = Duration::from_millis(200);
/// The longest wait (RFC 6298 §2.5).
const MAX_RTO: Duration = Duration::from_secs(60);

/// What was measured, in microseconds.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct RttEstimator {
    /// Zero before the first sample.
    srtt: u32,
    rttvar: u32,
    min_rtt: u32,
    latest_rtt: u32,
}

/// A time in microseconds; an hour is longer than any round trip.
fn micros(time: Duration) -> u32 {
    u32::try_from(time.as_micros()).unwrap_or(u32::MAX).clamp(1, 3_600_000_000)
}

const fn duration(micros: u32) -> Duration {
    Duration::from_micros(micros as u64)
}

impl RttEstimator {
    /// Takes the time between a segment that was sent once and its acknowledgment.
    pub(crate) fn sample(&mut self, time: Duration) {
        let sample = micros(time);
        self.latest_rtt = sample;
        if self.srtt == 0 {
            (self.srtt, self.rttvar, self.min_rtt) = (sample, sample / 2, sample);
            return;
        }
        self.min_rtt = self.min_rtt.min(sample);
        let deviation = self.srtt.abs_diff(sample);
        // 3/4 and 1/4, 7/8 and 1/8 (RFC 6298 §2.3); the terms are below 2^32.
        self.rttvar = self.rttvar - self.rttvar / 4 + deviation / 4;
        self.srtt = (self.srtt - self.srtt / 8 + sample / 8).max(1);
    }

    /// True when something was measured.
    pub(crate) const fn is_known(&self) -> bool {
        self.srtt != 0
    }

    /// The srtt round trip; zero when nothing was measured.
    pub(crate) const fn srtt(&self) -> Duration {
        duration(self.srtt)
    }

    pub(crate) const fn rttvar(&self) -> Duration {
        duration(self.rttvar)
    }

    /// The shortest round trip that was seen; zero when nothing was measured.
    pub(crate) const fn min_rtt(&self) -> Duration {
        duration(self.min_rtt)
    }

    pub(crate) const fn latest_rtt(&self) -> Duration {
        duration(self.latest_rtt)
    }

    /// How long to wait for an acknowledgment after so many waits in vain.
    pub(crate) fn rto(&self, backoff: u8) -> Duration {
        let once = match self.srtt {
            0 => INITIAL_RTO,
            _ => self.srtt() + (self.rttvar() * 4).max(MIN_RTTVAR),
        };
        once.saturating_mul(1 << backoff.min(16)).min(MAX_RTO)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_timeout_is_a_second_at_first_and_never_below_200_ms_above_the_round_trip() {
        let mut rtt = RttEstimator::default();
        assert_eq!(rtt.rto(0), Duration::from_secs(1));
        for _ in 0..100 {
            rtt.sample(Duration::from_millis(10));
        }
        assert_eq!(rtt.rto(0), Duration::from_millis(210));
        assert_eq!(rtt.rto(3), Duration::from_millis(1680));
        assert_eq!(rtt.rto(200), MAX_RTO);
    }

    #[test]
    fn the_first_sample_and_the_next_count_as_rfc_6298_says() {
        let mut rtt = RttEstimator::default();
        rtt.sample(Duration::from_millis(800));
        assert_eq!((rtt.srtt().as_millis(), rtt.rttvar().as_millis()), (800, 400));
        rtt.sample(Duration::from_millis(1600));
        assert_eq!((rtt.srtt().as_millis(), rtt.rttvar().as_millis()), (900, 500));
        assert_eq!(rtt.rto(0), Duration::from_millis(2900));
        rtt.sample(Duration::MAX);
        assert!(rtt.rto(0) <= MAX_RTO);
    }
}
