//! A sender that is allocated lazily, at the first write.
//!
//! Most of ten thousand connections are idle. Until the first write a [`LazySender`] keeps only the
//! parameters of a [`Sender`] and answers as a sender without data would.

use alloc::boxed::Box;
use core::time::Duration;

use super::send_window::SendWindow;
use super::{
    Acknowledged, Acknowledgment, Counters, Expired, Gathering, Plan, RttEstimator, Sender,
};
use crate::command::option::CongestionControl;
use crate::platform::Instant;
use crate::stack::tcp::congestion::{UNLIMITED, initial_window};
use crate::stack::tcp::segment::{SynOptions, before};

/// The parameters of a new sender.
#[derive(Clone, Copy, Debug)]
struct Initial {
    buffer_size: usize,
    buffer_size_max: usize,
    gathering: Gathering,
    has_ecn: bool,
    congestion: CongestionControl,
    first: u32,
    has_sack: bool,
    send_window: SendWindow,
    mss: u16,
    rtt: RttEstimator,
    /// The initial window is one segment.
    is_restricted: bool,
}

/// The sending direction of a connection.
#[derive(Debug)]
pub(crate) struct LazySender {
    initial: Initial,
    sender: Option<Box<Sender>>,
}

impl LazySender {
    /// A sender with a buffer of `buffer_size` that may grow up to `buffer_size_max` bytes.
    pub(crate) fn new(
        buffer_size: usize,
        buffer_size_max: usize,
        gathering: Gathering,
        congestion: CongestionControl,
    ) -> Self {
        let initial = Initial {
            buffer_size,
            buffer_size_max,
            gathering,
            has_ecn: false,
            congestion,
            first: 0,
            has_sack: false,
            send_window: SendWindow::default(),
            mss: 0,
            rtt: RttEstimator::default(),
            is_restricted: false,
        };
        Self { initial, sender: None }
    }

    /// The connection is open: sequence numbers begin at `first`. `window` is the peer's window,
    /// from its segment with sequence number `sequence`. `round_trip` is the time that the SYN
    /// took, if that is known, and `lost_syns` how often it was repeated.
    pub(crate) fn begin(
        &mut self,
        first: u32,
        offer: &SynOptions,
        window: u16,
        sequence: u32,
        (round_trip, lost_syns): (Option<Duration>, u8),
    ) {
        let initial = &mut self.initial;
        // As Linux counts, the first repetition does not: the delay is as likely as the loss.
        initial.is_restricted = lost_syns > 1;
        if lost_syns > 0 {
            initial.rtt.syn_timed_out();
        }
        (initial.first, initial.has_sack) = (first, offer.sack);
        initial.send_window = SendWindow::new(first, window, sequence, offer.shift.unwrap_or(0));
        if let Some(sample) = round_trip {
            initial.rtt.sample(sample);
        }
    }

    /// The sender; allocates it if there is none.
    fn get_or_make(&mut self) -> &mut Sender {
        let Self { initial, sender } = self;
        sender.get_or_insert_with(|| initial.make_sender())
    }

    fn sender(&self) -> Option<&Sender> {
        self.sender.as_deref()
    }

    fn sender_mut(&mut self) -> Option<&mut Sender> {
        self.sender.as_deref_mut()
    }

    /// Takes as many bytes as fit into the send buffer.
    pub(crate) fn write(&mut self, data: &[u8]) -> usize {
        if data.is_empty() { 0 } else { self.get_or_make().write(data) }
    }

    /// Ends the stream after the written data (FIN).
    pub(crate) fn end(&mut self) {
        self.get_or_make().end();
    }

    /// Sets the MSS.
    pub(crate) fn set_mss(&mut self, mss: u16) {
        match &mut self.sender {
            None => self.initial.mss = mss,
            Some(sender) => sender.set_mss(mss),
        }
    }

    /// Like [`Sender::shrink_mss`].
    pub(crate) fn shrink_mss(&mut self, mss: u16) {
        match &mut self.sender {
            None => self.initial.mss = mss,
            Some(sender) => sender.shrink_mss(mss),
        }
    }

