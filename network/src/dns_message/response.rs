//! What a response says about a query (RFC 1034 §4.3.1, RFC 5452).
//!
//! Each record is judged by itself: one of another class, type or owner, or one that cannot be
//! read, is skipped. Only the aliases from the queried name and what they lead to count, in
//! whatever order they come. Of the other sections only what belongs to that is kept, and nobody
//! answers a question with it.

use alloc::string::String;
use alloc::vec::Vec;

use super::record::{Entry, INTERNET};
use super::{DnsMessage, Head, QueryKind, ResponseCode, name};
use crate::command::record::{RecordType, ResourceData, ResourceRecord};
use crate::limits;

/// The most aliases to follow in one response.
const ALIASES: usize = 16;

/// What a server says about a query.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Response {
    /// The response code.
    pub code: ResponseCode,
    /// The bits of the header between the identifier and the counts (RFC 1035 §4.1.1).
    pub flags: u16,
    /// Records are missing: the query should be repeated over TCP.
    pub is_truncated: bool,
    /// The question is spelled as in the query, letter by letter, or there is none.
    pub is_spelled_alike: bool,
    /// The payload size that the server gives, if it knows EDNS.
    pub payload: Option<u16>,
    /// Aliases from the queried name in order, then the records of the queried type.
    pub records: Vec<ResourceRecord>,
    /// Of the authority section, what is said of the name's own zones.
    pub authority: Vec<ResourceRecord>,
    /// Of the additional section, the addresses of hosts that the other sections name.
    pub additional: Vec<ResourceRecord>,
}

impl DnsMessage {
    /// Reads a message as the response to this query; `None` when it is none.
    ///
    /// A header without a question is one, as many servers report errors so; if it reports none, it
    /// says nothing about the name and counts as a failure of the server.
    #[must_use]
    pub fn response(&self, message: &[u8]) -> Option<Response> {
        let head = Head::read(message)?;
        if !head.is_response() || head.identifier != self.identifier {
            return None;
        }
        let mut response = Response {
            code: head.code(None),
            flags: head.flags,
            is_truncated: head.is_truncated(),
            is_spelled_alike: true,
            payload: None,
            records: Vec::new(),
            authority: Vec::new(),
            additional: Vec::new(),
        };
        match head.questions {
            0 if response.code == ResponseCode::NoError && !response.is_truncated => {
                response.code = ResponseCode::ServerFailure;
            }
            0 => {}
            1 => {
                let question = Question::read(message, Head::BYTES)?;
                let spelling = question.name?;
                let is_same = question.class == INTERNET
                    && question.kind == self.kind
                    && spelling.eq_ignore_ascii_case(&self.name);
                is_same.then_some(())?;
                let sections = Sections::read(message, question.end, &head);
                response.code = head.code(sections.options.as_ref());
                response.payload = sections.options.map(|options| options.payload);
                response.is_truncated |= sections.is_cut;
                response.is_spelled_alike = spelling == self.spelling;
                self.select(sections, &mut response);
            }
            _ => return None,
        }
        Some(response)
    }

    /// The records that answer the query.
    fn select(&self, sections: Sections, response: &mut Response) {
        let Sections { answers, authority, additional, .. } = sections;
        let chosen = &mut response.records;
        let mut owner = self.name.to_ascii_lowercase();
        for _ in 0..=ALIASES {
            let room = limits::DNS_RECORDS - chosen.len();
            let mut wanted = answers
                .iter()
                .filter(|record| record.name == owner && self.kind.is_of(record.record_type))
                .peekable();
            if wanted.peek().is_some() {
                chosen.extend(wanted.take(room).cloned());
                break;
            }
            let alias = answers.iter().find_map(|record| match &record.data {
                ResourceData::Name(target)
                    if record.name == owner && record.record_type == RecordType::CNAME =>
                {
                    Some((record, target))
                }
                _ => None,
            });
            let Some((record, target)) = alias.filter(|(record, _)| !chosen.contains(record))
            else {
                break;
            };
            chosen.push(record.clone());
            owner.clone_from(target);
        }
        let authority = authority.into_iter().filter(|record| is_in_zone(&owner, &record.name));
        response.authority = authority.take(limits::DNS_RECORDS).collect();
        let named: Vec<&str> =
            response.records.iter().chain(&response.authority).filter_map(host_of).collect();
        let additional = additional.into_iter().filter(|record| {
            matches!(record.data, ResourceData::Address(_)) && named.contains(&&*record.name)
        });
        response.additional = additional.take(limits::DNS_RECORDS).collect();
    }
}

/// True for the zone itself and what is below it.
fn is_in_zone(name: &str, zone: &str) -> bool {
    let before = name.strip_suffix(zone);
    zone.is_empty() || before.is_some_and(|before| before.is_empty() || before.ends_with('.'))
}

/// The host that a record names.
fn host_of(record: &ResourceRecord) -> Option<&str> {
    match &record.data {
        ResourceData::Name(name) => Some(name),
        ResourceData::MailExchange(exchange) => Some(&exchange.exchange),
        ResourceData::Service(service) => Some(&service.target),
        ResourceData::Binding(binding) => Some(&binding.target),
        _ => None,
    }
}

impl QueryKind {
    /// True for a record that answers a query of this type.
    fn is_of(self, record_type: RecordType) -> bool {
        let asked = RecordType(self.code());
        asked == record_type || asked == RecordType::ANY
    }
}

/// An entry of the question section.
pub(super) struct Question {
    /// The name as it is spelled, if it can be read.
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
            name: name::read_spelled(message, at),
            kind: QueryKind::from_code(u16::from_be_bytes([a, b])),
            class: u16::from_be_bytes([c, d]),
            end: fixed + 4,
        })
    }
}

/// What an OPT record says (RFC 6891 §6.1.3).
#[derive(Clone, Copy)]
pub(super) struct Options {
    /// The bytes of UDP messages that its sender takes.
    pub(super) payload: u16,
    /// The upper bits of the response code.
    pub(super) code: u8,
}

/// The sections after the question, as far as their records can be read.
#[derive(Default)]
pub(super) struct Sections {
    pub(super) answers: Vec<ResourceRecord>,
    authority: Vec<ResourceRecord>,
    additional: Vec<ResourceRecord>,
    pub(super) options: Option<Options>,
    /// The message ends inside the answer section.
    pub(super) is_cut: bool,
}

impl Sections {
    pub(super) fn read(message: &[u8], at: usize, head: &Head) -> Self {
        let mut all = Self::default();
        let end = read_section(message, at, head.answers, &mut all.answers, &mut all.options);
        all.is_cut = end.is_none();
        end.and_then(|at| {
            read_section(message, at, head.authority, &mut all.authority, &mut all.options)
        })
        .and_then(|at| {
            read_section(message, at, head.additional, &mut all.additional, &mut all.options)
        });
        all
    }
}

/// Reads the records of a section that can be read; the position after them, `None` if the message
/// ends before. Options do not count: small servers repeat those of the query before their answers.
fn read_section(
    message: &[u8],
    mut at: usize,
    count: u16,
    records: &mut Vec<ResourceRecord>,
    options: &mut Option<Options>,
) -> Option<usize> {
    let mut left = count;
    while left > 0 {
        let entry = Entry::read(message, at)?;
        at = entry.end;
        if entry.record_type == RecordType::OPT {
            let [code, ..] = entry.time_to_live.to_be_bytes();
            options.get_or_insert(Options { payload: entry.class, code });
        } else {
            records.extend(entry.record);
            left -= 1;
        }
    }
    Some(at)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::dns::{Record, RecordData};
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
