//! Services of the link (RFC 6763): their names, and what is asked further of each.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::future::poll_fn;
use core::net::IpAddr;
use core::pin::pin;
use core::task::Poll;
use core::time::Duration;

use devnet_virtual_file_system::Error;

use super::Resolver;
use super::multicast::Asked;
use crate::command::escape;
use crate::command::mdns::{FoundService, ServiceBrowse};
use crate::command::record::{RecordType, ResourceData, ResourceRecord, Service};
use crate::interface::Interface;
use crate::limits;
use crate::platform::{Instant, before};
use crate::stack::mdns::claim::DOMAIN;
use crate::stack::mdns::{MulticastDns, TYPES};

/// Questions about what one search finds.
const BROWSE_QUESTIONS: usize = limits::MDNS_QUERIES / 4;

impl Resolver {
    /// Looks for services on the links, for as long as is asked.
    ///
    /// # Errors
    /// `InvalidInput` for a type that no service has, or too long a time; `NetworkUnreachable` when
    /// no interface resolves names of its link; `NoBufferSpace` for too many questions.
    ///
    /// # Cancel safety
    /// Dropping the future ends the search.
    pub async fn browse(&self, browse: &ServiceBrowse) -> Result<Vec<FoundService>, Error> {
        let ServiceBrowse { service_type, milliseconds } = browse;
        let service_type = service_type.to_ascii_lowercase();
        let is_possible = service_type == TYPES || is_service_type(&service_type);
        if !is_possible || *milliseconds > limits::MDNS_BROWSE_MILLISECONDS {
            return Err(Error::InvalidInput);
        }
        let links = self.links();
        if links.is_empty() {
            return Err(Error::NetworkUnreachable);
        }
        let name = format!("{service_type}.{DOMAIN}");
        let mut asked = Vec::new();
        for interface in &links {
            asked.push(Asked::new(interface, &name, RecordType::PTR)?);
        }
        let clock = &*self.sockets.clock;
        let deadline = clock.now().after(Duration::from_millis(u64::from(*milliseconds)));
        let search = poll_fn(|context| {
            self.ask_further(&links, &name, &mut asked);
            asked.iter().for_each(|question| question.register(context));
            Poll::<()>::Pending
        });
        before(clock, deadline, pin!(search)).await;
        let now = clock.now();
        let found = links.iter().flat_map(|interface| services(interface, &name, now));
        Ok(found.take(limits::MDNS_FOUND).collect())
    }

    /// Asks for what is not known yet of the services that were found.
    fn ask_further(&self, links: &[Arc<Interface>], name: &str, asked: &mut Vec<Asked>) {
        let now = self.sockets.clock.now();
        for interface in links {
            let missing = interface.read(|stack| missing(&stack.mdns, name, now));
            for (name, kind) in missing {
                let is_known = asked.iter().any(|known| known.is(interface, &name, kind));
                if !is_known
                    && asked.len() < BROWSE_QUESTIONS
                    && let Ok(question) = Asked::new(interface, &name, kind)
                {
                    asked.push(question);
                }
            }
        }
    }
}

/// True for `_NAME._tcp` and `_NAME._udp`; who asks for what nobody can have gets no answer.
fn is_service_type(text: &str) -> bool {
    let mut labels = text.split('.');
    let is_label = |label: Option<&str>| {
        label.and_then(|label| label.strip_prefix('_')).is_some_and(|name| {
            (1..=15).contains(&name.len())
                && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
        })
    };
    is_label(labels.next())
        && matches!(labels.next(), Some("_tcp" | "_udp"))
        && labels.next().is_none()
}

fn pointers(mdns: &MulticastDns, name: &str, now: Instant) -> Vec<String> {
    let target = |(record, _): (ResourceRecord, _)| match record.data {
        ResourceData::Name(target) => Some(target),
        _ => None,
    };
    let mut all: Vec<String> = Vec::new();
    for target in mdns.find(name, RecordType::PTR, now).into_iter().filter_map(target) {
        if all.len() < limits::MDNS_FOUND
            && !all.iter().any(|known| known.eq_ignore_ascii_case(&target))
        {
            all.push(target);
        }
    }
    all
}

fn service_of(mdns: &MulticastDns, instance: &str, now: Instant) -> Option<Service> {
    let mut records = mdns.find(instance, RecordType::SRV, now).into_iter();
    records.find_map(|(record, _)| match record.data {
        ResourceData::Service(service) => Some(service),
        _ => None,
    })
}

fn addresses_of(mdns: &MulticastDns, host: &str, now: Instant) -> Vec<IpAddr> {
    let kinds = [RecordType::A, RecordType::AAAA].into_iter();
    let records = kinds.flat_map(|kind| mdns.find(host, kind, now));
    let address = |(record, _): (ResourceRecord, _)| match record.data {
        ResourceData::Address(address) => Some(address),
        _ => None,
    };
    records.filter_map(address).collect()
}

/// The questions whose answers the services that were found lack.
fn missing(mdns: &MulticastDns, name: &str, now: Instant) -> Vec<(String, RecordType)> {
    let mut missing = Vec::new();
    if name.starts_with(TYPES) {
        return missing;
    }
    for instance in pointers(mdns, name, now) {
        if mdns.find(&instance, RecordType::TXT, now).is_empty() {
            missing.push((instance.clone(), RecordType::TXT));
        }
        match service_of(mdns, &instance, now) {
            None => missing.push((instance, RecordType::SRV)),
            Some(service) if addresses_of(mdns, &service.target, now).is_empty() => {
                missing.push((service.target.clone(), RecordType::A));
                missing.push((service.target, RecordType::AAAA));
            }
            Some(_) => {}
        }
    }
    missing
}

/// The services of one link, or the types that there are.
fn services(interface: &Arc<Interface>, name: &str, now: Instant) -> Vec<FoundService> {
    let service_type = name.strip_suffix(DOMAIN).and_then(|head| head.strip_suffix('.'));
    let service_type = service_type.unwrap_or(name);
    let interface_name = interface.name();
    interface.read(|stack| {
        let mdns = &stack.mdns;
        let found = |full: String| {
            let labels = escape::labels(&full).unwrap_or_default();
            let text = |labels: &[Vec<u8>]| {
                let labels = labels.iter().map(|label| String::from_utf8_lossy(label));
                labels.collect::<Vec<_>>().join(".")
            };
            let own = if service_type == TYPES { 2 } else { 1 };
            let service = service_of(mdns, &full, now);
            let text_of = |(record, _): (ResourceRecord, _)| match record.data {
                ResourceData::Text(strings) => Some(strings),
                _ => None,
            };
            let mut strings = mdns.find(&full, RecordType::TXT, now).into_iter();
            let mut strings = strings.find_map(text_of).unwrap_or_default();
            strings.retain(|string| !string.is_empty());
            let host = service.as_ref().map(|service| service.target.clone()).unwrap_or_default();
            FoundService {
                interface: interface_name.clone(),
                instance: text(labels.get(..own).unwrap_or_default()),
                service_type: service_type.to_string(),
                addresses: addresses_of(mdns, &host, now),
                host,
                port: service.map_or(0, |service| service.port),
                text: strings,
            }
        };
        pointers(mdns, name, now).into_iter().map(found).collect()
    })
}
