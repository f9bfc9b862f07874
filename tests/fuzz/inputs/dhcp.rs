//! DHCP both ways: messages at the server of an interface, and replies to a client that asked.

use std::net::Ipv4Addr;

use devnet_network::command::dhcp::DhcpState;
use devnet_network::command::{GetDhcp, ListAddresses, ListDhcpLeases, ListDnsServers, ListRoutes};
use devnet_network::dhcp_message::{DhcpMessage, MessageKind, option};
use devnet_network::limits::{DNS_SERVERS, LEASED_ROUTES};

use super::{Trace, size};
use crate::packets::{ethernet, repair};
use crate::rig::Rig;

pub(crate) const TOKENS: &[&[u8]] = &[
    b"\x35\x01\x01",
    b"\x35\x01\x02",
    b"\x35\x01\x03",
    b"\x35\x01\x04",
    b"\x35\x01\x05",
    b"\x35\x01\x06",
    b"\x35\x01\x07",
    b"\x35\x01\x08",
    b"\x32\x04\x0a\0\x02\x0f",
    b"\x36\x04\x0a\0\x02\x02",
    b"\x36\x04\x0a\0\0\x02",
    b"\x33\x04\0\0\x0e\x10",
    b"\x33\x04\xff\xff\xff\xff",
    b"\x33\x04\0\0\0\0",
    b"\x3a\x04\0\0\0\x01",
    b"\x3b\x04\0\0\0\x01",
    b"\x01\x04\xff\xff\xff\0",
    b"\x01\x04\xff\0\xff\0",
    b"\x03\x04\x0a\0\0\x02",
    b"\x06\x08\x0a\0\0\x02\x0a\0\0\x03",
    b"\x0f\x03lan",
    b"\x77\x05\x03lan\0",
    b"\x79\x08\x10\xc0\xa8\x0a\0\0\x02\0",
    b"\x1a\x02\x05\x78",
    b"\x34\x01\x03",
    b"\x3d\x02\x01\x02",
    b"\x52\x02\x01\x00",
    b"\xff",
    b"\0",
];

/// Where options begin, behind the magic number.
const OPTIONS: usize = 240;

/// The addresses that the server gives away.
const POOL: std::ops::RangeInclusive<Ipv4Addr> =
    Ipv4Addr::new(10, 0, 2, 15)..=Ipv4Addr::new(10, 0, 2, 18);

/// A message at a server that knows nobody, one that knows the client, and one that is full.
pub(crate) fn requests(bytes: &[u8], trace: &mut Trace) {
    let Ok(message) = DhcpMessage::parse(bytes) else { return trace.note("refused") };
    trace.note((message.kind as u8, message.broadcast, message.relay_address.is_unspecified()));
    let copy = DhcpMessage::parse(&message.to_bytes()).expect("what we write can be read");
    let empty = |message: &DhcpMessage| {
        let mut options = message.options.clone();
        options.retain(|(_, value)| !value.is_empty());
        options
    };
    assert_eq!((copy.kind, copy.transaction), (message.kind, message.transaction));
    assert_eq!(size(empty(&copy).len()), size(empty(&message).len()));
    if bytes.len() > 1400 {
        return;
    }
    for known in 0..3_u8 {
        let mut rig = Rig::new(1);
        let device = rig.host.open("eth0");
        let start = "address add 10.0.2.2/24\ndhcp server start 10.0.2.15-10.0.2.18 router \
                     10.0.2.2 dns 10.0.2.3 domain lan check off";
        rig.host.write(&device, start).unwrap();
        // Other clients; the last number is nearly the client's own.
        for other in 0..known * 2 {
            let line = format!("dhcp server lease 10.0.2.{} id:0{other}0{other} 3600", 15 + other);
            rig.host.write(&device, &line).unwrap();
        }
        for time in [0, 1, 4000] {
            rig.settle(time * 1_000_000);
            rig.answers();
            rig.inject(&request(bytes));
            rig.settle(10_000);
            for reply in rig.answers().iter().filter_map(|frame| replied(frame)) {
                trace.note((known, time, message.kind as u8, reply.kind as u8));
                assert_eq!(reply.transaction, message.transaction);
                assert_eq!(reply.hardware_address, message.hardware_address);
                let has_address = POOL.contains(&reply.your_address);
                match reply.kind {
                    MessageKind::Offer => assert!(has_address, "{reply:?}"),
                    MessageKind::Acknowledge if message.kind == MessageKind::Request => {
                        assert!(has_address, "{reply:?}");
                    }
                    _ => assert!(reply.your_address.is_unspecified(), "{reply:?}"),
                }
            }
        }
        let leases = rig.host.control::<ListDhcpLeases>("eth0", &()).unwrap();
        assert!(leases.iter().all(|lease| POOL.contains(&lease.address)), "{leases:?}");
        trace.note((known, leases.len()));
    }
}

/// The frame of a request to everybody.
fn request(bytes: &[u8]) -> Vec<u8> {
    datagram(([0, 0, 0, 0], 68), 67, bytes)
}

/// The DHCP message of a frame from the server, which nobody has to take in pieces.
fn replied(frame: &[u8]) -> Option<DhcpMessage> {
    let is_from_server = frame.get(23) == Some(&17) && frame.get(34..36) == Some(&[0, 67]);
    assert!(!is_from_server || frame.len() <= 14 + 1500, "a frame of {} bytes", frame.len());
    DhcpMessage::parse(frame.get(42..).filter(|_| is_from_server)?).ok()
}

