//! A connection in figures, for whoever asks.

use core::time::Duration;

use super::{Slot, SlotId};
use crate::command::stream::StreamStatistics;
use crate::stack::Stack;
use crate::stack::tcp::verbs::state_of;

impl Stack {
    /// What is known of a connection; `None` once it is gone.
    pub(crate) fn tcp_statistics(&self, id: SlotId) -> Option<StreamStatistics> {
        self.tcp.get(id).map(Slot::statistics)
    }
}

impl Slot {
    fn statistics(&self) -> StreamStatistics {
        let micros = |time: Duration| u32::try_from(time.as_micros()).unwrap_or(u32::MAX);
        let bytes = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
        let (round_trip, counts) = (self.sender.round_trip(), self.sender.counts());
        let (congestion_window, slow_start_threshold, in_flight) = self.sender.windows();
        StreamStatistics {
            state: state_of(self.state()),
            congestion: self.sender.congestion_control(),
            round_trip: micros(round_trip.smoothed()),
            round_trip_variation: micros(round_trip.variation()),
            least_round_trip: micros(round_trip.least()),
            latest_round_trip: micros(round_trip.latest()),
            retransmission_timeout: micros(self.sender.timeout()),
            congestion_window,
            slow_start_threshold,
            in_flight,
            peer_window: self.sender.peer_window(),
            window: self.receiver.edge().wrapping_sub(self.receiver.next()),
            segment: self.sender.segment(),
            receive_buffer: bytes(self.receiver.limit()),
            send_buffer: bytes(self.sender.limit()),
            delivery_rate: self.sender.delivery_rate(),
            bytes_sent: counts.sent,
            bytes_retransmitted: counts.sent_again,
            bytes_acknowledged: counts.acknowledged,
            bytes_received: self.receiver.received(),
            retransmissions: counts.retransmissions,
            timeouts: counts.timeouts,
            tail_probes: counts.tail_probes,
            recoveries: counts.recoveries,
            undone: counts.undone,
            duplicates: counts.duplicates,
            has_selective_acknowledgments: self.sender.has_sack(),
            has_congestion_marks: self.sender.has_marks(),
        }
    }
}
