//! A file descriptor that wakes tasks, and the question whether it is ready now.
//!
//! The tap driver, the terminal and the adapters wait through this. Whether a descriptor is ready
//! is asked of the kernel (`poll` without waiting); waiting is left to `async-io`. The descriptor's
//! flags are not touched, because other processes may share them.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::task::{Context, Poll, Waker};

use async_io::Async;
use rustix::event::{PollFd, PollFlags, Timespec, poll};

/// A descriptor that the kernel can watch.
#[derive(Debug)]
pub(crate) struct Descriptor(Async<OwnedFd>);

impl Descriptor {
    /// Watches a descriptor.
    ///
    /// # Errors
    /// `PermissionDenied` for those that are always ready, such as regular files.
    pub(crate) fn new(descriptor: OwnedFd) -> io::Result<Self> {
        Async::new_nonblocking(descriptor).map(Self)
    }

    /// Wakes the task when bytes can be read. It is woken soon if they can be now.
    pub(crate) fn wake_when_readable(&self, waker: &Waker) {
        arm(waker, |context| self.0.poll_readable(context));
    }

    /// Wakes the task when bytes can be written. It is woken soon if they can be now.
    pub(crate) fn wake_when_writable(&self, waker: &Waker) {
        arm(waker, |context| self.0.poll_writable(context));
    }

    pub(crate) fn is_readable(&self) -> bool {
        is_ready(self.as_fd(), PollFlags::IN)
    }

    pub(crate) fn is_writable(&self) -> bool {
        is_ready(self.as_fd(), PollFlags::OUT)
    }
}

impl AsFd for Descriptor {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.get_ref().as_fd()
    }
}

/// The first answer may be about an event that is over; after that one the next arms. A reactor
/// that fails wakes the task, which then meets the failure at its next call.
fn arm(waker: &Waker, mut poll: impl FnMut(&mut Context<'_>) -> Poll<io::Result<()>>) {
    let context = &mut Context::from_waker(waker);
    if poll(context).is_ready() && poll(context).is_ready() {
        waker.wake_by_ref();
    }
}

/// Asks without waiting; errors and hang-ups count as ready, so that whoever asks goes and meets
/// them.
pub(crate) fn is_ready(descriptor: BorrowedFd<'_>, interest: PollFlags) -> bool {
    let mut question = [PollFd::from_borrowed_fd(descriptor, interest)];
    let now = Timespec { tv_sec: 0, tv_nsec: 0 };
    matches!(poll(&mut question, Some(&now)), Ok(1..))
}
