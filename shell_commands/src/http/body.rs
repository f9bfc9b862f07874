//! Where a body ends. The decoder is pure; [`Body`] feeds it from a stream, a piece at a time, in
//! constant memory.

use httparse::Status;
use virtual_file_system::{Error, File, Result};

use super::head::Buffered;
use crate::limits;

/// How a body ends.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Framing {
    /// After so many bytes.
    Length(u64),
    /// After the last chunk.
    Chunked,
    /// With the stream.
    UntilEnd,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum State {
    /// So many bytes of the body follow.
    Data(u64),
    /// Bytes until the stream ends.
    UntilEnd,
    /// The size of a chunk follows.
    Size,
    /// So many bytes of a chunk follow.
    Chunk(u64),
    /// The line end after a chunk follows.
    ChunkEnd,
    /// Trailer lines follow, up to an empty one.
    Trailer,
    /// Nothing follows.
    Done,
}

/// One step of the decoder.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Step {
    /// So many bytes at the front are the body's.
    Data(usize),
    /// So many bytes at the front are framing.
    Skip(usize),
    /// More is needed.
    More,
    /// The body is over.
    End,
}

impl State {
    fn step(&mut self, input: &[u8]) -> Result<Step> {
        Ok(match *self {
            Self::Done | Self::Data(0) => Step::End,
            _ if input.is_empty() => Step::More,
            Self::UntilEnd => Step::Data(input.len()),
            Self::Data(left) => {
                let count = usize::try_from(left).unwrap_or(usize::MAX).min(input.len());
                *self = Self::Data(left - count as u64);
                Step::Data(count)
            }
            Self::Chunk(left) => {
                let count = usize::try_from(left).unwrap_or(usize::MAX).min(input.len());
                *self = if left == count as u64 {
                    Self::ChunkEnd
                } else {
                    Self::Chunk(left - count as u64)
                };
                Step::Data(count)
            }
            Self::Size => match httparse::parse_chunk_size(input).map_err(|_| Error::BadMessage)? {
                Status::Complete((count, size)) => {
                    *self = if size == 0 { Self::Trailer } else { Self::Chunk(size) };
                    Step::Skip(count)
                }
                Status::Partial => more(input)?,
            },
            Self::ChunkEnd => match input {
                [b'\r', b'\n', ..] => {
                    *self = Self::Size;
                    Step::Skip(2)
                }
                [b'\r'] => Step::More,
                _ => return Err(Error::BadMessage),
            },
            Self::Trailer => match input.iter().position(|byte| *byte == b'\n') {
                Some(place) => {
                    if matches!(input, [b'\n', ..] | [b'\r', b'\n', ..]) {
                        *self = Self::Done;
                    }
                    Step::Skip(place + 1)
                }
                None => more(input)?,
            },
        })
    }
}

/// A line that does not end is an error.
const fn more(input: &[u8]) -> Result<Step> {
    if input.len() > limits::HTTP_HEAD_BYTES { Err(Error::BadMessage) } else { Ok(Step::More) }
}

/// A body on its way.
pub struct Body {
    state: State,
}

impl Body {
    /// A body that starts now.
    #[must_use]
    pub const fn new(framing: Framing) -> Self {
        let state = match framing {
            Framing::Length(length) => State::Data(length),
            Framing::Chunked => State::Size,
            Framing::UntilEnd => State::UntilEnd,
        };
        Self { state }
    }

    /// The next piece as the number of its bytes at the front of `buffered`, which the caller takes
    /// and consumes; `None` at the end.
    ///
    /// # Errors
    /// `ConnectionReset` when the stream ends before the body, `BadMessage` for broken chunks, and
    /// the stream's own.
    pub async fn next(&mut self, file: &File, buffered: &mut Buffered) -> Result<Option<usize>> {
        loop {
            match self.state.step(buffered.bytes())? {
                Step::Data(count) => return Ok(Some(count)),
                Step::Skip(count) => buffered.consume(count),
                Step::End => return Ok(None),
                Step::More => {
                    if !buffered.fill(file).await? {
                        return if self.state == State::UntilEnd {
                            Ok(None)
                        } else {
                            Err(Error::ConnectionReset)
                        };
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decode(framing: Framing, pieces: &[&[u8]]) -> Result<(Vec<u8>, bool)> {
        let (mut state, mut input, mut output) = (Body::new(framing).state, Vec::new(), Vec::new());
        for piece in pieces {
            input.extend_from_slice(piece);
            loop {
                match state.step(&input)? {
                    Step::Data(count) => output.extend(input.drain(..count)),
                    Step::Skip(count) => drop(input.drain(..count)),
                    Step::More => break,
                    Step::End => return Ok((output, true)),
                }
            }
        }
        Ok((output, false))
    }

    #[test]
    fn chunks_are_joined_however_they_are_cut() {
        let bytes = b"5;x=y\r\nhello\r\n10\r\n0123456789abcdef\r\n0\r\nTrailer: x\r\n\r\nnext";
        let expected = b"hello0123456789abcdef".to_vec();
        for cut in 0..bytes.len() - 4 {
            let (first, second) = bytes.split_at(cut);
            assert_eq!(
                decode(Framing::Chunked, &[first, second]),
                Ok((expected.clone(), true)),
                "{cut}"
            );
        }
        let single: Vec<&[u8]> = bytes.chunks(1).collect();
        assert_eq!(decode(Framing::Chunked, &single), Ok((expected, true)));
    }

    #[test]
    fn lengths_are_exact() {
        assert_eq!(decode(Framing::Length(3), &[b"ab", b"cd"]), Ok((b"abc".to_vec(), true)));
        assert_eq!(decode(Framing::Length(0), &[b""]), Ok((Vec::new(), true)));
        assert_eq!(decode(Framing::Length(5), &[b"ab"]), Ok((b"ab".to_vec(), false)));
        assert_eq!(decode(Framing::UntilEnd, &[b"ab", b"c"]), Ok((b"abc".to_vec(), false)));
    }

    #[test]
    fn broken_chunks_are_errors() {
        for bytes in
            [&b"x\r\n"[..], b"-1\r\n", b"3\r\nabcd\r\n", b"11111111111111111\r\n", b"3\r\nabc\n\n"]
        {
            assert_eq!(decode(Framing::Chunked, &[bytes]), Err(Error::BadMessage), "{bytes:?}");
        }
        let endless = vec![b' '; limits::HTTP_HEAD_BYTES + 1];
        let mut state = State::Trailer;
        assert_eq!(state.step(&endless), Err(Error::BadMessage));
    }
}
