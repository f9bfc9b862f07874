//! Changing an interface: state, addresses, routes, servers, neighbors.
//!
//! Every setter checks everything before it changes anything, and does all that a change implies:
//! connected routes, duplicate detection, announcements, the fate of sockets. Called by the control
//! device and by the protocols that configure (DHCP, advertisements).

use core::net::IpAddr;

use smoltcp::socket::tcp::State;
use virtual_file_system::Error;

use super::Stack;
use crate::address::{HardwareAddress, Prefix};
use crate::command::address::{AddressState, NewAddress, Origin, Scope};
use crate::command::interface::{InterfaceFlags, InterfaceStatus};
use crate::command::neighbor::NewNeighbor;
use crate::command::route::{NewRoute, RouteSelector};
use crate::driver::{Driver, DriverError, LinkState, Medium};
use crate::limits;
use crate::stack::ip::routes::Route;
use crate::stack::tcp::Slot;

impl Stack {
    /// Brings the interface up or down; tells whether that changed something. Addresses and routes
    /// stay.
    pub(crate) fn set_enabled(&mut self, enabled: bool) -> bool {
        if self.configuration.enabled == enabled {
            return false;
        }
        self.configuration.enabled = enabled;
        if !enabled {
            self.neighbors.flush(|_, _| true);
            self.output.clear();
        }
        self.running_changed();
        true
    }

    /// Takes note of the carrier.
    pub(crate) fn set_link(&mut self, link: LinkState) {
        if self.configuration.link != link {
            self.configuration.link = link;
            self.running_changed();
        }
    }

    fn running_changed(&mut self) {
        if self.is_running() {
            self.restart_groups();
            self.start_ipv6();
        }
        // What was learnt of paths need not be true of the next link's.
        self.path_mtus.clear();
        self.host.wake_senders(&mut self.wakes);
        self.dhcp_link_changed();
    }

    /// Sets the hardware address; tells whether that changed something.
    ///
    /// # Errors
    /// `AddressNotAvailable` for a group address or zero; `Unsupported` on media without one or
    /// when the driver cannot.
    pub(crate) fn set_hardware_address(
        &mut self,
        address: HardwareAddress,
        driver: &mut dyn Driver,
    ) -> Result<bool, Error> {
        if !address.is_unicast() {
            return Err(Error::AddressNotAvailable);
        }
        if self.configuration.hardware_address.is_none() {
            return Err(Error::Unsupported);
        }
        if self.configuration.hardware_address == Some(address) {
            return Ok(false);
        }
        driver.set_hardware_address(address).map_err(|error| match error {
            DriverError::Unsupported => Error::Unsupported,
            DriverError::Failed => Error::InputOutput,
        })?;
        let former = self.configuration.hardware_address.replace(address);
        self.neighbors.flush(|_, _| true);
        self.rebuild_link_local(former);
        for announced in self
            .addresses
            .iter()
            .filter_map(|entry| match entry.prefix.address() {
                IpAddr::V4(address) => Some(address),
                IpAddr::V6(_) => None,
            })
            .collect::<alloc::vec::Vec<_>>()
        {
            self.arp_announce(announced);
        }
        Ok(true)
    }

    /// A new hardware address brings new addresses made from it (RA-11).
    fn rebuild_link_local(&mut self, former: Option<HardwareAddress>) {
        let Some(former) = former else { return };
        let old = IpAddr::V6(former.link_local());
        if let Some(prefix) = self
            .addresses
            .find(old)
            .filter(|entry| entry.origin == Origin::Kernel)
            .map(|entry| entry.prefix)
        {
            // It was found just above.
            let _ = self.remove_address(prefix);
        }
        if self.is_running() {
            self.start_ipv6();
        }
    }

