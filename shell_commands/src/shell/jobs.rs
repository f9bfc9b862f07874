//! Background jobs.
//!
//! A job is a future on the platform's spawner, raced against its cancellation: `kill` and the end
//! of the shell drop the future and with it all its files. Called by [`execute`](super::execute)
//! and the [`builtins`](super::builtins); this module knows no commands.

use std::sync::Arc;

use async_lock::OnceCell;
use devnet_network::platform::{BoxFuture, Spawner};
use futures_lite::future;

use crate::limits;
use crate::status::Status;

/// One job of a shell.
pub struct Job {
    /// Number for `%N`.
    pub number: usize,
    /// The command's text.
    pub text: String,
    ended: Arc<OnceCell<Status>>,
    cancelled: Arc<OnceCell<()>>,
}

impl Job {
    /// The status, once the job has ended.
    #[must_use]
    pub fn status(&self) -> Option<Status> {
        self.ended.get().copied()
    }

    /// Ends the job; no effect if it has ended.
    pub fn cancel(&self) {
        // Only this sets the cell, so it never blocks.
        let _ = self.cancelled.set_blocking(());
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
        work: BoxFuture<'static, Status>,
    ) -> Result<usize, &'static str> {
        if self.jobs.len() >= limits::JOBS {
            return Err("too many jobs");
        }
        let number = self.jobs.last().map_or(1, |job| job.number.saturating_add(1));
        let job = Job { number, text, ended: Arc::default(), cancelled: Arc::default() };
        let (ended, cancelled) = (Arc::clone(&job.ended), Arc::clone(&job.cancelled));
        spawner.spawn(Box::pin(async move {
            let cancellation = async {
                cancelled.wait().await;
                Status::KILLED
            };
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

    /// Finds the job `%N` or `N`; `%%`, `%+` and the empty string mean the newest.
    #[must_use]
    pub fn find(&self, text: &str) -> Option<&Job> {
        match text.strip_prefix('%').unwrap_or(text) {
            "" | "%" | "+" => self.jobs.last(),
            number => {
                let number: usize = number.parse().ok()?;
                self.jobs.iter().find(|job| job.number == number)
            }
        }
    }

    /// Removes one job, which ends if it still runs.
    pub fn forget(&mut self, number: usize) {
        self.jobs.retain(|job| {
            if job.number == number {
                job.cancel();
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
            job.cancel();
        }
    }
}
