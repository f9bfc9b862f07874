//! Records of the DNS of every type, and their text (RFC 1035 §5.1, RFC 3597 §5, RFC 9460 §2.1).
//!
//! A type without a form of its own here is kept as bytes, so no record is lost that a server
//! answers.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt::{self, Display, Formatter, Write};
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use core::str::FromStr;

use devnet_virtual_file_system::Error;
use serde::{Deserialize, Serialize};

/// The type of a record, by its number.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub struct RecordType(pub u16);

/// Types with a name, as IANA registered them.
const TYPE_NAMES: [(&str, RecordType); 21] = [
    ("A", RecordType::A),
    ("NS", RecordType::NS),
    ("CNAME", RecordType::CNAME),
    ("SOA", RecordType::SOA),
    ("PTR", RecordType::PTR),
    ("HINFO", RecordType(13)),
    ("MX", RecordType::MX),
    ("TXT", RecordType::TXT),
    ("AAAA", RecordType::AAAA),
    ("SRV", RecordType::SRV),
    ("NAPTR", RecordType(35)),
    ("DNAME", RecordType::DNAME),
    ("DS", RecordType(43)),
    ("SSHFP", RecordType(44)),
    ("RRSIG", RecordType(46)),
    ("NSEC", RecordType(47)),
    ("DNSKEY", RecordType(48)),
    ("TLSA", RecordType(52)),
    ("SVCB", RecordType::SVCB),
    ("HTTPS", RecordType::HTTPS),
    ("CAA", RecordType(257)),
];

impl RecordType {
    /// IPv4 address.
    pub const A: Self = Self(1);
    /// Name server of a zone.
    pub const NS: Self = Self(2);
    /// Canonical name.
    pub const CNAME: Self = Self(5);
    /// Start of a zone of authority.
    pub const SOA: Self = Self(6);
    /// Name of an address.
    pub const PTR: Self = Self(12);
    /// Mail exchange.
    pub const MX: Self = Self(15);
    /// Text.
    pub const TXT: Self = Self(16);
    /// IPv6 address.
    pub const AAAA: Self = Self(28);
    /// Host and port of a service (RFC 2782).
    pub const SRV: Self = Self(33);
    /// Alias of everything below a name (RFC 6672).
    pub const DNAME: Self = Self(39);
    /// Options of a message (RFC 6891), which is no record.
    pub const OPT: Self = Self(41);
    /// How to reach a service (RFC 9460).
    pub const SVCB: Self = Self(64);
    /// How to reach a web service (RFC 9460).
    pub const HTTPS: Self = Self(65);
    /// Records of any type; a question only.
    pub const ANY: Self = Self(255);

    /// True for a type that a question can have: no transfer of a zone, and no transaction.
    pub const fn is_question(self) -> bool {
        !matches!(self.0, 0 | 41 | 249..=252)
    }
}

impl Display for RecordType {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        match TYPE_NAMES.iter().find(|(_, known)| known == self) {
            Some((name, _)) => formatter.pad(name),
            None if *self == Self::ANY => formatter.pad("ANY"),
            None => formatter.pad(&alloc::format!("TYPE{}", self.0)),
        }
    }
}

impl FromStr for RecordType {
    type Err = Error;

    /// A name in any case, `TYPE` with a number (RFC 3597), or a number.
    fn from_str(word: &str) -> Result<Self, Error> {
        let named = TYPE_NAMES.iter().find(|(name, _)| name.eq_ignore_ascii_case(word));
        if let Some((_, known)) = named {
            return Ok(*known);
        }
        if word.eq_ignore_ascii_case("ANY") {
            return Ok(Self::ANY);
        }
        let number = match word.split_at_checked(4) {
            Some((start, number)) if start.eq_ignore_ascii_case("TYPE") => number,
            _ => word,
        };
        if !number.bytes().all(|digit| digit.is_ascii_digit()) {
            return Err(Error::InvalidInput);
        }
        number.parse().map(Self).map_err(|_| Error::InvalidInput)
    }
}

/// A record of any type, of the Internet class.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct ResourceRecord {
    /// The name of the record; empty for the root.
    pub name: String,
    /// Its type.
    pub record_type: RecordType,
    /// The time to live in seconds.
    pub time_to_live: u32,
    /// The data.
    pub data: ResourceData,
}

/// The data of a record. Names are without the final dot.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum ResourceData {
    /// The data of any other type, as bytes.
    Raw(Vec<u8>),
    /// A and AAAA.
    Address(IpAddr),
    /// CNAME, DNAME, NS and PTR.
    Name(String),
    /// MX.
    MailExchange(MailExchange),
    /// TXT: one or more strings.
    Text(Vec<Vec<u8>>),
    /// SRV.
    Service(Service),
    /// SOA.
    Authority(StartOfAuthority),
    /// HTTPS and SVCB.
    Binding(ServiceBinding),
}

