//! `ip maddress`: the multicast groups that interfaces receive.

use std::net::IpAddr;

use devnet_network::address::HardwareAddress;
use devnet_network::command::{AddGroup, ListGroupDetails, RemoveGroup};

use super::super::words::{self, Words};
use super::{Options, answer, changed, garbage, required, shown, verb};
use crate::context::Context;
use crate::devices;
use crate::failure::{Failure, Outcome};
use crate::render::iproute::maddress as render;
use crate::status::Status;

const VERBS: &[&str] = &["add", "delete", "del", "show", "list", "lst"];

pub(super) async fn run(context: &Context, options: Options, mut words: Words<'_>) -> Outcome {
    let verb = verb(words.next(), VERBS, "maddr")?;
    let (mut device, mut address) = (None, None);
    while let Some(word) = words.next() {
        match word {
            "dev" => device = Some(words.value(word)?),
            // A word alone is the interface to show, as in iproute2.
            word if verb == "show" && device.is_none() => device = Some(word),
            "address" if address.is_none() => address = Some(words.value(word)?),
            word if verb != "show" && address.is_none() => address = Some(word),
            word => return Err(garbage(word)),
        }
    }
    if verb == "show" {
        return show(context, options, device).await;
    }
    let device = required(device)?;
    let group = group(address.ok_or_else(|| {
        Failure::usage("Not enough information: \"address\" argument is required.")
    })?)?;
    let (interface, what) = (changed(context, device)?, group.to_string());
    match verb {
        "del" => interface.change::<RemoveGroup>(&what, &group).await?,
        _ => interface.change::<AddGroup>(&what, &group).await?,
    }
    Ok(Status::SUCCESS)
}

/// An IP address. No driver has a filter of link-layer groups that could take their addresses.
fn group(word: &str) -> Result<IpAddr, Failure> {
    if word.parse::<HardwareAddress>().is_ok() {
        let why = "no filter of link-layer addresses: give the group's IP address, or all of them \
                   by \"ip link set IF allmulticast on\"";
        return Err(Failure::of(word, why));
    }
    words::address(word)
}

async fn show(context: &Context, options: Options, device: Option<&str>) -> Outcome {
    let found = match device {
        Some(name) => {
            let interface = shown(context, name)?;
            let status = interface.status().await?;
            vec![(interface, status)]
        }
        None => devices::all(context).await?,
    };
    let mut listed = Vec::with_capacity(found.len());
    for (interface, status) in found {
        let mut groups = interface.ask::<ListGroupDetails>(&()).await?;
        groups.retain(|group| options.wants(group.entry.group));
        // Linux lists those of IPv4 first.
        groups.sort_by_key(|group| group.entry.group.is_ipv6());
        if !groups.is_empty() {
            listed.push((status, groups));
        }
    }
    answer(context, options, &render::show(&listed, options.style)).await
}
