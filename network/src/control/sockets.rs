//! Commands that make an open file a socket, and commands of sockets.
//!
//! The file's mode has allowed the command before it arrives here. If the state is another one by
//! now, a concurrent command changed it.

use alloc::boxed::Box;
use alloc::sync::Arc;
use core::future::poll_fn;
use core::net::SocketAddr;

use devnet_virtual_file_system::{Error, Operation, Result};

use super::open::OpenFile;
use super::state::{Handle, State, Unconnected};
use crate::command::multicast::Membership;
use crate::command::socket::{Datagram, Direction, Offer, SocketKind, SocketStatus};
use crate::seat::Seat;
#[cfg(feature = "icmp")]
use crate::socket::IcmpSocket;
#[cfg(feature = "raw")]
use crate::socket::RawSocket;
#[cfg(feature = "udp")]
use crate::socket::UdpSocket;
use crate::socket::{DatagramSocket, TcpListener, TcpStream};
use crate::stack::bound::Bound;

/// A concurrent command changed the file's state.
const CHANGED: Error = Error::InvalidInput;

impl OpenFile {
    pub(super) fn handle(&self) -> Result<Handle> {
        self.state.with(|state| state.handle()).ok_or(CHANGED)
    }

    pub(super) fn datagram(&self) -> Result<Arc<DatagramSocket>> {
        match self.handle()? {
            Handle::Datagram(socket) => Ok(socket),
            _ => Err(CHANGED),
        }
    }

    /// Makes the file a socket in its initial mode.
    pub(super) fn create_socket(&self, kind: SocketKind) -> Result<()> {
        let created = self.new_socket(kind)?;
        self.state.with(|state| match state {
            State::Status { .. } => {
                *state = created;
                Ok(())
            }
            _ => Err(CHANGED),
        })
    }

    /// The state of a new socket.
    fn new_socket(&self, kind: SocketKind) -> Result<State> {
        match kind {
            #[cfg(feature = "tcp")]
            SocketKind::Tcp => Ok(State::Unconnected(Box::default())),
            #[cfg(feature = "udp")]
            SocketKind::Udp => Ok(UdpSocket::new(&self.sockets).into_skeleton().into()),
            #[cfg(feature = "icmp")]
            SocketKind::Icmp => Ok(IcmpSocket::new(&self.sockets).into_skeleton().into()),
            #[cfg(feature = "raw")]
            SocketKind::Raw(protocol) => {
                Ok(RawSocket::ipv4(&self.sockets, protocol)?.into_skeleton().into())
            }
            #[cfg(feature = "raw")]
            SocketKind::Raw6(protocol) => {
                Ok(RawSocket::ipv6(&self.sockets, protocol)?.into_skeleton().into())
            }
            #[cfg(not(all(feature = "tcp", feature = "udp", feature = "icmp", feature = "raw")))]
            _ => Err(Error::Unsupported),
        }
    }

    pub(super) fn bind(&self, local: SocketAddr) -> Result<SocketAddr> {
        if let Handle::Datagram(socket) = self.handle()? {
            return socket.bind(local);
        }
        let socket = self.unconnected()?;
        let place = socket.place(&self.sockets.place);
        let local = TcpListener::reserve(&place, local, &socket.settings)?;
        self.state.with(|state| match state {
            State::Unconnected(socket) if socket.local.is_none() => {
                socket.local = Some(local);
                Ok(local)
            }
            _ => Err(CHANGED),
        })
    }

    /// The stream socket before it is connected.
    fn unconnected(&self) -> Result<Unconnected> {
        self.state.with(|state| match state {
            State::Unconnected(socket) => Ok(Unconnected::clone(socket)),
            _ => Err(CHANGED),
        })
    }

    pub(super) async fn connect(&self, remote: SocketAddr) -> Result<SocketAddr> {
        match self.handle()? {
            Handle::Datagram(socket) => socket.connect(remote),
            _ => self.connect_stream(remote).await,
        }
    }

