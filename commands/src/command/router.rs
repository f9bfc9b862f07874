//! Types of the commands about what an interface advertises as a router.

use alloc::string::String;
use alloc::vec::Vec;
use core::net::Ipv6Addr;

use devnet_virtual_file_system::Error;
use serde::{Deserialize, Serialize};

use super::interface::Advertisement;
use super::route::Preference;
use crate::address::Prefix;
use crate::limits;

/// What an advertisement says about the router and the link (RFC 4861 §4.2, §6.2.1).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct RouterSettings {
    /// The preference as default router (RFC 4191 §2.2).
    pub preference: Preference,
    /// Seconds for which hosts have it as default router: 0, it is none, or from the interval to
    /// 9,000 (AdvDefaultLifetime).
    pub lifetime_seconds: u16,
    /// The longest time between two advertisements to all hosts in seconds, 4 to 1,800
    /// (MaxRtrAdvInterval). The shortest is a third of it.
    pub interval_seconds: u16,
    /// The hop limit of hosts; 0 says nothing.
    pub hop_limit: u8,
    /// Addresses are to be had by DHCPv6 (M).
    pub managed: bool,
    /// Other configuration is to be had by DHCPv6 (O).
    pub other: bool,
    /// The MTU of the link, 1,280 to that of the interface; none says nothing.
    pub mtu: Option<u32>,
    /// Milliseconds for which a confirmed neighbor is reachable, up to 3,600,000; 0 says nothing.
    pub reachable_milliseconds: u32,
    /// Milliseconds between two solicitations; 0 says nothing.
    pub retransmit_milliseconds: u32,
}

impl Default for RouterSettings {
    /// A default router of medium preference for half an hour, every ten minutes.
    fn default() -> Self {
        Self {
            preference: Preference::Medium,
            lifetime_seconds: 1800,
            interval_seconds: 600,
            hop_limit: 64,
            managed: false,
            other: false,
            mtu: None,
            reachable_milliseconds: 0,
            retransmit_milliseconds: 0,
        }
    }
}

/// A prefix of the link (RFC 4861 §4.6.2).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct AdvertisedPrefix {
    /// The prefix: IPv6, neither link-local nor of groups.
    pub prefix: Prefix,
    /// What has the prefix is on the link (L).
    pub on_link: bool,
    /// Hosts form addresses from it (A), which needs a /64.
    pub autonomous: bool,
    /// Seconds for which it is valid; 4,294,967,295 without end.
    pub valid_seconds: u32,
    /// Seconds for which addresses of it are preferred, at most those for which it is valid.
    pub preferred_seconds: u32,
}

impl AdvertisedPrefix {
    /// On the link and for addresses, for the times of RFC 4861 §6.2.1: 30 days, 7 of them
    /// preferred.
    #[must_use]
    pub const fn new(prefix: Prefix) -> Self {
        let (valid_seconds, preferred_seconds) = (2_592_000, 604_800);
        Self { prefix, on_link: true, autonomous: true, valid_seconds, preferred_seconds }
    }
}

/// A route through this router (RFC 4191 §2.3).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct AdvertisedRoute {
    /// The destination.
    pub prefix: Prefix,
    /// Its preference.
    pub preference: Preference,
    /// Seconds for which it counts; 4,294,967,295 without end.
    pub lifetime_seconds: u32,
}

/// A prefix by which IPv4 is reached through NAT64 (RFC 8781).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct AdvertisedNat64 {
    /// The prefix, a /32, /40, /48, /56, /64 or /96.
    pub prefix: Prefix,
    /// Seconds for which it counts, rounded down to eight; at most 65,528.
    pub lifetime_seconds: u16,
}

/// Something that a router advertises, by its name.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum RouterPart {
    /// A prefix of the link.
    Prefix(Prefix),
    /// A route.
    Route(Prefix),
    /// A name server.
    DnsServer(Ipv6Addr),
    /// A domain.
    Domain(String),
    /// A prefix of NAT64.
    Nat64(Prefix),
}

