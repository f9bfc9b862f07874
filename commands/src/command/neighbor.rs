//! Types of neighbor commands: the hosts of the same link.

use alloc::string::String;
use core::net::IpAddr;

use serde::{Deserialize, Serialize};

use crate::address::HardwareAddress;
use crate::words::words;

/// The reachability of a neighbor (RFC 4861 §7.3.2; ARP has the same states).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum NeighborState {
    /// Solicited, no answer yet.
    Incomplete,
    /// Confirmed recently.
    Reachable,
    /// Known, not confirmed recently.
    Stale,
    /// Used while stale; upper-layer progress may confirm it.
    Delay,
    /// Solicited again.
    Probe,
    /// Did not answer.
    Failed,
    /// Added by a command; never solicited, never removed automatically.
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
    /// Its state.
    pub state: NeighborState,
    /// It is a router (NDP).
    pub router: bool,
    /// Milliseconds since the state was confirmed.
    pub age_milliseconds: u64,
}

/// A static neighbor to add; an existing entry is replaced.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct NewNeighbor {
    /// Its IP address.
    pub address: IpAddr,
    /// Its hardware address, which is unicast.
    pub hardware_address: HardwareAddress,
}

/// An address of somebody else for which an interface answers.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct ProxyEntry {
    /// The address.
    pub address: IpAddr,
    /// The interface.
    pub interface: String,
}
