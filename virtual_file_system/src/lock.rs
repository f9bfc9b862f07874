//! The lock of this project: entered with a closure, left when the closure returns.
//!
//! Whatever several tasks share stands in one of these. Under it nobody may wake a task, await, or
//! call foreign code (a device, a callback, the destructor of something another crate owns):
//! collect what is to be woken or dropped, return it from the closure, and do it outside. It is not
//! reentrant, and no interrupt handler may enter it.
//!
//! Order inside this crate, outermost first: names of a tree → ownership of a node; position of a
//! description → bytes of a regular file. All others are leaves: nothing is locked under them.

#[cfg(feature = "std")]
use std::sync::{Mutex, PoisonError};

#[cfg(not(feature = "std"))]
use spin::Mutex;

/// A value that one closure at a time may touch.
///
/// With the feature `std` it is the operating system's mutex, else a spin lock.
#[derive(Debug, Default)]
pub struct Lock<T>(Mutex<T>);

impl<T> Lock<T> {
    /// Wraps a value.
    pub const fn new(value: T) -> Self {
        Self(Mutex::new(value))
    }

    /// Runs a short closure on the value, while nobody else can.
    ///
    /// A lock whose holder panicked is entered all the same: the values in it are kept whole
    /// between statements, and a second panic would only spread the first.
    pub fn with<R>(&self, action: impl FnOnce(&mut T) -> R) -> R {
        #[cfg(feature = "std")]
        let mut guard = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        #[cfg(not(feature = "std"))]
        let mut guard = self.0.lock();
        action(&mut guard)
    }
}
