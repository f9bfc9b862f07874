//! What a frame may be: our own coming back, tags that only carry a priority, and fragments that no
//! host should send (RFC 4862, RFC 7527, IEEE 802.1Q, RFC 8200 §4.5, RFC 1122 §3.3.2).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::Duration;

use devnet_network::UdpSocket;
use devnet_network::command::ListAddresses;
use devnet_network::command::address::AddressState;
use devnet_network::driver::FramePool;
use world::{Host, World};

use crate::pair::{HARDWARE, options};
use crate::station::{
    HOST, HOST6, PEER, PEER_LINK, PEER6, Wire, at, drain, icmp, icmp_kinds, icmpv6, icmpv6_packet,
    ipv4_with, ipv6, ndp, packets, udp, udp_datagram,
};
use crate::wire::transmit;

const SHORT: Duration = Duration::from_millis(20);
const STEP: Duration = Duration::from_millis(10);
const OTHER: [u8; 6] = [2, 0, 0, 0, 0, 0xaa];
const ALL_NODES: Ipv6Addr = Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 1);

/// The states of a host's addresses.
fn states(host: &Host) -> Vec<(IpAddr, AddressState)> {
    let all = host.control::<ListAddresses>("eth0", &()).unwrap();
    all.iter().map(|entry| (entry.prefix.address(), entry.state)).collect()
}

/// Brings a host up on a cable and treats each frame that it sends; `answer` gives what comes
/// back. Advertises fd00:5::/64 at the start.
fn reflected(world: &World, answer: impl Fn(&[u8]) -> Vec<Vec<u8>>) -> Host {
    let (end, mut hand) = devnet_drivers::cable(options());
    let host = Host::new(world).with("eth0", end, &["10.0.0.1/24"]);
    let mut pool = FramePool::new();
    let prefix = [
        &[3, 4, 64, 0xc0, 0, 0, 0xe, 0x10, 0, 0, 0xe, 0x10, 0, 0, 0, 0][..],
        &Ipv6Addr::new(0xfd00, 5, 0, 0, 0, 0, 0, 0).octets(),
    ]
    .concat();
    let rest = [&[0; 8][..], &prefix].concat();
    let packet = ndp(PEER_LINK, ALL_NODES, 134, [64, 0, 7, 8], &rest);
    transmit(&mut hand, &crate::station::frame([0x33, 0x33, 0, 0, 0, 1], &packet));
    for _ in 0..400 {
        world.run(world.sleep(STEP));
        for frame in drain(&mut hand, &mut pool) {
            answer(&frame).iter().for_each(|back| transmit(&mut hand, back));
        }
    }
    host
}

/// True for a solicitation of duplicate address detection.
fn is_probe(frame: &[u8]) -> bool {
    frame[12..14] == [0x86, 0xdd] && frame[20] == 58 && frame[54] == 135 && frame[22..38] == [0; 16]
}

/// The same probe from another station, with another nonce or none.
fn other_probe(frame: &[u8], hardware: [u8; 6], nonce: Option<[u8; 6]>) -> Vec<u8> {
    let address = |at: usize| Ipv6Addr::from(<[u8; 16]>::try_from(&frame[at..at + 16]).unwrap());
    let (group, target) = (address(38), address(62));
    let option = nonce.map(|nonce| [&[14, 1][..], &nonce].concat()).unwrap_or_default();
    let rest = [&target.octets()[..], &option].concat();
    let packet = ndp(Ipv6Addr::UNSPECIFIED, group, 135, [0; 4], &rest);
    [&frame[..6], &hardware, &[0x86, 0xdd], &packet].concat()
}

#[test]
fn our_own_dad_solicitation_comes_back() {
    let world = World::new(1);
    let host = reflected(&world, |frame| match is_probe(frame) {
        true => vec![frame.to_vec(), frame.to_vec()],
        false => vec![],
    });
    let states = states(&host);
    assert_eq!(states.len(), 3);
    assert!(states.iter().all(|(_, state)| *state == AddressState::Preferred), "{states:?}");
}

