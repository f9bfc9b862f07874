//! Pitfalls of fragmentation and reassembly (FRG), driven by packets.

use std::net::Ipv4Addr;
use std::time::Duration;

use devnet_network::{RawSocket, UdpSocket};
use devnet_virtual_file_system::Error;
use world::{Host, World};

use crate::pair::pattern;
use crate::station::{
    HOST, HOST6, PEER, PEER6, Wire, at, icmp, icmp_kinds, icmpv6, ipv4, ipv4_with, ipv6, packets,
    udp, udp_datagram, upper,
};

const SHORT: Duration = Duration::from_millis(20);

fn bound(host: &Host, port: u16) -> UdpSocket {
    let socket = UdpSocket::new(&host.sockets());
    socket.bind(at(std::net::Ipv6Addr::UNSPECIFIED, port)).unwrap();
    socket
}

fn received(socket: &UdpSocket) -> Option<Vec<u8>> {
    let mut buffer = vec![0; 66_000];
    socket.try_receive_message(&mut buffer).ok().map(|info| buffer[..info.copied].to_vec())
}

/// An IPv4 fragment of a datagram.
fn piece(from: Ipv4Addr, identification: u16, offset: usize, more: bool, data: &[u8]) -> Vec<u8> {
    ipv4_with(from, HOST, 17, data, |packet| {
        packet[4..6].copy_from_slice(&identification.to_be_bytes());
        let word = (offset / 8) as u16 | if more { 0x2000 } else { 0 };
        packet[6..8].copy_from_slice(&word.to_be_bytes());
    })
}

/// An IPv6 fragment of a datagram.
fn piece6(identification: u32, offset: usize, more: bool, next: u8, data: &[u8]) -> Vec<u8> {
    let word = (offset as u16 & !7) | u16::from(more);
    let header =
        [&[next, 0], &word.to_be_bytes()[..], &identification.to_be_bytes(), data].concat();
    ipv6(PEER6, HOST6, 44, 64, &header)
}

fn datagram(data: &[u8]) -> Vec<u8> {
    udp_datagram(at(PEER, 1), at(HOST, 7), data)
}

#[test]
fn frg_01_stray_fragments_block_nobody() {
    let world = World::new(1);
    let mut wire = Wire::new(&world);
    let socket = bound(&wire.host, 7);
    // Many sources, each with fragments that never become whole.
    for host in 20..120u8 {
        for identification in 0..30 {
            wire.send(&piece(Ipv4Addr::new(10, 0, 0, host), identification, 0, true, &[0; 64]));
        }
        wire.after(Duration::from_millis(1));
    }
    let whole = datagram(&pattern(100));
    wire.send(&piece(PEER, 1, 0, true, &whole[..64]));
    wire.send(&piece(PEER, 1, 64, false, &whole[64..]));
    wire.after(SHORT);
    assert_eq!(received(&socket), Some(pattern(100)));
}

#[test]
fn frg_02_fragments_for_others_and_impossible_ones_take_no_slot() {
    let world = World::new(2);
    let mut wire = Wire::new(&world);
    let socket = bound(&wire.host, 7);
    let whole = datagram(&pattern(100));
    wire.send(&piece(PEER, 1, 0, true, &whole[..64]));
    let before = wire.statistics().received_drops;
    for identification in 0..200 {
        let mut foreign = piece(PEER, identification, 0, true, &[0; 8]);
        foreign[19] = 77;
        foreign[10..12].fill(0);
        let checksum = crate::station::sum(&foreign[..20], 0);
        foreign[10..12].copy_from_slice(&checksum.to_be_bytes());
        wire.send(&foreign);
        wire.send(&piece(PEER, identification + 1000, 65_528, true, &[0; 16]));
        wire.send(&piece(PEER, identification + 2000, 0, true, &[0; 7]));
        wire.after(Duration::from_millis(1));
    }
    let after = wire.statistics().received_drops;
    assert_eq!(
        (after.not_for_us - before.not_for_us, after.fragment - before.fragment),
        (200, 400)
    );
    wire.send(&piece(PEER, 1, 64, false, &whole[64..]));
    wire.after(SHORT);
    assert_eq!(received(&socket), Some(pattern(100)));
}

#[test]
fn frg_03_overlaps_discard_the_datagram_and_repeats_do_not() {
    let world = World::new(3);
    let mut wire = Wire::new(&world);
    let socket = bound(&wire.host, 7);
    let whole = datagram(&pattern(100));
    let whole6 = udp_datagram(at(PEER6, 1), at(HOST6, 7), &pattern(100));
    for (repeat, arrives) in [(false, false), (true, true)] {
        let number = 10 + u16::from(repeat);
        let (start, data) = if repeat { (0, &whole[..64]) } else { (56, &[0xaa; 16][..]) };
        wire.send(&piece(PEER, number, 0, true, &whole[..64]));
        wire.send(&piece(PEER, number, start, true, data));
        wire.send(&piece(PEER, number, 64, false, &whole[64..]));
        wire.after(SHORT);
        assert_eq!(received(&socket).is_some(), arrives, "repeat {repeat}");
        let data = if repeat { &whole6[..64] } else { &[0xaa; 16][..] };
        wire.send(&piece6(number.into(), 0, true, 17, &whole6[..64]));
        wire.send(&piece6(number.into(), start, true, 17, data));
        wire.send(&piece6(number.into(), 64, false, 17, &whole6[64..]));
        wire.after(SHORT);
        assert_eq!(received(&socket).is_some(), arrives, "repeat {repeat}");
    }
}

