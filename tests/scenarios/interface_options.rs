//! Names, descriptions and settings of interfaces.

use std::time::Duration;

use devnet_drivers::Loopback;
use devnet_network::command::interface::{
    InterfaceDetails, InterfaceFlags, InterfaceOption as Setting,
};
use devnet_network::command::{
    ExportConfiguration, GetInterface, ListInterfaceDetails, ListRoutes, ListSockets,
    SetInterfaceOption,
};
use devnet_network::{TcpListener, TcpStream, UdpSocket};
use devnet_virtual_file_system::{Credentials, Error, Path};
use world::{Host, World};

use crate::events::{told, watching};
use crate::pair::{connection, hosts};

fn details(host: &Host) -> InterfaceDetails {
    host.control::<ListInterfaceDetails>("eth0", &()).unwrap().remove(0)
}

fn flags(host: &Host) -> InterfaceFlags {
    host.control::<GetInterface>("eth0", &()).unwrap().flags
}

fn set(host: &Host, option: Setting) -> Result<bool, Error> {
    host.control::<SetInterfaceOption>("eth0", &option)
}

#[test]
fn an_interface_is_renamed_under_traffic() {
    let world = World::new(1);
    let (left, right) = hosts(&world);
    let (file, all) = (watching(&left, "eth0", "interface"), watching(&left, "sockets", "link"));
    world.run(async {
        let (client, server) = connection(&left, &right, "10.0.0.2:7").await;
        let udp = left.open("eth0");
        left.write(&udp, "socket udp\nbind 10.0.0.1:9").unwrap();
        assert_eq!(set(&left, Setting::Name("uplink0".into())), Ok(true));
        assert_eq!(told(&file), ["interface changed uplink0 index 2 kind ethernet"]);
        assert!(told(&all).is_empty());
        // The device moved: the old name is unknown, what is open goes on.
        let path = |name: &str| Path::parse(&format!("/devices/network/{name}")).unwrap();
        let root = Credentials::root();
        assert_eq!(left.files.stat(&root, &path("eth0")).map(drop), Err(Error::NotFound));
        assert!(left.files.stat(&root, &path("uplink0")).is_ok());
        assert_eq!(left.manager.list()[1].name, "uplink0");
        assert!(left.manager.sockets_on("eth0").is_err());
        left.write(&file, "mtu 1400").unwrap();
        let status = left.control::<GetInterface>("uplink0", &()).unwrap();
        assert_eq!((status.name.as_str(), status.mtu, status.index), ("uplink0", 1400, 2));
        let routes = left.control::<ListRoutes>("sockets", &()).unwrap();
        assert!(routes.iter().any(|route| route.interface == "uplink0"));
        assert!(routes.iter().all(|route| route.interface != "eth0"));
        let sockets = left.control::<ListSockets>("sockets", &()).unwrap();
        assert!(sockets.len() >= 2 && sockets.iter().all(|socket| socket.interface == "uplink0"));
        client.write_all(b"still here").await.unwrap();
        let mut buffer = [0; 16];
        assert_eq!(server.read(&mut buffer).await, Ok(10));
        // Another one may have the name now, and the renamed one ends under its own.
        left.manager.register("eth0", Box::new(Loopback::new(1500)), None).unwrap();
        let new = Setting::Name("eth0".into());
        let taken = left.control::<SetInterfaceOption>("uplink0", &new);
        assert_eq!(taken, Err(Error::AlreadyExists));
        left.manager.unregister("uplink0").unwrap();
        assert_eq!(client.read(&mut buffer).await, Err(Error::NetworkDown));
        left.manager.unregister("eth0").unwrap();
    });
}

#[test]
fn names_that_no_interface_can_have_are_refused() {
    let world = World::new(1);
    let (left, _right) = hosts(&world);
    for name in ["", ".", "..", "a/b", "sixteen-letters-", "a b", "ä", "eth0\n"] {
        assert_eq!(set(&left, Setting::Name(name.into())), Err(Error::InvalidInput), "{name:?}");
    }
    assert_eq!(set(&left, Setting::Name("lo".into())), Err(Error::AlreadyExists));
    // Something else in the directory of devices.
    let taken = Path::parse("/devices/network/taken").unwrap();
    let mode = devnet_virtual_file_system::Mode::from_bits_truncate(0o755);
    left.files.create_directory(&Credentials::root(), &taken, mode).unwrap();
    assert_eq!(set(&left, Setting::Name("taken".into())), Err(Error::AlreadyExists));
    assert_eq!(set(&left, Setting::Name("eth0".into())), Ok(false));
    assert_eq!(
        left.control::<SetInterfaceOption>("sockets", &Setting::Name("x".into())),
        Err(Error::Unsupported)
    );
    // Nothing of that took a name.
    for name in ["taken2", "eth1", "eth0"] {
        assert_eq!(
            left.control::<SetInterfaceOption>(
                left.manager.list()[1].name.as_str(),
                &Setting::Name(name.into())
            ),
            Ok(true)
        );
    }
}

