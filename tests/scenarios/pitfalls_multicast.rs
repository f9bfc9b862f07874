//! Pitfalls of multicast membership (MC), driven by packets.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::Duration;

use devnet_network::UdpSocket;
use devnet_network::command::{ListGroups, SetAdvertisement, SetEnabled, interface::Advertisement};
use devnet_virtual_file_system::Error;
use world::{Host, World};

use crate::pair::{hosts, options};
use crate::station::{
    PEER, PEER_LINK, PEER6, Wire, at, frame, icmpv6, ipv4_with, ipv6, packets, sum, udp,
};

const GROUP: Ipv4Addr = Ipv4Addr::new(239, 1, 2, 3);
const GROUP6: Ipv6Addr = Ipv6Addr::new(0xff05, 0, 0, 0, 0, 0, 0, 0x77);
const REPORTERS: Ipv4Addr = Ipv4Addr::new(224, 0, 0, 22);
const REPORTERS6: Ipv6Addr = Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 0x16);

const IS_MEMBER: u8 = 2;
pub(crate) const LEFT: u8 = 3;
pub(crate) const JOINED: u8 = 4;

pub(crate) fn socket(host: &Host, port: u16) -> UdpSocket {
    let socket = UdpSocket::new(&host.sockets());
    socket.set_reuse_address(true).unwrap();
    socket.bind(at(Ipv6Addr::UNSPECIFIED, port)).unwrap();
    socket
}

/// What the host says to routers: destination, type, and each record with its group (or the one
/// group of an old report).
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) struct Said {
    to: IpAddr,
    kind: u8,
    pub(crate) records: Vec<(u8, IpAddr)>,
}

pub(crate) fn said(frames: Vec<Vec<u8>>) -> Vec<Said> {
    packets(frames).iter().filter_map(|packet| said_by(packet)).collect()
}

fn said_by(packet: &[u8]) -> Option<Said> {
    if packet[0] >> 4 == 4 {
        if packet[9] != 2 {
            return None;
        }
        // MC-02: router alert, a hop limit of one, right sums.
        assert_eq!(
            (packet[0], packet[8], &packet[20..24]),
            (0x46, 1, &[0x94, 4, 0, 0][..]),
            "{packet:x?}"
        );
        assert_eq!((sum(&packet[..24], 0), sum(&packet[24..], 0)), (0, 0));
        let to = IpAddr::from(<[u8; 4]>::try_from(&packet[16..20]).unwrap());
        let message = &packet[24..];
        let group = |bytes: &[u8]| IpAddr::from(<[u8; 4]>::try_from(&bytes[..4]).unwrap());
        let records = match message[0] {
            0x22 => message[8..].chunks(8).map(|record| (record[0], group(&record[4..]))).collect(),
            _ => vec![(0, group(&message[4..]))],
        };
        return Some(Said { to, kind: message[0], records });
    }
    if packet[6] != 0 || packet[40] != 58 || ![131, 132, 143].contains(&packet[48]) {
        return None;
    }
    assert_eq!((packet[7], &packet[40..48]), (1, &[58, 0, 5, 2, 0, 0, 1, 0][..]), "{packet:x?}");
    let to = IpAddr::from(<[u8; 16]>::try_from(&packet[24..40]).unwrap());
    let message = &packet[48..];
    let group = |bytes: &[u8]| IpAddr::from(<[u8; 16]>::try_from(&bytes[..16]).unwrap());
    let records = match message[0] {
        143 => message[8..].chunks(20).map(|record| (record[0], group(&record[4..]))).collect(),
        _ => vec![(0, group(&message[8..]))],
    };
    Some(Said { to, kind: message[0], records })
}

/// Without the groups that the host's addresses imply.
pub(crate) fn of_group(said: Vec<Said>, group: impl Into<IpAddr>) -> Vec<Said> {
    let group = group.into();
    said.into_iter().filter(|one| one.records.iter().any(|(_, known)| *known == group)).collect()
}

fn one(to: impl Into<IpAddr>, kind: u8, record: u8, group: impl Into<IpAddr>) -> Said {
    Said { to: to.into(), kind, records: vec![(record, group.into())] }
}

fn igmp(kind: u8, code: u8, group: Ipv4Addr, rest: &[u8]) -> Vec<u8> {
    let mut message = [&[kind, code, 0, 0], &group.octets()[..], rest].concat();
    let checksum = sum(&message, 0);
    message[2..4].copy_from_slice(&checksum.to_be_bytes());
    message
}

