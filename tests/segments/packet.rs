//! Segments to packets and back, for both families.

use std::net::IpAddr;

use world::cable::checksum;
use world::pair::byte_at;

use crate::script::{Echo, Icmp, IcmpKind, Segment, TcpOption};

/// One end of a flow.
pub(crate) type Endpoint = (IpAddr, u16);

/// Flags, from the lowest bit.
const FLAGS: [char; 8] = ['F', 'S', 'R', 'P', '.', 'U', 'E', 'W'];
/// The order in which scripts write them.
const WRITTEN: [char; 8] = ['E', 'W', 'S', 'F', 'R', 'P', 'U', '.'];
const TCP: u8 = 6;

/// What relates a script's numbers to those on the wire.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Origin {
    /// The sender's and the receiver's initial sequence number.
    pub(crate) sender: u32,
    pub(crate) receiver: u32,
    /// The last timestamp of the receiver, for echoes.
    pub(crate) echo: u32,
}

fn bytes_of(options: &[TcpOption], origin: &Origin) -> Vec<u8> {
    let mut bytes = Vec::new();
    for option in options {
        match option {
            TcpOption::Mss(mss) => bytes.extend([&[2, 4][..], &mss.to_be_bytes()].concat()),
            TcpOption::WindowScale(shift) => bytes.extend([3, 3, *shift]),
            TcpOption::SackPermitted => bytes.extend([4, 2]),
            TcpOption::NoOperation => bytes.push(1),
            TcpOption::Timestamps(value, echo) => {
                bytes.extend([8, 10]);
                bytes.extend(value.unwrap_or_default().to_be_bytes());
                let echo = match echo {
                    Echo::Any => 0,
                    Echo::Value(value) => *value,
                    Echo::Before(milliseconds) => origin.echo.wrapping_sub(*milliseconds),
                };
                bytes.extend(echo.to_be_bytes());
            }
            TcpOption::Sack(ranges) => {
                bytes.extend([5, 2 + 8 * ranges.len() as u8]);
                for (first, end) in ranges {
                    bytes.extend(first.wrapping_add(origin.receiver).to_be_bytes());
                    bytes.extend(end.wrapping_add(origin.receiver).to_be_bytes());
                }
            }
            TcpOption::Raw(raw) => bytes.extend(raw),
        }
    }
    bytes.resize(bytes.len().next_multiple_of(4), 0);
    bytes
}

fn options_of(mut bytes: &[u8], origin: &Origin) -> Vec<TcpOption> {
    let short = |bytes: &[u8]| u16::from_be_bytes(bytes.try_into().expect("two bytes"));
    let long = |bytes: &[u8]| u32::from_be_bytes(bytes.try_into().expect("four bytes"));
    let mut options = Vec::new();
    while let [kind, rest @ ..] = bytes {
        match (kind, rest) {
            (0, _) => break,
            (1, _) => bytes = rest,
            (_, [length, ..]) if (2..=bytes.len()).contains(&usize::from(*length)) => {
                let (option, behind) = bytes.split_at(usize::from(*length));
                bytes = behind;
                let value = &option[2..];
                options.push(match (kind, value.len()) {
                    (2, 2) => TcpOption::Mss(short(value)),
                    (3, 1) => TcpOption::WindowScale(value[0]),
                    (4, 0) => TcpOption::SackPermitted,
                    (5, _) => TcpOption::Sack(
                        value
                            .chunks_exact(8)
                            .map(|range| (long(&range[..4]), long(&range[4..])))
                            .map(|(first, end)| {
                                (
                                    first.wrapping_sub(origin.receiver),
                                    end.wrapping_sub(origin.receiver),
                                )
                            })
                            .collect(),
                    ),
                    (8, 8) => TcpOption::Timestamps(
                        Some(long(&value[..4])),
                        Echo::Value(long(&value[4..])),
                    ),
                    _ => TcpOption::Raw(option.to_vec()),
                });
            }
            _ => {
                options.push(TcpOption::Raw(bytes.to_vec()));
                break;
            }
        }
    }
    options
}

