//! From a TCP packet to whom it belongs to: a connection, a resting tuple, a listener, or nobody, who answers with a reset.

use core::net::{IpAddr, Ipv4Addr};
use core::time::Duration;

use smoltcp::socket::tcp::State;
use smoltcp::wire::{Ipv4Packet, Ipv6Packet, TcpPacket, TcpSeqNumber};
use virtual_file_system::Error;

use super::segment::{Segment, TCP_HEADER, Verdict};
use super::time_wait::Reaction;
use super::{End, Flow, Phase};
use crate::driver::Frame;
use crate::stack::bound::Bound;
use crate::stack::checksum;
use crate::stack::ip::header::{self, Header, IPV4_HEADER, IPV6_HEADER, Outgoing, protocol};
use crate::stack::ip::icmp::{HOP_LIMIT, Quote};
use crate::stack::ip::ingress::{Arrival, Delivery};
use crate::stack::oneshot::OneShot;
use crate::stack::{Stack, smoltcp_time};

/// Challenge ACKs of one connection per second (RFC 5961 §7; Linux' per-socket limit is two).
const CHALLENGES: u8 = 2;

/// The bits of a control segment.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Control {
    Acknowledge,
    Reset,
    ResetAcknowledge,
}

impl Stack {
    /// Takes a TCP packet.
    pub(crate) fn tcp_input(&mut self, frame: Frame, header: &Header, delivery: Delivery, arrival: Arrival) {
        // TCP-X-04: no connection with everybody, and no answer to it (RFC 9293 §3.9.2.3).
        if delivery != Delivery::Unicast || arrival.link_broadcast || header.source.is_unspecified() {
            self.statistics.received_drops.segment += 1;
            return self.pool.put(frame);
        }
        let packet = frame.bytes().get(header.length..).unwrap_or_default();
        let Some(segment) = Segment::parse(packet) else {
            self.statistics.received_drops.malformed += 1;
            return self.pool.put(frame);
        };
        if self.verifies(arrival)
            && checksum::of_transport(header.source, header.destination, protocol::TCP, packet) != 0
        {
            self.statistics.received_drops.checksum += 1;
            return self.pool.put(frame);
        }
        let Some((source, destination)) = ports(packet) else { return self.pool.put(frame) };
        let flow = Flow { local: End::new(header.destination, destination), remote: End::new(header.source, source) };
        if let Some(index) = self.tcp.find(&flow) {
            return self.tcp_segment(index, frame, header, &segment);
        }
        let floor = match self.tcp.time_wait.input(&flow, &segment, self.now) {
            Some(Reaction::Ignore) => return self.pool.put(frame),
            Some(Reaction::Acknowledge(rest)) => {
                self.tcp_control(flow, Control::Acknowledge, rest.send_next, rest.receive_next, rest.window);
                return self.pool.put(frame);
            }
            Some(Reaction::Reopen(last)) => Some(last),
            None => None,
        };
        let is_opening = segment.syn && segment.acknowledgment.is_none() && !segment.rst && !segment.fin;
        let frame = if is_opening && source != 0 {
            match self.tcp_syn(frame, header, flow, &segment, floor) {
                Ok(()) => return,
                Err(frame) => frame,
            }
        } else {
            frame
        };
        self.statistics.received_drops.no_socket += 1;
        // A listening port is silent to what neither asks nor acknowledges (RFC 9293 §3.10.7.2).
        if segment.acknowledgment.is_some() || !self.tcp.listens_at(flow.local.port(), Bound::Address(flow.local.ip()))
        {
            self.tcp_refuse(flow, &segment);
        }
        self.pool.put(frame);
    }

