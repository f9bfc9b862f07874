//! From a TCP packet to whom it belongs to: a connection, a entry tuple, a listener, or nobody,
//! who answers with a reset.

use core::time::Duration;

use crate::command::socket::SocketState as State;

use super::acceptability::{Verdict, check};
use super::egress::{HeaderFields, flag};
use super::handshake::{Answer, Handshake};
use super::machine::Event;
use super::receive::Received;
use super::segment::{Blocks, Segment, TCP_HEADER};
use super::send::Acknowledged;
use super::time_wait::Reaction;
use super::{End, Flow, Owner, Tcp};
use crate::driver::Frame;
use crate::stack::bound::Bound;
use crate::stack::context::Context;
use crate::stack::ip::Ip;
use crate::stack::ip::ingress::{Delivery, Packet};
use crate::stack::wire::checksum;
use crate::stack::wire::header::protocol;

/// Challenge ACKs of one connection per second (RFC 5961 §7; Linux' per-socket limit is two).
const CHALLENGES: u8 = 2;
/// The mark of a packet that met congestion (CE, RFC 3168 §5).
const CE: u8 = 3;

impl Tcp {
    /// Takes a TCP packet.
    pub(crate) fn receive(&mut self, cx: &mut Context, ip: &mut Ip, packet: Packet) {
        let Packet { header, delivery, arrival, .. } = &packet;
        // TCP-X-04: no connection with everybody, and no answer to it (RFC 9293 §3.9.2.3).
        if *delivery != Delivery::Unicast
            || arrival.link_broadcast
            || header.source.is_unspecified()
        {
            cx.statistics.received_drops.segment += 1;
            return cx.pool.put(packet.frame);
        }
        let bytes = packet.payload();
        let (Some(segment), Some((source, destination))) = (Segment::parse(bytes), ports(bytes))
        else {
            cx.statistics.received_drops.malformed += 1;
            return cx.pool.put(packet.frame);
        };
        if arrival.from_wire
            && cx.needs_checksums()
            && checksum::of_transport(header.source, header.destination, protocol::TCP, bytes) != 0
        {
            cx.statistics.received_drops.checksum += 1;
            return cx.pool.put(packet.frame);
        }
        let flow = Flow {
            local: End::new(header.destination, destination),
            remote: End::new(header.source, source),
        };
        if let Some(index) = self.find(&flow) {
            let start = header.length;
            return self.feed(cx, ip, index, packet.frame, start, &segment);
        }
        let floor = match self.time_wait.input(&flow, &segment, cx.now) {
            Some(Reaction::Ignore) => return cx.pool.put(packet.frame),
            Some(Reaction::Acknowledge(rest)) => {
                let fields = HeaderFields::control(flag::ACK, rest.snd_nxt, rest.rcv_nxt);
                self.send_control(cx, ip, flow, &HeaderFields { window: rest.window, ..fields });
                return cx.pool.put(packet.frame);
            }
            Some(Reaction::Reopen(last)) => Some(last),
            None => None,
        };
        let is_opening =
            segment.syn && segment.acknowledgment.is_none() && !segment.rst && !segment.fin;
        let packet = if is_opening && source != 0 {
            match self.receive_syn(cx, ip, packet, flow, &segment, floor) {
                Ok(()) => return,
                Err(packet) => packet,
            }
        } else {
            packet
        };
        cx.statistics.received_drops.no_socket += 1;
        // A listening port is silent to what neither asks nor acknowledges (RFC 9293 §3.10.7.2).
        if segment.acknowledgment.is_some()
            || !self.listens_at(flow.local.port(), Bound::Address(flow.local.ip()))
        {
            self.refuse(cx, ip, flow, &segment);
        }
        cx.pool.put(packet.frame);
    }

