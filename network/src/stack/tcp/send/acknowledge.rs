//! Processes acknowledgments: what they deliver, which segments they show to be lost, and how cwnd
//! and the timers change.

use core::time::Duration;

use super::Sender;
use super::recovery::RecoveryState;
use super::scoreboard::Sent;
use crate::platform::Instant;
use crate::stack::tcp::congestion::{self, Controller, RateSample};
use crate::stack::tcp::segment::{Blocks, Segment, before, later};
use crate::stack::tcp::{ring, timestamps};

/// What a segment says about ours.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Acknowledgment<'a> {
    pub(crate) segment: &'a Segment,
    /// SEG.ACK, at most SND.MAX.
    pub(crate) number: u32,
    pub(crate) blocks: &'a Blocks,
    /// The tick of our clock at which a segment left that the peer echoes (TSecr).
    pub(crate) echo: Option<u32>,
    /// A later segment of the peer overtook it, as its timestamp tells.
    pub(crate) is_overtaken: bool,
    /// There is memory for a larger buffer.
    pub(crate) may_grow: bool,
}

/// The result of an acknowledgment.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct Acknowledged {
    /// SND.UNA advanced.
    pub(crate) is_progress: bool,
    /// The peer acknowledged our FIN.
    pub(crate) fin_acknowledged: bool,
}

/// The segments that one acknowledgment delivered.
#[derive(Default)]
struct Delivery {
    /// The segment that was sent last.
    newest: Option<Sent>,
    /// The latest send time of the delivered segments that were sent once and were in flight when
    /// the last recovery began. F-RTO uses it.
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
    /// Processes the acknowledgment, the window, the SACK blocks and the echo of an acceptable
    /// segment. An acknowledgment below SND.UNA was overtaken; only its SACK blocks count.
    pub(crate) fn acknowledge(&mut self, news: &Acknowledgment<'_>, now: Instant) -> Acknowledged {
        let Acknowledgment { segment, number: seg_ack, blocks, echo, is_overtaken, may_grow } =
            *news;
        let snd_wnd_end_before = self.send_window.snd_wnd_end;
        let is_old = is_overtaken || before(seg_ack, self.snd_una);
        if !is_old {
            self.send_window.update(segment, seg_ack);
        } else if !self.has_sack || blocks.is_empty() {
            return Acknowledged::default();
        }
        let acknowledged = later(seg_ack, self.snd_una);
        let pipe_before = self.pipe();
        let is_progress = before(self.snd_una, acknowledged);
        let is_duplicate_ack = !is_progress
            && !is_old
            && segment.length == 0
            && !segment.fin
            && self.send_window.snd_wnd_end == snd_wnd_end_before;
        let is_spurious = self.has_sack && self.find_dsack(seg_ack, blocks);
        let is_unneeded = is_spurious || (is_duplicate_ack && blocks.is_empty());
        if !is_progress && self.scoreboard.is_empty() {
            // A DSACK about a spurious retransmission may arrive when everything is acknowledged.
            self.process_tlp_ack(acknowledged, is_unneeded, now);
            self.end_recovery(now, None, false, false);
            self.rearm_timers(now, false);
            return Acknowledged::default();
        }
        let was_recovering = self.recovery_state == RecoveryState::Recovery;
        let delivered_before = self.scoreboard.delivered();
        let delivery = self.process_deliveries(acknowledged, blocks, now);
        // One segment delivers less than 4 GiB.
        let delivered = (self.scoreboard.delivered() - delivered_before) as u32;
        let fin_acknowledged = is_progress && self.advance(acknowledged);
        let (rtt, rate) = self.measure(&delivery, echo.filter(|_| is_progress), now);

        let duplicates = self.duplicate_acks.saturating_mul(self.mss);
        let mut lost = self.count_duplicate_ack(is_duplicate_ack, is_progress, delivered);
        // DeliveredData (RFC 9937 §2). Without SACK a duplicate ACK means that one segment was
        // delivered; a later cumulative ACK does not count it again.
        let delivered_data = delivered
            .saturating_add(self.duplicate_acks.saturating_mul(self.mss))
            .saturating_sub(duplicates);
        self.process_tlp_ack(acknowledged, is_unneeded, now);
        let is_original = is_progress && echo.is_some_and(|echo| self.undo.is_before(echo));
        self.end_recovery(now, delivery.original_sent_at, is_progress, is_original);
        if self.has_sack {
            lost += self.detect_loss(now);
        }
        if lost > 0 {
            self.begin_recovery(now, pipe_before, delivered_data);
        }
        self.reduce_proportionally(delivered_data, lost, is_progress);
        self.on_ecn_echo(segment, now, pipe_before);

        let is_round = is_progress && self.ends_round(acknowledged);
        if delivered > 0 || lost > 0 {
            let is_limited = self.is_cwnd_limited(pipe_before, is_round);
            self.congestion.on_ack(&congestion::Acknowledgment {
                now,
                delivered,
                in_flight_before: pipe_before,
                in_flight: self.pipe(),
                rtt,
                srtt: self.rtt.srtt(),
                min_rtt: self.rtt.min_rtt(),
                is_round,
                // Deliveries out of order do not grow cwnd unless the path is known to reorder (RFC
                // 5681 §3.2, as Linux).
                is_window_limited: is_limited && (is_progress || self.rack.has_reordering()),
                is_recovering: was_recovering || self.must_hold_cwnd(segment),
                rate,
                lost,
            });
            if may_grow {
                self.grow_buffer();
            }
        }
        self.rearm_timers(now, is_progress);
        Acknowledged { is_progress, fin_acknowledged }
    }

