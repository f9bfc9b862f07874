//! The sending direction of a connection: the send buffer, the data in flight, and its
//! retransmission.
//!
//! The buffer holds data from the write until its acknowledgment; transmissions and retransmissions
//! copy from it. Pure state: the stack reports acknowledgments and expired deadlines, and asks for
//! the next segment until there is none.
//!
//! | file | owns |
//! |---|---|
//! | [`lazy`] | lazy allocation of the sender |
//! | [`scoreboard`] | the segments in flight, SACKed and lost (RFC 6675) |
//! | [`acknowledge`] | processing acknowledgments |
//! | [`send_window`] | the peer's window |
//! | [`recovery`] | loss detection (RFC 8985), recovery (RFC 9937), undo (RFC 5682, RFC 2883) |
//! | [`plan`] | which segment leaves next: windows, pacing |
//! | [`gather`] | how written data gathers into segments: Nagle, TCP_CORK, TCP_NOTSENT_LOWAT |
//! | [`timer`] | RTO, PTO and persist timers (RFC 6298, RFC 8985 §7, RFC 9293 §3.8.6.1) |
//! | [`rtt`] | SRTT, RTTVAR and RTO (RFC 6298) |

mod acknowledge;
mod gather;
mod lazy;
mod plan;
mod recovery;
mod rtt;
mod scoreboard;
mod send_window;
#[cfg(test)]
mod tests;
mod timer;

use alloc::collections::VecDeque;
use core::time::Duration;

pub(crate) use self::acknowledge::{Acknowledged, Acknowledgment};
pub(crate) use self::gather::Gathering;
pub(crate) use self::lazy::LazySender;
pub(crate) use self::plan::Plan;
use self::recovery::{ProportionalRateReduction, Rack, RecoveryState, Undo};
use self::rtt::RttEstimator;
use self::scoreboard::Scoreboard;
use self::send_window::SendWindow;
use self::timer::{Expired, Timers};
use super::congestion::{Congestion, Controller};
use super::ring;
use super::segment::before;
use crate::command::option::CongestionControl;
use crate::limits;
use crate::platform::Instant;

/// Counters since the connection began (as in TCP_INFO).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Counters {
    /// Bytes of data sent, retransmissions included.
    pub(crate) sent: u64,
    /// Bytes that were cumulatively acknowledged.
    pub(crate) acknowledged: u64,
    /// Bytes retransmitted.
    pub(crate) bytes_retransmitted: u64,
    /// Segments retransmitted.
    pub(crate) retransmissions: u32,
    /// Expirations of the retransmission timer.
    pub(crate) timeouts: u32,
    /// Tail loss probes.
    pub(crate) tail_probes: u32,
    /// Fast recoveries.
    pub(crate) recoveries: u32,
    /// Reductions undone because they were spurious.
    pub(crate) undone: u32,
    /// DSACKs: segments that the peer received twice.
    pub(crate) duplicates: u32,
}

impl Counters {
    const NONE: Self = Self {
        sent: 0,
        acknowledged: 0,
        bytes_retransmitted: 0,
        retransmissions: 0,
        timeouts: 0,
        tail_probes: 0,
        recoveries: 0,
        undone: 0,
        duplicates: 0,
    };
}

/// The sending direction.
#[derive(Debug)]
struct Sender {
    /// Unacknowledged data, from SND.UNA on.
    buffer: VecDeque<u8>,
    /// The size of the send buffer; grows up to `buffer_size_max` with cwnd.
    buffer_size: usize,
    buffer_size_max: usize,
    /// SND.UNA: the oldest unacknowledged sequence number (RFC 6675: HighACK + 1).
    snd_una: u32,
    /// SND.NXT, which is also SND.MAX: the number after the highest one that was sent (RFC 6675:
    /// HighData + 1).
    snd_nxt: u32,
    /// The program closed its direction; a FIN follows the data.
    is_closing: bool,
    /// The peer acknowledged the FIN.
    fin_acknowledged: bool,
    /// How written data gathers into segments.
    gathering: Gathering,
    /// SND.WND, SND.WL1, SND.WL2.
    send_window: SendWindow,
    /// SMSS, Eff.snd.MSS (RFC 9293 §3.7.1): bytes of data in a full segment.
    mss: u32,
    /// The end of the last small segment: Nagle's algorithm waits for its acknowledgment (SND.SML
    /// in Minshall's variant).
    small_segment_end: u32,
    /// SACK was negotiated.
    has_sack: bool,
    /// ECN was negotiated (RFC 3168); a CWR is due; ECE is ignored until SND.UNA passes
    /// `cwr_until`.
    has_ecn: bool,
    must_send_cwr: bool,
    cwr_until: u32,
    /// DupAcks: duplicate ACKs since the last progress, for connections without SACK.
    duplicate_acks: u32,
    scoreboard: Scoreboard,
    /// SRTT, RTTVAR, RTO.
    rtt: RttEstimator,
    rack: Rack,
    recovery_state: RecoveryState,
    /// RecoveryPoint (RFC 6675), `recover` (RFC 6582): recovery ends when it is acknowledged.
    recover: u32,
    prr: ProportionalRateReduction,
    undo: Undo,
    /// cwnd and ssthresh.
    congestion: Congestion,
    /// SND.NXT when the current round began.
    round_end: u32,
    /// The most that was in flight at acknowledgments of this round trip.
    round_flight: u32,
    timers: Timers,
    /// The outstanding tail loss probe: TLP.end_seq and TLP.is_retrans (RFC 8985 §7).
    tail_loss_probe: Option<(u32, bool)>,
    /// When the last segment left.
    last_sent_at: Instant,
    /// When the pacer allows the next segment.
    paced_until: Instant,
    /// Bytes that leave without it: an initial window once nothing is in flight, as on a new
    /// connection (RFC 6928 §2). A short answer would take a part of a round trip longer else.
    unpaced: u32,
    counters: Counters,
}

