//! The driver interface.
//!
//! A driver moves frames, reports its link state and its capabilities, and wakes its runner. The
//! interface that owns it calls it, one call at a time, under that interface's lock: no method may
//! block, await, or call back into the stack. [`Driver::flush`] returns the wake that transmissions
//! cause, so that it happens outside the lock.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::fmt;
use core::task::Waker;

use devnet_virtual_file_system::Error;
use serde::{Deserialize, Serialize};

use crate::address::HardwareAddress;
use crate::limits;

pub use devnet_commands::link::{Kind, LinkSpeed, LinkState, Medium};

/// The capabilities of a driver; constant during its life.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Capabilities {
    /// The kind of the interface.
    pub kind: Kind,
    /// What a frame starts with.
    pub medium: Medium,
    /// The largest IP packet in bytes that fits into one frame; the Ethernet header does not count.
    pub mtu: usize,
    /// The number of frames that the driver accepts before [`Driver::can_transmit`] returns false;
    /// `None` when unbounded.
    pub burst: Option<usize>,
    /// Frames cannot be damaged (memory): checksums are neither computed nor verified.
    pub reliable: bool,
}

impl Capabilities {
    /// A driver that accepts any number of frames, and whose frames can be damaged; `mtu` in bytes
    /// of the largest IP packet.
    #[must_use]
    pub const fn new(kind: Kind, medium: Medium, mtu: usize) -> Self {
        Self { kind, medium, mtu, burst: None, reliable: false }
    }
}

devnet_virtual_file_system::setters! {
    Capabilities {
        kind: Kind,
        medium: Medium,
        mtu: usize,
        burst: Option<usize>,
        reliable: bool,
    }
}

/// Why a driver rejected a setting.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub enum DriverError {
    /// The hardware does not support it.
    Unsupported,
    /// The hardware or the platform failed.
    Failed,
}

impl fmt::Display for DriverError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Unsupported => "the hardware does not support it",
            Self::Failed => "the hardware or the platform failed",
        })
    }
}

impl core::error::Error for DriverError {}

impl DriverError {
    /// What a command answers.
    pub(crate) const fn answer(self) -> Error {
        match self {
            Self::Unsupported => Error::Unsupported,
            Self::Failed => Error::InputOutput,
        }
    }
}

/// One frame in an owned buffer. Bytes before `start` are headroom for prepending a header without
/// a copy; bytes from `end` on are spare, so that a recycled buffer need not be cleared.
#[derive(Debug)]
pub struct Frame {
    buffer: Vec<u8>,
    start: usize,
    end: usize,
}

impl Frame {
    /// The frame's bytes.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        self.buffer.get(self.start..self.end).unwrap_or_default()
    }

    /// The frame's bytes, mutably.
    pub fn bytes_mut(&mut self) -> &mut [u8] {
        self.buffer.get_mut(self.start..self.end).unwrap_or_default()
    }

    /// The number of bytes.
    #[must_use]
    pub fn len(&self) -> usize {
        self.end.saturating_sub(self.start)
    }

    /// True for a frame without bytes.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Removes `count` bytes from the front; at most all of them.
    pub fn advance(&mut self, count: usize) {
        self.start = self.start.saturating_add(count).min(self.end);
    }

    /// Prepends `count` bytes of headroom; false if there is not that much.
    #[must_use]
    pub fn prepend(&mut self, count: usize) -> bool {
        match self.start.checked_sub(count) {
            Some(start) => {
                self.start = start;
                true
            }
            None => false,
        }
    }

    /// Cuts the frame to `length` bytes if it is longer.
    pub fn truncate(&mut self, length: usize) {
        self.end = self.end.min(self.start.saturating_add(length));
    }
}

/// Recycled frame buffers of one interface, at most [`limits::POOL_FRAMES`]; further ones are
/// freed.
#[derive(Debug, Default)]
pub struct FramePool {
    free: Vec<Vec<u8>>,
}

impl FramePool {
    /// An empty pool.
    #[must_use]
    pub const fn new() -> Self {
        Self { free: Vec::new() }
    }

    /// A frame of `length` bytes with headroom for a link header; its content is unspecified and
    /// must be written.
    pub fn take(&mut self, length: usize) -> Frame {
        let end = length.saturating_add(limits::HEADROOM);
        let mut buffer = self.free.pop().unwrap_or_default();
        // A recycled buffer keeps its bytes: only missing ones are zeroed, and small buffers are
        // replaced by larger ones over time.
        if buffer.len() < end {
            let is_small = end <= limits::SMALL_FRAME_BYTES;
            let least = if is_small { limits::SMALL_FRAME_BYTES } else { limits::FRAME_BYTES };
            buffer.resize(end.max(least), 0);
        }
        Frame { buffer, start: limits::HEADROOM, end }
    }

