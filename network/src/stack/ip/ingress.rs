//! Input validation: turns a frame into a complete packet for us, or nothing.
//!
//! Checks that apply to every packet are made here, once, so that no protocol above has to repeat
//! them: invalid sources and destinations, malformed headers, loopback addresses from the driver.
//! [`super::reassembly`] holds fragments.

use core::net::IpAddr;

use super::Ip;
use super::reassembly::Outcome;
use crate::driver::{Frame, Kind};
use crate::stack::addresses::is_node_local;
use crate::stack::context::Context;
use crate::stack::counters::Counter;
use crate::stack::link::Arrival;
use crate::stack::timers::Timer;
use crate::stack::wire::header::{self, Header, Malformed, protocol};
use crate::stack::wire::ndp;
use crate::trace::dropped;

/// How a packet is addressed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Delivery {
    /// To an address of ours.
    Unicast,
    /// Broadcast.
    Broadcast,
    /// To a group that we are in.
    Multicast,
}

/// A complete packet for us.
#[derive(Debug)]
pub(crate) struct Packet {
    pub(crate) frame: Frame,
    pub(crate) header: Header,
    pub(crate) delivery: Delivery,
    pub(crate) arrival: Arrival,
}

impl Packet {
    /// What follows the headers.
    pub(crate) fn payload(&self) -> &[u8] {
        self.frame.bytes().get(self.header.length..).unwrap_or_default()
    }

    /// True for a packet to an address that is not ours, or in a broadcast frame, which passed
    /// because the DHCP client waits.
    pub(crate) fn is_foreign(&self, cx: &Context, ip: &Ip) -> bool {
        let destination = self.header.destination;
        self.delivery == Delivery::Unicast
            && self.arrival.from_wire
            && !cx.is_loopback()
            && ((self.arrival.link_broadcast && destination.is_ipv4())
                || !ip.is_reached_at(destination))
    }
}

/// What is accepted although its destination is not ours.
#[derive(Clone, Copy)]
struct Accepted {
    /// UDP of IPv4, for the DHCP client.
    any_udp: bool,
    /// This solicitation, for an address that we answer for.
    solicitation: bool,
}

/// The result of validation.
#[derive(Debug)]
pub(crate) enum Received {
    /// None: dropped and counted, or a fragment that was stored.
    Nothing,
    /// A packet for its protocol.
    Packet(Packet),
    /// A packet that gets a parameter problem about an unknown field (RFC 4443 §3.4): code and
    /// pointer, and whether it is sent even about multicast packets.
    Refused { frame: Frame, arrival: Arrival, code: u8, pointer: u32, multicast_too: bool },
}

impl Ip {
    /// Processes a frame whose link header was removed. `accepts_any_udp` while the DHCP client
    /// waits: the server's reply arrives before we have an address. Whoever takes it asks
    /// [`Packet::is_foreign`].
    pub(crate) fn receive(
        &mut self,
        cx: &mut Context,
        mut frame: Frame,
        arrival: Arrival,
        accepts_any_udp: bool,
    ) -> Received {
        let verify = arrival.from_wire && cx.needs_checksums();
        let header = match header::parse(&mut frame, verify) {
            Ok(header) => header,
            Err(problem) => return refuse(cx, frame, problem, arrival),
        };
        let is_ipv6 = header.source.is_ipv6();
        cx.counters.count(is_ipv6, Counter::IpInReceives);
        let accepted = Accepted {
            any_udp: accepts_any_udp,
            solicitation: self.is_for_proxy(&header, frame.bytes()),
        };
        let Some(delivery) = self.validate(cx, &header, arrival, accepted) else {
            cx.counters.count(is_ipv6, Counter::IpInAddrErrors);
            cx.pool.put(frame);
            return Received::Nothing;
        };
        let Some(fragment) = header.fragment else {
            return Received::Packet(Packet { frame, header, delivery, arrival });
        };
        cx.counters.count(is_ipv6, Counter::IpReasmReqds);
        let was_empty = self.reassembly.deadline().is_none();
        let is_answerable = delivery == Delivery::Unicast && !arrival.link_broadcast;
        let (now, pool) = (cx.now, &mut cx.pool);
        let outcome = self.reassembly.add((&header, fragment), frame, is_answerable, now, pool);
        if was_empty {
            self.arm_reassembly(cx);
        }
        match outcome {
            Outcome::Stored => Received::Nothing,
            Outcome::Discarded => {
                cx.counters.count(is_ipv6, Counter::IpReasmFails);
                dropped!(cx, Fragment, "devnet::ip", "a fragment, {}", header);
                Received::Nothing
            }
            Outcome::Whole(frame, header) => {
                cx.counters.count(is_ipv6, Counter::IpReasmOks);
                reassembled(cx, frame, header, delivery, arrival)
            }
        }
    }

    pub(super) fn arm_reassembly(&mut self, cx: &mut Context) {
        if let Some(deadline) = self.reassembly.deadline() {
            cx.timers.arm(deadline, Timer::Reassembly);
        }
    }

