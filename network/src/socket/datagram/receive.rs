//! Receiving datagrams and ICMP errors.

use alloc::vec::Vec;
use core::future::poll_fn;
use core::net::SocketAddr;
use core::task::{Context, Poll};

use devnet_commands::zone;
use devnet_virtual_file_system::Error;

use super::DatagramSocket;
use crate::command::socket::ErrorReport;
use crate::platform::Instant;
use crate::socket::pending_if_blocked;
use crate::stack::datagram::Received;

/// A received datagram.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Message {
    /// Its data, whole.
    pub data: Vec<u8>,
    /// The sender.
    pub remote: SocketAddr,
    /// The local address, or group, that it was sent to.
    pub local: SocketAddr,
    /// The index of the receiving interface.
    pub interface: u32,
    /// Time to live or hop limit as it arrived.
    pub hop_limit: u8,
    /// DSCP and ECN bits as they arrived.
    pub traffic_class: u8,
    /// When it arrived, by the clock of the system (SO_TIMESTAMP).
    pub received_at: Instant,
}

/// The metadata of a datagram that was copied into a buffer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct MessageInfo {
    /// Bytes copied.
    pub copied: usize,
    /// The length of the datagram.
    pub length: usize,
    /// The datagram was longer than the buffer; the rest is lost (MSG_TRUNC).
    pub truncated: bool,
    /// The sender.
    pub remote: SocketAddr,
    /// The local address, or group, that it was sent to.
    pub local: SocketAddr,
    /// The index of the receiving interface.
    pub interface: u32,
    /// Time to live or hop limit as it arrived.
    pub hop_limit: u8,
    /// DSCP and ECN bits as they arrived.
    pub traffic_class: u8,
    /// When it arrived, by the clock of the system (SO_TIMESTAMP).
    pub received_at: Instant,
}

impl MessageInfo {
    fn new(copied: usize, received: &Received) -> Self {
        let Received { length, remote, local, interface, hop_limit, traffic_class, at } = *received;
        Self {
            copied,
            length,
            truncated: copied < length,
            remote: zone::with(remote, interface),
            local,
            interface,
            hop_limit,
            traffic_class,
            received_at: at,
        }
    }
}

impl Message {
    fn new(data: Vec<u8>, received: &Received) -> Self {
        let MessageInfo { remote, local, interface, hop_limit, traffic_class, received_at, .. } =
            MessageInfo::new(data.len(), received);
        Self { data, remote, local, interface, hop_limit, traffic_class, received_at }
    }
}

impl DatagramSocket {
    /// Receives one datagram without waiting: copies what fits and returns the metadata.
    ///
    /// # Errors
    /// `WouldBlock`; else as [`receive_message`](Self::receive_message).
    pub fn try_receive_message(&self, buffer: &mut [u8]) -> Result<MessageInfo, Error> {
        let mut info = None;
        self.endpoint
            .take(buffer, |copied, received| info = Some(MessageInfo::new(copied, received)))?;
        info.ok_or(Error::WouldBlock)
    }

    /// Copies what fits of the oldest datagram and leaves it in the queue; never waits (MSG_PEEK).
    ///
    /// # Errors
    /// `WouldBlock`; else as [`receive_message`](Self::receive_message).
    pub fn try_peek_message(&self, buffer: &mut [u8]) -> Result<MessageInfo, Error> {
        let mut info = None;
        self.endpoint
            .peek(buffer, |copied, received| info = Some(MessageInfo::new(copied, received)))?;
        info.ok_or(Error::WouldBlock)
    }

    /// Copies what fits of the oldest datagram and leaves it in the queue, or registers the waker.
    pub fn poll_peek_message(
        &self,
        context: &mut Context<'_>,
        buffer: &mut [u8],
    ) -> Poll<Result<MessageInfo, Error>> {
        self.endpoint.register(context.waker());
        pending_if_blocked(self.try_peek_message(buffer))
    }

    /// Receives one datagram: copies what fits and returns the metadata, or registers the waker.
    pub fn poll_receive_message(
        &self,
        context: &mut Context<'_>,
        buffer: &mut [u8],
    ) -> Poll<Result<MessageInfo, Error>> {
        self.poll_take(context, buffer, MessageInfo::new)
    }

