//! What sockets do with connections: connect, send, receive, shut down, release.
//!
//! Each verb ends with the connection's egress, so that what a program writes leaves at once and
//! the runner need not be woken for it.

use alloc::vec::Vec;
use core::net::{IpAddr, SocketAddr};
use core::task::Waker;
use core::time::Duration;

use smoltcp::socket::tcp::State;
use virtual_file_system::{Error, Readiness};

use super::deadline::ORPHAN;
use super::handshake::Handshake;
use super::{Flow, Phase, Slot, SlotId};
use crate::command::socket::{SocketKind, SocketState, SocketStatus};
use crate::limits;
use crate::socket::TcpSettings;
use crate::stack::Stack;
use crate::stack::datagram::Family;

/// How long a connect is tried (Linux: six SYNs, 127 s).
const CONNECT: Duration = Duration::from_secs(127);
/// How long a handshake that a peer began is waited for (Linux: five SYN|ACKs, 63 s).
pub(crate) const HANDSHAKE: Duration = Duration::from_secs(63);

impl Stack {
    /// Asks for a connection from `local` to `remote`; port 0 is an ephemeral port. Tells the local
    /// address that it got.
    ///
    /// # Errors
    /// `AddressNotAvailable` when the pair of addresses is taken or rests, or all ports are in use.
    pub(crate) fn tcp_connect(
        &mut self,
        local: SocketAddr,
        remote: SocketAddr,
        settings: &TcpSettings,
    ) -> Result<(SlotId, SocketAddr), Error> {
        let (flow, floor) = match local.port() {
            0 => self.tcp_ephemeral_flow(local.ip(), remote)?,
            _ => (Flow::new(local, remote), None),
        };
        // An ephemeral one was chosen because it is free.
        let is_taken = || self.tcp.lookup(&flow).is_some() || self.tcp.time_wait.contains(&flow);
        if local.port() != 0 && is_taken() {
            return Err(Error::AddressNotAvailable);
        }
        let opening = self.tcp_opening(&flow, floor);
        let handshake = Handshake::connect(opening.sequence, self.now);
        let id = self.tcp.insert(flow, Phase::Connecting, handshake, settings, &opening);
        self.tcp_measure(id.index);
        let deadline = self.now.after(CONNECT);
        if let Some(slot) = self.tcp.get_mut(id) {
            slot.give_up_at = deadline;
        }
        self.tcp_serve(id.index);
        Ok((id, flow.local.address()))
    }

    /// A flow to `remote` that nobody uses: ports follow each other from a place that a keyed hash
    /// of the addresses chooses (RFC 6056 §3.3.4). So one that rests is met only after all others,
    /// and has rested longest. It is taken out of its rest: its new connection begins above the
    /// former one's last number, which comes along, so that nothing old fits it (RFC 6191, RFC 9293
    /// §3.6.1).
    ///
    /// # Errors
    /// `AddressNotAvailable` when all are in use.
    fn tcp_ephemeral_flow(
        &mut self,
        local: IpAddr,
        remote: SocketAddr,
    ) -> Result<(Flow, Option<u32>), Error> {
        let range = u32::from(limits::EPHEMERAL_LAST - limits::EPHEMERAL_FIRST) + 1;
        for _ in 0..range {
            let step = self.tcp.next_port(local, remote, range);
            // Every step lies in the range, which fits.
            let port = limits::EPHEMERAL_FIRST + step as u16;
            let flow = Flow::new(SocketAddr::new(local, port), remote);
            if !self.tcp.listeners.contains_key(&port) && self.tcp.lookup(&flow).is_none() {
                let floor = self.tcp.time_wait.remove(&flow);
                return Ok((flow, floor));
            }
        }
        Err(Error::AddressNotAvailable)
    }

    /// A port for a connection to `remote` that nobody uses (RFC 6056 §3.3.1).
    ///
    /// # Errors
    /// `AddressNotAvailable` when all are in use.
    pub(crate) fn tcp_ephemeral_port(
        &mut self,
        local: IpAddr,
        remote: SocketAddr,
    ) -> Result<u16, Error> {
        self.ephemeral_port(|stack, port| {
            let flow = Flow::new(SocketAddr::new(local, port), remote);
            !stack.tcp.listeners.contains_key(&port)
                && stack.tcp.lookup(&flow).is_none()
                && !stack.tcp.time_wait.contains(&flow)
        })
    }

    /// A datagram port, or an echo identifier, that nobody uses.
    ///
    /// # Errors
    /// `AddressInUse` when all are in use.
    pub(crate) fn datagram_port(&mut self, family: Family) -> Result<u16, Error> {
        self.ephemeral_port(|stack, port| stack.datagrams.is_free(family, port))
            .map_err(|_| Error::AddressInUse)
    }

    fn ephemeral_port(&mut self, is_free: impl Fn(&Self, u16) -> bool) -> Result<u16, Error> {
        let range = u32::from(limits::EPHEMERAL_LAST - limits::EPHEMERAL_FIRST) + 1;
        let start = self.random.below(range);
        (0..range)
            // Every candidate lies in the range, which fits.
            .map(|step| limits::EPHEMERAL_FIRST + ((start + step) % range) as u16)
            .find(|port| is_free(self, *port))
            .ok_or(Error::AddressNotAvailable)
    }

