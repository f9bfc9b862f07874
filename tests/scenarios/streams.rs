//! TCP between hosts.

use std::time::Duration;

use devnet_network::command::socket::{Direction, SocketState};
use devnet_network::command::{GetStatistics, ListSockets};
use devnet_network::{TcpListener, TcpStream};
use devnet_virtual_file_system::Error;
use futures_lite::future;
use world::World;

use crate::pair::{connection, hosts, pattern, read_to_end};

#[test]
fn a_megabyte_arrives_whole_in_both_directions_and_both_families() {
    for to in ["10.0.0.2:80", "[fd00::2]:80"] {
        let world = World::new(1);
        let (left, right) = hosts(&world);
        let data = pattern(1 << 20);
        world.run(async {
            let (client, server) = connection(&left, &right, to).await;
            let exchange = async |stream: &TcpStream| {
                let send = async {
                    stream.write_all(&data).await?;
                    stream.shutdown(Direction::Write)
                };
                let (sent, received) = future::zip(send, read_to_end(stream)).await;
                sent.unwrap();
                received.unwrap()
            };
            let (answered, received) = future::zip(exchange(&client), exchange(&server)).await;
            assert!(received == data && answered == data);
        });
        let drops = left.control::<GetStatistics>("eth0", &()).unwrap().received_drops;
        assert_eq!(
            (drops.checksum, drops.malformed, drops.segment, drops.full, drops.no_socket),
            (0, 0, 0, 0, 0)
        );
    }
}

#[test]
fn a_connection_to_ourselves_goes_through_loopback() {
    let world = World::new(2);
    let (left, _right) = hosts(&world);
    for to in ["127.0.0.1:9", "10.0.0.1:9", "[::1]:9", "[fd00::1]:9"] {
        world.run(async {
            let listener = TcpListener::bind(&left.sockets(), to.parse().unwrap(), 1).unwrap();
            let client = TcpStream::connect(&left.sockets(), to).await.unwrap();
            let server = listener.accept().await.unwrap();
            client.write_all(b"hello").await.unwrap();
            let mut buffer = [0; 16];
            assert_eq!(server.read(&mut buffer).await.unwrap(), 5, "{to}");
        });
    }
}

#[test]
fn a_closed_port_refuses_and_a_missing_route_is_unreachable() {
    let world = World::new(3);
    let (left, _right) = hosts(&world);
    world.run(async {
        assert_eq!(
            TcpStream::connect(&left.sockets(), "10.0.0.2:81").await.unwrap_err(),
            Error::ConnectionRefused
        );
        assert_eq!(
            TcpStream::connect(&left.sockets(), "10.9.9.9:80").await.unwrap_err(),
            Error::NetworkUnreachable
        );
        assert_eq!(
            TcpStream::connect(&left.sockets(), "10.0.0.2:0").await.unwrap_err(),
            Error::ConnectionRefused
        );
        assert_eq!(
            TcpStream::connect(&left.sockets(), "224.0.0.1:80").await.unwrap_err(),
            Error::NetworkUnreachable
        );
        // Nobody answers for 10.0.0.9: three ARP requests, then the host is unreachable.
        let before = world.now();
        assert_eq!(
            TcpStream::connect(&left.sockets(), "10.0.0.9:80").await.unwrap_err(),
            Error::HostUnreachable
        );
        assert_eq!(world.now().since(before), Duration::from_secs(3));
    });
}

#[test]
fn a_backlog_of_64_takes_64_simultaneous_connects_in_order() {
    let world = World::new(4);
    let (left, right) = hosts(&world);
    world.run(async {
        let listener =
            TcpListener::bind(&right.sockets(), "10.0.0.2:80".parse().unwrap(), 64).unwrap();
        let connects: Vec<_> = (0..64)
            .map(|_| {
                let sockets = left.sockets();
                world.spawn(
                    async move { TcpStream::connect(&sockets, "10.0.0.2:80").await.unwrap() },
                )
            })
            .collect();
        let mut clients = Vec::new();
        for connect in connects {
            clients.push(connect.await);
        }
        world.sleep(Duration::from_millis(1)).await;
        let mut accepted = Vec::new();
        for _ in 0..64 {
            accepted.push(listener.accept().await.unwrap());
        }
        let expected: Vec<_> = clients.iter().map(TcpStream::local_addr).collect();
        let found: Vec<_> = accepted.iter().map(TcpStream::peer_addr).collect();
        assert_eq!(found, expected);
    });
}

