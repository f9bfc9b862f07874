//! Sample responses for the renderers' tests.

use devnet_network::address::{HardwareAddress, Prefix};
use devnet_network::command::address::{AddressEntry, AddressState, Origin, Scope};
use devnet_network::command::counters::{CounterValue, ProtocolCounters};
use devnet_network::command::dhcp::DhcpLease;
use devnet_network::command::dhcp6::{
    Dhcp6Address, Dhcp6ClientOptions, Dhcp6Mode, Dhcp6Prefix, Dhcp6State, Dhcp6Status, Duid,
    INFINITE,
};
use devnet_network::command::drops::{DropCount, DropReason};
use devnet_network::command::interface::{
    InterfaceDetails, InterfaceFlags, InterfaceStatus, ReceiveDrops, SendDrops, Statistics,
};
use devnet_network::command::neighbor::{NeighborEntry, NeighborState};
use devnet_network::command::route::{MultipathRoute, NextHopStatus, RouteEntry};
use devnet_network::command::socket::{SocketKind, SocketState, SocketStatus};
use devnet_network::command::usage::Usage;
use devnet_network::driver::{Kind, LinkState, Medium};

pub(crate) fn ethernet() -> InterfaceStatus {
    InterfaceStatus {
        index: 2,
        name: "eth0".into(),
        kind: Kind::Ethernet,
        medium: Medium::Ethernet,
        enabled: true,
        link: LinkState::Up,
        flags: InterfaceFlags::UP
            | InterfaceFlags::RUNNING
            | InterfaceFlags::BROADCAST
            | InterfaceFlags::MULTICAST,
        hardware_address: Some(HardwareAddress([2, 0, 0, 0, 0, 10])),
        mtu: 1500,
        mtu_maximum: 9000,
        burst: None,
        metric: 0,
        age_micros: 1,
    }
}

pub(crate) fn details(interface: &str) -> InterfaceDetails {
    InterfaceDetails {
        interface: interface.into(),
        description: String::new(),
        promiscuous: false,
        all_multicast: false,
        arp: true,
        transmit_queue: 256,
        reachable_milliseconds: 30_000,
        retransmit_milliseconds: 1000,
        neighbor_probes: 3,
        link_changes: 1,
        link_age_micros: 1,
        speed: None,
    }
}

pub(crate) fn loopback() -> InterfaceStatus {
    InterfaceStatus {
        index: 1,
        name: "lo".into(),
        kind: Kind::Loopback,
        medium: Medium::Ip,
        flags: InterfaceFlags::UP | InterfaceFlags::RUNNING | InterfaceFlags::LOOPBACK,
        hardware_address: None,
        mtu: 65536,
        ..ethernet()
    }
}

pub(crate) fn tunnel() -> InterfaceStatus {
    InterfaceStatus {
        index: 3,
        name: "tun0".into(),
        kind: Kind::Tunnel,
        medium: Medium::Ip,
        flags: InterfaceFlags::UP
            | InterfaceFlags::RUNNING
            | InterfaceFlags::POINT_TO_POINT
            | InterfaceFlags::NO_ARP
            | InterfaceFlags::MULTICAST,
        hardware_address: None,
        ..ethernet()
    }
}

pub(crate) fn address(prefix: &str, scope: Scope) -> AddressEntry {
    let prefix: Prefix = prefix.parse().unwrap();
    AddressEntry {
        prefix,
        broadcast: if scope == Scope::Host { None } else { prefix.broadcast() },
        origin: Origin::Static,
        state: AddressState::Preferred,
        scope,
        valid_seconds: None,
        preferred_seconds: None,
    }
}

pub(crate) fn addresses() -> Vec<AddressEntry> {
    vec![address("fe80::ff:fe00:a/64", Scope::Link), address("192.0.2.20/24", Scope::Global)]
}

pub(crate) fn loopback_addresses() -> Vec<AddressEntry> {
    vec![address("127.0.0.1/8", Scope::Host), address("::1/128", Scope::Host)]
}

pub(crate) fn statistics() -> Statistics {
    Statistics {
        received_packets: 12,
        received_bytes: 90,
        sent_packets: 34,
        sent_bytes: 1500,
        received_drops: ReceiveDrops {
            malformed: 1,
            checksum: 2,
            martian: 4,
            full: 5,
            not_for_us: 99,
            ..ReceiveDrops::default()
        },
        sent_drops: SendDrops { neighbor: 6, no_route: 7, full: 8, ..SendDrops::default() },
        polls: 1,
    }
}

pub(crate) fn drops() -> Vec<DropCount> {
    let counts = [
        (DropReason::Checksum, 2),
        (DropReason::NotForUs, 99),
        (DropReason::Martian, 0),
        (DropReason::NoSocket, 3),
        (DropReason::NoRoute, 4),
    ];
    let count = |(reason, packets)| DropCount { interface: "eth0".into(), reason, packets };
    counts.map(count).into()
}

pub(crate) fn counters() -> Vec<ProtocolCounters> {
    let counter = |(name, value): (&str, u64)| CounterValue { name: name.into(), value };
    let counters = [("IpInReceives", 12), ("Ip6InReceives", 0)].map(counter).into();
    vec![ProtocolCounters { interface: "eth0".into(), counters }]
}

fn route(destination: &str, gateway: Option<&str>, metric: u32, origin: Origin) -> RouteEntry {
    RouteEntry {
        destination: destination.parse().unwrap(),
        gateway: gateway.map(|gateway| gateway.parse().unwrap()),
        metric,
        origin,
        source: None,
        interface: "eth0".into(),
        usable: true,
    }
}

