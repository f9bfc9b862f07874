//! What an interface advertises as a router, to another system of ours and by bytes.

use std::net::{IpAddr, Ipv6Addr};
use std::time::Duration;

use devnet_network::command::address::Origin;
use devnet_network::command::autoconfiguration::AutoconfigurationState;
use devnet_network::command::route::Preference;
use devnet_network::command::router::{
    AdvertisedNat64, AdvertisedPrefix, AdvertisedRoute, RouterChange as Change, RouterPart,
    RouterSettings,
};
use devnet_network::command::{
    ChangeRouter, ExportConfiguration, GetRouter, ListAddresses, ListAutoconfiguration,
    ListDnsServers, ListRoutePreferences, ListRoutes, SetAdvertisement,
};
use devnet_virtual_file_system::Error;
use world::{Host, World};

use crate::advertisements::quiet;
use crate::pair::hosts;
use crate::station::{Wire, ndp, packets, upper};

const SECOND: Duration = Duration::from_secs(1);

fn change(host: &Host, change: Change) -> Result<bool, Error> {
    host.control::<ChangeRouter>("eth0", &change)
}

fn prefix(text: &str) -> AdvertisedPrefix {
    AdvertisedPrefix::new(text.parse().unwrap())
}

/// What the other host learned: routes, addresses, servers.
fn learned(host: &Host) -> Vec<String> {
    let routes = host.control::<ListRoutes>("eth0", &()).unwrap();
    let routes = routes.iter().filter(|route| {
        route.origin == Origin::RouterAdvertisement
            || (route.origin == Origin::Kernel
                && route.source.is_none()
                && route.destination.address().is_ipv6())
    });
    let mut all: Vec<String> = routes
        .map(|route| match route.gateway {
            Some(_) => format!("{} via", route.destination),
            None => format!("{} on-link", route.destination),
        })
        .collect();
    let addresses = host.control::<ListAddresses>("eth0", &()).unwrap();
    all.extend(
        addresses
            .iter()
            .filter(|entry| entry.origin == Origin::RouterAdvertisement)
            .map(|entry| format!("address {}", entry.prefix.address())),
    );
    let servers = host.control::<ListDnsServers>("eth0", &()).unwrap();
    all.extend(servers.iter().map(|server| format!("dns {}", server.address)));
    all
}

fn state(host: &Host) -> AutoconfigurationState {
    host.control::<ListAutoconfiguration>("eth0", &()).unwrap().remove(0)
}

#[test]
fn everything_that_is_advertised_arrives_and_goes() {
    let world = World::new(1);
    let (left, right) = hosts(&world);
    let device = left.open("eth0");
    let lines = "router set preference high lifetime 900 interval 300 managed on other on \
                 mtu 1400\n\
                 router prefix fd00:3::/64\n\
                 router prefix fd00:5::/56 autonomous off\n\
                 router route fd00:4::/48 preference low lifetime 600\n\
                 router dns fd00:3::53\nrouter domain Corp.Example.\n\
                 router nat64 64:ff9b::/96 lifetime 601";
    left.write(&device, lines).unwrap();
    world.run(world.sleep(6 * SECOND));
    assert_eq!(
        learned(&right),
        [
            "fd00:3::/64 on-link",
            "fd00:5::/56 on-link",
            "fd00:4::/48 via",
            "::/0 via",
            "address fd00:3::ff:fe00:2",
            "dns fd00:3::53"
        ]
    );
    let preferences = right.control::<ListRoutePreferences>("eth0", &()).unwrap();
    let found: Vec<_> = preferences.iter().map(|one| one.preference).collect();
    assert_eq!(found, [Preference::Low, Preference::High]);
    let told = state(&right);
    assert!(told.managed && told.other);
    assert_eq!(told.nat64.iter().map(ToString::to_string).collect::<Vec<_>>(), ["64:ff9b::/96"]);
    // It says what it is told, in its one form.
    let router = left.control::<GetRouter>("eth0", &()).unwrap().expect("a router");
    assert_eq!(router.domains, ["corp.example"]);
    assert_eq!(router.nat64[0].lifetime_seconds, 600);
    assert_eq!(left.write(&device, "router domain corp.example"), Ok(()));
    assert_eq!(change(&left, Change::Domain("corp.example".into())), Ok(false));
    // What is removed is over at once.
    left.write(
        &device,
        "router remove prefix fd00:5::/56\nrouter remove route fd00:4::/48\n\
         router remove dns fd00:3::53\nrouter remove nat64 64:ff9b::/96\n\
         router remove domain CORP.example",
    )
    .unwrap();
    world.run(world.sleep(4 * SECOND));
    assert_eq!(learned(&right), ["fd00:3::/64 on-link", "::/0 via", "address fd00:3::ff:fe00:2"]);
    assert!(state(&right).nat64.is_empty());
    let part = RouterPart::DnsServer("fd00:3::53".parse().unwrap());
    assert_eq!(change(&left, Change::Remove(part)), Err(Error::NotFound));
    // And so is the router. The address lives on for two hours (RFC 4862 §5.5.3 e).
    left.write(&device, "router off").unwrap();
    world.run(world.sleep(SECOND));
    assert_eq!(learned(&right), ["address fd00:3::ff:fe00:2"]);
    assert_eq!(left.control::<GetRouter>("eth0", &()), Ok(None));
    assert_eq!(left.write(&device, "router remove domain lan"), Err(Error::NotFound));
}

