//! Where every attack takes place: the host with its servers, an honest peer and an attacker, each
//! at a port of one switch.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use async_executor::Executor;
use devnet_drivers::{Impairment, Lan, LanPort};
use devnet_guest_programs::Programs;
use devnet_network::TcpListener;
use devnet_network::address::HardwareAddress;
use devnet_network::command::ListNeighbors;
use devnet_network::command::neighbor::NeighborState;
use devnet_network::platform::Clock;
use devnet_shell_commands::context::Files;
use devnet_shell_commands::http::server::Server;
use devnet_shell_commands::http::site::Site;
use devnet_shell_commands::sockets::Sockets;
use devnet_virtual_file_system::{
    Credentials, Disposer, File, Mode, OpenFlags, Path, VirtualFileSystem,
};
use world::{Host, World};

use crate::meter::Meter;

/// Stations.
pub(crate) const HOST: [u8; 6] = [2, 0, 0, 0, 0, 1];
const HONEST: [u8; 6] = [2, 0, 0, 0, 0, 2];
pub(crate) const ATTACKER: [u8; 6] = [2, 6, 6, 6, 6, 6];

/// The address by which the host reaches everybody who is not of its prefix.
const GATEWAY: &str = "10.0.0.66";
/// Bytes of `/page`, which honest peers fetch.
pub(crate) const PAGE: usize = 10_000;
/// Bytes of `/large`.
const LARGE: usize = 1 << 20;
/// The port of a server that sends for ever.
pub(crate) const ENDLESS: u16 = 81;
/// The port of a server that sends a little and closes at once.
pub(crate) const HASTY: u16 = 82;
/// The port of a peer's server that never reads.
pub(crate) const DEAF: u16 = 83;

/// What the host holds.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Accounts {
    pub(crate) sockets: usize,
    pub(crate) tcp_memory: usize,
    /// Neighbors under resolution.
    pub(crate) resolving: usize,
    /// Files, directories and bytes.
    pub(crate) stored: String,
    pub(crate) guests: usize,
}

/// The scene.
pub(crate) struct Scene {
    pub(crate) world: World,
    pub(crate) meter: Arc<Meter>,
    pub(crate) host: Host,
    pub(crate) honest: Host,
    pub(crate) programs: Programs,
    lan: Lan,
}

impl Scene {
    /// An honest peer so far away, with a cable of so many bits per second.
    pub(crate) fn new(round_trip: Duration, rate: u64) -> Self {
        let (world, programs) = (World::new(1), Programs::new());
        let platform = world.platform();
        let lan = Lan::new(Arc::clone(&platform.clock), 0);
        platform.spawner.spawn(Box::pin(lan.runner())).expect("a task");
        let meter = Arc::<Meter>::default();
        // A background thread, which has a processor of its own.
        let disposer: Disposer = {
            let meter = Arc::clone(&meter);
            Arc::new(move |large| meter.uncounted(|| drop(large)))
        };
        let host = Host::with_files(&world, VirtualFileSystem::with_disposer(disposer)).with(
            "eth0",
            lan.port(HardwareAddress(HOST), 1500),
            &["10.0.0.1/8", "fd00::1/64"],
        );
        let port = lan.port(HardwareAddress(HONEST), 1500);
        let impairment = Impairment::NONE.delay(round_trip / 2).rate(Some(rate));
        assert!(lan.set_impairment(port.number(), impairment));
        let honest = Host::new(&world).with("eth0", port, &["10.0.0.2/8", "fd00::2/64"]);
        let gateway = HardwareAddress(ATTACKER);
        host.write(
            &host.open("eth0"),
            &format!(
                "neighbor add {GATEWAY} {gateway}\nroute add default via {GATEWAY}\n\
                dns add {GATEWAY}"
            ),
        )
        .expect("a route");
        let scene = Self { world, meter, host, honest, programs, lan };
        scene.serve();
        scene.world.run(scene.world.sleep(Duration::from_secs(5)));
        scene.meter.worked();
        scene
    }

