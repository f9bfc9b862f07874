//! Router advertisements, every field of them (RFC 4861 §6.3.4, RFC 4191, RFC 8106), by frames.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use devnet_network::command::address::{AddressState, Origin};
use devnet_network::command::route::Preference;
use devnet_network::command::{
    FindRoute, ListAddresses, ListDnsServers, ListNeighbors, ListRoutePreferences, ListRoutes,
};
use devnet_network::{TcpSettings, TcpStream, UdpSocket};
use world::World;

use crate::station::{Wire, ndp, packets};

pub(crate) const ALL_NODES: Ipv6Addr = Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 1);
pub(crate) const SHORT: Duration = Duration::from_millis(20);
const FAR: &str = "2001:db8::1";

/// Routers by the last byte of their addresses.
pub(crate) const fn router(last: u16) -> Ipv6Addr {
    Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, last)
}

pub(crate) const fn station(last: u8) -> [u8; 6] {
    [2, 0, 0, 0, 1, last]
}

/// An advertisement: what its fixed part says, and its options.
#[derive(Clone)]
pub(crate) struct Advertisement {
    from: u8,
    hop_limit: u8,
    pub(crate) flags: u8,
    lifetime: u16,
    reachable: u32,
    retransmit: u32,
    options: Vec<u8>,
}

/// One of a router with the usual lifetime.
pub(crate) fn advertised(from: u8) -> Advertisement {
    Advertisement {
        from,
        hop_limit: 0,
        flags: 0,
        lifetime: 1800,
        reachable: 0,
        retransmit: 0,
        options: Vec::new(),
    }
}

impl Advertisement {
    pub(crate) fn lifetime(mut self, lifetime: u16) -> Self {
        self.lifetime = lifetime;
        self
    }

    /// With the preference bits of RFC 4191 §2.2.
    fn preference(mut self, bits: u8) -> Self {
        self.flags |= bits << 3;
        self
    }

    pub(crate) fn with(mut self, option: &[u8]) -> Self {
        self.options.extend_from_slice(option);
        self
    }

    pub(crate) fn send(&self, wire: &mut Wire<'_>) {
        let [high, low] = self.lifetime.to_be_bytes();
        let rest =
            [&self.reachable.to_be_bytes()[..], &self.retransmit.to_be_bytes(), &self.options]
                .concat();
        let word = [self.hop_limit, self.flags, high, low];
        let packet = ndp(router(self.from.into()), ALL_NODES, 134, word, &rest);
        let ethernet = [&[0x33, 0x33, 0, 0, 0, 1][..], &station(self.from), &[0x86, 0xdd]].concat();
        wire.send_frame(&[&ethernet[..], &packet].concat());
        wire.after(SHORT);
    }
}

/// A Prefix Information option (RFC 4861 §4.6.2).
pub(crate) fn prefix(prefix: &str, length: u8, flags: u8, valid: u32, preferred: u32) -> Vec<u8> {
    let address: Ipv6Addr = prefix.parse().unwrap();
    [
        &[3, 4, length, flags][..],
        &valid.to_be_bytes(),
        &preferred.to_be_bytes(),
        &[0; 4],
        &address.octets(),
    ]
    .concat()
}

pub(crate) const ON_LINK: u8 = 0x80;
pub(crate) const AUTONOMOUS: u8 = 0x40;

/// A Route Information option of so many units (RFC 4191 §2.3).
fn route(prefix: &str, length: u8, preference: u8, lifetime: u32, units: u8) -> Vec<u8> {
    let address: Ipv6Addr = prefix.parse().unwrap();
    let octets = &address.octets()[..usize::from(units - 1) * 8];
    [&[24, units, length, preference << 3][..], &lifetime.to_be_bytes(), octets].concat()
}

fn link_layer(last: u8) -> Vec<u8> {
    [&[1, 1][..], &station(last)].concat()
}

/// A host with a link-local address only.
pub(crate) fn quiet(world: &World) -> Wire<'_> {
    Wire::with(world, &[])
}

