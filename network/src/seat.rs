//! What is held on behalf of a socket until everything that it began is gone.

use alloc::sync::Arc;
use core::any::Any;
use core::fmt;

/// A share of somebody's account, or anything else whose release tells that a socket is gone.
///
/// A stream keeps it longer than its file: until the connection has delivered its last data and
/// left the stack.
#[derive(Clone)]
pub struct Seat(Arc<dyn Any + Send + Sync>);

impl Seat {
    /// Holds a share.
    pub fn new<T: Any + Send + Sync>(share: Arc<T>) -> Self {
        Self(share)
    }

    /// The share, if it is of this type.
    #[must_use]
    pub fn share<T: Any + Send + Sync>(&self) -> Option<Arc<T>> {
        Arc::clone(&self.0).downcast().ok()
    }
}

impl fmt::Debug for Seat {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Seat")
    }
}
