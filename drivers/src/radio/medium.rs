//! The air: radios, and the frames between them. It is synchronous and runs under the lock of
//! [`Air`](super::Air).
//!
//! A frame goes from a station to its access point, or from an access point to its stations, and
//! occupies their channel for as long as its bytes take at the rate of the signal: who shares a
//! channel shares its time. An access point passes on what is for another station, and to the
//! access points that it is wired to. Nothing here reads the time or wakes tasks.

use std::collections::BTreeMap;
use std::task::Waker;
use std::time::Duration;

use devnet_network::address::HardwareAddress;
use devnet_network::driver::{Frame, FramePool};
use fastrand::Rng;

use super::node::{Node, RadioNumber};
use super::signal::{self, rate};
use crate::impairment::nanoseconds;
use crate::limits::{AIR_FRAMES, AIR_QUEUE, ETHERNET_HEADER, PORT_FRAMES, RADIOS};
use crate::relay::{InFlight, Network, addresses};

/// What each frame takes beside its bytes: spaces, preamble, acknowledgment.
const FRAME_OVERHEAD: Duration = Duration::from_micros(100);
/// The rate of frames to a group, in kbit/s.
const GROUP_RATE: u32 = 6_000;
/// Between two beacons, after which stations that save power listen (100 time units of 1,024 µs).
const BEACON_INTERVAL: Duration = Duration::from_micros(102_400);

/// A frame on the air.
#[derive(Debug)]
struct Flight {
    from: RadioNumber,
    /// The access point of its cell.
    point: RadioNumber,
    frame: Frame,
}

#[derive(Debug)]
pub(super) struct Medium {
    random: Rng,
    next: u32,
    pub(super) nodes: BTreeMap<RadioNumber, Node>,
    in_flight: InFlight<Flight>,
    /// When each channel is free again, in nanoseconds.
    free: BTreeMap<u8, u64>,
    pool: FramePool,
    /// Radios whose runner must be woken, since [`Network::take_wakers`].
    to_wake: Vec<RadioNumber>,
    runner: Option<Waker>,
}

impl Network for Medium {
    fn advance(&mut self, now: u64) -> Option<u64> {
        while let Some((due, flight)) = self.in_flight.pop_due(now) {
            self.arrive(due, flight);
        }
        self.in_flight.next_due()
    }

    fn take_wakers(&mut self) -> Vec<Waker> {
        let Self { to_wake, nodes, .. } = self;
        to_wake.drain(..).filter_map(|number| nodes.get_mut(&number)?.inbox.take_waker()).collect()
    }

    fn runner(&mut self) -> &mut Option<Waker> {
        &mut self.runner
    }
}

impl Medium {
    pub(super) fn new(seed: u64) -> Self {
        Self {
            random: Rng::with_seed(seed),
            next: 0,
            nodes: BTreeMap::new(),
            in_flight: InFlight::new(),
            free: BTreeMap::new(),
            pool: FramePool::new(),
            to_wake: Vec::new(),
            runner: None,
        }
    }

    /// Adds a radio; beyond [`RADIOS`] it hears nobody.
    pub(super) fn add(&mut self, hardware: HardwareAddress, mtu: usize) -> RadioNumber {
        let number = RadioNumber(self.next);
        self.next = self.next.wrapping_add(1);
        if self.nodes.len() < RADIOS {
            self.nodes.insert(number, Node::new(hardware, mtu));
        }
        number
    }

    /// The signal in dBm of one radio at another.
    pub(super) fn signal(&self, from: &Node, to: &Node) -> i8 {
        let attenuation = u16::from(from.attenuation) + u16::from(to.attenuation);
        signal::received(from.transmit_power(), from.position, to.position, attenuation)
    }

    /// The access point of the cell that a radio is in.
    fn cell(&self, number: RadioNumber) -> Option<RadioNumber> {
        let node = self.nodes.get(&number)?;
        match node.association {
            Some(association) => Some(association.point),
            None => node.point().map(|_| number),
        }
    }

