//! What runs in the background.
//!
//! A job is a future on the platform's spawner, raced against its cancellation, so that `kill`, and
//! the end of the shell, drop what it runs and with it every file that it holds. Called by
//! [`execute`](super::execute) and the [`builtins`](super::builtins); nothing here knows what a
//! command is.

use std::sync::Arc;

use async_lock::OnceCell;
use futures_lite::future;
use network::platform::{BoxFuture, Spawner};

use crate::limits;
use crate::status::Status;

/// One job as its shell sees it.
pub struct Job {
    /// Number for `%N`.
    pub number: usize,
    /// The command as people recognise it.
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

    /// Ends the job; one that has ended stays as it is.
    pub fn cancel(&self) {
        // The cell is filled once and by nobody else at the same time, so this never waits.
        let _ = self.cancelled.set_blocking(());
    }

    /// Waits for the end without keeping the shell borrowed.
    pub fn wait(&self) -> impl Future<Output = Status> + Send + 'static {
        let ended = Arc::clone(&self.ended);
        async move { *ended.wait().await }
    }
}

/// The jobs of one shell. Dropping it ends them all.
#[derive(Default)]
pub struct Jobs {
    jobs: Vec<Job>,
}

impl Jobs {
    /// Starts `work` in the background and tells the job's number.
    ///
    /// # Errors
    /// A reason in words when there are too many jobs or the spawner refuses.
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
            // The race drops the work before anybody learns that the job has ended.
            let status = future::or(cancellation, work).await;
            let _ = ended.set(status).await;
        }))?;
        self.jobs.push(job);
        Ok(number)
    }

    /// The jobs in the order in which they were started.
    pub fn iter(&self) -> impl Iterator<Item = &Job> {
        self.jobs.iter()
    }

    /// The job that `%N` or `N` means, and `%%`, `%+` or nothing the newest.
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

    /// Forgets one job, which ends if it still runs.
    pub fn forget(&mut self, number: usize) {
        self.jobs.retain(|job| {
            if job.number == number {
                job.cancel();
            }
            job.number != number
        });
    }

    /// Takes out the jobs that have ended.
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
