//! Pitfalls of neighbors, ARP and NDP (NBR), driven by frames.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::Duration;

use devnet_network::UdpSocket;
use devnet_network::address::HardwareAddress;
use devnet_network::command::address::AddressState;
use devnet_network::command::neighbor::{NeighborEntry, NeighborState};
use devnet_network::command::{ListAddresses, ListNeighbors, ListRoutes, RemoveAddress};
use devnet_virtual_file_system::Error;
use world::World;

use crate::pair::HARDWARE;
use crate::station::{
    HOST, HOST_LINK, HOST6, PEER_LINK, PEER6, Wire, at, icmp, ipv4, ndp, packets, udp, upper,
};

const SHORT: Duration = Duration::from_millis(20);
const SECOND: Duration = Duration::from_secs(1);
const ALL: [u8; 6] = [0xff; 6];
/// A station that nobody knows yet.
const STRANGER: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 50);
const STRANGER6: Ipv6Addr = Ipv6Addr::new(0xfd00, 0, 0, 0, 0, 0, 0, 0x50);
const STATION: [u8; 6] = [2, 0, 0, 0, 0, 0x50];
const ALL_NODES: Ipv6Addr = Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 1);

fn arp(
    to: [u8; 6],
    operation: u8,
    sender: ([u8; 6], Ipv4Addr),
    target: ([u8; 6], Ipv4Addr),
) -> Vec<u8> {
    let head = [&to[..], &sender.0, &[8, 6, 0, 1, 8, 0, 6, 4, 0, operation]].concat();
    [&head[..], &sender.0, &sender.1.octets(), &target.0, &target.1.octets()].concat()
}

fn reply(hardware: [u8; 6], address: Ipv4Addr) -> Vec<u8> {
    arp(HARDWARE.0.0, 2, (hardware, address), (HARDWARE.0.0, HOST))
}

/// ARP requests in frames: destination, sender, target.
fn questions(frames: &[Vec<u8>]) -> Vec<([u8; 6], Ipv4Addr, Ipv4Addr)> {
    let address = |bytes: &[u8]| Ipv4Addr::from(<[u8; 4]>::try_from(bytes).unwrap());
    frames
        .iter()
        .filter(|frame| frame[12..14] == [8, 6] && frame[20..22] == [0, 1])
        .map(|frame| {
            (frame[..6].try_into().unwrap(), address(&frame[28..32]), address(&frame[38..42]))
        })
        .collect()
}

/// Neighbor solicitations and advertisements in frames: type, source, destination, flags, target.
fn talks(frames: Vec<Vec<u8>>) -> Vec<(u8, Ipv6Addr, Ipv6Addr, u8, Ipv6Addr)> {
    let address = |bytes: &[u8]| Ipv6Addr::from(<[u8; 16]>::try_from(bytes).unwrap());
    packets(frames)
        .iter()
        .filter(|packet| packet[0] >> 4 == 6 && packet[6] == 58 && matches!(packet[40], 135 | 136))
        .map(|packet| {
            (
                packet[40],
                address(&packet[8..24]),
                address(&packet[24..40]),
                packet[44],
                address(&packet[48..64]),
            )
        })
        .collect()
}

fn entry(wire: &Wire<'_>, address: impl Into<IpAddr>) -> Option<NeighborEntry> {
    let address = address.into();
    wire.host
        .control::<ListNeighbors>("eth0", &())
        .unwrap()
        .into_iter()
        .find(|entry| entry.address == address)
}

fn state(wire: &Wire<'_>, address: impl Into<IpAddr>) -> Option<(NeighborState, Option<[u8; 6]>)> {
    entry(wire, address).map(|entry| (entry.state, entry.hardware_address.map(|address| address.0)))
}

fn solicited_node(address: Ipv6Addr) -> Ipv6Addr {
    let [.., a, b, c] = address.octets();
    Ipv6Addr::from([0xff, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0xff, a, b, c])
}

fn option(kind: u8, hardware: [u8; 6]) -> Vec<u8> {
    [&[kind, 1][..], &hardware].concat()
}

/// A neighbor advertisement to the host.
fn advertisement(target: Ipv6Addr, flags: u8, option: &[u8]) -> Vec<u8> {
    ndp(target, HOST_LINK, 136, [flags, 0, 0, 0], &[&target.octets()[..], option].concat())
}

