//! The firewall of an interface, between whole systems.

use std::net::SocketAddr;
use std::time::Duration;

use devnet_network::command::drops::DropReason;
use devnet_network::command::event::{Event, EventRecord, Report};
use devnet_network::command::firewall::{
    ChainPolicy, ChainStatus, FirewallAction, FirewallChain, FirewallHit, FirewallProfile,
    FirewallRule, NewFirewallRule, PacketRate, RatePeriod, RulePlace, RuleReplacement, TrackedFlow,
};
use devnet_network::command::watch::{Kinds, WatchOptions};
use devnet_network::command::{
    AddFirewallRule, ExportConfiguration, FlushFirewallRules, FlushFlows, ListDrops, ListFirewall,
    ListFlows, RemoveFirewallRule, ReplaceFirewallRule, ResetFirewall, SetFirewallPolicy,
    SetFirewallProfile, WatchEvents,
};
use devnet_network::{IcmpSocket, TcpListener, TcpStream, UdpSocket, limits};
use devnet_virtual_file_system::{ControlCommand, Error, OpenFlags};
use world::{Host, World};

use crate::events::{told, watching};
use crate::pair::{connection, hosts};
use crate::wire::{ACK, HOST, PEER, RST, SYN, Segment, Wire, ipv4, milliseconds, packet_of};

fn lines(host: &Host, text: &str) {
    host.write(&host.open("eth0"), text).unwrap_or_else(|error| panic!("{text}: {error}"));
}

fn chain(host: &Host, chain: FirewallChain) -> ChainStatus {
    let status = host.control::<ListFirewall>("eth0", &()).unwrap().remove(0);
    assert_eq!((status.interface.as_str(), status.chains.len()), ("eth0", 2));
    status.chains.into_iter().find(|one| one.chain == chain).unwrap()
}

/// Handles and packets of the rules of a chain.
fn counted(host: &Host, of: FirewallChain) -> Vec<(u32, u64)> {
    chain(host, of).rules.iter().map(|rule| (rule.handle, rule.packets)).collect()
}

fn dropped(host: &Host, reason: DropReason) -> u64 {
    let all = host.control::<ListDrops>("eth0", &()).unwrap();
    all.into_iter().find(|count| count.reason == reason).unwrap().packets
}

fn flows(host: &Host) -> Vec<TrackedFlow> {
    host.control::<ListFlows>("eth0", &()).unwrap()
}

fn udp(host: &Host, local: &str) -> UdpSocket {
    let socket = UdpSocket::new(&host.sockets());
    socket.bind(local.parse().unwrap()).unwrap();
    socket
}

/// Connects with a limit of time.
async fn connect(world: &World, host: &Host, to: &str) -> Result<TcpStream, Error> {
    let sockets = host.sockets();
    let connecting = TcpStream::connect(&sockets, to);
    let limit = async {
        world.sleep(Duration::from_secs(3)).await;
        Err(Error::TimedOut)
    };
    futures_lite::future::or(connecting, limit).await
}

/// True when a datagram from the first socket reaches the second.
async fn reaches(world: &World, from: &UdpSocket, to: SocketAddr, receiver: &UdpSocket) -> bool {
    from.send_to(b"x", to).await.unwrap();
    let limit = async {
        world.sleep(Duration::from_secs(1)).await;
        false
    };
    futures_lite::future::or(async { receiver.receive().await.is_ok() }, limit).await
}

const V4: &str = "10.0.0.1";
const V6: &str = "[fd00::1]";

#[test]
fn each_action_does_to_a_received_connection_what_it_says() {
    for (number, host) in [(1, V4), (2, V6)] {
        let world = World::new(number);
        let (left, right) = hosts(&world);
        let _listener =
            TcpListener::bind(&left.sockets(), format!("{host}:80").parse().unwrap(), 4).unwrap();
        let to = format!("{host}:80");
        let prohibited = if host == V4 { Error::HostUnreachable } else { Error::AccessDenied };
        for (action, expected) in [
            ("accept", None),
            ("continue", None),
            ("drop", Some(Error::TimedOut)),
            ("reject", Some(Error::ConnectionRefused)),
            ("prohibit", Some(prohibited)),
        ] {
            lines(
                &left,
                &format!("firewall flush\nfirewall add in {action} filter tcp dst port 80"),
            );
            let outcome = world.run(connect(&world, &right, &to));
            assert_eq!(outcome.err(), expected, "{action} {host}");
            let [(_, packets)] = counted(&left, FirewallChain::In)[..] else { panic!() };
            assert!(packets > 0, "{action}");
            // Other ports are not meant.
            let other = world.run(connect(&world, &right, &format!("{host}:81")));
            assert_eq!(other.err(), Some(Error::ConnectionRefused), "{action} {host}");
        }
        // The same as policies, which decide what no rule decides.
        for (policy, expected) in [
            ("drop", Some(Error::TimedOut)),
            ("reject", Some(Error::ConnectionRefused)),
            ("prohibit", Some(prohibited)),
            ("accept", None),
        ] {
            // Neighbor discovery is ICMPv6.
            let keep = "firewall flush\nfirewall add in accept filter icmp6";
            lines(&left, &format!("{keep}\nfirewall policy in {policy}"));
            let outcome = world.run(connect(&world, &right, &to));
            assert_eq!(outcome.err(), expected, "{policy} {host}");
        }
    }
}

