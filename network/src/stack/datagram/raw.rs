//! Raw sockets: they receive whole packets, and send with our header or the program's (raw(7), RFC
//! 3542 §3).
//!
//! Every socket of a packet's protocol gets a copy before the protocol processes it. IPv4 sockets
//! receive the packet from its header on, IPv6 ones what follows the headers, as on Linux.

use core::net::{IpAddr, SocketAddr};

use devnet_virtual_file_system::Error;

use super::{Datagrams, Family, Received};
use crate::stack::context::Context;
use crate::stack::counters::Counter;
use crate::stack::ip::Ip;
use crate::stack::ip::egress::SendOptions;
use crate::stack::ip::ingress::Packet;
use crate::stack::wire::header::{self, Header, IPV4_HEADER, IPV6_HEADER, Outgoing, protocol};
use crate::stack::wire::quote::u16_at;
use crate::stack::wire::{checksum, icmp};
use crate::trace::dropped;

/// The protocol number of sockets that receive every packet.
pub(crate) const EVERY: u8 = 0;

impl Datagrams {
    /// Delivers a packet to matching raw sockets; true when one took it.
    pub(crate) fn receive_raw(&mut self, cx: &mut Context, ip: &Ip, packet: &Packet) -> bool {
        if !self.has_raw() {
            return false;
        }
        let Packet { frame, header, arrival, .. } = packet;
        let family = if header.source.is_ipv4() { Family::Raw } else { Family::Raw6 };
        let keys = [u16::from(header.protocol), u16::from(EVERY)];
        if keys.iter().all(|key| self.is_free(family, *key)) || packet.is_foreign(cx, ip) {
            return false;
        }
        let start = if family == Family::Raw { 0 } else { header.length };
        let data = frame.bytes().get(start..).unwrap_or_default();
        let is_verified = arrival.from_wire && cx.needs_checksums();
        if header.protocol == protocol::ICMPV6 && is_verified && !is_sound(header, data) {
            return false;
        }
        let received = Received {
            length: data.len(),
            remote: SocketAddr::new(header.source, 0),
            local: SocketAddr::new(header.destination, 0),
            interface: cx.configuration.index,
            hop_limit: header.hop_limit,
            traffic_class: header.traffic_class,
            at: cx.now,
        };
        let (mut taken, mut kept) = (false, true);
        let distinct = if header.protocol == EVERY { 1 } else { 2 };
        for key in keys.into_iter().take(distinct) {
            for binding in self.at(family, key) {
                if binding.score(header.destination, received.remote).is_some() {
                    taken = true;
                    kept &= binding.endpoint.push(received, data, &mut cx.wakes);
                }
            }
        }
        if !kept {
            dropped!(cx, QueueFull, "devnet::ip", "a raw socket, {}", header);
        }
        taken
    }
}

/// Sends `data` as a packet of a protocol; an ICMPv6 checksum is filled in.
///
/// # Errors
/// `WouldBlock` when the driver's queue is full; else as [`Ip::send`].
pub(crate) fn send(
    cx: &mut Context,
    ip: &mut Ip,
    source: IpAddr,
    destination: IpAddr,
    protocol: u8,
    options: &SendOptions,
    data: &[u8],
) -> Result<(), Error> {
    if !ip.link.has_room() {
        return Err(Error::WouldBlock);
    }
    if data.len() > usize::from(u16::MAX) {
        return Err(Error::MessageTooLong);
    }
    let traffic_class = options.traffic_class;
    let hop_limit = options.hop_limit.unwrap_or_else(|| ip.hop_limit(destination));
    let outgoing = Outgoing { source, destination, protocol, hop_limit, traffic_class };
    let mut frame = cx.pool.take(header::length_for(destination) + data.len());
    if let Some(place) = frame.bytes_mut().get_mut(header::length_for(destination)..) {
        place.copy_from_slice(data);
        if protocol == protocol::ICMPV6 && destination.is_ipv6() {
            icmp::fill_checksum(source, destination, place);
        }
    }
    cx.counters.count(destination.is_ipv6(), Counter::IpOutRequests);
    ip.send(cx, frame, &outgoing, options)
}

/// Sends a packet that begins with its own header. Fields of an IPv4 header that are 0 are filled
/// in as Linux does: total length, source, checksum, and the identification unless the packet is a
/// fragment; all others stay as given (SOK-07). It is never fragmented.
///
/// # Errors
/// `InvalidInput` for a header of another family or longer than the data; `MessageTooLong` above
/// the MTU; else as [`send`].
pub(crate) fn send_included(
    cx: &mut Context,
    ip: &mut Ip,
    source: IpAddr,
    destination: IpAddr,
    data: &[u8],
) -> Result<(), Error> {
    if !ip.link.has_room() {
        return Err(Error::WouldBlock);
    }
    let length = length_of(data, destination).ok_or(Error::InvalidInput)?;
    let data = data.get(..length).unwrap_or_default();
    if data.len() > ip.link_mtu(cx, destination) {
        dropped!(cx, TooLarge, "devnet::ip", "{} bytes to {}", data.len(), destination);
        return Err(Error::MessageTooLong);
    }
    let mut frame = cx.pool.copy_of(data);
    if let IpAddr::V4(source) = source {
        let outgoing = Outgoing {
            source: IpAddr::V4(source),
            destination,
            protocol: data.get(9).copied().unwrap_or_default(),
            hop_limit: 0,
            traffic_class: 0,
        };
        let identification = ip.next_identification(&outgoing);
        complete_ipv4(frame.bytes_mut(), source.octets(), identification);
    }
    cx.counters.count(destination.is_ipv6(), Counter::IpOutRequests);
    ip.transmit(cx, frame, destination)
}

fn is_sound(header: &Header, message: &[u8]) -> bool {
    checksum::of_transport(header.source, header.destination, protocol::ICMPV6, message) == 0
}

/// The packet length from its header: bytes beyond it are not sent (SOK-06). `None` when it is no
/// packet of the destination's family.
fn length_of(data: &[u8], destination: IpAddr) -> Option<usize> {
    let version = data.first()? >> 4;
    let length = match destination {
        IpAddr::V4(_) => {
            let header = usize::from(data.first()? & 0xf) * 4;
            let stated = usize::from(u16_at(data, 2)?);
            let length = if stated == 0 { data.len() } else { stated };
            if version != 4 || header < IPV4_HEADER || length < header {
                return None;
            }
            length
        }
        IpAddr::V6(_) if version == 6 => IPV6_HEADER + usize::from(u16_at(data, 4)?),
        IpAddr::V6(_) => return None,
    };
    (length <= data.len() && length <= usize::from(u16::MAX) + IPV6_HEADER).then_some(length)
}

fn complete_ipv4(packet: &mut [u8], source: [u8; 4], identification: u16) {
    let length = u16::try_from(packet.len()).unwrap_or(u16::MAX);
    let is_fragment = u16_at(packet, 6).is_some_and(|word| word & 0x3fff != 0);
    fill_if_zero(packet, 2, length.to_be_bytes());
    if !is_fragment {
        fill_if_zero(packet, 4, identification.to_be_bytes());
    }
    fill_if_zero(packet, 12, source);
    if u16_at(packet, 10) == Some(0) {
        header::fill_ipv4_checksum(packet);
    }
}

fn fill_if_zero<const N: usize>(packet: &mut [u8], at: usize, value: [u8; N]) {
    if let Some(field) = packet.get_mut(at..at + N)
        && field.iter().all(|byte| *byte == 0)
    {
        field.copy_from_slice(&value);
    }
}
