//! The object behind a name: a directory, the bytes of a regular file, or a mounted device; with
//! its owner and mode.
//!
//! The tree creates nodes and names them; open files keep them alive, so a node without a name
//! lives until its last file is closed. A node knows neither its name nor, for a directory, its
//! entries.

use alloc::string::String;
use alloc::sync::Arc;
use core::sync::atomic::{AtomicBool, Ordering};
use core::time::Duration;

use crate::access::{Access, Credentials, GroupIdentifier, Mode, UserIdentifier, permitted};
use crate::device::Mount;
use crate::error::Result;
use crate::lock::Lock;
use crate::quota::Charge;
use crate::storage::Storage;

/// The kind of a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum NodeKind {
    /// A directory.
    Directory,
    /// A regular file, in memory.
    Regular,
    /// A mounted character device.
    CharacterDevice,
}

/// The attributes of a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Attributes {
    /// The kind.
    pub kind: NodeKind,
    /// The permission bits.
    pub mode: Mode,
    /// The owner.
    pub owner: UserIdentifier,
    /// The group.
    pub group: GroupIdentifier,
    /// Bytes of a regular file, otherwise 0.
    pub size: u64,
    /// The inode number, never reused in this tree; 0 for a file without a name, such as a pipe.
    pub inode: u64,
    /// The number of names: 1, or 0 once it is removed.
    pub links: u32,
    /// When its bytes, or the names in it, were last changed, since the Unix epoch; 0 in a tree
    /// without a [`TimeSource`] and for a file without a name.
    pub modified: Duration,
}

/// Tells the time since the Unix epoch. A tree calls it while it changes something, so it must not
/// use the tree.
pub type TimeSource = Arc<dyn Fn() -> Duration + Send + Sync>;

/// The clock of a tree, if it has one.
#[derive(Default)]
pub(crate) struct Times(Lock<Option<TimeSource>>);

impl Times {
    pub(crate) fn set(&self, source: TimeSource) {
        // The former one is foreign code, and dropped outside.
        drop(self.0.with(|current| current.replace(source)));
    }

    fn now(&self) -> Duration {
        let source = self.0.with(|current| current.clone());
        source.map_or(Duration::ZERO, |source| source())
    }
}

/// An entry of a directory.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct DirectoryEntry {
    /// The name, without the directory's path.
    pub name: String,
    /// The kind of its node.
    pub kind: NodeKind,
}

/// The owner, the group and the mode of a node.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ownership {
    pub(crate) owner: UserIdentifier,
    pub(crate) group: GroupIdentifier,
    pub(crate) mode: Mode,
}

/// The content of a node.
#[derive(Clone)]
pub(crate) enum Content {
    /// The tree keeps the entries.
    Directory,
    Regular(Arc<Storage>),
    CharacterDevice(Arc<Mount>),
}

/// A node of the tree.
pub(crate) struct Node {
    inode: u64,
    content: Content,
    ownership: Lock<Ownership>,
    named: AtomicBool,
    modified: Lock<Duration>,
    times: Arc<Times>,
    /// What its creator pays for it; nobody pays for the root.
    _charge: Option<Charge>,
}

impl Node {
    pub(crate) fn new(
        inode: u64,
        ownership: Ownership,
        content: Content,
        times: &Arc<Times>,
        charge: Option<Charge>,
    ) -> Self {
        let (ownership, named) = (Lock::new(ownership), AtomicBool::new(true));
        let (modified, times) = (Lock::new(times.now()), Arc::clone(times));
        Self { inode, content, ownership, named, modified, times, _charge: charge }
    }

    /// It changes now.
    pub(crate) fn touch(&self) {
        self.set_modified(self.times.now());
    }

    pub(crate) fn set_modified(&self, time: Duration) {
        self.modified.with(|modified| *modified = time);
    }

    pub(crate) const fn inode(&self) -> u64 {
        self.inode
    }

    pub(crate) const fn content(&self) -> &Content {
        &self.content
    }

    pub(crate) const fn kind(&self) -> NodeKind {
        match self.content {
            Content::Directory => NodeKind::Directory,
            Content::Regular(_) => NodeKind::Regular,
            Content::CharacterDevice(_) => NodeKind::CharacterDevice,
        }
    }

    pub(crate) fn ownership(&self) -> Ownership {
        self.ownership.with(|ownership| *ownership)
    }

    /// Changes owner or mode, if `change` permits it.
    pub(crate) fn change_ownership(
        &self,
        change: impl FnOnce(&mut Ownership) -> Result<()>,
    ) -> Result<()> {
        self.ownership.with(change)
    }

    /// Checks whether the caller may access this node.
    pub(crate) fn permit(&self, caller: &Credentials, access: Access) -> Result<()> {
        let Ownership { owner, group, mode } = self.ownership();
        permitted(caller, owner, group, mode, access)
    }

    /// Records that the node has lost its name.
    pub(crate) fn forget_name(&self) {
        self.named.store(false, Ordering::Relaxed);
    }

    pub(crate) fn attributes(&self) -> Attributes {
        let Ownership { owner, group, mode } = self.ownership();
        let size = match &self.content {
            Content::Regular(storage) => storage.length(),
            Content::Directory | Content::CharacterDevice(_) => 0,
        };
        let links = u32::from(self.named.load(Ordering::Relaxed));
        let (inode, modified) = (self.inode, self.modified.with(|modified| *modified));
        Attributes { kind: self.kind(), mode, owner, group, size, inode, links, modified }
    }
}
