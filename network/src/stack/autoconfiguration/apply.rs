//! What a router advertisement changes (RFC 4861 §6.3.4, RFC 4191 §3.1, RFC 4862 §5.5.3, RFC 8106
//! §6, RFC 8781 §4). Each option is judged by itself.

use core::net::{IpAddr, Ipv6Addr};
use core::time::Duration;

use super::Autoconfiguration;
use super::advertised::{Advertised, Room, Source};
use super::identifiers;
use super::options::{
    PrefixInformation, RouteInformation, dns_servers, nat64_prefix, preference_of,
};
use crate::address::{HardwareAddress, Prefix};
use crate::command::address::{AddressState, NewAddress, Origin};
use crate::command::route::Preference;
use crate::dns_message::name;
use crate::platform::Instant;
use crate::stack::context::Context;
use crate::stack::ip::Ip;
use crate::stack::link::hardware_address_in;
use crate::stack::link::neighbor::Timing;
use crate::stack::name_servers::NameServers;
use crate::stack::routes::Route;
use crate::stack::wire::ndp::{self, option};
use crate::stack::wire::quote::u32_at;
use crate::trace::event;

/// The advertised lifetime "infinity".
const INFINITE: u32 = u32::MAX;
/// An unauthenticated advertisement does not shorten a valid lifetime below two hours (RFC 4862
/// §5.5.3 (e)).
const TWO_HOURS: u32 = 7200;
/// The longest reachable or retransmission time that an advertisement may set (RFC 4861 §6.2.1).
const HOUR: Duration = Duration::from_secs(3600);

impl Autoconfiguration {
    /// Processes a router advertisement. `None` when it is malformed.
    pub(super) fn receive_advertisement(
        &mut self,
        cx: &mut Context,
        ip: &mut Ip,
        names: &mut NameServers,
        source: Ipv6Addr,
        message: &[u8],
    ) -> Option<()> {
        let [hop_limit, flags, high, low] = *message.get(4..)?.first_chunk()?;
        let options = ndp::options(message.get(16..)?)?;
        if !source.is_unicast_link_local() {
            event!(cx, debug, "devnet::router", "{} is no router of this link", source);
            return None;
        }
        let bodies = |wanted: u8| {
            options.iter().filter(move |(kind, _)| *kind == wanted).map(|(_, body)| *body)
        };
        let routes = || bodies(option::ROUTE).filter_map(RouteInformation::read);
        // The lifetime of a default router and its preference, unless an option says otherwise.
        let header = RouteInformation {
            prefix: Prefix::DEFAULT_IPV6,
            preference: preference_of(flags).unwrap_or(Preference::Medium),
            lifetime: u32::from(u16::from_be_bytes([high, low])),
        };
        let default = routes().find(|route| route.prefix == header.prefix).unwrap_or(header);
        event!(
            cx,
            debug,
            "devnet::router",
            "advertisement of {}, default router for {} s",
            source,
            default.lifetime
        );
        let source = Source { router: source, station: station_of(source, &options) };
        self.set_route(cx, ip, names, source, default);
        if default.lifetime > 0 {
            self.solicitation_at = None;
        }
        self.flags = Some(flags);
        ip.set_hop_limit_ipv6(hop_limit);
        set_neighbor_timing(ip, message);
        ip.link.learn_router(cx, &ip.addresses, source.router, &options);
        for information in bodies(option::PREFIX).filter_map(PrefixInformation::read) {
            self.set_prefix(cx, ip, names, source, information);
        }
        for information in routes().filter(|route| route.prefix != header.prefix) {
            self.set_route(cx, ip, names, source, information);
        }
        for body in bodies(option::DNS_SERVERS) {
            self.set_dns_servers(cx, ip, names, source, body);
        }
        for body in bodies(option::SEARCH_LIST) {
            self.set_domains(cx, ip, names, source, body);
        }
        let nat64 = bodies(option::NAT64).filter_map(nat64_prefix);
        for found in nat64.filter(|_| cfg!(feature = "details")) {
            self.set_nat64(cx, ip, names, source, found);
        }
        for body in bodies(option::MTU) {
            let mtu = u32_at(body, 2).and_then(|mtu| usize::try_from(mtu).ok());
            mtu.into_iter().for_each(|mtu| ip.set_link_mtu_ipv6(cx, mtu));
        }
        Some(())
    }

    /// A neighbor is no router any more: it is no default router (RFC 4861 §7.2.5).
    pub(super) fn no_router(&mut self, ip: &mut Ip, names: &mut NameServers, router: Ipv6Addr) {
        let gone = Advertised::Route(Prefix::DEFAULT_IPV6, IpAddr::V6(router));
        self.withdraw(ip, names, |known| *known == gone);
    }

