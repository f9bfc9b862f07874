//! The host without an executor, and the peer's end of the wire. It counts what the host does while
//! nobody talks to it.

use std::sync::Arc;
use std::time::Duration;

use devnet_drivers::Cable;
use devnet_network::command::ListSockets;
use devnet_network::command::socket::SocketStatus;
use devnet_network::driver::{Driver, FramePool, Medium};
use devnet_network::io_free::{Core, Port};
use devnet_network::platform::Instant;
use devnet_virtual_file_system::{Credentials, Mode, OpenFlags, Path};
use world::SeededEntropy;

/// Polls at one instant after which the host is taken for a livelock.
const POLLS: usize = 10_000;
/// Times at which the host may want to be polled, at once and in each second.
const WAKES: (u64, u64) = (2_000, 1_000);

pub(super) struct Rig {
    pub(super) core: Core,
    port: Port,
    driver: Cable,
    hand: Cable,
    pool: FramePool,
    /// What the host sent since somebody looked.
    outgoing: Vec<Vec<u8>>,
    pub(super) now: Instant,
}

impl Rig {
    pub(super) fn new(seed: u64) -> Self {
        let hardware = ("02:00:00:00:00:01".parse().unwrap(), "02:00:00:00:00:02".parse().unwrap());
        let options = devnet_drivers::CableOptions::default()
            .medium(Medium::Ip)
            .hardware(hardware)
            .capacity(1024);
        let (mut driver, hand) = devnet_drivers::cable(options);
        let core = Core::new(Arc::new(SeededEntropy::new(seed)), Instant::ZERO).unwrap();
        let port = core.attach("tun0", &mut driver).unwrap();
        for line in ["link up", "address add 10.0.0.1/24"] {
            core.manager().configure("tun0", line).unwrap();
        }
        let mut rig = Self {
            core,
            port,
            driver,
            hand,
            pool: FramePool::new(),
            outgoing: Vec::new(),
            now: Instant::ZERO,
        };
        rig.pass(Duration::from_secs(60));
        rig.sent();
        rig
    }

    /// Lets the host do what it can do now.
    pub(super) fn poll(&mut self) {
        for _ in 0..POLLS {
            let more = self.core.poll(self.now, &mut self.port, &mut self.driver);
            while let Some(frame) = self.hand.receive(&mut self.pool) {
                self.outgoing.push(frame.bytes().to_vec());
                self.pool.put(frame);
            }
            if !more && self.core.next_deadline().is_none_or(|next| next > self.now) {
                return;
            }
        }
        panic!("the host does not come to rest at {:?}", self.now);
    }

    /// Lets time pass; the host is polled when it wants to be.
    pub(super) fn pass(&mut self, time: Duration) {
        let end = self.now.after(time);
        let most = WAKES.0 + WAKES.1 * time.as_secs();
        let mut wakes = 0;
        self.poll();
        while let Some(next) = self.core.next_deadline().filter(|next| *next <= end) {
            self.now = self.now.max(next);
            self.poll();
            wakes += 1;
            assert!(wakes <= most, "the host wants to be polled {wakes} times in {time:?}");
        }
        self.now = end;
        self.poll();
    }

    /// Puts a packet on the wire and lets the host take it.
    pub(super) fn send(&mut self, packet: &[u8]) {
        let frame = self.pool.copy_of(packet);
        assert!(self.hand.transmit(frame, &mut self.pool).is_ok(), "the wire has room");
        drop(self.hand.flush());
        self.poll();
    }

    /// What the host sent since the last call.
    pub(super) fn sent(&mut self) -> Vec<Vec<u8>> {
        std::mem::take(&mut self.outgoing)
    }

    /// Every socket of the host, resting tuples too.
    pub(super) fn sockets(&self) -> Vec<SocketStatus> {
        let path = Path::parse("/devices/sockets").unwrap();
        let flags = OpenFlags::READ | OpenFlags::WRITE;
        let device =
            self.core.files().open(&Credentials::root(), &path, flags, Mode::empty()).unwrap();
        device.try_control::<ListSockets>(&()).unwrap()
    }
}
