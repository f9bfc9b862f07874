//! Ephemeral ports (RFC 6056 §3.3.1).

use super::random::Random;
use crate::limits;

/// The number of ephemeral ports.
pub(crate) const COUNT: u32 = (limits::EPHEMERAL_LAST - limits::EPHEMERAL_FIRST) as u32 + 1;

/// The ephemeral port at an index.
pub(crate) const fn at(index: u32) -> u16 {
    // The index is in the range, which fits.
    limits::EPHEMERAL_FIRST + (index % COUNT) as u16
}

/// The first free ephemeral port from a random index on.
pub(crate) fn ephemeral(random: &mut Random, is_free: impl Fn(u16) -> bool) -> Option<u16> {
    let start = random.below(COUNT);
    (0..COUNT).map(|step| at(start + step)).find(|port| is_free(*port))
}
