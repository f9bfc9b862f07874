//! Multicast DNS of one interface (RFC 6762): questions to the link, and the answers of this host
//! with its services (RFC 6763).
//!
//! The stack calls it with messages to port 5353, with its deadline, and whenever addresses or the
//! link may have changed. It sends by itself. The resolver asks through it: port and cache are
//! shared with the responder, as RFC 6762 §15.1 asks.
//!
//! It is off unless a command says otherwise: names that are looked up, the name of the host and
//! its services are told to everybody on the link.
//!
//! | file | owns |
//! |---|---|
//! | this one | what the stack and the resolver call |
//! | `claim` | names, from the probe to the announcement |
//! | `conflict` | other hosts that claim our names |
//! | `found` | services by the records that are known of them |
//! | `owned` | the records of this host |
//! | `query` | questions, and what was heard |
//! | `respond` | what is answered, when and to whom |
//! | `running` | claims and records while the link and addresses come and go; deadlines |
//! | `send` | packets |
//! | `settings` | what commands may ask for |
//! | `watched` | services that open files watch |

pub(crate) mod claim;
mod conflict;
pub(crate) mod found;
mod owned;
mod query;
mod respond;
mod running;
mod send;
mod settings;
mod watched;

use alloc::boxed::Box;
use alloc::collections::BTreeSet;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::net::{IpAddr, SocketAddr};
use core::task::Waker;

use devnet_virtual_file_system::{Error, WakerList};

use self::claim::Claim;
use self::owned::{NSEC, Owned};
pub(crate) use self::owned::{SUBTYPE, TYPES};
use self::query::Queries;
use self::watched::Watched;
use super::context::Context;
use super::ip::Ip;
use super::ip::ingress::{Delivery, Packet};
use super::routes::Route;
use super::token_bucket::TokenBucket;
use super::wire::udp::UDP_HEADER;
use crate::command::mdns::{
    ClaimState, LocalService, MulticastDnsMode, MulticastDnsOption, MulticastDnsStatus,
    PublishedService, ServiceChange,
};
use crate::command::record::{RecordType, ResourceRecord};
use crate::configuration::DesiredMulticastDns;
use crate::dns_message::MULTICAST_PORT;
use crate::dns_message::multicast::{MulticastMessage, MulticastRecord};
use crate::limits;
use crate::platform::Instant;
use crate::trace::{dropped, event};

/// Multicast DNS of one interface.
#[derive(Debug, Default)]
pub(crate) struct MulticastDns {
    asked: DesiredMulticastDns,
    running: Option<Box<Running>>,
    /// The types of services that open files watch.
    watched: BTreeSet<String>,
}

/// What there is while it is on.
#[derive(Debug)]
struct Running {
    is_responder: bool,
    /// The host and then the services; none of a link on which names are only looked up.
    claims: Vec<Claim>,
    owned: Vec<Owned>,
    /// Records that were announced and are no more.
    goodbyes: Vec<MulticastRecord>,
    queries: Queries,
    watched: Watched,
    /// Queries that may still be answered.
    allowance: TokenBucket,
    /// What the claims were last adapted to: whether there is a link, and the addresses.
    seen: Option<u32>,
    /// The deadline of the entry in the timer heap.
    armed: Option<Instant>,
}

impl MulticastDns {
    /// Sets something; true if that changed something.
    ///
    /// # Errors
    /// `Unsupported` on an interface that reaches this system only, `InvalidInput` for a name that
    /// no host has, `NoBufferSpace` when the interface is in too many groups.
    pub(crate) fn set(
        &mut self,
        cx: &mut Context,
        ip: &mut Ip,
        option: &MulticastDnsOption,
    ) -> Result<bool, Error> {
        let mut asked = self.asked.clone();
        settings::set(&mut asked, cx, option)?;
        self.carry_out(cx, ip, asked)
    }

    /// Publishes or withdraws a service; true if that changed something.
    ///
    /// # Errors
    /// `InvalidInput` for a name, type or text that no service has, `NotFound` for one that is not
    /// published, `NoBufferSpace` for too many, `Unsupported` on an interface that reaches this
    /// system only.
    pub(crate) fn change_services(
        &mut self,
        cx: &mut Context,
        ip: &mut Ip,
        change: &ServiceChange,
    ) -> Result<bool, Error> {
        let mut asked = self.asked.clone();
        settings::change_services(&mut asked, cx, change)?;
        self.carry_out(cx, ip, asked)
    }

    /// Whether this can be asked for; with what cannot, its place among the services.
    ///
    /// # Errors
    /// As [`set`](Self::set) and [`change_services`](Self::change_services).
    pub(crate) fn check_service(
        cx: &Context,
        asked: &mut DesiredMulticastDns,
        service: &LocalService,
    ) -> Result<(), Error> {
        settings::publish(asked, cx, service)
    }