    /// Sets the MTU in bytes; tells whether that changed something.
    ///
    /// # Errors
    /// `InvalidInput` outside of 68 (1280 with IPv6 addresses) and what the driver carries.
    pub(crate) fn set_mtu(&mut self, mtu: u32) -> Result<bool, Error> {
        let mtu = usize::try_from(mtu).unwrap_or(usize::MAX);
        let has_ipv6 = self.addresses.iter().any(|entry| entry.prefix.address().is_ipv6());
        let minimum = if has_ipv6 { limits::MTU_MINIMUM_IPV6 } else { limits::MTU_MINIMUM };
        if !(minimum..=self.configuration.capabilities.mtu).contains(&mtu) {
            return Err(Error::InvalidInput);
        }
        if self.configuration.mtu == mtu {
            return Ok(false);
        }
        self.configuration.mtu = mtu;
        self.tcp_measure_all(None);
        Ok(true)
    }

    /// Sets the metric of the routes that come by themselves; tells whether that changed something.
    pub(crate) fn set_metric(&mut self, metric: u32) -> bool {
        if self.configuration.metric == metric {
            return false;
        }
        self.configuration.metric = metric;
        self.routes.set_metric(metric);
        true
    }

    /// Adds an address with the route that it implies.
    ///
    /// # Errors
    /// As [`Addresses::add`](super::ip::addresses::Addresses::add); `InvalidInput` for IPv6 below
    /// its smallest MTU.
    pub(crate) fn add_address(&mut self, new: &NewAddress, origin: Origin) -> Result<(), Error> {
        let needs_test = match new.prefix.address() {
            IpAddr::V6(address) => {
                !address.is_loopback()
                    && self.configuration.capabilities.medium == Medium::Ethernet
                    && !self.is_loopback()
            }
            IpAddr::V4(_) => false,
        };
        if new.prefix.address().is_ipv6() && self.configuration.mtu < limits::MTU_MINIMUM_IPV6 {
            return Err(Error::InvalidInput);
        }
        let state = if needs_test { AddressState::Tentative } else { AddressState::Preferred };
        self.addresses.add(new, origin, state)?;
        self.routes.connect(new.prefix, self.configuration.metric);
        // Whoever tests an address must hear others that do (RFC 4862 §5.4.2).
        self.follow_addresses();
        match new.prefix.address() {
            IpAddr::V6(address) if needs_test && self.is_running() => {
                self.start_duplicate_detection(address)
            }
            IpAddr::V4(address)
                if self.is_running()
                    && self.configuration.capabilities.medium == Medium::Ethernet =>
            {
                self.arp_announce(address);
            }
            _ => {}
        }
        self.addresses_changed();
        Ok(())
    }

    /// Removes an address, the route that it implied, and the connections that used it.
    ///
    /// # Errors
    /// `AddressNotAvailable`.
    pub(crate) fn remove_address(&mut self, prefix: Prefix) -> Result<(), Error> {
        let same =
            |entry: &&super::ip::addresses::Address| entry.prefix.address() == prefix.address();
        let is_last = self.addresses.iter().filter(same).map(|entry| entry.prefix).eq([prefix]);
        if is_last {
            // While the address and its route are there, so that the peers hear of it.
            self.end_connections(prefix.address());
        }
        let removed = self.addresses.remove(prefix)?;
        let network = removed.prefix.network();
        let remaining = self
            .addresses
            .iter()
            .find(|entry| entry.prefix.network() == network)
            .map(|entry| entry.prefix.address());
        self.routes.disconnect(removed.prefix, remaining);
        if !self.addresses.owns(prefix.address()) {
            self.drop_parked_from(prefix.address());
        }
        self.addresses_changed();
        Ok(())
    }

    /// Streams from an address that is gone end with an error; what they received stays readable
    /// (TCP-O-13).
    fn end_connections(&mut self, address: IpAddr) {
        let is_meant =
            |slot: &Slot| slot.flow.local.ip() == address && slot.state() != State::Closed;
        let slots = self.tcp.slots.iter().filter(|(_, slot)| is_meant(slot));
        let ended: alloc::vec::Vec<u32> = slots.map(|(index, _)| index as u32).collect();
        for index in ended {
            self.tcp_end(index, Error::ConnectionAborted);
        }
    }

