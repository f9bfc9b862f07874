//! The timestamps option (RFC 7323 §3 to §5): round trips of retransmitted segments, and protection
//! against wrapped sequence numbers (PAWS), which fast paths reach within seconds.
//!
//! Our clock ticks each millisecond and begins at a keyed offset per flow, so that it reveals
//! neither the uptime nor other connections (§7.1). A segment without the option is taken although
//! it was negotiated, as on Linux: §3.2 lets it be dropped, and some middleboxes remove the option
//! from a connection that exists.

use core::time::Duration;

use super::segment::before;
use crate::platform::Instant;

/// After so long without a segment TS.Recent says nothing: the peer's clock may have wrapped
/// (§5.5).
const VALIDITY: u32 = era(Instant::ZERO.after(Duration::from_secs(24 * 24 * 60 * 60)));

/// Ticks beyond which an echo is not believed: twice the largest RTO.
const LONGEST: u32 = 120_000;

/// The time in units of about a second, which takes four bytes and no division.
const fn era(now: Instant) -> u32 {
    (now.as_micros() >> 20) as u32
}

/// The ticks of our clock, which wraps.
pub(super) const fn tick(now: Instant) -> u32 {
    (now.as_micros() / 1000) as u32
}

/// The time since a tick of our clock; none for one that is to come or too long ago.
pub(super) fn since(echoed: u32, now: Instant) -> Option<Duration> {
    let ticks = tick(now).wrapping_sub(echoed);
    // A tick is the least that it can tell.
    (ticks < LONGEST).then(|| Duration::from_millis(ticks.max(1).into()))
}

/// The state of the option.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Timestamps {
    /// Our SYN offers the option, and our SYN|ACK accepts it.
    is_offered: bool,
    /// Snd.TS.OK: both SYNs had the option.
    is_negotiated: bool,
    /// Snd.TS.Offset: added to the ticks of our clock.
    offset: u32,
    /// TS.Recent: the timestamp to echo, and the era in which it was taken.
    ts_recent: u32,
    ts_recent_era: u32,
}

impl Timestamps {
    pub(super) const fn new(is_offered: bool, offset: u32) -> Self {
        Self { is_offered, is_negotiated: false, offset, ts_recent: 0, ts_recent_era: 0 }
    }

    pub(super) const fn is_offered(&self) -> bool {
        self.is_offered
    }

    /// The peer's SYN has the option.
    pub(super) const fn negotiate(&mut self, seg_tsval: u32, now: Instant) {
        if self.is_offered {
            self.is_negotiated = true;
            (self.ts_recent, self.ts_recent_era) = (seg_tsval, era(now));
        }
    }

    pub(super) const fn is_negotiated(&self) -> bool {
        self.is_negotiated
    }

    const fn values(&self, now: Instant) -> (u32, u32) {
        (tick(now).wrapping_add(self.offset), self.ts_recent)
    }

    /// TSval and TSecr of a SYN before the peer's came, if it offers the option; TSecr is zero.
    pub(super) fn offer(&self, now: Instant) -> Option<(u32, u32)> {
        self.is_offered.then(|| self.values(now))
    }

    /// TSval and TSecr of a segment that leaves now, if the option was negotiated.
    pub(super) fn option(&self, now: Instant) -> Option<(u32, u32)> {
        self.is_negotiated.then(|| self.values(now))
    }

    /// PAWS (§5.3, R1): true for a segment that is older than one that was received.
    pub(super) fn is_old(&self, seg_tsval: u32, now: Instant) -> bool {
        before(seg_tsval, self.ts_recent) && era(now).wrapping_sub(self.ts_recent_era) < VALIDITY
    }

    /// Ticks of the peer's clock by which a segment is older than TS.Recent.
    pub(super) const fn age(&self, seg_tsval: u32) -> u32 {
        self.ts_recent.wrapping_sub(seg_tsval)
    }

    /// Takes the timestamp of a segment that passed [`is_old`](Self::is_old) and begins at
    /// `seg_seq`: it is echoed if the segment covers the last acknowledgment (§4.3).
    pub(super) const fn take(
        &mut self,
        seg_tsval: u32,
        seg_seq: u32,
        last_ack_sent: u32,
        now: Instant,
    ) {
        if !before(last_ack_sent, seg_seq) {
            (self.ts_recent, self.ts_recent_era) = (seg_tsval, era(now));
        }
    }

    /// True when a SYN with this timestamp is newer than the connection (RFC 6191 §2).
    pub(super) fn is_newer(&self, seg_tsval: u32) -> bool {
        self.is_negotiated && before(self.ts_recent, seg_tsval)
    }

    /// The tick of our clock that the peer echoes.
    pub(super) const fn echoed_tick(&self, seg_tsecr: u32) -> u32 {
        seg_tsecr.wrapping_sub(self.offset)
    }

    /// The time since the segment left that the peer echoes; none for what we cannot have sent.
    pub(super) fn round_trip(&self, seg_tsecr: u32, now: Instant) -> Option<Duration> {
        since(self.echoed_tick(seg_tsecr), now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Instant {
        Instant::ZERO.after(Duration::from_secs(seconds))
    }

    #[test]
    fn paws_drops_what_is_older_until_the_clock_may_have_wrapped() {
        let mut timestamps = Timestamps::new(true, 7);
        let offer = timestamps.offer(at(1));
        assert_eq!((timestamps.option(at(1)), offer), (None, Some((1007, 0))));
        timestamps.negotiate(u32::MAX - 1, at(1));
        assert_eq!(timestamps.option(at(2)), Some((2007, u32::MAX - 1)));
        assert!(!timestamps.is_old(u32::MAX - 1, at(2)) && !timestamps.is_old(3, at(2)));
        assert!(timestamps.is_old(u32::MAX - 2, at(2)));
        // Beyond the last acknowledgment it is not echoed.
        timestamps.take(3, 101, 100, at(2));
        assert!(!timestamps.is_old(u32::MAX, at(2)));
        timestamps.take(3, 100, 100, at(2));
        assert!(timestamps.is_old(u32::MAX, at(2)) && timestamps.is_newer(4));
        assert!(timestamps.is_old(2, at(24 * 86_400)) && !timestamps.is_old(2, at(25 * 86_400)));
        assert_eq!(timestamps.echoed_tick(2007), tick(at(2)));
    }
}
