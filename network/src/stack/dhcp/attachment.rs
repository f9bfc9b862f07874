//! Detecting network attachment (DNAv4, RFC 4436): when the link is back, the former router is
//! asked for by unicast ARP, beside the request for the former address. If it answers, the link is
//! the same, and the lease is kept without a server. Firmware without the feature `details` waits
//! for the server.

use core::net::Ipv4Addr;

use super::DhcpClient;
use crate::address::HardwareAddress;
use crate::command::dhcp::DhcpState;
use crate::stack::context::Context;
use crate::stack::ip::Ip;
use crate::stack::link::ArpMessage;
use crate::trace::event;

/// What is known of the router of the lease.
#[derive(Debug, Default)]
pub(super) struct Attachment {
    /// The router and its hardware address, as it last said it.
    router: Option<(Ipv4Addr, HardwareAddress)>,
    /// The lease is kept because the router answered; a server has not said anything yet.
    pub(super) is_kept: bool,
}

impl DhcpClient {
    /// Asks the former router whether it is there. One whose hardware address is not known is not
    /// asked: another network may have a router with the same address.
    pub(super) fn probe_router(&mut self, cx: &mut Context, ip: &mut Ip) {
        if !cfg!(feature = "details") {
            return;
        }
        let Some(lease) = &self.lease else { return };
        let (Some(own), Some((router, hardware))) = (lease.ipv4(), self.attachment.router) else {
            return;
        };
        if lease.router() == Some(router) {
            ip.link.request_from(cx, own, hardware, router);
        }
    }

    /// Learns from an ARP message of the router. If it answers when the link is back, the lease is
    /// kept.
    pub(super) fn hear_router(&mut self, cx: &mut Context, message: &ArpMessage) {
        if !cfg!(feature = "details") {
            return;
        }
        let router = self.lease.as_ref().and_then(super::Lease::router);
        if router != Some(message.sender) {
            return;
        }
        let heard = (message.sender, message.hardware);
        if self.state() != DhcpState::Rebooting {
            self.attachment.router = Some(heard);
            return;
        }
        let own = self.lease.as_ref().and_then(super::Lease::ipv4);
        if self.attachment.router != Some(heard) || own != Some(message.target) {
            return;
        }
        event!(cx, info, "devnet::dhcp", "{} is still the router", message.sender);
        self.keep(cx);
    }
}
