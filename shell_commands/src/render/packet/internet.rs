//! ARP, IP, ICMP and UDP.

use std::fmt::Write;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use etherparse::{
    ArpPacketSlice, IpNumber, LaxIpv4Slice, LaxIpv6Slice, LaxSlicedPacket, TransportSlice,
};

use super::tcp::{self, Streams};
use super::{Style, application, hardware};

fn ipv4_of(bytes: &[u8]) -> Ipv4Addr {
    bytes.first_chunk::<4>().map_or(Ipv4Addr::UNSPECIFIED, |octets| Ipv4Addr::from(*octets))
}

fn ipv6_at(bytes: &[u8], at: usize) -> Option<Ipv6Addr> {
    Some(Ipv6Addr::from(*bytes.get(at..)?.first_chunk::<16>()?))
}

pub(super) fn arp(text: &mut String, arp: &ArpPacketSlice<'_>, length: usize) {
    let (from, to) = (ipv4_of(arp.sender_protocol_addr()), ipv4_of(arp.target_protocol_addr()));
    let _ = match arp.operation().0 {
        1 => write!(text, "ARP, Request who-has {to} tell {from}, length {length}"),
        2 => {
            let is_at = hardware(arp.sender_hw_addr());
            write!(text, "ARP, Reply {from} is-at {is_at}, length {length}")
        }
        other => write!(text, "ARP, operation {other}, length {length}"),
    };
}

pub(super) fn ipv4(
    text: &mut String,
    packet: &LaxIpv4Slice<'_>,
    sliced: &LaxSlicedPacket<'_>,
    style: Style,
    streams: &mut Streams,
) {
    let header = packet.header();
    let length = usize::from(header.total_len()).saturating_sub(header.slice().len());
    let protocol = packet.payload().ip_number;
    text.push_str("IP ");
    if style.verbose {
        let flags = match (header.dont_fragment(), header.more_fragments()) {
            (true, true) => "+, DF",
            (true, false) => "DF",
            (false, true) => "+",
            (false, false) => "none",
        };
        let _ = write!(
            text,
            "(tos 0x{:x}, ttl {}, id {}, offset {}, flags [{flags}], proto {} ({}), length {})\n\
             \x20   ",
            header.slice().get(1).copied().unwrap_or_default(),
            header.ttl(),
            header.identification(),
            u32::from(header.fragments_offset().value()) * 8,
            name(header.protocol()),
            header.protocol().0,
            header.total_len(),
        );
    }
    let ends = (IpAddr::V4(header.source_addr()), IpAddr::V4(header.destination_addr()));
    above(text, ends, protocol, length, sliced, style, streams);
}

pub(super) fn ipv6(
    text: &mut String,
    packet: &LaxIpv6Slice<'_>,
    sliced: &LaxSlicedPacket<'_>,
    style: Style,
    streams: &mut Streams,
) {
    let header = packet.header();
    let protocol = packet.payload().ip_number;
    text.push_str("IP6 ");
    if style.verbose {
        text.push('(');
        let label = header.flow_label().value();
        if label != 0 {
            let _ = write!(text, "flowlabel 0x{label:05x}, ");
        }
        let _ = write!(
            text,
            "hlim {}, next-header {} ({}) payload length: {}) ",
            header.hop_limit(),
            name(header.next_header()),
            header.next_header().0,
            header.payload_length(),
        );
    }
    let ends = (IpAddr::V6(header.source_addr()), IpAddr::V6(header.destination_addr()));
    let extensions = packet.extensions().slice().len();
    let length = usize::from(header.payload_length()).saturating_sub(extensions);
    above(text, ends, protocol, length, sliced, style, streams);
}

/// What is above IP; `length` is that of the packet, which may be cut.
fn above(
    text: &mut String,
    (from, to): (IpAddr, IpAddr),
    protocol: IpNumber,
    length: usize,
    sliced: &LaxSlicedPacket<'_>,
    style: Style,
    streams: &mut Streams,
) {
    let _ = match &sliced.transport {
        Some(TransportSlice::Tcp(segment)) => {
            let ends = ((from, segment.source_port()), (to, segment.destination_port()));
            write!(text, "{from}.{} > {to}.{}: ", segment.source_port(), segment.destination_port())
                .map(|()| tcp::show(text, segment, ends, length, style, streams))
        }
        Some(TransportSlice::Udp(datagram)) => {
            let ports = (datagram.source_port(), datagram.destination_port());
            let length = usize::from(datagram.length()).saturating_sub(8);
            write!(text, "{from}.{} > {to}.{}: ", ports.0, ports.1).map(|()| {
                application::udp(text, ports, datagram.payload(), length, style.quiet);
            })
        }
        Some(TransportSlice::Icmpv4(message)) => {
            write!(text, "{from} > {to}: ICMP ").map(|()| icmp(text, message.slice(), length))
        }
        Some(TransportSlice::Icmpv6(message)) => {
            write!(text, "{from} > {to}: ICMP6, ").map(|()| icmp6(text, message.slice(), length))
        }
        Some(TransportSlice::Igmp(message)) => {
            let bytes = message.slice();
            write!(text, "{from} > {to}: igmp ").map(|()| igmp(text, bytes))
        }
        None if protocol == IpNumber::TCP || protocol == IpNumber::UDP => {
            let cut = if sliced.stop_err.is_some() { " [|cut]" } else { "" };
            write!(text, "{from} > {to}: {}{cut}", name(protocol).to_lowercase())
        }
        None => write!(text, "{from} > {to}: ip-proto-{} {length}", protocol.0),
    };
}

