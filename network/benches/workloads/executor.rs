//! One thread that runs tasks and timers: it fires expired timers between two rounds, and without
//! work it sleeps until the next timer.
//!
//! Stacks that leave the executor to their user run here. A word with one bit per task records
//! wakes, so that waking and finding a task cost an atomic instruction each, and the figures are
//! those of the stacks.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Wake, Waker};
use std::thread;
use std::time::{Duration, Instant};

use super::monotonic;

/// Rounds between two checks of the timers while there is always work.
const TURNS: u32 = 64;

#[derive(Default)]
struct Timers {
    waiting: Mutex<BTreeMap<(Instant, u64), Waker>>,
    last: AtomicU64,
}

/// Wakes tasks at their time; clones are the same alarm clock.
#[derive(Clone, Default)]
pub(crate) struct Alarm(Arc<Timers>);

impl Alarm {
    /// Completes at `deadline` or later.
    pub(crate) fn at(&self, deadline: Instant) -> Sleep {
        Sleep { alarm: self.clone(), deadline, entry: None }
    }

    /// Wakes once at `deadline` or later; a task with an earlier wake is not woken twice.
    #[allow(dead_code, reason = "for stacks whose timers are wakers")]
    pub(crate) fn wake_at(&self, deadline: Instant, waker: &Waker) {
        let mut waiting = self.0.waiting.lock().unwrap();
        let known =
            waiting.iter().find(|(_, known)| known.will_wake(waker)).map(|(entry, _)| *entry);
        match known {
            Some((earlier, _)) if earlier <= deadline => return,
            Some(later) => drop(waiting.remove(&later)),
            None => {}
        }
        waiting.insert((deadline, self.0.last.fetch_add(1, Ordering::Relaxed)), waker.clone());
    }

    fn set(&self, entry: (Instant, u64), waker: &Waker) {
        self.0.waiting.lock().unwrap().insert(entry, waker.clone());
    }

    /// Wakes expired sleeps.
    fn fire(&self) -> bool {
        let mut is_any = false;
        loop {
            let mut waiting = self.0.waiting.lock().unwrap();
            match waiting.first_entry() {
                Some(entry) if entry.key().0 <= monotonic() => {
                    let waker = entry.remove();
                    drop(waiting);
                    waker.wake();
                    is_any = true;
                }
                _ => return is_any,
            }
        }
    }

    /// Sleeps until the next timer.
    fn wait(&self) {
        let next = self.0.waiting.lock().unwrap().keys().next().map(|(deadline, _)| *deadline);
        let deadline = next.expect("tasks that wait for each other for ever");
        thread::park_timeout(
            deadline.saturating_duration_since(monotonic()).max(Duration::from_micros(50)),
        );
    }
}

/// A sleep; dropping it cancels it.
pub(crate) struct Sleep {
    alarm: Alarm,
    deadline: Instant,
    entry: Option<(Instant, u64)>,
}

impl Sleep {
    fn cancel(&mut self) {
        if let Some(entry) = self.entry.take() {
            self.alarm.0.waiting.lock().unwrap().remove(&entry);
        }
    }
}

impl Future for Sleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        if self.deadline <= monotonic() {
            self.cancel();
            return Poll::Ready(());
        }
        let fresh = (self.deadline, self.alarm.0.last.fetch_add(1, Ordering::Relaxed));
        let entry = *self.entry.get_or_insert(fresh);
        self.alarm.set(entry, context.waker());
        Poll::Pending
    }
}

impl Drop for Sleep {
    fn drop(&mut self) {
        self.cancel();
    }
}

/// Tasks at once, the work itself and its two sides included.
const TASKS: usize = 64;
/// The bit of the work itself, and of tasks that were spawned and are not in the table yet.
const WORK: u64 = 1;
const FRESH: u64 = 2;

struct Bit {
    mask: u64,
    ready: Arc<AtomicU64>,
}

impl Wake for Bit {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.ready.fetch_or(self.mask, Ordering::AcqRel);
    }
}

type Local = Pin<Box<dyn Future<Output = ()>>>;
type Anywhere = Pin<Box<dyn Future<Output = ()> + Send>>;

/// The tasks of one thread.
#[derive(Default)]
pub(crate) struct Executor {
    spawner: Tasks,
    tasks: RefCell<Vec<Option<(Local, Waker)>>>,
}

/// Spawns from anywhere; clones share the executor.
#[derive(Clone, Default)]
pub(crate) struct Tasks {
    ready: Arc<AtomicU64>,
    fresh: Arc<Mutex<Vec<Anywhere>>>,
}

impl Tasks {
    pub(crate) fn spawn(&self, task: Anywhere) {
        self.fresh.lock().unwrap().push(task);
        self.ready.fetch_or(FRESH, Ordering::AcqRel);
    }

    fn waker(&self, bit: u32) -> Waker {
        Waker::from(Arc::new(Bit { mask: 1 << bit, ready: Arc::clone(&self.ready) }))
    }
}

impl Executor {
    pub(crate) fn tasks(&self) -> Tasks {
        self.spawner.clone()
    }

