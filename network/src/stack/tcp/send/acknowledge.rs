//! What an acknowledgment means: what it delivers, what it shows to be lost, what it allows.

use core::time::Duration;

use super::Sender;
use super::recovery::RecoveryState;
use super::scoreboard::Sent;
use crate::platform::Instant;
use crate::stack::tcp::congestion::{Acknowledgment, Controller, RateSample};
use crate::stack::tcp::segment::{Blocks, Segment, before};

/// What followed from an acknowledgment.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct Acknowledged {
    /// Something that was sent is acknowledged in order.
    pub(crate) is_progress: bool,
    /// The peer has our FIN.
    pub(crate) fin_acknowledged: bool,
}

/// What one acknowledgment delivered.
#[derive(Default)]
struct Delivery {
    /// The one that left last.
    newest: Option<Sent>,
    /// When the last of those left that left once and were under way when the last episode of loss
    /// began.
    original_sent_at: Option<Instant>,
}

impl Delivery {
    fn add(&mut self, sent: &Sent, recover: u32) {
        if self.newest.is_none_or(|newest| newest.xmit_ts <= sent.xmit_ts) {
            self.newest = Some(*sent);
        }
        if sent.was_sent_once() && !before(recover, sent.end_seq) {
            self.original_sent_at = self.original_sent_at.max(Some(sent.xmit_ts));
        }
    }
}

impl Sender {
    /// Takes the acknowledgment, the window and the blocks of a segment that passed the gate: its
    /// number is one that was sent.
    pub(crate) fn acknowledge(
        &mut self,
        segment: &Segment,
        acknowledged: u32,
        blocks: &Blocks,
        now: Instant,
    ) -> Acknowledged {
        let snd_wnd_end_before = self.send_window.snd_wnd_end;
        if !before(acknowledged, self.snd_una) {
            self.send_window.follow(segment, acknowledged);
        }
        let pipe_before = self.pipe();
        let is_progress = before(self.snd_una, acknowledged);
        let is_duplicate_ack = !is_progress
            && acknowledged == self.snd_una
            && segment.length == 0
            && !segment.fin
            && self.send_window.snd_wnd_end == snd_wnd_end_before;
        let spurious = if self.has_sack { self.find_dsack(acknowledged, blocks) } else { false };
        if !is_progress && self.scoreboard.is_empty() {
            // The word on a spurious repetition may be all that is left to say.
            self.judge_tail_probe(
                acknowledged,
                spurious || (is_duplicate_ack && blocks.is_empty()),
                now,
            );
            self.end_recovery(now, None, false);
            return Acknowledged::default();
        }
        let delivered_before = self.scoreboard.delivered();
        let harvest = self.harvest(acknowledged, blocks, now);
        // A connection delivers less than 4 GiB with one segment.
        let delivered = (self.scoreboard.delivered() - delivered_before) as u32;
        let fin_acknowledged = is_progress && self.advance(acknowledged);
        let (rtt, rate) = self.measure(&harvest, now);

        let known_before = self.duplicate_acks.saturating_mul(self.mss);
        let mut lost = self.count_duplicate_ack(is_duplicate_ack, is_progress, delivered);
        // Without SACK a duplicate says that a segment update, and what it said is not news when
        // it is acknowledged (RFC 6937 §2).
        let news = delivered
            .saturating_add(self.duplicate_acks.saturating_mul(self.mss))
            .saturating_sub(known_before);
        self.judge_tail_probe(
            acknowledged,
            spurious || (is_duplicate_ack && blocks.is_empty()),
            now,
        );
        self.end_recovery(now, harvest.original_sent_at, is_progress);
        if self.has_sack {
            lost += self.detect_loss(now);
        }
        if lost > 0 {
            self.begin_recovery(now, pipe_before);
        }
        self.reduce(news, lost, is_progress);
        self.on_ecn_echo(segment, now, pipe_before);

        let is_round = !before(acknowledged, self.round_end) && is_progress;
        if is_round {
            self.round_end = self.snd_nxt;
        }
        if delivered > 0 || lost > 0 {
            let window = self.congestion.cwnd();
            let is_slow_start = window < self.congestion.ssthresh();
            // Half of the window suffices while it doubles, as Linux has it (RFC 7661 §4.4).
            let used = if is_slow_start {
                pipe_before.saturating_mul(2)
            } else {
                pipe_before + 4 * self.mss
            };
            self.congestion.on_ack(&Acknowledgment {
                now,
                delivered,
                in_flight_before: pipe_before,
                in_flight: self.pipe(),
                rtt,
                srtt: self.rtt.srtt(),
                min_rtt: self.rtt.min_rtt(),
                is_round,
                // What arrives out of order lets no window grow, unless the path is known to do
                // that (RFC 5681 §3.2, as Linux).
                is_window_limited: used >= window && (is_progress || self.rack.has_reordering()),
                is_recovering: self.recovery_state == RecoveryState::Recovery,
                rate,
                lost,
            });
            self.grow();
        }
        self.rearm(now, is_progress);
        Acknowledged { is_progress, fin_acknowledged }
    }

