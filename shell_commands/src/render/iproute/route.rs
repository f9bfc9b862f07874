//! `ip route`.

use std::net::IpAddr;

use devnet_network::address::Prefix;
use devnet_network::command::route::{
    MultipathRoute, NextHopStatus, Preference, RouteChoice, RouteDetail, RouteEntry, RouteKind,
};
use serde::Serialize;

use super::{Style, array, object};
use crate::render::append;

/// A route with its preference.
pub type Preferred = (RouteDetail, Preference);

/// `ip route show`; `dev` is left out when one interface was asked for. Routes whose next hops are
/// in the list of those that have several are shown once, with all of them.
#[must_use]
pub fn show(
    routes: &[Preferred],
    several: &[MultipathRoute],
    style: Style,
    shown: Shown,
) -> String {
    let mut seen: Vec<&MultipathRoute> = Vec::new();
    let (mut objects, mut text) = (Vec::new(), String::new());
    for route in routes {
        let whole = several.iter().find(|whole| is_hop(whole, &route.0));
        match whole {
            Some(whole) if seen.contains(&whole) => {}
            Some(whole) => {
                seen.push(whole);
                objects.push(RouteObject::of(route).with(whole));
                text.push_str(&object(&lines(route, whole, shown), style));
            }
            None => {
                objects.push(RouteObject::of(route));
                text.push_str(&(line(route, shown) + "\n"));
            }
        }
    }
    if style.json { array(&objects) } else { text }
}

/// True for the entry of one of its next hops.
fn is_hop(whole: &MultipathRoute, detail: &RouteDetail) -> bool {
    let (route, known) = (&detail.route, &whole.route.route);
    route.destination == known.destination
        && route.metric == known.metric
        && route.interface == known.interface
        && whole.hops.iter().any(|hop| Some(hop.gateway) == route.gateway)
}

/// The route without a gateway, then its next hops.
fn lines((detail, preference): &Preferred, whole: &MultipathRoute, shown: Shown) -> Vec<String> {
    let route = RouteEntry { gateway: None, usable: true, ..detail.route.clone() };
    let bare = RouteDetail { route, onlink: false, ..detail.clone() };
    let hop = |hop: &NextHopStatus| {
        let mut text = format!(
            "\tnexthop via {} dev {} weight {} ",
            hop.gateway, detail.route.interface, hop.weight
        );
        for flag in hop_flags(detail) {
            append(&mut text, format_args!("{flag} "));
        }
        text
    };
    let first = route_line(&(bare, *preference), shown, true);
    std::iter::once(first).chain(whole.hops.iter().map(hop)).collect()
}

/// As `flags`, in the order that next hops have them.
fn hop_flags(detail: &RouteDetail) -> Vec<&'static str> {
    let mut flags = flags(detail);
    flags.reverse();
    flags
}

/// What of a route is shown.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Shown {
    /// One interface was asked for: it is left out.
    pub one_interface: bool,
    /// `-d`: kinds and protocols that go without saying.
    pub details: bool,
}

fn line(route: &Preferred, shown: Shown) -> String {
    route_line(route, shown, false)
}

/// The line of a route; without interface and with the scope of a gateway if it has next hops.
fn route_line((detail, preference): &Preferred, shown: Shown, has_hops: bool) -> String {
    let route = &detail.route;
    let is_ipv6 = route.destination.address().is_ipv6();
    let mut text = String::new();
    if detail.kind != RouteKind::Unicast || shown.details {
        append(&mut text, format_args!("{} ", detail.kind));
    }
    append(&mut text, format_args!("{} ", destination(route.destination)));
    if let Some(gateway) = route.gateway {
        append(&mut text, format_args!("via {gateway} "));
    }
    if let Some(device) = device(detail).filter(|_| !shown.one_interface && !has_hops) {
        append(&mut text, format_args!("dev {device} "));
    }
    if let Some(protocol) = protocol(detail.protocol, shown.details) {
        append(&mut text, format_args!("proto {protocol} "));
    }
    if is_on_link(detail) && !has_hops {
        text.push_str("scope link ");
    } else if shown.details && !is_ipv6 {
        text.push_str("scope global ");
    }
    if let Some(source) = route.source.filter(|_| !is_ipv6 || detail.protocol != KERNEL) {
        append(&mut text, format_args!("src {source} "));
    }
    if metric(detail) != 0 {
        append(&mut text, format_args!("metric {} ", metric(detail)));
    }
    for flag in flags(detail) {
        append(&mut text, format_args!("{flag} "));
    }
    if let Some(seconds) = detail.expires_seconds {
        append(&mut text, format_args!("expires {seconds}sec "));
    }
    if let Some(mtu) = detail.mtu {
        append(&mut text, format_args!("mtu {mtu} "));
    }
    // The last word of an IPv6 route, the only one without a space behind it.
    if is_ipv6 {
        append(&mut text, format_args!("pref {preference}"));
    }
    text
}

