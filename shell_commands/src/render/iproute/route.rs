//! `ip route`.

use std::net::IpAddr;

use devnet_network::address::Prefix;
use devnet_network::command::address::Origin;
use devnet_network::command::route::{Preference, RouteChoice, RouteEntry};
use serde::Serialize;

use super::{Style, array, object};
use crate::render::append;

/// A route with its preference.
pub type Preferred = (RouteEntry, Preference);

/// `ip route show`; `dev` is left out when one interface was asked for.
#[must_use]
pub fn show(routes: &[Preferred], style: Style, one_interface: bool) -> String {
    if style.json {
        return array(&routes.iter().map(RouteObject::of).collect::<Vec<_>>());
    }
    routes.iter().map(|route| line(route, one_interface) + "\n").collect()
}

fn line((route, preference): &Preferred, one_interface: bool) -> String {
    let mut text = destination(route.destination) + " ";
    if let Some(gateway) = route.gateway {
        append(&mut text, format_args!("via {gateway} "));
    }
    if !one_interface {
        append(&mut text, format_args!("dev {} ", route.interface));
    }
    if let Some(protocol) = protocol(route.origin) {
        append(&mut text, format_args!("proto {protocol} "));
    }
    if is_on_link(route) {
        text.push_str("scope link ");
    }
    if let Some(source) = route.source {
        append(&mut text, format_args!("src {source} "));
    }
    if route.metric != 0 {
        append(&mut text, format_args!("metric {} ", route.metric));
    }
    if !route.usable {
        text.push_str("linkdown ");
    }
    // The last word of an IPv6 route, the only one without a space behind it.
    if route.destination.address().is_ipv6() {
        append(&mut text, format_args!("pref {preference}"));
    }
    text
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
    if let Some(protocol) = choice.route.as_ref().and_then(|route| protocol(route.origin)) {
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

/// The protocol that installed the route, in Linux' terms; a command is omitted.
fn protocol(origin: Origin) -> Option<&'static str> {
    match origin {
        Origin::Static => None,
        Origin::Dhcp => Some("dhcp"),
        Origin::RouterAdvertisement => Some("ra"),
        Origin::Kernel => Some("kernel"),
    }
}

/// IPv6 routes have no scope in Linux.
fn is_on_link(route: &RouteEntry) -> bool {
    route.gateway.is_none() && route.destination.address().is_ipv4()
}

#[derive(Serialize)]
struct RouteObject<'a> {
    dst: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    gateway: Option<IpAddr>,
    dev: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    protocol: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    scope: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    prefsrc: Option<IpAddr>,
    #[serde(skip_serializing_if = "Option::is_none")]
    metric: Option<u32>,
    flags: Vec<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pref: Option<String>,
}

impl<'a> RouteObject<'a> {
    fn of((route, preference): &'a Preferred) -> Self {
        Self {
            dst: destination(route.destination),
            gateway: route.gateway,
            dev: &route.interface,
            protocol: protocol(route.origin),
            scope: is_on_link(route).then_some("link"),
            prefsrc: route.source,
            metric: (route.metric != 0).then_some(route.metric),
            flags: if route.usable { vec![] } else { vec!["linkdown"] },
            pref: route.destination.address().is_ipv6().then(|| preference.to_string()),
        }
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