const ROUTER: u8 = 0x80;
const SOLICITED: u8 = 0x40;
const OVERRIDE: u8 = 0x20;

fn socket(wire: &Wire<'_>, host: impl Into<IpAddr>) -> UdpSocket {
    let socket = UdpSocket::new(&wire.host.sockets());
    socket.bind(at(host, 0)).unwrap();
    socket
}

#[test]
fn nbr_01_a_flood_for_dead_neighbors_pushes_out_no_others_packets() {
    let world = World::new(1);
    let mut wire = Wire::new(&world);
    let socket = socket(&wire, HOST);
    socket.try_send(b"patient", Some(at(STRANGER, 7))).unwrap();
    for host in 60..250 {
        for _ in 0..20 {
            let _ = socket.try_send(b"dead", Some(at(Ipv4Addr::new(10, 0, 0, host), 7)));
        }
        wire.frames();
    }
    wire.frames();
    wire.send_frame(&reply(STATION, STRANGER));
    let left = packets(wire.after(SHORT));
    assert!(left.iter().any(|packet| packet.ends_with(b"patient")));
}

#[test]
fn nbr_02_one_question_each_second() {
    let world = World::new(2);
    let mut wire = Wire::new(&world);
    let socket = socket(&wire, HOST);
    let mut asked = 0;
    for _ in 0..100 {
        let _ = socket.try_send(b"x", Some(at(STRANGER, 7)));
        asked += questions(&wire.after(SECOND / 10))
            .iter()
            .filter(|(_, _, target)| *target == STRANGER)
            .count();
        let _ = socket.take_error();
    }
    assert!((9..=11).contains(&asked), "{asked} in ten seconds");
}

#[test]
fn nbr_03_forged_sources_displace_neither_gateways_nor_static_entries() {
    let world = World::new(3);
    let mut wire = Wire::with(&world, &["10.0.0.1/8"]);
    wire.host.write(&wire.host.open("eth0"), "route add default via 10.0.0.50").unwrap();
    socket(&wire, HOST).try_send(b"x", Some("192.0.2.1:7".parse().unwrap())).unwrap();
    wire.frames();
    wire.send_frame(&reply(STATION, STRANGER));
    wire.after(SHORT);
    for number in 0..devnet_network::limits::NEIGHBORS as u32 * 2 {
        let forged = Ipv4Addr::from(0x0a10_0000 + number);
        wire.send_frame(&arp(HARDWARE.0.0, 1, ([2, 9, 9, 9, 9, 9], forged), ([0; 6], HOST)));
        if number % 100 == 0 {
            wire.after(Duration::from_millis(1));
        }
    }
    wire.after(SHORT);
    assert_eq!(state(&wire, STRANGER).unwrap().1, Some(STATION));
    assert_eq!(state(&wire, crate::station::PEER).unwrap().0, NeighborState::Permanent);
}

#[test]
fn nbr_04_three_questions_then_the_senders_hear_of_it_and_the_next_send_starts_anew() {
    let world = World::new(4);
    let mut wire = Wire::new(&world);
    let socket = socket(&wire, HOST);
    socket.connect(at(STRANGER, 7)).unwrap();
    socket.try_send(b"x", None).unwrap();
    let asked = questions(&wire.after(5 * SECOND));
    assert_eq!(asked, vec![(ALL, HOST, STRANGER); 3]);
    assert_eq!(socket.try_send(b"x", None), Err(Error::HostUnreachable));
    socket.try_send(b"again", None).unwrap();
    wire.after(SHORT);
    wire.send_frame(&reply(STATION, STRANGER));
    assert!(packets(wire.after(SHORT)).iter().any(|packet| packet.ends_with(b"again")));
}

#[test]
fn nbr_05_waiting_packets_leave_in_order_and_are_not_overtaken() {
    let world = World::new(5);
    let mut wire = Wire::new(&world);
    let socket = socket(&wire, HOST);
    for number in 0..3u8 {
        socket.try_send(&[number], Some(at(STRANGER, 7))).unwrap();
    }
    wire.frames();
    wire.send_frame(&reply(STATION, STRANGER));
    socket.try_send(&[3], Some(at(STRANGER, 7))).unwrap();
    let left: Vec<u8> =
        packets(wire.after(SHORT)).iter().filter(|one| one[9] == 17).map(|one| one[28]).collect();
    assert_eq!(left, [0, 1, 2, 3]);
}

