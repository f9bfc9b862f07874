//! Deadlines of a connection: when it is served again, and when it ends without the peer.
//!
//! The sender has the retransmission deadlines, the receiver the deadline of the delayed ACK. This
//! file adds the limits on waiting: handshakes, orphans, the user timeout (RFC 9293 §3.8.3, RFC
//! 5482), keep-alive (RFC 1122 §4.2.3.6). Each connection has one entry in the stack's timer heap,
//! for the earliest deadline.

use core::time::Duration;

use super::settings::{KEEP_ALIVE, TcpSettings};
use super::{Connection, Owner, Tcp};
use crate::command::socket::SocketState as State;
use crate::platform::Instant;
use crate::stack::context::Context;
use crate::stack::ip::Ip;
use crate::stack::timers::Timer;
use devnet_virtual_file_system::Error;

/// How long an orphan tries to deliver its data, and how long a connection waits for a silent peer
/// (about as long as Linux' tcp_retries2).
pub(crate) const ORPHAN: Duration = Duration::from_secs(15 * 60);

/// How long the peer of an orphan may keep its window closed (Linux: about eight probes).
const ORPHAN_STALLED: Duration = Duration::from_secs(60);

/// Keep-alive and user timeouts, in milliseconds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Timeouts {
    /// TCP_KEEPIDLE: silence before the first keep-alive probe; zero disables probes.
    pub(crate) keep_alive_idle: u32,
    pub(crate) keep_alive_interval: u32,
    pub(crate) keep_alive_count: u8,
    /// TCP_USER_TIMEOUT: how long data may stay unacknowledged; zero means [`ORPHAN`] of silence.
    pub(crate) user_timeout: u32,
}

impl TcpSettings {
    pub(crate) const fn timeouts(&self) -> Timeouts {
        Timeouts {
            // Probes without an interval would flood the peer (TCP-S-11).
            keep_alive_idle: if self.keep_alive == 0 {
                0
            } else {
                clamp_keep_alive(self.keep_alive)
            },
            keep_alive_interval: clamp_keep_alive(self.keep_alive_interval),
            keep_alive_count: self.keep_alive_count,
            user_timeout: self.user_timeout,
        }
    }
}

/// Clamps a time to the range of keep-alive timers.
const fn clamp_keep_alive(milliseconds: u32) -> u32 {
    let (minimum, maximum) = (*KEEP_ALIVE.start(), *KEEP_ALIVE.end());
    if milliseconds < minimum {
        minimum
    } else if milliseconds > maximum {
        maximum
    } else {
        milliseconds
    }
}

/// The peer's last signs of life.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PeerActivity {
    /// When the last segment of the peer arrived.
    pub(crate) last_heard: Instant,
    /// Since when the oldest data is unacknowledged; [`Instant::NEVER`] when all is acknowledged.
    pub(crate) unacked_since: Instant,
    /// When the last keep-alive probe left.
    last_probe: Instant,
}

impl PeerActivity {
    pub(crate) const fn new(now: Instant) -> Self {
        Self { last_heard: now, unacked_since: Instant::NEVER, last_probe: now }
    }

    /// A segment of the peer arrived; `progressed` when it acknowledged new data.
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
    /// When the user timeout expires.
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

    /// When the next keep-alive probe is due, or the connection's end if the last probe stays
    /// unanswered.
    fn keep_alive_at(&self) -> Instant {
        if self.timeouts.keep_alive_idle == 0
            || self.activity.unacked_since != Instant::NEVER
            || !matches!(self.state(), State::Established | State::CloseWait | State::FinWait2)
        {
            return Instant::NEVER;
        }
        match self.keep_alive_probes {
            0 => self.activity.last_heard.after(milliseconds(self.timeouts.keep_alive_idle)),
            _ => self.activity.last_probe.after(milliseconds(self.timeouts.keep_alive_interval)),
        }
    }

    /// True when enough keep-alive probes, or the user timeout, passed without an answer.
    fn is_peer_dead(&self, now: Instant) -> bool {
        let Timeouts { keep_alive_count, user_timeout, .. } = self.timeouts;
        let is_late =
            user_timeout != 0 && self.activity.last_heard.after(milliseconds(user_timeout)) <= now;
        self.keep_alive_probes >= keep_alive_count.max(1) || (self.keep_alive_probes > 0 && is_late)
    }
}

