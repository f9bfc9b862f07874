//! `ip address`.

use std::net::{IpAddr, Ipv4Addr};

use devnet_network::command::address::{AddressEntry, AddressState, Origin, Scope};
use devnet_network::command::interface::InterfaceStatus;
use serde::Serialize;

use super::link::{LinkObject, hardware_line, head, state};
use super::{Style, array, object};
use crate::render::append;

/// `ip address show`. With `family_chosen` the hardware address is left out, as `ip -4` and `ip -6`
/// do.
#[must_use]
pub fn show(
    interfaces: &[(InterfaceStatus, Vec<AddressEntry>)],
    style: Style,
    family_chosen: bool,
) -> String {
    if style.json && style.brief {
        return array(&interfaces.iter().map(BriefObject::of).collect::<Vec<_>>());
    }
    if style.json {
        let objects = interfaces.iter().map(|(status, entries)| {
            let addresses = entries.iter().map(|entry| AddressObject::of(entry, &status.name));
            LinkObject::with_addresses(status, addresses.collect())
        });
        return array(&objects.collect::<Vec<_>>());
    }
    let mut text = String::new();
    for (status, entries) in interfaces {
        if style.brief {
            append(&mut text, format_args!("{:<16} {:<14} ", status.name, state(status)));
            entries.iter().for_each(|entry| append(&mut text, format_args!("{} ", entry.prefix)));
            text.push('\n');
        } else if style.oneline {
            entries
                .iter()
                .for_each(|entry| text.push_str(&one(status.index, &status.name, entry, style)));
        } else {
            let mut all = vec![head(status, "")];
            if !family_chosen {
                all.push(hardware_line(status));
            }
            all.extend(entries.iter().flat_map(|entry| lines(entry, &status.name)));
            text.push_str(&object(&all, style));
        }
    }
    text
}

/// A single address, with its interface in front.
#[must_use]
pub fn one(index: u32, interface: &str, entry: &AddressEntry, style: Style) -> String {
    let [first, lifetime] = lines(entry, interface);
    object(&[format!("{index}: {interface}{first}"), lifetime], style)
}

/// The address with its scope and properties, and its lifetimes.
fn lines(entry: &AddressEntry, interface: &str) -> [String; 2] {
    let mut first = format!("    {} {}", family(entry), entry.prefix);
    if let Some(broadcast) = entry.broadcast {
        append(&mut first, format_args!(" brd {broadcast}"));
    }
    append(&mut first, format_args!(" scope {} ", scope(entry.scope)));
    if is_dynamic(entry) {
        first.push_str("dynamic ");
    }
    first.push_str(match entry.state {
        AddressState::Preferred => "",
        AddressState::Tentative => "tentative ",
        AddressState::Deprecated => "deprecated ",
        AddressState::Duplicated => "dadfailed tentative ",
    });
    // The label of IPv4 addresses; IPv6 has none.
    if entry.prefix.address().is_ipv4() {
        first.push_str(interface);
    }
    let seconds = |seconds: Option<u32>| {
        seconds.map_or_else(|| String::from("forever"), |count| format!("{count}sec"))
    };
    let (valid, preferred) = (seconds(entry.valid_seconds), seconds(entry.preferred_seconds));
    [first, format!("       valid_lft {valid} preferred_lft {preferred}")]
}

fn family(entry: &AddressEntry) -> &'static str {
    match entry.prefix.address() {
        IpAddr::V4(_) => "inet",
        IpAddr::V6(_) => "inet6",
    }
}

fn scope(scope: Scope) -> &'static str {
    match scope {
        Scope::Host => "host",
        Scope::Link => "link",
        Scope::Global => "global",
    }
}

/// True for an address from DHCP or from a router advertisement.
fn is_dynamic(entry: &AddressEntry) -> bool {
    matches!(entry.origin, Origin::Dhcp | Origin::RouterAdvertisement)
}

/// One address in `ip -j address`.
#[derive(Serialize)]
pub(super) struct AddressObject {
    family: &'static str,
    local: IpAddr,
    prefixlen: u8,
    #[serde(skip_serializing_if = "Option::is_none")]
    broadcast: Option<Ipv4Addr>,
    scope: &'static str,
    #[serde(skip_serializing_if = "is_false")]
    dynamic: bool,
    #[serde(skip_serializing_if = "is_false")]
    tentative: bool,
    #[serde(skip_serializing_if = "is_false")]
    deprecated: bool,
    #[serde(skip_serializing_if = "is_false")]
    dadfailed: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    label: Option<String>,
    valid_life_time: u32,
    preferred_life_time: u32,
}

impl AddressObject {
    fn of(entry: &AddressEntry, interface: &str) -> Self {
        Self {
            family: family(entry),
            local: entry.prefix.address(),
            prefixlen: entry.prefix.length(),
            broadcast: entry.broadcast,
            scope: scope(entry.scope),
            dynamic: is_dynamic(entry),
            tentative: matches!(entry.state, AddressState::Tentative | AddressState::Duplicated),
            deprecated: entry.state == AddressState::Deprecated,
            dadfailed: entry.state == AddressState::Duplicated,
            label: entry.prefix.address().is_ipv4().then(|| interface.to_owned()),
            // All ones means infinity (RFC 4861 §4.6.2), in iproute2's JSON too.
            valid_life_time: entry.valid_seconds.unwrap_or(u32::MAX),
            preferred_life_time: entry.preferred_seconds.unwrap_or(u32::MAX),
        }
    }
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde's skip_serializing_if passes a reference"
)]
const fn is_false(value: &bool) -> bool {
    !*value
}

