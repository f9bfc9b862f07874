//! A sender that costs next to nothing until something is sent.
//!
//! Of ten thousand connections most wait for their peer. Until the first write an [`Outlet`] keeps
//! the few numbers with which a [`Sender`] begins; what asks it meanwhile gets the answers that a
//! sender without data would give.

use alloc::boxed::Box;
use core::time::Duration;

use super::allowance::Allowance;
use super::{Acknowledged, Counts, Expired, Plan, RoundTrip, Sender};
use crate::command::option::CongestionControl;
use crate::platform::Instant;
use crate::stack::tcp::congestion::{UNLIMITED, initial_window};
use crate::stack::tcp::segment::{Blocks, Offer, Segment};

/// What a sender begins with.
#[derive(Clone, Copy, Debug)]
struct Seed {
    limit: usize,
    most: usize,
    no_delay: bool,
    has_marks: bool,
    congestion: CongestionControl,
    first: u32,
    has_sack: bool,
    allowance: Allowance,
    segment: u16,
    round_trip: RoundTrip,
}

/// The sending direction of a connection.
#[derive(Debug)]
pub(crate) struct Outlet {
    seed: Seed,
    sender: Option<Box<Sender>>,
}

impl Outlet {
    /// An outlet whose buffer is as large as `limit` and may grow up to `most` bytes.
    pub(crate) fn new(
        limit: usize,
        most: usize,
        no_delay: bool,
        congestion: CongestionControl,
    ) -> Self {
        let seed = Seed {
            limit,
            most,
            no_delay,
            has_marks: false,
            congestion,
            first: 0,
            has_sack: false,
            allowance: Allowance::default(),
            segment: 0,
            round_trip: RoundTrip::default(),
        };
        Self { seed, sender: None }
    }

    /// The connection is open: numbers begin at `first`. `window` is what the peer allows, as its
    /// segment numbered `sequence` says it.
    pub(crate) fn begin(
        &mut self,
        first: u32,
        offer: &Offer,
        window: u16,
        sequence: u32,
        round_trip: Option<Duration>,
    ) {
        let seed = &mut self.seed;
        (seed.first, seed.has_sack) = (first, offer.sack);
        seed.allowance = Allowance::new(first, window, sequence, offer.shift.unwrap_or(0));
        if let Some(sample) = round_trip {
            seed.round_trip.sample(sample);
        }
    }

