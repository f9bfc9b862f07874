//! IPv6 autoconfiguration: link-local addresses, duplicate address detection, and the contents of
//! router advertisements (RFC 4862, RFC 4861 §6.3, RFC 8106).
//!
//! The stack calls it when the link comes up, NDP for advertisements, and the timers. The tables
//! bound everything that an advertisement can add, and it replaces nothing that a command added.

use alloc::vec::Vec;
use core::net::{IpAddr, Ipv6Addr};
use core::time::Duration;

use crate::address::Prefix;
use crate::command::address::{AddressState, NewAddress, Origin};
use crate::command::route::RouteSelector;
use crate::limits;
use crate::platform::Instant;
use crate::stack::addresses::Address;
use crate::stack::context::Context;
use crate::stack::ip::Ip;
use crate::stack::ip::ingress::Packet;
use crate::stack::link::Discovery;
use crate::stack::link::neighbor::Timing;
use crate::stack::name_servers::NameServers;
use crate::stack::routes::Route;
use crate::stack::timers::Timer;
use crate::stack::wire::ndp::{self, option};
use crate::stack::wire::quote::u32_at;

/// MAX_RTR_SOLICITATIONS and RTR_SOLICITATION_INTERVAL (RFC 4861 §10).
const SOLICITATIONS: u8 = 3;
const SOLICITATION_INTERVAL: Duration = Duration::from_secs(4);
/// The advertised lifetime "infinity".
const INFINITE: u32 = u32::MAX;
/// An unauthenticated advertisement does not shorten a valid lifetime below two hours (RFC 4862
/// §5.5.3 (e)).
const TWO_HOURS: u32 = 7200;
/// The longest reachable or retransmission time that an advertisement may set (RFC 4861 §6.2.1).
const HOUR: Duration = Duration::from_secs(3600);
/// The most default routers that are kept.
const ROUTERS: usize = 4;

/// Something that a router advertised with a lifetime.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Advertised {
    /// A default router.
    Router(IpAddr),
    /// A recursive DNS server.
    DnsServer(IpAddr),
}

/// The state of autoconfiguration.
#[derive(Debug, Default)]
pub(crate) struct Autoconfiguration {
    /// Router solicitations sent since the link came up.
    solicitations: u8,
    solicitation_at: Option<Instant>,
    /// What routers advertised, and when it expires.
    advertised: Vec<(Advertised, Instant)>,
    /// The deadline of the entry in the timer heap for `advertised`.
    armed: Option<Instant>,
}

impl Autoconfiguration {
    /// IPv6 becomes usable on the link: adds the link-local address and solicits routers.
    pub(crate) fn start(&mut self, cx: &mut Context, ip: &mut Ip, names: &mut NameServers) {
        let Some(hardware) = cx.configuration.hardware_address else { return };
        if cx.is_loopback() || cx.configuration.mtu < limits::MTU_MINIMUM_IPV6 {
            return;
        }
        let address = IpAddr::V6(hardware.link_local());
        if ip.addresses.find(address).is_none()
            && let Ok(prefix) = Prefix::new(address, 64)
        {
            let new = NewAddress { prefix, broadcast: None };
            // If the table is full of manual addresses, there is no link-local one.
            let _ = ip.add_address(cx, &new, Origin::Kernel);
        }
        ip.test_addresses(cx);
        // Advertisements of the previous link may be wrong on this one; its routers are solicited
        // at once.
        self.withdraw(ip, names, |_| true);
        ip.link.neighbors.set_timing(Timing::default());
        self.solicitations = 0;
        let wait = Duration::from_millis(u64::from(cx.random.below(1000)));
        let deadline = cx.now.after(wait);
        self.arm_solicitation(cx, deadline);
    }

    fn arm_solicitation(&mut self, cx: &mut Context, deadline: Instant) {
        self.solicitation_at = Some(deadline);
        cx.timers.arm(deadline, Timer::RouterSolicitation);
    }

    /// Sends the next router solicitation, unless a router answered or three were sent.
    pub(crate) fn expire_solicitation(&mut self, cx: &mut Context, ip: &mut Ip, deadline: Instant) {
        if self.solicitation_at != Some(deadline) {
            return;
        }
        self.solicitation_at = None;
        if !cx.is_running() || self.solicitations >= SOLICITATIONS {
            return;
        }
        self.solicitations += 1;
        ip.link.solicit_routers(cx, &ip.addresses);
        if self.solicitations < SOLICITATIONS {
            let deadline = cx.now.after(SOLICITATION_INTERVAL);
            self.arm_solicitation(cx, deadline);
        }
    }

