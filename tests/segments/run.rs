//! Runs a script: each event at its time, each segment that leaves in its place.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::Duration;

use crate::kernel::{self, Kernel};
use crate::packet::{Endpoint, Origin, Parsed, build, icmp};
use crate::script::{Action, Echo, Event, Script, Segment, Settings, TcpOption};
use crate::simulated::Simulated;
use crate::subject::{PORT, Subject};

/// The peer's port.
const PEER_PORT: u16 = 5000;

/// A connection, by the peer's port.
#[derive(Clone, Copy, Debug)]
struct Flow {
    our_port: u16,
    our_iss: Option<u32>,
    /// The last timestamp that we sent.
    our_timestamp: u32,
}

struct Runner {
    subject: Box<dyn Subject>,
    ours: IpAddr,
    theirs: IpAddr,
    peer_iss: u32,
    peer_port: u16,
    flows: BTreeMap<u16, Flow>,
    tolerance: Duration,
}

/// Runs a script against our stack.
///
/// # Errors
/// The line that is not kept, and what happened instead.
pub(crate) fn run(script: &Script) -> Result<(), String> {
    let settings = &script.settings;
    let (ours, theirs) = addresses(settings);
    let subject = Box::new(Simulated::new(settings, theirs, PEER_PORT));
    run_with(script, subject, (ours, theirs), PEER_PORT, settings.tolerance)
}

/// Runs a script against the kernel, which still knows the ports of earlier ones.
///
/// # Errors
/// As [`run`].
pub(crate) fn run_kernel(script: &Script, peer_port: u16) -> Result<(), String> {
    let (ours, theirs) = addresses(&script.settings);
    let subject = Box::new(Kernel::new(&script.settings, theirs, peer_port)?);
    run_with(script, subject, (ours, theirs), peer_port, kernel::TOLERANCE)
}

/// The addresses of the host and of the peer.
fn addresses(settings: &Settings) -> (IpAddr, IpAddr) {
    let addresses =
        if settings.is_ipv6 { ["fd00::1", "fd00::9"] } else { ["10.0.0.1", "10.0.0.9"] };
    let [ours, theirs] = addresses.map(|text| text.parse().expect("an address"));
    (ours, theirs)
}

fn run_with(
    script: &Script,
    subject: Box<dyn Subject>,
    (ours, theirs): (IpAddr, IpAddr),
    peer_port: u16,
    tolerance: Duration,
) -> Result<(), String> {
    let mut runner = Runner {
        subject,
        ours,
        theirs,
        peer_iss: script.settings.peer_iss,
        peer_port,
        flows: BTreeMap::new(),
        tolerance,
    };
    let mut at = runner.subject.now();
    for event in &script.events {
        at = runner.step(event, at).map_err(|error| format!("line {}: {error}", event.line))?;
    }
    Ok(())
}

impl Runner {
    fn flow(&mut self) -> &mut Flow {
        let flow = Flow { our_port: PORT, our_iss: None, our_timestamp: 0 };
        self.flows.entry(self.peer_port).or_insert(flow)
    }

    fn ends(&mut self) -> (Endpoint, Endpoint) {
        let our_port = self.flow().our_port;
        ((self.ours, our_port), (self.theirs, self.peer_port))
    }

    /// Numbers of what the peer sends, and of what we send.
    fn origins(&mut self) -> (Origin, Origin) {
        let (peer_iss, flow) = (self.peer_iss, *self.flow());
        let our_iss = flow.our_iss.unwrap_or_default();
        (
            Origin { sender: peer_iss, receiver: our_iss, echo: flow.our_timestamp },
            Origin { sender: our_iss, receiver: peer_iss, echo: 0 },
        )
    }

    /// Makes an event happen, or sees that it does; gives its time.
    fn step(&mut self, event: &Event, before: Duration) -> Result<Duration, String> {
        let (from, to) = (before + event.from, before + event.to);
        if let Action::Expect(expected) = &event.action {
            return self.expect(expected, before, from, to);
        }
        if let Some(packet) = self.subject.packet(to) {
            let segment = self.read(&packet)?;
            let after = self.subject.now().saturating_sub(before);
            return Err(format!("unexpected after {after:?}: {}", show(&segment)));
        }
        let (ours, theirs) = self.ends();
        let (inbound, outbound) = self.origins();
        match &event.action {
            Action::Inject(segment) => {
                self.subject.send(&build(segment, theirs, ours, &inbound));
            }
            Action::Icmp(error) => self.subject.send(&icmp(error, ours, theirs, &outbound)),
            Action::PeerPort(port) => self.peer_port = *port,
            Action::Calls(calls) => {
                for (call, expected) in calls {
                    self.call(call, expected.as_deref().unwrap_or("ok"))?;
                }
            }
            Action::Renew => {
                self.flows.remove(&self.peer_port);
            }
            Action::Silence | Action::Expect(_) => {}
        }
        Ok(to)
    }

