//! What a program may ask of a stream before it exists.

use core::net::IpAddr;

use super::deadline::Timeouts;
use crate::command::option::CongestionControl;
use crate::limits;
use crate::stack::bound::Bound;

/// Milliseconds before and between keep-alive probes (TCP-S-11; Linux counts to 32,767 seconds).
pub(crate) const KEEP_ALIVE: core::ops::RangeInclusive<u32> = 1000..=32_767_000;

/// Settings of a TCP connection; those of a listener are those of the connections that it accepts.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct TcpSettings {
    /// Bytes of the receive buffer, 2 KiB to 64 MiB; the window that the peer sees. `None` begins
    /// with 64 KiB and grows with what the path and the program take, to 12 MiB at most. Memory is
    /// used as data comes.
    pub receive_buffer: Option<usize>,
    /// Bytes of the send buffer, 2 KiB to 64 MiB. `None` begins with 64 KiB and grows with the
    /// congestion window, to 12 MiB at most.
    pub send_buffer: Option<usize>,
    /// Who decides how much may be under way (TCP_CONGESTION).
    pub congestion: CongestionControl,
    /// Asks the peer of a connect for congestion marks instead of losses (RFC 3168). A peer that
    /// asks itself always gets them (Linux' tcp_ecn is 2: it does not ask either unless told so).
    pub explicit_congestion: bool,
    /// Send small segments at once (TCP_NODELAY).
    pub no_delay: bool,
    /// Time to live or hop limit of what is sent; 0 counts as 1.
    pub hop_limit: u8,
    /// Traffic class of what is sent: DSCP and ECN bits (IP_TOS, IPV6_TCLASS).
    pub traffic_class: u8,
    /// Milliseconds of silence after which keep-alive probes begin (TCP_KEEPIDLE), 1 s to 32,767 s;
    /// 0 for no probes.
    pub keep_alive: u32,
    /// Milliseconds between keep-alive probes (TCP_KEEPINTVL), 1 s to 32,767 s.
    pub keep_alive_interval: u32,
    /// Unanswered keep-alive probes after which the connection ends with `TimedOut` (TCP_KEEPCNT).
    pub keep_alive_count: u8,
    /// Milliseconds that written data may stay unacknowledged before the connection ends with
    /// `TimedOut` (TCP_USER_TIMEOUT, RFC 5482); 0 for the system's 15 minutes.
    pub user_timeout: u32,
    /// What dropping the stream does with data that is still unsent (SO_LINGER): `None` delivers it
    /// in the background, `Some(0)` resets the connection at once, other values deliver for so many
    /// milliseconds at most and reset then. Dropping never waits.
    pub linger: Option<u32>,
    /// Lets a listener bind a port that connections of an earlier one still use (SO_REUSEADDR).
    /// Ours always may, as they do not collide.
    pub reuse_address: bool,
    /// Lets several listeners that all set this share one address; connections are spread over them
    /// by hash (SO_REUSEPORT).
    pub reuse_port: bool,
    /// Keeps a listener at `::` from accepting IPv4 too (IPV6_V6ONLY).
    pub only_ipv6: bool,
}

impl Default for TcpSettings {
    fn default() -> Self {
        Self {
            receive_buffer: None,
            send_buffer: None,
            congestion: CongestionControl::Cubic,
            explicit_congestion: false,
            no_delay: false,
            hop_limit: limits::HOP_LIMIT,
            traffic_class: 0,
            keep_alive: 0,
            keep_alive_interval: 75_000,
            keep_alive_count: 9,
            user_timeout: 0,
            linger: None,
            reuse_address: false,
            reuse_port: false,
            only_ipv6: false,
        }
    }
}

impl TcpSettings {
    /// What listening at an address means.
    pub(crate) fn bound(&self, address: IpAddr) -> Bound {
        let bound = Bound::new(address);
        if self.only_ipv6 { bound.only_ipv6() } else { bound }
    }

    /// Bytes that the receive buffer begins with, and that it may grow to.
    pub(crate) fn receive_sizes(&self) -> (usize, usize) {
        sizes(self.receive_buffer)
    }

    /// Bytes that the send buffer begins with, and that it may grow to.
    pub(crate) fn send_sizes(&self) -> (usize, usize) {
        sizes(self.send_buffer)
    }

    pub(crate) const fn timeouts(&self) -> Timeouts {
        Timeouts {
            // A probe without a pause after it would never end (TCP-S-11).
            idle: if self.keep_alive == 0 { 0 } else { within_keep_alive(self.keep_alive) },
            interval: within_keep_alive(self.keep_alive_interval),
            count: self.keep_alive_count,
            user_timeout: self.user_timeout,
        }
    }
}

fn sizes(asked: Option<usize>) -> (usize, usize) {
    match asked {
        None => (limits::TCP_BUFFER, limits::TCP_BUFFER_AUTOMATIC),
        Some(bytes) => {
            let bytes = bytes.clamp(limits::TCP_BUFFER_MINIMUM, limits::TCP_BUFFER_MAXIMUM);
            (bytes, bytes)
        }
    }
}

/// The nearest time that keep-alive knows.
const fn within_keep_alive(milliseconds: u32) -> u32 {
    let (least, most) = (*KEEP_ALIVE.start(), *KEEP_ALIVE.end());
    if milliseconds < least {
        least
    } else if milliseconds > most {
        most
    } else {
        milliseconds
    }
}
