//! Pitfalls of IPv4 (IP4), IPv6 (IP6), routes and source addresses (SRC), driven by packets.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::Duration;

use devnet_network::command::address::{AddressState, NewAddress, Origin};
use devnet_network::command::neighbor::NewNeighbor;
use devnet_network::command::route::{NewRoute, RouteSelector};
use devnet_network::command::{
    AddAddress, AddNeighbor, AddRoute, FindRoute, ListAddresses, ListRoutes, RemoveAddress,
    RemoveRoute,
};
use devnet_network::driver::{Driver, FramePool};
use devnet_network::{RawSocket, UdpSocket};
use devnet_virtual_file_system::Error;
use world::{Host, World};

use crate::pair::{HARDWARE, options};
use crate::station::{
    HOST, HOST_LINK, HOST6, PEER, PEER_LINK, PEER6, Wire, at, frame, icmp, icmp_kinds, icmpv6,
    icmpv6_packet, ipv4, ipv4_with, ipv6, ndp, packets, udp, udp_datagram, upper,
};

const SHORT: Duration = Duration::from_millis(20);

fn echo() -> Vec<u8> {
    icmp(8, 0, [0, 1, 0, 1], b"ping")
}

fn echo6(from: Ipv6Addr, to: Ipv6Addr) -> Vec<u8> {
    icmpv6_packet(from, to, 128, 0, [0, 1, 0, 1], b"ping")
}

fn bound(host: &Host, local: impl Into<IpAddr>, port: u16) -> UdpSocket {
    let socket = UdpSocket::new(&host.sockets());
    socket.bind(at(local, port)).unwrap();
    socket
}

fn has(socket: &UdpSocket) -> bool {
    socket.try_receive_message(&mut [0; 2000]).is_ok()
}

/// A host with two interfaces, and what leaves by each.
struct Two {
    host: Host,
    hands: [devnet_drivers::Cable; 2],
}

impl Two {
    fn new(world: &World, first: &[&str], second: &[&str]) -> Self {
        let (one, hand) = devnet_drivers::cable(options());
        let (two, other) = devnet_drivers::cable(options());
        let host = Host::new(world).with("eth0", one, first).with("eth1", two, second);
        let mut two = Self { host, hands: [hand, other] };
        two.left(world, Duration::from_secs(30));
        two
    }

    /// The packets that left by each interface meanwhile.
    fn left(&mut self, world: &World, time: Duration) -> [Vec<Vec<u8>>; 2] {
        let mut left = [Vec::new(), Vec::new()];
        let mut pool = FramePool::new();
        for _ in 0..20 {
            world.run(world.sleep(time / 20));
            for (hand, left) in self.hands.iter_mut().zip(&mut left) {
                while let Some(frame) = hand.receive(&mut pool) {
                    left.push(frame.bytes().to_vec());
                }
                if let Some(waker) = hand.flush() {
                    waker.wake();
                }
            }
        }
        left.map(packets)
    }
}

#[test]
fn ip4_01_own_and_loopback_addresses_never_reach_a_wire() {
    let world = World::new(1);
    let mut two = Two::new(&world, &["10.0.0.1/24"], &["10.1.0.1/24"]);
    two.host.write(&two.host.open("eth0"), "neighbor add 10.0.0.9 02:00:00:00:00:09").unwrap();
    two.host.write(&two.host.open("eth0"), "route add default via 10.0.0.9").unwrap();
    let receiver = bound(&two.host, Ipv4Addr::UNSPECIFIED, 7);
    let on_eth0 = UdpSocket::new(&two.host.manager.sockets_on("eth0").unwrap());
    for to in ["127.0.0.1", "127.9.9.9"] {
        // An interface may deliver them inside, or refuse; they do not leave.
        let _ = on_eth0.try_send(b"x", Some(at(to.parse::<IpAddr>().unwrap(), 7)));
        assert_eq!(two.left(&world, SHORT), [Vec::<Vec<u8>>::new(), Vec::new()], "{to}");
        while has(&receiver) {}
    }
    for to in ["10.0.0.1", "10.1.0.1"] {
        let to = at(to.parse::<IpAddr>().unwrap(), 7);
        on_eth0.try_send(b"x", Some(to)).unwrap();
        assert_eq!(two.left(&world, SHORT), [Vec::<Vec<u8>>::new(), Vec::new()], "{to}");
        assert!(has(&receiver), "{to}");
        let routed = UdpSocket::new(&two.host.sockets());
        routed.try_send(b"x", Some(to)).unwrap();
        assert_eq!(two.left(&world, SHORT), [Vec::<Vec<u8>>::new(), Vec::new()], "{to}");
        assert!(has(&receiver), "{to}");
    }
}

