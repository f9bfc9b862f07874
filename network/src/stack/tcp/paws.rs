//! What timestamps decide about a segment of an open connection: protection against wrapped
//! sequence numbers (PAWS, RFC 7323 §5), and what is spared from it.

use super::Connection;
use super::acceptability::{Verdict, check};
use super::segment::{Segment, SegmentOptions, before};
use crate::platform::Instant;

impl Connection {
    /// True for a segment that looks old by its timestamps. PAWS does not apply to a RST (RFC 7323
    /// §5.3, R1).
    pub(super) fn looks_old(
        &self,
        segment: &Segment,
        timestamps: Option<(u32, u32)>,
        now: Instant,
    ) -> bool {
        let is_old = |(seg_tsval, _)| self.timestamps.is_old(seg_tsval, now);
        !segment.rst && timestamps.is_some_and(is_old)
    }

    /// Tests a segment; that it looks old comes before anything else.
    #[inline]
    pub(super) fn verdict(
        &self,
        segment: &Segment,
        timestamps: Option<(u32, u32)>,
        is_old: bool,
    ) -> Verdict {
        if is_old {
            self.verdict_on_old(segment, timestamps)
        } else {
            check(segment, &self.sequence_state())
        }
    }

    #[cold]
    fn verdict_on_old(&self, segment: &Segment, timestamps: Option<(u32, u32)>) -> Verdict {
        let (end, rcv_nxt) = (segment.end(), self.receiver.rcv_nxt());
        if !segment.syn && segment.length > 0 && !before(rcv_nxt, end) {
            // Data that a retransmission overtook: the sender learns by a DSACK that it was not
            // lost (RFC 2883). All of it was received before, so nothing old is taken.
            Verdict::Accept(false)
        } else if timestamps.is_some_and(|(value, _)| self.is_overtaken(segment, value)) {
            Verdict::Accept(true)
        } else {
            Verdict::ChallengeAck
        }
    }

    /// Takes the timestamps of a segment that is accepted, unless another one overtook it. Returns
    /// the tick of our clock that it echoes.
    pub(super) fn take_timestamps(
        &mut self,
        segment: &Segment,
        timestamps: Option<(u32, u32)>,
        is_overtaken: bool,
        now: Instant,
    ) -> Option<u32> {
        let (seg_tsval, seg_tsecr) = timestamps?;
        if !is_overtaken {
            let last_ack_sent = self.receiver.last_ack_sent();
            self.timestamps.take(seg_tsval, segment.sequence, last_ack_sent, now);
        }
        Some(self.timestamps.echoed_tick(seg_tsecr))
    }

    /// True for a segment that was overtaken by one that left within the last RTO: data where some
    /// is missing, or a pure ACK that acknowledges nothing new, whose SACK blocks may be news. RFC
    /// 7323 §5.3 drops them; on a path that reorders every retransmission would then cost all that
    /// is late beside it (Linux spares only ACKs, by tcp_disordered_ack). What wrapped sequence
    /// numbers bring back is older than an RTO.
    fn is_overtaken(&self, segment: &Segment, seg_tsval: u32) -> bool {
        let rto = u32::try_from(self.sender.rto().as_millis()).unwrap_or(u32::MAX);
        let is_missing = segment.length > 0 && self.receiver.has_holes();
        let is_pure = segment.length == 0
            && !segment.fin
            && segment.sequence == self.receiver.rcv_nxt()
            && segment.acknowledgment.is_some_and(|number| !before(self.sender.snd_una(), number));
        (is_missing || is_pure)
            && self.timestamps.age(seg_tsval) <= rto
            && check(segment, &self.sequence_state()) == Verdict::Accept(true)
    }

    /// TSecr of a segment with these options, if timestamps were negotiated.
    pub(super) fn echo_of(&self, options: &[u8]) -> Option<u32> {
        let timestamps = SegmentOptions::plain(options)
            .unwrap_or_else(|| SegmentOptions::read(options).timestamps);
        timestamps.filter(|_| self.timestamps.is_negotiated()).map(|(_, echo)| echo)
    }
}
