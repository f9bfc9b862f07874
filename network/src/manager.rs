//! The manager: registers interfaces, finds them by name, and chooses one by route.
//!
//! A [`Manager`] is a value that is constructed and passed on; there is no global one, and a test
//! may have several. Whoever registers an interface gets all of it or nothing: a stack, a mounted
//! device, a running task.

use alloc::boxed::Box;
use alloc::collections::BTreeSet;
use alloc::string::{String, ToString};
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;
use core::net::IpAddr;

use virtual_file_system::{
    CharacterDevice, Credentials, Error, Lock, Mode, Path, VirtualFileSystem,
};

use crate::command::address::{NewAddress, Origin};
use crate::command::interface::InterfaceStatus;
use crate::control::{NetworkDevice, Offers};
use crate::driver::{Driver, Kind};
use crate::interface::Interface;
use crate::limits;
use crate::platform::{Clock, Entropy, Spawner};
use crate::resolver::Turns;
use crate::routing::Routing;
use crate::runner::Runner;
use crate::socket::Sockets;
use crate::stack::random::Random;
use crate::stack::{Configuration, HostAddresses, Stack};

/// Where interfaces appear.
pub const INTERFACES: &str = "/devices/network";
/// The device of what belongs to no single interface.
pub const SOCKETS: &str = "/devices/sockets";

/// Why an interface was not registered or unregistered. Nothing was left behind.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ManagerError {
    /// An interface of this name exists.
    DuplicateIdentifier,
    /// The name is empty, longer than 15 bytes, or holds something else than letters, digits, `-`,
    /// `_` and `.`.
    InvalidIdentifier,
    /// The entropy source failed.
    FailedToGenerateSeed(&'static str),
    /// The device could not be mounted.
    FailedToMountDevice(Error),
    /// The runner could not be started.
    FailedToSpawn(&'static str),
    /// No interface has this name.
    NotFound,
}

impl fmt::Display for ManagerError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::DuplicateIdentifier => formatter.write_str("an interface of this name exists"),
            Self::InvalidIdentifier => formatter.write_str("not a name for an interface"),
            Self::FailedToGenerateSeed(reason) => write!(formatter, "no entropy: {reason}"),
            Self::FailedToMountDevice(error) => {
                write!(formatter, "cannot mount the device: {error}")
            }
            Self::FailedToSpawn(reason) => write!(formatter, "cannot start the runner: {reason}"),
            Self::NotFound => formatter.write_str("no such interface"),
        }
    }
}

impl core::error::Error for ManagerError {}

/// What the platform supplies to a manager.
#[derive(Clone)]
pub struct Platform {
    /// Monotonic time.
    pub clock: Arc<dyn Clock>,
    /// Random bytes.
    pub entropy: Arc<dyn Entropy>,
    /// Where runners run.
    pub spawner: Arc<dyn Spawner>,
}

/// What all interfaces of one system share.
pub(crate) struct Shared {
    pub(crate) platform: Platform,
    pub(crate) routing: Routing,
    files: VirtualFileSystem,
    host: Arc<HostAddresses>,
    pub(crate) turns: Turns,
    pub(crate) offers: Offers,
    registry: Lock<Registry>,
}

#[derive(Default)]
struct Registry {
    /// Names that are taken, also those whose registration is under way.
    names: BTreeSet<String>,
    last_index: u32,
}

/// Registers interfaces; cheap to clone, all clones are the same manager.
///
/// When the last clone, socket and open device file of a manager is gone, its interfaces are
/// unregistered.
#[derive(Clone)]
pub struct Manager {
    shared: Arc<Shared>,
}

impl Manager {
    /// Makes a manager whose devices appear in `files`, and mounts [`SOCKETS`].
    ///
    /// # Errors
    /// `FailedToMountDevice`.
    pub fn new(files: VirtualFileSystem, platform: Platform) -> Result<Self, ManagerError> {
        let shared = Arc::new(Shared {
            platform,
            routing: Routing::default(),
            files,
            host: Arc::new(HostAddresses::default()),
            turns: Turns::default(),
            offers: Offers::default(),
            registry: Lock::new(Registry::default()),
        });
        shared.prepare_tree().map_err(ManagerError::FailedToMountDevice)?;
        let device = NetworkDevice::system(&shared);
        shared.mount(SOCKETS, Arc::new(device)).map_err(ManagerError::FailedToMountDevice)?;
        Ok(Self { shared })
    }

    /// Registers an interface: validates, builds the stack, mounts `/devices/network/NAME`, starts
    /// the runner. The loopback interface gets its addresses and is up; every other one starts down
    /// and without addresses. Commands that the stack does not know go to `controller`.
    ///
    /// # Errors
    /// As [`ManagerError`] says; nothing was changed then.
    pub fn register(
        &self,
        name: &str,
        driver: Box<dyn Driver>,
        controller: Option<Arc<dyn CharacterDevice>>,
    ) -> Result<(), ManagerError> {
        let index = self.shared.reserve(name)?;
        let registered = self.build(name, index, driver, controller);
        if registered.is_err() {
            self.shared.release(name);
        }
        registered
    }

