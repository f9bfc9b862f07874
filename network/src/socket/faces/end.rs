//! The end of the writing direction, as the traits of asynchronous byte streams have it.

use core::task::{Context, Poll};

use devnet_virtual_file_system::Error;

use crate::command::socket::Direction;
use crate::socket::{TcpStream, TcpWriteHalf};

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
