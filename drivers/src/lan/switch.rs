//! The switch itself: ports, the address table, and frames in flight. It is synchronous and runs
//! under the [`Lan`](super::Lan)'s lock.
//!
//! A frame crosses two cables: from the sender's station to the switch, and from the switch to each
//! receiver. Without impairment it crosses both at once; otherwise it waits in
//! [`Switch::in_flight`] until the runner calls [`Switch::advance`]. Nothing here reads the time or
//! wakes tasks; the caller takes the collected wakers.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap, VecDeque};
use std::mem;
use std::task::Waker;

use devnet_network::address::HardwareAddress;
use devnet_network::driver::{Frame, FramePool};

use crate::counters::DriverCounters;
use crate::impairment::{Direction, Fate, Impairment};
use crate::limits::{ETHERNET_HEADER, FRAMES_IN_FLIGHT, LEARNED_ADDRESSES, PORT_FRAMES, PORTS};

/// The number of a port; it is never reused.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct PortNumber(pub(super) u32);

impl std::fmt::Display for PortNumber {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "port {}", self.0)
    }
}

/// The direction of a frame on a cable.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Towards {
    Switch,
    Station,
}

#[derive(Debug)]
pub(super) struct Port {
    /// The longest frame of the station.
    longest: usize,
    pub(super) is_up: bool,
    pub(super) impairment: Impairment,
    pub(super) counters: DriverCounters,
    to_switch: Direction,
    to_station: Direction,
    inbox: VecDeque<Frame>,
    waker: Option<Waker>,
    /// The port is in [`Switch::to_wake`].
    needs_wake: bool,
}

impl Port {
    fn dropped(&mut self, length: usize) {
        self.counters.dropped_frames += 1;
        self.counters.dropped_bytes += length as u64;
    }
}

/// A frame on a cable with a delay. Frames due at the same time arrive in the order of sending.
#[derive(Debug)]
struct InFlight {
    due: u64,
    sequence: u64,
    port: PortNumber,
    towards: Towards,
    frame: Frame,
}

impl InFlight {
    const fn key(&self) -> (u64, u64) {
        (self.due, self.sequence)
    }
}

impl PartialEq for InFlight {
    fn eq(&self, other: &Self) -> bool {
        self.key() == other.key()
    }
}

impl Eq for InFlight {}

impl PartialOrd for InFlight {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for InFlight {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.key().cmp(&other.key())
    }
}

/// Ports, the address table and frames.
#[derive(Debug)]
pub(super) struct Switch {
    seed: u64,
    next_port: u32,
    sequence: u64,
    ports: HashMap<PortNumber, Port>,
    /// The ports in order, so that flooding does not depend on hash order.
    order: Vec<PortNumber>,
    learned: HashMap<HardwareAddress, PortNumber>,
    in_flight: BinaryHeap<Reverse<InFlight>>,
    /// Buffers for copies.
    pool: FramePool,
    /// Ports whose runner must be woken, since [`take_wakers`](Self::take_wakers).
    to_wake: Vec<PortNumber>,
    pub(super) runner: Option<Waker>,
}

impl Switch {
    pub(super) fn new(seed: u64) -> Self {
        Self {
            seed,
            next_port: 0,
            sequence: 0,
            ports: HashMap::new(),
            order: Vec::new(),
            learned: HashMap::new(),
            in_flight: BinaryHeap::new(),
            pool: FramePool::new(),
            to_wake: Vec::new(),
            runner: None,
        }
    }

