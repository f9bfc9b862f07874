//! What there is while multicast DNS is on: claims and records follow the link and its addresses,
//! and everything that is due is done at its time.

use alloc::vec::Vec;
use core::net::IpAddr;

use super::claim::{self, Claim, Phase, Step};
use super::owned::{self, NSEC, Owned};
use super::query::Queries;
use super::watched::Watched;
use super::{Running, send, settings};
use crate::command::mdns::MulticastDnsMode;
use crate::command::record::RecordType;
use crate::configuration::DesiredMulticastDns;
use crate::dns_message::multicast::{MulticastMessage, MulticastQuestion, MulticastRecord};
use crate::limits;
use crate::platform::Instant;
use crate::stack::context::Context;
use crate::stack::ip::Ip;
use crate::stack::timers::Timer;
use crate::stack::token_bucket::TokenBucket;
use crate::trace::event;

/// A number of the addresses while there is a link.
pub(super) fn present(cx: &Context, ip: &Ip) -> Option<u32> {
    cx.is_running().then(|| ip.addresses.revision())
}

impl Running {
    pub(super) fn new(now: Instant) -> Self {
        Self {
            is_responder: false,
            claims: Vec::new(),
            owned: Vec::new(),
            goodbyes: Vec::new(),
            queries: Queries::default(),
            watched: Watched::default(),
            allowance: TokenBucket::new(limits::MDNS_ANSWERED_QUERIES, now),
            seen: None,
            armed: None,
        }
    }

    /// Takes over what is asked for; claims that stay are not touched.
    pub(super) fn adopt(&mut self, cx: &mut Context, asked: &DesiredMulticastDns) {
        self.is_responder = asked.mode == MulticastDnsMode::On;
        let former = core::mem::take(&mut self.claims);
        if !self.is_responder {
            return;
        }
        let host = Claim::new(settings::host_label(&asked.host_name), None);
        let services = asked.services.iter();
        let services = services.map(|one| Claim::new(&one.instance, Some(one.clone())));
        let mut former = former.into_iter();
        // The host is the first of both.
        let known_host = former.next().filter(|known| known.is_of(&host));
        self.claims.push(known_host.unwrap_or(host));
        let mut known: Vec<Claim> = former.collect();
        for new in services {
            let Some(place) = known.iter().position(|claim| claim.is_of(&new)) else {
                self.claims.push(new);
                continue;
            };
            let mut claim = known.swap_remove(place);
            if claim.service != new.service {
                claim.service = new.service;
                if claim.is_ours() {
                    claim.announce(cx.now);
                }
            }
            self.claims.push(claim);
        }
    }

    /// Makes the records anew; those that stay keep their times, those that go are taken leave of.
    pub(super) fn rebuild(&mut self, ip: &Ip) {
        let usable = ip.addresses.iter().filter(|entry| entry.is_usable());
        let addresses: Vec<IpAddr> = usable.map(|entry| entry.prefix.address()).collect();
        let former = core::mem::replace(&mut self.owned, owned::build(&self.claims, &addresses));
        for known in former {
            let same = |new: &&mut Owned| new.record == known.record;
            match self.owned.iter_mut().find(same) {
                Some(new) => (new.last, new.due) = (known.last, known.due),
                None => self.goodbyes.extend(known.goodbye()),
            }
        }
    }

    /// Claims that wait are probed, if there is a link and an address.
    pub(super) fn start(&mut self, cx: &mut Context, ip: &Ip) {
        if !cx.is_running() || !send::can_send(ip) {
            return;
        }
        // At once, in the same messages.
        let first = claim::first_probe(cx.now, &mut cx.random);
        let waiting = self.claims.iter_mut().filter(|claim| claim.phase == Phase::Waiting);
        waiting.for_each(|claim| claim.probe(first));
    }

    pub(super) fn follow(&mut self, cx: &mut Context, ip: &mut Ip) {
        let was_there = self.seen.is_some();
        self.seen = present(cx, ip);
        if self.seen.is_none() || !was_there {
            // Who is on the link now has heard nothing yet, and what was heard is of another one.
            self.claims.iter_mut().for_each(|claim| claim.phase = Phase::Waiting);
            self.owned.iter_mut().for_each(|owned| (owned.last, owned.due) = (None, None));
            self.goodbyes.clear();
            self.queries.restart(cx.now);
        }
        let before: Vec<_> = self.owned.iter().map(|owned| owned.record.clone()).collect();
        self.rebuild(ip);
        let is_equal = before.iter().eq(self.owned.iter().map(|owned| &owned.record));
        if let Some(host) = self.claims.first_mut().filter(|host| host.is_ours() && !is_equal) {
            host.announce(cx.now);
        }
        self.start(cx, ip);
    }

