//! What a crowd of peers can take from everybody else: memory of connections.

use std::time::Duration;

use devnet_network::command::ListUsage;
use devnet_network::{TcpListener, TcpSettings, TcpStream, limits};
use devnet_virtual_file_system::Error;
use world::{Host, World};

use crate::pair::hosts;

const SERVER: &str = "10.0.0.2:80";

/// Connections from the first host to a listener on the second.
async fn crowd(left: &Host, right: &Host, count: usize) -> Vec<(TcpStream, TcpStream)> {
    let listener = TcpListener::bind(&right.sockets(), SERVER.parse().unwrap(), 16).unwrap();
    let mut pairs = Vec::new();
    for _ in 0..count {
        let client = TcpStream::connect(&left.sockets(), SERVER).await.unwrap();
        pairs.push((client, listener.accept().await.unwrap()));
    }
    pairs
}

/// Writes until the stream takes no more for a while.
async fn fill(world: &World, stream: &TcpStream) {
    let data = [7; 65_536];
    loop {
        if matches!(stream.try_write(&data), Err(_) | Ok(0)) {
            world.sleep(Duration::from_millis(1)).await;
            if !matches!(stream.try_write(&data), Ok(1..)) {
                break;
            }
        }
    }
}

fn memory(host: &Host) -> usize {
    host.manager.tcp_memory().0
}

/// Transfers so many bytes; returns how long that took.
async fn transfer(world: &World, from: &TcpStream, to: &TcpStream, bytes: usize) -> Duration {
    let began = world.now();
    let write = async {
        let data = vec![1; bytes];
        from.write_all(&data).await.unwrap();
    };
    let read = async {
        let (mut rest, mut buffer) = (bytes, vec![0; 65_536]);
        while rest > 0 {
            rest -= to.read(&mut buffer).await.unwrap();
        }
    };
    futures_lite::future::zip(write, read).await;
    world.now().since(began)
}

#[test]
fn hold_14_peers_that_take_nothing_give_way_when_memory_is_short() {
    const LIMIT: usize = 32 * 1024 * 1024;
    let world = World::new(1);
    let (left, right) = hosts(&world);
    right.manager.set_tcp_memory(LIMIT);
    world.run(async {
        let mut pairs = crowd(&left, &right, 400).await;
        let (client, server) = pairs.pop().unwrap();
        let alone = transfer(&world, &server, &client, 4 << 20).await;
        for (_, server) in &pairs {
            fill(&world, server).await;
        }
        // What each may hold without memory is on top of it.
        assert!(memory(&right) <= LIMIT + 400 * 2 * limits::TCP_BUFFER_KEPT, "{}", memory(&right));
        // Who takes goes on at once.
        let beside = transfer(&world, &server, &client, 4 << 20).await;
        assert!(beside <= alone * 2, "{alone:?} {beside:?}");
        // Who takes nothing ends, until half of it is there again.
        world.sleep(Duration::from_secs(60)).await;
        let errors: Vec<_> = pairs.iter().map(|(_, server)| server.take_error()).collect();
        let ended = errors.iter().filter(|error| **error == Some(Error::NoBufferSpace)).count();
        assert!(ended > 0 && ended < 400, "{ended}");
        assert!(memory(&right) <= LIMIT / 2 + LIMIT / 8, "{}", memory(&right));
        let beside = transfer(&world, &server, &client, 4 << 20).await;
        assert!(beside <= alone + alone / 9, "{alone:?} {beside:?}");
    });
}

#[test]
fn hold_14_without_memory_nothing_new_begins_and_what_is_there_goes_on() {
    let world = World::new(2);
    let (left, right) = hosts(&world);
    world.run(async {
        let (client, server) = crowd(&left, &right, 1).await.pop().unwrap();
        let listener =
            TcpListener::bind(&right.sockets(), "10.0.0.2:81".parse().unwrap(), 16).unwrap();
        right.manager.set_tcp_memory(1);
        fill(&world, &server).await;
        let refused = TcpStream::connect(&right.sockets(), "10.0.0.1:1").await;
        assert_eq!(refused.err(), Some(Error::NoBufferSpace));
        let sockets = left.sockets();
        let connecting = TcpStream::connect(&sockets, "10.0.0.2:81");
        let mut connecting = Box::pin(connecting);
        assert!(futures_lite::future::poll_once(&mut connecting).await.is_none());
        let mut buffer = vec![0; 1 << 20];
        while client.try_read(&mut buffer).is_ok() {
            world.sleep(Duration::from_millis(300)).await;
        }
        transfer(&world, &server, &client, 300_000).await;
        transfer(&world, &client, &server, 300_000).await;
        world.sleep(Duration::from_millis(500)).await;
        assert!(futures_lite::future::poll_once(&mut connecting).await.is_none());
        // The SYN comes again, and there is memory.
        right.manager.set_tcp_memory(limits::TCP_MEMORY);
        connecting.await.unwrap();
        drop(listener);
    });
}

#[test]
fn hold_03_connections_without_a_program_are_bounded_and_end() {
    let world = World::new(3);
    let (left, right) = hosts(&world);
    world.run(async {
        let baseline = (right.open_sockets(), memory(&right));
        let address = SERVER.parse().unwrap();
        let small = TcpSettings::default().receive_buffer(Some(2048));
        let listener = TcpListener::bind(&right.sockets(), address, 16).unwrap();
        let mut clients = Vec::new();
        for _ in 0..limits::ORPHANS + 500 {
            let sockets = left.sockets();
            let client = TcpStream::connect_with(&sockets, None, address, &small).await.unwrap();
            let server = listener.accept().await.unwrap();
            server.write_all(&[7; 6000]).await.unwrap();
            drop(server);
            clients.push(client);
        }
        let usage = right.control::<ListUsage>("eth0", &()).unwrap().pop().unwrap();
        assert_eq!(usage.orphans as usize, limits::ORPHANS);
        assert_eq!((usage.connections, usage.listeners), (0, 1));
        assert!(usage.tcp_memory <= usage.tcp_memory_of_system && usage.tcp_memory > 0);
        // An honest client beside them gets all.
        let client = TcpStream::connect(&left.sockets(), address).await.unwrap();
        let server = listener.accept().await.unwrap();
        server.write_all(&[9; 50_000]).await.unwrap();
        drop(server);
        let all = crate::pair::read_to_end(&client).await.unwrap();
        assert!(all == [9; 50_000]);
        drop((listener, client));
        // Peers whose window stays closed do not keep them.
        world.sleep(Duration::from_secs(120)).await;
        assert_eq!((right.open_sockets(), memory(&right)), baseline);
        drop(clients);
    });
}

#[test]
fn hold_14_an_idle_connection_gives_its_buffers_back() {
    let world = World::new(4);
    let (left, right) = hosts(&world);
    world.run(async {
        let pairs = crowd(&left, &right, 200).await;
        for (client, server) in &pairs {
            transfer(&world, client, server, 60_000).await;
        }
        world.sleep(Duration::from_millis(100)).await;
        // The sender's are back at once; those of the receiver when memory is short.
        assert!(memory(&left) < 200 * 8192, "{}", memory(&left));
        assert!(memory(&right) > 200 * 8192, "{}", memory(&right));
        right.manager.set_tcp_memory(4 << 20);
        for (client, server) in &pairs {
            transfer(&world, client, server, 1000).await;
            world.sleep(Duration::from_millis(10)).await;
        }
        assert!(memory(&right) <= 2 << 20, "{}", memory(&right));
    });
}
