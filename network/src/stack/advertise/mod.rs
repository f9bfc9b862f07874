//! Router advertisements that we send (RFC 4861 §6.2): prefixes, routes, name servers, domains and
//! prefixes of NAT64 for other hosts.
//!
//! Off unless a command says something to advertise. A solicitation gets a unicast advertisement;
//! multicast ones leave at the start, soon again, and then by chance within the interval. What is
//! removed is advertised once more, with lifetimes of 0. [`message`] has the bytes, `delegated`
//! the networks of an uplink's prefixes.

#[cfg(feature = "dhcp6")]
mod delegated;
mod message;

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::net::{IpAddr, Ipv6Addr};
use core::time::Duration;

use devnet_virtual_file_system::Error;

use super::context::Context;
use super::counters::Counter;
#[cfg(feature = "dhcp6")]
use super::delegations::TimedPrefix;
use super::ip::Ip;
use super::timers::Timer;
use super::wire::header::{Outgoing, length_for, protocol};
use super::wire::{icmp, ndp};
use crate::address::Prefix;
use crate::command::interface::Advertisement;
use crate::command::router::{AdvertisedNat64, RouterAdvertisement, RouterChange, RouterSettings};
use crate::dns_message::name;
use crate::limits;
use crate::platform::Instant;

/// MAX_INITIAL_RTR_ADVERTISEMENTS and MAX_INITIAL_RTR_ADVERT_INTERVAL (RFC 4861 §10).
const INITIAL: u8 = 3;
const INITIAL_INTERVAL: Duration = Duration::from_secs(16);
/// MIN_DELAY_BETWEEN_RAS (RFC 4861 §10).
const LEAST_INTERVAL: Duration = Duration::from_secs(3);
/// AdvDefaultLifetime is at most that many seconds (RFC 4861 §6.2.1).
const LONGEST_LIFETIME: u16 = 9000;
const INTERVALS: core::ops::RangeInclusive<u16> = 4..=1800;
/// AdvReachableTime is at most that many milliseconds.
const LONGEST_REACHABLE: u32 = 3_600_000;

/// What is advertised, and when next.
#[derive(Debug, Default)]
pub(crate) struct Advertiser {
    /// What commands ask for.
    asked: Option<Box<RouterAdvertisement>>,
    /// The same with the networks that were delegated.
    what: Option<Box<RouterAdvertisement>>,
    /// Networks of an uplink's prefixes, with their lifetimes.
    #[cfg(feature = "dhcp6")]
    delegated: Vec<TimedPrefix>,
    deadline: Option<Instant>,
    /// Multicast advertisements since the last change.
    sent: u8,
    /// When the last one left.
    last: Option<Instant>,
    /// What hosts are still to be told is over.
    over: Option<Box<RouterAdvertisement>>,
}

impl Advertiser {
    /// True while we act as a router.
    pub(crate) const fn is_on(&self) -> bool {
        cfg!(feature = "ipv6") && self.what.is_some()
    }

    /// What commands ask for.
    pub(crate) fn what(&self) -> Option<&RouterAdvertisement> {
        self.asked.as_deref()
    }

    /// Advertises a prefix and name servers, or nothing; returns true if that changed something.
    ///
    /// # Errors
    /// As [`replace`](Self::replace).
    pub(crate) fn set(
        &mut self,
        cx: &mut Context,
        ip: &mut Ip,
        what: Option<Advertisement>,
    ) -> Result<bool, Error> {
        let what = what.map(|what| RouterAdvertisement::of(&what)).transpose()?;
        self.replace(cx, ip, what)
    }

    /// Advertises something else; returns true if that changed something. What is no more part of
    /// it is over at once.
    ///
    /// # Errors
    /// `InvalidInput` for what cannot be advertised; `NoBufferSpace` for too much of it;
    /// `Unsupported` on media without hardware addresses.
    pub(crate) fn replace(
        &mut self,
        cx: &mut Context,
        ip: &mut Ip,
        what: Option<RouterAdvertisement>,
    ) -> Result<bool, Error> {
        if !cfg!(feature = "ipv6") {
            return Err(Error::Unsupported);
        }
        if let Some(what) = &what {
            check(cx, what)?;
        }
        if self.asked.as_deref() == what.as_ref() {
            return Ok(false);
        }
        self.asked = what.map(Box::new);
        self.take_effect(cx, ip);
        Ok(true)
    }

