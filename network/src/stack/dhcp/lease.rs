//! A lease: read from an ACK, put into effect, taken back.

use alloc::string::String;
use alloc::vec::Vec;
use core::net::{IpAddr, Ipv4Addr};
use core::time::Duration;

use virtual_file_system::Error;

use crate::address::Prefix;
use crate::command::address::{NewAddress, Origin};
use crate::command::dhcp::DhcpState;
use crate::dhcp_message::{DhcpMessage, MessageKind, option};
use crate::limits;
use crate::platform::Instant;
use crate::stack::Stack;
use crate::stack::ip::addresses::Address;
use crate::stack::ip::routes::Route;

/// Between DECLINE and the next DISCOVER (RFC 2131 §3.1 (5)).
const DECLINE_WAIT: Duration = Duration::from_secs(10);
/// Seconds of a lease that a server granted without saying how long.
const LEASE_DEFAULT: u32 = 3600;

/// What a server granted.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Lease {
    pub(super) address: Prefix,
    pub(super) server: Ipv4Addr,
    pub(super) router: Option<Ipv4Addr>,
    pub(super) dns_servers: Vec<IpAddr>,
    pub(super) domain: Option<String>,
    pub(super) seconds: u32,
    pub(super) renew_at: Instant,
    pub(super) rebind_at: Instant,
    pub(super) end_at: Instant,
}

impl Stack {
    /// Reads a lease; `None` when it grants nothing that can be used.
    pub(super) fn dhcp_lease(&self, message: &DhcpMessage, server: Ipv4Addr) -> Option<Lease> {
        let address = message.your_address;
        let class_length = match address.octets().first()? {
            0..128 => 8,
            128..192 => 16,
            _ => 24,
        };
        let length = match message.address_option(option::SUBNET_MASK) {
            Some(mask) => Prefix::length_of_netmask(mask).ok()?,
            None => class_length,
        };
        let seconds = message.seconds_option(option::LEASE_TIME).unwrap_or(LEASE_DEFAULT).max(1);
        // T1 < T2 < lease, whatever the server says.
        let rebind = message
            .seconds_option(option::REBINDING_TIME)
            .filter(|rebind| *rebind < seconds)
            .unwrap_or(seconds / 8 * 7);
        let renew = message
            .seconds_option(option::RENEWAL_TIME)
            .filter(|renew| *renew < rebind)
            .unwrap_or(rebind.min(seconds / 2));
        let after =
            |seconds: u32| self.dhcp.requested_at.after(Duration::from_secs(u64::from(seconds)));
        let domain =
            message.option(option::DOMAIN).and_then(|bytes| core::str::from_utf8(bytes).ok());
        is_station(address).then_some(())?;
        Some(Lease {
            address: Prefix::new(IpAddr::V4(address), length).ok()?,
            server,
            router: message.address_option(option::ROUTER).filter(|router| is_station(*router)),
            dns_servers: message
                .address_options(option::DNS_SERVERS)
                .filter(|server| is_station(*server))
                .map(IpAddr::V4)
                .take(limits::DNS_SERVERS)
                .collect(),
            domain: domain.map(|domain| String::from(domain.trim_end_matches('\0'))),
            seconds,
            renew_at: after(renew),
            rebind_at: after(rebind),
            end_at: after(seconds),
        })
    }

    /// When the address ends with its lease; none for one that the lease did not bring, or that it
    /// brought for ever (RFC 2131 §3.3).
    pub(crate) fn dhcp_ends(&self, address: &Address) -> Option<Instant> {
        let lease = self.dhcp.lease.as_ref()?;
        let is_its = address.origin == Origin::Dhcp && address.prefix == lease.address;
        (is_its && lease.seconds != u32::MAX).then_some(lease.end_at)
    }

