//! Pitfalls of datagram and raw sockets (SOK), ICMP errors at sockets (ICE), path MTUs (PMT) and
//! checksums (CSM), driven by packets.

use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use devnet_network::command::socket::ErrorOrigin;
use devnet_network::command::{
    AddRoute, RemoveRoute, SetMtu, route::NewRoute, route::RouteSelector,
};
use devnet_network::{IcmpSocket, RawSocket, UdpSocket};
use devnet_virtual_file_system::Error;
use futures_lite::future;
use world::{Host, World};

use crate::pair::{hosts, options, pattern};
use crate::station::{
    HOST, HOST6, PEER, PEER6, Wire, at, icmp, icmp_kinds, icmpv6_packet, ipv4, ipv4_with, packets,
    udp, udp_datagram, upper,
};

fn udp_at(host: &Host, local: impl Into<IpAddr>, port: u16) -> UdpSocket {
    let socket = UdpSocket::new(&host.sockets());
    socket.bind(at(local, port)).unwrap();
    socket
}

fn received(socket: &devnet_network::DatagramSocket) -> Option<Vec<u8>> {
    let mut buffer = [0; 2000];
    socket.try_receive_message(&mut buffer).ok().map(|info| buffer[..info.copied].to_vec())
}

#[test]
fn sok_01_a_full_queue_drops_and_counts_and_others_receive() {
    let world = World::new(1);
    let mut wire = Wire::new(&world);
    let (slow, quick) = (udp_at(&wire.host, HOST, 7), udp_at(&wire.host, HOST, 8));
    slow.set_receive_buffer(4096).unwrap();
    for _ in 0..10 {
        wire.send(&udp(at(PEER, 1), at(HOST, 7), &[0; 1000]));
    }
    wire.send(&udp(at(PEER, 1), at(HOST, 8), b"other"));
    wire.after(Duration::from_millis(20));
    assert_eq!(wire.statistics().received_drops.full, 6);
    assert_eq!(received(&quick).as_deref(), Some(&b"other"[..]));
    assert_eq!(std::iter::from_fn(|| received(&slow)).count(), 4);
}

#[test]
fn sok_02_source_port_zero_is_received_and_cannot_be_answered() {
    let world = World::new(2);
    let mut wire = Wire::new(&world);
    let socket = udp_at(&wire.host, HOST, 7);
    wire.exchange(&udp(at(PEER, 0), at(HOST, 7), b"x"));
    let mut buffer = [0; 4];
    let info = socket.try_receive_message(&mut buffer).unwrap();
    assert_eq!(info.remote, at(PEER, 0));
    assert_eq!(socket.try_send(b"y", Some(info.remote)), Err(Error::InvalidInput));
}

#[test]
fn sok_03_the_more_specific_socket_wins() {
    let world = World::new(3);
    let mut wire = Wire::new(&world);
    let reuse = |socket: UdpSocket, local: IpAddr| {
        socket.set_reuse_address(true).unwrap();
        socket.bind(at(local, 7)).unwrap();
        socket
    };
    let wildcard = reuse(UdpSocket::new(&wire.host.sockets()), Ipv4Addr::UNSPECIFIED.into());
    let device = reuse(
        UdpSocket::new(&wire.host.manager.sockets_on("eth0").unwrap()),
        Ipv4Addr::UNSPECIFIED.into(),
    );
    let bound = reuse(UdpSocket::new(&wire.host.sockets()), HOST.into());
    let connected = reuse(UdpSocket::new(&wire.host.sockets()), HOST.into());
    connected.connect(at(PEER, 1)).unwrap();
    let mut expect = |port: u16, socket: &UdpSocket| {
        wire.exchange(&udp(at(PEER, port), at(HOST, 7), b"x"));
        assert!(received(socket).is_some(), "from port {port}");
    };
    expect(1, &connected);
    expect(2, &bound);
    drop(bound);
    expect(2, &device);
    drop(device);
    expect(2, &wildcard);
}

