//! A name that this host claims, and how far it is: probing, announcing, ours (RFC 6762 §8, §9).

use alloc::format;
use alloc::string::String;
use core::time::Duration;

use super::settings::base_type;
use crate::command::escape::escape;
use crate::command::mdns::{ClaimState, LocalService};
use crate::platform::Instant;
use crate::stack::random::Random;

/// The domain of all names here (RFC 6762 §3).
pub(crate) const DOMAIN: &str = "local";
/// Bytes of a label (RFC 1035 §2.3.4).
const LABEL_BYTES: usize = 63;
/// Probes, and the time between them (RFC 6762 §8.1).
pub(super) const PROBES: u8 = 3;
const PROBE_INTERVAL: Duration = Duration::from_millis(250);
/// Announcements, and the time between them (RFC 6762 §8.3).
const ANNOUNCEMENTS: u8 = 2;
const ANNOUNCE_INTERVAL: Duration = Duration::from_secs(1);
/// So many conflicts within this time make probes slower (RFC 6762 §8.1).
const MANY_CONFLICTS: u8 = 15;
const CONFLICT_WINDOW: Duration = Duration::from_secs(10);
const SLOW_PROBE: Duration = Duration::from_secs(5);

/// How far a claim is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Phase {
    /// There is no link or no address.
    Waiting,
    /// So many probes were sent; the next step is due then.
    Probing { sent: u8, next: Instant },
    /// So many announcements were sent; the next is due then.
    Announcing { sent: u8, next: Instant },
    /// It is ours.
    Established,
}

/// What is due of a claim.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Step {
    Nothing,
    Probe,
    /// The first announcement: the name is ours from now on.
    Claim,
    Announce,
}

/// When to probe first: by chance within a quarter of a second, for hosts that start at once.
pub(super) fn first_probe(now: Instant, random: &mut Random) -> Instant {
    now.after(Duration::from_millis(u64::from(random.below(250))))
}

/// A name that this host claims.
#[derive(Debug)]
pub(super) struct Claim {
    /// The label as it was asked for.
    label: String,
    /// None for the host.
    pub(super) service: Option<LocalService>,
    /// Which of the names it is: the label, the label with 2, with 3.
    number: u32,
    pub(super) phase: Phase,
    /// Conflicts in the present window, and its begin.
    conflicts: (u8, Instant),
}

impl Claim {
    pub(super) fn new(label: &str, service: Option<LocalService>) -> Self {
        let label = String::from(label);
        Self { label, service, number: 1, phase: Phase::Waiting, conflicts: (0, Instant::ZERO) }
    }

    /// True when both were asked for under the same name.
    pub(super) fn is_of(&self, other: &Self) -> bool {
        self.label == other.label && self.service_type() == other.service_type()
    }

    /// The type of the service without subtypes; none of the host.
    fn service_type(&self) -> Option<&str> {
        self.service.as_ref().map(|one| base_type(&one.service_type))
    }

    /// The label on the link: of a host `name-2`, of a service `name (2)` (RFC 6763 appendix D).
    pub(super) fn shown(&self) -> String {
        let ending = match (&self.service, self.number) {
            (_, 1) => return self.label.clone(),
            (None, number) => format!("-{number}"),
            (Some(_), number) => format!(" ({number})"),
        };
        let mut most = LABEL_BYTES.saturating_sub(ending.len()).min(self.label.len());
        while !self.label.is_char_boundary(most) {
            most -= 1;
        }
        format!("{}{ending}", self.label.get(..most).unwrap_or_default())
    }

    /// The name on the link, escaped.
    pub(super) fn name(&self) -> String {
        let label = escape(self.shown().as_bytes());
        match &self.service {
            None => format!("{label}.{DOMAIN}"),
            Some(service) => format!("{label}.{}.{DOMAIN}", base_type(&service.service_type)),
        }
    }

    pub(super) const fn state(&self) -> ClaimState {
        match self.phase {
            Phase::Waiting => ClaimState::Waiting,
            Phase::Probing { .. } => ClaimState::Probing,
            Phase::Announcing { .. } | Phase::Established => ClaimState::Announced,
        }
    }

    /// True when questions about it are answered.
    pub(super) const fn is_ours(&self) -> bool {
        matches!(self.phase, Phase::Announcing { .. } | Phase::Established)
    }

    pub(super) const fn is_probing(&self) -> bool {
        matches!(self.phase, Phase::Probing { .. })
    }

    pub(super) const fn deadline(&self) -> Option<Instant> {
        match self.phase {
            Phase::Probing { next, .. } | Phase::Announcing { next, .. } => Some(next),
            Phase::Waiting | Phase::Established => None,
        }
    }

