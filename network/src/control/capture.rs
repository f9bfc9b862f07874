//! The command that makes a file a capture: it reads a pcapng stream, and sends frames.

use alloc::sync::Arc;
use core::future::poll_fn;
use core::task::{Context, Poll};

use devnet_virtual_file_system::{Error, Operation, Readiness, Result};

use super::open::OpenFile;
use super::state::State;
use crate::capture::{HAS_CAPTURE, Tap};
use crate::command::capture::{CaptureOptions, CaptureStatistics};
use crate::interface::Interface;

/// A capturing file. Dropping it ends the capture.
pub(super) struct Capturer {
    interface: Arc<Interface>,
    tap: Arc<Tap>,
}

impl OpenFile {
    /// The file's capture.
    pub(super) fn capturer(&self) -> Option<Arc<Capturer>> {
        if !HAS_CAPTURE {
            return None;
        }
        self.state.with(|state| match state {
            State::Capture(capturer) => Some(Arc::clone(capturer)),
            _ => None,
        })
    }

    /// Makes the file a capture of its interface.
    pub(super) fn capture(&self, options: CaptureOptions) -> Result<()> {
        if !HAS_CAPTURE {
            return Err(Error::Unsupported);
        }
        // Of all interfaces at once there is no medium.
        let interface = self.sockets.place.interface.clone().ok_or(Error::Unsupported)?;
        let tap = interface.capture(options)?;
        let capturer = Arc::new(Capturer { interface, tap });
        // An unused one is dropped outside of the lock.
        self.state.with(|state| match state {
            State::Status { .. } => {
                *state = State::Capture(Arc::clone(&capturer));
                Ok(())
            }
            // A concurrent command made it something else.
            _ => Err(Error::InvalidInput),
        })
    }

    /// What the file's capture has seen.
    pub(super) fn capture_statistics(&self) -> Result<CaptureStatistics> {
        self.capturer().map(|capturer| capturer.tap.statistics()).ok_or(Error::InvalidInput)
    }
}

impl Capturer {
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
