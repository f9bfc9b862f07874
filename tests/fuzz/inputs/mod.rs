//! Targets whose inputs are bytes: what others send us and what people type, one function each.
//!
//! A target checks one input and notes what the input reached. It must depend on nothing else, so
//! that an input fails today as it did when it was found. [`search`](crate::search) looks for
//! inputs that reach something new; `corpus/` keeps them.

mod advertisement;
mod capture;
mod dhcp;
mod dhcp6;
mod dns;
mod grants;
mod http;
mod shell;

use std::collections::BTreeSet;
use std::hash::{DefaultHasher, Hash, Hasher};

/// Every target, by name.
pub(crate) const TARGETS: &[Target] = &[
    Target { name: "http-requests", check: http::requests, tokens: http::REQUEST_TOKENS },
    Target { name: "http-responses", check: http::responses, tokens: http::RESPONSE_TOKENS },
    Target { name: "dns-messages", check: dns::messages, tokens: dns::TOKENS },
    Target { name: "dhcp-requests", check: dhcp::requests, tokens: dhcp::TOKENS },
    Target { name: "dhcp-replies", check: dhcp::replies, tokens: dhcp::TOKENS },
    Target { name: "dhcp6-requests", check: dhcp6::requests, tokens: dhcp6::TOKENS },
    Target { name: "dhcp6-replies", check: dhcp6::replies, tokens: dhcp6::TOKENS },
    Target { name: "advertisements", check: advertisement::check, tokens: advertisement::TOKENS },
    Target { name: "grants", check: grants::check, tokens: grants::TOKENS },
    Target { name: "shell", check: shell::check, tokens: shell::TOKENS },
    Target { name: "capture", check: capture::check, tokens: &[] },
];

/// One thing that takes bytes.
#[derive(Clone, Copy)]
pub(crate) struct Target {
    /// Its name, and its folder in the corpus.
    pub(crate) name: &'static str,
    /// Checks one input.
    pub(crate) check: fn(&[u8], &mut Trace),
    /// Bytes that mean something to it.
    pub(crate) tokens: &'static [&'static [u8]],
}

/// What an input reached, as sums of notes.
#[derive(Default, Clone, PartialEq, Eq, Debug)]
pub(crate) struct Trace(BTreeSet<u64>);

impl Trace {
    /// Notes that this was reached. Notes are coarse: each may keep an input for ever.
    pub(crate) fn note(&mut self, what: impl Hash) {
        let mut hasher = DefaultHasher::new();
        what.hash(&mut hasher);
        self.0.insert(hasher.finish());
    }

    /// True if everything of `other` was reached.
    pub(crate) fn includes(&self, other: &Self) -> bool {
        self.0.is_superset(&other.0)
    }

    /// What `other` did not reach.
    pub(crate) fn beyond(&self, other: &Self) -> Self {
        Self(self.0.difference(&other.0).copied().collect())
    }

    /// True if nothing was reached.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Adds what `other` reached.
    pub(crate) fn add(&mut self, other: &Self) {
        self.0.extend(&other.0);
    }
}

/// Sizes that count as one: none, one, and then powers of two.
fn size(count: usize) -> u32 {
    usize::BITS - count.leading_zeros()
}
