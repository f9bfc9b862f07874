//! The door: from a frame to the protocol it is for.
//!
//! Everything that no packet may do is refused here, once, so that no protocol above has to ask again: impossible sources and
//! destinations, broken headers, loopback addresses from a wire. Fragments wait in [`super::reassembly`].

use core::net::IpAddr;

use super::header::{self, Header, Malformed, protocol};
use super::reassembly::Outcome;
use crate::driver::Frame;
use crate::stack::Stack;
use crate::stack::link::ndp;
use crate::stack::timers::Timer;

/// How a packet came.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Arrival {
    /// The frame was addressed to more stations than us.
    pub(crate) link_broadcast: bool,
    /// It came from the driver, not from ourselves.
    pub(crate) from_wire: bool,
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
        // Nearly every packet of a busy system is this one.
        let mut frame = match self.tcp_known(frame, arrival) {
            Ok(()) => return,
            Err(frame) => frame,
        };
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
                let outcome = self.reassembly.add(&header, fragment, frame, self.now, &mut self.pool);
                if was_empty && let Some(deadline) = self.reassembly.deadline() {
                    self.timers.arm(deadline, Timer::Reassembly);
                }
                match outcome {
                    Outcome::Kept => {}
                    Outcome::Discarded => self.statistics.received_drops.fragment += 1,
                    Outcome::Whole(frame, header) => self.deliver(frame, &header, delivery, arrival),
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
        if arrival.from_wire && !self.is_loopback() && self.is_martian(header) {
            self.statistics.received_drops.martian += 1;
            return None;
        }
        let delivery = self.delivery_of(header);
        match delivery {
            // A unicast packet in a broadcast frame is somebody's mistake or attack (RFC 1122 §3.3.6).
            Some(Delivery::Unicast) if arrival.link_broadcast && header.destination.is_ipv4() => {
                self.statistics.received_drops.not_for_us += 1;
                None
            }
            None => {
                self.statistics.received_drops.not_for_us += 1;
                None
            }
            found => found,
        }
    }

    fn is_martian(&self, header: &Header) -> bool {
        let source_is_impossible = match header.source {
            IpAddr::V4(source) => {
                source.is_loopback() || source.is_multicast() || self.addresses.is_broadcast(source)
                    // Only a station without an address speaks as 0.0.0.0, and only to everybody.
                    || (source.is_unspecified() && !matches!(header.destination, IpAddr::V4(to) if to.is_broadcast()))
            }
            IpAddr::V6(source) => source.is_loopback() || source.is_multicast(),
        };
        source_is_impossible || header.destination.is_loopback() || self.addresses.owns(header.source)
    }

    fn delivery_of(&self, header: &Header) -> Option<Delivery> {
        let destination = header.destination;
        if self.addresses.owns(destination) || (self.is_loopback() && self.host.owns(destination)) {
            return Some(Delivery::Unicast);
        }
        match destination {
            IpAddr::V4(address) if self.addresses.is_broadcast(address) => Some(Delivery::Broadcast),
            IpAddr::V4(address) if address.is_multicast() => {
                let is_all_hosts = address.octets() == [224, 0, 0, 1];
                is_all_hosts.then_some(Delivery::Multicast)
            }
            IpAddr::V6(address) if address.is_multicast() => {
                let is_ours = address == ndp::ALL_NODES
                    || self.addresses.iter().any(|entry| {
                        matches!(entry.prefix.address(), IpAddr::V6(own) if ndp::solicited_node(own) == address)
                    });
                is_ours.then_some(Delivery::Multicast)
            }
            // The DHCP client takes its answers before it has an address.
            IpAddr::V4(_) if header.protocol == protocol::UDP && self.dhcp_is_waiting() => Some(Delivery::Unicast),
            _ => None,
        }
    }

    /// Hands a whole packet to its protocol.
    fn deliver(&mut self, frame: Frame, header: &Header, delivery: Delivery, arrival: Arrival) {
        match header.protocol {
            protocol::TCP => self.tcp_input(frame, header, delivery, arrival),
            protocol::UDP => self.udp_input(frame, header, delivery, arrival),
            protocol::ICMP if header.source.is_ipv4() => self.icmp_input(frame, header, delivery, arrival),
            protocol::ICMPV6 if header.source.is_ipv6() => self.icmpv6_input(frame, header, delivery, arrival),
            protocol::NO_NEXT_HEADER if header.source.is_ipv6() => self.pool.put(frame),
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