    /// Sets whether ECN was negotiated (RFC 3168).
    pub(crate) fn set_ecn(&mut self, has_ecn: bool) {
        match &mut self.sender {
            None => self.initial.has_ecn = has_ecn,
            Some(sender) => sender.has_ecn = has_ecn,
        }
    }

    pub(crate) fn has_ecn(&self) -> bool {
        match &self.sender {
            None => self.initial.has_ecn,
            Some(sender) => sender.has_ecn,
        }
    }

    /// Changes how written data gathers into segments.
    pub(crate) fn set_gathering(&mut self, gathering: Gathering) {
        match &mut self.sender {
            None => self.initial.gathering = gathering,
            Some(sender) => sender.set_gathering(gathering),
        }
    }

    pub(crate) fn gathering(&self) -> Gathering {
        self.sender.as_ref().map_or(self.initial.gathering, |sender| sender.gathering)
    }

    /// Changes the congestion control algorithm.
    pub(crate) fn set_congestion_control(&mut self, algorithm: CongestionControl) {
        match &mut self.sender {
            None => self.initial.congestion = algorithm,
            Some(sender) => sender.set_congestion_control(algorithm),
        }
    }

    /// Like [`Sender::set_buffer_size`].
    pub(crate) fn set_buffer_size(&mut self, bytes: usize) {
        let initial = &mut self.initial;
        match &mut self.sender {
            None => (initial.buffer_size, initial.buffer_size_max) = (bytes, bytes),
            Some(sender) => sender.set_buffer_size(bytes),
        }
    }

    /// Like [`Sender::is_low_water_reached`].
    pub(crate) fn is_low_water_reached(&self) -> bool {
        self.sender().is_some_and(Sender::is_low_water_reached)
    }

    /// Bytes of memory.
    pub(crate) fn memory(&self) -> usize {
        self.sender().map_or(0, Sender::memory)
    }

    /// Gives back what the buffer does not need now.
    pub(crate) fn shrink(&mut self) {
        if let Some(sender) = self.sender_mut() {
            sender.shrink();
        }
    }

    /// Drops unacknowledged data.
    pub(crate) fn discard(&mut self) {
        if let Some(sender) = self.sender_mut() {
            sender.discard();
        }
    }

    /// Like [`Sender::acknowledge`]; before the first write only the window matters.
    pub(crate) fn acknowledge(&mut self, news: &Acknowledgment<'_>, now: Instant) -> Acknowledged {
        let Acknowledgment { segment, number, .. } = *news;
        match &mut self.sender {
            None => {
                if !before(number, self.initial.first) {
                    self.initial.send_window.update(segment, number);
                }
                Acknowledged::default()
            }
            Some(sender) => sender.acknowledge(news, now),
        }
    }

    /// Like [`Sender::plan`].
    pub(crate) fn plan(&mut self, now: Instant) -> Option<Plan> {
        self.sender_mut()?.plan(now)
    }

    /// Like [`Sender::sent`].
    pub(crate) fn sent(&mut self, plan: &Plan, now: Instant) {
        if let Some(sender) = self.sender_mut() {
            sender.sent(plan, now);
        }
    }

    /// Copies data from sequence number `start` on, for a segment.
    pub(crate) fn copy(&self, start: u32, target: &mut [u8]) {
        if let Some(sender) = self.sender() {
            sender.copy(start, target);
        }
    }

    /// Like [`Sender::expire`].
    pub(crate) fn expire(&mut self, now: Instant) -> Expired {
        self.sender_mut().map_or_else(Expired::default, |sender| sender.expire(now))
    }

    /// The earliest deadline of its timers.
    pub(crate) fn deadline(&self) -> Instant {
        self.sender().map_or(Instant::NEVER, Sender::deadline)
    }

    /// Free bytes of the send buffer.
    pub(crate) fn free_space(&self) -> usize {
        let unwritten = || self.buffer_size().min(self.initial.gathering.room(0));
        self.sender().map_or_else(unwritten, Sender::free_space)
    }

    /// The size of the send buffer.
    pub(crate) fn buffer_size(&self) -> usize {
        match &self.sender {
            None => self.initial.buffer_size,
            Some(sender) => sender.buffer_size(),
        }
    }

