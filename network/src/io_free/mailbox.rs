//! Two queues between a driver that is lent to each poll and an interface that owns its driver.

use alloc::collections::VecDeque;
use alloc::sync::{Arc, Weak};
use core::task::Waker;

use devnet_virtual_file_system::Lock;

use super::tasks::RunQueue;
use crate::address::HardwareAddress;
use crate::driver::{Capabilities, Driver, DriverError, Frame, FramePool, LinkState};
use crate::limits;

struct Boxes {
    incoming: VecDeque<Frame>,
    outgoing: VecDeque<Frame>,
    /// Recycled buffers, for either side.
    spares: VecDeque<Frame>,
    link: LinkState,
    hardware: Option<HardwareAddress>,
    /// The hardware address that the interface set and the driver does not have yet.
    new_address: Option<HardwareAddress>,
    waker: Option<Waker>,
    wants_room: bool,
    /// The driver had no room when it was lent last.
    is_blocked: bool,
}

/// Tells whether an interface has frames for a driver that is not lent at the moment.
#[derive(Clone)]
pub(super) struct Outbox(Weak<Lock<Boxes>>);

impl Outbox {
    /// True when frames are queued; `None` when the interface is gone.
    pub(super) fn is_waiting(&self) -> Option<bool> {
        let boxes = self.0.upgrade()?;
        Some(boxes.with(|boxes| !boxes.outgoing.is_empty() && !boxes.is_blocked))
    }
}

/// The lender's end.
pub(super) struct Mailbox {
    boxes: Arc<Lock<Boxes>>,
    pool: FramePool,
}

/// The interface's end.
pub(super) struct MailboxDriver {
    boxes: Arc<Lock<Boxes>>,
    capabilities: Capabilities,
    run_queue: Arc<RunQueue>,
}

/// Makes both ends for a driver.
pub(super) fn pair(driver: &mut dyn Driver, run_queue: Arc<RunQueue>) -> (Mailbox, MailboxDriver) {
    let boxes = Arc::new(Lock::new(Boxes {
        incoming: VecDeque::new(),
        outgoing: VecDeque::new(),
        spares: VecDeque::new(),
        link: driver.link_state(),
        hardware: driver.hardware_address(),
        new_address: None,
        waker: None,
        wants_room: false,
        is_blocked: false,
    }));
    let capabilities = driver.capabilities();
    (
        Mailbox { boxes: Arc::clone(&boxes), pool: FramePool::new() },
        MailboxDriver { boxes, capabilities, run_queue },
    )
}

impl Mailbox {
    pub(super) fn outbox(&self) -> Outbox {
        Outbox(Arc::downgrade(&self.boxes))
    }

    /// Registers a task to wake when the driver can go on; true when it can already.
    pub(super) fn register(&mut self, driver: &mut dyn Driver, waker: &Waker) -> bool {
        let is_blocked = self.boxes.with(|boxes| boxes.is_blocked && !boxes.outgoing.is_empty());
        driver.register(waker, is_blocked);
        // Earlier events cause no wake. What was received is kept for the next poll.
        let has_more = self.receive(driver);
        has_more || (is_blocked && driver.can_transmit())
    }

    /// Receives frames from the driver; true when there may be more.
    pub(super) fn receive(&mut self, driver: &mut dyn Driver) -> bool {
        let link = driver.link_state();
        let (room, new_address) = self.boxes.with(|boxes| {
            while let Some(spare) = boxes.spares.pop_front() {
                self.pool.put(spare);
            }
            (limits::INGRESS_BATCH.saturating_sub(boxes.incoming.len()), boxes.new_address.take())
        });
        if let Some(address) = new_address {
            // The interface set the address; a driver that rejects it keeps its own and reports
            // that one.
            let _ = driver.set_hardware_address(address);
        }
        let mut taken = VecDeque::new();
        while taken.len() < room {
            let Some(frame) = driver.receive(&mut self.pool) else { break };
            taken.push_back(frame);
        }
        let is_full = taken.len() == room;
        let hardware = driver.hardware_address();
        let waker = self.boxes.with(|boxes| {
            let has_changed = !taken.is_empty() || boxes.link != link;
            boxes.link = link;
            boxes.hardware = hardware;
            boxes.incoming.append(&mut taken);
            if has_changed { boxes.waker.take() } else { None }
        });
        if let Some(waker) = waker {
            waker.wake();
        }
        is_full
    }

