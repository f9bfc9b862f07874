//! The whole configuration as text: exported, applied, checked, and kept for what comes later.

use std::time::Duration;

use devnet_network::address::HardwareAddress;
use devnet_network::command::address::{AddressState, Origin};
use devnet_network::command::configuration::{ConfigurationOutcome, ConfigurationText, NoteKind};
use devnet_network::command::{
    ApplyConfiguration, CheckConfiguration, ExportConfiguration, GetInterface, GetLastError,
    ListAddressDetails, ListAddresses, ListDnsServers, ListHosts, ListInterfaces, ListNeighbors,
    ListRouteDetails, ListRoutes, SetHardwareAddress,
};
use devnet_network::driver::{Capabilities, Driver, DriverError, Frame, FramePool, LinkState};
use devnet_network::limits;
use devnet_virtual_file_system::{ControlCommand, Error, File, OpenFlags};
use world::{Host, World};

use crate::pair::{hosts, options};

/// Registers an interface with a carrier, and the hardware address that ends in this number.
fn register(host: &Host, name: &str, number: u8) {
    let mut options = options();
    options.hardware.0.0 = [2, 0, 0, 0, 10, number];
    let (end, peer) = devnet_drivers::cable(options);
    // A cable whose other end is gone has no carrier.
    std::mem::forget(peer);
    host.manager.register(name, Box::new(end), None).unwrap();
}

/// A host whose interfaces `eth0` and `eth1` are down and have nothing.
fn bare(world: &World) -> Host {
    let host = Host::new(world);
    register(&host, "eth0", 0);
    register(&host, "eth1", 1);
    host
}

fn export(file: &File) -> String {
    file.try_control::<ExportConfiguration>(&false).unwrap()
}

/// The pieces of a text as requests.
fn pieces(text: &str) -> Vec<ConfigurationText> {
    let bytes = text.as_bytes();
    let mut all: Vec<_> = bytes
        .chunks(15_000)
        .map(|piece| ConfigurationText {
            text: String::from_utf8(piece.to_vec()).unwrap(),
            has_more: true,
        })
        .collect();
    match all.last_mut() {
        Some(last) => last.has_more = false,
        None => all.push(ConfigurationText::default()),
    }
    all
}

/// Sends a text; the outcome of its last piece.
fn sent<C>(file: &File, text: &str) -> Result<ConfigurationOutcome, Error>
where
    C: ControlCommand<Request = ConfigurationText, Response = ConfigurationOutcome>,
{
    let mut outcome = Err(Error::InvalidInput);
    for piece in pieces(text) {
        outcome = file.try_control::<C>(&piece);
    }
    outcome
}

fn apply(file: &File, text: &str) -> Result<ConfigurationOutcome, Error> {
    sent::<ApplyConfiguration>(file, text)
}

fn check(file: &File, text: &str) -> Result<ConfigurationOutcome, Error> {
    sent::<CheckConfiguration>(file, text)
}

fn why(file: &File) -> String {
    file.try_control::<GetLastError>(&()).unwrap().map(|last| last.message).unwrap_or_default()
}

/// Numbers by a seed.
struct Chance(u64);

impl Chance {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 32
    }

    fn below(&mut self, most: u64) -> u64 {
        self.next() % most
    }

    fn one<'a>(&mut self, all: &[&'a str]) -> &'a str {
        all[self.below(all.len() as u64) as usize]
    }

    /// The words, or none of them.
    fn perhaps(&mut self, words: &str) -> String {
        if self.below(3) == 0 { words.into() } else { String::new() }
    }
}

