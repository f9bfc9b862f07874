//! The state of an open file in each of its modes.
//!
//! [`Mode`] defines the transitions. A state that is a socket owns a handle of [`crate::socket`];
//! dropping it closes the socket.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec;
use core::future::poll_fn;
use core::net::SocketAddr;
use core::task::{Context, Poll};

use devnet_virtual_file_system::{Error, Operation, Readiness, Result, WakerList};

use super::capturer::Capturer;
use super::offers::Offers;
use super::reader::Reader;
use crate::command::CreateSocket;
use crate::command::mode::Mode;
use crate::command::socket::{Offer, Peeked, SocketKind, SocketState, SocketStatus};
use crate::features::has;
use crate::interface::Interface;
use crate::interfaces::Place;
use crate::limits;
use crate::socket::{DatagramSocket, TcpListener, TcpSettings, TcpStream};

/// A stream socket before it is connected or listens.
#[derive(Clone, Debug, Default)]
pub(super) struct Unconnected {
    pub(super) local: Option<SocketAddr>,
    pub(super) settings: TcpSettings,
    /// The interface that the socket was bound to (SO_BINDTODEVICE).
    pub(super) device: Option<Arc<Interface>>,
}

impl Unconnected {
    /// Where the stream or listener is created.
    pub(super) fn place(&self, place: &Place) -> Place {
        place.on(self.device.clone().or_else(|| place.interface.clone()))
    }
}

/// The state of an open file. What only some files have for a short time is boxed: thousands of
/// files are streams.
pub(super) enum State {
    /// Status text, and how much of it was read.
    Status { text: Option<String>, position: usize },
    /// A reader of events.
    Events(Arc<Reader>),
    /// A capture.
    Capture(Arc<Capturer>),
    /// A stream socket without a connection.
    Unconnected(Box<Unconnected>),
    /// A connect in progress, and the tasks that wait for its end.
    Connecting(Box<Unconnected>, Box<WakerList>),
    /// A stream. Streams with equal settings share them.
    Stream(Arc<TcpStream>, Arc<TcpSettings>),
    /// A listener.
    Listener(Arc<TcpListener>),
    /// A datagram socket.
    Datagram(Arc<DatagramSocket>),
}

impl Default for State {
    fn default() -> Self {
        Self::Status { text: None, position: 0 }
    }
}

impl From<DatagramSocket> for State {
    fn from(socket: DatagramSocket) -> Self {
        Self::Datagram(Arc::new(socket))
    }
}

impl State {
    /// The mode that this is.
    pub(super) fn mode(&self) -> Mode {
        match self {
            Self::Status { .. } => Mode::Status,
            Self::Events(_) => Mode::Events,
            Self::Capture(_) => Mode::Capture,
            Self::Unconnected(socket) => Mode::Unconnected { is_bound: socket.local.is_some() },
            Self::Connecting(..) => Mode::Connecting,
            Self::Stream(..) => Mode::Stream,
            Self::Listener(_) => Mode::Listener,
            Self::Datagram(socket) => Mode::Datagram(socket.kind()),
        }
    }

    /// The socket to use without holding the state's lock; `None` when the file is none.
    pub(super) fn handle(&self) -> Option<Handle> {
        // Without the command that makes a file a socket there is no code for one.
        if !has::<CreateSocket>() {
            return None;
        }
        match self {
            Self::Status { .. } | Self::Events(_) | Self::Capture(_) => None,
            Self::Unconnected(_) => Some(Handle::Unconnected),
            Self::Connecting(..) => Some(Handle::Connecting),
            Self::Stream(stream, _) => Some(Handle::Stream(Arc::clone(stream))),
            Self::Listener(listener) => Some(Handle::Listener(Arc::clone(listener))),
            Self::Datagram(socket) => Some(Handle::Datagram(Arc::clone(socket))),
        }
    }

    /// The settings of a stream.
    pub(super) fn settings(&self) -> Option<TcpSettings> {
        match self {
            Self::Unconnected(socket) | Self::Connecting(socket, _) => Some(socket.settings),
            Self::Stream(_, settings) => Some(**settings),
            _ => None,
        }
    }

    /// The settings of a stream, which options change.
    pub(super) fn settings_mut(&mut self) -> Option<&mut TcpSettings> {
        match self {
            Self::Unconnected(socket) | Self::Connecting(socket, _) => Some(&mut socket.settings),
            Self::Stream(_, settings) => Some(Arc::make_mut(settings)),
            _ => None,
        }
    }
}

