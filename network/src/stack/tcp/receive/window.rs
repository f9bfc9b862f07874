//! The window that we advertise (RFC 9293 §3.8.6.2.2), and how the receive buffer grows.

use core::time::Duration;

use super::{AckDue, Receiver};
use crate::platform::Instant;
use crate::stack::tcp::segment::before;

impl Receiver {
    /// Receive-buffer autotuning: grows the buffer to twice what the program reads in a round trip,
    /// so that the window does not limit the peer. While that increases, the peer is in slow start:
    /// twice as much is under way already, and twice that will be before the next measurement (as
    /// Linux, which allows for three times the increase).
    pub(crate) fn autotune(&mut self, now: Instant, round_trip: Duration) {
        if self.buffer_size >= self.buffer_size_max || now.since(self.measured_at) < round_trip {
            return;
        }
        let increase = self.bytes_read.saturating_sub(self.last_bytes_read);
        let target = (self.bytes_read as usize).saturating_mul(2) + 4 * increase as usize;
        (self.last_bytes_read, self.bytes_read, self.measured_at) = (self.bytes_read, 0, now);
        if target > self.buffer_size {
            self.buffer_size = target.min(self.buffer_size_max);
        }
    }

    /// True when a window update is due: the window would at least double, and grow by a full
    /// segment or half of the buffer (RFC 9293 §3.8.6.2.2).
    pub(crate) fn is_window_update_due(&self, own_mss: u16) -> bool {
        let advertised = self.rcv_wnd_end.wrapping_sub(self.rcv_nxt) as usize;
        let available = self.buffer_size.saturating_sub(self.readable);
        let min_increase = usize::from(own_mss).min(self.buffer_size / 2);
        !self.has_fin && available >= advertised + min_increase && available >= 2 * advertised
    }

    /// The window field of a segment that leaves now. Records the advertised window and that
    /// RCV.NXT was acknowledged.
    pub(crate) fn advertise(&mut self, own_mss: u16) -> u16 {
        let available = self
            .buffer_size
            .saturating_sub(self.readable)
            .min(usize::from(u16::MAX) << self.rcv_wnd_shift);
        let advertised = self.rcv_wnd_end.wrapping_sub(self.rcv_nxt) as usize;
        // The right edge moves only in steps that avoid silly windows, and never back (TCP-R-03).
        let min_increase =
            usize::from(own_mss).min(self.buffer_size / 2).max(1 << self.rcv_wnd_shift);
        if before(self.rcv_wnd_end, self.rcv_nxt)
            || available >= advertised.saturating_add(min_increase)
        {
            // Fits: buffers are limited.
            self.rcv_wnd_end = self
                .rcv_nxt
                .wrapping_add((available >> self.rcv_wnd_shift << self.rcv_wnd_shift) as u32);
        }
        (self.last_ack_sent, self.ack_due, self.dsack) = (self.rcv_nxt, AckDue::Never, None);
        self.advertised_window()
    }

    /// The window field for the window advertised last.
    pub(crate) fn advertised_window(&self) -> u16 {
        if before(self.rcv_wnd_end, self.rcv_nxt) {
            return 0;
        }
        u16::try_from(self.rcv_wnd_end.wrapping_sub(self.rcv_nxt) >> self.rcv_wnd_shift)
            .unwrap_or(u16::MAX)
    }
}
