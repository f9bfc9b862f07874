//! What the faces of `futures-io` and tokio share: their traits for writing differ in the name of
//! the end only.

use core::task::{Context, Poll};
use std::io;

use devnet_virtual_file_system::Error;

use crate::command::socket::Direction;
use crate::socket::{TcpStream, TcpWriteHalf};

pub(super) fn as_io<T>(outcome: Poll<Result<T, Error>>) -> Poll<io::Result<T>> {
    outcome.map_err(io::Error::from)
}

/// Implements a trait for writing, whose end has this name, for all that can be written.
macro_rules! implement_write {
    ($face:ident, $end:ident) => {
        implement_write!($face, $end, TcpStream: TcpStream, &TcpStream);
        implement_write!($face, $end, TcpWriteHalf: TcpWriteHalf, &TcpWriteHalf);
    };
    ($face:ident, $end:ident, $owner:ident: $($writer:ty),+) => {
        $(impl $face for $writer {
            fn poll_write(
                self: Pin<&mut Self>,
                context: &mut Context<'_>,
                data: &[u8],
            ) -> Poll<io::Result<usize>> {
                as_io($owner::poll_write(&self, context, data))
            }

            fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
                Poll::Ready(Ok(()))
            }

            fn $end(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
                as_io($owner::poll_end(&self, context))
            }
        })+
    };
}
pub(super) use implement_write;

impl TcpStream {
    /// Shuts down the writing direction once, and waits until the peer acknowledged all data.
    pub(super) fn poll_end(&self, context: &mut Context<'_>) -> Poll<Result<(), Error>> {
        // Writes nothing; the result shows whether the direction is still open. Shutting it down
        // again would wake all waiters of the stream.
        match self.try_write(&[]) {
            Ok(_) => self.shutdown(Direction::Write)?,
            Err(Error::BrokenPipe) => {}
            Err(error) => return Poll::Ready(Err(error)),
        }
        self.poll_flush(context)
    }
}

impl TcpWriteHalf {
    pub(super) fn poll_end(&self, context: &mut Context<'_>) -> Poll<Result<(), Error>> {
        self.stream().poll_end(context)
    }
}
