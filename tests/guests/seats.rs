//! Sockets of a guest stay in its account until nothing of them is left.

use std::time::Duration;

use devnet_network::command::socket::{Offer, SocketKind};
use devnet_network::command::{Accept, Bind, Connect, CreateSocket, Listen, NextConnection};
use devnet_network::{TcpListener, TcpStream};
use devnet_virtual_file_system::Error;
use world::pair::hosts;
use world::puppet::{FREE, Puppet};
use world::{Host, World};

use super::error;

const READ_WRITE: u32 = 3;

/// A socket of a guest, if there is room for one.
async fn socket(guest: &Puppet) -> Result<i64, i64> {
    let file = guest.open("/devices/sockets", READ_WRITE).await;
    let created = guest.control::<CreateSocket>(file, &SocketKind::Tcp).await;
    if created.is_err() {
        guest.call("close", &[file as u64]).await;
    }
    created.map(|()| file)
}

#[test]
fn hold_03_a_closed_socket_stays_in_the_account_while_data_is_under_way() {
    let world = World::new(1);
    let (left, right) = hosts(&world);
    let lines = "allow-connect 10.0.0.2:7\nlimit-sockets 2";
    let guest = Puppet::start(&world, &left, lines);
    world.run(async {
        let listener =
            TcpListener::bind(&right.sockets(), "10.0.0.2:7".parse().unwrap(), 4).unwrap();
        let mut servers = Vec::new();
        // Two connections that a peer leaves full, closed at once.
        for _ in 0..2 {
            let file = socket(&guest).await.unwrap();
            guest.control::<Connect>(file, &"10.0.0.2:7".parse().unwrap()).await.unwrap();
            servers.push(listener.accept().await.unwrap());
            for _ in 0..2 {
                assert!(guest.call("write", &[file as u64, u64::from(FREE), 60_000]).await > 0);
            }
            assert_eq!(guest.call("close", &[file as u64]).await, 0);
        }
        assert_eq!(socket(&guest).await, Err(error(Error::NoBufferSpace)));
        // One that is read to its end is gone when the peer has closed too.
        let server = servers.pop().unwrap();
        let mut buffer = vec![0; 65_536];
        while server.read(&mut buffer).await.unwrap() > 0 {}
        drop(server);
        world.sleep(Duration::from_secs(1)).await;
        let file = socket(&guest).await.unwrap();
        assert_eq!(socket(&guest).await, Err(error(Error::NoBufferSpace)));
        assert_eq!(guest.call("close", &[file as u64]).await, 0);
        // The other one ends at the first probe after its peer took nothing for a minute.
        world.sleep(Duration::from_secs(150)).await;
        for _ in 0..2 {
            socket(&guest).await.unwrap();
        }
        assert_eq!(guest.end(0).await.status(), 0);
    });
}

/// A guest that listens, with room for so many sockets.
async fn listening(world: &World, host: &Host, most: usize) -> (Puppet, i64) {
    let lines = format!("allow-listen 80\nlimit-sockets {most}");
    let guest = Puppet::start(world, host, &lines);
    let listener = socket(&guest).await.unwrap();
    guest.control::<Bind>(listener, &"[::]:80".parse().unwrap()).await.unwrap();
    guest.control::<Listen>(listener, &8).await.unwrap();
    (guest, listener)
}

#[test]
fn hold_04_offers_that_nobody_claims_are_sockets_of_the_listener() {
    let world = World::new(2);
    let (left, right) = hosts(&world);
    world.run(async {
        let (guest, listener) = listening(&world, &right, 3).await;
        let mut clients = Vec::new();
        for _ in 0..3 {
            let to = "10.0.0.2:80";
            clients.push(TcpStream::connect(&left.sockets(), to).await.unwrap());
        }
        let offer: Offer = guest.control::<NextConnection>(listener, &()).await.unwrap();
        guest.control::<NextConnection>(listener, &()).await.unwrap();
        // No room for the third, which stays in the backlog.
        assert_eq!(
            guest.control::<NextConnection>(listener, &()).await,
            Err(error(Error::NoBufferSpace))
        );
        // Claiming one charges nothing more; closing it makes room.
        let file = guest.open("/devices/sockets", READ_WRITE).await;
        guest.control::<Accept>(file, &offer.token).await.unwrap();
        assert_eq!(socket(&guest).await, Err(error(Error::NoBufferSpace)));
        assert_eq!(guest.call("close", &[file as u64]).await, 0);
        drop(clients.remove(0));
        world.sleep(Duration::from_secs(1)).await;
        guest.control::<NextConnection>(listener, &()).await.unwrap();
        // Closing the listener resets what nobody claimed.
        assert_eq!(guest.call("close", &[listener as u64]).await, 0);
        for _ in 0..3 {
            socket(&guest).await.unwrap();
        }
        for client in &clients {
            assert_eq!(client.read(&mut [0]).await, Err(Error::ConnectionReset));
        }
        assert_eq!(guest.end(0).await.status(), 0);
    });
}
