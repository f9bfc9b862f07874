//! `arping`: asks by ARP who has an address (RFC 826), and whether somebody has it already (RFC
//! 5227).
//!
//! A capture of the interface sends the requests and reads the answers, so what the stack knows of
//! its neighbors neither counts nor changes by asking. Ctrl-C drops the command, and dropping it
//! prints the statistics.

use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use devnet_network::address::HardwareAddress;
use devnet_network::capture::read::{Reader, Record};
use devnet_network::command::capture::{CaptureDirection, CaptureOptions};
use devnet_network::command::{Capture, FindRoute, ListAddresses};
use devnet_network::driver::Medium;
use devnet_network::platform::Instant;
use lexopt::prelude::*;

use super::{sleep, words};
use crate::context::Context;
use crate::devices::{self, Interface, Use};
use crate::failure::{Failure, Outcome};
use crate::limits;
use crate::render::arping::{self as render, Answer, Statistics};
use crate::shown;
use crate::sockets::{Family, Sockets, unresolved, within};
use crate::status::Status;

/// As of iputils, for everything that keeps it from asking.
const TROUBLE: Status = Status(2);
const REQUEST: u16 = 1;
const REPLY: u16 = 2;
const BROADCAST: HardwareAddress = HardwareAddress([0xff; 6]);

struct Options {
    count: Option<u64>,
    interval: Duration,
    limit: Option<Duration>,
    interface: Option<String>,
    source: Option<Ipv4Addr>,
    first_only: bool,
    quiet: bool,
    broadcasts: bool,
    duplicates: bool,
    host: String,
}

pub(super) async fn run(context: &Context) -> Outcome {
    let options = parse(context)?;
    let opened = Session::open(context, &options).await;
    let mut session = opened.map_err(|why| Failure { status: TROUBLE, ..why })?;
    let head = render::header(session.target, session.source, &session.interface.name);
    session.print(&head).await?;
    session.run().await?;
    session.is_over = true;
    session.print(&render::summary(&session.statistics)).await?;
    let is_answered = session.statistics.received > 0;
    Ok(Status::from_success(is_answered != options.duplicates))
}

fn parse(context: &Context) -> Result<Options, Failure> {
    let mut chosen = Options {
        count: None,
        interval: Duration::from_secs(1),
        limit: None,
        interface: None,
        source: None,
        first_only: false,
        quiet: false,
        broadcasts: false,
        duplicates: false,
        host: String::new(),
    };
    let mut hosts = Vec::new();
    let mut options = context.options();
    while let Some(argument) = options.next()? {
        match argument {
            Short('c') => {
                let count: u64 = words::parse(&options.value()?.string()?, "count")?;
                if count == 0 {
                    return Err(Failure::usage("-c 0: the count is at least 1"));
                }
                chosen.count = Some(count);
            }
            Short('i') => chosen.interval = sleep::parsed(&options.value()?.string()?)?,
            Short('w') => chosen.limit = Some(sleep::parsed(&options.value()?.string()?)?),
            Short('I') => chosen.interface = Some(options.value()?.string()?),
            Short('s') => {
                chosen.source = Some(words::parse(&options.value()?.string()?, "address")?);
            }
            Short('f') => chosen.first_only = true,
            Short('q') => chosen.quiet = true,
            Short('b') => chosen.broadcasts = true,
            Short('D') => chosen.duplicates = true,
            Value(host) => hosts.push(host.string()?),
            other => return Err(other.unexpected().into()),
        }
    }
    if chosen.interval < limits::ARPING_INTERVAL {
        let message = format!("-i: the interval is at least {:?}", limits::ARPING_INTERVAL);
        return Err(Failure::usage(message));
    }
    // One answer says that the address is taken.
    chosen.first_only |= chosen.duplicates;
    match <[String; 1]>::try_from(hosts) {
        Ok([host]) => Ok(Options { host, ..chosen }),
        Err(_) => Err(Failure::usage("one host is needed")),
    }
}

/// Requests in flight.
struct Session<'a> {
    context: &'a Context,
    options: &'a Options,
    /// The capture.
    interface: Interface,
    hardware_address: HardwareAddress,
    source: Ipv4Addr,
    target: Ipv4Addr,
    /// Who answered first; later requests go there.
    known: Option<HardwareAddress>,
    reader: Reader,
    started: Instant,
    /// When the last request was sent, as Unix time.
    last: Duration,
    statistics: Statistics,
    is_over: bool,
}