impl Tcp {
    /// Arms the connection's timer for the earliest of `deadline` (of its two directions), the user
    /// timeout and keep-alive.
    pub(super) fn arm(&mut self, cx: &mut Context, index: u32, deadline: Instant) {
        let now = cx.now;
        let Some(connection) = self.connections.get_mut(index as usize) else { return };
        match connection.owner {
            Owner::Owned if connection.state() != State::TimeWait => {
                connection.give_up_at = connection.user_timeout_at(now);
            }
            Owner::Orphan => {
                connection.give_up_at = connection.give_up_at.min(connection.user_timeout_at(now));
            }
            _ => {}
        }
        let earliest = deadline.min(connection.give_up_at).min(connection.keep_alive_at());
        // A later deadline needs no new entry: the present one recomputes it when it expires.
        if earliest < connection.timer_deadline {
            connection.timer_deadline = earliest;
            cx.timers.arm(earliest, Timer::Connection(index));
            self.sweep(cx);
        }
    }

    /// Handles an expired deadline of a connection.
    pub(crate) fn expire(&mut self, cx: &mut Context, ip: &mut Ip, index: u32, deadline: Instant) {
        let now = cx.now;
        let Some(connection) = self.connections.get_mut(index as usize) else { return };
        if connection.timer_deadline != deadline {
            return;
        }
        connection.timer_deadline = Instant::NEVER;
        if connection.give_up_at <= now {
            return self.give_up(cx, ip, index);
        }
        if connection.keep_alive_at() <= now {
            if connection.is_peer_dead(now) {
                return self.time_out(cx, ip, index);
            }
            connection.keep_alive_probes += 1;
            connection.activity.last_probe = now;
            self.send_probe(cx, ip, index);
        }
        self.expire_directions(cx, ip, index);
        self.serve(cx, ip, index);
    }

    /// Removes expired TIME-WAIT entries.
    pub(crate) fn expire_time_wait(&mut self, cx: &mut Context) {
        self.time_wait.expire(cx.now);
        if let Some(next) = self.time_wait.deadline() {
            cx.timers.arm(next, Timer::TimeWait);
        }
    }

    /// Runs the expired timers of the sender and the receiver.
    fn expire_directions(&mut self, cx: &mut Context, ip: &mut Ip, index: u32) {
        let Some(connection) = self.connections.get_mut(index as usize) else { return };
        if connection.sender.deadline() > cx.now {
            return;
        }
        let snapshot = cx.watch.before(connection);
        let expired = connection.sender.expire(cx.now);
        cx.watch.after(connection, snapshot, &cx.configuration.name);
        if expired.window_probe {
            let is_over = matches!(connection.owner, Owner::Orphan)
                && connection.activity.unacked_since.after(ORPHAN_STALLED) <= cx.now;
            if is_over {
                return self.time_out(cx, ip, index);
            }
            self.send_probe(cx, ip, index);
        }
        if expired.is_black_hole {
            self.on_black_hole(cx, ip, index);
        }
    }

    /// Ends the connection because the peer does not answer.
    fn time_out(&mut self, cx: &mut Context, ip: &mut Ip, index: u32) {
        let Some(connection) = self.connections.get(index as usize) else { return };
        let error = connection.soft_error.unwrap_or(Error::TimedOut);
        self.report_end(cx, index, error);
        let Some(connection) = self.connections.get_mut(index as usize) else { return };
        if matches!(connection.owner, Owner::Orphan) {
            return self.abort_index(cx, ip, index);
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
                self.remove_and_wake(cx, id);
            }
            Owner::Connecting => {
                connection.fail(Error::TimedOut);
                connection.state_machine.abort();
                self.report_end(cx, index, Error::TimedOut);
                self.release_flow(cx, index);
            }
            // TIME-WAIT of a connection that still has an owner is over.
            Owner::Owned if connection.state() == State::TimeWait => {
                connection.state_machine.abort();
                self.release_flow(cx, index);
            }
            Owner::Owned | Owner::Orphan => self.time_out(cx, ip, index),
        }
    }
}
