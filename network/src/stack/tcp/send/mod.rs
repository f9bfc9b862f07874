//! The sending direction of a connection: what was written, what of it is under way, and when it is
//! sent again.
//!
//! smoltcp's socket repairs one hole per window and waits a second for the next, so it never sees
//! data. Data stands here once, from the moment it is written until the peer acknowledged it;
//! segments are made from it when they leave and when they have to leave again. Pure state: the
//! stack tells of acknowledgments and deadlines, and asks for the next segment until there is none.
//!
//! | file | owns |
//! |---|---|
//! | [`lazy`] | a sender that costs next to nothing until something is sent |
//! | [`scoreboard`] | the segments under way, and what the peer said of each (RFC 6675) |
//! | [`acknowledge`] | what an acknowledgment means |
//! | [`send_window`] | the peer's window |
//! | [`recovery`] | what counters as lost (RFC 8985), and undoing what was done for nothing (RFC 5682, RFC 2883) |
//! | [`plan`] | which segment leaves next: Nagle, windows, pacing |
//! | [`timer`] | retransmission, tail loss and persist timers (RFC 6298, RFC 8985 §7, RFC 9293 §3.8.6.1) |
//! | [`rtt`] | how long a round trip takes |

mod acknowledge;
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

pub(crate) use self::acknowledge::Acknowledged;
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

/// What happened since the connection began (as in TCP_INFO).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Counters {
    /// Bytes of data sent, each as often as it was.
    pub(crate) sent: u64,
    /// Bytes that were acknowledged in order.
    pub(crate) acknowledged: u64,
    /// Bytes sent again.
    pub(crate) bytes_retransmitted: u64,
    /// Segments sent again.
    pub(crate) retransmissions: u32,
    /// Times that the retransmission timer expired.
    pub(crate) timeouts: u32,
    /// Probes for a lost tail.
    pub(crate) tail_probes: u32,
    /// Episodes of loss.
    pub(crate) recoveries: u32,
    /// Reductions that were taken back.
    pub(crate) undone: u32,
    /// Segments that the peer got twice.
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
    /// What was written and not acknowledged, from `snd_una` on.
    buffer: VecDeque<u8>,
    /// Bytes that may wait; grows up to `most` with the congestion window.
    limit: usize,
    most: usize,
    snd_una: u32,
    /// After the highest number ever sent.
    snd_nxt: u32,
    /// The program ended its direction; the FIN follows the data.
    is_ending: bool,
    /// The FIN is acknowledged.
    fin_acknowledged: bool,
    no_delay: bool,
    send_window: SendWindow,
    /// Bytes of data in a full segment.
    mss: u32,
    /// After the last segment that was not full: Nagle waits for its acknowledgment.
    small_segment_end: u32,
    /// The peer tells of what it got out of order.
    has_sack: bool,
    /// Marks are understood by both ends (RFC 3168); the answer to the peer's echo is under way up
    /// to a number.
    has_ecn: bool,
    must_send_cwr: bool,
    cwr_until: u32,
    /// Duplicate acknowledgments since progress: all that is known without SACK.
    duplicate_acks: u32,
    scoreboard: Scoreboard,
    rtt: RttEstimator,
    rack: Rack,
    recovery_state: RecoveryState,
    /// Recovery is over when this number is acknowledged.
    recover: u32,
    prr: ProportionalRateReduction,
    undo: Undo,
    congestion: Congestion,
    /// After what was under way when the last round began.
    round_end: u32,
    timers: Timers,
    /// The tail probe under way: after its last number, and whether it retransmitted data.
    probe: Option<(u32, bool)>,
    /// When something last left.
    last_sent_at: Instant,
    /// When what left so far would have left at the controller's rate.
    paced_until: Instant,
    counters: Counters,
}

impl Sender {
    /// A sender whose buffer is as large as `limit` and may grow up to `most` bytes.
    pub(crate) fn new(
        limit: usize,
        most: usize,
        no_delay: bool,
        algorithm: CongestionControl,
    ) -> Self {
        Self {
            buffer: VecDeque::new(),
            limit,
            most: most.max(limit),
            snd_una: 0,
            snd_nxt: 0,
            is_ending: false,
            fin_acknowledged: false,
            no_delay,
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
            timers: Timers::default(),
            probe: None,
            last_sent_at: Instant::ZERO,
            paced_until: Instant::ZERO,
            counters: Counters::NONE,
        }
    }

    /// The connection is open: numbers begin at `first`.
    fn begin(&mut self, first: u32, has_sack: bool, send_window: SendWindow) {
        (self.snd_una, self.snd_nxt, self.small_segment_end) = (first, first, first);
        (self.recover, self.round_end, self.cwr_until) = (first, first, first);
        self.rack.begin(first);
        (self.has_sack, self.send_window) = (has_sack, send_window);
    }

    /// Bytes of data in a full segment, from now on.
    pub(crate) fn set_mss(&mut self, segment: u16) {
        let segment = u32::from(segment).max(1);
        if segment == self.mss {
            return;
        }
        self.mss = segment;
        self.congestion.set_mss(segment);
    }

    /// What the path carries became less: segments under way that are longer never arrive, and are
    /// sent again at once in pieces. That is no sign of congestion (RFC 8201 §5.4).
    pub(crate) fn shrink_mss(&mut self, segment: u16) {
        self.set_mss(segment);
        let fin = self.fin_end();
        self.scoreboard.mark_longer_than(self.mss, fin);
    }

    /// Sends small segments at once (TCP_NODELAY).
    pub(crate) const fn set_no_delay(&mut self, no_delay: bool) {
        self.no_delay = no_delay;
    }

