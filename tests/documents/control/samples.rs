//! One sample of each command: a request, the line that says the same, and a response.
//!
//! The compiler checks each against the types in the table. Samples are never changed: their bytes
//! stand in `commands.golden` forever.

use std::any::type_name;
use std::io::{Result, Write};

use devnet_network::command::address::{
    AddressChange, AddressDetail, AddressEntry, AddressState, NewAddress, Origin, Scope,
};
use devnet_network::command::autoconfiguration::{
    AutoconfigurationOption, AutoconfigurationState, Identifiers, Privacy,
};
use devnet_network::command::capture::{
    CaptureDirection, CaptureOptions, CaptureStatistics, InterfaceCapture,
};
use devnet_network::command::configuration::{
    ConfigurationChange, ConfigurationNote, ConfigurationOutcome, ConfigurationText, NoteKind,
};
use devnet_network::command::counters::{CounterValue, ProtocolCounters};
use devnet_network::command::dhcp::{
    DhcpClientOptions, DhcpLease, DhcpOptions, DhcpState, DhcpStatus,
};
use devnet_network::command::dhcp_server::{
    AddressRange, ClientName, DhcpServerOptions, DhcpServerStatistics, DhcpServerStatus,
    LeaseChange, LeaseState, RawOption, Reservation, ServerLease,
};
use devnet_network::command::dns::{
    Answer, CacheEntry, DnsSecurity, DnsSecurityChange, DnsServer, HostEntry, HostsChange, Query,
    Question, Record, RecordData, RecordKind, Reply, ResolverOption, ResolverStatus, SearchDomain,
    SecureServer,
};
use devnet_network::command::drops::{DropCount, DropReason};
use devnet_network::command::fallback::{Fallback, FallbackStatus};
use devnet_network::command::firewall::{
    ChainPolicy, ChainStatus, FirewallAction, FirewallChain, FirewallProfile, FirewallRule,
    FirewallStatus, FlowStates, ListedRule, NewFirewallRule, PacketRate, RatePeriod, RulePlace,
    RuleReplacement, TrackedFlow,
};
use devnet_network::command::interface::{
    Advertisement, InterfaceDetails, InterfaceFlags, InterfaceOption, InterfaceStatus,
    ReceiveDrops, SendDrops, Statistics, SynCookies,
};
use devnet_network::command::line_error::LastError;
use devnet_network::command::mdns::{
    ClaimState, FoundService, LocalService, MulticastDnsMode, MulticastDnsOption,
    MulticastDnsStatus, PublishedService, ServiceBrowse, ServiceChange, ServiceWatch,
};
use devnet_network::command::multicast::{GroupDetail, GroupEntry, Membership};
use devnet_network::command::neighbor::{NeighborEntry, NeighborState, NewNeighbor, ProxyEntry};
use devnet_network::command::option::{
    CongestionControl, FurtherOptions, FurtherStreamOptions, PathMtuDiscovery, SocketOption,
    SocketOptions, StreamOptions,
};
use devnet_network::command::record::{MailExchange, RecordType, ResourceData, ResourceRecord};
use devnet_network::command::route::{
    ChangeMode, Flow, MultipathChange, MultipathRoute, NewRoute, NextHop, NextHopStatus,
    Preference, RouteChange, RouteChoice, RouteDetail, RouteEntry, RouteFilter, RouteKind,
    RoutePreference, RouteSelector,
};
use devnet_network::command::router::{
    AdvertisedNat64, AdvertisedPrefix, AdvertisedRoute, RouterAdvertisement, RouterChange,
    RouterSettings,
};
use devnet_network::command::socket::{
    ConnectionName, Datagram, Direction, ErrorOrigin, ErrorReport, Offer, OutgoingDatagram, Peeked,
    SocketKind, SocketState, SocketStatus,
};
use devnet_network::command::stream::StreamStatistics;
use devnet_network::command::system::{HostModel, SystemOption};
use devnet_network::command::usage::Usage;
use devnet_network::command::watch::{Kinds, WatchOptions};
use devnet_network::command::*;
use devnet_network::driver::{Kind, LinkSpeed, LinkState, Medium};
use devnet_virtual_file_system::{ControlCommand, Error, Identifier, encode};
use serde_json::ser::Formatter;

/// What one side says: its type, its value as Rust shows it and as JSON, and its bytes.
pub(crate) struct Payload {
    pub(crate) type_name: &'static str,
    pub(crate) shown: String,
    pub(crate) json: String,
    pub(crate) bytes: Vec<u8>,
}

impl Payload {
    fn new<T: serde::Serialize + std::fmt::Debug>(value: &T) -> Self {
        let bytes = encode(value).expect("a sample that can be encoded");
        let mut json = Vec::new();
        let mut serializer = serde_json::Serializer::with_formatter(&mut json, Spaced);
        value.serialize(&mut serializer).expect("a sample that can be shown");
        let json = String::from_utf8(json).expect("text");
        Self { type_name: type_name::<T>(), shown: format!("{value:?}"), json, bytes }
    }
}

