//! `traceroute`: the routers on the way to a host.
//!
//! Packets with hop limits from 1 on make each router say that theirs has run out (RFC 792, RFC
//! 4443). They are datagrams to ports that nobody has, or echo requests (`-I`); the packet that an
//! error quotes tells which one it was.

mod probes;

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use devnet_network::command::dns::{Question, RecordData, RecordKind};
use devnet_network::command::socket::{
    Datagram, ErrorOrigin, ErrorReport, SocketKind, SocketOption,
};
use devnet_network::command::{ReceiveError, Resolve, SetOption};
use devnet_virtual_file_system::{Error, File};
use lexopt::prelude::*;

use self::probes::Probes;
use super::target::Target;
use super::{sleep, words};
use crate::context::Context;
use crate::devices::{self, Use};
use crate::failure::{self, Failure};
use crate::render::traceroute::{self as render, Outcome};
use crate::sockets::{Family, receive_from, send_to, within};
use crate::status::Status;

/// The port of the first datagram.
const PORT: u16 = 33_434;
/// Bytes of a packet, and of the headers of a datagram or an echo request.
const PACKET: usize = 60;
const TRANSPORT_HEADER: usize = 8;
const LARGEST: usize = 65_000;
/// The most probes of one hop.
const MOST: usize = 10;
/// How long a name of a router is waited for.
const NAME: Duration = Duration::from_secs(2);

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

pub(super) async fn run(context: &Context) -> failure::Outcome {
    let options = parse(context)?;
    let mut trace = Trace::open(context, &options).await?;
    let Options { host, last, bytes, .. } = &options;
    context.print(&render::header(host, trace.address, *last, *bytes)).await?;
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
    file: File,
    address: IpAddr,
    probes: Probes,
    names: HashMap<IpAddr, String>,
}

impl<'a> Trace<'a> {
    async fn open(context: &'a Context, options: &'a Options) -> Result<Self, Failure> {
        let host = &options.host;
        let (interface, source) = (options.interface.as_deref(), options.source);
        let target = Target { host, family: options.family, interface, source };
        let kind = if options.echo { SocketKind::Icmp } else { SocketKind::Udp };
        let (file, address) = target.open(context, kind).await?;
        let told = file.control::<SetOption>(&SocketOption::ReceiveErrors(true)).await;
        told.map_err(|why| Failure::of(host, why))?;
        let probes = Probes::new(options.first, options.last, options.count, options.wait);
        Ok(Self { context, options, file, address, probes, names: HashMap::new() })
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
        let option = SocketOption::HopLimit(hop_limit);
        let set = self.file.control::<SetOption>(&option).await;
        set.map_err(|why| Failure::of(hop_limit, why))?;
        let header = if self.address.is_ipv4() { 20 } else { 40 } + TRANSPORT_HEADER;
        let data = vec![0x40; self.options.bytes.saturating_sub(header)];
        let number = number as u16;
        let (message, port) = if self.options.echo {
            let kind = if self.address.is_ipv4() { 8 } else { 128 };
            let [high, low] = number.to_be_bytes();
            ([&[kind, 0, 0, 0, 0, 0, high, low], &data[..]].concat(), 0)
        } else {
            (data, self.options.port.wrapping_add(number))
        };
        let remote = SocketAddr::new(self.address, port);
        loop {
            match send_to(&self.file, message.clone(), remote).await {
                Ok(()) => {
                    self.probes.sent(self.context.platform.clock.now());
                    return Ok(());
                }
                // An error for an earlier one, which is taken here.
                Err(Error::HostUnreachable | Error::ConnectionRefused | Error::TimedOut)
                    if self.take_errors().await? > 0 => {}
                Err(why @ (Error::MessageTooLong | Error::HostUnreachable)) => {
                    self.probes.refused(Outcome::Refused(why.to_string()));
                    return Ok(());
                }
                Err(why) => return Err(Failure::of(&self.options.host, why)),
            }
        }
    }

