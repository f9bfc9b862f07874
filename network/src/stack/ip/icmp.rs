//! ICMP for IPv4 and IPv6: messages sent, echo, and errors received.
//!
//! A received error counts only if it quotes a packet of a socket that exists (RFC 5927). Errors
//! that we send stand in [`super::refusal`].

use alloc::vec::Vec;
use core::net::{IpAddr, SocketAddr};

use virtual_file_system::Error;

use super::egress::Manner;
use super::header::{self, Header, Outgoing, protocol};
use super::ingress::{Arrival, Delivery};
use super::notice::Notice;
pub(crate) use super::quote::{Quote, u16_at};
use crate::driver::Frame;
pub(crate) use crate::limits::HOP_LIMIT;
use crate::stack::datagram::Family;
use crate::stack::link::ndp;
use crate::stack::{Stack, checksum};

const ECHO_REPLY: u8 = 0;
const DESTINATION_UNREACHABLE: u8 = 3;
const ECHO_REQUEST: u8 = 8;
const TIME_EXCEEDED: u8 = 11;
const PARAMETER_PROBLEM: u8 = 12;

const V6_ECHO_REQUEST: u8 = 128;
const V6_ECHO_REPLY: u8 = 129;
const V6_LISTENER_QUERY: u8 = 130;
const V6_LISTENER_REPORT: u8 = 131;
const V6_LISTENER_DONE: u8 = 132;
const V6_LISTENER_REPORT_2: u8 = 143;

