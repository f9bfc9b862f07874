//! What connections do by themselves: egress, timers, and what follows from a change of state.

use alloc::sync::Arc;
use core::time::Duration;

use smoltcp::iface::PollResult;
use smoltcp::socket::tcp::{self, State};
use virtual_file_system::Error;

use super::segment::Segment;
use super::spares::ACK_DELAY;
use super::{Flow, Opening, Phase, Slot, SlotId};
use crate::limits;
use crate::platform::Instant;
use crate::stack::oneshot::OneShot;
use crate::stack::timers::Timer;
use crate::stack::{Stack, our_time, smoltcp_time};

/// How long an orphan waits for the peer's FIN (Linux' tcp_fin_timeout).
const FIN_WAIT: Duration = Duration::from_secs(60);
/// Between two confirmations of a neighbor by one connection.
const CONFIRM: Duration = Duration::from_secs(10);
/// The wait before a slot that was due and did nothing is looked at again; keeps a bug above from becoming a spin.
const UNPRODUCTIVE: Duration = Duration::from_millis(10);
/// Bytes that are not sent yet from which on another segment is tried without asking: more than any segment but a jumbo one holds.
const EAGER: usize = 1460;
/// smoltcp's shortest retransmission timeout.
const RETRANSMISSION: Duration = Duration::from_secs(1);
/// smoltcp's delay of acknowledgments.
const DELAYED_ACK: Duration = Duration::from_millis(10);

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
        self.tcp_serve_from(index, false);
    }

    /// As [`tcp_serve`](Self::tcp_serve). `eager` when there is something to send as far as anybody knows: then nobody is asked first.
    pub(crate) fn tcp_serve_from(&mut self, index: u32, mut eager: bool) {
        let now = smoltcp_time(self.now);
        for _ in 0..limits::EGRESS_QUANTUM {
            let has_room = self.has_room();
            let Self { tcp, pool, emitted, interface, .. } = self;
            let Some(slot) = tcp.slots.get_mut(index as usize) else { return };
            slot.dirty = false;
            let is_asked = !eager;
            if is_asked {
                match interface.poll_at(now, &slot.set).map(our_time) {
                    Some(deadline) if deadline <= self.now => {}
                    deadline => return self.tcp_arm(index, deadline),
                }
            }
            if !has_room {
                return self.tcp_postpone(index);
            }
            let before = slot.socket().state();
            let mut device = OneShot::sending(pool, emitted, slot.shape.longest());
            let outcome = interface.poll_egress(now, &mut device, &mut slot.set);
            self.tcp_emit(index);
            let Some(slot) = self.tcp.slots.get(index as usize) else { return };
            let has_more = slot.supervision.unsent(slot.socket().send_queue()) >= EAGER;
            let is_watched = slot.armed <= self.now.after(RETRANSMISSION) && slot.patience.user_timeout == 0;
            // A timer may change the state without a packet.
            if slot.socket().state() != before {
                self.tcp_changed_state(index, before, false);
            } else if outcome == PollResult::None && is_asked {
                return self.tcp_arm(index, Some(self.now.after(UNPRODUCTIVE)));
            }
            eager = has_more && outcome != PollResult::None;
            // What was sent is waited for a second at least; who is looked at sooner needs no deadline for that.
            if !is_asked && !has_more && outcome != PollResult::None && is_watched {
                return;
            }
        }
        self.tcp_postpone(index);
    }

    /// Leaves the rest for the next turn. Should that never come, because the device is stuck for ever, the connection still ends.
    fn tcp_postpone(&mut self, index: u32) {
        self.tcp_arm(index, None);
        self.tcp.mark(index);
    }

    /// True when the connection has something to send whatever the time is.
    pub(crate) fn tcp_is_due(&mut self, index: u32) -> bool {
        let now = smoltcp_time(self.now);
        let Some(slot) = self.tcp.slots.get(index as usize) else { return false };
        self.interface.poll_at(now, &slot.set).is_some_and(|at| our_time(at) == Instant::ZERO)
    }

    /// Looks at a connection after a segment reached it.
    pub(crate) fn tcp_changed(&mut self, index: u32, before: State, segment: &Segment, progressed: bool) {
        self.tcp_confirm_neighbor(index);
        let Some(slot) = self.tcp.slots.get_mut(index as usize) else { return };
        if slot.socket().state() != before || slot.closing {
            self.tcp_changed_state(index, before, segment.rst);
            return self.tcp.mark(index);
        }
        let is_quiet = before == State::Established && slot.is_quiet_after(segment, progressed);
        self.tcp_wake(index, before);
        if is_quiet {
            self.tcp_arm(index, Some(self.now.after(DELAYED_ACK)));
        } else {
            self.tcp.mark(index);
        }
    }

    /// An established peer that answers proves that its next hop is reachable (RFC 4861 §7.3.1).
    fn tcp_confirm_neighbor(&mut self, index: u32) {
        let now = self.now;
        let Some(slot) = self.tcp.slots.get_mut(index as usize) else { return };
        if now.since(slot.confirmed) < CONFIRM || slot.socket().state() != State::Established {
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
        let state = slot.socket().state();
        if state == State::Closed && before != State::Closed && slot.error.is_none() {
            slot.error = match (before, is_reset) {
                (State::SynSent, true) => Some(Error::ConnectionRefused),
                // The peer had ended its direction: reading ends in peace, as on Linux.
                (State::CloseWait, true) => Some(Error::BrokenPipe),
                (_, true) => Some(Error::ConnectionReset),
                (State::SynSent, false) => Some(Error::TimedOut),
                _ => None,
            };
        }
        match (slot.phase.clone(), state) {
            (Phase::Connecting, State::Established | State::CloseWait) => {
                slot.phase = Phase::Owned;
                slot.give_up_at = Instant::NEVER;
            }
            (Phase::HalfOpen(listener), State::Established | State::CloseWait) => {
                let flow = slot.flow;
                self.tcp_established(id, flow, &listener);
            }
            // A reset in SYN-RECEIVED puts a socket back to LISTEN; ours was made for this one connection.
            (Phase::HalfOpen(listener), State::Closed | State::Listen) => {
                self.tcp_handshake_over(id, &listener);
                return self.tcp_forget(id);
            }
            (Phase::Orphan, State::Closed) => return self.tcp_forget(id),
            (Phase::Orphan, State::TimeWait) => return self.tcp_rest(id),
            (Phase::Orphan, State::FinWait2) if before != State::FinWait2 => {
                slot.give_up_at = self.now.after(FIN_WAIT);
            }
            _ => {}
        }
        self.tcp_close_when_ready(index);
        self.tcp_wake(index, before);
    }

    /// Ends our direction as soon as smoltcp can be trusted with it: in CLOSE-WAIT only once everything is acknowledged, since
    /// LAST-ACK ignores window updates (`smoltcp-scaling` §6d).
    pub(crate) fn tcp_close_when_ready(&mut self, index: u32) {
        let Some(slot) = self.tcp.slots.get_mut(index as usize) else { return };
        if !slot.closing {
            return;
        }
        let socket = slot.socket_mut();
        let is_ready = match socket.state() {
            State::CloseWait => socket.send_queue() == 0,
            State::SynReceived | State::SynSent => false,
            _ => true,
        };
        if is_ready {
            socket.close();
            slot.closing = false;
            self.tcp.mark(index);
        }
    }

    fn tcp_wake(&mut self, index: u32, before: State) {
        let Some(slot) = self.tcp.slots.get_mut(index as usize) else { return };
        let socket = slot.socket();
        let changed = socket.state() != before;
        let (readable, writable) =
            (socket.recv_queue() > 0 || !socket.may_recv(), socket.can_send() || !socket.may_send());
        if (readable || changed) && !slot.readers.is_empty() {
            self.wakes.add(&mut slot.readers);
        }
        if (writable || changed) && !slot.writers.is_empty() {
            self.wakes.add(&mut slot.writers);
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
        slot.socket_mut().abort();
        let now = smoltcp_time(self.now);
        let mut device = OneShot::sending(&mut self.pool, &mut self.emitted, slot.shape.longest());
        self.interface.poll_egress(now, &mut device, &mut slot.set);
        self.tcp_emit(index);
        self.tcp_wake_all(index);
    }

    /// Ends a connection with a reset and removes it.
    pub(crate) fn tcp_abort(&mut self, id: SlotId) {
        if self.tcp.get(id).is_some() {
            self.tcp_reset(id.index);
            self.tcp_forget(id);
        }
    }

    /// Removes a connection without a word to the peer.
    pub(crate) fn tcp_forget(&mut self, id: SlotId) {
        if self.tcp.get(id).is_some() {
            self.tcp_wake_all(id.index);
            self.tcp.remove(id.index);
            let Self { timers, tcp, .. } = self;
            timers.sweep(tcp.slots.len(), |deadline, timer| match timer {
                Timer::Slot(index) => tcp.slots.get(index as usize).is_some_and(|slot| slot.armed == deadline),
                _ => true,
            });
        }
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
        // The last ACK must not wait for its delay: nobody would send it. smoltcp keeps a delay that has begun, so this is the time after it.
        let Some(slot) = self.tcp.get_mut(id) else { return };
        let now = smoltcp_time(self.now) + ACK_DELAY;
        let mut device = OneShot::sending(&mut self.pool, &mut self.emitted, slot.shape.longest());
        self.interface.poll_egress(now, &mut device, &mut slot.set);
        self.tcp_emit(id.index);
        let Some(slot) = self.tcp.get(id) else { return };
        let (flow, supervision) = (slot.flow, slot.supervision);
        self.tcp_forget(id);
        let had_none = self.tcp.time_wait.deadline().is_none();
        let receive_next = supervision.receive_next.unwrap_or_default();
        self.tcp.time_wait.insert(flow, supervision.send_maximum, receive_next, supervision.window, self.now);
        if had_none && let Some(deadline) = self.tcp.time_wait.deadline() {
            self.timers.arm(deadline, Timer::TimeWait);
        }
    }

    /// A connection that a SYN made for a listener. `floor` is the last number of the flow's former connection.
    pub(crate) fn tcp_open_passive(
        &mut self,
        flow: Flow,
        listener: &Arc<super::listen::Listener>,
        floor: Option<u32>,
    ) -> Option<SlotId> {
        let settings = listener.settings();
        let (mut set, handle) = self.tcp.spares.take(&settings);
        let endpoint = (smoltcp::wire::IpAddress::from(flow.local.ip()), flow.local.port());
        set.get_mut::<tcp::Socket<'_>>(handle).listen(endpoint).ok()?;
        let opening = self.tcp_opening(&flow, floor);
        let phase = Phase::HalfOpen(Arc::clone(listener));
        let id = self.tcp.insert(flow, phase, (set, handle), &settings, &opening);
        self.tcp_measure(id.index);
        let deadline = self.now.after(super::verbs::HANDSHAKE);
        if let Some(slot) = self.tcp.get_mut(id) {
            slot.give_up_at = deadline;
        }
        Some(id)
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
    /// True when a segment cannot have made anything due but an acknowledgment, and that after its delay: all that was written is under
    /// way, no duplicate acknowledgment, no full segment unacknowledged.
    fn is_quiet_after(&self, segment: &Segment, progressed: bool) -> bool {
        let Some(acknowledged) = self.supervision.receive_next else { return false };
        let pending = segment.end().wrapping_sub(acknowledged) as usize;
        !segment.fin
            && segment.window != 0
            && (segment.length > 0 || progressed)
            && pending <= usize::from(self.shape.peer_segment)
            && self.supervision.unsent(self.socket().send_queue()) == 0
    }
}
