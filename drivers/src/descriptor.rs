//! A file descriptor that wakes tasks and reports its readiness.
//!
//! The tap driver, the terminal and the adapters wait through this. A `poll` without a timeout
//! queries readiness; `async-io` waits. The descriptor's flags stay unchanged, because other
//! processes may share them.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::task::{Context, Poll, Waker};

use async_io::Async;
use rustix::event::{PollFd, PollFlags, Timespec, poll};

/// A descriptor that the reactor can watch.
#[derive(Debug)]
pub(crate) struct Descriptor(Async<OwnedFd>);

impl Descriptor {
    /// Registers a descriptor with the reactor.
    ///
    /// # Errors
    /// `PermissionDenied` for a descriptor that is always ready, such as a regular file.
    pub(crate) fn new(descriptor: OwnedFd) -> io::Result<Self> {
        Async::new_nonblocking(descriptor).map(Self)
    }

    /// Wakes the task when the descriptor becomes readable, or soon if it is readable now.
    pub(crate) fn wake_when_readable(&self, waker: &Waker) {
        arm(waker, |context| self.0.poll_readable(context));
    }

    /// Wakes the task when the descriptor becomes writable, or soon if it is writable now.
    pub(crate) fn wake_when_writable(&self, waker: &Waker) {
        arm(waker, |context| self.0.poll_writable(context));
    }

    pub(crate) fn is_readable(&self) -> bool {
        is_ready(self.as_fd(), PollFlags::IN)
    }

    #[cfg(feature = "tap")]
    pub(crate) fn is_writable(&self) -> bool {
        is_ready(self.as_fd(), PollFlags::OUT)
    }
}

impl AsFd for Descriptor {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.get_ref().as_fd()
    }
}

/// The first poll may return a past event; the next one registers the waker. If the reactor fails,
/// the task is woken and gets the error from its next call.
fn arm(waker: &Waker, mut poll: impl FnMut(&mut Context<'_>) -> Poll<io::Result<()>>) {
    let context = &mut Context::from_waker(waker);
    if poll(context).is_ready() && poll(context).is_ready() {
        waker.wake_by_ref();
    }
}

/// Queries readiness without waiting. Errors and hang-ups count as ready, so that the next call
/// returns them.
pub(crate) fn is_ready(descriptor: BorrowedFd<'_>, interest: PollFlags) -> bool {
    let mut question = [PollFd::from_borrowed_fd(descriptor, interest)];
    let now = Timespec { tv_sec: 0, tv_nsec: 0 };
    matches!(poll(&mut question, Some(&now)), Ok(1..))
}
