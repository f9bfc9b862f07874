//! What connections do by themselves: egress, timers, and what follows from a change of state.

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::net::IpAddr;
use core::time::Duration;

use smoltcp::socket::tcp::State;
use virtual_file_system::Error;

use super::egress::{Words, flag};
use super::handshake::Handshake;
use super::machine::Event;
use super::receive::{Due, Taken};
use super::segment::{Segment, before};
use super::send::Acknowledged;
use super::settings::TcpSettings;
use super::{Flow, Opening, Phase, Slot, SlotId, Tcp};
use crate::platform::Instant;
use crate::stack::context::Context;
use crate::stack::ip::Ip;
use crate::stack::timers::Timer;

/// How long an orphan waits for the peer's FIN (Linux' tcp_fin_timeout), and how long a tuple rests
/// in its owner's hands.
const FIN_WAIT: Duration = Duration::from_secs(60);
/// Between two confirmations of a neighbor by one connection.
const CONFIRM: Duration = Duration::from_secs(10);
/// A writer is woken when so much of the buffer is free again: a quarter.
const FREE_SHARE: usize = 4;

impl Tcp {
    /// Serves every slot on the agenda while there is room.
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
        let Some(slot) = self.slots.get_mut(index as usize) else { return };
        slot.dirty = false;
        match slot.state() {
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
        let Some(slot) = self.slots.get(index as usize) else { return };
        let acknowledge_at = match slot.receiver.due() {
            Due::At(moment) => moment,
            Due::Never | Due::Now => Instant::NEVER,
        };
        let deadline = slot.sender.deadline().min(acknowledge_at);
        self.arm(cx, index, deadline);
    }

    /// Sends our SYN when it is time.
    fn serve_handshake(&mut self, cx: &mut Context, ip: &mut Ip, index: u32) {
        let (now, has_room) = (cx.now, ip.link.has_room());
        let Some(slot) = self.slots.get_mut(index as usize) else { return };
        let Some(handshake) = slot.machine.handshake_mut() else { return };
        let is_due = handshake.deadline() <= now;
        if is_due && has_room {
            handshake.speak(now);
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
        taken: Taken,
    ) {
        self.count_memory(index);
        self.confirm_path(cx, ip, index);
        let Some(slot) = self.slots.get_mut(index as usize) else { return };
        if slot.state() != before {
            return self.state_changed(cx, ip, index, before, false);
        }
        if taken.is_more && !slot.readers.is_empty() {
            cx.wakes.add(&mut slot.readers);
        }
        if acknowledged.is_progress && !slot.writers.is_empty() {
            let is_worth_it = slot.sender.room() * FREE_SHARE >= slot.sender.limit();
            if is_worth_it || slot.sender.is_done() {
                cx.wakes.add(&mut slot.writers);
            }
        }
        match slot.receiver.due() {
            // All that was written is under way, and there is time for the rest.
            Due::At(_) | Due::Never if slot.sender.has_nothing_to_send() => {
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
        let Some(slot) = self.slots.get_mut(index as usize) else { return };
        if now.since(slot.confirmed) < CONFIRM || slot.state() != State::Established {
            return;
        }
        slot.confirmed = now;
        ip.confirm_path(cx, slot.flow.remote.ip());
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
        let Some(slot) = self.slots.get_mut(index as usize) else { return };
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
            cause.into_iter().for_each(|cause| self.report_end(cx, index, cause));
        }
        let Some(slot) = self.slots.get_mut(index as usize) else { return };
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
                self.established(cx, ip, id, flow, &listener);
            }
            (Phase::HalfOpen(listener), State::Closed | State::Listen) => {
                let listener = Arc::clone(listener);
                self.handshake_over(id, &listener);
                return self.forget(cx, id);
            }
            (Phase::Orphan, State::Closed) => return self.forget(cx, id),
            (Phase::Orphan, State::TimeWait) => return self.enter_time_wait(cx, ip, id),
            (Phase::Orphan, State::FinWait2) | (Phase::Owned, State::TimeWait) => {
                slot.give_up_at = cx.now.after(FIN_WAIT);
            }
            _ => {}
        }
        self.close_when_ready(index);
        self.wake_all(cx, index);
    }

    /// Ends our direction once the handshake is over (TCP-O-03).
    pub(crate) fn close_when_ready(&mut self, index: u32) {
        let Some(slot) = self.slots.get_mut(index as usize) else { return };
        if slot.closing && matches!(slot.state(), State::Established | State::CloseWait) {
            slot.closing = false;
            slot.sender.end();
            slot.machine.tell(Event::Ended);
            self.mark(index);
        }
    }

    /// Wakes everybody who waits on a connection.
    pub(crate) fn wake_all(&mut self, cx: &mut Context, index: u32) {
        if let Some(slot) = self.slots.get_mut(index as usize) {
            cx.wakes.add(&mut slot.readers);
            cx.wakes.add(&mut slot.writers);
        }
    }

