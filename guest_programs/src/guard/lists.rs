//! Lists over all interfaces for a guest that does not see them all, joined from those of the
//! interfaces that it sees.

use alloc::vec::Vec;

use devnet_network::command::{
    ApplyConfiguration, CheckConfiguration, ExportConfiguration, ListNeighbors, ListRouteDetails,
    ListRoutes, ListSockets, Request,
};
use devnet_virtual_file_system::{
    ControlCommand, Error, Identifier, ListEncoder, OpenFlags, Result,
};

use super::Guard;

/// True for a list that may be so long that the device makes it in several turns.
pub(crate) fn is_long(identifier: Identifier) -> bool {
    [
        ListNeighbors::IDENTIFIER,
        ListRoutes::IDENTIFIER,
        ListRouteDetails::IDENTIFIER,
        ListSockets::IDENTIFIER,
        ExportConfiguration::IDENTIFIER,
        ApplyConfiguration::IDENTIFIER,
        CheckConfiguration::IDENTIFIER,
    ]
    .contains(&identifier)
}

/// True for a list over all interfaces, which [`Guard::list`] answers.
pub(super) const fn is_list(request: &Request) -> bool {
    matches!(
        request,
        Request::ListInterfaces(())
            | Request::ListInterfaceDetails(())
            | Request::ListAddresses(())
            | Request::ListRoutes(())
            | Request::ListRoutePreferences(())
            | Request::ListMultipathRoutes(())
            | Request::ListAddressDetails(())
            | Request::ListAutoconfiguration(())
            | Request::ListRouteDetails(())
            | Request::ListDnsServers(())
            | Request::ListNeighbors(())
            | Request::ListProxies(())
            | Request::ListSockets(())
            | Request::ListGroups(())
            | Request::ListGroupDetails(())
            | Request::ListMulticastDns(())
            | Request::ListFirewall(())
            | Request::ListFlows(())
    )
}

impl Guard {
    /// Answers a command that lists: queries each visible interface and joins the responses.
    pub(super) async fn list(&self, request: &Request) -> Result<Vec<u8>> {
        if !is_list(request) {
            return Err(Error::PermissionDenied);
        }
        let mut all = ListEncoder::default();
        for name in self.devices.visible_interfaces()? {
            let listed = match self.devices.open_interface(&name, OpenFlags::READ) {
                Ok(file) => file.control_raw(request.identifier(), &[]).await,
                Err(error) => Err(error),
            };
            match listed {
                Ok(list) => all.append(&list)?,
                // The interface has been removed meanwhile.
                Err(Error::NoDevice | Error::NotFound) => {}
                Err(error) => return Err(error),
            }
        }
        all.finish()
    }
}
