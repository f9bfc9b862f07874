//! `arp`: the IPv4 neighbors of all interfaces or one.

use std::net::{IpAddr, Ipv4Addr};

use devnet_network::address::HardwareAddress;
use devnet_network::command::neighbor::{NeighborEntry, NewNeighbor};
use devnet_network::command::{AddNeighbor, FindRoute, ListNeighbors, RemoveNeighbor};
use devnet_virtual_file_system::Error;
use lexopt::prelude::*;

use super::words;
use crate::context::Context;
use crate::devices::{self, Interface, Use};
use crate::failure::{Failure, Outcome};
use crate::render::classic::neighbor as render;
use crate::status::Status;

enum Action {
    Show,
    Set,
    Delete,
}

pub(super) async fn run(context: &Context) -> Outcome {
    let (mut action, mut lines, mut device, mut values) = (Action::Show, false, None, Vec::new());
    let mut options = context.options();
    while let Some(argument) = options.next()? {
        match argument {
            Short('a') => lines = true,
            Short('n' | 'v' | 'e') => {}
            Short('s') => action = Action::Set,
            Short('d') => action = Action::Delete,
            Short('i') => device = Some(options.value()?.string()?),
            Value(value) => values.push(value.string()?),
            other => return Err(other.unexpected().into()),
        }
    }
    match (action, values.as_slice()) {
        (Action::Show, []) => show(context, device.as_deref(), None, lines).await,
        (Action::Show, [address]) => {
            show(context, device.as_deref(), Some(ipv4(address)?), lines).await
        }
        (Action::Set, [address, hardware]) => {
            let hardware_address: HardwareAddress = words::parse(hardware, "hardware address")?;
            let neighbor = NewNeighbor { address: IpAddr::V4(ipv4(address)?), hardware_address };
            let interface = on_the_way(context, device, neighbor.address).await?;
            interface.change::<AddNeighbor>(address, &neighbor).await?;
            Ok(Status::SUCCESS)
        }
        (Action::Delete, [address]) => {
            let neighbor = IpAddr::V4(ipv4(address)?);
            let interface = on_the_way(context, device, neighbor).await?;
            match interface.file.control::<RemoveNeighbor>(&neighbor).await {
                Ok(()) => Ok(Status::SUCCESS),
                Err(Error::NotFound) => Err(Failure::new(format!("No ARP entry for {address}"))),
                Err(why) => Err(Failure::of(address, why)),
            }
        }
        _ => Err(Failure::usage("an address is missing or too many are there")),
    }
}

fn ipv4(text: &str) -> Result<Ipv4Addr, Failure> {
    words::parse(text, "address")
}

async fn show(
    context: &Context,
    device: Option<&str>,
    only: Option<Ipv4Addr>,
    lines: bool,
) -> Outcome {
    let mut neighbors = list(context, device).await?;
    neighbors.retain(|(_, entry)| match (entry.address, only) {
        (IpAddr::V4(address), Some(only)) => address == only,
        (address, None) => address.is_ipv4(),
        (IpAddr::V6(_), Some(_)) => false,
    });
    match only {
        Some(only) if neighbors.is_empty() => Err(Failure::new(format!("No ARP entry for {only}"))),
        // Like net-tools, print nothing without entries, not even the heading.
        _ if neighbors.is_empty() => Ok(Status::SUCCESS),
        _ if lines => context.answer(&render::lines(&neighbors)).await,
        _ => context.answer(&render::table(&neighbors)).await,
    }
}

/// Returns the neighbors of one interface or of all, with the interface's name.
pub(super) async fn list(
    context: &Context,
    device: Option<&str>,
) -> Result<Vec<(String, NeighborEntry)>, Failure> {
    let interfaces = match device {
        Some(name) => vec![devices::interface(context, name, Use::Show)?],
        None => devices::all(context).await?.into_iter().map(|(interface, _)| interface).collect(),
    };
    let mut neighbors = Vec::new();
    for interface in interfaces {
        let entries = interface.ask::<ListNeighbors>(&()).await?;
        neighbors.extend(entries.into_iter().map(|entry| (interface.name.clone(), entry)));
    }
    Ok(neighbors)
}

/// Returns the named interface, or the interface of the route to the address.
async fn on_the_way(
    context: &Context,
    device: Option<String>,
    address: IpAddr,
) -> Result<Interface, Failure> {
    let name = match device {
        Some(name) => name,
        None => {
            let sockets = devices::sockets(context, Use::Show)?;
            let choice = sockets
                .control::<FindRoute>(&address)
                .await
                .map_err(|why| Failure::of(address, why))?;
            if choice.route.is_none() {
                return Err(Failure::of(address, Error::InvalidInput));
            }
            choice.interface
        }
    };
    devices::interface(context, &name, Use::Change)
}
