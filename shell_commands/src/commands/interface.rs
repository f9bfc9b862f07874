//! `ifconfig`: shows interfaces, or applies its arguments from left to right.
//!
//! [`interface_words`](super::interface_words) parses the arguments; each setting is applied
//! separately and reports its own error.
//! [`render::classic::interface`](crate::render::classic::interface) lays out the output.

use std::net::{IpAddr, Ipv4Addr};

use devnet_network::address::Prefix;
use devnet_network::command::address::{AddressEntry, NewAddress, Origin};
use devnet_network::command::dhcp::DhcpOptions;
use devnet_network::command::route::{NewRoute, RouteSelector};
use devnet_network::command::{
    AddAddress, AddDnsServer, AddRoute, ListAddresses, ListRoutes, RemoveAddress, RemoveRoute,
    ReplaceAddresses, SetEnabled, SetHardwareAddress, SetInterfaceOption, SetMetric, SetMtu,
    StartDhcp,
};
use devnet_virtual_file_system::Error;

use super::interface_words::{Setting, class_length, parse};
use crate::context::Context;
use crate::devices::{self, Interface, Use};
use crate::failure::{Failure, Outcome};
use crate::render::classic::interface as render;
use crate::status::Status;

pub(super) async fn run(context: &Context) -> Outcome {
    let (mut all, mut short) = (false, false);
    let mut words = context.arguments.as_slice();
    while let Some((option, rest)) = words.split_first() {
        match option.as_str() {
            "-a" => all = true,
            "-s" => short = true,
            option if option.starts_with('-') => {
                return Err(Failure::usage(format!("{option}: unknown option")));
            }
            _ => break,
        }
        words = rest;
    }
    match words {
        [] => show_all(context, all, short).await,
        [name] => {
            let interface = open(context, name, Use::Show)?;
            let text = if short { table(&[interface]).await? } else { block(&interface).await? };
            context.answer(&text).await
        }
        [name, words @ ..] => {
            let settings = parse(words)?;
            let interface = open(context, name, Use::Change)?;
            for (word, setting) in &settings {
                apply(&interface, word, setting).await?;
            }
            Ok(Status::SUCCESS)
        }
    }
}

fn open(context: &Context, name: &str, how: Use) -> Result<Interface, Failure> {
    devices::open(context, name, how).map_err(|why| match why {
        Error::NoDevice => {
            Failure::of(name, "error fetching interface information: Device not found")
        }
        why => Failure::of(name, why),
    })
}

async fn show_all(context: &Context, all: bool, short: bool) -> Outcome {
    let found = devices::all(context).await?;
    let shown: Vec<Interface> = found
        .into_iter()
        .filter(|(_, status)| all || status.enabled)
        .map(|(interface, _)| interface)
        .collect();
    if short {
        return context.answer(&table(&shown).await?).await;
    }
    for interface in &shown {
        context.print(&block(interface).await?).await?;
    }
    Ok(Status::SUCCESS)
}

/// The block of one interface, also of `netstat -ie`.
pub(super) async fn block(interface: &Interface) -> Result<String, Failure> {
    let status = interface.link().await?;
    let addresses = interface.ask::<ListAddresses>(&()).await?;
    let statistics = interface.statistics().await?;
    Ok(render::block(&status, &addresses, &statistics))
}

/// The table of `ifconfig -s` and `netstat -i`.
pub(super) async fn table(interfaces: &[Interface]) -> Result<String, Failure> {
    let mut rows = Vec::with_capacity(interfaces.len());
    for interface in interfaces {
        rows.push((interface.status().await?.into(), interface.statistics().await?));
    }
    Ok(render::table(&rows))
}

