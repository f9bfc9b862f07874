//! DHCPv6 both ways: messages at the server of an interface, and answers to a client that asked.

use std::net::Ipv6Addr;

use devnet_network::command::dhcp6::Dhcp6State;
use devnet_network::command::{
    GetDhcp6, GetDhcp6Server, ListAddresses, ListDnsServers, ListRouteDetails,
};
use devnet_network::dhcp6_message::{Dhcp6Message, MessageKind, option};
use devnet_network::limits::{DHCP6_LEASES, DNS_SERVERS, SEARCH_DOMAINS};

use super::{Trace, size};
use crate::packets::{ethernet, repair};
use crate::rig::Rig;

pub(crate) const TOKENS: &[&[u8]] = &[
    b"\x01\x00\x00\x01",
    b"\x03\x00\x00\x01",
    b"\x05\x00\x00\x01",
    b"\x08\x00\x00\x01",
    b"\x0b\x00\x00\x01",
    b"\0\x01\0\x0a\0\x03\0\x01\x02\0\0\0\0\x09",
    b"\0\x02\0\x0a\0\x03\0\x01\x02\0\0\0\0\x01",
    b"\0\x03\0\x28\0\0\0\x01\0\0\0\x14\0\0\0\x32",
    b"\0\x03\0\x0c\0\0\0\x01\0\0\0\0\0\0\0\0",
    b"\0\x04\0\x04\0\0\0\x01",
    b"\0\x05\0\x18\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x05\0\0\0\x50\0\0\0\x64",
    b"\0\x19\0\x29\0\0\0\x01\0\0\0\x14\0\0\0\x32",
    b"\0\x1a\0\x19\0\0\0\x50\0\0\0\x64\x38\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\0",
    b"\0\x06\0\x04\0\x17\0\x18",
    b"\0\x07\0\x01\xff",
    b"\0\x0d\0\x02\0\x02",
    b"\0\x0d\0\x02\0\x03",
    b"\0\x0d\0\x02\0\x04",
    b"\0\x17\0\x10\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x53",
    b"\0\x18\0\x05\x03lan\0",
    b"\0\x38\0\x14\0\x01\0\x10\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x04",
    b"\0\x52\0\x04\0\0\0\x3c",
    b"\0\0\0\x01",
    b"\xff\xff\xff\xff",
];

/// The host's DUID, and that of the test.
const HOST: &[u8] = &[0, 3, 0, 1, 2, 0, 0, 0, 0, 1];
const TEST: &[u8] = &[0, 3, 0, 1, 2, 0, 0, 0, 0, 9];
const HOST_LINK: Ipv6Addr = Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0xff, 0xfe00, 1);
const TEST_LINK: Ipv6Addr = Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0xff, 0xfe00, 9);
const SERVERS: Ipv6Addr = Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 1, 2);
const SERVER_PORT: u16 = 547;
const CLIENT_PORT: u16 = 546;

/// The frame of a datagram of the test.
fn datagram(to: Ipv6Addr, (from_port, to_port): (u16, u16), bytes: &[u8]) -> Vec<u8> {
    let length = (8 + bytes.len()) as u16;
    let mut packet = vec![0x60, 0, 0, 0];
    packet.extend_from_slice(&length.to_be_bytes());
    packet.extend_from_slice(&[17, 64]);
    packet.extend_from_slice(&TEST_LINK.octets());
    packet.extend_from_slice(&to.octets());
    for word in [from_port, to_port, length, 0] {
        packet.extend_from_slice(&word.to_be_bytes());
    }
    packet.extend_from_slice(bytes);
    let mut frame = ethernet(0x86dd, &packet);
    if to == SERVERS {
        frame[..6].copy_from_slice(&[0x33, 0x33, 0, 1, 0, 2]);
    }
    repair(&mut frame);
    frame
}

/// The message of a frame from the host's port.
fn sent(frame: &[u8], port: u16) -> Option<Dhcp6Message> {
    let is_it = frame.get(20) == Some(&17) && frame.get(54..56) == Some(&port.to_be_bytes());
    Dhcp6Message::parse(frame.get(62..).filter(|_| is_it)?).ok()
}

