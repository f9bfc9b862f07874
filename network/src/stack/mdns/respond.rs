//! What is answered, when and to whom (RFC 6762 §5.4, §6, §7).

use alloc::vec::Vec;
use core::net::SocketAddr;
use core::time::Duration;

use super::claim::Claim;
use super::owned::{NSEC, Owned};
use super::{Running, send};
use crate::command::record::{RecordType, ResourceData, ResourceRecord};
use crate::dns_message::MULTICAST_PORT;
use crate::dns_message::multicast::{MulticastMessage, MulticastQuestion, MulticastRecord};
use crate::platform::Instant;
use crate::stack::context::Context;
use crate::stack::ip::Ip;

/// Records that others may have too are answered after a time by chance, so that answers meet
/// (RFC 6762 §6): 20 ms and up to 100 more.
const SHARED_DELAY: u32 = 20_000;
const SHARED_SPREAD: u32 = 100_000;
/// The same after a query whose known answers go on (§7.2): 400 ms and up to 100 more.
const TRUNCATED_DELAY: u32 = 400_000;
/// A record is sent to the group once in this time (§6).
const REST: Duration = Duration::from_secs(1);
/// The same for one that defends a name against a probe.
const DEFENSE_REST: Duration = Duration::from_millis(250);
/// The longest time to live in seconds for a host that asks as of any server (§6.7).
const LEGACY_TTL: u32 = 10;

/// Who asks.
#[derive(Clone, Copy, Debug)]
pub(super) struct Asker {
    pub(super) source: SocketAddr,
    /// The query came to the group.
    pub(super) is_to_group: bool,
    pub(super) is_on_link: bool,
}

impl Asker {
    /// Asks from another port: it knows nothing of multicast DNS.
    const fn is_legacy(self) -> bool {
        self.source.port() != MULTICAST_PORT
    }
}

impl Owned {
    /// What says that the record is no more, if anybody was told of it.
    pub(super) fn goodbye(&self) -> Option<MulticastRecord> {
        self.last?;
        let record = ResourceRecord { time_to_live: 0, ..self.record.record.clone() };
        Some(MulticastRecord { record, is_flush: false })
    }

    /// True when the group was told within a quarter of the time to live (§5.4).
    fn is_recent(&self, now: Instant) -> bool {
        let quarter = Duration::from_secs(u64::from(self.record.record.time_to_live / 4));
        self.last.is_some_and(|last| now.since(last) < quarter)
    }

    fn answers(&self, question: &MulticastQuestion) -> bool {
        let is_any = question.kind == RecordType::ANY && self.record_type() != NSEC;
        (is_any || question.kind == self.record_type()) && self.is_named(&question.name)
    }

    /// True when the asker knows the record for at least half of its time (§7.1).
    fn is_known(&self, answers: &[MulticastRecord]) -> bool {
        answers.iter().any(|known| {
            self.is_same(&known.record)
                && known.record.time_to_live >= self.record.record.time_to_live / 2
        })
    }
}

impl Running {
    /// Answers a query: at once to the host, or later to the group.
    pub(super) fn answer(
        &mut self,
        cx: &mut Context,
        ip: &mut Ip,
        message: &MulticastMessage,
        asker: Asker,
    ) {
        self.break_ties(cx, message);
        // The known answers of an earlier query may go on, and on (§7.2).
        let from = asker.source.ip();
        let goes_on = message.is_truncated && message.questions.is_empty();
        let further = Duration::from_micros(u64::from(TRUNCATED_DELAY));
        for owned in &mut self.owned {
            let Some(due) = owned.due.as_mut().filter(|due| due.only_for == Some(from)) else {
                continue;
            };
            if goes_on {
                due.at = due.at.max(cx.now.after(further));
            }
            if owned.is_known(&message.answers) {
                owned.due = None;
            }
        }
        let is_probe = !message.authority.is_empty();
        let delay = match message.is_truncated {
            true => Some(TRUNCATED_DELAY + cx.random.below(SHARED_SPREAD)),
            false => None,
        };
        let shared_delay = delay.unwrap_or_else(|| SHARED_DELAY + cx.random.below(SHARED_SPREAD));
        let mut direct: Vec<usize> = Vec::new();
        for question in &message.questions {
            for place in self.answers_to(question) {
                let Some(owned) = self.owned.get_mut(place) else { continue };
                if asker.is_legacy() {
                    direct.push(place);
                    continue;
                }
                if owned.is_known(&message.answers) {
                    continue;
                }
                // Whoever is not of the link gets no packet of its own.
                let wants_unicast = question.is_unicast || !asker.is_to_group;
                if wants_unicast && asker.is_on_link && owned.is_recent(cx.now) {
                    direct.push(place);
                    continue;
                }
                let wait = match (owned.record.is_flush, delay) {
                    (true, None) => 0,
                    _ => shared_delay,
                };
                let at = cx.now.after(Duration::from_micros(u64::from(wait)));
                let rest = if is_probe { DEFENSE_REST } else { REST };
                let earliest = owned.last.map_or(at, |last| last.after(rest));
                owned.schedule(at.max(earliest), Some(from));
            }
        }
        if !direct.is_empty() && asker.is_on_link {
            self.answer_directly(cx, ip, message, (direct, asker));
        }
    }