    fn call(&mut self, call: &str, expected: &str) -> Result<(), String> {
        let words: Vec<&str> = call.split_whitespace().collect();
        let result = self.subject.call(&words)?;
        // A count that was asked for and given is fine.
        let is_whole = result.parse::<u64>().is_ok() && words.last() == Some(&result.as_str());
        if holds(&result, expected) || (expected == "ok" && is_whole) {
            Ok(())
        } else {
            Err(format!("{call}: {result}, not {expected}"))
        }
    }

    /// Reads a packet of ours; learns the numbers of a connection from its SYN.
    fn read(&mut self, packet: &[u8]) -> Result<Segment, String> {
        let parsed = Parsed::new(packet)?.ok_or_else(|| format!("no TCP: {packet:02x?}"))?;
        if parsed.ports.1 != self.peer_port {
            return Err(format!("a segment to port {}", parsed.ports.1));
        }
        let flow = self.flow();
        if parsed.is_syn() && (flow.our_iss.is_none() || flow.our_port != parsed.ports.0) {
            (flow.our_port, flow.our_iss) = (parsed.ports.0, Some(parsed.sequence));
        }
        let (_, outbound) = self.origins();
        let segment = parsed.segment(&outbound)?;
        let value = segment.options.iter().flatten().find_map(|option| match option {
            TcpOption::Timestamps(value, _) => *value,
            _ => None,
        });
        if let Some(value) = value {
            self.flow().our_timestamp = value;
        }
        Ok(segment)
    }

    fn expect(
        &mut self,
        expected: &Segment,
        before: Duration,
        from: Duration,
        to: Duration,
    ) -> Result<Duration, String> {
        let Some(packet) = self.subject.packet(to + self.tolerance) else {
            return Err(format!("nothing came, not {}", show(expected)));
        };
        let segment = self.read(&packet)?;
        let now = self.subject.now();
        if !is_match(&segment, expected) {
            return Err(format!("{} came, not {}", show(&segment), show(expected)));
        }
        if now + self.tolerance < from {
            return Err(format!("{} came after {:?}", show(&segment), now - before));
        }
        Ok(now)
    }
}

/// Compares a result with what a script expects: the same, or a comparison of numbers.
fn holds(result: &str, expected: &str) -> bool {
    let compare = |sign: &str, is_met: fn(f64, f64) -> bool| {
        let (left, right) = (result.parse(), expected.strip_prefix(sign)?.trim().parse());
        Some(matches!((left, right), (Ok(left), Ok(right)) if is_met(left, right)))
    };
    compare(">=", |left, right| left >= right)
        .or_else(|| compare("<=", |left, right| left <= right))
        .or_else(|| compare(">", |left, right| left > right))
        .or_else(|| compare("<", |left, right| left < right))
        .unwrap_or(result == expected)
}

/// What the script does not say about a segment may be anything.
fn is_match(segment: &Segment, expected: &Segment) -> bool {
    let options = segment.options.iter().flatten();
    let are_options_met = expected.options.as_ref().is_none_or(|expected| {
        let expected: Vec<&TcpOption> =
            expected.iter().filter(|option| **option != TcpOption::NoOperation).collect();
        let is_met = |(option, expected): (&TcpOption, &&TcpOption)| match (option, expected) {
            (TcpOption::Timestamps(value, echo), TcpOption::Timestamps(any, wanted)) => {
                (any.is_none() || any == value) && (*wanted == Echo::Any || wanted == echo)
            }
            (option, expected) => option == *expected,
        };
        options.clone().count() == expected.len() && options.zip(&expected).all(is_met)
    });
    segment.flags == expected.flags
        && (segment.start, segment.length) == (expected.start, expected.length)
        && segment.acknowledgment == expected.acknowledgment
        && (expected.window.is_none() || expected.window == segment.window)
        && (expected.ecn.is_none() || expected.ecn == segment.ecn)
        && are_options_met
}

/// A segment as scripts write it.
fn show(segment: &Segment) -> String {
    let Segment { flags, start, length, .. } = segment;
    let mut text = format!("{flags} {start}:{}({length})", start.wrapping_add(*length));
    if let Some(number) = segment.acknowledgment {
        text += &format!(" ack {number}");
    }
    if let Some(window) = segment.window {
        text += &format!(" win {window}");
    }
    if let Some(options) = &segment.options {
        text += &format!(" {options:?}");
    }
    text
}
