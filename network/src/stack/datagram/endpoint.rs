//! One datagram socket's receive queue: datagrams, errors, and waiting tasks.
//!
//! Stacks push under their interface's lock, the socket takes; nobody is woken under the queue's
//! own lock. [`limits::DATAGRAMS`] and the socket's receive buffer bound it; a datagram that does
//! not fit is dropped and counted before it is copied.

use alloc::collections::VecDeque;
use alloc::vec::Vec;
use core::net::SocketAddr;
use core::sync::atomic::{AtomicBool, Ordering};
use core::task::Waker;

use devnet_virtual_file_system::{Error, Lock, Readiness, WakerList};

use crate::command::socket::ErrorReport;
use crate::limits;
use crate::platform::Instant;
use crate::stack::context::Wakes;

/// The metadata of a datagram.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Received {
    pub(crate) length: usize,
    pub(crate) remote: SocketAddr,
    pub(crate) local: SocketAddr,
    pub(crate) interface: u32,
    pub(crate) hop_limit: u8,
    pub(crate) traffic_class: u8,
    /// When the stack received it.
    pub(crate) at: Instant,
}

/// The errors that a socket wants besides those that every connected socket gets.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct Interest {
    /// Error reports with the quoted packet, also when it is not connected (IP_RECVERR).
    pub(crate) reports: bool,
    /// That a path has a smaller MTU: it does not fragment.
    pub(crate) path_mtu: bool,
}

#[derive(Debug)]
struct Queue {
    entries: VecDeque<Received>,
    bytes: VecDeque<u8>,
    capacity: usize,
    error: Option<Error>,
    reports: VecDeque<ErrorReport>,
    interest: Interest,
    readers: WakerList,
}

impl Queue {
    /// Copies as much of the oldest datagram as fits and passes its metadata on; returns its
    /// length.
    fn show(
        &mut self,
        buffer: &mut [u8],
        view: impl FnOnce(usize, &Received),
    ) -> Result<Option<usize>, Error> {
        if let Some(error) = self.error.take() {
            return Err(error);
        }
        let Some(received) = self.entries.front() else { return Ok(None) };
        view(copy_front(&self.bytes, received.length, buffer), received);
        Ok(Some(received.length))
    }
}

/// The queue.
#[derive(Debug)]
pub(crate) struct Endpoint {
    queue: Lock<Queue>,
    /// An error may be pending: checked before taking the lock.
    has_failed: AtomicBool,
}

impl Default for Endpoint {
    fn default() -> Self {
        Self {
            queue: Lock::new(Queue {
                entries: VecDeque::new(),
                bytes: VecDeque::new(),
                capacity: limits::DATAGRAM_BYTES,
                error: None,
                reports: VecDeque::new(),
                interest: Interest::default(),
                readers: WakerList::new(),
            }),
            has_failed: AtomicBool::new(false),
        }
    }
}

impl Endpoint {
    /// Adds a datagram; false when there is no room.
    pub(crate) fn push(&self, received: Received, data: &[u8], wakes: &mut Wakes) -> bool {
        self.queue.with(|queue| {
            if queue.entries.len() >= limits::DATAGRAMS
                || queue.bytes.len() + data.len() > queue.capacity
            {
                return false;
            }
            queue.entries.push_back(received);
            queue.bytes.extend(data);
            wakes.add(&mut queue.readers);
            true
        })
    }

    /// Stores an error for the next call and wakes the waiting tasks (SO_ERROR).
    pub(crate) fn fail(&self, error: Error, wakes: &mut Wakes) {
        self.queue.with(|queue| {
            queue.error = Some(error);
            self.has_failed.store(true, Ordering::Release);
            wakes.add(&mut queue.readers);
        });
    }

    /// Queues an error report and wakes the waiting tasks. Drops the oldest when the queue is full.
    pub(crate) fn report(&self, report: ErrorReport, wakes: &mut Wakes) {
        self.queue.with(|queue| {
            if queue.reports.len() >= limits::ERROR_REPORTS {
                queue.reports.pop_front();
            }
            queue.reports.push_back(report);
            wakes.add(&mut queue.readers);
        });
    }

    /// Takes the oldest datagram: as much of it as fits into `buffer`. Passes the number of bytes
    /// and the metadata to a closure by reference: returning all of it costs more than reading it
    /// in place. False when the queue is empty.
    ///
    /// # Errors
    /// The pending error, once.
    pub(crate) fn take(
        &self,
        buffer: &mut [u8],
        view: impl FnOnce(usize, &Received),
    ) -> Result<bool, Error> {
        self.queue.with(|queue| {
            let Some(length) = queue.show(buffer, view)? else { return Ok(false) };
            queue.entries.pop_front();
            queue.bytes.drain(..length);
            Ok(true)
        })
    }