impl<'a> Session<'a> {
    async fn open(context: &'a Context, options: &'a Options) -> Result<Self, Failure> {
        let target = resolve(context, &options.host).await?;
        let name = match &options.interface {
            Some(name) => name.clone(),
            None => {
                let choice = devices::sockets(context, Use::Show)?
                    .control::<FindRoute>(&IpAddr::V4(target))
                    .await;
                choice.map_err(|why| Failure::of(target, why))?.interface
            }
        };
        let interface = devices::interface(context, &name, Use::Change)?;
        let status = interface.status().await?;
        let hardware_address =
            status.hardware_address.filter(|_| status.medium == Medium::Ethernet);
        let hardware_address = hardware_address.ok_or_else(|| {
            Failure::new(format!("Interface \"{}\" is not ARPable", shown::line(&name)))
        })?;
        let source = source(&interface, options, target).await?;
        let request = CaptureOptions {
            direction: CaptureDirection::In,
            clock_offset: u64::try_from(context.platform.started.as_micros()).unwrap_or(0),
            filter: String::from("arp"),
            ..CaptureOptions::default()
        };
        interface.ask::<Capture>(&request).await?;
        Ok(Self {
            context,
            options,
            interface,
            hardware_address,
            source,
            target,
            known: None,
            reader: Reader::default(),
            started: context.platform.clock.now(),
            last: Duration::ZERO,
            statistics: Statistics::default(),
            is_over: false,
        })
    }

    async fn print(&self, text: &str) -> Result<(), Failure> {
        if self.options.quiet { Ok(()) } else { self.context.print(text).await }
    }

    async fn run(&mut self) -> Result<(), Failure> {
        let end = self.options.limit.map(|limit| self.started.after(limit));
        let mut next = self.started;
        loop {
            let now = self.context.platform.clock.now();
            let is_sent = self.options.count.is_some_and(|count| self.statistics.sent >= count);
            if end.is_some_and(|end| now >= end) {
                return Ok(());
            }
            if now >= next {
                if is_sent {
                    return Ok(());
                }
                self.send().await?;
                next = now.after(self.options.interval);
                continue;
            }
            let until = end.map_or(next, |end| end.min(next));
            self.receive(until.since(now)).await?;
            let is_done = self.options.first_only && self.statistics.received > 0
                || is_sent && self.statistics.received >= self.statistics.sent;
            if is_done {
                return Ok(());
            }
        }
    }

    async fn send(&mut self) -> Result<(), Failure> {
        let to = self.known.filter(|_| !self.options.broadcasts).unwrap_or(BROADCAST);
        let frame = request(self.hardware_address, self.source, to, self.target);
        self.last = self.context.platform.now();
        let written = self.interface.file.write(&frame).await;
        written.map_err(|why| Failure::of(&self.interface.name, why))?;
        self.statistics.sent = self.statistics.sent.saturating_add(1);
        if to == BROADCAST {
            self.statistics.broadcasts = self.statistics.broadcasts.saturating_add(1);
        }
        Ok(())
    }

    /// Reads what comes, for at most so long.
    async fn receive(&mut self, time: Duration) -> Result<(), Failure> {
        let mut buffer = vec![0; limits::ARPING_READ_BYTES];
        let named = |why: &dyn std::fmt::Display| Failure::of(&self.interface.name, why);
        let clock = self.context.platform.clock.as_ref();
        let read = async { Ok(self.interface.file.read(&mut buffer).await) };
        let Ok(read) = within(clock, Some(time), read).await else { return Ok(()) };
        let count = read.map_err(|why| named(&why))?;
        if count == 0 {
            return Err(named(&"the interface is gone"));
        }
        self.reader.feed(buffer.get(..count).unwrap_or_default());
        loop {
            let record = self.reader.next_record();
            let record = record.map_err(|why| Failure::of(&self.interface.name, why))?;
            let Some(record) = record else { return Ok(()) };
            self.take(&record).await?;
            if self.options.first_only && self.statistics.received > 0 {
                return Ok(());
            }
        }
    }

    async fn take(&mut self, record: &Record) -> Result<(), Failure> {
        let Some(packet) = Packet::of(&record.bytes) else { return Ok(()) };
        if !self.answers(&packet) {
            return Ok(());
        }
        let answer = Answer {
            is_broadcast: packet.to != self.hardware_address,
            is_request: packet.operation == REQUEST,
            address: packet.sender,
            hardware_address: packet.sender_hardware,
        };
        let statistics = &mut self.statistics;
        statistics.received = statistics.received.saturating_add(1);
        statistics.requests = statistics.requests.saturating_add(u64::from(answer.is_request));
        statistics.received_broadcasts =
            statistics.received_broadcasts.saturating_add(u64::from(answer.is_broadcast));
        self.known = self.known.or(Some(packet.sender_hardware));
        let time = record.time.saturating_sub(self.last);
        self.print(&render::answer(&answer, time)).await
    }

    /// True for what says who has the address.
    fn answers(&self, packet: &Packet) -> bool {
        let is_ours = packet.sender_hardware == self.hardware_address;
        if self.options.duplicates {
            // Whoever probes for the same address wants it, too (RFC 5227 §2.1.1).
            let is_probe = packet.operation == REQUEST
                && packet.sender.is_unspecified()
                && packet.target == self.target;
            return !is_ours && (packet.sender == self.target || is_probe);
        }
        !is_ours
            && packet.sender == self.target
            && packet.target == self.source
            && packet.target_hardware == self.hardware_address
    }
}

impl Drop for Session<'_> {
    fn drop(&mut self) {
        if !self.is_over && !self.options.quiet {
            let text = render::summary(&self.statistics);
            let _ = self.context.streams.output.file.try_write(text.as_bytes());
        }
    }
}