async fn apply(interface: &Interface, word: &str, setting: &Setting) -> Result<(), Failure> {
    match setting {
        Setting::Address(address, length) => {
            return set_address(interface, word, *address, *length).await;
        }
        Setting::Netmask(length) => return set_netmask(interface, word, *length).await,
        Setting::Broadcast(broadcast) => return set_broadcast(interface, word, *broadcast).await,
        Setting::Remove(address, length) => return remove(interface, *address, *length).await,
        Setting::Gateway(gateway) => return set_gateway(interface, *gateway).await,
        Setting::Dns(servers) => return add_servers(interface, servers).await,
        Setting::Add(prefix) => {
            let address = NewAddress { prefix: *prefix, broadcast: None };
            interface.change::<AddAddress>(&prefix.to_string(), &address).await?;
        }
        Setting::Hardware(address) => {
            interface.change::<SetHardwareAddress>(word, address).await?;
        }
        Setting::Mtu(mtu) => {
            interface.change::<SetMtu>(word, mtu).await?;
        }
        Setting::Metric(metric) => {
            interface.change::<SetMetric>(word, metric).await?;
        }
        Setting::Enabled(enabled) => {
            interface.change::<SetEnabled>(word, enabled).await?;
        }
        Setting::Option(option) => {
            interface.change::<SetInterfaceOption>(word, option).await?;
        }
        Setting::Dhcp => {
            interface.change::<SetEnabled>(word, &true).await?;
            interface.change::<StartDhcp>(word, &DhcpOptions::default()).await?;
        }
    }
    Ok(())
}

/// Returns the first IPv4 address, which is the one that `ifconfig` shows.
async fn first(interface: &Interface) -> Result<Option<AddressEntry>, Failure> {
    let addresses = interface.ask::<ListAddresses>(&()).await?;
    Ok(addresses.into_iter().find(|entry| entry.prefix.address().is_ipv4()))
}

/// Replaces the first IPv4 address and brings the interface up; `0.0.0.0` only removes it.
async fn set_address(
    interface: &Interface,
    word: &str,
    address: Ipv4Addr,
    length: Option<u8>,
) -> Result<(), Failure> {
    let old = first(interface).await?;
    if address.is_unspecified() {
        if let Some(old) = old {
            interface.change::<RemoveAddress>(word, &old.prefix).await?;
        }
    } else {
        if address.is_multicast() {
            return Err(Failure::of(word, Error::InvalidInput));
        }
        let length = length.unwrap_or_else(|| class_length(address));
        let prefix =
            Prefix::new(IpAddr::V4(address), length).map_err(|why| Failure::of(word, why))?;
        // As in Linux, setting the current address changes nothing, not even the mask.
        let same = old.is_some_and(|old| {
            old.prefix.address() == prefix.address()
                && (!word.contains('/') || old.prefix == prefix)
        });
        if !same {
            replace(
                interface,
                word,
                old.map(|old| old.prefix),
                NewAddress { prefix, broadcast: None },
            )
            .await?;
        }
    }
    interface.change::<SetEnabled>(word, &true).await?;
    Ok(())
}

/// Puts a new address in the place of the first IPv4 one and of its secondaries, as Linux does; the
/// others stay. All of it or nothing: routes through gateways that both reach survive.
async fn replace(
    interface: &Interface,
    word: &str,
    old: Option<Prefix>,
    new: NewAddress,
) -> Result<(), Failure> {
    let Some(old) = old else { return interface.change::<AddAddress>(word, &new).await };
    let is_first = |entry: &AddressEntry| {
        entry.prefix.address().is_ipv4() && entry.prefix.network() == old.network()
    };
    let kept = |entry: &AddressEntry| NewAddress {
        prefix: entry.prefix,
        broadcast: entry.broadcast.filter(|_| entry.broadcast != entry.prefix.broadcast()),
    };
    let addresses = interface.ask::<ListAddresses>(&()).await?;
    // What DHCP or a router gave, `ReplaceAddresses` does not touch.
    if let Some(old) = addresses.iter().find(|entry| entry.prefix == old)
        && old.origin != Origin::Static
    {
        interface.change::<AddAddress>(word, &new).await?;
        return interface.change::<RemoveAddress>(word, &old.prefix).await;
    }
    let mut all: Vec<NewAddress> = addresses
        .iter()
        .filter(|entry| entry.origin == Origin::Static && !is_first(entry))
        .map(kept)
        .collect();
    if all.iter().any(|known| known.prefix == new.prefix) {
        return Err(Failure::of(word, Error::AlreadyExists));
    }
    all.push(new);
    interface.change::<ReplaceAddresses>(word, &all).await.map(drop)
}