/// A line of any group of an interface; what does not fit is refused, as any wrong line.
fn line(chance: &mut Chance, name: &str) -> String {
    let (net, host) = (chance.below(4), chance.below(20) + 1);
    let number = chance.below(200) + 1;
    match chance.below(39) {
        0 => "link up".into(),
        1 => format!("link {}", chance.one(&["up", "down"])),
        18 => format!("link {}", chance.one(&["promiscuous on", "all-multicast on", "arp off"])),
        19 => {
            let more = [format!("description to room {net}"), format!("queue {number}")];
            let times = ["reachable 60000", "retransmit 500", "probes 5"];
            let all = more.iter().map(String::as_str).chain(times).collect::<Vec<_>>();
            format!("link {}", chance.one(&all))
        }
        22 => format!(
            "autoconf {}",
            chance.one(&[
                "identifiers stable",
                "secret 000102030405060708090a0b0c0d0e0f",
                "privacy on",
                "privacy preferred",
                "advertisements off",
                "addresses off",
                "probes 0",
                "valid 7200",
                "preferred 3600",
            ])
        ),
        2 => format!("mac 02:00:00:00:09:{host:02x}"),
        3 => format!("mtu {}", 1280 + number),
        4 => format!("metric {number}"),
        23 => format!(
            "router {}",
            chance.one(&[
                "set preference low lifetime 0 interval 30",
                "set managed on other on mtu 1280 reachable 1000 retransmit 100",
                "set",
                "prefix fd00:3::1/64 valid 600 preferred 300",
                "prefix fd00:5::/56 autonomous off on-link off",
                "route fd00:4::/48 preference high",
                "dns fd00::55",
                "domain Lan.",
                "nat64 64:ff9b::/96 lifetime 77",
                "remove domain lan",
                "off",
            ])
        ),
        5 => format!("advertise fd00:{net}::/64{}", chance.perhaps(" fd00::53 fd00::54")),
        6 => format!("address add 10.0.{net}.{host}/24{}", chance.perhaps(" broadcast 10.0.9.9")),
        7 => {
            let mut text = format!("address set 10.1.{net}.{host}/24");
            for words in [
                " broadcast none",
                &format!(" label {name}:{net}"),
                " valid 600 preferred 300",
                " prefix-route off",
            ] {
                text += &chance.perhaps(words);
            }
            text
        }
        8 => format!("address set 10.2.{net}.{host} peer 10.3.{net}.{host}/{}", 24 + net),
        9 => format!(
            "address set fd00:{net}::{host}/64{}{}",
            chance.perhaps(" detection off"),
            chance.perhaps(" valid 900 preferred 0"),
        ),
        10 => format!("neighbor add 10.0.{net}.{} 02:00:00:00:01:{host:02x}", 100 + host),
        11 => format!("dns add {}{host}", chance.one(&["10.0.0.", "fd00::"])),
        12 => format!("dns search {} d{host}.Example.", chance.one(&["lan", "a.b", "x.test"])),
        24 => format!(
            "dhcp fallback {}",
            chance.one(&["link-local", "10.0.9.9/24", "10.0.9.9/24 via 10.0.9.1", "off"])
        ),
        29 => format!(
            "dhcp6 client {}{}{}{}{}{}",
            chance.one(&["off", "auto", "stateful", "stateless"]),
            chance.perhaps(" prefixes on"),
            chance.perhaps(&format!(" hint fd00:{net}::/5{net}")),
            chance.perhaps(" duid 00030001020000000009"),
            chance.perhaps(&format!(" iaid {number}")),
            chance.perhaps(" rapid-commit on"),
        ),
        30 => format!(
            "dhcp6 server on{}{}{}",
            chance.perhaps(" dns fd00::53,fd00::54"),
            chance.perhaps(" domains lan,a.b"),
            chance.perhaps(&format!(" refresh {}", 500 + number)),
        ),
        31 => format!(
            "dhcp6 downstream {}{}{}",
            chance.one(&["eth0", "eth1", "eth9", "off"]),
            chance.perhaps(&format!(" subnet {number}")),
            chance.perhaps(" advertise off"),
        ),
        13 if host > 10 => format!(
            "dhcp start{}{}",
            chance.perhaps(" hostname box"),
            chance.perhaps(" requested 10.0.0.77")
        ),
        13 => format!(
            "dhcp client{}{}{}{}{}",
            chance.perhaps(" address 10.0.0.78 vendor-class box"),
            chance.perhaps(" identifier id:0102"),
            chance.perhaps(" request 42,66"),
            chance.perhaps(" send 77:6465,124:00"),
            chance.perhaps(" ipv6-only on"),
        ),
        16 => {
            let mut text =
                format!("dhcp server start 10.0.{net}.100-10.0.{net}.{}", 100 + number / 4);
            for words in [
                " lease 600",
                " router 10.0.9.1",
                " dns 10.0.9.2,10.0.9.3",
                " domain lan",
                " options 77:6465",
                " authoritative on",
                " check off",
                " single-client on",
            ] {
                text += &chance.perhaps(words);
            }
            text
        }
        17 => format!(
            "dhcp server reserve 10.0.{net}.{} {}",
            100 + host,
            chance.one(&["02:00:00:00:00:09", "id:010203"])
        ),
        14 | 20 | 21 | 32 | 33 => format!(
            "route {} {} via 10.0.{net}.254{}",
            chance.one(&["add", "append", "insert", "prepend"]),
            chance.one(&["default", "192.0.2.0/24", "198.51.100.7/32"]),
            chance.perhaps(&format!(" metric {number}")),
        ),
        26 => format!("neighbor proxy add {}{host}", chance.one(&["10.0.0.", "fd00::", "fe80::"])),
        35 => {
            format!("dns {}", chance.one(&["multicast on", "multicast resolve", "multicast off"]))
        }
        36 => match chance.below(3) {
            0 => format!("dns hostname host{host}"),
            _ => format!(
                "dns publish Page\\032{net} {} {}{}",
                chance.one(&["_http._tcp", "_ipp._tcp", "_sleep-proxy._udp"]),
                80 + host,
                chance.perhaps(" path=/ \\255\\000"),
            ),
        },
        34 => format!("group add {}{host}", chance.one(&["239.1.0.", "ff02::", "10.0.0."])),
        25 | 27 | 28 => {
            let hops = [
                format!("10.0.{net}.254*2,10.0.{net}.253"),
                format!("10.0.{net}.254,10.1.{net}.253*256,10.0.0.{host}"),
                format!("10.0.{net}.250*9"),
            ];
            format!(
                "route {} {} hops {}{}{}",
                chance.one(&["insert", "append", "replace"]),
                chance.one(&["default", "192.0.2.0/24", "203.0.113.0/24"]),
                chance.one(&hops.iter().map(String::as_str).collect::<Vec<_>>()),
                chance.perhaps(&format!(" metric {number}")),
                chance.perhaps(" mtu 1300"),
            )
        }
        37 => format!(
            "firewall add {} {}{}{}{}{}",
            chance.one(&["in", "out"]),
            chance.one(&["accept", "drop", "reject", "prohibit", "continue"]),
            chance.perhaps(" state established,related"),
            chance.perhaps(&format!(" rate {number}/minute burst {host}")),
            chance.perhaps(" log on"),
            chance.perhaps(&format!(" filter tcp and not dst port {number} or udp")),
        ),
        38 => format!(
            "firewall {}",
            chance.one(&[
                "policy in drop",
                "policy out prohibit",
                "policy in accept",
                "profile default-deny",
                "profile off",
                "flush out",
                "insert in drop filter icmp",
                "replace 1 accept",
                "remove 2",
            ])
        ),
        15 => format!(
            "route insert 203.0.{host}.0/24 via 10.1.{net}.254{}{}{}{}",
            chance.perhaps(" mtu 1300"),
            chance.perhaps(" onlink on"),
            chance.perhaps(" protocol 4"),
            chance.perhaps(" expires 5000"),
        ),
        _ => format!(
            "route {} fd09:{net}::/32 via {}",
            chance.one(&["add", "append"]),
            chance.one(&["fe80::1", "fe80::2", &format!("fd00:{net}::fe")]),
        ),
    }
}