#[test]
fn ip4_02_source_routes_are_dropped_other_options_ignored_and_broken_ones_refused() {
    let world = World::new(2);
    let mut wire = Wire::new(&world);
    let with = |options: &[u8]| {
        ipv4_with(PEER, HOST, 1, &[options, &echo()].concat(), |packet| {
            packet[0] = 0x45 + (options.len() / 4) as u8
        })
    };
    for (options, answers) in [
        (&[7, 7, 4, 0, 0, 0, 0, 0][..], 1),
        (&[1, 1, 1, 0], 1),
        (&[0x94, 4, 0, 0], 1),
        (&[131, 7, 4, 10, 0, 0, 9, 0], 0),
        (&[137, 7, 4, 10, 0, 0, 9, 0], 0),
        (&[7, 0, 0, 0], 0),
        (&[7, 1, 0, 0], 0),
        (&[7, 40, 0, 0], 0),
        (&[1, 1, 1, 7], 0),
    ] {
        assert_eq!(wire.exchange(&with(options)).len(), answers, "{options:?}");
    }
}

#[test]
fn ip4_04_a_time_to_live_of_zero_is_refused() {
    let world = World::new(3);
    let wire = Wire::new(&world);
    assert_eq!(UdpSocket::new(&wire.host.sockets()).set_hop_limit(0), Err(Error::InvalidInput));
}

#[test]
fn ip4_05_echo_to_broadcast_is_ignored() {
    let world = World::new(4);
    let mut wire = Wire::new(&world);
    assert_eq!(icmp_kinds(&wire.exchange(&ipv4(PEER, HOST, 1, &echo()))), [(0, 0)]);
    for to in [Ipv4Addr::new(10, 0, 0, 255), Ipv4Addr::BROADCAST, Ipv4Addr::new(224, 0, 0, 1)] {
        wire.send_frame(&frame([0xff; 6], &ipv4(PEER, to, 1, &echo())));
        assert!(packets(wire.after(SHORT)).is_empty(), "{to}");
    }
}

#[test]
fn ip4_06_point_to_point_networks_have_no_broadcast_address() {
    let world = World::new(5);
    let mut wire = Wire::with(&world, &["10.0.0.0/31", "10.2.0.1/32", "10.3.0.1/24"]);
    let socket = UdpSocket::new(&wire.host.sockets());
    wire.host.write(&wire.host.open("eth0"), "neighbor add 10.0.0.1 02:00:00:00:00:09").unwrap();
    socket.try_send(b"x", Some("10.0.0.1:7".parse().unwrap())).unwrap();
    assert_eq!(wire.frames()[0][..6], [2, 0, 0, 0, 0, 9]);
    assert_eq!(
        socket.try_send(b"x", Some("10.3.0.255:7".parse().unwrap())),
        Err(Error::AccessDenied)
    );
    // The lower address of a /31 is a station's.
    wire.send(&ipv4(PEER, Ipv4Addr::new(10, 0, 0, 0), 1, &echo()));
    assert_eq!(wire.statistics().received_drops.not_for_us, 0);
}

#[test]
fn ip4_07_impossible_addresses_are_refused_by_the_device() {
    let world = World::new(6);
    let wire = Wire::new(&world);
    let before = wire.host.control::<ListAddresses>("eth0", &()).unwrap();
    for text in [
        "255.255.255.255/32",
        "224.0.0.1/24",
        "0.0.0.0/0",
        "127.0.0.2/8",
        "10.9.0.0/24",
        "10.9.0.255/24",
        "ff02::9/64",
        "::/64",
        "::1/128",
    ] {
        let new = NewAddress { prefix: text.parse().unwrap(), broadcast: None };
        assert!(wire.host.control::<AddAddress>("eth0", &new).is_err(), "{text}");
    }
    for line in ["address add 10.9.0.1/33", "address add fd00::9/129"] {
        assert_eq!(wire.host.write(&wire.host.open("eth0"), line), Err(Error::InvalidInput));
    }
    assert_eq!(wire.host.control::<ListAddresses>("eth0", &()).unwrap(), before);
}

