//! Pitfalls of memory and back-pressure (MEM): every table that the network can fill has a bound,
//! and stays useful when it is full.
//!
//! Here are the bounds of `limits.rs` that no other test fills: neighbors, parked packets,
//! half-open connections, TIME-WAIT, datagrams, error reports, ICMP budgets and path MTUs have
//! theirs beside the code and in the other pitfalls.

use std::net::{Ipv4Addr, Ipv6Addr};
use std::time::Duration;

use devnet_network::command::socket::SocketState;
use devnet_network::command::{
    Accept, ListAddresses, ListDnsServers, ListRoutes, ListSockets, NextConnection,
};
use devnet_network::{TcpListener, TcpStream, UdpSocket, limits};
use devnet_virtual_file_system::Error;
use world::World;

use crate::pair::{hosts, pattern};
use crate::station::{
    HOST, PEER, Wire, at, icmp, icmp_kinds, ipv4, ipv4_with, ndp, packets, udp_datagram,
};
use crate::wire::{ACK, Segment};

const MOMENT: Duration = Duration::from_millis(20);

fn fragment(source: Ipv4Addr, identification: u16, datagram: &[u8], first: bool) -> Vec<u8> {
    let (piece, field) =
        if first { (&datagram[..512], [0x20, 0]) } else { (&datagram[512..], [0, 64]) };
    ipv4_with(source, HOST, 17, piece, |header| {
        header[4..6].copy_from_slice(&identification.to_be_bytes());
        header[6..8].copy_from_slice(&field);
    })
}

#[test]
fn mem_01_unfinished_datagrams_give_way_to_newer_ones() {
    let world = World::new(1);
    let mut wire = Wire::new(&world);
    let socket = UdpSocket::new(&wire.host.sockets());
    socket.bind(at(HOST, 7)).unwrap();
    let source = |number: usize| Ipv4Addr::new(10, 0, 0, 20 + (number % 200) as u8);
    let datagram = |number: usize| udp_datagram(at(source(number), 9), at(HOST, 7), &pattern(1000));
    let count = limits::REASSEMBLIES + 10;
    for number in 0..count {
        wire.send(&fragment(source(number), number as u16, &datagram(number), true));
        wire.after(Duration::from_millis(1));
    }
    for number in (0..count).rev() {
        wire.send(&fragment(source(number), number as u16, &datagram(number), false));
        wire.after(Duration::from_millis(1));
    }
    let received = std::iter::from_fn(|| socket.try_receive_message(&mut [0; 2000]).ok()).count();
    // The oldest were forgotten.
    assert_eq!(received, limits::REASSEMBLIES);
    wire.after(Duration::from_secs(60));
    wire.send(&fragment(PEER, 999, &datagram(0), true));
    let late = udp_datagram(at(PEER, 9), at(HOST, 7), &pattern(1000));
    wire.send(&fragment(PEER, 1000, &late, true));
    wire.send(&fragment(PEER, 1000, &late, false));
    wire.after(MOMENT);
    assert!(socket.try_receive_message(&mut [0; 2000]).is_ok());
}

#[test]
fn mem_01_routers_fill_no_table() {
    let world = World::new(2);
    let mut wire = Wire::new(&world);
    let all = Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 1);
    for number in 0..400u16 {
        let router = Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 9, number);
        let mut options = Vec::new();
        for prefix in 0..4u16 {
            options.extend([3, 4, 64, 0xc0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0]);
            options.extend(Ipv6Addr::new(0x2001, 0xdb8, number, prefix, 0, 0, 0, 0).octets());
        }
        options.extend([25, 3, 0, 0, 0, 1, 0, 0]);
        options.extend(Ipv6Addr::new(0x2001, 0xdb8, number, 0, 0, 0, 0, 53).octets());
        wire.send(&ndp(router, all, 134, [64, 0, 7, 8], &[&[0; 8][..], &options].concat()));
        wire.after(Duration::from_millis(1));
    }
    let host = &wire.host;
    assert!(host.control::<ListAddresses>("eth0", &()).unwrap().len() <= limits::ADDRESSES);
    assert!(host.control::<ListDnsServers>("eth0", &()).unwrap().len() <= limits::DNS_SERVERS);
    let routes = host.control::<ListRoutes>("eth0", &()).unwrap();
    assert!(routes.len() <= limits::ROUTES, "{}", routes.len());
    assert!(routes.iter().filter(|route| route.destination.length() == 0).count() <= 8);
    // What a person adds still fits.
    host.write(&host.open("eth0"), "dns add 192.0.2.53").unwrap();
    host.write(&host.open("eth0"), "address add 192.0.2.1/24").unwrap();
    host.write(&host.open("eth0"), "route add default via 10.0.0.9").unwrap();
}