#[test]
fn nbr_06_an_answer_that_waits_in_the_device_counts_before_the_timer() {
    let world = World::new(6);
    let mut wire = Wire::new(&world);
    let socket = socket(&wire, HOST);
    socket.try_send(b"x", Some(at(STRANGER, 7))).unwrap();
    wire.after(2 * SECOND + SECOND / 2);
    wire.send_frame(&reply(STATION, STRANGER));
    // The world first runs whoever was woken, late as it may be for the neighbor.
    assert!(packets(wire.after(2 * SECOND)).iter().any(|packet| packet.ends_with(b"x")));
    assert_eq!(socket.take_error(), None);
}

#[test]
fn nbr_07_a_neighbor_in_use_is_asked_alone() {
    let world = World::new(7);
    let mut wire = Wire::new(&world);
    let socket = socket(&wire, HOST);
    socket.try_send(b"x", Some(at(STRANGER, 7))).unwrap();
    wire.frames();
    wire.send_frame(&reply(STATION, STRANGER));
    let mut asked = Vec::new();
    for _ in 0..120 {
        socket.try_send(b"x", Some(at(STRANGER, 7))).unwrap();
        let new = questions(&wire.after(SECOND));
        if !new.is_empty() {
            wire.send_frame(&reply(STATION, STRANGER));
        }
        asked.extend(new);
    }
    assert!(!asked.is_empty() && asked.len() <= 6, "{asked:?}");
    assert!(asked.iter().all(|(to, ..)| *to == STATION));
    // Nobody asks when nobody sends.
    assert!(questions(&wire.after(120 * SECOND)).is_empty());
}

#[test]
fn nbr_08_gratuitous_arp_updates_and_never_creates() {
    let world = World::new(8);
    let mut wire = Wire::new(&world);
    let other = [2, 0, 0, 0, 0, 0x51];
    for frame in [
        arp(ALL, 1, (STATION, STRANGER), ([0; 6], STRANGER)),
        arp(ALL, 2, (STATION, STRANGER), (STATION, STRANGER)),
        arp(ALL, 1, (STATION, STRANGER), ([0; 6], Ipv4Addr::new(10, 0, 0, 60))),
        reply(STATION, STRANGER),
    ] {
        wire.send_frame(&frame);
        wire.after(SHORT);
        assert_eq!(state(&wire, STRANGER), None);
    }
    wire.send_frame(&arp(ALL, 1, (STATION, STRANGER), ([0; 6], HOST)));
    wire.after(SHORT);
    assert_eq!(state(&wire, STRANGER), Some((NeighborState::Stale, Some(STATION))));
    wire.send_frame(&arp(ALL, 1, (other, STRANGER), ([0; 6], STRANGER)));
    wire.after(SHORT);
    assert_eq!(state(&wire, STRANGER), Some((NeighborState::Stale, Some(other))));
}

fn solicitation(from: Ipv6Addr, to: Ipv6Addr, target: Ipv6Addr, options: &[u8]) -> Vec<u8> {
    ndp(from, to, 135, [0; 4], &[&target.octets()[..], options].concat())
}

#[test]
fn nbr_09_a_question_for_somebody_else_changes_nothing() {
    let world = World::new(9);
    let mut wire = Wire::new(&world);
    let source = option(1, STATION);
    wire.send(&solicitation(STRANGER6, HOST6, "fd00::77".parse().unwrap(), &source));
    assert!(talks(wire.after(SHORT)).is_empty());
    assert_eq!(state(&wire, STRANGER6), None);
    wire.send(&solicitation(STRANGER6, solicited_node(HOST6), HOST6, &source));
    let answer = talks(wire.after(SHORT));
    assert_eq!(answer, [(136, HOST6, STRANGER6, SOLICITED | OVERRIDE, HOST6)]);
    // It was stale, and then used for the answer.
    assert_eq!(state(&wire, STRANGER6), Some((NeighborState::Delay, Some(STATION))));
}

