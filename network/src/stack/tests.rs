//! Tests of each part alone, without a stack.

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::net::{IpAddr, SocketAddr};

use devnet_virtual_file_system::Error;

use super::addresses::Addresses;
use super::advertise::Advertiser;
use super::autoconfiguration::Autoconfiguration;
use super::bound::Bound;
use super::changes::{Changes, Present};
use super::context::Context;
use super::context::tests::ethernet;
use super::datagram::{Binding, Datagrams, Endpoint, Family, udp};
use super::dhcp::{Action, DhcpClient};
use super::dhcp_server::DhcpServer;
use super::dhcp6::Dhcp6;
use super::host::HostAddresses;
use super::icmp::{Icmp, Message};
use super::ip::Ip;
use super::ip::egress::SendOptions;
use super::ip::ingress::{Packet, Received};
use super::link::{self, Arrival, Hop, Link};
use super::name_servers::NameServers;
use super::tcp::{Tcp, TcpSettings};
use super::timers::Timer;
use super::transport::{ConfigurationPacket, Transport};
use super::wire::header::{Outgoing, protocol};
use super::wire::icmp::{kind4, packet};
use crate::command::address::{AddressState, NewAddress, Origin};
use crate::command::event::{Change, Event};
use crate::command::interface::Advertisement;
use crate::command::option::PathMtuDiscovery;
use crate::command::watch::Kinds;
use crate::driver::{Frame, Medium};
use crate::platform::Instant;

fn address(text: &str) -> IpAddr {
    text.parse().unwrap()
}

fn end(text: &str) -> SocketAddr {
    text.parse().unwrap()
}

/// A context of a medium without hardware addresses: the output queue contains packets.
fn tunnel() -> Context {
    let mut cx = ethernet();
    cx.configuration.capabilities.medium = Medium::Ip;
    cx.configuration.hardware_address = None;
    cx
}

/// A network layer with one address.
fn ip(cx: &mut Context, prefix: &str) -> Ip {
    let mut ip = Ip::new(cx, Arc::new(HostAddresses::default()));
    let new = NewAddress { prefix: prefix.parse().unwrap(), broadcast: None };
    ip.add_address(cx, &new, Origin::Static).unwrap();
    ip.link.output.clear();
    ip
}

fn received(cx: &mut Context, ip: &mut Ip, frame: Frame) -> Packet {
    match ip.receive(cx, frame, Arrival::from_wire(false), false) {
        Received::Packet(packet) => packet,
        other => panic!("{other:?}"),
    }
}

fn output(ip: &mut Ip) -> Vec<Frame> {
    ip.link.output.drain(..).collect()
}

/// The deadline of the next timer that `is_meant` accepts; drops those before it.
fn due(cx: &mut Context, is_meant: impl Fn(Timer) -> bool) -> Instant {
    loop {
        let (deadline, timer) = cx.timers.due(Instant::NEVER).expect("a timer");
        if is_meant(timer) {
            cx.now = cx.now.max(deadline);
            return deadline;
        }
    }
}

#[test]
fn a_link_resolves_a_neighbor_and_sends_queued_packets() {
    let mut cx = ethernet();
    let mut addresses = Addresses::default();
    let new = NewAddress { prefix: "10.0.0.1/24".parse().unwrap(), broadcast: None };
    addresses.add(&new, Origin::Static, AddressState::Preferred).unwrap();
    let mut link = Link::new(&mut cx);
    let frame = cx.pool.copy_of(&[0x45; 20]);
    link.send(&mut cx, &addresses, frame, Hop::Neighbor(address("10.0.0.2"))).unwrap();
    let question = link.output.pop_front().expect("a question");
    assert_eq!((question.bytes()[12], question.bytes()[13], link.output.len()), (8, 6, 0));
    // The same packet with swapped addresses is the reply.
    let mut answer = question.bytes().to_vec();
    let theirs = [2, 0, 0, 0, 0, 2];
    answer[..6].copy_from_slice(&[2, 0, 0, 0, 0, 1]);
    answer[6..12].copy_from_slice(&theirs);
    answer[21] = 2;
    answer[22..28].copy_from_slice(&theirs);
    answer[28..32].copy_from_slice(&[10, 0, 0, 2]);
    answer[38..42].copy_from_slice(&[10, 0, 0, 1]);
    let frame = cx.pool.copy_of(&answer);
    let link::Received::Arp(message) = link.receive(&mut cx, frame) else { panic!("no ARP") };
    let arp = link::Arp { message: &message, is_for_us: true, is_on_link: true };
    link.receive_arp(&mut cx, &addresses, &arp);
    let sent = link.output.pop_front().expect("what waited");
    assert_eq!(sent.bytes()[..6], theirs);
    assert_eq!(sent.bytes()[14..], [0x45; 20]);
}

