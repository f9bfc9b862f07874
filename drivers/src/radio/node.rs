//! One radio: what it was asked to be, what it is, and its frames.

use devnet_network::address::HardwareAddress;
use devnet_network::command::wireless::{AccessPoint, Join, LeaveReason, NetworkEntry};
use devnet_network::platform::Instant;

use super::country::{ANYWHERE, Rules};
use crate::limits::ETHERNET_HEADER;
use crate::position::Position;
use crate::relay::Inbox;

/// The number of a radio; it is never reused.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct RadioNumber(pub(super) u32);

impl std::fmt::Display for RadioNumber {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "radio {}", self.0)
    }
}

/// What a radio was asked to be. It has the keys, which nothing reads but the comparison.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(super) enum Role {
    #[default]
    Idle,
    /// A station of this network.
    Station(Join),
    /// This access point, with its channel.
    AccessPoint(AccessPoint),
}

/// A station's link to an access point.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Association {
    pub(super) point: RadioNumber,
    pub(super) since: Instant,
}

#[derive(Debug)]
pub(super) struct Node {
    pub(super) hardware: HardwareAddress,
    /// The longest frame.
    pub(super) longest: usize,
    pub(super) position: Position,
    /// What the walls around it take, in dB.
    pub(super) attenuation: u8,
    /// Access points of one number are wired together.
    pub(super) distribution: Option<u32>,
    pub(super) is_on: bool,
    pub(super) saves_power: bool,
    /// The asked limit of the power in dBm.
    pub(super) power: Option<i8>,
    pub(super) rules: &'static Rules,
    pub(super) role: Role,
    /// Counts changes of the role, so that a command that waits notices them.
    pub(super) changes: u64,
    pub(super) association: Option<Association>,
    pub(super) reason: Option<LeaveReason>,
    /// The networks of the last scan, and its time.
    pub(super) found: Vec<NetworkEntry>,
    pub(super) scanned: Instant,
    pub(super) inbox: Inbox,
}

impl Node {
    pub(super) fn new(hardware: HardwareAddress, mtu: usize) -> Self {
        Self {
            hardware,
            longest: mtu.saturating_add(ETHERNET_HEADER),
            position: Position::default(),
            attenuation: 0,
            distribution: None,
            is_on: true,
            saves_power: false,
            power: None,
            rules: ANYWHERE,
            role: Role::Idle,
            changes: 0,
            association: None,
            reason: None,
            found: Vec::new(),
            scanned: Instant::ZERO,
            inbox: Inbox::default(),
        }
    }

    /// The transmit power in dBm.
    pub(super) fn transmit_power(&self) -> i8 {
        self.power.map_or(self.rules.power, |asked| asked.min(self.rules.power))
    }

    /// The access point that it is, while it is on.
    pub(super) const fn point(&self) -> Option<&AccessPoint> {
        match &self.role {
            Role::AccessPoint(point) if self.is_on => Some(point),
            _ => None,
        }
    }

    /// True while frames can pass.
    pub(super) const fn has_link(&self) -> bool {
        self.association.is_some() || self.point().is_some()
    }
}
