//! A small simulation for the tests of the controllers: a sender, a bottleneck and a receiver with
//! virtual time and counted data.
//!
//! The next acknowledgment reveals a loss, as with a perfect scoreboard.

use alloc::collections::VecDeque;
use core::time::Duration;

use super::{Acknowledgment, Controller, RateSample};
use crate::platform::Instant;

pub(super) const MSS: u32 = 1_448;

/// An acknowledgment for a cwnd-limited sender.
pub(super) fn acknowledgment(now: Instant, delivered: u32, round_trip: Duration) -> Acknowledgment {
    Acknowledgment {
        now,
        delivered,
        in_flight_before: delivered,
        in_flight: 0,
        rtt: Some(round_trip),
        srtt: round_trip,
        min_rtt: round_trip,
        is_round: false,
        is_window_limited: true,
        is_recovering: false,
        rate: None,
        lost: 0,
    }
}

/// Acknowledges one window segment by segment; returns the time when it is done.
pub(super) fn round(
    controller: &mut impl Controller,
    now: Instant,
    round_trip: Duration,
) -> Instant {
    let window = controller.cwnd();
    let mut left = window;
    while left > 0 {
        let delivered = left.min(MSS);
        left -= delivered;
        let share = u128::from(window - left) * round_trip.as_micros() / u128::from(window);
        let at = now.after(Duration::from_micros(share as u64));
        let mut acknowledgment = acknowledgment(at, delivered, round_trip);
        acknowledgment.is_round = left == 0;
        controller.on_ack(&acknowledgment);
    }
    now.after(round_trip)
}

/// The path.
#[derive(Clone, Copy, Debug)]
pub(super) struct Link {
    /// Bytes per second.
    rate: u64,
    round_trip: Duration,
    /// The longest queue in bytes.
    queue: u64,
    /// Segments of 1,000 that are lost at random.
    pub(super) loss: u64,
    /// The link loses everything.
    pub(super) is_broken: bool,
}

impl Link {
    /// A link with a queue of one BDP.
    pub(super) fn new(rate: u64, round_trip: Duration) -> Self {
        Self::with_queue(
            rate,
            round_trip,
            (rate * round_trip.as_micros() as u64 / 1_000_000).max(64_000),
        )
    }

    pub(super) fn with_queue(rate: u64, round_trip: Duration, queue: u64) -> Self {
        Self { rate, round_trip, queue, loss: 0, is_broken: false }
    }

    /// Nanoseconds to transmit this many bytes.
    fn time(&self, bytes: u64) -> u64 {
        bytes * 1_000_000_000 / self.rate
    }

    /// The BDP: bytes in flight when the link is busy and its queue empty.
    pub(super) fn bdp(&self) -> u32 {
        (self.rate * self.round_trip.as_micros() as u64 / 1_000_000) as u32
    }
}

/// A segment in flight.
#[derive(Debug)]
struct Packet {
    number: u64,
    sent: Instant,
    /// When its acknowledgment arrives; `None` when it is lost.
    returns: Option<Instant>,
    /// Bytes delivered when it was sent, and the time.
    delivered: u64,
    delivered_at: Instant,
}

/// The result of a run.
#[derive(Debug, Default)]
pub(super) struct Outcome {
    /// Delivered bytes in percent of the link's capacity.
    pub(super) percent: u64,
    pub(super) sent: u64,
    pub(super) lost: u64,
    pub(super) reductions: u64,
    pub(super) timeouts: u64,
    /// The most bytes in flight.
    pub(super) peak: u32,
}

/// A transfer without end.
pub(super) struct Transfer<C> {
    pub(super) controller: C,
    pub(super) link: Link,
    now: Instant,
    packets: VecDeque<Packet>,
    next: u64,
    delivered: u64,
    delivered_at: Instant,
    /// When the link has transmitted its queue, and when the next segment may leave. In
    /// nanoseconds, because a fast link transmits a segment in a few microseconds.
    busy_until: u64,
    pace_at: u64,
    smoothed: Duration,
    round_ends: u64,
    recover: Option<u64>,
    progress: Instant,
    backoff: u32,
    chance: u64,
    outcome: Outcome,
}

impl<C: Controller> Transfer<C> {
    pub(super) fn new(controller: C, link: Link) -> Self {
        Self {
            controller,
            link,
            now: Instant::ZERO,
            packets: VecDeque::new(),
            next: 0,
            delivered: 0,
            delivered_at: Instant::ZERO,
            busy_until: 0,
            pace_at: 0,
            smoothed: Duration::ZERO,
            round_ends: 0,
            recover: None,
            progress: Instant::ZERO,
            backoff: 0,
            chance: 1,
            outcome: Outcome::default(),
        }
    }

    fn in_flight(&self) -> u32 {
        self.packets.len() as u32 * MSS
    }

