//! A command: one row of the shell's command table.
//!
//! The shell looks up names here and starts the commands; the caller supplies the table.

use devnet_network::platform::BoxFuture;

use super::launch::Launcher;
use super::usage;
use crate::context::Context;
use crate::failure::{Failure, Outcome};
use crate::status::Status;

/// The implementation of a command.
#[derive(Clone, Copy)]
pub enum Action {
    /// A command that runs in a context.
    Run(for<'a> fn(&'a Context) -> BoxFuture<'a, Outcome>),
    /// A command that runs others.
    Launch(for<'a> fn(&'a mut Launcher, &'a Context) -> BoxFuture<'a, Outcome>),
    /// A builtin.
    Builtin(Builtin),
}

/// A command that accesses the shell itself; [`builtins`](super::builtins) runs it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Builtin {
    /// `.` and `source`
    Source,
    /// `alias`
    Alias,
    /// `break`
    Break,
    /// `bg`
    Background,
    /// `command`
    Command,
    /// `cd`
    ChangeDirectory,
    /// `continue`
    Continue,
    /// `eval`
    Evaluate,
    /// `exec`
    Exec,
    /// `exit`
    Exit,
    /// `export` and `readonly`
    Mark,
    /// `fg`
    Foreground,
    /// `getopts`
    Options,
    /// `hash`
    Hash,
    /// `help`
    Help,
    /// `history`
    History,
    /// `jobs`
    Jobs,
    /// `kill`
    Kill,
    /// `local`
    Local,
    /// `read`
    Read,
    /// `return`
    Return,
    /// `set`
    Set,
    /// `shift`
    Shift,
    /// `time`
    Time,
    /// `trap`
    Trap,
    /// `type`
    Describe,
    /// `umask`
    Mask,
    /// `unalias`
    Unalias,
    /// `unset`
    Unset,
    /// `wait`
    Wait,
}

/// An example: what is typed, and what it does; empty if that is clear.
pub type Example = (&'static str, &'static str);

/// A row of the command table.
pub struct Command {
    /// The name.
    pub name: &'static str,
    /// The usage, one form per line.
    pub usage: &'static str,
    /// The description, in one line.
    pub help: &'static str,
    /// Its examples.
    pub examples: fn() -> &'static [Example],
    /// The implementation.
    pub action: Action,
}

impl Command {
    /// Runs the command to its end; a failure is printed on its error stream.
    ///
    /// # Cancel safety
    /// Dropping the future ends the command and closes its files.
    #[must_use]
    pub fn start(&'static self, context: Context) -> BoxFuture<'static, Status> {
        Box::pin(async move {
            let outcome = match self.action {
                _ if self.asks_for_help(&context) => context.answer(&self.help()).await,
                Action::Run(run) => run(&context).await,
                Action::Launch(_) | Action::Builtin(_) => {
                    Err(Failure::new("only the shell itself can do that"))
                }
            };
            self.conclude(&context, outcome).await
        })
    }

    /// True if `--help` is the only argument.
    #[must_use]
    pub fn asks_for_help(&self, context: &Context) -> bool {
        matches!(context.arguments.as_slice(), [only] if only == "--help")
            && !matches!(self.name, "echo" | "true" | "false" | ":" | "[" | "test" | "printf")
    }

    /// Returns usage and help, as `--help` prints them.
    #[must_use]
    pub fn help(&self) -> String {
        let usage: String = self.usage.lines().map(|line| format!("usage: {line}\n")).collect();
        format!("{usage}{}\n", self.help)
    }

    /// Returns usage, help and examples, as `help NAME` prints them.
    #[must_use]
    pub fn explain(&self) -> String {
        let line = |(typed, about): &Example| match *about {
            "" => format!("  {typed}\n"),
            about if typed.chars().count() <= 44 => format!("  {typed:<44}  {about}\n"),
            about => format!("  {typed}\n  {:44}  {about}\n", ""),
        };
        let lines: String = (self.examples)().iter().map(line).collect();
        let head = if lines.is_empty() { "" } else { "examples:\n" };
        format!("{}{head}{lines}", self.help())
    }

    /// Converts an outcome into a status, and prints the failure.
    pub async fn conclude(&self, context: &Context, outcome: Outcome) -> Status {
        match outcome {
            Ok(status) => status,
            Err(Failure { status, message }) => {
                if !message.is_empty() {
                    let question = match status {
                        Status::USAGE => usage::question_about(self.name, self.usage, &message),
                        _ => String::new(),
                    };
                    context.complain(&format!("{message}{question}")).await;
                }
                status
            }
        }
    }
}

/// Finds a command by its full name.
#[must_use]
pub fn find(commands: &'static [Command], name: &str) -> Option<&'static Command> {
    commands.iter().find(|command| command.name == name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commands::table::COMMANDS;

    #[test]
    fn examples_stand_in_two_columns() {
        let text = find(COMMANDS, "head").unwrap().explain();
        let end = "examples:\n  head -n 1 notes\n  head -c 16 /devices/sockets | od -c\n";
        assert!(text.ends_with(end), "{text}");
        let text = find(COMMANDS, "yes").unwrap().explain();
        assert!(text.ends_with("examples:\n  yes | head -n 2\n"), "{text}");
        let text = find(COMMANDS, "wait").unwrap().explain();
        assert!(text.starts_with("usage: wait [%JOB...]\nWaits"), "{text}");
    }

    #[test]
    fn only_whole_names_are_found() {
        let is_found = |name| find(COMMANDS, name).is_some();
        assert!(is_found("ifconfig") && !is_found("ifcon") && !is_found(""));
    }
}