#[test]
fn what_is_to_be_sent_ends_as_a_rule_says_and_the_program_learns_it() {
    for (number, host) in [(1, "10.0.0.2"), (2, "[fd00::2]")] {
        let world = World::new(number);
        let (left, right) = hosts(&world);
        let to = format!("{host}:80");
        let _listener = TcpListener::bind(&right.sockets(), to.parse().unwrap(), 4).unwrap();
        let receiver = udp(&right, &format!("{host}:9"));
        let prohibited =
            if host == "10.0.0.2" { Error::HostUnreachable } else { Error::AccessDenied };
        for (action, stream) in [
            ("drop", Error::TimedOut),
            ("reject", Error::ConnectionRefused),
            ("prohibit", prohibited),
        ] {
            let rule = format!("firewall flush\nfirewall add out {action} filter dst port 80 or 9");
            lines(&left, &rule);
            let before = dropped(&left, DropReason::FirewallOut);
            let outcome = world.run(connect(&world, &left, &to));
            assert_eq!(outcome.err(), Some(stream), "{action} {host}");
            assert!(dropped(&left, DropReason::FirewallOut) > before, "{action}");
            // A datagram fails at once; what an ICMP error says comes with the next call.
            let socket = UdpSocket::new(&left.sockets());
            socket.connect(format!("{host}:9").parse().unwrap()).unwrap();
            assert_eq!(world.run(socket.send(b"x")), Err(Error::PermissionDenied), "{action}");
            world.run(world.sleep(milliseconds(1)));
            let second = (action != "drop").then_some(prohibited);
            assert_eq!(socket.take_error(), second, "{action}");
            assert!(receiver.try_receive().is_err());
        }
        lines(&left, "firewall flush");
        assert!(world.run(connect(&world, &left, &to)).is_ok());
        assert_eq!(dropped(&left, DropReason::Firewall), 0);
    }
}

#[test]
fn the_first_rule_that_decides_wins_and_continue_counts_on() {
    let world = World::new(1);
    let (left, right) = hosts(&world);
    let receiver = udp(&left, "10.0.0.1:9");
    let sender = udp(&right, "10.0.0.2:5000");
    lines(
        &left,
        "firewall add in continue filter udp\nfirewall add in drop filter src host 10.0.0.2 and \
         udp\nfirewall insert in accept filter udp dst port 9\nfirewall insert in continue before \
         2 filter udp dst port 9",
    );
    assert_eq!(counted(&left, FirewallChain::In), [(3, 0), (1, 0), (4, 0), (2, 0)]);
    let to = "10.0.0.1:9".parse().unwrap();
    assert!(world.run(reaches(&world, &sender, to, &receiver)));
    assert_eq!(counted(&left, FirewallChain::In), [(3, 1), (1, 0), (4, 0), (2, 0)]);
    lines(&left, "firewall remove 3");
    assert!(!world.run(reaches(&world, &sender, to, &receiver)));
    assert_eq!(counted(&left, FirewallChain::In), [(1, 1), (4, 1), (2, 1)]);
    assert_eq!(dropped(&left, DropReason::Firewall), 1);
    let bytes = chain(&left, FirewallChain::In).rules[0].bytes;
    assert_eq!(bytes, 29, "an IP header, a UDP header and a byte");
    lines(&left, "firewall reset");
    assert_eq!(counted(&left, FirewallChain::In), [(1, 0), (4, 0), (2, 0)]);
    // A rule that is replaced keeps its place and its handle, and counts anew.
    lines(&left, "firewall replace 2 accept filter udp");
    assert!(world.run(reaches(&world, &sender, to, &receiver)));
    assert_eq!(counted(&left, FirewallChain::In), [(1, 1), (4, 1), (2, 1)]);
    // A handle is never given again.
    lines(&left, "firewall flush\nfirewall add in drop");
    assert_eq!(counted(&left, FirewallChain::In), [(5, 0)]);
}

