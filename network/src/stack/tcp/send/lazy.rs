//! A sender that costs next to nothing until something is sent.
//!
//! Of ten thousand connections most wait for their peer. Until the first write an [`LazySender`] keeps
//! the few numbers with which a [`Sender`] begins; what asks it meanwhile gets the answers that a
//! sender without data would give.

use alloc::boxed::Box;
use core::time::Duration;

use super::send_window::SendWindow;
use super::{Acknowledged, Counters, Expired, Plan, RttEstimator, Sender};
use crate::command::option::CongestionControl;
use crate::platform::Instant;
use crate::stack::tcp::congestion::{UNLIMITED, initial_window};
use crate::stack::tcp::segment::{Blocks, Segment, SynOptions};

/// What a sender begins with.
#[derive(Clone, Copy, Debug)]
struct Initial {
    limit: usize,
    most: usize,
    no_delay: bool,
    has_ecn: bool,
    congestion: CongestionControl,
    first: u32,
    has_sack: bool,
    send_window: SendWindow,
    mss: u16,
    rtt: RttEstimator,
}

/// The sending direction of a connection.
#[derive(Debug)]
pub(crate) struct LazySender {
    initial: Initial,
    sender: Option<Box<Sender>>,
}

impl LazySender {
    /// An outlet whose buffer is as large as `limit` and may grow up to `most` bytes.
    pub(crate) fn new(
        limit: usize,
        most: usize,
        no_delay: bool,
        congestion: CongestionControl,
    ) -> Self {
        let initial = Initial {
            limit,
            most,
            no_delay,
            has_ecn: false,
            congestion,
            first: 0,
            has_sack: false,
            send_window: SendWindow::default(),
            mss: 0,
            rtt: RttEstimator::default(),
        };
        Self { initial, sender: None }
    }

    /// The connection is open: numbers begin at `first`. `window` is what the peer allows, as its
    /// segment numbered `sequence` says it.
    pub(crate) fn begin(
        &mut self,
        first: u32,
        offer: &SynOptions,
        window: u16,
        sequence: u32,
        round_trip: Option<Duration>,
    ) {
        let initial = &mut self.initial;
        (initial.first, initial.has_sack) = (first, offer.sack);
        initial.send_window = SendWindow::new(first, window, sequence, offer.shift.unwrap_or(0));
        if let Some(sample) = round_trip {
            initial.rtt.sample(sample);
        }
    }

    /// The sender; from now on there is one.
    fn activate(&mut self) -> &mut Sender {
        let Self { initial, sender } = self;
        sender.get_or_insert_with(|| Box::new(initial.make()))
    }

    fn sender(&self) -> Option<&Sender> {
        self.sender.as_deref()
    }

    fn sender_mut(&mut self) -> Option<&mut Sender> {
        self.sender.as_deref_mut()
    }

    /// Takes as many bytes as fit.
    pub(crate) fn write(&mut self, data: &[u8]) -> usize {
        if data.is_empty() { 0 } else { self.activate().write(data) }
    }

    /// Ends the stream after what was written.
    pub(crate) fn end(&mut self) {
        self.activate().end();
    }

    /// Bytes of data in a full segment, from now on.
    pub(crate) fn set_mss(&mut self, mss: u16) {
        match &mut self.sender {
            None => self.initial.mss = mss,
            Some(sender) => sender.set_mss(mss),
        }
    }

    /// As [`Sender::shrink_mss`].
    pub(crate) fn shrink_mss(&mut self, mss: u16) {
        match &mut self.sender {
            None => self.initial.mss = mss,
            Some(sender) => sender.shrink_mss(mss),
        }
    }

    /// Both ends understand congestion marks (RFC 3168).
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

    /// Sends small segments at once (TCP_NODELAY).
    pub(crate) fn set_no_delay(&mut self, no_delay: bool) {
        match &mut self.sender {
            None => self.initial.no_delay = no_delay,
            Some(sender) => sender.set_no_delay(no_delay),
        }
    }

    /// The buffer grows no further: the system is short of memory.
    pub(crate) fn stop_growing(&mut self) {
        match &mut self.sender {
            None => self.initial.most = self.initial.limit,
            Some(sender) => sender.stop_growing(),
        }
    }

    /// Forgets what nobody will acknowledge.
    pub(crate) fn discard(&mut self) {
        if let Some(sender) = self.sender_mut() {
            sender.discard();
        }
    }

    /// As [`Sender::acknowledge`]; before anything was sent only the window counters.
    pub(crate) fn acknowledge(
        &mut self,
        segment: &Segment,
        number: u32,
        blocks: &Blocks,
        now: Instant,
    ) -> Acknowledged {
        match &mut self.sender {
            None => {
                self.initial.send_window.follow(segment, number);
                Acknowledged::default()
            }
            Some(sender) => sender.acknowledge(segment, number, blocks, now),
        }
    }

