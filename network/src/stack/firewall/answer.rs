//! What the sender of a rejected packet gets: a RST, or an ICMP error.

use core::net::IpAddr;

use smoltcp::wire::{TcpPacket, TcpSeqNumber};

use crate::driver::{Frame, FramePool, Medium};
use crate::filter::View;
use crate::stack::wire::checksum;
use crate::stack::wire::header::{self, IPV6_HEADER, Outgoing, protocol};
use crate::stack::wire::icmp::{self, kind4, kind6};
use crate::stack::wire::quote::{u16_at, u32_at};

/// Bytes of a TCP header without options, and its flags.
const TCP_HEADER: usize = 20;
const FIN: u8 = 0x01;
const SYN: u8 = 0x02;
const RST: u8 = 0x04;
const ACK: u8 = 0x10;

/// Type and code of "administratively prohibited" (RFC 1812 §5.2.7.1, RFC 4443 §3.1).
pub(crate) const fn prohibited(to: IpAddr) -> [u8; 2] {
    match to {
        IpAddr::V4(_) => [kind4::DESTINATION_UNREACHABLE, 13],
        IpAddr::V6(_) => [kind6::DESTINATION_UNREACHABLE, 1],
    }
}

/// True for a segment of TCP.
pub(crate) fn is_segment(packet: &[u8]) -> bool {
    View::of(packet, Medium::Ip).protocol == Some(protocol::TCP)
}

/// Bytes of a packet that an ICMP error to ourselves quotes.
const QUOTED: usize = 1280 - IPV6_HEADER - icmp::ICMP_HEADER;

/// The RST for a segment, with both ends exchanged (RFC 9293 §3.5.2); `None` for what is no whole
/// header, for a RST, and for a segment that is not of two hosts.
pub(crate) fn reset(pool: &mut FramePool, hop_limit: u8, packet: &[u8]) -> Option<(Frame, IpAddr)> {
    let view = View::of(packet, Medium::Ip);
    let (source, destination) = (view.source?, view.destination?);
    let segment = view.transport.filter(|_| view.protocol == Some(protocol::TCP))?;
    let (sequence, acknowledgment) = (u32_at(segment, 4)?, u32_at(segment, 8)?);
    let flags = *segment.get(13)?;
    let is_between_hosts = !(source.is_multicast()
        || source.is_unspecified()
        || destination.is_multicast()
        || destination.is_unspecified());
    if flags & RST != 0 || !is_between_hosts {
        return None;
    }
    let header = usize::from(segment.get(12)? >> 4) * 4;
    let length = segment.len().saturating_sub(header) as u32;
    let controls = u32::from(flags & SYN != 0) + u32::from(flags & FIN != 0);
    // Where the peer told nothing of us, the RST acknowledges its segment.
    let is_blind = flags & ACK == 0;
    let (sequence, acknowledgment) = if is_blind {
        (0, sequence.wrapping_add(length).wrapping_add(controls))
    } else {
        (acknowledgment, 0)
    };
    let start = header::length_for(source);
    let mut frame = pool.take(start + TCP_HEADER);
    let outgoing = Outgoing {
        source: destination,
        destination: source,
        protocol: protocol::TCP,
        hop_limit,
        traffic_class: 0,
    };
    header::emit(&outgoing, frame.bytes_mut());
    let mut tcp = [0; TCP_HEADER];
    let mut reply = TcpPacket::new_unchecked(&mut tcp[..]);
    reply.set_src_port(u16_at(segment, 2)?);
    reply.set_dst_port(u16_at(segment, 0)?);
    reply.set_seq_number(TcpSeqNumber(sequence as i32));
    reply.set_ack_number(TcpSeqNumber(acknowledgment as i32));
    reply.set_header_len(TCP_HEADER as u8);
    reply.set_rst(true);
    reply.set_ack(is_blind);
    let sum = checksum::of_transport(destination, source, protocol::TCP, reply.as_ref());
    reply.set_checksum(sum);
    frame.bytes_mut().get_mut(start..)?.copy_from_slice(&tcp);
    Some((frame, source))
}

/// The ICMP error about a packet of ours, as if its destination had sent it; `None` for a packet to
/// a group, and for an ICMP error.
pub(crate) fn error(pool: &mut FramePool, hop_limit: u8, packet: &[u8]) -> Option<Frame> {
    let view = View::of(packet, Medium::Ip);
    let (source, destination) = (view.source?, view.destination?);
    let is_broadcast = matches!(destination, IpAddr::V4(address) if address.is_broadcast());
    if source.is_unspecified() || destination.is_multicast() || is_broadcast {
        return None;
    }
    let protocol = match source {
        IpAddr::V4(_) => protocol::ICMP,
        IpAddr::V6(_) => protocol::ICMPV6,
    };
    let [kind, code] = prohibited(source);
    let mut message = alloc::vec![kind, code, 0, 0, 0, 0, 0, 0];
    message.extend(packet.iter().take(QUOTED));
    let outgoing = Outgoing {
        source: destination,
        destination: source,
        protocol,
        hop_limit,
        traffic_class: 0,
    };
    Some(icmp::packet(pool, &outgoing, &message))
}
