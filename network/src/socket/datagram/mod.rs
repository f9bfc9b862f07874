//! The common part of UDP, ICMP and raw sockets: an address, a peer, sending by route, receiving
//! from a queue.
//!
//! [`send`] and [`receive`] are its operations, [`options`] and [`membership`] its settings and
//! groups. The sockets themselves ([`super::udp`], [`super::icmp`], [`super::raw`]) add what is
//! specific to them.

mod membership;
mod options;
mod receive;
mod send;

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;
use core::net::{IpAddr, SocketAddr};
use core::task::{Context, Poll};

use devnet_commands::zone;
use devnet_virtual_file_system::{Error, Lock, Readiness};

use self::options::Settings;
pub use self::receive::{Message, MessageInfo};
use self::send::is_broadcast;
use super::{Sockets, check_family};
use crate::command::socket::{SocketKind, SocketState, SocketStatus};
use crate::interface::Interface;
use crate::interfaces::Place;
use crate::stack::bound::Bound;
use crate::stack::datagram::{Binding, Endpoint, Family};
use crate::stack::flow_cache::FlowCache;
use crate::trace::DropReason;

#[derive(Clone, Debug)]
struct State {
    local: Option<SocketAddr>,
    remote: Option<SocketAddr>,
    /// The interface that it is bound to.
    device: Option<Arc<Interface>>,
    settings: Settings,
    /// Groups with the index of the interface on which each was joined.
    memberships: Vec<(IpAddr, u32)>,
    /// The route of the last datagram, valid until routes change.
    cached_route: FlowCache<RouteKey, CachedRoute>,
}

/// The destination of a route, and the interface that the socket is bound to.
type RouteKey = (IpAddr, Option<u32>);

/// A chosen route: its interface and the source address.
type CachedRoute = (Arc<Interface>, IpAddr);

impl State {
    /// The cached route, if it is for this destination.
    fn cached_route_for(&self, to: &SocketAddr, generation: u32) -> Option<&CachedRoute> {
        let device = self.device.as_ref().map(|device| device.index);
        match (zone::of(to), device) {
            (Some(zone), Some(device)) if zone != device => None,
            (zone, device) => self.cached_route.get(generation, &(to.ip(), device.or(zone))),
        }
    }
}

/// The common part of UDP, ICMP and raw sockets, to which they dereference.
///
/// An unbound socket gets an ephemeral port when it first sends. The next call of a connected
/// socket returns errors that ICMP reports, as on Linux; with
/// [`set_receive_errors`](Self::set_receive_errors) every socket gets them, with the packets that
/// they quote.
pub struct DatagramSocket {
    /// The scope in which the socket was made.
    place: Place,
    family: Family,
    /// The key of a raw socket's binding.
    protocol: u8,
    endpoint: Arc<Endpoint>,
    state: Lock<State>,
}

impl DatagramSocket {
    pub(super) fn new(sockets: &Sockets, family: Family, protocol: u8) -> Self {
        let state = State {
            local: None,
            remote: None,
            device: sockets.place.interface.clone(),
            settings: Settings::new(family, protocol),
            memberships: Vec::new(),
            cached_route: FlowCache::default(),
        };
        Self {
            place: sockets.place.clone(),
            family,
            protocol,
            endpoint: Arc::new(Endpoint::default()),
            state: Lock::new(state),
        }
    }

    fn device(&self) -> Option<Arc<Interface>> {
        self.state.with(|state| state.device.clone())
    }

    /// Binds the socket to a local address, which may be a group's; port 0 is an ephemeral one.
    /// Returns the address.
    ///
    /// # Errors
    /// `AddressInUse`; `AddressNotAvailable` when the address is not ours;
    /// `AddressFamilyNotSupported`; `InvalidInput` when it is bound already; `NotFound` for an
    /// ephemeral port when there is no interface at all.
    pub fn bind(&self, local: SocketAddr) -> Result<SocketAddr, Error> {
        check_family(local.ip())?;
        if self.state.with(|state| state.local.is_some()) {
            return Err(Error::InvalidInput);
        }
        if !self.supports(local.ip()) {
            return Err(Error::AddressFamilyNotSupported);
        }
        let is_group_or_broadcast = local.ip().is_multicast()
            || matches!(local.ip(), IpAddr::V4(address) if address.is_broadcast());
        let device = self.place.zone(&local, self.device())?;
        if !is_group_or_broadcast && !self.place.on(device.clone()).has_address(local.ip()) {
            return Err(Error::AddressNotAvailable);
        }
        self.stay_on(device.filter(|_| zone::of(&local).is_some()));
        self.rebind(local, None)
    }