#[test]
fn answers_pass_a_policy_that_drops_and_nothing_else_does() {
    for (number, ours, theirs) in [(1, "10.0.0.1", "10.0.0.2"), (2, "[fd00::1]", "[fd00::2]")] {
        let world = World::new(number);
        let (left, right) = hosts(&world);
        lines(
            &left,
            "firewall add in accept state established,related\nfirewall add in accept filter \
             icmp6[0] = 135 or icmp6[0] = 136\nfirewall policy in drop",
        );
        // Our own connections, with everything that belongs to them.
        let (client, server) = world.run(connection(&left, &right, &format!("{theirs}:80")));
        world.run(async {
            client.write_all(b"question").await.unwrap();
            let mut buffer = [0; 16];
            assert_eq!(server.read(&mut buffer).await, Ok(8));
            server.write_all(b"answer").await.unwrap();
            assert_eq!(client.read(&mut buffer).await, Ok(6));
        });
        // Connections of others to us do not come up, though a port listens.
        let _listener =
            TcpListener::bind(&left.sockets(), format!("{ours}:80").parse().unwrap(), 4).unwrap();
        let outcome = world.run(connect(&world, &right, &format!("{ours}:80")));
        assert_eq!(outcome.err(), Some(Error::TimedOut));
        // UDP of a socket without a peer: an answer passes from where we sent to, and only there.
        let (near, far) =
            (udp(&left, &format!("{ours}:6000")), udp(&right, &format!("{theirs}:53")));
        let elsewhere = udp(&right, &format!("{theirs}:54"));
        let (to_near, to_far) = (near.local_addr().unwrap(), far.local_addr().unwrap());
        assert!(!world.run(reaches(&world, &far, to_near, &near)));
        assert!(world.run(reaches(&world, &near, to_far, &far)));
        assert!(world.run(reaches(&world, &far, to_near, &near)));
        assert!(!world.run(reaches(&world, &elsewhere, to_near, &near)));
        let flow = flows(&left).into_iter().find(|flow| flow.protocol == 17).unwrap();
        assert_eq!((flow.local, flow.remote), (to_near, to_far));
        assert!(flow.is_ours && flow.is_answered);
        // It is forgotten after two minutes without a packet.
        assert!((116..=120).contains(&flow.seconds), "{flow:?}");
        world.run(world.sleep(Duration::from_secs(121)));
        assert!(!world.run(reaches(&world, &far, to_near, &near)));
        // A connected socket is a flow for as long as it is open.
        let connected = UdpSocket::new(&left.sockets());
        connected.connect(to_far).unwrap();
        let local = connected.local_addr().unwrap();
        world.run(world.sleep(Duration::from_secs(600)));
        assert!(world.run(reaches(&world, &far, local, &connected)));
        // Ours is answered, theirs is not.
        let echo = |from: &Host, to: &str| {
            let socket = IcmpSocket::new(&from.sockets());
            let to: SocketAddr = format!("{to}:0").parse().unwrap();
            let kind = if to.is_ipv4() { 8 } else { 128 };
            socket
                .bind(SocketAddr::new(
                    if to.is_ipv4() { "0.0.0.0".parse().unwrap() } else { "::".parse().unwrap() },
                    0,
                ))
                .unwrap();
            world.run(async {
                socket.send_to(&[kind, 0, 0, 0, 0, 0, 0, 1], to).await.unwrap();
                let limit = async {
                    world.sleep(Duration::from_secs(1)).await;
                    false
                };
                futures_lite::future::or(async { socket.receive().await.is_ok() }, limit).await
            })
        };
        assert!(echo(&left, theirs) && !echo(&right, ours));
        // An error about a flow of ours is related: the port is closed.
        let refused = UdpSocket::new(&left.sockets());
        refused.connect(format!("{theirs}:9").parse().unwrap()).unwrap();
        world.run(async {
            refused.send(b"x").await.unwrap();
            world.sleep(milliseconds(10)).await;
        });
        assert_eq!(refused.take_error(), Some(Error::ConnectionRefused));
        let outcome = world.run(connect(&world, &left, &format!("{theirs}:81")));
        assert_eq!(outcome.err(), Some(Error::ConnectionRefused));
    }
}

#[test]
fn a_strict_chain_out_lets_only_answers_out() {
    let world = World::new(1);
    let (left, right) = hosts(&world);
    lines(&left, "firewall add out accept state established,related\nfirewall policy out drop");
    // We answer others: a connection, a datagram, an echo, and a closed port.
    let (client, server) = world.run(connection(&right, &left, "10.0.0.1:80"));
    world.run(async {
        server.write_all(b"x").await.unwrap();
        assert_eq!(client.read(&mut [0; 4]).await, Ok(1));
    });
    let refused = world.run(connect(&world, &right, "10.0.0.1:81"));
    assert_eq!(refused.err(), Some(Error::ConnectionRefused));
    let (near, far) = (udp(&left, "10.0.0.1:53"), udp(&right, "10.0.0.2:6000"));
    let (to_near, to_far) = (near.local_addr().unwrap(), far.local_addr().unwrap());
    assert!(world.run(reaches(&world, &far, to_near, &near)));
    assert!(world.run(reaches(&world, &near, to_far, &far)));
    let [flow] = &flows(&left)[..] else { panic!() };
    assert!(!flow.is_ours && flow.is_answered);
    let closed = UdpSocket::new(&right.sockets());
    closed.connect("10.0.0.1:99".parse().unwrap()).unwrap();
    world.run(async {
        closed.send(b"x").await.unwrap();
        world.sleep(milliseconds(10)).await;
    });
    assert_eq!(closed.take_error(), Some(Error::ConnectionRefused));
    // We begin nothing.
    assert_eq!(world.run(connect(&world, &left, "10.0.0.2:80")).err(), Some(Error::TimedOut));
    let other = udp(&left, "10.0.0.1:7");
    assert_eq!(world.run(other.send_to(b"x", to_far)), Err(Error::PermissionDenied));
    // What was remembered can be forgotten.
    assert_eq!(flows(&left).len(), 2, "that to the closed port, too");
    assert_eq!(left.control::<FlushFlows>("eth0", &()), Ok(2));
    assert_eq!(world.run(near.send_to(b"x", to_far)), Err(Error::PermissionDenied));
    assert_eq!((flows(&left).len(), left.control::<FlushFlows>("eth0", &())), (0, Ok(0)));
}

