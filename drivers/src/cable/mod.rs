//! A point-to-point link in memory: one end receives what the other transmits, without a copy.
//!
//! Each end collects a batch and exchanges it with the other under one lock, so the lock is taken
//! once per batch and not per frame. The path of a frame: `outbox` of the sender → `queue` of the
//! receiver's [`End`] → `inbox` of the receiver. Used buffers return the other way, so that a
//! one-way stream allocates no memory. Nobody is woken under the lock: [`Driver::flush`] returns
//! the other end's waker. [`Hints`] holds the state that may be read without the lock.

mod shared;

use std::collections::VecDeque;
use std::mem;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::Waker;

use devnet_network::address::HardwareAddress;
use devnet_network::driver::{
    Capabilities, Driver, DriverError, Frame, FramePool, Kind, LinkState, Medium,
};
use devnet_virtual_file_system::{self as files, CharacterDevice, Lock};

use self::shared::{End, Hints, Shared, Side};
use crate::controller::{Controlled, Controller, DriverInformation};
use crate::counters::{Counters, DriverCounters};
use crate::limits::ETHERNET_HEADER;

/// The options of a cable. The default is Ethernet with an MTU of 1500 bytes, checksums, queues of
/// 256 frames, and the hardware addresses `02:00:00:00:00:01` and `02:00:00:00:00:02`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct CableOptions {
    /// The largest IP packet in bytes.
    pub mtu: usize,
    /// The header at the start of a frame.
    pub medium: Medium,
    /// The hardware addresses of the two ends; unused with [`Medium::Ip`].
    pub hardware: (HardwareAddress, HardwareAddress),
    /// Whether the stacks may trust memory and omit checksums.
    pub reliable: bool,
    /// Queue of each direction, in frames, in addition to the batch that the receiver processes. At
    /// least one.
    pub capacity: usize,
}

devnet_virtual_file_system::setters! {
    CableOptions {
        mtu: usize,
        medium: Medium,
        hardware: (HardwareAddress, HardwareAddress),
        reliable: bool,
        capacity: usize,
    }
}

impl Default for CableOptions {
    fn default() -> Self {
        Self {
            mtu: 1500,
            medium: Medium::Ethernet,
            hardware: (HardwareAddress([2, 0, 0, 0, 0, 1]), HardwareAddress([2, 0, 0, 0, 0, 2])),
            reliable: false,
            capacity: 256,
        }
    }
}

/// Creates a cable and returns its two ends.
#[must_use]
pub fn cable(options: CableOptions) -> (Cable, Cable) {
    let shared = Shared { left: End::default(), right: End::default(), plugged: true, whole: true };
    let shared = Arc::new(Lock::new(shared));
    let hints = Arc::new(Hints { up: AtomicBool::new(true), ..Hints::default() });
    let end = |side| Cable {
        shared: Arc::clone(&shared),
        hints: Arc::clone(&hints),
        side,
        options,
        hardware: if side == Side::Left { options.hardware.0 } else { options.hardware.1 },
        outbox: VecDeque::new(),
        inbox: VecDeque::new(),
        spares: Vec::new(),
        room: options.capacity.max(1),
        known: None,
        wants_room: false,
        pending_wake: None,
        counters: Arc::default(),
    };
    (end(Side::Left), end(Side::Right))
}

/// One end of a cable. Dropping it takes the other end's link down.
#[derive(Debug)]
pub struct Cable {
    shared: Arc<Lock<Shared>>,
    hints: Arc<Hints>,
    side: Side,
    options: CableOptions,
    hardware: HardwareAddress,
    /// Frames transmitted since the last exchange.
    outbox: VecDeque<Frame>,
    /// The batch being processed.
    inbox: VecDeque<Frame>,
    /// Returned buffers.
    spares: Vec<Frame>,
    /// Room in the outbox, in frames; the other end can only increase it.
    room: usize,
    /// The registered waker, and whether it also waits for room.
    known: Option<Waker>,
    wants_room: bool,
    /// The waker that the next flush returns.
    pending_wake: Option<Waker>,
    counters: Arc<Counters>,
}

