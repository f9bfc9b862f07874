//! ICMP messages as bytes (RFC 792, RFC 4443).

use core::net::IpAddr;

use super::checksum;
use super::header::{self, Outgoing, protocol};
use crate::driver::{Frame, FramePool};

/// Bytes of an ICMP header, which every message has.
pub(crate) const ICMP_HEADER: usize = 8;

/// Types of ICMP for IPv4.
pub(crate) mod kind4 {
    pub(crate) const ECHO_REPLY: u8 = 0;
    pub(crate) const DESTINATION_UNREACHABLE: u8 = 3;
    pub(crate) const ECHO_REQUEST: u8 = 8;
    pub(crate) const TIME_EXCEEDED: u8 = 11;
    pub(crate) const PARAMETER_PROBLEM: u8 = 12;
}

/// Types of ICMPv6; [`super::ndp`] has those of neighbor discovery.
pub(crate) mod kind6 {
    pub(crate) const DESTINATION_UNREACHABLE: u8 = 1;
    pub(crate) const PACKET_TOO_BIG: u8 = 2;
    pub(crate) const TIME_EXCEEDED: u8 = 3;
    pub(crate) const PARAMETER_PROBLEM: u8 = 4;
    pub(crate) const ECHO_REQUEST: u8 = 128;
    pub(crate) const ECHO_REPLY: u8 = 129;
    pub(crate) const LISTENER_QUERY: u8 = 130;
    pub(crate) const LISTENER_REPORT: u8 = 131;
    pub(crate) const LISTENER_DONE: u8 = 132;
    pub(crate) const LISTENER_REPORT_2: u8 = 143;
}

/// A packet with an ICMP message; header and checksum are filled in.
pub(crate) fn packet(pool: &mut FramePool, outgoing: &Outgoing, message: &[u8]) -> Frame {
    let start = header::length_for(outgoing.destination);
    let mut frame = pool.take(start + message.len());
    header::emit(outgoing, frame.bytes_mut());
    if let Some(place) = frame.bytes_mut().get_mut(start..) {
        place.copy_from_slice(message);
        fill_checksum(outgoing.source, outgoing.destination, place);
    }
    frame
}

/// Recomputes the checksum of an ICMP message.
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
