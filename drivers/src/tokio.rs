//! tokio's runtime as a platform.
//!
//! Interfaces run as tasks of the runtime, and its timer wakes them. With its `AsyncRead` and
//! `AsyncWrite` for streams (feature `tokio` of `devnet-network`), what is written for tokio runs
//! on our sockets; `examples/axum.rs` shows it.
//!
//! # Where connections run
//!
//! A connection has tasks at both ends and one for each interface, which wake each other in turn. A
//! runtime with several workers hands them from core to core; that costs a single connection up to
//! half of its round trips. What is sensitive to it runs beside its interfaces on a thread of its
//! own, while the workers do everything else:
//!
//! ```
//! # use devnet_network::{Manager, TcpListener, TcpStream};
//! # use devnet_virtual_file_system::VirtualFileSystem;
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! // One thread for the stack, and for what talks through it.
//! let network = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
//! let handle = network.handle().clone();
//! std::thread::spawn(move || network.block_on(std::future::pending::<()>()));
//!
//! // Two workers for everything else.
//! let workers = tokio::runtime::Builder::new_multi_thread()
//!     .worker_threads(2)
//!     .enable_all()
//!     .build()?;
//! workers.block_on(async {
//!     let platform = {
//!         let _context = handle.enter();
//!         devnet_drivers::tokio::platform(handle.clone())
//!     };
//!     let manager = Manager::new(VirtualFileSystem::new(), platform)?;
//!     manager.register("lo", Box::new(devnet_drivers::Loopback::new(65535)), None)?;
//!     let sockets = manager.sockets();
//!     let listener = TcpListener::bind(&sockets, "127.0.0.1:7".parse()?, 16)?;
//!     let talk = handle.spawn(async move {
//!         let stream = TcpStream::connect(&sockets, "127.0.0.1:7").await?;
//!         stream.write_all(b"hello").await?;
//!         let mut buffer = [0; 5];
//!         listener.accept().await?.read(&mut buffer).await?;
//!         Ok::<_, devnet_virtual_file_system::Error>(buffer)
//!     });
//!     assert_eq!(&talk.await??, b"hello");
//!     Ok(())
//! })
//! # }
//! ```

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
