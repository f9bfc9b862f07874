//! The DHCP client against servers that are raw frames: what such servers really send (RFC 2131,
//! RFC 2132, RFC 3396, RFC 3442).

use std::net::Ipv4Addr;
use std::time::Duration;

use devnet_network::UdpSocket;
use devnet_network::command::address::Origin;
use devnet_network::command::dhcp::{DhcpState, DhcpStatus};
use devnet_network::command::{GetDhcp, ListAddresses, ListDnsServers, ListRoutes};
use devnet_network::dhcp_message::{DhcpMessage, MessageKind, option};
use world::World;

use crate::pair::HARDWARE;
use crate::station::{Wire, at, ipv4, udp, udp_datagram};

pub(crate) const SERVER: Ipv4Addr = Ipv4Addr::new(10, 77, 0, 1);
const LEASED: Ipv4Addr = Ipv4Addr::new(10, 77, 0, 50);
const ALL: [u8; 6] = [0xff; 6];
const STEP: Duration = Duration::from_millis(100);

/// A message of the client: when it left after the start, and what it says.
#[derive(Clone, Debug)]
struct Heard {
    time: Duration,
    message: DhcpMessage,
}

impl Heard {
    fn kind(&self) -> MessageKind {
        self.message.kind
    }

    fn requested(&self) -> Option<Ipv4Addr> {
        self.message.address_option(option::REQUESTED_ADDRESS)
    }
}

/// The DHCP messages in frames.
fn messages(frames: &[Vec<u8>]) -> Vec<DhcpMessage> {
    frames
        .iter()
        .filter(|frame| frame[12..14] == [8, 0] && frame[23] == 17 && frame[36..38] == [0, 67])
        .map(|frame| DhcpMessage::parse(&frame[42..]).unwrap())
        .collect()
}

/// A reply frame: from and to which ports and addresses.
#[derive(Clone, Copy)]
struct Path {
    hardware: [u8; 6],
    ports: (u16, u16),
    to: Ipv4Addr,
    checksum: bool,
}

const USUAL: Path =
    Path { hardware: ALL, ports: (67, 68), to: Ipv4Addr::BROADCAST, checksum: true };

fn frame_of(path: &Path, message: &[u8]) -> Vec<u8> {
    let (from, to) = (at(SERVER, path.ports.0), at(path.to, path.ports.1));
    let mut datagram = udp_datagram(from, to, message);
    if !path.checksum {
        datagram[6..8].fill(0);
    }
    let packet = ipv4(SERVER, path.to, 17, &datagram);
    [&path.hardware[..], &HARDWARE.1.0, &[8, 0], &packet].concat()
}

/// A reply with these options behind the server identifier.
fn reply(kind: MessageKind, to: &DhcpMessage, options: &[(u8, &[u8])]) -> DhcpMessage {
    let mut reply = DhcpMessage::new(kind, to.transaction, to.hardware_address);
    reply.your_address = LEASED;
    if options.iter().all(|(code, _)| *code != option::SERVER_IDENTIFIER) {
        reply.push(option::SERVER_IDENTIFIER, &SERVER.octets());
    }
    options.iter().for_each(|(code, value)| reply.push(*code, value));
    reply
}

