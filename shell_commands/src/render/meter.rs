//! The progress meter of `curl`, in the original's layout.

use std::time::Duration;

use devnet_network::platform::Instant;

/// The time between rows.
const EVERY: Duration = Duration::from_secs(1);

/// What stands above the rows.
pub const HEAD: &str = concat!(
    "  % Total    % Received % Xferd  Average Speed   Time    Time     Time  Current\n",
    "                                 Dload  Upload   Total   Spent    Left  Speed\n",
);

/// A download in progress.
pub struct Meter {
    total: Option<u64>,
    done: u64,
    started: Instant,
    drawn: Instant,
    /// Bytes at the last row.
    before: u64,
}

impl Meter {
    /// A download of so many bytes, if that is known, that starts now.
    #[must_use]
    pub const fn new(total: Option<u64>, now: Instant) -> Self {
        Self { total, done: 0, started: now, drawn: now, before: 0 }
    }

    /// Counts bytes; returns a row when it is time for one.
    pub fn add(&mut self, bytes: u64, now: Instant) -> Option<String> {
        self.done = self.done.saturating_add(bytes);
        if now.since(self.drawn) < EVERY {
            return None;
        }
        let row = self.row(now);
        (self.drawn, self.before) = (now, self.done);
        Some(row)
    }

    /// The last row.
    #[must_use]
    pub fn finish(&self, now: Instant) -> String {
        format!("{}\n", self.row(now))
    }

    fn row(&self, now: Instant) -> String {
        let per_second = |bytes: u64, time: Duration| {
            let micros = time.as_micros().max(1);
            u64::try_from(u128::from(bytes) * 1_000_000 / micros).unwrap_or(u64::MAX)
        };
        let spent = now.since(self.started);
        let speed = per_second(self.done, spent);
        let current = match self.before {
            0 => speed,
            before => per_second(self.done.saturating_sub(before), now.since(self.drawn)),
        };
        let total = self.total.unwrap_or(self.done);
        let percent = if total == 0 || self.total.is_none() {
            if self.total.is_none() && self.done > 0 { 100 } else { 0 }
        } else {
            self.done.min(total) * 100 / total
        };
        let whole = self.total.filter(|_| speed > 0).map(|total| total / speed);
        let left = whole.map(|whole| whole.saturating_sub(spent.as_secs()));
        let (total, done) = (five(total), five(self.done));
        let (speed, current) = (five(speed), five(current));
        let spent = Some(spent.as_secs()).filter(|seconds| *seconds > 0);
        let [whole, spent, left] = [whole.filter(|seconds| *seconds > 0), spent, left].map(clock);
        format!(
            "\r{percent:3} {total}  {percent:3} {done}    0     0  {speed}      0 {whole} {spent} \
             {left} {current}"
        )
    }
}

/// A number in five characters.
fn five(bytes: u64) -> String {
    const KIB: u64 = 1024;
    const MIB: u64 = KIB * KIB;
    match bytes {
        ..100_000 => format!("{bytes:5}"),
        100_000..10_240_000 => format!("{:4}k", bytes / KIB),
        10_240_000..104_857_600 => format!("{:2}.{}M", bytes / MIB, bytes % MIB * 10 / MIB),
        104_857_600..10_485_760_000 => format!("{:4}M", bytes / MIB),
        _ => format!("{:4}G", bytes / (MIB * KIB)),
    }
}

fn clock(seconds: Option<u64>) -> String {
    match seconds {
        Some(seconds) if seconds < 360_000 => {
            let (hours, rest) = (seconds / 3600, seconds % 3600);
            format!("{hours:2}:{:02}:{:02}", rest / 60, rest % 60)
        }
        _ => String::from("--:--:--"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(milliseconds: u64) -> Instant {
        Instant::from_micros(milliseconds * 1000)
    }

    #[test]
    fn rows_are_those_of_the_original() {
        let mut meter = Meter::new(Some(1 << 20), at(0));
        assert_eq!(meter.add(1 << 18, at(500)), None);
        assert_eq!(
            meter.add(1 << 18, at(2000)).unwrap(),
            "\r 50 1024k   50  512k    0     0   256k      0  0:00:04  0:00:02  0:00:02  256k"
        );
        let row = meter.add(1 << 18, at(3000)).unwrap();
        assert!(row.ends_with(" 0:00:04  0:00:03  0:00:01  256k"), "{row}");
        meter.add(1 << 18, at(3100));
        let row = meter.finish(at(4000));
        assert!(row.starts_with("\r100 1024k  100 1024k    0     0   256k"), "{row}");
    }

    #[test]
    fn what_is_not_known_is_dashes() {
        let meter = Meter::new(None, at(0));
        assert_eq!(
            meter.finish(at(0)),
            "\r  0     0    0     0    0     0      0      0 --:--:-- --:--:-- --:--:--     0\n"
        );
        assert_eq!([five(99_999), five(100_000), five(15 << 20)], ["99999", "  97k", "15.0M"]);
        assert_eq!(five(5 << 40), "5120G");
    }
}
