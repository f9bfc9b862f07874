//! Search lists from leases and advertisements (RFC 3397, RFC 8106 §5.2): which names are asked
//! for, and in which order. The name server is the test, by frames.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use devnet_network::command::dns::{Answer, Question, RecordKind};
use devnet_network::command::neighbor::NewNeighbor;
use devnet_network::command::{AddNeighbor, GetDhcp};
use devnet_network::dhcp_message::option;
use devnet_virtual_file_system::Error;
use world::World;

use crate::leases::{PLAIN, SERVER, leased};
use crate::names::{Asked, a};
use crate::pair::HARDWARE;
use crate::station::{PEER_LINK, Wire, frame, ndp, packets, udp};

const SEARCH: u8 = 119;

/// Resolves a name while the test answers for those in `known`; gives the names that were asked
/// for, in order.
fn asked(wire: &mut Wire<'_>, name: &str, known: &[&str]) -> (Vec<String>, Result<Answer, Error>) {
    answered(wire, name, known, 3)
}

/// The same with another response code for unknown names.
fn answered(
    wire: &mut Wire<'_>,
    name: &str,
    known: &[&str],
    code: u8,
) -> (Vec<String>, Result<Answer, Error>) {
    wire.frames();
    // Every name is asked for, whatever was answered before.
    wire.host.write(&wire.host.open("sockets"), "dns flush").unwrap();
    let sockets = wire.host.sockets();
    let question = Question { name: name.to_owned(), kind: RecordKind::A, server: None };
    let task = wire.world.spawn(async move { sockets.resolver().resolve(&question).await });
    let mut names = Vec::new();
    for _ in 0..100 {
        for packet in packets(wire.after(Duration::from_millis(20))) {
            let Some((from, to, bytes)) = datagram(&packet).filter(|found| found.1.port() == 53)
            else {
                continue;
            };
            let query = Asked::new(bytes);
            let response = match known.contains(&query.name.as_str()) {
                true => query.respond(0, &[a(&query.name, 9)]),
                false => query.respond(code, &[]),
            };
            names.push(query.name.clone());
            wire.send_frame(&frame(HARDWARE.0.0, &udp(to, from, &response)));
        }
        if task.is_finished() {
            break;
        }
    }
    (names, wire.world.run(task))
}

/// Ends and payload of a UDP packet.
fn datagram(packet: &[u8]) -> Option<(SocketAddr, SocketAddr, &[u8])> {
    let (start, from, to): (usize, IpAddr, IpAddr) = match packet[0] >> 4 {
        4 if packet[9] == 17 => {
            let address =
                |at: usize| IpAddr::from(<[u8; 4]>::try_from(&packet[at..at + 4]).unwrap());
            (20, address(12), address(16))
        }
        6 if packet[6] == 17 => {
            let address =
                |at: usize| IpAddr::from(<[u8; 16]>::try_from(&packet[at..at + 16]).unwrap());
            (40, address(8), address(24))
        }
        _ => return None,
    };
    let port = |at: usize| u16::from_be_bytes([packet[start + at], packet[start + at + 1]]);
    Some((SocketAddr::new(from, port(0)), SocketAddr::new(to, port(2)), &packet[start + 8..]))
}

/// A host with a lease with these options beside a name server.
fn with_lease<'a>(world: &'a World, options: &[(u8, &[u8])]) -> Wire<'a> {
    let server = SERVER.octets();
    let all = [&PLAIN[..], &[(option::DNS_SERVERS, &server[..])], options].concat();
    let wire = leased(world, &all);
    let neighbor = NewNeighbor { address: SERVER.into(), hardware_address: HARDWARE.1 };
    wire.host.control::<AddNeighbor>("eth0", &neighbor).unwrap();
    wire
}

#[test]
fn domain_from_dhcp_as_search_list() {
    let world = World::new(1);
    let mut wire = with_lease(&world, &[(option::DOMAIN, b"lab.test")]);
    let (names, answer) = asked(&mut wire, "web", &["web.lab.test"]);
    assert_eq!(names, ["web.lab.test"]);
    assert_eq!(answer.unwrap().addresses().count(), 1);
    // Not there: the name itself is the last one.
    let (names, answer) = asked(&mut wire, "web", &["web"]);
    assert_eq!((names, answer.is_ok()), (vec!["web.lab.test".to_owned(), "web".to_owned()], true));
    let (names, answer) = asked(&mut wire, "web", &[]);
    assert_eq!((names.len(), answer.unwrap_err()), (2, Error::NotFound));
    // With a final dot it is absolute; with one inside it comes first (resolv.conf(5), ndots:1).
    assert_eq!(asked(&mut wire, "web.", &[]).0, ["web"]);
    assert_eq!(asked(&mut wire, "web.lab.test.", &[]).0, ["web.lab.test"]);
    assert_eq!(asked(&mut wire, "www.web", &["www.web"]).0, ["www.web"]);
    assert_eq!(asked(&mut wire, "www.web", &[]).0, ["www.web", "www.web.lab.test"]);
    // What needs no server asks none, and without a lease there is no list.
    assert!(asked(&mut wire, "10.77.0.9", &[]).0.is_empty());
    assert!(asked(&mut wire, "localhost", &[]).0.is_empty());
    let device = wire.host.open("eth0");
    wire.host.write(&device, "dhcp stop\naddress add 10.77.0.51/24\ndns add 10.77.0.1").unwrap();
    assert_eq!(asked(&mut wire, "web", &[]).0, ["web"]);
}

