//! A host at one end of a cable, a test at the other that writes and reads packets: for what no
//! well-behaved peer would do.

use std::net::Ipv4Addr;
use std::time::Duration;

use devnet_drivers::Cable;
use devnet_network::driver::{FramePool, Medium};
pub(crate) use world::cable::checksum;
use world::{Host, World, cable};

/// The host's address.
pub(crate) const HOST: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 1);
/// The test's address.
pub(crate) const PEER: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 9);

/// Flags of a segment (RFC 9293 §3.1).
pub(crate) const FIN: u8 = 1;
pub(crate) const SYN: u8 = 2;
pub(crate) const RST: u8 = 4;
pub(crate) const ACK: u8 = 16;

/// Options of a SYN: 1460 bytes, selective acknowledgments.
pub(crate) const SELECTIVE: [u8; 8] = [2, 4, 5, 180, 1, 1, 4, 2];

pub(crate) const fn milliseconds(count: u64) -> Duration {
    Duration::from_millis(count)
}

/// A SYN of a peer with a window of 60,000 bytes.
pub(crate) fn syn(options: &[u8]) -> Segment {
    let mut syn = Segment::new(5000, 80, SYN, 1000, 0);
    (syn.window, syn.options) = (60_000, options.to_vec());
    syn
}

/// A TCP segment between the test and the host.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Segment {
    /// The test's port.
    pub(crate) peer: u16,
    /// The host's port.
    pub(crate) host: u16,
    pub(crate) sequence: u32,
    pub(crate) acknowledgment: u32,
    pub(crate) flags: u8,
    pub(crate) window: u16,
    pub(crate) options: Vec<u8>,
    pub(crate) data: Vec<u8>,
    /// Time to live and traffic class; what was received, or what is sent.
    pub(crate) hop_limit: u8,
    pub(crate) traffic_class: u8,
}

impl Segment {
    /// A segment without data.
    pub(crate) fn new(peer: u16, host: u16, flags: u8, sequence: u32, acknowledgment: u32) -> Self {
        let (options, data) = (Vec::new(), Vec::new());
        let (window, hop_limit, traffic_class) = (8192, 64, 0);
        Self {
            peer,
            host,
            sequence,
            acknowledgment,
            flags,
            window,
            options,
            data,
            hop_limit,
            traffic_class,
        }
    }

    pub(crate) fn data(mut self, data: &[u8]) -> Self {
        self.data = data.to_vec();
        self
    }

    /// The number after this segment.
    pub(crate) fn end(&self) -> u32 {
        let extra = u32::from(self.flags & SYN != 0) + u32::from(self.flags & FIN != 0);
        self.sequence.wrapping_add(self.data.len() as u32 + extra)
    }
}

/// An IPv4 packet.
pub(crate) fn ipv4(
    source: Ipv4Addr,
    destination: Ipv4Addr,
    protocol: u8,
    payload: &[u8],
) -> Vec<u8> {
    let total = (20 + payload.len()) as u16;
    let mut packet = vec![0x45, 0, 0, 0, 0, 1, 0, 0, 64, protocol, 0, 0];
    packet[2..4].copy_from_slice(&total.to_be_bytes());
    packet.extend_from_slice(&source.octets());
    packet.extend_from_slice(&destination.octets());
    let sum = checksum(&[&packet]);
    packet[10..12].copy_from_slice(&sum.to_be_bytes());
    packet.extend_from_slice(payload);
    packet
}

/// A segment as bytes, between two addresses of either family.
pub(crate) fn tcp(segment: &Segment, from: &[u8], to: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    bytes.extend_from_slice(&segment.peer.to_be_bytes());
    bytes.extend_from_slice(&segment.host.to_be_bytes());
    bytes.extend_from_slice(&segment.sequence.to_be_bytes());
    bytes.extend_from_slice(&segment.acknowledgment.to_be_bytes());
    bytes.extend_from_slice(&[(((20 + segment.options.len()) / 4) << 4) as u8, segment.flags]);
    bytes.extend_from_slice(&segment.window.to_be_bytes());
    bytes.extend_from_slice(&[0; 4]);
    bytes.extend_from_slice(&segment.options);
    bytes.extend_from_slice(&segment.data);
    let length = (bytes.len() as u32).to_be_bytes();
    let sum = checksum(&[from, to, &length, &[0, 6], &bytes]);
    bytes[16..18].copy_from_slice(&sum.to_be_bytes());
    bytes
}

/// The packet of a segment to the host.
pub(crate) fn packet_of(segment: &Segment) -> Vec<u8> {
    ipv4(PEER, HOST, 6, &tcp(segment, &PEER.octets(), &HOST.octets()))
}

