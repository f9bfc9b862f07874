//! One call on an open device: finished already, or waiting.
//!
//! Devices return it from [`read`](crate::OpenDevice::read), `write` and `control`;
//! [`File`](crate::File) awaits it, or polls it once. Most calls end at once, and those cost no
//! allocation.

use alloc::boxed::Box;
use core::fmt;
use core::future::Future;
use core::mem;
use core::pin::Pin;
use core::task::{Context, Poll, Waker};

use crate::error::{Error, Result};

/// A call that is done or waits for its result.
///
/// # Cancel safety
///
/// Dropping it before it is ready abandons the call. A device must not have moved any byte by then.
pub enum Operation<'a, T> {
    /// The result is known.
    Done(Result<T>),
    /// The result comes later.
    Waiting(Pin<Box<dyn Future<Output = Result<T>> + Send + 'a>>),
}

impl<'a, T> Operation<'a, T> {
    /// Answers at once.
    pub const fn done(result: Result<T>) -> Self {
        Self::Done(result)
    }

    /// Answers when the future does.
    pub fn waiting(future: impl Future<Output = Result<T>> + Send + 'a) -> Self {
        Self::Waiting(Box::pin(future))
    }

    /// Takes the result if there is one now, and abandons the call otherwise.
    ///
    /// # Errors
    ///
    /// The call's own, or [`Error::WouldBlock`] if it would have to wait.
    pub fn now(mut self) -> Result<T> {
        match Pin::new(&mut self).poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(result) => result,
            Poll::Pending => Err(Error::WouldBlock),
        }
    }
}

// Nothing in here is pinned in place: the future has its own box, and a result may move.
impl<T> Unpin for Operation<'_, T> {}

impl<T> Future for Operation<'_, T> {
    type Output = Result<T>;

    /// Drives the call. Polled again after it was ready, it answers [`Error::BadFileDescriptor`].
    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let result = match &mut *self {
            Self::Done(result) => mem::replace(result, Err(Error::BadFileDescriptor)),
            Self::Waiting(future) => {
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
        }
    }
}
