//! Segments on their way out: what a connection has to say, as packets with headers and checksums.
//!
//! Every TCP packet of ours is made by [`assemble`]. Data is copied once, from the sender's buffer
//! into the frame, and summed there while it is in the cache.

use core::net::IpAddr;

use virtual_file_system::Error;

use super::receive::Due;
use super::segment::{BLOCKS, Offer, TCP_HEADER, write_offer};
use super::send::Plan;
use super::{Flow, Slot};
use crate::driver::{Frame, FramePool};
use crate::limits;
use crate::stack::ip::header::{self, IPV4_HEADER, Outgoing, protocol};
use crate::stack::ip::icmp::HOP_LIMIT;
use crate::stack::{Stack, checksum};

/// Bytes of data in a segment when the peer did not say (RFC 9293 §3.7.1): what fits the smallest
/// packet that everybody takes.
const DEFAULT_SEGMENT_IPV4: u16 = 536;
const DEFAULT_SEGMENT_IPV6: u16 = 1220;
/// No peer means less: smaller ones cost more headers than data (Linux' TCP_MIN_MSS).
const LEAST_SEGMENT: u16 = 88;
/// Bits of a TCP header (RFC 9293 §3.1, RFC 3168).
pub(super) mod flag {
    pub(crate) const FIN: u16 = 1;
    pub(crate) const SYN: u16 = 2;
    pub(crate) const RST: u16 = 4;
    pub(crate) const PSH: u16 = 8;
    pub(crate) const ACK: u16 = 16;
    pub(crate) const ECE: u16 = 64;
    pub(crate) const CWR: u16 = 128;
}
/// The IPv4 flag.
const DONT_FRAGMENT: u16 = 0x4000;
/// The mark that says that a packet may be marked instead of dropped (ECT(0), RFC 3168 §5).
const CAPABLE: u8 = 2;
/// Bits of the traffic class that belong to TCP.
const MARKS: u8 = 3;

/// What a connection's packets look like.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Shape {
    /// What the peer's SYN said about its segments, in bytes of data.
    pub(crate) peer_segment: u16,
    pub(crate) hop_limit: u8,
    pub(crate) traffic_class: u8,
    /// The flow label of IPv6 packets (IP6-09).
    label: u32,
}

impl Shape {
    pub(crate) const fn new(hop_limit: u8, traffic_class: u8) -> Self {
        // Zero makes packets that nobody forwards; it is refused where it is set.
        let hop_limit = if hop_limit == 0 { 1 } else { hop_limit };
        Self { peer_segment: DEFAULT_SEGMENT_IPV4, hop_limit, traffic_class, label: 0 }
    }

    /// The same segments with other header fields.
    pub(crate) const fn with(self, hop_limit: u8, traffic_class: u8) -> Self {
        let Self { peer_segment, label, .. } = self;
        Self { peer_segment, label, ..Self::new(hop_limit, traffic_class) }
    }

    /// Takes what the peer's SYN offers.
    pub(crate) fn agree(&mut self, offer: &Offer, is_ipv6: bool) {
        let default = if is_ipv6 { DEFAULT_SEGMENT_IPV6 } else { DEFAULT_SEGMENT_IPV4 };
        self.peer_segment = offer.segment.unwrap_or(default).max(LEAST_SEGMENT);
    }
}

/// The words of a TCP header.
#[derive(Clone, Copy, Debug)]
pub(super) struct Words {
    pub(super) sequence: u32,
    pub(super) acknowledgment: u32,
    pub(super) flags: u16,
    pub(super) window: u16,
    /// The packet may be marked on its way.
    pub(super) is_markable: bool,
}

