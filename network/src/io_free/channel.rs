//! Calls into a stack that lives on another thread.
//!
//! The thread that owns the stack holds the [`Inbox`] and runs what came in between two polls;
//! everybody else holds a [`Remote`] and sends closures. Bounded; a full channel makes callers
//! wait, and nothing is lost or run twice.

use alloc::boxed::Box;
use alloc::collections::VecDeque;
use alloc::sync::Arc;
use core::fmt;
use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll, Waker};

use virtual_file_system::{Error, Lock, WakerList};

type Job<C> = Box<dyn FnOnce(&mut C) + Send>;

struct Queue<C> {
    jobs: VecDeque<Job<C>>,
    capacity: usize,
    senders: WakerList,
    is_closed: bool,
}

struct Shared<C> {
    queue: Lock<Queue<C>>,
    doorbell: Waker,
}

/// Makes a channel for `capacity` calls (one at least). `doorbell` is woken when a call comes in:
/// let it interrupt the owner's sleep.
#[must_use]
pub fn channel<C>(capacity: usize, doorbell: Waker) -> (Remote<C>, Inbox<C>) {
    let queue = Queue {
        jobs: VecDeque::new(),
        capacity: capacity.max(1),
        senders: WakerList::new(),
        is_closed: false,
    };
    let shared = Arc::new(Shared { queue: Lock::new(queue), doorbell });
    (Remote { shared: Arc::clone(&shared) }, Inbox { shared })
}

/// The callers' end; clones are the same end.
pub struct Remote<C> {
    shared: Arc<Shared<C>>,
}

/// The owner's end. Dropping it fails the calls that were not run, with `BrokenPipe`.
pub struct Inbox<C> {
    shared: Arc<Shared<C>>,
}

/// What becomes of a call.
enum Outcome<R> {
    /// It has not run.
    Waiting(Option<Waker>),
    /// It ran.
    Done(R),
    /// It will never run, or its result was taken.
    Gone,
}

/// A call under way.
///
/// # Cancel safety
/// Dropped before the call ran, it does not run; dropped afterwards, its result is lost.
pub struct Call<C, R> {
    shared: Arc<Shared<C>>,
    outcome: Arc<Lock<Outcome<R>>>,
    /// What is not sent yet.
    job: Option<Job<C>>,
}

impl<C: 'static> Remote<C> {
    /// Runs a closure on the owner's thread. Nothing happens before the returned future is polled
    /// first.
    ///
    /// # Errors
    /// `BrokenPipe` when the inbox is gone.
    pub fn call<R: Send + 'static>(
        &self,
        action: impl FnOnce(&mut C) -> R + Send + 'static,
    ) -> Call<C, R> {
        let outcome = Arc::new(Lock::new(Outcome::Waiting(None)));
        let guard = Guard(Arc::clone(&outcome));
        let job: Job<C> = Box::new(move |context| {
            let is_wanted = guard.0.with(|outcome| matches!(outcome, Outcome::Waiting(_)));
            if is_wanted {
                let result = action(context);
                settle(&guard.0, Outcome::Done(result));
            }
        });
        Call { shared: Arc::clone(&self.shared), outcome, job: Some(job) }
    }
}

/// A job that is dropped without having run fails its call.
struct Guard<R>(Arc<Lock<Outcome<R>>>);

impl<R> Drop for Guard<R> {
    fn drop(&mut self) {
        if self.0.with(|outcome| matches!(outcome, Outcome::Waiting(_))) {
            settle(&self.0, Outcome::Gone);
        }
    }
}

fn settle<R>(place: &Lock<Outcome<R>>, outcome: Outcome<R>) {
    let before = place.with(|place| {
        // A caller that is gone wants nothing.
        if matches!(place, Outcome::Gone) {
            Outcome::Gone
        } else {
            core::mem::replace(place, outcome)
        }
    });
    if let Outcome::Waiting(Some(waker)) = before {
        waker.wake();
    }
}

impl<C, R> Call<C, R> {
    /// Sends the job if there is room; `Ok(false)` when there is none and the waker is remembered.
    fn send(&mut self, waker: &Waker) -> Result<bool, Error> {
        let Some(job) = self.job.take() else { return Ok(true) };
        let refused = self.shared.queue.with(|queue| {
            if queue.is_closed {
                return Some((job, Err(Error::BrokenPipe)));
            }
            if queue.jobs.len() >= queue.capacity {
                queue.senders.register(waker);
                return Some((job, Ok(false)));
            }
            queue.jobs.push_back(job);
            None
        });
        match refused {
            None => {
                self.shared.doorbell.wake_by_ref();
                Ok(true)
            }
            Some((job, answer)) => {
                self.job = Some(job);
                answer
            }
        }
    }
}

impl<C, R> Unpin for Call<C, R> {}

impl<C, R> Future for Call<C, R> {
    type Output = Result<R, Error>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        match self.send(context.waker()) {
            Err(error) => return Poll::Ready(Err(error)),
            Ok(false) => return Poll::Pending,
            Ok(true) => {}
        }
        self.outcome.with(|outcome| match core::mem::replace(outcome, Outcome::Gone) {
            Outcome::Done(result) => Poll::Ready(Ok(result)),
            Outcome::Gone => Poll::Ready(Err(Error::BrokenPipe)),
            Outcome::Waiting(_) => {
                *outcome = Outcome::Waiting(Some(context.waker().clone()));
                Poll::Pending
            }
        })
    }
}

impl<C, R> Drop for Call<C, R> {
    fn drop(&mut self) {
        let before = self.outcome.with(|outcome| core::mem::replace(outcome, Outcome::Gone));
        drop(before);
    }
}

impl<C> Inbox<C> {
    /// Runs the calls that wait now, in the order in which they came, and tells how many. Calls
    /// that these cause wait for the next time.
    pub fn run(&self, context: &mut C) -> usize {
        let jobs = self.shared.queue.with(|queue| core::mem::take(&mut queue.jobs));
        let count = jobs.len();
        for job in jobs {
            job(context);
        }
        if count > 0 {
            self.wake_senders();
        }
        count
    }

    fn wake_senders(&self) {
        let senders = self.shared.queue.with(|queue| queue.senders.take());
        senders.into_iter().for_each(Waker::wake);
    }
}

impl<C> Drop for Inbox<C> {
    fn drop(&mut self) {
        let jobs = self.shared.queue.with(|queue| {
            queue.is_closed = true;
            core::mem::take(&mut queue.jobs)
        });
        drop(jobs);
        self.wake_senders();
    }
}

impl<C> Clone for Remote<C> {
    fn clone(&self) -> Self {
        Self { shared: Arc::clone(&self.shared) }
    }
}

impl<C> fmt::Debug for Remote<C> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Remote")
    }
}

impl<C> fmt::Debug for Inbox<C> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Inbox({})", self.shared.queue.with(|queue| queue.jobs.len()))
    }
}

impl<C, R> fmt::Debug for Call<C, R> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Call")
    }
}
