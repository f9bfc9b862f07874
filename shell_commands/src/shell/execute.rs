//! Runs parsed scripts.
//!
//! Defines the order of execution: lists run one after another, the stages of a pipeline
//! concurrently, and redirections from left to right before the command starts. A single command
//! runs in the shell itself, so that `cd` and `NAME=value` persist; a stage of a longer pipeline,
//! a job and `( … )` run in a subshell. Commands come from the shell's functions and its table.
//!
//! Each level of nesting is a future of its own on the heap, and their number is bounded by
//! [`limits::EXECUTION_DEPTH`]. Levels give way to other tasks again and again, so that an endless
//! loop or recursion stops nobody, and ends when its future is dropped.
//!
//! The future of a command owns all its resources: dropping the future of [`Shell::execute`] closes
//! them.

use devnet_network::platform::BoxFuture;
use futures_lite::future;

use super::command::{self, Action};
use super::control::JobControl;
use super::launch::Launcher;
use super::state::{Jump, Recovery};
use super::syntax::{Command, Connector, Kind, List, Pipeline, Script, Word};
use super::{Shell, builtins, expand, lookup, stack};
use crate::context::Context;
use crate::limits;
use crate::status::Status;

impl Shell {
    /// Runs a script and returns the last status.
    pub async fn execute(&mut self, script: &Script) -> Status {
        let recovery = Recovery::new(self);
        recovery.shell.script(script).await;
        recovery.done();
        // Only an error of the language ends more than this script.
        let failed = self.state.jump.take() == Some(Jump::Abort);
        if self.state.recovers() {
            self.status = Status::USAGE;
        }
        if failed && !self.interactive {
            self.exit.get_or_insert(self.status);
        }
        self.exit.unwrap_or(self.status)
    }

    /// Runs lists one level deeper.
    pub(super) fn script<'a>(&'a mut self, script: &'a Script) -> BoxFuture<'a, ()> {
        stack::growing(async move {
            if self.state.depth >= limits::EXECUTION_DEPTH || self.state.is_exhausted() {
                self.exhaust("too deeply nested").await;
                return;
            }
            if self.state.has_too_many_subshells() {
                self.exhaust("too many subshells").await;
                return;
            }
            self.state.turn = self.state.turn.wrapping_add(1);
            if self.state.turn.is_multiple_of(limits::EXECUTION_TURN) {
                future::yield_now().await;
            }
            self.state.depth = self.state.depth.saturating_add(1);
            for list in &script.lists {
                match &list.background {
                    Some(text) => Box::pin(self.start_job(list, text)).await,
                    None => self.list(list).await,
                }
                self.notice().await;
                if self.is_leaving() {
                    break;
                }
            }
            self.state.depth = self.state.depth.saturating_sub(1);
        })
    }

    /// Runs a condition, whose failure `-e` does not look at; returns its success.
    pub(super) async fn test(&mut self, condition: &Script) -> bool {
        self.state.tested = self.state.tested.saturating_add(1);
        self.script(condition).await;
        self.state.tested = self.state.tested.saturating_sub(1);
        self.status.is_success()
    }

    pub(super) async fn list(&mut self, list: &List) {
        // As in POSIX, `-e` considers only the last pipeline, and none under `!`.
        let mut decisive = list.rest.is_empty();
        let mut negated = list.first.negated;
        self.pipeline(&list.first, decisive).await;
        for (index, (connector, pipeline)) in list.rest.iter().enumerate() {
            if self.is_leaving() {
                return;
            }
            if self.status.is_success() == (*connector == Connector::And) {
                decisive = index.saturating_add(1) == list.rest.len();
                negated = pipeline.negated;
                self.pipeline(pipeline, decisive).await;
            }
        }
        let counts = decisive && !negated && self.state.tested == 0;
        if self.stop_on_failure && counts && !self.status.is_success() && !self.is_leaving() {
            self.exit = Some(self.status);
        }
    }

