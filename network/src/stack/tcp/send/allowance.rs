//! How far the peer lets us send (RFC 9293 §3.8.6).

use crate::stack::tcp::segment::{Segment, before};

/// The peer's window, as numbers.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Allowance {
    /// After the last number that the peer allows.
    pub(super) edge: u32,
    /// The most bytes that it ever allowed at once.
    pub(super) largest: u32,
    /// Sequence and acknowledgment of the segment that said so (SND.WL1, SND.WL2).
    from: (u32, u32),
    pub(super) shift: u8,
}

impl Allowance {
    /// What the peer's SYN, numbered `sequence`, allows from `first` on; its window is not scaled
    /// (RFC 7323 §2.2), later ones are.
    pub(super) fn new(first: u32, window: u16, sequence: u32, shift: u8) -> Self {
        let window = u32::from(window);
        Self { edge: first.wrapping_add(window), largest: window, from: (sequence, first), shift }
    }

    /// Follows the peer's window; old segments do not change it (RFC 9293 §3.10.7.4).
    pub(super) fn follow(&mut self, segment: &Segment, acknowledged: u32) {
        let (sequence, last) = self.from;
        if before(sequence, segment.sequence)
            || (sequence == segment.sequence && !before(acknowledged, last))
        {
            let window = u32::from(segment.window) << self.shift;
            // Counted from what this segment acknowledges: a later one may be too old to say
            // something of windows.
            self.edge = acknowledged.wrapping_add(window);
            self.largest = self.largest.max(window);
            self.from = (segment.sequence, acknowledged);
        }
    }

    /// Bytes that the peer allows from `number` on.
    pub(super) const fn from(&self, number: u32) -> u32 {
        if before(number, self.edge) { self.edge.wrapping_sub(number) } else { 0 }
    }
}
