//! What an open file knows of the texts that were written to it.

use alloc::string::String;

use async_lock::Mutex;
use devnet_virtual_file_system::{Error, Lock};

use crate::command::line_error::LineError;

/// What is known of the texts that were written.
#[derive(Default)]
pub(super) struct Written {
    /// Serializes writes, so that the lines of one stay together even when some wait.
    pub(super) lines: Mutex<()>,
    /// The pieces of a configuration of which more follows.
    pub(super) pending: Lock<String>,
    /// Why the last text failed.
    pub(super) last_error: Lock<Option<LineError>>,
}

/// The line that a write executes. A write that must not wait is dropped at the line that waits,
/// and that line is its error.
pub(super) struct Current<'a> {
    pub(super) text: &'a Written,
    pub(super) number: u32,
    pub(super) line: &'a str,
    pub(super) is_done: bool,
}

impl Drop for Current<'_> {
    fn drop(&mut self) {
        if self.is_done {
            return;
        }
        let error = LineError::refused(self.number, self.line, Error::WouldBlock);
        self.text.last_error.with(|last| *last = Some(error));
    }
}