#[test]
fn sok_04_connecting_picks_the_source_once_and_fails_without_the_family() {
    let world = World::new(4);
    let wire = Wire::new(&world);
    let socket = UdpSocket::new(&wire.host.sockets());
    assert_eq!(socket.connect(at(PEER, 7)).unwrap().ip(), IpAddr::V4(HOST));
    wire.host.write(&wire.host.open("eth0"), "address add 10.0.0.200/24").unwrap();
    assert_eq!(socket.local_addr().unwrap().ip(), IpAddr::V4(HOST));
    let (end, _hand) = devnet_drivers::cable(options().mtu(1000));
    let without = Host::new(&world).with("eth0", end, &["10.0.0.1/24"]);
    let socket = UdpSocket::new(&without.sockets());
    assert_eq!(socket.connect("[2001:db8::1]:7".parse().unwrap()), Err(Error::NetworkUnreachable));
    assert_eq!(
        socket.try_send(b"x", Some("[ff02::1]:7".parse().unwrap())),
        Err(Error::NetworkUnreachable)
    );
}

#[test]
fn sok_05_a_sender_that_waits_is_woken_when_its_route_moves() {
    let world = World::new(5);
    let small = options().capacity(1);
    let (stuck, _nobody_reads) = devnet_drivers::cable(small);
    let (free, mut hand) = devnet_drivers::cable(options());
    let host = Host::new(&world).with("eth0", stuck, &["10.0.0.1/24"]).with(
        "eth1",
        free,
        &["10.1.0.1/24"],
    );
    let add = |gateway: &str, metric| {
        let destination = "0.0.0.0/0".parse().unwrap();
        let new = NewRoute {
            destination,
            gateway: Some(gateway.parse().unwrap()),
            metric,
            interface: None,
            append: false,
        };
        host.control::<AddRoute>("sockets", &new).unwrap();
    };
    host.write(&host.open("eth0"), "neighbor add 10.0.0.9 02:00:00:00:00:09").unwrap();
    host.write(&host.open("eth1"), "neighbor add 10.1.0.9 02:00:00:00:00:19").unwrap();
    add("10.0.0.9", 1);
    add("10.1.0.9", 2);
    world.run(async {
        let socket = UdpSocket::new(&host.sockets());
        let far = "192.0.2.1:7".parse().unwrap();
        while socket.try_send(b"fills", Some(far)).is_ok() {}
        let waiting = world.spawn(async move { socket.send_to(b"moves", far).await });
        world.sleep(Duration::from_secs(1)).await;
        assert!(!waiting.is_finished());
        let gone = RouteSelector {
            destination: "0.0.0.0/0".parse().unwrap(),
            gateway: Some("10.0.0.9".parse().unwrap()),
            metric: None,
            interface: None,
        };
        host.control::<RemoveRoute>("sockets", &gone).unwrap();
        assert_eq!(waiting.await, Ok(()));
    });
    let mut pool = devnet_network::driver::FramePool::new();
    let left = crate::station::drain(&mut hand, &mut pool);
    assert!(packets(left).iter().any(|packet| packet.ends_with(b"moves")));
}

