//! The DNS message format (RFC 1035 §4), as far as a stub resolver and a small server need it.
//!
//! Parsing is total: compression pointers must point backwards, names and labels are bounded, and
//! malformed messages are `BadMessage`. Names are lower-case text without the final dot.

use alloc::string::String;
use alloc::vec::Vec;
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use smoltcp::wire::{DnsFlags, DnsPacket, DnsQuestion, DnsRecord, DnsRecordData};
use virtual_file_system::Error;

use crate::command::dns::{Record, RecordData};

/// The port of DNS servers.
pub const PORT: u16 = 53;
/// Bytes of the longest name as text (RFC 1035 §2.3.4: 255 on the wire).
const NAME_BYTES: usize = 253;
const LABEL_BYTES: usize = 63;
const HEADER: usize = 12;

/// Response codes (RFC 1035 §4.1.1).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ResponseCode {
    /// No error.
    NoError,
    /// The server could not parse the query.
    FormatError,
    /// The server failed.
    ServerFailure,
    /// The name does not exist.
    NameError,
    /// Not implemented by the server.
    NotImplemented,
    /// Refused by the server.
    Refused,
    /// Anything else.
    Unknown(u8),
}

impl ResponseCode {
    const fn from_bits(bits: u8) -> Self {
        match bits {
            0 => Self::NoError,
            1 => Self::FormatError,
            2 => Self::ServerFailure,
            3 => Self::NameError,
            4 => Self::NotImplemented,
            5 => Self::Refused,
            other => Self::Unknown(other),
        }
    }

    const fn bits(self) -> u8 {
        match self {
            Self::NoError => 0,
            Self::FormatError => 1,
            Self::ServerFailure => 2,
            Self::NameError => 3,
            Self::NotImplemented => 4,
            Self::Refused => 5,
            Self::Unknown(bits) => bits & 0xf,
        }
    }
}

/// Query types (RFC 1035 §3.2.2, RFC 3596).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum QueryKind {
    /// IPv4 address.
    A,
    /// Canonical name.
    Cname,
    /// Name of an address.
    Ptr,
    /// IPv6 address.
    Aaaa,
    /// Anything else.
    Other(u16),
}

impl QueryKind {
    const fn code(self) -> u16 {
        match self {
            Self::A => 1,
            Self::Cname => 5,
            Self::Ptr => 12,
            Self::Aaaa => 28,
            Self::Other(code) => code,
        }
    }

    const fn from_code(code: u16) -> Self {
        match code {
            1 => Self::A,
            5 => Self::Cname,
            12 => Self::Ptr,
            28 => Self::Aaaa,
            other => Self::Other(other),
        }
    }
}

/// One message with one question.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DnsMessage {
    /// Relates responses to queries.
    pub identifier: u16,
    /// It is a response (QR).
    pub is_response: bool,
    /// The response was truncated (TC); repeat the query over TCP.
    pub is_truncated: bool,
    /// The response code.
    pub code: ResponseCode,
    /// The queried name.
    pub name: String,
    /// The query type.
    pub kind: QueryKind,
    /// The answer section: addresses, aliases and pointers only.
    pub answers: Vec<Record>,
}

impl DnsMessage {
    /// A query.
    #[must_use]
    pub const fn query(identifier: u16, name: String, kind: QueryKind) -> Self {
        Self {
            identifier,
            is_response: false,
            is_truncated: false,
            code: ResponseCode::NoError,
            name,
            kind,
            answers: Vec::new(),
        }
    }

    /// Parses a message.
    ///
    /// # Errors
    /// `BadMessage` unless it contains exactly one question and well-formed records.
    pub fn parse(bytes: &[u8]) -> Result<Self, Error> {
        Self::read(bytes).ok_or(Error::BadMessage)
    }

