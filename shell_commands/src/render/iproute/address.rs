//! `ip address`.

use std::net::{IpAddr, Ipv4Addr};

use devnet_network::command::address::{AddressDetail, AddressState, Origin, Scope};
use serde::Serialize;

use super::link::{LinkObject, alias_line, hardware_line, head, state};
use super::{Style, array, object};
use crate::link::Link;
use crate::render::append;

/// `ip address show`. With `family_chosen` the hardware address is left out, as `ip -4` and `ip -6`
/// do.
#[must_use]
pub fn show(
    interfaces: &[(Link, Vec<AddressDetail>)],
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
            entries
                .iter()
                .for_each(|detail| append(&mut text, format_args!("{} ", written(detail))));
            text.push('\n');
        } else if style.oneline {
            entries
                .iter()
                .for_each(|entry| text.push_str(&one(status.index, &status.name, entry, style)));
        } else {
            let mut all = vec![head(status, "")];
            if !family_chosen {
                all.push(hardware_line(status));
                all.extend(alias_line(status));
            }
            all.extend(entries.iter().flat_map(|entry| lines(entry, &status.name)));
            text.push_str(&object(&all, style));
        }
    }
    text
}

/// A single address, with its interface in front.
#[must_use]
pub fn one(index: u32, interface: &str, detail: &AddressDetail, style: Style) -> String {
    let [first, lifetime] = lines(detail, interface);
    object(&[format!("{index}: {interface}{first}"), lifetime], style)
}

/// The address with the length of its network's prefix, or with its peer.
fn written(detail: &AddressDetail) -> String {
    match detail.peer {
        None => detail.entry.prefix.to_string(),
        Some(peer) => format!("{} peer {peer}", detail.entry.prefix.address()),
    }
}

/// The address with its scope and properties, and its lifetimes.
fn lines(detail: &AddressDetail, interface: &str) -> [String; 2] {
    let entry = &detail.entry;
    let mut first = format!("    {} {}", family(detail), written(detail));
    if let Some(broadcast) = entry.broadcast {
        append(&mut first, format_args!(" brd {broadcast}"));
    }
    append(&mut first, format_args!(" scope {} ", scope(entry.scope)));
    let is_ipv4 = entry.prefix.address().is_ipv4();
    for (is_set, word) in [
        (detail.secondary && is_ipv4, "secondary "),
        (is_temporary(detail), "temporary "),
        (entry.state == AddressState::Duplicated, "dadfailed "),
        (entry.state == AddressState::Deprecated, "deprecated "),
        (is_tentative(detail), "tentative "),
        (is_dynamic(detail), "dynamic "),
        (is_public(detail), "mngtmpaddr "),
        (detail.no_prefix_route, "noprefixroute "),
    ] {
        first.push_str(if is_set { word } else { "" });
    }
    // The label of IPv4 addresses; IPv6 has none.
    if is_ipv4 {
        first.push_str(detail.label.as_deref().unwrap_or(interface));
    }
    let seconds = |seconds: Option<u32>| {
        seconds.map_or_else(|| String::from("forever"), |count| format!("{count}sec"))
    };
    let (valid, preferred) = (seconds(entry.valid_seconds), seconds(entry.preferred_seconds));
    [first, format!("       valid_lft {valid} preferred_lft {preferred}")]
}

/// True for a temporary address (RFC 8981).
pub fn is_temporary(detail: &AddressDetail) -> bool {
    detail.secondary && detail.entry.prefix.address().is_ipv6()
}

/// True for an address that temporary ones stand beside, or may.
pub fn is_public(detail: &AddressDetail) -> bool {
    detail.entry.origin == Origin::RouterAdvertisement && !detail.secondary
}

fn is_tentative(detail: &AddressDetail) -> bool {
    matches!(detail.entry.state, AddressState::Tentative | AddressState::Duplicated)
}

