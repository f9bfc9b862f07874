//! Carries out what the DHCP client decides about its lease, on the parts of the stack that a lease
//! configures: addresses, routes, name servers.

use super::autoconfiguration::Autoconfiguration;
use super::context::Context;
use super::dhcp::{Action, DhcpClient, Lease};
use super::ip::Ip;
use super::name_servers::NameServers;
use super::transport::Transport;
use crate::command::address::Origin;
use crate::trace::event;

/// The parts.
pub(super) struct Leased<'a> {
    pub(super) cx: &'a mut Context,
    pub(super) ip: &'a mut Ip,
    pub(super) transport: &'a mut Transport,
    pub(super) dhcp: &'a mut DhcpClient,
    pub(super) names: &'a mut NameServers,
    pub(super) autoconfiguration: &'a mut Autoconfiguration,
}

impl Leased<'_> {
    /// Carries out an action.
    pub(super) fn apply(mut self, action: Action) {
        match action {
            Action::Nothing => {}
            Action::Withdraw(lease) => self.withdraw(&lease),
            Action::Apply { lease, former } => {
                former.iter().for_each(|former| self.withdraw(former));
                if lease.apply(self.cx, self.ip, self.dhcp.has_lease()).is_err() {
                    return self.dhcp.decline(self.cx, self.ip, &lease);
                }
                self.names.remove_origin(Origin::Dhcp);
                lease.add_domains(self.names);
                for server in &lease.dns_servers {
                    // A server that is already configured, or does not fit, is skipped.
                    if let Ok(Some(evicted)) = self.names.add(*server, Origin::Dhcp) {
                        self.autoconfiguration.forget_server(evicted);
                    }
                }
                self.dhcp.bind(self.cx, lease);
            }
        }
    }

    /// Removes what the lease added.
    fn withdraw(&mut self, lease: &Lease) {
        event!(self.cx, info, "devnet::dhcp", "lease of {} is gone", lease.address);
        self.names.remove_origin(Origin::Dhcp);
        self.ip.routes.remove_origin(Origin::Dhcp);
        let prefix = self.ip.addresses.prefix_of(lease.address.address(), Origin::Dhcp);
        match prefix {
            // It was found just above.
            Some(prefix) => drop(self.transport.remove_address(self.cx, self.ip, prefix)),
            None => self.ip.addresses_changed(self.cx),
        }
    }
}
