//! `netstat`: sockets, with `-r` and `-i` the output of `route` and `ifconfig -s`, and with `-s`
//! what is used of what is bounded.

use devnet_network::command::socket::{SocketKind, SocketState, SocketStatus};
use devnet_network::command::{GetMetrics, ListCounters, ListDrops, ListSockets, ListUsage};
use lexopt::prelude::*;

use super::{interface, route};
use crate::context::Context;
use crate::devices::{self, Use};
use crate::failure::{Failure, Outcome};
use crate::render::classic::route::Style;
use crate::render::classic::socket::{self as render, Selection};
use crate::render::classic::usage::summary;
use crate::status::Status;

#[derive(Default)]
struct Options {
    ranks: Vec<u8>,
    listening: bool,
    all: bool,
    numeric: bool,
    routes: bool,
    interfaces: bool,
    extended: bool,
    usage: bool,
    metrics: bool,
    ipv4: bool,
    ipv6: bool,
}

pub(super) async fn run(context: &Context) -> Outcome {
    let options = parse(context)?;
    if options.routes {
        let style = Style { numeric: options.numeric, extended: true };
        return context.answer(&route::table(context, style, options.ipv6).await?).await;
    }
    if options.interfaces {
        let found = devices::all(context).await?;
        let shown: Vec<_> = found
            .into_iter()
            .filter(|(_, status)| options.all || status.enabled)
            .map(|(interface, _)| interface)
            .collect();
        if options.extended {
            for interface in &shown {
                context.print(&interface::block(interface).await?).await?;
            }
            return Ok(Status::SUCCESS);
        }
        let table = interface::table(&shown).await?;
        return context.answer(&format!("Kernel Interface table\n{table}")).await;
    }
    let file = devices::sockets(context, Use::Show)?;
    if options.metrics {
        let text = file.control::<GetMetrics>(&()).await;
        return context.answer(&text.map_err(|why| Failure::of(devices::SOCKETS, why))?).await;
    }
    if options.usage {
        let usage = file.control::<ListUsage>(&()).await;
        let usage = usage.map_err(|why| Failure::of(devices::SOCKETS, why))?;
        let drops = file.control::<ListDrops>(&()).await;
        let drops = drops.map_err(|why| Failure::of(devices::SOCKETS, why))?;
        let counters = file.control::<ListCounters>(&()).await;
        let counters = counters.map_err(|why| Failure::of(devices::SOCKETS, why))?;
        return context.answer(&summary(&usage, &drops, &counters)).await;
    }
    let mut sockets =
        file.control::<ListSockets>(&()).await.map_err(|why| Failure::of(devices::SOCKETS, why))?;
    sockets.retain(|socket| is_wanted(socket, &options));
    sockets.sort_by_key(|socket| (rank(socket.kind), socket.local.is_ipv6()));
    let selection = match (options.all, options.listening) {
        (true, _) => Selection::All,
        (false, true) => Selection::Servers,
        (false, false) => Selection::Established,
    };
    context.answer(&render::table(&sockets, selection)).await
}

fn parse(context: &Context) -> Result<Options, Failure> {
    let mut chosen = Options::default();
    let mut options = context.options();
    while let Some(argument) = options.next()? {
        match argument {
            Short('t') | Long("tcp") => chosen.ranks.push(TCP),
            Short('u') | Long("udp") => chosen.ranks.push(UDP),
            Short('w') | Long("raw") => chosen.ranks.push(RAW),
            Short('a') | Long("all") => chosen.all = true,
            Short('l') | Long("listening") => chosen.listening = true,
            Short('n') | Long("numeric") => chosen.numeric = true,
            Short('r') | Long("route") => chosen.routes = true,
            Short('i') | Long("interfaces") => chosen.interfaces = true,
            Short('s') | Long("statistics") => chosen.usage = true,
            Long("metrics") => chosen.metrics = true,
            Short('e') | Long("extend") => chosen.extended = true,
            Short('W') => {}
            Short('4') => chosen.ipv4 = true,
            Short('6') => chosen.ipv6 = true,
            other => return Err(other.unexpected().into()),
        }
    }
    Ok(chosen)
}

fn is_wanted(socket: &SocketStatus, options: &Options) -> bool {
    let kind = options.ranks.is_empty() || options.ranks.contains(&rank(socket.kind));
    let family = options.ipv4 == options.ipv6 || options.ipv4 == socket.local.is_ipv4();
    // An unconnected datagram socket receives from any peer: it is a server.
    let is_server = match socket.kind {
        SocketKind::Tcp => socket.state == SocketState::Listen,
        SocketKind::Udp | SocketKind::Icmp | SocketKind::Raw(_) | SocketKind::Raw6(_) => {
            socket.remote.is_none()
        }
    };
    kind && family && (options.all || options.listening == is_server)
}

/// The order of the protocols in the list. As in `netstat`, raw and ICMP sockets share one
/// position.
const TCP: u8 = 0;
const UDP: u8 = 1;
const RAW: u8 = 2;

const fn rank(kind: SocketKind) -> u8 {
    match kind {
        SocketKind::Tcp => TCP,
        SocketKind::Udp => UDP,
        SocketKind::Icmp | SocketKind::Raw(_) | SocketKind::Raw6(_) => RAW,
    }
}
