//! The controller of an interface, as an open file of the interface has it.

use alloc::sync::Arc;

use devnet_virtual_file_system::{
    CharacterDevice, Credentials, Lock, OpenDevice, OpenFlags, OpenRequest, Path, Result,
};

/// An interface's controller, and with what a file of its device was opened.
pub(super) struct Controller {
    device: Arc<dyn CharacterDevice>,
    credentials: Credentials,
    path: Path,
    /// Opened when the first command is forwarded.
    opened: Lock<Option<Arc<dyn OpenDevice>>>,
}

impl Controller {
    pub(super) fn new(device: Arc<dyn CharacterDevice>, request: &OpenRequest<'_>) -> Self {
        let (credentials, path) = (request.credentials.clone(), request.path.clone());
        Self { device, credentials, path, opened: Lock::default() }
    }

    /// Opens the device once more.
    pub(super) fn open(&self, flags: OpenFlags) -> Result<Arc<dyn OpenDevice>> {
        let Self { device, credentials, path, .. } = self;
        device.open(&OpenRequest { credentials, flags, path })
    }

    /// The file for commands that are forwarded.
    pub(super) fn shared(&self, flags: OpenFlags) -> Result<Arc<dyn OpenDevice>> {
        if let Some(device) = self.opened.with(|opened| opened.clone()) {
            return Ok(device);
        }
        // No lock is held while foreign code runs; of two concurrent opens the first one is kept.
        let new = self.open(flags)?;
        Ok(self.opened.with(|known| known.get_or_insert(new).clone()))
    }
}
