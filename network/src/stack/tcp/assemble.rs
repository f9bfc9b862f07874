//! Assembles TCP packets: headers, options, data and checksums.
//!
//! Data is copied once, from the send buffer into the frame, and summed there while it is in the
//! cache.

use core::net::IpAddr;

use super::Flow;
use super::segment::{
    SynOptions, TCP_HEADER, TIMESTAMPS_BYTES, TIMESTAMPS_HEAD, timestamps_option,
};
use super::settings::TcpSettings;
use crate::command::option::PathMtuDiscovery;
use crate::driver::Frame;
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
    pub(super) flow_label: u32,
    /// IP_MTU_DISCOVER.
    pub(super) discovery: PathMtuDiscovery,
}

impl HeaderTemplate {
    pub(crate) const fn new(hop_limit: u8, traffic_class: u8) -> Self {
        // Routers drop packets with hop limit zero.
        let hop_limit = if hop_limit == 0 { 1 } else { hop_limit };
        Self {
            peer_mss: DEFAULT_MSS_IPV4,
            hop_limit,
            traffic_class,
            flow_label: 0,
            discovery: PathMtuDiscovery::Want,
        }
    }

    /// The template of a connection with these settings; `hop_limit` is that of the interface.
    pub(crate) fn of(settings: &TcpSettings, hop_limit: u8) -> Self {
        let hop_limit = settings.hop_limit.unwrap_or(hop_limit);
        let discovery = settings.path_mtu_discovery;
        Self { discovery, ..Self::new(hop_limit, settings.traffic_class) }
    }

    /// The same template with other settings.
    pub(crate) fn with(self, settings: &TcpSettings, hop_limit: u8) -> Self {
        let Self { peer_mss, flow_label, .. } = self;
        Self { peer_mss, flow_label, ..Self::of(settings, hop_limit) }
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
pub(super) fn assemble(
    cx: &mut Context,
    (flow, template): (&Flow, &HeaderTemplate),
    fields: &HeaderFields,
    options: &[u8],
    (length, fill): (usize, impl FnOnce(&mut [u8])),
) -> Frame {
    let is_summed = cx.needs_checksums();
    let HeaderFields { sequence, acknowledgment, flags, window, is_ect, timestamps } = *fields;
    let (source, destination) = (flow.local.ip(), flow.remote.ip());
    let start = header::length_for(destination);
    let timestamps_length = if timestamps.is_some() { TIMESTAMPS_BYTES } else { 0 };
    let header_length = TCP_HEADER + timestamps_length + options.len();
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
    let extra = Extra {
        flow_label: template.flow_label,
        dont_fragment: template.discovery != PathMtuDiscovery::Never,
        skip_checksum: !is_summed,
    };
    header::write(&outgoing, &extra, upper, ip);
    // The data offset, in words of four bytes; at most fifteen.
    let flags = ((header_length / 4) as u16) << 12 | flags;
    let (from, to) = (flow.local.port(), flow.remote.port());
    if let Some((head, rest)) = tcp.split_first_chunk_mut::<TCP_HEADER>() {
        let ([a, b], [c, d]) = (from.to_be_bytes(), to.to_be_bytes());
        let ([e, f, g, h], [i, j, k, l]) = (sequence.to_be_bytes(), acknowledgment.to_be_bytes());
        let ([m, n], [o, p]) = (flags.to_be_bytes(), window.to_be_bytes());
        *head = [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, 0, 0, 0, 0];
        let (first, rest) = rest.split_at_mut_checked(timestamps_length).unwrap_or_default();
        let mut timestamps_sum = 0;
        if let (Some(timestamps), Some(place)) = (timestamps, first.first_chunk_mut()) {
            *place = timestamps_option(timestamps);
            let (value, echo) = timestamps;
            timestamps_sum = u64::from(TIMESTAMPS_HEAD.to_be())
                + u64::from(value.to_be())
                + u64::from(echo.to_be());
        }
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
                + timestamps_sum
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
pub(super) fn mss_of(mtu: usize, remote: IpAddr) -> u16 {
    let bytes = mtu.saturating_sub(header::length_for(remote) + TCP_HEADER);
    u16::try_from(bytes).unwrap_or(u16::MAX)
}

/// The MSS that our SYN advertises. It follows from the interface: the path from the peer may be
/// another one than the path to it (RFC 9293 §3.7.1, PMT-05).
pub(super) fn own_mss(cx: &Context, ip: &Ip, remote: IpAddr) -> u16 {
    mss_of(ip.link_mtu(cx, remote), remote)
}

/// A packet without data.
pub(super) fn without_data(
    cx: &mut Context,
    ends: (&Flow, &HeaderTemplate),
    fields: &HeaderFields,
    options: &[u8],
) -> Frame {
    assemble(cx, ends, fields, options, (0, |_: &mut [u8]| {}))
}
