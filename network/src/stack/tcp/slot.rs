//! One connection: its state machine, its two directions, and whom it belongs to.

use alloc::sync::Arc;
use core::fmt;

use smoltcp::socket::tcp::State;
use virtual_file_system::{Error, WakerList};

use super::deadline::{Contact, Patience};
use super::egress::Shape;
use super::gate::Numbers;
use super::listen::Listener;
use super::machine::Machine;
use super::receive::Receiver;
use super::send::Outlet;
use super::settings::TcpSettings;
use crate::platform::Instant;
use crate::stack::flow::Flow;

/// Names a slot; a reused index has another generation.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct SlotId {
    pub(crate) index: u32,
    pub(crate) generation: u32,
}

/// How a connection begins.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Opening {
    /// Bytes of data in a segment that our end takes.
    pub(crate) own_segment: u16,
    /// Our first sequence number.
    pub(crate) sequence: u32,
    pub(crate) now: Instant,
}

/// Who a connection belongs to.
#[derive(Clone, Debug)]
pub(crate) enum Phase {
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
pub(super) struct Marks {
    pub(super) is_wanted: bool,
    pub(super) is_offered: bool,
}

/// One connection.
pub(crate) struct Slot {
    pub(super) generation: u32,
    pub(super) machine: Machine,
    pub(super) sender: Outlet,
    pub(super) receiver: Receiver,
    pub(crate) flow: Flow,
    pub(crate) phase: Phase,
    /// What its packets look like.
    pub(super) shape: Shape,
    pub(super) marks: Marks,
    /// Bytes of data in a segment that we take, as our SYN says.
    pub(super) own_segment: u16,
    pub(super) patience: Patience,
    pub(super) contact: Contact,
    /// Milliseconds that dropping the stream gives unsent data (SO_LINGER).
    pub(super) linger: Option<u32>,
    /// The deadline that stands in the heap for this slot; [`Instant::NEVER`] when none does.
    pub(super) armed: Instant,
    /// When the connection ends whatever the peer does; [`Instant::NEVER`] for not.
    pub(crate) give_up_at: Instant,
    pub(super) dirty: bool,
    /// The program ended its direction before the handshake was over.
    pub(super) closing: bool,
    /// Reading was shut down.
    pub(super) deaf: bool,
    pub(super) error: Option<Error>,
    /// What ICMP said about the path; reported if the connection ends because of it.
    pub(super) soft_error: Option<Error>,
    /// Challenge ACKs since a moment.
    pub(super) challenges: u8,
    pub(super) challenged: Instant,
    /// Keep-alive probes since the peer was heard.
    pub(super) probes: u8,
    /// When progress was last taken as a sign that the next hop is reachable.
    pub(super) confirmed: Instant,
    /// What was asked of the sizes of its buffers.
    pub(super) buffers: (Option<usize>, Option<usize>),
    /// Data was given up when the connection ended.
    pub(super) is_cut_off: bool,
    /// Bytes of both directions that are counted in the system's memory.
    pub(super) counted: usize,
    pub(super) readers: WakerList,
    pub(super) writers: WakerList,
}

impl Slot {
    pub(crate) fn state(&self) -> State {
        self.machine.state()
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
        self.receiver.readable() > 0 || (may_come && !self.receiver.is_over())
    }

    pub(super) fn numbers(&self) -> Numbers {
        Numbers {
            unacknowledged: self.sender.unacknowledged(),
            next: self.sender.next(),
            largest_window: self.sender.largest_window(),
            begin: self.receiver.begin_number(),
            expected: self.receiver.next(),
            told: self.receiver.acknowledged(),
            edge: self.receiver.edge(),
        }
    }

    /// Takes over every setting that a living connection can change.
    pub(crate) fn adopt(&mut self, settings: &TcpSettings) {
        self.sender.set_no_delay(settings.no_delay);
        self.shape = self.shape.with(settings.hop_limit, settings.traffic_class);
        self.patience = settings.patience();
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

impl fmt::Debug for Slot {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Slot")
            .field("flow", &self.flow)
            .field("state", &self.state())
            .finish_non_exhaustive()
    }
}
