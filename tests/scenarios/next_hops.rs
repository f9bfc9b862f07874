//! Routes with several next hops: how flows are spread, and what happens when one is gone.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use devnet_drivers::Lan;
use devnet_network::command::route::{
    ChangeMode, Flow, MultipathChange, NextHop, RouteChange, RouteFilter,
};
use devnet_network::command::{
    FindFlowRoute, FindRoute, ListMultipathRoutes, ListRouteDetails, RemoveRoutes,
    SetMultipathRoute, SetRoute,
};
use devnet_network::{TcpListener, TcpStream, UdpSocket};
use devnet_virtual_file_system::Error;
use world::{Host, World};

const FAR: &str = "203.0.113.9";

/// A host at 10.0.0.1 and fd00::1, and routers at .2, .3 and .4 who all are 203.0.113.9.
struct Site {
    host: Host,
    routers: Vec<Host>,
}

fn site(world: &World) -> Site {
    let lan = Lan::new(Arc::clone(&world.platform().clock), 1);
    world.platform().spawner.spawn(Box::pin(lan.runner())).unwrap();
    let hardware = |last| devnet_network::address::HardwareAddress([2, 0, 0, 0, 0, last]);
    let host =
        Host::new(world).with("eth0", lan.port(hardware(1), 1500), &["10.0.0.1/24", "fd00::1/64"]);
    let router = |last: u8| {
        let addresses = [format!("10.0.0.{last}/24"), format!("fd00::{last}/64")];
        let all = [addresses[0].as_str(), addresses[1].as_str(), "203.0.113.9/32"];
        Host::new(world).with("eth0", lan.port(hardware(last), 1500), &all)
    };
    let routers = (2..=4).map(router).collect();
    world.run(world.sleep(Duration::from_secs(3)));
    Site { host, routers }
}

fn change(mode: ChangeMode, hops: &[(&str, u16)]) -> MultipathChange {
    MultipathChange {
        route: RouteChange {
            mode,
            destination: "203.0.113.0/24".parse().unwrap(),
            ..RouteChange::default()
        },
        hops: hops
            .iter()
            .map(|(gateway, weight)| NextHop { gateway: gateway.parse().unwrap(), weight: *weight })
            .collect(),
    }
}

fn set(host: &Host, mode: ChangeMode, hops: &[(&str, u16)]) -> Result<bool, Error> {
    host.control::<SetMultipathRoute>("sockets", &change(mode, hops))
}

fn gateways(host: &Host) -> Vec<String> {
    let net = "203.0.113.0/24".parse().unwrap();
    let all = host.control::<ListRouteDetails>("sockets", &()).unwrap();
    all.into_iter()
        .filter(|detail| detail.route.destination == net)
        .map(|detail| detail.route.gateway.map_or_else(String::new, |gateway| gateway.to_string()))
        .collect()
}

fn flow(port: u16) -> Flow {
    Flow {
        destination: FAR.parse().unwrap(),
        source: Some("10.0.0.1".parse().unwrap()),
        protocol: 17,
        source_port: port,
        destination_port: 7,
    }
}

fn way(host: &Host, flow: &Flow) -> IpAddr {
    host.control::<FindFlowRoute>("eth0", flow).unwrap().gateway.unwrap()
}

/// Sends a datagram of each port, and tells which router got it.
fn spread(world: &World, site: &Site, ports: std::ops::Range<u16>, data: &[u8]) -> Vec<usize> {
    let receivers: Vec<_> = site
        .routers
        .iter()
        .map(|router| {
            let receiver = UdpSocket::new(&router.sockets());
            receiver.bind("0.0.0.0:7".parse().unwrap()).unwrap();
            receiver
        })
        .collect();
    let to: SocketAddr = format!("{FAR}:7").parse().unwrap();
    ports
        .map(|port| {
            world.run(async {
                let sender = UdpSocket::new(&site.host.sockets());
                sender.bind(SocketAddr::new("0.0.0.0".parse().unwrap(), port)).unwrap();
                sender.send_to(data, to).await.unwrap();
                world.sleep(Duration::from_millis(5)).await;
            });
            let mut got = Vec::new();
            for (place, receiver) in receivers.iter().enumerate() {
                while let Ok(datagram) = receiver.try_receive() {
                    assert_eq!((datagram.data.as_slice(), datagram.remote.port()), (data, port));
                    got.push(place);
                }
            }
            assert_eq!(got.len(), 1, "port {port}");
            got[0]
        })
        .collect()
}

