//! IPv6 addresses that come by themselves: link-local ones, duplicate detection, and what router
//! advertisements bring (RFC 4862, RFC 4861 §6.3, RFC 8106).
//!
//! Called by the stack when the link comes up, by NDP for advertisements and by the timers.
//! Everything that an advertisement can add is bounded by the tables it goes into, and none of it
//! replaces what a command put there.

use core::net::{IpAddr, Ipv6Addr};
use core::time::Duration;

use virtual_file_system::Error;

use crate::address::Prefix;
use crate::command::address::{AddressState, NewAddress, Origin};
use crate::command::route::RouteSelector;
use crate::limits;
use crate::platform::Instant;
use crate::stack::Stack;
use crate::stack::ip::quote::u32_at;
use crate::stack::ip::routes::Route;
use crate::stack::link::ndp;
use crate::stack::link::neighbor::Timing;
use crate::stack::timers::Timer;

/// How long a tentative address is tested (RFC 4861 §10: RETRANS_TIMER, with DupAddrDetectTransmits
/// = 1).
const DUPLICATE_DETECTION: Duration = Duration::from_secs(1);
/// Router solicitations and the time between them (RFC 4861 §10).
const SOLICITATIONS: u8 = 3;
const SOLICITATION_INTERVAL: Duration = Duration::from_secs(4);
/// An advertised lifetime without end.
const INFINITE: u32 = u32::MAX;
/// Valid lifetimes are not shortened below this by an unauthenticated advertisement (RFC 4862
/// §5.5.3 (e)).
const TWO_HOURS: u32 = 7200;
/// The longest time that an advertisement may name for neighbors (RFC 4861 §6.2.1).
const HOUR: Duration = Duration::from_secs(3600);
/// The most routers whose default routes are kept.
const ROUTERS: usize = 4;

/// Something that a router told and that is true for a time only.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Advertised {
    /// A default router.
    Router(IpAddr),
    /// A recursive DNS server.
    DnsServer(IpAddr),
}

const OPTION_PREFIX: u8 = 3;
const OPTION_MTU: u8 = 5;
const OPTION_DNS_SERVERS: u8 = 25;

impl Stack {
    /// The link can carry IPv6 from now on: makes the link-local address and looks for routers.
    pub(crate) fn start_ipv6(&mut self) {
        let Some(hardware) = self.configuration.hardware_address else { return };
        if self.is_loopback() || self.configuration.mtu < limits::MTU_MINIMUM_IPV6 {
            return;
        }
        let address = IpAddr::V6(hardware.link_local());
        if self.addresses.find(address).is_none()
            && let Ok(prefix) = Prefix::new(address, 64)
        {
            let new = NewAddress { prefix, broadcast: None };
            // The table may be full of manual addresses; then there is no link-local one.
            let _ = self.add_address(&new, Origin::Kernel);
        }
        self.test_addresses();
        // What the former link's routers told need not be true on this one; they are asked at once.
        self.forget_advertised(|_| true);
        self.neighbors.set_timing(Timing::default());
        self.solicitations = 0;
        let wait = Duration::from_millis(u64::from(self.random.below(1000)));
        self.arm_solicitation(self.now.after(wait));
    }

    /// Tests every IPv6 address that is not in use and not under test, as after a link change (RFC
    /// 4862 §5.4): one that was added while the link was down, and one that somebody else had on
    /// the former link.
    fn test_addresses(&mut self) {
        let targets: alloc::vec::Vec<Ipv6Addr> = self
            .addresses
            .iter()
            .filter_map(|entry| match entry.prefix.address() {
                IpAddr::V6(address) if !entry.is_usable() && entry.probe_at.is_none() => {
                    Some(address)
                }
                _ => None,
            })
            .collect();
        targets.into_iter().for_each(|target| self.start_duplicate_detection(target));
    }

    /// Asks whether somebody has the address, and makes it preferred if nobody objects within a
    /// second.
    pub(crate) fn start_duplicate_detection(&mut self, target: Ipv6Addr) {
        let deadline = self.now.after(DUPLICATE_DETECTION);
        if let Some(entry) = self.addresses.find_mut(IpAddr::V6(target)) {
            entry.state = AddressState::Tentative;
            entry.probe_at = Some(deadline);
            self.arm_address(IpAddr::V6(target));
            self.duplicate_probe(target);
        }
    }