#[test]
fn sok_06_raw_sockets_share_packets_and_send_no_more_than_the_packet_says() {
    let world = World::new(6);
    let mut wire = Wire::new(&world);
    let sockets = wire.host.sockets();
    let first = RawSocket::ipv4(&sockets, 250).unwrap();
    let second = RawSocket::ipv4(&sockets, 250).unwrap();
    let every = RawSocket::ipv4(&sockets, 0).unwrap();
    let other = RawSocket::ipv4(&sockets, 251).unwrap();
    let connected = RawSocket::ipv4(&sockets, 250).unwrap();
    connected.connect(at(Ipv4Addr::new(10, 0, 0, 77), 0)).unwrap();
    let packet = ipv4(PEER, HOST, 250, b"hello");
    // ICE-09: whoever took it, took it.
    assert!(wire.exchange(&packet).is_empty());
    for socket in [&first, &second, &every] {
        assert_eq!(received(socket).as_ref(), Some(&packet));
    }
    assert!(received(&other).is_none() && received(&connected).is_none());
    // With a header of ours, by the same protocol.
    wire.frames();
    first.try_send(b"answer", Some(at(PEER, 0))).unwrap();
    let left = packets(wire.after(Duration::from_millis(20)));
    assert_eq!(upper(&left[0]), (250, &b"answer"[..]));
    assert_eq!(every.try_send(b"no protocol", Some(at(PEER, 0))), Err(Error::InvalidInput));
    // With a header of its own: bytes behind the packet stay here, and larger than the device is
    // refused.
    first.set_header_included(true);
    let mut longer = ipv4(HOST, PEER, 99, b"mine");
    longer.extend_from_slice(b"behind");
    first.try_send(&longer, Some(at(PEER, 0))).unwrap();
    let left = packets(wire.after(Duration::from_millis(20)));
    assert_eq!(upper(&left[0]), (99, &b"mine"[..]));
    let large = ipv4(HOST, PEER, 99, &[0; 1481]);
    assert_eq!(first.try_send(&large, Some(at(PEER, 0))), Err(Error::MessageTooLong));
    for broken in [
        &b""[..],
        &[0x45; 10],
        &[0x60; 60],
        &[0x41; 40],
        &ipv4_with(HOST, PEER, 1, b"", |p| p[3] = 99),
    ] {
        assert_eq!(
            first.try_send(broken, Some(at(PEER, 0))),
            Err(Error::InvalidInput),
            "{broken:?}"
        );
    }
    assert_eq!(first.try_send(&longer, Some(at(PEER6, 0))), Err(Error::AddressFamilyNotSupported));
}

#[test]
fn sok_07_a_header_of_its_own_stays_as_given_and_zeros_are_filled_in() {
    let world = World::new(7);
    let mut wire = Wire::new(&world);
    let socket = RawSocket::ipv4(&wire.host.sockets(), 255).unwrap();
    let mut sent = |packet: &[u8]| {
        wire.frames();
        // The destination is the packet's own.
        socket.try_send(packet, None).unwrap();
        packets(wire.after(Duration::from_millis(20))).remove(0)
    };
    // A middle fragment with a strange identification and a wrong checksum on purpose.
    let mut given = ipv4_with(Ipv4Addr::new(192, 0, 2, 7), PEER, 99, &[7; 16], |packet| {
        packet[4..8].copy_from_slice(&[0xab, 0xcd, 0x20, 0x05]);
    });
    given[10] ^= 0xff;
    assert_eq!(sent(&given), given);
    let mut empty = ipv4(Ipv4Addr::UNSPECIFIED, PEER, 99, b"data");
    empty[2..6].fill(0);
    empty[10..12].fill(0);
    let filled = sent(&empty);
    assert_eq!(filled[2..4], [0, 24]);
    assert_ne!(filled[4..6], [0, 0]);
    assert_eq!(filled[12..16], HOST.octets());
    assert_eq!(crate::station::sum(&filled[..20], 0), 0);
}

#[test]
fn raw_sockets_for_ipv6_carry_what_follows_the_headers_and_sum_icmpv6() {
    let world = World::new(8);
    let mut wire = Wire::new(&world);
    let socket = RawSocket::ipv6(&wire.host.sockets(), 58).unwrap();
    wire.frames();
    socket.try_send(&[128, 0, 0xff, 0xff, 0, 1, 0, 1, 5], Some(at(PEER6, 0))).unwrap();
    let left = packets(wire.after(Duration::from_millis(20)));
    let expected = icmpv6_packet(HOST6, PEER6, 128, 0, [0, 1, 0, 1], &[5]);
    assert_eq!(upper(&left[0]), upper(&expected));
    let answer = icmpv6_packet(PEER6, HOST6, 129, 0, [0, 1, 0, 1], &[5]);
    wire.exchange(&answer);
    assert_eq!(received(&socket).as_deref(), Some(upper(&answer).1));
    // A wrong checksum is nobody's.
    let mut broken = answer;
    broken[42] ^= 1;
    wire.exchange(&broken);
    assert!(received(&socket).is_none());
}