    /// Probes it from then on.
    pub(super) const fn probe(&mut self, first: Instant) {
        self.phase = Phase::Probing { sent: 0, next: first };
    }

    pub(super) const fn announce(&mut self, now: Instant) {
        self.phase = Phase::Announcing { sent: 0, next: now };
    }

    /// Another host is about to claim the name with more right: it has a second (RFC 6762 §8.2).
    pub(super) fn defer(&mut self, now: Instant) {
        self.probe(now.after(Duration::from_secs(1)));
    }

    /// Another host has the name. One that was ours is probed again; one that is probed gets
    /// another number. Returns true if the name changed.
    pub(super) fn conflict(&mut self, now: Instant, random: &mut Random) -> bool {
        let (count, begin) = self.conflicts;
        let is_within = count > 0 && now.since(begin) < CONFLICT_WINDOW;
        self.conflicts = if is_within { (count.saturating_add(1), begin) } else { (1, now) };
        let is_renamed = self.is_probing();
        if is_renamed {
            self.number = self.number.saturating_add(1);
        }
        let is_slow = self.conflicts.0 >= MANY_CONFLICTS;
        self.probe(if is_slow { now.after(SLOW_PROBE) } else { first_probe(now, random) });
        is_renamed
    }

    /// Takes the step that is due.
    pub(super) fn step(&mut self, now: Instant) -> Step {
        match self.phase {
            Phase::Probing { sent, next } if next <= now && sent < PROBES => {
                self.phase = Phase::Probing { sent: sent + 1, next: now.after(PROBE_INTERVAL) };
                Step::Probe
            }
            Phase::Probing { next, .. } if next <= now => {
                self.phase = Phase::Announcing { sent: 1, next: now.after(ANNOUNCE_INTERVAL) };
                Step::Claim
            }
            Phase::Announcing { sent, next } if next <= now => {
                self.phase = match sent + 1 {
                    ANNOUNCEMENTS.. => Phase::Established,
                    sent => Phase::Announcing { sent, next: now.after(ANNOUNCE_INTERVAL) },
                };
                Step::Announce
            }
            _ => Step::Nothing,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stack::context::tests::ethernet;

    fn service(instance: &str) -> Claim {
        let service = LocalService {
            instance: instance.into(),
            service_type: "_http._tcp".into(),
            port: 80,
            text: alloc::vec![],
        };
        Claim::new(instance, Some(service))
    }

    #[test]
    fn names_get_numbers_and_stay_labels() {
        let mut cx = ethernet();
        let mut host = Claim::new("printer", None);
        assert_eq!(host.name(), "printer.local");
        // The first conflict of a name that is ours makes it a probe again.
        host.phase = Phase::Established;
        assert!(!host.conflict(cx.now, &mut cx.random) && host.is_probing());
        assert!(host.conflict(cx.now, &mut cx.random));
        assert_eq!(host.name(), "printer-2.local");
        let mut long = service(&"ä".repeat(31));
        long.probe(cx.now);
        assert!(long.conflict(cx.now, &mut cx.random));
        assert_eq!(long.shown(), "ä".repeat(29) + " (2)");
        assert!(long.name().ends_with("\\164\\032(2)._http._tcp.local"));
    }

    #[test]
    fn three_probes_and_two_announcements_make_a_name_ours() {
        let cx = ethernet();
        let mut claim = service("page");
        claim.probe(cx.now);
        let mut steps = alloc::vec![];
        while let Some(next) = claim.deadline() {
            assert_eq!(claim.step(Instant::from_micros(next.as_micros() - 1)), Step::Nothing);
            steps.push(claim.step(next));
        }
        use Step::{Announce, Claim, Probe};
        assert_eq!(steps, [Probe, Probe, Probe, Claim, Announce]);
        assert_eq!(claim.phase, Phase::Established);
    }

    #[test]
    fn a_host_that_takes_every_name_slows_the_probes() {
        let mut cx = ethernet();
        let mut claim = service("page");
        claim.probe(cx.now);
        for _ in 1..MANY_CONFLICTS {
            claim.conflict(cx.now, &mut cx.random);
            assert!(claim.deadline().unwrap().since(cx.now) < PROBE_INTERVAL);
        }
        claim.conflict(cx.now, &mut cx.random);
        assert_eq!(claim.deadline(), Some(cx.now.after(SLOW_PROBE)));
        let later = cx.now.after(CONFLICT_WINDOW);
        claim.conflict(later, &mut cx.random);
        assert!(claim.deadline().unwrap().since(later) < PROBE_INTERVAL);
    }
}
