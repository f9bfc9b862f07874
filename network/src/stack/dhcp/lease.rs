//! A lease: parsing an ACK, applying and declining it.

use alloc::string::String;
use alloc::vec::Vec;
use core::net::{IpAddr, Ipv4Addr};
use core::time::Duration;

use devnet_virtual_file_system::Error;

use super::DhcpClient;
use super::fallback::Fall;
use super::options::{self, LeasedRoute, is_leasable, is_unicast_host};
use crate::address::Prefix;
use crate::command::address::{NewAddress, Origin};
use crate::command::dhcp::DhcpState;
use crate::dhcp_message::{DhcpMessage, MessageKind, option};
use crate::limits;
use crate::platform::Instant;
use crate::stack::context::Context;
use crate::stack::ip::Ip;
use crate::stack::link::ArpMessage;
use crate::stack::name_servers::NameServers;
use crate::stack::routes::Route;
use crate::trace::event;

/// The wait between DHCPDECLINE and the next DHCPDISCOVER (RFC 2131 §3.1 (5)).
const DECLINE_WAIT: Duration = Duration::from_secs(10);
/// MIN_V6ONLY_WAIT (RFC 8925 §3.4).
const IPV6_ONLY_WAIT_MINIMUM: Duration = Duration::from_secs(300);
/// The lease time in seconds when the server does not give one.
const LEASE_DEFAULT: u32 = 3600;

/// A lease.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Lease {
    pub(crate) address: Prefix,
    pub(super) server: Ipv4Addr,
    pub(super) routes: Vec<LeasedRoute>,
    pub(crate) dns_servers: Vec<IpAddr>,
    pub(super) domain: Option<String>,
    /// Everything that the server sent.
    pub(super) options: Vec<(u8, Vec<u8>)>,
    /// The domains in which short names are looked up.
    search: Vec<String>,
    pub(super) seconds: u32,
    pub(super) renew_at: Instant,
    pub(super) rebind_at: Instant,
    pub(super) end_at: Instant,
}

impl Lease {
    /// Adds the address and the routes of the lease; on renewal the address is already there.
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
        let routes = self.routes_to_add(cx.configuration.metric);
        // A gateway outside the network is unusable and skipped, and a static route to the same
        // destination stays first.
        ip.routes.replace_leased(&routes);
        ip.routes_changed(cx);
        Ok(())
    }

    /// The routes in the order in which they are added. A lease of a single address has no network
    /// that contains its gateways: each is on-link by a route of its own.
    fn routes_to_add(&self, metric: u32) -> Vec<Route> {
        let route = |destination, gateway| Route::new(destination, gateway, metric, Origin::Dhcp);
        let is_single = self.address == Prefix::host(self.address.address());
        let mut routes: Vec<Route> = Vec::new();
        for (destination, gateway) in &self.routes {
            let gateway = gateway.map(IpAddr::V4);
            if let Some(gateway) = gateway.filter(|_| is_single) {
                let on_link = route(Prefix::host(gateway), None);
                let covers =
                    |known: &Route| known.is_on_link() && known.destination.contains(gateway);
                if !routes.iter().any(covers) {
                    routes.push(on_link);
                }
            }
            routes.push(route(*destination, gateway));
        }
        routes
    }

    /// Adds the search list of the lease.
    pub(crate) fn add_domains(&self, names: &mut NameServers) {
        names.set_leased_domains(false, &self.search);
    }

    /// The address alone.
    pub(super) fn ipv4(&self) -> Option<Ipv4Addr> {
        match self.address.address() {
            IpAddr::V4(address) => Some(address),
            IpAddr::V6(_) => None,
        }
    }

    /// The first default router.
    pub(super) fn router(&self) -> Option<Ipv4Addr> {
        let is_default = |(destination, _): &&LeasedRoute| destination.length() == 0;
        self.routes.iter().find(is_default).and_then(|(_, gateway)| *gateway)
    }
}

/// What the stack has to do with a lease.
#[derive(Debug)]
pub(crate) enum Action {
    Nothing,
    /// Apply `lease` and call [`DhcpClient::bind`], or [`DhcpClient::decline`] when its address is
    /// in use. Remove `former`, a lease with another address, first.
    Apply {
        lease: Lease,
        former: Option<Lease>,
    },
    /// Remove what the lease added.
    Withdraw(Lease),
    /// Add the address of the fall-back, and its route.
    Fall(Fall),
    /// Remove the address of the fall-back.
    Rise(Prefix),
}

