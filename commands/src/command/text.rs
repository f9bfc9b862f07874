//! Commands as lines of text: `address add 10.0.0.2/24` is [`AddAddress`](super::AddAddress).
//!
//! The nouns and verbs are those of the shell and of the status text. A line is parsed into a typed
//! [`Request`], so it means exactly the same as the typed command. Blanks separate words; empty
//! lines and lines that start with `#` are ignored.

mod line_of_dhcp;
mod line_of_firewall;
mod line_of_link;
mod line_of_names;
mod line_of_router;

use alloc::string::String;
use alloc::vec::Vec;
use core::net::IpAddr;

use devnet_virtual_file_system::Error;

use super::address::{AddressChange, Broadcast, NewAddress};
use super::capture::CaptureOptions;
use super::interface::Advertisement;
use super::line_error::{Fault, LineError};
use super::multicast::Membership;
use super::neighbor::NewNeighbor;
use super::route::{
    MultipathChange, NewRoute, NextHop, RouteChange, RouteFilter, RouteKind, RouteSelector,
};
use super::socket::{ConnectionName, Direction, SocketKind, SocketOption};
use super::system::SystemOption;
use super::table::Request;
use super::value::{list, octet, pairs, socket_address, switch, value};
use super::watch::{Kinds, WatchOptions};
use super::{grammar, wireless_text};
use crate::address::Prefix;
use crate::limits;

/// Parses one line; `None` for an empty one or a comment.
///
/// # Errors
/// `InvalidInput` for an invalid command; `MessageTooLong` beyond
/// [`LINE_BYTES`](limits::LINE_BYTES).
pub fn parse(line: &str) -> Result<Option<Request>, Error> {
    if line.len() > limits::LINE_BYTES {
        return Err(Error::MessageTooLong);
    }
    let words: Vec<&str> = line.split_ascii_whitespace().collect();
    match words.as_slice() {
        [] => Ok(None),
        [first, ..] if first.starts_with('#') => Ok(None),
        words => request(words).map(Some),
    }
}

/// As [`parse`], with the number of the line.
///
/// # Errors
/// What is wrong with the line.
pub fn parse_line(number: u32, line: &str) -> Result<Option<Request>, LineError> {
    parse(line).map_err(|error| LineError::of_syntax(number, line, error))
}

/// True when a line begins with a word of this grammar, whether or not it is a command.
#[must_use]
pub fn is_ours(line: &str) -> bool {
    let word = line.split_ascii_whitespace().next();
    grammar::forms().any(|form| form.line.split(' ').next() == word)
}

/// The lines of a text with their numbers, which begin at 1.
///
/// # Errors
/// `MessageTooLong` beyond 64 KiB, `InvalidInput` for bytes that are not UTF-8; located both.
pub fn lines(data: &[u8]) -> Result<impl Iterator<Item = (u32, &str)>, LineError> {
    let located = |end: usize, fault| {
        let before = data.iter().take(end).filter(|byte| **byte == b'\n').count();
        LineError { line: number(before), fault }
    };
    if data.len() > limits::TEXT_BYTES {
        return Err(located(limits::TEXT_BYTES, Fault::TextTooLong));
    }
    let text =
        core::str::from_utf8(data).map_err(|error| located(error.valid_up_to(), Fault::NotUtf8))?;
    Ok(text.lines().enumerate().map(|(index, line)| (number(index), line)))
}

/// The number of a line from the lines before it.
fn number(before: usize) -> u32 {
    u32::try_from(before).unwrap_or(u32::MAX).saturating_add(1)
}

