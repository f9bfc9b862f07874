//! Link-local addresses with their zone, on a host with two links (RFC 4007 §6, §11; RFC 8106
//! §5.1).

use std::net::{Ipv6Addr, SocketAddr, SocketAddrV6};
use std::time::Duration;

use devnet_network::command::dns::{Question, RecordKind};
use devnet_network::command::interface::InterfaceStatus;
use devnet_network::command::neighbor::NewNeighbor;
use devnet_network::command::{AddNeighbor, GetInterface, ListDnsServers};
use devnet_network::driver::FramePool;
use devnet_network::{TcpListener, TcpStream, UdpSocket};
use devnet_virtual_file_system::Error;
use world::{Host, World};

use crate::names::{Asked, a};
use crate::pair::{HARDWARE, options};
use crate::station::{HOST_LINK, PEER_LINK, drain, frame, ndp, packets, udp};
use crate::wire::transmit;

const SHORT: Duration = Duration::from_millis(20);

/// A host with two links; the test is at the other ends, as fe80::9 on both.
struct Links<'a> {
    world: &'a World,
    host: Host,
    hands: [devnet_drivers::Cable; 2],
    pool: FramePool,
}

impl<'a> Links<'a> {
    fn new(world: &'a World) -> Self {
        let (first, one) = devnet_drivers::cable(options());
        let (second, other) = devnet_drivers::cable(options());
        let host = Host::new(world).with("eth0", first, &[]).with("eth1", second, &[]);
        for name in ["eth0", "eth1"] {
            let new = NewNeighbor { address: PEER_LINK.into(), hardware_address: HARDWARE.1 };
            host.control::<AddNeighbor>(name, &new).unwrap();
        }
        let mut links = Self { world, host, hands: [one, other], pool: FramePool::new() };
        for _ in 0..100 {
            links.after(Duration::from_millis(200));
        }
        links
    }

    fn index(&self, link: usize) -> u32 {
        let name = ["eth0", "eth1"][link];
        let InterfaceStatus { index, .. } = self.host.control::<GetInterface>(name, &()).unwrap();
        index
    }

    /// fe80::9 on a link.
    fn peer(&self, link: usize, port: u16) -> SocketAddr {
        SocketAddrV6::new(PEER_LINK, port, 0, self.index(link)).into()
    }

    /// The IPv6 packets to fe80::9 that left meanwhile on both links.
    fn after(&mut self, time: Duration) -> [Vec<Vec<u8>>; 2] {
        self.world.run(self.world.sleep(time));
        let pool = &mut self.pool;
        self.hands.each_mut().map(|hand| {
            let mut all = packets(drain(hand, pool));
            all.retain(|packet| packet[0] >> 4 == 6 && packet[24..40] == PEER_LINK.octets());
            all
        })
    }

    fn send(&mut self, link: usize, packet: &[u8]) {
        transmit(&mut self.hands[link], &frame(HARDWARE.0.0, packet));
    }

    /// How many packets left on each link.
    fn counts(&mut self) -> [usize; 2] {
        self.after(SHORT).map(|all| all.len())
    }
}

#[test]
fn a_zone_decides_where_datagrams_and_streams_leave() {
    let world = World::new(1);
    let mut links = Links::new(&world);
    let sockets = links.host.sockets();
    let socket = UdpSocket::new(&sockets);
    for (link, expected) in [(1, [0, 1]), (0, [1, 0]), (1, [0, 1])] {
        let to = links.peer(link, 7);
        world.run(socket.send_to(b"x", to)).unwrap();
        assert_eq!(links.counts(), expected);
        let connected = UdpSocket::new(&sockets);
        connected.connect(to).unwrap();
        assert_eq!(connected.peer_addr(), Some(to));
        world.run(connected.send(b"x")).unwrap();
        assert_eq!(links.counts(), expected);
        let begun = sockets.clone();
        let task = world.spawn(async move { TcpStream::connect(&begun, to).await.map(drop) });
        assert_eq!(links.counts(), expected);
        drop(task);
        links.after(SHORT);
    }
    // An interface that is not there, or another than the socket's.
    let nowhere = SocketAddrV6::new(PEER_LINK, 7, 0, 99).into();
    assert_eq!(world.run(socket.send_to(b"x", nowhere)), Err(Error::NoDevice));
    assert_eq!(UdpSocket::new(&sockets).connect(nowhere), Err(Error::NoDevice));
    let stream = world.run(TcpStream::connect(&sockets, nowhere));
    assert_eq!(stream.map(drop), Err(Error::NoDevice));
    let on_first = links.host.manager.sockets_on("eth0").unwrap();
    let second = links.peer(1, 7);
    assert_eq!(UdpSocket::new(&on_first).connect(second), Err(Error::InvalidInput));
    let stream = world.run(TcpStream::connect(&on_first, second));
    assert_eq!(stream.map(drop), Err(Error::InvalidInput));
    // Without a zone a link-local address is on some link, as before.
    world.run(socket.send_to(b"x", SocketAddr::new(PEER_LINK.into(), 7))).unwrap();
    assert_eq!(links.counts().iter().sum::<usize>(), 1);
}

