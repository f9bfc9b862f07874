//! IP: addresses and routes of one interface, which packets come in, and how packets go out.
//!
//! [`Ip`] stands on [`Link`] and owns it: what goes out passes from here to there once. It knows no
//! protocol above: a packet that comes in is returned to the stack with its headers read.
//!
//! | file | owns |
//! |---|---|
//! | [`ingress`] | input validation: from a frame to a whole packet for us, or nothing |
//! | [`egress`] | headers, the size of the path, copies for ourselves |
//! | [`source`] | the route and the source address of a packet |
//! | [`configure`] | adding and removing addresses, routes and neighbors |
//! | [`lifetime`] | duplicate address detection, preferred and valid lifetimes |
//! | [`groups`] | multicast groups: reports that leave, and what routers ask |
//! | [`fragment`], [`reassembly`] | packets in pieces |
//! | [`path_mtu`] | what paths carry |
//! | [`identification`] | numbers in headers that nobody may predict |

pub(crate) mod configure;
pub(crate) mod egress;
mod fragment;
mod groups;
mod identification;
pub(crate) mod ingress;
pub(crate) mod lifetime;
mod path_mtu;
mod reassembly;
mod source;

use alloc::collections::VecDeque;
use alloc::sync::Arc;
use core::net::IpAddr;

use self::identification::Identifications;
use self::path_mtu::PathMtu;
use self::reassembly::Reassembly;
use super::addresses::Addresses;
use super::context::Context;
use super::flow::Flow;
use super::flow_cache::FlowCache;
use super::host::HostAddresses;
use super::link::{ArpMessage, Link};
use super::multicast::Multicast;
use super::routes::Routes;
use super::wire::header::Outgoing;
use crate::driver::Frame;
use crate::limits;

/// One interface's network layer.
#[derive(Debug)]
pub(crate) struct Ip {
    pub(crate) link: Link,
    pub(crate) addresses: Addresses,
    pub(crate) routes: Routes,
    /// The addresses of all interfaces.
    pub(crate) host: Arc<HostAddresses>,
    pub(crate) multicast: Multicast,
    /// Packets to ourselves.
    local: VecDeque<Frame>,
    reassembly: Reassembly,
    identifications: Identifications,
    path_mtus: PathMtu,
    /// What routers say that the link carries of IPv6.
    link_mtu_ipv6: Option<usize>,
    /// Source and destination of the last packet that was let in.
    admitted: FlowCache<(IpAddr, IpAddr), ()>,
    /// The last destination that is a single station elsewhere.
    station: FlowCache<IpAddr, ()>,
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
            local: VecDeque::new(),
            reassembly: Reassembly::default(),
            identifications: Identifications::new(&mut cx.random),
            path_mtus: PathMtu::new(cx.random.u64()),
            link_mtu_ipv6: None,
            admitted: FlowCache::default(),
            station: FlowCache::default(),
        }
    }

    /// True for an address of this system that packets may be delivered to inside.
    pub(crate) fn is_own(&self, address: IpAddr) -> bool {
        self.addresses.owns(address) || self.host.owns(address)
    }

    /// Bytes of the largest packet that reaches this destination whole, as far as is known
    /// (IP_MTU).
    pub(crate) fn path_mtu(&self, cx: &Context, destination: IpAddr) -> usize {
        let link = self.link_mtu(cx, destination);
        self.path_mtus.get(destination, cx.now).map_or(link, |path| path.min(link))
    }

    /// The largest packet that the link takes.
    pub(crate) fn link_mtu(&self, cx: &Context, destination: IpAddr) -> usize {
        match (destination, self.link_mtu_ipv6) {
            (IpAddr::V6(_), Some(mtu)) => mtu.min(cx.configuration.mtu),
            _ => cx.configuration.mtu,
        }
    }

    /// Takes note of what a router says that the link carries of IPv6.
    pub(crate) fn set_link_mtu_ipv6(&mut self, cx: &Context, mtu: usize) {
        if (limits::MTU_MINIMUM_IPV6..=cx.configuration.mtu).contains(&mtu) {
            self.link_mtu_ipv6 = Some(mtu);
        }
    }

    /// A packet of `length` bytes did not pass a hop that carries `reported` bytes (0: it did not
    /// say). Tells whether the path is narrower than it was taken to be.
    pub(crate) fn narrow_path(
        &mut self,
        cx: &Context,
        destination: IpAddr,
        reported: usize,
        length: usize,
    ) -> bool {
        let present = self.path_mtu(cx, destination);
        self.path_mtus.lower(destination, reported, length, present, cx.now)
    }

    /// Forgets what was learned of paths, as when the link became another one.
    pub(crate) fn forget_paths(&mut self) {
        self.path_mtus.clear();
    }

    /// The identification of a packet that its sender did not give one.
    pub(crate) fn next_identification(&mut self, outgoing: &Outgoing) -> u16 {
        self.identifications.next(outgoing) as u16
    }

    /// The flow label of a connection's packets; 0 for IPv4, which has none.
    pub(crate) fn flow_label(&self, flow: &Flow) -> u32 {
        if flow.remote.ip().is_ipv6() { self.identifications.stream_label(flow) } else { 0 }
    }

    /// A peer that answers proves that its next hop is reachable (RFC 4861 §7.3.1).
    pub(crate) fn confirm_path(&mut self, cx: &Context, remote: IpAddr) {
        if let Some(next_hop) = self.next_hop(cx, remote) {
            self.link.neighbors.advance_confirmation(next_hop, cx.now);
        }
    }

    /// Takes an ARP message that contests no address under test.
    pub(crate) fn receive_arp(&mut self, cx: &mut Context, message: &ArpMessage) {
        let sender = IpAddr::V4(message.sender);
        let is_on_link = self.routes.find(sender).is_some_and(|route| route.gateway.is_none());
        self.link.receive_arp(cx, &self.addresses, is_on_link, message);
    }

    /// Gives up what was not reassembled in time.
    pub(crate) fn expire_reassembly(&mut self, cx: &mut Context) {
        cx.statistics.received_drops.fragment += self.reassembly.expire(cx.now, &mut cx.pool);
        self.arm_reassembly(cx);
    }

    /// True when packets to ourselves wait.
    pub(crate) fn has_local(&self) -> bool {
        !self.local.is_empty()
    }

    /// How many packets to ourselves wait.
    pub(crate) fn local_count(&self) -> usize {
        self.local.len()
    }

    /// The next packet to ourselves.
    pub(crate) fn take_local(&mut self) -> Option<Frame> {
        self.local.pop_front()
    }

    /// The interface goes: nobody has its addresses any more.
    pub(crate) fn end(&mut self, cx: &Context) {
        self.host.replace(cx.configuration.index, core::iter::empty());
    }
}
