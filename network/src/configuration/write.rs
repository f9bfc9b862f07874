//! The lines that ask for what is desired.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt::Write;
use core::iter;
use core::net::IpAddr;

use super::words::{list, switch};
use super::{Desired, DesiredMulticastDns, DesiredServer, DesiredSystem};
use super::{dhcp6, firewall};
use crate::command::address::{AddressChange, Broadcast};
use crate::command::autoconfiguration::AutoconfigurationOption;
use crate::command::dhcp::DhcpClientOptions;
use crate::command::dhcp_server::{ClientName, Reservation};
use crate::command::dns::{HostEntry, ResolverOption, SecureServer};
use crate::command::escape::escape;
use crate::command::fallback::Fallback;
use crate::command::interface::InterfaceOption;
use crate::command::mdns::{LocalService, MulticastDnsMode};
use crate::command::neighbor::NewNeighbor;
use crate::command::route::{ChangeMode, NextHop, RouteChange, RouteDetail, RouteKind};
use crate::command::router::{
    AdvertisedNat64, AdvertisedPrefix, AdvertisedRoute, RouterAdvertisement, RouterSettings,
};
use crate::command::system::HostModel;
use crate::limits;

/// Appends to a text, which never fails.
macro_rules! push {
    ($text:expr, $($argument:tt)*) => {{
        let _ = write!($text, $($argument)*);
    }};
}

impl Desired {
    /// The lines, each after those that it needs, made as they are taken.
    pub(crate) fn lines(&self) -> impl Iterator<Item = String> {
        let link = |is_up: bool| format!("link {}", if is_up { "up" } else { "down" });
        let neighbor =
            |new: &NewNeighbor| format!("neighbor add {} {}", new.address, new.hardware_address);
        let first = [
            self.hardware_address.map(|address| format!("mac {address}")),
            self.mtu.map(|mtu| format!("mtu {mtu}")),
            (self.metric != 0).then(|| format!("metric {}", self.metric)),
            self.enabled.map(link),
        ];
        first
            .into_iter()
            .flatten()
            .chain(self.options.iter().map(interface_option))
            .chain(self.autoconfiguration.iter().filter_map(autoconfiguration))
            .chain(self.addresses.iter().map(address))
            .chain(self.neighbors.iter().map(neighbor))
            .chain(self.proxies.iter().map(|address| format!("neighbor proxy add {address}")))
            .chain(self.groups.iter().map(|group| format!("group add {group}")))
            .chain(self.router.iter().flat_map(router))
            .chain(self.servers.iter().map(server))
            .chain(search(&self.domains))
            .chain(mdns(&self.mdns))
            .chain(fallback(&self.fallback))
            .chain(self.dhcp.iter().map(dhcp))
            .chain(self.dhcp_server.iter().flat_map(dhcp_server))
            .chain(dhcp6::lines(&self.dhcp6))
            .chain(firewall::lines(&self.firewall))
            .chain(self.routes.iter().map(|change| route(&change.route, &change.hops)))
    }
}

impl DesiredSystem {
    /// The lines, made as they are taken.
    pub(crate) fn lines(&self) -> impl Iterator<Item = String> {
        let model = (self.host_model != HostModel::default())
            .then(|| format!("system host-model {}", self.host_model));
        model
            .into_iter()
            .chain(self.options.iter().map(option))
            .chain(self.servers.iter().map(server))
            .chain(search(&self.domains))
            .chain(self.hosts.iter().flat_map(host))
            .chain(self.security.servers.iter().map(secure_server))
            .chain(self.security.is_required.then(|| "dns tls required on".into()))
            .chain(self.routes.iter().map(|change| route(change, &[])))
    }
}

fn interface_option(option: &InterfaceOption) -> String {
    match option {
        InterfaceOption::Name(name) => format!("link name {name}"),
        InterfaceOption::Description(text) => format!("link description {text}"),
        InterfaceOption::Promiscuous(is_on) => format!("link promiscuous {}", switch(*is_on)),
        InterfaceOption::AllMulticast(is_on) => format!("link all-multicast {}", switch(*is_on)),
        InterfaceOption::Arp(is_on) => format!("link arp {}", switch(*is_on)),
        InterfaceOption::TransmitQueue(frames) => format!("link queue {frames}"),
        InterfaceOption::ReachableTime(time) => format!("link reachable {time}"),
        InterfaceOption::RetransmitTime(time) => format!("link retransmit {time}"),
        InterfaceOption::NeighborProbes(count) => format!("link probes {count}"),
    }
}

/// The secret is never told.
fn autoconfiguration(option: &AutoconfigurationOption) -> Option<String> {
    let words = match option {
        AutoconfigurationOption::Identifiers(kind) => format!("identifiers {kind}"),
        AutoconfigurationOption::Secret(_) => return None,
        AutoconfigurationOption::Privacy(privacy) => format!("privacy {privacy}"),
        AutoconfigurationOption::Advertisements(is_on) => {
            format!("advertisements {}", switch(*is_on))
        }
        AutoconfigurationOption::Addresses(is_on) => format!("addresses {}", switch(*is_on)),
        AutoconfigurationOption::Probes(count) => format!("probes {count}"),
        AutoconfigurationOption::TemporaryValid(seconds) => format!("valid {seconds}"),
        AutoconfigurationOption::TemporaryPreferred(seconds) => format!("preferred {seconds}"),
    };
    Some(format!("autoconf {words}"))
}

