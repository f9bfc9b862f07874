//! Which connections of a server are to go on: their wakers put them in a queue, which one task
//! takes them from.
//!
//! A stream keeps the waker of its connection. So a waker keeps neither stream nor queue.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Weak};
use std::task::{Wake, Waker};

use devnet_virtual_file_system::Lock;

/// The connections that are to go on, each once.
#[derive(Default)]
pub struct Ready(Lock<State>);

#[derive(Default)]
struct State {
    queue: VecDeque<Arc<Bell>>,
    /// The task of the server, while the queue is empty.
    task: Option<Waker>,
}

/// The waker of one connection.
pub struct Bell {
    ready: Weak<Ready>,
    index: u32,
    is_queued: AtomicBool,
}

impl Ready {
    /// The next connection; without one, `task` is woken when there is.
    pub fn next(&self, task: &Waker) -> Option<u32> {
        let (bell, former) = self.0.with(|state| match state.queue.pop_front() {
            Some(bell) => (Some(bell), None),
            None => (None, state.task.replace(task.clone())),
        });
        drop(former);
        let bell = bell?;
        // What happens from here on queues it again.
        bell.is_queued.swap(false, Ordering::AcqRel);
        Some(bell.index)
    }
}

impl Bell {
    /// The waker of the connection with this index.
    #[must_use]
    pub fn new(ready: &Arc<Ready>, index: usize) -> Arc<Self> {
        // There are at most `limits::HTTP_CONNECTIONS`, and those that end.
        let index = u32::try_from(index).unwrap_or(u32::MAX);
        Arc::new(Self { ready: Arc::downgrade(ready), index, is_queued: AtomicBool::new(false) })
    }
}

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        if self.is_queued.swap(true, Ordering::AcqRel) {
            return;
        }
        let Some(ready) = self.ready.upgrade() else { return };
        let task = ready.0.with(|state| {
            state.queue.push_back(self);
            state.task.take()
        });
        task.into_iter().for_each(Waker::wake);
    }
}