    /// Whether a setting can be asked for.
    ///
    /// # Errors
    /// As [`set`](Self::set).
    pub(crate) fn check_option(
        cx: &Context,
        asked: &mut DesiredMulticastDns,
        option: &MulticastDnsOption,
    ) -> Result<(), Error> {
        settings::set(asked, cx, option)
    }

    /// What commands ask for.
    pub(crate) fn asked(&self) -> DesiredMulticastDns {
        self.asked.clone()
    }

    /// Makes it what is asked for; true if that changed something. What stays is not claimed again.
    ///
    /// # Errors
    /// `NoBufferSpace` when the interface is in too many groups.
    pub(crate) fn carry_out(
        &mut self,
        cx: &mut Context,
        ip: &mut Ip,
        asked: DesiredMulticastDns,
    ) -> Result<bool, Error> {
        if self.asked == asked {
            return Ok(false);
        }
        let was_on = self.asked.mode != MulticastDnsMode::Off;
        let is_on = asked.mode != MulticastDnsMode::Off;
        if is_on && !was_on {
            join(cx, ip)?;
            self.running = Some(Box::new(Running::new(cx.now)));
        }
        if asked.mode != self.asked.mode {
            event!(cx, info, "devnet::dns", "multicast DNS is {}", asked.mode);
        }
        self.asked = asked;
        if let Some(running) = &mut self.running {
            running.adopt(cx, &self.asked);
            running.rebuild(ip);
            running.start(cx, ip);
            running.watch(&self.watched, cx.now);
            running.serve(cx, ip);
        }
        if was_on && !is_on {
            if let Some(mut running) = self.running.take() {
                running.lose_all(cx);
                running.queries.end(&mut cx.wakes);
            }
            send::GROUPS.into_iter().for_each(|group| ip.leave_group(cx, group));
        }
        Ok(true)
    }

    /// How it stands.
    pub(crate) fn status(&self, interface: &str) -> MulticastDnsStatus {
        let claims = self.running.as_ref().map_or(&[][..], |running| running.claims.as_slice());
        let host = claims.first();
        let find = |service: &LocalService| {
            claims.iter().find(|claim| claim.service.as_ref() == Some(service))
        };
        let state = |claim: Option<&Claim>| claim.map_or(ClaimState::Waiting, Claim::state);
        let services = self.asked.services.iter().map(|service| PublishedService {
            name: find(service).map_or_else(|| service.instance.clone(), Claim::shown),
            state: state(find(service)),
            service: service.clone(),
        });
        let name = || settings::host_label(&self.asked.host_name).to_string();
        MulticastDnsStatus {
            interface: String::from(interface),
            mode: self.asked.mode,
            host_name: self.asked.host_name.clone(),
            name: host.map_or_else(name, Claim::shown),
            state: state(host),
            services: services.collect(),
        }
    }

    /// True when names are looked up on the link.
    pub(crate) fn resolves(&self, cx: &Context) -> bool {
        self.running.is_some() && cx.is_running()
    }

    /// True when a datagram to this port is for it.
    pub(crate) fn wants(&self, destination: u16) -> bool {
        self.running.is_some() && destination == MULTICAST_PORT
    }

    /// Begins to ask; returns the number of the question.
    ///
    /// # Errors
    /// `NetworkUnreachable` while it is off, `NoBufferSpace` for too many questions.
    pub(crate) fn ask(
        &mut self,
        cx: &mut Context,
        ip: &mut Ip,
        name: &str,
        kind: RecordType,
    ) -> Result<u64, Error> {
        let running = self.running.as_mut().ok_or(Error::NetworkUnreachable)?;
        let number = running.queries.ask(name, kind, cx.now)?;
        running.serve(cx, ip);
        Ok(number)
    }

    /// Wakes this task when something may answer the question; false if the question is gone.
    pub(crate) fn register(&mut self, number: u64, waker: &Waker) -> bool {
        self.running.as_mut().is_some_and(|running| running.queries.register(number, waker))
    }

    /// Ends a question; drop what it returns outside of any lock.
    pub(crate) fn forget(&mut self, number: u64) -> Option<WakerList> {
        self.running.as_mut()?.queries.forget(number)
    }

    /// The records of a name that are known, ours too, each with who told it.
    pub(crate) fn find(
        &self,
        name: &str,
        kind: RecordType,
        now: Instant,
    ) -> Vec<(ResourceRecord, SocketAddr)> {
        let Some(running) = &self.running else { return Vec::new() };
        let own = running.owned.iter().filter(|owned| {
            let is_kind = kind == owned.record_type() || kind == RecordType::ANY;
            is_kind && owned.is_named(name) && running.is_answered(owned)
        });
        let [group, _] = send::GROUPS;
        let ourselves = SocketAddr::new(group, MULTICAST_PORT);
        let own = own.map(|owned| (owned.record.record.clone(), ourselves));
        own.chain(running.queries.find(name, kind, now)).collect()
    }

