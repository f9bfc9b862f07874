//! Whether a question needs a server: what is kept answers at once, and what is stale when no
//! server does.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::time::Duration;

use devnet_virtual_file_system::Error;

use super::cache::Key;
use super::exchange::Heard;
use super::{Ask, Failure, Resolver};
use crate::dns_message::QueryKind;
use crate::platform::before;
use crate::trace::message;

/// How long a stale answer waits for a server (RFC 8767 §5).
const STALE_WAIT: Duration = Duration::from_millis(1800);

impl Resolver {
    /// What is known of all types: what is kept, else what a server says, else what is stale.
    pub(super) async fn known(
        &self,
        ask: &Ask,
        name: &str,
        kinds: &[QueryKind],
    ) -> Result<Vec<Heard>, Failure> {
        if cfg!(feature = "mdns") && ask.is_on_link {
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
        let (mut heard, mut missing, mut stale) = (Vec::new(), Vec::new(), Vec::new());
        let (now, longest) = (clock.now(), ask.options.stale());
        names.cache.with(|cache| {
            for kind in kinds {
                match cache.find(key(*kind), &ask.servers, now) {
                    Some(known) => heard.push(known),
                    None => {
                        missing.push(*kind);
                        stale.extend(cache.find_stale(key(*kind), &ask.servers, now, longest));
                    }
                }
            }
        });
        if missing.is_empty() {
            return Ok(heard);
        }
        let is_stale = stale.len() == missing.len();
        let failed = || Failure { error: Error::TimedOut, said: None };
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
            // Of one type there may be records.
            Err(_) if heard.iter().any(|heard| !heard.response.records.is_empty()) => Ok(heard),
            Err(failure) => Err(failure),
        }
    }
}