    /// Adds a port; beyond [`PORTS`] its link stays down.
    pub(super) fn add(&mut self, mtu: usize) -> PortNumber {
        let number = PortNumber(self.next_port);
        self.next_port = self.next_port.wrapping_add(1);
        if self.order.len() >= PORTS {
            return number;
        }
        // Each direction has its own generator, so that one port does not change the fates of
        // another's frames.
        let seed = self.seed ^ (u64::from(number.0) + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let port = Port {
            longest: mtu.saturating_add(ETHERNET_HEADER),
            is_up: true,
            impairment: Impairment::NONE,
            counters: DriverCounters::default(),
            to_switch: Direction::new(seed),
            to_station: Direction::new(!seed),
            inbox: VecDeque::new(),
            waker: None,
            needs_wake: false,
        };
        self.ports.insert(number, port);
        self.order.push(number);
        number
    }

    /// Removes a port, its addresses and its frames. The caller drops the returned port outside the
    /// lock.
    pub(super) fn remove(&mut self, number: PortNumber) -> Option<Port> {
        self.order.retain(|other| *other != number);
        self.to_wake.retain(|other| *other != number);
        self.learned.retain(|_, port| *port != number);
        self.ports.remove(&number)
    }

    pub(super) fn port(&self, number: PortNumber) -> Option<&Port> {
        self.ports.get(&number)
    }

    pub(super) fn port_mut(&mut self, number: PortNumber) -> Option<&mut Port> {
        self.ports.get_mut(&number)
    }

    /// Plugs or unplugs a port's cable. Unplugging drops its frames and its learned addresses.
    pub(super) fn set_link(&mut self, number: PortNumber, is_up: bool) -> bool {
        let Some(port) = self.ports.get_mut(&number) else { return false };
        if port.is_up != is_up {
            port.is_up = is_up;
            while let Some(frame) = port.inbox.pop_front() {
                port.dropped(frame.len());
                self.pool.put(frame);
            }
            self.learned.retain(|_, known| *known != number);
            if !mem::replace(&mut port.needs_wake, true) {
                self.to_wake.push(number);
            }
        }
        true
    }

    /// Registers the waker of a port's runner. The caller drops the replaced waker outside the
    /// lock.
    pub(super) fn register(&mut self, number: PortNumber, waker: &Waker) -> Option<Waker> {
        let port = self.ports.get_mut(&number)?;
        match &port.waker {
            Some(known) if known.will_wake(waker) => None,
            _ => port.waker.replace(waker.clone()),
        }
    }

    /// Returns the next frame for a station.
    pub(super) fn receive(&mut self, number: PortNumber) -> Option<Frame> {
        let port = self.ports.get_mut(&number)?;
        let frame = port.inbox.pop_front()?;
        port.counters.received_frames += 1;
        port.counters.received_bytes += frame.len() as u64;
        Some(frame)
    }

    /// Takes a frame from a station. It reads the time only if needed. True if the runner's next
    /// deadline is now earlier.
    pub(super) fn transmit(
        &mut self,
        number: PortNumber,
        frame: Frame,
        now: impl Fn() -> u64,
    ) -> bool {
        let Some(port) = self.ports.get_mut(&number) else {
            self.pool.put(frame);
            return false;
        };
        let is_usable = port.is_up && (ETHERNET_HEADER..=port.longest).contains(&frame.len());
        if !is_usable {
            port.dropped(frame.len());
            self.pool.put(frame);
            return false;
        }
        port.counters.sent_frames += 1;
        port.counters.sent_bytes += frame.len() as u64;
        let before = self.next_due();
        self.cross(number, Towards::Switch, frame, &now);
        match (before, self.next_due()) {
            (Some(before), Some(after)) => after < before,
            (None, after) => after.is_some(),
            (Some(_), None) => false,
        }
    }

    /// Delivers frames that are due. Returns when the next one is due, if any.
    pub(super) fn advance(&mut self, now: u64) -> Option<u64> {
        while self.next_due().is_some_and(|due| due <= now) {
            let Some(Reverse(InFlight { due, port, towards, frame, .. })) = self.in_flight.pop()
            else {
                break;
            };
            // The next cable starts at the due time, however late the runner is.
            self.arrive(port, towards, frame, &|| due);
        }
        self.next_due()
    }

    fn next_due(&self) -> Option<u64> {
        self.in_flight.peek().map(|Reverse(first)| first.due)
    }

    /// Takes the collected wakers, to be woken outside the lock.
    pub(super) fn take_wakers(&mut self) -> Vec<Waker> {
        let Self { to_wake, ports, .. } = self;
        let take = |number| {
            let port = ports.get_mut(&number)?;
            port.needs_wake = false;
            port.waker.take()
        };
        to_wake.drain(..).filter_map(take).collect()
    }

    /// Sends a frame into a cable.
    fn cross(
        &mut self,
        number: PortNumber,
        towards: Towards,
        mut frame: Frame,
        now: &dyn Fn() -> u64,
    ) {
        let Some(port) = self.ports.get_mut(&number) else { return self.pool.put(frame) };
        if port.impairment.is_none() {
            return self.arrive(number, towards, frame, now);
        }
        let direction =
            if towards == Towards::Switch { &mut port.to_switch } else { &mut port.to_station };
        let Some(Fate { due, wrong_bit, twice }) =
            direction.cross(frame.len(), now(), &port.impairment)
        else {
            port.dropped(frame.len());
            return self.pool.put(frame);
        };
        let bits = (frame.len() as u64).saturating_mul(8).max(1);
        if let Some(bit) = wrong_bit.map(|bit| bit % bits)
            && let Some(byte) = frame.bytes_mut().get_mut((bit / 8) as usize)
        {
            *byte ^= 1 << (bit % 8);
        }
        let second = twice.then(|| self.pool.copy_of(frame.bytes()));
        for frame in [Some(frame), second].into_iter().flatten() {
            self.delay(InFlight { due, sequence: self.sequence, port: number, towards, frame });
        }
    }

    fn delay(&mut self, in_flight: InFlight) {
        if self.in_flight.len() < FRAMES_IN_FLIGHT {
            self.sequence += 1;
            self.in_flight.push(Reverse(in_flight));
            return;
        }
        if let Some(port) = self.ports.get_mut(&in_flight.port) {
            port.dropped(in_flight.frame.len());
        }
        self.pool.put(in_flight.frame);
    }

    /// Receives a frame from a cable.
    fn arrive(
        &mut self,
        number: PortNumber,
        towards: Towards,
        frame: Frame,
        now: &dyn Fn() -> u64,
    ) {
        match towards {
            Towards::Station => self.deliver(number, frame),
            Towards::Switch => self.forward(number, frame, now),
        }
    }

    /// Learns the sender's port and forwards the frame to the receiver's port, or floods it.
    fn forward(&mut self, from: PortNumber, frame: Frame, now: &dyn Fn() -> u64) {
        // A frame in flight is lost if its cable was unplugged.
        if !self.ports.get(&from).is_some_and(|port| port.is_up) {
            return self.pool.put(frame);
        }
        let &[a, b, c, d, e, f, g, h, i, j, k, l, ..] = frame.bytes() else {
            return self.pool.put(frame);
        };
        let (to, source) =
            (HardwareAddress([a, b, c, d, e, f]), HardwareAddress([g, h, i, j, k, l]));
        let is_known = self.learned.contains_key(&source);
        if source.is_unicast() && (is_known || self.learned.len() < LEARNED_ADDRESSES) {
            self.learned.insert(source, from);
        }
        match self.learned.get(&to).copied().filter(|_| to.is_unicast()) {
            Some(port) if port == from => self.pool.put(frame),
            Some(port) => self.cross(port, Towards::Station, frame, now),
            None => self.flood(from, frame, now),
        }
    }

    fn flood(&mut self, from: PortNumber, frame: Frame, now: &dyn Fn() -> u64) {
        let order = mem::take(&mut self.order);
        let is_other = |number: &&PortNumber| {
            **number != from && self.ports.get(*number).is_some_and(|port| port.is_up)
        };
        let receivers: Vec<_> = order.iter().filter(is_other).copied().collect();
        self.order = order;
        let Some((last, others)) = receivers.split_last() else { return self.pool.put(frame) };
        for number in others {
            let copy = self.pool.copy_of(frame.bytes());
            self.cross(*number, Towards::Station, copy, now);
        }
        self.cross(*last, Towards::Station, frame, now);
    }

    fn deliver(&mut self, number: PortNumber, frame: Frame) {
        let Some(port) = self.ports.get_mut(&number) else { return self.pool.put(frame) };
        if !port.is_up || frame.len() > port.longest || port.inbox.len() >= PORT_FRAMES {
            port.dropped(frame.len());
            return self.pool.put(frame);
        }
        port.inbox.push_back(frame);
        if !mem::replace(&mut port.needs_wake, true) {
            self.to_wake.push(number);
        }
    }
}
