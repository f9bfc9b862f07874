//! Builds that execute only some commands of a table.

use crate::control::Identifier;

/// Which commands of a table a build executes: [`define_commands!`](crate::define_commands) makes a
/// `decode_built` that asks it.
pub trait Build {
    /// By the number of a command: true if it is built.
    const COMMANDS: [bool; 256];
}

/// A build that executes all commands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Everything;

impl Build for Everything {
    const COMMANDS: [bool; 256] = [true; 256];
}

/// True if a build executes a command of its table.
#[must_use]
pub const fn is_built<B: Build>(command: Identifier) -> bool {
    // Numbers have eight bits.
    #[expect(clippy::indexing_slicing, reason = "a byte is below 256")]
    B::COMMANDS[command.number() as usize]
}