fn request(words: &[&str]) -> Result<Request, Error> {
    match words {
        ["link", rest @ ..] => line_of_link::link(rest),
        ["mac", address] => Ok(Request::SetHardwareAddress(value(address)?)),
        ["mtu", bytes] => Ok(Request::SetMtu(value(bytes)?)),
        ["advertise", "off"] => Ok(Request::SetAdvertisement(None)),
        ["advertise", prefix, servers @ ..] => {
            let dns_servers =
                servers.iter().map(|server| value(server)).collect::<Result<_, _>>()?;
            Ok(Request::SetAdvertisement(Some(Advertisement {
                prefix: value(prefix)?,
                dns_servers,
            })))
        }
        ["metric", metric] => Ok(Request::SetMetric(value(metric)?)),
        ["address", rest @ ..] => address(rest),
        ["autoconf", rest @ ..] => line_of_link::autoconfiguration(rest),
        ["route", rest @ ..] => route(rest),
        ["dns", rest @ ..] => line_of_names::dns(rest),
        ["dhcp", rest @ ..] => line_of_dhcp::dhcp(rest),
        ["dhcp6", rest @ ..] => line_of_dhcp::dhcp6(rest),
        ["neighbor", rest @ ..] => neighbor(rest),
        ["group", "add", group] => Ok(Request::AddGroup(value(group)?)),
        ["group", "remove", group] => Ok(Request::RemoveGroup(value(group)?)),
        ["firewall", rest @ ..] => line_of_firewall::firewall(rest),
        ["system", "host-model", model] => {
            Ok(Request::SetSystemOption(SystemOption::HostModel(value(model)?)))
        }
        ["capture", rest @ ..] => capture(rest).map(Request::Capture),
        ["router", rest @ ..] => line_of_router::router(rest).map(Request::ChangeRouter),
        ["switch", rest @ ..] => wireless_text::switch_radio(rest),
        ["export"] => Ok(Request::ExportConfiguration(true)),
        ["watch", rest @ ..] => watch(rest),
        _ => socket(words),
    }
}

fn watch(words: &[&str]) -> Result<Request, Error> {
    let (records, kinds) = match words {
        [form @ ("numbered" | "records"), kinds @ ..] => (*form == "records", kinds),
        kinds => return Kinds::parse(kinds).map(Request::Watch),
    };
    let kinds = Kinds::parse(kinds)?;
    Ok(Request::WatchEvents(WatchOptions { kinds, numbered: true, records }))
}

fn address(words: &[&str]) -> Result<Request, Error> {
    match words {
        ["add", prefix] => {
            Ok(Request::AddAddress(NewAddress { prefix: value(prefix)?, broadcast: None }))
        }
        ["add", prefix, "broadcast", broadcast] => Ok(Request::AddAddress(NewAddress {
            prefix: value(prefix)?,
            broadcast: Some(value(broadcast)?),
        })),
        ["set", prefix, rest @ ..] => set_address(prefix, rest),
        ["remove", prefix] => Ok(Request::RemoveAddress(value(prefix)?)),
        ["flush"] => Ok(Request::FlushAddresses(())),
        ["replace", prefixes @ ..] if !prefixes.is_empty() => {
            let new = |prefix: &&str| Ok(NewAddress { prefix: value(prefix)?, broadcast: None });
            prefixes.iter().map(new).collect::<Result<_, _>>().map(Request::ReplaceAddresses)
        }
        _ => Err(Error::InvalidInput),
    }
}

/// `capture`, whose words are pairs up to the filter, which is the rest.
fn capture(words: &[&str]) -> Result<CaptureOptions, Error> {
    let mut options = CaptureOptions::default();
    let at = words.iter().position(|word| *word == "filter").unwrap_or(words.len());
    let (settings, filter) = words.split_at_checked(at).unwrap_or_default();
    for [key, word] in pairs(settings)? {
        match *key {
            "direction" => options.direction = value(word)?,
            "snap-length" => options.snap_length = value(word)?,
            "clock-offset" => options.clock_offset = value(word)?,
            _ => return Err(Error::InvalidInput),
        }
    }
    if let [_, filter @ ..] = filter {
        if filter.is_empty() {
            return Err(Error::InvalidInput);
        }
        options.filter = filter.join(" ");
    }
    Ok(options)
}

/// `address set`, whose words after the prefix are pairs.
fn set_address(prefix: &str, rest: &[&str]) -> Result<Request, Error> {
    let mut change = AddressChange { replace: true, ..AddressChange::new(value(prefix)?) };
    for [key, word] in pairs(rest)? {
        match *key {
            "broadcast" if *word == "none" => change.broadcast = Broadcast::None,
            "broadcast" => change.broadcast = Broadcast::Address(value(word)?),
            "peer" => change.peer = Some(value(word)?),
            "label" => change.label = Some((*word).into()),
            "valid" => change.valid_seconds = Some(value(word)?),
            "preferred" => change.preferred_seconds = Some(value(word)?),
            "prefix-route" => change.no_prefix_route = !switch(word)?,
            "detection" => change.no_detection = !switch(word)?,
            _ => return Err(Error::InvalidInput),
        }
    }
    Ok(Request::SetAddress(change))
}