fn system_line(chance: &mut Chance) -> String {
    let number = chance.below(15);
    match chance.below(11) {
        0 => format!("system host-model {}", chance.one(&["weak", "strong"])),
        1 => format!("dns option ndots {number}"),
        2 => format!("dns option timeout {number}000"),
        3 => format!("dns option stale {number}"),
        4 => format!("dns option cache {number}"),
        5 => format!("dns option mixed-case {}", chance.one(&["on", "off"])),
        6 => format!("dns add {}{number}", chance.one(&["9.9.9.", "fd00::9:"])),
        7 => format!("dns host add 10.9.0.{number} n{}.lan", chance.below(9)),
        8 => format!("dns tls add 9.9.9.{number} dns.lan{}", chance.perhaps(" port 8853")),
        9 => format!("dns tls required {}", chance.one(&["on", "off"])),
        _ => format!(
            "route {} 172.16.{number}.0/24{}",
            chance.one(&["blackhole", "unreachable", "prohibit", "throw"]),
            chance.perhaps(" metric 7"),
        ),
    }
}

#[test]
fn what_is_exported_makes_a_fresh_system_the_same() {
    let mut shown = std::collections::BTreeSet::new();
    let mut several = 0;
    for seed in 1..=1000 {
        let mut chance = Chance(0x9e37_79b9_7f4a_7c15_u64.wrapping_mul(seed));
        let world = World::new(seed);
        let (first, second) = (bare(&world), bare(&world));
        for name in ["eth0", "eth1"] {
            for begin in ["link up", "address add 10.0.1.1/24", "address add 10.1.2.1/24"] {
                if chance.below(4) > 0 {
                    first.write(&first.open(name), begin).unwrap();
                }
            }
        }
        for _ in 0..chance.below(60) {
            // A line that does not fit what is there is refused.
            if chance.below(3) == 0 {
                let _ = first.write(&first.open("sockets"), &system_line(&mut chance));
            } else {
                let name = chance.one(&["eth0", "eth1"]);
                let _ = first.write(&first.open(name), &line(&mut chance, name));
            }
        }
        let text = export(&first.open("sockets"));
        let target = second.open("sockets");
        let outcome = apply(&target, &text);
        assert!(outcome.is_ok(), "seed {seed}: {}\n{text}", why(&target));
        assert_eq!(export(&target), text, "seed {seed}");
        // What is so already is not touched, on either system.
        for host in [&first, &second] {
            let outcome = apply(&host.open("sockets"), &text).unwrap();
            assert_eq!(outcome.changes, [], "seed {seed}\n{text}");
        }
        several += text.matches(" hops ").count();
        shown.extend(text.lines().map(|line| {
            let words = line.split(' ').take(2).collect::<Vec<_>>().join(" ");
            words.replace("dhcp6", "dhcp-six").replace(char::is_numeric, "")
        }));
    }
    assert!(several > 60, "{several} routes with several next hops");
    // Every group was there.
    for words in [
        "system host-model",
        "dns option",
        "dns add",
        "dns search",
        "dns host",
        "dns tls",
        "route blackhole",
        "link up",
        "link down",
        "link promiscuous",
        "link all-multicast",
        "link arp",
        "link description",
        "link queue",
        "link reachable",
        "link retransmit",
        "link probes",
        "autoconf identifiers",
        "autoconf privacy",
        "autoconf advertisements",
        "autoconf addresses",
        "autoconf probes",
        "autoconf valid",
        "autoconf preferred",
        "router set",
        "router prefix",
        "router route",
        "router dns",
        "router domain",
        "router nat",
        "address add",
        "address set",
        "neighbor add",
        "neighbor proxy",
        "group add",
        "dns multicast",
        "dns hostname",
        "dns publish",
        "dhcp start",
        "dhcp fallback",
        "dhcp client",
        "dhcp server",
        "dhcp-six client",
        "dhcp-six server",
        "dhcp-six downstream",
        "firewall add",
        "firewall policy",
        "route add",
        "route append",
        "route insert",
        "metric ",
        "mtu ",
        "interface eth",
    ] {
        assert!(shown.contains(words), "{words}: {shown:?}");
    }
    assert!(shown.iter().any(|words| words.starts_with("mac ")));
    assert!(shown.iter().any(|words| words.starts_with("advertise ")));
}

