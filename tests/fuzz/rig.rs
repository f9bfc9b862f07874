//! A host in virtual time and the other end of its link.

use std::time::Duration;

use devnet_network::address::HardwareAddress;
use devnet_network::driver::{Driver, FramePool};
use world::{Host, World};

/// The host is station 1, the other end station 2.
pub(crate) struct Rig {
    pub(crate) world: World,
    pub(crate) host: Host,
    hand: devnet_drivers::Cable,
    pool: FramePool,
}

impl Rig {
    pub(crate) fn new(seed: u64) -> Self {
        let world = World::new(seed);
        let hardware = (HardwareAddress([2, 0, 0, 0, 0, 1]), HardwareAddress([2, 0, 0, 0, 0, 2]));
        let (end, hand) = devnet_drivers::cable(
            devnet_drivers::CableOptions::default().hardware(hardware).capacity(512),
        );
        let host = Host::new(&world).with("eth0", end, &["10.0.0.1/24", "fd00::1/64"]);
        world.run(world.sleep(Duration::from_secs(3)));
        Self { world, host, hand, pool: FramePool::new() }
    }

    pub(crate) fn inject(&mut self, bytes: &[u8]) {
        let frame = self.pool.copy_of(bytes);
        if let Err(frame) = self.hand.transmit(frame, &mut self.pool) {
            self.pool.put(frame);
        }
        if let Some(waker) = self.hand.flush() {
            waker.wake();
        }
    }

    /// What the host sent since the last call.
    pub(crate) fn answers(&mut self) -> Vec<Vec<u8>> {
        let mut answers = Vec::new();
        while let Some(frame) = self.hand.receive(&mut self.pool) {
            answers.push(frame.bytes().to_vec());
            self.pool.put(frame);
        }
        answers
    }

    pub(crate) fn settle(&self, micros: u64) {
        self.world.run(self.world.sleep(Duration::from_micros(micros)));
    }
}
