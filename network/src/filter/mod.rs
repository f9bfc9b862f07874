//! Filters in the language of pcap-filter(7), for captures and for rules of the firewall.
//!
//! | primitive | matches |
//! |---|---|
//! | `[PROTOCOL] [src \| dst \| src or dst \| src and dst] host ADDRESS` | the address |
//! | `[ip \| ip6] [src \| …] net PREFIX`, `net ADDRESS mask MASK`, `net 10.1` | the network |
//! | `[tcp \| udp \| sctp] [src \| …] port PORT`, `… portrange PORT-PORT` | the port |
//! | `ether [src \| dst] host MAC`, `ether src MAC`, `ether dst MAC` | the hardware address |
//! | `ip`, `ip6`, `arp`, `rarp`, `ether proto NUMBER` | the EtherType |
//! | `tcp`, `udp`, `icmp`, `icmp6`, `igmp`, `sctp`, `[ip \| ip6] proto NUMBER` | the protocol |
//! | `[ether] broadcast`, `[ether \| ip \| ip6] multicast` | the destination |
//! | `vlan [NUMBER]` | a VLAN tag |
//! | `less LENGTH`, `greater LENGTH`, `len = LENGTH` | the length of the frame |
//! | `inbound`, `outbound` | which way the frame goes |
//! | `PROTOCOL[OFFSET:SIZE] [& MASK] = NUMBER` | bytes; `ether`, `ip`, `ip6`, `arp`, `tcp`, … |
//!
//! `not`, `and`, `or`, `!`, `&&`, `||` and parentheses combine them; `and` and `or` bind equally,
//! from the left. A value without words before it takes those of the primitive before:
//! `tcp dst port 80 or 443`. `port` knows the names of some services, and offsets, masks and
//! numbers may be `tcpflags`, `icmptype`, `icmpcode`, `tcp-syn`, `icmp-echo` and the like, combined
//! with `|`.
//!
//! What differs from libpcap: names of hosts are not resolved; protocols above IPv6 are found
//! behind extension headers (as `protochain` does), and everything behind VLAN tags without a
//! `vlan` before it; arithmetic beyond a mask is not there.

mod lexer;
mod names;
mod parse;
mod view;

use alloc::boxed::Box;
use alloc::string::String;
use core::fmt;
use core::net::IpAddr;
use core::ops::RangeInclusive;
use core::str::FromStr;

pub(crate) use view::View;

use crate::address::Prefix;
use crate::command::capture::CaptureDirection;
use crate::driver::Medium;

const TCP: u8 = 6;
const UDP: u8 = 17;
const SCTP: u8 = 132;
/// Protocols with ports.
const PORTS: [u8; 3] = [TCP, UDP, SCTP];

/// A filter: which frames pass.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// None passes everything.
    root: Option<Expression>,
}

/// Why a text is no filter.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FilterError {
    /// The word that is wrong; empty at the end of the text.
    pub word: String,
    /// Where it begins, in bytes.
    pub at: usize,
    /// What would have been right there.
    pub expected: &'static str,
}

impl fmt::Display for FilterError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.word.is_empty() {
            write!(formatter, "the filter ends where {} is missing", self.expected)
        } else {
            let place = self.at.saturating_add(1);
            write!(
                formatter,
                "\"{}\" at {place} is not {}",
                self.word.escape_debug(),
                self.expected
            )
        }
    }
}

impl core::error::Error for FilterError {}

#[derive(Clone, Debug)]
enum Expression {
    Not(Box<Self>),
    And(Box<Self>, Box<Self>),
    Or(Box<Self>, Box<Self>),
    Test(Test),
}

/// Which end of a packet has a value.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
enum End {
    Source,
    Destination,
    #[default]
    Either,
    Both,
}

impl End {
    fn test<T: Copy>(self, (source, destination): (T, T), is_it: impl Fn(T) -> bool) -> bool {
        match self {
            Self::Source => is_it(source),
            Self::Destination => is_it(destination),
            Self::Either => is_it(source) || is_it(destination),
            Self::Both => is_it(source) && is_it(destination),
        }
    }
}

/// What bytes are counted from.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Layer {
    Frame,
    /// The packet with this EtherType.
    Network(u16),
    /// The packet of this protocol, above any IP.
    Transport(u8),
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Relation {
    Equal,
    NotEqual,
    Less,
    AtMost,
    Greater,
    AtLeast,
}

impl Relation {
    const fn holds(self, left: u32, right: u32) -> bool {
        match self {
            Self::Equal => left == right,
            Self::NotEqual => left != right,
            Self::Less => left < right,
            Self::AtMost => left <= right,
            Self::Greater => left > right,
            Self::AtLeast => left >= right,
        }
    }
}

#[derive(Clone, Debug)]
enum Test {
    /// An address within a prefix; with an EtherType only there.
    Address(End, Option<u16>, Prefix),
    /// An IPv4 address with these bits under a mask that is no prefix.
    Masked(End, u32, u32),
    Port(End, Option<u8>, RangeInclusive<u16>),
    Hardware(End, [u8; 6]),
    EtherType(u16),
    /// A protocol; with an EtherType only there.
    Protocol(Option<u16>, u8),
    EtherBroadcast,
    EtherMulticast,
    IpMulticast(u16),
    Vlan(Option<u16>),
    Length(Relation, u32),
    Direction(CaptureDirection),
    Bytes {
        layer: Layer,
        offset: usize,
        size: usize,
        mask: u32,
        relation: Relation,
        value: u32,
    },
}

impl Filter {
    /// True for a frame that passes. `direction` is [`CaptureDirection::Both`] where it is not
    /// known; neither `inbound` nor `outbound` matches such a frame.
    #[must_use]
    pub fn passes(&self, frame: &[u8], medium: Medium, direction: CaptureDirection) -> bool {
        self.root.as_ref().is_none_or(|root| root.passes(&View::of(frame, medium), direction))
    }