    /// Tells whether a connect is over: `Ok(false)` while it is under way.
    ///
    /// # Errors
    /// Why it failed.
    pub(crate) fn tcp_connected(&mut self, id: SlotId, waker: &Waker) -> Result<bool, Error> {
        let slot = self.tcp.get_mut(id).ok_or(Error::ConnectionAborted)?;
        match slot.phase {
            Phase::Connecting if slot.state() == State::Closed || slot.error.is_some() => {
                Err(slot.error.take().unwrap_or(Error::ConnectionAborted))
            }
            Phase::Connecting => {
                self.wakes.extend(slot.writers.register_bounded(waker));
                Ok(false)
            }
            _ => Ok(true),
        }
    }

    /// Takes as many bytes as fit into the send buffer.
    ///
    /// # Errors
    /// `WouldBlock` when none fits (`waker` is woken then); the connection's error, once;
    /// `BrokenPipe` after the end.
    pub(crate) fn tcp_send(
        &mut self,
        id: SlotId,
        data: &[u8],
        waker: Option<&Waker>,
    ) -> Result<usize, Error> {
        let is_short = self.tcp.is_short_of_memory();
        let slot = self.tcp.get_mut(id).ok_or(Error::NotConnected)?;
        if slot.closing || slot.sender.is_ending() {
            return Err(Error::BrokenPipe);
        }
        if !slot.may_send() {
            let usual = if matches!(slot.phase, Phase::Connecting) {
                Error::NotConnected
            } else {
                Error::BrokenPipe
            };
            return Err(slot.error.take().unwrap_or(usual));
        }
        // Short of memory, who has something under way waits for its acknowledgment.
        let taken = if is_short && slot.sender.queued() > 0 { 0 } else { slot.sender.write(data) };
        if taken == 0 && !data.is_empty() {
            if let Some(waker) = waker {
                self.wakes.extend(slot.writers.register_bounded(waker));
            }
            return Err(Error::WouldBlock);
        }
        self.tcp_serve(id.index);
        self.tcp.count(id.index);
        Ok(taken)
    }

    /// Takes received bytes; 0 at the end of the stream. With `peek` they stay. Sends nothing:
    /// [`tcp_serve`](Self::tcp_serve) must follow when the second value says so, because the window
    /// opened.
    ///
    /// # Errors
    /// `WouldBlock` when none waits (`waker` is woken then); the connection's error, once.
    pub(crate) fn tcp_receive(
        &mut self,
        id: SlotId,
        buffer: &mut [u8],
        peek: bool,
        waker: Option<&Waker>,
    ) -> Result<(usize, bool), Error> {
        let now = self.now;
        let slot = self.tcp.get_mut(id).ok_or(Error::NotConnected)?;
        if slot.deaf || buffer.is_empty() {
            return Ok((0, false));
        }
        if slot.receiver.readable() == 0 {
            return match slot.phase {
                _ if slot.may_receive() => {
                    if let Some(waker) = waker {
                        self.wakes.extend(slot.readers.register_bounded(waker));
                    }
                    Err(Error::WouldBlock)
                }
                _ if slot.receiver.is_over() => Ok((0, false)),
                Phase::Connecting => Err(slot.error.take().unwrap_or(Error::NotConnected)),
                _ => slot.error.take().map_or(Ok((0, false)), Err),
            };
        }
        let received = slot.receiver.read(buffer, peek, now, slot.sender.round_trip().smoothed());
        let is_worth_telling =
            !peek && slot.is_open() && slot.receiver.is_worth_telling(slot.own_segment);
        if is_worth_telling {
            slot.receiver.answer();
        }
        self.tcp.count(id.index);
        Ok((received, is_worth_telling))
    }

    /// Ends our direction: what was written is delivered, then the FIN.
    ///
    /// # Errors
    /// `NotConnected`.
    pub(crate) fn tcp_shutdown(
        &mut self,
        id: SlotId,
        read: bool,
        write: bool,
    ) -> Result<(), Error> {
        let slot = self.tcp.get_mut(id).ok_or(Error::NotConnected)?;
        if matches!(slot.phase, Phase::Connecting)
            || matches!(slot.state(), State::Closed | State::TimeWait)
        {
            return Err(Error::NotConnected);
        }
        slot.deaf |= read;
        slot.closing |= write && slot.may_send();
        self.tcp_close_when_ready(id.index);
        self.tcp_wake_all(id.index);
        self.tcp_serve(id.index);
        Ok(())
    }