#[test]
fn nbr_10_advertisements_follow_the_table() {
    let world = World::new(10);
    let mut wire = Wire::new(&world);
    let (one, two) = (option(2, STATION), option(2, [2, 0, 0, 0, 0, 0x51]));
    let other = Some([2, 0, 0, 0, 0, 0x51]);
    let hears = |wire: &mut Wire<'_>, flags: u8, option: &[u8]| {
        wire.send(&advertisement(STRANGER6, flags, option));
        wire.after(SHORT);
        state(wire, STRANGER6)
    };
    assert_eq!(hears(&mut wire, SOLICITED | OVERRIDE, &one), None);
    let socket = socket(&wire, HOST6);
    let ask = |wire: &mut Wire<'_>| {
        let _ = socket.try_send(b"x", Some(at(STRANGER6, 7)));
        wire.after(SHORT);
    };
    ask(&mut wire);
    assert_eq!(hears(&mut wire, SOLICITED, &[]).unwrap().0, NeighborState::Incomplete);
    // An unsolicited answer is an answer, whatever its override flag says; the packet that waited
    // leaves.
    assert_eq!(hears(&mut wire, 0, &one), Some((NeighborState::Delay, Some(STATION))));
    assert_eq!(hears(&mut wire, SOLICITED, &one), Some((NeighborState::Reachable, Some(STATION))));
    assert_eq!(hears(&mut wire, SOLICITED, &two), Some((NeighborState::Stale, Some(STATION))));
    assert_eq!(hears(&mut wire, 0, &two), Some((NeighborState::Stale, Some(STATION))));
    assert_eq!(hears(&mut wire, OVERRIDE, &two), Some((NeighborState::Stale, other)));
    assert_eq!(hears(&mut wire, SOLICITED, &[]), Some((NeighborState::Reachable, other)));
    assert_eq!(hears(&mut wire, OVERRIDE, &one), Some((NeighborState::Stale, Some(STATION))));
    assert!(entry(&wire, STRANGER6).is_some_and(|entry| !entry.router));
    hears(&mut wire, SOLICITED | ROUTER, &one);
    assert!(entry(&wire, STRANGER6).is_some_and(|entry| entry.router));
}

#[test]
fn nbr_10_a_router_that_routes_no_more_is_no_default_router() {
    let world = World::new(11);
    let mut wire = Wire::new(&world);
    let router: Ipv6Addr = "fe80::50".parse().unwrap();
    wire.send(&ndp(router, ALL_NODES, 134, [64, 0, 7, 8], &[0; 8]));
    wire.after(SHORT);
    let has = |wire: &Wire<'_>| {
        let routes = wire.host.control::<ListRoutes>("eth0", &()).unwrap();
        routes.iter().any(|route| route.gateway == Some(router.into()))
    };
    assert!(has(&wire));
    let socket = socket(&wire, HOST6);
    socket.try_send(b"x", Some("[2001:db8::1]:7".parse().unwrap())).unwrap();
    wire.after(SHORT);
    wire.send(&advertisement(router, SOLICITED | OVERRIDE | ROUTER, &option(2, STATION)));
    wire.after(SHORT);
    assert!(has(&wire));
    wire.send(&advertisement(router, OVERRIDE, &option(2, STATION)));
    wire.after(SHORT);
    assert!(!has(&wire));
}

#[test]
fn nbr_11_a_newcomers_test_is_answered_to_all_and_leaves_no_entry() {
    let world = World::new(12);
    let mut wire = Wire::new(&world);
    let nobody = Ipv6Addr::UNSPECIFIED;
    let before = wire.host.control::<ListNeighbors>("eth0", &()).unwrap().len();
    wire.send(&solicitation(nobody, solicited_node(HOST6), HOST6, &option(1, STATION)));
    wire.send(&solicitation(nobody, HOST6, HOST6, &[]));
    wire.send(&solicitation(nobody, ALL_NODES, HOST6, &[]));
    assert!(talks(wire.after(SHORT)).is_empty());
    wire.send(&solicitation(nobody, solicited_node(HOST6), HOST6, &[]));
    assert_eq!(talks(wire.after(SHORT)), [(136, HOST6, ALL_NODES, OVERRIDE, HOST6)]);
    assert_eq!(wire.host.control::<ListNeighbors>("eth0", &()).unwrap().len(), before);
}