#[test]
fn frg_04_the_header_is_that_of_the_first_fragment() {
    let world = World::new(4);
    let mut wire = Wire::new(&world);
    let raw = RawSocket::ipv4(&wire.host.sockets(), 17).unwrap();
    let socket = bound(&wire.host, 7);
    let whole = datagram(&pattern(100));
    let options = [0x94, 4, 0, 0];
    let first = ipv4_with(PEER, HOST, 17, &[&options, &whole[..64]].concat(), |packet| {
        (packet[0], packet[1], packet[8]) = (0x46, 0xb8, 33);
        packet[4..8].copy_from_slice(&[0, 9, 0x20, 0]);
    });
    // The later one comes first, with another class and time to live.
    wire.send(&piece(PEER, 9, 64, false, &whole[64..]));
    wire.send(&first);
    wire.after(SHORT);
    let mut buffer = vec![0; 2000];
    let info = raw.try_receive_message(&mut buffer).unwrap();
    let packet = &buffer[..info.copied];
    assert_eq!((packet[0], packet[1], packet[8], &packet[20..24]), (0x46, 0xb8, 33, &options[..]));
    assert_eq!(usize::from(u16::from_be_bytes([packet[2], packet[3]])), 24 + whole.len());
    assert_eq!(
        (&packet[6..8], crate::station::sum(&packet[..24], 0), &packet[24..]),
        (&[0, 0][..], 0, &whole[..])
    );
    let info = socket.try_receive_message(&mut buffer).unwrap();
    assert_eq!((info.hop_limit, info.traffic_class, info.length), (33, 0xb8, 100));
}

#[test]
fn frg_05_datagrams_are_told_apart_and_expire_sixty_seconds_after_their_first_fragment() {
    let world = World::new(5);
    let mut wire = Wire::new(&world);
    let socket = bound(&wire.host, 7);
    let (one, two) = (datagram(&[1; 100]), datagram(&[2; 100]));
    // Interleaved, with one identification from two sources and two from one.
    let other = Ipv4Addr::new(10, 0, 0, 8);
    let third = udp_datagram(at(other, 1), at(HOST, 7), &[3; 100]);
    for (offset, range, more) in [(0, 0..64, true), (64, 64..108, false)] {
        wire.send(&piece(PEER, 1, offset, more, &one[range.clone()]));
        wire.send(&piece(PEER, 2, offset, more, &two[range.clone()]));
        wire.send(&piece(other, 1, offset, more, &third[range]));
    }
    wire.after(SHORT);
    let mut all: Vec<_> = std::iter::from_fn(|| received(&socket)).collect();
    all.sort();
    assert_eq!(all, [vec![1; 100], vec![2; 100], vec![3; 100]]);
    // A fragment in between does not prolong it.
    wire.send(&piece(PEER, 3, 0, true, &one[..32]));
    wire.after(Duration::from_secs(40));
    wire.send(&piece(PEER, 3, 32, true, &one[32..64]));
    wire.after(Duration::from_secs(21));
    wire.send(&piece(PEER, 3, 64, false, &one[64..]));
    wire.after(SHORT);
    assert_eq!(received(&socket), None);
}

#[test]
fn frg_06_later_fragments_have_no_ports() {
    let world = World::new(6);
    let mut wire = Wire::new(&world);
    let socket = bound(&wire.host, 7);
    socket.connect(at(PEER, 9)).unwrap();
    // A tail whose data look like the ports of the connected socket, quoted by an error.
    let mut tail = udp(at(HOST, 7), at(PEER, 9), &[0; 20]);
    tail[6..8].copy_from_slice(&[0, 9]);
    wire.exchange(&ipv4(PEER, HOST, 1, &icmp(3, 3, [0; 4], &tail)));
    assert_eq!(socket.take_error(), None);
    // And one that looks like a datagram for it.
    let mut tail = udp(at(PEER, 9), at(HOST, 7), &[0; 20]);
    tail[6..8].copy_from_slice(&[0x20, 9]);
    tail[10..12].fill(0);
    let checksum = crate::station::sum(&tail[..20], 0);
    tail[10..12].copy_from_slice(&checksum.to_be_bytes());
    wire.exchange(&tail);
    assert_eq!(received(&socket), None);
    // A quoted first fragment over IPv6 has them.
    let socket = bound(&wire.host, 8);
    socket.connect(at(PEER6, 9)).unwrap();
    socket.try_send(&pattern(3000), None).unwrap();
    let left = packets(wire.after(SHORT));
    let error = |quoted: &[u8]| {
        ipv6(PEER6, HOST6, 58, 64, &icmpv6(PEER6, HOST6, 1, 4, [0; 4], &quoted[..200]))
    };
    wire.exchange(&error(&left[1]));
    assert_eq!(socket.take_error(), None);
    wire.exchange(&error(&left[0]));
    assert_eq!(socket.take_error(), Some(Error::ConnectionRefused));
}

