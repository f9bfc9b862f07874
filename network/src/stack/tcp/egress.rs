//! From what a socket emitted to packets for the link: supervision, header fields, cutting, checksums.
//!
//! smoltcp emits as much as the window allows in one packet of up to [`limits::SUPER_SEGMENT`] bytes with an empty checksum. Here it is cut
//! to what the path and the peer take, so that the price of asking a socket is paid once for many segments.

use core::net::IpAddr;

use smoltcp::wire::TcpPacket;
use virtual_file_system::Error;

use super::segment::{TCP_HEADER, number};
use super::{Flow, Slot};
use crate::driver::Frame;
use crate::stack::ip::header::{self, IPV4_HEADER, IPV6_HEADER, Outgoing, protocol};
use crate::stack::{Stack, checksum};

/// Bytes of data in a segment when the peer did not say (RFC 9293 §3.7.1).
pub(crate) const DEFAULT_SEGMENT: u16 = 536;

/// Where things stand in a TCP header (RFC 9293 §3.1), in bytes.
const SEQUENCE: usize = 4;
const FLAGS: usize = 12;
const CHECKSUM: usize = 16;
/// Bits of the word at [`FLAGS`].
const FIN: u16 = 1;
const PSH: u16 = 8;
/// The IPv4 flag.
const DONT_FRAGMENT: u16 = 0x4000;

/// What a connection's packets look like.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Shape {
    /// Bytes of the longest packet: of the path, and of the segments that the peer takes.
    longest: u32,
    /// What the peer's SYN said about its segments, in bytes of data.
    pub(crate) peer_segment: u16,
    pub(crate) hop_limit: u8,
    pub(crate) traffic_class: u8,
    /// The flow label of IPv6 packets (IP6-09).
    label: u32,
}

impl Shape {
    pub(crate) const fn new(hop_limit: u8, traffic_class: u8) -> Self {
        // Zero makes packets that nobody forwards; it is refused where it is set.
        let hop_limit = if hop_limit == 0 { 1 } else { hop_limit };
        Self { longest: 0, peer_segment: DEFAULT_SEGMENT, hop_limit, traffic_class, label: 0 }
    }

    /// The same lengths with other header fields.
    pub(crate) const fn with(self, hop_limit: u8, traffic_class: u8) -> Self {
        let Self { longest, peer_segment, label, .. } = self;
        Self { longest, peer_segment, label, ..Self::new(hop_limit, traffic_class) }
    }

    /// Bytes of the longest packet.
    pub(crate) const fn longest(&self) -> usize {
        self.longest as usize
    }

    /// The peer takes segments of so much data, our end of the path packets that hold `own` bytes of it behind `start` bytes of headers.
    pub(crate) fn fit(&mut self, own: u16, start: usize) {
        // Headers are shorter than a hundred bytes.
        self.longest = u32::from(own.min(self.peer_segment)) + (start + TCP_HEADER) as u32;
    }

    /// Bytes of data that a segment of ours may hold.
    fn segment(&self, start: usize) -> usize {
        self.longest().saturating_sub(start + TCP_HEADER).max(1)
    }
}

impl Stack {
    /// Bytes of data in a segment that the path takes, as far as is known: what our SYN says (PMT-05).
    pub(crate) fn tcp_own_segment(&self, remote: IpAddr) -> u16 {
        let bytes = self.path_mtu(remote).saturating_sub(header::length_for(remote) + TCP_HEADER);
        u16::try_from(bytes).unwrap_or(u16::MAX)
    }

    /// Looks anew how long packets of a connection may be.
    pub(crate) fn tcp_measure(&mut self, index: u32) {
        let Some(flow) = self.tcp.slots.get(index as usize).map(|slot| slot.flow) else { return };
        let remote = flow.remote.ip();
        let (own, start) = (self.tcp_own_segment(remote), header::length_for(remote));
        if let Some(slot) = self.tcp.slots.get_mut(index as usize) {
            slot.shape.fit(own, start);
            slot.shape.label = if remote.is_ipv6() { self.identifications.stream_label(&flow) } else { 0 };
        }
    }

    /// Looks anew how long the packets to one destination may be: its path turned out to be narrower.
    pub(crate) fn tcp_measure_to(&mut self, remote: IpAddr) {
        let is_meant = |slot: &Slot| slot.flow.remote.ip() == remote;
        let all: alloc::vec::Vec<u32> =
            self.tcp.slots.iter().filter(|(_, slot)| is_meant(slot)).map(|(index, _)| index as u32).collect();
        all.into_iter().for_each(|index| self.tcp_measure(index));
    }

    /// Looks anew how long the packets of all connections may be, as after a change of the MTU.
    pub(crate) fn tcp_measure_all(&mut self) {
        let all: alloc::vec::Vec<u32> = self.tcp.slots.iter().map(|(index, _)| index as u32).collect();
        all.into_iter().for_each(|index| self.tcp_measure(index));
    }

    /// Hands on what the socket emitted.
    pub(crate) fn tcp_emit(&mut self, index: u32) {
        while let Some(mut frame) = self.emitted.packets.pop_front() {
            let Some(slot) = self.tcp.slots.get_mut(index as usize) else {
                self.pool.put(frame);
                continue;
            };
            let (flow, shape) = (slot.flow, slot.shape);
            let start = header::length_for(flow.remote.ip());
            supervise(slot, frame.bytes_mut(), start);
            if frame.len() > shape.longest() {
                self.tcp_cut(&frame, &flow, &shape, start);
                self.emitted.large.put(frame);
                continue;
            }
            if !self.configuration.capabilities.reliable {
                let packet = frame.bytes_mut();
                let (header, data) = packet.split_at_checked(start + TCP_HEADER).unwrap_or_default();
                let header = checksum::narrow(header.get(start..).unwrap_or_default());
                let length = packet.len() - start;
                let sum = checksum::of_parts((flow.local.ip(), flow.remote.ip()), protocol::TCP, length, header, data);
                seal(packet, &flow, &shape, start, sum);
            }
            // A segment that cannot leave now is sent again by its timer.
            let _ = self.tcp_output(frame, flow.remote.ip());
        }
    }