#[test]
fn truncation_is_told() {
    let world = World::new(9);
    let mut wire = Wire::new(&world);
    let socket = udp_at(&wire.host, HOST, 7);
    wire.send(&udp(at(PEER, 1), at(HOST, 7), b"0123456789"));
    wire.exchange(&ipv4_with(
        PEER,
        HOST,
        17,
        &udp_datagram(at(PEER, 1), at(HOST, 7), b"ab"),
        |packet| packet[1] = 0xb8,
    ));
    let mut buffer = [0; 4];
    let info = socket.try_receive_message(&mut buffer).unwrap();
    assert_eq!((info.copied, info.length, info.truncated), (4, 10, true));
    let info = socket.try_receive_message(&mut buffer).unwrap();
    assert_eq!((info.copied, info.length, info.truncated, info.traffic_class), (2, 2, false, 0xb8));
    assert_eq!((info.local, info.hop_limit), (at(HOST, 7), 64));
}

#[test]
fn sockets_with_reuse_share_broadcasts_and_the_load_of_a_port() {
    let world = World::new(10);
    let mut wire = Wire::new(&world);
    let shared: Vec<UdpSocket> = (0..3)
        .map(|_| {
            let socket = UdpSocket::new(&wire.host.sockets());
            socket.set_reuse_port(true).unwrap();
            socket.bind(at(Ipv4Addr::UNSPECIFIED, 7)).unwrap();
            socket
        })
        .collect();
    let alone = UdpSocket::new(&wire.host.sockets());
    assert_eq!(alone.bind(at(Ipv4Addr::UNSPECIFIED, 7)), Err(Error::AddressInUse));
    let broadcast = udp(at(PEER, 1), at(Ipv4Addr::new(10, 0, 0, 255), 7), b"all");
    wire.send_frame(&crate::station::frame([0xff; 6], &broadcast));
    wire.after(Duration::from_millis(20));
    assert!(shared.iter().all(|socket| received(socket).as_deref() == Some(b"all")));
    for _ in 0..2 {
        for port in 1..=60 {
            wire.send(&udp(at(PEER, port), at(HOST, 7), &port.to_be_bytes()));
        }
    }
    wire.after(Duration::from_millis(20));
    let mut shares = Vec::new();
    for socket in &shared {
        let mut ports: Vec<_> = std::iter::from_fn(|| received(socket)).collect();
        let all = ports.len();
        ports.sort();
        ports.dedup();
        // Each sender met the same socket both times.
        assert_eq!(ports.len() * 2, all);
        shares.push(all);
    }
    assert_eq!(shares.iter().sum::<usize>(), 120);
    assert!(shares.iter().all(|share| *share >= 16), "{shares:?}");
}

#[test]
fn ipv6_only_sockets_leave_the_port_to_ipv4() {
    let world = World::new(11);
    let mut wire = Wire::new(&world);
    let six = UdpSocket::new(&wire.host.sockets());
    six.set_only_ipv6(true).unwrap();
    six.bind("[::]:7".parse().unwrap()).unwrap();
    let four = udp_at(&wire.host, Ipv4Addr::UNSPECIFIED, 7);
    wire.exchange(&udp(at(PEER, 1), at(HOST, 7), b"four"));
    wire.exchange(&udp(at(PEER6, 1), at(HOST6, 7), b"six"));
    assert_eq!(
        (received(&four).as_deref(), received(&six).as_deref()),
        (Some(&b"four"[..]), Some(&b"six"[..]))
    );
    assert_eq!(six.try_send(b"x", Some(at(PEER, 7))), Err(Error::AddressFamilyNotSupported));
}

/// An ICMP error from a router about a packet of ours.
fn about(kind: u8, code: u8, word: [u8; 4], quoted: &[u8]) -> Vec<u8> {
    ipv4(PEER, HOST, 1, &icmp(kind, code, word, quoted))
}

