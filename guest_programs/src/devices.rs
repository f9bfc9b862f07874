//! The network's devices without a guard: what [`guard`](crate::guard) stands around, and asks its
//! own questions.

use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;

use virtual_file_system::{Credentials, File, Mode, OpenFlags, Path, Result, VirtualFileSystem};

use crate::account::Account;
use crate::policy::Policy;

/// The directory of interfaces.
pub(crate) const NETWORK: &str = "/devices/network";
/// The device of what belongs to no single interface.
pub(crate) const SOCKETS: &str = "/devices/sockets";

/// The network's devices as one guest has them.
pub(crate) struct Devices {
    tree: VirtualFileSystem,
    credentials: Credentials,
    pub(crate) policy: Policy,
    pub(crate) account: Arc<Account>,
}

impl Devices {
    pub(crate) const fn new(
        tree: VirtualFileSystem,
        credentials: Credentials,
        policy: Policy,
        account: Arc<Account>,
    ) -> Self {
        Self { tree, credentials, policy, account }
    }

    /// True when no interface is absent for the guest.
    pub(crate) fn sees_all(&self) -> bool {
        self.policy.grants.all_interfaces().is_some()
    }

    /// The names of the interfaces that the guest sees, sorted.
    pub(crate) fn visible_interfaces(&self) -> Result<Vec<String>> {
        let entries = self.tree.list(&self.credentials, &Path::parse(NETWORK)?)?;
        let names = entries.into_iter().map(|entry| entry.name);
        Ok(names.filter(|name| self.policy.grants.interface(name).is_some()).collect())
    }

    /// Opens the unguarded device of an interface; only for the guard's own questions.
    pub(crate) fn open_interface(&self, name: &str, flags: OpenFlags) -> Result<File> {
        self.open(&Path::parse(NETWORK)?.join(name)?, flags)
    }

    /// Opens the unguarded device of all sockets; only for the guard's own questions.
    pub(crate) fn open_sockets(&self, flags: OpenFlags) -> Result<File> {
        self.open(&Path::parse(SOCKETS)?, flags)
    }

    /// Opens an unguarded device by its path; only to put a guard around it.
    pub(crate) fn open(&self, path: &Path, flags: OpenFlags) -> Result<File> {
        self.tree.open(&self.credentials, path, flags, Mode::empty())
    }
}