    /// Transmits frames to the driver; true when it would accept more.
    pub(super) fn transmit(&mut self, driver: &mut dyn Driver) -> bool {
        while let Some(frame) = self.boxes.with(|boxes| boxes.outgoing.pop_front()) {
            if let Err(frame) = driver.transmit(frame, &mut self.pool) {
                self.boxes.with(|boxes| boxes.outgoing.push_front(frame));
                break;
            }
        }
        let waker = self.boxes.with(|boxes| {
            while boxes.spares.len() < limits::POOL_FRAMES
                && let Some(spare) = self.pool.spare()
            {
                boxes.spares.push_back(spare);
            }
            let has_room = boxes.outgoing.len() < limits::EGRESS_QUEUE;
            if has_room && boxes.wants_room { boxes.waker.take() } else { None }
        });
        let doorbell = driver.flush();
        doorbell.into_iter().chain(waker).for_each(Waker::wake);
        let may_take = driver.can_transmit();
        self.boxes.with(|boxes| {
            boxes.is_blocked = !may_take;
            !boxes.outgoing.is_empty() && may_take
        })
    }
}

impl Drop for Mailbox {
    fn drop(&mut self) {
        // A dropped lender means that the driver is gone: the carrier is down.
        let waker = self.boxes.with(|boxes| {
            boxes.link = LinkState::Down;
            boxes.waker.take()
        });
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}

impl Driver for MailboxDriver {
    fn capabilities(&self) -> Capabilities {
        self.capabilities
    }

    fn hardware_address(&self) -> Option<HardwareAddress> {
        self.boxes.with(|boxes| boxes.new_address.or(boxes.hardware))
    }

    fn set_hardware_address(&mut self, address: HardwareAddress) -> Result<(), DriverError> {
        self.boxes.with(|boxes| {
            if boxes.hardware.is_none() || !address.is_unicast() {
                return Err(DriverError::Unsupported);
            }
            boxes.new_address = Some(address);
            Ok(())
        })
    }

    fn link_state(&mut self) -> LinkState {
        self.boxes.with(|boxes| boxes.link)
    }

    fn receive(&mut self, _pool: &mut FramePool) -> Option<Frame> {
        self.boxes.with(|boxes| boxes.incoming.pop_front())
    }

    fn can_transmit(&mut self) -> bool {
        self.boxes.with(|boxes| boxes.outgoing.len() < limits::EGRESS_QUEUE)
    }

    fn transmit(&mut self, frame: Frame, pool: &mut FramePool) -> Result<(), Frame> {
        self.boxes.with(|boxes| {
            if boxes.outgoing.len() >= limits::EGRESS_QUEUE {
                return Err(frame);
            }
            boxes.outgoing.push_back(frame);
            if let Some(spare) = boxes.spares.pop_front() {
                pool.put(spare);
            }
            Ok(())
        })
    }

    fn flush(&mut self) -> Option<Waker> {
        let is_waiting = self.boxes.with(|boxes| !boxes.outgoing.is_empty() && !boxes.is_blocked);
        if is_waiting { self.run_queue.doorbell() } else { None }
    }

    fn register(&mut self, waker: &Waker, room: bool) {
        let replaced = self.boxes.with(|boxes| {
            boxes.wants_room = room;
            match &boxes.waker {
                Some(known) if known.will_wake(waker) => None,
                _ => boxes.waker.replace(waker.clone()),
            }
        });
        drop(replaced);
    }
}