/// A message at a server.
pub(crate) fn requests(bytes: &[u8], trace: &mut Trace) {
    let Ok(message) = Dhcp6Message::parse(bytes) else { return trace.note("refused") };
    assert_eq!(Dhcp6Message::parse(&message.to_bytes()).as_ref(), Ok(&message));
    if bytes.len() > 1400 {
        return;
    }
    let mut rig = Rig::new(1);
    let device = rig.host.open("eth0");
    let lines = format!(
        "neighbor add {TEST_LINK} 02:00:00:00:00:02\ndhcp6 server on dns fd00::53 domains lan,a.b"
    );
    rig.host.write(&device, &lines).unwrap();
    rig.settle(5_000_000);
    rig.answers();
    rig.inject(&datagram(SERVERS, (CLIENT_PORT, SERVER_PORT), bytes));
    rig.settle(2_000_000);
    let replies: Vec<_> =
        rig.answers().iter().filter_map(|frame| sent(frame, SERVER_PORT)).collect();
    let counted = rig.host.control::<GetDhcp6Server>("eth0", &()).unwrap().statistics;
    assert_eq!(counted.informed + counted.refused + counted.ignored, 1);
    assert_eq!(replies.len() as u64, counted.informed + counted.refused);
    trace.note((message.kind as u8, replies.len()));
    for reply in replies {
        assert_eq!(reply.transaction, message.transaction);
        assert_eq!(reply.option(option::SERVER_IDENTIFIER), Some(HOST));
        assert_eq!(
            reply.option(option::CLIENT_IDENTIFIER),
            message.option(option::CLIENT_IDENTIFIER)
        );
        assert!(!reply.has(option::IA_ADDRESS) && !reply.has(option::IA_PREFIX));
        trace.note((reply.kind as u8, reply.options.iter().map(|one| one.0).collect::<Vec<_>>()));
    }
}

/// The bytes as options of an offer, and then of the answers to everything that follows.
pub(crate) fn replies(bytes: &[u8], trace: &mut Trace) {
    if bytes.len() > 1300 {
        return;
    }
    let mut rig = Rig::new(1);
    let device = rig.host.open("eth0");
    rig.settle(5_000_000);
    let before = state(&rig);
    rig.host.write(&device, "dhcp6 client stateful prefixes on rapid-commit on").unwrap();
    let mut all = Vec::new();
    for _ in 0..40 {
        rig.settle(500_000);
        for asked in rig.answers().iter().filter_map(|frame| sent(frame, CLIENT_PORT)) {
            all.push(asked.kind as u8);
            let kind = match asked.kind {
                MessageKind::Solicit => MessageKind::Advertise,
                _ => MessageKind::Reply,
            };
            let mut reply = Dhcp6Message::new(kind, asked.transaction);
            reply.push(option::CLIENT_IDENTIFIER, HOST);
            reply.push(option::SERVER_IDENTIFIER, TEST);
            let whole = [&reply.to_bytes()[..], bytes].concat();
            rig.inject(&datagram(HOST_LINK, (SERVER_PORT, CLIENT_PORT), &whole));
        }
    }
    all.dedup();
    let status = rig.host.control::<GetDhcp6>("eth0", &()).unwrap();
    trace.note((status.state as u8, all.iter().take(6).collect::<Vec<_>>()));
    let has_leases = !(status.addresses.is_empty() && status.prefixes.is_empty());
    assert!(has_leases || status.state != Dhcp6State::Bound, "{status:?}");
    assert!(status.addresses.len() <= DHCP6_LEASES && status.prefixes.len() <= DHCP6_LEASES);
    assert!(status.dns_servers.len() <= DNS_SERVERS && status.domains.len() <= SEARCH_DOMAINS);
    for one in &status.addresses {
        assert!(one.preferred_seconds <= one.valid_seconds, "{one:?}");
        let address = one.address;
        assert!(!address.is_multicast() && !address.is_loopback() && !address.is_unspecified());
    }
    for one in &status.prefixes {
        assert!((1..=64).contains(&one.prefix.length()), "{one:?}");
        assert_eq!(one.prefix, one.prefix.network());
    }
    trace.note((size(status.addresses.len()), size(status.prefixes.len()), status.refusal));
    trace.note((size(status.dns_servers.len()), size(status.domains.len())));
    rig.host.write(&device, "dhcp6 client off").unwrap();
    rig.settle(1_000_000);
    assert_eq!(state(&rig), before, "a lease leaves nothing behind");
}

/// How many addresses, routes and name servers there are.
fn state(rig: &Rig) -> (usize, usize, usize) {
    (
        rig.host.control::<ListAddresses>("eth0", &()).unwrap().len(),
        rig.host.control::<ListRouteDetails>("eth0", &()).unwrap().len(),
        rig.host.control::<ListDnsServers>("eth0", &()).unwrap().len(),
    )
}
