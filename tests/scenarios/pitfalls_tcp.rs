//! Opening and closing, told by packets: one test for each line of what small stacks get wrong,
//! named by its number.

use std::time::Duration;

use devnet_network::command::socket::SocketState;
use devnet_network::command::{GetStatistics, ListSockets};
use devnet_network::{TcpListener, TcpSettings, TcpStream};
use devnet_virtual_file_system::Error;
use futures_lite::future;
use world::{Host, World};

use crate::pair::{connection, hosts, read_to_end};
use crate::wire::{ACK, FIN, PEER, RST, SYN, Segment, Wire};

fn listen(host: &Host) -> TcpListener {
    TcpListener::bind(&host.sockets(), "10.0.0.1:80".parse().unwrap(), 16).unwrap()
}

fn peer(port: u16) -> std::net::SocketAddr {
    (PEER, port).into()
}

fn connections(host: &Host, state: SocketState) -> usize {
    let all = host.control::<ListSockets>("eth0", &()).unwrap();
    all.iter().filter(|socket| socket.state == state).count()
}

#[test]
fn tcp_o_01_a_syn_for_a_connect_whose_own_syn_has_not_left_harms_nobody() {
    let world = World::new(1);
    // Ethernet, and nobody answers ARP: the SYN waits for the neighbor.
    let (end, mut hand) = devnet_drivers::cable(crate::pair::options());
    let host = Host::new(&world).with("eth0", end, &["10.0.0.1/24"]);
    world.run(async {
        let sockets = host.sockets();
        let local = Some("10.0.0.1:4000".parse().unwrap());
        let settings = TcpSettings::default();
        let mut connect = Box::pin(TcpStream::connect_with(&sockets, local, peer(80), &settings));
        assert!(future::poll_once(&mut connect).await.is_none());
        for flags in [SYN, SYN | ACK, ACK, RST, RST | ACK, FIN | ACK] {
            for acknowledgment in [0, 1, u32::MAX] {
                let segment = Segment::new(80, 4000, flags, 77, acknowledgment);
                let mut frame = vec![2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 9, 8, 0];
                frame.extend(crate::wire::packet_of(&segment));
                crate::wire::transmit(&mut hand, &frame);
                world.sleep(Duration::from_millis(1)).await;
            }
        }
        // The host still works.
        assert!(connect.await.is_err());
        assert_eq!(host.open_sockets(), 0);
    });
}

#[test]
fn tcp_o_02_a_buffer_of_no_bytes_is_as_large_as_the_smallest() {
    let world = World::new(2);
    let (left, right) = hosts(&world);
    world.run(async {
        let settings = TcpSettings::default().receive_buffer(Some(0)).send_buffer(Some(0));
        let address = "10.0.0.2:80".parse().unwrap();
        let listener = TcpListener::bind_with(&right.sockets(), address, 4, settings).unwrap();
        let client =
            TcpStream::connect_with(&left.sockets(), None, address, &settings).await.unwrap();
        let server = listener.accept().await.unwrap();
        let data = crate::pair::pattern(100_000);
        let send = async {
            client.write_all(&data).await.unwrap();
            drop(client);
        };
        let ((), received) = future::zip(send, read_to_end(&server)).await;
        assert!(received.unwrap() == data);
    });
}

#[test]
fn tcp_o_03_closing_before_the_handshake_is_over_leaves_no_connection() {
    let world = World::new(3);
    let (host, mut wire) = Wire::new(&world);
    world.run(async {
        let listener = listen(&host);
        let sent = wire.exchange(&world, Some(&Segment::new(5000, 80, SYN, 1000, 0))).await;
        assert_eq!(sent[0].flags, SYN | ACK);
        drop(listener);
        // The peer hears of it, and its late ACK is refused.
        let sent = wire.exchange(&world, None).await;
        assert!(sent.iter().any(|segment| segment.flags & RST != 0), "{sent:?}");
        let late = Segment::new(5000, 80, ACK, 1001, sent[0].sequence);
        let sent = wire.exchange(&world, Some(&late)).await;
        assert!(sent.iter().all(|segment| segment.flags == RST) && sent.len() == 1, "{sent:?}");
        assert_eq!(host.open_sockets(), 0);
    });
}

