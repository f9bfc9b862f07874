//! How addresses are formed: stable and temporary ones, probes, and what may be left out.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use devnet_network::UdpSocket;
use devnet_network::command::address::{AddressEntry, AddressState, Origin};
use devnet_network::command::autoconfiguration::{
    AutoconfigurationOption as Setting, AutoconfigurationState, Identifiers, Privacy, StableSecret,
};
use devnet_network::command::{
    ExportConfiguration, ListAddresses, ListAutoconfiguration, ListRoutes, SetAutoconfiguration,
};
use devnet_virtual_file_system::Error;
use world::World;

use crate::advertisements::{AUTONOMOUS, ON_LINK, addresses, advertised, prefix, quiet, router};
use crate::pair::HARDWARE;
use crate::station::{HOST_LINK, Wire, ndp, packets, upper};

const SECOND: Duration = Duration::from_secs(1);
const EUI64: &str = "2001:db8:7::ff:fe00:1";

fn set(wire: &Wire<'_>, option: Setting) -> Result<bool, Error> {
    wire.host.control::<SetAutoconfiguration>("eth0", &option)
}

fn status(wire: &Wire<'_>) -> AutoconfigurationState {
    wire.host.control::<ListAutoconfiguration>("eth0", &()).unwrap().remove(0)
}

fn listed(wire: &Wire<'_>) -> Vec<AddressEntry> {
    wire.host.control::<ListAddresses>("eth0", &()).unwrap()
}

fn entry(wire: &Wire<'_>, address: &str) -> AddressEntry {
    let address: IpAddr = address.parse().unwrap();
    let all = listed(wire);
    *all.iter().find(|entry| entry.prefix.address() == address).expect("the address")
}

fn link_local(wire: &Wire<'_>) -> String {
    let all = listed(wire);
    let own: Vec<_> = all.iter().filter(|entry| entry.origin == Origin::Kernel).collect();
    let [own] = own[..] else { panic!("{} link-local addresses", own.len()) };
    own.prefix.address().to_string()
}

/// Advertises a network for such a time.
fn advertise(wire: &mut Wire<'_>, valid: u32, preferred: u32) {
    let option = prefix("2001:db8:7::", 64, ON_LINK | AUTONOMOUS, valid, preferred);
    advertised(0xa).with(&option).send(wire);
    wire.after(2 * SECOND);
}

/// The temporary addresses that are not deprecated.
fn fresh(wire: &Wire<'_>) -> Vec<String> {
    let temporary = status(wire).temporary.into_iter().map(|address| address.to_string());
    temporary.filter(|own| entry(wire, own).state == AddressState::Preferred).collect()
}

/// The source of a datagram to a host beyond the router.
fn source(wire: &mut Wire<'_>) -> String {
    let socket = UdpSocket::new(&wire.host.sockets());
    let far = SocketAddr::new("2001:db8::1".parse().unwrap(), 9);
    socket.connect(far).unwrap();
    socket.local_addr().unwrap().ip().to_string()
}

fn secret(byte: u8) -> Setting {
    Setting::Secret(StableSecret([byte; 16]))
}

#[test]
fn stable_identifiers_are_the_same_in_one_network_and_no_other() {
    let world = World::new(1);
    let mut wire = quiet(&world);
    assert_eq!(link_local(&wire), HOST_LINK.to_string());
    advertise(&mut wire, 3600, 1800);
    assert_eq!(addresses(&wire), [EUI64]);
    assert_eq!(set(&wire, secret(7)), Ok(true));
    assert_eq!(set(&wire, Setting::Identifiers(Identifiers::Stable)), Ok(true));
    assert_eq!(set(&wire, Setting::Identifiers(Identifiers::Stable)), Ok(false));
    wire.after(2 * SECOND);
    // What there was has other addresses now, with the lifetimes that it had.
    let (own, [formed]) = (link_local(&wire), &addresses(&wire)[..]) else { panic!("one") };
    let now = entry(&wire, formed);
    assert!(now.valid_seconds.is_some_and(|left| (3590..3600).contains(&left)), "{now:?}");
    assert_eq!(now.state, AddressState::Preferred);
    let lower = |text: &str| text.parse::<Ipv6Addr>().unwrap().to_bits() as u64;
    let eui64 = HOST_LINK.to_bits() as u64;
    assert!(lower(&own) != eui64 && lower(formed) != eui64 && lower(&own) != lower(formed));
    // An advertisement renews it and forms no other one.
    advertise(&mut wire, 7200, 1800);
    assert_eq!(addresses(&wire), [formed.as_str()]);
    assert!(entry(&wire, formed).valid_seconds.is_some_and(|left| left > 7190));
    // Another link, and another hardware address, change nothing in the same network.
    let device = wire.host.open("eth0");
    wire.host.write(&device, "mac 02:00:00:00:00:77\nlink down\nlink up").unwrap();
    wire.after(2 * SECOND);
    assert_eq!((link_local(&wire), addresses(&wire)), (own.clone(), vec![formed.clone()]));
    // The same secret in another run, and another secret.
    let other = World::new(2);
    for (byte, is_same) in [(7, true), (8, false)] {
        let mut wire = quiet(&other);
        set(&wire, secret(byte)).unwrap();
        set(&wire, Setting::Identifiers(Identifiers::Stable)).unwrap();
        advertise(&mut wire, 3600, 1800);
        assert_eq!(
            (link_local(&wire) == own, addresses(&wire) == [formed.clone()]),
            (is_same, is_same)
        );
    }
    // And back.
    wire.host.write(&device, "mac 02:00:00:00:00:01\nautoconf identifiers eui64").unwrap();
    wire.after(2 * SECOND);
    assert_eq!((link_local(&wire), addresses(&wire)), (HOST_LINK.to_string(), vec![EUI64.into()]));
}

