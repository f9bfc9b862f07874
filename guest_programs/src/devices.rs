//! The network's devices without a guard. The [`guard`](crate::guard) wraps them, and sends its own
//! queries to them.

use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::net::IpAddr;

use devnet_network::command::ListAddresses;
use devnet_virtual_file_system::{
    Credentials, File, Mode, OpenFlags, Path, Result, VirtualFileSystem,
};

use crate::account::Account;
use crate::policy::Policy;

/// The directory of interfaces.
pub(crate) const NETWORK: &str = "/devices/network";
/// The device for sockets and for everything that belongs to no single interface.
pub(crate) const SOCKETS: &str = "/devices/sockets";

/// The network's devices as one guest sees them.
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

    /// True if every interface is visible to the guest.
    pub(crate) fn sees_all(&self) -> bool {
        self.policy.grants.all_interfaces().is_some()
    }

    /// Returns the names of the interfaces that the guest sees, sorted.
    pub(crate) fn visible_interfaces(&self) -> Result<Vec<String>> {
        let entries = self.tree.list(&self.credentials, &Path::parse(NETWORK)?)?;
        let names = entries.into_iter().map(|entry| entry.name);
        Ok(names.filter(|name| self.policy.grants.interface(name).is_some()).collect())
    }

    /// True for an address of one of the system's interfaces.
    pub(crate) fn is_own(&self, address: IpAddr) -> Result<bool> {
        let all = self.open_sockets(OpenFlags::READ)?.try_control::<ListAddresses>(&())?;
        Ok(all.iter().any(|entry| entry.prefix.address() == address))
    }

    /// Opens an interface's device unguarded, for the guard's own queries only.
    pub(crate) fn open_interface(&self, name: &str, flags: OpenFlags) -> Result<File> {
        self.open(&Path::parse(NETWORK)?.join(name)?, flags)
    }

    /// Opens the sockets' device unguarded, for the guard's own queries only.
    pub(crate) fn open_sockets(&self, flags: OpenFlags) -> Result<File> {
        self.open(&Path::parse(SOCKETS)?, flags)
    }

    /// Opens a device unguarded by its path, for wrapping it in a guard only.
    pub(crate) fn open(&self, path: &Path, flags: OpenFlags) -> Result<File> {
        self.tree.open(&self.credentials, path, flags, Mode::empty())
    }
}
