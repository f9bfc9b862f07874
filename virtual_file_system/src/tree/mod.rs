//! The tree that platforms, shells and guests share: every call with a path.
//!
//! Each call resolves its path under the lock of the names, releases the lock, and only then
//! accesses bytes or devices. An open returns a [`File`]. Permission checks are in
//! [`access`](crate::access), the rules about names in `names`.

mod names;

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;

use names::Names;

use crate::access::{
    Credentials, GroupIdentifier, Mode, OpenFlags, UserIdentifier, mode_change_permitted,
    owner_change_permitted,
};
use crate::device::{CharacterDevice, Mount, OpenRequest};
use crate::error::{Error, Result};
use crate::file::{Description, File, Object};
use crate::limits::STORAGE_BYTES;
use crate::lock::Lock;
use crate::node::{Attributes, Content, DirectoryEntry, Node, NodeKind};
use crate::path::Path;
use crate::storage::{Budget, Storage};

/// A tree of names. Clones share it.
///
/// Every call checks that the caller may search the directories on the path
/// ([`Error::AccessDenied`]), that they exist ([`Error::NotFound`]) and that they are directories
/// ([`Error::NotADirectory`]). No call blocks.
#[derive(Clone)]
pub struct VirtualFileSystem(Arc<Tree>);

struct Tree {
    names: Lock<Names>,
    budget: Arc<Budget>,
}

impl Default for VirtualFileSystem {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for VirtualFileSystem {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("VirtualFileSystem")
            .field("stored_bytes", &self.stored_bytes())
            .finish_non_exhaustive()
    }
}

impl VirtualFileSystem {
    /// Creates a tree with only a root directory of user 0, mode 755.
    #[must_use]
    pub fn new() -> Self {
        Self::with_storage(STORAGE_BYTES)
    }

    /// Creates a tree with a limit on the total bytes of its regular files.
    #[must_use]
    pub fn with_storage(bytes: usize) -> Self {
        Self(Arc::new(Tree {
            names: Lock::new(Names::new()),
            budget: Arc::new(Budget::new(bytes)),
        }))
    }

    /// Opens a node. `mode` is that of a regular file created by [`OpenFlags::CREATE`]. It does not
    /// restrict the open that creates the file.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidInput`] for invalid flags: neither read nor write, truncate without write,
    /// create with directory. [`Error::NotFound`]; [`Error::AlreadyExists`] with
    /// [`OpenFlags::EXCLUSIVE`]; [`Error::AccessDenied`]; [`Error::IsADirectory`] unless a
    /// directory is opened with [`OpenFlags::DIRECTORY`] and not for writing;
    /// [`Error::NotADirectory`]; [`Error::NoSpace`] beyond [`NODES`](crate::limits::NODES).
    /// [`Error::NoDevice`] if the device is unmounted meanwhile; any error of the device.
    pub fn open(
        &self,
        caller: &Credentials,
        path: &Path,
        flags: OpenFlags,
        mode: Mode,
    ) -> Result<File> {
        let flags = flags.validated()?;
        let node = self.find_or_create(caller, path, flags, mode)?;
        let object = match node.content() {
            Content::Directory => Object::Directory(node),
            Content::Regular(storage) => {
                if flags.contains(OpenFlags::TRUNCATE) {
                    storage.set_length(0)?;
                }
                let storage = Arc::clone(storage);
                Object::Regular { node, storage, position: Lock::new(0) }
            }
            Content::CharacterDevice(mount) => {
                let opened = mount.open(&OpenRequest { credentials: caller, flags, path })?;
                Object::Mounted { node, opened }
            }
        };
        Ok(File::new(Description::new(object, flags)))
    }

    /// Creates an empty directory.
    ///
    /// # Errors
    ///
    /// [`Error::AlreadyExists`]; [`Error::AccessDenied`] without write access to the parent;
    /// [`Error::NoSpace`] beyond [`NODES`](crate::limits::NODES).
    pub fn create_directory(&self, caller: &Credentials, path: &Path, mode: Mode) -> Result<()> {
        self.0.names.with(|names| names.add(caller, path, mode, Content::Directory)).map(drop)
    }

    /// Removes a regular file or an empty directory. Open files of it stay usable.
    ///
    /// # Errors
    ///
    /// [`Error::Busy`] for a mounted device and the root; [`Error::DirectoryNotEmpty`];
    /// [`Error::AccessDenied`] without write access to the parent; [`Error::PermissionDenied`] if
    /// the parent is sticky and neither belongs to the caller.
    pub fn remove(&self, caller: &Credentials, path: &Path) -> Result<()> {
        self.0.names.with(|names| names.remove(caller, path)).map(drop)
    }