#[test]
fn frg_07_thousands_of_tiny_fragments_leave_others_alone() {
    let world = World::new(7);
    let mut wire = Wire::new(&world);
    let socket = bound(&wire.host, 7);
    for number in 0..4000 {
        wire.send(&piece(Ipv4Addr::new(10, 0, 0, 66), 5, number * 16, true, &[0; 8]));
        if number % 200 == 0 {
            wire.after(Duration::from_millis(1));
        }
    }
    for length in [0, 1, 7] {
        wire.send(&piece(PEER, 6, 8, true, &vec![0; length]));
    }
    let whole = datagram(&pattern(100));
    wire.send(&piece(PEER, 1, 0, true, &whole[..64]));
    wire.send(&piece(PEER, 1, 64, false, &whole[64..]));
    wire.after(SHORT);
    assert_eq!(received(&socket), Some(pattern(100)));
}

#[test]
fn frg_08_an_atomic_fragment_is_whole_and_joins_no_other() {
    let world = World::new(8);
    let mut wire = Wire::new(&world);
    let socket = bound(&wire.host, 7);
    let (atomic, split) = (
        udp_datagram(at(PEER6, 1), at(HOST6, 7), b"atomic"),
        udp_datagram(at(PEER6, 1), at(HOST6, 7), &pattern(100)),
    );
    wire.send(&piece6(5, 0, true, 17, &split[..64]));
    wire.send(&piece6(5, 0, false, 17, &atomic));
    wire.after(SHORT);
    assert_eq!(received(&socket).as_deref(), Some(&b"atomic"[..]));
    wire.send(&piece6(5, 64, false, 17, &split[64..]));
    wire.after(SHORT);
    assert_eq!(received(&socket), Some(pattern(100)));
}

#[test]
fn frg_09_sums_are_in_place_before_the_cut() {
    let world = World::new(9);
    let mut wire = Wire::new(&world);
    let data = pattern(4000);
    for (host, peer, header) in [(HOST.into(), PEER.into(), 20), (HOST6.into(), PEER6.into(), 48)] {
        let (host, peer): (std::net::IpAddr, std::net::IpAddr) = (host, peer);
        let socket = UdpSocket::new(&wire.host.sockets());
        socket.bind(at(host, 7)).unwrap();
        wire.frames();
        socket.try_send(&data, Some(at(peer, 9))).unwrap();
        let left = packets(wire.after(SHORT));
        let whole: Vec<u8> = left.iter().flat_map(|packet| packet[header..].to_vec()).collect();
        assert!(left.iter().all(|packet| packet.len() <= 1500));
        assert_eq!(whole, udp_datagram(at(host, 7), at(peer, 9), &data), "{host}");
    }
}

#[test]
fn frg_10_what_may_not_be_cut_is_refused_and_raw_fragments_stay_as_they_are() {
    let world = World::new(10);
    let mut wire = Wire::new(&world);
    let socket = bound(&wire.host, 7);
    socket.set_dont_fragment(true);
    wire.frames();
    assert_eq!(socket.try_send(&pattern(1473), Some(at(PEER, 9))), Err(Error::MessageTooLong));
    assert!(packets(wire.after(SHORT)).is_empty());
    let raw = RawSocket::ipv4(&wire.host.sockets(), 255).unwrap();
    let fragment = ipv4_with(HOST, PEER, 17, &[5; 80], |packet| {
        packet[4..8].copy_from_slice(&[0, 0, 0x20, 3])
    });
    raw.try_send(&fragment, None).unwrap();
    assert_eq!(packets(wire.after(SHORT)), [fragment]);
    // A raw packet without a header of its own is cut like any other, and stays whole if that is
    // asked.
    let raw = RawSocket::ipv4(&wire.host.sockets(), 250).unwrap();
    raw.try_send(&pattern(3000), Some(at(PEER, 0))).unwrap();
    let left = packets(wire.after(SHORT));
    assert_eq!((left.len(), upper(&left[0]).0), (3, 250));
    raw.set_dont_fragment(true);
    assert_eq!(raw.try_send(&pattern(3000), Some(at(PEER, 0))), Err(Error::MessageTooLong));
    assert!(icmp_kinds(&packets(wire.after(SHORT))).is_empty());
}