    /// A reset for a segment that belongs to nobody (RFC 9293 §3.5.2).
    fn tcp_refuse(&mut self, flow: Flow, segment: &Segment) {
        if segment.rst || flow.remote.port() == 0 {
            return;
        }
        match segment.acknowledgment {
            Some(acknowledgment) => self.tcp_control(flow, Control::Reset, acknowledgment, 0, 0),
            None => self.tcp_control(flow, Control::ResetAcknowledge, 0, segment.end(), 0),
        }
    }

    /// Takes a packet that is plainly a segment of a known connection: an IP header of the common shape, no fragment, a full match of addresses
    /// and ports. What the door asks of others was asked when the connection was made. Gives back what is anything else.
    pub(crate) fn tcp_known(&mut self, mut frame: Frame, arrival: Arrival) -> Result<(), Frame> {
        if arrival.link_broadcast || !arrival.from_wire {
            return Err(frame);
        }
        let verify = self.verifies(arrival);
        let Some((flow, start, total)) = plain(frame.bytes(), verify) else { return Err(frame) };
        let Some(index) = self.tcp.find(&flow) else { return Err(frame) };
        frame.truncate(total);
        let packet = frame.bytes().get(start..).unwrap_or_default();
        let Some(segment) = Segment::parse(packet) else { return Err(frame) };
        if verify && checksum::of_transport(flow.remote.ip(), flow.local.ip(), protocol::TCP, packet) != 0 {
            return Err(frame);
        }
        self.tcp_feed(index, frame, start, &segment);
        Ok(())
    }

    /// Gives a segment to its connection.
    pub(crate) fn tcp_segment(&mut self, index: u32, mut frame: Frame, header: &Header, segment: &Segment) {
        if header.source.is_ipv6() && header.length != IPV6_HEADER && !strip_extension_headers(&mut frame, header) {
            return self.pool.put(frame);
        }
        let start = if header.source.is_ipv6() { IPV6_HEADER } else { header.length };
        self.tcp_feed(index, frame, start, segment);
    }

    /// Shows a segment to its socket, if it may see it, and sends what it answers. The TCP header begins at `start`.
    fn tcp_feed(&mut self, index: u32, mut frame: Frame, start: usize, segment: &Segment) {
        let Self { tcp, pool, emitted, interface, statistics, .. } = self;
        let Some(slot) = tcp.slots.get_mut(index as usize) else { return pool.put(frame) };
        let before = slot.socket().state();
        let is_synchronized = !matches!(before, State::Closed | State::Listen | State::SynSent | State::SynReceived);
        let packet = frame.bytes_mut().get_mut(start..).unwrap_or_default();
        let unacknowledged = slot.supervision.unacknowledged();
        match slot.supervision.incoming(packet, segment, is_synchronized, slot.own_segment) {
            Verdict::Pass => {}
            Verdict::Trim(allowed) => trim(&mut frame, start, allowed),
            Verdict::Answer => {
                statistics.received_drops.segment += 1;
                pool.put(frame);
                return self.tcp_challenge(index);
            }
            Verdict::Drop => {
                statistics.received_drops.segment += 1;
                return pool.put(frame);
            }
        }
        let progressed = slot.supervision.unacknowledged() != unacknowledged;
        slot.contact.hear(self.now, progressed);
        slot.probes = 0;
        if progressed {
            slot.soft_error = None;
        }
        if segment.syn {
            slot.shape.peer_segment = slot.supervision.peer_segment;
            slot.shape.fit(slot.own_segment, start);
        }
        let mut device = OneShot::receiving(frame.bytes(), pool, emitted, slot.shape.longest());
        interface.poll_ingress_single(smoltcp_time(self.now), &mut device, &mut slot.set);
        pool.put(frame);
        self.tcp_emit(index);
        self.tcp_changed(index, before, segment, progressed);
    }

