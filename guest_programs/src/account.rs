//! What a guest uses of its limits: sockets, buffer bytes, bandwidth, and the work of imports that
//! it has to pay with fuel. All files of a guest share one account.
//!
//! A socket holds a [`Reservation`], from its creation or from the moment at which a connection is
//! offered, until nothing of it is left in the stack: closing the file gives nothing back while
//! data is under way. The account cannot leak. Each direction has a token bucket for bandwidth. One
//! transfer may overdraw the bucket, because a datagram cannot be split.

use alloc::sync::Arc;
use core::time::Duration;

use devnet_network::platform::{Clock, Instant};
use devnet_virtual_file_system::{Error, Lock, Result};

use crate::grants::Limits;
use crate::limits;

/// The direction of data, as the guest sees it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Direction {
    Receive,
    Send,
}

/// The resources that one guest uses.
pub(crate) struct Account {
    limits: Limits,
    clock: Arc<dyn Clock>,
    state: Lock<State>,
}

struct State {
    sockets: usize,
    buffers: usize,
    /// Fuel of work that imports did for the guest and that it has not paid yet.
    work: u64,
    /// The largest buffer sizes set on a listener. Its connections are charged with them.
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
        let state = State {
            sockets: 0,
            buffers: 0,
            work: 0,
            accepted: (0, 0),
            received: bucket,
            sent: bucket,
        };
        Self { limits, clock, state: Lock::new(state) }
    }

    /// Counts work in units of fuel.
    pub(crate) fn work(&self, fuel: u64) {
        self.state.with(|state| state.work = state.work.saturating_add(fuel));
    }

    /// Returns the work that was counted since the last call.
    pub(crate) fn take_work(&self) -> u64 {
        self.state.with(|state| core::mem::take(&mut state.work))
    }

    /// Reserves a socket with the default buffers.
    pub(crate) fn reserve(self: &Arc<Self>) -> Result<Arc<Reservation>> {
        self.reserve_bytes(limits::SOCKET_BUFFER_BYTES, limits::SOCKET_BUFFER_BYTES)
    }

    /// Reserves a connection of a listener of this guest.
    pub(crate) fn reserve_accepted(self: &Arc<Self>) -> Result<Arc<Reservation>> {
        let (receive, send) = self.state.with(|state| state.accepted);
        self.reserve_bytes(
            receive.max(limits::SOCKET_BUFFER_BYTES),
            send.max(limits::SOCKET_BUFFER_BYTES),
        )
    }

    /// Reserves a socket with buffers of these sizes.
    pub(crate) fn reserve_bytes(
        self: &Arc<Self>,
        receive: usize,
        send: usize,
    ) -> Result<Arc<Reservation>> {
        self.state.with(|state| {
            let room = self.limits.buffer_bytes.saturating_sub(state.buffers);
            if state.sockets >= self.limits.sockets || receive.saturating_add(send) > room {
                return Err(Error::NoBufferSpace);
            }
            state.sockets += 1;
            state.buffers += receive + send;
            let sizes = Lock::new(Sizes { receive, send });
            Ok(Arc::new(Reservation { account: Arc::clone(self), sizes }))
        })
    }

    /// Returns how much of `wanted` may be transferred now; 0 if the bucket is empty.
    pub(crate) fn allowance(&self, direction: Direction, wanted: usize) -> usize {
        let Some(rate) = self.limits.bandwidth else { return wanted };
        let now = self.clock.now();
        let there = self.state.with(|state| state.bucket(direction).level(rate, now));
        wanted.min(usize::try_from(there).unwrap_or(0))
    }

    /// Charges transferred bytes.
    pub(crate) fn charge(&self, direction: Direction, bytes: usize) {
        if self.limits.bandwidth.is_some() {
            self.state.with(|state| {
                let bucket = state.bucket(direction);
                bucket.bytes =
                    bucket.bytes.saturating_sub(i64::try_from(bytes).unwrap_or(i64::MAX));
            });
        }
    }

    /// Returns when an empty bucket has tokens again.
    pub(crate) fn refilled(&self, direction: Direction) -> Instant {
        let now = self.clock.now();
        let Some(rate) = self.limits.bandwidth else { return now };
        let missing = self
            .state
            .with(|state| state.bucket(direction).level(rate, now))
            .saturating_neg()
            .saturating_add(1);
        // Wait for a tenth of the burst, so that a slow guest does not wake for every byte.
        let missing =
            u64::try_from(missing).unwrap_or(1).saturating_add(burst(rate).unsigned_abs() / 10);
        now.after(Duration::from_micros(missing.saturating_mul(1_000_000) / rate.max(1)))
    }

    /// Waits until an empty bucket has tokens again.
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

    /// Returns the number of sockets and the bytes of their buffers.
    pub(crate) fn usage(&self) -> (usize, usize) {
        self.state.with(|state| (state.sockets, state.buffers))
    }
}

/// A socket's share of the account; dropping it returns the share.
pub(crate) struct Reservation {
    account: Arc<Account>,
    sizes: Lock<Sizes>,
}

/// The charged buffers of a socket, in bytes.
#[derive(Clone, Copy)]
struct Sizes {
    receive: usize,
    send: usize,
}

impl Reservation {
    /// Changes the charged buffer size and returns the previous one.
    ///
    /// # Errors
    /// `NoBufferSpace` if the guest's limit does not allow it; the charge is unchanged.
    pub(crate) fn resize(&self, direction: Direction, bytes: usize) -> Result<usize> {
        self.sizes.with(|sizes| {
            let size = match direction {
                Direction::Receive => &mut sizes.receive,
                Direction::Send => &mut sizes.send,
            };
            self.account.state.with(|state| {
                let others = state.buffers.saturating_sub(*size);
                if others.saturating_add(bytes) > self.account.limits.buffer_bytes {
                    return Err(Error::NoBufferSpace);
                }
                state.buffers = others + bytes;
                Ok(core::mem::replace(size, bytes))
            })
        })
    }

    /// Marks the socket as a listener: its connections inherit its buffer sizes.
    pub(crate) fn set_listener(&self) {
        let Sizes { receive, send } = self.sizes.with(|sizes| *sizes);
        self.account.state.with(|state| {
            state.accepted = (state.accepted.0.max(receive), state.accepted.1.max(send));
        });
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        let Sizes { receive, send } = self.sizes.with(|sizes| *sizes);
        self.account.state.with(|state| {
            state.sockets = state.sockets.saturating_sub(1);
            state.buffers = state.buffers.saturating_sub(receive + send);
        });
    }
}

/// A token bucket in bytes; negative after a transfer larger than its level.
#[derive(Clone, Copy)]
struct Bucket {
    bytes: i64,
    filled: Instant,
}

/// The capacity of a bucket in bytes, at least 1.
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