#[test]
fn ip4_08_addresses_are_added_once_and_removed_whole() {
    let world = World::new(7);
    let mut wire = Wire::new(&world);
    let new = |text: &str| NewAddress { prefix: text.parse().unwrap(), broadcast: None };
    let before = wire.host.control::<ListAddresses>("eth0", &()).unwrap();
    assert_eq!(
        wire.host.control::<AddAddress>("eth0", &new("10.0.0.1/24")),
        Err(Error::AlreadyExists)
    );
    assert_eq!(wire.host.control::<ListAddresses>("eth0", &()).unwrap(), before);
    // An address that a router advertised stays advertised when somebody names it.
    let prefix = [
        &[3, 4, 64, 0xc0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 0, 0][..],
        &[0x20, 1, 0xd, 0xb8],
        &[0; 12],
    ]
    .concat();
    let rest = [&[0; 8], &prefix[..]].concat();
    let all: Ipv6Addr = "ff02::1".parse().unwrap();
    wire.send(&ndp(PEER_LINK, all, 134, [64, 0, 0, 0], &rest));
    wire.after(Duration::from_secs(3));
    let formed = "2001:db8::ff:fe00:1/64";
    let origin = |wire: &Wire<'_>| {
        let list = wire.host.control::<ListAddresses>("eth0", &()).unwrap();
        list.iter()
            .find(|entry| entry.prefix == formed.parse().unwrap())
            .map(|entry| (entry.origin, entry.state))
    };
    let expected = Some((Origin::RouterAdvertisement, AddressState::Preferred));
    assert_eq!(origin(&wire), expected);
    assert_eq!(wire.host.control::<AddAddress>("eth0", &new(formed)), Err(Error::AlreadyExists));
    assert_eq!(origin(&wire), expected);
    wire.host.control::<RemoveAddress>("eth0", &"10.0.0.1/24".parse().unwrap()).unwrap();
    assert!(wire.exchange(&ipv4(PEER, HOST, 1, &echo())).is_empty());
    let routes = wire.host.control::<ListRoutes>("eth0", &()).unwrap();
    assert!(routes.iter().all(|route| route.destination.address() != IpAddr::from([10, 0, 0, 0])));
}

#[test]
fn ip4_09_link_local_destinations_are_on_the_link() {
    let world = World::new(8);
    let mut wire = Wire::new(&world);
    wire.host.write(&wire.host.open("eth0"), "route add default via 10.0.0.9").unwrap();
    let far: IpAddr = "169.254.7.7".parse().unwrap();
    let new = NewNeighbor { address: far, hardware_address: "02:00:00:00:00:77".parse().unwrap() };
    wire.host.control::<AddNeighbor>("eth0", &new).unwrap();
    wire.frames();
    UdpSocket::new(&wire.host.sockets()).try_send(b"x", Some(at(far, 7))).unwrap();
    assert_eq!(wire.after(SHORT)[0][..6], [2, 0, 0, 0, 0, 0x77]);
}

#[test]
fn ip4_10_identifications_are_unpredictable_and_not_soon_used_again() {
    let world = World::new(9);
    let mut wire = Wire::new(&world);
    let socket = bound(&wire.host, HOST, 7);
    let mut seen: Vec<u16> = Vec::new();
    for _ in 0..300 {
        socket.try_send(&[0; 2000], Some(at(PEER, 9))).unwrap();
        let left = packets(wire.frames());
        let pieces: Vec<u16> =
            left.iter().map(|packet| u16::from_be_bytes([packet[4], packet[5]])).collect();
        assert_eq!((pieces.len(), pieces[0]), (2, pieces[1]));
        seen.push(pieces[0]);
    }
    let mut distinct = seen.clone();
    distinct.sort_unstable();
    distinct.dedup();
    assert_eq!(distinct.len(), 300);
    // Another destination has a sequence of its own.
    wire.host.write(&wire.host.open("eth0"), "neighbor add 10.0.0.8 02:00:00:00:00:08").unwrap();
    socket.try_send(&[0; 2000], Some("10.0.0.8:9".parse().unwrap())).unwrap();
    let other = packets(wire.frames());
    let last = seen[299];
    assert!(u16::from_be_bytes([other[0][4], other[0][5]]).wrapping_sub(last) > 16);
}

