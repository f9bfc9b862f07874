//! The records of this host on one link: its addresses and their names, its services.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::net::IpAddr;

use super::claim::{Claim, DOMAIN};
use super::settings::{base_type, subtypes};
use crate::command::record::{RecordType, ResourceData, ResourceRecord, Service};
use crate::dns_message::multicast::{MulticastRecord, name_bytes};
use crate::dns_message::reverse_name;
use crate::platform::Instant;

/// The time to live of records that have the host's name or address in them, in seconds (RFC 6762
/// §10).
const HOST_TTL: u32 = 120;
/// That of the others.
const OTHER_TTL: u32 = 4500;
/// The name whose pointers lead to the types of services (RFC 6763 §9).
pub(crate) const TYPES: &str = "_services._dns-sd._udp";
/// Between a subtype and its type (RFC 6763 §7.1).
pub(crate) const SUBTYPE: &str = "_sub";
/// A record that says which types a name has (RFC 6762 §6.1).
pub(crate) const NSEC: RecordType = RecordType(47);

/// When a record is to be sent to the group.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Due {
    pub(super) at: Instant,
    /// The only host that asked, which may still say that it knows the record.
    pub(super) only_for: Option<IpAddr>,
}

/// A record of ours.
#[derive(Clone, Debug)]
pub(super) struct Owned {
    pub(super) record: MulticastRecord,
    /// The place of the claim that it belongs to.
    pub(super) claim: usize,
    /// When it was last sent to the group.
    pub(super) last: Option<Instant>,
    pub(super) due: Option<Due>,
}

impl Owned {
    pub(super) const fn record(&self) -> &MulticastRecord {
        &self.record
    }

    pub(super) fn record_type(&self) -> RecordType {
        self.record.record.record_type
    }

    pub(super) fn is_named(&self, name: &str) -> bool {
        self.record.record.name.eq_ignore_ascii_case(name)
    }

    /// True when no other host may have a record of this name and type: what a claim is about.
    pub(super) fn is_claimed(&self) -> bool {
        self.record.is_flush && !matches!(self.record_type(), NSEC | RecordType::PTR)
    }

    /// True for a record of another host that says the same.
    pub(super) fn is_same(&self, other: &ResourceRecord) -> bool {
        let own = &self.record.record;
        own.record_type == other.record_type
            && own.name.eq_ignore_ascii_case(&other.name)
            && is_same_data(&own.data, &other.data)
    }

    /// Makes it due then, or earlier if it is so already.
    pub(super) fn schedule(&mut self, at: Instant, asker: Option<IpAddr>) {
        self.due = Some(match self.due {
            None => Due { at, only_for: asker },
            Some(Due { at: known, only_for }) => {
                Due { at: at.min(known), only_for: only_for.filter(|_| only_for == asker) }
            }
        });
    }
}

/// Names in data are equal in any case.
pub(super) fn is_same_data(one: &ResourceData, other: &ResourceData) -> bool {
    match (one, other) {
        (ResourceData::Name(one), ResourceData::Name(other)) => one.eq_ignore_ascii_case(other),
        (ResourceData::Service(one), ResourceData::Service(other)) => {
            (one.priority, one.weight, one.port) == (other.priority, other.weight, other.port)
                && one.target.eq_ignore_ascii_case(&other.target)
        }
        _ => one == other,
    }
}

