//! Connecting a stream: to an address here, to a name by a [`race`] of its addresses.

#[cfg(feature = "dns")]
use alloc::boxed::Box;
use core::future::poll_fn;
use core::net::{IpAddr, SocketAddr};
use core::task::{Context, Poll};

use devnet_virtual_file_system::Error;

#[cfg(feature = "dns")]
use super::race;
use super::remote::{Remote, ToRemote};
use super::{Sockets, TcpSettings, TcpStream, check_family};
use crate::interfaces::Place;

impl TcpStream {
    /// Connects to `remote` from an ephemeral port and an address that the route determines.
    ///
    /// `remote` is an address or a name with its port, as [`ToRemote`] has them. Of a name all
    /// addresses are tried, IPv6 first, each a quarter of a second after the one before unless
    /// that fails sooner, and the first that answers counts (RFC 8305, "Happy Eyeballs").
    ///
    /// ```
    /// use devnet_network::{Sockets, TcpStream};
    ///
    /// async fn fetch(sockets: &Sockets) -> devnet_virtual_file_system::Result<()> {
    ///     let stream = TcpStream::connect(sockets, "web.lan:80").await?;
    ///     stream.write_all(b"GET / HTTP/1.0\r\n\r\n").await
    /// }
    /// ```
    ///
    /// # Errors
    /// `NetworkUnreachable`, `ConnectionRefused`, `TimedOut` (after 127 s), `HostUnreachable`,
    /// `AddressNotAvailable`, `NetworkDown`; `NotFound` when there is no interface at all;
    /// `InvalidInput` for text without a port. Of a name also those of `Resolver::resolve`, and
    /// `Unsupported` without the feature `dns`.
    ///
    /// # Cancel safety
    /// Dropping the future aborts every attempt.
    pub async fn connect(sockets: &Sockets, remote: impl ToRemote) -> Result<Self, Error> {
        Self::connect_with(sockets, None, remote, &TcpSettings::default()).await
    }

    /// Connects to `remote` from a given local address (port 0 is an ephemeral port) with given
    /// settings.
    ///
    /// # Errors
    /// As [`connect`](Self::connect); `InvalidInput` for addresses of two families, `NotFound` for
    /// a name without an address of the local one's family.
    ///
    /// # Cancel safety
    /// Dropping the future aborts every attempt.
    pub async fn connect_with(
        sockets: &Sockets,
        local: Option<SocketAddr>,
        remote: impl ToRemote,
        settings: &TcpSettings,
    ) -> Result<Self, Error> {
        let remote = match remote.to_remote()? {
            Remote::Address(remote) => remote,
            #[cfg(feature = "dns")]
            // Boxed, so that connecting to an address stays a small future.
            Remote::Name(name, port) => {
                return Box::pin(race::connect(sockets, local, (name, port), settings)).await;
            }
            #[cfg(not(feature = "dns"))]
            Remote::Name(..) => return Err(Error::Unsupported),
        };
        let stream = Self::start(&sockets.place, local, remote, settings)?;
        poll_fn(|context| stream.poll_connect(context)).await?;
        Ok(stream)
    }

    /// Begins to connect without waiting, as a non-blocking `connect` does: the handshake goes on,
    /// and [`poll_connect`](Self::poll_connect) completes it. Dropping the stream aborts it.
    ///
    /// # Errors
    /// As [`connect_with`](Self::connect_with), as far as they are known at once.
    pub fn try_connect(
        sockets: &Sockets,
        local: Option<SocketAddr>,
        remote: SocketAddr,
        settings: &TcpSettings,
    ) -> Result<Self, Error> {
        Self::start(&sockets.place, local, remote, settings)
    }

    /// Begins a connect; [`poll_connect`](Self::poll_connect) completes it.
    pub(crate) fn start(
        place: &Place,
        local: Option<SocketAddr>,
        remote: SocketAddr,
        settings: &TcpSettings,
    ) -> Result<Self, Error> {
        check_family(remote.ip())?;
        let is_broadcast = matches!(remote, SocketAddr::V4(remote) if remote.ip().is_broadcast());
        if remote.ip().is_multicast() || is_broadcast {
            return Err(Error::NetworkUnreachable);
        }
        // Linux connects to itself for the unspecified address; here it is an error.
        if remote.ip().is_unspecified() || remote.port() == 0 {
            return Err(Error::ConnectionRefused);
        }
        if local.is_some_and(|local| local.is_ipv4() != remote.is_ipv4()) {
            return Err(Error::InvalidInput);
        }
        let mut device = place.zone(&remote, place.interface.clone())?;
        if let Some(local) = &local {
            device = place.zone(local, device)?;
        }
        let place = &place.on(device);
        if local.is_some_and(|local| !place.has_address(local.ip())) {
            return Err(Error::AddressNotAvailable);
        }
        let interface = place.choose_from(remote.ip(), local.map(|local| local.ip()))?;
        let (slot, local) = interface.change_and_transmit(|stack| {
            let source = stack.ip.source_for(&stack.context, remote.ip())?;
            let addresses = &stack.ip.addresses;
            if matches!(remote.ip(), IpAddr::V4(address) if addresses.is_broadcast(address)) {
                return Err(Error::NetworkUnreachable);
            }
            let source = local
                .map(|local| local.ip())
                .filter(|address| !address.is_unspecified())
                .unwrap_or(source);
            let local = SocketAddr::new(source, local.map_or(0, |local| local.port()));
            stack.transport.tcp.connect(&mut stack.context, &mut stack.ip, local, remote, settings)
        })?;
        let (local, remote) = (local.into(), remote.into());
        Ok(Self { interface, slot, local, remote })
    }

    /// Ready once the handshake has ended, else registers the waker; one task may wait. Reading and
    /// writing fail with `NotConnected` before.
    pub fn poll_connect(&self, context: &mut Context<'_>) -> Poll<Result<(), Error>> {
        match self.interface.change(|stack| {
            stack.transport.tcp.poll_connected(&mut stack.context, self.slot, context.waker())
        }) {
            Ok(true) => Poll::Ready(Ok(())),
            Ok(false) => Poll::Pending,
            Err(error) => Poll::Ready(Err(error)),
        }
    }
}
