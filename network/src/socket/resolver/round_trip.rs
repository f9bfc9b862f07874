//! How fast servers answer: of those that are reached by several paths of equal metric the fastest
//! is asked first.

use alloc::vec::Vec;
use core::net::SocketAddr;
use core::time::Duration;

use crate::limits;
use crate::platform::Instant;

/// A measurement that is older says nothing: the server is tried anew.
const FRESH: Duration = Duration::from_secs(300);

#[derive(Debug)]
struct Measured {
    server: SocketAddr,
    /// Smoothed; of one that did not answer, how long it was waited for.
    round_trip: Duration,
    at: Instant,
}

/// The round-trip times of a system's servers.
#[derive(Debug, Default)]
pub(super) struct RoundTrips(Vec<Measured>);

impl RoundTrips {
    /// The time of a server; none for one that was not asked lately.
    pub(super) fn of(&self, server: SocketAddr, now: Instant) -> Option<Duration> {
        let known = self.0.iter().find(|known| known.server == server)?;
        (now.since(known.at) < FRESH).then_some(known.round_trip)
    }

    /// A server answered after so long, or did not within that time.
    pub(super) fn measure(
        &mut self,
        server: SocketAddr,
        time: Duration,
        is_answer: bool,
        now: Instant,
    ) {
        let former = self.of(server, now).filter(|_| is_answer);
        // One eighth of the new one, as TCP smooths (RFC 6298 §2).
        let round_trip = former.map_or(time, |former| (former * 7 + time) / 8);
        self.0.retain(|known| known.server != server);
        if self.0.len() >= limits::DNS_MEASURED {
            // They are in the order in which they were measured.
            self.0.remove(0);
        }
        self.0.push(Measured { server, round_trip, at: now });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_smoothed_outdated_and_bounded() {
        let server = |number: u32| {
            SocketAddr::from((core::net::Ipv4Addr::from_bits(0x0a00_0000 + number), 53))
        };
        let mut times = RoundTrips::default();
        let (fast, slow) = (Duration::from_millis(8), Duration::from_millis(80));
        times.measure(server(1), fast, true, Instant::ZERO);
        times.measure(server(1), slow, true, Instant::ZERO);
        assert_eq!(times.of(server(1), Instant::ZERO), Some(Duration::from_millis(17)));
        // Silence counts at once, and is forgotten.
        times.measure(server(1), Duration::from_secs(1), false, Instant::ZERO);
        assert_eq!(times.of(server(1), Instant::ZERO), Some(Duration::from_secs(1)));
        assert_eq!(times.of(server(1), Instant::ZERO.after(FRESH)), None);
        for number in 0..2 * limits::DNS_MEASURED as u32 {
            times.measure(server(number), fast, true, Instant::ZERO);
        }
        assert_eq!(times.0.len(), limits::DNS_MEASURED);
    }
}
