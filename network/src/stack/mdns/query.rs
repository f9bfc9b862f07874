//! Questions to the link, and what was heard (RFC 6762 §5, §10).
//!
//! Only what somebody asked for is kept, and what came in the same messages: the rest of the link
//! cannot fill the memory.

use alloc::collections::BTreeSet;
use alloc::string::String;
use alloc::vec::Vec;
use core::net::SocketAddr;
use core::time::Duration;

use devnet_virtual_file_system::{Error, WakerList};

use super::owned::{NSEC, is_same_data};
use crate::command::record::{RecordType, ResourceData, ResourceRecord};
use crate::dns_message::multicast::{
    MulticastMessage, MulticastQuestion, MulticastRecord, data_bytes, lists_type,
};
use crate::limits;
use crate::platform::Instant;
use crate::stack::context::Wakes;

/// The time between the first two questions; it doubles (RFC 6762 §5.2).
const FIRST_INTERVAL: Duration = Duration::from_secs(1);
/// The longest time between two, and doublings that exceed it.
const LONGEST_INTERVAL: Duration = Duration::from_secs(3600);
const DOUBLINGS: u32 = 12;
/// A record that somebody is interested in is asked for again at 80, 85, 90 and 95 % of its time
/// to live, and up to 2 % later by chance (RFC 6762 §5.2). In parts of `WHOLE`.
const REFRESH: u32 = 80_000;
const REFRESH_STEP: u32 = 5_000;
const REFRESHES: u32 = 4;
pub(super) const SPREAD: u32 = 2_000;
const WHOLE: u32 = 100_000;
/// The time between two messages that ask so, whatever times to live others tell.
const REFRESH_REST: Duration = Duration::from_secs(1);
/// Bytes of questions in one message: they fit into every packet.
const QUESTION_BYTES: usize = 1000;
/// Bytes of a question beside its name, as they are counted.
const QUESTION_REST: usize = 6;
/// How long a record stays that is gone or outdated (RFC 6762 §10.1, §10.2).
const GRACE: Duration = Duration::from_secs(1);
/// Known answers of another host's query that are compared with what was heard.
const COMPARED_ANSWERS: usize = 32;
/// Bytes of a record beside its data, as they are counted.
const RECORD_BYTES: usize = 128;

/// A question that is asked until it is forgotten.
#[derive(Debug)]
struct Query {
    number: u64,
    name: String,
    kind: RecordType,
    waiters: WakerList,
    sent: u32,
    next: Instant,
    /// Another host asked in its place the last time.
    is_left_out: bool,
}

impl Query {
    /// It was asked: the next time is twice as far.
    fn sent(&mut self, now: Instant) {
        let interval = FIRST_INTERVAL * (1 << self.sent.min(DOUBLINGS));
        self.next = now.after(interval.min(LONGEST_INTERVAL));
        self.sent = self.sent.saturating_add(1);
    }
}

/// A record that was heard.
#[derive(Debug)]
struct Heard {
    record: ResourceRecord,
    source: SocketAddr,
    stored: Instant,
    until: Instant,
    /// How often it was asked for again, and when within its time it is next.
    refreshed: u32,
    spread: u32,
    bytes: usize,
}

impl Heard {
    fn is(&self, name: &str, kind: RecordType) -> bool {
        (self.record.record_type == kind || kind == RecordType::ANY)
            && self.record.name.eq_ignore_ascii_case(name)
    }

    fn is_same(&self, record: &ResourceRecord) -> bool {
        self.is(&record.name, record.record_type) && is_same_data(&self.record.data, &record.data)
    }

    /// True within the first half of its time: it is told as a known answer (RFC 6762 §7.1).
    fn is_fresh(&self, now: Instant) -> bool {
        self.at(now).time_to_live > self.record.time_to_live / 2
    }

    /// When it is to be asked for again.
    fn refresh_at(&self) -> Option<Instant> {
        let parts = REFRESH + REFRESH_STEP * self.refreshed + self.spread;
        let seconds = self.record.time_to_live.min(limits::DNS_CACHE_SECONDS);
        let lifetime = Duration::from_secs(u64::from(seconds));
        (self.refreshed < REFRESHES).then(|| self.stored.after(lifetime * parts / WHOLE))
    }

