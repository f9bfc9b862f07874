//! Which segment leaves next: lost data first, then what was written, as far as windows, Nagle and
//! pacing allow.

use core::time::Duration;

use super::Sender;
use super::recovery::RecoveryState;
use crate::limits;
use crate::platform::Instant;
use crate::stack::tcp::congestion::Controller;
use crate::stack::tcp::segment::before;

/// How far sacked of its rate a sender may be: a timer of an operating system is not finer.
const AHEAD: Duration = Duration::from_millis(1);

/// A segment that leaves now.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Plan {
    pub(crate) sequence: u32,
    /// Bytes of data.
    pub(crate) length: u32,
    pub(crate) fin: bool,
    /// Nothing that was written waits behind it.
    pub(crate) push: bool,
    /// It left before.
    pub(crate) is_retransmission: bool,
    /// It tells the peer that the window shrank after its echo of a mark (CWR).
    pub(crate) has_cwr: bool,
}

impl Sender {
    /// The next segment that may leave now. [`sent`](Self::sent) must follow if it does.
    pub(crate) fn plan(&mut self, now: Instant) -> Option<Plan> {
        if core::mem::take(&mut self.timers.must_send_probe) {
            return self.plan_probe();
        }
        if !self.may_leave(now) {
            return None;
        }
        if let Some(place) = self.scoreboard.next_lost() {
            return self.plan_retransmission(place);
        }
        self.plan_new(now)
    }

    /// What is taken for lost leaves before anything new.
    fn plan_retransmission(&mut self, place: usize) -> Option<Plan> {
        self.cut(place);
        let sent = self.scoreboard.get(place)?;
        let pipe = self.pipe();
        if pipe > 0 && pipe + sent.length() > self.cwnd() {
            return None;
        }
        let (first, end) = (sent.seq, sent.end_seq);
        Some(self.again(first, end))
    }

    /// Cuts what is longer than a segment may be now.
    fn cut(&mut self, place: usize) {
        let fin = self.fin_end();
        if self.scoreboard.get(place).is_some_and(|sent| sent.is_longer_than(self.mss, fin)) {
            self.scoreboard.split(place, self.mss);
        }
    }

    /// After our FIN, if it is under way: it takes a number, but no room.
    pub(super) fn fin_end(&self) -> Option<u32> {
        self.is_fin_under_way().then_some(self.snd_nxt)
    }

    /// True when our FIN was sent and is not acknowledged.
    pub(super) fn is_fin_under_way(&self) -> bool {
        self.is_ending && !self.fin_acknowledged && before(self.data_end(), self.snd_nxt)
    }

    fn again(&self, first: u32, end: u32) -> Plan {
        let fin = self.is_fin_under_way() && end == self.snd_nxt;
        Plan {
            sequence: first,
            length: end.wrapping_sub(first) - u32::from(fin),
            fin,
            push: end == self.snd_nxt,
            is_retransmission: true,
            has_cwr: false,
        }
    }

    fn plan_new(&mut self, now: Instant) -> Option<Plan> {
        let (unsent, must_send_fin) = (self.unsent(), self.must_send_fin());
        if unsent == 0 && !must_send_fin {
            if self.pipe() < self.cwnd() {
                self.scoreboard.limited_by_application();
            }
            return None;
        }
        if self.scoreboard.len() >= limits::TCP_SCOREBOARD {
            return None;
        }
        self.restart(now);
        let room = self.usable_window();
        let full = unsent.min(self.mss);
        let length = full.min(room);
        if length < full && !self.avoids_silly_window(length) {
            if self.scoreboard.is_empty() {
                self.persist(now);
            }
            return None;
        }
        let is_last = length == unsent;
        if length < self.mss && !(is_last && must_send_fin) && self.must_nagle() {
            return None;
        }
        let pipe = self.pipe();
        if pipe > 0 && pipe + length > self.cwnd() {
            return None;
        }
        let has_cwr = length > 0 && core::mem::take(&mut self.must_send_cwr);
        Some(Plan {
            sequence: self.snd_nxt,
            length,
            fin: is_last && must_send_fin,
            push: is_last,
            is_retransmission: false,
            has_cwr,
        })
    }

