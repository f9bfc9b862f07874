//! The vocabulary: every command of a network device, once.
//!
//! The table below is the only place that defines a command's number, authority, request and
//! response, and whether it may wait (`waits`). The control device decodes requests with it, the
//! typed calls of programs encode with it, and [`text`] parses lines such as `address add
//! 10.0.0.2/24` into the same requests, so the forms cannot diverge. Numbers are explicit and never
//! reused; two equal ones do not compile, nor does a row without an implementation.
//!
//! [`errors`] lists the errors of a command, [`grammar`] the grammar of its line; [`line_error`]
//! says in words what is wrong with a line; `noun` has the nouns and their numbers. Further
//! commands of radios are those of their controllers, in [`wireless`].

pub mod address;
pub mod autoconfiguration;
pub mod capture;
pub mod configuration;
pub mod counters;
pub mod dhcp;
pub mod dhcp6;
pub mod dhcp_server;
pub mod dns;
pub mod drops;
pub mod errors;
pub mod escape;
pub mod event;
mod event_line;
pub mod fallback;
pub mod firewall;
mod form;
pub mod grammar;
pub mod interface;
mod interface_option;
mod kind;
pub mod line_error;
pub mod mdns;
pub mod mode;
pub mod multicast;
pub mod neighbor;
mod noun;
pub mod option;
pub mod placeholder;
pub mod record;
pub mod route;
pub mod router;
pub mod socket;
mod ssid;
pub mod stream;
mod syntax;
pub mod system;
pub mod text;
pub mod usage;
mod value;
pub mod watch;
pub mod wireless;
pub mod wireless_text;

use alloc::string::String;
use alloc::vec::Vec;
use core::net::{IpAddr, SocketAddr};

use devnet_virtual_file_system::Error;

use crate::address::{HardwareAddress, Prefix};

