//! The neighbor table: IP address to hardware address, for ARP and NDP (states of RFC 4861 §7.3.2).
//!
//! A pure state machine: it decides about solicitations and packets, and the link layer acts on
//! that. Each neighbor has its own timer, so an unresponsive one delays no other.
//! [`limits::NEIGHBORS`] bounds it and [`classes`] says who gives way to whom, never a permanent
//! entry or a gateway; new ones have a rate besides.

mod classes;
mod learning;
mod reporting;

use alloc::collections::VecDeque;
use alloc::vec::Vec;
use core::net::IpAddr;
use core::time::Duration;

use foldhash::fast::FixedState;
use hashbrown::HashMap;

use self::classes::{Class, Classes, Rates};
use self::reporting::ChangedNeighbors;
use crate::address::HardwareAddress;
use crate::command::neighbor::NeighborState;
use crate::driver::Frame;
use crate::limits;
use crate::platform::Instant;

/// REACHABLE_TIME: how long a confirmation is valid (RFC 4861 §10).
const REACHABLE: Duration = Duration::from_secs(30);
/// DELAY_FIRST_PROBE_TIME: how long a stale neighbor is used before it is probed.
const DELAY: Duration = Duration::from_secs(5);
/// RETRANS_TIMER: the interval between two solicitations (RFC 1122 §2.3.2.1 allows one per second).
const RETRANSMIT: Duration = Duration::from_secs(1);
/// How long an unresponsive gateway is skipped for an equal route.
const UNRESPONSIVE: Duration = Duration::from_secs(60);

#[derive(Debug)]
struct Neighbor {
    state: NeighborState,
    class: Class,
    /// Its place in the queue of its class; 0 before it has one.
    ticket: u32,
    hardware: Option<HardwareAddress>,
    router: bool,
    confirmed: Instant,
    used: Instant,
    solicited: Instant,
    deadline: Option<Instant>,
    attempts: u8,
    queued: VecDeque<Frame>,
    /// The state that was last reported to watchers.
    reported: Option<(NeighborState, Option<HardwareAddress>)>,
}

/// ReachableTime and RetransTimer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Timing {
    pub(crate) reachable: Duration,
    pub(crate) retransmit: Duration,
}

impl Default for Timing {
    fn default() -> Self {
        Self { reachable: REACHABLE, retransmit: RETRANSMIT }
    }
}

/// The state of a neighbor and its hardware address.
pub(super) type Known = (NeighborState, Option<HardwareAddress>);

/// What happens to a packet.
#[derive(Debug)]
pub(crate) enum Decision {
    /// Send it to this address.
    Send(Frame, HardwareAddress),
    /// It is queued; a packet that was evicted from the queue is returned.
    Queued { dropped: Option<Frame> },
    /// There is no room for its neighbor.
    Refused(Frame),
}

/// How to solicit a neighbor.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Solicitation {
    /// Everybody.
    Multicast,
    /// At its last known address.
    Unicast(HardwareAddress),
}

/// The result of a neighbor's deadline.
#[derive(Debug)]
pub(crate) enum Expiry {
    /// None; the timer was stale.
    Nothing,
    /// Send a solicitation.
    Solicit(Solicitation),
    /// The neighbor does not answer; these packets cannot be delivered.
    Failed(VecDeque<Frame>),
}

/// The table.
#[derive(Debug)]
pub(crate) struct Neighbors {
    table: HashMap<IpAddr, Neighbor, FixedState>,
    classes: Classes,
    rates: Rates,
    /// Packets of evicted neighbors, which the link counts.
    pub(crate) evicted: Vec<Frame>,
    /// The timing that commands ask for.
    base: Timing,
    /// That of IPv6, which routers advertise.
    ipv6: Timing,
    /// MAX_MULTICAST_SOLICIT and MAX_UNICAST_SOLICIT: solicitations before a neighbor fails.
    pub(crate) probes: u8,
    /// Gateways, which are never evicted, in order.
    gateways: Vec<IpAddr>,
    /// Queued packets beyond the share of their neighbors.
    burst: usize,
    /// Deadlines that became earlier since the stack last took them.
    pub(crate) armed: VecDeque<(Instant, IpAddr)>,
    /// Changes for watchers, if there are any.
    changed: Option<ChangedNeighbors>,
}

impl Neighbors {
    /// An empty table with a keyed hash.
    pub(crate) fn new(seed: u64) -> Self {
        Self {
            table: HashMap::with_hasher(FixedState::with_seed(seed)),
            classes: Classes::default(),
            rates: Rates::new(),
            evicted: Vec::new(),
            base: Timing::default(),
            ipv6: Timing::default(),
            probes: limits::NEIGHBOR_PROBES,
            gateways: Vec::new(),
            burst: 0,
            armed: VecDeque::new(),
            changed: None,
        }
    }

