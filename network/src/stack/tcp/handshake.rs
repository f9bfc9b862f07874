//! The handshake of a connection (RFC 9293 §3.10.7.2 to §3.10.7.4): when our SYN leaves, and what
//! the peer's segments mean until it is answered.
//!
//! Pure state. What it wants said, [`super::egress`] says; whether a segment lies in the window was
//! asked before it comes here.

use core::time::Duration;

use crate::command::socket::SocketState as State;

use super::segment::{Segment, SynOptions};
use crate::platform::Instant;

/// Between our SYN and its first repetition (RFC 6298 §2.1).
const INITIAL_RTO: Duration = Duration::from_secs(1);
/// The longest wait for an answer (RFC 6298 §2.5).
const MAX_RTO: Duration = Duration::from_secs(60);

/// What a segment of the handshake is answered with.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Answer {
    Nothing,
    /// Where we are.
    Acknowledgment,
    /// A reset with this number: the segment acknowledges what was never sent.
    Reset(u32),
}

/// A connection that is not open yet.
#[derive(Debug)]
pub(crate) struct Handshake {
    state: State,
    /// Our first number.
    pub(crate) iss: u32,
    /// The number after the peer's SYN.
    rcv_nxt: u32,
    /// What the peer's SYN offered, and its window.
    pub(crate) peer_options: SynOptions,
    pub(crate) window: u16,
    /// SYNs that left, and when the first did.
    pub(crate) syns_sent: u8,
    pub(crate) first_syn_at: Instant,
    /// When the next one leaves, and how long that is waited for then.
    due: Instant,
    rto: Duration,
}

impl Handshake {
    fn new(state: State, iss: u32, due: Instant) -> Self {
        Self {
            state,
            iss,
            rcv_nxt: 0,
            peer_options: SynOptions::default(),
            window: 0,
            syns_sent: 0,
            first_syn_at: Instant::ZERO,
            due,
            rto: INITIAL_RTO,
        }
    }

    /// We ask: our SYN is to leave.
    pub(crate) fn connect(iss: u32, now: Instant) -> Self {
        Self::new(State::SynSent, iss, now)
    }

    /// The peer asks: its SYN comes next.
    pub(crate) fn listen(iss: u32) -> Self {
        Self::new(State::Listen, iss, Instant::NEVER)
    }

    pub(crate) const fn state(&self) -> State {
        self.state
    }

    /// The attempt is over.
    pub(crate) const fn abort(&mut self) {
        (self.state, self.due) = (State::Closed, Instant::NEVER);
    }

    /// The number after the peer's SYN.
    pub(crate) const fn rcv_nxt(&self) -> u32 {
        self.rcv_nxt
    }

    /// Our next number, and the peer's.
    pub(crate) const fn next(&self) -> (u32, u32) {
        (self.iss.wrapping_add(1), self.rcv_nxt)
    }

    /// When our SYN leaves, the first time or again.
    pub(crate) const fn deadline(&self) -> Instant {
        self.due
    }

    /// Our SYN leaves now; each repetition is waited for twice as long.
    pub(crate) fn syn_sent(&mut self, now: Instant) {
        if self.syns_sent == 0 {
            self.first_syn_at = now;
        }
        self.syns_sent = self.syns_sent.saturating_add(1);
        self.due = now.after(self.rto);
        self.rto = (self.rto * 2).min(MAX_RTO);
    }

    /// True for the SYN that tells the peer's numbers; one that answers somebody else tells
    /// nothing.
    pub(crate) fn carries_irs(&self, segment: &Segment) -> bool {
        segment.syn
            && !segment.rst
            && match self.state {
                State::Listen => true,
                State::SynSent => {
                    segment.acknowledgment.is_none_or(|number| number == self.next().0)
                }
                _ => false,
            }
    }

    /// Learns the peer's numbers from the SYN that tells them. One that does not answer ours is
    /// answered at once, also if both asked (RFC 9293 §3.5, figure 7).
    pub(crate) fn learn(&mut self, options: &[u8], segment: &Segment, now: Instant) {
        self.rcv_nxt = segment.sequence.wrapping_add(1);
        self.window = segment.window;
        self.peer_options = super::segment::read_syn_options(options);
        if segment.acknowledgment.is_none() {
            (self.state, self.due) = (State::SynReceived, now);
        }
    }

