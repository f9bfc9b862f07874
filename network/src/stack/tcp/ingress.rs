//! Demultiplexes TCP packets: to a connection, a TIME-WAIT entry or a listener; everything else
//! gets a RST.

use crate::command::interface::Statistics;
use crate::command::socket::SocketState as State;

use super::acceptability::Verdict;
use super::assemble::{HeaderFields, flag};
use super::handshake::Reply;
use super::machine::Event;
use super::memory::Scarcity;
use super::receive::Received;
use super::segment::{Segment, SegmentOptions, TCP_HEADER, read_syn_options};
use super::send::{Acknowledged, Acknowledgment};
use super::time_wait::TimeWaitResponse;
use super::{Connection, End, Flow, Owner, Tcp};
use crate::driver::Frame;
use crate::stack::bound::Bound;
use crate::stack::context::{Configuration, Context};
use crate::stack::counters::Counter;
use crate::stack::ip::Ip;
use crate::stack::ip::ingress::{Delivery, Packet};
use crate::stack::wire::checksum;
use crate::stack::wire::header::protocol;
use crate::trace::dropped;

/// CE: the packet met congestion (RFC 3168 §5).
const CE: u8 = 3;

impl Tcp {
    /// Processes a TCP packet.
    pub(crate) fn receive(&mut self, cx: &mut Context, ip: &mut Ip, packet: Packet) {
        let Packet { header, delivery, arrival, .. } = &packet;
        let is_ipv6 = header.source.is_ipv6();
        cx.counters.count(is_ipv6, Counter::TcpInSegs);
        // TCP-X-04: broadcast and multicast packets are dropped without an answer (RFC 9293
        // §3.9.2.3).
        if *delivery != Delivery::Unicast
            || arrival.link_broadcast
            || header.source.is_unspecified()
        {
            cx.counters.count(is_ipv6, Counter::TcpInErrs);
            dropped!(cx, UnacceptableSegment, "devnet::tcp", "a segment to everybody, {}", header);
            return cx.pool.put(packet.frame);
        }
        let bytes = packet.payload();
        let (Some(segment), Some((source, destination))) = (Segment::parse(bytes), ports(bytes))
        else {
            cx.counters.count(is_ipv6, Counter::TcpInErrs);
            dropped!(cx, Malformed, "devnet::tcp", "{}", header);
            return cx.pool.put(packet.frame);
        };
        if arrival.from_wire
            && cx.needs_checksums()
            && checksum::of_transport(header.source, header.destination, protocol::TCP, bytes) != 0
        {
            cx.counters.count(is_ipv6, Counter::TcpInErrs);
            cx.counters.count(is_ipv6, Counter::TcpInCsumErrors);
            dropped!(cx, Checksum, "devnet::tcp", "{}, port {} to {}", header, source, destination);
            return cx.pool.put(packet.frame);
        }
        let flow = Flow {
            local: End::new(header.destination, destination),
            remote: End::new(header.source, source),
        };
        if let Some(index) = self.find(&flow) {
            let start = header.length;
            return self.deliver(cx, ip, index, packet.frame, start, &segment);
        }
        let seg_tsval = if segment.syn { syn_timestamp(bytes, &segment) } else { None };
        let iss_floor = match self.time_wait.input(&flow, &segment, seg_tsval, cx.now) {
            Some(TimeWaitResponse::Ignore) => return cx.pool.put(packet.frame),
            Some(TimeWaitResponse::Acknowledge(state)) => {
                let fields = HeaderFields::control(flag::ACK, state.snd_nxt, state.rcv_nxt);
                let timestamps = state.timestamps.option(cx.now);
                let fields = HeaderFields { window: state.window, timestamps, ..fields };
                self.send_control(cx, ip, flow, &fields);
                return cx.pool.put(packet.frame);
            }
            Some(TimeWaitResponse::Reopen(last)) => Some(last),
            None => None,
        };
        let is_opening =
            segment.syn && segment.acknowledgment.is_none() && !segment.rst && !segment.fin;
        let unclaimed = if source == 0 {
            Err(packet)
        } else if is_opening {
            self.receive_syn(cx, ip, packet, flow, &segment, iss_floor)
        } else {
            self.receive_cookie(cx, ip, packet, flow, &segment)
        };
        let Err(packet) = unclaimed else { return };
        dropped!(cx, NoSocket, "devnet::tcp", "a segment, {}", flow);
        // A listening port drops segments with neither SYN nor ACK silently (RFC 9293 §3.10.7.2).
        if segment.acknowledgment.is_some()
            || !self.listens_at(flow.local.port(), Bound::Address(flow.local.ip()))
        {
            self.send_reset_for(cx, ip, flow, &segment);
        }
        cx.pool.put(packet.frame);
    }

