//! The receiving direction of a connection: what came, in order or not, and what the peer is told
//! of it.
//!
//! Pure state: segments that passed the [`gate`](super::gate) come in, the program takes bytes out,
//! and [`super::egress`] asks which acknowledgment, window and blocks the next segment carries.
//! Data out of order stands in the same buffer behind what is readable, at its place, so a filled
//! gap costs nothing; [`limits::TCP_ISLANDS`] bounds how many such ranges are remembered, the
//! window how far they reach.
//!
//! Sources: RFC 9293 §3.8.6.2.2 (windows), RFC 2018 and 2883 (blocks), RFC 5681 §4.2
//! (acknowledgments), RFC 3168 §6.1.3 (marks).

use alloc::collections::VecDeque;
use core::time::Duration;

use super::islands::Islands;
use super::ring;
use super::segment::{Blocks, LARGEST_SHIFT, before, later};
use crate::platform::Instant;

/// How long an acknowledgment waits for company (RFC 9293 §3.8.6.3 allows 500 ms; Linux starts at
/// 40 ms).
pub(crate) const ACK_DELAY: Duration = Duration::from_millis(10);

/// When the peer is to hear from us.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Due {
    /// It knows everything.
    Never,
    /// With the next data, or at this moment.
    At(Instant),
    Now,
}

/// What a segment brought.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct Taken {
    /// There is more to read.
    pub(crate) is_more: bool,
    /// The peer's end is in order now.
    pub(crate) is_over: bool,
}

/// The receiving direction.
#[derive(Debug)]
pub(crate) struct Receiver {
    /// Readable bytes, then what came out of order at its place.
    buffer: VecDeque<u8>,
    readable: usize,
    /// Bytes that may wait for the program; grows up to `most` as the path and the program take it.
    limit: usize,
    most: usize,
    /// The next number that is expected; the peer's FIN counts once it is in order.
    next: u32,
    /// What we acknowledged last.
    acknowledged: u32,
    /// The furthest number that we ever allowed.
    edge: u32,
    shift: u8,
    /// What came out of order.
    islands: Islands,
    /// What came twice and was not told yet (RFC 2883).
    duplicate: Option<(u32, u32)>,
    /// Where the peer's stream ends.
    end: Option<u32>,
    is_over: bool,
    due: Due,
    /// Bytes of the longest segment that came: what the peer takes for a full one.
    longest: u32,
    /// The peer negotiated congestion marks, and one came that it does not know of yet.
    is_marked: bool,
    /// Bytes that came in order.
    received: u64,
    /// What the program took since then: for the growth of `limit`.
    taken: usize,
    since: Instant,
}

impl Receiver {
    /// A receiver whose buffer is as large as `limit` and may grow up to `most` bytes.
    pub(crate) const fn new(limit: usize, most: usize) -> Self {
        Self {
            buffer: VecDeque::new(),
            readable: 0,
            limit,
            most: if most > limit { most } else { limit },
            next: 0,
            acknowledged: 0,
            edge: 0,
            shift: 0,
            islands: Islands::new(),
            duplicate: None,
            end: None,
            is_over: false,
            due: Due::Never,
            longest: 0,
            is_marked: false,
            received: 0,
            taken: 0,
            since: Instant::ZERO,
        }
    }

    /// The scale in which our SYN offers windows: as small as the largest buffer allows (RFC 7323
    /// §2.2).
    pub(crate) fn offered_shift(&self) -> u8 {
        (0..LARGEST_SHIFT)
            .find(|shift| self.most >> shift <= usize::from(u16::MAX))
            .unwrap_or(LARGEST_SHIFT)
    }

    /// The window of our SYN, which is never scaled.
    pub(crate) fn first_window(&self) -> u16 {
        u16::try_from(self.limit).unwrap_or(u16::MAX)
    }

    /// The peer's stream begins at `next`; windows are scaled by `shift` from here on. Our SYN
    /// allowed [`first_window`](Self::first_window).
    pub(crate) fn begin(&mut self, next: u32, shift: u8, now: Instant) {
        (self.next, self.acknowledged, self.shift, self.since) = (next, next, shift, now);
        self.edge = next.wrapping_add(u32::from(self.first_window()));
    }

    pub(crate) const fn next(&self) -> u32 {
        self.next
    }

    /// The first number of the stream, or one so far back that it makes no difference.
    pub(crate) fn begin_number(&self) -> u32 {
        let received = u32::try_from(self.received).unwrap_or(u32::MAX).min(1 << 30);
        self.next.wrapping_sub(received).wrapping_sub(u32::from(self.is_over))
    }