    /// Restricts the socket to the interface that a zone names, as Linux does.
    fn stay_on(&self, zone: Option<Arc<Interface>>) {
        let (Some(interface), None) = (zone, self.device()) else { return };
        let former = self.state.with(|state| {
            state.device = Some(interface);
            state.local
        });
        if self.family.is_raw() {
            self.detach(None, u16::from(self.protocol));
        } else if let Some(local) = former {
            self.detach(None, local.port());
        }
    }

    /// True when the socket supports the family of this address.
    fn supports(&self, address: IpAddr) -> bool {
        match self.family {
            Family::Udp | Family::Icmp => true,
            Family::Raw => address.is_ipv4(),
            Family::Raw6 => address.is_ipv6(),
        }
    }

    /// Binds or rebinds with the present settings.
    fn rebind(
        &self,
        mut local: SocketAddr,
        remote: Option<SocketAddr>,
    ) -> Result<SocketAddr, Error> {
        if self.family.is_raw() {
            local.set_port(u16::from(self.protocol));
        } else if local.port() == 0 {
            local.set_port(self.free_port()?);
        }
        self.attach(local, remote)?;
        self.state.with(|state| {
            state.local = Some(local);
            state.remote = remote;
        });
        Ok(local)
    }

    /// Adds the binding to the stacks.
    fn attach(&self, local: SocketAddr, remote: Option<SocketAddr>) -> Result<(), Error> {
        let (settings, device) = self.state.with(|state| (state.settings, state.device.clone()));
        let bound = Bound::new(local.ip());
        let binding = Binding {
            bound: if settings.only_ipv6 { bound.only_ipv6() } else { bound },
            key: local.port(),
            remote,
            device: device.is_some(),
            reuse_address: settings.reuse_address,
            reuse_port: settings.reuse_port,
            endpoint: Arc::clone(&self.endpoint),
        };
        match device {
            Some(interface) => interface.change_and_transmit(|stack| {
                stack.transport.datagrams.bind(&mut stack.context, self.family, binding)
            }),
            None => self.place.all.bind(self.family, &binding),
        }
    }

    /// Removes the binding from the stacks.
    fn detach(&self, device: Option<&Arc<Interface>>, key: u16) {
        match device {
            Some(interface) => interface.change_and_transmit(|stack| {
                let cx = &mut stack.context;
                stack.transport.datagrams.unbind(cx, self.family, key, &self.endpoint)
            }),
            None => self.place.all.unbind(self.family, key, &self.endpoint),
        }
    }

    fn free_port(&self) -> Result<u16, Error> {
        match self.device() {
            Some(interface) => interface.change_and_transmit(|stack| {
                stack.transport.datagrams.free_port(&mut stack.context, self.family)
            }),
            None => {
                let interfaces = self.place.all.list();
                let first = interfaces.first().ok_or(Error::NotFound)?;
                // A few draws find a port that is free everywhere unless nearly all are used.
                (0..64)
                    .filter_map(|_| {
                        first
                            .change_and_transmit(|stack| {
                                stack.transport.datagrams.free_port(&mut stack.context, self.family)
                            })
                            .ok()
                    })
                    .find(|port| {
                        interfaces.iter().all(|interface| {
                            interface
                                .read(|stack| stack.transport.datagrams.is_free(self.family, *port))
                        })
                    })
                    .ok_or(Error::AddressInUse)
            }
        }
    }

