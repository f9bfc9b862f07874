//! A host whose other end of the cable is the test: it writes packets and reads what leaves.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use network::command::interface::Statistics;
use network::command::neighbor::NewNeighbor;
use network::command::{AddNeighbor, GetStatistics};
use network::driver::{Driver, FramePool};
use world::{Host, World};

use crate::pair::{HARDWARE, options};

/// The host's addresses.
pub(crate) const HOST: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 1);
pub(crate) const HOST6: Ipv6Addr = Ipv6Addr::new(0xfd00, 0, 0, 0, 0, 0, 0, 1);
pub(crate) const HOST_LINK: Ipv6Addr = Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0xff, 0xfe00, 1);
/// The test's, known to the host.
pub(crate) const PEER: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 9);
pub(crate) const PEER6: Ipv6Addr = Ipv6Addr::new(0xfd00, 0, 0, 0, 0, 0, 0, 9);
pub(crate) const PEER_LINK: Ipv6Addr = Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, 9);

/// The host and the test's end.
pub(crate) struct Wire<'a> {
    pub(crate) world: &'a World,
    pub(crate) host: Host,
    hand: drivers::Cable,
    pool: FramePool,
}

impl<'a> Wire<'a> {
    /// A host with one interface, after it said all that it says by itself.
    pub(crate) fn new(world: &'a World) -> Self {
        Self::with(world, &["10.0.0.1/24", "fd00::1/64"])
    }

    pub(crate) fn with(world: &'a World, addresses: &[&str]) -> Self {
        let (end, hand) = drivers::cable(options());
        let host = Host::new(world).with("eth0", end, addresses);
        for address in [IpAddr::V4(PEER), IpAddr::V6(PEER6), IpAddr::V6(PEER_LINK)] {
            let new = NewNeighbor { address, hardware_address: HARDWARE.1 };
            host.control::<AddNeighbor>("eth0", &new).unwrap();
        }
        let mut wire = Self { world, host, hand, pool: FramePool::new() };
        wire.after(Duration::from_secs(30));
        wire
    }

    /// Puts a frame onto the cable.
    pub(crate) fn send_frame(&mut self, bytes: &[u8]) {
        let frame = self.pool.copy_of(bytes);
        assert!(self.hand.transmit(frame, &mut self.pool).is_ok(), "the cable is full");
        if let Some(waker) = self.hand.flush() {
            waker.wake();
        }
    }

    /// Puts a packet onto the cable, from the peer's station to the host's.
    pub(crate) fn send(&mut self, packet: &[u8]) {
        self.send_frame(&frame(HARDWARE.0.0, packet));
    }

    /// Everything that left and was not looked at yet.
    pub(crate) fn frames(&mut self) -> Vec<Vec<u8>> {
        drain(&mut self.hand, &mut self.pool)
    }

    /// Lets time pass and gives what left meanwhile, as frames.
    pub(crate) fn after(&mut self, time: Duration) -> Vec<Vec<u8>> {
        // The cable holds a bounded number of frames; look often.
        let mut frames = self.frames();
        let step = (time / 20).max(Duration::from_millis(1));
        for _ in 0..20 {
            self.world.run(self.world.sleep(step));
            frames.extend(self.frames());
        }
        frames
    }

    /// Sends a packet and gives the packets that it causes.
    pub(crate) fn exchange(&mut self, packet: &[u8]) -> Vec<Vec<u8>> {
        self.frames();
        self.send(packet);
        packets(self.after(Duration::from_millis(20)))
    }

    pub(crate) fn statistics(&self) -> Statistics {
        self.host.control::<GetStatistics>("eth0", &()).unwrap()
    }
}

/// A frame to a station.
pub(crate) fn frame(to: [u8; 6], packet: &[u8]) -> Vec<u8> {
    let ethertype = if packet[0] >> 4 == 4 { [8, 0] } else { [0x86, 0xdd] };
    [&to[..], &HARDWARE.1.0, &ethertype, packet].concat()
}

