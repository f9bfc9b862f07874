//! Names of the link: asked of everybody on it instead of a server (RFC 6762 §3, §4).
//!
//! The stack of each interface asks and keeps what it hears; a lookup here waits for that, on all
//! interfaces at once, and leaves nothing behind when it is dropped.

use alloc::string::{String, ToString};
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::future::poll_fn;
use core::net::SocketAddr;
use core::pin::pin;
use core::task::{Context, Poll};
use core::time::Duration;

use devnet_virtual_file_system::Error;

use super::exchange::Heard;
use super::{Failure, Resolver};
use crate::command::record::{RecordType, ResourceRecord};
use crate::dns_message::{QueryKind, Response, ResponseCode};
use crate::interface::Interface;
use crate::limits;
use crate::platform::before;
use crate::stack::mdns::claim::DOMAIN;
use crate::trace::message;

/// How long the link is asked for a name: three questions (RFC 6762 §5.2).
const LONGEST: Duration = Duration::from_secs(4);
/// Once one type was answered the others come with it, or soon after.
const REST: Duration = Duration::from_millis(250);
/// Flags of a response: it is one, and authoritative.
const FLAGS: u16 = 0x8400;

/// A question that an interface asks; dropping it ends it.
pub(super) struct Asked {
    interface: Arc<Interface>,
    number: u64,
    name: String,
    kind: RecordType,
}

impl Asked {
    pub(super) fn new(
        interface: &Arc<Interface>,
        name: &str,
        kind: RecordType,
    ) -> Result<Self, Error> {
        let number = interface.change_and_transmit(|stack| {
            stack.mdns.ask(&mut stack.context, &mut stack.ip, name, kind)
        })?;
        Ok(Self { interface: Arc::clone(interface), number, name: name.to_string(), kind })
    }

    pub(super) fn register(&self, context: &Context<'_>) {
        self.interface.change(|stack| stack.mdns.register(self.number, context.waker()));
    }

    pub(super) fn is(&self, interface: &Arc<Interface>, name: &str, kind: RecordType) -> bool {
        Arc::ptr_eq(&self.interface, interface)
            && self.kind == kind
            && self.name.eq_ignore_ascii_case(name)
    }
}

impl Drop for Asked {
    fn drop(&mut self) {
        let waiters = self.interface.change(|stack| stack.mdns.forget(self.number));
        drop(waiters);
    }
}

/// True for a name that belongs to the link: below `local`, and that of a link-local address (RFC
/// 6762 §3, §4).
fn is_below_local(name: &str) -> bool {
    const ZONES: [&str; 6] = [
        DOMAIN,
        "254.169.in-addr.arpa",
        "8.e.f.ip6.arpa",
        "9.e.f.ip6.arpa",
        "a.e.f.ip6.arpa",
        "b.e.f.ip6.arpa",
    ];
    let name = name.strip_suffix('.').unwrap_or(name).to_ascii_lowercase();
    let is_below = |zone: &str| name.strip_suffix(zone).is_some_and(|head| head.ends_with('.'));
    ZONES.into_iter().any(is_below)
}

/// True for the reverse name of an address.
fn is_reverse(name: &str) -> bool {
    name.ends_with(".in-addr.arpa") || name.ends_with(".ip6.arpa")
}

impl Resolver {
    /// The interfaces on whose links this name is looked up; none for one that servers know. Names
    /// of addresses that no server is there for are asked of the link, too.
    fn links_of(&self, name: &str, has_servers: bool) -> Vec<Arc<Interface>> {
        if !is_below_local(name) && (has_servers || !is_reverse(name)) {
            return Vec::new();
        }
        self.links()
    }

    pub(super) fn links(&self) -> Vec<Arc<Interface>> {
        let resolves = |interface: &Arc<Interface>| {
            interface.read(|stack| stack.mdns.resolves(&stack.context))
        };
        self.ordered().into_iter().filter(resolves).collect()
    }

    /// True when a lookup of the name needs no server.
    pub(super) fn needs_no_server(&self, name: &str) -> bool {
        !self.links_of(name, false).is_empty()
    }