impl Cable {
    /// Returns a control that can unplug the cable.
    #[must_use]
    pub fn control(&self) -> CableControl {
        CableControl { shared: Arc::clone(&self.shared), hints: Arc::clone(&self.hints) }
    }

    /// Returns the device that answers [`controller_commands`](crate::controller_commands) about
    /// this end.
    #[must_use]
    pub fn controller(&self) -> Arc<dyn CharacterDevice> {
        let counters = Arc::clone(&self.counters);
        Arc::new(Controller::new(Arc::new(DriverControl {
            control: self.control(),
            counters,
            mtu: self.options.mtu,
        })))
    }

    const fn longest(&self) -> usize {
        match self.options.medium {
            Medium::Ethernet => self.options.mtu.saturating_add(ETHERNET_HEADER),
            Medium::Ip => self.options.mtu,
        }
    }

    /// Passes the outbox to the other end and updates the room.
    fn exchange(&mut self) {
        let Self { shared, hints, side, options, outbox, spares, counters, .. } = self;
        let (side, other) = (*side, side.other());
        let (waker, waiting) = shared.with(|shared| {
            let is_up = shared.is_up();
            let own = shared.end(side);
            if spares.is_empty() && !own.returned.is_empty() {
                mem::swap(spares, &mut own.returned);
            }
            let peer = shared.end(other);
            if is_up && !outbox.is_empty() {
                peer.queue.append(outbox);
                // Cleared under this lock only, together with the queue.
                if !hints.frames(other).load(Ordering::SeqCst) {
                    hints.frames(other).store(true, Ordering::SeqCst);
                }
                (hints.take_waker(other, peer), peer.queue.len())
            } else {
                (None, peer.queue.len())
            }
        });
        // Frames are left only if the cable is unplugged: they are lost, and freed outside the
        // lock.
        for frame in outbox.drain(..) {
            counters.dropped(frame.len());
        }
        self.room = options.capacity.max(1).saturating_sub(waiting);
        self.keep_wake(waker);
    }

    fn keep_wake(&mut self, waker: Option<Waker>) {
        if waker.is_some() {
            self.pending_wake = waker;
        }
    }
}

impl Driver for Cable {
    fn capabilities(&self) -> Capabilities {
        let CableOptions { mtu, medium, reliable, capacity, .. } = self.options;
        let kind = if medium == Medium::Ethernet { Kind::Ethernet } else { Kind::Tunnel };
        Capabilities::new(kind, medium, mtu).burst(Some(capacity.max(1))).reliable(reliable)
    }

    fn hardware_address(&self) -> Option<HardwareAddress> {
        (self.options.medium == Medium::Ethernet).then_some(self.hardware)
    }

    fn set_hardware_address(&mut self, address: HardwareAddress) -> Result<(), DriverError> {
        if self.options.medium != Medium::Ethernet || !address.is_unicast() {
            return Err(DriverError::Unsupported);
        }
        self.hardware = address;
        Ok(())
    }

    fn link_state(&mut self) -> LinkState {
        if self.hints.up.load(Ordering::SeqCst) {
            return LinkState::Up;
        }
        self.inbox.clear();
        LinkState::Down
    }

    fn set_reception(&mut self, _: bool, _: bool) -> Result<(), DriverError> {
        // Everything that the other end sends arrives.
        Ok(())
    }

