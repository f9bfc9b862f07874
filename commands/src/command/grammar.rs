//! The grammar of the lines that [`text`](super::text) parses: the table of words.
//!
//! The table below has one row per command, and the match that it makes has no `_`: a new row of
//! the table of commands does not compile before it has its lines here, or none explicitly. The
//! page `TEXT.md` is generated from it, `help text` of the shell prints it, and
//! [`LineError`](super::line_error::LineError) finds the wrong word of a line with it. A test
//! writes every line of this grammar, parses it with [`text`](super::text), and finds every word of
//! the parser in this grammar; another executes every example.
//!
//! A word in lower case stands for itself, one in upper case for one of
//! [`PLACEHOLDERS`](super::placeholder::PLACEHOLDERS). `[ ]` may be left out, `( | )` is a choice,
//! and `...` repeats the word before it. Pairs in brackets may change places.

mod firewall;
mod options;

pub use super::form::{Form, Row};
use super::{Request, table};

/// Every form of line.
pub fn forms() -> impl Iterator<Item = &'static Form> {
    ROWS.iter().flat_map(|row| row.forms)
}

super::form::grammar! {
    lines {
        SetEnabled(_) { "link (up | down)", "", "link up"; }
        SetInterfaceOption(_) {
            "link name INTERFACE", "The device moves to the new name.", "link name uplink0";
            "link description [WORD ...]", "What it is for; none without words.",
                "link description to the cellar";
            "link (promiscuous | all-multicast) (on | off)",
                "Asks the driver for frames to others too; off unless set.",
                "link promiscuous on";
            "link arp (on | off)",
                "Off resolves no neighbor and answers for no address; on unless set.",
                "link arp off";
            "link queue NUMBER", "Frames that may wait for the driver, 1 to 1024; 256 unless set.",
                "link queue 500";
            "link (reachable | retransmit) MILLISECONDS",
                "For which a confirmed neighbor is reachable, and between two solicitations; \
                 30,000 and 1000 unless set.",
                "link reachable 60000";
            "link probes COUNT",
                "Solicitations before a neighbor has failed, 1 to 255; 3 unless set.",
                "link probes 5";
        }
        SetHardwareAddress(_) { "mac MAC", "", "mac 02:00:00:00:00:01"; }
        SetMtu(_) { "mtu BYTES", "", "mtu 1400"; }
        SetMetric(_) { "metric NUMBER", "", "metric 5"; }
        SetAdvertisement(_) {
            "advertise off", "", "advertise off";
            "advertise PREFIX [IPV6 ...]",
                "The addresses are name servers; without one none is advertised.",
                "advertise fd00:2::/64 fd00:2::3";
        }
        AddAddress(_) {
            "address add PREFIX [broadcast IPV4]",
                "Without a broadcast address it is the last address of the prefix.",
                "address add 10.0.2.20/24";
        }
        RemoveAddress(_) { "address remove PREFIX", "", "address remove 10.0.2.20/24"; }
        FlushAddresses(()) { "address flush", "", "address flush"; }
        ReplaceAddresses(_) {
            "address replace PREFIX [PREFIX ...]", "", "address replace 10.0.2.20/24 fd00:2::20/64";
        }
        SetAddress(_) {
            "address set PREFIX [broadcast (none | IPV4)] [peer PREFIX] [label LABEL] \
             [valid SECONDS] [preferred SECONDS] [prefix-route (on | off)] [detection (on | off)]",
                "Adds it, or changes its lifetimes and its prefix route. Without limit unless \
                 seconds are given; the label begins with the interface's name.",
                "address set 10.0.3.20/24 valid 600 preferred 300";
        }
        SetAutoconfiguration(_) {
            "autoconf identifiers (eui64 | stable)",
                "How addresses are made: of the hardware address, unless set, or by a secret.",
                "autoconf identifiers stable";
            "autoconf secret SECRET",
                "Of stable identifiers; a random one without it.",
                "autoconf secret 0123456789abcdef0123456789abcdef";
            "autoconf privacy (off | on | preferred)",
                "Temporary addresses, off unless set; connections use them when preferred.",
                "autoconf privacy preferred";
            "autoconf (advertisements | addresses) (on | off)",
                "Off obeys no router, or forms no addresses; on unless set.",
                "autoconf addresses off";
            "autoconf probes COUNT",
                "Probes of an address before it is used, 0 to 16; 1 unless set.",
                "autoconf probes 3";
            "autoconf (valid | preferred) SECONDS",
                "For which a temporary address is at most; 172,800 and 86,400 unless set.",
                "autoconf preferred 43200";
        }
        AddRoute(_) {
            "route (add | append) DESTINATION [via ADDRESS] [metric NUMBER] [interface INTERFACE]",
                "Without a gateway the destination is on the link. The metric is the interface's \
                 unless given. The interface is that of the device; on `/devices/sockets` that of \
                 the gateway. `append` adds a second gateway for a destination that has one.",
                "route add default via 10.0.2.2 metric 5";
        }
        RemoveRoute(_) {
            "route remove DESTINATION [via ADDRESS] [metric NUMBER] [interface INTERFACE]",
                "The first route that has everything that is given.",
                "route remove default via 10.0.2.2";
        }
        SetRoute(_) {
            "route (insert | prepend | replace | change) DESTINATION [via ADDRESS] \
             [metric NUMBER] [interface INTERFACE] [source ADDRESS] [mtu BYTES] \
             [onlink (on | off)] [protocol OCTET] [expires SECONDS]",
                "`insert` is `add` with everything that a route may have, `replace` takes the \
                 place of the first of equal destination and metric or is new, `change` needs one. \
                 `onlink` says that the gateway is on the link. The protocol is 3 unless given.",
                "route replace 198.51.100.0/24 via 10.0.2.2 mtu 1400";
            "route append DESTINATION (source ADDRESS | mtu BYTES | onlink (on | off) | \
             protocol OCTET | expires SECONDS) [via ADDRESS] [metric NUMBER] \
             [interface INTERFACE]",
                "As `insert`, after those of equal destination and metric. Several of the pairs \
                 may be given.",
                "route append 198.51.100.0/24 mtu 1400 via 10.0.2.2";
            "route (blackhole | unreachable | prohibit | throw) DESTINATION [metric NUMBER] \
             [protocol OCTET]",
                "A route of the whole system. On `/devices/sockets`.",
                "route blackhole 203.0.113.0/24";
        }
        SetMultipathRoute(_) {
            "route (insert | append | prepend | replace | change) DESTINATION hops GATEWAYS \
             [metric NUMBER] [interface INTERFACE] [source ADDRESS] [mtu BYTES] \
             [onlink (on | off)] [protocol OCTET] [expires SECONDS]",
                "Flows are spread over the gateways by their weights, and a gateway that does not \
                 answer is left out. All are on one interface.",
                "route insert 198.51.100.0/24 hops 10.0.2.2,10.0.2.3*2";
        }
        RemoveRoutes(_) {
            "route flush [to DESTINATION] [via ADDRESS] [metric NUMBER] [interface INTERFACE] \
             [source ADDRESS] [protocol OCTET]",
                "Every route that has everything that is given, connected ones too.",
                "route flush via 10.0.2.2";
        }
        AddGroup(_) { "group add ADDRESS", "", "group add 239.1.2.3"; }
        RemoveGroup(_) { "group remove ADDRESS", "", "group remove 239.1.2.3"; }
        AddDnsServer(_) { "dns add ADDRESS", "", "dns add 10.0.2.3"; }
        RemoveDnsServer(_) { "dns remove ADDRESS", "", "dns remove 10.0.2.3"; }
        FlushDnsCache(()) { "dns flush", "Answers that are kept are forgotten.", "dns flush"; }
        SetResolverOption(_) {
            "dns option ndots COUNT",
                "Dots from which on a name is tried as it is before the search domains; 1 unless \
                 set, 15 at most. On `/devices/sockets`.",
                "dns option ndots 2";
            "dns option timeout MILLISECONDS",
                "The longest time of a lookup, 0 for none; 30,000 unless set. On \
                 `/devices/sockets`.",
                "dns option timeout 5000";
            "dns option stale SECONDS",
                "How long beyond its time an answer is kept, for when no server answers; 0 unless \
                 set. On `/devices/sockets`.",
                "dns option stale 3600";
            "dns option cache NUMBER",
                "Answers that are kept, 256 at most and unless set. On `/devices/sockets`.",
                "dns option cache 64";
            "dns option mixed-case (on | off)",
                "Names are spelled by chance, on unless set. On `/devices/sockets`.",
                "dns option mixed-case off";
        }
        SetSearchDomains(_) {
            "dns search off", "", "dns search off";
            "dns search DOMAIN [DOMAIN ...]", "", "dns search lan corp.example";
        }
        ChangeHosts(_) {
            "dns host add ADDRESS DOMAIN [DOMAIN ...]",
                "The first name is that of the address. On `/devices/sockets`.",
                "dns host add 10.0.2.9 printer.lan printer";
            "dns host remove ADDRESS", "On `/devices/sockets`.", "dns host remove 10.0.2.9";
            "dns host flush", "On `/devices/sockets`.", "dns host flush";
        }
        ChangeDnsSecurity(_) {
            "dns tls add ADDRESS DOMAIN [port SIZE]",
                "The server is asked over TLS alone, by 853 unless given; its certificate must \
                 have the name. On `/devices/sockets`.",
                "dns tls add 1.1.1.1 one.one.one.one";
            "dns tls remove ADDRESS", "On `/devices/sockets`.", "dns tls remove 1.1.1.1";
            "dns tls required (on | off)",
                "Servers that are not asked over TLS are left out; off unless set. On \
                 `/devices/sockets`.",
                "dns tls required on";
        }
        SetMulticastDns(_) {
            "dns multicast (off | resolve | on)",
                "Whether names in `.local` are looked up on the link, and with `on` also \
                 announced; off unless set.",
                "dns multicast resolve";
            "dns hostname [HOSTNAME]",
                "The name in `.local` that is announced; `devnet` without one.",
                "dns hostname printer";
        }
        ChangeServices(_) {
            "dns publish INSTANCE SERVICE SIZE [INSTANCE ...]",
                "The name, the type, the port, and strings such as `path=/`. After the type and a \
                 comma each subtype, as in `_http._tcp,_printer`.",
                "dns publish My\\032page _http._tcp 80 path=/";
            "dns withdraw INSTANCE SERVICE", "", "dns withdraw My\\032page _http._tcp";
        }
        WatchServices(_) {
            "dns watch SERVICE [(numbered | records)]",
                "The file tells the services of the type that come, change and go, as `watch` \
                 tells events. `_services._dns-sd._udp` is the type of types.",
                "dns watch _http._tcp";
        }
        StartDhcp(_) {
            "dhcp start [hostname HOSTNAME] [requested IPV4]",
                "Without a name none is sent. The address is asked for first.",
                "dhcp start hostname printer";
        }
        StopDhcp(()) { "dhcp stop", "", "dhcp stop"; }
        RenewDhcp(()) { "dhcp renew", "", "dhcp renew"; }
        AwaitDhcp(_) { "dhcp wait MILLISECONDS", "", "dhcp wait 2000"; }
        StartDhcpServer(_) {
            "dhcp server start RANGES [lease SECONDS] [router HOSTS] [dns HOSTS] \
             [domain DOMAIN] [options OPTIONS] [authoritative (on | off)] [check (on | off)] \
             [single-client (on | off)]",
                "The ranges are in the network of an address of the interface. A lease is for \
                 3,600 seconds unless given. `check`, on unless set, asks by ARP and ping whether \
                 somebody uses an address before it is offered; the others are off.",
                "dhcp server start 10.0.2.100-10.0.2.199 lease 600 router 10.0.2.15";
        }
        StopDhcpServer(()) { "dhcp server stop", "", "dhcp server stop"; }
        ChangeDhcpLeases(_) {
            "dhcp server reserve IPV4 CLIENT",
                "Only this client gets the address.",
                "dhcp server reserve 10.0.2.50 02:00:00:00:00:09";
            "dhcp server unreserve IPV4", "", "dhcp server unreserve 10.0.2.50";
            "dhcp server lease IPV4 CLIENT SECONDS [mac MAC] [name HOSTNAME]",
                "Puts a lease back that was listed before.",
                "dhcp server lease 10.0.2.100 id:01020000000009 300 name printer";
            "dhcp server end IPV4", "The client is not told.", "dhcp server end 10.0.2.100";
        }
        StartDhcpClient(_) {
            "dhcp client [hostname HOSTNAME] [address IPV4] [identifier CLIENT] \
             [vendor-class HOSTNAME] [request NUMBERS] [send OPTIONS] [ipv6-only (on | off)]",
                "The address is asked for first, the identifier is that of the hardware address \
                 unless given. With `ipv6-only`, off unless set, a network that needs no IPv4 \
                 gives no address.",
                "dhcp client hostname printer request 42,66 send 77:64657673 ipv6-only on";
        }
        SetFallback(_) {
            "dhcp fallback (off | link-local)",
                "A link-local address while no server answers; off unless set.",
                "dhcp fallback link-local";
            "dhcp fallback PREFIX [via IPV4]",
                "This address while no server answers.",
                "dhcp fallback 192.168.1.10/24 via 192.168.1.1";
        }
        AddNeighbor(_) {
            "neighbor add ADDRESS MAC", "", "neighbor add 10.0.2.9 02:00:00:00:00:09";
        }
        RemoveNeighbor(_) { "neighbor remove ADDRESS", "", "neighbor remove 10.0.2.9"; }
        FlushNeighbors(()) { "neighbor flush", "", "neighbor flush"; }
        AddProxy(_) { "neighbor proxy add ADDRESS", "", "neighbor proxy add 10.0.2.60"; }
        RemoveProxy(_) { "neighbor proxy remove ADDRESS", "", "neighbor proxy remove 10.0.2.60"; }
        AddFirewallRule(_) (self::firewall::ADD)
        ReplaceFirewallRule(_) (self::firewall::REPLACE)
        RemoveFirewallRule(_) (self::firewall::REMOVE)
        FlushFirewallRules(_) (self::firewall::FLUSH)
        SetFirewallPolicy(_) (self::firewall::POLICY)
        SetFirewallProfile(_) (self::firewall::PROFILE)
        ResetFirewall(()) (self::firewall::RESET)
        FlushFlows(()) (self::firewall::FORGET)
        CreateSocket(_) {
            "socket (tcp | udp | icmp)", "", "socket tcp";
            "socket (raw | raw6) PROTOCOL", "", "socket raw 89";
        }
        Bind(_) { "bind ENDPOINT", "", "bind *:8080"; }
        Connect(_) { "connect ENDPOINT", "", "connect 10.0.2.4:80"; }
        Listen(_) { "listen [NUMBER]", "The backlog is 128 unless given.", "listen 16"; }
        Accept(_) { "accept TOKEN", "", "accept 1311768467463790320"; }
        Shutdown(_) { "shutdown (read | write | both)", "", "shutdown write"; }
        EndConnection(_) {
            "disconnect ENDPOINT ENDPOINT",
                "The local and the remote end of a connection, whose program gets an error. On \
                 `/devices/sockets`.",
                "disconnect 127.0.0.1:40007 127.0.0.1:7";
        }
        SetOption(_) (self::options::OPTIONS)
        JoinGroup(_) {
            "join GROUP [INTERFACE]", "Without an interface it is that of the route to the group.",
                "join 239.1.2.3 eth0";
        }
        LeaveGroup(_) { "leave GROUP [INTERFACE]", "As it was joined.", "leave 239.1.2.3 eth0"; }
        SetSystemOption(_) {
            "system host-model (strong | weak)",
                "Strong unless set. On `/devices/sockets`.", "system host-model weak";
        }
        Capture(_) {
            "capture [direction (both | in | out)] [snap-length BYTES] [clock-offset MICROSECONDS] \
             [filter WORD ...]",
                "Both directions and whole frames unless given. The filter is that of \
                 pcap-filter(7), up to the end of the line. The device of an interface captures \
                 that one, `/devices/sockets` all.",
                "capture snap-length 96 filter tcp port 80";
        }
        ExportConfiguration(_) {
            "export", "", "export";
        }
        SwitchRadio(_) (self::options::SWITCH)
        ChangeRouter(_) {
            "router set [preference (low | medium | high)] [lifetime SECONDS] [interval SECONDS] \
             [hop-limit HOPS] [managed (on | off)] [other (on | off)] [mtu BYTES] \
             [reachable MILLISECONDS] [retransmit MILLISECONDS]",
                "Of medium preference for 1,800 seconds every 600 with a hop limit of 64, unless \
                 given; a lifetime of 0 is that of no default router.",
                "router set preference high lifetime 900 interval 300";
            "router prefix PREFIX [valid SECONDS] [preferred SECONDS] [on-link (on | off)] \
             [autonomous (on | off)]",
                "Valid for 30 days and preferred for 7, on the link and for addresses, unless \
                 given.",
                "router prefix fd00:3::/64 valid 7200 preferred 3600";
            "router route PREFIX [preference (low | medium | high)] [lifetime SECONDS]",
                "Medium for 1,800 seconds unless given.",
                "router route fd00:4::/48 preference low";
            "router dns IPV6", "", "router dns fd00:3::53";
            "router domain DOMAIN", "", "router domain lan";
            "router nat64 PREFIX [lifetime SECONDS]", "For 1,800 seconds unless given.",
                "router nat64 64:ff9b::/96";
            "router remove (prefix | route | nat64) PREFIX", "",
                "router remove prefix fd00:3::/64";
            "router remove dns IPV6", "", "router remove dns fd00:3::53";
            "router remove domain DOMAIN", "", "router remove domain lan";
            "router off", "", "router off";
        }
        Watch(_) {
            "watch [KIND ...]", "Every kind but sockets unless some are given.",
                "watch link address";
        }
        WatchEvents(_) {
            "watch (numbered | records) [KIND ...]",
                "As `watch`: `numbered` puts a number and a time before each line, `records` \
                 gives values instead of lines.",
                "watch numbered link socket";
        }
        SetDhcp6Client(_) {
            "dhcp6 client (off | auto | stateful | stateless) [prefixes (on | off)] [hint PREFIX] \
             [duid DUID] [iaid NUMBER] [rapid-commit (on | off)]",
                "`auto` asks for addresses or other configuration as routers advertise it. With \
                 `prefixes` networks for other interfaces are asked for too; the hint is a prefix, \
                 or `::` with a length. Identifiers are of the hardware address unless given. \
                 Everything is off unless set.",
                "dhcp6 client auto prefixes on hint ::/56";
        }
        RenewDhcp6(()) { "dhcp6 renew", "", "dhcp6 renew"; }
        AwaitDhcp6(_) { "dhcp6 wait MILLISECONDS", "", "dhcp6 wait 2000"; }
        SetDhcp6Server(_) {
            "dhcp6 server off", "", "dhcp6 server off";
            "dhcp6 server on [dns SERVERS] [domains DOMAINS] [refresh SECONDS]",
                "Tells other configuration, and has neither addresses nor prefixes. Clients ask \
                 again after 86,400 seconds unless given. Hosts ask it where `router set other on` \
                 says so.",
                "dhcp6 server on dns fd00:2::3 domains lan refresh 3600";
        }
        SetDownstream(_) {
            "dhcp6 downstream off", "", "dhcp6 downstream off";
            "dhcp6 downstream INTERFACE [subnet NUMBER] [advertise (on | off)]",
                "The interface gets the address `::1` in a network of 64 bits of each prefix that \
                 was delegated to the other one: the first network unless given. It is advertised \
                 unless `advertise` is off; without `router set`, not as a way to elsewhere.",
                "dhcp6 downstream eth1 subnet 1";
        }
    }
    // A line has no response, so commands that only read have none: the status text has it.
    without {
        GetInterface(()), ListInterfaces(()), GetStatistics(()), GetSynCookies(()), ListUsage(()),
        ListDrops(()), ListInterfaceDetails(()), ListCounters(()), GetMetrics(()),
        ListSystemOptions(()), GetCapture(()), GetConnection(_), ListAddresses(()),
        ListAddressDetails(()), ListAutoconfiguration(()), ListRoutes(()), ListRoutePreferences(()),
        ListRouteDetails(()), ListMultipathRoutes(()), FindFlowRoute(_), FindRoute(_),
        ListDnsServers(()), Resolve(_), QueryRecords(_), ListDnsCache(()), GetResolver(()),
        ListHosts(()), GetDnsSecurity(()), ListMulticastDns(()), BrowseServices(_), GetDhcp(()),
        GetDhcpServer(()), ListDhcpLeases(()), ListDhcpOptions(()), ListNeighbors(()),
        ListProxies(()), NextConnection(()), GetSocket(()), ListSockets(()), SendTo(_),
        ReceiveFrom(()), GetOptions(()), GetFurtherOptions(()), TakeError(()), ReceiveError(()),
        ListGroups(()), GetStreamStatistics(()), Peek(_), GetLastError(()), ApplyConfiguration(_),
        CheckConfiguration(_), GetRouter(()), GetFallback(()), GetDhcp6(()), GetDhcp6Server(()),
        ListGroupDetails(()), ListCaptureInterfaces(()), ListFirewall(()), ListFlows(()),
    }
}
