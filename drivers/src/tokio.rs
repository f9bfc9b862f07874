//! tokio's runtime as a platform.
//!
//! Interfaces run as tasks of the runtime, and its timer wakes them. With its `AsyncRead` and
//! `AsyncWrite` for streams (feature `tokio` of `devnet-network`), what is written for tokio runs
//! on our sockets; `examples/axum.rs` shows it.

use std::sync::Arc;

use ::tokio::runtime::Handle;
use ::tokio::time;
use devnet_network::Platform;
use devnet_network::platform::{BoxFuture, Clock, Instant, Spawner};

use crate::entropy::SystemEntropy;

/// The platform of a runtime, whose timer must be enabled. Its clock starts now and follows
/// tokio's, which tests may pause.
///
/// ```
/// # use devnet_virtual_file_system::VirtualFileSystem;
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), devnet_network::ManagerError> {
/// let platform = devnet_drivers::tokio::platform(tokio::runtime::Handle::current());
/// let manager = devnet_network::Manager::new(VirtualFileSystem::new(), platform)?;
/// # Ok(())
/// # }
/// ```
#[must_use]
pub fn platform(runtime: Handle) -> Platform {
    let start = time::Instant::now();
    Platform {
        clock: Arc::new(RuntimeClock { runtime: runtime.clone(), start }),
        entropy: Arc::new(SystemEntropy),
        spawner: Arc::new(RuntimeSpawner(runtime)),
    }
}

struct RuntimeClock {
    runtime: Handle,
    start: time::Instant,
}

impl Clock for RuntimeClock {
    fn now(&self) -> Instant {
        Instant::ZERO.after(self.start.elapsed())
    }

    fn sleep_until(&self, deadline: Instant) -> BoxFuture<'static, ()> {
        // A deadline beyond the range of the clock never comes.
        let Some(deadline) = self.start.checked_add(deadline.since(Instant::ZERO)) else {
            return Box::pin(std::future::pending());
        };
        // Threads that are not the runtime's may wait too.
        let _context = self.runtime.enter();
        Box::pin(time::sleep_until(deadline))
    }
}

struct RuntimeSpawner(Handle);

impl Spawner for RuntimeSpawner {
    fn spawn(&self, task: BoxFuture<'static, ()>) -> Result<(), &'static str> {
        drop(self.0.spawn(task));
        Ok(())
    }
}
