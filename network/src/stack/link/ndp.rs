//! Neighbor discovery (RFC 4861) and duplicate address detection (RFC 4862 §5.4).
//!
//! Messages are parsed byte by byte, and unknown options are skipped: a message is dropped only for
//! what the RFC lists (hop limit, code, length, options of length 0). Messages that concern other
//! parts than the neighbor table are returned as [`Discovery`].

use core::net::{IpAddr, Ipv6Addr};

use smoltcp::wire::EthernetProtocol;

use super::{Hop, Link};
use crate::address::HardwareAddress;
use crate::command::address::AddressState;
use crate::stack::addresses::Addresses;
use crate::stack::context::Context;
use crate::stack::counters::Counter;
use crate::stack::wire::header::{Header, Outgoing, protocol};
use crate::stack::wire::icmp;
use crate::stack::wire::ndp::{
    ALL_NODES, ALL_ROUTERS, HOP_LIMIT, flag, kind, option, options, solicited_node,
};
use crate::trace::dropped;

/// A message for another part than the neighbor table.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Discovery {
    /// None: the message was processed, or dropped and counted.
    Nothing,
    /// Another host has, or probes for, this address of ours.
    Duplicate(Ipv6Addr),
    /// A neighbor that may have been a router advertises that it is none (RFC 4861 §6.3.5).
    NoRouter(Ipv6Addr),
    /// A router advertisement from this address.
    Advertisement(Ipv6Addr),
    /// A router solicitation from this address, which may be unspecified.
    Solicitation(Ipv6Addr),
}

pub(crate) fn hardware_address_in(options: &[(u8, &[u8])], wanted: u8) -> Option<HardwareAddress> {
    let (_, body) = options.iter().find(|(kind, _)| *kind == wanted)?;
    let address = HardwareAddress(*body.first_chunk()?);
    address.is_unicast().then_some(address)
}

/// An option with our hardware address.
fn hardware_option(cx: &Context, kind: u8) -> Option<(u8, [u8; 6])> {
    cx.configuration.hardware_address.map(|ours| (kind, ours.0))
}

/// A neighbor solicitation or advertisement to send.
struct Message {
    kind: u8,
    flags: u8,
    source: Ipv6Addr,
    destination: Ipv6Addr,
    target: Ipv6Addr,
    /// An option of eight bytes: our hardware address, or a nonce.
    option: Option<(u8, [u8; 6])>,
    /// The recipient's hardware address; else the destination is resolved.
    hardware: Option<HardwareAddress>,
}

impl Link {
    /// Processes a neighbor discovery message with a correct checksum.
    pub(crate) fn receive_discovery(
        &mut self,
        cx: &mut Context,
        addresses: &Addresses,
        header: &Header,
        message: &[u8],
    ) -> Discovery {
        let (IpAddr::V6(source), IpAddr::V6(destination)) = (header.source, header.destination)
        else {
            return Discovery::Nothing;
        };
        let handled = match message {
            [kind::NEIGHBOR_SOLICITATION | kind::NEIGHBOR_ADVERTISEMENT, ..]
                if !cx.configuration.options.arp =>
            {
                dropped!(
                    cx,
                    UnknownProtocol,
                    "devnet::neighbor",
                    "NDP of {}, which is off",
                    source
                );
                Some(Discovery::Nothing)
            }
            [kind, 0, ..] if header.hop_limit == HOP_LIMIT => match *kind {
                kind::NEIGHBOR_SOLICITATION => {
                    self.receive_solicitation(cx, addresses, source, destination, message)
                }
                kind::NEIGHBOR_ADVERTISEMENT => {
                    self.receive_advertisement(cx, addresses, destination, message)
                }
                kind::ROUTER_ADVERTISEMENT => Some(Discovery::Advertisement(source)),
                kind::ROUTER_SOLICITATION => Some(Discovery::Solicitation(source)),
                // Redirects are ignored and counted (SRC-06).
                kind::REDIRECT => {
                    dropped!(cx, UnknownProtocol, "devnet::router", "a redirect of {}", source);
                    Some(Discovery::Nothing)
                }
                _ => None,
            },
            _ => None,
        };
        if handled.is_none() {
            dropped!(cx, Malformed, "devnet::neighbor", "neighbor discovery of {}", source);
        }
        handled.unwrap_or(Discovery::Nothing)
    }

