//! UDP and ICMP echo between hosts.

use std::time::Duration;

use devnet_network::command::GetStatistics;
use devnet_network::{IcmpSocket, RawSocket, UdpSocket};
use devnet_virtual_file_system::Error;
use futures_lite::future;
use world::World;

use crate::pair::{hosts, pattern};

#[test]
fn datagrams_of_every_size_arrive_whole_and_large_ones_in_fragments() {
    let world = World::new(1);
    let (left, right) = hosts(&world);
    for (local, remote) in [("0.0.0.0:0", "10.0.0.2:7"), ("[::]:0", "[fd00::2]:7")] {
        world.run(async {
            let receiver = UdpSocket::new(&right.sockets());
            receiver.bind(remote.parse().unwrap()).unwrap();
            let sender = UdpSocket::new(&left.sockets());
            let bound = sender.bind(local.parse().unwrap()).unwrap();
            assert_ne!(bound.port(), 0);
            for size in [0, 1, 1400, 1472, 1473, 3000, 9000, 40_000, 65_000] {
                let data = pattern(size);
                sender.send_to(&data, remote.parse().unwrap()).await.unwrap();
                let message = receiver.receive().await.unwrap();
                assert!(message.data == data, "{size} bytes to {remote}");
                assert_eq!(message.remote.port(), bound.port());
                assert_eq!(message.local, remote.parse().unwrap());
            }
            assert_eq!(
                sender.send_to(&pattern(65_536), remote.parse().unwrap()).await,
                Err(Error::MessageTooLong)
            );
        });
    }
}

#[test]
fn a_short_buffer_truncates_and_two_sockets_cannot_share_a_port() {
    let world = World::new(2);
    let (left, right) = hosts(&world);
    world.run(async {
        let receiver = UdpSocket::new(&right.sockets());
        receiver.bind("0.0.0.0:7".parse().unwrap()).unwrap();
        assert_eq!(
            UdpSocket::new(&right.sockets()).bind("10.0.0.2:7".parse().unwrap()),
            Err(Error::AddressInUse)
        );
        let sender = UdpSocket::new(&left.sockets());
        sender.send_to(b"0123456789", "10.0.0.2:7".parse().unwrap()).await.unwrap();
        sender.send_to(b"next", "10.0.0.2:7".parse().unwrap()).await.unwrap();
        let mut buffer = [0; 4];
        assert_eq!(receiver.receive_from(&mut buffer).await.unwrap().0, 4);
        assert_eq!(receiver.receive_from(&mut buffer).await.unwrap().0, 4);
        assert_eq!(&buffer, b"next");
    });
}

#[test]
fn ice_05_a_connected_socket_hears_of_a_closed_port_and_an_unconnected_one_does_not() {
    let world = World::new(3);
    let (left, _right) = hosts(&world);
    world.run(async {
        let connected = UdpSocket::new(&left.sockets());
        connected.connect("10.0.0.2:9".parse().unwrap()).unwrap();
        connected.send(b"x").await.unwrap();
        assert_eq!(connected.receive().await.unwrap_err(), Error::ConnectionRefused);
        let unconnected = UdpSocket::new(&left.sockets());
        unconnected.send_to(b"x", "10.0.0.2:9".parse().unwrap()).await.unwrap();
        world.sleep(Duration::from_secs(1)).await;
        assert!(future::poll_once(unconnected.receive()).await.is_none());
        assert_eq!(unconnected.send(b"x").await, Err(Error::NotConnected));
    });
}

#[test]
fn broadcast_needs_permission_and_reaches_every_wildcard_socket() {
    let world = World::new(4);
    let (left, right) = hosts(&world);
    world.run(async {
        let receiver = UdpSocket::new(&right.sockets());
        receiver.bind("0.0.0.0:7".parse().unwrap()).unwrap();
        let sender = UdpSocket::new(&left.sockets());
        for to in ["10.0.0.255:7", "255.255.255.255:7"] {
            sender.set_broadcast(false);
            assert_eq!(
                sender.send_to(b"all", to.parse().unwrap()).await,
                Err(Error::AccessDenied),
                "{to}"
            );
            sender.set_broadcast(true);
            sender.send_to(b"all", to.parse().unwrap()).await.unwrap();
            assert_eq!(receiver.receive().await.unwrap().data, b"all");
        }
    });
}

fn echo_request(to: &str, payload: &[u8]) -> Vec<u8> {
    let kind = if to.contains(':') { 128 } else { 8 };
    let mut message = vec![kind, 0, 0, 0, 0, 0, 0, 1];
    message.extend_from_slice(payload);
    message
}

#[test]
fn echo_works_in_both_families_and_for_fragmented_sizes() {
    let world = World::new(5);
    let (left, _right) = hosts(&world);
    for to in ["10.0.0.2", "fd00::2", "127.0.0.1", "::1", "10.0.0.1"] {
        world.run(async {
            let socket = IcmpSocket::new(&left.sockets());
            for size in [0, 56, 1472, 3000, 60_000] {
                let data = pattern(size);
                socket
                    .send_to(
                        &echo_request(to, &data),
                        std::net::SocketAddr::new(to.parse().unwrap(), 0),
                    )
                    .await
                    .unwrap();
                let reply = socket.receive().await.unwrap();
                assert!(reply.data[8..] == data, "{size} bytes to {to}");
                assert_eq!(reply.hop_limit, 64);
                assert_eq!(reply.remote.ip(), to.parse::<std::net::IpAddr>().unwrap());
            }
        });
    }
}