/// A change of what an interface advertises.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum RouterChange {
    /// Sets what it says about itself.
    Set(RouterSettings),
    /// Adds a prefix, or changes one: 16 at most.
    Prefix(AdvertisedPrefix),
    /// Adds a route, or changes one: 16 at most.
    Route(AdvertisedRoute),
    /// Adds a name server (RFC 8106 §5.1): 32 at most.
    DnsServer(Ipv6Addr),
    /// Adds a domain to be searched (RFC 8106 §5.2): 16 at most.
    Domain(String),
    /// Adds a prefix of NAT64, or changes one: 4 at most.
    Nat64(AdvertisedNat64),
    /// Removes something; hosts are told at once that it is over.
    Remove(RouterPart),
    /// Advertises nothing any more and forgets everything; hosts are told.
    Stop,
}

/// What an interface advertises as a router.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct RouterAdvertisement {
    /// What it says about itself.
    pub settings: RouterSettings,
    /// The prefixes of the link, in order.
    pub prefixes: Vec<AdvertisedPrefix>,
    /// The routes, in order.
    pub routes: Vec<AdvertisedRoute>,
    /// The name servers in the order in which they were added.
    pub dns_servers: Vec<Ipv6Addr>,
    /// The domains in the order in which they were added.
    pub domains: Vec<String>,
    /// The prefixes of NAT64, in order.
    pub nat64: Vec<AdvertisedNat64>,
}

/// Puts a thing in the place of the one with the same name, or in its order.
fn put<T>(all: &mut Vec<T>, prefix: impl Fn(&T) -> Prefix, new: T) {
    match all.binary_search_by_key(&prefix(&new), &prefix) {
        Ok(place) => {
            if let Some(known) = all.get_mut(place) {
                *known = new;
            }
        }
        Err(place) => all.insert(place, new),
    }
}

fn remove<T>(all: &mut Vec<T>, is_it: impl Fn(&T) -> bool) -> Result<(), Error> {
    let place = all.iter().position(is_it).ok_or(Error::NotFound)?;
    all.remove(place);
    Ok(())
}

impl RouterAdvertisement {
    /// One prefix for addresses, and name servers.
    ///
    /// # Errors
    /// `InvalidInput` for a prefix that is not a /64, or too many name servers.
    pub fn of(what: &Advertisement) -> Result<Self, Error> {
        if what.prefix.length() != 64 || what.dns_servers.len() > limits::DNS_SERVERS {
            return Err(Error::InvalidInput);
        }
        let prefix = AdvertisedPrefix::new(what.prefix.network());
        let mut router = Self { prefixes: alloc::vec![prefix], ..Self::default() };
        for server in &what.dns_servers {
            if !router.dns_servers.contains(server) {
                router.dns_servers.push(*server);
            }
        }
        Ok(router)
    }

    /// Leaves what is over once another one counts, with lifetimes of 0; false if that is nothing.
    pub fn end(&mut self, now: &Self) -> bool {
        self.prefixes.retain(|one| !now.prefixes.iter().any(|other| other.prefix == one.prefix));
        self.routes.retain(|one| !now.routes.iter().any(|other| other.prefix == one.prefix));
        self.dns_servers.retain(|one| !now.dns_servers.contains(one));
        self.domains.retain(|one| !now.domains.contains(one));
        self.nat64.retain(|one| !now.nat64.iter().any(|other| other.prefix == one.prefix));
        for one in &mut self.prefixes {
            (one.valid_seconds, one.preferred_seconds) = (0, 0);
        }
        self.routes.iter_mut().for_each(|one| one.lifetime_seconds = 0);
        self.nat64.iter_mut().for_each(|one| one.lifetime_seconds = 0);
        !(self.prefixes.is_empty()
            && self.routes.is_empty()
            && self.dns_servers.is_empty()
            && self.domains.is_empty()
            && self.nat64.is_empty())
    }

