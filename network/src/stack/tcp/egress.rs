//! What a connection sends: data, acknowledgments, SYNs and control segments.

use alloc::vec::Vec;
use core::net::IpAddr;

use super::assemble::{HeaderFields, HeaderTemplate, assemble, flag, mss_of, without_data};
use super::receive::AckDue;
use super::segment::{BLOCKS, Blocks, SynOptions, TIMESTAMPS_BYTES, syn_options};
use super::send::Plan;
use super::{Connection, Flow, Tcp};
use crate::command::socket::SocketState as State;
use crate::limits;
use crate::platform::Instant;
use crate::stack::context::Context;
use crate::stack::counters::Counter;
use crate::stack::ip::Ip;
use crate::trace::event;

impl Connection {
    /// The window scale that applies after the handshake.
    pub(super) fn shift(&self) -> u8 {
        let is_agreed = self
            .state_machine
            .handshake()
            .is_some_and(|handshake| handshake.peer_options.shift.is_some());
        if is_agreed { self.receiver.offered_wnd_shift() } else { 0 }
    }

    /// The window field of a segment other than a SYN during the handshake.
    pub(super) fn handshake_window(&self) -> u16 {
        self.receiver.syn_window() >> self.shift()
    }

    /// The header fields of the next segment. Counts its acknowledgment and window as sent.
    fn fields(&mut self, sequence: u32, flags: u16, now: Instant) -> HeaderFields {
        let window = self.receiver.advertise(self.own_mss);
        let echo = if self.receiver.must_echo_ce() { flag::ECE } else { 0 };
        let flags = flags | flag::ACK | echo;
        HeaderFields {
            sequence,
            acknowledgment: self.receiver.rcv_nxt(),
            flags,
            window,
            is_ect: false,
            timestamps: self.timestamps.option(now),
        }
    }

    /// SMSS: bytes of data in a full segment to the peer, after the options of every segment (RFC
    /// 9293 §3.7.1, RFC 6691).
    pub(super) fn smss(&self) -> u16 {
        let options = if self.timestamps.is_negotiated() { TIMESTAMPS_BYTES as u16 } else { 0 };
        let mss = self.path_mss.min(self.template.peer_mss).min(self.maximum_segment);
        mss.saturating_sub(options).max(1)
    }
}

impl Tcp {
    /// Recomputes the MSS of a connection from the path MTU.
    pub(crate) fn update_mss(&mut self, cx: &mut Context, ip: &mut Ip, index: u32) {
        let Some(flow) = self.connections.get(index as usize).map(|connection| connection.flow)
        else {
            return;
        };
        let remote = flow.remote.ip();
        let Some(connection) = self.connections.get_mut(index as usize) else { return };
        let path_mss = mss_of(ip.mtu_for(cx, remote, connection.template.discovery), remote);
        connection.template.flow_label = ip.flow_label(&flow);
        connection.path_mss = path_mss;
        let segment = connection.smss();
        if u32::from(segment) < connection.sender.mss() && connection.is_open() {
            connection.sender.shrink_mss(segment);
            self.schedule(index);
        } else if connection.is_open() {
            connection.sender.set_mss(segment);
        }
    }

    /// Recomputes the MSS of connections because a path MTU or the interface's MTU changed.
    pub(crate) fn update_mss_to(&mut self, cx: &mut Context, ip: &mut Ip, to: Option<IpAddr>) {
        let matches =
            |connection: &Connection| to.is_none_or(|to| connection.flow.remote.ip() == to);
        let connections = self.connections.iter().filter(|(_, connection)| matches(connection));
        let all: Vec<u32> = connections.map(|(index, _)| index as u32).collect();
        all.into_iter().for_each(|index| self.update_mss(cx, ip, index));
    }

