//! Neighbors: one that is dead delays nobody else.

use std::time::Duration;

use devnet_network::UdpSocket;
use devnet_network::command::neighbor::{NeighborState, NewNeighbor};
use devnet_network::command::{AddNeighbor, FlushNeighbors, ListNeighbors, RemoveNeighbor};
use devnet_virtual_file_system::Error;
use world::World;

use crate::pair::{HARDWARE, hosts};

#[test]
fn a_dead_neighbor_delays_nobody_else() {
    let world = World::new(1);
    let (left, right) = hosts(&world);
    world.run(async {
        let receiver = UdpSocket::new(&right.sockets());
        receiver.bind("10.0.0.2:7".parse().unwrap()).unwrap();
        let sender = UdpSocket::new(&left.sockets());
        for host in 3..203 {
            sender.send_to(b"dead", format!("10.0.0.{host}:7").parse().unwrap()).await.unwrap();
        }
        let before = world.now();
        sender.send_to(b"alive", "10.0.0.2:7".parse().unwrap()).await.unwrap();
        assert_eq!(receiver.receive().await.unwrap().data, b"alive");
        assert!(world.now().since(before) < Duration::from_millis(1));
    });
}

#[test]
fn static_neighbors_are_used_listed_and_removed() {
    let world = World::new(2);
    let (left, right) = hosts(&world);
    let entry = NewNeighbor { address: "10.0.0.50".parse().unwrap(), hardware_address: HARDWARE.1 };
    left.control::<AddNeighbor>("eth0", &entry).unwrap();
    let listed = left.control::<ListNeighbors>("eth0", &()).unwrap();
    assert!(
        listed
            .iter()
            .any(|known| known.address == entry.address && known.state == NeighborState::Permanent)
    );
    assert_eq!(left.control::<FlushNeighbors>("eth0", &()).map(|_| ()), Ok(()));
    left.control::<RemoveNeighbor>("eth0", &entry.address).unwrap();
    assert_eq!(left.control::<RemoveNeighbor>("eth0", &entry.address), Err(Error::NotFound));
    let own = NewNeighbor { address: "10.0.0.1".parse().unwrap(), ..entry };
    assert_eq!(left.control::<AddNeighbor>("eth0", &own), Err(Error::InvalidInput));
    assert_eq!(left.control::<AddNeighbor>("lo", &entry), Err(Error::InvalidInput));
    drop(right);
}
