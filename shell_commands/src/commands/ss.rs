//! `ss`: sockets, their statistics, and the end of them.
//!
//! Nothing is resolved, so `-n` says what is done anyway; sockets belong to no process here, so
//! `-p` adds nothing, as on Linux for sockets of others.

use std::net::{IpAddr, SocketAddr};

use devnet_network::address::Prefix;
use devnet_network::command::socket::{ConnectionName, SocketKind, SocketState, SocketStatus};
use devnet_network::command::{EndConnection, GetConnection, ListSockets, ListUsage};
use devnet_virtual_file_system::{Error, File};
use lexopt::prelude::*;

use crate::context::Context;
use crate::devices::{self, SOCKETS, Use};
use crate::failure::{Failure, Outcome};
use crate::render::iproute::socket::{self as render, Columns, Row};

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
/// Operators nest so deep.
const DEPTH: usize = 32;

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
    filter: Vec<String>,
}

enum Filter {
    All,
    Not(Box<Self>),
    And(Box<Self>, Box<Self>),
    Or(Box<Self>, Box<Self>),
    Address { is_local: bool, prefix: Option<Prefix>, port: Option<u16> },
    Port { is_local: bool, relation: fn(&u16, &u16) -> bool, port: u16 },
    Device(String),
}

pub(super) async fn run(context: &Context) -> Outcome {
    let mut options = parse(context)?;
    let words = take_states(&mut options)?;
    let filter = Parser { words: &words, depth: 0 }.whole()?;
    let file = devices::sockets(context, if options.kill { Use::Change } else { Use::Show })?;
    let listed = file.control::<ListSockets>(&()).await;
    let mut sockets = listed.map_err(|why| Failure::of(SOCKETS, why))?;
    if options.summary {
        let usage = file.control::<ListUsage>(&()).await;
        let usage = usage.map_err(|why| Failure::of(SOCKETS, why))?;
        let orphans = usage.iter().map(|usage| usage.orphans).sum();
        return context.answer(&render::summary(&sockets, orphans)).await;
    }
    let family =
        |socket: &SocketStatus| options.family.is_none_or(|ipv4| ipv4 == socket.local.is_ipv4());
    sockets.retain(|socket| {
        let is_kind =
            options.kinds.is_empty() || options.kinds.contains(&render::kind(socket.kind));
        is_kind && family(socket) && options.states.contains(&socket.state) && filter.wants(socket)
    });
    sockets.sort_by_key(|socket| rank(socket.kind));
    let mut rows = Vec::with_capacity(sockets.len());
    for socket in sockets {
        if options.kill && !kill(&file, &socket).await? {
            continue;
        }
        let details = details(&file, &socket, &options).await?;
        rows.push(Row { socket, details });
    }
    let columns = Columns {
        kind: options.kinds.len() != 1,
        state: options.states.len() > 1,
        head: !options.no_head,
    };
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

struct Parser<'a> {
    words: &'a [String],
    depth: usize,
}