/// A host that takes mail (RFC 1035 §3.3.9).
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct MailExchange {
    /// Lower is preferred.
    pub preference: u16,
    /// The host; empty when the domain takes none (RFC 7505).
    pub exchange: String,
}

/// Where a service is (RFC 2782).
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Service {
    /// Lower is preferred.
    pub priority: u16,
    /// The share among those of equal priority.
    pub weight: u16,
    /// The port.
    pub port: u16,
    /// The host; empty when there is no such service.
    pub target: String,
}

/// What is said about a whole zone (RFC 1035 §3.3.13).
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct StartOfAuthority {
    /// The primary name server.
    pub primary: String,
    /// The mailbox of who is responsible; the first label is the part before the `@`.
    pub mailbox: String,
    /// The version of the zone.
    pub serial: u32,
    /// Seconds between refreshes.
    pub refresh: u32,
    /// Seconds between retries.
    pub retry: u32,
    /// Seconds until the zone is no more valid.
    pub expire: u32,
    /// Seconds for which it may be kept that a name does not exist (RFC 2308).
    pub minimum: u32,
}

/// How a service is reached (RFC 9460).
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct ServiceBinding {
    /// 0 for an alias, else lower is preferred.
    pub priority: u16,
    /// The host; empty for the name of the record itself.
    pub target: String,
    /// The parameters, by key.
    pub parameters: Vec<ServiceParameter>,
}

/// A parameter of a [`ServiceBinding`].
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct ServiceParameter {
    /// The key.
    pub key: u16,
    /// The value as on the wire.
    pub value: Vec<u8>,
}

/// A name with its final dot.
#[derive(Clone, Copy, Debug)]
pub struct Absolute<'a>(pub &'a str);

impl Display for Absolute<'_> {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}.", self.0)
    }
}

/// Bytes as a string in quotes (RFC 1035 §5.1): what is not printable is `\DDD`.
fn write_quoted(formatter: &mut Formatter<'_>, bytes: &[u8]) -> fmt::Result {
    formatter.write_char('"')?;
    write_escaped(formatter, bytes, b"\"\\")?;
    formatter.write_char('"')
}

fn write_escaped(formatter: &mut Formatter<'_>, bytes: &[u8], special: &[u8]) -> fmt::Result {
    for byte in bytes {
        match byte {
            byte if special.contains(byte) => write!(formatter, "\\{}", char::from(*byte))?,
            b' '..=b'~' => formatter.write_char(char::from(*byte))?,
            byte => write!(formatter, "\\{byte:03}")?,
        }
    }
    Ok(())
}

impl Display for ResourceData {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Address(address) => Display::fmt(address, formatter),
            Self::Name(name) => Display::fmt(&Absolute(name), formatter),
            Self::MailExchange(MailExchange { preference, exchange }) => {
                write!(formatter, "{preference} {}", Absolute(exchange))
            }
            Self::Text(strings) => {
                for (place, string) in strings.iter().enumerate() {
                    if place > 0 {
                        formatter.write_char(' ')?;
                    }
                    write_quoted(formatter, string)?;
                }
                Ok(())
            }
            Self::Service(Service { priority, weight, port, target }) => {
                write!(formatter, "{priority} {weight} {port} {}", Absolute(target))
            }
            Self::Authority(zone) => {
                let (primary, mailbox) = (Absolute(&zone.primary), Absolute(&zone.mailbox));
                let StartOfAuthority { serial, refresh, retry, expire, minimum, .. } = zone;
                write!(
                    formatter,
                    "{primary} {mailbox} {serial} {refresh} {retry} {expire} {minimum}"
                )
            }
            Self::Binding(binding) => {
                write!(formatter, "{} {}", binding.priority, Absolute(&binding.target))?;
                binding.parameters.iter().try_for_each(|parameter| {
                    formatter.write_char(' ')?;
                    Display::fmt(parameter, formatter)
                })
            }
            Self::Raw(bytes) => {
                write!(formatter, "\\# {}", bytes.len())?;
                for (place, byte) in bytes.iter().enumerate() {
                    let blank = if place == 0 { " " } else { "" };
                    write!(formatter, "{blank}{byte:02X}")?;
                }
                Ok(())
            }
        }
    }
}

/// The names of the keys, from 0 (RFC 9460 §14.3.2).
const KEYS: [&str; 7] =
    ["mandatory", "alpn", "no-default-alpn", "port", "ipv4hint", "ech", "ipv6hint"];

fn write_key(formatter: &mut Formatter<'_>, key: u16) -> fmt::Result {
    match KEYS.get(usize::from(key)) {
        Some(name) => formatter.write_str(name),
        None => write!(formatter, "key{key}"),
    }
}

