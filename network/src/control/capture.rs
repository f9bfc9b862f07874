//! The command that makes a file a capture.

use alloc::sync::Arc;

use devnet_virtual_file_system::{Error, Result};

use super::capturer::Capturer;
use super::open::OpenFile;
use super::state::State;
use crate::capture::HAS_CAPTURE;
use crate::command::capture::{CaptureOptions, CaptureStatistics};

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
        let capturer = Arc::new(Capturer::new(interface, options)?);
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
}