/// A socket for the duration of one call.
pub(super) enum Handle {
    Unconnected,
    Connecting,
    Stream(Arc<TcpStream>),
    Listener(Arc<TcpListener>),
    Datagram(Arc<DatagramSocket>),
}

impl Handle {
    pub(super) fn read<'a>(self, buffer: &'a mut [u8], offers: &'a Offers) -> Operation<'a, usize> {
        match self {
            Self::Unconnected | Self::Connecting => Operation::done(Err(Error::NotConnected)),
            Self::Stream(stream) => match stream.try_read(buffer) {
                Err(Error::WouldBlock) => {
                    Operation::waiting(async move { stream.read(buffer).await })
                }
                outcome => Operation::done(outcome),
            },
            Self::Datagram(socket) => match socket.try_receive_message(buffer) {
                Err(Error::WouldBlock) => Operation::waiting(async move {
                    poll_fn(|context| socket.poll_receive_message(context, buffer))
                        .await
                        .map(|info| info.copied)
                }),
                outcome => Operation::done(outcome.map(|info| info.copied)),
            },
            Self::Listener(listener) => Operation::waiting(async move {
                if buffer.len() < Offer::LINE_BYTES {
                    return Err(Error::InvalidInput);
                }
                Ok(offers.next(&listener, || Ok(None)).await?.write_line(buffer))
            }),
        }
    }

    /// Peeks at the next data or datagram, waiting for it.
    pub(super) async fn peek(self, most: u32) -> Result<Peeked> {
        let mut data = vec![0; (most as usize).min(limits::PEEK_BYTES)];
        let (copied, length, remote) = match self {
            Self::Stream(stream) => {
                let copied = stream.peek(&mut data).await?;
                (copied, copied, stream.peer_addr())
            }
            Self::Datagram(socket) => {
                let info = socket.peek_message(&mut data).await?;
                (info.copied, info.length, info.remote)
            }
            Self::Unconnected | Self::Connecting | Self::Listener(_) => {
                return Err(Error::NotConnected);
            }
        };
        data.truncate(copied);
        Ok(Peeked { remote, length: u32::try_from(length).unwrap_or(u32::MAX), data })
    }

    pub(super) fn write(self, data: &[u8]) -> Operation<'_, usize> {
        match self {
            Self::Unconnected | Self::Connecting | Self::Listener(..) => {
                Operation::done(Err(Error::NotConnected))
            }
            Self::Stream(stream) => match stream.try_write(data) {
                Err(Error::WouldBlock) => {
                    Operation::waiting(async move { stream.write(data).await })
                }
                outcome => Operation::done(outcome),
            },
            Self::Datagram(socket) => match socket.try_send(data, None) {
                Err(Error::WouldBlock) => {
                    Operation::waiting(async move { socket.send(data).await.map(|()| data.len()) })
                }
                outcome => Operation::done(outcome.map(|()| data.len())),
            },
        }
    }

    pub(super) fn poll_ready(
        &self,
        context: &mut Context<'_>,
        interest: Readiness,
    ) -> Poll<Readiness> {
        match self {
            Self::Unconnected => Poll::Ready(Readiness::HANG_UP | (interest & Readiness::WRITABLE)),
            // The open file registers the waker: it knows when the connect ends.
            Self::Connecting => Poll::Pending,
            Self::Stream(stream) => stream.poll_ready(context, interest),
            Self::Listener(listener) => listener.poll_ready(context),
            Self::Datagram(socket) => socket.poll_ready(context, interest),
        }
    }

    /// The socket's status.
    pub(super) fn status(&self, place: &Place) -> Result<SocketStatus> {
        match self {
            Self::Unconnected | Self::Connecting => Ok(SocketStatus {
                kind: SocketKind::Tcp,
                state: if matches!(self, Self::Connecting) {
                    SocketState::SynSent
                } else {
                    SocketState::Closed
                },
                local: SocketAddr::from(([0, 0, 0, 0], 0)),
                remote: None,
                interface: place.name(),
                receive_queue: 0,
                send_queue: 0,
            }),
            Self::Stream(stream) => stream.status().ok_or(Error::NotConnected),
            Self::Listener(listener) => Ok(listener.status()),
            Self::Datagram(socket) => Ok(socket.status()),
        }
    }
}
