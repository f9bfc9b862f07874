//! Prefixes for networks behind this system (RFC 8415 §6.3, RFC 7084).

use devnet_network::command::dhcp6::Downstream;
use devnet_network::command::route::RouteKind;
use devnet_network::command::{
    FindRoute, ListAddresses, ListRouteDetails, ListRoutes, SetDownstream,
};
use devnet_network::{TcpStream, UdpSocket};
use devnet_virtual_file_system::Error;
use world::Host;

use super::*;
use crate::events::{told, watching};
use crate::pair::options;

const PREFIX: &str = "2001:db8:0:100::/56";

/// A server that delegates this prefix for 100 s.
fn delegates(prefix: &'static str, valid: u32) -> impl Fn(&Dhcp6Message) -> Option<Dhcp6Message> {
    move |message: &Dhcp6Message| {
        let mut reply = plain(message)?;
        if message.has(option::IA_PD) && message.kind != MessageKind::Release {
            let body = association(20, 50, &[delegated(prefix, valid * 8 / 10, valid)]);
            reply.push(option::IA_PD, &body);
        }
        Some(reply)
    }
}

/// The routes of a host that refuse.
fn unreachable(host: &Host) -> Vec<String> {
    let all = host.control::<ListRouteDetails>("eth0", &()).unwrap();
    let refusing = all.iter().filter(|one| one.kind == RouteKind::Unreachable);
    refusing.map(|one| one.route.destination.to_string()).collect()
}

fn addresses(host: &Host, interface: &str) -> Vec<String> {
    let all = host.control::<ListAddresses>(interface, &()).unwrap();
    let global = all.iter().filter(|entry| !entry.prefix.to_string().starts_with("fe80"));
    global.map(|entry| entry.prefix.to_string()).collect()
}

#[test]
fn a_prefix_is_asked_for_by_its_hint_and_listed() {
    let world = World::new(1);
    let mut network = Network::new(&world);
    network.write("dhcp6 client stateful prefixes on hint ::/56");
    let watching = watching(&network.wire.host, "eth0", "dhcp");
    let heard = network.with(5 * SECOND, delegates(PREFIX, 100));
    let hint = association(0, 0, &[delegated("::/56", 0, 0)]);
    assert_eq!(heard[0].1.option(option::IA_PD), Some(&hint[..]));
    let chosen = association(0, 0, &[delegated(PREFIX, 0, 0)]);
    assert_eq!(heard[1].1.option(option::IA_PD), Some(&chosen[..]));
    let status = network.status();
    assert_eq!(status.state, Dhcp6State::Bound);
    assert_eq!((status.addresses.len(), status.prefixes.len()), (1, 1));
    assert_eq!(status.prefixes[0].prefix.to_string(), PREFIX);
    assert!((95..=100).contains(&status.prefixes[0].valid_seconds));
    assert!(told(&watching).iter().any(|line| line.contains(&format!("prefix {PREFIX}"))));
    // What of it is nowhere used is unreachable (RFC 7084 §4.2).
    let host = &network.wire.host;
    assert_eq!(unreachable(host), [PREFIX]);
    let found = host.control::<FindRoute>("eth0", &"2001:db8:0:1ff::9".parse().unwrap());
    assert_eq!(found, Err(Error::HostUnreachable));
    // Neither commands about routes of the system nor those of DHCPv4 take it.
    let sockets = host.open("sockets");
    host.write(&sockets, "route blackhole 192.0.2.0/24").unwrap();
    let _ = host.write(&sockets, "route remove 192.0.2.0/24");
    network.write("dhcp start\ndhcp stop");
    assert_eq!(unreachable(&network.wire.host), [PREFIX]);
    // Prefixes cannot be confirmed: they are rebound.
    network.write("link down\nlink up");
    let heard = network.with(3 * SECOND, delegates(PREFIX, 100));
    assert_eq!(kinds(&heard), [MessageKind::Rebind]);
    assert_eq!(network.state(), Dhcp6State::Bound);
    network.write("dhcp6 client off");
    let heard = network.with(SECOND, plain);
    assert_eq!(kinds(&heard), [MessageKind::Release]);
    assert!(heard[0].1.has(option::IA_PD));
    assert!(unreachable(&network.wire.host).is_empty());
}

