//! A guest's captures and watching files, whose records wait in memory until they are read.

use alloc::vec::Vec;

use devnet_network::command::Request;
use devnet_network::command::capture::CaptureOptions;
use devnet_network::command::mode::Mode;
use devnet_network::limits::{CAPTURE_BYTES, EVENT_BYTES};
use devnet_virtual_file_system::{Error, Result};

use super::requests::Action;
use super::{DeviceKind, Guard};

impl Action {
    /// What to do with a command about interfaces that the guest may see.
    pub(super) const fn of_interface(request: &Request) -> Self {
        match request {
            Request::Watch(_) | Request::WatchEvents(_) | Request::WatchServices(_) => Self::Handle,
            _ => Self::Forward,
        }
    }
}

impl Guard {
    /// Makes the file a capture, which sees what no socket of the guest does: it needs the grant
    /// of raw sockets, on `/devices/sockets` that of all interfaces too, and is charged as one of
    /// them with a buffer of its own.
    pub(super) async fn capture(&self, options: CaptureOptions) -> Result<Vec<u8>> {
        let sees_all = self.place == DeviceKind::Interface || self.devices.sees_all();
        if !self.policy().grants.raw || !sees_all {
            return Err(Error::PermissionDenied);
        }
        self.record(Request::Capture(options), CAPTURE_BYTES).await
    }

    /// Makes the file a reader of events, or restarts it; charged as a socket with one buffer.
    pub(super) async fn watch(&self, request: Request) -> Result<Vec<u8>> {
        if self.mode() == Mode::Events {
            return self.forward(request).await;
        }
        self.record(request, EVENT_BYTES).await
    }

    /// Forwards a command that makes the file one that keeps so many bytes until they are read.
    async fn record(&self, request: Request, bytes: usize) -> Result<Vec<u8>> {
        let reservation = self.account().reserve_bytes(bytes, 0)?;
        let answer = self.forward(request).await?;
        self.hold(reservation)?;
        Ok(answer)
    }
}
