//! Carries out what the DHCP client decides about its lease, on the parts of the stack that a lease
//! configures: addresses, routes, name servers.

use alloc::vec::Vec;
use core::net::IpAddr;

use super::autoconfiguration::Autoconfiguration;
use super::context::Context;
use super::dhcp::fallback::Fall;
use super::dhcp::{Action, DhcpClient, Lease};
use super::ip::Ip;
use super::name_servers::NameServers;
use super::routes::Route;
use super::transport::Transport;
use crate::address::Prefix;
use crate::command::address::{NewAddress, Origin};
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
            Action::Fall(fall) => self.fall(fall),
            Action::Rise(prefix) => self.rise(prefix),
            Action::Apply { lease, former } => {
                former.iter().for_each(|former| self.withdraw(former));
                if let Action::Rise(prefix) = self.dhcp.rise() {
                    self.rise(prefix);
                }
                if lease.apply(self.cx, self.ip, self.dhcp.has_lease()).is_err() {
                    return self.dhcp.decline(self.cx, self.ip, &lease);
                }
                self.names.remove_lease();
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

    /// Adds the address of the fall-back and its route. One that is there already stays what it is.
    fn fall(&mut self, fall: Fall) {
        let new = NewAddress { prefix: fall.prefix, broadcast: None };
        if self.ip.add_address(self.cx, &new, Origin::Dhcp).is_err() {
            return;
        }
        let metric = self.cx.configuration.metric;
        let route = |gateway| {
            let gateway = Some(IpAddr::V4(gateway));
            Route::new(Prefix::DEFAULT_IPV4, gateway, metric, Origin::Dhcp)
        };
        let routes: Vec<Route> = fall.gateway.map(route).into_iter().collect();
        self.ip.routes.replace_leased(&routes);
        self.ip.routes_changed(self.cx);
    }

    /// Removes what the lease added.
    fn withdraw(&mut self, lease: &Lease) {
        event!(self.cx, info, "devnet::dhcp", "lease of {} is gone", lease.address);
        self.names.remove_lease();
        self.rise(lease.address);
    }

    /// Removes an address of the client's and the routes with it.
    fn rise(&mut self, prefix: Prefix) {
        self.ip.routes.replace_leased(&[]);
        match self.ip.addresses.prefix_of(prefix.address(), Origin::Dhcp) {
            // It was found just above.
            Some(prefix) => drop(self.transport.remove_address(self.cx, self.ip, prefix)),
            None => self.ip.addresses_changed(self.cx),
        }
    }
}