/// The routes with several next hops: those to 203.0.113.0/24.
pub(crate) fn multipath(routes: &[RouteEntry]) -> Vec<MultipathRoute> {
    let net = "203.0.113.0/24".parse().unwrap();
    let hops: Vec<_> = routes.iter().filter(|route| route.destination == net).collect();
    let Some(first) = hops.first() else { return vec![] };
    let weights = [1, 2, 256].into_iter();
    let hop = |(route, weight): (&&RouteEntry, u16)| NextHopStatus {
        gateway: route.gateway.unwrap(),
        weight,
        answers: true,
    };
    let route = RouteEntry { gateway: None, ..(*first).clone() };
    vec![MultipathRoute { route: route.into(), hops: hops.iter().zip(weights).map(hop).collect() }]
}

pub(crate) fn routes() -> Vec<RouteEntry> {
    let connected = RouteEntry {
        source: Some("192.0.2.20".parse().unwrap()),
        ..route("192.0.2.0/24", None, 0, Origin::Kernel)
    };
    let dead = RouteEntry {
        usable: false,
        ..route("198.51.100.7/32", Some("192.0.2.9"), 5, Origin::Dhcp)
    };
    vec![
        route("0.0.0.0/0", Some("192.0.2.1"), 0, Origin::Static),
        connected,
        dead,
        route("fd00::/64", None, 256, Origin::Kernel),
        route("::/0", Some("fe80::1"), 1024, Origin::RouterAdvertisement),
    ]
}

pub(crate) fn neighbors() -> Vec<NeighborEntry> {
    let entry = |address: &str, last: Option<u8>, state, router| NeighborEntry {
        address: address.parse().unwrap(),
        hardware_address: last.map(|last| HardwareAddress([2, 0, 0, 0, 0, last])),
        state,
        router,
        age_milliseconds: 0,
    };
    vec![
        entry("192.0.2.1", Some(0xaa), NeighborState::Reachable, false),
        entry("192.0.2.7", Some(7), NeighborState::Permanent, false),
        entry("192.0.2.9", None, NeighborState::Failed, false),
        entry("fe80::1", Some(1), NeighborState::Stale, true),
    ]
}

pub(crate) fn sockets() -> Vec<SocketStatus> {
    let socket = |kind, state, local: &str, remote: Option<&str>| SocketStatus {
        kind,
        state,
        local: local.parse().unwrap(),
        remote: remote.map(|remote| remote.parse().unwrap()),
        interface: String::new(),
        receive_queue: 0,
        send_queue: 0,
    };
    let listener = SocketStatus {
        send_queue: 5,
        ..socket(SocketKind::Tcp, SocketState::Listen, "127.0.0.1:8080", None)
    };
    let busy =
        socket(SocketKind::Tcp, SocketState::Established, "192.0.2.20:40000", Some("192.0.2.1:80"));
    vec![
        listener,
        SocketStatus { receive_queue: 1, send_queue: 2, ..busy },
        socket(SocketKind::Tcp, SocketState::Listen, "[::]:22", None),
        socket(SocketKind::Udp, SocketState::Closed, "0.0.0.0:53", None),
    ]
}

pub(crate) fn usage() -> Vec<Usage> {
    let system = Usage {
        listeners: 1,
        tcp_memory_of_system: 128 << 10,
        tcp_memory_limit: 512 << 20,
        ..Usage::default()
    };
    let busy = Usage {
        interface: "eth0".into(),
        connections: 12,
        half_open: 3,
        orphans: 4,
        time_wait: 5,
        datagram_sockets: 2,
        neighbors: 7,
        tcp_memory: 96 << 10,
        ..system.clone()
    };
    vec![Usage { interface: "lo".into(), ..system }, busy]
}

pub(crate) fn dhcp6() -> Dhcp6Status {
    let (mode, prefixes) = (Dhcp6Mode::Stateful, true);
    let duid = |last: u8| Some(Duid(vec![0, 3, 0, 1, 2, 0, 0, 0, 0, last]));
    Dhcp6Status {
        options: Dhcp6ClientOptions { mode, prefixes, ..Dhcp6ClientOptions::default() },
        state: Dhcp6State::Bound,
        duid: duid(1),
        iaid: 1,
        server: duid(2),
        addresses: vec![Dhcp6Address {
            address: "2001:db8::5".parse().unwrap(),
            preferred_seconds: 1790,
            valid_seconds: INFINITE,
        }],
        prefixes: vec![Dhcp6Prefix {
            prefix: "2001:db8:0:100::/56".parse().unwrap(),
            preferred_seconds: 1790,
            valid_seconds: 3590,
        }],
        renew_seconds: Some(890),
        rebind_seconds: Some(1430),
        dns_servers: vec!["fd00:2::3".parse().unwrap()],
        domains: vec!["lan".into()],
        ..Dhcp6Status::default()
    }
}

pub(crate) fn lease() -> DhcpLease {
    DhcpLease {
        address: "10.0.2.15/24".parse().unwrap(),
        server: "10.0.2.2".parse().unwrap(),
        router: Some("10.0.2.2".parse().unwrap()),
        dns_servers: vec!["10.0.2.3".parse().unwrap(), "10.0.2.4".parse().unwrap()],
        domain: Some("lan".into()),
        lease_seconds: 3600,
        renew_seconds: 1740,
        rebind_seconds: 3000,
        remaining_seconds: 3500,
    }
}
