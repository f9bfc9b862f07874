//! The messages of MLD (RFC 2710, RFC 3810): parses queries, writes reports. Pure functions over
//! bytes; the caller computes checksums.

use alloc::vec;
use alloc::vec::Vec;
use core::net::{IpAddr, Ipv6Addr};
use core::time::Duration;

use super::igmp::Message;
use super::membership::{Query, Record, Version};
use crate::stack::wire::quote::u16_at;

const QUERY: u8 = 130;
const REPORT_1: u8 = 131;
const DONE: u8 = 132;
const REPORT_2: u8 = 143;

/// Bytes of every message of version 1.
const SHORT: usize = 24;
/// Bytes of a version 2 query without sources, and of a report without records.
const LONG_QUERY: usize = 28;
const REPORT_HEADER: usize = 8;
/// Bytes of a record without sources.
const RECORD: usize = 20;

/// The destination of version 2 reports (RFC 3810 §5.2.14).
pub(super) const ALL_REPORTERS: Ipv6Addr = Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 0x16);

/// Parses a message with a correct checksum; `None` when it is malformed.
pub(super) fn parse(bytes: &[u8]) -> Option<Message> {
    match *bytes.first()? {
        QUERY => {
            let group = Ipv6Addr::from_octets(*bytes.get(8..)?.first_chunk()?);
            let queried = (!group.is_unspecified()).then_some(IpAddr::V6(group));
            if queried.is_some() && !group.is_multicast() {
                return None;
            }
            let code = u16_at(bytes, 4)?;
            let (version, milliseconds, robustness) = match bytes.len() {
                SHORT => (Version::Two, u32::from(code), 0),
                length if length >= LONG_QUERY => {
                    (Version::Three, floating(code), bytes.get(24)? & 7)
                }
                _ => return None,
            };
            let within = Duration::from_millis(u64::from(milliseconds));
            Some(Message::Query(Query { version, group: queried, within, robustness }))
        }
        REPORT_1 => {
            let group = Ipv6Addr::from_octets(*bytes.get(8..)?.first_chunk()?);
            group.is_multicast().then_some(Message::Member(IpAddr::V6(group)))
        }
        _ => Some(Message::Other),
    }
}

/// A time in the floating-point form of version 2 (RFC 3810 §5.1.3).
fn floating(code: u16) -> u32 {
    match code {
        0..32_768 => u32::from(code),
        _ => (u32::from(code & 0xfff) | 0x1000) << ((u32::from(code >> 12) & 7) + 3),
    }
}

/// The number of records that fit into a packet of `mtu` bytes with `headers` bytes of headers
/// (MC-10).
pub(super) const fn records_in(mtu: usize, headers: usize) -> usize {
    mtu.saturating_sub(headers + REPORT_HEADER) / RECORD
}

/// A report of version 2.
pub(super) fn records(records: &[(Record, IpAddr)]) -> Vec<u8> {
    // The records fit into one packet.
    let [high, low] = (records.len() as u16).to_be_bytes();
    let mut message = vec![REPORT_2, 0, 0, 0, 0, 0, high, low];
    for (record, group) in records {
        if let IpAddr::V6(group) = group {
            message.extend_from_slice(&[*record as u8, 0, 0, 0]);
            message.extend_from_slice(&group.octets());
        }
    }
    message
}

/// A membership report of version 1.
pub(super) fn member(group: Ipv6Addr) -> Vec<u8> {
    short(REPORT_1, group)
}

/// A done message of version 1.
pub(super) fn leave(group: Ipv6Addr) -> Vec<u8> {
    short(DONE, group)
}

fn short(kind: u8, group: Ipv6Addr) -> Vec<u8> {
    let mut message = vec![kind, 0, 0, 0, 0, 0, 0, 0];
    message.extend_from_slice(&group.octets());
    message
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mc_06_queries_of_both_versions_are_read() {
        let mut bytes = vec![QUERY, 0, 0, 0, 0x27, 0x10, 0, 0];
        bytes.resize(SHORT, 0);
        let expected = |version, milliseconds, robustness| {
            let within = Duration::from_millis(milliseconds);
            Some(Message::Query(Query { version, group: None, within, robustness }))
        };
        assert_eq!(parse(&bytes), expected(Version::Two, 10_000, 0));
        // Version 1 has no floating-point form.
        bytes[4] = 0x80;
        assert_eq!(parse(&bytes), expected(Version::Two, 0x8010, 0));
        bytes.extend_from_slice(&[3, 0, 0, 0]);
        assert_eq!(parse(&bytes), expected(Version::Three, 0x1010 << 3, 3));
        assert_eq!(parse(&bytes[..26]), None);
        assert_eq!(parse(&bytes[..8]), None);
    }
}
