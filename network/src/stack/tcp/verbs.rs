//! The operations of sockets: connect, send, receive, shut down, release.
//!
//! Each of them ends with the connection's output, so that written data leaves at once without
//! waking the runner.

use core::net::{IpAddr, SocketAddr};
use core::task::Waker;
use core::time::Duration;

use crate::command::event::Change;
use crate::command::socket::SocketState as State;
use crate::limits;
use crate::seat::Seat;
use devnet_virtual_file_system::{Error, Readiness};

use super::deadline::ORPHAN;
use super::handshake::Handshake;
use super::memory::Scarcity;
use super::settings::TcpSettings;
use super::{ConnectionId, Flow, Owner, Tcp};
use crate::stack::context::Context;
use crate::stack::counters::Counter;
use crate::stack::ip::Ip;
use crate::stack::ports;

/// How long a connect is tried (Linux: six SYNs, 127 s).
const CONNECT: Duration = Duration::from_secs(127);
/// How long a half-open connection lives (Linux: five SYN|ACKs, 63 s).
pub(crate) const HANDSHAKE: Duration = Duration::from_secs(63);
/// How long an orphan waits for the peer's FIN (Linux' tcp_fin_timeout), and how long TIME-WAIT of
/// a connection with an owner lasts.
pub(super) const FIN_WAIT: Duration = Duration::from_secs(60);

impl Tcp {
    /// Opens a connection from `local` to `remote`; port 0 asks for an ephemeral port. Returns the
    /// local address.
    ///
    /// # Errors
    /// `AddressNotAvailable` when the flow is in use or in TIME-WAIT, or no port is free;
    /// `NoBufferSpace` when memory is exhausted.
    pub(crate) fn connect(
        &mut self,
        cx: &mut Context,
        ip: &mut Ip,
        local: SocketAddr,
        remote: SocketAddr,
        settings: &TcpSettings,
    ) -> Result<(ConnectionId, SocketAddr), Error> {
        let (flow, iss_floor) = match local.port() {
            0 => self.ephemeral_flow(local.ip(), remote)?,
            _ => (Flow::new(local, remote), None),
        };
        self.admit(cx, ip)?;
        // An ephemeral port is free by construction.
        let is_taken = || self.lookup(&flow).is_some() || self.time_wait.contains(&flow);
        if local.port() != 0 && is_taken() {
            return Err(Error::AddressNotAvailable);
        }
        let opening = self.opening(cx, ip, &flow, iss_floor);
        cx.counters.count(flow.remote.ip().is_ipv6(), Counter::TcpActiveOpens);
        let handshake = Handshake::connect(opening.iss, cx.now);
        let id = self.insert(flow, Owner::Connecting, handshake, settings, &opening);
        self.report_socket(cx, id.index, Change::Added);
        self.update_mss(cx, ip, id.index);
        let deadline = cx.now.after(CONNECT);
        if let Some(connection) = self.get_mut(id) {
            connection.give_up_at = deadline;
        }
        self.serve(cx, ip, id.index);
        Ok((id, flow.local.address()))
    }

    /// A free flow to `remote` with an ephemeral port. Ports count up from an offset that a keyed
    /// hash of the addresses chooses (RFC 6056 §3.3.4), so a flow in TIME-WAIT is reached last, and
    /// the oldest first. It leaves TIME-WAIT: the new connection's ISS is above the returned
    /// SND.NXT of the old one, so that no old segment is acceptable (RFC 6191, RFC 9293 §3.6.1).
    ///
    /// # Errors
    /// `AddressNotAvailable` when all are in use.
    fn ephemeral_flow(
        &mut self,
        local: IpAddr,
        remote: SocketAddr,
    ) -> Result<(Flow, Option<u32>), Error> {
        for _ in 0..ports::COUNT {
            let port = ports::at(self.next_port(local, remote));
            let flow = Flow::new(SocketAddr::new(local, port), remote);
            if !self.has_listener(port) && self.lookup(&flow).is_none() {
                let iss_floor = self.time_wait.remove(&flow);
                return Ok((flow, iss_floor));
            }
        }
        Err(Error::AddressNotAvailable)
    }

    /// A free ephemeral port for a connection to `remote` (RFC 6056 §3.3.1).
    ///
    /// # Errors
    /// `AddressNotAvailable` when all are in use.
    pub(crate) fn ephemeral_port(
        &mut self,
        cx: &mut Context,
        local: IpAddr,
        remote: SocketAddr,
    ) -> Result<u16, Error> {
        let is_free = |port| {
            let flow = Flow::new(SocketAddr::new(local, port), remote);
            !self.has_listener(port)
                && self.lookup(&flow).is_none()
                && !self.time_wait.contains(&flow)
        };
        ports::ephemeral(&mut cx.random, is_free).ok_or(Error::AddressNotAvailable)
    }