#[test]
fn what_comes_from_a_link_local_address_has_its_zone() {
    let world = World::new(2);
    let mut links = Links::new(&world);
    let socket = UdpSocket::new(&links.host.sockets());
    socket.bind("[::]:7".parse().unwrap()).unwrap();
    let connected = UdpSocket::new(&links.host.sockets());
    connected.connect(links.peer(1, 9)).unwrap();
    let port = connected.local_addr().unwrap().port();
    for link in [1, 0] {
        let from = SocketAddr::new(PEER_LINK.into(), 9);
        links.send(link, &udp(from, SocketAddr::new(HOST_LINK.into(), 7), b"x"));
        let message = world.run(socket.receive()).unwrap();
        assert_eq!(message.remote, links.peer(link, 9));
        // So an answer goes back where it came from.
        world.run(socket.send_to(b"y", message.remote)).unwrap();
        assert_eq!(links.counts()[link], 1);
        // A connected socket hears its peer on its link only.
        links.send(link, &udp(from, SocketAddr::new(HOST_LINK.into(), port), b"x"));
        links.after(SHORT);
        let mut buffer = [0; 9];
        let taken = connected.try_receive_message(&mut buffer).map(|info| info.remote);
        assert_eq!(taken.ok(), (link == 1).then(|| links.peer(1, 9)));
    }
}

#[test]
fn streams_know_their_zone() {
    let world = World::new(3);
    let (left, right) = crate::pair::hosts(&world);
    let address: Ipv6Addr = "fe80::ff:fe00:2".parse().unwrap();
    let listener = TcpListener::bind(&right.sockets(), "[::]:80".parse().unwrap(), 4).unwrap();
    let index = left.control::<GetInterface>("eth0", &()).unwrap().index;
    let to = SocketAddrV6::new(address, 80, 0, index).into();
    world.run(async {
        let client = TcpStream::connect(&left.sockets(), to).await.unwrap();
        let server = listener.accept().await.unwrap();
        assert_eq!(client.peer_addr(), to);
        let index = right.control::<GetInterface>("eth0", &()).unwrap().index;
        let back = SocketAddrV6::new("fe80::ff:fe00:1".parse().unwrap(), 0, 0, index);
        let SocketAddr::V6(remote) = server.peer_addr() else { panic!("IPv6") };
        assert_eq!((*remote.ip(), remote.scope_id()), (*back.ip(), back.scope_id()));
    });
}

/// Advertises fe80::9 as name server on a link.
fn advertise(links: &mut Links<'_>, link: usize, lifetime: u8) {
    let server = [&[25, 3, 0, 0, 0, 0, 0, lifetime][..], &PEER_LINK.octets()].concat();
    let all_nodes = Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 1);
    let packet = ndp(PEER_LINK, all_nodes, 134, [0; 4], &[&[0; 8][..], &server].concat());
    let bytes = frame([0x33, 0x33, 0, 0, 0, 1], &packet);
    transmit(&mut links.hands[link], &bytes);
    links.after(SHORT);
}

#[test]
fn link_local_dns_server_on_one_of_two_interfaces() {
    let world = World::new(4);
    let mut links = Links::new(&world);
    advertise(&mut links, 1, 200);
    let sockets = links.host.sockets();
    let question = Question { name: "web.test".into(), kind: RecordKind::A, server: None };
    let task = world.spawn(async move { sockets.resolver().resolve(&question).await });
    let [first, second] = links.after(SHORT);
    assert_eq!((first.len(), second.len()), (0, 1));
    let query = Asked::new(&second[0][48..]);
    let port = u16::from_be_bytes([second[0][40], second[0][41]]);
    let response = query.respond(0, &[a("web.test", 9)]);
    let (from, to) =
        (SocketAddr::new(PEER_LINK.into(), 53), SocketAddr::new(HOST_LINK.into(), port));
    links.send(1, &udp(from, to, &response));
    let answer = world.run(task).unwrap();
    assert_eq!(answer.server, Some(links.peer(1, 53)));
    // The same address on both links is two servers; each is asked on its own.
    advertise(&mut links, 0, 200);
    links.host.write(&links.host.open("sockets"), "dns flush").unwrap();
    let listed = |links: &Links<'_>, name: &str| {
        links.host.control::<ListDnsServers>(name, &()).unwrap().len()
    };
    assert_eq!((listed(&links, "eth0"), listed(&links, "eth1")), (1, 1));
    let sockets = links.host.sockets();
    let question = Question { name: "web.test".into(), kind: RecordKind::A, server: None };
    let task = world.spawn(async move { sockets.resolver().resolve(&question).await });
    let mut sums = [0, 0];
    for _ in 0..12 {
        let counts = links.after(Duration::from_millis(250)).map(|all| all.len());
        sums = [sums[0] + counts[0], sums[1] + counts[1]];
    }
    assert!(sums[0] > 0 && sums[1] > 0, "{sums:?}");
    drop(task);
    // A lifetime of 0 removes the one of its link.
    advertise(&mut links, 1, 0);
    assert_eq!((listed(&links, "eth0"), listed(&links, "eth1")), (1, 0));
}

#[test]
fn zones_in_lines_of_text() {
    let world = World::new(5);
    let mut links = Links::new(&world);
    for (name, expected) in [("eth1", [0, 1]), ("eth0", [1, 0])] {
        let device = links.host.open("sockets");
        let line = format!("socket tcp\nconnect [fe80::9%{name}]:7\n");
        let file = device.clone();
        let task = world.spawn(async move { file.write_all(line.as_bytes()).await });
        assert_eq!(links.counts(), expected);
        drop(task);
        drop(device);
        links.after(SHORT);
    }
    let device = links.host.open("sockets");
    links.host.write(&device, "socket tcp").unwrap();
    let connect = |text: &str| world.run(device.write_all(text.as_bytes()));
    assert_eq!(connect("connect [fe80::9%nope]:7\n"), Err(Error::NoDevice));
    assert_eq!(connect("connect 10.0.0.1%eth1:7\n"), Err(Error::InvalidInput));
    assert_eq!(connect("connect [fe80::9%]:7\n"), Err(Error::InvalidInput));
    assert_eq!(connect("bind [fe80::ff:fe00:1%eth1]:80\n"), Ok(()));
}
