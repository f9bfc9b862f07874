//! Lookups that failed a moment ago (RFC 2308 §7, RFC 9520): servers that do not answer, or say
//! that they failed, are not asked the same again at once.

use alloc::string::String;
use alloc::vec::Vec;
use core::net::SocketAddr;
use core::time::Duration;

use devnet_virtual_file_system::Error;

use super::Failure;
use super::cache::Key;
use crate::dns_message::QueryKind;
use crate::limits;
use crate::platform::Instant;

/// How long a first failure counts (RFC 9520 §3.2); each further one doubles it.
const FIRST: Duration = Duration::from_secs(1);

#[derive(Debug)]
struct Failed {
    scope: Option<u32>,
    name: String,
    kind: QueryKind,
    /// Those that were asked: others may know.
    servers: Vec<SocketAddr>,
    failure: Failure,
    wait: Duration,
    until: Instant,
}

impl Failed {
    fn is(&self, key: Key<'_>, servers: &[SocketAddr]) -> bool {
        let is_asked = self.scope == key.scope && self.kind == key.kind && self.name == key.name;
        // They may be tried in another order.
        let is_there = |server: &SocketAddr| servers.contains(server);
        is_asked && self.servers.len() == servers.len() && self.servers.iter().all(is_there)
    }
}

/// Failures of a system.
#[derive(Debug, Default)]
pub(super) struct Failures(Vec<Failed>);

impl Failures {
    /// The failure that still counts.
    pub(super) fn find(
        &self,
        key: Key<'_>,
        servers: &[SocketAddr],
        now: Instant,
    ) -> Option<Failure> {
        let known = self.0.iter().find(|known| known.is(key, servers) && known.until > now)?;
        Some(known.failure.clone())
    }

    /// Servers failed. What this system lacks, as a route, is tried again at once.
    pub(super) fn put(
        &mut self,
        key: Key<'_>,
        servers: &[SocketAddr],
        failure: &Failure,
        now: Instant,
    ) {
        if !matches!(failure.error, Error::TimedOut | Error::ConnectionRefused) {
            return;
        }
        let longest = Duration::from_secs(limits::DNS_FAILURE_SECONDS);
        let place = self.0.iter().position(|known| known.is(key, servers));
        let former = place.map(|place| self.0.swap_remove(place));
        // One that is long ago says nothing about the servers of now.
        let former = former.filter(|former| former.until.after(longest) > now);
        let wait = former.map_or(FIRST, |former| (former.wait * 2).min(longest));
        if self.0.len() >= limits::DNS_FAILURES {
            let places = self.0.iter().enumerate();
            if let Some((place, _)) = places.min_by_key(|(_, known)| known.until) {
                self.0.swap_remove(place);
            }
        }
        self.0.push(Failed {
            scope: key.scope,
            name: String::from(key.name),
            kind: key.kind,
            servers: servers.to_vec(),
            failure: failure.clone(),
            wait,
            until: now.after(wait),
        });
    }

    /// A server answered.
    pub(super) fn remove(&mut self, key: Key<'_>, servers: &[SocketAddr]) {
        self.0.retain(|known| !known.is(key, servers));
    }

    /// Forgets those of a scope.
    pub(super) fn forget(&mut self, scope: Option<u32>) {
        self.0.retain(|known| known.scope != scope);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failures_count_longer_each_time_and_are_bounded() {
        let servers = [SocketAddr::from(([10, 0, 0, 2], 53))];
        fn key(name: &str) -> Key<'_> {
            Key { scope: None, name, kind: QueryKind::A }
        }
        let failure = |error| Failure { error, said: None };
        let mut failures = Failures::default();
        let mut now = Instant::ZERO;
        let mut waits = Vec::new();
        for _ in 0..7 {
            failures.put(key("a"), &servers, &failure(Error::TimedOut), now);
            let begin = now;
            while failures.find(key("a"), &servers, now).is_some() {
                now = now.after(FIRST);
            }
            waits.push(now.since(begin).as_secs());
        }
        assert_eq!(waits, [1, 2, 4, 8, 16, 30, 30]);
        assert!(failures.find(key("a"), &[], Instant::ZERO).is_none(), "other servers");
        now = now.after(Duration::from_secs(60));
        failures.put(key("a"), &servers, &failure(Error::ConnectionRefused), now);
        assert!(failures.find(key("a"), &servers, now.after(FIRST)).is_none(), "long ago");
        failures.remove(key("a"), &servers);
        assert!(failures.find(key("a"), &servers, now).is_none());
        failures.put(key("a"), &servers, &failure(Error::NetworkDown), now);
        assert!(failures.find(key("a"), &servers, now).is_none(), "not the servers'");
        for number in 0..2 * limits::DNS_FAILURES {
            let name = alloc::format!("{number}");
            failures.put(key(&name), &servers, &failure(Error::TimedOut), now);
        }
        assert_eq!(failures.0.len(), limits::DNS_FAILURES);
        failures.forget(None);
        assert!(failures.0.is_empty());
    }
}
