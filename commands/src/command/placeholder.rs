//! The placeholders of the [grammar](super::grammar): which values may stand where, and how an
//! error calls them.

use alloc::string::String;
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use core::str::FromStr;

use super::autoconfiguration::StableSecret;
use super::dhcp_server::{AddressRange, ClientName, RawOption};
use super::dhcp6::Duid;
use super::escape::unescape;
use super::firewall::{FlowStates, PacketRate};
use super::route::NextHop;
use super::ssid::{Ssid, unescaped};
use super::value::{list, octet, socket_address};
use super::watch::Kinds;
use crate::address::{HardwareAddress, Prefix};
use crate::zone;

/// A placeholder of a value.
#[derive(Clone, Copy, Debug)]
pub struct Placeholder {
    /// The word, in upper case.
    pub name: &'static str,
    /// What a word that cannot be read is not: `"1.2.3" is no prefix`.
    pub noun: &'static str,
    /// The values that may replace it.
    pub meaning: &'static str,
    /// Values that the parser accepts, one for each notation.
    pub examples: &'static [&'static str],
    /// True for a word that the parser reads as such a value.
    pub accepts: fn(&str) -> bool,
}

const fn placeholder(
    name: &'static str,
    noun: &'static str,
    meaning: &'static str,
    examples: &'static [&'static str],
    accepts: fn(&str) -> bool,
) -> Placeholder {
    Placeholder { name, noun, meaning, examples, accepts }
}

fn reads<T: FromStr>(word: &str) -> bool {
    word.parse::<T>().is_ok()
}

/// The placeholder of this name.
#[must_use]
pub fn find(name: &str) -> Option<&'static Placeholder> {
    PLACEHOLDERS.iter().find(|placeholder| placeholder.name == name)
}

