//! What an interface counted: the statistics of commands, and what rules of the firewall dropped,
//! which is not among those: their bytes are older.

use alloc::string::String;
use alloc::vec::Vec;
use core::ops::{Deref, DerefMut};

use crate::command::drops::{DropCount, DropReason};
use crate::command::interface::Statistics;

/// The statistics with every reason why packets were dropped.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Totals {
    statistics: Statistics,
    /// Received packets, and packets that were to be sent.
    filtered: [u64; 2],
}

impl Totals {
    /// The packets that were dropped for a reason.
    pub(crate) const fn dropped(&self, reason: DropReason) -> u64 {
        let [received, sent] = self.filtered;
        match reason {
            DropReason::Firewall => received,
            DropReason::FirewallOut => sent,
            reason => self.statistics.dropped(reason),
        }
    }

    /// Counts dropped packets.
    #[inline]
    pub(crate) const fn count(&mut self, reason: DropReason, packets: u64) {
        let [received, sent] = &mut self.filtered;
        match reason {
            DropReason::Firewall => *received += packets,
            DropReason::FirewallOut => *sent += packets,
            reason => self.statistics.count(reason, packets),
        }
    }

    /// Every reason with its number, for a list.
    pub(crate) fn drop_counts(&self, interface: &str) -> Vec<DropCount> {
        let count = |reason| DropCount {
            interface: String::from(interface),
            reason,
            packets: self.dropped(reason),
        };
        DropReason::ALL.into_iter().map(count).collect()
    }
}

impl Deref for Totals {
    type Target = Statistics;

    fn deref(&self) -> &Statistics {
        &self.statistics
    }
}

impl DerefMut for Totals {
    fn deref_mut(&mut self) -> &mut Statistics {
        &mut self.statistics
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reason_has_a_counter_of_its_own() {
        let mut totals = Totals::default();
        for (power, reason) in DropReason::ALL.into_iter().enumerate() {
            totals.count(reason, 1 << power);
        }
        for (power, count) in totals.drop_counts("eth0").into_iter().enumerate() {
            assert_eq!((count.packets, totals.dropped(count.reason)), (1 << power, 1 << power));
        }
        let losses = totals.losses(true).chain(totals.losses(false));
        assert!(losses.count() == DropReason::ALL.len() - 3, "all but of others and of rules");
    }
}
