//! What connections do by themselves: egress, timers, and what follows from a change of state.

use alloc::sync::Arc;
use core::time::Duration;

use crate::command::socket::SocketState as State;
use virtual_file_system::Error;

use super::handshake::Handshake;
use super::machine::Event;
use super::receive::{AckDue, Received};
use super::segment::{Segment, before};
use super::send::Acknowledged;
use super::settings::TcpSettings;
use super::{Connection, ConnectionId, Flow, Opening, Owner, Tcp};
use crate::platform::Instant;
use crate::stack::context::Context;
use crate::stack::ip::Ip;

/// How long an orphan waits for the peer's FIN (Linux' tcp_fin_timeout), and how long a tuple rests
/// in its owner's hands.
const FIN_WAIT: Duration = Duration::from_secs(60);
/// Between two confirmations of a neighbor by one connection.
const CONFIRM: Duration = Duration::from_secs(10);
/// A writer is woken when so much of the buffer is free again: a quarter.
const FREE_SHARE: usize = 4;

impl Tcp {
    /// Serves every connection on the agenda while there is room.
    pub(crate) fn serve_ready(&mut self, cx: &mut Context, ip: &mut Ip) {
        for _ in 0..self.dirty.len() {
            if !ip.link.has_room() {
                return;
            }
            let Some(index) = self.dirty.pop_front() else { return };
            self.serve(cx, ip, index);
        }
    }

    /// Sends what the connection has to send, up to the quantum, and sets its next deadline.
    pub(crate) fn serve(&mut self, cx: &mut Context, ip: &mut Ip, index: u32) {
        let Some(connection) = self.connections.get_mut(index as usize) else { return };
        connection.dirty = false;
        match connection.state() {
            State::Closed | State::Listen => self.arm(cx, index, Instant::NEVER),
            State::SynSent | State::SynReceived => self.serve_handshake(cx, ip, index),
            _ => {
                let has_more = self.transmit(cx, ip, index);
                self.arm_directions(cx, index);
                if has_more {
                    // Left for the next turn. Should that never come, because the device is stuck
                    // for ever, the connection still ends.
                    self.mark(index);
                }
            }
        }
    }

    fn arm_directions(&mut self, cx: &mut Context, index: u32) {
        let Some(connection) = self.connections.get(index as usize) else { return };
        let acknowledge_at = match connection.receiver.ack_due() {
            AckDue::At(moment) => moment,
            AckDue::Never | AckDue::Now => Instant::NEVER,
        };
        let deadline = connection.sender.deadline().min(acknowledge_at);
        self.arm(cx, index, deadline);
    }

    /// Sends our SYN when it is time.
    fn serve_handshake(&mut self, cx: &mut Context, ip: &mut Ip, index: u32) {
        let (now, has_room) = (cx.now, ip.link.has_room());
        let Some(connection) = self.connections.get_mut(index as usize) else { return };
        let Some(handshake) = connection.state_machine.handshake_mut() else { return };
        let is_due = handshake.deadline() <= now;
        if is_due && has_room {
            handshake.syn_sent(now);
        }
        let deadline = handshake.deadline();
        match (is_due, has_room) {
            (true, true) => self.send_syn(cx, ip, index),
            (true, false) => {
                self.arm(cx, index, Instant::NEVER);
                return self.mark(index);
            }
            (false, _) => {}
        }
        self.arm(cx, index, deadline);
    }

    /// Looks at an open connection after a segment reached it.
    pub(super) fn follow_segment(
        &mut self,
        cx: &mut Context,
        ip: &mut Ip,
        index: u32,
        before: State,
        acknowledged: Acknowledged,
        received: Received,
    ) {
        self.count_memory(index);
        self.confirm_path(cx, ip, index);
        let Some(connection) = self.connections.get_mut(index as usize) else { return };
        if connection.state() != before {
            return self.state_changed(cx, ip, index, before, false);
        }
        if received.has_data && !connection.readers.is_empty() {
            cx.wakes.add(&mut connection.readers);
        }
        if acknowledged.is_progress && !connection.writers.is_empty() {
            let is_worth_it = connection.sender.room() * FREE_SHARE >= connection.sender.limit();
            if is_worth_it || connection.sender.is_done() {
                cx.wakes.add(&mut connection.writers);
            }
        }
        match connection.receiver.ack_due() {
            // All that was written is under way, and there is time for the rest.
            AckDue::At(_) | AckDue::Never if connection.sender.has_nothing_to_send() => {
                self.arm_directions(cx, index)
            }
            _ => self.mark(index),
        }
    }

    /// Looks at a connection after its state may have changed.
    pub(super) fn state_changed(
        &mut self,
        cx: &mut Context,
        ip: &mut Ip,
        index: u32,
        before: State,
        is_reset: bool,
    ) {
        self.change_state(cx, ip, index, before, is_reset);
        self.mark(index);
    }

    /// An established peer that answers proves that the path works.
    fn confirm_path(&mut self, cx: &mut Context, ip: &mut Ip, index: u32) {
        let now = cx.now;
        let Some(connection) = self.connections.get_mut(index as usize) else { return };
        if now.since(connection.path_confirmed_at) < CONFIRM
            || connection.state() != State::Established
        {
            return;
        }
        connection.path_confirmed_at = now;
        ip.confirm_path(cx, connection.flow.remote.ip());
    }