#[test]
fn prefixes_alone_are_asked_for_whatever_routers_say() {
    let world = World::new(2);
    let mut network = Network::new(&world);
    network.write("dhcp6 client auto prefixes on");
    let heard = network.with(18 * SECOND, delegates(PREFIX, 100));
    assert_eq!(kinds(&heard), [MessageKind::Solicit, MessageKind::Request]);
    // Nobody advertised for three solicitations.
    assert!(heard[0].0 >= 12_000, "{heard:?}");
    assert!(heard.iter().all(|(_, one)| !one.has(option::IA_NA)));
    assert_eq!(network.status().prefixes.len(), 1);
    assert!(held(&network).is_empty());
    // A router that comes later says that there are addresses.
    let mut advertisement = crate::advertisements::advertised(3);
    advertisement.flags = 0x80;
    advertisement.send(&mut network.wire);
    let heard = network.with(5 * SECOND, delegates(PREFIX, 100));
    assert!(heard[0].1.has(option::IA_NA));
    assert_eq!(network.status().prefixes.len(), 1);
    assert_eq!(held(&network).len(), 1);
}

#[test]
fn a_server_with_one_of_both_gives_that_one() {
    let world = World::new(3);
    let mut network = Network::new(&world);
    network.write("dhcp6 client stateful prefixes on");
    let no_prefix = |message: &Dhcp6Message| {
        let mut reply = plain(message)?;
        if message.has(option::IA_PD) {
            reply.push(option::IA_PD, &association(0, 0, &[code(status::NO_PREFIXES)]));
        }
        Some(reply)
    };
    let heard = network.with(5 * SECOND, no_prefix);
    assert_eq!(kinds(&heard), [MessageKind::Solicit, MessageKind::Request]);
    assert_eq!((network.state(), held(&network).len()), (Dhcp6State::Bound, 1));
    assert_eq!(network.status().refusal, Some(status::NO_PREFIXES));
    // The other one is asked for with each renewal.
    let heard = network.with(25 * SECOND, delegates(PREFIX, 100));
    assert!(kinds(&heard).contains(&MessageKind::Renew));
    assert_eq!(network.status().prefixes.len(), 1);
    assert_eq!(network.status().refusal, None);
}

#[test]
fn another_interface_has_a_network_of_the_prefix_and_advertises_it() {
    let world = World::new(4);
    let mut network = Network::new(&world);
    let (near, far) = devnet_drivers::cable(options());
    network.wire.host.manager.register("eth1", Box::new(near), None).unwrap();
    let device = network.wire.host.open("eth1");
    network.wire.host.write(&device, "link up\ndhcp6 downstream eth0 subnet 3").unwrap();
    let behind = Host::new(&world).with("eth0", far, &[]);
    network.silent(10 * SECOND);
    assert!(addresses(&network.wire.host, "eth1").is_empty());

    network.write("dhcp6 client stateful prefixes on");
    network.with(8 * SECOND, delegates(PREFIX, 100));
    let host = &network.wire.host;
    assert_eq!(addresses(host, "eth1"), ["2001:db8:0:103::1/64"]);
    let status = host.control::<GetDhcp6>("eth1", &()).unwrap();
    assert_eq!(status.networks[0].prefix.to_string(), "2001:db8:0:103::/64");
    assert_eq!(status.networks[0].valid_seconds, network.status().prefixes[0].valid_seconds);
    // A host behind forms its address, for no longer than the prefix is delegated.
    assert_eq!(addresses(&behind, "eth0"), ["2001:db8:0:103:0:ff:fe00:2/64"]);
    let formed = behind.control::<ListAddresses>("eth0", &()).unwrap();
    let formed = formed.iter().find(|one| one.valid_seconds.is_some()).unwrap();
    assert!(formed.valid_seconds.unwrap() <= 100 && formed.preferred_seconds.unwrap() <= 80);
    // It has no way to elsewhere by us, who do not forward.
    let routes = behind.control::<ListRoutes>("eth0", &()).unwrap();
    assert!(routes.iter().all(|route| route.destination.length() > 0));
    // Packets of our own reach it in spite of the unreachable rest.
    let listener =
        devnet_network::TcpListener::bind(&behind.sockets(), "[::]:7".parse().unwrap(), 4).unwrap();
    let to = "[2001:db8:0:103:0:ff:fe00:2]:7";
    world.run(async {
        let _stream = TcpStream::connect(&network.wire.host.sockets(), to).await.unwrap();
        listener.accept().await.unwrap();
    });
    let elsewhere = UdpSocket::new(&network.wire.host.sockets());
    let sent = world.run(elsewhere.send_to(b"x", "[2001:db8:0:104::9]:9".parse().unwrap()));
    assert_eq!(sent.map(drop), Err(Error::HostUnreachable));

    // Another network of it, then none: there is no such one.
    network.wire.host.write(&device, "dhcp6 downstream eth0 subnet 255 advertise off").unwrap();
    assert_eq!(addresses(&network.wire.host, "eth1"), ["2001:db8:0:1ff::1/64"]);
    network.wire.host.write(&device, "dhcp6 downstream eth0 subnet 256").unwrap();
    assert!(addresses(&network.wire.host, "eth1").is_empty());
    network.wire.host.write(&device, "dhcp6 downstream eth0").unwrap();
    // Another prefix instead, and none when it ends.
    let other = |message: &Dhcp6Message| {
        let mut reply = plain(message)?;
        let members = [delegated(PREFIX, 0, 0), delegated("2001:db8:0:200::/60", 80, 100)];
        reply.push(option::IA_PD, &association(20, 50, &members));
        Some(reply)
    };
    network.with(25 * SECOND, other);
    assert_eq!(addresses(&network.wire.host, "eth1"), ["2001:db8:0:200::1/64"]);
    assert_eq!(unreachable(&network.wire.host), ["2001:db8:0:200::/60"]);
    let formed = addresses(&behind, "eth0");
    assert!(formed.contains(&"2001:db8:0:200:0:ff:fe00:2/64".into()), "{formed:?}");
    network.silent(105 * SECOND);
    assert!(addresses(&network.wire.host, "eth1").is_empty());
    assert!(unreachable(&network.wire.host).is_empty());
}

