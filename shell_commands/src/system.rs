//! The system of the program: host, network, file tree, terminal.
//!
//! [`start`] builds it from the `--interface` arguments, or builds the embedded network if there
//! are none. `main.rs` calls it once; the layers below do not depend on the program. Only this file
//! uses drivers.

use std::fs::File;
use std::sync::Arc;

use devnet_drivers::host::{random_hardware_address, terminal};
use devnet_drivers::{
    Air, Capture, Host, Lan, Loopback, Position, RadioNumber, Tap, TapKind, TapOptions,
};
use devnet_network::Manager;
use devnet_network::address::HardwareAddress;
use devnet_network::driver::Driver;
use devnet_network::platform::Entropy;
use devnet_shell_commands::arguments::{InterfaceArgument, InterfaceKind};
use devnet_shell_commands::context::{Files, Platform, Stream, Streams};
use devnet_shell_commands::embedded;
use devnet_shell_commands::embedded::wireless::Place;
use devnet_shell_commands::program::words;
use devnet_virtual_file_system::{
    CharacterDevice, Credentials, Mode, OpenFlags, Path, VirtualFileSystem,
};

/// MTU of the loopback interface: Linux' less one byte, which no length field can express.
const LOOPBACK_MTU: usize = 65_535;
/// MTU of the embedded network.
const LAN_MTU: usize = 1500;
/// The embedded network loses nothing, so its seed has no effect.
const LAN_SEED: u64 = 0;
/// What weak signals lose is the same in every run.
const AIR_SEED: u64 = 0;
/// The directories of every system, with their modes.
const DIRECTORIES: [(&str, u16); 4] =
    [("/devices", 0o755), ("/configuration", 0o755), ("/binaries", 0o755), ("/temporary", 0o1777)];

/// A running system.
pub(crate) struct System {
    /// The file tree with the user's credentials.
    pub(crate) files: Files,
    /// The terminal.
    pub(crate) streams: Streams,
    /// The host's clock, entropy and executor.
    pub(crate) platform: Platform,
    host: Host,
    /// The manager; the interfaces exist as long as it does.
    _manager: Manager,
}

impl System {
    /// Runs a future on this thread, with the system's tasks in between.
    pub(crate) fn block_on<T>(&self, future: impl Future<Output = T>) -> T {
        self.host.block_on(future)
    }
}

/// Builds and starts a system.
///
/// # Errors
/// The reason, in one line.
pub(crate) fn start(interfaces: &[InterfaceArgument]) -> Result<System, String> {
    let host = Host::new();
    let platform = Platform::of(&host);
    let disposer = host.disposer().map_err(|why| format!("disposer: {}", words(&why)))?;
    let tree = VirtualFileSystem::with_disposer(disposer);
    tree.set_time_source(platform.time_source());
    prepare(&tree).map_err(|why| format!("file tree: {why}"))?;
    let supplies = devnet_network::Platform {
        clock: Arc::clone(&platform.clock),
        entropy: Arc::clone(&platform.entropy),
        spawner: Arc::clone(&platform.spawner),
    };
    let manager = Manager::new(tree.clone(), supplies).map_err(|why| why.to_string())?;
    if let Some(trusted) = crate::certificates::trusted() {
        manager.set_dns_tls(trusted);
    }
    let lan = Lan::new(Arc::clone(&platform.clock), LAN_SEED);
    let air = Air::new(Arc::clone(&platform.clock), AIR_SEED);
    let builder = Builder {
        manager,
        lan: lan.clone(),
        air: air.clone(),
        host: host.clone(),
        entropy: Arc::clone(&platform.entropy),
    };
    builder.register(interfaces)?;
    if interfaces.is_empty()
        || interfaces.iter().any(|interface| interface.kind == InterfaceKind::Lan)
    {
        platform.spawner.spawn(Box::pin(lan.runner())).map_err(|why| format!("lan: {why}"))?;
        host.block_on(embedded::start(&platform, |address| Box::new(lan.port(address, LAN_MTU))))?;
    }
    if interfaces.iter().any(|interface| interface.kind == InterfaceKind::Wifi) {
        platform.spawner.spawn(Box::pin(air.runner())).map_err(|why| format!("air: {why}"))?;
        host.block_on(embedded::wireless::start(&platform, |place| placed(&air, place)))?;
    }
    let files = Files::new(tree, Credentials::root()).map_err(|why| why.to_string())?;
    let streams = streams(&files).map_err(|why| format!("terminal: {why}"))?;
    Ok(System { files, streams, platform, host, _manager: builder.manager })
}

fn prepare(tree: &VirtualFileSystem) -> devnet_virtual_file_system::Result<()> {
    for (path, mode) in DIRECTORIES {
        tree.create_directory(
            &Credentials::root(),
            &Path::parse(path)?,
            Mode::from_bits_truncate(mode),
        )?;
    }
    terminal::mount(tree)
}

