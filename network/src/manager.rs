//! The manager: registers interfaces and wires the parts of a system.
//!
//! A [`Manager`] is a value that is constructed and passed on; there is no global one, and a test
//! may have several. Registering an interface is atomic: a stack, a mounted device, a running task.
//! Each part gets what it needs as an argument and knows nothing of the manager.

use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;

use devnet_virtual_file_system::control::{decode_response, encode_request};
use devnet_virtual_file_system::{
    CharacterDevice, ControlCommand, Credentials, Error, File, Mode, OpenFlags, Operation, Path,
    VirtualFileSystem,
};

use crate::command::address::{NewAddress, Origin};
use crate::command::interface::InterfaceStatus;
use crate::command::interface::is_name;
use crate::command::line_error::LineError;
use crate::control::{Devices, OpenFile};
use crate::driver::{Driver, Kind};
use crate::interface::Interface;
use crate::interfaces::{Interfaces, Name, Names, Registration};
use crate::mount::Mount;
use crate::platform::{Clock, Entropy, Spawner};
use crate::runner::Runner;
use crate::socket::Sockets;
use crate::stack::random::Random;
use crate::stack::{Configuration, InterfaceOptions, Stack};

/// The directory of the interfaces' devices.
pub const INTERFACES: &str = "/devices/network";
/// The device that covers all interfaces.
pub const SOCKETS: &str = "/devices/sockets";

/// Why an interface was not registered or unregistered. The system is unchanged.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ManagerError {
    /// An interface of this name exists.
    DuplicateIdentifier,
    /// The name is empty, longer than 15 bytes, or contains other characters than letters, digits,
    /// `-`, `_` and `.`.
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

/// Why [`Manager::configure`] failed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum ConfigureError {
    /// The device was not opened, or is gone; `NotFound` when no interface has this name.
    Device(Error),
    /// A line failed.
    Line(LineError),
}

impl fmt::Display for ConfigureError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Device(error) => error.fmt(formatter),
            Self::Line(error) => error.fmt(formatter),
        }
    }
}

impl core::error::Error for ConfigureError {}

impl ConfigureError {
    /// The stable error, without place and words.
    #[must_use]
    pub const fn error(&self) -> Error {
        match self {
            Self::Device(error) => *error,
            Self::Line(error) => error.error(),
        }
    }
}

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

/// Registers interfaces; cheap to clone, all clones are the same manager.
///
/// When the last clone, socket and open device file of a manager is gone, its interfaces are
/// unregistered.
#[derive(Clone)]
pub struct Manager {
    platform: Platform,
    files: VirtualFileSystem,
    names: Names,
    interfaces: Interfaces,
    sockets: Sockets,
    devices: Devices,
}

impl Manager {
    /// Makes a manager whose devices appear in `files`, and mounts [`SOCKETS`].
    ///
    /// # Errors
    /// `FailedToMountDevice`.
    pub fn new(files: VirtualFileSystem, platform: Platform) -> Result<Self, ManagerError> {
        let Platform { clock, entropy, .. } = platform.clone();
        let interfaces = Interfaces::default();
        let sockets = Sockets::routed(interfaces.clone(), clock, Arc::clone(&entropy));
        let devices = Devices::new(&sockets, entropy);
        prepare_tree(&files).map_err(ManagerError::FailedToMountDevice)?;
        let system = Mount::new(&files, SOCKETS, Arc::new(devices.system()))
            .map_err(ManagerError::FailedToMountDevice)?;
        interfaces.keep(system);
        Ok(Self { platform, files, names: Names::default(), interfaces, sockets, devices })
    }

    /// Limits the memory of all TCP connections of the system, in bytes;
    /// [`limits::TCP_MEMORY`](crate::limits::TCP_MEMORY) by default. From half of it on buffers do
    /// not grow, and connections that hold much and make no progress end with `NoBufferSpace`; at
    /// the limit new ones are refused, and data waits (Linux' tcp_mem).
    #[cfg(feature = "tcp")]
    pub fn set_tcp_memory(&self, bytes: usize) {
        self.interfaces.memory().set_limit(bytes);
    }

    /// Bytes of memory that TCP connections use, counted in steps of 64 KiB for each interface, and
    /// their limit.
    #[cfg(feature = "tcp")]
    #[must_use]
    pub fn tcp_memory(&self) -> (usize, usize) {
        self.interfaces.memory().usage()
    }

