//! Who is associated with whom: roles change, stations follow their network.
//!
//! After every change of a role, a place or a setting [`Medium::settle`] looks at each station
//! again: it loses an access point that it does not hear any more, finds one of its network, and
//! goes over to one that is much better. Nothing is polled: while nothing changes, nothing is done.

use devnet_network::address::HardwareAddress;
use devnet_network::command::wireless::{AccessPoint, Join, LeaveReason, Security};
use devnet_network::platform::Instant;
use devnet_virtual_file_system::{Error, Result};

use super::country;
use super::medium::Medium;
use super::node::{Association, Node, RadioNumber, Role};
use super::signal::{ROAM_BELOW, ROAM_GAIN, SENSITIVITY};
use crate::limits::STATIONS;

/// True if a network of this protection and key is the one that is asked for.
fn is_protected_so(asked: &Join, point: &AccessPoint) -> bool {
    let has_key = point.security != Security::Open;
    asked.security.is_none_or(|security| security == point.security)
        && asked.key.is_some() == has_key
}

/// True if the name, and the access point if one is asked for, are right.
fn is_named_so(asked: &Join, node: &Node, point: &AccessPoint) -> bool {
    asked.ssid == point.ssid && asked.bssid.is_none_or(|bssid| bssid == node.hardware)
}

/// The most stations of an access point.
fn room(point: &AccessPoint) -> usize {
    if point.stations == 0 { STATIONS } else { usize::from(point.stations).min(STATIONS) }
}

/// What is asked of the air.
impl Medium {
    pub(super) fn node(&self, number: RadioNumber) -> Result<&Node> {
        self.nodes.get(&number).ok_or(Error::NoDevice)
    }

    pub(super) fn node_mut(&mut self, number: RadioNumber) -> Result<&mut Node> {
        self.nodes.get_mut(&number).ok_or(Error::NoDevice)
    }

    /// Both hear each other, on a channel that the station may use. The weaker direction counts.
    pub(super) fn hears(&self, station: &Node, node: &Node) -> Option<i8> {
        let point = node.point().filter(|_| station.is_on)?;
        let there = self.signal(station, node);
        let here = self.signal(node, station);
        (there.min(here) >= SENSITIVITY && station.rules.channels.contains(&point.channel))
            .then_some(here)
    }

    /// The best access point for a join.
    ///
    /// # Errors
    /// `NotFound` if none of the name is heard, `Protocol` if they are protected otherwise,
    /// `AccessDenied` if their key is another, `NoBufferSpace` if they are full.
    pub(super) fn candidate(&self, number: RadioNumber, asked: &Join) -> Result<RadioNumber> {
        let station = self.node(number)?;
        let mut best: Option<(i8, RadioNumber)> = None;
        let mut failure = Error::NotFound;
        for (other, node) in &self.nodes {
            let Some(point) = node.point().filter(|_| *other != number) else { continue };
            let Some(signal) = self.hears(station, node) else { continue };
            if !is_named_so(asked, node, point) {
                continue;
            }
            // The failure that came closest is told.
            let refusal = if !is_protected_so(asked, point) {
                Some(Error::Protocol)
            } else if asked.key != point.key {
                Some(Error::AccessDenied)
            } else if self.stations(*other).filter(|(known, _)| *known != number).count()
                >= room(point)
            {
                Some(Error::NoBufferSpace)
            } else {
                None
            };
            match refusal {
                Some(refusal) if closeness(refusal) > closeness(failure) => failure = refusal,
                Some(_) => {}
                None if best.is_none_or(|(known, _)| signal > known) => {
                    best = Some((signal, *other));
                }
                None => {}
            }
        }
        best.map(|(_, point)| point).ok_or(failure)
    }

    /// Makes a radio what it is asked to be, and returns what it was.
    pub(super) fn set_role(
        &mut self,
        number: RadioNumber,
        role: Role,
        now: Instant,
    ) -> Result<Role> {
        let node = self.node(number)?;
        let goes_on = match (&role, node.association) {
            (Role::Station(asked), Some(known)) => self.end(number, asked, known).is_none(),
            _ => false,
        };
        let node = self.node_mut(number)?;
        node.changes += 1;
        let former = std::mem::replace(&mut node.role, role);
        if !goes_on {
            self.leave(number, LeaveReason::Requested);
        }
        self.wake(number);
        self.settle(now);
        Ok(former)
    }

    /// The access point of these settings, with a channel.
    ///
    /// # Errors
    /// `InvalidInput` for a channel that the country does not allow.
    pub(super) fn with_channel(
        &self,
        number: RadioNumber,
        asked: AccessPoint,
    ) -> Result<AccessPoint> {
        let node = self.node(number)?;
        let allowed = node.rules.channels;
        if asked.channel != 0 {
            let is_allowed = allowed.contains(&asked.channel);
            return if is_allowed { Ok(asked) } else { Err(Error::InvalidInput) };
        }
        if let Role::AccessPoint(present) = &node.role
            && allowed.contains(&present.channel)
        {
            return Ok(AccessPoint { channel: present.channel, ..asked });
        }
        // Neighboring channels of 2.4 GHz overlap, so that only three of them are chosen.
        let users = |channel: u8| {
            let points = self.nodes.values().filter_map(Node::point);
            points.filter(|point| point.channel == channel).count()
        };
        let channel = [1, 6, 11].into_iter().min_by_key(|channel| users(*channel)).unwrap_or(1);
        Ok(AccessPoint { channel, ..asked })
    }

