//! ICMP for IPv4 and IPv6: echo, errors received and errors sent.
//!
//! Errors are sent sparingly: never about an error, a fragment's tail, a group, or a source that is no single station, and under a
//! budget (RFC 1122 §3.2.2, RFC 4443 §2.4). A received error counts only if it quotes a packet of a socket that exists (RFC 5927).

use core::net::IpAddr;
use core::time::Duration;

use virtual_file_system::Error;

use super::header::{self, Header, IPV4_HEADER, IPV6_HEADER, Outgoing, protocol};
use super::ingress::{Arrival, Delivery};
use crate::driver::Frame;
use crate::limits;
use crate::stack::link::ndp;
use crate::stack::{Stack, checksum};

const ECHO_REPLY: u8 = 0;
const DESTINATION_UNREACHABLE: u8 = 3;
const ECHO_REQUEST: u8 = 8;
const TIME_EXCEEDED: u8 = 11;

const V6_DESTINATION_UNREACHABLE: u8 = 1;
const V6_TIME_EXCEEDED: u8 = 3;
const V6_PARAMETER_PROBLEM: u8 = 4;
const V6_ECHO_REQUEST: u8 = 128;
const V6_ECHO_REPLY: u8 = 129;

/// Bytes of an ICMP header, which every message has.
const ICMP_HEADER: usize = 8;
/// Bytes of the largest error packet (RFC 1812 §4.3.2.3, RFC 4443 §2.4 (c)).
const ERROR_BYTES_IPV4: usize = 576;
const ERROR_BYTES_IPV6: usize = 1280;

pub(crate) use crate::limits::HOP_LIMIT;

impl Stack {
    /// A packet with an ICMP message; header and checksum are filled in.
    pub(crate) fn icmp_packet(&mut self, outgoing: &Outgoing, message: &[u8]) -> Frame {
        let start = header::length_for(outgoing.destination);
        let mut frame = self.pool.take(start + message.len());
        header::emit(outgoing, frame.bytes_mut());
        if let Some(place) = frame.bytes_mut().get_mut(start..) {
            place.copy_from_slice(message);
            fill_checksum(outgoing.source, outgoing.destination, place);
        }
        frame
    }

    /// Sends an ICMP message from a socket or from the stack.
    ///
    /// # Errors
    /// As [`Stack::send_packet`].
    pub(crate) fn icmp_send(&mut self, outgoing: &Outgoing, message: &[u8]) -> Result<(), Error> {
        let frame = self.icmp_packet(outgoing, message);
        self.send_packet(frame, outgoing)
    }

    /// Takes an ICMPv4 packet.
    pub(crate) fn icmp_input(&mut self, frame: Frame, header: &Header, delivery: Delivery, arrival: Arrival) {
        let message = frame.bytes().get(header.length..).unwrap_or_default();
        if message.len() < ICMP_HEADER {
            self.statistics.received_drops.malformed += 1;
        } else if self.verifies(arrival) && checksum::of(message) != 0 {
            self.statistics.received_drops.checksum += 1;
        } else {
            match message.first() {
                // Echo requests to everybody are ignored, as Linux does (RFC 1122 §3.2.2.6).
                Some(&ECHO_REQUEST) if delivery == Delivery::Unicast => self.echo(&frame, header, ECHO_REPLY),
                Some(&ECHO_REPLY) => self.echo_reply_input(&frame, header),
                Some(&(DESTINATION_UNREACHABLE | TIME_EXCEEDED)) if delivery == Delivery::Unicast => {
                    let error = error_of_ipv4(message);
                    self.error_input(message.get(ICMP_HEADER..).unwrap_or_default().to_vec(), header, error);
                }
                _ => self.statistics.received_drops.protocol += 1,
            }
        }
        self.pool.put(frame);
    }

