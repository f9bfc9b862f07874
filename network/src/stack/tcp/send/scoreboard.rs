//! The scoreboard of RFC 6675: the segments in flight, in sequence order, with their state.
//!
//! | RFC 6675 | here |
//! |---|---|
//! | Update () | [`acknowledge`](Scoreboard::acknowledge), [`deliver`](Scoreboard::deliver) |
//! | IsLost () | [`Sent::is_lost`], which RACK sets by time instead of by counting (RFC 8985) |
//! | SetPipe () | [`pipe`](Scoreboard::pipe), which is always up to date |
//! | NextSeg () | rule 1: [`next_lost`](Scoreboard::next_lost); rule 2: new data, in `plan.rs` |
//! | HighRxt | not needed: a retransmission clears [`Sent::is_lost`] |
//! | RescueRxt, rules 3 and 4 | the tail loss probe, which runs in recovery too |
//!
//! Counts are in sequence numbers, so a FIN counts as one byte. The scoreboard also samples the
//! delivery rate (draft-cheng-iccrg-delivery-rate-estimation).

use alloc::collections::VecDeque;
use core::time::Duration;

use crate::platform::Instant;
use crate::stack::tcp::congestion::RateSample;
use crate::stack::tcp::segment::{before, later};

/// A segment that was sent and is not cumulatively acknowledged.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sent {
    pub(super) seq: u32,
    /// The number after its last one (Segment.end_seq in RFC 8985).
    pub(super) end_seq: u32,
    /// When it was last sent (Segment.xmit_ts).
    pub(super) xmit_ts: Instant,
    /// How often it was sent.
    pub(super) transmissions: u8,
    /// SACKed.
    pub(super) is_sacked: bool,
    /// Marked lost and not retransmitted yet (Segment.lost).
    pub(super) is_lost: bool,
    is_application_limited: bool,
    /// For the delivery rate: P.delivered, P.delivered_time and P.first_sent_time when it was sent.
    delivered: u64,
    delivered_at: Instant,
    first_sent_at: Instant,
}

impl Sent {
    pub(super) const fn length(&self) -> u32 {
        self.end_seq.wrapping_sub(self.seq)
    }

    /// True when it has more than `length` bytes of data; `fin` is the number after our FIN.
    pub(super) fn is_longer_than(&self, length: u32, fin: Option<u32>) -> bool {
        self.length() > length + u32::from(fin == Some(self.end_seq))
    }

    /// True when it was never retransmitted (Segment.retransmitted is false).
    pub(super) const fn was_sent_once(&self) -> bool {
        self.transmissions == 1
    }
}

/// The scoreboard.
#[derive(Debug)]
pub(super) struct Scoreboard {
    sent: VecDeque<Sent>,
    /// Bytes in all segments, SACKed, and marked lost: pipe is the rest.
    bytes: u32,
    bytes_sacked: u32,
    bytes_lost: u32,
    /// No segment before this number is marked lost.
    lost_from: u32,
    /// For the delivery rate: C.delivered, C.delivered_time and C.first_sent_time.
    delivered: u64,
    delivered_at: Instant,
    first_sent_at: Instant,
    /// C.app_limited: up to this value of `delivered` the connection is application-limited.
    app_limited: u64,
    /// The last delivery rate in bytes per second.
    rate: u64,
}

impl Default for Scoreboard {
    fn default() -> Self {
        Self {
            sent: VecDeque::new(),
            bytes: 0,
            bytes_sacked: 0,
            bytes_lost: 0,
            lost_from: 0,
            delivered: 0,
            delivered_at: Instant::ZERO,
            first_sent_at: Instant::ZERO,
            app_limited: 0,
            rate: 0,
        }
    }
}

impl Scoreboard {
    /// Bytes of memory.
    pub(super) fn memory(&self) -> usize {
        self.sent.capacity() * size_of::<Sent>()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.sent.is_empty()
    }

    pub(super) fn len(&self) -> usize {
        self.sent.len()
    }

    /// Bytes in flight: neither SACKed nor lost (pipe).
    pub(super) const fn pipe(&self) -> u32 {
        self.bytes - self.bytes_sacked - self.bytes_lost
    }

    /// Bytes that are marked lost and not retransmitted yet.
    pub(super) const fn lost(&self) -> u32 {
        self.bytes_lost
    }

    /// Segments that are marked lost; computed only for watchers.
    pub(super) fn lost_segments(&self) -> u32 {
        // A scoreboard is bounded by `limits::TCP_SCOREBOARD`.
        self.sent.iter().filter(|sent| sent.is_lost).count() as u32
    }

    /// Bytes that are SACKed.
    pub(super) const fn sacked(&self) -> u32 {
        self.bytes_sacked
    }