    /// Every record is taken leave of, and everything is probed again when there is a link.
    pub(super) fn withdraw_all(&mut self) {
        let goodbyes = self.owned.iter().filter_map(Owned::goodbye);
        self.goodbyes.extend(goodbyes);
        for owned in &mut self.owned {
            (owned.last, owned.due) = (None, None);
        }
        self.claims.iter_mut().for_each(|claim| claim.phase = Phase::Waiting);
        self.queries.clear();
        self.seen = None;
    }

    /// True when questions for a record are answered.
    pub(super) fn is_answered(&self, owned: &Owned) -> bool {
        self.claims.get(owned.claim).is_some_and(Claim::is_ours)
    }

    /// Does everything that is due, and arms the timer for the next time.
    pub(super) fn serve(&mut self, cx: &mut Context, ip: &mut Ip) {
        self.queries.expire(cx.now);
        self.watched.touch();
        self.look(cx);
        if !cx.is_running() {
            // That the link is gone is told still.
            self.arm(cx, self.watched.deadline());
            return;
        }
        self.say_goodbye(cx, ip);
        self.advance(cx, ip);
        self.respond(cx, ip);
        if let Some(message) = self.queries.due(cx.now) {
            send::to_group(cx, ip, &message);
        }
        let claims = self.claims.iter().filter_map(Claim::deadline);
        let records = self.owned.iter().filter_map(|owned| owned.due.map(|due| due.at));
        let queries = self.queries.deadline(!self.watched.is_empty());
        let next = claims.chain(records).chain(queries).chain(self.watched.deadline()).min();
        self.arm(cx, next);
    }

    fn arm(&mut self, cx: &mut Context, next: Option<Instant>) {
        if let Some(next) = next {
            cx.timers.arm_earlier(&mut self.armed, next, Timer::MulticastDns);
        }
    }

    fn say_goodbye(&mut self, cx: &mut Context, ip: &mut Ip) {
        let answers = core::mem::take(&mut self.goodbyes);
        if !answers.is_empty() {
            let message = MulticastMessage { is_response: true, answers, ..Default::default() };
            send::to_group(cx, ip, &message);
        }
    }

    /// Takes every claim a step further.
    fn advance(&mut self, cx: &mut Context, ip: &mut Ip) {
        let mut probe = MulticastMessage::default();
        let mut is_new_host = false;
        for place in 0..self.claims.len() {
            let Some(claim) = self.claims.get_mut(place) else { break };
            let step = claim.step(cx.now);
            match step {
                Step::Nothing => {}
                Step::Probe => {
                    let (name, kind) = (claim.name(), RecordType::ANY);
                    probe.questions.push(MulticastQuestion { name, kind, is_unicast: true });
                    let claimed = self.owned.iter().filter(|owned| owned.claim == place);
                    let claimed = claimed.filter(|owned| owned.is_claimed());
                    probe.authority.extend(claimed.map(|owned| MulticastRecord {
                        record: owned.record.record.clone(),
                        is_flush: false,
                    }));
                }
                Step::Claim | Step::Announce => {
                    if step == Step::Claim {
                        event!(cx, info, "devnet::dns", "the name {} is ours", claim.name());
                        is_new_host |= place == 0;
                    }
                    let announced = self.owned.iter_mut().filter(|owned| owned.claim == place);
                    for owned in announced.filter(|owned| owned.record_type() != NSEC) {
                        owned.schedule(cx.now, None);
                    }
                }
            }
        }
        if is_new_host {
            // Services name the host.
            for owned in self.owned.iter_mut().filter(|one| one.record_type() == RecordType::SRV) {
                if self.claims.get(owned.claim).is_some_and(Claim::is_ours) {
                    owned.schedule(cx.now, None);
                }
            }
        }
        if !probe.questions.is_empty() {
            send::to_group(cx, ip, &probe);
        }
    }
}