/// The records of these claims, of which the first is the host, at these addresses.
pub(super) fn build(claims: &[Claim], addresses: &[IpAddr]) -> Vec<Owned> {
    let mut all = Vec::new();
    let Some(host) = claims.first() else { return all };
    let host_name = host.name();
    for address in addresses {
        let record_type = if address.is_ipv4() { RecordType::A } else { RecordType::AAAA };
        let data = ResourceData::Address(*address);
        all.push(unique(0, &host_name, record_type, HOST_TTL, data));
        let target = ResourceData::Name(host_name.clone());
        all.push(unique(0, &reverse_name(*address), RecordType::PTR, HOST_TTL, target));
    }
    let has = |is_ipv4| addresses.iter().any(|address| address.is_ipv4() == is_ipv4);
    let types: Vec<_> = [(has(true), RecordType::A), (has(false), RecordType::AAAA)]
        .into_iter()
        .filter_map(|(is_there, record_type)| is_there.then_some(record_type))
        .collect();
    all.extend(types_of(0, &host_name, HOST_TTL, &types));
    for (place, claim) in claims.iter().enumerate() {
        let Some(service) = &claim.service else { continue };
        let name = claim.name();
        let type_name = format!("{}.{DOMAIN}", base_type(&service.service_type));
        all.push(shared(place, &type_name, &name));
        for subtype in subtypes(&service.service_type) {
            all.push(shared(place, &format!("{subtype}.{SUBTYPE}.{type_name}"), &name));
        }
        let types_name = format!("{TYPES}.{DOMAIN}");
        let is_known = |known: &Owned| {
            known.is_named(&types_name)
                && matches!(&known.record.record.data, ResourceData::Name(target)
                    if *target == type_name)
        };
        if !all.iter().any(is_known) {
            all.push(shared(place, &types_name, &type_name));
        }
        let target = host_name.clone();
        let data = Service { priority: 0, weight: 0, port: service.port, target };
        let data = ResourceData::Service(data);
        all.push(unique(place, &name, RecordType::SRV, HOST_TTL, data));
        // One empty string stands for none (RFC 6763 §6.1).
        let text =
            if service.text.is_empty() { alloc::vec![Vec::new()] } else { service.text.clone() };
        all.push(unique(place, &name, RecordType::TXT, OTHER_TTL, ResourceData::Text(text)));
        all.extend(types_of(place, &name, HOST_TTL, &[RecordType::TXT, RecordType::SRV]));
    }
    all
}

fn unique(
    claim: usize,
    name: &str,
    record_type: RecordType,
    time_to_live: u32,
    data: ResourceData,
) -> Owned {
    let record = ResourceRecord { name: String::from(name), record_type, time_to_live, data };
    let record = MulticastRecord { record, is_flush: true };
    Owned { record, claim, last: None, due: None }
}

fn shared(claim: usize, name: &str, target: &str) -> Owned {
    let target = ResourceData::Name(String::from(target));
    let mut owned = unique(claim, name, RecordType::PTR, OTHER_TTL, target);
    owned.record.is_flush = false;
    owned
}

/// The record that says that a name has these types and no other.
fn types_of(claim: usize, name: &str, time_to_live: u32, types: &[RecordType]) -> Option<Owned> {
    let mut data = name_bytes(name)?;
    let mut bits = [0_u8; 5];
    for RecordType(number) in types {
        if let Some(byte) = bits.get_mut(usize::from(number / 8)) {
            *byte |= 0x80 >> (number % 8);
        }
    }
    data.extend_from_slice(&[0, bits.len() as u8]);
    data.extend_from_slice(&bits);
    Some(unique(claim, name, NSEC, time_to_live, ResourceData::Raw(data)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::mdns::LocalService;

    #[test]
    fn a_host_and_a_service_have_the_records_of_the_discovery_of_services() {
        let service = LocalService {
            instance: "My page".into(),
            service_type: "_http._tcp".into(),
            port: 80,
            text: alloc::vec![],
        };
        let claims = [Claim::new("devnet", None), Claim::new("My page", Some(service))];
        let records = build(&claims, &["10.0.0.2".parse().unwrap()]);
        let shown: Vec<String> = records
            .iter()
            .map(|owned| {
                let ResourceRecord { name, record_type, data, .. } = &owned.record.record;
                format!("{name} {record_type} {data}")
            })
            .collect();
        assert_eq!(
            shown,
            [
                "devnet.local A 10.0.0.2",
                "2.0.0.10.in-addr.arpa PTR devnet.local.",
                "devnet.local NSEC \\# 21 066465766E6574056C6F63616C0000054000000000",
                "_http._tcp.local PTR My\\032page._http._tcp.local.",
                "_services._dns-sd._udp.local PTR _http._tcp.local.",
                "My\\032page._http._tcp.local SRV 0 0 80 devnet.local.",
                "My\\032page._http._tcp.local TXT \"\"",
                "My\\032page._http._tcp.local NSEC \\# 33 \
                 074D792070616765055F68747470045F746370056C6F63616C0000050000800040",
            ]
        );
    }
}
