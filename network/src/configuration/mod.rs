//! What is asked of an interface and of the system, apart from what is in force: read from a text,
//! written as one, and compared.
//!
//! | file | owns |
//! |---|---|
//! | this one | what may be asked of an interface and of the system |
//! | [`parse`] | sections and lines of a text |
//! | [`matcher`] | which interface a section is for |
//! | [`write`], [`dhcp6`], [`firewall`], [`words`] | the lines that ask for the same |
//!
//! A section asks for everything about its interface: what it does not say is as on a new one. The
//! stack says what is asked of it at present, whether a section can be, and carries it out.

mod dhcp6;
mod firewall;
pub(crate) mod matcher;
pub(crate) mod parse;
mod words;
pub(crate) mod write;

use alloc::collections::BTreeSet;
use alloc::string::String;
use alloc::vec::Vec;
use core::cmp::Reverse;
use core::net::IpAddr;

use self::matcher::Matcher;
use crate::address::{HardwareAddress, Prefix};
use crate::command::address::{AddressChange, Broadcast};
use crate::command::autoconfiguration::AutoconfigurationOption;
use crate::command::dhcp::DhcpClientOptions;
use crate::command::dhcp_server::{DhcpServerOptions, Reservation};
use crate::command::dhcp6::{Dhcp6ClientOptions, Dhcp6ServerOptions, Downstream};
use crate::command::dns::{DnsSecurity, HostEntry, ResolverOption, SecureServer};
use crate::command::fallback::Fallback;
use crate::command::firewall::{FirewallAction, FirewallChain, FirewallRule};
use crate::command::interface::InterfaceOption;
use crate::command::mdns::{LocalService, MulticastDnsMode, MulticastDnsOption};
use crate::command::neighbor::NewNeighbor;
use crate::command::route::{ChangeMode, MultipathChange, RouteChange, RouteDetail};
use crate::command::router::{RouterAdvertisement, RouterChange};
use crate::command::system::HostModel;

/// What commands may ask of the DHCP server of one interface.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct DesiredServer {
    pub(crate) options: DhcpServerOptions,
    /// By address.
    pub(crate) reservations: Vec<Reservation>,
}

/// What commands may ask of multicast DNS on one interface.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct DesiredMulticastDns {
    pub(crate) mode: MulticastDnsMode,
    /// Empty for the usual one.
    pub(crate) host_name: String,
    pub(crate) services: Vec<LocalService>,
}

/// What commands may ask of the firewall of one interface.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct DesiredFirewall {
    /// Of the chain `in`, and of `out`.
    pub(crate) policies: [FirewallAction; 2],
    /// In their order.
    pub(crate) input: Vec<FirewallRule>,
    pub(crate) output: Vec<FirewallRule>,
}

impl DesiredFirewall {
    /// The policy and the rules of a chain.
    pub(crate) fn chain(&self, chain: FirewallChain) -> (FirewallAction, &[FirewallRule]) {
        let [input, output] = self.policies;
        match chain {
            FirewallChain::In => (input, &self.input),
            FirewallChain::Out => (output, &self.output),
        }
    }
}

/// What commands may ask of DHCPv6 on one interface.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct DesiredDhcp6 {
    pub(crate) client: Dhcp6ClientOptions,
    pub(crate) server: Option<Dhcp6ServerOptions>,
    pub(crate) downstream: Option<Downstream>,
}

/// Everything that commands may ask of one interface.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct Desired {
    /// Administratively up; none for what a new interface is.
    pub(crate) enabled: Option<bool>,
    /// None for the driver's own.
    pub(crate) hardware_address: Option<HardwareAddress>,
    /// None for the driver's largest.
    pub(crate) mtu: Option<u32>,
    pub(crate) metric: u32,
    /// Those that differ from a new interface's, in the order of their kinds.
    pub(crate) options: Vec<InterfaceOption>,
    /// Those that differ from a new interface's, in the order of their kinds.
    pub(crate) autoconfiguration: Vec<AutoconfigurationOption>,
    pub(crate) router: Option<RouterAdvertisement>,
    pub(crate) addresses: Vec<AddressChange>,
    pub(crate) routes: Vec<MultipathChange>,
    pub(crate) neighbors: Vec<NewNeighbor>,
    /// In order.
    pub(crate) proxies: Vec<IpAddr>,
    /// In order.
    pub(crate) groups: Vec<IpAddr>,
    pub(crate) servers: Vec<IpAddr>,
    pub(crate) domains: Vec<String>,
    pub(crate) mdns: DesiredMulticastDns,
    pub(crate) dhcp: Option<DhcpClientOptions>,
    pub(crate) fallback: Fallback,
    pub(crate) dhcp_server: Option<DesiredServer>,
    pub(crate) dhcp6: DesiredDhcp6,
    pub(crate) firewall: DesiredFirewall,
}