#[test]
fn ice_04_errors_that_quote_nobody_are_ignored() {
    let world = World::new(12);
    let mut wire = Wire::new(&world);
    let connected = udp_at(&wire.host, HOST, 7);
    connected.connect(at(PEER, 9)).unwrap();
    let ours = udp(at(HOST, 7), at(PEER, 9), b"x");
    for (what, packet) in [
        ("another port", about(3, 3, [0; 4], &udp(at(HOST, 8), at(PEER, 9), b"x"))),
        ("another peer", about(3, 3, [0; 4], &udp(at(HOST, 7), at(PEER, 10), b"x"))),
        ("another source", about(3, 3, [0; 4], &udp(at(PEER, 7), at(PEER, 9), b"x"))),
        ("to everybody", ipv4(PEER, Ipv4Addr::new(10, 0, 0, 255), 1, &icmp(3, 3, [0; 4], &ours))),
        ("another version", about(3, 3, [0; 4], &udp(at(HOST6, 7), at(PEER6, 9), b"x"))),
        ("too short", about(3, 3, [0; 4], &ours[..24])),
    ] {
        wire.exchange(&packet);
        assert_eq!(connected.take_error(), None, "{what}");
    }
    wire.exchange(&about(3, 3, [0; 4], &ours));
    assert_eq!(connected.take_error(), Some(Error::ConnectionRefused));
}

#[test]
fn ice_05_unconnected_sockets_hear_on_request_with_the_packet() {
    let world = World::new(13);
    let mut wire = Wire::new(&world);
    let socket = udp_at(&wire.host, HOST, 7);
    let quoted = udp(at(HOST, 7), at(PEER, 9), b"payload");
    wire.exchange(&about(3, 3, [0; 4], &quoted));
    assert_eq!(
        (socket.take_error(), socket.receive_error().err()),
        (None, Some(Error::WouldBlock))
    );
    socket.set_receive_errors(true);
    wire.exchange(&about(3, 1, [0; 4], &quoted));
    assert_eq!(socket.take_error(), Some(Error::HostUnreachable));
    let report = socket.receive_error().unwrap();
    assert_eq!((report.error, report.origin), (Error::HostUnreachable, ErrorOrigin::Icmp));
    assert_eq!((report.kind, report.code, report.reporter), (3, 1, Some(PEER.into())));
    assert_eq!((report.remote, report.packet), (at(PEER, 9), quoted));
    // More than fit push out the oldest.
    let many = devnet_network::limits::ERROR_REPORTS + 5;
    for port in 0..many as u16 {
        wire.exchange(&about(3, 3, [0; 4], &udp(at(HOST, 7), at(PEER, 1000 + port), b"")));
    }
    let ports: Vec<u16> =
        std::iter::from_fn(|| socket.receive_error().ok()).map(|one| one.remote.port()).collect();
    assert_eq!((ports.len(), ports[0]), (devnet_network::limits::ERROR_REPORTS, 1005));
}

#[test]
fn ice_07_an_error_wakes_and_shows_before_it_is_taken() {
    use devnet_virtual_file_system::Readiness;
    let world = World::new(14);
    let mut wire = Wire::new(&world);
    let socket = std::sync::Arc::new(udp_at(&wire.host, HOST, 7));
    socket.connect(at(PEER, 9)).unwrap();
    let waiting = std::sync::Arc::clone(&socket);
    let task = world.spawn(async move {
        std::future::poll_fn(|context| waiting.poll_ready(context, Readiness::READABLE)).await
    });
    wire.after(Duration::from_millis(20));
    assert!(!task.is_finished());
    wire.exchange(&about(3, 3, [0; 4], &udp(at(HOST, 7), at(PEER, 9), b"")));
    assert!(world.run(task).contains(Readiness::ERROR));
    assert_eq!(world.run(socket.receive()).unwrap_err(), Error::ConnectionRefused);
}