#[test]
fn a_rate_is_kept_and_the_rest_meets_the_next_rule() {
    let world = World::new(1);
    let (left, right) = hosts(&world);
    lines(
        &left,
        "firewall add in accept rate 2/second burst 3 filter udp\nfirewall policy in drop",
    );
    let (near, far) = (udp(&left, "10.0.0.1:9"), udp(&right, "10.0.0.2:5000"));
    let send = |count: usize| {
        world.run(async {
            for _ in 0..count {
                far.send_to(b"x", "10.0.0.1:9".parse().unwrap()).await.unwrap();
            }
            world.sleep(milliseconds(1)).await;
        });
        std::iter::from_fn(|| near.try_receive().ok()).count()
    };
    assert_eq!((send(10), send(5)), (3, 0));
    world.run(world.sleep(milliseconds(1100)));
    assert_eq!(send(10), 2);
    world.run(world.sleep(Duration::from_secs(60)));
    assert_eq!(send(10), 3);
    assert_eq!(counted(&left, FirewallChain::In)[0].1, 8);
    assert_eq!(chain(&left, FirewallChain::In).packets, 27);
}

#[test]
fn rules_see_datagrams_whole_in_both_directions() {
    let world = World::new(1);
    let (left, right) = hosts(&world);
    lines(
        &left,
        "firewall add in accept filter udp dst port 9\nfirewall add out accept filter udp dst \
         port 9\nfirewall policy in drop\nfirewall policy out drop",
    );
    let (near, far) = (udp(&left, "10.0.0.1:9"), udp(&right, "10.0.0.2:9"));
    let other = udp(&right, "10.0.0.2:10");
    let large = vec![7; 20_000];
    let before = dropped(&left, DropReason::FirewallOut);
    world.run(async {
        far.send_to(&large, "10.0.0.1:9".parse().unwrap()).await.unwrap();
        assert_eq!(near.receive().await.unwrap().data, large);
        near.send_to(&large, "10.0.0.2:9".parse().unwrap()).await.unwrap();
        assert_eq!(far.receive().await.unwrap().data, large);
        let refused = near.send_to(&large, "10.0.0.2:10".parse().unwrap()).await;
        assert_eq!(refused, Err(Error::PermissionDenied));
        world.sleep(milliseconds(10)).await;
    });
    assert!(other.try_receive().is_err());
    let rule = chain(&left, FirewallChain::In).rules.remove(0);
    assert_eq!((rule.packets, rule.bytes), (1, 20_028), "one datagram, not fourteen fragments");
    assert_eq!(dropped(&left, DropReason::FirewallOut), before + 1);
}

#[test]
fn rules_with_log_tell_watchers_not_more_than_they_can_read() {
    let world = World::new(1);
    let (left, right) = hosts(&world);
    let sender = udp(&right, "10.0.0.2:5000");
    lines(
        &left,
        "firewall add in drop log on filter udp dst port 9\nfirewall add in continue log on filter \
         icmp",
    );
    let file = watching(&left, "eth0", "firewall");
    let values = left.open("sockets");
    values.try_control::<WatchEvents>(&WatchOptions::records(Kinds::FIREWALL)).unwrap();
    let send = |count: usize| {
        world.run(async {
            for _ in 0..count {
                sender.send_to(b"xyz", "10.0.0.1:9".parse().unwrap()).await.unwrap();
            }
            world.sleep(milliseconds(1)).await;
        });
    };
    send(1);
    assert_eq!(
        told(&file),
        ["firewall hit 1 interface eth0 chain in action drop protocol 17 source 10.0.0.2:5000 \
          destination 10.0.0.1:9 length 31"]
    );
    let (mut all, mut buffer) = (Vec::new(), [0; 4096]);
    while let Ok(count) = values.try_read(&mut buffer) {
        all.extend_from_slice(&buffer[..count]);
    }
    let mut rest = &all[..];
    let mut hits = Vec::new();
    while let Some((record, more)) = EventRecord::parse(rest).unwrap() {
        if let Report::Event { event: Event::Firewall(hit), interface } = record.report {
            assert_eq!(interface, "eth0");
            hits.push(hit);
        }
        rest = more;
    }
    let hit = FirewallHit {
        chain: FirewallChain::In,
        handle: 1,
        action: FirewallAction::Drop,
        protocol: 17,
        source: "10.0.0.2:5000".parse().unwrap(),
        destination: "10.0.0.1:9".parse().unwrap(),
        length: 31,
    };
    assert_eq!(hits, [hit]);
    // Of a flood only some are told, and all are counted.
    for _ in 0..10 {
        send(100);
    }
    let events = limits::FIREWALL_EVENTS as usize;
    assert!((events - 5..=events + 5).contains(&told(&file).len()));
    assert_eq!(counted(&left, FirewallChain::In)[0], (1, 1001));
    // Nothing is told of rules without it.
    lines(&left, "firewall replace 1 drop filter udp dst port 9");
    world.run(world.sleep(Duration::from_secs(5)));
    send(1);
    assert_eq!(told(&file), [""; 0]);
}