/// Options of a message in order.
type Options<'a> = &'a [(u8, &'a [u8])];

const HOUR: [u8; 4] = 3600_u32.to_be_bytes();
const MASK: [u8; 4] = [255, 255, 255, 0];
pub(crate) const PLAIN: [(u8, &[u8]); 3] =
    [(option::LEASE_TIME, &HOUR), (option::SUBNET_MASK, &MASK), (option::ROUTER, &[10, 77, 0, 1])];

/// OFFER and ACK with these options.
fn grant(heard: &DhcpMessage, options: &[(u8, &[u8])]) -> Option<DhcpMessage> {
    match heard.kind {
        MessageKind::Discover => Some(reply(MessageKind::Offer, heard, options)),
        MessageKind::Request => Some(reply(MessageKind::Acknowledge, heard, options)),
        _ => None,
    }
}

/// Lets time pass while a server answers as told; gives what it heard.
fn play(
    wire: &mut Wire<'_>,
    time: Duration,
    path: &Path,
    mut server: impl FnMut(&DhcpMessage) -> Option<Vec<u8>>,
) -> Vec<Heard> {
    let (start, mut all) = (wire.world.now(), Vec::new());
    while wire.world.now().since(start) < time {
        wire.world.run(wire.world.sleep(STEP));
        let frames = wire.frames();
        for message in messages(&frames) {
            if let Some(bytes) = server(&message) {
                wire.send_frame(&frame_of(path, &bytes));
            }
            all.push(Heard { time: wire.world.now().since(start), message });
        }
    }
    all
}

fn started(world: &World) -> Wire<'_> {
    let wire = Wire::with(world, &[]);
    wire.host.write(&wire.host.open("eth0"), "dhcp start").unwrap();
    wire
}

/// A client after it asked a server with these options.
pub(crate) fn leased<'a>(world: &'a World, options: &[(u8, &[u8])]) -> Wire<'a> {
    let mut wire = Wire::with(world, &[]);
    wire.host.write(&wire.host.open("eth0"), "dhcp start").unwrap();
    play(&mut wire, Duration::from_secs(3), &USUAL, |heard| {
        grant(heard, options).map(|reply| reply.to_bytes())
    });
    wire
}

fn status(wire: &Wire<'_>) -> DhcpStatus {
    wire.host.control::<GetDhcp>("eth0", &()).unwrap()
}

fn flap(wire: &Wire<'_>) {
    let device = wire.host.open("eth0");
    wire.host.write(&device, "link down").unwrap();
    wire.world.run(wire.world.sleep(STEP));
    wire.host.write(&device, "link up").unwrap();
}

/// The routes of the lease, as `destination via gateway`.
fn routes(wire: &Wire<'_>) -> Vec<String> {
    let all = wire.host.control::<ListRoutes>("eth0", &()).unwrap();
    all.iter()
        .filter(|route| route.origin == Origin::Dhcp)
        .map(|route| match route.gateway {
            Some(gateway) => format!("{} via {gateway}", route.destination),
            None => format!("{} on-link", route.destination),
        })
        .collect()
}

/// Every IPv4 address and route of the interface, as text.
fn everything(wire: &Wire<'_>) -> String {
    let addresses = wire.host.control::<ListAddresses>("eth0", &()).unwrap();
    let routes = wire.host.control::<ListRoutes>("eth0", &()).unwrap();
    format!("{addresses:?} {routes:?}")
}

#[test]
fn taken_to_another_network_dhcp_falls_back() {
    let world = World::new(1);
    let mut wire = leased(&world, &PLAIN);
    assert_eq!(status(&wire).lease.unwrap().address.to_string(), "10.77.0.50/24");
    flap(&wire);
    let (server, address) = (Ipv4Addr::new(10, 88, 0, 1), Ipv4Addr::new(10, 88, 0, 50));
    let elsewhere: [(u8, &[u8]); 3] = [
        (option::SERVER_IDENTIFIER, &server.octets()),
        (option::LEASE_TIME, &HOUR),
        (option::SUBNET_MASK, &MASK),
    ];
    let heard = play(&mut wire, Duration::from_secs(60), &USUAL, |heard| {
        // A server that does not know the client is silent (RFC 2131 §4.3.2).
        let is_reboot =
            heard.kind == MessageKind::Request && heard.option(option::SERVER_IDENTIFIER).is_none();
        let mut answer = grant(heard, &elsewhere).filter(|_| !is_reboot)?;
        answer.your_address = address;
        Some(answer.to_bytes())
    });
    assert_eq!((heard[0].kind(), heard[0].requested()), (MessageKind::Request, Some(LEASED)));
    let discover = heard.iter().find(|heard| heard.kind() == MessageKind::Discover).unwrap();
    assert!(discover.time <= Duration::from_secs(30), "after {:?}", discover.time);
    assert_eq!(status(&wire).lease.unwrap().address.to_string(), "10.88.0.50/24");
    assert!(!everything(&wire).contains("10.77"), "{}", everything(&wire));
}