#[test]
fn ice_08_unknown_icmpv6_errors_reach_the_socket_and_unknown_messages_do_not() {
    let world = World::new(15);
    let mut wire = Wire::new(&world);
    let socket = udp_at(&wire.host, HOST6, 7);
    socket.connect(at(PEER6, 9)).unwrap();
    let quoted = udp(at(HOST6, 7), at(PEER6, 9), b"x");
    wire.exchange(&icmpv6_packet(PEER6, HOST6, 200, 0, [0; 4], &quoted));
    assert_eq!(socket.take_error(), None);
    wire.exchange(&icmpv6_packet(PEER6, HOST6, 100, 0, [0; 4], &quoted));
    assert_eq!(socket.take_error(), Some(Error::Protocol));
    wire.exchange(&icmpv6_packet(PEER6, HOST6, 4, 1, [0, 0, 0, 6], &quoted));
    assert_eq!(socket.take_error(), Some(Error::Protocol));
}

#[test]
fn ice_10_a_silent_neighbor_is_told_to_each_sender_once() {
    let world = World::new(16);
    let wire = Wire::new(&world);
    let (first, second) = (udp_at(&wire.host, HOST, 7), udp_at(&wire.host, HOST, 8));
    for socket in [&first, &second] {
        socket.set_receive_errors(true);
        for _ in 0..3 {
            socket.try_send(b"x", Some("10.0.0.50:9".parse().unwrap())).unwrap();
        }
    }
    world.run(world.sleep(Duration::from_secs(4)));
    for socket in [&first, &second] {
        let report = socket.receive_error().unwrap();
        assert_eq!(
            (report.error, report.origin, report.reporter),
            (Error::HostUnreachable, ErrorOrigin::Local, None)
        );
        assert_eq!(socket.receive_error().err(), Some(Error::WouldBlock));
    }
}

#[test]
fn echo_errors_come_with_the_packet() {
    let world = World::new(17);
    let mut wire = Wire::new(&world);
    let socket = IcmpSocket::new(&wire.host.sockets());
    socket.bind(at(Ipv4Addr::UNSPECIFIED, 777)).unwrap();
    socket.set_receive_errors(true);
    socket.set_hop_limit(1).unwrap();
    wire.frames();
    socket.try_send(&[8, 0, 0, 0, 9, 9, 0, 1, 42], Some(at(PEER, 0))).unwrap();
    let left = packets(wire.after(Duration::from_millis(20)));
    // The identifier is the one that was chosen.
    assert_eq!((upper(&left[0]).1[4..6].to_vec(), left[0][8]), (777u16.to_be_bytes().to_vec(), 1));
    wire.exchange(&about(11, 0, [0; 4], &left[0]));
    let report = socket.receive_error().unwrap();
    assert_eq!(
        (report.kind, report.reporter, report.packet),
        (11, Some(PEER.into()), left[0].clone())
    );
    assert_eq!(socket.take_error(), Some(Error::HostUnreachable));
}

#[test]
fn pmt_01_only_proven_quotes_narrow_a_path() {
    let world = World::new(18);
    let mut wire = Wire::new(&world);
    let socket = udp_at(&wire.host, HOST, 7);
    socket.connect(at(PEER, 9)).unwrap();
    let large = udp(at(HOST, 7), at(PEER, 9), &[0; 1472]);
    let too_big = |mtu: u16, quoted: &[u8]| {
        let [high, low] = mtu.to_be_bytes();
        about(3, 4, [0, 0, high, low], &quoted[..28])
    };
    for (what, packet) in [
        ("a stranger's port", too_big(1000, &udp(at(HOST, 70), at(PEER, 9), &[0; 1472]))),
        ("below the minimum", too_big(551, &large)),
        ("larger than before", too_big(1500, &large)),
        ("larger than the packet", too_big(1000, &udp(at(HOST, 7), at(PEER, 9), &[0; 100]))),
    ] {
        wire.exchange(&packet);
        assert_eq!(socket.path_mtu(), Ok(1500), "{what}");
    }
    wire.exchange(&too_big(1000, &large));
    assert_eq!(socket.path_mtu(), Ok(1000));
    wire.exchange(&too_big(1200, &large));
    assert_eq!(socket.path_mtu(), Ok(1000));
    // Without don't-fragment that is no error: what follows is cut.
    assert_eq!(socket.take_error(), None);
    wire.after(Duration::from_secs(601));
    assert_eq!(socket.path_mtu(), Ok(1500));
    // IPv6 the same.
    let socket = udp_at(&wire.host, HOST6, 7);
    socket.connect(at(PEER6, 9)).unwrap();
    let large = udp(at(HOST6, 7), at(PEER6, 9), &[0; 1452]);
    wire.exchange(&icmpv6_packet(PEER6, HOST6, 2, 0, 1279u32.to_be_bytes(), &large[..1000]));
    assert_eq!(socket.path_mtu(), Ok(1500));
    wire.exchange(&icmpv6_packet(PEER6, HOST6, 2, 0, 1280u32.to_be_bytes(), &large[..1000]));
    assert_eq!(socket.path_mtu(), Ok(1280));
}

