//! Pitfalls of ICMP errors that we send (ICE-01 to ICE-03), driven by packets. Those that we
//! receive stand with the datagram sockets.

use std::net::Ipv4Addr;
use std::time::Duration;

use devnet_network::command::SetMtu;
use devnet_network::limits;
use world::World;

use crate::station::{
    HOST, HOST6, PEER, PEER6, Wire, at, frame, icmp, icmp_kinds, icmpv6, icmpv6_packet, ipv4,
    ipv4_with, ipv6, packets, udp, upper,
};

const SHORT: Duration = Duration::from_millis(20);

#[test]
fn ice_01_nobody_is_told_what_nobody_may_be_told() {
    let world = World::new(1);
    let mut wire = Wire::new(&world);
    let closed = udp(at(PEER, 1), at(HOST, 99), b"x");
    assert_eq!(icmp_kinds(&wire.exchange(&closed)), [(3, 3)]);
    let everybody = Ipv4Addr::new(10, 0, 0, 255);
    let group = Ipv4Addr::new(224, 0, 0, 1);
    for (what, packet) in [
        ("an error", ipv4(PEER, HOST, 1, &icmp(3, 3, [0; 4], &closed))),
        ("an unknown ICMP type", ipv4(PEER, HOST, 1, &icmp(200, 0, [0; 4], &closed))),
        (
            "a tail",
            ipv4_with(PEER, HOST, 250, &[0; 8], |packet| packet[6..8].copy_from_slice(&[0, 5])),
        ),
        ("a broadcast", udp(at(PEER, 1), at(everybody, 99), b"x")),
        ("a group", udp(at(PEER, 1), at(group, 99), b"x")),
        ("a group's protocol", ipv4(PEER, group, 250, b"x")),
        ("a source that is nobody", udp(at(everybody, 1), at(HOST, 99), b"x")),
        ("a source that is many", udp(at(group, 1), at(HOST, 99), b"x")),
        (
            "an ICMPv6 error",
            icmpv6_packet(PEER6, HOST6, 1, 4, [0; 4], &udp(at(HOST6, 7), at(PEER6, 9), b"")),
        ),
    ] {
        assert!(wire.exchange(&packet).is_empty(), "{what}");
    }
    // To us alone, but in a frame to all stations.
    for packet in
        [closed, udp(at(PEER6, 1), at(HOST6, 99), b"x"), ipv6(PEER6, HOST6, 250, 64, b"x")]
    {
        wire.send_frame(&frame([0xff; 6], &packet));
        assert!(packets(wire.after(SHORT)).is_empty());
    }
}

#[test]
fn ice_02_errors_have_a_budget_and_echoes_go_on() {
    let world = World::new(2);
    let mut wire = Wire::new(&world);
    // Each family has the same; a flood from one station leaves room for others.
    for _ in 0..300 {
        wire.send(&udp(at(PEER, 1), at(HOST, 99), b"x"));
    }
    let left = packets(wire.after(SHORT));
    let to_peer = icmp_kinds(&left).len();
    assert!(
        // Each costs one token on average (hold 17).
        (limits::ICMP_ERRORS_PER_HOST as usize / 2..limits::ICMP_ERRORS_PER_HOST as usize * 2)
            .contains(&to_peer),
        "{to_peer}"
    );
    assert_eq!(icmp_kinds(&wire.exchange(&udp(at(PEER6, 1), at(HOST6, 99), b"x"))), [(1, 4)]);
    assert_eq!(
        icmp_kinds(&wire.exchange(&ipv4(PEER, HOST, 1, &icmp(8, 0, [0; 4], b"")))),
        [(0, 0)]
    );
    // A second later the station has its share again.
    wire.after(Duration::from_secs(1));
    assert_eq!(icmp_kinds(&wire.exchange(&udp(at(PEER, 1), at(HOST, 99), b"x"))), [(3, 3)]);
}

#[test]
fn ice_02_many_stations_share_the_budget_of_the_interface() {
    let world = World::new(3);
    let mut wire = Wire::with(&world, &["10.0.0.1/16", "fd00::1/64"]);
    let file = wire.host.open("eth0");
    for host in 0..400u16 {
        let [high, low] = host.to_be_bytes();
        let from = Ipv4Addr::new(10, 0, 4 + high, low);
        wire.host.write(&file, &format!("neighbor add {from} 02:00:00:00:00:02")).unwrap();
    }
    wire.after(Duration::from_secs(2));
    for host in 0..400u16 {
        let [high, low] = host.to_be_bytes();
        wire.send(&udp(at(Ipv4Addr::new(10, 0, 4 + high, low), 1), at(HOST, 99), b"x"));
    }
    let told = icmp_kinds(&packets(wire.after(SHORT))).len();
    assert!(
        (limits::ICMP_ERRORS as usize * 3 / 4..limits::ICMP_ERRORS as usize * 5 / 4)
            .contains(&told),
        "{told}"
    );
}

#[test]
fn ice_03_errors_quote_as_much_as_fits() {
    let world = World::new(4);
    let mut wire = Wire::new(&world);
    let large = udp(at(PEER, 1), at(HOST, 99), &[7; 1400]);
    let left = wire.exchange(&large);
    assert_eq!((left.len(), left[0].len()), (1, 576));
    assert_eq!(upper(&left[0]).1[8..], large[..548]);
    let large = udp(at(PEER6, 1), at(HOST6, 99), &[7; 1400]);
    let left = wire.exchange(&large);
    assert_eq!((left.len(), left[0].len()), (1, 1280));
    assert_eq!(upper(&left[0]).1[8..], large[..1232]);
    let small = udp(at(PEER, 1), at(HOST, 99), b"x");
    assert_eq!(upper(&wire.exchange(&small)[0]).1[8..], small[..]);
    // Below that the link decides, and nothing is cut.
    let world = World::new(5);
    let mut wire = Wire::with(&world, &["10.0.0.1/24"]);
    let own: Vec<_> =
        wire.host.control::<devnet_network::command::ListAddresses>("eth0", &()).unwrap();
    for entry in own.iter().filter(|entry| entry.prefix.address().is_ipv6()) {
        wire.host.control::<devnet_network::command::RemoveAddress>("eth0", &entry.prefix).unwrap();
    }
    wire.host.control::<SetMtu>("eth0", &300).unwrap();
    let left = wire.exchange(&udp(at(PEER, 1), at(HOST, 99), &[7; 1400]));
    assert_eq!((left.len(), left[0].len()), (1, 300));
    assert_eq!(left[0][6..8], [0, 0]);
    // An error of IPv6 has a right checksum.
    assert_eq!(icmpv6(PEER6, HOST6, 1, 0, [0; 4], b"").len(), 8);
}