    /// Ends one connection for a reason of ours.
    pub(crate) fn tcp_end(&mut self, index: u32, error: Error) {
        self.tcp_ended(index, error);
        if let Some(slot) = self.tcp.slots.get_mut(index as usize) {
            slot.fail(error);
            self.tcp_reset(index);
        }
    }

    /// The interface goes: every socket on it ends with an error, every waiter is woken (IFS-02).
    pub(crate) fn end_everything(&mut self) {
        for index in
            self.tcp.slots.iter().map(|(index, _)| index as u32).collect::<alloc::vec::Vec<_>>()
        {
            self.tcp_end(index, Error::NetworkDown);
        }
        for binding in self.datagrams.drain().into_iter().filter(|binding| binding.device) {
            binding.endpoint.fail(Error::NetworkDown, &mut self.wakes);
        }
        for binding in core::mem::take(&mut self.tcp.listeners)
            .into_values()
            .flatten()
            .filter(|binding| binding.device)
        {
            binding.listener.close(&mut self.wakes);
        }
        self.dhcp_stop();
        self.configuration.enabled = false;
        self.wakes.add(&mut self.room);
        self.host.replace(self.configuration.index, core::iter::empty());
    }

    /// Removes what commands added; tells how many addresses that were.
    pub(crate) fn flush_addresses(&mut self) -> u32 {
        let all: alloc::vec::Vec<Prefix> = self
            .addresses
            .iter()
            .filter(|entry| entry.origin == Origin::Static)
            .map(|entry| entry.prefix)
            .collect();
        // Each was listed just above.
        all.into_iter().filter(|prefix| self.remove_address(*prefix).is_ok()).count() as u32
    }

    /// The loopback interface must know what is local.
    pub(crate) fn addresses_changed(&mut self) {
        let usable = self.addresses.iter().filter(|entry| entry.is_usable());
        self.host
            .replace(self.configuration.index, usable.map(|entry| (entry.prefix, entry.broadcast)));
        self.follow_addresses();
        self.follow_routes();
    }

    /// Adds a route of this interface.
    ///
    /// # Errors
    /// As [`Routes::add`](super::ip::routes::Routes::add); `NetworkDown` while the interface is
    /// down, as Linux.
    pub(crate) fn add_route(&mut self, new: &NewRoute) -> Result<(), Error> {
        if !self.configuration.enabled {
            return Err(if new.gateway.is_some() {
                Error::NetworkUnreachable
            } else {
                Error::NetworkDown
            });
        }
        let route = Route {
            destination: new.destination,
            gateway: new.gateway,
            metric: new.metric,
            origin: Origin::Static,
            source: None,
        };
        if new
            .gateway
            .is_some_and(|gateway| gateway.is_ipv4() != new.destination.address().is_ipv4())
        {
            return Err(Error::InvalidInput);
        }
        self.routes.add(route, new.append)?;
        self.follow_routes();
        Ok(())
    }

    /// Removes a route of this interface.
    ///
    /// # Errors
    /// `NoSuchProcess`.
    pub(crate) fn remove_route(&mut self, selector: &RouteSelector) -> Result<(), Error> {
        self.routes.remove(selector)?;
        self.follow_routes();
        Ok(())
    }

    /// Adds a DNS server.
    ///
    /// # Errors
    /// `AlreadyExists`; `InvalidInput` for an address that is no station's; `NoBufferSpace`.
    pub(crate) fn add_dns_server(&mut self, server: IpAddr, origin: Origin) -> Result<(), Error> {
        if server.is_unspecified()
            || server.is_multicast()
            || matches!(server, IpAddr::V4(address) if address.is_broadcast())
        {
            return Err(Error::InvalidInput);
        }
        if self.dns_servers.iter().any(|(known, _)| *known == server) {
            return Err(Error::AlreadyExists);
        }
        self.make_room_for_server(origin)?;
        self.dns_servers.push((server, origin));
        Ok(())
    }

