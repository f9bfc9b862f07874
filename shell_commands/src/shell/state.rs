//! What the shell language keeps between commands beside variables: functions, options, traps,
//! descriptors, and where execution stands.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::Shell;
use super::syntax::Command;
use crate::context::{Stream, Streams};
use crate::limits;
use crate::status::Status;

/// Why the commands that follow do not run.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Jump {
    /// `break`: so many loops end.
    Break(usize),
    /// `continue`: so many loops less one end, and the last goes on.
    Continue(usize),
    /// `return`: the function or the sourced file ends.
    Return,
    /// An error of the language: the script ends, and an interactive shell reads the next line.
    Abort,
}

/// Options of `set` beside `-e`.
#[derive(Clone, Copy, Default)]
pub(super) struct Options {
    /// `-u`
    pub(super) unset_is_error: bool,
    /// `-x`
    pub(super) trace: bool,
    /// `-o pipefail`
    pub(super) pipe_fails: bool,
}

/// The conditions of `trap`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Trap {
    /// The shell ends.
    Exit,
    /// Ctrl-C.
    Interrupt,
}

impl Trap {
    pub(super) const ALL: [(Self, &'static str); 2] =
        [(Self::Exit, "EXIT"), (Self::Interrupt, "INT")];
}

/// Values to restore when a function or a command with assignments ends.
pub(super) type Frame = Vec<(String, Option<String>)>;

/// The state of the language.
#[derive(Clone, Default)]
pub(super) struct State {
    pub(super) functions: BTreeMap<String, Arc<Command>>,
    pub(super) exported: BTreeSet<String>,
    pub(super) traps: BTreeMap<Trap, String>,
    /// Descriptors from 3.
    pub(super) descriptors: BTreeMap<u8, Stream>,
    pub(super) options: Options,
    pub(super) jump: Option<Jump>,
    /// Conditions around the command: `-e` does not look at it.
    pub(super) tested: usize,
    /// Loops around the command, for `break`.
    pub(super) loops: usize,
    /// Functions and sourced files around the command, for `return`.
    pub(super) calls: usize,
    /// Levels of execution, bounded by `limits::EXECUTION_DEPTH`.
    pub(super) depth: usize,
    pub(super) frames: Vec<Frame>,
    pub(super) last_job: Option<usize>,
    /// The status of the last command substitution of the command.
    pub(super) substituted: Option<Status>,
    /// Counts the copies: one for the shell and each of its subshells that lives.
    copies: Arc<()>,
    /// Where `getopts` stands in a word of several options.
    pub(super) option_place: usize,
}

impl State {
    /// Functions that run themselves in pipelines double with each level.
    pub(super) fn has_too_many_subshells(&self) -> bool {
        Arc::strong_count(&self.copies) > limits::SUBSHELLS
    }

    /// A copy for a subshell. Values to restore are those of the shell itself, and so are its
    /// traps.
    pub(super) fn subshell(&self) -> Self {
        let frames = if self.frames.is_empty() { Vec::new() } else { vec![Frame::new()] };
        Self { frames, traps: BTreeMap::new(), jump: None, ..self.clone() }
    }
}

type Saved = (Streams, BTreeMap<u8, Stream>, Vec<String>, State);

/// Restores the shell when the future that runs a script is dropped half way: redirections,
/// arguments and local variables of what ran then end with it.
pub(super) struct Recovery<'s> {
    pub(super) shell: &'s mut Shell,
    saved: Option<Saved>,
}

impl<'s> Recovery<'s> {
    pub(super) fn new(shell: &'s mut Shell) -> Self {
        // Only the counters of this copy are used.
        let counters = State {
            tested: shell.state.tested,
            loops: shell.state.loops,
            calls: shell.state.calls,
            depth: shell.state.depth,
            ..State::default()
        };
        let saved = Some((
            shell.streams.clone(),
            shell.state.descriptors.clone(),
            shell.parameters.clone(),
            counters,
        ));
        Self { shell, saved }
    }

    /// The script ended by itself.
    pub(super) fn done(mut self) {
        self.saved = None;
    }
}

impl Drop for Recovery<'_> {
    fn drop(&mut self) {
        let Some((streams, descriptors, parameters, counters)) = self.saved.take() else { return };
        while !self.shell.state.frames.is_empty() {
            self.shell.pop_frame();
        }
        self.shell.streams = streams;
        self.shell.parameters = parameters;
        let state = &mut self.shell.state;
        state.descriptors = descriptors;
        (state.tested, state.loops) = (counters.tested, counters.loops);
        (state.calls, state.depth) = (counters.calls, counters.depth);
        state.jump = None;
    }
}

impl Shell {
    /// True if the commands that follow do not run.
    pub(super) const fn is_leaving(&self) -> bool {
        self.exit.is_some() || self.state.jump.is_some()
    }

    /// Reports an error of the language, which ends the script.
    pub(super) async fn abort(&mut self, message: &str) -> Status {
        self.complain(message).await;
        self.state.jump = Some(Jump::Abort);
        self.status = Status::USAGE;
        self.status
    }

    /// `$-`: the letters of the options that are on.
    pub(super) fn options(&self) -> String {
        let options = [
            (self.stop_on_failure, 'e'),
            (self.interactive, 'i'),
            (self.state.options.unset_is_error, 'u'),
            (self.state.options.trace, 'x'),
        ];
        options.into_iter().filter_map(|(on, letter)| on.then_some(letter)).collect()
    }

    /// Restores the variables of the last frame.
    pub(super) fn pop_frame(&mut self) {
        for (name, value) in self.state.frames.pop().unwrap_or_default().into_iter().rev() {
            match value {
                Some(value) => drop(self.variables.insert(name, value)),
                None => drop(self.variables.remove(&name)),
            }
        }
    }

    /// Ends the shell: runs the trap of `EXIT` and returns the status.
    pub async fn finish(&mut self) -> Status {
        let status = self.exit.unwrap_or(self.status);
        if let Some(action) = self.state.traps.remove(&Trap::Exit) {
            self.exit = None;
            self.state.jump = None;
            self.status = status;
            self.run(&action).await;
        }
        // An `exit` of the trap counts, its other commands do not.
        *self.exit.get_or_insert(status)
    }

    /// After Ctrl-C ended a script: sets its status and runs the trap of `INT`.
    pub async fn interrupted(&mut self) {
        self.status = Status::INTERRUPTED;
        if let Some(action) = self.state.traps.get(&Trap::Interrupt).cloned() {
            self.run(&action).await;
        }
    }
}
