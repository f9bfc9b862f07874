//! A capture: reads a pcapng stream, and sends frames.

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::future::poll_fn;
use core::task::{Context, Poll};

use devnet_virtual_file_system::{Error, Operation, Readiness, Result};

use crate::capture::Stream;
use crate::command::capture::{CaptureOptions, CaptureStatistics, InterfaceCapture};
use crate::interfaces::Place;
use crate::platform::Clock;

/// A capturing file. Dropping it ends the capture.
pub(super) struct Capturer {
    place: Place,
    stream: Arc<Stream>,
}

impl Capturer {
    /// Begins a capture of an interface, or of all.
    pub(super) fn new(
        place: &Place,
        clock: &Arc<dyn Clock>,
        options: CaptureOptions,
    ) -> Result<Self> {
        let is_of_all = place.interface.is_none();
        let stream = Arc::new(Stream::new(options, is_of_all, Arc::clone(clock))?);
        // Dropping it undoes what was begun.
        let capturer = Self { place: place.clone(), stream };
        match &place.interface {
            Some(interface) => interface.capture(&capturer.stream)?,
            None => place.all.capture(&capturer.stream)?,
        }
        Ok(capturer)
    }

    pub(super) fn statistics(&self) -> CaptureStatistics {
        self.stream.statistics()
    }

    pub(super) fn of_interfaces(&self) -> Vec<InterfaceCapture> {
        self.stream.of_interfaces()
    }

    /// Reads bytes of the stream; waits for some.
    pub(super) fn read<'a>(self: Arc<Self>, buffer: &'a mut [u8]) -> Operation<'a, usize> {
        match self.stream.read(buffer, None) {
            Err(Error::WouldBlock) => Operation::waiting(async move {
                poll_fn(|context| match self.stream.read(buffer, Some(context.waker())) {
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
            // Of all interfaces none is meant.
            let interface = self.place.interface.as_ref().ok_or(Error::Unsupported)?;
            poll_fn(|context| match interface.inject(frame, context.waker()) {
                Err(Error::WouldBlock) => Poll::Pending,
                outcome => Poll::Ready(outcome),
            })
            .await?;
            self.stream.count_sent();
            Ok(frame.len())
        })
    }

    /// Readable when there are bytes; writable always, since a frame waits for room by itself.
    pub(super) fn poll_ready(&self, context: &Context<'_>, interest: Readiness) -> Poll<Readiness> {
        let mut ready = interest & Readiness::WRITABLE;
        if interest.contains(Readiness::READABLE) && self.stream.is_readable(context.waker()) {
            ready |= Readiness::READABLE;
        }
        if ready.is_empty() { Poll::Pending } else { Poll::Ready(ready) }
    }
}

impl Drop for Capturer {
    fn drop(&mut self) {
        match &self.place.interface {
            Some(interface) => interface.end_capture(&self.stream),
            None => self.place.all.end_capture(&self.stream),
        }
    }
}