    /// As [`passes`](Self::passes), for a frame whose parts are known.
    pub(crate) fn passes_view(&self, view: &View<'_>, direction: CaptureDirection) -> bool {
        self.root.as_ref().is_none_or(|root| root.passes(view, direction))
    }

    /// The number of tests that a frame may meet.
    pub(crate) fn test_count(&self) -> usize {
        self.root.as_ref().map_or(0, Expression::test_count)
    }

    /// True for a filter that asks for nothing that only frames have.
    pub(crate) fn is_about_packets(&self) -> bool {
        self.root.as_ref().is_none_or(Expression::is_about_packets)
    }
}

impl FromStr for Filter {
    type Err = FilterError;

    fn from_str(text: &str) -> Result<Self, FilterError> {
        parse::parse(text).map(|root| Self { root })
    }
}

impl Expression {
    /// Recurses as deep as the parser allows.
    fn passes(&self, view: &View<'_>, direction: CaptureDirection) -> bool {
        match self {
            Self::Not(inner) => !inner.passes(view, direction),
            Self::And(left, right) => left.passes(view, direction) && right.passes(view, direction),
            Self::Or(left, right) => left.passes(view, direction) || right.passes(view, direction),
            Self::Test(test) => test.passes(view, direction),
        }
    }

    fn test_count(&self) -> usize {
        match self {
            Self::Not(inner) => inner.test_count(),
            Self::And(left, right) | Self::Or(left, right) => {
                left.test_count() + right.test_count()
            }
            Self::Test(_) => 1,
        }
    }

    fn is_about_packets(&self) -> bool {
        match self {
            Self::Not(inner) => inner.is_about_packets(),
            Self::And(left, right) | Self::Or(left, right) => {
                left.is_about_packets() && right.is_about_packets()
            }
            Self::Test(test) => test.is_about_packets(),
        }
    }
}

impl Test {
    fn passes(&self, view: &View<'_>, direction: CaptureDirection) -> bool {
        let is_of = |ethertype: Option<u16>| ethertype.is_none_or(|known| known == view.ethertype);
        let ends = (view.source, view.destination);
        match self {
            Self::Address(end, ethertype, prefix) => {
                let is_it = |address: Option<IpAddr>| {
                    address.is_some_and(|address| prefix.contains(address))
                };
                is_of(*ethertype) && end.test(ends, is_it)
            }
            Self::Masked(end, bits, mask) => end.test(ends, |address| match address {
                Some(IpAddr::V4(address)) => address.to_bits() & mask == *bits,
                _ => false,
            }),
            Self::Port(end, protocol, range) => {
                let is_of = protocol.is_none_or(|protocol| view.protocol == Some(protocol));
                is_of
                    && view
                        .ports()
                        .is_some_and(|ports| end.test(ports, |port| range.contains(&port)))
            }
            Self::Hardware(end, address) => view
                .hardware()
                .is_some_and(|(to, from)| end.test((from, to), |other| other == *address)),
            Self::EtherType(ethertype) => view.ethertype == *ethertype,
            Self::Protocol(ethertype, protocol) => {
                view.is_ip() && is_of(*ethertype) && view.protocol == Some(*protocol)
            }
            Self::EtherBroadcast => view.hardware().is_some_and(|(to, _)| to == [0xff; 6]),
            Self::EtherMulticast => view.hardware().is_some_and(|([first, ..], _)| first & 1 != 0),
            Self::IpMulticast(ethertype) => {
                view.ethertype == *ethertype
                    && view.destination.is_some_and(|address| address.is_multicast())
            }
            Self::Vlan(number) => {
                view.vlan.is_some_and(|vlan| number.is_none_or(|number| number == vlan))
            }
            Self::Length(relation, length) => {
                relation.holds(u32::try_from(view.frame.len()).unwrap_or(u32::MAX), *length)
            }
            Self::Direction(wanted) => direction == *wanted,
            Self::Bytes { layer, offset, size, mask, relation, value } => {
                let bytes = layer.bytes(view).and_then(|bytes| bytes.get(*offset..));
                let bytes = bytes.and_then(|bytes| bytes.get(..*size));
                bytes.is_some_and(|bytes| {
                    let number = bytes.iter().fold(0, |sum, byte| sum << 8 | u32::from(*byte));
                    relation.holds(number & mask, *value)
                })
            }
        }
    }
}

impl Test {
    fn is_about_packets(&self) -> bool {
        match self {
            Self::Address(_, ethertype, _) => ethertype.is_none_or(view::is_ip),
            Self::EtherType(ethertype)
            | Self::IpMulticast(ethertype)
            | Self::Bytes { layer: Layer::Network(ethertype), .. } => view::is_ip(*ethertype),
            Self::Bytes { layer: Layer::Transport(_), .. }
            | Self::Masked(..)
            | Self::Port(..)
            | Self::Protocol(..)
            | Self::Length(..)
            | Self::Direction(_) => true,
            Self::Bytes { layer: Layer::Frame, .. }
            | Self::Hardware(..)
            | Self::EtherBroadcast
            | Self::EtherMulticast
            | Self::Vlan(_) => false,
        }
    }
}

impl Layer {
    fn bytes<'a>(self, view: &View<'a>) -> Option<&'a [u8]> {
        match self {
            Self::Frame => view.has_ethernet.then_some(view.frame),
            Self::Network(ethertype) => (view.ethertype == ethertype).then_some(view.network),
            Self::Transport(protocol) => {
                view.transport.filter(|_| view.is_ip() && view.protocol == Some(protocol))
            }
        }
    }
}

#[cfg(test)]
mod tests;
