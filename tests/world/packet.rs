//! Packets as bytes, by the book.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

/// The Internet checksum of bytes, with a start value, by the book (RFC 1071 §4.1).
#[must_use]
pub fn sum(bytes: &[u8], start: u32) -> u16 {
    let words = bytes
        .chunks(2)
        .map(|word| u32::from(word[0]) << 8 | u32::from(word.get(1).copied().unwrap_or(0)));
    let mut sum = words.sum::<u32>() + start;
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    !(sum as u16)
}

/// An IPv4 header without options in front of a payload, after a change to it; the checksum comes
/// last.
#[must_use]
pub fn ipv4_with(
    from: Ipv4Addr,
    to: Ipv4Addr,
    protocol: u8,
    payload: &[u8],
    change: impl FnOnce(&mut Vec<u8>),
) -> Vec<u8> {
    let mut packet = vec![0x45, 0, 0, 0, 0, 1, 0, 0, 64, protocol, 0, 0];
    packet.extend_from_slice(&from.octets());
    packet.extend_from_slice(&to.octets());
    packet.extend_from_slice(payload);
    let total = packet.len() as u16;
    packet[2..4].copy_from_slice(&total.to_be_bytes());
    change(&mut packet);
    let header = usize::from(packet[0] & 0xf) * 4;
    let checksum = sum(&packet[..header], 0);
    packet[10..12].copy_from_slice(&checksum.to_be_bytes());
    packet
}

/// The same without a change.
#[must_use]
pub fn ipv4(from: Ipv4Addr, to: Ipv4Addr, protocol: u8, payload: &[u8]) -> Vec<u8> {
    ipv4_with(from, to, protocol, payload, |_| {})
}

/// An IPv6 header in front of a payload.
#[must_use]
pub fn ipv6(from: Ipv6Addr, to: Ipv6Addr, next: u8, hop_limit: u8, payload: &[u8]) -> Vec<u8> {
    let mut packet = vec![0x60, 0, 0, 0];
    packet.extend_from_slice(&(payload.len() as u16).to_be_bytes());
    packet.extend_from_slice(&[next, hop_limit]);
    packet.extend_from_slice(&from.octets());
    packet.extend_from_slice(&to.octets());
    packet.extend_from_slice(payload);
    packet
}

fn pseudo(from: IpAddr, to: IpAddr, protocol: u8, length: usize) -> u32 {
    let bytes = match (from, to) {
        (IpAddr::V4(from), IpAddr::V4(to)) => [from.octets(), to.octets()].concat(),
        (IpAddr::V6(from), IpAddr::V6(to)) => [from.octets(), to.octets()].concat(),
        _ => panic!("two families"),
    };
    u32::from(!sum(&bytes, 0)) + u32::from(protocol) + length as u32
}

/// A UDP packet with its checksum.
#[must_use]
pub fn udp(from: SocketAddr, to: SocketAddr, data: &[u8]) -> Vec<u8> {
    let datagram = udp_datagram(from, to, data);
    match (from.ip(), to.ip()) {
        (IpAddr::V4(from), IpAddr::V4(to)) => ipv4(from, to, 17, &datagram),
        (IpAddr::V6(from), IpAddr::V6(to)) => ipv6(from, to, 17, 64, &datagram),
        _ => panic!("two families"),
    }
}

/// A UDP header with its checksum, and data.
#[must_use]
pub fn udp_datagram(from: SocketAddr, to: SocketAddr, data: &[u8]) -> Vec<u8> {
    let length = (data.len() + 8) as u16;
    let mut datagram = [from.port(), to.port(), length, 0].map(u16::to_be_bytes).concat();
    datagram.extend_from_slice(data);
    let checksum = sum(&datagram, pseudo(from.ip(), to.ip(), 17, datagram.len()));
    datagram[6..8].copy_from_slice(&checksum.to_be_bytes());
    datagram
}

/// An ICMP message: type, code, the four bytes behind the checksum, and the rest.
#[must_use]
pub fn icmp(kind: u8, code: u8, word: [u8; 4], rest: &[u8]) -> Vec<u8> {
    let mut message = [&[kind, code, 0, 0], &word[..], rest].concat();
    let checksum = sum(&message, 0);
    message[2..4].copy_from_slice(&checksum.to_be_bytes());
    message
}

/// The same for ICMPv6.
#[must_use]
pub fn icmpv6(
    from: Ipv6Addr,
    to: Ipv6Addr,
    kind: u8,
    code: u8,
    word: [u8; 4],
    rest: &[u8],
) -> Vec<u8> {
    let mut message = [&[kind, code, 0, 0], &word[..], rest].concat();
    let checksum = sum(&message, pseudo(from.into(), to.into(), 58, message.len()));
    message[2..4].copy_from_slice(&checksum.to_be_bytes());
    message
}

/// A whole ICMPv6 packet with a hop limit of 64.
#[must_use]
pub fn icmpv6_packet(
    from: Ipv6Addr,
    to: Ipv6Addr,
    kind: u8,
    code: u8,
    word: [u8; 4],
    rest: &[u8],
) -> Vec<u8> {
    ipv6(from, to, 58, 64, &icmpv6(from, to, kind, code, word, rest))
}

/// A neighbor discovery packet.
#[must_use]
pub fn ndp(from: Ipv6Addr, to: Ipv6Addr, kind: u8, word: [u8; 4], rest: &[u8]) -> Vec<u8> {
    ipv6(from, to, 58, 255, &icmpv6(from, to, kind, 0, word, rest))
}

/// An address with a port.
#[must_use]
pub fn at(address: impl Into<IpAddr>, port: u16) -> SocketAddr {
    SocketAddr::new(address.into(), port)
}

/// All nodes of a link.
pub const ALL_NODES: Ipv6Addr = Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 1);

/// An advertisement of one of many routers, with all that routers advertise: a lifetime in seconds,
/// a prefix, a route, a name server, a link-layer address.
#[must_use]
pub fn advertisement(number: u32, hardware: [u8; 6], lifetime: u16) -> Vec<u8> {
    let [high, low] = lifetime.to_be_bytes();
    let [_, a, b, c] = number.to_be_bytes();
    let from = Ipv6Addr::from_bits(0xfe80 << 112 | 0x00ad_0000_0000 | u128::from(number));
    let network = [0x20, 1, 0xd, 0xb8, a, b, c, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    let seconds = 65_000_u32.to_be_bytes();
    let mut server = network;
    server[15] = 0x53;
    let rest = [
        &[0; 8][..],
        &[3, 4, 64, 0xc0],
        &seconds,
        &seconds,
        &[0; 4],
        &network,
        &[24, 2, 56, 0],
        &seconds,
        &network[..8],
        &[25, 3, 0, 0],
        &seconds,
        &server,
        &[1, 1],
        &hardware,
    ];
    ndp(from, ALL_NODES, 134, [64, 0, high, low], &rest.concat())
}