#[test]
fn ip4_11_sources_that_are_nobody_are_dropped_for_every_interfaces_broadcast() {
    let world = World::new(10);
    let mut two = Two::new(&world, &["10.0.0.1/24"], &["10.1.0.1/24"]);
    let socket = bound(&two.host, Ipv4Addr::UNSPECIFIED, 7);
    let mut pool = FramePool::new();
    for from in [
        "255.255.255.255",
        "10.0.0.255",
        "10.1.0.255",
        "224.0.0.9",
        "127.0.0.1",
        "0.0.0.0",
        "10.0.0.1",
    ] {
        let packet = udp(at(from.parse::<Ipv4Addr>().unwrap(), 1), at(HOST, 7), b"x");
        let frame = pool.copy_of(&frame(HARDWARE.0.0, &packet));
        assert!(two.hands[0].transmit(frame, &mut pool).is_ok());
        if let Some(waker) = two.hands[0].flush() {
            waker.wake();
        }
        two.left(&world, SHORT);
        assert!(!has(&socket), "{from}");
    }
    let martians = two
        .host
        .control::<devnet_network::command::GetStatistics>("eth0", &())
        .unwrap()
        .received_drops
        .martian;
    assert_eq!(martians, 7);
}

#[test]
fn ip6_01_the_loopback_address_on_a_wire_is_dropped() {
    let world = World::new(11);
    let mut wire = Wire::new(&world);
    assert_eq!(icmp_kinds(&wire.exchange(&echo6(PEER6, HOST6))), [(129, 0)]);
    assert!(wire.exchange(&echo6(PEER6, Ipv6Addr::LOCALHOST)).is_empty());
    assert!(wire.exchange(&echo6(Ipv6Addr::LOCALHOST, HOST6)).is_empty());
    assert_eq!(wire.statistics().received_drops.martian, 2);
}

#[test]
fn ip6_02_node_local_groups_stay_inside() {
    let world = World::new(12);
    let mut wire = Wire::new(&world);
    let socket = bound(&wire.host, Ipv6Addr::UNSPECIFIED, 7);
    for group in ["ff01::7", "ff00::7"] {
        let group: Ipv6Addr = group.parse().unwrap();
        socket.join_group(group.into(), Some("eth0")).unwrap();
        wire.send_frame(&frame(
            [0x33, 0x33, 0, 0, 0, 7],
            &udp(at(PEER_LINK, 1), at(group, 7), b"from the wire"),
        ));
        wire.after(SHORT);
        assert!(!has(&socket), "{group}");
        socket.set_multicast_interface(Some("eth0")).unwrap();
        socket.try_send(b"inside", Some(at(group, 7))).unwrap();
        assert!(packets(wire.after(SHORT)).is_empty(), "{group}");
        assert!(has(&socket), "{group}");
    }
}

/// A destination options header, or hop-by-hop one, with one option of a type, in front of ICMPv6.
fn with_option(to: Ipv6Addr, header: u8, kind: u8, message: &[u8]) -> Vec<u8> {
    ipv6(PEER6, to, header, 64, &[&[58, 0, kind, 4, 0, 0, 0, 0], message].concat())
}

#[test]
fn ip6_03_groups_are_answered_by_no_error_but_for_options_that_ask() {
    let world = World::new(13);
    let mut wire = Wire::new(&world);
    let all: Ipv6Addr = "ff02::1".parse().unwrap();
    let message = icmpv6(PEER6, all, 128, 0, [0; 4], b"");
    assert!(wire.exchange(&ipv6(PEER6, all, 250, 64, b"nobody speaks this")).is_empty());
    assert!(wire.exchange(&udp(at(PEER6, 1), at(all, 99), b"closed")).is_empty());
    assert!(wire.exchange(&with_option(all, 60, 0xc5, &message)).is_empty());
    assert!(wire.exchange(&with_option(all, 60, 0x45, &message)).is_empty());
    assert_eq!(icmp_kinds(&wire.exchange(&with_option(all, 60, 0x85, &message))), [(4, 2)]);
    // To us alone both are answered.
    let message = icmpv6(PEER6, HOST6, 128, 0, [0; 4], b"");
    assert_eq!(icmp_kinds(&wire.exchange(&with_option(HOST6, 60, 0xc5, &message))), [(4, 2)]);
    assert_eq!(icmp_kinds(&wire.exchange(&with_option(HOST6, 60, 5, &message))), [(129, 0)]);
}