    async fn pipeline(&mut self, pipeline: &Pipeline, decisive: bool) {
        let tested = usize::from(pipeline.negated || !decisive);
        self.state.tested = self.state.tested.saturating_add(tested);
        let status = match pipeline.commands.as_slice() {
            [command] => self.command(command).await,
            commands => Box::pin(self.stages(commands)).await,
        };
        self.state.tested = self.state.tested.saturating_sub(tested);
        let negates = pipeline.negated && !self.is_leaving();
        self.status = if negates { Status::from_success(!status.is_success()) } else { status };
    }

    /// Runs one command in this shell.
    ///
    /// The parts are futures of their own on the heap: what nests takes less stack then.
    pub(super) async fn command(&mut self, command: &Command) -> Status {
        match &command.kind {
            Kind::Simple { .. } if let Some((script, name)) = self.alias(command) => {
                self.state.replacing.push(name);
                self.script(&script).await;
                self.state.replacing.pop();
                self.status
            }
            Kind::Simple { assignments, words } => {
                Box::pin(self.simple(command, assignments, words)).await
            }
            kind => Box::pin(self.redirected_compound(command, kind)).await,
        }
    }

    async fn redirected_compound(&mut self, command: &Command, kind: &Kind) -> Status {
        match self.redirected(&command.redirections).await {
            Ok((streams, descriptors)) => {
                let streams = std::mem::replace(&mut self.streams, streams);
                let descriptors = std::mem::replace(&mut self.state.descriptors, descriptors);
                let status = Box::pin(self.compound(kind)).await;
                self.streams = streams;
                self.state.descriptors = descriptors;
                status
            }
            Err(failed) => failed.report(self).await,
        }
    }

    async fn simple(
        &mut self,
        command: &Command,
        assignments: &[(String, Word)],
        words: &[Word],
    ) -> Status {
        self.state.substituted = None;
        // As in ash, lines are counted from the start of the function.
        let before = self.state.function_line.saturating_sub(1);
        self.state.line = command.line.saturating_sub(before);
        let words = match self.words(words).await {
            Ok(words) => words,
            Err(why) => return self.abort(&why).await,
        };
        let (streams, descriptors) = match self.redirected(&command.redirections).await {
            Ok(redirected) => redirected,
            Err(failed) => return failed.report(self).await,
        };
        let mut values = Vec::new();
        for (name, word) in assignments {
            let value = match expand::assigned(self, word).await {
                Ok(value) => value,
                Err(why) => return self.abort(&format!("{name}: {why}")).await,
            };
            if words.is_empty()
                && let Err(why) = self.assign(name, value.clone())
            {
                return self.abort(&why).await;
            }
            values.push((name.clone(), value));
        }
        self.trace(&values, &words).await;
        let Some((name, arguments)) = words.split_first() else {
            return self.state.substituted.unwrap_or_default();
        };
        // Assignments before a special builtin stay (POSIX 2.14), others end with the command.
        let stays = !self.state.functions.contains_key(name) && lookup::is_special(name);
        let mut frame = Vec::new();
        for (name, value) in values {
            frame.push(self.former(&name));
            if let Err(why) = self.assign(&name, value) {
                return self.abort(&why).await;
            }
            if !stays {
                self.state.exported.insert(name);
            }
        }
        if !stays {
            self.state.frames.push(frame);
        }
        let streams = std::mem::replace(&mut self.streams, streams);
        let descriptors = std::mem::replace(&mut self.state.descriptors, descriptors);
        let status = self.invoke(name, arguments).await;
        // `exec` alone makes its redirections those of the shell.
        if name != "exec" || !status.is_success() {
            self.streams = streams;
            self.state.descriptors = descriptors;
        }
        if !stays {
            self.pop_frame();
        }
        status
    }

    /// The arguments of a command; values of `export` and `local` are not cut.
    async fn words(&mut self, words: &[Word]) -> Result<Vec<String>, String> {
        let declares = words.first().and_then(Word::bare);
        if !matches!(declares, Some("export" | "local" | "readonly")) {
            return expand::fields(self, words).await;
        }
        let mut all = Vec::new();
        for word in words {
            match super::parser::assignment(word) {
                Some((name, value)) => {
                    let value = expand::assigned(self, &value).await?;
                    all.push(format!("{name}={value}"));
                }
                None => all.extend(expand::fields(self, std::slice::from_ref(word)).await?),
            }
        }
        Ok(all)
    }