    pub(super) const fn rate(&self) -> u64 {
        self.rate
    }

    pub(super) const fn delivered(&self) -> u64 {
        self.delivered
    }

    pub(super) fn front(&self) -> Option<&Sent> {
        self.sent.front()
    }

    pub(super) fn get(&self, index: usize) -> Option<&Sent> {
        self.sent.get(index)
    }

    /// The index of the first segment that ends after `number`.
    pub(super) fn index(&self, number: u32) -> usize {
        self.sent.partition_point(|sent| !before(number, sent.end_seq))
    }

    /// A new segment left.
    pub(super) fn push(&mut self, first: u32, end: u32, now: Instant) {
        if self.sent.is_empty() {
            (self.delivered_at, self.first_sent_at, self.lost_from) = (now, now, first);
        }
        self.bytes += end.wrapping_sub(first);
        self.sent.push_back(Sent {
            seq: first,
            end_seq: end,
            xmit_ts: now,
            transmissions: 1,
            is_sacked: false,
            is_lost: false,
            is_application_limited: self.delivered < self.app_limited,
            delivered: self.delivered,
            delivered_at: self.delivered_at,
            first_sent_at: self.first_sent_at,
        });
    }

    /// A segment was retransmitted.
    pub(super) fn resend(&mut self, index: usize, now: Instant) {
        let Self { sent, bytes_lost, delivered, delivered_at, first_sent_at, app_limited, .. } =
            self;
        let Some(sent) = sent.get_mut(index) else { return };
        if core::mem::take(&mut sent.is_lost) {
            *bytes_lost -= sent.length();
        }
        sent.xmit_ts = now;
        sent.transmissions = sent.transmissions.saturating_add(1);
        (sent.delivered, sent.delivered_at, sent.first_sent_at) =
            (*delivered, *delivered_at, *first_sent_at);
        sent.is_application_limited = *delivered < *app_limited;
    }

    /// Splits a segment, so that the first part holds `length` bytes.
    pub(super) fn split(&mut self, index: usize, length: u32) {
        let Some(sent) = self.sent.get_mut(index) else { return };
        if sent.length() > length && length > 0 {
            let middle = sent.seq.wrapping_add(length);
            let rest = Sent { seq: middle, ..*sent };
            sent.end_seq = middle;
            self.sent.insert(index + 1, rest);
        }
    }

    /// Removes everything before `number`, the cumulative acknowledgment. Calls `on_delivered` for
    /// each segment that was not SACKed before.
    pub(super) fn acknowledge(&mut self, number: u32, mut on_delivered: impl FnMut(&Sent)) {
        while let Some(sent) = self.sent.front_mut() {
            if !before(sent.seq, number) {
                break;
            }
            let is_whole = !before(number, sent.end_seq);
            // A part of a segment, which was split on its way or partly accepted by the peer.
            let part = Sent { end_seq: if is_whole { sent.end_seq } else { number }, ..*sent };
            let length = part.length();
            self.bytes -= length;
            if part.is_sacked {
                self.bytes_sacked -= length;
            } else {
                self.bytes_lost -= if part.is_lost { length } else { 0 };
                self.delivered += u64::from(length);
                on_delivered(&part);
            }
            sent.seq = part.end_seq;
            if is_whole {
                self.sent.pop_front();
            }
        }
        self.lost_from = later(self.lost_from, number);
    }

    /// Marks a range SACKed. Calls `on_delivered` for each newly SACKed segment. A segment that the
    /// range covers only partly stays as it is.
    pub(super) fn deliver(
        &mut self,
        (first, end): (u32, u32),
        mut on_delivered: impl FnMut(&Sent),
    ) {
        let start = self.index(first);
        for sent in self.sent.range_mut(start..) {
            if before(end, sent.end_seq) {
                break;
            }
            if sent.is_sacked || before(sent.seq, first) {
                continue;
            }
            let length = sent.length();
            self.bytes_sacked += length;
            self.delivered += u64::from(length);
            self.bytes_lost -= if sent.is_lost { length } else { 0 };
            on_delivered(sent);
            (sent.is_sacked, sent.is_lost) = (true, false);
        }
    }

    /// Marks segments lost for which `is_lost` returns true, in order, until it returns `None`.
    /// Returns how many bytes these are.
    pub(super) fn mark_lost(&mut self, mut is_lost: impl FnMut(&Sent) -> Option<bool>) -> u32 {
        let lost_before = self.bytes_lost;
        for sent in &mut self.sent {
            if sent.is_sacked || sent.is_lost {
                continue;
            }
            match is_lost(sent) {
                Some(true) => {
                    sent.is_lost = true;
                    self.bytes_lost += sent.length();
                    if before(sent.seq, self.lost_from) {
                        self.lost_from = sent.seq;
                    }
                }
                Some(false) => {}
                None => break,
            }
        }
        self.bytes_lost - lost_before
    }