    /// The record with the seconds that are left.
    fn at(&self, now: Instant) -> ResourceRecord {
        let left = u32::try_from(self.until.since(now).as_secs()).unwrap_or(u32::MAX);
        ResourceRecord { time_to_live: left, ..self.record.clone() }
    }
}

/// Questions and what was heard.
#[derive(Debug, Default)]
pub(super) struct Queries {
    queries: Vec<Query>,
    heard: Vec<Heard>,
    bytes: usize,
    last_number: u64,
    /// Names, in lower case, whose records are asked for again before they end, beside those that
    /// are asked for.
    refreshed: BTreeSet<String>,
    /// When the next message may ask so.
    next_refresh: Instant,
}

impl Queries {
    /// Begins to ask; returns the number of the question.
    ///
    /// # Errors
    /// `NoBufferSpace` for too many questions.
    pub(super) fn ask(&mut self, name: &str, kind: RecordType, now: Instant) -> Result<u64, Error> {
        if self.queries.len() >= limits::MDNS_QUERIES {
            return Err(Error::NoBufferSpace);
        }
        self.last_number += 1;
        let (number, waiters) = (self.last_number, WakerList::new());
        let name = String::from(name);
        let (sent, next, is_left_out) = (0, now, false);
        self.queries.push(Query { number, name, kind, waiters, sent, next, is_left_out });
        Ok(number)
    }

    /// Wakes this task when something is heard that may answer the question; false if the question
    /// is gone.
    pub(super) fn register(&mut self, number: u64, waker: &core::task::Waker) -> bool {
        let query = self.queries.iter_mut().find(|query| query.number == number);
        query.map(|query| query.waiters.register(waker)).is_some()
    }

    /// Ends a question; drop what it returns outside of any lock.
    pub(super) fn forget(&mut self, number: u64) -> Option<WakerList> {
        let place = self.queries.iter().position(|query| query.number == number)?;
        Some(self.queries.swap_remove(place).waiters)
    }

    /// The link is another one, or goes: nothing that was heard counts.
    pub(super) fn clear(&mut self) {
        self.heard.clear();
        self.bytes = 0;
    }

    /// The link is another one: questions begin again, too.
    pub(super) fn restart(&mut self, now: Instant) {
        self.clear();
        for query in &mut self.queries {
            (query.sent, query.next) = (0, now);
        }
    }

    /// The records of a name, each with who told it.
    pub(super) fn find(
        &self,
        name: &str,
        kind: RecordType,
        now: Instant,
    ) -> impl Iterator<Item = (ResourceRecord, SocketAddr)> {
        let fitting = self.heard.iter().filter(move |heard| heard.until > now);
        fitting
            .filter(move |heard| heard.is(name, kind))
            .map(move |heard| (heard.at(now), heard.source))
    }

    /// True when the owner of the name said that it has no such record.
    pub(super) fn denies(&self, name: &str, kind: RecordType, now: Instant) -> bool {
        let mut lists = self.heard.iter().filter(|heard| heard.until > now && heard.is(name, NSEC));
        lists.any(|heard| match &heard.record.data {
            ResourceData::Raw(data) => lists_type(data, kind) == Some(false),
            _ => false,
        })
    }

    /// All records that were heard.
    pub(super) fn records(&self, now: Instant) -> impl Iterator<Item = &ResourceRecord> {
        self.heard.iter().filter(move |heard| heard.until > now).map(|heard| &heard.record)
    }

    /// Makes these the names whose records are asked for again before they end.
    pub(super) fn refresh(&mut self, names: BTreeSet<String>) {
        self.refreshed = names;
    }

    /// Forgets what has ended.
    pub(super) fn expire(&mut self, now: Instant) {
        if self.heard.iter().any(|heard| heard.until <= now) {
            self.retain(|heard| heard.until > now);
        }
    }

