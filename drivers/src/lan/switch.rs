//! The switch itself: ports, learned addresses, and frames under way. Synchronous, under the
//! [`Lan`](super::Lan)'s lock.
//!
//! A frame crosses two cables: from the sender's station to the switch, and from the switch to each
//! receiver. Without impairment both are crossed at once; else the frame waits in
//! [`Switch::under_way`] until the runner calls [`Switch::advance`]. Nothing here reads the time or
//! wakes; who is to be woken is collected for the caller.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap, VecDeque};
use std::mem;
use std::task::Waker;

use network::address::HardwareAddress;
use network::driver::{Frame, FramePool};

use crate::counters::DriverCounters;
use crate::impairment::{Course, Fate, Impairment};
use crate::limits::{ETHERNET_HEADER, FRAMES_UNDER_WAY, LEARNED_ADDRESSES, PORT_FRAMES, PORTS};

/// A port; never used again for another one.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct PortNumber(pub(super) u32);

impl std::fmt::Display for PortNumber {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "port {}", self.0)
    }
}

/// Which cable direction a frame is in.
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
    to_switch: Course,
    to_station: Course,
    inbox: VecDeque<Frame>,
    waker: Option<Waker>,
    /// It stands in [`Switch::rung`].
    rings: bool,
}

impl Port {
    fn dropped(&mut self, length: usize) {
        self.counters.dropped_frames += 1;
        self.counters.dropped_bytes += length as u64;
    }
}

/// A frame that comes out of a cable later. Equal times come out in the order in which they went
/// in.
#[derive(Debug)]
struct UnderWay {
    due: u64,
    sequence: u64,
    port: PortNumber,
    towards: Towards,
    frame: Frame,
}

impl UnderWay {
    const fn key(&self) -> (u64, u64) {
        (self.due, self.sequence)
    }
}

impl PartialEq for UnderWay {
    fn eq(&self, other: &Self) -> bool {
        self.key() == other.key()
    }
}

impl Eq for UnderWay {}

impl PartialOrd for UnderWay {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for UnderWay {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.key().cmp(&other.key())
    }
}