impl Sender {
    /// A sender with a buffer of `buffer_size` that may grow up to `buffer_size_max` bytes.
    pub(crate) fn new(
        buffer_size: usize,
        buffer_size_max: usize,
        gathering: Gathering,
        algorithm: CongestionControl,
    ) -> Self {
        Self {
            buffer: VecDeque::new(),
            buffer_size,
            buffer_size_max: buffer_size_max.max(buffer_size),
            snd_una: 0,
            snd_nxt: 0,
            is_closing: false,
            fin_acknowledged: false,
            gathering,
            send_window: SendWindow::default(),
            mss: 0,
            small_segment_end: 0,
            has_sack: false,
            has_ecn: false,
            must_send_cwr: false,
            cwr_until: 0,
            duplicate_acks: 0,
            scoreboard: Scoreboard::default(),
            rtt: RttEstimator::default(),
            rack: Rack::default(),
            recovery_state: RecoveryState::Open,
            recover: 0,
            prr: ProportionalRateReduction::default(),
            undo: Undo::default(),
            congestion: Congestion::new(algorithm),
            round_end: 0,
            round_flight: 0,
            timers: Timers::default(),
            tail_loss_probe: None,
            last_sent_at: Instant::ZERO,
            paced_until: Instant::ZERO,
            unpaced: 0,
            counters: Counters::NONE,
        }
    }

    /// A SYN of ours was lost more than once: the initial window is one segment (RFC 5681 §3.1).
    fn restrict_initial_window(&mut self) {
        self.congestion.restrict_initial_window();
    }

    /// The connection is open: sequence numbers begin at `first`.
    fn begin(&mut self, first: u32, has_sack: bool, send_window: SendWindow) {
        (self.snd_una, self.snd_nxt, self.small_segment_end) = (first, first, first);
        (self.recover, self.round_end, self.cwr_until) = (first, first, first);
        self.rack.begin(first);
        (self.has_sack, self.send_window) = (has_sack, send_window);
    }

    /// Sets the MSS.
    pub(crate) fn set_mss(&mut self, segment: u16) {
        let segment = u32::from(segment).max(1);
        if segment == self.mss {
            return;
        }
        self.mss = segment;
        self.congestion.set_mss(segment);
    }

    /// The path MTU shrank: longer segments in flight never arrive and are retransmitted at once in
    /// pieces. This is no sign of congestion (RFC 8201 §5.4).
    pub(crate) fn shrink_mss(&mut self, segment: u16) {
        self.set_mss(segment);
        let fin = self.fin_end();
        self.scoreboard.mark_longer_lost(self.mss, fin);
    }

    /// Changes the size of the send buffer, which stays as it is from now on. Written data stays.
    pub(crate) const fn set_buffer_size(&mut self, bytes: usize) {
        (self.buffer_size, self.buffer_size_max) = (bytes, bytes);
    }

    /// Takes as many bytes as fit into the send buffer.
    pub(crate) fn write(&mut self, data: &[u8]) -> usize {
        let count = data.len().min(self.free_space());
        let Some(taken) = data.get(..count) else { return 0 };
        ring::append(&mut self.buffer, taken, self.buffer_size);
        count
    }

    /// Free bytes of the send buffer.
    pub(crate) fn free_space(&self) -> usize {
        if self.is_closing {
            return 0;
        }
        self.buffer_size.saturating_sub(self.buffer.len()).min(self.gathering.room(self.unsent()))
    }

    /// The size of the send buffer.
    pub(crate) const fn buffer_size(&self) -> usize {
        self.buffer_size
    }

    /// Unacknowledged bytes, sent or not.
    pub(crate) fn queued(&self) -> usize {
        self.buffer.len()
    }

    /// Bytes of memory.
    fn memory(&self) -> usize {
        size_of::<Self>() + self.buffer.capacity() + self.scoreboard.memory()
    }

    /// Gives back what the buffer does not need now.
    fn shrink(&mut self) {
        ring::shrink(&mut self.buffer);
    }

