//! When a message is sent again (RFC 8415 §15). Knows no message.

use core::time::Duration;

use crate::platform::Instant;
use crate::stack::random::Random;

/// The parameters of one kind of exchange (RFC 8415 §7.6).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Schedule {
    /// IRT.
    pub(super) initial: Duration,
    /// MRT; zero for none.
    pub(super) longest: Duration,
    /// MRC; zero for none.
    pub(super) count: u32,
    /// The longest random delay before the first message.
    pub(super) delay: Duration,
    /// The first wait is longer than IRT, so that servers of all preferences can answer within it
    /// (RFC 8415 §18.2.1).
    pub(super) is_first_longer: bool,
}

const fn schedule(initial: u64, longest: u64, count: u32, delay: u64) -> Schedule {
    Schedule {
        initial: Duration::from_secs(initial),
        longest: Duration::from_secs(longest),
        count,
        delay: Duration::from_secs(delay),
        is_first_longer: false,
    }
}

/// SOL_TIMEOUT, SOL_MAX_RT, SOL_MAX_DELAY.
pub(super) const SOLICIT: Schedule = Schedule { is_first_longer: true, ..schedule(1, 3600, 0, 1) };
/// REQ_TIMEOUT, REQ_MAX_RT, REQ_MAX_RC.
pub(super) const REQUEST: Schedule = schedule(1, 30, 10, 0);
/// CNF_TIMEOUT, CNF_MAX_RT, CNF_MAX_DELAY.
pub(super) const CONFIRM: Schedule = schedule(1, 4, 0, 1);
/// CNF_MAX_RD.
pub(super) const CONFIRM_DURATION: Duration = Duration::from_secs(10);
/// REN_TIMEOUT, REN_MAX_RT; REB_TIMEOUT, REB_MAX_RT.
pub(super) const EXTEND: Schedule = schedule(10, 600, 0, 0);
/// INF_TIMEOUT, INF_MAX_RT, INF_MAX_DELAY.
pub(super) const INFORM: Schedule = schedule(1, 3600, 0, 1);
/// REL_TIMEOUT, REL_MAX_RC; DEC_TIMEOUT, DEC_MAX_RC.
pub(super) const GIVE_BACK: Schedule = schedule(1, 0, 4, 0);

/// One exchange.
#[derive(Clone, Debug)]
pub(super) struct Exchange {
    /// The identifier of its messages, of 24 bits.
    pub(super) transaction: u32,
    /// When the next message leaves, or the exchange fails.
    pub(super) next_at: Instant,
    /// The messages that were sent.
    pub(super) sent: u32,
    schedule: Schedule,
    started: Instant,
    /// RT.
    timeout: Duration,
    /// It fails then (MRD).
    ends_at: Option<Instant>,
}

/// A part of a time.
fn scaled(time: Duration, millionths: u32) -> Duration {
    let micros = u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
    Duration::from_micros(micros.saturating_mul(u64::from(millionths)) / 1_000_000)
}

impl Exchange {
    /// An exchange whose first message leaves after a random delay.
    pub(super) fn new(random: &mut Random, now: Instant, schedule: Schedule) -> Self {
        let most = u32::try_from(schedule.delay.as_micros()).unwrap_or(u32::MAX);
        let delay = if most == 0 { 0 } else { random.below(most) };
        let next_at = now.after(Duration::from_micros(u64::from(delay)));
        Self {
            transaction: random.u32() & 0x00ff_ffff,
            next_at,
            sent: 0,
            schedule,
            started: next_at,
            timeout: schedule.initial,
            ends_at: None,
        }
    }

    /// The same without a delay.
    pub(super) fn at_once(random: &mut Random, now: Instant, schedule: Schedule) -> Self {
        Self::new(random, now, Schedule { delay: Duration::ZERO, ..schedule })
    }

    /// The same with another longest wait (SOL_MAX_RT, INF_MAX_RT).
    pub(super) fn with_longest(mut self, longest: Duration) -> Self {
        self.schedule.longest = longest;
        self
    }

