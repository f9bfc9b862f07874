//! Socket lists and the statistics of a connection.

use core::ops::Range;
use core::time::Duration;

use super::{Connection, ConnectionId, Tcp};
use crate::command::socket::{SocketKind, SocketState, SocketStatus};
use crate::command::stream::StreamStatistics;
use crate::stack::flow::Flow;

impl Tcp {
    /// The statistics of a connection; `None` once it is gone.
    pub(crate) fn statistics(&self, id: ConnectionId) -> Option<StreamStatistics> {
        self.get(id).map(Connection::statistics)
    }

    /// The statistics of the connection of a flow.
    pub(crate) fn statistics_of(&self, flow: &Flow) -> Option<StreamStatistics> {
        let index = self.lookup(flow)?;
        self.connections.get(index as usize).map(|connection| connection.statistics())
    }

    /// Connections at some places of the table; it ends before [`places`](Self::places).
    pub(crate) fn connection_statuses<'a>(
        &'a self,
        interface: &'a str,
        places: Range<usize>,
    ) -> impl Iterator<Item = SocketStatus> + 'a {
        places
            .filter_map(|place| self.connections.get(place))
            // Those in TIME-WAIT that a program still holds are in its table too.
            .filter(|connection| connection.state() != SocketState::TimeWait)
            .map(|connection| connection.status(interface))
    }

    pub(crate) fn places(&self) -> usize {
        self.connections.capacity()
    }

    pub(crate) fn time_wait_places(&self) -> usize {
        self.time_wait.places()
    }

    /// TIME-WAIT entries at some places of their table.
    pub(crate) fn time_wait_statuses<'a>(
        &'a self,
        interface: &'a str,
        places: Range<usize>,
    ) -> impl Iterator<Item = SocketStatus> + 'a {
        self.time_wait.flows(places).map(|flow| SocketStatus {
            kind: SocketKind::Tcp,
            state: SocketState::TimeWait,
            local: flow.local.address(),
            remote: Some(flow.remote.address()),
            interface: interface.into(),
            receive_queue: 0,
            send_queue: 0,
        })
    }

    /// The listeners bound to this interface.
    pub(crate) fn listener_statuses<'a>(
        &'a self,
        interface: &'a str,
    ) -> impl Iterator<Item = SocketStatus> + 'a {
        let bindings = self.listeners.iter().filter(|binding| binding.device);
        bindings.map(|binding| binding.listener.status(interface))
    }

    /// The number of connections and listeners, without TIME-WAIT.
    pub(crate) fn count(&self) -> usize {
        self.connections.len() + self.listeners.len()
    }
}

impl Connection {
    /// The connection's socket status.
    pub(crate) fn status(&self, interface: &str) -> SocketStatus {
        let bytes = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
        SocketStatus {
            kind: SocketKind::Tcp,
            state: self.state(),
            local: self.flow.local.address(),
            remote: Some(self.flow.remote.address()),
            interface: interface.into(),
            receive_queue: bytes(self.receiver.readable()),
            send_queue: bytes(self.sender.queued()),
        }
    }

    fn statistics(&self) -> StreamStatistics {
        let micros = |time: Duration| u32::try_from(time.as_micros()).unwrap_or(u32::MAX);
        let bytes = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
        let (round_trip, counts) = (self.sender.rtt(), self.sender.counters());
        let (congestion_window, slow_start_threshold, in_flight) = self.sender.windows();
        StreamStatistics {
            state: self.state(),
            congestion: self.sender.congestion_control(),
            round_trip: micros(round_trip.srtt()),
            round_trip_variation: micros(round_trip.rttvar()),
            least_round_trip: micros(round_trip.min_rtt()),
            latest_round_trip: micros(round_trip.latest_rtt()),
            retransmission_timeout: micros(self.sender.rto()),
            congestion_window,
            slow_start_threshold,
            in_flight,
            peer_window: self.sender.snd_wnd(),
            window: self.receiver.rcv_wnd_end().wrapping_sub(self.receiver.rcv_nxt()),
            segment: self.sender.mss(),
            receive_buffer: bytes(self.receiver.buffer_size()),
            send_buffer: bytes(self.sender.buffer_size()),
            delivery_rate: self.sender.delivery_rate(),
            bytes_sent: counts.sent,
            bytes_retransmitted: counts.bytes_retransmitted,
            bytes_acknowledged: counts.acknowledged,
            bytes_received: self.receiver.received(),
            retransmissions: counts.retransmissions,
            timeouts: counts.timeouts,
            tail_probes: counts.tail_probes,
            recoveries: counts.recoveries,
            undone: counts.undone,
            duplicates: counts.duplicates,
            has_selective_acknowledgments: self.sender.has_sack(),
            has_congestion_marks: self.sender.has_ecn(),
        }
    }
}
