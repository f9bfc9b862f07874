//! `traceroute`: the routers on the way to a host, as traceroute 2.1 shows them.
use std::collections::HashMap;
use std::net::IpAddr;
use std::time::Duration;

use lexopt::prelude::*;

use super::super::target::Target;
use super::super::{sleep, words};
use super::prober::{self, Answered, LARGEST, Meaning, PORT, Prober, Sent};
use super::probes::Probes;
use crate::context::Context;
use crate::failure::{self, Failure};
use crate::render::traceroute::{self as render, Outcome};
use crate::sockets::Family;
use crate::status::Status;

/// Bytes of a packet.
const PACKET: usize = 60;
/// The most probes of one hop.
const MOST: usize = 10;

struct Options {
    numeric: bool,
    echo: bool,
    family: Family,
    count: usize,
    first: u8,
    last: u8,
    wait: Duration,
    port: u16,
    source: Option<IpAddr>,
    interface: Option<String>,
    host: String,
    bytes: usize,
}

pub(in super::super) async fn run(context: &Context) -> failure::Outcome {
    let options = parse(context)?;
    let mut trace = Trace::open(context, &options).await?;
    let Options { host, last, bytes, .. } = &options;
    context.print(&render::header(host, trace.prober.address, *last, *bytes)).await?;
    trace.run().await
}

fn parse(context: &Context) -> Result<Options, Failure> {
    let mut chosen = Options {
        numeric: false,
        echo: false,
        family: if context.name == "traceroute6" { Family::V6 } else { Family::Any },
        count: 3,
        first: 1,
        last: 30,
        wait: Duration::from_secs(5),
        port: PORT,
        source: None,
        interface: None,
        host: String::new(),
        bytes: PACKET,
    };
    let mut values = Vec::new();
    let mut options = context.options();
    while let Some(argument) = options.next()? {
        match argument {
            Short('n') => chosen.numeric = true,
            Short('I') => chosen.echo = true,
            Short('U') => chosen.echo = false,
            Short('4') => chosen.family = Family::V4,
            Short('6') => chosen.family = Family::V6,
            Short('q') => {
                chosen.count = words::parse(&options.value()?.string()?, "number of probes")?
            }
            Short('f') => chosen.first = words::parse(&options.value()?.string()?, "first hop")?,
            Short('m') => {
                chosen.last = words::parse(&options.value()?.string()?, "number of hops")?
            }
            Short('p') => chosen.port = words::parse(&options.value()?.string()?, "port")?,
            Short('s') => {
                chosen.source = Some(words::parse(&options.value()?.string()?, "address")?)
            }
            Short('i') => chosen.interface = Some(options.value()?.string()?),
            Short('w') => {
                chosen.wait = sleep::parsed(&options.value()?.string()?)?;
            }
            Value(word) => values.push(word.string()?),
            other => return Err(other.unexpected().into()),
        }
    }
    match values.as_slice() {
        [host] => chosen.host.clone_from(host),
        [host, bytes] => {
            chosen.host.clone_from(host);
            chosen.bytes = words::parse(bytes, "length")?;
        }
        _ => return Err(Failure::usage("a host is needed, and at most a length of packets")),
    }
    if !(1..=MOST).contains(&chosen.count) {
        return Err(Failure::usage(format!("-q: 1 to {MOST} probes")));
    }
    if chosen.first == 0 || chosen.first > chosen.last {
        return Err(Failure::usage("the first hop is 1 or more, and none behind the last"));
    }
    if chosen.bytes > LARGEST {
        return Err(Failure::usage(format!("packets have at most {LARGEST} bytes")));
    }
    Ok(chosen)
}

struct Trace<'a> {
    context: &'a Context,
    options: &'a Options,
    prober: Prober,
    probes: Probes,
    names: HashMap<IpAddr, String>,
}

impl<'a> Trace<'a> {
    async fn open(context: &'a Context, options: &'a Options) -> Result<Self, Failure> {
        let host = &options.host;
        let (interface, source) = (options.interface.as_deref(), options.source);
        let target = Target { host, family: options.family, interface, source };
        let prober = Prober::open(context, target, options.echo, options.port).await?;
        let probes = Probes::new(options.first, options.last, options.count, options.wait);
        Ok(Self { context, options, prober, probes, names: HashMap::new() })
    }

    async fn run(&mut self) -> failure::Outcome {
        let clock = self.context.platform.clock.clone();
        while !self.probes.is_over() {
            while let Some((number, hop_limit)) = self.probes.next() {
                self.send(number, hop_limit).await?;
            }
            let until = self.probes.expire(clock.now());
            while let Some((number, outcomes)) = self.probes.take_line() {
                self.show(number, &outcomes).await?;
            }
            if let Some(until) = until {
                self.receive(until.since(clock.now())).await?;
            }
        }
        Ok(Status::SUCCESS)
    }

    async fn send(&mut self, number: usize, hop_limit: u8) -> Result<(), Failure> {
        let sent = self.prober.send(number as u16, hop_limit, self.options.bytes).await?;
        let now = self.context.platform.clock.now();
        match sent {
            Sent::Yes => self.probes.sent(now),
            Sent::No(why) => self.probes.refused(Outcome::Refused(why.to_string())),
        }
        self.note();
        Ok(())
    }

    /// Waits so long for answers, or until one has come.
    async fn receive(&mut self, time: Duration) -> Result<(), Failure> {
        self.prober.receive(time).await?;
        self.note();
        Ok(())
    }

    fn note(&mut self) {
        let is_ipv4 = self.prober.address.is_ipv4();
        for Answered { number, from, meaning, time } in self.prober.answers.drain(..) {
            let (mark, is_end) = match meaning {
                Meaning::Passed => (None, false),
                Meaning::Reply => (None, true),
                Meaning::Error { kind, code, information } => {
                    (render::mark(is_ipv4, kind, code, information), true)
                }
            };
            self.probes.answered(number.into(), from, mark, is_end, time);
        }
    }

    async fn show(&mut self, number: u8, outcomes: &[Outcome]) -> Result<(), Failure> {
        for outcome in outcomes {
            if let Outcome::Reply(reply) = outcome
                && !self.names.contains_key(&reply.from)
            {
                let name = match self.options.numeric {
                    true => reply.from.to_string(),
                    false => {
                        let name = prober::name(self.context, reply.from).await;
                        let name = name.unwrap_or_else(|| reply.from.to_string());
                        format!("{name} ({})", reply.from)
                    }
                };
                self.names.insert(reply.from, name);
            }
        }
        let name = |address: IpAddr| {
            self.names.get(&address).cloned().unwrap_or_else(|| address.to_string())
        };
        self.context.print(&render::hop(number, outcomes, name)).await
    }
}
