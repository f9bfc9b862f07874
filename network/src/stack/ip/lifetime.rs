//! The life of an address: duplicate address detection (RFC 4862 §5.4), its defense (RFC 5227
//! §2.4), preferred and valid lifetimes (RFC 4862 §5.5.4). Each address has one deadline in the
//! stack's timer heap.

use alloc::vec::Vec;
use core::net::{IpAddr, Ipv6Addr};
use core::time::Duration;

use super::Ip;
use crate::address::Prefix;
use crate::command::address::AddressState;
use crate::command::event::Event;
use crate::command::watch::Kinds;
use crate::platform::Instant;
use crate::stack::addresses::Temporary;
use crate::stack::context::Context;
use crate::stack::link::ArpMessage;
use crate::stack::timers::Timer;
use crate::trace::{dropped, event};

/// How long each probe of duplicate address detection waits (RFC 4861 §10: RETRANS_TIMER).
const DUPLICATE_DETECTION: Duration = Duration::from_secs(1);

/// DEFEND_INTERVAL: the least interval between two defenses of an address (RFC 5227 §1.1).
const DEFEND_INTERVAL: Duration = Duration::from_secs(10);

/// The result of an address' deadline.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Expired {
    /// None.
    Nothing,
    /// Duplicate address detection succeeded: the address is usable.
    Usable,
    /// A temporary address needs its follower.
    Regenerate(IpAddr),
    /// The valid lifetime ended: the address must be removed.
    Over(Prefix),
}

impl Ip {
    /// Starts duplicate address detection for every IPv6 address that is neither usable nor
    /// tentative, as after a link change (RFC 4862 §5.4): it was added while the link was down, or
    /// was a duplicate on the previous link.
    pub(crate) fn test_addresses(&mut self, cx: &mut Context) {
        let targets: Vec<Ipv6Addr> = self
            .addresses
            .iter()
            .filter_map(|entry| match entry.prefix.address() {
                IpAddr::V6(address) if !entry.is_usable() && entry.probe_at.is_none() => {
                    Some(address)
                }
                _ => None,
            })
            .collect();
        targets.into_iter().for_each(|target| self.start_duplicate_detection(cx, target));
    }

    /// Probes for duplicates, and makes the address preferred if nobody objects within a second of
    /// the last probe.
    pub(super) fn start_duplicate_detection(&mut self, cx: &mut Context, target: Ipv6Addr) {
        if !cfg!(feature = "ipv6") {
            return;
        }
        // Without neighbor discovery nobody would object.
        let options = &cx.configuration.options;
        let probes = if options.arp { options.autoconfiguration.probes } else { 0 };
        self.probe(cx, target, probes);
    }

    /// Sends the next of so many probes.
    fn probe(&mut self, cx: &mut Context, target: Ipv6Addr, probes: u8) {
        let has_probes = probes > 0;
        let deadline = if has_probes { cx.now.after(DUPLICATE_DETECTION) } else { cx.now };
        let [nonce @ .., _, _] = cx.random.u64().to_ne_bytes();
        if let Some(entry) = self.addresses.find_mut(IpAddr::V6(target)) {
            entry.state = AddressState::Tentative;
            entry.probe_at = Some(deadline);
            entry.nonce = nonce;
            entry.probes = probes.saturating_sub(1);
            self.arm_address(cx, IpAddr::V6(target));
            if has_probes {
                self.link.probe_duplicate(cx, &self.addresses, target, nonce);
            }
        }
    }

    /// A tentative address is a duplicate.
    pub(crate) fn duplicate_found(&mut self, cx: &mut Context, target: Ipv6Addr) {
        if let Some(entry) = self.addresses.find_mut(IpAddr::V6(target)) {
            entry.state = AddressState::Duplicated;
            entry.probe_at = None;
            event!(cx, warn, "devnet::interface", "another host has our address {}", target);
        }
        self.addresses_changed(cx);
    }

    /// Another host claims an address of ours: reports it to watchers and broadcasts one
    /// announcement, at most every ten seconds (RFC 5227 §2.4). False when it was defended that
    /// short ago.
    pub(super) fn defend(&mut self, cx: &mut Context, message: &ArpMessage) -> bool {
        dropped!(
            cx,
            Martian,
            "devnet::link",
            "{} claims our address {}",
            message.hardware,
            message.sender
        );
        let now = cx.now;
        let Some(entry) = self.addresses.find_mut(IpAddr::V4(message.sender)) else { return true };
        if entry.defended_at.is_some_and(|at| now < at.after(DEFEND_INTERVAL)) {
            return false;
        }
        entry.defended_at = Some(now);
        let prefix = entry.prefix;
        self.link.announce(cx, message.sender);
        if cx.watch.wants(Kinds::ADDRESS) {
            cx.watch.note(Event::Conflict(prefix, message.hardware));
        }
        true
    }

    /// Handles the deadline of an address: the end of its detection, preferred or valid lifetime.
    pub(crate) fn expire_address(
        &mut self,
        cx: &mut Context,
        address: IpAddr,
        deadline: Instant,
    ) -> Expired {
        let now = cx.now;
        let Some(entry) = self.addresses.find_mut(address) else { return Expired::Nothing };
        if entry.armed != Some(deadline) {
            return Expired::Nothing;
        }
        entry.armed = None;
        let mut is_new = false;
        let probes = entry.probes;
        if let (IpAddr::V6(target), 1.., AddressState::Tentative, Some(..), true) = (
            address,
            probes,
            entry.state,
            entry.probe_at.filter(|at| *at <= now),
            cfg!(feature = "ipv6"),
        ) {
            self.probe(cx, target, probes);
            return Expired::Nothing;
        }
        if entry.probe_at.is_some_and(|at| at <= now) {
            entry.probe_at = None;
            if entry.state == AddressState::Tentative {
                entry.state = AddressState::Preferred;
                is_new = true;
            }
        }
        if entry.state == AddressState::Preferred
            && entry.preferred_until.is_some_and(|until| until <= now)
        {
            entry.state = AddressState::Deprecated;
        }
        if entry.valid_until.is_some_and(|until| until <= now) {
            return Expired::Over(entry.prefix);
        }
        let has_due = |temporary: &Temporary| temporary.regenerate_at.is_some_and(|at| at <= now);
        let may_regenerate = cfg!(all(feature = "ipv6", feature = "details")) && !is_new;
        let regenerates = may_regenerate && entry.temporary().is_some_and(has_due);
        if regenerates {
            entry.end_regeneration();
        }
        self.arm_address(cx, address);
        self.addresses_changed(cx);
        if regenerates {
            return Expired::Regenerate(address);
        }
        if !is_new {
            return Expired::Nothing;
        }
        if matches!(address, IpAddr::V6(own) if own.is_unicast_link_local()) {
            self.repeat_ipv6_groups(cx);
        }
        Expired::Usable
    }

    /// Arms the timer of an address, unless an earlier entry is in the heap.
    pub(crate) fn arm_address(&mut self, cx: &mut Context, address: IpAddr) {
        let Some(entry) = self.addresses.find_mut(address) else { return };
        let preferred_until =
            entry.preferred_until.filter(|_| entry.state == AddressState::Preferred);
        let regenerate_at = entry.temporary().and_then(|temporary| temporary.regenerate_at);
        let deadlines = [entry.probe_at, preferred_until, entry.valid_until, regenerate_at];
        let Some(next) = deadlines.into_iter().flatten().min() else { return };
        cx.timers.arm_earlier(&mut entry.armed, next, Timer::Address(address));
    }
}