#[test]
fn ip6_04_the_pointer_names_the_offending_byte() {
    let world = World::new(14);
    let mut wire = Wire::new(&world);
    let message = icmpv6(PEER6, HOST6, 128, 0, [0; 4], b"");
    let late_hop_by_hop =
        [&[0, 0, 1, 4, 0, 0, 0, 0][..], &[58, 0, 1, 4, 0, 0, 0, 0], &message].concat();
    let routing = [&[58, 0, 0, 3, 0, 0, 0, 0][..], &message].concat();
    let unknown = [&[250, 0, 1, 4, 0, 0, 0, 0][..], b"data"].concat();
    for (packet, expected) in [
        (ipv6(PEER6, HOST6, 250, 64, b"data"), ((4, 1), 6)),
        (ipv6(PEER6, HOST6, 60, 64, &unknown), ((4, 1), 40)),
        (with_option(HOST6, 60, 0x85, &message), ((4, 2), 42)),
        (with_option(HOST6, 0, 0x85, &message), ((4, 2), 42)),
        (ipv6(PEER6, HOST6, 60, 64, &late_hop_by_hop), ((4, 1), 40)),
        (ipv6(PEER6, HOST6, 43, 64, &routing), ((4, 0), 42)),
    ] {
        let left = wire.exchange(&packet);
        let error = upper(&left[0]).1;
        let pointer = u32::from_be_bytes(error[4..8].try_into().unwrap());
        assert_eq!(((error[0], error[1]), pointer), expected, "{packet:x?}");
        assert_eq!(error[8..], packet[..]);
    }
}

#[test]
fn ip6_05_errors_are_not_answered_by_errors() {
    let world = World::new(15);
    let mut wire = Wire::new(&world);
    let error = icmpv6(PEER6, HOST6, 1, 4, [0; 4], &udp(at(HOST6, 7), at(PEER6, 9), b""));
    assert!(wire.exchange(&with_option(HOST6, 0, 0x85, &error)).is_empty());
    assert!(wire.exchange(&with_option(HOST6, 60, 0x85, &error)).is_empty());
    let twice = [&[60, 0, 1, 4, 0, 0, 0, 0][..], &[58, 0, 0x85, 4, 0, 0, 0, 0], &error].concat();
    assert!(wire.exchange(&ipv6(PEER6, HOST6, 60, 64, &twice)).is_empty());
}

#[test]
fn ip6_06_without_an_address_of_the_family_a_send_fails() {
    let world = World::new(16);
    let (end, _hand) = devnet_drivers::cable(options().mtu(1200));
    let host = Host::new(&world).with("eth0", end, &["10.0.0.1/24"]);
    let socket = UdpSocket::new(&host.manager.sockets_on("eth0").unwrap());
    for to in ["[fd00::9]:7", "[fe80::9]:7", "[ff02::9]:7"] {
        let outcome = socket.try_send(b"x", Some(to.parse().unwrap()));
        assert!(
            matches!(outcome, Err(Error::NetworkUnreachable | Error::AddressNotAvailable)),
            "{to}: {outcome:?}"
        );
    }
}

#[test]
fn ip6_07_link_local_is_all_of_fe80_10() {
    let world = World::new(17);
    let mut wire = Wire::new(&world);
    for router in ["fe80:0:0:9::1", "febf::1"] {
        let router: Ipv6Addr = router.parse().unwrap();
        wire.host
            .write(
                &wire.host.open("eth0"),
                &format!("address add {}/10", Ipv6Addr::from_bits(router.to_bits() + 1)),
            )
            .unwrap();
        wire.after(Duration::from_secs(2));
        wire.send(&ndp(router, "ff02::1".parse().unwrap(), 134, [64, 0, 1, 0], &[0; 8]));
        wire.after(SHORT);
        let routes = wire.host.control::<ListRoutes>("eth0", &()).unwrap();
        assert!(routes.iter().any(|route| route.gateway == Some(router.into())), "{router}");
    }
}

