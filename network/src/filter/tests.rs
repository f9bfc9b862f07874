//! Tests of filters, with frames made by hand.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::*;

/// Ethernet from ..:02 to ..:01, with a VLAN tag if there is one.
fn ethernet(ethertype: u16, vlan: Option<u16>, packet: &[u8]) -> Vec<u8> {
    let mut frame = Vec::from([2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2]);
    if let Some(vlan) = vlan {
        frame.extend([0x81, 0]);
        frame.extend(vlan.to_be_bytes());
    }
    frame.extend(ethertype.to_be_bytes());
    frame.extend(packet);
    frame
}

/// From 10.0.0.1 to 10.0.0.2.
fn ipv4(protocol: u8, offset: u16, payload: &[u8]) -> Vec<u8> {
    let mut packet = Vec::from([0x45, 0, 0, 0, 0, 0]);
    packet.extend(offset.to_be_bytes());
    packet.extend([64, protocol, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2]);
    packet.extend(payload);
    packet
}

/// From fe80::1 to ff02::1, behind a hop-by-hop header.
fn ipv6(protocol: u8, payload: &[u8]) -> Vec<u8> {
    let mut packet = Vec::from([0x60, 0, 0, 0, 0, 0, 0, 1]);
    packet.extend("fe80::1".parse::<core::net::Ipv6Addr>().unwrap().octets());
    packet.extend("ff02::1".parse::<core::net::Ipv6Addr>().unwrap().octets());
    packet.extend([protocol, 0, 0, 0, 0, 0, 0, 0]);
    packet.extend(payload);
    packet
}

/// TCP or UDP from port 40000 to 80, the flags SYN and ACK.
const SEGMENT: [u8; 20] = [0x9c, 0x40, 0, 80, 0, 0, 0, 1, 0, 0, 0, 2, 0x50, 0x12, 1, 0, 0, 0, 0, 0];

fn passing(text: &str) -> String {
    let filter: Filter = text.parse().unwrap_or_else(|error| panic!("{text}: {error}"));
    let arp =
        [0, 1, 8, 0, 6, 4, 0, 1, 2, 0, 0, 0, 0, 2, 10, 0, 0, 1, 0, 0, 0, 0, 0, 0, 10, 0, 0, 9];
    let frames = [
        ("tcp", ethernet(0x0800, None, &ipv4(6, 0, &SEGMENT))),
        ("fragment", ethernet(0x0800, None, &ipv4(6, 7, &SEGMENT))),
        ("vlan", ethernet(0x0800, Some(5), &ipv4(17, 0, &SEGMENT))),
        ("arp", ethernet(0x0806, None, &arp)),
        ("udp6", ethernet(0x86dd, None, &ipv6(17, &SEGMENT))),
        ("icmp", ethernet(0x0800, None, &ipv4(1, 0, &[8, 0, 0, 0]))),
        ("lldp", ethernet(0x88cc, None, &[])),
        ("short", Vec::from([1, 2])),
    ];
    let passed = frames
        .iter()
        .filter(|(_, frame)| filter.passes(frame, Medium::Ethernet, CaptureDirection::In));
    passed.map(|(name, _)| *name).collect::<Vec<_>>().join(" ")
}

#[test]
fn primitives_match_what_the_manual_says() {
    for (text, expected) in [
        ("", "tcp fragment vlan arp udp6 icmp lldp short"),
        ("ip", "tcp fragment vlan icmp"),
        ("ip6", "udp6"),
        ("arp", "arp"),
        ("tcp", "tcp fragment"),
        ("udp", "vlan udp6"),
        ("ip6 proto udp", "udp6"),
        ("ip proto 17", "vlan"),
        ("icmp", "icmp"),
        ("icmp6", ""),
        ("ether proto 0x88cc", "lldp"),
        ("port 80", "tcp vlan udp6"),
        ("tcp port http", "tcp"),
        ("udp dst port 80", "vlan udp6"),
        ("src port 80", ""),
        ("src or dst port 80", "tcp vlan udp6"),
        ("src and dst port 80", ""),
        ("portrange 79-81", "tcp vlan udp6"),
        ("host 10.0.0.1", "tcp fragment vlan arp icmp"),
        ("dst host 10.0.0.1", ""),
        ("arp host 10.0.0.9", "arp"),
        ("ip host 10.0.0.1", "tcp fragment vlan icmp"),
        ("host fe80::1", "udp6"),
        ("dst 10.0.0.2 or 10.0.0.9", "tcp fragment vlan arp icmp"),
        ("net 10.0.0.0/30", "tcp fragment vlan arp icmp"),
        ("dst net 10.0.0.8/30", "arp"),
        ("net 10.0", "tcp fragment vlan arp icmp"),
        ("net 10.0.0.0 mask 255.0.255.0", "tcp fragment vlan arp icmp"),
        ("ether host 02:00:00:00:00:01", "tcp fragment vlan arp udp6 icmp lldp"),
        ("ether src 02:00:00:00:00:01", ""),
        ("multicast", ""),
        ("ip6 multicast", "udp6"),
        ("vlan", "vlan"),
        ("vlan 5", "vlan"),
        ("vlan 6", ""),
        ("less 14", "lldp short"),
        ("greater 60", "udp6"),
        ("len == 2", "short"),
        ("inbound", "tcp fragment vlan arp udp6 icmp lldp short"),
        ("outbound", ""),
        ("tcp[tcpflags] & (tcp-syn|tcp-fin) != 0", "tcp"),
        ("tcp[13] = 0x12", "tcp"),
        ("tcp[0:2] > 39999", "tcp"),
        ("icmp[icmptype] = icmp-echo", "icmp"),
        ("ip[6:2] & 0x1fff != 0", "fragment"),
        ("ether[0] & 1 = 0 and ip", "tcp fragment vlan icmp"),
    ] {
        assert_eq!(passing(text), expected, "{text}");
    }
}