#[test]
fn flows_are_spread_by_weight_and_each_takes_one_way() {
    let world = World::new(1);
    let site = site(&world);
    let hops = [("10.0.0.2", 1), ("10.0.0.3", 3)];
    assert_eq!(set(&site.host, ChangeMode::Insert, &hops), Ok(true));
    let once = spread(&world, &site, 20_000..20_400, b"x");
    let first = once.iter().filter(|place| **place == 0).count();
    // A quarter of them, give or take.
    assert!((70..130).contains(&first), "{first}");
    assert!(!once.contains(&2));
    assert_eq!(spread(&world, &site, 20_000..20_400, b"x"), once);
    // It is known beforehand which one it is.
    for (place, port) in (20_000..20_400).enumerate() {
        let expected = [IpAddr::from([10, 0, 0, 2]), IpAddr::from([10, 0, 0, 3])][once[place]];
        assert_eq!(way(&site.host, &flow(port)), expected);
    }
    // Fragments have no ports: those of a datagram go together, and of every port one way.
    let large = spread(&world, &site, 20_000..20_040, &[7; 4000]);
    assert!(large.iter().all(|place| *place == large[0]), "{large:?}");
    // A lookup without ports tells the way of what has none.
    let choice = site.host.control::<FindRoute>("sockets", &FAR.parse().unwrap()).unwrap();
    let icmp = Flow { protocol: 1, ..flow(0) };
    assert_eq!(choice.gateway, Some(way(&site.host, &icmp)));
    // A source that is nobody's.
    let foreign = Flow { source: Some("10.0.0.99".parse().unwrap()), ..flow(1) };
    let found = site.host.control::<FindFlowRoute>("eth0", &foreign);
    assert_eq!(found, Err(Error::AddressNotAvailable));
}

#[test]
fn a_next_hop_that_does_not_answer_leaves_its_flows_to_the_others() {
    let world = World::new(2);
    let mut site = site(&world);
    let hops = [("10.0.0.2", 1), ("10.0.0.3", 1), ("10.0.0.4", 1)];
    set(&site.host, ChangeMode::Insert, &hops).unwrap();
    let before: Vec<_> = (20_000..20_200).map(|port| way(&site.host, &flow(port))).collect();
    // The second router goes, and somebody notices.
    let silent = site.routers.remove(1);
    silent.write(&silent.open("eth0"), "link down").unwrap();
    let answers = |host: &Host| -> Vec<bool> {
        let all = host.control::<ListMultipathRoutes>("eth0", &()).unwrap();
        all[0].hops.iter().map(|hop| hop.answers).collect()
    };
    assert_eq!(answers(&site.host), [true, true, true]);
    world.run(async {
        let sender = UdpSocket::new(&site.host.sockets());
        for _ in 0..20 {
            sender.send_to(b"x", "10.0.0.3:9".parse().unwrap()).await.unwrap_or_default();
            world.sleep(Duration::from_secs(1)).await;
        }
    });
    assert_eq!(answers(&site.host), [true, false, true]);
    let after: Vec<_> = (20_000..20_200).map(|port| way(&site.host, &flow(port))).collect();
    let (gone, others) =
        (IpAddr::from([10, 0, 0, 3]), [2, 4].map(|last| IpAddr::from([10, 0, 0, last])));
    let mut taken = [0, 0];
    for (before, after) in before.iter().zip(&after) {
        if *before == gone {
            let place = others.iter().position(|other| other == after).expect("another way");
            taken[place] += 1;
        } else {
            // No flow of the others changes its way.
            assert_eq!(before, after);
        }
    }
    // Its flows are spread, too.
    assert!(taken.iter().all(|count| *count > 15), "{taken:?}");
    spread(&world, &site, 20_000..20_050, b"x");
    // A minute later it is tried again, and answers.
    silent.write(&silent.open("eth0"), "link up").unwrap();
    world.run(world.sleep(Duration::from_secs(90)));
    assert_eq!(answers(&site.host), [true, true, true]);
    let again: Vec<_> = (20_000..20_200).map(|port| way(&site.host, &flow(port))).collect();
    assert_eq!(again, before);
}

