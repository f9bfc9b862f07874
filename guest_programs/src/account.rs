//! What a guest uses of its limits: sockets, buffer bytes, bandwidth. All its files share one
//! account.
//!
//! A socket holds a [`Seat`]; dropping the file drops the seat, so nothing can be forgotten.
//! Bandwidth is a bucket for each direction that fills with time; it may be overdrawn by one
//! transfer, because a datagram cannot be cut.

use alloc::sync::Arc;
use core::time::Duration;

use network::platform::{Clock, Instant};
use virtual_file_system::{Error, Lock, Result};

use crate::grants::Limits;
use crate::limits;

/// Which way bytes go, seen from the guest.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Direction {
    Receive,
    Send,
}

/// What one guest uses.
pub(crate) struct Account {
    limits: Limits,
    clock: Arc<dyn Clock>,
    state: Lock<State>,
}

struct State {
    sockets: usize,
    buffers: usize,
    /// The largest buffers that a listener was given: its connections are charged with them.
    accepted: (usize, usize),
    received: Bucket,
    sent: Bucket,
}

impl State {
    fn bucket(&mut self, direction: Direction) -> &mut Bucket {
        match direction {
            Direction::Receive => &mut self.received,
            Direction::Send => &mut self.sent,
        }
    }
}

impl Account {
    pub(crate) fn new(limits: Limits, clock: Arc<dyn Clock>) -> Self {
        let bucket = Bucket { bytes: limits.bandwidth.map_or(0, burst), filled: clock.now() };
        let state =
            State { sockets: 0, buffers: 0, accepted: (0, 0), received: bucket, sent: bucket };
        Self { limits, clock, state: Lock::new(state) }
    }

    /// Takes the place of a socket with the usual buffers, or with smaller ones if there is no room
    /// for those.
    pub(crate) fn seat(self: &Arc<Self>) -> Result<Seat> {
        self.occupy(limits::SOCKET_BUFFER_BYTES, limits::SOCKET_BUFFER_BYTES)
    }

    /// Takes the place of a connection that a listener of this guest accepted.
    pub(crate) fn seat_of_accepted(self: &Arc<Self>) -> Result<Seat> {
        let (receive, send) = self.state.with(|state| state.accepted);
        self.occupy(receive.max(limits::SOCKET_BUFFER_BYTES), send.max(limits::SOCKET_BUFFER_BYTES))
    }

    fn occupy(self: &Arc<Self>, receive: usize, send: usize) -> Result<Seat> {
        self.state.with(|state| {
            let room = self.limits.buffer_bytes.saturating_sub(state.buffers);
            if state.sockets >= self.limits.sockets || receive.saturating_add(send) > room {
                return Err(Error::NoBufferSpace);
            }
            state.sockets += 1;
            state.buffers += receive + send;
            Ok(Seat { account: Arc::clone(self), receive, send })
        })
    }

    /// How much of `wanted` may be moved now; 0 if the bucket is empty.
    pub(crate) fn allowance(&self, direction: Direction, wanted: usize) -> usize {
        let Some(rate) = self.limits.bandwidth else { return wanted };
        let now = self.clock.now();
        let there = self.state.with(|state| state.bucket(direction).level(rate, now));
        wanted.min(usize::try_from(there).unwrap_or(0))
    }

    /// Charges bytes that were moved.
    pub(crate) fn charge(&self, direction: Direction, bytes: usize) {
        if self.limits.bandwidth.is_some() {
            self.state.with(|state| {
                let bucket = state.bucket(direction);
                bucket.bytes =
                    bucket.bytes.saturating_sub(i64::try_from(bytes).unwrap_or(i64::MAX));
            });
        }
    }

    /// When an empty bucket has bytes again.
    pub(crate) fn refilled(&self, direction: Direction) -> Instant {
        let now = self.clock.now();
        let Some(rate) = self.limits.bandwidth else { return now };
        let missing = self
            .state
            .with(|state| state.bucket(direction).level(rate, now))
            .saturating_neg()
            .saturating_add(1);
        // A tenth of the burst at once, so that a slow guest is not woken for every byte.
        let missing =
            u64::try_from(missing).unwrap_or(1).saturating_add(burst(rate).unsigned_abs() / 10);
        now.after(Duration::from_micros(missing.saturating_mul(1_000_000) / rate.max(1)))
    }

    /// Waits until an empty bucket has bytes again.
    pub(crate) async fn refill(&self, direction: Direction) {
        while self.allowance(direction, 1) == 0 {
            self.clock.sleep_until(self.refilled(direction)).await;
        }
    }

    pub(crate) fn clock(&self) -> &dyn Clock {
        &*self.clock
    }

    pub(crate) fn limits(&self) -> &Limits {
        &self.limits
    }

    /// Sockets and their buffers' bytes.
    pub(crate) fn usage(&self) -> (usize, usize) {
        self.state.with(|state| (state.sockets, state.buffers))
    }
}

/// A socket's share of the account, given back when dropped.
pub(crate) struct Seat {
    account: Arc<Account>,
    receive: usize,
    send: usize,
}

impl Seat {
    /// Charges another buffer size, and tells the former one.
    ///
    /// # Errors
    /// `NoBufferSpace` if the guest has not so much left; the charge stays as it was.
    pub(crate) fn resize(&mut self, direction: Direction, bytes: usize) -> Result<usize> {
        let size = match direction {
            Direction::Receive => &mut self.receive,
            Direction::Send => &mut self.send,
        };
        self.account.state.with(|state| {
            let others = state.buffers.saturating_sub(*size);
            if others.saturating_add(bytes) > self.account.limits.buffer_bytes {
                return Err(Error::NoBufferSpace);
            }
            state.buffers = others + bytes;
            Ok(core::mem::replace(size, bytes))
        })
    }

    /// The socket listens: what it accepts gets buffers of its size.
    pub(crate) fn listens(&self) {
        self.account.state.with(|state| {
            state.accepted = (state.accepted.0.max(self.receive), state.accepted.1.max(self.send));
        });
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.account.state.with(|state| {
            state.sockets = state.sockets.saturating_sub(1);
            state.buffers = state.buffers.saturating_sub(self.receive + self.send);
        });
    }
}

/// Bytes that may go; negative after a transfer that was larger.
#[derive(Clone, Copy)]
struct Bucket {
    bytes: i64,
    filled: Instant,
}

/// Bytes that a full bucket has: at least one largest datagram, so that each can go at some time.
fn burst(rate: u64) -> i64 {
    let bytes = u128::from(rate) * u128::from(limits::BURST_MILLISECONDS) / 1000;
    i64::try_from(bytes).unwrap_or(i64::MAX).max(1)
}

impl Bucket {
    fn level(&mut self, rate: u64, now: Instant) -> i64 {
        let micros = now.since(self.filled).as_micros();
        let more =
            i64::try_from(micros.saturating_mul(u128::from(rate)) / 1_000_000).unwrap_or(i64::MAX);
        if more > 0 {
            self.bytes = self.bytes.saturating_add(more).min(burst(rate));
            self.filled = now;
        }
        self.bytes
    }
}
