//! Runs parsed scripts.
//!
//! Defines the order of execution: lists run one after another, the stages of a pipeline
//! concurrently, and redirections from left to right before the command starts. A single command
//! runs in the shell itself, so that `cd` and `NAME=value` persist; a stage of a longer pipeline
//! and a job run in a subshell. Commands come from the shell's table.
//!
//! The future of a command owns all its resources: dropping the future of [`Shell::execute`] closes
//! them.

use devnet_network::platform::BoxFuture;
use devnet_virtual_file_system::{OpenFlags, pipe};
use futures_lite::future;

use super::command::{self, Action};
use super::lexer::{Descriptor, Direction};
use super::parser::{Command, Connector, List, Pipeline, Redirection, Script, Target};
use super::{Shell, builtins, expand};
use crate::context::{Context, Stream, Streams};
use crate::limits;
use crate::status::Status;

/// Polls of a new job before the next command starts.
const STARTING_TURNS: usize = 64;

impl Shell {
    /// Runs a script and returns the last status.
    pub async fn execute(&mut self, script: &Script) -> Status {
        for list in &script.lists {
            if list.background {
                self.start_job(list).await;
            } else {
                self.list(list).await;
            }
            if let Some(status) = self.exit {
                return status;
            }
        }
        self.status
    }

    async fn list(&mut self, list: &List) {
        // As in POSIX, `-e` considers only the last pipeline, and none under `!`.
        let mut decisive = list.rest.is_empty();
        let mut negated = list.first.negated;
        self.pipeline(&list.first).await;
        for (index, (connector, pipeline)) in list.rest.iter().enumerate() {
            if self.exit.is_some() {
                return;
            }
            if self.status.is_success() == (*connector == Connector::And) {
                self.pipeline(pipeline).await;
                decisive = index.saturating_add(1) == list.rest.len();
                negated = pipeline.negated;
            }
        }
        if self.stop_on_failure && decisive && !negated && !self.status.is_success() {
            self.exit.get_or_insert(self.status);
        }
    }

    async fn pipeline(&mut self, pipeline: &Pipeline) {
        let status = match pipeline.commands.as_slice() {
            [command] => self.command(command).await,
            commands => self.stages(commands).await,
        };
        self.status =
            if pipeline.negated { Status::from_success(!status.is_success()) } else { status };
    }

    /// Runs the stages concurrently; the status is that of the last.
    async fn stages(&mut self, commands: &[Command]) -> Status {
        let mut running: BoxFuture<'_, Status> = Box::pin(async { Status::SUCCESS });
        let mut input = None;
        for (index, command) in commands.iter().enumerate() {
            let mut stage = self.subshell();
            if let Some(reader) = input.take() {
                stage.streams.input = Stream::new(reader, "pipe");
            }
            if index.saturating_add(1) < commands.len() {
                let (reader, writer) = pipe(limits::PIPE_BYTES);
                stage.streams.output = Stream::new(writer, "pipe");
                input = Some(reader);
            }
            let before = running;
            running = Box::pin(async move {
                // Move the subshell in here, so that its end of the pipe closes when the stage
                // ends.
                let run = async move {
                    let mut stage = stage;
                    let status = stage.command(command).await;
                    stage.exit.unwrap_or(status)
                };
                future::zip(before, run).await.1
            });
        }
        running.await
    }

    async fn start_job(&mut self, list: &List) {
        let mut shell = self.subshell();
        // Empty input: a job must not read the shell's terminal input.
        let (nothing, writer) = pipe(1);
        drop(writer);
        shell.streams.input = Stream::new(nothing, "standard input");
        let list = List { background: false, ..list.clone() };
        let text = describe(&list);
        let work = Box::pin(async move {
            shell.list(&list).await;
            shell.exit.unwrap_or(shell.status)
        });
        let spawner = std::sync::Arc::clone(&self.platform.spawner);
        self.status = match self.jobs.start(&*spawner, text.clone(), work) {
            Ok(number) => {
                // A job runs up to its first wait before the next command starts: a server then
                // listens.
                for _ in 0..STARTING_TURNS {
                    future::yield_now().await;
                }
                if self.interactive {
                    self.streams.error.remark(&format!("[{number}] {text}\n")).await;
                }
                Status::SUCCESS
            }
            Err(why) => {
                self.complain(&format!("{text} &: {why}")).await;
                Status::FAILURE
            }
        };
    }

