//! Multicast groups that commands join: reports, lists, bounds and configurations.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::Duration;

use devnet_network::UdpSocket;
use devnet_network::command::configuration::ConfigurationText;
use devnet_network::command::multicast::GroupDetail;
use devnet_network::command::{
    AddGroup, ApplyConfiguration, ExportConfiguration, GetLastError, ListGroupDetails, ListGroups,
    RemoveGroup, SetEnabled,
};
use devnet_network::limits;
use devnet_virtual_file_system::Error;
use world::World;

use crate::pitfalls_multicast::{JOINED, LEFT, of_group, said, socket};
use crate::station::{PEER, Wire, at, frame, udp};

const SECOND: Duration = Duration::from_secs(1);
const GROUP: IpAddr = IpAddr::V4(Ipv4Addr::new(239, 1, 2, 3));
const GROUP6: IpAddr = IpAddr::V6(Ipv6Addr::new(0xff05, 0, 0, 0, 0, 0, 0, 0x77));

fn detail(wire: &Wire<'_>, group: IpAddr) -> Option<GroupDetail> {
    let groups = wire.host.control::<ListGroupDetails>("eth0", &()).unwrap();
    groups.into_iter().find(|one| one.entry.group == group)
}

/// The kinds of the records about a group that leave within ten seconds.
fn records(wire: &mut Wire<'_>, group: IpAddr) -> Vec<u8> {
    let said = of_group(said(wire.after(10 * SECOND)), group);
    said.iter().flat_map(|one| &one.records).filter(|one| one.1 == group).map(|one| one.0).collect()
}

#[test]
fn a_command_joins_a_group_without_a_socket() {
    let world = World::new(1);
    let mut wire = Wire::new(&world);
    for (group, line) in [(GROUP, "239.1.2.3"), (GROUP6, "ff05::77")] {
        assert_eq!(wire.host.control::<AddGroup>("eth0", &group), Ok(()));
        assert_eq!(records(&mut wire, group), [JOINED, JOINED]);
        let here = detail(&wire, group).unwrap();
        assert_eq!((here.entry.sockets, here.from_command, here.implied), (0, true, false));
        // A socket comes and goes: nothing is said, and the group stays.
        let member = socket(&wire.host, 7);
        member.join_group(group, Some("eth0")).unwrap();
        assert_eq!(detail(&wire, group).unwrap().entry.sockets, 1);
        drop(member);
        assert!(records(&mut wire, group).is_empty());
        // A command is no socket.
        let member = socket(&wire.host, 7);
        member.join_group(group, Some("eth0")).unwrap();
        wire.host.write(&wire.host.open("eth0"), &format!("group remove {line}")).unwrap();
        assert!(records(&mut wire, group).is_empty());
        let here = detail(&wire, group).unwrap();
        assert_eq!((here.entry.sockets, here.from_command), (1, false));
        drop(member);
        assert_eq!(records(&mut wire, group), [LEFT, LEFT]);
        assert_eq!(detail(&wire, group), None);
        wire.host.write(&wire.host.open("eth0"), &format!("group add {line}")).unwrap();
        // The interface goes and comes: the group is reported again.
        wire.after(10 * SECOND);
        wire.host.control::<SetEnabled>("eth0", &false).unwrap();
        wire.after(SECOND);
        wire.host.control::<SetEnabled>("eth0", &true).unwrap();
        assert_eq!(records(&mut wire, group), [JOINED, JOINED]);
        assert_eq!(wire.host.control::<RemoveGroup>("eth0", &group), Ok(()));
        assert_eq!(records(&mut wire, group), [LEFT, LEFT]);
    }
}

#[test]
fn what_comes_for_a_joined_group_is_heard() {
    let world = World::new(2);
    let mut wire = Wire::new(&world);
    let listener = UdpSocket::new(&wire.host.sockets());
    listener.bind(at(Ipv4Addr::UNSPECIFIED, 7)).unwrap();
    let IpAddr::V4(group) = GROUP else { unreachable!() };
    let packet = udp(at(PEER, 1), at(group, 7), b"x");
    let hears = |wire: &mut Wire<'_>| {
        wire.send_frame(&frame([0x01, 0, 0x5e, 1, 2, 3], &packet));
        wire.after(SECOND);
        listener.try_receive_message(&mut [0; 9]).is_ok()
    };
    assert!(!hears(&mut wire));
    wire.host.control::<AddGroup>("eth0", &GROUP).unwrap();
    assert!(hears(&mut wire));
    wire.host.control::<RemoveGroup>("eth0", &GROUP).unwrap();
    assert!(!hears(&mut wire));
}