    /// When the next question is due, or for whoever watches a record ends.
    pub(super) fn deadline(&self, is_watched: bool) -> Option<Instant> {
        let questions = self.queries.iter().map(|query| query.next);
        // Without a question there is no interest in any record.
        let heard = self.heard.iter().filter(|_| !self.queries.is_empty());
        let refreshes = heard.filter_map(Heard::refresh_at).map(|at| at.max(self.next_refresh));
        let ends = self.heard.iter().filter(|_| is_watched).map(|heard| heard.until);
        questions.chain(refreshes).chain(ends).min()
    }

    /// The questions that are due, with the answers that are known to more than half of their time
    /// (RFC 6762 §7.1). A response to the first may come by unicast (§5.4). What finds no room is
    /// due still.
    pub(super) fn due(&mut self, now: Instant) -> Option<MulticastMessage> {
        let mut message = MulticastMessage::default();
        let mut room = QUESTION_BYTES;
        for query in self.queries.iter_mut().filter(|query| query.next <= now) {
            let question = MulticastQuestion {
                name: query.name.clone(),
                kind: query.kind,
                is_unicast: query.sent == 0,
            };
            if !add(&mut message, question, &mut room) {
                break;
            }
            query.sent(now);
            query.is_left_out = false;
        }
        self.ask_again(&mut message, &mut room, now);
        for question in &message.questions {
            for heard in self.heard.iter().filter(|heard| heard.is(&question.name, question.kind)) {
                if heard.is_fresh(now) {
                    let record = heard.at(now);
                    message.answers.push(MulticastRecord { record, is_flush: false });
                }
            }
        }
        (!message.questions.is_empty()).then_some(message)
    }

    /// Another host asks the group: a question that is due soon need not be asked by us, unless
    /// that host knows answers that we do not (RFC 6762 §7.3). So that nobody keeps us from asking,
    /// no question is left out twice in succession.
    pub(super) fn leave_out(&mut self, message: &MulticastMessage, now: Instant) {
        let is_whole = !message.is_truncated && message.answers.len() <= COMPARED_ANSWERS;
        if !is_whole || !message.authority.is_empty() {
            return;
        }
        let (heard, soon) = (&self.heard, now.after(FIRST_INTERVAL));
        let is_known = |known: &MulticastRecord| {
            heard.iter().any(|heard| heard.is_same(&known.record) && heard.is_fresh(now))
        };
        for query in &mut self.queries {
            let is_asked = |question: &MulticastQuestion| {
                !question.is_unicast
                    && question.kind == query.kind
                    && question.name.eq_ignore_ascii_case(&query.name)
            };
            let is_planned = query.sent > 0 && query.next <= soon && !query.is_left_out;
            if is_planned && message.questions.iter().any(is_asked) {
                let mut answers = message.answers.iter();
                if answers.all(|known| !is_of(query, &known.record) || is_known(known)) {
                    query.sent(now);
                    query.is_left_out = true;
                }
            }
        }
    }

    /// Asks for records that end soon, if somebody is interested in them.
    fn ask_again(&mut self, message: &mut MulticastMessage, room: &mut usize, now: Instant) {
        if now < self.next_refresh {
            return;
        }
        for heard in &mut self.heard {
            if heard.refresh_at().is_none_or(|at| at > now) {
                continue;
            }
            while heard.refresh_at().is_some_and(|at| at <= now) {
                heard.refreshed += 1;
            }
            let (name, kind) = (&heard.record.name, heard.record.record_type);
            let is_asked = self.queries.iter().any(|query| heard.is(&query.name, query.kind));
            if is_asked || self.refreshed.contains(&name.to_ascii_lowercase()) {
                let question = MulticastQuestion { name: name.clone(), kind, is_unicast: false };
                // One without room is asked for at its next time.
                add(message, question, room);
                self.next_refresh = now.after(REFRESH_REST);
            }
        }
    }

