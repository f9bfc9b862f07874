//! Permission checks: the only module that decides about access.
//!
//! The tree calls it for every directory on the path, for the node itself and for a directory that
//! changes; no other module compares users or mode bits. The functions are pure.

use alloc::vec::Vec;

use bitflags::bitflags;

use crate::error::{Error, Result};

/// A user ID; 0 is the superuser.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UserIdentifier(pub u32);

/// A group ID.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct GroupIdentifier(pub u32);

/// The identity with which a call is made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Credentials {
    /// The user.
    pub user: UserIdentifier,
    /// The group of new nodes.
    pub group: GroupIdentifier,
    /// Supplementary groups.
    pub groups: Vec<GroupIdentifier>,
}

impl Credentials {
    /// Returns the credentials of the superuser, who bypasses every permission check.
    #[must_use]
    pub fn root() -> Self {
        Self::new(UserIdentifier(0), GroupIdentifier(0))
    }

    /// Returns the credentials of a user without supplementary groups.
    #[must_use]
    pub fn new(user: UserIdentifier, group: GroupIdentifier) -> Self {
        Self { user, group, groups: Vec::new() }
    }

    /// True for user 0.
    #[must_use]
    pub fn is_superuser(&self) -> bool {
        self.user == UserIdentifier(0)
    }

    /// True if the user belongs to a group.
    #[must_use]
    pub fn is_member(&self, group: GroupIdentifier) -> bool {
        self.group == group || self.groups.contains(&group)
    }
}

bitflags! {
    /// The permission bits of a node, with POSIX' values.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
    pub struct Mode: u16 {
        /// The owner may read.
        const OWNER_READ = 0o400;
        /// The owner may write.
        const OWNER_WRITE = 0o200;
        /// The owner may execute, or search a directory.
        const OWNER_EXECUTE = 0o100;
        /// The group may read.
        const GROUP_READ = 0o040;
        /// The group may write.
        const GROUP_WRITE = 0o020;
        /// The group may execute, or search a directory.
        const GROUP_EXECUTE = 0o010;
        /// Everybody else may read.
        const OTHERS_READ = 0o004;
        /// Everybody else may write.
        const OTHERS_WRITE = 0o002;
        /// Everybody else may execute, or search a directory.
        const OTHERS_EXECUTE = 0o001;
        /// In this directory only the owner of an entry, or of the directory, may remove or rename
        /// the entry.
        const STICKY = 0o1000;
    }
}

impl Mode {
    /// Makes a mode of an octal number such as `0o644`; unknown bits are dropped.
    #[must_use]
    pub const fn from_octal(bits: u16) -> Self {
        Self::from_bits_truncate(bits)
    }
}

bitflags! {
    /// The open flags of a file.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
    pub struct OpenFlags: u32 {
        /// Open for reading.
        const READ = 1;
        /// Open for writing.
        const WRITE = 1 << 1;
        /// Every write appends to the end; implies `WRITE`.
        const APPEND = 1 << 2;
        /// Create a regular file if the name does not exist.
        const CREATE = 1 << 3;
        /// With `CREATE`: fail if the name exists.
        const EXCLUSIVE = 1 << 4;
        /// Truncate a regular file; needs `WRITE`.
        const TRUNCATE = 1 << 5;
        /// Calls that would block fail with [`Error::WouldBlock`] instead.
        const NON_BLOCKING = 1 << 6;
        /// The path must be a directory; without this flag it must not be one.
        const DIRECTORY = 1 << 7;
    }
}

impl OpenFlags {
    /// Rejects invalid combinations and adds implied flags.
    pub(crate) fn validated(mut self) -> Result<Self> {
        if self.contains(Self::APPEND) {
            self |= Self::WRITE;
        }
        let senseless = !self.intersects(Self::READ | Self::WRITE)
            || self.contains(Self::TRUNCATE) && !self.contains(Self::WRITE)
            || self.contains(Self::CREATE | Self::DIRECTORY);
        if senseless { Err(Error::InvalidInput) } else { Ok(self) }
    }

    /// Returns the access to the node that the flags require.
    pub(crate) fn access(self) -> Access {
        let mut access = Access::empty();
        access.set(Access::READ, self.contains(Self::READ));
        access.set(Access::WRITE, self.contains(Self::WRITE));
        access
    }
}

bitflags! {
    /// An access to a node; the bits are those of one class of a [`Mode`].
    #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
    pub struct Access: u8 {
        /// Read it, or list a directory.
        const READ = 4;
        /// Write it, or change the names in a directory.
        const WRITE = 2;
        /// Execute it, or search a directory.
        const EXECUTE = 1;
    }
}

/// Checks whether a caller may access a node (POSIX.1-2024, base definitions 4.7).
///
/// Exactly one class decides: the owner's bits for the owner, even if the others' are wider;
/// otherwise the group's for a member; otherwise the others'. User 0 may do everything.
///
/// # Errors
///
/// [`Error::AccessDenied`] if a wanted bit is missing.
pub fn permitted(
    credentials: &Credentials,
    owner: UserIdentifier,
    group: GroupIdentifier,
    mode: Mode,
    access: Access,
) -> Result<()> {
    if credentials.is_superuser() {
        return Ok(());
    }
    let shift = if credentials.user == owner {
        6
    } else if credentials.is_member(group) {
        3
    } else {
        0
    };
    let granted = (mode.bits() >> shift) & 0o7;
    if u16::from(access.bits()) & !granted == 0 { Ok(()) } else { Err(Error::AccessDenied) }
}

/// Checks whether a caller with write access to a directory may remove or rename this entry.
///
/// # Errors
///
/// [`Error::PermissionDenied`] if the directory is sticky and neither it nor the entry belongs to
/// the caller.
pub fn removal_permitted(
    credentials: &Credentials,
    directory_owner: UserIdentifier,
    directory_mode: Mode,
    entry_owner: UserIdentifier,
) -> Result<()> {
    let free = !directory_mode.contains(Mode::STICKY)
        || credentials.is_superuser()
        || credentials.user == directory_owner
        || credentials.user == entry_owner;
    if free { Ok(()) } else { Err(Error::PermissionDenied) }
}

/// Checks whether a caller may change a node's mode bits.
///
/// # Errors
///
/// [`Error::PermissionDenied`] for all but the owner and user 0.
pub fn mode_change_permitted(credentials: &Credentials, owner: UserIdentifier) -> Result<()> {
    if credentials.is_superuser() || credentials.user == owner {
        Ok(())
    } else {
        Err(Error::PermissionDenied)
    }
}

/// Checks whether a caller may set this owner and group of a node.
///
/// # Errors
///
/// [`Error::PermissionDenied`] except for user 0, and for the owner who sets one of their own
/// groups.
pub fn owner_change_permitted(
    credentials: &Credentials,
    owner: UserIdentifier,
    new_owner: UserIdentifier,
    new_group: GroupIdentifier,
) -> Result<()> {
    let own = credentials.user == owner && new_owner == owner && credentials.is_member(new_group);
    if credentials.is_superuser() || own { Ok(()) } else { Err(Error::PermissionDenied) }
}