#[test]
fn taken_to_another_network_whose_server_refuses() {
    let world = World::new(2);
    let mut wire = leased(&world, &PLAIN);
    flap(&wire);
    let server = Ipv4Addr::new(10, 88, 0, 1).octets();
    let heard = play(&mut wire, Duration::from_secs(5), &USUAL, |heard| match heard.kind {
        MessageKind::Request if heard.option(option::SERVER_IDENTIFIER).is_none() => {
            let refusal: [(u8, &[u8]); 1] = [(option::SERVER_IDENTIFIER, &server)];
            Some(reply(MessageKind::Refuse, heard, &refusal).to_bytes())
        }
        _ => {
            let options = [&PLAIN[..2], &[(option::SERVER_IDENTIFIER, &server[..])]].concat();
            let mut answer = grant(heard, &options)?;
            answer.your_address = Ipv4Addr::new(10, 88, 0, 50);
            Some(answer.to_bytes())
        }
    });
    let kinds: Vec<_> = heard.iter().map(Heard::kind).collect();
    assert_eq!(kinds, [MessageKind::Request, MessageKind::Discover, MessageKind::Request]);
    assert!(heard[1].time < Duration::from_secs(1));
    assert_eq!(status(&wire).lease.unwrap().address.to_string(), "10.88.0.50/24");
    assert!(!everything(&wire).contains("10.77"));
}

#[test]
fn the_old_lease_serves_while_no_server_answers() {
    let world = World::new(3);
    let mut wire = leased(&world, &PLAIN);
    flap(&wire);
    let heard = play(&mut wire, Duration::from_secs(600), &USUAL, |_| None);
    // It looks for any server meanwhile, and asks for the address that it has (RFC 2131 §3.2).
    let discover = heard.iter().find(|heard| heard.kind() == MessageKind::Discover).unwrap();
    assert_eq!(discover.requested(), Some(LEASED));
    assert!(everything(&wire).contains("10.77.0.50"));
    play(&mut wire, Duration::from_secs(10), &USUAL, |_| None);
    // The same server again: the same address, and nothing was ever removed.
    play(&mut wire, Duration::from_secs(70), &USUAL, |heard| {
        grant(heard, &PLAIN).map(|reply| reply.to_bytes())
    });
    assert_eq!(status(&wire).state, DhcpState::Bound);
    flap(&wire);
    play(&mut wire, Duration::from_secs(3700), &USUAL, |_| None);
    assert_eq!(status(&wire).lease, None);
    assert!(!everything(&wire).contains("10.77"), "the lease has ended");
}

#[test]
fn a_lease_ends_while_the_link_is_down() {
    let world = World::new(4);
    let mut wire = leased(&world, &PLAIN);
    let device = wire.host.open("eth0");
    wire.host.write(&device, "link down").unwrap();
    world.run(world.sleep(Duration::from_secs(3700)));
    assert!(!everything(&wire).contains("10.77"));
    wire.host.write(&device, "link up").unwrap();
    let heard = play(&mut wire, Duration::from_secs(1), &USUAL, |_| None);
    assert_eq!(heard[0].kind(), MessageKind::Discover);
}

const CLASSLESS: u8 = 121;

#[test]
fn classless_static_routes() {
    let cases: [(&[u8], &[&str]); 8] = [
        // 192.168.2.0/24 via .9 and default via .7: option 3 does not count.
        (
            &[24, 192, 168, 2, 10, 77, 0, 9, 0, 10, 77, 0, 7],
            &["192.168.2.0/24 via 10.77.0.9", "0.0.0.0/0 via 10.77.0.7"],
        ),
        // On-link, and no default route at all although there is an option 3.
        (&[32, 169, 254, 169, 254, 0, 0, 0, 0], &["169.254.169.254/32 on-link"]),
        // Bits beyond the mask.
        (&[25, 192, 168, 2, 255, 10, 77, 0, 9], &["192.168.2.128/25 via 10.77.0.9"]),
        // Unusable as a whole: too wide, cut, empty. Option 3 counts again.
        (&[33, 192, 168, 2, 1, 1, 10, 77, 0, 9], &["0.0.0.0/0 via 10.77.0.1"]),
        (&[24, 192, 168, 2, 10, 77, 0], &["0.0.0.0/0 via 10.77.0.1"]),
        (&[], &["0.0.0.0/0 via 10.77.0.1"]),
        // A gateway through a route of the list itself, and descriptors that nothing can use.
        (
            &[
                32, 10, 9, 9, 9, 0, 0, 0, 0, 8, 11, 10, 9, 9, 9, 4, 224, 10, 77, 0, 9, 8, 12, 10,
                77, 0, 50, 8, 13, 255, 255, 255, 255, 8, 127, 10, 77, 0, 9,
            ],
            &["10.9.9.9/32 on-link", "11.0.0.0/8 via 10.9.9.9"],
        ),
        // The same destination by two gateways.
        (
            &[8, 11, 10, 77, 0, 7, 8, 11, 10, 77, 0, 9],
            &["11.0.0.0/8 via 10.77.0.7", "11.0.0.0/8 via 10.77.0.9"],
        ),
    ];
    for (list, expected) in cases {
        let world = World::new(5);
        let options = [&PLAIN[..], &[(CLASSLESS, list)]].concat();
        let wire = leased(&world, &options);
        assert_eq!(status(&wire).state, DhcpState::Bound, "{list:?}");
        assert_eq!(routes(&wire), expected, "{list:?}");
        wire.host.write(&wire.host.open("eth0"), "dhcp stop").unwrap();
        assert!(routes(&wire).is_empty());
    }
}

