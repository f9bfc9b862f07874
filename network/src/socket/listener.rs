//! TCP listeners.

use alloc::sync::Arc;
use core::fmt;
use core::future::poll_fn;
use core::net::SocketAddr;
use core::task::{Context, Poll, Waker};

use devnet_virtual_file_system::{Error, Lock, Readiness};

use super::{Sockets, TcpSettings, TcpStream, check_family, pending_if_blocked};
use crate::command::socket::SocketStatus;
use crate::interface::Interface;
use crate::interfaces::Place;
use crate::limits;
use crate::stack::tcp::listen::Listener;

/// Accepts connections, in the order in which they were established.
///
/// A routed listener accepts on every interface, present and future. Dropping it resets the
/// connections in its accept queue.
pub struct TcpListener {
    place: Place,
    listener: Arc<Listener>,
    closed: Lock<bool>,
}

impl TcpListener {
    /// Listens at `local`; port 0 is an ephemeral port. `backlog` is the length of the accept
    /// queue, 1 to 4096.
    ///
    /// # Errors
    /// `AddressInUse`; `AddressNotAvailable` when the address is not ours; `NotFound` for an
    /// ephemeral port when there is no interface at all.
    pub fn bind(sockets: &Sockets, local: SocketAddr, backlog: u32) -> Result<Self, Error> {
        Self::bind_with(sockets, local, backlog, TcpSettings::default())
    }

    /// Listens with given settings, which accepted connections inherit.
    ///
    /// # Errors
    /// As [`bind`](Self::bind).
    pub fn bind_with(
        sockets: &Sockets,
        local: SocketAddr,
        backlog: u32,
        settings: TcpSettings,
    ) -> Result<Self, Error> {
        Self::bind_at(&sockets.place, local, backlog, settings)
    }

    pub(crate) fn bind_at(
        place: &Place,
        local: SocketAddr,
        backlog: u32,
        settings: TcpSettings,
    ) -> Result<Self, Error> {
        check_family(local.ip())?;
        let place = &place.on(place.zone(&local, place.interface.clone())?);
        let local = Self::choose_local(place, local)?;
        let backlog = usize::try_from(backlog).unwrap_or(limits::BACKLOG_MAXIMUM);
        let listener = Arc::new(Listener::new(local, backlog, settings));
        match &place.interface {
            None => place.all.listen(&listener)?,
            Some(interface) => interface.change_and_transmit(|stack| {
                stack.transport.tcp.listen(&mut stack.context, &listener, true)
            })?,
        }
        Ok(Self { place: place.clone(), listener, closed: Lock::new(false) })
    }

    /// The local address of a stream socket that is bound: a free port replaces port 0.
    pub(crate) fn reserve(
        place: &Place,
        local: SocketAddr,
        settings: &TcpSettings,
    ) -> Result<SocketAddr, Error> {
        let local = Self::choose_local(place, local)?;
        let bound = settings.bound(local.ip());
        let is_taken = place.interfaces().iter().any(|interface| {
            interface.read(|stack| stack.transport.tcp.listens_at(local.port(), bound))
        });
        if is_taken { Err(Error::AddressInUse) } else { Ok(local) }
    }

    /// Our own address, with an ephemeral port in place of 0.
    fn choose_local(place: &Place, mut local: SocketAddr) -> Result<SocketAddr, Error> {
        if !place.has_address(local.ip()) {
            return Err(Error::AddressNotAvailable);
        }
        if local.port() == 0 {
            local.set_port(Self::free_port(place, local)?);
        }
        Ok(local)
    }

    fn free_port(place: &Place, local: SocketAddr) -> Result<u16, Error> {
        let interface = place.interfaces().into_iter().next().ok_or(Error::NotFound)?;
        interface
            .change_and_transmit(|stack| {
                stack.transport.tcp.ephemeral_port(
                    &mut stack.context,
                    local.ip(),
                    super::unspecified(local),
                )
            })
            .map_err(|_| Error::AddressInUse)
    }

    /// The local address.
    #[must_use]
    pub fn local_addr(&self) -> SocketAddr {
        self.listener.local
    }

