//! What the settings of a stream do, seen from the wire.

use std::time::Duration;

use devnet_network::command::{Accept, GetOptions, NextConnection};
use devnet_network::{TcpListener, TcpSettings, TcpStream};
use devnet_virtual_file_system::Error;
use world::{Host, World};

use crate::pair::{hosts, read_to_end};
use crate::wire::{ACK, FIN, RST, Segment, Wire};

/// A connection of the wire to a listener with these settings; gives the stream and the numbers
/// (ours, theirs).
async fn accepted(
    world: &World,
    host: &Host,
    wire: &mut Wire,
    settings: TcpSettings,
) -> (TcpStream, u32, u32) {
    let listener =
        TcpListener::bind_with(&host.sockets(), "10.0.0.1:80".parse().unwrap(), 4, settings)
            .unwrap();
    let (_, ours, theirs) = wire.open(world, 5000, 80).await;
    (listener.accept().await.unwrap(), ours, theirs)
}

#[test]
fn tcp_s_12_keep_alive_asks_a_silent_peer_without_an_octet_and_ends_the_connection() {
    let world = World::new(1);
    let (host, mut wire) = Wire::new(&world);
    let settings =
        TcpSettings::default().keep_alive(10_000).keep_alive_interval(2_000).keep_alive_count(3);
    world.run(async {
        let (stream, ours, theirs) = accepted(&world, &host, &mut wire, settings).await;
        world.sleep(Duration::from_secs(9)).await;
        assert!(wire.exchange(&world, None).await.is_empty());
        world.sleep(Duration::from_secs(1)).await;
        let sent = wire.exchange(&world, None).await;
        let [probe] = sent.as_slice() else { panic!("one probe, not {sent:?}") };
        // TCP-S-12: no octet.
        assert_eq!(
            (probe.flags, probe.sequence, probe.data.len()),
            (ACK, theirs.wrapping_sub(1), 0)
        );
        // A peer that answers is left in peace for as long as before.
        wire.exchange(&world, Some(&Segment::new(5000, 80, ACK, ours, theirs))).await;
        world.sleep(Duration::from_secs(9)).await;
        assert!(wire.exchange(&world, None).await.is_empty());
        // A silent one gets three probes, two seconds apart, then a reset.
        let before = world.now();
        let mut buffer = [0; 4];
        assert_eq!(stream.read(&mut buffer).await, Err(Error::TimedOut));
        assert_eq!(world.now().since(before).as_secs(), 6);
        let flags: Vec<u8> =
            wire.exchange(&world, None).await.iter().map(|segment| segment.flags).collect();
        assert_eq!(flags[..3], [ACK; 3]);
        assert!(flags.len() == 4 && flags[3] & RST != 0, "{flags:?}");
    });
}

#[test]
fn tcp_s_10_a_user_timeout_ends_unacknowledged_data_and_no_idle_connection() {
    let world = World::new(2);
    let (host, mut wire) = Wire::new(&world);
    let settings = TcpSettings::default().user_timeout(5_000);
    world.run(async {
        let (stream, ours, theirs) = accepted(&world, &host, &mut wire, settings).await;
        // An idle connection is not its business.
        world.sleep(Duration::from_secs(60)).await;
        stream.write_all(b"lost").await.unwrap();
        let before = world.now();
        let mut sequence = ours;
        for _ in 0..4 {
            world.sleep(Duration::from_secs(1)).await;
            let talk = Segment::new(5000, 80, ACK, sequence, theirs).data(b"x");
            sequence = talk.end();
            wire.exchange(&world, Some(&talk)).await;
        }
        assert_eq!(stream.flush().await, Err(Error::TimedOut));
        assert_eq!(world.now().since(before).as_millis(), 5000);
    });
}

#[test]
fn linger_of_nothing_resets_and_one_of_a_while_gives_up_after_it() {
    let world = World::new(3);
    let (host, mut wire) = Wire::new(&world);
    world.run(async {
        let at_once = TcpSettings::default().linger(Some(0));
        let (stream, ours, theirs) = accepted(&world, &host, &mut wire, at_once).await;
        stream.write_all(b"never mind").await.unwrap();
        wire.exchange(&world, None).await;
        drop(stream);
        let sent = wire.exchange(&world, None).await;
        assert!(sent.len() == 1 && sent[0].flags & RST != 0, "{sent:?}");
        assert_eq!(host.open_sockets(), 0);
        let _ = (ours, theirs);
    });
    let world = World::new(4);
    let (host, mut wire) = Wire::new(&world);
    world.run(async {
        let a_while = TcpSettings::default().linger(Some(3_000));
        let (stream, ..) = accepted(&world, &host, &mut wire, a_while).await;
        stream.write_all(b"try").await.unwrap();
        drop(stream);
        let sent = wire.exchange(&world, None).await;
        assert!(sent.iter().any(|segment| segment.flags & FIN != 0), "{sent:?}");
        assert_eq!(host.open_sockets(), 1);
        world.sleep(Duration::from_secs(4)).await;
        let sent = wire.exchange(&world, None).await;
        assert!(sent.iter().any(|segment| segment.flags & RST != 0), "{sent:?}");
        assert_eq!(host.open_sockets(), 0);
    });
}

