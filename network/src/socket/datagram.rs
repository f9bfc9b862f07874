//! UDP and ICMP echo sockets over one skeleton.

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;
use core::future::poll_fn;
use core::net::{IpAddr, SocketAddr};
use core::task::{Context, Poll};

use virtual_file_system::{Error, Lock, Readiness};

use super::{Sockets, unspecified};
use crate::command::socket::{SocketKind, SocketState, SocketStatus};
use crate::interface::Interface;
use crate::stack::Stack;
use crate::stack::bound::Bound;
use crate::stack::datagram::{Binding, Endpoint, Family, Received};
use crate::stack::ip::header::{Outgoing, protocol};
use crate::stack::ip::icmp::HOP_LIMIT;

/// A datagram that arrived.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Message {
    /// Its data, whole.
    pub data: Vec<u8>,
    /// Who sent it.
    pub remote: SocketAddr,
    /// Which of our addresses it was sent to.
    pub local: SocketAddr,
    /// The index of the interface that it arrived on.
    pub interface: u32,
    /// Time to live or hop limit as it arrived.
    pub hop_limit: u8,
}

#[derive(Clone, Copy, Debug)]
struct State {
    local: Option<SocketAddr>,
    remote: Option<SocketAddr>,
    hop_limit: u8,
    broadcast: bool,
}

/// What UDP and ICMP sockets have in common: an endpoint, its bindings, sending by route.
pub(crate) struct DatagramSocket {
    sockets: Sockets,
    family: Family,
    endpoint: Arc<Endpoint>,
    state: Lock<State>,
}

impl DatagramSocket {
    pub(crate) fn new(sockets: &Sockets, family: Family) -> Self {
        let state = State { local: None, remote: None, hop_limit: HOP_LIMIT, broadcast: false };
        Self { sockets: sockets.clone(), family, endpoint: Arc::new(Endpoint::default()), state: Lock::new(state) }
    }

    /// Gives the socket a local address; port 0 is an ephemeral one.
    pub(crate) fn bind(&self, local: SocketAddr) -> Result<SocketAddr, Error> {
        if self.state.with(|state| state.local.is_some()) {
            return Err(Error::InvalidInput);
        }
        let to_everybody =
            local.ip().is_multicast() || matches!(local.ip(), IpAddr::V4(address) if address.is_broadcast());
        if !to_everybody && !self.sockets.has_address(local.ip()) {
            return Err(Error::AddressNotAvailable);
        }
        self.enter(local, None)
    }

    fn enter(&self, mut local: SocketAddr, remote: Option<SocketAddr>) -> Result<SocketAddr, Error> {
        if local.port() == 0 {
            local.set_port(self.free_port()?);
        }
        let binding = Binding {
            bound: Bound::new(local.ip()),
            port: local.port(),
            remote,
            device: self.sockets.interface.is_some(),
            endpoint: Arc::clone(&self.endpoint),
        };
        match &self.sockets.interface {
            Some(interface) => interface.with(|stack| stack.datagrams.bind(self.family, binding))?,
            None => self.sockets.shared.routing.bind(self.family, &binding)?,
        }
        self.state.with(|state| {
            state.local = Some(local);
            state.remote = remote;
        });
        Ok(local)
    }

    fn free_port(&self) -> Result<u16, Error> {
        match &self.sockets.interface {
            Some(interface) => interface.with(|stack| stack.datagram_port(self.family)),
            None => {
                let interfaces = self.sockets.shared.routing.interfaces();
                let first = interfaces.first().ok_or(Error::NetworkDown)?;
                // A few draws find a port that is free everywhere unless nearly all are taken.
                (0..64)
                    .filter_map(|_| first.with(|stack| stack.datagram_port(self.family)).ok())
                    .find(|port| {
                        interfaces
                            .iter()
                            .all(|interface| interface.with(|stack| stack.datagrams.is_free(self.family, *port)))
                    })
                    .ok_or(Error::AddressInUse)
            }
        }
    }

