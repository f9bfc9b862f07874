//! The readiness of a file, and the tasks that wait for it.
//!
//! A device keeps a [`WakerList`] inside the lock that guards the state: a waiter checks the state
//! and registers in one closure; a change updates the state and takes the list in one closure, and
//! wakes outside. So no wake is lost.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::mem;
use core::task::Waker;

use bitflags::bitflags;

bitflags! {
    /// The readiness of a file.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
    pub struct Readiness: u8 {
        /// A read would not block: there are bytes, or the end of the file.
        const READABLE = 1;
        /// A write would not block.
        const WRITABLE = 1 << 1;
        /// An error is pending. Always polled.
        const ERROR = 1 << 2;
        /// The other side has hung up. Always polled.
        const HANG_UP = 1 << 3;
    }
}

/// The number of waiting tasks above which all present ones are woken, to drop stale entries.
const MANY_WAITERS: usize = 64;

/// The wait queue of one event; each task is in it once.
///
/// It grows with the number of waiting tasks, and is empty after every event. The usual single
/// waiter needs no allocation.
#[derive(Debug, Default)]
pub struct WakerList {
    /// Present whenever any task waits.
    first: Option<Waker>,
    #[expect(clippy::box_collection, reason = "most lists have one waker, and a list is small")]
    more: Option<Box<Vec<Waker>>>,
}

impl WakerList {
    /// Creates an empty list without an allocation.
    #[must_use]
    pub const fn new() -> Self {
        Self { first: None, more: None }
    }

    /// Registers a task, unless it is registered already.
    pub fn register(&mut self, waker: &Waker) {
        match &self.first {
            None => self.first = Some(waker.clone()),
            Some(first) if first.will_wake(waker) => {}
            Some(_) => {
                let more = self.more.get_or_insert_default();
                if !more.iter().any(|other| other.will_wake(waker)) {
                    more.push(waker.clone());
                }
            }
        }
    }

    /// Registers a task as [`register`](Self::register) does. If the list is full, it returns all
    /// tasks that were registered before, to be woken outside of any lock: cancelled tasks are gone
    /// then, and the others register again.
    #[must_use = "the returned tasks must be woken"]
    pub fn register_bounded(&mut self, waker: &Waker) -> Vec<Waker> {
        let crowd = if self.len() >= MANY_WAITERS { self.take() } else { Vec::new() };
        self.register(waker);
        crowd
    }

    /// Removes a task that no longer waits. Drop the returned waker outside of any lock.
    pub fn remove(&mut self, waker: &Waker) -> Option<Waker> {
        if self.first.as_ref()?.will_wake(waker) {
            let next = self.more.as_mut().and_then(|more| more.pop());
            return mem::replace(&mut self.first, next);
        }
        let more = self.more.as_mut()?;
        let index = more.iter().position(|other| other.will_wake(waker))?;
        Some(more.swap_remove(index))
    }

    /// Takes all wakers, to be woken outside the lock.
    #[must_use = "the returned tasks must be woken"]
    pub fn take(&mut self) -> Vec<Waker> {
        self.drain().collect()
    }

    /// Takes all wakers, as [`take`](Self::take), and keeps the list's allocation.
    pub fn drain(&mut self) -> impl Iterator<Item = Waker> + '_ {
        let more = self.more.iter_mut().flat_map(|more| more.drain(..));
        self.first.take().into_iter().chain(more)
    }

    /// Wakes all tasks. Only for a list that no [`Lock`](crate::Lock) guards; otherwise use
    /// [`take`](Self::take).
    pub fn wake_all(&mut self) {
        self.drain().for_each(Waker::wake);
    }

    /// Returns the number of waiting tasks.
    #[must_use]
    pub fn len(&self) -> usize {
        usize::from(self.first.is_some()) + self.more.as_ref().map_or(0, |more| more.len())
    }

    /// True if no task waits.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.first.is_none()
    }
}