    /// Says where we are, a few times a second at most (RFC 5961 §7).
    fn tcp_challenge(&mut self, index: u32) {
        let Some(slot) = self.tcp.slots.get_mut(index as usize) else { return };
        let (sent, since) = (slot.challenges, slot.challenged);
        let is_over = self.now.since(since) >= Duration::from_secs(1);
        if !is_over && sent >= CHALLENGES {
            return;
        }
        (slot.challenges, slot.challenged) = if is_over { (1, self.now) } else { (sent + 1, since) };
        let (flow, supervision) = (slot.flow, slot.supervision);
        if let Some(receive_next) = supervision.receive_next {
            self.tcp_control(flow, Control::Acknowledge, supervision.send_maximum, receive_next, supervision.window);
        }
    }

    /// Asks a silent peer whether it is there: a segment before its window, which it answers (RFC 1122 §4.2.3.6; TCP-S-12: no octet).
    pub(crate) fn tcp_probe(&mut self, index: u32) {
        let Some(slot) = self.tcp.slots.get(index as usize) else { return };
        let (flow, supervision) = (slot.flow, slot.supervision);
        if let Some(receive_next) = supervision.receive_next {
            let sequence = supervision.send_maximum.wrapping_sub(1);
            self.tcp_control(flow, Control::Acknowledge, sequence, receive_next, supervision.window);
        }
    }

    /// Sends a segment without data that no socket made.
    fn tcp_control(&mut self, flow: Flow, control: Control, sequence: u32, acknowledgment: u32, window: u16) {
        // IP4-03: what the socket says holds for all its segments.
        let index = self.tcp.flows.get(&flow).copied();
        let shape = index.and_then(|index| self.tcp.slots.get(index as usize)).map(|slot| slot.shape);
        let outgoing = Outgoing {
            source: flow.local.ip(),
            destination: flow.remote.ip(),
            protocol: protocol::TCP,
            hop_limit: shape.map_or(HOP_LIMIT, |shape| shape.hop_limit),
            traffic_class: shape.map_or(0, |shape| shape.traffic_class),
        };
        let start = header::length_for(outgoing.destination);
        let mut frame = self.packet_for(outgoing.destination, TCP_HEADER);
        if let Some(packet) = frame.bytes_mut().get_mut(start..) {
            packet.fill(0);
            let mut tcp = TcpPacket::new_unchecked(&mut *packet);
            tcp.set_src_port(flow.local.port());
            tcp.set_dst_port(flow.remote.port());
            tcp.set_seq_number(TcpSeqNumber(sequence as i32));
            tcp.set_ack_number(TcpSeqNumber(acknowledgment as i32));
            tcp.set_header_len(TCP_HEADER as u8);
            tcp.set_ack(control != Control::Reset);
            tcp.set_rst(control != Control::Acknowledge);
            tcp.set_window_len(window);
            let sum = checksum::of_transport(outgoing.source, outgoing.destination, protocol::TCP, packet);
            TcpPacket::new_unchecked(packet).set_checksum(sum);
        }
        // A lost control segment is asked for again.
        let _ = self.send_packet(frame, &outgoing);
    }

    /// The connection whose segment on its way is quoted: anybody could send an ICMP error, but who saw our segments knows what is under
    /// way (TCP-X-05).
    fn tcp_quoted(&self, quoted: &Quote) -> Option<u32> {
        let local = End::new(quoted.source, quoted.source_port);
        let flow = Flow { local, remote: End::new(quoted.destination, quoted.destination_port) };
        let index = *self.tcp.flows.get(&flow)?;
        let slot = self.tcp.slots.get(index as usize)?;
        slot.supervision.is_in_flight(quoted.third).then_some(index)
    }

    /// True when the quoted segment is one of ours that is on its way.
    pub(crate) fn tcp_has_sent(&self, quoted: &Quote) -> bool {
        self.tcp_quoted(quoted).is_some()
    }

