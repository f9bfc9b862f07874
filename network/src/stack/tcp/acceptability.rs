//! The acceptability test for segments of an open connection.
//!
//! A pure function of a few numbers (RFC 9293 §3.10.7.4, RFC 5961). An off-path attacker has to
//! guess a number in the window to get a segment accepted, and RCV.NXT exactly to reset the
//! connection.

use super::segment::{Segment, before};

/// The result of the acceptability test.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Verdict {
    /// Process the data as far as it fits, and the acknowledgment if the flag is set.
    Accept(bool),
    /// The peer reset the connection.
    Reset,
    /// Drop the segment and send a challenge ACK, which is rate limited.
    ChallengeAck,
    /// Acknowledge at once: the segment probes our window. Ignore its data, and process its
    /// acknowledgment.
    AckNow,
    /// Drop the segment silently.
    Drop,
}

/// The sequence variables of both directions (RFC 9293 §3.3.1).
#[derive(Clone, Copy, Debug)]
pub(crate) struct SequenceState {
    /// SND.UNA: the oldest unacknowledged sequence number; and SND.NXT, which is also SND.MAX: the
    /// number after the highest one that was sent.
    pub(crate) snd_una: u32,
    pub(crate) snd_nxt: u32,
    /// MAX.SND.WND (RFC 5961 §5.2): the largest window that the peer ever advertised.
    pub(crate) max_snd_wnd: u32,
    /// IRS: the peer's initial sequence number, or a number 2^30 behind RCV.NXT if IRS is further
    /// back.
    pub(crate) irs: u32,
    /// RCV.NXT: the next sequence number that we expect; the last acknowledgment number that we
    /// sent (Last.ACK.sent, RFC 7323); and RCV.NXT + RCV.WND: the right edge of the window that we
    /// advertised.
    pub(crate) rcv_nxt: u32,
    pub(crate) last_ack_sent: u32,
    pub(crate) rcv_wnd_end: u32,
}

/// Tests a segment of an open connection.
#[inline]
pub(crate) fn check(segment: &Segment, state: &SequenceState) -> Verdict {
    // TCP-X-02: a SYN in a synchronized state gets a challenge ACK (RFC 5961 §4).
    if segment.syn {
        return Verdict::ChallengeAck;
    }
    if segment.rst {
        return reset(segment, state);
    }
    // Only an initial SYN and a RST come without ACK (RFC 9293 §3.10.7.4).
    let Some(seg_ack) = segment.acknowledgment else { return Verdict::Drop };
    // TCP-S-01: SEG.ACK above SND.MAX acknowledges data that was never sent. SEG.ACK below SND.UNA
    // - MAX.SND.WND does not come from our peer either (RFC 5961 §5.2).
    let oldest = state.snd_una.wrapping_sub(state.max_snd_wnd);
    if before(state.snd_nxt, seg_ack) || before(seg_ack, oldest) {
        return Verdict::ChallengeAck;
    }
    let has_data = segment.length > 0;
    let is_before_window = before(segment.end(), state.last_ack_sent)
        || ((has_data || segment.fin) && segment.end() == state.last_ack_sent);
    if is_before_window {
        // A retransmission whose acknowledgment was lost is acknowledged at once; keep-alives and
        // segments of off-path senders get a rate-limited acknowledgment (RFC 9293 §3.10.7.4).
        let was_received =
            !before(segment.sequence, state.irs) && before(segment.sequence, state.last_ack_sent);
        let is_retransmission = (has_data || segment.fin) && was_received;
        return if is_retransmission { Verdict::Accept(false) } else { Verdict::ChallengeAck };
    }
    if before(state.rcv_wnd_end, segment.sequence) {
        return Verdict::ChallengeAck;
    }
    // TCP-R-05: an old ACK does not invalidate the segment's data, and its SACK blocks may be news.
    if has_data && segment.sequence == state.rcv_wnd_end {
        // A zero-window probe. Its acknowledgment and window count: the peer may have opened its
        // own window (RFC 9293 §3.10.7.4, TCP-S-03).
        return if segment.sequence == state.rcv_nxt {
            Verdict::AckNow
        } else {
            Verdict::ChallengeAck
        };
    }
    Verdict::Accept(true)
}

/// A RST is accepted only at exactly RCV.NXT. Inside the window it gets a challenge ACK; outside it
/// is dropped (RFC 5961 §3.2).
#[cold]
fn reset(segment: &Segment, state: &SequenceState) -> Verdict {
    if segment.sequence == state.rcv_nxt {
        Verdict::Reset
    } else if before(state.rcv_nxt, segment.sequence) && before(segment.sequence, state.rcv_wnd_end)
    {
        Verdict::ChallengeAck
    } else {
        Verdict::Drop
    }
}
