//! The command that makes a file a capture.

use alloc::sync::Arc;
use alloc::vec::Vec;

use devnet_virtual_file_system::{Error, Result};

use super::capturer::Capturer;
use super::open::OpenFile;
use super::state::State;
use crate::capture::HAS_CAPTURE;
use crate::command::capture::{CaptureOptions, CaptureStatistics, InterfaceCapture};
use crate::socket::Sockets;

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

    /// Makes the file a capture of its interface, or of all.
    pub(super) fn capture(&self, options: CaptureOptions) -> Result<()> {
        if !HAS_CAPTURE {
            return Err(Error::Unsupported);
        }
        let Sockets { place, clock, .. } = &*self.sockets;
        let capturer = Arc::new(Capturer::new(place, clock, options)?);
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
        self.capturer().map(|capturer| capturer.statistics()).ok_or(Error::InvalidInput)
    }

    /// What it has seen of each interface.
    pub(super) fn capture_interfaces(&self) -> Result<Vec<InterfaceCapture>> {
        self.capturer().map(|capturer| capturer.of_interfaces()).ok_or(Error::InvalidInput)
    }
}
