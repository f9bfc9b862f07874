//! `diff`: compares texts line by line, and directories.
//!
//! Status 0 if nothing differs, 1 if something does, 2 when that cannot be said.

mod changes;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use async_lock::OnceCell;
use devnet_virtual_file_system::{Error, NodeKind, OpenFlags};
use lexopt::prelude::*;

use self::changes::{Key, changes, lines};
use super::bytes::fill;
use super::lines::Output;
use super::tree::join;
use crate::context::{Context, Stream};
use crate::failure::{Failure, Outcome};
use crate::limits;
use crate::render::calendar;
use crate::render::difference::{Change, Texts, normal, unified};
use crate::shown;
use crate::status::Status;

const TROUBLE: Status = Status(2);
/// Bytes at the beginning in which a zero makes a file binary.
const LOOKED_AT: usize = 8192;

#[derive(Default)]
struct Options {
    /// Lines around changes of the unified format.
    around: Option<usize>,
    brief: bool,
    says_same: bool,
    recursive: bool,
    missing_is_empty: bool,
    ignores_case: bool,
    ignores_blanks: bool,
    binary_is_text: bool,
    labels: Vec<String>,
    /// The options, as they are repeated before the differences of files in directories.
    words: String,
    paths: Vec<String>,
}

fn parse(context: &Context) -> Result<Options, Failure> {
    let mut chosen = Options::default();
    let mut options = context.options();
    while let Some(argument) = options.next()? {
        match argument {
            Short('u') => chosen.around = chosen.around.or(Some(3)),
            Short('U') | Long("unified") => {
                let count: usize = match options.optional_value() {
                    Some(value) => value.parse()?,
                    None => options.value()?.parse()?,
                };
                chosen.around = Some(count);
            }
            Short('q') | Long("brief") => chosen.brief = true,
            Short('s') | Long("report-identical-files") => chosen.says_same = true,
            Short('r') | Long("recursive") => chosen.recursive = true,
            Short('N') | Long("new-file") => chosen.missing_is_empty = true,
            Short('i') | Long("ignore-case") => chosen.ignores_case = true,
            Short('w') | Long("ignore-all-space") => chosen.ignores_blanks = true,
            Short('a') | Long("text") => chosen.binary_is_text = true,
            Short('L') | Long("label") => chosen.labels.push(options.value()?.string()?),
            Value(path) => chosen.paths.push(path.string()?),
            other => return Err(other.unexpected().into()),
        }
    }
    let is_option = |word: &&String| word.starts_with('-') && word.len() > 1;
    let words: Vec<_> = context
        .arguments
        .iter()
        .filter(is_option)
        .map(|word| format!("{} ", shown::line(word)))
        .collect();
    chosen.words = words.concat();
    Ok(chosen)
}

pub(super) async fn run(context: &Context) -> Outcome {
    compared(context).await.map_err(|why| match why.status {
        Status::BROKEN_PIPE => why,
        _ => Failure { status: TROUBLE, ..why },
    })
}

async fn compared(context: &Context) -> Outcome {
    let options = parse(context)?;
    let [old, new] = options.paths.as_slice() else {
        return Err(Failure::usage("two files are needed"));
    };
    let mut session = Session { context, options: &options, status: Status::SUCCESS };
    let is_directory = |path: &str| {
        let node = context.files.stat(path);
        path != "-" && node.is_ok_and(|node| node.kind == NodeKind::Directory)
    };
    let name = |path: &str| path.trim_end_matches('/').rsplit('/').next().unwrap_or("").to_owned();
    match (is_directory(old), is_directory(new)) {
        (true, true) => session.directories(old, new).await?,
        // A file is compared with that of the same name.
        (true, false) => session.files(&join(old, &name(new)), new, false).await?,
        (false, true) => session.files(old, &join(new, &name(old)), false).await?,
        (false, false) => session.files(old, new, false).await?,
    }
    Ok(session.status)
}

struct Session<'a> {
    context: &'a Context,
    options: &'a Options,
    status: Status,
}

/// A file in memory.
#[derive(Default)]
struct Content {
    bytes: Vec<u8>,
    modified: Duration,
}

/// What may be in two directories.
struct Pair {
    /// The directories.
    old: String,
    new: String,
    name: String,
    depth: usize,
}

