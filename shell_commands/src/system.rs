//! The system that the program runs on: host, network, file tree, terminal.
//!
//! [`start`] builds it from the `--interface` arguments, or the embedded network without any. Called by `main.rs` once;
//! nothing below knows that there is a program. This is the only file that knows drivers.

use std::sync::Arc;

use drivers::host::{random_hardware_address, terminal};
use drivers::{Capture, Host, Lan, Loopback, Tap, TapKind, TapOptions};
use network::Manager;
use network::driver::Driver;
use network::platform::Entropy;
use shell_commands::arguments::{InterfaceArgument, InterfaceKind};
use shell_commands::context::{Files, Platform, Stream, Streams};
use shell_commands::embedded;
use virtual_file_system::{Credentials, Mode, OpenFlags, Path, VirtualFileSystem};

/// Bytes of the loopback interface's largest packet, as on Linux but for the one byte that no length field holds.
const LOOPBACK_MTU: usize = 65_535;
/// Bytes of a packet on the embedded network.
const LAN_MTU: usize = 1500;
/// The embedded network loses nothing, so its seed decides nothing.
const LAN_SEED: u64 = 0;
/// The directories of every system, with their modes.
const DIRECTORIES: [(&str, u16); 4] =
    [("/devices", 0o755), ("/configuration", 0o755), ("/binaries", 0o755), ("/temporary", 0o1777)];

/// A running system.
pub(crate) struct System {
    /// The file tree as the person at the terminal sees it.
    pub(crate) files: Files,
    /// The terminal.
    pub(crate) streams: Streams,
    /// The host's clock, entropy and executor.
    pub(crate) platform: Platform,
    host: Host,
}

impl System {
    /// Runs a future on this thread, and the system's tasks beside it.
    pub(crate) fn block_on<T>(&self, future: impl Future<Output = T>) -> T {
        self.host.block_on(future)
    }
}

/// Builds and starts a system.
///
/// # Errors
/// Why not, in one line.
pub(crate) fn start(interfaces: &[InterfaceArgument]) -> Result<System, String> {
    let host = Host::new();
    let platform = Platform { clock: host.clock(), entropy: host.entropy(), spawner: host.spawner() };
    let tree = VirtualFileSystem::new();
    prepare(&tree).map_err(|why| format!("file tree: {why}"))?;
    let supplies = network::Platform {
        clock: Arc::clone(&platform.clock),
        entropy: Arc::clone(&platform.entropy),
        spawner: Arc::clone(&platform.spawner),
    };
    let manager = Manager::new(tree.clone(), supplies).map_err(|why| why.to_string())?;
    if !interfaces.iter().any(|interface| interface.name == "lo") {
        register(&manager, "lo", Loopback::new(LOOPBACK_MTU))?;
    }
    let lan = Lan::new(Arc::clone(&platform.clock), LAN_SEED);
    if interfaces.is_empty() {
        register(&manager, "eth0", lan.port(embedded::USER, LAN_MTU))?;
    }
    for interface in interfaces {
        add(&manager, interface, &lan, platform.entropy.as_ref())?;
    }
    if interfaces.is_empty() || interfaces.iter().any(|interface| interface.kind == InterfaceKind::Lan) {
        embedded::start(&platform, |address| Box::new(lan.port(address, LAN_MTU)))?;
    }
    let files = Files::new(tree, Credentials::root()).map_err(|why| why.to_string())?;
    let streams = streams(&files).map_err(|why| format!("terminal: {why}"))?;
    Ok(System { files, streams, platform, host })
}

fn prepare(tree: &VirtualFileSystem) -> virtual_file_system::Result<()> {
    for (path, mode) in DIRECTORIES {
        tree.create_directory(&Credentials::root(), &Path::parse(path)?, Mode::from_bits_truncate(mode))?;
    }
    terminal::mount(tree)
}

fn streams(files: &Files) -> virtual_file_system::Result<Streams> {
    let open = |node: &str, flags, name: &str| {
        files.open(&format!("/devices/terminal/{node}"), flags).map(|file| Stream::new(file, name))
    };
    Ok(Streams {
        input: open("input", OpenFlags::READ, "standard input")?,
        output: open("output", OpenFlags::WRITE, "standard output")?,
        error: open("error", OpenFlags::WRITE, "standard error")?,
    })
}

fn register(manager: &Manager, name: &str, driver: impl Driver + 'static) -> Result<(), String> {
    manager.register(name, Box::new(driver), None).map_err(|why| format!("{name}: {why}"))
}

/// Registers what one `--interface` asks for.
fn add(manager: &Manager, interface: &InterfaceArgument, lan: &Lan, entropy: &dyn Entropy) -> Result<(), String> {
    let name = interface.name.as_str();
    if interface.capture.is_some() {
        return Err(format!("{name}: capture: not part of this build"));
    }
    let mtu = interface.mtu.map(|mtu| mtu as usize);
    match interface.kind {
        InterfaceKind::Loopback => register(manager, name, Loopback::new(mtu.unwrap_or(LOOPBACK_MTU))),
        InterfaceKind::Lan => {
            let address = match interface.mac {
                Some(address) => address,
                None => random_hardware_address(entropy).map_err(|why| format!("{name}: no entropy: {why}"))?,
            };
            register(manager, name, lan.port(address, mtu.unwrap_or(LAN_MTU)))
        }
        InterfaceKind::Tap | InterfaceKind::Tun => {
            let kind = if interface.kind == InterfaceKind::Tap { TapKind::Tap } else { TapKind::Tun };
            let host_name = interface.argument.as_deref().unwrap_or_default();
            let options = TapOptions { hardware: interface.mac, mtu };
            let tap = Tap::open(host_name, kind, options).map_err(|why| format!("{name}: {host_name}: {why}"))?;
            register(manager, name, tap)
        }
    }
}
