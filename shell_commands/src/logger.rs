//! What the network says of packets (`--log`, `DEVNET_LOG`), on standard error.
//!
//! Used by `main.rs` only: a library leaves the choice of a logger to its program.

use std::io::{Write, stderr};

use devnet_shell_commands::arguments;
use log::{LevelFilter, Log, Metadata, Record};

/// The variable that gives the level when the command line does not.
const VARIABLE: &str = "DEVNET_LOG";

/// One line per message: level, target, message.
struct StandardError;

impl Log for StandardError {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        // What the libraries beside us say is not about packets.
        metadata.target().starts_with("devnet::")
    }

    fn log(&self, record: &Record<'_>) {
        if self.enabled(record.metadata()) {
            // There is nobody to tell that nobody can be told.
            let _ = writeln!(stderr(), "{} {} {}", record.level(), record.target(), record.args());
        }
    }

    fn flush(&self) {}
}

/// Starts to log at this level, or at that of the environment.
///
/// # Errors
/// An unknown level in the environment, in one line.
pub(crate) fn start(level: Option<LevelFilter>) -> Result<(), String> {
    let level = match (level, std::env::var(VARIABLE)) {
        (Some(level), _) => level,
        (None, Ok(word)) if !word.is_empty() => {
            arguments::level(&word).map_err(|why| format!("{VARIABLE}: {why}"))?
        }
        (None, _) => return Ok(()),
    };
    log::set_logger(&StandardError).map_err(|why| why.to_string())?;
    log::set_max_level(level);
    Ok(())
}
