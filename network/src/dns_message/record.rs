//! Records on the wire: reading those of every type, and writing those that the small server has
//! (RFC 1035 §3.3, RFC 2782, RFC 9460).

use alloc::string::String;
use alloc::vec::Vec;
use core::net::IpAddr;

use devnet_virtual_file_system::Error;

use super::name;
use crate::command::dns::{Record, RecordData};
use crate::command::record::{
    MailExchange, RecordType, ResourceData, ResourceRecord, Service, ServiceBinding,
    ServiceParameter, StartOfAuthority, strings,
};

/// The Internet class (RFC 1035 §3.2.4).
pub(super) const INTERNET: u16 = 1;

/// A record of the Internet class; `None` if it is of another, or its data cannot be read.
pub(super) struct Entry {
    pub(super) record: Option<ResourceRecord>,
    pub(super) record_type: RecordType,
    /// Of an OPT record, the payload size.
    pub(super) class: u16,
    /// Of an OPT record, the upper bits of the response code and the version.
    pub(super) time_to_live: u32,
    /// The position after it.
    pub(super) end: usize,
}

/// How records are read.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Reading {
    /// Names are those of hosts, in lower case.
    Plain,
    /// Names have any bytes, and the top bit of a class is none of it (RFC 6762 §10.2).
    #[cfg(feature = "mdns")]
    Multicast,
}

impl Reading {
    /// The name at a place of a message.
    fn name(self, message: &[u8], at: usize) -> Option<String> {
        match self {
            Self::Plain => name::read(message, at),
            #[cfg(feature = "mdns")]
            Self::Multicast => name::read_escaped(message, at),
        }
    }

    const fn is_internet(self, class: u16) -> bool {
        match self {
            Self::Plain => class == INTERNET,
            #[cfg(feature = "mdns")]
            Self::Multicast => class & 0x7fff == INTERNET,
        }
    }
}

impl Entry {
    /// The entry at `at`; `None` when it exceeds the message.
    pub(super) fn read(message: &[u8], at: usize) -> Option<Self> {
        Self::read_as(message, at, Reading::Plain)
    }

    /// As [`read`](Self::read), with other names or classes.
    pub(super) fn read_as(message: &[u8], at: usize, reading: Reading) -> Option<Self> {
        let fixed = name::skip(message, at)?;
        let [a, b, c, d, e, f, g, h, i, j] = *message.get(fixed..)?.first_chunk()?;
        let record_type = RecordType(u16::from_be_bytes([a, b]));
        let class = u16::from_be_bytes([c, d]);
        let time_to_live = u32::from_be_bytes([e, f, g, h]);
        let start = fixed + 10;
        let end = start + usize::from(u16::from_be_bytes([i, j]));
        let bytes = message.get(start..end)?;
        let data = Data { message: message.get(..end)?, start, bytes, reading };
        let is_record = reading.is_internet(class) && record_type != RecordType::OPT;
        let read = || {
            Some(ResourceRecord {
                name: reading.name(message, at)?,
                record_type,
                // The sign bit means zero (RFC 2181 §8).
                time_to_live: i32::try_from(time_to_live).map_or(0, i32::unsigned_abs),
                data: data.read(record_type)?,
            })
        };
        let record = if is_record { read() } else { None };
        Some(Self { record, record_type, class, time_to_live, end })
    }
}

/// The data of a record in its message, which ends with it; a pointer may lead out of it.
struct Data<'a> {
    message: &'a [u8],
    start: usize,
    bytes: &'a [u8],
    reading: Reading,
}

impl Data<'_> {
    fn read(&self, record_type: RecordType) -> Option<ResourceData> {
        let data = self.bytes;
        Some(match record_type {
            RecordType::A => address(<[u8; 4]>::try_from(data).ok()?),
            RecordType::AAAA => address(<[u8; 16]>::try_from(data).ok()?),
            RecordType::CNAME | RecordType::DNAME | RecordType::NS | RecordType::PTR => {
                ResourceData::Name(self.last_name(0)?)
            }
            RecordType::MX => ResourceData::MailExchange(MailExchange {
                preference: self.number(0)?,
                exchange: self.last_name(2)?,
            }),
            RecordType::TXT => {
                let strings = strings(data).filter(|strings| !strings.is_empty())?;
                ResourceData::Text(strings.into_iter().map(<[u8]>::to_vec).collect())
            }
            RecordType::SRV => ResourceData::Service(Service {
                priority: self.number(0)?,
                weight: self.number(2)?,
                port: self.number(4)?,
                target: self.last_name(6)?,
            }),
            RecordType::SOA => ResourceData::Authority(self.authority()?),
            RecordType::HTTPS | RecordType::SVCB => ResourceData::Binding(self.binding()?),
            _ => ResourceData::Raw(data.to_vec()),
        })
    }

    /// The sixteen bits at a place of the data.
    fn number(&self, place: usize) -> Option<u16> {
        Some(u16::from_be_bytes(*self.bytes.get(place..)?.first_chunk()?))
    }

    /// The name from a place of the data to its end.
    fn last_name(&self, place: usize) -> Option<String> {
        let at = self.start + place;
        name::skip(self.message, at).filter(|after| *after == self.message.len())?;
        self.reading.name(self.message, at)
    }

    fn authority(&self) -> Option<StartOfAuthority> {
        let mailbox = name::skip(self.message, self.start)?;
        let numbers = name::skip(self.message, mailbox)?;
        let (numbers, odd) = self.message.get(numbers..)?.as_chunks::<4>();
        let [serial, refresh, retry, expire, minimum] = *numbers else { return None };
        odd.is_empty().then_some(())?;
        let number = u32::from_be_bytes;
        Some(StartOfAuthority {
            primary: self.reading.name(self.message, self.start)?,
            mailbox: name::read_escaped(self.message, mailbox)?,
            serial: number(serial),
            refresh: number(refresh),
            retry: number(retry),
            expire: number(expire),
            minimum: number(minimum),
        })
    }

    fn binding(&self) -> Option<ServiceBinding> {
        let at = self.start + 2;
        let priority = self.number(0)?;
        let target = self.reading.name(self.message, at)?;
        let mut rest = self.message.get(name::skip(self.message, at)?..)?;
        let mut parameters = Vec::new();
        while let Some(([a, b, c, d], after)) = rest.split_first_chunk() {
            let length = usize::from(u16::from_be_bytes([*c, *d]));
            let (value, after) = after.split_at_checked(length)?;
            let key = u16::from_be_bytes([*a, *b]);
            parameters.push(ServiceParameter { key, value: value.to_vec() });
            rest = after;
        }
        rest.is_empty().then_some(ServiceBinding { priority, target, parameters })
    }
}