    fn read(bytes: &[u8]) -> Option<Self> {
        let packet = DnsPacket::new_checked(bytes).ok()?;
        let flags = packet.flags();
        if packet.question_count() != 1 {
            return None;
        }
        let (mut rest, question) = DnsQuestion::parse(packet.payload()).ok()?;
        let mut answers = Vec::new();
        for _ in 0..packet.answer_record_count() {
            // The query is repeated over TCP if a truncated response lacks records.
            let Ok((after, record)) = DnsRecord::parse(rest) else {
                if flags.contains(DnsFlags::TRUNCATED) {
                    break;
                }
                return None;
            };
            rest = after;
            let data = match record.data {
                DnsRecordData::A(address) => RecordData::Address(IpAddr::V4(address)),
                DnsRecordData::Aaaa(address) => RecordData::Address(IpAddr::V6(address)),
                DnsRecordData::Cname(name) => RecordData::Cname(read_name(&packet, name)?),
                DnsRecordData::Other(kind, name) if u16::from(kind) == QueryKind::Ptr.code() => {
                    RecordData::Ptr(read_name(&packet, name)?)
                }
                DnsRecordData::Other(..) => continue,
            };
            answers.push(Record {
                name: read_name(&packet, record.name)?,
                data,
                time_to_live: record.ttl.min(i32::MAX as u32),
            });
        }
        Some(Self {
            identifier: packet.transaction_id(),
            is_response: flags.contains(DnsFlags::RESPONSE),
            is_truncated: flags.contains(DnsFlags::TRUNCATED),
            code: ResponseCode::from_bits(u8::from(packet.rcode())),
            name: read_name(&packet, question.name)?,
            kind: QueryKind::from_code(u16::from(question.type_)),
            answers,
        })
    }

    /// Writes the message, without compression.
    ///
    /// # Errors
    /// `InvalidInput` for an invalid name.
    pub fn to_bytes(&self) -> Result<Vec<u8>, Error> {
        const RECURSION_DESIRED: u8 = 1;
        const RESPONSE: u8 = 0x80;
        const AUTHORITATIVE: u8 = 4;
        const TRUNCATED: u8 = 2;
        const RECURSION_AVAILABLE: u8 = 0x80;
        let mut bytes = Vec::with_capacity(HEADER + NAME_BYTES);
        bytes.extend_from_slice(&self.identifier.to_be_bytes());
        let truncated = if self.is_truncated { TRUNCATED } else { 0 };
        if self.is_response {
            bytes.extend_from_slice(&[
                RESPONSE | AUTHORITATIVE | RECURSION_DESIRED | truncated,
                RECURSION_AVAILABLE | self.code.bits(),
            ]);
        } else {
            bytes.extend_from_slice(&[RECURSION_DESIRED | truncated, 0]);
        }
        let count = u16::try_from(self.answers.len()).map_err(|_| Error::InvalidInput)?;
        bytes.extend_from_slice(&[0, 1]);
        bytes.extend_from_slice(&count.to_be_bytes());
        bytes.extend_from_slice(&[0; 4]);
        write_name(&mut bytes, &self.name)?;
        bytes.extend_from_slice(&self.kind.code().to_be_bytes());
        bytes.extend_from_slice(&[0, 1]);
        for record in &self.answers {
            write_record(&mut bytes, record)?;
        }
        Ok(bytes)
    }
}

fn read_name(packet: &DnsPacket<&[u8]>, bytes: &[u8]) -> Option<String> {
    let mut name = String::new();
    for label in packet.parse_name(bytes) {
        let label = core::str::from_utf8(label.ok()?).ok()?;
        // A dot or control character inside a label would be ambiguous as text.
        if label.bytes().any(|byte| byte == b'.' || !byte.is_ascii_graphic()) {
            return None;
        }
        if !name.is_empty() {
            name.push('.');
        }
        name.push_str(&label.to_ascii_lowercase());
        if name.len() > NAME_BYTES {
            return None;
        }
    }
    Some(name)
}

fn write_name(bytes: &mut Vec<u8>, name: &str) -> Result<(), Error> {
    check_name(name)?;
    for label in name.split('.').filter(|label| !label.is_empty()) {
        // A checked label has at most 63 bytes.
        bytes.push(label.len() as u8);
        bytes.extend_from_slice(label.as_bytes());
    }
    bytes.push(0);
    Ok(())
}

fn write_record(bytes: &mut Vec<u8>, record: &Record) -> Result<(), Error> {
    write_name(bytes, &record.name)?;
    let (kind, data) = match &record.data {
        RecordData::Address(IpAddr::V4(address)) => (QueryKind::A, address.octets().to_vec()),
        RecordData::Address(IpAddr::V6(address)) => (QueryKind::Aaaa, address.octets().to_vec()),
        RecordData::Cname(name) | RecordData::Ptr(name) => {
            let mut data = Vec::new();
            write_name(&mut data, name)?;
            (
                if matches!(record.data, RecordData::Ptr(_)) {
                    QueryKind::Ptr
                } else {
                    QueryKind::Cname
                },
                data,
            )
        }
    };
    bytes.extend_from_slice(&kind.code().to_be_bytes());
    bytes.extend_from_slice(&[0, 1]);
    bytes.extend_from_slice(&record.time_to_live.to_be_bytes());
    let length = u16::try_from(data.len()).map_err(|_| Error::InvalidInput)?;
    bytes.extend_from_slice(&length.to_be_bytes());
    bytes.extend_from_slice(&data);
    Ok(())
}

