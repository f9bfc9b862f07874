//! Which groups an interface is in, and when that has to be said again: the host's side of IGMP and
//! MLD as one pure state machine.
//!
//! IGMPv3 (RFC 3376) and MLDv2 (RFC 3810) are the same protocol, and so are IGMPv2 (RFC 2236) and
//! MLDv1 (RFC 2710); what differs is the [wire](super::igmp) [format](super::mld). Memberships take
//! every source. State is kept by group, so a group that was left is answered for no more, whatever
//! was pending (MC-09).

use alloc::collections::BTreeMap;
use alloc::vec::Vec;
use core::net::IpAddr;
use core::time::Duration;

use virtual_file_system::Error;

use crate::limits;
use crate::platform::Instant;
use crate::stack::addresses::is_node_local;

/// Times that a change is reported (RFC 3376 §8.1, RFC 3810 §9.1: the robustness variable), unless
/// the querier says otherwise.
const ROBUSTNESS: u8 = 2;
/// Between two reports of one change: IGMPv3 and MLDv2, and their predecessors (RFC 3376 §8.11, RFC
/// 2236 §8.10).
const CHANGE_INTERVAL: Duration = Duration::from_secs(1);
const OLD_CHANGE_INTERVAL: Duration = Duration::from_secs(10);
/// How long a querier of IGMPv1 is taken to be there (RFC 2236 §8.11), and one of IGMPv2 or MLDv1
/// (RFC 3376 §8.12, RFC 3810 §9.12).
const VERSION_1_PRESENT: Duration = Duration::from_secs(400);
const VERSION_2_PRESENT: Duration = Duration::from_secs(260);

/// What the querier of a link speaks. MLDv1 counts as version 2 and MLDv2 as version 3.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum Version {
    One,
    Two,
    Three,
}

/// A question of the link's querier.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Query {
    pub(crate) version: Version,
    /// The group that is asked for; none for all.
    pub(crate) group: Option<IpAddr>,
    /// The longest time until the answer.
    pub(crate) within: Duration,
    /// Times that the querier wants changes reported; 0 when it does not say.
    pub(crate) robustness: u8,
}

/// What a record of a report says (RFC 3376 §4.2.12, RFC 3810 §5.2.12).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Record {
    /// Every source is wanted: an answer.
    IsMember = 2,
    /// No source is wanted any more.
    Left = 3,
    /// Every source is wanted from now on.
    Joined = 4,
}

/// A message to send.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Report {
    /// Records of version 3.
    Records(Vec<(Record, IpAddr)>),
    /// A membership in the words of version 1 or 2.
    Member(Version, IpAddr),
    /// The end of one in the words of version 2.
    Leave(IpAddr),
}

#[derive(Debug, Default)]
struct Group {
    sockets: u32,
    /// Every station with our addresses is in it.
    is_needed: bool,
    /// Reports of the last change that are still to be sent, and when the next one is.
    changes: u8,
    change_at: Option<Instant>,
    /// When a query is answered.
    answer_at: Option<Instant>,
    /// We were the last of the link to report it (versions 1 and 2).
    is_ours: bool,
}

impl Group {
    const fn is_active(&self) -> bool {
        self.sockets > 0 || self.is_needed
    }
}

/// The groups of one family.
#[derive(Debug)]
pub(crate) struct Groups {
    groups: BTreeMap<IpAddr, Group>,
    /// Until when older queriers are taken to be there.
    version_1_until: Instant,
    version_2_until: Instant,
    robustness: u8,
    /// When a query for all groups is answered in one report.
    answer_all_at: Option<Instant>,
}

impl Default for Groups {
    fn default() -> Self {
        Self {
            groups: BTreeMap::new(),
            version_1_until: Instant::ZERO,
            version_2_until: Instant::ZERO,
            robustness: ROBUSTNESS,
            answer_all_at: None,
        }
    }
}