#[test]
fn ip4_03_hop_limit_and_traffic_class_hold_for_every_segment() {
    let world = World::new(5);
    let (host, mut wire) = Wire::new(&world);
    let settings = TcpSettings::default().hop_limit(Some(7)).traffic_class(0xb8);
    world.run(async {
        let listener =
            TcpListener::bind_with(&host.sockets(), "10.0.0.1:80".parse().unwrap(), 4, settings)
                .unwrap();
        let (answer, ours, theirs) = wire.open(&world, 5000, 80).await;
        let stream = listener.accept().await.unwrap();
        let mut sent = vec![answer];
        // An immediate ACK for a hole, a challenge ACK, data, a reset.
        let hole = Segment::new(5000, 80, ACK, ours.wrapping_add(10), theirs).data(b"later");
        sent.extend(wire.exchange(&world, Some(&hole)).await);
        sent.extend(
            wire.exchange(&world, Some(&Segment::new(5000, 80, crate::wire::SYN, ours, 0))).await,
        );
        stream.write_all(&[0; 5000]).await.unwrap();
        sent.extend(wire.exchange(&world, None).await);
        stream.abort();
        sent.extend(wire.exchange(&world, None).await);
        assert!(sent.len() >= 7 && sent.iter().any(|segment| segment.flags & RST != 0), "{sent:?}");
        for segment in sent {
            assert_eq!((segment.hop_limit, segment.traffic_class), (7, 0xb8), "{segment:?}");
        }
    });
}

#[test]
fn listeners_that_share_an_address_share_its_connections() {
    let world = World::new(6);
    let (left, right) = hosts(&world);
    let address = "10.0.0.2:80".parse().unwrap();
    let shared = TcpSettings::default().reuse_port(true);
    let bind = |settings| TcpListener::bind_with(&right.sockets(), address, 64, settings);
    world.run(async {
        let first = bind(shared).unwrap();
        assert_eq!(bind(TcpSettings::default()).unwrap_err(), Error::AddressInUse);
        let second = bind(shared).unwrap();
        let mut clients = Vec::new();
        for _ in 0..64 {
            clients.push(TcpStream::connect(&left.sockets(), address).await.unwrap());
        }
        world.sleep(Duration::from_millis(5)).await;
        let count =
            |listener: &TcpListener| std::iter::from_fn(|| listener.try_accept().ok()).count();
        let (one, other) = (count(&first), count(&second));
        assert_eq!(one + other, 64);
        assert!(one > 10 && other > 10, "{one} and {other}");
        drop(first);
        // Who is left gets all.
        TcpStream::connect(&left.sockets(), address).await.unwrap();
        world.sleep(Duration::from_millis(5)).await;
        assert_eq!(count(&second), 1);
    });
}

#[test]
fn halves_are_streams_of_one_direction_each() {
    let world = World::new(7);
    let (left, right) = hosts(&world);
    world.run(async {
        let (client, server) = crate::pair::connection(&left, &right, "10.0.0.2:80").await;
        let (reader, writer) = client.into_split();
        writer.write_all(b"question").await.unwrap();
        drop(writer);
        assert_eq!(read_to_end(&server).await.unwrap(), b"question");
        server.write_all(b"answer").await.unwrap();
        drop(server);
        let mut buffer = [0; 16];
        assert_eq!(reader.read(&mut buffer).await.unwrap(), 6);
        assert_eq!(reader.read(&mut buffer).await.unwrap(), 0);
        drop(reader);
        world.sleep(Duration::from_secs(1)).await;
        assert_eq!((left.open_sockets(), right.open_sockets()), (0, 0));
    });
}

#[test]
fn peeking_takes_nothing() {
    let world = World::new(8);
    let (left, right) = hosts(&world);
    world.run(async {
        let (client, server) = crate::pair::connection(&left, &right, "10.0.0.2:80").await;
        client.write_all(b"twice").await.unwrap();
        let mut buffer = [0; 16];
        assert_eq!(server.peek(&mut buffer).await.unwrap(), 5);
        assert_eq!(server.peek(&mut buffer[..2]).await.unwrap(), 2);
        assert_eq!(server.read(&mut buffer).await.unwrap(), 5);
        assert_eq!(&buffer[..5], b"twice");
        drop(client);
        assert_eq!(server.peek(&mut buffer).await.unwrap(), 0);
    });
}

