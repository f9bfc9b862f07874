//! ICMP errors that we send.
//!
//! Sparingly: never about an error, a fragment's tail, a group, a packet that a raw socket took, or
//! to a source that is no single station, and under budgets (RFC 1122 §3.2.2, RFC 4443 §2.4).

use core::net::IpAddr;

use super::header::{Header, IPV4_HEADER, IPV6_HEADER, Outgoing, protocol};
use super::icmp::{HOP_LIMIT, ICMP_HEADER};
use super::ingress::{Arrival, Delivery};
use super::quote::{Quote, next_header_position};
use crate::driver::Frame;
use crate::stack::Stack;

const DESTINATION_UNREACHABLE: u8 = 3;
const V6_DESTINATION_UNREACHABLE: u8 = 1;
const V6_PARAMETER_PROBLEM: u8 = 4;

/// Bytes of the largest error packet (RFC 1812 §4.3.2.3, RFC 4443 §2.4 (c)).
const ERROR_BYTES_IPV4: usize = 576;
const ERROR_BYTES_IPV6: usize = 1280;

impl Stack {
    /// No socket has the port (RFC 1122 §4.1.3.1).
    pub(crate) fn port_unreachable(
        &mut self,
        frame: &Frame,
        header: &Header,
        delivery: Delivery,
        arrival: Arrival,
    ) {
        let (kind, code) = if header.source.is_ipv4() {
            (DESTINATION_UNREACHABLE, 3)
        } else {
            (V6_DESTINATION_UNREACHABLE, 4)
        };
        if delivery == Delivery::Unicast && !arrival.link_broadcast && !arrival.raw {
            self.send_error(
                frame,
                header.source,
                header.destination,
                [kind, code, 0, 0, 0, 0, 0, 0],
            );
        }
    }

    /// Nobody speaks the protocol: IPv4 says unreachable, IPv6 names the byte (RFC 4443 §3.4).
    pub(crate) fn protocol_unreachable(
        &mut self,
        frame: &Frame,
        header: &Header,
        delivery: Delivery,
        arrival: Arrival,
    ) {
        if delivery != Delivery::Unicast || arrival.link_broadcast || arrival.raw {
            return;
        }
        let mut message = [DESTINATION_UNREACHABLE, 2, 0, 0, 0, 0, 0, 0];
        if header.source.is_ipv6() {
            let [a, b, c, d] = (next_header_position(frame.bytes()) as u32).to_be_bytes();
            message = [V6_PARAMETER_PROBLEM, 1, 0, 0, a, b, c, d];
        }
        self.send_error(frame, header.source, header.destination, message);
    }

    /// An IPv6 header or option that must be refused aloud.
    pub(crate) fn parameter_problem(
        &mut self,
        frame: &Frame,
        code: u8,
        pointer: u32,
        multicast_too: bool,
        arrival: Arrival,
    ) {
        let Ok(packet) = smoltcp::wire::Ipv6Packet::new_checked(frame.bytes()) else { return };
        let (source, destination) = (IpAddr::V6(packet.src_addr()), IpAddr::V6(packet.dst_addr()));
        let quotes_icmp_error = Quote::is_icmpv6_error(frame.bytes());
        let is_ours = self.addresses.owns(destination) && !arrival.link_broadcast;
        if quotes_icmp_error || !(is_ours || (multicast_too && destination.is_multicast())) {
            return;
        }
        let [a, b, c, d] = pointer.to_be_bytes();
        self.send_error(frame, source, destination, [V6_PARAMETER_PROBLEM, code, 0, 0, a, b, c, d]);
    }

    fn send_error(&mut self, frame: &Frame, to: IpAddr, asked: IpAddr, header: [u8; ICMP_HEADER]) {
        let is_station = !(to.is_unspecified()
            || to.is_multicast()
            || matches!(to, IpAddr::V4(to) if self.addresses.is_broadcast(to)));
        let source =
            if asked.is_multicast() { self.addresses.source_for(to, to) } else { Some(asked) };
        let may = is_station
            && (self.is_loopback() || !to.is_loopback())
            && self.budgets.error(to, self.now);
        let (Some(source), true) = (source, may) else { return };
        let (maximum, protocol) = if to.is_ipv4() {
            (ERROR_BYTES_IPV4.min(self.path_mtu(to)) - IPV4_HEADER - ICMP_HEADER, protocol::ICMP)
        } else {
            (ERROR_BYTES_IPV6.min(self.path_mtu(to)) - IPV6_HEADER - ICMP_HEADER, protocol::ICMPV6)
        };
        let mut message = header.to_vec();
        message.extend(frame.bytes().iter().take(maximum));
        let outgoing =
            Outgoing { source, destination: to, protocol, hop_limit: HOP_LIMIT, traffic_class: 0 };
        // An error that cannot be sent is counted where it was dropped.
        let _ = self.icmp_send(&outgoing, &message);
    }
}