    /// Updates the lifetime and preference of a route through a router; 0 seconds removes it.
    fn set_route(
        &mut self,
        cx: &mut Context,
        ip: &mut Ip,
        names: &mut NameServers,
        source: Source,
        information: RouteInformation,
    ) {
        let RouteInformation { prefix, preference, lifetime } = information;
        let gateway = IpAddr::V6(source.router);
        let what = Advertised::Route(prefix, gateway);
        if lifetime == 0 {
            return self.withdraw(ip, names, |known| *known == what);
        }
        let route = advertised_route(cx, prefix, Some(gateway), preference);
        // Without a link-local address of our own the router is not on-link; the next advertisement
        // tries again.
        self.advertise(cx, ip, names, (what, source), (route, lifetime));
    }

    /// Processes a Prefix Information option: its two flags are two things (RFC 5942 §4).
    fn set_prefix(
        &mut self,
        cx: &mut Context,
        ip: &mut Ip,
        names: &mut NameServers,
        source: Source,
        information: PrefixInformation,
    ) {
        let PrefixInformation { prefix, on_link, autonomous, valid, preferred } = information;
        let what = Advertised::OnLink(prefix);
        if on_link && valid == 0 {
            self.withdraw(ip, names, |known| *known == what);
        } else if on_link {
            let route = advertised_route(cx, prefix, None, Preference::Medium);
            self.advertise(cx, ip, names, (what, source), (route, valid));
        }
        let forms = cx.configuration.options.autoconfiguration.has_addresses();
        if forms && autonomous && prefix.length() == 64 && preferred <= valid {
            self.set_address(cx, ip, names, source, information);
        }
    }

    /// Adds an advertised route, or updates it, if there is room.
    fn advertise(
        &mut self,
        cx: &mut Context,
        ip: &mut Ip,
        names: &mut NameServers,
        (what, source): (Advertised, Source),
        (route, lifetime): (Route, u32),
    ) {
        let room = self.room(cx, ip, names, &what, source);
        if room != Room::None && ip.routes.advertise(route) {
            let is_late = self.give_way(cx, ip, names, room);
            self.set_expiry(cx, what, (source, is_late), lifetime);
        }
    }

    /// Processes a Recursive DNS Server option (RFC 8106 §5.1).
    fn set_dns_servers(
        &mut self,
        cx: &mut Context,
        ip: &mut Ip,
        names: &mut NameServers,
        source: Source,
        body: &[u8],
    ) {
        let Some((lifetime, servers)) = dns_servers(body) else { return };
        for address in servers {
            let what = Advertised::DnsServer(address);
            if lifetime == 0 {
                self.withdraw(ip, names, |known| *known == what);
                continue;
            }
            let room = self.room(cx, ip, names, &what, source);
            let may_add = room != Room::None && names.is_new(address);
            let is_late = may_add && self.give_way(cx, ip, names, room);
            // What cannot be added is another origin's, or finds no room.
            let is_added = may_add && names.add(address, Origin::RouterAdvertisement).is_ok();
            if is_added || names.contains(address, Origin::RouterAdvertisement) {
                self.set_expiry(cx, what, (source, is_late), lifetime);
            }
        }
    }

    /// Processes a DNS Search List option (RFC 8106 §5.2).
    fn set_domains(
        &mut self,
        cx: &mut Context,
        ip: &mut Ip,
        names: &mut NameServers,
        source: Source,
        body: &[u8],
    ) {
        let (Some(lifetime), Some(list)) = (u32_at(body, 2), body.get(6..)) else { return };
        for domain in name::read_list(list) {
            let what = Advertised::Domain(domain.clone());
            if lifetime == 0 {
                self.withdraw(ip, names, |known| *known == what);
                continue;
            }
            let room = self.room(cx, ip, names, &what, source);
            let may_add = room != Room::None && names.domains().all(|(known, _)| *known != domain);
            let is_late = may_add && self.give_way(cx, ip, names, room);
            if names.add_domain(&domain, Origin::RouterAdvertisement) {
                self.set_expiry(cx, what, (source, is_late), lifetime);
            }
        }
    }

