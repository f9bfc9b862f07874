//! The loopback: transmitted packets are received, in order.
//!
//! The interface's runner is both ends, so nothing is shared and no lock is needed. Frames are not
//! copied.

use std::collections::VecDeque;
use std::sync::Arc;
use std::task::Waker;

use devnet_network::address::HardwareAddress;
use devnet_network::driver::{
    Capabilities, Driver, DriverError, Frame, FramePool, Kind, LinkState, Medium,
};
use devnet_virtual_file_system::CharacterDevice;

use crate::controller::{Controlled, Controller, DriverInformation};
use crate::counters::{Counters, DriverCounters};
use crate::limits::LOOPBACK_FRAMES;

/// A driver that receives the IP packets that it transmits.
#[derive(Debug)]
pub struct Loopback {
    mtu: usize,
    queue: VecDeque<Frame>,
    waker: Option<Waker>,
    /// The runner waits for room in the queue.
    wants_room: bool,
    /// An event since the last flush must wake the runner.
    needs_wake: bool,
    counters: Arc<Counters>,
}

impl Loopback {
    /// Creates a loopback for IP packets of up to `mtu` bytes.
    #[must_use]
    pub fn new(mtu: usize) -> Self {
        let counters = Arc::default();
        Self {
            mtu,
            queue: VecDeque::new(),
            waker: None,
            wants_room: false,
            needs_wake: false,
            counters,
        }
    }

    /// Returns the device that answers [`controller_commands`](crate::controller_commands) about
    /// this driver.
    #[must_use]
    pub fn controller(&self) -> Arc<dyn CharacterDevice> {
        Arc::new(Controller::new(Arc::new(DriverControl {
            mtu: self.mtu,
            counters: Arc::clone(&self.counters),
        })))
    }
}

impl Driver for Loopback {
    fn capabilities(&self) -> Capabilities {
        let burst = Some(LOOPBACK_FRAMES);
        Capabilities::new(Kind::Loopback, Medium::Ip, self.mtu).burst(burst).reliable(true)
    }

    fn hardware_address(&self) -> Option<HardwareAddress> {
        None
    }

    fn set_hardware_address(&mut self, _: HardwareAddress) -> Result<(), DriverError> {
        Err(DriverError::Unsupported)
    }

    fn link_state(&mut self) -> LinkState {
        LinkState::Up
    }

    fn set_reception(&mut self, _: bool, _: bool) -> Result<(), DriverError> {
        // Everything that is sent arrives.
        Ok(())
    }

    fn receive(&mut self, _: &mut FramePool) -> Option<Frame> {
        let frame = self.queue.pop_front()?;
        self.counters.received(frame.len());
        self.needs_wake |= self.wants_room;
        Some(frame)
    }

    fn can_transmit(&mut self) -> bool {
        self.queue.len() < LOOPBACK_FRAMES
    }

    fn transmit(&mut self, frame: Frame, pool: &mut FramePool) -> Result<(), Frame> {
        if !self.can_transmit() {
            return Err(frame);
        }
        if frame.len() > self.mtu {
            self.counters.dropped(frame.len());
            pool.put(frame);
            return Ok(());
        }
        self.counters.sent(frame.len());
        self.queue.push_back(frame);
        self.needs_wake = true;
        Ok(())
    }

    fn flush(&mut self) -> Option<Waker> {
        if std::mem::take(&mut self.needs_wake) { self.waker.take() } else { None }
    }

    fn register(&mut self, waker: &Waker, room: bool) {
        if !self.waker.as_ref().is_some_and(|known| known.will_wake(waker)) {
            self.waker = Some(waker.clone());
        }
        self.wants_room = room;
    }
}

struct DriverControl {
    mtu: usize,
    counters: Arc<Counters>,
}

impl Controlled for DriverControl {
    fn information(&self) -> DriverInformation {
        DriverInformation::new("loopback", "", self.mtu)
    }

    fn counters(&self) -> DriverCounters {
        self.counters.read()
    }
}
