//! One connection: its state state_machine, its two directions, and whom it belongs to.

use alloc::sync::Arc;
use core::fmt;

use crate::command::socket::SocketState as State;
use virtual_file_system::{Error, WakerList};

use super::acceptability::SequenceState;
use super::deadline::{PeerActivity, Timeouts};
use super::egress::HeaderTemplate;
use super::listen::Listener;
use super::machine::StateMachine;
use super::receive::Receiver;
use super::send::LazySender;
use super::settings::TcpSettings;
use crate::platform::Instant;
use crate::stack::flow::Flow;

/// Names a connection; a reused index has another generation.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct ConnectionId {
    pub(crate) index: u32,
    pub(crate) generation: u32,
}

/// How a connection begins.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Opening {
    /// Bytes of data in a segment that our end takes.
    pub(crate) own_mss: u16,
    /// Our first sequence number.
    pub(crate) iss: u32,
    pub(crate) now: Instant,
}

/// Who a connection belongs to.
#[derive(Clone, Debug)]
pub(crate) enum Owner {
    /// A program waits for the handshake.
    Connecting,
    /// A listener waits for the handshake.
    HalfOpen(Arc<Listener>),
    /// A program has it, or a listener's queue.
    Owned,
    /// Nobody has it: what was written is delivered, then it ends.
    Orphan,
}

/// Explicit congestion notification (RFC 3168): what each end said of it in the handshake.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct EcnState {
    pub(super) is_requested: bool,
    pub(super) is_negotiated: bool,
}

/// One connection.
pub(crate) struct Connection {
    pub(super) generation: u32,
    pub(super) state_machine: StateMachine,
    pub(super) sender: LazySender,
    pub(super) receiver: Receiver,
    pub(crate) flow: Flow,
    pub(crate) owner: Owner,
    /// What its packets look like.
    pub(super) template: HeaderTemplate,
    pub(super) ecn: EcnState,
    /// Bytes of data in a segment that we take, as our SYN says.
    pub(super) own_mss: u16,
    pub(super) timeouts: Timeouts,
    pub(super) activity: PeerActivity,
    /// Milliseconds that dropping the stream gives unsent data (SO_LINGER).
    pub(super) linger: Option<u32>,
    /// The deadline that stands in the heap for this connection; [`Instant::NEVER`] when none does.
    pub(super) armed: Instant,
    /// When the connection ends whatever the peer does; [`Instant::NEVER`] for not.
    pub(crate) give_up_at: Instant,
    pub(super) dirty: bool,
    /// The program ended its direction before the handshake was over.
    pub(super) close_pending: bool,
    /// Reading was shut down.
    pub(super) receive_shut_down: bool,
    pub(super) error: Option<Error>,
    /// What ICMP said about the path; reported if the connection ends because of it.
    pub(super) soft_error: Option<Error>,
    /// Challenge ACKs since a moment.
    pub(super) challenge_acks: u8,
    pub(super) challenge_acks_since: Instant,
    /// Keep-alive probes since the peer was heard.
    pub(super) probes: u8,
    /// When progress was last taken as a sign that the next hop is reachable.
    pub(super) path_confirmed_at: Instant,
    /// What was asked of the sizes of its buffers.
    pub(super) buffers: (Option<usize>, Option<usize>),
    /// Data was given up when the connection ended.
    pub(super) was_discarded: bool,
    /// Bytes of both directions that are counted_bytes in the system's memory.
    pub(super) counted_bytes: usize,
    pub(super) readers: WakerList,
    pub(super) writers: WakerList,
}

impl Connection {
    pub(crate) fn state(&self) -> State {
        self.state_machine.state()
    }

    /// True from the end of the handshake to the end of the connection.
    pub(super) fn is_open(&self) -> bool {
        !matches!(self.state(), State::Closed | State::Listen | State::SynSent | State::SynReceived)
    }

    /// True while the program may write.
    pub(super) fn may_send(&self) -> bool {
        matches!(self.state(), State::Established | State::CloseWait) && !self.sender.is_ending()
    }

    /// True while there is something to read, or may come.
    pub(super) fn may_receive(&self) -> bool {
        let may_come =
            matches!(self.state(), State::Established | State::FinWait1 | State::FinWait2);
        self.receiver.readable() > 0 || (may_come && !self.receiver.has_fin())
    }

    pub(super) fn sequence_state(&self) -> SequenceState {
        SequenceState {
            snd_una: self.sender.snd_una(),
            snd_nxt: self.sender.snd_nxt(),
            max_snd_wnd: self.sender.max_snd_wnd(),
            irs: self.receiver.irs(),
            rcv_nxt: self.receiver.rcv_nxt(),
            last_ack_sent: self.receiver.last_ack_sent(),
            rcv_wnd_end: self.receiver.rcv_wnd_end(),
        }
    }

    /// Takes over every setting that a living connection can change.
    pub(crate) fn adopt(&mut self, settings: &TcpSettings) {
        self.sender.set_no_delay(settings.no_delay);
        self.template = self.template.with(settings.hop_limit, settings.traffic_class);
        self.timeouts = settings.timeouts();
        self.linger = settings.linger;
    }

    /// Leaves an error for the owner.
    pub(crate) fn fail(&mut self, error: Error) {
        self.error = Some(error);
    }

    /// Takes the error that waits for the owner's next call (SO_ERROR).
    pub(crate) fn take_error(&mut self) -> Option<Error> {
        self.error.take()
    }
}

impl fmt::Debug for Connection {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Connection")
            .field("flow", &self.flow)
            .field("state", &self.state())
            .finish_non_exhaustive()
    }
}
