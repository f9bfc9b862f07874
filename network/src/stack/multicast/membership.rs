//! The host side of IGMP and MLD as one pure state machine: which groups an interface is in, and
//! when reports are due.
//!
//! IGMPv3 (RFC 3376) and MLDv2 (RFC 3810) are the same protocol, and so are IGMPv2 (RFC 2236) and
//! MLDv1 (RFC 2710); they differ in the [message](super::igmp) [format](super::mld). Memberships
//! accept every source. State is kept per group, so pending reports of a group end when it is left
//! (MC-09).

use alloc::collections::BTreeMap;
use alloc::vec::Vec;
use core::net::IpAddr;
use core::time::Duration;

use devnet_virtual_file_system::Error;

use crate::limits;
use crate::platform::Instant;
use crate::stack::addresses::is_node_local;

/// The robustness variable: how often a change is reported (RFC 3376 §8.1, RFC 3810 §9.1), unless
/// the querier sets it.
const ROBUSTNESS: u8 = 2;
/// Unsolicited Report Interval: between two reports of one change, for IGMPv3 and MLDv2, and for
/// their predecessors (RFC 3376 §8.11, RFC 2236 §8.10).
const CHANGE_INTERVAL: Duration = Duration::from_secs(1);
const OLD_CHANGE_INTERVAL: Duration = Duration::from_secs(10);
/// Older Version Querier Present Timeout: for IGMPv1 (RFC 2236 §8.11), and for IGMPv2 and MLDv1
/// (RFC 3376 §8.12, RFC 3810 §9.12).
const VERSION_1_PRESENT: Duration = Duration::from_secs(400);
const VERSION_2_PRESENT: Duration = Duration::from_secs(260);

/// The protocol version of the querier. MLDv1 counts as version 2 and MLDv2 as version 3.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum Version {
    One,
    Two,
    Three,
}

/// A query.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Query {
    pub(crate) version: Version,
    /// The queried group; none in a general query.
    pub(crate) group: Option<IpAddr>,
    /// Max Resp Time: the longest time until the report.
    pub(crate) within: Duration,
    /// QRV: the querier's robustness variable; 0 when it is not given.
    pub(crate) robustness: u8,
}

/// The record types of a report (RFC 3376 §4.2.12, RFC 3810 §5.2.12).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Record {
    /// MODE_IS_EXCLUDE: the current state, in reply to a query.
    IsMember = 2,
    /// CHANGE_TO_INCLUDE_MODE: the group was left.
    Left = 3,
    /// CHANGE_TO_EXCLUDE_MODE: the group was joined.
    Joined = 4,
}

/// A message to send.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Report {
    /// Records of version 3.
    Records(Vec<(Record, IpAddr)>),
    /// A membership report of version 1 or 2.
    Member(Version, IpAddr),
    /// A leave message of version 2.
    Leave(IpAddr),
}

#[derive(Clone, Debug, Default)]
struct Group {
    sockets: u32,
    /// A command joined the group.
    is_asked: bool,
    /// Our addresses imply the group.
    is_implied: bool,
    /// Remaining reports of the last change, and when the next one is due.
    changes: u8,
    change_at: Option<Instant>,
    /// When the reply to a query is due.
    reply_at: Option<Instant>,
    /// We were the last to report the group on the link (versions 1 and 2).
    is_last_reporter: bool,
}

impl Group {
    const fn is_active(&self) -> bool {
        self.is_joined() || self.is_implied
    }

    /// Counts against the bound.
    const fn is_joined(&self) -> bool {
        self.sockets > 0 || self.is_asked
    }
}

/// A group that is received, and who wants it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Member {
    pub(crate) group: IpAddr,
    pub(crate) sockets: u32,
    /// A command joined it.
    pub(crate) is_asked: bool,
    /// Our addresses imply it, or every host receives it.
    pub(crate) is_implied: bool,
}

/// The groups of one family.
#[derive(Clone, Debug)]
pub(crate) struct Groups {
    groups: BTreeMap<IpAddr, Group>,
    /// Until when queriers of older versions count as present.
    version_1_until: Instant,
    version_2_until: Instant,
    robustness: u8,
    /// When the reply to a general query is due.
    general_reply_at: Option<Instant>,
}