#[test]
fn an_echo_to_a_dead_neighbor_fails_after_three_questions() {
    let world = World::new(6);
    let (left, _right) = hosts(&world);
    world.run(async {
        let socket = IcmpSocket::new(&left.sockets());
        let before = world.now();
        socket
            .send_to(&echo_request("10.0.0.9", b""), "10.0.0.9:0".parse().unwrap())
            .await
            .unwrap();
        assert_eq!(socket.receive().await.unwrap_err(), Error::HostUnreachable);
        assert_eq!(world.now().since(before), Duration::from_secs(3));
        assert_eq!(
            socket.send_to(&echo_request("10.9.9.9", b""), "10.9.9.9:0".parse().unwrap()).await,
            Err(Error::NetworkUnreachable)
        );
        assert_eq!(
            socket.send_to(b"short", "10.0.0.2:0".parse().unwrap()).await,
            Err(Error::InvalidInput)
        );
    });
}

#[test]
fn a_socket_that_cannot_be_connected_stays_bound() {
    let world = World::new(7);
    let (left, right) = hosts(&world);
    world.run(async {
        let (first, second) = (UdpSocket::new(&left.sockets()), UdpSocket::new(&left.sockets()));
        first.bind("10.0.0.1:5000".parse().unwrap()).unwrap();
        first.connect("10.0.0.2:7".parse().unwrap()).unwrap();
        second.bind("10.0.0.1:5000".parse().unwrap()).unwrap();
        assert_eq!(second.connect("10.0.0.2:7".parse().unwrap()), Err(Error::AddressInUse));
        let sender = UdpSocket::new(&right.sockets());
        sender.send_to(b"from another port", "10.0.0.1:5000".parse().unwrap()).await.unwrap();
        assert_eq!(second.receive().await.unwrap().data, b"from another port");
        let listed = left.open_sockets();
        for _ in 0..10 {
            first.connect("10.0.0.2:8".parse().unwrap()).unwrap();
        }
        assert_eq!(left.open_sockets(), listed);
    });
}

#[test]
fn a_train_of_datagrams_turns_with_bindings_and_addresses() {
    let world = World::new(31);
    let (left, right) = hosts(&world);
    world.run(async {
        let sender = UdpSocket::new(&left.sockets());
        let to = "10.0.0.2:9".parse().unwrap();
        let bind = |local: &str| {
            let socket = UdpSocket::new(&right.sockets());
            socket.set_reuse_address(true).unwrap();
            socket.bind(local.parse().unwrap()).unwrap();
            socket
        };
        let mut buffer = [0; 16];
        let send = async |text: &[u8]| {
            sender.send_to(text, to).await.unwrap();
            world.sleep(Duration::from_millis(1)).await;
        };
        let first = bind("0.0.0.0:9");
        for _ in 0..3 {
            send(b"first").await;
            assert_eq!(first.receive_from(&mut buffer).await.unwrap().0, 5);
        }
        // A more specific socket takes over in the middle, and gives back.
        let second = bind("10.0.0.2:9");
        for _ in 0..2 {
            send(b"second").await;
            assert_eq!(second.receive_from(&mut buffer).await.unwrap().0, 6);
        }
        drop(second);
        send(b"back").await;
        assert_eq!(first.receive_from(&mut buffer).await.unwrap().0, 4);
        // A raw socket sees what goes the short way.
        let raw = RawSocket::ipv4(&right.sockets(), 17).unwrap();
        send(b"seen").await;
        assert_eq!(first.receive_from(&mut buffer).await.unwrap().0, 4);
        assert!(raw.try_receive_message(&mut [0; 64]).is_ok());
        drop(raw);
        // Nobody is there any more, and the address is not ours any more.
        send(b"train").await;
        drop(first);
        let refused =
            |host: &world::Host| host.control::<GetStatistics>("eth0", &()).unwrap().received_drops;
        send(b"nobody").await;
        assert_eq!(refused(&right).no_socket, 1);
        let third = bind("0.0.0.0:9");
        send(b"third").await;
        assert_eq!(third.receive_from(&mut buffer).await.unwrap().0, 5);
        right.write(&right.open("eth0"), "address remove 10.0.0.2/24").unwrap();
        let before = refused(&right).not_for_us;
        send(b"not ours").await;
        assert_eq!(refused(&right).not_for_us, before + 1);
        assert!(third.try_receive_message(&mut buffer).is_err());
    });
}

#[test]
fn two_ends_that_fill_both_directions_do_not_block_each_other() {
    let world = World::new(32);
    let (left, right) = hosts(&world);
    world.run(async {
        let (one, other) = (UdpSocket::new(&left.sockets()), UdpSocket::new(&right.sockets()));
        let (to_right, to_left) = ("10.0.0.2:9".parse().unwrap(), "10.0.0.1:9".parse().unwrap());
        one.send_to(b"hello", to_right).await.unwrap();
        other.send_to(b"hello", to_left).await.unwrap();
        world.sleep(Duration::from_secs(1)).await;
        let fill = |socket: &UdpSocket, to| {
            (0..100_000).take_while(|_| socket.try_send(&[0; 64], Some(to)).is_ok()).count()
        };
        assert!(fill(&one, to_right) > 1000 && fill(&other, to_left) > 1000);
        world.sleep(Duration::from_millis(10)).await;
        // Whatever was lost, both go on.
        assert!(one.try_send(b"again", Some(to_right)).is_ok());
        assert!(other.try_send(b"again", Some(to_left)).is_ok());
        let (client, server) = crate::pair::connection(&left, &right, "10.0.0.2:80").await;
        client.write_all(b"and so do streams").await.unwrap();
        let mut buffer = [0; 32];
        assert_eq!(server.read(&mut buffer).await.unwrap(), 17);
    });
}
