//! `route`: shows and changes the routing table.
//!
//! The table covers all interfaces and comes from `/devices/sockets`; a change goes to the
//! interface's own device if one is named.

use std::net::IpAddr;

use devnet_network::address::Prefix;
use devnet_network::command::address::Origin;
use devnet_network::command::route::{
    ChangeMode, RouteChange, RouteDetail, RouteFilter, RouteKind,
};
use devnet_network::command::{ListRouteDetails, RemoveRoutes, SetRoute};
use devnet_virtual_file_system::{Error, File};

use super::words::{self, Words};
use crate::context::Context;
use crate::devices::{self, Use};
use crate::failure::{Failure, Outcome};
use crate::render::classic::route::{self as render, Style};
use crate::status::Status;

pub(super) async fn run(context: &Context) -> Outcome {
    let (mut style, mut ipv6, mut words) =
        (Style::default(), false, Words::new(&context.arguments));
    while let Some(option) = words.peek().filter(|word| word.starts_with('-')) {
        words.next();
        match option {
            "-4" | "--inet" => ipv6 = false,
            "-6" | "--inet6" => ipv6 = true,
            "-A" => {
                ipv6 = match words.value(option)? {
                    "inet" => false,
                    "inet6" => true,
                    family => return Err(Failure::usage(format!("{family}: unknown family"))),
                }
            }
            cluster => {
                for letter in cluster.chars().skip(1) {
                    match letter {
                        'n' => style.numeric = true,
                        'e' => style.extended = true,
                        '6' => ipv6 = true,
                        _ => return Err(Failure::usage(format!("{cluster}: unknown option"))),
                    }
                }
            }
        }
    }
    match words.next() {
        None => context.answer(&table(context, style, ipv6).await?).await,
        Some("add") => add(context, &Change::parse(words, ipv6)?).await,
        Some("del" | "delete") => remove(context, &Change::parse(words, ipv6)?).await,
        Some(word) => Err(Failure::usage(format!("{word}: unknown word"))),
    }
}

/// The table, also for `netstat -r`.
pub(super) async fn table(context: &Context, style: Style, ipv6: bool) -> Result<String, Failure> {
    let routes = details(context).await?;
    Ok(if ipv6 { render::ipv6(&routes) } else { render::ipv4(&routes, style) })
}

/// Returns all routes in Linux' order, without the loopback networks, which its table does not
/// list, and without those of interfaces that are down, which are not in force.
pub(super) async fn details(context: &Context) -> Result<Vec<RouteDetail>, Failure> {
    let sockets = devices::sockets(context, Use::Show)?;
    let mut routes = sockets
        .control::<ListRouteDetails>(&())
        .await
        .map_err(|why| Failure::of(devices::SOCKETS, why))?;
    let down: Vec<_> = devices::all(context)
        .await?
        .into_iter()
        .filter(|(_, status)| !status.enabled)
        .map(|(_, status)| status.name)
        .collect();
    routes.retain(|RouteDetail { route, .. }| {
        let is_loopback =
            route.origin == Origin::Kernel && route.destination.address().is_loopback();
        !is_loopback && !down.contains(&route.interface)
    });
    // IPv4 by address, so that the default is first; IPv6 the same, but the default is last. Equal
    // ones stay in their order.
    routes.sort_by_key(|RouteDetail { route, .. }| {
        let last = route.destination.address().is_ipv6() && route.destination.length() == 0;
        (route.destination.address().is_ipv6(), last, route.destination, route.metric)
    });
    Ok(routes)
}

/// The arguments after `add` or `del`.
struct Change {
    text: String,
    destination: Prefix,
    gateway: Option<IpAddr>,
    metric: Option<u32>,
    interface: Option<String>,
    /// `reject`: a route of the whole system that is unreachable.
    reject: bool,
}

