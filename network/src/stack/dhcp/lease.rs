//! A lease: parsing an ACK, applying and declining it.

use alloc::string::String;
use alloc::vec::Vec;
use core::net::{IpAddr, Ipv4Addr};
use core::time::Duration;

use virtual_file_system::Error;

use super::{Action, DhcpClient};
use crate::address::Prefix;
use crate::command::address::{NewAddress, Origin};
use crate::command::dhcp::DhcpState;
use crate::dhcp_message::{DhcpMessage, MessageKind, option};
use crate::limits;
use crate::platform::Instant;
use crate::stack::context::Context;
use crate::stack::ip::Ip;
use crate::stack::routes::Route;

/// The wait between DHCPDECLINE and the next DHCPDISCOVER (RFC 2131 §3.1 (5)).
const DECLINE_WAIT: Duration = Duration::from_secs(10);
/// The lease time in seconds when the server does not give one.
const LEASE_DEFAULT: u32 = 3600;

/// A lease.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Lease {
    pub(crate) address: Prefix,
    pub(super) server: Ipv4Addr,
    pub(crate) router: Option<Ipv4Addr>,
    pub(crate) dns_servers: Vec<IpAddr>,
    pub(super) domain: Option<String>,
    pub(super) seconds: u32,
    pub(super) renew_at: Instant,
    pub(super) rebind_at: Instant,
    pub(super) end_at: Instant,
}

impl Lease {
    /// Adds the address and the default route of the lease; on renewal the address is already
    /// there.
    ///
    /// # Errors
    /// Those of adding the address.
    pub(crate) fn apply(
        &self,
        cx: &mut Context,
        ip: &mut Ip,
        is_renewed: bool,
    ) -> Result<(), Error> {
        if !is_renewed {
            let new = NewAddress { prefix: self.address, broadcast: None };
            match ip.add_address(cx, &new, Origin::Dhcp) {
                // A manual address of the same prefix stays manual (IP4-08).
                Ok(()) | Err(Error::AlreadyExists) => {}
                Err(error) => return Err(error),
            }
            if let IpAddr::V4(address) = self.address.address() {
                ip.link.announce(cx, address);
            }
        }
        ip.routes.remove_origin(Origin::Dhcp);
        if let Some(router) = self.router {
            let route = Route {
                destination: Prefix::DEFAULT_IPV4,
                gateway: Some(IpAddr::V4(router)),
                metric: cx.configuration.metric,
                origin: Origin::Dhcp,
                source: None,
            };
            // A router outside the network is unusable and skipped, and a static route to the same
            // destination stays first.
            let _ = ip.routes.add(route, true);
        }
        ip.routes_changed(cx);
        Ok(())
    }
}

impl DhcpClient {
    /// Parses a lease; `None` when it is unusable.
    pub(super) fn read_lease(&self, message: &DhcpMessage, server: Ipv4Addr) -> Option<Lease> {
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
        // T1 < T2 < lease time, whatever the server sends.
        let rebind = message
            .seconds_option(option::REBINDING_TIME)
            .filter(|rebind| *rebind < seconds)
            .unwrap_or(seconds / 8 * 7);
        let renew = message
            .seconds_option(option::RENEWAL_TIME)
            .filter(|renew| *renew < rebind)
            .unwrap_or(rebind.min(seconds / 2));
        let after = |seconds: u32| self.requested_at.after(Duration::from_secs(u64::from(seconds)));
        let domain =
            message.option(option::DOMAIN).and_then(|bytes| core::str::from_utf8(bytes).ok());
        is_unicast_host(address).then_some(())?;
        Some(Lease {
            address: Prefix::new(IpAddr::V4(address), length).ok()?,
            server,
            router: message
                .address_option(option::ROUTER)
                .filter(|router| is_unicast_host(*router)),
            dns_servers: message
                .address_options(option::DNS_SERVERS)
                .filter(|server| is_unicast_host(*server))
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

    /// The address of the lease and when it ends; none for an infinite lease (RFC 2131 §3.3).
    pub(crate) fn lease_end(&self) -> Option<(Prefix, Instant)> {
        let lease = self.lease.as_ref()?;
        (lease.seconds != u32::MAX).then_some((lease.address, lease.end_at))
    }

    /// Declines the lease, whose address is in use, and restarts after a while.
    pub(crate) fn decline(&mut self, cx: &mut Context, ip: &mut Ip, lease: &Lease) {
        let mut message = self.message(cx, MessageKind::Decline);
        if let IpAddr::V4(address) = lease.address.address() {
            message.push(option::REQUESTED_ADDRESS, &address.octets());
        }
        message.push(option::SERVER_IDENTIFIER, &lease.server.octets());
        self.broadcast(cx, ip, &message);
        self.pause(cx);
    }

    /// Restarts after a while: an immediate DHCPDISCOVER would get the same offer.
    pub(super) fn pause(&mut self, cx: &mut Context) {
        self.candidate = None;
        self.attempts = 0;
        self.transaction = cx.random.u32();
        self.state = Some(DhcpState::Selecting);
        let deadline = cx.now.after(DECLINE_WAIT);
        self.arm(cx, deadline);
    }

    /// The probe found no conflict: the lease can be applied.
    pub(super) fn accept(&mut self) -> Action {
        let Some(lease) = self.checked.take() else { return Action::Nothing };
        let former = self.lease.take_if(|known| known.address != lease.address);
        Action::Apply { lease, former }
    }

    /// True while there is a lease.
    pub(crate) const fn has_lease(&self) -> bool {
        self.lease.is_some()
    }

    /// The lease is applied: moves to BOUND.
    pub(crate) fn bind(&mut self, cx: &mut Context, lease: Lease) {
        let renew_at = lease.renew_at;
        self.lease = Some(lease);
        self.state = Some(DhcpState::Bound);
        self.refusals = 0;
        self.attempts = 0;
        self.arm(cx, renew_at.max(cx.now.after(Duration::from_secs(1))));
        cx.wakes.add(&mut self.waiters);
    }

    /// Processes an ARP packet of `sender` about `target` during the probe. When another host uses
    /// or probes for the address, the client declines it and this returns true.
    pub(crate) fn is_contested(
        &mut self,
        cx: &mut Context,
        ip: &mut Ip,
        sender: Ipv4Addr,
        target: Ipv4Addr,
    ) -> bool {
        if self.state() != DhcpState::Checking {
            return false;
        }
        let is_contested = |lease: &mut Lease| {
            let tested = lease.address.address();
            IpAddr::V4(sender) == tested
                || (sender.is_unspecified() && IpAddr::V4(target) == tested)
        };
        let Some(lease) = self.checked.take_if(is_contested) else { return false };
        self.decline(cx, ip, &lease);
        true
    }
}

/// True for a unicast address.
pub(super) fn is_unicast_host(address: Ipv4Addr) -> bool {
    !(address.is_unspecified()
        || address.is_multicast()
        || address.is_broadcast()
        || address.is_loopback())
}
