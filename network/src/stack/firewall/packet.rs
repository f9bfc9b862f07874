//! Which flow a packet belongs to. Pure functions over its parsed headers.

use super::FlowKey;
use crate::command::firewall::FirewallChain;
use crate::filter::View;
use crate::stack::flow::{End, Flow};
use crate::stack::wire::header::protocol;
use crate::stack::wire::icmp::{ICMP_HEADER, kind4, kind6};
use crate::stack::wire::quote::{Quote, u16_at};

/// The flags of a TCP header (RFC 9293 §3.1).
const FLAGS: usize = 13;
const SYN: u8 = 0x02;
const ACK: u8 = 0x10;

/// What a packet is, as far as its state depends on that.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Kind {
    /// A TCP segment; one that opens a connection is a SYN without ACK.
    Segment { opens: bool },
    /// An echo request.
    EchoRequest,
    /// An echo reply.
    EchoReply,
    /// An ICMP error about a packet.
    Error(Quote),
    /// Everything else.
    Other,
}

/// The flow of a packet.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct PacketFlow {
    pub(crate) key: FlowKey,
    pub(crate) kind: Kind,
}

impl PacketFlow {
    /// The flow of a packet that passes a chain; `None` for one without addresses.
    pub(crate) fn of(view: &View<'_>, chain: FirewallChain) -> Option<Self> {
        let (source, destination) = (view.source?, view.destination?);
        let protocol = view.protocol.unwrap_or_default();
        let upper = view.transport.unwrap_or_default();
        let (from, to) = view.ports().unwrap_or_default();
        let (near, far) = match chain {
            FirewallChain::In => ((destination, to), (source, from)),
            FirewallChain::Out => ((source, from), (destination, to)),
        };
        let is_ipv6 = source.is_ipv6();
        let mut flow = Flow { local: End::new(near.0, near.1), remote: End::new(far.0, far.1) };
        let kind = match protocol {
            protocol::TCP => {
                let flags = upper.get(FLAGS).map_or(0, |flags| flags & (SYN | ACK));
                Kind::Segment { opens: flags == SYN }
            }
            protocol::ICMP if !is_ipv6 => kind_of_icmp(upper),
            protocol::ICMPV6 if is_ipv6 => kind_of_icmpv6(upper),
            _ => Kind::Other,
        };
        if matches!(kind, Kind::EchoRequest | Kind::EchoReply) {
            flow.local = End::new(near.0, u16_at(upper, 4).unwrap_or_default());
        }
        Some(Self { key: FlowKey { protocol, flow }, kind })
    }

    /// True when packets of this kind are remembered: those of sockets without connections, and
    /// our echo requests. An echo request of others is new each time, and only we answer it.
    pub(crate) const fn is_tracked(&self, chain: FirewallChain) -> bool {
        match (self.kind, chain) {
            (Kind::Other, _)
            | (Kind::EchoRequest, FirewallChain::Out)
            | (Kind::EchoReply, FirewallChain::In) => true,
            (Kind::Segment { .. } | Kind::Error(_) | Kind::EchoRequest | Kind::EchoReply, _) => {
                false
            }
        }
    }

    /// True when such a packet begins a flow that is not known.
    pub(crate) const fn may_begin(&self, chain: FirewallChain) -> bool {
        !matches!((self.kind, chain), (Kind::EchoReply, FirewallChain::In))
    }
}

fn kind_of_icmp(message: &[u8]) -> Kind {
    match message.first().copied() {
        Some(kind4::ECHO_REQUEST) => Kind::EchoRequest,
        Some(kind4::ECHO_REPLY) => Kind::EchoReply,
        Some(kind4::DESTINATION_UNREACHABLE | kind4::TIME_EXCEEDED | kind4::PARAMETER_PROBLEM) => {
            error(message)
        }
        _ => Kind::Other,
    }
}

fn kind_of_icmpv6(message: &[u8]) -> Kind {
    match message.first().copied() {
        Some(kind6::ECHO_REQUEST) => Kind::EchoRequest,
        Some(kind6::ECHO_REPLY) => Kind::EchoReply,
        // Errors are below 128 (RFC 4443 §2.1).
        Some(0..128) => error(message),
        _ => Kind::Other,
    }
}

/// An error that quotes nothing that can be read is about no flow.
fn error(message: &[u8]) -> Kind {
    let quoted = Quote::parse(message.get(ICMP_HEADER..).unwrap_or_default());
    quoted.map_or(Kind::Other, Kind::Error)
}

/// The flow of a packet of ours that an ICMP error quotes.
pub(crate) const fn quoted_key(quoted: &Quote) -> FlowKey {
    let (source, destination, protocol, near, far) = quoted.sender();
    let flow = Flow { local: End::new(source, near), remote: End::new(destination, far) };
    FlowKey { protocol, flow }
}