    /// Accepts the oldest connection of the accept queue, without waiting for one.
    ///
    /// # Errors
    /// `WouldBlock`; `NetworkDown` once the listener's interface is gone.
    pub fn try_accept(&self) -> Result<TcpStream, Error> {
        self.try_take(None).map(|(stream, _)| stream)
    }

    /// Like [`try_accept`](Self::try_accept), with the connection's settings. If the accept queue
    /// is empty, `waker` is woken once it is not.
    pub(crate) fn try_take(
        &self,
        waker: Option<&Waker>,
    ) -> Result<(TcpStream, TcpSettings), Error> {
        loop {
            let waiting = self.listener.take(waker)?;
            // An interface that was unregistered has closed its connections.
            if let Some(interface) = self.interface_at(waiting.interface) {
                return Ok((TcpStream::accepted(interface, waiting), waiting.settings));
            }
        }
    }

    fn interface_at(&self, index: u32) -> Option<Arc<Interface>> {
        match &self.place.interface {
            Some(interface) if interface.index == index => Some(Arc::clone(interface)),
            _ => self.place.all.at(index),
        }
    }

    /// Accepts the oldest connection of the accept queue, or registers the waker.
    pub fn poll_accept(&self, context: &mut Context<'_>) -> Poll<Result<TcpStream, Error>> {
        pending_if_blocked(self.try_take(Some(context.waker()))).map_ok(|(stream, _)| stream)
    }

    /// The settings that later connections inherit.
    #[must_use]
    pub fn settings(&self) -> TcpSettings {
        self.listener.settings()
    }

    /// Changes the settings that later connections inherit, as options of a listening socket do on
    /// Linux. Its binding stays: `reuse_port` and `only_ipv6` take effect at bind.
    pub fn set_settings(&self, settings: TcpSettings) {
        self.listener.set_settings(settings);
    }

    /// Changes the length of the accept queue, 1 to 4096.
    pub fn set_backlog(&self, backlog: u32) {
        self.listener.set_backlog(usize::try_from(backlog).unwrap_or(limits::BACKLOG_MAXIMUM));
    }

    /// Accepts the oldest connection of the accept queue, waiting for one.
    ///
    /// # Errors
    /// `NetworkDown` once the listener's interface is gone.
    ///
    /// # Cancel safety
    /// A dropped future accepted no connection.
    pub async fn accept(&self) -> Result<TcpStream, Error> {
        poll_fn(|context| self.poll_accept(context)).await
    }

    /// Readable when the accept queue is not empty; wakes when that changes.
    pub fn poll_ready(&self, context: &mut Context<'_>) -> Poll<Readiness> {
        self.listener.register(context.waker());
        if self.listener.is_closed() {
            Poll::Ready(Readiness::ERROR | Readiness::HANG_UP)
        } else if self.listener.len() > 0 {
            Poll::Ready(Readiness::READABLE)
        } else {
            Poll::Pending
        }
    }

    /// The listener's socket status.
    #[must_use]
    pub fn status(&self) -> SocketStatus {
        self.listener.status(&self.place.name())
    }

    fn close(&self) {
        if self.closed.with(|closed| core::mem::replace(closed, true)) {
            return;
        }
        match &self.place.interface {
            None => self.place.all.unlisten(&self.listener),
            Some(interface) => interface.change_and_transmit(|stack| {
                stack.transport.tcp.unlisten(&mut stack.context, &mut stack.ip, &self.listener)
            }),
        }
        let mut wakes = crate::stack::Wakes::default();
        for waiting in self.listener.close(&mut wakes) {
            if let Some(interface) = self.interface_at(waiting.interface) {
                interface.change_and_transmit(|stack| {
                    stack.transport.tcp.abort(&mut stack.context, &mut stack.ip, waiting.connection)
                });
            }
        }
        wakes.wake();
    }
}

impl Drop for TcpListener {
    fn drop(&mut self) {
        self.close();
    }
}

impl fmt::Debug for TcpListener {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "TcpListener({})", self.listener.local)
    }
}
