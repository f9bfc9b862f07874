//! Tables that everybody shares protect those who behave: floods of every kind beside honest
//! traffic that goes on.

use std::cell::Cell;
use std::future::poll_fn;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::pin::pin;
use std::time::Duration;

use devnet_network::command::interface::SynCookies;
use devnet_network::command::{
    FindRoute, GetSynCookies, ListAddresses, ListDnsServers, ListNeighbors, ListRoutes, ListUsage,
};
use devnet_network::{TcpListener, UdpSocket};
use world::{Host, World};

use crate::pair::hosts;
use crate::station::{
    HOST, HOST6, PEER, PEER6, Wire, at, icmp, icmpv6_packet, ipv4, ipv6, ndp, packets, udp,
};
use crate::wire::{self, ACK, RST, SYN, Segment};

const MILLISECOND: Duration = Duration::from_millis(1);
/// Frames of a flood in a millisecond: 20,000 in a second.
const FLOOD: u32 = 20;

/// SYNs from everywhere, each from another source.
struct SynFlood(u32);

impl SynFlood {
    fn millisecond(&mut self, wire: &mut wire::Wire) {
        for _ in 0..FLOOD {
            self.0 += 1;
            let from = Ipv4Addr::from(0x0b00_0000 + self.0);
            let syn = Segment::new(1024 + (self.0 % 60_000) as u16, 80, SYN, self.0 * 977, 0);
            wire.send_from(&syn, from);
        }
    }

    /// Lets time pass, and gives what goes to the peer.
    async fn pass(
        &mut self,
        world: &World,
        wire: &mut wire::Wire,
        milliseconds: u32,
    ) -> Vec<Segment> {
        let mut heard = Vec::new();
        for _ in 0..milliseconds {
            self.millisecond(wire);
            world.sleep(MILLISECOND).await;
            heard.extend(wire.segments_to(wire::PEER));
        }
        heard
    }
}

/// MSS 1460, SACK, timestamps, window scale 7.
fn offer(value: u32) -> Vec<u8> {
    let timestamps = [&[8, 10][..], &value.to_be_bytes(), &[0; 4]].concat();
    [&[2, 4, 5, 180, 4, 2][..], &timestamps, &[1, 3, 3, 7]].concat()
}

fn timestamps(value: u32, echo: u32) -> Vec<u8> {
    [&[1, 1, 8, 10][..], &value.to_be_bytes(), &echo.to_be_bytes()].concat()
}

/// TSval of a segment whose options begin with it, or with an MSS and SACK-permitted.
fn value_of(options: &[u8]) -> u32 {
    let place = options.windows(2).position(|pair| pair == [8, 10]).expect("timestamps") + 2;
    u32::from_be_bytes(options[place..place + 4].try_into().unwrap())
}

#[test]
fn hold_07_a_client_far_away_is_served_beside_a_flood_of_syns() {
    let world = World::new(1);
    let (host, mut wire) = wire::Wire::new(&world);
    let listener = TcpListener::bind(&host.sockets(), at(HOST, 80), 128).unwrap();
    world.run(async {
        let mut flood = SynFlood(0);
        flood.pass(&world, &mut wire, 100).await;
        // Without and with timestamps; the round trip takes 300 ms.
        for (port, has_timestamps) in [(5000, false), (5001, true)] {
            let mut syn = Segment::new(port, 80, SYN, 1000, 0);
            syn.options = if has_timestamps { offer(77) } else { vec![2, 4, 5, 180] };
            wire.send(&syn);
            let answers = flood.pass(&world, &mut wire, 300).await;
            let [answer] = answers.as_slice() else { panic!("one SYN|ACK, not {answers:?}") };
            assert_eq!((answer.flags, answer.acknowledgment), (SYN | ACK, 1001));
            let theirs = answer.sequence.wrapping_add(1);
            // The data comes in the segment that completes the handshake.
            let mut request = Segment::new(port, 80, ACK, 1001, theirs).data(b"question");
            if has_timestamps {
                assert!(answer.options.windows(3).any(|option| option[..2] == [3, 3]), "scale");
                assert!(answer.options.windows(2).any(|option| option == [4, 2]), "SACK");
                request.options = timestamps(377, value_of(&answer.options));
                request.window = 1000;
            }
            wire.send(&request);
            let before = flood.pass(&world, &mut wire, 20).await;
            assert!(before.iter().all(|segment| segment.flags & RST == 0), "{before:?}");
            let stream = listener.accept().await.unwrap();
            let mut buffer = [0; 20];
            assert_eq!(stream.read(&mut buffer).await, Ok(8));
            assert_eq!(&buffer[..8], b"question");
            stream.try_write(&[7; 40_000]).unwrap();
            let sent = flood.pass(&world, &mut wire, 10).await;
            let sent: Vec<_> = sent.iter().filter(|segment| !segment.data.is_empty()).collect();
            // The initial window: ten segments, of the MSS less the option.
            assert_eq!(sent.first().unwrap().data.len(), if has_timestamps { 1448 } else { 1460 });
            if has_timestamps {
                // The window was scaled: 1000 << 7.
                assert_eq!(sent.len(), 10);
                let (first, syn) = (value_of(&sent[0].options), value_of(&answer.options));
                assert!(first.wrapping_sub(syn) < 1000, "timestamps go on");
            }
            drop(stream);
            flood.pass(&world, &mut wire, 10).await;
        }
    });
}

