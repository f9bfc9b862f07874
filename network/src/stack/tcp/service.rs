//! What connections do by themselves: egress, timers, and what follows from a change of state.

use alloc::sync::Arc;
use core::time::Duration;

use smoltcp::socket::tcp::State;
use virtual_file_system::Error;

use super::egress::flag;
use super::handshake::Handshake;
use super::machine::Event;
use super::receive::{Due, Taken};
use super::segment::{Segment, before};
use super::send::Acknowledged;
use super::{Flow, Opening, Phase, Slot, SlotId};
use crate::platform::Instant;
use crate::socket::TcpSettings;
use crate::stack::Stack;
use crate::stack::timers::Timer;

/// How long an orphan waits for the peer's FIN (Linux' tcp_fin_timeout), and how long a tuple rests
/// in its owner's hands.
const FIN_WAIT: Duration = Duration::from_secs(60);
/// Between two confirmations of a neighbor by one connection.
const CONFIRM: Duration = Duration::from_secs(10);
/// A writer is woken when so much of the buffer is free again: a quarter.
const FREE_SHARE: usize = 4;

impl Stack {
    /// Serves every slot on the agenda while there is room.
    pub(crate) fn tcp_serve_dirty(&mut self) {
        for _ in 0..self.tcp.dirty.len() {
            if !self.has_room() {
                return;
            }
            let Some(index) = self.tcp.dirty.pop_front() else { return };
            self.tcp_serve(index);
        }
    }

    /// Sends what the connection has to send, up to the quantum, and sets its next deadline.
    pub(crate) fn tcp_serve(&mut self, index: u32) {
        let Some(slot) = self.tcp.slots.get_mut(index as usize) else { return };
        slot.dirty = false;
        match slot.state() {
            State::Closed | State::Listen => self.tcp_arm(index, Instant::NEVER),
            State::SynSent | State::SynReceived => self.tcp_serve_handshake(index),
            _ => {
                let has_more = self.tcp_transmit(index);
                self.tcp_arm_directions(index);
                if has_more {
                    // Left for the next turn. Should that never come, because the device is stuck
                    // for ever, the connection still ends.
                    self.tcp.mark(index);
                }
            }
        }
    }

    fn tcp_arm_directions(&mut self, index: u32) {
        let Some(slot) = self.tcp.slots.get(index as usize) else { return };
        let acknowledge_at = match slot.receiver.due() {
            Due::At(moment) => moment,
            Due::Never | Due::Now => Instant::NEVER,
        };
        let deadline = slot.sender.deadline().min(acknowledge_at);
        self.tcp_arm(index, deadline);
    }

    /// Sends our SYN when it is time.
    fn tcp_serve_handshake(&mut self, index: u32) {
        let (now, has_room) = (self.now, self.has_room());
        let Some(slot) = self.tcp.slots.get_mut(index as usize) else { return };
        let Some(handshake) = slot.machine.handshake_mut() else { return };
        let is_due = handshake.deadline() <= now;
        if is_due && has_room {
            handshake.speak(now);
        }
        let deadline = handshake.deadline();
        match (is_due, has_room) {
            (true, true) => self.tcp_send_syn(index),
            (true, false) => {
                self.tcp_arm(index, Instant::NEVER);
                return self.tcp.mark(index);
            }
            (false, _) => {}
        }
        self.tcp_arm(index, deadline);
    }

    /// Looks at an open connection after a segment reached it.
    pub(super) fn tcp_followed(
        &mut self,
        index: u32,
        before: State,
        acknowledged: Acknowledged,
        taken: Taken,
    ) {
        self.tcp.count(index);
        self.tcp_confirm_neighbor(index);
        let Some(slot) = self.tcp.slots.get_mut(index as usize) else { return };
        if slot.state() != before {
            return self.tcp_changed(index, before, false);
        }
        if taken.is_more && !slot.readers.is_empty() {
            self.wakes.add(&mut slot.readers);
        }
        if acknowledged.is_progress && !slot.writers.is_empty() {
            let is_worth_it = slot.sender.room() * FREE_SHARE >= slot.sender.limit();
            if is_worth_it || slot.sender.is_done() {
                self.wakes.add(&mut slot.writers);
            }
        }
        match slot.receiver.due() {
            // All that was written is under way, and there is time for the rest.
            Due::At(_) | Due::Never if slot.sender.has_nothing_to_send() => {
                self.tcp_arm_directions(index)
            }
            _ => self.tcp.mark(index),
        }
    }

    /// Looks at a connection after its state may have changed.
    pub(super) fn tcp_changed(&mut self, index: u32, before: State, is_reset: bool) {
        self.tcp_changed_state(index, before, is_reset);
        self.tcp.mark(index);
    }