    /// Runs one command in this shell.
    pub(super) async fn command(&mut self, command: &Command) -> Status {
        let prepared = match self.prepare(command) {
            Ok(prepared) => prepared,
            Err(why) => {
                self.complain(&why).await;
                return Status::FAILURE;
            }
        };
        let (words, streams) = prepared;
        let Some((name, arguments)) = words.split_first() else {
            return self.assign(command).await;
        };
        self.invoke(name, arguments, streams).await
    }

    fn prepare(&self, command: &Command) -> Result<(Vec<String>, Streams), String> {
        let words = expand::fields(self, &command.words)?;
        let mut streams = self.streams.clone();
        for redirection in &command.redirections {
            self.redirect(&mut streams, redirection)?;
        }
        Ok((words, streams))
    }

    /// Runs the command `name`; builtins such as `time` call this again.
    pub(super) fn invoke<'a>(
        &'a mut self,
        name: &'a str,
        arguments: &'a [String],
        streams: Streams,
    ) -> BoxFuture<'a, Status> {
        Box::pin(async move {
            let Some(command) = command::find(self.commands, name) else {
                streams.error.remark(&format!("devnet: {name}: command not found\n")).await;
                return Status::NOT_FOUND;
            };
            let context = Context {
                name: name.to_owned(),
                help: command.help(),
                arguments: arguments.to_vec(),
                files: self.files.clone(),
                streams,
                platform: self.platform.clone(),
            };
            match command.action {
                Action::Run(_) => command.start(context).await,
                Action::Builtin(builtin) => builtins::run(self, builtin, command, context).await,
            }
        })
    }

    /// Only the platform creates devices: a redirection to a missing name below `/devices` is an
    /// error and creates no file.
    fn without_new_devices(&self, path: &str, flags: OpenFlags) -> OpenFlags {
        let is_below_devices =
            self.files.resolve(path).is_ok_and(|path| path.as_str().starts_with("/devices/"));
        if is_below_devices { flags.difference(OpenFlags::CREATE) } else { flags }
    }

    /// `NAME=value` without a command.
    async fn assign(&mut self, command: &Command) -> Status {
        for (name, word) in &command.assignments {
            match expand::single(self, word) {
                Ok(value) => drop(self.variables.insert(name.clone(), value)),
                Err(why) => {
                    self.complain(&format!("{name}: {why}")).await;
                    return Status::FAILURE;
                }
            }
        }
        Status::SUCCESS
    }

    fn redirect(&self, streams: &mut Streams, redirection: &Redirection) -> Result<(), String> {
        let stream = match &redirection.target {
            Target::Stream(Descriptor::Error) => streams.error.clone(),
            Target::Stream(_) => streams.output.clone(),
            Target::File(direction, word) => {
                let path = expand::single(self, word)?;
                let flags = match direction {
                    Direction::Read => OpenFlags::READ,
                    Direction::Append => OpenFlags::WRITE | OpenFlags::CREATE | OpenFlags::APPEND,
                    Direction::Truncate | Direction::Duplicate => {
                        OpenFlags::WRITE | OpenFlags::CREATE | OpenFlags::TRUNCATE
                    }
                };
                let file = self
                    .files
                    .open(&path, self.without_new_devices(&path, flags))
                    .map_err(|why| format!("{path}: {why}"))?;
                Stream::new(file, &path)
            }
        };
        match redirection.descriptor {
            Descriptor::Input => streams.input = stream,
            Descriptor::Output => streams.output = stream,
            Descriptor::Error => streams.error = stream,
        }
        Ok(())
    }
}

/// The text of a list in `jobs`: its words without quotes.
fn describe(list: &List) -> String {
    let mut text = describe_pipeline(&list.first);
    for (connector, pipeline) in &list.rest {
        text.push_str(&format!(" {} ", connector.text()));
        text.push_str(&describe_pipeline(pipeline));
    }
    text
}

fn describe_pipeline(pipeline: &Pipeline) -> String {
    let stages: Vec<String> = pipeline
        .commands
        .iter()
        .map(|command| command.words.iter().map(ToString::to_string).collect::<Vec<_>>().join(" "))
        .collect();
    stages.join(" | ")
}