fn cookies(host: &Host) -> SynCookies {
    host.control::<GetSynCookies>("eth0", &()).unwrap()
}

#[test]
fn hold_07_cookies_come_without_room_only_and_forged_ones_get_their_rst() {
    let world = World::new(2);
    let (host, mut wire) = wire::Wire::new(&world);
    let _listener = TcpListener::bind(&host.sockets(), at(HOST, 80), 16).unwrap();
    world.run(async {
        let mut flood = SynFlood(0);
        for round in 0..2 {
            for sequence in 0..1000 {
                wire.send(&Segment::new(6000, 80, ACK, 1000, sequence * 7919));
                world.sleep(MILLISECOND).await;
                let answers = wire.segments_to(wire::PEER);
                let flags: Vec<u8> = answers.iter().map(|answer| answer.flags).collect();
                assert_eq!(flags, [RST], "round {round}");
            }
            let expected = SynCookies { sent: round * 2000, received: 0, failed: round * 1000 };
            // The first ones found room.
            let known = SynCookies { sent: expected.sent.saturating_sub(256), ..expected };
            assert_eq!(cookies(&host), known);
            flood.pass(&world, &mut wire, if round == 0 { 100 } else { 0 }).await;
        }
    });
}

#[test]
fn hold_07_a_cookie_waits_for_a_full_accept_queue_and_ends_after_two_minutes() {
    let world = World::new(13);
    let (host, mut wire) = wire::Wire::new(&world);
    let listener = TcpListener::bind(&host.sockets(), at(HOST, 80), 1).unwrap();
    world.run(async {
        let mut flood = SynFlood(0);
        flood.pass(&world, &mut wire, 100).await;
        let mut theirs = Vec::new();
        for port in 5000..5003 {
            wire.send(&Segment::new(port, 80, SYN, 1000, 0));
            let answers = flood.pass(&world, &mut wire, 1).await;
            theirs.push(answers[0].sequence.wrapping_add(1));
        }
        let data = |place: u16| {
            Segment::new(5000 + place, 80, ACK, 1001, theirs[usize::from(place)]).data(b"hello")
        };
        // The second is neither taken nor refused.
        for place in [0, 1] {
            wire.send(&data(place));
            let answers = flood.pass(&world, &mut wire, 300).await;
            assert!(answers.iter().all(|answer| answer.flags & RST == 0), "{answers:?}");
            assert_eq!(answers.is_empty(), place == 1);
        }
        listener.accept().await.unwrap();
        wire.send(&data(1));
        flood.pass(&world, &mut wire, 1).await;
        let stream = listener.accept().await.unwrap();
        assert_eq!(stream.peer_addr().port(), 5001);
        assert_eq!(cookies(&host).received, 3);
        // The floods of the last minutes made others of the same age.
        for _ in 0..120 {
            flood.pass(&world, &mut wire, 1).await;
            world.sleep(Duration::from_secs(1)).await;
            wire.segments_to(wire::PEER);
        }
        flood.pass(&world, &mut wire, 20).await;
        wire.send(&data(2));
        let answers = flood.pass(&world, &mut wire, 1).await;
        assert_eq!(answers.iter().map(|answer| answer.flags).collect::<Vec<_>>(), [RST]);
    });
}

