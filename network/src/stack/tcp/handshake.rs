//! The three-way handshake (RFC 9293 §3.10.7.2 to §3.10.7.4): when our SYN leaves, and how segments
//! are processed in LISTEN, SYN-SENT and SYN-RECEIVED.
//!
//! Pure state. [`super::egress`] builds the segments that it asks for; the caller checks the window
//! first.

use core::time::Duration;

use crate::command::socket::SocketState as State;

use super::segment::{Segment, SynOptions};
use crate::platform::Instant;

/// The initial RTO of a SYN (RFC 6298 §2.1).
const INITIAL_RTO: Duration = Duration::from_secs(1);
/// The largest RTO (RFC 6298 §2.5).
const MAX_RTO: Duration = Duration::from_secs(60);
/// Doublings of the initial RTO that reach the largest.
const MAX_DOUBLINGS: u8 = 6;

/// When the SYN leaves again after the peer answered for an old connection: when our RST has
/// arrived.
const OLD_CONNECTION: Duration = Duration::from_millis(10);

/// The response to a segment of the handshake.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Reply {
    Nothing,
    /// An acknowledgment of the current state.
    Acknowledgment,
    /// A RST with this sequence number: the segment acknowledges what was never sent.
    Reset(u32),
}

/// A connection that is not open yet.
#[derive(Debug)]
pub(crate) struct Handshake {
    state: State,
    /// ISS: our initial sequence number.
    pub(crate) iss: u32,
    /// RCV.NXT: IRS + 1, the number after the peer's SYN.
    rcv_nxt: u32,
    /// The options of the peer's SYN, and its window.
    pub(crate) peer_options: SynOptions,
    pub(crate) peer_window: u16,
    /// SYNs that were sent, and when the first one left.
    pub(crate) syns_sent: u8,
    pub(crate) first_sent_at: Instant,
    /// How often the present SYN or SYN|ACK was repeated.
    repetitions: u8,
    /// A SYN went out before the peer's came: the program connects.
    is_active: bool,
    /// The peer answered for an old connection, and the SYN was repeated at once.
    has_met_old_connection: bool,
    /// How often the RTO was doubled.
    doublings: u8,
    /// When the next SYN is due.
    retransmit_at: Instant,
}

impl Handshake {
    fn new(state: State, iss: u32, retransmit_at: Instant) -> Self {
        Self {
            state,
            iss,
            rcv_nxt: 0,
            peer_options: SynOptions::default(),
            peer_window: 0,
            syns_sent: 0,
            first_sent_at: Instant::ZERO,
            repetitions: 0,
            is_active: matches!(state, State::SynSent),
            has_met_old_connection: false,
            doublings: 0,
            retransmit_at,
        }
    }

    /// An active open: our SYN is due now.
    pub(crate) fn connect(iss: u32, now: Instant) -> Self {
        Self::new(State::SynSent, iss, now)
    }

    /// A passive open: waits for the peer's SYN.
    pub(crate) fn listen(iss: u32) -> Self {
        Self::new(State::Listen, iss, Instant::NEVER)
    }

    /// A passive open that only its SYN|ACK knew of: the peer acknowledges it. Its round trip is
    /// not known.
    pub(super) fn of_cookie(iss: u32, irs: u32, peer: SynOptions, window: u16) -> Self {
        Self {
            rcv_nxt: irs.wrapping_add(1),
            peer_options: peer,
            peer_window: window,
            syns_sent: 2,
            ..Self::new(State::SynReceived, iss, Instant::NEVER)
        }
    }

    pub(crate) const fn state(&self) -> State {
        self.state
    }

    /// Aborts the handshake.
    pub(crate) const fn abort(&mut self) {
        (self.state, self.retransmit_at) = (State::Closed, Instant::NEVER);
    }

    /// RCV.NXT: the number after the peer's SYN.
    pub(crate) const fn rcv_nxt(&self) -> u32 {
        self.rcv_nxt
    }

    /// SND.NXT and RCV.NXT after the handshake.
    pub(crate) const fn next(&self) -> (u32, u32) {
        (self.iss.wrapping_add(1), self.rcv_nxt)
    }

    /// When our SYN is sent or retransmitted next.
    pub(crate) const fn deadline(&self) -> Instant {
        self.retransmit_at
    }

    /// How often our SYN was sent in vain before the one that was answered.
    pub(crate) const fn lost_syns(&self) -> u8 {
        self.repetitions.saturating_sub(1)
    }

    /// The round trip until `now`, unless it is ambiguous which SYN was answered (Karn).
    pub(crate) fn round_trip(&self, now: Instant) -> Option<Duration> {
        (self.syns_sent == 1).then(|| now.since(self.first_sent_at))
    }

    /// The peer repeated its SYN: our SYN|ACK, which leaves again, was lost or late.
    pub(crate) const fn repeated(&mut self) {
        self.syns_sent = self.syns_sent.saturating_add(1);
        self.repetitions = self.repetitions.saturating_add(1);
    }

    /// Our SYN leaves now; each retransmission doubles the RTO.
    pub(crate) fn syn_sent(&mut self, now: Instant) {
        if self.syns_sent == 0 {
            self.first_sent_at = now;
        }
        self.repeated();
        let rto = INITIAL_RTO * (1 << self.doublings);
        self.retransmit_at = now.after(rto.min(MAX_RTO));
        self.doublings = (self.doublings + 1).min(MAX_DOUBLINGS);
    }

    /// True for a SYN that carries the peer's IRS; a SYN that acknowledges something else does not.
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

