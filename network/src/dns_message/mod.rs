//! The DNS message format (RFC 1035 §4), as far as a stub resolver and a small server need it.
//!
//! Reading is total: compression pointers lead backwards, names and labels are bounded, and a
//! record that cannot be read costs only itself. Names are lower-case text without the final dot.
//!
//! | file | owns |
//! |---|---|
//! | `name` | names on the wire and as text |
//! | `response` | what a response says about a query |

pub(crate) mod name;
mod response;

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;
use core::net::IpAddr;

use devnet_virtual_file_system::Error;

pub use self::name::{check_name, reverse_name};
pub use self::response::Response;
use self::response::{INTERNET, Question, read_records};
use crate::command::dns::{Record, RecordData};

/// The port of DNS servers.
pub const PORT: u16 = 53;
/// Flags in the third byte of a header.
const RESPONSE: u8 = 0x80;
const TRUNCATED: u8 = 2;

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

impl fmt::Display for ResponseCode {
    /// The mnemonic (RFC 1035, RFC 2929).
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoError => formatter.write_str("NOERROR"),
            Self::FormatError => formatter.write_str("FORMERR"),
            Self::ServerFailure => formatter.write_str("SERVFAIL"),
            Self::NameError => formatter.write_str("NXDOMAIN"),
            Self::NotImplemented => formatter.write_str("NOTIMP"),
            Self::Refused => formatter.write_str("REFUSED"),
            Self::Unknown(code) => write!(formatter, "RCODE{code}"),
        }
    }
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
    /// The response was truncated (TC), or ends inside its records; repeat the query over TCP.
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

    /// Parses a message. Records that cannot be read are left out.
    ///
    /// # Errors
    /// `BadMessage` unless it contains exactly one question, of the Internet class.
    pub fn parse(bytes: &[u8]) -> Result<Self, Error> {
        Self::read(bytes).ok_or(Error::BadMessage)
    }

    fn read(bytes: &[u8]) -> Option<Self> {
        let head = Head::read(bytes)?;
        if head.questions != 1 {
            return None;
        }
        let question =
            Question::read(bytes, Head::BYTES).filter(|known| known.class == INTERNET)?;
        let (answers, is_cut) = read_records(bytes, question.end, head.answers);
        Some(Self {
            identifier: head.identifier,
            is_response: head.is_response,
            is_truncated: head.is_truncated || is_cut,
            code: head.code,
            name: question.name?,
            kind: question.kind,
            answers,
        })
    }

    /// Writes the message, without compression.
    ///
    /// # Errors
    /// `InvalidInput` for an invalid name.
    pub fn to_bytes(&self) -> Result<Vec<u8>, Error> {
        const RECURSION_DESIRED: u8 = 1;
        const AUTHORITATIVE: u8 = 4;
        const RECURSION_AVAILABLE: u8 = 0x80;
        let mut bytes = Vec::with_capacity(Head::BYTES + name::NAME_BYTES);
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
        name::write(&mut bytes, &self.name)?;
        bytes.extend_from_slice(&self.kind.code().to_be_bytes());
        bytes.extend_from_slice(&[0, 1]);
        for record in &self.answers {
            write_record(&mut bytes, record)?;
        }
        Ok(bytes)
    }
}

/// The header of a message, as far as it is used (RFC 1035 §4.1.1).
struct Head {
    identifier: u16,
    is_response: bool,
    is_truncated: bool,
    code: ResponseCode,
    questions: u16,
    answers: u16,
}

impl Head {
    const BYTES: usize = 12;

    fn read(bytes: &[u8]) -> Option<Self> {
        let [a, b, high, low, c, d, e, f, ..] = *bytes.first_chunk::<{ Self::BYTES }>()?;
        Some(Self {
            identifier: u16::from_be_bytes([a, b]),
            is_response: high & RESPONSE != 0,
            is_truncated: high & TRUNCATED != 0,
            code: ResponseCode::from_bits(low & 0xf),
            questions: u16::from_be_bytes([c, d]),
            answers: u16::from_be_bytes([e, f]),
        })
    }
}

fn write_record(bytes: &mut Vec<u8>, record: &Record) -> Result<(), Error> {
    name::write(bytes, &record.name)?;
    let (kind, data) = match &record.data {
        RecordData::Address(IpAddr::V4(address)) => (QueryKind::A, address.octets().to_vec()),
        RecordData::Address(IpAddr::V6(address)) => (QueryKind::Aaaa, address.octets().to_vec()),
        RecordData::Cname(name) | RecordData::Ptr(name) => {
            let mut data = Vec::new();
            name::write(&mut data, name)?;
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
    fn dns_06_pointer_loops_and_truncations_are_errors_and_no_panic() {
        let bytes = response().to_bytes().unwrap();
        let question = Head::BYTES + "www.web.lan".len() + 2 + 4;
        for length in 0..bytes.len() {
            match DnsMessage::parse(&bytes[..length]) {
                Ok(cut) => assert!(length >= question && cut.is_truncated, "{length}"),
                Err(error) => assert!(length < question && error == Error::BadMessage, "{length}"),
            }
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
}
