//! The two directions of a stream as separate values, for two tasks that each own one.

use alloc::sync::Arc;
use core::task::{Context, Poll};

use devnet_virtual_file_system::Error;

use super::TcpStream;
use crate::command::socket::Direction;

/// The reading direction of a stream.
#[derive(Debug)]
pub struct TcpReadHalf(Arc<TcpStream>);

/// The writing direction of a stream. Dropping it shuts down that direction: written data is
/// delivered, then the end of file.
#[derive(Debug)]
pub struct TcpWriteHalf(Arc<TcpStream>);

impl TcpStream {
    /// Splits the stream into its directions. It is closed when both halves are dropped. To borrow
    /// halves instead, use `&TcpStream`: all methods take a shared reference.
    #[must_use]
    pub fn into_split(self) -> (TcpReadHalf, TcpWriteHalf) {
        let stream = Arc::new(self);
        (TcpReadHalf(Arc::clone(&stream)), TcpWriteHalf(stream))
    }
}

impl TcpReadHalf {
    /// The stream.
    #[must_use]
    pub fn stream(&self) -> &TcpStream {
        &self.0
    }

    /// Like [`TcpStream::read`].
    ///
    /// # Errors
    /// The error that ended the connection, once.
    ///
    /// # Cancel safety
    /// A dropped future read nothing.
    pub async fn read(&self, buffer: &mut [u8]) -> Result<usize, Error> {
        self.0.read(buffer).await
    }

    /// Like [`TcpStream::try_read`].
    ///
    /// # Errors
    /// `WouldBlock`; the error that ended the connection, once.
    pub fn try_read(&self, buffer: &mut [u8]) -> Result<usize, Error> {
        self.0.try_read(buffer)
    }

    /// Like [`TcpStream::poll_read`].
    pub fn poll_read(
        &self,
        context: &mut Context<'_>,
        buffer: &mut [u8],
    ) -> Poll<Result<usize, Error>> {
        self.0.poll_read(context, buffer)
    }
}

impl TcpWriteHalf {
    /// The stream.
    #[must_use]
    pub fn stream(&self) -> &TcpStream {
        &self.0
    }

    /// Like [`TcpStream::write_all`].
    ///
    /// # Errors
    /// `BrokenPipe` after the end; the error that ended the connection, once.
    ///
    /// # Cancel safety
    /// A dropped future may have written some of the bytes.
    pub async fn write_all(&self, data: &[u8]) -> Result<(), Error> {
        self.0.write_all(data).await
    }

    /// Like [`TcpStream::write`].
    ///
    /// # Errors
    /// As [`write_all`](Self::write_all).
    ///
    /// # Cancel safety
    /// A dropped future wrote nothing.
    pub async fn write(&self, data: &[u8]) -> Result<usize, Error> {
        self.0.write(data).await
    }

    /// Like [`TcpStream::flush`].
    ///
    /// # Errors
    /// The error that ended the connection.
    ///
    /// # Cancel safety
    /// Safe: it only waits.
    pub async fn flush(&self) -> Result<(), Error> {
        self.0.flush().await
    }

    /// Like [`TcpStream::try_write`].
    ///
    /// # Errors
    /// `WouldBlock`; `BrokenPipe` after the end; the error that ended the connection, once.
    pub fn try_write(&self, data: &[u8]) -> Result<usize, Error> {
        self.0.try_write(data)
    }

    /// Like [`TcpStream::try_flush`].
    ///
    /// # Errors
    /// `WouldBlock`; the error that ended the connection.
    pub fn try_flush(&self) -> Result<(), Error> {
        self.0.try_flush()
    }

    /// Like [`TcpStream::poll_flush`].
    pub fn poll_flush(&self, context: &mut Context<'_>) -> Poll<Result<(), Error>> {
        self.0.poll_flush(context)
    }

    /// Like [`TcpStream::poll_write`].
    pub fn poll_write(&self, context: &mut Context<'_>, data: &[u8]) -> Poll<Result<usize, Error>> {
        self.0.poll_write(context, data)
    }
}

impl Drop for TcpWriteHalf {
    fn drop(&mut self) {
        // A stream that was shut down already has nothing to end.
        let _ = self.0.shutdown(Direction::Write);
    }
}
