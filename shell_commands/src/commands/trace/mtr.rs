//! `mtr`: what each router on the way to a host loses, and how long it takes, as a report.
//!
//! In each cycle every hop is asked once, by an echo request or by a datagram (`-u`). The hops of
//! one cycle share its interval. Nothing is asked behind the host, nor five hops behind the last
//! that answered.

use std::collections::HashMap;
use std::net::IpAddr;
use std::time::Duration;

use devnet_network::platform::Instant;
use lexopt::prelude::*;

use super::super::target::Target;
use super::super::{hostname, sleep, words};
use super::prober::{self, Meaning, PORT, Prober};
use crate::context::Context;
use crate::failure::{Failure, Outcome};
use crate::render::mtr::{Hop, Report};
use crate::sockets::Family;

/// How many hops an interval is shared by while nobody knows how many there are.
const SHARES: u32 = 10;
/// The most cycles, and the shortest interval.
const CYCLES: u32 = 10_000;
const SHORTEST: Duration = Duration::from_millis(10);

#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    Report,
    Wide,
    Json,
    Csv,
}

struct Options {
    form: Option<Form>,
    numeric: bool,
    both: bool,
    echo: bool,
    family: Family,
    cycles: u32,
    interval: Duration,
    grace: Duration,
    first: u8,
    last: u8,
    unknown: u8,
    bytes: usize,
    port: u16,
    source: Option<IpAddr>,
    interface: Option<String>,
    host: String,
}

fn parse(context: &Context) -> Result<Options, Failure> {
    let mut chosen = Options {
        form: None,
        numeric: false,
        both: false,
        echo: true,
        family: Family::Any,
        cycles: 10,
        interval: Duration::from_secs(1),
        grace: Duration::from_secs(5),
        first: 1,
        last: 30,
        unknown: 5,
        bytes: 64,
        port: PORT,
        source: None,
        interface: None,
        host: String::new(),
    };
    let mut hosts = Vec::new();
    let mut options = context.options();
    while let Some(argument) = options.next()? {
        match argument {
            Short('r') | Long("report") => {
                chosen.form.get_or_insert(Form::Report);
            }
            Short('w') | Long("report-wide") => chosen.form = Some(Form::Wide),
            Short('j') | Long("json") => chosen.form = Some(Form::Json),
            Short('C') | Long("csv") => chosen.form = Some(Form::Csv),
            Short('n') | Long("no-dns") => chosen.numeric = true,
            Short('b') | Long("show-ips") => chosen.both = true,
            Short('u') | Long("udp") => chosen.echo = false,
            Short('4') => chosen.family = Family::V4,
            Short('6') => chosen.family = Family::V6,
            Short('c') | Long("report-cycles") => {
                chosen.cycles = words::parse(&options.value()?.string()?, "number of cycles")?;
            }
            Short('i') | Long("interval") => {
                chosen.interval = sleep::parsed(&options.value()?.string()?)?;
            }
            Short('G') | Long("gracetime") => {
                chosen.grace = sleep::parsed(&options.value()?.string()?)?;
            }
            Short('f') | Long("first-ttl") => {
                chosen.first = words::parse(&options.value()?.string()?, "first hop")?;
            }
            Short('m') | Long("max-ttl") => {
                chosen.last = words::parse(&options.value()?.string()?, "number of hops")?;
            }
            Short('U') | Long("max-unknown") => {
                chosen.unknown = words::parse(&options.value()?.string()?, "number of hops")?;
            }
            Short('s') | Long("psize") => {
                chosen.bytes = words::parse(&options.value()?.string()?, "length")?;
            }
            Short('P') | Long("port") => {
                chosen.port = words::parse(&options.value()?.string()?, "port")?;
            }
            Short('a') | Long("address") => {
                chosen.source = Some(words::parse(&options.value()?.string()?, "address")?);
            }
            Short('I') | Long("interface") => chosen.interface = Some(options.value()?.string()?),
            Value(host) => hosts.push(host.string()?),
            other => return Err(other.unexpected().into()),
        }
    }
    let [host] = hosts.try_into().map_err(|_| Failure::usage("one host is needed"))?;
    checked(Options { host, ..chosen })
}

