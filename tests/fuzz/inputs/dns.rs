//! DNS messages: as responses to our queries, as queries to the embedded server, and by themselves.

use devnet_network::command::record::{RecordType, ResourceData};
use devnet_network::dns_message::{DnsMessage, QueryKind, ResponseCode};
use devnet_network::limits::DNS_RECORDS;
use devnet_shell_commands::embedded::dns_server::answer;

use super::{Trace, size};

pub(crate) const TOKENS: &[&[u8]] = &[
    b"\x03www\x07example\x03org\0",
    b"\xc0\x0c",
    b"\xc0\x00",
    b"\xc0\xff",
    b"\0\x01\0\x01",
    b"\0\x05\0\x01",
    b"\0\x0c\0\x01",
    b"\0\x1c\0\x01",
    b"\x81\x80",
    b"\x83\x80",
    b"\x81\x83",
    b"\0\0\0\x3c\0\x04\x0a\0\0\x01",
    b"\0\0\0\x3c\0\x02\xc0\x0c",
    b"\x03web\x03lan\0",
    b"\x3f",
    b"\0",
    b"\0\0\x29\x10\0\0\0\0\0\0\0",
];

/// The bytes of a datagram without extensions (RFC 1035 §4.2.1).
const DATAGRAM: usize = 512;

/// Reads the message in every role.
pub(crate) fn messages(bytes: &[u8], trace: &mut Trace) {
    let [high, low, ..] = bytes else { return };
    let identifier = u16::from_be_bytes([*high, *low]);
    let parsed = DnsMessage::parse(bytes).ok();
    let asked = parsed.as_ref().map_or("www.example.org", |message| &message.name);
    let others = [RecordType::MX, RecordType::TXT, RecordType::SOA, RecordType::HTTPS];
    let others = others.map(|other| QueryKind::Other(other.0));
    let own = [QueryKind::A, QueryKind::Aaaa, QueryKind::Ptr, QueryKind::Cname];
    for kind in own.into_iter().chain(others) {
        let query = DnsMessage::query(identifier, asked.to_owned(), kind);
        let Some(response) = query.response(bytes) else { continue };
        trace.note((std::mem::discriminant(&response.code), response.is_truncated));
        trace.note(std::mem::discriminant(&kind));
        assert!(response.records.len() <= DNS_RECORDS, "too many records");
        // The records are one chain from the name that was asked for.
        let mut owner = asked.to_ascii_lowercase();
        for (place, record) in response.records.iter().enumerate() {
            assert_eq!(record.name, owner, "a record of somebody else");
            trace.note((
                size(place),
                std::mem::discriminant(&record.data),
                record.time_to_live == 0,
            ));
            if let ResourceData::Name(target) = &record.data
                && record.record_type == RecordType::CNAME
                && kind != QueryKind::Cname
            {
                owner.clone_from(target);
            }
        }
        let elsewhere = DnsMessage { identifier: !identifier, ..query };
        assert_eq!(elsewhere.response(bytes), None, "a response to another query");
    }
    if let Some(message) = parsed {
        trace.note((
            message.is_response,
            std::mem::discriminant(&message.code),
            size(message.answers.len()),
        ));
        trace.note(("name", size(message.name.len())));
        // Queries have no code.
        let code = if message.is_response { message.code } else { ResponseCode::NoError };
        let message = DnsMessage { code, ..message };
        if let Ok(written) = message.to_bytes() {
            assert_eq!(DnsMessage::parse(&written).as_ref(), Ok(&message), "not what was written");
        }
    }
    for limit in [None, Some(DATAGRAM)] {
        let Some(reply) = answer(bytes, limit) else { continue };
        trace.note(("served", reply.get(3).map(|flags| flags & 0xf), limit.is_some()));
        assert!(limit.is_none_or(|limit| reply.len() <= limit), "longer than a datagram");
        assert!(reply.starts_with(&[*high, *low]), "another identifier");
        assert_eq!(answer(&reply, limit), None, "two servers would talk for ever");
    }
}
