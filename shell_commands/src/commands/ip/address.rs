//! `ip address`.

use devnet_network::address::Prefix;
use devnet_network::command::address::{
    AddressChange, AddressDetail, AddressState, Broadcast, Scope,
};
use devnet_network::command::{
    FlushAddresses, ListAddressDetails, ListAddresses, RemoveAddress, SetAddress,
};
use devnet_virtual_file_system::Error;

use super::super::words::{self, Words, abbreviates};
use super::{Options, answer, changed, garbage, required, shown, verb};
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
    label: Option<&'a str>,
    /// Properties, each wanted or not.
    properties: Vec<(Property, bool)>,
}

/// What an address may be.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Property {
    Secondary,
    Dynamic,
    Deprecated,
    Tentative,
    Duplicated,
    Temporary,
    Public,
}

/// The words of properties, with whether the address must be so.
const PROPERTIES: [(&str, Property, bool); 12] = [
    ("secondary", Property::Secondary, true),
    ("temporary", Property::Temporary, true),
    ("-temporary", Property::Temporary, false),
    ("mngtmpaddr", Property::Public, true),
    ("primary", Property::Secondary, false),
    ("dynamic", Property::Dynamic, true),
    ("permanent", Property::Dynamic, false),
    ("deprecated", Property::Deprecated, true),
    ("-deprecated", Property::Deprecated, false),
    ("tentative", Property::Tentative, true),
    ("-tentative", Property::Tentative, false),
    ("dadfailed", Property::Duplicated, true),
];

impl Property {
    fn is_of(self, detail: &AddressDetail) -> bool {
        let state = detail.entry.state;
        match self {
            Self::Secondary => detail.secondary,
            Self::Temporary => render::is_temporary(detail),
            Self::Public => render::is_public(detail),
            Self::Dynamic => render::is_dynamic(detail),
            Self::Deprecated => state == AddressState::Deprecated,
            Self::Tentative => matches!(state, AddressState::Tentative | AddressState::Duplicated),
            Self::Duplicated => state == AddressState::Duplicated,
        }
    }
}

/// True when a text matches a pattern in which `*` stands for anything.
fn matches_pattern(pattern: &str, text: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == text,
        Some((head, rest)) => text.strip_prefix(head).is_some_and(|text| {
            let mut tails = text.char_indices().map(|(at, _)| at).chain([text.len()]);
            tails.any(|at| text.get(at..).is_some_and(|tail| matches_pattern(rest, tail)))
        }),
    }
}

impl<'a> Filter<'a> {
    fn parse(mut words: Words<'a>) -> Result<Self, Failure> {
        let mut filter = Self::default();
        while let Some(word) = words.next() {
            match word {
                "up" => filter.up = true,
                "dev" => filter.device = Some(words.value(word)?),
                "to" => filter.network = Some(words.parsed(word, "prefix")?),
                "scope" => filter.scope = scope(words.value(word)?)?,
                "label" => filter.label = Some(words.value(word)?),
                word if PROPERTIES.iter().any(|(known, ..)| *known == word) => {
                    let found = PROPERTIES.iter().find(|(known, ..)| *known == word);
                    filter.properties.extend(found.map(|(_, property, is)| (*property, *is)));
                }
                name if filter.device.is_none() => filter.device = Some(name),
                word => return Err(garbage(word)),
            }
        }
        Ok(filter)
    }

    fn wants(&self, options: Options, interface: &str, detail: &AddressDetail) -> bool {
        let entry = &detail.entry;
        let label = detail.label.as_deref().unwrap_or(interface);
        let has = |(property, is): &(Property, bool)| property.is_of(detail) == *is;
        self.properties.iter().all(has)
            && self.label.is_none_or(|pattern| {
                entry.prefix.address().is_ipv4() && matches_pattern(pattern, label)
            })
            && options.wants(entry.prefix.address())
            && self.scope.is_none_or(|scope| scope == entry.scope)
            && self.network.is_none_or(|network| network.contains(entry.prefix.address()))
    }

    /// True if the filter excludes some addresses; interfaces without any of the rest are then left
    /// out too.
    fn narrows(&self, options: Options) -> bool {
        options.ipv4.is_some()
            || self.scope.is_some()
            || self.network.is_some()
            || self.label.is_some()
            || !self.properties.is_empty()
    }
}

/// A scope by name or number; `all` is no filter.
fn scope(name: &str) -> Result<Option<Scope>, Failure> {
    match name {
        "all" => Ok(None),
        "global" | "universe" | "0" => Ok(Some(Scope::Global)),
        "link" | "253" => Ok(Some(Scope::Link)),
        "host" | "254" => Ok(Some(Scope::Host)),
        _ => Err(Failure::usage(format!("{name}: invalid \"scope\" value."))),
    }
}