    /// A path MTU black hole: long segments vanish without an ICMP error. Falls back to the minimum
    /// MTU of IPv6 (RFC 8899 §5.1.2).
    pub(super) fn on_black_hole(&mut self, cx: &mut Context, ip: &mut Ip, index: u32) {
        let Some(remote) = self
            .connections
            .get(index as usize)
            .filter(|connection| connection.detects_black_holes)
            .map(|connection| connection.flow.remote.ip())
        else {
            return;
        };
        let present = ip.path_mtu(cx, remote);
        if ip.lower_path_mtu(cx, remote, limits::MTU_MINIMUM_IPV6, present) {
            self.update_mss_to(cx, ip, Some(remote));
        }
    }

    /// Sends what an open connection may send, up to the quantum. Returns true when more could
    /// leave.
    pub(super) fn transmit(&mut self, cx: &mut Context, ip: &mut Ip, index: u32) -> bool {
        let now = cx.now;
        for _ in 0..limits::EGRESS_QUANTUM {
            if !ip.link.has_room() {
                return true;
            }
            let Some(connection) = self.connections.get_mut(index as usize) else { return false };
            let is_due = match connection.receiver.ack_due() {
                AckDue::Now => true,
                AckDue::At(moment) => moment <= now,
                AckDue::Never => false,
            };
            // SACK blocks leave in a pure ACK: a full segment has no room for them.
            if is_due && connection.receiver.has_sack_blocks() {
                self.acknowledge(cx, ip, index);
                continue;
            }
            if let Some(plan) = connection.sender.plan(now) {
                self.send_planned(cx, ip, index, &plan);
            } else {
                if is_due {
                    self.acknowledge(cx, ip, index);
                }
                return false;
            }
        }
        true
    }

    fn send_planned(&mut self, cx: &mut Context, ip: &mut Ip, index: u32, plan: &Plan) {
        let now = cx.now;
        let Some(connection) = self.connections.get_mut(index as usize) else { return };
        let mut flags = if plan.push { flag::PSH } else { 0 };
        flags |= if plan.fin { flag::FIN } else { 0 } | if plan.has_cwr { flag::CWR } else { 0 };
        let mut fields = connection.fields(plan.sequence, flags, now);
        // Retransmissions are not ECN-capable (RFC 3168 §6.1.5).
        fields.is_ect = connection.sender.has_ecn() && !plan.is_retransmission && plan.length > 0;
        let sender = &connection.sender;
        let fill = |data: &mut [u8]| sender.copy(plan.sequence, data);
        let data = (plan.length as usize, fill);
        let frame = assemble(cx, (&connection.flow, &connection.template), &fields, &[], data);
        connection.sender.sent(plan, now);
        let remote = connection.flow.remote.ip();
        cx.counters.count(remote.is_ipv6(), Counter::TcpOutSegs);
        if plan.is_retransmission {
            cx.counters.count(remote.is_ipv6(), Counter::TcpRetransSegs);
        }
        // If the segment cannot leave now, the retransmission timer recovers it.
        let _ = ip.transmit(cx, frame, remote);
    }

    /// Sends a pure ACK with SND.NXT, RCV.NXT, RCV.WND, and SACK and DSACK blocks.
    pub(super) fn acknowledge(&mut self, cx: &mut Context, ip: &mut Ip, index: u32) {
        let Some(connection) = self.connections.get_mut(index as usize) else { return };
        let mut blocks = if connection.sender.has_sack() && connection.receiver.has_sack_blocks() {
            connection.receiver.sack_blocks()
        } else {
            Blocks::default()
        };
        if connection.timestamps.is_negotiated() {
            blocks.truncate(BLOCKS as u8 - 1);
        }
        let mut options = [0; 4 + 8 * BLOCKS];
        let options = options.get_mut(..blocks.bytes()).unwrap_or_default();
        blocks.write(options);
        // TCP-S-02: a pure ACK carries SND.NXT; the peer would drop it otherwise.
        let fields = connection.fields(connection.sender.snd_nxt(), 0, cx.now);
        let frame = without_data(cx, (&connection.flow, &connection.template), &fields, options);
        let remote = connection.flow.remote.ip();
        cx.counters.count(remote.is_ipv6(), Counter::TcpOutSegs);
        // The peer's retransmission elicits a lost ACK again.
        let _ = ip.transmit(cx, frame, remote);
    }

