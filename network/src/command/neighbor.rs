//! Words about neighbors: the stations of the same link.

use core::net::IpAddr;

use serde::{Deserialize, Serialize};

use crate::address::HardwareAddress;
use crate::words::words;

/// What is known of a neighbor's reachability (RFC 4861 §7.3.2; the same states serve ARP).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum NeighborState {
    /// Asked, not answered yet.
    Incomplete,
    /// Known to have answered lately.
    Reachable,
    /// Known, not confirmed lately.
    Stale,
    /// Used while stale; a confirmation from above may come.
    Delay,
    /// Being asked again.
    Probe,
    /// Did not answer.
    Failed,
    /// Put there by a command; never asked, never forgotten.
    Permanent,
}

words! {
    NeighborState {
        Incomplete => "incomplete",
        Reachable => "reachable",
        Stale => "stale",
        Delay => "delay",
        Probe => "probe",
        Failed => "failed",
        Permanent => "permanent",
    }
}

/// One neighbor.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct NeighborEntry {
    /// Its IP address.
    pub address: IpAddr,
    /// Its hardware address, if known.
    pub hardware_address: Option<HardwareAddress>,
    /// What is known of it.
    pub state: NeighborState,
    /// It said that it is a router (NDP).
    pub router: bool,
    /// Milliseconds since the state was confirmed.
    pub age_milliseconds: u64,
}

/// A static neighbor to add; an existing entry is replaced.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct NewNeighbor {
    /// Its IP address.
    pub address: IpAddr,
    /// Its hardware address, one station's.
    pub hardware_address: HardwareAddress,
}