#[test]
fn everything_that_we_send_comes_back() {
    let world = World::new(2);
    let host = reflected(&world, |frame| vec![frame.to_vec()]);
    let states = states(&host);
    assert_eq!(states.len(), 3);
    assert!(states.iter().all(|(_, state)| *state == AddressState::Preferred), "{states:?}");
}

#[test]
fn a_dad_solicitation_of_another_host_is_a_duplicate() {
    // With our hardware address and another nonce it is one too: two hosts with one hardware
    // address do not work (RFC 7527 §4.2).
    for (hardware, nonce) in [(OTHER, Some([7; 6])), (OTHER, None), (HARDWARE.0.0, Some([7; 6]))] {
        let world = World::new(3);
        let host = reflected(&world, |frame| match is_probe(frame) {
            true => vec![frame.to_vec(), other_probe(frame, hardware, nonce)],
            false => vec![],
        });
        let states = states(&host);
        let duplicates =
            states.iter().filter(|(_, state)| *state == AddressState::Duplicated).count();
        assert_eq!(duplicates, 2, "{hardware:?} {nonce:?} {states:?}");
    }
}

/// A frame with tags in front of its ethertype.
fn tagged(frame: &[u8], tags: &[[u8; 4]]) -> Vec<u8> {
    [&frame[..12], &tags.concat(), &frame[12..]].concat()
}

#[test]
fn priority_tagged_frames() {
    let priority = [0x81, 0, 0xa0, 0];
    let cases: [(&[[u8; 4]], bool); 7] = [
        (&[priority], true),
        (&[[0x81, 0, 0xb0, 0]], true),
        (&[[0x88, 0xa8, 0xa0, 0]], true),
        (&[priority, priority], true),
        (&[[0x81, 0, 0xa0, 5]], false),
        (&[priority, [0x81, 0, 0, 5]], false),
        (&[priority, priority, priority], false),
    ];
    let world = World::new(4);
    let mut wire = Wire::new(&world);
    let socket = UdpSocket::new(&wire.host.sockets());
    socket.bind("0.0.0.0:7".parse().unwrap()).unwrap();
    let echo = crate::station::ipv4(PEER, HOST, 1, &icmp(8, 0, [0, 1, 0, 1], b"x"));
    let echo6 = icmpv6_packet(PEER6, HOST6, 128, 0, [0, 1, 0, 1], b"x");
    let request = [
        &[0xff; 6][..],
        &HARDWARE.1.0,
        &[8, 6, 0, 1, 8, 0, 6, 4, 0, 1],
        &HARDWARE.1.0,
        &PEER.octets(),
        &[0; 6],
        &HOST.octets(),
    ]
    .concat();
    for (tags, is_taken) in cases {
        let frames = [&echo, &echo6].map(|packet| crate::station::frame(HARDWARE.0.0, packet));
        let datagram = crate::station::frame(HARDWARE.0.0, &udp(at(PEER, 1), at(HOST, 7), b"hi"));
        let before = wire.statistics().received_drops;
        wire.frames();
        for frame in frames.iter().chain([&datagram, &request]) {
            wire.send_frame(&tagged(frame, tags));
        }
        let back = wire.after(SHORT);
        assert_eq!(back.len(), if is_taken { 3 } else { 0 }, "{tags:?}");
        let mut buffer = [0; 9];
        assert_eq!(socket.try_receive_message(&mut buffer).is_ok(), is_taken, "{tags:?}");
        let after = wire.statistics().received_drops;
        let dropped = after.not_for_us + after.protocol - before.not_for_us - before.protocol;
        assert_eq!(dropped, if is_taken { 0 } else { 4 }, "{tags:?}");
        // Our own frames carry no tag.
        assert!(back.iter().all(|frame| frame[12] != 0x81));
    }
    // Cut inside the tag.
    let before = wire.statistics().received_drops.malformed;
    for length in [14, 15, 16, 17] {
        let whole = tagged(&crate::station::frame(HARDWARE.0.0, &echo), &[priority]);
        wire.send_frame(&whole[..length]);
    }
    assert!(wire.after(SHORT).is_empty());
    assert_eq!(wire.statistics().received_drops.malformed, before + 4);
}

