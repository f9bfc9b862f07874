//! Messages of multicast DNS (RFC 6762 §18): many questions, records that others know, records that
//! somebody is about to claim.
//!
//! Names are escaped text (RFC 1035 §5.1) in the case in which they came, as labels of services
//! have any bytes (RFC 6763 §4.1.1).

use alloc::string::String;
use alloc::vec::Vec;
use core::net::IpAddr;

use devnet_virtual_file_system::Error;

use super::record::{Entry, INTERNET, Reading};
use super::{AUTHORITATIVE, Head, RESPONSE, TRUNCATED, name};
use crate::command::record::{RecordType, ResourceData, ResourceRecord};
use crate::limits;

/// The top bit of a class: in a question a unicast response is welcome, in a record of a response
/// the others of its name and type are outdated (RFC 6762 §5.4, §10.2).
const TOP_BIT: u16 = 0x8000;
/// Any class (RFC 1035 §3.2.5).
const ANY_CLASS: u16 = 255;
/// Flags that make a message none of multicast DNS: an operation code or a response code (RFC 6762
/// §18.3, §18.11).
const OTHER: u16 = 0x780f;
/// Bytes of the header.
const HEADER: usize = Head::BYTES;

/// A question.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct MulticastQuestion {
    pub(crate) name: String,
    pub(crate) kind: RecordType,
    /// A response by unicast is welcome (QU).
    pub(crate) is_unicast: bool,
}

/// A record.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct MulticastRecord {
    pub(crate) record: ResourceRecord,
    /// Other records of its name and type are outdated (the cache-flush bit).
    pub(crate) is_flush: bool,
}

/// A message.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct MulticastMessage {
    /// That of a query of legacy unicast; 0 otherwise.
    pub(crate) identifier: u16,
    pub(crate) is_response: bool,
    /// More known answers follow in another message.
    pub(crate) is_truncated: bool,
    pub(crate) questions: Vec<MulticastQuestion>,
    pub(crate) answers: Vec<MulticastRecord>,
    /// What a probe is about to claim.
    pub(crate) authority: Vec<MulticastRecord>,
    pub(crate) additional: Vec<MulticastRecord>,
}

impl MulticastMessage {
    /// Reads a message; `None` for one that says nothing here. Records that cannot be read are left
    /// out, and so is what follows the end.
    pub(crate) fn parse(bytes: &[u8]) -> Option<Self> {
        let head = Head::read(bytes).filter(|head| head.flags & OTHER == 0)?;
        let mut message = Self {
            identifier: head.identifier,
            is_response: head.is_response(),
            is_truncated: head.is_truncated(),
            ..Self::default()
        };
        let mut at = HEADER;
        for _ in 0..head.questions {
            let fixed = name::skip(bytes, at)?;
            let [a, b, c, d] = *bytes.get(fixed..)?.first_chunk()?;
            let (kind, class) = (u16::from_be_bytes([a, b]), u16::from_be_bytes([c, d]));
            let is_class = matches!(class & !TOP_BIT, INTERNET | ANY_CLASS);
            if let Some(name) = name::read_escaped(bytes, at)
                && is_class
                && message.questions.len() < limits::MDNS_QUESTIONS
            {
                let is_unicast = class & TOP_BIT != 0;
                message.questions.push(MulticastQuestion {
                    name,
                    kind: RecordType(kind),
                    is_unicast,
                });
            }
            at = fixed + 4;
        }
        let sections = [
            (head.answers, &mut message.answers),
            (head.authority, &mut message.authority),
            (head.additional, &mut message.additional),
        ];
        for (count, records) in sections {
            match read_section(bytes, at, count, records) {
                Some(end) => at = end,
                None => break,
            }
        }
        Some(message)
    }