    /// As [`Sender::plan`].
    pub(crate) fn plan(&mut self, now: Instant) -> Option<Plan> {
        self.sender_mut()?.plan(now)
    }

    /// As [`Sender::sent`].
    pub(crate) fn sent(&mut self, plan: &Plan, now: Instant) {
        if let Some(sender) = self.sender_mut() {
            sender.sent(plan, now);
        }
    }

    /// Copies data from the number `start` on, for a segment.
    pub(crate) fn copy(&self, start: u32, target: &mut [u8]) {
        if let Some(sender) = self.sender() {
            sender.copy(start, target);
        }
    }

    /// As [`Sender::expire`].
    pub(crate) fn expire(&mut self, now: Instant) -> Expired {
        self.sender_mut().map_or_else(Expired::default, |sender| sender.expire(now))
    }

    /// The next moment at which something has to be done.
    pub(crate) fn deadline(&self) -> Instant {
        self.sender().map_or(Instant::NEVER, Sender::deadline)
    }

    /// Bytes that fit.
    pub(crate) fn room(&self) -> usize {
        self.sender().map_or_else(|| self.limit(), Sender::room)
    }

    /// Bytes that may wait.
    pub(crate) fn limit(&self) -> usize {
        match &self.sender {
            None => self.initial.limit,
            Some(sender) => sender.limit(),
        }
    }

    /// Bytes that were not acknowledged.
    pub(crate) fn queued(&self) -> usize {
        self.sender().map_or(0, Sender::queued)
    }

    /// True when no more may be written.
    pub(crate) fn is_ending(&self) -> bool {
        self.sender().is_some_and(Sender::is_ending)
    }

    /// True when everything that was written, and the end if there is one, is acknowledged.
    pub(crate) fn is_done(&self) -> bool {
        self.sender().is_none_or(Sender::is_done)
    }

    /// True when asking for the next segment would give none, whatever the windows are.
    pub(crate) fn has_nothing_to_send(&self) -> bool {
        self.sender().is_none_or(Sender::has_nothing_to_send)
    }

    pub(crate) fn snd_una(&self) -> u32 {
        match &self.sender {
            None => self.initial.first,
            Some(sender) => sender.snd_una(),
        }
    }

    /// After the highest number ever sent.
    pub(crate) fn snd_nxt(&self) -> u32 {
        match &self.sender {
            None => self.initial.first,
            Some(sender) => sender.snd_nxt(),
        }
    }

    /// The most that the peer ever allowed.
    pub(crate) fn max_snd_wnd(&self) -> u32 {
        match &self.sender {
            None => self.initial.send_window.max_snd_wnd,
            Some(sender) => sender.max_snd_wnd(),
        }
    }

    /// Bytes that the peer allows from the oldest snd_una one on.
    pub(crate) fn snd_wnd(&self) -> u32 {
        match &self.sender {
            None => self.initial.send_window.from(self.initial.first),
            Some(sender) => sender.snd_wnd(),
        }
    }

    pub(crate) fn mss(&self) -> u32 {
        match &self.sender {
            None => self.initial.mss.into(),
            Some(sender) => sender.mss(),
        }
    }

    /// True when the peer tells of what it got out of order.
    pub(crate) const fn has_sack(&self) -> bool {
        // The sender begins with the initial's, and it never changes.
        self.initial.has_sack
    }

    /// What was measured of the path.
    pub(crate) fn rtt(&self) -> &RttEstimator {
        match &self.sender {
            None => &self.initial.rtt,
            Some(sender) => sender.rtt(),
        }
    }

    pub(crate) fn counters(&self) -> &Counters {
        self.sender().map_or(&Counters::NONE, Sender::counters)
    }

    /// Congestion window, slow start threshold and bytes under way.
    pub(crate) fn windows(&self) -> (u32, u32, u32) {
        self.sender().map_or_else(|| (initial_window(self.mss()), UNLIMITED, 0), Sender::windows)
    }

    /// Segments that are taken for lost and wait to be sent again.
    pub(crate) fn lost_segments(&self) -> u32 {
        self.sender().map_or(0, |sender| sender.scoreboard.lost_segments())
    }

    /// How long an acknowledgment is waited for.
    pub(crate) fn rto(&self) -> Duration {
        self.sender().map_or_else(|| self.rtt().rto(0), Sender::rto)
    }

    /// Bytes per second of the last measurement of delivery.
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
    fn make(&self) -> Sender {
        let mut sender = Sender::new(self.limit, self.most, self.no_delay, self.congestion);
        sender.begin(self.first, self.has_sack, self.send_window);
        (sender.rtt, sender.has_ecn) = (self.rtt, self.has_ecn);
        sender.set_mss(self.mss);
        sender
    }
}
