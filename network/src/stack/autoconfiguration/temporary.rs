//! Temporary addresses (RFC 8981): beside each formed address one with a random identifier, which
//! a new one follows before it is deprecated.

use alloc::vec::Vec;
use core::net::{IpAddr, Ipv6Addr};
use core::time::Duration;

use super::{Autoconfiguration, identifiers};
use crate::address::Prefix;
use crate::command::address::{AddressState, NewAddress, Origin};
use crate::command::autoconfiguration::Privacy;
use crate::limits;
use crate::platform::Instant;
use crate::stack::addresses::{Address, Temporary};
use crate::stack::context::Context;
use crate::stack::ip::Ip;

/// REGEN_ADVANCE: how long before it is deprecated an address gets its follower: time for as many
/// probes as there may be retries (RFC 8981 §3.8).
const REGENERATE_AHEAD: Duration = Duration::from_secs(5);
/// TEMP_IDGEN_RETRIES (RFC 8981 §3.8).
const RETRIES: u8 = 3;

fn earlier(limit: Instant, until: Option<Instant>) -> Instant {
    until.map_or(limit, |until| until.min(limit))
}

/// The temporary addresses of the network of this one, with whether one of them is the newest.
fn in_network(ip: &Ip, prefix: Prefix) -> impl Iterator<Item = (&Address, &Temporary)> {
    let network = prefix.network();
    ip.addresses
        .iter()
        .filter(move |entry| entry.prefix.network() == network)
        .filter_map(|entry| Some((entry, entry.temporary()?)))
}

/// The formed addresses that are not temporary.
fn public(ip: &Ip) -> Vec<Prefix> {
    let is_public = |entry: &&Address| {
        entry.origin == Origin::RouterAdvertisement && entry.temporary().is_none()
    };
    ip.addresses.iter().filter(is_public).map(|entry| entry.prefix).collect()
}

impl Autoconfiguration {
    /// The lifetimes of a formed address changed: those of the temporary ones beside it follow, up
    /// to their limits (RFC 8981 §3.4). Without one there is one now.
    pub(super) fn follow(cx: &mut Context, ip: &mut Ip, public: IpAddr) {
        if !cfg!(feature = "details") {
            return;
        }
        let Some((prefix, valid, preferred)) = ip
            .addresses
            .find(public)
            .map(|entry| (entry.prefix, entry.valid_until, entry.preferred_until))
        else {
            return;
        };
        let known: Vec<(IpAddr, Temporary)> = in_network(ip, prefix)
            .map(|(entry, temporary)| (entry.prefix.address(), temporary.clone()))
            .collect();
        let is_on = cx.configuration.options.autoconfiguration.privacy != Privacy::Off;
        for (address, temporary) in &known {
            let Some(entry) = ip.addresses.find_mut(*address) else { continue };
            entry.valid_until = Some(earlier(temporary.valid_limit, valid));
            if is_on {
                let until = earlier(temporary.preferred_limit, preferred);
                entry.preferred_until = Some(until);
                if entry.state == AddressState::Deprecated && until > cx.now {
                    entry.state = AddressState::Preferred;
                }
            }
            ip.arm_address(cx, *address);
        }
        let has_newest = known.iter().any(|(_, temporary)| temporary.regenerate_at.is_some());
        if is_on && !has_newest {
            Self::form_temporary(cx, ip, public, 0);
        }
    }

    /// Forms a temporary address beside a formed one, unless that is deprecated soon or there are
    /// enough of them.
    fn form_temporary(cx: &mut Context, ip: &mut Ip, public: IpAddr, collisions: u8) {
        let Some(entry) = ip.addresses.find(public) else { return };
        let IpAddr::V6(network) = entry.prefix.address() else { return };
        let (valid, preferred) = (entry.valid_until, entry.preferred_until);
        let settings = &cx.configuration.options.autoconfiguration;
        let seconds = |seconds: u32| Duration::from_secs(u64::from(seconds));
        let (longest_valid, longest) = (settings.temporary_valid, settings.temporary_preferred);
        let count = ip.addresses.iter().filter(|entry| entry.temporary().is_some()).count();
        // DESYNC_FACTOR (RFC 8981 §3.8).
        let part = cx.random.below(longest / 10 * 4);
        let valid_limit = cx.now.after(seconds(longest_valid));
        let preferred_limit = cx.now.after(seconds(longest.saturating_sub(part))).min(valid_limit);
        let valid_until = earlier(valid_limit, valid);
        let until = earlier(preferred_limit, preferred).min(valid_until);
        if until.since(cx.now) <= REGENERATE_AHEAD || count >= limits::TEMPORARY_ADDRESSES {
            return;
        }
        let Some(prefix) = identifiers::joined(network, identifiers::random(cx)) else { return };
        let own = prefix.address();
        let new = NewAddress { prefix, broadcast: None };
        if ip.add_address(cx, &new, Origin::RouterAdvertisement).is_err() {
            return;
        }
        if let Some(entry) = ip.addresses.find_mut(own) {
            entry.valid_until = Some(valid_until);
            entry.preferred_until = Some(until);
            let regenerate_at = Instant::from_micros(
                until.as_micros().saturating_sub(REGENERATE_AHEAD.as_micros() as u64),
            );
            let regenerate_at = Some(regenerate_at);
            let temporary = Temporary { valid_limit, preferred_limit, regenerate_at };
            entry.set_temporary(temporary, collisions);
        }
        ip.arm_address(cx, own);
    }

    /// A temporary address is deprecated soon: its follower is formed.
    pub(crate) fn regenerate(cx: &mut Context, ip: &mut Ip, address: IpAddr) {
        if !cfg!(feature = "details") {
            return;
        }
        let Some(prefix) = ip.addresses.find(address).map(|entry| entry.prefix) else { return };
        let network = prefix.network();
        if let Some(own) = public(ip).into_iter().find(|own| own.network() == network) {
            Self::form_temporary(cx, ip, own.address(), 0);
        }
    }

    /// Another host has a temporary address: it is replaced, up to three times.
    pub(super) fn replace_temporary(cx: &mut Context, ip: &mut Ip, prefix: Prefix, collisions: u8) {
        // It was never used.
        let _ = ip.remove_address(cx, prefix);
        let network = prefix.network();
        let own = public(ip).into_iter().find(|own| own.network() == network);
        if let Some(own) = own.filter(|_| collisions < RETRIES) {
            Self::form_temporary(cx, ip, own.address(), collisions + 1);
        }
    }

    /// Begins or ends the use of temporary addresses.
    pub(crate) fn set_privacy(cx: &mut Context, ip: &mut Ip, privacy: Privacy) {
        ip.addresses.prefers_temporary = privacy == Privacy::Preferred;
        if privacy == Privacy::Off {
            for address in Self::temporaries(ip) {
                let Some(entry) = ip.addresses.find_mut(IpAddr::V6(address)) else { continue };
                entry.preferred_until = Some(cx.now);
                entry.end_regeneration();
                ip.arm_address(cx, IpAddr::V6(address));
            }
        } else {
            for own in public(ip) {
                Self::follow(cx, ip, own.address());
            }
        }
        ip.addresses_changed(cx);
    }

    /// The temporary addresses.
    pub(crate) fn temporaries(ip: &Ip) -> Vec<Ipv6Addr> {
        let address = |entry: &Address| match entry.prefix.address() {
            IpAddr::V6(address) if entry.temporary().is_some() => Some(address),
            _ => None,
        };
        ip.addresses.iter().filter_map(address).collect()
    }
}
