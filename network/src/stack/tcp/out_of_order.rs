//! Ranges of data that came out of order, and which of them to write_blocks of.
//!
//! [`limits::TCP_OUT_OF_ORDER`] bounds how many there are; what would be one more is not kept, and the
//! peer sends it again.

use alloc::vec::Vec;

use super::segment::{BLOCKS, Blocks, before, later};
use crate::limits;

/// The ranges, by their place; no two touch.
#[derive(Debug)]
pub(super) struct OutOfOrder {
    ranges: Vec<(u32, u32)>,
    /// SequenceState that came last, newest first: their ranges are written first (RFC 2018 §4).
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

    /// After the last number of the last one.
    pub(super) fn end(&self) -> Option<u32> {
        self.ranges.last().map(|(_, last)| *last)
    }

    /// True when the range touches a known one, or another one may be remembered.
    pub(super) fn has_room_for(&self, start: u32, end: u32) -> bool {
        let touches = |(first, last): &(u32, u32)| !before(end, *first) && !before(*last, start);
        self.ranges.len() < limits::TCP_OUT_OF_ORDER || self.ranges.iter().any(touches)
    }

    /// Adds a range; those that it touches become one with it. True when all of it came before.
    pub(super) fn insert(&mut self, start: u32, end: u32) -> bool {
        let first = self.ranges.partition_point(|(_, last)| before(*last, start));
        let behind = self.ranges.partition_point(|(begin, _)| !before(end, *begin));
        let touched = self.ranges.get(first..behind).unwrap_or_default();
        let is_known =
            touched.iter().any(|(begin, last)| !before(start, *begin) && !before(*last, end));
        let merged = touched.iter().fold((start, end), |(begin, last), range| {
            (if before(range.0, begin) { range.0 } else { begin }, later(last, range.1))
        });
        self.ranges.splice(first..behind, [merged]);
        self.newest.rotate_right(1);
        if let Some(place) = self.newest.first_mut() {
            *place = start;
        }
        is_known
    }

    /// Takes the first one out if it begins at `next`; tells where it ends.
    pub(super) fn take_contiguous(&mut self, next: u32) -> Option<u32> {
        let reached = self.ranges.first().filter(|(first, _)| *first == next)?.1;
        self.ranges.remove(0);
        Some(reached)
    }

    /// Forgets what lies behind `end`.
    pub(super) fn truncate(&mut self, end: u32) {
        self.ranges.retain(|(first, _)| before(*first, end));
        if let Some((_, last)) = self.ranges.last_mut()
            && before(end, *last)
        {
            *last = end;
        }
    }

    /// Adds the ranges to what is written, newest first, each once.
    pub(super) fn write_blocks(&self, blocks: &mut Blocks) {
        let around = |number: u32| {
            let place = self.ranges.partition_point(|(_, last)| !before(number, *last));
            self.ranges.get(place).copied().filter(|(first, _)| !before(number, *first))
        };
        let mut written = [None; BLOCKS];
        for (number, slot) in self.newest.into_iter().zip(0..) {
            let range = around(number);
            if range.is_some() && !written.contains(&range) {
                range.into_iter().for_each(|range| blocks.push(range));
                if let Some(place) = written.get_mut::<usize>(slot) {
                    *place = range;
                }
            }
        }
    }
}