/// A connection that the host closed first; the peer closed too. Gives the numbers (ours, theirs).
async fn rest(world: &World, host: &Host, wire: &mut Wire, port: u16) -> (u32, u32) {
    let listener = listen(host);
    let (_, ours, theirs) = wire.open(world, port, 80).await;
    drop(listener.accept().await.unwrap());
    let sent = wire.exchange(world, None).await;
    assert!(sent.iter().any(|segment| segment.flags & FIN != 0), "{sent:?}");
    let fin = Segment::new(port, 80, FIN | ACK, ours, theirs.wrapping_add(1));
    let sent = wire.exchange(world, Some(&fin)).await;
    assert!(sent.iter().any(|segment| segment.acknowledgment == ours.wrapping_add(1)), "{sent:?}");
    assert_eq!(connections(host, SocketState::TimeWait), 1);
    (ours.wrapping_add(1), theirs.wrapping_add(1))
}

#[test]
fn tcp_o_04_time_wait_lasts_a_minute_and_answers_a_repeated_fin() {
    let world = World::new(4);
    let (host, mut wire) = Wire::new(&world);
    world.run(async {
        let (ours, theirs) = rest(&world, &host, &mut wire, 5000).await;
        world.sleep(Duration::from_secs(30)).await;
        let fin = Segment::new(5000, 80, FIN | ACK, ours.wrapping_sub(1), theirs);
        let sent = wire.exchange(&world, Some(&fin)).await;
        assert_eq!(sent.len(), 1, "{sent:?}");
        assert_eq!((sent[0].flags, sent[0].sequence, sent[0].acknowledgment), (ACK, theirs, ours));
        // The FIN restarted the minute.
        world.sleep(Duration::from_secs(59)).await;
        assert_eq!(connections(&host, SocketState::TimeWait), 1);
        world.sleep(Duration::from_secs(2)).await;
        assert_eq!(connections(&host, SocketState::TimeWait), 0);
    });
}

#[test]
fn tcp_o_05_old_segments_do_not_prolong_time_wait() {
    let world = World::new(5);
    let (host, mut wire) = Wire::new(&world);
    world.run(async {
        let (ours, theirs) = rest(&world, &host, &mut wire, 5000).await;
        for _ in 0..61 {
            for segment in [
                Segment::new(5000, 80, ACK, ours, theirs),
                Segment::new(5000, 80, ACK, ours.wrapping_sub(1), theirs).data(b"x"),
                Segment::new(5000, 80, ACK, ours.wrapping_sub(5000), theirs),
                Segment::new(5000, 80, RST, ours, 0),
            ] {
                wire.exchange(&world, Some(&segment)).await;
            }
            world.sleep(Duration::from_secs(1)).await;
        }
        assert_eq!(connections(&host, SocketState::TimeWait), 0);
    });
}

#[test]
fn tcp_o_06_a_newer_syn_reopens_a_resting_tuple_and_an_older_one_earns_an_ack() {
    let world = World::new(6);
    let (host, mut wire) = Wire::new(&world);
    world.run(async {
        let (ours, theirs) = rest(&world, &host, &mut wire, 5000).await;
        let listener = listen(&host);
        let older = Segment::new(5000, 80, SYN, ours.wrapping_sub(500), 0);
        let sent = wire.exchange(&world, Some(&older)).await;
        assert_eq!((sent.len(), sent[0].flags, sent[0].acknowledgment), (1, ACK, ours), "{sent:?}");
        let newer = Segment::new(5000, 80, SYN, ours.wrapping_add(500), 0);
        let sent = wire.exchange(&world, Some(&newer)).await;
        assert_eq!((sent.len(), sent[0].flags), (1, SYN | ACK), "{sent:?}");
        let acknowledge =
            Segment::new(5000, 80, ACK, ours.wrapping_add(501), sent[0].sequence.wrapping_add(1));
        wire.exchange(&world, Some(&acknowledge)).await;
        assert_eq!(listener.try_accept().unwrap().peer_addr(), peer(5000));
        let _ = theirs;
    });
}

