//! The traits that a mounted device implements.
//!
//! The platform implements [`CharacterDevice`] and passes it to
//! [`VirtualFileSystem::mount`](crate::VirtualFileSystem::mount); the tree calls `open` for each
//! open, and the file forwards its calls to the [`OpenDevice`] that it returned. No lock of this
//! crate is held during these calls.

mod mount;
mod revocation;

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::any::Any;
use core::task::{Context, Poll};

use crate::access::{Credentials, OpenFlags};
use crate::control::{CommandEntry, Identifier};
use crate::error::{Error, Result};
use crate::operation::Operation;
use crate::path::Path;
use crate::readiness::Readiness;

pub(crate) use mount::{Mount, MountedOpen};
pub(crate) use revocation::Revocable;

/// The parameters of an open. The node's permissions have been checked.
#[derive(Debug, Clone, Copy)]
pub struct OpenRequest<'a> {
    /// The caller's credentials.
    pub credentials: &'a Credentials,
    /// The open flags. The device compares them with a command's [`Authority`](crate::Authority).
    pub flags: OpenFlags,
    /// The path by which the device was opened.
    pub path: &'a Path,
}

/// A device that can be mounted.
pub trait CharacterDevice: Send + Sync {
    /// Creates an independent open file description.
    ///
    /// # Errors
    ///
    /// Any error of the device; the open fails with it.
    fn open(&self, request: &OpenRequest<'_>) -> Result<Arc<dyn OpenDevice>>;
}

/// One open file description of a device. Dropping it closes it, synchronously and completely.
///
/// `read` and `write` are called only if the file was opened for them. An [`Operation`] dropped
/// while pending must not have transferred any bytes.
pub trait OpenDevice: Any + Send + Sync {
    /// Reads up to `buffer.len()` bytes, and blocks until there is one; 0 is the end of the file.
    fn read<'a>(&'a self, buffer: &'a mut [u8]) -> Operation<'a, usize>;

    /// Writes some of the bytes, at least one, and returns how many.
    fn write<'a>(&'a self, data: &'a [u8]) -> Operation<'a, usize>;

    /// Runs a command; the device checks its authority, because only it knows its table.
    fn control<'a>(&'a self, identifier: Identifier, request: &'a [u8]) -> Operation<'a, Vec<u8>> {
        let _ = (identifier, request);
        Operation::Done(Err(Error::UnknownCommand))
    }

    /// Returns the commands that it answers, for those who list them; a device need not tell.
    fn commands(&self) -> Vec<CommandEntry> {
        Vec::new()
    }

    /// Returns which of `interest` the description is ready for, or registers the task's waker.
    ///
    /// [`Readiness::ERROR`] and [`Readiness::HANG_UP`] are always polled.
    fn poll_ready(&self, context: &mut Context<'_>, interest: Readiness) -> Poll<Readiness>;

    /// Called when the node was unmounted: ends every waiter with an error. No further call
    /// follows.
    fn revoke(&self) {}
}
