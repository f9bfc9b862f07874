//! Other identifiers for addresses that there are: because another host has one, or because they
//! are made another way now.

use core::net::IpAddr;

use super::advertised::Advertised;
use super::{Autoconfiguration, identifiers};
use crate::address::Prefix;
use crate::command::address::{NewAddress, Origin};
use crate::command::autoconfiguration::Identifiers;
use crate::platform::Instant;
use crate::stack::addresses::Address;
use crate::stack::context::Context;
use crate::stack::ip::Ip;

/// IDGEN_RETRIES: how often another identifier is tried (RFC 7217 §7).
const RETRIES: u8 = 3;

/// The same address with the identifier that it should have; none if it has that.
fn renewed(cx: &Context, entry: &Address) -> Option<Prefix> {
    if !cfg!(feature = "ipv6") {
        return None;
    }
    let IpAddr::V6(address) = entry.prefix.address() else { return None };
    let is_formed = match entry.origin {
        Origin::Kernel => address.is_unicast_link_local(),
        Origin::RouterAdvertisement => entry.temporary().is_none(),
        Origin::Static | Origin::Dhcp => false,
    };
    if !is_formed {
        return None;
    }
    let right = identifiers::formed(cx, address, entry.collisions())?;
    (right.address() != entry.prefix.address()).then_some(right)
}

/// What a new address takes over.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Former {
    pub(crate) prefix: Prefix,
    origin: Origin,
    valid_until: Option<Instant>,
    preferred_until: Option<Instant>,
}

impl Former {
    const fn of(entry: &Address) -> Self {
        let Address { prefix, origin, valid_until, preferred_until, .. } = *entry;
        Self { prefix, origin, valid_until, preferred_until }
    }
}

impl Autoconfiguration {
    /// The first address whose identifier is made another way now, and the one that it should be
    /// (RA-11).
    pub(crate) fn outdated(cx: &Context, ip: &Ip) -> Option<(Former, Prefix)> {
        ip.addresses.iter().find_map(|entry| Some((Former::of(entry), renewed(cx, entry)?)))
    }

    /// Another host has an address that was formed here: it gets another identifier, up to three
    /// times. One that is made of the hardware address has no other.
    pub(super) fn replace_duplicate(cx: &mut Context, ip: &mut Ip, this: &mut Self, own: IpAddr) {
        if !cfg!(feature = "details") {
            return;
        }
        let Some(former) = ip.addresses.find(own).cloned() else { return };
        if former.temporary().is_some() {
            return Self::replace_temporary(cx, ip, former.prefix, former.collisions());
        }
        let collisions = former.collisions() + 1;
        let is_stable =
            cx.configuration.options.autoconfiguration.identifiers() == Identifiers::Stable;
        let mut next = former.clone();
        next.set_collisions(collisions);
        if let Some(prefix) = renewed(cx, &next).filter(|_| is_stable && collisions <= RETRIES) {
            // It was never used.
            let _ = ip.remove_address(cx, former.prefix);
            this.add_again(cx, ip, Former::of(&former), (prefix, collisions));
        }
    }

    /// Adds an address in place of another one that was removed, for what remains of its lifetimes.
    pub(crate) fn add_again(
        &mut self,
        cx: &mut Context,
        ip: &mut Ip,
        former: Former,
        (prefix, collisions): (Prefix, u8),
    ) {
        let (old, new) = (former.prefix.address(), prefix.address());
        self.advertised.rename(&Advertised::Address(old), Advertised::Address(new));
        let asked = NewAddress { prefix, broadcast: None };
        // The place of the former one is free.
        if ip.add_address(cx, &asked, former.origin).is_err() {
            return;
        }
        if let Some(entry) = ip.addresses.find_mut(new) {
            entry.valid_until = former.valid_until;
            entry.preferred_until = former.preferred_until;
            entry.set_collisions(collisions);
        }
        ip.arm_address(cx, new);
    }
}
