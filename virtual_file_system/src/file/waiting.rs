//! Readiness of an open file, for event loops and for guests that wait on many files.
//!
//! Regular files and directories are always ready; a device answers for itself.

use core::task::{Context, Poll, Waker};

use super::{File, Target};
use crate::error::Result;
use crate::readiness::Readiness;

/// Always polled, whatever the interest.
const ALWAYS: Readiness = Readiness::ERROR.union(Readiness::HANG_UP);
/// The readiness of a file without a device.
const IMMEDIATE: Readiness = Readiness::READABLE.union(Readiness::WRITABLE);

impl File {
    /// Returns which of `interest` (and of error and hang-up) the file is ready for, or registers
    /// the task's waker.
    ///
    /// # Errors
    ///
    /// [`Error::NoDevice`](crate::Error::NoDevice) once the device is unmounted, also for waiting
    /// tasks.
    pub fn poll_ready(
        &self,
        context: &mut Context<'_>,
        interest: Readiness,
    ) -> Poll<Result<Readiness>> {
        match self.0.target() {
            Target::Device(opened) => opened.poll_ready(context, interest | ALWAYS),
            Target::Directory | Target::Regular { .. } => Poll::Ready(Ok(IMMEDIATE & interest)),
        }
    }

    /// Waits until the file is ready for any of `interest`, has an error or is hung up.
    ///
    /// # Errors
    ///
    /// [`Error::NoDevice`](crate::Error::NoDevice) once the device is unmounted.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: it has no side effects.
    pub async fn ready(&self, interest: Readiness) -> Result<Readiness> {
        match self.0.target() {
            Target::Device(opened) => opened.ready(interest | ALWAYS).await,
            Target::Directory | Target::Regular { .. } => Ok(IMMEDIATE & interest),
        }
    }

    /// Returns the current readiness. An unmounted device has an error and is hung up.
    #[must_use]
    pub fn readiness_now(&self) -> Readiness {
        match self.poll_ready(&mut Context::from_waker(Waker::noop()), Readiness::all()) {
            Poll::Ready(Ok(readiness)) => readiness,
            Poll::Ready(Err(_)) => ALWAYS,
            Poll::Pending => Readiness::empty(),
        }
    }
}
