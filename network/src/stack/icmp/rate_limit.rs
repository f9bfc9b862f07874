//! Rate limits: token buckets for ICMP errors and echo replies (RFC 4443 §2.4 (f), RFC 1812
//! §4.3.2.8).
//!
//! Errors have a limit per interface and one per host, so that neither distributed nor
//! single-source traffic makes us flood anybody. Hosts share a fixed number of buckets by a keyed
//! hash, so memory does not depend on the number of sources.

use core::hash::BuildHasher;
use core::net::IpAddr;

use foldhash::quality::FixedState;

use crate::limits;
use crate::platform::Instant;
use crate::stack::token_bucket::{SharedBuckets, TokenBucket};

/// The rate limiters of one interface.
#[derive(Debug)]
pub(crate) struct RateLimiters {
    errors: TokenBucket,
    echoes: TokenBucket,
    hosts: SharedBuckets,
    hasher: FixedState,
}

impl RateLimiters {
    pub(crate) fn new(seed: u64, now: Instant) -> Self {
        let full = |tokens| TokenBucket::new(tokens, now);
        Self {
            errors: full(limits::ICMP_ERRORS),
            echoes: full(limits::ECHO_REPLIES),
            hosts: SharedBuckets::new(limits::ICMP_BUCKETS, limits::ICMP_ERRORS_PER_HOST),
            hasher: FixedState::with_seed(seed),
        }
    }

    /// True when an error may be sent to this host now. `draw` is random.
    pub(crate) fn error(&mut self, to: IpAddr, draw: u32, now: Instant) -> bool {
        let [first, second, ..] = draw.to_ne_bytes();
        let may = self.hosts.take_many(self.hasher.hash_one(to), cost(first), now);
        may && self.errors.take_many(cost(second), limits::ICMP_ERRORS, now)
    }

    /// True when an echo reply may be sent now.
    pub(crate) fn echo(&mut self, now: Instant) -> bool {
        self.echoes.take(limits::ECHO_REPLIES, now)
    }
}

/// What an error costs: nothing, one token or two, one on average. Whoever counts errors to learn
/// which of them others caused, and so which ports are open, learns nothing (as Linux; "DNS Cache
/// Poisoning Attack Reloaded", 2020).
const fn cost(draw: u8) -> u32 {
    (draw % 3) as u32
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec::Vec;
    use core::time::Duration;

    /// Draws that cost one token each.
    const EVEN: u32 = 0x0101_0101;

    fn host(host: u32) -> IpAddr {
        IpAddr::V4(core::net::Ipv4Addr::from_bits(0x0a00_0000 + host))
    }

    #[test]
    fn ice_02_hosts_interfaces_and_echoes_have_their_own_limits() {
        let mut limiters = RateLimiters::new(1, Instant::ZERO);
        let granted = (0..1000).filter(|_| limiters.error(host(1), EVEN, Instant::ZERO)).count();
        assert_eq!(granted, limits::ICMP_ERRORS_PER_HOST as usize);
        let granted =
            (2..1000).filter(|number| limiters.error(host(*number), EVEN, Instant::ZERO)).count();
        assert_eq!(granted, (limits::ICMP_ERRORS - limits::ICMP_ERRORS_PER_HOST) as usize);
        assert!(limiters.echo(Instant::ZERO));
        // After half a second half of the tokens are back.
        let later = Instant::ZERO.after(Duration::from_millis(500));
        let granted = (0..1000).filter(|number| limiters.error(host(*number), EVEN, later)).count();
        assert_eq!(granted, limits::ICMP_ERRORS as usize / 2);
    }

    #[test]
    fn hold_17_the_budget_is_not_the_same_twice_and_right_on_average() {
        let mut limiters = RateLimiters::new(1, Instant::ZERO);
        let mut draw = 1_u32;
        let counts: Vec<usize> = (1..=100)
            .map(|second| {
                let now = Instant::ZERO.after(Duration::from_secs(second));
                let is_granted = |number: &u32| {
                    draw = draw.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                    limiters.error(host(*number), draw.rotate_left(16), now)
                };
                (0..1000).filter(is_granted).count()
            })
            .collect();
        let usual = limits::ICMP_ERRORS as usize;
        assert!(counts.iter().filter(|count| **count == usual).count() < 20, "{counts:?}");
        let sum: usize = counts.iter().sum();
        assert!((usual * 95..usual * 105).contains(&sum), "{sum}");
        // So for one host.
        let mut of_host = |second| {
            let now = Instant::ZERO.after(Duration::from_secs(second));
            let is_granted = |_: &u32| {
                draw = draw.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                limiters.error(host(1), draw.rotate_left(16), now)
            };
            (0..1000).filter(is_granted).count()
        };
        let first = of_host(200);
        assert!((201..240).any(|second| of_host(second) != first));
    }
}