impl Change {
    fn parse(mut words: Words<'_>, ipv6: bool) -> Result<Self, Failure> {
        let (mut target, mut network, mut mask) = (None, false, None);
        let (mut gateway, mut metric, mut interface, mut reject) = (None, None, None, false);
        while let Some(word) = words.next() {
            match word {
                "-net" => network = true,
                "-host" => network = false,
                "-4" | "-6" | "-n" => {}
                "netmask" => mask = Some(words.value(word)?),
                "gw" | "gateway" | "via" => gateway = Some(words::address(words.value(word)?)?),
                "metric" => metric = Some(words.parsed(word, "metric")?),
                "reject" => reject = true,
                "mod" | "dyn" | "reinstate" | "mss" | "window" | "irtt" => {
                    return Err(Failure::of(word, Error::Unsupported));
                }
                "dev" => interface = Some(words.value(word)?.to_owned()),
                word if target.is_none() => target = Some(word),
                word if interface.is_none() => interface = Some(word.to_owned()),
                word => return Err(Failure::usage(format!("{word}: unknown word"))),
            }
        }
        let target = target.ok_or_else(|| Failure::usage("a target is needed"))?;
        let ipv6 = ipv6 || gateway.is_some_and(|gateway| gateway.is_ipv6());
        let destination = destination(target, network, mask, ipv6)?;
        let via = gateway.map_or_else(String::new, |gateway| format!(" gw {gateway}"));
        Ok(Self { text: format!("{target}{via}"), destination, gateway, metric, interface, reject })
    }

    /// Checks that a named interface is there, and returns the device of all routes.
    fn file(&self, context: &Context) -> Result<File, Failure> {
        if let Some(name) = &self.interface {
            devices::interface(context, name, Use::Change)?;
        }
        devices::sockets(context, Use::Change)
    }

    fn kind(&self) -> RouteKind {
        if self.reject { RouteKind::Unreachable } else { RouteKind::Unicast }
    }
}

fn destination(
    target: &str,
    network: bool,
    mask: Option<&str>,
    ipv6: bool,
) -> Result<Prefix, Failure> {
    if target == "default" {
        return Ok(if ipv6 { Prefix::DEFAULT_IPV6 } else { Prefix::DEFAULT_IPV4 });
    }
    let prefix: Prefix = match mask {
        Some(mask) => words::parse(&format!("{target}/{mask}"), "address or netmask")?,
        // Do not guess from the class: the intended length is unknown.
        None if network && !target.contains('/') && target.contains('.') => {
            return Err(Failure::of(target, "a network needs a netmask"));
        }
        None => words::parse(target, "address")?,
    };
    if prefix.address().is_unspecified() && mask.is_none() && !target.contains('/') {
        return Ok(if prefix.address().is_ipv4() {
            Prefix::DEFAULT_IPV4
        } else {
            Prefix::DEFAULT_IPV6
        });
    }
    if prefix.network() == prefix {
        Ok(prefix)
    } else if prefix.address().is_ipv6() {
        Ok(prefix.network())
    } else {
        Err(Failure::of(target, "netmask doesn't match route address"))
    }
}

async fn add(context: &Context, change: &Change) -> Outcome {
    if change.gateway.is_none() && change.interface.is_none() && !change.reject {
        return Err(Failure::of(&change.text, Error::NoDevice));
    }
    let is_ipv6 = change.destination.address().is_ipv6();
    let route = RouteChange {
        // An equal IPv4 route through another gateway is a second one, and the newer is first, as
        // with Linux' ioctl.
        mode: if is_ipv6 { ChangeMode::Insert } else { ChangeMode::Prepend },
        kind: change.kind(),
        destination: change.destination,
        gateway: change.gateway.filter(|_| !change.reject),
        metric: change.metric.unwrap_or(u32::from(is_ipv6)),
        interface: change.interface.clone().filter(|_| !change.reject),
        ..RouteChange::default()
    };
    let added = change.file(context)?.control::<SetRoute>(&route).await;
    added.map_err(|why| Failure::of(&change.text, why))?;
    Ok(Status::SUCCESS)
}

async fn remove(context: &Context, change: &Change) -> Outcome {
    let filter = RouteFilter {
        destination: Some(change.destination),
        kind: Some(change.kind()),
        gateway: change.gateway.filter(|_| !change.reject),
        metric: change.metric,
        interface: change.interface.clone().filter(|_| !change.reject),
        ..RouteFilter::default()
    };
    let removed = change.file(context)?.control::<RemoveRoutes>(&filter).await;
    removed.map_err(|why| Failure::of(&change.text, why))?;
    Ok(Status::SUCCESS)
}