#[test]
fn the_profile_keeps_addresses_neighbors_and_path_mtus_alive() {
    let world = World::new(1);
    let (left, right) = hosts(&world);
    assert_eq!(left.control::<SetFirewallProfile>("eth0", &FirewallProfile::DefaultDeny), Ok(true));
    assert_eq!(
        left.control::<SetFirewallProfile>("eth0", &FirewallProfile::DefaultDeny),
        Ok(false)
    );
    let input = chain(&left, FirewallChain::In);
    assert_eq!((input.policy, input.rules.len()), (FirewallAction::Drop, 6));
    assert_eq!(chain(&left, FirewallChain::Out).policy, FirewallAction::Accept);
    // Strangers get nothing, not even a reset.
    let _listener = TcpListener::bind(&left.sockets(), "[::]:80".parse().unwrap(), 4).unwrap();
    for to in ["10.0.0.1:80", "[fd00::1]:80", "10.0.0.1:81"] {
        assert_eq!(world.run(connect(&world, &right, to)).err(), Some(Error::TimedOut), "{to}");
    }
    // DHCP, router advertisements, and with them a new address; neighbors are resolved both ways.
    lines(&right, "dhcp server start 10.0.0.100-10.0.0.110\nadvertise fd00:7::/64");
    lines(&left, "dhcp start");
    world.run(world.sleep(Duration::from_secs(10)));
    let addresses: Vec<String> = left
        .control::<devnet_network::command::ListAddresses>("eth0", &())
        .unwrap()
        .into_iter()
        .map(|entry| entry.prefix.address().to_string())
        .collect();
    assert!(addresses.iter().any(|address| address.starts_with("10.0.0.10")), "{addresses:?}");
    assert!(addresses.iter().any(|address| address.starts_with("fd00:7::")), "{addresses:?}");
    world.run(world.sleep(Duration::from_secs(400)));
    for to in ["10.0.0.2:80", "[fd00::2]:80"] {
        let (client, server) = world.run(connection(&left, &right, to));
        world.run(async {
            server.write_all(b"x").await.unwrap();
            assert_eq!(client.read(&mut [0; 4]).await, Ok(1), "{to}");
        });
    }
    // To ourselves everything goes, by the addresses of the interface too.
    assert!(world.run(connect(&world, &left, "10.0.0.1:80")).is_ok());
    assert!(world.run(connect(&world, &left, "127.0.0.1:80")).is_ok());
    // The rules can be seen and changed; off is off.
    lines(&left, "firewall add in accept state new filter tcp dst port 80");
    assert!(world.run(connect(&world, &right, "10.0.0.1:80")).is_ok());
    let profile = FirewallProfile::Off;
    assert_eq!(left.control::<SetFirewallProfile>("eth0", &profile), Ok(true));
    assert_eq!(left.control::<SetFirewallProfile>("eth0", &profile), Ok(false));
    assert!(!left.control::<ExportConfiguration>("eth0", &false).unwrap().contains("firewall"));
}

/// A router on the path says that a segment was too large.
#[test]
fn the_profile_hears_of_path_mtus_about_flows_that_are_ours_only() {
    let world = World::new(1);
    let (host, mut wire) = Wire::new(&world);
    lines(&host, "firewall profile default-deny");
    let socket = UdpSocket::new(&host.sockets());
    let local: SocketAddr = "10.0.0.1:7000".parse().unwrap();
    socket.bind(local).unwrap();
    let path_mtu = || {
        let route = host.control::<devnet_network::command::ListCounters>("eth0", &()).unwrap();
        assert!(!route.is_empty());
        dropped(&host, DropReason::Firewall)
    };
    let mut too_big = |port: u16| {
        let mut quoted = vec![0x1b, 0x58];
        quoted.extend_from_slice(&port.to_be_bytes());
        quoted.extend_from_slice(&[0, 208, 0, 0]);
        let quoted = ipv4(HOST, PEER, 17, &[quoted, vec![0; 200]].concat());
        let mut message = vec![3, 4, 0, 0, 0, 0, 2, 88];
        message.extend_from_slice(&quoted[..28]);
        let sum = crate::wire::checksum(&[&message]);
        message[2..4].copy_from_slice(&sum.to_be_bytes());
        wire.put(&ipv4([10, 0, 0, 77].into(), HOST, 1, &message));
        world.run(world.sleep(milliseconds(1)));
        path_mtu()
    };
    // We sent nothing yet: nobody can know of such a flow.
    assert_eq!(too_big(53), 1);
    world.run(socket.send_to(b"x", SocketAddr::new(PEER.into(), 53))).unwrap();
    assert_eq!((too_big(53), too_big(54)), (1, 2));
}

