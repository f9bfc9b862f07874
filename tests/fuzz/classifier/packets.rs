//! Packets that are nearly right: what is fed to both, with numbers that fit each one's
//! connections.

use world::cable::checksum;

use super::{Dice, System};

/// The peer's first sequence number.
pub(crate) const START: u32 = 5_000;

pub(crate) const FIN: u8 = 1;
pub(crate) const SYN: u8 = 2;
pub(crate) const RST: u8 = 4;
pub(crate) const ACK: u8 = 16;

/// A family's address pair: peer, host.
pub(crate) const V4: [[u8; 4]; 2] = [[10, 0, 0, 9], [10, 0, 0, 1]];
pub(crate) const V6: [[u8; 16]; 2] = [
    [0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 9],
    [0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1],
];

/// Whom a packet is for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum To {
    Host,
    Stranger,
    Everybody,
    Group,
}

/// Where a packet comes from.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum From {
    Peer,
    Host,
    Loopback,
    Group,
}

/// What is wrong with a packet.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Fault {
    None,
    /// The upper checksum is wrong.
    Checksum,
    /// UDP's is left out.
    NoChecksum,
    /// The IPv4 header's is.
    HeaderChecksum,
    /// It ends early by so many bytes.
    Short(u8),
    /// Bytes follow it.
    Long(u8),
    /// A header byte is another one (and checksums fit).
    Byte(u8, u8),
}