    /// The owner is gone. What was written is still delivered, then the FIN; data that nobody will
    /// read earns a reset (RFC 1122 §4.2.2.13).
    pub(crate) fn tcp_release(&mut self, id: SlotId) {
        let now = self.now;
        let Some(slot) = self.tcp.get_mut(id) else { return };
        match slot.state() {
            State::Closed | State::Listen | State::SynSent => return self.tcp_forget(id),
            State::TimeWait => return self.tcp_rest(id),
            State::SynReceived => return self.tcp_abort(id),
            _ if slot.receiver.readable() > 0 || slot.linger == Some(0) => {
                return self.tcp_abort(id);
            }
            _ => {}
        }
        slot.phase = Phase::Orphan;
        let linger = slot.linger.map_or(ORPHAN, |linger| Duration::from_millis(linger.into()));
        slot.give_up_at = now.after(linger.min(ORPHAN));
        slot.closing |= slot.may_send();
        if slot.state() == State::FinWait2 {
            slot.give_up_at = now.after(HANDSHAKE);
        }
        self.tcp_close_when_ready(id.index);
        self.tcp_serve(id.index);
    }

    /// True when everything written was acknowledged by the peer.
    ///
    /// # Errors
    /// The connection's error.
    pub(crate) fn tcp_flushed(&mut self, id: SlotId, waker: &Waker) -> Result<bool, Error> {
        let slot = self.tcp.get_mut(id).ok_or(Error::NotConnected)?;
        if let Some(error) = slot.error.take() {
            return Err(error);
        }
        if slot.sender.queued() == 0 && !slot.is_cut_off {
            return Ok(true);
        }
        // Whoever took the connection's error, nobody will acknowledge the rest.
        if slot.state() == State::Closed {
            return Err(Error::BrokenPipe);
        }
        self.wakes.extend(slot.writers.register_bounded(waker));
        Ok(false)
    }

    /// What the connection is ready for.
    pub(crate) fn tcp_readiness(&mut self, id: SlotId, waker: &Waker) -> Readiness {
        let Some(slot) = self.tcp.get_mut(id) else { return Readiness::ERROR | Readiness::HANG_UP };
        self.wakes.extend(slot.readers.register_bounded(waker));
        self.wakes.extend(slot.writers.register_bounded(waker));
        let (may_send, may_receive) = (slot.may_send(), slot.may_receive());
        let connecting = matches!(slot.phase, Phase::Connecting) && slot.error.is_none();
        let mut readiness = Readiness::empty();
        readiness.set(
            Readiness::READABLE,
            !connecting && (slot.receiver.readable() > 0 || !may_receive || slot.deaf),
        );
        readiness.set(Readiness::WRITABLE, !connecting && (slot.sender.room() > 0 || !may_send));
        readiness.set(Readiness::ERROR, slot.error.is_some());
        readiness.set(Readiness::HANG_UP, !connecting && !may_send && !may_receive);
        readiness
    }

    /// Changes settings of a living connection.
    pub(crate) fn tcp_apply(&mut self, id: SlotId, settings: &TcpSettings) {
        let Some(slot) = self.tcp.get_mut(id) else { return };
        slot.adopt(settings);
        self.tcp_serve(id.index);
    }

    /// Every socket of this interface; those of all interfaces are listed elsewhere.
    pub(crate) fn socket_list(&self) -> Vec<SocketStatus> {
        let name = self.configuration.name.as_str();
        let connections = self.tcp.slots.iter().map(|(_, slot)| self.tcp_status(slot));
        let resting = self.tcp.time_wait.flows().map(|flow| SocketStatus {
            kind: SocketKind::Tcp,
            state: SocketState::TimeWait,
            local: flow.local.address(),
            remote: Some(flow.remote.address()),
            interface: name.into(),
            receive_queue: 0,
            send_queue: 0,
        });
        let bindings = self.tcp.listeners.values().flatten().filter(|binding| binding.device);
        let listeners =
            bindings.map(|binding| crate::socket::listener_status(&binding.listener, name));
        let datagrams =
            self.datagrams.of_device().map(|(family, binding)| binding.status(family, name));
        connections.chain(resting).chain(listeners).chain(datagrams).collect()
    }

    /// Connections, bindings and listeners; resting tuples do not count.
    pub(crate) fn socket_count(&self) -> usize {
        self.tcp.slots.len()
            + self.datagrams.len()
            + self.tcp.listeners.values().map(Vec::len).sum::<usize>()
    }

    /// The connection as others see it.
    pub(crate) fn tcp_status(&self, slot: &Slot) -> SocketStatus {
        let bytes = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
        SocketStatus {
            kind: SocketKind::Tcp,
            state: state_of(slot.state()),
            local: slot.flow.local.address(),
            remote: Some(slot.flow.remote.address()),
            interface: self.configuration.name.clone(),
            receive_queue: bytes(slot.receiver.readable()),
            send_queue: bytes(slot.sender.queued()),
        }
    }
}

/// smoltcp's word for a state in ours.
pub(crate) const fn state_of(state: State) -> SocketState {
    match state {
        State::Closed => SocketState::Closed,
        State::Listen => SocketState::Listen,
        State::SynSent => SocketState::SynSent,
        State::SynReceived => SocketState::SynReceived,
        State::Established => SocketState::Established,
        State::FinWait1 => SocketState::FinWait1,
        State::FinWait2 => SocketState::FinWait2,
        State::CloseWait => SocketState::CloseWait,
        State::Closing => SocketState::Closing,
        State::LastAck => SocketState::LastAck,
        State::TimeWait => SocketState::TimeWait,
    }
}
