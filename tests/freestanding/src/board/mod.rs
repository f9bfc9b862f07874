//! A system with one Ethernet interface that has no peer.

#![allow(dead_code, reason = "each program uses its part")]

use alloc::sync::Arc;
use core::sync::atomic::{AtomicU32, Ordering};
use core::task::Waker;
use core::time::Duration;

use devnet_network::Sockets;
use devnet_network::address::HardwareAddress;
use devnet_network::driver::{
    Capabilities, Driver, DriverError, Frame, FramePool, Kind, LinkState, Medium,
};
use devnet_network::io_free::{Core, Port};
use devnet_network::platform::{Entropy, Instant};

/// Stands for the registers of a network controller: the compiler knows nothing of what is there.
static RECEIVED: AtomicU32 = AtomicU32::new(0);
pub(crate) static SENT: AtomicU32 = AtomicU32::new(0);

struct Ethernet;

impl Driver for Ethernet {
    fn capabilities(&self) -> Capabilities {
        Capabilities::new(Kind::Ethernet, Medium::Ethernet, 1500)
    }

    fn hardware_address(&self) -> Option<HardwareAddress> {
        Some(HardwareAddress([2, 0, 0, 0, 0, 1]))
    }

    fn set_hardware_address(&mut self, _address: HardwareAddress) -> Result<(), DriverError> {
        Err(DriverError::Unsupported)
    }

    fn link_state(&mut self) -> LinkState {
        LinkState::Up
    }

    fn receive(&mut self, pool: &mut FramePool) -> Option<Frame> {
        let length = RECEIVED.load(Ordering::Relaxed) as usize;
        (length > 0).then(|| pool.take(length))
    }

    fn can_transmit(&mut self) -> bool {
        true
    }

    fn transmit(&mut self, frame: Frame, pool: &mut FramePool) -> Result<(), Frame> {
        SENT.fetch_add(frame.bytes().len() as u32, Ordering::Relaxed);
        pool.put(frame);
        Ok(())
    }

    fn register(&mut self, _waker: &Waker, _room: bool) {}
}

struct Noise(AtomicU32);

impl Entropy for Noise {
    fn fill(&self, buffer: &mut [u8]) -> Result<(), &'static str> {
        for byte in buffer {
            *byte = (self.0.fetch_add(0x9e37_79b9, Ordering::Relaxed) >> 24) as u8;
        }
        Ok(())
    }
}

/// The system and its only driver.
pub(crate) struct Board {
    pub(crate) core: Core,
    port: Port,
    now: Instant,
}

impl Board {
    /// A system with an interface `eth0`, which is down.
    pub(crate) fn new() -> Option<Self> {
        let now = Instant::ZERO;
        let core = Core::new(Arc::new(Noise(AtomicU32::new(1))), now).ok()?;
        let port = core.attach("eth0", &mut Ethernet).ok()?;
        Some(Self { core, port, now })
    }

    /// Sockets on the interface: no loopback interface is needed for what is sent to ourselves.
    pub(crate) fn sockets(&self) -> Option<Sockets> {
        self.core.manager().sockets_on("eth0").ok()
    }

    /// Lets everything happen that is due within some milliseconds.
    pub(crate) fn run(&mut self) {
        for _ in 0..50 {
            while self.core.poll(self.now, &mut self.port, &mut Ethernet) {}
            self.now = self.now.after(Duration::from_millis(1));
        }
    }
}
