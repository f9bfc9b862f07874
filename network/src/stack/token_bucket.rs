//! Token buckets, for rate limits.

use alloc::vec;
use alloc::vec::Vec;

use crate::platform::Instant;

/// A token bucket. Tokens refill evenly, up to its capacity.
#[derive(Clone, Copy, Debug)]
pub(crate) struct TokenBucket {
    tokens: u32,
    since: Instant,
}

impl TokenBucket {
    /// A bucket with so many tokens.
    pub(crate) const fn new(tokens: u32, now: Instant) -> Self {
        Self { tokens, since: now }
    }

    /// Takes a token, if there is one; `capacity` tokens come back in a second.
    pub(crate) fn take(&mut self, capacity: u32, now: Instant) -> bool {
        self.take_many(1, capacity, now)
    }

    /// Takes `cost` tokens, or what is left of them; false if there is none.
    pub(crate) fn take_many(&mut self, cost: u32, capacity: u32, now: Instant) -> bool {
        let spacing = 1_000_000 / u64::from(capacity.max(1));
        self.take_spaced(cost, capacity, spacing, now)
    }

    /// As [`take_many`](Self::take_many), but a token comes back every `spacing` microseconds.
    pub(crate) fn take_spaced(
        &mut self,
        cost: u32,
        capacity: u32,
        spacing: u64,
        now: Instant,
    ) -> bool {
        let spacing = spacing.max(1);
        let refilled = now.since(self.since).as_micros() as u64 / spacing;
        if refilled >= u64::from(capacity.saturating_sub(self.tokens)) {
            (self.tokens, self.since) = (capacity, now);
        } else {
            // Less than the capacity, so it fits.
            self.tokens += refilled as u32;
            self.since = Instant::from_micros(self.since.as_micros() + refilled * spacing);
        }
        let has_one = self.tokens > 0;
        self.tokens = self.tokens.saturating_sub(cost);
        has_one
    }
}

/// Token buckets that many share by a hash, so that memory does not depend on their number. They
/// are allocated when the first token is taken.
#[derive(Debug)]
pub(crate) struct SharedBuckets {
    buckets: Vec<TokenBucket>,
    count: usize,
    capacity: u32,
}

impl SharedBuckets {
    /// So many buckets, each with so many tokens.
    pub(crate) const fn new(count: usize, capacity: u32) -> Self {
        Self { buckets: Vec::new(), count, capacity }
    }

    /// Takes `cost` tokens from the bucket of a hash, or what is left of them; false if there is
    /// none.
    pub(crate) fn take_many(&mut self, hash: u64, cost: u32, now: Instant) -> bool {
        if self.buckets.is_empty() {
            self.buckets = vec![TokenBucket::new(self.capacity, now); self.count];
        }
        let place = hash as usize % self.count.max(1);
        let bucket = self.buckets.get_mut(place);
        bucket.is_none_or(|bucket| bucket.take_many(cost, self.capacity, now))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use core::time::Duration;

    #[test]
    fn tokens_come_back_evenly_and_never_beyond_the_capacity() {
        let mut bucket = TokenBucket::new(10, Instant::ZERO);
        let mut taken =
            |at: u64| (0..100).filter(|_| bucket.take(10, Instant::from_micros(at))).count();
        assert_eq!((taken(0), taken(99_999), taken(100_000), taken(599_999)), (10, 0, 1, 4));
        assert_eq!((taken(600_000), taken(90_000_000)), (1, 10));
        let after = Instant::ZERO.after(Duration::from_secs(200));
        assert!(bucket.take_many(30, 10, after) && !bucket.take(10, after));
        let mut slow = TokenBucket::new(2, Instant::ZERO);
        let mut taken = |at: u64| {
            let now = Instant::from_micros(at);
            (0..9).filter(|_| slow.take_spaced(1, 2, 6_000_000, now)).count()
        };
        assert_eq!((taken(0), taken(5_999_999), taken(6_000_000), taken(90_000_000)), (2, 0, 1, 2));
    }
}
