//! Background jobs.
//!
//! A job is a future on the platform's spawner, raced against its cancellation: `kill` and the end
//! of the shell drop the future and with it all its files. Called by [`execute`](super::execute)
//! and the [`builtins`](super::builtins); this module knows no commands.

use std::sync::Arc;

use async_lock::OnceCell;
use devnet_network::platform::{BoxFuture, Spawner};
use futures_lite::future;

use super::signals::{Signal, Signals};
use crate::limits;
use crate::status::Status;

/// One job of a shell.
pub struct Job {
    /// Number for `%N`.
    pub number: usize,
    /// The command's text.
    pub text: String,
    ended: Arc<OnceCell<Status>>,
    cancelled: Arc<OnceCell<Status>>,
    signals: Signals,
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
    pub fn start(
        &mut self,
        spawner: &dyn Spawner,
        text: String,
        signals: Signals,
        work: BoxFuture<'static, Status>,
    ) -> Result<usize, &'static str> {
        if self.jobs.len() >= limits::JOBS {
            return Err("too many jobs");
        }
        let number = self.jobs.last().map_or(1, |job| job.number.saturating_add(1));
        let job = Job { number, text, ended: Arc::default(), cancelled: Arc::default(), signals };
        let (ended, cancelled) = (Arc::clone(&job.ended), Arc::clone(&job.cancelled));
        spawner.spawn(Box::pin(async move {
            let cancellation = async { *cancelled.wait().await };
            // The race drops the work before anybody sees that the job has ended.
            let status = future::or(cancellation, work).await;
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