async fn show(context: &Context, options: Options, words: Words<'_>) -> Outcome {
    let filter = Filter::parse(words)?;
    let found = match filter.device {
        Some(name) => {
            let interface = shown(context, name)?;
            let link = interface.link().await?;
            vec![(interface, link)]
        }
        None => devices::links(context).await?,
    };
    let mut shown = Vec::with_capacity(found.len());
    for (interface, status) in found {
        let mut entries = interface.ask::<ListAddressDetails>(&()).await?;
        entries.retain(|detail| filter.wants(options, &status.name, detail));
        // Linux lists an interface's IPv4 addresses first.
        entries.sort_by_key(|detail| detail.entry.prefix.address().is_ipv6());
        let is_shown =
            (!filter.up || status.enabled) && !(filter.narrows(options) && entries.is_empty());
        if is_shown {
            shown.push((status, entries));
        }
    }
    answer(context, options, &render::show(&shown, options.style, options.ipv4.is_some())).await
}

/// The arguments of `add` and its siblings.
#[derive(Default)]
struct New<'a> {
    text: Option<&'a str>,
    device: Option<&'a str>,
    peer: Option<Prefix>,
    broadcast: Broadcast,
    scope: Option<Scope>,
    label: Option<&'a str>,
    valid: Option<u32>,
    preferred: Option<u32>,
    no_prefix_route: bool,
    no_detection: bool,
}

impl<'a> New<'a> {
    fn parse(mut words: Words<'a>) -> Result<Self, Failure> {
        // Linux sets a broadcast address only when it is asked for.
        let mut new = Self { broadcast: Broadcast::None, ..Self::default() };
        while let Some(word) = words.next() {
            match word {
                "local" => new.text = Some(words.value(word)?),
                "dev" => new.device = Some(words.value(word)?),
                "peer" | "remote" => new.peer = Some(words.parsed(word, "address")?),
                "scope" => new.scope = scope(words.value(word)?)?,
                "label" => new.label = Some(words.value(word)?),
                "valid_lft" => new.valid = lifetime(words.value(word)?)?,
                "preferred_lft" => new.preferred = lifetime(words.value(word)?)?,
                "nodad" => new.no_detection = true,
                "noprefixroute" => new.no_prefix_route = true,
                "home" | "mngtmpaddr" | "autojoin" | "metric" | "anycast" | "optimistic" => {
                    return Err(Failure::of(word, Error::Unsupported));
                }
                word if word.len() > 1 && abbreviates(word, "broadcast") || word == "brd" => {
                    new.broadcast = match words.value(word)? {
                        "+" => Broadcast::Default,
                        "-" => Broadcast::None,
                        address => Broadcast::Address(words::parse(address, "address")?),
                    }
                }
                word if new.text.is_none() => new.text = Some(word),
                word => return Err(garbage(word)),
            }
        }
        Ok(new)
    }

    fn change(&self, text: &str, replace: bool) -> Result<AddressChange, Failure> {
        let prefix: Prefix = words::parse(text, "address")?;
        // The scope follows from the address: one that differs is refused, not ignored.
        let own = Scope::of(prefix.address());
        if let Some(scope) = self.scope.filter(|scope| *scope != own) {
            return Err(Failure::of(format!("scope {scope}"), Error::Unsupported));
        }
        Ok(AddressChange {
            replace,
            prefix,
            broadcast: self.broadcast,
            peer: self.peer,
            label: self.label.map(String::from),
            valid_seconds: self.valid,
            // As Linux has it: no longer than it stays valid.
            preferred_seconds: self.preferred.or(self.valid),
            no_prefix_route: self.no_prefix_route,
            no_detection: self.no_detection,
        })
    }
}

/// Seconds, or `forever`.
fn lifetime(word: &str) -> Result<Option<u32>, Failure> {
    if word == "forever" { Ok(None) } else { words::parse(word, "lifetime").map(Some) }
}

/// `add`; with `replace`, an existing address is changed.
async fn add(context: &Context, words: Words<'_>, replace: bool) -> Outcome {
    let new = New::parse(words)?;
    let text = new.text.ok_or_else(|| Failure::usage("which address?"))?;
    let change = new.change(text, replace)?;
    let interface = changed(context, required(new.device)?)?;
    let set = interface.file.control::<SetAddress>(&change).await;
    set.map_err(|why| Failure::of(text, why))?;
    Ok(Status::SUCCESS)
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
    let name = interface.status().await?.name;
    for detail in interface.ask::<ListAddressDetails>(&()).await? {
        let prefix = detail.entry.prefix;
        if filter.wants(options, &name, &detail) {
            interface.change::<RemoveAddress>(&prefix.to_string(), &prefix).await?;
        }
    }
    Ok(Status::SUCCESS)
}
