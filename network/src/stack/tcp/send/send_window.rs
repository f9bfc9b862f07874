//! The peer's window (RFC 9293 §3.8.6).

use crate::stack::tcp::segment::{Segment, before};

/// The send window: SND.WND as a right edge.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct SendWindow {
    /// The right edge of the window: SND.UNA + SND.WND, the number after the last one that the peer
    /// allows.
    pub(super) snd_wnd_end: u32,
    /// MAX.SND.WND: the largest window that the peer ever advertised, in bytes.
    pub(super) max_snd_wnd: u32,
    /// SND.WL1 and SND.WL2: sequence and acknowledgment number of the last window update.
    wl1_wl2: (u32, u32),
    /// Snd.Wind.Shift (RFC 7323 §2.2).
    pub(super) snd_wnd_shift: u8,
}

impl SendWindow {
    /// The window of the peer's SYN, which has sequence number `sequence`, from `first` on. It is
    /// not scaled (RFC 7323 §2.2); later ones are.
    pub(super) fn new(first: u32, window: u16, sequence: u32, snd_wnd_shift: u8) -> Self {
        let window = u32::from(window);
        Self {
            snd_wnd_end: first.wrapping_add(window),
            max_snd_wnd: window,
            wl1_wl2: (sequence, first),
            snd_wnd_shift,
        }
    }

    /// Takes the window from a segment; old segments do not change it (RFC 9293 §3.10.7.4).
    pub(super) fn update(&mut self, segment: &Segment, acknowledged: u32) {
        let (sequence, last) = self.wl1_wl2;
        if before(sequence, segment.sequence)
            || (sequence == segment.sequence && !before(acknowledged, last))
        {
            let window = u32::from(segment.window) << self.snd_wnd_shift;
            // Relative to SEG.ACK of this segment: the right edge stays valid when SND.UNA advances
            // without a window update.
            self.snd_wnd_end = acknowledged.wrapping_add(window);
            self.max_snd_wnd = self.max_snd_wnd.max(window);
            self.wl1_wl2 = (segment.sequence, acknowledged);
        }
    }

    /// Bytes that the peer allows from `number` on.
    pub(super) const fn bytes_from(&self, number: u32) -> u32 {
        if before(number, self.snd_wnd_end) { self.snd_wnd_end.wrapping_sub(number) } else { 0 }
    }
}
