//! Answers that are kept (RFC 2308, RFC 8767).
//!
//! Only what the configured servers said of a name is kept, for the time that they gave, and it
//! counts only as long as that server is configured: a system that moves to another network keeps
//! nothing of the former. Servers fill the cache, so records and bytes of it are bounded.

use alloc::string::String;
use alloc::vec::Vec;
use core::net::SocketAddr;
use core::time::Duration;

use super::exchange::Heard;
use crate::command::record::{ResourceData, ResourceRecord};
use crate::dns_message::{QueryKind, ResponseCode};
use crate::limits;
use crate::platform::Instant;

/// Bytes of a record beside its data, as they are counted.
const RECORD_BYTES: usize = 128;
/// The TTL of a stale record (RFC 8767 §4).
const STALE_TTL: u32 = 30;
/// How long nobody asks again after servers failed (RFC 8767 §5).
const STALE_PAUSE: Duration = Duration::from_secs(30);

/// What a name and a type are asked of.
#[derive(Clone, Copy)]
pub(super) struct Key<'a> {
    /// The index of the interface; none for all.
    pub(super) scope: Option<u32>,
    pub(super) name: &'a str,
    pub(super) kind: QueryKind,
}

#[derive(Debug)]
pub(super) struct Entry {
    pub(super) scope: Option<u32>,
    pub(super) name: String,
    pub(super) heard: Heard,
    stored: Instant,
    pub(super) until: Instant,
    /// Servers failed; nobody asks them before.
    retry: Option<Instant>,
    bytes: usize,
}

impl Entry {
    fn is(&self, key: Key<'_>) -> bool {
        self.scope == key.scope && self.heard.kind == key.kind && self.name == key.name
    }
}

/// A stale answer.
pub(super) struct Stale {
    pub(super) heard: Heard,
    /// Servers failed a moment ago.
    pub(super) is_paused: bool,
}

#[derive(Debug, Default)]
pub(super) struct Cache {
    entries: Vec<Entry>,
    bytes: usize,
}

impl Cache {
    pub(super) fn iter(&self) -> impl Iterator<Item = &Entry> {
        self.entries.iter()
    }

    /// The answer of one of these servers, with the seconds that are left.
    pub(super) fn find(&self, key: Key<'_>, servers: &[SocketAddr], now: Instant) -> Option<Heard> {
        let entry = self.entries.iter().find(|entry| entry.is(key) && entry.until > now)?;
        servers.contains(&entry.heard.server).then_some(())?;
        let age = u32::try_from(now.since(entry.stored).as_secs()).unwrap_or(u32::MAX);
        Some(with_ttl(&entry.heard, |ttl| ttl.saturating_sub(age)))
    }

    /// The answer whose time is over, if it may still be told.
    pub(super) fn find_stale(
        &self,
        key: Key<'_>,
        servers: &[SocketAddr],
        now: Instant,
        longest: Duration,
    ) -> Option<Stale> {
        let entry = self.entries.iter().find(|entry| entry.is(key))?;
        let is_fit = entry.until.after(longest) > now && servers.contains(&entry.heard.server);
        is_fit.then(|| Stale {
            heard: with_ttl(&entry.heard, |_| STALE_TTL),
            is_paused: entry.retry.is_some_and(|retry| retry > now),
        })
    }

    /// Nobody asks for a while.
    pub(super) fn pause(&mut self, key: Key<'_>, now: Instant) {
        for entry in self.entries.iter_mut().filter(|entry| entry.is(key)) {
            entry.retry = Some(now.after(STALE_PAUSE));
        }
    }

    /// Keeps an answer, in the place of a former one, if it says for how long. `stale`: how long
    /// others are kept beyond their time.
    pub(super) fn put(
        &mut self,
        key: Key<'_>,
        heard: &Heard,
        now: Instant,
        stale: Duration,
        most: u32,
    ) {
        let Some(seconds) = lifetime(heard).filter(|seconds| *seconds > 0) else { return };
        let response = &heard.response;
        let records = response.records.len() + response.authority.len() + response.additional.len();
        let bytes = heard.bytes + RECORD_BYTES * (records + 1);
        let room = limits::DNS_CACHE_BYTES;
        if most == 0 || bytes > room / 4 {
            return;
        }
        self.retain(|entry| !entry.is(key) && entry.until.after(stale) > now);
        while self.entries.len() >= most as usize || self.bytes + bytes > room {
            let places = self.entries.iter().enumerate();
            let Some((place, _)) = places.min_by_key(|(_, entry)| entry.until) else { break };
            self.bytes -= self.entries.remove(place).bytes;
        }
        self.bytes += bytes;
        self.entries.push(Entry {
            scope: key.scope,
            name: String::from(key.name),
            heard: heard.clone(),
            stored: now,
            until: now.after(Duration::from_secs(u64::from(seconds))),
            retry: None,
            bytes,
        });
    }

    /// Removes entries for which `stays` returns false; returns how many.
    pub(super) fn retain(&mut self, mut stays: impl FnMut(&Entry) -> bool) -> usize {
        let before = self.entries.len();
        self.entries.retain(|entry| stays(entry));
        self.bytes = self.entries.iter().map(|entry| entry.bytes).sum();
        before - self.entries.len()
    }
}

fn with_ttl(heard: &Heard, change: impl Fn(u32) -> u32) -> Heard {
    let mut heard = heard.clone();
    let response = &mut heard.response;
    for records in [&mut response.records, &mut response.authority, &mut response.additional] {
        for record in records {
            record.time_to_live = change(record.time_to_live);
        }
    }
    heard
}

/// The seconds for which an answer may be kept; none for one that does not say.
fn lifetime(heard: &Heard) -> Option<u32> {
    let response = &heard.response;
    let ttl = |records: &[ResourceRecord]| records.iter().map(|one| one.time_to_live).min();
    let answers = ttl(&response.records);
    let has_answer = response
        .records
        .iter()
        .any(|record| QueryKind::from_code(record.record_type.0) == heard.kind);
    match response.code {
        _ if response.is_truncated => None,
        ResponseCode::NoError if has_answer => {
            answers.map(|ttl| ttl.min(limits::DNS_CACHE_SECONDS))
        }
        // That there is none holds as long as the zone says (RFC 2308 §5).
        ResponseCode::NoError | ResponseCode::NameError => {
            let zone = response.authority.iter().find_map(|record| match &record.data {
                ResourceData::Authority(zone) => Some(record.time_to_live.min(zone.minimum)),
                _ => None,
            })?;
            Some(zone.min(answers.unwrap_or(u32::MAX)).min(limits::DNS_NEGATIVE_SECONDS))
        }
        _ => None,
    }
}