    /// Sends to and receives from `remote` only.
    pub(crate) fn connect(&self, remote: SocketAddr) -> Result<SocketAddr, Error> {
        let State { local, broadcast, .. } = self.state.with(|state| *state);
        if local.is_some_and(|local| !may_speak(local, remote)) {
            return Err(Error::AddressFamilyNotSupported);
        }
        let (interface, source) = self.sockets.route(remote.ip())?;
        if !broadcast && is_broadcast(&interface, remote.ip()) {
            return Err(Error::AccessDenied);
        }
        let bound = local.map(|local| local.ip()).filter(|address| !address.is_unspecified()).unwrap_or(source);
        let local = SocketAddr::new(bound, local.map_or(0, |local| local.port()));
        self.enter(local, Some(remote))
    }

    /// Sends one datagram to `remote`, or to the connected peer.
    pub(crate) fn try_send(&self, data: &[u8], remote: Option<SocketAddr>) -> Result<(), Error> {
        self.send_or_register(data, remote, None)
    }

    fn send_or_register(
        &self,
        data: &[u8],
        remote: Option<SocketAddr>,
        context: Option<&Context<'_>>,
    ) -> Result<(), Error> {
        if let Some(error) = self.endpoint.take_error() {
            return Err(error);
        }
        let state = self.state.with(|state| *state);
        // As POSIX: EDESTADDRREQ is what Linux calls a datagram without destination.
        let remote = remote.or(state.remote).ok_or(Error::NotConnected)?;
        if self.family == Family::Udp && remote.port() == 0 {
            return Err(Error::InvalidInput);
        }
        let (interface, source) = self.sockets.route(remote.ip())?;
        let local = match state.local {
            Some(local) if !may_speak(local, remote) => return Err(Error::AddressFamilyNotSupported),
            Some(local) => local,
            None => self.enter(unspecified(remote), None)?,
        };
        let source =
            Some(local.ip()).filter(|address| !address.is_unspecified() && !address.is_multicast()).unwrap_or(source);
        let local = SocketAddr::new(source, local.port());
        if !state.broadcast && is_broadcast(&interface, remote.ip()) {
            return Err(Error::AccessDenied);
        }
        interface.with(|stack| {
            let sent = match self.family {
                Family::Udp => stack.udp_send(local, remote, state.hop_limit, data),
                Family::Icmp => send_echo(stack, local, remote.ip(), state.hop_limit, data),
            };
            if sent == Err(Error::WouldBlock)
                && let Some(context) = context
            {
                stack.room.register(context.waker());
            }
            sent
        })
    }

    pub(crate) async fn send(&self, data: &[u8], remote: Option<SocketAddr>) -> Result<(), Error> {
        poll_fn(|context| match self.send_or_register(data, remote, Some(context)) {
            Err(Error::WouldBlock) => Poll::Pending,
            outcome => Poll::Ready(outcome),
        })
        .await
    }

    pub(crate) fn try_receive(&self, buffer: &mut [u8]) -> Result<(usize, Received), Error> {
        self.endpoint.take(buffer)?.ok_or(Error::WouldBlock)
    }

    pub(crate) fn poll_receive(
        &self,
        context: &mut Context<'_>,
        buffer: &mut [u8],
    ) -> Poll<Result<(usize, Received), Error>> {
        self.endpoint.register(context.waker());
        match self.try_receive(buffer) {
            Err(Error::WouldBlock) => Poll::Pending,
            outcome => Poll::Ready(outcome),
        }
    }

    pub(crate) fn poll_receive_whole(&self, context: &mut Context<'_>) -> Poll<Result<Message, Error>> {
        self.endpoint.register(context.waker());
        match self.endpoint.take_whole() {
            Err(error) => Poll::Ready(Err(error)),
            Ok(None) => Poll::Pending,
            Ok(Some((data, received))) => Poll::Ready(Ok(Message {
                data,
                remote: received.remote,
                local: received.local,
                interface: received.interface,
                hop_limit: received.hop_limit,
            })),
        }
    }