    /// The attacker's port of the switch.
    pub(crate) fn port(&self) -> LanPort {
        self.lan.port(HardwareAddress(ATTACKER), 1500)
    }

    /// Runs until the future ends; work takes time.
    pub(crate) fn run<T>(&self, future: impl Future<Output = T>) -> T {
        self.world.run_working(|| self.meter.worked(), future)
    }

    pub(crate) fn create(&self, path: &str) -> File {
        let flags = OpenFlags::READ | OpenFlags::WRITE | OpenFlags::CREATE;
        let path = Path::parse(path).expect("a path");
        let mode = Mode::from_octal(0o644);
        self.host.files.open(&Credentials::root(), &path, flags, mode).expect("a file")
    }

    pub(crate) fn create_directory(&self, path: &str) {
        let (path, mode) = (Path::parse(path).expect("a path"), Mode::from_octal(0o777));
        self.host.files.create_directory(&Credentials::root(), &path, mode).expect("a directory");
    }

    /// `httpd` and the servers beside it.
    fn serve(&self) {
        self.create_directory("/www");
        for (name, length) in [("/www/page", PAGE), ("/www/large", LARGE)] {
            let written = self.create(name).try_write(&vec![b'x'; length]);
            assert_eq!(written, Ok(length));
        }
        let platform = world::shell::platform(&self.world, self.programs.clone());
        let files = Files::new(self.host.files.clone(), Credentials::root()).expect("files");
        let site = Site::default().with_directory(files.clone(), "/www", &platform);
        let server = Server::new(site, platform, None);
        self.detach(async move {
            let any = SocketAddr::new(std::net::Ipv6Addr::UNSPECIFIED.into(), 80);
            let listener = Sockets::routed(&files).listen(any).await.expect("a listener");
            let _ = server.serve(&listener).await;
        });
        let listener = bind(&self.host, ENDLESS);
        self.detach(async move {
            while let Ok(stream) = listener.accept().await {
                let data = vec![7; 64 * 1024];
                while stream.write_all(&data).await.is_ok() {}
            }
        });
        let listener = bind(&self.host, HASTY);
        self.detach(async move {
            while let Ok(stream) = listener.accept().await {
                let _ = stream.try_write(&[7; 6000]);
            }
        });
        let listener = bind(&self.honest, DEAF);
        let clock = self.world.clock.clone();
        self.detach(async move {
            let programs = Executor::new();
            let accept = async {
                while let Ok(stream) = listener.accept().await {
                    // Its program goes after a second.
                    let end = clock.sleep_until(clock.now().after(Duration::from_secs(1)));
                    let keep = async move {
                        end.await;
                        drop(stream);
                    };
                    programs.spawn(keep).detach();
                }
            };
            programs.run(accept).await;
        });
    }

    fn detach(&self, future: impl Future<Output = ()> + Send + 'static) {
        self.world.spawn(future).detach();
    }

    /// What the host holds; asking is not counted as its work.
    pub(crate) fn accounts(&self) -> Accounts {
        self.meter.uncounted(|| {
            let neighbors = self.host.control::<ListNeighbors>("eth0", &()).expect("a list");
            Accounts {
                sockets: self.host.open_sockets(),
                tcp_memory: self.host.manager.tcp_memory().0,
                resolving: neighbors
                    .iter()
                    .filter(|neighbor| neighbor.state == NeighborState::Incomplete)
                    .count(),
                stored: format!("{:?}", self.host.files.stored()),
                guests: self.programs.list().len(),
            }
        })
    }
}

fn bind(host: &Host, port: u16) -> TcpListener {
    let any = SocketAddr::new(std::net::Ipv6Addr::UNSPECIFIED.into(), port);
    TcpListener::bind(&host.sockets(), any, 128).expect("a listener")
}