#[test]
fn settings_are_set_shown_exported_and_bounded() {
    let world = World::new(1);
    let (left, _right) = hosts(&world);
    let plain = details(&left);
    assert_eq!(
        (plain.transmit_queue, plain.reachable_milliseconds, plain.retransmit_milliseconds),
        (256, 30_000, 1000)
    );
    assert_eq!((plain.neighbor_probes, plain.arp, plain.description.as_str()), (3, true, ""));
    let longest = "x".repeat(255);
    for (option, line) in [
        (Setting::Description("to the cellar".into()), "link description to the cellar"),
        (Setting::Description(longest.clone()), &format!("link description {longest}")),
        (Setting::Promiscuous(true), "link promiscuous on"),
        (Setting::AllMulticast(true), "link all-multicast on"),
        (Setting::Arp(false), "link arp off"),
        (Setting::TransmitQueue(1024), "link queue 1024"),
        (Setting::ReachableTime(3_600_000), "link reachable 3600000"),
        (Setting::RetransmitTime(100), "link retransmit 100"),
        (Setting::NeighborProbes(255), "link probes 255"),
    ] {
        assert_eq!(set(&left, option.clone()), Ok(true), "{line}");
        assert_eq!(set(&left, option), Ok(false), "{line}");
        let exported = left.control::<ExportConfiguration>("eth0", &false).unwrap();
        assert!(exported.lines().any(|known| known == line), "{line}: {exported}");
        left.write(&left.open("eth0"), line).unwrap();
    }
    let changed = details(&left);
    assert!(changed.promiscuous && changed.all_multicast && !changed.arp);
    let shown =
        InterfaceFlags::PROMISCUOUS | InterfaceFlags::ALL_MULTICAST | InterfaceFlags::NO_ARP;
    assert!(flags(&left).contains(shown));
    for option in [
        Setting::Description("two  blanks".into()),
        Setting::Description(" before".into()),
        Setting::Description("a\tb".into()),
        Setting::Description("x".repeat(256)),
        Setting::TransmitQueue(0),
        Setting::TransmitQueue(1025),
        Setting::ReachableTime(999),
        Setting::ReachableTime(3_600_001),
        Setting::RetransmitTime(99),
        Setting::RetransmitTime(60_001),
        Setting::NeighborProbes(0),
    ] {
        assert_eq!(set(&left, option.clone()), Err(Error::InvalidInput), "{option:?}");
        assert_eq!(details(&left), changed, "{option:?}");
    }
    left.write(&left.open("eth0"), "link description").unwrap();
    assert_eq!(details(&left).description, "");
    // No neighbors there; and frames to others are everything that there is.
    for (option, expected) in [
        (Setting::Arp(false), Err(Error::Unsupported)),
        (Setting::ReachableTime(2000), Err(Error::Unsupported)),
        (Setting::Promiscuous(true), Ok(true)),
    ] {
        assert_eq!(left.control::<SetInterfaceOption>("lo", &option), expected, "{option:?}");
    }
}

#[test]
fn changes_of_the_link_are_counted_with_their_time() {
    let world = World::new(1);
    let (left, right) = hosts(&world);
    let before = details(&left).link_changes;
    world.run(async {
        world.sleep(Duration::from_secs(5)).await;
        right.manager.unregister("eth0").unwrap();
        world.sleep(Duration::from_secs(5)).await;
    });
    let after = details(&left);
    assert_eq!(after.link_changes, before + 1);
    let ago = Duration::from_micros(after.link_age_micros);
    assert!(ago > Duration::from_secs(4) && ago < Duration::from_secs(6), "{ago:?}");
}