impl Parser<'_> {
    fn next(&mut self) -> Option<&str> {
        let (first, rest) = self.words.split_first()?;
        self.words = rest;
        Some(first)
    }

    fn peek(&self) -> Option<&str> {
        self.words.first().map(String::as_str)
    }

    fn whole(mut self) -> Result<Filter, Failure> {
        if self.words.is_empty() {
            return Ok(Filter::All);
        }
        let filter = self.either()?;
        match self.next() {
            None => Ok(filter),
            Some(word) => Err(Failure::usage(format!("filter: unexpected {word}"))),
        }
    }

    fn either(&mut self) -> Result<Filter, Failure> {
        self.depth += 1;
        if self.depth > DEPTH {
            return Err(Failure::usage("filter: too long"));
        }
        let mut left = self.both()?;
        while matches!(self.peek(), Some("or" | "||" | "|")) {
            self.next();
            left = Filter::Or(Box::new(left), Box::new(self.both()?));
        }
        Ok(left)
    }

    /// Terms with or without `and` between them.
    fn both(&mut self) -> Result<Filter, Failure> {
        let mut left = self.term()?;
        while !matches!(self.peek(), None | Some("or" | "||" | "|" | ")")) {
            if matches!(self.peek(), Some("and" | "&&" | "&")) {
                self.next();
            }
            left = Filter::And(Box::new(left), Box::new(self.term()?));
        }
        Ok(left)
    }

    fn term(&mut self) -> Result<Filter, Failure> {
        self.depth += 1;
        if self.depth > DEPTH {
            return Err(Failure::usage("filter: too long"));
        }
        let missing = || Failure::usage("filter: a value is missing at the end");
        let word = self.next().ok_or_else(missing)?.to_owned();
        match word.as_str() {
            "not" | "!" => Ok(Filter::Not(Box::new(self.term()?))),
            "(" => {
                let inner = self.either()?;
                if self.next() != Some(")") {
                    return Err(Failure::usage("filter: ) is missing"));
                }
                Ok(inner)
            }
            "src" | "dst" => {
                let value = self.value().ok_or_else(missing)?;
                let (prefix, port) = end(&value).ok_or_else(|| {
                    Failure::usage(format!("{word} {value}: ADDRESS[/LENGTH][:PORT] is expected"))
                })?;
                Ok(Filter::Address { is_local: word == "src", prefix, port })
            }
            "sport" | "dport" => {
                let operator = self.next().ok_or_else(missing)?.to_owned();
                let relation = relation(&operator);
                let value = match relation {
                    Some(_) => self.next().ok_or_else(missing)?.to_owned(),
                    None => operator,
                };
                let port = value.trim_start_matches(':').parse();
                let port =
                    port.map_err(|_| Failure::usage(format!("{word} {value}: not a port")))?;
                let relation = relation.unwrap_or(u16::eq);
                Ok(Filter::Port { is_local: word == "sport", relation, port })
            }
            "dev" => Ok(Filter::Device(self.value().ok_or_else(missing)?)),
            word => Err(Failure::usage(format!("filter: unexpected {word}"))),
        }
    }

    /// A value, with or without a sign of equality before it.
    fn value(&mut self) -> Option<String> {
        if matches!(self.peek(), Some("=" | "==" | "eq")) {
            self.next();
        }
        self.next().map(str::to_owned)
    }
}

fn relation(word: &str) -> Option<fn(&u16, &u16) -> bool> {
    Some(match word {
        "=" | "==" | "eq" => u16::eq,
        "!=" | "ne" | "neq" => u16::ne,
        "<" | "lt" => u16::lt,
        "<=" | "le" | "leq" => u16::le,
        ">" | "gt" => u16::gt,
        ">=" | "ge" | "geq" => u16::ge,
        _ => return None,
    })
}

/// `ADDRESS[/LENGTH][:PORT]`, `[ADDRESS]:PORT`, `:PORT`, `*`.
fn end(text: &str) -> Option<(Option<Prefix>, Option<u16>)> {
    let prefix = |text: &str| match text {
        "" | "*" => Some(None),
        text => text
            .parse::<Prefix>()
            .ok()
            .or_else(|| text.parse::<IpAddr>().ok().map(Prefix::host))
            .map(Some),
    };
    if let Some(prefix) = prefix(text.trim_matches(['[', ']'])) {
        return Some((prefix, None));
    }
    let (address, port) = text.rsplit_once(':')?;
    let port = if port == "*" { None } else { Some(port.parse().ok()?) };
    Some((prefix(address.trim_matches(['[', ']']))?, port))
}

