//! `ip address`.

use std::net::Ipv4Addr;

use devnet_network::address::Prefix;
use devnet_network::command::address::{AddressEntry, NewAddress, Scope};
use devnet_network::command::{AddAddress, FlushAddresses, ListAddresses, RemoveAddress};
use devnet_virtual_file_system::Error;

use super::super::words::{self, Words, abbreviates};
use super::{Options, changed, garbage, required, shown, verb};
use crate::context::Context;
use crate::devices;
use crate::failure::{Failure, Outcome};
use crate::render::iproute::address as render;
use crate::status::Status;

const VERBS: &[&str] =
    &["add", "change", "chg", "replace", "delete", "del", "show", "list", "lst", "flush"];

pub(super) async fn run(context: &Context, options: Options, mut words: Words<'_>) -> Outcome {
    match verb(words.next(), VERBS, "address")? {
        "show" => show(context, options, words).await,
        "flush" => flush(context, options, words).await,
        "del" => remove(context, words).await,
        verb => add(context, words, verb != "add").await,
    }
}

/// A filter of addresses.
#[derive(Default)]
struct Filter<'a> {
    device: Option<&'a str>,
    up: bool,
    scope: Option<Scope>,
    network: Option<Prefix>,
}

impl<'a> Filter<'a> {
    fn parse(mut words: Words<'a>) -> Result<Self, Failure> {
        let mut filter = Self::default();
        while let Some(word) = words.next() {
            match word {
                "up" => filter.up = true,
                "dev" => filter.device = Some(words.value(word)?),
                "to" => filter.network = Some(words.parsed(word, "prefix")?),
                "scope" => filter.scope = Some(scope(words.value(word)?)?),
                name if filter.device.is_none() => filter.device = Some(name),
                word => return Err(garbage(word)),
            }
        }
        Ok(filter)
    }

    fn wants(&self, options: Options, entry: &AddressEntry) -> bool {
        options.wants(entry.prefix.address())
            && self.scope.is_none_or(|scope| scope == entry.scope)
            && self.network.is_none_or(|network| network.contains(entry.prefix.address()))
    }

    /// True if the filter excludes some addresses; interfaces without any of the rest are then left
    /// out too.
    fn narrows(&self, options: Options) -> bool {
        options.ipv4.is_some() || self.scope.is_some() || self.network.is_some()
    }
}

fn scope(name: &str) -> Result<Scope, Failure> {
    match name {
        "global" => Ok(Scope::Global),
        "link" => Ok(Scope::Link),
        "host" => Ok(Scope::Host),
        _ => Err(Failure::usage(format!("{name}: invalid \"scope\" value."))),
    }
}

async fn show(context: &Context, options: Options, words: Words<'_>) -> Outcome {
    let filter = Filter::parse(words)?;
    let found = match filter.device {
        Some(name) => {
            let interface = shown(context, name)?;
            let status = interface.status().await?;
            vec![(interface, status)]
        }
        None => devices::all(context).await?,
    };
    let mut shown = Vec::with_capacity(found.len());
    for (interface, status) in found {
        let mut entries = interface.ask::<ListAddresses>(&()).await?;
        entries.retain(|entry| filter.wants(options, entry));
        // Linux lists an interface's IPv4 addresses first.
        entries.sort_by_key(|entry| entry.prefix.address().is_ipv6());
        let is_shown =
            (!filter.up || status.enabled) && !(filter.narrows(options) && entries.is_empty());
        if is_shown {
            shown.push((status, entries));
        }
    }
    context.answer(&render::show(&shown, options.style, options.ipv4.is_some())).await
}

/// `add`; with `replace`, an existing address is no error.
async fn add(context: &Context, mut words: Words<'_>, replace: bool) -> Outcome {
    let (mut text, mut broadcast, mut device) = (None, None, None);
    while let Some(word) = words.next() {
        match word {
            "local" => text = Some(words.value(word)?),
            "dev" => device = Some(words.value(word)?),
            // These arguments have no effect: both follow from the address.
            "scope" | "label" => drop(words.value(word)?),
            "valid_lft" | "preferred_lft" if words.peek() == Some("forever") => drop(words.next()),
            "nodad" | "noprefixroute" => return Err(Failure::of(word, Error::Unsupported)),
            word if word.len() > 1 && abbreviates(word, "broadcast") || word == "brd" => {
                broadcast = match words.value(word)? {
                    // The default follows from the prefix.
                    "+" | "-" => None,
                    address => Some(words::parse::<Ipv4Addr>(address, "address")?),
                }
            }
            word if text.is_none() => text = Some(word),
            word => return Err(garbage(word)),
        }
    }
    let text = text.ok_or_else(|| Failure::usage("which address?"))?;
    let prefix: Prefix = words::parse(text, "address")?;
    let interface = changed(context, required(device)?)?;
    match interface.file.control::<AddAddress>(&NewAddress { prefix, broadcast }).await {
        Ok(()) => Ok(Status::SUCCESS),
        Err(Error::AlreadyExists) if replace => Ok(Status::SUCCESS),
        Err(why) => Err(Failure::of(text, why)),
    }
}

async fn remove(context: &Context, mut words: Words<'_>) -> Outcome {
    let (mut text, mut device) = (None, None);
    while let Some(word) = words.next() {
        match word {
            "local" => text = Some(words.value(word)?),
            "dev" => device = Some(words.value(word)?),
            word if text.is_none() => text = Some(word),
            word => return Err(garbage(word)),
        }
    }
    let text = text.ok_or_else(|| Failure::usage("which address?"))?;
    let mut prefix: Prefix = words::parse(text, "address")?;
    let interface = changed(context, required(device)?)?;
    if !text.contains('/') && prefix.address().is_ipv4() {
        // Without a length, an IPv4 address of any length matches.
        let entries = interface.ask::<ListAddresses>(&()).await?;
        let found = entries
            .iter()
            .map(|entry| entry.prefix)
            .find(|entry| entry.address() == prefix.address());
        prefix = found.ok_or_else(|| Failure::of(text, Error::AddressNotAvailable))?;
    }
    interface.change::<RemoveAddress>(text, &prefix).await?;
    Ok(Status::SUCCESS)
}

async fn flush(context: &Context, options: Options, words: Words<'_>) -> Outcome {
    let filter = Filter::parse(words)?;
    let interface = changed(context, required(filter.device)?)?;
    if !filter.narrows(options) {
        interface.ask::<FlushAddresses>(&()).await?;
        return Ok(Status::SUCCESS);
    }
    for entry in interface.ask::<ListAddresses>(&()).await? {
        if filter.wants(options, &entry) {
            interface.change::<RemoveAddress>(&entry.prefix.to_string(), &entry.prefix).await?;
        }
    }
    Ok(Status::SUCCESS)
}
