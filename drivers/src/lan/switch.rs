//! The switch itself: ports, the address table, and frames in flight. It is synchronous and runs
//! under the [`Lan`](super::Lan)'s lock.
//!
//! A frame crosses two cables: from the sender's station to the switch, and from the switch to each
//! receiver. Without impairment it crosses both at once; otherwise it waits in flight until the
//! runner calls [`Network::advance`]. Nothing here reads the time or wakes tasks; the caller takes
//! the collected wakers.

use std::collections::HashMap;
use std::mem;
use std::task::Waker;

use devnet_network::address::HardwareAddress;
use devnet_network::driver::{Frame, FramePool};

use crate::impairment::{Direction, Fate, Impairment};
use crate::limits::{ETHERNET_HEADER, FRAMES_IN_FLIGHT, LEARNED_ADDRESSES, PORT_FRAMES, PORTS};
use crate::relay::{InFlight, Inbox, Network, addresses};

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
    to_switch: Direction,
    to_station: Direction,
    pub(super) inbox: Inbox,
}

/// A frame on a cable with a delay.
#[derive(Debug)]
struct Crossing {
    port: PortNumber,
    towards: Towards,
    frame: Frame,
}

/// Ports, the address table and frames.
#[derive(Debug)]
pub(super) struct Switch {
    seed: u64,
    next_port: u32,
    ports: HashMap<PortNumber, Port>,
    /// The ports in order, so that flooding does not depend on hash order.
    order: Vec<PortNumber>,
    learned: HashMap<HardwareAddress, PortNumber>,
    in_flight: InFlight<Crossing>,
    /// Buffers for copies.
    pool: FramePool,
    /// Ports whose runner must be woken, since [`Network::take_wakers`].
    to_wake: Vec<PortNumber>,
    runner: Option<Waker>,
}

impl Network for Switch {
    fn advance(&mut self, now: u64) -> Option<u64> {
        while let Some((due, Crossing { port, towards, frame })) = self.in_flight.pop_due(now) {
            // The next cable starts at the due time, however late the runner is.
            self.arrive(port, towards, frame, &|| due);
        }
        self.in_flight.next_due()
    }

    fn take_wakers(&mut self) -> Vec<Waker> {
        let Self { to_wake, ports, .. } = self;
        to_wake.drain(..).filter_map(|number| ports.get_mut(&number)?.inbox.take_waker()).collect()
    }

    fn runner(&mut self) -> &mut Option<Waker> {
        &mut self.runner
    }
}

impl Switch {
    pub(super) fn new(seed: u64) -> Self {
        Self {
            seed,
            next_port: 0,
            ports: HashMap::new(),
            order: Vec::new(),
            learned: HashMap::new(),
            in_flight: InFlight::new(),
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
            to_switch: Direction::new(seed),
            to_station: Direction::new(!seed),
            inbox: Inbox::default(),
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
            while let Some(frame) = port.inbox.pop() {
                port.inbox.dropped(frame.len());
                self.pool.put(frame);
            }
            self.learned.retain(|_, known| *known != number);
            if port.inbox.request_wake() {
                self.to_wake.push(number);
            }
        }
        true
    }

    /// Registers the waker of a port's runner. The caller drops the replaced waker outside the
    /// lock.
    pub(super) fn register(&mut self, number: PortNumber, waker: &Waker) -> Option<Waker> {
        self.ports.get_mut(&number)?.inbox.register(waker)
    }

    /// Returns the next frame for a station.
    pub(super) fn receive(&mut self, number: PortNumber) -> Option<Frame> {
        self.ports.get_mut(&number)?.inbox.receive()
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
            port.inbox.dropped(frame.len());
            self.pool.put(frame);
            return false;
        }
        port.inbox.sent(frame.len());
        let before = self.in_flight.next_due();
        self.cross(number, Towards::Switch, frame, &now);
        self.in_flight.is_earlier_than(before)
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
            port.inbox.dropped(frame.len());
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
            self.delay(due, Crossing { port: number, towards, frame });
        }
    }

    fn delay(&mut self, due: u64, crossing: Crossing) {
        if self.in_flight.len() < FRAMES_IN_FLIGHT {
            self.in_flight.push(due, crossing);
            return;
        }
        if let Some(port) = self.ports.get_mut(&crossing.port) {
            port.inbox.dropped(crossing.frame.len());
        }
        self.pool.put(crossing.frame);
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
        let Some((to, source)) = addresses(&frame) else { return self.pool.put(frame) };
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
            port.inbox.dropped(frame.len());
            return self.pool.put(frame);
        }
        port.inbox.push(frame);
        if port.inbox.request_wake() {
            self.to_wake.push(number);
        }
    }
}
