//! Runs each cell in a process of its own, so that one that panics or hangs costs only itself.

use std::io::Read;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use crate::cell::{Peer, Task};

/// How long a cell may take; setting up 10,000 connections takes some peers half of it.
const LIMIT: Duration = Duration::from_secs(60);

/// What came of a cell.
#[derive(Clone, Debug)]
pub(crate) enum Ending {
    Figures {
        values: Vec<f64>,
        note: Option<String>,
    },
    /// In a few words.
    Failure(String),
}

/// Reads everything on a thread of its own.
fn reader(mut from: impl Read + Send + 'static) -> mpsc::Receiver<String> {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        let mut text = Vec::new();
        // What was read before an error is all there is.
        _ = from.read_to_end(&mut text);
        _ = sender.send(String::from_utf8_lossy(&text).into_owned());
    });
    receiver
}

/// Runs a cell in a child process.
pub(crate) fn cell(peer: Peer, task: Task, is_quick: bool) -> Ending {
    let program = std::env::current_exe().expect("a program that runs has a path");
    let mut command = Command::new(program);
    command
        .args(["--cell", peer.name(), &task.name()])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    if is_quick {
        command.arg("--quick");
    }
    match command.spawn() {
        Ok(child) => watch(child),
        Err(error) => Ending::Failure(format!("not started: {error}")),
    }
}

fn watch(mut child: Child) -> Ending {
    let output = child.stdout.take().map(reader).expect("output is piped");
    let errors = child.stderr.take().map(reader).expect("errors are piped");
    let text = output.recv_timeout(LIMIT);
    if text == Err(RecvTimeoutError::Timeout) {
        // It may just have ended by itself.
        _ = child.kill();
    }
    let status = child.wait();
    let errors = errors.recv_timeout(LIMIT).unwrap_or_default();
    let Ok(text) = text else { return Ending::Failure(String::from("timed out")) };
    let panic = panic_message(&errors);
    match (status, parse(&text)) {
        (Ok(status), Some((values, note))) if status.success() => {
            // A task that panicked may leave its process alive.
            Ending::Figures {
                values,
                note: panic.map(|panic| format!("panicked: {panic}")).or(note),
            }
        }
        (Ok(status), _) => Ending::Failure(match panic {
            Some(panic) => format!("panicked: {panic}"),
            None => format!("{status}"),
        }),
        (Err(error), _) => Ending::Failure(format!("{error}")),
    }
}

/// The first panic's message.
fn panic_message(errors: &str) -> Option<String> {
    let mut lines = errors.lines().skip_while(|line| !line.contains("panicked at"));
    lines.next()?;
    let message: String = lines.next().unwrap_or_default().chars().take(80).collect();
    Some(message.replace('|', "/"))
}

/// What a cell prints: its figures, and a note.
pub(crate) fn print(values: &[f64], note: Option<&str>) {
    let values: Vec<String> = values.iter().map(f64::to_string).collect();
    println!("figures {} note {}", values.join(" "), note.unwrap_or_default());
}

fn parse(text: &str) -> Option<(Vec<f64>, Option<String>)> {
    let line = text.lines().find_map(|line| line.strip_prefix("figures "))?;
    let (values, note) = line.split_once(" note ").unwrap_or((line, ""));
    let values = values.split_whitespace().map(str::parse).collect::<Result<_, _>>().ok()?;
    Some((values, Some(String::from(note.trim())).filter(|note| !note.is_empty())))
}
