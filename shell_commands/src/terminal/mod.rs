//! The interactive terminal: lines are edited and run, until `exit` or Ctrl-D.
//!
//! It is the same on the host's terminal ([`host`]), over telnet and on a serial line: a
//! [`Terminal`] has input, output, a window, keys that are pressed while a command runs, and a mode
//! that is switched between editing and running. The editor reads single bytes and only while it
//! edits; so what is typed or pasted ahead stays where it is, for the next line or for the command
//! that reads it. [`keys`] makes keys of the bytes, `editor` edits, `screen` draws.
//!
//! Called by [`program`](crate::program) and [`remote`](crate::remote).

mod editor;
pub mod host;
pub mod keys;
mod screen;
mod text;

use std::sync::Arc;

use devnet_virtual_file_system::{Error, File};
use futures_lite::future;

use crate::completion;
use crate::context::Files;
use crate::limits;
use crate::shell::Shell;
use crate::shell::jobs::describe_job;
use crate::shell::keyboard::Keyboard;
use crate::shell::parser;
use crate::shell::signals::Signal;
use crate::status::Status;
use crate::window::Window;
use editor::{Editor, Effect};
use keys::{Decoder, Key};
use screen::Screen;

/// The modes of a terminal.
pub trait Modes: Send + Sync {
    /// While a line is edited every byte comes at once and nothing is echoed; otherwise the
    /// terminal edits lines for the commands that read them, and Ctrl-C and Ctrl-Z are keys of the
    /// [`Keyboard`].
    ///
    /// # Errors
    /// The reason, in one line.
    fn edit(&self, is_editing: bool) -> Result<(), String>;
}

/// What a shell is typed at.
#[derive(Clone)]
pub struct Terminal {
    /// The bytes that are typed.
    pub input: File,
    /// Where the line is drawn.
    pub output: File,
    /// Its size.
    pub window: Window,
    /// The keys that are pressed while a command runs.
    pub keyboard: Keyboard,
    /// Its modes.
    pub modes: Arc<dyn Modes>,
}

/// Reads and runs lines until `exit`, Ctrl-D, or the end of the terminal.
pub async fn run(shell: &mut Shell, terminal: &Terminal) -> Status {
    shell.interactive = true;
    shell.keyboard = Some(terminal.keyboard.clone());
    let mut lines = Lines::new(shell, terminal);
    let mut warned = false;
    while shell.exit.is_none() {
        for job in shell.jobs.take_ended() {
            shell.streams.error.remark(&describe_job(&job)).await;
        }
        match lines.next(&shell.files).await {
            Line::Text(text) => {
                if let Err(why) = shell.history.add(&text) {
                    shell.complain(&format!("history: {why}")).await;
                }
                execute(shell, terminal, &text).await;
                warned &= shell.exit.is_some();
            }
            Line::Nothing => shell.status = Status::INTERRUPTED,
            Line::End => shell.exit = Some(shell.status),
            Line::Gone(signal) => {
                shell.signals().send(signal);
                shell.notice().await;
                shell.exit.get_or_insert(signal.status());
                break;
            }
            Line::Failed(why) => {
                shell.complain(&format!("terminal: {why}")).await;
                shell.exit = Some(Status::FAILURE);
                break;
            }
        }
        if shell.exit.is_some() && !warned && shell.jobs.iter().any(|job| job.is_stopped()) {
            shell.streams.error.remark("There are stopped jobs.\n").await;
            shell.exit = None;
            warned = true;
        }
    }
    shell.exit.unwrap_or(shell.status)
}

/// Runs a line. Ctrl-C drops what runs.
async fn execute(shell: &mut Shell, terminal: &Terminal, text: &str) {
    let keyboard = &terminal.keyboard;
    keyboard.forget();
    let interrupted = async {
        keyboard.interrupted().await;
        None
    };
    let ended = async {
        keyboard.ended().await;
        Some(())
    };
    let done = async {
        shell.run(text).await;
        Some(())
    };
    if future::or(ended, future::or(interrupted, done)).await.is_none() {
        shell.streams.error.remark("\n").await;
        shell.interrupted().await;
    }
}

/// The user's input.
#[derive(Debug)]
enum Line {
    /// A line.
    Text(String),
    /// Ctrl-C.
    Nothing,
    /// Ctrl-D, or the end of the input.
    End,
    /// The terminal is gone, or somebody wants an end.
    Gone(Signal),
    /// The terminal fails.
    Failed(String),
}

/// Switches pastes with marks on, and off; a terminal without them ignores it.
const PASTES: (&str, &str) = ("\u{1b}[?2004h", "\u{1b}[?2004l");

/// Reads lines.
struct Lines<'t> {
    terminal: &'t Terminal,
    editor: Editor,
    decoder: Decoder,
    screen: Screen,
}

/// The terminal edits while it lives.
struct Editing<'t>(&'t dyn Modes);

impl<'t> Editing<'t> {
    fn start(modes: &'t dyn Modes) -> Result<Self, String> {
        modes.edit(true)?;
        Ok(Self(modes))
    }
}

impl Drop for Editing<'_> {
    fn drop(&mut self) {
        // The next start reports what is wrong.
        let _ = self.0.edit(false);
    }
}

enum Event {
    Byte(Result<Option<u8>, Error>),
    Resized,
    Ended(Signal),
}

impl<'t> Lines<'t> {
    fn new(shell: &Shell, terminal: &'t Terminal) -> Self {
        Self {
            terminal,
            editor: Editor::new(shell.history.clone()),
            decoder: Decoder::default(),
            screen: Screen::default(),
        }
    }

