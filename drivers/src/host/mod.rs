//! The host as a platform: its monotonic clock, its random bytes, and an executor for the stack's
//! tasks.
//!
//! This is the only part of the project that reads the real time. There is no periodic tick: while
//! no frame, timer or request is due, neither thread wakes up.

#[cfg(unix)]
pub mod console;
mod scheduler;
#[cfg(unix)]
pub mod terminal;

use std::io;
use std::sync::{Arc, Weak, mpsc};
use std::thread;
use std::time::{Duration, SystemTime};

use async_executor::Executor;
use async_io::Timer;
use async_lock::OnceCell;
use devnet_network::Platform;
use devnet_network::address::HardwareAddress;
use devnet_network::platform::{BoxFuture, Clock, Entropy, Instant, Spawner};
use devnet_virtual_file_system::{Disposer, Lock};

use self::scheduler::IdleQueue;
use crate::entropy::SystemEntropy;
use crate::limits;

/// The host; clones share it. Tasks and the background thread end with the last clone.
#[derive(Clone, Debug)]
pub struct Host(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    executor: Arc<Executor<'static>>,
    idle_queue: IdleQueue,
    clock: Arc<HostClock>,
    /// The Unix time at which the clock started.
    started: Duration,
    /// Stops the background thread.
    stop: Lock<Option<Arc<OnceCell<()>>>>,
}

impl Host {
    /// Creates a host whose clock starts now.
    #[must_use]
    #[expect(clippy::disallowed_methods, reason = "this is where the host's time enters")]
    pub fn new() -> Self {
        let started = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        let clock = Arc::new(HostClock { start: std::time::Instant::now() });
        Self(Arc::new(Shared {
            executor: Arc::new(Executor::new()),
            idle_queue: IdleQueue::default(),
            clock,
            started,
            stop: Lock::new(None),
        }))
    }

    /// Returns a clock that counts microseconds since the host was created.
    #[must_use]
    pub fn clock(&self) -> Arc<dyn Clock> {
        Arc::clone(&self.0.clock) as Arc<dyn Clock>
    }

    /// Returns the operating system's random bytes.
    #[must_use]
    pub fn entropy(&self) -> Arc<dyn Entropy> {
        Arc::new(SystemEntropy)
    }

    /// Returns a spawner for the host's executor. It does not keep the host alive; without the host
    /// it refuses tasks.
    #[must_use]
    pub fn spawner(&self) -> Arc<dyn Spawner> {
        Arc::new(HostSpawner(Arc::downgrade(&self.0.executor)))
    }

    /// Returns all three, for a [`Manager`](devnet_network::Manager).
    #[must_use]
    pub fn platform(&self) -> Platform {
        Platform { clock: self.clock(), entropy: self.entropy(), spawner: self.spawner() }
    }

    /// Returns the Unix time at which [`clock`](Self::clock) started, for timestamps such as those
    /// of captures.
    #[must_use]
    pub fn started(&self) -> Duration {
        self.0.started
    }

    /// Makes futures that end when a thread of the host is idle. A long computation awaits one
    /// after each turn, as a guest program does, so that it delays nobody. If the thread is never
    /// idle, the future ends after a thousand turns of other tasks.
    #[must_use]
    pub fn idle(&self) -> Arc<dyn Fn() -> BoxFuture<'static, ()> + Send + Sync> {
        let idle_queue = self.0.idle_queue.clone();
        Arc::new(move || idle_queue.turn())
    }

    /// Starts a thread that drops large things, so that no other thread waits until the operating
    /// system has their memory back. It ends with the last clone of the disposer.
    ///
    /// # Errors
    /// Errors of starting a thread.
    pub fn disposer(&self) -> io::Result<Disposer> {
        let (give, take) = mpsc::sync_channel::<Box<dyn Send>>(limits::DISPOSED);
        thread::Builder::new()
            .name(String::from("disposer"))
            .spawn(move || take.into_iter().for_each(drop))?;
        Ok(Arc::new(move |large| {
            // With a full queue this thread drops it, and so does not end more than can be freed.
            drop(give.try_send(large));
        }))
    }

    /// Runs the future on this thread, with all tasks in between.
    pub fn block_on<T>(&self, future: impl Future<Output = T>) -> T {
        scheduler::run(&self.0.executor, &self.0.idle_queue, future)
    }

    /// Runs all tasks on a background thread until the last clone of the host is dropped. Further
    /// calls have no effect.
    ///
    /// # Errors
    /// Errors of starting a thread.
    pub fn run_in_background(&self) -> io::Result<()> {
        let stop = Arc::new(OnceCell::new());
        let is_first = self.0.stop.with(|known| {
            let is_first = known.is_none();
            known.get_or_insert_with(|| Arc::clone(&stop));
            is_first
        });
        if !is_first {
            return Ok(());
        }
        let executor = Arc::clone(&self.0.executor);
        let idle_queue = self.0.idle_queue.clone();
        let run = move || scheduler::run(&executor, &idle_queue, async { _ = stop.wait().await });
        let started = thread::Builder::new().name(String::from("network")).spawn(run);
        if started.is_err() {
            self.0.stop.with(Option::take);
        }
        started.map(drop)
    }
}

impl Default for Host {
    fn default() -> Self {
        Self::new()
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        if let Some(stop) = self.stop.with(Option::take) {
            // Nothing else sets it, so this never blocks.
            _ = stop.set_blocking(());
        }
    }
}

/// Returns a random, locally administered unicast address.
///
/// # Errors
/// Errors of the source.
pub fn random_hardware_address(entropy: &dyn Entropy) -> Result<HardwareAddress, &'static str> {
    let mut octets = [0; 6];
    entropy.fill(&mut octets)?;
    let [first, ..] = &mut octets;
    *first = *first & !1 | 2;
    Ok(HardwareAddress(octets))
}

#[derive(Debug)]
struct HostClock {
    start: std::time::Instant,
}

impl Clock for HostClock {
    fn now(&self) -> Instant {
        Instant::ZERO.after(self.start.elapsed())
    }

    fn sleep_until(&self, deadline: Instant) -> BoxFuture<'static, ()> {
        // A deadline beyond the operating system's range never comes.
        let timer = match self.start.checked_add(deadline.since(Instant::ZERO)) {
            Some(deadline) => Timer::at(deadline),
            None => Timer::never(),
        };
        Box::pin(async { _ = timer.await })
    }
}

struct HostSpawner(Weak<Executor<'static>>);

impl Spawner for HostSpawner {
    fn spawn(&self, task: BoxFuture<'static, ()>) -> Result<(), &'static str> {
        self.0.upgrade().ok_or("the host is gone")?.spawn(task).detach();
        Ok(())
    }
}
