//! The ICMP errors that we send.
//!
//! Never about an ICMP error, a non-first fragment, a multicast packet, a packet that a raw socket
//! took, or to a source that is not unicast, and only within the rate limits (RFC 1122 §3.2.2, RFC
//! 4443 §2.4).

use core::net::IpAddr;

use super::Icmp;
use crate::driver::Frame;
use crate::stack::context::Context;
use crate::stack::counters::Counter;
#[cfg(feature = "firewall")]
use crate::stack::firewall::answer;
use crate::stack::ip::Ip;
use crate::stack::ip::egress::SendOptions;
use crate::stack::ip::ingress::{Delivery, Packet};
use crate::stack::link::Arrival;
use crate::stack::wire::header::{self, IPV4_HEADER, IPV6_HEADER, Outgoing, protocol};
use crate::stack::wire::icmp::{self, ICMP_HEADER, kind4, kind6};
use crate::stack::wire::quote::{Quote, next_header_position};

/// Bytes of the largest error packet (RFC 1812 §4.3.2.3, RFC 4443 §2.4 (c)).
const ERROR_BYTES_IPV4: usize = 576;
const ERROR_BYTES_IPV6: usize = 1280;

/// The packet that causes an error.
struct Cause<'a> {
    frame: &'a Frame,
    source: IpAddr,
    destination: IpAddr,
}

impl<'a> Cause<'a> {
    fn new(packet: &'a Packet) -> Self {
        let Packet { frame, header, .. } = packet;
        Self { frame, source: header.source, destination: header.destination }
    }
}

/// True for a packet that may cause an ICMP error at all.
fn is_answerable(packet: &Packet) -> bool {
    let Packet { delivery, arrival, .. } = packet;
    *delivery == Delivery::Unicast && !arrival.link_broadcast && !arrival.raw
}

impl Icmp {
    /// Port unreachable: no socket has the port (RFC 1122 §4.1.3.1).
    pub(crate) fn port_unreachable(&mut self, cx: &mut Context, ip: &mut Ip, packet: &Packet) {
        let (kind, code) = match packet.header.source {
            IpAddr::V4(_) => (kind4::DESTINATION_UNREACHABLE, 3),
            IpAddr::V6(_) => (kind6::DESTINATION_UNREACHABLE, 4),
        };
        if is_answerable(packet) {
            self.send(cx, ip, &Cause::new(packet), [kind, code, 0, 0, 0, 0, 0, 0]);
        }
    }

    /// Administratively prohibited: a rule of the firewall says so.
    #[cfg(feature = "firewall")]
    pub(crate) fn prohibited(&mut self, cx: &mut Context, ip: &mut Ip, packet: &Packet) {
        let bytes = packet.frame.bytes();
        let quotes_icmp_error = match packet.header.source {
            IpAddr::V4(_) => Quote::is_icmp_error(bytes),
            IpAddr::V6(_) => Quote::is_icmpv6_error(bytes).unwrap_or(true),
        };
        if is_answerable(packet) && !quotes_icmp_error {
            let [kind, code] = answer::prohibited(packet.header.source);
            self.send(cx, ip, &Cause::new(packet), [kind, code, 0, 0, 0, 0, 0, 0]);
        }
    }

    /// Protocol unreachable for IPv4; a parameter problem with the byte's offset for IPv6 (RFC 4443
    /// §3.4).
    pub(crate) fn protocol_unreachable(&mut self, cx: &mut Context, ip: &mut Ip, packet: &Packet) {
        if !is_answerable(packet) {
            return;
        }
        let mut message = [kind4::DESTINATION_UNREACHABLE, 2, 0, 0, 0, 0, 0, 0];
        if packet.header.source.is_ipv6() {
            let position = next_header_position(packet.frame.bytes()) as u32;
            let [a, b, c, d] = position.to_be_bytes();
            message = [kind6::PARAMETER_PROBLEM, 1, 0, 0, a, b, c, d];
        }
        self.send(cx, ip, &Cause::new(packet), message);
    }