    /// Less than a full segment leaves only into half of the largest window that the peer ever had
    /// (RFC 9293 §3.8.6.2.1), or after a wait.
    fn avoids_silly_window(&mut self, length: u32) -> bool {
        length > 0
            && (length >= self.send_window.max_snd_wnd / 2
                || core::mem::take(&mut self.timers.must_override_sws))
    }

    /// Nagle's rule as Minshall put it: one small segment under way at a time.
    fn must_nagle(&self) -> bool {
        !self.no_delay && before(self.snd_una, self.small_segment_end)
    }

    /// Asks about the tail: with new data if there is any, else by repeating the end (RFC 8985
    /// §7.3). Of new data two full segments where the RFC has one: with Linux at the other end that
    /// took a stall of 40 ms away, and 250 became 450 Mbit/s at 1 % loss.
    fn plan_probe(&mut self) -> Option<Plan> {
        let unsent = self.unsent();
        let length = unsent.min(self.mss).min(self.usable_window());
        if self.probe.is_some() && length < self.mss {
            return None;
        }
        self.counters.tail_probes += 1;
        if length > 0 {
            // One full segment alone is acknowledged after the peer's delay, a second one at once.
            self.timers.must_send_probe = self.probe.is_none() && unsent >= 2 * self.mss;
            self.probe = Some((self.snd_nxt.wrapping_add(length), false));
            let (sequence, push) = (self.snd_nxt, length == unsent);
            return Some(Plan {
                sequence,
                length,
                fin: false,
                push,
                is_retransmission: false,
                has_cwr: false,
            });
        }
        let last = self.scoreboard.last_missing()?;
        self.cut(last);
        let sent = self.scoreboard.get(self.scoreboard.last_missing()?)?;
        self.probe = Some((sent.end_seq, true));
        Some(self.again(sent.seq, sent.end_seq))
    }

    /// The planned segment left.
    pub(crate) fn sent(&mut self, plan: &Plan, now: Instant) {
        let count = plan.length + u32::from(plan.fin);
        let end = plan.sequence.wrapping_add(count);
        self.counters.sent += u64::from(plan.length);
        if plan.is_retransmission {
            self.counters.bytes_retransmitted += u64::from(plan.length);
            self.counters.retransmissions += 1;
            let place = self.scoreboard.place(plan.sequence);
            self.scoreboard.resend(place, now);
            self.undo.retransmitted();
        } else {
            self.scoreboard.push(plan.sequence, end, now);
            self.snd_nxt = end;
            if plan.length < self.mss {
                self.small_segment_end = end;
            }
        }
        self.last_sent_at = now;
        if self.recovery_state == RecoveryState::Recovery {
            self.prr.sent(count);
        }
        if self.timers.rto_at == Instant::NEVER || plan.is_retransmission {
            self.arm_retransmission(now);
        }
        if !plan.is_retransmission {
            self.arm_probe(now);
        }
        self.pace(plan.length, now);
    }

    /// True when the rate allows a segment; else the timer of the next one is set.
    fn may_leave(&mut self, now: Instant) -> bool {
        if self.paced_until <= now.after(AHEAD) {
            return true;
        }
        let has_more = self.scoreboard.lost() > 0 || before(self.snd_nxt, self.data_end());
        // A microsecond before it is too early, and a timer that is due now would spin.
        let at = Instant::from_micros(
            self.paced_until.as_micros().saturating_sub(AHEAD.as_micros() as u64),
        );
        self.timers.pace_at = if has_more { at } else { Instant::NEVER };
        false
    }

    /// Data leaves at the controller's rate. Where a round trip is as short as a timer there is
    /// nothing to spread.
    fn pace(&mut self, length: u32, now: Instant) {
        if self.rtt.srtt() < AHEAD {
            return;
        }
        let rate = self.congestion.pacing_rate(self.rtt.srtt()).max(1);
        let micros = u64::from(length) * 1_000_000 / rate;
        let from = self.paced_until.max(now);
        self.paced_until = from.after(Duration::from_micros(micros));
    }
}
