//! DNAv4 (RFC 4436): a lease is kept when the link is back and its router still there.

use std::net::Ipv4Addr;
use std::time::Duration;

use devnet_network::UdpSocket;
use devnet_network::command::dhcp::DhcpState;
use devnet_network::command::{GetDhcp, ListAddresses};
use devnet_network::dhcp_message::{CLIENT_PORT, DhcpMessage, MessageKind, SERVER_PORT, option};
use world::World;

use crate::station::{Wire, at, udp, upper};

const SECOND: Duration = Duration::from_secs(1);
const ROUTER: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 2);
const OWN: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 50);
const STATION: [u8; 6] = [2, 0, 0, 0, 0, 0x22];
const OTHER: [u8; 6] = [2, 0, 0, 0, 0, 0x33];

/// What left: DHCP messages, and unicast ARP requests by their destination.
#[derive(Debug, PartialEq)]
enum Left {
    Message(MessageKind),
    Asked([u8; 6]),
}

/// An ARP message from the router at a station to us.
fn arp(operation: u8, station: [u8; 6]) -> Vec<u8> {
    let own = crate::pair::HARDWARE.0.0;
    let head = [&own[..], &station, &[8, 6, 0, 1, 8, 0, 6, 4, 0, operation]].concat();
    [&head[..], &station, &ROUTER.octets(), &own, &OWN.octets()].concat()
}

/// Lets a short time pass; the router answers ARP from this station, if it is there, and DHCP with
/// these kinds.
fn serve(
    wire: &mut Wire<'_>,
    time: Duration,
    station: Option<[u8; 6]>,
    says: impl Fn(MessageKind) -> Option<MessageKind>,
) -> Vec<Left> {
    let start = wire.world.now();
    let mut left = Vec::new();
    while wire.world.now().since(start) < time {
        wire.world.run(wire.world.sleep(Duration::from_millis(10)));
        for frame in wire.frames() {
            let is_request = frame[12..14] == [8, 6] && frame[21] == 1;
            if is_request && frame[38..42] == ROUTER.octets() {
                if frame[..6] != [0xff; 6] {
                    assert_eq!(frame[28..32], OWN.octets());
                    left.push(Left::Asked(frame[..6].try_into().unwrap()));
                }
                let is_heard = |own: &[u8; 6]| frame[..6] == [0xff; 6] || frame[..6] == *own;
                if let Some(station) = station.filter(is_heard) {
                    wire.send_frame(&arp(2, station));
                }
            }
            if frame[12..14] == [8, 0] && frame[23] == 17 {
                let Ok(message) = DhcpMessage::parse(&upper(&frame[14..]).1[8..]) else { continue };
                left.push(Left::Message(message.kind));
                let Some(kind) = says(message.kind) else { continue };
                let mut reply =
                    DhcpMessage::new(kind, message.transaction, message.hardware_address);
                reply.push(option::SERVER_IDENTIFIER, &ROUTER.octets());
                if kind != MessageKind::Refuse {
                    reply.your_address = OWN;
                    reply.push(option::LEASE_TIME, &3600_u32.to_be_bytes());
                    reply.push(option::SUBNET_MASK, &[255, 255, 255, 0]);
                    reply.push(option::ROUTER, &ROUTER.octets());
                }
                let ends = (at(ROUTER, SERVER_PORT), at(Ipv4Addr::BROADCAST, CLIENT_PORT));
                let packet = udp(ends.0, ends.1, &reply.to_bytes());
                wire.send_frame(&[&[0xff; 6][..], &STATION, &[8, 0], &packet].concat());
            }
        }
    }
    left
}

fn grants(kind: MessageKind) -> Option<MessageKind> {
    match kind {
        MessageKind::Discover => Some(MessageKind::Offer),
        MessageKind::Request => Some(MessageKind::Acknowledge),
        _ => None,
    }
}

const fn silent(_: MessageKind) -> Option<MessageKind> {
    None
}

fn state(wire: &Wire<'_>) -> DhcpState {
    wire.host.control::<GetDhcp>("eth0", &()).unwrap().state
}

fn lines(wire: &Wire<'_>, lines: &str) {
    wire.host.write(&wire.host.open("eth0"), lines).unwrap();
}

/// A host with a lease that has talked to its router.
fn bound(world: &World) -> Wire<'_> {
    let mut wire = Wire::with(world, &[]);
    lines(&wire, "dhcp start");
    serve(&mut wire, 3 * SECOND, Some(STATION), grants);
    assert_eq!(state(&wire), DhcpState::Bound);
    let socket = UdpSocket::new(&wire.host.sockets());
    socket.try_send(b"x", Some(at(ROUTER, 9))).unwrap();
    serve(&mut wire, SECOND, Some(STATION), silent);
    wire
}

#[test]
fn a_lease_is_kept_without_a_server_when_the_router_answers() {
    let world = World::new(1);
    let mut wire = bound(&world);
    lines(&wire, "link down\nlink up");
    let left = serve(&mut wire, SECOND / 10, Some(STATION), silent);
    assert_eq!(left, [Left::Message(MessageKind::Request), Left::Asked(STATION)]);
    assert_eq!(state(&wire), DhcpState::Bound);
    // Nothing more is asked before T1.
    let left = serve(&mut wire, 60 * SECOND, Some(STATION), silent);
    assert!(!left.iter().any(|one| matches!(one, Left::Message(_))), "{left:?}");
    let left = serve(&mut wire, 1800 * SECOND, Some(STATION), grants);
    assert!(left.contains(&Left::Message(MessageKind::Request)), "{left:?}");
    assert_eq!(state(&wire), DhcpState::Bound);
}

#[test]
fn another_router_with_the_same_address_keeps_nothing() {
    let world = World::new(2);
    for station in [Some(OTHER), None] {
        let mut wire = bound(&world);
        lines(&wire, "link down\nlink up");
        let left = serve(&mut wire, SECOND / 10, station, silent);
        assert_eq!(left, [Left::Message(MessageKind::Request), Left::Asked(STATION)]);
        // It says who it is by itself, too.
        wire.send_frame(&arp(1, OTHER));
        let left = serve(&mut wire, 20 * SECOND, station, silent);
        assert!(left.contains(&Left::Message(MessageKind::Discover)), "{left:?}");
        assert_eq!(state(&wire), DhcpState::Selecting);
    }
}

#[test]
fn what_the_server_says_counts_more_than_the_router() {
    let world = World::new(3);
    let refuses = |kind: MessageKind| (kind == MessageKind::Request).then_some(MessageKind::Refuse);
    let mut wire = bound(&world);
    lines(&wire, "link down\nlink up");
    // The router is as fast as the server here: both answers are there in the same turn.
    serve(&mut wire, SECOND, Some(STATION), refuses);
    assert_ne!(state(&wire), DhcpState::Bound);
    let addresses = wire.host.control::<ListAddresses>("eth0", &()).unwrap();
    assert!(addresses.iter().all(|entry| entry.prefix.address() != OWN));
}

#[test]
fn a_router_that_never_said_its_hardware_address_is_not_asked() {
    let world = World::new(4);
    let mut wire = Wire::with(&world, &[]);
    lines(&wire, "dhcp start");
    serve(&mut wire, 3 * SECOND, Some(STATION), grants);
    lines(&wire, "link down\nlink up");
    let left = serve(&mut wire, SECOND, Some(STATION), grants);
    assert_eq!(left, [Left::Message(MessageKind::Request)]);
    assert_eq!(state(&wire), DhcpState::Bound);
}