fn octets(address: IpAddr) -> Vec<u8> {
    match address {
        IpAddr::V4(address) => address.octets().to_vec(),
        IpAddr::V6(address) => address.octets().to_vec(),
    }
}

fn ip(from: IpAddr, to: IpAddr, protocol: u8, class: u8, payload: &[u8]) -> Vec<u8> {
    let length = payload.len() as u16;
    let mut packet = Vec::new();
    if from.is_ipv4() {
        packet.extend([0x45, class]);
        packet.extend((20 + length).to_be_bytes());
        packet.extend([0, 1, 0, 0, 64, protocol, 0, 0]);
        packet.extend(octets(from));
        packet.extend(octets(to));
        let sum = checksum(&[&packet]);
        packet[10..12].copy_from_slice(&sum.to_be_bytes());
    } else {
        packet.extend([0x60 | class >> 4, class << 4, 0, 0]);
        packet.extend(length.to_be_bytes());
        packet.extend([protocol, 64]);
        packet.extend(octets(from));
        packet.extend(octets(to));
    }
    packet.extend(payload);
    packet
}

/// The packet of a segment.
pub(crate) fn build(segment: &Segment, from: Endpoint, to: Endpoint, origin: &Origin) -> Vec<u8> {
    let options = bytes_of(segment.options.as_deref().unwrap_or_default(), origin);
    let flags = FLAGS
        .iter()
        .enumerate()
        .filter(|(_, flag)| segment.flags.contains(**flag))
        .fold(0, |flags, (bit, _)| flags | 1 << bit);
    let mut tcp = Vec::new();
    tcp.extend(from.1.to_be_bytes());
    tcp.extend(to.1.to_be_bytes());
    tcp.extend(segment.start.wrapping_add(origin.sender).to_be_bytes());
    let acknowledgment =
        segment.acknowledgment.map_or(0, |number| number.wrapping_add(origin.receiver));
    tcp.extend(acknowledgment.to_be_bytes());
    tcp.extend([(((20 + options.len()) / 4) << 4) as u8, flags]);
    tcp.extend(segment.window.unwrap_or(65_535).to_be_bytes());
    tcp.extend([0; 4]);
    tcp.extend(options);
    tcp.extend((0..segment.length).map(|place| byte_at(segment.start.wrapping_add(place))));
    let length = (tcp.len() as u32).to_be_bytes();
    let sum = checksum(&[&octets(from.0), &octets(to.0), &length, &[0, TCP], &tcp]);
    let damage = u16::from(segment.is_damaged);
    tcp[16..18].copy_from_slice(&(sum ^ damage).to_be_bytes());
    ip(from.0, to.0, TCP, segment.ecn.unwrap_or_default(), &tcp)
}

/// A packet of ours, taken apart.
#[derive(Debug)]
pub(crate) struct Parsed {
    /// The port that sent it and the one it goes to.
    pub(crate) ports: (u16, u16),
    /// The sequence number on the wire.
    pub(crate) sequence: u32,
    flags: u8,
    tcp: Vec<u8>,
    class: u8,
}

impl Parsed {
    /// Takes a packet apart; none for what is no TCP.
    ///
    /// # Errors
    /// A checksum that is wrong.
    pub(crate) fn new(packet: &[u8]) -> Result<Option<Self>, String> {
        let (header, protocol, class, addresses) = match packet[0] >> 4 {
            4 => (20, packet[9], packet[1], &packet[12..20]),
            _ => (40, packet[6], packet[0] << 4 | packet[1] >> 4, &packet[8..40]),
        };
        if protocol != TCP {
            return Ok(None);
        }
        let tcp = &packet[header..];
        let length = (tcp.len() as u32).to_be_bytes();
        if header == 20 && checksum(&[&packet[..20]]) != 0
            || checksum(&[addresses, &length, &[0, TCP], tcp]) != 0
        {
            return Err(format!("a wrong checksum: {packet:02x?}"));
        }
        let short = |at: usize| u16::from_be_bytes([tcp[at], tcp[at + 1]]);
        let sequence = u32::from_be_bytes(tcp[4..8].try_into().expect("four bytes"));
        let (ports, flags) = ((short(0), short(2)), tcp[13]);
        Ok(Some(Self { ports, sequence, flags, tcp: tcp.to_vec(), class }))
    }