    /// Takes an ICMPv6 packet.
    pub(crate) fn icmpv6_input(&mut self, frame: Frame, header: &Header, delivery: Delivery, arrival: Arrival) {
        let message = frame.bytes().get(header.length..).unwrap_or_default();
        if message.len() < ICMP_HEADER {
            self.statistics.received_drops.malformed += 1;
        } else if self.verifies(arrival)
            && checksum::of_transport(header.source, header.destination, protocol::ICMPV6, message) != 0
        {
            self.statistics.received_drops.checksum += 1;
        } else {
            match message.first() {
                Some(&V6_ECHO_REQUEST) => self.echo(&frame, header, V6_ECHO_REPLY),
                Some(&V6_ECHO_REPLY) => self.echo_reply_input(&frame, header),
                Some(&(V6_DESTINATION_UNREACHABLE | V6_TIME_EXCEEDED)) if delivery == Delivery::Unicast => {
                    let error = error_of_ipv6(message);
                    self.error_input(message.get(ICMP_HEADER..).unwrap_or_default().to_vec(), header, error);
                }
                Some(&(ndp::kind::ROUTER_SOLICITATION..=ndp::kind::REDIRECT)) => {
                    let message = message.to_vec();
                    self.ndp_input(header, &message);
                }
                _ => self.statistics.received_drops.protocol += 1,
            }
        }
        self.pool.put(frame);
    }

    /// Answers an echo request with the same data (RFC 792, RFC 4443 §4.2).
    fn echo(&mut self, frame: &Frame, header: &Header, kind: u8) {
        let message = frame.bytes().get(header.length..).unwrap_or_default();
        let source = if header.destination.is_multicast() {
            self.addresses.source_for(header.source, header.source)
        } else {
            Some(header.destination)
        };
        let Some(source) = source.filter(|_| !header.source.is_unspecified()) else { return };
        let outgoing = Outgoing {
            source,
            destination: header.source,
            protocol: header.protocol,
            hop_limit: HOP_LIMIT,
            traffic_class: header.traffic_class & !3,
        };
        let start = header::length_for(outgoing.destination);
        let mut reply = self.pool.take(start + message.len());
        if let Some(place) = reply.bytes_mut().get_mut(start..) {
            place.copy_from_slice(message);
            if let Some(first) = place.first_mut() {
                *first = kind;
            }
            fill_checksum(outgoing.source, outgoing.destination, place);
        }
        // An echo that cannot be answered is counted where it was dropped.
        let _ = self.send_packet(reply, &outgoing);
    }

    fn echo_reply_input(&mut self, frame: &Frame, header: &Header) {
        let message = frame.bytes().get(header.length..).unwrap_or_default();
        let identifier = u16_at(message, 4).unwrap_or_default();
        if !self.datagrams.deliver_icmp(identifier, header, message, self.configuration.index, &mut self.wakes) {
            self.statistics.received_drops.no_socket += 1;
        }
    }

    /// Passes an error on to the socket whose packet it quotes.
    fn error_input(&mut self, quote: alloc::vec::Vec<u8>, header: &Header, error: Option<Error>) {
        let Some(error) = error else { return };
        let Some(quoted) = Quote::parse(&quote) else {
            self.statistics.received_drops.malformed += 1;
            return;
        };
        if quoted.source.is_ipv4() != header.source.is_ipv4() || !self.addresses.owns(quoted.source) {
            self.statistics.received_drops.martian += 1;
            return;
        }
        self.report(&quoted, error);
    }

    /// A packet of ours could not be delivered on the link.
    pub(crate) fn undeliverable(&mut self, frame: &Frame, error: Error) {
        if let Some(quoted) = Quote::parse(frame.bytes()) {
            self.report(&quoted, error);
        }
    }

    fn report(&mut self, quoted: &Quote, error: Error) {
        match quoted.protocol {
            protocol::TCP => self.tcp_error(quoted, error),
            protocol::UDP => self.datagrams.udp_error(quoted, error, &mut self.wakes),
            protocol::ICMP | protocol::ICMPV6 => self.datagrams.icmp_error(quoted, error, &mut self.wakes),
            _ => {}
        }
    }

