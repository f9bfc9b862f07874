//! Which segment leaves next: lost data first, then what was written, as far as windows, Nagle and
//! pacing allow.

use core::time::Duration;

use super::Sender;
use super::recovery::Phase;
use crate::limits;
use crate::platform::Instant;
use crate::stack::tcp::congestion::Controller;
use crate::stack::tcp::segment::before;

/// How far ahead of its rate a sender may be: a timer of an operating system is not finer.
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
    pub(crate) is_again: bool,
    /// It tells the peer that the window shrank after its echo of a mark (CWR).
    pub(crate) is_reduced: bool,
}

impl Sender {
    /// The next segment that may leave now. [`left`](Self::left) must follow if it does.
    pub(crate) fn plan(&mut self, now: Instant) -> Option<Plan> {
        if core::mem::take(&mut self.timers.must_probe) {
            return self.plan_probe();
        }
        if !self.may_leave(now) {
            return None;
        }
        if let Some(place) = self.flight.next_lost() {
            return self.plan_repetition(place);
        }
        self.plan_new(now)
    }

    /// What is taken for lost leaves before anything new.
    fn plan_repetition(&mut self, place: usize) -> Option<Plan> {
        self.cut(place);
        let sent = self.flight.get(place)?;
        let pipe = self.pipe();
        if pipe > 0 && pipe + sent.length() > self.congestion_window() {
            return None;
        }
        let (first, end) = (sent.first, sent.end);
        Some(self.again(first, end))
    }

    /// Cuts what is longer than a segment may be now.
    fn cut(&mut self, place: usize) {
        let fin = self.fin_end();
        if self.flight.get(place).is_some_and(|sent| sent.is_longer_than(self.segment, fin)) {
            self.flight.split(place, self.segment);
        }
    }

    /// After our FIN, if it is under way: it takes a number, but no room.
    pub(super) fn fin_end(&self) -> Option<u32> {
        self.is_fin_under_way().then_some(self.next)
    }

    /// True when our FIN was sent and is not acknowledged.
    pub(super) fn is_fin_under_way(&self) -> bool {
        self.is_ending && !self.is_ended && before(self.data_end(), self.next)
    }

    fn again(&self, first: u32, end: u32) -> Plan {
        let fin = self.is_fin_under_way() && end == self.next;
        Plan {
            sequence: first,
            length: end.wrapping_sub(first) - u32::from(fin),
            fin,
            push: end == self.next,
            is_again: true,
            is_reduced: false,
        }
    }

    fn plan_new(&mut self, now: Instant) -> Option<Plan> {
        let (waiting, wants_end) = (self.waiting(), self.wants_end());
        if waiting == 0 && !wants_end {
            if self.pipe() < self.congestion_window() {
                self.flight.limited_by_application();
            }
            return None;
        }
        if self.flight.len() >= limits::TCP_FLIGHT {
            return None;
        }
        self.restart(now);
        let room = self.peer_room();
        let full = waiting.min(self.segment);
        let length = full.min(room);
        if length < full && !self.is_worth_it(length) {
            if self.flight.is_empty() {
                self.persist(now);
            }
            return None;
        }
        let is_last = length == waiting;
        if length < self.segment && !(is_last && wants_end) && self.must_wait() {
            return None;
        }
        let pipe = self.pipe();
        if pipe > 0 && pipe + length > self.congestion_window() {
            return None;
        }
        let is_reduced = length > 0 && core::mem::take(&mut self.must_tell_reduction);
        Some(Plan {
            sequence: self.next,
            length,
            fin: is_last && wants_end,
            push: is_last,
            is_again: false,
            is_reduced,
        })
    }

    /// Less than a full segment leaves only into half of the largest window that the peer ever had
    /// (RFC 9293 §3.8.6.2.1), or after a wait.
    fn is_worth_it(&mut self, length: u32) -> bool {
        length > 0
            && (length >= self.allowance.largest / 2
                || core::mem::take(&mut self.timers.must_dribble))
    }

    /// Nagle's rule as Minshall put it: one small segment under way at a time.
    fn must_wait(&self) -> bool {
        !self.no_delay && before(self.unacknowledged, self.small_end)
    }

    /// Asks about the tail: with new data if there is any, else by repeating the end (RFC 8985
    /// §7.3). Of new data two full segments where the RFC has one: with Linux at the other end that
    /// took a stall of 40 ms away, and 250 became 450 Mbit/s at 1 % loss.
    fn plan_probe(&mut self) -> Option<Plan> {
        let waiting = self.waiting();
        let length = waiting.min(self.segment).min(self.peer_room());
        if self.probe.is_some() && length < self.segment {
            return None;
        }
        self.counts.tail_probes += 1;
        if length > 0 {
            // One full segment alone is acknowledged after the peer's delay, a second one at once.
            self.timers.must_probe = self.probe.is_none() && waiting >= 2 * self.segment;
            self.probe = Some((self.next.wrapping_add(length), false));
            let (sequence, push) = (self.next, length == waiting);
            return Some(Plan {
                sequence,
                length,
                fin: false,
                push,
                is_again: false,
                is_reduced: false,
            });
        }
        let last = self.flight.last_missing()?;
        self.cut(last);
        let sent = self.flight.get(self.flight.last_missing()?)?;
        self.probe = Some((sent.end, true));
        Some(self.again(sent.first, sent.end))
    }

    /// The planned segment left.
    pub(crate) fn left(&mut self, plan: &Plan, now: Instant) {
        let count = plan.length + u32::from(plan.fin);
        let end = plan.sequence.wrapping_add(count);
        self.counts.sent += u64::from(plan.length);
        if plan.is_again {
            self.counts.sent_again += u64::from(plan.length);
            self.counts.retransmissions += 1;
            let place = self.flight.place(plan.sequence);
            self.flight.resend(place, now);
            self.undo.repeated();
        } else {
            self.flight.push(plan.sequence, end, now);
            self.next = end;
            if plan.length < self.segment {
                self.small_end = end;
            }
        }
        self.last_left = now;
        if self.phase == Phase::Recovery {
            self.reduction.left(count);
        }
        if self.timers.retransmission_at == Instant::NEVER || plan.is_again {
            self.arm_retransmission(now);
        }
        if !plan.is_again {
            self.arm_probe(now);
        }
        self.pace(plan.length, now);
    }

    /// True when the rate allows a segment; else the timer of the next one is set.
    fn may_leave(&mut self, now: Instant) -> bool {
        if self.paced_until <= now.after(AHEAD) {
            return true;
        }
        let has_more = self.flight.lost() > 0 || before(self.next, self.data_end());
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
        if self.round_trip.smoothed() < AHEAD {
            return;
        }
        let rate = self.congestion.pacing_rate(self.round_trip.smoothed()).max(1);
        let micros = u64::from(length) * 1_000_000 / rate;
        let from = self.paced_until.max(now);
        self.paced_until = from.after(Duration::from_micros(micros));
    }
}