    /// The sender; from now on there is one.
    fn activate(&mut self) -> &mut Sender {
        let Self { seed, sender } = self;
        sender.get_or_insert_with(|| Box::new(seed.grow()))
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
    pub(crate) fn set_segment(&mut self, segment: u16) {
        match &mut self.sender {
            None => self.seed.segment = segment,
            Some(sender) => sender.set_segment(segment),
        }
    }

    /// As [`Sender::narrow`].
    pub(crate) fn narrow(&mut self, segment: u16) {
        match &mut self.sender {
            None => self.seed.segment = segment,
            Some(sender) => sender.narrow(segment),
        }
    }

    /// Both ends understand congestion marks (RFC 3168).
    pub(crate) fn set_marks(&mut self, has_marks: bool) {
        match &mut self.sender {
            None => self.seed.has_marks = has_marks,
            Some(sender) => sender.has_marks = has_marks,
        }
    }

    pub(crate) fn has_marks(&self) -> bool {
        match &self.sender {
            None => self.seed.has_marks,
            Some(sender) => sender.has_marks,
        }
    }

    /// Sends small segments at once (TCP_NODELAY).
    pub(crate) fn set_no_delay(&mut self, no_delay: bool) {
        match &mut self.sender {
            None => self.seed.no_delay = no_delay,
            Some(sender) => sender.set_no_delay(no_delay),
        }
    }

    /// The buffer grows no further: the system is short of memory.
    pub(crate) fn stop_growing(&mut self) {
        match &mut self.sender {
            None => self.seed.most = self.seed.limit,
            Some(sender) => sender.stop_growing(),
        }
    }

    /// Forgets what nobody will acknowledge.
    pub(crate) fn discard(&mut self) {
        if let Some(sender) = self.sender_mut() {
            sender.discard();
        }
    }

    /// As [`Sender::acknowledge`]; before anything was sent only the window counts.
    pub(crate) fn acknowledge(
        &mut self,
        segment: &Segment,
        number: u32,
        blocks: &Blocks,
        now: Instant,
    ) -> Acknowledged {
        match &mut self.sender {
            None => {
                self.seed.allowance.follow(segment, number);
                Acknowledged::default()
            }
            Some(sender) => sender.acknowledge(segment, number, blocks, now),
        }
    }

    /// As [`Sender::plan`].
    pub(crate) fn plan(&mut self, now: Instant) -> Option<Plan> {
        self.sender_mut()?.plan(now)
    }

    /// As [`Sender::left`].
    pub(crate) fn left(&mut self, plan: &Plan, now: Instant) {
        if let Some(sender) = self.sender_mut() {
            sender.left(plan, now);
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
            None => self.seed.limit,
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

    pub(crate) fn unacknowledged(&self) -> u32 {
        match &self.sender {
            None => self.seed.first,
            Some(sender) => sender.unacknowledged(),
        }
    }

    /// After the highest number ever sent.
    pub(crate) fn next(&self) -> u32 {
        match &self.sender {
            None => self.seed.first,
            Some(sender) => sender.next(),
        }
    }

    /// The most that the peer ever allowed.
    pub(crate) fn largest_window(&self) -> u32 {
        match &self.sender {
            None => self.seed.allowance.largest,
            Some(sender) => sender.largest_window(),
        }
    }

    /// Bytes that the peer allows from the oldest unacknowledged one on.
    pub(crate) fn peer_window(&self) -> u32 {
        match &self.sender {
            None => self.seed.allowance.from(self.seed.first),
            Some(sender) => sender.peer_window(),
        }
    }

    pub(crate) fn segment(&self) -> u32 {
        match &self.sender {
            None => self.seed.segment.into(),
            Some(sender) => sender.segment(),
        }
    }

    /// True when the peer tells of what it got out of order.
    pub(crate) const fn has_sack(&self) -> bool {
        // The sender begins with the seed's, and it never changes.
        self.seed.has_sack
    }

    /// What was measured of the path.
    pub(crate) fn round_trip(&self) -> &RoundTrip {
        match &self.sender {
            None => &self.seed.round_trip,
            Some(sender) => sender.round_trip(),
        }
    }

    pub(crate) fn counts(&self) -> &Counts {
        self.sender().map_or(&Counts::NONE, Sender::counts)
    }

    /// Congestion window, slow start threshold and bytes under way.
    pub(crate) fn windows(&self) -> (u32, u32, u32) {
        self.sender()
            .map_or_else(|| (initial_window(self.segment()), UNLIMITED, 0), Sender::windows)
    }

    /// Segments that are taken for lost and wait to be sent again.
    pub(crate) fn lost_segments(&self) -> u32 {
        self.sender().map_or(0, |sender| sender.flight.lost_segments())
    }

    /// How long an acknowledgment is waited for.
    pub(crate) fn timeout(&self) -> Duration {
        self.sender().map_or_else(|| self.round_trip().timeout(0), Sender::timeout)
    }

    /// Bytes per second of the last measurement of delivery.
    pub(crate) fn delivery_rate(&self) -> u64 {
        self.sender().map_or(0, Sender::delivery_rate)
    }

    pub(crate) fn congestion_control(&self) -> CongestionControl {
        match &self.sender {
            None => self.seed.congestion,
            Some(sender) => sender.congestion_control(),
        }
    }
}

impl Seed {
    fn grow(&self) -> Sender {
        let mut sender = Sender::new(self.limit, self.most, self.no_delay, self.congestion);
        sender.begin(self.first, self.has_sack, self.allowance);
        (sender.round_trip, sender.has_marks) = (self.round_trip, self.has_marks);
        sender.set_segment(self.segment);
        sender
    }
}
