//! Commands that run others: `xargs`, `find -exec`, `timeout` and their kin.
//!
//! What they run is a command of the table in a subshell of its own, as if it were a program:
//! functions and aliases are not seen, and nothing that it does changes the shell.

use super::Shell;
use crate::context::Stream;
use crate::status::Status;

/// Runs commands on behalf of another.
pub struct Launcher {
    shell: Shell,
}

impl Launcher {
    pub(super) fn new(shell: &Shell) -> Self {
        let mut shell = shell.subshell();
        shell.state.deepen();
        Self { shell }
    }

    /// Sets an exported variable of the commands.
    pub fn export(&mut self, name: &str, value: &str) {
        self.shell.variables.insert(name.to_owned(), value.to_owned());
        self.shell.state.exported.insert(name.to_owned());
    }

    /// Exports nothing, or not this variable.
    pub fn hide(&mut self, name: Option<&str>) {
        match name {
            Some(name) => drop(self.shell.state.exported.remove(name)),
            None => self.shell.state.exported.clear(),
        }
    }

    /// The exported variables, as `NAME=VALUE`.
    #[must_use]
    pub fn environment(&self) -> Vec<String> {
        self.shell.environment()
    }

    /// Gives the commands another input.
    pub fn set_input(&mut self, input: Stream) {
        self.shell.streams.input = input;
    }

    /// Runs a command to its end.
    ///
    /// # Cancel safety
    /// Dropping the future ends the command.
    pub async fn run(&self, words: &[String]) -> Status {
        let Some((name, arguments)) = words.split_first() else { return Status::SUCCESS };
        let mut shell = self.shell.subshell();
        shell.status = shell.start(name, arguments).await;
        shell.finish().await
    }
}
