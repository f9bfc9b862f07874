//! `tracepath`: the routers on the way to a host, and the path MTU.
//!
//! Packets are as large as the path may take, and none may be fragmented: a router that cannot
//! forward one says what it can (RFC 1191, RFC 8201). The hop limit of the answers is not known
//! here, so nothing is said of the way back.

use std::net::IpAddr;
use std::time::Duration;

use devnet_network::command::option::PathMtuDiscovery;
use devnet_network::command::socket::SocketOption;
use devnet_virtual_file_system::Error;
use lexopt::prelude::*;

use super::super::target::Target;
use super::super::words;
use super::prober::{self, Answered, Meaning, Prober, Sent};
use crate::context::Context;
use crate::failure::{Failure, Outcome};
use crate::render::traceroute as render;
use crate::sockets::Family;
use crate::status::Status;

/// The port of the first datagram (tracepath(8)).
const PORT: u16 = 44_444;
/// Bytes of the first packet: more than any link takes.
const LARGEST: usize = 65_535;
/// The least path MTU that is believed (RFC 791, RFC 8200).
const LEAST: u32 = 68;
const LEAST_IPV6: u32 = 1280;
/// Packets for one hop, and the wait for an answer to each.
const TRIES: usize = 3;
const WAIT: Duration = Duration::from_secs(1);

struct Options {
    numeric: bool,
    both: bool,
    family: Family,
    last: u8,
    bytes: usize,
    port: u16,
    host: String,
}

fn parse(context: &Context) -> Result<Options, Failure> {
    let mut chosen = Options {
        numeric: false,
        both: false,
        family: Family::Any,
        last: 30,
        bytes: LARGEST,
        port: PORT,
        host: String::new(),
    };
    let mut hosts = Vec::new();
    let mut options = context.options();
    while let Some(argument) = options.next()? {
        match argument {
            Short('n') => chosen.numeric = true,
            Short('b') => chosen.both = true,
            Short('4') => chosen.family = Family::V4,
            Short('6') => chosen.family = Family::V6,
            Short('m') => {
                chosen.last = words::parse(&options.value()?.string()?, "number of hops")?;
            }
            Short('l') => chosen.bytes = words::parse(&options.value()?.string()?, "length")?,
            Short('p') => chosen.port = words::parse(&options.value()?.string()?, "port")?,
            Value(host) => hosts.push(host.string()?),
            other => return Err(other.unexpected().into()),
        }
    }
    let [host] = hosts.try_into().map_err(|_| Failure::usage("one host is needed"))?;
    if chosen.last == 0 {
        return Err(Failure::usage("-m: 1 hop or more"));
    }
    if !(LEAST as usize..=LARGEST).contains(&chosen.bytes) {
        return Err(Failure::usage(format!("-l: {LEAST} to {LARGEST} bytes")));
    }
    Ok(Options { host, ..chosen })
}

pub(in super::super) async fn run(context: &Context) -> Outcome {
    let options = parse(context)?;
    let target =
        Target { host: &options.host, family: options.family, interface: None, source: None };
    let prober = Prober::open(context, target, false, options.port).await?;
    // Packets are sent whole whatever is known of the path already.
    prober.set(SocketOption::PathMtuDiscovery(PathMtuDiscovery::Probe)).await?;
    let mtu = u32::try_from(options.bytes).unwrap_or(u32::MAX);
    let mut path = Path { context, options: &options, prober, mtu, number: 0 };
    path.run().await
}

struct Path<'a> {
    context: &'a Context,
    options: &'a Options,
    prober: Prober,
    /// What the path takes, as far as is known.
    mtu: u32,
    /// Packets so far.
    number: u16,
}

/// What became of a packet.
enum Probed {
    Nothing,
    Smaller,
    Passed,
    Reached,
    Ended,
}