#[test]
fn without_arp_only_the_neighbors_that_commands_add_are_reached() {
    let world = World::new(1);
    let (left, right) = hosts(&world);
    world.run(async {
        let listener =
            TcpListener::bind(&right.sockets(), "10.0.0.2:7".parse().unwrap(), 4).unwrap();
        drop(TcpStream::connect(&left.sockets(), "10.0.0.2:7").await.unwrap());
        assert_eq!(set(&left, Setting::Arp(false)), Ok(true));
        // What was learned is forgotten.
        let sockets = left.sockets();
        let lost = TcpStream::connect(&sockets, "10.0.0.2:7");
        let deadline = world.now().after(Duration::from_secs(3));
        let lost = devnet_network::platform::before(&world.clock, deadline, lost).await;
        assert!(!matches!(lost, Some(Ok(_))));
        // Nor does it answer: the peer has forgotten it, too.
        right.write(&right.open("eth0"), "neighbor flush").unwrap();
        let back = UdpSocket::new(&right.sockets());
        back.connect("10.0.0.1:9".parse().unwrap()).unwrap();
        back.send(b"?").await.unwrap();
        world.sleep(Duration::from_secs(5)).await;
        assert_eq!(back.send(b"?").await.map(drop), Err(Error::HostUnreachable));
        // An address is usable at once: nobody would object.
        left.write(&left.open("eth0"), "address add fd00::77/64").unwrap();
        world.sleep(Duration::from_millis(10)).await;
        assert!(
            left.control::<devnet_network::command::ListAddresses>("eth0", &())
                .unwrap()
                .iter()
                .any(|entry| entry.prefix.to_string() == "fd00::77/64"
                    && entry.state.to_string() == "preferred")
        );
        left.write(&left.open("eth0"), "neighbor add 10.0.0.2 02:00:00:00:00:02").unwrap();
        right.write(&right.open("eth0"), "neighbor add 10.0.0.1 02:00:00:00:00:01").unwrap();
        drop(TcpStream::connect(&left.sockets(), "10.0.0.2:7").await.unwrap());
        assert_eq!(set(&left, Setting::Arp(true)), Ok(true));
        left.write(&left.open("eth0"), "neighbor remove 10.0.0.2").unwrap();
        right.write(&right.open("eth0"), "neighbor remove 10.0.0.1").unwrap();
        drop(TcpStream::connect(&left.sockets(), "10.0.0.2:7").await.unwrap());
        drop(listener);
    });
}

#[test]
fn neighbors_fail_after_as_many_solicitations_at_the_interval_that_was_set() {
    for (probes, interval) in [(3, 1000), (1, 500), (8, 200)] {
        let world = World::new(1);
        let (left, _right) = hosts(&world);
        set(&left, Setting::NeighborProbes(probes)).unwrap();
        set(&left, Setting::RetransmitTime(interval)).unwrap();
        world.run(async {
            let begun = world.now();
            let refused = TcpStream::connect(&left.sockets(), "10.0.0.99:7").await;
            assert_eq!(refused.unwrap_err(), Error::HostUnreachable);
            let took = world.now().since(begun).as_millis();
            let expected = u128::from(interval) * u128::from(probes);
            assert!(took.abs_diff(expected) <= 20, "{took} for {expected}");
        });
    }
}

#[test]
fn as_many_frames_wait_for_the_driver_as_was_set() {
    let sent = |queue: u32| {
        let world = World::new(1);
        let (left, _right) = hosts(&world);
        left.write(&left.open("eth0"), "neighbor add 10.0.0.9 02:00:00:00:00:09").unwrap();
        set(&left, Setting::TransmitQueue(queue)).unwrap();
        let socket = UdpSocket::new(&left.sockets());
        socket.connect("10.0.0.9:9".parse().unwrap()).unwrap();
        (0..4000).take_while(|_| socket.try_send(b"x", None).is_ok()).count()
    };
    let (few, usual, many) = (sent(10), sent(256), sent(1000));
    assert_eq!((usual - few, many - few), (246, 990));
}

/// Whatever the order: name, device and list are those of the one that came last.
#[test]
fn who_renames_at_the_same_time_leaves_one_name() {
    for round in 0..200 {
        let world = World::new(round);
        let (left, _right) = hosts(&world);
        let files = ["one", "two", "three"].map(|name| (name, left.open("eth0")));
        std::thread::scope(|scope| {
            for (name, file) in files {
                scope.spawn(move || {
                    let option = Setting::Name(name.into());
                    file.try_control::<SetInterfaceOption>(&option).unwrap();
                });
            }
        });
        let name = left.manager.list()[1].name.clone();
        let directory = Path::parse("/devices/network").unwrap();
        let devices = left.files.list(&Credentials::root(), &directory).unwrap();
        let devices: Vec<_> = devices.into_iter().map(|entry| entry.name).collect();
        assert!(devices.contains(&name), "round {round}: {name} is not in {devices:?}");
        assert!(left.manager.sockets_on(&name).is_ok());
    }
}