    fn tcp_output(&mut self, frame: Frame, destination: IpAddr) -> Result<(), Error> {
        if self.is_plain_to(destination) {
            self.station_output(frame, destination)
        } else {
            self.packet_output(frame, destination)
        }
    }

    /// Sends a long packet as segments of the right length. PSH and FIN belong to the last (RFC 9293 §3.10.7.4 sees them in order).
    fn tcp_cut(&mut self, whole: &Frame, flow: &Flow, shape: &Shape, start: usize) {
        let Some(tcp) = whole.bytes().get(start..).and_then(|tcp| TcpPacket::new_checked(tcp).ok()) else { return };
        let (mut sequence, head) = (number(tcp.seq_number()), start + usize::from(tcp.header_len()));
        let Some((headers, data)) = whole.bytes().split_at_checked(head) else { return };
        let Some(flags) = headers.get(start + FLAGS..start + FLAGS + 2).and_then(|flags| flags.first_chunk()) else {
            return;
        };
        let flags = u16::from_be_bytes(*flags);
        // What all segments have in common; the sequence number, the flags and the checksum itself differ.
        let common = checksum::narrow(headers.get(start..).unwrap_or_default())
            - u64::from(flags.to_be())
            - checksum::narrow(headers.get(start + SEQUENCE..start + SEQUENCE + 4).unwrap_or_default());
        let is_summed = !self.configuration.capabilities.reliable;
        let mut left = data.len();
        for piece in data.chunks(shape.segment(start)) {
            let mut frame = self.pool.take(head + piece.len());
            let packet = frame.bytes_mut();
            if let Some((front, body)) = packet.split_at_mut_checked(head) {
                front.copy_from_slice(headers);
                body.copy_from_slice(piece);
            }
            left -= piece.len();
            let flags = if left > 0 { flags & !(FIN | PSH) } else { flags };
            set_length(packet, start);
            if let Some(field) = packet.get_mut(start + SEQUENCE..start + SEQUENCE + 4) {
                field.copy_from_slice(&sequence.to_be_bytes());
            }
            if let Some(field) = packet.get_mut(start + FLAGS..start + FLAGS + 2) {
                field.copy_from_slice(&flags.to_be_bytes());
            }
            if is_summed {
                let header = common + u64::from(sequence.to_be()) + u64::from(flags.to_be());
                let length = packet.len() - start;
                let sum = checksum::of_parts((flow.local.ip(), flow.remote.ip()), protocol::TCP, length, header, piece);
                seal(packet, flow, shape, start, sum);
            }
            // Data of one packet is shorter than 65,536 bytes.
            sequence = sequence.wrapping_add(piece.len() as u32);
            let _ = self.tcp_output(frame, flow.remote.ip());
        }
    }
}

/// Lets the supervision see what leaves, and fills in what smoltcp does not know.
fn supervise(slot: &mut Slot, packet: &mut [u8], start: usize) {
    let own_segment = slot.own_segment;
    let Shape { hop_limit, traffic_class, label, .. } = slot.shape;
    match packet {
        // IP4-03: also for immediate ACKs, SYN|ACK and RST.
        [first, class, _, _, a, b, c, d, hops, ..] if start == IPV4_HEADER => {
            (*first, *class, *hops) = (0x45, traffic_class, hop_limit);
            ([*a, *b], [*c, *d]) = ([0; 2], DONT_FRAGMENT.to_be_bytes());
        }
        [first, second, third, fourth, _, _, _, hops, ..] => {
            let [_, high, middle, low] = label.to_be_bytes();
            *first = 0x60 | traffic_class >> 4;
            (*second, *third, *fourth) = ((traffic_class << 4) | (high & 0xf), middle, low);
            *hops = hop_limit;
        }
        _ => {}
    }
    if let Some(tcp) = packet.get_mut(start..) {
        slot.supervision.outgoing(tcp, own_segment);
    }
}

/// Writes the packet's length into its IP header.
fn set_length(packet: &mut [u8], start: usize) {
    // A packet is shorter than 65,536 bytes.
    let (place, length) = if start == IPV6_HEADER { (4, packet.len() - IPV6_HEADER) } else { (2, packet.len()) };
    if let Some(field) = packet.get_mut(place..place + 2) {
        field.copy_from_slice(&(length as u16).to_be_bytes());
    }
}

/// Writes the checksums.
fn seal(packet: &mut [u8], flow: &Flow, shape: &Shape, start: usize, sum: u16) {
    if start == IPV4_HEADER {
        let outgoing = Outgoing {
            source: flow.local.ip(),
            destination: flow.remote.ip(),
            protocol: protocol::TCP,
            hop_limit: shape.hop_limit,
            traffic_class: shape.traffic_class,
        };
        let header_sum = header::ipv4_checksum(&outgoing, packet.len(), DONT_FRAGMENT);
        if let Some(field) = packet.get_mut(10..12) {
            field.copy_from_slice(&header_sum.to_be_bytes());
        }
    }
    if let Some(field) = packet.get_mut(start + CHECKSUM..start + CHECKSUM + 2) {
        field.copy_from_slice(&sum.to_be_bytes());
    }
}