#[test]
fn hold_14_half_open_connections_of_all_listeners_have_a_bound() {
    use devnet_network::limits::{HALF_OPEN, HALF_OPEN_ALL};
    let world = World::new(15);
    let (host, mut wire) = wire::Wire::new(&world);
    let full = (HALF_OPEN_ALL / HALF_OPEN) as u16;
    let bind = |port| TcpListener::bind(&host.sockets(), at(HOST, port), 16).unwrap();
    let listeners: Vec<_> = (100..100 + full + 4).map(bind).collect();
    let usage = || host.control::<ListUsage>("eth0", &()).unwrap().pop().unwrap();
    world.run(async {
        let mut source = 0x0b00_0000;
        for port in 100..100 + full + 3 {
            for number in 0..HALF_OPEN as u32 {
                source += 1;
                wire.send_from(&Segment::new(1024, port, SYN, number, 0), source.into());
                if number % FLOOD == 0 {
                    world.sleep(MILLISECOND).await;
                }
            }
        }
        world.sleep(MILLISECOND).await;
        assert_eq!(usage().half_open as usize, HALF_OPEN_ALL);
        assert_eq!(cookies(&host).sent as usize, 3 * HALF_OPEN);
        // A listener that nobody floods serves its clients.
        wire.segments_to(wire::PEER);
        let port = 100 + full + 3;
        wire.send(&Segment::new(5000, port, SYN, 1000, 0));
        world.sleep(MILLISECOND).await;
        let answer = wire.segments_to(wire::PEER).pop().unwrap();
        assert_eq!(answer.flags, SYN | ACK);
        let ours = answer.sequence.wrapping_add(1);
        wire.send(&Segment::new(5000, port, ACK, 1001, ours));
        listeners.last().unwrap().accept().await.unwrap();
        // What ends gives its place back, however it ends.
        drop(listeners);
        world.sleep(MILLISECOND).await;
        assert_eq!(usage().half_open, 0);
        let again = bind(80);
        wire.send(&Segment::new(5001, 80, SYN, 1000, 0));
        world.sleep(MILLISECOND).await;
        assert_eq!(usage().half_open, 1);
        drop(again);
        world.sleep(MILLISECOND).await;
        assert_eq!(usage().half_open, 0);
    });
}

/// A TCP segment of the host in an IPv6 packet: sequence number and flags.
fn numbered(packets: &[Vec<u8>]) -> (u32, u8) {
    let packet = packets.iter().find(|packet| packet[6] == 6).expect("a segment");
    (u32::from_be_bytes(packet[44..48].try_into().unwrap()), packet[53])
}

#[test]
fn hold_07_cookies_of_ipv6_and_none_after_time_wait() {
    const FIN: u8 = 1;
    let world = World::new(14);
    let mut wire = Wire::new(&world);
    let listener = TcpListener::bind(&wire.host.sockets(), at(HOST6, 80), 16).unwrap();
    let packet = |port: u16, flags: u8, sequence: u32, acknowledgment: u32| {
        let segment = Segment::new(port, 80, flags, sequence, acknowledgment);
        ipv6(PEER6, HOST6, 6, 64, &wire::tcp(&segment, &PEER6.octets(), &HOST6.octets()))
    };
    for port in 0..300 {
        wire.send(&packet(10_000 + port, SYN, 1, 0));
    }
    wire.after(MILLISECOND * 20);
    let sent = cookies(&wire.host).sent;
    assert_eq!(sent, 300 - devnet_network::limits::HALF_OPEN as u64);
    let (first, flags) = numbered(&wire.exchange(&packet(5000, SYN, 1000, 0)));
    assert_eq!(flags, SYN | ACK);
    wire.exchange(&packet(5000, ACK, 1001, first.wrapping_add(1)));
    drop(world.run(listener.accept()).unwrap());
    assert_eq!(cookies(&wire.host), SynCookies { sent: sent + 1, received: 1, failed: 0 });
    // We close first, so our end waits.
    wire.after(MILLISECOND * 20);
    let last = first.wrapping_add(2);
    wire.exchange(&packet(5000, FIN | ACK, 1001, last));
    let (again, flags) = numbered(&wire.exchange(&packet(5000, SYN, 5000, 0)));
    assert_eq!(flags, SYN | ACK);
    assert_eq!(cookies(&wire.host).sent, sent + 1, "the ISS after TIME-WAIT is no cookie");
    assert!(again.wrapping_sub(last) < 1 << 31, "it is above the last number");
}

