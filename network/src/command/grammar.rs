//! The grammar of the lines that [`text`](super::text) parses, for documentation.
//!
//! The match below has one arm per command and no `_`: a new row of the table does not compile
//! before it has a line here, or none explicitly. The page `CONTROL.md` is generated from it. A
//! test writes every line of this grammar, parses it with [`text`](super::text), and finds every
//! word of the parser in this grammar.
//!
//! A word in lower case stands for itself, one in upper case for one of [`PLACEHOLDERS`]. `[ ]` may
//! be left out, `( | )` is a choice, and `...` repeats the word before it. Pairs in brackets may
//! change places.

use super::Request;

/// A placeholder of a value.
#[derive(Clone, Copy, Debug)]
pub struct Placeholder {
    /// The word, in upper case.
    pub name: &'static str,
    /// The values that may replace it.
    pub meaning: &'static str,
    /// Values that the parser accepts, one for each notation.
    pub examples: &'static [&'static str],
}

const fn placeholder(
    name: &'static str,
    meaning: &'static str,
    examples: &'static [&'static str],
) -> Placeholder {
    Placeholder { name, meaning, examples }
}

/// The placeholders.
pub const PLACEHOLDERS: [Placeholder; 19] = [
    placeholder(
        "PREFIX",
        "an address and its prefix length in bits, or an IPv4 address and its netmask; an address \
         alone is that one host",
        &["10.0.0.2/24", "10.0.0.2/255.255.255.0", "10.0.0.2", "fd00::2/64"],
    ),
    placeholder(
        "DESTINATION",
        "a PREFIX without host bits, or `default`: every address of the gateway's family, of IPv4 \
         without a gateway",
        &["192.0.2.0/24", "fd09::/64", "default"],
    ),
    placeholder("ADDRESS", "an IPv4 or IPv6 address", &["10.0.0.9", "fd00::9"]),
    placeholder("IPV4", "an IPv4 address", &["10.0.0.255"]),
    placeholder("IPV6", "an IPv6 address", &["fd00::53"]),
    placeholder("GROUP", "a multicast address", &["239.1.2.3", "ff02::123"]),
    placeholder(
        "MAC",
        "a hardware address: six hexadecimal numbers of two digits, with `:` or `-` between them",
        &["02:00:00:00:00:01", "02-00-00-00-00-01"],
    ),
    placeholder(
        "ENDPOINT",
        "an address with a port; `*` is the wildcard of both families; an address alone has port \
         0, for ICMP",
        &["10.0.0.1:80", "[fd00::1]:80", "*:80", "10.0.0.1"],
    ),
    placeholder("INTERFACE", "the name of an interface", &["eth0"]),
    placeholder("HOSTNAME", "a name of at most 63 printable bytes", &["printer"]),
    placeholder("BYTES", "a number of bytes, 0 to 4,294,967,295", &["1400"]),
    placeholder("NUMBER", "a number, 0 to 4,294,967,295", &["5"]),
    placeholder("MILLISECONDS", "a time in milliseconds, 0 to 4,294,967,295", &["2000"]),
    placeholder("TOKEN", "a number of 64 bits, as the listener gave it", &["1311768467463790320"]),
    placeholder("PROTOCOL", "the number of an IP protocol, 0 to 255; 0 is every one", &["89"]),
    placeholder("HOPS", "a number, 0 to 255", &["64"]),
    placeholder("COUNT", "a number, 0 to 255", &["9"]),
    placeholder("OCTET", "a number, 0 to 255 or 0x0 to 0xff", &["184", "0xb8"]),
    placeholder(
        "KIND",
        "a kind of event",
        &["interface", "link", "address", "route", "neighbor", "dns", "dhcp", "stream", "streams"],
    ),
];

/// Lines that add a route.
const ADD_ROUTE: &[&str] =
    &["route (add | append) DESTINATION [via ADDRESS] [metric NUMBER] [interface INTERFACE]"];
/// Lines that remove one.
const REMOVE_ROUTE: &[&str] =
    &["route remove DESTINATION [via ADDRESS] [metric NUMBER] [interface INTERFACE]"];

