//! Layer 2: Ethernet framing, and which station a packet goes to.
//!
//! Packets come down from [`super::ip`] complete; frames leave into the output queue that the
//! interface hands to its driver. On media without hardware addresses this layer is only a queue.
//! ARP and NDP answer and learn here; the table is in [`neighbor`].

pub(crate) mod arp;
pub(crate) mod ndp;
pub(crate) mod neighbor;

use alloc::vec::Vec;
use core::net::IpAddr;

use smoltcp::wire::{EthernetAddress, EthernetFrame, EthernetProtocol};
use virtual_file_system::Error;

use self::neighbor::{Decision, Expiry, Solicitation};
use super::Stack;
use crate::address::HardwareAddress;
use crate::driver::{Frame, Medium};
use crate::limits;
use crate::platform::Instant;
use crate::stack::ip::header;
use crate::stack::ip::icmp::Quote;
use crate::stack::ip::ingress::{Arrival, is_node_local};
use crate::stack::timers::Timer;

/// Bytes of an Ethernet II header.
pub(crate) const ETHERNET_HEADER: usize = 14;

impl Stack {
    /// Takes one frame from the driver.
    pub(crate) fn frame_input(&mut self, mut frame: Frame) {
        self.statistics.received_packets += 1;
        self.statistics.received_bytes += frame.len() as u64;
        if !self.configuration.enabled {
            self.statistics.received_drops.disabled += 1;
            return self.pool.put(frame);
        }
        if self.configuration.capabilities.medium == Medium::Ip {
            return self.ip_input(frame, Arrival::from_wire(false));
        }
        let Ok(ethernet) = EthernetFrame::new_checked(frame.bytes()) else {
            self.statistics.received_drops.malformed += 1;
            return self.pool.put(frame);
        };
        let (source, destination) =
            (HardwareAddress(ethernet.src_addr().0), HardwareAddress(ethernet.dst_addr().0));
        let ethertype = ethernet.ethertype();
        let to_group = !destination.is_unicast();
        if (!to_group && Some(destination) != self.configuration.hardware_address)
            || !source.is_unicast()
        {
            self.statistics.received_drops.not_for_us += 1;
            return self.pool.put(frame);
        }
        frame.advance(ETHERNET_HEADER);
        match ethertype {
            EthernetProtocol::Ipv4 | EthernetProtocol::Ipv6 => {
                self.ip_input(frame, Arrival::from_wire(to_group));
            }
            EthernetProtocol::Arp => self.arp_input(frame),
            EthernetProtocol::Unknown(_) => {
                self.statistics.received_drops.protocol += 1;
                self.pool.put(frame);
            }
        }
    }

    /// Sends a whole IP packet that fits the MTU towards its destination.
    ///
    /// # Errors
    /// `NetworkDown`, `NetworkUnreachable` (no route) or `NoBufferSpace`; the packet is gone and
    /// counted.
    pub(crate) fn packet_output(&mut self, frame: Frame, destination: IpAddr) -> Result<(), Error> {
        if !self.configuration.enabled {
            self.statistics.sent_drops.disabled += 1;
            self.pool.put(frame);
            return Err(Error::NetworkDown);
        }
        // What is meant for this system or by its loopback addresses meets no wire (IP4-01,
        // IP6-02).
        if !self.is_loopback() && (self.is_own(destination) || is_node_local(destination)) {
            return self.loop_back(frame);
        }
        if !self.is_loopback() && destination.is_loopback() {
            self.statistics.sent_drops.no_route += 1;
            self.pool.put(frame);
            return Err(Error::NetworkUnreachable);
        }
        if self.configuration.capabilities.medium == Medium::Ip {
            self.queue_frame(frame);
            return Ok(());
        }
        if destination.is_multicast() {
            self.ethernet_output(
                frame,
                HardwareAddress::multicast(destination),
                ethertype_of(destination),
            );
            return Ok(());
        }
        if matches!(destination, IpAddr::V4(address) if self.addresses.is_broadcast(address)) {
            self.ethernet_output(frame, HardwareAddress::BROADCAST, EthernetProtocol::Ipv4);
            return Ok(());
        }
        self.station_output(frame, destination)
    }

    /// Sends a whole IP packet to a single station that is not us, by way of the next hop.
    ///
    /// # Errors
    /// As [`packet_output`](Self::packet_output).
    pub(crate) fn station_output(
        &mut self,
        frame: Frame,
        destination: IpAddr,
    ) -> Result<(), Error> {
        if self.configuration.capabilities.medium == Medium::Ip {
            self.queue_frame(frame);
            return Ok(());
        }
        let Some(next_hop) = self.next_hop(destination) else {
            self.statistics.sent_drops.no_route += 1;
            self.pool.put(frame);
            return Err(Error::NetworkUnreachable);
        };
        self.neighbor_output(frame, next_hop)
    }

