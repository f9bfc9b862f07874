//! TCP streams.

use alloc::sync::Arc;
use core::fmt;
use core::future::poll_fn;
use core::net::SocketAddr;
use core::task::{Context, Poll, Waker};

use devnet_commands::zone;
use devnet_virtual_file_system::{Error, Readiness};

use crate::command::socket::{Direction, SocketStatus};
use crate::command::stream::StreamStatistics;
use crate::interface::Interface;
use crate::seat::Seat;
use crate::socket::{TcpSettings, pending_if_blocked};
use crate::stack::flow::End;
use crate::stack::tcp::ConnectionId;
use crate::stack::tcp::listen::PendingConnection;

/// A connection.
///
/// All methods take `&self`, so two tasks may read and write at once. Dropping the stream delivers
/// written data, then the end of file; unread received data resets the connection instead, as on
/// Linux (RFC 1122 §4.2.2.13).
///
/// Urgent data is neither sent nor distinguished: a peer's urgent data stays in the stream, as with
/// SO_OOBINLINE (RFC 6093).
pub struct TcpStream {
    pub(super) interface: Arc<Interface>,
    pub(super) slot: ConnectionId,
    pub(super) local: End,
    pub(super) remote: End,
}

impl TcpStream {
    pub(super) fn accepted(interface: Arc<Interface>, pending: PendingConnection) -> Self {
        Self {
            interface,
            slot: pending.connection,
            local: pending.flow.local,
            remote: pending.flow.remote,
        }
    }

    /// Keeps `seat` until the connection is gone, which may be long after the stream.
    pub(crate) fn hold(&self, seat: Seat) {
        self.interface.change(|stack| stack.transport.tcp.hold(self.slot, seat));
    }

    /// What the connection holds.
    pub(crate) fn seat(&self) -> Option<Seat> {
        self.interface.read(|stack| stack.transport.tcp.seat(self.slot))
    }

    /// The local address.
    #[must_use]
    pub fn local_addr(&self) -> SocketAddr {
        zone::with(self.local.address(), self.interface.index)
    }

    /// The remote address.
    #[must_use]
    pub fn peer_addr(&self) -> SocketAddr {
        zone::with(self.remote.address(), self.interface.index)
    }

    /// Reads received bytes without waiting; 0 at the end of the stream.
    ///
    /// # Errors
    /// `WouldBlock`; the error that ended the connection (`ConnectionReset`, `TimedOut`, …), once.
    pub fn try_read(&self, buffer: &mut [u8]) -> Result<usize, Error> {
        self.receive(buffer, false, None)
    }

    /// Writes bytes without waiting; returns how many fit.
    ///
    /// # Errors
    /// `WouldBlock`; `BrokenPipe` after the end; the error that ended the connection, once.
    pub fn try_write(&self, data: &[u8]) -> Result<usize, Error> {
        self.interface.change_and_transmit(|stack| {
            stack.transport.tcp.send(&mut stack.context, &mut stack.ip, self.slot, data, None)
        })
    }

    fn receive(
        &self,
        buffer: &mut [u8],
        peek: bool,
        waker: Option<&Waker>,
    ) -> Result<usize, Error> {
        let (received, is_due) = self.interface.change(|stack| {
            stack.transport.tcp.read(&mut stack.context, self.slot, buffer, peek, waker)
        })?;
        if is_due {
            self.interface.change_and_transmit(|stack| {
                stack.transport.tcp.serve(&mut stack.context, &mut stack.ip, self.slot.index)
            });
        }
        Ok(received)
    }

    /// Copies received bytes and leaves them in the buffer, without waiting; 0 at the end of the
    /// stream.
    ///
    /// # Errors
    /// As [`try_read`](Self::try_read).
    pub fn try_peek(&self, buffer: &mut [u8]) -> Result<usize, Error> {
        self.receive(buffer, true, None)
    }

    /// Tells without waiting whether the peer acknowledged all written data.
    ///
    /// # Errors
    /// `WouldBlock` when it did not; the error that ended the connection.
    pub fn try_flush(&self) -> Result<(), Error> {
        match self.poll_flush(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(outcome) => outcome,
            Poll::Pending => Err(Error::WouldBlock),
        }
    }

    /// Reads received bytes, or registers the waker. Any number of tasks may wait.
    pub fn poll_read(
        &self,
        context: &mut Context<'_>,
        buffer: &mut [u8],
    ) -> Poll<Result<usize, Error>> {
        pending_if_blocked(self.receive(buffer, false, Some(context.waker())))
    }

    /// Copies received bytes and leaves them in the buffer, or registers the waker. Any number of
    /// tasks may wait.
    pub fn poll_peek(
        &self,
        context: &mut Context<'_>,
        buffer: &mut [u8],
    ) -> Poll<Result<usize, Error>> {
        pending_if_blocked(self.receive(buffer, true, Some(context.waker())))
    }

    /// Writes bytes, or registers the waker. Any number of tasks may wait.
    pub fn poll_write(&self, context: &mut Context<'_>, data: &[u8]) -> Poll<Result<usize, Error>> {
        pending_if_blocked(self.interface.change_and_transmit(|stack| {
            stack.transport.tcp.send(
                &mut stack.context,
                &mut stack.ip,
                self.slot,
                data,
                Some(context.waker()),
            )
        }))
    }

    /// Ready once the peer acknowledged all written data; else registers the waker.
    pub fn poll_flush(&self, context: &mut Context<'_>) -> Poll<Result<(), Error>> {
        match self.interface.change_and_transmit(|stack| {
            stack.transport.tcp.poll_flushed(&mut stack.context, self.slot, context.waker())
        }) {
            Ok(true) => Poll::Ready(Ok(())),
            Ok(false) => Poll::Pending,
            Err(error) => Poll::Ready(Err(error)),
        }
    }