#[test]
fn ip_gives_packets_for_us_upwards_and_drops_others() {
    let mut cx = tunnel();
    let mut ip = ip(&mut cx, "10.0.0.1/24");
    let outgoing = |destination| Outgoing {
        source: address("10.0.0.2"),
        destination,
        protocol: protocol::UDP,
        hop_limit: 64,
        traffic_class: 0,
    };
    let mut frame = cx.pool.take(28);
    super::wire::header::emit(&outgoing(address("10.0.0.1")), frame.bytes_mut());
    let packet = received(&mut cx, &mut ip, frame);
    assert_eq!((packet.header.source, packet.payload().len()), (address("10.0.0.2"), 8));
    let mut frame = cx.pool.take(28);
    super::wire::header::emit(&outgoing(address("10.0.0.9")), frame.bytes_mut());
    let other = ip.receive(&mut cx, frame, Arrival::from_wire(false), false);
    assert!(matches!(other, Received::Nothing));
    assert_eq!(cx.statistics.received_drops.not_for_us, 1);
}

#[test]
fn ip_cuts_what_exceeds_the_path_or_refuses_it() {
    let mut cx = tunnel();
    let mut ip = ip(&mut cx, "10.0.0.1/24");
    let outgoing = Outgoing {
        source: address("10.0.0.1"),
        destination: address("10.0.0.2"),
        protocol: protocol::UDP,
        hop_limit: 64,
        traffic_class: 0,
    };
    let whole = SendOptions { discovery: PathMtuDiscovery::Always, ..SendOptions::INTERNAL };
    let frame = cx.pool.take(20 + 2000);
    assert_eq!(ip.send(&mut cx, frame, &outgoing, &whole), Err(Error::MessageTooLong));
    let frame = cx.pool.take(20 + 2000);
    ip.send(&mut cx, frame, &outgoing, &SendOptions::INTERNAL).unwrap();
    let pieces = output(&mut ip);
    assert_eq!(pieces.iter().map(|piece| piece.len()).collect::<Vec<_>>(), [1500, 540]);
    cx.configuration.enabled = false;
    let frame = cx.pool.take(28);
    let outcome = ip.send(&mut cx, frame, &outgoing, &whole);
    assert_eq!((outcome, cx.statistics.sent_drops.disabled), (Err(Error::NetworkDown), 1));
}

fn echo_request(cx: &mut Context) -> Frame {
    let outgoing = Outgoing {
        source: address("10.0.0.2"),
        destination: address("10.0.0.1"),
        protocol: protocol::ICMP,
        hop_limit: 64,
        traffic_class: 0,
    };
    packet(&mut cx.pool, &outgoing, &[kind4::ECHO_REQUEST, 0, 0, 0, 0, 7, 0, 1, b'x'])
}

#[test]
fn icmp_replies_to_an_echo_request() {
    let mut cx = tunnel();
    let mut ip = ip(&mut cx, "10.0.0.1/24");
    let mut icmp = Icmp::new(&mut cx);
    let frame = echo_request(&mut cx);
    let packet = received(&mut cx, &mut ip, frame);
    assert!(matches!(icmp.receive(&mut cx, &mut ip, &packet), Message::Nothing));
    let [answer] = &output(&mut ip)[..] else { panic!("one answer") };
    assert_eq!((answer.bytes()[20], answer.bytes()[28]), (kind4::ECHO_REPLY, b'x'));
    assert_eq!(answer.bytes()[16..20], [10, 0, 0, 2]);
}

