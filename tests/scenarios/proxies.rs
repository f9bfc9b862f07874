//! Answering for addresses of others: proxy ARP and proxy NDP, driven by frames.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::Duration;

use devnet_network::command::{AddProxy, ListGroups, ListNeighbors, ListProxies, RemoveProxy};
use devnet_virtual_file_system::Error;
use world::World;

use crate::pair::HARDWARE;
use crate::station::{HOST6, PEER, PEER6, Wire, icmp, icmpv6, ipv4, ipv6, ndp, packets};

const SHORT: Duration = Duration::from_millis(20);
const SECOND: Duration = Duration::from_secs(1);
const OTHER: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 60);
const OTHER6: Ipv6Addr = Ipv6Addr::new(0xfd00, 0, 0, 0, 0, 0, 0, 0x60);
const ALL_NODES: Ipv6Addr = Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 1);
const GROUP: Ipv6Addr = Ipv6Addr::new(0xff02, 0, 0, 0, 0, 1, 0xff00, 0x60);

fn add(wire: &Wire<'_>, address: impl Into<IpAddr>) -> Result<bool, Error> {
    wire.host.control::<AddProxy>("eth0", &address.into())
}

/// An ARP request of the peer.
fn request(to: [u8; 6], sender: Ipv4Addr, target: Ipv4Addr) -> Vec<u8> {
    let peer = HARDWARE.1.0;
    let head = [&to[..], &peer, &[8, 6, 0, 1, 8, 0, 6, 4, 0, 1]].concat();
    [&head[..], &peer, &sender.octets(), &[0; 6], &target.octets()].concat()
}

/// The senders of ARP replies in frames, with their hardware addresses.
fn replies(frames: &[Vec<u8>]) -> Vec<([u8; 6], Ipv4Addr)> {
    frames
        .iter()
        .filter(|frame| frame[12..14] == [8, 6] && frame[20..22] == [0, 2])
        .map(|frame| {
            let address: [u8; 4] = frame[28..32].try_into().unwrap();
            (frame[22..28].try_into().unwrap(), Ipv4Addr::from(address))
        })
        .collect()
}

/// Neighbor advertisements in frames: source, destination, flags, target, hardware address.
fn advertisements(frames: Vec<Vec<u8>>) -> Vec<(Ipv6Addr, Ipv6Addr, u8, Ipv6Addr, Vec<u8>)> {
    let address = |bytes: &[u8]| Ipv6Addr::from(<[u8; 16]>::try_from(bytes).unwrap());
    packets(frames)
        .iter()
        .filter(|packet| packet[0] >> 4 == 6 && packet[6] == 58 && packet[40] == 136)
        .map(|packet| {
            let (source, to) = (address(&packet[8..24]), address(&packet[24..40]));
            (source, to, packet[44], address(&packet[48..64]), packet[64..].to_vec())
        })
        .collect()
}

fn solicitation(from: Ipv6Addr, to: Ipv6Addr, target: Ipv6Addr) -> Vec<u8> {
    let mut rest = target.octets().to_vec();
    if !from.is_unspecified() {
        rest.extend([1, 1]);
        rest.extend(HARDWARE.1.0);
    }
    ndp(from, to, 135, [0; 4], &rest)
}

#[test]
fn arp_requests_are_answered_for_others() {
    let world = World::new(1);
    let mut wire = Wire::new(&world);
    assert_eq!(add(&wire, OTHER), Ok(true));
    assert_eq!(add(&wire, OTHER), Ok(false));
    wire.after(SHORT);
    for to in [[0xff; 6], HARDWARE.0.0] {
        wire.send_frame(&request(to, PEER, OTHER));
        assert_eq!(replies(&wire.after(SHORT)), [(HARDWARE.0.0, OTHER)]);
    }
    // Neither a probe nor an announcement, nor what asks for a third host.
    for (sender, target) in
        [(Ipv4Addr::UNSPECIFIED, OTHER), (OTHER, OTHER), (PEER, Ipv4Addr::new(10, 0, 0, 61))]
    {
        wire.send_frame(&request([0xff; 6], sender, target));
        assert_eq!(replies(&wire.after(SECOND)), [], "{sender} {target}");
    }
    // What is sent there stays unanswered: the address is not ours.
    wire.send(&ipv4(PEER, OTHER, 1, &icmp(8, 0, [0, 1, 0, 1], b"data")));
    assert!(packets(wire.after(SHORT)).is_empty());
    // Off is off, and so is what is removed.
    wire.host.write(&wire.host.open("eth0"), "link arp off").unwrap();
    wire.send_frame(&request([0xff; 6], PEER, OTHER));
    assert_eq!(replies(&wire.after(SHORT)), []);
    wire.host.write(&wire.host.open("eth0"), "link arp on").unwrap();
    let other = IpAddr::V4(OTHER);
    assert_eq!(wire.host.control::<RemoveProxy>("eth0", &other), Ok(()));
    assert_eq!(wire.host.control::<RemoveProxy>("eth0", &other), Err(Error::NotFound));
    wire.send_frame(&request([0xff; 6], PEER, OTHER));
    assert_eq!(replies(&wire.after(SHORT)), []);
}