#[test]
fn groups_that_cannot_be_are_refused() {
    let world = World::new(3);
    let wire = Wire::new(&world);
    let add = |group| wire.host.control::<AddGroup>("eth0", &group);
    for wrong in ["10.0.0.1", "255.255.255.255", "::1", "fe80::1", "0.0.0.0"] {
        assert_eq!(add(wrong.parse().unwrap()), Err(Error::InvalidInput), "{wrong}");
    }
    let remove = |group| wire.host.control::<RemoveGroup>("eth0", &group);
    assert_eq!(remove(GROUP), Err(Error::NotFound));
    // What a socket joined, or an address implies, no command joined.
    let member = socket(&wire.host, 7);
    member.join_group(GROUP, Some("eth0")).unwrap();
    for group in [GROUP, "ff02::1:ff00:1".parse().unwrap()] {
        assert_eq!(remove(group), Err(Error::NotFound));
    }
    assert_eq!(add(GROUP), Ok(()));
    assert_eq!(add(GROUP), Err(Error::AlreadyExists));
    let refused = Err(Error::Unsupported);
    assert_eq!(wire.host.control::<AddGroup>("sockets", &GROUP), refused);
    assert_eq!(wire.host.control::<RemoveGroup>("sockets", &GROUP), refused);
    let file = wire.host.open("eth0");
    for (line, error, why) in [
        ("group add 10.0.0.1", Error::InvalidInput, "line 1: group add 10.0.0.1: Invalid argument"),
        ("group add 239.1.2.3", Error::AlreadyExists, "line 1: group add 239.1.2.3: File exists"),
        (
            "group remove 239.9.9.9",
            Error::NotFound,
            "line 1: group remove 239.9.9.9: No such file or directory",
        ),
        (
            "group add 01:00:5e:01:02:03",
            Error::InvalidInput,
            "line 1: \"01:00:5e:01:02:03\" is no address; group add ADDRESS",
        ),
        (
            "group join 239.1.2.3",
            Error::InvalidInput,
            "line 1: \"join\" is none of add, remove; group (add | remove) ADDRESS",
        ),
    ] {
        assert_eq!(wire.host.write(&file, line), Err(error), "{line}");
        let last = file.try_control::<GetLastError>(&()).unwrap().unwrap();
        assert!(last.message.contains(why.split(';').next().unwrap()), "{}", last.message);
    }
}

#[test]
fn sockets_and_commands_share_the_table_of_groups() {
    let world = World::new(4);
    let wire = Wire::new(&world);
    let member = socket(&wire.host, 7);
    member.join_group(GROUP, Some("eth0")).unwrap();
    let numbered = |number: usize| IpAddr::from(Ipv4Addr::from(0xef07_0000 + number as u32));
    for number in 1..limits::GROUPS {
        wire.host.control::<AddGroup>("eth0", &numbered(number)).unwrap();
    }
    let before = wire.host.control::<ListGroups>("eth0", &()).unwrap();
    let full = Err(Error::NoBufferSpace);
    assert_eq!(wire.host.control::<AddGroup>("eth0", &numbered(0)), full);
    assert_eq!(member.join_group(numbered(0), Some("eth0")), full);
    assert_eq!(wire.host.control::<ListGroups>("eth0", &()).unwrap(), before);
    // Those that are joined already take no further room, and IPv6 has its own.
    assert_eq!(member.join_group(numbered(1), Some("eth0")), Ok(()));
    assert_eq!(wire.host.control::<AddGroup>("eth0", &GROUP), Ok(()));
    assert_eq!(wire.host.control::<AddGroup>("eth0", &GROUP6), Ok(()));
}

#[test]
fn a_configuration_says_the_groups() {
    let world = World::new(5);
    let mut wire = Wire::new(&world);
    let file = wire.host.open("eth0");
    let export = || file.try_control::<ExportConfiguration>(&false).unwrap();
    let apply = |text: &str| {
        let piece = ConfigurationText { text: text.into(), has_more: false };
        file.try_control::<ApplyConfiguration>(&piece).map(|outcome| outcome.changes.len())
    };
    let without = export();
    wire.host.write(&file, "group add ff05::77\ngroup add 239.1.2.3").unwrap();
    let text = export();
    assert!(text.contains("\ngroup add 239.1.2.3\ngroup add ff05::77\n"), "{text}");
    assert_eq!(apply(&text), Ok(0));
    wire.after(10 * SECOND);
    assert_ne!(apply(&without), Ok(0));
    assert_eq!(records(&mut wire, GROUP), [LEFT, LEFT]);
    assert_eq!(detail(&wire, GROUP6), None);
    assert_ne!(apply(&text), Ok(0));
    assert_eq!(records(&mut wire, GROUP), [JOINED, JOINED]);
    // Nothing of a text that cannot be changes anything.
    let line = |group: &str| format!("{without}group add {group}\n");
    for (wrong, error) in [
        (line("10.0.0.1"), Error::InvalidInput),
        (format!("{}group add 239.1.2.4\n", line("239.1.2.4")), Error::AlreadyExists),
        (
            (0..=limits::GROUPS).fold(without.clone(), |text, number| {
                let [.., high, low] = number.to_be_bytes();
                format!("{text}group add 239.7.{high}.{low}\n")
            }),
            Error::NoBufferSpace,
        ),
    ] {
        let mut outcome = Ok(0);
        let mut rest = wrong.as_str();
        while !rest.is_empty() {
            let (piece, later) = rest.split_at(rest.len().min(15_000));
            let piece = ConfigurationText { text: piece.into(), has_more: !later.is_empty() };
            let sent = file.try_control::<ApplyConfiguration>(&piece);
            outcome = sent.map(|outcome| outcome.changes.len());
            rest = later;
        }
        assert_eq!(outcome, Err(error));
        assert_eq!(export(), text);
    }
}