    /// Somebody else has, or tests, a tentative address.
    pub(crate) fn duplicate_found(&mut self, target: Ipv6Addr) {
        if let Some(entry) = self.addresses.find_mut(IpAddr::V6(target)) {
            entry.state = AddressState::Duplicated;
            entry.probe_at = None;
        }
        self.addresses_changed();
    }

    /// Handles the deadline of an address: end of its test, of its preference, of its life.
    pub(crate) fn address_expired(&mut self, address: IpAddr, deadline: Instant) {
        let now = self.now;
        let Some(entry) = self.addresses.find_mut(address) else { return };
        if entry.armed != Some(deadline) {
            return;
        }
        entry.armed = None;
        let mut is_new = false;
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
            let prefix = entry.prefix;
            // It was found just above.
            let _ = self.remove_address(prefix);
            return;
        }
        self.arm_address(address);
        self.addresses_changed();
        if is_new {
            if matches!(address, IpAddr::V6(own) if own.is_unicast_link_local()) {
                self.repeat_ipv6_groups();
            }
            // A router may speak as soon as it has an address to speak from.
            self.advertise();
        }
    }

    /// Puts the address' next deadline into the heap, unless an earlier one stands there already.
    fn arm_address(&mut self, address: IpAddr) {
        let Some(entry) = self.addresses.find_mut(address) else { return };
        let preferred_until =
            entry.preferred_until.filter(|_| entry.state == AddressState::Preferred);
        let Some(next) =
            [entry.probe_at, preferred_until, entry.valid_until].into_iter().flatten().min()
        else {
            return;
        };
        if entry.armed.is_none_or(|armed| next < armed) {
            entry.armed = Some(next);
            self.timers.arm(next, Timer::Address(address));
        }
    }

    fn arm_solicitation(&mut self, deadline: Instant) {
        self.solicitation_at = Some(deadline);
        self.timers.arm(deadline, Timer::RouterSolicitation);
    }

    /// Sends the next router solicitation, unless a router answered or three were sent.
    pub(crate) fn solicitation_expired(&mut self, deadline: Instant) {
        if self.solicitation_at != Some(deadline) {
            return;
        }
        self.solicitation_at = None;
        if !self.is_running() || self.solicitations >= SOLICITATIONS {
            return;
        }
        self.solicitations += 1;
        self.router_solicitation();
        if self.solicitations < SOLICITATIONS {
            self.arm_solicitation(self.now.after(SOLICITATION_INTERVAL));
        }
    }

    /// Takes a router advertisement (RFC 4861 §6.3.4). `None` when it is malformed.
    pub(crate) fn router_advertisement_input(
        &mut self,
        source: Ipv6Addr,
        message: &[u8],
    ) -> Option<()> {
        let lifetime = u16::from_be_bytes(*message.get(6..)?.first_chunk()?);
        let options = ndp::options(message.get(16..)?)?;
        if !source.is_unicast_link_local() {
            return None;
        }
        self.set_router(source, lifetime);
        self.set_neighbor_timing(message);
        for (kind, body) in options {
            match kind {
                OPTION_PREFIX => self.prefix_option(body),
                OPTION_DNS_SERVERS => self.dns_option(body),
                OPTION_MTU => self.mtu_option(body),
                _ => {}
            }
        }
        Some(())
    }

    /// Takes note of how long a router may be used; 0 ends that.
    pub(crate) fn set_router(&mut self, router: Ipv6Addr, lifetime: u16) {
        let gateway = IpAddr::V6(router);
        let is_known = self.routes.iter().any(|route| {
            route.gateway == Some(gateway) && route.origin == Origin::RouterAdvertisement
        });
        if lifetime == 0 {
            if is_known {
                let selector = RouteSelector {
                    destination: Prefix::DEFAULT_IPV6,
                    gateway: Some(gateway),
                    metric: None,
                    interface: None,
                };
                // A static route through the same router may come first; then it goes with the
                // router.
                let _ = self.routes.remove(&selector);
            }
            self.advertised.retain(|(known, _)| *known != Advertised::Router(gateway));
            return;
        }
        self.remember_advertised(Advertised::Router(gateway), u32::from(lifetime));
        self.solicitation_at = None;
        let routers =
            self.routes.iter().filter(|route| route.origin == Origin::RouterAdvertisement).count();
        if !is_known && routers < ROUTERS {
            let route = Route {
                destination: Prefix::DEFAULT_IPV6,
                gateway: Some(gateway),
                metric: self.configuration.metric,
                origin: Origin::RouterAdvertisement,
                source: None,
            };
            // Without a link-local address of our own the router is not on-link; the next
            // advertisement tries again.
            let _ = self.routes.add(route, true);
        }
    }

    /// Prefix information (RFC 4861 §4.6.2, RFC 4862 §5.5.3). An option that is too short or says
    /// nothing usable is skipped.
    fn prefix_option(&mut self, body: &[u8]) {
        let (Some([length, flags]), Some(valid), Some(preferred), Some(prefix)) = (
            body.first_chunk::<2>(),
            body.get(2..)
                .and_then(|bytes| bytes.first_chunk())
                .map(|bytes| u32::from_be_bytes(*bytes)),
            body.get(6..)
                .and_then(|bytes| bytes.first_chunk())
                .map(|bytes| u32::from_be_bytes(*bytes)),
            body.get(14..)
                .and_then(|bytes| bytes.first_chunk())
                .map(|bytes: &[u8; 16]| Ipv6Addr::from_octets(*bytes)),
        ) else {
            return;
        };
        const AUTONOMOUS: u8 = 0x40;
        let Some(hardware) = self.configuration.hardware_address else { return };
        if flags & AUTONOMOUS == 0
            || *length != 64
            || preferred > valid
            || prefix.is_unicast_link_local()
            || prefix.is_multicast()
        {
            return;
        }
        let interface_identifier = hardware.link_local().to_bits() & u128::from(u64::MAX);
        let address =
            Ipv6Addr::from_bits(prefix.to_bits() & !u128::from(u64::MAX) | interface_identifier);
        let Ok(new) = Prefix::new(IpAddr::V6(address), 64) else { return };
        self.set_advertised_address(new, valid, preferred);
    }

    fn set_advertised_address(&mut self, prefix: Prefix, valid: u32, preferred: u32) {
        let address = prefix.address();
        if self.addresses.find(address).is_none() {
            let new = NewAddress { prefix, broadcast: None };
            let told = self
                .addresses
                .iter()
                .filter(|entry| entry.origin == Origin::RouterAdvertisement)
                .count();
            if valid == 0
                || told >= limits::ADVERTISED_ADDRESSES
                || self.add_address(&new, Origin::RouterAdvertisement).is_err()
            {
                return;
            }
        }
        let now = self.now;
        let until = |seconds: u32| {
            (seconds != INFINITE).then(|| now.after(Duration::from_secs(u64::from(seconds))))
        };
        let Some(entry) = self.addresses.find_mut(address) else { return };
        if entry.origin != Origin::RouterAdvertisement {
            return;
        }
        let remaining = entry.valid_until.map_or(INFINITE, |until| {
            u32::try_from(until.since(now).as_secs()).unwrap_or(INFINITE)
        });
        let is_new = entry.valid_until.is_none() && entry.preferred_until.is_none();
        if valid > TWO_HOURS || valid > remaining || is_new {
            entry.valid_until = until(valid);
        } else if remaining > TWO_HOURS {
            entry.valid_until = until(TWO_HOURS);
        }
        entry.preferred_until = until(preferred);
        if entry.state == AddressState::Deprecated && preferred > 0 {
            entry.state = AddressState::Preferred;
        }
        self.arm_address(address);
    }

    /// Recursive DNS servers (RFC 8106 §5.1).
    fn dns_option(&mut self, body: &[u8]) {
        let Some((head, servers)) = body.split_at_checked(6) else { return };
        let Some(lifetime) = head
            .get(2..)
            .and_then(|bytes| bytes.first_chunk())
            .map(|bytes| u32::from_be_bytes(*bytes))
        else {
            return;
        };
        for server in servers.as_chunks::<16>().0 {
            let address = IpAddr::V6(Ipv6Addr::from_octets(*server));
            if lifetime == 0 {
                self.forget_advertised(|known| known == Advertised::DnsServer(address));
            } else if self.add_dns_server(address, Origin::RouterAdvertisement).is_ok()
                || self.dns_servers.contains(&(address, Origin::RouterAdvertisement))
            {
                self.remember_advertised(Advertised::DnsServer(address), lifetime);
            }
        }
    }

    /// Notes until when something that a router told is true.
    fn remember_advertised(&mut self, what: Advertised, seconds: u32) {
        self.advertised.retain(|(known, _)| *known != what);
        if seconds == INFINITE {
            return;
        }
        let until = self.now.after(Duration::from_secs(u64::from(seconds)));
        self.advertised.push((what, until));
        self.arm_advertised();
    }

    fn arm_advertised(&mut self) {
        let Some(next) = self.advertised.iter().map(|(_, until)| *until).min() else { return };
        if self.advertised_armed.is_none_or(|armed| next < armed) {
            self.advertised_armed = Some(next);
            self.timers.arm(next, Timer::Advertised);
        }
    }

    /// Takes back what no router confirmed in time (RFC 4861 §6.3.5, RFC 8106 §5.1).
    pub(crate) fn advertised_expired(&mut self, deadline: Instant) {
        if self.advertised_armed != Some(deadline) {
            return;
        }
        self.advertised_armed = None;
        let now = self.now;
        let over: alloc::vec::Vec<Advertised> = self
            .advertised
            .iter()
            .filter(|(_, until)| *until <= now)
            .map(|(what, _)| *what)
            .collect();
        self.forget_advertised(|what| over.contains(&what));
        self.arm_advertised();
    }

    /// Finds room for a name server: routers cannot keep out what a person or a lease names, so the
    /// last that one told gives way (RA-01).
    ///
    /// # Errors
    /// `NoBufferSpace`.
    pub(crate) fn make_room_for_server(&mut self, origin: Origin) -> Result<(), Error> {
        if self.dns_servers.len() < limits::DNS_SERVERS {
            return Ok(());
        }
        let told = self
            .dns_servers
            .iter()
            .rfind(|(_, origin)| *origin == Origin::RouterAdvertisement)
            .copied();
        let (last, _) =
            told.filter(|_| origin != Origin::RouterAdvertisement).ok_or(Error::NoBufferSpace)?;
        self.forget_advertised(|known| known == Advertised::DnsServer(last));
        Ok(())
    }

    /// Takes back routes and name servers that routers told.
    fn forget_advertised(&mut self, goes: impl Fn(Advertised) -> bool) {
        self.advertised.retain(|(what, _)| !goes(*what));
        self.dns_servers.retain(|(server, origin)| {
            *origin != Origin::RouterAdvertisement || !goes(Advertised::DnsServer(*server))
        });
        self.routes.retain(|route| {
            let told = route.gateway.filter(|_| route.origin == Origin::RouterAdvertisement);
            !told.is_some_and(|gateway| goes(Advertised::Router(gateway)))
        });
    }

    /// Reachable and retransmission times, 0 for no opinion (RFC 4861 §6.3.4); what would flood the
    /// link or never ask is ignored (NBR-16).
    fn set_neighbor_timing(&mut self, message: &[u8]) {
        let milliseconds =
            |at: usize| u32_at(message, at).map(|value| Duration::from_millis(u64::from(value)));
        let within = |value: Option<Duration>, least: u64, known: Duration| {
            value
                .filter(|value| (Duration::from_millis(least)..=HOUR).contains(value))
                .unwrap_or(known)
        };
        let known = self.neighbors.told_timing();
        self.neighbors.set_timing(Timing {
            reachable: within(milliseconds(8), 1, known.reachable),
            retransmit: within(milliseconds(12), 100, known.retransmit),
        });
    }

    fn mtu_option(&mut self, body: &[u8]) {
        let Some(mtu) = body
            .get(2..)
            .and_then(|bytes| bytes.first_chunk())
            .map(|bytes| u32::from_be_bytes(*bytes))
        else {
            return;
        };
        let mtu = usize::try_from(mtu).unwrap_or(usize::MAX);
        if (limits::MTU_MINIMUM_IPV6..=self.configuration.mtu).contains(&mtu) {
            self.link_mtu_ipv6 = Some(mtu);
        }
    }
}