#[test]
fn segments_fit_the_peer_and_the_path() {
    let world = World::new(9);
    let (host, mut wire) = Wire::new(&world);
    world.run(async {
        let listener =
            TcpListener::bind(&host.sockets(), "10.0.0.1:80".parse().unwrap(), 4).unwrap();
        // A peer that takes 700 bytes at most, and one that says nothing (TCP-R-08, RFC 9293
        // MUST-15).
        for (port, options, size) in
            [(5000, &[2, 4, 2, 188][..], 700), (5001, &[], 536), (5002, &[2, 4, 255, 255], 1460)]
        {
            let mut syn = Segment::new(port, 80, crate::wire::SYN, 1000, 0);
            syn.options = options.to_vec();
            let sent = wire.exchange(&world, Some(&syn)).await;
            // What we take is what the link carries.
            assert!(sent[0].options.windows(4).any(|option| option == [2, 4, 5, 180]), "{sent:?}");
            let theirs = sent[0].sequence.wrapping_add(1);
            let mut acknowledge = Segment::new(port, 80, ACK, 1001, theirs);
            acknowledge.window = 60_000;
            wire.exchange(&world, Some(&acknowledge)).await;
            let stream = listener.accept().await.unwrap();
            let data = crate::pair::pattern(20_001);
            stream.write_all(&data).await.unwrap();
            let mut sent = wire.exchange(&world, None).await;
            assert_eq!(sent.len(), 10, "the initial window (CC-02)");
            while let Some(last) =
                sent.last().filter(|last| last.end() != theirs.wrapping_add(20_001))
            {
                acknowledge.acknowledgment = last.end();
                let more = wire.exchange(&world, Some(&acknowledge)).await;
                assert!(!more.is_empty());
                sent.extend(more);
            }
            let (last, rest) = sent.split_last().unwrap();
            assert!(
                rest.iter().all(|segment| segment.data.len() == size && segment.flags == ACK),
                "{size}"
            );
            assert_eq!(last.flags, ACK | 8, "PSH on the last");
            let mut expected = theirs;
            for segment in &sent {
                assert_eq!(segment.sequence, expected);
                expected = segment.end();
            }
            assert_eq!(
                sent.iter().flat_map(|segment| segment.data.clone()).collect::<Vec<_>>(),
                data
            );
            stream.abort();
            wire.exchange(&world, None).await;
        }
    });
}

#[test]
fn an_ipv6_listener_may_leave_ipv4_to_another() {
    let world = World::new(10);
    let (left, right) = hosts(&world);
    let (everything, of_ipv4) = ("[::]:80".parse().unwrap(), "0.0.0.0:80".parse().unwrap());
    let only = TcpSettings::default().only_ipv6(true);
    world.run(async {
        let six = TcpListener::bind_with(&right.sockets(), everything, 4, only).unwrap();
        let connect = async |to: &str| TcpStream::connect(&left.sockets(), to).await.map(drop);
        assert_eq!(connect("10.0.0.2:80").await, Err(Error::ConnectionRefused));
        assert_eq!(connect("[fd00::2]:80").await, Ok(()));
        let four = TcpListener::bind(&right.sockets(), of_ipv4, 4).unwrap();
        connect("10.0.0.2:80").await.unwrap();
        assert!(six.accept().await.unwrap().peer_addr().is_ipv6());
        assert!(four.accept().await.unwrap().peer_addr().is_ipv4());
        drop((six, four));
        // The same in text: IPV6_V6ONLY comes before the address.
        let six = right.open("sockets");
        right.write(&six, "socket tcp\noption only-ipv6 on\nbind *:80\nlisten").unwrap();
        assert_eq!(right.write(&six, "option only-ipv6 off"), Err(Error::InvalidInput));
        let told = six.try_control::<GetOptions>(&()).unwrap();
        assert!(told.stream.unwrap().only_ipv6);
        let four = right.open("sockets");
        right.write(&four, "socket tcp\nbind 0.0.0.0:80\nlisten").unwrap();
        connect("10.0.0.2:80").await.unwrap();
        assert!(four.control::<NextConnection>(&()).await.unwrap().remote.is_ipv4());
    });
}