fn streams(files: &Files) -> devnet_virtual_file_system::Result<Streams> {
    let open = |node: &str, flags, name: &str| {
        files
            .open(&format!("{}/{node}", terminal::DIRECTORY), flags)
            .map(|file| Stream::new(file, name))
    };
    Ok(Streams {
        input: open("input", OpenFlags::READ, "standard input")?,
        output: open("output", OpenFlags::WRITE, "standard output")?,
        error: open("error", OpenFlags::WRITE, "standard error")?,
    })
}

/// Registers the requested interfaces.
struct Builder {
    manager: Manager,
    lan: Lan,
    air: Air,
    host: Host,
    entropy: Arc<dyn Entropy>,
}

/// A driver with its controller.
type Part = (Box<dyn Driver>, Arc<dyn CharacterDevice>);

impl Builder {
    fn register(&self, interfaces: &[InterfaceArgument]) -> Result<(), String> {
        if !interfaces.iter().any(|interface| interface.name == "lo") {
            self.add("lo", loopback(LOOPBACK_MTU))?;
        }
        if interfaces.is_empty() {
            self.add("eth0", self.port(embedded::USER, LAN_MTU))?;
        }
        for interface in interfaces {
            let name = &interface.name;
            let named = |why: String| format!("{name}: {why}");
            let part = self.part(interface).map_err(named)?;
            let part = self.captured(interface, part).map_err(named)?;
            self.add(name, part)?;
        }
        Ok(())
    }

    fn add(&self, name: &str, (driver, controller): Part) -> Result<(), String> {
        self.manager
            .register(name, driver, Some(controller))
            .map_err(|why| format!("{name}: {why}"))
    }

    fn port(&self, address: HardwareAddress, mtu: usize) -> Part {
        let port = self.lan.port(address, mtu);
        let controller = port.controller();
        (Box::new(port), controller)
    }

    /// The hardware address that is asked for, or a random one.
    fn address(&self, interface: &InterfaceArgument) -> Result<HardwareAddress, String> {
        match interface.mac {
            Some(address) => Ok(address),
            None => random_hardware_address(self.entropy.as_ref())
                .map_err(|why| format!("no hardware address: {why}")),
        }
    }

    /// Returns the driver for an argument.
    fn part(&self, interface: &InterfaceArgument) -> Result<Part, String> {
        let mtu = interface.mtu.map(|mtu| mtu as usize);
        match interface.kind {
            InterfaceKind::Loopback => Ok(loopback(mtu.unwrap_or(LOOPBACK_MTU))),
            InterfaceKind::Lan => Ok(self.port(self.address(interface)?, mtu.unwrap_or(LAN_MTU))),
            InterfaceKind::Wifi => {
                Ok(radio(&self.air, self.address(interface)?, mtu.unwrap_or(LAN_MTU)).0)
            }
            InterfaceKind::Tap => tap(interface, TapKind::Tap),
            InterfaceKind::Tun => tap(interface, TapKind::Tun),
        }
    }

    /// Wraps a driver in the requested capture.
    fn captured(
        &self,
        interface: &InterfaceArgument,
        (driver, controller): Part,
    ) -> Result<Part, String> {
        let Some(path) = &interface.capture else { return Ok((driver, controller)) };
        let file = File::create(path).map_err(|why| format!("{path}: {}", words(&why)))?;
        let capture = Capture::new(driver, Box::new(file), self.host.clock(), self.host.started())
            .map_err(|why| format!("{path}: {}", words(&why)))?;
        Ok((Box::new(capture), controller))
    }
}

fn radio(air: &Air, address: HardwareAddress, mtu: usize) -> (Part, RadioNumber) {
    let radio = air.radio(address, mtu);
    let (controller, number) = (radio.controller(), radio.number());
    ((Box::new(radio), controller), number)
}

/// A radio of the networks around the user's.
fn placed(air: &Air, place: Place) -> Part {
    let (part, number) = radio(air, place.hardware, LAN_MTU);
    let (x, y) = place.position;
    air.set_position(number, Position { x, y });
    air.set_distribution(number, place.wire);
    part
}

fn loopback(mtu: usize) -> Part {
    let driver = Loopback::new(mtu);
    let controller = driver.controller();
    (Box::new(driver), controller)
}

fn tap(interface: &InterfaceArgument, kind: TapKind) -> Result<Part, String> {
    let name = interface.argument.as_deref().unwrap_or_default();
    let options =
        TapOptions::default().hardware(interface.mac).mtu(interface.mtu.map(|mtu| mtu as usize));
    let driver =
        Tap::open(name, kind, options).map_err(|why| format!("{name}: {}", words(&why)))?;
    let controller = driver.controller();
    Ok((Box::new(driver), controller))
}
