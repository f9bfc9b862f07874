//! What servers gave: addresses, prefixes, and how long they last.

use alloc::vec::Vec;
use core::time::Duration;

use super::reply::{Answer, Given};
use crate::command::dhcp6::INFINITE;
use crate::limits;
use crate::platform::Instant;
use crate::stack::delegations::TimedPrefix;

/// The leases of one client.
#[derive(Clone, Debug, Default)]
pub(super) struct Leases {
    /// The server that gave them.
    pub(super) server: Vec<u8>,
    pub(super) addresses: Vec<TimedPrefix>,
    pub(super) prefixes: Vec<TimedPrefix>,
    /// T1.
    pub(super) renew_at: Option<Instant>,
    /// T2.
    pub(super) rebind_at: Option<Instant>,
}

/// The instant after so many seconds; none for infinity.
fn after(now: Instant, seconds: u32) -> Option<Instant> {
    (seconds != INFINITE).then(|| now.after(Duration::from_secs(u64::from(seconds))))
}

/// Takes over what a server gives; a valid lifetime of 0 ends a lease.
fn merge(known: &mut Vec<TimedPrefix>, given: &[Given], now: Instant) {
    for one in given {
        known.retain(|old| old.prefix != one.prefix || one.valid > 0);
        if one.valid == 0 {
            continue;
        }
        let new = TimedPrefix {
            prefix: one.prefix,
            preferred_until: after(now, one.preferred),
            valid_until: after(now, one.valid),
        };
        if let Some(old) = known.iter_mut().find(|old| old.prefix == one.prefix) {
            *old = new;
        } else if known.len() < limits::DHCP6_LEASES {
            known.push(new);
        }
    }
}

impl Leases {
    pub(super) const fn is_empty(&self) -> bool {
        self.addresses.is_empty() && self.prefixes.is_empty()
    }

    /// Takes over what a Reply gives.
    pub(super) fn take(&mut self, answer: &Answer, now: Instant) {
        self.server.clone_from(&answer.server);
        merge(&mut self.addresses, &answer.addresses.given, now);
        merge(&mut self.prefixes, &answer.prefixes.given, now);
        if let Some((renew, rebind)) = answer.times() {
            (self.renew_at, self.rebind_at) = (after(now, renew), after(now, rebind));
        }
    }

    fn all(&self) -> impl Iterator<Item = &TimedPrefix> {
        self.addresses.iter().chain(&self.prefixes)
    }

    /// When the next one ends.
    pub(super) fn next_end(&self) -> Option<Instant> {
        self.all().filter_map(|lease| lease.valid_until).min()
    }

    /// When the last one ends; none while one does not.
    pub(super) fn last_end(&self) -> Option<Instant> {
        self.all().map(|lease| lease.valid_until).collect::<Option<Vec<_>>>()?.into_iter().max()
    }

    /// Forgets those that are over; true if there were some.
    pub(super) fn end_those_over(&mut self, now: Instant) -> bool {
        let count = self.all().count();
        let lasts = |lease: &TimedPrefix| lease.valid_until.is_none_or(|end| end > now);
        self.addresses.retain(lasts);
        self.prefixes.retain(lasts);
        self.all().count() != count
    }
}
