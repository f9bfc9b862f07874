//! One call on an open device: complete or pending.
//!
//! Devices return it from [`read`](crate::OpenDevice::read), `write` and `control`;
//! [`File`](crate::File) awaits it, or polls it once. Most calls complete at once, without an
//! allocation.

use alloc::boxed::Box;
use core::fmt;
use core::future::Future;
use core::mem;
use core::pin::Pin;
use core::task::{Context, Poll, Waker};

use crate::error::{Error, Result};

/// A call that is complete or waits for its result.
///
/// # Cancel safety
///
/// Dropping a pending operation cancels the call. The device must not have transferred any bytes by
/// then.
pub enum Operation<'a, T> {
    /// The call is complete.
    Done(Result<T>),
    /// The call is pending.
    Waiting(Pin<Box<dyn Future<Output = Result<T>> + Send + 'a>>),
    /// The call waits for nothing, but takes several turns, between which other tasks run: each
    /// poll does a part of it.
    Turns(Pin<Box<dyn Future<Output = Result<T>> + Send + 'a>>),
}

impl<'a, T> Operation<'a, T> {
    /// Makes a complete operation.
    pub const fn done(result: Result<T>) -> Self {
        Self::Done(result)
    }

    /// Makes an operation that completes with the future.
    pub fn waiting(future: impl Future<Output = Result<T>> + Send + 'a) -> Self {
        Self::Waiting(Box::pin(future))
    }

    /// Makes an operation of a future that gives way between its turns and waits for nothing else.
    pub fn turns(future: impl Future<Output = Result<T>> + Send + 'a) -> Self {
        Self::Turns(Box::pin(future))
    }

    /// Returns the result if it is available now, and cancels the call otherwise. All turns of one
    /// that waits for nothing are done at once.
    ///
    /// # Errors
    ///
    /// The call's own error, or [`Error::WouldBlock`] if it would block.
    pub fn now(mut self) -> Result<T> {
        loop {
            match Pin::new(&mut self).poll(&mut Context::from_waker(Waker::noop())) {
                Poll::Ready(result) => return result,
                Poll::Pending if matches!(self, Self::Turns(_)) => {}
                Poll::Pending => return Err(Error::WouldBlock),
            }
        }
    }
}

// Nothing in here is structurally pinned: the future has its own box, and a result may move.
impl<T> Unpin for Operation<'_, T> {}

impl<T> Future for Operation<'_, T> {
    type Output = Result<T>;

    /// Polls the call. Polling it again after completion returns [`Error::BadFileDescriptor`].
    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let result = match &mut *self {
            Self::Done(result) => mem::replace(result, Err(Error::BadFileDescriptor)),
            Self::Waiting(future) | Self::Turns(future) => {
                let Poll::Ready(result) = future.as_mut().poll(context) else {
                    return Poll::Pending;
                };
                *self = Self::Done(Err(Error::BadFileDescriptor));
                result
            }
        };
        Poll::Ready(result)
    }
}

impl<T> From<Result<T>> for Operation<'_, T> {
    fn from(result: Result<T>) -> Self {
        Self::Done(result)
    }
}

impl<T: fmt::Debug> fmt::Debug for Operation<'_, T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Done(result) => formatter.debug_tuple("Done").field(result).finish(),
            Self::Waiting(_) => formatter.write_str("Waiting"),
            Self::Turns(_) => formatter.write_str("Turns"),
        }
    }
}
