//! Sockets of ended connections, to be used again: their buffers need neither be allocated nor cleared.
//!
//! Only a socket that never met a loss or a duplicate comes here: smoltcp's reset leaves what it remembers of those
//! (`smoltcp-scaling` §4.3), and nothing else.

use alloc::vec;
use alloc::vec::Vec;

use smoltcp::iface::{SocketHandle, SocketSet};
use smoltcp::socket::tcp;
use smoltcp::time::Duration;

use crate::limits;
use crate::socket::TcpSettings;

/// A socket in a set of its own.
pub(crate) type Socket = (SocketSet<'static>, SocketHandle);

/// smoltcp's delay of acknowledgments, which a resting connection switches off.
pub(super) const ACK_DELAY: Duration = Duration::from_millis(10);

/// The sockets. Bounded by [`limits::SPARE_SOCKET_BYTES`].
#[derive(Debug, Default)]
pub(crate) struct Spares {
    sockets: Vec<Socket>,
    bytes: usize,
}

/// Receive and send buffer of a socket, in bytes.
fn sizes(settings: &TcpSettings) -> (usize, usize) {
    let size = |bytes: usize| bytes.clamp(limits::TCP_BUFFER_MINIMUM, limits::TCP_BUFFER_MAXIMUM);
    (size(settings.receive_buffer), size(settings.send_buffer))
}

impl Spares {
    /// A closed socket for a new connection.
    pub(crate) fn take(&mut self, settings: &TcpSettings) -> Socket {
        let wanted = sizes(settings);
        let fits = |(set, handle): &Socket| {
            let socket = set.get::<tcp::Socket<'_>>(*handle);
            (socket.recv_capacity(), socket.send_capacity()) == wanted
        };
        let (mut set, handle) = match self.sockets.iter().rposition(fits) {
            Some(place) => {
                self.bytes -= wanted.0 + wanted.1;
                self.sockets.swap_remove(place)
            }
            None => {
                let buffer = |bytes| tcp::SocketBuffer::new(vec![0; bytes]);
                // A set that grows by itself starts with room for four sockets.
                let mut set = SocketSet::new(Vec::with_capacity(1));
                let handle = set.add(tcp::Socket::new(buffer(wanted.0), buffer(wanted.1)));
                (set, handle)
            }
        };
        let socket = set.get_mut::<tcp::Socket<'_>>(handle);
        socket.set_nagle_enabled(!settings.no_delay);
        socket.set_ack_delay(Some(ACK_DELAY));
        (set, handle)
    }

    /// Keeps an ended connection's socket if there is room.
    pub(crate) fn put(&mut self, mut set: SocketSet<'static>, handle: SocketHandle) {
        let socket = set.get_mut::<tcp::Socket<'_>>(handle);
        let bytes = socket.recv_capacity() + socket.send_capacity();
        if self.bytes + bytes > limits::SPARE_SOCKET_BYTES {
            return;
        }
        // Closed; connecting and listening reset the rest.
        socket.abort();
        self.bytes += bytes;
        self.sockets.push((set, handle));
    }
}
