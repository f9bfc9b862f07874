//! Rate limits: token buckets for ICMP errors and echo replies (RFC 4443 §2.4 (f), RFC 1812
//! §4.3.2.8).
//!
//! Errors have a limit per interface and one per host, so that neither distributed nor
//! single-source traffic makes us flood anybody. Hosts share a fixed number of buckets by a keyed
//! hash, so memory does not depend on the number of sources.

use alloc::vec;
use alloc::vec::Vec;
use core::hash::BuildHasher;
use core::net::IpAddr;

use foldhash::quality::FixedState;

use crate::limits;
use crate::platform::Instant;

/// A token bucket with a capacity of one second.
#[derive(Clone, Copy, Debug)]
struct Bucket {
    tokens: u32,
    since: Instant,
}

impl Bucket {
    /// Takes a token; tokens refill evenly.
    fn take(&mut self, per_second: u32, now: Instant) -> bool {
        let spacing = 1_000_000 / u64::from(per_second.max(1));
        let refilled = now.since(self.since).as_micros() as u64 / spacing.max(1);
        if refilled >= u64::from(per_second.saturating_sub(self.tokens)) {
            (self.tokens, self.since) = (per_second, now);
        } else {
            // Less than a bucket's capacity, so it fits.
            self.tokens += refilled as u32;
            self.since = Instant::from_micros(self.since.as_micros() + refilled * spacing);
        }
        let has_one = self.tokens > 0;
        self.tokens = self.tokens.saturating_sub(1);
        has_one
    }
}

/// The rate limiters of one interface.
#[derive(Debug)]
pub(crate) struct RateLimiters {
    errors: Bucket,
    echoes: Bucket,
    hosts: Vec<Bucket>,
    hasher: FixedState,
}

impl RateLimiters {
    pub(crate) fn new(seed: u64, now: Instant) -> Self {
        let full = |tokens| Bucket { tokens, since: now };
        Self {
            errors: full(limits::ICMP_ERRORS),
            echoes: full(limits::ECHO_REPLIES),
            hosts: vec![full(limits::ICMP_ERRORS_PER_HOST); limits::ICMP_BUCKETS],
            hasher: FixedState::with_seed(seed),
        }
    }

    /// True when an error may be sent to this host now.
    pub(crate) fn error(&mut self, to: IpAddr, now: Instant) -> bool {
        let index = self.hasher.hash_one(to) as usize % limits::ICMP_BUCKETS;
        let may = self
            .hosts
            .get_mut(index)
            .is_none_or(|host| host.take(limits::ICMP_ERRORS_PER_HOST, now));
        may && self.errors.take(limits::ICMP_ERRORS, now)
    }

    /// True when an echo reply may be sent now.
    pub(crate) fn echo(&mut self, now: Instant) -> bool {
        self.echoes.take(limits::ECHO_REPLIES, now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use core::time::Duration;

    #[test]
    fn ice_02_hosts_interfaces_and_echoes_have_their_own_limits() {
        let mut limiters = RateLimiters::new(1, Instant::ZERO);
        let host = |host: u32| IpAddr::V4(core::net::Ipv4Addr::from_bits(0x0a00_0000 + host));
        let granted = (0..1000).filter(|_| limiters.error(host(1), Instant::ZERO)).count();
        assert_eq!(granted, limits::ICMP_ERRORS_PER_HOST as usize);
        let granted =
            (2..1000).filter(|number| limiters.error(host(*number), Instant::ZERO)).count();
        assert_eq!(granted, (limits::ICMP_ERRORS - limits::ICMP_ERRORS_PER_HOST) as usize);
        assert!(limiters.echo(Instant::ZERO));
        // After half a second half of the tokens are back.
        let later = Instant::ZERO.after(Duration::from_millis(500));
        let granted = (0..1000).filter(|number| limiters.error(host(*number), later)).count();
        assert_eq!(granted, limits::ICMP_ERRORS as usize / 2);
    }
}
