//! Types of the commands about the counters of the protocols.

use alloc::string::String;
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

/// The counters of the protocols on an interface since it was registered. They never decrease.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct ProtocolCounters {
    /// The interface.
    pub interface: String,
    /// The counters.
    pub counters: Vec<CounterValue>,
}

/// A counter of a protocol.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct CounterValue {
    /// Its name as in `nstat`: the protocol, and the name of SNMP (`IpInReceives`, `Udp6NoPorts`).
    pub name: String,
    /// Its value.
    pub value: u64,
}