#[test]
fn tcp_o_07_a_resting_tuple_cannot_be_connected_again() {
    let world = World::new(7);
    let (left, right) = hosts(&world);
    world.run(async {
        let address = "10.0.0.2:80".parse().unwrap();
        let listener = TcpListener::bind(&right.sockets(), address, 4).unwrap();
        let (sockets, local) = (left.sockets(), Some("10.0.0.1:4000".parse().unwrap()));
        let settings = TcpSettings::default();
        let connect = || TcpStream::connect_with(&sockets, local, address, &settings);
        let client = connect().await.unwrap();
        let server = listener.accept().await.unwrap();
        assert_eq!(connect().await.unwrap_err(), Error::AddressNotAvailable);
        drop(client);
        assert_eq!(read_to_end(&server).await.unwrap(), b"");
        drop(server);
        world.sleep(Duration::from_secs(1)).await;
        assert_eq!(connect().await.unwrap_err(), Error::AddressNotAvailable);
        world.sleep(Duration::from_secs(61)).await;
        connect().await.unwrap();
    });
}

#[test]
fn tcp_o_08_fin_wait_2_of_a_closed_stream_ends_after_a_minute_and_a_half_closed_one_stays() {
    let world = World::new(8);
    let (host, mut wire) = Wire::new(&world);
    world.run(async {
        let listener = listen(&host);
        let (_, ours, theirs) = wire.open(&world, 5000, 80).await;
        let closed = listener.accept().await.unwrap();
        let (_, _, half) = wire.open(&world, 5001, 80).await;
        let half_closed = listener.accept().await.unwrap();
        drop(closed);
        half_closed.shutdown(devnet_network::command::socket::Direction::Write).unwrap();
        wire.exchange(&world, None).await;
        wire.exchange(&world, Some(&Segment::new(5000, 80, ACK, ours, theirs.wrapping_add(1))))
            .await;
        wire.exchange(&world, Some(&Segment::new(5001, 80, ACK, ours, half.wrapping_add(1)))).await;
        assert_eq!(connections(&host, SocketState::FinWait2), 2);
        world.sleep(Duration::from_secs(65)).await;
        assert_eq!(connections(&host, SocketState::FinWait2), 1);
        drop(half_closed);
        world.sleep(Duration::from_secs(65)).await;
        assert_eq!(connections(&host, SocketState::FinWait2), 0);
    });
}

#[test]
fn tcp_o_09_a_repeated_syn_makes_no_second_connection() {
    let world = World::new(9);
    let (host, mut wire) = Wire::new(&world);
    world.run(async {
        let listener = listen(&host);
        let (answer, ours, theirs) = wire.open(&world, 5000, 80).await;
        let again = Segment::new(5000, 80, SYN, 1000, 0);
        let sent = wire.exchange(&world, Some(&again)).await;
        // One challenge ACK (TCP-X-02).
        assert_eq!((sent.len(), sent[0].flags, sent[0].acknowledgment), (1, ACK, ours), "{sent:?}");
        let stream = listener.accept().await.unwrap();
        wire.exchange(&world, Some(&again)).await;
        assert_eq!(listener.try_accept().unwrap_err(), Error::WouldBlock);
        wire.exchange(&world, Some(&Segment::new(5000, 80, ACK, ours, theirs).data(b"still here")))
            .await;
        let mut buffer = [0; 32];
        assert_eq!(stream.try_read(&mut buffer).unwrap(), 10);
        assert_eq!(answer.flags, SYN | ACK);
    });
}