/// A host with a global address, whose prefix says nothing about routers.
fn addressed(world: &World) -> Wire<'_> {
    Wire::with(world, &["2001:db8:1::5/64"])
}

pub(crate) fn gateway(wire: &Wire<'_>, to: &str) -> Option<IpAddr> {
    wire.host.control::<FindRoute>("eth0", &to.parse().unwrap()).ok()?.gateway
}

/// Routes that routers advertised, as `destination via gateway`, in order.
fn routes(wire: &Wire<'_>) -> Vec<String> {
    let all = wire.host.control::<ListRoutes>("eth0", &()).unwrap();
    all.iter()
        .filter(|route| match route.origin {
            // A connected route has a source.
            Origin::Kernel => route.source.is_none(),
            origin => origin == Origin::RouterAdvertisement,
        })
        .map(|route| match route.gateway {
            Some(gateway) => format!("{} via {gateway}", route.destination),
            None => format!("{} on-link", route.destination),
        })
        .collect()
}

/// Addresses that routers advertised, as text.
pub(crate) fn addresses(wire: &Wire<'_>) -> Vec<String> {
    let all = wire.host.control::<ListAddresses>("eth0", &()).unwrap();
    all.iter()
        .filter(|entry| entry.origin == Origin::RouterAdvertisement)
        .map(|entry| entry.prefix.address().to_string())
        .collect()
}

fn some(last: u16) -> Option<IpAddr> {
    Some(router(last).into())
}

#[test]
fn default_router_preference() {
    let world = World::new(1);
    let mut wire = addressed(&world);
    advertised(0xa).send(&mut wire);
    wire.after(Duration::from_secs(2));
    advertised(0xb).preference(0b01).send(&mut wire);
    assert_eq!(gateway(&wire, FAR), some(0xb));
    // Frames go there, by the hardware address of its advertisement or of its answer.
    advertised(0xb).preference(0b01).with(&link_layer(0xb)).send(&mut wire);
    let socket = UdpSocket::new(&wire.host.sockets());
    world.run(socket.send_to(b"x", SocketAddr::new(FAR.parse().unwrap(), 9))).unwrap();
    let frames = wire.after(SHORT);
    let sent = frames.iter().find(|frame| frame[20] == 17).expect("a datagram, without asking");
    assert_eq!(sent[..6], station(0xb));
    let preferences = wire.host.control::<ListRoutePreferences>("sockets", &()).unwrap();
    let [preferred] = &preferences[..] else { panic!("one route is not medium") };
    assert_eq!((preferred.gateway, preferred.preference), (router(0xb).into(), Preference::High));
    // A lifetime of 0 ends it, whatever its preference.
    advertised(0xb).preference(0b01).lifetime(0).send(&mut wire);
    assert_eq!(gateway(&wire, FAR), some(0xa));
    // Low, and the reserved value, which is medium.
    advertised(0xa).preference(0b11).send(&mut wire);
    advertised(0xb).preference(0b10).send(&mut wire);
    assert_eq!(gateway(&wire, FAR), some(0xb));
    // Among equals the first one stays.
    advertised(0xa).preference(0b00).send(&mut wire);
    advertised(0xa).preference(0b00).send(&mut wire);
    assert_eq!(gateway(&wire, FAR), some(0xb));
    advertised(0xa).preference(0b01).send(&mut wire);
    assert_eq!(gateway(&wire, FAR), some(0xa));
    assert_eq!(routes(&wire).len(), 2);
}

#[test]
fn a_router_that_answers_comes_before_a_preferred_one_that_does_not() {
    let world = World::new(2);
    let mut wire = addressed(&world);
    advertised(0xa).with(&link_layer(0xa)).send(&mut wire);
    advertised(0xb).preference(0b01).send(&mut wire);
    let socket = UdpSocket::new(&wire.host.sockets());
    let far = SocketAddr::new(FAR.parse().unwrap(), 9);
    world.run(socket.send_to(b"x", far)).unwrap();
    wire.after(Duration::from_secs(5));
    // RFC 4191 §3.2: nobody answers for the preferred one.
    assert_eq!(gateway(&wire, FAR), some(0xa));
}