#[test]
fn ip6_08_a_udp_checksum_of_zero_is_dropped_over_ipv6_only() {
    let world = World::new(18);
    let mut wire = Wire::new(&world);
    let socket = bound(&wire.host, Ipv6Addr::UNSPECIFIED, 7);
    let unsummed = |from: IpAddr, to: IpAddr| {
        let mut datagram = udp_datagram(at(from, 1), at(to, 7), b"x");
        datagram[6..8].fill(0);
        datagram
    };
    wire.exchange(&ipv6(PEER6, HOST6, 17, 64, &unsummed(PEER6.into(), HOST6.into())));
    assert!(!has(&socket));
    wire.exchange(&ipv4(PEER, HOST, 17, &unsummed(PEER.into(), HOST.into())));
    assert!(has(&socket));
}

#[test]
fn ip6_09_a_flow_has_one_label_that_differs_from_others() {
    let world = World::new(19);
    let mut wire = Wire::new(&world);
    let label = |packet: &[u8]| u32::from_be_bytes(packet[..4].try_into().unwrap()) & 0x000f_ffff;
    let mut labels = Vec::new();
    for port in 1000..1020 {
        let socket = bound(&wire.host, HOST6, port);
        wire.frames();
        socket.try_send(b"one", Some(at(PEER6, 9))).unwrap();
        socket.try_send(b"two", Some(at(PEER6, 9))).unwrap();
        let left = packets(wire.frames());
        assert_eq!(label(&left[0]), label(&left[1]));
        labels.push(label(&left[0]));
    }
    labels.sort_unstable();
    labels.dedup();
    assert!(labels.len() == 20 && labels[0] != 0);
}

#[test]
fn ip6_09_a_connection_has_one_label() {
    let world = World::new(29);
    let mut wire = Wire::new(&world);
    let mut labels = Vec::new();
    for port in [80, 81] {
        let sockets = wire.host.sockets();
        wire.frames();
        let connect = world.spawn(async move {
            devnet_network::TcpStream::connect(&sockets, at(PEER6, port)).await.map(drop)
        });
        let sent: Vec<_> = packets(wire.after(Duration::from_secs(5)))
            .into_iter()
            .filter(|one| one[6] == 6)
            .collect();
        let label =
            |packet: &Vec<u8>| u32::from_be_bytes([0, packet[1] & 0xf, packet[2], packet[3]]);
        // The SYN and what repeats it.
        assert!(
            sent.len() >= 2 && sent.iter().all(|packet| label(packet) == label(&sent[0])),
            "{sent:x?}"
        );
        assert_ne!(label(&sent[0]), 0);
        labels.push(label(&sent[0]));
        drop(connect);
    }
    assert_ne!(labels[0], labels[1]);
}

#[test]
fn ip6_10_many_hop_by_hop_options_lose_nothing() {
    let world = World::new(20);
    let mut wire = Wire::new(&world);
    let message = icmpv6(PEER6, HOST6, 128, 0, [0; 4], b"");
    let options: Vec<u8> = (0..15).flat_map(|_| [0x1e, 2, 0, 0]).chain([0; 2]).collect();
    let header = [&[58, 7][..], &options, &message].concat();
    assert_eq!(icmp_kinds(&wire.exchange(&ipv6(PEER6, HOST6, 0, 64, &header))), [(129, 0)]);
}

#[test]
fn src_01_answers_and_sends_have_the_address_of_the_scope() {
    let world = World::new(21);
    let mut wire = Wire::new(&world);
    let socket = UdpSocket::new(&wire.host.sockets());
    for (to, from) in
        [(IpAddr::from(PEER6), IpAddr::from(HOST6)), (PEER_LINK.into(), HOST_LINK.into())]
    {
        wire.frames();
        let on_eth0 = UdpSocket::new(&wire.host.manager.sockets_on("eth0").unwrap());
        on_eth0.try_send(b"x", Some(at(to, 7))).unwrap();
        let left = packets(wire.after(SHORT));
        assert_eq!(IpAddr::from(<[u8; 16]>::try_from(&left[0][8..24]).unwrap()), from, "{to}");
    }
    // Echoes to a group are answered from the address of the asker's scope.
    let left = wire.exchange(&echo6(PEER_LINK, "ff02::1".parse().unwrap()));
    assert_eq!(left[0][8..24], HOST_LINK.octets());
    drop(socket);
}

fn route(
    destination: &str,
    gateway: Option<&str>,
    interface: Option<&str>,
    metric: u32,
    append: bool,
) -> NewRoute {
    NewRoute {
        destination: destination.parse().unwrap(),
        gateway: gateway.map(|text| text.parse().unwrap()),
        metric,
        interface: interface.map(Into::into),
        append,
    }
}

