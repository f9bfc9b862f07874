//! `ss`: sockets, their statistics, and the end of them.
//!
//! Nothing is resolved, so `-n` says what is done anyway; sockets belong to no process here, so
//! `-p` adds nothing, as on Linux for sockets of others.

use devnet_network::command::socket::{SocketKind, SocketState, SocketStatus};
use devnet_network::command::{EndConnection, GetConnection, ListSockets, ListUsage};
use devnet_virtual_file_system::{Error, File};
use lexopt::prelude::*;

use super::socket_events;
use super::socket_filter::Filter;
use crate::context::Context;
use crate::devices::{self, SOCKETS, Use};
use crate::failure::{Failure, Outcome};
use crate::render::iproute::socket::{self as render, Columns, Row};
use crate::sockets::connection_name;

/// The states that have a name, and what they are.
const STATES: [(&str, &[SocketState]); 17] = [
    ("established", &[SocketState::Established]),
    ("estab", &[SocketState::Established]),
    ("syn-sent", &[SocketState::SynSent]),
    ("syn-recv", &[SocketState::SynReceived]),
    ("fin-wait-1", &[SocketState::FinWait1]),
    ("fin-wait-2", &[SocketState::FinWait2]),
    ("time-wait", &[SocketState::TimeWait]),
    ("closed", &[SocketState::Closed]),
    ("unconnected", &[SocketState::Closed]),
    ("close-wait", &[SocketState::CloseWait]),
    ("last-ack", &[SocketState::LastAck]),
    ("listening", &[SocketState::Listen]),
    ("closing", &[SocketState::Closing]),
    ("all", &ALL),
    ("connected", ALL.split_at(9).0),
    ("synchronized", ALL.split_at(8).0),
    ("bucket", &[SocketState::TimeWait, SocketState::SynReceived]),
];
/// Those with a handshake first, then the others.
const ALL: [SocketState; 11] = [
    SocketState::Established,
    SocketState::FinWait1,
    SocketState::FinWait2,
    SocketState::CloseWait,
    SocketState::LastAck,
    SocketState::Closing,
    SocketState::TimeWait,
    SocketState::SynReceived,
    SocketState::SynSent,
    SocketState::Listen,
    SocketState::Closed,
];
/// What is shown unless something is asked for.
const USUAL: [SocketState; 7] = [
    SocketState::Established,
    SocketState::SynSent,
    SocketState::FinWait1,
    SocketState::FinWait2,
    SocketState::CloseWait,
    SocketState::LastAck,
    SocketState::Closing,
];
struct Options {
    kinds: Vec<&'static str>,
    family: Option<bool>,
    states: Vec<SocketState>,
    information: bool,
    memory: bool,
    summary: bool,
    no_head: bool,
    one_line: bool,
    kill: bool,
    events: bool,
    filter: Vec<String>,
}

pub(super) async fn run(context: &Context) -> Outcome {
    let mut options = parse(context)?;
    let words = take_states(&mut options)?;
    let filter = Filter::parse(&words)?;
    let file = devices::sockets(context, if options.kill { Use::Change } else { Use::Show })?;
    let family =
        |socket: &SocketStatus| options.family.is_none_or(|ipv4| ipv4 == socket.local.is_ipv4());
    let is_wanted = |socket: &SocketStatus| {
        let is_kind =
            options.kinds.is_empty() || options.kinds.contains(&render::kind(socket.kind));
        is_kind && family(socket) && filter.wants(socket)
    };
    let columns = Columns {
        kind: options.kinds.len() != 1,
        state: options.states.len() > 1 || options.events,
        head: !options.no_head,
    };
    if options.events {
        let one_line = options.one_line;
        return socket_events::show(context, &file, is_wanted, columns, one_line).await;
    }
    let listed = file.control::<ListSockets>(&()).await;
    let mut sockets = listed.map_err(|why| Failure::of(SOCKETS, why))?;
    if options.summary {
        let usage = file.control::<ListUsage>(&()).await;
        let usage = usage.map_err(|why| Failure::of(SOCKETS, why))?;
        let orphans = usage.iter().map(|usage| usage.orphans).sum();
        return context.answer(&render::summary(&sockets, orphans)).await;
    }
    sockets.retain(|socket| options.states.contains(&socket.state) && is_wanted(socket));
    sockets.sort_by_key(|socket| rank(socket.kind));
    let mut rows = Vec::with_capacity(sockets.len());
    for socket in sockets {
        if options.kill && !kill(&file, &socket).await? {
            continue;
        }
        let details = details(&file, &socket, &options).await?;
        rows.push(Row { socket, details });
    }
    context.answer(&render::table(&rows, columns, options.one_line)).await
}