    /// Processes a neighbor discovery message with a correct checksum. Returns the sender of a
    /// router solicitation, for the advertiser.
    pub(crate) fn receive(
        &mut self,
        cx: &mut Context,
        ip: &mut Ip,
        names: &mut NameServers,
        packet: &Packet,
    ) -> Option<Ipv6Addr> {
        let message = packet.payload();
        match ip.link.receive_discovery(cx, &ip.addresses, &packet.header, message) {
            Discovery::Nothing => {}
            Discovery::Duplicate(address) => ip.duplicate_found(cx, address),
            Discovery::NoRouter(address) => self.set_router(cx, ip, address, 0),
            Discovery::Solicitation(source) => return Some(source),
            Discovery::Advertisement(source) => {
                if self.receive_advertisement(cx, ip, names, source, message).is_none() {
                    cx.statistics.received_drops.malformed += 1;
                }
            }
        }
        None
    }

    /// Processes a router advertisement (RFC 4861 §6.3.4). `None` when it is malformed.
    fn receive_advertisement(
        &mut self,
        cx: &mut Context,
        ip: &mut Ip,
        names: &mut NameServers,
        source: Ipv6Addr,
        message: &[u8],
    ) -> Option<()> {
        let lifetime = u16::from_be_bytes(*message.get(6..)?.first_chunk()?);
        let options = ndp::options(message.get(16..)?)?;
        if !source.is_unicast_link_local() {
            return None;
        }
        self.set_router(cx, ip, source, lifetime);
        Self::set_neighbor_timing(ip, message);
        for (kind, body) in options {
            match kind {
                option::PREFIX => Self::prefix_option(cx, ip, body),
                option::DNS_SERVERS => self.dns_option(cx, ip, names, body),
                option::MTU => {
                    let mtu = u32_at(body, 2).and_then(|mtu| usize::try_from(mtu).ok());
                    mtu.into_iter().for_each(|mtu| ip.set_link_mtu_ipv6(cx, mtu));
                }
                _ => {}
            }
        }
        Some(())
    }

    /// Updates the lifetime of a default router; 0 removes it.
    fn set_router(&mut self, cx: &mut Context, ip: &mut Ip, router: Ipv6Addr, lifetime: u16) {
        let gateway = IpAddr::V6(router);
        let is_known = ip.routes.iter().any(|route| {
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
                // A static route through the same router may come first; then it is removed with
                // the router.
                let _ = ip.routes.remove(&selector);
            }
            self.advertised.retain(|(known, _)| *known != Advertised::Router(gateway));
            return;
        }
        self.set_expiry(cx, Advertised::Router(gateway), u32::from(lifetime));
        self.solicitation_at = None;
        let routers =
            ip.routes.iter().filter(|route| route.origin == Origin::RouterAdvertisement).count();
        if !is_known && routers < ROUTERS {
            let route = Route {
                destination: Prefix::DEFAULT_IPV6,
                gateway: Some(gateway),
                metric: cx.configuration.metric,
                origin: Origin::RouterAdvertisement,
                source: None,
            };
            // Without a link-local address of our own the router is not on-link; the next
            // advertisement tries again.
            let _ = ip.routes.add(route, true);
        }
    }

    /// Processes a Prefix Information option (RFC 4861 §4.6.2, RFC 4862 §5.5.3). Skips it when it
    /// is too short or unusable.
    fn prefix_option(cx: &mut Context, ip: &mut Ip, body: &[u8]) {
        let (Some([length, flags]), Some(valid), Some(preferred), Some(prefix)) = (
            body.first_chunk::<2>(),
            u32_at(body, 2),
            u32_at(body, 6),
            body.get(14..)
                .and_then(|bytes| bytes.first_chunk())
                .map(|bytes: &[u8; 16]| Ipv6Addr::from_octets(*bytes)),
        ) else {
            return;
        };
        const AUTONOMOUS: u8 = 0x40;
        let Some(hardware) = cx.configuration.hardware_address else { return };
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
        Self::set_address(cx, ip, new, valid, preferred);
    }