#[test]
fn nbr_12_an_address_is_tested_before_use_and_given_up_to_whoever_tests_it_too() {
    let world = World::new(13);
    let mut wire = Wire::new(&world);
    let new: Ipv6Addr = "fd00::1234".parse().unwrap();
    let state_of = |wire: &Wire<'_>| {
        let list = wire.host.control::<ListAddresses>("eth0", &()).unwrap();
        list.iter().find(|entry| entry.prefix.address() == IpAddr::V6(new)).map(|entry| entry.state)
    };
    let add = |wire: &Wire<'_>| {
        wire.host.write(&wire.host.open("eth0"), "address add fd00::1234/64").unwrap()
    };
    let remove = |wire: &Wire<'_>| {
        wire.host.control::<RemoveAddress>("eth0", &"fd00::1234/64".parse().unwrap()).unwrap()
    };
    let nobody = Ipv6Addr::UNSPECIFIED;
    add(&wire);
    assert_eq!(state_of(&wire), Some(AddressState::Tentative));
    assert_eq!(talks(wire.frames()), [(135, nobody, solicited_node(new), 0, new)]);
    let unbound = UdpSocket::new(&wire.host.sockets());
    assert_eq!(unbound.bind(at(new, 7)), Err(Error::AddressNotAvailable));
    wire.after(2 * SECOND);
    assert_eq!(state_of(&wire), Some(AddressState::Preferred));
    for objection in [
        solicitation(nobody, solicited_node(new), new, &[]),
        ndp(new, ALL_NODES, 136, [OVERRIDE, 0, 0, 0], &new.octets()),
    ] {
        remove(&wire);
        add(&wire);
        wire.send(&objection);
        wire.after(2 * SECOND);
        assert_eq!(state_of(&wire), Some(AddressState::Duplicated));
    }
}

#[test]
fn nbr_13_the_question_carries_the_source_of_the_packet_that_waits() {
    let world = World::new(14);
    let mut wire = Wire::with(&world, &["fd00::1/64", "fd00::2/64", "fd01::1/64"]);
    for own in ["fd00::1", "fd00::2", "fd01::1"] {
        let own: Ipv6Addr = own.parse().unwrap();
        wire.frames();
        let target = Ipv6Addr::from_bits(
            STRANGER6.to_bits() + u128::from(own.octets()[15]) * 256 + u128::from(own.octets()[1]),
        );
        socket(&wire, own).try_send(b"x", Some(at(target, 7))).unwrap();
        assert_eq!(talks(wire.frames()), [(135, own, solicited_node(target), 0, target)]);
    }
}

#[test]
fn nbr_14_broken_messages_are_dropped_and_strange_options_skipped() {
    let world = World::new(15);
    let mut wire = Wire::new(&world);
    let fine = solicitation(STRANGER6, HOST6, HOST6, &option(1, STATION));
    let mut far = fine.clone();
    far[7] = 254;
    let mut unsound = fine.clone();
    unsound[60] ^= 1;
    let coded = crate::station::ipv6(
        STRANGER6,
        HOST6,
        58,
        255,
        &crate::station::icmpv6(STRANGER6, HOST6, 135, 1, [0; 4], &HOST6.octets()),
    );
    for (what, packet) in [
        ("another hop limit", far),
        ("a wrong sum", unsound),
        ("a code", coded),
        ("too short", ndp(STRANGER6, HOST6, 135, [0; 4], &HOST6.octets()[..12])),
        ("an option of length 0", solicitation(STRANGER6, HOST6, HOST6, &[1, 0, 0, 0, 0, 0, 0, 0])),
        (
            "an option past the end",
            solicitation(STRANGER6, HOST6, HOST6, &[1, 2, 0, 0, 0, 0, 0, 0]),
        ),
        ("a group as target", solicitation(STRANGER6, HOST6, ALL_NODES, &option(1, STATION))),
    ] {
        wire.send(&packet);
        assert!(talks(wire.after(SHORT)).is_empty(), "{what}");
        assert_eq!(state(&wire, STRANGER6), None, "{what}");
    }
    let strange =
        [&[99, 1, 0, 0, 0, 0, 0, 0][..], &[3, 1, 0, 0, 0, 0, 0, 0], &option(1, STATION)].concat();
    wire.send(&solicitation(STRANGER6, HOST6, HOST6, &strange));
    assert_eq!(talks(wire.after(SHORT)).len(), 1);
    // A short prefix option does not cost the advertisement its other words.
    let rest = [&[0; 8][..], &[3, 1, 64, 0xc0, 0, 0, 0, 0], &[5, 1, 0, 0, 0, 0, 5, 0x78]].concat();
    wire.send(&ndp(PEER_LINK, ALL_NODES, 134, [64, 0, 7, 8], &rest));
    wire.after(SHORT);
    let probe = socket(&wire, HOST6);
    probe.connect(at(PEER6, 7)).unwrap();
    assert_eq!(probe.path_mtu(), Ok(1400));
}

