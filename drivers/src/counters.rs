//! The counters of a driver, separate from the interface's statistics.
//!
//! A driver owns one [`Counters`] and is its only writer; its controller reads it from any thread.

use std::sync::atomic::{AtomicU64, Ordering};

use serde::{Deserialize, Serialize};

/// Counters since the driver was created.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct DriverCounters {
    /// Frames that the stack transmitted.
    pub sent_frames: u64,
    /// Bytes that the stack transmitted.
    pub sent_bytes: u64,
    /// Frames that the stack received.
    pub received_frames: u64,
    /// Bytes that the stack received.
    pub received_bytes: u64,
    /// Frames lost in the driver or in the network that it simulates.
    pub dropped_frames: u64,
    /// Bytes of the lost frames.
    pub dropped_bytes: u64,
    /// Failed system calls, such as `EIO` while the kernel interface is down.
    pub failures: u64,
}

/// Counters with a single writer and any number of readers.
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

/// With a single writer, a separate load and store lose nothing and need no locked instruction.
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

    #[cfg(feature = "tap")]
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