    /// Unacknowledged bytes, sent or not.
    pub(crate) fn queued(&self) -> usize {
        self.sender().map_or(0, Sender::queued)
    }

    /// True when the stream was ended.
    pub(crate) fn is_closing(&self) -> bool {
        self.sender().is_some_and(Sender::is_closing)
    }

    /// True when everything that was written, and the FIN if there is one, is acknowledged.
    pub(crate) fn is_done(&self) -> bool {
        self.sender().is_none_or(Sender::is_done)
    }

    /// True when there is no segment to send, whatever the windows are.
    pub(crate) fn has_nothing_to_send(&self) -> bool {
        self.sender().is_none_or(Sender::has_nothing_to_send)
    }

    pub(crate) fn snd_una(&self) -> u32 {
        match &self.sender {
            None => self.initial.first,
            Some(sender) => sender.snd_una(),
        }
    }

    /// SND.NXT: the number after the highest one that was sent.
    pub(crate) fn snd_nxt(&self) -> u32 {
        match &self.sender {
            None => self.initial.first,
            Some(sender) => sender.snd_nxt(),
        }
    }

    /// MAX.SND.WND: the largest window that the peer ever advertised.
    pub(crate) fn max_snd_wnd(&self) -> u32 {
        match &self.sender {
            None => self.initial.send_window.max_snd_wnd,
            Some(sender) => sender.max_snd_wnd(),
        }
    }

    /// SND.WND: the window in bytes, from SND.UNA on.
    pub(crate) fn snd_wnd(&self) -> u32 {
        match &self.sender {
            None => self.initial.send_window.bytes_from(self.initial.first),
            Some(sender) => sender.snd_wnd(),
        }
    }

    pub(crate) fn mss(&self) -> u32 {
        match &self.sender {
            None => self.initial.mss.into(),
            Some(sender) => sender.mss(),
        }
    }

    /// True when SACK was negotiated.
    pub(crate) const fn has_sack(&self) -> bool {
        // The sender inherits it, and it never changes.
        self.initial.has_sack
    }

    /// The round-trip estimator.
    pub(crate) fn rtt(&self) -> &RttEstimator {
        match &self.sender {
            None => &self.initial.rtt,
            Some(sender) => sender.rtt(),
        }
    }

    pub(crate) fn counters(&self) -> &Counters {
        self.sender().map_or(&Counters::NONE, Sender::counters)
    }

    /// cwnd, ssthresh and bytes in flight.
    pub(crate) fn windows(&self) -> (u32, u32, u32) {
        let initial = || {
            let mss = self.mss();
            let cwnd = if self.initial.is_restricted { mss } else { initial_window(mss) };
            (cwnd, UNLIMITED, 0)
        };
        self.sender().map_or_else(initial, Sender::windows)
    }

    /// Segments that are marked lost and not retransmitted yet.
    pub(crate) fn lost_segments(&self) -> u32 {
        self.sender().map_or(0, |sender| sender.scoreboard.lost_segments())
    }

    /// RTO: the retransmission timeout.
    pub(crate) fn rto(&self) -> Duration {
        self.sender().map_or_else(|| self.rtt().rto(0), Sender::rto)
    }

    /// The last delivery rate in bytes per second.
    pub(crate) fn delivery_rate(&self) -> u64 {
        self.sender().map_or(0, Sender::delivery_rate)
    }

    pub(crate) fn congestion_control(&self) -> CongestionControl {
        match &self.sender {
            None => self.initial.congestion,
            Some(sender) => sender.congestion_control(),
        }
    }
}

impl Initial {
    /// Where it stays from the start: a sender is some hundred bytes.
    fn make_sender(&self) -> Box<Sender> {
        let mut sender = Box::new(Sender::new(
            self.buffer_size,
            self.buffer_size_max,
            self.gathering,
            self.congestion,
        ));
        sender.begin(self.first, self.has_sack, self.send_window);
        (sender.rtt, sender.has_ecn) = (self.rtt, self.has_ecn);
        sender.set_mss(self.mss);
        if self.is_restricted {
            sender.restrict_initial_window();
        }
        sender
    }
}