    /// Decides about a packet to `address`. The second value is a solicitation to send now.
    pub(crate) fn resolve(
        &mut self,
        address: IpAddr,
        frame: Frame,
        now: Instant,
    ) -> (Decision, Option<Solicitation>) {
        let reason = Class::of_packet(frame.bytes());
        if !self.table.contains_key(&address) {
            let hasher = self.table.hasher();
            if !self.rates.take(reason, frame.bytes(), hasher, now) || !self.make_room(reason) {
                return (Decision::Refused(frame), None);
            }
            self.table.insert(address, Neighbor::unknown(now));
            self.classify(address, reason, now);
        } else if reason == Class::Resolving {
            self.used_by_program(address, now);
        }
        let reachable = self.timing(address).reachable;
        let Some(neighbor) = self.table.get_mut(&address) else {
            return (Decision::Refused(frame), None);
        };
        neighbor.used = now;
        match (neighbor.state, neighbor.hardware) {
            (
                NeighborState::Permanent | NeighborState::Delay | NeighborState::Probe,
                Some(hardware),
            ) => (Decision::Send(frame, hardware), None),
            (NeighborState::Reachable, Some(hardware))
                if now.since(neighbor.confirmed) < reachable =>
            {
                (Decision::Send(frame, hardware), None)
            }
            (NeighborState::Reachable | NeighborState::Stale, Some(hardware)) => {
                neighbor.state = NeighborState::Delay;
                self.set_deadline(address, now.after(DELAY));
                (Decision::Send(frame, hardware), None)
            }
            (NeighborState::Incomplete, _) if neighbor.attempts > 0 => {
                (self.enqueue(address, frame), None)
            }
            _ => self.start(address, frame, now),
        }
    }

    fn timing(&self, address: IpAddr) -> Timing {
        if address.is_ipv6() { self.ipv6 } else { self.base }
    }

    /// The timing that commands ask for.
    pub(crate) const fn base_timing(&self) -> Timing {
        self.base
    }

    /// Sets it; true if that changed something. For IPv6 it counts until a router advertises
    /// another one.
    pub(crate) fn set_base_timing(&mut self, timing: Timing) -> bool {
        let is_changed = self.base != timing;
        if is_changed {
            (self.base, self.ipv6) = (timing, timing);
        }
        is_changed
    }

    /// Sets the timing that a router advertises (RFC 4861 §6.3.4).
    pub(crate) fn set_timing(&mut self, timing: Timing) {
        self.ipv6 = timing;
    }

    /// The advertised timing, or the defaults.
    pub(crate) const fn advertised_timing(&self) -> Timing {
        self.ipv6
    }

    /// True for a neighbor that failed lately.
    pub(crate) fn is_unresponsive(&self, address: IpAddr, now: Instant) -> bool {
        self.table.get(&address).is_some_and(|neighbor| {
            neighbor.state == NeighborState::Failed && now.since(neighbor.solicited) < UNRESPONSIVE
        })
    }

    /// The state and the hardware address of a neighbor in the table.
    pub(super) fn known(&self, address: IpAddr) -> Option<Known> {
        self.table.get(&address).map(|neighbor| (neighbor.state, neighbor.hardware))
    }

    /// The oldest packet that waits for a neighbor.
    pub(crate) fn oldest_queued(&self, address: IpAddr) -> Option<&Frame> {
        self.table.get(&address)?.queued.front()
    }

    /// Sets the gateways, which are never evicted (NBR-03).
    pub(crate) fn set_gateways(&mut self, mut gateways: Vec<IpAddr>) {
        gateways.sort_unstable();
        self.gateways = gateways;
    }

    /// The hardware address, if a packet can be sent to it without a change of state.
    pub(crate) fn sendable_address(
        &self,
        address: IpAddr,
        now: Instant,
    ) -> Option<HardwareAddress> {
        let neighbor = self.table.get(&address)?;
        match neighbor.state {
            NeighborState::Permanent => neighbor.hardware,
            NeighborState::Reachable
                if now.since(neighbor.confirmed) < self.timing(address).reachable =>
            {
                neighbor.hardware
            }
            _ => None,
        }
    }

