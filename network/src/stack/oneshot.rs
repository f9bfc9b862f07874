//! A `smoltcp::phy::Device` that holds one packet: what a socket is shown, and where its answer goes.
//!
//! smoltcp's interface is polled with one of these and one socket at a time. Packets it emits land in pooled frames with headroom, so
//! nothing is copied on the way to the driver. It is told of a device with the largest MTU that cuts long segments itself: what it emits
//! may hold many segments ([`limits::SUPER_SEGMENT`]), which [`super::tcp::egress`] cuts to what the path carries.

use alloc::collections::VecDeque;

use core::num::NonZeroUsize;

use smoltcp::phy::{ChecksumCapabilities, Device, DeviceCapabilities, Medium, RxToken, TxToken};
use smoltcp::time::Instant;

use crate::driver::{Frame, FramePool};
use crate::limits;

/// What the interface is told of the device: IP packets of any size, and checksums are somebody else's.
pub(crate) fn capabilities() -> DeviceCapabilities {
    let mut capabilities = DeviceCapabilities::default();
    capabilities.medium = Medium::Ip;
    capabilities.max_transmission_unit = usize::from(u16::MAX);
    capabilities.checksum = ChecksumCapabilities::ignored();
    capabilities.segmentation.tcpv4 = NonZeroUsize::new(limits::SUPER_SEGMENT);
    capabilities.segmentation.tcpv6 = NonZeroUsize::new(limits::SUPER_SEGMENT);
    capabilities
}

/// Where emitted packets go.
#[derive(Debug, Default)]
pub(crate) struct Emitted {
    pub(crate) packets: VecDeque<Frame>,
    /// Buffers for packets that are cut before they leave; they never meet a driver.
    pub(crate) large: FramePool,
}

/// The device.
pub(crate) struct OneShot<'a> {
    packet: Option<&'a [u8]>,
    pool: &'a mut FramePool,
    emitted: &'a mut Emitted,
    /// Bytes of the longest packet that is not cut.
    longest: usize,
}

impl<'a> OneShot<'a> {
    /// A device that receives `packet`.
    pub(crate) fn receiving(
        packet: &'a [u8],
        pool: &'a mut FramePool,
        emitted: &'a mut Emitted,
        longest: usize,
    ) -> Self {
        Self { packet: Some(packet), pool, emitted, longest }
    }

    /// A device that only sends.
    pub(crate) fn sending(pool: &'a mut FramePool, emitted: &'a mut Emitted, longest: usize) -> Self {
        Self { packet: None, pool, emitted, longest }
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
        Some((Receive(packet), Emit { pool: self.pool, emitted: self.emitted, longest: self.longest }))
    }

    fn transmit(&mut self, _timestamp: Instant) -> Option<Emit<'_>> {
        Some(Emit { pool: self.pool, emitted: self.emitted, longest: self.longest })
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
    longest: usize,
}

impl TxToken for Emit<'_> {
    fn consume<R, F: FnOnce(&mut [u8]) -> R>(self, length: usize, f: F) -> R {
        let pool = if length > self.longest { &mut self.emitted.large } else { self.pool };
        let mut frame = pool.take(length);
        let result = f(frame.bytes_mut());
        self.emitted.packets.push_back(frame);
        result
    }
}
