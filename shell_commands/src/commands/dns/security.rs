//! `dns tls`: which name servers are asked over TLS.

use devnet_network::command::dns::{DnsSecurityChange, SecureServer};
use devnet_network::command::{ChangeDnsSecurity, GetDnsSecurity};

use crate::commands::words;
use crate::context::Context;
use crate::devices::{self, SOCKETS, Use};
use crate::failure::{Failure, Outcome};
use crate::render::lease as render;
use crate::status::Status;

pub(super) async fn run(context: &Context, words: &[&str]) -> Outcome {
    let change = match words {
        [] => return show(context).await,
        ["add", address, name] => add(address, name, SecureServer::PORT)?,
        ["add", address, name, port] => {
            let port = port.parse().map_err(|_| Failure::of(port, "bad port"))?;
            add(address, name, port)?
        }
        ["remove" | "del" | "delete", address] => {
            DnsSecurityChange::Remove(words::address(address)?)
        }
        ["required", "on"] => DnsSecurityChange::Require(true),
        ["required", "off"] => DnsSecurityChange::Require(false),
        ["required", other] => return Err(Failure::of(other, "on or off")),
        ["add" | "remove" | "del" | "delete" | "required", ..] => {
            return Err(Failure::usage("tls: wrong number of words"));
        }
        [word, ..] => return Err(Failure::usage(format!("{word}: unknown word"))),
    };
    let file = devices::sockets(context, Use::Change)?;
    // Of an address and a name both may be wrong.
    let subject = words.get(1..).unwrap_or_default().join(" ");
    file.control::<ChangeDnsSecurity>(&change).await.map_err(|why| Failure::of(subject, why))?;
    Ok(Status::SUCCESS)
}

fn add(address: &str, name: &str, port: u16) -> Result<DnsSecurityChange, Failure> {
    let address = words::address(address)?;
    Ok(DnsSecurityChange::Add(SecureServer { address, name: name.into(), port }))
}

async fn show(context: &Context) -> Outcome {
    let file = devices::sockets(context, Use::Show)?;
    let security =
        file.control::<GetDnsSecurity>(&()).await.map_err(|why| Failure::of(SOCKETS, why))?;
    context.answer(&render::dns_security(&security)).await
}