    /// No socket has the port (RFC 1122 §4.1.3.1).
    pub(crate) fn port_unreachable(&mut self, frame: &Frame, header: &Header, delivery: Delivery, arrival: Arrival) {
        let (kind, code) =
            if header.source.is_ipv4() { (DESTINATION_UNREACHABLE, 3) } else { (V6_DESTINATION_UNREACHABLE, 4) };
        if delivery == Delivery::Unicast && !arrival.link_broadcast {
            self.send_error(frame, header.source, header.destination, [kind, code, 0, 0, 0, 0, 0, 0]);
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
        if delivery != Delivery::Unicast || arrival.link_broadcast {
            return;
        }
        let mut message = [DESTINATION_UNREACHABLE, 2, 0, 0, 0, 0, 0, 0];
        if header.source.is_ipv6() {
            message = [V6_PARAMETER_PROBLEM, 1, 0, 0, 0, 0, 0, next_header_position(frame.bytes())];
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
        let quotes_icmp_error = Quote::is_icmp_error(frame.bytes());
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
        let source = if asked.is_multicast() { self.addresses.source_for(to, to) } else { Some(asked) };
        let (Some(source), true) =
            (source, is_station && (self.is_loopback() || !to.is_loopback()) && self.may_send_error())
        else {
            return;
        };
        let (maximum, protocol) = if to.is_ipv4() {
            (ERROR_BYTES_IPV4 - IPV4_HEADER - ICMP_HEADER, protocol::ICMP)
        } else {
            (ERROR_BYTES_IPV6 - IPV6_HEADER - ICMP_HEADER, protocol::ICMPV6)
        };
        let mut message = header.to_vec();
        message.extend(frame.bytes().iter().take(maximum));
        let outgoing = Outgoing { source, destination: to, protocol, hop_limit: HOP_LIMIT, traffic_class: 0 };
        // An error that cannot be sent is counted where it was dropped.
        let _ = self.icmp_send(&outgoing, &message);
    }

    /// Takes one token of the budget, which refills evenly over a second.
    pub(crate) fn may_send_error(&mut self) -> bool {
        let elapsed = self.now.since(self.error_budget.1);
        let refill =
            u32::try_from(elapsed.as_micros() * u128::from(limits::ICMP_ERRORS) / 1_000_000).unwrap_or(u32::MAX);
        if refill > 0 {
            let tokens = self.error_budget.0.saturating_add(refill).min(limits::ICMP_ERRORS);
            let used = Duration::from_secs(1) / limits::ICMP_ERRORS * refill.min(limits::ICMP_ERRORS * 60);
            let mark = if tokens == limits::ICMP_ERRORS { self.now } else { self.error_budget.1.after(used) };
            self.error_budget = (tokens, mark);
        }
        if self.error_budget.0 == 0 {
            return false;
        }
        self.error_budget.0 -= 1;
        true
    }
}

/// What an ICMP error says of the packet that caused it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Quote {
    pub(crate) source: IpAddr,
    pub(crate) destination: IpAddr,
    pub(crate) protocol: u8,
    /// The first two 16-bit words of the upper layer: ports, or type/code and checksum.
    pub(crate) source_port: u16,
    pub(crate) destination_port: u16,
    /// The word after that, for TCP the sequence number and for ICMP identifier and sequence.
    pub(crate) third: u32,
}

impl Quote {
    /// Reads as much as errors must quote: the IP header and eight bytes (RFC 792). Tails of fragments have no ports.
    pub(crate) fn parse(bytes: &[u8]) -> Option<Self> {
        let (source, destination, protocol, length) = match bytes.first()? >> 4 {
            4 => {
                let length = usize::from(bytes.first()? & 0xf) * 4;
                let is_first = u16_at(bytes, 6)? & 0x1fff == 0;
                if length < IPV4_HEADER || !is_first {
                    return None;
                }
                let address = |at: usize| bytes.get(at..)?.first_chunk::<4>().map(|octets| IpAddr::from(*octets));
                (address(12)?, address(16)?, *bytes.get(9)?, length)
            }
            6 => {
                let address = |at: usize| bytes.get(at..)?.first_chunk::<16>().map(|octets| IpAddr::from(*octets));
                (address(8)?, address(24)?, *bytes.get(6)?, IPV6_HEADER)
            }
            _ => return None,
        };
        let upper = bytes.get(length..)?;
        let third = u32::from_be_bytes(*upper.get(4..)?.first_chunk()?);
        Some(Self {
            source,
            destination,
            protocol,
            source_port: u16_at(upper, 0)?,
            destination_port: u16_at(upper, 2)?,
            third,
        })
    }