    /// True when the first block says that something came twice (RFC 2883 §4).
    fn find_dsack(&mut self, acknowledged: u32, blocks: &Blocks) -> bool {
        let is_inside = |inner: (u32, u32), outer: (u32, u32)| {
            !before(inner.0, outer.0) && !before(outer.1, inner.1)
        };
        let is_spurious = match blocks.as_slice() {
            [first, ..] if !before(acknowledged, first.1) => true,
            [first, second, ..] => is_inside(*first, *second),
            _ => false,
        };
        if is_spurious {
            self.counters.duplicates += 1;
            self.undo.spurious();
            self.rack.on_dsack(self.snd_una, self.snd_nxt);
        }
        is_spurious
    }

    fn harvest(&mut self, acknowledged: u32, blocks: &Blocks, now: Instant) -> Delivery {
        let mut harvest = Delivery::default();
        let least = self.rtt.min_rtt();
        let Self { scoreboard, rack, recover, .. } = self;
        let mut news = |sent: &Sent| {
            harvest.add(sent, *recover);
            rack.update(sent, now, least);
        };
        scoreboard.acknowledge(acknowledged, &mut news);
        if self.has_sack {
            let sent = |block: &&(u32, u32)| {
                !before(block.0, acknowledged) && !before(self.snd_nxt, block.1)
            };
            // The newest stands first in the option, not the lowest: that alone is no sign of
            // reordering.
            for block in blocks.in_order_from(acknowledged).as_slice().iter().filter(sent) {
                scoreboard.deliver(*block, &mut news);
            }
        }
        harvest
    }

    /// Lets go of what is acknowledged in order; true when that is all and the end.
    fn advance(&mut self, acknowledged: u32) -> bool {
        let count = acknowledged.wrapping_sub(self.snd_una) as usize;
        // More than all data: the number of the FIN comes after it.
        self.fin_acknowledged |= count > self.buffer.len();
        let data = count.min(self.buffer.len());
        self.buffer.drain(..data);
        self.counters.acknowledged += data as u64;
        self.snd_una = acknowledged;
        self.timers.backoff = 0;
        self.fin_acknowledged
    }

    fn measure(
        &mut self,
        harvest: &Delivery,
        now: Instant,
    ) -> (Option<Duration>, Option<RateSample>) {
        let Some(newest) = &harvest.newest else { return (None, None) };
        // What left twice is ambiguous (Karn).
        let rtt = newest.was_sent_once().then(|| now.since(newest.xmit_ts));
        if let Some(sample) = rtt {
            self.rtt.sample(sample);
        }
        (rtt, self.scoreboard.sample(newest, now))
    }

    /// A probe that retransmitted the tail hides its loss, unless the peer says that it came twice. An
    /// acknowledgment of just the tail may be of its first transmission; only a later one says that
    /// there was no second (RFC 8985 §7.4.2).
    fn judge_tail_probe(&mut self, acknowledged: u32, is_spurious: bool, now: Instant) {
        let Some((end, is_retransmission)) = self.probe else { return };
        let is_over =
            if is_retransmission { before(end, acknowledged) } else { !before(acknowledged, end) };
        if is_spurious {
            self.probe = None;
        } else if is_over {
            self.probe = None;
            if is_retransmission && self.recovery_state == RecoveryState::Open {
                self.congestion.on_congestion(now, self.pipe());
                self.congestion.on_recovered(now);
            }
        }
    }

    /// The peer met a congestion mark: the window shrinks once in a round trip (RFC 3168 §6.1.2).
    fn on_ecn_echo(&mut self, segment: &Segment, now: Instant, pipe_before: u32) {
        if !self.has_ecn || !segment.echo || before(self.snd_una, self.cwr_until) {
            return;
        }
        self.cwr_until = self.snd_nxt;
        self.must_send_cwr = true;
        if self.recovery_state == RecoveryState::Open {
            self.congestion.on_congestion(now, pipe_before);
            self.congestion.on_recovered(now);
        }
    }
}