    /// Draws the consequences of a change of state, and wakes who waited for it.
    fn change_state(
        &mut self,
        cx: &mut Context,
        ip: &mut Ip,
        index: u32,
        before: State,
        is_reset: bool,
    ) {
        let Some(id) = self.id_at(index) else { return };
        let Some(connection) = self.connections.get_mut(index as usize) else { return };
        let state = connection.state();
        if state == before {
            return;
        }
        if state == State::Closed && connection.error.is_none() {
            connection.error = match (before, is_reset) {
                (State::SynSent, true) => Some(Error::ConnectionRefused),
                // The peer had ended its direction: reading ends in peace, as on Linux.
                (State::CloseWait, true) => Some(Error::BrokenPipe),
                (_, true) => Some(Error::ConnectionReset),
                (State::SynSent, false) => Some(Error::TimedOut),
                _ => None,
            };
            let cause = connection.error;
            cause.into_iter().for_each(|cause| self.report_end(cx, index, cause));
        }
        let Some(connection) = self.connections.get_mut(index as usize) else { return };
        if state == State::Closed {
            connection.discard_unsent();
        }
        match (&connection.owner, state) {
            (Owner::Connecting, State::Established | State::CloseWait) => {
                connection.owner = Owner::Owned;
                connection.give_up_at = Instant::NEVER;
            }
            (Owner::HalfOpen(listener), State::Established | State::CloseWait) => {
                let (listener, flow) = (Arc::clone(listener), connection.flow);
                self.established(cx, ip, id, flow, &listener);
            }
            (Owner::HalfOpen(listener), State::Closed | State::Listen) => {
                let listener = Arc::clone(listener);
                self.handshake_over(id, &listener);
                return self.forget(cx, id);
            }
            (Owner::Orphan, State::Closed) => return self.forget(cx, id),
            (Owner::Orphan, State::TimeWait) => return self.enter_time_wait(cx, ip, id),
            (Owner::Orphan, State::FinWait2) | (Owner::Owned, State::TimeWait) => {
                connection.give_up_at = cx.now.after(FIN_WAIT);
            }
            _ => {}
        }
        self.close_when_ready(index);
        self.wake_all(cx, index);
    }

    /// Ends our direction once the handshake is over (TCP-O-03).
    pub(crate) fn close_when_ready(&mut self, index: u32) {
        let Some(connection) = self.connections.get_mut(index as usize) else { return };
        if connection.close_pending
            && matches!(connection.state(), State::Established | State::CloseWait)
        {
            connection.close_pending = false;
            connection.sender.end();
            connection.state_machine.handle(Event::Close);
            self.mark(index);
        }
    }

    /// Wakes everybody who waits on a connection.
    pub(crate) fn wake_all(&mut self, cx: &mut Context, index: u32) {
        if let Some(connection) = self.connections.get_mut(index as usize) {
            cx.wakes.add(&mut connection.readers);
            cx.wakes.add(&mut connection.writers);
        }
    }

    /// A connection that a SYN made for a listener. `floor` is the last number of the flow's former
    /// connection.
    pub(crate) fn open_passive(
        &mut self,
        cx: &mut Context,
        ip: &mut Ip,
        flow: Flow,
        listener: Arc<super::listen::Listener>,
        settings: &TcpSettings,
        floor: Option<u32>,
    ) -> ConnectionId {
        let opening = self.opening(cx, ip, &flow, floor);
        let handshake = Handshake::listen(opening.iss);
        let owner = Owner::HalfOpen(listener);
        let id = self.insert(flow, owner, handshake, settings, &opening);
        self.follow_path_mtu(cx, ip, id.index);
        let deadline = cx.now.after(super::verbs::HANDSHAKE);
        if let Some(connection) = self.get_mut(id) {
            connection.give_up_at = deadline;
        }
        id
    }

    /// How a connection begins.
    pub(crate) fn opening(
        &self,
        cx: &Context,
        ip: &Ip,
        flow: &Flow,
        floor: Option<u32>,
    ) -> Opening {
        Opening {
            own_mss: self.own_mss(cx, ip, flow.remote.ip()),
            iss: self.initial_sequence(flow, cx.now, floor),
            now: cx.now,
        }
    }
}

impl Connection {
    /// The handshake is over with this segment: both directions begin. False when there was none.
    pub(super) fn begin(&mut self, segment: &Segment, now: Instant) -> bool {
        let shift = self.shift();
        let Some(handshake) = self.state_machine.open() else { return false };
        let (first, peer) = handshake.next();
        // What left twice is ambiguous (Karn).
        let round_trip = (handshake.syns_sent == 1).then(|| now.since(handshake.first_syn_at));
        self.sender.begin(
            first,
            &handshake.peer_options,
            handshake.window,
            peer.wrapping_sub(1),
            round_trip,
        );
        self.sender.set_mss(self.own_mss.min(self.template.peer_mss));
        // A SYN|ACK that offers what nobody asked for counts for nothing.
        self.sender.set_ecn(self.ecn.is_negotiated && (self.ecn.is_requested || !segment.syn));
        self.receiver.begin(peer, shift, now);
        if segment.syn {
            // Our side of the handshake's last word.
            self.receiver.ack_now();
        }
        true
    }

    /// True for what may follow the peer's SYN: in the window that our answer allowed, a reset at
    /// its beginning (RFC 9293 §3.10.7.4, RFC 5961).
    pub(super) fn is_acceptable_before_open(&self, segment: &Segment) -> bool {
        let Some(first) = self.state_machine.handshake().map(Handshake::rcv_nxt) else {
            return false;
        };
        let edge = first.wrapping_add(u32::from(self.receiver.syn_window()));
        if segment.rst || segment.syn {
            return segment.sequence == first || (segment.syn && segment.acknowledgment.is_some());
        }
        let reaches = !before(segment.sequence, first) || before(first, segment.end());
        reaches && !before(edge, segment.sequence)
    }
}