    /// `set -x`
    async fn trace(&self, values: &[(String, String)], words: &[String]) {
        if self.state.options.trace {
            let values = values.iter().map(|(name, value)| format!("{name}={value}"));
            let line: Vec<String> = values.chain(words.iter().cloned()).collect();
            self.streams.error.remark(&format!("+ {}\n", line.join(" "))).await;
        }
    }

    /// Runs the command or the function `name`; builtins such as `time` call this again.
    pub(super) fn invoke<'a>(
        &'a mut self,
        name: &'a str,
        arguments: &'a [String],
    ) -> BoxFuture<'a, Status> {
        Box::pin(async move {
            let special = lookup::is_special(name);
            if let Some(body) = self.state.functions.get(name).filter(|_| !special).cloned() {
                return Box::pin(self.call(&body, arguments)).await;
            }
            Box::pin(self.start(name, arguments)).await
        })
    }

    /// Runs the command `name`, whatever functions there are.
    pub(super) fn start<'a>(
        &'a mut self,
        name: &'a str,
        arguments: &'a [String],
    ) -> BoxFuture<'a, Status> {
        Box::pin(async move {
            if self.state.depth >= limits::EXECUTION_DEPTH || self.state.is_exhausted() {
                return self.exhaust("too deeply nested").await;
            }
            let Some(command) = command::find(self.commands, name) else {
                return self.without_command(name).await;
            };
            let control = JobControl::foreground();
            let mut streams = self.streams.clone();
            if !matches!(command.action, Action::Builtin(_)) {
                streams.input = self.job_input(&streams.input, &control);
            }
            let text = || {
                let words = std::iter::once(name).chain(arguments.iter().map(String::as_str));
                words.collect::<Vec<_>>().join(" ")
            };
            let context = Context {
                name: name.to_owned(),
                help: command.help(),
                arguments: arguments.to_vec(),
                files: self.files.clone(),
                streams,
                platform: self.platform.clone(),
                environment: self.environment(),
            };
            match command.action {
                Action::Run(_) => {
                    let work = Box::pin(future::or(self.signal(), command.start(context)));
                    self.in_foreground(&text(), control, work).await
                }
                Action::Launch(launch) => {
                    let mut launcher = Launcher::new(self);
                    let work = async move {
                        let outcome = match command.asks_for_help(&context) {
                            true => context.answer(&command.help()).await,
                            false => launch(&mut launcher, &context).await,
                        };
                        command.conclude(&context, outcome).await
                    };
                    let work = Box::pin(future::or(self.signal(), work));
                    self.in_foreground(&text(), control, work).await
                }
                Action::Builtin(builtin) => {
                    self.state.depth = self.state.depth.saturating_add(1);
                    let status = Box::pin(builtins::run(self, builtin, command, context)).await;
                    self.state.depth = self.state.depth.saturating_sub(1);
                    status
                }
            }
        })
    }

    /// Calls a function: it has its own arguments and local variables.
    async fn call(&mut self, body: &Command, arguments: &[String]) -> Status {
        if self.state.depth >= limits::EXECUTION_DEPTH || self.state.is_exhausted() {
            return self.exhaust("too deeply nested").await;
        }
        let mut parameters = self.parameters.get(..1).unwrap_or_default().to_vec();
        parameters.extend_from_slice(arguments);
        let parameters = std::mem::replace(&mut self.parameters, parameters);
        let loops = std::mem::take(&mut self.state.loops);
        let replacing = std::mem::take(&mut self.state.replacing);
        let function_line = std::mem::replace(&mut self.state.function_line, body.line);
        self.state.frames.push(Vec::new());
        self.state.calls = self.state.calls.saturating_add(1);
        self.state.depth = self.state.depth.saturating_add(1);
        let status = self.command(body).await;
        self.state.depth = self.state.depth.saturating_sub(1);
        self.state.calls = self.state.calls.saturating_sub(1);
        self.pop_frame();
        (self.state.replacing, self.state.function_line) = (replacing, function_line);
        self.state.loops = loops;
        self.parameters = parameters;
        if self.state.jump == Some(Jump::Return) {
            self.state.jump = None;
            return self.status;
        }
        status
    }
}