    /// True for a SYN.
    pub(crate) const fn is_syn(&self) -> bool {
        self.flags & 2 != 0
    }

    /// The segment, with a script's numbers.
    ///
    /// # Errors
    /// Data that is not what the program wrote.
    pub(crate) fn segment(&self, origin: &Origin) -> Result<Segment, String> {
        let tcp = &self.tcp;
        let header = usize::from(tcp[12] >> 4) * 4;
        let data = &tcp[header..];
        let start = self.sequence.wrapping_sub(origin.sender);
        if let Some(place) = (start..).zip(data).position(|(place, byte)| byte_at(place) != *byte) {
            return Err(format!("a wrong byte, {place} after {start}"));
        }
        let is_set = |flag: &char| {
            let bit = FLAGS.iter().position(|known| known == flag).unwrap_or_default();
            self.flags & 1 << bit != 0
        };
        let acknowledgment = u32::from_be_bytes(tcp[8..12].try_into().expect("four bytes"));
        Ok(Segment {
            flags: WRITTEN.iter().filter(|flag| is_set(flag)).collect(),
            start,
            length: data.len() as u32,
            acknowledgment: is_set(&'.').then(|| acknowledgment.wrapping_sub(origin.receiver)),
            window: Some(u16::from_be_bytes([tcp[14], tcp[15]])),
            options: Some(options_of(&tcp[20..header], origin)),
            ecn: Some(self.class & 3),
            is_damaged: false,
        })
    }
}

/// The packet of an ICMP error from the peer about a segment of ours.
pub(crate) fn icmp(error: &Icmp, from: Endpoint, to: Endpoint, origin: &Origin) -> Vec<u8> {
    let quoted = Segment {
        flags: ".".into(),
        start: error.sequence,
        acknowledgment: Some(0),
        ..Segment::default()
    };
    let mut quote = build(&quoted, from, to, origin);
    let is_ipv4 = from.0.is_ipv4();
    // The whole packet was long; its quote is short.
    if is_ipv4 {
        quote[2..4].copy_from_slice(&1500_u16.to_be_bytes());
        quote[10..12].copy_from_slice(&[0; 2]);
        let sum = checksum(&[&quote[..20]]);
        quote[10..12].copy_from_slice(&sum.to_be_bytes());
    } else {
        quote[4..6].copy_from_slice(&1460_u16.to_be_bytes());
    }
    let (kind, code, mtu) = match (error.kind, is_ipv4) {
        (IcmpKind::TooBig(mtu), true) => (3, 4, mtu),
        (IcmpKind::TooBig(mtu), false) => (2, 0, mtu),
        (IcmpKind::HostUnreachable, true) => (3, 1, 0),
        (IcmpKind::HostUnreachable, false) => (1, 3, 0),
        (IcmpKind::PortUnreachable, true) => (3, 3, 0),
        (IcmpKind::PortUnreachable, false) => (1, 4, 0),
        (IcmpKind::TimeExceeded, true) => (11, 0, 0),
        (IcmpKind::TimeExceeded, false) => (3, 0, 0),
        (IcmpKind::ParameterProblem, true) => (12, 0, 0),
        (IcmpKind::ParameterProblem, false) => (4, 1, 0),
        (IcmpKind::SourceQuench, _) => (4, 0, 0),
    };
    let mut message = vec![kind, code, 0, 0, 0, 0];
    message.extend(mtu.to_be_bytes());
    message.extend(quote);
    let length = (message.len() as u32).to_be_bytes();
    let sum = if is_ipv4 {
        checksum(&[&message])
    } else {
        checksum(&[&octets(to.0), &octets(from.0), &length, &[0, 58], &message])
    };
    message[2..4].copy_from_slice(&sum.to_be_bytes());
    ip(to.0, from.0, if is_ipv4 { 1 } else { 58 }, 0, &message)
}
