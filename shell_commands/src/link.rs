//! What `ifconfig` and `ip` show of an interface beside its addresses and counters.

use std::ops::Deref;

use devnet_network::command::interface::{InterfaceDetails, InterfaceStatus};
use devnet_network::limits;

/// The status of an interface, and its settings where they are known.
#[derive(Clone, Debug)]
pub struct Link {
    /// Identity, state and flags.
    pub status: InterfaceStatus,
    /// The settings.
    pub details: Option<InterfaceDetails>,
}

impl Link {
    /// Frames that may wait for the driver.
    #[must_use]
    pub fn queue_length(&self) -> u32 {
        self.details.as_ref().map_or(limits::EGRESS_QUEUE as u32, |known| known.transmit_queue)
    }

    /// What it is for; empty for none.
    #[must_use]
    pub fn description(&self) -> &str {
        self.details.as_ref().map_or("", |known| &known.description)
    }
}

impl From<InterfaceStatus> for Link {
    fn from(status: InterfaceStatus) -> Self {
        Self { status, details: None }
    }
}

impl Deref for Link {
    type Target = InterfaceStatus;

    fn deref(&self) -> &InterfaceStatus {
        &self.status
    }
}