    /// Advertises networks of an uplink's prefixes beside what commands ask for. Those that are no
    /// more among them are over at once.
    #[cfg(feature = "dhcp6")]
    pub(crate) fn set_delegated(
        &mut self,
        cx: &mut Context,
        ip: &mut Ip,
        networks: Vec<TimedPrefix>,
    ) {
        self.delegated = networks;
        self.take_effect(cx, ip);
    }

    /// What is advertised now.
    fn effective(&self) -> Option<Box<RouterAdvertisement>> {
        #[cfg(feature = "dhcp6")]
        return delegated::with(self.asked.as_deref(), &self.delegated);
        #[cfg(not(feature = "dhcp6"))]
        self.asked.clone()
    }

    /// Advertises what is to be, if that is something else.
    fn take_effect(&mut self, cx: &mut Context, ip: &mut Ip) {
        let what = self.effective();
        if what == self.what {
            return;
        }
        let former = core::mem::replace(&mut self.what, what);
        if let Some(former) = former {
            self.end(cx, ip, &former);
        }
        ip.multicast.is_router = self.is_on();
        ip.update_address_groups(cx);
        self.sent = 0;
        let earliest = self.last.map(|last| last.after(LEAST_INTERVAL));
        match earliest.filter(|earliest| *earliest > cx.now) {
            Some(earliest) => self.arm(cx, earliest),
            None => self.advertise(cx, ip),
        }
    }

    fn arm(&mut self, cx: &mut Context, deadline: Instant) {
        self.deadline = Some(deadline);
        cx.timers.arm(deadline, Timer::Advertisement);
    }

    /// Changes what is advertised; returns true if that changed something.
    ///
    /// # Errors
    /// As [`replace`](Self::replace); `NotFound` for what is to be removed and not there.
    pub(crate) fn change(
        &mut self,
        cx: &mut Context,
        ip: &mut Ip,
        change: RouterChange,
    ) -> Result<bool, Error> {
        let mut what = self.asked.as_deref().cloned();
        RouterAdvertisement::apply(&mut what, change)?;
        self.replace(cx, ip, what)
    }

    /// Multicasts an advertisement and arms the timer for the next one.
    pub(crate) fn advertise(&mut self, cx: &mut Context, ip: &mut Ip) {
        self.deadline = None;
        let Some(what) = self.what.as_deref().filter(|_| self.is_on() && cx.is_running()) else {
            return;
        };
        #[cfg(feature = "dhcp6")]
        let what = &delegated::now(what, &self.delegated, cx.now);
        send(cx, ip, ndp::ALL_NODES, what, None);
        if let Some(over) = self.over.take() {
            send(cx, ip, ndp::ALL_NODES, &over, Some(false));
        }
        self.last = Some(cx.now);
        let longest = u32::from(what.settings.interval_seconds) * 1000;
        let shortest = longest / 3;
        let wait = shortest + cx.random.below(longest - shortest);
        let mut wait = Duration::from_millis(u64::from(wait));
        self.sent = self.sent.saturating_add(1);
        if self.sent < INITIAL {
            wait = wait.min(INITIAL_INTERVAL);
        }
        self.arm(cx, cx.now.after(wait));
    }

    /// Handles the deadline.
    pub(crate) fn expire(&mut self, cx: &mut Context, ip: &mut Ip, deadline: Instant) {
        if self.deadline == Some(deadline) {
            self.advertise(cx, ip);
        }
    }

    /// Answers a router solicitation.
    pub(crate) fn answer(&mut self, cx: &mut Context, ip: &mut Ip, source: Ipv6Addr) {
        let to = if source.is_unspecified() { ndp::ALL_NODES } else { source };
        if let Some(what) = &self.what {
            #[cfg(feature = "dhcp6")]
            let what = &delegated::now(what, &self.delegated, cx.now);
            send(cx, ip, to, what, None);
        }
    }

    /// Hosts are told what of a former advertisement is over (RFC 4861 §6.2.8): with the next one,
    /// or at once when there is none (§6.2.5).
    fn end(&mut self, cx: &mut Context, ip: &mut Ip, former: &RouterAdvertisement) {
        let mut over = former.clone();
        if let Some(earlier) = self.over.take() {
            over.join(*earlier);
        }
        let nothing = RouterAdvertisement::default();
        let now = self.what.as_deref().unwrap_or(&nothing);
        let is_anything = over.end(now);
        if self.what.is_some() {
            over.settings = now.settings;
            self.over = is_anything.then(|| Box::new(over));
        } else if cx.is_running() {
            send(cx, ip, ndp::ALL_NODES, &over, Some(true));
            self.last = Some(cx.now);
        }
    }
}