    /// Forms an address from an autonomous prefix, or updates its lifetimes (RFC 4862 §5.5.3).
    fn set_address(
        &mut self,
        cx: &mut Context,
        ip: &mut Ip,
        names: &mut NameServers,
        source: Source,
        information: PrefixInformation,
    ) {
        let PrefixInformation { prefix, valid, preferred, .. } = information;
        let IpAddr::V6(network) = prefix.network().address() else { return };
        // Another host may have had the first one.
        let known = ip.addresses.iter().find(|entry| {
            entry.origin == Origin::RouterAdvertisement
                && entry.prefix.network() == prefix.network()
                && entry.temporary().is_none()
        });
        let own = known.map(|entry| entry.prefix);
        let Some(prefix) = own.or_else(|| identifiers::formed(cx, network, 0)) else { return };
        let address = prefix.address();
        let is_new = ip.addresses.find(address).is_none();
        if is_new {
            let new = NewAddress { prefix, broadcast: None };
            let what = Advertised::Address(address);
            let room = self.room(cx, ip, names, &what, source);
            if valid == 0
                || room == Room::None
                || ip.add_address(cx, &new, Origin::RouterAdvertisement).is_err()
            {
                return;
            }
            let is_late = self.give_way(cx, ip, names, room);
            // The address has its own lifetimes.
            self.set_expiry(cx, what, (source, is_late), INFINITE);
        }
        let now = cx.now;
        let Some(entry) = ip.addresses.find_mut(address) else { return };
        if entry.origin != Origin::RouterAdvertisement {
            return;
        }
        let remaining = entry.valid_until.map_or(INFINITE, |until| {
            u32::try_from(until.since(now).as_secs()).unwrap_or(INFINITE)
        });
        if is_new || valid > TWO_HOURS || valid > remaining {
            entry.valid_until = after(now, valid);
        } else if remaining > TWO_HOURS {
            entry.valid_until = after(now, TWO_HOURS);
        }
        entry.preferred_until = after(now, preferred);
        if entry.state == AddressState::Deprecated && preferred > 0 {
            entry.state = AddressState::Preferred;
        }
        ip.arm_address(cx, address);
        Self::follow(cx, ip, address);
    }

    /// Processes a PREF64 option (RFC 8781 §4).
    fn set_nat64(
        &mut self,
        cx: &mut Context,
        ip: &mut Ip,
        names: &mut NameServers,
        source: Source,
        (lifetime, prefix): (u32, Prefix),
    ) {
        let what = Advertised::Nat64(prefix);
        if lifetime == 0 {
            return self.withdraw(ip, names, |known| *known == what);
        }
        let room = self.room(cx, ip, names, &what, source);
        if room != Room::None {
            let is_late = self.give_way(cx, ip, names, room);
            self.set_expiry(cx, what, (source, is_late), lifetime);
        }
    }

    /// Records the expiry of something that a router advertised.
    fn set_expiry(
        &mut self,
        cx: &mut Context,
        what: Advertised,
        from: (Source, bool),
        seconds: u32,
    ) {
        self.advertised.set(what, from, after(cx.now, seconds), cx.now);
        self.arm(cx);
    }
}

/// The instant after so many seconds; none for infinity.
fn after(now: Instant, seconds: u32) -> Option<Instant> {
    (seconds != INFINITE).then(|| now.after(Duration::from_secs(u64::from(seconds))))
}

fn advertised_route(
    cx: &Context,
    destination: Prefix,
    gateway: Option<IpAddr>,
    preference: Preference,
) -> Route {
    let metric = cx.configuration.metric;
    let origin = match gateway {
        Some(_) => Origin::RouterAdvertisement,
        None => Origin::Kernel,
    };
    Route { preference, ..Route::new(destination, gateway, metric, origin) }
}

/// The station of a router: its link-layer address option as an address, or the router itself.
fn station_of(router: Ipv6Addr, options: &[(u8, &[u8])]) -> Ipv6Addr {
    hardware_address_in(options, option::SOURCE_LINK_LAYER_ADDRESS)
        .map_or(router, HardwareAddress::link_local)
}

/// Sets reachable and retransmission time; 0 means unspecified (RFC 4861 §6.3.4). Ignores values
/// that would flood the link or never expire (NBR-16).
fn set_neighbor_timing(ip: &mut Ip, message: &[u8]) {
    let milliseconds =
        |at: usize| u32_at(message, at).map(|value| Duration::from_millis(u64::from(value)));
    let within = |value: Option<Duration>, least: u64, known: Duration| {
        value.filter(|value| (Duration::from_millis(least)..=HOUR).contains(value)).unwrap_or(known)
    };
    let known = ip.link.neighbors.advertised_timing();
    ip.link.neighbors.set_timing(Timing {
        reachable: within(milliseconds(8), 1, known.reachable),
        retransmit: within(milliseconds(12), 100, known.retransmit),
    });
}