    /// True when the owner of the name said that it has no such record.
    pub(crate) fn denies(&self, name: &str, kind: RecordType, now: Instant) -> bool {
        let Some(running) = &self.running else { return false };
        let mut own = running.owned.iter().filter(|owned| owned.is_named(name));
        own.any(|owned| owned.record_type() == NSEC && running.is_answered(owned))
            || running.queries.denies(name, kind, now)
    }

    /// Processes a verified datagram for port 5353.
    pub(crate) fn receive(&mut self, cx: &mut Context, ip: &mut Ip, packet: &Packet) {
        let Some(running) = &mut self.running else { return };
        let (head, bytes) = packet.payload().split_at_checked(UDP_HEADER).unwrap_or_default();
        let [high, low, ..] = *head else { return };
        let source = SocketAddr::new(packet.header.source, u16::from_be_bytes([high, low]));
        let is_own = source.port() == MULTICAST_PORT && ip.is_own(source.ip());
        if is_own || packet.is_foreign(cx, ip) {
            return;
        }
        let is_to_group = packet.delivery == Delivery::Multicast;
        // Packets to the group never cross a router; others may (RFC 6762 §11).
        let is_on_link = is_on_link(ip, source.ip());
        if !is_to_group && !is_on_link {
            dropped!(cx, NotForUs, "devnet::dns", "multicast DNS of {}, not of the link", source);
            return;
        }
        let Some(message) = MulticastMessage::parse(bytes) else {
            dropped!(cx, Malformed, "devnet::dns", "multicast DNS of {}", source);
            return;
        };
        if message.is_response {
            if source.port() != MULTICAST_PORT {
                dropped!(cx, NotForUs, "devnet::dns", "a response of {}", source);
                return;
            }
            running.check_claims(cx, ip, &message);
            running.suppress(&message);
            let spread = cx.random.below(query::SPREAD);
            running.queries.hear(&message, source, (cx.now, spread), &mut cx.wakes);
        } else {
            if is_to_group && is_on_link && source.port() == MULTICAST_PORT {
                running.queries.leave_out(&message, cx.now);
            }
            if running.is_responder
                && !running.allowance.take(limits::MDNS_ANSWERED_QUERIES, cx.now)
            {
                dropped!(cx, QueueFull, "devnet::dns", "a query of {}", source);
                return;
            }
            if running.is_responder {
                let asker = respond::Asker { source, is_to_group, is_on_link };
                running.answer(cx, ip, &message, asker);
            }
        }
        running.serve(cx, ip);
    }

    /// True when addresses or the link changed since it last looked.
    pub(crate) fn is_outdated(&self, cx: &Context, ip: &Ip) -> bool {
        self.running.as_ref().is_some_and(|running| running.seen != running::present(cx, ip))
    }

    /// Follows addresses and the link.
    pub(crate) fn follow(&mut self, cx: &mut Context, ip: &mut Ip) {
        if !self.is_outdated(cx, ip) {
            return;
        }
        if let Some(running) = &mut self.running {
            running.follow(cx, ip);
            running.serve(cx, ip);
        }
    }

    /// The link goes: says goodbye while it can.
    pub(crate) fn depart(&mut self, cx: &mut Context, ip: &mut Ip) {
        if let Some(running) = &mut self.running
            && cx.is_running()
        {
            running.withdraw_all();
            running.serve(cx, ip);
        }
    }

    /// Handles the deadline.
    pub(crate) fn expire(&mut self, cx: &mut Context, ip: &mut Ip, deadline: Instant) {
        if let Some(running) = &mut self.running
            && running.armed == Some(deadline)
        {
            running.armed = None;
            running.serve(cx, ip);
        }
    }
}

/// Joins the groups, or none of them.
fn join(cx: &mut Context, ip: &mut Ip) -> Result<(), Error> {
    let [ipv4, ipv6] = send::GROUPS;
    ip.join_group(cx, ipv4)?;
    ip.join_group(cx, ipv6).inspect_err(|_| ip.leave_group(cx, ipv4))
}

/// True for an address of the link.
fn is_on_link(ip: &Ip, source: IpAddr) -> bool {
    let is_link_local = match source {
        IpAddr::V4(address) => address.is_link_local(),
        IpAddr::V6(address) => address.is_unicast_link_local(),
    };
    is_link_local || ip.is_own(source) || ip.routes.find(source).is_some_and(Route::is_on_link)
}

#[cfg(test)]
mod tests;
