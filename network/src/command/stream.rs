//! What is known of a connection and its path (as Linux' TCP_INFO).

use serde::{Deserialize, Serialize};

use super::option::CongestionControl;
use super::socket::SocketState;

/// A connection in figures. Times are in microseconds and zero when nothing was measured; windows,
/// sizes and counts of data are in bytes.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct StreamStatistics {
    /// Its state.
    pub state: SocketState,
    /// Who decides how much may be under way.
    pub congestion: CongestionControl,
    /// The smoothed round trip (RFC 6298).
    pub round_trip: u32,
    /// How much round trips vary (RFC 6298).
    pub round_trip_variation: u32,
    /// The shortest round trip.
    pub least_round_trip: u32,
    /// The last one.
    pub latest_round_trip: u32,
    /// How long an acknowledgment is waited for.
    pub retransmission_timeout: u32,
    /// What may be under way.
    pub congestion_window: u32,
    /// Above it the congestion window grows slowly.
    pub slow_start_threshold: u32,
    /// What is under way.
    pub in_flight: u32,
    /// What the peer takes.
    pub peer_window: u32,
    /// What we take.
    pub window: u32,
    /// Data of a full segment.
    pub segment: u32,
    /// How large the receive buffer may be at the moment.
    pub receive_buffer: u32,
    /// How large the send buffer may be at the moment.
    pub send_buffer: u32,
    /// Bytes per second, as last delivered.
    pub delivery_rate: u64,
    /// Data sent, each byte as often as it was.
    pub bytes_sent: u64,
    /// Data sent again.
    pub bytes_retransmitted: u64,
    /// Data that the peer acknowledged.
    pub bytes_acknowledged: u64,
    /// Data that came in order.
    pub bytes_received: u64,
    /// Segments sent again.
    pub retransmissions: u32,
    /// Times that an acknowledgment was waited for in vain.
    pub timeouts: u32,
    /// Probes for a lost tail (RFC 8985).
    pub tail_probes: u32,
    /// Episodes in which loss was repaired.
    pub recoveries: u32,
    /// Reductions of the congestion window that proved needless and were taken back.
    pub undone: u32,
    /// Segments that the peer got twice.
    pub duplicates: u32,
    /// The peer tells what it got out of order (RFC 2018).
    pub has_selective_acknowledgments: bool,
    /// Congestion marks are in use (RFC 3168).
    pub has_congestion_marks: bool,
}