/// An IPv6 fragment to the host.
fn fragment(number: u32, offset: usize, more: bool, next: u8, data: &[u8]) -> Vec<u8> {
    ipv6(PEER6, HOST6, 44, 64, &fragment_header(number, offset, more, next, data))
}

fn fragment_header(number: u32, offset: usize, more: bool, next: u8, data: &[u8]) -> Vec<u8> {
    let word = (offset as u16 & !7) | u16::from(more);
    [&[next, 0], &word.to_be_bytes()[..], &number.to_be_bytes(), data].concat()
}

/// Parameter problems among packets: code and pointer.
fn problems(packets: &[Vec<u8>]) -> Vec<(u8, u32)> {
    packets
        .iter()
        .filter(|packet| packet[0] >> 4 == 6 && packet[6] == 58 && packet[40] == 4)
        .map(|packet| (packet[41], u32::from_be_bytes(packet[44..48].try_into().unwrap())))
        .collect()
}

/// An options header of eight bytes.
const fn padding(next: u8) -> [u8; 8] {
    [next, 0, 1, 4, 0, 0, 0, 0]
}

fn bound(host: &Host, port: u16) -> UdpSocket {
    let socket = UdpSocket::new(&host.sockets());
    socket.bind(at(Ipv6Addr::UNSPECIFIED, port)).unwrap();
    socket
}

fn received(socket: &UdpSocket) -> Option<Vec<u8>> {
    let mut buffer = vec![0; 66_000];
    socket.try_receive_message(&mut buffer).ok().map(|info| buffer[..info.copied].to_vec())
}

#[test]
fn first_fragment_without_the_whole_header_chain() {
    let world = World::new(5);
    let mut wire = Wire::new(&world);
    let socket = bound(&wire.host, 7);
    let whole = udp_datagram(at(PEER6, 1), at(HOST6, 7), &[5; 24]);
    let two = [padding(60), padding(17)].concat();
    // Nothing of the datagram, a part of its header, an extension header that is cut, none of it.
    let long = [17, 1, 1, 12, 0, 0, 0, 0];
    let cut: [(u8, &[u8]); 5] =
        [(60, &two), (60, &long), (6, &[0; 16]), (60, &padding(6)), (60, &padding(60))];
    for (number, (next, data)) in (0..).zip(cut) {
        let back = wire.exchange(&fragment(number, 0, true, next, data));
        assert_eq!(problems(&back), [(3, 0)], "case {number}");
        let back = wire.exchange(&fragment(number, data.len(), false, next, &whole));
        assert!(back.is_empty(), "case {number}");
    }
    // Hop-by-hop and routing headers before the fragment header change nothing.
    let chain = |rest: &[u8]| [&padding(43)[..], &[44, 0, 4, 0, 0, 0, 0, 0], rest].concat();
    let first = chain(&fragment_header(77, 0, true, 60, &padding(60)));
    assert_eq!(problems(&wire.exchange(&ipv6(PEER6, HOST6, 0, 64, &first))), [(3, 0)]);
    assert_eq!(received(&socket), None);
    // An ICMPv6 error is short and never cut (RFC 4443 §2.4 (c)), so this is none. What came to a
    // group is not answered.
    assert_eq!(problems(&wire.exchange(&fragment(88, 0, true, 58, &[]))), [(3, 0)]);
    let group = ipv6(PEER6, ALL_NODES, 44, 64, &fragment_header(9, 0, true, 60, &padding(60)));
    assert!(wire.exchange(&group).is_empty());
}

