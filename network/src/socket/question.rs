//! Questions: what needs no server, and what servers are asked.

use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use devnet_virtual_file_system::Error;

use crate::command::dns::{Answer, Question, Record, RecordData, RecordKind};
use crate::dns_message::name::without_dot;
use crate::dns_message::{self, QueryKind};
use crate::features::has_family;

/// The answer to a literal address or `localhost`.
pub(super) fn resolve_locally(question: &Question) -> Option<Answer> {
    let local = |addresses: &[IpAddr]| {
        let records = addresses.iter().map(|address| Record {
            name: question.name.clone(),
            data: RecordData::Address(*address),
            time_to_live: u32::MAX,
        });
        Some(Answer { server: None, records: records.collect() })
    };
    if matches!(question.kind, RecordKind::Cname | RecordKind::Ptr) {
        return None;
    }
    let fits = |address: &IpAddr| match question.kind {
        RecordKind::A => address.is_ipv4(),
        RecordKind::Aaaa => address.is_ipv6(),
        _ => true,
    };
    if let Ok(address) = question.name.parse::<IpAddr>() {
        return local(if fits(&address) { core::slice::from_ref(&address) } else { &[] });
    }
    let name = without_dot(&question.name);
    // RFC 6761 §6.3: queries for localhost and its subdomains never leave the system.
    if name.eq_ignore_ascii_case("localhost") || name.to_ascii_lowercase().ends_with(".localhost") {
        let both = [IpAddr::V4(Ipv4Addr::LOCALHOST), IpAddr::V6(Ipv6Addr::LOCALHOST)];
        let wanted: Vec<IpAddr> =
            both.into_iter().filter(|one| has_family(*one) && fits(one)).collect();
        return local(&wanted);
    }
    None
}

/// The name to ask for, and the types.
pub(super) fn wire_question(question: &Question) -> Result<(String, Vec<QueryKind>), Error> {
    let kinds = match question.kind {
        RecordKind::Address if cfg!(feature = "ipv6") => vec![QueryKind::A, QueryKind::Aaaa],
        RecordKind::Address => vec![QueryKind::A],
        RecordKind::A => vec![QueryKind::A],
        RecordKind::Aaaa => vec![QueryKind::Aaaa],
        RecordKind::Cname => vec![QueryKind::Cname],
        RecordKind::Ptr => vec![QueryKind::Ptr],
    };
    let name = match (question.kind, question.name.parse::<IpAddr>()) {
        (RecordKind::Ptr, Ok(address)) => dns_message::reverse_name(address),
        _ => without_dot(&question.name).to_ascii_lowercase(),
    };
    dns_message::check_name(&name)?;
    Ok((name, kinds))
}
