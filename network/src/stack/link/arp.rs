//! ARP (RFC 826) with address conflict detection (RFC 5227).
//!
//! Requests for our addresses are answered. A known sender is updated; an unknown one gets an entry
//! only when it sent a request for us; unsolicited replies change nothing.

use core::net::{IpAddr, Ipv4Addr};

use smoltcp::wire::{ArpOperation, ArpPacket, ArpRepr, EthernetAddress, EthernetProtocol};

use super::{Link, Received};
use crate::address::HardwareAddress;
use crate::driver::Frame;
use crate::stack::addresses::Addresses;
use crate::stack::context::Context;
use crate::trace::dropped;

/// Bytes of an ARP packet for Ethernet and IPv4.
const ARP_LENGTH: usize = 28;

/// A parsed ARP packet.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct ArpMessage {
    operation: ArpOperation,
    pub(crate) hardware: HardwareAddress,
    /// Unspecified in an ARP probe (RFC 5227 §1.1).
    pub(crate) sender: Ipv4Addr,
    pub(crate) target: Ipv4Addr,
}

#[cfg(all(test, feature = "dhcp-server"))]
impl ArpMessage {
    /// A reply of a host to us, for tests of who reads it.
    pub(crate) fn reply(sender: Ipv4Addr, hardware: HardwareAddress) -> Self {
        let operation = ArpOperation::Reply;
        Self { operation, hardware, sender, target: Ipv4Addr::UNSPECIFIED }
    }
}

/// An ARP message with what addresses and routes say about it.
#[derive(Debug)]
pub(crate) struct Arp<'a> {
    pub(crate) message: &'a ArpMessage,
    /// Its target is an address at which this link reaches us.
    pub(crate) is_for_us: bool,
    /// Its sender is on-link by the routes.
    pub(crate) is_on_link: bool,
}

impl Link {
    /// Parses an ARP packet, without the Ethernet header.
    pub(super) fn read_arp(&mut self, cx: &mut Context, frame: Frame) -> Received {
        if !cx.configuration.options.arp {
            dropped!(cx, UnknownProtocol, "devnet::link", "an ARP packet, which is off");
            cx.pool.put(frame);
            return Received::Nothing;
        }
        let parsed = ArpPacket::new_checked(frame.bytes())
            .ok()
            .and_then(|packet| ArpRepr::parse(&packet).ok());
        cx.pool.put(frame);
        let Some(ArpRepr::EthernetIpv4 {
            operation,
            source_hardware_addr,
            source_protocol_addr: sender,
            target_protocol_addr: target,
            ..
        }) = parsed
        else {
            dropped!(cx, Malformed, "devnet::link", "an ARP packet");
            return Received::Nothing;
        };
        let hardware = HardwareAddress(source_hardware_addr.0);
        if !hardware.is_unicast() || Some(hardware) == cx.configuration.hardware_address {
            dropped!(cx, Martian, "devnet::link", "an ARP packet of {} from {}", sender, hardware);
            return Received::Nothing;
        }
        Received::Arp(ArpMessage { operation, hardware, sender, target })
    }

    /// Replies and learns. Returns true when the sender claims an address of ours.
    pub(crate) fn receive_arp(
        &mut self,
        cx: &mut Context,
        addresses: &Addresses,
        &Arp { message, is_for_us, is_on_link }: &Arp<'_>,
    ) -> bool {
        let ArpMessage { operation, hardware, sender, target } = *message;
        if !sender.is_unspecified() && addresses.owns(IpAddr::V4(sender)) {
            return true;
        }
        if !sender.is_unspecified() {
            let sender = IpAddr::V4(sender);
            let before = self.known_neighbor(sender);
            let queued = match operation {
                ArpOperation::Reply if is_for_us => {
                    self.neighbors.confirm(sender, hardware, cx.now)
                }
                ArpOperation::Request => {
                    self.neighbors.learn(sender, hardware, is_for_us && is_on_link, cx.now)
                }
                _ => self.neighbors.learn(sender, hardware, false, cx.now),
            };
            self.tell_neighbor(cx, sender, before);
            self.send_queued(cx, addresses, sender, queued);
        }
        // Neither a probe nor an announcement is a question to a proxy.
        let is_question = !sender.is_unspecified() && sender != target;
        let is_for_proxy = is_question && self.proxies.contains(IpAddr::V4(target));
        if operation == ArpOperation::Request && (is_for_us || is_for_proxy) {
            self.send_arp(cx, ArpOperation::Reply, target, Some(hardware), sender);
        }
        false
    }

    /// Sends an ARP request for `target`, unicast to a known neighbor.
    pub(super) fn request(
        &mut self,
        cx: &mut Context,
        addresses: &Addresses,
        target: Ipv4Addr,
        hardware: Option<HardwareAddress>,
    ) {
        let source = addresses.source_for(IpAddr::V4(target), IpAddr::V4(target));
        let Some(IpAddr::V4(source)) = source else { return };
        self.send_arp(cx, ArpOperation::Request, source, hardware, target);
    }

    /// Asks a neighbor for its address, from an address that may not be ours any more (RFC 4436
    /// §2.1.1).
    #[cfg(feature = "dhcp")]
    pub(crate) fn request_from(
        &mut self,
        cx: &mut Context,
        source: Ipv4Addr,
        hardware: HardwareAddress,
        target: Ipv4Addr,
    ) {
        self.send_arp(cx, ArpOperation::Request, source, Some(hardware), target);
    }

    /// Sends an ARP probe for `target` (RFC 5227 §2.1.1).
    pub(crate) fn probe(&mut self, cx: &mut Context, target: Ipv4Addr) {
        self.send_arp(cx, ArpOperation::Request, Ipv4Addr::UNSPECIFIED, None, target);
    }

    /// Sends an ARP announcement (RFC 5227 §2.3).
    pub(crate) fn announce(&mut self, cx: &mut Context, address: Ipv4Addr) {
        self.send_arp(cx, ArpOperation::Request, address, None, address);
    }

    fn send_arp(
        &mut self,
        cx: &mut Context,
        operation: ArpOperation,
        source: Ipv4Addr,
        to: Option<HardwareAddress>,
        target: Ipv4Addr,
    ) {
        let ours = cx.configuration.hardware_address.filter(|_| cx.configuration.options.arp);
        let Some(ours) = ours else { return };
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
        let mut frame = cx.pool.take(ARP_LENGTH);
        repr.emit(&mut ArpPacket::new_unchecked(frame.bytes_mut()));
        let destination = to.unwrap_or(HardwareAddress::BROADCAST);
        self.send_frame(cx, frame, destination, EthernetProtocol::Arp);
    }
}