/// Validates a name in text form; a final dot is allowed.
///
/// # Errors
/// `InvalidInput` for empty or overlong names and labels and for characters that no host name has.
pub fn check_name(name: &str) -> Result<(), Error> {
    let body = name.strip_suffix('.').unwrap_or(name);
    let is_label = |label: &str| {
        (1..=LABEL_BYTES).contains(&label.len())
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
    };
    if body.is_empty() || body.len() > NAME_BYTES || !body.split('.').all(is_label) {
        Err(Error::InvalidInput)
    } else {
        Ok(())
    }
}

/// The name for a reverse lookup of an address (RFC 1035 §3.5, RFC 3596 §2.5).
#[must_use]
pub fn reverse_name(address: IpAddr) -> String {
    match address {
        IpAddr::V4(address) => {
            let [a, b, c, d] = Ipv4Addr::octets(&address);
            alloc::format!("{d}.{c}.{b}.{a}.in-addr.arpa")
        }
        IpAddr::V6(address) => {
            let mut name = String::new();
            for octet in Ipv6Addr::octets(&address).iter().rev() {
                name.push_str(&alloc::format!("{:x}.{:x}.", octet & 0xf, octet >> 4));
            }
            name.push_str("ip6.arpa");
            name
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::borrow::ToOwned;
    use alloc::vec;

    fn response() -> DnsMessage {
        DnsMessage {
            is_response: true,
            answers: vec![
                Record {
                    name: "www.web.lan".to_owned(),
                    data: RecordData::Cname("web.lan".to_owned()),
                    time_to_live: 60,
                },
                Record {
                    name: "web.lan".to_owned(),
                    data: RecordData::Address("10.0.2.4".parse().unwrap()),
                    time_to_live: 60,
                },
                Record {
                    name: "web.lan".to_owned(),
                    data: RecordData::Address("fd00:2::4".parse().unwrap()),
                    time_to_live: 60,
                },
            ],
            ..DnsMessage::query(7, "www.web.lan".to_owned(), QueryKind::A)
        }
    }

    #[test]
    fn messages_survive_writing_and_reading() {
        for message in [response(), DnsMessage::query(1, "web.lan".to_owned(), QueryKind::Aaaa)] {
            assert_eq!(DnsMessage::parse(&message.to_bytes().unwrap()).unwrap(), message);
        }
    }

    #[test]
    fn dns_06_bad_names_are_refused() {
        let long_label = "x".repeat(64);
        let long_name = "a.".repeat(127) + "com";
        for name in [
            "",
            ".",
            "..",
            "a..b",
            ".a",
            long_label.as_str(),
            long_name.as_str(),
            "a b",
            "a\0b",
            "ä.de",
            "a/b",
        ] {
            assert_eq!(check_name(name), Err(Error::InvalidInput), "{name:?}");
        }
        for name in ["web.lan", "web.lan.", "_http._tcp.local", "x1-2.example"] {
            check_name(name).unwrap();
        }
    }

    #[test]
    fn dns_06_pointer_loops_and_truncations_are_errors_and_no_panic() {
        let bytes = response().to_bytes().unwrap();
        for length in 0..bytes.len() {
            assert_eq!(DnsMessage::parse(&bytes[..length]), Err(Error::BadMessage), "{length}");
        }
        // A name that points to itself, and two that point to each other.
        for name in [&[0xc0, 12][..], &[0xc0, 14, 0xc0, 12], &[0xff, 0xff], &[0x40, 1]] {
            let mut looped = bytes[..12].to_vec();
            looped.extend_from_slice(name);
            looped.extend_from_slice(&[0, 1, 0, 1]);
            assert_eq!(DnsMessage::parse(&looped), Err(Error::BadMessage));
        }
        for place in 0..bytes.len() {
            let mut damaged = bytes.clone();
            damaged[place] ^= 0xff;
            let _ = DnsMessage::parse(&damaged);
        }
    }

    #[test]
    fn addresses_have_reverse_names() {
        assert_eq!(reverse_name("10.0.2.4".parse().unwrap()), "4.2.0.10.in-addr.arpa");
        assert_eq!(
            reverse_name("fd00::1".parse().unwrap()),
            "1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.d.f.ip6.arpa"
        );
    }
}
