//! One host of the embedded network: its own system, configured by writes to its device.

use std::net::{IpAddr, Ipv6Addr};
use std::sync::Arc;

use devnet_network::Manager;
use devnet_network::driver::Driver;
use devnet_virtual_file_system::{
    CharacterDevice, Credentials, File, OpenFlags, Result as FileResult, VirtualFileSystem,
};

use crate::context::{Files, Platform};
use crate::devices::NETWORK;

/// Bits of the networks' prefixes.
const V4_LENGTH: u8 = 24;
const V6_LENGTH: u8 = 64;

/// A host.
pub struct Host {
    /// The name of its only interface, to the switch. It is the host's name, so that the log tells
    /// the hosts of the program apart.
    pub interface: String,
    /// Its file tree, with the superuser's credentials.
    pub files: Files,
    /// Its interfaces.
    pub manager: Manager,
}

impl Host {
    /// Builds a host of this name on a port of the switch, and brings it up with these addresses.
    ///
    /// # Errors
    /// The reason, in one line.
    pub fn start(
        platform: &Platform,
        name: &str,
        port: Box<dyn Driver>,
        addresses: &[IpAddr],
    ) -> Result<Self, String> {
        Self::start_controlled(platform, name, port, None, addresses)
    }

    /// As [`start`](Self::start), with the controller of the port.
    ///
    /// # Errors
    /// The reason, in one line.
    pub fn start_controlled(
        platform: &Platform,
        name: &str,
        port: Box<dyn Driver>,
        controller: Option<Arc<dyn CharacterDevice>>,
        addresses: &[IpAddr],
    ) -> Result<Self, String> {
        let tree = VirtualFileSystem::new();
        tree.set_time_source(platform.time_source());
        let supplies = devnet_network::Platform {
            clock: platform.clock.clone(),
            entropy: platform.entropy.clone(),
            spawner: platform.spawner.clone(),
        };
        let manager = Manager::new(tree.clone(), supplies).map_err(|why| why.to_string())?;
        manager.register(name, port, controller).map_err(|why| why.to_string())?;
        let files = Files::new(tree, Credentials::root()).map_err(|why| why.to_string())?;
        let host = Self { interface: name.to_owned(), files, manager };
        host.configure(addresses).map_err(|why| why.to_string())?;
        Ok(host)
    }

    fn device(&self) -> FileResult<File> {
        let path = format!("{NETWORK}/{}", self.interface);
        self.files.open(&path, OpenFlags::READ | OpenFlags::WRITE)
    }

    fn configure(&self, addresses: &[IpAddr]) -> FileResult<()> {
        let device = self.device()?;
        device.try_write(b"link up\n")?;
        for address in addresses {
            let length = if address.is_ipv4() { V4_LENGTH } else { V6_LENGTH };
            device.try_write(format!("address add {address}/{length}\n").as_bytes())?;
        }
        Ok(())
    }

    /// Writes lines to the device of the host's interface.
    ///
    /// # Errors
    /// Errors of the commands.
    pub fn write(&self, lines: &str) -> FileResult<()> {
        self.device()?.try_write(lines.as_bytes()).map(drop)
    }

    /// Makes the host an IPv6 router that advertises a prefix and a name server.
    ///
    /// # Errors
    /// Errors of the command.
    pub fn advertise(&self, prefix: &str, dns: Ipv6Addr) -> FileResult<()> {
        self.write(&format!("advertise {prefix} {dns}"))
    }

    /// Keeps the host, whose services are those of its interface, as long as the platform runs.
    ///
    /// # Errors
    /// Errors of the spawner.
    pub fn keep(&self, platform: &Platform) -> Result<(), String> {
        let manager = self.manager.clone();
        self.spawn(platform, async move {
            let never = std::future::pending::<FileResult<()>>().await;
            drop(manager);
            never
        })
    }

    /// Starts a service of the host.
    ///
    /// # Errors
    /// Errors of the spawner.
    pub fn spawn(
        &self,
        platform: &Platform,
        service: impl Future<Output = FileResult<()>> + Send + 'static,
    ) -> Result<(), String> {
        // Nothing awaits a service; its clients notice its end.
        let task = async {
            let _ = service.await;
        };
        platform.spawner.spawn(Box::pin(task)).map_err(str::to_owned)
    }
}