/// `default` has the family of the gateway, IPv4 without one.
fn destination(word: &str, gateway: Option<IpAddr>) -> Result<Prefix, Error> {
    match (word, gateway) {
        ("default", Some(IpAddr::V6(_))) => Ok(Prefix::DEFAULT_IPV6),
        ("default", _) => Ok(Prefix::DEFAULT_IPV4),
        (word, _) => value(word),
    }
}

/// `route insert`, `prepend`, `replace` and `change`, and routes of the whole system.
fn set_route(verb: &str, target: &str, pairs: &[[&str; 2]]) -> Result<Request, Error> {
    let mut change = RouteChange::default();
    let mut hops: Vec<NextHop> = Vec::new();
    match verb.parse() {
        Ok(kind) if kind != RouteKind::Unicast => change.kind = kind,
        _ => change.mode = value(verb)?,
    }
    let is_system = change.kind != RouteKind::Unicast;
    for [key, word] in pairs {
        match *key {
            _ if is_system && !matches!(*key, "metric" | "protocol") => {
                return Err(Error::InvalidInput);
            }
            "via" => change.gateway = Some(value(word)?),
            "hops" => hops = list(word)?,
            "metric" => change.metric = value(word)?,
            "interface" => change.interface = Some((*word).into()),
            "source" => change.source = Some(value(word)?),
            "mtu" => change.mtu = Some(value(word)?),
            "onlink" => change.onlink = switch(word)?,
            "protocol" => change.protocol = octet(word)?,
            "expires" => change.expires_seconds = Some(value(word)?),
            _ => return Err(Error::InvalidInput),
        }
    }
    if change.gateway.is_some() && !hops.is_empty() {
        return Err(Error::InvalidInput);
    }
    let gateway = change.gateway.or(hops.first().map(|hop| hop.gateway));
    change.destination = destination(target, gateway)?;
    Ok(match hops.is_empty() {
        true => Request::SetRoute(change),
        false => Request::SetMultipathRoute(MultipathChange { route: change, hops }),
    })
}

/// `route flush`, whose words are pairs.
fn flush_routes(pairs: &[[&str; 2]]) -> Result<Request, Error> {
    let mut filter = RouteFilter { all: true, ..RouteFilter::default() };
    let mut target = None;
    for [key, word] in pairs {
        match *key {
            "to" => target = Some(*word),
            "via" => filter.gateway = Some(value(word)?),
            "metric" => filter.metric = Some(value(word)?),
            "interface" => filter.interface = Some((*word).into()),
            "source" => filter.source = Some(value(word)?),
            "protocol" => filter.protocol = Some(octet(word)?),
            _ => return Err(Error::InvalidInput),
        }
    }
    filter.destination = target.map(|word| destination(word, filter.gateway)).transpose()?;
    Ok(Request::RemoveRoutes(filter))
}

fn route(words: &[&str]) -> Result<Request, Error> {
    if let ["flush", rest @ ..] = words {
        return flush_routes(pairs(rest)?);
    }
    let [verb, target, rest @ ..] = words else { return Err(Error::InvalidInput) };
    let (mut gateway, mut metric, mut interface) = (None, None, None);
    let pairs = pairs(rest)?;
    let is_plain = |[key, _]: &[&str; 2]| matches!(*key, "via" | "metric" | "interface");
    match *verb {
        "add" | "remove" => {}
        "append" if pairs.iter().all(is_plain) => {}
        _ => return set_route(verb, target, pairs),
    }
    for [key, word] in pairs {
        match *key {
            "via" => gateway = Some(value(word)?),
            "metric" => metric = Some(value(word)?),
            "interface" => interface = Some((*word).into()),
            _ => return Err(Error::InvalidInput),
        }
    }
    let destination = destination(target, gateway)?;
    match *verb {
        "add" | "append" => Ok(Request::AddRoute(NewRoute {
            destination,
            gateway,
            metric: metric.unwrap_or(0),
            interface,
            append: *verb == "append",
        })),
        "remove" => {
            Ok(Request::RemoveRoute(RouteSelector { destination, gateway, metric, interface }))
        }
        _ => Err(Error::InvalidInput),
    }
}

