//! The IPv4 addresses of a wireless interface that becomes a station or an access point.
//!
//! `control` calls it when the radio has changed already. What fails changes nothing; what
//! succeeded is undone with [`Former::restore`] until [`Former::replace`] removes what the
//! interface had as the other role. Addresses of the former role stay until then, so that a switch
//! that fails costs no connection.

use alloc::vec::Vec;

use devnet_virtual_file_system::Error;

use super::Stack;
use super::dhcp::DhcpClient;
use super::dhcp_server::DhcpServer;
use crate::address::Prefix;
use crate::command::address::{NewAddress, Origin};
use crate::command::dhcp::DhcpClientOptions;
use crate::command::dhcp_server::DhcpServerOptions;
use crate::configuration::DesiredServer;

/// What the interface was.
pub(crate) struct Former {
    was_enabled: bool,
    client: Option<DhcpClientOptions>,
    role: Role,
}

/// What it became.
enum Role {
    Station {
        /// The server of the access point, with its leases; it serves nobody meanwhile.
        server: DhcpServer,
    },
    AccessPoint {
        address: Prefix,
        /// The address was not there before.
        is_new: bool,
        serves: bool,
        /// What the server was before.
        server: Option<DesiredServer>,
    },
}

/// Starts the DHCP client.
///
/// # Errors
/// As [`DhcpClient::check`].
pub(crate) fn become_station(
    stack: &mut Stack,
    options: DhcpClientOptions,
) -> Result<Former, Error> {
    DhcpClient::check(&stack.context, &options)?;
    let was_enabled = stack.context.configuration.enabled;
    let client = stack.dhcp.asked();
    let role = Role::Station { server: stack.dhcp_server.suspend() };
    let former = Former { was_enabled, client, role };
    start_client(stack, options, former.client.is_some());
    stack.set_enabled(true);
    Ok(former)
}

/// Adds the address and starts the DHCP server.
///
/// # Errors
/// `InvalidInput` for an address of IPv6; else those of `AddAddress` and `StartDhcpServer`.
pub(crate) fn become_access_point(
    stack: &mut Stack,
    address: Prefix,
    options: Option<DhcpServerOptions>,
) -> Result<Former, Error> {
    if address.address().is_ipv6() {
        return Err(Error::InvalidInput);
    }
    let is_new = !statics(stack).contains(&address);
    if is_new {
        let new = NewAddress { prefix: address, broadcast: None };
        stack.ip.add_address(&mut stack.context, &new, Origin::Static)?;
    }
    let (serves, server) = (options.is_some(), stack.dhcp_server.asked());
    if let Some(options) = options {
        let outcome = stack.dhcp_server.start(&mut stack.context, &stack.ip, options);
        if let Err(error) = outcome {
            if is_new {
                // It was added just above.
                let _ = stack.remove_address(address);
            }
            return Err(error);
        }
    }
    let was_enabled = stack.context.configuration.enabled;
    stack.set_enabled(true);
    let role = Role::AccessPoint { address, is_new, serves, server };
    Ok(Former { was_enabled, client: stack.dhcp.asked(), role })
}

impl Former {
    /// Removes what the interface had as the other role.
    pub(crate) fn replace(self, stack: &mut Stack) {
        let kept = match self.role {
            Role::Station { mut server } => {
                server.stop(&mut stack.context);
                None
            }
            Role::AccessPoint { address, serves, .. } => {
                stack.stop_dhcp();
                if !serves {
                    stack.dhcp_server.stop(&mut stack.context);
                }
                Some(address)
            }
        };
        for prefix in statics(stack) {
            if Some(prefix) != kept {
                // It was listed just above.
                let _ = stack.remove_address(prefix);
            }
        }
    }

    /// Makes the interface again what it was.
    pub(crate) fn restore(self, stack: &mut Stack) {
        match self.role {
            Role::Station { server } => {
                match self.client {
                    Some(options) => start_client(stack, options, true),
                    None => {
                        stack.stop_dhcp();
                    }
                }
                stack.dhcp_server.resume(&mut stack.context, server);
            }
            Role::AccessPoint { address, is_new, server, .. } => {
                let Stack { context: cx, ip, dhcp_server, .. } = &mut *stack;
                // It was so a moment ago.
                let _ = dhcp_server.carry_out(cx, ip, server.as_ref());
                if is_new {
                    let _ = stack.remove_address(address);
                }
            }
        }
        stack.set_enabled(self.was_enabled);
    }
}

/// Starts the client with options that were checked. One that runs asks in the network that it is
/// in now whether its lease holds there (RFC 2131 §3.2).
fn start_client(stack: &mut Stack, options: DhcpClientOptions, is_running: bool) {
    let Stack { context: cx, ip, dhcp, .. } = stack;
    // The options were checked.
    let _ = dhcp.start(cx, ip, options);
    if is_running {
        dhcp.link_changed(cx, ip);
    }
}

/// The IPv4 addresses that commands added.
fn statics(stack: &Stack) -> Vec<Prefix> {
    let prefixes = stack.ip.addresses.prefixes_of(Origin::Static);
    prefixes.into_iter().filter(|prefix| prefix.address().is_ipv4()).collect()
}