#[test]
fn words_combine_from_the_left_and_are_inherited() {
    for (text, expected) in [
        ("tcp dst port 443 or 80", "tcp"),
        ("not tcp and not udp", "arp icmp lldp short"),
        ("! ( tcp || udp )", "arp icmp lldp short"),
        // `(tcp or icmp) and ip6`.
        ("tcp or icmp and ip6", ""),
        ("tcp or (icmp and ip)", "tcp fragment icmp"),
        ("host 10.0.0.9 or fe80::1 or port 80", "tcp vlan arp udp6"),
    ] {
        assert_eq!(passing(text), expected, "{text}");
    }
}

#[test]
fn media_without_ethernet_begin_with_the_packet() {
    let filter: Filter = "tcp port 80 and not ether host 02:00:00:00:00:01".parse().unwrap();
    assert!(filter.passes(&ipv4(6, 0, &SEGMENT), Medium::Ip, CaptureDirection::Both));
    assert!(!filter.passes(&ipv4(17, 0, &SEGMENT), Medium::Ip, CaptureDirection::Both));
}

#[test]
fn what_is_no_filter_says_where() {
    for (text, expected) in [
        ("host", "the filter ends where an address is missing"),
        ("host web.lan", "\"web.lan\" at 6 is not an address"),
        ("tcp host 10.0.0.1", "\"10.0.0.1\" at 10 is not something of this protocol"),
        ("ip host ::1", "\"::1\" at 9 is not an address of this protocol"),
        ("port 70000", "\"70000\" at 6 is not a port"),
        ("portrange 9-8", "\"9-8\" at 11 is not a range of ports"),
        ("icmp port 7", "\"7\" at 11 is not something of this protocol"),
        ("net 10.0.0.1/8", "\"10.0.0.1/8\" at 5 is not a network"),
        ("net ::/0 mask 255.0.0.0", "\"mask\" at 10 is not for IPv6"),
        ("tcp udp", "\"udp\" at 5 is not `and` or `or`"),
        ("(tcp", "the filter ends where `)` is missing"),
        ("tcp and", "the filter ends where an address is missing"),
        ("tcp[13", "the filter ends where `]` is missing"),
        ("tcp[13:3] = 1", "\"3\" at 8 is not 1, 2 or 4"),
        ("tcp[13] 1", "\"1\" at 9 is not a comparison"),
        ("tcp; udp", "\";\" at 4 is not a sign of filters"),
        ("foo", "\"foo\" at 1 is not an address"),
        (
            "ether",
            "the filter ends where `src`, `dst`, `host`, `proto`, `broadcast` or \
                   `multicast` is missing",
        ),
    ] {
        assert_eq!(text.parse::<Filter>().unwrap_err().to_string(), expected, "{text}");
    }
    let long = format!("tcp{}", " or tcp".repeat(140));
    assert!(long.parse::<Filter>().unwrap_err().to_string().contains("too many words"));
    assert!("(".repeat(5000).parse::<Filter>().is_err());
}

#[test]
fn any_text_and_any_frame_have_a_result() {
    let words = [
        "tcp",
        "ip",
        "ip6",
        "ether",
        "host",
        "net",
        "port",
        "src",
        "dst",
        "or",
        "and",
        "not",
        "(",
        ")",
        "[",
        "]",
        ":",
        "&",
        "=",
        "10.0.0.1",
        "::1",
        "80",
        "10/8",
        "vlan",
        "len",
        "<",
        "mask",
        "proto",
        "multicast",
        "portrange",
        "1-2",
        "!=",
    ];
    let mut state = 1_u32;
    let mut random = |bound: usize| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 8) as usize % bound
    };
    let (mut valid, mut passed) = (0, 0);
    for _ in 0..20_000 {
        let text: Vec<_> = (0..random(9)).map(|_| words[random(words.len())]).collect();
        let Ok(filter) = text.join(" ").parse::<Filter>() else { continue };
        valid += 1;
        let mut frame: Vec<u8> = (0..random(80)).map(|_| random(256) as u8).collect();
        if let Some(place) = frame.get_mut(12..15) {
            place.copy_from_slice([[8, 0, 0x45], [0x86, 0xdd, 0x60]][random(2)].as_slice());
        }
        for medium in [Medium::Ethernet, Medium::Ip] {
            passed += usize::from(filter.passes(&frame, medium, CaptureDirection::Out));
        }
    }
    assert!(valid > 1000 && passed > 100, "{valid} {passed}");
}
