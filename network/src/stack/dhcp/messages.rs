//! Sends the client's messages.

use core::net::{IpAddr, Ipv4Addr, SocketAddrV4};
use core::time::Duration;

use smoltcp::wire::EthernetProtocol;

use super::{DhcpClient, Lease, options};
use crate::address::HardwareAddress;
use crate::command::dhcp::DhcpState;
use crate::command::dhcp_server::ClientName;
use crate::dhcp_message::{CLIENT_PORT, DhcpMessage, MessageKind, SERVER_PORT, option};
use crate::driver::Frame;
use crate::stack::context::Context;
use crate::stack::counters::Counter;
use crate::stack::dhcp_frame;
use crate::stack::ip::Ip;

/// The least interval between two renewal attempts (RFC 2131 §4.4.5).
const RENEW_MINIMUM: Duration = Duration::from_secs(60);

impl DhcpClient {
    pub(super) fn message(&self, cx: &Context, kind: MessageKind) -> DhcpMessage {
        let hardware = cx.configuration.hardware_address.unwrap_or(HardwareAddress([0; 6]));
        let mut message = DhcpMessage::new(kind, self.transaction, hardware);
        message.seconds = u16::try_from(cx.now.since(self.started).as_secs()).unwrap_or(u16::MAX);
        let identifier = || ClientName::Hardware(hardware).identifier();
        let identifier = self.options.identifier.clone().unwrap_or_else(identifier);
        message.push(option::CLIENT_IDENTIFIER, &identifier);
        if matches!(kind, MessageKind::Discover | MessageKind::Request) {
            message.push(option::PARAMETER_LIST, &options::wanted(&self.options));
            message.push(option::MAXIMUM_SIZE, &1500u16.to_be_bytes());
            if let Some(hostname) = &self.options.hostname {
                message.push(option::HOSTNAME, hostname.as_bytes());
            }
            if let Some(class) = &self.options.vendor_class {
                message.push(option::VENDOR_CLASS, class.as_bytes());
            }
            for sent in &self.options.send {
                message.push(sent.code, &sent.value);
            }
        }
        message
    }

    /// Requests offers.
    pub(super) fn discover(&mut self, cx: &mut Context, ip: &mut Ip) {
        let mut message = self.message(cx, MessageKind::Discover);
        // The former address, or the one that the user wants (RFC 2131 §4.4.1).
        let former = self.lease.as_ref().and_then(Lease::ipv4);
        if let Some(requested) = former.or(self.options.requested) {
            message.push(option::REQUESTED_ADDRESS, &requested.octets());
        }
        self.broadcast(cx, ip, &message);
    }

    /// Requests the offered address.
    pub(super) fn request_offer(&mut self, cx: &mut Context, ip: &mut Ip) {
        let Some((address, server)) = self.candidate else { return };
        let mut message = self.message(cx, MessageKind::Request);
        message.push(option::REQUESTED_ADDRESS, &address.octets());
        message.push(option::SERVER_IDENTIFIER, &server.octets());
        self.requested_at = cx.now;
        self.broadcast(cx, ip, &message);
    }

    /// Requests the former address again.
    pub(super) fn request_former(&mut self, cx: &mut Context, ip: &mut Ip) {
        let Some(address) = self.lease.as_ref().and_then(Lease::ipv4) else { return };
        let mut message = self.message(cx, MessageKind::Request);
        message.push(option::REQUESTED_ADDRESS, &address.octets());
        self.requested_at = cx.now;
        self.broadcast(cx, ip, &message);
    }

    /// Extends the lease: unicast to the server while renewing, broadcast while rebinding. The next
    /// attempt is after half of the remaining time (RFC 2131 §4.4.5).
    pub(super) fn extend(&mut self, cx: &mut Context, ip: &mut Ip) {
        let Some(lease) = self.lease.clone() else { return };
        let Some(address) = lease.ipv4() else { return };
        if self.attempts == 0 {
            self.transaction = cx.random.u32();
            self.started = cx.now;
        }
        self.attempts += 1;
        self.requested_at = cx.now;
        let mut message = self.message(cx, MessageKind::Request);
        message.client_address = address;
        message.broadcast = false;
        let phase_end = if self.state() == DhcpState::Renewing {
            self.unicast(cx, ip, &message, address, lease.server);
            lease.rebind_at
        } else {
            self.broadcast(cx, ip, &message);
            lease.end_at
        };
        let remaining = phase_end.since(cx.now);
        let wait = (remaining / 2).max(RENEW_MINIMUM).min(remaining);
        let deadline = cx.now.after(wait);
        self.arm(cx, deadline);
    }

    /// Broadcasts a message, from our address or 0.0.0.0.
    pub(super) fn broadcast(&mut self, cx: &mut Context, ip: &mut Ip, message: &DhcpMessage) {
        let source = message.client_address;
        let frame = frame(cx, message, source, Ipv4Addr::BROADCAST);
        ip.link.send_frame(cx, frame, HardwareAddress::BROADCAST, EthernetProtocol::Ipv4);
    }

    /// Sends a message to one server.
    pub(super) fn unicast(
        &mut self,
        cx: &mut Context,
        ip: &mut Ip,
        message: &DhcpMessage,
        source: Ipv4Addr,
        server: Ipv4Addr,
    ) {
        let frame = frame(cx, message, source, server);
        cx.counters.count(false, Counter::UdpOutDatagrams);
        // The retransmission timer repeats a message that could not be sent.
        let _ = ip.transmit(cx, frame, IpAddr::V4(server));
    }
}

fn frame(cx: &mut Context, message: &DhcpMessage, source: Ipv4Addr, to: Ipv4Addr) -> Frame {
    let ends = (SocketAddrV4::new(source, CLIENT_PORT), SocketAddrV4::new(to, SERVER_PORT));
    dhcp_frame::datagram(cx, &message.to_bytes(), ends)
}
