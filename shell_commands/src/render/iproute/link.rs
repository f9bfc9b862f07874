//! `ip link`, and the first lines of every interface in `ip address`.

use std::collections::BTreeMap;

use devnet_network::command::interface::{InterfaceFlags, Statistics};
use devnet_network::driver::{Kind, LinkState, Medium};
use serde::Serialize;

use super::{Style, array, object};
use crate::link::Link;
use crate::render::append;
use crate::render::classic::interface::{Received, Sent, reasons};

/// `ip link show`.
#[must_use]
pub fn show(links: &[(Link, Option<Statistics>)], style: Style) -> String {
    if style.json && style.brief {
        return array(&links.iter().map(|(status, _)| BriefObject::of(status)).collect::<Vec<_>>());
    }
    if style.json {
        let objects = links.iter().map(|(status, statistics)| LinkObject::<()> {
            linkmode: Some("DEFAULT"),
            stats64: statistics.as_ref().map(StatisticsObject::of),
            ..LinkObject::<()>::of(status)
        });
        return array(&objects.collect::<Vec<_>>());
    }
    let mut text = String::new();
    for (status, statistics) in links {
        if style.brief {
            let address = hardware(status).map_or_else(String::new, |(address, _)| address);
            append(
                &mut text,
                format_args!(
                    "{:<16} {:<14} {address} <{}> \n",
                    status.name,
                    state(status),
                    flags(status).join(",")
                ),
            );
            continue;
        }
        let mut lines = vec![head(status, "mode DEFAULT "), hardware_line(status)];
        lines.extend(alias_line(status));
        lines.extend(statistics.iter().flat_map(|known| counters(known, style)));
        text.push_str(&object(&lines, style));
    }
    text
}

/// A single link, as `ip monitor` shows it.
#[must_use]
pub fn one(status: &Link, style: Style) -> String {
    object(&[head(status, ""), hardware_line(status)], style)
}

/// `2: eth0: <…> mtu 1500 …`; only `ip link` shows `mode`.
pub(super) fn head(status: &Link, mode: &str) -> String {
    format!(
        "{}: {}: <{}> mtu {} qdisc {} state {} {mode}group default qlen {}",
        status.index,
        status.name,
        flags(status).join(","),
        status.mtu,
        discipline(status),
        state(status),
        status.queue_length()
    )
}

/// `    link/ether … brd …`
pub(super) fn hardware_line(status: &Link) -> String {
    match hardware(status) {
        Some((address, broadcast)) => {
            format!("    link/{} {address} brd {broadcast}", kind(status))
        }
        None => format!("    link/{} ", kind(status)),
    }
}

/// `    alias …`, the description.
pub(super) fn alias_line(status: &Link) -> Option<String> {
    let description = status.description();
    (!description.is_empty()).then(|| format!("    alias {description}"))
}

/// The carrier, in Linux' terms; that of loopback and tunnels is unknown there.
pub(super) fn state(status: &Link) -> &'static str {
    match (status.enabled, status.link, status.kind) {
        (false, ..) | (_, LinkState::Down, _) => "DOWN",
        (true, LinkState::Up, Kind::Loopback | Kind::Tunnel) => "UNKNOWN",
        (true, LinkState::Up, Kind::Ethernet | Kind::Wireless) => "UP",
    }
}

fn discipline(status: &Link) -> &'static str {
    if status.enabled || status.kind == Kind::Loopback { "noqueue" } else { "noop" }
}

fn kind(status: &Link) -> &'static str {
    match (status.kind, status.medium) {
        (Kind::Loopback, _) => "loopback",
        (_, Medium::Ethernet) => "ether",
        (_, Medium::Ip) => "none",
    }
}

/// Hardware and broadcast address; loopback has them in Linux, so it has them here.
fn hardware(status: &Link) -> Option<(String, &'static str)> {
    match (status.kind, status.hardware_address) {
        (Kind::Loopback, _) => Some((String::from("00:00:00:00:00:00"), "00:00:00:00:00:00")),
        (_, Some(address)) => Some((address.to_string(), "ff:ff:ff:ff:ff:ff")),
        (_, None) => None,
    }
}

fn flags(status: &Link) -> Vec<&'static str> {
    let names = [
        (InterfaceFlags::LOOPBACK, "LOOPBACK"),
        (InterfaceFlags::BROADCAST, "BROADCAST"),
        (InterfaceFlags::POINT_TO_POINT, "POINTOPOINT"),
        (InterfaceFlags::MULTICAST, "MULTICAST"),
        (InterfaceFlags::NO_ARP, "NOARP"),
        (InterfaceFlags::ALL_MULTICAST, "ALLMULTI"),
        (InterfaceFlags::PROMISCUOUS, "PROMISC"),
        (InterfaceFlags::UP, "UP"),
    ];
    let carrier = status.link == LinkState::Up;
    let mut flags = Vec::new();
    if status.enabled && !carrier {
        flags.push("NO-CARRIER");
    }
    flags.extend(
        names.iter().filter(|(flag, _)| status.flags.contains(*flag)).map(|(_, name)| *name),
    );
    if status.enabled && carrier {
        flags.push("LOWER_UP");
    }
    flags
}

