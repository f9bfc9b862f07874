//! What the host keeps for one running guest: its memory, files, words, supplies and limits.
//!
//! wasmi holds it beside the guest's own state and passes it to every import. Nothing in here is
//! shared between guests.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::time::Duration;

use network::platform::{BoxFuture, Clock, Entropy};
use virtual_file_system::{Path, Result};
use wasmi::{Memory, StoreLimits};

use crate::descriptor::Descriptors;
use crate::limits;
use crate::memory;
use crate::namespace::Namespace;

/// Time and chance for guests.
#[derive(Clone)]
pub struct Supplies {
    /// Monotonic time.
    pub clock: Arc<dyn Clock>,
    /// Random bytes.
    pub entropy: Arc<dyn Entropy>,
    /// The Unix time at the start of the clock.
    pub started: Duration,
    /// What a guest awaits after each turn in which it burnt all its fuel: [`give_way`] at least,
    /// better something that ends when nobody else has anything to do, so that a guest that
    /// computes delays nobody.
    pub idle: Idle,
}

/// Makes futures that let others run first.
pub type Idle = Arc<dyn Fn() -> BoxFuture<'static, ()> + Send + Sync>;

/// Lets everybody run who is ready now. On an executor that runs tasks in turn this is fair, and
/// costs each of them the length of a turn.
#[must_use]
pub fn give_way() -> Idle {
    Arc::new(|| Box::pin(futures_lite::future::yield_now()))
}

/// A call that waits; it ends with what remains to do.
pub(crate) type Pending = BoxFuture<'static, Conclusion>;

/// Writes the results of a call that waited into the guest's memory, and gives the value that the
/// import returns.
pub(crate) type Conclusion = Box<dyn FnOnce(&mut Guest, &mut [u8]) -> i32 + Send>;

/// What the host keeps for one guest.
pub(crate) struct Guest {
    /// The memory that the guest exports; none until it is there.
    pub(crate) memory: Option<Memory>,
    pub(crate) descriptors: Descriptors,
    pub(crate) namespace: Arc<Namespace>,
    pub(crate) supplies: Supplies,
    /// Where paths that do not begin with `/` start.
    pub(crate) directory: Path,
    pub(crate) arguments: Vec<String>,
    pub(crate) environment: Vec<String>,
    /// The call that the guest waits in.
    pub(crate) pending: Option<Pending>,
    /// Bytes that the current call moved, to be paid for.
    pub(crate) moved: usize,
    /// Fuel that was burnt so far.
    pub(crate) burnt: u64,
    pub(crate) store_limits: StoreLimits,
}

impl Guest {
    /// Reads a path out of the guest's memory.
    pub(crate) fn path(&self, bytes: &[u8], pointer: u32, length: u32) -> Result<Path> {
        memory::path(bytes, pointer, length).and_then(|text| self.directory.resolve(text))
    }

    /// Notes bytes that were copied or sent.
    pub(crate) fn moved(&mut self, bytes: usize) {
        self.moved = self.moved.saturating_add(bytes);
    }

    /// Fuel that what was moved since the last time costs.
    pub(crate) fn take_price(&mut self) -> u64 {
        let moved = core::mem::take(&mut self.moved);
        limits::CALL_FUEL.saturating_add((moved / limits::BYTES_PER_FUEL) as u64)
    }
}
