//! The tree that platforms, shells and guests share: every call with a path.
//!
//! Each call resolves its path under the lock of the names, releases the lock, and only then
//! accesses bytes or devices. An open returns a [`File`]. Permission checks are in
//! [`access`](crate::access), the rules about names in `names`.

mod names;

use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;
use core::time::Duration;

use names::Names;

use crate::access::{
    Access, Credentials, GroupIdentifier, Mode, OpenFlags, UserIdentifier, mode_change_permitted,
    owner_change_permitted,
};
use crate::device::{CharacterDevice, Mount, OpenRequest};
use crate::error::{Error, Result};
use crate::file::{Description, File, Object};
use crate::limits::{ACCOUNTS_SHARE, NODES, STORAGE_BYTES};
use crate::lock::Lock;
use crate::node::{Attributes, Content, DirectoryEntry, Node, NodeKind, TimeSource, Times};
use crate::path::Path;
use crate::quota::{Disposer, Quota, Stored, drop_at_once};
use crate::storage::Storage;

/// A tree of names. Clones share it, and pay from the same account for what they store.
///
/// Every call checks that the caller may search the directories on the path
/// ([`Error::AccessDenied`]), that they exist ([`Error::NotFound`]) and that they are directories
/// ([`Error::NotADirectory`]). No call blocks.
#[derive(Clone)]
pub struct VirtualFileSystem {
    tree: Arc<Tree>,
    payer: Arc<Quota>,
}

struct Tree {
    names: Lock<Names>,
    times: Arc<Times>,
    /// The share of all accounts together; the rest is the system's alone.
    accounts: Arc<Quota>,
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
            .field("stored", &self.stored())
            .finish_non_exhaustive()
    }
}

impl VirtualFileSystem {
    /// Creates a tree with only a root directory of user 0, mode 755.
    #[must_use]
    pub fn new() -> Self {
        Self::with_storage(STORAGE_BYTES)
    }

    /// Creates a tree with a limit on the total bytes that it stores, overhead included.
    #[must_use]
    pub fn with_storage(bytes: usize) -> Self {
        Self::build(bytes, drop_at_once())
    }

    /// Creates a tree that hands large things to this disposer when they end: the bytes of a file,
    /// and whatever is given to [`dispose`](Self::dispose).
    #[must_use]
    pub fn with_disposer(disposer: Disposer) -> Self {
        Self::build(STORAGE_BYTES, disposer)
    }

    fn build(bytes: usize, disposer: Disposer) -> Self {
        // Nobody pays for the root.
        let payer = Arc::new(Quota::new(Stored { nodes: NODES - 1, bytes }, disposer));
        let (part, whole) = ACCOUNTS_SHARE;
        let share = Stored { nodes: NODES / whole * part, bytes: bytes / whole * part };
        let accounts = Arc::new(payer.part(share));
        let times = Arc::<Times>::default();
        let names = Lock::new(Names::new(Arc::clone(&times)));
        Self { tree: Arc::new(Tree { names, times, accounts }), payer }
    }

    /// Opens an account with a limit, and returns the same tree at its cost: what is created and
    /// what grows through the result, and through files opened with it, is charged to the account
    /// until it is gone. All accounts together have three quarters of the tree.
    #[must_use]
    pub fn with_account(&self, limit: Stored) -> Self {
        let payer = Arc::new(self.tree.accounts.part(limit));
        Self { tree: Arc::clone(&self.tree), payer }
    }

    /// Returns the same open file at the cost of this account: what grows by writing to the result
    /// is charged to it.
    #[must_use]
    pub fn charge_writes(&self, file: &File) -> File {
        file.at_cost_of(Arc::clone(&self.payer))
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
    /// [`Error::NotADirectory`]; [`Error::NoSpace`] beyond [`NODES`].
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
                    node.touch();
                }
                let storage = Arc::clone(storage);
                let payer = Arc::clone(&self.payer);
                Object::Regular { node, storage, position: Lock::new(0), payer }
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
    /// [`Error::NoSpace`] beyond [`NODES`].
    pub fn create_directory(&self, caller: &Credentials, path: &Path, mode: Mode) -> Result<()> {
        let add = |names: &mut Names| {
            names.add(&self.payer, caller, path, mode, Content::Directory).map(drop)
        };
        self.tree.names.with(add)
    }