    /// Says which certificates are trusted when DNS servers are asked over TLS, and by which
    /// cryptography: without it `ChangeDnsSecurity` is `Unsupported`. The types are those of
    /// [`rustls`](crate::rustls).
    #[cfg(feature = "dns-over-tls")]
    pub fn set_dns_tls(&self, config: Arc<crate::rustls::ClientConfig>) {
        self.sockets.resolver().set_tls(config);
    }

    /// Registers an interface: validates, builds the stack, mounts `/devices/network/NAME`, starts
    /// the runner. The loopback interface gets its addresses and is up; every other one starts down
    /// and without addresses. Commands that the stack does not know go to `controller`, as bytes
    /// to its `control` and as lines to its `write`.
    ///
    /// # Errors
    /// See [`ManagerError`]; nothing was changed then.
    // A stack is built here and moved: the frame is larger than that of any other call.
    #[inline(never)]
    pub fn register(
        &self,
        name: &str,
        mut driver: Box<dyn Driver>,
        controller: Option<Arc<dyn CharacterDevice>>,
    ) -> Result<(), ManagerError> {
        check_name(name)?;
        let name = self.names.reserve(name).ok_or(ManagerError::DuplicateIdentifier)?;
        let (clock, entropy) = (&self.platform.clock, &self.platform.entropy);
        let configuration = self.configuration(&name, driver.as_mut());
        let random =
            Random::new(Arc::clone(entropy)).map_err(ManagerError::FailedToGenerateSeed)?;
        let shared = self.interfaces.shared();
        let stack = |configuration| Stack::new(configuration, random, shared);
        let interface = Interface::new(configuration, stack, driver, controller, Arc::clone(clock));
        if interface.is_loopback {
            interface.change_and_transmit(configure_loopback);
        }
        let path = alloc::format!("{INTERFACES}/{}", name.name);
        let device = Arc::new(self.devices.interface(&interface));
        let device =
            Mount::new(&self.files, &path, device).map_err(ManagerError::FailedToMountDevice)?;
        let runner = Runner::new(Arc::clone(&interface), Arc::clone(clock));
        let registration = Registration::new(device, interface, name);
        self.platform.spawner.spawn(Box::pin(runner)).map_err(ManagerError::FailedToSpawn)?;
        self.interfaces.add(registration);
        Ok(())
    }

    /// The configuration of a new interface.
    fn configuration(&self, name: &Name, driver: &mut dyn Driver) -> Configuration {
        let (capabilities, now) = (driver.capabilities(), self.platform.clock.now());
        Configuration {
            name: name.name.clone(),
            index: name.index,
            capabilities,
            enabled: false,
            link: driver.link_state(),
            mtu: capabilities.mtu,
            metric: 0,
            hardware_address: driver.hardware_address(),
            own_hardware_address: driver.hardware_address(),
            since: now,
            options: InterfaceOptions::default(),
            link_changes: (0, now),
        }
    }

    /// Unregisters an interface: the device is unmounted, open files of it fail, sockets on the
    /// interface end with an error, the runner ends and the driver is released.
    ///
    /// # Errors
    /// `NotFound`.
    pub fn unregister(&self, name: &str) -> Result<(), ManagerError> {
        self.interfaces.take(name).map(drop).ok_or(ManagerError::NotFound)
    }

    /// Opens the device of an interface for reading and writing, with the rights of root; for
    /// [`SOCKETS`] the device that covers all interfaces.
    ///
    /// # Errors
    /// `NotFound` when no interface has this name.
    pub fn open(&self, name: &str) -> Result<File, Error> {
        let path = match name {
            SOCKETS => Path::parse(SOCKETS),
            // Other names could lead out of the directory.
            name if check_name(name).is_err() => Err(Error::NotFound),
            name => Path::parse(&alloc::format!("{INTERFACES}/{name}")),
        };
        let flags = OpenFlags::READ | OpenFlags::WRITE;
        self.files.open(&Credentials::root(), &path?, flags, Mode::empty())
    }

