//! The system that the program runs on: host, network, file tree, terminal.
//!
//! [`start`] builds it from the `--interface` arguments, or the embedded network without any. Called by `main.rs` once;
//! nothing below knows that there is a program.

use shell_commands::arguments::InterfaceArgument;
use shell_commands::context::{Files, Platform, Streams};

/// A running system.
pub(crate) struct System {
    /// The file tree as the person at the terminal sees it.
    pub(crate) files: Files,
    /// The terminal.
    pub(crate) streams: Streams,
    /// The host's clock, entropy and executor.
    pub(crate) platform: Platform,
}

impl System {
    /// Runs a future on this thread, and the system's tasks beside it.
    pub(crate) fn block_on<T>(&self, future: impl Future<Output = T>) -> T {
        futures_lite::future::block_on(future)
    }
}

/// Builds and starts a system.
///
/// # Errors
/// Why not, in one line.
pub(crate) fn start(interfaces: &[InterfaceArgument]) -> Result<System, String> {
    let count = interfaces.len();
    Err(format!("the host's drivers are not part of this build ({count} interfaces asked for)"))
}
