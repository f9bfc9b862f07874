//! When a connection is looked at again, and when it ends whatever the peer does.
//!
//! smoltcp's own deadline says when it has something to send. Ours say when waiting is over: handshakes, orphans, data that stays
//! unacknowledged (RFC 9293 §3.8.3, RFC 5482), keep-alive (RFC 1122 §4.2.3.6). One entry in the stack's heap stands for all of a slot's.

use core::time::Duration;

use super::{Phase, Slot};
use crate::platform::Instant;
use crate::stack::Stack;
use crate::stack::timers::Timer;
use smoltcp::socket::tcp::State;
use virtual_file_system::Error;

/// How long an orphan tries to deliver what was written, and how long a silent peer is waited for (Linux' tcp_retries2 is about as long).
pub(crate) const ORPHAN: Duration = Duration::from_secs(15 * 60);

/// What a program asked for about waiting.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Patience {
    /// Silence before the first keep-alive probe; zero for none.
    pub(crate) idle: Duration,
    pub(crate) interval: Duration,
    pub(crate) count: u8,
    /// How long data may stay unacknowledged; zero for [`ORPHAN`] of silence.
    pub(crate) user_timeout: Duration,
}

/// What was last heard of the peer.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Contact {
    /// The last segment of the peer.
    pub(crate) heard: Instant,
    /// Since when the oldest data waits for its acknowledgment.
    pub(crate) waiting: Option<Instant>,
    /// Keep-alive probes since then, and the last one's time.
    probes: u8,
    probed: Instant,
}

impl Contact {
    pub(crate) const fn new(now: Instant) -> Self {
        Self { heard: now, waiting: None, probes: 0, probed: now }
    }

    /// The peer spoke. `progressed` when it acknowledged something new.
    pub(crate) const fn hear(&mut self, now: Instant, progressed: bool) {
        self.heard = now;
        self.probes = 0;
        if progressed {
            self.waiting = None;
        }
    }
}

impl Slot {
    /// When waiting for an acknowledgment is over.
    fn patience_ends(&mut self, now: Instant) -> Option<Instant> {
        if self.socket().send_queue() == 0 {
            self.contact.waiting = None;
            return None;
        }
        let since = *self.contact.waiting.get_or_insert(now);
        match self.patience.user_timeout {
            Duration::ZERO => Some(since.max(self.contact.heard).after(ORPHAN)),
            timeout => Some(since.after(timeout)),
        }
    }

    /// When the next keep-alive probe is due, or the connection's end if the last one got no answer.
    fn keep_alive_at(&self) -> Option<Instant> {
        let is_watched = self.patience.idle != Duration::ZERO
            && self.contact.waiting.is_none()
            && matches!(self.socket().state(), State::Established | State::CloseWait | State::FinWait2);
        if !is_watched {
            return None;
        }
        Some(match self.contact.probes {
            0 => self.contact.heard.after(self.patience.idle),
            _ => self.contact.probed.after(self.patience.interval),
        })
    }
}

impl Stack {
    /// Makes sure that the slot is looked at when smoltcp wants (`deadline`) and when our own waiting is over.
    pub(super) fn tcp_arm(&mut self, index: u32, deadline: Option<Instant>) {
        let now = self.now;
        let Some(slot) = self.tcp.slots.get_mut(index as usize) else { return };
        if matches!(slot.phase, Phase::Owned) {
            slot.give_up_at = slot.patience_ends(now);
        }
        let mut earliest = deadline.unwrap_or(Instant::NEVER);
        if let Some(at) = slot.give_up_at {
            earliest = earliest.min(at);
        }
        if let Some(at) = slot.keep_alive_at() {
            earliest = earliest.min(at);
        }
        // A later deadline needs no entry: the armed one recomputes it when it pops.
        if earliest < slot.armed {
            slot.armed = earliest;
            self.timers.arm(earliest, Timer::Slot(index));
        }
    }

    /// Handles a slot's deadline.
    pub(crate) fn tcp_expired(&mut self, index: u32, deadline: Instant) {
        let now = self.now;
        let Some(slot) = self.tcp.slots.get_mut(index as usize) else { return };
        if slot.armed != deadline {
            return;
        }
        slot.armed = Instant::NEVER;
        if slot.give_up_at.is_some_and(|at| at <= now) {
            return self.tcp_give_up(index);
        }
        if slot.keep_alive_at().is_some_and(|at| at <= now) {
            let is_over = slot.contact.probes >= slot.patience.count.max(1)
                || (slot.patience.user_timeout != Duration::ZERO
                    && slot.contact.probes > 0
                    && slot.contact.heard.after(slot.patience.user_timeout) <= now);
            if is_over {
                let error = slot.soft_error.unwrap_or(Error::TimedOut);
                slot.fail(error);
                return self.tcp_reset(index);
            }
            slot.contact.probes += 1;
            slot.contact.probed = now;
            self.tcp_probe(index);
        }
        self.tcp_serve(index);
    }

    fn tcp_give_up(&mut self, index: u32) {
        let Some(id) = self.tcp.id_at(index) else { return };
        let Some(slot) = self.tcp.slots.get_mut(index as usize) else { return };
        slot.give_up_at = None;
        match slot.phase.clone() {
            Phase::HalfOpen(listener) => {
                self.tcp_handshake_over(id, &listener);
                self.tcp_forget(id);
            }
            Phase::Connecting => {
                slot.fail(Error::TimedOut);
                slot.socket_mut().abort();
                self.tcp_forget_silently(index);
            }
            Phase::Owned => {
                let error = slot.soft_error.unwrap_or(Error::TimedOut);
                slot.fail(error);
                self.tcp_reset(index);
            }
            Phase::Orphan => self.tcp_abort(id),
        }
    }
}
