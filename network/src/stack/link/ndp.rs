//! Neighbor discovery (RFC 4861) and duplicate address detection (RFC 4862 §5.4).
//!
//! Messages are read here byte by byte, with an option walk that skips what it does not know: a
//! message is dropped only for what the RFC says (hop limit, code, length, options of length 0).
//! Router advertisements go on to [`super::super::autoconfiguration`].

use core::net::{IpAddr, Ipv6Addr};

use crate::address::HardwareAddress;
use crate::command::address::AddressState;
use crate::stack::Stack;
use crate::stack::ip::header::{Header, Outgoing, protocol};

/// ICMPv6 types of neighbor discovery.
pub(crate) mod kind {
    pub(crate) const ROUTER_SOLICITATION: u8 = 133;
    pub(crate) const ROUTER_ADVERTISEMENT: u8 = 134;
    pub(crate) const NEIGHBOR_SOLICITATION: u8 = 135;
    pub(crate) const NEIGHBOR_ADVERTISEMENT: u8 = 136;
    pub(crate) const REDIRECT: u8 = 137;
}

const SOURCE_LINK_LAYER_ADDRESS: u8 = 1;
const TARGET_LINK_LAYER_ADDRESS: u8 = 2;
/// The hop limit that proves that a message did not cross a router.
const HOP_LIMIT: u8 = 255;
const ROUTER_FLAG: u8 = 0x80;
const SOLICITED_FLAG: u8 = 0x40;
const OVERRIDE_FLAG: u8 = 0x20;

/// All nodes of the link.
pub(crate) const ALL_NODES: Ipv6Addr = Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 1);
/// All routers of the link.
pub(crate) const ALL_ROUTERS: Ipv6Addr = Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 2);

/// The group that everybody joins who has `address` (RFC 4291 §2.7.1).
pub(crate) const fn solicited_node(address: Ipv6Addr) -> Ipv6Addr {
    let [.., a, b, c] = address.octets();
    Ipv6Addr::from_octets([0xff, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0xff, a, b, c])
}

/// Walks the options of a message: kind and body (without the two header bytes). `None` when one
/// has length 0 or passes the end.
pub(crate) fn options(mut bytes: &[u8]) -> Option<alloc::vec::Vec<(u8, &[u8])>> {
    let mut found = alloc::vec::Vec::new();
    while let [kind, units, ..] = bytes {
        let length = usize::from(*units) * 8;
        if length == 0 {
            return None;
        }
        found.push((*kind, bytes.get(2..length)?));
        bytes = bytes.get(length..)?;
    }
    bytes.is_empty().then_some(found)
}

fn link_layer_address(options: &[(u8, &[u8])], wanted: u8) -> Option<HardwareAddress> {
    let (_, body) = options.iter().find(|(kind, _)| *kind == wanted)?;
    let address = HardwareAddress(*body.first_chunk()?);
    address.is_unicast().then_some(address)
}

impl Stack {
    /// Takes a neighbor discovery message; its checksum is right.
    pub(crate) fn ndp_input(&mut self, header: &Header, message: &[u8]) {
        let (IpAddr::V6(source), IpAddr::V6(destination)) = (header.source, header.destination)
        else {
            return;
        };
        let handled = match message {
            [kind, 0, ..] if header.hop_limit == HOP_LIMIT => match *kind {
                kind::NEIGHBOR_SOLICITATION => {
                    self.solicitation_input(source, destination, message)
                }
                kind::NEIGHBOR_ADVERTISEMENT => self.advertisement_input(destination, message),
                kind::ROUTER_ADVERTISEMENT => self.router_advertisement_input(source, message),
                kind::ROUTER_SOLICITATION => {
                    self.router_solicitation_input(source);
                    Some(())
                }
                // Redirects are not honoured, only counted (SRC-06).
                kind::REDIRECT => {
                    self.statistics.received_drops.protocol += 1;
                    Some(())
                }
                _ => None,
            },
            _ => None,
        };
        if handled.is_none() {
            self.statistics.received_drops.malformed += 1;
        }
    }

    fn solicitation_input(
        &mut self,
        source: Ipv6Addr,
        destination: Ipv6Addr,
        message: &[u8],
    ) -> Option<()> {
        let target = Ipv6Addr::from_octets(*message.get(8..)?.first_chunk()?);
        let options = options(message.get(24..)?)?;
        let sender = link_layer_address(&options, SOURCE_LINK_LAYER_ADDRESS);
        if target.is_multicast() {
            return None;
        }
        if source.is_unspecified() && (sender.is_some() || destination != solicited_node(target)) {
            return None;
        }
        let Some(entry) = self.addresses.find(IpAddr::V6(target)) else { return Some(()) };
        if entry.state == AddressState::Tentative {
            // Somebody else tests the same address: neither may have it (RFC 4862 §5.4.3).
            if source.is_unspecified() {
                self.duplicate_found(target);
            }
            return Some(());
        }
        if !entry.is_usable() {
            return Some(());
        }
        if source.is_unspecified() {
            self.neighbor_advertisement(target, ALL_NODES, false);
            return Some(());
        }
        if let Some(hardware) = sender {
            let parked = self.neighbors.learn(IpAddr::V6(source), hardware, true, self.now);
            self.release_parked(IpAddr::V6(source), parked);
        }
        self.neighbor_advertisement(target, source, true);
        Some(())
    }