#[test]
fn a_full_backlog_delays_clients_and_refuses_none() {
    let world = World::new(5);
    let (left, right) = hosts(&world);
    world.run(async {
        let listener =
            TcpListener::bind(&right.sockets(), "10.0.0.2:80".parse().unwrap(), 4).unwrap();
        let connects: Vec<_> = (0..40)
            .map(|_| {
                let sockets = left.sockets();
                world.spawn(async move { TcpStream::connect(&sockets, "10.0.0.2:80").await })
            })
            .collect();
        for _ in 0..40 {
            drop(listener.accept().await.unwrap());
        }
        for connect in connects {
            connect.await.unwrap();
        }
    });
}

#[test]
fn a_client_that_wrote_and_left_before_accept_is_still_accepted() {
    let world = World::new(6);
    let (left, right) = hosts(&world);
    world.run(async {
        let listener =
            TcpListener::bind(&right.sockets(), "10.0.0.2:80".parse().unwrap(), 4).unwrap();
        let client = TcpStream::connect(&left.sockets(), "10.0.0.2:80").await.unwrap();
        client.write_all(b"short-lived").await.unwrap();
        drop(client);
        world.sleep(Duration::from_secs(2)).await;
        let server = listener.accept().await.unwrap();
        assert_eq!(read_to_end(&server).await.unwrap(), b"short-lived");
    });
}

#[test]
fn dropping_a_stream_delivers_what_was_written_and_the_end() {
    let world = World::new(7);
    let (left, right) = hosts(&world);
    let data = pattern(60_000);
    world.run(async {
        let (client, server) = connection(&left, &right, "10.0.0.2:80").await;
        client.write_all(&data).await.unwrap();
        drop(client);
        assert!(read_to_end(&server).await.unwrap() == data);
    });
}

#[test]
fn tcp_o_14_dropping_a_stream_with_unread_data_resets_it() {
    let world = World::new(8);
    let (left, right) = hosts(&world);
    world.run(async {
        let (client, server) = connection(&left, &right, "10.0.0.2:80").await;
        client.write_all(b"unread").await.unwrap();
        world.sleep(Duration::from_millis(5)).await;
        drop(server);
        world.sleep(Duration::from_millis(5)).await;
        let mut buffer = [0; 4];
        assert_eq!(client.read(&mut buffer).await, Err(Error::ConnectionReset));
        assert_eq!(client.read(&mut buffer).await, Ok(0));
        assert_eq!(client.write(b"x").await, Err(Error::BrokenPipe));
    });
}

#[test]
fn half_close_leaves_the_other_direction_open() {
    let world = World::new(9);
    let (left, right) = hosts(&world);
    world.run(async {
        let (client, server) = connection(&left, &right, "10.0.0.2:80").await;
        client.write_all(b"question").await.unwrap();
        client.shutdown(Direction::Write).unwrap();
        assert_eq!(client.write(b"more").await, Err(Error::BrokenPipe));
        assert_eq!(read_to_end(&server).await.unwrap(), b"question");
        server.write_all(b"answer").await.unwrap();
        server.flush().await.unwrap();
        drop(server);
        assert_eq!(read_to_end(&client).await.unwrap(), b"answer");
    });
}

#[test]
fn ten_thousand_sockets_leave_the_table_at_its_baseline() {
    let world = World::new(10);
    let (left, right) = hosts(&world);
    let listener = TcpListener::bind(&right.sockets(), "10.0.0.2:80".parse().unwrap(), 64).unwrap();
    let baseline = (left.open_sockets(), right.open_sockets());
    world.run(async {
        for _ in 0..10_000 {
            let client = TcpStream::connect(&left.sockets(), "10.0.0.2:80").await.unwrap();
            drop(client);
            drop(listener.accept().await.unwrap());
        }
        world.sleep(Duration::from_secs(2)).await;
        assert_eq!((left.open_sockets(), right.open_sockets()), baseline);
        // Resting tuples are gone after a minute.
        world.sleep(Duration::from_secs(61)).await;
    });
    let resting = |host: &world::Host| {
        host.control::<ListSockets>("eth0", &())
            .unwrap()
            .iter()
            .filter(|socket| socket.state == SocketState::TimeWait)
            .count()
    };
    assert_eq!((resting(&left), resting(&right)), (0, 0));
}