fn igmp_packet(to: Ipv4Addr, message: &[u8]) -> Vec<u8> {
    let inner = [&[0x94, 4, 0, 0], message].concat();
    ipv4_with(PEER, to, 2, &inner, |packet| (packet[0], packet[8]) = (0x46, 1))
}

fn mld(from: Ipv6Addr, to: Ipv6Addr, kind: u8, word: [u8; 4], rest: &[u8]) -> Vec<u8> {
    let inner = [&[58, 0, 5, 2, 0, 0, 0, 0], &icmpv6(from, to, kind, 0, word, rest)[..]].concat();
    ipv6(from, to, 0, 1, &inner)
}

impl Wire<'_> {
    fn send_to_group(&mut self, packet: &[u8]) {
        self.send_frame(&frame([0x01, 0, 0x5e, 0, 0, 1], packet));
    }

    fn query(&mut self, code: u8, group: Ipv4Addr, rest: &[u8]) {
        let to = if group.is_unspecified() { Ipv4Addr::new(224, 0, 0, 1) } else { group };
        self.send_to_group(&igmp_packet(to, &igmp(0x11, code, group, rest)));
    }

    fn query6(&mut self, milliseconds: u16, rest: &[u8]) {
        let [high, low] = milliseconds.to_be_bytes();
        let to = Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 1);
        let rest = [&[0; 16], rest].concat();
        self.send_to_group(&mld(PEER_LINK, to, 130, [high, low, 0, 0], &rest));
    }
}

const SECOND: Duration = Duration::from_secs(1);

#[test]
fn mc_01_joins_and_leaves_are_said_twice_within_a_second() {
    let world = World::new(1);
    let mut wire = Wire::new(&world);
    let socket = socket(&wire.host, 7);
    for (group, to, kind) in [
        (IpAddr::from(GROUP), IpAddr::from(REPORTERS), 0x22),
        (GROUP6.into(), REPORTERS6.into(), 143),
    ] {
        for (record, name) in [(JOINED, "join"), (LEFT, "leave")] {
            match record {
                JOINED => socket.join_group(group, Some("eth0")).unwrap(),
                _ => socket.leave_group(group, Some("eth0")).unwrap(),
            }
            let now = of_group(said(wire.after(Duration::ZERO)), group);
            let later = of_group(said(wire.after(SECOND)), group);
            assert_eq!(
                [now, later].concat(),
                vec![one(to, kind, record, group); 2],
                "{name} {group}"
            );
            assert!(of_group(said(wire.after(20 * SECOND)), group).is_empty());
        }
    }
}

#[test]
fn mc_01_a_report_that_finds_no_room_is_said_later() {
    let world = World::new(2);
    let (end, mut hand) = devnet_drivers::cable(options().capacity(4));
    let host = Host::new(&world).with("eth0", end, &["10.0.0.1/24"]);
    host.write(&host.open("eth0"), "neighbor add 10.0.0.9 02:00:00:00:00:09").unwrap();
    world.run(world.sleep(20 * SECOND));
    let socket = socket(&host, 7);
    while socket.try_send(b"fills", Some(at(PEER, 9))).is_ok() {}
    socket.join_group(GROUP.into(), Some("eth0")).unwrap();
    let mut pool = devnet_network::driver::FramePool::new();
    let mut left = Vec::new();
    for _ in 0..200 {
        left.extend(crate::station::drain(&mut hand, &mut pool));
        world.run(world.sleep(SECOND / 20));
    }
    let reports = of_group(said(left), GROUP);
    assert_eq!(reports, vec![one(REPORTERS, 0x22, JOINED, GROUP); 2]);
}

