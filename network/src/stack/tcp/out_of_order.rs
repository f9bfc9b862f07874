//! The out-of-order queue: ranges of sequence numbers that arrived after a hole, and the SACK
//! blocks that report them.
//!
//! [`limits::TCP_OUT_OF_ORDER`] bounds the number of ranges. Data that would need one more is
//! dropped, and the peer retransmits it.

use alloc::vec::Vec;

use super::segment::{BLOCKS, Blocks, before, later};
use crate::limits;

/// The ranges in sequence order; no two of them touch.
#[derive(Debug)]
pub(super) struct OutOfOrder {
    ranges: Vec<(u32, u32)>,
    /// A sequence number of each of the latest arrivals, newest first: their ranges are the first
    /// SACK blocks (RFC 2018 §4).
    newest: [u32; BLOCKS],
}

impl OutOfOrder {
    pub(super) const fn new() -> Self {
        Self { ranges: Vec::new(), newest: [0; BLOCKS] }
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.ranges.is_empty()
    }

    #[cfg(test)]
    pub(super) const fn len(&self) -> usize {
        self.ranges.len()
    }

    /// The end of the last range.
    pub(super) fn end(&self) -> Option<u32> {
        self.ranges.last().map(|(_, last)| *last)
    }

    /// True when the range touches a known one, or the queue has room for another.
    pub(super) fn has_room_for(&self, start: u32, end: u32) -> bool {
        let touches = |(first, last): &(u32, u32)| !before(end, *first) && !before(*last, start);
        self.ranges.len() < limits::TCP_OUT_OF_ORDER || self.ranges.iter().any(touches)
    }

    /// Inserts a range and merges those that it touches. Returns true when all of it is a
    /// duplicate.
    pub(super) fn insert(&mut self, start: u32, end: u32) -> bool {
        let first = self.ranges.partition_point(|(_, last)| before(*last, start));
        let last_touched = self.ranges.partition_point(|(begin, _)| !before(end, *begin));
        let touched = self.ranges.get(first..last_touched).unwrap_or_default();
        let is_duplicate =
            touched.iter().any(|(begin, last)| !before(start, *begin) && !before(*last, end));
        let merged = touched.iter().fold((start, end), |(begin, last), range| {
            (if before(range.0, begin) { range.0 } else { begin }, later(last, range.1))
        });
        self.ranges.splice(first..last_touched, [merged]);
        self.newest.rotate_right(1);
        if let Some(place) = self.newest.first_mut() {
            *place = start;
        }
        is_duplicate
    }

    /// Removes the first range if it begins at `next`, and returns its end.
    pub(super) fn take_contiguous(&mut self, next: u32) -> Option<u32> {
        let end = self.ranges.first().filter(|(first, _)| *first == next)?.1;
        self.ranges.remove(0);
        Some(end)
    }

    /// Removes everything beyond `end`.
    pub(super) fn truncate(&mut self, end: u32) {
        self.ranges.retain(|(first, _)| before(*first, end));
        if let Some((_, last)) = self.ranges.last_mut()
            && before(end, *last)
        {
            *last = end;
        }
    }

    /// Writes the SACK blocks, newest first, each once.
    pub(super) fn write_blocks(&self, blocks: &mut Blocks) {
        let range_around = |number: u32| {
            let place = self.ranges.partition_point(|(_, last)| !before(number, *last));
            self.ranges.get(place).copied().filter(|(first, _)| !before(number, *first))
        };
        let mut written = [None; BLOCKS];
        for (number, slot) in self.newest.into_iter().zip(0..) {
            let range = range_around(number);
            if range.is_some() && !written.contains(&range) {
                range.into_iter().for_each(|range| blocks.push(range));
                if let Some(place) = written.get_mut::<usize>(slot) {
                    *place = range;
                }
            }
        }
    }
}