    /// Like [`take`](Self::take), but leaves the datagram in the queue.
    ///
    /// # Errors
    /// The pending error, once.
    pub(crate) fn peek(
        &self,
        buffer: &mut [u8],
        view: impl FnOnce(usize, &Received),
    ) -> Result<bool, Error> {
        self.queue.with(|queue| Ok(queue.show(buffer, view)?.is_some()))
    }

    /// Takes the oldest datagram whole.
    ///
    /// # Errors
    /// The pending error, once.
    pub(crate) fn take_whole(&self) -> Result<Option<(Vec<u8>, Received)>, Error> {
        self.queue.with(|queue| {
            if let Some(error) = queue.error.take() {
                return Err(error);
            }
            let Some(received) = queue.entries.pop_front() else { return Ok(None) };
            let (first, second) = front(&queue.bytes, received.length);
            let data = [first, second].concat();
            queue.bytes.drain(..received.length);
            Ok(Some((data, received)))
        })
    }

    /// Drops what came from others than `peer`, and what is about them. Returns the interfaces of
    /// the datagrams.
    pub(crate) fn keep_from(&self, peer: SocketAddr) -> Vec<u32> {
        self.queue.with(|queue| {
            queue.reports.retain(|report| super::is_peer(peer, report.remote));
            if queue.entries.iter().all(|received| super::is_peer(peer, received.remote)) {
                return Vec::new();
            }
            let mut dropped = Vec::new();
            let mut bytes = core::mem::take(&mut queue.bytes);
            for received in core::mem::take(&mut queue.entries) {
                let data = bytes.drain(..received.length.min(bytes.len()));
                if super::is_peer(peer, received.remote) {
                    queue.bytes.extend(data);
                    queue.entries.push_back(received);
                } else {
                    dropped.push(received.interface);
                }
            }
            dropped
        })
    }

    /// The pending error, once.
    pub(crate) fn take_error(&self) -> Option<Error> {
        if !self.has_failed.load(Ordering::Acquire) {
            return None;
        }
        self.has_failed.store(false, Ordering::Release);
        self.queue.with(|queue| queue.error.take())
    }

    /// Takes the oldest error report.
    pub(crate) fn take_report(&self) -> Option<ErrorReport> {
        self.queue.with(|queue| queue.reports.pop_front())
    }

    /// The errors that the socket wants.
    pub(crate) fn interest(&self) -> Interest {
        self.queue.with(|queue| queue.interest)
    }

    /// Changes them; drops reports that are no longer wanted.
    pub(crate) fn set_interest(&self, interest: Interest) {
        self.queue.with(|queue| {
            queue.interest = interest;
            if !interest.reports {
                queue.reports.clear();
            }
        });
    }

    /// Sets the capacity in bytes; queued datagrams stay.
    pub(crate) fn set_capacity(&self, bytes: usize) {
        self.queue.with(|queue| queue.capacity = bytes);
    }

    /// Readable, and whether an error is pending.
    pub(crate) fn readiness(&self) -> Readiness {
        self.queue.with(|queue| {
            let mut readiness = Readiness::empty();
            readiness.set(Readiness::READABLE, !queue.entries.is_empty() || queue.error.is_some());
            readiness.set(Readiness::ERROR, queue.error.is_some() || !queue.reports.is_empty());
            readiness
        })
    }

    /// Wakes `waker` when something arrives.
    pub(crate) fn register(&self, waker: &Waker) {
        let evicted = self.queue.with(|queue| queue.readers.register_bounded(waker));
        evicted.into_iter().for_each(Waker::wake);
    }

    /// Bytes in the queue.
    pub(crate) fn waiting(&self) -> usize {
        self.queue.with(|queue| queue.bytes.len())
    }
}

/// Copies as many of the oldest `length` bytes as fit; returns how many.
fn copy_front(bytes: &VecDeque<u8>, length: usize, buffer: &mut [u8]) -> usize {
    let copied = length.min(buffer.len());
    let (first, second) = front(bytes, copied);
    if let Some((head, tail)) =
        buffer.get_mut(..copied).and_then(|place| place.split_at_mut_checked(first.len()))
    {
        head.copy_from_slice(first);
        tail.copy_from_slice(second);
    }
    copied
}

/// The oldest `count` bytes, as the two slices of the ring.
fn front(bytes: &VecDeque<u8>, count: usize) -> (&[u8], &[u8]) {
    let (first, second) = bytes.as_slices();
    let head = first.len().min(count);
    (first.get(..head).unwrap_or_default(), second.get(..count - head).unwrap_or_default())
}
