//! Sockets as `std::net` has them: for programs that were written for it, and for threads that may
//! block.
//!
//! A call blocks the calling thread and nothing else; the runner of the stack must live on another
//! thread, as with `drivers::Host::run_in_background`. A blocked thread wakes when something
//! happens or when its timeout is over, which the platform's clock tells; it never looks by itself.
//!
//! Names and meanings are those of `std::net` on Linux, down to the kind of each error. What
//! differs: nothing here is global, so whatever makes a socket or resolves a name is told with
//! which [`Sockets`](crate::Sockets), and names are looked up by their resolver.

mod datagram;
mod listener;
mod names;
mod stream;
mod wait;

pub use std::net::Shutdown;

pub use self::datagram::UdpSocket;
pub use self::listener::{Incoming, TcpListener};
pub use self::names::ToSocketAddrs;
pub use self::stream::TcpStream;
