//! Floods: so many frames in a millisecond, from ever new sources.

use std::net::{Ipv4Addr, Ipv6Addr};
use std::sync::atomic::Ordering;
use std::time::Duration;

use devnet_drivers::LanPort;
use devnet_network::driver::FramePool;
use devnet_network::limits;
use devnet_network::platform::Clock;
use world::packet::{icmp, icmpv6_packet, ipv4, ipv4_with};
use world::{cable, packet};

use crate::attack::{Attack, NEAR, Running, Start};
use crate::scene::{ATTACKER, HOST, Scene};
use crate::segment::{SYN, Segment};

/// The host's addresses.
pub(crate) const HOST4: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 1);
const HOST6: Ipv6Addr = Ipv6Addr::new(0xfd00, 0, 0, 0, 0, 0, 0, 1);
/// Bytes of frames on their way, and by which the honest peer's buffers differ.
const UNDER_WAY: usize = 4 << 20;

pub(crate) const FLOODS: [Attack; 4] = [
    Attack {
        name: "SYN flood",
        amount: "20,000/s, the peer 300 ms away",
        round_trip: Duration::from_millis(300),
        rate: 5_000_000,
        time: Duration::from_secs(20),
        bound: limits::HALF_OPEN * 2 * limits::TCP_CONNECTION_BYTES + UNDER_WAY,
        start: Start::Link(|scene| Box::pin(async { flood(scene, 20, syn) })),
        ..NEAR
    },
    Attack {
        name: "neighbor flood",
        amount: "20,000/s, both families",
        bound: (limits::NEIGHBORS_LEARNED + limits::NEIGHBORS_ANSWERING) * 512
            + limits::QUEUED * limits::FRAME_BYTES
            + UNDER_WAY,
        start: Start::Link(|scene| Box::pin(async { flood(scene, 20, stranger) })),
        ..NEAR
    },
    Attack {
        name: "router advertisements",
        amount: "10,000/s, the peer on IPv6",
        server: "[fd00::1]:80",
        bound: limits::NEIGHBORS_LEARNED * 512 + UNDER_WAY,
        start: Start::Link(|scene| Box::pin(async { flood(scene, 10, advertisement) })),
        ..NEAR
    },
    Attack {
        name: "fragment flood",
        amount: "20,000/s of 1,400 bytes",
        bound: limits::REASSEMBLY_BYTES + UNDER_WAY,
        start: Start::Link(|scene| Box::pin(async { flood(scene, 20, fragment) })),
        ..NEAR
    },
];

/// A frame to the host.
pub(crate) fn frame(from: [u8; 6], packet: &[u8]) -> Vec<u8> {
    let ethertype = if packet[0] >> 4 == 4 { [8, 0] } else { [0x86, 0xdd] };
    [&HOST[..], &from, &ethertype, packet].concat()
}

/// Sends frames until it is ended.
fn flood(scene: &Scene, frames: u32, make: fn(u32) -> Vec<u8>) -> Running {
    let (meter, clock, mut port) = (scene.meter.clone(), scene.world.clock.clone(), scene.port());
    let running = Running::default();
    let ended = running.ended.clone();
    let task = scene.world.spawn(async move {
        let (mut pool, began, mut sent) = (FramePool::new(), clock.now(), 0);
        while !ended.load(Ordering::Relaxed) {
            meter.uncounted(|| {
                let passed = clock.now().since(began).as_millis() as u32;
                while sent < passed * frames {
                    cable::put(&mut port, &mut pool, &make(sent));
                    sent += 1;
                }
                drain(&mut port, &mut pool);
            });
            clock.sleep_until(clock.now().after(Duration::from_millis(1))).await;
        }
    });
    Running { tasks: vec![task], ..running }
}

fn drain(port: &mut LanPort, pool: &mut FramePool) {
    while cable::take(port, pool).is_some() {}
}

fn syn(number: u32) -> Vec<u8> {
    let from = Ipv4Addr::from_bits(0x0b00_0000 + number);
    let port = 1024 + (number % 60_000) as u16;
    frame(ATTACKER, &Segment::new((from, port), 80, SYN, number.wrapping_mul(977), 0).packet())
}

/// Asks for an answer as another host of the own prefix: an echo request of either family, or a
/// SYN to a closed port.
fn stranger(number: u32) -> Vec<u8> {
    let from = Ipv4Addr::from_bits(0x0a01_0000 + number);
    let from6 = Ipv6Addr::from_bits(0xfd00 << 112 | 0x0bad_0000_0000 | u128::from(number));
    let packet = match number % 3 {
        0 => ipv4(from, HOST4, 1, &icmp(8, 0, [0; 4], b"")),
        1 => icmpv6_packet(from6, HOST6, 128, 0, [0; 4], b""),
        _ => Segment::new((from, 1024), 999, SYN, number, 0).packet(),
    };
    frame(ATTACKER, &packet)
}

/// A router, a prefix, a route, and a name server.
fn advertisement(number: u32) -> Vec<u8> {
    let [_, a, b, c] = number.to_be_bytes();
    let hardware = [2, 8, 0, a, b, c];
    frame(hardware, &packet::advertisement(number, hardware, 28_800))
}

/// The first fragment of a datagram whose others never come.
fn fragment(number: u32) -> Vec<u8> {
    let from = Ipv4Addr::from_bits(0x0b00_0000 + number);
    let packet = ipv4_with(from, HOST4, 17, &[7; 1400], |packet| {
        packet[4..6].copy_from_slice(&(number as u16).to_be_bytes());
        packet[6] = 0x20;
    });
    frame(ATTACKER, &packet)
}
