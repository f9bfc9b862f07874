//! Registering, unregistering, cables pulled, idleness.

use std::sync::Arc;
use std::time::Duration;

use devnet_network::command::{
    AddAddress, GetInterface, GetStatistics, ListAddresses, ListRoutes, address::NewAddress,
};
use devnet_network::platform::{BoxFuture, Entropy, Spawner};
use devnet_network::{Manager, ManagerError, Platform, TcpListener, TcpStream, UdpSocket};
use devnet_virtual_file_system::{Credentials, Error, Mode, Path, VirtualFileSystem};
use world::{Host, World};

use crate::pair::{connection, hosts, options};

fn names(files: &VirtualFileSystem) -> Vec<String> {
    let entries =
        files.list(&Credentials::root(), &Path::parse("/devices/network").unwrap()).unwrap();
    entries.into_iter().map(|entry| entry.name).collect()
}

#[test]
fn bad_and_duplicate_names_are_refused_and_leave_nothing() {
    let world = World::new(1);
    let host = Host::new(&world);
    let register = |name: &str| {
        host.manager.register(name, Box::new(devnet_drivers::cable(options()).0), None)
    };
    for name in ["", "..", ".", "../evil", "a/b", "sixteen-letters-", "a b", "ä", "a\0b", "eth0\n"]
    {
        assert_eq!(register(name), Err(ManagerError::InvalidIdentifier), "{name:?}");
    }
    assert_eq!(register("lo"), Err(ManagerError::DuplicateIdentifier));
    assert_eq!(names(&host.files), ["lo"]);
    register("fifteen-letters").unwrap();
    assert_eq!(names(&host.files), ["fifteen-letters", "lo"]);
    assert_eq!(host.manager.list().len(), 2);
}

#[test]
fn what_cannot_be_mounted_seeded_or_spawned_is_undone() {
    let world = World::new(2);
    let host = Host::new(&world);
    let taken = Path::parse("/devices/network/taken").unwrap();
    host.files
        .create_directory(&Credentials::root(), &taken, Mode::from_bits_truncate(0o755))
        .unwrap();
    let mounted =
        host.manager.register("taken", Box::new(devnet_drivers::Loopback::new(1500)), None);
    assert_eq!(mounted, Err(ManagerError::FailedToMountDevice(Error::AlreadyExists)));

    struct Broken;
    impl Entropy for Broken {
        fn fill(&self, _buffer: &mut [u8]) -> Result<(), &'static str> {
            Err("the noise is gone")
        }
    }
    impl Spawner for Broken {
        fn spawn(&self, _task: BoxFuture<'static, ()>) -> Result<(), &'static str> {
            Err("no room for tasks")
        }
    }
    let (dull, idle) = (
        Platform { entropy: Arc::new(Broken), ..world.platform() },
        Platform { spawner: Arc::new(Broken), ..world.platform() },
    );
    for (platform, expected) in [
        (dull, ManagerError::FailedToGenerateSeed("the noise is gone")),
        (idle, ManagerError::FailedToSpawn("no room for tasks")),
    ] {
        let files = VirtualFileSystem::new();
        let manager = Manager::new(files.clone(), platform).unwrap();
        for _ in 0..2 {
            // The second attempt fails for the same reason, not because the first left its name
            // behind.
            assert_eq!(
                manager.register("eth0", Box::new(devnet_drivers::Loopback::new(1500)), None),
                Err(expected)
            );
        }
        assert!(names(&files).is_empty() && manager.list().is_empty());
    }
    // A socket with no suitable interface.
    let manager = Manager::new(VirtualFileSystem::new(), world.platform()).unwrap();
    assert_eq!(manager.sockets_on("eth0").unwrap_err(), ManagerError::NotFound);
    assert_eq!(manager.unregister("eth0"), Err(ManagerError::NotFound));
}

#[test]
fn ifs_02_unregistering_ends_every_socket_and_every_open_file() {
    let world = World::new(3);
    let (left, right) = hosts(&world);
    world.run(async {
        let (client, _server) = connection(&left, &right, "10.0.0.2:80").await;
        let device = left.open("eth0");
        let bound = left.manager.sockets_on("eth0").unwrap();
        let listener = TcpListener::bind(&bound, "10.0.0.1:90".parse().unwrap(), 4).unwrap();
        let datagrams = UdpSocket::new(&bound);
        datagrams.bind("10.0.0.1:91".parse().unwrap()).unwrap();
        let waiting = world.spawn(async move {
            let mut buffer = [0; 8];
            (
                client.read(&mut buffer).await,
                listener.accept().await.map(|_| ()),
                datagrams.receive().await.map(|_| ()),
            )
        });
        world.sleep(Duration::from_millis(1)).await;
        left.manager.unregister("eth0").unwrap();
        let (read, accepted, received) = waiting.await;
        assert_eq!(read, Err(Error::NetworkDown));
        assert_eq!(accepted, Err(Error::NetworkDown));
        assert_eq!(received, Err(Error::NetworkDown));
        assert_eq!(device.try_control::<GetInterface>(&()), Err(Error::NoDevice));
        assert_eq!(names(&left.files), ["lo"]);
        assert_eq!(
            TcpStream::connect(&left.sockets(), "10.0.0.2:80").await.unwrap_err(),
            Error::NetworkUnreachable
        );
    });
}