/// Lines that set an option of a socket.
const OPTIONS: &[&str] = &[
    "option (no-delay | broadcast | reuse-address | reuse-port | dont-fragment) (on | off)",
    "option (multicast-loop | receive-errors | header-included) (on | off)",
    "option (only-ipv6 | explicit-congestion | timestamps) (on | off)",
    "option (cork | black-hole-detection) (on | off)",
    "option (receive-buffer | send-buffer) BYTES",
    "option (maximum-segment | not-sent-low-water) BYTES",
    "option (hop-limit | multicast-hop-limit) HOPS",
    "option (keep-alive | keep-alive-interval | user-timeout) MILLISECONDS",
    "option keep-alive-count COUNT",
    "option linger (off | MILLISECONDS)",
    "option traffic-class OCTET",
    "option (multicast-interface | bind-to-device) (any | INTERFACE)",
    "option congestion (cubic | reno | bbr)",
    "option path-mtu-discovery (never | want | always | probe)",
];

impl Request {
    /// The lines of this command; none if it has no text form.
    #[must_use]
    pub const fn grammar(&self) -> &'static [&'static str] {
        match self {
            Self::SetEnabled(_) => &["link (up | down)"],
            Self::SetHardwareAddress(_) => &["mac MAC"],
            Self::SetMtu(_) => &["mtu BYTES"],
            Self::SetMetric(_) => &["metric NUMBER"],
            Self::SetAdvertisement(_) => &["advertise off", "advertise PREFIX [IPV6 ...]"],
            Self::AddAddress(_) => &["address add PREFIX [broadcast IPV4]"],
            Self::RemoveAddress(_) => &["address remove PREFIX"],
            Self::FlushAddresses(()) => &["address flush"],
            Self::ReplaceAddresses(_) => &["address replace PREFIX [PREFIX ...]"],
            Self::AddRoute(_) => ADD_ROUTE,
            Self::RemoveRoute(_) => REMOVE_ROUTE,
            Self::AddDnsServer(_) => &["dns add ADDRESS"],
            Self::RemoveDnsServer(_) => &["dns remove ADDRESS"],
            Self::StartDhcp(_) => &["dhcp start [hostname HOSTNAME]"],
            Self::StopDhcp(()) => &["dhcp stop"],
            Self::RenewDhcp(()) => &["dhcp renew"],
            Self::AwaitDhcp(_) => &["dhcp wait MILLISECONDS"],
            Self::AddNeighbor(_) => &["neighbor add ADDRESS MAC"],
            Self::RemoveNeighbor(_) => &["neighbor remove ADDRESS"],
            Self::FlushNeighbors(()) => &["neighbor flush"],
            Self::CreateSocket(_) => &["socket (tcp | udp | icmp)", "socket (raw | raw6) PROTOCOL"],
            Self::Bind(_) => &["bind ENDPOINT"],
            Self::Connect(_) => &["connect ENDPOINT"],
            Self::Listen(_) => &["listen [NUMBER]"],
            Self::Accept(_) => &["accept TOKEN"],
            Self::Shutdown(_) => &["shutdown (read | write | both)"],
            Self::SetOption(_) => OPTIONS,
            Self::JoinGroup(_) => &["join GROUP [INTERFACE]"],
            Self::LeaveGroup(_) => &["leave GROUP [INTERFACE]"],
            Self::Watch(_) => &["watch [KIND ...]"],
            // A line has no response, so commands that only read have none: the status text has it.
            Self::GetInterface(())
            | Self::ListInterfaces(())
            | Self::GetStatistics(())
            | Self::GetSynCookies(())
            | Self::ListUsage(())
            | Self::ListDrops(())
            | Self::ListCounters(())
            | Self::GetMetrics(())
            | Self::ListAddresses(())
            | Self::ListRoutes(())
            | Self::ListRoutePreferences(())
            | Self::FindRoute(_)
            | Self::ListDnsServers(())
            | Self::Resolve(_)
            | Self::GetDhcp(())
            | Self::ListNeighbors(())
            | Self::NextConnection(())
            | Self::GetSocket(())
            | Self::ListSockets(())
            | Self::SendTo(_)
            | Self::ReceiveFrom(())
            | Self::GetOptions(())
            | Self::GetFurtherOptions(())
            | Self::TakeError(())
            | Self::ReceiveError(())
            | Self::ListGroups(())
            | Self::GetStreamStatistics(())
            | Self::Peek(_) => &[],
        }
    }
}