fn counters(statistics: &Statistics, style: Style) -> Vec<String> {
    let (received, sent) = (Received::of(statistics), Sent::of(statistics));
    let mut lines = vec![
        String::from("    RX:  bytes packets errors dropped  missed   mcast           "),
        format!(
            "    {:>10} {:>7} {:>6} {:>7} {:>7} {:>7} ",
            statistics.received_bytes,
            statistics.received_packets,
            received.errors,
            received.dropped,
            received.overruns,
            0
        ),
        String::from("    TX:  bytes packets errors dropped carrier collsns           "),
        format!(
            "    {:>10} {:>7} {:>6} {:>7} {:>7} {:>7} ",
            statistics.sent_bytes,
            statistics.sent_packets,
            sent.errors,
            sent.dropped,
            sent.carrier,
            0
        ),
    ];
    for (word, is_received) in [("RX", true), ("TX", false)] {
        let reasons = reasons(statistics, is_received, style.detailed);
        if !reasons.is_empty() {
            lines.push(format!("    {word} drops:{reasons}"));
        }
    }
    lines
}

/// One interface in `ip -j link` and `ip -j address`.
#[derive(Serialize)]
pub(super) struct LinkObject<Address> {
    ifindex: u32,
    ifname: String,
    flags: Vec<&'static str>,
    mtu: u32,
    qdisc: &'static str,
    operstate: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    linkmode: Option<&'static str>,
    group: &'static str,
    txqlen: u32,
    link_type: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    address: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    broadcast: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ifalias: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    stats64: Option<StatisticsObject>,
    #[serde(skip_serializing_if = "Option::is_none")]
    addr_info: Option<Vec<Address>>,
}

impl<Address> LinkObject<Address> {
    /// With the addresses, as in `ip -j address`.
    pub(super) fn with_addresses(status: &Link, addresses: Vec<Address>) -> Self {
        Self { addr_info: Some(addresses), ..Self::of(status) }
    }

    fn of(status: &Link) -> Self {
        let (address, broadcast) = hardware(status).unzip();
        Self {
            ifindex: status.index,
            ifname: status.name.clone(),
            flags: flags(status),
            mtu: status.mtu,
            qdisc: discipline(status),
            operstate: state(status),
            linkmode: None,
            group: "default",
            txqlen: status.queue_length(),
            link_type: kind(status),
            address,
            broadcast,
            ifalias: Some(status.description().to_owned()).filter(|text| !text.is_empty()),
            stats64: None,
            addr_info: None,
        }
    }
}

#[derive(Serialize)]
struct BriefObject {
    ifname: String,
    operstate: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    address: Option<String>,
    flags: Vec<&'static str>,
}

impl BriefObject {
    fn of(status: &Link) -> Self {
        Self {
            ifname: status.name.clone(),
            operstate: state(status),
            address: hardware(status).map(|(address, _)| address),
            flags: flags(status),
        }
    }
}

#[derive(Serialize)]
struct StatisticsObject {
    rx: CountersObject,
    tx: CountersObject,
}

#[derive(Serialize)]
struct CountersObject {
    bytes: u64,
    packets: u64,
    errors: u64,
    dropped: u64,
    /// Losses by reason.
    drops: BTreeMap<String, u64>,
}

impl StatisticsObject {
    fn of(statistics: &Statistics) -> Self {
        let (received, sent) = (Received::of(statistics), Sent::of(statistics));
        Self {
            rx: CountersObject {
                bytes: statistics.received_bytes,
                packets: statistics.received_packets,
                errors: received.errors,
                dropped: received.dropped,
                drops: losses(statistics, true),
            },
            tx: CountersObject {
                bytes: statistics.sent_bytes,
                packets: statistics.sent_packets,
                errors: sent.errors,
                dropped: sent.dropped,
                drops: losses(statistics, false),
            },
        }
    }
}

fn losses(statistics: &Statistics, is_received: bool) -> BTreeMap<String, u64> {
    let losses = statistics.losses(is_received);
    losses.map(|(reason, packets)| (reason.to_string(), packets)).collect()
}

#[cfg(test)]
#[path = "link_tests.rs"]
mod tests;