#[test]
fn ra_11_another_hardware_address_replaces_what_was_formed_from_the_former() {
    let world = World::new(3);
    let mut wire = quiet(&world);
    advertise(&mut wire, 3600, 1800);
    let device = wire.host.open("eth0");
    wire.host.write(&device, "mac 02:00:00:00:00:77").unwrap();
    wire.after(2 * SECOND);
    assert_eq!(addresses(&wire), ["2001:db8:7::ff:fe00:77"]);
    assert_eq!(link_local(&wire), "fe80::ff:fe00:77");
    wire.host.write(&device, "mac 02:00:00:00:00:77").unwrap();
    assert_eq!(addresses(&wire), ["2001:db8:7::ff:fe00:77"]);
}

/// Says that a host has an address that is probed for.
fn object(wire: &mut Wire<'_>, target: &str) {
    let target: Ipv6Addr = target.parse().unwrap();
    let all_nodes = Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 1);
    let rest = [&target.octets()[..], &[2, 1], &HARDWARE.1.0].concat();
    let packet = ndp(target, all_nodes, 136, [0x20, 0, 0, 0], &rest);
    wire.send_frame(&crate::station::frame([0x33, 0x33, 0, 0, 0, 1], &packet));
    wire.after(Duration::from_millis(50));
}

#[test]
fn a_stable_identifier_that_another_host_has_gives_way_three_times() {
    let world = World::new(4);
    let mut wire = quiet(&world);
    set(&wire, secret(7)).unwrap();
    set(&wire, Setting::Identifiers(Identifiers::Stable)).unwrap();
    wire.after(2 * SECOND);
    let option = prefix("2001:db8:7::", 64, AUTONOMOUS, 3600, 1800);
    advertised(0xa).with(&option).send(&mut wire);
    let mut seen = Vec::new();
    for _ in 0..4 {
        let [formed] = &addresses(&wire)[..] else { panic!("one address") };
        assert_eq!(entry(&wire, formed).state, AddressState::Tentative);
        assert!(!seen.contains(formed));
        seen.push(formed.clone());
        object(&mut wire, formed);
    }
    // The fourth stays what it is: a duplicate, which nobody uses.
    assert_eq!(addresses(&wire), [seen[3].clone()]);
    assert_eq!(entry(&wire, &seen[3]).state, AddressState::Duplicated);
    wire.after(2 * SECOND);
    assert_eq!(addresses(&wire), [seen[3].clone()]);
    // An advertisement forms none beside it.
    advertised(0xa).with(&option).send(&mut wire);
    assert_eq!(addresses(&wire), [seen[3].clone()]);
}

#[test]
fn an_identifier_of_the_hardware_address_has_no_other() {
    let world = World::new(5);
    let mut wire = quiet(&world);
    advertised(0xa).with(&prefix("2001:db8:7::", 64, AUTONOMOUS, 3600, 1800)).send(&mut wire);
    object(&mut wire, EUI64);
    assert_eq!(addresses(&wire), [EUI64]);
    assert_eq!(entry(&wire, EUI64).state, AddressState::Duplicated);
}