    /// Decides whether and how a packet is delivered. Counts drops.
    fn validate(
        &mut self,
        cx: &mut Context,
        header: &Header,
        arrival: Arrival,
        accepted: Accepted,
    ) -> Option<Delivery> {
        // The decision for the last packet holds as long as addresses do not change.
        let ends = (header.source, header.destination);
        let generation = self.host.generation();
        let is_plain = arrival.from_wire && !arrival.link_broadcast;
        if is_plain && self.validated.get(generation, &ends).is_some() {
            return Some(Delivery::Unicast);
        }
        let is_loopback = cx.configuration.capabilities.kind == Kind::Loopback;
        if arrival.from_wire && !is_loopback && self.is_martian(header) {
            dropped!(cx, Martian, "devnet::ip", "{}", header);
            return None;
        }
        let from_inside = is_loopback || !arrival.from_wire;
        let is_for_dhcp = accepted.any_udp
            && header.protocol == protocol::UDP
            && header.destination.is_ipv4()
            && !header.destination.is_multicast();
        let found = match self.delivery_of(header.destination, from_inside) {
            None if is_for_dhcp || accepted.solicitation => Some(Delivery::Unicast),
            found => found,
        };
        match found {
            // A unicast packet in a broadcast frame is a mistake or an attack (RFC 1122 §3.3.6).
            // Only DHCP servers that cannot resolve the client's address send such.
            Some(Delivery::Unicast)
                if arrival.link_broadcast && header.destination.is_ipv4() && !is_for_dhcp =>
            {
                dropped!(cx, NotForUs, "devnet::ip", "broadcast, {}", header);
                None
            }
            None => {
                dropped!(cx, NotForUs, "devnet::ip", "{}", header);
                None
            }
            found => {
                let is_ours =
                    found == Some(Delivery::Unicast) && self.is_reached_at(header.destination);
                if is_plain && is_ours && !header.source.is_unspecified() {
                    self.validated.set(generation, ends, ());
                }
                found
            }
        }
    }

    /// True for a solicitation of a neighbor to an address that we answer for: hosts that know it
    /// ask it alone whether it is still there (RFC 4861 §7.3.3).
    fn is_for_proxy(&self, header: &Header, packet: &[u8]) -> bool {
        header.protocol == protocol::ICMPV6
            && self.link.proxies.contains(header.destination)
            && packet.get(header.length) == Some(&ndp::kind::NEIGHBOR_SOLICITATION)
    }

    fn is_martian(&self, header: &Header) -> bool {
        let source_is_impossible = match header.source {
            // The broadcast address of any of our networks: an answer would be broadcast there
            // (IP4-11).
            IpAddr::V4(source) if source.is_unspecified() => !may_have_unspecified_source(header),
            IpAddr::V4(source) => {
                source.is_loopback()
                    || source.is_multicast()
                    || self.addresses.is_broadcast(source)
                    || self.host.is_broadcast(source)
            }
            IpAddr::V6(source) => source.is_loopback() || source.is_multicast(),
        };
        source_is_impossible
            || header.destination.is_loopback()
            || is_node_local(header.destination)
            || self.addresses.owns(header.source)
    }

    fn delivery_of(&self, destination: IpAddr, from_inside: bool) -> Option<Delivery> {
        if self.addresses.owns(destination)
            || (from_inside && self.host.owns(destination))
            || self.host.owns_everywhere(destination)
        {
            return Some(Delivery::Unicast);
        }
        match destination {
            IpAddr::V4(address) if self.addresses.is_broadcast(address) => {
                Some(Delivery::Broadcast)
            }
            _ if destination.is_multicast() => {
                self.multicast.receives(destination).then_some(Delivery::Multicast)
            }
            _ => None,
        }
    }
}

/// Processes a datagram that became whole. Extension headers behind the fragment header are part of
/// it (RFC 8200 §4.5); another fragment header is not.
fn reassembled(
    cx: &mut Context,
    mut frame: Frame,
    header: Header,
    delivery: Delivery,
    arrival: Arrival,
) -> Received {
    let parsed = match header.source {
        IpAddr::V4(_) => Ok(header),
        IpAddr::V6(_) => header::parse(&mut frame, false),
    };
    match parsed {
        Ok(header) if header.fragment.is_none() => {
            Received::Packet(Packet { frame, header, delivery, arrival })
        }
        Ok(_) => {
            dropped!(cx, Fragment, "devnet::ip", "a fragment in fragments, {}", header);
            cx.pool.put(frame);
            Received::Nothing
        }
        Err(problem) => refuse(cx, frame, problem, arrival),
    }
}

fn refuse(cx: &mut Context, frame: Frame, problem: Malformed, arrival: Arrival) -> Received {
    let is_ipv6 = header::is_ipv6(frame.bytes());
    cx.counters.count(is_ipv6, Counter::IpInReceives);
    cx.counters.count(is_ipv6, Counter::IpInHdrErrors);
    match problem {
        Malformed::Checksum => {
            dropped!(cx, Checksum, "devnet::ip", "a header, {} bytes", frame.len());
        }
        Malformed::Format | Malformed::Silent => {
            dropped!(cx, Malformed, "devnet::ip", "a header, {} bytes", frame.len());
        }
        Malformed::Parameter { code, pointer, multicast_too } => {
            dropped!(cx, Malformed, "devnet::ip", "an unknown field at {}", pointer);
            return Received::Refused { frame, arrival, code, pointer, multicast_too };
        }
    }
    cx.pool.put(frame);
    Received::Nothing
}

/// Packets from the unspecified address may only be broadcast, or reports to multicast routers (RFC
/// 3376 §4.2.13).
fn may_have_unspecified_source(header: &Header) -> bool {
    match header.destination {
        IpAddr::V4(to) => {
            let [a, b, c, _] = to.octets();
            to.is_broadcast()
                || [a, b, c] == [224, 0, 0]
                || (to.is_multicast() && header.protocol == protocol::IGMP)
        }
        IpAddr::V6(_) => false,
    }
}