    /// Connects a stream. The file is connecting meanwhile; a cancelled or failed attempt restores
    /// the unconnected socket.
    async fn connect_stream(&self, remote: SocketAddr) -> Result<SocketAddr> {
        let socket = self.state.with(|state| match state {
            State::Unconnected(socket) => {
                let socket = socket.clone();
                *state = State::Connecting(socket.clone(), Box::default());
                Ok(socket)
            }
            _ => Err(Error::AlreadyInProgress),
        })?;
        let mut attempt = Attempt { file: self, is_over: false };
        let Unconnected { local, settings: former, .. } = &*socket;
        let place = socket.place(&self.sockets.place);
        let stream = TcpStream::start(&place, *local, remote, former)?;
        poll_fn(|context| stream.poll_connect(context)).await?;
        attempt.is_over = true;
        let local = stream.local_addr();
        if let Some(seat) = self.seat() {
            stream.hold(seat);
        }
        self.become_state(|state| {
            let settings = state.settings().unwrap_or(*former);
            // Options may have changed meanwhile.
            if settings != *former {
                stream.set_settings(&settings);
            }
            State::Stream(Arc::new(stream), self.offers.shared(settings))
        });
        Ok(local)
    }

    pub(super) fn listen(&self, backlog: u32) -> Result<()> {
        if let Handle::Listener(listener) = self.handle()? {
            listener.set_backlog(backlog);
            return Ok(());
        }
        let socket = self.unconnected()?;
        let local = socket.local.unwrap_or(SocketAddr::new(Bound::Any.address(), 0));
        let place = socket.place(&self.sockets.place);
        let listener = Arc::new(TcpListener::bind_at(&place, local, backlog, socket.settings)?);
        self.state.with(|state| *state = State::Listener(listener));
        Ok(())
    }

    /// Makes this file the stream of an offered connection.
    pub(super) fn accept(&self, token: u64) -> Result<SocketStatus> {
        let (stream, settings) = self.offers.claim(token)?;
        self.seat.with(|held| *held = stream.seat());
        let status = stream.status().ok_or(Error::ConnectionAborted)?;
        let next = State::Stream(Arc::new(stream), self.offers.shared(settings));
        self.state.with(|state| *state = next);
        Ok(status)
    }

    /// Waits for a connection of the listener, and offers it. It holds what `reserve` gives until
    /// it is gone; while that fails, it stays in the backlog, as with accept(2).
    ///
    /// # Errors
    /// As [`NextConnection`](crate::command::NextConnection), and those of `reserve`.
    ///
    /// # Cancel safety
    /// A dropped future has offered no connection.
    pub fn next_connection<'a>(
        &'a self,
        reserve: impl Fn() -> Result<Option<Seat>> + Send + Sync + 'a,
    ) -> Operation<'a, Offer> {
        match self.handle() {
            Ok(Handle::Listener(listener)) => {
                Operation::waiting(async move { self.offers.next(&listener, reserve).await })
            }
            Ok(_) => Operation::done(Err(CHANGED)),
            Err(why) => Operation::done(Err(why)),
        }
    }

    /// Keeps `seat` until the socket of this file is gone: its connection may outlive the file.
    pub fn hold(&self, seat: Seat) {
        self.seat.with(|held| *held = Some(seat));
    }

    /// What is held, also for a connection that this file accepted.
    #[must_use]
    pub fn seat(&self) -> Option<Seat> {
        self.seat.with(|held| held.clone())
    }

    pub(super) fn shutdown(&self, direction: Direction) -> Result<()> {
        match self.handle()? {
            Handle::Stream(stream) => stream.shutdown(direction),
            _ => Err(CHANGED),
        }
    }

    /// Receives one datagram whole, with its addresses.
    pub(super) async fn receive_from(&self) -> Result<Datagram> {
        let socket = self.datagram()?;
        let message = socket.receive().await?;
        let interface = self.sockets.place.all.at(message.interface);
        Ok(Datagram {
            remote: message.remote,
            local: message.local,
            interface: interface.map(|interface| interface.name()).unwrap_or_default(),
            hop_limit: message.hop_limit,
            data: message.data,
        })
    }

    pub(super) fn join_group(&self, membership: &Membership) -> Result<()> {
        self.datagram()?.join_group(membership.group, named(membership))
    }

    pub(super) fn leave_group(&self, membership: &Membership) -> Result<()> {
        self.datagram()?.leave_group(membership.group, named(membership))
    }
}

/// The interface of a membership, if given.
fn named(membership: &Membership) -> Option<&str> {
    Some(membership.interface.as_str()).filter(|name| !name.is_empty())
}

/// Restores the state when a connect fails or is dropped.
struct Attempt<'a> {
    file: &'a OpenFile,
    is_over: bool,
}

impl Drop for Attempt<'_> {
    fn drop(&mut self) {
        let is_in_progress = self.file.state.with(|state| matches!(state, State::Connecting(..)));
        if !self.is_over && is_in_progress {
            self.file.become_state(|state| match state {
                State::Connecting(socket, _) => State::Unconnected(socket.clone()),
                _ => State::default(),
            });
        }
    }
}
