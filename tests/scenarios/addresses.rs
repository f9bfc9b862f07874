//! Addresses with everything that Linux gives them: labels, peers, secondaries, lifetimes.

use std::time::Duration;

use devnet_network::command::address::{AddressChange, AddressDetail, AddressState, Broadcast};
use devnet_network::command::{FindRoute, ListAddressDetails, ListRoutes, SetAddress};
use devnet_virtual_file_system::Error;
use world::{Host, World};

use crate::pair::options;

fn host(world: &World) -> Host {
    let (end, _other) = devnet_drivers::cable(options());
    Host::new(world).with("eth0", end, &["10.0.0.1/24"])
}

fn new(prefix: &str) -> AddressChange {
    AddressChange::new(prefix.parse().unwrap())
}

fn set(host: &Host, change: &AddressChange) -> Result<bool, Error> {
    host.control::<SetAddress>("eth0", change)
}

fn details(host: &Host) -> Vec<AddressDetail> {
    host.control::<ListAddressDetails>("eth0", &()).unwrap()
}

fn detail(host: &Host, prefix: &str) -> AddressDetail {
    let prefix = prefix.parse().unwrap();
    details(host).into_iter().find(|detail| detail.entry.prefix == prefix).unwrap()
}

fn has_route(host: &Host, destination: &str) -> bool {
    let destination = destination.parse().unwrap();
    let routes = host.control::<ListRoutes>("eth0", &()).unwrap();
    routes.iter().any(|route| route.destination == destination)
}

#[test]
fn the_second_address_of_a_network_is_secondary() {
    let world = World::new(1);
    let host = host(&world);
    set(&host, &new("10.0.0.2/24")).unwrap();
    set(&host, &new("10.0.0.3/25")).unwrap();
    set(&host, &new("10.1.0.1/24")).unwrap();
    let secondary = |prefix| detail(&host, prefix).secondary;
    assert!(!secondary("10.0.0.1/24") && secondary("10.0.0.2/24"));
    assert!(!secondary("10.0.0.3/25") && !secondary("10.1.0.1/24"));
    // It takes the place of the first when that goes, as with Linux' promote_secondaries.
    host.write(&host.open("eth0"), "address remove 10.0.0.1/24").unwrap();
    assert!(!secondary("10.0.0.2/24") && has_route(&host, "10.0.0.0/24"));
}

#[test]
fn labels_and_broadcast_addresses_are_what_was_given() {
    let world = World::new(1);
    let host = host(&world);
    let label = |label: &str| AddressChange { label: Some(label.into()), ..new("10.1.0.1/24") };
    for wrong in ["eth1:1", "eth0x", "eth0:a-label-too-long", "eth0:\u{7}", ""] {
        assert_eq!(set(&host, &label(wrong)), Err(Error::InvalidInput), "{wrong:?}");
    }
    assert_eq!(set(&host, &label("eth0:1")), Ok(true));
    assert_eq!(detail(&host, "10.1.0.1/24").label.as_deref(), Some("eth0:1"));
    assert_eq!(set(&host, &label("eth0:1")), Err(Error::AlreadyExists));
    let broadcast = |prefix, broadcast| AddressChange { broadcast, ..new(prefix) };
    set(&host, &broadcast("10.2.0.1/24", Broadcast::None)).unwrap();
    assert_eq!(detail(&host, "10.2.0.1/24").entry.broadcast, None);
    let own = Broadcast::Address("10.3.0.200".parse().unwrap());
    set(&host, &broadcast("10.3.0.1/24", own)).unwrap();
    assert_eq!(detail(&host, "10.3.0.1/24").entry.broadcast, "10.3.0.200".parse().ok());
    assert_eq!(set(&host, &broadcast("fd01::1/64", own)), Err(Error::InvalidInput));
}

