//! ARP (RFC 826) with address conflict detection (RFC 5227).
//!
//! Requests for our addresses are answered. A sender that is known is updated; a stranger enters
//! the table only when it asked for us; answers to questions that we did not ask change nothing.

use core::net::{IpAddr, Ipv4Addr};

use smoltcp::wire::{ArpOperation, ArpPacket, ArpRepr, EthernetAddress, EthernetProtocol};

use crate::address::HardwareAddress;
use crate::driver::Frame;
use crate::stack::Stack;

/// Bytes of an ARP packet for Ethernet and IPv4.
const ARP_LENGTH: usize = 28;

impl Stack {
    /// Takes an ARP packet; the Ethernet header is off.
    pub(crate) fn arp_input(&mut self, frame: Frame) {
        let parsed = ArpPacket::new_checked(frame.bytes())
            .ok()
            .and_then(|packet| ArpRepr::parse(&packet).ok());
        self.pool.put(frame);
        let Some(ArpRepr::EthernetIpv4 {
            operation,
            source_hardware_addr,
            source_protocol_addr,
            target_protocol_addr,
            ..
        }) = parsed
        else {
            self.statistics.received_drops.malformed += 1;
            return;
        };
        let hardware = HardwareAddress(source_hardware_addr.0);
        if !hardware.is_unicast() || Some(hardware) == self.configuration.hardware_address {
            self.statistics.received_drops.martian += 1;
            return;
        }
        let is_for_us = self.addresses.owns(IpAddr::V4(target_protocol_addr));
        if self.claims_our_address(source_protocol_addr, target_protocol_addr, hardware) {
            return;
        }
        // An unspecified sender only asks whether somebody has the address (RFC 5227 §1.1).
        if !source_protocol_addr.is_unspecified() {
            let sender = IpAddr::V4(source_protocol_addr);
            let is_neighbor = self.routes.find(sender).is_some_and(|route| route.gateway.is_none());
            let parked = match operation {
                ArpOperation::Reply if is_for_us => {
                    self.neighbors.confirm(sender, hardware, false, None, self.now)
                }
                ArpOperation::Request => {
                    self.neighbors.learn(sender, hardware, is_for_us && is_neighbor, self.now)
                }
                _ => self.neighbors.learn(sender, hardware, false, self.now),
            };
            self.release_parked(sender, parked);
        }
        if operation == ArpOperation::Request && is_for_us {
            self.arp_send(
                ArpOperation::Reply,
                target_protocol_addr,
                Some(hardware),
                source_protocol_addr,
            );
        }
    }

    /// True when the sender uses an address of ours, or one that we are about to use; the owner is
    /// told.
    fn claims_our_address(
        &mut self,
        sender: Ipv4Addr,
        target: Ipv4Addr,
        hardware: HardwareAddress,
    ) -> bool {
        if self.dhcp_conflict(sender, target) {
            return true;
        }
        if sender.is_unspecified() || !self.addresses.owns(IpAddr::V4(sender)) {
            return false;
        }
        // Defend: say once, to everybody, whose it is (RFC 5227 §2.4 (b)), at most every ten
        // seconds.
        self.statistics.received_drops.martian += 1;
        let _ = hardware;
        if self.now >= self.defend_after {
            self.defend_after = self.now.after(core::time::Duration::from_secs(10));
            self.arp_announce(sender);
        }
        true
    }

    /// Asks who has `target`; a known station is asked alone.
    pub(crate) fn arp_request(&mut self, target: Ipv4Addr, hardware: Option<HardwareAddress>) {
        let Some(IpAddr::V4(source)) =
            self.addresses.source_for(IpAddr::V4(target), IpAddr::V4(target))
        else {
            return;
        };
        self.arp_send(ArpOperation::Request, source, hardware, target);
    }

    /// Asks whether anybody uses `target`, without claiming it (RFC 5227 §2.1.1).
    pub(crate) fn arp_probe(&mut self, target: Ipv4Addr) {
        self.arp_send(ArpOperation::Request, Ipv4Addr::UNSPECIFIED, None, target);
    }

    /// Tells everybody that the address is ours (RFC 5227 §2.3).
    pub(crate) fn arp_announce(&mut self, address: Ipv4Addr) {
        self.arp_send(ArpOperation::Request, address, None, address);
    }

    fn arp_send(
        &mut self,
        operation: ArpOperation,
        source: Ipv4Addr,
        to: Option<HardwareAddress>,
        target: Ipv4Addr,
    ) {
        let Some(ours) = self.configuration.hardware_address else { return };
        let target_hardware = if operation == ArpOperation::Reply {
            to.unwrap_or(HardwareAddress([0; 6]))
        } else {
            HardwareAddress([0; 6])
        };
        let repr = ArpRepr::EthernetIpv4 {
            operation,
            source_hardware_addr: EthernetAddress(ours.0),
            source_protocol_addr: source,
            target_hardware_addr: EthernetAddress(target_hardware.0),
            target_protocol_addr: target,
        };
        let mut frame = self.pool.take(ARP_LENGTH);
        repr.emit(&mut ArpPacket::new_unchecked(frame.bytes_mut()));
        self.ethernet_output(
            frame,
            to.unwrap_or(HardwareAddress::BROADCAST),
            EthernetProtocol::Arp,
        );
    }
}