#[test]
fn pmt_02_what_exceeds_the_path_is_cut_or_refused() {
    let world = World::new(19);
    let mut wire = Wire::new(&world);
    for (host, peer) in [(IpAddr::from(HOST), IpAddr::from(PEER)), (HOST6.into(), PEER6.into())] {
        let socket = udp_at(&wire.host, host, 7);
        socket.connect(at(peer, 9)).unwrap();
        wire.frames();
        socket.try_send(&pattern(3000), None).unwrap();
        assert_eq!(packets(wire.after(Duration::from_millis(20))).len(), 3, "{host}");
        socket.set_dont_fragment(true);
        socket.set_receive_errors(true);
        assert_eq!(socket.try_send(&pattern(1473), None), Err(Error::MessageTooLong), "{host}");
        let report = socket.receive_error().unwrap();
        assert_eq!((report.origin, report.information), (ErrorOrigin::Local, 1500));
        let fits = if host.is_ipv4() { 1472 } else { 1452 };
        socket.try_send(&pattern(fits), None).unwrap();
        let left = packets(wire.after(Duration::from_millis(20)));
        assert_eq!((left.len(), left[0].len()), (1, 1500));
        if host.is_ipv4() {
            assert_eq!(left[0][6] & 0x40, 0x40, "don't fragment");
            // A hop in the middle carries less: the next call says so, and then the size that
            // passes.
            wire.exchange(&about(3, 4, [0, 0, 5, 0], &left[0][..28]));
            assert_eq!(socket.try_send(b"x", None), Err(Error::MessageTooLong));
            assert_eq!(socket.receive_error().unwrap().information, 1280);
            assert_eq!(socket.try_send(&pattern(1472), None), Err(Error::MessageTooLong));
            socket.try_send(&pattern(1252), None).unwrap();
        }
    }
    wire.host.control::<SetMtu>("eth0", &1400).unwrap();
}

#[test]
fn pmt_03_datagrams_may_be_cut_by_routers_unless_asked() {
    let world = World::new(20);
    let mut wire = Wire::new(&world);
    let socket = udp_at(&wire.host, HOST, 7);
    wire.frames();
    socket.try_send(b"x", Some(at(PEER, 9))).unwrap();
    assert_eq!(packets(wire.after(Duration::from_millis(20)))[0][6] & 0x40, 0);
}

#[test]
fn csm_03_a_sum_of_zero_is_sent_as_ones() {
    let world = World::new(21);
    let mut wire = Wire::new(&world);
    let socket = udp_at(&wire.host, HOST, 7);
    // Two bytes that make the sum come out as zero.
    let blank = udp_datagram(at(HOST, 7), at(PEER, 9), &[0, 0]);
    let data = blank[6..8].to_vec();
    wire.frames();
    socket.try_send(&data, Some(at(PEER, 9))).unwrap();
    let left = packets(wire.after(Duration::from_millis(20)));
    assert_eq!(upper(&left[0]).1[6..8], [0xff, 0xff]);
}