#[test]
fn temporary_addresses_follow_one_another() {
    let world = World::new(6);
    let mut wire = quiet(&world);
    set(&wire, Setting::TemporaryValid(1200)).unwrap();
    set(&wire, Setting::TemporaryPreferred(600)).unwrap();
    assert_eq!(set(&wire, Setting::Privacy(Privacy::Preferred)), Ok(true));
    assert_eq!(set(&wire, Setting::Privacy(Privacy::Preferred)), Ok(false));
    advertise(&mut wire, 86_400, 43_200);
    let [first] = &fresh(&wire)[..] else { panic!("one temporary address") };
    assert_eq!(addresses(&wire), [EUI64, first]);
    let known = entry(&wire, first);
    // Four tenths of its time may be left out, by chance.
    assert!(known.preferred_seconds.is_some_and(|left| (350..=600).contains(&left)), "{known:?}");
    assert!(known.valid_seconds.is_some_and(|left| left <= 1200), "{known:?}");
    assert_eq!(source(&mut wire), *first);
    // Without the preference only who asks for it has it.
    set(&wire, Setting::Privacy(Privacy::On)).unwrap();
    assert_eq!(source(&mut wire), EUI64);
    set(&wire, Setting::Privacy(Privacy::Preferred)).unwrap();
    // Its follower comes before it is deprecated, not at once.
    wire.after(Duration::from_secs(300));
    assert_eq!(fresh(&wire), [first.as_str()]);
    let left = entry(&wire, first).preferred_seconds.unwrap();
    wire.after(Duration::from_secs(u64::from(left).saturating_sub(2)));
    let both = fresh(&wire);
    assert!(both.len() == 2 && both[0] == *first, "{both:?}");
    wire.after(4 * SECOND);
    assert_eq!(fresh(&wire), [both[1].clone()]);
    assert_eq!(entry(&wire, first).state, AddressState::Deprecated);
    assert_eq!(source(&mut wire), both[1]);
    // Connections of the first one go on until it is not valid any more.
    let left = entry(&wire, first).valid_seconds.unwrap();
    wire.after(Duration::from_secs(u64::from(left) + 2));
    assert!(!addresses(&wire).contains(first));
    // A day later there are no more of them than fit into a lifetime.
    wire.after(Duration::from_secs(36_000));
    let temporary = status(&wire).temporary;
    assert!((1..=5).contains(&temporary.len()), "{temporary:?}");
    assert!(!fresh(&wire).is_empty());
}

#[test]
fn the_lifetimes_of_temporary_addresses_follow_what_is_advertised() {
    let world = World::new(7);
    let mut wire = quiet(&world);
    set(&wire, Setting::Privacy(Privacy::On)).unwrap();
    advertise(&mut wire, 86_400, 300);
    let [own] = &fresh(&wire)[..] else { panic!("one temporary address") };
    let own = own.clone();
    assert!(entry(&wire, &own).preferred_seconds.is_some_and(|left| left <= 300));
    advertise(&mut wire, 86_400, 3600);
    assert!(entry(&wire, &own).preferred_seconds.is_some_and(|left| (3590..=3600).contains(&left)));
    assert_eq!(fresh(&wire), [own.as_str()], "an advertisement that says so again forms no other");
    // A network that is not preferred any more, and one that is again.
    advertise(&mut wire, 86_400, 0);
    assert!(fresh(&wire).is_empty());
    advertise(&mut wire, 86_400, 3600);
    assert_eq!(fresh(&wire), [own.as_str()]);
    // A lifetime cannot be made longer than a temporary address may live.
    advertise(&mut wire, 864_000, 432_000);
    wire.after(Duration::from_secs(172_000));
    advertise(&mut wire, 864_000, 432_000);
    let all = status(&wire).temporary;
    assert!(all.contains(&own.parse().unwrap()), "not over yet");
    assert!(entry(&wire, &own).valid_seconds.is_some_and(|left| left < 800));
    // One for a network that ends soon would be deprecated before it can be used.
    let option = prefix("2001:db8:8::", 64, AUTONOMOUS, 60, 4);
    advertised(0xa).with(&option).send(&mut wire);
    assert!(status(&wire).temporary.iter().all(|own| own.segments()[2] == 7));
}

#[test]
fn a_temporary_address_that_another_host_has_is_another_one() {
    let world = World::new(8);
    let mut wire = quiet(&world);
    set(&wire, Setting::Privacy(Privacy::On)).unwrap();
    advertised(0xa).with(&prefix("2001:db8:7::", 64, AUTONOMOUS, 3600, 1800)).send(&mut wire);
    let mut seen = Vec::new();
    for _ in 0..4 {
        let [own] = status(&wire).temporary[..] else { panic!("one temporary address") };
        assert!(!seen.contains(&own));
        seen.push(own);
        object(&mut wire, &own.to_string());
    }
    assert!(status(&wire).temporary.is_empty(), "somebody objects to everything");
    assert_eq!(addresses(&wire), [EUI64]);
}

