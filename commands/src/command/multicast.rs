//! Types of multicast commands.

use alloc::string::String;
use core::net::IpAddr;

use serde::{Deserialize, Serialize};

/// A group that a socket joins or leaves (IP_ADD_MEMBERSHIP, IPV6_JOIN_GROUP).
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Membership {
    /// The group.
    pub group: IpAddr,
    /// The interface; empty for the one of the route to the group.
    pub interface: String,
}

/// A group that an interface receives.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct GroupEntry {
    /// The group.
    pub group: IpAddr,
    /// The interface.
    pub interface: String,
    /// The number of sockets that joined it here; 0 for a group that only our addresses imply, or
    /// that only a command joined.
    pub sockets: u32,
}

/// A group that an interface receives, and who wants it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct GroupDetail {
    /// The group.
    pub entry: GroupEntry,
    /// A command joined it (`AddGroup`).
    pub from_command: bool,
    /// Our addresses imply it, or every host receives it.
    pub implied: bool,
}