const KERNEL: u8 = RouteDetail::KERNEL;

/// Linux gives connected routes of IPv6 the metric 256.
fn metric(detail: &RouteDetail) -> u32 {
    let is_connected = detail.protocol == KERNEL && detail.route.destination.address().is_ipv6();
    match detail.route.metric {
        0 if is_connected => 256,
        metric => metric,
    }
}

/// IPv6 routes of the whole system are those of `lo` on Linux.
fn device(detail: &RouteDetail) -> Option<&str> {
    match detail.kind {
        RouteKind::Unicast => Some(&detail.route.interface),
        _ if detail.route.destination.address().is_ipv6() => Some("lo"),
        _ => None,
    }
}

fn flags(detail: &RouteDetail) -> Vec<&'static str> {
    let flags = [(!detail.route.usable, "linkdown"), (detail.onlink, "onlink")];
    flags.into_iter().filter(|(set, _)| *set).map(|(_, flag)| flag).collect()
}

/// `ip route get`.
#[must_use]
pub fn choice(choice: &RouteChoice, style: Style) -> String {
    if style.json {
        return array(&[ChoiceObject::of(choice)]);
    }
    let is_local = choice.route.is_none();
    let mut text = String::from(if is_local { "local " } else { "" });
    append(&mut text, format_args!("{} ", choice.destination));
    if choice.destination.is_ipv6() {
        text.push_str("from :: ");
    }
    if let Some(gateway) = choice.gateway {
        append(&mut text, format_args!("via {gateway} "));
    }
    append(&mut text, format_args!("dev {} ", choice.interface));
    if choice.destination.is_ipv4() {
        append(&mut text, format_args!("src {} uid 0 ", choice.source));
        let cache = String::from(if is_local { "    cache <local> " } else { "    cache " });
        return object(&[text, cache], style);
    }
    let origin = choice.route.as_ref().map(|route| route.origin);
    let number = origin.map(RouteDetail::protocol_of);
    if let Some(protocol) = number.and_then(|number| protocol(number, false)) {
        append(&mut text, format_args!("proto {protocol} "));
    }
    append(&mut text, format_args!("src {} ", choice.source));
    append(
        &mut text,
        format_args!(
            "metric {} pref medium",
            choice.route.as_ref().map_or(0, |route| route.metric)
        ),
    );
    object(&[text], style)
}

fn destination(prefix: Prefix) -> String {
    match prefix.length() {
        0 => String::from("default"),
        _ if prefix == Prefix::host(prefix.address()) => prefix.address().to_string(),
        _ => prefix.to_string(),
    }
}

/// The protocols that iproute2 knows by name (`/etc/iproute2/rt_protos`), with their numbers.
const PROTOCOLS: [(&str, u8); 15] = [
    ("unspec", 0),
    ("redirect", 1),
    ("kernel", 2),
    ("boot", 3),
    ("static", 4),
    ("gated", 8),
    ("ra", 9),
    ("zebra", 11),
    ("bird", 12),
    ("dhcp", 16),
    ("babel", 42),
    ("bgp", 186),
    ("isis", 187),
    ("ospf", 188),
    ("rip", 189),
];

