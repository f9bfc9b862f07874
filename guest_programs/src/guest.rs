//! The host's state for one running guest: memory, descriptors, arguments, platform and limits.
//!
//! wasmi stores it next to the guest's own state and passes it to every import. Guests share none
//! of it.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::time::Duration;

use devnet_network::platform::{BoxFuture, Clock, Entropy};
use devnet_virtual_file_system::{Path, Result};
use wasmi::Memory;

use crate::account::Account;
use crate::allocation::Allocation;
use crate::descriptor::Descriptors;
use crate::limits;
use crate::memory;
use crate::namespace::Namespace;

/// The clock and the entropy of a guest.
#[derive(Clone)]
#[non_exhaustive]
pub struct Supplies {
    /// Monotonic time.
    pub clock: Arc<dyn Clock>,
    /// Random bytes.
    pub entropy: Arc<dyn Entropy>,
    /// The Unix time at which the clock started.
    pub started: Duration,
    /// The future that a guest awaits after each turn in which it consumed all its fuel. It must at
    /// least yield, as [`give_way`] does. Better is a future that ends when no other task is ready,
    /// so that a computing guest delays nobody.
    pub idle: Idle,
}

impl Supplies {
    /// Clock and entropy; the clock started at the Unix epoch, and a guest that computes yields as
    /// [`give_way`] does.
    #[must_use]
    pub fn new(clock: Arc<dyn Clock>, entropy: Arc<dyn Entropy>) -> Self {
        Self { clock, entropy, started: Duration::ZERO, idle: give_way() }
    }
}

devnet_virtual_file_system::setters! {
    Supplies {
        clock: Arc<dyn Clock>,
        entropy: Arc<dyn Entropy>,
        started: Duration,
        idle: Idle,
    }
}

/// Makes futures that let other tasks run first.
pub type Idle = Arc<dyn Fn() -> BoxFuture<'static, ()> + Send + Sync>;

/// Yields to all tasks that are ready. On a round-robin executor this is fair, and it delays each
/// task by one turn.
#[must_use]
pub fn give_way() -> Idle {
    Arc::new(|| Box::pin(futures_lite::future::yield_now()))
}

/// A blocked call. Its output completes the call.
pub(crate) type Pending = BoxFuture<'static, Completion>;

/// Writes the results of a blocked call into the guest's memory and returns the import's value.
pub(crate) type Completion = Box<dyn FnOnce(&mut Guest, &mut [u8]) -> i32 + Send>;

/// The host's state for one guest.
pub(crate) struct Guest {
    /// The memory that the guest exports; none before instantiation.
    pub(crate) memory: Option<Memory>,
    pub(crate) descriptors: Descriptors,
    pub(crate) namespace: Arc<Namespace>,
    pub(crate) supplies: Supplies,
    /// The working directory: relative paths start here.
    pub(crate) directory: Path,
    pub(crate) arguments: Vec<String>,
    pub(crate) environment: Vec<String>,
    /// The call in which the guest is blocked.
    pub(crate) pending: Option<Pending>,
    /// Its account.
    pub(crate) account: Arc<Account>,
    /// Fuel that it owes, because a call cost more than was left of the turn.
    pub(crate) debt: u64,
    /// Fuel consumed so far.
    pub(crate) burnt: u64,
    /// The memory and the tables that it may have.
    pub(crate) allocation: Allocation,
}

impl Guest {
    /// Reads a path from the guest's memory.
    pub(crate) fn path(&self, bytes: &[u8], pointer: u32, length: u32) -> Result<Path> {
        self.path_in(&self.directory, bytes, pointer, length)
    }

    /// Reads a path relative to a directory.
    pub(crate) fn path_in(
        &self,
        directory: &Path,
        bytes: &[u8],
        pointer: u32,
        length: u32,
    ) -> Result<Path> {
        let text = memory::path(bytes, pointer, length)?;
        let path = directory.resolve(text)?;
        let length = text.len().max(path.as_str().len());
        self.account.work(limits::PATH_BYTE_FUEL * length as u64);
        Ok(path)
    }

    /// Reads the buffers of a scattered read or a gathered write.
    pub(crate) fn vectors(
        &self,
        bytes: &[u8],
        pointer: u32,
        count: u32,
    ) -> Result<Vec<(u32, u32)>> {
        self.account.work(limits::VECTOR_FUEL * u64::from(count));
        memory::vectors(bytes, pointer, count)
    }

    /// Counts bytes that were copied or sent; they cost fuel.
    pub(crate) fn moved(&mut self, bytes: usize) {
        self.account.work((bytes / limits::BYTES_PER_FUEL) as u64);
    }

    /// Returns the fuel price of a call and of the work done since the last one.
    pub(crate) fn take_price(&mut self) -> u64 {
        limits::CALL_FUEL.saturating_add(self.account.take_work())
    }
}
