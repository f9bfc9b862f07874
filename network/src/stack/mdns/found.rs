//! Services by the records that are known of them (RFC 6763 §4 to §6).

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::net::IpAddr;

use super::claim::DOMAIN;
use super::owned::TYPES;
use super::{MulticastDns, Running};
use crate::command::escape;
use crate::command::mdns::FoundService;
use crate::command::record::{RecordType, ResourceData, ResourceRecord, Service};
use crate::limits;
use crate::platform::Instant;

/// A question: a name in lower case, and a type.
pub(crate) type Question = (String, u16);

/// The records of one link that are known now, by name and type.
#[derive(Debug, Default)]
pub(crate) struct Known<'a>(BTreeMap<Question, Vec<&'a ResourceRecord>>);

/// The name of all services of a type.
pub(crate) fn name_of_type(service_type: &str) -> String {
    format!("{service_type}.{DOMAIN}")
}

impl MulticastDns {
    /// What is known now, ours too.
    pub(crate) fn known(&self, now: Instant) -> Known<'_> {
        self.running.as_ref().map_or_else(Known::default, |running| running.known(now))
    }
}

impl Running {
    pub(super) fn known(&self, now: Instant) -> Known<'_> {
        let own = self.owned.iter().filter(|owned| self.is_answered(owned));
        let own = own.map(|owned| &owned.record.record);
        let mut known = Known::default();
        for record in own.chain(self.queries.records(now)) {
            let question = (record.name.to_ascii_lowercase(), record.record_type.0);
            known.0.entry(question).or_default().push(record);
        }
        known
    }
}

impl Known<'_> {
    fn of(&self, name: &str, kind: RecordType) -> impl Iterator<Item = &ResourceData> {
        let records = self.0.get(&(name.to_ascii_lowercase(), kind.0));
        records.into_iter().flatten().map(|record| &record.data)
    }

    /// The names of the services of a type, each once.
    fn pointers(&self, service_type: &str) -> Vec<&str> {
        let mut seen = BTreeSet::new();
        let name = name_of_type(service_type);
        let targets = self.of(&name, RecordType::PTR).filter_map(|data| {
            let ResourceData::Name(target) = data else { return None };
            Some(target.as_str())
        });
        let new = targets.filter(|target| seen.insert(target.to_ascii_lowercase()));
        new.take(limits::MDNS_FOUND).collect()
    }

    fn service(&self, name: &str) -> Option<&Service> {
        self.of(name, RecordType::SRV).find_map(|data| match data {
            ResourceData::Service(service) => Some(service),
            _ => None,
        })
    }

    fn addresses(&self, host: &str) -> Vec<IpAddr> {
        let kinds = [RecordType::A, RecordType::AAAA].into_iter();
        let address = |data: &ResourceData| match data {
            ResourceData::Address(address) => Some(*address),
            _ => None,
        };
        let mut all: Vec<IpAddr> =
            kinds.flat_map(|kind| self.of(host, kind)).filter_map(address).collect();
        all.sort_unstable();
        all.dedup();
        all
    }

    fn text(&self, name: &str) -> Vec<Vec<u8>> {
        let strings = self.of(name, RecordType::TXT).find_map(|data| match data {
            ResourceData::Text(strings) => Some(strings),
            _ => None,
        });
        let filled = |string: &&Vec<u8>| !string.is_empty();
        strings.into_iter().flatten().filter(filled).cloned().collect()
    }

    /// The services of a type, or the types that there are.
    pub(crate) fn services(&self, service_type: &str, interface: &str) -> Vec<FoundService> {
        let labels_of_name = if service_type == TYPES { 2 } else { 1 };
        let found = |full: &str| {
            let labels = escape::labels(full).unwrap_or_default();
            let labels = labels.iter().take(labels_of_name);
            let labels: Vec<_> = labels.map(|label| String::from_utf8_lossy(label)).collect();
            let service = self.service(full);
            let host = service.map(|service| service.target.clone()).unwrap_or_default();
            FoundService {
                interface: interface.to_string(),
                instance: labels.join("."),
                service_type: service_type.to_string(),
                addresses: self.addresses(&host),
                host,
                port: service.map_or(0, |service| service.port),
                text: self.text(full),
            }
        };
        self.pointers(service_type).into_iter().map(found).collect()
    }

    /// The questions whose answers the services of a type lack.
    pub(crate) fn missing(&self, service_type: &str) -> BTreeSet<Question> {
        let mut missing = BTreeSet::new();
        if service_type == TYPES {
            return missing;
        }
        let mut ask = |name: &str, kind: RecordType| {
            missing.insert((name.to_ascii_lowercase(), kind.0));
        };
        for full in self.pointers(service_type) {
            if self.of(full, RecordType::TXT).next().is_none() {
                ask(full, RecordType::TXT);
            }
            match self.service(full) {
                None => ask(full, RecordType::SRV),
                Some(service) if self.addresses(&service.target).is_empty() => {
                    ask(&service.target, RecordType::A);
                    ask(&service.target, RecordType::AAAA);
                }
                Some(_) => {}
            }
        }
        missing
    }

    /// The names, in lower case, whose records say what the services of a type are.
    pub(super) fn names(&self, service_type: &str) -> BTreeSet<String> {
        let mut names = BTreeSet::new();
        if service_type != TYPES {
            for full in self.pointers(service_type) {
                names.insert(full.to_ascii_lowercase());
                names.extend(self.service(full).map(|service| service.target.to_ascii_lowercase()));
            }
        }
        names
    }
}
