//! Sending datagrams: choosing interface, source address and options, and waiting for room.

use alloc::sync::Arc;
use core::future::poll_fn;
use core::net::{IpAddr, SocketAddr};
use core::task::{Context, Poll};

use devnet_virtual_file_system::Error;

use super::DatagramSocket;
use super::options::Settings;
use crate::interface::Interface;
use crate::interfaces::Place;
use crate::socket::unspecified;
use crate::socket::{check_family, pending_if_blocked};
use crate::stack::datagram::Family;
use crate::stack::datagram::{raw, udp};
use crate::stack::icmp::echo;
use crate::stack::icmp::notice::Notice;
use crate::stack::wire::header;
use crate::stack::{Stack, Wakes};

/// False for an address that was ours when the socket was bound to it and is gone.
fn can_send_from(place: &Place, from: IpAddr) -> bool {
    let is_broadcast = |stack: &Stack| match from {
        IpAddr::V4(address) => stack.ip.addresses.is_broadcast(address),
        IpAddr::V6(_) => false,
    };
    from.is_multicast()
        || place.has_address(from)
        || place.interfaces().iter().any(|interface| interface.read(is_broadcast))
}

impl DatagramSocket {
    /// The interface and source address for a destination, from the socket's own address; remembers
    /// them.
    pub(super) fn route(
        &self,
        device: Option<Arc<Interface>>,
        to: IpAddr,
        settings: &Settings,
    ) -> Result<(Arc<Interface>, IpAddr), Error> {
        let generation = self.place.all.generation();
        let place = device.as_ref().map(|device| device.index);
        let (known, local) = self
            .state
            .with(|state| (state.cached_route.get(generation, &(to, place)).cloned(), state.local));
        if let Some(known) = known {
            return Ok(known);
        }
        let from = local.map(|local| local.ip());
        let (interface, source) = self.find_route(device, to, from, settings)?;
        // Among equal routes the reachability of gateways decides, which changes without a new
        // generation.
        let is_only = interface.read(|stack| stack.ip.routes.equals(to).nth(1).is_none());
        if is_only && !to.is_multicast() {
            let route = (Arc::clone(&interface), source);
            let former =
                self.state.with(|state| state.cached_route.replace(generation, (to, place), route));
            drop(former);
        }
        Ok((interface, source))
    }

    /// As [`route`](Self::route), from an address that may be another than the socket's; remembers
    /// nothing.
    pub(super) fn find_route(
        &self,
        device: Option<Arc<Interface>>,
        to: IpAddr,
        from: Option<IpAddr>,
        settings: &Settings,
    ) -> Result<(Arc<Interface>, IpAddr), Error> {
        let named = settings.multicast_interface.filter(|_| to.is_multicast());
        let device = match (device, named) {
            (None, Some(index)) => Some(self.place.all.at(index).ok_or(Error::NoDevice)?),
            (device, _) => device,
        };
        let is_down = |device: &Arc<Interface>| !device.read(|stack| stack.context.is_running());
        if device.as_ref().is_some_and(is_down) {
            return Err(Error::NetworkUnreachable);
        }
        let place = self.place.on(device);
        if from.is_some_and(|from| !can_send_from(&place, from)) {
            return Err(Error::AddressNotAvailable);
        }
        let interface = place.choose_from(to, from)?;
        let source = interface.read(|stack| stack.ip.source_for(&stack.context, to))?;
        Ok((interface, source))
    }

    /// Sends one datagram to `remote`, or to the connected peer, without waiting.
    ///
    /// # Errors
    /// `WouldBlock` while the driver's queue is full; else as [`send_to`](Self::send_to).
    pub fn try_send(&self, data: &[u8], remote: Option<SocketAddr>) -> Result<(), Error> {
        self.send_or_register(data, None, remote.as_ref(), None)
    }