/// JSON with blanks, so that lines can be broken.
struct Spaced;

impl Formatter for Spaced {
    fn begin_array_value<W: Write + ?Sized>(&mut self, to: &mut W, first: bool) -> Result<()> {
        to.write_all(if first { b"" } else { b", " })
    }

    fn begin_object_key<W: Write + ?Sized>(&mut self, to: &mut W, first: bool) -> Result<()> {
        to.write_all(if first { b"" } else { b", " })
    }

    fn begin_object_value<W: Write + ?Sized>(&mut self, to: &mut W) -> Result<()> {
        to.write_all(b": ")
    }
}

/// A sample of one command.
pub(crate) struct Sample {
    pub(crate) name: &'static str,
    /// The line that says the same; empty for a command without text form.
    pub(crate) line: &'static str,
    pub(crate) command: Known,
    pub(crate) request: Payload,
    pub(crate) response: Payload,
}

/// A command of one of the tables.
#[derive(PartialEq, Debug)]
pub(crate) enum Known {
    Stack(Request),
    Radio(wireless::Request),
}

impl Known {
    /// The forms of its line.
    pub(crate) fn lines(&self) -> Vec<&'static str> {
        match self {
            Self::Stack(request) => request.grammar().iter().map(|form| form.line).collect(),
            Self::Radio(request) => {
                let is_its = |(identifier, _): &&(_, _)| *identifier == request.identifier();
                wireless_text::ROWS.iter().filter(is_its).map(|(_, line)| *line).collect()
            }
        }
    }

    pub(crate) const fn errors(&self) -> &'static [Error] {
        match self {
            Self::Stack(request) => request.errors(),
            Self::Radio(request) => request.errors(),
        }
    }

    fn decode(identifier: Identifier, bytes: &[u8]) -> Option<Self> {
        let of_stack = Request::decode(identifier, bytes).map(|known| known.map(Self::Stack));
        let of_radio = || wireless::Request::decode(identifier, bytes);
        of_stack.or_else(|| of_radio().map(|known| known.map(Self::Radio)))?.ok()
    }
}