    /// The same, and it fails then.
    pub(super) fn until(mut self, end: Option<Instant>) -> Self {
        self.ends_at = end;
        self
    }

    /// Another longest wait from now on.
    pub(super) const fn set_longest(&mut self, longest: Duration) {
        self.schedule.longest = longest;
    }

    /// True when no more message is sent.
    pub(super) fn is_over(&self, now: Instant) -> bool {
        (self.schedule.count > 0 && self.sent >= self.schedule.count)
            || self.ends_at.is_some_and(|end| end <= now)
    }

    /// Hundredths of a second since the first message, as an option has them.
    pub(super) fn elapsed(&self, now: Instant) -> u16 {
        if self.sent == 0 {
            return 0;
        }
        u16::try_from(now.since(self.started).as_millis() / 10).unwrap_or(u16::MAX)
    }

    /// A message left now.
    pub(super) fn advance(&mut self, random: &mut Random, now: Instant) {
        let mut between = |least: u32, most: u32| least + random.below(most - least + 1);
        let (base, millionths) = match self.sent {
            0 if self.schedule.is_first_longer => {
                (self.schedule.initial, between(1_000_001, 1_100_000))
            }
            0 => (self.schedule.initial, between(900_000, 1_100_000)),
            _ => (self.timeout, between(1_900_000, 2_100_000)),
        };
        let longest = self.schedule.longest;
        self.timeout = scaled(base, millionths);
        if !longest.is_zero() && self.timeout > longest {
            self.timeout = scaled(longest, between(900_000, 1_100_000));
        }
        if self.sent == 0 {
            self.started = now;
        }
        self.sent = self.sent.saturating_add(1);
        let next_at = now.after(self.timeout);
        self.next_at = self.ends_at.map_or(next_at, |end| end.min(next_at));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stack::context::tests::ethernet;

    /// The waits after each of so many messages.
    fn waits(schedule: Schedule, count: usize) -> Vec<f64> {
        let mut cx = ethernet();
        let mut now = cx.now;
        let mut exchange = Exchange::at_once(&mut cx.random, now, schedule);
        let mut waits = Vec::new();
        for _ in 0..count {
            exchange.advance(&mut cx.random, now);
            waits.push(exchange.next_at.since(now).as_secs_f64());
            now = exchange.next_at;
        }
        waits
    }

    use alloc::vec::Vec;

    #[test]
    fn waits_double_up_to_the_longest_and_are_never_the_same_share() {
        let waits = waits(REQUEST, 10);
        assert!((0.9..=1.1).contains(&waits[0]), "{waits:?}");
        for pair in waits.windows(2).take(4) {
            assert!((1.9..=2.1).contains(&(pair[1] / pair[0])), "{waits:?}");
        }
        assert!(waits[6..].iter().all(|wait| (27.0..=33.0).contains(wait)), "{waits:?}");
    }

    #[test]
    fn the_first_wait_of_a_solicit_is_longer_than_its_time_out() {
        for _ in 0..20 {
            let first = waits(SOLICIT, 1)[0];
            assert!(first > 1.0 && first <= 1.1, "{first}");
        }
        let long = waits(SOLICIT, 16);
        assert!((3240.0..=3960.0).contains(&long[15]), "{long:?}");
    }

    #[test]
    fn an_exchange_ends_by_its_count_or_its_time() {
        let mut cx = ethernet();
        let now = cx.now;
        let mut counted = Exchange::at_once(&mut cx.random, now, GIVE_BACK);
        for sent in 0..4 {
            assert!(!counted.is_over(now), "{sent}");
            counted.advance(&mut cx.random, now);
        }
        assert!(counted.is_over(now));
        let end = now.after(Duration::from_millis(1500));
        let mut timed = Exchange::at_once(&mut cx.random, now, CONFIRM).until(Some(end));
        timed.advance(&mut cx.random, now);
        assert!(timed.next_at < end);
        timed.advance(&mut cx.random, timed.next_at);
        assert_eq!(timed.next_at, end);
        assert!(timed.is_over(end));
        assert_eq!((timed.elapsed(now), timed.elapsed(end)), (0, 150));
    }
}
