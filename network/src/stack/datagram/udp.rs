//! UDP: delivers packets to sockets and sends datagrams (RFC 768).

use alloc::sync::Arc;
use core::net::{IpAddr, SocketAddr};

use devnet_virtual_file_system::Error;

use super::{Datagrams, Endpoint, Family, Received};
use crate::dhcp_message::{CLIENT_PORT, SERVER_PORT};
use crate::dhcp6_message;
use crate::dns_message::MULTICAST_PORT;
use crate::driver::Frame;
use crate::stack::context::Context;
use crate::stack::counters::Counter;
use crate::stack::ip::Ip;
use crate::stack::ip::egress::SendOptions;
use crate::stack::ip::ingress::{Delivery, Packet};
use crate::stack::link::Arrival;
use crate::stack::wire::checksum;
use crate::stack::wire::header::{self, IPV4_HEADER, Outgoing, protocol};
use crate::stack::wire::quote::u16_at;
use crate::stack::wire::udp::{self, UDP_HEADER};
use crate::trace::dropped;

/// The destination of IPv4 datagrams with the same addresses and ports.
#[derive(Debug)]
pub(super) struct Path {
    remote: SocketAddr,
    local: SocketAddr,
    endpoint: Arc<Endpoint>,
}

/// Addresses and ports, as the bytes of an IPv4 packet.
pub(super) type Ends = [u8; 12];

/// The ports of a valid UDP packet, whose frame was cut to its length.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Ports {
    pub(crate) source: u16,
    pub(crate) destination: u16,
}

/// Verifies a UDP packet and cuts its frame to its length; `None` when it is dropped and counted.
pub(crate) fn check(cx: &mut Context, packet: &mut Packet) -> Option<Ports> {
    let (from, to) = (packet.header.source, packet.header.destination);
    let payload = packet.payload();
    let available = payload.len();
    let (Some(source), Some(destination), Some(length), Some(sum)) = (
        u16_at(payload, 0),
        u16_at(payload, 2),
        u16_at(payload, 4).map(usize::from),
        u16_at(payload, 6),
    ) else {
        cx.counters.count(from.is_ipv6(), Counter::UdpInErrors);
        dropped!(cx, Malformed, "devnet::udp", "from {} to {}", from, to);
        return None;
    };
    if length < UDP_HEADER || length > available || destination == 0 {
        cx.counters.count(from.is_ipv6(), Counter::UdpInErrors);
        dropped!(cx, Malformed, "devnet::udp", "from {} to {}", from, to);
        return None;
    }
    packet.frame.truncate(packet.header.length + length);
    // An absent checksum is legal for IPv4 only (RFC 8200 §8.1).
    let is_summed = sum != 0 || from.is_ipv6();
    if !cx.configuration.capabilities.reliable
        && packet.arrival.from_wire
        && is_summed
        && (sum == 0 || checksum::of_transport(from, to, protocol::UDP, packet.payload()) != 0)
    {
        cx.counters.count(from.is_ipv6(), Counter::UdpInErrors);
        cx.counters.count(from.is_ipv6(), Counter::UdpInCsumErrors);
        dropped!(
            cx,
            Checksum,
            "devnet::udp",
            "from {} to {}",
            SocketAddr::new(from, source),
            SocketAddr::new(to, destination)
        );
        return None;
    }
    Some(Ports { source, destination })
}

impl Datagrams {
    /// The fast path: a packet with the addresses and ports of the last datagram, a plain IPv4
    /// header and correct checksums. Gives back every other packet.
    pub(crate) fn receive_fast(
        &mut self,
        cx: &mut Context,
        ip: &Ip,
        frame: Frame,
        arrival: Arrival,
    ) -> Result<(), Frame> {
        let Some((ends, path)) = self.flow_cache.last(ip.host.generation()) else {
            return Err(frame);
        };
        if arrival.link_broadcast || !arrival.from_wire {
            return Err(frame);
        }
        let Some((class, hops, data)) = plain(frame.bytes(), ends, cx.needs_checksums()) else {
            return Err(frame);
        };
        let received = Received {
            length: data.len(),
            remote: path.remote,
            local: path.local,
            interface: cx.configuration.index,
            hop_limit: hops,
            traffic_class: class,
            at: cx.now,
        };
        let kept = path.endpoint.push(received, data, &mut cx.wakes);
        if kept {
            cx.counters.count(false, Counter::UdpFastDatagrams);
        } else {
            cx.counters.count(false, Counter::IpInReceives);
            cx.counters.count(false, Counter::IpInDelivers);
            cx.counters.count(false, Counter::UdpInErrors);
            cx.counters.count(false, Counter::UdpRcvbufErrors);
            let (from, to) = (received.remote, received.local);
            dropped!(cx, QueueFull, "devnet::udp", "from {} to {}", from, to);
        }
        cx.pool.put(frame);
        Ok(())
    }