    /// A reset for a segment that belongs to nobody (RFC 9293 §3.5.2).
    fn refuse(&mut self, cx: &mut Context, ip: &mut Ip, flow: Flow, segment: &Segment) {
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

    /// Gives a segment to what its connection is: closed, in its handshake, or open. The TCP header
    /// begins at `start`.
    pub(super) fn feed(
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
                cx.statistics.received_drops.no_socket += 1;
                cx.pool.put(frame);
                self.refuse(cx, ip, flow, segment);
            }
            State::Listen | State::SynSent | State::SynReceived => {
                self.receive_in_handshake(cx, ip, index, frame, start, segment)
            }
            _ => self.receive_open(cx, ip, index, frame, start, segment),
        }
    }

    /// A segment for a connection whose handshake lasts.
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
        let Context { pool, statistics, .. } = cx;
        let Some(connection) = self.connections.get_mut(index as usize) else {
            return pool.put(frame);
        };
        let Some(handshake) = connection.state_machine.handshake() else { return pool.put(frame) };
        let (before, syns_sent, rcv_nxt) =
            (handshake.state(), handshake.syns_sent, handshake.rcv_nxt());
        // TCP-O-01: nothing reaches a connecting socket before its own SYN left.
        if syns_sent == 0 && before != State::Listen {
            statistics.received_drops.segment += 1;
            return pool.put(frame);
        }
        // TCP-R-10: the peer did not get our answer.
        let is_repeat =
            before == State::SynReceived && segment.syn && segment.acknowledgment.is_none();
        if is_repeat && segment.sequence.wrapping_add(1) == rcv_nxt {
            pool.put(frame);
            return self.send_syn(cx, ip, index);
        }
        if before == State::SynReceived && !connection.is_acceptable_before_open(segment) {
            statistics.received_drops.segment += 1;
            pool.put(frame);
            if !segment.rst {
                self.challenge(cx, ip, index);
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
            handshake.learn(options.unwrap_or_default(), segment, now);
            connection
                .template
                .agree(&handshake.peer_options, connection.flow.remote.ip().is_ipv6());
            // ECE without CWR answers, both ask (RFC 3168 §6.1.1).
            connection.ecn.is_negotiated =
                segment.echo && (segment.reduced != segment.acknowledgment.is_some());
        }
        if !handshake.is_completed_by(segment) {
            let (answer, flow) = (handshake.handle(segment), connection.flow);
            pool.put(frame);
            match answer {
                Answer::Nothing => {}
                Answer::Acknowledgment => self.challenge(cx, ip, index),
                Answer::Reset(number) => {
                    self.send_control(cx, ip, flow, &HeaderFields::control(flag::RST, number, 0));
                }
            }
            return self.state_changed(cx, ip, index, before, segment.rst);
        }
        let has_begun = connection.begin(segment, now);
        self.state_changed(cx, ip, index, before, false);
        if segment.syn || !has_begun {
            // Data that comes with it comes again.
            return cx.pool.put(frame);
        }
        self.receive_open(cx, ip, index, frame, start, segment);
    }

    /// A segment for an open connection.
    fn receive_open(
        &mut self,
        cx: &mut Context,
        ip: &mut Ip,
        index: u32,
        frame: Frame,
        start: usize,
        segment: &Segment,
    ) {
        let now = cx.now;
        let Context { pool, statistics, watch, .. } = cx;
        let Some(connection) = self.connections.get_mut(index as usize) else {
            return pool.put(frame);
        };
        let before = connection.state();
        let verdict = check(segment, &connection.sequence_state());
        let (counts, is_asked) = match verdict {
            Verdict::Accept(counts) => (counts, false),
            Verdict::AckNow(counts) => (counts, true),
            _ => {
                statistics.received_drops.segment += u64::from(verdict != Verdict::Reset);
                pool.put(frame);
                return self.turn_away(cx, ip, index, verdict);
            }
        };
        let packet = frame.bytes();
        let header = start + usize::from(segment.header);
        let told;
        let blocks = match packet.get(start + TCP_HEADER..header) {
            Some(options) if !options.is_empty() => {
                told = Blocks::read(options);
                &told
            }
            _ => Blocks::NONE,
        };
        let acknowledged = match segment.acknowledgment {
            Some(number) if counts => {
                let snapshot = watch.before(connection);
                let acknowledged = connection.sender.acknowledge(segment, number, blocks, now);
                watch.after(connection, snapshot);
                acknowledged
            }
            _ => Acknowledged::default(),
        };
        let received = if is_asked {
            connection.receiver.ack_now();
            Received::default()
        } else if segment.length > 0 || segment.fin {
            connection.receiver.receive(
                segment.sequence,
                packet.get(header..).unwrap_or_default(),
                segment.fin,
                now,
            )
        } else {
            Received::default()
        };
        if connection.sender.has_ecn() {
            if segment.reduced {
                connection.receiver.on_cwr();
            }
            if segment.length > 0 && class_of(packet) & CE == CE {
                connection.receiver.on_ce();
            }
        }
        connection.activity.heard(now, acknowledged.is_progress);
        connection.probes = 0;
        if acknowledged.is_progress {
            connection.soft_error = None;
        }
        pool.put(frame);
        // What an orphan gets nobody will read (RFC 1122 §4.2.2.13).
        if received.has_data && matches!(connection.owner, Owner::Orphan) {
            return self.abandon(cx, ip, index);
        }
        if acknowledged.fin_acknowledged {
            connection.state_machine.handle(Event::FinAcknowledged);
        }
        if received.has_fin {
            connection.state_machine.handle(Event::FinReceived);
        }
        self.follow_segment(cx, ip, index, before, acknowledged, received);
    }

    /// What becomes of a segment of which nothing counts but that it came.
    fn turn_away(&mut self, cx: &mut Context, ip: &mut Ip, index: u32, verdict: Verdict) {
        match verdict {
            Verdict::Reset => {
                let Some(connection) = self.connections.get_mut(index as usize) else { return };
                let before = connection.state();
                connection.state_machine.handle(Event::Reset);
                self.state_changed(cx, ip, index, before, true);
            }
            Verdict::ChallengeAck => self.challenge(cx, ip, index),
            Verdict::Accept(_) | Verdict::AckNow(_) | Verdict::Drop => {}
        }
    }

    /// Says where we are, a few times a second at most (RFC 5961 §7).
    fn challenge(&mut self, cx: &mut Context, ip: &mut Ip, index: u32) {
        let Some(connection) = self.connections.get_mut(index as usize) else { return };
        let (sent, since) = (connection.challenge_acks, connection.challenge_acks_since);
        let is_over = cx.now.since(since) >= Duration::from_secs(1);
        if !is_over && sent >= CHALLENGES {
            return;
        }
        (connection.challenge_acks, connection.challenge_acks_since) =
            if is_over { (1, cx.now) } else { (sent + 1, since) };
        if connection.is_open() {
            return self.acknowledge(cx, ip, index);
        }
        let (flow, window) = (connection.flow, connection.window_before_open());
        let Some((sequence, expected)) = connection.state_machine.handshake().map(Handshake::next)
        else {
            return;
        };
        let fields = HeaderFields::control(flag::ACK, sequence, expected);
        self.send_control(cx, ip, flow, &HeaderFields { window, ..fields });
    }

    /// Asks a silent peer whether it is there, or whether its window opened: a segment before its
    /// window, which it answers (RFC 1122 §4.2.3.6; TCP-S-12: no octet).
    pub(crate) fn probe(&mut self, cx: &mut Context, ip: &mut Ip, index: u32) {
        let Some(connection) = self.connections.get(index as usize) else { return };
        let sequence = connection.sender.snd_una().wrapping_sub(1);
        let (flow, expected, window) = (
            connection.flow,
            connection.receiver.rcv_nxt(),
            connection.receiver.advertised_window(),
        );
        let fields = HeaderFields::control(flag::ACK, sequence, expected);
        self.send_control(cx, ip, flow, &HeaderFields { window, ..fields });
    }
}

/// The traffic class of a packet, ecn included.
fn class_of(packet: &[u8]) -> u8 {
    match packet {
        [first, second, ..] if first >> 4 == 6 => first << 4 | second >> 4,
        [_, class, ..] => *class,
        _ => 0,
    }
}

/// Source and destination port.
pub(super) fn ports(packet: &[u8]) -> Option<(u16, u16)> {
    let ([a, b, c, d], _) = packet.split_first_chunk()?;
    Some((u16::from_be_bytes([*a, *b]), u16::from_be_bytes([*c, *d])))
}