#[test]
fn two_readers_and_a_cancelled_one_lose_nothing() {
    let world = World::new(11);
    let (left, right) = hosts(&world);
    world.run(async {
        let (client, server) = connection(&left, &right, "10.0.0.2:80").await;
        let mut wide = [0; 64];
        // A read that is given up takes nothing, and a smaller one afterwards works.
        assert!(future::poll_once(server.read(&mut wide)).await.is_none());
        client.write_all(b"abcd").await.unwrap();
        let mut narrow = [0; 2];
        assert_eq!(server.read(&mut narrow).await.unwrap(), 2);
        let (mut first, mut second) = ([0; 1], [0; 1]);
        let (one, two) = future::zip(server.read(&mut first), server.read(&mut second)).await;
        assert_eq!((one.unwrap(), two.unwrap()), (1, 1));
        assert_eq!([narrow[0], narrow[1], first[0], second[0]], *b"abcd");
        // Both wait, both are woken.
        let writer = async {
            world.sleep(Duration::from_millis(1)).await;
            client.write_all(b"ef").await.unwrap();
        };
        let ((one, two), ()) =
            future::zip(future::zip(server.read(&mut first), server.read(&mut second)), writer)
                .await;
        assert_eq!((one.unwrap(), two.unwrap()), (1, 1));
    });
}

#[test]
fn a_cancelled_accept_and_connect_leave_nothing_behind() {
    let world = World::new(12);
    let (left, right) = hosts(&world);
    world.run(async {
        let listener =
            TcpListener::bind(&right.sockets(), "10.0.0.2:80".parse().unwrap(), 4).unwrap();
        assert!(future::poll_once(listener.accept()).await.is_none());
        let sockets = left.sockets();
        let baseline = left.open_sockets();
        assert!(future::poll_once(TcpStream::connect(&sockets, "10.0.0.9:80")).await.is_none());
        assert_eq!(left.open_sockets(), baseline);
        let _client = TcpStream::connect(&sockets, "10.0.0.2:80").await.unwrap();
        listener.accept().await.unwrap();
    });
}

#[test]
fn a_port_is_free_again_after_its_listener() {
    let world = World::new(13);
    let (left, _right) = hosts(&world);
    let bind = || TcpListener::bind(&left.sockets(), "0.0.0.0:80".parse().unwrap(), 4);
    let first = bind().unwrap();
    assert_eq!(bind().unwrap_err(), Error::AddressInUse);
    drop(first);
    bind().unwrap();
    assert_eq!(
        TcpListener::bind(&left.sockets(), "10.0.0.77:80".parse().unwrap(), 4).unwrap_err(),
        Error::AddressNotAvailable
    );
    let ephemeral = TcpListener::bind(&left.sockets(), "0.0.0.0:0".parse().unwrap(), 4).unwrap();
    assert_ne!(ephemeral.local_addr().port(), 0);
}

#[test]
fn streams_have_the_faces_of_embedded_io() {
    async fn copy(
        mut from: impl embedded_io_async::Read,
        mut to: impl embedded_io_async::Write,
    ) -> usize {
        let (mut buffer, mut total) = ([0; 1000], 0);
        loop {
            let taken = from.read(&mut buffer).await.unwrap();
            if taken == 0 {
                to.flush().await.unwrap();
                return total;
            }
            to.write_all(&buffer[..taken]).await.unwrap();
            total += taken;
        }
    }
    let world = World::new(14);
    let (left, right) = hosts(&world);
    let data = pattern(100_000);
    world.run(async {
        let (client, server) = connection(&left, &right, "10.0.0.2:80").await;
        let send = async {
            client.write_all(&data).await.unwrap();
            client.shutdown(Direction::Write).unwrap();
        };
        let echo = async {
            assert_eq!(copy(&server, &server).await, data.len());
            server.shutdown(Direction::Write).unwrap();
        };
        let (((), ()), back) = future::zip(future::zip(send, echo), read_to_end(&client)).await;
        assert!(back.unwrap() == data);
    });
}

