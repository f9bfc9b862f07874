//! `ip neigh`.

use std::net::IpAddr;

use devnet_network::address::HardwareAddress;
use devnet_network::command::neighbor::{NeighborEntry, NeighborState, NewNeighbor};
use devnet_network::command::{AddNeighbor, ListNeighbors, RemoveNeighbor};
use devnet_virtual_file_system::Error;

use super::super::arp;
use super::super::words::{self, Words};
use super::{Options, answer, changed, garbage, proxy, required, shown, verb};
use crate::context::Context;
use crate::failure::{Failure, Outcome};
use crate::render::iproute::neighbor as render;
use crate::status::Status;

const VERBS: &[&str] =
    &["add", "change", "chg", "replace", "delete", "del", "show", "list", "lst", "flush", "get"];

fn request_state(word: &str) -> Result<NeighborState, Failure> {
    let known = STATES.iter().find(|(name, _)| *name == word).map(|(_, state)| *state);
    known.ok_or_else(|| Failure::of(word, "bad state"))
}

pub(super) async fn run(context: &Context, options: Options, mut words: Words<'_>) -> Outcome {
    let verb = verb(words.next(), VERBS, "neigh")?;
    let request = Request::parse(words)?;
    if request.proxy {
        return proxy::run(context, options, verb, request.address, request.device).await;
    }
    match verb {
        "show" => show(context, options, &request).await,
        "flush" => flush(context, options, &request).await,
        "get" => get(context, options, &request).await,
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
    /// Addresses of others that are answered for, not neighbors.
    proxy: bool,
    hardware: Option<HardwareAddress>,
    /// The states that are meant; none for the usual ones.
    states: Vec<NeighborState>,
    /// `nud all`.
    every_state: bool,
}

/// The states of iproute2 by their names.
const STATES: [(&str, NeighborState); 7] = [
    ("permanent", NeighborState::Permanent),
    ("reachable", NeighborState::Reachable),
    ("stale", NeighborState::Stale),
    ("delay", NeighborState::Delay),
    ("probe", NeighborState::Probe),
    ("incomplete", NeighborState::Incomplete),
    ("failed", NeighborState::Failed),
];

impl<'a> Request<'a> {
    fn parse(mut words: Words<'a>) -> Result<Self, Failure> {
        let mut request = Self {
            device: None,
            address: None,
            proxy: false,
            hardware: None,
            states: Vec::new(),
            every_state: false,
        };
        while let Some(word) = words.next() {
            match word {
                "dev" => request.device = Some(words.value(word)?),
                "lladdr" => request.hardware = Some(words.parsed(word, "hardware address")?),
                "nud" => match words.value(word)? {
                    "all" => request.every_state = true,
                    state => request.states.push(request_state(state)?),
                },
                "proxy" => {
                    request.proxy = true;
                    if words.peek().is_some_and(|word| word.parse::<IpAddr>().is_ok()) {
                        request.address = Some(words::address(words.value(word)?)?);
                    }
                }
                "router" | "extern_learn" | "protocol" => {
                    return Err(Failure::of(word, Error::Unsupported));
                }
                "to" => request.address = Some(words::address(words.value(word)?)?),
                word if request.address.is_none() => request.address = Some(words::address(word)?),
                word => return Err(garbage(word)),
            }
        }
        if request.proxy && (request.hardware.is_some() || !request.states.is_empty()) {
            return Err(Failure::usage("a proxy has neither lladdr nor nud"));
        }
        Ok(request)
    }

    /// True for a neighbor that is meant; `is_usual` of its state if no state was given.
    fn wants(
        &self,
        options: Options,
        entry: &NeighborEntry,
        is_usual: impl Fn(NeighborState) -> bool,
    ) -> bool {
        let is_state = if self.states.is_empty() {
            self.every_state || is_usual(entry.state)
        } else {
            self.states.contains(&entry.state)
        };
        is_state
            && options.wants(entry.address)
            && self.address.is_none_or(|address| address == entry.address)
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
    neighbors.retain(|(_, entry)| request.wants(options, entry, |_| true));
    answer(context, options, &render::show(&neighbors, options.style, request.device.is_some()))
        .await
}

/// Removes what is meant. Permanent entries stay unless they are asked for, as on Linux.
async fn flush(context: &Context, options: Options, request: &Request<'_>) -> Outcome {
    if request.device.is_none() && request.address.is_none() && request.states.is_empty() {
        return Err(Failure::usage("Flush requires arguments."));
    }
    if let Some(name) = request.device {
        changed(context, name)?;
    }
    let is_usual = |state| state != NeighborState::Permanent;
    for (name, entry) in arp::list(context, request.device).await? {
        if !request.wants(options, &entry, is_usual) {
            continue;
        }
        let interface = changed(context, &name)?;
        match interface.file.control::<RemoveNeighbor>(&entry.address).await {
            // It went by itself.
            Ok(()) | Err(Error::NotFound) => {}
            Err(why) => return Err(Failure::of(entry.address, why)),
        }
    }
    Ok(Status::SUCCESS)
}

/// `get`: one neighbor of an interface.
async fn get(context: &Context, options: Options, request: &Request<'_>) -> Outcome {
    let address = request.address()?;
    let name = required(request.device)?;
    shown(context, name)?;
    let mut neighbors = arp::list(context, Some(name)).await?;
    neighbors.retain(|(_, entry)| entry.address == address);
    if neighbors.is_empty() {
        return Err(Failure::of(address, Error::NotFound));
    }
    answer(context, options, &render::show(&neighbors, options.style, false)).await
}

async fn add(context: &Context, request: &Request<'_>, verb: &str) -> Outcome {
    let address = request.address()?;
    // Every static entry is permanent.
    if request.states.iter().any(|state| *state != NeighborState::Permanent) {
        return Err(Failure::of("nud", Error::Unsupported));
    }
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
