//! `ip neigh`.

use std::net::IpAddr;

use devnet_network::command::neighbor::{NeighborEntry, NeighborState, ProxyEntry};
use serde::Serialize;

use super::{Style, array};
use crate::render::append;

/// `ip neigh show`; `dev` is left out when one interface was asked for.
#[must_use]
pub fn show(neighbors: &[(String, NeighborEntry)], style: Style, one_interface: bool) -> String {
    if style.json {
        return array(
            &neighbors
                .iter()
                .map(|(interface, entry)| NeighborObject::of(interface, entry))
                .collect::<Vec<_>>(),
        );
    }
    let mut text = String::new();
    for (interface, entry) in neighbors {
        let hardware = entry.hardware_address.map(|address| address.to_string());
        if style.brief {
            let address = entry.address.to_string();
            append(
                &mut text,
                format_args!("{address:<39} {interface:<16} {}\n", hardware.unwrap_or_default()),
            );
            continue;
        }
        append(&mut text, format_args!("{} ", entry.address));
        if !one_interface {
            append(&mut text, format_args!("dev {interface} "));
        }
        if let Some(hardware) = hardware {
            append(&mut text, format_args!("lladdr {hardware} "));
        }
        if entry.router {
            text.push_str("router ");
        }
        append(&mut text, format_args!("{} \n", state(entry.state)));
    }
    text
}

/// `ip neigh show proxy`; `dev` is left out when one interface was asked for.
#[must_use]
pub fn proxies(proxies: &[ProxyEntry], style: Style, one_interface: bool) -> String {
    let device = |entry: &ProxyEntry| (!one_interface).then(|| entry.interface.clone());
    if style.json {
        let object =
            |entry: &ProxyEntry| ProxyObject { dst: entry.address, dev: device(entry), proxy: () };
        return array(&proxies.iter().map(object).collect::<Vec<_>>());
    }
    let mut text = String::new();
    for entry in proxies {
        append(&mut text, format_args!("{} ", entry.address));
        if let Some(device) = device(entry) {
            append(&mut text, format_args!("dev {device} "));
        }
        text.push_str("proxy \n");
    }
    text
}

#[derive(Serialize)]
struct ProxyObject {
    dst: IpAddr,
    #[serde(skip_serializing_if = "Option::is_none")]
    dev: Option<String>,
    /// `null`, as in iproute2.
    proxy: (),
}

fn state(state: NeighborState) -> &'static str {
    match state {
        NeighborState::Incomplete => "INCOMPLETE",
        NeighborState::Reachable => "REACHABLE",
        NeighborState::Stale => "STALE",
        NeighborState::Delay => "DELAY",
        NeighborState::Probe => "PROBE",
        NeighborState::Failed => "FAILED",
        NeighborState::Permanent => "PERMANENT",
    }
}

#[derive(Serialize)]
struct NeighborObject<'a> {
    dst: IpAddr,
    dev: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    lladdr: Option<String>,
    /// iproute2 prints `"router":null` if the flag is set, and no key otherwise.
    #[serde(skip_serializing_if = "Option::is_none")]
    router: Option<()>,
    state: [&'static str; 1],
}

impl<'a> NeighborObject<'a> {
    fn of(interface: &'a str, entry: &NeighborEntry) -> Self {
        Self {
            dst: entry.address,
            dev: interface,
            lladdr: entry.hardware_address.map(|address| address.to_string()),
            router: entry.router.then_some(()),
            state: [state(entry.state)],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::samples;

    fn neighbors() -> Vec<(String, NeighborEntry)> {
        samples::neighbors().into_iter().map(|entry| ("eth0".to_owned(), entry)).collect()
    }

    #[test]
    fn neighbors_look_as_in_iproute2() {
        assert_eq!(
            show(&neighbors(), Style::default(), false),
            "192.0.2.1 dev eth0 lladdr 02:00:00:00:00:aa REACHABLE \n\
             192.0.2.7 dev eth0 lladdr 02:00:00:00:00:07 PERMANENT \n\
             192.0.2.9 dev eth0 FAILED \n\
             fe80::1 dev eth0 lladdr 02:00:00:00:00:01 router STALE \n"
        );
        assert!(
            show(&neighbors(), Style::default(), true)
                .starts_with("192.0.2.1 lladdr 02:00:00:00:00:aa REACHABLE \n")
        );
        assert!(show(&neighbors(), Style { brief: true, ..Style::default() }, false).starts_with(
            "192.0.2.1                               eth0             02:00:00:00:00:aa\n"
        ));
    }

    #[test]
    fn json_has_the_names_and_order_of_iproute2() {
        assert_eq!(
            show(&neighbors()[2..], Style { json: true, ..Style::default() }, false),
            "[{\"dst\":\"192.0.2.9\",\"dev\":\"eth0\",\"state\":[\"FAILED\"]},\
             {\"dst\":\"fe80::1\",\"dev\":\"eth0\",\"lladdr\":\"02:00:00:00:00:01\",\
                 \"router\":null,\"state\":[\"STALE\"]}]\n"
        );
    }
}