/// A server that was learned may be asked for: it stays when who told it has nothing more to say.
#[test]
fn a_learned_name_server_may_be_asked_for() {
    let world = World::new(1);
    let (left, right) = hosts(&world);
    right
        .write(&right.open("eth0"), "dhcp server start 10.0.0.100-10.0.0.110 dns 10.0.0.2")
        .unwrap();
    left.write(&left.open("eth0"), "dhcp start").unwrap();
    world.run(world.sleep(Duration::from_secs(10)));
    let device = left.open("sockets");
    let servers = || {
        let servers = left.control::<ListDnsServers>("eth0", &()).unwrap();
        servers.into_iter().map(|one| (one.address.to_string(), one.origin)).collect::<Vec<_>>()
    };
    assert_eq!(servers(), [("10.0.0.2".into(), Origin::Dhcp)]);
    let asked = "interface eth0\nlink up\naddress add 10.0.0.1/24\ndns add 10.0.0.2\n";
    for text in [format!("{asked}dhcp start\n"), asked.to_owned()] {
        let outcome = apply(&device, &text);
        assert!(outcome.is_ok(), "{}", why(&device));
        assert_eq!(servers(), [("10.0.0.2".into(), Origin::Static)], "{text}");
        assert_eq!(apply(&device, &text).unwrap().changes, [], "{text}");
    }
}

/// Everything that a configuration could have changed.
fn everything(host: &Host) -> String {
    let interfaces = host.control::<ListInterfaces>("sockets", &()).unwrap();
    let settled: Vec<_> = interfaces
        .iter()
        .map(|one| (&one.name, one.enabled, one.hardware_address, one.mtu, one.metric))
        .collect();
    format!(
        "{}{settled:?}{:?}{:?}{:?}{:?}{:?}",
        export(&host.open("sockets")),
        host.control::<ListAddressDetails>("sockets", &()).unwrap(),
        host.control::<ListRouteDetails>("sockets", &()).unwrap(),
        host.control::<ListDnsServers>("sockets", &()).unwrap(),
        host.control::<ListHosts>("sockets", &()).unwrap(),
        host.control::<ListNeighbors>("sockets", &()).unwrap(),
    )
}

/// A text that says something of every group.
const WHOLE: &str = "\
system
system host-model weak
dns option ndots 2
dns add 9.9.9.9
dns search lan
dns host add 10.0.0.9 printer.lan
route blackhole 203.0.113.0/24

interface eth0
mac 02:00:00:00:00:77
mtu 1400
metric 5
link up
address add 10.0.0.1/24
address set fd00::1/64 detection off
neighbor add 10.0.0.9 02:00:00:00:00:09
advertise fd00::/64 fd00::53
dns add 10.0.0.3
dns search corp.example
dhcp start hostname printer
route add default via 10.0.0.254
route append default via 10.0.0.253

interface eth1
link up
address add 10.0.1.1/24
";