    /// Writes as much of the message as fits into so many bytes, without compression; questions
    /// first, then each section. Returns it, and how many answers are in it.
    pub(crate) fn write(&self, most: usize) -> (Vec<u8>, usize) {
        let mut bytes = alloc::vec![0; HEADER];
        let mut questions = 0;
        for question in &self.questions {
            let class = INTERNET | if question.is_unicast { TOP_BIT } else { 0 };
            let fixed = [question.kind.0, class];
            questions += u16::from(append(&mut bytes, most, |bytes| {
                name::write_escaped(bytes, &question.name)?;
                bytes.extend(fixed.iter().flat_map(|number| number.to_be_bytes()));
                Ok(())
            }));
        }
        let mut section = |records: &[MulticastRecord]| {
            let mut count = 0;
            for record in records {
                if !append(&mut bytes, most, |bytes| write_record(bytes, record)) {
                    break;
                }
                count += 1;
            }
            count
        };
        let counts = [section(&self.answers), section(&self.authority), section(&self.additional)];
        let [answers, authority, additional] = counts;
        let is_cut = usize::from(answers) < self.answers.len();
        let mut flags = if self.is_response { RESPONSE | AUTHORITATIVE } else { 0 };
        if self.is_truncated || (is_cut && !self.is_response) {
            flags |= TRUNCATED;
        }
        let head = [self.identifier, flags, questions, answers, authority, additional];
        for (place, number) in bytes.chunks_exact_mut(2).zip(head) {
            place.copy_from_slice(&number.to_be_bytes());
        }
        (bytes, usize::from(answers))
    }
}

/// Reads the records of a section; the position after them, `None` if the message ends before.
fn read_section(
    bytes: &[u8],
    mut at: usize,
    count: u16,
    records: &mut Vec<MulticastRecord>,
) -> Option<usize> {
    for _ in 0..count {
        let entry = Entry::read_as(bytes, at, Reading::Multicast)?;
        at = entry.end;
        if let Some(record) = entry.record
            && records.len() < limits::DNS_RECORDS
        {
            let is_flush = entry.class & TOP_BIT != 0;
            records.push(MulticastRecord { record, is_flush });
        }
    }
    Some(at)
}

/// Appends something if it can be written and fits; true if it did.
fn append(
    bytes: &mut Vec<u8>,
    most: usize,
    write: impl FnOnce(&mut Vec<u8>) -> Result<(), Error>,
) -> bool {
    let before = bytes.len();
    let is_there = write(bytes).is_ok() && bytes.len() <= most;
    if !is_there {
        bytes.truncate(before);
    }
    is_there
}

fn write_record(bytes: &mut Vec<u8>, record: &MulticastRecord) -> Result<(), Error> {
    let MulticastRecord { record, is_flush } = record;
    name::write_escaped(bytes, &record.name)?;
    let class = INTERNET | if *is_flush { TOP_BIT } else { 0 };
    bytes.extend_from_slice(&record.record_type.0.to_be_bytes());
    bytes.extend_from_slice(&class.to_be_bytes());
    bytes.extend_from_slice(&record.time_to_live.to_be_bytes());
    let data = data_bytes(&record.data)?;
    let length = u16::try_from(data.len()).map_err(|_| Error::InvalidInput)?;
    bytes.extend_from_slice(&length.to_be_bytes());
    bytes.extend_from_slice(&data);
    Ok(())
}

/// The data of a record as bytes, without compression: by them two claims of a name are compared
/// (RFC 6762 §8.2).
///
/// # Errors
/// `InvalidInput` for an invalid name, `Unsupported` for a type that nobody announces here.
pub(crate) fn data_bytes(data: &ResourceData) -> Result<Vec<u8>, Error> {
    let mut bytes = Vec::new();
    match data {
        ResourceData::Address(IpAddr::V4(address)) => bytes.extend_from_slice(&address.octets()),
        ResourceData::Address(IpAddr::V6(address)) => bytes.extend_from_slice(&address.octets()),
        ResourceData::Name(target) => name::write_escaped(&mut bytes, target)?,
        ResourceData::Text(strings) => {
            for string in strings {
                bytes.push(u8::try_from(string.len()).map_err(|_| Error::InvalidInput)?);
                bytes.extend_from_slice(string);
            }
        }
        ResourceData::Service(service) => {
            for number in [service.priority, service.weight, service.port] {
                bytes.extend_from_slice(&number.to_be_bytes());
            }
            name::write_escaped(&mut bytes, &service.target)?;
        }
        ResourceData::Raw(raw) => bytes.extend_from_slice(raw),
        _ => return Err(Error::Unsupported),
    }
    Ok(bytes)
}

