//! What the network says of packets to the crate `log`, word by word.
//!
//! A program of its own: there is one logger per process. Each test has a thread and a world, so
//! each finds its own messages.

use std::cell::RefCell;
use std::net::SocketAddr;
use std::sync::{Arc, Once};
use std::time::Duration;

use devnet_drivers::Lan;
use devnet_guest_programs::Programs;
use devnet_network::address::HardwareAddress;
use devnet_network::command::dns::{Question, RecordKind};
use devnet_network::command::socket::SocketKind;
use devnet_network::command::{AwaitDhcp, Bind, Connect, CreateSocket, Resolve};
use devnet_network::{Sockets, UdpSocket};
use devnet_shell_commands::embedded::{self, Network};
use devnet_virtual_file_system::Error;
use log::{Level, LevelFilter, Log, Metadata, Record};
use world::{Host, World};

thread_local! {
    static MESSAGES: RefCell<Vec<(Level, String, String)>> = const { RefCell::new(Vec::new()) };
}

struct Collector;

impl Log for Collector {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &Record<'_>) {
        let message = (record.level(), record.target().to_owned(), record.args().to_string());
        MESSAGES.with_borrow_mut(|messages| messages.push(message));
    }

    fn flush(&self) {}
}

/// Takes what was said since the last call.
fn said() -> Vec<(Level, String, String)> {
    MESSAGES.with_borrow_mut(std::mem::take)
}

#[track_caller]
fn expect(said: &[(Level, String, String)], level: Level, target: &str, message: &str) {
    let found = said.iter().any(|(other_level, other_target, text)| {
        (*other_level, other_target.as_str(), text.as_str()) == (level, target, message)
    });
    assert!(found, "{level} {target} {message:?} is missing in {said:#?}");
}

/// A host on the embedded network, without an address.
struct Scene {
    world: World,
    host: Host,
    lan: Lan,
    port: devnet_drivers::PortNumber,
    network: Network,
}

impl Scene {
    fn new() -> Self {
        static LOGGER: Once = Once::new();
        LOGGER.call_once(|| {
            log::set_logger(&Collector).expect("the first logger");
            log::set_max_level(LevelFilter::Trace);
        });
        let world = World::new(1);
        let platform = world::shell::platform(&world, Programs::new());
        let lan = Lan::new(Arc::clone(&platform.clock), 0);
        platform.spawner.spawn(Box::pin(lan.runner())).expect("a task");
        let connect = |address| Box::new(lan.port(address, 1500)) as _;
        let network = world.run(embedded::start(&platform, connect)).expect("the network");
        let port = lan.port(HardwareAddress([2, 0, 0, 0, 0, 1]), 1500);
        let number = port.number();
        let host = Host::new(&world).with("eth0", port, &[]);
        Self { world, host, lan, port: number, network }
    }

    /// With the address 10.0.2.50.
    fn configured() -> Self {
        let scene = Self::new();
        let device = scene.host.open("eth0");
        scene.host.write(&device, "address add 10.0.2.50/24").expect("an address");
        scene.world.run(scene.world.sleep(Duration::from_secs(3)));
        said();
        scene
    }

    fn sleep(&self, time: Duration) {
        self.world.run(self.world.sleep(time));
    }
}

fn bound(sockets: &Sockets, local: SocketAddr) -> UdpSocket {
    let socket = UdpSocket::new(sockets);
    socket.bind(local).expect("a free port");
    socket
}

#[test]
fn interfaces_and_their_links() {
    let scene = Scene::configured();
    let device = scene.host.open("eth0");
    scene.host.write(&device, "link down\nlink up\nmtu 1400").expect("commands");
    assert!(scene.lan.set_link(scene.port, false));
    scene.sleep(Duration::from_millis(1));
    let said = said();
    for message in ["eth0: down", "eth0: up", "eth0: MTU 1400", "eth0: link down"] {
        expect(&said, Level::Info, "devnet::interface", message);
    }
}