    /// Sends our SYN or SYN|ACK.
    pub(super) fn send_syn(&mut self, cx: &mut Context, ip: &mut Ip, index: u32) {
        let Some(connection) = self.connections.get_mut(index as usize) else { return };
        let Some(handshake) = connection.state_machine.handshake() else { return };
        let is_syn_ack = handshake.state() != State::SynSent;
        let is_repeated = handshake.syns_sent > 1;
        let peer = handshake.peer_options;
        let offer = SynOptions {
            segment: Some(connection.own_mss),
            sack: !is_syn_ack || peer.sack,
            shift: (!is_syn_ack || peer.shift.is_some())
                .then(|| connection.receiver.offered_wnd_shift()),
            timestamps: if is_syn_ack {
                connection.timestamps.option(cx.now)
            } else {
                connection.timestamps.offer(cx.now)
            },
        };
        let (options, length) = syn_options(&offer);
        let ecn = match (is_syn_ack, connection.ecn.is_requested) {
            // Old firewalls may drop an ECN-setup SYN: only the first SYN requests ECN (RFC 3168
            // §6.1.1.1).
            (false, true) if handshake.syns_sent == 1 => flag::ECE | flag::CWR,
            (true, _) if connection.ecn.is_negotiated => flag::ECE,
            _ => 0,
        };
        let fields = HeaderFields {
            sequence: handshake.iss,
            acknowledgment: if is_syn_ack { handshake.rcv_nxt() } else { 0 },
            flags: flag::SYN | if is_syn_ack { flag::ACK } else { 0 } | ecn,
            window: connection.receiver.syn_window(),
            is_ect: false,
            timestamps: None,
        };
        let options = options.get(..length).unwrap_or_default();
        let frame = without_data(cx, (&connection.flow, &connection.template), &fields, options);
        let remote = connection.flow.remote.ip();
        cx.counters.count(remote.is_ipv6(), Counter::TcpOutSegs);
        if is_repeated {
            cx.counters.count(remote.is_ipv6(), Counter::TcpRetransSegs);
        }
        // The handshake's timer retransmits a lost SYN.
        let _ = ip.transmit(cx, frame, remote);
    }

    /// Sends a control segment that is not part of a connection's sender or receiver state.
    pub(super) fn send_control(
        &mut self,
        cx: &mut Context,
        ip: &mut Ip,
        flow: Flow,
        fields: &HeaderFields,
    ) {
        let is_ipv6 = flow.remote.ip().is_ipv6();
        cx.counters.count(is_ipv6, Counter::TcpOutSegs);
        if fields.flags & flag::RST != 0 {
            cx.counters.count(is_ipv6, Counter::TcpOutRsts);
            event!(cx, debug, "devnet::tcp", "reset sent, {}", flow);
        }
        // IP4-03: the socket's settings apply to all segments of its connection.
        let index = self.lookup(&flow);
        let connection = index.and_then(|index| self.connections.get(index as usize));
        let template = connection.map_or_else(
            || HeaderTemplate::new(ip.hop_limit(flow.remote.ip()), 0),
            |connection| connection.template,
        );
        // A RST needs no timestamp: PAWS does not apply to it (RFC 7323 §5.3).
        let timestamps = connection
            .filter(|_| fields.flags & flag::RST == 0)
            .and_then(|connection| connection.timestamps.option(cx.now));
        let fields = HeaderFields { timestamps: timestamps.or(fields.timestamps), ..*fields };
        let frame = without_data(cx, (&flow, &template), &fields, &[]);
        // The peer elicits a lost control segment again.
        let _ = ip.transmit(cx, frame, flow.remote.ip());
    }
}
