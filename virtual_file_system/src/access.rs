//! Who may do what: the one place where permission is decided.
//!
//! The tree asks here for every directory on the way, for the node itself and for the directory
//! that changes; nobody else compares users or mode bits. These are pure functions of their
//! arguments.

use alloc::vec::Vec;

use bitflags::bitflags;

use crate::error::{Error, Result};

/// The number of a user; 0 is the superuser.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UserIdentifier(pub u32);

/// The number of a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct GroupIdentifier(pub u32);

/// On whose behalf a call is made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Credentials {
    /// The user.
    pub user: UserIdentifier,
    /// The group that new nodes get.
    pub group: GroupIdentifier,
    /// Further groups that the user is a member of.
    pub groups: Vec<GroupIdentifier>,
}

impl Credentials {
    /// Speaks for the superuser, whom no permission stops.
    #[must_use]
    pub fn root() -> Self {
        Self::new(UserIdentifier(0), GroupIdentifier(0))
    }

    /// Speaks for a user without further groups.
    #[must_use]
    pub fn new(user: UserIdentifier, group: GroupIdentifier) -> Self {
        Self { user, group, groups: Vec::new() }
    }

    /// Tells whether this is user 0.
    #[must_use]
    pub fn is_superuser(&self) -> bool {
        self.user == UserIdentifier(0)
    }

    /// Tells whether the user belongs to a group.
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
    /// Takes the bits of an octal number such as `0o644`; bits without a meaning here are dropped.
    #[must_use]
    pub const fn from_octal(bits: u16) -> Self {
        Self::from_bits_truncate(bits)
    }
}

bitflags! {
    /// What an open file is for.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
    pub struct OpenFlags: u32 {
        /// It may be read.
        const READ = 1;
        /// It may be written.
        const WRITE = 1 << 1;
        /// Every write goes to the end; implies `WRITE`.
        const APPEND = 1 << 2;
        /// A regular file is made if the name is free.
        const CREATE = 1 << 3;
        /// With `CREATE`: the name must be free.
        const EXCLUSIVE = 1 << 4;
        /// A regular file is emptied; needs `WRITE`.
        const TRUNCATE = 1 << 5;
        /// Calls that would wait fail with [`Error::WouldBlock`] instead.
        const NON_BLOCKING = 1 << 6;
        /// The name must be a directory, and may be one.
        const DIRECTORY = 1 << 7;
    }
}

impl OpenFlags {
    /// Refuses what makes no sense, and spells out what is implied.
    pub(crate) fn validated(mut self) -> Result<Self> {
        if self.contains(Self::APPEND) {
            self |= Self::WRITE;
        }
        let senseless = !self.intersects(Self::READ | Self::WRITE)
            || self.contains(Self::TRUNCATE) && !self.contains(Self::WRITE)
            || self.contains(Self::CREATE | Self::DIRECTORY);
        if senseless { Err(Error::InvalidInput) } else { Ok(self) }
    }

    /// Tells which access to the node the flags ask for.
    pub(crate) fn access(self) -> Access {
        let mut access = Access::empty();
        access.set(Access::READ, self.contains(Self::READ));
        access.set(Access::WRITE, self.contains(Self::WRITE));
        access
    }
}

bitflags! {
    /// What somebody wants to do with a node; the bits are those of one class of a [`Mode`].
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

/// Decides whether a caller may access a node (POSIX.1-2024, base definitions 4.7).
///
/// Exactly one class decides: the owner's bits for the owner, even if the others' are wider; else
/// the group's for a member; else the others'. User 0 may everything.
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

/// Decides whether a caller who may write a directory may also take this entry out of it.
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

/// Decides whether a caller may change a node's mode bits.
///
/// # Errors
///
/// [`Error::PermissionDenied`] for anybody but the owner and user 0.
pub fn mode_change_permitted(credentials: &Credentials, owner: UserIdentifier) -> Result<()> {
    if credentials.is_superuser() || credentials.user == owner {
        Ok(())
    } else {
        Err(Error::PermissionDenied)
    }
}

/// Decides whether a caller may give a node this owner and group.
///
/// # Errors
///
/// [`Error::PermissionDenied`] unless it is user 0, or the owner who hands the node to a group of
/// their own.
pub fn owner_change_permitted(
    credentials: &Credentials,
    owner: UserIdentifier,
    new_owner: UserIdentifier,
    new_group: GroupIdentifier,
) -> Result<()> {
    let own = credentials.user == owner && new_owner == owner && credentials.is_member(new_group);
    if credentials.is_superuser() || own { Ok(()) } else { Err(Error::PermissionDenied) }
}
