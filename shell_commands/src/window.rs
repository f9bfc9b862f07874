//! The window of a terminal: its size, and who waits for a change of it.
//!
//! Clones share it. Who knows the terminal sets the size; the line editor and commands whose output
//! is a terminal read it.

use std::sync::Arc;
use std::task::{Poll, Waker};

use devnet_virtual_file_system::Lock;
use futures_lite::future;

/// Columns and rows of a window.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Size {
    /// Characters of a row.
    pub columns: u16,
    /// Rows.
    pub rows: u16,
}

impl Default for Size {
    /// That of the VT100.
    fn default() -> Self {
        Self { columns: 80, rows: 24 }
    }
}

/// A window, whose size may change.
#[derive(Clone, Default)]
pub struct Window(Arc<Lock<State>>);

#[derive(Default)]
struct State {
    size: Size,
    changes: u64,
    waiting: Vec<Waker>,
}

impl Window {
    /// The size now.
    #[must_use]
    pub fn size(&self) -> Size {
        self.0.with(|state| state.size)
    }

    /// Sets the size. A terminal that does not know a number says 0: then it stays.
    pub fn set(&self, size: Size) {
        let waiting = self.0.with(|state| {
            let columns = if size.columns == 0 { state.size.columns } else { size.columns };
            let rows = if size.rows == 0 { state.size.rows } else { size.rows };
            state.size = Size { columns, rows };
            state.changes = state.changes.wrapping_add(1);
            std::mem::take(&mut state.waiting)
        });
        waiting.into_iter().for_each(Waker::wake);
    }

    /// How often the size was set.
    #[must_use]
    pub fn changes(&self) -> u64 {
        self.0.with(|state| state.changes)
    }

    /// Waits until the size was set more often than `seen`.
    ///
    /// # Cancel safety
    /// A dropped future has done nothing.
    pub async fn changed(&self, seen: u64) {
        future::poll_fn(|context| {
            self.0.with(|state| {
                if state.changes != seen {
                    return Poll::Ready(());
                }
                if !state.waiting.iter().any(|waker| waker.will_wake(context.waker())) {
                    state.waiting.push(context.waker().clone());
                }
                Poll::Pending
            })
        })
        .await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_size_that_is_unknown_stays() {
        let window = Window::default();
        window.set(Size { columns: 132, rows: 0 });
        assert_eq!(window.size(), Size { columns: 132, rows: 24 });
        future::block_on(window.changed(0));
        assert_eq!(future::block_on(future::poll_once(window.changed(1))), None);
    }
}