    /// Sends a RST for a segment that belongs to no connection (RFC 9293 §3.5.2).
    fn send_reset_for(&mut self, cx: &mut Context, ip: &mut Ip, flow: Flow, segment: &Segment) {
        if segment.rst || flow.remote.port() == 0 {
            return;
        }
        match segment.acknowledgment {
            Some(acknowledgment) => {
                self.send_control(
                    cx,
                    ip,
                    flow,
                    &HeaderFields::control(flag::RST, acknowledgment, 0),
                );
            }
            None => {
                let fields = HeaderFields::control(flag::RST | flag::ACK, 0, segment.end());
                self.send_control(cx, ip, flow, &fields);
            }
        }
    }

    /// Hands a segment to its connection by state: closed, in the handshake, or open. The TCP
    /// header begins at `start`.
    pub(super) fn deliver(
        &mut self,
        cx: &mut Context,
        ip: &mut Ip,
        index: u32,
        frame: Frame,
        start: usize,
        segment: &Segment,
    ) {
        let Some(connection) = self.connections.get(index as usize) else {
            return cx.pool.put(frame);
        };
        match connection.state() {
            State::Closed => {
                let flow = connection.flow;
                dropped!(cx, NoSocket, "devnet::tcp", "a segment, {}", flow);
                cx.pool.put(frame);
                self.send_reset_for(cx, ip, flow, segment);
            }
            State::Listen | State::SynSent | State::SynReceived => {
                self.receive_in_handshake(cx, ip, index, frame, start, segment)
            }
            _ => self.receive_open(cx, ip, index, frame, start, segment),
        }
    }

    /// Processes a segment of a connection in the handshake.
    fn receive_in_handshake(
        &mut self,
        cx: &mut Context,
        ip: &mut Ip,
        index: u32,
        frame: Frame,
        start: usize,
        segment: &Segment,
    ) {
        let now = cx.now;
        let Context { pool, .. } = cx;
        let Some(connection) = self.connections.get_mut(index as usize) else {
            return pool.put(frame);
        };
        let Some(handshake) = connection.state_machine.handshake() else { return pool.put(frame) };
        let (before, syns_sent, rcv_nxt) =
            (handshake.state(), handshake.syns_sent, handshake.rcv_nxt());
        // TCP-O-01: a connecting socket accepts nothing before its SYN left.
        if syns_sent == 0 && before != State::Listen {
            unacceptable(&mut cx.statistics, &cx.configuration, &connection.flow);
            return pool.put(frame);
        }
        // TCP-R-10: a retransmitted SYN means that our SYN|ACK was lost.
        let is_retransmission =
            before == State::SynReceived && segment.syn && segment.acknowledgment.is_none();
        if is_retransmission && segment.sequence.wrapping_add(1) == rcv_nxt {
            pool.put(frame);
            if let Some(handshake) = connection.state_machine.handshake_mut() {
                handshake.repeated();
            }
            return self.send_syn(cx, ip, index);
        }
        if before == State::SynReceived && !connection.is_acceptable_in_handshake(segment) {
            unacceptable(&mut cx.statistics, &cx.configuration, &connection.flow);
            pool.put(frame);
            if !segment.rst || connection.is_in_handshake_window(segment) {
                self.send_challenge_ack(cx, ip, index);
            }
            return;
        }
        connection.activity.heard(now, false);
        let Some(handshake) = connection.state_machine.handshake_mut() else {
            return pool.put(frame);
        };
        if handshake.carries_irs(segment) {
            let options =
                frame.bytes().get(start + TCP_HEADER..start + usize::from(segment.header));
            handshake.process_syn(options.unwrap_or_default(), segment, now);
            if let Some((seg_tsval, _)) = handshake.peer_options.timestamps {
                connection.timestamps.negotiate(seg_tsval, now);
            }
            connection
                .template
                .set_peer_mss(&handshake.peer_options, connection.flow.remote.ip().is_ipv6());
            // A SYN with ECE and CWR requests ECN, a SYN|ACK with ECE alone accepts it (RFC 3168
            // §6.1.1).
            connection.ecn.is_negotiated =
                segment.echo && (segment.reduced != segment.acknowledgment.is_some());
        }
        if !handshake.is_completed_by(segment) {
            let (reply, flow) = (handshake.handle(segment, now), connection.flow);
            pool.put(frame);
            match reply {
                Reply::Nothing => {}
                Reply::Acknowledgment => self.send_challenge_ack(cx, ip, index),
                Reply::Reset(number) => {
                    self.send_control(cx, ip, flow, &HeaderFields::control(flag::RST, number, 0));
                }
            }
            return self.state_changed(cx, ip, index, before, segment.rst);
        }
        let options = frame.bytes().get(start + TCP_HEADER..start + usize::from(segment.header));
        let echo = connection.echo_of(options.unwrap_or_default());
        let has_begun = connection.begin(segment, echo, now);
        self.state_changed(cx, ip, index, before, false);
        if segment.syn || !has_begun {
            // The peer retransmits data that came with the SYN.
            return cx.pool.put(frame);
        }
        self.receive_open(cx, ip, index, frame, start, segment);
    }

