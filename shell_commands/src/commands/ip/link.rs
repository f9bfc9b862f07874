//! `ip link`.

use devnet_network::address::HardwareAddress;
use devnet_network::command::autoconfiguration::{AutoconfigurationOption, Identifiers};
use devnet_network::command::interface::InterfaceOption;
use devnet_network::command::{
    SetAutoconfiguration, SetEnabled, SetHardwareAddress, SetInterfaceOption, SetMtu,
};
use devnet_virtual_file_system::Error;

use super::super::words::{Words, abbreviates};
use super::{Options, answer, changed, garbage, required, shown, verb};
use crate::context::Context;
use crate::devices;
use crate::failure::{Failure, Outcome};
use crate::render::iproute::link as render;
use crate::status::Status;

pub(super) async fn run(context: &Context, options: Options, mut words: Words<'_>) -> Outcome {
    match verb(words.next(), &["set", "show", "list", "lst"], "link")? {
        "show" => show(context, options, words).await,
        _ => set(context, words).await,
    }
}

async fn show(context: &Context, options: Options, mut words: Words<'_>) -> Outcome {
    let (mut device, mut up) = (None, false);
    while let Some(word) = words.next() {
        match word {
            "up" => up = true,
            "dev" => device = Some(words.value(word)?),
            name if device.is_none() => device = Some(name),
            word => return Err(garbage(word)),
        }
    }
    let mut found = match device {
        Some(name) => {
            let interface = shown(context, name)?;
            let link = interface.link().await?;
            vec![(interface, link)]
        }
        None => devices::links(context).await?,
    };
    found.retain(|(_, status)| !up || status.enabled);
    let mut links = Vec::with_capacity(found.len());
    for (interface, status) in found {
        let statistics =
            if options.style.statistics { Some(interface.statistics().await?) } else { None };
        links.push((status, statistics));
    }
    answer(context, options, &render::show(&links, options.style)).await
}

/// A setting of `ip link set`.
enum Setting {
    Enabled(bool),
    Mtu(u32),
    Hardware(HardwareAddress),
    Option(InterfaceOption),
    Addresses(Identifiers),
}

/// Parses all arguments before the first setting is applied, so that an invalid one changes
/// nothing.
async fn set(context: &Context, mut words: Words<'_>) -> Outcome {
    let (mut device, mut settings) = (None, Vec::new());
    while let Some(word) = words.next() {
        match word {
            "up" => settings.push((word, Setting::Enabled(true))),
            "down" => settings.push((word, Setting::Enabled(false))),
            "mtu" => settings.push((word, Setting::Mtu(words.parsed(word, "MTU")?))),
            "dev" => device = Some(words.value(word)?),
            "name" => {
                let name = words.value(word)?.to_owned();
                settings.push((word, Setting::Option(InterfaceOption::Name(name))));
            }
            "alias" => {
                let text = words.value(word)?.to_owned();
                settings.push((word, Setting::Option(InterfaceOption::Description(text))));
            }
            "promisc" | "allmulticast" | "arp" | "multicast" => {
                let is_on = switch(word, words.value(word)?)?;
                let option = match word {
                    "promisc" => InterfaceOption::Promiscuous(is_on),
                    "allmulticast" => InterfaceOption::AllMulticast(is_on),
                    "arp" => InterfaceOption::Arp(is_on),
                    _ if is_on => continue,
                    _ => return Err(Failure::of(word, "groups are always received")),
                };
                settings.push((word, Setting::Option(option)));
            }
            "addrgenmode" => {
                let kind = generation(words.value(word)?)?;
                settings.push((word, Setting::Addresses(kind)));
            }
            "txqueuelen" | "txqlen" | "qlen" => {
                let frames = words.parsed(word, "txqueuelen")?;
                settings.push((word, Setting::Option(InterfaceOption::TransmitQueue(frames))));
            }
            word if word.len() > 1 && abbreviates(word, "address") => {
                settings.push((word, Setting::Hardware(words.parsed(word, "hardware address")?)));
            }
            name if device.is_none() => device = Some(name),
            word => return Err(garbage(word)),
        }
    }
    let interface = changed(context, required(device)?)?;
    if settings.is_empty() {
        return Err(Failure::usage("nothing to set"));
    }
    for (word, setting) in settings {
        match setting {
            Setting::Enabled(enabled) => interface.change::<SetEnabled>(word, &enabled).await?,
            Setting::Mtu(mtu) => interface.change::<SetMtu>(word, &mtu).await?,
            Setting::Hardware(address) => {
                interface.change::<SetHardwareAddress>(word, &address).await?
            }
            Setting::Addresses(kind) => {
                let option = AutoconfigurationOption::Identifiers(kind);
                interface.change::<SetAutoconfiguration>(word, &option).await?
            }
            Setting::Option(option) => {
                interface.change::<SetInterfaceOption>(word, &option).await?
            }
        };
    }
    Ok(Status::SUCCESS)
}

/// How IPv6 addresses are made. Stable ones take a random secret unless `autoconf secret` gave one.
fn generation(word: &str) -> Result<Identifiers, Failure> {
    match word {
        "eui64" => Ok(Identifiers::HardwareAddress),
        "stable_secret" | "random" => Ok(Identifiers::Stable),
        "none" => Err(Failure::of("addrgenmode none", Error::Unsupported)),
        word => Err(Failure::usage(format!(
            "argument \"{word}\" is wrong: Invalid address generation mode"
        ))),
    }
}

/// `on` or `off`.
fn switch(word: &str, value: &str) -> Result<bool, Failure> {
    match value {
        "on" => Ok(true),
        "off" => Ok(false),
        value => Err(Failure::usage(format!(
            "argument of \"{word}\" must be \"on\" or \"off\", not \"{value}\""
        ))),
    }
}
