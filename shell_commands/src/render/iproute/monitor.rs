//! `ip monitor`: shows the records of a watching file as iproute2 shows their objects.
//!
//! iproute2 prints each object as `show` does, with `Deleted` before removed objects, and with a
//! label in brackets if requested.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::str::FromStr;

use devnet_network::address::Prefix;
use devnet_network::command::address::AddressEntry;
use devnet_network::command::interface::{InterfaceFlags, InterfaceStatus};
use devnet_network::command::neighbor::NeighborEntry;
use devnet_network::command::route::RouteEntry;
use devnet_network::command::watch::Record;
use devnet_network::driver::{Kind, LinkState, Medium};

use super::route::{self, Shown};
use super::{Style, address, link, neighbor};

/// Renders records as lines. It remembers the numbers of interfaces, which records of other objects
/// do not repeat.
#[derive(Debug, Default)]
pub struct Monitor {
    style: Style,
    /// Print a label in brackets.
    labelled: bool,
    interfaces: BTreeMap<String, (u32, Kind)>,
}

/// The value of a key.
fn value<T: FromStr>(record: &Record<'_>, key: &str) -> Option<T> {
    record.get(key)?.parse().ok()
}

impl Monitor {
    /// Creates a monitor with this output format, with labels or without.
    #[must_use]
    pub fn new(style: Style, labelled: bool) -> Self {
        Self { style, labelled, ..Self::default() }
    }

    /// Records an interface; such records are not shown themselves.
    pub fn learn(&mut self, record: &Record<'_>) {
        if let (Some(index), Some(kind)) = (value(record, "index"), value(record, "kind")) {
            self.interfaces.insert(record.subject.to_owned(), (index, kind));
        }
    }

    /// Returns the address of a record about an address.
    #[must_use]
    pub fn address(record: &Record<'_>) -> Option<IpAddr> {
        match record.kind {
            "address" | "route" => {
                record.subject.parse::<Prefix>().ok().map(|prefix| prefix.address())
            }
            "neighbor" | "dns" => record.subject.parse().ok(),
            _ => None,
        }
    }

    /// Returns the text of a record; `None` if the record is incomplete.
    #[must_use]
    pub fn show(&self, record: &Record<'_>) -> Option<String> {
        let (label, text) = match record.kind {
            "link" => ("LINK", link::one(&self.link(record)?.into(), self.style)),
            "address" if record.what == "conflict" => ("ADDR", plain(record)),
            "address" => ("ADDR", self.address_line(record)?),
            "route" => {
                ("ROUTE", route::show(&[preferred(record)?], &[], self.style, Shown::default()))
            }
            "neighbor" => {
                let entry = (record.get("interface")?.to_owned(), neighbor_entry(record)?);
                ("NEIGH", neighbor::show(&[entry], self.style, false))
            }
            // A value without a name in iproute2 is unchanged.
            kind => return Some(self.with_label(&kind.to_uppercase(), &plain(record))),
        };
        let deleted = if record.what == "removed" { "Deleted " } else { "" };
        Some(self.with_label(label, &format!("{deleted}{text}")))
    }

    fn with_label(&self, label: &str, text: &str) -> String {
        if self.labelled { format!("[{label}]{text}") } else { text.to_owned() }
    }

    fn link(&self, record: &Record<'_>) -> Option<InterfaceStatus> {
        let (index, kind) = *self.interfaces.get(record.subject)?;
        let enabled = record.get("state")? == "up";
        let link = if record.get("carrier")? == "yes" { LinkState::Up } else { LinkState::Down };
        let (mtu, hardware_address) = (value(record, "mtu")?, value(record, "mac"));
        Some(InterfaceStatus {
            index,
            name: record.subject.to_owned(),
            kind,
            medium: if hardware_address.is_some() { Medium::Ethernet } else { Medium::Ip },
            enabled,
            link,
            flags: InterfaceFlags::of(kind, enabled, link),
            hardware_address,
            mtu,
            mtu_maximum: mtu,
            burst: None,
            metric: value(record, "metric")?,
            age_micros: 0,
        })
    }

