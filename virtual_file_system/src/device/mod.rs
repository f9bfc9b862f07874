//! What can be mounted: the traits between a [`File`](crate::File) and whoever stands behind a
//! device's name.
//!
//! The platform implements [`CharacterDevice`] and hands it to
//! [`VirtualFileSystem::mount`](crate::VirtualFileSystem::mount); the tree calls `open` for each
//! open, and the file passes its calls on to the [`OpenDevice`] it got. No lock of this crate is
//! held during any of them.

mod mount;
mod revocation;

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::any::Any;
use core::task::{Context, Poll};

use crate::access::{Credentials, OpenFlags};
use crate::control::Identifier;
use crate::error::{Error, Result};
use crate::operation::Operation;
use crate::path::Path;
use crate::readiness::Readiness;

pub(crate) use mount::{Mount, MountedOpen};
pub(crate) use revocation::Revocable;

/// Who opens a device, and for what. The node's permissions have been checked.
#[derive(Debug, Clone, Copy)]
pub struct OpenRequest<'a> {
    /// On whose behalf.
    pub credentials: &'a Credentials,
    /// What for. The device compares it with a command's [`Authority`](crate::Authority).
    pub flags: OpenFlags,
    /// The name by which the device was reached.
    pub path: &'a Path,
}

/// A device that has a name in the tree.
pub trait CharacterDevice: Send + Sync {
    /// Starts an independent open file description.
    ///
    /// # Errors
    ///
    /// Whatever the device refuses with; the open fails with it.
    fn open(&self, request: &OpenRequest<'_>) -> Result<Arc<dyn OpenDevice>>;
}

/// One open file description of a device. Dropping it closes it, synchronously and completely.
///
/// `read` and `write` arrive only if the file was opened for them. A dropped [`Operation`] that was
/// not ready must not have taken or given any byte.
pub trait OpenDevice: Any + Send + Sync {
    /// Takes up to `buffer.len()` bytes, waiting for the first; 0 is the end of the file.
    fn read<'a>(&'a self, buffer: &'a mut [u8]) -> Operation<'a, usize>;

    /// Gives some of the bytes, at least one of them, and tells how many.
    fn write<'a>(&'a self, data: &'a [u8]) -> Operation<'a, usize>;

    /// Carries out a command; the device checks its authority, because only it knows its table.
    fn control<'a>(&'a self, identifier: Identifier, request: &'a [u8]) -> Operation<'a, Vec<u8>> {
        let _ = (identifier, request);
        Operation::Done(Err(Error::UnknownCommand))
    }

    /// Tells what of `interest` the description is ready for, or registers the task to be woken
    /// when it is.
    ///
    /// [`Readiness::ERROR`] and [`Readiness::HANG_UP`] are always of interest.
    fn poll_ready(&self, context: &mut Context<'_>, interest: Readiness) -> Poll<Readiness>;

    /// Hears that the node was unmounted: ends every waiter with an error. No call comes after it.
    fn revoke(&self) {}
}
