//! What a program may ask of a stream before it exists.

use crate::limits;

/// Settings of a TCP connection; those of a listener are those of the connections that it accepts.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct TcpSettings {
    /// Bytes of the receive buffer, 2 KiB to 64 MiB; the window that the peer sees.
    pub receive_buffer: usize,
    /// Bytes of the send buffer, 2 KiB to 64 MiB.
    pub send_buffer: usize,
    /// Send small segments at once (TCP_NODELAY).
    pub no_delay: bool,
    /// Time to live or hop limit of what is sent; 0 counts as 1.
    pub hop_limit: u8,
    /// Milliseconds between keep-alive probes of an idle connection; 0 for none.
    pub keep_alive: u32,
}

impl Default for TcpSettings {
    fn default() -> Self {
        Self {
            receive_buffer: limits::TCP_BUFFER,
            send_buffer: limits::TCP_BUFFER,
            no_delay: false,
            hop_limit: limits::HOP_LIMIT,
            keep_alive: 0,
        }
    }
}
