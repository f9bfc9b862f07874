//! IPv6 autoconfiguration: link-local addresses, duplicate address detection, and the contents of
//! router advertisements (RFC 4862, RFC 4861 §6.3, RFC 4191, RFC 8106).
//!
//! The stack calls it when the link comes up, NDP for advertisements, and the timers. The tables
//! bound everything that an advertisement can add, and it replaces nothing that a command added.
//!
//! | file | owns |
//! |---|---|
//! | [`apply`] | what an advertisement changes |
//! | [`options`] | its options as values |
//! | [`advertised`] | what was advertised, and until when |
//! | [`identifiers`] | the lower halves of addresses |
//! | [`temporary`] | temporary addresses |
//! | [`replacement`] | other identifiers for addresses that there are |

mod advertised;
mod apply;
mod identifiers;
mod options;
mod replacement;
mod temporary;

use core::net::{IpAddr, Ipv6Addr};
use core::time::Duration;

use self::advertised::{Advertised, Expiries, Room, Source};
use crate::address::Prefix;
use crate::command::address::{NewAddress, Origin};
use crate::limits;
use crate::platform::Instant;
use crate::stack::addresses::Address;
use crate::stack::context::Context;
use crate::stack::ip::Ip;
use crate::stack::ip::ingress::Packet;
use crate::stack::link::Discovery;
use crate::stack::name_servers::NameServers;
use crate::stack::timers::Timer;
use crate::trace::{dropped, event};

/// MAX_RTR_SOLICITATIONS and RTR_SOLICITATION_INTERVAL (RFC 4861 §10).
const SOLICITATIONS: u8 = 3;
const SOLICITATION_INTERVAL: Duration = Duration::from_secs(4);
/// The state of autoconfiguration.
#[derive(Debug, Default)]
pub(crate) struct Autoconfiguration {
    /// Router solicitations sent since the link came up.
    solicitations: u8,
    solicitation_at: Option<Instant>,
    /// What routers advertised, and when it expires.
    advertised: Expiries,
    /// The deadline of the entry in the timer heap for `advertised`.
    armed: Option<Instant>,
    /// The flags of the last advertisement of this link (RFC 4861 §4.2).
    flags: Option<u8>,
}

