//! One connection: its state machine, its two directions, its owner. RFC 9293 calls it the
//! transmission control block (TCB).

use alloc::sync::Arc;
use core::fmt;

use crate::command::socket::SocketState as State;
use devnet_virtual_file_system::{Error, WakerList};

use super::acceptability::SequenceState;
use super::assemble::HeaderTemplate;
use super::deadline::{PeerActivity, Timeouts};
use super::listen::Listener;
use super::machine::StateMachine;
use super::receive::Receiver;
use super::send::LazySender;
use super::settings::{BufferSizes, TcpSettings};
use super::timestamps::Timestamps;
use crate::platform::Instant;
use crate::stack::flow::Flow;
use crate::stack::ip::Ip;

/// Names a connection; the generation distinguishes connections that reuse an index.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct ConnectionId {
    pub(crate) index: u32,
    pub(crate) generation: u32,
}

/// The parameters of a new connection.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Opening {
    /// The MSS that we advertise.
    pub(crate) own_mss: u16,
    /// The hop limit where the settings have none.
    pub(crate) hop_limit: u8,
    /// ISS: our initial sequence number.
    pub(crate) iss: u32,
    /// Snd.TS.Offset: the offset of our timestamps.
    pub(crate) timestamp_offset: u32,
    pub(crate) now: Instant,
}

/// Who owns a connection.
#[derive(Clone, Debug)]
pub(crate) enum Owner {
    /// A program that waits for the handshake.
    Connecting,
    /// A listener that waits for the handshake (half-open).
    HalfOpen(Arc<Listener>),
    /// A program, or the accept queue of a listener.
    Owned,
    /// Nobody (an orphan): pending data is delivered, then the connection ends.
    Orphan,
}

/// ECN (RFC 3168): whether our settings request it, and whether the handshake negotiated it.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct EcnState {
    pub(super) is_requested: bool,
    pub(super) is_negotiated: bool,
}

/// One connection (TCB).
pub(crate) struct Connection {
    pub(super) generation: u32,
    pub(super) state_machine: StateMachine,
    pub(super) sender: LazySender,
    pub(super) receiver: Receiver,
    pub(crate) flow: Flow,
    pub(crate) owner: Owner,
    /// The constant header fields of its packets.
    pub(super) template: HeaderTemplate,
    pub(super) ecn: EcnState,
    pub(super) timestamps: Timestamps,
    /// The MSS that our SYN advertises: bytes of data in a segment that we accept.
    pub(super) own_mss: u16,
    /// Bytes of data in a segment that the path carries.
    pub(super) path_mss: u16,
    /// TCP_MAXSEG.
    pub(super) maximum_segment: u16,
    pub(super) detects_black_holes: bool,
    pub(super) timeouts: Timeouts,
    pub(super) activity: PeerActivity,
    /// SO_LINGER: milliseconds for pending data when the program drops the stream.
    pub(super) linger: Option<u32>,
    /// The deadline of this connection's entry in the timer heap; [`Instant::NEVER`] without an
    /// entry.
    pub(super) timer_deadline: Instant,
    /// When the connection ends regardless of the peer (handshake, user timeout, orphan timeout);
    /// [`Instant::NEVER`] for never.
    pub(crate) give_up_at: Instant,
    /// Its flow is in the table.
    pub(super) is_linked: bool,
    pub(super) is_ready: bool,
    /// The program closed its direction before the handshake completed.
    pub(super) close_pending: bool,
    /// The receive side is shut down.
    pub(super) receive_shut_down: bool,
    pub(super) error: Option<Error>,
    /// A soft error: what ICMP reported about the path. Returned if the connection later times out.
    pub(super) soft_error: Option<Error>,
    /// Challenge ACKs sent in the current interval, and the tick of its start.
    pub(super) challenge_acks: u8,
    pub(super) challenge_acks_since: u32,
    /// Keep-alive probes without an answer.
    pub(super) keep_alive_probes: u8,
    /// When progress last confirmed that the next hop is reachable.
    pub(super) path_confirmed_at: Instant,
    pub(super) buffer_sizes: BufferSizes,
    /// Unacknowledged data was discarded when the connection ended.
    pub(super) has_discarded_data: bool,
    /// Bytes of both directions that the memory account of [`Tcp`](super::Tcp) includes.
    pub(super) memory_counted: usize,
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
        matches!(self.state(), State::Established | State::CloseWait) && !self.sender.is_closing()
    }

    /// True while data is readable or may still arrive.
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

    /// Applies every setting that can change on a live connection.
    pub(crate) fn adopt(&mut self, settings: &TcpSettings, ip: &Ip) {
        self.sender.set_gathering(settings.gathering());
        self.sender.set_congestion_control(settings.congestion);
        self.template = self.template.with(settings, ip.hop_limit(self.flow.remote.ip()));
        self.maximum_segment = settings.segment_bound();
        self.detects_black_holes = settings.black_hole_detection;
        let sizes = settings.buffer_sizes();
        if self.buffer_sizes != sizes {
            self.buffer_sizes = sizes;
            if settings.receive_buffer.is_some() {
                self.receiver.set_buffer_size(settings.receive_sizes().0);
            }
            if settings.send_buffer.is_some() {
                self.sender.set_buffer_size(settings.send_sizes().0);
            }
        }
        self.timeouts = settings.timeouts();
        self.linger = settings.linger;
    }

    /// The settings in use, with the defaults of what concerns binding.
    pub(crate) fn settings(&self) -> TcpSettings {
        let gathering = self.sender.gathering();
        let settings = TcpSettings::default()
            .congestion(self.sender.congestion_control())
            .explicit_congestion(self.ecn.is_requested)
            .timestamps(self.timestamps.is_offered())
            .no_delay(gathering.no_delay)
            .cork(gathering.is_corked)
            .not_sent_low_water(gathering.not_sent_low_water)
            .maximum_segment(if self.maximum_segment == u16::MAX {
                0
            } else {
                self.maximum_segment
            })
            .path_mtu_discovery(self.template.discovery)
            .black_hole_detection(self.detects_black_holes)
            .hop_limit(Some(self.template.hop_limit))
            .traffic_class(self.template.traffic_class)
            .keep_alive(self.timeouts.keep_alive_idle)
            .keep_alive_interval(self.timeouts.keep_alive_interval)
            .keep_alive_count(self.timeouts.keep_alive_count)
            .user_timeout(self.timeouts.user_timeout)
            .linger(self.linger);
        settings.with_buffer_sizes(self.buffer_sizes)
    }

    /// Stores an error for the owner.
    pub(crate) fn fail(&mut self, error: Error) {
        self.error = Some(error);
    }

    /// Takes the pending error (SO_ERROR).
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