#[test]
fn a_flush_of_a_dead_connection_ends_whoever_took_its_error() {
    let world = World::new(15);
    let (left, right) = hosts(&world);
    world.run(async {
        let (client, server) = connection(&left, &right, "10.0.0.2:80").await;
        while client.try_write(&[0; 65536]).is_ok() {}
        server.abort();
        world.sleep(Duration::from_millis(5)).await;
        let mut buffer = [0; 4];
        assert_eq!(client.read(&mut buffer).await, Err(Error::ConnectionReset));
        assert_eq!(client.flush().await, Err(Error::BrokenPipe));
    });
}

#[test]
fn a_vanished_peer_ends_in_a_time_out_and_an_idle_one_does_not() {
    let world = World::new(16);
    let (left_end, right_end) = devnet_drivers::cable(crate::pair::options());
    let plug = left_end.control();
    let left = world::Host::new(&world).with("eth0", left_end, &["10.0.0.1/24"]);
    let right = world::Host::new(&world).with("eth0", right_end, &["10.0.0.2/24"]);
    world.run(async {
        let (client, server) = connection(&left, &right, "10.0.0.2:80").await;
        world.sleep(Duration::from_secs(24 * 3600)).await;
        client.write_all(b"still there").await.unwrap();
        client.flush().await.unwrap();
        plug.unplug();
        client.write_all(b"gone").await.unwrap();
        let before = world.now();
        assert_eq!(client.flush().await, Err(Error::HostUnreachable));
        let waited = world.now().since(before).as_secs();
        assert!((890..1000).contains(&waited), "{waited}");
        drop(server);
    });
}

#[test]
fn mem_01_reads_that_were_given_up_are_not_remembered_for_ever() {
    struct Task;
    impl std::task::Wake for Task {
        fn wake(self: std::sync::Arc<Self>) {}
    }
    let world = World::new(18);
    let (left, right) = hosts(&world);
    world.run(async {
        let (client, server) = connection(&left, &right, "10.0.0.2:80").await;
        let tasks: Vec<_> = (0..10_000).map(|_| std::sync::Arc::new(Task)).collect();
        for task in &tasks {
            // Each waits as a task of its own and goes away, as reads with a time limit do.
            let waker = std::task::Waker::from(std::sync::Arc::clone(task));
            let mut buffer = [0; 4];
            assert!(
                server
                    .poll_read(&mut std::task::Context::from_waker(&waker), &mut buffer)
                    .is_pending()
            );
        }
        let held = || tasks.iter().filter(|task| std::sync::Arc::strong_count(task) > 1).count();
        assert!(held() <= 64, "{}", held());
        client.write_all(b"x").await.unwrap();
        world.sleep(Duration::from_millis(5)).await;
        assert_eq!(held(), 0);
        let mut buffer = [0; 4];
        assert_eq!(server.read(&mut buffer).await.unwrap(), 1);
    });
}

/// Connect, a byte each way, and the end from both sides: no packet more than it takes.
#[test]
fn a_short_connection_takes_eight_packets() {
    let world = World::new(77);
    let options = crate::pair::options().medium(devnet_network::driver::Medium::Ip);
    let (left, right) = devnet_drivers::cable(options);
    let left = world::Host::new(&world).with("eth0", left, &["10.0.0.1/24"]);
    let right = world::Host::new(&world).with("eth0", right, &["10.0.0.2/24"]);
    let sent = |host: &world::Host| {
        host.control::<devnet_network::command::GetStatistics>("eth0", &()).unwrap().sent_packets
    };
    world.run(async {
        let listener =
            TcpListener::bind(&right.sockets(), "10.0.0.2:80".parse().unwrap(), 16).unwrap();
        let before = (sent(&left), sent(&right));
        let client = TcpStream::connect(&left.sockets(), "10.0.0.2:80").await.unwrap();
        let server = listener.accept().await.unwrap();
        let mut byte = [0];
        client.write_all(b"a").await.unwrap();
        assert_eq!(server.read(&mut byte).await, Ok(1));
        server.write_all(b"b").await.unwrap();
        assert_eq!(client.read(&mut byte).await, Ok(1));
        drop(client);
        assert_eq!(server.read(&mut byte).await, Ok(0));
        drop(server);
        world.sleep(Duration::from_secs(1)).await;
        // SYN, ACK, data, FIN, ACK; SYN|ACK, data, FIN.
        assert_eq!((sent(&left) - before.0, sent(&right) - before.1), (5, 3));
    });
}