    /// Waits so long for answers, or until one has come.
    async fn receive(&mut self, time: Duration) -> Result<(), Failure> {
        let clock = self.context.platform.clock.clone();
        let received = async { Ok(receive_from(&self.file).await) };
        match within(clock.as_ref(), Some(time), received).await {
            Err(_) => Ok(()),
            Ok(Ok(datagram)) => {
                self.replied(&datagram);
                Ok(())
            }
            Ok(Err(why @ (Error::NetworkDown | Error::NoDevice))) => {
                Err(Failure::of(&self.options.host, why))
            }
            Ok(Err(_)) => self.take_errors().await.map(drop),
        }
    }

    /// Notes all errors that have come; returns how many.
    async fn take_errors(&mut self) -> Result<usize, Failure> {
        let mut count = 0;
        loop {
            match self.file.control::<ReceiveError>(&()).await {
                Ok(report) => {
                    self.reported(&report);
                    count += 1;
                }
                Err(Error::WouldBlock) => return Ok(count),
                Err(why) => return Err(Failure::of(&self.options.host, why)),
            }
        }
    }

    /// An echo reply.
    fn replied(&mut self, datagram: &Datagram) {
        let sequence = match *datagram.data {
            [0 | 129, _, _, _, _, _, high, low, ..] => u16::from_be_bytes([high, low]),
            _ => return,
        };
        if self.options.echo {
            let now = self.context.platform.clock.now();
            self.probes.answered(sequence.into(), datagram.remote.ip(), None, true, now);
        }
    }

    fn reported(&mut self, report: &ErrorReport) {
        let ErrorReport { origin, kind, code, information, reporter, remote, packet, .. } = report;
        let number = if self.options.echo {
            sequence_in(packet)
        } else {
            Some(remote.port().wrapping_sub(self.options.port))
        };
        let (Some(number), Some(from)) = (number, reporter) else { return };
        let (mark, is_end) = match (origin, kind) {
            (ErrorOrigin::Icmp, 11) | (ErrorOrigin::Icmpv6, 3) => (None, false),
            _ => (render::mark(self.address.is_ipv4(), *kind, *code, *information), true),
        };
        let now = self.context.platform.clock.now();
        self.probes.answered(number.into(), *from, mark, is_end, now);
    }

    async fn show(&mut self, number: u8, outcomes: &[Outcome]) -> Result<(), Failure> {
        for outcome in outcomes {
            if let Outcome::Reply(reply) = outcome
                && !self.names.contains_key(&reply.from)
            {
                let name = self.name(reply.from).await;
                self.names.insert(reply.from, name);
            }
        }
        let name = |address: IpAddr| {
            self.names.get(&address).cloned().unwrap_or_else(|| address.to_string())
        };
        self.context.print(&render::hop(number, outcomes, name)).await
    }

    /// `NAME (ADDRESS)`, or the address alone with `-n`.
    async fn name(&self, address: IpAddr) -> String {
        if self.options.numeric {
            return address.to_string();
        }
        let name = address.to_string();
        let question = Question { name: name.clone(), kind: RecordKind::Ptr, server: None };
        let asked = async {
            let file = devices::sockets(self.context, Use::Show).map_err(|_| Error::NotFound)?;
            file.control::<Resolve>(&question).await
        };
        let found = within(self.context.platform.clock.as_ref(), Some(NAME), asked).await;
        let records = found.map(|answer| answer.records).unwrap_or_default();
        let name = records.into_iter().find_map(|record| match record.data {
            RecordData::Ptr(name) => Some(name),
            RecordData::Address(_) | RecordData::Cname(_) => None,
        });
        format!("{} ({address})", crate::shown::line(&name.unwrap_or_else(|| address.to_string())))
    }
}

/// The sequence number of the echo request in a packet.
fn sequence_in(packet: &[u8]) -> Option<u16> {
    let header = match packet.first()? >> 4 {
        4 => usize::from(packet.first()? & 0xf) * 4,
        _ => 40,
    };
    let number = packet.get(header + 6..header + 8)?;
    Some(u16::from_be_bytes(number.try_into().ok()?))
}