async fn resolve(context: &Context, host: &str) -> Result<Ipv4Addr, Failure> {
    let found = Sockets::routed(&context.files).resolve(host, Family::V4).await;
    let found = found.map_err(|why| Failure::of(host, unresolved(why)))?;
    let address = found.into_iter().find_map(|address| match address {
        IpAddr::V4(address) => Some(address),
        IpAddr::V6(_) => None,
    });
    address.ok_or_else(|| Failure::of(host, "Name or service not known"))
}

/// The address that asks: one of the network of the target, else any. Who looks for duplicates asks
/// with none, unless one is given.
async fn source(
    interface: &Interface,
    options: &Options,
    target: Ipv4Addr,
) -> Result<Ipv4Addr, Failure> {
    if options.duplicates && options.source.is_none() {
        return Ok(Ipv4Addr::UNSPECIFIED);
    }
    let entries = interface.ask::<ListAddresses>(&()).await?;
    let ours = || {
        entries.iter().filter_map(|entry| match entry.prefix.address() {
            IpAddr::V4(address) => Some((entry.prefix, address)),
            IpAddr::V6(_) => None,
        })
    };
    if let Some(source) = options.source {
        let is_there = ours().any(|(_, address)| address == source);
        let why = "Address not available";
        return if is_there { Ok(source) } else { Err(Failure::of(source, why)) };
    }
    let near = ours().find(|(prefix, _)| prefix.contains(IpAddr::V4(target)));
    let found = near.or_else(|| ours().next()).map(|(_, address)| address);
    found.ok_or_else(|| Failure::of(&interface.name, "has no IPv4 address to ask from"))
}

/// The fixed beginning of ARP for IPv4 over Ethernet: the type of the frame, then of the addresses
/// and their lengths.
const BEGINNING: [u8; 8] = [0x08, 0x06, 0, 1, 0x08, 0, 6, 4];

/// A request, as a frame.
fn request(
    from: HardwareAddress,
    source: Ipv4Addr,
    to: HardwareAddress,
    target: Ipv4Addr,
) -> Vec<u8> {
    let mut frame = Vec::with_capacity(42);
    frame.extend_from_slice(&to.0);
    frame.extend_from_slice(&from.0);
    frame.extend_from_slice(&BEGINNING);
    frame.extend_from_slice(&REQUEST.to_be_bytes());
    frame.extend_from_slice(&from.0);
    frame.extend_from_slice(&source.octets());
    // The address that is asked for is not known (RFC 5227 §2.1.1 has zeros).
    frame.extend_from_slice(&[0; 6]);
    frame.extend_from_slice(&target.octets());
    frame
}

/// What an ARP packet says.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Packet {
    /// Whom its frame goes to.
    to: HardwareAddress,
    operation: u16,
    sender_hardware: HardwareAddress,
    sender: Ipv4Addr,
    target_hardware: HardwareAddress,
    target: Ipv4Addr,
}

impl Packet {
    /// Reads a frame; none if it is no request or reply for IPv4 over Ethernet.
    fn of(frame: &[u8]) -> Option<Self> {
        let (to, rest) = frame.split_first_chunk::<6>()?;
        let (_, rest) = rest.split_first_chunk::<6>()?;
        let (beginning, rest) = rest.split_first_chunk::<8>()?;
        let (operation, rest) = rest.split_first_chunk::<2>()?;
        let (sender_hardware, rest) = rest.split_first_chunk::<6>()?;
        let (sender, rest) = rest.split_first_chunk::<4>()?;
        let (target_hardware, rest) = rest.split_first_chunk::<6>()?;
        let (target, _) = rest.split_first_chunk::<4>()?;
        let operation = u16::from_be_bytes(*operation);
        let is_known = *beginning == BEGINNING && matches!(operation, REQUEST | REPLY);
        is_known.then(|| Self {
            to: HardwareAddress(*to),
            operation,
            sender_hardware: HardwareAddress(*sender_hardware),
            sender: Ipv4Addr::from(*sender),
            target_hardware: HardwareAddress(*target_hardware),
            target: Ipv4Addr::from(*target),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_read_as_they_were_written() {
        let (from, source) = (HardwareAddress([2, 0, 0, 0, 0, 1]), Ipv4Addr::new(10, 0, 0, 1));
        let target = Ipv4Addr::new(10, 0, 0, 2);
        let frame = request(from, source, BROADCAST, target);
        assert_eq!(frame.len(), 42);
        let packet = Packet::of(&frame).unwrap();
        let target_hardware = HardwareAddress([0; 6]);
        let expected = Packet {
            to: BROADCAST,
            operation: REQUEST,
            sender_hardware: from,
            sender: source,
            target_hardware,
            target,
        };
        assert_eq!(packet, expected);
        for length in 0..frame.len() {
            assert_eq!(Packet::of(&frame[..length]), None);
        }
        // Another operation, and addresses of another length.
        for (place, value) in [(21, 3), (18, 8), (12, 0)] {
            let mut wrong = frame.clone();
            wrong[place] = value;
            assert_eq!(Packet::of(&wrong), None);
        }
    }
}
