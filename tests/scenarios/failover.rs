//! Two ways to the same peer, and one of them goes: what sockets do, and which host model answers.

use std::net::SocketAddr;
use std::time::Duration;

use devnet_drivers::CableControl;
use devnet_network::command::system::{HostModel, SystemOption};
use devnet_network::command::{ListSystemOptions, SetSystemOption};
use devnet_network::{Sockets, TcpListener, TcpStream, UdpSocket};
use devnet_virtual_file_system::Error;
use world::{Host, World};

use crate::pair::options;

const PEER: &str = "192.0.2.9:7";

/// A host with two cables to a peer, whose address both reach: the first with the better metric.
struct Paths {
    host: Host,
    peer: Host,
    plug: CableControl,
}

fn paths(world: &World) -> Paths {
    let (first, first_peer) = devnet_drivers::cable(options());
    let (second, second_peer) = devnet_drivers::cable(options());
    let plug = first.control();
    let host = Host::new(world).with("eth0", first, &["10.0.0.1/24"]).with(
        "eth1",
        second,
        &["10.0.1.1/24"],
    );
    let peer = Host::new(world).with("eth0", first_peer, &["10.0.0.2/24", "192.0.2.9/32"]).with(
        "eth1",
        second_peer,
        &["10.0.1.2/24", "192.0.2.9/32"],
    );
    world.run(world.sleep(Duration::from_secs(3)));
    host.write(&host.open("eth0"), "route add 192.0.2.9/32 via 10.0.0.2 metric 10").unwrap();
    host.write(&host.open("eth1"), "route add 192.0.2.9/32 via 10.0.1.2 metric 20").unwrap();
    Paths { host, peer, plug }
}

impl Paths {
    /// Takes the link of the first path away: its carrier, or the interface.
    fn cut(&self, by_carrier: bool) {
        if by_carrier {
            self.plug.unplug();
        } else {
            self.host.write(&self.host.open("eth0"), "link down").unwrap();
        }
    }

    fn mend(&self, by_carrier: bool) {
        if by_carrier {
            self.plug.plug();
        } else {
            self.host.write(&self.host.open("eth0"), "link up").unwrap();
        }
    }
}

/// A socket of the peer at the port to which the host sends.
fn receiver(sockets: &Sockets) -> UdpSocket {
    let receiver = UdpSocket::new(sockets);
    receiver.bind("0.0.0.0:7".parse().unwrap()).unwrap();
    receiver
}

async fn source_of_next(world: &World, receiver: &UdpSocket) -> SocketAddr {
    let mut buffer = [0; 16];
    let timeout = async {
        world.sleep(Duration::from_secs(5)).await;
        panic!("no datagram came");
    };
    futures_lite::future::or(async { receiver.receive_from(&mut buffer).await.unwrap().1 }, timeout)
        .await
}

/// A connected socket keeps its address, by which its peer knows it: it has no way while the link
/// of that address is gone, and says so. A socket without a peer takes the other path at once.
#[test]
fn when_a_link_goes_connected_sockets_say_so_and_others_take_the_other_path() {
    for carrier in [true, false] {
        let world = World::new(1);
        let paths = paths(&world);
        let Paths { host, peer, .. } = &paths;
        world.run(async {
            let receiver = receiver(&peer.sockets());
            let (connected, free) =
                (UdpSocket::new(&host.sockets()), UdpSocket::new(&host.sockets()));
            let to = PEER.parse().unwrap();
            connected.connect(to).unwrap();
            connected.send(b"one").await.unwrap();
            assert_eq!(source_of_next(&world, &receiver).await.ip().to_string(), "10.0.0.1");
            free.send_to(b"two", to).await.unwrap();
            assert_eq!(source_of_next(&world, &receiver).await.ip().to_string(), "10.0.0.1");
            paths.cut(carrier);
            world.sleep(Duration::from_millis(10)).await;
            assert_eq!(connected.send(b"three").await, Err(Error::NetworkUnreachable));
            free.send_to(b"four", to).await.unwrap();
            assert_eq!(source_of_next(&world, &receiver).await.ip().to_string(), "10.0.1.1");
            // Who connects now gets the address of the path that is there.
            let again = UdpSocket::new(&host.sockets());
            again.connect(to).unwrap();
            again.send(b"five").await.unwrap();
            assert_eq!(source_of_next(&world, &receiver).await.ip().to_string(), "10.0.1.1");
        });
    }
}

