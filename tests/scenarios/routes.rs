//! Routes with everything that Linux gives them: kinds, sources, MTUs, verbs, and what sockets get.

use std::time::Duration;

use devnet_network::UdpSocket;
use devnet_network::command::route::{
    ChangeMode, RouteChange, RouteDetail, RouteFilter, RouteKind,
};
use devnet_network::command::{FindRoute, ListRouteDetails, ListRoutes, RemoveRoutes, SetRoute};
use devnet_virtual_file_system::Error;
use world::{Host, World};

use crate::pair::options;

/// A host with two interfaces, `eth0` at 10.0.0.1/24 and `eth1` at 10.0.1.1/24, and a peer on each.
fn host(world: &World) -> (Host, Host) {
    let (first, first_peer) = devnet_drivers::cable(options());
    let (second, second_peer) = devnet_drivers::cable(options());
    let host = Host::new(world).with("eth0", first, &["10.0.0.1/24", "fd00::1/64"]).with(
        "eth1",
        second,
        &["10.0.1.1/24"],
    );
    let peer = Host::new(world).with("eth0", first_peer, &["10.0.0.2/24"]).with(
        "eth1",
        second_peer,
        &["10.0.1.2/24"],
    );
    world.run(world.sleep(Duration::from_secs(3)));
    (host, peer)
}

fn change(mode: ChangeMode, destination: &str, gateway: Option<&str>) -> RouteChange {
    RouteChange {
        mode,
        destination: destination.parse().unwrap(),
        gateway: gateway.map(|gateway| gateway.parse().unwrap()),
        ..RouteChange::default()
    }
}

fn kind(mode: ChangeMode, kind: RouteKind, destination: &str) -> RouteChange {
    RouteChange { kind, ..change(mode, destination, None) }
}

fn details(host: &Host) -> Vec<RouteDetail> {
    host.control::<ListRouteDetails>("sockets", &()).unwrap()
}

fn set(host: &Host, change: &RouteChange) -> Result<bool, Error> {
    host.control::<SetRoute>("sockets", change)
}

/// The gateways of a destination, in the order of the table.
fn gateways(host: &Host, destination: &str) -> Vec<String> {
    let destination = destination.parse().unwrap();
    details(host)
        .into_iter()
        .filter(|detail| detail.route.destination == destination)
        .map(|detail| match detail.route.gateway {
            Some(gateway) => gateway.to_string(),
            None => format!("{} {}", detail.kind, detail.route.interface).trim_end().to_owned(),
        })
        .collect()
}

#[test]
fn routes_of_the_whole_system_refuse_with_their_own_errors() {
    let world = World::new(1);
    let (host, _peer) = host(&world);
    for (what, destination, error) in [
        (RouteKind::Blackhole, "10.57.0.0/16", Error::InvalidInput),
        (RouteKind::Unreachable, "10.58.0.0/16", Error::HostUnreachable),
        (RouteKind::Prohibit, "10.59.0.0/16", Error::AccessDenied),
        (RouteKind::Throw, "10.60.0.0/16", Error::NetworkUnreachable),
    ] {
        set(&host, &change(ChangeMode::Replace, "0.0.0.0/0", Some("10.0.0.2"))).unwrap();
        assert_eq!(set(&host, &kind(ChangeMode::Insert, what, destination)), Ok(true));
        let again = set(&host, &kind(ChangeMode::Insert, what, destination));
        assert_eq!(again, Err(Error::AlreadyExists));
        let to = destination.replace("0.0/16", "0.9").parse().unwrap();
        assert_eq!(host.control::<FindRoute>("sockets", &to).err(), Some(error), "{what}");
        let socket = UdpSocket::new(&host.sockets());
        let sent = world.run(socket.send_to(b"x", (to, 9).into()));
        assert_eq!(sent, Err(error), "{what}");
        let bound = UdpSocket::new(&host.manager.sockets_on("eth0").unwrap());
        let sent = world.run(bound.send_to(b"x", (to, 9).into()));
        assert_eq!(sent, Err(error), "{what} on the interface");
        assert_eq!(gateways(&host, destination), [what.to_string()]);
    }
    // An interface that comes later has them, too.
    let (late, _end) = devnet_drivers::cable(options());
    let host = host.with("eth2", late, &["10.0.2.1/24"]);
    let to = "10.58.0.9:9".parse().unwrap();
    let socket = UdpSocket::new(&host.manager.sockets_on("eth2").unwrap());
    assert_eq!(world.run(socket.send_to(b"x", to)), Err(Error::HostUnreachable));
    // A longer prefix is not refused.
    set(&host, &change(ChangeMode::Insert, "10.58.9.0/24", Some("10.0.1.2"))).unwrap();
    let to = "10.58.9.1".parse().unwrap();
    assert_eq!(host.control::<FindRoute>("sockets", &to).unwrap().interface, "eth1");
    // An interface's device has no routes of the whole system, and they have no gateway.
    let refused = kind(ChangeMode::Insert, RouteKind::Blackhole, "10.61.0.0/16");
    assert_eq!(host.control::<SetRoute>("eth0", &refused), Err(Error::Unsupported));
    let refused = RouteChange { gateway: Some("10.0.0.2".parse().unwrap()), ..refused };
    assert_eq!(set(&host, &refused), Err(Error::InvalidInput));
    // They go one by one or together, and then the default route counts again.
    let one = RouteFilter {
        destination: Some("10.57.0.0/16".parse().unwrap()),
        ..RouteFilter::default()
    };
    assert_eq!(host.control::<RemoveRoutes>("sockets", &one), Ok(1));
    assert_eq!(host.control::<RemoveRoutes>("sockets", &one), Err(Error::NoSuchProcess));
    let to = "10.57.0.9".parse().unwrap();
    assert_eq!(host.control::<FindRoute>("sockets", &to).unwrap().interface, "eth0");
    let all = RouteFilter { all: true, kind: Some(RouteKind::Prohibit), ..RouteFilter::default() };
    assert_eq!(host.control::<RemoveRoutes>("sockets", &all), Ok(1));
    let listed = host.control::<ListRoutes>("sockets", &()).unwrap();
    assert!(listed.iter().all(|route| !route.interface.is_empty()), "{listed:?}");
}

