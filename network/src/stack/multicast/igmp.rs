//! The messages of IGMP (RFC 1112, RFC 2236, RFC 3376): parses queries, writes reports. Pure
//! functions over bytes.

use alloc::vec;
use alloc::vec::Vec;
use core::net::{IpAddr, Ipv4Addr};
use core::time::Duration;

use super::membership::{Query, Record, Version};
use crate::stack::wire::checksum;
use crate::stack::wire::quote::u16_at;

const QUERY: u8 = 0x11;
const REPORT_1: u8 = 0x12;
const REPORT_2: u8 = 0x16;
const LEAVE: u8 = 0x17;
const REPORT_3: u8 = 0x22;

/// Bytes of every message of versions 1 and 2.
const SHORT: usize = 8;
/// Bytes of a version 3 query without sources, and of a report without records.
const LONG_QUERY: usize = 12;
const REPORT_HEADER: usize = 8;
/// Bytes of a record without sources.
const RECORD: usize = 8;

/// The destination of version 3 reports (RFC 3376 §4.2.14), and of version 2 leaves.
pub(super) const ALL_REPORTERS: Ipv4Addr = Ipv4Addr::new(224, 0, 0, 22);
pub(super) const ALL_ROUTERS: Ipv4Addr = Ipv4Addr::new(224, 0, 0, 2);

/// A received message.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Message {
    Query(Query),
    /// A membership report of version 1 or 2.
    Member(IpAddr),
    /// A message that does not concern a host.
    Other,
}

/// Parses a message; `None` when it is malformed.
pub(super) fn parse(bytes: &[u8]) -> Option<Message> {
    if bytes.len() < SHORT || checksum::of(bytes) != 0 {
        return None;
    }
    let group = Ipv4Addr::from(*bytes.get(4..)?.first_chunk::<4>()?);
    let (kind, code) = (*bytes.first()?, *bytes.get(1)?);
    match kind {
        QUERY => {
            let queried = (!group.is_unspecified()).then_some(IpAddr::V4(group));
            if queried.is_some() && !group.is_multicast() {
                return None;
            }
            let (version, tenths, robustness) = match bytes.len() {
                SHORT if code == 0 => (Version::One, 100, 0),
                // Linear: the floating-point form is version 3's only (MC-04).
                SHORT => (Version::Two, u32::from(code), 0),
                length if length >= LONG_QUERY => {
                    (Version::Three, floating(code), bytes.get(8)? & 7)
                }
                _ => return None,
            };
            let within = Duration::from_millis(u64::from(tenths) * 100);
            Some(Message::Query(Query { version, group: queried, within, robustness }))
        }
        REPORT_1 | REPORT_2 if group.is_multicast() => Some(Message::Member(IpAddr::V4(group))),
        REPORT_1 | REPORT_2 => None,
        _ => Some(Message::Other),
    }
}

/// A time in the floating-point form of version 3 (RFC 3376 §4.1.1).
fn floating(code: u8) -> u32 {
    match code {
        0..128 => u32::from(code),
        _ => (u32::from(code & 0xf) | 0x10) << ((u32::from(code >> 4) & 7) + 3),
    }
}

/// The number of records that fit into a packet of `mtu` bytes with `headers` bytes of headers
/// (MC-10).
pub(super) const fn records_in(mtu: usize, headers: usize) -> usize {
    mtu.saturating_sub(headers + REPORT_HEADER) / RECORD
}

/// A report of version 3.
pub(super) fn records(records: &[(Record, IpAddr)]) -> Vec<u8> {
    // The records fit into one packet.
    let [high, low] = (records.len() as u16).to_be_bytes();
    let mut message = vec![REPORT_3, 0, 0, 0, 0, 0, high, low];
    for (record, group) in records {
        if let IpAddr::V4(group) = group {
            message.extend_from_slice(&[*record as u8, 0, 0, 0]);
            message.extend_from_slice(&group.octets());
        }
    }
    sealed(message)
}

/// A membership report of version 1 or 2.
pub(super) fn member(version: Version, group: Ipv4Addr) -> Vec<u8> {
    short(if version == Version::One { REPORT_1 } else { REPORT_2 }, group)
}

/// A leave message of version 2.
pub(super) fn leave(group: Ipv4Addr) -> Vec<u8> {
    short(LEAVE, group)
}

fn short(kind: u8, group: Ipv4Addr) -> Vec<u8> {
    let mut message = vec![kind, 0, 0, 0];
    message.extend_from_slice(&group.octets());
    sealed(message)
}

fn sealed(mut message: Vec<u8>) -> Vec<u8> {
    let sum = checksum::of(&message).to_be_bytes();
    if let Some(field) = message.get_mut(2..4) {
        field.copy_from_slice(&sum);
    }
    debug_assert!(u16_at(&message, 2).is_some(), "every message has a header");
    message
}

#[cfg(test)]
mod tests {
    use super::*;

    fn query(code: u8, length: usize) -> Message {
        let mut bytes = vec![0; length];
        (bytes[0], bytes[1]) = (QUERY, code);
        parse(&sealed(bytes)).unwrap()
    }

    #[test]
    fn mc_04_the_floating_form_is_version_3s_only() {
        for (code, length, version, milliseconds) in [
            (0, 8, Version::One, 10_000),
            (100, 8, Version::Two, 10_000),
            (200, 8, Version::Two, 20_000),
            (100, 12, Version::Three, 10_000),
            (0x80, 12, Version::Three, 12_800),
            (0xff, 12, Version::Three, 31_744 * 100),
        ] {
            let Message::Query(query) = query(code, length) else { panic!("{code}") };
            assert_eq!(
                (query.version, query.within),
                (version, Duration::from_millis(milliseconds)),
                "{code}"
            );
        }
    }

    #[test]
    fn broken_messages_are_refused() {
        assert_eq!(parse(&[]), None);
        assert_eq!(parse(&sealed(vec![QUERY, 0, 0, 0, 10, 0, 0, 1])), None);
        assert_eq!(parse(&sealed(vec![REPORT_2, 0, 0, 0, 10, 0, 0, 1])), None);
        assert_eq!(parse(&sealed(vec![QUERY, 0, 0, 0, 0, 0, 0, 0, 0, 0])), None);
        assert_eq!(parse(&[QUERY, 0, 1, 1, 0, 0, 0, 0]), None);
        assert_eq!(parse(&sealed(vec![0x42, 0, 0, 0, 1, 2, 3, 4])), Some(Message::Other));
    }
}
