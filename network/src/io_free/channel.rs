//! Requests to a stack on another thread.
//!
//! The thread that owns the stack has the [`Inbox`] and runs queued requests between two polls;
//! other threads have a [`Remote`] and send closures: [`Remote::call`] for a result,
//! [`Remote::send`] to forget it. The channel is bounded; when it is full, callers wait. No request
//! is lost or run twice.

use alloc::boxed::Box;
use alloc::collections::VecDeque;
use alloc::sync::Arc;
use core::fmt;
use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll, Waker};
#[cfg(feature = "std")]
use core::time::Duration;

use devnet_virtual_file_system::{Error, Lock, WakerList};

#[cfg(feature = "std")]
use crate::platform::Clock;
#[cfg(feature = "std")]
use crate::signal;

type Job<C> = Box<dyn FnOnce(&mut C) + Send>;

struct Queue<C> {
    jobs: VecDeque<Job<C>>,
    capacity: usize,
    senders: WakerList,
    /// Who waits for requests.
    readers: WakerList,
    /// The inbox is gone.
    is_closed: bool,
    /// Every remote is gone.
    is_abandoned: bool,
}

struct Shared<C> {
    queue: Lock<Queue<C>>,
    doorbell: Waker,
}

impl<C> Shared<C> {
    /// Queues a job, or gives it back with `BrokenPipe`, or with `WouldBlock` when there is no
    /// room; then `waker` is woken once there is.
    fn push(&self, job: Job<C>, waker: Option<&Waker>) -> Result<(), (Job<C>, Error)> {
        self.queue.with(|queue| {
            if queue.is_closed {
                return Err((job, Error::BrokenPipe));
            }
            if queue.jobs.len() >= queue.capacity {
                waker.into_iter().for_each(|waker| queue.senders.register(waker));
                return Err((job, Error::WouldBlock));
            }
            queue.jobs.push_back(job);
            Ok(())
        })?;
        self.ring();
        Ok(())
    }

    /// Wakes the owner.
    fn ring(&self) {
        let readers = self.queue.with(|queue| queue.readers.take());
        readers.into_iter().for_each(Waker::wake);
        self.doorbell.wake_by_ref();
    }
}

/// What remotes and unsent requests share; the last one tells the owner that nobody is left.
struct Callers<C>(Arc<Shared<C>>);

impl<C> Drop for Callers<C> {
    fn drop(&mut self) {
        self.0.queue.with(|queue| queue.is_abandoned = true);
        self.0.ring();
    }
}

/// Makes a channel for `capacity` requests (at least one). `doorbell` is woken when a request is
/// queued and when the last remote is gone: let it interrupt the owner's sleep, as
/// [`Core::doorbell`](super::Core::doorbell) does. An owner that waits for the [`Inbox`] itself
/// needs none ([`Waker::noop`]).
#[must_use]
pub fn channel<C>(capacity: usize, doorbell: Waker) -> (Remote<C>, Inbox<C>) {
    let queue = Queue {
        jobs: VecDeque::new(),
        capacity: capacity.max(1),
        senders: WakerList::new(),
        readers: WakerList::new(),
        is_closed: false,
        is_abandoned: false,
    };
    let shared = Arc::new(Shared { queue: Lock::new(queue), doorbell });
    (Remote { callers: Arc::new(Callers(Arc::clone(&shared))) }, Inbox { shared })
}

/// The callers' end; clones are the same end.
pub struct Remote<C> {
    callers: Arc<Callers<C>>,
}

/// The owner's end. Dropping it fails queued requests with `BrokenPipe`.
pub struct Inbox<C> {
    shared: Arc<Shared<C>>,
}

/// A request on its way into the queue.
///
/// # Cancel safety
/// Dropped before it is ready, the request was not sent. Afterwards it is carried out.
pub struct Sending<C> {
    callers: Arc<Callers<C>>,
    /// The closure, until it is queued.
    job: Option<Job<C>>,
}

impl<C> Sending<C> {
    fn poll_send(&mut self, waker: &Waker) -> Poll<Result<(), Error>> {
        let Some(job) = self.job.take() else { return Poll::Ready(Ok(())) };
        match self.callers.0.push(job, Some(waker)) {
            Ok(()) => Poll::Ready(Ok(())),
            Err((job, Error::WouldBlock)) => {
                self.job = Some(job);
                Poll::Pending
            }
            Err((_, error)) => Poll::Ready(Err(error)),
        }
    }
}

impl<C> Unpin for Sending<C> {}