#[test]
fn mc_03_answers_are_spread_and_reports_of_others_suppress_ours() {
    let world = World::new(3);
    let mut wire = Wire::new(&world);
    let socket = socket(&wire.host, 7);
    socket.join_group(GROUP.into(), Some("eth0")).unwrap();
    socket.join_group(GROUP6.into(), Some("eth0")).unwrap();
    wire.after(20 * SECOND);
    // The times of answers to one query differ, and all lie within its limit.
    let mut times = Vec::new();
    for _ in 0..8 {
        wire.query(100, Ipv4Addr::UNSPECIFIED, &[2, 20, 0, 0]);
        let asked = world.now();
        let mut answer = Vec::new();
        while answer.is_empty() {
            answer = of_group(said(wire.after(SECOND / 10)), GROUP);
        }
        assert_eq!(answer, [one(REPORTERS, 0x22, IS_MEMBER, GROUP)]);
        times.push(world.now().since(asked).as_millis() / 100);
        assert!(world.now().since(asked) <= 10 * SECOND + SECOND / 5);
    }
    times.sort_unstable();
    times.dedup();
    assert!(times.len() >= 5, "{times:?}");
    // To queriers of version 2 a report of somebody else is enough.
    wire.query(100, Ipv4Addr::UNSPECIFIED, &[]);
    wire.send_to_group(&igmp_packet(GROUP, &igmp(0x16, 0, GROUP, &[])));
    assert!(of_group(said(wire.after(11 * SECOND)), GROUP).is_empty());
    wire.query(100, GROUP, &[]);
    assert_eq!(of_group(said(wire.after(11 * SECOND)), GROUP), [one(GROUP, 0x16, 0, GROUP)]);
    wire.query6(10_000, &[]);
    wire.send_to_group(&mld(PEER_LINK, GROUP6, 131, [0; 4], &GROUP6.octets()));
    assert!(of_group(said(wire.after(11 * SECOND)), GROUP6).is_empty());
}

#[test]
fn mc_04_the_time_of_a_version_2_query_is_linear() {
    let world = World::new(4);
    let mut wire = Wire::new(&world);
    let socket = socket(&wire.host, 7);
    socket.join_group(GROUP.into(), Some("eth0")).unwrap();
    wire.after(20 * SECOND);
    for _ in 0..5 {
        // 20 seconds, which the floating form would make 307.
        wire.query(200, Ipv4Addr::UNSPECIFIED, &[]);
        assert_eq!(of_group(said(wire.after(21 * SECOND)), GROUP), [one(GROUP, 0x16, 0, GROUP)]);
    }
}

#[test]
fn mc_05_a_version_1_querier_is_spoken_to_in_its_words_for_400_seconds() {
    let world = World::new(5);
    let mut wire = Wire::new(&world);
    let socket = socket(&wire.host, 7);
    wire.query(0, Ipv4Addr::UNSPECIFIED, &[]);
    wire.after(SECOND);
    socket.join_group(GROUP.into(), Some("eth0")).unwrap();
    assert_eq!(of_group(said(wire.after(21 * SECOND)), GROUP), vec![one(GROUP, 0x12, 0, GROUP); 2]);
    socket.leave_group(GROUP.into(), Some("eth0")).unwrap();
    assert!(of_group(said(wire.after(21 * SECOND)), GROUP).is_empty());
    // A younger query meanwhile changes nothing.
    wire.query(100, Ipv4Addr::UNSPECIFIED, &[2, 20, 0, 0]);
    wire.after(300 * SECOND);
    socket.join_group(GROUP.into(), Some("eth0")).unwrap();
    assert_eq!(of_group(said(wire.after(21 * SECOND)), GROUP)[0].kind, 0x12);
    socket.leave_group(GROUP.into(), Some("eth0")).unwrap();
    wire.after(60 * SECOND);
    socket.join_group(GROUP.into(), Some("eth0")).unwrap();
    assert_eq!(of_group(said(wire.after(5 * SECOND)), GROUP)[0].kind, 0x22);
}

#[test]
fn mc_05_a_version_2_querier_hears_of_leaves() {
    let world = World::new(6);
    let mut wire = Wire::new(&world);
    let socket = socket(&wire.host, 7);
    wire.query(10, Ipv4Addr::UNSPECIFIED, &[]);
    wire.after(2 * SECOND);
    socket.join_group(GROUP.into(), Some("eth0")).unwrap();
    wire.after(21 * SECOND);
    socket.leave_group(GROUP.into(), Some("eth0")).unwrap();
    let leave = one(Ipv4Addr::new(224, 0, 0, 2), 0x17, 0, GROUP);
    assert_eq!(of_group(said(wire.after(21 * SECOND)), GROUP), [leave]);
    // Somebody else reported last: he will say when he leaves.
    socket.join_group(GROUP.into(), Some("eth0")).unwrap();
    wire.after(21 * SECOND);
    wire.send_to_group(&igmp_packet(GROUP, &igmp(0x16, 0, GROUP, &[])));
    wire.after(SECOND);
    socket.leave_group(GROUP.into(), Some("eth0")).unwrap();
    assert!(of_group(said(wire.after(21 * SECOND)), GROUP).is_empty());
}

