//! What a driver says of its link.

use serde::{Deserialize, Serialize};

use crate::words::words;

/// What a frame of the driver starts with.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub enum Medium {
    /// An Ethernet II header (14 bytes, no checksum at the end).
    Ethernet,
    /// The IP header itself; there are no hardware addresses.
    Ip,
}

/// The kind of an interface.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum Kind {
    /// Traffic within this system.
    Loopback,
    /// Wired or simulated Ethernet.
    Ethernet,
    /// A point-to-point or tunnel interface without link layer.
    Tunnel,
    /// A radio that behaves as Ethernet once it has joined a network.
    Wireless,
}

words! {
    Kind {
        Loopback => "loopback",
        Ethernet => "ethernet",
        Tunnel => "tunnel",
        Wireless => "wireless",
    }
}

/// Whether the link carries frames at the moment.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum LinkState {
    /// Carrier: the cable is plugged in, the radio has joined.
    Up,
    /// No carrier.
    Down,
}

/// The speed of a link.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct LinkSpeed {
    /// Megabits per second.
    pub megabits: u32,
    /// Frames go both ways at once.
    pub full_duplex: bool,
}