    /// Changes where a radio is, or what its signal is.
    pub(super) fn place(
        &mut self,
        number: RadioNumber,
        change: impl FnOnce(&mut Node),
        now: Instant,
    ) -> Result<()> {
        change(self.node_mut(number)?);
        self.settle(now);
        Ok(())
    }

    /// Removes a radio. The caller drops it outside the lock.
    pub(super) fn remove(&mut self, number: RadioNumber, now: Instant) -> Option<Node> {
        let removed = self.nodes.remove(&number);
        self.settle(now);
        removed
    }

    /// Turns a radio on or off.
    pub(super) fn set_on(
        &mut self,
        number: RadioNumber,
        is_on: bool,
        now: Instant,
    ) -> Result<bool> {
        let node = self.node_mut(number)?;
        let changed = std::mem::replace(&mut node.is_on, is_on) != is_on;
        if changed {
            node.changes += 1;
            self.wake(number);
            self.settle(now);
        }
        Ok(changed)
    }

    /// Sets the country.
    ///
    /// # Errors
    /// `InvalidInput` for what is no country, `Unsupported` for one whose rules are not known,
    /// `AlreadyConnected` for one that does not allow the channel in use.
    pub(super) fn set_country(
        &mut self,
        number: RadioNumber,
        name: &str,
        now: Instant,
    ) -> Result<bool> {
        let is_code = name.len() == 2 && name.bytes().all(|byte| byte.is_ascii_uppercase());
        if !is_code && name != "00" {
            return Err(Error::InvalidInput);
        }
        let rules = country::find(name).ok_or(Error::Unsupported)?;
        let used = self.channel(number)?;
        if used.is_some_and(|channel| !rules.channels.contains(&channel)) {
            return Err(Error::AlreadyConnected);
        }
        let node = self.node_mut(number)?;
        let changed = node.rules != rules;
        node.rules = rules;
        self.settle(now);
        Ok(changed)
    }

    /// The channel in use, also of an access point that is turned off.
    fn channel(&self, number: RadioNumber) -> Result<Option<u8>> {
        let node = self.node(number)?;
        Ok(match (&node.role, node.association) {
            (Role::AccessPoint(point), _) => Some(point.channel),
            (_, Some(association)) => {
                self.node(association.point)?.point().map(|point| point.channel)
            }
            _ => None,
        })
    }

    /// Ends the association of a station by its address.
    ///
    /// # Errors
    /// `NotFound` if the access point has no such station.
    pub(super) fn remove_station(
        &mut self,
        number: RadioNumber,
        address: HardwareAddress,
    ) -> Result<()> {
        let found = self.stations(number).find(|(_, node)| node.hardware == address);
        let found = found.map(|(found, _)| found).ok_or(Error::NotFound)?;
        self.leave(found, LeaveReason::Removed);
        let station = self.node_mut(found)?;
        station.role = Role::Idle;
        station.changes += 1;
        Ok(())
    }
}

/// How close to success a join came.
const fn closeness(failure: Error) -> u8 {
    match failure {
        Error::NoBufferSpace => 3,
        Error::AccessDenied => 2,
        Error::Protocol => 1,
        _ => 0,
    }
}

/// What follows.
impl Medium {
    fn leave(&mut self, number: RadioNumber, reason: LeaveReason) {
        if let Some(node) = self.nodes.get_mut(&number)
            && node.association.take().is_some()
        {
            node.reason = Some(reason);
            node.inbox.clear();
            self.wake(number);
        }
    }

    /// Looks at every station again.
    pub(super) fn settle(&mut self, now: Instant) {
        let numbers: Vec<RadioNumber> = self.nodes.keys().copied().collect();
        for number in numbers {
            self.settle_station(number, now);
        }
    }

    fn settle_station(&mut self, number: RadioNumber, now: Instant) {
        let Some(node) = self.nodes.get(&number) else { return };
        let Role::Station(asked) = &node.role else { return };
        let asked = asked.clone();
        let current = node.association;
        let end = current.and_then(|association| self.end(number, &asked, association));
        if let Some(reason) = end {
            self.leave(number, reason);
        }
        let current = current.filter(|_| end.is_none());
        let Ok(best) = self.candidate(number, &asked) else { return };
        let is_better = match current {
            None => true,
            Some(association) if association.point == best => false,
            Some(association) => {
                let heard = |point| {
                    let (station, node) = (self.nodes.get(&number)?, self.nodes.get(&point)?);
                    self.hears(station, node)
                };
                let (known, new) = (heard(association.point), heard(best));
                known < Some(ROAM_BELOW)
                    && new >= known.map(|signal| signal.saturating_add(ROAM_GAIN))
            }
        };
        if is_better && let Some(node) = self.nodes.get_mut(&number) {
            node.association = Some(Association { point: best, since: now });
            node.reason = None;
            self.wake(number);
        }
    }

    /// Why an association cannot go on; `None` if it can.
    fn end(
        &self,
        number: RadioNumber,
        asked: &Join,
        association: Association,
    ) -> Option<LeaveReason> {
        let station = self.nodes.get(&number)?;
        if !station.is_on {
            return Some(LeaveReason::PoweredOff);
        }
        let Some(node) = self.nodes.get(&association.point) else {
            return Some(LeaveReason::AccessPointStopped);
        };
        let is_same = node.point().is_some_and(|point| {
            is_named_so(asked, node, point)
                && is_protected_so(asked, point)
                && asked.key == point.key
        });
        if !is_same {
            return Some(LeaveReason::AccessPointStopped);
        }
        self.hears(station, node).is_none().then_some(LeaveReason::OutOfRange)
    }
}