    /// True when a round ended; begins the next one.
    fn ends_round(&mut self, acknowledged: u32) -> bool {
        let is_over = !before(acknowledged, self.round_end);
        if is_over {
            self.round_end = self.snd_nxt;
        }
        is_over
    }

    /// True when an acknowledgment may not let cwnd grow: during recovery, whose end leaves cwnd at
    /// ssthresh (RFC 6582 §3.2 step 3), and with ECE (RFC 3168 §6.1.2).
    fn must_hold_cwnd(&self, segment: &Segment) -> bool {
        self.recovery_state == RecoveryState::Recovery || (self.has_ecn && segment.echo)
    }

    /// True when the data in flight used cwnd up in this round trip; in slow start half of it
    /// suffices, as on Linux (RFC 7661 §4.4). A later acknowledgment of the round trip may find
    /// less in flight, as the pacer still holds what the earlier ones made room for.
    fn is_cwnd_limited(&mut self, pipe_before: u32, is_round: bool) -> bool {
        let pipe = self.round_flight.max(pipe_before);
        self.round_flight = if is_round { pipe_before } else { pipe };
        let cwnd = self.congestion.cwnd();
        let is_slow_start = cwnd < self.congestion.ssthresh();
        let used = if is_slow_start { pipe.saturating_mul(2) } else { pipe + 4 * self.mss };
        used >= cwnd
    }

    /// True when the first block is a DSACK (RFC 2883 §4).
    fn find_dsack(&mut self, seg_ack: u32, blocks: &Blocks) -> bool {
        let is_inside = |inner: (u32, u32), outer: (u32, u32)| {
            !before(inner.0, outer.0) && !before(outer.1, inner.1)
        };
        let is_spurious = match blocks.as_slice() {
            [first, ..] if !before(seg_ack, first.1) => true,
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

    fn process_deliveries(&mut self, acknowledged: u32, blocks: &Blocks, now: Instant) -> Delivery {
        let mut delivery = Delivery::default();
        let min_rtt = self.rtt.min_rtt();
        let Self { scoreboard, rack, recover, .. } = self;
        let mut on_delivered = |sent: &Sent| {
            delivery.add(sent, *recover);
            rack.update(sent, now, min_rtt);
        };
        scoreboard.acknowledge(acknowledged, &mut on_delivered);
        if self.has_sack {
            let sent = |block: &&(u32, u32)| {
                !before(block.0, acknowledged) && !before(self.snd_nxt, block.1)
            };
            // The first block of the option is the newest, not the lowest: processing them unsorted
            // would look like reordering.
            for block in blocks.sorted_from(acknowledged).as_slice().iter().filter(sent) {
                scoreboard.deliver(*block, &mut on_delivered);
            }
        }
        delivery
    }

    /// Advances SND.UNA and releases acknowledged data; true when our FIN is acknowledged.
    fn advance(&mut self, acknowledged: u32) -> bool {
        let count = acknowledged.wrapping_sub(self.snd_una) as usize;
        // More than all data includes the FIN.
        self.fin_acknowledged |= count > self.buffer.len();
        let data = count.min(self.buffer.len());
        self.buffer.drain(..data);
        if self.buffer.is_empty() {
            // An idle connection costs what an idle connection costs.
            ring::shrink(&mut self.buffer);
        }
        self.counters.acknowledged += data as u64;
        self.snd_una = acknowledged;
        self.timers.expirations = 0;
        self.fin_acknowledged
    }

    fn measure(
        &mut self,
        delivery: &Delivery,
        echo: Option<u32>,
        now: Instant,
    ) -> (Option<Duration>, Option<RateSample>) {
        let Some(newest) = &delivery.newest else { return (None, None) };
        // A retransmitted segment gives no sample (Karn).
        let rtt = newest.was_sent_once().then(|| now.since(newest.xmit_ts));
        let has_sample = if let Some(sample) = rtt {
            self.rtt.sample(sample);
            true
        } else if let Some(sample) = echo.and_then(|echo| timestamps::since(echo, now)) {
            // The echo tells which transmission was acknowledged (RFC 7323 §4). It is coarse, and
            // the receiver may have held the segment in a hole: it is good for the RTO only.
            self.rtt.sample_echo(sample);
            true
        } else {
            false
        };
        if has_sample {
            // Only a sample ends the backoff (RFC 6298 §5): else a path that is slower than the RTO
            // would never give one.
            self.timers.backoff = 0;
        }
        (rtt, self.scoreboard.sample(newest, now))
    }

    /// TLP_process_ack(): evaluates the acknowledgment of a tail loss probe. A probe that
    /// retransmitted data hides its loss, unless a DSACK shows that it was spurious. An
    /// acknowledgment of exactly TLP.end_seq may be of the original transmission; only a later one
    /// shows that the original was lost (RFC 8985 §7.4.2).
    fn process_tlp_ack(&mut self, acknowledged: u32, is_spurious: bool, now: Instant) {
        let Some((end_seq, is_retrans)) = self.tail_loss_probe else { return };
        let is_over =
            if is_retrans { before(end_seq, acknowledged) } else { !before(acknowledged, end_seq) };
        if is_spurious {
            self.tail_loss_probe = None;
        } else if is_over {
            self.tail_loss_probe = None;
            if is_retrans && self.recovery_state == RecoveryState::Open {
                self.congestion.on_congestion(now, self.pipe());
                self.congestion.on_recovered(now);
            }
        }
    }

    /// The peer echoes a congestion mark (ECE): cwnd shrinks once per round trip (RFC 3168 §6.1.2).
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
