//! The firewall of one interface: which packets pass, by rules and by what is known of their flows.
//!
//! [`super::ip`] owns it and asks it about packets to be sent, [`super::transport`] about received
//! ones, which alone knows connections and sockets. It decides and counts; who asks drops packets
//! and answers their senders. Without rules and with policies that accept it has no memory, and a
//! packet costs one branch.
//!
//! | file | owns |
//! |---|---|
//! | this one | the way of a packet through the rules of a chain |
//! | [`rules`] | the rules: adding, removing, listing, and what is asked for |
//! | [`check`] | whether a rule can be |
//! | [`profile`] | the rules of a profile |
//! | [`flows`] | flows without connections: the memory of states |
//! | [`packet`] | which flow a packet belongs to |
//! | [`answer`] | what the sender of a rejected packet gets |

pub(crate) mod answer;
mod check;
mod flows;
pub(crate) mod packet;
mod profile;
mod rules;

use alloc::boxed::Box;
use core::net::{IpAddr, SocketAddr};

pub(crate) use self::check::Load;
use self::flows::Flows;
pub(crate) use self::flows::{Direction, FlowKey};
use self::packet::{Kind, PacketFlow};
use self::rules::{Chain, Rule};
use super::context::Context;
use super::token_bucket::TokenBucket;
use crate::command::capture::CaptureDirection;
use crate::command::event::Event;
use crate::command::firewall::{FirewallAction, FirewallChain, FirewallHit, FlowStates};
use crate::command::watch::Kinds;
use crate::driver::Medium;
use crate::filter::View;
use crate::limits;
use crate::trace::event;

/// The firewall of one interface.
#[derive(Debug, Default)]
pub(crate) struct Firewall {
    /// The handle of the last rule.
    last_handle: u32,
    /// None while every packet passes.
    active: Option<Box<Active>>,
}

#[derive(Debug)]
struct Active {
    input: Chain,
    output: Chain,
    /// None while no rule asks for states.
    flows: Option<Flows>,
    events: TokenBucket,
}

impl Firewall {
    /// True when packets have to pass it.
    #[inline]
    pub(crate) const fn is_on(&self) -> bool {
        self.active.is_some()
    }

    /// Decides about a packet that is to be sent. Its state follows from itself where only we send
    /// such: a segment that is no SYN, an echo reply, an ICMP error.
    pub(crate) fn output(&mut self, cx: &mut Context, packet: &[u8]) -> FirewallAction {
        let known = |kind: &Kind| match kind {
            Kind::Segment { opens: true } => Some(FlowStates::NEW),
            Kind::Segment { .. } | Kind::EchoReply => Some(FlowStates::ESTABLISHED),
            Kind::Error(_) => Some(FlowStates::RELATED),
            Kind::EchoRequest | Kind::Other => None,
        };
        self.judge(cx, packet, FirewallChain::Out, |flow, _| known(&flow.kind))
    }

    /// Decides about a received packet. `known` tells the state as far as sockets know it; its
    /// second argument tells whether a flow is known here.
    pub(crate) fn input(
        &mut self,
        cx: &mut Context,
        packet: &[u8],
        known: impl FnOnce(&PacketFlow, &dyn Fn(&FlowKey) -> bool) -> Option<FlowStates>,
    ) -> FirewallAction {
        self.judge(cx, packet, FirewallChain::In, known)
    }

    /// True for a received packet that would pass, of which too little is whole to be more than
    /// answered with an error.
    pub(crate) fn admits(&mut self, cx: &mut Context, packet: &[u8]) -> bool {
        let Some(active) = &mut self.active else { return true };
        let view = View::of(packet, Medium::Ip);
        active.decide(cx, FirewallChain::In, &view, FlowStates::NEW) == FirewallAction::Accept
    }

    fn judge(
        &mut self,
        cx: &mut Context,
        packet: &[u8],
        chain: FirewallChain,
        known: impl FnOnce(&PacketFlow, &dyn Fn(&FlowKey) -> bool) -> Option<FlowStates>,
    ) -> FirewallAction {
        let Some(active) = &mut self.active else { return FirewallAction::Accept };
        let view = View::of(packet, Medium::Ip);
        let (mut state, mut tracked) = (FlowStates::NEW, None);
        if let Some(flows) = &active.flows
            && let Some(flow) = PacketFlow::of(&view, chain)
        {
            let direction = Direction::of(chain);
            let known = known(&flow, &|key| flows.knows(key, cx.now));
            state = known.unwrap_or_else(|| flows.state(&flow.key, direction, cx.now));
            tracked = flow.is_tracked(chain).then_some((flow, direction));
        }
        let action = active.decide(cx, chain, &view, state);
        if action == FirewallAction::Accept
            && let (Some(flows), Some((flow, direction))) = (&mut active.flows, tracked)
        {
            flows.note(flow.key, direction, flow.may_begin(chain), cx.now);
        }
        action
    }
}

impl Active {
    /// A firewall that lets everything pass.
    fn new(cx: &Context) -> Box<Self> {
        Box::new(Self {
            input: Chain::default(),
            output: Chain::default(),
            flows: None,
            events: TokenBucket::new(limits::FIREWALL_EVENTS, cx.now),
        })
    }

    fn decide(
        &mut self,
        cx: &mut Context,
        chain: FirewallChain,
        view: &View<'_>,
        state: FlowStates,
    ) -> FirewallAction {
        let Self { input, output, events, .. } = self;
        let (list, direction) = match chain {
            FirewallChain::In => (input, CaptureDirection::In),
            FirewallChain::Out => (output, CaptureDirection::Out),
        };
        if list.is_open() {
            return FirewallAction::Accept;
        }
        let length = view.network.len() as u64;
        for rule in &mut list.rules {
            if !rule.matches(view, state, direction, cx.now) {
                continue;
            }
            rule.packets += 1;
            rule.bytes += length;
            if rule.asked.log {
                tell(cx, events, chain, rule, view);
            }
            if rule.asked.action != FirewallAction::Continue {
                return rule.asked.action;
            }
        }
        list.packets += 1;
        list.bytes += length;
        list.policy
    }
}

/// Tells watchers and the log of a packet that matched; no more of them than anybody reads.
fn tell(
    cx: &mut Context,
    events: &mut TokenBucket,
    chain: FirewallChain,
    rule: &Rule,
    view: &View<'_>,
) {
    let is_watched = cx.watch.wants(Kinds::FIREWALL) || crate::trace::is_on("devnet::firewall");
    if !is_watched || !events.take(limits::FIREWALL_EVENTS, cx.now) {
        return;
    }
    let ports = view.ports().unwrap_or_default();
    let end = |address: Option<IpAddr>, port| {
        address.map_or(SocketAddr::from(([0, 0, 0, 0], 0)), |ip| SocketAddr::new(ip, port))
    };
    let hit = FirewallHit {
        chain,
        handle: rule.handle,
        action: rule.asked.action,
        protocol: view.protocol.unwrap_or_default(),
        source: end(view.source, ports.0),
        destination: end(view.destination, ports.1),
        length: u32::try_from(view.network.len()).unwrap_or(u32::MAX),
    };
    event!(
        cx,
        info,
        "devnet::firewall",
        "rule {}, {}: {} from {} to {}",
        hit.handle,
        hit.chain,
        hit.action,
        hit.source,
        hit.destination
    );
    cx.watch.note_watched([Event::Firewall(hit)], 0);
}