/// A packet with `options` (whole words of four bytes) and `length` bytes of data, which `fill`
/// writes. Without `is_summed` checksums stay empty.
fn assemble(
    pool: &mut FramePool,
    (flow, shape): (&Flow, &Shape),
    words: &Words,
    options: &[u8],
    (length, fill): (usize, impl FnOnce(&mut [u8])),
    is_summed: bool,
) -> Frame {
    let Words { sequence, acknowledgment, flags, window, is_markable } = *words;
    let (source, destination) = (flow.local.ip(), flow.remote.ip());
    let start = header::length_for(destination);
    let upper = TCP_HEADER + options.len() + length;
    let mut frame = pool.take(start + upper);
    let class = (shape.traffic_class & !MARKS) | if is_markable { CAPABLE } else { 0 };
    let packet = frame.bytes_mut();
    let Some((ip, tcp)) = packet.split_at_mut_checked(start) else { return frame };
    write_ip(ip, (source, destination), class, shape, upper, is_summed);
    // The length of the header in words of four bytes; it is at most fifteen of them.
    let flags = (((TCP_HEADER + options.len()) / 4) as u16) << 12 | flags;
    let (from, to) = (flow.local.port(), flow.remote.port());
    if let Some((head, rest)) = tcp.split_first_chunk_mut::<TCP_HEADER>() {
        let ([a, b], [c, d]) = (from.to_be_bytes(), to.to_be_bytes());
        let ([e, f, g, h], [i, j, k, l]) = (sequence.to_be_bytes(), acknowledgment.to_be_bytes());
        let ([m, n], [o, p]) = (flags.to_be_bytes(), window.to_be_bytes());
        *head = [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, 0, 0, 0, 0];
        let (space, data) = rest.split_at_mut_checked(options.len()).unwrap_or_default();
        space.copy_from_slice(options);
        fill(data);
        if is_summed {
            // From the numbers: what was just stored is slow to read back.
            let header = u64::from(from.to_be())
                + u64::from(to.to_be())
                + u64::from(sequence.to_be())
                + u64::from(acknowledgment.to_be())
                + u64::from(flags.to_be())
                + u64::from(window.to_be())
                + checksum::narrow(options);
            let addresses = checksum::addresses(&source, &destination);
            let sum = checksum::of_parts(addresses, protocol::TCP, upper, header, data);
            let [.., high, low, _, _] = head;
            [*high, *low] = sum.to_be_bytes();
        }
    }
    frame
}

fn write_ip(
    packet: &mut [u8],
    (source, destination): (IpAddr, IpAddr),
    class: u8,
    shape: &Shape,
    upper: usize,
    is_summed: bool,
) {
    // A segment and its headers are shorter than 65,536 bytes.
    let length = |more: usize| ((upper + more) as u16).to_be_bytes();
    match (source, destination) {
        (IpAddr::V4(source), IpAddr::V4(destination)) => {
            let Some(head) = packet.first_chunk_mut::<IPV4_HEADER>() else { return };
            let outgoing = Outgoing {
                source: source.into(),
                destination: destination.into(),
                protocol: protocol::TCP,
                hop_limit: shape.hop_limit,
                traffic_class: class,
            };
            let sum = if is_summed {
                header::ipv4_checksum(&outgoing, IPV4_HEADER + upper, DONT_FRAGMENT)
            } else {
                0
            };
            let ([a, b], [c, d], [e, f]) =
                (length(IPV4_HEADER), DONT_FRAGMENT.to_be_bytes(), sum.to_be_bytes());
            let ([g, h, i, j], [k, l, m, n]) = (source.octets(), destination.octets());
            *head = [
                0x45,
                class,
                a,
                b,
                0,
                0,
                c,
                d,
                shape.hop_limit,
                protocol::TCP,
                e,
                f,
                g,
                h,
                i,
                j,
                k,
                l,
                m,
                n,
            ];
        }
        (IpAddr::V6(source), IpAddr::V6(destination)) => {
            let Some((head, rest)) = packet.split_first_chunk_mut::<8>() else { return };
            let ([_, high, middle, low], [a, b]) = (shape.label.to_be_bytes(), length(0));
            *head = [
                0x60 | class >> 4,
                class << 4 | (high & 0xf),
                middle,
                low,
                a,
                b,
                protocol::TCP,
                shape.hop_limit,
            ];
            if let Some((from, to)) = rest.split_at_mut_checked(16) {
                from.copy_from_slice(&source.octets());
                to.copy_from_slice(&destination.octets());
            }
        }
        // The ends of a flow are of one family.
        _ => {}
    }
}

impl Slot {
    /// The scale of our windows from the end of the handshake on, as the handshake agrees it.
    pub(super) fn shift(&self) -> u8 {
        let is_agreed =
            self.machine.handshake().is_some_and(|handshake| handshake.offer.shift.is_some());
        if is_agreed { self.receiver.offered_shift() } else { 0 }
    }

    /// The window field of a segment that is no SYN while the handshake lasts.
    pub(super) fn window_before_open(&self) -> u16 {
        self.receiver.first_window() >> self.shift()
    }

