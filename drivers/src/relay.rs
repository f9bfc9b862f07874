//! What drivers have in common whose frames reach each other over a network in memory: frames that
//! arrive later, the queue of each station, the task that delivers what is due, and wakes outside
//! the lock.

use std::cmp::{Ordering, Reverse};
use std::collections::{BinaryHeap, VecDeque};
use std::mem;
use std::pin::Pin;
use std::sync::{Arc, Weak};
use std::task::{Context, Poll, Wake, Waker};

use devnet_network::address::HardwareAddress;
use devnet_network::driver::Frame;
use devnet_network::platform::{BoxFuture, Clock, Instant};
use devnet_virtual_file_system::Lock;

use crate::counters::DriverCounters;

/// Nanoseconds in a microsecond.
const MICROSECOND: u64 = 1_000;

fn nanoseconds(time: Instant) -> u64 {
    time.as_micros().saturating_mul(MICROSECOND)
}

/// The network itself, which runs under a lock: it neither reads the time nor wakes tasks.
pub(crate) trait Network: Send + 'static {
    /// Delivers frames that are due, at this time in nanoseconds. Returns when the next one is due,
    /// if any.
    fn advance(&mut self, now: u64) -> Option<u64>;

    /// Takes the collected wakers, to be woken outside the lock.
    fn take_wakers(&mut self) -> Vec<Waker>;

    /// The waker of the task that delivers.
    fn runner(&mut self) -> &mut Option<Waker>;
}

/// A network, its clock and its lock.
pub(crate) struct Relay<N: Network> {
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) network: Lock<N>,
}

impl<N: Network> Relay<N> {
    pub(crate) fn new(clock: Arc<dyn Clock>, network: N) -> Arc<Self> {
        Arc::new(Self { clock, network: Lock::new(network) })
    }

    /// The time in nanoseconds.
    pub(crate) fn nanoseconds(&self) -> u64 {
        nanoseconds(self.clock.now())
    }

    /// Changes the network as of now, and wakes whom that concerns.
    pub(crate) fn change<T>(&self, change: impl FnOnce(&mut N, Instant) -> T) -> T {
        let now = self.clock.now();
        let (outcome, wakers) = self.network.with(|network| {
            let outcome = change(network, now);
            (outcome, network.take_wakers())
        });
        wakers.into_iter().for_each(Waker::wake);
        outcome
    }

    /// The wake that a batch of transmissions causes, also that of the task that delivers if it is
    /// late.
    pub(crate) fn flush(&self, runner_is_late: bool) -> Option<Waker> {
        let (mut wakers, runner) = self.network.with(|network| {
            (network.take_wakers(), if runner_is_late { network.runner().take() } else { None })
        });
        wakers.extend(runner);
        match wakers.len() {
            0 | 1 => wakers.pop(),
            _ => Some(Waker::from(Arc::new(WakeAll(wakers)))),
        }
    }

    /// The task that delivers: it sleeps until the next frame is due, and ends with the last handle
    /// of the network. Of several, only the latest works.
    pub(crate) fn runner(self: &Arc<Self>) -> impl Future<Output = ()> + Send + 'static {
        Runner { relay: Arc::downgrade(self), sleep: None }
    }
}

impl<N: Network> Drop for Relay<N> {
    /// The last handle is gone: the runner ends.
    fn drop(&mut self) {
        if let Some(runner) = self.network.with(|network| network.runner().take()) {
            runner.wake();
        }
    }
}

struct Runner<N: Network> {
    relay: Weak<Relay<N>>,
    sleep: Option<(Instant, BoxFuture<'static, ()>)>,
}

impl<N: Network> Future for Runner<N> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        loop {
            let Some(relay) = self.relay.upgrade() else { return Poll::Ready(()) };
            let (due, replaced) = relay.change(|network, now| {
                let replaced = network.runner().replace(context.waker().clone());
                (network.advance(nanoseconds(now)), replaced)
            });
            drop(replaced);
            let Some(due) = due else {
                self.sleep = None;
                return Poll::Pending;
            };
            let deadline = Instant::from_micros(due.div_ceil(MICROSECOND));
            let (_, sleep) = match &mut self.sleep {
                Some(sleep) if sleep.0 == deadline => sleep,
                sleep => sleep.insert((deadline, relay.clock.sleep_until(deadline))),
            };
            if sleep.as_mut().poll(context).is_pending() {
                return Poll::Pending;
            }
            self.sleep = None;
        }
    }
}

/// One waker for all tasks that a batch concerns.
struct WakeAll(Vec<Waker>);

impl Wake for WakeAll {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.0.iter().for_each(Waker::wake_by_ref);
    }
}

