//! A path between two hosts: one bottleneck each way, with a queue, a delay and chance; for
//! measuring what TCP makes of it.
//!
//! It differs from the `Lan` of the drivers: no switch, no Ethernet, no task, so that a gigabit is
//! cheap to simulate; jitter and reordering let packets overtake each other by no more than is
//! said. An end sleeps by the virtual clock itself until its next packet is due. Times are in
//! nanoseconds inside and come out at the next microsecond, as the clock has no finer one.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::{Context, Waker};
use std::time::Duration;

use devnet_drivers::Chance;
use devnet_network::address::HardwareAddress;
use devnet_network::driver::{
    Capabilities, Driver, DriverError, Frame, FramePool, Kind, LinkState, Medium,
};
use devnet_network::platform::{BoxFuture, Clock, Instant};

use crate::{SeededEntropy, VirtualClock, World};

/// What Ethernet adds to each packet on the wire: preamble, header, checksum and gap.
pub const ETHERNET_OVERHEAD: u32 = 38;

/// Packets under way in one direction beyond which somebody sends without end; the longest queue of
/// the tests holds a hundredth.
const STORM: usize = 1_000_000;

/// The quality of one direction. The default is perfect.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Quality {
    /// Bits per second; `None` for no limit.
    pub rate: Option<u64>,
    /// Bytes that each packet takes of the rate besides its own.
    pub overhead: u32,
    /// Bytes that wait for the rate; what does not fit is lost.
    pub queue: u64,
    /// How long each packet takes.
    pub delay: Duration,
    /// How much longer it takes at most, evenly spread, each by itself: packets overtake each
    /// other.
    pub jitter: Duration,
    /// How many packets are lost.
    pub loss: Chance,
    /// How many packets are lost in a row on average (Gilbert's model); up to 1, each is lost by
    /// itself.
    pub burst: u32,
    /// How many packets are held back by up to `delay`, evenly spread.
    pub reorder: Chance,
    /// How many packets arrive twice.
    pub duplicate: Chance,
}

impl Quality {
    /// A direction that changes nothing.
    pub const PERFECT: Self = Self {
        rate: None,
        overhead: 0,
        queue: u64::MAX,
        delay: Duration::ZERO,
        jitter: Duration::ZERO,
        loss: Chance::NEVER,
        burst: 1,
        reorder: Chance::NEVER,
        duplicate: Chance::NEVER,
    };
}

impl Default for Quality {
    fn default() -> Self {
        Self::PERFECT
    }
}

/// What became of the packets of one direction.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct PathCounters {
    /// Handed over by the sender.
    pub sent: u64,
    /// Lost by chance.
    pub lost: u64,
    /// Lost because the queue was full.
    pub overflowed: u64,
}

/// A packet under way; the earliest is the greatest, and of two the one that was sent first.
struct UnderWay {
    due: Reverse<u64>,
    sequence: Reverse<u64>,
    frame: Frame,
}

impl PartialEq for UnderWay {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
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
        (self.due, self.sequence).cmp(&(other.due, other.sequence))
    }
}

/// One direction.
struct Course {
    random: SeededEntropy,
    quality: Quality,
    counters: PathCounters,
    /// The last packet was lost in a burst.
    is_losing: bool,
    /// When the bottleneck is free again.
    free: u64,
    under_way: BinaryHeap<UnderWay>,
    sequence: u64,
    /// The receiver's.
    waker: Option<Waker>,
}

impl Course {
    fn new(seed: u64, quality: Quality) -> Self {
        Self {
            random: SeededEntropy::new(seed),
            quality,
            counters: PathCounters::default(),
            is_losing: false,
            free: 0,
            under_way: BinaryHeap::new(),
            sequence: 0,
            waker: None,
        }
    }

    fn due(&self) -> Option<u64> {
        self.under_way.peek().map(|first| first.due.0)
    }

    fn happens(&self, chance: Chance) -> bool {
        chance > Chance::NEVER && self.random.next() % 1_000_000 < u64::from(chance.millionths())
    }

    /// Up to so much, evenly spread.
    fn spread(&self, most: Duration) -> u64 {
        match nanoseconds(most) {
            0 => 0,
            most => self.random.next() % (most + 1),
        }
    }

    /// When the whole packet has left the bottleneck; `None` when the queue has no room.
    fn pass(&mut self, length: usize, now: u64) -> Option<u64> {
        let Quality { rate, overhead, queue, .. } = self.quality;
        let Some(rate) = rate else { return Some(now) };
        let start = self.free.max(now);
        let waiting = u128::from(start - now) * u128::from(rate) / 8_000_000_000;
        if waiting > 0 && waiting + length as u128 > u128::from(queue) {
            return None;
        }
        let bits = (length as u128 + u128::from(overhead)) * 8;
        self.free = start + (bits * 1_000_000_000 / u128::from(rate)) as u64;
        Some(self.free)
    }

    fn is_lost(&mut self) -> bool {
        let Quality { loss, burst, .. } = self.quality;
        if burst <= 1 || loss == Chance::NEVER {
            return self.happens(loss);
        }
        // A burst ends with 1/burst per packet, and begins so often that the share of lost packets
        // is `loss`.
        let (burst, share) = (f64::from(burst), f64::from(loss.millionths()) / 1e6);
        let change = if self.is_losing { 1.0 / burst } else { share / (burst * (1.0 - share)) };
        if (self.random.next() >> 11) as f64 / (1u64 << 53) as f64 <= change {
            self.is_losing = !self.is_losing;
        }
        self.is_losing
    }