#[test]
fn a_withdrawn_router_leaves_a_static_route_through_it() {
    let world = World::new(3);
    let mut wire = addressed(&world);
    let device = wire.host.open("eth0");
    wire.host.write(&device, "metric 100\nroute add default via fe80::a metric 1").unwrap();
    advertised(0xa).send(&mut wire);
    assert_eq!(routes(&wire), ["::/0 via fe80::a"]);
    advertised(0xa).lifetime(0).send(&mut wire);
    assert!(routes(&wire).is_empty());
    assert_eq!(gateway(&wire, FAR), some(0xa), "the static one stays");
    // An expired one leaves it as well.
    advertised(0xa).lifetime(10).send(&mut wire);
    wire.after(Duration::from_secs(12));
    assert!(routes(&wire).is_empty());
    assert_eq!(gateway(&wire, FAR), some(0xa));
    // And a router that says that it is none.
    advertised(0xa).with(&link_layer(0xa)).send(&mut wire);
    let option = [&[2, 1][..], &station(0xa)].concat();
    let rest = [&router(0xa).octets()[..], &option].concat();
    let packet = ndp(router(0xa), ALL_NODES, 136, [0x20, 0, 0, 0], &rest);
    wire.send_frame(&crate::station::frame([0x33, 0x33, 0, 0, 0, 1], &packet));
    wire.after(SHORT);
    assert!(routes(&wire).is_empty());
    assert_eq!(gateway(&wire, FAR), some(0xa));
}

#[test]
fn an_autonomous_prefix_that_is_not_on_link() {
    let world = World::new(4);
    let mut wire = quiet(&world);
    let option = prefix("2001:db8:7::", 64, AUTONOMOUS, 3600, 1800);
    advertised(0xa).with(&option).send(&mut wire);
    wire.after(Duration::from_secs(2));
    // An address, and what goes to its prefix goes to the router (RFC 5942 §4).
    assert_eq!(addresses(&wire), ["2001:db8:7::ff:fe00:1"]);
    assert_eq!(routes(&wire), ["::/0 via fe80::a"]);
    assert_eq!(gateway(&wire, "2001:db8:7::9"), some(0xa));
}

#[test]
fn an_on_link_prefix_that_is_not_autonomous() {
    let world = World::new(5);
    let mut wire = addressed(&world);
    let option = prefix("2001:db8:7::", 64, ON_LINK, 3600, 1800);
    let odd = prefix("2001:db8:8:ff00::", 56, ON_LINK | AUTONOMOUS, 3600, 1800);
    advertised(0xa).with(&option).with(&odd).send(&mut wire);
    wire.after(Duration::from_secs(2));
    // A route, and no address; an address needs 64 bits, a route does not.
    assert!(addresses(&wire).is_empty());
    assert_eq!(
        routes(&wire),
        ["2001:db8:7::/64 on-link", "2001:db8:8:ff00::/56 on-link", "::/0 via fe80::a"]
    );
    assert_eq!(gateway(&wire, "2001:db8:7::9"), None);
    // L = 0 says nothing about what is on-link; a lifetime of 0 does (RFC 4861 §6.3.4).
    advertised(0xa).with(&prefix("2001:db8:7::", 64, 0, 0, 0)).send(&mut wire);
    assert_eq!(gateway(&wire, "2001:db8:7::9"), None);
    advertised(0xa).with(&prefix("2001:db8:7::", 64, ON_LINK, 0, 0)).send(&mut wire);
    assert_eq!(gateway(&wire, "2001:db8:7::9"), some(0xa));
}

