//! tokio's `AsyncRead` and `AsyncWrite` for streams and their halves.
//!
//! Also implemented for references, so that one stream can be read and written at once. Errors and
//! the meaning of a flush and of the end are those of the face for
//! [`futures_io`](crate::socket::futures_io): `poll_flush` is ready at once, `poll_shutdown` shuts
//! down the writing direction and waits until the peer acknowledged all data.

use core::pin::Pin;
use core::task::{Context, Poll};
use std::io;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::end::{as_io, implement_write};
use crate::socket::{TcpReadHalf, TcpStream, TcpWriteHalf};

macro_rules! read {
    ($end:ident: $($face:ty),+) => {
        $(impl AsyncRead for $face {
            fn poll_read(
                self: Pin<&mut Self>,
                context: &mut Context<'_>,
                buffer: &mut ReadBuf<'_>,
            ) -> Poll<io::Result<()>> {
                let read = $end::poll_read(&self, context, buffer.initialize_unfilled());
                as_io(read.map_ok(|count| buffer.advance(count)))
            }
        })+
    };
}

read!(TcpStream: TcpStream, &TcpStream);
read!(TcpReadHalf: TcpReadHalf, &TcpReadHalf);
implement_write!(AsyncWrite, poll_shutdown);
