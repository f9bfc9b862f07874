//! Parses and writes IP headers.
//!
//! Pure functions over bytes. An invalid header is an error with the reason for the counters.
//! [`Ip::receive`](crate::stack::ip::Ip::receive) decides what happens to a packet with a valid
//! one.

mod extension;

use core::fmt;
use core::net::IpAddr;

use smoltcp::wire::{Ipv4Packet, Ipv6Packet};

use super::checksum;
use crate::driver::Frame;

/// Bytes of an IPv4 header without options.
pub(crate) const IPV4_HEADER: usize = 20;
/// Bytes of the fixed IPv6 header.
pub(crate) const IPV6_HEADER: usize = 40;
/// The largest payload of an IP packet in bytes.
pub(crate) const PAYLOAD_MAXIMUM: usize = 65_535;

/// Protocol numbers that the stack knows (IANA).
pub(crate) mod protocol {
    pub(crate) const HOP_BY_HOP: u8 = 0;
    pub(crate) const ICMP: u8 = 1;
    pub(crate) const IGMP: u8 = 2;
    pub(crate) const TCP: u8 = 6;
    pub(crate) const UDP: u8 = 17;
    pub(crate) const ROUTING: u8 = 43;
    pub(crate) const FRAGMENT: u8 = 44;
    pub(crate) const ICMPV6: u8 = 58;
    pub(crate) const NO_NEXT_HEADER: u8 = 59;
    pub(crate) const DESTINATION_OPTIONS: u8 = 60;
}

/// A fragment's place in its datagram.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Fragment {
    pub(crate) identification: u32,
    /// Bytes into the datagram's payload.
    pub(crate) offset: usize,
    pub(crate) more: bool,
}

/// The parsed headers of a packet.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Header {
    pub(crate) source: IpAddr,
    pub(crate) destination: IpAddr,
    /// The upper-layer protocol, after all extension headers.
    pub(crate) protocol: u8,
    /// Bytes before the upper-layer packet (or before the fragment's data).
    pub(crate) length: usize,
    pub(crate) hop_limit: u8,
    pub(crate) traffic_class: u8,
    pub(crate) fragment: Option<Fragment>,
}

impl fmt::Display for Header {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { source, destination, protocol, .. } = self;
        write!(formatter, "from {source} to {destination}, protocol {protocol}")
    }
}

/// Why a packet is invalid.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Malformed {
    /// Lengths or fields contradict each other.
    Format,
    /// The IPv4 header checksum is wrong.
    Checksum,
    /// An IPv6 header or option that gets a Parameter Problem (RFC 4443 §3.4): code and pointer,
    /// and whether it is sent even about multicast packets.
    Parameter { code: u8, pointer: u32, multicast_too: bool },
    /// Dropped silently (IPv6 option type 01, source routes).
    Silent,
}

/// True for bytes that begin as an IPv6 header.
pub(crate) fn is_ipv6(packet: &[u8]) -> bool {
    packet.first().is_some_and(|first| first >> 4 == 6)
}

/// Parses the headers and cuts the frame to the packet's length. `verify` is false on media that
/// cannot damage a packet.
pub(crate) fn parse(frame: &mut Frame, verify: bool) -> Result<Header, Malformed> {
    match frame.bytes().first().map(|byte| byte >> 4) {
        Some(4) => parse_ipv4(frame, verify),
        Some(6) if cfg!(feature = "ipv6") => parse_ipv6(frame),
        _ => Err(Malformed::Format),
    }
}

fn parse_ipv4(frame: &mut Frame, verify: bool) -> Result<Header, Malformed> {
    let packet = Ipv4Packet::new_checked(frame.bytes()).map_err(|_| Malformed::Format)?;
    let (length, total) = (usize::from(packet.header_len()), usize::from(packet.total_len()));
    if length < IPV4_HEADER || total < length {
        return Err(Malformed::Format);
    }
    let header_bytes = frame.bytes().get(..length).ok_or(Malformed::Format)?;
    if verify && checksum::of(header_bytes) != 0 {
        return Err(Malformed::Checksum);
    }
    if let Some(options) = header_bytes.get(IPV4_HEADER..) {
        check_ipv4_options(options)?;
    }
    let offset = usize::from(packet.frag_offset());
    let fragment = (packet.more_frags() || offset != 0).then(|| Fragment {
        identification: u32::from(packet.ident()),
        offset,
        more: packet.more_frags(),
    });
    let header = Header {
        source: IpAddr::V4(packet.src_addr()),
        destination: IpAddr::V4(packet.dst_addr()),
        protocol: packet.next_header().into(),
        length,
        hop_limit: packet.hop_limit(),
        traffic_class: packet.dscp() << 2 | packet.ecn(),
        fragment,
    };
    frame.truncate(total);
    Ok(header)
}

