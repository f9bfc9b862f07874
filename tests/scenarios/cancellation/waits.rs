//! Several that wait for the same at once, and some of them giving up.

use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use devnet_network::{TcpListener, TcpStream, UdpSocket};
use futures_lite::future;
use world::World;

use crate::pair::{connection, hosts, pattern, read_to_end};

const SERVER: &str = "10.0.0.2:80";

/// Lets three futures wait on tasks of their own, drops the first of them, lets `happen` happen
/// twice, and gives what the other two got.
fn two_of_three<T: Send + 'static>(
    world: &World,
    wait: impl Fn(usize) -> Pin<Box<dyn Future<Output = T> + Send>>,
    happen: impl Future<Output = ()>,
) -> [T; 2] {
    let [first, second, third] = [0, 1, 2].map(|index| world.spawn(wait(index)));
    world.run(async {
        world.sleep(Duration::from_millis(5)).await;
        drop(first);
        world.sleep(Duration::from_millis(5)).await;
        future::zip(happen, async {
            let (second, third) = future::zip(second, third).await;
            [second, third]
        })
        .await
        .1
    })
}

#[test]
fn readers() {
    let world = World::new(1);
    let (left, right) = hosts(&world);
    let (client, server) = world.run(connection(&left, &right, SERVER));
    let server = std::sync::Arc::new(server);
    let wait = |_| -> Pin<Box<dyn Future<Output = u8> + Send>> {
        let server = std::sync::Arc::clone(&server);
        Box::pin(async move {
            let mut byte = [0];
            server.read(&mut byte).await.unwrap();
            byte[0]
        })
    };
    let mut got = two_of_three(&world, wait, async {
        client.write_all(b"x").await.unwrap();
        world.sleep(Duration::from_millis(5)).await;
        client.write_all(b"y").await.unwrap();
    });
    got.sort_unstable();
    assert_eq!(&got, b"xy");
}

#[test]
fn writers() {
    let world = World::new(2);
    let (left, right) = hosts(&world);
    let (client, server) = world.run(connection(&left, &right, SERVER));
    let client = std::sync::Arc::new(client);
    let filled = world.run(async {
        let mut filled = 0;
        for _ in 0..20 {
            while let Ok(taken) = client.try_write(&[0; 65536]) {
                filled += taken;
            }
            world.sleep(Duration::from_millis(50)).await;
        }
        filled
    });
    let wait = |index: usize| -> Pin<Box<dyn Future<Output = usize> + Send>> {
        let client = std::sync::Arc::clone(&client);
        Box::pin(async move { client.write(&[b'a' + index as u8]).await.unwrap() })
    };
    let mut rest = vec![0; filled];
    let got = two_of_three(&world, wait, async {
        let mut missing = rest.as_mut_slice();
        while !missing.is_empty() {
            let taken = server.read(missing).await.unwrap();
            missing = &mut missing[taken..];
        }
    });
    assert_eq!((got, rest.iter().all(|byte| *byte == 0)), ([1, 1], true));
    drop(client);
    let mut tail = world.run(read_to_end(&server)).unwrap();
    tail.sort_unstable();
    assert_eq!(tail, b"bc");
}

#[test]
fn accepts() {
    let world = World::new(3);
    let (left, right) = hosts(&world);
    let listener = TcpListener::bind(&right.sockets(), SERVER.parse().unwrap(), 8).unwrap();
    let listener = std::sync::Arc::new(listener);
    let wait = |_| -> Pin<Box<dyn Future<Output = TcpStream> + Send>> {
        let listener = std::sync::Arc::clone(&listener);
        Box::pin(async move { listener.accept().await.unwrap() })
    };
    let sockets = left.sockets();
    let clients = std::cell::RefCell::new(Vec::new());
    let got = two_of_three(&world, wait, async {
        for _ in 0..2 {
            let client = TcpStream::connect(&sockets, SERVER).await.unwrap();
            clients.borrow_mut().push(client);
            world.sleep(Duration::from_millis(5)).await;
        }
    });
    let mut theirs: Vec<_> = got.iter().map(TcpStream::peer_addr).collect();
    let mut ours: Vec<_> = clients.borrow().iter().map(TcpStream::local_addr).collect();
    theirs.sort_unstable();
    ours.sort_unstable();
    assert_eq!(theirs, ours);
}

#[test]
fn receivers() {
    let world = World::new(4);
    let (left, right) = hosts(&world);
    let socket = UdpSocket::new(&right.sockets());
    socket.bind(SERVER.parse().unwrap()).unwrap();
    let socket = std::sync::Arc::new(socket);
    let wait = |_| -> Pin<Box<dyn Future<Output = Vec<u8>> + Send>> {
        let socket = std::sync::Arc::clone(&socket);
        Box::pin(async move { socket.receive().await.unwrap().data })
    };
    let sender = UdpSocket::new(&left.sockets());
    let mut got = two_of_three(&world, wait, async {
        sender.send_to(b"x", SERVER.parse().unwrap()).await.unwrap();
        world.sleep(Duration::from_millis(5)).await;
        sender.send_to(b"y", SERVER.parse().unwrap()).await.unwrap();
    });
    got.sort_unstable();
    assert_eq!(got, [b"x", b"y"]);
}

#[test]
fn one_gives_up_when_both_were_woken() {
    let world = World::new(5);
    let (left, right) = hosts(&world);
    world.run(async {
        let (client, server) = connection(&left, &right, SERVER).await;
        let (mut wide, mut narrow) = ([0; 64], [0; 2]);
        let mut doomed = Box::pin(server.read(&mut wide));
        let mut heir = Box::pin(server.read(&mut narrow));
        assert!(future::poll_once(&mut doomed).await.is_none());
        assert!(future::poll_once(&mut heir).await.is_none());
        client.write_all(&pattern(10)).await.unwrap();
        world.sleep(Duration::from_millis(5)).await;
        drop(doomed);
        assert_eq!(heir.await.unwrap(), 2);
        drop(client);
        assert_eq!(read_to_end(&server).await.unwrap(), &pattern(10)[2..]);
        assert_eq!(narrow, pattern(10)[..2]);
    });
}