    pub(crate) fn poll_ready(&self, context: &mut Context<'_>, interest: Readiness) -> Poll<Readiness> {
        self.endpoint.register(context.waker());
        // A datagram is sent at once or waits for a moment at most: writing is always worth a try.
        let interest = interest | Readiness::ERROR | Readiness::HANG_UP;
        let ready = (self.endpoint.readiness() | Readiness::WRITABLE) & interest;
        if ready.is_empty() { Poll::Pending } else { Poll::Ready(ready) }
    }

    pub(crate) fn set_hop_limit(&self, hop_limit: u8) {
        self.state.with(|state| state.hop_limit = hop_limit);
    }

    pub(crate) fn set_broadcast(&self, broadcast: bool) {
        self.state.with(|state| state.broadcast = broadcast);
    }

    pub(crate) fn local(&self) -> Option<SocketAddr> {
        self.state.with(|state| state.local)
    }

    pub(crate) fn status(&self) -> SocketStatus {
        let State { local, remote, .. } = self.state.with(|state| *state);
        SocketStatus {
            kind: if self.family == Family::Udp { SocketKind::Udp } else { SocketKind::Icmp },
            state: if remote.is_some() { SocketState::Established } else { SocketState::Closed },
            local: local.unwrap_or(SocketAddr::from(([0, 0, 0, 0], 0))),
            remote,
            interface: self.sockets.name().into(),
            receive_queue: u32::try_from(self.endpoint.waiting()).unwrap_or(u32::MAX),
            send_queue: 0,
        }
    }
}

impl Drop for DatagramSocket {
    fn drop(&mut self) {
        let Some(local) = self.local() else { return };
        match &self.sockets.interface {
            Some(interface) => {
                interface.with(|stack| stack.datagrams.unbind(self.family, local.port(), &self.endpoint))
            }
            None => self.sockets.shared.routing.unbind(self.family, local.port(), &self.endpoint),
        }
    }
}

/// True when a socket bound to `local` may send to `remote`: the families fit, or `local` is the wildcard of both.
fn may_speak(local: SocketAddr, remote: SocketAddr) -> bool {
    local.is_ipv4() == remote.is_ipv4() || Bound::new(local.ip()) == Bound::Any
}

fn is_broadcast(interface: &Interface, address: IpAddr) -> bool {
    matches!(address, IpAddr::V4(address) if interface.look(|stack| stack.addresses.is_broadcast(address)))
}

/// Sends an echo request: the identifier is the socket's, the type the family's, the rest the program's (Linux' ping sockets).
fn send_echo(stack: &mut Stack, local: SocketAddr, remote: IpAddr, hop_limit: u8, message: &[u8]) -> Result<(), Error> {
    const ECHO_REQUEST: u8 = 8;
    const V6_ECHO_REQUEST: u8 = 128;
    if !stack.has_room() {
        return Err(Error::WouldBlock);
    }
    let expected = if remote.is_ipv4() { ECHO_REQUEST } else { V6_ECHO_REQUEST };
    let mut message = message.to_vec();
    match message.as_mut_slice() {
        [kind, 0, _, _, high, low, _, _, ..] if *kind == expected => [*high, *low] = local.port().to_be_bytes(),
        _ => return Err(Error::InvalidInput),
    }
    let protocol = if remote.is_ipv4() { protocol::ICMP } else { protocol::ICMPV6 };
    let outgoing = Outgoing { source: local.ip(), destination: remote, protocol, hop_limit, traffic_class: 0 };
    stack.icmp_send(&outgoing, &message)
}

/// A UDP socket.
///
/// Unbound, it gets an ephemeral port when it first sends. Errors that ICMP reports reach a connected socket's next call, as on Linux.
pub struct UdpSocket(DatagramSocket);

