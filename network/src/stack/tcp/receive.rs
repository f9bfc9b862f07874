//! The receiving direction of a connection: what came, in order or not, and what the peer is told
//! of it.
//!
//! Pure state: segments that passed the [`acceptability`](super::acceptability) come in, the program takes bytes out,
//! and [`super::egress`] asks which acknowledgment, advertised_window and sack_blocks the next segment carries.
//! Data out of order stands in the same buffer behind what is readable, at its place, so a filled
//! gap costs nothing; [`limits::TCP_OUT_OF_ORDER`] bounds how many such ranges are remembered, the
//! advertised_window how far they reach.
//!
//! Sources: RFC 9293 §3.8.6.2.2 (windows), RFC 2018 and 2883 (sack_blocks), RFC 5681 §4.2
//! (acknowledgments), RFC 3168 §6.1.3 (marks).

use alloc::collections::VecDeque;
use core::time::Duration;

use super::out_of_order::OutOfOrder;
use super::ring;
use super::segment::{Blocks, MAX_WND_SHIFT, before, later};
use crate::platform::Instant;

/// How long an acknowledgment waits for company (RFC 9293 §3.8.6.3 allows 500 ms; Linux starts at
/// 40 ms).
pub(crate) const DELAYED_ACK: Duration = Duration::from_millis(10);

/// When the peer is to hear from us.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum AckDue {
    /// It knows everything.
    Never,
    /// With the next data, or at this moment.
    At(Instant),
    Now,
}

