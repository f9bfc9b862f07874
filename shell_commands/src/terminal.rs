//! The interactive terminal: the line editor on its own thread, and Ctrl-C.
//!
//! The editor blocks its thread while the user types; the shell's task awaits the line, so the
//! network keeps running. At the prompt the editor handles Ctrl-C; while a command runs it is a
//! signal, which drops only the command's future. Called by [`program`](crate::program).

use std::sync::Arc;
use std::sync::mpsc::{self, Sender};
use std::task::{Poll, Waker};
use std::thread;

use async_lock::OnceCell;
use devnet_virtual_file_system::Lock;
use futures_lite::future;
use rustyline::completion::Completer;
use rustyline::error::ReadlineError;
use rustyline::highlight::Highlighter;
use rustyline::hint::Hinter;
use rustyline::history::MemHistory;
use rustyline::validate::{ValidationContext, ValidationResult, Validator};
use rustyline::{CompletionType, Config, Editor, Helper};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::{Handle, Signals};

use crate::completion;
use crate::context::Files;
use crate::shell::builtins::describe_job;
use crate::shell::parser;
use crate::shell::signals::Signal;
use crate::shell::{self, Shell};
use crate::status::Status;

/// Reads and runs lines until `exit` or Ctrl-D.
pub async fn run(shell: &mut Shell) -> Status {
    let lines = match Lines::start() {
        Ok(lines) => lines,
        Err(why) => return fail(shell, &why).await,
    };
    let interrupts = match Interrupts::start() {
        Ok(interrupts) => interrupts,
        Err(why) => return fail(shell, &why.to_string()).await,
    };
    shell.interactive = true;
    while shell.exit.is_none() {
        for job in shell.jobs.take_ended() {
            shell.streams.error.remark(&describe_job(&job)).await;
        }
        match lines.next(&shell.files).await {
            Line::Text(text) => {
                interrupts.forget();
                let interrupted = async {
                    interrupts.next().await;
                    None
                };
                let status = future::or(interrupted, async { Some(shell.run(&text).await) }).await;
                if status.is_none() {
                    shell.streams.error.remark("\n").await;
                    shell.interrupted().await;
                }
            }
            Line::Nothing => shell.status = Status::INTERRUPTED,
            Line::End => break,
            Line::Refused(why) => shell.status = fail(shell, &why).await,
            Line::Failed(why) => return fail(shell, &why).await,
        }
    }
    shell.exit.unwrap_or(shell.status)
}

async fn fail(shell: &Shell, why: &str) -> Status {
    shell.complain(&format!("terminal: {why}")).await;
    Status::FAILURE
}

/// The user's input.
#[derive(Clone, Debug)]
enum Line {
    /// A line.
    Text(String),
    /// Ctrl-C at the prompt.
    Nothing,
    /// Ctrl-D.
    End,
    /// Input that is not UTF-8.
    Refused(String),
    /// None: the terminal is gone.
    Failed(String),
}

struct Request {
    files: Files,
    reply: Arc<OnceCell<Line>>,
}

/// The line editor's thread; dropping this ends it.
struct Lines {
    requests: Sender<Request>,
}

impl Lines {
    fn start() -> Result<Self, String> {
        let (requests, received) = mpsc::channel::<Request>();
        let config =
            Config::builder().completion_type(CompletionType::List).auto_add_history(true).build();
        let mut editor = Editor::<Assistant, MemHistory>::with_history(config, MemHistory::new())
            .map_err(|why| why.to_string())?;
        let edit = move || {
            for Request { files, reply } in received {
                let prompt = format!("devnet:{}# ", files.directory().as_str());
                editor.set_helper(Some(Assistant { files }));
                let line = match editor.readline(&prompt) {
                    Ok(text) => Line::Text(text),
                    Err(ReadlineError::Interrupted) => Line::Nothing,
                    Err(ReadlineError::Eof) => Line::End,
                    // The window size changed: prompt again.
                    Err(ReadlineError::Signal(_)) => Line::Text(String::new()),
                    // Bytes that are not UTF-8: reject the line, not the terminal.
                    Err(ReadlineError::Io(why))
                        if why.kind() == std::io::ErrorKind::InvalidData =>
                    {
                        Line::Refused(why.to_string())
                    }
                    Err(why) => Line::Failed(why.to_string()),
                };
                // Each reply is set once, so this never blocks.
                let _ = reply.set_blocking(line);
            }
        };
        thread::Builder::new()
            .name(String::from("line editor"))
            .spawn(edit)
            .map_err(|why| why.to_string())?;
        Ok(Self { requests })
    }