#[test]
fn a_pulled_cable_is_seen_and_connections_survive_it() {
    let world = World::new(4);
    let (left_end, right_end) = devnet_drivers::cable(options());
    let plug = left_end.control();
    let left = Host::new(&world).with("eth0", left_end, &["10.0.0.1/24"]);
    let right = Host::new(&world).with("eth0", right_end, &["10.0.0.2/24"]);
    world.run(async {
        world.sleep(Duration::from_secs(2)).await;
        let (client, server) = connection(&left, &right, "10.0.0.2:80").await;
        plug.unplug();
        world.sleep(Duration::from_millis(1)).await;
        assert_eq!(
            left.control::<GetInterface>("eth0", &()).unwrap().link,
            devnet_network::driver::LinkState::Down
        );
        assert_eq!(
            left.control::<ListAddresses>("eth0", &())
                .unwrap()
                .iter()
                .filter(|entry| entry.prefix.address().is_ipv4())
                .count(),
            1
        );
        client.write_all(b"late").await.unwrap();
        world.sleep(Duration::from_secs(5)).await;
        plug.plug();
        let mut buffer = [0; 8];
        assert_eq!(server.read(&mut buffer).await.unwrap(), 4);
    });
}

#[test]
fn admin_down_keeps_the_configuration_and_up_restores_it() {
    let world = World::new(5);
    let (left, right) = hosts(&world);
    let device = left.open("eth0");
    left.write(&device, "route add default via 10.0.0.2").unwrap();
    let before = left.control::<ListRoutes>("eth0", &()).unwrap();
    left.write(&device, "link down").unwrap();
    assert!(left.control::<ListRoutes>("eth0", &()).unwrap().iter().all(|route| !route.usable));
    world.run(async {
        let refused = TcpStream::connect(&left.sockets(), "10.0.0.2:80").await;
        assert_eq!(refused.unwrap_err(), Error::NetworkUnreachable);
    });
    left.write(&device, "link up").unwrap();
    assert_eq!(left.control::<ListRoutes>("eth0", &()).unwrap(), before);
    world.run(async {
        connection(&left, &right, "10.0.0.2:80").await;
    });
}

#[test]
fn an_idle_interface_takes_no_turn() {
    let world = World::new(6);
    let (left, right) = hosts(&world);
    world.run(async {
        let (_client, _server) = connection(&left, &right, "10.0.0.2:80").await;
        let listener =
            TcpListener::bind(&left.sockets(), "0.0.0.0:99".parse().unwrap(), 4).unwrap();
        // What the handshake and router solicitations left runs out.
        world.sleep(Duration::from_secs(60)).await;
        let polls = |host: &Host| host.control::<GetStatistics>("eth0", &()).unwrap().polls;
        let before = (polls(&left), polls(&right), world.clock.sleepers());
        world.sleep(Duration::from_secs(24 * 3600)).await;
        assert_eq!((polls(&left), polls(&right), world.clock.sleepers()), before);
        drop(listener);
    });
}

/// Each connection arms delayed acknowledgments and retransmissions. What it leaves of them when it
/// ends woke both interfaces later, once for each connection.
#[test]
fn timers_of_ended_connections_wake_nobody() {
    let world = World::new(6);
    let (left, right) = hosts(&world);
    world.run(async {
        let listener = TcpListener::bind(&right.sockets(), "0.0.0.0:99".parse().unwrap(), 4);
        let listener = listener.unwrap();
        world.sleep(Duration::from_secs(60)).await;
        for _ in 0..100 {
            let client = TcpStream::connect(&left.sockets(), "10.0.0.2:99").await.unwrap();
            let server = listener.accept().await.unwrap();
            client.write(b"?").await.unwrap();
            server.read(&mut [0; 1]).await.unwrap();
            server.write(b"!").await.unwrap();
            client.read(&mut [0; 1]).await.unwrap();
            drop(client);
            assert_eq!(server.read(&mut [0; 1]).await.unwrap(), 0);
            drop(server);
            world.sleep(Duration::from_micros(100)).await;
        }
        let polls = |host: &Host| host.control::<GetStatistics>("eth0", &()).unwrap().polls;
        let before = (polls(&left), polls(&right));
        world.sleep(Duration::from_secs(1)).await;
        let taken = (polls(&left) - before.0, polls(&right) - before.1);
        assert!(taken.0 <= 3 && taken.1 <= 3, "{taken:?}");
    });
}