#[test]
fn nobody_takes_the_place_of_a_flow_of_ours() {
    let world = World::new(1);
    let (host, mut wire) = Wire::new(&world);
    lines(
        &host,
        "firewall add in accept state established\nfirewall add in accept filter udp dst port \
         9\nfirewall policy in drop",
    );
    let socket = udp(&host, "10.0.0.1:6000");
    let server = udp(&host, "10.0.0.1:9");
    world.run(socket.send_to(b"x", SocketAddr::new(PEER.into(), 53))).unwrap();
    let packet = |from: [u8; 4], ports: (u16, u16)| {
        let mut udp = ports.0.to_be_bytes().to_vec();
        udp.extend_from_slice(&ports.1.to_be_bytes());
        udp.extend_from_slice(&[0, 9, 0, 0, b'y']);
        ipv4(from.into(), HOST, 17, &udp)
    };
    // Twenty times as many strangers as there are places.
    for number in 0..20 * limits::FIREWALL_FLOWS as u32 {
        let [_, a, b, c] = number.to_be_bytes();
        wire.put(&packet([20, a, b, c], (1000, 9)));
        if number % 256 == 255 {
            world.run(world.sleep(milliseconds(1)));
            while server.try_receive().is_ok() {}
        }
    }
    let known = flows(&host);
    assert_eq!(known.iter().filter(|flow| flow.is_ours).count(), 1);
    let theirs = known.iter().filter(|flow| !flow.is_ours).count();
    assert!((limits::FIREWALL_FLOWS / 2..=limits::FIREWALL_FLOWS).contains(&theirs), "{theirs}");
    wire.put(&packet(PEER.octets(), (53, 6000)));
    world.run(world.sleep(milliseconds(1)));
    assert_eq!(socket.try_receive().unwrap().data, b"y");
    // As many of ours: the table is full, and those that were answered stay longest.
    world.run(async {
        for port in 1..=20_000u16 {
            socket.send_to(b"x", SocketAddr::new(PEER.into(), port)).await.unwrap();
            while wire.packet().is_some() {}
        }
    });
    let ours = flows(&host).into_iter().filter(|flow| flow.is_ours).collect::<Vec<_>>();
    assert_eq!(ours.len(), limits::FIREWALL_FLOWS);
    assert!(ours.iter().any(|flow| flow.remote.port() == 53 && flow.is_answered));
    wire.put(&packet(PEER.octets(), (53, 6000)));
    world.run(world.sleep(milliseconds(1)));
    assert_eq!(socket.try_receive().unwrap().data, b"y");
}

#[test]
fn rules_come_and_go_under_traffic() {
    let world = World::new(1);
    let (left, right) = hosts(&world);
    let (client, server) = world.run(connection(&left, &right, "10.0.0.2:80"));
    world.run(async {
        let mut buffer = vec![0; 65_536];
        let (mut sent, mut received) = (0_u32, 0_usize);
        for round in 0..200 {
            match round % 4 {
                0 => lines(
                    &left,
                    "firewall add in accept state established\nfirewall policy in drop",
                ),
                1 => lines(&left, "firewall insert in continue log on filter tcp\nfirewall reset"),
                2 => lines(&left, "firewall policy in accept\nfirewall flush"),
                _ => lines(&left, "firewall profile default-deny"),
            }
            client.write_all(&[round as u8; 5000]).await.unwrap();
            sent += 5000;
            server.write_all(&[round as u8; 5000]).await.unwrap();
            let mut back = 0;
            while back < 5000 {
                back += client.read(&mut buffer).await.unwrap();
            }
            while received < sent as usize {
                received += server.read(&mut buffer).await.unwrap();
            }
        }
    });
    // All of it without a loss: what belongs to a connection passes.
    assert_eq!(dropped(&left, DropReason::Firewall), 0);
}

#[test]
fn a_rejected_segment_gets_a_reset_that_its_sender_believes() {
    let world = World::new(1);
    let (host, mut wire) = Wire::new(&world);
    lines(&host, "firewall add in reject filter tcp dst port 80");
    world.run(async {
        let sent = wire.exchange(&world, Some(&Segment::new(5000, 80, SYN, 1000, 0))).await;
        let [reset] = sent.as_slice() else { panic!("{sent:?}") };
        assert_eq!(
            (reset.flags, reset.sequence, reset.acknowledgment),
            (RST | ACK, 0, 1001),
            "RFC 9293 §3.5.2"
        );
        let data = Segment::new(5000, 80, ACK, 1000, 77).data(b"xyz");
        let sent = wire.exchange(&world, Some(&data)).await;
        assert_eq!((sent.len(), sent[0].flags, sent[0].sequence), (1, RST, 77));
        // Nobody resets a reset, or what came to everybody.
        assert!(wire.exchange(&world, Some(&Segment::new(5000, 80, RST, 1, 0))).await.is_empty());
        let broadcast = Segment::new(5000, 80, SYN, 1000, 0);
        wire.send_to(&broadcast, [10, 0, 0, 255].into());
        assert!(wire.exchange(&world, None).await.is_empty());
        // Half a header is no segment.
        let mut cut = packet_of(&Segment::new(5000, 80, SYN, 1000, 0));
        cut.truncate(32);
        cut[2..4].copy_from_slice(&32_u16.to_be_bytes());
        cut[10..12].fill(0);
        let sum = crate::wire::checksum(&[&cut[..20]]);
        cut[10..12].copy_from_slice(&sum.to_be_bytes());
        wire.put(&cut);
        assert!(wire.exchange(&world, None).await.is_empty());
    });
}

