//! The out-of-order queue: ranges of sequence numbers that arrived after a hole, and the SACK
//! blocks that report them.
//!
//! [`limits::TCP_OUT_OF_ORDER`] bounds the number of ranges. Data that would need one more is
//! dropped, and the peer retransmits it.

use alloc::vec::Vec;

use super::segment::{BLOCKS, Blocks, before, later};
use crate::limits;

/// A range that arrived after a hole.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Range {
    first: u32,
    /// The number after its last one.
    end: u32,
    /// When data of it arrived last, in arrivals.
    arrival: u32,
}

/// The ranges in sequence order; no two of them touch.
#[derive(Debug)]
pub(super) struct OutOfOrder {
    ranges: Vec<Range>,
    /// Counts arrivals, so that the newest range is reported first (RFC 2018 §4).
    arrivals: u32,
}

impl OutOfOrder {
    /// Bytes of memory.
    pub(super) fn memory(&self) -> usize {
        self.ranges.capacity() * size_of::<Range>()
    }

    pub(super) const fn new() -> Self {
        Self { ranges: Vec::new(), arrivals: 0 }
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
        self.ranges.last().map(|range| range.end)
    }

    /// True when the range touches a known one, or the queue has room for another.
    pub(super) fn has_room_for(&self, start: u32, end: u32) -> bool {
        let touches = |range: &Range| !before(end, range.first) && !before(range.end, start);
        self.ranges.len() < limits::TCP_OUT_OF_ORDER || self.ranges.iter().any(touches)
    }

    /// Inserts a range and merges those that it touches. Returns the first part of it that is a
    /// duplicate (RFC 2883 §4.2.3).
    pub(super) fn insert(&mut self, start: u32, end: u32) -> Option<(u32, u32)> {
        self.arrivals = self.arrivals.wrapping_add(1);
        let from = self.ranges.partition_point(|range| before(range.end, start));
        let to = self.ranges.partition_point(|range| !before(end, range.first));
        let touched = self.ranges.get(from..to).unwrap_or_default();
        let common = |range: &Range| {
            let first = later(start, range.first);
            (first, if before(range.end, end) { range.end } else { end })
        };
        let duplicate = touched.iter().map(common).find(|(first, end)| before(*first, *end));
        let mut merged = Range { first: start, end, arrival: self.arrivals };
        for range in touched {
            if before(range.first, merged.first) {
                merged.first = range.first;
            }
            merged.end = later(merged.end, range.end);
        }
        self.ranges.splice(from..to, [merged]);
        duplicate
    }

    /// Removes the first range if it begins at `next`, and returns its end.
    pub(super) fn take_contiguous(&mut self, next: u32) -> Option<u32> {
        let end = self.ranges.first().filter(|range| range.first == next)?.end;
        self.ranges.remove(0);
        Some(end)
    }

    /// Removes everything beyond `end`.
    pub(super) fn truncate(&mut self, end: u32) {
        self.ranges.retain(|range| before(range.first, end));
        if let Some(last) = self.ranges.last_mut()
            && before(end, last.end)
        {
            last.end = end;
        }
    }

    /// Writes the SACK blocks, newest first, as many as there is room for.
    pub(super) fn write_blocks(&self, blocks: &mut Blocks) {
        let age = |range: &Range| self.arrivals.wrapping_sub(range.arrival);
        let mut newest: [Option<Range>; BLOCKS] = [None; BLOCKS];
        for range in &self.ranges {
            let place =
                newest.iter().position(|known| known.is_none_or(|known| age(&known) > age(range)));
            if let Some(later) = place.and_then(|place| newest.get_mut(place..)) {
                later.rotate_right(1);
                if let Some(place) = later.first_mut() {
                    *place = Some(*range);
                }
            }
        }
        newest.iter().flatten().for_each(|range| blocks.push((range.first, range.end)));
    }
}