#[test]
fn a_line_that_cannot_be_leaves_everything_as_it_was_and_is_named() {
    let world = World::new(1);
    let host = bare(&world);
    let file = host.open("sockets");
    apply(&file, WHOLE).unwrap();
    let before = everything(&host);
    let long = format!("interface eth0\n{}", "#".repeat(limits::LINE_BYTES + 1));
    for (text, error, expected) in [
        ("", Error::InvalidInput, "line 1: the text has no lines; `link down` is the least"),
        (
            "# nothing\n\n",
            Error::InvalidInput,
            "line 2: the text has no lines; `link down` is the least",
        ),
        (
            "link up\n",
            Error::InvalidInput,
            "line 1: link up: no section begins before it: system, or interface INTERFACE, or \
             match [name PATTERN] [order NUMBER] [mac MAC] [kind KIND]",
        ),
        (
            "interface eth0\naddress add 1.2.3\n",
            Error::InvalidInput,
            "line 2: \"1.2.3\" is no prefix; address add PREFIX [broadcast IPV4]",
        ),
        ("interface eth0\nmtu 9\n", Error::InvalidInput, "line 2: mtu 9: Invalid argument"),
        (
            "interface eth0\nmtu 1400\nmtu 1300\n",
            Error::InvalidInput,
            "line 3: mtu 1300: line 2 says it already",
        ),
        (
            "interface eth0\naddress remove 10.0.0.1/24\n",
            Error::InvalidInput,
            "line 2: address remove 10.0.0.1/24: no line of the section of an interface",
        ),
        (
            "system\nlink up\n",
            Error::InvalidInput,
            "line 2: link up: no line of the section of the system",
        ),
        (
            "interface eth0\nlink up\ninterface eth0\n",
            Error::InvalidInput,
            "line 3: interface eth0: line 1 begins this section already",
        ),
        (
            "interface any\nlink up\n",
            Error::InvalidInput,
            "line 1: interface any: any is no name of an interface",
        ),
        (
            "interface a/b\nlink up\n",
            Error::InvalidInput,
            "line 1: interface a/b: no such section; interface INTERFACE",
        ),
        (
            "match colour red\nlink up\n",
            Error::InvalidInput,
            "line 1: match colour red: no such section; match [name PATTERN] [order NUMBER] \
             [mac MAC] [kind KIND]",
        ),
        (
            "interface eth0\nroute replace default via 10.0.0.1\n",
            Error::InvalidInput,
            "line 2: route replace default via 10.0.0.1: routes stand in order here: insert, then \
             append",
        ),
        (
            "interface eth0\nroute blackhole 10.9.0.0/24\n",
            Error::InvalidInput,
            "line 2: route blackhole 10.9.0.0/24: a route of the section of the system",
        ),
        (
            "interface eth0\nroute add default via 10.9.9.9\n",
            Error::NetworkUnreachable,
            "line 2: route add default via 10.9.9.9: Network is unreachable",
        ),
        (
            "interface eth0\naddress add 10.0.5.1/24\naddress add 10.0.5.1/24\n",
            Error::AlreadyExists,
            "line 3: address add 10.0.5.1/24: File exists",
        ),
        (
            "interface eth0\naddress add 224.0.0.1/24\n",
            Error::InvalidInput,
            "line 2: address add 224.0.0.1/24: Invalid argument",
        ),
        (
            "interface eth0\nmac 01:00:00:00:00:01\n",
            Error::AddressNotAvailable,
            "line 2: mac 01:00:00:00:00:01: Cannot assign requested address",
        ),
        (
            "interface eth0\naddress add 10.7.0.1/24\n\
             dhcp server start 10.8.0.5-10.8.0.9\n",
            Error::AddressNotAvailable,
            "line 3: dhcp server start 10.8.0.5-10.8.0.9: Cannot assign requested address",
        ),
        (
            "interface eth0\naddress add 10.7.0.1/24\n\
             dhcp server start 10.7.0.5-10.7.0.9\n\
             dhcp server reserve 10.8.0.5 02:00:00:00:00:09\n",
            Error::InvalidInput,
            "line 4: dhcp server reserve 10.8.0.5 02:00:00:00:00:09: Invalid argument",
        ),
        (
            "interface eth0\naddress add 10.7.0.1/24\n\
             dhcp server start 10.7.0.5-10.7.0.9\n\
             dhcp server reserve 10.7.0.5 02:00:00:00:00:09\n\
             dhcp server reserve 10.7.0.6 02:00:00:00:00:09\n",
            Error::AlreadyExists,
            "line 5: dhcp server reserve 10.7.0.6 02:00:00:00:00:09: File exists",
        ),
        (
            "interface eth0\ndhcp server reserve 10.7.0.5 02:00:00:00:00:09\n",
            Error::NotConnected,
            "line 2: dhcp server reserve 10.7.0.5 02:00:00:00:00:09: Transport endpoint is not \
             connected",
        ),
        (
            "interface lo\ndhcp start\n",
            Error::Unsupported,
            "line 2: dhcp start: Operation not supported",
        ),
        (
            "interface eth1\nlink up\naddress add 10.7.0.1/24\n\ninterface eth0\ndns add 0.0.0.0\n",
            Error::InvalidInput,
            "line 6: dns add 0.0.0.0: Invalid argument",
        ),
        (
            "interface eth1\nlink down\nsystem\ndns option ndots 16\n",
            Error::InvalidInput,
            "line 4: dns option ndots 16: Invalid argument",
        ),
        (&long, Error::MessageTooLong, "line 2: longer than 4096 bytes"),
    ] {
        assert_eq!(check(&file, text), Err(error), "{text}");
        assert_eq!(why(&file), expected);
        assert_eq!(apply(&file, text), Err(error), "{text}");
        assert_eq!(why(&file), expected);
        assert_eq!(everything(&host), before, "{text}");
    }
    // A text that succeeds has no error.
    assert_eq!(apply(&file, WHOLE).unwrap().changes, []);
    assert_eq!(why(&file), "");
}