    /// Removes a regular file or an empty directory. Open files of it stay usable.
    ///
    /// # Errors
    ///
    /// [`Error::Busy`] for a mounted device and the root; [`Error::DirectoryNotEmpty`];
    /// [`Error::AccessDenied`] without write access to the parent; [`Error::PermissionDenied`] if
    /// the parent is sticky and neither belongs to the caller.
    pub fn remove(&self, caller: &Credentials, path: &Path) -> Result<()> {
        self.tree.names.with(|names| names.remove(caller, path)).map(drop)
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
        self.tree.names.with(|names| names.rename(caller, from, to)).map(drop)
    }

    /// Lists a directory, sorted by name.
    ///
    /// # Errors
    ///
    /// [`Error::NotADirectory`]; [`Error::AccessDenied`] without read access.
    pub fn list(&self, caller: &Credentials, path: &Path) -> Result<Vec<DirectoryEntry>> {
        self.list_after(caller, path, None, usize::MAX)
    }

    /// Lists at most so many entries of a directory, sorted by name, from the first one after a
    /// name. So a long list is read in pieces: an entry that stays is seen once, whatever is
    /// created and removed meanwhile, and the name need not exist any more.
    ///
    /// # Errors
    ///
    /// Those of [`list`](Self::list).
    pub fn list_after(
        &self,
        caller: &Credentials,
        path: &Path,
        after: Option<&str>,
        most: usize,
    ) -> Result<Vec<DirectoryEntry>> {
        self.tree.names.with(|names| names.list(caller, path, after, most))
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

    /// Changes when a node was last changed: to this time since the Unix epoch, or to now.
    ///
    /// # Errors
    ///
    /// [`Error::PermissionDenied`] for a time, except for the owner and user 0;
    /// [`Error::AccessDenied`] for now without write access, except for the owner.
    pub fn set_modified(
        &self,
        caller: &Credentials,
        path: &Path,
        time: Option<Duration>,
    ) -> Result<()> {
        let node = self.find(caller, path)?;
        let owns = mode_change_permitted(caller, node.ownership().owner);
        match time {
            Some(time) => {
                owns?;
                node.set_modified(time);
            }
            None => {
                owns.or_else(|_| node.permit(caller, Access::WRITE))?;
                node.touch();
            }
        }
        Ok(())
    }

    /// Gives the tree a clock: from now on its nodes know when they were last changed.
    pub fn set_time_source(&self, source: TimeSource) {
        self.tree.times.set(source);
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
    /// the parent, which must exist; [`Error::NoSpace`] beyond [`NODES`].
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
        let add = |names: &mut Names| names.add(&self.payer, caller, path, mode, content.clone());
        self.tree.names.with(add).map(drop)
    }

    /// Unmounts a device. Its open files fail with [`Error::NoDevice`] from now on, waiting tasks
    /// are woken, and the device is released as soon as no call is in progress.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidInput`] if no device is mounted there; errors of [`remove`](Self::remove)
    /// for the parent.
    pub fn unmount(&self, caller: &Credentials, path: &Path) -> Result<()> {
        let node = self.tree.names.with(|names| names.unmount(caller, path))?;
        if let Content::CharacterDevice(mount) = node.content() {
            mount.revoke();
        }
        Ok(())
    }

    /// Gives a mounted device another name in its directory. Its open files stay.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidInput`] if no device is mounted there, or for a name that none can have;
    /// [`Error::AlreadyExists`] if the name is taken, also by the device itself; errors of
    /// [`remove`](Self::remove) for the parent.
    pub fn rename_device(&self, caller: &Credentials, path: &Path, name: &str) -> Result<()> {
        self.tree.names.with(|names| names.rename_device(caller, path, name))
    }

    /// Drops something that takes longer to free than a turn, as the files of this tree are freed.
    pub fn dispose(&self, large: Box<dyn Send>) {
        self.payer.disposer()(large);
    }

    /// Returns what the account of this tree stores, including files without a name: for a tree
    /// that was not limited, everything in it.
    #[must_use]
    pub fn stored(&self) -> Stored {
        self.payer.used()
    }

    /// Returns the limit of the account of this tree: the most that [`stored`](Self::stored) can
    /// be. A smaller rest of the accounts around it counts too, and is not part of this.
    #[must_use]
    pub fn limit(&self) -> Stored {
        self.payer.limit()
    }

    fn find(&self, caller: &Credentials, path: &Path) -> Result<Arc<Node>> {
        self.tree.names.with(|names| names.find(caller, path))
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
        self.tree.names.with(|names| match names.find(caller, path) {
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
                let storage = Arc::new(Storage::new());
                names.add(&self.payer, caller, path, mode, Content::Regular(storage))
            }
            Err(error) => Err(error),
        })
    }
}
