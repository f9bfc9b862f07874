//! What is measured: processor time of this thread, and memory.
//!
//! The thread's processor time does not count what other programs take from the machine. The work
//! of attackers, who would have machines of their own, is not counted either.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use devnet_drivers::MappingAllocator;
use rustix::time::{ClockId, clock_gettime};

#[path = "../../network/benches/workloads/allocator.rs"]
mod allocator;

#[global_allocator]
static ALLOCATOR: allocator::Counting<MappingAllocator> = allocator::Counting(MappingAllocator);

/// Bytes that this thread has allocated and not freed.
pub(crate) fn memory() -> usize {
    usize::try_from(allocator::in_use()).unwrap_or(0)
}

/// Nanoseconds of processor time of this thread.
fn processor_time() -> u64 {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    u64::try_from(time.tv_sec).unwrap_or(0) * 1_000_000_000
        + u64::try_from(time.tv_nsec).unwrap_or(0)
}

/// Counts processor time, in nanoseconds.
#[derive(Default)]
pub(crate) struct Meter {
    /// The time that is not counted.
    uncounted: AtomicU64,
    /// What was counted until now.
    last: AtomicU64,
    longest: AtomicU64,
}

impl Meter {
    /// The time since the last call.
    pub(crate) fn worked(&self) -> Duration {
        let now = processor_time() - self.uncounted.load(Ordering::Relaxed);
        let worked = now - self.last.swap(now, Ordering::Relaxed).min(now);
        self.longest.fetch_max(worked, Ordering::Relaxed);
        Duration::from_nanos(worked)
    }

    /// Does what is not counted.
    pub(crate) fn uncounted<T>(&self, work: impl FnOnce() -> T) -> T {
        let before = processor_time();
        let result = work();
        self.uncounted.fetch_add(processor_time() - before, Ordering::Relaxed);
        result
    }

    /// The longest time between two calls of [`worked`](Self::worked), since this was asked last:
    /// the longest turn of a task.
    pub(crate) fn take_longest(&self) -> Duration {
        Duration::from_nanos(self.longest.swap(0, Ordering::Relaxed))
    }
}