    fn start(
        &mut self,
        address: IpAddr,
        frame: Frame,
        now: Instant,
    ) -> (Decision, Option<Solicitation>) {
        let retransmit = self.timing(address).retransmit;
        let Some(neighbor) = self.table.get_mut(&address) else {
            return (Decision::Refused(frame), None);
        };
        let is_first = neighbor.state == NeighborState::Incomplete;
        let wait = retransmit.saturating_sub(now.since(neighbor.solicited));
        neighbor.state = NeighborState::Incomplete;
        neighbor.hardware = None;
        // A failed neighbor was solicited less than a second ago: wait out that second (NBR-02).
        let solicitation = if is_first || wait.is_zero() {
            neighbor.attempts = 1;
            neighbor.solicited = now;
            self.set_deadline(address, now.after(retransmit));
            Some(Solicitation::Multicast)
        } else {
            neighbor.attempts = 0;
            self.set_deadline(address, now.after(wait));
            None
        };
        (self.enqueue(address, frame), solicitation)
    }

    /// Queues a packet for a neighbor. Each neighbor may queue a few packets; beyond that they
    /// share a common burst, and a full queue drops its own oldest packet, never another's. So
    /// [`limits::QUEUED`] bounds what those that are not resolved may queue.
    fn enqueue(&mut self, address: IpAddr, frame: Frame) -> Decision {
        let Some(neighbor) = self.table.get_mut(&address) else { return Decision::Refused(frame) };
        let has_share = neighbor.queued.len() < limits::QUEUED_PER_NEIGHBOR;
        if !has_share && self.burst >= limits::QUEUED_BURST {
            let dropped = neighbor.queued.pop_front();
            neighbor.queued.push_back(frame);
            return Decision::Queued { dropped };
        }
        neighbor.queued.push_back(frame);
        self.burst += usize::from(!has_share);
        Decision::Queued { dropped: None }
    }

    /// Updates the count when a queue was taken.
    fn forget_queue(&mut self, count: usize) {
        self.burst -= count.saturating_sub(limits::QUEUED_PER_NEIGHBOR);
    }

    fn set_deadline(&mut self, address: IpAddr, deadline: Instant) {
        if let Some(neighbor) = self.table.get_mut(&address) {
            neighbor.deadline = Some(deadline);
            self.armed.push_back((deadline, address));
        }
    }

    /// Handles a deadline.
    pub(crate) fn expire(&mut self, address: IpAddr, deadline: Instant, now: Instant) -> Expiry {
        let (retransmit, probes) = (self.timing(address).retransmit, self.probes);
        let Some(neighbor) = self.table.get_mut(&address) else { return Expiry::Nothing };
        if neighbor.deadline != Some(deadline) {
            return Expiry::Nothing;
        }
        neighbor.deadline = None;
        let solicitation = match (neighbor.state, neighbor.hardware) {
            (NeighborState::Incomplete, _) if neighbor.attempts < probes => Solicitation::Multicast,
            (NeighborState::Delay, Some(hardware)) => {
                neighbor.state = NeighborState::Probe;
                neighbor.attempts = 0;
                Solicitation::Unicast(hardware)
            }
            (NeighborState::Probe, Some(hardware)) if neighbor.attempts < probes => {
                Solicitation::Unicast(hardware)
            }
            (NeighborState::Incomplete | NeighborState::Probe, _) => {
                neighbor.state = NeighborState::Failed;
                neighbor.hardware = None;
                neighbor.attempts = 0;
                let class = neighbor.class.unresolved();
                let queued = core::mem::take(&mut neighbor.queued);
                self.reclassify(address, class, now);
                self.forget_queue(queued.len());
                self.mark_changed(address);
                return Expiry::Failed(queued);
            }
            _ => return Expiry::Nothing,
        };
        neighbor.attempts += 1;
        neighbor.solicited = now;
        self.set_deadline(address, now.after(retransmit));
        Expiry::Solicit(solicitation)
    }

    /// True if this deadline of a neighbor is not stale.
    pub(crate) fn is_armed(&self, address: IpAddr, deadline: Instant) -> bool {
        self.table.get(&address).is_some_and(|neighbor| neighbor.deadline == Some(deadline))
    }

    pub(crate) fn len(&self) -> usize {
        self.table.len()
    }
}

