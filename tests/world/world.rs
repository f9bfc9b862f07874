//! A world: one clock, one seed, one executor.

use std::future::Future;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::Duration;

use async_executor::Executor;
use devnet_network::Platform;
use devnet_network::platform::{BoxFuture, Clock, Entropy, Instant, Spawner};

use crate::VirtualClock;

/// Turns without time moving after which a world is taken for a livelock.
const TURNS_AT_ONE_INSTANT: u64 = 20_000_000;

/// Chance that a seed decides (SplitMix64).
#[derive(Debug)]
pub struct SeededEntropy(AtomicU64);

impl SeededEntropy {
    /// The same seed gives the same bytes.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self(AtomicU64::new(seed))
    }

    /// The next number.
    pub fn next(&self) -> u64 {
        const STEP: u64 = 0x9e37_79b9_7f4a_7c15;
        let mut mixed = self.0.fetch_add(STEP, Ordering::Relaxed).wrapping_add(STEP);
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }
}

impl Entropy for SeededEntropy {
    fn fill(&self, buffer: &mut [u8]) -> Result<(), &'static str> {
        for chunk in buffer.chunks_mut(8) {
            let bytes = self.next().to_le_bytes();
            chunk.copy_from_slice(&bytes[..chunk.len()]);
        }
        Ok(())
    }
}

struct Tasks {
    executor: Arc<Executor<'static>>,
    spawned: Mutex<Vec<async_executor::Task<()>>>,
}

impl Spawner for Tasks {
    fn spawn(&self, task: BoxFuture<'static, ()>) -> Result<(), &'static str> {
        let task = self.executor.spawn(task);
        self.spawned.lock().unwrap().push(task);
        Ok(())
    }
}

/// Owns time and chance of a test.
pub struct World {
    /// The seed that this world was made from.
    pub seed: u64,
    /// Its clock.
    pub clock: VirtualClock,
    executor: Arc<Executor<'static>>,
    tasks: Arc<Tasks>,
    entropy: Arc<SeededEntropy>,
}

impl World {
    /// A world at time zero.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        let executor = Arc::new(Executor::new());
        let tasks =
            Arc::new(Tasks { executor: Arc::clone(&executor), spawned: Mutex::new(Vec::new()) });
        Self {
            seed,
            clock: VirtualClock::default(),
            executor,
            tasks,
            entropy: Arc::new(SeededEntropy::new(seed)),
        }
    }

    /// The platform of a system in this world.
    #[must_use]
    pub fn platform(&self) -> Platform {
        let entropy = Arc::new(SeededEntropy::new(self.entropy.next()));
        Platform {
            clock: Arc::new(self.clock.clone()),
            entropy,
            spawner: Arc::clone(&self.tasks) as Arc<dyn Spawner>,
        }
    }

    /// A number of this world's chance.
    #[must_use]
    pub fn random(&self) -> u64 {
        self.entropy.next()
    }

    /// The present.
    #[must_use]
    pub fn now(&self) -> Instant {
        self.clock.now()
    }

    /// Starts a task beside the test.
    pub fn spawn<T: Send + 'static>(
        &self,
        future: impl Future<Output = T> + Send + 'static,
    ) -> async_executor::Task<T> {
        self.executor.spawn(future)
    }

    /// Waits in virtual time.
    pub fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        self.clock.sleep_until(self.clock.now().after(duration))
    }

    /// Runs until the future ends. Time moves only when everybody waits.
    ///
    /// # Panics
    /// When everybody waits and nothing is due: the test would hang.
    pub fn run<T>(&self, future: impl Future<Output = T>) -> T {
        self.run_working(|| Duration::ZERO, future)
    }

    /// The same where work takes time: after each turn of a task time moves by what `worked` tells,
    /// and by as much more as needed when everybody waits.
    ///
    /// # Panics
    /// As [`run`](Self::run).
    pub fn run_working<T>(
        &self,
        mut worked: impl FnMut() -> Duration,
        future: impl Future<Output = T>,
    ) -> T {
        let mut future = std::pin::pin!(future);
        let woken = Arc::new(Flag::default());
        let waker = std::task::Waker::from(Arc::clone(&woken));
        let mut turns = 0;
        woken.set();
        loop {
            if woken.take()
                && let Poll::Ready(value) = future.as_mut().poll(&mut Context::from_waker(&waker))
            {
                return value;
            }
            turns += 1;
            assert!(
                turns < TURNS_AT_ONE_INSTANT,
                "livelock at {:?}, seed {}",
                self.now(),
                self.seed
            );
            let has_worked = self.executor.try_tick();
            let took = worked();
            if !took.is_zero() {
                self.clock.pass(took);
                turns = 0;
            }
            if has_worked || woken.is_set() {
                continue;
            }
            turns = 0;
            assert!(
                self.clock.advance(),
                "everybody waits and nothing is due at {:?}, seed {}",
                self.now(),
                self.seed
            );
        }
    }
}

#[derive(Default)]
struct Flag(std::sync::atomic::AtomicBool);

impl Flag {
    fn set(&self) {
        self.0.store(true, Ordering::Release);
    }

    fn take(&self) -> bool {
        self.0.swap(false, Ordering::AcqRel)
    }

    fn is_set(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }
}

impl std::task::Wake for Flag {
    fn wake(self: Arc<Self>) {
        self.set();
    }
}