    /// Adds what is over since before, up to the bounds of an advertisement.
    pub fn join(&mut self, earlier: Self) {
        earlier.prefixes.into_iter().for_each(|one| put(&mut self.prefixes, |one| one.prefix, one));
        earlier.routes.into_iter().for_each(|one| put(&mut self.routes, |one| one.prefix, one));
        earlier.nat64.into_iter().for_each(|one| put(&mut self.nat64, |one| one.prefix, one));
        self.dns_servers.extend(earlier.dns_servers);
        self.domains.extend(earlier.domains);
        self.prefixes.truncate(limits::ADVERTISED_PREFIXES);
        self.routes.truncate(limits::ADVERTISED_ROUTES);
        self.nat64.truncate(limits::ADVERTISED_NAT64);
        self.dns_servers.truncate(limits::DNS_SERVERS);
        self.domains.truncate(limits::SEARCH_DOMAINS);
    }

    /// The command that says the same, if it is one prefix with name servers and the usual of
    /// everything.
    pub fn plain(&self) -> Option<Advertisement> {
        let [AdvertisedPrefix { prefix, .. }] = *self.prefixes.as_slice() else { return None };
        let what = Advertisement { prefix, dns_servers: self.dns_servers.clone() };
        let is_plain = Self::of(&what).is_ok_and(|plain| plain == *self);
        is_plain.then_some(what)
    }

    /// Changes an advertisement, which begins with the first thing that is said.
    ///
    /// # Errors
    /// `NotFound` for what is to be removed and not there.
    pub fn apply(what: &mut Option<Self>, change: RouterChange) -> Result<(), Error> {
        let change = match change {
            RouterChange::Stop => {
                *what = None;
                return Ok(());
            }
            RouterChange::Remove(part) => {
                return take(what.as_mut().ok_or(Error::NotFound)?, part);
            }
            change => change,
        };
        let what = what.get_or_insert_default();
        match change {
            RouterChange::Set(settings) => what.settings = settings,
            RouterChange::Prefix(mut new) => {
                new.prefix = new.prefix.network();
                put(&mut what.prefixes, |one| one.prefix, new);
            }
            RouterChange::Route(mut new) => {
                new.prefix = new.prefix.network();
                put(&mut what.routes, |one| one.prefix, new);
            }
            RouterChange::Nat64(mut new) => {
                new.prefix = new.prefix.network();
                new.lifetime_seconds &= !7;
                put(&mut what.nat64, |one| one.prefix, new);
            }
            RouterChange::DnsServer(server) if !what.dns_servers.contains(&server) => {
                what.dns_servers.push(server);
            }
            RouterChange::Domain(domain) => {
                let domain = plain_domain(&domain);
                if !what.domains.contains(&domain) {
                    what.domains.push(domain);
                }
            }
            RouterChange::DnsServer(_) | RouterChange::Remove(_) | RouterChange::Stop => {}
        }
        Ok(())
    }
}

/// A domain in its one form.
fn plain_domain(domain: &str) -> String {
    domain.strip_suffix('.').unwrap_or(domain).to_ascii_lowercase()
}

/// Removes a part.
fn take(what: &mut RouterAdvertisement, part: RouterPart) -> Result<(), Error> {
    match part {
        RouterPart::Prefix(prefix) => {
            remove(&mut what.prefixes, |one| one.prefix == prefix.network())
        }
        RouterPart::Route(prefix) => remove(&mut what.routes, |one| one.prefix == prefix.network()),
        RouterPart::DnsServer(server) => remove(&mut what.dns_servers, |one| *one == server),
        RouterPart::Domain(domain) => {
            let domain = plain_domain(&domain);
            remove(&mut what.domains, |one| *one == domain)
        }
        RouterPart::Nat64(prefix) => remove(&mut what.nat64, |one| one.prefix == prefix.network()),
    }
}