    /// The header of the next segment; what it acknowledges counts as told.
    fn words(&mut self, sequence: u32, flags: u16) -> Words {
        let window = self.receiver.announce(self.own_segment);
        let echo = if self.receiver.is_marked() { flag::ECE } else { 0 };
        let flags = flags | flag::ACK | echo;
        Words { sequence, acknowledgment: self.receiver.next(), flags, window, is_markable: false }
    }
}

impl Stack {
    /// Bytes of data in a segment that the path takes, as far as is known: what our SYN says
    /// (PMT-05).
    pub(crate) fn tcp_own_segment(&self, remote: IpAddr) -> u16 {
        let bytes = self.path_mtu(remote).saturating_sub(header::length_for(remote) + TCP_HEADER);
        u16::try_from(bytes).unwrap_or(u16::MAX)
    }

    /// Looks anew how long segments of a connection may be.
    pub(crate) fn tcp_measure(&mut self, index: u32) {
        let Some(flow) = self.tcp.slots.get(index as usize).map(|slot| slot.flow) else { return };
        let remote = flow.remote.ip();
        let own = self.tcp_own_segment(remote);
        let Some(slot) = self.tcp.slots.get_mut(index as usize) else { return };
        slot.shape.label =
            if remote.is_ipv6() { self.identifications.stream_label(&flow) } else { 0 };
        let segment = own.min(slot.shape.peer_segment);
        if u32::from(segment) < slot.sender.segment() && slot.is_open() {
            slot.sender.narrow(segment);
            self.tcp.mark(index);
        } else if slot.is_open() {
            slot.sender.set_segment(segment);
        }
    }

    /// Looks anew how long the segments of connections may be: a path turned out to be narrower, or
    /// the MTU changed.
    pub(crate) fn tcp_measure_all(&mut self, to: Option<IpAddr>) {
        let is_meant = |slot: &Slot| to.is_none_or(|to| slot.flow.remote.ip() == to);
        let all: alloc::vec::Vec<u32> = self
            .tcp
            .slots
            .iter()
            .filter(|(_, slot)| is_meant(slot))
            .map(|(index, _)| index as u32)
            .collect();
        all.into_iter().for_each(|index| self.tcp_measure(index));
    }

    /// Nothing long gets through, and no router says why: the path is taken for one that carries
    /// what every IPv6 path does (RFC 8899 §5.1.2).
    pub(super) fn tcp_narrow_blindly(&mut self, index: u32) {
        let Some(remote) = self.tcp.slots.get(index as usize).map(|slot| slot.flow.remote.ip())
        else {
            return;
        };
        let present = self.path_mtu(remote);
        if self.path_mtus.lower(remote, limits::MTU_MINIMUM_IPV6, present, present, self.now) {
            self.tcp_measure_all(Some(remote));
        }
    }

    /// Sends what an open connection may send, up to the quantum. True when more could leave.
    pub(super) fn tcp_transmit(&mut self, index: u32) -> bool {
        let now = self.now;
        for _ in 0..limits::EGRESS_QUANTUM {
            if !self.has_room() {
                return true;
            }
            let Some(slot) = self.tcp.slots.get_mut(index as usize) else { return false };
            let is_due = match slot.receiver.due() {
                Due::Now => true,
                Due::At(moment) => moment <= now,
                Due::Never => false,
            };
            // Blocks travel by themselves: a full segment has no room for them.
            if is_due && slot.receiver.has_news() {
                self.tcp_acknowledge(index);
                continue;
            }
            if let Some(plan) = slot.sender.plan(now) {
                self.tcp_send_planned(index, &plan);
            } else {
                if is_due {
                    self.tcp_acknowledge(index);
                }
                return false;
            }
        }
        true
    }

    fn tcp_send_planned(&mut self, index: u32, plan: &Plan) {
        let now = self.now;
        let is_summed = !self.configuration.capabilities.reliable;
        let Self { tcp, pool, .. } = self;
        let Some(slot) = tcp.slots.get_mut(index as usize) else { return };
        let mut flags = if plan.push { flag::PSH } else { 0 };
        flags |= if plan.fin { flag::FIN } else { 0 } | if plan.is_reduced { flag::CWR } else { 0 };
        let mut words = slot.words(plan.sequence, flags);
        // What is sent again is not marked (RFC 3168 §6.1.5).
        words.is_markable = slot.sender.has_marks() && !plan.is_again && plan.length > 0;
        let sender = &slot.sender;
        let fill = |data: &mut [u8]| sender.copy(plan.sequence, data);
        let frame = assemble(
            pool,
            (&slot.flow, &slot.shape),
            &words,
            &[],
            (plan.length as usize, fill),
            is_summed,
        );
        slot.sender.left(plan, now);
        let remote = slot.flow.remote.ip();
        // A segment that cannot leave now is sent again by its timer.
        let _ = self.tcp_output(frame, remote);
    }