fn neighbor(words: &[&str]) -> Result<Request, Error> {
    match words {
        ["add", address, hardware] => Ok(Request::AddNeighbor(NewNeighbor {
            address: value(address)?,
            hardware_address: value(hardware)?,
        })),
        ["remove", address] => Ok(Request::RemoveNeighbor(value(address)?)),
        ["proxy", "add", address] => Ok(Request::AddProxy(value(address)?)),
        ["proxy", "remove", address] => Ok(Request::RemoveProxy(value(address)?)),
        ["flush"] => Ok(Request::FlushNeighbors(())),
        _ => Err(Error::InvalidInput),
    }
}

fn socket(words: &[&str]) -> Result<Request, Error> {
    match words {
        ["socket", "tcp"] => Ok(Request::CreateSocket(SocketKind::Tcp)),
        ["socket", "udp"] => Ok(Request::CreateSocket(SocketKind::Udp)),
        ["socket", "icmp"] => Ok(Request::CreateSocket(SocketKind::Icmp)),
        ["socket", "raw", protocol] => Ok(Request::CreateSocket(SocketKind::Raw(value(protocol)?))),
        ["socket", "raw6", protocol] => {
            Ok(Request::CreateSocket(SocketKind::Raw6(value(protocol)?)))
        }
        ["join", group] => membership(group, "").map(Request::JoinGroup),
        ["join", group, interface] => membership(group, interface).map(Request::JoinGroup),
        ["leave", group] => membership(group, "").map(Request::LeaveGroup),
        ["leave", group, interface] => membership(group, interface).map(Request::LeaveGroup),
        ["bind", local] => Ok(Request::Bind(socket_address(local)?)),
        ["disconnect", local, remote] => {
            let (local, remote) = (socket_address(local)?, socket_address(remote)?);
            Ok(Request::EndConnection(ConnectionName { local, remote }))
        }
        ["connect", remote] => Ok(Request::Connect(socket_address(remote)?)),
        ["listen"] => Ok(Request::Listen(DEFAULT_BACKLOG)),
        ["listen", backlog] => Ok(Request::Listen(value(backlog)?)),
        ["accept", token] => Ok(Request::Accept(value(token)?)),
        ["shutdown", "read"] => Ok(Request::Shutdown(Direction::Read)),
        ["shutdown", "write"] => Ok(Request::Shutdown(Direction::Write)),
        ["shutdown", "both"] => Ok(Request::Shutdown(Direction::Both)),
        ["option", name, word] => option(name, word).map(Request::SetOption),
        _ => Err(Error::InvalidInput),
    }
}

/// The backlog when `listen` gives none.
const DEFAULT_BACKLOG: u32 = 128;

fn membership(group: &str, interface: &str) -> Result<Membership, Error> {
    Ok(Membership { group: value(group)?, interface: interface.into() })
}

/// The name of an interface; `any` for none.
fn interface_name(word: &str) -> String {
    if word == "any" { String::new() } else { word.into() }
}

