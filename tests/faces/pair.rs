//! Two systems on a cable, each with a thread that runs its stack.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use devnet_drivers::{CableOptions, Host};
use devnet_network::address::HardwareAddress;
use devnet_network::driver::Driver;
use devnet_network::platform::Clock;
use devnet_network::{Manager, Platform, Sockets};
use devnet_virtual_file_system::{Credentials, Mode, OpenFlags, Path, VirtualFileSystem};

/// A system with its own clock and thread.
pub(crate) struct System {
    host: Host,
    files: VirtualFileSystem,
    manager: Manager,
}

impl System {
    fn new(driver: impl Driver + 'static, lines: &[&str]) -> Self {
        let host = Host::new();
        let files = VirtualFileSystem::new();
        let platform =
            Platform { clock: host.clock(), entropy: host.entropy(), spawner: host.spawner() };
        let manager = Manager::new(files.clone(), platform).unwrap();
        manager.register("lo", Box::new(devnet_drivers::Loopback::new(65535)), None).unwrap();
        manager.register("eth0", Box::new(driver), None).unwrap();
        let system = Self { host, files, manager };
        lines.iter().for_each(|line| system.write(line));
        system.host.run_in_background().unwrap();
        system
    }

    /// Writes a command to the interface.
    pub(crate) fn write(&self, line: &str) {
        let path = Path::parse("/devices/network/eth0").unwrap();
        let flags = OpenFlags::READ | OpenFlags::WRITE;
        let device = self.files.open(&Credentials::root(), &path, flags, Mode::empty()).unwrap();
        device.try_write(line.as_bytes()).unwrap();
    }

    /// Its clock.
    pub(crate) fn clock(&self) -> Arc<dyn Clock> {
        self.host.clock()
    }

    /// Its sockets.
    pub(crate) fn sockets(&self) -> Sockets {
        self.manager.sockets()
    }

    /// Starts a task on its thread.
    pub(crate) fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        self.host.spawner().spawn(Box::pin(task)).unwrap();
    }

    /// Waits until the condition holds, looking whenever its clock says so.
    pub(crate) async fn until(&self, condition: impl Fn() -> bool) {
        let clock = self.clock();
        let give_up = clock.now().after(Duration::from_secs(10));
        while !condition() {
            assert!(clock.now() < give_up, "it never came");
            clock.sleep_until(clock.now().after(Duration::from_millis(1))).await;
        }
    }
}

/// A client at 10.0.0.1 and a server at 10.0.0.2.
pub(crate) fn pair() -> (System, System) {
    let hardware = (HardwareAddress([2, 0, 0, 0, 0, 1]), HardwareAddress([2, 0, 0, 0, 0, 2]));
    let options = CableOptions::default().hardware(hardware).capacity(1024);
    let (left, right) = devnet_drivers::cable(options);
    let client = System::new(left, &["link up", "address add 10.0.0.1/24"]);
    let server = System::new(right, &["link up", "address add 10.0.0.2/24"]);
    (client, server)
}

/// Bytes that differ everywhere.
pub(crate) fn pattern(length: usize) -> Vec<u8> {
    (0..length).map(|index| (index.wrapping_mul(2_654_435_761) >> 11) as u8).collect()
}