/// Without an answer nobody learns that a host is there, whatever is wrong with a packet.
#[test]
fn a_packet_that_does_not_pass_causes_no_error_for_another_reason() {
    let world = World::new(1);
    let (host, mut wire) = Wire::new(&world);
    lines(&host, "firewall policy in drop");
    let address =
        |last: u8| [&[0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0][..], &[last]].concat();
    // An unknown option that asks for an error (RFC 8200 §4.2), and a fragment that stays alone.
    let mut odd = vec![0x60, 0, 0, 0, 0, 8, 60, 64];
    odd.extend([address(9), address(1), vec![59, 0, 0x80, 4, 0, 0, 0, 0]].concat());
    let mut alone = ipv4(PEER, HOST, 17, &[0; 24]);
    alone[6] = 0x20;
    alone[10..12].fill(0);
    let sum = crate::wire::checksum(&[&alone[..20]]);
    alone[10..12].copy_from_slice(&sum.to_be_bytes());
    for (is_quiet, policy) in [(true, "drop"), (false, "accept")] {
        lines(&host, &format!("firewall policy in {policy}"));
        let errors = world.run(async {
            wire.put(&odd);
            wire.put(&alone);
            world.sleep(Duration::from_secs(70)).await;
            std::iter::from_fn(|| wire.packet())
                .filter(|packet| packet[0] >> 4 == 4 && packet[9] == 1 || packet[6] == 58)
                .filter(|packet| packet[if packet[0] >> 4 == 4 { 20 } else { 40 }] < 128)
                .count()
        });
        assert_eq!(errors, if is_quiet { 0 } else { 2 }, "{policy}");
    }
}

#[test]
fn raw_sockets_and_captures_see_what_they_should() {
    let world = World::new(1);
    let (left, right) = hosts(&world);
    let raw = devnet_network::RawSocket::ipv4(&left.sockets(), 17).unwrap();
    let capture = left.open("eth0");
    left.write(&capture, "capture direction in filter udp").unwrap();
    lines(&left, "firewall add in drop filter udp dst port 9");
    let sender = udp(&right, "10.0.0.2:5000");
    world.run(async {
        for port in [9, 10] {
            sender.send_to(b"x", format!("10.0.0.1:{port}").parse().unwrap()).await.unwrap();
        }
        world.sleep(milliseconds(1)).await;
    });
    // A raw socket gets what passes, as on Linux behind its chain `input`; a capture everything.
    let heard: Vec<_> = std::iter::from_fn(|| raw.try_receive().ok()).collect();
    assert_eq!(heard.len(), 1);
    let mut bytes = vec![0; 65_536];
    let count = capture.try_read(&mut bytes).unwrap();
    let text = String::from_utf8_lossy(&bytes[..count]).into_owned();
    assert!(text.contains("dropped: firewall"), "the comment of the frame");
}

