//! Serving connections: output, timers, and the effects of a state change.

use alloc::sync::Arc;
use core::time::Duration;

use devnet_virtual_file_system::Error;

use super::handshake::Handshake;
use super::machine::Event;
use super::receive::{AckDue, Received};
use super::segment::{Segment, before};
use super::send::Acknowledged;
use super::settings::TcpSettings;
use super::{Connection, ConnectionId, Flow, Opening, Owner, Tcp};
use crate::command::event::Change;
use crate::command::socket::SocketState as State;
use crate::platform::Instant;
use crate::stack::context::Context;
use crate::stack::counters::Counter;
use crate::stack::ip::Ip;

/// The least interval between two reachability confirmations by one connection.
const CONFIRM_INTERVAL: Duration = Duration::from_secs(10);
/// A writer is woken when at least a quarter of the send buffer is free.
const WAKE_FRACTION: usize = 4;

impl Tcp {
    /// Serves the queued connections while the link has room.
    pub(crate) fn serve_ready(&mut self, cx: &mut Context, ip: &mut Ip) {
        for _ in 0..self.ready.len() {
            if !ip.link.has_room() {
                return self.arm_waiting(cx);
            }
            let Some(index) = self.ready.pop_front() else { return };
            self.ready_armed = self.ready_armed.saturating_sub(1);
            self.serve(cx, ip, index);
        }
    }

    /// Arms the timers of the queued connections, each once: if the link never has room again, they
    /// still end. A half-open one has no other timer before its SYN|ACK has left.
    #[cold]
    fn arm_waiting(&mut self, cx: &mut Context) {
        for place in self.ready_armed..self.ready.len() {
            if let Some(index) = self.ready.get(place).copied() {
                self.arm(cx, index, Instant::NEVER);
            }
        }
        self.ready_armed = self.ready.len();
    }

    /// Sends what the connection may send, up to the quantum, and arms its timer.
    pub(crate) fn serve(&mut self, cx: &mut Context, ip: &mut Ip, index: u32) {
        let Some(connection) = self.connections.get_mut(index as usize) else { return };
        connection.is_ready = false;
        match connection.state() {
            State::Closed | State::Listen => self.arm(cx, index, Instant::NEVER),
            State::SynSent | State::SynReceived => self.serve_handshake(cx, ip, index),
            _ => {
                let has_more = self.transmit(cx, ip, index);
                self.wake_at_low_water(cx, index);
                self.arm_directions(cx, index);
                if has_more {
                    // The rest waits for the next poll. The timer is armed too: if the device is
                    // stuck and no poll comes, the connection still ends.
                    self.schedule(index);
                }
            }
        }
    }

    /// Wakes writers that TCP_NOTSENT_LOWAT stopped, once enough has left.
    fn wake_at_low_water(&mut self, cx: &mut Context, index: u32) {
        if let Some(connection) = self.connections.get_mut(index as usize)
            && connection.sender.is_low_water_reached()
            && !connection.writers.is_empty()
        {
            cx.wakes.add(&mut connection.writers);
        }
    }

    fn arm_directions(&mut self, cx: &mut Context, index: u32) {
        let Some(connection) = self.connections.get(index as usize) else { return };
        let acknowledge_at = match connection.receiver.ack_due() {
            AckDue::At(moment) => moment,
            AckDue::Never | AckDue::Now => Instant::NEVER,
        };
        let deadline = connection.sender.deadline().min(acknowledge_at);
        // What is due and has not left waits for room on the link, not for a timer: it would expire
        // again and again.
        let deadline = if deadline <= cx.now { Instant::NEVER } else { deadline };
        self.arm(cx, index, deadline);
    }