    /// Takes the address by reference: copying what was just written is slow.
    fn send_or_register(
        &self,
        data: &[u8],
        source: Option<IpAddr>,
        remote: Option<&SocketAddr>,
        context: Option<&Context<'_>>,
    ) -> Result<(), Error> {
        if let Some(error) = self.endpoint.take_error() {
            return Err(error);
        }
        if source.is_none()
            && let Some(sent) = self.send_cached(data, remote)
        {
            return sent;
        }
        let remote = remote.copied();
        let generation = self.place.all.generation();
        let (local, peer, settings, known) = self.state.with(|state| {
            let to = remote.or(state.remote);
            let known = to.and_then(|to| state.cached_route_for(&to, generation).cloned());
            (state.local, state.remote, state.settings, known)
        });
        let named = || settings.header_included.then(|| header::destination_of(data)).flatten();
        // POSIX' EDESTADDRREQ, which Linux returns for a datagram without destination.
        let remote = remote
            .or(peer)
            .or_else(|| named().map(|to| SocketAddr::new(to, 0)))
            .ok_or(Error::NotConnected)?;
        check_family(remote.ip())?;
        if self.family == Family::Udp && remote.port() == 0 {
            return Err(Error::InvalidInput);
        }
        if !self.supports(remote.ip())
            || local.is_some_and(|local| !settings.may_send_to(&local, &remote))
        {
            return Err(Error::AddressFamilyNotSupported);
        }
        if source.is_some_and(|source| {
            source.is_ipv4() != remote.is_ipv4()
                || !self.place.on(self.device()).has_address(source)
        }) {
            return Err(Error::AddressNotAvailable);
        }
        let (interface, chosen) = match (known, source) {
            (Some(known), None) => known,
            (_, source) => {
                let device = self.place.zone(&remote, self.device())?;
                match source {
                    Some(_) => self.find_route(device, remote.ip(), source, &settings)?,
                    None => self.route(device, remote.ip(), &settings)?,
                }
            }
        };
        let local = match local {
            Some(local) => local,
            None if self.family.is_raw() => unspecified(remote),
            None => self.rebind(unspecified(remote), None)?,
        };
        let bound =
            Some(local.ip()).filter(|address| !address.is_unspecified() && !address.is_multicast());
        let local = SocketAddr::new(source.or(bound).unwrap_or(chosen), local.port());
        let (sent, deferred) = interface.change_and_transmit_deferred(|stack| {
            let sent = self.hand_over(stack, &local, &remote, &settings, data);
            if let (Err(Error::WouldBlock), Some(context)) = (sent, context) {
                stack.senders.register(context.waker());
                // A route by another interface may have room (SOK-05).
                let (host, wakes) = (&stack.ip.host, &mut stack.context.wakes);
                host.register_sender(context.waker(), wakes);
            }
            sent
        });
        deferred.wake();
        if sent == Err(Error::MessageTooLong) && settings.receive_errors {
            let path = interface.read_now(|stack| stack.ip.path_mtu(&stack.context, remote.ip()));
            let notice =
                Notice::local(Error::MessageTooLong, u32::try_from(path).unwrap_or(u32::MAX));
            self.endpoint.report(notice.report(remote, data), &mut Wakes::default());
        }
        sent
    }

    /// Sends a datagram by the cached route, if it has the same destination; `None` when it was not
    /// sent, for any reason but the firewall, which must not meet it twice.
    fn send_cached(&self, data: &[u8], remote: Option<&SocketAddr>) -> Option<Result<(), Error>> {
        let generation = self.place.all.generation();
        let sent = self.state.with(|state| {
            let (local, to) = (state.local.as_ref()?, remote.or(state.remote.as_ref())?);
            if self.family != Family::Udp || to.port() == 0 {
                return None;
            }
            let (interface, source) = state.cached_route_for(to, generation)?;
            if !state.settings.may_send_to(local, to) {
                return None;
            }
            let is_wildcard = local.ip().is_unspecified() || local.ip().is_multicast();
            let from =
                SocketAddr::new(if is_wildcard { *source } else { local.ip() }, local.port());
            let settings = &state.settings;
            Some(interface.change_and_transmit_deferred(|stack| {
                self.hand_over(stack, &from, to, settings, data)
            }))
        });
        let (sent, deferred) = sent?;
        deferred.wake();
        let is_filtered = cfg!(feature = "firewall") && sent == Err(Error::PermissionDenied);
        (sent.is_ok() || is_filtered).then_some(sent)
    }

