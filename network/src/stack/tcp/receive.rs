//! The receiving direction of a connection: data in order and out of order, and what the next
//! acknowledgment carries.
//!
//! Pure state: segments that passed the [`acceptability`](super::acceptability) test come in, the
//! program reads bytes, and [`super::egress`] asks which acknowledgment, window and SACK blocks the
//! next segment carries; [`window`] decides what is advertised. Data out of order is stored in the
//! same buffer, at its place behind the readable bytes, so that filling a hole moves no data.
//! [`limits::TCP_OUT_OF_ORDER`] bounds the number of ranges in the out-of-order queue, the
//! advertised window their extent.
//!
//! Sources: RFC 9293 §3.8.6.2.2 (windows), RFC 2018 and 2883 (SACK blocks), RFC 5681 §4.2
//! (acknowledgments), RFC 3168 §6.1.3 (congestion marks).

mod window;

use alloc::collections::VecDeque;
use core::time::Duration;

use super::out_of_order::OutOfOrder;
use super::ring;
use super::segment::{Blocks, MAX_WND_SHIFT, before, later};
use crate::platform::Instant;

/// The delayed ACK timer (RFC 9293 §3.8.6.3 allows 500 ms; Linux starts at 40 ms).
pub(crate) const DELAYED_ACK: Duration = Duration::from_millis(10);

/// When an acknowledgment is due.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum AckDue {
    /// Nothing is unacknowledged.
    Never,
    /// A delayed ACK: with the next data, or at this time.
    At(Instant),
    Now,
}

/// What a segment delivered.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct Received {
    /// More data is readable.
    pub(crate) has_data: bool,
    /// The peer's FIN is in order now.
    pub(crate) has_fin: bool,
}

/// The receiving direction.
#[derive(Debug)]
pub(crate) struct Receiver {
    /// Readable bytes, then data out of order at its place.
    buffer: VecDeque<u8>,
    readable: usize,
    /// The size of the receive buffer; receive-buffer autotuning lets it grow up to
    /// `buffer_size_max`.
    buffer_size: usize,
    buffer_size_max: usize,
    /// RCV.NXT: the next sequence number that we expect. Includes the peer's FIN once it is in
    /// order.
    rcv_nxt: u32,
    /// The last acknowledgment number that we sent (Last.ACK.sent, RFC 7323).
    last_ack_sent: u32,
    /// The right edge of the advertised window: RCV.NXT + RCV.WND.
    rcv_wnd_end: u32,
    /// Rcv.Wind.Shift (RFC 7323 §2.2).
    rcv_wnd_shift: u8,
    /// The out-of-order queue.
    out_of_order: OutOfOrder,
    /// The DSACK block to send: a range that arrived twice (RFC 2883).
    dsack: Option<(u32, u32)>,
    /// The sequence number of the peer's FIN, once it arrived.
    fin_seq: Option<u32>,
    has_fin: bool,
    ack_due: AckDue,
    /// The longest segment that arrived: the receiver's estimate of the peer's effective MSS.
    longest_segment: u32,
    /// A CE mark arrived, and the peer has not confirmed it with CWR: segments carry ECE.
    must_echo_ce: bool,
    /// Bytes that arrived in order.
    received: u64,
    /// Bytes that the program read since `measured_at`, for receive-buffer autotuning.
    bytes_read: u32,
    /// The same of the round trip before.
    last_bytes_read: u32,
    measured_at: Instant,
}

impl Receiver {
    /// A receiver with a buffer of `buffer_size` that may grow up to `buffer_size_max` bytes.
    pub(crate) fn new(buffer_size: usize, buffer_size_max: usize) -> Self {
        let buffer_size_max = buffer_size_max.max(buffer_size);
        Self {
            buffer: VecDeque::new(),
            readable: 0,
            buffer_size,
            buffer_size_max,
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
            bytes_read: 0,
            last_bytes_read: 0,
            measured_at: Instant::ZERO,
        }
    }

    /// Rcv.Wind.Shift, the window scale that our SYN offers: as small as the largest buffer allows
    /// (RFC 7323 §2.2).
    pub(crate) fn offered_wnd_shift(&self) -> u8 {
        (0..MAX_WND_SHIFT)
            .find(|rcv_wnd_shift| self.buffer_size_max >> rcv_wnd_shift <= usize::from(u16::MAX))
            .unwrap_or(MAX_WND_SHIFT)
    }

