//! Ours, without an executor, with the same addresses and sockets.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::task::{Context, Waker};
use std::time::Duration;

use devnet_drivers::Cable;
use devnet_network::driver::{Driver, FramePool, Medium};
use devnet_network::io_free::{Core, Port};
use devnet_network::platform::Instant;
use devnet_network::{TcpListener, TcpSettings, TcpStream, UdpSocket};
use devnet_virtual_file_system::Readiness;
use world::SeededEntropy;

use super::{Effect, System};

/// The system.
pub(crate) struct Ours {
    core: Core,
    port: Port,
    driver: Cable,
    hand: Cable,
    pool: FramePool,
    listener: TcpListener,
    streams: Vec<TcpStream>,
    datagrams: UdpSocket,
    initial: BTreeMap<(bool, u16), u32>,
    now: Instant,
}

impl Ours {
    pub(crate) fn new() -> Self {
        let hardware = ("02:00:00:00:00:01".parse().unwrap(), "02:00:00:00:00:02".parse().unwrap());
        let options = devnet_drivers::CableOptions::default()
            .medium(Medium::Ip)
            .hardware(hardware)
            .capacity(1024);
        let (mut driver, hand) = devnet_drivers::cable(options);
        let now = Instant::ZERO;
        let core = Core::new(Arc::new(SeededEntropy::new(1)), now).unwrap();
        let port = core.attach("tun0", &mut driver).unwrap();
        for line in ["link up", "address add 10.0.0.1/24", "address add fd00::1/64"] {
            core.manager().configure("tun0", line).unwrap();
        }
        let settings = TcpSettings::default().receive_buffer(Some(4096)).send_buffer(Some(4096));
        let listener =
            TcpListener::bind_with(&core.sockets(), "[::]:80".parse().unwrap(), 64, settings)
                .unwrap();
        let datagrams = UdpSocket::new(&core.sockets());
        datagrams.bind("[::]:53".parse().unwrap()).unwrap();
        let (pool, initial) = (FramePool::new(), BTreeMap::new());
        let mut ours = Self {
            core,
            port,
            driver,
            hand,
            pool,
            listener,
            streams: Vec::new(),
            datagrams,
            initial,
            now,
        };
        // Addresses are tested first, and routers asked.
        for _ in 0..20 {
            ours.pass(500);
        }
        ours.sent();
        ours
    }

    fn poll(&mut self) {
        for _ in 0..64 {
            let more = self.core.poll(self.now, &mut self.port, &mut self.driver);
            if !more && self.core.next_deadline().is_none_or(|next| next > self.now) {
                break;
            }
        }
    }

    fn pass(&mut self, milliseconds: u64) {
        self.now = self.now.after(Duration::from_millis(milliseconds));
        self.poll();
    }

    fn sent(&mut self) -> Vec<Vec<u8>> {
        let mut packets = Vec::new();
        while let Some(frame) = self.hand.receive(&mut self.pool) {
            packets.push(frame.bytes().to_vec());
            self.pool.put(frame);
        }
        packets
    }
}

impl System for Ours {
    fn feed(&mut self, packet: &[u8], milliseconds: u64) -> BTreeSet<Effect> {
        let frame = self.pool.copy_of(packet);
        assert!(self.hand.transmit(frame, &mut self.pool).is_ok());
        drop(self.hand.flush());
        self.poll();
        let mut effects = BTreeSet::new();
        while let Ok(stream) = self.listener.try_accept() {
            self.streams.push(stream);
        }
        let mut buffer = [0; 4096];
        let mut context = Context::from_waker(Waker::noop());
        self.streams.retain(|stream| {
            let port = name(stream.peer_addr().is_ipv6(), stream.peer_addr().port());
            if let Ok(length) = stream.try_read(&mut buffer)
                && length > 0
            {
                effects.insert(Effect::Stream(port, length));
            }
            let is_open = stream.poll_ready(&mut context, Readiness::empty()).is_pending();
            if is_open {
                effects.insert(Effect::Open(port));
            }
            is_open
        });
        while let Ok(info) = self.datagrams.try_receive_message(&mut buffer) {
            effects.insert(Effect::Datagram(info.length));
        }
        self.pass(milliseconds);
        for packet in self.sent() {
            effects.extend(effect(&packet, &mut self.initial));
        }
        effects
    }

    fn initial(&self, is_v6: bool, port: u16) -> u32 {
        self.initial.get(&(is_v6, port)).copied().unwrap_or(1)
    }
}

/// The name of a connection in effects: the peer's port, moved for IPv6.
pub(super) const fn name(is_v6: bool, port: u16) -> u16 {
    if is_v6 { port.wrapping_add(20_000) } else { port }
}

/// What a packet that a system sent means; acknowledgments and data mean nothing here.
pub(super) fn effect(packet: &[u8], initial: &mut BTreeMap<(bool, u16), u32>) -> Option<Effect> {
    let (protocol, upper) = match packet[0] >> 4 {
        4 => (packet[9], &packet[usize::from(packet[0] & 15) * 4..]),
        _ => (packet[6], &packet[40..]),
    };
    match (protocol, upper) {
        (6, [_, _, high, low, a, b, c, d, ..]) => {
            let is_v6 = packet[0] >> 4 == 6;
            let (port, flags) = (u16::from_be_bytes([*high, *low]), upper[13]);
            let named = name(is_v6, port);
            if flags & 4 != 0 {
                return Some(Effect::Reset(named));
            }
            // A repeated one is a matter of timers.
            let sequence = u32::from_be_bytes([*a, *b, *c, *d]);
            let is_news =
                flags & 2 != 0 && initial.insert((is_v6, port), sequence) != Some(sequence);
            is_news.then_some(Effect::Agreed(named))
        }
        (1, [0, ..]) | (58, [129, ..]) => Some(Effect::Echo),
        (1, [kind @ (3 | 11 | 12), code, ..]) | (58, [kind @ 1..=127, code, ..]) => {
            Some(Effect::Refused(*kind, *code))
        }
        _ => None,
    }
}