    /// An ICMP error quotes a segment of ours, or the link could not deliver it. It ends a connect; later it is not fatal
    /// (RFC 1122 §4.2.3.9).
    pub(crate) fn tcp_error(&mut self, quoted: &Quote, error: Error) {
        let Some(index) = self.tcp_quoted(quoted) else { return };
        let Some(slot) = self.tcp.slots.get_mut(index as usize) else { return };
        if matches!(slot.phase, Phase::Connecting) {
            slot.error = Some(error);
            slot.socket_mut().abort();
            self.tcp_forget_silently(index);
        } else {
            slot.soft_error = Some(error);
        }
    }
}

/// The connection, the start of the TCP header and the packet's length, if the IP header is of the common shape: no options or extension
/// headers, no fragment, a right checksum.
fn plain(bytes: &[u8], verify: bool) -> Option<(Flow, usize, usize)> {
    let (local, remote, start, total) = match bytes {
        [0x45, _, high, low, _, _, flags, 0, _, protocol::TCP, ..] if flags & 0x3f == 0 => {
            let (header, _) = bytes.split_first_chunk::<IPV4_HEADER>()?;
            if verify && checksum::of(header) != 0 {
                return None;
            }
            let [.., a, b, c, d, e, f, g, h] = *header;
            let (source, destination) = (Ipv4Addr::new(a, b, c, d), Ipv4Addr::new(e, f, g, h));
            (IpAddr::V4(destination), IpAddr::V4(source), IPV4_HEADER, usize::from(u16::from_be_bytes([*high, *low])))
        }
        [first, _, _, _, high, low, protocol::TCP, _, rest @ ..] if first >> 4 == 6 => {
            let (source, rest) = rest.split_first_chunk::<16>()?;
            let (destination, _) = rest.split_first_chunk::<16>()?;
            let total = IPV6_HEADER + usize::from(u16::from_be_bytes([*high, *low]));
            (IpAddr::V6((*destination).into()), IpAddr::V6((*source).into()), IPV6_HEADER, total)
        }
        _ => return None,
    };
    let (from, to) = ports(bytes.get(start..total)?)?;
    Some((Flow { local: End::new(local, to), remote: End::new(remote, from) }, start, total))
}

fn ports(packet: &[u8]) -> Option<(u16, u16)> {
    let ([a, b, c, d], _) = packet.split_first_chunk()?;
    Some((u16::from_be_bytes([*a, *b]), u16::from_be_bytes([*c, *d])))
}

/// Puts the fixed IPv6 header directly in front of the segment: smoltcp knows hardly any extension header.
fn strip_extension_headers(frame: &mut Frame, header: &Header) -> bool {
    let Some(skipped) = header.length.checked_sub(IPV6_HEADER) else { return false };
    let payload = frame.len().saturating_sub(header.length);
    if frame.len() < header.length {
        return false;
    }
    frame.bytes_mut().copy_within(..IPV6_HEADER, skipped);
    frame.advance(skipped);
    let mut packet = Ipv6Packet::new_unchecked(frame.bytes_mut());
    packet.set_next_header(header.protocol.into());
    packet.set_payload_len(u16::try_from(payload).unwrap_or(u16::MAX));
    true
}

/// Cuts a segment to `allowed` bytes of data and takes its FIN away.
fn trim(frame: &mut Frame, start: usize, allowed: u32) {
    let packet = frame.bytes_mut().get_mut(start..).unwrap_or_default();
    let Ok(mut tcp) = TcpPacket::new_checked(packet) else { return };
    tcp.set_fin(false);
    let kept = usize::from(tcp.header_len()) + allowed as usize;
    frame.truncate(start + kept);
    let total = frame.len();
    // A packet that came in has a length field that fits.
    if start == IPV6_HEADER && frame.bytes().first().is_some_and(|first| first >> 4 == 6) {
        Ipv6Packet::new_unchecked(frame.bytes_mut()).set_payload_len((total - IPV6_HEADER) as u16);
    } else if total >= IPV4_HEADER {
        Ipv4Packet::new_unchecked(frame.bytes_mut()).set_total_len(total as u16);
    }
}