/// A station of the link that answers questions for its addresses.
struct Station {
    hardware: [u8; 6],
    addresses: [IpAddr; 2],
}

impl Station {
    fn new(number: u8) -> Self {
        Self {
            hardware: [2, 7, 0, 0, 0, number],
            addresses: [
                Ipv4Addr::new(10, 200, 0, number).into(),
                Ipv6Addr::new(0xfd00, 0, 0, 0, 0xaaaa, 0, 0, number.into()).into(),
            ],
        }
    }

    /// Answers questions among frames; counts all questions.
    fn answer(&self, wire: &mut Wire<'_>, frames: &[Vec<u8>]) -> usize {
        let mut questions = 0;
        for frame in frames {
            if frame[12..14] == [8, 6] && frame[20..22] == [0, 1] {
                questions += 1;
                let target: [u8; 4] = frame[38..42].try_into().unwrap();
                if self.addresses[0] == IpAddr::from(target) {
                    let reply = [
                        &frame[6..12],
                        &self.hardware,
                        &[8, 6, 0, 1, 8, 0, 6, 4, 0, 2],
                        &self.hardware,
                        &target,
                        &frame[22..32],
                    ];
                    wire.send_frame(&reply.concat());
                }
            } else if frame[12..14] == [0x86, 0xdd] && frame[20] == 58 && frame[54] == 135 {
                questions += 1;
                let target: [u8; 16] = frame[62..78].try_into().unwrap();
                if self.addresses[1] == IpAddr::from(target) {
                    let asker: [u8; 16] = frame[22..38].try_into().unwrap();
                    let rest = [&target[..], &[2, 1], &self.hardware].concat();
                    let packet = ndp(target.into(), asker.into(), 136, [0x60, 0, 0, 0], &rest);
                    let head = [&frame[6..12], &self.hardware, &[0x86, 0xdd]].concat();
                    wire.send_frame(&[head, packet].concat());
                }
            }
        }
        questions
    }

    fn has_received(&self, frames: &[Vec<u8>]) -> bool {
        let is_udp = |frame: &Vec<u8>| match frame[12..14] {
            [8, 0] => frame[23] == 17,
            _ => frame[20] == 17,
        };
        frames.iter().any(|frame| frame[..6] == self.hardware && is_udp(frame))
    }
}

/// What a neighbor flood consists of: a frame of a stranger, by number.
type Stranger = fn(u32) -> Vec<u8>;

fn frame_of(hardware: [u8; 6], ethertype: [u8; 2], packet: &[u8]) -> Vec<u8> {
    [&[2, 0, 0, 0, 0, 1], &hardware[..], &ethertype, packet].concat()
}

const ATTACKER: [u8; 6] = [2, 6, 6, 6, 6, 6];

fn address4(number: u32) -> Ipv4Addr {
    Ipv4Addr::from(0x0a01_0000 + number)
}

fn address6(number: u32) -> Ipv6Addr {
    Ipv6Addr::from_bits(0xfd00 << 112 | 0x0bad_0000_0000 | u128::from(number))
}

fn echo4(number: u32) -> Vec<u8> {
    let packet = ipv4(address4(number), HOST, 1, &icmp(8, 0, [0; 4], b""));
    frame_of(ATTACKER, [8, 0], &packet)
}

fn echo6(number: u32) -> Vec<u8> {
    let packet = icmpv6_packet(address6(number), HOST6, 128, 0, [0; 4], b"");
    frame_of(ATTACKER, [0x86, 0xdd], &packet)
}

fn closed_port4(number: u32) -> Vec<u8> {
    frame_of(ATTACKER, [8, 0], &udp(at(address4(number), 1), at(HOST, 999), b"x"))
}