#[test]
fn traffic_class_and_hop_limit_are_those_of_the_socket() {
    let world = World::new(22);
    let mut wire = Wire::new(&world);
    for (host, peer) in [(IpAddr::from(HOST), IpAddr::from(PEER)), (HOST6.into(), PEER6.into())] {
        let socket = udp_at(&wire.host, host, 7);
        socket.set_traffic_class(0xb8);
        socket.set_hop_limit(5).unwrap();
        wire.frames();
        socket.try_send(b"x", Some(at(peer, 9))).unwrap();
        let left = packets(wire.after(Duration::from_millis(20)));
        let (class, hops) = match left[0][0] >> 4 {
            4 => (left[0][1], left[0][8]),
            _ => (left[0][0] << 4 | left[0][1] >> 4, left[0][7]),
        };
        assert_eq!((class, hops), (0xb8, 5), "{host}");
    }
}

#[test]
fn ice_09_a_packet_that_a_raw_socket_took_raises_no_unreachable() {
    let world = World::new(23);
    let mut wire = Wire::new(&world);
    let closed = udp(at(PEER, 1), at(HOST, 99), b"x");
    assert_eq!(icmp_kinds(&wire.exchange(&closed)), [(3, 3)]);
    let socket = RawSocket::ipv4(&wire.host.sockets(), 17).unwrap();
    assert!(wire.exchange(&closed).is_empty());
    assert_eq!(received(&socket).as_ref(), Some(&closed));
    drop(socket);
    assert_eq!(icmp_kinds(&wire.exchange(&closed)), [(3, 3)]);
    assert_eq!(icmp_kinds(&wire.exchange(&ipv4(PEER, HOST, 250, b""))), [(3, 2)]);
}

#[test]
fn sok_06_a_raw_socket_sees_the_segments_of_streams_that_go_on() {
    let world = World::new(25);
    let (left, right) = hosts(&world);
    world.run(async {
        let raw = [
            RawSocket::ipv4(&right.sockets(), 6).unwrap(),
            RawSocket::ipv6(&right.sockets(), 6).unwrap(),
        ];
        for (to, raw) in ["10.0.0.2:80", "[fd00::2]:80"].iter().zip(&raw) {
            let (client, server) = crate::pair::connection(&left, &right, to).await;
            while received(raw).is_some() {}
            client.write_all(b"seen").await.unwrap();
            let mut buffer = [0; 8];
            assert_eq!(server.read(&mut buffer).await.unwrap(), 4);
            assert!(
                std::iter::from_fn(|| received(raw)).any(|packet| packet.ends_with(b"seen")),
                "{to}"
            );
        }
    });
}

#[test]
fn a_socket_bound_to_a_device_uses_no_other() {
    let world = World::new(24);
    let (left, right) = hosts(&world);
    world.run(async {
        let socket = UdpSocket::new(&left.sockets());
        socket.bind_to_device(Some("lo")).unwrap();
        assert_eq!(
            socket.try_send(b"x", Some("10.0.0.2:7".parse().unwrap())),
            Err(Error::NetworkUnreachable)
        );
        socket.bind_to_device(Some("eth0")).unwrap();
        let receiver = UdpSocket::new(&right.sockets());
        receiver.bind("10.0.0.2:7".parse().unwrap()).unwrap();
        socket.try_send(b"x", Some("10.0.0.2:7".parse().unwrap())).unwrap();
        let message = receiver.receive().await.unwrap();
        receiver.send_to(b"back", message.remote).await.unwrap();
        assert_eq!(socket.receive().await.unwrap().data, b"back");
        // What comes another way is for others.
        let local = UdpSocket::new(&left.sockets());
        let port = socket.local_addr().unwrap().port();
        local.send_to(b"inside", at(Ipv4Addr::LOCALHOST, port)).await.unwrap();
        world.sleep(Duration::from_millis(10)).await;
        assert!(future::poll_once(socket.receive()).await.is_none());
    });
}
