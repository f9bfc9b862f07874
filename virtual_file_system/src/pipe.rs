//! The pipe: a bounded byte stream from one file to another.
//!
//! The shell connects commands with it. Both ends are open devices without a name; each end wakes
//! the other's waiters, also when it is dropped.

use alloc::collections::VecDeque;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::future::poll_fn;
use core::task::{Context, Poll, Waker};

use crate::access::OpenFlags;
use crate::device::OpenDevice;
use crate::error::{Error, Result};
use crate::file::File;
use crate::limits::PIPE_BYTES;
use crate::lock::Lock;
use crate::operation::Operation;
use crate::readiness::{Readiness, WakerList};

/// Creates a pipe with a capacity in bytes (at least 1, at most [`PIPE_BYTES`]), and returns the
/// read end and the write end.
///
/// A full pipe blocks the writer. An empty pipe blocks the reader until the write end is closed;
/// then it is the end of the file. Writing after the read end is closed fails with
/// [`Error::BrokenPipe`].
#[must_use]
pub fn pipe(capacity: usize) -> (File, File) {
    let shared = Arc::new(Lock::new(State {
        bytes: VecDeque::new(),
        capacity: capacity.clamp(1, PIPE_BYTES),
        reader_closed: false,
        writer_closed: false,
        readers: WakerList::new(),
        writers: WakerList::new(),
    }));
    let reader = File::from_device(Arc::new(Reader(Arc::clone(&shared))), OpenFlags::READ);
    let writer = File::from_device(Arc::new(Writer(shared)), OpenFlags::WRITE);
    (reader, writer)
}

struct State {
    bytes: VecDeque<u8>,
    capacity: usize,
    reader_closed: bool,
    writer_closed: bool,
    readers: WakerList,
    writers: WakerList,
}

/// The result of a step under the lock, and the wakers to wake outside.
type Step<T> = (Poll<T>, Vec<Waker>);

impl State {
    fn take(&mut self, buffer: &mut [u8], waiter: Option<&Waker>) -> Step<Result<usize>> {
        if buffer.is_empty() {
            return (Poll::Ready(Ok(0)), Vec::new());
        }
        if self.bytes.is_empty() {
            if self.writer_closed {
                return (Poll::Ready(Ok(0)), Vec::new());
            }
            waiter.into_iter().for_each(|waker| self.readers.register(waker));
            return (Poll::Pending, Vec::new());
        }
        let count = buffer.len().min(self.bytes.len());
        for (to, from) in buffer.iter_mut().zip(self.bytes.drain(..count)) {
            *to = from;
        }
        (Poll::Ready(Ok(count)), self.writers.take())
    }

    fn put(&mut self, data: &[u8], waiter: Option<&Waker>) -> Step<Result<usize>> {
        if self.reader_closed {
            return (Poll::Ready(Err(Error::BrokenPipe)), Vec::new());
        }
        let count = data.len().min(self.capacity - self.bytes.len());
        if count == 0 && !data.is_empty() {
            waiter.into_iter().for_each(|waker| self.writers.register(waker));
            return (Poll::Pending, Vec::new());
        }
        self.bytes.extend(data.iter().take(count));
        (Poll::Ready(Ok(count)), self.readers.take())
    }
}

/// Runs a step, and wakes its wakers.
fn advance<T>(shared: &Lock<State>, step: impl FnOnce(&mut State) -> Step<T>) -> Poll<T> {
    let (outcome, released) = shared.with(step);
    released.into_iter().for_each(Waker::wake);
    outcome
}

struct Reader(Arc<Lock<State>>);

impl OpenDevice for Reader {
    fn read<'a>(&'a self, buffer: &'a mut [u8]) -> Operation<'a, usize> {
        // The first attempt registers no waker; it is enough for most reads.
        match advance(&self.0, |state| state.take(buffer, None)) {
            Poll::Ready(result) => Operation::done(result),
            Poll::Pending => Operation::waiting(poll_fn(move |context| {
                advance(&self.0, |state| state.take(buffer, Some(context.waker())))
            })),
        }
    }

    fn write<'a>(&'a self, _data: &'a [u8]) -> Operation<'a, usize> {
        Operation::done(Err(Error::BadFileDescriptor))
    }

    fn poll_ready(&self, context: &mut Context<'_>, interest: Readiness) -> Poll<Readiness> {
        self.0.with(|state| {
            let mut now = Readiness::empty();
            now.set(Readiness::READABLE, !state.bytes.is_empty() || state.writer_closed);
            now.set(Readiness::HANG_UP, state.writer_closed);
            answer(now & (interest | Readiness::HANG_UP), &mut state.readers, context)
        })
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        let (released, unread) = self.0.with(|state| {
            state.reader_closed = true;
            (state.writers.take(), core::mem::take(&mut state.bytes))
        });
        released.into_iter().for_each(Waker::wake);
        drop(unread);
    }
}

struct Writer(Arc<Lock<State>>);

impl OpenDevice for Writer {
    fn read<'a>(&'a self, _buffer: &'a mut [u8]) -> Operation<'a, usize> {
        Operation::done(Err(Error::BadFileDescriptor))
    }

    fn write<'a>(&'a self, data: &'a [u8]) -> Operation<'a, usize> {
        match advance(&self.0, |state| state.put(data, None)) {
            Poll::Ready(result) => Operation::done(result),
            Poll::Pending => Operation::waiting(poll_fn(move |context| {
                advance(&self.0, |state| state.put(data, Some(context.waker())))
            })),
        }
    }

    fn poll_ready(&self, context: &mut Context<'_>, interest: Readiness) -> Poll<Readiness> {
        self.0.with(|state| {
            let mut now = Readiness::empty();
            now.set(Readiness::WRITABLE, state.bytes.len() < state.capacity || state.reader_closed);
            now.set(Readiness::ERROR, state.reader_closed);
            answer(now & (interest | Readiness::ERROR), &mut state.writers, context)
        })
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        let released = self.0.with(|state| {
            state.writer_closed = true;
            state.readers.take()
        });
        released.into_iter().for_each(Waker::wake);
    }
}

fn answer(now: Readiness, waiters: &mut WakerList, context: &Context<'_>) -> Poll<Readiness> {
    if now.is_empty() {
        waiters.register(context.waker());
        Poll::Pending
    } else {
        Poll::Ready(now)
    }
}
