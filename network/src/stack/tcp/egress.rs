//! Builds the segments of a connection: packets with headers and checksums.
//!
//! [`assemble`] makes every TCP packet. Data is copied once, from the send buffer into the frame,
//! and summed there while it is in the cache.

use alloc::vec::Vec;
use core::net::IpAddr;

use super::receive::AckDue;
use super::segment::{
    BLOCKS, Blocks, SYN_OPTIONS, SynOptions, TCP_HEADER, TIMESTAMPS_BYTES, timestamps_option,
    write_syn_options,
};
use super::send::Plan;
use super::{Connection, Flow, Tcp};
use crate::command::socket::SocketState as State;
use crate::driver::Frame;
use crate::limits;
use crate::limits::HOP_LIMIT;
use crate::platform::Instant;
use crate::stack::context::Context;
use crate::stack::ip::Ip;
use crate::stack::wire::checksum;
use crate::stack::wire::header::{self, Extra, Outgoing, protocol};

/// The MSS of a peer that advertises none (RFC 9293 §3.7.1): it fits the smallest packet that every
/// host accepts.
const DEFAULT_MSS_IPV4: u16 = 536;
const DEFAULT_MSS_IPV6: u16 = 1220;
/// The smallest MSS that we respect (Linux' tcp_min_snd_mss): a peer could make us send almost
/// nothing but headers else.
const MIN_MSS: u16 = 48;
/// The control bits of a TCP header (RFC 9293 §3.1, RFC 3168).
pub(super) mod flag {
    pub(crate) const FIN: u16 = 1;
    pub(crate) const SYN: u16 = 2;
    pub(crate) const RST: u16 = 4;
    pub(crate) const PSH: u16 = 8;
    pub(crate) const ACK: u16 = 16;
    pub(crate) const ECE: u16 = 64;
    pub(crate) const CWR: u16 = 128;
}
/// ECT(0): routers may mark the packet instead of dropping it (RFC 3168 §5).
const ECT_0: u8 = 2;
/// The ECN field of the traffic class; the rest is DSCP.
const ECN_BITS: u8 = 3;

/// The header fields that stay the same for all packets of a connection.
#[derive(Clone, Copy, Debug)]
pub(crate) struct HeaderTemplate {
    /// The MSS that the peer's SYN advertises, in bytes of data.
    pub(crate) peer_mss: u16,
    pub(crate) hop_limit: u8,
    pub(crate) traffic_class: u8,
    /// The flow label of IPv6 packets (IP6-09).
    flow_label: u32,
}

impl HeaderTemplate {
    pub(crate) const fn new(hop_limit: u8, traffic_class: u8) -> Self {
        // Routers drop packets with hop limit zero.
        let hop_limit = if hop_limit == 0 { 1 } else { hop_limit };
        Self { peer_mss: DEFAULT_MSS_IPV4, hop_limit, traffic_class, flow_label: 0 }
    }

    /// The same template with another hop limit and traffic class.
    pub(crate) const fn with_fields(self, hop_limit: u8, traffic_class: u8) -> Self {
        let Self { peer_mss, flow_label, .. } = self;
        Self { peer_mss, flow_label, ..Self::new(hop_limit, traffic_class) }
    }

    /// Takes the MSS from the peer's SYN.
    pub(crate) fn set_peer_mss(&mut self, offer: &SynOptions, is_ipv6: bool) {
        let default = if is_ipv6 { DEFAULT_MSS_IPV6 } else { DEFAULT_MSS_IPV4 };
        self.peer_mss = offer.segment.unwrap_or(default).max(MIN_MSS);
    }
}

/// The fields of a TCP header.
#[derive(Clone, Copy, Debug)]
pub(super) struct HeaderFields {
    pub(super) sequence: u32,
    pub(super) acknowledgment: u32,
    pub(super) flags: u16,
    pub(super) window: u16,
    /// The packet is sent as ECN-capable (ECT).
    pub(super) is_ect: bool,
    /// TSval and TSecr, before other options.
    pub(super) timestamps: Option<(u32, u32)>,
}

impl HeaderFields {
    /// The fields of a control segment, with window zero.
    pub(super) const fn control(flags: u16, sequence: u32, acknowledgment: u32) -> Self {
        Self { sequence, acknowledgment, flags, window: 0, is_ect: false, timestamps: None }
    }
}