    /// Polls a connect: `Ok(false)` while the handshake is in progress.
    ///
    /// # Errors
    /// Why it failed.
    pub(crate) fn poll_connected(
        &mut self,
        cx: &mut Context,
        id: ConnectionId,
        waker: &Waker,
    ) -> Result<bool, Error> {
        let connection = self.get_mut(id).ok_or(Error::ConnectionAborted)?;
        match connection.owner {
            Owner::Connecting
                if connection.state() == State::Closed || connection.error.is_some() =>
            {
                Err(connection.error.take().unwrap_or(Error::ConnectionAborted))
            }
            Owner::Connecting => {
                cx.wakes.extend(connection.writers.register_bounded(waker));
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
    pub(crate) fn send(
        &mut self,
        cx: &mut Context,
        ip: &mut Ip,
        id: ConnectionId,
        data: &[u8],
        waker: Option<&Waker>,
    ) -> Result<usize, Error> {
        let is_exhausted = self.relieve(cx, ip) == Scarcity::Exhausted;
        let connection = self.get_mut(id).ok_or(Error::NotConnected)?;
        if connection.close_pending || connection.sender.is_closing() {
            return Err(Error::BrokenPipe);
        }
        if !connection.may_send() {
            let default_error = if matches!(connection.owner, Owner::Connecting) {
                Error::NotConnected
            } else {
                Error::BrokenPipe
            };
            return Err(connection.error.take().unwrap_or(default_error));
        }
        // Without memory there is room for a little data of each connection, so that all go on.
        let room = if is_exhausted {
            limits::TCP_BUFFER_KEPT.saturating_sub(connection.sender.queued())
        } else {
            usize::MAX
        };
        let written = connection.sender.write(data.get(..room).unwrap_or(data));
        if written == 0 && !data.is_empty() {
            if let Some(waker) = waker {
                cx.wakes.extend(connection.writers.register_bounded(waker));
            }
            return Err(Error::WouldBlock);
        }
        self.serve(cx, ip, id.index);
        self.count_memory(id.index);
        Ok(written)
    }

    /// Reads received bytes; 0 at the end of the stream. With `peek` they stay. Sends nothing: when
    /// the second value is true, a window update is due and [`serve`](Self::serve) must follow.
    ///
    /// # Errors
    /// `WouldBlock` when there is no data (`waker` is woken then); the connection's error, once.
    pub(crate) fn read(
        &mut self,
        cx: &mut Context,
        id: ConnectionId,
        buffer: &mut [u8],
        peek: bool,
        waker: Option<&Waker>,
    ) -> Result<(usize, bool), Error> {
        let (now, may_grow) = (cx.now, self.memory.scarcity() == Scarcity::Plenty);
        let connection = self.get_mut(id).ok_or(Error::NotConnected)?;
        if connection.receive_shut_down || buffer.is_empty() {
            return Ok((0, false));
        }
        if connection.receiver.readable() == 0 {
            return match connection.owner {
                _ if connection.may_receive() => {
                    if let Some(waker) = waker {
                        cx.wakes.extend(connection.readers.register_bounded(waker));
                    }
                    Err(Error::WouldBlock)
                }
                _ if connection.receiver.has_fin() => Ok((0, false)),
                Owner::Connecting => Err(connection.error.take().unwrap_or(Error::NotConnected)),
                _ => connection.error.take().map_or(Ok((0, false)), Err),
            };
        }
        let round_trip = connection.sender.rtt().srtt();
        let received = connection.receiver.read(buffer, peek);
        if !peek && may_grow {
            connection.receiver.autotune(now, round_trip);
        }
        let is_update_due = !peek
            && connection.is_open()
            && connection.receiver.is_window_update_due(connection.own_mss);
        if is_update_due {
            connection.receiver.ack_now();
        }
        self.count_memory(id.index);
        Ok((received, is_update_due))
    }

    /// Shuts down one or both directions: written data is delivered, then a FIN.
    ///
    /// # Errors
    /// `NotConnected`.
    pub(crate) fn shut_down(
        &mut self,
        cx: &mut Context,
        ip: &mut Ip,
        id: ConnectionId,
        read: bool,
        write: bool,
    ) -> Result<(), Error> {
        let connection = self.get_mut(id).ok_or(Error::NotConnected)?;
        if matches!(connection.owner, Owner::Connecting)
            || matches!(connection.state(), State::Closed | State::TimeWait)
        {
            return Err(Error::NotConnected);
        }
        connection.receive_shut_down |= read;
        connection.close_pending |= write && connection.may_send();
        self.close_if_pending(cx, id.index);
        self.wake_all(cx, id.index);
        self.serve(cx, ip, id.index);
        Ok(())
    }

    /// Keeps `seat` until the connection is gone, which may be long after its owner.
    pub(crate) fn hold(&mut self, id: ConnectionId, seat: Seat) {
        if self.get(id).is_some() {
            self.seats.insert(id.index, seat);
        }
    }

    /// What the connection holds.
    pub(crate) fn seat(&self, id: ConnectionId) -> Option<Seat> {
        self.get(id).and_then(|_| self.seats.get(&id.index).cloned())
    }

    /// The owner dropped the connection, which becomes an orphan: written data is delivered, then a
    /// FIN. Unread data resets the connection (RFC 1122 §4.2.2.13).
    pub(crate) fn release(&mut self, cx: &mut Context, ip: &mut Ip, id: ConnectionId) {
        let now = cx.now;
        let Some(connection) = self.get_mut(id) else { return };
        match connection.state() {
            State::Closed | State::Listen | State::SynSent => return self.remove_and_wake(cx, id),
            // The flow rests in the table of TIME-WAIT already.
            State::TimeWait => return self.remove_and_wake(cx, id),
            State::SynReceived => return self.abort(cx, ip, id),
            _ if connection.receiver.readable() > 0 || connection.linger == Some(0) => {
                return self.abort(cx, ip, id);
            }
            _ => {}
        }
        connection.owner = Owner::Orphan;
        let linger =
            connection.linger.map_or(ORPHAN, |linger| Duration::from_millis(linger.into()));
        connection.give_up_at = now.after(linger.min(ORPHAN));
        connection.close_pending |= connection.may_send();
        if connection.state() == State::FinWait2 {
            connection.give_up_at = now.after(FIN_WAIT);
        }
        self.add_orphan(cx, ip, id);
        self.close_if_pending(cx, id.index);
        self.serve(cx, ip, id.index);
    }

    /// True when the peer acknowledged all written data.
    ///
    /// # Errors
    /// The connection's error.
    pub(crate) fn poll_flushed(
        &mut self,
        cx: &mut Context,
        id: ConnectionId,
        waker: &Waker,
    ) -> Result<bool, Error> {
        let connection = self.get_mut(id).ok_or(Error::NotConnected)?;
        if let Some(error) = connection.error.take() {
            return Err(error);
        }
        if connection.sender.queued() == 0 && !connection.has_discarded_data {
            return Ok(true);
        }
        // The error was taken by an earlier call; the rest of the data will never be acknowledged.
        if connection.state() == State::Closed {
            return Err(Error::BrokenPipe);
        }
        cx.wakes.extend(connection.writers.register_bounded(waker));
        Ok(false)
    }

    /// The readiness of the connection.
    pub(crate) fn readiness(
        &mut self,
        cx: &mut Context,
        id: ConnectionId,
        waker: &Waker,
    ) -> Readiness {
        let Some(connection) = self.get_mut(id) else {
            return Readiness::ERROR | Readiness::HANG_UP;
        };
        cx.wakes.extend(connection.readers.register_bounded(waker));
        cx.wakes.extend(connection.writers.register_bounded(waker));
        let (may_send, may_receive) = (connection.may_send(), connection.may_receive());
        let connecting =
            matches!(connection.owner, Owner::Connecting) && connection.error.is_none();
        let mut readiness = Readiness::empty();
        readiness.set(
            Readiness::READABLE,
            !connecting
                && (connection.receiver.readable() > 0
                    || !may_receive
                    || connection.receive_shut_down),
        );
        readiness.set(
            Readiness::WRITABLE,
            !connecting && (connection.sender.free_space() > 0 || !may_send),
        );
        readiness.set(Readiness::ERROR, connection.error.is_some());
        readiness.set(Readiness::HANG_UP, !connecting && !may_send && !may_receive);
        readiness
    }

    /// Changes the settings of a live connection.
    pub(crate) fn apply(
        &mut self,
        cx: &mut Context,
        ip: &mut Ip,
        id: ConnectionId,
        settings: &TcpSettings,
    ) {
        let Some(connection) = self.get_mut(id) else { return };
        connection.adopt(settings, ip);
        self.update_mss(cx, ip, id.index);
        self.serve(cx, ip, id.index);
    }
}
