//! A capture: reads a pcapng stream, and sends frames.

use alloc::sync::Arc;
use core::future::poll_fn;
use core::task::{Context, Poll};

use devnet_virtual_file_system::{Error, Operation, Readiness, Result};

use crate::capture::Tap;
use crate::command::capture::{CaptureOptions, CaptureStatistics};
use crate::interface::Interface;

/// A capturing file. Dropping it ends the capture.
pub(super) struct Capturer {
    interface: Arc<Interface>,
    tap: Arc<Tap>,
}

impl Capturer {
    /// Begins a capture of an interface.
    pub(super) fn new(interface: Arc<Interface>, options: CaptureOptions) -> Result<Self> {
        let tap = interface.capture(options)?;
        Ok(Self { interface, tap })
    }

    pub(super) fn statistics(&self) -> CaptureStatistics {
        self.tap.statistics()
    }

    /// Reads bytes of the stream; waits for some.
    pub(super) fn read<'a>(self: Arc<Self>, buffer: &'a mut [u8]) -> Operation<'a, usize> {
        match self.tap.read(buffer, None) {
            Err(Error::WouldBlock) => Operation::waiting(async move {
                poll_fn(|context| match self.tap.read(buffer, Some(context.waker())) {
                    Err(Error::WouldBlock) => Poll::Pending,
                    outcome => Poll::Ready(outcome),
                })
                .await
            }),
            outcome => Operation::done(outcome),
        }
    }

    /// Sends one frame; waits for room.
    pub(super) fn write<'a>(self: Arc<Self>, frame: &'a [u8]) -> Operation<'a, usize> {
        Operation::waiting(async move {
            poll_fn(|context| match self.interface.inject(frame, context.waker()) {
                Err(Error::WouldBlock) => Poll::Pending,
                outcome => Poll::Ready(outcome),
            })
            .await?;
            self.tap.count_sent();
            Ok(frame.len())
        })
    }

    /// Readable when there are bytes; writable always, since a frame waits for room by itself.
    pub(super) fn poll_ready(&self, context: &Context<'_>, interest: Readiness) -> Poll<Readiness> {
        let mut ready = interest & Readiness::WRITABLE;
        if interest.contains(Readiness::READABLE) && self.tap.is_readable(context.waker()) {
            ready |= Readiness::READABLE;
        }
        if ready.is_empty() { Poll::Pending } else { Poll::Ready(ready) }
    }
}

impl Drop for Capturer {
    fn drop(&mut self) {
        self.interface.end_capture(&self.tap);
    }
}