#[test]
fn a_network_that_is_the_whole_prefix_is_reachable() {
    let world = World::new(7);
    let mut network = Network::new(&world);
    let (near, far) = devnet_drivers::cable(options());
    network.wire.host.manager.register("eth1", Box::new(near), None).unwrap();
    let device = network.wire.host.open("eth1");
    network.wire.host.write(&device, "link up\nmetric 10\ndhcp6 downstream eth0").unwrap();
    let behind = Host::new(&world).with("eth0", far, &[]);
    network.write("dhcp6 client stateful prefixes on");
    network.with(8 * SECOND, delegates("2001:db8:1::/64", 100));
    assert_eq!(addresses(&behind, "eth0"), ["2001:db8:1::ff:fe00:2/64"]);
    assert_eq!(unreachable(&network.wire.host), ["2001:db8:1::/64"]);
    let socket = UdpSocket::new(&network.wire.host.sockets());
    let sent = world.run(socket.send_to(b"x", "[2001:db8:1:0:0:ff:fe00:2]:9".parse().unwrap()));
    assert_eq!(sent.map(drop), Ok(()));
}

#[test]
fn an_uplink_is_another_interface() {
    let world = World::new(5);
    let network = Network::new(&world);
    let set = |uplink: &str| {
        let host = &network.wire.host;
        host.control::<SetDownstream>("eth0", &Some(Downstream::new(uplink)))
    };
    assert_eq!(set("eth0"), Err(Error::InvalidInput));
    assert_eq!(set(""), Err(Error::InvalidInput));
    // One that is registered later is known then.
    assert_eq!(set("eth9"), Ok(true));
    assert_eq!(set("eth9"), Ok(false));
    assert_eq!(network.wire.host.control::<SetDownstream>("lo", &None), Ok(false));
    let on_loopback = network.wire.host.control::<SetDownstream>("lo", &Some(Downstream::new("x")));
    assert_eq!(on_loopback, Err(Error::Unsupported));
}

#[test]
fn the_prefix_of_an_interface_that_goes_is_gone() {
    let world = World::new(6);
    let mut network = Network::new(&world);
    let (near, _far) = devnet_drivers::cable(options());
    network.wire.host.manager.register("eth1", Box::new(near), None).unwrap();
    let device = network.wire.host.open("eth1");
    network.wire.host.write(&device, "link up\ndhcp6 downstream eth0").unwrap();
    network.write("dhcp6 client stateful prefixes on");
    network.with(5 * SECOND, delegates("2001:db8:1::/64", 100));
    assert_eq!(addresses(&network.wire.host, "eth1"), ["2001:db8:1::1/64"]);
    network.wire.host.manager.unregister("eth0").unwrap();
    world.run(world.sleep(SECOND));
    assert!(addresses(&network.wire.host, "eth1").is_empty());
}
