//! IP: addresses and routes of one interface, input validation, and sending.
//!
//! [`Ip`] owns the [`Link`] below it; an outgoing packet passes from here to there once. It knows
//! no protocol above: it returns an incoming packet to the stack with its headers parsed.
//!
//! | file | owns |
//! |---|---|
//! | [`ingress`] | input validation: from a frame to a complete packet for us, or nothing |
//! | [`egress`] | headers, path MTU, local copies |
//! | [`source`] | route and source address selection |
//! | [`multipath`] | which of several next hops a flow takes |
//! | [`configure`] | adding and removing addresses, routes and neighbors |
//! | [`replace`] | replacing all addresses of commands at once |
//! | [`lifetime`] | duplicate address detection, preferred and valid lifetimes |
//! | [`groups`] | multicast groups: reports and queries |
//! | [`filtering`] | what the firewall drops of packets to be sent |
//! | [`fragment`], [`reassembly`] | fragments |
//! | [`path_mtu`] | the path MTU cache |
//! | [`identification`] | identifications and flow labels |

pub(crate) mod address;
pub(crate) mod configure;
pub(crate) mod egress;
mod filtering;
mod fragment;
mod groups;
mod identification;
pub(crate) mod ingress;
pub(crate) mod lifetime;
pub(crate) mod multipath;
mod path_mtu;
mod reassembly;
mod replace;
pub(crate) mod routing;
mod source;

use alloc::collections::VecDeque;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::net::{IpAddr, Ipv4Addr};
use core::num::NonZeroU8;

use self::identification::Identifications;
use self::multipath::FlowKey;
use self::path_mtu::PathMtu;
use self::reassembly::Reassembly;
use super::addresses::Addresses;
use super::context::Context;
use super::counters::Counter;
use super::firewall::Firewall;
use super::flow::Flow;
use super::flow_cache::FlowCache;
use super::host::HostAddresses;
use super::link::{Arp, ArpMessage, Link};
use super::multicast::Multicast;
use super::routes::{Route, Routes};
use super::wire::header::Outgoing;
use crate::driver::Frame;
use crate::limits;
use crate::trace::dropped;

/// One interface's network layer.
#[derive(Debug)]
pub(crate) struct Ip {
    pub(crate) link: Link,
    pub(crate) addresses: Addresses,
    pub(crate) routes: Routes,
    /// The addresses of all interfaces.
    pub(crate) host: Arc<HostAddresses>,
    pub(crate) multicast: Multicast,
    pub(crate) firewall: Firewall,
    /// Packets to ourselves.
    local: VecDeque<Frame>,
    reassembly: Reassembly,
    identifications: Identifications,
    path_mtus: PathMtu,
    /// The MTU for IPv6 that routers advertise.
    link_mtu_ipv6: Option<usize>,
    /// The hop limit for IPv6 that routers advertise (CurHopLimit, RFC 4861 §6.3.2).
    hop_limit_ipv6: Option<NonZeroU8>,
    /// Source and destination of the last packet that passed validation.
    validated: FlowCache<(IpAddr, IpAddr), ()>,
    /// The last destination that is unicast and remote.
    unicast_cache: FlowCache<IpAddr, ()>,
}

impl Ip {
    /// A network layer without addresses.
    pub(crate) fn new(cx: &mut Context, host: Arc<HostAddresses>) -> Self {
        Self {
            link: Link::new(cx),
            addresses: Addresses::default(),
            routes: Routes::default(),
            host,
            multicast: Multicast::default(),
            firewall: Firewall::default(),
            local: VecDeque::new(),
            reassembly: Reassembly::default(),
            identifications: Identifications::new(&mut cx.random),
            path_mtus: PathMtu::new(cx.random.u64()),
            link_mtu_ipv6: None,
            hop_limit_ipv6: None,
            validated: FlowCache::default(),
            unicast_cache: FlowCache::default(),
        }
    }

    /// True for an address at which hosts of the link reach this system.
    pub(crate) fn is_reached_at(&self, address: IpAddr) -> bool {
        self.addresses.owns(address) || self.host.owns_everywhere(address)
    }

    /// True for a local address of this system.
    pub(crate) fn is_own(&self, address: IpAddr) -> bool {
        self.addresses.owns(address) || self.host.owns(address)
    }

    /// The path MTU of a destination (IP_MTU).
    pub(crate) fn path_mtu(&self, cx: &Context, destination: IpAddr) -> usize {
        let link = self.link_mtu(cx, destination);
        self.path_mtus.get(destination, cx.now).map_or(link, |path| path.min(link))
    }

    /// The MTU of the link for a destination.
    pub(crate) fn link_mtu(&self, cx: &Context, destination: IpAddr) -> usize {
        let link = match (destination, self.link_mtu_ipv6) {
            (IpAddr::V6(_), Some(mtu)) => mtu.min(cx.configuration.mtu),
            _ => cx.configuration.mtu,
        };
        self.routes.mtu_for(destination).map_or(link, |mtu| link.min(mtu as usize))
    }