impl Autoconfiguration {
    /// IPv6 becomes usable on the link: adds the link-local address and solicits routers.
    pub(crate) fn start(&mut self, cx: &mut Context, ip: &mut Ip, names: &mut NameServers) {
        const LINK_LOCAL: Ipv6Addr = Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, 0);
        let Some(prefix) = identifiers::formed(cx, LINK_LOCAL, 0) else { return };
        let is_left_out = !cfg!(feature = "ipv6");
        if is_left_out || cx.is_loopback() || cx.configuration.mtu < limits::MTU_MINIMUM_IPV6 {
            return;
        }
        let is_own =
            |entry: &Address| entry.origin == Origin::Kernel && entry.prefix.address().is_ipv6();
        let is_there = ip.addresses.find(prefix.address()).is_some();
        if !is_there && !ip.addresses.iter().any(is_own) {
            let new = NewAddress { prefix, broadcast: None };
            // If the table is full of manual addresses, there is no link-local one.
            let _ = ip.add_address(cx, &new, Origin::Kernel);
        }
        ip.test_addresses(cx);
        // Advertisements of the previous link may be wrong on this one; its routers are solicited
        // at once.
        self.withdraw(ip, names, |what| !matches!(what, Advertised::Address(_)));
        ip.forget_advertised();
        self.flags = None;
        self.solicit(cx);
    }

    /// Forgets everything that was learned; formed addresses end at once, with their connections.
    pub(crate) fn forget_all(&mut self, cx: &mut Context, ip: &mut Ip, names: &mut NameServers) {
        self.forget_addresses(cx, ip);
        self.withdraw(ip, names, |_| true);
        self.flags = None;
        ip.forget_advertised();
    }

    /// Formed addresses end at once, with their connections.
    pub(crate) fn forget_addresses(&mut self, cx: &mut Context, ip: &mut Ip) {
        for prefix in ip.addresses.prefixes_of(Origin::RouterAdvertisement) {
            expire_address(cx, ip, &Advertised::Address(prefix.address()));
        }
        self.advertised.remove(|what| matches!(what, Advertised::Address(_)));
    }

    /// The flags of the last advertisement (RFC 4861 §4.2).
    pub(crate) fn flags(&self) -> u8 {
        self.flags.unwrap_or(0)
    }

    /// The same, and none before there was one on this link.
    #[cfg(feature = "dhcp6")]
    pub(crate) const fn advertised_flags(&self) -> Option<u8> {
        self.flags
    }

    /// The prefixes by which IPv4 is reached through NAT64.
    pub(crate) fn nat64(&self) -> impl Iterator<Item = Prefix> {
        self.advertised.nat64()
    }

    /// Solicits routers, from now on.
    pub(crate) fn solicit(&mut self, cx: &mut Context) {
        self.solicitations = 0;
        if !cx.is_running() || !cx.configuration.options.autoconfiguration.has_advertisements() {
            self.solicitation_at = None;
            return;
        }
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
        if !cfg!(feature = "ipv6") || self.solicitation_at != Some(deadline) {
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
        if !cfg!(feature = "ipv6") {
            return None;
        }
        let message = packet.payload();
        match ip.link.receive_discovery(cx, &ip.addresses, &packet.header, message) {
            Discovery::Nothing => {}
            Discovery::Duplicate(address) => {
                ip.duplicate_found(cx, address);
                Self::replace_duplicate(cx, ip, self, IpAddr::V6(address));
            }
            Discovery::NoRouter(address) => self.no_router(ip, names, address),
            Discovery::Solicitation(source) => return Some(source),
            Discovery::Advertisement(source) => {
                if !cx.configuration.options.autoconfiguration.has_advertisements() {
                    event!(cx, debug, "devnet::router", "an advertisement of {}, ignored", source);
                } else if self.receive_advertisement(cx, ip, names, source, message).is_none() {
                    dropped!(cx, Malformed, "devnet::router", "an advertisement of {}", source);
                }
            }
        }
        None
    }

    fn arm(&mut self, cx: &mut Context) {
        let Some(next) = self.advertised.next() else { return };
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
        if !cfg!(feature = "ipv6") || self.armed != Some(deadline) {
            return;
        }
        self.armed = None;
        let over = self.advertised.over(cx.now);
        if !over.is_empty() {
            over.iter().for_each(|what| expire_address(cx, ip, what));
            self.withdraw(ip, names, |what| over.contains(what));
        }
        self.arm(cx);
    }

    /// Whether there is room for something that a router advertises. Before it says no, it forgets
    /// what went another way.
    fn room(
        &mut self,
        cx: &Context,
        ip: &Ip,
        names: &NameServers,
        what: &Advertised,
        source: Source,
    ) -> Room {
        let others = |taken: usize, most: usize| most.saturating_sub(taken);
        let is_foreign = |origin: &Origin| *origin != Origin::RouterAdvertisement;
        let most = match what {
            Advertised::Route(Prefix::DEFAULT_IPV6, _) => limits::ADVERTISED_ROUTERS,
            Advertised::Route(..) => limits::ADVERTISED_ROUTES,
            Advertised::OnLink(_) => limits::ADVERTISED_PREFIXES,
            Advertised::Address(_) => limits::ADVERTISED_ADDRESSES,
            Advertised::Nat64(_) => limits::ADVERTISED_NAT64,
            Advertised::DnsServer(_) => {
                let taken = names.iter().filter(|(_, origin)| is_foreign(origin)).count();
                others(taken, limits::DNS_SERVERS)
            }
            Advertised::Domain(_) => {
                let taken = names.domains().filter(|(_, origin)| is_foreign(origin)).count();
                others(taken, limits::SEARCH_DOMAINS)
            }
        };
        let is_used = |router| ip.link.neighbors.is_used(IpAddr::V6(router));
        let room = self.advertised.room(what, (source, most), is_used, cx.now);
        if room != Room::None {
            return room;
        }
        self.advertised.remove(|known| !is_present(ip, names, known));
        let room = self.advertised.room(what, (source, most), is_used, cx.now);
        if room == Room::None {
            let router = source.router;
            event!(cx, debug, "devnet::router", "no room for more of {}", router);
        }
        room
    }

    /// Removes what gives way to something new. Returns whether something did.
    fn give_way(
        &mut self,
        cx: &mut Context,
        ip: &mut Ip,
        names: &mut NameServers,
        room: Room,
    ) -> bool {
        let Room::After(victim) = room else { return false };
        expire_address(cx, ip, &victim);
        self.withdraw(ip, names, |known| *known == victim);
        true
    }

    /// Forgets a name server that was replaced in a full list.
    pub(crate) fn forget_server(&mut self, server: IpAddr) {
        self.advertised.remove(|what| *what == Advertised::DnsServer(server));
    }

    /// Removes routes and name servers that routers advertised.
    fn withdraw(
        &mut self,
        ip: &mut Ip,
        names: &mut NameServers,
        goes: impl Fn(&Advertised) -> bool,
    ) {
        // Most withdrawals are about nothing that is known.
        let mut is_known = false;
        self.advertised.remove(|what| {
            let is_gone = goes(what);
            is_known |= is_gone;
            is_gone
        });
        if !is_known {
            return;
        }
        names.retain(|server, origin| {
            origin != Origin::RouterAdvertisement || !goes(&Advertised::DnsServer(server))
        });
        names.retain_domains(|domain, origin| {
            origin != Origin::RouterAdvertisement || !goes(&Advertised::Domain(domain.into()))
        });
        ip.routes.remove_matching(|route| match route.gateway {
            Some(gateway) => {
                route.origin == Origin::RouterAdvertisement
                    && goes(&Advertised::Route(route.destination, gateway))
            }
            None => route.is_advertised_prefix() && goes(&Advertised::OnLink(route.destination)),
        });
    }
}

/// True while the tables have something that was advertised.
fn is_present(ip: &Ip, names: &NameServers, what: &Advertised) -> bool {
    let origin = Origin::RouterAdvertisement;
    match what {
        Advertised::Route(destination, gateway) => ip.routes.iter().any(|route| {
            (route.origin, route.destination, route.gateway)
                == (origin, *destination, Some(*gateway))
        }),
        Advertised::OnLink(prefix) => ip
            .routes
            .iter()
            .any(|route| route.is_advertised_prefix() && route.destination == *prefix),
        Advertised::DnsServer(server) => names.contains(*server, origin),
        Advertised::Domain(domain) => {
            names.domains().any(|(known, from)| known == domain && *from == origin)
        }
        Advertised::Nat64(_) => true,
        Advertised::Address(address) => {
            ip.addresses.find(*address).is_some_and(|entry| entry.origin == origin)
        }
    }
}

/// An address that gives way expires at once, with its connections.
fn expire_address(cx: &mut Context, ip: &mut Ip, what: &Advertised) {
    let Advertised::Address(address) = *what else { return };
    let entry = ip.addresses.find_mut(address);
    if let Some(entry) = entry.filter(|entry| entry.origin == Origin::RouterAdvertisement) {
        entry.valid_until = Some(cx.now);
        ip.arm_address(cx, address);
        Autoconfiguration::follow(cx, ip, address);
    }
}