    fn hand_over(
        &self,
        stack: &mut Stack,
        local: &SocketAddr,
        remote: &SocketAddr,
        settings: &Settings,
        data: &[u8],
    ) -> Result<(), Error> {
        if !settings.broadcast && is_broadcast(stack, remote.ip()) {
            return Err(Error::AccessDenied);
        }
        let options = settings.options(remote.ip());
        match self.family {
            Family::Udp => {
                udp::send(&mut stack.context, &mut stack.ip, local, remote, &options, data)
            }
            Family::Icmp => {
                echo::send(&mut stack.context, &mut stack.ip, *local, remote.ip(), &options, data)
            }
            Family::Raw | Family::Raw6 if settings.header_included => {
                raw::send_included(&mut stack.context, &mut stack.ip, local.ip(), remote.ip(), data)
            }
            // Writing a header requires a protocol.
            Family::Raw | Family::Raw6 if self.protocol == raw::EVERY => Err(Error::InvalidInput),
            Family::Raw | Family::Raw6 => raw::send(
                &mut stack.context,
                &mut stack.ip,
                local.ip(),
                remote.ip(),
                self.protocol,
                &options,
                data,
            ),
        }
    }

    /// Sends one datagram to `remote`, or to the connected peer; or registers the waker for room.
    pub fn poll_send(
        &self,
        context: &mut Context<'_>,
        data: &[u8],
        remote: Option<SocketAddr>,
    ) -> Poll<Result<(), Error>> {
        pending_if_blocked(self.send_or_register(data, None, remote.as_ref(), Some(context)))
    }

    /// Sends one datagram to the connected peer, waiting for room in the driver's queue.
    ///
    /// # Errors
    /// `NotConnected`; else as [`send_to`](Self::send_to).
    ///
    /// # Cancel safety
    /// A dropped future sent nothing.
    pub async fn send(&self, data: &[u8]) -> Result<(), Error> {
        poll_fn(|context| self.poll_send(context, data, None)).await
    }

    /// Sends one datagram to `remote`, waiting for room in the driver's queue.
    ///
    /// # Errors
    /// `MessageTooLong`, above the path MTU only when fragmentation is forbidden;
    /// `NetworkUnreachable` without a route, `NotFound` when there is no interface at all;
    /// `AccessDenied` for a broadcast address without permission; `PermissionDenied` for what a
    /// rule of the firewall drops; an error that ICMP reported before, once.
    ///
    /// # Cancel safety
    /// A dropped future sent nothing.
    pub async fn send_to(&self, data: &[u8], remote: SocketAddr) -> Result<(), Error> {
        poll_fn(|context| {
            pending_if_blocked(self.send_or_register(data, None, Some(&remote), Some(context)))
        })
        .await
    }

    /// Sends one datagram to `remote` from a local address, whatever the socket is bound to
    /// (IP_PKTINFO): a response can leave from the address that received the request.
    ///
    /// # Errors
    /// `AddressNotAvailable` when `source` is not ours or of another family; else as
    /// [`send_to`](Self::send_to).
    ///
    /// # Cancel safety
    /// A dropped future sent nothing.
    pub async fn send_from(
        &self,
        data: &[u8],
        source: IpAddr,
        remote: SocketAddr,
    ) -> Result<(), Error> {
        poll_fn(|context| self.poll_send_from(context, data, source, remote)).await
    }

    /// Like [`send_from`](Self::send_from), without waiting.
    ///
    /// # Errors
    /// `WouldBlock` while the driver's queue is full; else as [`send_from`](Self::send_from).
    pub fn try_send_from(
        &self,
        data: &[u8],
        source: IpAddr,
        remote: SocketAddr,
    ) -> Result<(), Error> {
        self.send_or_register(data, specified(source), Some(&remote), None)
    }

    /// Like [`send_from`](Self::send_from), or registers the waker for room.
    pub fn poll_send_from(
        &self,
        context: &mut Context<'_>,
        data: &[u8],
        source: IpAddr,
        remote: SocketAddr,
    ) -> Poll<Result<(), Error>> {
        let source = specified(source);
        pending_if_blocked(self.send_or_register(data, source, Some(&remote), Some(context)))
    }
}

/// The unspecified address means any.
fn specified(address: IpAddr) -> Option<IpAddr> {
    Some(address).filter(|address| !address.is_unspecified())
}

pub(super) fn is_broadcast(stack: &Stack, address: IpAddr) -> bool {
    matches!(address, IpAddr::V4(address) if stack.ip.addresses.is_broadcast(address))
}
