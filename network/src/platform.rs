//! What the platform supplies: time, randomness and tasks.
//!
//! The stack reads no clock and generates no random number itself; the caller of
//! [`Manager::new`](crate::Manager::new) passes these three in, so tests control time. Nothing here
//! is global.

use alloc::boxed::Box;
use core::future::{Future, poll_fn};
use core::pin::{Pin, pin};
use core::task::Poll;

pub use devnet_commands::time::Instant;

/// A boxed future that a platform can run on any of its threads.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Monotonic time and a way to wait for it.
pub trait Clock: Send + Sync {
    /// The present; never decreases.
    fn now(&self) -> Instant;

    /// Completes at `deadline` or later. Dropping the future cancels the wait.
    fn sleep_until(&self, deadline: Instant) -> BoxFuture<'static, ()>;
}

/// Runs a future until a deadline, without limit at [`Instant::NEVER`]; `None` if the deadline came
/// first.
///
/// # Cancel safety
/// As `work`: it is dropped with this future, and when the deadline comes.
pub async fn before<T>(
    clock: &dyn Clock,
    deadline: Instant,
    work: impl Future<Output = T>,
) -> Option<T> {
    // Pinned at once: each further move would be further room in this future.
    let mut work = pin!(work);
    if deadline == Instant::NEVER {
        return Some(work.await);
    }
    let mut expired = None;
    poll_fn(|context| match work.as_mut().poll(context) {
        Poll::Ready(done) => Poll::Ready(Some(done)),
        Poll::Pending => {
            let expired = expired.get_or_insert_with(|| clock.sleep_until(deadline));
            expired.as_mut().poll(context).map(|()| None)
        }
    })
    .await
}

/// A cryptographic source of random bytes, for hash keys, sequence numbers, ports and identifiers.
pub trait Entropy: Send + Sync {
    /// Fills the whole buffer.
    ///
    /// # Errors
    /// A reason as text when the source fails.
    fn fill(&self, buffer: &mut [u8]) -> Result<(), &'static str>;
}

/// Runs tasks.
pub trait Spawner: Send + Sync {
    /// Starts a task that runs until it ends.
    ///
    /// # Errors
    /// A reason as text when the task cannot be started; the task is dropped then.
    fn spawn(&self, task: BoxFuture<'static, ()>) -> Result<(), &'static str>;
}