    fn is_icmp_error(bytes: &[u8]) -> bool {
        // Types below 128 are errors in ICMPv6 (RFC 4443 §2.1); behind unusual headers this errs on the silent side.
        match bytes.get(6) {
            Some(&protocol::ICMPV6) => bytes.get(IPV6_HEADER).is_none_or(|kind| *kind < 128),
            Some(&(protocol::HOP_BY_HOP | protocol::DESTINATION_OPTIONS)) => {
                let next = bytes.get(IPV6_HEADER).copied();
                let length = bytes.get(IPV6_HEADER + 1).map_or(0, |units| (usize::from(*units) + 1) * 8);
                next == Some(protocol::ICMPV6) && bytes.get(IPV6_HEADER + length).is_none_or(|kind| *kind < 128)
            }
            _ => false,
        }
    }
}

/// The big-endian word at a byte offset.
pub(crate) fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    bytes.get(at..)?.first_chunk().map(|word| u16::from_be_bytes(*word))
}

/// Where the number of the upper-layer protocol stands: in the fixed header, or in the last extension header.
fn next_header_position(bytes: &[u8]) -> u8 {
    let (mut position, mut next, mut start) = (6, bytes.get(6).copied(), IPV6_HEADER);
    while let Some(protocol::HOP_BY_HOP | protocol::DESTINATION_OPTIONS | protocol::ROUTING | protocol::FRAGMENT) = next
    {
        position = start;
        let length = if next == Some(protocol::FRAGMENT) {
            8
        } else {
            bytes.get(start + 1).map_or(8, |units| (usize::from(*units) + 1) * 8)
        };
        next = bytes.get(start).copied();
        start += length;
    }
    u8::try_from(position).unwrap_or(u8::MAX)
}

fn fill_checksum(source: IpAddr, destination: IpAddr, message: &mut [u8]) {
    if let Some(field) = message.get_mut(2..4) {
        field.fill(0);
    }
    let sum = match source {
        IpAddr::V4(_) => checksum::of(message),
        IpAddr::V6(_) => checksum::of_transport(source, destination, protocol::ICMPV6, message),
    };
    if let Some(field) = message.get_mut(2..4) {
        field.copy_from_slice(&sum.to_be_bytes());
    }
}

/// What Linux makes of an ICMPv4 error (`icmp_err_convert`).
fn error_of_ipv4(message: &[u8]) -> Option<Error> {
    match message {
        [DESTINATION_UNREACHABLE, 0 | 6 | 11, ..] => Some(Error::NetworkUnreachable),
        [DESTINATION_UNREACHABLE, 2, ..] => Some(Error::ProtocolOptionNotAvailable),
        [DESTINATION_UNREACHABLE, 3, ..] => Some(Error::ConnectionRefused),
        // Fragmentation needed is the business of path MTU discovery, not an error of the socket.
        [DESTINATION_UNREACHABLE, 4, ..] => None,
        [DESTINATION_UNREACHABLE, 7, ..] => Some(Error::HostDown),
        [DESTINATION_UNREACHABLE | TIME_EXCEEDED, ..] => Some(Error::HostUnreachable),
        _ => None,
    }
}

fn error_of_ipv6(message: &[u8]) -> Option<Error> {
    match message {
        [V6_DESTINATION_UNREACHABLE, 0, ..] => Some(Error::NetworkUnreachable),
        [V6_DESTINATION_UNREACHABLE, 1 | 5 | 6, ..] => Some(Error::AccessDenied),
        [V6_DESTINATION_UNREACHABLE, 4, ..] => Some(Error::ConnectionRefused),
        [V6_DESTINATION_UNREACHABLE | V6_TIME_EXCEEDED, ..] => Some(Error::HostUnreachable),
        _ => None,
    }
}