impl Filter {
    fn wants(&self, socket: &SocketStatus) -> bool {
        let end = |is_local: bool| {
            if is_local { Some(socket.local) } else { socket.remote }
        };
        match self {
            Self::All => true,
            Self::Not(inner) => !inner.wants(socket),
            Self::And(left, right) => left.wants(socket) && right.wants(socket),
            Self::Or(left, right) => left.wants(socket) || right.wants(socket),
            Self::Address { is_local, prefix, port } => {
                end(*is_local).is_some_and(|end: SocketAddr| {
                    prefix.is_none_or(|prefix| prefix.contains(end.ip()))
                        && port.is_none_or(|port| port == end.port())
                })
            }
            Self::Port { is_local, relation, port } => {
                let own = end(*is_local).map_or(0, |end| end.port());
                relation(&own, port)
            }
            Self::Device(name) => socket.interface == *name,
        }
    }
}

/// Raw sockets first, then UDP and TCP, as in iproute2.
const fn rank(kind: SocketKind) -> u8 {
    match kind {
        SocketKind::Icmp | SocketKind::Raw(_) | SocketKind::Raw6(_) => 0,
        SocketKind::Udp => 1,
        SocketKind::Tcp => 2,
    }
}

/// The name of a connection; `None` of what is none.
fn name(socket: &SocketStatus) -> Option<ConnectionName> {
    let remote = socket.remote.filter(|_| socket.kind == SocketKind::Tcp)?;
    Some(ConnectionName { local: socket.local, remote })
}

/// Ends a connection; false for what is none, or is gone.
async fn kill(file: &File, socket: &SocketStatus) -> Result<bool, Failure> {
    let Some(name) = name(socket) else { return Ok(false) };
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
    let Some(name) = name(socket).filter(|_| options.information || options.memory) else {
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
    use crate::render::samples;

    fn wanted(text: &str) -> Result<Vec<u16>, String> {
        let words: Vec<String> = text.split(' ').map(str::to_owned).collect();
        let filter = Parser { words: &words, depth: 0 }.whole().map_err(|why| why.message)?;
        let sockets = samples::sockets();
        let kept = sockets.iter().filter(|socket| filter.wants(socket));
        Ok(kept.map(|socket| socket.local.port()).collect())
    }

    #[test]
    fn filters_are_those_of_ss() {
        for (text, expected) in [
            ("src 127.0.0.1", &[8080][..]),
            ("src 127.0.0.0/8", &[8080]),
            ("src :22", &[22]),
            ("dst 192.0.2.1", &[40000]),
            ("dst = 192.0.2.1:80", &[40000]),
            ("dst 192.0.2.1:81", &[]),
            ("sport = :8080", &[8080]),
            ("sport gt 1000", &[8080, 40000]),
            ("dport 80", &[40000]),
            ("sport = :22 or sport = :53", &[22, 53]),
            ("not ( sport = :22 or sport = :53 )", &[8080, 40000]),
            ("src 127.0.0.1 sport = :8080", &[8080]),
            ("src 127.0.0.1 and sport = :22", &[]),
        ] {
            assert_eq!(wanted(text).as_deref(), Ok(expected), "{text}");
        }
        for (text, expected) in [
            ("dst foo", "dst foo: ADDRESS[/LENGTH][:PORT] is expected"),
            ("dport = http", "dport http: not a port"),
            ("( sport 1", "filter: ) is missing"),
            ("foo", "filter: unexpected foo"),
            ("dst", "filter: a value is missing at the end"),
        ] {
            assert_eq!(wanted(text), Err(expected.to_owned()), "{text}");
        }
        assert!(wanted(&"( ".repeat(100_000)).is_err());
    }

    #[test]
    fn the_states_of_words_are_whole() {
        let of = |word: &str| STATES.iter().find(|(known, _)| *known == word).unwrap().1;
        assert!(!of("connected").contains(&SocketState::Listen));
        assert!(of("connected").contains(&SocketState::SynSent));
        assert!(!of("synchronized").contains(&SocketState::SynSent));
        assert_eq!(of("all").len(), 11);
    }
}