#[test]
fn without_privacy_temporary_addresses_end_with_their_lifetimes() {
    let world = World::new(9);
    let mut wire = quiet(&world);
    advertise(&mut wire, 3600, 1800);
    assert!(fresh(&wire).is_empty());
    set(&wire, Setting::Privacy(Privacy::Preferred)).unwrap();
    wire.after(2 * SECOND);
    let [own] = &fresh(&wire)[..] else { panic!("one for the network that is known") };
    let own = own.clone();
    set(&wire, Setting::Privacy(Privacy::Off)).unwrap();
    wire.after(SECOND);
    assert_eq!(entry(&wire, &own).state, AddressState::Deprecated);
    assert_eq!(source(&mut wire), EUI64);
    advertise(&mut wire, 3600, 1800);
    assert_eq!(entry(&wire, &own).state, AddressState::Deprecated);
    wire.after(Duration::from_secs(3700));
    assert!(addresses(&wire).is_empty());
}

#[test]
fn a_crowd_of_networks_gets_no_crowd_of_temporary_addresses() {
    let world = World::new(10);
    let mut wire = quiet(&world);
    set(&wire, Setting::Privacy(Privacy::On)).unwrap();
    for network in 0..64 {
        let option = prefix(&format!("2001:db8:{network:x}::"), 64, AUTONOMOUS, 3600, 1800);
        advertised((network % 8) as u8 + 1).with(&option).send(&mut wire);
        wire.after(Duration::from_millis(1100));
    }
    assert!(status(&wire).temporary.len() <= 16);
    assert!(listed(&wire).len() <= 33);
    // And a command still finds room.
    let device = wire.host.open("eth0");
    wire.host.write(&device, "address add fd00:9::1/64").unwrap();
}

/// Probes for an address that left.
fn probes(frames: Vec<Vec<u8>>, target: &str) -> usize {
    let target = target.parse::<Ipv6Addr>().unwrap().octets();
    let is_probe = |packet: &Vec<u8>| {
        let (protocol, message) = upper(packet);
        packet[0] >> 4 == 6 && protocol == 58 && message[0] == 135 && message[8..24] == target
    };
    packets(frames).iter().filter(|packet| is_probe(packet)).count()
}

#[test]
fn an_address_is_probed_as_often_as_asked() {
    let world = World::new(11);
    let mut wire = quiet(&world);
    let device = wire.host.open("eth0");
    for (count, address) in [(3, "fd00:9::3"), (1, "fd00:9::1"), (0, "fd00:9::")] {
        set(&wire, Setting::Probes(count)).unwrap();
        wire.host.write(&device, &format!("address add {address}/64")).unwrap();
        let mut sent = 0;
        for passed in 0..count {
            assert_eq!(entry(&wire, address).state, AddressState::Tentative, "{passed} s");
            sent += probes(wire.after(Duration::from_millis(998)), address);
        }
        sent += probes(wire.after(Duration::from_millis(100)), address);
        assert_eq!((entry(&wire, address).state, sent), (AddressState::Preferred, count.into()));
    }
    assert_eq!(set(&wire, Setting::Probes(17)), Err(Error::InvalidInput));
}

#[test]
fn advertisements_and_addresses_can_be_left_out() {
    let world = World::new(12);
    let mut wire = quiet(&world);
    let routes = |wire: &Wire<'_>| {
        let all = wire.host.control::<ListRoutes>("eth0", &()).unwrap();
        all.iter().filter(|route| route.destination.length() == 0).count()
    };
    let solicitations = |frames: Vec<Vec<u8>>| {
        let packets = packets(frames);
        packets.iter().filter(|packet| upper(packet).1[0] == 133 && packet[6] == 58).count()
    };
    advertise(&mut wire, 3600, 1800);
    assert_eq!((addresses(&wire).len(), routes(&wire)), (1, 1));
    // No addresses: the routers stay.
    assert_eq!(set(&wire, Setting::Addresses(false)), Ok(true));
    wire.after(SECOND);
    assert_eq!((addresses(&wire).len(), routes(&wire)), (0, 1));
    advertise(&mut wire, 3600, 1800);
    assert_eq!((addresses(&wire).len(), routes(&wire)), (0, 1));
    // Routers are asked at once when addresses are wanted again.
    set(&wire, Setting::Addresses(true)).unwrap();
    assert_eq!(solicitations(wire.after(2 * SECOND)), 1);
    advertise(&mut wire, 3600, 1800);
    assert_eq!((addresses(&wire).len(), routes(&wire)), (1, 1));
    // Nothing of them.
    set(&wire, Setting::Advertisements(false)).unwrap();
    wire.after(SECOND);
    assert_eq!((addresses(&wire).len(), routes(&wire)), (0, 0));
    advertise(&mut wire, 3600, 1800);
    assert_eq!((addresses(&wire).len(), routes(&wire)), (0, 0));
    let device = wire.host.open("eth0");
    wire.frames();
    wire.host.write(&device, "link down\nlink up").unwrap();
    assert_eq!(solicitations(wire.after(20 * SECOND)), 0);
    set(&wire, Setting::Advertisements(true)).unwrap();
    assert_eq!(solicitations(wire.after(20 * SECOND)), 3);
}