#[test]
fn a_rule_that_cannot_be_is_refused_with_everything_as_it_was() {
    let world = World::new(1);
    let (left, _right) = hosts(&world);
    lines(&left, "firewall add in accept filter tcp\nfirewall policy out reject");
    let state = || format!("{:?}", left.control::<ListFirewall>("sockets", &()).unwrap());
    let before = state();
    let rule = FirewallRule { action: FirewallAction::Drop, ..FirewallRule::default() };
    let new = |rule: FirewallRule, place| NewFirewallRule { chain: FirewallChain::In, place, rule };
    let add = |rule| left.control::<AddFirewallRule>("eth0", &new(rule, RulePlace::Last));
    let of = |filter: &str| FirewallRule { filter: filter.into(), ..rule.clone() };
    for filter in [
        "nonsense",
        "tcp dst port",
        "host example.org",
        "ether host 02:00:00:00:00:01",
        "arp",
        "vlan 7",
        "broadcast",
        "multicast",
        "tcp and not ether broadcast",
        "ether[0] = 1",
        "arp host 10.0.0.1",
        "rarp",
        &"tcp or ".repeat(200),
    ] {
        assert_eq!(add(of(filter)), Err(Error::InvalidInput), "{filter}");
    }
    for (packets, burst) in [(0, 5), (5, 0), (1_000_001, 5), (5, 1_000_001)] {
        let rate = Some(PacketRate { packets, period: RatePeriod::Hour });
        let rule = FirewallRule { rate, burst, ..rule.clone() };
        assert_eq!(add(rule), Err(Error::InvalidInput), "{packets} {burst}");
    }
    for place in [RulePlace::Before(2), RulePlace::After(0)] {
        let outcome = left.control::<AddFirewallRule>("eth0", &new(rule.clone(), place));
        assert_eq!(outcome, Err(Error::NotFound));
    }
    let out =
        NewFirewallRule { chain: FirewallChain::Out, ..new(rule.clone(), RulePlace::After(1)) };
    assert_eq!(left.control::<AddFirewallRule>("eth0", &out), Err(Error::NotFound));
    let replace = |handle, rule| {
        left.control::<ReplaceFirewallRule>("eth0", &RuleReplacement { handle, rule })
    };
    assert_eq!(replace(9, rule.clone()), Err(Error::NotFound));
    assert_eq!(replace(1, of("arp")), Err(Error::InvalidInput));
    assert_eq!(left.control::<RemoveFirewallRule>("eth0", &9), Err(Error::NotFound));
    let policy = ChainPolicy { chain: FirewallChain::In, action: FirewallAction::Continue };
    assert_eq!(left.control::<SetFirewallPolicy>("eth0", &policy), Err(Error::InvalidInput));
    let profile = FirewallProfile::DefaultDeny;
    assert_eq!(left.control::<SetFirewallProfile>("lo", &profile), Err(Error::Unsupported));
    // Only the device of an interface has one; the other lists all.
    assert_eq!(left.control::<RemoveFirewallRule>("sockets", &1), Err(Error::Unsupported));
    assert_eq!(left.control::<FlushFirewallRules>("sockets", &None), Err(Error::Unsupported));
    assert_eq!(left.control::<ListFirewall>("sockets", &()).unwrap().len(), 2);
    // A file that is open for reading changes nothing, whatever else is wrong.
    let reader = left.open_as("eth0", OpenFlags::READ).unwrap();
    fn refused<C: ControlCommand>(file: &devnet_virtual_file_system::File, request: &C::Request) {
        assert_eq!(file.try_control::<C>(request).err(), Some(Error::PermissionDenied));
    }
    refused::<AddFirewallRule>(&reader, &new(of("nonsense"), RulePlace::Last));
    refused::<ReplaceFirewallRule>(&reader, &RuleReplacement { handle: 1, rule: rule.clone() });
    refused::<RemoveFirewallRule>(&reader, &1);
    refused::<FlushFirewallRules>(&reader, &None);
    refused::<SetFirewallPolicy>(&reader, &policy);
    refused::<SetFirewallProfile>(&reader, &profile);
    refused::<ResetFirewall>(&reader, &());
    refused::<FlushFlows>(&reader, &());
    assert!(reader.try_control::<ListFirewall>(&()).is_ok());
    assert!(reader.try_control::<ListFlows>(&()).is_ok());
    assert_eq!(state(), before);
    // What says the same changes nothing.
    assert_eq!(
        replace(1, FirewallRule { filter: " tcp ".into(), ..FirewallRule::default() }),
        Ok(false)
    );
    let policy = ChainPolicy { chain: FirewallChain::Out, action: FirewallAction::Reject };
    assert_eq!(left.control::<SetFirewallPolicy>("eth0", &policy), Ok(false));
    assert_eq!(state(), before);
    // The bounds, of rules and of tests.
    for _ in 1..limits::FIREWALL_RULES {
        add(rule.clone()).unwrap();
    }
    assert_eq!(add(rule.clone()), Err(Error::NoBufferSpace));
    assert_eq!(
        left.control::<FlushFirewallRules>("eth0", &Some(FirewallChain::In)),
        Ok(limits::FIREWALL_RULES as u32)
    );
    let many = of(&["ip"; 100].join(" or "));
    let most = limits::FIREWALL_TESTS / 100;
    for _ in 0..most {
        add(many.clone()).unwrap();
    }
    assert_eq!(add(many.clone()), Err(Error::NoBufferSpace));
    assert!(add(rule).is_ok());
    assert_eq!(left.control::<FlushFirewallRules>("eth0", &None), Ok(most as u32 + 1));
    assert_eq!(left.control::<ResetFirewall>("eth0", &()), Ok(()));
}

#[test]
fn states_are_asked_only_while_a_rule_asks_for_them() {
    let world = World::new(1);
    let (left, right) = hosts(&world);
    let (near, far) = (udp(&left, "10.0.0.1:9"), udp(&right, "10.0.0.2:9"));
    let send = || {
        world.run(reaches(&world, &near, "10.0.0.2:9".parse().unwrap(), &far));
        flows(&left).len()
    };
    lines(&left, "firewall add out accept filter udp");
    assert_eq!(send(), 0);
    lines(&left, "firewall add out continue state new filter udp");
    assert_eq!(send(), 1, "remembered, although another rule decides");
    lines(&left, "firewall remove 2");
    assert_eq!(send(), 0);
}
