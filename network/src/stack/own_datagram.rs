//! Datagrams of the stack's own protocols.

use core::net::SocketAddr;

use super::context::Context;
use super::counters::Counter;
use super::ip::Ip;
use super::ip::egress::SendOptions;
use super::wire::header::{self, Outgoing, protocol};
use super::wire::udp::{self, UDP_HEADER};

/// Sends a datagram from the first to the second end. One that finds no room or no way is lost.
pub(crate) fn send(
    cx: &mut Context,
    ip: &mut Ip,
    bytes: &[u8],
    (source, destination): (SocketAddr, SocketAddr),
    hop_limit: u8,
    options: &SendOptions,
) {
    let head = header::length_for(destination.ip());
    let mut frame = cx.pool.take(head + UDP_HEADER + bytes.len());
    let outgoing = Outgoing {
        source: source.ip(),
        destination: destination.ip(),
        protocol: protocol::UDP,
        hop_limit,
        traffic_class: 0,
    };
    if let Some(packet) = frame.bytes_mut().get_mut(head..) {
        udp::emit(&source, &destination, bytes, true, packet);
    }
    cx.counters.count(destination.is_ipv6(), Counter::UdpOutDatagrams);
    cx.counters.count(destination.is_ipv6(), Counter::IpOutRequests);
    let _ = ip.send(cx, frame, &outgoing, options);
}
