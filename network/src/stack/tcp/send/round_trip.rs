//! How long a round trip takes (RFC 6298), and how long to wait for an acknowledgment because of
//! that.

use core::time::Duration;

/// Before anything was measured (RFC 6298 §2.1).
const FIRST: Duration = Duration::from_secs(1);
/// What variation counts at least: acknowledgments may be delayed (Linux' TCP_RTO_MIN).
const LEAST_VARIATION: Duration = Duration::from_millis(200);
/// The longest wait (RFC 6298 §2.5).
const LONGEST: Duration = Duration::from_secs(60);

/// What was measured, in microseconds.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct RoundTrip {
    /// Zero before the first sample.
    smoothed: u32,
    variation: u32,
    least: u32,
    latest: u32,
}

/// A time in microseconds; an hour is longer than any round trip.
fn micros(time: Duration) -> u32 {
    u32::try_from(time.as_micros()).unwrap_or(u32::MAX).clamp(1, 3_600_000_000)
}

const fn duration(micros: u32) -> Duration {
    Duration::from_micros(micros as u64)
}

impl RoundTrip {
    /// Takes the time between a segment that was sent once and its acknowledgment.
    pub(crate) fn sample(&mut self, time: Duration) {
        let sample = micros(time);
        self.latest = sample;
        if self.smoothed == 0 {
            (self.smoothed, self.variation, self.least) = (sample, sample / 2, sample);
            return;
        }
        self.least = self.least.min(sample);
        let deviation = self.smoothed.abs_diff(sample);
        // 3/4 and 1/4, 7/8 and 1/8 (RFC 6298 §2.3); the terms are below 2^32.
        self.variation = self.variation - self.variation / 4 + deviation / 4;
        self.smoothed = (self.smoothed - self.smoothed / 8 + sample / 8).max(1);
    }

    /// True when something was measured.
    pub(crate) const fn is_known(&self) -> bool {
        self.smoothed != 0
    }

    /// The smoothed round trip; zero when nothing was measured.
    pub(crate) const fn smoothed(&self) -> Duration {
        duration(self.smoothed)
    }

    pub(crate) const fn variation(&self) -> Duration {
        duration(self.variation)
    }

    /// The shortest round trip that was seen; zero when nothing was measured.
    pub(crate) const fn least(&self) -> Duration {
        duration(self.least)
    }

    pub(crate) const fn latest(&self) -> Duration {
        duration(self.latest)
    }

    /// How long to wait for an acknowledgment after so many waits in vain.
    pub(crate) fn timeout(&self, backoff: u8) -> Duration {
        let once = match self.smoothed {
            0 => FIRST,
            _ => self.smoothed() + (self.variation() * 4).max(LEAST_VARIATION),
        };
        once.saturating_mul(1 << backoff.min(16)).min(LONGEST)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_timeout_is_a_second_at_first_and_never_below_200_ms_above_the_round_trip() {
        let mut round_trip = RoundTrip::default();
        assert_eq!(round_trip.timeout(0), Duration::from_secs(1));
        for _ in 0..100 {
            round_trip.sample(Duration::from_millis(10));
        }
        assert_eq!(round_trip.timeout(0), Duration::from_millis(210));
        assert_eq!(round_trip.timeout(3), Duration::from_millis(1680));
        assert_eq!(round_trip.timeout(200), LONGEST);
    }

    #[test]
    fn the_first_sample_and_the_next_count_as_rfc_6298_says() {
        let mut round_trip = RoundTrip::default();
        round_trip.sample(Duration::from_millis(800));
        assert_eq!(
            (round_trip.smoothed().as_millis(), round_trip.variation().as_millis()),
            (800, 400)
        );
        round_trip.sample(Duration::from_millis(1600));
        assert_eq!(
            (round_trip.smoothed().as_millis(), round_trip.variation().as_millis()),
            (900, 500)
        );
        assert_eq!(round_trip.timeout(0), Duration::from_millis(2900));
        round_trip.sample(Duration::MAX);
        assert!(round_trip.timeout(0) <= LONGEST);
    }
}