    pub(crate) const fn edge(&self) -> u32 {
        self.edge
    }

    pub(crate) const fn acknowledged(&self) -> u32 {
        self.acknowledged
    }

    /// Bytes that the program can take.
    pub(crate) const fn readable(&self) -> usize {
        self.readable
    }

    /// Bytes that came in order since the connection began.
    pub(crate) const fn received(&self) -> u64 {
        self.received
    }

    /// Bytes that it may leave there.
    pub(crate) const fn limit(&self) -> usize {
        self.limit
    }

    /// Bytes of memory that wait, in order or not.
    pub(crate) fn held(&self) -> usize {
        self.buffer.len()
    }

    /// True when the peer ended its direction and all before that came.
    pub(crate) const fn is_over(&self) -> bool {
        self.is_over
    }

    pub(crate) const fn due(&self) -> Due {
        self.due
    }

    /// True when something is missing before what came.
    pub(crate) const fn has_holes(&self) -> bool {
        !self.islands.is_empty()
    }

    /// The peer has to be told where we are, at once.
    pub(crate) const fn answer(&mut self) {
        self.due = Due::Now;
    }

    /// A packet with a congestion mark came (CE).
    pub(crate) const fn mark(&mut self) {
        self.is_marked = true;
        // Not delayed, or the peer goes on (RFC 3168 §6.1.3 leaves it open; Linux does so).
        self.due = Due::Now;
    }

    /// The peer says that it heard of the mark.
    pub(crate) const fn unmark(&mut self) {
        self.is_marked = false;
    }

    pub(crate) const fn is_marked(&self) -> bool {
        self.is_marked
    }

    /// Takes the data of a segment and its FIN, as far as they fit the window.
    pub(crate) fn take(&mut self, sequence: u32, data: &[u8], fin: bool, now: Instant) -> Taken {
        // A segment is shorter than 65,536 bytes.
        let last = sequence.wrapping_add(data.len() as u32);
        if fin && self.end.is_some_and(|end| end != last) {
            // Two ends cannot both be right; the first one counts (TCP-R-04).
            return Taken::default();
        }
        let before_all = (self.readable, self.is_over);
        self.longest = self.longest.max(data.len() as u32);
        // TCP-R-01, TCP-R-02: nothing beyond the edge that we advertised or beyond the peer's end,
        // and no end behind that.
        let edge = match self.end {
            Some(end) if before(end, self.edge) => end,
            _ => self.edge,
        };
        let stop = if before(edge, last) { edge } else { last };
        let start = later(sequence, self.next);
        if before(sequence, self.next) && !data.is_empty() {
            let until = if before(last, self.next) { last } else { self.next };
            let from = later(sequence, self.begin_number());
            self.duplicate = Some((from, until)).filter(|(from, until)| before(*from, *until));
            self.due = Due::Now;
        }
        if before(start, stop) {
            let skipped = start.wrapping_sub(sequence) as usize;
            let kept =
                data.get(skipped..skipped + stop.wrapping_sub(start) as usize).unwrap_or_default();
            self.put(start, kept);
        }
        if fin && !before(edge, last) && !before(last, self.next) && !self.is_over {
            self.end_at(last);
        } else if fin {
            self.due = Due::Now;
        }
        if self.end == Some(self.next) && !self.is_over {
            self.is_over = true;
            self.next = self.next.wrapping_add(1);
        }
        // The end waits for company too: whoever ends in turn acknowledges with that.
        self.decide(now, !data.is_empty() || fin);
        self.received += (self.readable - before_all.0) as u64;
        Taken { is_more: self.readable > before_all.0, is_over: self.is_over && !before_all.1 }
    }

    /// The stream ends there: what came from beyond was never part of it (TCP-R-04; Linux drops it
    /// likewise).
    fn end_at(&mut self, end: u32) {
        self.end = Some(end);
        self.islands.cut(end);
        let ahead = self.islands.end().map_or(0, |last| last.wrapping_sub(self.next) as usize);
        self.buffer.truncate(self.readable + ahead);
    }