#[test]
fn a_domain_that_the_server_refuses_does_not_end_the_search() {
    let world = World::new(6);
    let mut wire = with_lease(&world, &[(SEARCH, b"\x03lan\x00\x03lab\x04test\x00")]);
    let (names, answer) = answered(&mut wire, "web", &["web.lab.test"], 5);
    assert_eq!((names.len(), answer.unwrap().addresses().count()), (2, 1));
    let (names, answer) = answered(&mut wire, "web", &[], 5);
    assert_eq!((names.len(), answer.unwrap_err()), (3, Error::ConnectionRefused));
}

#[test]
fn a_search_list_with_compression() {
    // RFC 3397 §2: "eng.apple.com" and "marketing.apple.com", split over two options.
    let list = b"\x03eng\x05apple\x03com\x00\x09marketing\xc0\x04";
    let (first, second) = list.split_at(7);
    let world = World::new(2);
    let options = [(SEARCH, first), (SEARCH, second), (option::DOMAIN, &b"lab.test"[..])];
    let mut wire = with_lease(&world, &options);
    // The list counts instead of the domain.
    let (names, _) = asked(&mut wire, "web", &[]);
    assert_eq!(names, ["web.eng.apple.com", "web.marketing.apple.com", "web"]);
    assert_eq!(
        wire.host.control::<GetDhcp>("eth0", &()).unwrap().lease.unwrap().domain.as_deref(),
        Some("lab.test")
    );
}

#[test]
fn search_lists_that_cannot_be_read() {
    let cases: [(&[u8], &[&str]); 6] = [
        // A loop, and a pointer forwards: the others count.
        (b"\x01a\xc0\x00\x03lab\x04test\x00", &["web.lab.test", "web"]),
        (b"\x01a\xc0\x04\x03lab\x04test\x00", &["web.lab.test", "web"]),
        // Cut off; a name that no host has; the root; nothing.
        (b"\x03lab\x04test\x00\x03eng\x05app", &["web.lab.test", "web"]),
        (b"\x03l b\x04test\x00", &["web.lan", "web"]),
        (b"\x00", &["web.lan", "web"]),
        (b"", &["web.lan", "web"]),
    ];
    for (list, expected) in cases {
        let world = World::new(3);
        let mut wire = with_lease(&world, &[(SEARCH, list), (option::DOMAIN, b"lan")]);
        assert_eq!(asked(&mut wire, "web", &[]).0, expected, "{list:?}");
    }
}

#[test]
fn search_lists_are_bounded_and_too_long_names_are_left_out() {
    let list: Vec<u8> =
        (b'a'..=b'z').flat_map(|letter| [1, letter, 3, b'l', b'a', b'n', 0]).collect();
    let world = World::new(4);
    let mut wire = with_lease(&world, &[(SEARCH, &list)]);
    assert_eq!(asked(&mut wire, "web", &[]).0.len(), 16 + 1);
    let long = vec!["x".repeat(60); 4].join(".");
    let (names, answer) = asked(&mut wire, &format!("{long}.abcdefg"), &[]);
    assert_eq!((names.len(), answer.unwrap_err()), (1, Error::NotFound));
}

/// A DNS Search List option (RFC 8106 §5.2), padded.
fn domains(lifetime: u32, names: &[u8]) -> Vec<u8> {
    let units = (8 + names.len()).div_ceil(8);
    let mut option = vec![31, units as u8, 0, 0];
    option.extend(lifetime.to_be_bytes());
    option.extend_from_slice(names);
    option.resize(units * 8, 0);
    option
}

fn advertise(wire: &mut Wire<'_>, options: &[u8]) {
    let server = [&[25, 3, 0, 0, 0, 0, 14, 16][..], &PEER_LINK.octets()].concat();
    let rest = [&[0; 8][..], &server, options].concat();
    let all_nodes = Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 1);
    let packet = ndp(PEER_LINK, all_nodes, 134, [0, 0, 7, 8], &rest);
    wire.send_frame(&frame([0x33, 0x33, 0, 0, 0, 1], &packet));
    wire.after(Duration::from_millis(20));
}

#[test]
fn a_search_list_from_a_router() {
    let world = World::new(5);
    let mut wire = Wire::with(&world, &[]);
    let two = b"\x03lab\x04test\x00\x03lan\x00";
    advertise(&mut wire, &domains(600, two));
    assert_eq!(asked(&mut wire, "web", &[]).0, ["web.lab.test", "web.lan", "web"]);
    assert_eq!(asked(&mut wire, "web", &["web.lan"]).0, ["web.lab.test", "web.lan"]);
    // A lifetime of 0 removes a name; the others run out.
    advertise(&mut wire, &domains(0, b"\x03lab\x04test\x00"));
    assert_eq!(asked(&mut wire, "web", &[]).0, ["web.lan", "web"]);
    wire.after(Duration::from_secs(610));
    assert_eq!(asked(&mut wire, "web", &[]).0, ["web"]);
    // An option that is too short says nothing.
    advertise(&mut wire, &[31, 1, 0, 0, 0, 0, 2, 88]);
    assert_eq!(asked(&mut wire, "web", &[]).0, ["web"]);
}
