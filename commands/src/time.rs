//! Monotonic time, as events tell it.

use core::fmt;
use core::str::FromStr;
use core::time::Duration;

use devnet_virtual_file_system::Error;
use serde::{Deserialize, Serialize};

/// A point of monotonic time in microseconds since an arbitrary start that does not change while
/// the system runs.
///
/// It prints as seconds with six digits, `1.500000s`, and parses what it prints.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
pub struct Instant(u64);

impl Instant {
    /// The start of the clock.
    pub const ZERO: Self = Self(0);

    /// The end of the clock, which never comes.
    pub const NEVER: Self = Self(u64::MAX);

    /// The instant `micros` microseconds after the clock's start.
    #[must_use]
    pub const fn from_micros(micros: u64) -> Self {
        Self(micros)
    }

    /// Microseconds since the clock's start.
    #[must_use]
    pub const fn as_micros(self) -> u64 {
        self.0
    }

    /// This instant plus a duration; saturates at the clock's end, 584,000 years away.
    #[must_use]
    pub const fn after(self, duration: Duration) -> Self {
        // In 64 bits, because every packet computes times.
        let micros = duration
            .as_secs()
            .saturating_mul(1_000_000)
            .saturating_add(duration.subsec_micros() as u64);
        Self(self.0.saturating_add(micros))
    }

    /// The time since `earlier`; zero when `earlier` is later.
    #[must_use]
    pub const fn since(self, earlier: Self) -> Duration {
        Duration::from_micros(self.0.saturating_sub(earlier.0))
    }
}

impl fmt::Display for Instant {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}.{:06}s", self.0 / 1_000_000, self.0 % 1_000_000)
    }
}

impl fmt::Debug for Instant {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, formatter)
    }
}

impl FromStr for Instant {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let digits = text.strip_suffix('s').ok_or(Error::InvalidInput)?;
        let (seconds, micros) = digits.split_once('.').ok_or(Error::InvalidInput)?;
        let is_plain = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
        if micros.len() != 6 || !is_plain(seconds) || !is_plain(micros) {
            return Err(Error::InvalidInput);
        }
        let number = |part: &str| part.parse::<u64>().map_err(|_| Error::InvalidInput);
        let whole = number(seconds)?.checked_mul(1_000_000).ok_or(Error::InvalidInput)?;
        whole.checked_add(number(micros)?).map(Self).ok_or(Error::InvalidInput)
    }
}

#[cfg(test)]
mod tests {
    use alloc::string::ToString;

    use super::*;

    #[test]
    fn an_instant_parses_what_it_prints() {
        for micros in [0, 1, 1_500_000, u64::MAX] {
            let instant = Instant::from_micros(micros);
            assert_eq!(instant.to_string().parse(), Ok(instant));
        }
        for text in ["", "s", "1s", "1.5s", "1.500000", "+1.500000s", "-1.000000s", ".500000s"] {
            assert_eq!(text.parse::<Instant>(), Err(Error::InvalidInput), "{text}");
        }
        assert!("18446744073709.551616s".parse::<Instant>().is_err());
    }
}