    async fn next(&self, files: &Files) -> Line {
        let reply = Arc::new(OnceCell::new());
        let request = Request { files: files.clone(), reply: Arc::clone(&reply) };
        if self.requests.send(request).is_err() {
            return Line::Failed(String::from("the line editor ended"));
        }
        reply.wait().await.clone()
    }
}

/// Completes words, and continues an incomplete line.
struct Assistant {
    files: Files,
}

impl Completer for Assistant {
    type Candidate = String;

    fn complete(
        &self,
        line: &str,
        position: usize,
        _: &rustyline::Context<'_>,
    ) -> rustyline::Result<(usize, Vec<String>)> {
        Ok(completion::complete(&self.files, line.get(..position).unwrap_or(line)))
    }
}

impl Validator for Assistant {
    fn validate(&self, context: &mut ValidationContext<'_>) -> rustyline::Result<ValidationResult> {
        Ok(match parser::parse(context.input()) {
            Err(error) if error.is_incomplete() => ValidationResult::Incomplete,
            _ => ValidationResult::Valid(None),
        })
    }
}

impl Hinter for Assistant {
    type Hint = String;
}

impl Highlighter for Assistant {}

impl Helper for Assistant {}

/// Passes signals for the program on to a shell while it lives.
pub(crate) struct Forwarding(Handle);

impl Drop for Forwarding {
    fn drop(&mut self) {
        self.0.close();
    }
}

/// Passes signals on. `None` if that cannot be: they then end the program, as ever.
pub(crate) fn forward(to: shell::signals::Signals) -> Option<Forwarding> {
    let mut signals = Signals::new([SIGHUP, SIGINT, SIGTERM]).ok()?;
    let handle = signals.handle();
    let pass = move || {
        for number in signals.forever() {
            to.send(match number {
                SIGHUP => Signal::HANG_UP,
                SIGINT => Signal::INTERRUPT,
                _ => Signal::TERMINATE,
            });
        }
    };
    thread::Builder::new().name(String::from("signals")).spawn(pass).ok()?;
    Some(Forwarding(handle))
}

/// Catches Ctrl-C while it lives; the signal then does not end the program.
struct Interrupts {
    state: Arc<Lock<Pressed>>,
    handle: Handle,
}

#[derive(Default)]
struct Pressed {
    pending: bool,
    waiting: Option<Waker>,
}

impl Interrupts {
    fn start() -> std::io::Result<Self> {
        let mut signals = Signals::new([SIGINT])?;
        let handle = signals.handle();
        let state = Arc::new(Lock::new(Pressed::default()));
        let shared = Arc::clone(&state);
        let watch = move || {
            for _ in signals.forever() {
                let waiting = shared.with(|pressed| {
                    pressed.pending = true;
                    pressed.waiting.take()
                });
                if let Some(waker) = waiting {
                    waker.wake();
                }
            }
        };
        thread::Builder::new().name(String::from("interrupts")).spawn(watch)?;
        Ok(Self { state, handle })
    }

    /// Discards a Ctrl-C that came while no command ran.
    fn forget(&self) {
        self.state.with(|pressed| pressed.pending = false);
    }

    async fn next(&self) {
        future::poll_fn(|context| {
            self.state.with(|pressed| {
                if std::mem::take(&mut pressed.pending) {
                    return Poll::Ready(());
                }
                pressed.waiting = Some(context.waker().clone());
                Poll::Pending
            })
        })
        .await;
    }
}

impl Drop for Interrupts {
    fn drop(&mut self) {
        self.handle.close();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signal_ends_the_wait_and_only_one() {
        let interrupts = Interrupts::start().unwrap();
        signal_hook::low_level::raise(SIGINT).unwrap();
        future::block_on(interrupts.next());
        interrupts.forget();
        assert_eq!(future::block_on(future::poll_once(interrupts.next())), None);
    }
}