    /// Marks the oldest segment lost that is neither SACKed nor lost.
    pub(super) fn mark_first_lost(&mut self) -> u32 {
        let mut is_first = true;
        self.mark_lost(|_| core::mem::take(&mut is_first).then_some(true))
    }

    /// Marks everything lost that is not SACKed.
    pub(super) fn mark_all_lost(&mut self) -> u32 {
        // A peer may renege: discard SACKed data (RFC 2018 §8). A SACKed segment at SND.UNA shows
        // it, and no SACK counts any more.
        if self.sent.front().is_some_and(|front| front.is_sacked) {
            self.clear_sacks();
        }
        self.mark_lost(|_| Some(true))
    }

    fn clear_sacks(&mut self) {
        self.sent.iter_mut().for_each(|sent| sent.is_sacked = false);
        self.bytes_sacked = 0;
    }

    /// Marks every segment lost that is longer than `length`; `fin` is the number after our FIN.
    pub(super) fn mark_longer_lost(&mut self, length: u32, fin: Option<u32>) {
        self.mark_lost(|sent| Some(sent.is_longer_than(length, fin)));
    }

    /// Nothing was lost: clears the marks of segments that were not retransmitted.
    pub(super) fn unmark_lost(&mut self) {
        self.sent.iter_mut().for_each(|sent| sent.is_lost = false);
        self.bytes_lost = 0;
    }

    /// The index of the last segment that is not SACKed.
    pub(super) fn last_unsacked(&self) -> Option<usize> {
        self.sent.iter().rposition(|sent| !sent.is_sacked)
    }

    /// The index of the first segment to retransmit.
    pub(super) fn next_lost(&mut self) -> Option<usize> {
        if self.bytes_lost == 0 {
            return None;
        }
        let start = self.index(self.lost_from);
        let index = start + self.sent.range(start..).position(|sent| sent.is_lost)?;
        self.lost_from = self.sent.get(index)?.seq;
        Some(index)
    }

    /// The connection becomes application-limited: there is nothing to send, though cwnd has room.
    pub(super) fn set_app_limited(&mut self) {
        self.app_limited = (self.delivered + u64::from(self.pipe())).max(1);
    }

    /// Takes a delivery rate sample with the newest segment that an acknowledgment delivered.
    pub(super) fn sample(&mut self, newest: &Sent, now: Instant) -> Option<RateSample> {
        self.delivered_at = now;
        self.first_sent_at = newest.xmit_ts;
        let sending = newest.xmit_ts.since(newest.first_sent_at);
        let interval = now.since(newest.delivered_at).max(sending);
        if interval.is_zero() {
            return None;
        }
        let delivered = u32::try_from(self.delivered - newest.delivered).unwrap_or(u32::MAX);
        if !newest.is_application_limited || self.rate == 0 {
            self.rate = per_second(delivered, interval);
        }
        Some(RateSample {
            delivered,
            interval,
            is_application_limited: newest.is_application_limited,
        })
    }

    /// Removes everything.
    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }
}

#[cfg(test)]
impl Scoreboard {
    /// Panics unless every count equals a recount. Returns the first number and the one after the
    /// last.
    pub(super) fn check(&self) -> Option<(u32, u32)> {
        let sum = |is_meant: fn(&Sent) -> bool| -> u32 {
            self.sent.iter().filter(|sent| is_meant(sent)).map(Sent::length).sum()
        };
        let counters = (sum(|_| true), sum(|sent| sent.is_sacked), sum(|sent| sent.is_lost));
        assert_eq!(
            (self.bytes, self.bytes_sacked, self.bytes_lost),
            counters,
            "all, delivered, lost"
        );
        assert!(self.sent.iter().all(|sent| sent.length() > 0
            && sent.transmissions > 0
            && !(sent.is_lost && sent.is_sacked)));
        for (sent, next) in self.sent.iter().zip(self.sent.iter().skip(1)) {
            assert_eq!(sent.end_seq, next.seq, "one follows the other");
        }
        assert!(
            self.sent.iter().all(|sent| !sent.is_lost || before(self.lost_from, sent.end_seq)),
            "all lost are found"
        );
        Some((self.front()?.seq, self.sent.back()?.end_seq))
    }
}

fn per_second(bytes: u32, interval: Duration) -> u64 {
    let micros = u64::try_from(interval.as_micros()).unwrap_or(u64::MAX).max(1);
    u64::from(bytes) * 1_000_000 / micros
}