/// The frames for one station, its counters, and the task that waits for them.
#[derive(Debug, Default)]
pub(crate) struct Inbox {
    frames: VecDeque<Frame>,
    pub(crate) counters: DriverCounters,
    waker: Option<Waker>,
    /// The station is among those to wake.
    needs_wake: bool,
}

impl Inbox {
    /// The number of frames that wait.
    pub(crate) fn len(&self) -> usize {
        self.frames.len()
    }

    /// Appends a frame.
    pub(crate) fn push(&mut self, frame: Frame) {
        self.frames.push_back(frame);
    }

    /// Forgets the frames that wait.
    pub(crate) fn clear(&mut self) {
        self.frames.clear();
    }

    /// Takes the next frame, without counting it.
    pub(crate) fn pop(&mut self) -> Option<Frame> {
        self.frames.pop_front()
    }

    /// Takes the next frame for the station.
    pub(crate) fn receive(&mut self) -> Option<Frame> {
        let frame = self.frames.pop_front()?;
        self.counters.received_frames += 1;
        self.counters.received_bytes += frame.len() as u64;
        Some(frame)
    }

    /// Counts a frame of the station.
    pub(crate) fn sent(&mut self, length: usize) {
        self.counters.sent_frames += 1;
        self.counters.sent_bytes += length as u64;
    }

    /// Counts a lost frame.
    pub(crate) fn dropped(&mut self, length: usize) {
        self.counters.dropped_frames += 1;
        self.counters.dropped_bytes += length as u64;
    }

    /// Notes that the station is to be woken; true unless that was noted already.
    pub(crate) fn request_wake(&mut self) -> bool {
        !mem::replace(&mut self.needs_wake, true)
    }

    /// Takes the waker, to be woken outside the lock.
    pub(crate) fn take_waker(&mut self) -> Option<Waker> {
        self.needs_wake = false;
        self.waker.take()
    }

    /// Registers the waker of the station's runner. The caller drops the replaced waker outside the
    /// lock.
    pub(crate) fn register(&mut self, waker: &Waker) -> Option<Waker> {
        match &self.waker {
            Some(known) if known.will_wake(waker) => None,
            _ => self.waker.replace(waker.clone()),
        }
    }
}

/// Something that is due at a time. What is due at the same time comes in the order of adding.
#[derive(Debug)]
struct Due<T> {
    due: u64,
    sequence: u64,
    what: T,
}

impl<T> Due<T> {
    const fn key(&self) -> (u64, u64) {
        (self.due, self.sequence)
    }
}

impl<T> PartialEq for Due<T> {
    fn eq(&self, other: &Self) -> bool {
        self.key() == other.key()
    }
}

impl<T> Eq for Due<T> {}

impl<T> PartialOrd for Due<T> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl<T> Ord for Due<T> {
    fn cmp(&self, other: &Self) -> Ordering {
        self.key().cmp(&other.key())
    }
}

/// Frames in flight, by the time in nanoseconds at which they arrive.
#[derive(Debug)]
pub(crate) struct InFlight<T> {
    heap: BinaryHeap<Reverse<Due<T>>>,
    sequence: u64,
}

impl<T> InFlight<T> {
    pub(crate) const fn new() -> Self {
        Self { heap: BinaryHeap::new(), sequence: 0 }
    }

    pub(crate) fn len(&self) -> usize {
        self.heap.len()
    }

    pub(crate) fn push(&mut self, due: u64, what: T) {
        self.sequence += 1;
        self.heap.push(Reverse(Due { due, sequence: self.sequence, what }));
    }

    /// When the next one is due.
    pub(crate) fn next_due(&self) -> Option<u64> {
        self.heap.peek().map(|Reverse(first)| first.due)
    }

    /// Takes the next one that is due by now, with the time at which it was.
    pub(crate) fn pop_due(&mut self, now: u64) -> Option<(u64, T)> {
        self.next_due().filter(|due| *due <= now)?;
        self.heap.pop().map(|Reverse(Due { due, what, .. })| (due, what))
    }

    /// True if the next one is due earlier than before.
    pub(crate) fn is_earlier_than(&self, before: Option<u64>) -> bool {
        self.next_due().is_some_and(|due| before.is_none_or(|before| due < before))
    }
}

/// Destination and source of an Ethernet frame.
pub(crate) fn addresses(frame: &Frame) -> Option<(HardwareAddress, HardwareAddress)> {
    let &[a, b, c, d, e, f, g, h, i, j, k, l, ..] = frame.bytes() else { return None };
    Some((HardwareAddress([a, b, c, d, e, f]), HardwareAddress([g, h, i, j, k, l])))
}
