//! What a response says about a query (RFC 1034 §4.3.1, RFC 5452 §9.1).
//!
//! Each record is judged by itself: one of another class, type or owner, or one that cannot be
//! read, is skipped. Only the aliases from the queried name and what they lead to count, in
//! whatever order they come.

use alloc::string::String;
use alloc::vec::Vec;
use core::net::IpAddr;

use super::{DnsMessage, Head, QueryKind, ResponseCode, name};
use crate::command::dns::{Record, RecordData};
use crate::limits;

/// The Internet class (RFC 1035 §3.2.4).
pub(super) const INTERNET: u16 = 1;
/// The most aliases to follow in one response.
const ALIASES: usize = 16;

/// What a server says about a query.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Response {
    /// The response code.
    pub code: ResponseCode,
    /// Records are missing: the query should be repeated over TCP.
    pub is_truncated: bool,
    /// Aliases from the queried name in order, then the records of the queried type.
    pub records: Vec<Record>,
}

impl DnsMessage {
    /// Reads a message as the response to this query; `None` when it is none.
    ///
    /// A header without a question is one, as many servers report errors so; if it reports none, it
    /// says nothing about the name and counts as a failure of the server.
    #[must_use]
    pub fn response(&self, message: &[u8]) -> Option<Response> {
        let head = Head::read(message)?;
        if !head.is_response || head.identifier != self.identifier {
            return None;
        }
        let Head { code, is_truncated, .. } = head;
        match head.questions {
            0 => {
                let is_silent = code == ResponseCode::NoError && !is_truncated;
                let code = if is_silent { ResponseCode::ServerFailure } else { code };
                Some(Response { code, is_truncated, records: Vec::new() })
            }
            1 => {
                let question = Question::read(message, Head::BYTES)?;
                let is_same = question.class == INTERNET
                    && question.kind == self.kind
                    && question.name?.eq_ignore_ascii_case(&self.name);
                is_same.then_some(())?;
                let (all, is_cut) = read_records(message, question.end, head.answers);
                let records = self.select(&all);
                Some(Response { code, is_truncated: is_truncated || is_cut, records })
            }
            _ => None,
        }
    }

    /// The records that answer the query.
    fn select(&self, all: &[Record]) -> Vec<Record> {
        let mut chosen: Vec<Record> = Vec::new();
        let mut owner = self.name.to_ascii_lowercase();
        for _ in 0..=ALIASES {
            let room = limits::DNS_RECORDS - chosen.len();
            let mut wanted = all
                .iter()
                .filter(|record| record.name == owner && self.kind.is_of(&record.data))
                .peekable();
            if wanted.peek().is_some() {
                chosen.extend(wanted.take(room).cloned());
                break;
            }
            let alias = all.iter().find_map(|record| match &record.data {
                RecordData::Cname(target) if record.name == owner => Some((record, target)),
                _ => None,
            });
            let Some((record, target)) = alias.filter(|(record, _)| !chosen.contains(record))
            else {
                break;
            };
            chosen.push(record.clone());
            owner.clone_from(target);
        }
        chosen
    }
}

impl QueryKind {
    /// True for the data of a record of this type.
    const fn is_of(self, data: &RecordData) -> bool {
        matches!(
            (self, data),
            (Self::A, RecordData::Address(IpAddr::V4(_)))
                | (Self::Aaaa, RecordData::Address(IpAddr::V6(_)))
                | (Self::Cname, RecordData::Cname(_))
                | (Self::Ptr, RecordData::Ptr(_))
        )
    }
}

/// An entry of the question section.
pub(super) struct Question {
    /// The name, if it can be read.
    pub(super) name: Option<String>,
    pub(super) kind: QueryKind,
    pub(super) class: u16,
    /// The position after it.
    pub(super) end: usize,
}

impl Question {
    pub(super) fn read(message: &[u8], at: usize) -> Option<Self> {
        let fixed = name::skip(message, at)?;
        let [a, b, c, d] = *message.get(fixed..)?.first_chunk()?;
        Some(Self {
            name: name::read(message, at),
            kind: QueryKind::from_code(u16::from_be_bytes([a, b])),
            class: u16::from_be_bytes([c, d]),
            end: fixed + 4,
        })
    }
}

/// The records of a section that can be read, and whether the message ends inside the section.
pub(super) fn read_records(message: &[u8], mut at: usize, count: u16) -> (Vec<Record>, bool) {
    let mut records = Vec::new();
    for _ in 0..count {
        let Some((record, end)) = read_record(message, at) else { return (records, true) };
        records.extend(record);
        at = end;
    }
    (records, false)
}

/// A record, if it is of the Internet and of a known type, and the position after it; `None` when
/// it exceeds the message.
fn read_record(message: &[u8], at: usize) -> Option<(Option<Record>, usize)> {
    let fixed = name::skip(message, at)?;
    let [a, b, c, d, e, f, g, h, i, j] = *message.get(fixed..)?.first_chunk()?;
    let (kind, class) = (u16::from_be_bytes([a, b]), u16::from_be_bytes([c, d]));
    let (start, length) = (fixed + 10, usize::from(u16::from_be_bytes([i, j])));
    let data = message.get(start..start + length)?;
    let end = start + length;
    // A name inside the data ends with it, and a pointer may lead out of it.
    let name_in_data = || name::skip(message, start).filter(|after| *after == end);
    let data = match QueryKind::from_code(kind) {
        _ if class != INTERNET => None,
        QueryKind::A => <[u8; 4]>::try_from(data).ok().map(|octets| address(octets.into())),
        QueryKind::Aaaa => <[u8; 16]>::try_from(data).ok().map(|octets| address(octets.into())),
        QueryKind::Cname => {
            name_in_data().and_then(|_| name::read(message, start)).map(RecordData::Cname)
        }
        QueryKind::Ptr => {
            name_in_data().and_then(|_| name::read(message, start)).map(RecordData::Ptr)
        }
        QueryKind::Other(_) => None,
    };
    // The sign bit means zero (RFC 2181 §8).
    let time_to_live = u32::from_be_bytes([e, f, g, h]);
    let time_to_live = if time_to_live > i32::MAX as u32 { 0 } else { time_to_live };
    let record = data
        .and_then(|data| name::read(message, at).map(|name| Record { name, data, time_to_live }));
    Some((record, end))
}

const fn address(address: IpAddr) -> RecordData {
    RecordData::Address(address)
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::borrow::ToOwned;

    #[test]
    fn the_records_of_a_response_are_bounded() {
        let name = "web.lan".to_owned();
        let query = DnsMessage::query(1, name.clone(), QueryKind::A);
        let address = |number: u32| Record {
            name: name.clone(),
            data: RecordData::Address(core::net::Ipv4Addr::from_bits(0x0a00_0000 + number).into()),
            time_to_live: 1,
        };
        let whole = DnsMessage {
            is_response: true,
            answers: (0..2 * limits::DNS_RECORDS as u32).map(address).collect(),
            ..query.clone()
        };
        let response = query.response(&whole.to_bytes().unwrap()).unwrap();
        assert_eq!(response.records.len(), limits::DNS_RECORDS);
    }
}