/// A datagram for a program that answers.
fn question4(number: u32) -> Vec<u8> {
    frame_of(ATTACKER, [8, 0], &udp(at(address4(number), 1), at(HOST, 53), b"x"))
}

fn arp_request(number: u32) -> Vec<u8> {
    let [_, a, b, c] = address4(number).octets();
    let (hardware, address) = ([2, 1, 0, a, b, c], address4(number).octets());
    let head = [&[8, 6, 0, 1, 8, 0, 6, 4, 0, 1], &hardware[..], &address].concat();
    [&[0xff; 6], &hardware[..], &head, &[0; 6], &HOST.octets()].concat()
}

fn solicitation6(number: u32) -> Vec<u8> {
    let [.., a, b, c] = address6(number).octets();
    let hardware = [2, 1, 1, a, b, c];
    let rest = [&HOST6.octets()[..], &[1, 1], &hardware].concat();
    frame_of(hardware, [0x86, 0xdd], &ndp(address6(number), HOST6, 135, [0; 4], &rest))
}

/// Honest stations beside a second of a flood: one known before and idle since, one that is new.
fn neighbors_beside(seed: u64, family: usize, stranger: Stranger) {
    let world = World::new(seed);
    let mut wire = Wire::with(&world, &["10.0.0.1/8", "fd00::1/64"]);
    let socket = UdpSocket::new(&wire.host.sockets());
    let server = UdpSocket::new(&wire.host.sockets());
    server.bind(at(HOST, 53)).unwrap();
    let (known, new) = (Station::new(1), Station::new(2));
    let (mut asked, mut served) = (0, 0);
    let mut millisecond = |wire: &mut Wire<'_>, flood: Option<u32>| {
        for number in flood.into_iter().flat_map(|at| at * FLOOD..(at + 1) * FLOOD) {
            wire.send_frame(&stranger(number));
        }
        world.run(world.sleep(MILLISECOND));
        let mut buffer = [0; 20];
        while let Ok(info) = server.try_receive_message(&mut buffer) {
            served += 1;
            // Some find no room, as many as the table protects itself from.
            let _ = server.try_send(b"y", Some(info.remote));
        }
        let frames = wire.frames();
        asked += known.answer(wire, &frames).max(new.answer(wire, &frames));
        frames
    };
    let to = |station: &Station| at(station.addresses[family], 9);
    socket.try_send(b"x", Some(to(&known))).unwrap();
    let met: Vec<_> = (0..5).flat_map(|_| millisecond(&mut wire, None)).collect();
    assert!(known.has_received(&met), "the first is known");
    world.run(world.sleep(Duration::from_secs(10)));
    for at in 0..1000 {
        if at % 100 == 99 {
            socket.try_send(b"x", Some(to(&known))).unwrap();
            let sent = millisecond(&mut wire, Some(at));
            assert!(known.has_received(&sent), "a known neighbor is used at once, {at} ms");
        } else if at == 800 {
            socket.try_send(b"x", Some(to(&new))).expect("a new neighbor is asked for");
            let sent: Vec<_> = (0..5).flat_map(|_| millisecond(&mut wire, Some(at))).collect();
            assert!(new.has_received(&sent), "a new neighbor is found");
        } else {
            millisecond(&mut wire, Some(at));
        }
    }
    assert!(asked < 5000, "{asked} questions for 20,000 strangers, {served} served");
    let listed = wire.host.control::<ListNeighbors>("eth0", &()).unwrap();
    assert!(listed.len() <= devnet_network::limits::NEIGHBORS);
    for station in [known, new] {
        let is_listed = |address| listed.iter().any(|entry| entry.address == address);
        assert!(is_listed(station.addresses[family]), "both are still known");
    }
}

#[test]
fn hold_05_pings_from_20_000_new_addresses_a_second() {
    neighbors_beside(3, 0, echo4);
    neighbors_beside(4, 1, echo6);
}

#[test]
fn hold_05_datagrams_from_20_000_new_addresses_a_second() {
    neighbors_beside(5, 0, closed_port4);
    neighbors_beside(6, 0, question4);
}

