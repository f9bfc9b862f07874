//! `ip neigh`.

use std::net::IpAddr;

use devnet_network::address::HardwareAddress;
use devnet_network::command::neighbor::NewNeighbor;
use devnet_network::command::{AddNeighbor, FlushNeighbors, ListNeighbors, RemoveNeighbor};
use devnet_virtual_file_system::Error;

use super::super::arp;
use super::super::words::{self, Words};
use super::{Options, changed, garbage, required, shown, verb};
use crate::context::Context;
use crate::failure::{Failure, Outcome};
use crate::render::iproute::neighbor as render;
use crate::status::Status;

const VERBS: &[&str] =
    &["add", "change", "chg", "replace", "delete", "del", "show", "list", "lst", "flush"];

pub(super) async fn run(context: &Context, options: Options, mut words: Words<'_>) -> Outcome {
    let verb = verb(words.next(), VERBS, "neigh")?;
    let request = Request::parse(words)?;
    match verb {
        "show" => show(context, options, &request).await,
        "flush" => {
            changed(context, required(request.device)?)?.ask::<FlushNeighbors>(&()).await?;
            Ok(Status::SUCCESS)
        }
        "del" => {
            let address = request.address()?;
            let interface = changed(context, required(request.device)?)?;
            interface.change::<RemoveNeighbor>(&address.to_string(), &address).await?;
            Ok(Status::SUCCESS)
        }
        verb => add(context, &request, verb).await,
    }
}

/// The arguments after the verb.
struct Request<'a> {
    device: Option<&'a str>,
    address: Option<IpAddr>,
    hardware: Option<HardwareAddress>,
}

impl<'a> Request<'a> {
    fn parse(mut words: Words<'a>) -> Result<Self, Failure> {
        let mut request = Self { device: None, address: None, hardware: None };
        while let Some(word) = words.next() {
            match word {
                "dev" => request.device = Some(words.value(word)?),
                "lladdr" => request.hardware = Some(words.parsed(word, "hardware address")?),
                "nud" if matches!(words.peek(), Some("permanent" | "all")) => drop(words.next()),
                "to" => request.address = Some(words::address(words.value(word)?)?),
                word if request.address.is_none() => request.address = Some(words::address(word)?),
                word => return Err(garbage(word)),
            }
        }
        Ok(request)
    }

    fn address(&self) -> Result<IpAddr, Failure> {
        self.address.ok_or_else(|| Failure::usage("Device and destination are required arguments."))
    }
}

async fn show(context: &Context, options: Options, request: &Request<'_>) -> Outcome {
    if let Some(name) = request.device {
        shown(context, name)?;
    }
    let mut neighbors = arp::list(context, request.device).await?;
    neighbors.retain(|(_, entry)| {
        options.wants(entry.address)
            && request.address.is_none_or(|address| address == entry.address)
    });
    context.answer(&render::show(&neighbors, options.style, request.device.is_some())).await
}

async fn add(context: &Context, request: &Request<'_>, verb: &str) -> Outcome {
    let address = request.address()?;
    let hardware_address =
        request.hardware.ok_or_else(|| Failure::usage("lladdr: a value is missing"))?;
    let interface = changed(context, required(request.device)?)?;
    if verb == "add" || verb == "change" {
        let known =
            interface.ask::<ListNeighbors>(&()).await?.iter().any(|entry| entry.address == address);
        match (verb, known) {
            ("add", true) => return Err(Failure::of(address, Error::AlreadyExists)),
            ("change", false) => return Err(Failure::of(address, Error::NotFound)),
            _ => {}
        }
    }
    interface
        .change::<AddNeighbor>(&address.to_string(), &NewNeighbor { address, hardware_address })
        .await?;
    Ok(Status::SUCCESS)
}