    /// The stations of an access point, in the order of their numbers.
    pub(super) fn stations(
        &self,
        point: RadioNumber,
    ) -> impl Iterator<Item = (RadioNumber, &Node)> {
        self.nodes.iter().filter_map(move |(number, node)| {
            let is_here = node.association.is_some_and(|association| association.point == point);
            is_here.then_some((*number, node))
        })
    }

    pub(super) fn wake(&mut self, number: RadioNumber) {
        if let Some(node) = self.nodes.get_mut(&number)
            && node.inbox.request_wake()
        {
            self.to_wake.push(number);
        }
    }

    /// Registers the waker of a radio's runner. The caller drops the replaced waker outside the
    /// lock.
    pub(super) fn register(&mut self, number: RadioNumber, waker: &Waker) -> Option<Waker> {
        self.nodes.get_mut(&number)?.inbox.register(waker)
    }

    /// Returns the next frame for a radio.
    pub(super) fn receive(&mut self, number: RadioNumber) -> Option<Frame> {
        self.nodes.get_mut(&number)?.inbox.receive()
    }

    /// Takes a frame from a radio, at this time in nanoseconds. True if the runner's next deadline
    /// is now earlier.
    pub(super) fn transmit(&mut self, number: RadioNumber, frame: Frame, now: u64) -> bool {
        let before = self.in_flight.next_due();
        let cell = self.cell(number);
        let Some(node) = self.nodes.get_mut(&number) else {
            self.pool.put(frame);
            return false;
        };
        let source = addresses(&frame).map(|(_, source)| source);
        let fits = (ETHERNET_HEADER..=node.longest).contains(&frame.len());
        // An access point accepts no frame of a station that names another sender.
        let is_own = node.point().is_some() || source == Some(node.hardware);
        let Some(point) = cell.filter(|_| fits && is_own) else {
            node.inbox.dropped(frame.len());
            self.pool.put(frame);
            return false;
        };
        node.inbox.sent(frame.len());
        if point == number {
            self.distribute(point, number, frame, now);
        } else {
            self.send(number, point, frame, now);
        }
        self.in_flight.is_earlier_than(before)
    }

    /// Puts a frame on the channel of a cell, from its access point or to it.
    fn send(&mut self, from: RadioNumber, point: RadioNumber, frame: Frame, now: u64) {
        let Some((rate, channel, sleeps)) = self.link(from, point, &frame) else {
            return self.pool.put(frame);
        };
        let free = self.free.entry(channel).or_default();
        let start = (*free).max(now);
        let bits = (frame.len() as u64).saturating_mul(8);
        let takes = nanoseconds(FRAME_OVERHEAD)
            .saturating_add(bits.saturating_mul(1_000_000) / u64::from(rate.max(1)));
        if start - now > nanoseconds(AIR_QUEUE) || self.in_flight.len() >= AIR_FRAMES {
            if let Some(node) = self.nodes.get_mut(&from) {
                node.inbox.dropped(frame.len());
            }
            return self.pool.put(frame);
        }
        *free = start.saturating_add(takes);
        let mut due = *free;
        if sleeps {
            due = due.next_multiple_of(nanoseconds(BEACON_INTERVAL));
        }
        self.in_flight.push(due, Flight { from, point, frame });
    }

    /// The rate and the channel of a frame, and whether its receiver sleeps.
    fn link(
        &self,
        from: RadioNumber,
        point: RadioNumber,
        frame: &Frame,
    ) -> Option<(u32, u8, bool)> {
        let (to, _) = addresses(frame)?;
        let access_point = self.nodes.get(&point)?;
        let channel = access_point.point()?.channel;
        if from != point {
            let signal = self.signal(self.nodes.get(&from)?, access_point);
            return Some((rate(signal), channel, false));
        }
        if !to.is_unicast() {
            let sleeps = self.stations(point).any(|(_, station)| station.saves_power);
            return Some((GROUP_RATE, channel, sleeps));
        }
        let (_, station) = self.stations(point).find(|(_, station)| station.hardware == to)?;
        Some((rate(self.signal(access_point, station)), channel, station.saves_power))
    }