/// What a segment brought.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct Received {
    /// There is more to read.
    pub(crate) has_data: bool,
    /// The peer's end is in order now.
    pub(crate) has_fin: bool,
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
    rcv_nxt: u32,
    /// What we last_ack_sent last.
    last_ack_sent: u32,
    /// The furthest number that we ever allowed.
    rcv_wnd_end: u32,
    rcv_wnd_shift: u8,
    /// What came out of order.
    out_of_order: OutOfOrder,
    /// What came twice and was not told yet (RFC 2883).
    dsack: Option<(u32, u32)>,
    /// Where the peer's stream ends.
    fin_seq: Option<u32>,
    has_fin: bool,
    ack_due: AckDue,
    /// Bytes of the longest_segment segment that came: what the peer takes for a full one.
    longest_segment: u32,
    /// The peer negotiated congestion marks, and one came that it does not know of yet.
    must_echo_ce: bool,
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
            rcv_nxt: 0,
            last_ack_sent: 0,
            rcv_wnd_end: 0,
            rcv_wnd_shift: 0,
            out_of_order: OutOfOrder::new(),
            dsack: None,
            fin_seq: None,
            has_fin: false,
            ack_due: AckDue::Never,
            longest_segment: 0,
            must_echo_ce: false,
            received: 0,
            taken: 0,
            since: Instant::ZERO,
        }
    }

    /// The scale in which our SYN offers windows: as small as the largest buffer allows (RFC 7323
    /// §2.2).
    pub(crate) fn offered_wnd_shift(&self) -> u8 {
        (0..MAX_WND_SHIFT)
            .find(|rcv_wnd_shift| self.most >> rcv_wnd_shift <= usize::from(u16::MAX))
            .unwrap_or(MAX_WND_SHIFT)
    }

    /// The advertised_window of our SYN, which is never scaled.
    pub(crate) fn syn_window(&self) -> u16 {
        u16::try_from(self.limit).unwrap_or(u16::MAX)
    }

    /// The peer's stream begins at `next`; windows are scaled by `rcv_wnd_shift` from here on. Our SYN
    /// allowed [`syn_window`](Self::syn_window).
    pub(crate) fn begin(&mut self, next: u32, rcv_wnd_shift: u8, now: Instant) {
        (self.rcv_nxt, self.last_ack_sent, self.rcv_wnd_shift, self.since) =
            (next, next, rcv_wnd_shift, now);
        self.rcv_wnd_end = next.wrapping_add(u32::from(self.syn_window()));
    }

    pub(crate) const fn rcv_nxt(&self) -> u32 {
        self.rcv_nxt
    }

    /// The first number of the stream, or one so far back that it makes no difference.
    pub(crate) fn irs(&self) -> u32 {
        let received = u32::try_from(self.received).unwrap_or(u32::MAX).min(1 << 30);
        self.rcv_nxt.wrapping_sub(received).wrapping_sub(u32::from(self.has_fin))
    }

    pub(crate) const fn rcv_wnd_end(&self) -> u32 {
        self.rcv_wnd_end
    }

    pub(crate) const fn last_ack_sent(&self) -> u32 {
        self.last_ack_sent
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
    pub(crate) const fn has_fin(&self) -> bool {
        self.has_fin
    }

    pub(crate) const fn ack_due(&self) -> AckDue {
        self.ack_due
    }

    /// True when something is missing before what came.
    pub(crate) const fn has_holes(&self) -> bool {
        !self.out_of_order.is_empty()
    }

    /// The peer has to be told where we are, at once.
    pub(crate) const fn ack_now(&mut self) {
        self.ack_due = AckDue::Now;
    }

    /// A packet with a congestion on_ce came (CE).
    pub(crate) const fn on_ce(&mut self) {
        self.must_echo_ce = true;
        // Not delayed, or the peer goes on (RFC 3168 §6.1.3 leaves it open; Linux does so).
        self.ack_due = AckDue::Now;
    }

    /// The peer says that it heard of the on_ce.
    pub(crate) const fn on_cwr(&mut self) {
        self.must_echo_ce = false;
    }

    pub(crate) const fn must_echo_ce(&self) -> bool {
        self.must_echo_ce
    }

    /// Takes the data of a segment and its FIN, as far as they fit the advertised_window.
    pub(crate) fn receive(
        &mut self,
        sequence: u32,
        data: &[u8],
        fin: bool,
        now: Instant,
    ) -> Received {
        // A segment is shorter than 65,536 bytes.
        let last = sequence.wrapping_add(data.len() as u32);
        if fin && self.fin_seq.is_some_and(|end| end != last) {
            // Two ends cannot both be right; the first one counts (TCP-R-04).
            return Received::default();
        }
        let before_all = (self.readable, self.has_fin);
        self.longest_segment = self.longest_segment.max(data.len() as u32);
        // TCP-R-01, TCP-R-02: nothing beyond the rcv_wnd_end that we advertised or beyond the peer's end,
        // and no end behind that.
        let rcv_wnd_end = match self.fin_seq {
            Some(end) if before(end, self.rcv_wnd_end) => end,
            _ => self.rcv_wnd_end,
        };
        let stop = if before(rcv_wnd_end, last) { rcv_wnd_end } else { last };
        let start = later(sequence, self.rcv_nxt);
        if before(sequence, self.rcv_nxt) && !data.is_empty() {
            let until = if before(last, self.rcv_nxt) { last } else { self.rcv_nxt };
            let from = later(sequence, self.irs());
            self.dsack = Some((from, until)).filter(|(from, until)| before(*from, *until));
            self.ack_due = AckDue::Now;
        }
        if before(start, stop) {
            let skipped = start.wrapping_sub(sequence) as usize;
            let kept =
                data.get(skipped..skipped + stop.wrapping_sub(start) as usize).unwrap_or_default();
            self.store(start, kept);
        }
        if fin && !before(rcv_wnd_end, last) && !before(last, self.rcv_nxt) && !self.has_fin {
            self.end_at(last);
        } else if fin {
            self.ack_due = AckDue::Now;
        }
        if self.fin_seq == Some(self.rcv_nxt) && !self.has_fin {
            self.has_fin = true;
            self.rcv_nxt = self.rcv_nxt.wrapping_add(1);
        }
        // The end waits for company too: whoever ends in turn acknowledges with that.
        self.schedule_ack(now, !data.is_empty() || fin);
        self.received += (self.readable - before_all.0) as u64;
        Received { has_data: self.readable > before_all.0, has_fin: self.has_fin && !before_all.1 }
    }

    /// The stream ends there: what came from beyond was never part of it (TCP-R-04; Linux drops it
    /// likewise).
    fn end_at(&mut self, end: u32) {
        self.fin_seq = Some(end);
        self.out_of_order.truncate(end);
        let ahead =
            self.out_of_order.end().map_or(0, |last| last.wrapping_sub(self.rcv_nxt) as usize);
        self.buffer.truncate(self.readable + ahead);
    }

    /// Puts data to its place; all of it lies in the advertised_window and none was read.
    fn store(&mut self, start: u32, data: &[u8]) {
        let end = start.wrapping_add(data.len() as u32);
        if start == self.rcv_nxt && self.out_of_order.is_empty() {
            ring::append(&mut self.buffer, data, self.limit);
            self.readable += data.len();
            self.rcv_nxt = end;
            return;
        }
        if start != self.rcv_nxt && !self.out_of_order.has_room_for(start, end) {
            self.ack_due = AckDue::Now;
            return;
        }
        self.ack_due = AckDue::Now;
        let offset = start.wrapping_sub(self.rcv_nxt) as usize;
        ring::write(&mut self.buffer, self.readable + offset, data, self.limit);
        if self.out_of_order.insert(start, end) {
            self.dsack = Some((start, end));
        }
        if let Some(reached) = self.out_of_order.take_contiguous(self.rcv_nxt) {
            self.readable += reached.wrapping_sub(self.rcv_nxt) as usize;
            self.rcv_nxt = reached;
        }
    }

    /// Decides when the peer hears of what came.
    fn schedule_ack(&mut self, now: Instant, has_data: bool) {
        if self.ack_due == AckDue::Now || !has_data {
            return;
        }
        let unacknowledged = self.rcv_nxt.wrapping_sub(self.last_ack_sent);
        if self.has_holes() || unacknowledged > self.longest_segment {
            // Every second full segment (RFC 5681 §4.2), and everything while something is missing.
            self.ack_due = AckDue::Now;
        } else if self.ack_due == AckDue::Never && unacknowledged > 0 {
            self.ack_due = AckDue::At(now.after(DELAYED_ACK));
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

    /// Lets the buffer grow to twice of what the program takes in a round trip: then the advertised_window is
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

    /// True when the program took so much that the peer should hear of it: its advertised_window would at
    /// least double, and a full segment or half of the buffer fits (RFC 9293 §3.8.6.2.2).
    pub(crate) fn is_window_update_due(&self, own_segment: u16) -> bool {
        let known = self.rcv_wnd_end.wrapping_sub(self.rcv_nxt) as usize;
        let room = self.limit.saturating_sub(self.readable);
        let worth = usize::from(own_segment).min(self.limit / 2);
        !self.has_fin && room >= known + worth && room >= 2 * known
    }

    /// The advertised_window field of a segment that leaves now; what it allows is remembered, and that the
    /// peer knows everything after it.
    pub(crate) fn advertise(&mut self, own_segment: u16) -> u16 {
        let room = self
            .limit
            .saturating_sub(self.readable)
            .min(usize::from(u16::MAX) << self.rcv_wnd_shift);
        let known = self.rcv_wnd_end.wrapping_sub(self.rcv_nxt) as usize;
        // The rcv_wnd_end only moves in steps worth sending for, and never back (TCP-R-03).
        let worth = usize::from(own_segment).min(self.limit / 2).max(1 << self.rcv_wnd_shift);
        if before(self.rcv_wnd_end, self.rcv_nxt) || room >= known.saturating_add(worth) {
            // What the limits allow fits.
            self.rcv_wnd_end = self
                .rcv_nxt
                .wrapping_add((room >> self.rcv_wnd_shift << self.rcv_wnd_shift) as u32);
        }
        (self.last_ack_sent, self.ack_due, self.dsack) = (self.rcv_nxt, AckDue::Never, None);
        self.advertised_window()
    }

    /// The advertised_window field of what is known to be allowed.
    pub(crate) fn advertised_window(&self) -> u16 {
        if before(self.rcv_wnd_end, self.rcv_nxt) {
            return 0;
        }
        u16::try_from(self.rcv_wnd_end.wrapping_sub(self.rcv_nxt) >> self.rcv_wnd_shift)
            .unwrap_or(u16::MAX)
    }

    /// True when what would be told of ranges has not been told.
    pub(crate) const fn has_sack_blocks(&self) -> bool {
        self.dsack.is_some() || self.has_holes()
    }

    /// What to tell of ranges: what came twice, then what came out of order, newest first (RFC 2018
    /// §4, RFC 2883 §4).
    pub(crate) fn sack_blocks(&self) -> Blocks {
        let mut sack_blocks = Blocks::default();
        if let Some(dsack) = self.dsack {
            sack_blocks.push(dsack);
        }
        self.out_of_order.write_blocks(&mut sack_blocks);
        sack_blocks
    }
}

#[cfg(test)]
mod tests;
