//! The settings of a datagram socket: each option by name for Rust programs and by value for
//! commands.

use alloc::string::String;
use alloc::sync::Arc;
use core::net::{IpAddr, SocketAddr};

use devnet_virtual_file_system::Error;

use super::DatagramSocket;
use crate::command::option::PathMtuDiscovery;
use crate::command::socket::{DatagramOptions, FurtherOptions, SocketOption, SocketOptions};
use crate::interface::Interface;
use crate::limits;
use crate::stack::bound::Bound;
use crate::stack::datagram::{Family, Interest};
use crate::stack::ip::egress::SendOptions;

/// The settings of one socket.
#[derive(Clone, Copy, Debug)]
pub(super) struct Settings {
    /// None for the interface's default.
    hop_limit: Option<u8>,
    traffic_class: u8,
    pub(super) broadcast: bool,
    path_mtu_discovery: PathMtuDiscovery,
    pub(super) reuse_address: bool,
    pub(super) reuse_port: bool,
    pub(super) receive_errors: bool,
    pub(super) header_included: bool,
    pub(super) only_ipv6: bool,
    /// The index of the interface for multicast packets.
    pub(super) multicast_interface: Option<u32>,
    multicast_hop_limit: u8,
    multicast_loop: bool,
    receive_buffer: u32,
}

/// The protocol whose sockets only send, with their own header (raw(7)).
const RAW_ONLY: u8 = 255;

impl Settings {
    pub(super) fn new(family: Family, protocol: u8) -> Self {
        Self {
            hop_limit: None,
            traffic_class: 0,
            broadcast: false,
            path_mtu_discovery: PathMtuDiscovery::Never,
            reuse_address: false,
            reuse_port: false,
            receive_errors: false,
            header_included: family.is_raw() && protocol == RAW_ONLY,
            only_ipv6: family == Family::Raw6,
            multicast_interface: None,
            // The default of multicast is one hop (RFC 1112 §6.1).
            multicast_hop_limit: 1,
            multicast_loop: true,
            receive_buffer: limits::DATAGRAM_BYTES as u32,
        }
    }

    /// The send options of a datagram to this destination.
    pub(super) fn options(&self, to: IpAddr) -> SendOptions {
        SendOptions {
            hop_limit: match to.is_multicast() {
                true => Some(self.multicast_hop_limit),
                false => self.hop_limit,
            },
            traffic_class: self.traffic_class,
            discovery: self.path_mtu_discovery,
            multicast_loop: self.multicast_loop,
        }
    }

    /// True when a socket bound to `local` may send to `remote`: the families match, or `local` is
    /// the wildcard of both.
    pub(super) fn may_send_to(&self, local: &SocketAddr, remote: &SocketAddr) -> bool {
        local.is_ipv4() == remote.is_ipv4()
            || (Bound::new(local.ip()) == Bound::Any && !self.only_ipv6)
    }
}

impl DatagramSocket {
    fn change(&self, change: impl FnOnce(&mut Settings)) {
        self.state.with(|state| change(&mut state.settings));
    }

    /// Changes a setting that takes effect at bind; fails on a bound socket.
    fn change_unbound(&self, change: impl FnOnce(&mut Settings)) -> Result<(), Error> {
        self.state.with(|state| {
            if state.local.is_some() {
                return Err(Error::InvalidInput);
            }
            change(&mut state.settings);
            Ok(())
        })
    }

    /// Sets the time to live or hop limit of unicast packets, at least 1 (IP_TTL); without it IPv6
    /// packets have what the routers of the interface advertise.
    ///
    /// # Errors
    /// `InvalidInput` for 0.
    pub fn set_hop_limit(&self, hop_limit: u8) -> Result<(), Error> {
        if hop_limit == 0 {
            return Err(Error::InvalidInput);
        }
        self.change(|settings| settings.hop_limit = Some(hop_limit));
        Ok(())
    }

    /// Sets the DSCP and ECN bits of sent packets (IP_TOS, IPV6_TCLASS).
    pub fn set_traffic_class(&self, traffic_class: u8) {
        self.change(|settings| settings.traffic_class = traffic_class);
    }

    /// Allows broadcast destinations (SO_BROADCAST).
    pub fn set_broadcast(&self, broadcast: bool) {
        self.change(|settings| settings.broadcast = broadcast);
    }

    /// Rejects packets that exceed the path MTU instead of fragmenting them, and sets
    /// don't-fragment (IP_MTU_DISCOVER).
    pub fn set_dont_fragment(&self, dont_fragment: bool) {
        self.set_path_mtu_discovery(if dont_fragment {
            PathMtuDiscovery::Always
        } else {
            PathMtuDiscovery::Never
        });
    }

    /// Sets who may fragment datagrams, and whether the path MTU counts (IP_MTU_DISCOVER).
    pub fn set_path_mtu_discovery(&self, choice: PathMtuDiscovery) {
        self.change(|settings| settings.path_mtu_discovery = choice);
        self.update_interest();
    }

