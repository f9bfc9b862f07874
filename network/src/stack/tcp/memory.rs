//! What connections cost in memory, and what happens when it runs out.
//!
//! A connection is charged with the capacity of its buffers, not with the bytes in them, and with a
//! fixed amount for itself, from its first segment to its removal. The stacks of a system share one
//! bound; each takes from it in chunks, so that a segment touches no shared counter.
//!
//! * Below half of the limit buffers grow with what the path takes.
//! * Above they do not. Idle buffers shrink, and connections that hold more than their share and
//!   have made no progress for [`STALLED`] end.
//! * At the limit there are no new connections, and a connection holds
//!   [`limits::TCP_BUFFER_KEPT`] bytes each way before it waits.

use alloc::sync::Arc;
use core::sync::atomic::{AtomicUsize, Ordering};
use core::time::Duration;

use devnet_virtual_file_system::Error;

use super::segment::{Segment, before};
use super::{Connection, Owner, Tcp};
use crate::command::socket::SocketState as State;
use crate::command::usage::Usage;
use crate::limits;
use crate::platform::Instant;
use crate::stack::context::Context;
use crate::stack::ip::Ip;
use crate::trace::event;

/// How long a connection may make no progress when memory is short.
const STALLED: Duration = Duration::from_secs(5);
/// How often connections are searched then, and how many at once: a search takes some microseconds.
const SEARCH_INTERVAL: Duration = Duration::from_millis(5);
const SEARCHED: usize = 128;
/// Bytes that a stack takes from the system at once.
const CHUNK: usize = 64 * 1024;

/// The memory of all connections of a system.
#[derive(Debug)]
pub(crate) struct SystemMemory {
    used: AtomicUsize,
    limit: AtomicUsize,
}

impl Default for SystemMemory {
    fn default() -> Self {
        Self { used: AtomicUsize::new(0), limit: AtomicUsize::new(limits::TCP_MEMORY) }
    }
}

impl SystemMemory {
    /// Bytes that are in use, in chunks, and the limit.
    pub(crate) fn usage(&self) -> (usize, usize) {
        (self.used.load(Ordering::Relaxed), self.limit.load(Ordering::Relaxed))
    }

    pub(crate) fn set_limit(&self, bytes: usize) {
        self.limit.store(bytes, Ordering::Relaxed);
    }
}

/// How scarce memory is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Scarcity {
    Plenty,
    /// Nothing grows.
    Short,
    /// The limit is reached.
    Exhausted,
}

/// The account of one stack.
#[derive(Debug, Default)]
pub(super) struct MemoryAccount {
    system: Arc<SystemMemory>,
    used: usize,
    /// What was taken from the system.
    taken: usize,
    /// The connection where the next search begins, and when.
    search_from: usize,
    search_at: Instant,
}

impl MemoryAccount {
    pub(super) fn new(system: Arc<SystemMemory>) -> Self {
        Self { system, ..Self::default() }
    }

    /// Two loads of what seldom changes.
    #[inline]
    pub(super) fn scarcity(&self) -> Scarcity {
        match self.system.usage() {
            (used, limit) if used >= limit => Scarcity::Exhausted,
            (used, limit) if used >= limit / 2 => Scarcity::Short,
            _ => Scarcity::Plenty,
        }
    }

    /// A connection's memory changed.
    #[inline]
    fn change(&mut self, before: usize, now: usize) {
        self.used = self.used + now - before;
        if self.used > self.taken || self.used + 2 * CHUNK < self.taken || self.used == 0 {
            self.exchange();
        }
    }

    /// Takes chunks from the system, or gives them back.
    fn exchange(&mut self) {
        let wanted = self.used.next_multiple_of(CHUNK);
        // Wraps as the counter does: a smaller amount is a large one to add.
        self.system.used.fetch_add(wanted.wrapping_sub(self.taken), Ordering::Relaxed);
        self.taken = wanted;
    }
}

impl Drop for MemoryAccount {
    fn drop(&mut self) {
        self.used = 0;
        self.exchange();
    }
}

