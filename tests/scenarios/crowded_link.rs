//! Thousands of stations on one link, honest and not.

use std::net::Ipv4Addr;
use std::time::Duration;

use devnet_network::command::{GetStatistics, ListNeighbors};
use devnet_network::driver::FramePool;
use devnet_network::limits;
use world::{Host, World, cable};

const HOST: [u8; 6] = [2, 0, 0, 0, 0, 1];

/// A host with 10.0.0.1/8 at one end of a cable; the other end is in our hands.
struct Link {
    end: devnet_drivers::Cable,
    pool: FramePool,
}

impl Link {
    fn new(world: &World) -> (Host, Self) {
        let (end, mine) = devnet_drivers::cable(crate::pair::options().capacity(8192));
        let host = Host::new(world).with("eth0", end, &["10.0.0.1/8"]);
        world.run(world.sleep(Duration::from_secs(3)));
        let mut link = Self { end: mine, pool: FramePool::new() };
        while link.take().is_some() {}
        (host, link)
    }

    fn put(&mut self, frame: &[u8]) {
        // What finds no room is lost.
        cable::put(&mut self.end, &mut self.pool, frame);
    }

    fn take(&mut self) -> Option<Vec<u8>> {
        cable::take(&mut self.end, &mut self.pool)
    }
}

/// The hardware address of a station.
fn hardware(station: Ipv4Addr) -> [u8; 6] {
    let [a, b, c, d] = station.octets();
    [2, 1, a, b, c, d]
}

/// An ARP packet in a frame.
fn arp(operation: u16, sender: Ipv4Addr, to: [u8; 6], target: Ipv4Addr) -> Vec<u8> {
    let mut frame =
        [&to[..], &hardware(sender), &[8, 6, 0, 1, 8, 0, 6, 4], &operation.to_be_bytes()].concat();
    frame.extend([&hardware(sender)[..], &sender.octets(), &HOST, &target.octets()].concat());
    frame
}

fn station(number: u32) -> Ipv4Addr {
    Ipv4Addr::from(0x0a01_0000 + number)
}

#[test]
fn five_thousand_neighbors_are_known_and_used() {
    const STATIONS: u32 = 5000;
    let world = World::new(1);
    let (host, mut link) = Link::new(&world);
    world.run(async {
        let socket = devnet_network::UdpSocket::new(&host.sockets());
        let mut delivered = 0;
        for round in 0..2 {
            let mut questions = 0;
            for number in 0..STATIONS {
                socket.send_to(b"x", (station(number), 9).into()).await.unwrap();
                world.sleep(Duration::from_millis(1)).await;
                while let Some(frame) = link.take() {
                    if frame[12..14] == [8, 6] {
                        questions += 1;
                        let asked = Ipv4Addr::from(<[u8; 4]>::try_from(&frame[38..42]).unwrap());
                        link.put(&arp(2, asked, HOST, Ipv4Addr::new(10, 0, 0, 1)));
                        world.sleep(Duration::from_micros(10)).await;
                    } else if frame[12..14] == [8, 0] {
                        assert_eq!(frame[..6], hardware(station(number)));
                        delivered += 1;
                    }
                }
            }
            // Each is asked for once; later packets go straight to it, or are preceded by a unicast
            // question.
            assert!(questions <= STATIONS * (round + 1), "{questions}");
        }
        assert_eq!(delivered, 2 * STATIONS);
    });
    let known = host.control::<ListNeighbors>("eth0", &()).unwrap();
    assert_eq!(known.len(), STATIONS as usize);
}

#[test]
fn a_flood_of_arp_requests_and_forged_pings_grows_no_table_and_delays_nobody() {
    let world = World::new(2);
    let (host, mut link) = Link::new(&world);
    let before = host.control::<GetStatistics>("eth0", &()).unwrap();
    world.run(async {
        // Requests that are not for us teach nothing; those for us are answered and bounded.
        for number in 0..20_000u32 {
            let target = if number % 2 == 0 {
                Ipv4Addr::new(10, 0, 0, 1)
            } else {
                Ipv4Addr::new(10, 9, 9, 9)
            };
            link.put(&arp(1, station(number), [0xff; 6], target));
            if number % 100 == 0 {
                world.sleep(Duration::from_millis(1)).await;
                while link.take().is_some() {}
            }
        }
        let known = host.control::<ListNeighbors>("eth0", &()).unwrap();
        assert!(known.len() <= limits::NEIGHBORS, "{}", known.len());
        // A stranger is still resolved at once.
        let socket = devnet_network::UdpSocket::new(&host.sockets());
        let friend = Ipv4Addr::new(10, 200, 0, 1);
        socket.send_to(b"hello", (friend, 9).into()).await.unwrap();
        world.sleep(Duration::from_millis(1)).await;
        let asked = std::iter::from_fn(|| link.take())
            .any(|frame| frame[12..14] == [8, 6] && frame[38..42] == friend.octets());
        assert!(asked);
        link.put(&arp(2, friend, HOST, Ipv4Addr::new(10, 0, 0, 1)));
        world.sleep(Duration::from_millis(1)).await;
        let sent = std::iter::from_fn(|| link.take()).any(|frame| frame[..6] == hardware(friend));
        assert!(sent);
    });
    let after = host.control::<GetStatistics>("eth0", &()).unwrap();
    assert_eq!(after.received_packets - before.received_packets, 20_001);
}