#[test]
fn tcp_o_10_half_open_connections_age_out_and_are_bounded() {
    let world = World::new(10);
    let (host, mut wire) = Wire::new(&world);
    world.run(async {
        let listener = listen(&host);
        for port in 0..2000 {
            wire.exchange(&world, Some(&Segment::new(2000 + port, 80, SYN, 1, 0))).await;
        }
        assert_eq!(connections(&host, SocketState::SynReceived), devnet_network::limits::HALF_OPEN);
        let mut repeated = 0;
        for _ in 0..64 {
            world.sleep(Duration::from_secs(1)).await;
            repeated += wire.exchange(&world, None).await.len();
        }
        assert!(repeated > 0, "SYN|ACK is repeated");
        assert_eq!(host.open_sockets(), 1);
        // And the listener works.
        wire.open(&world, 5000, 80).await;
        listener.try_accept().unwrap();
    });
}

#[test]
fn tcp_o_11_destinations_that_cannot_be_connected_fail_at_once() {
    let world = World::new(11);
    let (left, _right) = hosts(&world);
    world.run(async {
        for (to, error) in [
            ("10.0.0.255:80", Error::NetworkUnreachable),
            ("255.255.255.255:80", Error::NetworkUnreachable),
            ("224.0.0.5:80", Error::NetworkUnreachable),
            ("[ff02::1]:80", Error::NetworkUnreachable),
            ("0.0.0.0:80", Error::ConnectionRefused),
            ("10.0.0.2:0", Error::ConnectionRefused),
            ("192.0.2.1:80", Error::NetworkUnreachable),
            ("[2001:db8::1]:80", Error::NetworkUnreachable),
        ] {
            let before = world.now();
            let outcome = TcpStream::connect(&left.sockets(), to).await;
            assert_eq!(outcome.unwrap_err(), error, "{to}");
            assert_eq!(world.now(), before, "{to}");
        }
        let local = Some("[fd00::1]:0".parse().unwrap());
        let sockets = left.sockets();
        let settings = TcpSettings::default();
        let mixed = TcpStream::connect_with(&sockets, local, "10.0.0.2:80", &settings);
        assert_eq!(mixed.await.unwrap_err(), Error::InvalidInput);
    });
}

#[test]
fn tcp_o_12_a_local_address_that_is_not_ours_is_refused() {
    let world = World::new(12);
    let (left, _right) = hosts(&world);
    world.run(async {
        let (sockets, remote) = (left.sockets(), "10.0.0.2:80");
        let local = Some("10.0.0.77:0".parse().unwrap());
        let outcome =
            TcpStream::connect_with(&sockets, local, remote, &TcpSettings::default()).await;
        assert_eq!(outcome.unwrap_err(), Error::AddressNotAvailable);
        assert_eq!(left.open_sockets(), 0);
    });
}

#[test]
fn tcp_o_13_a_removed_address_lets_received_data_be_read_then_fails() {
    let world = World::new(13);
    let (left, right) = hosts(&world);
    world.run(async {
        let (client, server) = connection(&left, &right, "10.0.0.2:80").await;
        client.write_all(b"before").await.unwrap();
        world.sleep(Duration::from_millis(5)).await;
        right.write(&right.open("eth0"), "address remove 10.0.0.2/24").unwrap();
        let mut buffer = [0; 32];
        assert_eq!(server.read(&mut buffer).await, Ok(6));
        assert!(server.read(&mut buffer).await.is_err());
        world.sleep(Duration::from_millis(5)).await;
        assert_eq!(client.read(&mut buffer).await, Err(Error::ConnectionReset));
    });
}