impl Tcp {
    /// What TCP uses.
    pub(crate) fn usage(&self) -> Usage {
        let count = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
        let half_open = self.half_open;
        let orphans = self.orphans.count();
        let (used, limit) = self.memory.system.usage();
        Usage {
            connections: count(self.connections.len() - orphans - half_open),
            half_open: count(half_open),
            orphans: count(orphans),
            time_wait: count(self.time_wait.len()),
            listeners: count(self.listeners.len()),
            tcp_memory: self.memory.used as u64,
            tcp_memory_of_system: used as u64,
            tcp_memory_limit: limit as u64,
            ..Usage::default()
        }
    }

    /// Admits a new connection.
    ///
    /// # Errors
    /// `NoBufferSpace` when memory is exhausted.
    pub(super) fn admit(&mut self, cx: &mut Context, ip: &mut Ip) -> Result<(), Error> {
        match self.relieve(cx, ip) {
            Scarcity::Exhausted => {
                event!(cx, warn, "devnet::tcp", "no memory for connections");
                Err(Error::NoBufferSpace)
            }
            Scarcity::Plenty | Scarcity::Short => Ok(()),
        }
    }

    /// Updates the account of a connection.
    #[inline]
    pub(super) fn count_memory(&mut self, index: u32) {
        let Some(connection) = self.connections.get_mut(index as usize) else { return };
        let now = connection.memory();
        let before = core::mem::replace(&mut connection.memory_counted, now);
        if now != before {
            self.memory.change(before, now);
        }
    }

    /// A connection was removed.
    pub(super) fn forget_memory(&mut self, connection: &Connection) {
        self.memory.change(connection.memory_counted, 0);
    }

    /// When memory is short: shrinks idle buffers, and ends connections that hold more than their
    /// share without making progress. Looks at some of them each time. Returns how it is then.
    #[inline]
    pub(super) fn relieve(&mut self, cx: &mut Context, ip: &mut Ip) -> Scarcity {
        let scarcity = self.memory.scarcity();
        if scarcity == Scarcity::Plenty || self.memory.search_at > cx.now {
            return scarcity;
        }
        self.search(cx, ip);
        self.memory.scarcity()
    }

    #[cold]
    fn search(&mut self, cx: &mut Context, ip: &mut Ip) {
        self.memory.search_at = cx.now.after(SEARCH_INTERVAL);
        let share = self.memory.used / self.connections.len().max(1);
        let from = self.memory.search_from;
        for index in from..from + SEARCHED {
            let Some(connection) = self.connections.get_mut(index) else { continue };
            connection.sender.shrink();
            connection.receiver.shrink();
            let is_stalled = connection.is_stalled(cx.now) && connection.memory() >= share;
            // Fewer than 2^32 connections fit into memory.
            let index = index as u32;
            self.count_memory(index);
            if is_stalled && self.memory.scarcity() != Scarcity::Plenty {
                self.give_way(cx, ip, index);
            }
        }
        let is_over = from + SEARCHED >= self.connections.capacity();
        self.memory.search_from = if is_over { 0 } else { from + SEARCHED };
    }

    /// Ends a connection because memory is short.
    pub(super) fn give_way(&mut self, cx: &mut Context, ip: &mut Ip, index: u32) {
        let Some(connection) = self.connections.get(index as usize) else { return };
        if matches!(connection.owner, Owner::Orphan) {
            self.abort_index(cx, ip, index);
        } else {
            self.end(cx, ip, index, Error::NoBufferSpace);
            self.count_memory(index);
        }
    }
}

impl Connection {
    /// Bytes that the connection costs.
    #[inline]
    fn memory(&self) -> usize {
        limits::TCP_CONNECTION_BYTES + self.sender.memory() + self.receiver.memory()
    }

    /// True when no more data may be stored while memory is exhausted: the program has enough to
    /// read, or a part before it is missing.
    #[cold]
    pub(super) fn holds_enough(&self, segment: &Segment) -> bool {
        segment.length > 0
            && (self.receiver.buffered() >= limits::TCP_BUFFER_KEPT
                || before(self.receiver.rcv_nxt(), segment.sequence))
    }

    /// True when data has waited for the peer for a long time.
    fn is_stalled(&self, now: Instant) -> bool {
        self.state() != State::Closed
            && self.sender.queued() > 0
            && self.activity.unacked_since != Instant::NEVER
            && self.activity.unacked_since.after(STALLED) <= now
    }
}
