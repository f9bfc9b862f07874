//! How long packets may be (PMT), told by packets: what routers, users and peers say of it.

use std::net::Ipv6Addr;
use std::time::Duration;

use devnet_network::command::{AddAddress, GetInterface, SetMtu, address::NewAddress};
use devnet_network::{TcpListener, TcpStream};
use devnet_virtual_file_system::Error;
use futures_lite::future;
use world::World;

use crate::pair::{options, pattern};
use crate::station::{HOST6, PEER_LINK, PEER6, Wire, at, ipv6, ndp, packets, sum};

const SHORT: Duration = Duration::from_millis(20);
const ALL_NODES: Ipv6Addr = Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 1);
const SYN: u8 = 2;
const ACK: u8 = 16;

/// A TCP segment over IPv6 from the peer's port 5000 to the host's port 80, with a window of 60,000
/// bytes.
fn segment(flags: u8, sequence: u32, acknowledgment: u32) -> Vec<u8> {
    let ports = [5000u16, 80].map(u16::to_be_bytes).concat();
    let numbers = [sequence, acknowledgment].map(u32::to_be_bytes).concat();
    let rest = [0x50, flags, 0xea, 0x60, 0, 0, 0, 0];
    let mut tcp = [&ports[..], &numbers, &rest].concat();
    let pseudo =
        [&PEER6.octets()[..], &HOST6.octets(), &20u32.to_be_bytes(), &[0, 0, 0, 6]].concat();
    let checksum = sum(&[&pseudo[..], &tcp].concat(), 0);
    tcp[16..18].copy_from_slice(&checksum.to_be_bytes());
    ipv6(PEER6, HOST6, 6, 64, &tcp)
}

/// Sequence number, options and data of the IPv6 segments in packets.
fn segments(packets: &[Vec<u8>]) -> Vec<(u32, Vec<u8>, usize)> {
    let tcp = packets
        .iter()
        .filter(|packet| packet[0] >> 4 == 6 && packet[6] == 6)
        .map(|packet| &packet[40..]);
    tcp.map(|tcp| {
        let header = usize::from(tcp[12] >> 4) * 4;
        (
            u32::from_be_bytes(tcp[4..8].try_into().unwrap()),
            tcp[20..header].to_vec(),
            tcp.len() - header,
        )
    })
    .collect()
}

/// The segment size that the host's SYN offers a new connection to the peer's IPv6 address.
fn offered(wire: &mut Wire<'_>, port: u16) -> u16 {
    let sockets = wire.host.sockets();
    let mut connect = Box::pin(TcpStream::connect(&sockets, at(PEER6, port)));
    wire.frames();
    assert!(wire.world.run(future::poll_once(&mut connect)).is_none());
    let sent = segments(&packets(wire.after(SHORT)));
    let [2, 4, high, low, ..] = sent[0].1.as_slice() else { panic!("no segment size in {sent:?}") };
    u16::from_be_bytes([*high, *low])
}

/// RFC 4861 §6.3.4: between the smallest of IPv6 and what the link carries.
#[test]
fn pmt_04_the_mtu_of_an_advertisement_counts_within_bounds() {
    let world = World::new(1);
    let mut wire = Wire::new(&world);
    assert_eq!(offered(&mut wire, 1), 1440);
    for (port, (mtu, segment)) in (2u16..).zip([
        (1400u32, 1340),
        (1279, 1340),
        (9000, 1340),
        (0, 1340),
        (1280, 1220),
        (1500, 1440),
    ]) {
        let option = [&[5, 1, 0, 0][..], &mtu.to_be_bytes()].concat();
        // A router's life, no reachable time, no retransmission time.
        let message = [&[0; 8][..], &option].concat();
        wire.send(&ndp(PEER_LINK, ALL_NODES, 134, [64, 0, 7, 8], &message));
        wire.after(SHORT);
        assert_eq!(offered(&mut wire, port), segment, "after {mtu}");
    }
}

