//! A `smoltcp::phy::Device` that holds one packet: what a socket is shown, and where its answer goes.
//!
//! smoltcp's interface is polled with one of these and one socket at a time. Packets it emits land in pooled frames; what they say leaves as
//! segments of our own ([`super::tcp::egress`]).

use alloc::collections::VecDeque;

use smoltcp::phy::{ChecksumCapabilities, Device, DeviceCapabilities, Medium, RxToken, TxToken};
use smoltcp::time::Instant;

use crate::driver::{Frame, FramePool};

/// What the interface is told of the device: IP packets of any size, and checksums are somebody else's.
pub(crate) fn capabilities() -> DeviceCapabilities {
    let mut capabilities = DeviceCapabilities::default();
    capabilities.medium = Medium::Ip;
    capabilities.max_transmission_unit = usize::from(u16::MAX);
    capabilities.checksum = ChecksumCapabilities::ignored();
    capabilities
}

/// Where emitted packets go.
#[derive(Debug, Default)]
pub(crate) struct Emitted {
    pub(crate) packets: VecDeque<Frame>,
}

/// The device.
pub(crate) struct OneShot<'a> {
    packet: Option<&'a [u8]>,
    pool: &'a mut FramePool,
    emitted: &'a mut Emitted,
}

impl<'a> OneShot<'a> {
    /// A device that receives `packet`.
    pub(crate) fn receiving(packet: &'a [u8], pool: &'a mut FramePool, emitted: &'a mut Emitted) -> Self {
        Self { packet: Some(packet), pool, emitted }
    }

    /// A device that only sends.
    pub(crate) fn sending(pool: &'a mut FramePool, emitted: &'a mut Emitted) -> Self {
        Self { packet: None, pool, emitted }
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
        capabilities()
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
    emitted: &'a mut Emitted,
}

impl TxToken for Emit<'_> {
    fn consume<R, F: FnOnce(&mut [u8]) -> R>(self, length: usize, f: F) -> R {
        let mut frame = self.pool.take(length);
        let result = f(frame.bytes_mut());
        self.emitted.packets.push_back(frame);
        result
    }
}