#[test]
fn verbs_add_replace_and_change_as_linux_does() {
    let world = World::new(1);
    let (host, _peer) = host(&world);
    let net = "198.51.100.0/24";
    let via = |mode, gateway| change(mode, net, Some(gateway));
    assert_eq!(set(&host, &via(ChangeMode::Change, "10.0.0.2")), Err(Error::NotFound));
    assert_eq!(set(&host, &via(ChangeMode::Insert, "10.0.0.2")), Ok(true));
    assert_eq!(set(&host, &via(ChangeMode::Insert, "10.0.0.3")), Err(Error::AlreadyExists));
    assert_eq!(set(&host, &via(ChangeMode::Append, "10.0.0.3")), Ok(true));
    assert_eq!(set(&host, &via(ChangeMode::Prepend, "10.0.0.4")), Ok(true));
    assert_eq!(set(&host, &via(ChangeMode::Prepend, "10.0.0.4")), Err(Error::AlreadyExists));
    assert_eq!(gateways(&host, net), ["10.0.0.4", "10.0.0.2", "10.0.0.3"]);
    // Only the first is replaced.
    assert_eq!(set(&host, &via(ChangeMode::Replace, "10.0.0.5")), Ok(true));
    assert_eq!(set(&host, &via(ChangeMode::Replace, "10.0.0.5")), Ok(false));
    assert_eq!(gateways(&host, net), ["10.0.0.5", "10.0.0.2", "10.0.0.3"]);
    // On another interface the first one goes.
    let one = RouteFilter { destination: net.parse().ok(), ..RouteFilter::default() };
    host.control::<RemoveRoutes>("sockets", &one).unwrap();
    host.control::<RemoveRoutes>("sockets", &one).unwrap();
    assert_eq!(set(&host, &via(ChangeMode::Change, "10.0.1.2")), Ok(true));
    assert_eq!(gateways(&host, net), ["10.0.1.2"]);
    // A refusal leaves the table as it was.
    assert_eq!(set(&host, &via(ChangeMode::Replace, "10.9.9.9")), Err(Error::NetworkUnreachable));
    assert_eq!(gateways(&host, net), ["10.0.1.2"]);
    // A kind in the place of a gateway, and back.
    let black = kind(ChangeMode::Change, RouteKind::Blackhole, net);
    assert_eq!(set(&host, &black), Ok(true));
    assert_eq!(gateways(&host, net), ["blackhole"]);
    // An interface's device does not touch what is the system's.
    let back = via(ChangeMode::Replace, "10.0.0.2");
    assert_eq!(host.control::<SetRoute>("eth0", &back), Err(Error::AlreadyExists));
    assert_eq!(gateways(&host, net), ["blackhole"]);
    assert_eq!(set(&host, &back), Ok(true));
    assert_eq!(gateways(&host, net), ["10.0.0.2"]);
    let again = kind(ChangeMode::Insert, RouteKind::Blackhole, net);
    assert_eq!(set(&host, &again), Err(Error::AlreadyExists));
}

