//! The open file: reading, writing, seeking, and its attributes.
//!
//! [`VirtualFileSystem::open`](crate::VirtualFileSystem::open) and [`pipe`](fn@crate::pipe) create
//! files; shells, guests and programs use them. A call on a regular file completes at once; a call
//! on a device goes to its [`OpenDevice`] and may block. Control calls are in `control`, readiness
//! is in `waiting`, the `embedded-io-async` traits are in `traits`.

mod control;
mod description;
mod traits;
mod waiting;

use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;

use embedded_io_async::SeekFrom;

use description::Target;
pub(crate) use description::{Description, Object};

use crate::access::OpenFlags;
use crate::device::{OpenDevice, Revocable};
use crate::error::{Error, Result};
use crate::node::Attributes;
use crate::operation::Operation;
use crate::quota::Quota;

/// The minimum bytes by which `read_to_end` grows its buffer.
const READ_STEP_BYTES: usize = 4096;

/// An open file. A clone is the same description (POSIX `dup`): they share offset, flags and the
/// device's state, and dropping the last one closes it at once.
///
/// Calls on a device whose node was unmounted fail with [`Error::NoDevice`]. Calls for which the
/// file was not opened fail with [`Error::BadFileDescriptor`]. On a non-blocking file, calls that
/// would wait fail with [`Error::WouldBlock`].
#[derive(Clone)]
pub struct File(Arc<Description>, Option<Arc<Quota>>);

impl fmt::Debug for File {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("File").field("flags", &self.flags()).finish_non_exhaustive()
    }
}

impl File {
    pub(crate) fn new(description: Description) -> Self {
        Self(Arc::new(description), None)
    }

    /// Returns the same open file at another account's cost.
    pub(crate) fn at_cost_of(&self, payer: Arc<Quota>) -> Self {
        Self(Arc::clone(&self.0), Some(payer))
    }

    /// Makes a file of an open device without a name, such as a terminal or an end of a pipe.
    #[must_use]
    pub fn from_device(device: Arc<dyn OpenDevice>, flags: OpenFlags) -> Self {
        Self::new(Description::new(Object::Unnamed(Box::new(Revocable::new(device))), flags))
    }

    /// Reads up to `buffer.len()` bytes, and blocks until there is one; 0 is the end of the file.
    ///
    /// # Errors
    ///
    /// [`Error::IsADirectory`]; errors of the device; those of every [`File`].
    ///
    /// # Cancel safety
    ///
    /// A read that is dropped while pending has consumed nothing.
    pub async fn read(&self, buffer: &mut [u8]) -> Result<usize> {
        match self.0.target_for(OpenFlags::READ)? {
            Target::Directory => Err(Error::IsADirectory),
            Target::Regular { storage, position, .. } => {
                Ok(position.with(|position| storage.read(position, buffer)))
            }
            Target::Device(opened) => {
                let device = opened.device()?;
                self.finish(opened, device.read(buffer)).await
            }
        }
    }

    /// Writes some of the bytes, and returns how many. A regular file takes all that its limits
    /// allow; with [`OpenFlags::APPEND`] they are appended.
    ///
    /// # Errors
    ///
    /// [`Error::FileTooLarge`] and [`Error::NoSpace`] if no byte fits a regular file; errors of the
    /// device; those of every [`File`].
    ///
    /// # Cancel safety
    ///
    /// A write that is dropped while pending has written nothing.
    pub async fn write(&self, data: &[u8]) -> Result<usize> {
        match self.0.target_for(OpenFlags::WRITE)? {
            Target::Device(opened) => {
                let device = opened.device()?;
                self.finish(opened, device.write(data)).await
            }
            Target::Directory | Target::Regular { .. } => self.try_write(data),
        }
    }

    /// Writes all bytes without interleaving with another `write_all` on this description.
    ///
    /// # Errors
    ///
    /// Errors of [`write`](Self::write), after which a part may be written; [`Error::InputOutput`]
    /// if the device accepts no bytes.
    ///
    /// # Cancel safety
    ///
    /// Not cancel safe on a device: a part may be written.
    pub async fn write_all(&self, data: &[u8]) -> Result<()> {
        let target = self.0.target_for(OpenFlags::WRITE)?;
        let _turn = match target {
            // A regular file takes the whole buffer under its own lock.
            Target::Directory | Target::Regular { .. } => None,
            Target::Device(_) if self.0.is_non_blocking() => {
                Some(self.0.turn.try_lock().ok_or(Error::WouldBlock)?)
            }
            Target::Device(_) => Some(self.0.turn.lock().await),
        };
        let mut rest = data;
        while !rest.is_empty() {
            let count = self.write(rest).await?;
            rest = rest.get(count..).filter(|_| count > 0).ok_or(Error::InputOutput)?;
        }
        Ok(())
    }

