//! Sockets as in `std::net`: for programs that were written for it, and for threads that may block.
//!
//! A call blocks the calling thread only; the runner of the stack must be on another thread, as
//! with `devnet_drivers::Host::run_in_background`. An event or the timeout of the platform's clock
//! wakes a blocked thread; it never polls.
//!
//! Names and semantics are those of `std::net` on Linux, including the kind of each error. The
//! difference: nothing here is global, so functions that make a socket or resolve a name take the
//! [`Sockets`](crate::Sockets), and its resolver looks names up.

mod datagram;
mod listener;
mod names;
mod stream;
mod wait;

pub use std::net::Shutdown;

use devnet_virtual_file_system::Error;

pub use self::datagram::UdpSocket;
pub use self::listener::{Incoming, TcpListener};
pub use self::names::ToSocketAddrs;
pub use self::stream::TcpStream;

/// A hop limit of packets that are sent.
fn hop_limit(ttl: u32) -> Result<u8, Error> {
    u8::try_from(ttl).ok().filter(|ttl| *ttl > 0).ok_or(Error::InvalidInput)
}
