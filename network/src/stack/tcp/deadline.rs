//! When a connection is looked at again, and when it ends whatever the peer does.
//!
//! The sender's deadline says when something has to be sent again, the receiver's when an
//! acknowledgment has waited long enough. Those here say when waiting is over: handshakes, orphans,
//! data that stays unacknowledged (RFC 9293 §3.8.3, RFC 5482), keep-alive (RFC 1122 §4.2.3.6). One
//! entry in the stack's heap stands for all of a connection's.

use core::time::Duration;

use super::{Connection, Owner, Tcp};
use crate::command::socket::SocketState as State;
use crate::platform::Instant;
use crate::stack::context::Context;
use crate::stack::ip::Ip;
use crate::stack::timers::Timer;
use virtual_file_system::Error;

/// How long an orphan tries to deliver what was written, and how long a silent peer is waited for
/// (Linux' tcp_retries2 is about as long).
pub(crate) const ORPHAN: Duration = Duration::from_secs(15 * 60);

/// What a program asked for about waiting, in milliseconds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Timeouts {
    /// Silence before the first keep-alive probe; zero for none.
    pub(crate) idle: u32,
    pub(crate) interval: u32,
    pub(crate) count: u8,
    /// How long data may stay unacknowledged; zero for [`ORPHAN`] of silence.
    pub(crate) user_timeout: u32,
}

/// What was last heard of the peer.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PeerActivity {
    /// The last segment of the peer.
    pub(crate) last_heard: Instant,
    /// Since when the oldest data waits for its acknowledgment; [`Instant::NEVER`] when none does.
    pub(crate) unacked_since: Instant,
    /// The last keep-alive probe.
    last_probe: Instant,
}

impl PeerActivity {
    pub(crate) const fn new(now: Instant) -> Self {
        Self { last_heard: now, unacked_since: Instant::NEVER, last_probe: now }
    }

    /// The peer spoke. `progressed` when it acknowledged something new.
    pub(crate) const fn heard(&mut self, now: Instant, progressed: bool) {
        self.last_heard = now;
        if progressed {
            self.unacked_since = Instant::NEVER;
        }
    }
}

const fn milliseconds(count: u32) -> Duration {
    Duration::from_millis(count as u64)
}

impl Connection {
    /// When waiting for an acknowledgment is over.
    fn user_timeout_at(&mut self, now: Instant) -> Instant {
        if self.sender.is_done() {
            self.activity.unacked_since = Instant::NEVER;
            return Instant::NEVER;
        }
        if self.activity.unacked_since == Instant::NEVER {
            self.activity.unacked_since = now;
        }
        match self.timeouts.user_timeout {
            0 => self.activity.unacked_since.max(self.activity.last_heard).after(ORPHAN),
            timeout => self.activity.unacked_since.after(milliseconds(timeout)),
        }
    }

    /// When the next keep-alive probe is due, or the connection's end if the last one got no
    /// answer.
    fn keep_alive_at(&self) -> Instant {
        if self.timeouts.idle == 0
            || self.activity.unacked_since != Instant::NEVER
            || !matches!(self.state(), State::Established | State::CloseWait | State::FinWait2)
        {
            return Instant::NEVER;
        }
        match self.probes {
            0 => self.activity.last_heard.after(milliseconds(self.timeouts.idle)),
            _ => self.activity.last_probe.after(milliseconds(self.timeouts.interval)),
        }
    }

    /// True when the peer was asked often enough or long enough without an answer.
    fn is_given_up(&self, now: Instant) -> bool {
        let Timeouts { count, user_timeout, .. } = self.timeouts;
        let is_late =
            user_timeout != 0 && self.activity.last_heard.after(milliseconds(user_timeout)) <= now;
        self.probes >= count.max(1) || (self.probes > 0 && is_late)
    }
}

impl Tcp {
    /// Makes sure that the connection is looked at when its directions want (`deadline`) and when our own
    /// waiting is over.
    pub(super) fn arm(&mut self, cx: &mut Context, index: u32, deadline: Instant) {
        let now = cx.now;
        let Some(connection) = self.connections.get_mut(index as usize) else { return };
        if matches!(connection.owner, Owner::Owned) && connection.state() != State::TimeWait {
            connection.give_up_at = connection.user_timeout_at(now);
        }
        let earliest = deadline.min(connection.give_up_at).min(connection.keep_alive_at());
        // A later deadline needs no entry: the armed one recomputes it when it pops.
        if earliest < connection.armed {
            connection.armed = earliest;
            cx.timers.arm(earliest, Timer::Connection(index));
            self.sweep(cx);
        }
    }

    /// Handles a connection's deadline.
    pub(crate) fn expire(&mut self, cx: &mut Context, ip: &mut Ip, index: u32, deadline: Instant) {
        let now = cx.now;
        let Some(connection) = self.connections.get_mut(index as usize) else { return };
        if connection.armed != deadline {
            return;
        }
        connection.armed = Instant::NEVER;
        if connection.give_up_at <= now {
            return self.give_up(cx, ip, index);
        }
        if connection.keep_alive_at() <= now {
            if connection.is_given_up(now) {
                return self.time_out(cx, ip, index);
            }
            connection.probes += 1;
            connection.activity.last_probe = now;
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
        let Some(connection) = self.connections.get_mut(index as usize) else { return };
        if connection.sender.deadline() > cx.now {
            return;
        }
        let snapshot = cx.watch.before(connection);
        let expired = connection.sender.expire(cx.now);
        cx.watch.after(connection, snapshot);
        if expired.window_probe {
            self.probe(cx, ip, index);
        }
        if expired.is_black_hole {
            self.narrow_path(cx, ip, index);
        }
    }

    /// The connection ends because the peer is silent.
    fn time_out(&mut self, cx: &mut Context, ip: &mut Ip, index: u32) {
        let Some(connection) = self.connections.get(index as usize) else { return };
        let error = connection.soft_error.unwrap_or(Error::TimedOut);
        self.report_end(cx, index, error);
        let Some(connection) = self.connections.get_mut(index as usize) else { return };
        if matches!(connection.owner, Owner::Orphan) {
            return self.abandon(cx, ip, index);
        }
        connection.fail(error);
        self.reset(cx, ip, index);
    }

    fn give_up(&mut self, cx: &mut Context, ip: &mut Ip, index: u32) {
        let Some(id) = self.id_at(index) else { return };
        let Some(connection) = self.connections.get_mut(index as usize) else { return };
        connection.give_up_at = Instant::NEVER;
        match connection.owner.clone() {
            Owner::HalfOpen(listener) => {
                self.handshake_over(id, &listener);
                self.forget(cx, id);
            }
            Owner::Connecting => {
                connection.fail(Error::TimedOut);
                connection.state_machine.abort();
                self.report_end(cx, index, Error::TimedOut);
                self.forget_silently(cx, index);
            }
            // It rested long enough in its owner's hands.
            Owner::Owned if connection.state() == State::TimeWait => {
                connection.state_machine.abort();
                self.forget_silently(cx, index);
            }
            Owner::Owned | Owner::Orphan => self.time_out(cx, ip, index),
        }
    }
}
