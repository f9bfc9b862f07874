//! Calls into a stack on another thread.
//!
//! The thread that owns the stack has the [`Inbox`] and runs queued calls between two polls; other
//! threads have a [`Remote`] and send closures. The channel is bounded; when it is full, callers
//! wait. No call is lost or run twice.

use alloc::boxed::Box;
use alloc::collections::VecDeque;
use alloc::sync::Arc;
use core::fmt;
use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll, Waker};

use devnet_virtual_file_system::{Error, Lock, WakerList};

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

/// Makes a channel for `capacity` calls (at least one). `doorbell` is woken when a call is queued:
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

/// The owner's end. Dropping it fails queued calls with `BrokenPipe`.
pub struct Inbox<C> {
    shared: Arc<Shared<C>>,
}

/// The state of a call.
enum Outcome<R> {
    /// It has not run yet.
    Pending(Option<Waker>),
    /// It ran.
    Done(R),
    /// It will never run, or its result was taken.
    Gone,
}

/// A pending call.
///
/// # Cancel safety
/// Dropped before the call ran, it does not run; dropped afterwards, its result is lost.
pub struct Call<C, R> {
    shared: Arc<Shared<C>>,
    outcome: Arc<Lock<Outcome<R>>>,
    /// The closure, until it is sent.
    job: Option<Job<C>>,
}

impl<C: 'static> Remote<C> {
    /// Runs a closure on the owner's thread. The returned future is lazy.
    ///
    /// # Errors
    /// `BrokenPipe` when the inbox is gone.
    pub fn call<R: Send + 'static>(
        &self,
        action: impl FnOnce(&mut C) -> R + Send + 'static,
    ) -> Call<C, R> {
        let outcome = Arc::new(Lock::new(Outcome::Pending(None)));
        let guard = Guard(Arc::clone(&outcome));
        let job: Job<C> = Box::new(move |context| {
            let is_wanted = guard.0.with(|outcome| matches!(outcome, Outcome::Pending(_)));
            if is_wanted {
                let result = action(context);
                settle(&guard.0, Outcome::Done(result));
            }
        });
        Call { shared: Arc::clone(&self.shared), outcome, job: Some(job) }
    }
}

/// Fails the call if its job is dropped without having run.
struct Guard<R>(Arc<Lock<Outcome<R>>>);

impl<R> Drop for Guard<R> {
    fn drop(&mut self) {
        if self.0.with(|outcome| matches!(outcome, Outcome::Pending(_))) {
            settle(&self.0, Outcome::Gone);
        }
    }
}

fn settle<R>(place: &Lock<Outcome<R>>, outcome: Outcome<R>) {
    let before = place.with(|place| {
        // The caller was dropped.
        if matches!(place, Outcome::Gone) {
            Outcome::Gone
        } else {
            core::mem::replace(place, outcome)
        }
    });
    if let Outcome::Pending(Some(waker)) = before {
        waker.wake();
    }
}

impl<C, R> Call<C, R> {
    /// Sends the job if there is room; `Ok(false)` registers the waker instead.
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
            Outcome::Pending(_) => {
                *outcome = Outcome::Pending(Some(context.waker().clone()));
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
    /// Runs the queued calls in order and returns how many. Calls that they cause wait for the next
    /// run.
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
