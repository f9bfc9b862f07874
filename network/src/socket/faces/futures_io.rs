//! The traits of `futures-io` for streams and their halves, and a listener as a stream of
//! connections.
//!
//! Also implemented for references, so that one stream can be read and written at once. Errors are
//! those of [`std::io`], as [`Error::std_kind`](devnet_virtual_file_system::Error::std_kind) maps
//! them.
//!
//! `poll_flush` is ready at once, as with the sockets of an operating system: written data is sent
//! without it, and protocols flush after every message, so waiting for the peer would cost them a
//! round trip each. `poll_close` waits: it shuts down the writing direction and is ready when the
//! peer acknowledged all data, so that a program may drop the whole stack then. The reading
//! direction stays open.

use core::pin::Pin;
use core::task::{Context, Poll};
use std::io;

use futures_io::{AsyncRead, AsyncWrite};
use futures_lite::Stream;

use super::end::{as_io, implement_write};
use crate::socket::{TcpListener, TcpReadHalf, TcpStream, TcpWriteHalf};

macro_rules! read {
    ($end:ident: $($face:ty),+) => {
        $(impl AsyncRead for $face {
            fn poll_read(
                self: Pin<&mut Self>,
                context: &mut Context<'_>,
                buffer: &mut [u8],
            ) -> Poll<io::Result<usize>> {
                as_io($end::poll_read(&self, context, buffer))
            }
        })+
    };
}

read!(TcpStream: TcpStream, &TcpStream);
read!(TcpReadHalf: TcpReadHalf, &TcpReadHalf);
implement_write!(AsyncWrite, poll_close);

/// An endless stream of accepted connections.
#[derive(Debug)]
pub struct Incoming<'a>(&'a TcpListener);

impl TcpListener {
    /// The accepted connections, for [`Stream`]'s combinators. An item is an error when the
    /// listener's interface is gone.
    #[must_use]
    pub const fn incoming(&self) -> Incoming<'_> {
        Incoming(self)
    }
}

impl Stream for Incoming<'_> {
    type Item = io::Result<TcpStream>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        as_io(self.0.poll_accept(context)).map(Some)
    }
}
