//! What is measured, written once for everybody: `compare` and `peers` take this folder as a
//! module.
//!
//! A contender is two systems with a link between them in one thread: a [`Pair`]. Asynchronous
//! stacks implement [`contender::Contender`], and [`contender::AsyncPair`] carries the workloads
//! out on it; raw smoltcp carries them out in its own tight loop. [`measure`] turns either into
//! figures per second of CPU time.
//!
//! | module | owns |
//! |---|---|
//! | [`measure`] | how often a workload is repeated, and what a figure is |
//! | [`contender`] | the workloads as two tasks |
//! | [`ours`], [`raw`] | the two contenders that every comparison has |
//! | [`executor`] | one thread, tasks and timers |
//! | [`allocator`] | how much memory is in use |

pub(crate) mod allocator;
pub(crate) mod contender;
pub(crate) mod executor;
pub(crate) mod measure;
pub(crate) mod ours;
pub(crate) mod raw;

use std::time::{Duration, Instant};

use contender::Outcome;

/// Bytes of one ping.
pub(crate) const MESSAGE: usize = 64;
/// Bytes of every TCP buffer of the active connection at the usual MTU.
pub(crate) const BUFFER: usize = 64 * 1024;
/// The same at the largest MTU: one segment must not be all that fits.
pub(crate) const LARGE_BUFFER: usize = 256 * 1024;
/// Bytes of the buffers of idle connections.
pub(crate) const IDLE_BUFFER: usize = 4 * 1024;
/// Bytes of an IP packet on the usual link.
pub(crate) const MTU: usize = 1500;
/// Bytes of the largest IP packet.
pub(crate) const LARGE_MTU: usize = 65_535;
/// Datagrams that a sender may be ahead of the receiver.
pub(crate) const WINDOW: usize = 32;
/// Datagrams that a socket must be able to hold each way.
pub(crate) const DATAGRAMS: usize = 2 * WINDOW;
/// Where the servers listen.
pub(crate) const PORT: u16 = 9_999;

/// How a pair is made.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Setup {
    /// Bytes of an IP packet.
    pub(crate) mtu: usize,
    /// Bytes of each TCP buffer of the active connection.
    pub(crate) buffer: usize,
    /// Established connections besides the active one.
    pub(crate) idle: usize,
}

impl Setup {
    /// The usual link.
    pub(crate) const fn usual(idle: usize) -> Self {
        Self { mtu: MTU, buffer: BUFFER, idle }
    }

    /// The link with the largest packets.
    pub(crate) const fn large() -> Self {
        Self { mtu: LARGE_MTU, buffer: LARGE_BUFFER, idle: 0 }
    }
}

/// Two systems with one active and some idle connections between them.
pub(crate) trait Pair {
    /// Sends `count` messages there and back, one at a time.
    fn ping_pong(&mut self, count: usize);
    /// Sends `bytes` bytes one way.
    fn bulk(&mut self, bytes: usize);
    /// Sends `count` datagrams of `size` bytes one way; returns how many arrived.
    fn datagrams(&mut self, size: usize, count: usize) -> usize;
    /// Connects, sends one byte each way and closes, the client first, `count` times in sequence.
    /// Not every stack can do this for long.
    fn connections(&mut self, count: usize) -> Outcome<()>;
}

/// CPU time of this process; the workloads run on one thread.
pub(crate) fn cpu_time() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    Duration::new(u64::try_from(time.tv_sec).unwrap_or(0), u32::try_from(time.tv_nsec).unwrap_or(0))
}

/// What all stacks take for time: monotonic, cheap to read.
#[expect(clippy::disallowed_methods, reason = "a benchmark measures real time")]
pub(crate) fn monotonic() -> Instant {
    Instant::now()
}
