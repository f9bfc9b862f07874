//! The names of a tree: the entries of each directory, and every rule about adding, moving and
//! removing names.
//!
//! [`VirtualFileSystem`](super::VirtualFileSystem) calls it under its lock. Nothing here calls a
//! device. A node that loses its name is returned, because dropping it may close a device, which
//! must not happen under the lock.

use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec;
use alloc::vec::Vec;

use crate::access::{
    Access, Credentials, GroupIdentifier, Mode, UserIdentifier, removal_permitted,
};
use crate::error::{Error, Result};
use crate::limits::NODES;
use crate::node::{Content, DirectoryEntry, Node, NodeKind, Ownership};
use crate::path::Path;

/// All names, by directory.
pub(super) struct Names {
    root: Arc<Node>,
    /// Entries by the directory's inode. The table is flat, so dropping a deep tree does not
    /// recurse.
    directories: BTreeMap<u64, BTreeMap<String, Arc<Node>>>,
    count: usize,
    last_inode: u64,
}

/// The location of a name that exists or may be created.
struct Place<'a> {
    directory: Arc<Node>,
    name: &'a str,
}

impl Names {
    /// Creates the empty tree: a root directory of user 0 that everybody may list and search.
    pub(super) fn new() -> Self {
        let ownership = Ownership {
            owner: UserIdentifier(0),
            group: GroupIdentifier(0),
            mode: Mode::from_octal(0o755),
        };
        let root = Arc::new(Node::new(1, ownership, Content::Directory));
        Self { root, directories: BTreeMap::from([(1, BTreeMap::new())]), count: 1, last_inode: 1 }
    }

    /// Finds a node, if the caller may search every directory on the path.
    pub(super) fn find(&self, caller: &Credentials, path: &Path) -> Result<Arc<Node>> {
        path.components().try_fold(Arc::clone(&self.root), |directory, name| {
            self.search(caller, &directory, name)
        })
    }

    /// Adds a new node to a directory that the caller may write.
    pub(super) fn add(
        &mut self,
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
        if self.count >= NODES {
            return Err(Error::NoSpace);
        }
        self.count += 1;
        self.last_inode += 1;
        let ownership = Ownership { owner: caller.user, group: caller.group, mode };
        let node = Arc::new(Node::new(self.last_inode, ownership, content));
        if node.kind() == NodeKind::Directory {
            self.directories.insert(node.inode(), BTreeMap::new());
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
        self.discard(&place, &node);
        Ok(node)
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

    /// True for a device and for a directory with one below it: its mounter refers to it by its
    /// path.
    fn holds_device(&self, node: &Arc<Node>) -> bool {
        let mut waiting = vec![Arc::clone(node)];
        while let Some(node) = waiting.pop() {
            if node.kind() == NodeKind::CharacterDevice {
                return true;
            }
            waiting.extend(
                self.directories.get(&node.inode()).into_iter().flat_map(BTreeMap::values).cloned(),
            );
        }
        false
    }

    /// Lists a directory that the caller may read, sorted by name.
    pub(super) fn list(&self, caller: &Credentials, path: &Path) -> Result<Vec<DirectoryEntry>> {
        let directory = self.find(caller, path)?;
        let entries = self.entries(&directory)?;
        directory.permit(caller, Access::READ)?;
        Ok(entries
            .iter()
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
        self.directories.get(&directory.inode()).ok_or(Error::NotADirectory)
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
        if let Some(entries) = self.directories.get_mut(&place.directory.inode()) {
            entries.insert(String::from(place.name), node);
        }
    }

    fn unlink(&mut self, place: &Place<'_>) {
        if let Some(entries) = self.directories.get_mut(&place.directory.inode()) {
            entries.remove(place.name);
        }
    }

    fn discard(&mut self, place: &Place<'_>, node: &Node) {
        self.unlink(place);
        self.directories.remove(&node.inode());
        self.count -= 1;
        node.forget_name();
    }
}

fn permit_removal(caller: &Credentials, directory: &Node, node: &Node) -> Result<()> {
    directory.permit(caller, Access::WRITE)?;
    let Ownership { owner, mode, .. } = directory.ownership();
    removal_permitted(caller, owner, mode, node.ownership().owner)
}