#[test]
fn a_first_fragment_with_the_whole_header_chain_is_kept() {
    let world = World::new(6);
    let mut wire = Wire::new(&world);
    let socket = bound(&wire.host, 7);
    let whole = udp_datagram(at(PEER6, 1), at(HOST6, 7), &[5; 24]);
    assert!(wire.exchange(&fragment(1, 0, true, 17, &whole[..8])).is_empty());
    assert!(wire.exchange(&fragment(1, 8, false, 17, &whole[8..])).is_empty());
    assert_eq!(received(&socket), Some(vec![5; 24]));
    // Options behind the fragment header are part of the datagram (RFC 8200 §4.5).
    let with_options = [&padding(60)[..], &padding(17), &whole].concat();
    assert!(wire.exchange(&fragment(2, 0, true, 60, &with_options[..24])).is_empty());
    assert!(wire.exchange(&fragment(2, 24, false, 60, &with_options[24..])).is_empty());
    assert_eq!(received(&socket), Some(vec![5; 24]));
    // An unknown option in them that asks for an error gets it, once the datagram is whole.
    let refused = [&[17, 0, 0x80, 4, 0, 0, 0, 0][..], &whole].concat();
    assert!(wire.exchange(&fragment(3, 0, true, 60, &refused[..16])).is_empty());
    assert_eq!(problems(&wire.exchange(&fragment(3, 16, false, 60, &refused[16..]))), [(2, 42)]);
    assert_eq!(received(&socket), None);
    // A fragment inside a fragment is nothing that anybody sends.
    let nested = fragment_header(4, 0, true, 17, &whole[..16]);
    assert!(wire.exchange(&fragment(5, 0, true, 44, &nested)).is_empty());
    let last = fragment(5, nested.len(), false, 44, &[0; 8]);
    assert!(wire.exchange(&last).is_empty());
    assert_eq!(received(&socket), None);
}

#[test]
fn fragments_of_impossible_lengths_are_reported() {
    let world = World::new(7);
    let mut wire = Wire::new(&world);
    // RFC 8200 §4.5: the pointer names the payload length, or the fragment offset.
    assert_eq!(problems(&wire.exchange(&fragment(1, 0, true, 17, &[0; 15]))), [(0, 4)]);
    assert_eq!(problems(&wire.exchange(&fragment(2, 800, true, 17, &[0; 15]))), [(0, 4)]);
    assert_eq!(problems(&wire.exchange(&fragment(3, 65_528, false, 17, &[0; 16]))), [(0, 42)]);
    assert_eq!(problems(&wire.exchange(&fragment(4, 65_528, false, 17, &[0; 8]))), [(0, 42)]);
    // An ICMPv6 error is short and never cut (RFC 4443 §2.4 (c)): this is none.
    assert_eq!(problems(&wire.exchange(&fragment(7, 65_528, false, 58, &[0; 16]))), [(0, 42)]);
    assert!(wire.exchange(&fragment(5, 65_520, false, 17, &[0; 15])).is_empty());
    // A header in front moves the fragment header.
    let moved = [&padding(44)[..], &fragment_header(6, 65_528, false, 17, &[0; 16])].concat();
    assert_eq!(problems(&wire.exchange(&ipv6(PEER6, HOST6, 60, 64, &moved))), [(0, 50)]);
    // Not about what shows that it is an ICMPv6 error.
    assert!(wire.exchange(&fragment(8, 0, true, 58, &[1; 15])).is_empty());
    let group = ipv6(PEER6, ALL_NODES, 44, 64, &fragment_header(9, 0, true, 17, &[0; 15]));
    assert!(wire.exchange(&group).is_empty());
}

/// An IPv4 fragment to somebody.
fn piece(
    to: Ipv4Addr,
    protocol: u8,
    number: u16,
    offset: usize,
    more: bool,
    data: &[u8],
) -> Vec<u8> {
    ipv4_with(PEER, to, protocol, data, |packet| {
        packet[4..6].copy_from_slice(&number.to_be_bytes());
        let word = (offset / 8) as u16 | if more { 0x2000 } else { 0 };
        packet[6..8].copy_from_slice(&word.to_be_bytes());
    })
}

/// What leaves within 70 seconds of a packet's arrival, and when.
fn timed_out(wire: &mut Wire<'_>, frames: &[Vec<u8>]) -> Vec<(Duration, Vec<u8>)> {
    wire.frames();
    frames.iter().for_each(|frame| wire.send_frame(frame));
    let start = wire.world.now();
    let mut seen = Vec::new();
    while wire.world.now().since(start) < Duration::from_secs(70) {
        let frames = wire.after(Duration::from_secs(1));
        let time = wire.world.now().since(start);
        seen.extend(packets(frames).into_iter().map(|packet| (time, packet)));
    }
    seen.retain(|(_, packet)| !icmp_kinds(std::slice::from_ref(packet)).is_empty());
    seen
}

