//! Shared parts of the tests: a frame pool, a counting waker, and numbered frames.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Wake, Waker};

use devnet_drivers::CableOptions;
use devnet_network::address::HardwareAddress;
use devnet_network::driver::{Driver, Frame, FramePool};

/// Counts its wakes.
#[derive(Default)]
pub(crate) struct Count(AtomicUsize);

impl Count {
    pub(crate) fn waker() -> (Arc<Self>, Waker) {
        let count = Arc::new(Self::default());
        (Arc::clone(&count), Waker::from(count))
    }

    /// Returns the wakes since the last call.
    pub(crate) fn take(&self) -> usize {
        self.0.swap(0, Ordering::SeqCst)
    }
}

impl Wake for Count {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

/// Returns the address of station `number`.
pub(crate) const fn station(number: u8) -> HardwareAddress {
    HardwareAddress([2, 0, 0, 0, 0, number])
}

/// Builds an Ethernet frame with a payload of at least 46 bytes.
pub(crate) fn ethernet(to: HardwareAddress, from: HardwareAddress, payload: &[u8]) -> Vec<u8> {
    let mut bytes = [&to.0[..], &from.0, &[0x88, 0xb5], payload].concat();
    bytes.resize(bytes.len().max(60), 0);
    bytes
}

pub(crate) fn cable_options(capacity: usize) -> CableOptions {
    CableOptions::default().hardware((station(1), station(2))).reliable(true).capacity(capacity)
}

/// Transmits and flushes like an interface; false if there is no room.
pub(crate) fn send(driver: &mut dyn Driver, bytes: &[u8]) -> bool {
    let pool = &mut FramePool::new();
    let frame: Frame = pool.copy_of(bytes);
    let can = driver.can_transmit();
    let result = driver.transmit(frame, pool);
    assert_eq!(result.is_ok(), can, "can_transmit and transmit agree");
    if let Err(frame) = &result {
        assert_eq!(frame.bytes(), bytes, "a refused frame comes back whole");
    }
    if let Some(waker) = driver.flush() {
        waker.wake();
    }
    result.is_ok()
}

pub(crate) fn receive(driver: &mut dyn Driver) -> Option<Vec<u8>> {
    let frame = driver.receive(&mut FramePool::new());
    if let Some(waker) = driver.flush() {
        waker.wake();
    }
    frame.map(|frame| frame.bytes().to_vec())
}

pub(crate) fn receive_all(driver: &mut dyn Driver) -> Vec<Vec<u8>> {
    std::iter::from_fn(|| receive(driver)).collect()
}
