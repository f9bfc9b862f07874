//! The file system that a guest sees: the tree restricted to its grants.
//!
//! Imports resolve their paths here. Anything that is not granted appears not to exist. A directory
//! above a granted path exists and lists only the way to it. Files are opened with the guest's
//! credentials, network devices inside a [`guard`](crate::guard).

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::time::Duration;

use devnet_virtual_file_system::{
    Attributes, Credentials, DirectoryEntry, Error, File, GroupIdentifier, Mode, NodeKind,
    OpenFlags, Path, Result, Stored, UserIdentifier, VirtualFileSystem,
};

use crate::devices::{Devices, NETWORK, SOCKETS};
use crate::grants::Access;
use crate::guard::{DeviceKind, Guard};

/// How a guest sees a path.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Visibility {
    /// It does not exist for the guest.
    Absent,
    /// A directory above a granted path; it lists only the way to that path.
    Ancestor,
    /// A network device.
    Device(DeviceKind, Access),
    /// A granted file or directory.
    Granted(Access),
}

/// A file opened by a guest.
pub(crate) struct Opened {
    pub(crate) file: File,
    /// The guard around a network device.
    pub(crate) guard: Option<Arc<Guard>>,
}

/// All paths that a guest can reach.
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

    /// Returns what the guest's account stores.
    pub(crate) fn stored(&self) -> Stored {
        self.tree.stored()
    }

    fn visibility(&self, path: &Path) -> Visibility {
        let grants = &self.devices.policy.grants;
        let text = path.as_str();
        if let Some(name) = text.strip_prefix(NETWORK).and_then(|rest| rest.strip_prefix('/')) {
            return match grants.interface(name) {
                Some(access) if !name.contains('/') => {
                    Visibility::Device(DeviceKind::Interface, access)
                }
                _ => Visibility::Absent,
            };
        }
        if text == SOCKETS {
            return if grants.has_devices() {
                Visibility::Device(DeviceKind::Sockets, Access::Write)
            } else {
                Visibility::Absent
            };
        }
        if text == NETWORK {
            return if grants.interfaces.is_empty() {
                Visibility::Absent
            } else {
                Visibility::Ancestor
            };
        }
        match grants.file(path) {
            Some(access) => Visibility::Granted(access),
            None if self.is_ancestor(path) => Visibility::Ancestor,
            None => Visibility::Absent,
        }
    }

    /// True for a directory above a path that the guest sees. The root always exists.
    fn is_ancestor(&self, path: &Path) -> bool {
        let grants = &self.devices.policy.grants;
        path.is_root()
            || (path.as_str() == "/devices" && grants.has_devices())
            || grants.files.iter().any(|file| file.path.is_below(path))
    }

    /// Opens a path.
    ///
    /// # Errors
    /// `NotFound` for a path that the guest does not see; `AccessDenied` for more access than
    /// granted; errors of the file system and of the device.
    pub(crate) fn open(&self, path: &Path, flags: OpenFlags) -> Result<Opened> {
        let changes =
            OpenFlags::WRITE | OpenFlags::APPEND | OpenFlags::CREATE | OpenFlags::TRUNCATE;
        match self.visibility(path) {
            Visibility::Absent => Err(Error::NotFound),
            Visibility::Device(_, Access::Read) if flags.intersects(changes) => {
                Err(Error::AccessDenied)
            }
            Visibility::Device(place, _) => {
                // Opening a device never creates one.
                let inner =
                    self.devices.open(path, flags - OpenFlags::CREATE - OpenFlags::NON_BLOCKING)?;
                let flags = inner.flags() | (flags & OpenFlags::NON_BLOCKING);
                let guard = Arc::new(Guard::new(inner, place, flags, Arc::clone(&self.devices)));
                Ok(Opened {
                    file: File::from_device(Arc::clone(&guard) as _, flags),
                    guard: Some(guard),
                })
            }
            Visibility::Granted(Access::Read) if flags.intersects(changes) => {
                match self.tree.stat(&self.credentials, path) {
                    Err(Error::NotFound) if !flags.contains(OpenFlags::CREATE) => {
                        Err(Error::NotFound)
                    }
                    _ => Err(Error::AccessDenied),
                }
            }
            Visibility::Ancestor if flags.intersects(changes) => Err(Error::IsADirectory),
            Visibility::Granted(_) | Visibility::Ancestor => {
                let file =
                    self.tree.open(&self.credentials, path, flags, Mode::from_octal(0o644))?;
                Ok(Opened { file, guard: None })
            }
        }
    }

    /// Returns the attributes of a node.
    pub(crate) fn stat(&self, path: &Path) -> Result<Attributes> {
        match self.visibility(path) {
            Visibility::Absent => Err(Error::NotFound),
            Visibility::Device(..) | Visibility::Granted(_) => {
                self.tree.stat(&self.credentials, path)
            }
            // A directory that does not exist yet may still be above a granted path.
            Visibility::Ancestor => {
                Ok(self.tree.stat(&self.credentials, path).unwrap_or(Attributes {
                    kind: NodeKind::Directory,
                    mode: Mode::from_octal(0o555),
                    owner: UserIdentifier(0),
                    group: GroupIdentifier(0),
                    size: 0,
                    inode: 0,
                    links: 1,
                    modified: Duration::ZERO,
                }))
            }
        }
    }

    /// Lists some entries of a directory, sorted, from the first one after a name. Not all of them
    /// are for the guest to see.
    pub(crate) fn list_after(
        &self,
        path: &Path,
        after: Option<&str>,
        most: usize,
    ) -> Result<Vec<DirectoryEntry>> {
        match self.visibility(path) {
            Visibility::Absent => Err(Error::NotFound),
            Visibility::Device(..) => Err(Error::NotADirectory),
            Visibility::Granted(_) | Visibility::Ancestor => {
                self.tree.list_after(&self.credentials, path, after, most)
            }
        }
    }

    /// True if the guest sees an entry of a directory.
    pub(crate) fn sees(&self, directory: &Path, name: &str) -> Result<bool> {
        Ok(self.visibility(&directory.join(name)?) != Visibility::Absent)
    }

    /// Refuses to change names outside the writable grants.
    fn permit_change(&self, path: &Path) -> Result<()> {
        match self.visibility(path) {
            Visibility::Granted(Access::Write) => Ok(()),
            Visibility::Absent => Err(Error::NotFound),
            Visibility::Granted(Access::Read) | Visibility::Ancestor | Visibility::Device(..) => {
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