    /// Runs the simulation for a time.
    pub(super) fn run(&mut self, span: Duration) -> Outcome {
        let end = self.now.after(span);
        let before = self.delivered;
        self.outcome = Outcome::default();
        loop {
            let returns =
                self.packets.iter().find_map(|packet| packet.returns).unwrap_or(Instant::NEVER);
            let may_send =
                self.packets.is_empty() || self.in_flight() + MSS <= self.controller.cwnd();
            let sends = if may_send {
                Instant::from_micros(self.pace_at / 1_000).max(self.now)
            } else {
                Instant::NEVER
            };
            let timeout = (self.smoothed + Duration::from_millis(200)) * (1 << self.backoff);
            let expires =
                if self.packets.is_empty() { Instant::NEVER } else { self.progress.after(timeout) };
            let next = returns.min(sends).min(expires);
            if next > end {
                break;
            }
            self.now = next;
            if next == returns {
                self.receive();
            } else if next == sends {
                self.send();
            } else {
                self.expire();
            }
            self.outcome.peak = self.outcome.peak.max(self.in_flight());
        }
        self.now = end;
        let possible = u128::from(self.link.rate) * span.as_micros() / 1_000_000;
        self.outcome.percent = (u128::from(self.delivered - before) * 100 / possible) as u64;
        core::mem::take(&mut self.outcome)
    }

    fn send(&mut self) {
        if self.packets.is_empty() {
            self.progress = self.now;
            self.delivered_at = self.now;
        }
        let now = self.now.as_micros() * 1_000;
        let waiting = self.busy_until.saturating_sub(now);
        self.chance = self
            .chance
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        let is_lost = self.link.is_broken
            || (self.chance >> 33) % 1_000 < self.link.loss
            || waiting > self.link.time(self.link.queue);
        let returns = (!is_lost).then(|| {
            self.busy_until = self.busy_until.max(now) + self.link.time(u64::from(MSS));
            Instant::from_micros(self.busy_until.div_ceil(1_000)).after(self.link.round_trip)
        });
        self.packets.push_back(Packet {
            number: self.next,
            sent: self.now,
            returns,
            delivered: self.delivered,
            delivered_at: self.delivered_at,
        });
        self.next += 1;
        self.outcome.sent += 1;
        let rate = self.controller.pacing_rate(self.smoothed);
        let interval = u128::from(MSS) * 1_000_000_000 / u128::from(rate);
        self.pace_at = self.pace_at.max(now) + interval as u64;
    }

    fn receive(&mut self) {
        let in_flight_before = self.in_flight();
        let mut lost = 0;
        let packet = loop {
            let packet = self.packets.pop_front().unwrap();
            if packet.returns.is_some() {
                break packet;
            }
            lost += 1;
        };
        self.delivered += u64::from(MSS);
        (self.delivered_at, self.progress, self.backoff) = (self.now, self.now, 0);
        let round_trip = self.now.since(packet.sent);
        self.smoothed =
            if self.smoothed.is_zero() { round_trip } else { (self.smoothed * 7 + round_trip) / 8 };
        let is_round = packet.delivered >= self.round_ends;
        if is_round {
            self.round_ends = self.delivered;
        }
        self.outcome.lost += lost;
        if lost > 0 && self.recover.is_none_or(|recover| packet.number > recover) {
            self.outcome.reductions += 1;
            self.recover = Some(self.next);
            self.controller.on_congestion(self.now, in_flight_before);
        }
        let window = self.controller.cwnd();
        let acknowledgment = Acknowledgment {
            in_flight_before,
            in_flight: self.in_flight(),
            min_rtt: self.link.round_trip,
            srtt: self.smoothed,
            is_round,
            is_window_limited: in_flight_before + 4 * MSS >= window
                || (window < self.controller.ssthresh() && in_flight_before >= window / 2),
            is_recovering: self.recover.is_some(),
            rate: Some(RateSample {
                delivered: (self.delivered - packet.delivered) as u32,
                interval: self.now.since(packet.delivered_at),
                is_application_limited: false,
            }),
            lost: lost as u32 * MSS,
            ..acknowledgment(self.now, MSS, round_trip)
        };
        self.controller.on_ack(&acknowledgment);
        if self.recover.is_some_and(|recover| packet.number >= recover) {
            self.recover = None;
            self.controller.on_recovered(self.now);
        }
    }

    fn expire(&mut self) {
        self.outcome.timeouts += 1;
        self.controller.on_timeout(self.now, self.in_flight());
        // Each retransmission counts as one more segment.
        let repair = self.next + self.packets.len() as u64;
        self.recover = Some(self.recover.map_or(repair, |recover| recover.max(repair)));
        self.outcome.lost += self.packets.len() as u64;
        self.packets.clear();
        self.backoff = (self.backoff + 1).min(6);
        self.pace_at = 0;
    }
}