fn server(server: &IpAddr) -> String {
    format!("dns add {server}")
}

/// The short lines where they say everything.
fn router(what: &RouterAdvertisement) -> Vec<String> {
    if let Some(plain) = what.plain() {
        let servers = plain.dns_servers.iter().map(|server| format!("{server}"));
        return wrapped(format!("advertise {}", plain.prefix), servers, true);
    }
    let prefix = |one: &AdvertisedPrefix| {
        let AdvertisedPrefix { prefix, on_link, autonomous, valid_seconds, preferred_seconds } =
            one;
        format!(
            "router prefix {prefix} valid {valid_seconds} preferred {preferred_seconds} on-link {} \
             autonomous {}",
            switch(*on_link),
            switch(*autonomous)
        )
    };
    let route = |AdvertisedRoute { prefix, preference, lifetime_seconds }: &AdvertisedRoute| {
        format!("router route {prefix} preference {preference} lifetime {lifetime_seconds}")
    };
    let nat64 = |AdvertisedNat64 { prefix, lifetime_seconds }: &AdvertisedNat64| {
        format!("router nat64 {prefix} lifetime {lifetime_seconds}")
    };
    iter::once(router_settings(&what.settings))
        .chain(what.prefixes.iter().map(prefix))
        .chain(what.routes.iter().map(route))
        .chain(what.dns_servers.iter().map(|server| format!("router dns {server}")))
        .chain(what.domains.iter().map(|domain| format!("router domain {domain}")))
        .chain(what.nat64.iter().map(nat64))
        .collect()
}

fn router_settings(settings: &RouterSettings) -> String {
    let mut line = format!(
        "router set preference {} lifetime {} interval {} hop-limit {} managed {} other {}",
        settings.preference,
        settings.lifetime_seconds,
        settings.interval_seconds,
        settings.hop_limit,
        switch(settings.managed),
        switch(settings.other)
    );
    if let Some(mtu) = settings.mtu {
        push!(line, " mtu {mtu}");
    }
    let (reachable, retransmit) =
        (settings.reachable_milliseconds, settings.retransmit_milliseconds);
    push!(line, " reachable {reachable} retransmit {retransmit}");
    line
}

fn fallback(what: &Fallback) -> Option<String> {
    Some(match what {
        Fallback::Off => return None,
        Fallback::LinkLocal => String::from("dhcp fallback link-local"),
        Fallback::Address { prefix, gateway: None } => format!("dhcp fallback {prefix}"),
        Fallback::Address { prefix, gateway: Some(gateway) } => {
            format!("dhcp fallback {prefix} via {gateway}")
        }
    })
}

fn mdns(mdns: &DesiredMulticastDns) -> impl Iterator<Item = String> {
    let DesiredMulticastDns { mode, host_name, services } = mdns;
    let mode = (*mode != MulticastDnsMode::Off).then(|| format!("dns multicast {mode}"));
    let name = (!host_name.is_empty()).then(|| format!("dns hostname {host_name}"));
    let publish = |service: &LocalService| {
        let LocalService { instance, service_type, port, text } = service;
        let mut line = format!("dns publish {} {service_type} {port}", escape(instance.as_bytes()));
        for string in text {
            push!(line, " {}", escape(string));
        }
        line
    };
    mode.into_iter().chain(name).chain(services.iter().map(publish))
}

/// The short line where it says everything.
fn dhcp(options: &DhcpClientOptions) -> String {
    let (beginning, address) = match options.plain() {
        Some(_) => ("dhcp start", "requested"),
        None => ("dhcp client", "address"),
    };
    let mut line = String::from(beginning);
    if let Some(name) = &options.hostname {
        push!(line, " hostname {name}");
    }
    if let Some(requested) = options.requested {
        push!(line, " {address} {requested}");
    }
    if let Some(identifier) = &options.identifier {
        push!(line, " identifier {}", ClientName::Identifier(identifier.clone()));
    }
    if let Some(class) = &options.vendor_class {
        push!(line, " vendor-class {class}");
    }
    list(&mut line, "request", &options.request);
    list(&mut line, "send", &options.send);
    if options.ipv6_only {
        line.push_str(" ipv6-only on");
    }
    line
}

