//! Sends the client's messages.

use core::net::{IpAddr, Ipv4Addr, SocketAddr};

use smoltcp::wire::EthernetProtocol;

use super::DhcpClient;
use crate::address::HardwareAddress;
use crate::dhcp_message::{CLIENT_PORT, DhcpMessage, MessageKind, SERVER_PORT, option};
use crate::driver::Frame;
use crate::limits::HOP_LIMIT;
use crate::stack::context::Context;
use crate::stack::ip::Ip;
use crate::stack::wire::header::{self, IPV4_HEADER, Outgoing, protocol};
use crate::stack::wire::udp::{self, UDP_HEADER};

impl DhcpClient {
    pub(super) fn message(&self, cx: &Context, kind: MessageKind) -> DhcpMessage {
        let hardware = cx.configuration.hardware_address.unwrap_or(HardwareAddress([0; 6]));
        let mut message = DhcpMessage::new(kind, self.transaction, hardware);
        message.seconds = u16::try_from(cx.now.since(self.started).as_secs()).unwrap_or(u16::MAX);
        let [a, b, c, d, e, f] = hardware.0;
        message.push(option::CLIENT_IDENTIFIER, &[1, a, b, c, d, e, f]);
        if matches!(kind, MessageKind::Discover | MessageKind::Request) {
            let wanted = [
                option::SUBNET_MASK,
                option::ROUTER,
                option::DNS_SERVERS,
                option::DOMAIN,
                option::RENEWAL_TIME,
                option::REBINDING_TIME,
            ];
            message.push(option::PARAMETER_LIST, &wanted);
            message.push(option::MAXIMUM_SIZE, &1500u16.to_be_bytes());
            if let Some(hostname) = &self.options.hostname {
                message.push(option::HOSTNAME, hostname.as_bytes());
            }
        }
        message
    }

    /// Broadcasts a message, from our address or 0.0.0.0.
    pub(super) fn broadcast(&mut self, cx: &mut Context, ip: &mut Ip, message: &DhcpMessage) {
        let source = message.client_address;
        let frame = self.frame(cx, message, source, Ipv4Addr::BROADCAST);
        ip.link.send_frame(cx, frame, HardwareAddress::BROADCAST, EthernetProtocol::Ipv4);
    }

    pub(super) fn unicast(
        &mut self,
        cx: &mut Context,
        ip: &mut Ip,
        message: &DhcpMessage,
        source: Ipv4Addr,
        server: Ipv4Addr,
    ) {
        let frame = self.frame(cx, message, source, server);
        // The retransmission timer repeats a message that could not be sent.
        let _ = ip.transmit(cx, frame, IpAddr::V4(server));
    }

    fn frame(
        &mut self,
        cx: &mut Context,
        message: &DhcpMessage,
        source: Ipv4Addr,
        destination: Ipv4Addr,
    ) -> Frame {
        let bytes = message.to_bytes();
        let mut frame = cx.pool.take(IPV4_HEADER + UDP_HEADER + bytes.len());
        let outgoing = Outgoing {
            source: IpAddr::V4(source),
            destination: IpAddr::V4(destination),
            protocol: protocol::UDP,
            hop_limit: HOP_LIMIT,
            traffic_class: 0,
        };
        header::emit(&outgoing, frame.bytes_mut());
        let (from, to) =
            (SocketAddr::from((source, CLIENT_PORT)), SocketAddr::from((destination, SERVER_PORT)));
        udp::emit(
            &from,
            &to,
            &bytes,
            true,
            frame.bytes_mut().get_mut(IPV4_HEADER..).unwrap_or_default(),
        );
        frame
    }
}