#[test]
fn nbr_15_a_removed_address_takes_only_what_depends_on_it() {
    let world = World::new(16);
    let mut wire = Wire::new(&world);
    wire.host.write(&wire.host.open("eth0"), "address add 10.0.0.2/24").unwrap();
    let (kept, gone) = (socket(&wire, HOST), socket(&wire, Ipv4Addr::new(10, 0, 0, 2)));
    let other_family = socket(&wire, HOST6);
    kept.try_send(b"kept", Some(at(STRANGER, 7))).unwrap();
    gone.try_send(b"gone", Some(at(STRANGER, 7))).unwrap();
    other_family.try_send(b"six", Some(at(STRANGER6, 7))).unwrap();
    wire.host.control::<RemoveAddress>("eth0", &"10.0.0.2/24".parse().unwrap()).unwrap();
    wire.frames();
    wire.send_frame(&reply(STATION, STRANGER));
    wire.send(&advertisement(STRANGER6, SOLICITED | OVERRIDE, &option(2, STATION)));
    let left = packets(wire.after(SHORT));
    let sent = |data: &[u8]| left.iter().any(|packet| packet.ends_with(data));
    assert!(sent(b"kept") && sent(b"six") && !sent(b"gone"));
}

#[test]
fn nbr_16_the_times_of_the_router_are_used() {
    let world = World::new(17);
    let mut wire = Wire::new(&world);
    // Reachable for five seconds, questions two seconds apart.
    let rest = [5000u32.to_be_bytes(), 2000u32.to_be_bytes()].concat();
    wire.send(&ndp(PEER_LINK, ALL_NODES, 134, [64, 0, 7, 8], &rest));
    wire.after(SHORT);
    let socket = socket(&wire, HOST6);
    socket.try_send(b"x", Some(at(STRANGER6, 7))).unwrap();
    let mut times = Vec::new();
    let start = world.now();
    for _ in 0..100 {
        if talks(wire.after(SECOND / 10)).iter().any(|talk| talk.0 == 135) {
            times.push((world.now().since(start).as_millis() + 50) / 1000);
        }
    }
    assert_eq!(times, [0, 2, 4]);
    let _ = socket.take_error();
    socket.try_send(b"x", Some(at(STRANGER6, 7))).unwrap();
    wire.send(&advertisement(STRANGER6, SOLICITED | OVERRIDE, &option(2, STATION)));
    wire.after(SHORT);
    assert_eq!(state(&wire, STRANGER6).unwrap().0, NeighborState::Reachable);
    wire.after(5 * SECOND);
    assert_eq!(state(&wire, STRANGER6).unwrap().0, NeighborState::Stale);
}

#[test]
fn nbr_17_a_group_is_nobodys_station() {
    let world = World::new(18);
    let mut wire = Wire::new(&world);
    let socket = socket(&wire, HOST);
    socket.try_send(b"x", Some(at(STRANGER, 7))).unwrap();
    for hardware in [ALL, [1, 0, 0x5e, 0, 0, 1], [0; 6]] {
        wire.send_frame(&{
            let mut frame = reply(hardware, STRANGER);
            frame[6..12].copy_from_slice(&STATION);
            frame
        });
        wire.send(&advertisement(STRANGER6, SOLICITED | OVERRIDE, &option(2, hardware)));
        wire.after(Duration::from_millis(20));
        assert_eq!(state(&wire, STRANGER).unwrap().0, NeighborState::Incomplete);
    }
    for text in ["ff:ff:ff:ff:ff:ff", "01:00:5e:00:00:01", "02:00:00:00:00"] {
        let outcome =
            wire.host.write(&wire.host.open("eth0"), &format!("neighbor add 10.0.0.60 {text}"));
        assert_eq!(outcome, Err(Error::InvalidInput), "{text}");
    }
    assert!(HardwareAddress(STATION).is_unicast());
    let closed = udp(at(crate::station::PEER, 1), at(HOST, 99), b"x");
    assert_eq!(upper(&wire.exchange(&closed)[0]).1[0], 3);
    assert_eq!(
        wire.exchange(&ipv4(crate::station::PEER, HOST, 1, &icmp(8, 0, [0; 4], b""))).len(),
        1
    );
}
