//! Adapts an open file to `hyper`, and maps `hyper`'s errors to ours.

use std::error::Error as _;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use devnet_virtual_file_system::{Error, File, Readiness};
use hyper::rt::Write;

use crate::limits;

/// A stream for `hyper`.
pub struct Wire {
    file: File,
}

impl Wire {
    /// Wraps an open stream.
    #[must_use]
    pub const fn new(file: File) -> Self {
        Self { file }
    }

    /// Reads at most this many bytes and hands them on; returns how many.
    ///
    /// # Errors
    /// Errors of the stream.
    pub fn poll_bytes(
        &self,
        context: &mut Context<'_>,
        most: usize,
        mut take: impl FnMut(&[u8]),
    ) -> Poll<io::Result<usize>> {
        // The buffer is on the stack, so that an idle connection uses no memory for it.
        let mut buffer = [0; limits::HTTP_READ_BYTES];
        let wanted = most.min(buffer.len());
        let buffer = buffer.get_mut(..wanted).unwrap_or_default();
        loop {
            match self.file.try_read(buffer) {
                Ok(count) => {
                    take(buffer.get(..count).unwrap_or_default());
                    return Poll::Ready(Ok(count));
                }
                Err(Error::WouldBlock) => {
                    ready!(self.file.poll_ready(context, Readiness::READABLE))
                        .map_err(io::Error::other)?;
                }
                Err(why) => return Poll::Ready(Err(io::Error::other(why))),
            }
        }
    }
}

impl Write for Wire {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        data: &[u8],
    ) -> Poll<io::Result<usize>> {
        loop {
            match self.file.try_write(data) {
                Err(Error::WouldBlock) => {
                    ready!(self.file.poll_ready(context, Readiness::WRITABLE))
                        .map_err(io::Error::other)?;
                }
                outcome => return Poll::Ready(outcome.map_err(io::Error::other)),
            }
        }
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        // Written data needs no flush.
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        // A server shuts its direction down itself; a client drops the file.
        Poll::Ready(Ok(()))
    }
}

/// Returns our error behind one of `hyper`.
#[must_use]
pub fn cause(error: &hyper::Error) -> Error {
    if error.is_incomplete_message() {
        return Error::ConnectionReset;
    }
    let mut source = error.source();
    while let Some(inner) = source {
        if let Some(inner) = inner.downcast_ref::<io::Error>() {
            let ours = inner.get_ref().and_then(|inner| inner.downcast_ref::<Error>());
            return match (ours, inner.kind()) {
                (Some(ours), _) => *ours,
                (None, io::ErrorKind::UnexpectedEof) => Error::ConnectionReset,
                (None, _) => Error::BadMessage,
            };
        }
        source = inner.source();
    }
    Error::BadMessage
}
