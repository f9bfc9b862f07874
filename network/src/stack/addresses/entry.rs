//! One address of an interface, and what few addresses have.

use alloc::boxed::Box;
use alloc::string::String;
use core::net::Ipv4Addr;

use crate::address::Prefix;
use crate::command::address::{AddressState, Origin, Scope};
use crate::platform::Instant;

/// One address.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Address {
    pub(crate) prefix: Prefix,
    pub(crate) broadcast: Option<Ipv4Addr>,
    pub(crate) origin: Origin,
    pub(crate) state: AddressState,
    pub(crate) valid_until: Option<Instant>,
    pub(crate) preferred_until: Option<Instant>,
    /// When duplicate address detection of a tentative address ends.
    pub(crate) probe_at: Option<Instant>,
    /// The deadline of this address' entry in the timer heap.
    pub(crate) armed: Option<Instant>,
    /// The nonce of the solicitation by which it is probed (RFC 7527 §4.1).
    pub(crate) nonce: [u8; 6],
    /// When it was last defended against another host (RFC 5227 §2.4).
    pub(crate) defended_at: Option<Instant>,
    /// Probes that are still to be sent.
    pub(crate) probes: u8,
    /// What few addresses have.
    pub(crate) details: Option<Box<Details>>,
}

/// What few addresses have.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct Details {
    pub(crate) peer: Option<Prefix>,
    pub(crate) label: Option<String>,
    /// No broadcast address is shown.
    pub(crate) hides_broadcast: bool,
    pub(crate) no_prefix_route: bool,
    /// It was asked for without duplicate address detection.
    pub(crate) no_detection: bool,
    /// It is a temporary one.
    pub(crate) temporary: Option<Temporary>,
    /// Identifiers that it had before, which other hosts have.
    pub(crate) collisions: u8,
}

/// What a temporary address has (RFC 8981).
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Temporary {
    /// It is not valid beyond that, whatever is advertised.
    pub(crate) valid_limit: Instant,
    /// It is not preferred beyond that.
    pub(crate) preferred_limit: Instant,
    /// When the next one is formed; none when that was done.
    pub(crate) regenerate_at: Option<Instant>,
}

impl Address {
    /// The prefix of its connected route; none if it has no such route.
    pub(crate) fn connected(&self) -> Option<Prefix> {
        match self.details.as_deref() {
            Some(details) if details.no_prefix_route => None,
            Some(Details { peer: Some(peer), .. }) => Some(peer.network()),
            _ if self.origin == Origin::RouterAdvertisement => None,
            _ => Some(self.prefix.network()),
        }
    }

    /// True when packets may be sent from it and received on it.
    pub(crate) fn is_usable(&self) -> bool {
        matches!(self.state, AddressState::Preferred | AddressState::Deprecated)
    }

    /// Few addresses have any.
    pub(super) fn set_details(&mut self, details: Details) {
        self.details = (details != Details::default()).then(|| Box::new(details));
    }

    /// What it has as a temporary address; none if it is no such address.
    pub(crate) fn temporary(&self) -> Option<&Temporary> {
        self.details.as_ref()?.temporary.as_ref()
    }

    /// Makes it a temporary address, after so many that other hosts have.
    pub(crate) fn set_temporary(&mut self, temporary: Temporary, collisions: u8) {
        let details = Details { temporary: Some(temporary), collisions, ..Details::default() };
        self.set_details(details);
    }

    /// None follows it.
    pub(crate) fn end_regeneration(&mut self) {
        let details = self.details.as_mut();
        if let Some(temporary) = details.and_then(|details| details.temporary.as_mut()) {
            temporary.regenerate_at = None;
        }
    }

    /// Identifiers that it had before, which other hosts have.
    pub(crate) fn collisions(&self) -> u8 {
        self.details.as_ref().map_or(0, |details| details.collisions)
    }

    /// Sets how many identifiers it had before.
    pub(crate) fn set_collisions(&mut self, collisions: u8) {
        if self.collisions() != collisions {
            self.set_details(Details { collisions, ..Details::default() });
        }
    }

    pub(crate) fn hides_broadcast(&self) -> bool {
        self.details.as_ref().is_some_and(|details| details.hides_broadcast)
    }

    /// The scope of the address.
    pub(crate) fn scope(&self) -> Scope {
        Scope::of(self.prefix.address())
    }
}