    /// Executes one typed command on an interface, or on [`SOCKETS`]: `.await` the operation, or
    /// take its result with [`Operation::now`]. Commands that make a file a socket need a file that
    /// stays [open](Self::open).
    ///
    /// ```
    /// use devnet_network::Manager;
    /// use devnet_network::command::{GetInterface, SetMtu};
    ///
    /// async fn shrink(manager: &Manager) -> devnet_virtual_file_system::Result<u32> {
    ///     manager.execute::<SetMtu>("eth0", &1400).await?;
    ///     Ok(manager.execute::<GetInterface>("eth0", &()).await?.mtu)
    /// }
    /// ```
    ///
    /// # Errors
    /// `NotFound` when no interface has this name; those of the command, which `command` documents,
    /// or of the controller for a command that the stack does not know.
    ///
    /// # Cancel safety
    /// That of the command.
    #[must_use = "the command is executed when the operation is awaited, or by `now`"]
    pub fn execute<C: ControlCommand>(
        &self,
        name: &str,
        request: &C::Request,
    ) -> Operation<'static, C::Response> {
        let prepared = self.open(name).and_then(|file| Ok((file, encode_request(request)?)));
        match prepared {
            Err(error) => Operation::done(Err(error)),
            Ok((file, request)) => Operation::waiting(async move {
                decode_response(&file.control_raw(C::IDENTIFIER, &request).await?)
            }),
        }
    }

    /// Configures an interface with lines of text, as writing them to its device does: those of
    /// `CONTROL.md`, in order, until one fails. Earlier lines stay in effect.
    ///
    /// ```
    /// use devnet_network::Manager;
    /// use devnet_network::manager::ConfigureError;
    ///
    /// fn configure(manager: &Manager) -> Result<(), ConfigureError> {
    ///     manager.configure("eth0", "link up\naddress add 10.0.0.2/24")
    /// }
    /// ```
    ///
    /// # Errors
    /// Where and why the text failed. `InvalidInput` is the error of text that is no command, and
    /// then no line is executed (with a controller, lines that begin with an unknown word are its
    /// own, and it answers when it is their turn); `WouldBlock` that of a line that waits, which a
    /// write to an [open](Self::open) file does.
    pub fn configure(&self, name: &str, lines: &str) -> Result<(), ConfigureError> {
        let file = self.open(name).map_err(ConfigureError::Device)?;
        let Err(error) = file.try_write(lines.as_bytes()) else { return Ok(()) };
        let last = file.try_call(|device: &OpenFile| Operation::done(Ok(device.last_error())));
        Err(last.ok().flatten().map_or(ConfigureError::Device(error), ConfigureError::Line))
    }

    /// Every interface, by index.
    #[must_use]
    pub fn list(&self) -> Vec<InterfaceStatus> {
        let interfaces = self.interfaces.list();
        interfaces
            .iter()
            .map(|interface| {
                interface.read_now(|stack| stack.context.configuration.status(stack.context.now))
            })
            .collect()
    }

    /// Sockets that use any interface, by route.
    #[must_use]
    pub fn sockets(&self) -> Sockets {
        self.sockets.clone()
    }

    /// Sockets that use one interface only.
    ///
    /// # Errors
    /// `NotFound` when no interface has this name.
    pub fn sockets_on(&self, name: &str) -> Result<Sockets, ManagerError> {
        let interface = self.interfaces.find(name).ok_or(ManagerError::NotFound)?;
        Ok(self.sockets.on(interface))
    }
}

impl fmt::Debug for Manager {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Manager")
            .field("interfaces", &self.interfaces)
            .finish_non_exhaustive()
    }
}

/// Makes the directories of the devices.
fn prepare_tree(files: &VirtualFileSystem) -> Result<(), Error> {
    let (root, mode) = (Credentials::root(), Mode::from_bits_truncate(0o755));
    for directory in ["/devices", INTERFACES] {
        match files.create_directory(&root, &Path::parse(directory)?, mode) {
            Ok(()) | Err(Error::AlreadyExists) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

fn check_name(name: &str) -> Result<(), ManagerError> {
    if is_name(name) { Ok(()) } else { Err(ManagerError::InvalidIdentifier) }
}

fn configure_loopback(stack: &mut Stack) {
    debug_assert!(
        stack.context.configuration.capabilities.kind == Kind::Loopback,
        "only loopback interfaces configure themselves"
    );
    for text in ["127.0.0.1/8", "::1/128"] {
        if let Ok(prefix) = text.parse() {
            // A loopback MTU below 1280 excludes IPv6; that is the driver's choice.
            let _ = stack.ip.add_address(
                &mut stack.context,
                &NewAddress { prefix, broadcast: None },
                Origin::Kernel,
            );
        }
    }
    stack.set_enabled(true);
}