#[test]
fn the_short_command_is_one_prefix_with_servers() {
    let world = World::new(2);
    let (left, right) = hosts(&world);
    let device = left.open("eth0");
    left.write(&device, "advertise fd00:3::/64 fd00:3::53").unwrap();
    world.run(world.sleep(6 * SECOND));
    let router = left.control::<GetRouter>("eth0", &()).unwrap().expect("a router");
    assert_eq!(router.prefixes, [prefix("fd00:3::/64")]);
    assert_eq!(router.settings, RouterSettings::default());
    // Another prefix replaces it, and the hosts of the former hear so.
    left.write(&device, "advertise fd00:7::/64").unwrap();
    world.run(world.sleep(6 * SECOND));
    let known = learned(&right);
    assert!(known.contains(&"fd00:7::/64 on-link".to_owned()), "{known:?}");
    assert!(!known.contains(&"fd00:3::/64 on-link".to_owned()), "{known:?}");
    assert!(!known.iter().any(|one| one.starts_with("dns")), "{known:?}");
    left.write(&device, "advertise off").unwrap();
    world.run(world.sleep(SECOND));
    assert!(!learned(&right).contains(&"::/0 via".to_owned()));
    assert_eq!(left.control::<SetAdvertisement>("eth0", &None), Ok(false));
}

#[test]
fn what_cannot_be_advertised_is_refused_and_changes_nothing() {
    let world = World::new(3);
    let (left, _right) = hosts(&world);
    change(&left, Change::Prefix(prefix("fd00:3::/64"))).unwrap();
    let before = left.control::<GetRouter>("eth0", &()).unwrap();
    let set = |settings| Change::Set(settings);
    let usual = RouterSettings::default();
    let route = |text: &str| {
        let (preference, lifetime_seconds) = (Preference::Medium, 60);
        Change::Route(AdvertisedRoute {
            prefix: text.parse().unwrap(),
            preference,
            lifetime_seconds,
        })
    };
    let nat64 = |text: &str| {
        Change::Nat64(AdvertisedNat64 { prefix: text.parse().unwrap(), lifetime_seconds: 60 })
    };
    for wrong in [
        set(RouterSettings { interval_seconds: 3, ..usual }),
        set(RouterSettings { interval_seconds: 1801, ..usual }),
        set(RouterSettings { lifetime_seconds: 599, ..usual }),
        set(RouterSettings { lifetime_seconds: 9001, ..usual }),
        set(RouterSettings { mtu: Some(1279), ..usual }),
        set(RouterSettings { mtu: Some(9000), ..usual }),
        set(RouterSettings { reachable_milliseconds: 3_600_001, ..usual }),
        Change::Prefix(prefix("10.0.0.0/24")),
        Change::Prefix(prefix("fe80::/64")),
        Change::Prefix(prefix("ff05::/16")),
        Change::Prefix(prefix("fd00:9::/63")),
        Change::Prefix(AdvertisedPrefix { valid_seconds: 60, ..prefix("fd00:9::/64") }),
        route("10.0.0.0/8"),
        route("fe80::/64"),
        nat64("64:ff9b::/95"),
        nat64("10.0.0.0/32"),
        Change::DnsServer(Ipv6Addr::UNSPECIFIED),
        Change::DnsServer("ff02::1".parse().unwrap()),
        Change::Domain(String::new()),
        Change::Domain("a..b".into()),
        Change::Domain("x".repeat(64)),
    ] {
        assert_eq!(change(&left, wrong.clone()), Err(Error::InvalidInput), "{wrong:?}");
    }
    assert_eq!(left.control::<GetRouter>("eth0", &()).unwrap(), before);
    assert_eq!(
        left.control::<ChangeRouter>("lo", &Change::Prefix(prefix("fd00:3::/64"))),
        Err(Error::Unsupported)
    );
    // Tables have ends.
    for number in 0..20 {
        let added = change(&left, Change::Prefix(prefix(&format!("fd00:{number:x}::/64"))));
        let is_room = added.is_ok();
        assert_eq!(is_room, number < 16, "{number}: {added:?}");
        let added = change(&left, nat64(&format!("fd00:{number:x}::/96")));
        assert_eq!(added.is_ok(), number < 4, "{number}: {added:?}");
        assert!(added.is_ok() || added == Err(Error::NoBufferSpace));
        let added = change(&left, Change::Domain(format!("d{number}.lan")));
        assert_eq!(added.is_ok(), number < 16);
        let added = change(&left, route(&format!("fd01:{number:x}::/64")));
        assert_eq!(added.is_ok(), number < 16);
    }
    for number in 0..40 {
        let server = Ipv6Addr::from_bits(0xfd00 << 112 | (number + 1));
        let added = change(&left, Change::DnsServer(server));
        assert_eq!(added.is_ok(), number < 32, "{number}: {added:?}");
    }
}