    /// Processes a segment of an open connection.
    fn receive_open(
        &mut self,
        cx: &mut Context,
        ip: &mut Ip,
        index: u32,
        frame: Frame,
        start: usize,
        segment: &Segment,
    ) {
        let (now, scarcity) = (cx.now, self.memory.scarcity());
        let Context { pool, watch, .. } = cx;
        let Some(connection) = self.connections.get_mut(index as usize) else {
            return pool.put(frame);
        };
        let before = connection.state();
        let header = start + usize::from(segment.header);
        let options = frame.bytes().get(start + TCP_HEADER..header).unwrap_or_default();
        let mut parsed = None;
        let (timestamps, blocks) = SegmentOptions::parse(options, &mut parsed);
        let timestamps = timestamps.filter(|_| connection.timestamps.is_negotiated());
        // An old segment that is accepted was overtaken by a later one.
        let is_old = connection.looks_old(segment, timestamps, now);
        let verdict = connection.verdict(segment, timestamps, is_old);
        let (takes_ack, must_ack_now) = match verdict {
            Verdict::Accept(takes_ack) => (takes_ack, false),
            Verdict::AckNow => (true, true),
            _ => {
                pool.put(frame);
                return self.reject(cx, ip, index, verdict);
            }
        };
        let packet = frame.bytes();
        let echo = connection.take_timestamps(segment, timestamps, is_old, now);
        let acknowledged = match segment.acknowledgment {
            Some(number) if takes_ack => {
                let snapshot = watch.before(connection);
                let news = Acknowledgment {
                    segment,
                    number,
                    blocks,
                    echo,
                    is_overtaken: is_old,
                    may_grow: scarcity == Scarcity::Plenty,
                };
                let acknowledged = connection.sender.acknowledge(&news, now);
                watch.after(connection, snapshot, &cx.configuration.name);
                acknowledged
            }
            _ => Acknowledged::default(),
        };
        // Without memory the peer repeats its data later.
        let is_full = scarcity == Scarcity::Exhausted && connection.holds_enough(segment);
        if is_full {
            without_memory(&mut cx.statistics, &cx.configuration, &connection.flow);
        }
        let received = if must_ack_now || is_full {
            connection.receiver.ack_now();
            Received::default()
        } else if segment.length > 0 || segment.fin {
            let data = packet.get(header..).unwrap_or_default();
            connection.receiver.receive(segment.sequence, data, segment.fin, now)
        } else {
            Received::default()
        };
        connection.process_ecn(segment, class_of(packet));
        connection.activity.heard(now, acknowledged.is_progress);
        connection.keep_alive_probes = 0;
        if acknowledged.is_progress {
            connection.soft_error = None;
        }
        pool.put(frame);
        // New data for an orphan resets the connection (RFC 1122 §4.2.2.13).
        if received.has_data && matches!(connection.owner, Owner::Orphan) {
            return self.abort_index(cx, ip, index);
        }
        if acknowledged.fin_acknowledged {
            connection.state_machine.handle(Event::FinAcknowledged);
        }
        if received.has_fin {
            connection.state_machine.handle(Event::FinReceived);
        }
        self.after_segment(cx, ip, index, before, acknowledged, received);
    }
}

impl Connection {
    /// Processes CWR, and the CE mark of a packet with data (RFC 3168 §6.1.3).
    fn process_ecn(&mut self, segment: &Segment, traffic_class: u8) {
        if !self.sender.has_ecn() {
            return;
        }
        if segment.reduced {
            self.receiver.on_cwr();
        }
        if segment.length > 0 && traffic_class & CE == CE {
            self.receiver.on_ce();
        }
    }
}

/// Counts a segment that is not acceptable.
#[cold]
fn unacceptable(statistics: &mut Statistics, configuration: &Configuration, flow: &Flow) {
    dropped!((statistics, configuration), UnacceptableSegment, "devnet::tcp", "{}", flow);
}

/// Counts a segment whose data finds no memory.
#[cold]
fn without_memory(statistics: &mut Statistics, configuration: &Configuration, flow: &Flow) {
    dropped!((statistics, configuration), QueueFull, "devnet::tcp", "no memory for data, {}", flow);
}

/// The timestamp of a SYN.
fn syn_timestamp(tcp: &[u8], segment: &Segment) -> Option<u32> {
    let options = tcp.get(TCP_HEADER..usize::from(segment.header))?;
    read_syn_options(options).timestamps.map(|(value, _)| value)
}

/// The traffic class of a packet, with its ECN field.
fn class_of(packet: &[u8]) -> u8 {
    match packet {
        [first, second, ..] if first >> 4 == 6 => first << 4 | second >> 4,
        [_, class, ..] => *class,
        _ => 0,
    }
}

/// The source and destination port.
pub(super) fn ports(packet: &[u8]) -> Option<(u16, u16)> {
    let ([a, b, c, d], _) = packet.split_first_chunk()?;
    Some((u16::from_be_bytes([*a, *b]), u16::from_be_bytes([*c, *d])))
}
