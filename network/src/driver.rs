//! The seam down: what a driver is.
//!
//! A driver moves frames, says its link state and its capabilities, and wakes its runner. It is
//! called by the interface that owns it, one call at a time, under that interface's lock: no method
//! may block, await, or call back into the stack. The one wake that a transmission causes is handed
//! out by [`Driver::flush`], so that it happens outside the lock.

use alloc::vec::Vec;
use core::task::Waker;

use serde::{Deserialize, Serialize};

use crate::address::HardwareAddress;
use crate::limits;
use crate::words::words;

/// What a frame of the driver starts with.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum Medium {
    /// An Ethernet II header (14 bytes, no checksum at the end).
    Ethernet,
    /// The IP header itself; there are no hardware addresses.
    Ip,
}

/// What an interface is, for people and for commands.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum Kind {
    /// Traffic of this system with itself.
    Loopback,
    /// Wired or simulated Ethernet.
    Ethernet,
    /// A point-to-point or tunnel interface without link layer.
    Tunnel,
    /// A radio that behaves as Ethernet once it is joined.
    Wireless,
}

words! {
    Kind {
        Loopback => "loopback",
        Ethernet => "ethernet",
        Tunnel => "tunnel",
        Wireless => "wireless",
    }
}

/// Whether frames can travel at the moment.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum LinkState {
    /// The cable is plugged, the radio joined.
    Up,
    /// No carrier.
    Down,
}

/// What a driver can do; constant while it lives.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Capabilities {
    /// What the interface is.
    pub kind: Kind,
    /// What a frame starts with.
    pub medium: Medium,
    /// The largest IP packet in bytes that fits into one frame; the Ethernet header does not count.
    pub mtu: usize,
    /// How many frames the driver takes at once before [`Driver::can_transmit`] says no; `None`
    /// when unbounded.
    pub burst: Option<usize>,
    /// Nothing can damage a frame on the way (memory): checksums are neither computed nor verified.
    pub reliable: bool,
}

/// Why a driver refused a setting.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum DriverError {
    /// The hardware cannot do that.
    Unsupported,
    /// The hardware or the platform failed.
    Failed,
}

/// One frame in an owned buffer. Bytes before `start` are headroom, so that a header can be put in
/// front without a copy; bytes from `end` on are spare, so that a recycled buffer need not be
/// cleared.
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

    /// The frame's bytes, to be changed in place.
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

    /// Takes `count` bytes of headroom into the frame and tells whether there was that much.
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

/// Recycled frame buffers of one interface. Bounded by [`limits::POOL_FRAMES`]; beyond that,
/// buffers are simply freed.
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
        // A recycled buffer keeps its bytes: only what it lacks is zeroed, and small frames make
        // room for larger ones to come.
        if buffer.len() < end {
            buffer.resize(end.max(limits::FRAME_BYTES), 0);
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
    /// buffers to where frames come from.
    pub fn spare(&mut self) -> Option<Frame> {
        self.free.pop().map(|buffer| Frame { start: 0, end: buffer.len(), buffer })
    }

    /// Gives a frame's buffer back.
    pub fn put(&mut self, frame: Frame) {
        if self.free.len() < limits::POOL_FRAMES
            && frame.buffer.capacity() <= limits::POOL_FRAME_BYTES
        {
            self.free.push(frame.buffer);
        }
    }
}

/// A network device as the stack sees it.
pub trait Driver: Send {
    /// What the device can do.
    fn capabilities(&self) -> Capabilities;

    /// The station's address; `None` on media without one.
    fn hardware_address(&self) -> Option<HardwareAddress>;

    /// Makes the device use another unicast address.
    ///
    /// # Errors
    /// The device keeps its address.
    fn set_hardware_address(&mut self, address: HardwareAddress) -> Result<(), DriverError>;

    /// The link as of now.
    fn link_state(&mut self) -> LinkState;

    /// The next received frame, in a buffer from `pool`, or `None` when nothing waits.
    fn receive(&mut self, pool: &mut FramePool) -> Option<Frame>;

    /// True when the next [`transmit`](Self::transmit) will be accepted.
    fn can_transmit(&mut self) -> bool;

    /// Takes one frame. A frame that the device has no room for comes back and will be offered
    /// again; one that the device refuses for good is dropped by the driver and counted as sent.
    ///
    /// # Errors
    /// The frame itself.
    fn transmit(&mut self, frame: Frame, pool: &mut FramePool) -> Result<(), Frame>;

    /// Ends a batch of transmissions. The returned waker, if any, is woken by the caller once it
    /// holds no lock.
    fn flush(&mut self) -> Option<Waker> {
        None
    }

    /// Remembers whom to wake when a frame arrives, when the link changes, and, if `room` is set,
    /// when there is room to transmit again. Only the latest registration counts. What happened
    /// before the call needs no wake: the caller looks for frames after it registered.
    fn register(&mut self, waker: &Waker, room: bool);
}