    /// Queues ICMP errors with the packets that they quote for
    /// [`receive_error`](Self::receive_error), also on a socket that is not connected (IP_RECVERR).
    pub fn set_receive_errors(&self, receive_errors: bool) {
        self.change(|settings| settings.receive_errors = receive_errors);
        self.update_interest();
    }

    fn update_interest(&self) {
        let Settings { receive_errors, path_mtu_discovery, .. } =
            self.state.with(|state| state.settings);
        let path_mtu = path_mtu_discovery.fails_beyond();
        self.endpoint.set_interest(Interest { reports: receive_errors, path_mtu });
    }

    /// Shares the local address with sockets that set this too (SO_REUSEADDR): a unicast datagram
    /// goes to the latest of them, a multicast or broadcast one to all.
    ///
    /// # Errors
    /// `InvalidInput` when the socket is bound.
    pub fn set_reuse_address(&self, reuse: bool) -> Result<(), Error> {
        self.change_unbound(|settings| settings.reuse_address = reuse)
    }

    /// Shares the local address and its load with sockets that set this too (SO_REUSEPORT): each
    /// sender always reaches the same one.
    ///
    /// # Errors
    /// `InvalidInput` when the socket is bound.
    pub fn set_reuse_port(&self, reuse: bool) -> Result<(), Error> {
        self.change_unbound(|settings| settings.reuse_port = reuse)
    }

    /// Restricts the wildcard `::` to IPv6 (IPV6_V6ONLY).
    ///
    /// # Errors
    /// `InvalidInput` when the socket is bound; `ProtocolOptionNotAvailable` on raw sockets, which
    /// have one family anyway.
    pub fn set_only_ipv6(&self, only: bool) -> Result<(), Error> {
        if self.family.is_raw() {
            return Err(Error::ProtocolOptionNotAvailable);
        }
        self.change_unbound(|settings| settings.only_ipv6 = only)
    }

    /// Sets the size of the receive queue in bytes, 2 KiB to 64 MiB (SO_RCVBUF).
    ///
    /// # Errors
    /// `InvalidInput`.
    pub fn set_receive_buffer(&self, bytes: u32) -> Result<(), Error> {
        if !(limits::TCP_BUFFER_MINIMUM..=limits::TCP_BUFFER_MAXIMUM).contains(&(bytes as usize)) {
            return Err(Error::InvalidInput);
        }
        self.change(|settings| settings.receive_buffer = bytes);
        self.endpoint.set_capacity(bytes as usize);
        Ok(())
    }

    /// Sets the time to live or hop limit of multicast packets; 0 keeps them inside this system
    /// (IP_MULTICAST_TTL).
    pub fn set_multicast_hop_limit(&self, hop_limit: u8) {
        self.change(|settings| settings.multicast_hop_limit = hop_limit);
    }

    /// Sets whether local members of a group receive packets sent to it (IP_MULTICAST_LOOP).
    pub fn set_multicast_loop(&self, multicast_loop: bool) {
        self.change(|settings| settings.multicast_loop = multicast_loop);
    }

    /// Sets the interface for multicast packets; `None` for the route's (IP_MULTICAST_IF).
    ///
    /// # Errors
    /// `NoDevice`; `InvalidInput` for another interface than the one that the socket is bound to.
    pub fn set_multicast_interface(&self, name: Option<&str>) -> Result<(), Error> {
        let interface = name.map(|name| self.find(name)).transpose()?;
        let index = interface.map(|interface| interface.index);
        if index.is_some() && self.device().is_some_and(|device| Some(device.index) != index) {
            return Err(Error::InvalidInput);
        }
        self.change(|settings| settings.multicast_interface = index);
        Ok(())
    }

    /// Binds to one interface; `None` for all (SO_BINDTODEVICE).
    ///
    /// # Errors
    /// `NoDevice`; `InvalidInput` when the socket is bound, or was made on another interface.
    pub fn bind_to_device(&self, name: Option<&str>) -> Result<(), Error> {
        let new_device = name.map(|name| self.find(name)).transpose()?;
        if let Some(fixed) = &self.place.interface {
            let is_same = new_device.is_some_and(|new_device| Arc::ptr_eq(&new_device, fixed));
            return if is_same { Ok(()) } else { Err(Error::InvalidInput) };
        }
        let former = self.state.with(|state| {
            if state.local.is_some() {
                return Err(Error::InvalidInput);
            }
            Ok(core::mem::replace(&mut state.device, new_device))
        })?;
        if self.family.is_raw() {
            // A raw socket receives from its creation on.
            self.detach(former.as_ref(), u16::from(self.protocol));
            self.listen_raw()?;
        }
        Ok(())
    }

    /// Receives every packet of a raw socket's protocol.
    pub(in super::super) fn listen_raw(&self) -> Result<(), Error> {
        let everything = if self.family == Family::Raw { Bound::AnyIpv4 } else { Bound::AnyIpv6 };
        // Sockets of this protocol only send.
        if self.protocol == RAW_ONLY {
            return Ok(());
        }
        self.attach(SocketAddr::new(everything.address(), u16::from(self.protocol)), None)
    }