    /// Ends the stream after the written data (FIN).
    pub(crate) const fn end(&mut self) {
        self.is_closing = true;
    }

    /// True when the stream was ended.
    pub(crate) const fn is_closing(&self) -> bool {
        self.is_closing
    }

    /// True when everything that was written, and the FIN if there is one, is acknowledged.
    pub(crate) fn is_done(&self) -> bool {
        self.buffer.is_empty() && (!self.is_closing || self.fin_acknowledged)
    }

    /// True when there is no segment to send, whatever the windows are.
    pub(crate) fn has_nothing_to_send(&self) -> bool {
        !self.timers.is_tlp_due
            && self.scoreboard.lost() == 0
            && self.unsent() == 0
            && !self.must_send_fin()
    }

    /// Bytes that were written and never sent.
    fn unsent(&self) -> u32 {
        let end = self.data_end();
        if before(self.snd_nxt, end) { end.wrapping_sub(self.snd_nxt) } else { 0 }
    }

    /// True when our FIN is due for the first time.
    fn must_send_fin(&self) -> bool {
        self.is_closing && !self.fin_acknowledged && !self.is_fin_in_flight()
    }

    pub(crate) const fn snd_una(&self) -> u32 {
        self.snd_una
    }

    pub(crate) const fn snd_nxt(&self) -> u32 {
        self.snd_nxt
    }

    /// MAX.SND.WND: the largest window that the peer ever advertised.
    pub(crate) const fn max_snd_wnd(&self) -> u32 {
        self.send_window.max_snd_wnd
    }

    /// The number after all written data; the FIN occupies it.
    fn data_end(&self) -> u32 {
        // Buffers are shorter than 2 GiB.
        self.snd_una.wrapping_add(self.buffer.len() as u32)
    }

    /// Copies data from sequence number `start` on, for a segment.
    pub(crate) fn copy(&self, start: u32, target: &mut [u8]) {
        ring::copy(&self.buffer, start.wrapping_sub(self.snd_una) as usize, target);
    }

    /// Bytes in flight: RFC 6675's pipe, RFC 5681's FlightSize.
    fn pipe(&self) -> u32 {
        let known = if self.has_sack { 0 } else { self.virtually_delivered() };
        self.scoreboard.pipe().saturating_sub(known)
    }

    /// Without SACK each duplicate ACK means that one segment was delivered, but not which.
    fn virtually_delivered(&self) -> u32 {
        self.duplicate_acks
            .saturating_mul(self.mss)
            .min(self.scoreboard.pipe().saturating_sub(self.mss))
    }

    /// cwnd: bytes that may be in flight.
    fn cwnd(&self) -> u32 {
        match self.recovery_state {
            RecoveryState::Recovery if self.congestion.reduces_proportionally() => self.prr.cwnd(),
            _ => self.congestion.cwnd(),
        }
    }

    /// The round-trip estimator.
    pub(crate) const fn rtt(&self) -> &RttEstimator {
        &self.rtt
    }

    pub(crate) const fn counters(&self) -> &Counters {
        &self.counters
    }

    /// RTO: the retransmission timeout.
    pub(crate) fn rto(&self) -> Duration {
        self.rtt.rto(self.timers.backoff)
    }

    pub(crate) const fn congestion_control(&self) -> CongestionControl {
        self.congestion.algorithm()
    }

    /// cwnd, ssthresh and bytes in flight.
    pub(crate) fn windows(&self) -> (u32, u32, u32) {
        (self.cwnd(), self.congestion.ssthresh(), self.pipe())
    }

    /// The last delivery rate in bytes per second.
    pub(crate) const fn delivery_rate(&self) -> u64 {
        self.scoreboard.rate()
    }

    /// SND.WND: the window in bytes, from SND.UNA on.
    pub(crate) const fn snd_wnd(&self) -> u32 {
        self.send_window.bytes_from(self.snd_una)
    }

    /// The usable window (RFC 9293 §3.8.6.2.1): bytes that the peer allows beyond SND.NXT.
    const fn usable_window(&self) -> u32 {
        self.send_window.bytes_from(self.snd_nxt)
    }

    pub(crate) const fn mss(&self) -> u32 {
        self.mss
    }

    /// Drops unacknowledged data.
    pub(crate) fn discard(&mut self) {
        self.buffer = VecDeque::new();
        self.scoreboard.clear();
        self.timers = Timers::default();
    }

    /// Grows the send buffer to twice cwnd, so that the delay until the program writes leaves no
    /// gap.
    fn grow_buffer(&mut self) {
        if self.buffer_size < self.buffer_size_max {
            let target = 2 * self.congestion.cwnd() as usize;
            self.buffer_size = self.buffer_size.max(target.min(self.buffer_size_max));
        }
    }
}

const _: () = assert!(
    limits::TCP_BUFFER_MAXIMUM < 1 << 30,
    "sequence numbers compare up to half of their circle"
);
