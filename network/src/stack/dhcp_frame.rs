//! A DHCP message as a packet: client and server send before addresses and routes are known, so
//! they write the headers themselves.

use core::net::{IpAddr, SocketAddr, SocketAddrV4};

use super::context::Context;
use super::wire::header::{self, IPV4_HEADER, Outgoing, protocol};
use super::wire::udp::{self, UDP_HEADER};
use crate::driver::Frame;
use crate::limits::HOP_LIMIT;

/// A packet with a message from the first to the second end.
pub(crate) fn datagram(
    cx: &mut Context,
    bytes: &[u8],
    (source, destination): (SocketAddrV4, SocketAddrV4),
) -> Frame {
    let mut frame = cx.pool.take(IPV4_HEADER + UDP_HEADER + bytes.len());
    let outgoing = Outgoing {
        source: IpAddr::V4(*source.ip()),
        destination: IpAddr::V4(*destination.ip()),
        protocol: protocol::UDP,
        hop_limit: HOP_LIMIT,
        traffic_class: 0,
    };
    header::emit(&outgoing, frame.bytes_mut());
    let packet = frame.bytes_mut().get_mut(IPV4_HEADER..).unwrap_or_default();
    udp::emit(&SocketAddr::V4(source), &SocketAddr::V4(destination), bytes, true, packet);
    frame
}
