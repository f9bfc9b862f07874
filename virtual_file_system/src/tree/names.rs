//! The names of a tree: the entries of each directory, and every rule about adding, moving and
//! removing names.
//!
//! [`VirtualFileSystem`](super::VirtualFileSystem) calls it under its lock. Nothing here calls a
//! device. A node that loses its name is returned, because dropping it may close a device, which
//! must not happen under the lock.

use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::ops::Bound;

use crate::access::{
    Access, Credentials, GroupIdentifier, Mode, UserIdentifier, removal_permitted,
};
use crate::error::{Error, Result};
use crate::limits::NODE_BYTES;
use crate::node::{Content, DirectoryEntry, Node, NodeKind, Ownership, Times};
use crate::path::Path;
use crate::quota::{Quota, Stored};

/// All names, by directory.
pub(super) struct Names {
    root: Arc<Node>,
    /// Directories by inode. The table is flat, so dropping a deep tree does not recurse.
    directories: BTreeMap<u64, Directory>,
    last_inode: u64,
    times: Arc<Times>,
}

#[derive(Default)]
struct Directory {
    entries: BTreeMap<String, Arc<Node>>,
    /// Devices below it. Its mounter refers to a device by its path, so as long as there is one the
    /// directory keeps its name.
    devices: usize,
}

/// The location of a name that exists or may be created.
struct Place<'a> {
    directory: Arc<Node>,
    name: &'a str,
}

impl Names {
    /// Creates the empty tree: a root directory of user 0 that everybody may list and search.
    pub(super) fn new(times: Arc<Times>) -> Self {
        let ownership = Ownership {
            owner: UserIdentifier(0),
            group: GroupIdentifier(0),
            mode: Mode::from_octal(0o755),
        };
        let root = Arc::new(Node::new(1, ownership, Content::Directory, &times, None));
        Self {
            root,
            directories: BTreeMap::from([(1, Directory::default())]),
            last_inode: 1,
            times,
        }
    }

    /// Finds a node, if the caller may search every directory on the path.
    pub(super) fn find(&self, caller: &Credentials, path: &Path) -> Result<Arc<Node>> {
        path.components().try_fold(Arc::clone(&self.root), |directory, name| {
            self.search(caller, &directory, name)
        })
    }

    /// Adds a new node to a directory that the caller may write, at the cost of `payer`.
    pub(super) fn add(
        &mut self,
        payer: &Arc<Quota>,
        caller: &Credentials,
        path: &Path,
        mode: Mode,
        content: Content,
    ) -> Result<Arc<Node>> {
        let place = self.place(caller, path)?.ok_or(Error::AlreadyExists)?;
        if self.entry(&place)?.is_some() {
            return Err(Error::AlreadyExists);
        }
        place.directory.permit(caller, Access::WRITE)?;
        let charge = payer.charge(Stored { nodes: 1, bytes: NODE_BYTES })?;
        self.last_inode += 1;
        let ownership = Ownership { owner: caller.user, group: caller.group, mode };
        let node =
            Arc::new(Node::new(self.last_inode, ownership, content, &self.times, Some(charge)));
        match node.kind() {
            NodeKind::Directory => {
                self.directories.insert(node.inode(), Directory::default());
            }
            NodeKind::CharacterDevice => self.count_device(path, 1),
            NodeKind::Regular => {}
        }
        self.link(&place, Arc::clone(&node));
        Ok(node)
    }

    /// Removes a file or an empty directory.
    pub(super) fn remove(&mut self, caller: &Credentials, path: &Path) -> Result<Arc<Node>> {
        let place = self.place(caller, path)?.ok_or(Error::Busy)?;
        let node = self.entry(&place)?.ok_or(Error::NotFound)?;
        permit_removal(caller, &place.directory, &node)?;
        self.check_removable(&node)?;
        self.discard(&place, &node);
        Ok(node)
    }

    /// Removes the name of a mounted device.
    pub(super) fn unmount(&mut self, caller: &Credentials, path: &Path) -> Result<Arc<Node>> {
        let place = self.place(caller, path)?.ok_or(Error::InvalidInput)?;
        let node = self.entry(&place)?.ok_or(Error::NotFound)?;
        permit_removal(caller, &place.directory, &node)?;
        if node.kind() != NodeKind::CharacterDevice {
            return Err(Error::InvalidInput);
        }
        self.count_device(path, -1);
        self.discard(&place, &node);
        Ok(node)
    }

    /// Gives a mounted device another name in its directory.
    pub(super) fn rename_device(
        &mut self,
        caller: &Credentials,
        path: &Path,
        name: &str,
    ) -> Result<()> {
        let source = self.place(caller, path)?.ok_or(Error::InvalidInput)?;
        let node = self.entry(&source)?.ok_or(Error::NotFound)?;
        permit_removal(caller, &source.directory, &node)?;
        if node.kind() != NodeKind::CharacterDevice {
            return Err(Error::InvalidInput);
        }
        let to = path.parent().ok_or(Error::InvalidInput)?.join(name)?;
        let target = self.place(caller, &to)?.ok_or(Error::InvalidInput)?;
        if self.entry(&target)?.is_some() {
            return Err(Error::AlreadyExists);
        }
        self.unlink(&source);
        self.link(&target, node);
        Ok(())
    }