    /// Puts the granted lease into effect.
    pub(super) fn dhcp_accept(&mut self) {
        let Some(lease) = self.dhcp.checked.take() else { return };
        let is_new = self.dhcp.lease.as_ref().is_none_or(|known| known.address != lease.address);
        if is_new {
            self.dhcp_withdraw();
            let new = NewAddress { prefix: lease.address, broadcast: None };
            match self.add_address(&new, Origin::Dhcp) {
                // A manual address of the same name stays manual (IP4-08).
                Ok(()) | Err(Error::AlreadyExists) => {}
                Err(_) => return self.dhcp_decline(&lease),
            }
            if let IpAddr::V4(address) = lease.address.address() {
                self.arp_announce(address);
            }
        }
        self.routes.remove_origin(Origin::Dhcp);
        if let Some(router) = lease.router {
            let route = Route {
                destination: Prefix::DEFAULT_IPV4,
                gateway: Some(IpAddr::V4(router)),
                metric: self.configuration.metric,
                origin: Origin::Dhcp,
                source: None,
            };
            // A router outside the network is unusable and left out, and a static route to the same
            // place stays first.
            let _ = self.routes.add(route, true);
        }
        self.dns_servers.retain(|(_, origin)| *origin != Origin::Dhcp);
        for server in &lease.dns_servers {
            // A server named by hand, or one too many, is left as it is.
            let _ = self.add_dns_server(*server, Origin::Dhcp);
        }
        let renew_at = lease.renew_at;
        self.dhcp.lease = Some(lease);
        self.dhcp.state = Some(DhcpState::Bound);
        self.dhcp.refusals = 0;
        self.dhcp.attempts = 0;
        self.dhcp_arm(renew_at.max(self.now.after(Duration::from_secs(1))));
        self.wakes.add(&mut self.dhcp.waiters);
    }

    pub(super) fn dhcp_decline(&mut self, lease: &Lease) {
        let mut message = self.dhcp_message(MessageKind::Decline);
        if let IpAddr::V4(address) = lease.address.address() {
            message.push(option::REQUESTED_ADDRESS, &address.octets());
        }
        message.push(option::SERVER_IDENTIFIER, &lease.server.octets());
        self.dhcp_broadcast(&message);
        self.dhcp_pause();
    }

    /// Begins anew after a while: asking at once would be answered in the same way.
    pub(super) fn dhcp_pause(&mut self) {
        self.dhcp.candidate = None;
        self.dhcp.attempts = 0;
        self.dhcp.transaction = self.random.u32();
        self.dhcp.state = Some(DhcpState::Selecting);
        self.dhcp_arm(self.now.after(DECLINE_WAIT));
    }

    /// An ARP packet shows that somebody else uses, or probes for, the address under test.
    pub(crate) fn dhcp_conflict(&mut self, sender: Ipv4Addr, target: Ipv4Addr) -> bool {
        let Some(lease) =
            self.dhcp.checked.clone().filter(|_| self.dhcp.state() == DhcpState::Checking)
        else {
            return false;
        };
        let tested = lease.address.address();
        if IpAddr::V4(sender) != tested
            && !(sender.is_unspecified() && IpAddr::V4(target) == tested)
        {
            return false;
        }
        self.dhcp.checked = None;
        self.dhcp_decline(&lease);
        true
    }

    /// Takes back what the lease brought.
    pub(super) fn dhcp_withdraw(&mut self) {
        let Some(lease) = self.dhcp.lease.take() else { return };
        self.routes.remove_origin(Origin::Dhcp);
        self.dns_servers.retain(|(_, origin)| *origin != Origin::Dhcp);
        if self
            .addresses
            .find(lease.address.address())
            .is_some_and(|entry| entry.origin == Origin::Dhcp)
        {
            // It was found just above.
            let _ = self.remove_address(lease.address);
        }
        self.addresses_changed();
    }
}

/// True for an address that one station can have.
pub(super) fn is_station(address: Ipv4Addr) -> bool {
    !(address.is_unspecified()
        || address.is_multicast()
        || address.is_broadcast()
        || address.is_loopback())
}