    /// Renames a regular file or a directory atomically, replacing a file or an empty directory at
    /// the new name.
    ///
    /// # Errors
    ///
    /// Errors of [`remove`](Self::remove) for both names; [`Error::Busy`] for a directory with a
    /// mounted device below it; [`Error::InvalidInput`] for moving a directory into itself;
    /// [`Error::NotADirectory`] and [`Error::IsADirectory`] if one is a directory and the other is
    /// not.
    pub fn rename(&self, caller: &Credentials, from: &Path, to: &Path) -> Result<()> {
        self.0.names.with(|names| names.rename(caller, from, to)).map(drop)
    }

    /// Lists a directory, sorted by name.
    ///
    /// # Errors
    ///
    /// [`Error::NotADirectory`]; [`Error::AccessDenied`] without read access.
    pub fn list(&self, caller: &Credentials, path: &Path) -> Result<Vec<DirectoryEntry>> {
        self.0.names.with(|names| names.list(caller, path))
    }

    /// Returns the attributes of a node; needs no access to the node itself.
    ///
    /// # Errors
    ///
    /// Those of every call with a path.
    pub fn stat(&self, caller: &Credentials, path: &Path) -> Result<Attributes> {
        Ok(self.find(caller, path)?.attributes())
    }

    /// Changes a node's mode bits. Open files keep their access.
    ///
    /// # Errors
    ///
    /// [`Error::PermissionDenied`] for all but the owner and user 0.
    pub fn set_mode(&self, caller: &Credentials, path: &Path, mode: Mode) -> Result<()> {
        self.find(caller, path)?.change_ownership(|ownership| {
            mode_change_permitted(caller, ownership.owner)?;
            ownership.mode = mode;
            Ok(())
        })
    }

    /// Changes the owner and the group of a node.
    ///
    /// # Errors
    ///
    /// [`Error::PermissionDenied`] except for user 0, and for the owner who sets one of their own
    /// groups.
    pub fn set_owner(
        &self,
        caller: &Credentials,
        path: &Path,
        owner: UserIdentifier,
        group: GroupIdentifier,
    ) -> Result<()> {
        self.find(caller, path)?.change_ownership(|ownership| {
            owner_change_permitted(caller, ownership.owner, owner, group)?;
            ownership.owner = owner;
            ownership.group = group;
            Ok(())
        })
    }

    /// Mounts a device. The node belongs to the caller.
    ///
    /// # Errors
    ///
    /// [`Error::AlreadyExists`] if the name exists; [`Error::AccessDenied`] without write access to
    /// the parent, which must exist; [`Error::NoSpace`] beyond [`NODES`](crate::limits::NODES).
    pub fn mount(
        &self,
        caller: &Credentials,
        path: &Path,
        device: Arc<dyn CharacterDevice>,
        mode: Mode,
    ) -> Result<()> {
        // The clone keeps a refused device alive until the lock is released: its drop is foreign
        // code.
        let content = Content::CharacterDevice(Arc::new(Mount::new(device)));
        self.0.names.with(|names| names.add(caller, path, mode, content.clone())).map(drop)
    }

    /// Unmounts a device. Its open files fail with [`Error::NoDevice`] from now on, waiting tasks
    /// are woken, and the device is released as soon as no call is in progress.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidInput`] if no device is mounted there; errors of [`remove`](Self::remove)
    /// for the parent.
    pub fn unmount(&self, caller: &Credentials, path: &Path) -> Result<()> {
        let node = self.0.names.with(|names| names.unmount(caller, path))?;
        if let Content::CharacterDevice(mount) = node.content() {
            mount.revoke();
        }
        Ok(())
    }

    /// Returns the total bytes of all regular files, including those without a name.
    #[must_use]
    pub fn stored_bytes(&self) -> usize {
        self.0.budget.used()
    }

    fn find(&self, caller: &Credentials, path: &Path) -> Result<Arc<Node>> {
        self.0.names.with(|names| names.find(caller, path))
    }

    /// Lookup and creation are one step under the lock, so that one of two exclusive creators
    /// succeeds.
    fn find_or_create(
        &self,
        caller: &Credentials,
        path: &Path,
        flags: OpenFlags,
        mode: Mode,
    ) -> Result<Arc<Node>> {
        self.0.names.with(|names| match names.find(caller, path) {
            Ok(_) if flags.contains(OpenFlags::CREATE | OpenFlags::EXCLUSIVE) => {
                Err(Error::AlreadyExists)
            }
            Ok(node) => {
                let directory = node.kind() == NodeKind::Directory;
                if directory
                    && (flags.contains(OpenFlags::WRITE) || !flags.contains(OpenFlags::DIRECTORY))
                {
                    return Err(Error::IsADirectory);
                }
                if !directory && flags.contains(OpenFlags::DIRECTORY) {
                    return Err(Error::NotADirectory);
                }
                node.permit(caller, flags.access())?;
                Ok(node)
            }
            Err(Error::NotFound) if flags.contains(OpenFlags::CREATE) => {
                let storage = Arc::new(Storage::new(Arc::clone(&self.0.budget)));
                names.add(caller, path, mode, Content::Regular(storage))
            }
            Err(error) => Err(error),
        })
    }
}
