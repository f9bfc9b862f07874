//! `ip route`.

use std::net::IpAddr;

use devnet_network::address::Prefix;
use devnet_network::command::address::Origin;
use devnet_network::command::route::{
    ChangeMode, MultipathChange, MultipathRoute, NextHop, Preference, RouteChange, RouteDetail,
    RouteFilter, RouteKind, RoutePreference,
};
use devnet_network::command::{ListRoutePreferences, RemoveRoutes, SetMultipathRoute, SetRoute};
use devnet_virtual_file_system::Error;

use super::super::route::details;
use super::super::words::{self, Words};
use super::next_hops::{self, NextHops};
use super::{Options, answer, changed, garbage, route_get, shown, verb};
use crate::context::Context;
use crate::devices::{self, Use};
use crate::failure::{Failure, Outcome};
use crate::render::iproute::route as render;
use crate::status::Status;

const VERBS: &[&str] = &[
    "list", "lst", "show", "get", "add", "append", "prepend", "change", "chg", "replace", "delete",
    "del", "flush",
];

pub(super) async fn run(context: &Context, options: Options, mut words: Words<'_>) -> Outcome {
    let verb = verb(words.next(), VERBS, "route")?;
    if verb == "get" {
        return route_get::get(context, options, words).await;
    }
    let request = Request::parse(words, options, verb)?;
    match verb {
        "show" => show(context, options, &request).await,
        "flush" => flush(context, options, &request).await,
        "del" => remove(context, &request).await,
        "add" => set(context, &request, ChangeMode::Insert).await,
        "append" => set(context, &request, ChangeMode::Append).await,
        "prepend" => set(context, &request, ChangeMode::Prepend).await,
        "replace" => set(context, &request, ChangeMode::Replace).await,
        _ => set(context, &request, ChangeMode::Change).await,
    }
}

/// The arguments after the verb.
#[derive(Default)]
struct Request<'a> {
    kind: Option<RouteKind>,
    destination: Option<Prefix>,
    gateway: Option<IpAddr>,
    hops: Vec<NextHop>,
    device: Option<&'a str>,
    metric: Option<u32>,
    source: Option<IpAddr>,
    mtu: Option<u32>,
    onlink: bool,
    protocol: Option<u8>,
    expires: Option<u32>,
    /// The scope that the route must have.
    scope: Option<&'a str>,
}

impl<'a> Request<'a> {
    fn parse(mut words: Words<'a>, options: Options, verb: &str) -> Result<Self, Failure> {
        let mut request = Self::default();
        let mut target = None;
        let is_filter = matches!(verb, "show" | "flush");
        while let Some(word) = words.next() {
            match word {
                "via" => {
                    if matches!(words.peek(), Some("inet" | "inet6")) {
                        words.next();
                    }
                    request.gateway = Some(words::address(words.value(word)?)?);
                }
                "dev" | "oif" => request.device = Some(words.value(word)?),
                "metric" | "preference" | "priority" => {
                    request.metric = Some(words.parsed(word, "metric")?);
                }
                "src" => request.source = Some(words::address(words.value(word)?)?),
                "mtu" if !is_filter => {
                    if words.peek() == Some("lock") {
                        return Err(Failure::of("mtu lock", Error::Unsupported));
                    }
                    request.mtu = Some(words.parsed(word, "MTU")?);
                }
                "onlink" if !is_filter => request.onlink = true,
                "nexthop" if !is_filter => {
                    let hops = NextHops::parse(&mut words)?;
                    request.device = hops.device.or(request.device);
                    request.onlink |= hops.onlink;
                    request.hops = hops.list;
                }
                "expires" if !is_filter => request.expires = Some(words.parsed(word, "time")?),
                "table" => table(words.value(word)?)?,
                "proto" | "protocol" => request.protocol = protocol(words.value(word)?)?,
                "scope" => request.scope = scope(words.value(word)?)?,
                "type" if is_filter => request.kind = Some(kind(words.value(word)?)?),
                "to" | "exact" => {}
                word if target.is_none()
                    && request.kind.is_none()
                    && word.parse::<RouteKind>().is_ok() =>
                {
                    request.kind = Some(kind(word)?);
                }
                word if target.is_none() => target = Some(word),
                word => return Err(garbage(word)),
            }
        }
        request.destination = match target {
            Some("default" | "all") => {
                let ipv6 = options.ipv4 == Some(false)
                    || request.gateway().is_some_and(|gateway| gateway.is_ipv6());
                Some(if ipv6 { Prefix::DEFAULT_IPV6 } else { Prefix::DEFAULT_IPV4 })
            }
            Some(text) => Some(words::parse(text, "prefix")?),
            None => None,
        };
        request.check_scope(is_filter)?;
        if request.gateway.is_some() && !request.hops.is_empty() {
            return Err(Failure::usage("\"via\" stands after \"nexthop\", not beside it"));
        }
        Ok(request)
    }

    /// The gateway, or the first of several.
    fn gateway(&self) -> Option<IpAddr> {
        self.gateway.or(self.hops.first().map(|hop| hop.gateway))
    }