    /// An established peer that answers proves that its next hop is reachable (RFC 4861 §7.3.1).
    fn tcp_confirm_neighbor(&mut self, index: u32) {
        let now = self.now;
        let Some(slot) = self.tcp.slots.get_mut(index as usize) else { return };
        if now.since(slot.confirmed) < CONFIRM || slot.state() != State::Established {
            return;
        }
        slot.confirmed = now;
        let remote = slot.flow.remote.ip();
        if let Some(next_hop) = self.next_hop(remote) {
            self.neighbors.advance_confirmation(next_hop, now);
        }
    }

    /// Draws the consequences of a change of state, and wakes who waited for it.
    fn tcp_changed_state(&mut self, index: u32, before: State, is_reset: bool) {
        let Some(id) = self.tcp.id_at(index) else { return };
        let Some(slot) = self.tcp.slots.get_mut(index as usize) else { return };
        let state = slot.state();
        if state == before {
            return;
        }
        if state == State::Closed && slot.error.is_none() {
            slot.error = match (before, is_reset) {
                (State::SynSent, true) => Some(Error::ConnectionRefused),
                // The peer had ended its direction: reading ends in peace, as on Linux.
                (State::CloseWait, true) => Some(Error::BrokenPipe),
                (_, true) => Some(Error::ConnectionReset),
                (State::SynSent, false) => Some(Error::TimedOut),
                _ => None,
            };
            let cause = slot.error;
            cause.into_iter().for_each(|cause| self.tcp_ended(index, cause));
        }
        let Some(slot) = self.tcp.slots.get_mut(index as usize) else { return };
        if state == State::Closed {
            slot.cut_off();
        }
        match (&slot.phase, state) {
            (Phase::Connecting, State::Established | State::CloseWait) => {
                slot.phase = Phase::Owned;
                slot.give_up_at = Instant::NEVER;
            }
            (Phase::HalfOpen(listener), State::Established | State::CloseWait) => {
                let (listener, flow) = (Arc::clone(listener), slot.flow);
                self.tcp_established(id, flow, &listener);
            }
            (Phase::HalfOpen(listener), State::Closed | State::Listen) => {
                let listener = Arc::clone(listener);
                self.tcp_handshake_over(id, &listener);
                return self.tcp_forget(id);
            }
            (Phase::Orphan, State::Closed) => return self.tcp_forget(id),
            (Phase::Orphan, State::TimeWait) => return self.tcp_rest(id),
            (Phase::Orphan, State::FinWait2) | (Phase::Owned, State::TimeWait) => {
                slot.give_up_at = self.now.after(FIN_WAIT);
            }
            _ => {}
        }
        self.tcp_close_when_ready(index);
        self.tcp_wake_all(index);
    }

    /// Ends our direction once the handshake is over (TCP-O-03).
    pub(crate) fn tcp_close_when_ready(&mut self, index: u32) {
        let Some(slot) = self.tcp.slots.get_mut(index as usize) else { return };
        if slot.closing && matches!(slot.state(), State::Established | State::CloseWait) {
            slot.closing = false;
            slot.sender.end();
            slot.machine.tell(Event::Ended);
            self.tcp.mark(index);
        }
    }

    /// Wakes everybody who waits on a connection.
    pub(crate) fn tcp_wake_all(&mut self, index: u32) {
        if let Some(slot) = self.tcp.slots.get_mut(index as usize) {
            self.wakes.add(&mut slot.readers);
            self.wakes.add(&mut slot.writers);
        }
    }

    /// Sends a reset and lets the socket be closed; the slot stays with its owner.
    pub(crate) fn tcp_reset(&mut self, index: u32) {
        let Some(slot) = self.tcp.slots.get_mut(index as usize) else { return };
        let (state, flow) = (slot.state(), slot.flow);
        let (sequence, expected) = slot
            .machine
            .handshake()
            .map_or_else(|| (slot.sender.next(), slot.receiver.next()), Handshake::next);
        slot.machine.abort();
        slot.cut_off();
        // Nobody is told in SYN-SENT (RFC 9293 §3.10.5), and who is at rest needs no word.
        if !matches!(state, State::Closed | State::Listen | State::SynSent | State::TimeWait) {
            self.tcp_control(flow, flag::RST | flag::ACK, sequence, expected, 0);
        }
        self.tcp_wake_all(index);
    }

    /// Ends a connection with a reset and removes it.
    pub(crate) fn tcp_abort(&mut self, id: SlotId) {
        if self.tcp.get(id).is_some() {
            self.tcp_reset(id.index);
            self.tcp_forget(id);
        }
    }

    /// As [`tcp_abort`](Self::tcp_abort), for what stands at an index.
    pub(super) fn tcp_abandon(&mut self, index: u32) {
        if let Some(id) = self.tcp.id_at(index) {
            self.tcp_abort(id);
        }
    }

    /// Removes a connection without a word to the peer.
    pub(crate) fn tcp_forget(&mut self, id: SlotId) {
        if self.tcp.get(id).is_some() {
            self.tcp_wake_all(id.index);
            self.tcp.remove(id.index);
            self.tcp_sweep();
        }
    }