    fn receive_solicitation(
        &mut self,
        cx: &mut Context,
        addresses: &Addresses,
        source: Ipv6Addr,
        destination: Ipv6Addr,
        message: &[u8],
    ) -> Option<Discovery> {
        let target = Ipv6Addr::from_octets(*message.get(8..)?.first_chunk()?);
        let options = options(message.get(24..)?)?;
        let sender = hardware_address_in(&options, option::SOURCE_LINK_LAYER_ADDRESS);
        if target.is_multicast() {
            return None;
        }
        if source.is_unspecified() && (sender.is_some() || destination != solicited_node(target)) {
            return None;
        }
        let Some(entry) = addresses.find(IpAddr::V6(target)) else {
            if self.proxies.contains(IpAddr::V6(target)) {
                self.learn_asking(cx, addresses, source, sender);
                self.answer_for_other(cx, addresses, (source, destination), target);
            }
            return Some(Discovery::Nothing);
        };
        if entry.state == AddressState::Tentative {
            // Another host probes for the same address: neither may use it (RFC 4862 §5.4.3). The
            // hardware address of the frame says nothing, the nonce does (RFC 7527 §4.2).
            let is_ours =
                |(kind, body): &(u8, &[u8])| *kind == option::NONCE && *body == entry.nonce;
            return Some(match source.is_unspecified() && !options.iter().any(is_ours) {
                true => Discovery::Duplicate(target),
                false => Discovery::Nothing,
            });
        }
        if !entry.is_usable() {
            return Some(Discovery::Nothing);
        }
        if source.is_unspecified() {
            self.advertise(cx, addresses, target, ALL_NODES, false);
            return Some(Discovery::Nothing);
        }
        self.learn_asking(cx, addresses, source, sender);
        self.advertise(cx, addresses, target, source, true);
        Some(Discovery::Nothing)
    }

    /// Learns who solicits us, if it says its hardware address.
    fn learn_asking(
        &mut self,
        cx: &mut Context,
        addresses: &Addresses,
        source: Ipv6Addr,
        hardware: Option<HardwareAddress>,
    ) {
        let (Some(hardware), source) = (hardware, IpAddr::V6(source)) else { return };
        let before = self.known_neighbor(source);
        let queued = self.neighbors.learn(source, hardware, true, cx.now);
        self.tell_neighbor(cx, source, before);
        self.send_queued(cx, addresses, source, queued);
    }

    fn receive_advertisement(
        &mut self,
        cx: &mut Context,
        addresses: &Addresses,
        destination: Ipv6Addr,
        message: &[u8],
    ) -> Option<Discovery> {
        let flags = *message.get(4)?;
        let target = Ipv6Addr::from_octets(*message.get(8..)?.first_chunk()?);
        let options = options(message.get(24..)?)?;
        if target.is_multicast() || (destination.is_multicast() && flags & flag::SOLICITED != 0) {
            return None;
        }
        let hardware = hardware_address_in(&options, option::TARGET_LINK_LAYER_ADDRESS);
        match addresses.find(IpAddr::V6(target)).map(|entry| entry.state) {
            // One with our hardware address is ours, of a former time, that comes back.
            Some(AddressState::Tentative)
                if hardware.is_some() && hardware == cx.configuration.hardware_address =>
            {
                return Some(Discovery::Nothing);
            }
            Some(AddressState::Tentative) => return Some(Discovery::Duplicate(target)),
            Some(AddressState::Preferred | AddressState::Deprecated) => {
                return Some(Discovery::Nothing);
            }
            // The owner of a duplicate address is a neighbor like any other.
            Some(AddressState::Duplicated) | None => {}
        }
        let (address, router) = (IpAddr::V6(target), flags & flag::ROUTER != 0);
        // A reply to a unicast solicitation may omit the hardware address, as Linux' does: it
        // confirms the known one (RFC 4861 §4.4).
        let (solicited, overrides) = (flags & flag::SOLICITED != 0, flags & flag::OVERRIDE != 0);
        let before = self.known_neighbor(address);
        let (queued, counts) =
            self.neighbors.advertised(address, hardware, solicited, overrides, router, cx.now);
        self.tell_neighbor(cx, address, before);
        self.send_queued(cx, addresses, address, queued);
        Some(if counts && !router { Discovery::NoRouter(target) } else { Discovery::Nothing })
    }

    /// Solicits a neighbor, by unicast if its address is known.
    pub(super) fn solicit_neighbor(
        &mut self,
        cx: &mut Context,
        addresses: &Addresses,
        target: Ipv6Addr,
        hardware: Option<HardwareAddress>,
        source: Option<IpAddr>,
    ) {
        let Some(IpAddr::V6(source)) = source else { return };
        let message = Message {
            kind: kind::NEIGHBOR_SOLICITATION,
            flags: 0,
            source,
            destination: if hardware.is_some() { target } else { solicited_node(target) },
            target,
            option: hardware_option(cx, option::SOURCE_LINK_LAYER_ADDRESS),
            hardware,
        };
        self.send_message(cx, addresses, &message);
    }

    /// Probes for duplicates of a tentative address (RFC 4862 §5.4.2). By the nonce we know our own
    /// solicitation when it comes back (RFC 7527 §4.1).
    pub(crate) fn probe_duplicate(
        &mut self,
        cx: &mut Context,
        addresses: &Addresses,
        target: Ipv6Addr,
        nonce: [u8; 6],
    ) {
        let message = Message {
            kind: kind::NEIGHBOR_SOLICITATION,
            flags: 0,
            source: Ipv6Addr::UNSPECIFIED,
            destination: solicited_node(target),
            target,
            option: Some((option::NONCE, nonce)),
            hardware: None,
        };
        self.send_message(cx, addresses, &message);
    }

