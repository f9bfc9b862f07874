//! Received packets and the firewall: what connections and sockets know of a packet, and what its
//! sender gets when it does not pass.

use super::Transport;
use crate::command::firewall::{FirewallAction, FlowStates};
use crate::stack::context::Context;
use crate::stack::firewall::FlowKey;
use crate::stack::firewall::answer;
use crate::stack::firewall::packet::{Kind, PacketFlow, quoted_key};
use crate::stack::ip::Ip;
use crate::stack::ip::ingress::{Delivery, Packet};
use crate::stack::wire::header::protocol;
use crate::trace::dropped;

impl Transport {
    /// True for a received packet that passes the firewall. Others are counted, and their senders
    /// answered if a rule says so.
    #[inline(never)]
    pub(super) fn admits(&mut self, cx: &mut Context, ip: &mut Ip, packet: &Packet) -> bool {
        // What this system sends to itself was never on the link.
        if !packet.arrival.from_wire {
            return true;
        }
        let known = |flow: &PacketFlow, is_remembered: &dyn Fn(&FlowKey) -> bool| match &flow.kind {
            Kind::Segment { .. } => Some(of_known(self.tcp.knows(&flow.key.flow))),
            // An answer to it is not more trusted than the first one was.
            Kind::EchoRequest => Some(FlowStates::NEW),
            Kind::Error(quoted) => {
                let key = quoted_key(quoted);
                let is_known = self.is_of_socket(&key) || is_remembered(&key);
                Some(if is_known { FlowStates::RELATED } else { FlowStates::NEW })
            }
            Kind::EchoReply | Kind::Other => {
                self.is_of_socket(&flow.key).then_some(FlowStates::ESTABLISHED)
            }
        };
        let action = ip.firewall.input(cx, packet.frame.bytes(), known);
        if action == FirewallAction::Accept {
            return true;
        }
        dropped!(cx, Firewall, "devnet::firewall", "{}", packet.header);
        match action {
            FirewallAction::Reject if packet.header.protocol == protocol::TCP => {
                refuse_segment(cx, ip, packet);
            }
            FirewallAction::Reject | FirewallAction::Prohibit => {
                self.icmp.prohibited(cx, ip, packet);
            }
            FirewallAction::Accept | FirewallAction::Drop | FirewallAction::Continue => {}
        }
        false
    }

    /// True for a flow that a connection or a connected socket has.
    fn is_of_socket(&self, key: &FlowKey) -> bool {
        let (local, remote) = (key.flow.local.address(), key.flow.remote.address());
        match key.protocol {
            protocol::TCP => self.tcp.knows(&key.flow),
            protocol::UDP => self
                .datagrams
                .udp_for(local, remote)
                .is_some_and(|binding| binding.remote.is_some()),
            _ => false,
        }
    }
}

const fn of_known(is_known: bool) -> FlowStates {
    if is_known { FlowStates::ESTABLISHED } else { FlowStates::NEW }
}

fn refuse_segment(cx: &mut Context, ip: &mut Ip, packet: &Packet) {
    if packet.delivery != Delivery::Unicast || packet.arrival.link_broadcast {
        return;
    }
    let hop_limit = ip.hop_limit(packet.header.source);
    if let Some((frame, to)) = answer::reset(&mut cx.pool, hop_limit, packet.frame.bytes()) {
        // The peer asks again for an answer that is lost.
        let _ = ip.transmit(cx, frame, to);
    }
}