#[test]
fn mem_01_a_backlog_is_bounded_and_so_are_offers() {
    let world = World::new(3);
    let (left, right) = hosts(&world);
    world.run(async {
        let address = "10.0.0.2:80".parse().unwrap();
        let listener = TcpListener::bind(&right.sockets(), address, u32::MAX).unwrap();
        let mut clients = Vec::new();
        for _ in 0..limits::BACKLOG_MAXIMUM {
            clients.push(TcpStream::connect(&left.sockets(), address).await.unwrap());
        }
        world.sleep(MOMENT).await;
        let one_more = futures_lite::future::or(
            async { Some(TcpStream::connect(&left.sockets(), address).await) },
            async {
                world.sleep(Duration::from_secs(1)).await;
                None
            },
        );
        assert!(one_more.await.is_none(), "no room, and no refusal");
        assert_eq!(listener.status().receive_queue as usize, limits::BACKLOG_MAXIMUM);
        // One after the other, so that no queue between the two is full in both directions.
        for client in clients {
            drop((client, listener.try_accept()));
            world.sleep(Duration::from_micros(10)).await;
        }
        drop(listener);
        world.sleep(Duration::from_secs(1)).await;
        // Offers that nobody claims: the oldest ends.
        let file = right.open("sockets");
        right.write(&file, "socket tcp\nbind 10.0.0.2:81\nlisten 16").unwrap();
        let mut offers = Vec::new();
        let mut clients = Vec::new();
        for _ in 0..=limits::OFFERS {
            clients.push(TcpStream::connect(&left.sockets(), "10.0.0.2:81").await.unwrap());
            offers.push(file.control::<NextConnection>(&()).await.unwrap().token);
        }
        world.sleep(MOMENT).await;
        assert_eq!(right.open("sockets").control::<Accept>(&offers[0]).await, Err(Error::NotFound));
        assert!(right.open("sockets").control::<Accept>(&offers[1]).await.is_ok());
        assert!(clients[0].try_read(&mut [0; 4]) != Err(Error::WouldBlock));
        let open = right.control::<ListSockets>("eth0", &()).unwrap();
        let open = open.iter().filter(|socket| socket.state == SocketState::Established).count();
        assert!(open <= limits::OFFERS, "{open}");
    });
}

#[test]
fn mem_01_segments_out_of_order_stay_within_the_buffer() {
    let world = World::new(4);
    let (host, mut wire) = crate::wire::Wire::new(&world);
    world.run(async {
        let listener =
            TcpListener::bind(&host.sockets(), (crate::wire::HOST, 80).into(), 4).unwrap();
        let (_, ours, theirs) = wire.open(&world, 5000, 80).await;
        let stream = listener.accept().await.unwrap();
        let data = pattern(60_000);
        let at = |from: usize| {
            Segment::new(5000, 80, ACK, ours + from as u32, theirs).data(&data[from..from + 100])
        };
        // Three hundred islands, then everything in order: not a byte is wrong.
        for from in (100..60_000).step_by(200) {
            wire.exchange(&world, Some(&at(from))).await;
        }
        for from in (0..60_000).step_by(100) {
            wire.exchange(&world, Some(&at(from))).await;
        }
        let mut received = vec![0; 65_536];
        let length = stream.try_read(&mut received).unwrap();
        assert!(received[..length] == data[..length] && length == 60_000, "{length}");
    });
}