/// Skips options; a broken length or a source route drops the packet (RFC 7126 §4.3, §4.4).
fn check_ipv4_options(mut options: &[u8]) -> Result<(), Malformed> {
    const END: u8 = 0;
    const NO_OPERATION: u8 = 1;
    const LOOSE_SOURCE_ROUTE: u8 = 131;
    const STRICT_SOURCE_ROUTE: u8 = 137;
    loop {
        match options {
            [] | [END, ..] => return Ok(()),
            [NO_OPERATION, rest @ ..] => options = rest,
            [LOOSE_SOURCE_ROUTE | STRICT_SOURCE_ROUTE, ..] => return Err(Malformed::Silent),
            [_, length, ..] if *length >= 2 => {
                options = options.get(usize::from(*length)..).ok_or(Malformed::Format)?;
            }
            _ => return Err(Malformed::Format),
        }
    }
}

fn parse_ipv6(frame: &mut Frame) -> Result<Header, Malformed> {
    let packet = Ipv6Packet::new_checked(frame.bytes()).map_err(|_| Malformed::Format)?;
    let total = packet.total_len();
    let mut header = Header {
        source: IpAddr::V6(packet.src_addr()),
        destination: IpAddr::V6(packet.dst_addr()),
        protocol: packet.next_header().into(),
        length: IPV6_HEADER,
        hop_limit: packet.hop_limit(),
        traffic_class: packet.traffic_class(),
        fragment: None,
    };
    frame.truncate(total);
    extension::walk(frame.bytes(), &mut header)?;
    Ok(header)
}

/// The fields of a header to write.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Outgoing {
    pub(crate) source: IpAddr,
    pub(crate) destination: IpAddr,
    pub(crate) protocol: u8,
    pub(crate) hop_limit: u8,
    pub(crate) traffic_class: u8,
}

/// The length of the header that [`emit`] writes for this destination.
pub(crate) const fn length_for(destination: IpAddr) -> usize {
    match destination {
        IpAddr::V4(_) => IPV4_HEADER,
        IpAddr::V6(_) => IPV6_HEADER,
    }
}

/// Header fields that only some packets set.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Extra {
    /// The flow label of an IPv6 packet (RFC 6437); 0 for none.
    pub(crate) flow_label: u32,
    /// Don't-fragment of an IPv4 packet; IPv6 routers never fragment.
    pub(crate) dont_fragment: bool,
    /// Leaves the checksum of an IPv4 header empty, on media that need none.
    pub(crate) skip_checksum: bool,
}

/// The don't-fragment flag of IPv4.
const DONT_FRAGMENT: u16 = 0x4000;

/// Writes a header without options before `payload` bytes; `packet` is header and payload. IPv4:
/// identification 0, don't-fragment clear, correct checksum.
pub(crate) fn emit(outgoing: &Outgoing, packet: &mut [u8]) {
    let Some(upper) = packet.len().checked_sub(length_for(outgoing.destination)) else { return };
    write(outgoing, &Extra::default(), upper, packet);
}

/// Writes a header without options into the first bytes of `packet`; `upper` bytes follow it.
#[inline(always)]
pub(crate) fn write(outgoing: &Outgoing, extra: &Extra, upper: usize, packet: &mut [u8]) {
    let Outgoing { traffic_class, hop_limit, protocol, .. } = *outgoing;
    match (outgoing.source, outgoing.destination) {
        (IpAddr::V4(source), IpAddr::V4(destination)) => {
            let Some(head) = packet.first_chunk_mut::<IPV4_HEADER>() else { return };
            let flags = if extra.dont_fragment { DONT_FRAGMENT } else { 0 };
            let sum = match extra.skip_checksum {
                false => ipv4_checksum(outgoing, IPV4_HEADER + upper, flags),
                true => 0,
            };
            // A packet is shorter than 65,536 bytes.
            let ([a, b], [c, d], [e, f]) = (
                ((IPV4_HEADER + upper) as u16).to_be_bytes(),
                flags.to_be_bytes(),
                sum.to_be_bytes(),
            );
            let ([g, h, i, j], [k, l, m, n]) = (source.octets(), destination.octets());
            *head = [
                0x45,
                traffic_class,
                a,
                b,
                0,
                0,
                c,
                d,
                hop_limit,
                protocol,
                e,
                f,
                g,
                h,
                i,
                j,
                k,
                l,
                m,
                n,
            ];
        }
        (IpAddr::V6(source), IpAddr::V6(destination)) => {
            let Some((head, rest)) = packet.split_first_chunk_mut::<8>() else { return };
            let [_, high, middle, low] = extra.flow_label.to_be_bytes();
            let [a, b] = (upper as u16).to_be_bytes();
            let (first, second) = (0x60 | traffic_class >> 4, traffic_class << 4 | (high & 0xf));
            *head = [first, second, middle, low, a, b, protocol, hop_limit];
            if let Some((addresses, _)) = rest.split_first_chunk_mut::<32>() {
                let (from, to) = addresses.split_at_mut(16);
                from.copy_from_slice(&source.octets());
                to.copy_from_slice(&destination.octets());
            }
        }
        // Callers choose the source by the destination's family.
        _ => {}
    }
}

