//! A host: a whole system of its own inside a world.

use devnet_network::command::ListSockets;
use devnet_network::command::socket::SocketState;
use devnet_network::driver::Driver;
use devnet_network::{Manager, Sockets};
use devnet_virtual_file_system::{
    ControlCommand, Credentials, Error, File, Mode, OpenFlags, Path, VirtualFileSystem,
};

use crate::{World, tls};

/// A system with a file tree and a manager.
#[derive(Debug, Clone)]
pub struct Host {
    /// Its files.
    pub files: VirtualFileSystem,
    /// Its interfaces.
    pub manager: Manager,
}

impl Host {
    /// A host with the loopback interface only.
    #[must_use]
    pub fn new(world: &World) -> Self {
        Self::with_files(world, VirtualFileSystem::new())
    }

    /// The same with a tree that was made otherwise.
    #[must_use]
    pub fn with_files(world: &World, files: VirtualFileSystem) -> Self {
        let manager = Manager::new(files.clone(), world.platform()).expect("a manager");
        manager.set_dns_tls(tls::client());
        manager.register("lo", Box::new(devnet_drivers::Loopback::new(65535)), None).expect("lo");
        Self { files, manager }
    }

    /// Adds an interface, brings it up and gives it addresses.
    #[must_use]
    pub fn with(self, name: &str, driver: impl Driver + 'static, addresses: &[&str]) -> Self {
        self.manager.register(name, Box::new(driver), None).expect("a new interface");
        let device = self.open(name);
        self.write(&device, "link up").expect("up");
        for address in addresses {
            self.write(&device, &format!("address add {address}")).expect("an address");
        }
        self
    }

    /// Opens an interface's device (`sockets` is `/devices/sockets`) for everything.
    #[must_use]
    pub fn open(&self, name: &str) -> File {
        self.open_as(name, OpenFlags::READ | OpenFlags::WRITE).expect("a device")
    }

    /// Opens a device with the given flags.
    ///
    /// # Errors
    /// As the file tree says.
    pub fn open_as(&self, name: &str, flags: OpenFlags) -> Result<File, Error> {
        let path = if name == "sockets" {
            "/devices/sockets".to_owned()
        } else {
            format!("/devices/network/{name}")
        };
        self.files.open(&Credentials::root(), &Path::parse(&path)?, flags, Mode::empty())
    }

    /// Writes a line that does not wait.
    ///
    /// # Errors
    /// The command's.
    pub fn write(&self, device: &File, line: &str) -> Result<(), Error> {
        device.try_write(line.as_bytes()).map(|_| ())
    }

    /// Calls a command that does not wait.
    ///
    /// # Errors
    /// The command's.
    pub fn control<C: ControlCommand>(
        &self,
        name: &str,
        request: &C::Request,
    ) -> Result<C::Response, Error> {
        self.open(name).try_control::<C>(request)
    }

    /// How many sockets are open; resting tuples do not count.
    #[must_use]
    pub fn open_sockets(&self) -> usize {
        let all = self.control::<ListSockets>("sockets", &()).expect("a list");
        all.iter().filter(|socket| socket.state != SocketState::TimeWait).count()
    }

    /// Routed sockets.
    #[must_use]
    pub fn sockets(&self) -> Sockets {
        self.manager.sockets()
    }
}