fn family(detail: &AddressDetail) -> &'static str {
    match detail.entry.prefix.address() {
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

/// True for an address from DHCP or from a router advertisement, and for one that ends.
pub fn is_dynamic(detail: &AddressDetail) -> bool {
    matches!(detail.entry.origin, Origin::Dhcp | Origin::RouterAdvertisement)
        || detail.entry.valid_seconds.is_some()
}

/// One address in `ip -j address`.
#[derive(Serialize)]
pub(super) struct AddressObject {
    family: &'static str,
    local: IpAddr,
    #[serde(skip_serializing_if = "Option::is_none")]
    address: Option<IpAddr>,
    prefixlen: u8,
    #[serde(skip_serializing_if = "Option::is_none")]
    broadcast: Option<Ipv4Addr>,
    scope: &'static str,
    #[serde(skip_serializing_if = "is_false")]
    secondary: bool,
    #[serde(skip_serializing_if = "is_false")]
    temporary: bool,
    #[serde(skip_serializing_if = "is_false")]
    dadfailed: bool,
    #[serde(skip_serializing_if = "is_false")]
    deprecated: bool,
    #[serde(skip_serializing_if = "is_false")]
    tentative: bool,
    #[serde(skip_serializing_if = "is_false")]
    dynamic: bool,
    #[serde(skip_serializing_if = "is_false")]
    mngtmpaddr: bool,
    #[serde(skip_serializing_if = "is_false")]
    noprefixroute: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    label: Option<String>,
    valid_life_time: u32,
    preferred_life_time: u32,
}

impl AddressObject {
    fn of(detail: &AddressDetail, interface: &str) -> Self {
        let entry = &detail.entry;
        let label = detail.label.as_deref().unwrap_or(interface);
        Self {
            family: family(detail),
            local: entry.prefix.address(),
            address: detail.peer.map(|peer| peer.address()),
            prefixlen: detail.peer.unwrap_or(entry.prefix).length(),
            broadcast: entry.broadcast,
            scope: scope(entry.scope),
            secondary: detail.secondary && entry.prefix.address().is_ipv4(),
            temporary: is_temporary(detail),
            dadfailed: entry.state == AddressState::Duplicated,
            deprecated: entry.state == AddressState::Deprecated,
            tentative: is_tentative(detail),
            dynamic: is_dynamic(detail),
            mngtmpaddr: is_public(detail),
            noprefixroute: detail.no_prefix_route,
            label: entry.prefix.address().is_ipv4().then(|| label.to_owned()),
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
    fn of((status, entries): &(Link, Vec<AddressDetail>)) -> Self {
        let brief = |detail: &AddressDetail| BriefAddress {
            local: detail.entry.prefix.address(),
            prefixlen: detail.peer.unwrap_or(detail.entry.prefix).length(),
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
    use devnet_network::command::address::AddressEntry;

    use super::*;
    use crate::render::samples;

    fn interfaces() -> Vec<(Link, Vec<AddressDetail>)> {
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
            (
                samples::loopback().into(),
                samples::loopback_addresses().into_iter().map(AddressDetail::from).collect(),
            ),
            (samples::ethernet().into(), vec![lent.into(), tentative.into()]),
        ]
    }

    #[test]
    fn addresses_look_as_in_iproute2() {
        assert_eq!(
            show(&interfaces(), Style::default(), false),
            "1: lo: <LOOPBACK,UP,LOWER_UP> mtu 65536 qdisc noqueue state UNKNOWN group default \
             qlen 256\n\
             \x20   link/loopback 00:00:00:00:00:00 brd 00:00:00:00:00:00\n\
             \x20   inet 127.0.0.1/8 scope host lo\n\
             \x20      valid_lft forever preferred_lft forever\n\
             \x20   inet6 ::1/128 scope host \n\
             \x20      valid_lft forever preferred_lft forever\n\
             2: eth0: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1500 qdisc noqueue state UP group \
             default qlen 256\n\
             \x20   link/ether 02:00:00:00:00:0a brd ff:ff:ff:ff:ff:ff\n\
             \x20   inet 192.0.2.20/24 brd 192.0.2.255 scope global dynamic eth0\n\
             \x20      valid_lft 3600sec preferred_lft 1800sec\n\
             \x20   inet6 fe80::1/64 scope link tentative \n\
             \x20      valid_lft forever preferred_lft forever\n"
        );
        assert!(!show(&interfaces(), Style::default(), true).contains("link/"));
    }

    /// As iproute2 6.1 prints them.
    #[test]
    fn what_few_addresses_have_is_shown_as_in_iproute2() {
        let base = |text| AddressDetail::from(samples::address(text, Scope::Global));
        let mut peer = AddressDetail {
            peer: "10.9.0.2/32".parse().ok(),
            no_prefix_route: true,
            ..base("10.9.0.1/32")
        };
        (peer.entry.valid_seconds, peer.entry.preferred_seconds) = (Some(600), Some(300));
        let second =
            AddressDetail { secondary: true, label: Some("eth0:1".into()), ..base("10.0.0.2/24") };
        let all = [(samples::ethernet().into(), vec![peer, second])];
        let text = show(&all, Style::default(), true);
        assert_eq!(
            text.split_once('\n').unwrap().1,
            "\x20   inet 10.9.0.1 peer 10.9.0.2/32 scope global dynamic noprefixroute eth0\n\
             \x20      valid_lft 600sec preferred_lft 300sec\n\
             \x20   inet 10.0.0.2/24 brd 10.0.0.255 scope global secondary eth0:1\n\
             \x20      valid_lft forever preferred_lft forever\n"
        );
        let json = show(&all, Style { json: true, ..Style::default() }, false);
        for part in [
            "\"local\":\"10.9.0.1\",\"address\":\"10.9.0.2\",\"prefixlen\":32,",
            "\"dynamic\":true,\"noprefixroute\":true,\"label\":\"eth0\",",
            "\"scope\":\"global\",\"secondary\":true,\"label\":\"eth0:1\",",
        ] {
            assert!(json.contains(part), "{part} in {json}");
        }
    }

    /// As iproute2 6.1 prints them.
    #[test]
    fn autoconfigured_addresses_are_shown_as_in_iproute2() {
        let base = |text| {
            let mut detail = AddressDetail::from(samples::address(text, Scope::Global));
            (detail.entry.valid_seconds, detail.entry.preferred_seconds) = (Some(900), Some(0));
            detail.entry.origin = Origin::RouterAdvertisement;
            detail
        };
        let mut temporary = AddressDetail { secondary: true, ..base("fd00:6::5/64") };
        temporary.entry.state = AddressState::Tentative;
        let mut public = base("fd00:6::1/64");
        public.entry.state = AddressState::Deprecated;
        let all = [(samples::ethernet().into(), vec![temporary, public])];
        let text = show(&all, Style::default(), true);
        assert_eq!(
            text.split_once('\n').unwrap().1,
            "\x20   inet6 fd00:6::5/64 scope global temporary tentative dynamic \n\
             \x20      valid_lft 900sec preferred_lft 0sec\n\
             \x20   inet6 fd00:6::1/64 scope global deprecated dynamic mngtmpaddr \n\
             \x20      valid_lft 900sec preferred_lft 0sec\n"
        );
        let json = show(&all, Style { json: true, ..Style::default() }, false);
        for part in [
            "\"temporary\":true,\"tentative\":true,\"dynamic\":true,\"valid_life_time\":900,",
            "\"deprecated\":true,\"dynamic\":true,\"mngtmpaddr\":true,\"valid_life_time\":900,",
        ] {
            assert!(json.contains(part), "{part} in {json}");
        }
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
                 \"operstate\":\"UNKNOWN\",\"group\":\"default\",\"txqlen\":256,\
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