    /// Takes IRS, options and window from the peer's SYN. A SYN without ACK moves to SYN-RECEIVED
    /// and is answered at once, also in a simultaneous open (RFC 9293 §3.5, figure 7).
    pub(crate) fn process_syn(&mut self, options: &[u8], segment: &Segment, now: Instant) {
        self.rcv_nxt = segment.sequence.wrapping_add(1);
        self.peer_window = segment.window;
        self.peer_options = super::segment::read_syn_options(options);
        if segment.acknowledgment.is_none() {
            (self.state, self.retransmit_at) = (State::SynReceived, now);
            // The SYN|ACK is another segment, with a timeout of its own.
            (self.repetitions, self.doublings) = (0, 0);
        }
    }

    /// True for the segment that completes the handshake: it acknowledges our SYN, with the peer's
    /// SYN or after it. In a simultaneous open the peer's SYN|ACK repeats its SYN (RFC 9293 §3.5,
    /// figure 8).
    pub(crate) fn is_completed_by(&self, segment: &Segment) -> bool {
        let acknowledges_syn = !segment.rst && segment.acknowledgment == Some(self.next().0);
        acknowledges_syn
            && match self.state {
                State::SynSent => segment.syn,
                State::SynReceived => {
                    let repeats_syn = segment.sequence.wrapping_add(1) == self.rcv_nxt;
                    !segment.syn || (self.is_active && repeats_syn && segment.length == 0)
                }
                _ => false,
            }
    }

    /// Processes a segment that does not complete the handshake.
    pub(crate) fn handle(&mut self, segment: &Segment, now: Instant) -> Reply {
        let acknowledges_syn = segment.acknowledgment.map(|number| number == self.next().0);
        match (self.state, acknowledges_syn) {
            // A RST in SYN-SENT is acceptable only if it acknowledges our SYN.
            (State::SynSent, Some(true)) | (State::SynReceived, _) if segment.rst => self.abort(),
            _ if segment.rst => {}
            (State::SynSent | State::SynReceived, Some(false)) => {
                // The peer still has an old connection, and our RST ends it: the SYN need not wait
                // for its timeout. Once, so that nobody can make us flood the peer.
                if self.state == State::SynSent
                    && !core::mem::replace(&mut self.has_met_old_connection, true)
                {
                    self.retransmit_at = self.retransmit_at.min(now.after(OLD_CONNECTION));
                }
                return Reply::Reset(segment.acknowledgment.unwrap_or_default());
            }
            (State::SynReceived, Some(true)) => return Reply::Acknowledgment,
            _ => {}
        }
        Reply::Nothing
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
    fn syn_retransmissions_back_off() {
        let mut handshake = Handshake::connect(100, Instant::ZERO);
        let mut moments = [0; 8];
        for moment in &mut moments {
            *moment = handshake.deadline().as_micros() / 1_000_000;
            handshake.syn_sent(handshake.deadline());
        }
        assert_eq!(moments, [0, 1, 3, 7, 15, 31, 63, 123]);
    }

    #[test]
    fn an_active_open_completes_is_refused_or_becomes_simultaneous() {
        let mut handshake = Handshake::connect(100, Instant::ZERO);
        handshake.syn_sent(Instant::ZERO);
        assert!(handshake.is_completed_by(&syn(Some(101))));
        assert!(
            !handshake.is_completed_by(&segment(Some(101)))
                && !handshake.carries_irs(&syn(Some(102)))
        );
        // Old duplicates are reset; RSTs that do not acknowledge our SYN are ignored.
        assert_eq!(handshake.handle(&syn(Some(102)), Instant::ZERO), Reply::Reset(102));
        assert_eq!(handshake.handle(&segment(Some(99)), Instant::ZERO), Reply::Reset(99));
        for stray in [None, Some(102)] {
            assert_eq!(
                handshake.handle(&Segment { rst: true, ..segment(stray) }, Instant::ZERO),
                Reply::Nothing
            );
            assert_eq!(handshake.state(), State::SynSent);
        }
        // A simultaneous open.
        assert!(handshake.carries_irs(&syn(None)));
        handshake.process_syn(&[], &syn(None), Instant::from_micros(9));
        assert_eq!(
            (handshake.state(), handshake.deadline()),
            (State::SynReceived, Instant::from_micros(9))
        );
        assert_eq!(handshake.handle(&syn(Some(101)), Instant::ZERO), Reply::Acknowledgment);
        assert!(handshake.is_completed_by(&segment(Some(101))));
        handshake.handle(&Segment { rst: true, ..segment(None) }, Instant::ZERO);
        assert_eq!((handshake.state(), handshake.deadline()), (State::Closed, Instant::NEVER));
    }

    #[test]
    fn a_passive_open_waits_for_the_final_ack() {
        let mut handshake = Handshake::listen(100);
        assert_eq!(handshake.deadline(), Instant::NEVER);
        assert!(handshake.carries_irs(&syn(None)));
        handshake.process_syn(&[], &syn(None), Instant::ZERO);
        handshake.syn_sent(Instant::ZERO);
        assert_eq!((handshake.state(), handshake.next()), (State::SynReceived, (101, 501)));
        assert_eq!(handshake.handle(&segment(Some(100)), Instant::ZERO), Reply::Reset(100));
        assert_eq!(handshake.handle(&segment(None), Instant::ZERO), Reply::Nothing);
        assert!(handshake.is_completed_by(&segment(Some(101))));
    }
}