    /// The window of our SYN, which is never scaled.
    pub(crate) fn syn_window(&self) -> u16 {
        u16::try_from(self.buffer_size).unwrap_or(u16::MAX)
    }

    /// The peer's stream begins at `next`; windows are scaled by `rcv_wnd_shift` from here on. Our
    /// SYN advertised [`syn_window`](Self::syn_window).
    pub(crate) fn begin(&mut self, next: u32, rcv_wnd_shift: u8, now: Instant) {
        (self.rcv_nxt, self.last_ack_sent, self.rcv_wnd_shift, self.measured_at) =
            (next, next, rcv_wnd_shift, now);
        self.rcv_wnd_end = next.wrapping_add(u32::from(self.syn_window()));
    }

    pub(crate) const fn rcv_nxt(&self) -> u32 {
        self.rcv_nxt
    }

    /// IRS + 1: the first number of the stream, or a number 2^30 behind RCV.NXT if that is further
    /// back.
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

    /// Bytes that the program can read.
    pub(crate) const fn readable(&self) -> usize {
        self.readable
    }

    /// Bytes that arrived in order since the connection began.
    pub(crate) const fn received(&self) -> u64 {
        self.received
    }

    /// The size of the receive buffer.
    pub(crate) const fn buffer_size(&self) -> usize {
        self.buffer_size
    }

    /// Changes the size of the receive buffer, which stays as it is from now on. What was
    /// advertised may still arrive.
    pub(crate) const fn set_buffer_size(&mut self, bytes: usize) {
        (self.buffer_size, self.buffer_size_max) = (bytes, bytes);
    }

    /// Bytes of data in the buffer, in order or not.
    pub(crate) fn buffered(&self) -> usize {
        self.buffer.len()
    }

    /// Bytes of memory.
    pub(crate) fn memory(&self) -> usize {
        self.buffer.capacity() + self.out_of_order.memory()
    }

    /// Gives back what the buffer does not need now.
    pub(crate) fn shrink(&mut self) {
        ring::shrink(&mut self.buffer);
    }

    /// True when the peer's FIN is in order.
    pub(crate) const fn has_fin(&self) -> bool {
        self.has_fin
    }

    pub(crate) const fn ack_due(&self) -> AckDue {
        self.ack_due
    }

    /// True when data is missing before data that arrived.
    pub(crate) const fn has_holes(&self) -> bool {
        !self.out_of_order.is_empty()
    }

    /// Makes an acknowledgment due at once.
    pub(crate) const fn ack_now(&mut self) {
        self.ack_due = AckDue::Now;
    }

    /// A packet with a CE mark arrived.
    pub(crate) const fn on_ce(&mut self) {
        self.must_echo_ce = true;
        // The ECE leaves at once; otherwise the peer would keep sending (RFC 3168 §6.1.3 leaves it
        // open; Linux does the same).
        self.ack_due = AckDue::Now;
    }

    /// The peer confirmed the congestion mark (CWR).
    pub(crate) const fn on_cwr(&mut self) {
        self.must_echo_ce = false;
    }

    pub(crate) const fn must_echo_ce(&self) -> bool {
        self.must_echo_ce
    }