/// The segment of a packet of the host, if it has one.
fn segment_of(packet: &[u8]) -> Option<Segment> {
    if packet[0] != 0x45 || packet[9] != 6 {
        return None;
    }
    assert_eq!(checksum(&[&packet[..20]]), 0, "IPv4 checksum");
    let tcp = &packet[20..];
    let length = (tcp.len() as u32).to_be_bytes();
    assert_eq!(checksum(&[&packet[12..20], &length, &[0, 6], tcp]), 0, "TCP checksum");
    let header = usize::from(tcp[12] >> 4) * 4;
    let number = |at: usize| u32::from_be_bytes(tcp[at..at + 4].try_into().unwrap());
    let short = |at: usize| u16::from_be_bytes(tcp[at..at + 2].try_into().unwrap());
    Some(Segment {
        peer: short(2),
        host: short(0),
        sequence: number(4),
        acknowledgment: number(8),
        flags: tcp[13],
        window: short(14),
        options: tcp[20..header].to_vec(),
        data: tcp[header..].to_vec(),
        hop_limit: packet[8],
        traffic_class: packet[1],
    })
}

/// Puts a frame on a cable.
pub(crate) fn transmit(end: &mut Cable, bytes: &[u8]) {
    assert!(cable::put(end, &mut FramePool::new(), bytes), "the wire has room");
}

/// The test's end of the cable.
pub(crate) struct Wire {
    end: Cable,
    pool: FramePool,
}

impl Wire {
    /// What the host sends by itself in a time, and when.
    pub(crate) async fn watch(
        &mut self,
        world: &World,
        time: Duration,
    ) -> Vec<(Duration, Segment)> {
        let (start, mut all) = (world.now(), Vec::new());
        // The cable holds a bounded number of packets; look often.
        let step = (time / 1000).max(milliseconds(1));
        while world.now().since(start) < time {
            world.sleep(step).await;
            all.extend(
                std::iter::from_fn(|| self.segment())
                    .map(|segment| (world.now().since(start), segment)),
            );
        }
        all
    }

    /// A host with 10.0.0.1/24 and an empty wire; everything on it starts with the IP header.
    pub(crate) fn new(world: &World) -> (Host, Self) {
        let (end, mine) = devnet_drivers::cable(crate::pair::options().medium(Medium::Ip));
        let host = Host::new(world).with("eth0", end, &["10.0.0.1/24", "fd00::1/64"]);
        world.run(world.sleep(Duration::from_secs(3)));
        let mut wire = Self { end: mine, pool: FramePool::new() };
        while wire.packet().is_some() {}
        (host, wire)
    }

    /// Puts a packet on the wire.
    pub(crate) fn put(&mut self, packet: &[u8]) {
        assert!(cable::put(&mut self.end, &mut self.pool, packet), "the wire has room");
    }

    /// The next packet that the host sent, if there is one.
    pub(crate) fn packet(&mut self) -> Option<Vec<u8>> {
        cable::take(&mut self.end, &mut self.pool)
    }

    /// Sends a segment.
    pub(crate) fn send(&mut self, segment: &Segment) {
        self.send_to(segment, HOST);
    }

    /// Sends a segment to some address.
    pub(crate) fn send_to(&mut self, segment: &Segment, to: Ipv4Addr) {
        self.put(&ipv4(PEER, to, 6, &tcp(segment, &PEER.octets(), &to.octets())));
    }

    /// Sends a segment to the host from some address.
    pub(crate) fn send_from(&mut self, segment: &Segment, from: Ipv4Addr) {
        self.put(&ipv4(from, HOST, 6, &tcp(segment, &from.octets(), &HOST.octets())));
    }

    /// The TCP segments that the host sent to an address; everything else is skipped.
    pub(crate) fn segments_to(&mut self, to: Ipv4Addr) -> Vec<Segment> {
        let mut segments = Vec::new();
        while let Some(packet) = self.packet() {
            if packet[9] == 6 && packet[16..20] == to.octets() {
                segments.extend(segment_of(&packet));
            }
        }
        segments
    }

    /// The next TCP segment that the host sent; other packets are skipped. Checksums are verified
    /// by the book.
    pub(crate) fn segment(&mut self) -> Option<Segment> {
        loop {
            let packet = self.packet()?;
            if let Some(segment) = segment_of(&packet) {
                return Some(segment);
            }
        }
    }

    /// Lets the host work for a millisecond and takes what it sent.
    pub(crate) async fn exchange(
        &mut self,
        world: &World,
        segment: Option<&Segment>,
    ) -> Vec<Segment> {
        if let Some(segment) = segment {
            self.send(segment);
        }
        world.sleep(Duration::from_millis(1)).await;
        std::iter::from_fn(|| self.segment()).collect()
    }

    /// Opens a connection to a listening port; gives the host's SYN|ACK and the numbers to go on
    /// with (ours, theirs).
    pub(crate) async fn open(
        &mut self,
        world: &World,
        peer: u16,
        host: u16,
    ) -> (Segment, u32, u32) {
        let sent = self.exchange(world, Some(&Segment::new(peer, host, SYN, 1000, 0))).await;
        let [answer] = sent.as_slice() else { panic!("one answer to a SYN, not {sent:?}") };
        assert_eq!((answer.flags, answer.acknowledgment), (SYN | ACK, 1001));
        let theirs = answer.sequence.wrapping_add(1);
        self.exchange(world, Some(&Segment::new(peer, host, ACK, 1001, theirs))).await;
        (answer.clone(), 1001, theirs)
    }
}