    /// Takes as many bytes as fit.
    pub(crate) fn write(&mut self, data: &[u8]) -> usize {
        let count = data.len().min(self.room());
        let Some(taken) = data.get(..count) else { return 0 };
        ring::append(&mut self.buffer, taken, self.limit);
        count
    }

    /// Bytes that fit.
    pub(crate) fn room(&self) -> usize {
        if self.is_ending { 0 } else { self.limit.saturating_sub(self.buffer.len()) }
    }

    /// Bytes that may wait.
    pub(crate) const fn limit(&self) -> usize {
        self.limit
    }

    /// Bytes that were not acknowledged.
    pub(crate) fn queued(&self) -> usize {
        self.buffer.len()
    }

    /// The buffer grows no further: the system is short of memory.
    pub(crate) const fn stop_growing(&mut self) {
        self.most = self.limit;
    }

    /// Ends the stream after what was written.
    pub(crate) const fn end(&mut self) {
        self.is_ending = true;
    }

    /// True when no more may be written.
    pub(crate) const fn is_ending(&self) -> bool {
        self.is_ending
    }

    /// True when everything that was written, and the end if there is one, is acknowledged.
    pub(crate) fn is_done(&self) -> bool {
        self.buffer.is_empty() && (!self.is_ending || self.fin_acknowledged)
    }

    /// True when asking for the next segment would give none, whatever the windows are.
    pub(crate) fn has_nothing_to_send(&self) -> bool {
        !self.timers.must_send_probe
            && self.scoreboard.lost() == 0
            && self.unsent() == 0
            && !self.must_send_fin()
    }

    /// Bytes that were written and never sent.
    fn unsent(&self) -> u32 {
        let end = self.data_end();
        if before(self.snd_nxt, end) { end.wrapping_sub(self.snd_nxt) } else { 0 }
    }

    /// True when our FIN is to be sent for the first time.
    fn must_send_fin(&self) -> bool {
        self.is_ending && !self.fin_acknowledged && !self.is_fin_under_way()
    }

    pub(crate) const fn snd_una(&self) -> u32 {
        self.snd_una
    }

    pub(crate) const fn snd_nxt(&self) -> u32 {
        self.snd_nxt
    }

    /// The most that the peer ever allowed.
    pub(crate) const fn max_snd_wnd(&self) -> u32 {
        self.send_window.max_snd_wnd
    }

    /// After all that was written; a FIN comes behind it.
    fn data_end(&self) -> u32 {
        // Buffers are shorter than 2 GiB.
        self.snd_una.wrapping_add(self.buffer.len() as u32)
    }

    /// Copies data from the number `start` on, for a segment.
    pub(crate) fn copy(&self, start: u32, target: &mut [u8]) {
        ring::copy(&self.buffer, start.wrapping_sub(self.snd_una) as usize, target);
    }

    /// Bytes under way (RFC 6675's pipe).
    fn pipe(&self) -> u32 {
        let known = if self.has_sack { 0 } else { self.virtually_delivered() };
        self.scoreboard.pipe().saturating_sub(known)
    }

    /// Without SACK each duplicate acknowledgment says that a segment update, not which.
    fn virtually_delivered(&self) -> u32 {
        self.duplicate_acks
            .saturating_mul(self.mss)
            .min(self.scoreboard.pipe().saturating_sub(self.mss))
    }

    /// Bytes that may be under way.
    fn cwnd(&self) -> u32 {
        match self.recovery_state {
            RecoveryState::Recovery if self.congestion.reduces_proportionally() => self.prr.cwnd(),
            _ => self.congestion.cwnd(),
        }
    }

    /// What was measured of the path.
    pub(crate) const fn rtt(&self) -> &RttEstimator {
        &self.rtt
    }

    pub(crate) const fn counters(&self) -> &Counters {
        &self.counters
    }

    /// How long an acknowledgment is waited for.
    pub(crate) fn rto(&self) -> Duration {
        self.rtt.rto(self.timers.backoff)
    }

    pub(crate) const fn congestion_control(&self) -> CongestionControl {
        self.congestion.choice()
    }

    /// Congestion window, slow start threshold and bytes under way.
    pub(crate) fn windows(&self) -> (u32, u32, u32) {
        (self.cwnd(), self.congestion.ssthresh(), self.pipe())
    }

    /// Bytes per second of the last measurement of delivery.
    pub(crate) const fn delivery_rate(&self) -> u64 {
        self.scoreboard.rate()
    }

    /// Bytes that the peer allows from the oldest snd_una one on.
    pub(crate) const fn snd_wnd(&self) -> u32 {
        self.send_window.from(self.snd_una)
    }

    /// Bytes that the peer allows beyond what was sent.
    const fn usable_window(&self) -> u32 {
        self.send_window.from(self.snd_nxt)
    }

    pub(crate) const fn mss(&self) -> u32 {
        self.mss
    }

    /// Forgets what nobody will acknowledge.
    pub(crate) fn discard(&mut self) {
        self.buffer = VecDeque::new();
        self.scoreboard.clear();
        self.timers = Timers::default();
    }

    /// Lets the buffer grow with what the path takes: two windows, so that the program's turn does
    /// not leave a gap.
    fn grow(&mut self) {
        if self.limit < self.most {
            let wanted = 2 * self.congestion.cwnd() as usize;
            self.limit = self.limit.max(wanted.min(self.most));
        }
    }
}

const _: () = assert!(
    limits::TCP_BUFFER_MAXIMUM < 1 << 30,
    "sequence numbers compare up to half of their circle"
);
