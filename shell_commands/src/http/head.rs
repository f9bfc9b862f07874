//! The first part of a message: everything up to the empty line, read within bounds.

use virtual_file_system::{Error, File, Result};

use crate::limits;

/// Bytes of a stream that were read and not used yet.
#[derive(Default)]
pub struct Buffered {
    bytes: Vec<u8>,
}

/// What was found at the front of the stream.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Found {
    /// A whole head of so many bytes, the empty line included.
    Head(usize),
    /// The end of the stream, before any byte.
    End,
    /// More than [`limits::HTTP_HEAD_BYTES`] without an empty line.
    TooLong,
}

impl Buffered {
    /// The bytes that wait.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Drops the first `count` bytes.
    pub fn consume(&mut self, count: usize) {
        self.bytes.drain(..count.min(self.bytes.len()));
    }

    /// Reads once more from the stream; false at its end.
    ///
    /// # Errors
    /// The stream's.
    pub async fn fill(&mut self, file: &File) -> Result<bool> {
        let length = self.bytes.len();
        self.bytes.resize(length + limits::COPY_BYTES, 0);
        let outcome = file.read(self.bytes.get_mut(length..).unwrap_or_default()).await;
        self.bytes.truncate(length + outcome.unwrap_or(0));
        outcome.map(|count| count > 0)
    }

    /// Reads until a whole head is there.
    ///
    /// # Errors
    /// `ConnectionReset` when the stream ends within the head, and the stream's own.
    pub async fn find_head(&mut self, file: &File) -> Result<Found> {
        let mut looked = 0;
        loop {
            // Empty lines before a request are skipped (RFC 9112 §2.2).
            while looked == 0 && self.bytes.starts_with(b"\r\n") {
                self.consume(2);
            }
            if let Some(end) = end_of_head(&self.bytes, looked) {
                return Ok(if end > limits::HTTP_HEAD_BYTES {
                    Found::TooLong
                } else {
                    Found::Head(end)
                });
            }
            if self.bytes.len() > limits::HTTP_HEAD_BYTES {
                return Ok(Found::TooLong);
            }
            looked = self.bytes.len().saturating_sub(3);
            if !self.fill(file).await? {
                return if self.bytes.is_empty() {
                    Ok(Found::End)
                } else {
                    Err(Error::ConnectionReset)
                };
            }
        }
    }
}

/// Where the head ends: after an empty line. A bare line feed ends a line too (RFC 9112 §2.2).
fn end_of_head(bytes: &[u8], from: usize) -> Option<usize> {
    let rest = bytes.get(from..)?;
    let crlf =
        rest.windows(4).position(|window| window == b"\r\n\r\n").map(|place| from + place + 4);
    let bare = rest.windows(2).position(|window| window == b"\n\n").map(|place| from + place + 2);
    match (crlf, bare) {
        (Some(first), Some(second)) => Some(first.min(second)),
        (found, None) | (None, found) => found,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_empty_line_ends_the_head() {
        for (text, end) in [
            ("GET / HTTP/1.0\r\n\r\nrest", Some(18)),
            ("GET / HTTP/1.0\n\nrest", Some(16)),
            ("GET / HTTP/1.0\r\n", None),
            ("", None),
        ] {
            assert_eq!(end_of_head(text.as_bytes(), 0), end, "{text:?}");
        }
    }
}
