//! What routers advertised, by whom, and until when; and what gives way when there is too much.
//!
//! Anybody on the link can advertise. Each kind has a bound, and no station gets more than a share
//! of it, so that another one finds room. In a full table the newest gives way that no program
//! uses: what came first stays. A newcomer stays for a while at least, so that a flood does not
//! make us configure and probe addresses at its rate.

use alloc::string::String;
use alloc::vec::Vec;
use core::mem::{Discriminant, discriminant};
use core::net::{IpAddr, Ipv6Addr};
use core::time::Duration;

use crate::address::Prefix;
use crate::platform::Instant;

/// How long the newest entry of a full table stays at least.
const STAY: Duration = Duration::from_secs(1);
/// How long what came into a full table is remembered: the longest interval between two
/// advertisements of a router (RFC 4861 §6.2.1).
const SHORT_MEMORY: Duration = Duration::from_secs(1800);

/// Something that a router advertised with a lifetime.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Advertised {
    /// A route through a router, by Route Information or as default router.
    Route(Prefix, IpAddr),
    /// A prefix that is on-link.
    OnLink(Prefix),
    /// A recursive DNS server.
    DnsServer(IpAddr),
    /// A domain of the search list.
    Domain(String),
    /// An address that was formed from a prefix; it has lifetimes of its own.
    Address(IpAddr),
    /// A prefix by which IPv4 is reached through NAT64.
    Nat64(Prefix),
}

impl Advertised {
    /// Default routers are another kind than other routes.
    fn kind(&self) -> (Discriminant<Self>, bool) {
        let is_default = matches!(self, Self::Route(Prefix::DEFAULT_IPV6, _));
        (discriminant(self), is_default)
    }
}

/// Who advertises.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Source {
    pub(super) router: Ipv6Addr,
    /// Its station, by the link-layer address option if there is one: one station can invent any
    /// number of routers.
    pub(super) station: Ipv6Addr,
}

#[derive(Debug)]
struct Entry {
    what: Advertised,
    source: Source,
    since: Instant,
    /// [`Instant::NEVER`] for what never expires.
    until: Instant,
    /// It came into a full table.
    is_late: bool,
}

/// Whether there is room for something.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Room {
    /// It is known, or there is room.
    Free,
    /// There is once this one is gone.
    After(Advertised),
    None,
}

/// The list. The bounds of all kinds bound it.
#[derive(Debug, Default)]
pub(super) struct Expiries(Vec<Entry>);

impl Expiries {
    /// Whether there is room for one more of a kind, of which there may be `most`. `is_used` tells
    /// whether programs use a router.
    pub(super) fn room(
        &self,
        what: &Advertised,
        (source, most): (Source, usize),
        is_used: impl Fn(Ipv6Addr) -> bool,
        now: Instant,
    ) -> Room {
        if self.0.iter().any(|known| known.what == *what) {
            return Room::Free;
        }
        let of_kind = || self.0.iter().filter(|known| known.what.kind() == what.kind());
        let is_own = |known: &&Entry| known.source.station == source.station;
        let share = (most / 4 * 3).max(1);
        let is_greedy = of_kind().filter(is_own).count() >= share;
        if !is_greedy && of_kind().count() < most {
            return Room::Free;
        }
        let newest = of_kind()
            .filter(|known| !is_greedy || is_own(known))
            .filter(|known| !is_used(known.source.router))
            .max_by_key(|known| known.since);
        match newest {
            Some(newest) if now.since(newest.since) >= STAY => Room::After(newest.what.clone()),
            _ => Room::None,
        }
    }

    /// Sets the expiry of an entry; `is_late` when another one gave way to it.
    pub(super) fn set(
        &mut self,
        what: Advertised,
        (source, is_late): (Source, bool),
        until: Option<Instant>,
        now: Instant,
    ) {
        let until = until.unwrap_or(Instant::NEVER);
        let limit = |is_late| if is_late { now.after(SHORT_MEMORY) } else { Instant::NEVER };
        match self.0.iter_mut().find(|known| known.what == what) {
            Some(known) => known.until = until.min(limit(known.is_late)),
            None => {
                let until = until.min(limit(is_late));
                self.0.push(Entry { what, source, since: now, until, is_late });
            }
        }
    }

    /// Something is called otherwise now.
    pub(super) fn rename(&mut self, former: &Advertised, what: Advertised) {
        if let Some(known) = self.0.iter_mut().find(|known| known.what == *former) {
            known.what = what;
        }
    }

    /// The prefixes by which IPv4 is reached through NAT64.
    pub(super) fn nat64(&self) -> impl Iterator<Item = Prefix> {
        self.0.iter().filter_map(|known| match known.what {
            Advertised::Nat64(prefix) => Some(prefix),
            _ => None,
        })
    }

    /// Removes entries for which `goes` returns true.
    pub(super) fn remove(&mut self, mut goes: impl FnMut(&Advertised) -> bool) {
        self.0.retain(|known| !goes(&known.what));
    }

    /// The earliest expiry.
    pub(super) fn next(&self) -> Option<Instant> {
        let expiries = self.0.iter().map(|known| known.until);
        expiries.filter(|until| *until != Instant::NEVER).min()
    }

    /// The entries that expired.
    pub(super) fn over(&self, now: Instant) -> Vec<Advertised> {
        let expired = self.0.iter().filter(|known| known.until <= now);
        expired.map(|known| known.what.clone()).collect()
    }
}
