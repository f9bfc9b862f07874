//! What a bad cable does to frames: rate, queue, delay, jitter, loss, reordering, duplicates,
//! damage.
//!
//! [`Course`] is one direction of one cable. It decides the fate of a frame from the present, the
//! settings and its own seeded generator, and touches nothing else; the [`switch`](crate::lan)
//! carries the fates out. Times are in nanoseconds, since a short frame on a fast cable takes less
//! than a microsecond.

use std::time::Duration;

use fastrand::Rng;
use serde::{Deserialize, Serialize};

use crate::limits::RATE_QUEUE_BYTES;

/// How much longer than usual a held-back frame takes at least.
const HELD_BACK: Duration = Duration::from_millis(1);

/// A probability in millionths.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default, Serialize, Deserialize)]
pub struct Chance(u32);

impl Chance {
    /// It does not happen.
    pub const NEVER: Self = Self(0);
    /// It happens each time.
    pub const ALWAYS: Self = Self(1_000_000);

    /// So many in a million; more is [`ALWAYS`](Self::ALWAYS).
    #[must_use]
    pub const fn per_million(count: u32) -> Self {
        if count > Self::ALWAYS.0 { Self::ALWAYS } else { Self(count) }
    }

    /// So many in a hundred; outside of 0 to 100 the nearest end counts.
    #[must_use]
    pub fn percent(percent: f64) -> Self {
        Self::per_million((percent * 10_000.0).round() as u32)
    }

    /// The millionths.
    #[must_use]
    pub const fn millionths(self) -> u32 {
        self.0
    }

    /// Draws only when the answer is open, so that settings without chance use no chance.
    fn happens(self, random: &mut Rng) -> bool {
        self.0 > 0 && random.u32(0..Self::ALWAYS.0) < self.0
    }
}

/// The quality of one cable between a station and the switch; it holds for each direction by
/// itself. The default is perfect.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Impairment {
    /// How long each frame takes.
    pub delay: Duration,
    /// How much longer it takes at most, evenly spread. Frames stay in order.
    pub jitter: Duration,
    /// How many frames are lost.
    pub loss: Chance,
    /// How many frames are lost in a row on average (Gilbert's model); up to 1, each is lost by
    /// itself.
    pub burst: u32,
    /// How many frames are held back, so that later ones overtake them: they take twice as long,
    /// and a millisecond more at least.
    pub reorder: Chance,
    /// How many frames arrive twice.
    pub duplicate: Chance,
    /// How many frames arrive with one wrong bit.
    pub corrupt: Chance,
    /// Bits per second; `None` for no limit.
    pub rate: Option<u64>,
    /// Bytes that wait for a limited rate; what does not fit is lost.
    pub queue: u32,
}

impl Impairment {
    /// A cable that changes nothing.
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

    /// True when frames pass at once and unchanged.
    #[must_use]
    pub fn is_none(&self) -> bool {
        let Self { delay, jitter, loss, burst: _, reorder, duplicate, corrupt, rate, queue: _ } =
            *self;
        delay.is_zero()
            && jitter.is_zero()
            && [loss, reorder, duplicate, corrupt] == [Chance::NEVER; 4]
            && rate.is_none()
    }

    /// True when each chance is one; decoded values must be checked before use.
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

/// What becomes of a frame.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Fate {
    /// When it comes out, in nanoseconds.
    pub(crate) due: u64,
    /// A bit that is wrong then, counted from an arbitrary start; the length of the frame bounds
    /// it.
    pub(crate) wrong_bit: Option<u64>,
    /// It comes out twice.
    pub(crate) twice: bool,
}

/// One direction of a cable.
#[derive(Debug)]
pub(crate) struct Course {
    random: Rng,
    /// The last frame was lost in a burst.
    is_losing: bool,
    /// When the sender's end is free again.
    free: u64,
    /// When the last frame that kept its order comes out.
    last: u64,
}

impl Course {
    pub(crate) fn new(seed: u64) -> Self {
        Self { random: Rng::with_seed(seed), is_losing: false, free: 0, last: 0 }
    }

    /// Decides about a frame of `length` bytes that enters `now`; `None` when it is lost.
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

    /// When the whole frame has left the sender; `None` when the queue has no room.
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
        // A burst ends with 1/burst per frame, and begins so often that the share of lost frames is
        // `loss`.
        let (burst, share) =
            (f64::from(burst), f64::from(loss.millionths()) / f64::from(Chance::ALWAYS.0));
        let change = if self.is_losing { 1.0 / burst } else { share / (burst * (1.0 - share)) };
        if self.random.f64() < change {
            self.is_losing = !self.is_losing;
        }
        self.is_losing
    }
}

/// A duration in nanoseconds; 584 years at most.
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