/// As Linux: a connection gets what its listener has when the handshake ends, and keeps it.
#[test]
fn options_of_a_listener_hold_for_later_connections() {
    let world = World::new(11);
    let (host, mut wire) = Wire::new(&world);
    world.run(async {
        let listener = host.open("sockets");
        host.write(&listener, "socket tcp\nbind 10.0.0.1:80\nlisten").unwrap();
        wire.open(&world, 5000, 80).await;
        for line in
            ["hop-limit 9", "no-delay on", "keep-alive 5000", "linger 0", "send-buffer 4096"]
        {
            host.write(&listener, &format!("option {line}")).unwrap();
        }
        let (answer, ..) = wire.open(&world, 5001, 80).await;
        assert_eq!(answer.hop_limit, 9);
        for line in ["hop-limit 0", "only-ipv6 on", "bind-to-device eth0", "keep-alive 1"] {
            assert_eq!(
                host.write(&listener, &format!("option {line}")),
                Err(Error::InvalidInput),
                "{line}"
            );
        }
        assert_eq!(
            host.write(&listener, "option broadcast on"),
            Err(Error::ProtocolOptionNotAvailable)
        );
        let mut seen = Vec::new();
        for _ in 0..2 {
            let (offer, file) =
                (listener.control::<NextConnection>(&()).await.unwrap(), host.open("sockets"));
            file.control::<Accept>(&offer.token).await.unwrap();
            let told = file.control::<GetOptions>(&()).await.unwrap();
            let stream = told.stream.unwrap();
            seen.push((
                told.hop_limit,
                stream.no_delay,
                stream.keep_alive,
                stream.linger,
                stream.send_buffer,
            ));
            file.write_all(b"x").await.unwrap();
            let sent = wire.exchange(&world, None).await;
            assert!(
                sent.iter()
                    .any(|segment| segment.data == b"x" && segment.hop_limit == told.hop_limit),
                "{sent:?}"
            );
        }
        assert_eq!(seen, [(64, false, 0, None, 65536), (9, true, 5000, Some(0), 4096)]);
        wire.exchange(&world, None).await;
        // The same from Rust.
        let other = TcpListener::bind(&host.sockets(), "10.0.0.1:81".parse().unwrap(), 4).unwrap();
        other.set_settings(other.settings().hop_limit(Some(7)));
        assert_eq!(wire.open(&world, 5002, 81).await.0.hop_limit, 7);
    });
}

/// PMT-05, PMT-01: what we send follows the path, when the connection begins and when it turns out
/// narrower. What we announce does not: the way to us is another one.
#[test]
fn pmt_05_segments_follow_the_path() {
    let world = World::new(12);
    let (host, mut wire) = Wire::new(&world);
    world.run(async {
        let listener =
            TcpListener::bind(&host.sockets(), "10.0.0.1:80".parse().unwrap(), 4).unwrap();
        let mut syn = Segment::new(5000, 80, crate::wire::SYN, 1000, 0);
        syn.options = vec![2, 4, 5, 180];
        let answer = wire.exchange(&world, Some(&syn)).await.remove(0);
        let theirs = answer.sequence.wrapping_add(1);
        wire.exchange(&world, Some(&Segment::new(5000, 80, ACK, 1001, theirs))).await;
        let stream = listener.accept().await.unwrap();
        stream.write_all(&[7; 4000]).await.unwrap();
        world.sleep(Duration::from_millis(1)).await;
        let large =
            std::iter::from_fn(|| wire.packet()).find(|packet| packet.len() == 1500).unwrap();
        while wire.packet().is_some() {}
        // A router on the way carries a thousand bytes.
        let narrow = crate::station::icmp(3, 4, [0, 0, 3, 232], &large[..28]);
        wire.put(&crate::wire::ipv4(crate::wire::PEER, crate::wire::HOST, 1, &narrow));
        world.sleep(Duration::from_secs(2)).await;
        let sent = wire.exchange(&world, None).await;
        assert!(sent.iter().any(|segment| segment.sequence == theirs), "{sent:?}");
        assert!(sent.iter().all(|segment| segment.data.len() <= 960), "{sent:?}");
        // The next connection knows.
        syn.peer = 5001;
        let answer = wire.exchange(&world, Some(&syn)).await.remove(0);
        assert_eq!(answer.options[..4], [2, 4, 5, 180]);
        let theirs = answer.sequence.wrapping_add(1);
        wire.exchange(&world, Some(&Segment::new(5001, 80, ACK, 1001, theirs))).await;
        let stream = listener.accept().await.unwrap();
        stream.write_all(&[7; 4000]).await.unwrap();
        let sent = wire.exchange(&world, None).await;
        let longest = sent
            .iter()
            .filter(|segment| segment.peer == 5001)
            .map(|segment| segment.data.len())
            .max();
        assert_eq!(longest, Some(960));
    });
}