#[test]
fn both_flags_and_neither_and_prefixes_that_are_none() {
    let world = World::new(6);
    let mut wire = quiet(&world);
    advertised(0xa)
        .with(&prefix("2001:db8:7::", 64, ON_LINK | AUTONOMOUS, 3600, 1800))
        .with(&prefix("2001:db8:8::", 64, 0, 3600, 1800))
        .with(&prefix("fe80::", 64, ON_LINK | AUTONOMOUS, 3600, 1800))
        .with(&prefix("ff0e::", 64, ON_LINK | AUTONOMOUS, 3600, 1800))
        .with(&prefix("2001:db8:9::", 129, ON_LINK, 3600, 1800))
        // Preferred for longer than valid: no address, but on-link.
        .with(&prefix("2001:db8:a::", 64, ON_LINK | AUTONOMOUS, 1800, 3600))
        .send(&mut wire);
    wire.after(Duration::from_secs(2));
    assert_eq!(addresses(&wire), ["2001:db8:7::ff:fe00:1"]);
    assert_eq!(
        routes(&wire),
        ["2001:db8:7::/64 on-link", "2001:db8:a::/64 on-link", "::/0 via fe80::a"]
    );
    let all = wire.host.control::<ListRoutes>("eth0", &()).unwrap();
    let doubled = all.iter().filter(|route| route.destination.to_string() == "2001:db8:7::/64");
    assert_eq!(doubled.count(), 1, "the address brings no second route");
}

#[test]
fn an_on_link_prefix_runs_out_and_never_does() {
    let world = World::new(7);
    let mut wire = addressed(&world);
    advertised(0xa)
        .lifetime(0)
        .with(&prefix("2001:db8:7::", 64, ON_LINK, 100, 100))
        .with(&prefix("2001:db8:8::", 64, ON_LINK, u32::MAX, 100))
        .send(&mut wire);
    wire.after(Duration::from_secs(99));
    assert_eq!(routes(&wire), ["2001:db8:7::/64 on-link", "2001:db8:8::/64 on-link"]);
    wire.after(Duration::from_secs(3));
    assert_eq!(routes(&wire), ["2001:db8:8::/64 on-link"]);
    wire.after(Duration::from_secs(1_000_000));
    assert_eq!(routes(&wire), ["2001:db8:8::/64 on-link"]);
    // A command's route to the same network stays a command's.
    let device = wire.host.open("eth0");
    wire.host.write(&device, "link down").unwrap();
    wire.host.write(&device, "link up").unwrap();
    assert!(routes(&wire).is_empty(), "another link may have other prefixes");
}

#[test]
fn a_manual_address_and_an_advertised_prefix_leave_each_other_alone() {
    let world = World::new(8);
    let mut wire = addressed(&world);
    let device = wire.host.open("eth0");
    let option = prefix("2001:db8:1::", 64, AUTONOMOUS, 3600, 1800);
    advertised(0xa).with(&option).send(&mut wire);
    wire.after(Duration::from_secs(2));
    // The address by hand says that its network is on-link; without it nothing does.
    assert_eq!(gateway(&wire, "2001:db8:1::9"), None);
    wire.host.write(&device, "address remove 2001:db8:1::5/64").unwrap();
    assert_eq!(addresses(&wire), ["2001:db8:1::ff:fe00:1"]);
    assert_eq!(gateway(&wire, "2001:db8:1::9"), some(0xa));
    // By both flags: the network stays when one of them goes.
    wire.host.write(&device, "address add 2001:db8:1::5/64").unwrap();
    advertised(0xa).with(&prefix("2001:db8:1::", 64, ON_LINK, 3600, 0)).send(&mut wire);
    wire.host.write(&device, "address remove 2001:db8:1::5/64").unwrap();
    assert_eq!(gateway(&wire, "2001:db8:1::9"), None);
}