    /// Starts a task that may stay on this thread.
    #[allow(dead_code, reason = "for stacks that are not to be sent")]
    pub(crate) fn spawn(&self, task: impl Future<Output = ()> + 'static) {
        self.enter(Box::pin(task));
    }

    fn enter(&self, task: Local) {
        let mut tasks = self.tasks.borrow_mut();
        let place = tasks.iter().position(Option::is_none).unwrap_or_else(|| {
            tasks.push(None);
            tasks.len() - 1
        });
        assert!(place + 2 < TASKS, "more tasks than bits");
        let waker = self.spawner.waker(place as u32 + 2);
        waker.wake_by_ref();
        tasks[place] = Some((task, waker));
    }

    fn poll(&self, place: usize) {
        // Taken out, since it may spawn.
        let taken = self.tasks.borrow_mut().get_mut(place).and_then(Option::take);
        let Some((mut task, waker)) = taken else { return };
        if task.as_mut().poll(&mut Context::from_waker(&waker)).is_pending() {
            self.tasks.borrow_mut()[place] = Some((task, waker));
        }
    }

    /// Runs `work` to its end on this thread, and the tasks and the alarm's timers meanwhile.
    pub(crate) fn run<T>(&self, alarm: &Alarm, work: impl Future<Output = T>) -> T {
        let ready = &self.spawner.ready;
        let waker = self.spawner.waker(0);
        waker.wake_by_ref();
        let mut work = pin!(work);
        let mut turn = 0_u32;
        loop {
            let mut woken = ready.swap(0, Ordering::AcqRel);
            if woken & FRESH != 0 {
                let fresh: Vec<Anywhere> = self.spawner.fresh.lock().unwrap().drain(..).collect();
                fresh.into_iter().for_each(|task| self.enter(task));
            }
            if woken & WORK != 0
                && let Poll::Ready(value) = work.as_mut().poll(&mut Context::from_waker(&waker))
            {
                ready.fetch_or(woken & !WORK, Ordering::AcqRel);
                return value;
            }
            turn = turn.wrapping_add(1);
            if turn.is_multiple_of(TURNS) {
                alarm.fire();
            }
            if woken == 0 && !alarm.fire() && ready.load(Ordering::Acquire) == 0 {
                alarm.wait();
            }
            woken &= !(WORK | FRESH);
            while woken != 0 {
                self.poll(woken.trailing_zeros() as usize - 2);
                woken &= woken - 1;
            }
        }
    }
}

struct Side {
    is_woken: AtomicBool,
    parent: Waker,
}

impl Wake for Side {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.is_woken.store(true, Ordering::Release);
        self.parent.wake_by_ref();
    }
}

/// Runs two futures concurrently in one task until `is_over` accepts their results. Each is polled
/// when it was woken, not when the other was.
async fn side_by_side<A, B>(
    first: impl Future<Output = A>,
    second: impl Future<Output = B>,
    is_over: impl Fn(&Option<A>, &Option<B>) -> bool,
) -> (Option<A>, Option<B>) {
    let (mut first, mut second) = (pin!(first), pin!(second));
    let (mut one, mut other) = (None, None);
    let mut sides: Option<[(Arc<Side>, Waker); 2]> = None;
    std::future::poll_fn(move |context| {
        let sides = sides.get_or_insert_with(|| {
            [(); 2].map(|()| {
                let side = Arc::new(Side {
                    is_woken: AtomicBool::new(true),
                    parent: context.waker().clone(),
                });
                (Arc::clone(&side), Waker::from(side))
            })
        });
        let [(first_side, first_waker), (second_side, second_waker)] = sides;
        if one.is_none()
            && first_side.is_woken.swap(false, Ordering::AcqRel)
            && let Poll::Ready(value) = first.as_mut().poll(&mut Context::from_waker(first_waker))
        {
            one = Some(value);
        }
        if other.is_none()
            && second_side.is_woken.swap(false, Ordering::AcqRel)
            && let Poll::Ready(value) = second.as_mut().poll(&mut Context::from_waker(second_waker))
        {
            other = Some(value);
        }
        if is_over(&one, &other) { Poll::Ready((one.take(), other.take())) } else { Poll::Pending }
    })
    .await
}

/// Runs both until both are done; the first error ends both.
pub(crate) async fn both<A, B, E>(
    first: impl Future<Output = Result<A, E>>,
    second: impl Future<Output = Result<B, E>>,
) -> Result<(), E> {
    let failed = |one: &Option<Result<A, E>>, other: &Option<Result<B, E>>| {
        matches!(one, Some(Err(_)))
            || matches!(other, Some(Err(_)))
            || (one.is_some() && other.is_some())
    };
    let (one, other) = side_by_side(first, second, failed).await;
    one.transpose()?;
    other.transpose()?;
    Ok(())
}

/// Runs both until one is done.
pub(crate) async fn either<T>(
    first: impl Future<Output = T>,
    second: impl Future<Output = T>,
) -> T {
    let (one, other) =
        side_by_side(first, second, |one, other| one.is_some() || other.is_some()).await;
    one.or(other).expect("one of them is there")
}