    fn address_line(&self, record: &Record<'_>) -> Option<String> {
        let interface = record.get("interface")?;
        let (index, _) = *self.interfaces.get(interface)?;
        let entry = AddressEntry {
            prefix: record.subject.parse().ok()?,
            broadcast: value(record, "broadcast"),
            origin: value(record, "origin")?,
            state: value(record, "state")?,
            scope: value(record, "scope")?,
            valid_seconds: value(record, "valid"),
            preferred_seconds: value(record, "preferred"),
        };
        Some(address::one(index, interface, &entry.into(), self.style))
    }
}

fn preferred(record: &Record<'_>) -> Option<route::Preferred> {
    Some((route_entry(record)?.into(), value(record, "preference").unwrap_or_default()))
}

fn route_entry(record: &Record<'_>) -> Option<RouteEntry> {
    Some(RouteEntry {
        destination: record.subject.parse().ok()?,
        gateway: value(record, "via"),
        metric: value(record, "metric")?,
        origin: value(record, "origin")?,
        source: value(record, "source"),
        interface: record.get("interface")?.to_owned(),
        usable: true,
    })
}

fn neighbor_entry(record: &Record<'_>) -> Option<NeighborEntry> {
    Some(NeighborEntry {
        address: record.subject.parse().ok()?,
        hardware_address: value(record, "mac"),
        state: value(record, "state")?,
        router: record.get("router") == Some("yes"),
        age_milliseconds: 0,
    })
}

fn plain(record: &Record<'_>) -> String {
    let mut text = format!("{} {} {}", record.kind, record.what, record.subject);
    for (key, value) in record.pairs() {
        text = format!("{text} {key} {value}");
    }
    text + "\n"
}

#[cfg(test)]
mod tests {
    use super::*;
    use devnet_network::command::watch::Line;

    fn shown(monitor: &Monitor, line: &str) -> Option<String> {
        let Ok(Line::Record(record)) = Line::parse(line) else { panic!("{line}") };
        monitor.show(&record)
    }

    #[test]
    fn records_look_as_in_iproute2() {
        let mut monitor = Monitor::default();
        let address = "address added 192.0.2.7/24 interface eth0 origin dhcp state preferred \
            scope global broadcast 192.0.2.255 valid 60 preferred 30";
        assert_eq!(shown(&monitor, address), None, "nobody knows the number of eth0");
        let Ok(Line::Record(interface)) =
            Line::parse("interface present eth0 index 2 kind ethernet")
        else {
            panic!()
        };
        monitor.learn(&interface);
        for (line, text) in [
            (
                address,
                "2: eth0    inet 192.0.2.7/24 brd 192.0.2.255 scope global dynamic eth0\n       \
                 valid_lft 60sec preferred_lft 30sec\n",
            ),
            (
                "link changed eth0 state up carrier yes mtu 1500 metric 0 mac 02:00:00:00:00:0a",
                "2: eth0: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1500 qdisc noqueue state UP group \
                 default qlen 256\n    link/ether 02:00:00:00:00:0a brd ff:ff:ff:ff:ff:ff\n",
            ),
            (
                "route removed 0.0.0.0/0 interface eth0 via 192.0.2.1 metric 3 origin static",
                "Deleted default via 192.0.2.1 dev eth0 metric 3 \n",
            ),
            (
                "neighbor changed 192.0.2.1 interface eth0 state reachable mac 02:00:00:00:00:aa",
                "192.0.2.1 dev eth0 lladdr 02:00:00:00:00:aa REACHABLE \n",
            ),
            (
                "dns added 192.0.2.53 interface eth0 origin dhcp",
                "dns added 192.0.2.53 interface eth0 origin dhcp\n",
            ),
        ] {
            assert_eq!(shown(&monitor, line).unwrap(), text, "{line}");
        }
        monitor.labelled = true;
        let gone = "neighbor removed 192.0.2.1 interface eth0 state failed";
        assert_eq!(shown(&monitor, gone).unwrap(), "[NEIGH]Deleted 192.0.2.1 dev eth0 FAILED \n");
        assert_eq!(shown(&monitor, "neighbor removed nowhere interface eth0 state failed"), None);
    }
}