devnet_virtual_file_system::define_commands! {
    /// Commands of `/devices/network/NAME` and `/devices/sockets`.
    pub mod table, kind b'n' {
        /// Returns identity, state, link, hardware address, MTU and flags of the interface.
        1 => GetInterface: Read (()) -> interface::InterfaceStatus;
        /// Lists every interface (on `/devices/sockets`), or just this one.
        2 => ListInterfaces: Read (()) -> Vec<interface::InterfaceStatus>;
        /// Brings the interface administratively up or down; true if that changed something.
        3 => SetEnabled: Write (bool) -> bool;
        /// Sets the hardware address; true if that changed something.
        4 => SetHardwareAddress: Write (HardwareAddress) -> bool;
        /// Sets the MTU in bytes; true if that changed something.
        5 => SetMtu: Write (u32) -> bool;
        /// Sets the metric of the interface's routes without one of their own; true if that changed
        /// something.
        6 => SetMetric: Write (u32) -> bool;
        /// Returns the interface's counters.
        7 => GetStatistics: Read (()) -> interface::Statistics;
        /// Advertises this system as IPv6 router with a prefix, or stops that; true if that changed
        /// something.
        8 => SetAdvertisement: Write (Option<interface::Advertisement>) -> bool;
        /// Returns the interface's counters of SYN cookies.
        9 => GetSynCookies: Read (()) -> interface::SynCookies;
        /// Lists what is in use: on an interface its own, on `/devices/sockets` that of all
        /// interfaces.
        10 => ListUsage: Read (()) -> Vec<usage::Usage>;
        /// Lists the packets that were dropped, by reason: on an interface its own, on
        /// `/devices/sockets` those of all interfaces.
        11 => ListDrops: Read (()) -> Vec<drops::DropCount>;
        /// Lists the counters of the protocols by the names of SNMP: on an interface its own, on
        /// `/devices/sockets` those of all interfaces.
        12 => ListCounters: Read (()) -> Vec<counters::ProtocolCounters>;
        /// Returns every counter as text in the format of OpenMetrics, which Prometheus reads: on
        /// an interface its own, on `/devices/sockets` those of all interfaces.
        13 => GetMetrics: Read (()) -> String;
        /// Sets something of the interface; true if that changed something.
        14 => SetInterfaceOption: Write (interface::InterfaceOption) -> bool;
        /// Returns what the status does not have: on an interface its own, on `/devices/sockets`
        /// that of all interfaces.
        15 => ListInterfaceDetails: Read (()) -> Vec<interface::InterfaceDetails>;

        /// Lists the addresses in the order in which they were added.
        16 => ListAddresses: Read (()) -> Vec<address::AddressEntry>;
        /// Adds an address.
        17 => AddAddress: Write (address::NewAddress) -> ();
        /// Removes an address.
        18 => RemoveAddress: Write (Prefix) -> ();
        /// Removes every address that a command added; returns how many.
        19 => FlushAddresses: Write (()) -> u32;
        /// Makes these the addresses that commands added: those that stay are not touched, the
        /// others go and come, or nothing changes; true if that changed something.
        20 => ReplaceAddresses: Write (Vec<address::NewAddress>) -> bool;
        /// Adds an address with everything about it, or changes one that is there; true if that
        /// changed something.
        21 => SetAddress: Write (address::AddressChange) -> bool;
        /// Lists the addresses with everything about them, in the order in which they were added.
        22 => ListAddressDetails: Read (()) -> Vec<address::AddressDetail>;
        /// Sets an option of IPv6 autoconfiguration; true if that changed something.
        23 => SetAutoconfiguration: Write (autoconfiguration::AutoconfigurationOption) -> bool;
        /// Returns how IPv6 autoconfiguration stands: on an interface its own, on
        /// `/devices/sockets` that of all interfaces.
        24 => ListAutoconfiguration: Read (()) -> Vec<autoconfiguration::AutoconfigurationState>;

        /// Lists the routes: on an interface its own, on `/devices/sockets` those of all
        /// interfaces.
        32 => ListRoutes: Read (()) -> Vec<route::RouteEntry>;
        /// Adds a route.
        33 => AddRoute: Write (route::NewRoute) -> ();
        /// Removes the first route that matches.
        34 => RemoveRoute: Write (route::RouteSelector) -> ();
        /// Returns the route of a packet to this destination, and why it is chosen.
        35 => FindRoute: Read (IpAddr) -> route::RouteChoice;
        /// Lists the routes that routers advertise with another preference than medium, on an
        /// interface its own, on `/devices/sockets` those of all interfaces.
        36 => ListRoutePreferences: Read (()) -> Vec<route::RoutePreference>;
        /// Adds or replaces a route with everything about it; true if that changed something.
        37 => SetRoute: Write (route::RouteChange) -> bool;
        /// Removes the first route that matches, or all that do; returns how many. Connected routes
        /// and those of others count too.
        38 => RemoveRoutes: Write (route::RouteFilter) -> u32;
        /// Lists the routes with everything about them: on an interface its own, on
        /// `/devices/sockets` those of all interfaces and then those of the whole system.
        39 => ListRouteDetails: Read (()) -> Vec<route::RouteDetail>;
        /// Adds or replaces a route that may have several next hops; true if that changed
        /// something. In the other lists each next hop is a route.
        40 => SetMultipathRoute: Write (route::MultipathChange) -> bool;
        /// Lists the routes that have several next hops: on an interface its own, on
        /// `/devices/sockets` those of all interfaces.
        41 => ListMultipathRoutes: Read (()) -> Vec<route::MultipathRoute>;
        /// Returns the route and the next hop of a flow, and why it is chosen.
        42 => FindFlowRoute: Read (route::Flow) -> route::RouteChoice;

        /// Joins a multicast group on the interface, without a socket.
        43 => AddGroup: Write (IpAddr) -> ();
        /// Leaves a multicast group that `AddGroup` joined; what sockets joined stays.
        44 => RemoveGroup: Write (IpAddr) -> ();
        /// As `ListGroups`, with who wants each group.
        45 => ListGroupDetails: Read (()) -> Vec<multicast::GroupDetail>;

        /// Lists the DNS servers in the order in which they are queried: by the metric of their
        /// interface, then as they were added; on `/devices/sockets` those of the system come last.
        /// Of interfaces of equal metric the server that answers fastest is queried first.
        48 => ListDnsServers: Read (()) -> Vec<dns::DnsServer>;
        /// Adds a DNS server, on `/devices/sockets` one of the whole system.
        49 => AddDnsServer: Write (IpAddr) -> ();
        /// Removes a DNS server.
        50 => RemoveDnsServer: Write (IpAddr) -> ();
        /// Looks a name up; waits for the answer.
        51 => Resolve: Read, waits (dns::Question) -> dns::Answer;
        /// Looks up records of any type, and returns what the server answered; waits for it.
        52 => QueryRecords: Read, waits (dns::Query) -> dns::Reply;
        /// Lists the answers that are kept for questions on this device.
        53 => ListDnsCache: Read (()) -> Vec<dns::CacheEntry>;
        /// Forgets the answers that are kept for questions on this device; returns how many.
        54 => FlushDnsCache: Write (()) -> u32;
        /// Sets an option of the resolver; true if that changed something. Only `/devices/sockets`
        /// has it.
        55 => SetResolverOption: Write (dns::ResolverOption) -> bool;
        /// Returns the options of the resolver and the search domains.
        56 => GetResolver: Read (()) -> dns::ResolverStatus;
        /// Makes these the search domains that commands set, on an interface its own, on
        /// `/devices/sockets` those of the system; true if that changed something.
        57 => SetSearchDomains: Write (Vec<String>) -> bool;
        /// Lists the hosts table.
        58 => ListHosts: Read (()) -> Vec<dns::HostEntry>;
        /// Changes the hosts table; true if that changed something. Only `/devices/sockets` has it.
        59 => ChangeHosts: Write (dns::HostsChange) -> bool;
        /// Sets what the interface does with multicast DNS; true if that changed something.
        60 => SetMulticastDns: Write (mdns::MulticastDnsOption) -> bool;
        /// Returns names and services of multicast DNS: on an interface its own, on
        /// `/devices/sockets` those of all interfaces.
        61 => ListMulticastDns: Read (()) -> Vec<mdns::MulticastDnsStatus>;
        /// Publishes or withdraws a service of this host on the interface; true if that changed
        /// something.
        62 => ChangeServices: Write (mdns::ServiceChange) -> bool;
        /// Looks for services on the link of the interface, on `/devices/sockets` on those of all
        /// interfaces that resolve names so; waits as long as it is told.
        63 => BrowseServices: Read, waits (mdns::ServiceBrowse) -> Vec<mdns::FoundService>;

        /// Starts the DHCPv4 client; true if it was not running.
        64 => StartDhcp: Write (dhcp::DhcpOptions) -> bool;
        /// Stops the DHCPv4 client, releases the lease and removes what it added; true if it was
        /// running.
        65 => StopDhcp: Write (()) -> bool;
        /// Renews the lease now.
        66 => RenewDhcp: Write (()) -> ();
        /// Returns the state of the DHCPv4 client and its lease.
        67 => GetDhcp: Read (()) -> dhcp::DhcpStatus;
        /// Waits until the DHCPv4 client is bound; the request is the longest wait in milliseconds.
        68 => AwaitDhcp: Read, waits (u32) -> dhcp::DhcpStatus;
        /// Starts the DHCPv4 server, or gives the running one these options; true if it was not
        /// running. Leases and reservations of a running one stay, so that it cannot move to a
        /// network that a reservation is not of.
        69 => StartDhcpServer: Write (dhcp_server::DhcpServerOptions) -> bool;
        /// Stops the DHCPv4 server and forgets its leases and reservations; true if it was running.
        70 => StopDhcpServer: Write (()) -> bool;
        /// Returns what the DHCPv4 server hands out and its statistics.
        71 => GetDhcpServer: Read (()) -> dhcp_server::DhcpServerStatus;
        /// Lists the leases and reservations of the DHCPv4 server by address.
        72 => ListDhcpLeases: Read (()) -> Vec<dhcp_server::ServerLease>;
        /// Changes the leases and reservations of the DHCPv4 server; true if that changed
        /// something.
        73 => ChangeDhcpLeases: Write (dhcp_server::LeaseChange) -> bool;
        /// Starts the DHCPv4 client as `StartDhcp` does, with everything that it can be told; true
        /// if it was not running. A running one uses it from its next message on.
        74 => StartDhcpClient: Write (dhcp::DhcpClientOptions) -> bool;
        /// Lists the options of the DHCPv4 client's lease by number, as the server sent them.
        75 => ListDhcpOptions: Read (()) -> Vec<dhcp_server::RawOption>;
        /// Sets what the DHCPv4 client makes of the interface while no server answers; true if that
        /// changed something.
        76 => SetFallback: Write (fallback::Fallback) -> bool;
        /// Returns the fall-back of the interface, and whether it is used.
        77 => GetFallback: Read (()) -> fallback::FallbackStatus;

        /// Changes which DNS servers are asked over TLS (RFC 7858), whoever named them; true if
        /// that changed something. Only `/devices/sockets` has it.
        78 => ChangeDnsSecurity: Write (dns::DnsSecurityChange) -> bool;
        /// Returns which DNS servers are asked over TLS.
        79 => GetDnsSecurity: Read (()) -> dns::DnsSecurity;

        /// Lists the neighbors (ARP and NDP).
        80 => ListNeighbors: Read (()) -> Vec<neighbor::NeighborEntry>;
        /// Adds or replaces a static neighbor.
        81 => AddNeighbor: Write (neighbor::NewNeighbor) -> ();
        /// Removes a neighbor.
        82 => RemoveNeighbor: Write (IpAddr) -> ();
        /// Removes every neighbor that is not static; returns how many.
        83 => FlushNeighbors: Write (()) -> u32;
        /// Answers ARP requests and neighbor solicitations for an address of somebody else, with
        /// the hardware address of the interface; true if it did not.
        84 => AddProxy: Write (IpAddr) -> bool;
        /// Answers for an address no longer.
        85 => RemoveProxy: Write (IpAddr) -> ();
        /// Lists the addresses of others that are answered for: on an interface its own, on
        /// `/devices/sockets` those of all interfaces.
        86 => ListProxies: Read (()) -> Vec<neighbor::ProxyEntry>;

        /// Makes this open file a socket.
        96 => CreateSocket: Write (socket::SocketKind) -> ();
        /// Gives the socket a local address; port 0 is an ephemeral port. Returns the address.
        97 => Bind: Write (SocketAddr) -> SocketAddr;
        /// Connects the socket; waits for a stream. Returns the local address.
        98 => Connect: Write, waits (SocketAddr) -> SocketAddr;
        /// Makes the stream socket a listener with this backlog.
        99 => Listen: Write (u32) -> ();
        /// Takes the next connection of the listener; waits for one. The token is claimed with
        /// `Accept`.
        100 => NextConnection: Read, waits (()) -> socket::Offer;
        /// Makes this open file the stream of an offered connection.
        101 => Accept: Write (u64) -> socket::SocketStatus;
        /// Returns kind, state and addresses of the file's socket.
        102 => GetSocket: Read (()) -> socket::SocketStatus;
        /// Shuts down one or both directions of a stream.
        103 => Shutdown: Write (socket::Direction) -> ();
        /// Sets an option of the socket.
        104 => SetOption: Write (socket::SocketOption) -> ();
        /// Lists the sockets of the interface, or of all interfaces.
        105 => ListSockets: Read (()) -> Vec<socket::SocketStatus>;
        /// Sends one datagram to a given address; waits for room.
        106 => SendTo: Write, waits (socket::OutgoingDatagram) -> ();
        /// Receives one datagram with its addresses; waits for one.
        107 => ReceiveFrom: Read, waits (()) -> socket::Datagram;
        /// Returns the value of every option of the socket, and the path MTU of a connected one.
        108 => GetOptions: Read (()) -> socket::SocketOptions;
        /// Takes the socket's pending error (SO_ERROR).
        109 => TakeError: Read (()) -> Option<Error>;
        /// Joins a multicast group; closing the socket leaves it.
        110 => JoinGroup: Write (multicast::Membership) -> ();
        /// Leaves a multicast group that this socket joined.
        111 => LeaveGroup: Write (multicast::Membership) -> ();
        /// Takes the oldest ICMP error with the packet that it quotes; never waits. Needs the
        /// option `ReceiveErrors`.
        112 => ReceiveError: Read (()) -> socket::ErrorReport;
        /// Lists the multicast groups that the interface, or every interface, receives.
        113 => ListGroups: Read (()) -> Vec<multicast::GroupEntry>;
        /// Returns the statistics of the stream and its path (TCP_INFO).
        114 => GetStreamStatistics: Read (()) -> stream::StreamStatistics;
        /// Returns the data of the next read of the socket, at most so many bytes (64 KiB at most),
        /// and leaves it in the queue; waits for it (MSG_PEEK).
        115 => Peek: Read, waits (u32) -> socket::Peeked;
        /// Returns the values of the options that `GetOptions` does not have.
        116 => GetFurtherOptions: Read (()) -> socket::FurtherOptions;
        /// Ends a connection of whatever program (SOCK_DESTROY): the peer is reset, the program
        /// gets `ConnectionAborted`.
        117 => EndConnection: Write (socket::ConnectionName) -> ();
        /// Returns the statistics of a connection of whatever program, as `GetStreamStatistics`
        /// does for the file's own.
        118 => GetConnection: Read (socket::ConnectionName) -> stream::StreamStatistics;

        /// Makes this open file a reader of events of these kinds: a snapshot, then changes.
        128 => Watch: Read (watch::Kinds) -> ();
        /// As `Watch`, with a number and a time for each record, or with records as values.
        129 => WatchEvents: Read (watch::WatchOptions) -> ();

        /// Adds a rule to a chain of the firewall; returns its handle.
        132 => AddFirewallRule: Write (firewall::NewFirewallRule) -> u32;
        /// Replaces a rule, which keeps its handle; true if that changed something.
        133 => ReplaceFirewallRule: Write (firewall::RuleReplacement) -> bool;
        /// Removes the rule with this handle.
        134 => RemoveFirewallRule: Write (u32) -> ();
        /// Removes the rules of a chain, or of both; returns how many. Policies stay.
        135 => FlushFirewallRules: Write (Option<firewall::FirewallChain>) -> u32;
        /// Sets the policy of a chain; true if that changed something.
        136 => SetFirewallPolicy: Write (firewall::ChainPolicy) -> bool;
        /// Makes the rules those of a profile; true if that changed something.
        137 => SetFirewallProfile: Write (firewall::FirewallProfile) -> bool;
        /// Lists rules with their counters, on `/devices/sockets` those of all interfaces.
        138 => ListFirewall: Read (()) -> Vec<firewall::FirewallStatus>;
        /// Sets the counters of the rules and policies to zero.
        139 => ResetFirewall: Write (()) -> ();
        /// Lists the flows that rules know, on `/devices/sockets` those of all interfaces.
        140 => ListFlows: Read (()) -> Vec<firewall::TrackedFlow>;
        /// Forgets these flows; returns how many.
        141 => FlushFlows: Write (()) -> u32;
        /// Returns why the last lines that were written to this open file failed, in words; none
        /// after lines that succeeded.
        144 => GetLastError: Read (()) -> Option<line_error::LastError>;
        /// Sets an option of the system; true if that changed something. Only `/devices/sockets`
        /// has it.
        160 => SetSystemOption: Write (system::SystemOption) -> bool;
        /// Lists the options of the system, one each. Only `/devices/sockets` has it.
        161 => ListSystemOptions: Read (()) -> Vec<system::SystemOption>;
        /// Makes this open file a capture: a pcapng stream of both directions, on
        /// `/devices/sockets` of all interfaces. On an interface's device writes send frames.
        176 => Capture: Read (capture::CaptureOptions) -> ();
        /// Returns what the capture of this open file has seen.
        177 => GetCapture: Read (()) -> capture::CaptureStatistics;

        /// Returns the lines that make a new interface, or on `/devices/sockets` a new system, what
        /// commands made of this one. What was learned is not among them. After `true` the next
        /// read of the file returns them, up to its end, and the response is empty.
        192 => ExportConfiguration: Read (bool) -> String;
        /// Makes the interface, or on `/devices/sockets` what the sections of the text name, what a
        /// new one is after these lines, or changes nothing; what is so already is not touched.
        /// Returns what that changed.
        193 => ApplyConfiguration: Write (configuration::ConfigurationText)
            -> configuration::ConfigurationOutcome;
        /// Returns what `ApplyConfiguration` would change, or fails as it would; changes nothing.
        194 => CheckConfiguration: Read (configuration::ConfigurationText)
            -> configuration::ConfigurationOutcome;
        /// Makes a wireless interface a station that gets its address by DHCP, or an access point
        /// with an address that may serve others, whatever it was: the radio first, then the IPv4
        /// addresses that commands added, the DHCPv4 client and server. All of it or nothing.
        208 => SwitchRadio: Write, waits (wireless::RadioSwitch) -> ();
        /// Changes what the interface advertises as a router; true if that changed something. It
        /// begins with the first thing that is said. `SetAdvertisement` is short for one prefix.
        224 => ChangeRouter: Write (router::RouterChange) -> bool;
        /// Returns what the interface advertises as a router; none when it is none.
        225 => GetRouter: Read (()) -> Option<router::RouterAdvertisement>;

        /// Tells the DHCPv6 client what to ask for; true if that changed something.
        240 => SetDhcp6Client: Write (dhcp6::Dhcp6ClientOptions) -> bool;
        /// Renews the leases of the DHCPv6 client, or its other configuration, now.
        241 => RenewDhcp6: Write (()) -> ();
        /// Returns the state of the DHCPv6 client, and networks of an uplink's prefixes.
        242 => GetDhcp6: Read (()) -> dhcp6::Dhcp6Status;
        /// Waits until the DHCPv6 client has what it asks for, so many milliseconds at most.
        243 => AwaitDhcp6: Read, waits (u32) -> dhcp6::Dhcp6Status;
        /// Starts or stops the stateless DHCPv6 server; true if that changed something.
        244 => SetDhcp6Server: Write (Option<dhcp6::Dhcp6ServerOptions>) -> bool;
        /// Returns what the DHCPv6 server tells and its statistics.
        245 => GetDhcp6Server: Read (()) -> dhcp6::Dhcp6ServerStatus;
        /// Sets where the interface gets networks from; true if that changed something.
        246 => SetDownstream: Write (Option<dhcp6::Downstream>) -> bool;
        /// Lists what the capture of this open file has seen of each interface.
        247 => ListCaptureInterfaces: Read (()) -> Vec<capture::InterfaceCapture>;

        /// Makes this open file a reader of the services of a type that come, change and go on the
        /// link of the interface, on `/devices/sockets` on those of all interfaces that resolve
        /// names so; or restarts it. As long as it is open the link is asked for them.
        248 => WatchServices: Read (mdns::ServiceWatch) -> ();
    }
}

pub use noun::{noun, nouns};
pub use table::*;