    fn advertise(
        &mut self,
        cx: &mut Context,
        addresses: &Addresses,
        target: Ipv6Addr,
        to: Ipv6Addr,
        solicited: bool,
    ) {
        let message = Message {
            kind: kind::NEIGHBOR_ADVERTISEMENT,
            flags: flag::OVERRIDE | if solicited { flag::SOLICITED } else { 0 },
            source: target,
            destination: to,
            target,
            option: hardware_option(cx, option::TARGET_LINK_LAYER_ADDRESS),
            hardware: None,
        };
        self.send_message(cx, addresses, &message);
    }

    /// Advertises the address of somebody else from one of ours, without the override flag (RFC
    /// 4861 §7.2.8).
    pub(super) fn advertise_other(
        &mut self,
        cx: &mut Context,
        addresses: &Addresses,
        target: Ipv6Addr,
        to: Ipv6Addr,
    ) {
        let source = addresses.source_for(IpAddr::V6(to), IpAddr::V6(to));
        let Some(IpAddr::V6(source)) = source else { return };
        let message = Message {
            kind: kind::NEIGHBOR_ADVERTISEMENT,
            flags: if to.is_multicast() { 0 } else { flag::SOLICITED },
            source,
            destination: to,
            target,
            option: hardware_option(cx, option::TARGET_LINK_LAYER_ADDRESS),
            hardware: None,
        };
        self.send_message(cx, addresses, &message);
    }

    fn send_message(&mut self, cx: &mut Context, addresses: &Addresses, message: &Message) {
        if !cx.configuration.options.arp {
            return;
        }
        let Message { kind, flags, source, destination, target, option, hardware } = *message;
        let mut bytes = alloc::vec![kind, 0, 0, 0, flags, 0, 0, 0];
        bytes.extend_from_slice(&target.octets());
        if let Some((option, value)) = option {
            bytes.extend_from_slice(&[option, 1]);
            bytes.extend_from_slice(&value);
        }
        cx.counters.count(true, Counter::IpOutRequests);
        cx.counters.count(true, Counter::IcmpOutMsgs);
        let frame = icmp::packet(&mut cx.pool, &outgoing(source, destination), &bytes);
        let destination = IpAddr::V6(destination);
        match hardware {
            Some(hardware) => self.send_frame(cx, frame, hardware, EthernetProtocol::Ipv6),
            None => {
                let hop = match destination.is_multicast() {
                    true => Hop::Group(destination),
                    // The sender of a neighbor solicitation is a neighbor.
                    false => Hop::Neighbor(destination),
                };
                // The neighbor's timer repeats a lost solicitation.
                let _ = self.send(cx, addresses, frame, hop);
            }
        }
    }

    /// Processes the source link-layer address option of a router advertisement: it is recorded,
    /// and whoever advertises is a router (RFC 4861 §6.3.4).
    pub(crate) fn learn_router(
        &mut self,
        cx: &mut Context,
        addresses: &Addresses,
        router: Ipv6Addr,
        options: &[(u8, &[u8])],
    ) {
        let address = IpAddr::V6(router);
        if let Some(hardware) = hardware_address_in(options, option::SOURCE_LINK_LAYER_ADDRESS) {
            let queued = self.neighbors.learn(address, hardware, true, cx.now);
            self.send_queued(cx, addresses, address, queued);
        }
        self.neighbors.set_router(address);
    }

    /// Sends a router solicitation (RFC 4861 §4.1).
    pub(crate) fn solicit_routers(&mut self, cx: &mut Context, addresses: &Addresses) {
        let all_routers = IpAddr::V6(ALL_ROUTERS);
        let source = addresses.source_for(all_routers, all_routers);
        let mut message = alloc::vec![kind::ROUTER_SOLICITATION, 0, 0, 0, 0, 0, 0, 0];
        if let (Some(_), Some(ours)) = (source, cx.configuration.hardware_address) {
            message.extend_from_slice(&[option::SOURCE_LINK_LAYER_ADDRESS, 1]);
            message.extend_from_slice(&ours.0);
        }
        let source = match source {
            Some(IpAddr::V6(source)) => source,
            _ => Ipv6Addr::UNSPECIFIED,
        };
        cx.counters.count(true, Counter::IpOutRequests);
        cx.counters.count(true, Counter::IcmpOutMsgs);
        let frame = icmp::packet(&mut cx.pool, &outgoing(source, ALL_ROUTERS), &message);
        // The timer repeats a lost solicitation.
        let _ = self.send(cx, addresses, frame, Hop::Group(all_routers));
    }
}

fn outgoing(source: Ipv6Addr, destination: Ipv6Addr) -> Outgoing {
    Outgoing {
        source: IpAddr::V6(source),
        destination: IpAddr::V6(destination),
        protocol: protocol::ICMPV6,
        hop_limit: HOP_LIMIT,
        traffic_class: 0,
    }
}
