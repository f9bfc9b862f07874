//! The names and values in a filter.

use core::net::IpAddr;
use core::ops::RangeInclusive;

use super::view::ethertype;
use super::{SCTP, TCP, UDP};
use crate::address::Prefix;

/// Names of services that `port` knows.
const SERVICES: [(&str, u16); 20] = [
    ("ftp-data", 20),
    ("ftp", 21),
    ("ssh", 22),
    ("telnet", 23),
    ("smtp", 25),
    ("domain", 53),
    ("bootps", 67),
    ("bootpc", 68),
    ("tftp", 69),
    ("http", 80),
    ("pop3", 110),
    ("ntp", 123),
    ("imap", 143),
    ("snmp", 161),
    ("bgp", 179),
    ("https", 443),
    ("syslog", 514),
    ("dhcpv6-client", 546),
    ("dhcpv6-server", 547),
    ("mdns", 5353),
];

/// Protocols above IP.
pub(super) const PROTOCOLS: [(&str, u8); 8] = [
    ("icmp", 1),
    ("igmp", 2),
    ("tcp", TCP),
    ("udp", UDP),
    ("icmp6", 58),
    ("esp", 50),
    ("ah", 51),
    ("sctp", SCTP),
];

/// Names of offsets and of values in bytes.
pub(super) const NUMBERS: [(&str, u32); 24] = [
    ("tcpflags", 13),
    ("tcp-fin", 1),
    ("tcp-syn", 2),
    ("tcp-rst", 4),
    ("tcp-push", 8),
    ("tcp-ack", 16),
    ("tcp-urg", 32),
    ("tcp-ece", 64),
    ("tcp-cwr", 128),
    ("icmptype", 0),
    ("icmpcode", 1),
    ("icmp6type", 0),
    ("icmp6code", 1),
    ("icmp-echoreply", 0),
    ("icmp-unreach", 3),
    ("icmp-redirect", 5),
    ("icmp-echo", 8),
    ("icmp-timxceed", 11),
    ("icmp6-packettoobig", 2),
    ("icmp6-echo", 128),
    ("icmp6-echoreply", 129),
    ("icmp6-routersolicit", 133),
    ("icmp6-routeradvert", 134),
    ("icmp6-neighborsolicit", 135),
];

pub(super) fn is_protocol(word: &str) -> bool {
    word == "ether" || ethertype(word).is_some() || named::<u8>(&PROTOCOLS, word).is_some()
}

pub(super) fn named<T: Copy>(names: &[(&str, T)], word: &str) -> Option<T> {
    names.iter().find(|(name, _)| *name == word).map(|(_, value)| *value)
}

/// A number, decimal or hexadecimal.
pub(super) fn number(word: &str) -> Option<u32> {
    match word.strip_prefix("0x") {
        Some(digits) => u32::from_str_radix(digits, 16).ok(),
        None => word.parse().ok(),
    }
}

pub(super) fn port(word: &str) -> Option<u16> {
    word.parse().ok().or_else(|| named(&SERVICES, word))
}

pub(super) fn ports(word: &str) -> Option<RangeInclusive<u16>> {
    let (first, last) = word.split_once('-')?;
    Some(port(first)?..=port(last)?).filter(|range| !range.is_empty())
}

/// A prefix whose host bits are zero, or an IPv4 address with its last octets left out.
pub(super) fn network(word: &str) -> Option<Prefix> {
    if let Ok(prefix) = word.parse::<Prefix>() {
        return Some(prefix).filter(|prefix| prefix.network() == *prefix);
    }
    if let Ok(address) = word.parse::<IpAddr>() {
        return Some(Prefix::host(address));
    }
    let (mut octets, mut count) = ([0; 4], 0_u8);
    for part in word.split('.') {
        *octets.get_mut(usize::from(count))? = part.parse().ok()?;
        count += 1;
    }
    Prefix::new(IpAddr::from(octets), count * 8).ok()
}