fn address(octets: impl Into<IpAddr>) -> ResourceData {
    ResourceData::Address(octets.into())
}

/// The record, if it is an address, an alias or a pointer.
pub(crate) fn plain_record(record: &ResourceRecord) -> Option<Record> {
    let data = match (&record.data, record.record_type) {
        (ResourceData::Address(address), _) => RecordData::Address(*address),
        (ResourceData::Name(name), RecordType::CNAME) => RecordData::Cname(name.clone()),
        (ResourceData::Name(name), RecordType::PTR) => RecordData::Ptr(name.clone()),
        _ => return None,
    };
    Some(Record { name: record.name.clone(), data, time_to_live: record.time_to_live })
}

pub(super) fn write(bytes: &mut Vec<u8>, record: &Record) -> Result<(), Error> {
    name::write(bytes, &record.name)?;
    let mut data = Vec::new();
    let record_type = match &record.data {
        RecordData::Address(IpAddr::V4(address)) => {
            data.extend_from_slice(&address.octets());
            RecordType::A
        }
        RecordData::Address(IpAddr::V6(address)) => {
            data.extend_from_slice(&address.octets());
            RecordType::AAAA
        }
        RecordData::Cname(name) => {
            name::write(&mut data, name)?;
            RecordType::CNAME
        }
        RecordData::Ptr(name) => {
            name::write(&mut data, name)?;
            RecordType::PTR
        }
    };
    bytes.extend_from_slice(&record_type.0.to_be_bytes());
    bytes.extend_from_slice(&INTERNET.to_be_bytes());
    bytes.extend_from_slice(&record.time_to_live.to_be_bytes());
    let length = u16::try_from(data.len()).map_err(|_| Error::InvalidInput)?;
    bytes.extend_from_slice(&length.to_be_bytes());
    bytes.extend_from_slice(&data);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;

    /// Reads the data of a record whose name is `lan.`, which pointers may lead to at 0.
    fn read(record_type: RecordType, data: &[u8]) -> Option<String> {
        let mut message = b"\x03lan\0".to_vec();
        let fixed = [record_type.0, INTERNET, 0x8000, 7, data.len() as u16];
        message.extend(fixed.map(u16::to_be_bytes).concat());
        message.extend_from_slice(data);
        let entry = Entry::read(&message, 0).unwrap();
        assert_eq!(entry.end, message.len());
        assert_eq!(entry.record.as_ref().map_or(0, |record| record.time_to_live), 0);
        entry.record.map(|record| record.data.to_string())
    }

    #[test]
    fn data_of_every_type_is_read_and_what_is_cut_is_not() {
        let numbers = [1_u32, 2, 3, 4, 5].map(u32::to_be_bytes).concat();
        let authority = [&b"\x02ns\xc0\0\x04a.b\\\xc0\0"[..], &numbers].concat();
        for (record_type, data, text) in [
            (RecordType::MX, &b"\0\x0a\x04Mail\xc0\0"[..], "10 mail.lan."),
            (RecordType::MX, b"\0\0\0", "0 ."),
            (RecordType::TXT, b"\x01a\0", "\"a\" \"\""),
            (RecordType::SRV, b"\0\x01\0\x02\0\x50\xc0\0", "1 2 80 lan."),
            (RecordType::NS, b"\xc0\0", "lan."),
            (RecordType::SOA, &authority, "ns.lan. a\\.b\\\\.lan. 1 2 3 4 5"),
            (RecordType::HTTPS, b"\0\x01\0\0\x03\0\x02\x01\xbb", "1 . port=443"),
            (RecordType(4000), b"\xc0\0", "\\# 2 C000"),
        ] {
            assert_eq!(read(record_type, data).as_deref(), Some(text), "{record_type}");
            let raw = record_type == RecordType(4000);
            let whole = |length: usize| match record_type {
                // A list ends after any of its entries.
                RecordType::TXT => length == 2,
                RecordType::HTTPS => length == 3,
                _ => raw,
            };
            for length in 0..data.len() {
                let found = read(record_type, &data[..length]);
                assert_eq!(found.is_some(), whole(length), "{record_type} {length}");
            }
            assert_eq!(read(record_type, &[data, &[9]].concat()).is_some(), raw, "{record_type}");
        }
    }
}