    /// Delivers a verified UDP packet to its sockets. False when there is none.
    pub(crate) fn receive_udp(
        &mut self,
        cx: &mut Context,
        ip: &Ip,
        packet: &Packet,
        ports: Ports,
    ) -> bool {
        let header = &packet.header;
        let remote = SocketAddr::new(header.source, ports.source);
        let data = packet.payload().get(UDP_HEADER..).unwrap_or_default();
        let received = Received {
            length: data.len(),
            remote,
            local: SocketAddr::new(header.destination, ports.destination),
            interface: cx.configuration.index,
            hop_limit: header.hop_limit,
            traffic_class: header.traffic_class,
            at: cx.now,
        };
        let (mut found, mut kept) = (false, true);
        if packet.delivery == Delivery::Unicast {
            if let Some(binding) = self.udp_for(received.local, remote) {
                found = true;
                kept = binding.endpoint.push(received, data, &mut cx.wakes);
                let endpoint = Arc::clone(&binding.endpoint);
                // The stack looks at these datagrams too, whenever it runs DHCP or multicast DNS.
                let is_for_dhcp6 = [dhcp6_message::CLIENT_PORT, dhcp6_message::SERVER_PORT]
                    .contains(&ports.destination);
                let is_for_stack =
                    matches!(ports.destination, SERVER_PORT | CLIENT_PORT | MULTICAST_PORT);
                if !is_for_stack && !is_for_dhcp6 {
                    self.cache_path(ip, packet, &received, endpoint);
                }
            }
        } else {
            // Every matching socket gets a copy.
            for binding in self.at(Family::Udp, ports.destination) {
                if binding.score(header.destination, remote).is_some() {
                    found = true;
                    kept &= binding.endpoint.push(received, data, &mut cx.wakes);
                }
            }
        }
        let is_ipv6 = header.source.is_ipv6();
        if found && kept {
            cx.counters.count(is_ipv6, Counter::UdpInDatagrams);
        }
        if !kept {
            cx.counters.count(is_ipv6, Counter::UdpInErrors);
            cx.counters.count(is_ipv6, Counter::UdpRcvbufErrors);
            dropped!(cx, QueueFull, "devnet::udp", "from {} to {}", remote, received.local);
        }
        found
    }

    /// Stores the path in the flow cache: the next datagram probably has the same destination.
    fn cache_path(
        &mut self,
        ip: &Ip,
        packet: &Packet,
        received: &Received,
        endpoint: Arc<Endpoint>,
    ) {
        let Received { remote, local, .. } = *received;
        let (IpAddr::V4(source), IpAddr::V4(destination)) = (remote.ip(), local.ip()) else {
            return;
        };
        if !packet.arrival.from_wire || !ip.is_reached_at(local.ip()) {
            return;
        }
        let ([a, b, c, d], [e, f, g, h]) = (source.octets(), destination.octets());
        let ([i, j], [k, l]) = (remote.port().to_be_bytes(), local.port().to_be_bytes());
        let ends = [a, b, c, d, e, f, g, h, i, j, k, l];
        self.flow_cache.set(ip.host.generation(), ends, Path { remote, local, endpoint });
    }
}

/// Sends one UDP datagram.
///
/// # Errors
/// `WouldBlock` when the driver's queue is full; `MessageTooLong`; else as [`Ip::send`].
pub(crate) fn send(
    cx: &mut Context,
    ip: &mut Ip,
    source: &SocketAddr,
    destination: &SocketAddr,
    options: &SendOptions,
    data: &[u8],
) -> Result<(), Error> {
    if !ip.link.has_room() {
        return Err(Error::WouldBlock);
    }
    let outgoing = Outgoing {
        source: source.ip(),
        destination: destination.ip(),
        protocol: protocol::UDP,
        hop_limit: options.hop_limit.unwrap_or_else(|| ip.hop_limit(destination.ip())),
        traffic_class: options.traffic_class,
    };
    let length = u16::try_from(UDP_HEADER + data.len()).map_err(|_| Error::MessageTooLong)?;
    let start = header::length_for(destination.ip());
    let mut frame = cx.pool.take(start + usize::from(length));
    udp::emit(
        source,
        destination,
        data,
        cx.needs_checksums(),
        frame.bytes_mut().get_mut(start..).unwrap_or_default(),
    );
    cx.counters.count(destination.is_ipv6(), Counter::UdpOutDatagrams);
    ip.send(cx, frame, &outgoing, options)
}

/// Traffic class, time to live and data of a valid IPv4 packet between `ends`.
fn plain<'a>(bytes: &'a [u8], ends: &Ends, verify: bool) -> Option<(u8, u8, &'a [u8])> {
    let (header, rest) = bytes.split_first_chunk::<IPV4_HEADER>()?;
    let [0x45, class, high, low, _, _, flags, 0, hops, protocol::UDP, ..] = *header else {
        return None;
    };
    let total = usize::from(u16::from_be_bytes([high, low]));
    let packet = rest.get(..total.checked_sub(IPV4_HEADER)?)?;
    let (udp, data) = packet.split_first_chunk::<UDP_HEADER>()?;
    let [_, _, _, _, long, short, first, second] = *udp;
    let is_whole = usize::from(u16::from_be_bytes([long, short])) == packet.len();
    let is_same = bytes.get(12..24)? == ends.as_slice();
    if flags & 0x3f != 0 || !is_whole || !is_same || [first, second] == [0, 0] {
        return None;
    }
    if verify {
        let addresses = checksum::addresses_in::<8>(header.last_chunk()?);
        let sum = checksum::of_parts(addresses, protocol::UDP, packet.len(), 0, packet);
        if checksum::of(header) != 0 || sum != 0 {
            return None;
        }
    }
    Some((class, hops, data))
}