#[test]
fn route_information() {
    let world = World::new(9);
    let mut wire = addressed(&world);
    advertised(0xa).send(&mut wire);
    // Lengths of one, two and three units; too short for the prefix; the reserved preference.
    advertised(0xb)
        .lifetime(0)
        .with(&route("2001:db8:5::", 64, 0, 600, 2))
        .with(&route("2001:db8:6::9", 128, 0, 600, 3))
        .with(&route("2001:db8:7::", 48, 0, 600, 3))
        .with(&route("2001:db8:8::", 64, 0, 600, 1))
        .with(&route("2001:db8:9::9", 65, 0, 600, 2))
        .with(&route("2001:db8:a::", 64, 0b10, 600, 2))
        .with(&route("fe80::", 64, 0, 600, 2))
        .with(&route("ff00::", 8, 0, 600, 2))
        .send(&mut wire);
    assert_eq!(
        routes(&wire),
        [
            "2001:db8:6::9/128 via fe80::b",
            "2001:db8:5::/64 via fe80::b",
            "2001:db8:7::/48 via fe80::b",
            "::/0 via fe80::a"
        ]
    );
    assert_eq!(gateway(&wire, "2001:db8:5::1"), some(0xb));
    // The same prefix by a router that is preferred, until it takes it back.
    advertised(0xc).lifetime(0).with(&route("2001:db8:5::", 64, 0b01, 600, 2)).send(&mut wire);
    assert_eq!(gateway(&wire, "2001:db8:5::1"), some(0xc));
    advertised(0xc).lifetime(0).with(&route("2001:db8:5::", 64, 0b01, 0, 2)).send(&mut wire);
    assert_eq!(gateway(&wire, "2001:db8:5::1"), some(0xb));
    // Bits beyond the prefix do not make another route.
    advertised(0xb).lifetime(0).with(&route("2001:db8:5::77", 64, 0, 60, 3)).send(&mut wire);
    assert_eq!(routes(&wire).len(), 4);
    wire.after(Duration::from_secs(65));
    assert_eq!(gateway(&wire, "2001:db8:5::1"), some(0xa));
    assert_eq!(gateway(&wire, "2001:db8:7::1"), some(0xb));
    wire.after(Duration::from_secs(600));
    assert_eq!(routes(&wire), ["::/0 via fe80::a"]);
}

#[test]
fn route_information_about_everything_is_about_the_default_route() {
    let world = World::new(10);
    let mut wire = addressed(&world);
    // RFC 4191 §3.1: it counts instead of what the header says.
    advertised(0xa).with(&route("::", 0, 0b11, 600, 1)).send(&mut wire);
    advertised(0xb).lifetime(0).with(&route("::", 0, 0b00, 30, 1)).send(&mut wire);
    assert_eq!(gateway(&wire, FAR), some(0xb));
    assert_eq!(routes(&wire).len(), 2);
    wire.after(Duration::from_secs(35));
    assert_eq!(gateway(&wire, FAR), some(0xa));
    advertised(0xa).with(&route("::", 0, 0b11, 0, 1)).send(&mut wire);
    assert_eq!(gateway(&wire, FAR), None);
}

#[test]
fn the_link_layer_address_of_a_router() {
    let world = World::new(11);
    let mut wire = addressed(&world);
    let known = |wire: &Wire<'_>| {
        let all = wire.host.control::<ListNeighbors>("eth0", &()).unwrap();
        all.into_iter()
            .find(|entry| entry.address == IpAddr::V6(router(0xa)))
            .and_then(|entry| entry.hardware_address.map(|address| (address.0, entry.router)))
    };
    advertised(0xa).send(&mut wire);
    assert_eq!(known(&wire), None);
    advertised(0xa).with(&link_layer(0xa)).send(&mut wire);
    assert_eq!(known(&wire), Some((station(0xa), true)));
    advertised(0xa).with(&link_layer(0xc)).send(&mut wire);
    assert_eq!(known(&wire), Some((station(0xc), true)));
    // A group is no station.
    advertised(0xa).with(&[1, 1, 0x33, 0x33, 0, 0, 0, 1]).send(&mut wire);
    assert_eq!(known(&wire), Some((station(0xc), true)));
}