impl Action {
    pub(super) fn withdraw(lease: Option<Lease>) -> Self {
        lease.map_or(Self::Nothing, Self::Withdraw)
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
        // A mask that is none counts as absent.
        let length = message
            .address_option(option::SUBNET_MASK)
            .and_then(|mask| Prefix::length_of_netmask(mask).ok())
            .filter(|length| *length > 0)
            .unwrap_or(class_length);
        let prefix = Prefix::new(IpAddr::V4(address), length).ok()?;
        let seconds = message.seconds_option(option::LEASE_TIME).unwrap_or(LEASE_DEFAULT);
        if seconds == 0 || !is_leasable(prefix, address) {
            return None;
        }
        // 0 < T1 < T2 < lease time, whatever the server sends: the client would ask every second.
        let rebind = message
            .seconds_option(option::REBINDING_TIME)
            .filter(|rebind| (1..seconds).contains(rebind))
            .unwrap_or(seconds - seconds.div_ceil(8));
        let renew = message
            .seconds_option(option::RENEWAL_TIME)
            .filter(|renew| (1..rebind).contains(renew))
            .unwrap_or(rebind.min(seconds / 2));
        let after = |seconds: u32| self.requested_at.after(Duration::from_secs(u64::from(seconds)));
        Some(Lease {
            address: prefix,
            server,
            routes: options::routes(message, address),
            dns_servers: message
                .address_options(option::DNS_SERVERS)
                .filter(|server| is_unicast_host(*server))
                .map(IpAddr::V4)
                .take(limits::DNS_SERVERS)
                .collect(),
            search: options::search_list(message),
            domain: options::domain(message),
            options: message.options.clone(),
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
        event!(
            cx,
            warn,
            "devnet::dhcp",
            "{} of {} is in use by another host",
            lease.address,
            lease.server
        );
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

    /// True when the network needs no IPv4, and the client neither.
    pub(super) fn needs_no_ipv4(&self, message: &DhcpMessage) -> bool {
        self.options.ipv6_only && message.seconds_option(option::IPV6_ONLY).is_some()
    }

    /// Starts over once the network's time is over (RFC 8925 §3.2).
    pub(super) fn wait_without_ipv4(&mut self, cx: &mut Context, message: &DhcpMessage) {
        let seconds = message.seconds_option(option::IPV6_ONLY).unwrap_or(0);
        self.pause(cx);
        let wait = Duration::from_secs(seconds.into()).max(IPV6_ONLY_WAIT_MINIMUM);
        let deadline = cx.now.after(wait);
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
        event!(
            cx,
            info,
            "devnet::dhcp",
            "lease of {} from {} for {} s",
            lease.address,
            lease.server,
            lease.seconds
        );
        let renew_at = lease.renew_at;
        self.lease = Some(lease);
        self.state = Some(DhcpState::Bound);
        self.refusals = 0;
        self.attachment.is_kept = false;
        self.settle(cx, renew_at);
    }

    /// The router is the former one: the lease is good until a server says otherwise.
    pub(super) fn keep(&mut self, cx: &mut Context) {
        let Some(renew_at) = self.lease.as_ref().map(|lease| lease.renew_at) else { return };
        self.state = Some(DhcpState::Bound);
        self.attachment.is_kept = true;
        self.settle(cx, renew_at);
    }

    fn settle(&mut self, cx: &mut Context, renew_at: Instant) {
        self.attempts = 0;
        self.arm(cx, renew_at.max(cx.now.after(Duration::from_secs(1))));
        cx.wakes.add(&mut self.waiters);
    }

    /// Processes an ARP message: a conflict may concern the lease.
    pub(crate) fn receive_arp(
        &mut self,
        cx: &mut Context,
        ip: &mut Ip,
        message: &ArpMessage,
    ) -> Action {
        if self.is_contested(cx, ip, message.sender, message.target) {
            return Action::Nothing;
        }
        self.hear_router(cx, message);
        let claimed = ip.receive_arp(cx, message);
        let about = (message.sender, message.target);
        if let Some(action) = self.contest_fallback(cx, about, claimed.is_some()) {
            return action;
        }
        claimed.map_or(Action::Nothing, |address| self.conflict(cx, ip, address))
    }

    /// Another host claims the address again after it was defended: the client gives it up (RFC
    /// 5227 §2.4 (b), RFC 2131 §4.4.1).
    fn conflict(&mut self, cx: &mut Context, ip: &mut Ip, address: Ipv4Addr) -> Action {
        let is_leased = |lease: &mut Lease| lease.address.address() == IpAddr::V4(address);
        let Some(lease) = self.lease.take_if(is_leased) else { return Action::Nothing };
        self.decline(cx, ip, &lease);
        cx.wakes.add(&mut self.waiters);
        Action::Withdraw(lease)
    }

    /// Processes an ARP packet of `sender` about `target` during the probe. When another host uses
    /// or probes for the address, the client declines it and this returns true.
    fn is_contested(
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
