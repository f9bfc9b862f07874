//! The impairments of a cable: rate, queue, delay, jitter, loss, reordering, duplication,
//! corruption.
//!
//! [`Direction`] is one direction of one cable. It decides the fate of a frame from the time, the
//! settings and its own seeded generator, and has no side effects; the [`switch`](crate::lan)
//! applies the fate. Times are in nanoseconds, since a short frame on a fast cable takes less than
//! a microsecond.

use std::time::Duration;

use fastrand::Rng;
use serde::{Deserialize, Serialize};

use crate::limits::RATE_QUEUE_BYTES;

/// The minimum extra delay of a reordered frame.
const HELD_BACK: Duration = Duration::from_millis(1);

/// A probability in millionths.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default, Serialize, Deserialize)]
pub struct Chance(u32);

impl Chance {
    /// Never.
    pub const NEVER: Self = Self(0);
    /// Always.
    pub const ALWAYS: Self = Self(1_000_000);

    /// A probability of `count` in a million; larger values become [`ALWAYS`](Self::ALWAYS).
    #[must_use]
    pub const fn per_million(count: u32) -> Self {
        if count > Self::ALWAYS.0 { Self::ALWAYS } else { Self(count) }
    }

    /// A probability in percent; values outside 0 to 100 are clamped.
    #[must_use]
    pub fn percent(percent: f64) -> Self {
        Self::per_million((percent * 10_000.0).round() as u32)
    }

    /// Returns the probability in millionths.
    #[must_use]
    pub const fn millionths(self) -> u32 {
        self.0
    }

    /// Draws a random number only if the outcome is uncertain, so that settings without
    /// probabilities consume none.
    fn happens(self, random: &mut Rng) -> bool {
        self.0 > 0 && random.u32(0..Self::ALWAYS.0) < self.0
    }
}

/// The impairment of one cable between a station and the switch; it applies to each direction
/// separately. The default is none.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Impairment {
    /// The delay of each frame.
    pub delay: Duration,
    /// The maximum extra delay, uniformly distributed. Frames stay in order.
    pub jitter: Duration,
    /// The share of lost frames.
    pub loss: Chance,
    /// The average number of consecutive lost frames (Gilbert's model); up to 1, losses are
    /// independent.
    pub burst: u32,
    /// The share of reordered frames. They take twice the delay, and at least a millisecond more,
    /// so that later frames overtake them.
    pub reorder: Chance,
    /// The share of frames that arrive twice.
    pub duplicate: Chance,
    /// The share of frames that arrive with one bit error.
    pub corrupt: Chance,
    /// The rate in bits per second; `None` for no limit.
    pub rate: Option<u64>,
    /// The queue of a limited rate in bytes; frames that do not fit are dropped.
    pub queue: u32,
}

devnet_virtual_file_system::setters! {
    Impairment {
        delay: Duration,
        jitter: Duration,
        loss: Chance,
        burst: u32,
        reorder: Chance,
        duplicate: Chance,
        corrupt: Chance,
        rate: Option<u64>,
        queue: u32,
    }
}

impl Impairment {
    /// No impairment.
    pub const NONE: Self = Self {
        delay: Duration::ZERO,
        jitter: Duration::ZERO,
        loss: Chance::NEVER,
        burst: 1,
        reorder: Chance::NEVER,
        duplicate: Chance::NEVER,
        corrupt: Chance::NEVER,
        rate: None,
        queue: RATE_QUEUE_BYTES,
    };

    /// True if frames pass at once and unchanged.
    #[must_use]
    pub fn is_none(&self) -> bool {
        let Self { delay, jitter, loss, burst: _, reorder, duplicate, corrupt, rate, queue: _ } =
            *self;
        delay.is_zero()
            && jitter.is_zero()
            && [loss, reorder, duplicate, corrupt] == [Chance::NEVER; 4]
            && rate.is_none()
    }

