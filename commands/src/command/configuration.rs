//! Types of the commands about the whole configuration: exported as lines, checked, applied.

use alloc::string::String;
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

/// A configuration as text, in as many requests as it needs: the pieces of one open file are
/// joined, and what the last one completes is carried out.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct ConfigurationText {
    /// The text, or its next piece; a piece may end anywhere.
    pub text: String,
    /// More follows: the piece is kept, and nothing else happens yet.
    pub has_more: bool,
}

/// What a configuration changes.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct ConfigurationOutcome {
    /// The system first, if it changes, then the interfaces that do.
    pub changes: Vec<ConfigurationChange>,
    /// What is allowed and may not be meant, by line.
    pub notes: Vec<ConfigurationNote>,
}

/// What a configuration changes of one interface, in the lines that
/// [`ExportConfiguration`](super::ExportConfiguration) returns.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct ConfigurationChange {
    /// The interface; empty for the system.
    pub interface: String,
    /// The lines that are true no more.
    pub removed: Vec<String>,
    /// The lines that are true now.
    pub added: Vec<String>,
}

/// What is allowed in a configuration and may not be meant.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct ConfigurationNote {
    /// The number of the line; the first is 1.
    pub line: u32,
    /// What is noted.
    pub kind: NoteKind,
}

/// The kind of a note.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum NoteKind {
    /// The section matches no interface that is there now; it is kept for later ones.
    MatchesNothing,
    /// The interface has an IPv4 address of its own beside those of its DHCP client.
    AddressBesideDhcp,
    /// The gateway of the route is not on the link yet: the route waits for it.
    GatewayAwaited,
}

impl NoteKind {
    /// The note in words.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::MatchesNothing => "matches no interface that is there now",
            Self::AddressBesideDhcp => "an IPv4 address beside those of the DHCP client",
            Self::GatewayAwaited => "the gateway is not on the link yet; the route waits for it",
        }
    }
}