/// A name on the wire; `None` for one that is too long.
pub(crate) fn name_bytes(name: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    name::write_escaped(&mut bytes, name).ok().map(|()| bytes)
}

/// Whether a record that lists the types of its name (NSEC, RFC 4034 §4.1) has this one; `None` if
/// it cannot be read. Of multicast DNS only the first 256 types are told (RFC 6762 §6.1).
pub(crate) fn lists_type(data: &[u8], RecordType(number): RecordType) -> Option<bool> {
    let at = name::skip(data, 0)?;
    let (head, bits) = data.get(at..)?.split_at_checked(2)?;
    (head.first() == Some(&0)).then_some(())?;
    let byte = bits.get(usize::from(number / 8)).copied().unwrap_or(0);
    Some(number < 256 && byte & (0x80 >> (number % 8)) != 0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::record::Service;

    fn record(name: &str, record_type: RecordType, data: ResourceData) -> MulticastRecord {
        let name = String::from(name);
        let record = ResourceRecord { name, record_type, time_to_live: 120, data };
        MulticastRecord { record, is_flush: true }
    }

    fn message() -> MulticastMessage {
        let instance = "A\\.b\\032\\195\\164._http._tcp.local";
        let service = Service { priority: 0, weight: 0, port: 80, target: "a.local".into() };
        MulticastMessage {
            is_response: true,
            questions: alloc::vec![MulticastQuestion {
                name: "_http._tcp.local".into(),
                kind: RecordType::PTR,
                is_unicast: true,
            }],
            answers: alloc::vec![
                record("_http._tcp.local", RecordType::PTR, ResourceData::Name(instance.into())),
                record(instance, RecordType::SRV, ResourceData::Service(service)),
            ],
            additional: alloc::vec![
                record(instance, RecordType::TXT, ResourceData::Text(alloc::vec![b"a=1".into()])),
                record("a.local", RecordType::A, ResourceData::Address([10, 0, 0, 1].into())),
            ],
            ..MulticastMessage::default()
        }
    }

    #[test]
    fn messages_survive_writing_and_reading() {
        let (bytes, answers) = message().write(1500);
        assert_eq!((MulticastMessage::parse(&bytes), answers), (Some(message()), 2));
        // What does not fit is left out whole.
        let (bytes, answers) = message().write(90);
        let read = MulticastMessage::parse(&bytes).unwrap();
        assert!(bytes.len() <= 90 && answers == 1 && read.answers.len() == 1);
    }

    #[test]
    fn what_is_cut_or_damaged_is_no_panic() {
        let (bytes, _) = message().write(1500);
        for length in 0..bytes.len() {
            let _ = MulticastMessage::parse(&bytes[..length]);
            let mut damaged = bytes.clone();
            damaged[length] ^= 0xff;
            let _ = MulticastMessage::parse(&damaged);
        }
        // An operation code, and a response code.
        for (place, bit) in [(2, 0x08), (3, 0x02)] {
            let mut other = bytes.clone();
            other[place] |= bit;
            assert_eq!(MulticastMessage::parse(&other), None);
        }
    }

    #[test]
    fn questions_and_records_of_a_message_are_bounded() {
        let question = message().questions.remove(0);
        let many = MulticastMessage {
            questions: alloc::vec![question; 2 * limits::MDNS_QUESTIONS],
            ..MulticastMessage::default()
        };
        let read = MulticastMessage::parse(&many.write(65_535).0).unwrap();
        assert_eq!(read.questions.len(), limits::MDNS_QUESTIONS);
    }
}
