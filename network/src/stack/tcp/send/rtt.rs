//! The round-trip estimator: SRTT, RTTVAR and RTO (RFC 6298).

use core::time::Duration;

// Times in microseconds, because every acknowledgment computes with them.

/// The RTO before the first sample (RFC 6298 §2.1).
const INITIAL_RTO: u64 = 1_000_000;
/// The RTO of data before the first sample when the SYN timed out (RFC 6298 §5.7).
const RTO_AFTER_SYN_TIMEOUT: u64 = 3_000_000;
/// The minimum of 4·RTTVAR: acknowledgments may be delayed (Linux' TCP_RTO_MIN).
const MIN_RTTVAR: u64 = 200_000;
/// The largest RTO (RFC 6298 §2.5).
const MAX_RTO: u64 = 60_000_000;

/// The estimator, in microseconds.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct RttEstimator {
    /// SRTT: the smoothed round trip; zero before the first sample.
    srtt: u32,
    /// RTTVAR: the round-trip variation.
    rttvar: u32,
    /// The minimum round trip (RACK.min_RTT in RFC 8985).
    min_rtt: u32,
    latest_rtt: u32,
    /// The SYN timed out.
    has_syn_timed_out: bool,
}

/// A time in microseconds, capped at an hour.
fn micros(time: Duration) -> u32 {
    u32::try_from(time.as_micros()).unwrap_or(u32::MAX).clamp(1, 3_600_000_000)
}

const fn duration(micros: u32) -> Duration {
    Duration::from_micros(micros as u64)
}

impl RttEstimator {
    /// Takes a sample: the time between a segment that was sent once and its acknowledgment (Karn).
    pub(crate) fn sample(&mut self, time: Duration) {
        let sample = micros(time);
        self.latest_rtt = sample;
        if self.srtt == 0 {
            (self.srtt, self.rttvar, self.min_rtt) = (sample, sample / 2, sample);
            return;
        }
        self.min_rtt = self.min_rtt.min(sample);
        self.smooth(sample);
    }

    /// Takes a sample of the timestamps option, which counts for SRTT and RTTVAR only.
    pub(crate) fn sample_echo(&mut self, time: Duration) {
        if self.srtt == 0 {
            self.sample(time);
        } else {
            self.smooth(micros(time));
        }
    }

    fn smooth(&mut self, sample: u32) {
        let deviation = self.srtt.abs_diff(sample);
        // beta = 1/4, alpha = 1/8 (RFC 6298 §2.3); the terms are below 2^32.
        self.rttvar = self.rttvar - self.rttvar / 4 + deviation / 4;
        self.srtt = (self.srtt - self.srtt / 8 + sample / 8).max(1);
    }

    /// The SYN timed out: without a sample the RTO is three seconds (RFC 6298 §5.7).
    pub(crate) const fn syn_timed_out(&mut self) {
        self.has_syn_timed_out = true;
    }

    /// True after the first sample.
    pub(crate) const fn is_known(&self) -> bool {
        self.srtt != 0
    }

    /// SRTT; zero before the first sample.
    pub(crate) const fn srtt(&self) -> Duration {
        duration(self.srtt)
    }

    pub(crate) const fn rttvar(&self) -> Duration {
        duration(self.rttvar)
    }

    /// The minimum round trip; zero before the first sample.
    pub(crate) const fn min_rtt(&self) -> Duration {
        duration(self.min_rtt)
    }

    pub(crate) const fn latest_rtt(&self) -> Duration {
        duration(self.latest_rtt)
    }

    /// RTO after `backoff` expirations without progress (RFC 6298 §5.5).
    pub(crate) fn rto(&self, backoff: u8) -> Duration {
        let base = match self.srtt {
            0 if self.has_syn_timed_out => RTO_AFTER_SYN_TIMEOUT,
            0 => INITIAL_RTO,
            _ => u64::from(self.srtt) + (u64::from(self.rttvar) * 4).max(MIN_RTTVAR),
        };
        Duration::from_micros((base << backoff.min(16)).min(MAX_RTO))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rto_is_a_second_at_first_and_at_least_srtt_plus_200_ms() {
        let mut rtt = RttEstimator::default();
        assert_eq!(rtt.rto(0), Duration::from_secs(1));
        for _ in 0..100 {
            rtt.sample(Duration::from_millis(10));
        }
        assert_eq!(rtt.rto(0), Duration::from_millis(210));
        assert_eq!(rtt.rto(3), Duration::from_millis(1680));
        assert_eq!(rtt.rto(200), Duration::from_secs(60));
    }

    #[test]
    fn samples_update_srtt_and_rttvar_as_in_rfc_6298() {
        let mut rtt = RttEstimator::default();
        rtt.sample(Duration::from_millis(800));
        assert_eq!((rtt.srtt().as_millis(), rtt.rttvar().as_millis()), (800, 400));
        rtt.sample(Duration::from_millis(1600));
        assert_eq!((rtt.srtt().as_millis(), rtt.rttvar().as_millis()), (900, 500));
        assert_eq!(rtt.rto(0), Duration::from_millis(2900));
        rtt.sample(Duration::MAX);
        assert!(rtt.rto(0) <= Duration::from_secs(60));
    }
}