#[test]
fn hold_05_questions_from_20_000_new_addresses_a_second() {
    neighbors_beside(7, 0, arp_request);
    neighbors_beside(8, 1, solicitation6);
}

/// An advertisement as a frame.
fn advertisement(number: u32, hardware: [u8; 6], lifetime: u16) -> Vec<u8> {
    let packet = world::packet::advertisement(number, hardware, lifetime);
    [&[0x33, 0x33, 0, 0, 0, 1], &hardware[..], &[0x86, 0xdd], &packet].concat()
}

/// The number of the real router.
const REAL: u32 = 0x00f0_0000;
const REAL_HARDWARE: [u8; 6] = [2, 9, 9, 9, 9, 9];

/// What of the real router counts: its default route, prefix, name server.
fn real_counts(wire: &Wire<'_>) -> [bool; 3] {
    let gateway = Ipv6Addr::from_bits(0xfe80 << 112 | 0x00ad_0000_0000 | u128::from(REAL));
    let far = "2a00::1".parse().unwrap();
    let route = wire.host.control::<FindRoute>("eth0", &far).ok();
    let routes = wire.host.control::<ListRoutes>("eth0", &()).unwrap();
    let is_default = |route: &devnet_network::command::route::RouteEntry| {
        route.destination.length() == 0 && route.gateway == Some(gateway.into())
    };
    assert!(route.is_some() || routes.is_empty());
    let addresses = wire.host.control::<ListAddresses>("eth0", &()).unwrap();
    let prefix = Ipv6Addr::new(0x2001, 0xdb8, 0xf000, 0, 0, 0, 0, 0);
    let is_of_prefix = |address: IpAddr| match address {
        IpAddr::V6(address) => address.segments()[..4] == prefix.segments()[..4],
        IpAddr::V4(_) => false,
    };
    let servers = wire.host.control::<ListDnsServers>("eth0", &()).unwrap();
    [
        routes.iter().any(is_default),
        addresses.iter().any(|entry| is_of_prefix(entry.prefix.address())),
        servers.iter().any(|server| is_of_prefix(server.address)),
    ]
}

fn flood_of_advertisements(wire: &mut Wire<'_>, first: u32, milliseconds: u32, one: bool) {
    for at in 0..milliseconds {
        for number in 0..10 {
            let number = first + at * 10 + number;
            let [_, a, b, c] = number.to_be_bytes();
            let hardware = if one { ATTACKER } else { [2, 8, 0, a, b, c] };
            wire.send_frame(&advertisement(number, hardware, 65_000));
        }
        wire.world.run(wire.world.sleep(MILLISECOND));
        wire.frames();
    }
}

#[test]
fn hold_08_the_real_router_that_came_first_stays_and_a_late_one_gets_in() {
    let world = World::new(9);
    let mut wire = Wire::with(&world, &[]);
    wire.send_frame(&advertisement(REAL, REAL_HARDWARE, 1800));
    wire.after(Duration::from_secs(3));
    assert_eq!(real_counts(&wire), [true; 3]);
    flood_of_advertisements(&mut wire, 0, 1000, false);
    assert_eq!(real_counts(&wire), [true; 3], "it came first");
    let world = World::new(10);
    let mut wire = Wire::with(&world, &[]);
    flood_of_advertisements(&mut wire, 0, 1000, false);
    wire.after(Duration::from_secs(10));
    wire.send_frame(&advertisement(REAL, REAL_HARDWARE, 1800));
    wire.after(Duration::from_secs(3));
    assert_eq!(real_counts(&wire), [true; 3], "after a flood");
}

#[test]
fn hold_08_a_late_router_gets_in_and_stays_beside_a_flood_of_one_station() {
    let world = World::new(11);
    let mut wire = Wire::with(&world, &[]);
    flood_of_advertisements(&mut wire, 0, 300, true);
    wire.send_frame(&advertisement(REAL, REAL_HARDWARE, 1800));
    flood_of_advertisements(&mut wire, 3000, 700, true);
    wire.after(Duration::from_secs(3));
    assert_eq!(real_counts(&wire), [true; 3]);
}

