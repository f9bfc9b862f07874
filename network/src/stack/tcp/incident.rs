//! What watchers are told of connections: loss, timeouts, what was for nothing, and ends by error.
//!
//! Senders know nothing of watchers: they count (see [`send`](super::send)), and when somebody
//! watches, counts before and after are compared.

use virtual_file_system::Error;

use super::{Connection, Owner, Tcp};
use crate::command::watch::Kinds;
use crate::stack::context::Context;
use crate::stack::watch::{Event, Incident, Watch};

/// A sender before something happened to it.
#[derive(Clone, Copy, Debug)]
pub(super) struct SenderSnapshot {
    recoveries: u32,
    timeouts: u32,
    undone: u32,
    /// The congestion window in bytes.
    window: u32,
    /// Milliseconds that an acknowledgment is waited for.
    wait: u32,
}

impl Connection {
    fn snapshot(&self) -> SenderSnapshot {
        let counts = self.sender.counters();
        SenderSnapshot {
            recoveries: counts.recoveries,
            timeouts: counts.timeouts,
            undone: counts.undone,
            window: self.sender.windows().0,
            wait: u32::try_from(self.sender.rto().as_millis()).unwrap_or(u32::MAX),
        }
    }
}

impl Watch {
    /// Looks at a connection before something happens to it; nothing when nobody wants to know.
    pub(super) fn before(&self, connection: &Connection) -> Option<SenderSnapshot> {
        self.wants(Kinds::STREAM).then(|| connection.snapshot())
    }

    /// Notes what happened to a connection since it was looked at.
    pub(super) fn after(&mut self, connection: &Connection, before: Option<SenderSnapshot>) {
        let Some(before) = before else { return };
        let (now, (window, threshold, _)) = (connection.snapshot(), connection.sender.windows());
        let round_trip =
            u32::try_from(connection.sender.rtt().srtt().as_micros()).unwrap_or(u32::MAX);
        let flow = connection.flow;
        if now.recoveries != before.recoveries {
            let segments = connection.sender.lost_segments();
            // While data is repaired the window follows what is delivered; this is what it comes
            // to.
            let after = threshold.min(before.window);
            self.note(Event::Stream(
                flow,
                Incident::Loss { segments, window: before.window, after, round_trip },
            ));
        }
        if now.timeouts != before.timeouts {
            let incident =
                Incident::Timeout { count: now.timeouts, wait: before.wait, window, round_trip };
            self.note(Event::Stream(flow, incident));
        }
        if now.undone != before.undone {
            self.note(Event::Stream(flow, Incident::Undo { window: before.window, after: window }));
        }
    }
}

impl Tcp {
    /// A connection ends by an error. Handshakes that nobody waits for end without a word.
    pub(crate) fn report_end(&mut self, cx: &mut Context, index: u32, cause: Error) {
        if !cx.watch.wants(Kinds::STREAM) {
            return;
        }
        if let Some(connection) = self.connections.get(index as usize)
            && !matches!(connection.owner, Owner::HalfOpen(_))
        {
            cx.watch.note(Event::Stream(connection.flow, Incident::Ended(cause)));
        }
    }
}