#[test]
fn mc_06_queries_of_mld_version_1_are_answered_in_version_1() {
    let world = World::new(7);
    let mut wire = Wire::new(&world);
    let socket = socket(&wire.host, 7);
    socket.join_group(GROUP6.into(), Some("eth0")).unwrap();
    wire.after(20 * SECOND);
    wire.query6(1000, &[]);
    assert_eq!(of_group(said(wire.after(2 * SECOND)), GROUP6), [one(GROUP6, 131, 0, GROUP6)]);
    socket.leave_group(GROUP6.into(), Some("eth0")).unwrap();
    let routers = Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 2);
    assert_eq!(of_group(said(wire.after(2 * SECOND)), GROUP6), [one(routers, 132, 0, GROUP6)]);
}

#[test]
fn mc_07_queries_that_may_have_crossed_a_router_are_ignored() {
    let world = World::new(8);
    let mut wire = Wire::new(&world);
    let socket = socket(&wire.host, 7);
    socket.join_group(GROUP6.into(), Some("eth0")).unwrap();
    wire.after(20 * SECOND);
    let to = Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 1);
    let rest = [0; 20];
    let fine = mld(PEER_LINK, to, 130, [0, 100, 0, 0], &rest);
    let mut far = fine.clone();
    far[7] = 2;
    let without_alert =
        ipv6(PEER_LINK, to, 58, 1, &icmpv6(PEER_LINK, to, 130, 0, [0, 100, 0, 0], &rest));
    for (what, packet) in [
        ("a global source", mld(PEER6, to, 130, [0, 100, 0, 0], &rest)),
        ("a hop limit of two", far),
        ("no router alert", without_alert),
    ] {
        wire.send_to_group(&packet);
        assert!(said(wire.after(2 * SECOND)).is_empty(), "{what}");
    }
    wire.send_to_group(&fine);
    assert_eq!(of_group(said(wire.after(2 * SECOND)), GROUP6)[0].records[0].0, IS_MEMBER);
}

#[test]
fn mc_08_groups_of_all_nodes_stay_unsaid_and_those_of_addresses_do_not() {
    let world = World::new(9);
    let mut wire = Wire::new(&world);
    let socket = socket(&wire.host, 7);
    for group in ["224.0.0.1", "ff02::1", "ff01::5", "ff00::5"] {
        socket.join_group(group.parse().unwrap(), Some("eth0")).unwrap();
        assert!(said(wire.after(12 * SECOND)).is_empty(), "{group}");
        socket.leave_group(group.parse().unwrap(), Some("eth0")).unwrap();
        assert!(said(wire.after(12 * SECOND)).is_empty(), "{group}");
    }
    // Without any socket the groups of our addresses are there, and take nothing from the user's
    // limit.
    let solicited: Ipv6Addr = "ff02::1:ff00:1".parse().unwrap();
    wire.query6(1000, &[0; 4]);
    let answer = said(wire.after(2 * SECOND));
    assert_eq!(answer, [one(REPORTERS6, 143, IS_MEMBER, solicited)]);
    wire.host.write(&wire.host.open("eth0"), "address add fd00::77:1234/64").unwrap();
    let new: Ipv6Addr = "ff02::1:ff77:1234".parse().unwrap();
    let reports = of_group(said(wire.after(3 * SECOND)), new);
    assert_eq!(reports[0], one(REPORTERS6, 143, JOINED, new));
    wire.host.write(&wire.host.open("eth0"), "address remove fd00::77:1234/64").unwrap();
    assert_eq!(
        of_group(said(wire.after(3 * SECOND)), new),
        vec![one(REPORTERS6, 143, LEFT, new); 2]
    );
}

#[test]
fn a_router_is_in_the_group_of_routers() {
    let world = World::new(10);
    let wire = Wire::new(&world);
    let routers: IpAddr = "ff02::2".parse().unwrap();
    let is_in = || {
        wire.host
            .control::<ListGroups>("eth0", &())
            .unwrap()
            .iter()
            .any(|entry| entry.group == routers)
    };
    assert!(!is_in());
    let what = Advertisement { prefix: "fd00:9::/64".parse().unwrap(), dns_servers: vec![] };
    wire.host.control::<SetAdvertisement>("eth0", &Some(what)).unwrap();
    assert!(is_in());
    wire.host.control::<SetAdvertisement>("eth0", &None).unwrap();
    assert!(!is_in());
}

