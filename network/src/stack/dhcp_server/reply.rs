//! What a reply of the DHCP server says, and where it goes.

use alloc::vec::Vec;
use core::net::{Ipv4Addr, SocketAddrV4};

use crate::address::{HardwareAddress, Prefix};
use crate::command::dhcp_server::DhcpServerOptions;
use crate::dhcp_message::{CLIENT_PORT, DhcpMessage, MessageKind, option};

/// Bytes of the IP and UDP headers, which the maximum message size counts (RFC 2132 §9.10).
const HEADERS: usize = 28;
/// The size that every client accepts (RFC 2131 §2).
const SIZE_MINIMUM: u16 = 576;

/// Where a reply goes (RFC 2131 §4.1).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Destination {
    /// In a frame to this hardware address: the client may not answer ARP yet.
    Frame(SocketAddrV4, HardwareAddress),
    /// By the routes.
    Routed(Ipv4Addr),
}

/// The destination of a reply.
pub(super) fn destination(request: &DhcpMessage, reply: &DhcpMessage) -> Destination {
    let frame =
        |address, hardware| Destination::Frame(SocketAddrV4::new(address, CLIENT_PORT), hardware);
    if reply.kind == MessageKind::Refuse {
        return frame(Ipv4Addr::BROADCAST, HardwareAddress::BROADCAST);
    }
    if !request.client_address.is_unspecified() {
        return Destination::Routed(request.client_address);
    }
    if request.broadcast || !request.hardware_address.is_unicast() {
        return frame(Ipv4Addr::BROADCAST, HardwareAddress::BROADCAST);
    }
    frame(reply.your_address, request.hardware_address)
}

/// A reply with the options that each has.
fn answer(server: Prefix, request: &DhcpMessage, kind: MessageKind) -> DhcpMessage {
    let mut reply = DhcpMessage::new(kind, request.transaction, request.hardware_address);
    reply.broadcast = request.broadcast;
    reply.push(option::SERVER_IDENTIFIER, &ipv4(server).octets());
    // The client finds its own identifier (RFC 6842).
    if let Some(identifier) = request.option(option::CLIENT_IDENTIFIER) {
        reply.push(option::CLIENT_IDENTIFIER, identifier);
    }
    reply
}

/// DHCPNAK.
pub(super) fn refusal(server: Prefix, request: &DhcpMessage) -> DhcpMessage {
    let mut reply = answer(server, request, MessageKind::Refuse);
    reply.push(option::MESSAGE, b"not your address");
    reply
}

/// DHCPOFFER, or DHCPACK of a request.
pub(super) fn grant(
    server: Prefix,
    options: &DhcpServerOptions,
    request: &DhcpMessage,
    kind: MessageKind,
    address: Ipv4Addr,
) -> DhcpMessage {
    let mut reply = answer(server, request, kind);
    reply.your_address = address;
    if kind == MessageKind::Acknowledge {
        reply.client_address = request.client_address;
    }
    let seconds = options.lease_seconds;
    reply.push(option::LEASE_TIME, &seconds.to_be_bytes());
    if seconds != u32::MAX {
        // RFC 2131 §4.4.5: half and seven eighths.
        reply.push(option::RENEWAL_TIME, &(seconds / 2).to_be_bytes());
        reply.push(option::REBINDING_TIME, &(seconds - seconds / 8).to_be_bytes());
    }
    describe(server, options, request, &mut reply);
    reply
}

/// DHCPACK of a DHCPINFORM, without address and lease (RFC 2131 §4.3.5).
pub(super) fn information(
    server: Prefix,
    options: &DhcpServerOptions,
    request: &DhcpMessage,
) -> DhcpMessage {
    let mut reply = answer(server, request, MessageKind::Acknowledge);
    reply.client_address = request.client_address;
    describe(server, options, request, &mut reply);
    reply
}

/// The options of these settings as they are sent, the subnet mask first (RFC 2132 §3.3).
pub(super) fn settings(server: Prefix, options: &DhcpServerOptions) -> Vec<(u8, Vec<u8>)> {
    let mut all = Vec::new();
    let mask = server.netmask().unwrap_or(Ipv4Addr::BROADCAST);
    all.push((option::SUBNET_MASK, mask.octets().to_vec()));
    let mut addresses = |code, list: &[Ipv4Addr]| {
        if !list.is_empty() {
            all.push((code, list.iter().flat_map(Ipv4Addr::octets).collect()));
        }
    };
    addresses(option::ROUTER, &options.routers);
    addresses(option::DNS_SERVERS, &options.dns_servers);
    if let Some(domain) = &options.domain {
        all.push((option::DOMAIN, domain.as_bytes().to_vec()));
    }
    all.extend(options.options.iter().map(|raw| (raw.code, raw.value.clone())));
    all
}

/// Adds what the client asks for, in its order, and the subnet mask in any case; everything to a
/// client that asks for nothing. What its maximum message size leaves no room for is left out.
fn describe(
    server: Prefix,
    options: &DhcpServerOptions,
    request: &DhcpMessage,
    reply: &mut DhcpMessage,
) {
    let most = request.option(option::MAXIMUM_SIZE).and_then(|bytes| bytes.first_chunk());
    let most = most.map_or(SIZE_MINIMUM, |bytes| u16::from_be_bytes(*bytes)).max(SIZE_MINIMUM);
    let most = usize::from(most) - HEADERS;
    let mut all = settings(server, options);
    if let Some(wanted) = request.option(option::PARAMETER_LIST) {
        let place = |code: u8| wanted.iter().position(|wanted| *wanted == code);
        all.retain(|(code, _)| *code == option::SUBNET_MASK || place(*code).is_some());
        // The mask comes before the routers, whatever the client's order is.
        all.sort_by_key(|(code, _)| (*code != option::SUBNET_MASK, place(*code)));
    }
    for (code, value) in all {
        let length = reply.length() + value.len() + 2 * value.len().div_ceil(255);
        if length <= most {
            reply.push(code, &value);
        }
    }
}

/// The address of the server.
pub(super) fn ipv4(server: Prefix) -> Ipv4Addr {
    match server.address() {
        core::net::IpAddr::V4(address) => address,
        // A server has an IPv4 address.
        core::net::IpAddr::V6(_) => Ipv4Addr::UNSPECIFIED,
    }
}