    fn advertisement_input(&mut self, destination: Ipv6Addr, message: &[u8]) -> Option<()> {
        let flags = *message.get(4)?;
        let target = Ipv6Addr::from_octets(*message.get(8..)?.first_chunk()?);
        let options = options(message.get(24..)?)?;
        if target.is_multicast() || (destination.is_multicast() && flags & SOLICITED_FLAG != 0) {
            return None;
        }
        match self.addresses.find(IpAddr::V6(target)).map(|entry| entry.state) {
            Some(AddressState::Tentative) => {
                self.duplicate_found(target);
                return Some(());
            }
            Some(AddressState::Preferred | AddressState::Deprecated) => return Some(()),
            // An address that turned out to be somebody else's is a neighbor like any other.
            Some(AddressState::Duplicated) | None => {}
        }
        let (address, router) = (IpAddr::V6(target), flags & ROUTER_FLAG != 0);
        // An answer to a unicast question may leave the address out, and Linux' does: it confirms
        // the one that is known (RFC 4861 §4.4).
        let told = link_layer_address(&options, TARGET_LINK_LAYER_ADDRESS);
        let (solicited, overrides) = (flags & SOLICITED_FLAG != 0, flags & OVERRIDE_FLAG != 0);
        let (parked, counts) =
            self.neighbors.advertised(address, told, solicited, overrides, router, self.now);
        if counts && !router {
            // Whoever routes no more is no default router (RFC 4861 §6.3.5).
            self.set_router(target, 0);
        }
        self.release_parked(address, parked);
        Some(())
    }

    /// Asks for a neighbor's hardware address; a known station is asked alone.
    pub(crate) fn neighbor_solicitation(
        &mut self,
        target: Ipv6Addr,
        hardware: Option<HardwareAddress>,
        source: Option<IpAddr>,
    ) {
        let source =
            source.or_else(|| self.addresses.source_for(IpAddr::V6(target), IpAddr::V6(target)));
        let Some(IpAddr::V6(source)) = source else {
            return;
        };
        let destination = if hardware.is_some() { target } else { solicited_node(target) };
        self.send_neighbor_message(
            kind::NEIGHBOR_SOLICITATION,
            0,
            source,
            destination,
            target,
            Some(SOURCE_LINK_LAYER_ADDRESS),
            hardware,
        );
    }

    /// Asks whether anybody uses a tentative address (RFC 4862 §5.4.2).
    pub(crate) fn duplicate_probe(&mut self, target: Ipv6Addr) {
        self.send_neighbor_message(
            kind::NEIGHBOR_SOLICITATION,
            0,
            Ipv6Addr::UNSPECIFIED,
            solicited_node(target),
            target,
            None,
            None,
        );
    }

    fn neighbor_advertisement(&mut self, target: Ipv6Addr, to: Ipv6Addr, solicited: bool) {
        let flags = OVERRIDE_FLAG | if solicited { SOLICITED_FLAG } else { 0 };
        self.send_neighbor_message(
            kind::NEIGHBOR_ADVERTISEMENT,
            flags,
            target,
            to,
            target,
            Some(TARGET_LINK_LAYER_ADDRESS),
            None,
        );
    }

    #[expect(
        clippy::too_many_arguments,
        reason = "the fields of one message, named at each of four calls"
    )]
    fn send_neighbor_message(
        &mut self,
        kind: u8,
        flags: u8,
        source: Ipv6Addr,
        destination: Ipv6Addr,
        target: Ipv6Addr,
        option: Option<u8>,
        hardware: Option<HardwareAddress>,
    ) {
        let ours = self.configuration.hardware_address;
        let mut message = alloc::vec![kind, 0, 0, 0, flags, 0, 0, 0];
        message.extend_from_slice(&target.octets());
        if let (Some(option), Some(ours)) = (option, ours) {
            message.extend_from_slice(&[option, 1]);
            message.extend_from_slice(&ours.0);
        }
        let outgoing = Outgoing {
            source: IpAddr::V6(source),
            destination: IpAddr::V6(destination),
            protocol: protocol::ICMPV6,
            hop_limit: HOP_LIMIT,
            traffic_class: 0,
        };
        let frame = self.icmp_packet(&outgoing, &message);
        match hardware {
            Some(hardware) => {
                self.ethernet_output(frame, hardware, smoltcp::wire::EthernetProtocol::Ipv6)
            }
            // A failure here is a down interface; the question is asked again by its timer.
            None => {
                let _ = self.packet_output(frame, IpAddr::V6(destination));
            }
        }
    }

    /// Asks for routers (RFC 4861 §4.1).
    pub(crate) fn router_solicitation(&mut self) {
        let source = self.addresses.source_for(IpAddr::V6(ALL_ROUTERS), IpAddr::V6(ALL_ROUTERS));
        let mut message = alloc::vec![kind::ROUTER_SOLICITATION, 0, 0, 0, 0, 0, 0, 0];
        if let (Some(_), Some(ours)) = (source, self.configuration.hardware_address) {
            message.extend_from_slice(&[SOURCE_LINK_LAYER_ADDRESS, 1]);
            message.extend_from_slice(&ours.0);
        }
        let outgoing = Outgoing {
            source: source.unwrap_or(IpAddr::V6(Ipv6Addr::UNSPECIFIED)),
            destination: IpAddr::V6(ALL_ROUTERS),
            protocol: protocol::ICMPV6,
            hop_limit: HOP_LIMIT,
            traffic_class: 0,
        };
        let frame = self.icmp_packet(&outgoing, &message);
        let _ = self.packet_output(frame, IpAddr::V6(ALL_ROUTERS));
    }
}