#[test]
fn classless_static_routes_in_two_options() {
    // 300 bytes, cut inside a descriptor (RFC 3396).
    let list: Vec<u8> = (0..37_u8).flat_map(|third| [24, 11, 0, third, 10, 77, 0, 9]).collect();
    let (first, second) = list.split_at(251);
    let world = World::new(6);
    let options = [&PLAIN[..], &[(CLASSLESS, first), (CLASSLESS, second)]].concat();
    let wire = leased(&world, &options);
    assert_eq!(routes(&wire).len(), 37);
    assert_eq!(routes(&wire)[36], "11.0.36.0/24 via 10.77.0.9");
}

#[test]
fn classless_static_routes_are_bounded() {
    let list: Vec<u8> = (0..=u16::MAX)
        .step_by(100)
        .flat_map(|number| {
            let [high, low] = number.to_be_bytes();
            [24, 11, high, low, 10, 77, 0, 9]
        })
        .collect();
    let world = World::new(7);
    let options = [&PLAIN[..], &[(CLASSLESS, &list[..])]].concat();
    let mut wire = started(&world);
    play(&mut wire, Duration::from_secs(3), &USUAL, |heard| {
        let bytes = grant(heard, &options)?.to_bytes();
        // The list exceeds one frame; what fits of it is sent.
        Some(bytes[..bytes.len().min(1470)].to_vec())
    });
    assert!(routes(&wire).len() <= 256);
    let heard = play(&mut leased(&World::new(8), &PLAIN), Duration::from_secs(1), &USUAL, |_| None);
    assert!(heard.is_empty());
}

#[test]
fn classless_static_routes_are_asked_for_before_the_router() {
    let world = World::new(9);
    let mut wire = started(&world);
    let heard = play(&mut wire, Duration::from_secs(1), &USUAL, |_| None);
    let wanted = heard[0].message.option(option::PARAMETER_LIST).unwrap();
    let place = |code: u8| wanted.iter().position(|known| *known == code).unwrap();
    // RFC 3442: the order of the list is the client's preference.
    assert!(place(CLASSLESS) < place(option::ROUTER));
}

#[test]
fn a_lease_of_one_address_reaches_its_router() {
    // Clouds give a mask of 32 bits and a router that no prefix covers.
    let options: [(u8, &[u8]); 3] = [
        (option::LEASE_TIME, &HOUR),
        (option::SUBNET_MASK, &[255; 4]),
        (option::ROUTER, &[172, 31, 1, 1]),
    ];
    let world = World::new(10);
    let wire = leased(&world, &options);
    assert_eq!(routes(&wire), ["172.31.1.1/32 on-link", "0.0.0.0/0 via 172.31.1.1"]);
}

#[test]
fn a_dhcp_server_whose_source_port_is_not_67() {
    for (ports, is_bound) in [((1067, 68), true), ((68, 68), true), ((67, 69), false)] {
        let world = World::new(11);
        let mut wire = started(&world);
        let path = Path { ports, ..USUAL };
        play(&mut wire, Duration::from_secs(3), &path, |heard| {
            grant(heard, &PLAIN).map(|reply| reply.to_bytes())
        });
        assert_eq!(status(&wire).state == DhcpState::Bound, is_bound, "{ports:?}");
    }
}