fn dhcp_server(server: &DesiredServer) -> impl Iterator<Item = String> {
    let DesiredServer { options, reservations } = server;
    let mut line = String::from("dhcp server");
    list(&mut line, "start", &options.ranges);
    push!(line, " lease {}", options.lease_seconds);
    list(&mut line, "router", &options.routers);
    list(&mut line, "dns", &options.dns_servers);
    if let Some(domain) = &options.domain {
        push!(line, " domain {domain}");
    }
    list(&mut line, "options", &options.options);
    for (is_set, words) in [
        (options.authoritative, " authoritative on"),
        (options.skip_check, " check off"),
        (options.single_client, " single-client on"),
    ] {
        if is_set {
            line.push_str(words);
        }
    }
    let reserve = |Reservation { address, client }: &Reservation| {
        format!("dhcp server reserve {address} {client}")
    };
    iter::once(line).chain(reservations.iter().map(reserve))
}

fn search(domains: &[String]) -> Vec<String> {
    wrapped(String::from("dns search"), domains.iter().cloned(), false)
}

/// The words after a beginning, in as many lines as they need; without words one line or none.
fn wrapped(
    beginning: String,
    words: impl Iterator<Item = String>,
    has_bare_line: bool,
) -> Vec<String> {
    let mut lines = Vec::new();
    let mut line = beginning.clone();
    for word in words {
        if line.len() + 1 + word.len() > limits::LINE_BYTES {
            lines.push(core::mem::replace(&mut line, beginning.clone()));
        }
        push!(line, " {word}");
    }
    if has_bare_line || line.len() > beginning.len() {
        lines.push(line);
    }
    lines
}

fn option(option: &ResolverOption) -> String {
    match option {
        ResolverOption::Dots(dots) => format!("dns option ndots {dots}"),
        ResolverOption::Timeout(milliseconds) => format!("dns option timeout {milliseconds}"),
        ResolverOption::Stale(seconds) => format!("dns option stale {seconds}"),
        ResolverOption::CacheEntries(most) => format!("dns option cache {most}"),
        ResolverOption::MixedCase(is_on) => format!("dns option mixed-case {}", switch(*is_on)),
    }
}

fn secure_server(server: &SecureServer) -> String {
    let SecureServer { address, name, port } = server;
    if *port == SecureServer::PORT {
        format!("dns tls add {address} {name}")
    } else {
        format!("dns tls add {address} {name} port {port}")
    }
}

/// One line for each name, so that no line is too long.
fn host(entry: &HostEntry) -> impl Iterator<Item = String> {
    entry.names.iter().map(|name| format!("dns host add {} {name}", entry.address))
}

fn address(change: &AddressChange) -> String {
    let plain = AddressChange { broadcast: change.broadcast, ..AddressChange::new(change.prefix) };
    let is_plain = *change == plain && change.broadcast != Broadcast::None;
    let mut line = format!("address {} {}", if is_plain { "add" } else { "set" }, change.prefix);
    match change.broadcast {
        Broadcast::Default => {}
        Broadcast::None => push!(line, " broadcast none"),
        Broadcast::Address(address) => push!(line, " broadcast {address}"),
    }
    if let Some(peer) = change.peer {
        push!(line, " peer {peer}");
    }
    if let Some(label) = &change.label {
        push!(line, " label {label}");
    }
    if let Some(seconds) = change.valid_seconds {
        push!(line, " valid {seconds}");
    }
    if let Some(seconds) = change.preferred_seconds {
        push!(line, " preferred {seconds}");
    }
    if change.no_prefix_route {
        push!(line, " prefix-route off");
    }
    if change.no_detection {
        push!(line, " detection off");
    }
    line
}

fn route(change: &RouteChange, hops: &[NextHop]) -> String {
    let plain = RouteChange {
        mode: change.mode,
        destination: change.destination,
        gateway: change.gateway,
        metric: change.metric,
        ..RouteChange::default()
    };
    let verb = match (change.kind, change.mode) {
        (RouteKind::Unicast, ChangeMode::Append) => String::from("append"),
        (RouteKind::Unicast, _) if *change == plain && hops.is_empty() => String::from("add"),
        (RouteKind::Unicast, _) => String::from("insert"),
        (kind, _) => format!("{kind}"),
    };
    // `default` is a word for a gateway's family; alone it would be IPv4.
    let is_default = change.destination.length() == 0
        && (change.gateway.is_some() || !hops.is_empty() || change.destination.address().is_ipv4());
    let mut line = format!("route {verb} ");
    if is_default {
        line.push_str("default");
    } else {
        push!(line, "{}", change.destination);
    }
    if let Some(gateway) = change.gateway {
        push!(line, " via {gateway}");
    }
    list(&mut line, "hops", hops);
    if change.metric != 0 {
        push!(line, " metric {}", change.metric);
    }
    if let Some(source) = change.source {
        push!(line, " source {source}");
    }
    if let Some(mtu) = change.mtu {
        push!(line, " mtu {mtu}");
    }
    if change.onlink {
        line.push_str(" onlink on");
    }
    if change.kind == RouteKind::Unicast && change.protocol != RouteDetail::BOOT {
        push!(line, " protocol {}", change.protocol);
    }
    if let Some(seconds) = change.expires_seconds {
        push!(line, " expires {seconds}");
    }
    line
}
