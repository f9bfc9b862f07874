//! Statistics of a connection and its path (as Linux' TCP_INFO).

use serde::{Deserialize, Serialize};

use super::option::CongestionControl;
use super::socket::SocketState;

/// The statistics of a connection. Times are in microseconds and zero before the first sample;
/// windows, sizes and counts of data are in bytes.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct StreamStatistics {
    /// Its state.
    pub state: SocketState,
    /// The congestion control algorithm.
    pub congestion: CongestionControl,
    /// SRTT: the smoothed round trip (RFC 6298).
    pub round_trip: u32,
    /// RTTVAR: the round-trip variation (RFC 6298).
    pub round_trip_variation: u32,
    /// The minimum round trip.
    pub least_round_trip: u32,
    /// The latest round trip.
    pub latest_round_trip: u32,
    /// RTO: the retransmission timeout.
    pub retransmission_timeout: u32,
    /// cwnd: the congestion window.
    pub congestion_window: u32,
    /// ssthresh: the slow start threshold.
    pub slow_start_threshold: u32,
    /// Data in flight.
    pub in_flight: u32,
    /// SND.WND: the peer's window.
    pub peer_window: u32,
    /// RCV.WND: our window.
    pub window: u32,
    /// MSS: the data of a full segment.
    pub segment: u32,
    /// The present size of the receive buffer.
    pub receive_buffer: u32,
    /// The present size of the send buffer.
    pub send_buffer: u32,
    /// The last delivery rate in bytes per second.
    pub delivery_rate: u64,
    /// Data sent, retransmissions included.
    pub bytes_sent: u64,
    /// Data retransmitted.
    pub bytes_retransmitted: u64,
    /// Data that the peer acknowledged.
    pub bytes_acknowledged: u64,
    /// Data received in order.
    pub bytes_received: u64,
    /// Segments retransmitted.
    pub retransmissions: u32,
    /// Expirations of the retransmission timer.
    pub timeouts: u32,
    /// Tail loss probes (RFC 8985).
    pub tail_probes: u32,
    /// Fast recoveries.
    pub recoveries: u32,
    /// Reductions of the congestion window that were spurious and undone.
    pub undone: u32,
    /// Segments that the peer received twice (DSACK).
    pub duplicates: u32,
    /// SACK was negotiated (RFC 2018).
    pub has_selective_acknowledgments: bool,
    /// ECN was negotiated (RFC 3168).
    pub has_congestion_marks: bool,
}