#[test]
fn a_dhcp_answer_for_another_client_is_ignored() {
    for place in [4, 33] {
        let world = World::new(12);
        let mut wire = started(&world);
        play(&mut wire, Duration::from_secs(3), &USUAL, |heard| {
            let mut bytes = grant(heard, &PLAIN)?.to_bytes();
            bytes[place] ^= 1;
            Some(bytes)
        });
        assert_eq!(status(&wire).state, DhcpState::Selecting);
    }
}

#[test]
fn options_twice_in_one_dhcp_message() {
    let twice: [(u8, &[u8]); 14] = [
        (option::MESSAGE_TYPE, &[]),
        (option::SERVER_IDENTIFIER, &[10, 77, 0, 1]),
        (option::SERVER_IDENTIFIER, &[10, 77, 0, 1]),
        (option::SUBNET_MASK, &MASK),
        (option::SUBNET_MASK, &MASK),
        (option::LEASE_TIME, &HOUR),
        (option::LEASE_TIME, &HOUR),
        (option::RENEWAL_TIME, &[0, 0, 7, 8]),
        (option::RENEWAL_TIME, &[0, 0, 7, 8]),
        (option::DOMAIN, b"lan"),
        (option::DOMAIN, b"lan"),
        (option::DNS_SERVERS, &[10, 77, 0, 3]),
        (option::DNS_SERVERS, &[10, 77, 0, 4, 10, 77, 0, 4]),
        (option::ROUTER, &[10, 77, 0, 1, 10, 77]),
    ];
    let world = World::new(13);
    let mut wire = started(&world);
    play(&mut wire, Duration::from_secs(3), &USUAL, |heard| {
        let kind = if heard.kind == MessageKind::Discover { 2 } else { 5 };
        let mut options = twice;
        let value = [kind];
        options[0] = (option::MESSAGE_TYPE, &value);
        grant(heard, &options).map(|reply| reply.to_bytes())
    });
    let status = status(&wire);
    assert_eq!(status.state, DhcpState::Bound);
    let lease = status.lease.unwrap();
    assert_eq!((lease.address.length(), lease.lease_seconds), (24, 3600));
    assert!((1790..=1800).contains(&lease.renew_seconds));
    // RFC 3396 joins them.
    assert_eq!(lease.domain.as_deref(), Some("lanlan"));
    assert_eq!(lease.router, Some(SERVER));
    let servers = wire.host.control::<ListDnsServers>("eth0", &()).unwrap();
    let servers: Vec<_> = servers.iter().map(|server| server.address.to_string()).collect();
    assert_eq!(servers, ["10.77.0.3", "10.77.0.4"]);
}

#[test]
fn dhcp_options_are_judged_one_by_one() {
    // Each is unusable in its own way; the lease is not.
    let options: [(u8, &[u8]); 7] = [
        (option::LEASE_TIME, &[0, 0, 14, 16, 9, 9]),
        (option::SUBNET_MASK, &[255, 0, 255, 0]),
        (option::RENEWAL_TIME, &[1]),
        (option::REBINDING_TIME, &[]),
        (option::DOMAIN, &[0xff, 0xfe]),
        (option::DNS_SERVERS, &[10, 77, 0]),
        (option::ROUTER, &LEASED.octets()),
    ];
    let world = World::new(14);
    let wire = leased(&world, &options);
    let status = status(&wire);
    assert_eq!(status.state, DhcpState::Bound);
    let lease = status.lease.unwrap();
    // The mask of its class (RFC 791 §3.2).
    assert_eq!(lease.address.to_string(), "10.77.0.50/8");
    assert_eq!((lease.lease_seconds, lease.router, lease.domain), (3600, None, None));
    assert!(routes(&wire).is_empty(), "our own address is no router");
}

