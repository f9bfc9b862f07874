//! From what a socket emitted to packets for the link: supervision, header fields, cutting, checksums.
//!
//! smoltcp emits as much as the window allows in one packet of up to [`limits::SUPER_SEGMENT`] bytes with an empty checksum. Here it is cut
//! to what the path and the peer take, so that the price of asking a socket is paid once for many segments.

use core::net::IpAddr;

use smoltcp::wire::{Ipv6Packet, TcpPacket, TcpSeqNumber};

use super::ingress::fill_tcp_checksum;
use super::segment::{TCP_HEADER, number};
use super::{Flow, Slot};
use crate::driver::Frame;
use crate::stack::Stack;
use crate::stack::ip::header::{self, IPV4_HEADER, IPV6_HEADER};

/// Bytes of data in a segment when the peer did not say (RFC 9293 §3.7.1).
pub(crate) const DEFAULT_SEGMENT: usize = 536;

/// What a connection's packets look like.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Shape {
    /// Bytes of the longest packet: of the path, and of the segments that the peer takes.
    pub(crate) longest: usize,
    /// What the peer's SYN said about its segments, in bytes of data.
    pub(crate) peer_segment: usize,
    pub(crate) hop_limit: u8,
    pub(crate) traffic_class: u8,
}

impl Shape {
    pub(crate) const fn new(hop_limit: u8, traffic_class: u8) -> Self {
        // Zero makes packets that nobody forwards; it is refused where it is set.
        let hop_limit = if hop_limit == 0 { 1 } else { hop_limit };
        Self { longest: 0, peer_segment: DEFAULT_SEGMENT, hop_limit, traffic_class }
    }

    /// Bytes of data that a segment of ours may hold.
    fn segment(&self, start: usize) -> usize {
        self.longest.saturating_sub(start + TCP_HEADER).max(1)
    }
}

impl Stack {
    /// Bytes of data in a segment that our end of the path takes: what our SYN says.
    pub(crate) fn tcp_own_segment(&self, remote: IpAddr) -> usize {
        self.mtu_for(remote).saturating_sub(header::length_for(remote) + TCP_HEADER)
    }

    /// Looks anew how long packets of a connection may be.
    pub(crate) fn tcp_measure(&mut self, index: u32) {
        let Some(remote) = self.tcp.slots.get(index as usize).map(|slot| slot.flow.remote.ip()) else { return };
        let (own, start) = (self.tcp_own_segment(remote), header::length_for(remote));
        if let Some(slot) = self.tcp.slots.get_mut(index as usize) {
            slot.shape.longest = own.min(slot.shape.peer_segment) + start + TCP_HEADER;
        }
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
            if frame.len() > shape.longest {
                self.tcp_cut(&frame, &flow, &shape, start);
                self.emitted.large.put(frame);
                continue;
            }
            if !self.configuration.capabilities.reliable {
                sum(frame.bytes_mut(), &flow, start);
            }
            // A segment that cannot leave now is sent again by its timer.
            let _ = self.packet_output(frame, flow.remote.ip());
        }
    }

    /// Sends a long packet as segments of the right length. PSH and FIN belong to the last (RFC 9293 §3.10.7.4 sees them in order).
    fn tcp_cut(&mut self, whole: &Frame, flow: &Flow, shape: &Shape, start: usize) {
        let Some(tcp) = whole.bytes().get(start..).and_then(|tcp| TcpPacket::new_checked(tcp).ok()) else { return };
        let (sequence, head) = (number(tcp.seq_number()), start + usize::from(tcp.header_len()));
        let Some((headers, data)) = whole.bytes().split_at_checked(head) else { return };
        let size = shape.segment(start);
        let mut offset = 0;
        for piece in data.chunks(size) {
            let mut frame = self.pool.take(head + piece.len());
            let packet = frame.bytes_mut();
            if let Some((front, body)) = packet.split_at_mut_checked(head) {
                front.copy_from_slice(headers);
                body.copy_from_slice(piece);
            }
            let total = head + piece.len();
            set_length(packet, start, total);
            let mut tcp = TcpPacket::new_unchecked(packet.get_mut(start..).unwrap_or_default());
            // Data of one packet is shorter than 65,536 bytes.
            tcp.set_seq_number(TcpSeqNumber(sequence.wrapping_add(offset as u32) as i32));
            offset += piece.len();
            if offset < data.len() {
                tcp.set_fin(false);
                tcp.set_psh(false);
            }
            if !self.configuration.capabilities.reliable {
                sum(packet, flow, start);
            }
            let _ = self.packet_output(frame, flow.remote.ip());
        }
    }
}

/// Lets the supervision see what leaves, and fills in what smoltcp does not know.
fn supervise(slot: &mut Slot, packet: &mut [u8], start: usize) {
    let own_segment = slot.own_segment;
    let Shape { hop_limit, traffic_class, .. } = slot.shape;
    match packet {
        // IP4-03: also for immediate ACKs, SYN|ACK and RST.
        [first, class, _, _, _, _, _, _, hops, ..] if start == IPV4_HEADER => {
            *first = 0x45;
            *class = traffic_class;
            *hops = hop_limit;
        }
        [first, second, _, _, _, _, _, hops, ..] => {
            *first = 0x60 | traffic_class >> 4;
            *second = (traffic_class << 4) | (*second & 0xf);
            *hops = hop_limit;
        }
        _ => {}
    }
    if let Some(tcp) = packet.get_mut(start..) {
        slot.supervision.outgoing(tcp, own_segment);
    }
}

/// Writes the packet's length into its IP header.
fn set_length(packet: &mut [u8], start: usize, total: usize) {
    if start == IPV6_HEADER {
        Ipv6Packet::new_unchecked(packet).set_payload_len((total - IPV6_HEADER) as u16);
    } else if let Some(field) = packet.get_mut(2..4) {
        field.copy_from_slice(&(total as u16).to_be_bytes());
    }
}

/// Computes the checksums of a packet that smoltcp emitted without them.
fn sum(packet: &mut [u8], flow: &Flow, start: usize) {
    if let (IpAddr::V4(source), IpAddr::V4(destination)) = (flow.local.ip(), flow.remote.ip())
        && let Some((header, _)) = packet.split_first_chunk_mut::<IPV4_HEADER>()
    {
        header::finish_ipv4(header, source, destination);
    }
    fill_tcp_checksum(flow.local.ip(), flow.remote.ip(), packet.get_mut(start..).unwrap_or_default());
}
