//! A guest's captures.

use alloc::vec::Vec;

use devnet_network::command::Request;
use devnet_network::command::capture::CaptureOptions;
use devnet_network::limits::CAPTURE_BYTES;
use devnet_virtual_file_system::{Error, Result};

use super::Guard;
use crate::account::Direction;

impl Guard {
    /// Makes the file a capture, which sees what no socket of the guest does: it needs the grant
    /// of raw sockets, and is charged as one of them with a buffer of its own.
    pub(super) async fn capture(&self, options: CaptureOptions) -> Result<Vec<u8>> {
        if !self.policy().grants.raw {
            return Err(Error::PermissionDenied);
        }
        let reservation = self.account().reserve()?;
        reservation.resize(Direction::Send, 0)?;
        reservation.resize(Direction::Receive, CAPTURE_BYTES)?;
        let answer = self.forward(Request::Capture(options)).await?;
        self.hold(reservation)?;
        Ok(answer)
    }
}
