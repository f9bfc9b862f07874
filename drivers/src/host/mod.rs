//! The host as a platform: its monotonic clock, its random bytes, and an executor for the stack's
//! tasks.
//!
//! The only place of the project that reads the real time. Nothing here ticks: while no frame, no
//! timer and no request is due, neither thread wakes up.

#[cfg(unix)]
pub mod terminal;
mod turns;

use std::io;
use std::sync::{Arc, Weak};
use std::thread;
use std::time::{Duration, SystemTime};

use async_executor::Executor;
use async_io::Timer;
use async_lock::OnceCell;
use network::address::HardwareAddress;
use network::platform::{BoxFuture, Clock, Entropy, Instant, Spawner};
use virtual_file_system::Lock;

use self::turns::Idlers;

/// The host; clones are the same host. Tasks and the background thread end with the last clone.
#[derive(Clone, Debug)]
pub struct Host(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    executor: Arc<Executor<'static>>,
    idlers: Idlers,
    clock: Arc<HostClock>,
    /// The Unix time at the clock's start.
    started: Duration,
    /// Ends the background thread.
    stop: Lock<Option<Arc<OnceCell<()>>>>,
}

impl Host {
    /// Makes a host whose clock starts now.
    #[must_use]
    #[expect(clippy::disallowed_methods, reason = "this is where the host's time enters")]
    pub fn new() -> Self {
        let started = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        let clock = Arc::new(HostClock { start: std::time::Instant::now() });
        Self(Arc::new(Shared {
            executor: Arc::new(Executor::new()),
            idlers: Idlers::default(),
            clock,
            started,
            stop: Lock::new(None),
        }))
    }

    /// Microseconds since the host was made.
    #[must_use]
    pub fn clock(&self) -> Arc<dyn Clock> {
        Arc::clone(&self.0.clock) as Arc<dyn Clock>
    }

    /// The operating system's random bytes.
    #[must_use]
    pub fn entropy(&self) -> Arc<dyn Entropy> {
        Arc::new(HostEntropy)
    }

    /// Starts tasks on the host's executor. It does not keep the host alive: later it refuses.
    #[must_use]
    pub fn spawner(&self) -> Arc<dyn Spawner> {
        Arc::new(HostSpawner(Arc::downgrade(&self.0.executor)))
    }

    /// The Unix time at the start of [`clock`](Self::clock), for what people read, such as
    /// captures.
    #[must_use]
    pub fn started(&self) -> Duration {
        self.0.started
    }

    /// Makes futures that end when a thread of the host has nothing else to do, for whoever
    /// computes for long: a guest program asks for one after each of its turns, so that it delays
    /// nobody. If the others never rest, it gets a turn for a thousand of theirs.
    #[must_use]
    pub fn idle(&self) -> Arc<dyn Fn() -> BoxFuture<'static, ()> + Send + Sync> {
        let idlers = self.0.idlers.clone();
        Arc::new(move || idlers.turn())
    }

    /// Runs the future on this thread, and meanwhile all tasks.
    pub fn block_on<T>(&self, future: impl Future<Output = T>) -> T {
        turns::run(&self.0.executor, &self.0.idlers, future)
    }

    /// Runs all tasks on a thread of their own, until the last clone of the host is dropped. Once
    /// is enough; further calls change nothing.
    ///
    /// # Errors
    /// Those of starting a thread.
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
        let idlers = self.0.idlers.clone();
        let run = move || turns::run(&executor, &idlers, async { _ = stop.wait().await });
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
            // It is set nowhere else, so this never waits.
            _ = stop.set_blocking(());
        }
    }
}

/// A random address that no manufacturer has given out: locally administered, of one station.
///
/// # Errors
/// Those of the source.
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
        // A deadline beyond what the operating system can count never comes.
        let timer = match self.start.checked_add(deadline.since(Instant::ZERO)) {
            Some(deadline) => Timer::at(deadline),
            None => Timer::never(),
        };
        Box::pin(async { _ = timer.await })
    }
}

pub(crate) struct HostEntropy;

impl Entropy for HostEntropy {
    fn fill(&self, buffer: &mut [u8]) -> Result<(), &'static str> {
        getrandom::fill(buffer).map_err(|_| "the operating system gives no random bytes")
    }
}

struct HostSpawner(Weak<Executor<'static>>);

impl Spawner for HostSpawner {
    fn spawn(&self, task: BoxFuture<'static, ()>) -> Result<(), &'static str> {
        self.0.upgrade().ok_or("the host is gone")?.spawn(task).detach();
        Ok(())
    }
}
