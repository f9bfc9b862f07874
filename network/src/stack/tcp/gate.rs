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
    Pass(bool),
    /// The peer reset the connection.
    Reset,
    /// Answer with an acknowledgment, a few times a second at most; nothing of it counts.
    Answer,
    /// Answer at once: the peer asks what we have. Its data does not count; its acknowledgment
    /// does, if the flag is set.
    Tell(bool),
    /// Forget it.
    Drop,
}

/// Where both directions are.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Numbers {
    /// The oldest number that the peer has not acknowledged, and the one after the highest ever
    /// sent.
    pub(crate) unacknowledged: u32,
    pub(crate) next: u32,
    /// The largest window that the peer ever had.
    pub(crate) largest_window: u32,
    /// The peer's first number, as far as half of the circle reaches back.
    pub(crate) begin: u32,
    /// The next number that we expect, the last that we acknowledged, and the furthest that we ever
    /// allowed.
    pub(crate) expected: u32,
    pub(crate) told: u32,
    pub(crate) edge: u32,
}

/// Judges a segment of an open connection.
pub(crate) fn judge(segment: &Segment, numbers: &Numbers) -> Verdict {
    // TCP-X-02: a SYN in a synchronized state earns one challenge ACK (RFC 5961 §4).
    if segment.syn {
        return Verdict::Answer;
    }
    if segment.rst {
        return reset(segment, numbers);
    }
    // Only a first SYN and a RST come without (RFC 9293 §3.10.7.4).
    let Some(acknowledged) = segment.acknowledgment else { return Verdict::Drop };
    // TCP-S-01: nothing above SND.MAX was ever sent. Far below is not from our peer either (RFC
    // 5961 §5.2).
    let oldest = numbers.unacknowledged.wrapping_sub(numbers.largest_window);
    if before(numbers.next, acknowledged) || before(acknowledged, oldest) {
        return Verdict::Answer;
    }
    let has_data = segment.length > 0;
    let is_old = before(segment.end(), numbers.told)
        || ((has_data || segment.fin) && segment.end() == numbers.told);
    if is_old {
        // Data whose acknowledgment was lost is told so at once, keep-alives and strangers now and
        // then (RFC 9293 §3.10.7.4).
        let is_ours =
            !before(segment.sequence, numbers.begin) && before(segment.sequence, numbers.told);
        let may_be_repeat = (has_data || segment.fin) && is_ours;
        return if may_be_repeat { Verdict::Pass(false) } else { Verdict::Answer };
    }
    if before(numbers.edge, segment.sequence) {
        return Verdict::Answer;
    }
    // TCP-R-05: an old ACK does not make its data worthless.
    let counts = !before(acknowledged, numbers.unacknowledged);
    if has_data && segment.sequence == numbers.edge {
        // A full window is asked about; who asks may have opened its own (RFC 9293 §3.10.7.4,
        // TCP-S-03).
        return if segment.sequence == numbers.expected {
            Verdict::Tell(counts)
        } else {
            Verdict::Answer
        };
    }
    Verdict::Pass(counts)
}

/// A reset counts only at exactly the next number; inside the window it earns a challenge ACK,
/// outside nothing (RFC 5961 §3.2).
fn reset(segment: &Segment, numbers: &Numbers) -> Verdict {
    if segment.sequence == numbers.expected {
        Verdict::Reset
    } else if before(numbers.expected, segment.sequence) && before(segment.sequence, numbers.edge) {
        Verdict::Answer
    } else {
        Verdict::Drop
    }
}