    /// Reads received bytes, waiting for the first; 0 at the end of the stream.
    ///
    /// # Errors
    /// The error that ended the connection, once.
    ///
    /// # Cancel safety
    /// A dropped future read nothing.
    pub async fn read(&self, buffer: &mut [u8]) -> Result<usize, Error> {
        poll_fn(|context| self.poll_read(context, buffer)).await
    }

    /// Copies received bytes and leaves them in the buffer; waits for the first.
    ///
    /// # Errors
    /// As [`read`](Self::read).
    ///
    /// # Cancel safety
    /// Nothing is ever taken.
    pub async fn peek(&self, buffer: &mut [u8]) -> Result<usize, Error> {
        poll_fn(|context| self.poll_peek(context, buffer)).await
    }

    /// Writes bytes, waiting for room for the first; returns how many were written.
    ///
    /// # Errors
    /// `BrokenPipe` after the end; the error that ended the connection, once.
    ///
    /// # Cancel safety
    /// A dropped future wrote nothing.
    pub async fn write(&self, data: &[u8]) -> Result<usize, Error> {
        poll_fn(|context| self.poll_write(context, data)).await
    }

    /// Writes all bytes. Without a future it is [`poll_write`](Self::poll_write) or
    /// [`try_write`](Self::try_write) until nothing is left.
    ///
    /// # Errors
    /// As [`write`](Self::write).
    ///
    /// # Cancel safety
    /// A dropped future may have written some of the bytes.
    pub async fn write_all(&self, mut data: &[u8]) -> Result<(), Error> {
        while !data.is_empty() {
            let taken = self.write(data).await?;
            data = data.get(taken..).unwrap_or_default();
        }
        Ok(())
    }

    /// Waits until the peer acknowledged all written data.
    ///
    /// # Errors
    /// The error that ended the connection.
    ///
    /// # Cancel safety
    /// Safe: it only waits.
    pub async fn flush(&self) -> Result<(), Error> {
        poll_fn(|context| self.poll_flush(context)).await
    }

    /// Shuts down one or both directions; written data is delivered first.
    ///
    /// # Errors
    /// `NotConnected`.
    pub fn shutdown(&self, direction: Direction) -> Result<(), Error> {
        let (read, write) = (direction != Direction::Write, direction != Direction::Read);
        self.interface.change_and_transmit(|stack| {
            stack.transport.tcp.shut_down(&mut stack.context, &mut stack.ip, self.slot, read, write)
        })
    }

    /// The readiness; wakes when it changes.
    pub fn poll_ready(&self, context: &mut Context<'_>, interest: Readiness) -> Poll<Readiness> {
        let interest = interest | Readiness::ERROR | Readiness::HANG_UP;
        let ready = self.interface.change_and_transmit(|stack| {
            stack.transport.tcp.readiness(&mut stack.context, self.slot, context.waker())
        }) & interest;
        if ready.is_empty() { Poll::Pending } else { Poll::Ready(ready) }
    }

    /// The connection's socket status; `None` once its interface is gone.
    #[must_use]
    pub fn status(&self) -> Option<SocketStatus> {
        self.interface.read_now(|stack| {
            stack
                .transport
                .tcp
                .get(self.slot)
                .map(|connection| connection.status(&stack.context.configuration.name))
        })
    }

    /// The statistics of the connection and its path (TCP_INFO); `None` once its interface is gone.
    #[must_use]
    pub fn statistics(&self) -> Option<StreamStatistics> {
        self.interface.read(|stack| stack.transport.tcp.statistics(self.slot))
    }

    /// Takes the pending error (SO_ERROR).
    #[must_use]
    pub fn take_error(&self) -> Option<Error> {
        self.interface.change_and_transmit(|stack| {
            stack
                .transport
                .tcp
                .get_mut(self.slot)
                .and_then(crate::stack::tcp::Connection::take_error)
        })
    }

    /// The settings in use; `None` once the connection is gone. A hop limit that followed the
    /// router is the one in use, and what concerns binding (`reuse_address`, `reuse_port`,
    /// `only_ipv6`) has its default: a stream has no use for it.
    #[must_use]
    pub fn settings(&self) -> Option<TcpSettings> {
        self.interface.read(|stack| {
            stack.transport.tcp.get(self.slot).map(crate::stack::tcp::Connection::settings)
        })
    }

    /// Changes the settings of the connection, also of an accepted one; begin with
    /// [`settings`](Self::settings). What the handshake negotiated (`timestamps`,
    /// `explicit_congestion`) and what concerns binding stays.
    pub fn set_settings(&self, settings: &TcpSettings) {
        self.interface.change_and_transmit(|stack| {
            stack.transport.tcp.apply(&mut stack.context, &mut stack.ip, self.slot, settings)
        });
    }

    /// Resets the connection.
    pub fn abort(&self) {
        self.interface.change_and_transmit(|stack| {
            if stack.transport.tcp.get(self.slot).is_some() {
                stack.transport.tcp.end(
                    &mut stack.context,
                    &mut stack.ip,
                    self.slot.index,
                    Error::ConnectionAborted,
                );
            }
        });
    }
}

impl Drop for TcpStream {
    fn drop(&mut self) {
        self.interface.change_and_transmit(|stack| {
            stack.transport.tcp.release(&mut stack.context, &mut stack.ip, self.slot)
        });
    }
}

impl fmt::Debug for TcpStream {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "TcpStream({} - {})", self.local_addr(), self.peer_addr())
    }
}
