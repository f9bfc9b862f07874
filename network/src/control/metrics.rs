//! Every counter as text in the format of OpenMetrics 1.0, which Prometheus reads.
//!
//! The numbers of an interface are copied under its lock; the text is made after that, so that no
//! packet waits for it.

use alloc::string::String;
use core::fmt::{Display, Write};

use super::interfaces::usage;
use super::open::HAS_TEXT;
use crate::command::counters::ProtocolCounters;
use crate::command::drops::DropReason;
use crate::command::interface::{InterfaceStatus, SynCookies};
use crate::command::usage::Usage;
use crate::driver::LinkState;
use crate::stack::Stack;
use crate::stack::counters::Counters;
use crate::stack::counters::Totals;

/// The numbers of one interface.
pub(super) struct Metrics {
    status: InterfaceStatus,
    statistics: Totals,
    counters: Counters,
    cookies: SynCookies,
    usage: Usage,
}

impl Metrics {
    /// Copies them.
    pub(super) fn of(stack: &Stack) -> Self {
        Self {
            status: stack.context.configuration.status(stack.context.now),
            statistics: stack.context.statistics,
            counters: stack.context.counters,
            cookies: stack.transport.tcp.cookies.counters,
            usage: usage(stack),
        }
    }
}

/// A text under way, and the interfaces that it is about.
struct Text<'a> {
    text: String,
    all: &'a [Metrics],
}

/// A label beside that of the interface.
type Label<'a> = (&'a str, &'a dyn Display);

impl Text<'_> {
    /// The head of a family. Writing to a string does not fail.
    fn family(&mut self, name: &str, kind: &str, help: &str) {
        let _ = write!(self.text, "# TYPE {name} {kind}\n# HELP {name} {help}\n");
    }

    fn sample(&mut self, name: &str, interface: &str, labels: &[Label<'_>], value: u64) {
        // Names of interfaces have none of the bytes that would have to be escaped.
        let _ = write!(self.text, "{name}{{interface=\"{interface}\"");
        for (label, word) in labels {
            let _ = write!(self.text, ",{label}=\"{word}\"");
        }
        let _ = writeln!(self.text, "}} {value}");
    }

    /// A family with one value per interface.
    fn plain(&mut self, name: &str, kind: &str, help: &str, value: fn(&Metrics) -> u64) {
        self.family(name, kind, help);
        let suffix = if kind == "counter" { "_total" } else { "" };
        let sample = alloc::format!("{name}{suffix}");
        for metrics in self.all {
            self.sample(&sample, &metrics.status.name, &[], value(metrics));
        }
    }
}

/// The text about these interfaces.
pub(super) fn text(all: &[Metrics]) -> String {
    if !HAS_TEXT {
        return String::new();
    }
    let mut text = Text { text: String::new(), all };
    interfaces(&mut text);
    drops(&mut text);
    protocols(&mut text);
    usages(&mut text);
    text.text.push_str("# EOF\n");
    text.text
}

fn interfaces(text: &mut Text<'_>) {
    let up = |metrics: &Metrics| u64::from(metrics.status.enabled);
    text.plain("devnet_interface_up", "gauge", "Administratively up.", up);
    let link = |metrics: &Metrics| u64::from(metrics.status.link == LinkState::Up);
    text.plain("devnet_interface_carrier", "gauge", "Has a carrier.", link);
    let mtu = |metrics: &Metrics| u64::from(metrics.status.mtu);
    text.plain("devnet_interface_mtu_bytes", "gauge", "The largest IP packet.", mtu);
    let packets = |metrics: &Metrics| metrics.statistics.received_packets;
    text.plain("devnet_received_packets", "counter", "Frames received.", packets);
    let bytes = |metrics: &Metrics| metrics.statistics.received_bytes;
    text.plain("devnet_received_bytes", "counter", "Bytes of the received frames.", bytes);
    let packets = |metrics: &Metrics| metrics.statistics.sent_packets;
    text.plain("devnet_sent_packets", "counter", "Frames sent.", packets);
    let bytes = |metrics: &Metrics| metrics.statistics.sent_bytes;
    text.plain("devnet_sent_bytes", "counter", "Bytes of the sent frames.", bytes);
}

fn drops(text: &mut Text<'_>) {
    let help = "Packets dropped; not-for-us, firewall and firewall-out are no losses.";
    text.family("devnet_dropped_packets", "counter", help);
    for metrics in text.all {
        for reason in DropReason::ALL {
            let direction = if reason.is_received() { "received" } else { "sent" };
            let labels: [Label<'_>; 2] = [("direction", &direction), ("reason", &reason)];
            let packets = metrics.statistics.dropped(reason);
            let name = "devnet_dropped_packets_total";
            text.sample(name, &metrics.status.name, &labels, packets);
        }
    }
}

fn protocols(text: &mut Text<'_>) {
    text.family("devnet_protocol", "counter", "Counters of protocols, by the names of SNMP.");
    for metrics in text.all {
        let ProtocolCounters { interface, counters } = metrics.counters.list(&metrics.status.name);
        for counter in counters {
            let labels: [Label<'_>; 1] = [("counter", &counter.name)];
            text.sample("devnet_protocol_total", &interface, &labels, counter.value);
        }
    }
    text.family("devnet_syn_cookies", "counter", "SYN cookies, by what became of them.");
    for metrics in text.all {
        let SynCookies { sent, received, failed } = metrics.cookies;
        for (event, count) in [("sent", sent), ("received", received), ("failed", failed)] {
            let labels: [Label<'_>; 1] = [("event", &event)];
            text.sample("devnet_syn_cookies_total", &metrics.status.name, &labels, count);
        }
    }
}

fn usages(text: &mut Text<'_>) {
    text.family("devnet_connections", "gauge", "Connections of TCP, by what they wait for.");
    for metrics in text.all {
        let usage = &metrics.usage;
        for (state, count) in [
            ("open", usage.connections),
            ("half-open", usage.half_open),
            ("orphan", usage.orphans),
            ("time-wait", usage.time_wait),
        ] {
            let labels: [Label<'_>; 1] = [("state", &state)];
            text.sample("devnet_connections", &usage.interface, &labels, u64::from(count));
        }
    }
    let listeners = |metrics: &Metrics| u64::from(metrics.usage.listeners);
    text.plain("devnet_listeners", "gauge", "Listening sockets.", listeners);
    let sockets = |metrics: &Metrics| u64::from(metrics.usage.datagram_sockets);
    text.plain("devnet_datagram_sockets", "gauge", "UDP, ICMP and raw sockets.", sockets);
    let neighbors = |metrics: &Metrics| u64::from(metrics.usage.neighbors);
    text.plain("devnet_neighbors", "gauge", "Entries of the neighbor table.", neighbors);
    let memory = |metrics: &Metrics| metrics.usage.tcp_memory;
    text.plain("devnet_tcp_memory_bytes", "gauge", "Memory of connections.", memory);
}