    /// Connects to `remote`: sends to it and receives from it only. What others sent before is
    /// dropped and counted, unlike on Linux. Returns the local address.
    ///
    /// # Errors
    /// `NetworkUnreachable` without a route, `NotFound` when there is no interface at all;
    /// `AccessDenied` for a broadcast address without permission; `AddressFamilyNotSupported`.
    pub fn connect(&self, mut remote: SocketAddr) -> Result<SocketAddr, Error> {
        check_family(remote.ip())?;
        let State { local, device, settings, .. } = self.state.with(|state| state.clone());
        if self.family.is_raw() {
            remote.set_port(0);
        }
        if !self.supports(remote.ip())
            || local.is_some_and(|local| !settings.may_send_to(&local, &remote))
        {
            return Err(Error::AddressFamilyNotSupported);
        }
        let device = self.place.zone(&remote, device)?;
        let (interface, source) = self.route(device.clone(), remote.ip(), &settings)?;
        if !settings.broadcast && interface.read(|stack| is_broadcast(stack, remote.ip())) {
            return Err(Error::AccessDenied);
        }
        let bound = local
            .map(|local| local.ip())
            .filter(|address| !address.is_unspecified())
            .unwrap_or(source);
        let local = SocketAddr::new(bound, local.map_or(0, |local| local.port()));
        self.stay_on(device.filter(|_| zone::of(&remote).is_some()));
        let local = self.rebind(local, Some(remote))?;
        self.drop_strangers(remote);
        Ok(local)
    }

    /// Drops queued datagrams of others than the peer.
    fn drop_strangers(&self, peer: SocketAddr) {
        let dropped = self.endpoint.keep_from(peer);
        if dropped.is_empty() {
            return;
        }
        for interface in self.place.all.list() {
            let count = dropped.iter().filter(|index| **index == interface.index).count() as u64;
            if count > 0 {
                interface.change_and_transmit(|stack| {
                    stack.context.statistics.count(DropReason::NoSocket, count);
                });
            }
        }
    }

    /// The readiness; wakes when it changes.
    pub fn poll_ready(&self, context: &mut Context<'_>, interest: Readiness) -> Poll<Readiness> {
        self.endpoint.register(context.waker());
        // A datagram is sent at once or waits briefly, so the socket is always writable.
        let interest = interest | Readiness::ERROR | Readiness::HANG_UP;
        let ready = (self.endpoint.readiness() | Readiness::WRITABLE) & interest;
        if ready.is_empty() { Poll::Pending } else { Poll::Ready(ready) }
    }

    /// The local address, once it is bound.
    #[must_use]
    pub fn local_addr(&self) -> Option<SocketAddr> {
        self.state.with(|state| state.local)
    }

    /// The peer, if it is connected.
    #[must_use]
    pub fn peer_addr(&self) -> Option<SocketAddr> {
        self.state.with(|state| state.remote)
    }

    pub(crate) fn kind(&self) -> SocketKind {
        self.family.kind(u16::from(self.protocol))
    }

    pub(crate) fn status(&self) -> SocketStatus {
        let State { local, remote, device, .. } = self.state.with(|state| state.clone());
        let nowhere = if self.family == Family::Raw6 { Bound::AnyIpv6 } else { Bound::AnyIpv4 };
        SocketStatus {
            kind: self.kind(),
            state: if remote.is_some() { SocketState::Established } else { SocketState::Closed },
            local: local.unwrap_or(SocketAddr::new(nowhere.address(), u16::from(self.protocol))),
            remote,
            interface: device.map(|device| device.name()).unwrap_or_default(),
            receive_queue: u32::try_from(self.endpoint.waiting()).unwrap_or(u32::MAX),
            send_queue: 0,
        }
    }
}

impl Drop for DatagramSocket {
    fn drop(&mut self) {
        self.leave_all();
        let State { local, device, .. } = self.state.with(|state| state.clone());
        if self.family.is_raw() {
            self.detach(device.as_ref(), u16::from(self.protocol));
        } else if let Some(local) = local {
            self.detach(device.as_ref(), local.port());
        }
    }
}

impl fmt::Debug for DatagramSocket {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:?}({:?})", self.family, self.local_addr())
    }
}