    /// An interface by name.
    pub(super) fn find(&self, name: &str) -> Result<Arc<Interface>, Error> {
        if name.is_empty() || name.len() > limits::NAME_BYTES {
            return Err(Error::InvalidInput);
        }
        self.place.all.find(name).ok_or(Error::NoDevice)
    }

    pub(in super::super) fn set_header_included_raw(&self, included: bool) -> Result<(), Error> {
        if !self.family.is_raw() {
            return Err(Error::ProtocolOptionNotAvailable);
        }
        self.change(|settings| settings.header_included = included);
        Ok(())
    }

    /// The path MTU to the peer in bytes (IP_MTU).
    ///
    /// # Errors
    /// `NotConnected`; `NetworkUnreachable`.
    pub fn path_mtu(&self) -> Result<u32, Error> {
        let (remote, device, settings) =
            self.state.with(|state| (state.remote, state.device.clone(), state.settings));
        let remote = remote.ok_or(Error::NotConnected)?;
        let (interface, _) = self.route(device, remote.ip(), &settings)?;
        Ok(u32::try_from(
            interface.read_now(|stack| stack.ip.path_mtu(&stack.context, remote.ip())),
        )
        .unwrap_or(u32::MAX))
    }

    /// Sets an option by value.
    pub(crate) fn set_option(&self, option: &SocketOption) -> Result<(), Error> {
        let name = |name: &String| if name.is_empty() { None } else { Some(name.clone()) };
        match option {
            SocketOption::ReceiveBuffer(bytes) => self.set_receive_buffer(*bytes)?,
            SocketOption::HopLimit(hop_limit) => self.set_hop_limit(*hop_limit)?,
            SocketOption::Broadcast(allowed) => self.set_broadcast(*allowed),
            SocketOption::ReuseAddress(on) => self.set_reuse_address(*on)?,
            SocketOption::ReusePort(on) => self.set_reuse_port(*on)?,
            SocketOption::TrafficClass(class) => self.set_traffic_class(*class),
            SocketOption::DontFragment(on) => self.set_dont_fragment(*on),
            SocketOption::PathMtuDiscovery(choice) => self.set_path_mtu_discovery(*choice),
            SocketOption::MulticastInterface(interface) => {
                self.set_multicast_interface(name(interface).as_deref())?
            }
            SocketOption::MulticastHopLimit(hop_limit) => self.set_multicast_hop_limit(*hop_limit),
            SocketOption::MulticastLoop(on) => self.set_multicast_loop(*on),
            SocketOption::ReceiveErrors(on) => self.set_receive_errors(*on),
            SocketOption::HeaderIncluded(on) => self.set_header_included_raw(*on)?,
            SocketOption::OnlyIpv6(on) => self.set_only_ipv6(*on)?,
            SocketOption::BindToDevice(interface) => {
                self.bind_to_device(name(interface).as_deref())?
            }
            SocketOption::NoDelay(_)
            | SocketOption::SendBuffer(_)
            | SocketOption::KeepAlive(_)
            | SocketOption::KeepAliveInterval(_)
            | SocketOption::KeepAliveCount(_)
            | SocketOption::UserTimeout(_)
            | SocketOption::Linger(_)
            | SocketOption::CongestionControl(_)
            | SocketOption::ExplicitCongestion(_)
            | SocketOption::Timestamps(_)
            | SocketOption::MaximumSegment(_)
            | SocketOption::Cork(_)
            | SocketOption::NotSentLowWater(_)
            | SocketOption::BlackHoleDetection(_) => return Err(Error::ProtocolOptionNotAvailable),
        }
        Ok(())
    }

    /// The values of the options that [`options`](Self::options) does not have.
    pub(crate) fn further_options(&self) -> FurtherOptions {
        let path_mtu_discovery = self.state.with(|state| state.settings.path_mtu_discovery);
        FurtherOptions { path_mtu_discovery, stream: None }
    }

    /// The values of all options.
    pub(crate) fn options(&self) -> SocketOptions {
        let (settings, device) = self.state.with(|state| (state.settings, state.device.clone()));
        let name_of =
            |index| self.place.all.at(index).map(|interface| interface.name()).unwrap_or_default();
        SocketOptions {
            kind: self.kind(),
            hop_limit: settings.hop_limit.unwrap_or(limits::HOP_LIMIT),
            traffic_class: settings.traffic_class,
            receive_buffer: settings.receive_buffer,
            reuse_address: settings.reuse_address,
            reuse_port: settings.reuse_port,
            device: device.map(|device| device.name()).unwrap_or_default(),
            path_mtu: self.path_mtu().ok(),
            stream: None,
            datagram: Some(DatagramOptions {
                broadcast: settings.broadcast,
                dont_fragment: settings.path_mtu_discovery.fails_beyond(),
                multicast_interface: settings.multicast_interface.map(name_of).unwrap_or_default(),
                multicast_hop_limit: settings.multicast_hop_limit,
                multicast_loop: settings.multicast_loop,
                receive_errors: settings.receive_errors,
                header_included: settings.header_included,
                only_ipv6: settings.only_ipv6,
            }),
        }
    }
}