/// The IP packets in frames.
pub(crate) fn packets(frames: Vec<Vec<u8>>) -> Vec<Vec<u8>> {
    frames
        .into_iter()
        .filter(|frame| matches!(frame[12..14], [8, 0] | [0x86, 0xdd]))
        .map(|frame| frame[14..].to_vec())
        .collect()
}

/// The Internet checksum of bytes, with a start value.
pub(crate) fn sum(bytes: &[u8], start: u32) -> u16 {
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
pub(crate) fn ipv4_with(
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

pub(crate) fn ipv4(from: Ipv4Addr, to: Ipv4Addr, protocol: u8, payload: &[u8]) -> Vec<u8> {
    ipv4_with(from, to, protocol, payload, |_| {})
}

/// An IPv6 header in front of a payload.
pub(crate) fn ipv6(
    from: Ipv6Addr,
    to: Ipv6Addr,
    next: u8,
    hop_limit: u8,
    payload: &[u8],
) -> Vec<u8> {
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
pub(crate) fn udp(from: SocketAddr, to: SocketAddr, data: &[u8]) -> Vec<u8> {
    let datagram = udp_datagram(from, to, data);
    match (from.ip(), to.ip()) {
        (IpAddr::V4(from), IpAddr::V4(to)) => ipv4(from, to, 17, &datagram),
        (IpAddr::V6(from), IpAddr::V6(to)) => ipv6(from, to, 17, 64, &datagram),
        _ => panic!("two families"),
    }
}

/// A UDP header with its checksum, and data.
pub(crate) fn udp_datagram(from: SocketAddr, to: SocketAddr, data: &[u8]) -> Vec<u8> {
    let length = (data.len() + 8) as u16;
    let mut datagram = [from.port(), to.port(), length, 0].map(u16::to_be_bytes).concat();
    datagram.extend_from_slice(data);
    let checksum = sum(&datagram, pseudo(from.ip(), to.ip(), 17, datagram.len()));
    datagram[6..8].copy_from_slice(&checksum.to_be_bytes());
    datagram
}

/// An ICMP message: type, code, the four bytes behind the checksum, and the rest.
pub(crate) fn icmp(kind: u8, code: u8, word: [u8; 4], rest: &[u8]) -> Vec<u8> {
    let mut message = [&[kind, code, 0, 0], &word[..], rest].concat();
    let checksum = sum(&message, 0);
    message[2..4].copy_from_slice(&checksum.to_be_bytes());
    message
}

/// The same for ICMPv6.
pub(crate) fn icmpv6(
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
pub(crate) fn icmpv6_packet(
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
pub(crate) fn ndp(from: Ipv6Addr, to: Ipv6Addr, kind: u8, word: [u8; 4], rest: &[u8]) -> Vec<u8> {
    ipv6(from, to, 58, 255, &icmpv6(from, to, kind, 0, word, rest))
}

/// Protocol, and the bytes behind the header, of a packet without extension headers.
pub(crate) fn upper(packet: &[u8]) -> (u8, &[u8]) {
    match packet[0] >> 4 {
        4 => (packet[9], &packet[usize::from(packet[0] & 0xf) * 4..]),
        _ => (packet[6], &packet[40..]),
    }
}

/// Type and code of ICMP packets, of both families.
pub(crate) fn icmp_kinds(packets: &[Vec<u8>]) -> Vec<(u8, u8)> {
    let icmp = packets
        .iter()
        .map(|packet| upper(packet))
        .filter(|(protocol, _)| matches!(protocol, 1 | 58));
    icmp.map(|(_, message)| (message[0], message[1])).collect()
}

/// An address with a port.
pub(crate) fn at(address: impl Into<IpAddr>, port: u16) -> SocketAddr {
    SocketAddr::new(address.into(), port)
}

/// Everything that waits at this end of a cable; the other end hears that there is room again.
pub(crate) fn drain(hand: &mut drivers::Cable, pool: &mut FramePool) -> Vec<Vec<u8>> {
    std::iter::from_fn(|| world::cable::take(hand, pool)).collect()
}
