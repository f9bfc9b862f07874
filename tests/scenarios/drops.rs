//! A packet that is lost has one name and one number, wherever counters are shown.

use devnet_network::command::ListDrops;
use devnet_network::command::drops::DropReason;
use world::World;
use world::shell::output;

use crate::wire::{HOST, PEER, Wire, ipv4, milliseconds};

/// A datagram of eight bytes to a port that nobody has, with a checksum or without.
fn datagram(sum: u16) -> Vec<u8> {
    let mut udp = vec![0x30, 0x39, 0, 9, 0, 8];
    udp.extend_from_slice(&sum.to_be_bytes());
    ipv4(PEER, HOST, 17, &udp)
}

#[test]
fn a_lost_packet_has_the_same_name_and_number_everywhere() {
    let world = World::new(1);
    let (host, mut wire) = Wire::new(&world);
    let dropped = |reason: DropReason| {
        let all = host.control::<ListDrops>("eth0", &()).unwrap();
        all.into_iter().find(|count| count.reason == reason).unwrap().packets
    };
    assert_eq!((dropped(DropReason::NoSocket), dropped(DropReason::Checksum)), (0, 0));
    for sum in [0, 0, 7] {
        wire.put(&datagram(sum));
    }
    // Of another host: no loss.
    wire.put(&ipv4(PEER, [10, 0, 0, 77].into(), 17, &datagram(0)[20..]));
    world.run(world.sleep(milliseconds(1)));
    assert_eq!((dropped(DropReason::NoSocket), dropped(DropReason::Checksum)), (2, 1));
    assert_eq!(dropped(DropReason::NotForUs), 1);
    let all = host.control::<ListDrops>("sockets", &()).unwrap();
    assert!(all.iter().any(|count| {
        (count.interface.as_str(), count.reason, count.packets) == ("eth0", DropReason::NoSocket, 2)
    }));

    let show = |script: &str| output(&world, &host, script);
    let expect = |script: &str, parts: &[&str]| {
        let text = show(script);
        for part in parts {
            assert!(text.contains(part), "{script}: {part:?} is missing in\n{text}");
        }
    };
    expect("cat /devices/network/eth0", &[" dropped 3 checksum 1 no-socket 2\n"]);
    expect("ifconfig eth0", &["errors:1 dropped:3 ", "RX drops: checksum:1 no-socket:2\n"]);
    expect("ip -s link show eth0", &["      1       3 ", "RX drops: checksum:1 no-socket:2\n"]);
    expect("ip -s -s link show eth0", &[" checksum:1 not-for-us:1 martian:0 ", " no-socket:2 "]);
    let json = "\"errors\":1,\"dropped\":3,\"drops\":{\"checksum\":1,\"no-socket\":2}}";
    expect("ip -j -s link show eth0", &[json]);
    expect("netstat -s", &["dropped: 3\n        checksum: 1\n        no-socket: 2\n"]);
    expect("netstat -ie", &["RX drops: checksum:1 no-socket:2\n"]);
    let table = show("netstat -i");
    let row: Vec<&str> =
        table.lines().find(|row| row.starts_with("eth0")).unwrap().split_whitespace().collect();
    assert_eq!((row[3], row[4]), ("1", "3"), "RX-ERR and RX-DRP of {table}");
}