/// Bytes of an ICMP header, which every message has.
pub(crate) const ICMP_HEADER: usize = 8;

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

    /// Sends an echo request: the identifier is the socket's, the type the family's, the rest the
    /// program's (Linux' ping sockets).
    ///
    /// # Errors
    /// `WouldBlock` when the driver's queue is full; `InvalidInput` for anything but an echo
    /// request; else as [`Stack::send_as`].
    pub(crate) fn echo_send(
        &mut self,
        local: SocketAddr,
        remote: IpAddr,
        manner: &Manner,
        message: &[u8],
    ) -> Result<(), Error> {
        if !self.has_room() {
            return Err(Error::WouldBlock);
        }
        let (expected, protocol) = if remote.is_ipv4() {
            (ECHO_REQUEST, protocol::ICMP)
        } else {
            (V6_ECHO_REQUEST, protocol::ICMPV6)
        };
        let mut message = message.to_vec();
        match message.as_mut_slice() {
            [kind, 0, _, _, high, low, _, _, ..] if *kind == expected => {
                [*high, *low] = local.port().to_be_bytes()
            }
            _ => return Err(Error::InvalidInput),
        }
        let Manner { hop_limit, traffic_class, .. } = *manner;
        let outgoing = Outgoing {
            source: local.ip(),
            destination: remote,
            protocol,
            hop_limit,
            traffic_class,
        };
        let frame = self.icmp_packet(&outgoing, &message);
        self.send_as(frame, &outgoing, manner)
    }

    /// Takes an ICMPv4 packet.
    pub(crate) fn icmp_input(
        &mut self,
        frame: Frame,
        header: &Header,
        delivery: Delivery,
        arrival: Arrival,
    ) {
        let message = frame.bytes().get(header.length..).unwrap_or_default();
        if message.len() < ICMP_HEADER {
            self.statistics.received_drops.malformed += 1;
        } else if self.verifies(arrival) && checksum::of(message) != 0 {
            self.statistics.received_drops.checksum += 1;
        } else {
            match message.first() {
                // Echo requests to everybody are ignored, as Linux does (RFC 1122 §3.2.2.6).
                Some(&ECHO_REQUEST) if delivery == Delivery::Unicast => {
                    self.echo(&frame, header, ECHO_REPLY)
                }
                Some(&ECHO_REPLY) => self.echo_reply_input(&frame, header),
                Some(&(DESTINATION_UNREACHABLE | TIME_EXCEEDED | PARAMETER_PROBLEM))
                    if delivery == Delivery::Unicast =>
                {
                    let message = message.to_vec();
                    self.error_input(&message, header);
                }
                _ => self.statistics.received_drops.protocol += 1,
            }
        }
        self.pool.put(frame);
    }

    /// Takes an ICMPv6 packet.
    pub(crate) fn icmpv6_input(
        &mut self,
        frame: Frame,
        header: &Header,
        delivery: Delivery,
        arrival: Arrival,
    ) {
        let message = frame.bytes().get(header.length..).unwrap_or_default();
        if message.len() < ICMP_HEADER {
            self.statistics.received_drops.malformed += 1;
        } else if self.verifies(arrival)
            && checksum::of_transport(header.source, header.destination, protocol::ICMPV6, message)
                != 0
        {
            self.statistics.received_drops.checksum += 1;
        } else {
            match message.first() {
                Some(&V6_ECHO_REQUEST) => self.echo(&frame, header, V6_ECHO_REPLY),
                Some(&V6_ECHO_REPLY) => self.echo_reply_input(&frame, header),
                // Errors are the types below 128 (RFC 4443 §2.1), unknown ones too (ICE-08).
                Some(&(1..V6_ECHO_REQUEST)) if delivery == Delivery::Unicast => {
                    let message = message.to_vec();
                    self.error_input(&message, header);
                }
                Some(
                    &(V6_LISTENER_QUERY | V6_LISTENER_REPORT | V6_LISTENER_DONE
                    | V6_LISTENER_REPORT_2),
                ) => {
                    self.mld_input(header, &frame);
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
        let Some(source) =
            source.filter(|_| !header.source.is_unspecified() && self.budgets.echo(self.now))
        else {
            return;
        };
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
        if !self.datagrams.deliver_icmp(
            identifier,
            header,
            message,
            self.configuration.index,
            &mut self.wakes,
        ) {
            self.statistics.received_drops.no_socket += 1;
        }
    }

    /// Passes an error on to the socket whose packet it quotes.
    fn error_input(&mut self, message: &[u8], header: &Header) {
        let packet = message.get(ICMP_HEADER..).unwrap_or_default();
        let Some(quoted) = Quote::parse(packet) else {
            self.statistics.received_drops.malformed += 1;
            return;
        };
        if quoted.source.is_ipv4() != header.source.is_ipv4() || !self.is_own(quoted.source) {
            self.statistics.received_drops.martian += 1;
            return;
        }
        let Some(notice) = Notice::of_icmp(message, header.source) else {
            self.statistics.received_drops.protocol += 1;
            return;
        };
        // Whose packet is quoted decides whether to believe it: nobody's is a guess or a lie
        // (ICE-04).
        if !self.has_sent(&quoted) {
            self.statistics.received_drops.no_socket += 1;
            return;
        }
        if notice.error == Error::MessageTooLong {
            self.path_narrowed(&quoted, notice.information);
        }
        self.report(&quoted, packet, &notice);
    }

    /// A packet of ours could not be delivered on the link.
    pub(crate) fn undeliverable(&mut self, frame: &Frame, error: Error) {
        if let Some(quoted) = Quote::parse(frame.bytes()) {
            self.report(&quoted, frame.bytes(), &Notice::local(error, 0));
        }
    }

    /// A hop on the way to the quoted destination carries less than the packet had.
    fn path_narrowed(&mut self, quoted: &Quote, told: u32) {
        let told = usize::try_from(told).unwrap_or(usize::MAX);
        let present = self.path_mtu(quoted.destination);
        if self.path_mtus.lower(quoted.destination, told, quoted.length, present, self.now) {
            self.tcp_measure_all(Some(quoted.destination));
        }
    }

    /// True when a socket of ours may have sent the quoted packet.
    fn has_sent(&self, quoted: &Quote) -> bool {
        match quoted.protocol {
            protocol::TCP => self.tcp_has_sent(quoted),
            _ => senders_of(quoted)
                .into_iter()
                .any(|(family, key)| self.datagrams.knows(family, key, quoted)),
        }
    }

    fn report(&mut self, quoted: &Quote, packet: &[u8], notice: &Notice) {
        if quoted.protocol == protocol::TCP && notice.error != Error::MessageTooLong {
            self.tcp_error(quoted, notice.error);
        }
        for (family, key) in senders_of(quoted) {
            self.datagrams.error(family, key, quoted, packet, notice, &mut self.wakes);
        }
    }
}

/// The tables and keys under which the sender of a quoted packet may stand.
fn senders_of(quoted: &Quote) -> Vec<(Family, u16)> {
    let raw = if quoted.source.is_ipv4() { Family::Raw } else { Family::Raw6 };
    let mut found = alloc::vec![(raw, u16::from(quoted.protocol)), (raw, 0)];
    match quoted.protocol {
        protocol::UDP => found.push((Family::Udp, quoted.source_port)),
        protocol::ICMP | protocol::ICMPV6 => found.push((Family::Icmp, quoted.identifier())),
        _ => {}
    }
    found
}

/// Computes the checksum of an ICMP message anew.
pub(crate) fn fill_checksum(source: IpAddr, destination: IpAddr, message: &mut [u8]) {
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
