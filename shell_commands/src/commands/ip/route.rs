//! `ip route`.

use std::net::IpAddr;

use devnet_network::address::Prefix;
use devnet_network::command::address::Origin;
use devnet_network::command::route::{
    NewRoute, Preference, RouteEntry, RoutePreference, RouteSelector,
};
use devnet_network::command::{AddRoute, FindRoute, ListRoutePreferences, RemoveRoute};
use devnet_virtual_file_system::{Error, File};

use super::super::route::list;
use super::super::words::{self, Words};
use super::{Options, changed, garbage, shown, verb};
use crate::context::Context;
use crate::devices::{self, Use};
use crate::failure::{Failure, Outcome};
use crate::render::iproute::route as render;
use crate::status::Status;

const VERBS: &[&str] = &[
    "list", "lst", "show", "get", "add", "append", "change", "chg", "replace", "delete", "del",
    "flush",
];

pub(super) async fn run(context: &Context, options: Options, mut words: Words<'_>) -> Outcome {
    let verb = verb(words.next(), VERBS, "route")?;
    if verb == "get" {
        return get(context, options, words).await;
    }
    let request = Request::parse(words, options)?;
    match verb {
        "show" => show(context, options, &request).await,
        "flush" => flush(context, options, &request).await,
        "del" => remove(context, &request).await,
        "replace" | "change" | "chg" => replace(context, &request, verb).await,
        verb => {
            let route = request.route(verb == "append")?;
            let file = request.file(context)?;
            file.control::<AddRoute>(&route)
                .await
                .map_err(|why| Failure::of(request.text(), why))?;
            Ok(Status::SUCCESS)
        }
    }
}

/// The arguments after the verb.
struct Request<'a> {
    destination: Option<Prefix>,
    gateway: Option<IpAddr>,
    device: Option<&'a str>,
    metric: Option<u32>,
}

impl<'a> Request<'a> {
    fn parse(mut words: Words<'a>, options: Options) -> Result<Self, Failure> {
        let mut request = Self { destination: None, gateway: None, device: None, metric: None };
        let mut target = None;
        while let Some(word) = words.next() {
            match word {
                "via" => {
                    if matches!(words.peek(), Some("inet" | "inet6")) {
                        words.next();
                    }
                    request.gateway = Some(words::address(words.value(word)?)?);
                }
                "dev" => request.device = Some(words.value(word)?),
                "metric" | "preference" => request.metric = Some(words.parsed(word, "metric")?),
                // There is one table; scope and origin follow from the rest.
                "table" | "proto" | "protocol" | "scope" => drop(words.value(word)?),
                "to" | "exact" | "unicast" => {}
                word if target.is_none() => target = Some(word),
                word => return Err(garbage(word)),
            }
        }
        request.destination = match target {
            Some("default" | "all") => {
                let ipv6 = options.ipv4 == Some(false)
                    || request.gateway.is_some_and(|gateway| gateway.is_ipv6());
                Some(if ipv6 { Prefix::DEFAULT_IPV6 } else { Prefix::DEFAULT_IPV4 })
            }
            Some(text) => Some(words::parse(text, "prefix")?),
            None => None,
        };
        Ok(request)
    }

    /// Describes the route, for errors.
    fn text(&self) -> String {
        let destination = self.destination.map_or_else(String::new, |prefix| prefix.to_string());
        match (self.gateway, self.device) {
            (Some(gateway), _) => format!("{destination} via {gateway}"),
            (None, Some(device)) => format!("{destination} dev {device}"),
            (None, None) => destination,
        }
    }

    fn destination(&self) -> Result<Prefix, Failure> {
        self.destination.ok_or_else(|| Failure::usage("which destination?"))
    }

    /// Returns the named interface's own device, or that of all routes.
    fn file(&self, context: &Context) -> Result<File, Failure> {
        match self.device {
            Some(name) => Ok(changed(context, name)?.file),
            None => devices::sockets(context, Use::Change),
        }
    }

    fn route(&self, append: bool) -> Result<NewRoute, Failure> {
        let destination = self.destination()?;
        if self.gateway.is_none() && self.device.is_none() {
            return Err(Failure::of(self.text(), Error::NoDevice));
        }
        // Linux' metric for IPv6 routes without one.
        let default_metric = if destination.address().is_ipv6() { 1024 } else { 0 };
        Ok(NewRoute {
            destination,
            gateway: self.gateway,
            metric: self.metric.unwrap_or(default_metric),
            interface: self.device.map(String::from),
            append,
        })
    }

