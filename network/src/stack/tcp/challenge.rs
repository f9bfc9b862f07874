//! What answers a segment that is not acceptable, and what asks a silent peer.

use super::Tcp;
use super::acceptability::Verdict;
use super::assemble::{HeaderFields, flag};
use super::handshake::Handshake;
use super::machine::Event;
use super::timestamps::tick;
use crate::stack::context::Context;
use crate::stack::ip::Ip;
use crate::trace::{dropped, event};

/// Challenge ACKs per connection and second (RFC 5961 §7; Linux' per-socket limit is two).
const MAX_CHALLENGE_ACKS: u8 = 2;
/// In ticks of a millisecond.
const INTERVAL: u32 = 1000;

impl Tcp {
    /// Acts on a segment that failed the acceptability test. Counts it, unless it is a RST that
    /// ends the connection.
    pub(super) fn reject(&mut self, cx: &mut Context, ip: &mut Ip, index: u32, verdict: Verdict) {
        if let Some(connection) = self.connections.get(index as usize)
            && verdict != Verdict::Reset
        {
            dropped!(cx, UnacceptableSegment, "devnet::tcp", "{}", connection.flow);
        }
        match verdict {
            Verdict::Reset => {
                let Some(connection) = self.connections.get_mut(index as usize) else { return };
                let before = connection.state();
                event!(cx, debug, "devnet::tcp", "reset received, {}", connection.flow);
                connection.state_machine.handle(Event::Reset);
                self.state_changed(cx, ip, index, before, true);
            }
            Verdict::ChallengeAck => self.send_challenge_ack(cx, ip, index),
            Verdict::Accept(_) | Verdict::AckNow | Verdict::Drop => {}
        }
    }

    /// Sends a challenge ACK, within the rate limit (RFC 5961 §7).
    pub(super) fn send_challenge_ack(&mut self, cx: &mut Context, ip: &mut Ip, index: u32) {
        let Some(connection) = self.connections.get_mut(index as usize) else { return };
        let (sent, since) = (connection.challenge_acks, connection.challenge_acks_since);
        let now = tick(cx.now);
        let is_over = now.wrapping_sub(since) >= INTERVAL;
        if !is_over && sent >= MAX_CHALLENGE_ACKS {
            return;
        }
        (connection.challenge_acks, connection.challenge_acks_since) =
            if is_over { (1, now) } else { (sent + 1, since) };
        if connection.is_open() {
            return self.acknowledge(cx, ip, index);
        }
        let (flow, window) = (connection.flow, connection.handshake_window());
        let Some((sequence, expected)) = connection.state_machine.handshake().map(Handshake::next)
        else {
            return;
        };
        let fields = HeaderFields::control(flag::ACK, sequence, expected);
        self.send_control(cx, ip, flow, &HeaderFields { window, ..fields });
    }

    /// Sends a keep-alive or zero-window probe: a segment with SND.UNA - 1, which the peer must
    /// acknowledge (RFC 1122 §4.2.3.6; TCP-S-12: without data).
    pub(crate) fn send_probe(&mut self, cx: &mut Context, ip: &mut Ip, index: u32) {
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
