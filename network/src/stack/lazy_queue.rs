//! A queue with lazy deletion.

use alloc::collections::VecDeque;

use crate::limits;

/// A queue whose items may outlive what they stand for: whoever pops one asks whether it still
/// counts. Those that do not are swept out once they outnumber the others, so that the queue stays
/// proportional to what it serves.
#[derive(Debug)]
pub(crate) struct LazyQueue<T>(VecDeque<T>);

impl<T> Default for LazyQueue<T> {
    fn default() -> Self {
        Self(VecDeque::new())
    }
}

impl<T> LazyQueue<T> {
    /// Appends an item; about `count` of all count.
    pub(crate) fn push(&mut self, item: T, count: usize, counts: impl Fn(&T) -> bool) {
        if self.0.len() > 2 * count + limits::TIMERS {
            self.0.retain(counts);
        }
        self.0.push_back(item);
    }

    /// Puts a popped item behind all others.
    pub(crate) fn put_back(&mut self, item: T) {
        self.0.push_back(item);
    }

    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    pub(crate) fn front(&self) -> Option<&T> {
        self.0.front()
    }

    /// Takes the oldest item, which may not count.
    pub(crate) fn pop(&mut self) -> Option<T> {
        self.0.pop_front()
    }

    pub(crate) fn clear(&mut self) {
        self.0.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_count_never_outnumbers_the_rest_for_long() {
        let mut queue = LazyQueue::default();
        for number in 0..100_000_u32 {
            queue.push(number, 10, |known| *known + 10 >= number);
            assert!(queue.0.len() <= 2 * 10 + limits::TIMERS + 1);
        }
        while queue.front().is_some_and(|oldest| *oldest + 10 < 100_000) {
            queue.pop();
        }
        let rest: alloc::vec::Vec<u32> = core::iter::from_fn(|| queue.pop()).collect();
        assert_eq!(rest, (99_990..100_000).collect::<alloc::vec::Vec<u32>>());
    }
}