    /// Tells the peer where we are: the next number, the window, what came twice or out of order.
    pub(super) fn tcp_acknowledge(&mut self, index: u32) {
        let is_summed = !self.configuration.capabilities.reliable;
        let Self { tcp, pool, .. } = self;
        let Some(slot) = tcp.slots.get_mut(index as usize) else { return };
        let blocks = if slot.sender.has_sack() && slot.receiver.has_news() {
            slot.receiver.blocks()
        } else {
            super::segment::Blocks::default()
        };
        let mut options = [0; 4 + 8 * BLOCKS];
        let options = options.get_mut(..blocks.bytes()).unwrap_or_default();
        blocks.write(options);
        // TCP-S-02: what carries no data carries SND.NXT, or the peer ignores it.
        let words = slot.words(slot.sender.next(), 0);
        let frame = assemble(
            pool,
            (&slot.flow, &slot.shape),
            &words,
            options,
            (0, |_: &mut [u8]| {}),
            is_summed,
        );
        let remote = slot.flow.remote.ip();
        // A lost one is asked for again.
        let _ = self.tcp_output(frame, remote);
    }

    /// Sends our SYN, or our answer to the peer's.
    pub(super) fn tcp_send_syn(&mut self, index: u32) {
        let is_summed = !self.configuration.capabilities.reliable;
        let Self { tcp, pool, .. } = self;
        let Some(slot) = tcp.slots.get_mut(index as usize) else { return };
        let Some(handshake) = slot.machine.handshake() else { return };
        let is_answer = handshake.state() != smoltcp::socket::tcp::State::SynSent;
        let peer = handshake.offer;
        let offer = Offer {
            segment: Some(slot.own_segment),
            sack: !is_answer || peer.sack,
            shift: (!is_answer || peer.shift.is_some()).then(|| slot.receiver.offered_shift()),
        };
        let mut options = [0; 12];
        let length = write_offer(&offer, &mut options);
        let marks = match (is_answer, slot.marks.is_wanted) {
            // A SYN that asks may be dropped by old firewalls: only the first one does (RFC 3168
            // §6.1.1.1).
            (false, true) if handshake.syns == 1 => flag::ECE | flag::CWR,
            (true, _) if slot.marks.is_offered => flag::ECE,
            _ => 0,
        };
        let words = Words {
            sequence: handshake.sequence,
            acknowledgment: if is_answer { handshake.peer_next() } else { 0 },
            flags: flag::SYN | if is_answer { flag::ACK } else { 0 } | marks,
            window: slot.receiver.first_window(),
            is_markable: false,
        };
        let options = options.get(..length).unwrap_or_default();
        let frame = assemble(
            pool,
            (&slot.flow, &slot.shape),
            &words,
            options,
            (0, |_: &mut [u8]| {}),
            is_summed,
        );
        let remote = slot.flow.remote.ip();
        // A lost one is sent again by the handshake's timer.
        let _ = self.tcp_output(frame, remote);
    }

    /// Sends a segment without data that no connection's directions know of.
    pub(super) fn tcp_control(
        &mut self,
        flow: Flow,
        flags: u16,
        sequence: u32,
        acknowledgment: u32,
        window: u16,
    ) {
        // IP4-03: what the socket says holds for all its segments.
        let index = self.tcp.lookup(&flow);
        let shape =
            index.and_then(|index| self.tcp.slots.get(index as usize)).map(|slot| slot.shape);
        let shape = shape.unwrap_or_else(|| Shape::new(HOP_LIMIT, 0));
        let words = Words { sequence, acknowledgment, flags, window, is_markable: false };
        let is_summed = !self.configuration.capabilities.reliable;
        let frame = assemble(
            &mut self.pool,
            (&flow, &shape),
            &words,
            &[],
            (0, |_: &mut [u8]| {}),
            is_summed,
        );
        // A lost control segment is asked for again.
        let _ = self.tcp_output(frame, flow.remote.ip());
    }

    fn tcp_output(&mut self, frame: Frame, destination: IpAddr) -> Result<(), Error> {
        if self.is_plain_to(destination) {
            self.station_output(frame, destination)
        } else {
            self.packet_output(frame, destination)
        }
    }
}