fn new_tcp(cx: &mut Context) -> Tcp {
    Tcp::new(cx, Arc::default())
}

#[test]
fn two_tcps_open_a_connection() {
    let (mut client_cx, mut server_cx) = (tunnel(), tunnel());
    let mut client_ip = ip(&mut client_cx, "10.0.0.1/24");
    let mut server_ip = ip(&mut server_cx, "10.0.0.2/24");
    let (mut client, mut server) = (new_tcp(&mut client_cx), new_tcp(&mut server_cx));
    let settings = TcpSettings::default();
    let listener = Arc::new(super::tcp::listen::Listener::new(end("10.0.0.2:7"), 4, settings));
    server.listen(&mut server_cx, &listener, true).unwrap();
    let (local, remote) = (end("10.0.0.1:0"), end("10.0.0.2:7"));
    client.connect(&mut client_cx, &mut client_ip, local, remote, &settings).unwrap();
    for _ in 0..3 {
        for frame in output(&mut client_ip) {
            let packet = received(&mut server_cx, &mut server_ip, frame);
            server.receive(&mut server_cx, &mut server_ip, packet);
        }
        server.serve_ready(&mut server_cx, &mut server_ip);
        for frame in output(&mut server_ip) {
            let packet = received(&mut client_cx, &mut client_ip, frame);
            client.receive(&mut client_cx, &mut client_ip, packet);
        }
        client.serve_ready(&mut client_cx, &mut client_ip);
    }
    let waiting = listener.take(None).expect("a connection");
    assert_eq!(waiting.flow.remote.ip(), address("10.0.0.1"));
}

fn binding(port: u16, endpoint: &Arc<Endpoint>) -> Binding {
    Binding {
        bound: Bound::AnyIpv4,
        key: port,
        remote: None,
        device: true,
        reuse_address: false,
        reuse_port: false,
        endpoint: Arc::clone(endpoint),
    }
}

/// A UDP packet from 10.0.0.2:9 to a port of 10.0.0.1.
fn datagram(port: u16) -> (Context, Frame) {
    let mut cx = tunnel();
    let mut ip = ip(&mut cx, "10.0.0.2/24");
    let (from, to) = (end("10.0.0.2:9"), SocketAddr::new(address("10.0.0.1"), port));
    udp::send(&mut cx, &mut ip, &from, &to, &SendOptions::INTERNAL, b"hello").unwrap();
    let frame = output(&mut ip).pop().expect("a packet");
    (cx, frame)
}

#[test]
fn datagrams_reach_the_socket_of_their_port() {
    let (_, frame) = datagram(7);
    let mut cx = tunnel();
    let mut ip = ip(&mut cx, "10.0.0.1/24");
    let mut datagrams = Datagrams::new(1);
    let endpoint = Arc::new(Endpoint::default());
    datagrams.bind(&mut cx, Family::Udp, binding(7, &endpoint)).unwrap();
    assert!(datagrams.bind(&mut cx, Family::Udp, binding(7, &Arc::default())).is_err());
    let mut packet = received(&mut cx, &mut ip, frame);
    let ports = udp::check(&mut cx, &mut packet).expect("a right packet");
    assert!(datagrams.receive_udp(&mut cx, &ip, &packet, ports));
    assert_eq!(endpoint.waiting(), 5);
    datagrams.end_all(&mut cx);
    assert_eq!(datagrams.len(), 0);
}

#[test]
fn the_transport_rejects_packets_without_a_socket() {
    let (_, frame) = datagram(7);
    let mut cx = tunnel();
    let mut ip = ip(&mut cx, "10.0.0.1/24");
    let mut transport = Transport::new(&mut cx, Arc::default());
    let packet = received(&mut cx, &mut ip, frame);
    let packet = transport.receive(&mut cx, &mut ip, packet, |_| false);
    assert!(matches!(packet, ConfigurationPacket::Nothing));
    let [error] = &output(&mut ip)[..] else { panic!("one error") };
    assert_eq!((error.bytes()[20], error.bytes()[21]), (kind4::DESTINATION_UNREACHABLE, 3));
    assert_eq!(transport.socket_count(), 0);
}

