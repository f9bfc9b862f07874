//! The connection state machine (RFC 9293 §3.3.2): [`Handshake`] up to ESTABLISHED, a transition
//! table from then on.
//!
//! [`send`](super::send) and [`receive`](super::receive) generate the events from sequence numbers,
//! so the state of an open connection is a single byte.

use crate::command::socket::SocketState as State;

use super::handshake::Handshake;

/// An event of an open connection.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Event {
    /// The program closed its direction.
    Close,
    /// The peer acknowledged our FIN.
    FinAcknowledged,
    /// The peer's FIN is in order.
    FinReceived,
    /// The peer reset the connection.
    Reset,
}

/// The state of a connection.
#[derive(Debug)]
pub(crate) enum StateMachine {
    /// In the handshake, or closed during it.
    Opening(Handshake),
    /// Past the handshake, or closed after it.
    Opened(State),
}

impl StateMachine {
    pub(crate) fn state(&self) -> State {
        match self {
            Self::Opening(handshake) => handshake.state(),
            Self::Opened(state) => *state,
        }
    }

    /// The handshake, until the connection is open.
    pub(crate) fn handshake(&self) -> Option<&Handshake> {
        match self {
            Self::Opening(handshake) => Some(handshake),
            Self::Opened(_) => None,
        }
    }

    /// The handshake, mutably.
    pub(crate) fn handshake_mut(&mut self) -> Option<&mut Handshake> {
        match self {
            Self::Opening(handshake) => Some(handshake),
            Self::Opened(_) => None,
        }
    }

    /// Completes the handshake: moves to ESTABLISHED and returns it.
    pub(crate) fn open(&mut self) -> Option<Handshake> {
        match core::mem::replace(self, Self::Opened(State::Established)) {
            Self::Opening(handshake) => Some(handshake),
            Self::Opened(_) => None,
        }
    }

    /// Moves to CLOSED without the peer.
    pub(crate) fn abort(&mut self) {
        match self {
            Self::Opening(handshake) => handshake.abort(),
            Self::Opened(state) => *state = State::Closed,
        }
    }

    /// Applies an event to an open connection.
    pub(crate) fn handle(&mut self, event: Event) {
        if let Self::Opened(state) = self {
            *state = next_state(*state, event);
        }
    }
}

/// The next state; events without a transition leave the state unchanged.
const fn next_state(state: State, event: Event) -> State {
    match (state, event) {
        (_, Event::Reset) => State::Closed,
        (State::Established, Event::Close) => State::FinWait1,
        (State::Established, Event::FinReceived) => State::CloseWait,
        (State::CloseWait, Event::Close) => State::LastAck,
        (State::FinWait1, Event::FinAcknowledged) => State::FinWait2,
        (State::FinWait1, Event::FinReceived) => State::Closing,
        (State::FinWait2, Event::FinReceived) | (State::Closing, Event::FinAcknowledged) => {
            State::TimeWait
        }
        (State::LastAck, Event::FinAcknowledged) => State::Closed,
        _ => state,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The paths through the state diagram of RFC 9293 §3.3.2, from ESTABLISHED on.
    #[test]
    fn every_order_of_closes_ends_the_connection() {
        use Event::{Close, FinAcknowledged, FinReceived};
        let ways = [
            (
                &[Close, FinAcknowledged, FinReceived][..],
                &[State::FinWait1, State::FinWait2, State::TimeWait][..],
            ),
            (
                &[Close, FinReceived, FinAcknowledged],
                &[State::FinWait1, State::Closing, State::TimeWait],
            ),
            (
                &[FinReceived, Close, FinAcknowledged],
                &[State::CloseWait, State::LastAck, State::Closed],
            ),
        ];
        for (events, states) in ways {
            let mut machine = StateMachine::Opened(State::Established);
            for (event, state) in events.iter().zip(states) {
                machine.handle(*event);
                assert_eq!(machine.state(), *state, "{events:?}");
                // A repeated event, as from a retransmitted segment, changes nothing.
                machine.handle(*event);
                assert_eq!(machine.state(), *state, "{events:?}");
            }
        }
    }

    #[test]
    fn a_reset_closes_every_state() {
        for state in [
            State::Established,
            State::FinWait1,
            State::FinWait2,
            State::CloseWait,
            State::Closing,
            State::LastAck,
            State::TimeWait,
        ] {
            let mut machine = StateMachine::Opened(state);
            machine.handle(Event::Reset);
            assert_eq!(machine.state(), State::Closed);
        }
    }
}
