//! What a driver counts by itself, apart from the interface's statistics.
//!
//! A driver owns one [`Counters`] and is its only writer; its controller reads it from any thread.

use std::sync::atomic::{AtomicU64, Ordering};

use serde::{Deserialize, Serialize};

/// What a driver has counted since it was made.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct DriverCounters {
    /// Frames that the stack gave.
    pub sent_frames: u64,
    /// Bytes that the stack gave.
    pub sent_bytes: u64,
    /// Frames that the stack took.
    pub received_frames: u64,
    /// Bytes that the stack took.
    pub received_bytes: u64,
    /// Frames that were lost in the driver or in what it simulates.
    pub dropped_frames: u64,
    /// Bytes of those.
    pub dropped_bytes: u64,
    /// Calls that the system below refused, such as with `EIO` while its side is down.
    pub failures: u64,
}

/// Counts; written by one task at a time, read by any.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    sent: Traffic,
    received: Traffic,
    dropped: Traffic,
    failures: AtomicU64,
}

#[derive(Debug, Default)]
struct Traffic {
    frames: AtomicU64,
    bytes: AtomicU64,
}

impl Traffic {
    fn add(&self, bytes: usize) {
        add(&self.frames, 1);
        add(&self.bytes, bytes as u64);
    }
}

/// With a single writer, a load and a store lose nothing and cost no locked instruction.
fn add(counter: &AtomicU64, count: u64) {
    counter.store(counter.load(Ordering::Relaxed).wrapping_add(count), Ordering::Relaxed);
}

impl Counters {
    pub(crate) fn sent(&self, bytes: usize) {
        self.sent.add(bytes);
    }

    pub(crate) fn received(&self, bytes: usize) {
        self.received.add(bytes);
    }

    pub(crate) fn dropped(&self, bytes: usize) {
        self.dropped.add(bytes);
    }

    pub(crate) fn failed(&self) {
        add(&self.failures, 1);
    }

    pub(crate) fn read(&self) -> DriverCounters {
        DriverCounters {
            sent_frames: self.sent.frames.load(Ordering::Relaxed),
            sent_bytes: self.sent.bytes.load(Ordering::Relaxed),
            received_frames: self.received.frames.load(Ordering::Relaxed),
            received_bytes: self.received.bytes.load(Ordering::Relaxed),
            dropped_frames: self.dropped.frames.load(Ordering::Relaxed),
            dropped_bytes: self.dropped.bytes.load(Ordering::Relaxed),
            failures: self.failures.load(Ordering::Relaxed),
        }
    }
}