    fn neighbor_output(&mut self, frame: Frame, next_hop: IpAddr) -> Result<(), Error> {
        if let Some(hardware) = self.neighbors.fresh(next_hop, self.now) {
            self.ethernet_output(frame, hardware, ethertype_of(next_hop));
            return Ok(());
        }
        let (decision, solicitation) = self.neighbors.resolve(next_hop, frame, self.now);
        let outcome = match decision {
            Decision::Send(frame, hardware) => {
                self.ethernet_output(frame, hardware, ethertype_of(next_hop));
                Ok(())
            }
            Decision::Parked { dropped: None } => Ok(()),
            Decision::Parked { dropped: Some(frame) } => {
                self.statistics.sent_drops.neighbor += 1;
                self.pool.put(frame);
                Ok(())
            }
            Decision::Refused(frame) => {
                self.statistics.sent_drops.full += 1;
                self.pool.put(frame);
                Err(Error::NoBufferSpace)
            }
        };
        self.arm_neighbors();
        if let Some(solicitation) = solicitation {
            self.solicit(next_hop, solicitation);
        }
        outcome
    }

    fn solicit(&mut self, address: IpAddr, solicitation: Solicitation) {
        let hardware = match solicitation {
            Solicitation::Multicast => None,
            Solicitation::Unicast(hardware) => Some(hardware),
        };
        match address {
            IpAddr::V4(address) => self.arp_request(address, hardware),
            IpAddr::V6(target) => {
                // The question carries the source of the packet that waits (NBR-13, RFC 4861
                // §7.2.2).
                let waiting = self
                    .neighbors
                    .waiting(address)
                    .and_then(|frame| header::source_of(frame.bytes()));
                let source =
                    waiting.filter(|source| source.is_ipv6() && self.addresses.owns(*source));
                self.neighbor_solicitation(target, hardware, source);
            }
        }
    }

    fn arm_neighbors(&mut self) {
        while let Some((deadline, address)) = self.neighbors.armed.pop_front() {
            self.timers.arm(deadline, Timer::Neighbor(address));
        }
    }

    /// Handles a neighbor's deadline.
    pub(crate) fn neighbor_expired(&mut self, address: IpAddr, deadline: Instant) {
        match self.neighbors.expire(address, deadline, self.now) {
            Expiry::Nothing => {}
            Expiry::Solicit(solicitation) => self.solicit(address, solicitation),
            Expiry::Failed(parked) => {
                let mut told = Vec::new();
                for frame in parked {
                    self.statistics.sent_drops.neighbor += 1;
                    // Each sender hears of it once (ICE-10).
                    if let Some(sender) = Quote::parse(frame.bytes()).map(|quoted| quoted.sender())
                        && !told.contains(&sender)
                    {
                        told.push(sender);
                        self.undeliverable(&frame, Error::HostUnreachable);
                    }
                    self.pool.put(frame);
                }
            }
        }
        self.arm_neighbors();
    }

    /// Sends what waited for a neighbor, in order.
    pub(crate) fn release_parked(
        &mut self,
        address: IpAddr,
        parked: impl IntoIterator<Item = Frame>,
    ) {
        for frame in parked {
            // The table was just told the address, so this does not park again.
            let _ = self.neighbor_output(frame, address);
        }
    }

    /// An address of ours is gone: what waits for a neighbor must not leave from it either
    /// (NBR-15).
    pub(crate) fn drop_parked_from(&mut self, source: IpAddr) {
        for frame in self.neighbors.drop_from(source) {
            self.statistics.sent_drops.neighbor += 1;
            self.pool.put(frame);
        }
    }

    /// Puts an Ethernet header in front and queues the frame.
    pub(crate) fn ethernet_output(
        &mut self,
        mut frame: Frame,
        destination: HardwareAddress,
        ethertype: EthernetProtocol,
    ) {
        let Some(source) = self.configuration.hardware_address else { return self.pool.put(frame) };
        if !frame.prepend(ETHERNET_HEADER) {
            let packet = frame;
            frame = self.pool.copy_of(packet.bytes());
            self.pool.put(packet);
            // A fresh frame has headroom.
            let _ = frame.prepend(ETHERNET_HEADER);
        }
        let mut ethernet = EthernetFrame::new_unchecked(frame.bytes_mut());
        ethernet.set_src_addr(EthernetAddress(source.0));
        ethernet.set_dst_addr(EthernetAddress(destination.0));
        ethernet.set_ethertype(ethertype);
        self.queue_frame(frame);
    }

    /// Hands a finished frame to the driver's queue. Beyond the bound it is dropped: nobody above
    /// may count on it, and those who can wait ask [`has_room`](Self::has_room) first.
    fn queue_frame(&mut self, frame: Frame) {
        if self.output.len() >= limits::EGRESS_QUEUE * 2 {
            self.statistics.sent_drops.full += 1;
            return self.pool.put(frame);
        }
        self.output.push_back(frame);
    }

    /// True when a sender that can wait may send now.
    pub(crate) fn has_room(&self) -> bool {
        self.output.len() < limits::EGRESS_QUEUE
    }

    /// Delivers a packet to ourselves with the next turn.
    pub(crate) fn loop_back(&mut self, frame: Frame) -> Result<(), Error> {
        if self.local.len() >= limits::EGRESS_QUEUE {
            self.statistics.sent_drops.full += 1;
            self.pool.put(frame);
            return Err(Error::NoBufferSpace);
        }
        self.local.push_back(frame);
        Ok(())
    }
}

const fn ethertype_of(address: IpAddr) -> EthernetProtocol {
    match address {
        IpAddr::V4(_) => EthernetProtocol::Ipv4,
        IpAddr::V6(_) => EthernetProtocol::Ipv6,
    }
}