    /// Reads to the end of the file.
    ///
    /// # Errors
    ///
    /// Errors of [`read`](Self::read); [`Error::FileTooLarge`] if there are more than `limit`
    /// bytes.
    ///
    /// # Cancel safety
    ///
    /// Not cancel safe: the bytes read so far are lost.
    pub async fn read_to_end(&self, limit: usize) -> Result<Vec<u8>> {
        let mut bytes = Vec::new();
        loop {
            let length = bytes.len();
            // One byte more than allowed, to distinguish the end from an excess.
            let step =
                length.max(READ_STEP_BYTES).min(limit.saturating_sub(length).saturating_add(1));
            bytes.try_reserve(step).map_err(|_| Error::OutOfMemory)?;
            bytes.resize(length + step, 0);
            let count = self.read(bytes.get_mut(length..).unwrap_or_default()).await?;
            bytes.truncate(length + count);
            if count == 0 {
                return Ok(bytes);
            }
            if bytes.len() > limit {
                return Err(Error::FileTooLarge);
            }
        }
    }

    /// Reads available bytes without blocking.
    ///
    /// # Errors
    ///
    /// Errors of [`read`](Self::read), and [`Error::WouldBlock`] if it would block.
    pub fn try_read(&self, buffer: &mut [u8]) -> Result<usize> {
        match self.0.target_for(OpenFlags::READ)? {
            Target::Directory => Err(Error::IsADirectory),
            Target::Regular { storage, position, .. } => {
                Ok(position.with(|position| storage.read(position, buffer)))
            }
            Target::Device(opened) => opened.device()?.read(buffer).now(),
        }
    }

    /// Writes without blocking as many bytes as fit.
    ///
    /// # Errors
    ///
    /// Errors of [`write`](Self::write), and [`Error::WouldBlock`] if it would block.
    pub fn try_write(&self, data: &[u8]) -> Result<usize> {
        match self.0.target_for(OpenFlags::WRITE)? {
            Target::Directory => Err(Error::IsADirectory),
            Target::Regular { node, storage, position, payer } => {
                let payer = self.1.as_ref().unwrap_or(payer);
                let write =
                    |position: &mut u64| storage.write(payer, position, self.0.appends(), data);
                let count = position.with(write)?;
                if count > 0 {
                    node.touch();
                }
                Ok(count)
            }
            Target::Device(opened) => opened.device()?.write(data).now(),
        }
    }

    /// Moves the offset of a regular file, also beyond its end, and returns it.
    ///
    /// # Errors
    ///
    /// [`Error::IllegalSeek`] on a device, [`Error::IsADirectory`] on a directory;
    /// [`Error::InvalidInput`] before the start or beyond 2⁶³ − 1.
    pub fn seek(&self, to: SeekFrom) -> Result<u64> {
        let (storage, position) = match self.0.target() {
            Target::Directory => return Err(Error::IsADirectory),
            Target::Regular { storage, position, .. } => (storage, position),
            Target::Device(opened) => return opened.device().and(Err(Error::IllegalSeek)),
        };
        position.with(|position| {
            let target = match to {
                SeekFrom::Start(offset) => Some(offset),
                SeekFrom::Current(offset) => position.checked_add_signed(offset),
                SeekFrom::End(offset) => storage.length().checked_add_signed(offset),
            };
            *position = target
                .filter(|&target| i64::try_from(target).is_ok())
                .ok_or(Error::InvalidInput)?;
            Ok(*position)
        })
    }

    /// Truncates a regular file, or extends it with zeros; the offset is unchanged.
    ///
    /// # Errors
    ///
    /// [`Error::FileTooLarge`] beyond [`FILE_BYTES`](crate::limits::FILE_BYTES);
    /// [`Error::InvalidInput`] on a device.
    pub fn set_length(&self, length: u64) -> Result<()> {
        match self.0.target_for(OpenFlags::WRITE)? {
            Target::Directory => Err(Error::IsADirectory),
            Target::Regular { node, storage, .. } => {
                storage.set_length(length).inspect(|()| node.touch())
            }
            Target::Device(opened) => opened.device().and(Err(Error::InvalidInput)),
        }
    }

    /// Returns the attributes of the node; a file without a name has inode 0.
    ///
    /// # Errors
    ///
    /// Those of every [`File`].
    pub fn stat(&self) -> Result<Attributes> {
        self.0.attributes()
    }

    /// Returns a number that grows with every change of a regular file's bytes. Together with the
    /// inode it identifies one state of one file, as a strong validator of HTTP requires.
    ///
    /// # Errors
    ///
    /// [`Error::IsADirectory`] on a directory; [`Error::InvalidInput`] on a device.
    pub fn version(&self) -> Result<u64> {
        match self.0.target() {
            Target::Directory => Err(Error::IsADirectory),
            Target::Regular { storage, .. } => Ok(storage.version()),
            Target::Device(opened) => opened.device().and(Err(Error::InvalidInput)),
        }
    }

    /// Returns the open flags, including the current non-blocking flag.
    #[must_use]
    pub fn flags(&self) -> OpenFlags {
        self.0.flags()
    }

    /// Sets the non-blocking flag of this description, effective from the next call.
    pub fn set_non_blocking(&self, non_blocking: bool) {
        self.0.set_non_blocking(non_blocking);
    }

    /// Awaits a device's operation, or polls it once if the file is non-blocking.
    async fn finish<T>(&self, opened: &Revocable, operation: Operation<'_, T>) -> Result<T> {
        if self.0.is_non_blocking() { operation.now() } else { opened.run(operation).await }
    }
}
