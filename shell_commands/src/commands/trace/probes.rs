//! The probes of a trace: which is next, what became of each, and which lines are complete.
//!
//! Hops are asked at once, some ahead of the one that is shown, as traceroute 2.1 does. A hop that
//! does not answer is not waited for longer than others need (`HERE` and `NEAR` times as long).

use std::net::IpAddr;
use std::time::Duration;

use devnet_network::platform::Instant;

use crate::render::traceroute::{Outcome, Reply};

/// How many times as long as another probe of its hop, or of a later hop, one is waited for.
const HERE: u32 = 3;
const NEAR: u32 = 10;
/// The least time that is waited for a probe.
const SOON: Duration = Duration::from_millis(50);
/// Probes that are on their way at once.
const AT_ONCE: usize = 16;

/// What becomes of a probe.
#[derive(Clone, Debug)]
enum Probe {
    Sent(Instant),
    Over(Outcome),
}

/// All probes, by their number: `count` for each hop.
pub(super) struct Probes {
    first: u8,
    last: u8,
    count: usize,
    wait: Duration,
    probes: Vec<Probe>,
    /// Hops that are shown.
    shown: usize,
}

impl Probes {
    /// `count` probes for each hop from `first` to `last`; none is waited for longer than `wait`.
    pub(super) const fn new(first: u8, last: u8, count: usize, wait: Duration) -> Self {
        Self { first, last, count, wait, probes: Vec::new(), shown: 0 }
    }

    fn hops(&self) -> usize {
        usize::from(self.last.saturating_sub(self.first)) + 1
    }

    /// The number and the hop limit of the next probe, if one can be sent now.
    pub(super) fn next(&self) -> Option<(usize, u8)> {
        let number = self.probes.len();
        let hop = number / self.count;
        let waiting = self.probes.iter().filter(|probe| matches!(probe, Probe::Sent(_))).count();
        let may = hop < self.hops() && waiting < AT_ONCE;
        may.then(|| (number, self.first.saturating_add(u8::try_from(hop).unwrap_or(u8::MAX))))
    }

    /// The next probe is on its way.
    pub(super) fn sent(&mut self, now: Instant) {
        self.probes.push(Probe::Sent(now));
    }

    /// The next probe cannot be sent.
    pub(super) fn refused(&mut self, outcome: Outcome) {
        self.probes.push(Probe::Over(outcome));
    }

    /// Somebody answered a probe; `is_end` if nothing is behind it.
    pub(super) fn answered(
        &mut self,
        number: usize,
        from: IpAddr,
        mark: Option<String>,
        is_end: bool,
        now: Instant,
    ) {
        let Some(Probe::Sent(at)) = self.probes.get(number).cloned() else { return };
        if let Some(probe) = self.probes.get_mut(number) {
            let reply = Reply { from, time: now.since(at), mark };
            *probe = Probe::Over(Outcome::Reply(reply));
        }
        if is_end {
            let hop = u8::try_from(number / self.count).unwrap_or(u8::MAX);
            self.last = self.last.min(self.first.saturating_add(hop));
            self.probes.truncate(self.hops() * self.count);
        }
    }

    /// Until when a probe is waited for.
    fn deadline(&self, number: usize, at: Instant) -> Instant {
        let time = |probe: &Probe| match probe {
            Probe::Over(Outcome::Reply(reply)) => Some(reply.time),
            _ => None,
        };
        let start = number / self.count * self.count;
        let here = self.probes.iter().skip(start).take(self.count).filter_map(time).max();
        let near = || self.probes.iter().skip(start + self.count).find_map(time);
        let wait = match here {
            Some(time) => time.saturating_mul(HERE).max(SOON),
            None => near().map_or(self.wait, |time| time.saturating_mul(NEAR).max(SOON)),
        };
        at.after(wait.min(self.wait))
    }

