//! The output of `ping` in BusyBox' layout, and its counters.

use std::fmt::Display;
use std::net::IpAddr;
use std::time::Duration;

/// The counters of requests and replies.
#[derive(Clone, Default, PartialEq, Eq, Debug)]
pub struct Statistics {
    /// Requests sent.
    pub sent: u64,
    /// Requests answered.
    pub received: u64,
    /// Duplicate replies.
    pub duplicates: u64,
    minimum: Duration,
    maximum: Duration,
    total: Duration,
}

impl Statistics {
    /// Counts a reply; one without a time (it came too late) counts as received only.
    pub fn answered(&mut self, time: Duration) {
        self.minimum = if self.received == 0 { time } else { self.minimum.min(time) };
        self.maximum = self.maximum.max(time);
        self.total = self.total.saturating_add(time);
        self.received += 1;
    }

    /// The longest round trip.
    #[must_use]
    pub const fn maximum(&self) -> Duration {
        self.maximum
    }

    /// The statistics at the end.
    #[must_use]
    pub fn summary(&self, host: &str) -> String {
        let Self { sent, received, duplicates, .. } = self;
        let lost =
            sent.saturating_sub(*received).saturating_mul(100).checked_div(*sent).unwrap_or(0);
        let mut text = format!(
            "\n--- {host} ping statistics ---\n{sent} packets transmitted, {received} packets \
             received"
        );
        if *duplicates > 0 {
            super::append(&mut text, format_args!(", {duplicates} duplicates"));
        }
        super::append(&mut text, format_args!(", {lost}% packet loss\n"));
        if let Some(micros) = self.total.as_micros().checked_div(u128::from(*received)) {
            let average = Duration::from_micros(u64::try_from(micros).unwrap_or(u64::MAX));
            let (minimum, average, maximum) =
                (milliseconds(self.minimum), milliseconds(average), milliseconds(self.maximum));
            super::append(
                &mut text,
                format_args!("round-trip min/avg/max = {minimum}/{average}/{maximum} ms\n"),
            );
        }
        text
    }
}

/// Milliseconds with microseconds behind the point.
#[must_use]
pub fn milliseconds(time: Duration) -> String {
    format!("{}.{:03}", time.as_millis(), time.as_micros() % 1000)
}

/// The first line.
#[must_use]
pub fn header(host: &str, address: IpAddr, size: usize) -> String {
    format!("PING {host} ({address}): {size} data bytes\n")
}

/// The line for a reply; `size` includes the ICMP header.
#[must_use]
pub fn reply(
    address: IpAddr,
    size: usize,
    sequence: u16,
    hop_limit: u8,
    time: Option<Duration>,
    remark: &str,
) -> String {
    let time = time.map(|time| format!(" time={} ms", milliseconds(time))).unwrap_or_default();
    format!("{size} bytes from {address}: seq={sequence} ttl={hop_limit}{time}{remark}\n")
}

/// The line for an undeliverable request. The socket does not report the sender of the error; `to`
/// is the destination.
#[must_use]
pub fn unreachable(to: impl Display, sequence: u16, why: &str) -> String {
    format!("To {to}: seq={sequence} {why}\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_summary_is_busybox_s() {
        let mut statistics = Statistics { sent: 2, ..Statistics::default() };
        statistics.answered(Duration::from_micros(26));
        statistics.answered(Duration::from_micros(81));
        assert_eq!(
            statistics.summary("127.0.0.1"),
            "\n--- 127.0.0.1 ping statistics ---\n2 packets transmitted, 2 packets received, 0% \
             packet loss\n\
             round-trip min/avg/max = 0.026/0.053/0.081 ms\n"
        );
    }

    #[test]
    fn losses_and_duplicates_are_told() {
        let mut statistics = Statistics { sent: 3, duplicates: 1, ..Statistics::default() };
        assert!(
            statistics
                .summary("x")
                .contains("3 packets transmitted, 0 packets received, 1 duplicates, 100% packet")
        );
        assert!(!statistics.summary("x").contains("round-trip"));
        statistics.answered(Duration::from_millis(1));
        assert!(statistics.summary("x").contains("66% packet loss"));
        assert!(
            Statistics::default()
                .summary("x")
                .contains("0 packets transmitted, 0 packets received, 0% packet loss")
        );
    }

    #[test]
    fn lines_are_busybox_s() {
        let address = "127.0.0.1".parse().unwrap();
        assert_eq!(header("localhost", address, 56), "PING localhost (127.0.0.1): 56 data bytes\n");
        assert_eq!(
            reply(address, 64, 0, 64, Some(Duration::from_micros(1026)), " (DUP!)"),
            "64 bytes from 127.0.0.1: seq=0 ttl=64 time=1.026 ms (DUP!)\n"
        );
    }
}