    /// Decides about a packet that enters now.
    fn cross(&mut self, frame: Frame, now: u64, pool: &mut FramePool) {
        self.counters.sent += 1;
        let Some(left) = self.pass(frame.len(), now) else {
            self.counters.overflowed += 1;
            return pool.put(frame);
        };
        if self.is_lost() {
            self.counters.lost += 1;
            return pool.put(frame);
        }
        let Quality { delay, jitter, reorder, duplicate, .. } = self.quality;
        let held_back = if self.happens(reorder) { self.spread(delay) } else { 0 };
        let due = left + nanoseconds(delay) + self.spread(jitter) + held_back;
        if self.happens(duplicate) {
            let second = pool.copy_of(frame.bytes());
            let later = due + self.spread(jitter);
            self.put(second, later);
        }
        self.put(frame, due);
    }

    fn put(&mut self, frame: Frame, due: u64) {
        let Some(last) = self.under_way.peek().filter(|_| self.under_way.len() >= STORM) else {
            self.sequence += 1;
            let (due, sequence) = (Reverse(due), Reverse(self.sequence));
            return self.under_way.push(UnderWay { due, sequence, frame });
        };
        let start = &frame.bytes()[..frame.len().min(60)];
        panic!(
            "{STORM} packets under way, the next at {} ns: somebody sends without end, now \
            {start:02x?}",
            last.due.0
        );
    }
}

/// A path; clones are the same one.
#[derive(Clone)]
pub struct Path {
    clock: VirtualClock,
    courses: Arc<[Mutex<Course>; 2]>,
}

impl Path {
    /// A path of two equal directions, whose chance the world decides.
    #[must_use]
    pub fn new(world: &World, quality: Quality) -> Self {
        let course = || Mutex::new(Course::new(world.random(), quality));
        Self { clock: world.clock.clone(), courses: Arc::new([course(), course()]) }
    }

    /// The drivers of the two ends, for IP packets of up to `mtu` bytes.
    #[must_use]
    pub fn ends(&self, mtu: usize) -> (PathEnd, PathEnd) {
        let end = |side| PathEnd {
            path: self.clone(),
            side,
            mtu,
            waker: None,
            sleep: None,
            doorbell: None,
        };
        (end(0), end(1))
    }

    /// What became of the packets that the first end (0) or the second (1) sent.
    #[must_use]
    pub fn counters(&self, side: usize) -> PathCounters {
        self.course(side).counters
    }

    /// Changes both directions for packets from now on.
    pub fn set_quality(&self, quality: Quality) {
        (0..2).for_each(|side| self.course(side).quality = quality);
    }

    fn course(&self, side: usize) -> MutexGuard<'_, Course> {
        self.courses[side].lock().unwrap()
    }

    fn now(&self) -> u64 {
        self.clock.now().as_micros() * 1000
    }
}

/// One end of a path.
pub struct PathEnd {
    path: Path,
    /// Where this end sends; it receives from the other course.
    side: usize,
    mtu: usize,
    /// Whom the stack registered.
    waker: Option<Waker>,
    sleep: Option<(Instant, BoxFuture<'static, ()>)>,
    /// Whom the next flush wakes.
    doorbell: Option<Waker>,
}

impl PathEnd {
    /// Wakes the stack when a packet is due.
    fn sleep_until(&mut self, due: u64) {
        let Some(waker) = &self.waker else { return };
        let deadline = Instant::from_micros(due.div_ceil(1000));
        let sleep = match &mut self.sleep {
            Some((until, _)) if *until == deadline => return,
            sleep => sleep.insert((deadline, self.path.clock.sleep_until(deadline))),
        };
        if sleep.1.as_mut().poll(&mut Context::from_waker(waker)).is_ready() {
            // Less than a microsecond away.
            self.sleep = None;
            waker.wake_by_ref();
        }
    }
}

impl Driver for PathEnd {
    fn capabilities(&self) -> Capabilities {
        Capabilities::new(Kind::Tunnel, Medium::Ip, self.mtu)
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
        // Everything that the other end sends arrives.
        Ok(())
    }

    fn receive(&mut self, _: &mut FramePool) -> Option<Frame> {
        let now = self.path.now();
        let due = {
            let mut course = self.path.course(1 - self.side);
            let due = course.due()?;
            if due <= now {
                return course.under_way.pop().map(|first| first.frame);
            }
            due
        };
        self.sleep_until(due);
        None
    }

    /// What the queue has no room for is lost; a path never says no.
    fn can_transmit(&mut self) -> bool {
        true
    }

    fn transmit(&mut self, frame: Frame, pool: &mut FramePool) -> Result<(), Frame> {
        let now = self.path.now();
        let mut course = self.path.course(self.side);
        let before = course.due();
        course.cross(frame, now, pool);
        // The receiver sleeps until the first packet that it knew of.
        if course.due() != before {
            self.doorbell = course.waker.clone();
        }
        Ok(())
    }

    fn flush(&mut self) -> Option<Waker> {
        self.doorbell.take()
    }

    fn register(&mut self, waker: &Waker, _: bool) {
        if self.waker.as_ref().is_some_and(|known| known.will_wake(waker)) {
            return;
        }
        self.waker = Some(waker.clone());
        // The old sleep would wake somebody else. Who registers looks for packets next, which
        // begins another.
        self.sleep = None;
        self.path.course(1 - self.side).waker = Some(waker.clone());
    }
}

fn nanoseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests;