impl Session<'_> {
    fn differs(&mut self) {
        if self.status == Status::SUCCESS {
            self.status = Status::FAILURE;
        }
    }

    async fn trouble(&mut self, why: &Failure) {
        self.context.complain(&why.message).await;
        self.status = TROUBLE;
    }

    /// Compares what has the same name; without `-r` no directories in directories.
    async fn directories(&mut self, old: &str, new: &str) -> Result<(), Failure> {
        let mut waiting = self.pairs(old, new, 0)?;
        while let Some(pair) = waiting.pop() {
            let (old, new) = (join(&pair.old, &pair.name), join(&pair.new, &pair.name));
            let kind = |path: &str| match self.context.files.stat(path) {
                Ok(node) => Ok(Some(node.kind)),
                Err(Error::NotFound) => Ok(None),
                Err(why) => Err(Failure::of(path, why)),
            };
            let (one, two) = match (kind(&old), kind(&new)) {
                (Ok(one), Ok(two)) => (one, two),
                (Err(why), _) | (_, Err(why)) => {
                    self.trouble(&why).await;
                    continue;
                }
            };
            let is_directory = |kind: Option<NodeKind>| {
                kind == Some(NodeKind::Directory) || kind.is_none() && self.options.missing_is_empty
            };
            let text = match (one, two) {
                // Gone meanwhile.
                (None, None) => continue,
                _ if one.or(two) == Some(NodeKind::Directory)
                    && is_directory(one)
                    && is_directory(two) =>
                {
                    if self.options.recursive {
                        waiting.extend(self.pairs(&old, &new, pair.depth.saturating_add(1))?);
                        continue;
                    }
                    self.context
                        .print(&format!("Common subdirectories: {old} and {new}\n"))
                        .await?;
                    continue;
                }
                (None, _) if !self.options.missing_is_empty => {
                    format!("Only in {}: {}\n", pair.new, pair.name)
                }
                (_, None) if !self.options.missing_is_empty => {
                    format!("Only in {}: {}\n", pair.old, pair.name)
                }
                (None | Some(NodeKind::Regular), None | Some(NodeKind::Regular)) => {
                    if let Err(why) = self.files(&old, &new, true).await {
                        if why.status == Status::BROKEN_PIPE {
                            return Err(why);
                        }
                        self.trouble(&why).await;
                    }
                    continue;
                }
                (Some(one), Some(two)) if one == two => {
                    let why = Failure::of(&old, "is no regular file, and is not compared");
                    self.trouble(&why).await;
                    continue;
                }
                (one, two) => {
                    let (one, two) = (named(one), named(two));
                    format!("File {old} is a {one} while file {new} is a {two}\n")
                }
            };
            self.differs();
            self.context.print(&text).await?;
        }
        Ok(())
    }

    /// The names in two directories, the last first.
    fn pairs(&self, old: &str, new: &str, depth: usize) -> Result<Vec<Pair>, Failure> {
        if depth > limits::DEPTH {
            return Err(Failure::of(old, "too deep"));
        }
        let mut names = BTreeSet::new();
        for directory in [old, new] {
            match self.context.files.list(directory) {
                Ok(entries) => names.extend(entries.into_iter().map(|entry| entry.name)),
                Err(Error::NotFound) if self.options.missing_is_empty => {}
                Err(why) => return Err(Failure::of(directory, why)),
            }
        }
        let pair = |name| Pair { old: old.to_owned(), new: new.to_owned(), name, depth };
        Ok(names.into_iter().rev().map(pair).collect())
    }

    async fn content(&self, path: &str) -> Result<Content, Failure> {
        if path == "-" {
            let bytes = self.read(&self.context.streams.input).await?;
            return Ok(Content { bytes, modified: self.context.platform.now() });
        }
        let opened = self.context.files.open(path, OpenFlags::READ);
        let file = match opened {
            Ok(file) => Stream::new(file, path),
            Err(Error::NotFound) if self.options.missing_is_empty => return Ok(Content::default()),
            Err(why) => return Err(Failure::of(path, why)),
        };
        let node = self.context.files.stat(path).map_err(|why| Failure::of(path, why))?;
        Ok(Content { bytes: self.read(&file).await?, modified: node.modified })
    }

    async fn read(&self, stream: &Stream) -> Result<Vec<u8>, Failure> {
        let (mut bytes, mut piece) = (Vec::new(), vec![0; limits::COPY_BYTES]);
        loop {
            let count = fill(stream, &mut piece).await?;
            bytes.extend_from_slice(piece.get(..count).unwrap_or_default());
            if count == 0 {
                return Ok(bytes);
            }
            if bytes.len() > limits::DIFFERENCE_BYTES {
                return Err(Failure::of(&stream.name, "is too long to be compared"));
            }
        }
    }

    /// Compares two files; those in directories are introduced.
    async fn files(&mut self, old: &str, new: &str, within: bool) -> Result<(), Failure> {
        let (one, two) = (self.content(old).await?, self.content(new).await?);
        let (one, two) = (Arc::new(one), Arc::new(two));
        let is_binary =
            |content: &Content| content.bytes.iter().take(LOOKED_AT).any(|byte| *byte == 0);
        let is_text = self.options.binary_is_text || !is_binary(&one) && !is_binary(&two);
        let key = self.options.key();
        let changes = if one.bytes == two.bytes {
            Vec::new()
        } else if is_text {
            compare(&one, &two, key).await?
        } else {
            // Which bytes differ is not shown.
            vec![Change { old: 0..0, new: 0..0 }]
        };
        if changes.is_empty() {
            if self.options.says_same {
                self.context.print(&format!("Files {old} and {new} are identical\n")).await?;
            }
            return Ok(());
        }
        self.differs();
        if self.options.brief {
            return self.context.print(&format!("Files {old} and {new} differ\n")).await;
        }
        if !is_text {
            return self.context.print(&format!("Binary files {old} and {new} differ\n")).await;
        }
        let (left, right) = (lines(&one.bytes), lines(&two.bytes));
        let is_open = |bytes: &[u8]| bytes.last().is_some_and(|byte| *byte != b'\n');
        let texts = Texts {
            old: &left,
            old_is_open: is_open(&one.bytes),
            new: &right,
            new_is_open: is_open(&two.bytes),
        };
        let mut head = String::new();
        if within {
            head.push_str(&format!("{} {}{old} {new}\n", self.context.name, self.options.words));
        }
        let shown = match self.options.around {
            None => normal(&texts, &changes),
            Some(around) => {
                for (place, (sign, path, content)) in
                    [("---", old, &one), ("+++", new, &two)].into_iter().enumerate()
                {
                    let time = calendar::format(content.modified, "%F %T.%N +0000");
                    let line = match self.options.labels.get(place) {
                        Some(label) => format!("{sign} {label}\n"),
                        None => format!("{sign} {path}\t{time}\n"),
                    };
                    head.push_str(&line);
                }
                unified(&texts, &changes, around)
            }
        };
        self.context.print(&head).await?;
        let mut output = Output::new(self.context);
        for piece in shown.chunks(limits::COPY_BYTES) {
            output.write(piece).await?;
        }
        output.flush().await
    }
}

