//! Whether a question needs a server: what is kept answers at once, and what is stale when no
//! server does.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::time::Duration;

use devnet_virtual_file_system::Error;

use super::cache::{Key, Stale};
use super::exchange::Heard;
use super::{Ask, Failure, Resolver};
use crate::dns_message::QueryKind;
use crate::platform::{Instant, before};
use crate::trace::message;

/// How long a stale answer waits for a server (RFC 8767 §5).
const STALE_WAIT: Duration = Duration::from_millis(1800);

/// What is kept of some types, and what is not.
struct Kept {
    heard: Vec<Heard>,
    missing: Vec<QueryKind>,
    stale: Vec<Stale>,
}

impl Resolver {
    /// What is known of all types: what is kept, else what a server says, else what is stale.
    pub(super) async fn known(
        &self,
        ask: &Ask,
        name: &str,
        kinds: &[QueryKind],
    ) -> Result<Vec<Heard>, Failure> {
        #[cfg(feature = "mdns")]
        if ask.is_on_link {
            // In a box, as few lookups come here.
            let on_link = self.known_on_link(name, kinds, !ask.servers.is_empty());
            if let Some(known) = Box::pin(on_link).await {
                return known;
            }
        }
        if !ask.is_kept {
            return Box::pin(self.query_all(ask, name, kinds)).await;
        }
        let (scope, names, clock) = (self.scope(), &self.sockets.names, &*self.sockets.clock);
        let key = |kind| Key { scope, name, kind };
        let (now, longest) = (clock.now(), ask.options.stale());
        let Kept { mut heard, missing, stale } = self.kept(ask, name, kinds, now);
        if missing.is_empty() {
            return Ok(heard);
        }
        let is_stale = stale.len() == missing.len();
        let failed = || Failure { error: Error::TimedOut, said: None };
        if !is_stale && let Some(failure) = self.failed_before(ask, name, &missing, now) {
            message!(debug, "devnet::dns", "{}: it failed a moment ago", name);
            return of_other_types(heard, failure);
        }
        // In a box, as a lookup holds several states of it otherwise.
        let asking = Box::pin(self.query_all(ask, name, &missing));
        let is_paused = is_stale && stale.iter().any(|stale| stale.is_paused);
        let asked = if is_paused {
            Err(failed())
        } else if is_stale {
            let deadline = now.after(STALE_WAIT);
            before(clock, deadline, asking).await.unwrap_or_else(|| Err(failed()))
        } else {
            asking.await
        };
        let now = clock.now();
        match asked {
            Ok(new) => {
                self.note_failure(ask, name, &missing, None);
                names.cache.with(|cache| {
                    for heard in &new {
                        let most = ask.options.cache_entries;
                        cache.put(key(heard.kind), heard, now, longest, most);
                    }
                });
                heard.extend(new);
                Ok(heard)
            }
            Err(_) if is_stale => {
                message!(debug, "devnet::dns", "{}: no server answers, what is stale does", name);
                if !is_paused {
                    names.cache.with(|cache| {
                        stale.iter().for_each(|stale| cache.pause(key(stale.heard.kind), now));
                    });
                }
                heard.extend(stale.into_iter().map(|stale| stale.heard));
                Ok(heard)
            }
            Err(failure) => {
                self.note_failure(ask, name, &missing, Some(&failure));
                of_other_types(heard, failure)
            }
        }
    }

    /// What is kept of all types.
    fn kept(&self, ask: &Ask, name: &str, kinds: &[QueryKind], now: Instant) -> Kept {
        let (scope, longest) = (self.scope(), ask.options.stale());
        let mut kept = Kept { heard: Vec::new(), missing: Vec::new(), stale: Vec::new() };
        self.sockets.names.cache.with(|cache| {
            for kind in kinds {
                let key = Key { scope, name, kind: *kind };
                match cache.find(key, &ask.servers, now) {
                    Some(known) => kept.heard.push(known),
                    None => {
                        kept.missing.push(*kind);
                        kept.stale.extend(cache.find_stale(key, &ask.servers, now, longest));
                    }
                }
            }
        });
        kept
    }

    /// The servers failed for these types, or did not.
    fn note_failure(&self, ask: &Ask, name: &str, kinds: &[QueryKind], failure: Option<&Failure>) {
        // A device that runs by itself asks for few names, and asks again when it must.
        if !cfg!(feature = "details") {
            return;
        }
        let (scope, now) = (self.scope(), self.sockets.clock.now());
        self.sockets.names.failures.with(|failures| {
            for kind in kinds {
                let key = Key { scope, name, kind: *kind };
                match failure {
                    Some(failure) => failures.put(key, &ask.servers, failure, now),
                    None => failures.remove(key, &ask.servers),
                }
            }
        });
    }

    /// What the servers failed with a moment ago, for all of these types.
    fn failed_before(
        &self,
        ask: &Ask,
        name: &str,
        kinds: &[QueryKind],
        now: Instant,
    ) -> Option<Failure> {
        if !cfg!(feature = "details") {
            return None;
        }
        let scope = self.scope();
        self.sockets.names.failures.with(|failures| {
            let mut found = kinds
                .iter()
                .map(|kind| failures.find(Key { scope, name, kind: *kind }, &ask.servers, now));
            let first = found.next().flatten();
            first.filter(|_| found.all(|failure| failure.is_some()))
        })
    }
}

/// Of one type there may be records although another failed.
fn of_other_types(heard: Vec<Heard>, failure: Failure) -> Result<Vec<Heard>, Failure> {
    let has_records = heard.iter().any(|heard| !heard.response.records.is_empty());
    if has_records { Ok(heard) } else { Err(failure) }
}