/// The hop limit with which a datagram leaves.
fn hop_limit(wire: &mut Wire<'_>, socket: &UdpSocket, to: &str) -> u8 {
    let to = SocketAddr::new(to.parse().unwrap(), 9);
    wire.world.run(socket.send_to(b"x", to)).unwrap();
    let frames = packets(wire.after(SHORT));
    let sent = frames.iter().find(|packet| packet[0] >> 4 == 6 && packet[6] == 17).unwrap();
    sent[7]
}

#[test]
fn the_hop_limit_of_an_advertisement() {
    let world = World::new(12);
    let mut wire = addressed(&world);
    let socket = UdpSocket::new(&wire.host.sockets());
    let base = advertised(0xa).with(&link_layer(0xa));
    base.send(&mut wire);
    assert_eq!(hop_limit(&mut wire, &socket, FAR), 64);
    Advertisement { hop_limit: 77, ..base.clone() }.send(&mut wire);
    assert_eq!(hop_limit(&mut wire, &socket, FAR), 77);
    // 0 says nothing (RFC 4861 §6.3.4).
    base.send(&mut wire);
    assert_eq!(hop_limit(&mut wire, &socket, FAR), 77);
    // What the program sets counts.
    socket.set_hop_limit(5).unwrap();
    assert_eq!(hop_limit(&mut wire, &socket, FAR), 5);
    // Streams, also without a program behind them.
    assert_eq!(hop_limit_of_syn(&mut wire, TcpSettings::default()), 77);
    let settings = TcpSettings::default().hop_limit(Some(6));
    assert_eq!(hop_limit_of_syn(&mut wire, settings), 6);
}

/// The hop limit of the SYN of a stream.
fn hop_limit_of_syn(wire: &mut Wire<'_>, settings: TcpSettings) -> u8 {
    let to = SocketAddr::new(FAR.parse().unwrap(), 9);
    let sockets = wire.host.sockets();
    let mut connecting = Box::pin(TcpStream::connect_with(&sockets, None, to, &settings));
    let outcome = wire.world.run(futures_lite::future::poll_once(&mut connecting));
    assert!(outcome.is_none(), "{outcome:?}");
    let frames = packets(wire.after(SHORT));
    frames.iter().find(|packet| packet[0] >> 4 == 6 && packet[6] == 6).unwrap()[7]
}

#[test]
fn dns_servers_and_their_lifetimes() {
    let world = World::new(13);
    let mut wire = quiet(&world);
    let servers = |lifetime: u32, addresses: &[&str]| {
        let mut option = vec![25, 1 + 2 * addresses.len() as u8, 0, 0];
        option.extend(lifetime.to_be_bytes());
        for address in addresses {
            option.extend(address.parse::<Ipv6Addr>().unwrap().octets());
        }
        option
    };
    let listed = |wire: &Wire<'_>| {
        let all = wire.host.control::<ListDnsServers>("eth0", &()).unwrap();
        all.into_iter().map(|server| server.address.to_string()).collect::<Vec<_>>()
    };
    advertised(0xa).with(&servers(600, &["fe80::53", "2001:db8::53"])).send(&mut wire);
    assert_eq!(listed(&wire), ["fe80::53", "2001:db8::53"]);
    advertised(0xa).with(&servers(0, &["fe80::53"])).send(&mut wire);
    assert_eq!(listed(&wire), ["2001:db8::53"]);
    // An option that is too short or cut says nothing; groups are no servers.
    advertised(0xa).with(&[25, 1, 0, 0, 0, 0, 2, 88]).send(&mut wire);
    advertised(0xa).with(&servers(600, &["ff02::53", "::"])).send(&mut wire);
    // Nor does one whose length is not that of whole addresses (RFC 8106 §5.3.1).
    let mut half = servers(600, &["2001:db8::54"]);
    half.extend([0; 8]);
    half[1] = 4;
    advertised(0xa).with(&half).send(&mut wire);
    assert_eq!(listed(&wire), ["2001:db8::53"]);
    wire.after(Duration::from_secs(605));
    assert!(listed(&wire).is_empty());
}

