//! The DNS message format (RFC 1035 §4), as far as a stub resolver and a small server need it.
//!
//! Reading is total: compression pointers lead backwards, names and labels are bounded, and a
//! record that cannot be read costs only itself. Names are lower-case text without the final dot.
//!
//! The format is our own because images are small: reading and writing messages costs 23 KiB of
//! program on x86-64, built for size, where `hickory-proto` 0.25 without features costs 328 KiB.
//!
//! | file | owns |
//! |---|---|
//! | `multicast` | messages of multicast DNS |
//! | `name` | names on the wire and as text |
//! | `record` | records of every type on the wire |
//! | `response` | what a response says about a query |

#[cfg(feature = "mdns")]
pub(crate) mod multicast;
pub(crate) mod name;
mod record;
mod response;

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use devnet_virtual_file_system::Error;

pub use self::name::{check_name, reverse_name};
use self::record::INTERNET;
pub(crate) use self::record::plain_record;
pub use self::response::Response;
use self::response::{Options, Question, Sections};
use crate::command::dns::Record;
use crate::command::record::RecordType;

/// The port of DNS servers.
pub const PORT: u16 = 53;
/// The port of multicast DNS (RFC 6762 §3).
pub(crate) const MULTICAST_PORT: u16 = 5353;
/// Flags of a header (RFC 1035 §4.1.1).
const RESPONSE: u16 = 0x8000;
const AUTHORITATIVE: u16 = 0x0400;
const TRUNCATED: u16 = 0x0200;
const RECURSION_DESIRED: u16 = 0x0100;
const RECURSION_AVAILABLE: u16 = 0x0080;

/// Response codes (RFC 1035 §4.1.1, RFC 6891 §6.1.3).
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
    Unknown(u16),
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