impl Neighbor {
    fn unknown(now: Instant) -> Self {
        Self {
            state: NeighborState::Incomplete,
            class: Class::Answering,
            ticket: 0,
            hardware: None,
            router: false,
            confirmed: now,
            used: now,
            solicited: now,
            deadline: None,
            attempts: 0,
            queued: VecDeque::new(),
            reported: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::driver::FramePool;
    use crate::stack::wire::header;

    const SECOND: Duration = Duration::from_secs(1);

    fn address(host: u16) -> IpAddr {
        IpAddr::from([10, 0, (host >> 8) as u8, host as u8])
    }

    fn frame() -> Frame {
        FramePool::new().take(20)
    }

    impl Neighbors {
        fn queued(&self) -> usize {
            self.table.values().map(|neighbor| neighbor.queued.len()).sum()
        }
    }

    fn hardware(last: u8) -> HardwareAddress {
        HardwareAddress([2, 0, 0, 0, 0, last])
    }

    #[test]
    fn nbr_04_three_solicitations_then_failure_with_the_queued_packets() {
        let mut neighbors = Neighbors::new(1);
        let mut now = Instant::ZERO;
        let (decision, solicitation) = neighbors.resolve(address(1), frame(), now);
        assert!(matches!(decision, Decision::Queued { dropped: None }));
        assert_eq!(solicitation, Some(Solicitation::Multicast));
        for _ in 0..2 {
            let (deadline, who) = neighbors.armed.pop_front().unwrap();
            now = deadline;
            assert!(matches!(
                neighbors.expire(who, deadline, now),
                Expiry::Solicit(Solicitation::Multicast)
            ));
        }
        let (deadline, who) = neighbors.armed.pop_front().unwrap();
        match neighbors.expire(who, deadline, deadline) {
            Expiry::Failed(queued) => assert_eq!(queued.len(), 1),
            other => panic!("{other:?}"),
        }
        assert!(neighbors.armed.is_empty());
        assert_eq!(deadline, Instant::ZERO.after(3 * SECOND));
        // The next packet starts over.
        assert_eq!(
            neighbors.resolve(address(1), frame(), deadline.after(SECOND)).1,
            Some(Solicitation::Multicast)
        );
    }

    #[test]
    fn nbr_01_packets_beyond_the_burst_push_out_their_own_oldest() {
        let mut neighbors = Neighbors::new(1);
        for _ in 0..3 + limits::QUEUED_BURST {
            assert!(matches!(
                neighbors.resolve(address(1), frame(), Instant::ZERO).0,
                Decision::Queued { dropped: None }
            ));
        }
        assert!(matches!(
            neighbors.resolve(address(1), frame(), Instant::ZERO).0,
            Decision::Queued { dropped: Some(_) }
        ));
        // A neighbor without a share of the burst still has its own three.
        for _ in 0..3 {
            assert!(matches!(
                neighbors.resolve(address(2), frame(), Instant::ZERO).0,
                Decision::Queued { dropped: None }
            ));
        }
        assert!(matches!(
            neighbors.resolve(address(2), frame(), Instant::ZERO).0,
            Decision::Queued { dropped: Some(_) }
        ));
        let released = neighbors.confirm(address(1), hardware(1), Instant::ZERO);
        assert_eq!(released.len(), 3 + limits::QUEUED_BURST);
        assert_eq!((neighbors.queued(), neighbors.burst), (3, 0));
    }

    #[test]
    fn nbr_01_packets_for_many_dead_neighbors_are_bounded() {
        let mut neighbors = Neighbors::new(1);
        for host in 0..1500 {
            neighbors.resolve(address(host), frame(), Instant::ZERO);
            neighbors.resolve(address(host), frame(), Instant::ZERO);
        }
        assert_eq!(neighbors.len(), limits::NEIGHBORS_RESOLVING);
        assert_eq!(neighbors.queued(), 2 * neighbors.len());
        assert_eq!(neighbors.evicted.len(), 3000 - neighbors.queued());
        const { assert!(2 * limits::NEIGHBORS_RESOLVING <= limits::QUEUED) };
        // The newest has its packets.
        assert_eq!(neighbors.confirm(address(1499), hardware(1), Instant::ZERO).len(), 2);
    }

    #[test]
    fn hold_05_new_neighbors_have_a_rate() {
        let mut neighbors = Neighbors::new(1);
        let mut refused = |port: u16| {
            let is_refused = |host: &u16| {
                let mut frame = FramePool::new().take(28);
                let outgoing = header::Outgoing {
                    source: address(1),
                    destination: address(*host),
                    protocol: header::protocol::UDP,
                    hop_limit: 64,
                    traffic_class: 0,
                };
                header::emit(&outgoing, frame.bytes_mut());
                frame.bytes_mut()[20..22].copy_from_slice(&port.to_be_bytes());
                let (decision, _) = neighbors.resolve(address(*host), frame, Instant::ZERO);
                matches!(decision, Decision::Refused(_))
            };
            (port * 5000..(port + 1) * 5000).filter(is_refused).count()
        };
        let least = 5000 - limits::RESOLUTIONS_PER_PORT as usize;
        assert_eq!((refused(1), refused(2)), (least, least), "another port has its own");
    }

    #[test]
    fn nbr_07_a_used_neighbor_is_probed_by_unicast_and_an_unused_one_not_at_all() {
        let mut neighbors = Neighbors::new(1);
        neighbors.resolve(address(1), frame(), Instant::ZERO);
        neighbors.confirm(address(1), hardware(1), Instant::ZERO);
        neighbors.armed.clear();
        let later = Instant::ZERO.after(40 * SECOND);
        assert!(matches!(neighbors.resolve(address(1), frame(), later).0, Decision::Send(..)));
        let (deadline, who) = neighbors.armed.pop_front().unwrap();
        assert_eq!(deadline, later.after(DELAY));
        assert!(matches!(
            neighbors.expire(who, deadline, deadline),
            Expiry::Solicit(Solicitation::Unicast(to)) if to == hardware(1)
        ));
    }

    #[test]
    fn nbr_08_unknown_neighbors_create_nothing_and_permanent_entries_stay() {
        let mut neighbors = Neighbors::new(1);
        neighbors.confirm(address(1), hardware(1), Instant::ZERO);
        neighbors.learn(address(1), hardware(1), false, Instant::ZERO);
        assert_eq!(neighbors.len(), 0);
        neighbors.set_permanent(address(2), hardware(2), Instant::ZERO);
        neighbors.learn(address(2), hardware(9), true, Instant::ZERO);
        neighbors.confirm(address(2), hardware(9), Instant::ZERO);
        assert_eq!(neighbors.sendable_address(address(2), Instant::ZERO), Some(hardware(2)));
        // NBR-17: a group hardware address belongs to no neighbor.
        neighbors.learn(address(3), HardwareAddress::BROADCAST, true, Instant::ZERO);
        assert_eq!(neighbors.len(), 1);
    }

    #[test]
    fn nbr_03_the_table_is_bounded_and_what_is_in_use_stays() {
        let mut neighbors = Neighbors::new(1);
        neighbors.set_permanent(address(1), hardware(1), Instant::ZERO);
        for host in 2..20_000u16 {
            neighbors.learn(
                address(host),
                hardware(7),
                true,
                Instant::from_micros(u64::from(host)),
            );
        }
        assert_eq!(neighbors.len(), limits::NEIGHBORS_LEARNED + 1);
        for host in 20_000..40_000u16 {
            let now = Instant::from_micros(u64::from(host) * 1000);
            neighbors.resolve(address(host), frame(), now);
            neighbors.confirm(address(host), hardware(7), now);
        }
        assert_eq!(neighbors.len(), limits::NEIGHBORS);
        assert!(neighbors.sendable_address(address(1), Instant::ZERO).is_some());
        assert!(
            neighbors.sendable_address(address(39_999), Instant::from_micros(40_000_000)).is_some()
        );
    }

    #[test]
    fn nbr_02_a_neighbor_that_was_just_solicited_is_not_evicted() {
        let mut neighbors = Neighbors::new(1);
        let timing = Timing { retransmit: SECOND / 10, ..Timing::default() };
        neighbors.set_timing(timing);
        // Solicited three times within 300 ms, as its router advertises.
        let unresponsive: IpAddr = "fe80::1".parse().unwrap();
        let mut now = Instant::ZERO;
        neighbors.resolve(unresponsive, frame(), now);
        while let Some((deadline, who)) = neighbors.armed.pop_front() {
            now = deadline;
            neighbors.expire(who, deadline, now);
        }
        assert!(neighbors.is_unresponsive(unresponsive, now));
        let fill = |neighbors: &mut Neighbors, from: u16, now| {
            for host in from..from + limits::NEIGHBORS as u16 {
                neighbors.resolve(address(host), frame(), now);
                neighbors.confirm(address(host), hardware(1), now);
            }
            while neighbors.armed.pop_front().is_some() {}
        };
        fill(&mut neighbors, 0, now);
        assert!(
            neighbors.is_unresponsive(unresponsive, now) && neighbors.len() <= limits::NEIGHBORS
        );
        // Others that do not answer evict it.
        let later = now.after(2 * SECOND);
        for host in 0..limits::NEIGHBORS_RESOLVING as u16 {
            neighbors.resolve(address(20_000 + host), frame(), later);
        }
        assert!(!neighbors.is_unresponsive(unresponsive, later));
    }
}
