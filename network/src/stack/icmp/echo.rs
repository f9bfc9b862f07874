//! Echo requests of sockets (RFC 792, RFC 4443 §4.1).

use core::net::{IpAddr, SocketAddr};

use devnet_virtual_file_system::Error;

use crate::stack::context::Context;
use crate::stack::counters::Counter;
use crate::stack::ip::Ip;
use crate::stack::ip::egress::SendOptions;
use crate::stack::wire::header::{Outgoing, protocol};
use crate::stack::wire::icmp::{self, kind4, kind6};

/// Sends an echo request. The socket determines the identifier, the family the type, the program
/// the rest (as Linux' ping sockets).
///
/// # Errors
/// `WouldBlock` when the driver's queue is full; `InvalidInput` for anything but an echo request;
/// else as [`Ip::send`].
pub(crate) fn send(
    cx: &mut Context,
    ip: &mut Ip,
    local: SocketAddr,
    remote: IpAddr,
    options: &SendOptions,
    message: &[u8],
) -> Result<(), Error> {
    if !ip.link.has_room() {
        return Err(Error::WouldBlock);
    }
    let (expected, protocol) = if remote.is_ipv4() {
        (kind4::ECHO_REQUEST, protocol::ICMP)
    } else {
        (kind6::ECHO_REQUEST, protocol::ICMPV6)
    };
    let mut message = message.to_vec();
    match message.as_mut_slice() {
        [kind, 0, _, _, high, low, _, _, ..] if *kind == expected => {
            [*high, *low] = local.port().to_be_bytes()
        }
        _ => return Err(Error::InvalidInput),
    }
    let traffic_class = options.traffic_class;
    let hop_limit = options.hop_limit.unwrap_or_else(|| ip.hop_limit(remote));
    let outgoing =
        Outgoing { source: local.ip(), destination: remote, protocol, hop_limit, traffic_class };
    let frame = icmp::packet(&mut cx.pool, &outgoing, &message);
    cx.counters.count(remote.is_ipv6(), Counter::IpOutRequests);
    cx.counters.count(remote.is_ipv6(), Counter::IcmpOutMsgs);
    cx.counters.count(remote.is_ipv6(), Counter::IcmpOutEchos);
    ip.send(cx, frame, &outgoing, options)
}