#[test]
fn src_02_routes_need_an_interface_and_a_unicast_gateway_of_the_family_and_go_with_them() {
    let world = World::new(22);
    let two = Two::new(&world, &["10.0.0.1/24"], &["10.1.0.1/24"]);
    for (new, error) in [
        (route("192.0.2.0/24", None, Some("eth9"), 0, false), Error::NoDevice),
        (route("192.0.2.0/24", Some("fd00::9"), Some("eth0"), 0, false), Error::InvalidInput),
        (route("192.0.2.0/24", Some("224.0.0.9"), Some("eth0"), 0, false), Error::InvalidInput),
        (route("192.0.2.0/24", Some("0.0.0.0"), Some("eth0"), 0, false), Error::InvalidInput),
        (
            route("192.0.2.0/24", Some("255.255.255.255"), Some("eth0"), 0, false),
            Error::InvalidInput,
        ),
    ] {
        assert_eq!(two.host.control::<AddRoute>("sockets", &new), Err(error), "{new:?}");
    }
    two.host
        .control::<AddRoute>("sockets", &route("192.0.2.0/24", Some("10.1.0.9"), None, 0, false))
        .unwrap();
    let find = || {
        two.host
            .control::<FindRoute>("sockets", &"192.0.2.1".parse().unwrap())
            .map(|choice| choice.interface)
    };
    assert_eq!(find(), Ok("eth1".into()));
    two.host.manager.unregister("eth1").unwrap();
    assert_eq!(find(), Err(Error::NetworkUnreachable));
}

#[test]
fn src_03_spellings_of_the_default_route_are_one() {
    let world = World::new(23);
    let wire = Wire::new(&world);
    wire.host
        .control::<AddRoute>("eth0", &route("10.0.0.5/0", Some("10.0.0.9"), None, 0, false))
        .unwrap();
    let again = route("0.0.0.0/0", Some("10.0.0.9"), None, 0, false);
    assert_eq!(wire.host.control::<AddRoute>("eth0", &again), Err(Error::AlreadyExists));
    wire.host.write(&wire.host.open("eth0"), "route remove 0.0.0.0/0.0.0.0").unwrap();
    wire.host.control::<AddRoute>("eth0", &again).unwrap();
}

#[test]
fn src_04_of_equal_routes_the_one_whose_gateway_answers() {
    let world = World::new(24);
    let mut wire = Wire::new(&world);
    wire.host
        .control::<AddRoute>("eth0", &route("0.0.0.0/0", Some("10.0.0.77"), None, 0, true))
        .unwrap();
    wire.host
        .control::<AddRoute>("eth0", &route("0.0.0.0/0", Some("10.0.0.9"), None, 0, true))
        .unwrap();
    let far: IpAddr = "192.0.2.1".parse().unwrap();
    let gateway = |wire: &Wire<'_>| {
        wire.host.control::<FindRoute>("sockets", &far).unwrap().gateway.unwrap().to_string()
    };
    let socket = UdpSocket::new(&wire.host.sockets());
    assert_eq!(gateway(&wire), "10.0.0.77");
    socket.try_send(b"lost", Some(at(far, 7))).unwrap();
    wire.after(Duration::from_secs(4));
    assert_eq!(gateway(&wire), "10.0.0.9");
    socket.try_send(b"found", Some(at(far, 7))).unwrap();
    assert!(packets(wire.after(SHORT)).iter().any(|packet| packet.ends_with(b"found")));
    // Later the first one has another chance.
    wire.after(Duration::from_secs(60));
    assert_eq!(gateway(&wire), "10.0.0.77");
}

