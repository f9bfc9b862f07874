//! ICMP errors about connections (RFC 9293 §3.9.2.2, RFC 5927).

use virtual_file_system::Error;

use super::segment::before;
use super::{Connection, End, Flow, Owner, Tcp};
use crate::stack::context::Context;
use crate::stack::wire::quote::Quote;

impl Tcp {
    /// The connection whose segment on its way is quoted: anybody could send an ICMP error, but who
    /// saw our segments knows what is under way (TCP-X-05).
    fn quoted(&self, quoted: &Quote) -> Option<u32> {
        let local = End::new(quoted.source, quoted.source_port);
        let flow = Flow { local, remote: End::new(quoted.destination, quoted.destination_port) };
        let index = self.lookup(&flow)?;
        let connection = self.connections.get(index as usize)?;
        connection.has_under_way(quoted.third).then_some(index)
    }

    /// True when the quoted segment is one of ours that is on its way.
    pub(crate) fn has_sent(&self, quoted: &Quote) -> bool {
        self.quoted(quoted).is_some()
    }

    /// An ICMP error quotes a segment of ours, or the link could not deliver it. It ends a connect;
    /// later it is not fatal (RFC 1122 §4.2.3.9).
    pub(crate) fn receive_error(&mut self, cx: &mut Context, quoted: &Quote, error: Error) {
        let Some(index) = self.quoted(quoted) else { return };
        let Some(connection) = self.connections.get_mut(index as usize) else { return };
        if matches!(connection.owner, Owner::Connecting) {
            connection.error = Some(error);
            connection.state_machine.abort();
            self.report_end(cx, index, error);
            self.forget_silently(cx, index);
        } else {
            connection.soft_error = Some(error);
        }
    }
}

impl Connection {
    /// True when the first octet of a quoted segment is one that is under way (TCP-X-05).
    fn has_under_way(&self, sequence: u32) -> bool {
        if self.is_open() {
            return !before(sequence, self.sender.snd_una())
                && before(sequence, self.sender.snd_nxt());
        }
        self.state_machine
            .handshake()
            .is_some_and(|handshake| handshake.syns_sent > 0 && sequence == handshake.iss)
    }
}
