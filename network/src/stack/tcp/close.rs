//! How connections end for a reason of ours: resets, removal, TIME-WAIT.

use alloc::vec::Vec;
use core::net::IpAddr;

use virtual_file_system::Error;

use super::egress::{HeaderFields, flag};
use super::handshake::Handshake;
use super::receive::AckDue;
use super::{Connection, ConnectionId, Tcp};
use crate::command::socket::SocketState as State;
use crate::platform::Instant;
use crate::stack::context::Context;
use crate::stack::ip::Ip;
use crate::stack::timers::Timer;

impl Tcp {
    /// Sends a reset and lets the socket be closed; the connection stays with its owner.
    pub(crate) fn reset(&mut self, cx: &mut Context, ip: &mut Ip, index: u32) {
        let Some(connection) = self.connections.get_mut(index as usize) else { return };
        let (state, flow) = (connection.state(), connection.flow);
        let (sequence, expected) = connection.state_machine.handshake().map_or_else(
            || (connection.sender.snd_nxt(), connection.receiver.rcv_nxt()),
            Handshake::next,
        );
        connection.state_machine.abort();
        connection.discard_unsent();
        // Nobody is told in SYN-SENT (RFC 9293 §3.10.5), and who is at rest needs no word.
        if !matches!(state, State::Closed | State::Listen | State::SynSent | State::TimeWait) {
            let fields = HeaderFields::control(flag::RST | flag::ACK, sequence, expected);
            self.send_control(cx, ip, flow, &fields);
        }
        self.wake_all(cx, index);
    }

    /// Ends one connection for a reason of ours.
    pub(crate) fn end(&mut self, cx: &mut Context, ip: &mut Ip, index: u32, error: Error) {
        self.report_end(cx, index, error);
        if let Some(connection) = self.connections.get_mut(index as usize) {
            connection.fail(error);
            self.reset(cx, ip, index);
        }
    }

    /// Connections from an address that is about to go end with an error; what they received stays
    /// readable (TCP-O-13).
    pub(crate) fn end_from(&mut self, cx: &mut Context, ip: &mut Ip, address: IpAddr) {
        let is_meant = |connection: &Connection| {
            connection.flow.local.ip() == address && connection.state() != State::Closed
        };
        let connections = self.connections.iter().filter(|(_, connection)| is_meant(connection));
        let ended: Vec<u32> = connections.map(|(index, _)| index as u32).collect();
        for index in ended {
            self.end(cx, ip, index, Error::ConnectionAborted);
        }
    }

    /// The interface goes: every connection ends with an error.
    pub(crate) fn end_all(&mut self, cx: &mut Context, ip: &mut Ip) {
        let all: Vec<u32> = self.connections.iter().map(|(index, _)| index as u32).collect();
        for index in all {
            self.end(cx, ip, index, Error::NetworkDown);
        }
    }

    /// Ends a connection with a reset and removes it.
    pub(crate) fn abort(&mut self, cx: &mut Context, ip: &mut Ip, id: ConnectionId) {
        if self.get(id).is_some() {
            self.reset(cx, ip, id.index);
            self.forget(cx, id);
        }
    }

    /// As [`tcp_abort`](Self::tcp_abort), for what stands at an index.
    pub(super) fn abandon(&mut self, cx: &mut Context, ip: &mut Ip, index: u32) {
        if let Some(id) = self.id_at(index) {
            self.abort(cx, ip, id);
        }
    }

    /// Removes a connection without a word to the peer.
    pub(crate) fn forget(&mut self, cx: &mut Context, id: ConnectionId) {
        if self.get(id).is_some() {
            self.wake_all(cx, id.index);
            self.remove(id.index);
            self.sweep(cx);
        }
    }

    /// Keeps deadlines that count no more from outnumbering the others: each turn of a busy
    /// connection may leave one.
    pub(super) fn sweep(&mut self, cx: &mut Context) {
        let connections = &self.connections;
        cx.timers.sweep(connections.len(), |deadline, timer| match timer {
            Timer::Connection(index) => connections
                .get(index as usize)
                .is_some_and(|connection| connection.armed == deadline),
            _ => true,
        });
    }

    /// A connect failed: the tuple is free again, the connection stays until its owner took the error.
    pub(crate) fn forget_silently(&mut self, cx: &mut Context, index: u32) {
        let Some(connection) = self.connections.get_mut(index as usize) else { return };
        connection.give_up_at = Instant::NEVER;
        let flow = connection.flow;
        self.unlink(&flow, index);
        self.wake_all(cx, index);
    }

    /// Puts a closed connection that nobody has to rest.
    pub(crate) fn enter_time_wait(&mut self, cx: &mut Context, ip: &mut Ip, id: ConnectionId) {
        // Nobody will acknowledge later.
        let Some(connection) = self.get(id) else { return };
        if connection.receiver.ack_due() != AckDue::Never {
            self.acknowledge(cx, ip, id.index);
        }
        let Some(connection) = self.get(id) else { return };
        let (flow, next, expected, window) = (
            connection.flow,
            connection.sender.snd_nxt(),
            connection.receiver.rcv_nxt(),
            connection.receiver.advertised_window(),
        );
        self.forget(cx, id);
        let had_none = self.time_wait.deadline().is_none();
        self.time_wait.insert(flow, next, expected, window, cx.now);
        if had_none && let Some(deadline) = self.time_wait.deadline() {
            cx.timers.arm(deadline, Timer::TimeWait);
        }
    }
}

impl Connection {
    /// What was written and not acknowledged will never be.
    pub(super) fn discard_unsent(&mut self) {
        self.was_discarded |= self.sender.queued() > 0;
        self.sender.discard();
    }
}