#[test]
fn a_text_and_its_sections_are_bounded() {
    let world = World::new(1);
    let host = bare(&world);
    let file = host.open("sockets");
    let before = everything(&host);
    let long = "# a line of nothing but words\n".repeat(40_000);
    let too_long =
        pieces(&long).iter().find_map(|piece| file.try_control::<ApplyConfiguration>(piece).err());
    assert_eq!(too_long, Some(Error::MessageTooLong));
    assert!(why(&file).contains("the text is longer than 1048576 bytes"), "{}", why(&file));
    let many: String = (0..=256).map(|number| format!("interface e{number}\n")).collect();
    assert_eq!(check(&file, &many), Err(Error::NoBufferSpace));
    let full: String = (0..65).map(|number| format!("address add 10.0.{number}.1/24\n")).collect();
    assert_eq!(check(&file, &format!("interface eth0\n{full}")), Err(Error::NoBufferSpace));
    let routes: String = (0..1025)
        .map(|number| format!("route add 10.{}.{}.0/24\n", number / 256, number % 256))
        .collect();
    assert_eq!(check(&file, &format!("interface eth0\n{routes}")), Err(Error::NoBufferSpace));
    assert_eq!(everything(&host), before);
    // The pieces of a text that failed are forgotten.
    apply(&file, "interface eth0\nlink up\n").unwrap();
}

#[test]
fn what_changes_is_told_and_a_check_changes_nothing() {
    let world = World::new(1);
    let host = bare(&world);
    let file = host.open("eth0");
    host.write(&file, "link up\naddress add 10.0.0.1/24\ndns add 10.0.0.3").unwrap();
    let before = everything(&host);
    let text = "link up\nmtu 1400\naddress add 10.0.0.2/24\ndhcp start\n";
    let outcome = check(&file, text).unwrap();
    let [change] = outcome.changes.as_slice() else { panic!("{outcome:?}") };
    assert_eq!(change.interface, "eth0");
    assert_eq!(change.removed, ["address add 10.0.0.1/24", "dns add 10.0.0.3"]);
    assert_eq!(change.added, ["mtu 1400", "address add 10.0.0.2/24", "dhcp start"]);
    let notes: Vec<_> = outcome.notes.iter().map(|note| (note.line, note.kind)).collect();
    assert_eq!(notes, [(3, NoteKind::AddressBesideDhcp)]);
    assert_eq!(everything(&host), before);
    assert_eq!(apply(&file, text).unwrap(), outcome);
    assert_eq!(export(&file), "mtu 1400\nlink up\naddress add 10.0.0.2/24\ndhcp start\n");
    // The section of a device has no name.
    assert_eq!(check(&file, "interface eth0\nlink up\n"), Err(Error::InvalidInput));
    assert_eq!(why(&file), "line 1: interface eth0: all lines are about eth0 here");
}

#[test]
fn the_line_export_is_read_from_the_same_file() {
    let world = World::new(1);
    let host = bare(&world);
    let file = host.open("eth0");
    host.write(&file, "link up\nmtu 1400\nexport").unwrap();
    let mut buffer = [0; 100];
    let length = file.try_read(&mut buffer).unwrap();
    assert_eq!(&buffer[..length], b"mtu 1400\nlink up\n");
    assert_eq!(file.try_read(&mut buffer), Ok(0));
    // The status is read again then.
    let length = file.try_read(&mut buffer).unwrap();
    assert!(!buffer[..length].starts_with(b"mtu"));
    host.write(&file, "socket udp").unwrap();
    let refused = file.try_control::<ExportConfiguration>(&true);
    assert_eq!(refused, Err(Error::InvalidInput));
    assert!(file.try_control::<ExportConfiguration>(&false).is_ok());
}

#[test]
fn who_may_only_read_exports_and_checks() {
    let world = World::new(1);
    let host = bare(&world);
    let before = everything(&host);
    for name in ["sockets", "eth0"] {
        let file = host.open_as(name, OpenFlags::READ).unwrap();
        let text = export(&file);
        assert_eq!(apply(&file, &text), Err(Error::PermissionDenied));
        assert_eq!(apply(&file, "nonsense"), Err(Error::PermissionDenied));
        assert_eq!(check(&file, &text).unwrap().changes, []);
    }
    assert_eq!(everything(&host), before);
}