    /// Takes a response of the link.
    pub(super) fn hear(
        &mut self,
        message: &MulticastMessage,
        source: SocketAddr,
        (now, spread): (Instant, u32),
        wakes: &mut Wakes,
    ) {
        self.retain(|heard| heard.until > now);
        let is_asked = |record: &ResourceRecord| {
            let mut queries = self.queries.iter();
            queries.any(|query| is_of(query, record))
                || self.heard.iter().any(|heard| heard.is(&record.name, record.record_type))
        };
        let mut answers = message.answers.iter().take(limits::MDNS_RECORDS);
        if !answers.any(|known| is_asked(&known.record)) {
            return;
        }
        let all = message.answers.iter().chain(&message.additional).take(limits::MDNS_RECORDS);
        for MulticastRecord { record, is_flush } in all {
            if *is_flush {
                for heard in &mut self.heard {
                    let is_old = now.since(heard.stored) > GRACE;
                    if is_old && heard.is(&record.name, record.record_type) {
                        heard.until = heard.until.min(now.after(GRACE));
                    }
                }
            }
            self.keep(record, source, (now, spread));
            for query in self.queries.iter_mut().filter(|query| is_of(query, record)) {
                wakes.add(&mut query.waiters);
            }
        }
    }

    fn keep(&mut self, record: &ResourceRecord, source: SocketAddr, (now, spread): (Instant, u32)) {
        let is_same = |heard: &Heard| heard.is_same(record);
        let seconds = record.time_to_live.min(limits::DNS_CACHE_SECONDS);
        // Zero says goodbye.
        if seconds == 0 {
            for heard in self.heard.iter_mut().filter(|heard| is_same(heard)) {
                heard.until = heard.until.min(now.after(GRACE));
            }
            return;
        }
        self.retain(|heard| !is_same(heard));
        let data = data_bytes(&record.data).map_or(0, |data| data.len());
        let bytes = RECORD_BYTES + record.name.len() + data;
        if bytes > limits::MDNS_CACHE_BYTES / 4 {
            return;
        }
        while self.bytes + bytes > limits::MDNS_CACHE_BYTES
            || self.heard.len() >= limits::MDNS_CACHE_RECORDS
        {
            let places = self.heard.iter().enumerate();
            let Some((place, _)) = places.min_by_key(|(_, heard)| heard.until) else { break };
            self.bytes -= self.heard.swap_remove(place).bytes;
        }
        let until = now.after(Duration::from_secs(u64::from(seconds)));
        self.bytes += bytes;
        let record = record.clone();
        self.heard.push(Heard { record, source, stored: now, until, refreshed: 0, spread, bytes });
    }

    fn retain(&mut self, stays: impl Fn(&Heard) -> bool) {
        self.heard.retain(stays);
        self.bytes = self.heard.iter().map(|heard| heard.bytes).sum();
    }

    /// Wakes everybody who waits: there is nothing to wait for any more.
    pub(super) fn end(&mut self, wakes: &mut Wakes) {
        for mut query in self.queries.drain(..) {
            wakes.add(&mut query.waiters);
        }
    }
}

/// Adds a question unless it is there; false without room.
fn add(message: &mut MulticastMessage, question: MulticastQuestion, room: &mut usize) -> bool {
    let is_asked = |known: &MulticastQuestion| {
        known.kind == question.kind && known.name.eq_ignore_ascii_case(&question.name)
    };
    if message.questions.iter().any(is_asked) {
        return true;
    }
    let Some(rest) = room.checked_sub(question.name.len() + QUESTION_REST) else { return false };
    *room = rest;
    message.questions.push(question);
    true
}