/// The protocols as tcpdump writes them.
fn name(protocol: IpNumber) -> String {
    match protocol {
        IpNumber::ICMP => "ICMP".into(),
        IpNumber::IGMP => "IGMP".into(),
        IpNumber::TCP => "TCP".into(),
        IpNumber::UDP => "UDP".into(),
        IpNumber::IPV6_ICMP => "ICMPv6".into(),
        IpNumber::IPV6_HEADER_HOP_BY_HOP => "Options".into(),
        IpNumber::IPV6_FRAGMENTATION_HEADER => "Fragment".into(),
        IpNumber(number) => format!("unknown-{number}"),
    }
}

fn word(bytes: &[u8], at: usize) -> u16 {
    let bytes = bytes.get(at..).and_then(|bytes| bytes.first_chunk());
    bytes.copied().map(u16::from_be_bytes).unwrap_or_default()
}

fn icmp(text: &mut String, message: &[u8], length: usize) {
    let octet = |at: usize| message.get(at).copied().unwrap_or_default();
    let (kind, code) = (octet(0), octet(1));
    // The packet that an error is about.
    let inner = message.get(8..).unwrap_or_default();
    let to = ipv4_of(inner.get(16..).unwrap_or_default());
    let protocol = inner.get(9).copied().unwrap_or_default();
    let header = usize::from(inner.first().copied().unwrap_or_default() & 0xf) * 4;
    let what = match (kind, code) {
        (0 | 8, _) => {
            let kind = if kind == 8 { "request" } else { "reply" };
            format!("echo {kind}, id {}, seq {}", word(message, 4), word(message, 6))
        }
        (3, 0) => format!("net {to} unreachable"),
        (3, 1) => format!("host {to} unreachable"),
        (3, 2) => format!("{to} protocol {protocol} unreachable"),
        (3, 3) if matches!(protocol, 6 | 17) => {
            let protocol = if protocol == 6 { "tcp" } else { "udp" };
            format!("{to} {protocol} port {} unreachable", word(inner, header + 2))
        }
        (3, 3) => format!("{to} protocol {protocol} port unreachable"),
        (3, 4) => format!("{to} unreachable - need to frag (mtu {})", word(message, 6)),
        (3, 13) => format!("host {to} unreachable - admin prohibited filter"),
        (3, code) => format!("{to} unreachable - #{code}"),
        (5, _) => {
            format!("redirect {to} to host {}", ipv4_of(message.get(4..).unwrap_or_default()))
        }
        (11, 0) => "time exceeded in-transit".into(),
        (11, _) => "ip reassembly time exceeded".into(),
        (12, _) => "parameter problem".into(),
        (kind, _) => format!("type-#{kind}"),
    };
    let _ = write!(text, "{what}, length {length}");
}

fn icmp6(text: &mut String, message: &[u8], length: usize) {
    let octet = |at: usize| message.get(at).copied().unwrap_or_default();
    let (kind, code) = (octet(0), octet(1));
    let target = |at| ipv6_at(message, at).map(|address| address.to_string()).unwrap_or_default();
    // The packet that an error is about begins behind eight bytes.
    let to = target(8 + 24);
    let what = match (kind, code) {
        (1, 0) => format!("destination unreachable, unreachable route {to}"),
        (1, 1) => format!("destination unreachable, unreachable prohibited {to}"),
        (1, 3) => format!("destination unreachable, unreachable address {to}"),
        (1, 4) => {
            let protocol = match octet(8 + 6) {
                6 => "tcp",
                17 => "udp",
                _ => "other",
            };
            let port = word(message, 8 + 40 + 2);
            format!("destination unreachable, unreachable port, {to} {protocol} port {port}")
        }
        (1, code) => format!("destination unreachable, unknown unreach code ({code})"),
        (2, _) => format!("packet too big, mtu {}", word(message, 6)),
        (3, 0) => "time exceeded in-transit".into(),
        (3, _) => "time exceeded in reassembly".into(),
        (4, _) => "parameter problem".into(),
        (128 | 129, _) => {
            let kind = if kind == 128 { "request" } else { "reply" };
            format!("echo {kind}, id {}, seq {}", word(message, 4), word(message, 6))
        }
        (130, _) => "multicast listener query".into(),
        (131, _) => "multicast listener report".into(),
        (132, _) => "multicast listener done".into(),
        (133, _) => "router solicitation".into(),
        (134, _) => "router advertisement".into(),
        (135, _) => format!("neighbor solicitation, who has {}", target(8)),
        (136, _) => format!("neighbor advertisement, tgt is {}", target(8)),
        (137, _) => format!("redirect, {} to {}", target(24), target(8)),
        (143, _) => {
            format!("multicast listener report v2, {} group record(s)", word(message, 6))
        }
        (kind, _) => format!("type-#{kind}"),
    };
    let _ = write!(text, "{what}, length {length}");
}

fn igmp(text: &mut String, message: &[u8]) {
    let group = ipv4_of(message.get(4..).unwrap_or_default());
    let _ = match message.first() {
        Some(0x11) => write!(text, "query"),
        Some(0x12) => write!(text, "v1 report {group}"),
        Some(0x16) => write!(text, "v2 report {group}"),
        Some(0x17) => write!(text, "leave {group}"),
        Some(0x22) => write!(text, "v3 report, {} group record(s)", word(message, 6)),
        Some(kind) => write!(text, "type-#{kind}"),
        None => write!(text, "[|igmp]"),
    };
}