    fn wants(&self, route: &RouteEntry) -> bool {
        self.destination.is_none_or(|prefix| prefix == route.destination)
            && self.gateway.is_none_or(|gateway| Some(gateway) == route.gateway)
            && self.device.is_none_or(|device| device == route.interface)
            && self.metric.is_none_or(|metric| metric == route.metric)
    }
}

async fn show(context: &Context, options: Options, request: &Request<'_>) -> Outcome {
    if let Some(name) = request.device {
        shown(context, name)?;
    }
    let mut routes = list(context).await?;
    let default_only = request.destination.is_some_and(|prefix| prefix.length() == 0);
    // `ip route` alone shows IPv4, as Linux does.
    let ipv4 = options
        .ipv4
        .unwrap_or_else(|| request.destination.is_none_or(|prefix| prefix.address().is_ipv4()));
    routes.retain(|route| {
        route.destination.address().is_ipv4() == ipv4
            && request.wants(route)
            && (!default_only || route.destination.length() == 0)
    });
    let preferences = preferences(context, ipv4).await?;
    let preferred: Vec<_> = routes
        .into_iter()
        .map(|route| {
            let is_same = |known: &&RoutePreference| {
                (known.destination, Some(known.gateway)) == (route.destination, route.gateway)
                    && known.interface == route.interface
                    && route.origin == Origin::RouterAdvertisement
            };
            let found = preferences.iter().find(is_same);
            let preference = found.map_or(Preference::Medium, |known| known.preference);
            (route, preference)
        })
        .collect();
    context.answer(&render::show(&preferred, options.style, request.device.is_some())).await
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

async fn get(context: &Context, options: Options, mut words: Words<'_>) -> Outcome {
    let mut word = words.next().ok_or_else(|| Failure::usage("which address?"))?;
    if word == "to" {
        word = words.value(word)?;
    }
    let address = words::address(word)?;
    let file = devices::sockets(context, Use::Show)?;
    let choice =
        file.control::<FindRoute>(&address).await.map_err(|why| Failure::of(address, why))?;
    context.answer(&render::choice(&choice, options.style)).await
}

async fn remove(context: &Context, request: &Request<'_>) -> Outcome {
    let selector = RouteSelector {
        destination: request.destination()?,
        gateway: request.gateway,
        metric: request.metric,
        interface: request.device.map(String::from),
    };
    let file = request.file(context)?;
    file.control::<RemoveRoute>(&selector).await.map_err(|why| Failure::of(request.text(), why))?;
    Ok(Status::SUCCESS)
}

/// Adds the new route before it removes the first equal one, so that a refusal changes nothing.
async fn replace(context: &Context, request: &Request<'_>, verb: &str) -> Outcome {
    let failed = |why| Failure::of(request.text(), why);
    let mut route = request.route(true)?;
    let equal = |old: &RouteEntry| {
        old.destination == route.destination.network() && old.metric == route.metric
    };
    let old = list(context).await?.into_iter().find(equal);
    if old.is_none() && verb != "replace" {
        return Err(failed(Error::NotFound));
    }
    route.append = old.is_some();
    let file = request.file(context)?;
    match file.control::<AddRoute>(&route).await {
        Ok(()) => {}
        // It exists already, with this gateway and device.
        Err(Error::AlreadyExists) => return Ok(Status::SUCCESS),
        Err(why) => return Err(failed(why)),
    }
    if let Some(old) = old {
        let selector = RouteSelector {
            destination: old.destination,
            gateway: old.gateway,
            metric: Some(old.metric),
            interface: Some(old.interface),
        };
        let all = devices::sockets(context, Use::Change)?;
        all.control::<RemoveRoute>(&selector).await.map_err(failed)?;
    }
    Ok(Status::SUCCESS)
}

async fn flush(context: &Context, options: Options, request: &Request<'_>) -> Outcome {
    if request.device.is_none() && request.destination.is_none() {
        return Err(Failure::usage("\"ip route flush\" requires arguments."));
    }
    if let Some(name) = request.device {
        changed(context, name)?;
    }
    let file = devices::sockets(context, Use::Change)?;
    for route in list(context).await? {
        let address = route.destination.address();
        if request.wants(&route) && options.ipv4.unwrap_or(true) == address.is_ipv4() {
            let selector = RouteSelector {
                destination: route.destination,
                gateway: route.gateway,
                metric: Some(route.metric),
                interface: Some(route.interface),
            };
            file.control::<RemoveRoute>(&selector)
                .await
                .map_err(|why| Failure::of(route.destination, why))?;
        }
    }
    Ok(Status::SUCCESS)
}
