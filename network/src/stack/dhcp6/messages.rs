//! Messages of the client as bytes and packets (RFC 8415 §18.2, §21).

use alloc::vec::Vec;
use core::net::{IpAddr, Ipv6Addr, SocketAddr};

use super::reply::Given;
use crate::address::Prefix;
use crate::dhcp6_message::{CLIENT_PORT, Dhcp6Message, MessageKind, SERVER_PORT, option, push};
use crate::limits::HOP_LIMIT;
use crate::stack::context::Context;
use crate::stack::delegations::TimedPrefix;
use crate::stack::ip::Ip;
use crate::stack::ip::egress::SendOptions;
use crate::stack::own_datagram;

/// All_DHCP_Relay_Agents_and_Servers.
pub(super) const SERVERS: Ipv6Addr = Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 1, 2);

/// What the client asks for in messages about leases.
const WITH_LEASES: [u16; 4] =
    [option::DNS_SERVERS, option::DOMAINS, option::NTP_SERVER, option::SOL_MAX_RT];
/// What it asks for in Information-requests.
const ALONE: [u16; 5] = [
    option::DNS_SERVERS,
    option::DOMAINS,
    option::NTP_SERVER,
    option::INFORMATION_REFRESH_TIME,
    option::INF_MAX_RT,
];

/// Appends what is asked for.
pub(super) fn push_request(message: &mut Dhcp6Message) {
    let codes: &[u16] = match message.kind {
        MessageKind::InformationRequest => &ALONE,
        MessageKind::Confirm | MessageKind::Release | MessageKind::Decline => return,
        _ => &WITH_LEASES,
    };
    let codes: Vec<u8> = codes.iter().flat_map(|code| code.to_be_bytes()).collect();
    message.push(option::REQUEST, &codes);
}

/// The prefixes of leases.
pub(super) fn held(leases: &[TimedPrefix]) -> Vec<Prefix> {
    leases.iter().map(|lease| lease.prefix).collect()
}

/// The prefixes of what a server offers.
pub(super) fn offered(given: &[Given]) -> Vec<Prefix> {
    given.iter().filter(|one| one.valid > 0).map(|one| one.prefix).collect()
}

/// Appends an identity association with addresses or prefixes, without times: the server decides.
pub(super) fn push_association(
    message: &mut Dhcp6Message,
    code: u16,
    iaid: u32,
    members: &[Prefix],
) {
    let mut value = iaid.to_be_bytes().to_vec();
    value.extend_from_slice(&[0; 8]);
    for member in members {
        let IpAddr::V6(address) = member.address() else { continue };
        let mut inner = Vec::new();
        if code == option::IA_PD {
            inner.extend_from_slice(&[0; 8]);
            inner.push(member.length());
            inner.extend_from_slice(&address.octets());
            push(&mut value, option::IA_PREFIX, &inner);
        } else {
            inner.extend_from_slice(&address.octets());
            inner.extend_from_slice(&[0; 8]);
            push(&mut value, option::IA_ADDRESS, &inner);
        }
    }
    message.push(code, &value);
}

/// Sends a message of a client to all servers of the link.
pub(super) fn to_servers(cx: &mut Context, ip: &mut Ip, message: &Dhcp6Message) {
    send(cx, ip, (CLIENT_PORT, SocketAddr::new(IpAddr::V6(SERVERS), SERVER_PORT)), message);
}

/// Sends a message of a server to a client.
pub(super) fn to_client(cx: &mut Context, ip: &mut Ip, client: Ipv6Addr, message: &Dhcp6Message) {
    send(cx, ip, (SERVER_PORT, SocketAddr::new(IpAddr::V6(client), CLIENT_PORT)), message);
}

fn send(
    cx: &mut Context,
    ip: &mut Ip,
    (port, destination): (u16, SocketAddr),
    message: &Dhcp6Message,
) {
    let Some(source) = ip.addresses.link_local() else { return };
    let ends = (SocketAddr::new(source, port), destination);
    // What is lost is sent again by whoever waits for an answer.
    own_datagram::send(cx, ip, &message.to_bytes(), ends, HOP_LIMIT, &SendOptions::INTERNAL);
}