    /// Processes the data of a segment and its FIN, as far as they fit the window.
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
            // Of two different FINs the first one counts (TCP-R-04).
            return Received::default();
        }
        let (readable_before, had_fin) = (self.readable, self.has_fin);
        self.longest_segment = self.longest_segment.max(data.len() as u32);
        // TCP-R-01, TCP-R-02: drops data beyond the advertised window or beyond the peer's FIN, and
        // a FIN beyond either.
        let rcv_wnd_end = match self.fin_seq {
            Some(end) if before(end, self.rcv_wnd_end) => end,
            _ => self.rcv_wnd_end,
        };
        let end = if before(rcv_wnd_end, last) { rcv_wnd_end } else { last };
        let start = later(sequence, self.rcv_nxt);
        if before(sequence, self.rcv_nxt) && !data.is_empty() {
            let until = if before(last, self.rcv_nxt) { last } else { self.rcv_nxt };
            let from = later(sequence, self.irs());
            self.dsack = Some((from, until)).filter(|(from, until)| before(*from, *until));
            self.ack_due = AckDue::Now;
        }
        if before(start, end) {
            let skipped = start.wrapping_sub(sequence) as usize;
            let accepted =
                data.get(skipped..skipped + end.wrapping_sub(start) as usize).unwrap_or_default();
            self.store(start, accepted);
        }
        if fin && !before(rcv_wnd_end, last) && !before(last, self.rcv_nxt) && !self.has_fin {
            self.set_fin(last);
            if last != self.rcv_nxt {
                // A FIN beyond a hole is out of order, with data or without (RFC 5681 §4.2).
                self.ack_due = AckDue::Now;
            }
        } else if fin {
            self.ack_due = AckDue::Now;
        }
        if self.fin_seq == Some(self.rcv_nxt) && !self.has_fin {
            self.has_fin = true;
            self.rcv_nxt = self.rcv_nxt.wrapping_add(1);
        }
        // A FIN is acknowledged with delay too: a program that closes in turn acknowledges it with
        // its own FIN.
        self.schedule_ack(now, !data.is_empty() || fin);
        self.received += (self.readable - readable_before) as u64;
        Received { has_data: self.readable > readable_before, has_fin: self.has_fin && !had_fin }
    }

    /// The peer's stream ends at `end`: data beyond it is dropped (TCP-R-04; Linux does the same).
    fn set_fin(&mut self, end: u32) {
        self.fin_seq = Some(end);
        self.out_of_order.truncate(end);
        let ahead =
            self.out_of_order.end().map_or(0, |last| last.wrapping_sub(self.rcv_nxt) as usize);
        self.buffer.truncate(self.readable + ahead);
    }

    /// Stores data at its place; all of it is in the window and unread.
    fn store(&mut self, start: u32, data: &[u8]) {
        let end = start.wrapping_add(data.len() as u32);
        if start == self.rcv_nxt && self.out_of_order.is_empty() {
            ring::append(&mut self.buffer, data, self.buffer_size);
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
        ring::write(&mut self.buffer, self.readable + offset, data, self.buffer_size);
        if let Some(duplicate) = self.out_of_order.insert(start, end) {
            self.dsack = Some(duplicate);
        }
        if let Some(end) = self.out_of_order.take_contiguous(self.rcv_nxt) {
            self.readable += end.wrapping_sub(self.rcv_nxt) as usize;
            self.rcv_nxt = end;
        }
    }

    /// Decides when the acknowledgment is due.
    fn schedule_ack(&mut self, now: Instant, has_data: bool) {
        if self.ack_due == AckDue::Now || !has_data {
            return;
        }
        let unacked = self.rcv_nxt.wrapping_sub(self.last_ack_sent);
        if self.has_holes() || unacked > self.longest_segment {
            // Every second full segment (RFC 5681 §4.2), and everything while data is missing.
            self.ack_due = AckDue::Now;
        } else if self.ack_due == AckDue::Never && unacked > 0 {
            self.ack_due = AckDue::At(now.after(DELAYED_ACK));
        }
    }

    /// Copies readable bytes to the program; with `peek` they stay. `round_trip` is the interval of
    /// receive-buffer autotuning.
    pub(crate) fn read(&mut self, buffer: &mut [u8], peek: bool) -> usize {
        let count = buffer.len().min(self.readable);
        let Some(buffer) = buffer.get_mut(..count) else { return 0 };
        ring::copy(&self.buffer, 0, buffer);
        if !peek {
            self.buffer.drain(..count);
            self.readable -= count;
            self.bytes_read =
                self.bytes_read.saturating_add(u32::try_from(count).unwrap_or(u32::MAX));
        }
        count
    }

    /// True when the next acknowledgment carries SACK or DSACK blocks.
    pub(crate) const fn has_sack_blocks(&self) -> bool {
        self.dsack.is_some() || self.has_holes()
    }

    /// The SACK option: a DSACK block, then the out-of-order queue, newest first (RFC 2018 §4, RFC
    /// 2883 §4).
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
