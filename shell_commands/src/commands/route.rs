//! `route`: shows and changes the routing table.
//!
//! The table covers all interfaces and comes from `/devices/sockets`; a change goes to the
//! interface's own device if one is named.

use std::net::IpAddr;

use devnet_network::address::Prefix;
use devnet_network::command::address::Origin;
use devnet_network::command::route::{NewRoute, RouteEntry, RouteSelector};
use devnet_network::command::{AddRoute, ListRoutes, RemoveRoute};
use devnet_virtual_file_system::{ControlCommand, Error};

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
    let routes = list(context).await?;
    Ok(if ipv6 { render::ipv6(&routes) } else { render::ipv4(&routes, style) })
}

/// Returns all routes in Linux' order, without the loopback networks, which its table does not
/// list.
pub(super) async fn list(context: &Context) -> Result<Vec<RouteEntry>, Failure> {
    let sockets = devices::sockets(context, Use::Show)?;
    let mut routes = sockets
        .control::<ListRoutes>(&())
        .await
        .map_err(|why| Failure::of(devices::SOCKETS, why))?;
    routes.retain(|route| {
        route.origin != Origin::Kernel || !route.destination.address().is_loopback()
    });
    // IPv4 by address, so that the default is first; IPv6 the same, but the default is last.
    routes.sort_by_key(|route| {
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
}

impl Change {
    fn parse(mut words: Words<'_>, ipv6: bool) -> Result<Self, Failure> {
        let (mut target, mut network, mut mask) = (None, false, None);
        let (mut gateway, mut metric, mut interface) = (None, None, None);
        while let Some(word) = words.next() {
            match word {
                "-net" => network = true,
                "-host" => network = false,
                "-4" | "-6" | "-n" => {}
                "netmask" => mask = Some(words.value(word)?),
                "gw" | "gateway" | "via" => gateway = Some(words::address(words.value(word)?)?),
                "metric" => metric = Some(words.parsed(word, "metric")?),
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
        Ok(Self { text: format!("{target}{via}"), destination, gateway, metric, interface })
    }

    /// Sends the change to the named interface, or to the device of all routes.
    async fn ask<C: ControlCommand>(
        &self,
        context: &Context,
        request: &C::Request,
    ) -> Result<C::Response, Failure> {
        let file = match &self.interface {
            Some(name) => devices::interface(context, name, Use::Change)?.file,
            None => devices::sockets(context, Use::Change)?,
        };
        file.control::<C>(request).await.map_err(|why| Failure::of(&self.text, why))
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
    if change.gateway.is_none() && change.interface.is_none() {
        return Err(Failure::of(&change.text, Error::NoDevice));
    }
    let default_metric = u32::from(change.destination.address().is_ipv6());
    let route = NewRoute {
        destination: change.destination,
        gateway: change.gateway,
        metric: change.metric.unwrap_or(default_metric),
        interface: change.interface.clone(),
        // An equal route through another gateway is a second one, as with Linux' ioctl.
        append: change.destination.address().is_ipv4(),
    };
    change.ask::<AddRoute>(context, &route).await?;
    Ok(Status::SUCCESS)
}

async fn remove(context: &Context, change: &Change) -> Outcome {
    let selector = RouteSelector {
        destination: change.destination,
        gateway: change.gateway,
        metric: change.metric,
        interface: change.interface.clone(),
    };
    change.ask::<RemoveRoute>(context, &selector).await?;
    Ok(Status::SUCCESS)
}
