//! The multicast groups of a socket, counted per socket and interface; closing the socket leaves
//! all of them (MC-11).

#[cfg(feature = "edge-nal")]
use alloc::string::String;
use alloc::sync::Arc;
use core::net::IpAddr;
#[cfg(feature = "edge-nal")]
use core::net::Ipv4Addr;

use devnet_virtual_file_system::Error;

use super::DatagramSocket;
use crate::interface::Interface;
use crate::limits;

impl DatagramSocket {
    /// Joins a multicast group on an interface; without a name on the socket's own, or on the one
    /// of the route to the group. Datagrams to the group then reach every socket that is bound to
    /// their port and to the group or a wildcard (IP_ADD_MEMBERSHIP).
    ///
    /// # Errors
    /// `InvalidInput` for an address that is no group; `NoDevice`; `AddressInUse` when the socket
    /// is a member already; `NoBufferSpace` beyond [`limits::MEMBERSHIPS`];
    /// `AddressFamilyNotSupported`; `Unsupported` without the feature `multicast`.
    pub fn join_group(&self, group: IpAddr, interface: Option<&str>) -> Result<(), Error> {
        if !cfg!(feature = "multicast") {
            return Err(Error::Unsupported);
        }
        let interface = self.membership_interface(group, interface)?;
        let membership = (group, interface.index);
        self.state.with(|state| {
            if state.memberships.contains(&membership) {
                return Err(Error::AddressInUse);
            }
            if state.memberships.len() >= limits::MEMBERSHIPS {
                return Err(Error::NoBufferSpace);
            }
            state.memberships.push(membership);
            Ok(())
        })?;
        let joined =
            interface.change_and_transmit(|stack| stack.ip.join_group(&mut stack.context, group));
        if joined.is_err() {
            self.state.with(|state| state.memberships.retain(|known| *known != membership));
        }
        joined
    }

    /// Leaves a group that this socket joined (IP_DROP_MEMBERSHIP).
    ///
    /// # Errors
    /// `AddressNotAvailable` when the socket is not a member; else as
    /// [`join_group`](Self::join_group).
    pub fn leave_group(&self, group: IpAddr, interface: Option<&str>) -> Result<(), Error> {
        let interface = self.membership_interface(group, interface)?;
        let membership = (group, interface.index);
        self.state.with(|state| {
            let place = state.memberships.iter().position(|known| *known == membership);
            place.map(|place| state.memberships.remove(place)).ok_or(Error::AddressNotAvailable)
        })?;
        interface.change_and_transmit(|stack| stack.ip.leave_group(&mut stack.context, group));
        Ok(())
    }

    /// The name of the interface with this address; none for the unspecified address.
    #[cfg(feature = "edge-nal")]
    pub(in crate::socket) fn interface_with(
        &self,
        address: Ipv4Addr,
    ) -> Result<Option<String>, Error> {
        let owns = |interface: &&Arc<Interface>| {
            interface.read(|stack| stack.ip.addresses.owns(address.into()))
        };
        if address.is_unspecified() {
            return Ok(None);
        }
        let interfaces = self.place.all.list();
        let found = interfaces.iter().find(owns).map(|interface| interface.name());
        found.map(Some).ok_or(Error::NoDevice)
    }

    /// The name of the interface with this index; none for 0.
    #[cfg(feature = "edge-nal")]
    pub(in crate::socket) fn interface_at(&self, index: u32) -> Result<Option<String>, Error> {
        if index == 0 {
            return Ok(None);
        }
        let found = self.place.all.at(index).map(|interface| interface.name());
        found.map(Some).ok_or(Error::NoDevice)
    }

    /// The interface on which a group is joined.
    fn membership_interface(
        &self,
        group: IpAddr,
        name: Option<&str>,
    ) -> Result<Arc<Interface>, Error> {
        if !group.is_multicast() {
            return Err(Error::InvalidInput);
        }
        if !self.supports(group) {
            return Err(Error::AddressFamilyNotSupported);
        }
        let (device, settings) = self.state.with(|state| (state.device.clone(), state.settings));
        match (name, device) {
            (Some(name), Some(device)) if !device.is_named(name) => Err(Error::InvalidInput),
            (_, Some(device)) => Ok(device),
            (Some(name), None) => self.find(name),
            (None, None) => self
                .find_route(None, group, None, &settings)
                .map(|(interface, _)| interface)
                .map_err(|_| Error::NoDevice),
        }
    }

    /// Leaves every group.
    pub(super) fn leave_all(&self) {
        if !cfg!(feature = "multicast") {
            return;
        }
        for (group, index) in self.state.with(|state| core::mem::take(&mut state.memberships)) {
            // A removed interface has left its groups.
            if let Some(interface) = self.place.all.at(index) {
                interface
                    .change_and_transmit(|stack| stack.ip.leave_group(&mut stack.context, group));
            }
        }
    }
}
