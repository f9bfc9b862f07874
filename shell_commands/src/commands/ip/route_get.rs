//! `ip route get`.

use std::net::IpAddr;

use devnet_network::command::route::Flow;
use devnet_network::command::{FindFlowRoute, FindRoute, ListAddresses};
use devnet_virtual_file_system::Error;

use super::super::words::{self, Words};
use super::{Options, answer, shown};
use crate::context::Context;
use crate::devices::{self, Use};
use crate::failure::{Failure, Outcome};
use crate::render::iproute::route as render;

pub(super) async fn get(context: &Context, options: Options, mut words: Words<'_>) -> Outcome {
    let mut word = words.next().ok_or_else(|| Failure::usage("which address?"))?;
    if word == "to" {
        word = words.value(word)?;
    }
    let address = words::address(word)?;
    let mut file = devices::sockets(context, Use::Show)?;
    let (mut source, mut protocol, mut ports) = (None, None, [None; 2]);
    while let Some(word) = words.next() {
        match word {
            "oif" | "dev" => file = shown(context, words.value(word)?)?.file,
            "from" => {
                let from = words::address(words.value(word)?)?;
                file = owner(context, from).await?.file;
                source = Some(from);
            }
            "ipproto" => protocol = Some(self::protocol(words.value(word)?)?),
            "sport" => ports[0] = Some(words.parsed::<u16>(word, "port")?),
            "dport" => ports[1] = Some(words.parsed::<u16>(word, "port")?),
            word => return Err(Failure::of(word, Error::Unsupported)),
        }
    }
    let has_ports = ports.iter().any(Option::is_some);
    if has_ports && !matches!(protocol, Some(6 | 17)) {
        return Err(Failure::usage("ports are those of \"ipproto tcp\" or \"ipproto udp\""));
    }
    let found = if source.is_none() && protocol.is_none() {
        file.control::<FindRoute>(&address).await
    } else {
        let [source_port, destination_port] = ports.map(Option::unwrap_or_default);
        let protocol = protocol.unwrap_or(0);
        let flow = Flow { destination: address, source, protocol, source_port, destination_port };
        file.control::<FindFlowRoute>(&flow).await
    };
    let choice = found.map_err(|why| Failure::of(address, why))?;
    answer(context, options, &render::choice(&choice, options.style)).await
}

/// A protocol of IP by name or number.
fn protocol(word: &str) -> Result<u8, Failure> {
    match word {
        "icmp" => Ok(1),
        "tcp" => Ok(6),
        "udp" => Ok(17),
        "ipv6-icmp" | "icmp6" => Ok(58),
        word => words::parse(word, "ipproto"),
    }
}

/// The interface with an address: what leaves from it leaves there, by the strong host model.
async fn owner(context: &Context, address: IpAddr) -> Result<devices::Interface, Failure> {
    for (interface, _) in devices::all(context).await? {
        let entries = interface.ask::<ListAddresses>(&()).await?;
        if entries.iter().any(|entry| entry.prefix.address() == address) {
            return Ok(interface);
        }
    }
    Err(Failure::of(address, Error::InvalidInput))
}