/// The frame of a reply to everybody.
fn reply(bytes: &[u8]) -> Vec<u8> {
    datagram(([10, 0, 0, 2], 67), 68, bytes)
}

/// The frame of a datagram to everybody.
fn datagram((from, port): ([u8; 4], u8), to: u8, bytes: &[u8]) -> Vec<u8> {
    let length = 8 + bytes.len() as u16;
    let mut packet = vec![0x45, 0];
    packet.extend_from_slice(&(20 + length).to_be_bytes());
    packet.extend_from_slice(&[0, 1, 0, 0, 64, 17, 0, 0]);
    packet.extend_from_slice(&from);
    packet.extend_from_slice(&[255, 255, 255, 255, 0, port, 0, to]);
    packet.extend_from_slice(&length.to_be_bytes());
    packet.extend_from_slice(&[0, 0]);
    packet.extend_from_slice(bytes);
    let mut frame = ethernet(0x0800, &packet);
    frame[..6].fill(0xff);
    repair(&mut frame);
    frame
}

/// Makes an acknowledgment of an offer.
fn acknowledge(bytes: &mut [u8]) {
    let mut at = OPTIONS;
    while let Some(&[code, length]) = bytes.get(at..at + 2).and_then(|head| head.first_chunk()) {
        match (code, bytes.get_mut(at + 2)) {
            (0, _) => at += 1,
            (255, _) => return,
            (code, Some(kind)) if code == option::MESSAGE_TYPE && length > 0 => return *kind = 5,
            _ => at += 2 + usize::from(length),
        }
    }
}

/// The DHCP message of a frame from the client.
fn asked(frame: &[u8]) -> Option<DhcpMessage> {
    let is_from_client = frame.get(23) == Some(&17) && frame.get(34..36) == Some(&[0, 68]);
    DhcpMessage::parse(frame.get(42..).filter(|_| is_from_client)?).ok()
}

/// The bytes as an offer, and then as its acknowledgment.
pub(crate) fn replies(bytes: &[u8], trace: &mut Trace) {
    if !(OPTIONS..=1400).contains(&bytes.len()) {
        return;
    }
    let mut rig = Rig::new(1);
    let mut bytes = bytes.to_vec();
    let before = state(&rig);
    rig.host.write(&rig.host.open("eth0"), "dhcp start").unwrap();
    rig.settle(12_000_000);
    let discover = rig.answers().iter().find_map(|frame| asked(frame)).expect("a discovery");
    bytes[4..8].copy_from_slice(&discover.transaction.to_be_bytes());
    bytes[28..34].copy_from_slice(&discover.hardware_address.0);
    rig.inject(&reply(&bytes));
    rig.settle(2_000_000);
    let is_selected = rig
        .answers()
        .iter()
        .filter_map(|frame| asked(frame))
        .any(|sent| sent.kind == MessageKind::Request);
    trace.note(("selected", is_selected));
    assert_eq!(state(&rig), before, "an offer changes nothing");
    acknowledge(&mut bytes);
    rig.inject(&reply(&bytes));
    // As long as it takes to see whether somebody has the address.
    rig.settle(9_000_000);
    let status = rig.host.control::<GetDhcp>("eth0", &()).unwrap();
    trace.note(std::mem::discriminant(&status.state));
    let Some(lease) = status.lease else {
        assert_eq!(state(&rig), before, "no lease changes nothing");
        assert_ne!(status.state, DhcpState::Bound);
        return;
    };
    assert!(is_selected, "a lease that was not asked for");
    let std::net::IpAddr::V4(address) = lease.address.address() else { panic!("{lease:?}") };
    let is_usable = !address.is_multicast()
        && !address.is_broadcast()
        && !address.is_loopback()
        && !address.is_unspecified();
    assert!(is_usable, "{lease:?}");
    assert!(lease.dns_servers.len() <= DNS_SERVERS);
    assert!(lease.renew_seconds <= lease.rebind_seconds, "{lease:?}");
    assert!(lease.rebind_seconds <= lease.remaining_seconds, "{lease:?}");
    assert!(lease.remaining_seconds <= lease.lease_seconds, "{lease:?}");
    if let Some(domain) = &lease.domain {
        assert!(!domain.contains(|letter: char| letter.is_control()), "{domain:?}");
    }
    let routes = rig.host.control::<ListRoutes>("eth0", &()).unwrap().len();
    assert!(routes <= LEASED_ROUTES + before.1 + 2, "{routes} routes");
    trace.note((size(routes), lease.router.is_some(), size(lease.dns_servers.len())));
    trace.note((lease.domain.is_some(), lease.lease_seconds == u32::MAX, lease.address.length()));
    rig.host.write(&rig.host.open("eth0"), "dhcp stop").unwrap();
    rig.settle(1_000_000);
    assert_eq!(state(&rig), before, "a lease leaves nothing behind");
}

/// How many addresses, routes and name servers there are.
fn state(rig: &Rig) -> (usize, usize, usize) {
    (
        rig.host.control::<ListAddresses>("eth0", &()).unwrap().len(),
        rig.host.control::<ListRoutes>("eth0", &()).unwrap().len(),
        rig.host.control::<ListDnsServers>("eth0", &()).unwrap().len(),
    )
}
