//! `dns`: the name servers of one interface or of the resolver, which are
//! asked over TLS, and names of the link.

mod link_names;
mod security;

use std::net::IpAddr;

use devnet_network::command::{
    AddDnsServer, FlushDnsCache, ListDnsCache, ListDnsServers, ListRoutes, RemoveDnsServer,
};
use devnet_virtual_file_system::{Error, File};

use super::words;
use crate::context::Context;
use crate::devices::{self, Use};
use crate::failure::{Failure, Outcome};
use crate::render::lease as render;
use crate::status::Status;

pub(super) async fn run(context: &Context) -> Outcome {
    let words: Vec<&str> = context.arguments.iter().map(String::as_str).collect();
    match words.as_slice() {
        [] | ["show" | "list"] => show(context, None).await,
        ["show" | "list", interface] => show(context, Some(interface)).await,
        ["add", address, interface @ ..] => {
            let (address, file) = target(context, address, interface, default_interface).await?;
            file.control::<AddDnsServer>(&address)
                .await
                .map_err(|why| Failure::of(address, why))?;
            Ok(Status::SUCCESS)
        }
        ["remove" | "del" | "delete", address, interface @ ..] => {
            let (address, file) = target(context, address, interface, interface_of).await?;
            file.control::<RemoveDnsServer>(&address)
                .await
                .map_err(|why| Failure::of(address, why))?;
            Ok(Status::SUCCESS)
        }
        ["cache", interface @ ..] if interface.len() <= 1 => {
            let (name, file) = devices::one_or_all(context, interface.first().copied(), Use::Show)?;
            let kept =
                file.control::<ListDnsCache>(&()).await.map_err(|why| Failure::of(name, why))?;
            context.answer(&render::dns_cache(&kept)).await
        }
        ["flush", interface @ ..] if interface.len() <= 1 => {
            let (name, file) =
                devices::one_or_all(context, interface.first().copied(), Use::Change)?;
            file.control::<FlushDnsCache>(&()).await.map_err(|why| Failure::of(name, why))?;
            Ok(Status::SUCCESS)
        }
        [
            verb @ ("multicast" | "hostname" | "publish" | "withdraw" | "browse" | "watch"),
            rest @ ..,
        ] => link_names::run(context, verb, rest).await,
        ["tls", rest @ ..] => security::run(context, rest).await,
        [verb @ ("add" | "remove" | "del" | "delete")] => {
            Err(Failure::usage(format!("{verb}: which address?")))
        }
        [word, ..] => Err(Failure::usage(format!("{word}: unknown word"))),
    }
}

async fn show(context: &Context, interface: Option<&str>) -> Outcome {
    let (name, file) = devices::one_or_all(context, interface, Use::Show)?;
    let servers =
        file.control::<ListDnsServers>(&()).await.map_err(|why| Failure::of(name, why))?;
    context.answer(&render::dns_servers(&servers)).await
}

/// Returns the server's address, and the device of the named interface or of the one that `choose`
/// finds.
async fn target(
    context: &Context,
    address: &str,
    interface: &[&str],
    choose: impl AsyncFn(&File, IpAddr) -> Result<String, Failure>,
) -> Result<(IpAddr, File), Failure> {
    let (text, (address, zone)) = match address.split_once('%') {
        Some((text, zone)) => (address, (words::address(text)?, Some(zone))),
        None => (address, (words::address(address)?, None)),
    };
    if zone.is_some() && address.is_ipv4() {
        return Err(Failure::of(text, "bad address"));
    }
    let chosen;
    let name = match interface {
        [] if zone.is_some() => zone.unwrap_or_default(),
        [name] | ["dev", name] if zone.is_some_and(|zone| zone != *name) => {
            return Err(Failure::of(text, format!("not on {name}")));
        }
        [] => {
            chosen = choose(&devices::sockets(context, Use::Show)?, address).await?;
            chosen.as_str()
        }
        [name] | ["dev", name] => name,
        [_, word, ..] => return Err(Failure::usage(format!("{word}: unknown word"))),
    };
    Ok((address, devices::interface(context, name, Use::Change)?.file))
}

/// Returns the interface with the best default route, of the server's family if there is one.
async fn default_interface(system: &File, server: IpAddr) -> Result<String, Failure> {
    let routes = system
        .control::<ListRoutes>(&())
        .await
        .map_err(|why| Failure::of(devices::SOCKETS, why))?;
    routes
        .into_iter()
        .filter(|route| route.usable && route.destination.length() == 0)
        .min_by_key(|route| {
            (route.destination.address().is_ipv4() != server.is_ipv4(), route.metric)
        })
        .map(|route| route.interface)
        .ok_or_else(|| Failure::usage("no default route: which interface?"))
}

/// Returns the interface that has the server.
async fn interface_of(system: &File, server: IpAddr) -> Result<String, Failure> {
    let servers = system
        .control::<ListDnsServers>(&())
        .await
        .map_err(|why| Failure::of(devices::SOCKETS, why))?;
    servers
        .into_iter()
        .find(|known| known.address == server)
        .map(|known| known.interface)
        .ok_or_else(|| Failure::of(server, Error::NotFound))
}