#[test]
fn a_removed_address_ends_its_connections() {
    let world = World::new(7);
    let (left, right) = hosts(&world);
    left.control::<AddAddress>(
        "eth0",
        &NewAddress { prefix: "10.0.0.11/24".parse().unwrap(), broadcast: None },
    )
    .unwrap();
    world.run(async {
        let (client, server) = connection(&left, &right, "10.0.0.2:80").await;
        server.write_all(b"before").await.unwrap();
        world.sleep(Duration::from_millis(20)).await;
        let device = left.open("eth0");
        left.write(&device, "address remove 10.0.0.1/24").unwrap();
        let mut buffer = [0; 16];
        assert_eq!(client.read(&mut buffer).await.unwrap(), 6);
        assert_eq!(client.read(&mut buffer).await, Err(Error::ConnectionAborted));
        assert_eq!(server.read(&mut buffer).await, Err(Error::ConnectionReset));
    });
}

/// Runs tasks until it is told to stop looking after them, as a device that hangs.
struct Hanging(Arc<dyn Spawner>, Arc<std::sync::atomic::AtomicBool>);

impl Spawner for Hanging {
    fn spawn(&self, mut task: BoxFuture<'static, ()>) -> Result<(), &'static str> {
        let hangs = Arc::clone(&self.1);
        self.0.spawn(Box::pin(std::future::poll_fn(move |context| {
            if hangs.load(std::sync::atomic::Ordering::Relaxed) {
                std::task::Poll::Pending
            } else {
                task.as_mut().poll(context)
            }
        })))
    }
}

#[test]
fn a_device_that_hangs_for_ever_keeps_no_connection_for_ever() {
    let world = World::new(8);
    let (left_end, right_end) = devnet_drivers::cable(options().capacity(16));
    let left = Host::new(&world).with("eth0", left_end, &["10.0.0.1/24"]);
    let hangs = Arc::new(std::sync::atomic::AtomicBool::new(false));
    let platform = world.platform();
    let platform = Platform {
        spawner: Arc::new(Hanging(Arc::clone(&platform.spawner), Arc::clone(&hangs))),
        ..platform
    };
    let files = VirtualFileSystem::new();
    let manager = Manager::new(files.clone(), platform).unwrap();
    let right = Host { files, manager }.with("eth0", right_end, &["10.0.0.2/24"]);
    world.run(async {
        let mut clients = Vec::new();
        let listener =
            TcpListener::bind(&right.sockets(), "10.0.0.2:80".parse().unwrap(), 64).unwrap();
        for _ in 0..40 {
            clients.push(TcpStream::connect(&left.sockets(), "10.0.0.2:80").await.unwrap());
        }
        // Idle long enough that no deadline of the handshake is left.
        world.sleep(Duration::from_secs(200)).await;
        hangs.store(true, std::sync::atomic::Ordering::Relaxed);
        for client in clients {
            client.try_write(&[0; 65536]).unwrap();
        }
        assert_eq!(left.open_sockets(), 40);
        world.sleep(Duration::from_secs(1000)).await;
        assert_eq!(left.open_sockets(), 0);
        drop(listener);
    });
}

#[test]
fn a_manager_that_nobody_has_any_more_leaves_nothing_behind() {
    /// A driver that tells when it is gone.
    struct Told(
        devnet_drivers::Loopback,
        #[expect(dead_code, reason = "counts its owners")] std::sync::Arc<()>,
    );
    impl devnet_network::driver::Driver for Told {
        fn capabilities(&self) -> devnet_network::driver::Capabilities {
            self.0.capabilities()
        }
        fn hardware_address(&self) -> Option<devnet_network::address::HardwareAddress> {
            None
        }
        fn set_hardware_address(
            &mut self,
            address: devnet_network::address::HardwareAddress,
        ) -> Result<(), devnet_network::driver::DriverError> {
            self.0.set_hardware_address(address)
        }
        fn link_state(&mut self) -> devnet_network::driver::LinkState {
            self.0.link_state()
        }
        fn receive(
            &mut self,
            pool: &mut devnet_network::driver::FramePool,
        ) -> Option<devnet_network::driver::Frame> {
            self.0.receive(pool)
        }
        fn can_transmit(&mut self) -> bool {
            self.0.can_transmit()
        }
        fn transmit(
            &mut self,
            frame: devnet_network::driver::Frame,
            pool: &mut devnet_network::driver::FramePool,
        ) -> Result<(), devnet_network::driver::Frame> {
            self.0.transmit(frame, pool)
        }
        fn register(&mut self, waker: &std::task::Waker, room: bool) {
            self.0.register(waker, room);
        }
    }
    let world = World::new(9);
    let alive = std::sync::Arc::new(());
    let files = VirtualFileSystem::new();
    let manager = Manager::new(files.clone(), world.platform()).unwrap();
    manager
        .register(
            "lo",
            Box::new(Told(devnet_drivers::Loopback::new(65535), std::sync::Arc::clone(&alive))),
            None,
        )
        .unwrap();
    let listener =
        devnet_network::TcpListener::bind(&manager.sockets(), "127.0.0.1:80".parse().unwrap(), 4)
            .unwrap();
    drop(manager);
    // A socket still needs it.
    assert_eq!((std::sync::Arc::strong_count(&alive), names(&files).len()), (2, 1));
    drop(listener);
    world.run(world.sleep(Duration::from_secs(1)));
    assert_eq!((std::sync::Arc::strong_count(&alive), names(&files).len()), (1, 0));
}
