//! Networks of an interface out of the prefixes that were delegated to another one: an address,
//! and what is advertised on the link (RFC 7084 §4.3).

use alloc::vec::Vec;
use core::net::{IpAddr, Ipv6Addr};
use core::task::Waker;

use super::Parts;
use super::report::shown;
use crate::address::Prefix;
use crate::command::dhcp6::{Dhcp6Prefix, Dhcp6Status, Downstream};
use crate::stack::context::Context;
use crate::stack::delegations::TimedPrefix;
use crate::trace::event;

/// The networks of one interface.
#[derive(Debug, Default)]
pub(super) struct Networks {
    pub(super) asked: Option<Downstream>,
    /// The revision of the prefixes that was looked at last.
    seen: Option<u32>,
    /// The addresses in the networks.
    addresses: Vec<TimedPrefix>,
}

/// The first address of a network of 64 bits out of a prefix; none if it has no such network.
fn first_address(prefix: Prefix, subnet: u32) -> Option<Prefix> {
    let IpAddr::V6(base) = prefix.network().address() else { return None };
    let bits = 64_u32.checked_sub(u32::from(prefix.length()))?;
    if bits < 32 && subnet >> bits != 0 {
        return None;
    }
    let address = base.to_bits() | u128::from(subnet) << 64 | 1;
    Prefix::new(IpAddr::V6(Ipv6Addr::from_bits(address)), 64).ok()
}

impl Networks {
    /// Takes over what a command says; true if that changed something.
    pub(super) fn set(&mut self, parts: &mut Parts<'_>, asked: Option<Downstream>) -> bool {
        if self.asked == asked {
            return false;
        }
        self.asked = asked;
        self.seen = None;
        self.apply(parts);
        true
    }

    /// Looks whether there are other prefixes; `waker` is woken when there are.
    pub(super) fn follow(&mut self, parts: &mut Parts<'_>, waker: &Waker) {
        if self.asked.is_none() {
            return;
        }
        let delegations = &parts.ip.host.delegations;
        delegations.register(waker);
        if self.seen != Some(delegations.revision()) {
            self.apply(parts);
        }
    }

    fn apply(&mut self, parts: &mut Parts<'_>) {
        let delegations = &parts.ip.host.delegations;
        self.seen = Some(delegations.revision());
        let prefixes = self.asked.as_ref().map(|asked| delegations.of(&asked.uplink));
        let subnet = self.asked.as_ref().map_or(0, |asked| asked.subnet);
        let network = |one: TimedPrefix| {
            Some(TimedPrefix { prefix: first_address(one.prefix, subnet)?, ..one })
        };
        let now: Vec<_> = prefixes.into_iter().flatten().filter_map(network).collect();
        parts.set_addresses(&self.addresses, &now);
        let advertises = self.asked.as_ref().is_some_and(|asked| asked.advertise);
        let networks = now.iter().filter(|_| advertises);
        let networks = networks.map(|one| TimedPrefix { prefix: one.prefix.network(), ..*one });
        let networks: Vec<_> = networks.collect();
        parts.advertiser.set_delegated(parts.cx, parts.ip, networks);
        event!(parts.cx, info, "devnet::dhcp6", "{} networks of an uplink", now.len());
        self.addresses = now;
    }

    /// Fills in what watchers observe.
    pub(super) fn write_summary(&self, summary: &mut Dhcp6Status) {
        let network = |one: &TimedPrefix| Dhcp6Prefix {
            prefix: one.prefix.network(),
            preferred_seconds: 0,
            valid_seconds: 0,
        };
        summary.networks = self.addresses.iter().map(network).collect();
    }

    /// Fills in what there is to say.
    pub(super) fn write_status(&self, cx: &Context, status: &mut Dhcp6Status) {
        status.downstream.clone_from(&self.asked);
        let lasts = |one: &&TimedPrefix| one.valid_until.is_none_or(|end| end > cx.now);
        let shown = |one: &TimedPrefix| {
            let network = TimedPrefix { prefix: one.prefix.network(), ..*one };
            shown(&network, cx.now)
        };
        status.networks = self.addresses.iter().filter(lasts).map(shown).collect();
    }
}

#[cfg(test)]
mod tests {
    use alloc::string::ToString;

    use super::*;

    #[test]
    fn a_network_is_within_its_prefix_or_none() {
        for (prefix, subnet, address) in [
            ("2001:db8:0:100::/56", 0, Some("2001:db8:0:100::1/64")),
            ("2001:db8:0:100::/56", 255, Some("2001:db8:0:1ff::1/64")),
            ("2001:db8:0:100::/56", 256, None),
            ("2001:db8::/64", 0, Some("2001:db8::1/64")),
            ("2001:db8::/64", 1, None),
            ("2001:db8::/32", u32::MAX, Some("2001:db8:ffff:ffff::1/64")),
            ("2000::/3", u32::MAX, Some("2000:0:ffff:ffff::1/64")),
        ] {
            let found = first_address(prefix.parse().unwrap(), subnet);
            assert_eq!(found.map(|found| found.to_string()).as_deref(), address, "{prefix}");
        }
    }
}