#[test]
fn connections_go_over_several_next_hops() {
    let world = World::new(3);
    let site = site(&world);
    set(&site.host, ChangeMode::Insert, &[("10.0.0.2", 1), ("10.0.0.3", 1)]).unwrap();
    let listeners: Vec<_> = site.routers[..2]
        .iter()
        .map(|router| {
            TcpListener::bind(&router.sockets(), "0.0.0.0:80".parse().unwrap(), 64).unwrap()
        })
        .collect();
    let to: SocketAddr = format!("{FAR}:80").parse().unwrap();
    let mut served = [0, 0];
    for _ in 0..20 {
        world.run(async {
            let stream = TcpStream::connect(&site.host.sockets(), to).await.unwrap();
            let local = stream.local_addr();
            let flow = Flow { protocol: 6, destination_port: 80, ..flow(local.port()) };
            let place = usize::from(way(&site.host, &flow) == IpAddr::from([10, 0, 0, 3]));
            served[place] += 1;
            let peer = listeners[place].accept().await.unwrap();
            let data = vec![9; 20_000];
            let sent = async {
                stream.write_all(&data).await.unwrap();
                stream.shutdown(devnet_network::command::socket::Direction::Write).unwrap();
            };
            let received = async {
                let mut all = Vec::new();
                let mut buffer = [0; 4096];
                loop {
                    match peer.read(&mut buffer).await.unwrap() {
                        0 => return all.len(),
                        length => all.extend_from_slice(&buffer[..length]),
                    }
                }
            };
            let ((), received) = futures_lite::future::zip(sent, received).await;
            assert_eq!(received, 20_000);
        });
    }
    assert!(served.iter().all(|count| *count > 3), "{served:?}");
}

#[test]
fn verbs_set_and_remove_them_whole() {
    let world = World::new(4);
    let Site { host, .. } = site(&world);
    let two = [("10.0.0.2", 1), ("10.0.0.3", 2)];
    assert_eq!(set(&host, ChangeMode::Change, &two), Err(Error::NotFound));
    assert_eq!(set(&host, ChangeMode::Insert, &two), Ok(true));
    assert_eq!(set(&host, ChangeMode::Insert, &two), Err(Error::AlreadyExists));
    assert_eq!(set(&host, ChangeMode::Append, &[("10.0.0.4", 1), ("10.0.0.5", 1)]), {
        // One of a destination and metric has several.
        Err(Error::AlreadyExists)
    });
    assert_eq!(set(&host, ChangeMode::Replace, &two), Ok(false));
    assert_eq!(gateways(&host), ["10.0.0.2", "10.0.0.3"]);
    let swapped = [("10.0.0.3", 2), ("10.0.0.4", 1), ("10.0.0.2", 1)];
    assert_eq!(set(&host, ChangeMode::Replace, &swapped), Ok(true));
    assert_eq!(gateways(&host), ["10.0.0.3", "10.0.0.4", "10.0.0.2"]);
    // An ordinary route takes the place of all of them, one that was among them, too.
    let one =
        RouteChange { gateway: "10.0.0.4".parse().ok(), ..change(ChangeMode::Replace, &[]).route };
    assert_eq!(host.control::<SetRoute>("eth0", &one), Ok(true));
    assert_eq!(gateways(&host), ["10.0.0.4"]);
    assert!(host.control::<ListMultipathRoutes>("eth0", &()).unwrap().is_empty());
    assert_eq!(set(&host, ChangeMode::Change, &two), Ok(true));
    // An alternative comes after them, and stays when they are replaced.
    let other = RouteChange { mode: ChangeMode::Append, gateway: "10.0.0.9".parse().ok(), ..one };
    assert_eq!(host.control::<SetRoute>("eth0", &other), Ok(true));
    assert_eq!(set(&host, ChangeMode::Replace, &[("10.0.0.5", 1), ("10.0.0.6", 256)]), Ok(true));
    assert_eq!(gateways(&host), ["10.0.0.5", "10.0.0.6", "10.0.0.9"]);
    assert_eq!(set(&host, ChangeMode::Replace, &[("10.0.0.9", 1), ("10.0.0.6", 1)]), {
        Err(Error::AlreadyExists)
    });
    let all = host.control::<ListMultipathRoutes>("sockets", &()).unwrap();
    let weights: Vec<_> = all[0].hops.iter().map(|hop| hop.weight).collect();
    assert_eq!((all.len(), weights, all[0].route.route.gateway), (1, vec![1, 256], None));
    // Without a gateway the route goes whole, and counts as one.
    let filter = RouteFilter { destination: Some(other.destination), ..RouteFilter::default() };
    assert_eq!(host.control::<RemoveRoutes>("eth0", &filter), Ok(1));
    assert_eq!(gateways(&host), ["10.0.0.9"]);
    assert_eq!(set(&host, ChangeMode::Prepend, &swapped), Ok(true));
    assert_eq!(gateways(&host), ["10.0.0.3", "10.0.0.4", "10.0.0.2", "10.0.0.9"]);
    // With a gateway just that next hop does.
    let hop = RouteFilter { gateway: "10.0.0.4".parse().ok(), ..filter.clone() };
    assert_eq!(host.control::<RemoveRoutes>("eth0", &hop), Ok(1));
    assert_eq!(gateways(&host), ["10.0.0.3", "10.0.0.2", "10.0.0.9"]);
    let every = RouteFilter { all: true, ..filter };
    assert_eq!(host.control::<RemoveRoutes>("eth0", &every), Ok(2));
    set(&host, ChangeMode::Insert, &two).unwrap();
    host.write(&host.open("eth0"), "route remove 203.0.113.0/24").unwrap();
    assert!(gateways(&host).is_empty());
}