impl Path<'_> {
    async fn run(&mut self) -> Outcome {
        for hop in 1..=self.options.last {
            let mut tries = 0;
            loop {
                match self.probe(hop).await? {
                    Probed::Smaller => {}
                    Probed::Passed => break,
                    Probed::Reached => return self.resume(Some(hop)).await,
                    Probed::Ended => return self.resume(None).await,
                    Probed::Nothing => {
                        tries += 1;
                        if tries == TRIES {
                            self.context.print(&format!("{hop:2}:  no reply\n")).await?;
                            break;
                        }
                    }
                }
            }
        }
        self.context.print(&format!("     Too many hops: pmtu {}\n", self.mtu)).await?;
        self.resume(None).await
    }

    async fn resume(&self, hops: Option<u8>) -> Outcome {
        let hops = hops.map(|hops| format!("hops {hops} ")).unwrap_or_default();
        self.context.print(&format!("     Resume: pmtu {} {hops}\n", self.mtu)).await?;
        Ok(Status::SUCCESS)
    }

    /// Sends one packet, and says what became of it.
    async fn probe(&mut self, hop: u8) -> Result<Probed, Failure> {
        let clock = self.context.platform.clock.clone();
        let number = self.number;
        self.number = self.number.wrapping_add(1);
        let sent = clock.now();
        match self.prober.send(number, hop, self.mtu as usize).await? {
            Sent::Yes => {}
            Sent::No(Error::MessageTooLong) => {
                let Some(mtu) = self.prober.too_large.take().filter(|mtu| *mtu < self.mtu) else {
                    return Err(Failure::of(&self.options.host, Error::MessageTooLong));
                };
                self.mtu = mtu;
                let here = format!("{hop:2}?: {:<32} pmtu {mtu}\n", "[LOCALHOST]");
                self.context.print(&here).await?;
                return Ok(Probed::Smaller);
            }
            Sent::No(why) => return Err(Failure::of(&self.options.host, why)),
        }
        let until = sent.after(WAIT);
        loop {
            let answered = self.prober.answers.drain(..).find(|answer| answer.number == number);
            if let Some(answer) = answered {
                return self.answered(hop, answer, sent).await;
            }
            let left = until.since(clock.now());
            if left.is_zero() {
                return Ok(Probed::Nothing);
            }
            self.prober.receive(left).await?;
        }
    }

    async fn answered(
        &mut self,
        hop: u8,
        answer: Answered,
        sent: devnet_network::platform::Instant,
    ) -> Result<Probed, Failure> {
        let is_ipv4 = self.prober.address.is_ipv4();
        let (probed, said) = match answer.meaning {
            Meaning::Passed => (Probed::Passed, String::new()),
            Meaning::Reply => (Probed::Reached, String::from("reached")),
            Meaning::Error { kind, code, information } => {
                let is_size = matches!((is_ipv4, kind, code), (true, 3, 4) | (false, 2, _));
                let least = if is_ipv4 { LEAST } else { LEAST_IPV6 };
                match render::mark(is_ipv4, kind, code, information) {
                    _ if is_size && (least..self.mtu).contains(&information) => {
                        self.mtu = information;
                        (Probed::Smaller, format!("pmtu {information}"))
                    }
                    None => (Probed::Reached, String::from("reached")),
                    Some(mark) => (Probed::Ended, mark),
                }
            }
        };
        let micros = answer.time.since(sent).as_micros();
        let time = format!("{:3}.{:03}ms", micros / 1000, micros % 1000);
        let name = self.name(answer.from).await;
        self.context.print(&format!("{hop:2}:  {name:<52}{time} {said}\n")).await?;
        Ok(probed)
    }

    async fn name(&self, address: IpAddr) -> String {
        if self.options.numeric {
            return address.to_string();
        }
        match (prober::name(self.context, address).await, self.options.both) {
            (Some(name), false) => name,
            (Some(name), true) => format!("{name} ({address})"),
            (None, true) => format!("??? ({address})"),
            (None, false) => address.to_string(),
        }
    }
}
