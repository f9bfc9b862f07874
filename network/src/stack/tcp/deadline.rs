//! When a connection is looked at again, and when it ends whatever the peer does.
//!
//! The sender's deadline says when something has to be sent again, the receiver's when an
//! acknowledgment has waited long enough. Those here say when waiting is over: handshakes, orphans,
//! data that stays unacknowledged (RFC 9293 §3.8.3, RFC 5482), keep-alive (RFC 1122 §4.2.3.6). One
//! entry in the stack's heap stands for all of a slot's.

use core::time::Duration;

use super::{Phase, Slot, Tcp};
use crate::platform::Instant;
use crate::stack::context::Context;
use crate::stack::ip::Ip;
use crate::stack::timers::Timer;
use smoltcp::socket::tcp::State;
use virtual_file_system::Error;

/// How long an orphan tries to deliver what was written, and how long a silent peer is waited for
/// (Linux' tcp_retries2 is about as long).
pub(crate) const ORPHAN: Duration = Duration::from_secs(15 * 60);

/// What a program asked for about waiting, in milliseconds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Patience {
    /// Silence before the first keep-alive probe; zero for none.
    pub(crate) idle: u32,
    pub(crate) interval: u32,
    pub(crate) count: u8,
    /// How long data may stay unacknowledged; zero for [`ORPHAN`] of silence.
    pub(crate) user_timeout: u32,
}

/// What was last heard of the peer.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Contact {
    /// The last segment of the peer.
    pub(crate) heard: Instant,
    /// Since when the oldest data waits for its acknowledgment; [`Instant::NEVER`] when none does.
    pub(crate) waiting: Instant,
    /// The last keep-alive probe.
    probed: Instant,
}

impl Contact {
    pub(crate) const fn new(now: Instant) -> Self {
        Self { heard: now, waiting: Instant::NEVER, probed: now }
    }

    /// The peer spoke. `progressed` when it acknowledged something new.
    pub(crate) const fn hear(&mut self, now: Instant, progressed: bool) {
        self.heard = now;
        if progressed {
            self.waiting = Instant::NEVER;
        }
    }
}

const fn milliseconds(count: u32) -> Duration {
    Duration::from_millis(count as u64)
}

impl Slot {
    /// When waiting for an acknowledgment is over.
    fn patience_ends(&mut self, now: Instant) -> Instant {
        if self.sender.is_done() {
            self.contact.waiting = Instant::NEVER;
            return Instant::NEVER;
        }
        if self.contact.waiting == Instant::NEVER {
            self.contact.waiting = now;
        }
        match self.patience.user_timeout {
            0 => self.contact.waiting.max(self.contact.heard).after(ORPHAN),
            timeout => self.contact.waiting.after(milliseconds(timeout)),
        }
    }

    /// When the next keep-alive probe is due, or the connection's end if the last one got no
    /// answer.
    fn keep_alive_at(&self) -> Instant {
        if self.patience.idle == 0
            || self.contact.waiting != Instant::NEVER
            || !matches!(self.state(), State::Established | State::CloseWait | State::FinWait2)
        {
            return Instant::NEVER;
        }
        match self.probes {
            0 => self.contact.heard.after(milliseconds(self.patience.idle)),
            _ => self.contact.probed.after(milliseconds(self.patience.interval)),
        }
    }

    /// True when the peer was asked often enough or long enough without an answer.
    fn is_given_up(&self, now: Instant) -> bool {
        let Patience { count, user_timeout, .. } = self.patience;
        let is_late =
            user_timeout != 0 && self.contact.heard.after(milliseconds(user_timeout)) <= now;
        self.probes >= count.max(1) || (self.probes > 0 && is_late)
    }
}

impl Tcp {
    /// Makes sure that the slot is looked at when its directions want (`deadline`) and when our own
    /// waiting is over.
    pub(super) fn arm(&mut self, cx: &mut Context, index: u32, deadline: Instant) {
        let now = cx.now;
        let Some(slot) = self.slots.get_mut(index as usize) else { return };
        if matches!(slot.phase, Phase::Owned) && slot.state() != State::TimeWait {
            slot.give_up_at = slot.patience_ends(now);
        }
        let earliest = deadline.min(slot.give_up_at).min(slot.keep_alive_at());
        // A later deadline needs no entry: the armed one recomputes it when it pops.
        if earliest < slot.armed {
            slot.armed = earliest;
            cx.timers.arm(earliest, Timer::Connection(index));
            self.sweep(cx);
        }
    }

    /// Handles a slot's deadline.
    pub(crate) fn expire(&mut self, cx: &mut Context, ip: &mut Ip, index: u32, deadline: Instant) {
        let now = cx.now;
        let Some(slot) = self.slots.get_mut(index as usize) else { return };
        if slot.armed != deadline {
            return;
        }
        slot.armed = Instant::NEVER;
        if slot.give_up_at <= now {
            return self.give_up(cx, ip, index);
        }
        if slot.keep_alive_at() <= now {
            if slot.is_given_up(now) {
                return self.time_out(cx, ip, index);
            }
            slot.probes += 1;
            slot.contact.probed = now;
            self.probe(cx, ip, index);
        }
        self.expire_directions(cx, ip, index);
        self.serve(cx, ip, index);
    }

    /// Forgets connections that waited in TIME-WAIT long enough.
    pub(crate) fn expire_time_wait(&mut self, cx: &mut Context) {
        self.time_wait.expire(cx.now);
        if let Some(next) = self.time_wait.deadline() {
            cx.timers.arm(next, Timer::TimeWait);
        }
    }

    /// Handles what is due in the sender and the receiver.
    fn expire_directions(&mut self, cx: &mut Context, ip: &mut Ip, index: u32) {
        let Some(slot) = self.slots.get_mut(index as usize) else { return };
        if slot.sender.deadline() > cx.now {
            return;
        }
        let vitals = cx.watch.before(slot);
        let expired = slot.sender.expire(cx.now);
        cx.watch.after(slot, vitals);
        if expired.window_probe {
            self.probe(cx, ip, index);
        }
        if expired.is_black_hole {
            self.narrow_path(cx, ip, index);
        }
    }

    /// The connection ends because the peer is silent.
    fn time_out(&mut self, cx: &mut Context, ip: &mut Ip, index: u32) {
        let Some(slot) = self.slots.get(index as usize) else { return };
        let error = slot.soft_error.unwrap_or(Error::TimedOut);
        self.report_end(cx, index, error);
        let Some(slot) = self.slots.get_mut(index as usize) else { return };
        if matches!(slot.phase, Phase::Orphan) {
            return self.abandon(cx, ip, index);
        }
        slot.fail(error);
        self.reset(cx, ip, index);
    }

    fn give_up(&mut self, cx: &mut Context, ip: &mut Ip, index: u32) {
        let Some(id) = self.id_at(index) else { return };
        let Some(slot) = self.slots.get_mut(index as usize) else { return };
        slot.give_up_at = Instant::NEVER;
        match slot.phase.clone() {
            Phase::HalfOpen(listener) => {
                self.handshake_over(id, &listener);
                self.forget(cx, id);
            }
            Phase::Connecting => {
                slot.fail(Error::TimedOut);
                slot.machine.abort();
                self.report_end(cx, index, Error::TimedOut);
                self.forget_silently(cx, index);
            }
            // It rested long enough in its owner's hands.
            Phase::Owned if slot.state() == State::TimeWait => {
                slot.machine.abort();
                self.forget_silently(cx, index);
            }
            Phase::Owned | Phase::Orphan => self.time_out(cx, ip, index),
        }
    }
}
