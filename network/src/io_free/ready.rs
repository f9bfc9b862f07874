//! A list of ready sockets: wakers that add a key to it.

use alloc::collections::VecDeque;
use alloc::sync::Arc;
use alloc::task::Wake;
use core::fmt;
use core::sync::atomic::{AtomicBool, Ordering};
use core::task::Waker;

use devnet_virtual_file_system::Lock;

type Queue<K> = Arc<Lock<VecDeque<Arc<Entry<K>>>>>;

struct Entry<K> {
    key: K,
    is_listed: AtomicBool,
    queue: Queue<K>,
}

/// A list of woken keys. The program chooses the keys; each is on the list at most once, however
/// often it is woken.
///
/// The list is at most as long as the number of wakers. Any thread may wake them.
pub struct ReadyList<K> {
    queue: Queue<K>,
}

impl<K> Default for ReadyList<K> {
    fn default() -> Self {
        Self { queue: Arc::default() }
    }
}

impl<K: Copy + Send + Sync + 'static> ReadyList<K> {
    /// An empty list.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// A waker that adds `key` to the list: pass it to a socket's `poll_*` method in a
    /// [`Context`](core::task::Context). Keep it and use clones of it: two wakers of one key are
    /// two entries.
    #[must_use]
    pub fn waker(&self, key: K) -> Waker {
        let queue = Arc::clone(&self.queue);
        Waker::from(Arc::new(Entry { key, is_listed: AtomicBool::new(false), queue }))
    }

    /// The next key, if something was woken.
    #[must_use]
    pub fn next(&self) -> Option<K> {
        let entry = self.queue.with(VecDeque::pop_front)?;
        entry.is_listed.store(false, Ordering::Release);
        Some(entry.key)
    }
}

impl<K: Copy + Send + Sync + 'static> Wake for Entry<K> {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        if !self.is_listed.swap(true, Ordering::AcqRel) {
            self.queue.with(|queue| queue.push_back(Arc::clone(self)));
        }
    }
}

impl<K> fmt::Debug for ReadyList<K> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "ReadyList({})", self.queue.with(|queue| queue.len()))
    }
}
