//! Redirections: which file each descriptor of a command is.
//!
//! Called by [`execute`](super::execute) before a command starts. The three standard streams go to
//! commands; descriptors from 3 only serve redirections.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::task::Poll;

use devnet_virtual_file_system::{
    Attributes, Error, File, Lock, NodeKind, OpenDevice, OpenFlags, Operation, Readiness, pipe,
};

use super::Shell;
use super::expand;
use super::syntax::{Direction, Redirection, Target, Word};
use crate::context::{Stream, Streams};
use crate::status::Status;

/// Why a redirection failed.
pub(super) enum Failed {
    /// The expansion: the script ends.
    Expansion(String),
    /// The file: the command does not run.
    File(String),
}

impl Failed {
    pub(super) async fn report(self, shell: &mut Shell) -> Status {
        match self {
            Self::Expansion(why) => shell.abort(&why).await,
            Self::File(why) => {
                shell.complain(&why).await;
                Status::FAILURE
            }
        }
    }
}

impl Shell {
    /// The streams after these redirections, from left to right.
    pub(super) async fn redirected(
        &mut self,
        redirections: &[Redirection],
    ) -> Result<(Streams, BTreeMap<u8, Stream>), Failed> {
        let mut streams = self.streams.clone();
        let mut descriptors = self.state.descriptors.clone();
        for Redirection { descriptor, target } in redirections {
            let stream = match target {
                Target::Here(body) => {
                    let empty = Word::default();
                    let text = expand::single(self, body.get().unwrap_or(&empty)).await;
                    Some(document(text.map_err(Failed::Expansion)?))
                }
                Target::File(direction, word) => {
                    let path = expand::single(self, word).await.map_err(Failed::Expansion)?;
                    Some(self.open(&path, *direction)?)
                }
                Target::Duplicate(word) => {
                    let text = expand::single(self, word).await.map_err(Failed::Expansion)?;
                    duplicate(&text, *descriptor, &streams, &descriptors)?
                }
            };
            match (descriptor, stream) {
                (0, Some(stream)) => streams.input = stream,
                (1, Some(stream)) => streams.output = stream,
                (2, Some(stream)) => streams.error = stream,
                (number, Some(stream)) => drop(descriptors.insert(*number, stream)),
                (number, None) => drop(descriptors.remove(number)),
            }
        }
        Ok((streams, descriptors))
    }

    fn open(&self, path: &str, direction: Direction) -> Result<Stream, Failed> {
        let keeps = direction == Direction::Create && self.state.options.keeps_files;
        let is_file = |node: Attributes| node.kind == NodeKind::Regular;
        if keeps && self.files.stat(path).is_ok_and(is_file) {
            return Err(Failed::File(format!("{path}: {}", Error::AlreadyExists)));
        }
        let flags = match direction {
            Direction::Read => OpenFlags::READ,
            Direction::Append => OpenFlags::WRITE | OpenFlags::CREATE | OpenFlags::APPEND,
            Direction::Create | Direction::Truncate => {
                OpenFlags::WRITE | OpenFlags::CREATE | OpenFlags::TRUNCATE
            }
            Direction::Both => OpenFlags::READ | OpenFlags::WRITE | OpenFlags::CREATE,
        };
        let opened = self.files.open(path, self.without_new_devices(path, flags));
        let file = opened.map_err(|why| Failed::File(format!("{path}: {why}")))?;
        Ok(Stream::new(file, path))
    }

    /// Only the platform creates devices: a redirection to a missing name below `/devices` is an
    /// error and creates no file.
    fn without_new_devices(&self, path: &str, flags: OpenFlags) -> OpenFlags {
        let is_below_devices =
            self.files.resolve(path).is_ok_and(|path| path.as_str().starts_with("/devices/"));
        if is_below_devices { flags.difference(OpenFlags::CREATE) } else { flags }
    }
}

/// What the descriptor `text` is; `None` closes one from 3.
fn duplicate(
    text: &str,
    descriptor: u8,
    streams: &Streams,
    descriptors: &BTreeMap<u8, Stream>,
) -> Result<Option<Stream>, Failed> {
    let stream = match text {
        "-" if descriptor > 2 => return Ok(None),
        // A pipe without its other end: reading ends at once, writing fails.
        "-" => {
            let (reader, writer) = pipe(1);
            Some(Stream::new(if descriptor == 0 { reader } else { writer }, "closed"))
        }
        "0" => Some(streams.input.clone()),
        "1" => Some(streams.output.clone()),
        "2" => Some(streams.error.clone()),
        number => number.parse().ok().and_then(|number| descriptors.get::<u8>(&number).cloned()),
    };
    match stream {
        Some(stream) => Ok(Some(stream)),
        None => Err(Failed::File(format!("{text}: Bad file descriptor"))),
    }
}

/// A file with the text of a here-document, read once.
struct Document {
    text: Vec<u8>,
    place: Lock<usize>,
}

impl OpenDevice for Document {
    fn read<'a>(&'a self, buffer: &'a mut [u8]) -> Operation<'a, usize> {
        let count = self.place.with(|place| {
            let rest = self.text.get(*place..).unwrap_or_default();
            let count = rest.len().min(buffer.len());
            for (target, byte) in buffer.iter_mut().zip(rest) {
                *target = *byte;
            }
            *place = place.saturating_add(count);
            count
        });
        Operation::done(Ok(count))
    }

    fn write<'a>(&'a self, _: &'a [u8]) -> Operation<'a, usize> {
        Operation::done(Err(Error::Unsupported))
    }

    fn poll_ready(&self, _: &mut std::task::Context<'_>, interest: Readiness) -> Poll<Readiness> {
        Poll::Ready(interest)
    }
}

fn document(text: String) -> Stream {
    let document = Document { text: text.into_bytes(), place: Lock::new(0) };
    Stream::new(File::from_device(Arc::new(document), OpenFlags::READ), "here-document")
}