#[test]
fn tcp_x_04_segments_to_everybody_are_dropped_and_harm_no_listener() {
    let world = World::new(14);
    let (host, mut wire) = Wire::new(&world);
    world.run(async {
        let listener =
            TcpListener::bind(&host.sockets(), "0.0.0.0:80".parse().unwrap(), 4).unwrap();
        for to in ["10.0.0.255", "255.255.255.255", "224.0.0.1"] {
            for flags in [SYN, ACK, RST, FIN] {
                wire.send_to(&Segment::new(5000, 80, flags, 1, 1), to.parse().unwrap());
                let sent = wire.exchange(&world, None).await;
                assert!(sent.is_empty(), "{to}: {sent:?}");
            }
        }
        assert!(host.control::<GetStatistics>("eth0", &()).unwrap().received_drops.total() >= 12);
        wire.open(&world, 5000, 80).await;
        listener.try_accept().unwrap();
    });
}

#[test]
fn the_last_acknowledgment_leaves_before_the_connection_rests() {
    let world = World::new(15);
    let (host, mut wire) = Wire::new(&world);
    world.run(async {
        let listener = listen(&host);
        let (_, ours, theirs) = wire.open(&world, 5000, 80).await;
        let stream = listener.accept().await.unwrap();
        stream.shutdown(devnet_network::command::socket::Direction::Write).unwrap();
        wire.exchange(&world, None).await;
        wire.exchange(&world, Some(&Segment::new(5000, 80, ACK, ours, theirs.wrapping_add(1))))
            .await;
        // Data begins the delay of its acknowledgment; the end comes within it, and the program
        // leaves at once.
        let data = Segment::new(5000, 80, ACK, ours, theirs.wrapping_add(1)).data(b"last words");
        wire.exchange(&world, Some(&data)).await;
        let mut buffer = [0; 16];
        assert_eq!(stream.try_read(&mut buffer).unwrap(), 10);
        let fin = Segment::new(5000, 80, FIN | ACK, data.end(), theirs.wrapping_add(1));
        let mut sent = wire.exchange(&world, Some(&fin)).await;
        drop(stream);
        sent.extend(wire.exchange(&world, None).await);
        assert!(sent.iter().any(|segment| segment.acknowledgment == fin.end()), "{sent:?}");
        // And what it says afterwards is the same.
        let sent = wire.exchange(&world, Some(&fin)).await;
        assert_eq!((sent.len(), sent[0].acknowledgment), (1, fin.end()), "{sent:?}");
    });
}

#[test]
fn tcp_r_04_nothing_comes_behind_the_peers_end() {
    let world = World::new(16);
    let (host, mut wire) = Wire::new(&world);
    world.run(async {
        let listener = listen(&host);
        let (_, ours, theirs) = wire.open(&world, 5000, 80).await;
        let stream = listener.accept().await.unwrap();
        let mut buffer = [0; 64];
        // The end first, then data below and beyond it, and another end.
        wire.exchange(
            &world,
            Some(&Segment::new(5000, 80, FIN | ACK, ours.wrapping_add(4), theirs)),
        )
        .await;
        wire.exchange(
            &world,
            Some(&Segment::new(5000, 80, ACK, ours.wrapping_add(2), theirs).data(b"cdEFGH")),
        )
        .await;
        wire.exchange(&world, Some(&Segment::new(5000, 80, ACK, ours, theirs).data(b"ab"))).await;
        assert_eq!(stream.try_read(&mut buffer), Ok(4));
        assert_eq!(&buffer[..4], b"abcd");
        wire.exchange(
            &world,
            Some(&Segment::new(5000, 80, FIN | ACK, ours.wrapping_add(9), theirs)),
        )
        .await;
        wire.exchange(
            &world,
            Some(&Segment::new(5000, 80, FIN | ACK, ours.wrapping_add(4), theirs)),
        )
        .await;
        assert_eq!(stream.try_read(&mut buffer), Ok(0));
        wire.exchange(
            &world,
            Some(&Segment::new(5000, 80, ACK, ours.wrapping_add(4), theirs).data(b"more")),
        )
        .await;
        wire.exchange(
            &world,
            Some(&Segment::new(5000, 80, ACK, ours.wrapping_add(5), theirs).data(b"more")),
        )
        .await;
        assert_eq!(stream.try_read(&mut buffer), Ok(0));
    });
}
