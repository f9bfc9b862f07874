//! What a name stands for: a directory, the bytes of a regular file, or a mounted device; with its
//! owner and mode.
//!
//! The tree makes nodes and gives them names; open files hold on to them, so a node whose name is
//! removed lives on until the last file is closed. A node does not know its name, nor, if it is a
//! directory, what is in it.

use alloc::string::String;
use alloc::sync::Arc;
use core::sync::atomic::{AtomicBool, Ordering};

use crate::access::{Access, Credentials, GroupIdentifier, Mode, UserIdentifier, permitted};
use crate::device::Mount;
use crate::error::Result;
use crate::lock::Lock;
use crate::storage::Storage;

/// What kind of thing a name stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum NodeKind {
    /// It holds further names.
    Directory,
    /// It holds bytes in memory.
    Regular,
    /// A device is mounted there.
    CharacterDevice,
}

/// What is known about a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Attributes {
    /// What it is.
    pub kind: NodeKind,
    /// Who may do what.
    pub mode: Mode,
    /// Whom it belongs to.
    pub owner: UserIdentifier,
    /// The group it belongs to.
    pub group: GroupIdentifier,
    /// Bytes of a regular file, else 0.
    pub size: u64,
    /// A number that no other node of this tree ever had; 0 for a file without a name, such as a
    /// pipe.
    pub inode: u64,
    /// How many names it has: 1, or 0 once it is removed.
    pub links: u32,
}

/// One name in a directory.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct DirectoryEntry {
    /// The name, without the directory's path.
    pub name: String,
    /// What it stands for.
    pub kind: NodeKind,
}

/// Whom a node belongs to, and who may do what with it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ownership {
    pub(crate) owner: UserIdentifier,
    pub(crate) group: GroupIdentifier,
    pub(crate) mode: Mode,
}

/// What is behind a name.
#[derive(Clone)]
pub(crate) enum Content {
    /// The names in it are kept by the tree.
    Directory,
    Regular(Arc<Storage>),
    CharacterDevice(Arc<Mount>),
}

/// One thing in the tree.
pub(crate) struct Node {
    inode: u64,
    content: Content,
    ownership: Lock<Ownership>,
    named: AtomicBool,
}

impl Node {
    pub(crate) const fn new(inode: u64, ownership: Ownership, content: Content) -> Self {
        Self { inode, content, ownership: Lock::new(ownership), named: AtomicBool::new(true) }
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

    /// Changes owner or mode, if `change` finds that the caller may.
    pub(crate) fn change_ownership(
        &self,
        change: impl FnOnce(&mut Ownership) -> Result<()>,
    ) -> Result<()> {
        self.ownership.with(change)
    }

    /// Asks whether the caller may access this node.
    pub(crate) fn permit(&self, caller: &Credentials, access: Access) -> Result<()> {
        let Ownership { owner, group, mode } = self.ownership();
        permitted(caller, owner, group, mode, access)
    }

    /// Notes that the node has lost its name.
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
        Attributes { kind: self.kind(), mode, owner, group, size, inode: self.inode, links }
    }
}