    fn build(
        &self,
        name: &str,
        index: u32,
        mut driver: Box<dyn Driver>,
        controller: Option<Arc<dyn CharacterDevice>>,
    ) -> Result<(), ManagerError> {
        let shared = &self.shared;
        let random = Random::new(Arc::clone(&shared.platform.entropy))
            .map_err(ManagerError::FailedToGenerateSeed)?;
        let stack = new_stack(name, index, driver.as_mut(), random, shared);
        let interface =
            Arc::new(Interface::new(stack, driver, controller, Arc::clone(&shared.platform.clock)));
        if interface.is_loopback {
            interface.with(configure_loopback);
        }
        let path = alloc::format!("{INTERFACES}/{name}");
        let device = NetworkDevice::interface(shared, &interface);
        shared.mount(&path, Arc::new(device)).map_err(ManagerError::FailedToMountDevice)?;
        let runner = Runner::new(Arc::clone(&interface), Arc::clone(&shared.platform.clock));
        if let Err(reason) = shared.platform.spawner.spawn(Box::pin(runner)) {
            shared.unmount(&path);
            interface.close();
            return Err(ManagerError::FailedToSpawn(reason));
        }
        shared.routing.add(interface);
        shared.host.touch();
        Ok(())
    }

    /// Undoes a registration: the device disappears, open files of it fail, sockets on the
    /// interface end with an error, the runner ends and the driver is released.
    ///
    /// # Errors
    /// `NotFound`.
    pub fn unregister(&self, name: &str) -> Result<(), ManagerError> {
        let interface = self.shared.routing.take(name).ok_or(ManagerError::NotFound)?;
        self.shared.host.touch();
        self.shared.unmount(&alloc::format!("{INTERFACES}/{name}"));
        interface.close();
        self.shared.release(name);
        Ok(())
    }

    /// Every interface, by index.
    #[must_use]
    pub fn list(&self) -> Vec<InterfaceStatus> {
        self.shared
            .routing
            .interfaces()
            .iter()
            .map(|interface| {
                interface.with(|stack| stack.context.configuration.status(stack.context.now))
            })
            .collect()
    }

    /// Sockets that use any interface, by route.
    #[must_use]
    pub fn sockets(&self) -> Sockets {
        Sockets::routed(&self.shared)
    }

    /// Sockets that use one interface only.
    ///
    /// # Errors
    /// `NotFound` when no interface has this name.
    pub fn sockets_on(&self, name: &str) -> Result<Sockets, ManagerError> {
        let interface = self.shared.routing.find(name).ok_or(ManagerError::NotFound)?;
        Ok(Sockets::on(&self.shared, &interface))
    }
}

impl fmt::Debug for Manager {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Manager")
            .field("interfaces", &self.shared.routing.interfaces())
            .finish_non_exhaustive()
    }
}

impl Shared {
    fn prepare_tree(&self) -> Result<(), Error> {
        let (root, mode) = (Credentials::root(), Mode::from_bits_truncate(0o755));
        for directory in ["/devices", INTERFACES] {
            match self.files.create_directory(&root, &Path::parse(directory)?, mode) {
                Ok(()) | Err(Error::AlreadyExists) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Network devices may be read by everybody and changed by their owner and group.
    fn mount(&self, path: &str, device: Arc<dyn CharacterDevice>) -> Result<(), Error> {
        self.files.mount(
            &Credentials::root(),
            &Path::parse(path)?,
            device,
            Mode::from_bits_truncate(0o664),
        )
    }

    fn unmount(&self, path: &str) {
        if let Ok(path) = Path::parse(path) {
            // Somebody may have unmounted it already; then there is nothing to undo.
            let _ = self.files.unmount(&Credentials::root(), &path);
        }
    }

    fn reserve(&self, name: &str) -> Result<u32, ManagerError> {
        let is_plain =
            |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
        let is_dots = name.bytes().all(|byte| byte == b'.');
        if name.is_empty()
            || name.len() > limits::NAME_BYTES
            || !name.bytes().all(is_plain)
            || is_dots
        {
            return Err(ManagerError::InvalidIdentifier);
        }
        self.registry.with(|registry| {
            if !registry.names.insert(name.to_string()) {
                return Err(ManagerError::DuplicateIdentifier);
            }
            registry.last_index += 1;
            Ok(registry.last_index)
        })
    }

    fn release(&self, name: &str) {
        self.registry.with(|registry| registry.names.remove(name));
    }

    /// A number that stands still while addresses, routes, links and interfaces do.
    pub(crate) fn generation(&self) -> u32 {
        self.host.generation()
    }

    /// The interface that delivers to our own addresses.
    pub(crate) fn is_own_address(&self, address: IpAddr) -> bool {
        address.is_loopback() || self.host.owns(address)
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        self.unmount(SOCKETS);
        for interface in self.routing.interfaces() {
            self.unmount(&alloc::format!("{INTERFACES}/{}", interface.name));
            interface.close();
        }
    }
}

fn new_stack(
    name: &str,
    index: u32,
    driver: &mut dyn Driver,
    random: Random,
    shared: &Shared,
) -> Stack {
    let capabilities = driver.capabilities();
    let configuration = Configuration {
        name: name.to_string(),
        index,
        capabilities,
        enabled: false,
        link: driver.link_state(),
        mtu: capabilities.mtu,
        metric: 0,
        hardware_address: driver.hardware_address(),
        since: shared.platform.clock.now(),
    };
    Stack::new(configuration, random, Arc::clone(&shared.host))
}

fn configure_loopback(stack: &mut Stack) {
    debug_assert!(
        stack.context.configuration.capabilities.kind == Kind::Loopback,
        "only loopback interfaces configure themselves"
    );
    for text in ["127.0.0.1/8", "::1/128"] {
        if let Ok(prefix) = text.parse() {
            // A loopback MTU below 1280 has no IPv6; that is the driver's choice.
            let _ = stack.ip.add_address(
                &mut stack.context,
                &NewAddress { prefix, broadcast: None },
                Origin::Kernel,
            );
        }
    }
    stack.set_enabled(true);
}