    /// Sets the MTU for IPv6 that a router advertises.
    pub(crate) fn set_link_mtu_ipv6(&mut self, cx: &Context, mtu: usize) {
        if (limits::MTU_MINIMUM_IPV6..=cx.configuration.mtu).contains(&mtu) {
            self.link_mtu_ipv6 = Some(mtu);
        }
    }

    /// Sets the hop limit for IPv6 that a router advertises; 0 says nothing.
    pub(crate) fn set_hop_limit_ipv6(&mut self, hop_limit: u8) {
        self.hop_limit_ipv6 = NonZeroU8::new(hop_limit).or(self.hop_limit_ipv6);
    }

    /// The hop limit of a packet that asks for none.
    pub(crate) fn hop_limit(&self, destination: IpAddr) -> u8 {
        match (destination, self.hop_limit_ipv6) {
            (IpAddr::V6(_), Some(hop_limit)) => hop_limit.get(),
            _ => limits::HOP_LIMIT,
        }
    }

    /// Forgets what the routers of the previous link advertised about it.
    pub(crate) fn forget_advertised(&mut self) {
        (self.link_mtu_ipv6, self.hop_limit_ipv6) = (None, None);
        self.link.neighbors.set_timing(self.link.neighbors.base_timing());
    }

    /// A packet of `length` bytes exceeded a hop's MTU, `reported` (0: not reported). Returns true
    /// if the path MTU decreased.
    pub(crate) fn lower_path_mtu(
        &mut self,
        cx: &Context,
        destination: IpAddr,
        reported: usize,
        length: usize,
    ) -> bool {
        let present = self.path_mtu(cx, destination);
        self.path_mtus.lower(destination, reported, length, present, cx.now)
    }

    /// Clears the path MTU cache, as after a link change.
    pub(crate) fn forget_paths(&mut self) {
        self.path_mtus.clear();
    }

    /// The identification of a packet without one.
    pub(crate) fn next_identification(&mut self, outgoing: &Outgoing) -> u16 {
        self.identifications.next(outgoing) as u16
    }

    /// The flow label of a connection; 0 for IPv4, which has none.
    pub(crate) fn flow_label(&self, flow: &Flow) -> u32 {
        if flow.remote.ip().is_ipv6() { self.identifications.stream_label(flow) } else { 0 }
    }

    /// Progress of a peer confirms that its next hop is reachable (RFC 4861 §7.3.1).
    pub(crate) fn confirm_path(&mut self, cx: &Context, flow: &Flow) {
        let key = FlowKey::Connection(flow);
        if let Ok(next_hop) = self.next_hop(cx, flow.remote.ip(), key) {
            self.link.neighbors.advance_confirmation(next_hop, cx.now);
        }
    }

    /// Processes an ARP message that conflicts with no address under test. Returns an address of
    /// ours that another host claims again after it was defended.
    pub(crate) fn receive_arp(
        &mut self,
        cx: &mut Context,
        message: &ArpMessage,
    ) -> Option<Ipv4Addr> {
        let sender = IpAddr::V4(message.sender);
        let is_on_link = self.routes.find(sender).is_some_and(Route::is_on_link);
        let is_for_us = self.is_reached_at(IpAddr::V4(message.target));
        let arp = Arp { message, is_for_us, is_on_link };
        let is_claimed = self.link.receive_arp(cx, &self.addresses, &arp);
        (is_claimed && !self.defend(cx, message)).then_some(message.sender)
    }

    /// Drops datagrams whose reassembly timed out. Returns the first fragments whose senders may be
    /// told.
    pub(crate) fn expire_reassembly(&mut self, cx: &mut Context) -> Vec<Frame> {
        let (expired, first_fragments) = self.reassembly.expire(cx.now, &mut cx.pool);
        for source in expired {
            cx.counters.count(source.is_ipv6(), Counter::IpReasmFails);
            dropped!(cx, Fragment, "devnet::ip", "{} sent no whole datagram in time", source);
        }
        self.arm_reassembly(cx);
        first_fragments
    }

    /// True when packets to ourselves are queued.
    pub(crate) fn has_local(&self) -> bool {
        !self.local.is_empty()
    }

    /// The number of queued packets to ourselves.
    pub(crate) fn local_count(&self) -> usize {
        self.local.len()
    }

    /// Takes the next packet to ourselves.
    pub(crate) fn take_local(&mut self) -> Option<Frame> {
        self.local.pop_front()
    }

    /// The interface goes down: removes its addresses from the system's list.
    pub(crate) fn end(&mut self, cx: &Context) {
        self.host.replace(cx.configuration.index, core::iter::empty());
    }
}