    fn poll_take<R>(
        &self,
        context: &mut Context<'_>,
        buffer: &mut [u8],
        view: impl Fn(usize, &Received) -> R,
    ) -> Poll<Result<R, Error>> {
        let mut seen = None;
        let mut look = |copied: usize, received: &Received| seen = Some(view(copied, received));
        if !self.endpoint.take(buffer, &mut look)? {
            // Registers only if the queue is empty, then checks again.
            self.endpoint.register(context.waker());
            self.endpoint.take(buffer, look)?;
        }
        seen.map_or(Poll::Pending, |seen| Poll::Ready(Ok(seen)))
    }

    /// Receives one datagram whole, with its metadata, without waiting.
    ///
    /// # Errors
    /// `WouldBlock`; else as [`receive_message`](Self::receive_message).
    pub fn try_receive(&self) -> Result<Message, Error> {
        let (data, received) = self.endpoint.take_whole()?.ok_or(Error::WouldBlock)?;
        Ok(Message::new(data, &received))
    }

    /// Receives one datagram whole, with its metadata, or registers the waker.
    pub fn poll_receive(&self, context: &mut Context<'_>) -> Poll<Result<Message, Error>> {
        self.endpoint.register(context.waker());
        pending_if_blocked(self.try_receive())
    }

    /// Receives one datagram without waiting: copies what fits, and returns the number of bytes and
    /// the sender.
    ///
    /// # Errors
    /// `WouldBlock`; else as [`receive_message`](Self::receive_message).
    pub fn try_receive_from(&self, buffer: &mut [u8]) -> Result<(usize, SocketAddr), Error> {
        self.try_receive_message(buffer).map(|info| (info.copied, info.remote))
    }

    /// Receives one datagram: copies what fits, and returns the number of bytes and the sender, or
    /// registers the waker.
    pub fn poll_receive_from(
        &self,
        context: &mut Context<'_>,
        buffer: &mut [u8],
    ) -> Poll<Result<(usize, SocketAddr), Error>> {
        self.poll_take(context, buffer, |copied, received| {
            (copied, zone::with(received.remote, received.interface))
        })
    }

    /// Receives one datagram: copies what fits, and returns the number of bytes and the sender. The
    /// rest of a longer one is lost; [`receive_message`](Self::receive_message) returns whether
    /// there was any.
    ///
    /// # Errors
    /// As [`receive_message`](Self::receive_message).
    ///
    /// # Cancel safety
    /// A dropped future received nothing.
    pub async fn receive_from(&self, buffer: &mut [u8]) -> Result<(usize, SocketAddr), Error> {
        poll_fn(|context| self.poll_receive_from(context, buffer)).await
    }

    /// Receives one datagram: copies what fits into the buffer, and returns its length and
    /// metadata.
    ///
    /// # Errors
    /// An error that ICMP reported, once; `NetworkDown` when the interface is gone.
    ///
    /// # Cancel safety
    /// A dropped future received nothing.
    pub async fn receive_message(&self, buffer: &mut [u8]) -> Result<MessageInfo, Error> {
        poll_fn(|context| self.poll_receive_message(context, buffer)).await
    }

    /// Copies what fits of the oldest datagram, waiting for one, and leaves it in the queue
    /// (MSG_PEEK).
    ///
    /// # Errors
    /// As [`receive_message`](Self::receive_message).
    ///
    /// # Cancel safety
    /// Nothing is ever received.
    pub async fn peek_message(&self, buffer: &mut [u8]) -> Result<MessageInfo, Error> {
        poll_fn(|context| self.poll_peek_message(context, buffer)).await
    }

    /// Receives one datagram whole, with its metadata.
    ///
    /// # Errors
    /// As [`receive_message`](Self::receive_message).
    ///
    /// # Cancel safety
    /// A dropped future received nothing.
    pub async fn receive(&self) -> Result<Message, Error> {
        poll_fn(|context| self.poll_receive(context)).await
    }

    /// Takes the pending error (SO_ERROR).
    #[must_use]
    pub fn take_error(&self) -> Option<Error> {
        self.endpoint.take_error()
    }

    /// Takes the oldest ICMP error with the packet that it quotes (MSG_ERRQUEUE); never waits.
    ///
    /// # Errors
    /// `WouldBlock` when there is none.
    pub fn receive_error(&self) -> Result<ErrorReport, Error> {
        self.endpoint.take_report().ok_or(Error::WouldBlock)
    }
}