    /// A frame ends on the air.
    fn arrive(&mut self, due: u64, Flight { from, point, frame }: Flight) {
        // Lost if one of the two left meanwhile.
        if self.cell(from) != Some(point) || self.cell(point) != Some(point) {
            return self.pool.put(frame);
        }
        if from == point {
            return self.deliver(point, frame);
        }
        if self.is_lost(from, point) {
            if let Some(node) = self.nodes.get_mut(&from) {
                node.inbox.dropped(frame.len());
            }
            return self.pool.put(frame);
        }
        self.distribute(point, from, frame, due);
    }

    fn is_lost(&mut self, from: RadioNumber, to: RadioNumber) -> bool {
        let (Some(sender), Some(receiver)) = (self.nodes.get(&from), self.nodes.get(&to)) else {
            return true;
        };
        let loss = signal::loss(self.signal(sender, receiver));
        loss > 0 && self.random.u32(0..1_000_000) < loss
    }

    /// An access point passes a frame on: to itself, to its stations, and to those that it is wired
    /// to.
    fn distribute(&mut self, point: RadioNumber, from: RadioNumber, frame: Frame, now: u64) {
        let Some((to, _)) = addresses(&frame) else { return self.pool.put(frame) };
        let distribution = self.nodes.get(&point).and_then(|node| node.distribution);
        let is_wired = |(number, node): (&RadioNumber, &Node)| {
            let is_same =
                *number == point || (distribution.is_some() && node.distribution == distribution);
            (is_same && node.point().is_some()).then_some(*number)
        };
        let cells: Vec<RadioNumber> = self.nodes.iter().filter_map(is_wired).collect();
        for cell in cells {
            let is_group = !to.is_unicast();
            let is_for_point = self.nodes.get(&cell).is_some_and(|node| node.hardware == to);
            let wants = self
                .stations(cell)
                .any(|(number, node)| number != from && (is_group || node.hardware == to));
            if cell != from && (is_group || is_for_point) {
                let copy = self.pool.copy_of(frame.bytes());
                self.push(cell, copy);
            }
            if wants {
                let copy = self.pool.copy_of(frame.bytes());
                self.send(cell, cell, copy, now);
            }
        }
        self.pool.put(frame);
    }

    /// The stations of a cell receive a frame of their access point.
    fn deliver(&mut self, point: RadioNumber, frame: Frame) {
        let Some((to, source)) = addresses(&frame) else { return self.pool.put(frame) };
        let hears =
            |node: &Node| node.hardware == to || (!to.is_unicast() && node.hardware != source);
        let stations = self.stations(point).filter(|(_, node)| hears(node));
        let receivers: Vec<RadioNumber> = stations.map(|(number, _)| number).collect();
        for number in receivers {
            let copy = self.pool.copy_of(frame.bytes());
            if self.is_lost(point, number) {
                if let Some(node) = self.nodes.get_mut(&number) {
                    node.inbox.dropped(copy.len());
                }
                self.pool.put(copy);
            } else {
                self.push(number, copy);
            }
        }
        self.pool.put(frame);
    }

    /// Puts a frame into a radio's queue.
    fn push(&mut self, number: RadioNumber, frame: Frame) {
        let Some(node) = self.nodes.get_mut(&number) else { return self.pool.put(frame) };
        if frame.len() > node.longest || node.inbox.len() >= PORT_FRAMES {
            node.inbox.dropped(frame.len());
            return self.pool.put(frame);
        }
        node.inbox.push(frame);
        self.wake(number);
    }
}
