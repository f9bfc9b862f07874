//! TCP segments in IPv4 packets, written and read by the book (RFC 9293 §3.1, RFC 7323, RFC 2018).

use std::net::Ipv4Addr;

use world::cable::checksum;

pub(super) const HOST: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 1);
pub(super) const PEER: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 9);

pub(super) const FIN: u8 = 1;
pub(super) const SYN: u8 = 2;
pub(super) const RST: u8 = 4;
pub(super) const PSH: u8 = 8;
pub(super) const ACK: u8 = 16;

/// Both ports of the connection.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Ports {
    pub(super) host: u16,
    pub(super) peer: u16,
}

/// A segment, of either side.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(super) struct Segment {
    pub(super) sequence: u32,
    pub(super) acknowledgment: u32,
    pub(super) flags: u8,
    pub(super) window: u16,
    pub(super) options: Vec<u8>,
    pub(super) data: Vec<u8>,
}

/// An IPv4 packet from the peer.
pub(super) fn ipv4(protocol: u8, payload: &[u8]) -> Vec<u8> {
    let mut packet = vec![0x45, 0, 0, 0, 0, 1, 0, 0, 64, protocol, 0, 0];
    packet[2..4].copy_from_slice(&((20 + payload.len()) as u16).to_be_bytes());
    packet.extend_from_slice(&PEER.octets());
    packet.extend_from_slice(&HOST.octets());
    let sum = checksum(&[&packet]);
    packet[10..12].copy_from_slice(&sum.to_be_bytes());
    packet.extend_from_slice(payload);
    packet
}

/// Puts the checksum of a TCP header right.
pub(super) fn repair(tcp: &mut [u8]) {
    tcp[16..18].fill(0);
    let length = (tcp.len() as u32).to_be_bytes();
    let sum = checksum(&[&PEER.octets(), &HOST.octets(), &length, &[0, 6], tcp]);
    tcp[16..18].copy_from_slice(&sum.to_be_bytes());
}

/// True when the checksum of the peer's TCP header and data is right.
pub(super) fn is_right(tcp: &[u8]) -> bool {
    let length = (tcp.len() as u32).to_be_bytes();
    tcp.len() >= 20 && checksum(&[&PEER.octets(), &HOST.octets(), &length, &[0, 6], tcp]) == 0
}

impl Segment {
    /// Sequence numbers that it covers.
    pub(super) fn length(&self) -> u32 {
        let has = |flag: u8| u32::from(self.flags & flag != 0);
        self.data.len() as u32 + has(SYN) + has(FIN)
    }

    pub(super) const fn has(&self, flag: u8) -> bool {
        self.flags & flag != 0
    }

    /// Header, options and data with a right checksum. Options are padded to words.
    pub(super) fn bytes(&self, ports: Ports) -> Vec<u8> {
        let mut options = self.options.clone();
        options.truncate(40);
        options.resize(options.len().next_multiple_of(4), 1);
        let mut bytes = Vec::with_capacity(60 + self.data.len());
        bytes.extend_from_slice(&ports.peer.to_be_bytes());
        bytes.extend_from_slice(&ports.host.to_be_bytes());
        bytes.extend_from_slice(&self.sequence.to_be_bytes());
        bytes.extend_from_slice(&self.acknowledgment.to_be_bytes());
        bytes.extend_from_slice(&[((5 + options.len() / 4) << 4) as u8, self.flags]);
        bytes.extend_from_slice(&self.window.to_be_bytes());
        bytes.extend_from_slice(&[0; 4]);
        bytes.extend_from_slice(&options);
        bytes.extend_from_slice(&self.data);
        repair(&mut bytes);
        bytes
    }

    /// A packet of the host, if it is TCP. Panics when a checksum or a length is wrong.
    pub(super) fn read(packet: &[u8]) -> Option<(Ports, Self)> {
        if packet.len() < 20 || packet[0] >> 4 != 4 || packet[9] != 6 {
            return None;
        }
        assert_eq!(checksum(&[&packet[..20]]), 0, "IPv4 checksum");
        assert_eq!(
            usize::from(u16::from_be_bytes([packet[2], packet[3]])),
            packet.len(),
            "IPv4 length"
        );
        let tcp = &packet[20..];
        let length = (tcp.len() as u32).to_be_bytes();
        assert_eq!(checksum(&[&packet[12..20], &length, &[0, 6], tcp]), 0, "TCP checksum");
        let header = usize::from(tcp[12] >> 4) * 4;
        let number = |at: usize| u32::from_be_bytes(tcp[at..at + 4].try_into().unwrap());
        let short = |at: usize| u16::from_be_bytes(tcp[at..at + 2].try_into().unwrap());
        let segment = Self {
            sequence: number(4),
            acknowledgment: number(8),
            flags: tcp[13],
            window: short(14),
            options: tcp[20..header].to_vec(),
            data: tcp[header..].to_vec(),
        };
        Some((Ports { host: short(0), peer: short(2) }, segment))
    }

    /// Its options, by kind. Panics when they are cut short.
    pub(super) fn each_option(&self) -> Vec<(u8, &[u8])> {
        let (mut rest, mut found) = (&self.options[..], Vec::new());
        while let Some((kind, behind)) = rest.split_first() {
            match kind {
                0 => break,
                1 => rest = behind,
                _ => {
                    let length = usize::from(behind[0]);
                    found.push((*kind, &rest[2..length]));
                    rest = &rest[length..];
                }
            }
        }
        found
    }

    /// Its SACK blocks.
    pub(super) fn blocks(&self) -> Vec<(u32, u32)> {
        let of = |bytes: &[u8]| u32::from_be_bytes(bytes.try_into().unwrap());
        let options = self.each_option().into_iter().filter(|(kind, _)| *kind == 5);
        options
            .flat_map(|(_, data)| {
                data.chunks(8).map(move |block| (of(&block[..4]), of(&block[4..])))
            })
            .collect()
    }
}

/// A SACK option (RFC 2018 §3).
pub(super) fn sack(blocks: &[(u32, u32)]) -> Vec<u8> {
    let mut option = vec![1, 1, 5, (2 + 8 * blocks.len()) as u8];
    for (left, right) in blocks {
        option.extend_from_slice(&left.to_be_bytes());
        option.extend_from_slice(&right.to_be_bytes());
    }
    option
}

/// An ICMP message that quotes `bytes` of a packet.
pub(super) fn icmp(kind: u8, code: u8, word: [u8; 4], quoted: &[u8]) -> Vec<u8> {
    let mut message = [&[kind, code, 0, 0], &word[..], quoted].concat();
    let sum = checksum(&[&message]);
    message[2..4].copy_from_slice(&sum.to_be_bytes());
    ipv4(1, &message)
}