/// A protocol by its name or number.
#[must_use]
pub fn protocol_number(word: &str) -> Option<u8> {
    let named = PROTOCOLS.iter().find(|(name, _)| *name == word).map(|(_, number)| *number);
    named.or_else(|| word.parse().ok())
}

/// The protocol that installed the route; `boot`, a command, is omitted.
fn protocol(number: u8, details: bool) -> Option<String> {
    if number == RouteDetail::BOOT && !details {
        return None;
    }
    let named = PROTOCOLS.iter().find(|(_, known)| *known == number);
    Some(named.map_or_else(|| number.to_string(), |(name, _)| (*name).to_owned()))
}

/// IPv6 routes have no scope in Linux.
fn is_on_link(detail: &RouteDetail) -> bool {
    detail.kind == RouteKind::Unicast
        && detail.route.gateway.is_none()
        && detail.route.destination.address().is_ipv4()
}

#[derive(Serialize)]
struct RouteObject<'a> {
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    kind: Option<String>,
    dst: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    gateway: Option<IpAddr>,
    #[serde(skip_serializing_if = "Option::is_none")]
    dev: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    protocol: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    scope: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    prefsrc: Option<IpAddr>,
    #[serde(skip_serializing_if = "Option::is_none")]
    metric: Option<u32>,
    flags: Vec<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    expires: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    metrics: Option<[MetricsObject; 1]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pref: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    nexthops: Option<Vec<HopObject<'a>>>,
}

#[derive(Serialize)]
struct HopObject<'a> {
    gateway: IpAddr,
    dev: &'a str,
    weight: u16,
    flags: Vec<&'static str>,
}

#[derive(Serialize)]
struct MetricsObject {
    mtu: u32,
}

impl<'a> RouteObject<'a> {
    fn of((detail, preference): &'a Preferred) -> Self {
        let route = &detail.route;
        let is_ipv6 = route.destination.address().is_ipv6();
        Self {
            kind: (detail.kind != RouteKind::Unicast).then(|| detail.kind.to_string()),
            dst: destination(route.destination),
            gateway: route.gateway,
            dev: device(detail),
            protocol: protocol(detail.protocol, false),
            scope: is_on_link(detail).then_some("link"),
            prefsrc: route.source.filter(|_| !is_ipv6 || detail.protocol != KERNEL),
            metric: Some(metric(detail)).filter(|metric| *metric != 0),
            flags: flags(detail),
            expires: detail.expires_seconds,
            metrics: detail.mtu.map(|mtu| [MetricsObject { mtu }]),
            pref: is_ipv6.then(|| preference.to_string()),
            nexthops: None,
        }
    }

    /// The same with its next hops in the place of its gateway.
    fn with(self, whole: &'a MultipathRoute) -> Self {
        let hop = |hop: &NextHopStatus| HopObject {
            gateway: hop.gateway,
            dev: &whole.route.route.interface,
            weight: hop.weight,
            flags: hop_flags(&whole.route),
        };
        let nexthops = Some(whole.hops.iter().map(hop).collect());
        Self { gateway: None, dev: None, flags: vec![], nexthops, ..self }
    }
}

#[derive(Serialize)]
struct ChoiceObject<'a> {
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    kind: Option<&'static str>,
    dst: IpAddr,
    #[serde(skip_serializing_if = "Option::is_none")]
    gateway: Option<IpAddr>,
    dev: &'a str,
    prefsrc: IpAddr,
    flags: [&'static str; 0],
    uid: u32,
    cache: Vec<&'static str>,
}

impl<'a> ChoiceObject<'a> {
    fn of(choice: &'a RouteChoice) -> Self {
        let is_local = choice.route.is_none();
        Self {
            kind: is_local.then_some("local"),
            dst: choice.destination,
            gateway: choice.gateway,
            dev: &choice.interface,
            prefsrc: choice.source,
            flags: [],
            uid: 0,
            cache: if is_local { vec!["local"] } else { vec![] },
        }
    }
}

#[cfg(test)]
#[path = "route_tests.rs"]
mod tests;