    async fn write(&self, text: &str) {
        // A terminal that is gone is noticed by its input.
        let _ = self.terminal.output.write_all(text.as_bytes()).await;
    }

    async fn next(&mut self, files: &Files) -> Line {
        let _editing = match Editing::start(self.terminal.modes.as_ref()) {
            Ok(editing) => editing,
            Err(why) => return Line::Failed(why),
        };
        self.editor.reset();
        self.decoder = Decoder::default();
        let prompt = format!("devnet:{}# ", files.directory().as_str());
        let line = self.edit(files, &prompt).await;
        let view = self.editor.view(&prompt, true);
        let mark = if matches!(line, Line::Nothing) { "^C" } else { "" };
        let drawn = self.screen.draw(&view, self.terminal.window.size());
        let end = format!("{drawn}{mark}{}{}", PASTES.1, self.screen.leave());
        self.write(&end).await;
        line
    }

    async fn edit(&mut self, files: &Files, prompt: &str) -> Line {
        self.write(PASTES.0).await;
        let mut seen = self.terminal.window.changes();
        loop {
            let drawn =
                self.screen.draw(&self.editor.view(prompt, false), self.terminal.window.size());
            self.write(&drawn).await;
            let mut event = self.event(seen).await;
            let mut keys = 0;
            // All that is there already, before it is drawn.
            loop {
                let byte = match event {
                    Event::Ended(signal) => return Line::Gone(signal),
                    Event::Resized => {
                        seen = self.terminal.window.changes();
                        break;
                    }
                    Event::Byte(Ok(Some(byte))) => byte,
                    Event::Byte(Ok(None)) => return Line::End,
                    Event::Byte(Err(why)) => return Line::Failed(why.to_string()),
                };
                if let Some(key) = self.decoder.take(byte)
                    && let Some(line) = self.key(key, files).await
                {
                    return line;
                }
                keys = usize::wrapping_add(keys, 1);
                if keys.is_multiple_of(limits::KEYS) {
                    future::yield_now().await;
                }
                let mut byte = [0];
                event = match self.terminal.input.try_read(&mut byte) {
                    Err(Error::WouldBlock) => break,
                    read => Event::Byte(read.map(|count| (count > 0).then_some(byte[0]))),
                };
            }
        }
    }

    async fn event(&self, seen: u64) -> Event {
        let Terminal { input, window, keyboard, .. } = self.terminal;
        let read = async {
            let mut byte = [0];
            let read = input.read(&mut byte).await;
            Event::Byte(read.map(|count| (count > 0).then_some(byte[0])))
        };
        let resized = async {
            window.changed(seen).await;
            Event::Resized
        };
        let ended = async { Event::Ended(keyboard.ended().await) };
        future::or(ended, future::or(resized, read)).await
    }

    /// Takes a key; returns the line that it ends.
    async fn key(&mut self, key: Key, files: &Files) -> Option<Line> {
        match self.editor.take(key) {
            Effect::None => {}
            Effect::Bell => self.write("\u{7}").await,
            Effect::Submit => {
                let text = self.editor.text();
                let is_incomplete = parser::parse(text).is_err_and(|error| error.is_incomplete());
                if !is_incomplete {
                    return Some(Line::Text(text.to_owned()));
                }
                if !self.editor.continue_line() {
                    self.write("\u{7}").await;
                }
            }
            Effect::Interrupt => return Some(Line::Nothing),
            Effect::End => return Some(Line::End),
            Effect::Clear => {
                let clear = self.screen.clear();
                self.write(clear).await;
            }
            Effect::Complete => self.complete(files).await,
        }
        None
    }

    /// Completes the word before the cursor as far as it is certain, or lists what it may become.
    async fn complete(&mut self, files: &Files) {
        let before = self.editor.before();
        let (start, mut candidates) = completion::complete(files, before);
        let word = before.get(start..).unwrap_or_default();
        let common = common_prefix(&candidates);
        if common.len() > word.len() {
            let common = common.to_owned();
            self.editor.replace(start, &common);
            return;
        }
        if candidates.len() < 2 {
            self.write("\u{7}").await;
            return;
        }
        let excess = candidates.len().saturating_sub(limits::COMPLETIONS);
        candidates.truncate(limits::COMPLETIONS);
        let names: Vec<String> = candidates.iter().map(|word| last_part(word).to_owned()).collect();
        let mut text = self.screen.leave();
        text.push_str(&screen::columns(&names, self.terminal.window.size()));
        if excess > 0 {
            text.push_str(&format!("... and {excess} more\r\n"));
        }
        self.write(&text).await;
    }
}

fn common_prefix(words: &[String]) -> &str {
    let Some((first, rest)) = words.split_first() else { return "" };
    let mut length = first.len();
    for word in rest {
        let same = first.char_indices().zip(word.chars());
        let end = same.take_while(|((_, left), right)| left == right).last();
        let end = end.map_or(0, |((place, last), _)| place.saturating_add(last.len_utf8()));
        length = length.min(end);
    }
    first.get(..length).unwrap_or_default()
}

/// Of a path its last part, as lists show it.
fn last_part(word: &str) -> &str {
    let word = word.trim_end();
    let end = word.trim_end_matches('/').len();
    let start = word.get(..end).and_then(|word| word.rfind('/'));
    start.and_then(|start| word.get(start.saturating_add(1)..)).unwrap_or(word)
}

#[cfg(test)]
mod tests;
