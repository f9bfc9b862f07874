//! What the shell language keeps between commands beside variables: functions, options, traps,
//! descriptors, and where execution stands.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::Shell;
use super::signals::{Signal, Signals};
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
    /// `-a`
    pub(super) exports_all: bool,
    /// `-f`
    pub(super) keeps_patterns: bool,
    /// `-C`
    pub(super) keeps_files: bool,
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
    /// A signal comes.
    Signal(Signal),
}

impl Trap {
    /// The condition of a name or a number.
    pub(super) fn parse(text: &str) -> Option<Self> {
        match text {
            "EXIT" | "0" => Some(Self::Exit),
            text => Signal::parse(text).map(Self::Signal),
        }
    }

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Exit => "EXIT",
            Self::Signal(signal) => signal.name(),
        }
    }
}

/// A variable as it was.
#[derive(Clone)]
pub(super) struct Former {
    name: String,
    value: Option<String>,
    exported: bool,
}

/// Variables to restore when a function or a command with assignments ends.
pub(super) type Frame = Vec<Former>;

/// The state of the language.
#[derive(Clone, Default)]
pub(super) struct State {
    pub(super) functions: BTreeMap<String, Arc<Command>>,
    pub(super) exported: BTreeSet<String>,
    pub(super) readonly: BTreeSet<String>,
    pub(super) aliases: BTreeMap<String, String>,
    /// Aliases that are being replaced: they are no aliases in what they stand for.
    pub(super) replacing: Vec<String>,
    /// The line of the command, and that of the function around it.
    pub(super) line: usize,
    pub(super) function_line: usize,
    /// Where signals of this shell arrive, and those of the shell that `$$` is.
    pub(super) signals: Signals,
    pub(super) root_signals: Signals,
    /// No subshell of another that listens for the same signals.
    pub(super) is_top: bool,
    /// How many signals were noticed.
    pub(super) signals_seen: usize,
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
    /// Levels that were started, to give way to other tasks.
    pub(super) turn: usize,
    pub(super) frames: Vec<Frame>,
    pub(super) last_job: Option<usize>,
    /// The status of the last command substitution of the command.
    pub(super) substituted: Option<Status>,
    /// A bound was reached: this shell and its subshells end.
    exhausted: Arc<AtomicBool>,
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
    /// traps, but what it ignores stays ignored.
    pub(super) fn subshell(&self) -> Self {
        let frames = if self.frames.is_empty() { Vec::new() } else { vec![Frame::new()] };
        let traps = self.ignored().map(|(trap, action)| (*trap, action.clone())).collect();
        Self { frames, traps, jump: None, is_top: false, ..self.clone() }
    }

    /// One level deeper, for a command that runs others.
    pub(super) fn deepen(&mut self) {
        self.depth = self.depth.saturating_add(2);
    }

    /// True after a bound was reached.
    pub(super) fn is_exhausted(&self) -> bool {
        self.exhausted.load(Ordering::Relaxed)
    }

    /// The script has ended; true if it reached a bound.
    pub(super) fn recovers(&self) -> bool {
        self.is_top && self.exhausted.swap(false, Ordering::Relaxed)
    }

    /// A job gets signals of its own.
    pub(super) fn listen_apart(&mut self) {
        (self.signals, self.signals_seen, self.is_top) = (Signals::default(), 0, true);
        self.exhausted = Arc::default();
        for (trap, _) in self.ignored() {
            if let Trap::Signal(signal) = trap {
                self.signals.set_trapped(*signal, true);
            }
        }
    }

    /// The state of a new shell.
    pub(super) fn new() -> Self {
        let signals = Signals::default();
        Self { root_signals: signals.clone(), signals, is_top: true, ..Self::default() }
    }

    /// The traps that ignore a signal.
    fn ignored(&self) -> impl Iterator<Item = (&Trap, &String)> {
        let is_ignored =
            |(trap, action): &(&Trap, &String)| **trap != Trap::Exit && action.is_empty();
        self.traps.iter().filter(is_ignored)
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
            function_line: shell.state.function_line,
            replacing: shell.state.replacing.clone(),
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
        (state.function_line, state.replacing) = (counters.function_line, counters.replacing);
        state.jump = None;
    }
}

impl Shell {
    /// True if the commands that follow do not run.
    pub(super) fn is_leaving(&self) -> bool {
        self.exit.is_some() || self.state.jump.is_some() || self.state.is_exhausted()
    }

