//! The command in the foreground of an interactive shell, which Ctrl-Z makes a job.
//!
//! Called by `execute` and `pipeline` for what owns all it needs: commands, pipelines, subshells.

use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use devnet_network::platform::BoxFuture;
use devnet_virtual_file_system::{
    Error, File, OpenDevice, OpenFlags, Operation, Readiness, Result,
};
use futures_lite::future;

use super::Shell;
use super::control::JobControl;
use super::jobs::{self, Work};
use super::signals::Signals;
use crate::context::Stream;
use crate::status::Status;

/// The terminal as a job reads it.
struct JobInput {
    terminal: File,
    control: JobControl,
}

impl OpenDevice for JobInput {
    fn read<'a>(&'a self, buffer: &'a mut [u8]) -> Operation<'a, usize> {
        Operation::waiting(async move {
            let mut read = pin!(self.terminal.read(buffer));
            future::poll_fn(|context| {
                if self.control.may_read(context) {
                    read.as_mut().poll(context)
                } else {
                    Poll::Pending
                }
            })
            .await
        })
    }

    fn write<'a>(&'a self, _: &'a [u8]) -> Operation<'a, usize> {
        Operation::done(Err(Error::BadFileDescriptor))
    }

    fn poll_ready(&self, context: &mut Context<'_>, interest: Readiness) -> Poll<Readiness> {
        if !self.control.may_read(context) {
            return Poll::Pending;
        }
        self.terminal
            .poll_ready(context, interest)
            .map(|ready: Result<Readiness>| ready.unwrap_or(Readiness::ERROR))
    }
}

impl Shell {
    /// A stream as a job with this control reads it: the terminal only in the foreground.
    pub(super) fn job_input(&self, stream: &Stream, control: &JobControl) -> Stream {
        if self.keyboard.is_none() || stream.terminal.is_none() {
            return stream.clone();
        }
        let device = JobInput { terminal: stream.file.clone(), control: control.clone() };
        let file = File::from_device(Arc::new(device), OpenFlags::READ);
        Stream { file, ..stream.clone() }
    }

    /// The line that was typed last: the text of a job that is more than one command.
    pub(super) fn typed(&self) -> String {
        self.history.last(1).pop().map(|(_, line)| line).unwrap_or_default()
    }

    /// Runs work that Ctrl-Z stops and makes a job, which ends the line: what stands behind it does
    /// not run. Without a keyboard it just runs.
    pub(super) async fn in_foreground(
        &mut self,
        text: &str,
        control: JobControl,
        mut work: BoxFuture<'static, Status>,
    ) -> Status {
        let Some(keyboard) = self.keyboard.clone() else { return work.await };
        let suspended = async {
            keyboard.suspended().await;
            None
        };
        let ended = async { Some(work.as_mut().await) };
        if let Some(status) = future::or(ended, suspended).await {
            return status;
        }
        control.stop();
        let signals = Signals::default();
        let work = Work { text: text.to_owned(), signals, control, work };
        let spawner = Arc::clone(&self.platform.spawner);
        match self.jobs.start(&*spawner, work) {
            Ok(number) => {
                let line = self.jobs.find(&number.to_string()).map(jobs::describe_job);
                let line = format!("\n{}", line.unwrap_or_default());
                self.streams.error.remark(&line).await;
            }
            // It ends here.
            Err(why) => self.complain(&format!("{text}: {why}")).await,
        }
        self.leave();
        self.status = Status::STOPPED;
        Status::STOPPED
    }
}
