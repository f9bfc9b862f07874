//! The states of a connection: the handshake says which while it lasts, a table from then on (RFC
//! 9293 §3.3.2).
//!
//! Which events there are, and when, is decided by those who know the numbers:
//! [`send`](super::send) and [`receive`](super::receive). So what is left of the machine once the
//! connection is open is a byte.

use crate::command::socket::SocketState as State;

use super::handshake::Handshake;

/// What happens to an open connection.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Event {
    /// The program ended our direction.
    Close,
    /// The peer acknowledged our end.
    FinAcknowledged,
    /// All that the peer sent came, and its end.
    FinReceived,
    /// The peer reset the connection.
    Reset,
}

/// Where a connection is.
#[derive(Debug)]
pub(crate) enum StateMachine {
    /// In its handshake, or ended with it.
    Opening(Handshake),
    /// Open, or ended after that.
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

    /// The handshake, to be gone on with.
    pub(crate) fn handshake_mut(&mut self) -> Option<&mut Handshake> {
        match self {
            Self::Opening(handshake) => Some(handshake),
            Self::Opened(_) => None,
        }
    }

    /// The handshake ended well: gives it out.
    pub(crate) fn open(&mut self) -> Option<Handshake> {
        match core::mem::replace(self, Self::Opened(State::Established)) {
            Self::Opening(handshake) => Some(handshake),
            Self::Opened(_) => None,
        }
    }

    /// The connection is no more, whatever the peer thinks.
    pub(crate) fn abort(&mut self) {
        match self {
            Self::Opening(handshake) => handshake.abort(),
            Self::Opened(state) => *state = State::Closed,
        }
    }

    /// Takes an event of the open connection.
    pub(crate) fn handle(&mut self, event: Event) {
        if let Self::Opened(state) = self {
            *state = after(*state, event);
        }
    }
}

/// The state that follows; an event that means nothing in a state changes nothing.
const fn after(state: State, event: Event) -> State {
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

    /// The ways through the diagram of RFC 9293 §3.3.2, from ESTABLISHED on.
    #[test]
    fn every_order_of_the_two_ends_leads_out_of_the_connection() {
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
                // What was told is told again, as by a peer that repeats its segments: nothing
                // follows.
                machine.handle(*event);
                assert_eq!(machine.state(), *state, "{events:?}");
            }
        }
    }

    #[test]
    fn a_reset_ends_every_state() {
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