async fn set_netmask(interface: &Interface, word: &str, length: u8) -> Result<(), Failure> {
    let old =
        first(interface).await?.ok_or_else(|| Failure::of(word, Error::AddressNotAvailable))?;
    let prefix = Prefix::new(old.prefix.address(), length).map_err(|why| Failure::of(word, why))?;
    if prefix == old.prefix {
        return Ok(());
    }
    // A broadcast address that was set explicitly stays; one derived from the mask changes with it.
    let broadcast = old.broadcast.filter(|_| old.broadcast != old.prefix.broadcast());
    replace(interface, word, Some(old.prefix), NewAddress { prefix, broadcast }).await
}

/// An address cannot exist twice, so remove it and add it again.
async fn set_broadcast(
    interface: &Interface,
    word: &str,
    broadcast: Ipv4Addr,
) -> Result<(), Failure> {
    let old =
        first(interface).await?.ok_or_else(|| Failure::of(word, Error::AddressNotAvailable))?;
    if old.broadcast == Some(broadcast) {
        return Ok(());
    }
    interface.change::<RemoveAddress>(word, &old.prefix).await?;
    let new = NewAddress { prefix: old.prefix, broadcast: Some(broadcast) };
    let added = interface.change::<AddAddress>(word, &new).await;
    if added.is_err() {
        interface
            .change::<AddAddress>(
                word,
                &NewAddress { prefix: old.prefix, broadcast: old.broadcast },
            )
            .await?;
    }
    added
}

async fn remove(interface: &Interface, address: IpAddr, length: Option<u8>) -> Result<(), Failure> {
    let addresses = interface.ask::<ListAddresses>(&()).await?;
    let matches = |prefix: &Prefix| {
        prefix.address() == address && length.is_none_or(|length| prefix.length() == length)
    };
    let found = addresses.into_iter().map(|entry| entry.prefix).find(matches);
    let prefix = found.ok_or_else(|| Failure::of(address, Error::AddressNotAvailable))?;
    interface.change::<RemoveAddress>(&prefix.to_string(), &prefix).await
}

/// Makes `gateway` the interface's default router; it replaces the one with the same metric.
async fn set_gateway(interface: &Interface, gateway: IpAddr) -> Result<(), Failure> {
    let what = format!("gw {gateway}");
    let destination = if gateway.is_ipv4() { Prefix::DEFAULT_IPV4 } else { Prefix::DEFAULT_IPV6 };
    let routes = interface.ask::<ListRoutes>(&()).await?;
    let old =
        routes.into_iter().find(|route| route.destination == destination && route.metric == 0);
    if old.as_ref().is_some_and(|old| old.gateway == Some(gateway)) {
        return Ok(());
    }
    let new =
        NewRoute { destination, gateway: Some(gateway), metric: 0, interface: None, append: true };
    interface.change::<AddRoute>(&what, &new).await?;
    if let Some(old) = old {
        let selector =
            RouteSelector { destination, gateway: old.gateway, metric: Some(0), interface: None };
        interface.change::<RemoveRoute>(&what, &selector).await?;
    }
    Ok(())
}

async fn add_servers(interface: &Interface, servers: &[IpAddr]) -> Result<(), Failure> {
    for server in servers {
        match interface.file.control::<AddDnsServer>(server).await {
            Ok(()) | Err(Error::AlreadyExists) => {}
            Err(why) => return Err(Failure::of(format!("dns {server}"), why)),
        }
    }
    Ok(())
}