    /// True if every probability is at most one; check decoded values before use.
    #[must_use]
    pub fn is_valid(&self) -> bool {
        [self.loss, self.reorder, self.duplicate, self.corrupt]
            .iter()
            .all(|chance| *chance <= Chance::ALWAYS)
            && self.rate != Some(0)
    }
}

impl Default for Impairment {
    fn default() -> Self {
        Self::NONE
    }
}

/// The fate of a frame.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Fate {
    /// When it arrives, in nanoseconds.
    pub(crate) due: u64,
    /// The position of its bit error, counted from an arbitrary start, modulo the length of the
    /// frame.
    pub(crate) wrong_bit: Option<u64>,
    /// It arrives twice.
    pub(crate) twice: bool,
}

/// One direction of a cable.
#[derive(Debug)]
pub(crate) struct Direction {
    random: Rng,
    /// The last frame was lost in a burst.
    is_losing: bool,
    /// When the sender becomes free again.
    free: u64,
    /// When the last frame sent in order arrives.
    last: u64,
}

impl Direction {
    pub(crate) fn new(seed: u64) -> Self {
        Self { random: Rng::with_seed(seed), is_losing: false, free: 0, last: 0 }
    }

    /// Decides the fate of a frame of `length` bytes sent at `now`; `None` if it is lost.
    pub(crate) fn cross(
        &mut self,
        length: usize,
        now: u64,
        impairment: &Impairment,
    ) -> Option<Fate> {
        let sent = self.send(length, now, impairment)?;
        if self.is_lost(impairment) {
            return None;
        }
        let random = &mut self.random;
        let jitter = match nanoseconds(impairment.jitter) {
            0 => 0,
            most => random.u64(0..=most),
        };
        let takes = nanoseconds(impairment.delay).saturating_add(jitter);
        let due = if impairment.reorder.happens(random) {
            sent.saturating_add(takes).saturating_add(takes.max(nanoseconds(HELD_BACK)))
        } else {
            self.last = self.last.max(sent.saturating_add(takes));
            self.last
        };
        let wrong_bit = impairment.corrupt.happens(random).then(|| random.u64(..));
        Some(Fate { due, wrong_bit, twice: impairment.duplicate.happens(random) })
    }

    /// Returns when the sender has sent the whole frame; `None` if the queue is full.
    fn send(&mut self, length: usize, now: u64, impairment: &Impairment) -> Option<u64> {
        let Some(rate) = impairment.rate else { return Some(now) };
        let start = self.free.max(now);
        let waiting = bytes_in(start - now, rate);
        if waiting > 0 && waiting.saturating_add(length as u64) > u64::from(impairment.queue) {
            return None;
        }
        self.free = start.saturating_add(time_of(length, rate));
        Some(self.free)
    }

    fn is_lost(&mut self, impairment: &Impairment) -> bool {
        let Impairment { loss, burst, .. } = *impairment;
        if burst <= 1 || loss == Chance::NEVER || loss == Chance::ALWAYS {
            self.is_losing = false;
            return loss.happens(&mut self.random);
        }
        // A burst ends with probability 1/burst per frame, and begins often enough that the share
        // of lost frames is `loss`.
        let (burst, share) =
            (f64::from(burst), f64::from(loss.millionths()) / f64::from(Chance::ALWAYS.0));
        let change = if self.is_losing { 1.0 / burst } else { share / (burst * (1.0 - share)) };
        if self.random.f64() < change {
            self.is_losing = !self.is_losing;
        }
        self.is_losing
    }
}

/// Converts a duration to nanoseconds; 584 years at most.
pub(crate) fn nanoseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

fn time_of(length: usize, rate: u64) -> u64 {
    let bits = (length as u128).saturating_mul(8);
    u64::try_from(bits.saturating_mul(1_000_000_000) / u128::from(rate.max(1))).unwrap_or(u64::MAX)
}

fn bytes_in(time: u64, rate: u64) -> u64 {
    u64::try_from(u128::from(time).saturating_mul(u128::from(rate)) / 8_000_000_000)
        .unwrap_or(u64::MAX)
}
