//! Types of the commands that concern the whole system: `/devices/sockets` has them.

use serde::{Deserialize, Serialize};

use crate::words::words;

/// To which interface an address belongs (RFC 1122 §3.3.4.2).
///
/// Addresses of the loopback interface are those of the whole system in both models, and IPv6
/// link-local addresses those of their link.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub enum HostModel {
    /// To its own: packets to it that arrive by another one are dropped, and what is sent from it
    /// leaves by that interface or fails with `NetworkUnreachable`.
    #[default]
    Strong,
    /// To the host, as on Linux: packets to it may arrive by any interface, ARP answers for it on
    /// each, and the destination alone decides which interface a packet leaves by. Answers to what
    /// a connection sends must arrive by the interface that it leaves by.
    Weak,
}

words! {
    HostModel {
        Strong => "strong",
        Weak => "weak",
    }
}

/// One option of the system.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[non_exhaustive]
pub enum SystemOption {
    /// The host model; strong unless set. Sockets that exist keep their interfaces.
    HostModel(HostModel),
}
