//! An open device that can be revoked while tasks wait on it.
//!
//! A [`File`](crate::File) never holds an [`OpenDevice`] itself: it borrows one from here for a
//! call, and a pending call races against the revocation. Every waiting future has its own slot, so
//! that a description keeps no waker of a dropped future. [`Mount`](super::Mount) revokes the
//! device when it is unmounted.

use alloc::boxed::Box;
use alloc::sync::Arc;
use core::future::{Future, poll_fn};
use core::mem;
use core::pin::Pin;
use core::task::{Context, Poll, Waker};

use slab::Slab;

use super::OpenDevice;
use crate::error::{Error, Result};
use crate::lock::Lock;
use crate::operation::Operation;
use crate::readiness::{Readiness, WakerList};

/// An [`OpenDevice`], until it is revoked.
pub(crate) struct Revocable(Lock<State>);

struct State {
    device: Option<Arc<dyn OpenDevice>>,
    /// Boxed: a file whose readiness alone is polled has none.
    slots: Option<Box<Slab<Waker>>>,
    /// Tasks in a bare `poll_ready`, which has no future whose drop could free a slot.
    pollers: WakerList,
}

impl Revocable {
    pub(crate) fn new(device: Arc<dyn OpenDevice>) -> Self {
        let state = State { device: Some(device), slots: None, pollers: WakerList::new() };
        Self(Lock::new(state))
    }

    /// Borrows the device for one call; `NoDevice` once it is revoked.
    pub(crate) fn device(&self) -> Result<Arc<dyn OpenDevice>> {
        self.0.with(|state| state.device.clone()).ok_or(Error::NoDevice)
    }

    /// Revokes the device and wakes all its waiters.
    ///
    /// The device is dropped here, or at the end of the last call that borrowed it.
    pub(crate) fn revoke(&self) {
        let (device, slots, pollers) =
            self.0.with(|state| (state.device.take(), state.slots.take(), state.pollers.take()));
        let slots = slots.map(|slots| *slots).unwrap_or_default();
        if let Some(device) = device {
            device.revoke();
        }
        for waker in slots.into_iter().map(|(_, waker)| waker).chain(pollers) {
            waker.wake();
        }
    }

    /// Awaits an operation of the borrowed device, or its revocation. Cancel safe if the operation
    /// is.
    pub(crate) async fn run<T>(&self, mut operation: Operation<'_, T>) -> Result<T> {
        if let Operation::Done(result) = operation {
            return result;
        }
        let mut slot = Slot { owner: self, number: None };
        poll_fn(|context| {
            // Check this first: once the device is revoked, the caller gets `NoDevice` and not the
            // device's own result.
            if self.is_revoked() {
                return Poll::Ready(Err(Error::NoDevice));
            }
            match Pin::new(&mut operation).poll(context) {
                Poll::Ready(result) => Poll::Ready(result),
                Poll::Pending => slot.wait(context.waker()),
            }
        })
        .await
    }

    /// Awaits readiness, or the revocation. Cancel safe.
    pub(crate) async fn ready(&self, interest: Readiness) -> Result<Readiness> {
        let mut slot = Slot { owner: self, number: None };
        poll_fn(|context| match self.device()?.poll_ready(context, interest) {
            Poll::Ready(readiness) => Poll::Ready(Ok(readiness)),
            Poll::Pending => slot.wait(context.waker()),
        })
        .await
    }

    /// Polls readiness; readiness and the revocation both wake the task.
    pub(crate) fn poll_ready(
        &self,
        context: &mut Context<'_>,
        interest: Readiness,
    ) -> Poll<Result<Readiness>> {
        let answer = self.device()?.poll_ready(context, interest);
        let waker = context.waker();
        let (revoked, finished) = self.0.with(|state| {
            let finished = match answer {
                Poll::Ready(_) => state.pollers.remove(waker),
                Poll::Pending => {
                    state.pollers.register(waker);
                    None
                }
            };
            (state.device.is_none(), finished)
        });
        drop(finished);
        if revoked { Poll::Ready(Err(Error::NoDevice)) } else { answer.map(Ok) }
    }

    fn is_revoked(&self) -> bool {
        self.0.with(|state| state.device.is_none())
    }
}

/// The slot of one future that waits for the revocation; dropping it frees the slot.
struct Slot<'a> {
    owner: &'a Revocable,
    number: Option<usize>,
}

impl Slot<'_> {
    /// Registers the waker and waits, unless the device is revoked.
    fn wait<T>(&mut self, waker: &Waker) -> Poll<Result<T>> {
        // Checking and registering are one step under the lock, so a revocation in between cannot
        // be missed.
        let outcome = self.owner.0.with(|state| {
            if state.device.is_none() {
                return Err(Error::NoDevice);
            }
            let slots = state.slots.get_or_insert_default();
            match self.number.and_then(|number| slots.get_mut(number)) {
                Some(present) if present.will_wake(waker) => Ok(None),
                Some(present) => Ok(Some(mem::replace(present, waker.clone()))),
                None => {
                    self.number = Some(slots.insert(waker.clone()));
                    Ok(None)
                }
            }
        });
        match outcome {
            // The replaced waker may own its task: drop it here, outside the lock.
            Ok(replaced) => drop(replaced),
            Err(error) => return Poll::Ready(Err(error)),
        }
        Poll::Pending
    }
}

impl Drop for Slot<'_> {
    fn drop(&mut self) {
        let left = self
            .number
            .and_then(|number| self.owner.0.with(|state| state.slots.as_mut()?.try_remove(number)));
        drop(left);
    }
}