#[test]
fn sections_match_by_name_order_hardware_address_and_kind_also_later() {
    let world = World::new(1);
    let host = bare(&world);
    let file = host.open("sockets");
    let text = "\
interface eth7
mtu 1477
match mac 02:00:00:00:0a:01
metric 3
match kind ethernet order 3
mtu 1333
match name eth*
link up
match name wlan*
link up
";
    let outcome = apply(&file, text).unwrap();
    let notes: Vec<_> = outcome.notes.iter().map(|note| (note.line, note.kind)).collect();
    assert_eq!(notes, [1, 5, 9].map(|line| (line, NoteKind::MatchesNothing)));
    let state = |name: &str| {
        let one = host.control::<GetInterface>(name, &()).unwrap();
        (one.enabled, one.mtu, one.metric)
    };
    // The first section that matches is an interface's, and no section is `lo`'s.
    assert_eq!(state("eth0"), (true, 1500, 0));
    assert_eq!(state("eth1"), (false, 1500, 3));
    assert!(state("lo").0);
    register(&host, "eth7", 7);
    assert_eq!(state("eth7"), (false, 1477, 0));
    host.manager.unregister("eth7").unwrap();
    register(&host, "wlan0", 8);
    assert_eq!(state("wlan0"), (false, 1333, 0));
    register(&host, "wlan1", 9);
    assert_eq!(state("wlan1"), (true, 1500, 0));
    // What its own device was asked comes before that.
    apply(&host.open("wlan1"), "mtu 1401\n").unwrap();
    for (name, number) in [("wlan1", 9), ("eth1", 1)] {
        let before = state(name);
        host.manager.unregister(name).unwrap();
        register(&host, name, number);
        assert_eq!(state(name), before);
    }
    assert_eq!(state("wlan1"), (false, 1401, 0));
    // What cannot be is left out, and the interface comes as it is.
    apply(&file, "match name x*\nlink up\nlabel-less 1\n").unwrap_err();
    apply(&file, "match name x*\nmtu 1600\nlink up\n").unwrap();
    register(&host, "x0", 20);
    assert_eq!(state("x0"), (false, 1500, 0));
}

#[test]
fn applying_what_is_so_ends_no_connection_and_tells_nobody() {
    let world = World::new(1);
    let (left, right) = crate::pair::hosts(&world);
    world.run(world.sleep(Duration::from_secs(3)));
    world.run(async {
        let to = "10.0.0.2:7";
        let (client, server) = crate::pair::connection(&left, &right, to).await;
        let file = left.open("eth0");
        let watcher = left.open("eth0");
        watcher.write_all(b"watch").await.unwrap();
        let mut snapshot = vec![0; 65536];
        watcher.read(&mut snapshot).await.unwrap();
        let text = export(&file);
        assert_eq!(apply(&file, &text).unwrap().changes, []);
        assert_eq!(watcher.try_read(&mut snapshot), Err(Error::WouldBlock));
        // One more address leaves the connection alone, and one that goes ends it.
        let more = format!("{text}address add 10.9.0.1/24\n");
        apply(&file, &more).unwrap();
        client.write_all(b"still here").await.unwrap();
        let mut buffer = [0; 10];
        assert_eq!(server.read(&mut buffer).await, Ok(10));
        apply(&file, "link up\naddress add 10.9.0.1/24\n").unwrap();
        assert_eq!(client.read(&mut buffer).await, Err(Error::ConnectionAborted));
    });
}

#[test]
fn what_was_asked_comes_back_after_down_and_up_and_another_hardware_address() {
    let world = World::new(1);
    let (left, _right) = crate::pair::hosts(&world);
    let file = left.open("eth0");
    world.run(world.sleep(Duration::from_secs(3)));
    let lines = "route insert default via 10.0.0.2 mtu 1300\nroute add fd09::/32 via fe80::9\n\
                 neighbor add 10.0.0.9 02:00:00:00:00:09\ndns add 10.0.0.3\ndns search lan";
    left.write(&file, lines).unwrap();
    let text = export(&file);
    let routes = || left.control::<ListRoutes>("eth0", &()).unwrap().len();
    let before = routes();
    left.write(&file, "link down").unwrap();
    // While it is down more may be asked.
    left.write(&file, "address add 10.8.0.1/24").unwrap();
    world.run(world.sleep(Duration::from_secs(3)));
    left.write(&file, "link up\naddress remove 10.8.0.1/24").unwrap();
    world.run(world.sleep(Duration::from_secs(3)));
    assert_eq!((export(&file), routes()), (text.clone(), before));
    let other = "02:00:00:00:00:99".parse().unwrap();
    left.control::<SetHardwareAddress>("eth0", &other).unwrap();
    world.run(world.sleep(Duration::from_secs(3)));
    assert_eq!(export(&file), format!("mac {other}\n{text}"));
    assert_eq!(routes(), before);
    let addresses = left.control::<ListAddresses>("eth0", &()).unwrap();
    assert!(addresses.iter().any(|one| one.origin == Origin::Kernel));
    assert!(addresses.iter().all(|one| one.state == AddressState::Preferred), "{addresses:?}");
}