pub(crate) fn sample<C>(line: &'static str, request: C::Request, response: C::Response) -> Sample
where
    C: ControlCommand<Request: std::fmt::Debug, Response: std::fmt::Debug>,
{
    let request = Payload::new(&request);
    let command = Known::decode(C::IDENTIFIER, &request.bytes).expect("a request of a table");
    Sample { name: C::NAME, line, command, request, response: Payload::new(&response) }
}

pub(crate) fn read<T: std::str::FromStr<Err: std::fmt::Debug>>(text: &str) -> T {
    text.parse().expect("a sample value")
}

/// The samples of both tables, one after the other.
pub(crate) fn all() -> impl Iterator<Item = Sample> {
    samples().into_iter().chain(super::radios::samples())
}

/// The sample of every command of the stack, in the order of the table.
pub(crate) fn samples() -> Vec<Sample> {
    let mut all = Vec::new();
    all.extend(interfaces());
    all.extend(addresses());
    all.extend(routes());
    all.extend(groups());
    all.extend(names());
    all.extend(link_names());
    all.extend(dhcp());
    all.extend(dhcp_server());
    all.extend(dns_security());
    all.extend(neighbors());
    all.extend(sockets());
    all.extend(options());
    all.push(sample::<Watch>("watch link stream", Kinds::LINK | Kinds::STREAM, ()));
    let numbered = WatchOptions { numbered: true, ..WatchOptions::lines(Kinds::LINK) };
    all.push(sample::<WatchEvents>("watch numbered link", numbered, ()));
    all.extend(firewall());
    all.push(sample::<GetLastError>("", (), Some(last_error())));
    let model = SystemOption::HostModel(HostModel::Weak);
    all.push(sample::<SetSystemOption>("system host-model weak", model, true));
    all.push(sample::<ListSystemOptions>("", (), vec![model]));
    all.extend(captures());
    all.extend(configurations());
    all.push(super::radios::switch());
    let prefix = RouterChange::Prefix(AdvertisedPrefix::new(read("fd00:3::/64")));
    all.push(sample::<ChangeRouter>("router prefix fd00:3::/64", prefix, true));
    all.push(sample::<GetRouter>("", (), Some(router())));
    all.extend(super::dhcp6::samples());
    let captured = InterfaceCapture { interface: "eth0".into(), passed: 120, lost: 3 };
    all.push(sample::<ListCaptureInterfaces>("", (), vec![captured]));
    let service_type = String::from("_http._tcp");
    let watch = ServiceWatch { service_type, numbered: false, records: false };
    all.push(sample::<WatchServices>("dns watch _http._tcp", watch, ()));
    all
}

fn dns_security() -> [Sample; 2] {
    let name = String::from("one.one.one.one");
    let server = SecureServer { address: read("1.1.1.1"), name, port: SecureServer::PORT };
    let line = "dns tls add 1.1.1.1 one.one.one.one";
    let status = DnsSecurity { is_required: false, servers: vec![server.clone()] };
    [
        sample::<ChangeDnsSecurity>(line, DnsSecurityChange::Add(server), true),
        sample::<GetDnsSecurity>("", (), status),
    ]
}

fn captures() -> [Sample; 2] {
    let options = CaptureOptions {
        snap_length: 96,
        direction: CaptureDirection::In,
        clock_offset: 1_796_000,
        filter: "tcp port 80".into(),
    };
    let line = "capture snap-length 96 direction in clock-offset 1796000 \
                filter tcp port 80";
    [
        sample::<Capture>(line, options, ()),
        sample::<GetCapture>("", (), CaptureStatistics { passed: 120, lost: 3, sent: 1 }),
    ]
}

fn configurations() -> [Sample; 3] {
    let text = ConfigurationText { text: "link up\nmtu 1400\n".into(), has_more: false };
    let change = ConfigurationChange {
        interface: "eth0".into(),
        removed: vec!["link down".into()],
        added: vec!["mtu 1400".into(), "link up".into()],
    };
    let note = ConfigurationNote { line: 3, kind: NoteKind::AddressBesideDhcp };
    let outcome = ConfigurationOutcome { changes: vec![change], notes: vec![note] };
    [
        sample::<ExportConfiguration>("export", true, String::new()),
        sample::<ApplyConfiguration>("", text.clone(), outcome.clone()),
        sample::<CheckConfiguration>("", text, outcome),
    ]
}

fn last_error() -> LastError {
    LastError {
        line: 2,
        error: Error::InvalidInput,
        message: "line 2: \"1.2.3\" is no prefix; address remove PREFIX".into(),
    }
}

fn interface() -> InterfaceStatus {
    InterfaceStatus {
        index: 2,
        name: "eth0".into(),
        kind: Kind::Ethernet,
        medium: Medium::Ethernet,
        enabled: true,
        link: LinkState::Up,
        flags: InterfaceFlags::of(Kind::Ethernet, true, LinkState::Up),
        hardware_address: Some(read("02:00:00:00:00:01")),
        mtu: 1500,
        mtu_maximum: 9000,
        burst: Some(256),
        metric: 0,
        age_micros: 3_000_000,
    }
}

fn interface_details() -> InterfaceDetails {
    InterfaceDetails {
        interface: "eth0".into(),
        description: "to the cellar".into(),
        promiscuous: false,
        all_multicast: true,
        arp: true,
        transmit_queue: 500,
        reachable_milliseconds: 30_000,
        retransmit_milliseconds: 1000,
        neighbor_probes: 3,
        link_changes: 2,
        link_age_micros: 4_250_000,
        speed: Some(LinkSpeed { megabits: 1000, full_duplex: true }),
    }
}

fn interfaces() -> Vec<Sample> {
    let statistics = Statistics {
        received_packets: 12,
        received_bytes: 1340,
        sent_packets: 6,
        sent_bytes: 888,
        received_drops: ReceiveDrops {
            disabled: 1,
            malformed: 2,
            checksum: 3,
            not_for_us: 4,
            martian: 5,
            protocol: 6,
            no_socket: 7,
            full: 8,
            fragment: 9,
            segment: 10,
        },
        sent_drops: SendDrops { disabled: 11, no_route: 12, neighbor: 13, full: 14, too_large: 15 },
        polls: 300,
    };
    let advertisement =
        Advertisement { prefix: read("fd00:2::/64"), dns_servers: vec![read("fd00:2::3")] };
    vec![
        sample::<GetInterface>("", (), interface()),
        sample::<ListInterfaces>("", (), vec![interface()]),
        sample::<SetEnabled>("link up", true, true),
        sample::<SetHardwareAddress>("mac 02:00:00:00:00:01", read("02:00:00:00:00:01"), true),
        sample::<SetMtu>("mtu 1400", 1400, true),
        sample::<SetMetric>("metric 5", 5, true),
        sample::<GetStatistics>("", (), statistics),
        sample::<SetAdvertisement>("advertise fd00:2::/64 fd00:2::3", Some(advertisement), true),
        sample::<GetSynCookies>("", (), SynCookies { sent: 16, received: 17, failed: 18 }),
        sample::<ListUsage>("", (), vec![usage()]),
        sample::<ListDrops>("", (), vec![drops()]),
        sample::<ListCounters>("", (), vec![counters()]),
        sample::<GetMetrics>("", (), "# EOF\n".to_owned()),
        sample::<SetInterfaceOption>("link queue 500", InterfaceOption::TransmitQueue(500), true),
        sample::<ListInterfaceDetails>("", (), vec![interface_details()]),
    ]
}

fn counters() -> ProtocolCounters {
    let counters = vec![CounterValue { name: "IpInReceives".into(), value: 12 }];
    ProtocolCounters { interface: "eth0".into(), counters }
}

fn drops() -> DropCount {
    DropCount { interface: "eth0".into(), reason: DropReason::NoSocket, packets: 7 }
}

fn usage() -> Usage {
    Usage {
        interface: "eth0".into(),
        connections: 1,
        half_open: 2,
        orphans: 3,
        time_wait: 4,
        listeners: 5,
        datagram_sockets: 6,
        neighbors: 7,
        tcp_memory: 8,
        tcp_memory_of_system: 9,
        tcp_memory_limit: 10,
    }
}

fn addresses() -> Vec<Sample> {
    let entry = AddressEntry {
        prefix: read("10.0.0.2/24"),
        broadcast: Some(read("10.0.0.255")),
        origin: Origin::Dhcp,
        state: AddressState::Preferred,
        scope: Scope::Global,
        valid_seconds: Some(3600),
        preferred_seconds: Some(3600),
    };
    let new = NewAddress { prefix: read("10.0.0.2/24"), broadcast: None };
    let change = AddressChange {
        replace: true,
        label: Some("eth0:1".into()),
        valid_seconds: Some(600),
        ..AddressChange::new(read("10.0.0.2/24"))
    };
    let detail = AddressDetail {
        entry,
        peer: None,
        label: Some("eth0:1".into()),
        secondary: true,
        no_prefix_route: false,
    };
    vec![
        sample::<ListAddresses>("", (), vec![entry]),
        sample::<AddAddress>("address add 10.0.0.2/24", new, ()),
        sample::<RemoveAddress>("address remove 10.0.0.2/24", read("10.0.0.2/24"), ()),
        sample::<FlushAddresses>("address flush", (), 1),
        sample::<ReplaceAddresses>("address replace 10.0.0.2/24", vec![new], true),
        sample::<SetAddress>("address set 10.0.0.2/24 label eth0:1 valid 600", change, true),
        sample::<ListAddressDetails>("", (), vec![detail]),
        sample::<SetAutoconfiguration>(
            "autoconf privacy preferred",
            AutoconfigurationOption::Privacy(Privacy::Preferred),
            true,
        ),
        sample::<ListAutoconfiguration>("", (), vec![autoconfiguration()]),
    ]
}

fn router() -> RouterAdvertisement {
    RouterAdvertisement {
        settings: RouterSettings { other: true, mtu: Some(1400), ..RouterSettings::default() },
        prefixes: vec![AdvertisedPrefix::new(read("fd00:3::/64"))],
        routes: vec![AdvertisedRoute {
            prefix: read("fd00:4::/48"),
            preference: Preference::Low,
            lifetime_seconds: 1800,
        }],
        dns_servers: vec![read("fd00:3::53")],
        domains: vec!["lan".into()],
        nat64: vec![AdvertisedNat64 { prefix: read("64:ff9b::/96"), lifetime_seconds: 1800 }],
    }
}

fn autoconfiguration() -> AutoconfigurationState {
    AutoconfigurationState {
        interface: "eth0".into(),
        identifiers: Identifiers::Stable,
        privacy: Privacy::Preferred,
        advertisements: true,
        addresses: true,
        probes: 1,
        temporary_valid: 172_800,
        temporary_preferred: 86_400,
        managed: false,
        other: true,
        temporary: vec![read("fd00::5")],
        nat64: vec![read("64:ff9b::/96")],
    }
}

fn routes() -> Vec<Sample> {
    let entry = RouteEntry {
        destination: read("0.0.0.0/0"),
        gateway: Some(read("10.0.0.1")),
        metric: 5,
        origin: Origin::Static,
        source: None,
        interface: "eth0".into(),
        usable: true,
    };
    let new = NewRoute {
        destination: read("0.0.0.0/0"),
        gateway: Some(read("10.0.0.1")),
        metric: 5,
        interface: None,
        append: false,
    };
    let selector = RouteSelector {
        destination: read("192.0.2.0/24"),
        gateway: None,
        metric: None,
        interface: Some("eth0".into()),
    };
    let choice = RouteChoice {
        destination: read("192.0.2.9"),
        interface: "eth0".into(),
        gateway: Some(read("10.0.0.1")),
        source: read("10.0.0.2"),
        route: Some(entry.clone()),
    };
    let preference = RoutePreference {
        destination: read("::/0"),
        gateway: read("fe80::1"),
        interface: "eth0".into(),
        preference: Preference::High,
    };
    let change = RouteChange {
        mode: ChangeMode::Replace,
        destination: read("198.51.100.0/24"),
        gateway: Some(read("10.0.0.1")),
        mtu: Some(1400),
        ..RouteChange::default()
    };
    let filter =
        RouteFilter { all: true, gateway: Some(read("10.0.0.1")), ..RouteFilter::default() };
    let detail = RouteDetail {
        route: entry.clone(),
        kind: RouteKind::Unicast,
        mtu: Some(1400),
        onlink: false,
        protocol: RouteDetail::BOOT,
        expires_seconds: None,
    };
    let hop = |gateway, weight| NextHop { gateway: read(gateway), weight };
    let multipath = MultipathChange {
        route: RouteChange { destination: read("198.51.100.0/24"), ..RouteChange::default() },
        hops: vec![hop("10.0.0.1", 1), hop("10.0.0.3", 2)],
    };
    let several = MultipathRoute {
        route: RouteDetail {
            route: RouteEntry { gateway: None, ..entry.clone() },
            ..detail.clone()
        },
        hops: vec![NextHopStatus { gateway: read("10.0.0.1"), weight: 2, answers: true }],
    };
    let flow = Flow {
        destination: read("192.0.2.9"),
        source: Some(read("10.0.0.2")),
        protocol: 6,
        source_port: 40_000,
        destination_port: 80,
    };
    vec![
        sample::<ListRoutes>("", (), vec![entry]),
        sample::<AddRoute>("route add default via 10.0.0.1 metric 5", new, ()),
        sample::<RemoveRoute>("route remove 192.0.2.0/24 interface eth0", selector, ()),
        sample::<FindRoute>("", read("192.0.2.9"), choice.clone()),
        sample::<ListRoutePreferences>("", (), vec![preference]),
        sample::<SetRoute>("route replace 198.51.100.0/24 via 10.0.0.1 mtu 1400", change, true),
        sample::<RemoveRoutes>("route flush via 10.0.0.1", filter, 1),
        sample::<ListRouteDetails>("", (), vec![detail]),
        sample::<SetMultipathRoute>(
            "route insert 198.51.100.0/24 hops 10.0.0.1,10.0.0.3*2",
            multipath,
            true,
        ),
        sample::<ListMultipathRoutes>("", (), vec![several]),
        sample::<FindFlowRoute>("", flow, choice),
    ]
}

fn names() -> Vec<Sample> {
    let server =
        DnsServer { address: read("10.0.0.53"), origin: Origin::Static, interface: "eth0".into() };
    let question = Question { name: "web.lan".into(), kind: RecordKind::Address, server: None };
    let alias = Record {
        name: "web.lan".into(),
        data: RecordData::Cname("host.lan".into()),
        time_to_live: 60,
    };
    let record = Record {
        name: "host.lan".into(),
        data: RecordData::Address(read("10.0.0.4")),
        time_to_live: 300,
    };
    let answer = Answer { server: Some(read("10.0.0.53:53")), records: vec![alias, record] };
    vec![
        sample::<ListDnsServers>("", (), vec![server]),
        sample::<AddDnsServer>("dns add 10.0.0.53", read("10.0.0.53"), ()),
        sample::<RemoveDnsServer>("dns remove 10.0.0.53", read("10.0.0.53"), ()),
        sample::<Resolve>("", question, answer),
        records(),
    ]
    .into_iter()
    .chain(resolver())
    .collect()
}

fn resolver() -> Vec<Sample> {
    let record = ResourceRecord {
        name: "web.lan".into(),
        record_type: RecordType::A,
        time_to_live: 300,
        data: ResourceData::Address(read("10.0.0.4")),
    };
    let kept = CacheEntry {
        name: "web.lan".into(),
        record_type: RecordType::A,
        code: 0,
        seconds: 280,
        server: read("10.0.0.53:53"),
        interface: String::new(),
        records: vec![record],
    };
    let domain =
        SearchDomain { domain: "lan".into(), origin: Origin::Dhcp, interface: "eth0".into() };
    let status = ResolverStatus {
        options: vec![
            ResolverOption::Dots(1),
            ResolverOption::Timeout(30_000),
            ResolverOption::Stale(0),
            ResolverOption::CacheEntries(256),
            ResolverOption::MixedCase(true),
        ],
        domains: vec![domain],
    };
    let host = HostEntry { address: read("10.0.0.9"), names: vec!["printer.lan".into()] };
    let domains = vec!["lan".into(), "corp.example".into()];
    vec![
        sample::<ListDnsCache>("", (), vec![kept]),
        sample::<FlushDnsCache>("dns flush", (), 3),
        sample::<SetResolverOption>("dns option ndots 2", ResolverOption::Dots(2), true),
        sample::<GetResolver>("", (), status),
        sample::<SetSearchDomains>("dns search lan corp.example", domains, true),
        sample::<ListHosts>("", (), vec![host.clone()]),
        sample::<ChangeHosts>("dns host add 10.0.0.9 printer.lan", HostsChange::Add(host), true),
    ]
}

fn link_names() -> Vec<Sample> {
    let service = LocalService {
        instance: "My page".into(),
        service_type: "_http._tcp".into(),
        port: 80,
        text: vec![b"path=/".to_vec()],
    };
    let status = MulticastDnsStatus {
        interface: "eth0".into(),
        mode: MulticastDnsMode::On,
        host_name: "printer".into(),
        name: "printer-2".into(),
        state: ClaimState::Announced,
        services: vec![PublishedService {
            service: service.clone(),
            name: "My page".into(),
            state: ClaimState::Probing,
        }],
    };
    let browse = ServiceBrowse { service_type: "_http._tcp".into(), milliseconds: 1000 };
    let found = FoundService {
        interface: "eth0".into(),
        instance: "My page".into(),
        service_type: "_http._tcp".into(),
        host: "printer.local".into(),
        port: 80,
        addresses: vec![read("10.0.0.9")],
        text: vec![b"path=/".to_vec()],
    };
    let mode = MulticastDnsOption::Mode(MulticastDnsMode::Resolve);
    let publish = "dns publish My\\032page _http._tcp 80 path=/";
    vec![
        sample::<SetMulticastDns>("dns multicast resolve", mode, true),
        sample::<ListMulticastDns>("", (), vec![status]),
        sample::<ChangeServices>(publish, ServiceChange::Publish(service), true),
        sample::<BrowseServices>("", browse, vec![found]),
    ]
}

fn firewall() -> Vec<Sample> {
    let rule = FirewallRule {
        action: FirewallAction::Accept,
        states: FlowStates::NEW,
        rate: Some(PacketRate { packets: 10, period: RatePeriod::Minute }),
        burst: 20,
        log: true,
        filter: "tcp".into(),
    };
    let new = NewFirewallRule {
        chain: FirewallChain::In,
        place: RulePlace::Before(7),
        rule: rule.clone(),
    };
    let refused = FirewallRule { action: FirewallAction::Reject, ..FirewallRule::default() };
    let policy = ChainPolicy { chain: FirewallChain::Out, action: FirewallAction::Prohibit };
    let listed = ListedRule { handle: 8, rule, packets: 3, bytes: 180 };
    let chain = ChainStatus {
        chain: FirewallChain::In,
        policy: FirewallAction::Drop,
        packets: 2,
        bytes: 120,
        rules: vec![listed],
    };
    let status = FirewallStatus { interface: "eth0".into(), chains: vec![chain] };
    let flow = TrackedFlow {
        interface: "eth0".into(),
        protocol: 17,
        local: read("10.0.0.2:40000"),
        remote: read("10.0.0.1:53"),
        is_ours: true,
        is_answered: true,
        seconds: 119,
    };
    let add = "firewall insert in accept before 7 state new rate 10/minute burst 20 log on filter \
               tcp";
    let replacement = RuleReplacement { handle: 7, rule: refused };
    let profile = FirewallProfile::DefaultDeny;
    let chain = Some(FirewallChain::In);
    vec![
        sample::<AddFirewallRule>(add, new, 8),
        sample::<ReplaceFirewallRule>("firewall replace 7 reject", replacement, true),
        sample::<RemoveFirewallRule>("firewall remove 7", 7, ()),
        sample::<FlushFirewallRules>("firewall flush in", chain, 5),
        sample::<SetFirewallPolicy>("firewall policy out prohibit", policy, true),
        sample::<SetFirewallProfile>("firewall profile default-deny", profile, true),
        sample::<ListFirewall>("", (), vec![status]),
        sample::<ResetFirewall>("firewall reset", (), ()),
        sample::<ListFlows>("", (), vec![flow]),
        sample::<FlushFlows>("firewall forget", (), 12),
    ]
}

fn records() -> Sample {
    let query = Query { search: true, ..Query::new("lan".into(), RecordType::MX) };
    let mail = MailExchange { preference: 10, exchange: "mail.lan".into() };
    let record = |name: &str, record_type, data| ResourceRecord {
        name: name.into(),
        record_type,
        time_to_live: 300,
        data,
    };
    let address = ResourceData::Address(read("10.0.0.5"));
    let reply = Reply {
        server: read("10.0.0.53:53"),
        identifier: 4660,
        flags: 0x8180,
        code: 0,
        name: "lan".into(),
        payload: Some(1232),
        bytes: 83,
        answers: vec![record("lan", RecordType::MX, ResourceData::MailExchange(mail))],
        authority: vec![record("lan", RecordType::NS, ResourceData::Name("ns.lan".into()))],
        additional: vec![record("mail.lan", RecordType::A, address)],
    };
    sample::<QueryRecords>("", query, reply)
}

fn dhcp() -> Vec<Sample> {
    let options = DhcpOptions { hostname: Some("printer".into()), requested: None };
    let lease = DhcpLease {
        address: read("10.0.2.15/24"),
        server: read("10.0.2.2"),
        router: Some(read("10.0.2.2")),
        dns_servers: vec![read("10.0.2.3")],
        domain: Some("lan".into()),
        lease_seconds: 3600,
        renew_seconds: 1800,
        rebind_seconds: 3150,
        remaining_seconds: 3600,
    };
    let bound = DhcpStatus { state: DhcpState::Bound, lease: Some(lease), attempts: 0 };
    vec![
        sample::<StartDhcp>("dhcp start hostname printer", options, true),
        sample::<StopDhcp>("dhcp stop", (), true),
        sample::<RenewDhcp>("dhcp renew", (), ()),
        sample::<GetDhcp>("", (), bound.clone()),
        sample::<AwaitDhcp>("dhcp wait 2000", 2000, bound),
    ]
}

fn dhcp_server() -> Vec<Sample> {
    let options = DhcpServerOptions {
        ranges: vec![AddressRange { first: read("10.0.2.9"), last: read("10.0.2.9") }],
        lease_seconds: 3600,
        routers: vec![read("10.0.2.2")],
        dns_servers: vec![read("10.0.2.3"), read("10.0.2.4")],
        domain: None,
        options: vec![RawOption { code: 42, value: vec![10, 0, 2, 3] }],
        authoritative: false,
        skip_check: false,
        single_client: false,
    };
    let line = "dhcp server start 10.0.2.9 router 10.0.2.2 dns 10.0.2.3,10.0.2.4 \
                options 42:0a000203";
    let statistics = DhcpServerStatistics {
        discovers: 1,
        requests: 2,
        declines: 3,
        releases: 4,
        informs: 5,
        offers: 6,
        acknowledgements: 7,
        refusals: 8,
        conflicts: 9,
        expirations: 10,
        exhausted: 11,
        relayed: 12,
    };
    let status = DhcpServerStatus {
        server: Some(read("10.0.2.2/24")),
        options: options.clone(),
        leases: 1,
        statistics,
    };
    let lease = ServerLease {
        address: read("10.0.2.100"),
        client: ClientName::Identifier(vec![1, 2, 0, 0, 0, 0, 9]),
        hardware_address: Some(read("02:00:00:00:00:09")),
        name: Some("printer".into()),
        state: LeaseState::Leased,
        reserved: false,
        remaining_seconds: Some(300),
    };
    let reservation = Reservation {
        address: read("10.0.2.50"),
        client: ClientName::Hardware(read("02:00:00:00:00:09")),
    };
    let change = LeaseChange::Reserve(reservation);
    let client = DhcpClientOptions {
        hostname: Some("printer".into()),
        requested: None,
        identifier: Some(vec![0xff, 0, 1]),
        vendor_class: None,
        request: vec![42],
        send: vec![RawOption { code: 77, value: vec![0x64] }],
        ipv6_only: true,
    };
    let reserve = "dhcp server reserve 10.0.2.50 02:00:00:00:00:09";
    vec![
        sample::<StartDhcpServer>(line, options, true),
        sample::<StopDhcpServer>("dhcp server stop", (), true),
        sample::<GetDhcpServer>("", (), status),
        sample::<ListDhcpLeases>("", (), vec![lease]),
        sample::<ChangeDhcpLeases>(reserve, change, true),
        sample::<StartDhcpClient>(
            "dhcp client hostname printer identifier id:ff0001 request 42 send 77:64 ipv6-only on",
            client,
            true,
        ),
        sample::<ListDhcpOptions>("", (), vec![RawOption { code: 42, value: vec![10, 0, 2, 3] }]),
        sample::<SetFallback>("dhcp fallback link-local", Fallback::LinkLocal, true),
        sample::<GetFallback>(
            "",
            (),
            FallbackStatus {
                asked: Fallback::LinkLocal,
                address: Some(read("169.254.7.9/16")),
                conflicts: 0,
            },
        ),
    ]
}

fn groups() -> Vec<Sample> {
    let entry = GroupEntry { group: read("239.1.2.3"), interface: "eth0".into(), sockets: 1 };
    let detail = GroupDetail { entry, from_command: true, implied: false };
    vec![
        sample::<AddGroup>("group add 239.1.2.3", read("239.1.2.3"), ()),
        sample::<RemoveGroup>("group remove 239.1.2.3", read("239.1.2.3"), ()),
        sample::<ListGroupDetails>("", (), vec![detail]),
    ]
}

fn neighbors() -> Vec<Sample> {
    let entry = NeighborEntry {
        address: read("10.0.0.1"),
        hardware_address: Some(read("02:00:00:00:00:02")),
        state: NeighborState::Reachable,
        router: false,
        age_milliseconds: 1200,
    };
    let new =
        NewNeighbor { address: read("10.0.0.9"), hardware_address: read("02:00:00:00:00:09") };
    vec![
        sample::<ListNeighbors>("", (), vec![entry]),
        sample::<AddNeighbor>("neighbor add 10.0.0.9 02:00:00:00:00:09", new, ()),
        sample::<RemoveNeighbor>("neighbor remove 10.0.0.9", read("10.0.0.9"), ()),
        sample::<FlushNeighbors>("neighbor flush", (), 3),
        sample::<AddProxy>("neighbor proxy add 10.0.0.60", read("10.0.0.60"), true),
        sample::<RemoveProxy>("neighbor proxy remove 10.0.0.60", read("10.0.0.60"), ()),
        sample::<ListProxies>(
            "",
            (),
            vec![ProxyEntry { address: read("10.0.0.60"), interface: "eth0".into() }],
        ),
    ]
}

fn stream() -> SocketStatus {
    SocketStatus {
        kind: SocketKind::Tcp,
        state: SocketState::Established,
        local: read("10.0.0.2:80"),
        remote: Some(read("10.0.0.1:49152")),
        interface: "eth0".into(),
        receive_queue: 0,
        send_queue: 1460,
    }
}

fn sockets() -> Vec<Sample> {
    let offer = Offer {
        token: 0x1234_5678_9abc_def0,
        local: read("10.0.0.2:80"),
        remote: read("10.0.0.1:49152"),
    };
    let no_delay = SocketOption::NoDelay(true);
    let outgoing = OutgoingDatagram { remote: read("10.0.0.1:53"), data: b"hello".to_vec() };
    let datagram = Datagram {
        remote: read("10.0.0.1:53"),
        local: read("10.0.0.2:49152"),
        interface: "eth0".into(),
        hop_limit: 64,
        data: b"hello".to_vec(),
    };
    vec![
        sample::<CreateSocket>("socket raw 89", SocketKind::Raw(89), ()),
        sample::<Bind>("bind *:80", read("[::]:80"), read("[::]:80")),
        sample::<Connect>("connect 10.0.0.1:80", read("10.0.0.1:80"), read("10.0.0.2:49152")),
        sample::<Listen>("listen 16", 16, ()),
        sample::<NextConnection>("", (), offer),
        sample::<Accept>("accept 1311768467463790320", offer.token, stream()),
        sample::<GetSocket>("", (), stream()),
        sample::<Shutdown>("shutdown write", Direction::Write, ()),
        sample::<SetOption>("option no-delay on", no_delay, ()),
        sample::<ListSockets>("", (), vec![stream()]),
        sample::<SendTo>("", outgoing, ()),
        sample::<ReceiveFrom>("", (), datagram),
    ]
}

fn options() -> Vec<Sample> {
    let membership = Membership { group: read("239.1.2.3"), interface: "eth0".into() };
    let stream = StreamOptions {
        send_buffer: 65_536,
        no_delay: true,
        keep_alive: 0,
        keep_alive_interval: 75_000,
        keep_alive_count: 9,
        user_timeout: 0,
        linger: None,
        only_ipv6: false,
        congestion: CongestionControl::Cubic,
        explicit_congestion: false,
    };
    let options = SocketOptions {
        kind: SocketKind::Tcp,
        hop_limit: 64,
        traffic_class: 0,
        receive_buffer: 65_536,
        reuse_address: true,
        reuse_port: false,
        device: "eth0".into(),
        path_mtu: Some(1500),
        stream: Some(stream),
        datagram: None,
    };
    let further = FurtherOptions {
        path_mtu_discovery: PathMtuDiscovery::Want,
        stream: Some(FurtherStreamOptions {
            timestamps: true,
            maximum_segment: 0,
            cork: false,
            not_sent_low_water: 16_384,
            black_hole_detection: true,
        }),
    };
    let report = ErrorReport {
        error: Error::ConnectionRefused,
        origin: ErrorOrigin::Icmp,
        kind: 3,
        code: 3,
        information: 0,
        reporter: Some(read("10.0.0.1")),
        remote: read("10.0.0.1:53"),
        packet: vec![0x45, 0, 0, 33],
    };
    let group = GroupEntry { group: read("239.1.2.3"), interface: "eth0".into(), sockets: 1 };
    let peeked = Peeked { remote: read("10.0.0.1:53"), length: 5, data: b"hel".to_vec() };
    vec![
        sample::<GetOptions>("", (), options),
        sample::<TakeError>("", (), Some(Error::ConnectionRefused)),
        sample::<JoinGroup>("join 239.1.2.3 eth0", membership.clone(), ()),
        sample::<LeaveGroup>("leave 239.1.2.3 eth0", membership, ()),
        sample::<ReceiveError>("", (), report),
        sample::<ListGroups>("", (), vec![group]),
        sample::<GetStreamStatistics>("", (), statistics()),
        sample::<Peek>("", 3, peeked),
        sample::<GetFurtherOptions>("", (), further),
        sample::<EndConnection>("disconnect 10.0.0.1:80 10.0.0.2:40000", connection_name(), ()),
        sample::<GetConnection>("", connection_name(), statistics()),
    ]
}

fn connection_name() -> ConnectionName {
    ConnectionName { local: read("10.0.0.1:80"), remote: read("10.0.0.2:40000") }
}

fn statistics() -> StreamStatistics {
    StreamStatistics {
        state: SocketState::Established,
        congestion: CongestionControl::Cubic,
        round_trip: 10_147,
        round_trip_variation: 1200,
        least_round_trip: 10_002,
        latest_round_trip: 10_100,
        retransmission_timeout: 210_147,
        congestion_window: 23_753,
        slow_start_threshold: 16_352,
        in_flight: 14_600,
        peer_window: 65_536,
        window: 65_535,
        segment: 1460,
        receive_buffer: 131_072,
        send_buffer: 262_144,
        delivery_rate: 12_500_000,
        bytes_sent: 1_000_000,
        bytes_retransmitted: 14_600,
        bytes_acknowledged: 970_800,
        bytes_received: 512,
        retransmissions: 10,
        timeouts: 1,
        tail_probes: 2,
        recoveries: 3,
        undone: 1,
        duplicates: 4,
        has_selective_acknowledgments: true,
        has_congestion_marks: false,
    }
}