#[test]
fn a_peer_is_on_the_link_instead_of_the_network() {
    let world = World::new(1);
    let host = host(&world);
    let peer = AddressChange { peer: "10.9.0.2/32".parse().ok(), ..new("10.9.0.1/24") };
    assert_eq!(set(&host, &peer), Ok(true));
    assert_eq!(detail(&host, "10.9.0.1/32").peer, "10.9.0.2/32".parse().ok());
    assert!(has_route(&host, "10.9.0.2/32") && !has_route(&host, "10.9.0.0/24"));
    let choice = host.control::<FindRoute>("eth0", &"10.9.0.2".parse().unwrap()).unwrap();
    assert_eq!(choice.source.to_string(), "10.9.0.1");
    let mixed = AddressChange { peer: "fd01::2/128".parse().ok(), ..new("10.9.1.1/24") };
    assert_eq!(set(&host, &mixed), Err(Error::InvalidInput));
    host.write(&host.open("eth0"), "address remove 10.9.0.1/32").unwrap();
    assert!(!has_route(&host, "10.9.0.2/32"));
}

#[test]
fn lifetimes_end_and_can_be_changed() {
    let world = World::new(1);
    let host = host(&world);
    let lives = |valid, preferred| AddressChange {
        replace: true,
        valid_seconds: valid,
        preferred_seconds: preferred,
        ..new("10.4.0.1/24")
    };
    for (valid, preferred) in [(Some(0), None), (Some(5), Some(6)), (Some(5), None)] {
        assert_eq!(set(&host, &lives(valid, preferred)), Err(Error::InvalidInput));
    }
    assert_eq!(set(&host, &lives(Some(60), Some(20))), Ok(true));
    let entry = || detail(&host, "10.4.0.1/24").entry;
    assert_eq!((entry().valid_seconds, entry().preferred_seconds), (Some(60), Some(20)));
    world.run(world.sleep(Duration::from_secs(21)));
    assert_eq!(entry().state, AddressState::Deprecated);
    assert_eq!(set(&host, &lives(Some(100), Some(50))), Ok(true));
    assert_eq!(entry().state, AddressState::Preferred);
    world.run(world.sleep(Duration::from_secs(60)));
    assert_eq!((entry().state, entry().valid_seconds), (AddressState::Deprecated, Some(40)));
    world.run(world.sleep(Duration::from_secs(41)));
    let prefix = "10.4.0.1/24".parse().unwrap();
    assert!(details(&host).iter().all(|detail| detail.entry.prefix != prefix));
    assert!(!has_route(&host, "10.4.0.0/24"));
    // Without limit again.
    assert_eq!(set(&host, &lives(Some(60), Some(60))), Ok(true));
    assert_eq!(set(&host, &lives(None, None)), Ok(true));
    assert_eq!(set(&host, &lives(None, None)), Ok(false));
    world.run(world.sleep(Duration::from_secs(120)));
    assert_eq!((entry().state, entry().valid_seconds), (AddressState::Preferred, None));
}

#[test]
fn the_prefix_route_and_the_detection_can_be_left_out() {
    let world = World::new(1);
    let host = host(&world);
    let without = AddressChange { no_prefix_route: true, ..new("10.5.0.1/24") };
    set(&host, &without).unwrap();
    assert!(!has_route(&host, "10.5.0.0/24") && detail(&host, "10.5.0.1/24").no_prefix_route);
    set(&host, &AddressChange { replace: true, ..new("10.5.0.1/24") }).unwrap();
    assert!(has_route(&host, "10.5.0.0/24"));
    set(&host, &AddressChange { replace: true, ..without }).unwrap();
    assert!(!has_route(&host, "10.5.0.0/24"));
    let at_once = AddressChange { no_detection: true, ..new("fd05::1/64") };
    set(&host, &at_once).unwrap();
    assert_eq!(detail(&host, "fd05::1/64").entry.state, AddressState::Preferred);
    set(&host, &new("fd05::2/64")).unwrap();
    assert_eq!(detail(&host, "fd05::2/64").entry.state, AddressState::Tentative);
}