#[test]
fn solicitations_are_answered_for_others_without_override() {
    let world = World::new(2);
    let mut wire = Wire::new(&world);
    assert_eq!(add(&wire, OTHER6), Ok(true));
    // The solicited-node group of the address is joined.
    let groups = wire.host.control::<ListGroups>("eth0", &()).unwrap();
    assert!(groups.iter().any(|entry| entry.group == IpAddr::V6(GROUP)));
    wire.after(SECOND * 5);
    let option = [&[2, 1][..], &HARDWARE.0.0].concat();
    // To everybody of the group: within a second, not at once.
    wire.send(&solicitation(PEER6, GROUP, OTHER6));
    assert_eq!(advertisements(wire.after(Duration::from_millis(1))), []);
    // The same question has one answer.
    wire.send(&solicitation(PEER6, GROUP, OTHER6));
    let expected = [(HOST6, PEER6, 0x40, OTHER6, option.clone())];
    assert_eq!(advertisements(wire.after(SECOND)), expected);
    // To us alone: at once.
    wire.send(&solicitation(PEER6, OTHER6, OTHER6));
    assert_eq!(advertisements(wire.after(SHORT)), expected);
    // Who tests the address hears at once that it is taken, as everybody does.
    wire.send(&solicitation(Ipv6Addr::UNSPECIFIED, GROUP, OTHER6));
    let heard = advertisements(wire.after(SHORT));
    assert_eq!(heard.len(), 1);
    let (source, to, flags, target, hardware) = heard[0].clone();
    assert!(!source.is_unspecified() && source != OTHER6);
    assert_eq!((to, flags, target, hardware), (ALL_NODES, 0, OTHER6, option));
    // Another message to the address is not ours, and nobody answers an echo.
    let echo = icmpv6(PEER6, OTHER6, 128, 0, [0, 1, 0, 1], b"data");
    wire.send(&ipv6(PEER6, OTHER6, 58, 255, &echo));
    assert!(packets(wire.after(SECOND)).iter().all(|packet| packet[40] != 129));
    // The last answer goes with the address, and so does the group.
    wire.send(&solicitation(PEER6, GROUP, OTHER6));
    wire.after(Duration::from_millis(1));
    wire.host.write(&wire.host.open("eth0"), "neighbor proxy remove fd00::60").unwrap();
    assert_eq!(advertisements(wire.after(SECOND)), []);
    let groups = wire.host.control::<ListGroups>("eth0", &()).unwrap();
    assert!(!groups.iter().any(|entry| entry.group == IpAddr::V6(GROUP)));
    wire.send(&solicitation(PEER6, OTHER6, OTHER6));
    assert_eq!(advertisements(wire.after(SECOND)), []);
}

#[test]
fn both_tables_are_bounded_and_refuse_what_no_host_has() {
    let world = World::new(3);
    let mut wire = Wire::new(&world);
    for wrong in ["0.0.0.0", "224.0.0.1", "255.255.255.255", "127.0.0.1", "::", "ff02::1", "::1"] {
        let address: IpAddr = wrong.parse().unwrap();
        assert_eq!(add(&wire, address), Err(Error::InvalidInput), "{wrong}");
    }
    let lo = wire.host.control::<AddProxy>("lo", &IpAddr::V4(OTHER));
    assert_eq!(lo, Err(Error::InvalidInput));
    for last in 0..64 {
        assert_eq!(add(&wire, Ipv6Addr::new(0xfd00, 0, 0, 0, 0, 0, 1, last)), Ok(true));
    }
    assert_eq!(add(&wire, OTHER), Err(Error::NoBufferSpace));
    assert_eq!(wire.host.control::<ListProxies>("sockets", &()).unwrap().len(), 64);
    wire.after(SECOND * 5);
    // Answers to strangers are bounded, and the link goes down with them.
    let target = Ipv6Addr::new(0xfd00, 0, 0, 0, 0, 0, 1, 7);
    let group = Ipv6Addr::new(0xff02, 0, 0, 0, 0, 1, 0xff01, 7);
    for last in 0x100..0x164 {
        let from = Ipv6Addr::new(0xfd00, 0, 0, 0, 0, 0, 0, last);
        wire.send(&solicitation(from, group, target));
    }
    let answers = advertisements(wire.after(SECOND * 2)).len();
    assert!((1..=64).contains(&answers), "{answers}");
    let known = wire.host.control::<ListNeighbors>("eth0", &()).unwrap();
    assert!(!known.iter().any(|entry| entry.address == IpAddr::V6(target)));
    wire.send(&solicitation(PEER6, group, target));
    assert_eq!(advertisements(wire.after(Duration::from_millis(1))), []);
    wire.host.write(&wire.host.open("eth0"), "link down").unwrap();
    wire.host.write(&wire.host.open("eth0"), "link up").unwrap();
    assert!(advertisements(wire.after(SECOND * 2)).iter().all(|heard| heard.3 != target));
}