#[test]
fn a_datagram_never_leaves_with_ok_into_a_link_that_is_gone() {
    for carrier in [true, false] {
        let world = World::new(1);
        let paths = paths(&world);
        let Paths { host, peer, .. } = &paths;
        world.run(async {
            let receiver = receiver(&peer.sockets());
            // One is bound to the interface, one to its address, one has no other path.
            let bound = UdpSocket::new(&host.manager.sockets_on("eth0").unwrap());
            let at = UdpSocket::new(&host.sockets());
            at.bind("10.0.0.1:99".parse().unwrap()).unwrap();
            let alone = UdpSocket::new(&host.sockets());
            host.write(&host.open("eth1"), "route remove 192.0.2.9/32").unwrap();
            for socket in [&bound, &at, &alone] {
                socket.connect(PEER.parse().unwrap()).unwrap();
                socket.send(b"one").await.unwrap();
                assert_eq!(source_of_next(&world, &receiver).await.ip().to_string(), "10.0.0.1");
            }
            paths.cut(carrier);
            world.sleep(Duration::from_millis(10)).await;
            for (name, socket) in [("bound", &bound), ("at", &at), ("alone", &alone)] {
                let sent = socket.send(b"two").await;
                assert_eq!(sent, Err(Error::NetworkUnreachable), "{name} {carrier}");
            }
            paths.mend(carrier);
            world.sleep(Duration::from_millis(10)).await;
            for socket in [&bound, &at, &alone] {
                socket.send(b"three").await.unwrap();
                assert_eq!(source_of_next(&world, &receiver).await.ip().to_string(), "10.0.0.1");
            }
        });
    }
}

/// The strong host model: an address belongs to its interface. A packet to it that comes by another
/// one is dropped and counted, and a bound stream leaves by no other.
#[test]
fn an_address_belongs_to_its_interface() {
    let world = World::new(1);
    let Paths { host, peer, .. } = paths(&world);
    world.run(async {
        // The peer sends to the first address by the second cable.
        peer.write(&peer.open("eth1"), "route add 10.0.0.1/32 via 10.0.1.1").unwrap();
        let receiver = receiver(&host.sockets());
        let second = UdpSocket::new(&peer.manager.sockets_on("eth1").unwrap());
        let drops = || {
            let statistics =
                host.open("eth1").try_control::<devnet_network::command::GetStatistics>(&());
            statistics.unwrap().received_drops.not_for_us
        };
        let before = drops();
        second.send_to(b"stray", "10.0.0.1:7".parse().unwrap()).await.unwrap();
        world.sleep(Duration::from_secs(1)).await;
        assert!(receiver.try_receive_from(&mut [0; 8]).is_err());
        assert_eq!(drops() - before, 1);
        // The better route is that of the first interface; the address is the second's.
        let listener = TcpListener::bind(&peer.sockets(), "0.0.0.0:80".parse().unwrap(), 4);
        let listener = listener.unwrap();
        let (sockets, settings) = (host.sockets(), devnet_network::TcpSettings::default());
        let stream = TcpStream::connect_with(
            &sockets,
            Some("10.0.1.1:0".parse().unwrap()),
            "192.0.2.9:80",
            &settings,
        );
        let (stream, accepted) = futures_lite::future::zip(stream, listener.accept()).await;
        drop(stream.unwrap());
        assert_eq!(accepted.unwrap().peer_addr().ip().to_string(), "10.0.1.1");
    });
}

