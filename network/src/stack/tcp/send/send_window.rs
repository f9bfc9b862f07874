//! How far the peer lets us send (RFC 9293 §3.8.6).

use crate::stack::tcp::segment::{Segment, before};

/// The peer's window, as numbers.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct SendWindow {
    /// After the last number that the peer allows.
    pub(super) snd_wnd_end: u32,
    /// The most bytes that it ever allowed at once.
    pub(super) max_snd_wnd: u32,
    /// Sequence and acknowledgment of the segment that said so (SND.WL1, SND.WL2).
    wl1_wl2: (u32, u32),
    pub(super) snd_wnd_shift: u8,
}

impl SendWindow {
    /// What the peer's SYN, numbered `sequence`, allows from `first` on; its window is not scaled
    /// (RFC 7323 §2.2), later ones are.
    pub(super) fn new(first: u32, window: u16, sequence: u32, snd_wnd_shift: u8) -> Self {
        let window = u32::from(window);
        Self {
            snd_wnd_end: first.wrapping_add(window),
            max_snd_wnd: window,
            wl1_wl2: (sequence, first),
            snd_wnd_shift,
        }
    }

    /// Follows the peer's window; old segments do not change it (RFC 9293 §3.10.7.4).
    pub(super) fn follow(&mut self, segment: &Segment, acknowledged: u32) {
        let (sequence, last) = self.wl1_wl2;
        if before(sequence, segment.sequence)
            || (sequence == segment.sequence && !before(acknowledged, last))
        {
            let window = u32::from(segment.window) << self.snd_wnd_shift;
            // Counted from what this segment acknowledges: a later one may be too old to say
            // something of windows.
            self.snd_wnd_end = acknowledged.wrapping_add(window);
            self.max_snd_wnd = self.max_snd_wnd.max(window);
            self.wl1_wl2 = (segment.sequence, acknowledged);
        }
    }

    /// Bytes that the peer allows from `number` on.
    pub(super) const fn from(&self, number: u32) -> u32 {
        if before(number, self.snd_wnd_end) { self.snd_wnd_end.wrapping_sub(number) } else { 0 }
    }
}