/// A socket for ICMP echo, like Linux' `SOCK_DGRAM` ping sockets: it sends echo requests and receives the replies with its identifier,
/// which is its port. A datagram is an ICMP message from its type on; identifier and checksum are filled in.
pub struct IcmpSocket(DatagramSocket);

macro_rules! faces {
    ($socket:ident, $family:expr) => {
        impl $socket {
            /// Makes an unbound socket.
            #[must_use]
            pub fn new(sockets: &Sockets) -> Self {
                Self(DatagramSocket::new(sockets, $family))
            }

            /// Gives the socket a local address; port 0 is an ephemeral one. Tells the address that it got.
            ///
            /// # Errors
            /// `AddressInUse`; `AddressNotAvailable` when the address is not ours; `InvalidInput` when it has one already.
            pub fn bind(&self, local: SocketAddr) -> Result<SocketAddr, Error> {
                self.0.bind(local)
            }

            /// Sends to and receives from `remote` only. Tells the local address.
            ///
            /// # Errors
            /// `NetworkUnreachable`; `AccessDenied` for a broadcast address without permission; `AddressFamilyNotSupported`.
            pub fn connect(&self, remote: SocketAddr) -> Result<SocketAddr, Error> {
                self.0.connect(remote)
            }

            /// Sends one datagram to the connected peer, waiting for room in the driver's queue.
            ///
            /// # Errors
            /// `NotConnected`; `MessageTooLong`; `NetworkUnreachable`; what ICMP reported before, once.
            ///
            /// # Cancel safety
            /// A dropped future sent nothing.
            pub async fn send(&self, data: &[u8]) -> Result<(), Error> {
                self.0.send(data, None).await
            }

            /// Sends one datagram to `remote`, waiting for room in the driver's queue.
            ///
            /// # Errors
            /// As [`send`](Self::send); `AccessDenied` for a broadcast address without permission.
            ///
            /// # Cancel safety
            /// A dropped future sent nothing.
            pub async fn send_to(&self, data: &[u8], remote: SocketAddr) -> Result<(), Error> {
                self.0.send(data, Some(remote)).await
            }

            /// Receives one datagram: copies what fits, and tells how long it was, who sent it and how many bytes were copied.
            /// The rest of a longer one is gone.
            ///
            /// # Errors
            /// What ICMP reported, once; `NetworkDown` when the interface is gone.
            ///
            /// # Cancel safety
            /// A dropped future took nothing.
            pub async fn receive_from(&self, buffer: &mut [u8]) -> Result<(usize, SocketAddr), Error> {
                poll_fn(|context| {
                    self.0.poll_receive(context, buffer).map_ok(|(copied, received)| (copied, received.remote))
                })
                .await
            }

            /// Receives one datagram whole, with everything that came with it.
            ///
            /// # Errors
            /// As [`receive_from`](Self::receive_from).
            ///
            /// # Cancel safety
            /// A dropped future took nothing.
            pub async fn receive(&self) -> Result<Message, Error> {
                poll_fn(|context| self.0.poll_receive_whole(context)).await
            }

            /// Sets the time to live or hop limit of what is sent, at least 1.
            ///
            /// # Errors
            /// `InvalidInput` for 0.
            pub fn set_hop_limit(&self, hop_limit: u8) -> Result<(), Error> {
                if hop_limit == 0 {
                    return Err(Error::InvalidInput);
                }
                self.0.set_hop_limit(hop_limit);
                Ok(())
            }

            /// Allows broadcast destinations (SO_BROADCAST).
            pub fn set_broadcast(&self, broadcast: bool) {
                self.0.set_broadcast(broadcast);
            }

            /// The local address, once it has one.
            #[must_use]
            pub fn local_address(&self) -> Option<SocketAddr> {
                self.0.local()
            }
        }

        impl fmt::Debug for $socket {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(formatter, concat!(stringify!($socket), "({:?})"), self.0.local())
            }
        }
    };
}

faces!(UdpSocket, Family::Udp);
faces!(IcmpSocket, Family::Icmp);
