//! An open device that can be taken away while tasks wait on it.
//!
//! A [`File`](crate::File) never holds an [`OpenDevice`] itself: it borrows one from here for the
//! time of a call, and races what waits against the revocation. Everybody who waits sits in a seat
//! of their own, so that a description on which thousands of futures have waited keeps no waker of
//! a future that is gone. Unmounting comes in through [`Mount`](super::Mount).

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
    seats: Slab<Waker>,
    /// Tasks in a bare `poll_ready`, which has no future whose drop could free a seat.
    pollers: WakerList,
}

impl Revocable {
    pub(crate) fn new(device: Arc<dyn OpenDevice>) -> Self {
        let state = State { device: Some(device), seats: Slab::new(), pollers: WakerList::new() };
        Self(Lock::new(state))
    }

    /// Borrows the device for one call; `NoDevice` once it is revoked.
    pub(crate) fn device(&self) -> Result<Arc<dyn OpenDevice>> {
        self.0.with(|state| state.device.clone()).ok_or(Error::NoDevice)
    }

    /// Takes the device away and ends everybody who waits on it.
    ///
    /// It is dropped here, or at the end of the last call that borrowed it.
    pub(crate) fn revoke(&self) {
        let (device, seats, pollers) = self
            .0
            .with(|state| (state.device.take(), mem::take(&mut state.seats), state.pollers.take()));
        if let Some(device) = device {
            device.revoke();
        }
        for waker in seats.into_iter().map(|(_, waker)| waker).chain(pollers) {
            waker.wake();
        }
    }

    /// Awaits an operation of the borrowed device, or its revocation. Cancel safe if the operation
    /// is.
    pub(crate) async fn run<T>(&self, mut operation: Operation<'_, T>) -> Result<T> {
        if let Operation::Done(result) = operation {
            return result;
        }
        let mut seat = Seat { owner: self, number: None };
        poll_fn(|context| {
            // Asked first: what a device says while it is taken away is not what the caller shall
            // hear.
            if self.is_revoked() {
                return Poll::Ready(Err(Error::NoDevice));
            }
            match Pin::new(&mut operation).poll(context) {
                Poll::Ready(result) => Poll::Ready(result),
                Poll::Pending => seat.wait(context.waker()),
            }
        })
        .await
    }

    /// Awaits readiness, or the revocation. Cancel safe.
    pub(crate) async fn ready(&self, interest: Readiness) -> Result<Readiness> {
        let mut seat = Seat { owner: self, number: None };
        poll_fn(|context| match self.device()?.poll_ready(context, interest) {
            Poll::Ready(readiness) => Poll::Ready(Ok(readiness)),
            Poll::Pending => seat.wait(context.waker()),
        })
        .await
    }

    /// Asks for readiness; the task is woken for it and for the revocation.
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

/// The place in which one future waits for the revocation; dropping it leaves.
struct Seat<'a> {
    owner: &'a Revocable,
    number: Option<usize>,
}

impl Seat<'_> {
    /// Sits down and waits, unless the device is gone by now.
    fn wait<T>(&mut self, waker: &Waker) -> Poll<Result<T>> {
        // Looking and sitting down are one step, so a revocation in between cannot be missed.
        let outcome = self.owner.0.with(|state| {
            if state.device.is_none() {
                return Err(Error::NoDevice);
            }
            match self.number.and_then(|number| state.seats.get_mut(number)) {
                Some(present) if present.will_wake(waker) => Ok(None),
                Some(present) => Ok(Some(mem::replace(present, waker.clone()))),
                None => {
                    self.number = Some(state.seats.insert(waker.clone()));
                    Ok(None)
                }
            }
        });
        match outcome {
            // The waker that was replaced may own its task: it is dropped here, outside of the
            // lock.
            Ok(replaced) => drop(replaced),
            Err(error) => return Poll::Ready(Err(error)),
        }
        Poll::Pending
    }
}

impl Drop for Seat<'_> {
    fn drop(&mut self) {
        let left = self
            .number
            .and_then(|number| self.owner.0.with(|state| state.seats.try_remove(number)));
        drop(left);
    }
}