/// The placeholders.
pub const PLACEHOLDERS: &[Placeholder] = &[
    placeholder(
        "PREFIX",
        "prefix",
        "an address and its prefix length in bits, or an IPv4 address and its netmask; an address \
         alone is that one host",
        &["10.0.0.2/24", "10.0.0.2/255.255.255.0", "10.0.0.2", "fd00::2/64"],
        reads::<Prefix>,
    ),
    placeholder(
        "DESTINATION",
        "destination",
        "a PREFIX without host bits, or `default`: every address of the gateway's family, of IPv4 \
         without a gateway",
        &["192.0.2.0/24", "fd09::/64", "default"],
        |word| word == "default" || reads::<Prefix>(word),
    ),
    placeholder(
        "ADDRESS",
        "address",
        "an IPv4 or IPv6 address",
        &["10.0.0.9", "fd00::9"],
        reads::<IpAddr>,
    ),
    placeholder(
        "GATEWAYS",
        "list of gateways",
        "addresses with commas between, each with its weight after `*`, from 1, the usual one, to \
         256",
        &["10.0.0.9", "10.0.0.2,10.0.0.3*2", "fd00::9,fd00::8*256"],
        |word| list::<NextHop>(word).is_ok(),
    ),
    placeholder("IPV4", "IPv4 address", "an IPv4 address", &["10.0.0.255"], reads::<Ipv4Addr>),
    placeholder("IPV6", "IPv6 address", "an IPv6 address", &["fd00::53"], reads::<Ipv6Addr>),
    placeholder(
        "GROUP",
        "address of a group",
        "a multicast address",
        &["239.1.2.3", "ff02::123"],
        reads::<IpAddr>,
    ),
    placeholder(
        "MAC",
        "hardware address",
        "a hardware address: six hexadecimal numbers of two digits, with `:` or `-` between them",
        &["02:00:00:00:00:01", "02-00-00-00-00-01"],
        reads::<HardwareAddress>,
    ),
    placeholder(
        "ENDPOINT",
        "address with a port",
        "an address with a port; `*` is the wildcard of both families; an address alone has port \
         0, for ICMP",
        &["10.0.0.1:80", "[fd00::1]:80", "*:80", "10.0.0.1"],
        // A text names zones; the parser gets their numbers.
        |word| zone::number(word, |_| Some(1)).is_ok_and(|word| socket_address(&word).is_ok()),
    ),
    placeholder("INTERFACE", "interface", "the name of an interface", &["eth0"], |_| true),
    placeholder("LABEL", "label", "a text of at most 15 printable bytes", &["eth0:1"], |_| true),
    placeholder(
        "HOSTNAME",
        "host name",
        "a name of at most 63 printable bytes",
        &["printer"],
        |_| true,
    ),
    placeholder(
        "SSID",
        "name of a network",
        "the name of a wireless network, 1 to 32 bytes of any value; `\\xHH` is the byte with this \
         hexadecimal number",
        &["home", "my\\x20home", "\\xff\\x00"],
        reads::<Ssid>,
    ),
    placeholder(
        "KEY",
        "key",
        "a key, 8 to 63 printable bytes; `\\xHH` as in SSID. No error and no status shows it",
        &["devnet-home"],
        |word| unescaped(word).is_ok_and(|bytes| String::from_utf8(bytes).is_ok()),
    ),
    placeholder(
        "DBM",
        "power in dBm from -128 to 127",
        "a power in dBm, -128 to 127",
        &["15"],
        reads::<i8>,
    ),
    placeholder(
        "COUNTRY",
        "country",
        "two capital letters (ISO 3166-1), or `00` for anywhere",
        &["DE", "00"],
        |_| true,
    ),
    placeholder(
        "INSTANCE",
        "text without blanks",
        "a text; `\\DDD` is the byte with this decimal number, a blank is `\\032`",
        &["printer", "My\\032page"],
        |word| unescape(word).is_some(),
    ),
    placeholder(
        "SERVICE",
        "type of a service",
        "the type of a service: its name and its protocol",
        &["_http._tcp", "_ntp._udp"],
        |_| true,
    ),
    placeholder("DOMAIN", "domain name", "a name of the DNS", &["lan", "corp.example"], |_| true),
    placeholder(
        "RANGES",
        "list of ranges of IPv4 addresses",
        "ranges of IPv4 addresses: the first and the last one with `-` between, or one alone; `,` \
         between ranges",
        &["10.0.2.100-10.0.2.199", "10.0.2.20,10.0.2.30-10.0.2.39"],
        |word| list::<AddressRange>(word).is_ok(),
    ),
    placeholder(
        "HOSTS",
        "list of IPv4 addresses",
        "IPv4 addresses, best first, with `,` between",
        &["10.0.2.2", "10.0.2.2,10.0.2.3"],
        |word| list::<Ipv4Addr>(word).is_ok(),
    ),
    placeholder(
        "SERVERS",
        "list of IPv6 addresses",
        "IPv6 addresses, best first, with `,` between",
        &["fd00::53", "fd00::53,fd00::54"],
        |word| list::<Ipv6Addr>(word).is_ok(),
    ),
    placeholder(
        "DOMAINS",
        "list of domain names",
        "names of the DNS with `,` between",
        &["lan", "lan,corp.example"],
        |_| true,
    ),
    placeholder(
        "DUID",
        "DHCP unique identifier",
        "a DHCP unique identifier: 3 to 130 bytes as hexadecimal digits, the first two of them its \
         type",
        &["00030001020000000001"],
        reads::<Duid>,
    ),
    placeholder(
        "OPTIONS",
        "list of options",
        "options of DHCP: number, `:`, value in hexadecimal digits; `,` between options",
        &["42:0a000203", "26:05dc,42:0a000203"],
        |word| list::<RawOption>(word).is_ok(),
    ),
    placeholder(
        "NUMBERS",
        "list of numbers from 0 to 255",
        "numbers, 0 to 255, with `,` between",
        &["42", "42,66"],
        |word| list::<u8>(word).is_ok(),
    ),
    placeholder(
        "CLIENT",
        "DHCP client",
        "a client of DHCP: its hardware address, or `id:` and its client identifier in \
         hexadecimal digits",
        &["02:00:00:00:00:01", "id:01020000000001"],
        reads::<ClientName>,
    ),
    placeholder(
        "STATES",
        "list of states of flows",
        "states of flows with `,` between: `new`, `established`, `related`",
        &["new", "established,related"],
        reads::<FlowStates>,
    ),
    placeholder(
        "RATE",
        "rate of packets",
        "a number of packets, `/`, and `second`, `minute`, `hour` or `day`",
        &["10/second", "3/minute"],
        reads::<PacketRate>,
    ),
    placeholder(
        "BYTES",
        "number of bytes from 0 to 4,294,967,295",
        "a number of bytes, 0 to 4,294,967,295",
        &["1400"],
        reads::<u32>,
    ),
    placeholder(
        "SIZE",
        "number of bytes from 0 to 65,535",
        "a number of bytes, 0 to 65,535",
        &["1200"],
        reads::<u16>,
    ),
    placeholder(
        "NUMBER",
        "number from 0 to 4,294,967,295",
        "a number, 0 to 4,294,967,295",
        &["5"],
        reads::<u32>,
    ),
    placeholder(
        "MILLISECONDS",
        "number of milliseconds from 0 to 4,294,967,295",
        "a time in milliseconds, 0 to 4,294,967,295",
        &["2000"],
        reads::<u32>,
    ),
    placeholder(
        "MICROSECONDS",
        "number of microseconds below 2^64",
        "a time in microseconds, a number of 64 bits",
        &["1796000000000000"],
        reads::<u64>,
    ),
    placeholder(
        "SECRET",
        "secret of 32 hexadecimal digits",
        "a secret, 32 hexadecimal digits",
        &["000102030405060708090a0b0c0d0e0f"],
        reads::<StableSecret>,
    ),
    placeholder("WORD", "word", "a word", &["tcp"], |_| true),
    placeholder(
        "SECONDS",
        "number of seconds from 0 to 4,294,967,295",
        "a time in seconds, 0 to 4,294,967,295",
        &["600"],
        reads::<u32>,
    ),
    placeholder(
        "TOKEN",
        "token of a listener",
        "a number of 64 bits, as the listener gave it",
        &["1311768467463790320"],
        reads::<u64>,
    ),
    placeholder(
        "PROTOCOL",
        "number of a protocol from 0 to 255",
        "the number of an IP protocol, 0 to 255; 0 is every one",
        &["89"],
        reads::<u8>,
    ),
    placeholder("HOPS", "number from 0 to 255", "a number, 0 to 255", &["64"], reads::<u8>),
    placeholder("COUNT", "number from 0 to 255", "a number, 0 to 255", &["9"], reads::<u8>),
    placeholder(
        "OCTET",
        "number from 0 to 255 or 0x0 to 0xff",
        "a number, 0 to 255 or 0x0 to 0xff",
        &["184", "0xb8"],
        |word| octet(word).is_ok(),
    ),
    placeholder(
        "KIND",
        "kind of event",
        "a kind of event",
        &[
            "interface",
            "link",
            "address",
            "route",
            "neighbor",
            "dns",
            "dhcp",
            "stream",
            "streams",
            "lease",
            "group",
            "socket",
            "sockets",
            "firewall",
        ],
        |word| Kinds::parse(&[word]).is_ok(),
    ),
];