    /// Ends the script after an error of the language.
    pub(super) fn leave(&mut self) {
        self.state.jump = Some(Jump::Abort);
    }

    /// Reports a bound, which ends the script with all its subshells: what runs itself again and
    /// again would else go on in them.
    pub(super) async fn exhaust(&mut self, message: &str) -> Status {
        if !self.state.exhausted.swap(true, Ordering::Relaxed) {
            self.complain(message).await;
        }
        self.leave();
        self.status = Status::USAGE;
        self.status
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
            (self.state.options.exports_all, 'a'),
            (self.state.options.keeps_files, 'C'),
            (self.stop_on_failure, 'e'),
            (self.state.options.keeps_patterns, 'f'),
            (self.interactive, 'i'),
            (self.state.options.unset_is_error, 'u'),
            (self.state.options.trace, 'x'),
        ];
        options.into_iter().filter_map(|(on, letter)| on.then_some(letter)).collect()
    }

    /// Sets a variable.
    pub(super) fn assign(&mut self, name: &str, value: String) -> Result<(), String> {
        self.writable(name)?;
        if self.state.options.exports_all {
            self.state.exported.insert(name.to_owned());
        }
        self.variables.insert(name.to_owned(), value);
        Ok(())
    }

    /// An error if a variable is read-only.
    pub(super) fn writable(&self, name: &str) -> Result<(), String> {
        if self.state.readonly.contains(name) {
            return Err(format!("{name}: is read only"));
        }
        Ok(())
    }

    /// Notes how a variable is, for a frame.
    pub(super) fn former(&self, name: &str) -> Former {
        Former {
            name: name.to_owned(),
            value: self.variables.get(name).cloned(),
            exported: self.state.exported.contains(name),
        }
    }

    /// Restores the variables of the last frame.
    pub(super) fn pop_frame(&mut self) {
        for Former { name, value, exported } in
            self.state.frames.pop().unwrap_or_default().into_iter().rev()
        {
            match exported {
                true => drop(self.state.exported.insert(name.clone())),
                false => drop(self.state.exported.remove(&name)),
            }
            match value {
                Some(value) => drop(self.variables.insert(name, value)),
                None => drop(self.variables.remove(&name)),
            }
        }
    }

    /// The exported variables, as `NAME=VALUE`.
    pub(super) fn environment(&self) -> Vec<String> {
        let pair = |name: &String| Some(format!("{name}={}", self.variables.get(name)?));
        self.state.exported.iter().filter_map(pair).collect()
    }

    /// Where signals for this shell arrive.
    #[must_use]
    pub fn signals(&self) -> Signals {
        self.state.signals.clone()
    }

    /// Runs the traps of signals that came. One without a trap ends the shell.
    pub(crate) async fn notice(&mut self) {
        while let Some((signal, seen)) = self.state.signals.after(self.state.signals_seen) {
            if self.exit.is_some() {
                return;
            }
            self.state.signals_seen = seen;
            match self.state.traps.get(&Trap::Signal(signal)).cloned() {
                Some(action) => Box::pin(self.act(&action)).await,
                None if signal.is_harmless() => {}
                None => self.exit = Some(signal.status()),
            }
        }
    }

    /// Runs the action of a trap; the status stays.
    async fn act(&mut self, action: &str) {
        let status = self.status;
        let jump = self.state.jump.take();
        match super::parser::parse(action) {
            Ok(script) => self.script(&script).await,
            Err(error) => drop(self.report(&error).await),
        }
        self.status = status;
        self.state.jump = self.state.jump.or(jump);
    }

    /// Waits for a signal that ends the command that runs, and gives its status.
    pub(crate) fn signal(&self) -> impl Future<Output = Status> + Send + 'static {
        let signals = self.state.signals.clone();
        let mut seen = self.state.signals_seen;
        let ignored: Vec<Trap> = self.state.ignored().map(|(trap, _)| *trap).collect();
        async move {
            loop {
                let (signal, count) = signals.wait(seen).await;
                if !ignored.contains(&Trap::Signal(signal)) && !signal.is_harmless() {
                    return signal.status();
                }
                seen = count;
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
        let interrupt = Trap::Signal(Signal::INTERRUPT);
        if let Some(action) = self.state.traps.get(&interrupt).cloned() {
            self.run(&action).await;
        }
    }
}
