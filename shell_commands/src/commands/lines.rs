//! Lines of files, one by one, and output that is collected while there is input.
//!
//! Commands that work on text share this: memory is bounded by [`limits::LINE_BYTES`], whatever the
//! size of the files, and other tasks have their turn after each piece.

use futures_lite::future;

use crate::context::{Context, Stream};
use crate::failure::Failure;
use crate::limits;

/// One line, without its end.
pub(super) struct Line {
    pub(super) bytes: Vec<u8>,
    /// False for a last line without its end.
    pub(super) has_end: bool,
}

/// The lines of a file.
pub(super) struct Lines {
    stream: Stream,
    buffer: Vec<u8>,
    at: usize,
    ended: bool,
    end: u8,
}

impl Lines {
    /// Lines that end in `end`.
    pub(super) const fn new(stream: Stream, end: u8) -> Self {
        Self { stream, buffer: Vec::new(), at: 0, ended: false, end }
    }

    pub(super) fn name(&self) -> &str {
        &self.stream.name
    }

    /// The next line. Before it waits for input, it hands out what `output` holds.
    pub(super) async fn next(&mut self, output: &mut Output<'_>) -> Result<Option<Line>, Failure> {
        let mut searched = 0;
        loop {
            let rest = self.buffer.get(self.at..).unwrap_or_default();
            let unseen = rest.get(searched..).unwrap_or_default();
            if let Some(place) = unseen.iter().position(|byte| *byte == self.end) {
                let length = searched.saturating_add(place);
                let bytes = rest.get(..length).unwrap_or_default().to_vec();
                self.at = self.at.saturating_add(length).saturating_add(1);
                return Ok(Some(Line { bytes, has_end: true }));
            }
            if self.ended {
                let bytes = rest.to_vec();
                self.at = self.buffer.len();
                return Ok((!bytes.is_empty()).then_some(Line { bytes, has_end: false }));
            }
            if rest.len() > limits::LINE_BYTES {
                return Err(Failure::of(&self.stream.name, "a line is too long"));
            }
            searched = rest.len();
            self.buffer.drain(..self.at);
            self.at = 0;
            self.fill(output).await?;
        }
    }

    async fn fill(&mut self, output: &mut Output<'_>) -> Result<(), Failure> {
        output.flush().await?;
        future::yield_now().await;
        let length = self.buffer.len();
        self.buffer.resize(length.saturating_add(limits::COPY_BYTES), 0);
        let free = self.buffer.get_mut(length..).unwrap_or_default();
        let read = self.stream.file.read(free).await;
        let count = read.map_err(|why| Failure::of(&self.stream.name, why))?;
        self.buffer.truncate(length.saturating_add(count));
        self.ended = count == 0;
        Ok(())
    }
}

/// The output of a command.
pub(super) struct Output<'a> {
    context: &'a Context,
    held: Vec<u8>,
}

impl<'a> Output<'a> {
    pub(super) const fn new(context: &'a Context) -> Self {
        Self { context, held: Vec::new() }
    }

    /// Adds bytes as they are.
    pub(super) async fn write(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        self.held.extend_from_slice(bytes);
        if self.held.len() >= limits::COPY_BYTES {
            self.flush().await?;
            future::yield_now().await;
        }
        Ok(())
    }

    /// Adds a line with its end.
    pub(super) async fn line(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        self.held.extend_from_slice(bytes);
        self.write(b"\n").await
    }

    /// Hands out what is held.
    pub(super) async fn flush(&mut self) -> Result<(), Failure> {
        let held = std::mem::take(&mut self.held);
        self.context.print_bytes(&held).await
    }
}

/// Reads all lines of some files, for what needs them all; bounded by [`limits::TEXT_BYTES`].
pub(super) async fn all(
    context: &Context,
    paths: &[String],
    end: u8,
) -> Result<Vec<Vec<u8>>, Failure> {
    let mut output = Output::new(context);
    let (mut lines, mut bytes) = (Vec::new(), 0_usize);
    for stream in super::cat::inputs(context, paths) {
        let mut input = Lines::new(stream?, end);
        while let Some(line) = input.next(&mut output).await? {
            bytes = bytes.saturating_add(line.bytes.len()).saturating_add(size_of::<Vec<u8>>());
            if bytes > limits::TEXT_BYTES {
                return Err(Failure::of(input.name(), "is too long to be held in memory"));
            }
            lines.push(line.bytes);
        }
    }
    Ok(lines)
}