const fn named(kind: Option<NodeKind>) -> &'static str {
    match kind {
        Some(NodeKind::Directory) => "directory",
        Some(NodeKind::CharacterDevice) => "character special file",
        Some(NodeKind::Regular) | None => "regular file",
    }
}

impl Options {
    const fn key(&self) -> Key {
        Key { ignores_case: self.ignores_case, ignores_blanks: self.ignores_blanks }
    }
}

/// Compares two texts on a thread, so that the network keeps running; short ones here.
async fn compare(old: &Arc<Content>, new: &Arc<Content>, key: Key) -> Result<Vec<Change>, Failure> {
    if old.bytes.len().saturating_add(new.bytes.len()) <= limits::INLINE_DIFFERENCE_BYTES {
        return changes(&old.bytes, &new.bytes, key);
    }
    let done = Arc::new(OnceCell::new());
    let (shared, old, new) = (Arc::clone(&done), Arc::clone(old), Arc::clone(new));
    let work = move || {
        // Only this sets the cell, so it never blocks.
        let _ = shared.set_blocking(changes(&old.bytes, &new.bytes, key));
    };
    let started = thread::Builder::new().name(String::from("comparison")).spawn(work);
    started.map_err(|why| Failure::new(format!("no thread: {why}")))?;
    done.wait().await.clone()
}
