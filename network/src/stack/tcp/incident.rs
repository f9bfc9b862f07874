//! Events about connections for watchers and for the log: loss, timeouts, spurious recoveries, ends
//! by error; for watchers their states.
//!
//! Senders do not know watchers: they count (see [`send`](super::send)). When somebody watches or
//! reads the log, the counters before and after a step are compared.

use devnet_virtual_file_system::Error;

use super::{Connection, Flow, Owner, Tcp};
use crate::command::event::{Change, Event, StreamEvent};
use crate::command::watch::Kinds;
use crate::stack::context::Context;
use crate::stack::watch::Watch;
use crate::trace::{event, is_on, message};

/// The target of what the log says about connections.
const LOG: &str = "devnet::tcp";

/// The counters of a sender before a step.
#[derive(Clone, Copy, Debug)]
pub(super) struct SenderSnapshot {
    recoveries: u32,
    timeouts: u32,
    undone: u32,
    /// cwnd in bytes.
    cwnd: u32,
    /// The RTO in milliseconds.
    rto_ms: u32,
}

impl Connection {
    fn snapshot(&self) -> SenderSnapshot {
        let counts = self.sender.counters();
        SenderSnapshot {
            recoveries: counts.recoveries,
            timeouts: counts.timeouts,
            undone: counts.undone,
            cwnd: self.sender.windows().0,
            rto_ms: u32::try_from(self.sender.rto().as_millis()).unwrap_or(u32::MAX),
        }
    }
}

impl Watch {
    /// Takes a snapshot before a step; `None` when nobody wants to know.
    pub(super) fn before(&self, connection: &Connection) -> Option<SenderSnapshot> {
        (self.wants(Kinds::STREAM) || is_on(LOG)).then(|| connection.snapshot())
    }

    /// Reports what happened to a connection since the snapshot.
    pub(super) fn after(
        &mut self,
        connection: &Connection,
        before: Option<SenderSnapshot>,
        interface: &str,
    ) {
        let Some(before) = before else { return };
        let (now, (window, ssthresh, _)) = (connection.snapshot(), connection.sender.windows());
        let round_trip =
            u32::try_from(connection.sender.rtt().srtt().as_micros()).unwrap_or(u32::MAX);
        let flow = connection.flow;
        if now.recoveries != before.recoveries {
            let segments = connection.sender.lost_segments();
            // During recovery cwnd follows deliveries; it ends at ssthresh.
            let after = ssthresh.min(before.cwnd);
            message!(
                debug,
                "devnet::tcp",
                "{}: fast recovery, {}, {} segments lost",
                interface,
                flow,
                segments
            );
            let event = StreamEvent::Loss { segments, window: before.cwnd, after, round_trip };
            self.note_stream(&flow, event);
        }
        if now.timeouts != before.timeouts {
            message!(
                debug,
                "devnet::tcp",
                "{}: retransmission timeout, {}, after {} ms",
                interface,
                flow,
                before.rto_ms
            );
            let event = StreamEvent::Timeout {
                count: now.timeouts,
                wait: before.rto_ms,
                window,
                round_trip,
            };
            self.note_stream(&flow, event);
        }
        if now.undone != before.undone {
            message!(debug, "devnet::tcp", "{}: spurious recovery undone, {}", interface, flow);
            self.note_stream(&flow, StreamEvent::Undo { window: before.cwnd, after: window });
        }
    }

    fn note_stream(&mut self, flow: &Flow, event: StreamEvent) {
        let event = Event::Stream(flow.local.address(), flow.remote.address(), event);
        self.note_watched([event], 0);
    }
}

impl Tcp {
    /// Reports a connection to watchers of sockets. Half-open connections of listeners are not
    /// reported.
    pub(crate) fn report_socket(&self, cx: &mut Context, index: u32, change: Change) {
        if !cx.watch.wants(Kinds::SOCKET) {
            return;
        }
        if let Some(connection) = self.connections.get(index as usize)
            && !matches!(connection.owner, Owner::HalfOpen(_))
        {
            let status = connection.status(&cx.configuration.name);
            cx.watch.note(Event::Socket(change, status));
        }
    }

    /// Reports that a connection ends by an error. Half-open connections of listeners are not
    /// reported.
    pub(crate) fn report_end(&mut self, cx: &mut Context, index: u32, cause: Error) {
        if !cx.watch.wants(Kinds::STREAM) && !is_on(LOG) {
            return;
        }
        if let Some(connection) = self.connections.get(index as usize)
            && !matches!(connection.owner, Owner::HalfOpen(_))
        {
            event!(cx, debug, "devnet::tcp", "{}, {}", cause, connection.flow);
            cx.watch.note_stream(&connection.flow, StreamEvent::Ended(cause));
        }
    }
}
