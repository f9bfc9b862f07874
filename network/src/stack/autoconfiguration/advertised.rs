//! What routers advertised, and until when.

use alloc::string::String;
use alloc::vec::Vec;
use core::net::IpAddr;

use crate::address::Prefix;
use crate::platform::Instant;

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
}

/// The list, each with its expiry. What never expires is not in it; the tables of routes and
/// servers bound it, because only what they took is recorded.
#[derive(Debug, Default)]
pub(super) struct Expiries(Vec<(Advertised, Instant)>);

impl Expiries {
    /// Sets the expiry of an entry; none for one that never expires.
    pub(super) fn set(&mut self, what: Advertised, until: Option<Instant>) {
        self.0.retain(|(known, _)| *known != what);
        self.0.extend(until.map(|until| (what, until)));
    }

    /// Removes entries for which `goes` returns true.
    pub(super) fn remove(&mut self, goes: impl Fn(&Advertised) -> bool) {
        self.0.retain(|(known, _)| !goes(known));
    }

    /// The earliest expiry.
    pub(super) fn next(&self) -> Option<Instant> {
        self.0.iter().map(|(_, until)| *until).min()
    }

    /// The entries that expired.
    pub(super) fn over(&self, now: Instant) -> Vec<Advertised> {
        let expired = self.0.iter().filter(|(_, until)| *until <= now);
        expired.map(|(what, _)| what.clone()).collect()
    }
}
