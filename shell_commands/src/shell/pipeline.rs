//! What runs beside the shell: the stages of a pipeline, and background jobs.
//!
//! Each is a subshell, which has a copy of the shell's state. Called by
//! [`execute`](super::execute).

use devnet_network::platform::BoxFuture;
use devnet_virtual_file_system::pipe;
use futures_lite::future;

use super::Shell;
use super::control::JobControl;
use super::jobs::Work;
use super::syntax::{Command, List};
use crate::context::Stream;
use crate::limits;
use crate::status::Status;

/// Polls of a new job before the next command starts.
pub(super) const STARTING_TURNS: usize = 64;

impl Shell {
    /// Runs the stages concurrently; the status is that of the last, or with `pipefail` that of
    /// the last that failed.
    pub(super) async fn stages(&mut self, commands: &[Command]) -> Status {
        let fails = self.state.options.pipe_fails;
        let mut running: BoxFuture<'static, Status> = Box::pin(async { Status::SUCCESS });
        let control = JobControl::foreground();
        let mut input = None;
        for (index, command) in commands.iter().enumerate() {
            let mut stage = self.subshell();
            stage.streams.input = match input.take() {
                Some(reader) => Stream::new(reader, "pipe"),
                None => self.job_input(&self.streams.input, &control),
            };
            if index.saturating_add(1) < commands.len() {
                let (reader, writer) = pipe(limits::PIPE_BYTES);
                stage.streams.output = Stream::new(writer, "pipe");
                input = Some(reader);
            }
            let before = running;
            // The stages own all they need, since Ctrl-Z makes them a job.
            let command = command.clone();
            running = Box::pin(async move {
                // Move the subshell in here, so that its end of the pipe closes when the stage
                // ends.
                let run = async move {
                    let mut stage = stage;
                    stage.status = stage.command(&command).await;
                    stage.finish().await
                };
                let (earlier, last) = future::zip(before, run).await;
                if fails && last.is_success() { earlier } else { last }
            });
        }
        let text = self.typed();
        self.in_foreground(&text, control, running).await
    }

    pub(super) async fn start_job(&mut self, list: &List, text: &str) {
        let mut shell = self.subshell();
        shell.state.listen_apart();
        let signals = shell.signals();
        // Empty input: a job must not read the shell's terminal input.
        let (nothing, writer) = pipe(1);
        drop(writer);
        shell.streams.input = Stream::new(nothing, "standard input");
        let list = List { background: None, ..list.clone() };
        let work = Box::pin(async move {
            shell.list(&list).await;
            shell.finish().await
        });
        let spawner = std::sync::Arc::clone(&self.platform.spawner);
        let control = JobControl::default();
        let work = Work { text: text.to_owned(), signals, control, work };
        self.status = match self.jobs.start(&*spawner, work) {
            Ok(number) => {
                self.state.last_job = Some(number);
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
}