/// The path MTU asks for the route of the socket's own address. What it found is remembered, and
/// the next datagram left by the better route of another interface.
#[test]
fn the_path_mtu_of_a_bound_socket_is_that_of_its_interface() {
    let world = World::new(1);
    let Paths { host, peer, .. } = paths(&world);
    world.run(async {
        let receiver = receiver(&peer.manager.sockets_on("eth1").unwrap());
        let socket = UdpSocket::new(&host.sockets());
        socket.bind("10.0.1.1:99".parse().unwrap()).unwrap();
        socket.connect(PEER.parse().unwrap()).unwrap();
        // Routes that are remembered are of the past now.
        host.write(&host.open("eth0"), "mtu 1400\nroute add 198.51.100.0/24 via 10.0.0.2").unwrap();
        assert_eq!(socket.path_mtu(), Ok(1500));
        socket.send(b"one").await.unwrap();
        assert_eq!(source_of_next(&world, &receiver).await.to_string(), "10.0.1.1:99");
    });
}

/// The weak host model: packets to an address of the host may come by any interface, and what a
/// socket sends from one takes the best route, whoever has the address.
#[test]
fn in_the_weak_host_model_an_address_belongs_to_the_host() {
    let world = World::new(1);
    let Paths { host, peer, .. } = paths(&world);
    host.write(&host.open("sockets"), "system host-model weak").unwrap();
    world.run(async {
        // On the link of the second cable, so that the peer asks for it there.
        peer.write(&peer.open("eth1"), "route add 10.0.0.1/32").unwrap();
        let on_second = peer.manager.sockets_on("eth1").unwrap();
        let echo = UdpSocket::new(&host.sockets());
        echo.bind("10.0.0.1:7".parse().unwrap()).unwrap();
        let second = UdpSocket::new(&on_second);
        let to = "10.0.0.1:7".parse().unwrap();
        second.connect(to).unwrap();
        second.send(b"question").await.unwrap();
        let from = source_of_next(&world, &echo).await;
        assert_eq!(from.ip().to_string(), "10.0.1.2");
        echo.send_to(b"answer", from).await.unwrap();
        assert_eq!(source_of_next(&world, &second).await.ip().to_string(), "10.0.0.1");
        // A stream to a listener at the address of the other interface.
        let at = "10.0.0.1:80".parse().unwrap();
        let listener = TcpListener::bind(&host.sockets(), at, 4).unwrap();
        let stream = TcpStream::connect(&on_second, "10.0.0.1:80");
        let (stream, accepted) = futures_lite::future::zip(stream, listener.accept()).await;
        let (stream, accepted) = (stream.unwrap(), accepted.unwrap());
        stream.write_all(b"ping").await.unwrap();
        let mut buffer = [0; 4];
        accepted.read(&mut buffer).await.unwrap();
        accepted.write_all(&buffer).await.unwrap();
        stream.read(&mut buffer).await.unwrap();
        assert_eq!(&buffer, b"ping");
        // From the address of the second interface by the better route of the first.
        let receiver = receiver(&peer.manager.sockets_on("eth0").unwrap());
        let bound = UdpSocket::new(&host.sockets());
        bound.bind("10.0.1.1:99".parse().unwrap()).unwrap();
        bound.send_to(b"one", PEER.parse().unwrap()).await.unwrap();
        assert_eq!(source_of_next(&world, &receiver).await.to_string(), "10.0.1.1:99");
    });
}

#[test]
fn the_host_model_is_an_option_of_the_system() {
    let world = World::new(1);
    let Paths { host, .. } = paths(&world);
    let sockets = host.open("sockets");
    let options = || sockets.try_control::<ListSystemOptions>(&()).unwrap();
    assert_eq!(options(), [SystemOption::HostModel(HostModel::Strong)]);
    let weak = SystemOption::HostModel(HostModel::Weak);
    assert_eq!(sockets.try_control::<SetSystemOption>(&weak), Ok(true));
    assert_eq!(sockets.try_control::<SetSystemOption>(&weak), Ok(false));
    assert_eq!(options(), [weak]);
    let mut text = [0; 4096];
    let length = world.run(sockets.read(&mut text)).unwrap();
    assert!(String::from_utf8_lossy(&text[..length]).contains("system host-model weak\n"));
    let eth0 = host.open("eth0");
    assert_eq!(eth0.try_control::<SetSystemOption>(&weak), Err(Error::Unsupported));
    assert_eq!(eth0.try_control::<ListSystemOptions>(&()), Err(Error::Unsupported));
}