    /// The scope follows from the route: one that differs is refused, not ignored.
    fn check_scope(&self, is_filter: bool) -> Result<(), Failure> {
        let is_ipv6 = self.destination.is_some_and(|prefix| prefix.address().is_ipv6());
        match self.scope {
            Some(scope) if !is_filter && !is_ipv6 && scope != self.own_scope() => {
                Err(Failure::of(format!("scope {scope}"), Error::Unsupported))
            }
            _ => Ok(()),
        }
    }

    fn own_scope(&self) -> &'static str {
        let is_unicast = self.kind.is_none_or(|kind| kind == RouteKind::Unicast);
        if self.gateway().is_none() && is_unicast { "link" } else { "global" }
    }

    /// Describes the route, for errors.
    fn text(&self) -> String {
        let destination = self.destination.map_or_else(String::new, |prefix| prefix.to_string());
        match (self.gateway(), self.device) {
            (Some(gateway), _) => format!("{destination} via {gateway}"),
            (None, Some(device)) => format!("{destination} dev {device}"),
            (None, None) => destination,
        }
    }

    fn destination(&self) -> Result<Prefix, Failure> {
        self.destination.ok_or_else(|| Failure::usage("which destination?"))
    }

    fn change(&self, mode: ChangeMode) -> Result<RouteChange, Failure> {
        let destination = self.destination()?;
        let kind = self.kind.unwrap_or_default();
        if kind == RouteKind::Unicast && self.gateway().is_none() && self.device.is_none() {
            return Err(Failure::of(self.text(), Error::NoDevice));
        }
        // Linux' metric for IPv6 routes without one.
        let default_metric = if destination.address().is_ipv6() { 1024 } else { 0 };
        Ok(RouteChange {
            mode,
            kind,
            destination,
            gateway: self.gateway,
            interface: self.device.map(String::from),
            metric: self.metric.unwrap_or(default_metric),
            source: self.source,
            mtu: self.mtu,
            onlink: self.onlink,
            protocol: self.protocol.unwrap_or(RouteDetail::BOOT),
            expires_seconds: self.expires,
        })
    }

    fn filter(&self, all: bool) -> RouteFilter {
        RouteFilter {
            all,
            destination: self.destination,
            kind: self.kind,
            gateway: self.gateway,
            metric: self.metric,
            interface: self.device.map(String::from),
            source: self.source,
            protocol: self.protocol,
            ipv6: None,
        }
    }

    /// True for a route that has just these next hops, in this order.
    fn names(&self, several: &MultipathRoute) -> bool {
        let gateways = self.hops.iter().map(|hop| hop.gateway);
        self.wants(&several.route) && several.hops.iter().map(|hop| hop.gateway).eq(gateways)
    }

    fn wants(&self, detail: &RouteDetail) -> bool {
        let route = &detail.route;
        let is_link = route.gateway.is_none() && detail.kind == RouteKind::Unicast;
        self.destination.is_none_or(|prefix| prefix == route.destination)
            && self.kind.is_none_or(|kind| kind == detail.kind)
            && self.gateway.is_none_or(|gateway| Some(gateway) == route.gateway)
            && self.device.is_none_or(|device| device == route.interface)
            && self.metric.is_none_or(|metric| metric == route.metric)
            && self.source.is_none_or(|source| Some(source) == route.source)
            && self.protocol.is_none_or(|protocol| protocol == detail.protocol)
            && self.scope.is_none_or(|scope| (scope == "link") == is_link && scope != "host")
    }
}

fn kind(word: &str) -> Result<RouteKind, Failure> {
    words::parse(word, "route type")
}

/// There is one table, which Linux calls `main`; `all` has no other.
fn table(word: &str) -> Result<(), Failure> {
    match word {
        "main" | "254" | "all" | "unspec" | "0" => Ok(()),
        _ => Err(Failure::of(format!("table {word}"), Error::Unsupported)),
    }
}

/// A protocol by name or number; `all` is no filter.
fn protocol(word: &str) -> Result<Option<u8>, Failure> {
    if word == "all" {
        return Ok(None);
    }
    let number = render::protocol_number(word);
    number.map(Some).ok_or_else(|| Failure::of(word, "bad protocol"))
}

/// A scope by name or number; `all` is no filter.
fn scope(word: &str) -> Result<Option<&'static str>, Failure> {
    match word {
        "all" => Ok(None),
        "link" | "253" => Ok(Some("link")),
        "global" | "universe" | "0" => Ok(Some("global")),
        "host" | "254" => Ok(Some("host")),
        _ => Err(Failure::of(word, "bad scope")),
    }
}

