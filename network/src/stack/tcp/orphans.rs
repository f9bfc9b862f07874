//! Connections that their programs closed and whose data is still under way.
//!
//! They are bounded (Linux' tcp_max_orphans). Who delivers is gone within some round trips, so the
//! oldest one has a peer that takes nothing: it gives way.

use super::{Connection, ConnectionId, Owner, Tcp};
use crate::limits;
use crate::stack::context::Context;
use crate::stack::ip::Ip;
use crate::stack::lazy_queue::LazyQueue;

/// The orphans of one interface.
#[derive(Debug, Default)]
pub(super) struct Orphans {
    /// Oldest first, with some that are gone.
    queue: LazyQueue<ConnectionId>,
    count: usize,
}

impl Orphans {
    pub(super) const fn count(&self) -> usize {
        self.count
    }

    /// A connection was removed.
    pub(super) fn removed(&mut self, connection: &Connection) {
        if matches!(connection.owner, Owner::Orphan) {
            self.count = self.count.saturating_sub(1);
            if self.count == 0 {
                self.queue.clear();
            }
        }
    }
}

impl Tcp {
    /// A connection became an orphan. The oldest one ends when there are too many.
    pub(super) fn add_orphan(&mut self, cx: &mut Context, ip: &mut Ip, id: ConnectionId) {
        let Self { orphans, connections, .. } = self;
        orphans.count += 1;
        orphans.queue.push(id, orphans.count, |id| {
            let connection = connections.get(id.index as usize);
            connection.is_some_and(|connection| connection.generation == id.generation)
        });
        while self.orphans.count > limits::ORPHANS
            && let Some(oldest) = self.orphans.queue.pop()
        {
            if self.get(oldest).is_some() {
                self.give_way(cx, ip, oldest.index);
            }
        }
    }
}