/// True for a record that answers the question, or denies that there is one.
fn is_of(query: &Query, record: &ResourceRecord) -> bool {
    (query.kind == record.record_type
        || query.kind == RecordType::ANY
        || record.record_type == NSEC)
        && record.name.eq_ignore_ascii_case(&query.name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn response(name: &str, ttl: u32, address: [u8; 4], is_flush: bool) -> MulticastMessage {
        let record = ResourceRecord {
            name: name.into(),
            record_type: RecordType::A,
            time_to_live: ttl,
            data: ResourceData::Address(address.into()),
        };
        let answers = alloc::vec![MulticastRecord { record, is_flush }];
        MulticastMessage { is_response: true, answers, ..MulticastMessage::default() }
    }

    fn hear(queries: &mut Queries, message: &MulticastMessage, at: u64) {
        let source = SocketAddr::from(([10, 0, 0, 9], 5353));
        queries.hear(message, source, (Instant::from_micros(at), 0), &mut Wakes::default());
    }

    fn count(queries: &Queries, name: &str, at: u64) -> usize {
        queries.find(name, RecordType::A, Instant::from_micros(at)).count()
    }

    #[test]
    fn only_answers_to_questions_are_kept_and_outdated_ones_go() {
        let mut queries = Queries::default();
        hear(&mut queries, &response("a.local", 120, [10, 0, 0, 1], true), 1);
        assert_eq!(count(&queries, "a.local", 2), 0);
        queries.ask("A.local", RecordType::A, Instant::ZERO).unwrap();
        hear(&mut queries, &response("a.local", 120, [10, 0, 0, 1], true), 1);
        hear(&mut queries, &response("a.local", 120, [10, 0, 0, 2], true), 2);
        assert_eq!(count(&queries, "a.local", 500_000), 2, "of one announcement");
        hear(&mut queries, &response("a.local", 120, [10, 0, 0, 3], true), 5_000_000);
        assert_eq!(count(&queries, "a.local", 5_900_000), 3);
        assert_eq!(count(&queries, "a.local", 6_000_001), 1, "the others are outdated");
        hear(&mut queries, &response("a.local", 0, [10, 0, 0, 3], false), 7_000_000);
        assert_eq!(count(&queries, "a.local", 8_000_001), 0, "goodbye");
    }

    #[test]
    fn questions_come_less_often_and_name_what_is_known() {
        let mut queries = Queries::default();
        let number = queries.ask("a.local", RecordType::A, Instant::ZERO).unwrap();
        let mut times = alloc::vec![];
        for round in 0..4 {
            let next = queries.deadline(false).unwrap();
            let message = queries.due(next).unwrap();
            assert_eq!(message.questions[0].is_unicast, round == 0);
            assert_eq!(message.answers.len(), usize::from(round > 0 && round < 3));
            times.push(next.as_micros() / 1_000_000);
            if round == 0 {
                hear(&mut queries, &response("a.local", 12, [10, 0, 0, 1], true), 1);
            }
        }
        assert_eq!(times, [0, 1, 3, 7]);
        assert!(queries.forget(number).is_some() && queries.deadline(false).is_none());
    }

    #[test]
    fn what_somebody_is_interested_in_is_asked_for_again_before_it_ends() {
        let mut queries = Queries::default();
        let number = queries.ask("a.local", RecordType::A, Instant::ZERO).unwrap();
        let answer = response("a.local", 100, [10, 0, 0, 1], true);
        let source = SocketAddr::from(([10, 0, 0, 9], 5353));
        let begin = Instant::ZERO;
        queries.hear(&answer, source, (begin, SPREAD - 1), &mut Wakes::default());
        let second = response("a.local", 100, [10, 0, 0, 2], false);
        queries.hear(&second, source, (begin, 0), &mut Wakes::default());
        let again = |queries: &mut Queries| {
            let mut times = alloc::vec![];
            while let Some(next) =
                queries.deadline(true).filter(|next| next.as_micros() < 99_000_000)
            {
                let asked = queries.due(next).is_some_and(|message| {
                    message.questions.iter().any(|question| !question.is_unicast)
                });
                times.extend(asked.then_some(next.as_micros() / 1000));
            }
            times
        };
        // The questions themselves come after 1, 3, 7, 15, 31 and 63 seconds.
        let times = again(&mut queries);
        let questions = [1000, 3000, 7000, 15_000, 31_000, 63_000];
        assert!(times.starts_with(&questions));
        let refreshes = [80_000, 81_999, 85_000, 86_999, 90_000, 91_999, 95_000, 96_999];
        assert_eq!(times[questions.len()..], refreshes);
        // Nobody is interested any more; then in the name only.
        queries.forget(number);
        assert_eq!(queries.deadline(false), None);
        assert_eq!(queries.deadline(true), Some(Instant::from_micros(100_000_000)));
        queries.expire(Instant::from_micros(100_000_000));
        assert_eq!((queries.heard.len(), queries.bytes), (0, 0));
        let mut queries = Queries::default();
        queries.ask("b.local", RecordType::SRV, begin).unwrap();
        queries.due(begin);
        queries.ask("a.local", RecordType::A, begin).unwrap();
        queries.hear(&second, source, (begin, 0), &mut Wakes::default());
        queries.forget(2);
        queries.refresh([String::from("a.local")].into());
        assert_eq!(again(&mut queries).len(), questions.len() + REFRESHES as usize);
    }

    #[test]
    fn short_times_to_live_make_no_storm() {
        let mut queries = Queries::default();
        queries.ask("a.local", RecordType::A, Instant::ZERO).unwrap();
        let (mut now, mut sent) = (Instant::ZERO, 0);
        while now.as_micros() < 20_000_000 {
            // Every record has a time of its own.
            for number in 0..100_u8 {
                let answer = response("a.local", 1, [10, 0, 0, number], false);
                let source = SocketAddr::from(([10, 0, 0, 9], 5353));
                let spread = u32::from(number) * SPREAD / 100;
                queries.hear(&answer, source, (now, spread), &mut Wakes::default());
            }
            let end = now.after(Duration::from_secs(1));
            while let Some(next) = queries.deadline(false).filter(|next| *next < end) {
                sent += usize::from(queries.due(next).is_some());
            }
            now = end;
        }
        // One a second, and the questions themselves.
        assert!((15..=26).contains(&sent), "{sent}");
    }

    #[test]
    fn questions_without_room_in_a_message_are_asked_in_the_next() {
        let mut queries = Queries::default();
        for number in 0..limits::MDNS_QUERIES {
            let name = alloc::format!("{number:060}.local");
            queries.ask(&name, RecordType::A, Instant::ZERO).unwrap();
        }
        let mut asked = 0;
        while let Some(message) = queries.due(Instant::ZERO) {
            let (bytes, _) = message.write(1232);
            let read = MulticastMessage::parse(&bytes).unwrap();
            assert_eq!(read.questions, message.questions);
            asked += read.questions.len();
        }
        assert_eq!(asked, limits::MDNS_QUERIES);
    }

    #[test]
    fn questions_and_what_is_heard_are_bounded() {
        let mut queries = Queries::default();
        for number in 0..limits::MDNS_QUERIES {
            queries.ask(&alloc::format!("{number}.local"), RecordType::A, Instant::ZERO).unwrap();
        }
        let refused = queries.ask("more.local", RecordType::A, Instant::ZERO);
        assert_eq!(refused, Err(Error::NoBufferSpace));
        for number in 0..2 * limits::MDNS_CACHE_RECORDS as u32 {
            let message = response("1.local", 120, number.to_be_bytes(), false);
            hear(&mut queries, &message, 1);
        }
        assert_eq!(queries.heard.len(), limits::MDNS_CACHE_RECORDS);
        let mut long = response("1.local", 120, [10, 0, 0, 1], false);
        for number in 0..100_u8 {
            let record = &mut long.answers[0].record;
            record.record_type = RecordType::TXT;
            record.data = ResourceData::Text(alloc::vec![alloc::vec![number; 255]; 30]);
            long.additional = alloc::vec![];
            queries.queries[1].kind = RecordType::ANY;
            hear(&mut queries, &long, 1);
        }
        assert!(queries.bytes <= limits::MDNS_CACHE_BYTES, "{}", queries.bytes);
        // One response is no more than its share.
        let mut queries = Queries::default();
        queries.ask("1.local", RecordType::A, Instant::ZERO).unwrap();
        let mut large = response("1.local", 120, [10, 0, 0, 0], false);
        for number in 0..2 * limits::MDNS_RECORDS as u32 {
            let one = response("1.local", 120, number.to_be_bytes(), false);
            large.answers.extend(one.answers);
        }
        hear(&mut queries, &large, 1);
        assert_eq!(queries.heard.len(), limits::MDNS_RECORDS);
    }
}
