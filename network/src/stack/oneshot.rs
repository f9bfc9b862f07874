//! A `smoltcp::phy::Device` that holds one packet: what a socket is shown, and where its answer goes.
//!
//! smoltcp's interface is polled with one of these and one socket at a time. Packets it emits land in pooled frames with headroom, so
//! nothing is copied on the way to the driver.

use alloc::collections::VecDeque;

use smoltcp::phy::{ChecksumCapabilities, Device, DeviceCapabilities, Medium, RxToken, TxToken};
use smoltcp::time::Instant;

use super::Configuration;
use crate::driver::{Frame, FramePool};

/// What the interface is told of the device: IP packets, and checksums are somebody else's.
pub(crate) fn capabilities(mtu: usize) -> DeviceCapabilities {
    let mut capabilities = DeviceCapabilities::default();
    capabilities.medium = Medium::Ip;
    capabilities.max_transmission_unit = mtu;
    capabilities.checksum = ChecksumCapabilities::ignored();
    capabilities
}

/// The device.
pub(crate) struct OneShot<'a> {
    packet: Option<&'a [u8]>,
    pool: &'a mut FramePool,
    emitted: &'a mut VecDeque<Frame>,
    mtu: usize,
}

impl<'a> OneShot<'a> {
    /// A device that receives `packet`.
    pub(crate) fn receiving(
        packet: &'a [u8],
        pool: &'a mut FramePool,
        emitted: &'a mut VecDeque<Frame>,
        configuration: &Configuration,
    ) -> Self {
        Self { packet: Some(packet), pool, emitted, mtu: configuration.mtu }
    }

    /// A device that only sends.
    pub(crate) fn sending(
        pool: &'a mut FramePool,
        emitted: &'a mut VecDeque<Frame>,
        configuration: &Configuration,
    ) -> Self {
        Self { packet: None, pool, emitted, mtu: configuration.mtu }
    }
}

impl Device for OneShot<'_> {
    type RxToken<'token>
        = Receive<'token>
    where
        Self: 'token;
    type TxToken<'token>
        = Emit<'token>
    where
        Self: 'token;

    fn receive(&mut self, _timestamp: Instant) -> Option<(Receive<'_>, Emit<'_>)> {
        let packet = self.packet.take()?;
        Some((Receive(packet), Emit { pool: self.pool, emitted: self.emitted }))
    }

    fn transmit(&mut self, _timestamp: Instant) -> Option<Emit<'_>> {
        Some(Emit { pool: self.pool, emitted: self.emitted })
    }

    fn capabilities(&self) -> DeviceCapabilities {
        capabilities(self.mtu)
    }
}

pub(crate) struct Receive<'a>(&'a [u8]);

impl RxToken for Receive<'_> {
    fn consume<R, F: FnOnce(&[u8]) -> R>(self, f: F) -> R {
        f(self.0)
    }
}

pub(crate) struct Emit<'a> {
    pool: &'a mut FramePool,
    emitted: &'a mut VecDeque<Frame>,
}

impl TxToken for Emit<'_> {
    fn consume<R, F: FnOnce(&mut [u8]) -> R>(self, length: usize, f: F) -> R {
        let mut frame = self.pool.take(length);
        let result = f(frame.bytes_mut());
        self.emitted.push_back(frame);
        result
    }
}
