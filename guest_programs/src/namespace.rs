//! The files that a guest sees: the tree, cut down to what was granted.
//!
//! Paths of imports come here. What was not granted is absent, as if it did not exist; a directory
//! on the way to something granted is there, with just that in it. Files are opened with the
//! credentials that the guest runs under, network devices inside a [`guard`](crate::guard).

use alloc::collections::BTreeMap;
use alloc::string::ToString;
use alloc::sync::Arc;
use alloc::vec::Vec;

use virtual_file_system::{
    Attributes, Credentials, DirectoryEntry, Error, File, GroupIdentifier, Mode, NodeKind,
    OpenFlags, Path, Result, UserIdentifier, VirtualFileSystem,
};

use crate::devices::{Devices, NETWORK, SOCKETS};
use crate::grants::Access;
use crate::guard::{Guard, Place};

/// What a path is for a guest.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Sight {
    /// Not there.
    Absent,
    /// A directory on the way to something granted; it shows only that.
    Passage,
    /// A network device.
    Device(Place, Access),
    /// A file or directory that was granted.
    Granted(Access),
}

/// A file that a guest opened.
pub(crate) struct Opened {
    pub(crate) file: File,
    /// What stands around a network device.
    pub(crate) guard: Option<Arc<Guard>>,
}

/// Everything that a path can lead a guest to.
pub(crate) struct Namespace {
    tree: VirtualFileSystem,
    credentials: Credentials,
    devices: Arc<Devices>,
}

impl Namespace {
    pub(crate) fn new(
        tree: VirtualFileSystem,
        credentials: Credentials,
        devices: Arc<Devices>,
    ) -> Self {
        Self { tree, credentials, devices }
    }

    fn sight(&self, path: &Path) -> Sight {
        let grants = &self.devices.policy.grants;
        let text = path.as_str();
        if let Some(name) = text.strip_prefix(NETWORK).and_then(|rest| rest.strip_prefix('/')) {
            return match grants.interface(name) {
                Some(access) if !name.contains('/') => Sight::Device(Place::Interface, access),
                _ => Sight::Absent,
            };
        }
        if text == SOCKETS {
            let is_there = grants.has_sockets() || !grants.interfaces.is_empty();
            return if is_there {
                Sight::Device(Place::Sockets, Access::Write)
            } else {
                Sight::Absent
            };
        }
        if text == NETWORK {
            return if grants.interfaces.is_empty() { Sight::Absent } else { Sight::Passage };
        }
        match grants.file(path) {
            Some(access) => Sight::Granted(access),
            None if self.is_passage(path) => Sight::Passage,
            None => Sight::Absent,
        }
    }

    /// True for a directory above something that the guest sees. The root is always there.
    fn is_passage(&self, path: &Path) -> bool {
        let grants = &self.devices.policy.grants;
        let has_devices = grants.has_sockets() || !grants.interfaces.is_empty();
        path.is_root()
            || (path.as_str() == "/devices" && has_devices)
            || grants.files.iter().any(|file| file.path.is_below(path))
    }

    /// Opens what the guest sees there.
    ///
    /// # Errors
    /// `NotFound` for what is absent; `AccessDenied` for more than was granted; those of the file
    /// system and the device.
    pub(crate) fn open(&self, path: &Path, flags: OpenFlags) -> Result<Opened> {
        let changes =
            OpenFlags::WRITE | OpenFlags::APPEND | OpenFlags::CREATE | OpenFlags::TRUNCATE;
        match self.sight(path) {
            Sight::Absent => Err(Error::NotFound),
            Sight::Device(_, Access::Read) if flags.intersects(changes) => Err(Error::AccessDenied),
            Sight::Device(place, _) => {
                // A device is never made by opening it.
                let inner =
                    self.devices.open(path, flags - OpenFlags::CREATE - OpenFlags::NON_BLOCKING)?;
                let flags = inner.flags() | (flags & OpenFlags::NON_BLOCKING);
                let guard = Arc::new(Guard::new(inner, place, flags, Arc::clone(&self.devices)));
                Ok(Opened {
                    file: File::from_device(Arc::clone(&guard) as _, flags),
                    guard: Some(guard),
                })
            }
            Sight::Granted(Access::Read) if flags.intersects(changes) => {
                match self.tree.stat(&self.credentials, path) {
                    Err(Error::NotFound) if !flags.contains(OpenFlags::CREATE) => {
                        Err(Error::NotFound)
                    }
                    _ => Err(Error::AccessDenied),
                }
            }
            Sight::Passage if flags.intersects(changes) => Err(Error::IsADirectory),
            Sight::Granted(_) | Sight::Passage => {
                let file =
                    self.tree.open(&self.credentials, path, flags, Mode::from_octal(0o644))?;
                Ok(Opened { file, guard: None })
            }
        }
    }

    /// What is known of a node.
    pub(crate) fn stat(&self, path: &Path) -> Result<Attributes> {
        match self.sight(path) {
            Sight::Absent => Err(Error::NotFound),
            Sight::Device(..) | Sight::Granted(_) => self.tree.stat(&self.credentials, path),
            // A directory that nobody made yet may still be on the way to a granted file.
            Sight::Passage => Ok(self.tree.stat(&self.credentials, path).unwrap_or(Attributes {
                kind: NodeKind::Directory,
                mode: Mode::from_octal(0o555),
                owner: UserIdentifier(0),
                group: GroupIdentifier(0),
                size: 0,
                inode: 0,
                links: 1,
            })),
        }
    }

    /// The entries of a directory that the guest sees, sorted.
    pub(crate) fn list(&self, path: &Path) -> Result<Vec<DirectoryEntry>> {
        match self.sight(path) {
            Sight::Absent => Err(Error::NotFound),
            Sight::Device(..) => Err(Error::NotADirectory),
            Sight::Granted(_) | Sight::Passage => {
                let entries = self.tree.list(&self.credentials, path)?;
                let mut seen = BTreeMap::new();
                for entry in entries {
                    if self.sight(&path.join(&entry.name)?) != Sight::Absent {
                        seen.insert(entry.name, entry.kind);
                    }
                }
                Ok(seen
                    .into_iter()
                    .map(|(name, kind)| DirectoryEntry { name: name.to_string(), kind })
                    .collect())
            }
        }
    }

    /// Refuses a change of names outside of what may be written.
    fn permit_change(&self, path: &Path) -> Result<()> {
        match self.sight(path) {
            Sight::Granted(Access::Write) => Ok(()),
            Sight::Absent => Err(Error::NotFound),
            Sight::Granted(Access::Read) | Sight::Passage | Sight::Device(..) => {
                Err(Error::AccessDenied)
            }
        }
    }

    pub(crate) fn create_directory(&self, path: &Path) -> Result<()> {
        self.permit_change(path)?;
        self.tree.create_directory(&self.credentials, path, Mode::from_octal(0o755))
    }

    pub(crate) fn remove(&self, path: &Path) -> Result<()> {
        self.permit_change(path)?;
        self.tree.remove(&self.credentials, path)
    }

    pub(crate) fn rename(&self, from: &Path, to: &Path) -> Result<()> {
        self.permit_change(from)?;
        self.permit_change(to)?;
        self.tree.rename(&self.credentials, from, to)
    }
}