    /// Gives up those that were waited for; returns when the next one is, if any is on its way.
    pub(super) fn expire(&mut self, now: Instant) -> Option<Instant> {
        let mut next = None;
        for number in 0..self.probes.len() {
            let Some(Probe::Sent(at)) = self.probes.get(number).cloned() else { continue };
            let deadline = self.deadline(number, at);
            if deadline <= now {
                if let Some(probe) = self.probes.get_mut(number) {
                    *probe = Probe::Over(Outcome::Lost);
                }
            } else {
                next = Some(next.map_or(deadline, |next: Instant| next.min(deadline)));
            }
        }
        next
    }

    /// The next hop that is complete and not shown yet, with what became of its probes.
    pub(super) fn take_line(&mut self) -> Option<(u8, Vec<Outcome>)> {
        let start = self.shown * self.count;
        let of_hop = self.probes.get(start..start + self.count)?;
        let over: Option<Vec<_>> = of_hop
            .iter()
            .map(|probe| match probe {
                Probe::Over(outcome) => Some(outcome.clone()),
                Probe::Sent(_) => None,
            })
            .collect();
        let hop = self.first.saturating_add(u8::try_from(self.shown).unwrap_or(u8::MAX));
        let line = (hop, over?);
        self.shown += 1;
        Some(line)
    }

    /// Every hop is shown.
    pub(super) fn is_over(&self) -> bool {
        self.shown >= self.hops()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WAIT: Duration = Duration::from_secs(5);

    fn at(millis: u64) -> Instant {
        Instant::from_micros(millis * 1000)
    }

    fn router(last: u8) -> IpAddr {
        IpAddr::from([10, 0, 0, last])
    }

    #[test]
    fn hops_are_asked_ahead_and_shown_in_order() {
        let mut probes = Probes::new(1, 30, 3, WAIT);
        let mut asked = Vec::new();
        while let Some((_, hop)) = probes.next() {
            asked.push(hop);
            probes.sent(at(0));
        }
        assert_eq!(asked, [1, 1, 1, 2, 2, 2, 3, 3, 3, 4, 4, 4, 5, 5, 5, 6]);
        // The third hop is the end; the second answers before the first.
        for number in [6, 7, 8] {
            probes.answered(number, router(3), None, true, at(3));
        }
        assert_eq!(probes.next(), None, "nothing is behind the end");
        for number in [3, 4, 5] {
            probes.answered(number, router(2), None, false, at(4));
        }
        assert!(probes.take_line().is_none());
        probes.answered(0, router(1), None, false, at(5));
        probes.answered(2, router(1), None, false, at(6));
        // One is missing: not waited for longer than others of its hop need, but for a while.
        assert_eq!(probes.expire(at(6)), Some(at(50)));
        assert_eq!(probes.expire(at(50)), None);
        let lines: Vec<_> = std::iter::from_fn(|| probes.take_line()).collect();
        assert_eq!(lines.iter().map(|(hop, _)| *hop).collect::<Vec<_>>(), [1, 2, 3]);
        assert!(matches!(lines[0].1[..], [Outcome::Reply(_), Outcome::Lost, Outcome::Reply(_)]));
        assert!(probes.is_over());
    }

    #[test]
    fn silence_ends() {
        let mut probes = Probes::new(2, 3, 1, WAIT);
        probes.sent(at(0));
        probes.sent(at(10));
        assert_eq!(probes.next(), None);
        assert_eq!(probes.expire(at(10)), Some(at(5000)));
        // A later hop answers: ten times as long as it took.
        probes.answered(1, router(9), Some("!H".into()), true, at(30));
        assert_eq!(probes.expire(at(30)), Some(at(200)));
        assert_eq!(probes.expire(at(200)), None);
        assert_eq!(probes.take_line(), Some((2, vec![Outcome::Lost])));
        let reply =
            Reply { from: router(9), time: Duration::from_millis(20), mark: Some("!H".into()) };
        assert_eq!(probes.take_line(), Some((3, vec![Outcome::Reply(reply)])));
        assert!(probes.is_over() && probes.take_line().is_none());
        // What was never asked, or answered twice, changes nothing.
        probes.answered(1, router(8), None, false, at(40));
        probes.answered(99, router(8), None, false, at(40));
    }
}