    /// Puts data to its place; all of it lies in the window and none was read.
    fn put(&mut self, start: u32, data: &[u8]) {
        let end = start.wrapping_add(data.len() as u32);
        if start == self.next && self.islands.is_empty() {
            ring::append(&mut self.buffer, data, self.limit);
            self.readable += data.len();
            self.next = end;
            return;
        }
        if start != self.next && !self.islands.may_keep(start, end) {
            self.due = Due::Now;
            return;
        }
        self.due = Due::Now;
        let offset = start.wrapping_sub(self.next) as usize;
        ring::write(&mut self.buffer, self.readable + offset, data, self.limit);
        if self.islands.join(start, end) {
            self.duplicate = Some((start, end));
        }
        if let Some(reached) = self.islands.land(self.next) {
            self.readable += reached.wrapping_sub(self.next) as usize;
            self.next = reached;
        }
    }

    /// Decides when the peer hears of what came.
    fn decide(&mut self, now: Instant, has_data: bool) {
        if self.due == Due::Now || !has_data {
            return;
        }
        let unacknowledged = self.next.wrapping_sub(self.acknowledged);
        if self.has_holes() || unacknowledged > self.longest {
            // Every second full segment (RFC 5681 §4.2), and everything while something is missing.
            self.due = Due::Now;
        } else if self.due == Due::Never && unacknowledged > 0 {
            self.due = Due::At(now.after(ACK_DELAY));
        }
    }

    /// Gives the program bytes; with `peek` they stay. `round_trip` is the time in which the
    /// program's appetite is measured.
    pub(crate) fn read(
        &mut self,
        buffer: &mut [u8],
        peek: bool,
        now: Instant,
        round_trip: Duration,
    ) -> usize {
        let count = buffer.len().min(self.readable);
        let Some(buffer) = buffer.get_mut(..count) else { return 0 };
        ring::copy(&self.buffer, 0, buffer);
        if !peek {
            self.buffer.drain(..count);
            self.readable -= count;
            self.taken += count;
            self.grow(now, round_trip);
        }
        count
    }

    /// Lets the buffer grow to twice of what the program takes in a round trip: then the window is
    /// not what holds the peer back.
    fn grow(&mut self, now: Instant, round_trip: Duration) {
        if self.limit >= self.most || now.since(self.since) < round_trip {
            return;
        }
        let wanted = self.taken.saturating_mul(2);
        (self.taken, self.since) = (0, now);
        if wanted > self.limit {
            self.limit = wanted.min(self.most);
        }
    }

    /// Nothing is given back while the system is short of memory: the buffer grows no further.
    pub(crate) const fn stop_growing(&mut self) {
        self.most = self.limit;
    }

    /// True when the program took so much that the peer should hear of it: its window would at
    /// least double, and a full segment or half of the buffer fits (RFC 9293 §3.8.6.2.2).
    pub(crate) fn is_worth_telling(&self, own_segment: u16) -> bool {
        let known = self.edge.wrapping_sub(self.next) as usize;
        let room = self.limit.saturating_sub(self.readable);
        let worth = usize::from(own_segment).min(self.limit / 2);
        !self.is_over && room >= known + worth && room >= 2 * known
    }

    /// The window field of a segment that leaves now; what it allows is remembered, and that the
    /// peer knows everything after it.
    pub(crate) fn announce(&mut self, own_segment: u16) -> u16 {
        let room =
            self.limit.saturating_sub(self.readable).min(usize::from(u16::MAX) << self.shift);
        let known = self.edge.wrapping_sub(self.next) as usize;
        // The edge only moves in steps worth sending for, and never back (TCP-R-03).
        let worth = usize::from(own_segment).min(self.limit / 2).max(1 << self.shift);
        if before(self.edge, self.next) || room >= known.saturating_add(worth) {
            // What the limits allow fits.
            self.edge = self.next.wrapping_add((room >> self.shift << self.shift) as u32);
        }
        (self.acknowledged, self.due, self.duplicate) = (self.next, Due::Never, None);
        self.window()
    }

    /// The window field of what is known to be allowed.
    pub(crate) fn window(&self) -> u16 {
        if before(self.edge, self.next) {
            return 0;
        }
        u16::try_from(self.edge.wrapping_sub(self.next) >> self.shift).unwrap_or(u16::MAX)
    }

    /// True when what would be told of ranges has not been told.
    pub(crate) const fn has_news(&self) -> bool {
        self.duplicate.is_some() || self.has_holes()
    }

    /// What to tell of ranges: what came twice, then what came out of order, newest first (RFC 2018
    /// §4, RFC 2883 §4).
    pub(crate) fn blocks(&self) -> Blocks {
        let mut blocks = Blocks::default();
        if let Some(duplicate) = self.duplicate {
            blocks.push(duplicate);
        }
        self.islands.tell(&mut blocks);
        blocks
    }
}

#[cfg(test)]
mod tests;
