//! Background jobs.
//!
//! A job is a future on the platform's spawner, raced against its cancellation: `kill` and the end
//! of the shell drop the future and with it all its files. It can be stopped
//! (`control`). Called by [`execute`](super::execute)
//! and the [`builtins`](super::builtins); this module knows no commands.

use std::sync::Arc;

use async_lock::OnceCell;
use devnet_network::platform::{BoxFuture, Spawner};
use futures_lite::future;

use super::control::JobControl;
use super::signals::{Signal, Signals};
use crate::limits;
use crate::status::Status;

/// The status after `kill -9`.
const KILLED: Status = Status(137);

/// One job of a shell.
pub struct Job {
    /// Number for `%N`.
    pub number: usize,
    /// The command's text.
    pub text: String,
    ended: Arc<OnceCell<Status>>,
    cancelled: Arc<OnceCell<Status>>,
    signals: Signals,
    control: JobControl,
}

/// What a job is made of.
pub(super) struct Work {
    /// The command's text.
    pub(super) text: String,
    /// Where its signals arrive.
    pub(super) signals: Signals,
    /// What stops it.
    pub(super) control: JobControl,
    /// The job itself.
    pub(super) work: BoxFuture<'static, Status>,
}

impl Job {
    /// The status, once the job has ended.
    #[must_use]
    pub fn status(&self) -> Option<Status> {
        self.ended.get().copied()
    }

    /// Ends the job with a status; no effect if it has ended.
    pub fn cancel(&self, status: Status) {
        // Only this sets the cell, so it never blocks.
        let _ = self.cancelled.set_blocking(status);
    }

    /// True if something ended the job, or ends it soon.
    pub(super) fn is_cancelled(&self) -> bool {
        self.cancelled.is_initialized()
    }

    /// True if the job is stopped.
    #[must_use]
    pub fn is_stopped(&self) -> bool {
        self.status().is_none() && self.control.is_stopped()
    }

    pub(super) const fn control(&self) -> &JobControl {
        &self.control
    }

    /// Sends a signal. It ends the job unless that has a trap for it.
    pub fn signal(&self, signal: Signal) {
        if self.signals.is_trapped(signal) {
            self.signals.send(signal);
        } else if !signal.is_harmless() {
            self.cancel(signal.status());
        }
    }

    /// Waits for the job without borrowing the shell.
    pub fn wait(&self) -> impl Future<Output = Status> + Send + 'static {
        let ended = Arc::clone(&self.ended);
        async move { *ended.wait().await }
    }
}

/// The jobs of one shell. Dropping it ends all of them.
#[derive(Default)]
pub struct Jobs {
    jobs: Vec<Job>,
}

impl Jobs {
    /// Starts `work` in the background and returns the job's number.
    ///
    /// # Errors
    /// A message if there are too many jobs or the spawner refuses.
    pub(super) fn start(
        &mut self,
        spawner: &dyn Spawner,
        work: Work,
    ) -> Result<usize, &'static str> {
        let Work { text, signals, control, work } = work;
        if self.jobs.len() >= limits::JOBS {
            return Err("too many jobs");
        }
        let number = self.jobs.last().map_or(1, |job| job.number.saturating_add(1));
        let (ended, cancelled) = (Arc::default(), Arc::default());
        let job = Job { number, text, ended, cancelled, signals, control: control.clone() };
        let (ended, cancelled) = (Arc::clone(&job.ended), Arc::clone(&job.cancelled));
        spawner.spawn(Box::pin(async move {
            let cancellation = async { *cancelled.wait().await };
            // The race drops the work before anybody sees that the job has ended.
            let status = future::or(cancellation, control.run(work)).await;
            let _ = ended.set(status).await;
        }))?;
        self.jobs.push(job);
        Ok(number)
    }

    /// Returns the jobs in the order in which they were started.
    pub fn iter(&self) -> impl Iterator<Item = &Job> {
        self.jobs.iter()
    }

    /// Finds the job `%N` or `N`; `%%`, `%+` and the empty string mean the newest, `%-` the one
    /// before it, `%TEXT` and `%?TEXT` the newest that begins with the text or has it.
    #[must_use]
    pub fn find(&self, text: &str) -> Option<&Job> {
        match text.strip_prefix('%').unwrap_or(text) {
            "" | "%" | "+" => self.jobs.last(),
            "-" => self.jobs.iter().rev().nth(1).or(self.jobs.last()),
            name => {
                if let Ok(number) = name.parse::<usize>() {
                    return self.jobs.iter().find(|job| job.number == number);
                }
                let is_named = |job: &&Job| match name.strip_prefix('?') {
                    Some(part) => job.text.contains(part),
                    None => text.starts_with('%') && job.text.starts_with(name),
                };
                self.jobs.iter().rev().find(is_named)
            }
        }
    }

    /// Removes one job, which ends if it still runs.
    pub fn forget(&mut self, number: usize) {
        self.jobs.retain(|job| {
            if job.number == number {
                job.cancel(Status::KILLED);
            }
            job.number != number
        });
    }

    /// Removes and returns the jobs that have ended.
    pub fn take_ended(&mut self) -> Vec<Job> {
        self.jobs.extract_if(.., |job| job.status().is_some()).collect()
    }
}

impl Drop for Jobs {
    fn drop(&mut self) {
        for job in &self.jobs {
            job.cancel(Status::KILLED);
        }
    }
}

/// One line of `jobs`, as POSIX shells print it.
pub(crate) fn describe_job(job: &Job) -> String {
    let state = match job.status() {
        None if job.is_stopped() => "Stopped".to_owned(),
        None => "Running".to_owned(),
        Some(Status::SUCCESS) => "Done".to_owned(),
        Some(KILLED) => "Killed".to_owned(),
        Some(Status::INTERRUPTED) => "Interrupt".to_owned(),
        Some(Status::KILLED) => "Terminated".to_owned(),
        Some(status) => format!("Exit {status}"),
    };
    format!("[{}]  {state:<10}  {}\n", job.number, job.text)
}