#[test]
fn src_05_deleting_a_default_route_names_one() {
    let world = World::new(25);
    let two = Two::new(&world, &["10.0.0.1/24"], &["10.1.0.1/24"]);
    two.host
        .control::<AddRoute>("sockets", &route("0.0.0.0/0", Some("10.0.0.9"), None, 1, false))
        .unwrap();
    two.host
        .control::<AddRoute>("sockets", &route("0.0.0.0/0", Some("10.1.0.9"), None, 2, false))
        .unwrap();
    let selector = |interface: &str, gateway: Option<&str>| RouteSelector {
        destination: "0.0.0.0/0".parse().unwrap(),
        gateway: gateway.map(|text| text.parse().unwrap()),
        metric: None,
        interface: Some(interface.into()),
    };
    let remove = |selector: &RouteSelector| two.host.control::<RemoveRoute>("sockets", selector);
    assert_eq!(remove(&selector("eth0", Some("10.1.0.9"))), Err(Error::NoSuchProcess));
    assert_eq!(remove(&selector("eth0", None)), Ok(()));
    assert_eq!(remove(&selector("eth0", None)), Err(Error::NoSuchProcess));
    let choice = two.host.control::<FindRoute>("sockets", &"192.0.2.1".parse().unwrap()).unwrap();
    assert_eq!(choice.interface, "eth1");
}

#[test]
fn src_06_redirects_are_ignored_and_counted() {
    let world = World::new(26);
    let mut wire = Wire::new(&world);
    wire.host
        .control::<AddRoute>("eth0", &route("0.0.0.0/0", Some("10.0.0.9"), None, 0, false))
        .unwrap();
    let quoted = udp(at(HOST, 7), at(Ipv4Addr::new(192, 0, 2, 1), 9), b"");
    let before = (
        wire.host.control::<ListRoutes>("eth0", &()).unwrap(),
        wire.statistics().received_drops.protocol,
    );
    wire.exchange(&ipv4(PEER, HOST, 1, &icmp(5, 1, [10, 0, 0, 66], &quoted)));
    let rest = [PEER6.octets(), "2001:db8::1".parse::<Ipv6Addr>().unwrap().octets()].concat();
    wire.exchange(&ndp(PEER_LINK, HOST_LINK, 137, [0; 4], &rest));
    let after = (
        wire.host.control::<ListRoutes>("eth0", &()).unwrap(),
        wire.statistics().received_drops.protocol,
    );
    assert_eq!(after, (before.0, before.1 + 2));
}

#[test]
fn src_07_what_goes_to_everybody_leaves_by_the_route_or_the_interface_of_the_family() {
    let world = World::new(27);
    let (one, mut first) = devnet_drivers::cable(options().mtu(1200));
    let (two, second) = devnet_drivers::cable(options());
    let host = Host::new(&world).with("eth0", one, &["10.0.0.1/24"]).with(
        "eth1",
        two,
        &["10.1.0.1/24", "fd00::1/64"],
    );
    let mut two = Two { host, hands: [second, devnet_drivers::cable(options()).0] };
    two.left(&world, Duration::from_secs(30));
    let socket = UdpSocket::new(&two.host.sockets());
    // Only the second interface can carry IPv6.
    socket.try_send(b"x", Some("[ff05::9]:7".parse().unwrap())).unwrap();
    assert_eq!(two.left(&world, SHORT)[0].len(), 1);
    // A route decides for IPv4.
    two.host
        .control::<AddRoute>("sockets", &route("0.0.0.0/0", Some("10.1.0.9"), None, 0, false))
        .unwrap();
    let four = UdpSocket::new(&two.host.sockets());
    four.set_broadcast(true);
    four.try_send(b"x", Some("255.255.255.255:7".parse().unwrap())).unwrap();
    four.try_send(b"x", Some("239.1.1.1:7".parse().unwrap())).unwrap();
    assert_eq!(two.left(&world, SHORT)[0].len(), 2);
    let mut pool = FramePool::new();
    let mut elsewhere = Vec::new();
    while let Some(frame) = first.receive(&mut pool) {
        elsewhere.push(frame.bytes().to_vec());
    }
    assert!(packets(elsewhere).iter().all(|packet| packet[0] >> 4 != 4 || packet[9] != 17));
}

#[test]
fn raw_packets_of_own_addresses_are_delivered_inside() {
    let world = World::new(28);
    let mut wire = Wire::new(&world);
    let receiver = RawSocket::ipv4(&wire.host.sockets(), 250).unwrap();
    let sender = RawSocket::ipv4(&wire.host.manager.sockets_on("eth0").unwrap(), 250).unwrap();
    sender.try_send(b"inside", Some(at(HOST, 0))).unwrap();
    assert!(packets(wire.after(SHORT)).is_empty());
    let mut buffer = [0; 100];
    let info = receiver.try_receive_message(&mut buffer).unwrap();
    assert_eq!(&buffer[20..info.copied], b"inside");
}
