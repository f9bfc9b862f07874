//! The shell: from a line of text to running commands.
//!
//! The language is that of POSIX (XCU 2) as BusyBox ash has it. The [`parser`] makes the tree of
//! [`syntax`] of a text, [`execute`] and `compound` run it: `redirect` opens redirections,
//! [`expand`] makes arguments of words with `fields`, `pattern` and `arithmetic`, and the
//! [`command`]s run. [`jobs`] holds the background jobs. [`Shell`] is the state that persists
//! between lines; a pipeline's stages, background jobs and subshells get a copy of it, so no lock
//! is needed.
//!
//! Called by the program (`main.rs`) and by tests. Dropping the future of [`Shell::run`] ends its
//! commands at once.

mod arithmetic;
pub mod builtins;
pub mod command;
mod compound;
mod control;
mod declare;
pub mod execute;
pub mod expand;
mod fields;
mod foreground;
pub mod history;
mod input;
pub mod jobs;
pub mod keyboard;
mod language;
pub mod launch;
mod lookup;
mod pager;
pub mod parser;
mod pattern;
mod pipeline;
mod redirect;
pub mod signals;
mod stack;
mod state;
pub mod syntax;
pub mod usage;

use std::collections::BTreeMap;

use crate::context::{Files, Platform, Streams};
use crate::null;
use crate::shown;
use crate::status::Status;
use command::Command;
use history::History;
use jobs::Jobs;
use keyboard::Keyboard;
use state::State;
use syntax::SyntaxError;

/// The state of one shell.
pub struct Shell {
    /// The file system and the current directory.
    pub files: Files,
    /// The standard streams of commands, unless redirected.
    pub streams: Streams,
    /// Clock, entropy and spawner.
    pub platform: Platform,
    /// The commands by name.
    pub commands: &'static [Command],
    /// Values of `$NAME`.
    pub variables: BTreeMap<String, String>,
    /// `$0` and the positional parameters.
    pub parameters: Vec<String>,
    /// The last status, `$?`.
    pub status: Status,
    /// Exit at the first failure (`-e`).
    pub stop_on_failure: bool,
    /// The shell is interactive: jobs are announced.
    pub interactive: bool,
    /// What is pressed on the terminal of an interactive shell; Ctrl-Z then stops commands.
    pub keyboard: Option<Keyboard>,
    /// The lines that were typed.
    pub history: History,
    /// The status passed to `exit`.
    pub exit: Option<Status>,
    /// The background jobs.
    pub jobs: Jobs,
    state: State,
}

impl Shell {
    /// Creates a shell with these commands.
    #[must_use]
    pub fn with_commands(
        commands: &'static [Command],
        files: Files,
        streams: Streams,
        platform: Platform,
    ) -> Self {
        // A caller who may not make it has a tree without it.
        let _ = null::mount(&files);
        Self {
            files,
            streams,
            platform,
            commands,
            variables: BTreeMap::new(),
            parameters: vec![String::from("devnet")],
            status: Status::SUCCESS,
            stop_on_failure: false,
            interactive: false,
            keyboard: None,
            history: History::default(),
            exit: None,
            jobs: Jobs::default(),
            state: State::new(),
        }
    }

    /// Copies the shell for a stage of a pipeline or a background job: changes affect only the
    /// copy, which has its own jobs.
    #[must_use]
    pub fn subshell(&self) -> Self {
        Self {
            files: self.files.clone(),
            streams: self.streams.clone(),
            platform: self.platform.clone(),
            commands: self.commands,
            variables: self.variables.clone(),
            parameters: self.parameters.clone(),
            status: self.status,
            stop_on_failure: self.stop_on_failure,
            interactive: false,
            keyboard: None,
            history: self.history.clone(),
            exit: None,
            jobs: Jobs::default(),
            state: self.state.subshell(),
        }
    }

    /// Parses the whole `text` and then runs it; after a syntax error nothing runs. Returns the
    /// last status.
    ///
    /// # Cancel safety
    /// Dropping the future ends the running commands and closes their files; the shell stays
    /// usable.
    pub async fn run(&mut self, text: &str) -> Status {
        match parser::parse(text) {
            Ok(script) => self.execute(&script).await,
            Err(error) => self.report(&error).await,
        }
    }

    /// Sets a variable and exports it.
    pub fn export(&mut self, name: &str, value: &str) {
        self.variables.insert(name.to_owned(), value.to_owned());
        self.state.exported.insert(name.to_owned());
    }

    /// Reports a syntax error of the script `$0` and returns its status.
    pub async fn report(&mut self, error: &SyntaxError) -> Status {
        let name = self.parameters.first().filter(|name| *name != "devnet");
        let name = name.map(|name| format!("{name}: ")).unwrap_or_default();
        self.complain(&format!("{name}{error}")).await;
        self.status = Status::USAGE;
        self.status
    }

    /// Prints a message on the shell's own error stream.
    pub async fn complain(&self, message: &str) {
        self.streams.error.remark(&format!("devnet: {}\n", shown::line(message))).await;
    }
}

/// True if a pattern of names matches the whole text.
///
/// # Errors
/// A message, if that takes too long.
pub fn matches(pattern: &str, text: &str) -> Result<bool, String> {
    pattern::Matcher::new(pattern).matches(&text.chars().collect::<Vec<_>>())
}

#[cfg(test)]
mod language_tests;
#[cfg(test)]
mod tests;
