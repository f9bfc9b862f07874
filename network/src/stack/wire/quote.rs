//! The packet that an ICMP error quotes: enough of it to find the socket that sent it.

use core::net::IpAddr;

use super::header::{IPV4_HEADER, IPV6_HEADER, protocol};

/// The most extension headers to skip; honest packets have fewer.
const EXTENSIONS: usize = 8;

/// The parsed quote of an ICMP error.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Quote {
    pub(crate) source: IpAddr,
    pub(crate) destination: IpAddr,
    pub(crate) protocol: u8,
    /// The length of the packet, from its header.
    pub(crate) length: usize,
    /// The first two 16-bit words of the upper layer: ports, or type/code and checksum.
    pub(crate) source_port: u16,
    pub(crate) destination_port: u16,
    /// The word after that, for TCP the sequence number and for ICMP identifier and sequence.
    pub(crate) third: u32,
}

impl Quote {
    /// Parses the minimum that errors must quote: the headers and eight bytes (RFC 792). Non-first
    /// fragments have no ports (FRG-06).
    pub(crate) fn parse(bytes: &[u8]) -> Option<Self> {
        let (source, destination, protocol, start, length) = match bytes.first()? >> 4 {
            4 => {
                let start = usize::from(bytes.first()? & 0xf) * 4;
                let is_first = u16_at(bytes, 6)? & 0x1fff == 0;
                if start < IPV4_HEADER || !is_first {
                    return None;
                }
                let address = |at: usize| {
                    bytes.get(at..)?.first_chunk::<4>().map(|octets| IpAddr::from(*octets))
                };
                (address(12)?, address(16)?, *bytes.get(9)?, start, usize::from(u16_at(bytes, 2)?))
            }
            6 => {
                let address = |at: usize| {
                    bytes.get(at..)?.first_chunk::<16>().map(|octets| IpAddr::from(*octets))
                };
                let (protocol, start, _) = upper_layer(bytes)?;
                (
                    address(8)?,
                    address(24)?,
                    protocol,
                    start,
                    IPV6_HEADER + usize::from(u16_at(bytes, 4)?),
                )
            }
            _ => return None,
        };
        let upper = bytes.get(start..)?;
        let third = u32::from_be_bytes(*upper.get(4..)?.first_chunk()?);
        Some(Self {
            source,
            destination,
            protocol,
            length,
            source_port: u16_at(upper, 0)?,
            destination_port: u16_at(upper, 2)?,
            third,
        })
    }

    /// The identifier of a quoted echo message.
    pub(crate) const fn identifier(&self) -> u16 {
        (self.third >> 16) as u16
    }

    /// Source and destination, the same for all packets of one flow.
    pub(crate) const fn sender(&self) -> (IpAddr, IpAddr, u8, u16, u16) {
        let (ours, theirs) = match self.protocol {
            protocol::ICMP | protocol::ICMPV6 => (self.identifier(), 0),
            _ => (self.source_port, self.destination_port),
        };
        (self.source, self.destination, self.protocol, ours, theirs)
    }

    /// True when the IPv6 packet contains an ICMPv6 error: such packets never cause an error. An
    /// error is never longer than 1280 bytes (RFC 4443 §2.4 (c)), so a fragment that does not show
    /// the type is none. `None` when its headers do not lead to an upper layer.
    pub(crate) fn is_icmpv6_error(bytes: &[u8]) -> Option<bool> {
        let (protocol, start, is_fragment) = upper_layer(bytes)?;
        // Types below 128 are errors (RFC 4443 §2.1).
        let is_error = bytes.get(start).map_or(!is_fragment, |kind| *kind < 128);
        Some(protocol == protocol::ICMPV6 && is_error)
    }

    /// The same for an IPv4 packet that is no later fragment (RFC 1122 §3.2.2).
    pub(crate) fn is_icmp_error(bytes: &[u8]) -> bool {
        let start = bytes.first().map_or(0, |first| usize::from(first & 0xf) * 4);
        let is_error = |kind: &u8| matches!(kind, 3..=5 | 11 | 12);
        bytes.get(9) == Some(&protocol::ICMP) && bytes.get(start).is_none_or(is_error)
    }
}

/// The upper-layer protocol of an IPv6 packet, its offset, which lies behind the packet in a later
/// fragment, and whether the packet is a fragment.
fn upper_layer(bytes: &[u8]) -> Option<(u8, usize, bool)> {
    let (mut next, mut start, mut is_fragment) = (*bytes.get(6)?, IPV6_HEADER, false);
    for _ in 0..EXTENSIONS {
        let length = match next {
            protocol::HOP_BY_HOP | protocol::DESTINATION_OPTIONS | protocol::ROUTING => {
                (usize::from(*bytes.get(start + 1)?) + 1) * 8
            }
            protocol::FRAGMENT if u16_at(bytes, start + 2)? & 0xfff8 == 0 => {
                is_fragment = true;
                8
            }
            protocol::FRAGMENT => return Some((*bytes.get(start)?, bytes.len(), true)),
            upper => return Some((upper, start, is_fragment)),
        };
        next = *bytes.get(start)?;
        start += length;
    }
    None
}

/// The offset of the Next Header field that names the upper-layer protocol: in the fixed header, or
/// in the last extension header.
pub(crate) fn next_header_position(bytes: &[u8]) -> usize {
    let (mut position, mut next, mut start) = (6, bytes.get(6).copied(), IPV6_HEADER);
    while let Some(
        protocol::HOP_BY_HOP
        | protocol::DESTINATION_OPTIONS
        | protocol::ROUTING
        | protocol::FRAGMENT,
    ) = next
    {
        position = start;
        let length = if next == Some(protocol::FRAGMENT) {
            8
        } else {
            bytes.get(start + 1).map_or(8, |units| (usize::from(*units) + 1) * 8)
        };
        next = bytes.get(start).copied();
        start += length;
    }
    position
}

/// The big-endian word at a byte offset.
pub(crate) fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    bytes.get(at..)?.first_chunk().map(|word| u16::from_be_bytes(*word))
}

/// The big-endian double word at a byte offset.
pub(crate) fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..)?.first_chunk().map(|word| u32::from_be_bytes(*word))
}