impl From<u16> for ResponseCode {
    fn from(bits: u16) -> Self {
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
}

impl ResponseCode {
    pub(crate) const fn bits(self) -> u16 {
        match self {
            Self::NoError => 0,
            Self::FormatError => 1,
            Self::ServerFailure => 2,
            Self::NameError => 3,
            Self::NotImplemented => 4,
            Self::Refused => 5,
            Self::Unknown(bits) => bits,
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
    pub(crate) const fn code(self) -> u16 {
        match self {
            Self::A => 1,
            Self::Cname => 5,
            Self::Ptr => 12,
            Self::Aaaa => 28,
            Self::Other(code) => code,
        }
    }

    pub(crate) const fn from_code(code: u16) -> Self {
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
    /// The same as it is spelled in the question, which a response repeats letter by letter (RFC
    /// 5452 §9.1). It is written unless `name` was changed.
    pub spelling: String,
    /// The query type.
    pub kind: QueryKind,
    /// The server is asked to ask others (RD).
    pub recursion: bool,
    /// The bytes of UDP messages that the sender takes, by an OPT record (RFC 6891).
    pub payload: Option<u16>,
    /// The answer section: addresses, aliases and pointers only.
    pub answers: Vec<Record>,
}

impl DnsMessage {
    /// A query.
    #[must_use]
    pub fn query(identifier: u16, name: String, kind: QueryKind) -> Self {
        Self {
            identifier,
            is_response: false,
            is_truncated: false,
            code: ResponseCode::NoError,
            spelling: name.clone(),
            name,
            kind,
            recursion: true,
            payload: None,
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
        let spelling = question.name?;
        let sections = Sections::read(bytes, question.end, &head);
        Some(Self {
            identifier: head.identifier,
            is_response: head.is_response(),
            is_truncated: head.is_truncated() || sections.is_cut,
            code: head.code(sections.options.as_ref()),
            name: spelling.to_ascii_lowercase(),
            spelling,
            kind: question.kind,
            recursion: head.flags & RECURSION_DESIRED != 0,
            payload: sections.options.map(|options| options.payload),
            answers: sections.answers.iter().filter_map(plain_record).collect(),
        })
    }

    /// Writes the message, without compression.
    ///
    /// # Errors
    /// `InvalidInput` for an invalid name.
    pub fn to_bytes(&self) -> Result<Vec<u8>, Error> {
        let mut bytes = Vec::with_capacity(Head::BYTES + name::NAME_BYTES);
        let [upper, code] = self.code.bits().to_be_bytes();
        let (upper, code) = (upper << 4 | code >> 4, code & 0xf);
        let mut flags = u16::from(code);
        for (flag, is_set) in [
            (RECURSION_DESIRED, self.recursion),
            (TRUNCATED, self.is_truncated),
            (RESPONSE | AUTHORITATIVE | RECURSION_AVAILABLE, self.is_response),
        ] {
            flags |= if is_set { flag } else { 0 };
        }
        let count = u16::try_from(self.answers.len()).map_err(|_| Error::InvalidInput)?;
        let counts = [self.identifier, flags, 1, count, 0, u16::from(self.payload.is_some())];
        bytes.extend(counts.iter().flat_map(|number| number.to_be_bytes()));
        let is_same = self.spelling.eq_ignore_ascii_case(&self.name);
        name::write(&mut bytes, if is_same { &self.spelling } else { &self.name })?;
        bytes.extend_from_slice(&self.kind.code().to_be_bytes());
        bytes.extend_from_slice(&INTERNET.to_be_bytes());
        for record in &self.answers {
            record::write(&mut bytes, record)?;
        }
        if let Some(payload) = self.payload {
            // Of the root, with the payload size as class.
            bytes.push(0);
            bytes.extend_from_slice(&RecordType::OPT.0.to_be_bytes());
            bytes.extend_from_slice(&payload.to_be_bytes());
            bytes.extend_from_slice(&[upper, 0, 0, 0, 0, 0]);
        }
        Ok(bytes)
    }

    /// The message, as long as a multiple of `block` bytes where it has EDNS (RFC 7830).
    ///
    /// # Errors
    /// As [`to_bytes`](Self::to_bytes).
    #[cfg(feature = "dns-over-tls")]
    pub(crate) fn to_padded_bytes(&self, block: usize) -> Result<Vec<u8>, Error> {
        const PADDING: u16 = 12;
        const OPTION_BYTES: usize = 4;
        let mut bytes = self.to_bytes()?;
        let bare = bytes.len() + OPTION_BYTES;
        let missing = bare.next_multiple_of(block) - bare;
        // The length of the options is the last thing in the message.
        if self.payload.is_some()
            && let Some(length) = bytes.last_chunk_mut()
        {
            let padding = u16::try_from(missing).map_err(|_| Error::InvalidInput)?;
            *length = u16::try_from(OPTION_BYTES + missing)
                .map_err(|_| Error::InvalidInput)?
                .to_be_bytes();
            bytes.extend([PADDING, padding].into_iter().flat_map(u16::to_be_bytes));
            bytes.resize(bytes.len() + missing, 0);
        }
        Ok(bytes)
    }
}

/// The header of a message (RFC 1035 §4.1.1).
struct Head {
    identifier: u16,
    flags: u16,
    questions: u16,
    answers: u16,
    authority: u16,
    additional: u16,
}

impl Head {
    const BYTES: usize = 12;

    fn read(bytes: &[u8]) -> Option<Self> {
        let (numbers, _) = bytes.first_chunk::<{ Self::BYTES }>()?.as_chunks::<2>();
        let [identifier, flags, questions, answers, authority, additional] = *numbers else {
            return None;
        };
        Some(Self {
            identifier: u16::from_be_bytes(identifier),
            flags: u16::from_be_bytes(flags),
            questions: u16::from_be_bytes(questions),
            answers: u16::from_be_bytes(answers),
            authority: u16::from_be_bytes(authority),
            additional: u16::from_be_bytes(additional),
        })
    }

    const fn is_response(&self) -> bool {
        self.flags & RESPONSE != 0
    }

    const fn is_truncated(&self) -> bool {
        self.flags & TRUNCATED != 0
    }

    fn code(&self, options: Option<&Options>) -> ResponseCode {
        let upper = options.map_or(0, |options| u16::from(options.code));
        ResponseCode::from(upper << 4 | self.flags & 0xf)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::dns::RecordData;
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