/// Whether something can be advertised.
///
/// # Errors
/// As [`Advertiser::replace`].
pub(crate) fn check(cx: &Context, what: &RouterAdvertisement) -> Result<(), Error> {
    if cx.configuration.hardware_address.is_none() {
        return Err(Error::Unsupported);
    }
    let RouterAdvertisement { settings, prefixes, routes, dns_servers, domains, nat64 } = what;
    if prefixes.len() > limits::ADVERTISED_PREFIXES
        || routes.len() > limits::ADVERTISED_ROUTES
        || dns_servers.len() > limits::DNS_SERVERS
        || domains.len() > limits::SEARCH_DOMAINS
        || nat64.len() > limits::ADVERTISED_NAT64
    {
        return Err(Error::NoBufferSpace);
    }
    let is_possible = is_possible(settings, cx.configuration.mtu)
        && prefixes.iter().all(|one| {
            is_usable(one.prefix)
                && one.preferred_seconds <= one.valid_seconds
                && (!one.autonomous || one.prefix.length() == 64)
        })
        && routes.iter().all(|one| is_usable(one.prefix))
        && dns_servers.iter().all(|one| !one.is_unspecified() && !one.is_multicast())
        && domains.iter().all(|one| name::check_name(one).is_ok() && !one.is_empty())
        && nat64.iter().all(is_nat64);
    if is_possible { Ok(()) } else { Err(Error::InvalidInput) }
}

fn is_possible(settings: &RouterSettings, mtu: usize) -> bool {
    let RouterSettings { lifetime_seconds, interval_seconds, .. } = *settings;
    let is_mtu = settings.mtu.is_none_or(|wanted| {
        let wanted = usize::try_from(wanted).unwrap_or(usize::MAX);
        (limits::MTU_MINIMUM_IPV6..=mtu).contains(&wanted)
    });
    INTERVALS.contains(&interval_seconds)
        && (lifetime_seconds == 0
            || (interval_seconds..=LONGEST_LIFETIME).contains(&lifetime_seconds))
        && settings.reachable_milliseconds <= LONGEST_REACHABLE
        && is_mtu
}

/// True for a prefix that hosts take: IPv6, neither link-local nor of groups.
fn is_usable(prefix: Prefix) -> bool {
    let IpAddr::V6(address) = prefix.address() else { return false };
    prefix.is_valid() && !address.is_multicast() && !address.is_unicast_link_local()
}

fn is_nat64(what: &AdvertisedNat64) -> bool {
    is_usable(what.prefix)
        && message::nat64_code(what.prefix.length()).is_some()
        && what.lifetime_seconds <= !7
}

/// Sends what is advertised, in as many packets as it needs. With `over`, names are over now, and
/// whether the router is, too.
fn send(
    cx: &mut Context,
    ip: &mut Ip,
    to: Ipv6Addr,
    what: &RouterAdvertisement,
    over: Option<bool>,
) {
    // Routers send from their link-local address, which must be usable (RFC 4861 §6.1.2).
    let (Some(ours), Some(source)) = (cx.configuration.hardware_address, ip.addresses.link_local())
    else {
        return;
    };
    let mut options = Vec::new();
    message::link_layer(&mut options, ours);
    what.settings.mtu.into_iter().for_each(|mtu| message::mtu(&mut options, mtu));
    what.prefixes.iter().for_each(|one| message::prefix(&mut options, one));
    what.routes.iter().for_each(|one| message::route(&mut options, one));
    // Three intervals (RFC 8106 §5.1).
    let names = u32::from(what.settings.interval_seconds) * 3;
    let names = if over.is_some() { 0 } else { names };
    message::dns_servers(&mut options, &what.dns_servers, names);
    message::domains(&mut options, &what.domains, names);
    what.nat64.iter().for_each(|one| message::nat64(&mut options, one));
    let head = message::head(&what.settings, over == Some(true));
    let outgoing = Outgoing {
        source,
        destination: IpAddr::V6(to),
        protocol: protocol::ICMPV6,
        hop_limit: ndp::HOP_LIMIT,
        traffic_class: 0,
    };
    let most = cx.configuration.mtu.saturating_sub(length_for(outgoing.destination));
    for message in message::messages(head, &options, most) {
        let frame = icmp::packet(&mut cx.pool, &outgoing, &message);
        cx.counters.count(true, Counter::IpOutRequests);
        cx.counters.count(true, Counter::IcmpOutMsgs);
        // The next interval repairs a lost advertisement.
        let _ = ip.transmit(cx, frame, outgoing.destination);
    }
}
