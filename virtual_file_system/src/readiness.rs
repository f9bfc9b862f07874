//! What a file is ready for, and who waits for it.
//!
//! Devices keep a [`WakerList`] inside the lock that guards the state it belongs to: a waiter looks
//! at the state and registers in one closure, a changer changes the state and takes the list in one
//! closure, and wakes outside. Then no wake is lost.

use alloc::vec::Vec;
use core::mem;
use core::task::Waker;

use bitflags::bitflags;

bitflags! {
    /// What a file is ready for.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
    pub struct Readiness: u8 {
        /// A read would not wait: there are bytes, or the end.
        const READABLE = 1;
        /// A write would not wait.
        const WRITABLE = 1 << 1;
        /// An error is pending. Always of interest.
        const ERROR = 1 << 2;
        /// The other side is gone. Always of interest.
        const HANG_UP = 1 << 3;
    }
}

/// Tasks that wait for one event before those that are there are asked whether they still do.
const CROWD: usize = 64;

/// The tasks that wait for one event; each stands in it once.
///
/// It grows with the number of tasks that wait, and is empty again after every event. Mostly one
/// waits, and that costs no memory.
#[derive(Debug, Default)]
pub struct WakerList {
    /// There whenever anybody is.
    first: Option<Waker>,
    more: Vec<Waker>,
}

impl WakerList {
    /// Makes an empty list, without memory of its own.
    #[must_use]
    pub const fn new() -> Self {
        Self { first: None, more: Vec::new() }
    }

    /// Enters a task, unless it is in the list already.
    pub fn register(&mut self, waker: &Waker) {
        match &self.first {
            None => self.first = Some(waker.clone()),
            Some(first) if first.will_wake(waker) => {}
            Some(_) if self.more.iter().any(|other| other.will_wake(waker)) => {}
            Some(_) => self.more.push(waker.clone()),
        }
    }

    /// Enters a task as [`register`](Self::register) does. Of too many everybody who was there
    /// before comes back, to be woken outside of any lock: those that were dropped while they
    /// waited are gone then, the others ask again.
    #[must_use = "whoever comes back must be woken"]
    pub fn register_bounded(&mut self, waker: &Waker) -> Vec<Waker> {
        let crowd = if self.len() >= CROWD { self.take() } else { Vec::new() };
        self.register(waker);
        crowd
    }

    /// Removes a task that waits no longer. Drop the returned waker outside of any lock.
    pub fn remove(&mut self, waker: &Waker) -> Option<Waker> {
        if self.first.as_ref()?.will_wake(waker) {
            return mem::replace(&mut self.first, self.more.pop());
        }
        let index = self.more.iter().position(|other| other.will_wake(waker))?;
        Some(self.more.swap_remove(index))
    }

    /// Takes everybody out, to be woken outside of the lock.
    #[must_use = "whoever is taken must be woken"]
    pub fn take(&mut self) -> Vec<Waker> {
        self.drain().collect()
    }

    /// Takes everybody out, as [`take`](Self::take), and keeps the list's memory for the next ones
    /// to wait.
    pub fn drain(&mut self) -> impl Iterator<Item = Waker> + '_ {
        self.first.take().into_iter().chain(self.more.drain(..))
    }

    /// Wakes everybody. Only for a list that no [`Lock`](crate::Lock) guards, else
    /// [`take`](Self::take).
    pub fn wake_all(&mut self) {
        self.drain().for_each(Waker::wake);
    }

    /// Tells how many tasks wait.
    #[must_use]
    pub fn len(&self) -> usize {
        usize::from(self.first.is_some()) + self.more.len()
    }

    /// Tells whether nobody waits.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.first.is_none()
    }
}
