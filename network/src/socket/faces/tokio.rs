//! tokio's `AsyncRead` and `AsyncWrite` for streams and their halves.
//!
//! Also implemented for references, so that one stream can be read and written at once. Errors and
//! the meaning of a flush and of the end are those of the face for
//! [`futures_io`](crate::socket::futures_io): `poll_flush` is ready at once, `poll_shutdown` shuts
//! down the writing direction and waits until the peer acknowledged all data.

use core::pin::Pin;
use core::task::{Context, Poll};
use std::io;

use devnet_virtual_file_system::Error;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::socket::{TcpReadHalf, TcpStream, TcpWriteHalf};

fn as_io<T>(outcome: Poll<Result<T, Error>>) -> Poll<io::Result<T>> {
    outcome.map_err(io::Error::from)
}

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

macro_rules! write {
    ($end:ident: $($face:ty),+) => {
        $(impl AsyncWrite for $face {
            fn poll_write(
                self: Pin<&mut Self>,
                context: &mut Context<'_>,
                data: &[u8],
            ) -> Poll<io::Result<usize>> {
                as_io($end::poll_write(&self, context, data))
            }

            fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
                Poll::Ready(Ok(()))
            }

            fn poll_shutdown(
                self: Pin<&mut Self>,
                context: &mut Context<'_>,
            ) -> Poll<io::Result<()>> {
                as_io($end::poll_end(&self, context))
            }
        })+
    };
}

read!(TcpStream: TcpStream, &TcpStream);
read!(TcpReadHalf: TcpReadHalf, &TcpReadHalf);
write!(TcpStream: TcpStream, &TcpStream);
write!(TcpWriteHalf: TcpWriteHalf, &TcpWriteHalf);
