//! Lists over all interfaces for a guest that does not see them all, assembled from the interfaces
//! that it sees.

use alloc::vec::Vec;

use devnet_network::command::{
    ListAddressDetails, ListAddresses, ListDnsServers, ListGroups, ListInterfaces, ListNeighbors,
    ListRouteDetails, ListRoutePreferences, ListRoutes, ListSockets, Request,
};
use devnet_virtual_file_system::{ControlCommand, Error, OpenFlags, Result, encode};

use super::Guard;

impl Guard {
    /// Answers a command that lists.
    pub(super) async fn list(&self, request: &Request) -> Result<Vec<u8>> {
        match request {
            Request::ListInterfaces(()) => self.gather::<ListInterfaces, _>(),
            Request::ListAddresses(()) => self.gather::<ListAddresses, _>(),
            Request::ListRoutes(()) => self.gather::<ListRoutes, _>(),
            Request::ListRoutePreferences(()) => self.gather::<ListRoutePreferences, _>(),
            Request::ListAddressDetails(()) => self.gather::<ListAddressDetails, _>(),
            Request::ListRouteDetails(()) => self.gather::<ListRouteDetails, _>(),
            Request::ListDnsServers(()) => self.gather::<ListDnsServers, _>(),
            Request::ListNeighbors(()) => self.gather::<ListNeighbors, _>(),
            Request::ListSockets(()) => self.gather::<ListSockets, _>(),
            Request::ListGroups(()) => self.gather::<ListGroups, _>(),
            _ => Err(Error::PermissionDenied),
        }
    }

    /// Queries each visible interface and joins the responses.
    fn gather<C, T>(&self) -> Result<Vec<u8>>
    where
        C: ControlCommand<Request = (), Response = Vec<T>>,
        Vec<T>: serde::Serialize,
    {
        let mut all = Vec::new();
        for name in self.devices.visible_interfaces()? {
            match self
                .devices
                .open_interface(&name, OpenFlags::READ)
                .and_then(|file| file.try_control::<C>(&()))
            {
                Ok(list) => all.extend(list),
                // The interface has been removed meanwhile.
                Err(Error::NoDevice | Error::NotFound) => {}
                Err(error) => return Err(error),
            }
        }
        encode(&all)
    }
}