    fn receive(&mut self, pool: &mut FramePool) -> Option<Frame> {
        if self.inbox.is_empty() && self.hints.frames(self.side).load(Ordering::SeqCst) {
            let Self { shared, hints, side, inbox, options, .. } = self;
            let (side, other) = (*side, side.other());
            let waker = shared.with(|shared| {
                mem::swap(&mut shared.end(side).queue, inbox);
                // Clearing needs no total order. Only setting it must be sequentially consistent
                // with `listens`.
                hints.frames(side).store(false, Ordering::Release);
                let peer = shared.end(other);
                // Returns as many buffers as it received frames.
                let room = options.capacity.saturating_sub(peer.returned.len());
                peer.returned
                    .extend(core::iter::from_fn(|| pool.spare()).take(inbox.len().min(room)));
                if peer.wants_room { hints.take_waker(other, peer) } else { None }
            });
            self.keep_wake(waker);
        }
        let frame = self.inbox.pop_front()?;
        self.counters.received(frame.len());
        Some(frame)
    }

    fn can_transmit(&mut self) -> bool {
        if self.outbox.len() >= self.room {
            self.exchange();
        }
        self.outbox.len() < self.room
    }

    fn transmit(&mut self, frame: Frame, pool: &mut FramePool) -> Result<(), Frame> {
        if !self.can_transmit() {
            return Err(frame);
        }
        let length = frame.len();
        if length > self.longest() {
            self.counters.dropped(length);
            pool.put(frame);
        } else {
            self.counters.sent(length);
            self.outbox.push_back(frame);
        }
        if let Some(spare) = self.spares.pop() {
            pool.put(spare);
        }
        Ok(())
    }

    fn flush(&mut self) -> Option<Waker> {
        if !self.outbox.is_empty() {
            self.exchange();
        }
        self.pending_wake.take()
    }

    fn register(&mut self, waker: &Waker, room: bool) {
        let is_known = self.known.as_ref().is_some_and(|known| known.will_wake(waker));
        if !is_known || room != self.wants_room {
            let replaced = self.shared.with(|shared| {
                let end = shared.end(self.side);
                end.wants_room = room;
                end.waker.replace(waker.clone())
            });
            drop(replaced);
            self.known = Some(waker.clone());
            self.wants_room = room;
        }
        self.hints.listens(self.side).store(true, Ordering::SeqCst);
    }
}

impl Drop for Cable {
    fn drop(&mut self) {
        let (lost, wakers) = self.shared.with(|shared| {
            shared.end(self.side).waker = None;
            shared.change(&self.hints, |shared| shared.whole = false)
        });
        drop(lost);
        wakers.into_iter().flatten().chain(self.pending_wake.take()).for_each(Waker::wake);
    }
}

/// Plugs and unplugs a cable.
#[derive(Clone, Debug)]
pub struct CableControl {
    shared: Arc<Lock<Shared>>,
    hints: Arc<Hints>,
}

impl CableControl {
    /// Plugs or unplugs the cable, and wakes both ends if that changes the link. Frames in flight
    /// are lost.
    pub fn set_link(&self, plugged: bool) {
        let (lost, wakers) = self
            .shared
            .with(|shared| shared.change(&self.hints, |shared| shared.plugged = plugged));
        drop(lost);
        wakers.into_iter().flatten().for_each(Waker::wake);
    }

    /// Unplugs the cable.
    pub fn unplug(&self) {
        self.set_link(false);
    }

    /// Plugs the cable in.
    pub fn plug(&self) {
        self.set_link(true);
    }

    /// Returns the current link state: also down if an end has been dropped.
    #[must_use]
    pub fn link(&self) -> LinkState {
        if self.hints.up.load(Ordering::SeqCst) { LinkState::Up } else { LinkState::Down }
    }
}

struct DriverControl {
    control: CableControl,
    counters: Arc<Counters>,
    mtu: usize,
}

impl Controlled for DriverControl {
    fn information(&self) -> DriverInformation {
        DriverInformation::new("cable", "", self.mtu)
    }

    fn counters(&self) -> DriverCounters {
        self.counters.read()
    }

    fn set_link(&self, up: bool) -> files::Result<()> {
        self.control.set_link(up);
        Ok(())
    }
}