#[test]
fn dhcp_renewal_times_of_zero_count_as_absent() {
    for code in [option::RENEWAL_TIME, option::REBINDING_TIME] {
        let world = World::new(18);
        let wire = leased(&world, &[&PLAIN[..], &[(code, &[0; 4])]].concat());
        let lease = status(&wire).lease.unwrap();
        assert!((1790..=1800).contains(&lease.renew_seconds), "{code}: {lease:?}");
        assert!((3140..=3150).contains(&lease.rebind_seconds), "{code}: {lease:?}");
    }
}

#[test]
fn a_short_dhcp_lease_is_renewed_at_its_half() {
    let world = World::new(19);
    let mut wire = started(&world);
    let options = [(option::LEASE_TIME, &[0, 0, 0, 7][..]), PLAIN[1], PLAIN[2]];
    let heard = play(&mut wire, Duration::from_secs(20), &USUAL, |heard| {
        grant(heard, &options).map(|reply| reply.to_bytes())
    });
    assert_eq!(status(&wire).state, DhcpState::Bound);
    // Discover, request, and a renewal every six seconds: nobody answers the unicast ones.
    assert!((4..=9).contains(&heard.len()), "{heard:?}");
}

#[test]
fn the_first_usable_router_of_a_lease_counts() {
    let world = World::new(20);
    let routers = [LEASED.octets(), [0; 4], SERVER.octets()].concat();
    let wire = leased(&world, &[PLAIN[0], PLAIN[1], (option::ROUTER, &routers)]);
    assert_eq!(routes(&wire), ["0.0.0.0/0 via 10.77.0.1"]);
}

#[test]
fn a_dhcp_message_whose_last_option_is_cut_off_has_its_others() {
    let world = World::new(15);
    let mut wire = started(&world);
    play(&mut wire, Duration::from_secs(3), &USUAL, |heard| {
        let options = [&PLAIN[..], &[(option::DOMAIN, &[b'x'; 80][..])]].concat();
        let bytes = grant(heard, &options)?.to_bytes();
        Some(bytes[..bytes.len() - 20].to_vec())
    });
    assert_eq!(status(&wire).state, DhcpState::Bound);
    assert_eq!(status(&wire).lease.unwrap().domain, None);
}

