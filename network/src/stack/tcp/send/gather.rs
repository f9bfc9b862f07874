//! Options of a sender that exists: how written data gathers into segments (Nagle's algorithm,
//! TCP_CORK, TCP_NOTSENT_LOWAT), and the congestion control algorithm.

use core::time::Duration;

use super::Sender;
use crate::command::option::CongestionControl;
use crate::platform::Instant;
use crate::stack::tcp::congestion::{Congestion, Controller};
use crate::stack::tcp::segment::before;
use crate::stack::tcp::settings::TcpSettings;

/// How long TCP_CORK holds a segment that is not full (tcp(7)).
const CORK: Duration = Duration::from_millis(200);
/// A writer is woken when less than this part of TCP_NOTSENT_LOWAT is unsent, as on Linux.
const LOW_WATER_WAKE: u32 = 2;

/// The options that decide it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct Gathering {
    /// TCP_NODELAY: Nagle's algorithm is disabled.
    pub(crate) no_delay: bool,
    /// TCP_CORK: a segment that is not full waits.
    pub(crate) is_corked: bool,
    /// TCP_NOTSENT_LOWAT: bytes that may be unsent; zero for what the buffer holds.
    pub(crate) not_sent_low_water: u32,
}

impl Gathering {
    /// Bytes that TCP_NOTSENT_LOWAT lets the program write beside `unsent` ones.
    pub(super) const fn room(&self, unsent: u32) -> usize {
        match self.not_sent_low_water {
            0 => usize::MAX,
            low_water => low_water.saturating_sub(unsent) as usize,
        }
    }
}

impl TcpSettings {
    pub(crate) const fn gathering(&self) -> Gathering {
        Gathering {
            no_delay: self.no_delay,
            is_corked: self.cork,
            not_sent_low_water: self.not_sent_low_water,
        }
    }
}

impl Sender {
    /// Changes the options.
    pub(super) fn set_gathering(&mut self, gathering: Gathering) {
        if !gathering.is_corked {
            (self.timers.cork_at, self.timers.must_override_cork) = (Instant::NEVER, false);
        }
        self.gathering = gathering;
    }

    /// Changes the congestion control algorithm. A new one knows nothing of the path and begins as
    /// on a new connection.
    pub(super) fn set_congestion_control(&mut self, algorithm: CongestionControl) {
        if self.congestion.algorithm() != algorithm {
            self.congestion = Congestion::new(algorithm);
            self.congestion.set_mss(self.mss);
        }
    }

    /// True for a segment without a full load that waits: for an acknowledgment, because a small
    /// segment is in flight (Nagle's algorithm in Minshall's variant), or for more data.
    pub(super) fn is_held(&mut self, now: Instant) -> bool {
        // A segment waits only if data is missing, not window, and if the program can write more:
        // Linux too pushes before a writer waits for room, and at the end of the stream.
        let may_fill = self.unsent() < self.mss && self.free_space() > 0;
        if self.gathering.is_corked && may_fill {
            if core::mem::take(&mut self.timers.must_override_cork) {
                return false;
            }
            if self.timers.cork_at == Instant::NEVER {
                self.timers.cork_at = now.after(CORK);
            }
            return true;
        }
        !self.gathering.no_delay && before(self.snd_una, self.small_segment_end)
    }

    /// True when a writer that TCP_NOTSENT_LOWAT stopped may go on.
    pub(super) fn is_low_water_reached(&self) -> bool {
        let low_water = self.gathering.not_sent_low_water;
        low_water != 0 && self.unsent().saturating_mul(LOW_WATER_WAKE) < low_water
    }
}
