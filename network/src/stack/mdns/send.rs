//! Messages as packets: to the group by both families, or to one host (RFC 6762 §11, §17).

use core::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use crate::dns_message::MULTICAST_PORT;
use crate::dns_message::multicast::MulticastMessage;
use crate::limits;
use crate::stack::context::Context;
use crate::stack::ip::Ip;
use crate::stack::ip::egress::SendOptions;
use crate::stack::own_datagram;
use crate::stack::wire::header::IPV6_HEADER;
use crate::stack::wire::udp::UDP_HEADER;

/// The groups of multicast DNS.
pub(super) const GROUPS: [IpAddr; 2] = [
    IpAddr::V4(Ipv4Addr::new(224, 0, 0, 251)),
    IpAddr::V6(Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 0xfb)),
];
/// Bytes of the longest message (RFC 6762 §17): packets of 9000 bytes.
const MESSAGE_BYTES: usize = 9000 - IPV6_HEADER - UDP_HEADER;
/// Bytes of a message that every link carries, in fragments if need be.
const MESSAGE_BYTES_MINIMUM: usize = limits::MTU_MINIMUM_IPV6 - IPV6_HEADER - UDP_HEADER;
/// All packets have it, so that old receivers know that they are of the link (RFC 6762 §11).
const HOP_LIMIT: u8 = 255;

/// True when there is an address to send from.
pub(super) fn can_send(ip: &Ip) -> bool {
    GROUPS.into_iter().any(|group| ip.addresses.source_for(group, group).is_some())
}

/// Sends a message to the group, in as many packets as it takes.
pub(super) fn to_group(cx: &mut Context, ip: &mut Ip, message: &MulticastMessage) {
    for group in GROUPS {
        if let Some(source) = ip.addresses.source_for(group, group) {
            let destination = SocketAddr::new(group, MULTICAST_PORT);
            pieces(cx, ip, message.clone(), (source, destination));
        }
    }
}

/// Sends a message to one host, from the address that it asked or the best one for it.
pub(super) fn to_host(
    cx: &mut Context,
    ip: &mut Ip,
    message: MulticastMessage,
    destination: SocketAddr,
) {
    let host = destination.ip();
    if let Some(source) = ip.addresses.source_for(host, host) {
        pieces(cx, ip, message, (source, destination));
    }
}

fn pieces(
    cx: &mut Context,
    ip: &mut Ip,
    mut message: MulticastMessage,
    (source, destination): (IpAddr, SocketAddr),
) {
    let ends = (SocketAddr::new(source, MULTICAST_PORT), destination);
    let most = cx.configuration.mtu.saturating_sub(IPV6_HEADER + UDP_HEADER);
    let most = most.clamp(MESSAGE_BYTES_MINIMUM, MESSAGE_BYTES);
    loop {
        let (bytes, written) = message.write(most);
        // Programs of this system that are in the group hear it too. What finds no room or no way
        // is sent again by whoever waits for it.
        let options = SendOptions { multicast_loop: true, ..SendOptions::INTERNAL };
        own_datagram::send(cx, ip, &bytes, ends, HOP_LIMIT, &options);
        if written >= message.answers.len() {
            return;
        }
        // One that is too long for any packet is left out.
        message.answers.drain(..written.max(1));
        message.questions.clear();
        message.authority.clear();
        if message.answers.is_empty() {
            return;
        }
    }
}