#[test]
fn what_routers_say_about_dhcp_and_nat64_is_told() {
    let world = World::new(13);
    let mut wire = quiet(&world);
    let found = |wire: &Wire<'_>| {
        let status = status(wire);
        (status.managed, status.other, status.nat64.iter().map(ToString::to_string).collect())
    };
    assert_eq!(found(&wire), (false, false, Vec::<String>::new()));
    // RFC 8781 §4: the lifetime in eight seconds, the code of the length, 96 bits.
    let nat64 = |seconds: u16, code: u8, prefix: &str| {
        let prefix: Ipv6Addr = prefix.parse().unwrap();
        let scaled = (seconds & !7) | u16::from(code);
        [&[38, 2][..], &scaled.to_be_bytes(), &prefix.octets()[..12]].concat()
    };
    let mut said = advertised(0xa);
    said.flags = 0xc0;
    let known = nat64(600, 0, "64:ff9b::");
    said.with(&known)
        .with(&nat64(600, 4, "2001:db8:ff00::"))
        .with(&nat64(600, 6, "2001:db8::"))
        .with(&[38, 1, 0, 0, 0, 0, 0, 0])
        .send(&mut wire);
    assert_eq!(
        found(&wire),
        (true, true, vec!["64:ff9b::/96".into(), "2001:db8:ff00::/40".into()])
    );
    advertised(0xa).with(&known).with(&nat64(0, 4, "2001:db8:ff00::")).send(&mut wire);
    assert_eq!(found(&wire), (false, false, vec!["64:ff9b::/96".into()]));
    for other in 0..20 {
        advertised(0xb).with(&nat64(600, 1, &format!("2001:db8:{other:x}::"))).send(&mut wire);
    }
    assert!(status(&wire).nat64.len() <= 4);
    wire.after(Duration::from_secs(700));
    assert!(status(&wire).nat64.is_empty());
    assert_eq!(router(0xa).segments()[0], 0xfe80);
}

#[test]
fn autoconfiguration_is_exported_without_its_secret() {
    let world = World::new(14);
    let wire = quiet(&world);
    let device = wire.host.open("eth0");
    let lines = "autoconf identifiers stable\nautoconf secret 000102030405060708090a0b0c0d0e0f\n\
                 autoconf privacy preferred\nautoconf probes 2\nautoconf valid 7200\n\
                 autoconf preferred 3600\nautoconf addresses off";
    wire.host.write(&device, lines).unwrap();
    let text = wire.host.control::<ExportConfiguration>("eth0", &false).unwrap();
    let said: Vec<&str> = text.lines().filter(|line| line.starts_with("autoconf")).collect();
    assert_eq!(
        said,
        [
            "autoconf identifiers stable",
            "autoconf privacy preferred",
            "autoconf addresses off",
            "autoconf probes 2",
            "autoconf valid 7200",
            "autoconf preferred 3600"
        ]
    );
    for (line, why) in [
        ("autoconf valid 599", Error::InvalidInput),
        ("autoconf preferred 59", Error::InvalidInput),
        ("autoconf secret 00", Error::InvalidInput),
        ("autoconf", Error::InvalidInput),
    ] {
        assert_eq!(wire.host.write(&device, line), Err(why), "{line}");
    }
    // A loopback has nothing to autoconfigure.
    let privacy = Setting::Privacy(Privacy::On);
    let refused = wire.host.control::<SetAutoconfiguration>("lo", &privacy);
    assert_eq!(refused, Err(Error::Unsupported));
}