    /// Keeps deadlines that count no more from outnumbering the others: each turn of a busy
    /// connection may leave one.
    pub(super) fn tcp_sweep(&mut self) {
        let Self { timers, tcp, .. } = self;
        timers.sweep(tcp.slots.len(), |deadline, timer| match timer {
            Timer::Slot(index) => {
                tcp.slots.get(index as usize).is_some_and(|slot| slot.armed == deadline)
            }
            _ => true,
        });
    }

    /// A connect failed: the tuple is free again, the slot stays until its owner took the error.
    pub(crate) fn tcp_forget_silently(&mut self, index: u32) {
        let Some(slot) = self.tcp.slots.get_mut(index as usize) else { return };
        slot.give_up_at = Instant::NEVER;
        let flow = slot.flow;
        self.tcp.unlink(&flow, index);
        self.tcp_wake_all(index);
    }

    /// Puts a closed connection that nobody has to rest.
    pub(crate) fn tcp_rest(&mut self, id: SlotId) {
        // Nobody will acknowledge later.
        let Some(slot) = self.tcp.get(id) else { return };
        if slot.receiver.due() != Due::Never {
            self.tcp_acknowledge(id.index);
        }
        let Some(slot) = self.tcp.get(id) else { return };
        let (flow, next, expected, window) =
            (slot.flow, slot.sender.next(), slot.receiver.next(), slot.receiver.window());
        self.tcp_forget(id);
        let had_none = self.tcp.time_wait.deadline().is_none();
        self.tcp.time_wait.insert(flow, next, expected, window, self.now);
        if had_none && let Some(deadline) = self.tcp.time_wait.deadline() {
            self.timers.arm(deadline, Timer::TimeWait);
        }
    }

    /// A connection that a SYN made for a listener. `floor` is the last number of the flow's former
    /// connection.
    pub(crate) fn tcp_open_passive(
        &mut self,
        flow: Flow,
        listener: Arc<super::listen::Listener>,
        settings: &TcpSettings,
        floor: Option<u32>,
    ) -> SlotId {
        let opening = self.tcp_opening(&flow, floor);
        let handshake = Handshake::listen(opening.sequence);
        let phase = Phase::HalfOpen(listener);
        let id = self.tcp.insert(flow, phase, handshake, settings, &opening);
        self.tcp_measure(id.index);
        let deadline = self.now.after(super::verbs::HANDSHAKE);
        if let Some(slot) = self.tcp.get_mut(id) {
            slot.give_up_at = deadline;
        }
        id
    }

    /// How a connection begins.
    pub(crate) fn tcp_opening(&self, flow: &Flow, floor: Option<u32>) -> Opening {
        Opening {
            own_segment: self.tcp_own_segment(flow.remote.ip()),
            sequence: self.tcp.initial_sequence(flow, self.now, floor),
            now: self.now,
        }
    }
}

impl Slot {
    /// The handshake is over with this segment: both directions begin. False when there was none.
    pub(super) fn begin(&mut self, segment: &Segment, now: Instant) -> bool {
        let shift = self.shift();
        let Some(handshake) = self.machine.open() else { return false };
        let (first, peer) = handshake.next();
        // What left twice is ambiguous (Karn).
        let round_trip = (handshake.syns == 1).then(|| now.since(handshake.syn_at));
        self.sender.begin(
            first,
            &handshake.offer,
            handshake.window,
            peer.wrapping_sub(1),
            round_trip,
        );
        self.sender.set_segment(self.own_segment.min(self.shape.peer_segment));
        // A SYN|ACK that offers what nobody asked for counts for nothing.
        self.sender.set_marks(self.marks.is_offered && (self.marks.is_wanted || !segment.syn));
        self.receiver.begin(peer, shift, now);
        if segment.syn {
            // Our side of the handshake's last word.
            self.receiver.answer();
        }
        true
    }

    /// True for what may follow the peer's SYN: in the window that our answer allowed, a reset at
    /// its beginning (RFC 9293 §3.10.7.4, RFC 5961).
    pub(super) fn is_acceptable_before_open(&self, segment: &Segment) -> bool {
        let Some(first) = self.machine.handshake().map(Handshake::peer_next) else { return false };
        let edge = first.wrapping_add(u32::from(self.receiver.first_window()));
        if segment.rst || segment.syn {
            return segment.sequence == first || (segment.syn && segment.acknowledgment.is_some());
        }
        let reaches = !before(segment.sequence, first) || before(first, segment.end());
        reaches && !before(edge, segment.sequence)
    }

    /// What was written and not acknowledged will never be.
    fn cut_off(&mut self) {
        self.is_cut_off |= self.sender.queued() > 0;
        self.sender.discard();
    }

    /// True when the first octet of a quoted segment is one that is under way (TCP-X-05).
    pub(super) fn has_under_way(&self, sequence: u32) -> bool {
        if self.is_open() {
            return !before(sequence, self.sender.unacknowledged())
                && before(sequence, self.sender.next());
        }
        self.machine
            .handshake()
            .is_some_and(|handshake| handshake.syns > 0 && sequence == handshake.sequence)
    }
}