impl Desired {
    /// Gives everything that may be said in several ways its one form and order.
    pub(crate) fn normalize(&mut self) {
        if let Some(server) = &mut self.dhcp_server {
            server.reservations.sort_by_key(|reservation| reservation.address);
        }
        for address in &mut self.addresses {
            address.replace = false;
            if address.peer.is_some() {
                address.prefix = Prefix::host(address.prefix.address());
            }
            if let Broadcast::Address(broadcast) = address.broadcast
                && address.prefix.broadcast() == Some(broadcast)
            {
                address.broadcast = Broadcast::Default;
            }
        }
        normalize_routes(&mut self.routes, self.metric);
        self.proxies.sort_unstable();
        self.groups.sort_unstable();
        // Numbers sort faster than addresses.
        self.neighbors.sort_unstable_by_key(|new| match new.address {
            IpAddr::V4(address) => (false, u128::from(address.to_bits())),
            IpAddr::V6(address) => (true, address.to_bits()),
        });
    }
}

/// Everything that commands may ask of the system beside its interfaces.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct DesiredSystem {
    pub(crate) host_model: HostModel,
    /// Those that differ from a new system's.
    pub(crate) options: Vec<ResolverOption>,
    pub(crate) servers: Vec<IpAddr>,
    pub(crate) domains: Vec<String>,
    pub(crate) hosts: Vec<HostEntry>,
    pub(crate) security: DnsSecurity,
    pub(crate) routes: Vec<RouteChange>,
}

impl DesiredSystem {
    /// Gives everything that may be said in several ways its one form and order.
    pub(crate) fn normalize(&mut self) {
        let mut routes = self.routes.drain(..).map(MultipathChange::from).collect();
        normalize_routes(&mut routes, 0);
        self.routes.extend(routes.into_iter().map(|change| change.route));
    }
}

/// Routes in the order of the table, those first that gateways of others may need; each of several
/// to one destination stays before the next.
fn normalize_routes(routes: &mut Vec<MultipathChange>, metric: u32) {
    let metric_of = |MultipathChange { route, .. }: &MultipathChange| {
        if route.metric == 0 { metric } else { route.metric }
    };
    *routes = routes.drain(..).map(MultipathChange::simplified).collect();
    for MultipathChange { route, .. } in routes.iter_mut() {
        route.destination = route.destination.network();
        route.interface = None;
        if route.protocol == 0 {
            route.protocol = RouteDetail::BOOT;
        }
    }
    let on_link: BTreeSet<(Prefix, u32)> = routes
        .iter()
        .filter(|change| change.route.gateway.is_none() && change.hops.is_empty())
        .map(|change| (change.route.destination, metric_of(change)))
        .collect();
    routes.sort_by_key(|change| {
        let (destination, metric) = (change.route.destination, metric_of(change));
        let is_behind = !on_link.contains(&(destination, metric));
        (is_behind, Reverse(destination.length()), metric, destination)
    });
    let mut last = None;
    for change in routes {
        let place = Some((change.route.destination, metric_of(change)));
        change.route.mode = if last == place { ChangeMode::Append } else { ChangeMode::Insert };
        last = place;
    }
}

/// A value, and the line that says it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct At<T> {
    pub(crate) line: u32,
    pub(crate) value: T,
}

/// What a section asks of each interface that it matches, with the lines that say so.
#[derive(Clone, Debug, Default)]
pub(crate) struct Wanted {
    pub(crate) enabled: Option<At<bool>>,
    pub(crate) hardware_address: Option<At<HardwareAddress>>,
    pub(crate) mtu: Option<At<u32>>,
    pub(crate) metric: Option<At<u32>>,
    pub(crate) options: Vec<At<InterfaceOption>>,
    pub(crate) autoconfiguration: Vec<At<AutoconfigurationOption>>,
    pub(crate) router: Vec<At<RouterChange>>,
    pub(crate) addresses: Vec<At<AddressChange>>,
    pub(crate) routes: Vec<At<MultipathChange>>,
    pub(crate) neighbors: Vec<At<NewNeighbor>>,
    pub(crate) proxies: Vec<At<IpAddr>>,
    pub(crate) groups: Vec<At<IpAddr>>,
    pub(crate) servers: Vec<At<IpAddr>>,
    pub(crate) domains: Option<At<Vec<String>>>,
    pub(crate) mdns: Vec<At<MulticastDnsOption>>,
    pub(crate) services: Vec<At<LocalService>>,
    pub(crate) dhcp: Option<At<Option<DhcpClientOptions>>>,
    pub(crate) fallback: Option<At<Fallback>>,
    pub(crate) dhcp_server: Option<At<Option<DhcpServerOptions>>>,
    pub(crate) reservations: Vec<At<Reservation>>,
    pub(crate) dhcp6: Option<At<Dhcp6ClientOptions>>,
    pub(crate) dhcp6_server: Option<At<Option<Dhcp6ServerOptions>>>,
    pub(crate) downstream: Option<At<Option<Downstream>>>,
    /// In the order of the chains.
    pub(crate) policies: [Option<At<FirewallAction>>; 2],
    /// In their order.
    pub(crate) rules: Vec<At<(FirewallChain, FirewallRule)>>,
}