async fn show(context: &Context, options: Options, request: &Request<'_>) -> Outcome {
    if let Some(name) = request.device {
        shown(context, name)?;
    }
    let mut routes = details(context).await?;
    // `ip route` alone shows IPv4, as Linux does.
    let ipv4 = options
        .ipv4
        .unwrap_or_else(|| request.destination.is_none_or(|prefix| prefix.address().is_ipv4()));
    routes.retain(|detail| {
        detail.route.destination.address().is_ipv4() == ipv4 && request.wants(detail)
    });
    // A route is shown with all its next hops if one of them is asked for.
    let several: Vec<_> = next_hops::all(context).await?;
    let preferences = preferences(context, ipv4).await?;
    let preferred: Vec<_> = routes
        .into_iter()
        .map(|detail| {
            let route = &detail.route;
            let is_same = |known: &&RoutePreference| {
                (known.destination, Some(known.gateway)) == (route.destination, route.gateway)
                    && known.interface == route.interface
                    && route.origin == Origin::RouterAdvertisement
            };
            let found = preferences.iter().find(is_same);
            let preference = found.map_or(Preference::Medium, |known| known.preference);
            (detail, preference)
        })
        .collect();
    let what = render::Shown { one_interface: request.device.is_some(), details: options.details };
    answer(context, options, &render::show(&preferred, &several, options.style, what)).await
}

/// The preferences of routes that are not medium; IPv4 has none.
async fn preferences(context: &Context, ipv4: bool) -> Result<Vec<RoutePreference>, Failure> {
    if ipv4 {
        return Ok(Vec::new());
    }
    devices::sockets(context, Use::Show)?
        .control::<ListRoutePreferences>(&())
        .await
        .map_err(|why| Failure::of(devices::SOCKETS, why))
}

async fn remove(context: &Context, request: &Request<'_>) -> Outcome {
    let destination = request.destination()?;
    is_network(destination)?;
    if let Some(name) = request.device {
        changed(context, name)?;
    }
    if !request.hops.is_empty() {
        let all = next_hops::all(context).await?;
        if !all.iter().any(|route| request.names(route)) {
            return Err(Failure::of(request.text(), Error::NoSuchProcess));
        }
    }
    let sockets = devices::sockets(context, Use::Change)?;
    let removed = sockets.control::<RemoveRoutes>(&request.filter(false)).await;
    removed.map_err(|why| match why {
        // As Linux says of a default route of IPv6.
        Error::NoSuchProcess if destination == Prefix::DEFAULT_IPV6 => {
            Failure::of(request.text(), Error::NotFound)
        }
        why => Failure::of(request.text(), why),
    })?;
    Ok(Status::SUCCESS)
}

/// Host bits are refused for IPv4, as on Linux.
fn is_network(prefix: Prefix) -> Result<(), Failure> {
    let has_host_bits = prefix != prefix.network() && prefix.length() != 0;
    if has_host_bits && prefix.address().is_ipv4() {
        return Err(Failure::of(prefix, "Invalid prefix for given prefix length"));
    }
    Ok(())
}

async fn set(context: &Context, request: &Request<'_>, mode: ChangeMode) -> Outcome {
    let change = request.change(mode)?;
    is_network(change.destination)?;
    if let Some(name) = request.device {
        changed(context, name)?;
    }
    let sockets = devices::sockets(context, Use::Change)?;
    let set = if request.hops.is_empty() {
        sockets.control::<SetRoute>(&change).await
    } else {
        let change = MultipathChange { route: change, hops: request.hops.clone() };
        sockets.control::<SetMultipathRoute>(&change).await
    };
    set.map_err(|why| Failure::of(request.text(), why))?;
    Ok(Status::SUCCESS)
}

async fn flush(context: &Context, options: Options, request: &Request<'_>) -> Outcome {
    let is_empty = request.filter(true) == RouteFilter { all: true, ..RouteFilter::default() };
    if is_empty && request.scope.is_none() {
        return Err(Failure::usage("\"ip route flush\" requires arguments."));
    }
    if let Some(name) = request.device {
        changed(context, name)?;
    }
    let sockets = devices::sockets(context, Use::Change)?;
    let ipv6 = Some(!options.ipv4.unwrap_or(true));
    if request.scope.is_none() {
        let filter = RouteFilter { ipv6, ..request.filter(true) };
        let removed = sockets.control::<RemoveRoutes>(&filter).await;
        removed.map_err(|why| Failure::of(devices::SOCKETS, why))?;
        return Ok(Status::SUCCESS);
    }
    for detail in details(context).await? {
        let is_ipv6 = detail.route.destination.address().is_ipv6();
        if !request.wants(&detail) || Some(is_ipv6) != ipv6 {
            continue;
        }
        let filter = RouteFilter {
            destination: Some(detail.route.destination),
            kind: Some(detail.kind),
            gateway: detail.route.gateway,
            metric: Some(detail.route.metric),
            interface: Some(detail.route.interface).filter(|name| !name.is_empty()),
            ..RouteFilter::default()
        };
        match sockets.control::<RemoveRoutes>(&filter).await {
            // It went with another one.
            Ok(_) | Err(Error::NoSuchProcess) => {}
            Err(why) => return Err(Failure::of(detail.route.destination, why)),
        }
    }
    Ok(Status::SUCCESS)
}