fn checked(chosen: Options) -> Result<Options, Failure> {
    if chosen.form.is_none() {
        return Err(Failure::usage("reports only: -r, -w, -j or -C is needed"));
    }
    if !(1..=CYCLES).contains(&chosen.cycles) || chosen.interval < SHORTEST {
        return Err(Failure::usage(format!("-c: 1 to {CYCLES} cycles; -i: 0.01 s or more")));
    }
    if chosen.first == 0 || chosen.first > chosen.last || chosen.unknown == 0 {
        return Err(Failure::usage("the first hop is 1 or more, and none behind the last"));
    }
    if chosen.bytes > prober::LARGEST {
        return Err(Failure::usage(format!("packets have at most {} bytes", prober::LARGEST)));
    }
    Ok(chosen)
}

pub(in super::super) async fn run(context: &Context) -> Outcome {
    let options = parse(context)?;
    let host = hostname::name(context).await?;
    let start = context.platform.now();
    let target = Target {
        host: &options.host,
        family: options.family,
        interface: options.interface.as_deref(),
        source: options.source,
    };
    let prober = Prober::open(context, target, options.echo, options.port).await?;
    let waiting = HashMap::new();
    let mut rounds =
        Rounds { context, options: &options, prober, hops: Vec::new(), end: None, waiting };
    rounds.run().await?;
    let mut hops = std::mem::take(&mut rounds.hops);
    for hop in &mut hops {
        if let Some(address) = hop.address.filter(|_| !options.numeric) {
            hop.name = prober::name(context, address).await;
        }
    }
    let report = Report {
        host: &host,
        target: &options.host,
        start,
        cycles: options.cycles,
        bytes: options.bytes,
        first: options.first,
        both: options.both,
        hops: &hops,
    };
    let text = match options.form {
        Some(Form::Json) => report.json(),
        Some(Form::Csv) => report.csv(),
        form => report.text(form == Some(Form::Wide)),
    };
    context.answer(&text).await
}

struct Rounds<'a> {
    context: &'a Context,
    options: &'a Options,
    prober: Prober,
    hops: Vec<Hop>,
    /// The place of the host among the hops, once it has answered.
    end: Option<usize>,
    /// Probes on their way: their hop and when they were sent.
    waiting: HashMap<u16, (usize, Instant)>,
}

impl Rounds<'_> {
    async fn run(&mut self) -> Result<(), Failure> {
        let clock = self.context.platform.clock.clone();
        let mut number = 0_u16;
        for _ in 0..self.options.cycles {
            let (begin, mut place) = (clock.now(), 0);
            let count = self.end.map_or(SHARES, |end| u32::try_from(end + 1).unwrap_or(SHARES));
            let share = self.options.interval / count.max(1);
            while self.is_asked(place) {
                let hop_limit = self.options.first.saturating_add(place as u8);
                if self.hops.len() == place {
                    self.hops.push(Hop::default());
                }
                if let Some(hop) = self.hops.get_mut(place) {
                    hop.sent += 1;
                }
                self.waiting.insert(number, (place, clock.now()));
                // One that cannot be sent counts as lost.
                self.prober.send(number, hop_limit, self.options.bytes).await?;
                number = number.wrapping_add(1);
                place += 1;
                self.wait(clock.now().after(share)).await?;
            }
            self.wait(begin.after(self.options.interval)).await?;
        }
        // Answers that are still to come.
        let end = clock.now().after(self.options.grace);
        while !self.waiting.is_empty() && clock.now() < end {
            self.receive(end).await?;
        }
        Ok(())
    }

    /// True if something may be there.
    fn is_asked(&self, place: usize) -> bool {
        let most = usize::from(self.options.last - self.options.first);
        let known = self.hops.iter().rposition(|hop| hop.address.is_some());
        let silent = place - known.map_or(0, |known| (known + 1).min(place));
        place <= self.end.unwrap_or(most) && silent < usize::from(self.options.unknown)
    }

    async fn wait(&mut self, until: Instant) -> Result<(), Failure> {
        while self.context.platform.clock.now() < until {
            self.receive(until).await?;
        }
        Ok(())
    }

    async fn receive(&mut self, until: Instant) -> Result<(), Failure> {
        let left = until.since(self.context.platform.clock.now());
        self.prober.receive(left).await?;
        for answer in self.prober.answers.drain(..) {
            let Some((place, sent)) = self.waiting.remove(&answer.number) else { continue };
            let Some(hop) = self.hops.get_mut(place) else { continue };
            hop.answered(answer.from, answer.time.since(sent));
            if answer.meaning != Meaning::Passed && self.end.is_none_or(|end| place < end) {
                self.end = Some(place);
                self.hops.truncate(place + 1);
            }
        }
        Ok(())
    }
}