fn option(name: &str, word: &str) -> Result<SocketOption, Error> {
    Ok(match name {
        "no-delay" => SocketOption::NoDelay(switch(word)?),
        "broadcast" => SocketOption::Broadcast(switch(word)?),
        "receive-buffer" => SocketOption::ReceiveBuffer(value(word)?),
        "send-buffer" => SocketOption::SendBuffer(value(word)?),
        "hop-limit" => SocketOption::HopLimit(value(word)?),
        "keep-alive" => SocketOption::KeepAlive(value(word)?),
        "keep-alive-interval" => SocketOption::KeepAliveInterval(value(word)?),
        "keep-alive-count" => SocketOption::KeepAliveCount(value(word)?),
        "user-timeout" => SocketOption::UserTimeout(value(word)?),
        "linger" if word == "off" => SocketOption::Linger(None),
        "linger" => SocketOption::Linger(Some(value(word)?)),
        "reuse-address" => SocketOption::ReuseAddress(switch(word)?),
        "reuse-port" => SocketOption::ReusePort(switch(word)?),
        "traffic-class" => SocketOption::TrafficClass(octet(word)?),
        "dont-fragment" => SocketOption::DontFragment(switch(word)?),
        "multicast-interface" => SocketOption::MulticastInterface(interface_name(word)),
        "multicast-hop-limit" => SocketOption::MulticastHopLimit(value(word)?),
        "multicast-loop" => SocketOption::MulticastLoop(switch(word)?),
        "receive-errors" => SocketOption::ReceiveErrors(switch(word)?),
        "header-included" => SocketOption::HeaderIncluded(switch(word)?),
        "only-ipv6" => SocketOption::OnlyIpv6(switch(word)?),
        "bind-to-device" => SocketOption::BindToDevice(interface_name(word)),
        "congestion" => SocketOption::CongestionControl(value(word)?),
        "explicit-congestion" => SocketOption::ExplicitCongestion(switch(word)?),
        "timestamps" => SocketOption::Timestamps(switch(word)?),
        "maximum-segment" => SocketOption::MaximumSegment(value(word)?),
        "cork" => SocketOption::Cork(switch(word)?),
        "not-sent-low-water" => SocketOption::NotSentLowWater(value(word)?),
        "path-mtu-discovery" => SocketOption::PathMtuDiscovery(value(word)?),
        "black-hole-detection" => SocketOption::BlackHoleDetection(switch(word)?),
        _ => return Err(Error::ProtocolOptionNotAvailable),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_the_typed_commands() {
        let parsed = |line: &str| parse(line).unwrap().unwrap();
        assert_eq!(parsed("  link   up "), Request::SetEnabled(true));
        assert_eq!(
            parsed("address add 10.0.0.2/24"),
            Request::AddAddress(NewAddress {
                prefix: "10.0.0.2/24".parse().unwrap(),
                broadcast: None
            })
        );
        assert_eq!(
            parsed("route add default via fe80::1 metric 5"),
            Request::AddRoute(NewRoute {
                destination: Prefix::DEFAULT_IPV6,
                gateway: Some("fe80::1".parse().unwrap()),
                metric: 5,
                interface: None,
                append: false
            })
        );
        assert_eq!(
            parsed("connect [fd00::1]:80"),
            Request::Connect("[fd00::1]:80".parse().unwrap())
        );
        assert_eq!(parsed("bind *:7"), Request::Bind("[::]:7".parse().unwrap()));
        assert_eq!(parsed("watch"), Request::Watch(Kinds::USUAL));
        let numbered = WatchOptions { numbered: true, ..WatchOptions::lines(Kinds::SOCKET) };
        assert_eq!(parsed("watch numbered sockets"), Request::WatchEvents(numbered));
        let records = WatchOptions::records(Kinds::USUAL);
        assert_eq!(parsed("watch records"), Request::WatchEvents(records));
        assert_eq!(parsed("watch link streams"), Request::Watch(Kinds::LINK | Kinds::STREAM));
        assert_eq!(parse("").unwrap(), None);
        assert_eq!(parse("# address add").unwrap(), None);
    }

    #[test]
    fn a_line_is_ours_by_its_first_word() {
        for word in ["link", "address", "option", "watch"] {
            assert!(is_ours(&alloc::format!(" {word}\tnonsense")), "{word}");
        }
        for line in ["", "#", "links up", "LINK up", "tune to 98"] {
            assert!(!is_ours(line), "{line}");
        }
    }

    #[test]
    fn hostile_lines_are_refused() {
        let long = String::from("address add ") + &"1".repeat(limits::LINE_BYTES);
        assert_eq!(parse(&long), Err(Error::MessageTooLong));
        for line in [
            "address",
            "address add",
            "address add 300.1.1.1/8",
            "address add 10.0.0.1/99",
            "address replace",
            "address replace 10.0.0.1/24 nowhere",
            "link sideways",
            "mtu -1",
            "mtu 99999999999999999999",
            "route add",
            "route add default via",
            "route add default via 1.2.3.4 via 1.2.3.4",
            "\0\0\0",
            "linkup",
            "LINK up",
            "connect 1.2.3.4:99999",
            "connect nowhere:80",
            "accept -5",
            "mac 00:11:22",
            "neighbor add 1.2.3.4",
            "option no-delay maybe",
            "option traffic-class 0x100",
            "option traffic-class 0x",
            "option linger -1",
            "option linger",
            "option hop-limit 256",
            "option keep-alive-count 256",
            "option nonsense on",
            "join",
            "join nowhere",
            "leave 239.1.2.3 eth0 eth1",
            "socket raw",
            "socket raw 256",
            "socket",
            "watch everything",
        ] {
            assert!(parse(line).is_err(), "{line:?}");
        }
    }
}
