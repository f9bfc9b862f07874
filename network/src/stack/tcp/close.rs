//! How we end connections: resets, removal, TIME-WAIT.

use alloc::vec::Vec;
use core::net::IpAddr;

use devnet_virtual_file_system::Error;

use super::assemble::{HeaderFields, flag};
use super::handshake::Handshake;
use super::receive::AckDue;
use super::service::count_end;
use super::time_wait::TimeWaitState;
use super::{Connection, ConnectionId, Tcp};
use crate::command::socket::SocketState as State;
use crate::platform::Instant;
use crate::stack::context::Context;
use crate::stack::flow::Flow;
use crate::stack::ip::Ip;
use crate::stack::timers::Timer;

impl Tcp {
    /// Sends a RST and closes the connection; its owner keeps it to read the error.
    pub(crate) fn reset(&mut self, cx: &mut Context, ip: &mut Ip, index: u32) {
        let Some(connection) = self.connections.get_mut(index as usize) else { return };
        let (state, flow) = (connection.state(), connection.flow);
        let (sequence, expected) = connection.state_machine.handshake().map_or_else(
            || (connection.sender.snd_nxt(), connection.receiver.rcv_nxt()),
            Handshake::next,
        );
        count_end(cx, &flow, state);
        connection.state_machine.abort();
        connection.discard_unsent();
        // No RST leaves in SYN-SENT (RFC 9293 §3.10.5), and none is useful in TIME-WAIT.
        if !matches!(state, State::Closed | State::Listen | State::SynSent | State::TimeWait) {
            let fields = HeaderFields::control(flag::RST | flag::ACK, sequence, expected);
            self.send_control(cx, ip, flow, &fields);
        }
        // The owner keeps the stream and its error; the peer may connect again.
        self.unlink(cx, index);
        self.wake_all(cx, index);
    }

    /// Ends a connection locally: reports the error, then resets.
    pub(crate) fn end(&mut self, cx: &mut Context, ip: &mut Ip, index: u32, error: Error) {
        self.report_end(cx, index, error);
        if let Some(connection) = self.connections.get_mut(index as usize) {
            connection.fail(error);
            self.reset(cx, ip, index);
        }
    }

    /// Ends the connections of an address that is being removed with an error. Received data stays
    /// readable (TCP-O-13).
    pub(crate) fn abort_local_address(&mut self, cx: &mut Context, ip: &mut Ip, address: IpAddr) {
        let matches = |connection: &Connection| {
            connection.flow.local.ip() == address && connection.state() != State::Closed
        };
        let connections = self.connections.iter().filter(|(_, connection)| matches(connection));
        let ended: Vec<u32> = connections.map(|(index, _)| index as u32).collect();
        for index in ended {
            self.end(cx, ip, index, Error::ConnectionAborted);
        }
    }

    /// Ends the connection of a flow; false if there is none.
    pub(crate) fn end_flow(&mut self, cx: &mut Context, ip: &mut Ip, flow: &Flow) -> bool {
        let Some(index) = self.lookup(flow) else { return false };
        self.end(cx, ip, index, Error::ConnectionAborted);
        true
    }

    /// The interface goes down: every connection ends with an error.
    pub(crate) fn abort_all(&mut self, cx: &mut Context, ip: &mut Ip) {
        let all: Vec<u32> = self.connections.iter().map(|(index, _)| index as u32).collect();
        for index in all {
            self.end(cx, ip, index, Error::NetworkDown);
        }
    }

    /// Resets a connection and removes it.
    pub(crate) fn abort(&mut self, cx: &mut Context, ip: &mut Ip, id: ConnectionId) {
        if self.get(id).is_some() {
            self.reset(cx, ip, id.index);
            self.remove_and_wake(cx, id);
        }
    }

    /// Like [`abort`](Self::abort), by index.
    pub(super) fn abort_index(&mut self, cx: &mut Context, ip: &mut Ip, index: u32) {
        if let Some(id) = self.id_at(index) {
            self.abort(cx, ip, id);
        }
    }

    /// Removes a connection without sending anything.
    pub(crate) fn remove_and_wake(&mut self, cx: &mut Context, id: ConnectionId) {
        if self.get(id).is_some() {
            self.wake_all(cx, id.index);
            self.remove(cx, id.index);
            self.sweep(cx);
        }
    }

    /// Limits stale entries in the timer heap: each service of a busy connection may leave one.
    pub(super) fn sweep(&mut self, cx: &mut Context) {
        cx.timers.sweep(self.connections.len(), |deadline, timer| self.counts(deadline, timer));
    }

    /// Removes what ended connections left at the head of the timer heap.
    pub(crate) fn drop_stale_timers(&self, cx: &mut Context) {
        cx.timers.drop_stale(|deadline, timer| self.counts(deadline, timer));
    }

    /// Whether a timer is the present one of a connection, or none of ours.
    fn counts(&self, deadline: Instant, timer: Timer) -> bool {
        let Timer::Connection(index) = timer else { return true };
        self.connections
            .get(index as usize)
            .is_some_and(|connection| connection.timer_deadline == deadline)
    }

    /// A connect failed: its flow can be used again. The connection stays until its owner has taken
    /// the error.
    pub(crate) fn release_flow(&mut self, cx: &mut Context, index: u32) {
        let Some(connection) = self.connections.get_mut(index as usize) else { return };
        connection.give_up_at = Instant::NEVER;
        self.unlink(cx, index);
        self.wake_all(cx, index);
    }

    /// Moves an orphaned connection to the TIME-WAIT table.
    pub(crate) fn enter_time_wait(&mut self, cx: &mut Context, ip: &mut Ip, id: ConnectionId) {
        self.begin_time_wait(cx, ip, id);
        self.remove_and_wake(cx, id);
    }

    /// Hands the flow of a connection to the TIME-WAIT table. An owner may keep the connection and
    /// read what has come; its flow can begin again meanwhile.
    pub(super) fn begin_time_wait(&mut self, cx: &mut Context, ip: &mut Ip, id: ConnectionId) {
        // A pending acknowledgment leaves now: the table keeps no receiver.
        let Some(connection) = self.get(id) else { return };
        if connection.receiver.ack_due() != AckDue::Never {
            self.acknowledge(cx, ip, id.index);
        }
        let Some(connection) = self.get(id) else { return };
        let flow = connection.flow;
        let state = TimeWaitState::new(
            connection.sender.snd_nxt(),
            connection.receiver.rcv_nxt(),
            connection.receiver.advertised_window(),
            connection.timestamps,
        );
        self.unlink(cx, id.index);
        let had_none = self.time_wait.deadline().is_none();
        self.time_wait.insert(flow, state, cx.now);
        if had_none && let Some(deadline) = self.time_wait.deadline() {
            cx.timers.arm(deadline, Timer::TimeWait);
        }
    }
}

impl Connection {
    /// Drops data that the peer will never acknowledge.
    pub(super) fn discard_unsent(&mut self) {
        self.has_discarded_data |= self.sender.queued() > 0;
        self.sender.discard();
    }
}