#[test]
fn refusals_leave_the_table_as_it_was() {
    let world = World::new(5);
    let Site { host, .. } = site(&world);
    set(&host, ChangeMode::Insert, &[("10.0.0.2", 1), ("10.0.0.3", 2)]).unwrap();
    let before = host.control::<ListRouteDetails>("sockets", &()).unwrap();
    let many: Vec<String> = (10..27).map(|last| format!("10.0.0.{last}")).collect();
    let many: Vec<(&str, u16)> = many.iter().map(|gateway| (gateway.as_str(), 1)).collect();
    for (hops, error) in [
        (&[("10.0.0.2", 0), ("10.0.0.3", 1)][..], Error::InvalidInput),
        (&[("10.0.0.2", 257), ("10.0.0.3", 1)], Error::InvalidInput),
        (&[("10.0.0.2", 1), ("10.0.0.2", 1)], Error::InvalidInput),
        (&[("10.0.0.2", 1), ("fd00::2", 1)], Error::InvalidInput),
        (&[("10.0.0.4", 1), ("10.9.0.2", 1)], Error::NetworkUnreachable),
        (&[("10.0.0.4", 1), ("255.255.255.255", 1)], Error::InvalidInput),
        (&many, Error::NoBufferSpace),
    ] {
        assert_eq!(set(&host, ChangeMode::Replace, hops), Err(error), "{hops:?}");
    }
    assert_eq!(set(&host, ChangeMode::Replace, &many[..16]), Ok(true));
    set(&host, ChangeMode::Replace, &[("10.0.0.2", 1), ("10.0.0.3", 2)]).unwrap();
    let mut both = change(ChangeMode::Replace, &[("10.0.0.2", 1), ("10.0.0.4", 1)]);
    both.route.gateway = "10.0.0.3".parse().ok();
    assert_eq!(host.control::<SetMultipathRoute>("eth0", &both), Err(Error::InvalidInput));
    assert_eq!(host.control::<ListRouteDetails>("sockets", &()).unwrap(), before);
    host.write(&host.open("eth0"), "link down").unwrap();
    let down = set(&host, ChangeMode::Replace, &[("10.0.0.2", 1), ("10.0.0.4", 1)]);
    assert_eq!(down, Err(Error::NetworkUnreachable));
}

#[test]
fn a_next_hop_goes_with_its_network_and_the_others_stay() {
    let world = World::new(6);
    let Site { host, .. } = site(&world);
    host.write(&host.open("eth0"), "address add 10.0.5.1/24").unwrap();
    set(&host, ChangeMode::Insert, &[("10.0.0.2", 1), ("10.0.5.3", 2), ("10.0.0.4", 1)]).unwrap();
    host.write(&host.open("eth0"), "address remove 10.0.5.1/24").unwrap();
    assert_eq!(gateways(&host), ["10.0.0.2", "10.0.0.4"]);
    // One that is alone is an ordinary route, here and in what is exported.
    let hop = RouteFilter { gateway: "10.0.0.2".parse().ok(), ..RouteFilter::default() };
    host.control::<RemoveRoutes>("eth0", &hop).unwrap();
    assert!(host.control::<ListMultipathRoutes>("eth0", &()).unwrap().is_empty());
    let file = host.open("eth0");
    host.write(&file, "export").unwrap();
    let mut text = vec![0; 4096];
    let length = world.run(file.read(&mut text)).unwrap();
    let text = String::from_utf8_lossy(&text[..length]).into_owned();
    assert!(text.contains("route add 203.0.113.0/24 via 10.0.0.4\n"), "{text}");
}

#[test]
fn an_alternative_is_found_behind_routes_of_the_same_length() {
    let world = World::new(7);
    let Site { host, .. } = site(&world);
    let file = host.open("eth0");
    for line in [
        "route add 203.0.113.0/24 via 10.0.0.99",
        "route add 198.51.100.0/24 via 10.0.0.3",
        "route append 203.0.113.0/24 via 10.0.0.2",
    ] {
        host.write(&file, line).unwrap();
    }
    let sender = UdpSocket::new(&host.sockets());
    world.run(async {
        let _ = sender.send_to(b"x", format!("{FAR}:7").parse().unwrap()).await;
        world.sleep(Duration::from_secs(5)).await;
    });
    let choice = host.control::<FindRoute>("eth0", &FAR.parse().unwrap()).unwrap();
    assert_eq!(choice.gateway, "10.0.0.2".parse().ok());
}