#[test]
fn mc_09_a_group_that_was_left_is_not_answered_for() {
    let world = World::new(11);
    let mut wire = Wire::new(&world);
    let socket = socket(&wire.host, 7);
    let kept = Ipv4Addr::new(239, 9, 9, 9);
    socket.join_group(GROUP.into(), Some("eth0")).unwrap();
    socket.join_group(kept.into(), Some("eth0")).unwrap();
    wire.after(20 * SECOND);
    wire.query(100, Ipv4Addr::UNSPECIFIED, &[]);
    socket.leave_group(GROUP.into(), Some("eth0")).unwrap();
    let reports = said(wire.after(11 * SECOND));
    assert!(
        !reports.contains(&one(GROUP, 0x16, 0, GROUP))
            && reports.contains(&one(kept, 0x16, 0, kept))
    );
    // What comes for it is for others.
    let before = wire.statistics().received_drops.not_for_us;
    wire.send_to_group(&udp(at(PEER, 1), at(GROUP, 7), b"x"));
    wire.after(SECOND);
    assert_eq!(wire.statistics().received_drops.not_for_us, before + 1);
}

#[test]
fn mc_10_reports_are_split_to_the_mtu() {
    let world = World::new(12);
    let mut wire = Wire::new(&world);
    let sockets: Vec<UdpSocket> = (0..5).map(|_| socket(&wire.host, 7)).collect();
    for (number, socket) in sockets.iter().enumerate() {
        for host in 0..50u8 {
            let number = number as u8;
            socket.join_group(Ipv4Addr::new(239, 5, number, host).into(), Some("eth0")).unwrap();
        }
    }
    for socket in &sockets[..1] {
        for host in 0..14u16 {
            socket
                .join_group(Ipv6Addr::new(0xff05, 0, 0, 0, 0, 0, 9, host).into(), Some("eth0"))
                .unwrap();
        }
    }
    let limit = sockets[0].join_group(GROUP.into(), Some("eth0"));
    assert_eq!(limit, Err(Error::NoBufferSpace));
    wire.after(20 * SECOND);
    wire.query(10, Ipv4Addr::UNSPECIFIED, &[2, 20, 0, 0]);
    let reports: Vec<_> =
        said(wire.after(2 * SECOND)).into_iter().filter(|one| one.kind == 0x22).collect();
    assert_eq!(reports.iter().map(|one| one.records.len()).collect::<Vec<_>>(), [183, 67]);
}

#[test]
fn mc_11_memberships_count_per_socket_and_survive_the_link() {
    let world = World::new(13);
    let mut wire = Wire::new(&world);
    let (first, second) = (socket(&wire.host, 7), socket(&wire.host, 7));
    let group = IpAddr::from(GROUP);
    first.join_group(group, Some("eth0")).unwrap();
    second.join_group(group, Some("eth0")).unwrap();
    assert_eq!(first.join_group(group, Some("eth0")), Err(Error::AddressInUse));
    assert_eq!(first.join_group(group, Some("eth9")), Err(Error::NoDevice));
    assert_eq!(first.join_group(PEER.into(), Some("eth0")), Err(Error::InvalidInput));
    assert_eq!(
        first.leave_group("239.7.7.7".parse().unwrap(), Some("eth0")),
        Err(Error::AddressNotAvailable)
    );
    let count = |host: &Host| {
        let groups = host.control::<ListGroups>("eth0", &()).unwrap();
        groups.iter().find(|entry| entry.group == group).map(|entry| entry.sockets)
    };
    assert_eq!(count(&wire.host), Some(2));
    wire.after(12 * SECOND);
    first.leave_group(group, Some("eth0")).unwrap();
    assert!(of_group(said(wire.after(12 * SECOND)), GROUP).is_empty());
    // The interface goes and comes.
    wire.host.control::<SetEnabled>("eth0", &false).unwrap();
    wire.after(SECOND);
    wire.host.control::<SetEnabled>("eth0", &true).unwrap();
    let again = of_group(said(wire.after(12 * SECOND)), GROUP);
    assert_eq!(again.len(), 2, "{again:?}");
    assert!(again.iter().all(|one| one.records.contains(&(JOINED, group))));
    // Closing the last socket leaves.
    drop(second);
    assert_eq!(
        of_group(said(wire.after(12 * SECOND)), GROUP),
        vec![one(REPORTERS, 0x22, LEFT, GROUP); 2]
    );
    assert_eq!(count(&wire.host), None);
    // Text says the same.
    let file = wire.host.open("eth0");
    wire.host.write(&file, "socket udp\njoin 239.1.2.3").unwrap();
    assert_eq!(count(&wire.host), Some(1));
    let status = world.run(async {
        String::from_utf8(wire.host.open("eth0").read_to_end(9000).await.unwrap()).unwrap()
    });
    assert!(
        status.contains("group 239.1.2.3 sockets 1\n")
            && status.contains("group ff02::1 sockets 0\n"),
        "{status}"
    );
    drop(file);
    assert_eq!(count(&wire.host), None);
}