/// Writes values with commas between them.
fn write_list<T>(
    formatter: &mut Formatter<'_>,
    values: impl IntoIterator<Item = T>,
    mut write: impl FnMut(&mut Formatter<'_>, T) -> fmt::Result,
) -> fmt::Result {
    for (place, value) in values.into_iter().enumerate() {
        if place > 0 {
            formatter.write_char(',')?;
        }
        write(formatter, value)?;
    }
    Ok(())
}

/// The strings of a list in which each has its length before it; `None` if it ends inside one.
pub fn strings(mut bytes: &[u8]) -> Option<Vec<&[u8]>> {
    let mut strings = Vec::new();
    while let Some((length, rest)) = bytes.split_first() {
        let (string, rest) = rest.split_at_checked(usize::from(*length))?;
        strings.push(string);
        bytes = rest;
    }
    Some(strings)
}

impl Display for ServiceParameter {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        write_key(formatter, self.key)?;
        let value = self.value.as_slice();
        if value.is_empty() {
            return Ok(());
        }
        formatter.write_char('=')?;
        let (octets, rest) = value.as_chunks::<4>();
        let (groups, odd) = value.as_chunks::<16>();
        let (pairs, single) = value.as_chunks::<2>();
        match (self.key, strings(value)) {
            (0, _) if single.is_empty() => write_list(formatter, pairs, |formatter, pair| {
                write_key(formatter, u16::from_be_bytes(*pair))
            }),
            (1, Some(protocols)) => {
                formatter.write_char('"')?;
                write_list(formatter, protocols, |formatter, name| {
                    write_escaped(formatter, name, b"\"\\,")
                })?;
                formatter.write_char('"')
            }
            (3, _) if pairs.len() == 1 && single.is_empty() => {
                write_list(formatter, pairs, |formatter, pair| {
                    Display::fmt(&u16::from_be_bytes(*pair), formatter)
                })
            }
            (4, _) if rest.is_empty() => write_list(formatter, octets, |formatter, octets| {
                Display::fmt(&Ipv4Addr::from(*octets), formatter)
            }),
            (6, _) if odd.is_empty() => write_list(formatter, groups, |formatter, octets| {
                Display::fmt(&Ipv6Addr::from(*octets), formatter)
            }),
            _ => write_quoted(formatter, value),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;
    use alloc::vec;

    #[test]
    fn types_have_names_and_numbers() {
        for (word, number) in [("mx", 15), ("TXT", 16), ("type65", 65), ("TYPE4000", 4000)] {
            assert_eq!(word.parse(), Ok(RecordType(number)), "{word}");
        }
        assert_eq!("255".parse(), Ok(RecordType::ANY));
        for word in ["", "TYPE", "TYPEé", "MXX", "-1", "+1", "65536", "TYPE 1", "TYPE+1"] {
            assert_eq!(word.parse::<RecordType>(), Err(Error::InvalidInput), "{word:?}");
        }
        for name in ["HTTPS", "SOA", "ANY", "TYPE4000"] {
            assert_eq!(name.parse::<RecordType>().unwrap().to_string(), name);
        }
    }

    #[test]
    fn data_reads_as_in_a_zone_file() {
        let parameter = |key, value: &[u8]| ServiceParameter { key, value: value.to_vec() };
        let binding = ServiceBinding {
            priority: 1,
            target: String::new(),
            parameters: vec![
                parameter(0, &[0, 1, 0, 9]),
                parameter(1, b"\x02h2\x02h3"),
                parameter(2, b""),
                parameter(3, &[1, 187]),
                parameter(4, &[10, 0, 0, 1, 10, 0, 0, 2]),
                parameter(6, &[0; 16]),
                parameter(7, b"a\"b"),
                parameter(3, &[1]),
            ],
        };
        for (data, text) in [
            (
                ResourceData::Text(vec![b"a \"b\\".to_vec(), vec![0, 255]]),
                r#""a \"b\\" "\000\255""#,
            ),
            (ResourceData::Raw(vec![1, 0xab]), r"\# 2 01AB"),
            (ResourceData::Raw(vec![]), r"\# 0"),
            (
                ResourceData::MailExchange(MailExchange {
                    preference: 10,
                    exchange: String::new(),
                }),
                "10 .",
            ),
            (
                ResourceData::Binding(binding),
                "1 . mandatory=alpn,key9 alpn=\"h2,h3\" no-default-alpn port=443 \
                 ipv4hint=10.0.0.1,10.0.0.2 ipv6hint=:: key7=\"a\\\"b\" port=\"\\001\"",
            ),
        ] {
            assert_eq!(data.to_string(), text);
        }
    }
}
