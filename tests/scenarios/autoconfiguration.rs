//! IPv6 by itself: link-local addresses, duplicate detection, advertisements.

use std::time::Duration;

use devnet_network::TcpListener;
use devnet_network::command::address::{AddressState, Origin};
use devnet_network::command::{ListAddresses, ListDnsServers, ListRoutes};
use devnet_virtual_file_system::Error;
use world::{Host, World};

use crate::pair::{connection, hosts, options};

#[test]
fn an_advertised_prefix_brings_address_route_and_name_server() {
    let world = World::new(1);
    let (left, right) = devnet_drivers::cable(options());
    let router = Host::new(&world).with("eth0", left, &["fd00:2::2/64"]);
    router.write(&router.open("eth0"), "advertise fd00:2::/64 fd00:2::3").unwrap();
    let host = Host::new(&world).with("eth0", right, &[]);
    world.run(async {
        world.sleep(Duration::from_secs(6)).await;
        let addresses = host.control::<ListAddresses>("eth0", &()).unwrap();
        let formed = addresses
            .iter()
            .find(|entry| entry.origin == Origin::RouterAdvertisement)
            .expect("an address");
        assert_eq!(formed.prefix.to_string(), "fd00:2::ff:fe00:2/64");
        assert_eq!(formed.state, AddressState::Preferred);
        let routes = host.control::<ListRoutes>("eth0", &()).unwrap();
        assert!(
            routes.iter().any(|route| route.destination.length() == 0
                && route.origin == Origin::RouterAdvertisement)
        );
        assert_eq!(
            host.control::<ListDnsServers>("eth0", &()).unwrap()[0].address.to_string(),
            "fd00:2::3"
        );
        connection(&host, &router, "[fd00:2::2]:80").await;
        // Nothing changes while the advertisements go on, and router and server go when they stop
        // for good.
        world.sleep(Duration::from_secs(7200)).await;
        assert_eq!(host.control::<ListRoutes>("eth0", &()).unwrap().len(), routes.len());
        router.write(&router.open("eth0"), "advertise off").unwrap();
        world.sleep(Duration::from_secs(1900)).await;
        let routes = host.control::<ListRoutes>("eth0", &()).unwrap();
        assert!(routes.iter().all(|route| route.origin != Origin::RouterAdvertisement));
        assert!(host.control::<ListDnsServers>("eth0", &()).unwrap().is_empty());
    });
    assert_eq!(
        router.write(&router.open("eth0"), "advertise fd00:2::/48"),
        Err(Error::InvalidInput)
    );
    assert_eq!(
        router.write(&router.open("eth0"), "advertise 10.0.0.0/24"),
        Err(Error::InvalidInput)
    );
}

#[test]
fn nbr_12_a_duplicate_address_is_found_and_not_used() {
    let world = World::new(2);
    let (left, right) = hosts(&world);
    let device = left.open("eth0");
    left.write(&device, "address add fd00::2/64").unwrap();
    world.run(async {
        world.sleep(Duration::from_secs(2)).await;
        let addresses = left.control::<ListAddresses>("eth0", &()).unwrap();
        let duplicate =
            addresses.iter().find(|entry| entry.prefix.to_string() == "fd00::2/64").unwrap();
        assert_eq!(duplicate.state, AddressState::Duplicated);
        // The owner is still reached, and by us from our own address.
        let (client, _server) = connection(&left, &right, "[fd00::2]:80").await;
        assert_eq!(client.local_addr().ip().to_string(), "fd00::1");
    });
}

#[test]
fn a_tentative_address_is_not_used_yet() {
    let world = World::new(3);
    let (left, _right) = hosts(&world);
    left.write(&left.open("eth0"), "address add fd09::1/64").unwrap();
    world.run(async {
        let before = left.control::<ListAddresses>("eth0", &()).unwrap();
        assert!(before.iter().any(|entry| entry.prefix.to_string() == "fd09::1/64"
            && entry.state == AddressState::Tentative));
        let sockets = left.manager.sockets_on("eth0").unwrap();
        assert_eq!(
            TcpListener::bind(&sockets, "[fd09::1]:80".parse().unwrap(), 1).unwrap_err(),
            Error::AddressNotAvailable
        );
        world.sleep(Duration::from_millis(1100)).await;
        let after = left.control::<ListAddresses>("eth0", &()).unwrap();
        assert!(after.iter().any(|entry| entry.prefix.to_string() == "fd09::1/64"
            && entry.state == AddressState::Preferred));
        TcpListener::bind(&sockets, "[fd09::1]:80".parse().unwrap(), 1).unwrap();
    });
}

#[test]
fn an_address_added_while_the_link_was_down_is_tested_when_it_comes_up() {
    let world = World::new(4);
    let (left, _right) = devnet_drivers::cable(options());
    let host = Host::new(&world);
    host.manager.register("eth0", Box::new(left), None).unwrap();
    let device = host.open("eth0");
    host.write(&device, "address add fd00::7/64\nlink up").unwrap();
    let usable = |host: &Host| {
        let addresses = host.control::<ListAddresses>("eth0", &()).unwrap();
        addresses.iter().filter(|entry| entry.state == AddressState::Preferred).count()
    };
    world.run(async {
        assert_eq!(usable(&host), 0);
        world.sleep(Duration::from_secs(2)).await;
        assert_eq!(usable(&host), 2);
    });
}