    /// True for a name that only the link knows: the search list does not apply to it.
    pub(super) fn is_of_link(&self, name: &str) -> bool {
        is_below_local(name) && self.needs_no_server(name)
    }

    /// What the links say of a name; none for one that servers are asked for.
    pub(super) async fn known_on_link(
        &self,
        name: &str,
        kinds: &[QueryKind],
        has_servers: bool,
    ) -> Option<Result<Vec<Heard>, Failure>> {
        let links = self.links_of(name, has_servers);
        if links.is_empty() {
            return None;
        }
        message!(debug, "devnet::dns", "{}: the link is asked", name);
        let failed = |error| Failure { error, said: None };
        let mut asked = Vec::new();
        // What is known already costs no packet.
        if !self.is_answered(&links, name, kinds) {
            for interface in &links {
                for kind in kinds {
                    match Asked::new(interface, name, RecordType(kind.code())) {
                        Ok(question) => asked.push(question),
                        Err(error) => return Some(Err(failed(error))),
                    }
                }
            }
            self.wait(&links, (name, kinds), &asked).await;
        }
        let heard: Vec<Heard> = kinds
            .iter()
            .filter_map(|kind| {
                let records = self.on_link(&links, name, RecordType(kind.code()));
                let (_, server) = *records.first()?;
                let records = records.into_iter().map(|(record, _)| record).collect();
                Some(heard(server, *kind, records))
            })
            .collect();
        Some(if heard.is_empty() { Err(failed(Error::NotFound)) } else { Ok(heard) })
    }

    /// Waits until all types are answered, or one and then a moment, or nobody answers.
    async fn wait(
        &self,
        links: &[Arc<Interface>],
        (name, kinds): (&str, &[QueryKind]),
        asked: &[Asked],
    ) {
        let clock = &*self.sockets.clock;
        let register = |context: &Context<'_>| {
            asked.iter().for_each(|question| question.register(context));
        };
        let any = poll_fn(|context| {
            register(context);
            let mut kinds = kinds.iter();
            let is_there =
                kinds.any(|kind| !self.on_link(links, name, RecordType(kind.code())).is_empty());
            let is_over = is_there || self.is_answered(links, name, kinds.as_slice());
            if is_over { Poll::Ready(()) } else { Poll::Pending }
        });
        if before(clock, clock.now().after(LONGEST), pin!(any)).await.is_none() {
            return;
        }
        let all = poll_fn(|context| {
            register(context);
            let is_over = self.is_answered(links, name, kinds);
            if is_over { Poll::Ready(()) } else { Poll::Pending }
        });
        before(clock, clock.now().after(REST), pin!(all)).await;
    }

    /// True when every type has records, or it was said that there are none.
    fn is_answered(&self, links: &[Arc<Interface>], name: &str, kinds: &[QueryKind]) -> bool {
        let now = self.sockets.clock.now();
        !kinds.is_empty()
            && kinds.iter().all(|kind| {
                let kind = RecordType(kind.code());
                links.iter().any(|interface| {
                    interface.read(|stack| {
                        !stack.mdns.find(name, kind, now).is_empty()
                            || stack.mdns.denies(name, kind, now)
                    })
                })
            })
    }

    /// The records of a name on some links, each once.
    fn on_link(
        &self,
        links: &[Arc<Interface>],
        name: &str,
        kind: RecordType,
    ) -> Vec<(ResourceRecord, SocketAddr)> {
        let now = self.sockets.clock.now();
        let mut all: Vec<(ResourceRecord, SocketAddr)> = Vec::new();
        for interface in links {
            for found in interface.read(|stack| stack.mdns.find(name, kind, now)) {
                if !all.iter().any(|(known, _)| known.data == found.0.data) {
                    all.push(found);
                }
            }
        }
        all.truncate(limits::DNS_RECORDS);
        all
    }
}

fn heard(server: SocketAddr, kind: QueryKind, records: Vec<ResourceRecord>) -> Heard {
    let response = Response {
        code: ResponseCode::NoError,
        flags: FLAGS,
        is_truncated: false,
        is_spelled_alike: true,
        payload: None,
        records,
        authority: Vec::new(),
        additional: Vec::new(),
    };
    Heard { server, identifier: 0, kind, bytes: 0, response }
}