#[test]
fn the_dhcp_client_discovers_and_stops() {
    let mut cx = ethernet();
    let mut ip = Ip::new(&mut cx, Arc::new(HostAddresses::default()));
    let mut dhcp = DhcpClient::default();
    assert_eq!(dhcp.start(&mut cx, &mut ip, Default::default()), Ok(true));
    assert_eq!(dhcp.start(&mut cx, &mut ip, Default::default()), Ok(false));
    let [discover] = &output(&mut ip)[..] else { panic!("one DISCOVER") };
    assert_eq!(discover.bytes()[..6], [0xff; 6]);
    assert!(dhcp.is_waiting() && dhcp.wants(68));
    assert!(matches!(dhcp.stop(&mut cx, &mut ip), (true, Action::Nothing)));
    assert!(matches!(dhcp.stop(&mut cx, &mut ip), (false, Action::Nothing)));
}

#[test]
fn autoconfiguration_adds_an_address_and_solicits_routers() {
    let mut cx = ethernet();
    let mut ip = Ip::new(&mut cx, Arc::new(HostAddresses::default()));
    let mut names = NameServers::default();
    let mut autoconfiguration = Autoconfiguration::default();
    autoconfiguration.start(&mut cx, &mut ip, &mut names);
    let own = address("fe80::ff:fe00:1");
    assert_eq!(ip.addresses.find(own).map(|entry| entry.state), Some(AddressState::Tentative));
    output(&mut ip);
    let deadline = due(&mut cx, |timer| matches!(timer, Timer::RouterSolicitation));
    autoconfiguration.expire_solicitation(&mut cx, &mut ip, deadline);
    let [question] = &output(&mut ip)[..] else { panic!("one solicitation") };
    // To all routers: ff02::2.
    assert_eq!(question.bytes()[..6], [0x33, 0x33, 0, 0, 0, 2]);
}

#[test]
fn an_advertiser_sends_once_it_has_an_address() {
    let mut cx = ethernet();
    let mut ip = Ip::new(&mut cx, Arc::new(HostAddresses::default()));
    let mut advertiser = Advertiser::default();
    let what = Advertisement { prefix: "fd00:2::/64".parse().unwrap(), dns_servers: Vec::new() };
    assert_eq!(advertiser.set(&mut cx, &mut ip, Some(what.clone())), Ok(true));
    assert_eq!(advertiser.set(&mut cx, &mut ip, Some(what)), Ok(false));
    let is_advertisement = |frame: &Frame| frame.bytes().get(54) == Some(&134);
    assert!(!output(&mut ip).iter().any(is_advertisement));
    let new = NewAddress { prefix: "fe80::ff:fe00:1/64".parse().unwrap(), broadcast: None };
    ip.addresses.add(&new, Origin::Kernel, AddressState::Preferred).unwrap();
    advertiser.advertise(&mut cx, &mut ip);
    assert!(output(&mut ip).iter().any(is_advertisement));
}

#[test]
fn changes_are_found_by_comparing() {
    let mut cx = ethernet();
    let mut ip = ip(&mut cx, "10.0.0.1/24");
    let (mut names, dhcp, server, mut changes) =
        (NameServers::default(), DhcpClient::default(), DhcpServer::default(), Changes::default());
    let dhcp6 = Dhcp6::default();
    let (dhcp, server, dhcp6) = (&dhcp, &server, &dhcp6);
    let names_before = names.clone();
    let before = Present { cx: &cx, ip: &ip, names: &names_before, dhcp, server, dhcp6 };
    changes.watch(Kinds::all(), &before);
    assert!(changes.find(&before).is_empty());
    names.add(address("10.0.0.3"), Origin::Static).unwrap();
    ip.remove_address(&mut cx, "10.0.0.1/24".parse().unwrap()).unwrap();
    let found = changes.find(&Present { cx: &cx, ip: &ip, names: &names, dhcp, server, dhcp6 });
    assert!(matches!(
        found[..],
        [
            Event::Address(Change::Removed, _),
            Event::Route(Change::Removed, ..),
            Event::Dns(Change::Added, ..)
        ]
    ));
}
