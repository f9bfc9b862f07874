//! The lines that were typed, over restarts.
//!
//! They are kept in a file of the host, one line for each; an end of line within one is `\n` there,
//! a backslash two. Each is appended when it is typed, so that nothing is lost when the program
//! ends, and several programs may share the file. It is readable by its owner only. A line that
//! begins with a blank is not kept: that is how a key is typed. Filled by the terminal, read by the
//! builtin `history`.

use std::fs::{self, OpenOptions};
use std::io::{ErrorKind, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use devnet_virtual_file_system::Lock;

use crate::limits;

/// The history of a terminal. Clones share it.
#[derive(Clone, Default)]
pub struct History(Arc<Lock<State>>);

#[derive(Default)]
struct State {
    lines: Vec<String>,
    /// How many older lines were forgotten: numbers stay.
    forgotten: usize,
    file: Option<PathBuf>,
    /// Lines of the file.
    stored: usize,
}

/// The file for a host's user: below the folder of state of the XDG base directories.
#[must_use]
pub fn file(variable: impl Fn(&str) -> Option<PathBuf>) -> Option<PathBuf> {
    // A relative path is to be ignored (XDG Base Directory Specification 0.8).
    let absolute = |name: &str| variable(name).filter(|path| path.is_absolute());
    let state = absolute("XDG_STATE_HOME")
        .or_else(|| absolute("HOME").map(|home| home.join(".local").join("state")))?;
    Some(state.join("devnet").join("history"))
}

impl History {
    /// The history in a file, which is created with the first line.
    ///
    /// # Errors
    /// The file and the reason, in one line. The history then is one without a file.
    pub fn open(path: &Path) -> (Self, Result<(), String>) {
        let mut state = State::default();
        let outcome = match read(path) {
            Ok(lines) => {
                state.stored = lines.len();
                state.file = Some(path.to_owned());
                state.lines = lines;
                state.shorten();
                Ok(())
            }
            Err(why) => Err(format!("{}: {why}", path.display())),
        };
        (Self(Arc::new(Lock::new(state))), outcome)
    }

    /// Adds a line, unless it is empty, begins with a blank or repeats the last one.
    ///
    /// # Errors
    /// The file and the reason, in one line; the line is kept in memory, and the file is left
    /// alone from then on.
    pub fn add(&self, line: &str) -> Result<(), String> {
        self.0.with(|state| {
            let is_kept = !line.trim().is_empty()
                && !line.starts_with([' ', '\t'])
                && line.len() <= limits::HISTORY_LINE_BYTES
                && state.lines.last().is_none_or(|last| last != line);
            if !is_kept {
                return Ok(());
            }
            state.lines.push(line.to_owned());
            state.shorten();
            state.store(line)
        })
    }

    /// Forgets all lines, in the file too.
    ///
    /// # Errors
    /// The file and the reason, in one line.
    pub fn clear(&self) -> Result<(), String> {
        self.0.with(|state| {
            state.lines.clear();
            (state.forgotten, state.stored) = (0, 0);
            match state.file.as_deref().map(|path| (path, fs::remove_file(path))) {
                Some((path, Err(why))) if why.kind() != ErrorKind::NotFound => {
                    Err(format!("{}: {why}", path.display()))
                }
                _ => Ok(()),
            }
        })
    }

    /// The lines from a number on, each with its own; the first one has 1.
    #[must_use]
    pub fn last(&self, count: usize) -> Vec<(usize, String)> {
        self.0.with(|state| {
            let skipped = state.lines.len().saturating_sub(count);
            let first = state.forgotten.saturating_add(skipped).saturating_add(1);
            let lines = state.lines.iter().skip(skipped).cloned();
            (first..).zip(lines).collect()
        })
    }

    /// How many lines there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.with(|state| state.lines.len())
    }

    /// True if there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// A line by its place; the oldest is 0.
    #[must_use]
    pub fn line(&self, place: usize) -> Option<String> {
        self.0.with(|state| state.lines.get(place).cloned())
    }

    /// The newest line before `place` that `is_wanted`, with its place.
    pub fn find(&self, place: usize, is_wanted: impl Fn(&str) -> bool) -> Option<(usize, String)> {
        self.0.with(|state| {
            let lines = state.lines.iter().enumerate().take(place).rev();
            let mut wanted = lines.filter(|(_, line)| is_wanted(line));
            wanted.next().map(|(place, line)| (place, line.clone()))
        })
    }
}

impl State {
    fn shorten(&mut self) {
        let excess = self.lines.len().saturating_sub(limits::HISTORY_LINES);
        self.lines.drain(..excess);
        self.forgotten = self.forgotten.saturating_add(excess);
    }

    /// Appends to the file; once it has twice the lines it is written anew.
    fn store(&mut self, line: &str) -> Result<(), String> {
        let Some(path) = self.file.clone() else { return Ok(()) };
        self.stored = self.stored.saturating_add(1);
        let stored = if self.stored >= limits::HISTORY_LINES.saturating_mul(2) {
            self.stored = self.lines.len();
            rewrite(&path, &self.lines)
        } else {
            append(&path, &escape(line))
        };
        stored.map_err(|why| {
            self.file = None;
            format!("{}: {why}", path.display())
        })
    }
}