/// Turns the bytes after an IPv4 header without options into its options; the packet was allocated
/// with room for them, a multiple of four, at most 40.
pub(crate) fn insert_ipv4_options(packet: &mut [u8], options: &[u8]) {
    if let Some(place) = packet.get_mut(IPV4_HEADER..IPV4_HEADER + options.len()) {
        place.copy_from_slice(options);
        Ipv4Packet::new_unchecked(&mut *packet).set_header_len((IPV4_HEADER + options.len()) as u8);
        fill_ipv4_checksum(packet);
    }
}

/// The source address of a packet.
pub(crate) fn source_of(packet: &[u8]) -> Option<IpAddr> {
    match packet.first()? >> 4 {
        4 => packet.get(12..)?.first_chunk::<4>().map(|octets| IpAddr::from(*octets)),
        6 => packet.get(8..)?.first_chunk::<16>().map(|octets| IpAddr::from(*octets)),
        _ => None,
    }
}

/// The protocol of a packet without extension headers that is no later fragment, and what its IP
/// header is in front of.
pub(crate) fn upper_of(packet: &[u8]) -> Option<(u8, &[u8])> {
    let first = packet.first()?;
    match first >> 4 {
        4 if fragment_offset_of(packet)? == 0 => {
            Some((*packet.get(9)?, packet.get(usize::from(first & 15) * 4..)?))
        }
        6 => Some((*packet.get(6)?, packet.get(IPV6_HEADER..)?)),
        _ => None,
    }
}

/// True for a fragment; one of IPv6 has the protocol of its extension header.
pub(crate) fn is_fragment(packet: &[u8]) -> bool {
    let is_ipv4 = packet.first().is_some_and(|first| first >> 4 == 4);
    let field = packet.get(6..).and_then(<[u8]>::first_chunk);
    is_ipv4 && field.is_some_and(|bytes| u16::from_be_bytes(*bytes) & 0x3fff != 0)
}

/// The fragment offset of an IPv4 packet.
fn fragment_offset_of(packet: &[u8]) -> Option<u16> {
    packet.get(6..)?.first_chunk().map(|bytes| u16::from_be_bytes(*bytes) & 0x1fff)
}

/// The destination address of a packet.
pub(crate) fn destination_of(packet: &[u8]) -> Option<IpAddr> {
    match packet.first()? >> 4 {
        4 => packet.get(16..)?.first_chunk::<4>().map(|octets| IpAddr::from(*octets)),
        6 => packet.get(24..)?.first_chunk::<16>().map(|octets| IpAddr::from(*octets)),
        _ => None,
    }
}

/// Recomputes the header checksum of an IPv4 packet.
pub(crate) fn fill_ipv4_checksum(packet: &mut [u8]) {
    let length = packet.first().map_or(0, |byte| usize::from(byte & 0xf) * 4);
    let Some(header) = packet.get_mut(..length) else { return };
    if let Some(field) = header.get_mut(10..12) {
        field.fill(0);
    }
    let sum = checksum::of(header).to_be_bytes();
    if let Some(field) = header.get_mut(10..12) {
        field.copy_from_slice(&sum);
    }
}

/// The checksum of an IPv4 header without options, from its fields. Loading the header instead
/// would stall until the narrow stores that wrote it reach the cache.
fn ipv4_checksum(outgoing: &Outgoing, total: usize, flags: u16) -> u16 {
    let halves = |address: IpAddr| match address {
        IpAddr::V4(address) => (u32::from(address) >> 16) + (u32::from(address) & 0xffff),
        IpAddr::V6(_) => 0,
    };
    let first = 0x4500 | u32::from(outgoing.traffic_class);
    let ninth = u32::from(outgoing.hop_limit) << 8 | u32::from(outgoing.protocol);
    // A packet is shorter than 65,536 bytes.
    let sum = first
        + total as u32
        + u32::from(flags)
        + ninth
        + halves(outgoing.source)
        + halves(outgoing.destination);
    let sum = (sum >> 16) + (sum & 0xffff);
    !((sum >> 16) + sum) as u16
}