#[test]
fn a_route_has_a_source_an_mtu_and_a_time() {
    let world = World::new(1);
    let (host, _peer) = host(&world);
    host.write(&host.open("eth0"), "address add 10.0.0.9/24").unwrap();
    let net = "198.51.100.0/24";
    let to = "198.51.100.7".parse().unwrap();
    let base = change(ChangeMode::Insert, net, Some("10.0.0.2"));
    for (wrong, error) in [
        (RouteChange { source: "10.7.7.7".parse().ok(), ..base.clone() }, Error::InvalidInput),
        (RouteChange { source: "fd00::1".parse().ok(), ..base.clone() }, Error::InvalidInput),
        (RouteChange { mtu: Some(0), ..base.clone() }, Error::InvalidInput),
        (RouteChange { expires_seconds: Some(0), ..base.clone() }, Error::InvalidInput),
        (
            RouteChange {
                onlink: true,
                gateway: None,
                interface: Some("eth0".into()),
                ..base.clone()
            },
            Error::InvalidInput,
        ),
        (RouteChange { interface: Some("eth9".into()), ..base.clone() }, Error::NoDevice),
        (change(ChangeMode::Insert, "198.51.100.7/24", Some("10.0.0.2")), Error::InvalidInput),
        (change(ChangeMode::Insert, "fd09::/64", Some("fd00::1")), Error::InvalidInput),
    ] {
        let before = details(&host);
        assert_eq!(host.control::<SetRoute>("sockets", &wrong), Err(error), "{wrong:?}");
        assert_eq!(details(&host), before);
    }
    let with = RouteChange {
        source: "10.0.0.9".parse().ok(),
        mtu: Some(1200),
        protocol: 4,
        expires_seconds: Some(60),
        ..base.clone()
    };
    set(&host, &with).unwrap();
    let choice = host.control::<FindRoute>("sockets", &to).unwrap();
    assert_eq!(choice.source.to_string(), "10.0.0.9");
    let detail = details(&host).into_iter().find(|detail| detail.mtu == Some(1200)).unwrap();
    assert_eq!((detail.protocol, detail.expires_seconds), (4, Some(60)));
    let socket = UdpSocket::new(&host.sockets());
    socket.connect((to, 9).into()).unwrap();
    assert_eq!(socket.path_mtu(), Ok(1200));
    world.run(world.sleep(Duration::from_secs(61)));
    assert_eq!(host.control::<FindRoute>("sockets", &to).err(), Some(Error::NetworkUnreachable));
    // With its source the route goes.
    set(&host, &RouteChange { expires_seconds: None, ..with }).unwrap();
    host.write(&host.open("eth0"), "address remove 10.0.0.9/24").unwrap();
    assert_eq!(host.control::<FindRoute>("sockets", &to).err(), Some(Error::NetworkUnreachable));
    // A gateway that no route reaches.
    let far = RouteChange { gateway: "172.16.0.1".parse().ok(), onlink: true, ..base };
    assert_eq!(host.control::<SetRoute>("eth0", &far), Ok(true));
    assert_eq!(gateways(&host, net), ["172.16.0.1"]);
    host.write(&host.open("eth0"), "address add 10.3.0.9/24\naddress remove 10.3.0.9/24").unwrap();
    assert_eq!(gateways(&host, net), ["172.16.0.1"]);
}

/// Linux: ENETDOWN for a route through an interface that is down, else what its gateway gives.
#[test]
fn a_down_interface_takes_no_routes() {
    let world = World::new(1);
    let (host, _peer) = host(&world);
    host.write(&host.open("eth0"), "link down").unwrap();
    for (destination, gateway, error) in [
        ("198.51.100.0/24", None, Error::NetworkDown),
        ("198.51.100.0/24", Some("10.0.0.2"), Error::NetworkUnreachable),
        ("fd09::/64", None, Error::NetworkDown),
        ("fd09::/64", Some("fd00::2"), Error::HostUnreachable),
    ] {
        for mode in [ChangeMode::Insert, ChangeMode::Change] {
            let wrong = change(mode, destination, gateway);
            assert_eq!(host.control::<SetRoute>("eth0", &wrong), Err(error), "{wrong:?}");
        }
    }
}

/// Linux has no route to an IPv4 address without a network.
#[test]
fn a_host_address_of_ipv4_has_no_connected_route() {
    let world = World::new(1);
    let (host, _peer) = host(&world);
    host.write(&host.open("eth0"), "address add 10.7.0.1/32\naddress add fd07::1/128").unwrap();
    assert!(gateways(&host, "10.7.0.1/32").is_empty());
    assert_eq!(gateways(&host, "fd07::1/128"), ["unicast eth0"]);
}

/// A route of the system takes the place of one of `eth0`, but `eth1` has no room for its copy.
#[test]
fn a_route_of_the_system_for_which_one_table_has_no_room_changes_none() {
    let world = World::new(1);
    let (host, _peer) = host(&world);
    let net = "198.51.100.0/24";
    set(&host, &change(ChangeMode::Insert, net, Some("10.0.0.2"))).unwrap();
    let full = (0..2000).map(|number| {
        let destination = format!("172.{}.{}.0/24", 16 + number / 256, number % 256);
        host.control::<SetRoute>("eth1", &change(ChangeMode::Insert, &destination, None))
    });
    assert_eq!(full.into_iter().find_map(Result::err), Some(Error::NoBufferSpace));
    let before = details(&host);
    let black = kind(ChangeMode::Replace, RouteKind::Blackhole, net);
    assert_eq!(set(&host, &black), Err(Error::NoBufferSpace));
    assert_eq!(details(&host), before);
}