    /// Removes a DNS server, whoever named it.
    ///
    /// # Errors
    /// `NotFound`.
    pub(crate) fn remove_dns_server(&mut self, server: IpAddr) -> Result<(), Error> {
        let place = self
            .dns_servers
            .iter()
            .position(|(known, _)| *known == server)
            .ok_or(Error::NotFound)?;
        self.dns_servers.remove(place);
        Ok(())
    }

    /// Adds or replaces a static neighbor.
    ///
    /// # Errors
    /// `InvalidInput` for an address of ours, one that is no station's, a group hardware address,
    /// or on media without neighbors.
    pub(crate) fn add_neighbor(&mut self, new: &NewNeighbor) -> Result<(), Error> {
        let is_station = !(new.address.is_unspecified() || new.address.is_multicast())
            && new.hardware_address.is_unicast();
        let has_neighbors =
            self.configuration.capabilities.medium == Medium::Ethernet && !self.is_loopback();
        if !is_station || !has_neighbors || self.addresses.owns(new.address) {
            return Err(Error::InvalidInput);
        }
        let parked = self
            .neighbors
            .set_permanent(new.address, new.hardware_address, self.now)
            .ok_or(Error::NoBufferSpace)?;
        self.release_parked(new.address, parked);
        Ok(())
    }

    /// Removes a neighbor.
    ///
    /// # Errors
    /// `NotFound`.
    pub(crate) fn remove_neighbor(&mut self, address: IpAddr) -> Result<(), Error> {
        let parked = self.neighbors.remove(address).ok_or(Error::NotFound)?;
        self.statistics.sent_drops.neighbor += parked.len() as u64;
        parked.into_iter().for_each(|frame| self.pool.put(frame));
        Ok(())
    }

    /// The interface for people and programs.
    pub(crate) fn status(&self) -> InterfaceStatus {
        let configuration = &self.configuration;
        let bytes = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
        InterfaceStatus {
            index: configuration.index,
            name: configuration.name.clone(),
            kind: configuration.capabilities.kind,
            medium: configuration.capabilities.medium,
            enabled: configuration.enabled,
            link: configuration.link,
            flags: InterfaceFlags::of(
                configuration.capabilities.kind,
                configuration.enabled,
                configuration.link,
            ),
            hardware_address: configuration.hardware_address,
            mtu: bytes(configuration.mtu),
            mtu_maximum: bytes(configuration.capabilities.mtu),
            burst: configuration.capabilities.burst.map(bytes),
            metric: configuration.metric,
            age_micros: u64::try_from(self.now.since(configuration.since).as_micros())
                .unwrap_or(u64::MAX),
        }
    }

    /// Addresses for people and programs.
    pub(crate) fn address_entries(&self) -> alloc::vec::Vec<crate::command::address::AddressEntry> {
        let now = self.now;
        let seconds = |until: Option<crate::platform::Instant>| {
            until.map(|until| u32::try_from(until.since(now).as_secs()).unwrap_or(u32::MAX))
        };
        let entry =
            |address: &super::ip::addresses::Address| crate::command::address::AddressEntry {
                prefix: address.prefix,
                broadcast: address.broadcast.filter(|_| address.scope() != Scope::Host),
                origin: address.origin,
                state: address.state,
                scope: address.scope(),
                valid_seconds: seconds(address.valid_until.or_else(|| self.dhcp_ends(address))),
                preferred_seconds: seconds(
                    address.preferred_until.or_else(|| self.dhcp_ends(address)),
                ),
            };
        self.addresses.iter().map(entry).collect()
    }

    /// Routes for people and programs.
    pub(crate) fn route_entries(
        &self,
    ) -> impl Iterator<Item = crate::command::route::RouteEntry> + '_ {
        self.routes.iter().map(|route| self.route_entry(route))
    }

    /// One route for people and programs.
    pub(crate) fn route_entry(&self, route: &Route) -> crate::command::route::RouteEntry {
        crate::command::route::RouteEntry {
            destination: route.destination,
            gateway: route.gateway,
            metric: route.metric,
            origin: route.origin,
            source: route.source,
            interface: self.configuration.name.clone(),
            usable: self.is_running(),
        }
    }
}