impl Default for Groups {
    fn default() -> Self {
        Self {
            groups: BTreeMap::new(),
            version_1_until: Instant::ZERO,
            version_2_until: Instant::ZERO,
            robustness: ROBUSTNESS,
            general_reply_at: None,
        }
    }
}

/// True for groups that are never reported: those of all nodes, and node-local ones (MC-08).
fn is_unreported(group: IpAddr) -> bool {
    is_all_nodes(group) || is_node_local(group)
}

/// The all-nodes groups, which cannot be joined or left.
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

    /// Every group that is received.
    pub(crate) fn iter(&self) -> impl Iterator<Item = Member> + '_ {
        self.groups.iter().filter(|(_, group)| group.is_active()).map(|(group, state)| Member {
            group: *group,
            sockets: state.sockets,
            is_asked: state.is_asked,
            is_implied: state.is_implied || is_all_nodes(*group),
        })
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

    /// Adds a socket to a group.
    ///
    /// # Errors
    /// `NoBufferSpace` beyond [`limits::GROUPS`].
    pub(crate) fn join(&mut self, group: IpAddr, now: Instant) -> Result<(), Error> {
        self.check_room(group)?;
        self.change(group, now, |state| state.sockets += 1);
        Ok(())
    }

    /// Joins a group for a command.
    ///
    /// # Errors
    /// `AlreadyExists`; `NoBufferSpace` beyond [`limits::GROUPS`].
    pub(crate) fn ask(&mut self, group: IpAddr, now: Instant) -> Result<(), Error> {
        if self.groups.get(&group).is_some_and(|state| state.is_asked) {
            return Err(Error::AlreadyExists);
        }
        self.check_room(group)?;
        self.change(group, now, |state| state.is_asked = true);
        Ok(())
    }

    /// Leaves a group that a command joined.
    ///
    /// # Errors
    /// `NotFound`.
    pub(crate) fn forget(&mut self, group: IpAddr, now: Instant) -> Result<(), Error> {
        if self.groups.get(&group).is_none_or(|state| !state.is_asked) {
            return Err(Error::NotFound);
        }
        self.change(group, now, |state| state.is_asked = false);
        Ok(())
    }

    fn check_room(&self, group: IpAddr) -> Result<(), Error> {
        let joined = self.groups.values().filter(|state| state.is_joined()).count();
        let is_joined = self.groups.get(&group).is_some_and(Group::is_joined);
        if joined >= limits::GROUPS && !is_joined {
            return Err(Error::NoBufferSpace);
        }
        Ok(())
    }

    /// Removes a socket from a group.
    pub(crate) fn leave(&mut self, group: IpAddr, now: Instant) {
        if self.groups.contains_key(&group) {
            self.change(group, now, |state| state.sockets = state.sockets.saturating_sub(1));
        }
    }

    /// Sets the groups that our addresses imply (MC-08).
    pub(crate) fn set_implied(&mut self, implied: &[IpAddr], now: Instant) {
        let known =
            self.groups.iter().filter(|(_, state)| state.is_implied).map(|(group, _)| *group);
        let over: Vec<IpAddr> = known.filter(|group| !implied.contains(group)).collect();
        for group in over {
            self.change(group, now, |state| state.is_implied = false);
        }
        for group in implied {
            self.change(*group, now, |state| state.is_implied = true);
        }
    }

    /// Changes a group, and schedules reports when the membership begins or ends.
    fn change(&mut self, group: IpAddr, now: Instant, change: impl FnOnce(&mut Group)) {
        let robustness = self.robustness;
        let state = self.groups.entry(group).or_default();
        let was_active = state.is_active();
        change(state);
        if was_active == state.is_active() {
            return;
        }
        (state.changes, state.change_at, state.reply_at) = (robustness, Some(now), None);
        if is_unreported(group) {
            (state.changes, state.change_at) = (0, None);
            if was_active {
                self.groups.remove(&group);
            }
        }
    }

    /// The link changed: all memberships are reported as new (MC-11).
    pub(crate) fn restart(&mut self, now: Instant) {
        self.groups.retain(|_, state| state.is_active());
        (self.version_1_until, self.version_2_until) = (Instant::ZERO, Instant::ZERO);
        (self.robustness, self.general_reply_at) = (ROBUSTNESS, None);
        self.repeat_reports(now);
    }

    /// Repeats all reports on the same link.
    pub(crate) fn repeat_reports(&mut self, now: Instant) {
        let robustness = self.robustness;
        for (group, state) in self.groups.iter_mut().filter(|(_, state)| state.is_active()) {
            let is_unreported = is_unreported(*group);
            state.reply_at = None;
            state.changes = if is_unreported { 0 } else { robustness };
            state.change_at = (!is_unreported).then_some(now);
        }
    }

    /// Processes a query. `delay` draws a random time up to the given one.
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
            self.general_reply_at = None;
            self.groups.values_mut().for_each(|state| state.reply_at = None);
        }
        let sooner = |known: Option<Instant>, drawn: Instant| {
            Some(known.map_or(drawn, |known| known.min(drawn)))
        };
        if version == Version::Three && query.group.is_none() {
            self.general_reply_at = sooner(self.general_reply_at, now.after(delay(query.within)));
            return;
        }
        for (group, state) in &mut self.groups {
            let is_queried = query.group.is_none_or(|queried| queried == *group);
            if is_queried && state.is_active() && !is_unreported(*group) {
                state.reply_at = sooner(state.reply_at, now.after(delay(query.within)));
            }
        }
    }

    /// Another host reported the group in version 1 or 2: that suppresses our report (MC-03).
    pub(crate) fn suppress(&mut self, group: IpAddr, now: Instant) {
        if self.version(now) == Version::Three {
            return;
        }
        if let Some(state) = self.groups.get_mut(&group).filter(|state| state.is_active()) {
            (state.changes, state.change_at, state.reply_at, state.is_last_reporter) =
                (0, None, None, false);
        }
    }

    /// The reports that are due; schedules their repetitions.
    pub(crate) fn due(
        &mut self,
        now: Instant,
        mut delay: impl FnMut(Duration) -> Duration,
    ) -> Vec<Report> {
        let version = self.version(now);
        let (mut reports, mut records) = (Vec::new(), Vec::new());
        let is_due = |at: Option<Instant>| at.is_some_and(|at| at <= now);
        let replies_to_general = is_due(self.general_reply_at);
        if replies_to_general {
            self.general_reply_at = None;
        }
        for (group, state) in &mut self.groups {
            let (changed, answers) = (is_due(state.change_at), is_due(state.reply_at));
            if changed {
                state.changes = state.changes.saturating_sub(1);
                let interval =
                    if version == Version::Three { CHANGE_INTERVAL } else { OLD_CHANGE_INTERVAL };
                state.change_at = (state.changes > 0).then(|| now.after(delay(interval)));
            }
            if answers {
                state.reply_at = None;
            }
            match (version, state.is_active()) {
                (Version::Three, true) if changed => records.push((Record::Joined, *group)),
                (Version::Three, true)
                    if answers || (replies_to_general && !is_unreported(*group)) =>
                {
                    records.push((Record::IsMember, *group));
                }
                (Version::Three, false) if changed => records.push((Record::Left, *group)),
                (Version::One | Version::Two, true) if changed || answers => {
                    state.is_last_reporter = true;
                    reports.push(Report::Member(version, *group));
                }
                (Version::Two, false) if changed && state.is_last_reporter => {
                    reports.push(Report::Leave(*group))
                }
                _ => {}
            }
            if version != Version::Three && !state.is_active() {
                // A querier of an older version gets one report, or none.
                (state.changes, state.change_at) = (0, None);
            }
        }
        self.groups.retain(|_, state| state.is_active() || state.change_at.is_some());
        if !records.is_empty() {
            reports.push(Report::Records(records));
        }
        reports
    }

    /// When the next report is due.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        let groups = self.groups.values().flat_map(|state| [state.change_at, state.reply_at]);
        groups.chain([self.general_reply_at]).flatten().min()
    }
}