    /// Sends a reset and lets the socket be closed; the slot stays with its owner.
    pub(crate) fn reset(&mut self, cx: &mut Context, ip: &mut Ip, index: u32) {
        let Some(slot) = self.slots.get_mut(index as usize) else { return };
        let (state, flow) = (slot.state(), slot.flow);
        let (sequence, expected) = slot
            .machine
            .handshake()
            .map_or_else(|| (slot.sender.next(), slot.receiver.next()), Handshake::next);
        slot.machine.abort();
        slot.cut_off();
        // Nobody is told in SYN-SENT (RFC 9293 §3.10.5), and who is at rest needs no word.
        if !matches!(state, State::Closed | State::Listen | State::SynSent | State::TimeWait) {
            let words = Words::control(flag::RST | flag::ACK, sequence, expected);
            self.send_control(cx, ip, flow, &words);
        }
        self.wake_all(cx, index);
    }

    /// Ends one connection for a reason of ours.
    pub(crate) fn end(&mut self, cx: &mut Context, ip: &mut Ip, index: u32, error: Error) {
        self.report_end(cx, index, error);
        if let Some(slot) = self.slots.get_mut(index as usize) {
            slot.fail(error);
            self.reset(cx, ip, index);
        }
    }

    /// Connections from an address that is about to go end with an error; what they received stays
    /// readable (TCP-O-13).
    pub(crate) fn end_from(&mut self, cx: &mut Context, ip: &mut Ip, address: IpAddr) {
        let is_meant =
            |slot: &Slot| slot.flow.local.ip() == address && slot.state() != State::Closed;
        let slots = self.slots.iter().filter(|(_, slot)| is_meant(slot));
        let ended: Vec<u32> = slots.map(|(index, _)| index as u32).collect();
        for index in ended {
            self.end(cx, ip, index, Error::ConnectionAborted);
        }
    }

    /// The interface goes: every connection ends with an error.
    pub(crate) fn end_all(&mut self, cx: &mut Context, ip: &mut Ip) {
        let all: Vec<u32> = self.slots.iter().map(|(index, _)| index as u32).collect();
        for index in all {
            self.end(cx, ip, index, Error::NetworkDown);
        }
    }

    /// Ends a connection with a reset and removes it.
    pub(crate) fn abort(&mut self, cx: &mut Context, ip: &mut Ip, id: SlotId) {
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
    pub(crate) fn forget(&mut self, cx: &mut Context, id: SlotId) {
        if self.get(id).is_some() {
            self.wake_all(cx, id.index);
            self.remove(id.index);
            self.sweep(cx);
        }
    }

    /// Keeps deadlines that count no more from outnumbering the others: each turn of a busy
    /// connection may leave one.
    pub(super) fn sweep(&mut self, cx: &mut Context) {
        let slots = &self.slots;
        cx.timers.sweep(slots.len(), |deadline, timer| match timer {
            Timer::Connection(index) => {
                slots.get(index as usize).is_some_and(|slot| slot.armed == deadline)
            }
            _ => true,
        });
    }

    /// A connect failed: the tuple is free again, the slot stays until its owner took the error.
    pub(crate) fn forget_silently(&mut self, cx: &mut Context, index: u32) {
        let Some(slot) = self.slots.get_mut(index as usize) else { return };
        slot.give_up_at = Instant::NEVER;
        let flow = slot.flow;
        self.unlink(&flow, index);
        self.wake_all(cx, index);
    }

    /// Puts a closed connection that nobody has to rest.
    pub(crate) fn enter_time_wait(&mut self, cx: &mut Context, ip: &mut Ip, id: SlotId) {
        // Nobody will acknowledge later.
        let Some(slot) = self.get(id) else { return };
        if slot.receiver.due() != Due::Never {
            self.acknowledge(cx, ip, id.index);
        }
        let Some(slot) = self.get(id) else { return };
        let (flow, next, expected, window) =
            (slot.flow, slot.sender.next(), slot.receiver.next(), slot.receiver.window());
        self.forget(cx, id);
        let had_none = self.time_wait.deadline().is_none();
        self.time_wait.insert(flow, next, expected, window, cx.now);
        if had_none && let Some(deadline) = self.time_wait.deadline() {
            cx.timers.arm(deadline, Timer::TimeWait);
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
    ) -> SlotId {
        let opening = self.opening(cx, ip, &flow, floor);
        let handshake = Handshake::listen(opening.sequence);
        let phase = Phase::HalfOpen(listener);
        let id = self.insert(flow, phase, handshake, settings, &opening);
        self.follow_path_mtu(cx, ip, id.index);
        let deadline = cx.now.after(super::verbs::HANDSHAKE);
        if let Some(slot) = self.get_mut(id) {
            slot.give_up_at = deadline;
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
            own_segment: self.own_mss(cx, ip, flow.remote.ip()),
            sequence: self.initial_sequence(flow, cx.now, floor),
            now: cx.now,
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
}