#[test]
fn reassembly_time_exceeded() {
    let world = World::new(8);
    let mut wire = Wire::new(&world);
    let to_us = |packet: &[u8]| crate::station::frame(HARDWARE.0.0, packet);
    let first = piece(HOST, 17, 1, 0, true, &[7; 64]);
    let seen =
        timed_out(&mut wire, &[to_us(&first), to_us(&piece(HOST, 17, 1, 128, true, &[7; 64]))]);
    let [(time, answer)] = &seen[..] else { panic!("one message, not {seen:?}") };
    assert!((60..=62).contains(&time.as_secs()));
    assert_eq!((answer[20], answer[21], &answer[16..20]), (11, 1, &PEER.octets()[..]));
    assert_eq!(answer[28..], first, "the first fragment is quoted");
    let first = fragment(1, 0, true, 17, &[7; 64]);
    let seen = timed_out(&mut wire, &[to_us(&first)]);
    let [(_, answer)] = &seen[..] else { panic!("one message, not {seen:?}") };
    assert_eq!((answer[40], answer[41], &answer[24..40]), (3, 1, &PEER6.octets()[..]));
    assert_eq!(answer[48..], first);
    // Extension headers and options are quoted as they came.
    let optional = [&padding(44)[..], &fragment_header(2, 0, true, 17, &[7; 64])].concat();
    let first = ipv6(PEER6, HOST6, 60, 64, &optional);
    assert_eq!(timed_out(&mut wire, &[to_us(&first)])[0].1[48..], first);
}

#[test]
fn reassembly_times_out_in_silence() {
    let world = World::new(9);
    let mut wire = Wire::new(&world);
    let to_us = |packet: &[u8]| crate::station::frame(HARDWARE.0.0, packet);
    let to_all = |packet: &[u8]| crate::station::frame([0xff; 6], packet);
    let to_group = |packet: &[u8]| crate::station::frame([0x33, 0x33, 0, 0, 0, 1], packet);
    let group = ipv6(PEER6, ALL_NODES, 44, 64, &fragment_header(9, 0, true, 17, &[7; 64]));
    let error = icmp(3, 3, [0; 4], &[7; 56]);
    let error6 = icmpv6(PEER6, HOST6, 1, 4, [0; 4], &[7; 56]);
    let silent = [
        // A middle and a last fragment, broadcasts, a group, and ICMP errors.
        to_us(&piece(HOST, 17, 1, 64, true, &[7; 64])),
        to_us(&piece(HOST, 17, 2, 64, false, &[7; 64])),
        to_us(&fragment(3, 64, true, 17, &[7; 64])),
        to_all(&piece(Ipv4Addr::new(10, 0, 0, 255), 17, 4, 0, true, &[7; 64])),
        to_all(&piece(Ipv4Addr::BROADCAST, 17, 5, 0, true, &[7; 64])),
        to_group(&group),
        to_us(&piece(HOST, 1, 6, 0, true, &error)),
        to_us(&fragment(7, 0, true, 58, &error6)),
    ];
    let before = wire.statistics().received_drops.fragment;
    assert_eq!(timed_out(&mut wire, &silent), []);
    assert_eq!(wire.statistics().received_drops.fragment - before, 8);
    // What became whole is no error either, and what had to give way for others is none.
    let whole = udp_datagram(at(PEER, 1), at(HOST, 7), &[5; 120]);
    let _socket = bound(&wire.host, 7);
    let mut frames = vec![
        to_us(&piece(HOST, 17, 8, 0, true, &whole[..64])),
        to_us(&piece(HOST, 17, 8, 64, false, &whole[64..])),
    ];
    frames.extend((100..200).map(|number| to_us(&piece(HOST, 17, number, 0, true, &[7; 64]))));
    let seen = timed_out(&mut wire, &frames);
    assert!(seen.len() <= 16, "{}", seen.len());
}

