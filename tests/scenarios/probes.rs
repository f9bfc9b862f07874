//! Six behaviours that the Linux kernel has and most stacks for programs lack, under the names that
//! the comparison with others prints.

use std::time::Duration;

use devnet_network::{TcpListener, TcpStream, UdpSocket};
use futures_lite::future;
use world::World;

use crate::pair::{connection, hosts, pattern, read_to_end};

const SERVER: &str = "10.0.0.2:80";

#[test]
fn short_lived_client_is_accepted_and_so_is_the_client_after_it() {
    let world = World::new(1);
    let (left, right) = hosts(&world);
    world.run(async {
        let listener = TcpListener::bind(&right.sockets(), SERVER.parse().unwrap(), 8).unwrap();
        let sockets = left.sockets();
        let client = TcpStream::connect(&sockets, SERVER).await.unwrap();
        client.write_all(b"gone before accept").await.unwrap();
        drop(client);
        world.sleep(Duration::from_secs(1)).await;
        let next = TcpStream::connect(&sockets, SERVER).await.unwrap();
        next.write_all(b"still here").await.unwrap();
        let first = listener.accept().await.unwrap();
        assert_eq!(read_to_end(&first).await.unwrap(), b"gone before accept");
        let second = listener.accept().await.unwrap();
        drop(next);
        assert_eq!(read_to_end(&second).await.unwrap(), b"still here");
    });
}

#[test]
fn accept_after_cancelled_accept() {
    let world = World::new(2);
    let (left, right) = hosts(&world);
    world.run(async {
        let listener = TcpListener::bind(&right.sockets(), SERVER.parse().unwrap(), 8).unwrap();
        // Given up before anybody came, and given up after somebody came and before it was polled
        // again.
        assert!(future::poll_once(listener.accept()).await.is_none());
        let mut given_up = Box::pin(listener.accept());
        assert!(future::poll_once(&mut given_up).await.is_none());
        let sockets = left.sockets();
        let client = TcpStream::connect(&sockets, SERVER).await.unwrap();
        world.sleep(Duration::from_millis(10)).await;
        drop(given_up);
        let server = listener.accept().await.unwrap();
        assert_eq!(server.peer_addr(), client.local_addr());
    });
}

#[test]
fn smaller_read_after_cancelled_read() {
    let world = World::new(3);
    let (left, right) = hosts(&world);
    world.run(async {
        let (client, server) = connection(&left, &right, SERVER).await;
        let mut large = [0; 4096];
        let mut given_up = Box::pin(server.read(&mut large));
        assert!(future::poll_once(&mut given_up).await.is_none());
        client.write_all(b"0123456789").await.unwrap();
        world.sleep(Duration::from_millis(10)).await;
        drop(given_up);
        let mut small = [0; 3];
        assert_eq!(server.read(&mut small).await.unwrap(), 3);
        assert_eq!(&small, b"012");
        let mut rest = [0; 16];
        assert_eq!(server.read(&mut rest).await.unwrap(), 7);
    });
}

#[test]
fn stack_lives_after_cancelled_recv() {
    let world = World::new(4);
    let (left, right) = hosts(&world);
    world.run(async {
        let bind = |to: &str| {
            let socket = UdpSocket::new(&right.sockets());
            socket.bind(to.parse().unwrap()).unwrap();
            socket
        };
        let sender = UdpSocket::new(&left.sockets());
        let doomed = bind("10.0.0.2:9");
        let mut buffer = [0; 64];
        let mut given_up = Box::pin(doomed.receive_from(&mut buffer));
        assert!(future::poll_once(&mut given_up).await.is_none());
        drop(given_up);
        drop(doomed);
        sender.send_to(b"to nobody", "10.0.0.2:9".parse().unwrap()).await.unwrap();
        world.sleep(Duration::from_millis(10)).await;
        let receiver = bind("10.0.0.2:9");
        sender.send_to(b"to somebody", "10.0.0.2:9".parse().unwrap()).await.unwrap();
        assert_eq!(receiver.receive_from(&mut buffer).await.unwrap().0, 11);
    });
}

#[test]
fn drop_delivers_data_and_fin() {
    let world = World::new(5);
    let (left, right) = hosts(&world);
    let data = pattern(200_000);
    world.run(async {
        let (client, server) = connection(&left, &right, SERVER).await;
        let (received, ()) = future::zip(read_to_end(&server), async {
            client.write_all(&data).await.unwrap();
            drop(client);
        })
        .await;
        assert!(received.unwrap() == data);
    });
}
