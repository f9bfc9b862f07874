//! The door: from a frame to the protocol it is for.
//!
//! Everything that no packet may do is refused here, once, so that no protocol above has to ask
//! again: impossible sources and destinations, broken headers, loopback addresses from a wire.
//! Fragments wait in [`super::reassembly`].

use core::net::IpAddr;

use super::header::{self, Header, Malformed, protocol};
use super::reassembly::Outcome;
use crate::driver::Frame;
use crate::stack::Stack;
use crate::stack::timers::Timer;

/// How a packet came.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Arrival {
    /// The frame was addressed to more stations than us.
    pub(crate) link_broadcast: bool,
    /// It came from the driver, not from ourselves.
    pub(crate) from_wire: bool,
    /// A raw socket took it: nobody is told that no other one wanted it (ICE-09).
    pub(crate) raw: bool,
}

impl Arrival {
    /// From the driver; `link_broadcast` when the frame was addressed to more stations than us.
    pub(crate) const fn from_wire(link_broadcast: bool) -> Self {
        Self { link_broadcast, from_wire: true, raw: false }
    }

    /// From ourselves.
    pub(crate) const INSIDE: Self = Self { link_broadcast: false, from_wire: false, raw: false };
}

/// Whom a packet was sent to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Delivery {
    /// An address of ours.
    Unicast,
    /// Everybody on the network.
    Broadcast,
    /// A group that we are in.
    Multicast,
}

impl Stack {
    /// Takes a frame whose link header is off.
    pub(crate) fn ip_input(&mut self, frame: Frame, arrival: Arrival) {
        // Nearly every packet of a busy system is this one. Raw sockets see everything, and take
        // the long way for it.
        let may_be_short = !self.datagrams.has_raw();
        let taken = if may_be_short { self.tcp_known(frame, arrival) } else { Err(frame) };
        let Err(frame) = taken else { return };
        let taken = if may_be_short { self.udp_known(frame, arrival) } else { Err(frame) };
        let Err(mut frame) = taken else { return };
        let verify = arrival.from_wire && !self.configuration.capabilities.reliable;
        let header = match header::parse(&mut frame, verify) {
            Ok(header) => header,
            Err(problem) => return self.refuse(frame, problem, arrival),
        };
        let Some(delivery) = self.admit(&header, arrival) else { return self.pool.put(frame) };
        match header.fragment {
            None => self.deliver(frame, &header, delivery, arrival),
            Some(fragment) => {
                let was_empty = self.reassembly.deadline().is_none();
                let outcome =
                    self.reassembly.add(&header, fragment, frame, self.now, &mut self.pool);
                if was_empty && let Some(deadline) = self.reassembly.deadline() {
                    self.timers.arm(deadline, Timer::Reassembly);
                }
                match outcome {
                    Outcome::Kept => {}
                    Outcome::Discarded => self.statistics.received_drops.fragment += 1,
                    Outcome::Whole(frame, header) => {
                        self.deliver(frame, &header, delivery, arrival)
                    }
                }
            }
        }
    }

    fn refuse(&mut self, frame: Frame, problem: Malformed, arrival: Arrival) {
        match problem {
            Malformed::Checksum => self.statistics.received_drops.checksum += 1,
            Malformed::Shape | Malformed::Silent => self.statistics.received_drops.malformed += 1,
            Malformed::Parameter { code, pointer, multicast_too } => {
                self.statistics.received_drops.malformed += 1;
                self.parameter_problem(&frame, code, pointer, multicast_too, arrival);
            }
        }
        self.pool.put(frame);
    }