#[test]
fn what_a_driver_refuses_undoes_the_interfaces_before_it() {
    let world = World::new(1);
    let host = bare(&world);
    // A loopback driver has no hardware address to set, which the check finds; this one's driver
    // answers only when it is asked.
    let (end, peer) = devnet_drivers::cable(options());
    std::mem::forget(peer);
    host.manager.register("eth2", Box::new(Stubborn(Box::new(end))), None).unwrap();
    let file = host.open("sockets");
    apply(&file, WHOLE).unwrap();
    let before = everything(&host);
    let text = "system\ndns option ndots 3\ninterface eth0\nlink up\naddress add 10.4.0.1/24\n\
                interface eth2\nlink up\nmac 02:00:00:00:00:55\n";
    assert!(check(&file, text).is_ok());
    assert_eq!(apply(&file, text), Err(Error::InputOutput));
    assert_eq!(why(&file), "line 8: mac 02:00:00:00:00:55: Input/output error");
    assert_eq!(everything(&host), before);
}

/// A driver that fails to take a hardware address.
struct Stubborn(Box<dyn Driver>);

impl Driver for Stubborn {
    fn capabilities(&self) -> Capabilities {
        self.0.capabilities()
    }

    fn hardware_address(&self) -> Option<HardwareAddress> {
        self.0.hardware_address()
    }

    fn set_hardware_address(&mut self, _: HardwareAddress) -> Result<(), DriverError> {
        Err(DriverError::Failed)
    }

    fn link_state(&mut self) -> LinkState {
        self.0.link_state()
    }

    fn receive(&mut self, pool: &mut FramePool) -> Option<Frame> {
        self.0.receive(pool)
    }

    fn transmit(&mut self, frame: Frame, pool: &mut FramePool) -> Result<(), Frame> {
        self.0.transmit(frame, pool)
    }

    fn can_transmit(&mut self) -> bool {
        self.0.can_transmit()
    }

    fn register(&mut self, waker: &std::task::Waker, wants_room: bool) {
        self.0.register(waker, wants_room);
    }
}

#[test]
fn sockets_on_an_address_that_a_configuration_removes_get_an_error() {
    let world = World::new(1);
    let (left, right) = crate::pair::hosts(&world);
    world.run(async {
        let socket = devnet_network::UdpSocket::new(&left.sockets());
        socket.bind("10.0.0.1:7".parse().unwrap()).unwrap();
        socket.connect("10.0.0.2:7".parse().unwrap()).unwrap();
        let (client, _server) = crate::pair::connection(&left, &right, "10.0.0.2:7").await;
        apply(&left.open("eth0"), "link up\naddress add 10.0.0.3/24\n").unwrap();
        assert_eq!(client.read(&mut [0]).await, Err(Error::ConnectionAborted));
        assert!(socket.send(b"from nowhere").await.is_err());
        // No route has the address as its source any more.
        let routes = left.control::<ListRoutes>("eth0", &()).unwrap();
        assert!(routes.iter().all(|route| route.source != Some("10.0.0.1".parse().unwrap())));
    });
}

#[test]
fn the_largest_configuration_is_exported_and_applied() {
    let world = World::new(1);
    let (first, second) = (bare(&world), bare(&world));
    let mut text = String::from("link up\n");
    let mut say = |line: String| {
        text += &line;
        text.push('\n');
    };
    (0..60).for_each(|number| say(format!("address add 10.0.{number}.1/24")));
    for number in 0..8192 {
        let (high, low) = (number / 200, number % 200 + 10);
        say(format!("neighbor add 10.0.{high}.{low} 02:00:00:00:{:02x}:{:02x}", high, low));
    }
    (0..32).for_each(|number| say(format!("dns add 10.0.0.{number}")));
    let domain = "d".repeat(60);
    (0..16).for_each(|number| say(format!("dns search {domain}.{domain}.{domain}.d{number}")));
    for number in 0..900 {
        let (high, low) = (number / 250, number % 250);
        say(format!("route add 192.{high}.{low}.0/24 via 10.0.{}.9", number % 60));
    }
    let text = text.replace("dns add 10.0.0.0\n", "");
    let file = first.open("eth0");
    let outcome = apply(&file, &text);
    assert!(outcome.is_ok(), "{}", why(&file));
    let exported = export(&file);
    assert!(exported.len() > 350_000, "{}", exported.len());
    let other = second.open("eth0");
    apply(&other, &exported).unwrap();
    assert_eq!(export(&other), exported);
    assert_eq!(apply(&other, &exported).unwrap().changes, []);
    // A line of text can wait for as many turns as that takes.
    world.run(async {
        other.write_all(b"export").await.unwrap();
        assert_eq!(other.read_to_end(1 << 20).await.unwrap(), exported.as_bytes());
    });
}
