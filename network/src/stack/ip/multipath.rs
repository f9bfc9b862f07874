//! Which of several next hops a flow takes.
//!
//! Each next hop has a region of the space of a keyed hash of the flow, as large as its weight
//! (hash-threshold, RFC 2992). So the packets of a flow take one way as long as the set of next
//! hops is the same. A next hop that does not answer keeps its region, and a second hash spreads
//! what falls into it over the others: no flow of theirs changes its way.

use core::net::IpAddr;

use super::Ip;
use crate::stack::context::Context;
use crate::stack::flow::Flow;
use crate::stack::routes::Route;
use crate::stack::wire::header::{self, protocol};
use crate::stack::wire::quote::u32_at;

/// What tells the flow of a packet apart.
#[derive(Clone, Copy, Debug)]
pub(crate) enum FlowKey<'a> {
    /// The packet, with its header.
    Packet(&'a [u8]),
    /// A connection of TCP.
    Connection(&'a Flow),
    /// What is known before there is a packet.
    Ends {
        source: Option<IpAddr>,
        protocol: u8,
        /// The source port and the destination port, as in the header.
        ports: Option<u32>,
    },
}

impl FlowKey<'_> {
    /// A flow of which only the destination is known.
    pub(crate) const UNKNOWN: Self = Self::Ends { source: None, protocol: 0, ports: None };

    /// The source, the protocol and the ports. Fragments count without ports, as their first one
    /// is alone in having them.
    fn parts(self) -> (Option<IpAddr>, u8, Option<u32>) {
        match self {
            Self::Ends { source, protocol, ports } => {
                if has_ports(protocol) {
                    (source, protocol, ports)
                } else {
                    (source, 0, None)
                }
            }
            Self::Connection(flow) => {
                let ports = u32::from(flow.local.port()) << 16 | u32::from(flow.remote.port());
                (Some(flow.local.ip()), protocol::TCP, Some(ports))
            }
            Self::Packet(packet) => {
                let source = header::source_of(packet);
                match header::upper_of(packet).filter(|_| !header::is_fragment(packet)) {
                    Some((protocol, upper)) if has_ports(protocol) => {
                        (source, protocol, u32_at(upper, 0))
                    }
                    _ => (source, 0, None),
                }
            }
        }
    }
}

const fn has_ports(protocol: u8) -> bool {
    matches!(protocol, protocol::TCP | protocol::UDP)
}

impl Ip {
    /// The next hop of a flow, of those of the route with this one.
    pub(super) fn hop_of<'a>(
        &'a self,
        cx: &Context,
        destination: IpAddr,
        one: &'a Route,
        flow: FlowKey<'_>,
    ) -> &'a Route {
        let (source, protocol, ports) = flow.parts();
        let hash = self.identifications.flow_hash((source, destination), protocol, ports);
        let (first, second) = ((hash >> 32) as u32, hash as u32);
        let hops = || self.routes.equals(destination).filter(|known| known.is_hop());
        let chosen = pick(hops, first).unwrap_or(one);
        if self.answers(cx, chosen) {
            return chosen;
        }
        pick(|| hops().filter(|hop| self.answers(cx, hop)), second).unwrap_or(chosen)
    }

    /// False for a route whose gateway lately did not answer.
    pub(super) fn answers(&self, cx: &Context, route: &Route) -> bool {
        let is_unresponsive = |gateway| self.link.neighbors.is_unresponsive(gateway, cx.now);
        !route.gateway.is_some_and(is_unresponsive)
    }
}

/// The next hop in whose region a hash falls.
fn pick<'a, I: Iterator<Item = &'a Route>>(hops: impl Fn() -> I, hash: u32) -> Option<&'a Route> {
    let total: u64 = hops().map(|hop| u64::from(hop.details.weight)).sum();
    let at = (u64::from(hash) * total) >> 32;
    let mut end = 0;
    hops().find(|hop| {
        end += u64::from(hop.details.weight);
        at < end
    })
}
