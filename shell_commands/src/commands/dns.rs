//! `dns`: the servers that names are asked from, of one interface or of the resolver.

use std::net::IpAddr;

use network::command::{AddDnsServer, ListDnsServers, RemoveDnsServer};
use virtual_file_system::File;

use super::words;
use crate::context::Context;
use crate::devices::{self, Use};
use crate::failure::{Failure, Outcome};
use crate::render::lease as render;
use crate::shell::status::Status;

pub(super) async fn run(context: &Context) -> Outcome {
    let words: Vec<&str> = context.arguments.iter().map(String::as_str).collect();
    match words.as_slice() {
        [] | ["show" | "list"] => show(context, None).await,
        ["show" | "list", interface] => show(context, Some(interface)).await,
        ["add", address, interface @ ..] => {
            let (address, file) = target(context, address, interface)?;
            file.control::<AddDnsServer>(&address).await.map_err(|why| Failure::of(address, why))?;
            Ok(Status::SUCCESS)
        }
        ["remove" | "del" | "delete", address, interface @ ..] => {
            let (address, file) = target(context, address, interface)?;
            file.control::<RemoveDnsServer>(&address).await.map_err(|why| Failure::of(address, why))?;
            Ok(Status::SUCCESS)
        }
        [verb @ ("add" | "remove" | "del" | "delete")] => Err(Failure::usage(format!("{verb}: which address?"))),
        [word, ..] => Err(Failure::usage(format!("{word}: unknown word"))),
    }
}

async fn show(context: &Context, interface: Option<&str>) -> Outcome {
    let (name, file) = match interface {
        Some(name) => (name, devices::interface(context, name, Use::Show)?.file),
        None => (devices::SOCKETS, devices::sockets(context, Use::Show)?),
    };
    let servers = file.control::<ListDnsServers>(&()).await.map_err(|why| Failure::of(name, why))?;
    context.answer(&render::dns_servers(&servers)).await
}

fn target(context: &Context, address: &str, interface: &[&str]) -> Result<(IpAddr, File), Failure> {
    let address = words::address(address)?;
    let file = match interface {
        [] => devices::sockets(context, Use::Change)?,
        [name] | ["dev", name] => devices::interface(context, name, Use::Change)?.file,
        [_, word, ..] => return Err(Failure::usage(format!("{word}: unknown word"))),
    };
    Ok((address, file))
}
