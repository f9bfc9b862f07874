//! What every segment of an open connection must pass before anything of it counts.
//!
//! A pure function of a few numbers (RFC 9293 §3.10.7.4, RFC 5961). Whoever does not see the
//! connection's packets has to guess a number in the window to get in, and the next number exactly
//! to end it.

use super::segment::{Segment, before};

/// What becomes of a segment.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Verdict {
    /// Its acknowledgment counts, if the flag is set, and its data as far as it fits.
    Accept(bool),
    /// The peer reset the connection.
    Reset,
    /// Answer with an acknowledgment, a few times a second at most; nothing of it counts.
    ChallengeAck,
    /// Answer at once: the peer asks what we have. Its data does not count; its acknowledgment
    /// does, if the flag is set.
    AckNow(bool),
    /// Forget it.
    Drop,
}

/// Where both directions are.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SequenceState {
    /// The oldest number that the peer has not acknowledged, and the one after the highest ever
    /// sent.
    pub(crate) snd_una: u32,
    pub(crate) snd_nxt: u32,
    /// The largest window that the peer ever had.
    pub(crate) max_snd_wnd: u32,
    /// The peer's first number, as far as half of the circle reaches back.
    pub(crate) irs: u32,
    /// The next number that we expect, the last that we acknowledged, and the furthest that we ever
    /// allowed.
    pub(crate) rcv_nxt: u32,
    pub(crate) last_ack_sent: u32,
    pub(crate) rcv_wnd_end: u32,
}

/// Judges a segment of an open connection.
pub(crate) fn check(segment: &Segment, numbers: &SequenceState) -> Verdict {
    // TCP-X-02: a SYN in a synchronized state earns one challenge ACK (RFC 5961 §4).
    if segment.syn {
        return Verdict::ChallengeAck;
    }
    if segment.rst {
        return reset(segment, numbers);
    }
    // Only a first SYN and a RST come without (RFC 9293 §3.10.7.4).
    let Some(acknowledged) = segment.acknowledgment else { return Verdict::Drop };
    // TCP-S-01: nothing above SND.MAX was ever sent. Far below is not from our peer either (RFC
    // 5961 §5.2).
    let oldest = numbers.snd_una.wrapping_sub(numbers.max_snd_wnd);
    if before(numbers.snd_nxt, acknowledged) || before(acknowledged, oldest) {
        return Verdict::ChallengeAck;
    }
    let has_data = segment.length > 0;
    let is_old = before(segment.end(), numbers.last_ack_sent)
        || ((has_data || segment.fin) && segment.end() == numbers.last_ack_sent);
    if is_old {
        // Data whose acknowledgment was lost is last_ack_sent so at once, keep-alives and strangers now and
        // then (RFC 9293 §3.10.7.4).
        let is_ours = !before(segment.sequence, numbers.irs)
            && before(segment.sequence, numbers.last_ack_sent);
        let may_be_repeat = (has_data || segment.fin) && is_ours;
        return if may_be_repeat { Verdict::Accept(false) } else { Verdict::ChallengeAck };
    }
    if before(numbers.rcv_wnd_end, segment.sequence) {
        return Verdict::ChallengeAck;
    }
    // TCP-R-05: an old ACK does not make its data worthless.
    let counts = !before(acknowledged, numbers.snd_una);
    if has_data && segment.sequence == numbers.rcv_wnd_end {
        // A full window is asked about; who asks may have opened its own (RFC 9293 §3.10.7.4,
        // TCP-S-03).
        return if segment.sequence == numbers.rcv_nxt {
            Verdict::AckNow(counts)
        } else {
            Verdict::ChallengeAck
        };
    }
    Verdict::Accept(counts)
}

/// A reset counts only at exactly the next number; inside the window it earns a challenge ACK,
/// outside nothing (RFC 5961 §3.2).
fn reset(segment: &Segment, numbers: &SequenceState) -> Verdict {
    if segment.sequence == numbers.rcv_nxt {
        Verdict::Reset
    } else if before(numbers.rcv_nxt, segment.sequence)
        && before(segment.sequence, numbers.rcv_wnd_end)
    {
        Verdict::ChallengeAck
    } else {
        Verdict::Drop
    }
}