fn value<T: Clone + Default>(at: Option<&At<T>>) -> T {
    at.map(|at| at.value.clone()).unwrap_or_default()
}

fn values<T: Clone>(all: &[At<T>]) -> Vec<T> {
    all.iter().map(|at| at.value.clone()).collect()
}

impl Wanted {
    /// What is advertised; `seen` looks at it after each line.
    pub(crate) fn router(
        &self,
        mut seen: impl FnMut(u32, &RouterAdvertisement),
    ) -> Option<RouterAdvertisement> {
        let mut router = None;
        for At { line, value } in &self.router {
            // The parser lets nothing be removed, which is all that could fail.
            let _ = RouterAdvertisement::apply(&mut router, value.clone());
            router.iter().for_each(|router| seen(*line, router));
        }
        router
    }

    /// The same without the lines, in its one form.
    pub(crate) fn desired(&self) -> Desired {
        let mut desired =
            Desired {
                enabled: self.enabled.as_ref().map(|at| at.value),
                hardware_address: self.hardware_address.as_ref().map(|at| at.value),
                mtu: self.mtu.as_ref().map(|at| at.value),
                metric: self.metric.as_ref().map_or(0, |at| at.value),
                options: values(&self.options),
                autoconfiguration: values(&self.autoconfiguration),
                router: self.router(|_, _| {}),
                addresses: values(&self.addresses),
                routes: values(&self.routes),
                neighbors: values(&self.neighbors),
                proxies: values(&self.proxies),
                groups: values(&self.groups),
                servers: values(&self.servers),
                domains: self.domains.as_ref().map(|at| at.value.clone()).unwrap_or_default(),
                fallback: self.fallback.as_ref().map(|at| at.value).unwrap_or_default(),
                // Only the check knows whether they can be.
                mdns: DesiredMulticastDns::default(),
                firewall: DesiredFirewall::default(),
                dhcp: self.dhcp.as_ref().and_then(|at| at.value.clone()),
                dhcp_server: self.dhcp_server.as_ref().and_then(|at| at.value.clone()).map(
                    |options| DesiredServer { options, reservations: values(&self.reservations) },
                ),
                dhcp6: DesiredDhcp6 {
                    client: value(self.dhcp6.as_ref()),
                    server: value(self.dhcp6_server.as_ref()),
                    downstream: value(self.downstream.as_ref()),
                },
            };
        desired.normalize();
        desired
    }
}

/// What a section asks of the system, with the lines that say so.
#[derive(Clone, Debug, Default)]
pub(crate) struct WantedSystem {
    pub(crate) line: u32,
    pub(crate) host_model: Option<At<HostModel>>,
    pub(crate) options: Vec<At<ResolverOption>>,
    pub(crate) servers: Vec<At<IpAddr>>,
    pub(crate) domains: Option<At<Vec<String>>>,
    pub(crate) hosts: Vec<At<HostEntry>>,
    pub(crate) secure_servers: Vec<At<SecureServer>>,
    pub(crate) requires_security: Option<At<bool>>,
    pub(crate) routes: Vec<At<RouteChange>>,
}

/// A section about interfaces.
#[derive(Clone, Debug)]
pub(crate) struct Section {
    /// The line that begins it.
    pub(crate) line: u32,
    pub(crate) matcher: Matcher,
    pub(crate) wanted: Wanted,
}

/// A whole text, which may be wrong only for the interfaces that there are.
#[derive(Clone, Debug, Default)]
pub(crate) struct Sections {
    pub(crate) system: Option<WantedSystem>,
    /// The first one that matches an interface is its.
    pub(crate) interfaces: Vec<Section>,
}
