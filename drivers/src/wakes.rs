//! One waker for several tasks, for drivers whose frames concern many.

use std::sync::Arc;
use std::task::{Wake, Waker};

/// One waker for all tasks that a batch concerns.
pub(crate) struct WakeAll(pub(crate) Vec<Waker>);

impl Wake for WakeAll {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.0.iter().for_each(Waker::wake_by_ref);
    }
}