    /// Sends our SYN when it is due.
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
                return self.schedule(index);
            }
            (false, _) => {}
        }
        self.arm(cx, index, deadline);
    }

    /// Finishes the processing of a segment of an open connection.
    pub(super) fn after_segment(
        &mut self,
        cx: &mut Context,
        ip: &mut Ip,
        index: u32,
        before: State,
        acknowledged: Acknowledged,
        received: Received,
    ) {
        self.count_memory(index);
        self.relieve(cx, ip);
        self.confirm_path(cx, ip, index);
        let Some(connection) = self.connections.get_mut(index as usize) else { return };
        if connection.state() != before {
            return self.state_changed(cx, ip, index, before, false);
        }
        if received.has_data && !connection.readers.is_empty() {
            cx.wakes.add(&mut connection.readers);
        }
        if acknowledged.is_progress && !connection.writers.is_empty() {
            let is_wake_due =
                connection.sender.free_space() * WAKE_FRACTION >= connection.sender.buffer_size();
            if is_wake_due || connection.sender.is_done() {
                cx.wakes.add(&mut connection.writers);
            }
        }
        match connection.receiver.ack_due() {
            // All data is in flight, and a delayed ACK can wait.
            AckDue::At(_) | AckDue::Never if connection.sender.has_nothing_to_send() => {
                self.arm_directions(cx, index)
            }
            _ => self.schedule(index),
        }
    }

    /// Finishes the processing of a segment or event that may have changed the state.
    pub(super) fn state_changed(
        &mut self,
        cx: &mut Context,
        ip: &mut Ip,
        index: u32,
        before: State,
        is_reset: bool,
    ) {
        self.change_state(cx, ip, index, before, is_reset);
        self.schedule(index);
    }

    /// Progress of an established connection confirms that the next hop is reachable.
    fn confirm_path(&mut self, cx: &mut Context, ip: &mut Ip, index: u32) {
        let now = cx.now;
        let Some(connection) = self.connections.get_mut(index as usize) else { return };
        if now < connection.path_confirmed_at.after(CONFIRM_INTERVAL)
            || connection.state() != State::Established
        {
            return;
        }
        connection.path_confirmed_at = now;
        ip.confirm_path(cx, &connection.flow);
    }

    /// Applies the effects of a state change and wakes waiting tasks.
    fn change_state(
        &mut self,
        cx: &mut Context,
        ip: &mut Ip,
        index: u32,
        before: State,
        is_reset: bool,
    ) {
        let Some(id) = self.id_at(index) else { return };
        let Some(connection) = self.connections.get(index as usize) else { return };
        let state = connection.state();
        if state == before {
            return;
        }
        if !matches!(state, State::Closed | State::TimeWait) {
            self.report_socket(cx, index, Change::Changed);
        }
        let Some(connection) = self.connections.get_mut(index as usize) else { return };
        if state == State::Closed && connection.error.is_none() {
            connection.error = match (before, is_reset) {
                (State::SynSent, true) => Some(Error::ConnectionRefused),
                // Also after a simultaneous open (RFC 9293 §3.10.7.4).
                (State::SynReceived, true) if matches!(connection.owner, Owner::Connecting) => {
                    Some(Error::ConnectionRefused)
                }
                // After the peer's FIN a RST ends reading without an error, as on Linux.
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
            count_end(cx, &connection.flow, before);
            connection.discard_unsent();
            // A peer that restarted gets a new connection, though the program holds this one.
            self.unlink(cx, index);
        }
        let Some(connection) = self.connections.get_mut(index as usize) else { return };
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
                return self.remove_and_wake(cx, id);
            }
            (Owner::Orphan, State::Closed) => return self.remove_and_wake(cx, id),
            (Owner::Orphan, State::TimeWait) => return self.enter_time_wait(cx, ip, id),
            (Owner::Orphan, State::FinWait2) => {
                connection.give_up_at = cx.now.after(super::verbs::FIN_WAIT);
            }
            (Owner::Owned, State::TimeWait) => {
                connection.give_up_at = cx.now.after(super::verbs::FIN_WAIT);
                self.begin_time_wait(cx, ip, id);
            }
            _ => {}
        }
        self.close_if_pending(cx, index);
        self.wake_all(cx, index);
    }

    /// Closes our direction once the handshake is complete (TCP-O-03).
    pub(crate) fn close_if_pending(&mut self, cx: &mut Context, index: u32) {
        let Some(connection) = self.connections.get_mut(index as usize) else { return };
        if connection.close_pending
            && matches!(connection.state(), State::Established | State::CloseWait)
        {
            connection.close_pending = false;
            connection.sender.end();
            connection.state_machine.handle(Event::Close);
            self.report_socket(cx, index, Change::Changed);
            self.schedule(index);
        }
    }

    /// Wakes all tasks that wait on a connection.
    pub(crate) fn wake_all(&mut self, cx: &mut Context, index: u32) {
        if let Some(connection) = self.connections.get_mut(index as usize) {
            cx.wakes.add(&mut connection.readers);
            cx.wakes.add(&mut connection.writers);
        }
    }

    /// Creates a half-open connection for a SYN to a listener. `iss_floor` is SND.NXT of the flow's
    /// previous connection.
    pub(crate) fn open_passive(
        &mut self,
        cx: &mut Context,
        ip: &mut Ip,
        flow: Flow,
        listener: Arc<super::listen::Listener>,
        settings: &TcpSettings,
        iss_floor: Option<u32>,
    ) -> ConnectionId {
        let opening = self.opening(cx, ip, &flow, iss_floor);
        cx.counters.count(flow.remote.ip().is_ipv6(), Counter::TcpPassiveOpens);
        let handshake = Handshake::listen(opening.iss);
        let owner = Owner::HalfOpen(listener);
        let id = self.insert(flow, owner, handshake, settings, &opening);
        self.update_mss(cx, ip, id.index);
        let deadline = cx.now.after(super::verbs::HANDSHAKE);
        if let Some(connection) = self.get_mut(id) {
            connection.give_up_at = deadline;
        }
        id
    }

    /// The parameters of a new connection.
    pub(crate) fn opening(
        &self,
        cx: &Context,
        ip: &Ip,
        flow: &Flow,
        iss_floor: Option<u32>,
    ) -> Opening {
        let (iss, timestamp_offset) = self.initial_numbers(flow, cx.now, iss_floor);
        let own_mss = super::assemble::own_mss(cx, ip, flow.remote.ip());
        let hop_limit = ip.hop_limit(flow.remote.ip());
        Opening { own_mss, hop_limit, iss, timestamp_offset, now: cx.now }
    }
}

