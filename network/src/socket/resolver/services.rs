//! Services of the link (RFC 6763): their names, and what is asked further of each.

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::future::poll_fn;
use core::pin::pin;
use core::task::Poll;
use core::time::Duration;

use devnet_virtual_file_system::Error;

use super::Resolver;
use super::multicast::Asked;
use crate::command::mdns::{FoundService, ServiceBrowse};
use crate::command::record::RecordType;
use crate::interface::Interface;
use crate::limits;
use crate::platform::before;
use crate::stack::mdns::found::name_of_type;
use crate::stack::mdns::{SUBTYPE, TYPES};

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
        if *milliseconds > limits::MDNS_BROWSE_MILLISECONDS {
            return Err(Error::InvalidInput);
        }
        let links = self.links_for(&service_type)?;
        let name = name_of_type(&service_type);
        let mut asked = Vec::new();
        for interface in &links {
            asked.push(Asked::new(interface, &name, RecordType::PTR)?);
        }
        let clock = &*self.sockets.clock;
        let deadline = clock.now().after(Duration::from_millis(u64::from(*milliseconds)));
        let search = poll_fn(|context| {
            self.ask_further(&links, &service_type, &mut asked);
            asked.iter().for_each(|question| question.register(context));
            Poll::<()>::Pending
        });
        before(clock, deadline, pin!(search)).await;
        let now = clock.now();
        let services = |interface: &Arc<Interface>| {
            let name = interface.name();
            interface.read(|stack| stack.mdns.known(now).services(&service_type, &name))
        };
        let found = links.iter().flat_map(services);
        Ok(found.take(limits::MDNS_FOUND).collect())
    }

    /// Whether services of this type, in lower case, can be watched.
    ///
    /// # Errors
    /// As [`browse`](Self::browse).
    pub(crate) fn check_type(&self, service_type: &str) -> Result<(), Error> {
        let links = self.links_for(service_type)?;
        let can_watch =
            |interface: &Arc<Interface>| interface.read(|stack| stack.mdns.can_watch(service_type));
        if links.iter().all(can_watch) { Ok(()) } else { Err(Error::NoBufferSpace) }
    }

    /// The links on which services of this type can be looked for.
    fn links_for(&self, service_type: &str) -> Result<Vec<Arc<Interface>>, Error> {
        if service_type != TYPES && !is_service_type(service_type) {
            return Err(Error::InvalidInput);
        }
        let links = self.links();
        if links.is_empty() { Err(Error::NetworkUnreachable) } else { Ok(links) }
    }

    /// Asks for what is not known yet of the services that were found.
    fn ask_further(&self, links: &[Arc<Interface>], service_type: &str, asked: &mut Vec<Asked>) {
        let now = self.sockets.clock.now();
        for interface in links {
            let missing = interface.read(|stack| stack.mdns.known(now).missing(service_type));
            for (name, kind) in missing {
                let kind = RecordType(kind);
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

/// True for `_NAME._tcp` and `_NAME._udp`, and for `_SUBTYPE._sub` before them (RFC 6763 §7.1); who
/// asks for what nobody can have gets no answer.
fn is_service_type(text: &str) -> bool {
    let is_name = |label: &str, longest: usize, is_further: fn(u8) -> bool| {
        label.strip_prefix('_').is_some_and(|name| {
            let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || is_further(byte);
            (1..=longest).contains(&name.len()) && name.bytes().all(is_plain)
        })
    };
    let labels: Vec<&str> = text.split('.').collect();
    let (subtype, name) = match *labels {
        [name, "_tcp" | "_udp"] => (None, name),
        [subtype, SUBTYPE, name, "_tcp" | "_udp"] => (Some(subtype), name),
        _ => return false,
    };
    is_name(name, 15, |byte| byte == b'-')
        && subtype.is_none_or(|name| is_name(name, 62, |byte| matches!(byte, b'-' | b'_')))
}