/// Router advertisements among packets.
fn advertisements(frames: Vec<Vec<u8>>) -> Vec<Vec<u8>> {
    let all = packets(frames);
    let is_one = |packet: &Vec<u8>| {
        packet[0] >> 4 == 6 && packet[6] == 58 && upper(packet).1.first() == Some(&134)
    };
    all.into_iter().filter(is_one).collect()
}

#[test]
fn a_full_router_needs_several_packets_and_each_is_whole() {
    let world = World::new(4);
    let mut wire = quiet(&world);
    let device = wire.host.open("eth0");
    wire.host.write(&device, "mtu 1280").unwrap();
    for number in 0..16 {
        let name = "x".repeat(60);
        let line = format!(
            "router prefix fd00:{number:x}::/64\nrouter route fd01:{number:x}::/64\n\
             router domain {name}.{name}.d{number}.lan\nrouter dns fd00::{number:x}:53\n\
             router dns fd00::{number:x}:54"
        );
        wire.host.write(&device, &line).unwrap();
    }
    wire.after(20 * SECOND);
    // A solicitation is answered to its sender alone.
    let router: Ipv6Addr = "ff02::2".parse().unwrap();
    let asker: Ipv6Addr = "fe80::9".parse().unwrap();
    let answers = {
        wire.send(&ndp(asker, router, 133, [0; 4], &[]));
        advertisements(wire.after(Duration::from_millis(50)))
    };
    assert!(answers.len() > 2, "{}", answers.len());
    let mut counts = [0; 256];
    for packet in &answers {
        assert!(packet.len() <= 1280 && packet[7] == 255);
        assert_eq!(packet[24..40], asker.octets());
        let message = upper(packet).1;
        assert_eq!(message[6..8], 1800_u16.to_be_bytes());
        let mut options = &message[16..];
        while let [kind, units, ..] = options {
            counts[usize::from(*kind)] += 1;
            options = &options[usize::from(*units) * 8..];
        }
    }
    // Prefixes, routes, and domains, one each; name servers, eight each.
    assert_eq!([counts[3], counts[24], counts[31], counts[25]], [16, 16, 16, 4]);
}

#[test]
fn the_first_advertisements_come_soon_and_later_ones_by_chance() {
    let world = World::new(5);
    let mut wire = quiet(&world);
    let device = wire.host.open("eth0");
    wire.frames();
    wire.host
        .write(&device, "router set interval 60 lifetime 180\nrouter prefix fd00:3::/64")
        .unwrap();
    let mut times = Vec::new();
    for passed in 0..1000_u32 {
        let seen = advertisements(wire.after(SECOND)).len();
        times.extend(std::iter::repeat_n(passed, seen));
    }
    // One for the settings, one for the prefix, and those at the start.
    assert!(times.iter().filter(|time| **time < 40).count() >= 3, "{times:?}");
    let gaps: Vec<u32> = times.windows(2).map(|pair| pair[1] - pair[0]).collect();
    assert!(gaps.iter().all(|gap| *gap <= 61), "{gaps:?}");
    let later = &gaps[5..];
    assert!(later.iter().all(|gap| *gap >= 19), "{later:?}");
    assert!(later.iter().min() != later.iter().max(), "all alike: {later:?}");
    // A router that goes says so.
    wire.frames();
    wire.host.write(&device, "router off").unwrap();
    let last = advertisements(wire.after(SECOND));
    let [last] = &last[..] else { panic!("one last advertisement") };
    let message = upper(last).1;
    assert_eq!(message[6..8], [0, 0]);
    assert!(advertisements(wire.after(300 * SECOND)).is_empty());
}

/// The exported lines about advertising.
fn said(wire: &Wire<'_>) -> Vec<String> {
    let text = wire.host.control::<ExportConfiguration>("eth0", &false).unwrap();
    let is_about = |line: &&str| line.starts_with("router ") || line.starts_with("advertise ");
    text.lines().filter(is_about).map(str::to_owned).collect()
}

#[test]
fn what_is_advertised_is_exported_in_its_shortest_form() {
    let world = World::new(6);
    let wire = quiet(&world);
    let device = wire.host.open("eth0");
    wire.host.write(&device, "router prefix fd00:3::1/64\nrouter dns fd00:3::53").unwrap();
    assert_eq!(said(&wire), ["advertise fd00:3::/64 fd00:3::53"]);
    wire.host.write(&device, "router prefix fd00:2::/64 on-link off\nrouter domain LAN.").unwrap();
    assert_eq!(
        said(&wire),
        [
            "router set preference medium lifetime 1800 interval 600 hop-limit 64 managed off \
             other off reachable 0 retransmit 0",
            "router prefix fd00:2::/64 valid 2592000 preferred 604800 on-link off autonomous on",
            "router prefix fd00:3::/64 valid 2592000 preferred 604800 on-link on autonomous on",
            "router dns fd00:3::53",
            "router domain lan",
        ]
    );
    let own: IpAddr = "fe80::ff:fe00:1".parse().unwrap();
    assert!(wire.host.control::<ListAddresses>("eth0", &()).unwrap()[0].prefix.address() == own);
}