#[test]
fn hold_11_datagrams_queued_before_connect_are_gone_after_it() {
    let world = World::new(12);
    let mut wire = Wire::new(&world);
    let socket = UdpSocket::new(&wire.host.sockets());
    socket.bind(at(HOST, 7)).unwrap();
    let stranger = Ipv4Addr::new(10, 0, 0, 66);
    for (from, data) in [
        (at(stranger, 5), &b"forged"[..]),
        (at(PEER, 5), b"first"),
        (at(PEER, 6), b"other port"),
        (at(PEER, 5), b"second"),
    ] {
        wire.send(&udp(from, at(HOST, 7), data));
    }
    wire.after(MILLISECOND * 20);
    let full = wire.statistics().received_drops;
    socket.connect(at(PEER, 5)).unwrap();
    let mut buffer = [0; 20];
    let read: Vec<Vec<u8>> = std::iter::from_fn(|| {
        let info = socket.try_receive_message(&mut buffer).ok()?;
        Some(buffer[..info.copied].to_vec())
    })
    .collect();
    assert_eq!(read, [b"first".to_vec(), b"second".to_vec()]);
    let dropped = wire.statistics().received_drops;
    assert_eq!(dropped.no_socket - full.no_socket, 2, "they are counted");
    assert!(packets(wire.frames()).is_empty());
}

#[test]
fn hold_07_nothing_half_open_is_left_after_a_flood_even_if_the_link_is_stuck() {
    let world = World::new(16);
    let (host, mut wire) = wire::Wire::new(&world);
    let _listener = TcpListener::bind(&host.sockets(), at(HOST, 80), 4096).unwrap();
    let half_open = || host.control::<ListUsage>("eth0", &()).unwrap().pop().unwrap().half_open;
    for is_stuck in [false, true] {
        world.run(async {
            let mut flood = SynFlood(0);
            for _ in 0..100 {
                flood.millisecond(&mut wire);
                world.sleep(MILLISECOND).await;
                // Nobody takes the SYN|ACKs of a link that is stuck, so most of them never leave.
                if !is_stuck {
                    wire.segments_to(wire::PEER);
                }
            }
            assert_eq!(half_open(), 100 * FLOOD);
            world.sleep(Duration::from_secs(62)).await;
            assert_eq!(half_open(), 100 * FLOOD);
            // Linux' five SYN|ACKs take 63 s.
            world.sleep(Duration::from_secs(2)).await;
            assert_eq!(half_open(), 0, "is stuck: {is_stuck}");
        });
    }
}

#[test]
fn hold_14_a_long_list_is_made_in_several_turns() {
    use devnet_network::command::ListSockets;
    use devnet_network::limits::LIST_PIECE;
    let world = World::new(18);
    let (left, _right) = hosts(&world);
    let own = left.manager.sockets_on("eth0").unwrap();
    let all = left.sockets();
    let bind = |sockets, port: usize| {
        let socket = UdpSocket::new(sockets);
        socket.bind(at(Ipv4Addr::new(10, 0, 0, 1), port as u16)).unwrap();
        socket
    };
    // Some of the interface, some of all.
    let _some: Vec<_> = (0..3 * LIST_PIECE).map(|number| bind(&own, 1000 + number)).collect();
    let _others: Vec<_> = (0..LIST_PIECE).map(|number| bind(&all, 10_000 + number)).collect();
    let device = left.open("sockets");
    let turns = Cell::new(1);
    let list = world.run(async {
        let mut call = pin!(device.control::<ListSockets>(&()));
        poll_fn(|context| {
            let list = call.as_mut().poll(context);
            turns.set(turns.get() + usize::from(list.is_pending()));
            list
        })
        .await
    });
    assert!(turns.get() >= 4, "{} turns", turns.get());
    let mut ports: Vec<_> = list.unwrap().iter().map(|socket| socket.local.port()).collect();
    ports.sort_unstable();
    let expected = (1000..1000 + 3 * LIST_PIECE).chain(10_000..10_000 + LIST_PIECE);
    assert_eq!(ports, expected.map(|port| port as u16).collect::<Vec<_>>());
    // Who cannot wait has it at once.
    let at_once = device.try_control::<ListSockets>(&()).unwrap();
    assert_eq!(at_once.len(), 4 * LIST_PIECE);
}