#[test]
fn lifetimes_of_addresses() {
    let world = World::new(14);
    let mut wire = quiet(&world);
    let state = |wire: &Wire<'_>| {
        let all = wire.host.control::<ListAddresses>("eth0", &()).unwrap();
        all.iter()
            .find(|entry| entry.origin == Origin::RouterAdvertisement)
            .map(|entry| (entry.state, entry.valid_seconds))
    };
    let say = |wire: &mut Wire<'_>, valid: u32, preferred: u32| {
        let option = prefix("2001:db8:7::", 64, AUTONOMOUS, valid, preferred);
        advertised(0xa).with(&option).send(wire);
        wire.after(Duration::from_secs(2));
    };
    // A new prefix that is not valid brings nothing; one that is not preferred an old address.
    say(&mut wire, 0, 0);
    assert_eq!(state(&wire), None);
    say(&mut wire, 9000, 0);
    assert_eq!(state(&wire).unwrap().0, AddressState::Deprecated);
    say(&mut wire, u32::MAX, u32::MAX);
    assert_eq!(state(&wire), Some((AddressState::Preferred, None)));
    // Nobody shortens it to less than two hours by one message (RFC 4862 §5.5.3 (e)).
    say(&mut wire, 10, 10);
    let (_, valid) = state(&wire).unwrap();
    assert!((7190..=7200).contains(&valid.unwrap()), "{valid:?}");
    say(&mut wire, 0, 0);
    let (state, valid) = state(&wire).unwrap();
    assert_eq!((state, valid.is_some_and(|valid| valid > 7000)), (AddressState::Deprecated, true));
}

#[test]
fn ra_01_what_routers_advertise_is_bounded() {
    let world = World::new(15);
    let mut wire = addressed(&world);
    advertised(0xa).with(&prefix("2001:db8:7::", 64, ON_LINK, 3600, 0)).send(&mut wire);
    for number in 0..200_u8 {
        let mut forged = advertised(number).preference(u8::from(number % 2 == 0));
        let third = format!("2001:db8:{number:x}00::");
        forged = forged
            .with(&prefix(&third, 64, ON_LINK | AUTONOMOUS, 3600, 1800))
            .with(&route(&third, 56, 0b01, 3600, 2))
            .with(&link_layer(number));
        forged.send(&mut wire);
    }
    let all = routes(&wire);
    assert!(all.len() <= 4 + 16 + 16, "{}", all.len());
    assert!(addresses(&wire).len() <= 16);
    assert!(all.contains(&"2001:db8:7::/64 on-link".to_owned()));
    assert!(all.contains(&"::/0 via fe80::a".to_owned()));
    // They go when their time is over, and room is again.
    wire.after(Duration::from_secs(3700));
    assert!(routes(&wire).is_empty());
    advertised(0xf1).send(&mut wire);
    assert_eq!(routes(&wire), ["::/0 via fe80::f1"]);
}

#[test]
fn an_mtu_belongs_to_its_link() {
    let world = World::new(16);
    let mut wire = addressed(&world);
    let mtu = |value: u32| [&[5, 1, 0, 0][..], &value.to_be_bytes()].concat();
    let socket = UdpSocket::new(&wire.host.sockets());
    socket.connect(SocketAddr::new("2001:db8:1::9".parse().unwrap(), 9)).unwrap();
    let path = |socket: &UdpSocket| socket.path_mtu().ok();
    for (value, expected) in [(1400, 1400), (1279, 1400), (1501, 1400), (0, 1400), (1500, 1500)] {
        advertised(0xa).with(&mtu(value)).send(&mut wire);
        assert_eq!(path(&socket), Some(expected), "{value}");
    }
    advertised(0xa).with(&mtu(1300)).send(&mut wire);
    let device = wire.host.open("eth0");
    wire.host.write(&device, "link down").unwrap();
    wire.host.write(&device, "link up").unwrap();
    assert_eq!(path(&socket), Some(1500));
}
