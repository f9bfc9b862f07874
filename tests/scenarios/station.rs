//! A host whose other end of the cable is the test: it writes packets and reads what leaves.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::Duration;

use devnet_network::command::interface::Statistics;
use devnet_network::command::neighbor::NewNeighbor;
use devnet_network::command::{AddNeighbor, GetStatistics};
use devnet_network::driver::{Driver, FramePool};
pub(crate) use world::packet::*;
use world::{Host, World};

use crate::pair::{HARDWARE, options};

/// The host's addresses.
pub(crate) const HOST: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 1);
pub(crate) const HOST6: Ipv6Addr = Ipv6Addr::new(0xfd00, 0, 0, 0, 0, 0, 0, 1);
pub(crate) const HOST_LINK: Ipv6Addr = Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0xff, 0xfe00, 1);
/// The test's, known to the host.
pub(crate) const PEER: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 9);
pub(crate) const PEER6: Ipv6Addr = Ipv6Addr::new(0xfd00, 0, 0, 0, 0, 0, 0, 9);
pub(crate) const PEER_LINK: Ipv6Addr = Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, 9);

/// The host and the test's end.
pub(crate) struct Wire<'a> {
    pub(crate) world: &'a World,
    pub(crate) host: Host,
    hand: devnet_drivers::Cable,
    pool: FramePool,
}

impl<'a> Wire<'a> {
    /// A host with one interface, after it said all that it says by itself.
    pub(crate) fn new(world: &'a World) -> Self {
        Self::with(world, &["10.0.0.1/24", "fd00::1/64"])
    }

    pub(crate) fn with(world: &'a World, addresses: &[&str]) -> Self {
        let (end, hand) = devnet_drivers::cable(options());
        let host = Host::new(world).with("eth0", end, addresses);
        for address in [IpAddr::V4(PEER), IpAddr::V6(PEER6), IpAddr::V6(PEER_LINK)] {
            let new = NewNeighbor { address, hardware_address: HARDWARE.1 };
            host.control::<AddNeighbor>("eth0", &new).unwrap();
        }
        let mut wire = Self { world, host, hand, pool: FramePool::new() };
        wire.after(Duration::from_secs(30));
        wire
    }

    /// Puts a frame onto the cable.
    pub(crate) fn send_frame(&mut self, bytes: &[u8]) {
        let frame = self.pool.copy_of(bytes);
        assert!(self.hand.transmit(frame, &mut self.pool).is_ok(), "the cable is full");
        if let Some(waker) = self.hand.flush() {
            waker.wake();
        }
    }

    /// Puts a packet onto the cable, from the peer's station to the host's.
    pub(crate) fn send(&mut self, packet: &[u8]) {
        self.send_frame(&frame(HARDWARE.0.0, packet));
    }

    /// Everything that left and was not looked at yet.
    pub(crate) fn frames(&mut self) -> Vec<Vec<u8>> {
        drain(&mut self.hand, &mut self.pool)
    }

    /// Lets time pass and gives what left meanwhile, as frames.
    pub(crate) fn after(&mut self, time: Duration) -> Vec<Vec<u8>> {
        // The cable holds a bounded number of frames; look often.
        let mut frames = self.frames();
        let step = (time / 20).max(Duration::from_millis(1));
        for _ in 0..20 {
            self.world.run(self.world.sleep(step));
            frames.extend(self.frames());
        }
        frames
    }

    /// Sends a packet and gives the packets that it causes.
    pub(crate) fn exchange(&mut self, packet: &[u8]) -> Vec<Vec<u8>> {
        self.frames();
        self.send(packet);
        packets(self.after(Duration::from_millis(20)))
    }

    pub(crate) fn statistics(&self) -> Statistics {
        self.host.control::<GetStatistics>("eth0", &()).unwrap()
    }
}

/// A frame to a station.
pub(crate) fn frame(to: [u8; 6], packet: &[u8]) -> Vec<u8> {
    let ethertype = if packet[0] >> 4 == 4 { [8, 0] } else { [0x86, 0xdd] };
    [&to[..], &HARDWARE.1.0, &ethertype, packet].concat()
}

/// The IP packets in frames.
pub(crate) fn packets(frames: Vec<Vec<u8>>) -> Vec<Vec<u8>> {
    frames
        .into_iter()
        .filter(|frame| matches!(frame[12..14], [8, 0] | [0x86, 0xdd]))
        .map(|frame| frame[14..].to_vec())
        .collect()
}

/// Protocol, and the bytes behind the header, of a packet without extension headers.
pub(crate) fn upper(packet: &[u8]) -> (u8, &[u8]) {
    match packet[0] >> 4 {
        4 => (packet[9], &packet[usize::from(packet[0] & 0xf) * 4..]),
        _ => (packet[6], &packet[40..]),
    }
}

/// Type and code of ICMP packets, of both families.
pub(crate) fn icmp_kinds(packets: &[Vec<u8>]) -> Vec<(u8, u8)> {
    let icmp = packets
        .iter()
        .map(|packet| upper(packet))
        .filter(|(protocol, _)| matches!(protocol, 1 | 58));
    icmp.map(|(_, message)| (message[0], message[1])).collect()
}

/// Everything that waits at this end of a cable; the other end hears that there is room again.
pub(crate) fn drain(hand: &mut devnet_drivers::Cable, pool: &mut FramePool) -> Vec<Vec<u8>> {
    std::iter::from_fn(|| world::cable::take(hand, pool)).collect()
}
