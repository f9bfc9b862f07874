//! The neighbor table: IP address to hardware address, for ARP and NDP (states of RFC 4861 §7.3.2).
//!
//! A pure state machine: it decides about solicitations and packets, and the link layer acts on
//! that. Each neighbor has its own timer, so an unresponsive one delays no other.
//! [`limits::NEIGHBORS`] and [`limits::QUEUED`] bound it; when it is full, the least recently used
//! entry without queued packets is evicted, never a permanent one.

mod learning;
mod reporting;

use alloc::collections::VecDeque;
use alloc::vec::Vec;
use core::net::IpAddr;
use core::time::Duration;

use foldhash::fast::FixedState;
use hashbrown::HashMap;

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
/// MAX_MULTICAST_SOLICIT and MAX_UNICAST_SOLICIT: solicitations before a neighbor fails.
const ATTEMPTS: u8 = 3;

#[derive(Debug)]
struct Neighbor {
    state: NeighborState,
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

/// What happens to a packet.
#[derive(Debug)]
pub(crate) enum Decision {
    /// Send it to this address.
    Send(Frame, HardwareAddress),
    /// It is queued; a packet that was evicted from the queue is returned.
    Queued { dropped: Option<Frame> },
    /// The queue is full.
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
    queued: usize,
    /// The timing that routers advertise for IPv6; ARP uses the defaults.
    ipv6: Timing,
    /// Gateways, which are never evicted.
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
            queued: 0,
            ipv6: Timing::default(),
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
        if !self.table.contains_key(&address) && !self.make_room(now) {
            return (Decision::Refused(frame), None);
        }
        let reachable = self.timing(address).reachable;
        let neighbor = self.table.entry(address).or_insert_with(|| Neighbor::unknown(now));
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
        if address.is_ipv6() { self.ipv6 } else { Timing::default() }
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

    /// The oldest packet that waits for a neighbor.
    pub(crate) fn oldest_queued(&self, address: IpAddr) -> Option<&Frame> {
        self.table.get(&address)?.queued.front()
    }

    /// Sets the gateways, which are never evicted (NBR-03).
    pub(crate) fn set_gateways(&mut self, gateways: Vec<IpAddr>) {
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
    /// share a common burst, and a full queue drops its own oldest packet, never another's.
    fn enqueue(&mut self, address: IpAddr, frame: Frame) -> Decision {
        let Some(neighbor) = self.table.get_mut(&address) else { return Decision::Refused(frame) };
        let has_share = neighbor.queued.len() < limits::QUEUED_PER_NEIGHBOR;
        if !has_share && self.burst >= limits::QUEUED_BURST {
            let dropped = neighbor.queued.pop_front();
            neighbor.queued.push_back(frame);
            return Decision::Queued { dropped };
        }
        if has_share && self.queued - self.burst >= limits::QUEUED {
            return Decision::Refused(frame);
        }
        neighbor.queued.push_back(frame);
        self.queued += 1;
        self.burst += usize::from(!has_share);
        Decision::Queued { dropped: None }
    }

    /// Updates the count when a queue was taken.
    fn forget_queue(&mut self, count: usize) {
        self.queued -= count;
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
        let retransmit = self.timing(address).retransmit;
        let Some(neighbor) = self.table.get_mut(&address) else { return Expiry::Nothing };
        if neighbor.deadline != Some(deadline) {
            return Expiry::Nothing;
        }
        neighbor.deadline = None;
        let solicitation = match (neighbor.state, neighbor.hardware) {
            (NeighborState::Incomplete, _) if neighbor.attempts < ATTEMPTS => {
                Solicitation::Multicast
            }
            (NeighborState::Delay, Some(hardware)) => {
                neighbor.state = NeighborState::Probe;
                neighbor.attempts = 0;
                Solicitation::Unicast(hardware)
            }
            (NeighborState::Probe, Some(hardware)) if neighbor.attempts < ATTEMPTS => {
                Solicitation::Unicast(hardware)
            }
            (NeighborState::Incomplete | NeighborState::Probe, _) => {
                neighbor.state = NeighborState::Failed;
                neighbor.hardware = None;
                neighbor.attempts = 0;
                let queued = core::mem::take(&mut neighbor.queued);
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

    /// True when the table has room for one more entry. Evicts the least recently used entries in
    /// batches, so that a full table is not searched for each new entry.
    fn make_room(&mut self, now: Instant) -> bool {
        if self.table.len() < limits::NEIGHBORS {
            return true;
        }
        let may_go = |neighbor: &Neighbor| match neighbor.state {
            NeighborState::Permanent | NeighborState::Incomplete => false,
            // Evicting a neighbor that was solicited a moment ago would solicit it again at once
            // (NBR-02).
            NeighborState::Failed | NeighborState::Probe => {
                now.since(neighbor.solicited) >= RETRANSMIT
            }
            _ => true,
        };
        let mut victims: Vec<(Instant, IpAddr)> = self
            .table
            .iter()
            .filter(|(address, neighbor)| may_go(neighbor) && !self.gateways.contains(*address))
            .map(|(address, neighbor)| (neighbor.used, *address))
            .collect();
        let batch = (limits::NEIGHBORS / 16).min(victims.len());
        if batch == 0 {
            return false;
        }
        victims.select_nth_unstable(batch - 1);
        for (_, address) in victims.into_iter().take(batch) {
            self.remove(address);
        }
        true
    }

    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        self.table.len()
    }
}

impl Neighbor {
    fn unknown(now: Instant) -> Self {
        Self {
            state: NeighborState::Incomplete,
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

    const SECOND: Duration = Duration::from_secs(1);

    fn address(host: u16) -> IpAddr {
        IpAddr::from([10, 0, (host >> 8) as u8, host as u8])
    }

    fn frame() -> Frame {
        FramePool::new().take(20)
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
        assert_eq!((neighbors.queued, neighbors.burst), (3, 0));
    }

    #[test]
    fn nbr_01_packets_for_many_dead_neighbors_are_bounded() {
        let mut neighbors = Neighbors::new(1);
        let refused = (0..4000).filter(|host| {
            matches!(
                neighbors.resolve(address(*host), frame(), Instant::ZERO).0,
                Decision::Refused(_)
            )
        });
        assert_eq!(refused.count(), 4000 - limits::QUEUED);
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
        assert_eq!(neighbors.len(), limits::NEIGHBORS / 2);
        for host in 20_000..40_000u16 {
            neighbors.resolve(address(host), frame(), Instant::from_micros(u64::from(host)));
            neighbors.confirm(address(host), hardware(7), Instant::from_micros(u64::from(host)));
        }
        assert!(
            neighbors.len() <= limits::NEIGHBORS && neighbors.len() > limits::NEIGHBORS / 16 * 14
        );
        assert!(neighbors.sendable_address(address(1), Instant::ZERO).is_some());
        assert!(
            neighbors.sendable_address(address(39_999), Instant::from_micros(40_000)).is_some()
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
        };
        fill(&mut neighbors, 0, now);
        assert!(
            neighbors.is_unresponsive(unresponsive, now) && neighbors.len() <= limits::NEIGHBORS
        );
        // A second later it is the oldest and is evicted.
        while let Some((deadline, who)) = neighbors.armed.pop_front() {
            neighbors.expire(who, deadline, deadline);
        }
        fill(&mut neighbors, limits::NEIGHBORS as u16, now.after(2 * SECOND));
        assert!(!neighbors.is_unresponsive(unresponsive, now.after(2 * SECOND)));
    }
}