#[test]
fn dhcp_offers_that_no_client_can_use_are_ignored() {
    let unusable: [(&str, Options<'_>, Ipv4Addr); 6] = [
        ("server 0.0.0.0", &[(option::SERVER_IDENTIFIER, &[0; 4]), PLAIN[0], PLAIN[1]], LEASED),
        ("server cut", &[(option::SERVER_IDENTIFIER, &[10, 77, 0]), PLAIN[0], PLAIN[1]], LEASED),
        ("no time", &[(option::LEASE_TIME, &[0; 4]), PLAIN[1]], LEASED),
        ("group", &PLAIN, Ipv4Addr::new(224, 0, 0, 5)),
        ("loopback", &PLAIN, Ipv4Addr::new(127, 0, 0, 5)),
        ("class e", &PLAIN, Ipv4Addr::new(250, 0, 0, 5)),
    ];
    for (what, options, address) in unusable {
        let world = World::new(16);
        let mut wire = started(&world);
        play(&mut wire, Duration::from_secs(3), &USUAL, |heard| {
            let mut reply = grant(heard, options)?;
            reply.your_address = address;
            Some(reply.to_bytes())
        });
        // It did not even ask for it, so that another server's offer still counts.
        assert_eq!(status(&wire).state, DhcpState::Selecting, "{what}");
    }
    // A message without a type is none.
    let world = World::new(17);
    let mut wire = started(&world);
    play(&mut wire, Duration::from_secs(3), &USUAL, |heard| {
        let mut bytes = grant(heard, &PLAIN)?.to_bytes();
        bytes[241] = 0;
        bytes[242] = 0;
        Some(bytes)
    });
    assert_eq!(status(&wire).state, DhcpState::Selecting);
}

#[test]
fn a_dhcp_answer_by_ip_unicast_inside_link_broadcast() {
    let ours = HARDWARE.0.0;
    let paths = [
        Path { to: LEASED, ..USUAL },
        Path { hardware: ours, ..USUAL },
        Path { hardware: ours, to: LEASED, ..USUAL },
        Path { checksum: false, ..USUAL },
        Path { to: LEASED, checksum: false, ports: (1067, 68), ..USUAL },
    ];
    for (number, path) in paths.iter().enumerate() {
        let world = World::new(18);
        let mut wire = started(&world);
        play(&mut wire, Duration::from_secs(3), path, |heard| {
            grant(heard, &PLAIN).map(|reply| reply.to_bytes())
        });
        assert_eq!(status(&wire).state, DhcpState::Bound, "path {number}");
    }
}

#[test]
fn ip_unicast_inside_link_broadcast_is_for_the_dhcp_client_only() {
    let world = World::new(19);
    let mut wire = Wire::with(&world, &["10.0.0.1/24"]);
    wire.host.write(&wire.host.open("eth0"), "dhcp start").unwrap();
    let socket = UdpSocket::new(&wire.host.sockets());
    socket.bind("0.0.0.0:9".parse().unwrap()).unwrap();
    let mine = Ipv4Addr::new(10, 0, 0, 1);
    for (hardware, to) in [(ALL, mine), (ALL, LEASED), (HARDWARE.0.0, LEASED), (HARDWARE.0.0, mine)]
    {
        let packet = udp(at(Ipv4Addr::new(10, 0, 0, 9), 5000), at(to, 9), b"x");
        wire.send_frame(&[&hardware[..], &HARDWARE.1.0, &[8, 0], &packet].concat());
        wire.world.run(wire.world.sleep(STEP));
        let is_ours = hardware == HARDWARE.0.0 && to == mine;
        let got = world.run(async {
            let timeout = async {
                world.sleep(STEP).await;
                None
            };
            futures_lite::future::or(async { socket.receive().await.ok() }, timeout).await
        });
        assert_eq!(got.is_some(), is_ours, "{hardware:?} {to}");
    }
}

/// An ARP announcement of our address by another station.
fn claim(address: Ipv4Addr) -> Vec<u8> {
    let station = [2, 0, 0, 0, 0, 0xaa];
    let head = [&ALL[..], &station, &[8, 6, 0, 1, 8, 0, 6, 4, 0, 1], &station].concat();
    [&head[..], &address.octets(), &[0; 6], &address.octets()].concat()
}

fn announcements(frames: &[Vec<u8>]) -> usize {
    let ours = |frame: &&Vec<u8>| {
        frame[12..14] == [8, 6]
            && frame[28..32] == LEASED.octets()
            && frame[38..42] == frame[28..32]
    };
    frames.iter().filter(ours).count()
}

#[test]
fn address_conflict_after_configuration() {
    let world = World::new(20);
    let mut wire = leased(&world, &PLAIN);
    wire.send_frame(&claim(LEASED));
    let frames = wire.after(Duration::from_secs(3));
    assert_eq!((announcements(&frames), messages(&frames).len()), (1, 0));
    assert_eq!(status(&wire).state, DhcpState::Bound);
    // Again within ten seconds: the address goes (RFC 5227 §2.4 (b), RFC 2131 §4.4.1).
    wire.send_frame(&claim(LEASED));
    let frames = wire.after(Duration::from_secs(1));
    assert_eq!(announcements(&frames), 0);
    let [decline] = &messages(&frames)[..] else { panic!("one message") };
    assert_eq!(decline.kind, MessageKind::Decline);
    assert_eq!(decline.address_option(option::REQUESTED_ADDRESS), Some(LEASED));
    assert_eq!(decline.address_option(option::SERVER_IDENTIFIER), Some(SERVER));
    assert!(!everything(&wire).contains("10.77"));
    let heard = play(&mut wire, Duration::from_secs(20), &USUAL, |_| None);
    assert_eq!(heard[0].kind(), MessageKind::Discover);
    assert!((8..=11).contains(&heard[0].time.as_secs()), "{:?}", heard[0].time);
    assert_ne!(heard[0].requested(), Some(LEASED));
}

#[test]
fn address_conflicts_that_lie_apart_are_defended() {
    let world = World::new(21);
    let mut wire = leased(&world, &PLAIN);
    for _ in 0..3 {
        wire.send_frame(&claim(LEASED));
        let frames = wire.after(Duration::from_secs(15));
        assert_eq!((announcements(&frames), messages(&frames).len()), (1, 0));
    }
    assert_eq!(status(&wire).state, DhcpState::Bound);
}