/// Ports, addresses and frames.
#[derive(Debug)]
pub(super) struct Switch {
    seed: u64,
    next_port: u32,
    sequence: u64,
    ports: HashMap<PortNumber, Port>,
    /// The ports in order, so that flooding does not depend on a hash.
    order: Vec<PortNumber>,
    learned: HashMap<HardwareAddress, PortNumber>,
    under_way: BinaryHeap<Reverse<UnderWay>>,
    /// Buffers for copies.
    pool: FramePool,
    /// Ports whose runner has to look again since [`take_wakers`](Self::take_wakers).
    rung: Vec<PortNumber>,
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
            under_way: BinaryHeap::new(),
            pool: FramePool::new(),
            rung: Vec::new(),
            runner: None,
        }
    }

    /// Adds a port; beyond [`PORTS`] it has no link and never gets one.
    pub(super) fn add(&mut self, mtu: usize) -> PortNumber {
        let number = PortNumber(self.next_port);
        self.next_port = self.next_port.wrapping_add(1);
        if self.order.len() >= PORTS {
            return number;
        }
        // Each direction has chance of its own: what one port does changes no other's fate.
        let seed = self.seed ^ (u64::from(number.0) + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let port = Port {
            longest: mtu.saturating_add(ETHERNET_HEADER),
            is_up: true,
            impairment: Impairment::NONE,
            counters: DriverCounters::default(),
            to_switch: Course::new(seed),
            to_station: Course::new(!seed),
            inbox: VecDeque::new(),
            waker: None,
            rings: false,
        };
        self.ports.insert(number, port);
        self.order.push(number);
        number
    }

    /// Forgets a port, its addresses and its frames. What is returned is dropped outside of the
    /// lock.
    pub(super) fn remove(&mut self, number: PortNumber) -> Option<Port> {
        self.order.retain(|other| *other != number);
        self.rung.retain(|other| *other != number);
        self.learned.retain(|_, port| *port != number);
        self.ports.remove(&number)
    }

    pub(super) fn port(&self, number: PortNumber) -> Option<&Port> {
        self.ports.get(&number)
    }

    pub(super) fn port_mut(&mut self, number: PortNumber) -> Option<&mut Port> {
        self.ports.get_mut(&number)
    }

    /// Plugs a port's cable in or pulls it: then what it holds and what is known about it is lost.
    pub(super) fn set_link(&mut self, number: PortNumber, is_up: bool) -> bool {
        let Some(port) = self.ports.get_mut(&number) else { return false };
        if port.is_up != is_up {
            port.is_up = is_up;
            while let Some(frame) = port.inbox.pop_front() {
                port.dropped(frame.len());
                self.pool.put(frame);
            }
            self.learned.retain(|_, known| *known != number);
            if !mem::replace(&mut port.rings, true) {
                self.rung.push(number);
            }
        }
        true
    }

    /// Remembers a port's runner. The replaced waker is dropped outside of the lock.
    pub(super) fn register(&mut self, number: PortNumber, waker: &Waker) -> Option<Waker> {
        let port = self.ports.get_mut(&number)?;
        match &port.waker {
            Some(known) if known.will_wake(waker) => None,
            _ => port.waker.replace(waker.clone()),
        }
    }

    /// The next frame for a station.
    pub(super) fn receive(&mut self, number: PortNumber) -> Option<Frame> {
        let port = self.ports.get_mut(&number)?;
        let frame = port.inbox.pop_front()?;
        port.counters.received_frames += 1;
        port.counters.received_bytes += frame.len() as u64;
        Some(frame)
    }

    /// Takes a frame from a station. The time is asked only if it matters. True when the runner
    /// must look again.
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

    /// Carries frames that are due out of their cables. Returns when the next one is, if any.
    pub(super) fn advance(&mut self, now: u64) -> Option<u64> {
        while self.next_due().is_some_and(|due| due <= now) {
            let Some(Reverse(UnderWay { due, port, towards, frame, .. })) = self.under_way.pop()
            else {
                break;
            };
            // The next cable begins when this one ended, however late the runner is.
            self.arrive(port, towards, frame, &|| due);
        }
        self.next_due()
    }

    fn next_due(&self) -> Option<u64> {
        self.under_way.peek().map(|Reverse(first)| first.due)
    }

    /// Who waits for what happened since the last call; to be woken outside of the lock.
    pub(super) fn take_wakers(&mut self) -> Vec<Waker> {
        let Self { rung, ports, .. } = self;
        let take = |number| {
            let port = ports.get_mut(&number)?;
            port.rings = false;
            port.waker.take()
        };
        rung.drain(..).filter_map(take).collect()
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
        let course =
            if towards == Towards::Switch { &mut port.to_switch } else { &mut port.to_station };
        let Some(Fate { due, wrong_bit, twice }) =
            course.cross(frame.len(), now(), &port.impairment)
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
            self.delay(UnderWay { due, sequence: self.sequence, port: number, towards, frame });
        }
    }

    fn delay(&mut self, under_way: UnderWay) {
        if self.under_way.len() < FRAMES_UNDER_WAY {
            self.sequence += 1;
            self.under_way.push(Reverse(under_way));
            return;
        }
        if let Some(port) = self.ports.get_mut(&under_way.port) {
            port.dropped(under_way.frame.len());
        }
        self.pool.put(under_way.frame);
    }

    /// Takes a frame out of a cable.
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

    /// Learns where the sender is and sends the frame to where the receiver is, or everywhere else.
    fn forward(&mut self, from: PortNumber, frame: Frame, now: &dyn Fn() -> u64) {
        // A frame that was on the way when its cable was pulled is lost.
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
        if !mem::replace(&mut port.rings, true) {
            self.rung.push(number);
        }
    }
}