impl<C> Future for Sending<C> {
    type Output = Result<(), Error>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        self.poll_send(context.waker())
    }
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
    sending: Sending<C>,
    outcome: Arc<Lock<Outcome<R>>>,
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
        let sending = self.send(move |context| {
            let is_wanted = guard.0.with(|outcome| matches!(outcome, Outcome::Pending(_)));
            if is_wanted {
                let result = action(context);
                settle(&guard.0, Outcome::Done(result));
            }
        });
        Call { sending, outcome }
    }

    /// Sends a closure that runs on the owner's thread and is forgotten: once the future is ready
    /// it is queued, and runs whatever becomes of the sender. The future is lazy; it waits for
    /// room.
    ///
    /// # Errors
    /// `BrokenPipe` when the inbox is gone. An inbox that goes later drops the closure.
    pub fn send(&self, action: impl FnOnce(&mut C) + Send + 'static) -> Sending<C> {
        Sending { callers: Arc::clone(&self.callers), job: Some(Box::new(action)) }
    }

    /// As [`send`](Self::send), without waiting.
    ///
    /// # Errors
    /// `WouldBlock` when there is no room, `BrokenPipe` when the inbox is gone; the closure is
    /// dropped then.
    pub fn try_send(&self, action: impl FnOnce(&mut C) + Send + 'static) -> Result<(), Error> {
        self.callers.0.push(Box::new(action), None).map_err(|(_, error)| error)
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

#[cfg(feature = "std")]
impl<C, R> Call<C, R> {
    /// Blocks this thread until the call ran, for `timeout` at most.
    ///
    /// # Errors
    /// `BrokenPipe` when the inbox is gone; `TimedOut`, and then the call does not run, or its
    /// result is lost.
    pub fn block(mut self, clock: &dyn Clock, timeout: Option<Duration>) -> Result<R, Error> {
        signal::block(&Arc::default(), clock, timeout, |context| Pin::new(&mut self).poll(context))
            .unwrap_or(Err(Error::TimedOut))
    }
}

impl<C, R> Unpin for Call<C, R> {}

impl<C, R> Future for Call<C, R> {
    type Output = Result<R, Error>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        match self.sending.poll_send(context.waker()) {
            Poll::Ready(Ok(())) => {}
            Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
            Poll::Pending => return Poll::Pending,
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
    /// Ready when requests are queued, else registers the waker: several may wait. `BrokenPipe`
    /// when none are and none can come, because every remote is gone.
    pub fn poll_ready(&self, context: &mut Context<'_>) -> Poll<Result<(), Error>> {
        self.shared.queue.with(|queue| {
            if !queue.jobs.is_empty() {
                return Poll::Ready(Ok(()));
            }
            if queue.is_abandoned {
                return Poll::Ready(Err(Error::BrokenPipe));
            }
            queue.readers.register(context.waker());
            Poll::Pending
        })
    }

    /// Waits for requests; [`run`](Self::run) carries them out. With a timeout it is
    /// `before(clock, deadline, inbox.ready())`.
    ///
    /// # Errors
    /// `BrokenPipe` when every remote is gone.
    ///
    /// # Cancel safety
    /// It only waits.
    #[must_use = "a future waits when it is awaited"]
    pub const fn ready(&self) -> Requests<'_, C> {
        Requests(self)
    }

    /// Blocks this thread until there are requests, for `timeout` at most.
    ///
    /// # Errors
    /// `TimedOut`; `BrokenPipe` when every remote is gone.
    #[cfg(feature = "std")]
    pub fn block(&self, clock: &dyn Clock, timeout: Option<Duration>) -> Result<(), Error> {
        signal::block(&Arc::default(), clock, timeout, |context| self.poll_ready(context))
            .unwrap_or(Err(Error::TimedOut))
    }

    /// True when no request is queued and none can come, because every remote is gone.
    #[must_use]
    pub fn is_abandoned(&self) -> bool {
        self.shared.queue.with(|queue| queue.is_abandoned && queue.jobs.is_empty())
    }

    /// Runs the queued requests in order and returns how many. Requests that they cause wait for
    /// the next run.
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

/// Waits for requests; [`Inbox::ready`] makes it.
pub struct Requests<'a, C>(&'a Inbox<C>);

impl<C> Future for Requests<'_, C> {
    type Output = Result<(), Error>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        self.0.poll_ready(context)
    }
}

impl<C> Clone for Remote<C> {
    fn clone(&self) -> Self {
        Self { callers: Arc::clone(&self.callers) }
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

impl<C> fmt::Debug for Sending<C> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Sending")
    }
}

impl<C> fmt::Debug for Requests<'_, C> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Requests")
    }
}