/// True for groups that nobody is told about: those of all nodes, and those that stay inside one
/// (MC-08).
fn is_silent(group: IpAddr) -> bool {
    is_all_nodes(group) || is_node_local(group)
}

/// The groups of all nodes of a link, which nobody joins or leaves.
pub(crate) fn is_all_nodes(group: IpAddr) -> bool {
    match group {
        IpAddr::V4(group) => group.octets() == [224, 0, 0, 1],
        IpAddr::V6(group) => group == crate::stack::wire::ndp::ALL_NODES,
    }
}

impl Groups {
    /// True when packets to the group are received.
    pub(crate) fn contains(&self, group: IpAddr) -> bool {
        self.groups.get(&group).is_some_and(Group::is_active)
    }

    /// Every group with the number of sockets in it.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (IpAddr, u32)> + '_ {
        self.groups
            .iter()
            .filter(|(_, group)| group.is_active())
            .map(|(group, state)| (*group, state.sockets))
    }

    fn version(&self, now: Instant) -> Version {
        if now < self.version_1_until {
            Version::One
        } else if now < self.version_2_until {
            Version::Two
        } else {
            Version::Three
        }
    }

    /// One more socket joins.
    ///
    /// # Errors
    /// `NoBufferSpace` beyond [`limits::GROUPS`].
    pub(crate) fn join(&mut self, group: IpAddr, now: Instant) -> Result<(), Error> {
        let joined = self.groups.values().filter(|state| state.sockets > 0).count();
        if joined >= limits::GROUPS
            && self.groups.get(&group).is_none_or(|state| state.sockets == 0)
        {
            return Err(Error::NoBufferSpace);
        }
        self.change(group, now, |state| state.sockets += 1);
        Ok(())
    }

    /// One socket less.
    pub(crate) fn leave(&mut self, group: IpAddr, now: Instant) {
        if self.groups.contains_key(&group) {
            self.change(group, now, |state| state.sockets = state.sockets.saturating_sub(1));
        }
    }

    /// Is in exactly these groups for its addresses' sake (MC-08).
    pub(crate) fn need(&mut self, needed: &[IpAddr], now: Instant) {
        let known =
            self.groups.iter().filter(|(_, state)| state.is_needed).map(|(group, _)| *group);
        let over: Vec<IpAddr> = known.filter(|group| !needed.contains(group)).collect();
        for group in over {
            self.change(group, now, |state| state.is_needed = false);
        }
        for group in needed {
            self.change(*group, now, |state| state.is_needed = true);
        }
    }

    /// Changes who is in a group, and puts the news on the agenda when that begins or ends the
    /// membership.
    fn change(&mut self, group: IpAddr, now: Instant, change: impl FnOnce(&mut Group)) {
        let robustness = self.robustness;
        let state = self.groups.entry(group).or_default();
        let was_active = state.is_active();
        change(state);
        if was_active == state.is_active() {
            return;
        }
        (state.changes, state.change_at, state.answer_at) = (robustness, Some(now), None);
        if is_silent(group) {
            (state.changes, state.change_at) = (0, None);
            if was_active {
                self.groups.remove(&group);
            }
        }
    }

    /// The link is new: whoever listens there has heard nothing yet (MC-11).
    pub(crate) fn restart(&mut self, now: Instant) {
        self.groups.retain(|_, state| state.is_active());
        (self.version_1_until, self.version_2_until) = (Instant::ZERO, Instant::ZERO);
        (self.robustness, self.answer_all_at) = (ROBUSTNESS, None);
        self.repeat(now);
    }

    /// Says everything once more to the same link.
    pub(crate) fn repeat(&mut self, now: Instant) {
        let robustness = self.robustness;
        for (group, state) in self.groups.iter_mut().filter(|(_, state)| state.is_active()) {
            let is_silent = is_silent(*group);
            state.answer_at = None;
            state.changes = if is_silent { 0 } else { robustness };
            state.change_at = (!is_silent).then_some(now);
        }
    }

    /// Takes a question. `delay` draws a time up to the one given.
    pub(crate) fn query(
        &mut self,
        query: Query,
        now: Instant,
        mut delay: impl FnMut(Duration) -> Duration,
    ) {
        let before = self.version(now);
        match query.version {
            Version::One => self.version_1_until = now.after(VERSION_1_PRESENT),
            Version::Two => self.version_2_until = now.after(VERSION_2_PRESENT),
            Version::Three if query.robustness > 0 => self.robustness = query.robustness,
            Version::Three => {}
        }
        let version = self.version(now);
        if version != before {
            self.answer_all_at = None;
            self.groups.values_mut().for_each(|state| state.answer_at = None);
        }
        let sooner = |known: Option<Instant>, drawn: Instant| {
            Some(known.map_or(drawn, |known| known.min(drawn)))
        };
        if version == Version::Three && query.group.is_none() {
            self.answer_all_at = sooner(self.answer_all_at, now.after(delay(query.within)));
            return;
        }
        for (group, state) in &mut self.groups {
            let is_asked = query.group.is_none_or(|asked| asked == *group);
            if is_asked && state.is_active() && !is_silent(*group) {
                state.answer_at = sooner(state.answer_at, now.after(delay(query.within)));
            }
        }
    }

    /// Somebody else of the link reported the group in the words of version 1 or 2: that is enough
    /// for such a querier (MC-03).
    pub(crate) fn heard(&mut self, group: IpAddr, now: Instant) {
        if self.version(now) == Version::Three {
            return;
        }
        if let Some(state) = self.groups.get_mut(&group).filter(|state| state.is_active()) {
            (state.changes, state.change_at, state.answer_at, state.is_ours) =
                (0, None, None, false);
        }
    }

    /// What has to be said now; what is said again later is put on the agenda.
    pub(crate) fn due(
        &mut self,
        now: Instant,
        mut delay: impl FnMut(Duration) -> Duration,
    ) -> Vec<Report> {
        let version = self.version(now);
        let (mut reports, mut records) = (Vec::new(), Vec::new());
        let is_due = |at: Option<Instant>| at.is_some_and(|at| at <= now);
        let answers_all = is_due(self.answer_all_at);
        if answers_all {
            self.answer_all_at = None;
        }
        for (group, state) in &mut self.groups {
            let (changed, answers) = (is_due(state.change_at), is_due(state.answer_at));
            if changed {
                state.changes = state.changes.saturating_sub(1);
                let interval =
                    if version == Version::Three { CHANGE_INTERVAL } else { OLD_CHANGE_INTERVAL };
                state.change_at = (state.changes > 0).then(|| now.after(delay(interval)));
            }
            if answers {
                state.answer_at = None;
            }
            match (version, state.is_active()) {
                (Version::Three, true) if changed => records.push((Record::Joined, *group)),
                (Version::Three, true) if answers || (answers_all && !is_silent(*group)) => {
                    records.push((Record::IsMember, *group));
                }
                (Version::Three, false) if changed => records.push((Record::Left, *group)),
                (Version::One | Version::Two, true) if changed || answers => {
                    state.is_ours = true;
                    reports.push(Report::Member(version, *group));
                }
                (Version::Two, false) if changed && state.is_ours => {
                    reports.push(Report::Leave(*group))
                }
                _ => {}
            }
            if version != Version::Three && !state.is_active() {
                // An older querier is told once, or never.
                (state.changes, state.change_at) = (0, None);
            }
        }
        self.groups.retain(|_, state| state.is_active() || state.change_at.is_some());
        if !records.is_empty() {
            reports.push(Report::Records(records));
        }
        reports
    }

    /// When something has to be said.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        let groups = self.groups.values().flat_map(|state| [state.change_at, state.answer_at]);
        groups.chain([self.answer_all_at]).flatten().min()
    }
}