    /// A frame with a copy of `bytes`.
    pub fn copy_of(&mut self, bytes: &[u8]) -> Frame {
        let mut frame = self.take(bytes.len());
        frame.bytes_mut().copy_from_slice(bytes);
        frame
    }

    /// A recycled frame of unspecified length and content, if there is one: for drivers that return
    /// buffers to their source.
    pub fn spare(&mut self) -> Option<Frame> {
        self.free.pop().map(|buffer| Frame { start: 0, end: buffer.len(), buffer })
    }

    /// Returns a frame's buffer to the pool.
    pub fn put(&mut self, frame: Frame) {
        if self.free.len() < limits::POOL_FRAMES
            && frame.buffer.capacity() <= limits::POOL_FRAME_BYTES
        {
            self.free.push(frame.buffer);
        }
    }
}

/// A network device.
pub trait Driver: Send {
    /// The capabilities of the device.
    fn capabilities(&self) -> Capabilities;

    /// The device's address; `None` on media without hardware addresses.
    fn hardware_address(&self) -> Option<HardwareAddress>;

    /// Sets the device's unicast address.
    ///
    /// # Errors
    /// The device keeps its address.
    fn set_hardware_address(&mut self, address: HardwareAddress) -> Result<(), DriverError>;

    /// The present link state.
    fn link_state(&mut self) -> LinkState;

    /// The speed of the link, if the device knows it.
    fn speed(&mut self) -> Option<LinkSpeed> {
        None
    }

    /// Asks for frames that are for others too: to every station, or to every group. A device that
    /// delivers them anyway has nothing to do.
    ///
    /// # Errors
    /// The device delivers what it delivered before; `Unsupported` unless it is implemented.
    fn set_reception(&mut self, all_stations: bool, all_groups: bool) -> Result<(), DriverError> {
        let _ = (all_stations, all_groups);
        Err(DriverError::Unsupported)
    }

    /// The next received frame, in a buffer from `pool`, or `None` when there is none.
    fn receive(&mut self, pool: &mut FramePool) -> Option<Frame>;

    /// True when the next [`transmit`](Self::transmit) will accept a frame.
    fn can_transmit(&mut self) -> bool;

    /// Transmits a frame. Returns the frame when the device has no room; it will be offered again.
    /// A frame that the device rejects for good is dropped by the driver and counted as sent.
    ///
    /// # Errors
    /// The frame itself.
    fn transmit(&mut self, frame: Frame, pool: &mut FramePool) -> Result<(), Frame>;

    /// Ends a batch of transmissions. The caller wakes the returned waker, if any, once it holds no
    /// lock.
    fn flush(&mut self) -> Option<Waker> {
        None
    }

    /// Registers the task to wake when a frame arrives, when the link changes, and, if `room` is
    /// set, when there is room to transmit again. Only the latest registration counts. Earlier
    /// events need no wake: the caller polls after it registers.
    fn register(&mut self, waker: &Waker, room: bool);
}

/// A boxed driver is one too, so that drivers chosen at run time go wherever one is expected.
impl<D: Driver + ?Sized> Driver for Box<D> {
    fn capabilities(&self) -> Capabilities {
        (**self).capabilities()
    }

    fn hardware_address(&self) -> Option<HardwareAddress> {
        (**self).hardware_address()
    }

    fn set_hardware_address(&mut self, address: HardwareAddress) -> Result<(), DriverError> {
        (**self).set_hardware_address(address)
    }

    fn link_state(&mut self) -> LinkState {
        (**self).link_state()
    }

    fn speed(&mut self) -> Option<LinkSpeed> {
        (**self).speed()
    }

    fn set_reception(&mut self, all_stations: bool, all_groups: bool) -> Result<(), DriverError> {
        (**self).set_reception(all_stations, all_groups)
    }

    fn receive(&mut self, pool: &mut FramePool) -> Option<Frame> {
        (**self).receive(pool)
    }

    fn can_transmit(&mut self) -> bool {
        (**self).can_transmit()
    }

    fn transmit(&mut self, frame: Frame, pool: &mut FramePool) -> Result<(), Frame> {
        (**self).transmit(frame, pool)
    }

    fn flush(&mut self) -> Option<Waker> {
        (**self).flush()
    }

    fn register(&mut self, waker: &Waker, room: bool) {
        (**self).register(waker, room);
    }
}