    /// The records that answer a question, or the one that says that there is none.
    fn answers_to(&self, question: &MulticastQuestion) -> Vec<usize> {
        let ours = self.owned.iter().enumerate().filter(|(_, owned)| self.is_answered(owned));
        let mut found: Vec<usize> = Vec::new();
        let mut denial = None;
        for (place, owned) in ours {
            if owned.answers(question) {
                found.push(place);
            } else if owned.record_type() == NSEC && owned.is_named(&question.name) {
                denial = Some(place);
            }
        }
        if found.is_empty() {
            found.extend(denial);
        }
        found
    }

    fn answer_directly(
        &self,
        cx: &mut Context,
        ip: &mut Ip,
        query: &MulticastMessage,
        (mut places, asker): (Vec<usize>, Asker),
    ) {
        places.sort_unstable();
        places.dedup();
        let is_legacy = asker.is_legacy();
        let record = |place: usize| {
            let mut record = self.owned.get(place)?.record.clone();
            if is_legacy {
                record.is_flush = false;
                record.record.time_to_live = record.record.time_to_live.min(LEGACY_TTL);
            }
            Some(record)
        };
        let more = self.additional(&places);
        let mut message = MulticastMessage {
            is_response: true,
            answers: places.into_iter().filter_map(record).collect(),
            additional: more.into_iter().filter_map(record).collect(),
            ..MulticastMessage::default()
        };
        if is_legacy {
            message.identifier = query.identifier;
            message.questions.clone_from(&query.questions);
            message.questions.iter_mut().for_each(|question| question.is_unicast = false);
        }
        send::to_host(cx, ip, message, asker.source);
    }

    /// What whoever gets these answers asks next (RFC 6763 §12, RFC 6762 §6.2).
    fn additional(&self, answers: &[usize]) -> Vec<usize> {
        let mut more: Vec<usize> = Vec::new();
        let (mut wants_host, mut services) = (false, Vec::new());
        for owned in answers.iter().filter_map(|place| self.owned.get(*place)) {
            match (&owned.record.record.data, owned.record_type()) {
                (ResourceData::Name(target), RecordType::PTR) if owned.claim > 0 => {
                    services.push(target.as_str());
                }
                (_, RecordType::A | RecordType::AAAA | RecordType::SRV) => wants_host = true,
                _ => {}
            }
        }
        for (place, owned) in self.owned.iter().enumerate() {
            let is_of_service = matches!(owned.record_type(), RecordType::SRV | RecordType::TXT)
                && services.iter().any(|name| owned.is_named(name));
            wants_host |= is_of_service;
            if is_of_service {
                more.push(place);
            }
        }
        let host = self.owned.iter().enumerate().filter(|(_, owned)| owned.claim == 0);
        let host = host.filter(|(_, owned)| owned.record_type() != RecordType::PTR);
        more.extend(host.filter(|_| wants_host).map(|(place, _)| place));
        more.retain(|place| {
            !answers.contains(place)
                && self.owned.get(*place).is_some_and(|owned| self.is_answered(owned))
        });
        more
    }

    /// Another host has answered: what it said need not be said again (RFC 6762 §7.4).
    pub(super) fn suppress(&mut self, message: &MulticastMessage) {
        for owned in self.owned.iter_mut().filter(|owned| owned.due.is_some()) {
            let is_said = |known: &MulticastRecord| {
                owned.is_same(&known.record)
                    && known.record.time_to_live >= owned.record.record.time_to_live
            };
            if message.answers.iter().any(is_said) {
                owned.due = None;
            }
        }
    }

    /// Sends the records that are due to the group.
    pub(super) fn respond(&mut self, cx: &mut Context, ip: &mut Ip) {
        let now = cx.now;
        let mut places: Vec<usize> = Vec::new();
        for (place, owned) in self.owned.iter_mut().enumerate() {
            if owned.due.is_some_and(|due| due.at <= now) {
                owned.due = None;
                if self.claims.get(owned.claim).is_some_and(Claim::is_ours) {
                    places.push(place);
                }
            }
        }
        if places.is_empty() {
            return;
        }
        let more = self.additional(&places);
        let record = |place: &usize| self.owned.get(*place).map(|owned| owned.record.clone());
        let message = MulticastMessage {
            is_response: true,
            answers: places.iter().filter_map(record).collect(),
            additional: more.iter().filter_map(record).collect(),
            ..MulticastMessage::default()
        };
        send::to_group(cx, ip, &message);
        for place in places {
            if let Some(owned) = self.owned.get_mut(place) {
                owned.last = Some(now);
            }
        }
    }
}