/// Opens a file for its owner only.
fn private(options: &mut OpenOptions, path: &Path) -> std::io::Result<fs::File> {
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(options, 0o600);
    options.open(path)
}

fn append(path: &Path, line: &str) -> std::io::Result<()> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    let mut file = private(OpenOptions::new().append(true).create(true), path)?;
    // One write: lines of several programs stay whole.
    file.write_all(format!("{line}\n").as_bytes())
}

/// Replaces the file at once: whoever reads it meanwhile has the former one.
fn rewrite(path: &Path, lines: &[String]) -> std::io::Result<()> {
    let new = path.with_extension("new");
    let mut file = private(OpenOptions::new().write(true).create(true).truncate(true), &new)?;
    let text: String = lines.iter().map(|line| format!("{}\n", escape(line))).collect();
    file.write_all(text.as_bytes())?;
    fs::rename(&new, path)
}

/// The last lines of the file.
fn read(path: &Path) -> std::io::Result<Vec<String>> {
    let file = match fs::File::open(path) {
        Ok(file) => file,
        Err(why) if why.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        Err(why) => return Err(why),
    };
    let mut bytes = Vec::new();
    file.take(limits::HISTORY_BYTES).read_to_end(&mut bytes)?;
    // What is no text of ours does no harm: lines are only shown.
    let text = String::from_utf8_lossy(&bytes);
    let is_kept = |line: &&str| line.len() <= limits::HISTORY_LINE_BYTES.saturating_mul(2);
    Ok(text.lines().filter(is_kept).map(unescape).collect())
}

fn escape(line: &str) -> String {
    line.replace('\\', "\\\\").replace('\n', "\\n")
}

fn unescape(line: &str) -> String {
    let mut text = String::with_capacity(line.len());
    let mut characters = line.chars();
    while let Some(character) = characters.next() {
        match character {
            '\\' => match characters.next() {
                Some('n') => text.push('\n'),
                Some(other) => text.push(other),
                None => {}
            },
            character => text.push(character),
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A folder of its own that goes with the test.
    struct Folder(PathBuf);

    impl Folder {
        fn new(name: &str) -> Self {
            let name = format!("devnet-history-{name}-{}", std::process::id());
            Self(std::env::temp_dir().join(name))
        }
    }

    impl Drop for Folder {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    #[test]
    fn lines_are_there_after_a_restart_and_for_nobody_else() {
        let folder = Folder::new("restart");
        let path = folder.0.join("devnet").join("history");
        let (history, outcome) = History::open(&path);
        outcome.unwrap();
        for line in ["a \\n b", "for x in 1\ndo :; done", "", " secret", "true", "true"] {
            history.add(line).unwrap();
        }
        let (again, outcome) = History::open(&path);
        outcome.unwrap();
        let expected = ["a \\n b", "for x in 1\ndo :; done", "true"];
        let numbered: Vec<_> = (1..).zip(expected.map(str::to_owned)).collect();
        assert_eq!(again.last(9), numbered);
        #[cfg(unix)]
        {
            let mode = std::os::unix::fs::PermissionsExt::mode(
                &fs::metadata(&path).unwrap().permissions(),
            );
            assert_eq!(mode & 0o777, 0o600);
        }
        again.clear().unwrap();
        again.clear().unwrap();
        assert!(again.is_empty() && !path.exists());
    }

    #[test]
    fn history_is_bounded_in_memory_and_in_the_file() {
        let folder = Folder::new("bound");
        let path = folder.0.join("history");
        let (history, _) = History::open(&path);
        history.add(&"x".repeat(limits::HISTORY_LINE_BYTES + 1)).unwrap();
        assert!(history.is_empty());
        for number in 0..limits::HISTORY_LINES * 2 {
            history.add(&format!("echo {number}")).unwrap();
        }
        assert_eq!(history.len(), limits::HISTORY_LINES);
        let number = limits::HISTORY_LINES * 2;
        assert_eq!(history.last(1), [(number, format!("echo {}", number - 1))]);
        let text = fs::read_to_string(&path).unwrap();
        assert_eq!(text.lines().count(), limits::HISTORY_LINES);
    }

    #[test]
    fn the_file_is_below_the_folder_of_state() {
        let with = |state: &'static str| {
            file(move |name| match name {
                "XDG_STATE_HOME" => Some(state.into()),
                _ => Some("/home/u".into()),
            })
        };
        assert_eq!(with("/s"), Some("/s/devnet/history".into()));
        assert_eq!(with("relative"), Some("/home/u/.local/state/devnet/history".into()));
        assert_eq!(file(|_| None), None);
    }

    #[test]
    fn a_file_that_cannot_be_is_reported_once() {
        let folder = Folder::new("broken");
        fs::create_dir_all(&folder.0).unwrap();
        let (history, outcome) = History::open(&folder.0);
        assert!(outcome.is_err());
        assert_eq!(history.add("a"), Ok(()));
        fs::write(folder.0.join("file"), "").unwrap();
        let (history, outcome) = History::open(&folder.0.join("other").join("history"));
        outcome.unwrap();
        fs::write(folder.0.join("other"), "").unwrap();
        assert!(history.add("a").is_err());
        assert_eq!((history.add("b"), history.len()), (Ok(()), 2));
    }
}
