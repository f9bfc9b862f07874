//! Compound commands: groups, conditions, loops, `case` and functions.
//!
//! Called by [`execute`](super::execute) with the redirections in force.

use super::Shell;
use super::control::JobControl;
use super::expand;
use super::pattern::Matcher;
use super::state::Jump;
use super::syntax::{Kind, Script, Word};
use crate::status::Status;

impl Shell {
    pub(super) async fn compound(&mut self, kind: &Kind) -> Status {
        match kind {
            Kind::Group(body) => {
                self.script(body).await;
                self.status
            }
            Kind::Subshell(body) => {
                let mut shell = self.subshell();
                shell.state.tested = self.state.tested;
                let control = JobControl::foreground();
                shell.streams.input = self.job_input(&self.streams.input, &control);
                // It owns all it needs, since Ctrl-Z makes it a job.
                let body = body.clone();
                let work = Box::pin(async move {
                    shell.script(&body).await;
                    shell.finish().await
                });
                let text = self.typed();
                self.in_foreground(&text, control, work).await
            }
            Kind::If(branches, otherwise) => {
                self.conditions(branches, otherwise.as_ref()).await;
                self.status
            }
            Kind::Loop { until, condition, body } => self.repeat(*until, condition, body).await,
            Kind::For(name, words, body) => self.for_each(name, words.as_deref(), body).await,
            Kind::Case(subject, arms) => self.case(subject, arms).await,
            Kind::Function(name, body) => {
                self.state.functions.insert(name.clone(), std::sync::Arc::clone(body));
                Status::SUCCESS
            }
            // `execute` runs these itself.
            Kind::Simple { .. } => Status::FAILURE,
        }
    }

    async fn conditions(&mut self, branches: &[(Script, Script)], otherwise: Option<&Script>) {
        for (condition, body) in branches {
            let holds = self.test(condition).await;
            if self.is_leaving() {
                return;
            }
            if holds {
                return self.script(body).await;
            }
        }
        match otherwise {
            Some(body) => self.script(body).await,
            None => self.status = Status::SUCCESS,
        }
    }

    /// Runs the body of a loop once; false if the loop ends.
    async fn turn(&mut self, body: &Script) -> bool {
        self.script(body).await;
        self.goes_on()
    }

    /// Takes a `break` or `continue` that is for this loop; false if the loop ends.
    fn goes_on(&mut self) -> bool {
        let (jump, goes_on) = match self.state.jump {
            Some(Jump::Break(count)) => ((count > 1).then(|| Jump::Break(count - 1)), false),
            Some(Jump::Continue(count)) => {
                ((count > 1).then(|| Jump::Continue(count - 1)), count <= 1)
            }
            other => (other, other.is_none()),
        };
        self.state.jump = jump;
        goes_on && self.exit.is_none()
    }

    async fn repeat(&mut self, until: bool, condition: &Script, body: &Script) -> Status {
        let mut status = Status::SUCCESS;
        self.state.loops = self.state.loops.saturating_add(1);
        loop {
            let holds = self.test(condition).await;
            if self.is_leaving() {
                if self.state.jump != Some(Jump::Abort) && self.goes_on() {
                    continue;
                }
                status = self.status;
                break;
            }
            if holds == until {
                break;
            }
            let goes_on = self.turn(body).await;
            status = self.status;
            if !goes_on {
                break;
            }
        }
        self.state.loops = self.state.loops.saturating_sub(1);
        status
    }

    async fn for_each(&mut self, name: &str, words: Option<&[Word]>, body: &Script) -> Status {
        let values = match words {
            Some(words) => match expand::fields(self, words).await {
                Ok(values) => values,
                Err(why) => return self.abort(&why).await,
            },
            None => self.parameters.get(1..).unwrap_or_default().to_vec(),
        };
        let mut status = Status::SUCCESS;
        self.state.loops = self.state.loops.saturating_add(1);
        for value in values {
            if let Err(why) = self.assign(name, value) {
                self.state.loops = self.state.loops.saturating_sub(1);
                return self.abort(&why).await;
            }
            let goes_on = self.turn(body).await;
            status = self.status;
            if !goes_on {
                break;
            }
        }
        self.state.loops = self.state.loops.saturating_sub(1);
        status
    }

    async fn case(&mut self, subject: &Word, arms: &[(Vec<Word>, Script)]) -> Status {
        match self.arm(subject, arms).await {
            Ok(Some(body)) if !body.lists.is_empty() => {
                self.script(body).await;
                self.status
            }
            Ok(_) => Status::SUCCESS,
            Err(why) => self.abort(&why).await,
        }
    }

    /// The first arm with a pattern that matches.
    async fn arm<'a>(
        &mut self,
        subject: &Word,
        arms: &'a [(Vec<Word>, Script)],
    ) -> Result<Option<&'a Script>, String> {
        let text: Vec<char> = expand::single(self, subject).await?.chars().collect();
        for (patterns, body) in arms {
            for word in patterns {
                let pattern = expand::pattern(self, word).await?;
                if Matcher::new(&pattern).matches(&text)? {
                    return Ok(Some(body));
                }
            }
        }
        Ok(None)
    }
}