#[test]
fn a_packet_that_nobody_takes() {
    let scene = Scene::configured();
    let local: SocketAddr = "10.0.2.50:4000".parse().unwrap();
    scene.world.run(async {
        let socket = bound(&scene.host.sockets(), local);
        socket.send_to(b"?", "10.0.2.4:9".parse().unwrap()).await.expect("sent");
        scene.world.sleep(Duration::from_secs(1)).await;
    });
    let said = said();
    let message = "web: dropped, no-socket: from 10.0.2.50:4000 to 10.0.2.4:9";
    expect(&said, Level::Debug, "devnet::udp", message);
    let message = "eth0: neighbor 10.0.2.4 is reachable at 02:00:0a:00:02:04";
    expect(&said, Level::Debug, "devnet::neighbor", message);
}

#[test]
fn a_neighbor_that_does_not_answer() {
    let scene = Scene::configured();
    scene.world.run(async {
        let local = "10.0.2.50:4000".parse().unwrap();
        let socket = bound(&scene.host.sockets(), local);
        socket.send_to(b"?", "10.0.2.99:9".parse().unwrap()).await.expect("sent");
        scene.world.sleep(Duration::from_secs(5)).await;
    });
    let said = said();
    let message = "eth0: dropped, neighbor-unreachable: 10.0.2.99 does not answer, 29 bytes";
    expect(&said, Level::Debug, "devnet::neighbor", message);
    expect(&said, Level::Debug, "devnet::neighbor", "eth0: neighbor 10.0.2.99 is failed");
}

#[test]
fn a_lease_and_its_end() {
    let scene = Scene::new();
    let device = scene.host.open("eth0");
    scene.host.write(&device, "dhcp start").expect("started");
    let wait = device.control::<AwaitDhcp>(&20_000);
    scene.world.run(wait).expect("a lease");
    scene.sleep(Duration::from_secs(5));
    let lease = said();
    expect(&lease, Level::Info, "devnet::dhcp", "eth0: 10.0.2.2 offers 10.0.2.15");
    let message = "eth0: lease of 10.0.2.15/24 from 10.0.2.2 for 3600 s";
    expect(&lease, Level::Info, "devnet::dhcp", message);
    let message = "eth0: advertisement of fe80::aff:fe00:202, default router for 1800 s";
    expect(&lease, Level::Debug, "devnet::router", message);
    scene.host.write(&device, "dhcp stop").expect("stopped");
    expect(&said(), Level::Info, "devnet::dhcp", "eth0: lease of 10.0.2.15/24 is gone");
}

#[test]
fn a_name_server_that_refuses() {
    let scene = Scene::configured();
    let server: SocketAddr = "10.0.2.4:53".parse().unwrap();
    let refusing = bound(&scene.network.web.manager.sockets(), server);
    let serving = scene.world.spawn(async move {
        while let Ok(mut query) = refusing.receive().await {
            // A response, recursion available, REFUSED.
            query.data[2..4].copy_from_slice(&[0x81, 0x85]);
            let _ = refusing.send_to(&query.data, query.remote).await;
        }
    });
    serving.detach();
    let question = Question { name: "x.lan.".into(), kind: RecordKind::A, server: Some(server) };
    let device = scene.host.open("sockets");
    let answer = scene.world.run(device.control::<Resolve>(&question));
    assert_eq!(answer.map(|answer| answer.records), Err(Error::ConnectionRefused));
    let said = said();
    for message in [
        "x.lan: 10.0.2.4:53 is asked",
        "10.0.2.4:53 answers REFUSED",
        "x.lan: 10.0.2.4:53 fails, Connection refused",
    ] {
        expect(&said, Level::Debug, "devnet::dns", message);
    }
}

#[test]
fn a_connection_that_is_reset() {
    let scene = Scene::configured();
    let stream = scene.host.open("eth0");
    stream.try_control::<CreateSocket>(&SocketKind::Tcp).expect("a socket");
    stream.try_control::<Bind>(&"10.0.2.50:4001".parse().unwrap()).expect("an address");
    let refused = scene.world.run(stream.control::<Connect>(&"10.0.2.4:81".parse().unwrap()));
    assert_eq!(refused, Err(Error::ConnectionRefused));
    let said = said();
    let connection = "10.0.2.4:81 - 10.0.2.50:4001";
    for message in [
        &format!("web: dropped, no-socket: a segment, {connection}"),
        &format!("web: reset sent, {connection}"),
        "eth0: Connection refused, 10.0.2.50:4001 - 10.0.2.4:81",
    ] {
        expect(&said, Level::Debug, "devnet::tcp", message);
    }
}