    /// Counts a device in every directory above it.
    fn count_device(&mut self, path: &Path, change: isize) {
        let mut directory = Arc::clone(&self.root);
        for name in path.components() {
            let Some(found) = self.directories.get_mut(&directory.inode()) else { return };
            found.devices = found.devices.saturating_add_signed(change);
            let Some(next) = found.entries.get(name).cloned() else { return };
            directory = next;
        }
    }

    /// Renames a node in one step. Returns the node that it replaced, if any.
    pub(super) fn rename(
        &mut self,
        caller: &Credentials,
        from: &Path,
        to: &Path,
    ) -> Result<Option<Arc<Node>>> {
        let source = self.place(caller, from)?.ok_or(Error::Busy)?;
        let node = self.entry(&source)?.ok_or(Error::NotFound)?;
        permit_removal(caller, &source.directory, &node)?;
        if self.holds_device(&node) {
            return Err(Error::Busy);
        }
        if to.is_below(from) {
            // Otherwise the directory would become unreachable inside itself.
            return Err(Error::InvalidInput);
        }
        let target = self.place(caller, to)?.ok_or(Error::Busy)?;
        target.directory.permit(caller, Access::WRITE)?;
        if from == to {
            return Ok(None);
        }
        let replaced = self.entry(&target)?;
        if let Some(replaced) = &replaced {
            permit_removal(caller, &target.directory, replaced)?;
            match (node.kind() == NodeKind::Directory, replaced.kind() == NodeKind::Directory) {
                (true, false) => return Err(Error::NotADirectory),
                (false, true) => return Err(Error::IsADirectory),
                (true, true) | (false, false) => self.check_removable(replaced)?,
            }
            self.discard(&target, replaced);
        }
        self.unlink(&source);
        self.link(&target, node);
        Ok(replaced)
    }

    /// True for a device and for a directory with one below it.
    fn holds_device(&self, node: &Node) -> bool {
        node.kind() == NodeKind::CharacterDevice
            || self.directories.get(&node.inode()).is_some_and(|directory| directory.devices > 0)
    }

    /// Lists at most so many entries of a directory that the caller may read, sorted by name, from
    /// the first one after a name.
    pub(super) fn list(
        &self,
        caller: &Credentials,
        path: &Path,
        after: Option<&str>,
        most: usize,
    ) -> Result<Vec<DirectoryEntry>> {
        let directory = self.find(caller, path)?;
        let entries = self.entries(&directory)?;
        directory.permit(caller, Access::READ)?;
        let start = after.map_or(Bound::Unbounded, Bound::Excluded);
        Ok(entries
            .range::<str, _>((start, Bound::Unbounded))
            .take(most)
            .map(|(name, node)| DirectoryEntry { name: name.clone(), kind: node.kind() })
            .collect())
    }

    fn search(&self, caller: &Credentials, directory: &Node, name: &str) -> Result<Arc<Node>> {
        let entries = self.entries(directory)?;
        directory.permit(caller, Access::EXECUTE)?;
        entries.get(name).cloned().ok_or(Error::NotFound)
    }

    /// Finds the parent directory of a path's last component; the root has none.
    fn place<'a>(&self, caller: &Credentials, path: &'a Path) -> Result<Option<Place<'a>>> {
        let mut components = path.components();
        let Some(name) = components.next_back() else { return Ok(None) };
        let root = Arc::clone(&self.root);
        let directory =
            components.try_fold(root, |directory, name| self.search(caller, &directory, name))?;
        self.entries(&directory)?;
        directory.permit(caller, Access::EXECUTE)?;
        Ok(Some(Place { directory, name }))
    }

    fn entries(&self, directory: &Node) -> Result<&BTreeMap<String, Arc<Node>>> {
        let directory = self.directories.get(&directory.inode()).ok_or(Error::NotADirectory)?;
        Ok(&directory.entries)
    }

    fn entry(&self, place: &Place<'_>) -> Result<Option<Arc<Node>>> {
        Ok(self.entries(&place.directory)?.get(place.name).cloned())
    }

    fn check_removable(&self, node: &Node) -> Result<()> {
        match node.content() {
            Content::CharacterDevice(_) => Err(Error::Busy),
            Content::Directory if !self.entries(node)?.is_empty() => Err(Error::DirectoryNotEmpty),
            Content::Directory | Content::Regular(_) => Ok(()),
        }
    }

    fn link(&mut self, place: &Place<'_>, node: Arc<Node>) {
        if let Some(directory) = self.directories.get_mut(&place.directory.inode()) {
            directory.entries.insert(String::from(place.name), node);
            place.directory.touch();
        }
    }

    fn unlink(&mut self, place: &Place<'_>) {
        if let Some(directory) = self.directories.get_mut(&place.directory.inode()) {
            directory.entries.remove(place.name);
            place.directory.touch();
        }
    }

    fn discard(&mut self, place: &Place<'_>, node: &Node) {
        self.unlink(place);
        self.directories.remove(&node.inode());
        node.forget_name();
    }
}

fn permit_removal(caller: &Credentials, directory: &Node, node: &Node) -> Result<()> {
    directory.permit(caller, Access::WRITE)?;
    let Ownership { owner, mode, .. } = directory.ownership();
    removal_permitted(caller, owner, mode, node.ownership().owner)
}