#[derive(Serialize)]
struct BriefObject {
    ifname: String,
    operstate: &'static str,
    addr_info: Vec<BriefAddress>,
}

#[derive(Serialize)]
struct BriefAddress {
    local: IpAddr,
    prefixlen: u8,
}

impl BriefObject {
    fn of((status, entries): &(InterfaceStatus, Vec<AddressEntry>)) -> Self {
        let brief = |entry: &AddressEntry| BriefAddress {
            local: entry.prefix.address(),
            prefixlen: entry.prefix.length(),
        };
        Self {
            ifname: status.name.clone(),
            operstate: state(status),
            addr_info: entries.iter().map(brief).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::samples;

    fn interfaces() -> Vec<(InterfaceStatus, Vec<AddressEntry>)> {
        let lent = AddressEntry {
            origin: Origin::Dhcp,
            valid_seconds: Some(3600),
            preferred_seconds: Some(1800),
            ..samples::address("192.0.2.20/24", Scope::Global)
        };
        let tentative = AddressEntry {
            state: AddressState::Tentative,
            ..samples::address("fe80::1/64", Scope::Link)
        };
        vec![
            (samples::loopback(), samples::loopback_addresses()),
            (samples::ethernet(), vec![lent, tentative]),
        ]
    }

    #[test]
    fn addresses_look_as_in_iproute2() {
        assert_eq!(
            show(&interfaces(), Style::default(), false),
            "1: lo: <LOOPBACK,UP,LOWER_UP> mtu 65536 qdisc noqueue state UNKNOWN group default \
             qlen 1000\n\
             \x20   link/loopback 00:00:00:00:00:00 brd 00:00:00:00:00:00\n\
             \x20   inet 127.0.0.1/8 scope host lo\n\
             \x20      valid_lft forever preferred_lft forever\n\
             \x20   inet6 ::1/128 scope host \n\
             \x20      valid_lft forever preferred_lft forever\n\
             2: eth0: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1500 qdisc noqueue state UP group \
             default qlen 1000\n\
             \x20   link/ether 02:00:00:00:00:0a brd ff:ff:ff:ff:ff:ff\n\
             \x20   inet 192.0.2.20/24 brd 192.0.2.255 scope global dynamic eth0\n\
             \x20      valid_lft 3600sec preferred_lft 1800sec\n\
             \x20   inet6 fe80::1/64 scope link tentative \n\
             \x20      valid_lft forever preferred_lft forever\n"
        );
        assert!(!show(&interfaces(), Style::default(), true).contains("link/"));
    }

    #[test]
    fn one_line_and_brief_addresses() {
        assert_eq!(
            show(&interfaces()[..1], Style { oneline: true, ..Style::default() }, false),
            "1: lo    inet 127.0.0.1/8 scope host lo\\       valid_lft forever preferred_lft \
             forever\n\
             1: lo    inet6 ::1/128 scope host \\       valid_lft forever preferred_lft forever\n"
        );
        assert_eq!(
            show(&interfaces(), Style { brief: true, ..Style::default() }, false),
            "lo               UNKNOWN        127.0.0.1/8 ::1/128 \n\
             eth0             UP             192.0.2.20/24 fe80::1/64 \n"
        );
    }

    #[test]
    fn json_has_the_names_and_order_of_iproute2() {
        let json = Style { json: true, ..Style::default() };
        let text = show(&interfaces(), json, false);
        assert!(
            text.starts_with(
                "[{\"ifindex\":1,\"ifname\":\"lo\",\"flags\":[\"LOOPBACK\",\"UP\",\"LOWER_UP\"],\
                 \"mtu\":65536,\"qdisc\":\"noqueue\",\
                 \"operstate\":\"UNKNOWN\",\"group\":\"default\",\"txqlen\":1000,\
                 \"link_type\":\"loopback\",\"address\":\"00:00:00:00:00:00\",\
                 \"broadcast\":\"00:00:00:00:00:00\",\"addr_info\":[{\"family\":\"inet\",\
                 \"local\":\"127.0.0.1\",\"prefixlen\":8,\
                 \"scope\":\"host\",\"label\":\"lo\",\"valid_life_time\":4294967295,\
                 \"preferred_life_time\":4294967295},\
                 {\"family\":\"inet6\",\"local\":\"::1\",\"prefixlen\":128,\"scope\":\"host\",\
                     \"valid_life_time\":4294967295,"
            ),
            "{text}"
        );
        assert!(text.contains(
            "\"broadcast\":\"192.0.2.255\",\"scope\":\"global\",\
            \"dynamic\":true,\"label\":\"eth0\",\"valid_life_time\":3600,"
        ));
        assert!(text.contains("\"scope\":\"link\",\"tentative\":true,\"valid_life_time\""));
        assert_eq!(
            show(&interfaces()[..1], Style { brief: true, ..json }, false),
            "[{\"ifname\":\"lo\",\"operstate\":\"UNKNOWN\",\"addr_info\":[{\"local\":\"127.0.0.1\"\
             ,\"prefixlen\":8},\
             {\"local\":\"::1\",\"prefixlen\":128}]}]\n"
        );
    }
}
