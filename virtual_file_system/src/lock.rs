//! The lock of this project: a closure runs under it and releases it by returning.
//!
//! It guards all state that tasks share. Under the lock, do not wake a task, await, or call foreign
//! code (a device, a callback, the destructor of another crate's value): return wakers and dropped
//! values from the closure and process them outside. The lock is not reentrant, and interrupt
//! handlers must not take it.
//!
//! Lock order inside this crate, outermost first: names of a tree → ownership of a node; offset of
//! a description → bytes of a regular file. All others are leaves: no lock is taken under them.

#[cfg(feature = "std")]
use std::sync::{Mutex, PoisonError};

#[cfg(not(feature = "std"))]
use spin::Mutex;

/// A value that one closure at a time may access.
///
/// With the feature `std` it is the operating system's mutex, otherwise a spin lock.
#[derive(Debug, Default)]
pub struct Lock<T>(Mutex<T>);

impl<T> Lock<T> {
    /// Wraps a value.
    pub const fn new(value: T) -> Self {
        Self(Mutex::new(value))
    }

    /// Runs a short closure on the value with exclusive access.
    ///
    /// A lock whose holder panicked is taken all the same: its values are consistent between
    /// statements, and a second panic would only spread the first.
    pub fn with<R>(&self, action: impl FnOnce(&mut T) -> R) -> R {
        #[cfg(feature = "std")]
        let mut guard = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        #[cfg(not(feature = "std"))]
        let mut guard = self.0.lock();
        action(&mut guard)
    }
}