    fn set_address(cx: &mut Context, ip: &mut Ip, prefix: Prefix, valid: u32, preferred: u32) {
        let address = prefix.address();
        if ip.addresses.find(address).is_none() {
            let new = NewAddress { prefix, broadcast: None };
            let is_advertised = |entry: &&Address| entry.origin == Origin::RouterAdvertisement;
            let advertised = ip.addresses.iter().filter(is_advertised).count();
            if valid == 0
                || advertised >= limits::ADVERTISED_ADDRESSES
                || ip.add_address(cx, &new, Origin::RouterAdvertisement).is_err()
            {
                return;
            }
        }
        let now = cx.now;
        let until = |seconds: u32| {
            (seconds != INFINITE).then(|| now.after(Duration::from_secs(u64::from(seconds))))
        };
        let Some(entry) = ip.addresses.find_mut(address) else { return };
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
        ip.arm_address(cx, address);
    }

    /// Processes a Recursive DNS Server option (RFC 8106 §5.1).
    fn dns_option(&mut self, cx: &mut Context, ip: &mut Ip, names: &mut NameServers, body: &[u8]) {
        let Some((head, servers)) = body.split_at_checked(6) else { return };
        let Some(lifetime) = u32_at(head, 2) else { return };
        for server in servers.as_chunks::<16>().0 {
            let address = IpAddr::V6(Ipv6Addr::from_octets(*server));
            if lifetime == 0 {
                self.withdraw(ip, names, |known| known == Advertised::DnsServer(address));
            } else if names.add(address, Origin::RouterAdvertisement).is_ok()
                || names.contains(address, Origin::RouterAdvertisement)
            {
                self.set_expiry(cx, Advertised::DnsServer(address), lifetime);
            }
        }
    }

    /// Records the expiry of something that a router advertised.
    fn set_expiry(&mut self, cx: &mut Context, what: Advertised, seconds: u32) {
        self.advertised.retain(|(known, _)| *known != what);
        if seconds == INFINITE {
            return;
        }
        let until = cx.now.after(Duration::from_secs(u64::from(seconds)));
        self.advertised.push((what, until));
        self.arm(cx);
    }

    fn arm(&mut self, cx: &mut Context) {
        let Some(next) = self.advertised.iter().map(|(_, until)| *until).min() else { return };
        cx.timers.arm_earlier(&mut self.armed, next, Timer::Advertised);
    }

    /// Removes what no router has confirmed in time (RFC 4861 §6.3.5, RFC 8106 §5.1).
    pub(crate) fn expire(
        &mut self,
        cx: &mut Context,
        ip: &mut Ip,
        names: &mut NameServers,
        deadline: Instant,
    ) {
        if self.armed != Some(deadline) {
            return;
        }
        self.armed = None;
        let now = cx.now;
        let over: Vec<Advertised> = self
            .advertised
            .iter()
            .filter(|(_, until)| *until <= now)
            .map(|(what, _)| *what)
            .collect();
        self.withdraw(ip, names, |what| over.contains(&what));
        self.arm(cx);
    }

    /// Forgets a name server that was replaced in a full list.
    pub(crate) fn forget_server(&mut self, server: IpAddr) {
        self.advertised.retain(|(what, _)| *what != Advertised::DnsServer(server));
    }

    /// Removes routes and name servers that routers advertised.
    fn withdraw(
        &mut self,
        ip: &mut Ip,
        names: &mut NameServers,
        goes: impl Fn(Advertised) -> bool,
    ) {
        self.advertised.retain(|(what, _)| !goes(*what));
        names.retain(|server, origin| {
            origin != Origin::RouterAdvertisement || !goes(Advertised::DnsServer(server))
        });
        ip.routes.retain(|route| {
            let router = route.gateway.filter(|_| route.origin == Origin::RouterAdvertisement);
            !router.is_some_and(|gateway| goes(Advertised::Router(gateway)))
        });
    }

    /// Sets reachable and retransmission time; 0 means unspecified (RFC 4861 §6.3.4). Ignores
    /// values that would flood the link or never expire (NBR-16).
    fn set_neighbor_timing(ip: &mut Ip, message: &[u8]) {
        let milliseconds =
            |at: usize| u32_at(message, at).map(|value| Duration::from_millis(u64::from(value)));
        let within = |value: Option<Duration>, least: u64, known: Duration| {
            value
                .filter(|value| (Duration::from_millis(least)..=HOUR).contains(value))
                .unwrap_or(known)
        };
        let known = ip.link.neighbors.advertised_timing();
        ip.link.neighbors.set_timing(Timing {
            reachable: within(milliseconds(8), 1, known.reachable),
            retransmit: within(milliseconds(12), 100, known.retransmit),
        });
    }
}