impl Connection {
    /// The segment completes the handshake: both directions begin. `echo` is its TSecr. Returns
    /// false if there was no handshake.
    pub(super) fn begin(&mut self, segment: &Segment, echo: Option<u32>, now: Instant) -> bool {
        let shift = self.shift();
        let Some(handshake) = self.state_machine.open() else { return false };
        let (first, peer) = handshake.next();
        // The echo tells which of several SYNs was answered.
        let echoed = echo.and_then(|echo| self.timestamps.round_trip(echo, now));
        self.sender.begin(
            first,
            &handshake.peer_options,
            handshake.peer_window,
            peer.wrapping_sub(1),
            (handshake.round_trip(now).or(echoed), handshake.lost_syns()),
        );
        self.sender.set_mss(self.smss());
        // A SYN|ACK that accepts ECN which we did not request is ignored.
        self.sender.set_ecn(self.ecn.is_negotiated && (self.ecn.is_requested || !segment.syn));
        self.receiver.begin(peer, shift, now);
        if segment.syn {
            // The final ACK of the handshake.
            self.receiver.ack_now();
        }
        true
    }

    /// The acceptability test in SYN-RECEIVED: a segment in the window of our SYN|ACK, a RST
    /// exactly at RCV.NXT (RFC 9293 §3.10.7.4, RFC 5961).
    pub(super) fn is_acceptable_in_handshake(&self, segment: &Segment) -> bool {
        let Some(first) = self.state_machine.handshake().map(Handshake::rcv_nxt) else {
            return false;
        };
        if segment.rst || segment.syn {
            return segment.sequence == first || (segment.syn && segment.acknowledgment.is_some());
        }
        self.is_in_handshake_window(segment)
    }

    /// True for a segment with a part in the window of our SYN|ACK, or just behind it.
    pub(super) fn is_in_handshake_window(&self, segment: &Segment) -> bool {
        let Some(first) = self.state_machine.handshake().map(Handshake::rcv_nxt) else {
            return false;
        };
        let rcv_wnd_end = first.wrapping_add(u32::from(self.receiver.syn_window()));
        let ends_in_window = !before(segment.sequence, first) || before(first, segment.end());
        ends_in_window && !before(rcv_wnd_end, segment.sequence)
    }
}

/// Counts a connection that goes to CLOSED without the exchange of FINs.
pub(super) fn count_end(cx: &mut Context, flow: &Flow, before: State) {
    let is_ipv6 = flow.remote.ip().is_ipv6();
    match before {
        State::SynSent | State::SynReceived => cx.counters.count(is_ipv6, Counter::TcpAttemptFails),
        State::Established | State::CloseWait => {
            cx.counters.count(is_ipv6, Counter::TcpEstabResets);
        }
        _ => {}
    }
}