    /// Decides whether a packet may come in, and as what. Counts why not.
    pub(crate) fn admit(&mut self, header: &Header, arrival: Arrival) -> Option<Delivery> {
        // Packets come in trains: what was asked for the last one holds while addresses stand
        // still.
        let ends = (header.source, header.destination, self.host.generation());
        let is_plain = arrival.from_wire && !arrival.link_broadcast;
        if is_plain && self.admitted == Some(ends) {
            return Some(Delivery::Unicast);
        }
        if arrival.from_wire && !self.is_loopback() && self.is_martian(header) {
            self.statistics.received_drops.martian += 1;
            return None;
        }
        let delivery = self.delivery_of(header, arrival);
        match delivery {
            // A unicast packet in a broadcast frame is somebody's mistake or attack (RFC 1122
            // §3.3.6).
            Some(Delivery::Unicast) if arrival.link_broadcast && header.destination.is_ipv4() => {
                self.statistics.received_drops.not_for_us += 1;
                None
            }
            None => {
                self.statistics.received_drops.not_for_us += 1;
                None
            }
            found => {
                let is_ours =
                    found == Some(Delivery::Unicast) && self.addresses.owns(header.destination);
                if is_plain && is_ours && !header.source.is_unspecified() {
                    self.admitted = Some(ends);
                }
                found
            }
        }
    }

    fn is_martian(&self, header: &Header) -> bool {
        let source_is_impossible = match header.source {
            // Any of our networks' broadcast addresses: an answer would be broadcast there
            // (IP4-11).
            IpAddr::V4(source) if source.is_unspecified() => !may_come_from_nobody(header),
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

    /// True for an address of this system that packets may be delivered to inside.
    pub(crate) fn is_own(&self, address: IpAddr) -> bool {
        self.addresses.owns(address) || self.host.owns(address)
    }

    fn delivery_of(&self, header: &Header, arrival: Arrival) -> Option<Delivery> {
        let destination = header.destination;
        let from_inside = self.is_loopback() || !arrival.from_wire;
        if self.addresses.owns(destination) || (from_inside && self.host.owns(destination)) {
            return Some(Delivery::Unicast);
        }
        match destination {
            IpAddr::V4(address) if self.addresses.is_broadcast(address) => {
                Some(Delivery::Broadcast)
            }
            _ if destination.is_multicast() => {
                self.multicast.receives(destination).then_some(Delivery::Multicast)
            }
            // The DHCP client takes its answers before it has an address.
            IpAddr::V4(_) if header.protocol == protocol::UDP && self.dhcp_is_waiting() => {
                Some(Delivery::Unicast)
            }
            _ => None,
        }
    }

    /// Hands a whole packet to its protocol.
    fn deliver(&mut self, frame: Frame, header: &Header, delivery: Delivery, mut arrival: Arrival) {
        arrival.raw = self.raw_input(&frame, header, delivery, arrival);
        match header.protocol {
            protocol::IGMP if header.source.is_ipv4() => self.igmp_input(frame, header),
            protocol::TCP => self.tcp_input(frame, header, delivery, arrival),
            protocol::UDP => self.udp_input(frame, header, delivery, arrival),
            protocol::ICMP if header.source.is_ipv4() => {
                self.icmp_input(frame, header, delivery, arrival)
            }
            protocol::ICMPV6 if header.source.is_ipv6() => {
                self.icmpv6_input(frame, header, delivery, arrival)
            }
            protocol::NO_NEXT_HEADER if header.source.is_ipv6() => self.pool.put(frame),
            _ if arrival.raw => self.pool.put(frame),
            _ => {
                self.statistics.received_drops.protocol += 1;
                self.protocol_unreachable(&frame, header, delivery, arrival);
                self.pool.put(frame);
            }
        }
    }

    /// True when the checksum of an upper-layer packet has to be looked at.
    pub(crate) fn verifies(&self, arrival: Arrival) -> bool {
        arrival.from_wire && !self.configuration.capabilities.reliable
    }
}

/// A station without an address speaks to everybody only, and to the routers of its groups (RFC
/// 3376 §4.2.13).
fn may_come_from_nobody(header: &Header) -> bool {
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

/// Groups whose packets never leave a node, and the reserved ones below them (IP6-02, RFC 4291
/// §2.7).
pub(crate) fn is_node_local(address: IpAddr) -> bool {
    matches!(address, IpAddr::V6(group) if group.is_multicast() && group.octets().get(1).is_some_and(|second| second & 0xf <= 1))
}