/// Builds a packet with `options` (a multiple of four bytes) and `length` bytes of data, which
/// `fill` writes. Links that need no checksums get none.
fn assemble(
    cx: &mut Context,
    (flow, template): (&Flow, &HeaderTemplate),
    fields: &HeaderFields,
    options: &[u8],
    (length, fill): (usize, impl FnOnce(&mut [u8])),
) -> Frame {
    let is_summed = cx.needs_checksums();
    let HeaderFields { sequence, acknowledgment, flags, window, is_ect, timestamps } = *fields;
    let timestamps = timestamps.map(timestamps_option);
    let timestamps = timestamps.as_ref().map_or(&[][..], |option| option);
    let (source, destination) = (flow.local.ip(), flow.remote.ip());
    let start = header::length_for(destination);
    let header_length = TCP_HEADER + timestamps.len() + options.len();
    let upper = header_length + length;
    let mut frame = cx.pool.take(start + upper);
    let class = (template.traffic_class & !ECN_BITS) | if is_ect { ECT_0 } else { 0 };
    let packet = frame.bytes_mut();
    let Some((ip, tcp)) = packet.split_at_mut_checked(start) else { return frame };
    let outgoing = Outgoing {
        source,
        destination,
        protocol: protocol::TCP,
        hop_limit: template.hop_limit,
        traffic_class: class,
    };
    let extra =
        Extra { flow_label: template.flow_label, dont_fragment: true, skip_checksum: !is_summed };
    header::write(&outgoing, &extra, upper, ip);
    // The data offset, in words of four bytes; at most fifteen.
    let flags = ((header_length / 4) as u16) << 12 | flags;
    let (from, to) = (flow.local.port(), flow.remote.port());
    if let Some((head, rest)) = tcp.split_first_chunk_mut::<TCP_HEADER>() {
        let ([a, b], [c, d]) = (from.to_be_bytes(), to.to_be_bytes());
        let ([e, f, g, h], [i, j, k, l]) = (sequence.to_be_bytes(), acknowledgment.to_be_bytes());
        let ([m, n], [o, p]) = (flags.to_be_bytes(), window.to_be_bytes());
        *head = [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, 0, 0, 0, 0];
        let (first, rest) = rest.split_at_mut_checked(timestamps.len()).unwrap_or_default();
        first.copy_from_slice(timestamps);
        let (space, data) = rest.split_at_mut_checked(options.len()).unwrap_or_default();
        space.copy_from_slice(options);
        fill(data);
        if is_summed {
            // Sums the values in registers: reading back what was just stored is slow.
            let header = u64::from(from.to_be())
                + u64::from(to.to_be())
                + u64::from(sequence.to_be())
                + u64::from(acknowledgment.to_be())
                + u64::from(flags.to_be())
                + u64::from(window.to_be())
                + checksum::narrow(timestamps)
                + checksum::narrow(options);
            let addresses = checksum::addresses(&source, &destination);
            let sum = checksum::of_parts(addresses, protocol::TCP, upper, header, data);
            let [.., high, low, _, _] = head;
            [*high, *low] = sum.to_be_bytes();
        }
    }
    frame
}

/// The data of a segment in a packet of `mtu` bytes, without options.
fn mss_of(mtu: usize, remote: IpAddr) -> u16 {
    let bytes = mtu.saturating_sub(header::length_for(remote) + TCP_HEADER);
    u16::try_from(bytes).unwrap_or(u16::MAX)
}

/// The MSS that our SYN advertises. It follows from the interface: the path from the peer may be
/// another one than the path to it (RFC 9293 §3.7.1, PMT-05).
pub(super) fn own_mss(cx: &Context, ip: &Ip, remote: IpAddr) -> u16 {
    mss_of(ip.link_mtu(cx, remote), remote)
}

/// A packet without data.
fn without_data(
    cx: &mut Context,
    ends: (&Flow, &HeaderTemplate),
    fields: &HeaderFields,
    options: &[u8],
) -> Frame {
    assemble(cx, ends, fields, options, (0, |_: &mut [u8]| {}))
}

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
        self.path_mss.min(self.template.peer_mss).saturating_sub(options).max(1)
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
        let path_mss = mss_of(ip.path_mtu(cx, remote), remote);
        let Some(connection) = self.connections.get_mut(index as usize) else { return };
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
        let Some(remote) =
            self.connections.get(index as usize).map(|connection| connection.flow.remote.ip())
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
        // The peer's retransmission elicits a lost ACK again.
        let _ = ip.transmit(cx, frame, remote);
    }

    /// Sends our SYN or SYN|ACK.
    pub(super) fn send_syn(&mut self, cx: &mut Context, ip: &mut Ip, index: u32) {
        let Some(connection) = self.connections.get_mut(index as usize) else { return };
        let Some(handshake) = connection.state_machine.handshake() else { return };
        let is_syn_ack = handshake.state() != State::SynSent;
        let peer = handshake.peer_options;
        let has_timestamps = if is_syn_ack {
            connection.timestamps.is_negotiated()
        } else {
            connection.offers_timestamps
        };
        let offer = SynOptions {
            segment: Some(connection.own_mss),
            sack: !is_syn_ack || peer.sack,
            shift: (!is_syn_ack || peer.shift.is_some())
                .then(|| connection.receiver.offered_wnd_shift()),
            timestamps: has_timestamps.then(|| connection.timestamps.offer(cx.now)),
        };
        let mut options = [0; SYN_OPTIONS];
        let length = write_syn_options(&offer, &mut options);
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
        // IP4-03: the socket's settings apply to all segments of its connection.
        let index = self.lookup(&flow);
        let connection = index.and_then(|index| self.connections.get(index as usize));
        let template = connection
            .map_or_else(|| HeaderTemplate::new(HOP_LIMIT, 0), |connection| connection.template);
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