fn parse(context: &Context) -> Result<Options, Failure> {
    let mut chosen = Options {
        kinds: Vec::new(),
        family: None,
        states: USUAL.to_vec(),
        information: false,
        memory: false,
        summary: false,
        no_head: false,
        one_line: false,
        kill: false,
        events: false,
        filter: Vec::new(),
    };
    let mut options = context.options();
    while let Some(argument) = options.next()? {
        match argument {
            Short('t') | Long("tcp") => chosen.kinds.push("tcp"),
            Short('u') | Long("udp") => chosen.kinds.push("udp"),
            Short('w') | Long("raw") => chosen.kinds.extend(["raw", "icmp"]),
            Short('a') | Long("all") => chosen.states = ALL.to_vec(),
            Short('l') | Long("listening") => {
                chosen.states = vec![SocketState::Listen, SocketState::Closed];
            }
            Short('n' | 'p' | 'r') | Long("numeric" | "processes") => {}
            Short('i') | Long("info") => chosen.information = true,
            Short('m') | Long("memory") => chosen.memory = true,
            Short('s') | Long("summary") => chosen.summary = true,
            Short('H') | Long("no-header") => chosen.no_head = true,
            Short('O') | Long("oneline") => chosen.one_line = true,
            Short('K') | Long("kill") => chosen.kill = true,
            Short('E') | Long("events") => chosen.events = true,
            Short('4') | Long("ipv4") => chosen.family = Some(true),
            Short('6') | Long("ipv6") => chosen.family = Some(false),
            Short('x') | Long("unix") => {
                return Err(Failure::usage("-x: there are no Unix sockets"));
            }
            Value(word) => chosen.filter.push(word.string()?),
            other => return Err(other.unexpected().into()),
        }
    }
    Ok(chosen)
}

/// Takes `state NAME` and `exclude NAME` out of the filter; the rest has its signs apart.
fn take_states(options: &mut Options) -> Result<Vec<String>, Failure> {
    let text = options.filter.join(" ").replace('(', " ( ").replace(')', " ) ");
    let (mut rest, mut chosen) = (Vec::new(), None::<Vec<SocketState>>);
    let mut words = text.split_ascii_whitespace();
    while let Some(word) = words.next() {
        if word != "state" && word != "exclude" {
            rest.push(word.to_owned());
            continue;
        }
        let name = words.next().ok_or_else(|| Failure::usage(format!("{word}: which one?")))?;
        let found = STATES.iter().find(|(known, _)| *known == name);
        let (_, states) =
            found.ok_or_else(|| Failure::usage(format!("wrong state name: {name}")))?;
        if word == "state" {
            chosen.get_or_insert_default().extend_from_slice(states);
        } else {
            chosen.get_or_insert_with(|| ALL.to_vec()).retain(|state| !states.contains(state));
        }
    }
    if let Some(chosen) = chosen {
        options.states = chosen;
    }
    Ok(rest)
}

/// Raw sockets first, then UDP and TCP, as in iproute2.
const fn rank(kind: SocketKind) -> u8 {
    match kind {
        SocketKind::Icmp | SocketKind::Raw(_) | SocketKind::Raw6(_) => 0,
        SocketKind::Udp => 1,
        SocketKind::Tcp => 2,
    }
}

/// Ends a connection; false for what is none, or is gone.
async fn kill(file: &File, socket: &SocketStatus) -> Result<bool, Failure> {
    let Some(name) = connection_name(socket) else { return Ok(false) };
    match file.control::<EndConnection>(&name).await {
        Ok(()) => Ok(true),
        Err(Error::NotFound) => Ok(false),
        Err(why) => Err(Failure::of(socket.local, why)),
    }
}

async fn details(
    file: &File,
    socket: &SocketStatus,
    options: &Options,
) -> Result<Vec<String>, Failure> {
    let Some(name) = connection_name(socket).filter(|_| options.information || options.memory)
    else {
        return Ok(Vec::new());
    };
    let statistics = match file.control::<GetConnection>(&name).await {
        Ok(statistics) => statistics,
        Err(Error::NotFound) => return Ok(Vec::new()),
        Err(why) => return Err(Failure::of(socket.local, why)),
    };
    let mut words = Vec::new();
    if options.memory {
        words.push(render::memory(socket, &statistics));
    }
    if options.information {
        words.push(render::information(&statistics));
    }
    Ok(words)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_states_of_words_are_whole() {
        let of = |word: &str| STATES.iter().find(|(known, _)| *known == word).unwrap().1;
        assert!(!of("connected").contains(&SocketState::Listen));
        assert!(of("connected").contains(&SocketState::SynSent));
        assert!(!of("synchronized").contains(&SocketState::SynSent));
        assert_eq!(of("all").len(), 11);
    }
}
