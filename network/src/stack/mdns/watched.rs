//! Services that open files watch: they come, change and go, and files are told.
//!
//! As long as somebody watches a type, it is asked for, and so is what its services lack; what is
//! known is asked for again before it ends (RFC 6762 §5.2).

use alloc::boxed::Box;
use alloc::collections::{BTreeMap, BTreeSet};
use alloc::string::String;
use alloc::vec::Vec;
use core::time::Duration;

use super::found::{Question, name_of_type};
use super::{MulticastDns, Running};
use crate::command::event::{Change, Event};
use crate::command::mdns::FoundService;
use crate::command::record::RecordType;
use crate::limits;
use crate::platform::Instant;
use crate::stack::context::Context;
use crate::stack::ip::Ip;

/// The time between two looks at what is known: whoever sends much costs no more than that, and
/// what comes in several messages is told as one change.
const REST: Duration = Duration::from_millis(200);
/// When a question that found no place is tried again.
const RETRY: Duration = Duration::from_secs(1);
/// Questions about what the services lack.
const QUESTIONS: usize = limits::MDNS_QUERIES / 4;

/// The types that are watched on one link, and what was told of them.
#[derive(Debug, Default)]
pub(super) struct Watched {
    /// Each with the number of its question, once it is asked.
    types: Vec<(String, Option<u64>)>,
    told: Vec<FoundService>,
    /// What the services lack, with the numbers of the questions.
    asked: BTreeMap<Question, u64>,
    /// Something may have changed since the last look.
    is_due: bool,
    next: Instant,
}

impl Watched {
    pub(super) fn is_empty(&self) -> bool {
        self.types.is_empty()
    }

    /// Something happened that may change what is known.
    pub(super) fn touch(&mut self) {
        self.is_due |= !self.is_empty();
    }

    pub(super) fn deadline(&self) -> Option<Instant> {
        self.is_due.then_some(self.next)
    }
}

impl MulticastDns {
    /// Makes these the types that are watched. What is known of a new one is told at once.
    pub(crate) fn watch(&mut self, cx: &mut Context, ip: &mut Ip, types: BTreeSet<String>) {
        if self.watched == types {
            return;
        }
        self.watched = types;
        if let Some(running) = &mut self.running {
            running.watch(&self.watched, cx.now);
            running.serve(cx, ip);
        }
    }

    /// True when a further type may be watched, or it is watched already.
    pub(crate) fn can_watch(&self, service_type: &str) -> bool {
        self.watched.len() < limits::MDNS_WATCHED_TYPES || self.watched.contains(service_type)
    }

    /// The services of watched types, as they were told.
    pub(crate) fn told(&self) -> &[FoundService] {
        self.running.as_ref().map_or(&[], |running| &running.watched.told)
    }
}

impl Running {
    /// Adapts the types that are asked for.
    pub(super) fn watch(&mut self, types: &BTreeSet<String>, now: Instant) {
        let former = core::mem::take(&mut self.watched.types);
        for (service_type, question) in former {
            if types.contains(&service_type) {
                self.watched.types.push((service_type, question));
            } else if let Some(number) = question {
                // Nobody waits for it.
                drop(self.queries.forget(number));
            }
        }
        for service_type in types {
            let mut known = self.watched.types.iter();
            if !known.any(|(known, _)| known == service_type) {
                self.watched.types.push((service_type.clone(), None));
            }
        }
        (self.watched.is_due, self.watched.next) = (true, now);
    }

    /// Tells what came, changed and went since the last look, and asks for what is missing.
    pub(super) fn look(&mut self, cx: &mut Context) {
        let now = cx.now;
        if !self.watched.is_due || now < self.watched.next {
            return;
        }
        (self.watched.is_due, self.watched.next) = (false, now.after(REST));
        for (service_type, question) in &mut self.watched.types {
            if question.is_none() {
                let name = name_of_type(service_type);
                *question = self.queries.ask(&name, RecordType::PTR, now).ok();
                if question.is_none() {
                    (self.watched.is_due, self.watched.next) = (true, now.after(RETRY));
                }
            }
        }
        let known = self.known(now);
        let (mut found, mut missing, mut names) = (Vec::new(), BTreeSet::new(), BTreeSet::new());
        for (service_type, _) in &self.watched.types {
            found.extend(known.services(service_type, &cx.configuration.name));
            missing.extend(known.missing(service_type));
            names.extend(known.names(service_type));
        }
        found.truncate(limits::MDNS_FOUND);
        self.queries.refresh(names);
        self.tell(cx, found);
        self.ask_further(&missing, now);
    }

    /// Records the differences to what was told.
    fn tell(&mut self, cx: &mut Context, found: Vec<FoundService>) {
        let former = core::mem::replace(&mut self.watched.told, found);
        let key = |one: &FoundService| (one.service_type.clone(), one.instance.clone());
        let mut former: BTreeMap<_, _> = former.into_iter().map(|one| (key(&one), one)).collect();
        let mut events = Vec::new();
        for service in &self.watched.told {
            let change = match former.remove(&key(service)) {
                Some(known) if known == *service => continue,
                Some(_) => Change::Changed,
                None => Change::Added,
            };
            events.push(Event::Service(change, Box::new(service.clone())));
        }
        // One whose type nobody watches any more is not lost.
        let is_watched = |one: &FoundService| {
            self.watched.types.iter().any(|(known, _)| *known == one.service_type)
        };
        let lost = former.into_values().filter(is_watched);
        events.extend(lost.map(|one| Event::Service(Change::Removed, Box::new(one))));
        cx.watch.note_watched(events, 0);
    }

    /// Asks for what is missing, and no longer for what is not.
    fn ask_further(&mut self, missing: &BTreeSet<Question>, now: Instant) {
        let queries = &mut self.queries;
        let asked = &mut self.watched.asked;
        asked.retain(|question, number| {
            let is_missing = missing.contains(question);
            if !is_missing {
                drop(queries.forget(*number));
            }
            is_missing
        });
        for question in missing {
            if asked.len() >= QUESTIONS {
                break;
            }
            if asked.contains_key(question) {
                continue;
            }
            let (name, kind) = question;
            if let Ok(number) = queries.ask(name, RecordType(*kind), now) {
                asked.insert(question.clone(), number);
            }
        }
    }

    /// Everything is lost: names are looked up no longer.
    pub(super) fn lose_all(&mut self, cx: &mut Context) {
        self.tell(cx, Vec::new());
    }
}