#[test]
fn pmt_06_an_mtu_that_its_family_cannot_live_with_is_refused() {
    let world = World::new(2);
    let (end, _hand) = devnet_drivers::cable(options());
    let host = world::Host::new(&world).with("eth0", end, &["10.0.0.1/24"]);
    let address = |text: &str| NewAddress { prefix: text.parse().unwrap(), broadcast: None };
    let mtu = |bytes: u32| host.control::<SetMtu>("eth0", &bytes);
    // The link-local address is IPv6 as well.
    assert_eq!(mtu(1279), Err(Error::InvalidInput));
    assert_eq!(mtu(1280), Ok(true));
    assert_eq!(mtu(1501), Err(Error::InvalidInput));
    assert_eq!(host.control::<GetInterface>("eth0", &()).unwrap().mtu, 1280);
    // Without IPv6 what every IPv4 link carries is enough, and IPv6 has to wait.
    let link = "fe80::ff:fe00:1/64".parse().unwrap();
    host.control::<devnet_network::command::RemoveAddress>("eth0", &link).unwrap();
    for refused in [0, 1, 67, u32::MAX] {
        assert_eq!(mtu(refused), Err(Error::InvalidInput), "{refused}");
    }
    assert_eq!(mtu(68), Ok(true));
    assert_eq!(
        host.control::<AddAddress>("eth0", &address("fd00::1/64")),
        Err(Error::InvalidInput)
    );
    // What is sent then is small, and nothing ends.
    world.run(async {
        let socket = devnet_network::UdpSocket::new(&host.sockets());
        socket.bind("10.0.0.1:7".parse().unwrap()).unwrap();
        socket.set_broadcast(true);
        assert_eq!(socket.try_send(&[7; 100], Some("10.0.0.255:9".parse().unwrap())), Ok(()));
        let sockets = host.sockets();
        let _listener = TcpListener::bind(&sockets, "10.0.0.1:80".parse().unwrap(), 1).unwrap();
        world.sleep(Duration::from_secs(10)).await;
    });
    assert_eq!(mtu(1500), Ok(true));
    assert_eq!(host.control::<AddAddress>("eth0", &address("fd00::1/64")), Ok(()));
}

/// RFC 9293 MUST-15: the families differ. IPv4's 536 bytes stand in
/// `segments_fit_the_peer_and_the_path` too.
#[test]
fn pmt_07_a_peer_that_offers_no_segment_size_gets_the_familys_smallest() {
    let world = World::new(3);
    let mut wire = Wire::new(&world);
    let listener = TcpListener::bind(&wire.host.sockets(), at(HOST6, 80), 4).unwrap();
    let answer = segments(&wire.exchange(&segment(SYN, 1000, 0)));
    let theirs = answer[0].0.wrapping_add(1);
    wire.exchange(&segment(ACK, 1001, theirs));
    let stream = world.run(listener.accept()).unwrap();
    wire.frames();
    world.run(stream.write_all(&pattern(30_000))).unwrap();
    let sent = segments(&packets(wire.after(SHORT)));
    assert!(sent.len() >= 10, "{}", sent.len());
    assert!(sent.iter().all(|(_, _, length)| *length == 1220), "{sent:?}");

    let world = World::new(4);
    let (host, mut wire) = crate::wire::Wire::new(&world);
    world.run(async {
        let syn = crate::wire::Segment {
            window: 60_000,
            ..crate::wire::Segment::new(5000, 80, SYN, 1000, 0)
        };
        let settings = devnet_network::TcpSettings::default();
        let (stream, _) =
            crate::pitfalls_segments::accepted(&world, &host, &mut wire, settings, &syn).await;
        stream.write_all(&pattern(30_000)).await.unwrap();
        let sent = wire.exchange(&world, None).await;
        assert!(
            sent.len() == 10 && sent.iter().all(|segment| segment.data.len() == 536),
            "{}",
            sent.len()
        );
    });
}