/// What an IP packet carries in front of the upper layer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Extra {
    None,
    /// IPv4 options, or an IPv6 hop-by-hop header, that mean nothing.
    Padding,
    /// An option of this type.
    Unknown(u8),
    /// IPv6: destination options, a routing header with nothing left, an atomic fragment.
    Destination,
    Routing,
    Atomic,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Payload {
    Tcp {
        from: u16,
        to: u16,
        flags: u8,
        sequence: u32,
        acknowledgment: i32,
        window: u16,
        length: usize,
    },
    Udp {
        to: u16,
        length: usize,
    },
    Echo {
        length: usize,
    },
    /// An ICMP error of this type that quotes something.
    Error(u8),
    /// A protocol that nobody has.
    Protocol(u8),
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Input {
    pub(crate) is_v6: bool,
    pub(crate) from: From,
    pub(crate) to: To,
    pub(crate) extra: Extra,
    pub(crate) fault: Fault,
    pub(crate) payload: Payload,
}

impl Input {
    pub(crate) fn draw(dice: &Dice<'_>) -> Self {
        let is_v6 = dice.below(2) == 1;
        // Mostly right, so that packets get somewhere.
        let rarely = |count: u64| dice.below(count) == 0;
        let extra = if rarely(6) {
            let kind = dice.one(&[0x1e, 0x3e, 0x5e, 0x9e, 0xde, 131]);
            dice.one(&[
                Extra::Padding,
                Extra::Unknown(kind),
                Extra::Destination,
                Extra::Routing,
                Extra::Atomic,
            ])
        } else {
            Extra::None
        };
        let fault = if rarely(8) {
            dice.one(&[
                Fault::Checksum,
                Fault::NoChecksum,
                Fault::HeaderChecksum,
                Fault::Short(1 + dice.below(30) as u8),
                Fault::Long(1 + dice.below(30) as u8),
                Fault::Byte(dice.below(8) as u8, dice.below(256) as u8),
            ])
        } else {
            Fault::None
        };
        Self {
            is_v6,
            from: if rarely(20) {
                dice.one(&[From::Host, From::Loopback, From::Group])
            } else {
                From::Peer
            },
            to: if rarely(12) {
                dice.one(&[To::Stranger, To::Everybody, To::Group])
            } else {
                To::Host
            },
            extra,
            fault,
            payload: Payload::draw(dice),
        }
    }

    /// The bytes, with acknowledgments that fit this system.
    pub(crate) fn packet(&self, system: &dyn System) -> Vec<u8> {
        let mut upper = self.payload.bytes(system, self.is_v6);
        let (source, destination) = self.ends();
        let protocol = self.payload.protocol(self.is_v6);
        if let Fault::Byte(place, value) = self.fault
            && let Some(byte) = upper.get_mut(usize::from(place))
        {
            *byte = value;
        }
        seal(&mut upper, &source, &destination, protocol, self.is_v6);
        match self.fault {
            Fault::Checksum => {
                let last = upper.len() - 1;
                upper[last] ^= 0x55;
            }
            Fault::NoChecksum if protocol == 17 => upper[6..8].fill(0),
            _ => {}
        }
        let mut packet = if self.is_v6 {
            ipv6(&source, &destination, protocol, self.extra, &upper)
        } else {
            ipv4(&source, &destination, protocol, self.extra, &upper)
        };
        match self.fault {
            Fault::HeaderChecksum if !self.is_v6 => packet[10] ^= 0x11,
            Fault::Short(count) => {
                packet.truncate(packet.len().saturating_sub(usize::from(count)).max(1))
            }
            Fault::Long(count) => packet.extend(std::iter::repeat_n(0xab, usize::from(count))),
            _ => {}
        }
        packet
    }

    fn ends(&self) -> (Vec<u8>, Vec<u8>) {
        if self.is_v6 {
            let mut loopback = [0; 16];
            loopback[15] = 1;
            let mut group = [0; 16];
            (group[0], group[1], group[15]) = (0xff, 2, 1);
            let mut stranger = V6[1];
            stranger[15] = 77;
            let source = match self.from {
                From::Peer => V6[0],
                From::Host => V6[1],
                From::Loopback => loopback,
                From::Group => group,
            };
            let destination = match self.to {
                To::Host => V6[1],
                To::Stranger => stranger,
                To::Everybody | To::Group => group,
            };
            return (source.to_vec(), destination.to_vec());
        }
        let source = match self.from {
            From::Peer => V4[0],
            From::Host => V4[1],
            From::Loopback => [127, 0, 0, 1],
            From::Group => [224, 0, 0, 9],
        };
        let destination = match self.to {
            To::Host => V4[1],
            To::Stranger => [10, 0, 0, 77],
            To::Everybody => [10, 0, 0, 255],
            To::Group => [224, 0, 0, 1],
        };
        (source.to_vec(), destination.to_vec())
    }
}

impl Payload {
    fn draw(dice: &Dice<'_>) -> Self {
        match dice.below(10) {
            0..=5 => Self::Tcp {
                from: dice.one(&[7001, 7002, 7003]),
                to: dice.one(&[80, 80, 80, 80, 80, 81]),
                flags: dice.one(&[
                    SYN,
                    SYN,
                    ACK,
                    ACK,
                    ACK,
                    ACK | 8,
                    FIN | ACK,
                    RST,
                    RST | ACK,
                    SYN | ACK,
                    0,
                    FIN,
                    0x3f,
                ]),
                sequence: START.wrapping_add(dice.one(&[
                    0,
                    1,
                    1,
                    1,
                    1,
                    2,
                    11,
                    500,
                    u32::MAX,
                    100_000,
                ])),
                acknowledgment: dice.one(&[1, 1, 1, 1, 0, 2, -1, 70_000]),
                window: dice.one(&[8192, 8192, 0, 1, 65_535]),
                length: dice.one(&[0, 0, 0, 1, 10, 700]),
            },
            6..=7 => {
                Self::Udp { to: dice.one(&[53, 53, 54, 0]), length: dice.one(&[0, 1, 10, 700]) }
            }
            8 => Self::Echo { length: dice.one(&[0, 1, 56, 900]) },
            _ => dice.one(&[0, 1]).then_error(dice),
        }
    }

    const fn protocol(&self, is_v6: bool) -> u8 {
        match self {
            Self::Tcp { .. } => 6,
            Self::Udp { .. } => 17,
            Self::Echo { .. } | Self::Error(_) => {
                if is_v6 {
                    58
                } else {
                    1
                }
            }
            Self::Protocol(number) => *number,
        }
    }

    fn bytes(&self, system: &dyn System, is_v6: bool) -> Vec<u8> {
        match *self {
            Self::Tcp { from, to, flags, sequence, acknowledgment, window, length } => {
                let number = system.initial(is_v6, from).wrapping_add_signed(acknowledgment);
                let number = if flags & ACK == 0 { 0 } else { number };
                let mut bytes = [from.to_be_bytes(), to.to_be_bytes()].concat();
                bytes.extend([sequence.to_be_bytes(), number.to_be_bytes()].concat());
                bytes.extend([0x50, flags]);
                bytes.extend([window.to_be_bytes(), [0; 2], [0; 2]].concat());
                bytes.extend((0..length).map(|index| index as u8));
                bytes
            }
            Self::Udp { to, length } => {
                let total = (8 + length) as u16;
                let mut bytes =
                    [9u16.to_be_bytes(), to.to_be_bytes(), total.to_be_bytes(), [0; 2]].concat();
                bytes.extend((0..length).map(|index| index as u8));
                bytes
            }
            Self::Echo { length } => {
                let mut bytes = vec![if is_v6 { 128 } else { 8 }, 0, 0, 0, 0x12, 0x34, 0, 1];
                bytes.extend((0..length).map(|index| index as u8));
                bytes
            }
            Self::Error(kind) => {
                let mut bytes = vec![kind, 0, 0, 0, 0, 0, 0, 0];
                bytes.extend([0x45; 28]);
                bytes
            }
            Self::Protocol(_) => vec![0x77; 12],
        }
    }
}

trait ThenError {
    fn then_error(self, dice: &Dice<'_>) -> Payload;
}

impl ThenError for u8 {
    fn then_error(self, dice: &Dice<'_>) -> Payload {
        if self == 0 {
            Payload::Error(dice.one(&[1, 3, 4, 11, 12]))
        } else {
            Payload::Protocol(dice.one(&[99, 132, 253]))
        }
    }
}

/// Puts the upper checksum where it belongs.
fn seal(upper: &mut [u8], source: &[u8], destination: &[u8], protocol: u8, is_v6: bool) {
    let place = match protocol {
        6 => 16,
        17 => 6,
        1 | 58 => 2,
        _ => return,
    };
    if upper.len() < place + 2 {
        return;
    }
    upper[place..place + 2].fill(0);
    let length = (upper.len() as u32).to_be_bytes();
    let pseudo = [0, protocol];
    let found = if protocol == 1 && !is_v6 {
        checksum(&[upper])
    } else {
        checksum(&[source, destination, &length, &pseudo, upper])
    };
    let found = if found == 0 && protocol == 17 { 0xffff } else { found };
    upper[place..place + 2].copy_from_slice(&found.to_be_bytes());
}

fn ipv4(source: &[u8], destination: &[u8], protocol: u8, extra: Extra, upper: &[u8]) -> Vec<u8> {
    let options: &[u8] = match extra {
        Extra::Padding => &[1, 1, 1, 0],
        Extra::Unknown(kind) => &[kind, 4, 0, 0],
        _ => &[],
    };
    let total = (20 + options.len() + upper.len()) as u16;
    let mut packet = vec![0x45 + (options.len() / 4) as u8, 0];
    packet.extend(total.to_be_bytes());
    packet.extend([0, 1, 0, 0, 64, protocol, 0, 0]);
    packet.extend_from_slice(source);
    packet.extend_from_slice(destination);
    packet.extend_from_slice(options);
    let found = checksum(&[&packet]).to_be_bytes();
    packet[10..12].copy_from_slice(&found);
    packet.extend_from_slice(upper);
    packet
}

fn ipv6(source: &[u8], destination: &[u8], protocol: u8, extra: Extra, upper: &[u8]) -> Vec<u8> {
    let (first, header): (u8, Vec<u8>) = match extra {
        Extra::None => (protocol, Vec::new()),
        Extra::Padding => (0, vec![protocol, 0, 1, 4, 0, 0, 0, 0]),
        Extra::Unknown(kind) => (0, vec![protocol, 0, kind, 4, 0, 0, 0, 0]),
        Extra::Destination => (60, vec![protocol, 0, 1, 4, 0, 0, 0, 0]),
        Extra::Routing => (43, vec![protocol, 0, 0, 0, 0, 0, 0, 0]),
        Extra::Atomic => (44, vec![protocol, 0, 0, 0, 0, 0, 0, 9]),
    };
    let mut packet = vec![0x60, 0, 0, 0];
    packet.extend(((header.len() + upper.len()) as u16).to_be_bytes());
    packet.extend([first, 64]);
    packet.extend_from_slice(source);
    packet.extend_from_slice(destination);
    packet.extend(header);
    packet.extend_from_slice(upper);
    packet
}
