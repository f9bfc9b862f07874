//! `/dev/null`: reading ends at once, and what is written is gone.
//!
//! Scripts name it for output that nobody wants. Every shell makes it in its tree, so commands and
//! guest programs see it as any other device.

use std::sync::Arc;
use std::task::{Context, Poll};

use devnet_virtual_file_system::{
    CharacterDevice, Mode, OpenDevice, OpenRequest, Operation, Path, Readiness, Result,
};

use crate::context::Files;

struct Null;

impl CharacterDevice for Null {
    fn open(&self, _: &OpenRequest<'_>) -> Result<Arc<dyn OpenDevice>> {
        Ok(Arc::new(Self))
    }
}

impl OpenDevice for Null {
    fn read<'a>(&'a self, _: &'a mut [u8]) -> Operation<'a, usize> {
        Operation::done(Ok(0))
    }

    fn write<'a>(&'a self, data: &'a [u8]) -> Operation<'a, usize> {
        Operation::done(Ok(data.len()))
    }

    fn poll_ready(&self, _: &mut Context<'_>, interest: Readiness) -> Poll<Readiness> {
        Poll::Ready(interest)
    }
}

/// Makes the device, unless the tree has one.
pub(crate) fn mount(files: &Files) -> Result<()> {
    if files.stat("/dev/null").is_ok() {
        return Ok(());
    }
    // The directory can be there for other devices.
    if files.stat("/dev").is_err() {
        files.create_directory("/dev")?;
    }
    let (tree, credentials) = files.parts();
    let mode = Mode::from_bits_truncate(0o666);
    tree.mount(&credentials, &Path::parse("/dev/null")?, Arc::new(Null), mode)
}