/// An ARP message from a station, to everybody.
pub(crate) fn arp(operation: u8, hardware: [u8; 6], sender: Ipv4Addr, target: Ipv4Addr) -> Vec<u8> {
    let head = [&[0xff; 6][..], &hardware, &[8, 6, 0, 1, 8, 0, 6, 4, 0, operation]].concat();
    [&head[..], &hardware, &sender.octets(), &[0; 6], &target.octets()].concat()
}

/// Announcements of an address among frames.
fn announcements(frames: &[Vec<u8>], address: Ipv4Addr) -> usize {
    let wanted = address.octets();
    frames
        .iter()
        .filter(|frame| {
            frame[12..14] == [8, 6] && frame[28..32] == wanted && frame[38..42] == wanted
        })
        .count()
}

#[test]
fn a_conflict_with_a_static_address_is_defended_and_reported() {
    let world = World::new(10);
    let mut wire = Wire::with(&world, &["10.0.0.1/24", "10.0.0.3/24"]);
    let third = Ipv4Addr::new(10, 0, 0, 3);
    let watcher = crate::events::watching(&wire.host, "eth0", "address");
    let mut conflict = |address: Ipv4Addr, wait: u64| {
        wire.send_frame(&arp(1, OTHER, address, address));
        let frames = wire.after(Duration::from_secs(wait));
        announcements(&frames, address)
    };
    // Once in ten seconds per address (RFC 5227 §2.4 (c)), and the address stays.
    assert_eq!([conflict(HOST, 3), conflict(HOST, 3), conflict(third, 1)], [1, 0, 1]);
    assert_eq!(conflict(HOST, 20), 0);
    assert_eq!(conflict(HOST, 15), 1);
    assert_eq!(conflict(HOST, 15), 1);
    assert_eq!(states(&wire.host).iter().filter(|(address, _)| address.is_ipv4()).count(), 2);
    let records = crate::events::told(&watcher);
    let reports: Vec<_> = records.iter().filter(|line| line.contains("conflict")).collect();
    assert!(!reports.is_empty(), "{records:?}");
    assert!(reports.iter().all(|line| line.contains("02:00:00:00:00:aa")), "{reports:?}");
}

#[test]
fn congestion_that_a_fragment_experienced() {
    let world = World::new(11);
    let mut wire = Wire::new(&world);
    let socket = bound(&wire.host, 7);
    let whole = udp_datagram(at(PEER, 1), at(HOST, 7), &[5; 120]);
    let whole6 = udp_datagram(at(PEER6, 1), at(HOST6, 7), &[5; 120]);
    // ECN fields of both fragments, and of the datagram (RFC 3168 §5.3).
    let cases = [((2, 3), Some(3)), ((3, 1), Some(3)), ((1, 1), Some(1)), ((0, 3), None)];
    for (number, (marks, expected)) in (0..).zip(cases) {
        let mark = |mut packet: Vec<u8>, mark: u8| match packet[0] >> 4 {
            4 => {
                packet[1] = mark;
                packet[10..12].fill(0);
                let sum = crate::station::sum(&packet[..20], 0);
                packet[10..12].copy_from_slice(&sum.to_be_bytes());
                packet
            }
            _ => {
                packet[1] = mark << 4;
                packet
            }
        };
        let pairs = [
            [
                piece(HOST, 17, number, 0, true, &whole[..64]),
                piece(HOST, 17, number, 64, false, &whole[64..]),
            ],
            [
                fragment(number.into(), 0, true, 17, &whole6[..64]),
                fragment(number.into(), 64, false, 17, &whole6[64..]),
            ],
        ];
        for [first, second] in pairs {
            wire.send(&mark(first, marks.0));
            wire.send(&mark(second, marks.1));
            wire.after(SHORT);
            let mut buffer = [0; 200];
            let received = socket.try_receive_message(&mut buffer).ok();
            assert_eq!(received.map(|info| info.traffic_class), expected, "{marks:?}");
        }
    }
}