#[test]
fn mem_02_packets_that_wait_leave_room_for_answers() {
    let world = World::new(5);
    let mut wire = Wire::new(&world);
    let socket = UdpSocket::new(&wire.host.sockets());
    // As many packets as may wait, for stations that will never answer.
    for host in 20..250u8 {
        for _ in 0..8 {
            let _ = socket.try_send(&[0; 1000], Some(at(Ipv4Addr::new(10, 0, 0, host), 7)));
        }
    }
    wire.frames();
    let answers = wire.exchange(&ipv4(PEER, HOST, 1, &icmp(8, 0, [0, 1, 0, 1], b"ping")));
    assert!(icmp_kinds(&answers).contains(&(0, 0)), "an echo is answered");
    // And the stations that do answer get theirs.
    let mut reply = crate::pair::HARDWARE.0.0.to_vec();
    reply.extend([
        2, 0, 0, 0, 0, 0x30, 8, 6, 0, 1, 8, 0, 6, 4, 0, 2, 2, 0, 0, 0, 0, 0x30, 10, 0, 0, 30,
    ]);
    reply.extend(crate::pair::HARDWARE.0.0);
    reply.extend(HOST.octets());
    wire.send_frame(&reply);
    let sent = packets(wire.after(MOMENT));
    let to = |packet: &&Vec<u8>| packet[0] == 0x45 && packet[16..20] == [10, 0, 0, 30];
    assert!(sent.iter().filter(to).count() >= limits::QUEUED_PER_NEIGHBOR);
}

/// MEM-03: with a device that takes nothing, what comes in is neither kept without end nor a reason
/// to spin.
#[test]
fn mem_03_a_blocked_device_costs_bounded_memory_and_no_turns() {
    let world = World::new(6);
    let (end, mut hand) = devnet_drivers::cable(crate::pair::options().capacity(8));
    let host = world::Host::new(&world).with("eth0", end, &["10.0.0.1/24"]);
    let device = host.open("eth0");
    host.write(&device, "neighbor add 10.0.0.9 02:00:00:00:00:02").unwrap();
    world.run(world.sleep(Duration::from_secs(3)));
    let socket = UdpSocket::new(&host.sockets());
    let mut taken = 0;
    while socket.try_send(&[0; 1000], Some(at(PEER, 7))).is_ok() {
        taken += 1;
        assert!(taken <= limits::EGRESS_QUEUE + 8, "{taken}");
    }
    assert!(taken >= limits::EGRESS_QUEUE - 8);
    let polls =
        || host.control::<devnet_network::command::GetStatistics>("eth0", &()).unwrap().polls;
    // Pings arrive, as many as the wire holds; their answers find no room.
    for _ in 0..8 {
        let ping = ipv4(PEER, HOST, 1, &icmp(8, 0, [0, 1, 0, 1], b"ping"));
        let frame = crate::station::frame(crate::pair::HARDWARE.0.0, &ping);
        crate::wire::transmit(&mut hand, &frame);
    }
    world.run(world.sleep(Duration::from_secs(1)));
    let before = polls();
    world.run(world.sleep(Duration::from_secs(100)));
    assert!(polls() - before < 50, "{}", polls() - before);
    let mut pool = devnet_network::driver::FramePool::new();
    let mut left = Vec::new();
    for _ in 0..200 {
        left.extend(crate::station::drain(&mut hand, &mut pool));
        world.run(world.sleep(Duration::from_millis(1)));
    }
    assert!(
        left.iter().filter(|frame| frame.len() > 1000).count() == taken,
        "what was taken leaves"
    );
    let echoes = left.iter().filter(|frame| frame[12..14] == [8, 0] && frame[23] == 1);
    assert_eq!(echoes.count(), 8, "and the answers behind it");
}