    /// A parameter problem for an IPv6 header or option. `multicast_too` when it is sent even about
    /// multicast packets.
    pub(crate) fn parameter_problem(
        &mut self,
        cx: &mut Context,
        ip: &mut Ip,
        (frame, arrival): (&Frame, Arrival),
        (code, pointer): (u8, u32),
        multicast_too: bool,
    ) {
        let Ok(packet) = smoltcp::wire::Ipv6Packet::new_checked(frame.bytes()) else { return };
        let (source, destination) = (IpAddr::V6(packet.src_addr()), IpAddr::V6(packet.dst_addr()));
        // An incomplete chain of headers is what code 3 reports.
        let quotes_icmp_error = Quote::is_icmpv6_error(frame.bytes()).unwrap_or(code != 3);
        let is_ours = ip.is_reached_at(destination) && !arrival.link_broadcast;
        if quotes_icmp_error
            || !ip.firewall.admits(cx, frame.bytes())
            || !(is_ours || (multicast_too && destination.is_multicast()))
        {
            return;
        }
        let [a, b, c, d] = pointer.to_be_bytes();
        let message = [kind6::PARAMETER_PROBLEM, code, 0, 0, a, b, c, d];
        self.send(cx, ip, &Cause { frame, source, destination }, message);
    }

    /// Time exceeded: the datagram with this first fragment did not become whole in time (RFC 1122
    /// §3.3.2, RFC 8200 §4.5).
    pub(crate) fn reassembly_time_exceeded(
        &mut self,
        cx: &mut Context,
        ip: &mut Ip,
        frame: &Frame,
    ) {
        let bytes = frame.bytes();
        let (Some(source), Some(destination)) =
            (header::source_of(bytes), header::destination_of(bytes))
        else {
            return;
        };
        let (kind, quotes_icmp_error) = match source {
            IpAddr::V4(_) => (kind4::TIME_EXCEEDED, Quote::is_icmp_error(bytes)),
            IpAddr::V6(_) => (kind6::TIME_EXCEEDED, Quote::is_icmpv6_error(bytes).unwrap_or(true)),
        };
        let is_answered = !quotes_icmp_error && ip.is_reached_at(destination);
        if is_answered && ip.firewall.admits(cx, bytes) {
            let cause = Cause { frame, source, destination };
            self.send(cx, ip, &cause, [kind, 1, 0, 0, 0, 0, 0, 0]);
        }
    }

    fn send(&mut self, cx: &mut Context, ip: &mut Ip, cause: &Cause<'_>, head: [u8; ICMP_HEADER]) {
        let to = cause.source;
        let is_unicast_host = !(to.is_unspecified()
            || to.is_multicast()
            || matches!(to, IpAddr::V4(to) if ip.addresses.is_broadcast(to)));
        let source = match cause.destination.is_multicast() {
            true => ip.addresses.source_for(to, to),
            false => Some(cause.destination),
        };
        let may = is_unicast_host
            && (cx.is_loopback() || !to.is_loopback())
            && self.limiters.error(to, cx.random.u32(), cx.now);
        let (Some(source), true) = (source, may) else { return };
        let (maximum, start, protocol) = match to {
            IpAddr::V4(_) => (ERROR_BYTES_IPV4, IPV4_HEADER, protocol::ICMP),
            IpAddr::V6(_) => (ERROR_BYTES_IPV6, IPV6_HEADER, protocol::ICMPV6),
        };
        let room = maximum.min(ip.path_mtu(cx, to)) - start - ICMP_HEADER;
        let mut message = head.to_vec();
        message.extend(cause.frame.bytes().iter().take(room));
        let hop_limit = ip.hop_limit(to);
        let outgoing = Outgoing { source, destination: to, protocol, hop_limit, traffic_class: 0 };
        let frame = icmp::packet(&mut cx.pool, &outgoing, &message);
        cx.counters.count(to.is_ipv6(), Counter::IpOutRequests);
        cx.counters.count(to.is_ipv6(), Counter::IcmpOutMsgs);
        let unreachable = match to {
            IpAddr::V4(_) => kind4::DESTINATION_UNREACHABLE,
            IpAddr::V6(_) => kind6::DESTINATION_UNREACHABLE,
        };
        if message.first() == Some(&unreachable) {
            cx.counters.count(to.is_ipv6(), Counter::IcmpOutDestUnreachs);
        }
        // A dropped error is counted where it was dropped.
        let _ = ip.send(cx, frame, &outgoing, &SendOptions::INTERNAL);
    }
}
