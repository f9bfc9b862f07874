//! ICMP errors about connections (RFC 9293 §3.9.2.2, RFC 5927).

use devnet_virtual_file_system::Error;

use super::segment::before;
use super::{Connection, End, Flow, Owner, Tcp};
use crate::stack::context::Context;
use crate::stack::wire::quote::Quote;

impl Tcp {
    /// The connection whose in-flight segment an ICMP error quotes. Anybody can send an ICMP error,
    /// but only a host on the path knows which sequence numbers are in flight (TCP-X-05).
    fn quoted(&self, quoted: &Quote) -> Option<u32> {
        let local = End::new(quoted.source, quoted.source_port);
        let flow = Flow { local, remote: End::new(quoted.destination, quoted.destination_port) };
        let index = self.lookup(&flow)?;
        let connection = self.connections.get(index as usize)?;
        connection.is_in_flight(quoted.third).then_some(index)
    }

    /// True when the quoted segment is ours and in flight.
    pub(crate) fn has_sent(&self, quoted: &Quote) -> bool {
        self.quoted(quoted).is_some()
    }

    /// Processes an ICMP error that quotes a segment of ours, or a delivery failure of the link. It
    /// aborts a connect; on an open connection it is a soft error (RFC 1122 §4.2.3.9).
    pub(crate) fn receive_error(&mut self, cx: &mut Context, quoted: &Quote, error: Error) {
        let Some(index) = self.quoted(quoted) else { return };
        let Some(connection) = self.connections.get_mut(index as usize) else { return };
        if matches!(connection.owner, Owner::Connecting) {
            connection.error = Some(error);
            connection.state_machine.abort();
            self.report_end(cx, index, error);
            self.release_flow(cx, index);
        } else {
            connection.soft_error = Some(error);
        }
    }
}

impl Connection {
    /// True when the first octet of a quoted segment is in flight (TCP-X-05).
    fn is_in_flight(&self, sequence: u32) -> bool {
        if self.is_open() {
            return !before(sequence, self.sender.snd_una())
                && before(sequence, self.sender.snd_nxt());
        }
        self.state_machine
            .handshake()
            .is_some_and(|handshake| handshake.syns_sent > 0 && sequence == handshake.iss)
    }
}