    /// True for the segment that ends the handshake as it should: the answer to our SYN, with the
    /// peer's or after it.
    pub(crate) fn is_completed_by(&self, segment: &Segment) -> bool {
        let answers = !segment.rst && segment.acknowledgment == Some(self.next().0);
        answers
            && match self.state {
                State::SynSent => segment.syn,
                State::SynReceived => !segment.syn,
                _ => false,
            }
    }

    /// Takes a segment that does not complete the handshake.
    pub(crate) fn handle(&mut self, segment: &Segment) -> Answer {
        let answers = segment.acknowledgment.map(|number| number == self.next().0);
        match (self.state, answers) {
            // Who does not acknowledge our SYN cannot refuse it.
            (State::SynSent, Some(true)) | (State::SynReceived, _) if segment.rst => self.abort(),
            _ if segment.rst => {}
            (State::SynSent | State::SynReceived, Some(false)) => {
                return Answer::Reset(segment.acknowledgment.unwrap_or_default());
            }
            // Both asked, and this is the peer's answer: ours to its SYN says the same.
            (State::SynReceived, Some(true)) => return Answer::Acknowledgment,
            _ => {}
        }
        Answer::Nothing
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn segment(acknowledgment: Option<u32>) -> Segment {
        Segment { sequence: 500, acknowledgment, ..Segment::default() }
    }

    fn syn(acknowledgment: Option<u32>) -> Segment {
        Segment { syn: true, ..segment(acknowledgment) }
    }

    #[test]
    fn syns_are_repeated_later_and_later() {
        let mut handshake = Handshake::connect(100, Instant::ZERO);
        let mut moments = [0; 8];
        for moment in &mut moments {
            *moment = handshake.deadline().as_micros() / 1_000_000;
            handshake.syn_sent(handshake.deadline());
        }
        assert_eq!(moments, [0, 1, 3, 7, 15, 31, 63, 123]);
    }

    #[test]
    fn who_asks_is_answered_refused_or_asked_itself() {
        let mut handshake = Handshake::connect(100, Instant::ZERO);
        handshake.syn_sent(Instant::ZERO);
        assert!(handshake.is_completed_by(&syn(Some(101))));
        assert!(
            !handshake.is_completed_by(&segment(Some(101)))
                && !handshake.carries_irs(&syn(Some(102)))
        );
        // Old duplicates are reset, strangers' resets ignored.
        assert_eq!(handshake.handle(&syn(Some(102))), Answer::Reset(102));
        assert_eq!(handshake.handle(&segment(Some(99))), Answer::Reset(99));
        for stray in [None, Some(102)] {
            assert_eq!(handshake.handle(&Segment { rst: true, ..segment(stray) }), Answer::Nothing);
            assert_eq!(handshake.state(), State::SynSent);
        }
        // Both ask.
        assert!(handshake.carries_irs(&syn(None)));
        handshake.learn(&[], &syn(None), Instant::from_micros(9));
        assert_eq!(
            (handshake.state(), handshake.deadline()),
            (State::SynReceived, Instant::from_micros(9))
        );
        assert_eq!(handshake.handle(&syn(Some(101))), Answer::Acknowledgment);
        assert!(handshake.is_completed_by(&segment(Some(101))));
        handshake.handle(&Segment { rst: true, ..segment(None) });
        assert_eq!((handshake.state(), handshake.deadline()), (State::Closed, Instant::NEVER));
    }

    #[test]
    fn who_is_asked_waits_for_the_answer_to_its_answer() {
        let mut handshake = Handshake::listen(100);
        assert_eq!(handshake.deadline(), Instant::NEVER);
        assert!(handshake.carries_irs(&syn(None)));
        handshake.learn(&[], &syn(None), Instant::ZERO);
        handshake.syn_sent(Instant::ZERO);
        assert_eq!((handshake.state(), handshake.next()), (State::SynReceived, (101, 501)));
        assert_eq!(handshake.handle(&segment(Some(100))), Answer::Reset(100));
        assert_eq!(handshake.handle(&segment(None)), Answer::Nothing);
        assert!(handshake.is_completed_by(&segment(Some(101))));
    }
}