#[test]
fn mc_12_sends_stay_on_the_link_and_members_here_hear_them_unless_told_not_to() {
    let world = World::new(14);
    let mut wire = Wire::new(&world);
    let (sender, member) = (socket(&wire.host, 8), socket(&wire.host, 7));
    let received =
        |socket: &UdpSocket| socket.try_receive_message(&mut [0; 9]).ok().map(|info| info.local);
    for group in [IpAddr::from(GROUP), GROUP6.into()] {
        member.join_group(group, Some("eth0")).unwrap();
        wire.after(12 * SECOND);
        sender.set_multicast_interface(Some("eth0")).unwrap();
        sender.set_multicast_hop_limit(1);
        sender.set_multicast_loop(true);
        sender.try_send(b"x", Some(at(group, 7))).unwrap();
        let left = packets(wire.after(SECOND));
        let hops = if group.is_ipv4() { left[0][8] } else { left[0][7] };
        assert_eq!((left.len(), hops), (1, 1), "{group}");
        assert_eq!(received(&member), Some(at(group, 7)));
        assert_eq!(received(&member), None);
        sender.set_multicast_loop(false);
        sender.set_multicast_hop_limit(9);
        sender.try_send(b"x", Some(at(group, 7))).unwrap();
        let left = packets(wire.after(SECOND));
        assert_eq!(if group.is_ipv4() { left[0][8] } else { left[0][7] }, 9);
        assert_eq!(received(&member), None);
        // Zero hops: this system only.
        sender.set_multicast_loop(true);
        sender.set_multicast_hop_limit(0);
        sender.try_send(b"x", Some(at(group, 7))).unwrap();
        assert!(packets(wire.after(SECOND)).is_empty());
        assert!(received(&member).is_some());
    }
}

#[test]
fn several_receivers_of_a_group_all_get_it_and_only_on_its_interface() {
    let world = World::new(15);
    let (left, right) = hosts(&world);
    world.run(async {
        let (first, second) = (socket(&right, 7), socket(&right, 7));
        // Without a name the route decides.
        first.join_group(GROUP.into(), None).unwrap();
        let named = UdpSocket::new(&right.sockets());
        named.set_reuse_address(true).unwrap();
        named.bind(at(GROUP, 7)).unwrap();
        let sender = UdpSocket::new(&left.sockets_on_eth0());
        sender.send_to(b"all", at(GROUP, 7)).await.unwrap();
        for socket in [&first, &second, &named] {
            let message = socket.receive().await.unwrap();
            assert_eq!((message.data.as_slice(), message.local), (&b"all"[..], at(GROUP, 7)));
            assert_eq!((message.interface, message.hop_limit), (2, 1));
        }
        // To our own address the one that is bound to the group is deaf.
        sender.send_to(b"one", "10.0.0.2:7".parse().unwrap()).await.unwrap();
        assert_eq!(second.receive().await.unwrap().data, b"one");
        assert!(futures_lite::future::poll_once(named.receive()).await.is_none());
    });
}

trait OnEth0 {
    fn sockets_on_eth0(&self) -> devnet_network::Sockets;
}

impl OnEth0 for Host {
    fn sockets_on_eth0(&self) -> devnet_network::Sockets {
        self.manager.sockets_on("eth0").unwrap()
    }
}

#[test]
fn groups_of_the_loopback_interface_are_told_to_nobody() {
    let world = World::new(16);
    let host = Host::new(&world);
    let (sender, member) = (socket(&host, 8), socket(&host, 7));
    member.join_group(GROUP.into(), Some("lo")).unwrap();
    sender.set_multicast_interface(Some("lo")).unwrap();
    world.run(async {
        sender.send_to(b"inside", at(GROUP, 7)).await.unwrap();
        assert_eq!(member.receive().await.unwrap().data, b"inside");
        world.sleep(SECOND).await;
        assert!(futures_lite::future::poll_once(member.receive()).await.is_none());
    });
}
